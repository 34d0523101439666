# SPDX-License-Identifier: Apache-2.0
"""scripts/fetch-onnxruntime against packages of a folder, as pip may be told to use; no network."""
import hashlib
import os
import re
import subprocess
import zipfile

import pytest

from harness import ROOT

SCRIPT = ROOT / "scripts" / "fetch-onnxruntime"
VERSION = (ROOT / "scripts" / "onnxruntime.version").read_text().strip()

pytestmark = pytest.mark.skipif(os.uname().machine != "x86_64", reason="the wheel made is x86-64's")


def make_wheel(directory, machine="x86_64"):
    directory.mkdir()
    name = f"onnxruntime-{VERSION}-cp311-cp311-manylinux_2_27_{machine}.manylinux_2_28_{machine}.whl"
    info = f"onnxruntime-{VERSION}.dist-info"
    with zipfile.ZipFile(directory / name, "w") as wheel:
        wheel.writestr("onnxruntime/LICENSE", "MIT")
        wheel.writestr("onnxruntime/ThirdPartyNotices.txt", "notices")
        wheel.writestr(f"onnxruntime/capi/libonnxruntime.so.{VERSION}", "the library")
        wheel.writestr(f"{info}/METADATA",
                       f"Metadata-Version: 2.1\nName: onnxruntime\nVersion: {VERSION}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: false\n"
                                        f"Tag: cp311-cp311-manylinux_2_28_{machine}\n")
        wheel.writestr(f"{info}/RECORD", "")
    return hashlib.sha256((directory / name).read_bytes()).hexdigest()


def fetch(script, destination, links, *machine):
    # No index at all: whatever is not in the folder cannot be had.
    environment = {name: value for name, value in os.environ.items()
                   if name != "ONNXRUNTIME_ROOT" and not name.startswith("PIP_")}
    environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(links), "PIP_CONFIG_FILE": os.devnull}
    return subprocess.run([script, VERSION, destination, *machine], env=environment, capture_output=True,
                          text=True, timeout=120, check=False)


def script_with(digest, tmp_path, machine="x86_64"):
    """The script with another digest pinned."""
    script = tmp_path / "fetch-onnxruntime"
    text = SCRIPT.read_text()
    pinned = re.search(rf"{re.escape(VERSION)}-{machine}\) echo ([0-9a-f]{{64}})", text).group(1)
    script.write_text(text.replace(pinned, digest))
    script.chmod(0o755)
    return script


def test_the_library_of_a_named_machine_is_fetched_whatever_is_here(tmp_path):
    script = script_with(make_wheel(tmp_path / "wheels", "aarch64"), tmp_path, "aarch64")
    out = tmp_path / "out"
    assert fetch(script, out, tmp_path / "wheels", "aarch64").returncode == 0
    library = out / "libonnxruntime.so.1"
    assert library.read_text() == "the library" and not library.is_symlink()
    refused = fetch(script, tmp_path / "other", tmp_path / "wheels", "riscv64")
    assert refused.returncode == 1 and "no official ONNX Runtime for riscv64" in refused.stderr


def test_the_library_comes_out_of_the_wheel_that_was_pinned(tmp_path):
    script = script_with(make_wheel(tmp_path / "wheels"), tmp_path)
    ended = fetch(script, tmp_path / "out", tmp_path / "wheels")
    assert ended.returncode == 0, ended.stderr
    out = tmp_path / "out"
    assert (out / "libonnxruntime.so.1").read_text() == "the library"
    assert sorted(p.name for p in out.iterdir()) == [
        "LICENSE", "ThirdPartyNotices.txt", "libonnxruntime.so.1", "version"]
    # A second time nothing is fetched.
    assert fetch(script, out, tmp_path / "nowhere").returncode == 0


def test_what_is_not_what_was_pinned_is_not_unpacked(tmp_path):
    make_wheel(tmp_path / "wheels")
    ended = fetch(SCRIPT, tmp_path / "out", tmp_path / "wheels")
    assert ended.returncode == 1
    assert "DO NOT MATCH THE HASHES" in ended.stderr
    assert not (tmp_path / "out" / "libonnxruntime.so.1").exists()


def test_without_a_network_it_says_what_to_do(tmp_path):
    (tmp_path / "empty").mkdir()
    ended = fetch(SCRIPT, tmp_path / "out", tmp_path / "empty")
    assert ended.returncode == 1
    assert "could not be fetched. Is there a network" in ended.stderr
    assert "ONNXRUNTIME_ROOT" in ended.stderr
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["fetch.log"]
