# SPDX-License-Identifier: Apache-2.0
"""What packages for arm64 are cross-built with. That they install and run is seen by tests/fresh/arm64.py,
which takes long."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging"))
import build  # noqa: E402
import cross  # noqa: E402
import repository  # noqa: E402

# Of tests and of the example's generator, which are not built for another machine.
NOT_SHIPPED = {"libgtest-dev", "libgmock-dev", "libopencv-core-dev", "libopencv-imgproc-dev",
               "libgstrtspserver-1.0-dev"}


def packages_of_dev(array):
    text = re.search(rf"^readonly {array}=\((.*?)\)", (ROOT / "dev").read_text(), re.MULTILINE | re.DOTALL)
    return set(re.findall(r"[a-z][\w.+-]+-dev\b", text.group(1)))


def test_each_library_that_andon_is_built_with_is_there_for_arm64_too():
    here = set().union(*map(packages_of_dev, ("BUILD_PACKAGES", "VIDEO_PACKAGES", "LINE_PACKAGES",
                                              "GENICAM_PACKAGES")))
    assert here - NOT_SHIPPED == set(cross.LIBRARIES) | set(cross.OF_ALL)


def test_what_is_built_is_what_the_packages_hold():
    assert cross.targets(["andon-edge", "andon-onnxruntime"]) == [
        "andon-edge", "andon-keeper", "andon-launcher", "andon-broker"]
    assert set(cross.targets(build.PACKAGES)) == {
        "andon", "andon-server", "andon-job", "andon-broker", "andon-edge", "andon-keeper", "andon-launcher",
        "andon-inspect", "andon-inspect-gstreamer", "andon-inspect-modbus", "andon-inspect-gpio",
        "andon-inspect-aravis"}


def test_what_a_minimal_debian_of_another_architecture_has_is_of_that_alone():
    status = repository.minimal_status("arm64")
    assert set(re.findall(r"^Architecture: (.*)$", status, re.MULTILINE)) == {"all", "arm64"}
    assert {"dpkg", "libc6", "coreutils"} <= set(re.findall(r"^Package: (.*)$", status, re.MULTILINE))


def test_what_is_written_outside_of_the_sources_is_seen_from_within(tmp_path):
    places = cross.binds([tmp_path / "repository", ROOT / "build" / "packages"])
    assert places[tmp_path / "repository"] == tmp_path / "repository"
    assert places[ROOT] == ROOT and ROOT / "build" / "packages" not in places
    assert (tmp_path / "repository").is_dir()
