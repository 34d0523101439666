# SPDX-License-Identifier: Apache-2.0
"""What a component may not do to the device that it runs on, and what somebody with a hand on the
device's disk may not make run."""
import io
import itertools
import json
import os
import subprocess
import sysconfig
import zipfile
from pathlib import Path

import pytest

from agent import Agent, Fleet
from harness import program, wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0,
                                reason="an agent that is not root has nobody else to run as")

NAME = "com.example.App"
NUMBERS = itertools.count(1)
STRANGER = "54321"  # a uid that nobody has
# What a component finds in its environment, and nothing else.
VARIABLES = {
    "AWS_CA_BUNDLE", "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL_S3",
    "AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT", "AWS_IOT_THING_NAME", "AWS_REGION", "GGC_VERSION", "GG_ROOT_CA_PATH",
    "GREENGRASS_COMPONENT_VERSION", "HOME", "LANG", "LOGNAME", "PATH", "PIP_BREAK_SYSTEM_PACKAGES",
    "PYTHONUSERBASE", "SVCUID", "USER"}
OF_THE_SHELL = {"PWD", "OLDPWD", "SHLVL", "_"}
OF_THE_AGENT = {"ANDON_EDGE_PROCESS_MARK"}


@pytest.fixture(scope="module")
def server(shared_server):
    return shared_server


@pytest.fixture(scope="module")
def fleet(server):
    return Fleet(server)


@pytest.fixture
def agent(server, open_directory):
    """A device of this test alone, whose agent is root and was told nothing of users."""
    name = f"device-{next(NUMBERS)}"
    environment = {**os.environ, "SECRET_OF_THE_AGENT": "x", "OF_THE_OPERATOR": "passed on"}
    with Agent(server, open_directory / name, thing=name, environment=environment,
               component_user=None, options=["--pass-environment", "OF_THE_OPERATOR"]) as running:
        yield running


def written(agent, name, component=NAME):
    """What the component has written to `name` in its work directory, when it is there."""
    path = agent.root / "work" / component / name
    return wait_until(lambda: path.read_text() if path.exists() else None,
                      f"{path}; log: {agent.log.read_text()[-2000:]}")


def deploy(fleet, agent, version, **more):
    return fleet.deploy_and_wait({NAME: version}, thing=agent.thing, **more)


def script(text):
    """Runs `text`, whose output is in the file `out` when it is whole, and stays."""
    return f"( {text} ) > out.new 2>&1; mv out.new out; exec sleep 3600"


def unique():
    """Each test has a version of its own: a component version is made once."""
    return f"1.0.{next(NUMBERS)}"


def run(fleet, agent, text, posix_user=None, **recipe):
    """What a component that runs `text` says."""
    version = unique()
    fleet.component(NAME, version, {"run": {"Script": script(text), **recipe.pop("step", {})}},
                    **recipe)
    deploy(fleet, agent, version, posix_user=posix_user)
    return written(agent, "out")


def test_a_component_runs_as_an_unprivileged_user_where_nothing_is_said(fleet, agent):
    user, name, group, groups = run(fleet, agent, "id -u; id -un; id -g; id -G").splitlines()
    assert name in ("andon-component", "ggc_user")
    assert user != "0" and group != "0" and "0" not in groups.split()


@pytest.mark.parametrize("posix_user, expected", [
    (STRANGER, [STRANGER, "65534"]), (f"{STRANGER}:54322", [STRANGER, "54322"]),
    ("root", ["0", "0"])])
def test_a_user_has_its_own_groups_and_none_of_the_agents(fleet, agent, posix_user, expected):
    assert run(fleet, agent, "id -u; id -G", posix_user).splitlines() == expected


def test_a_step_that_requires_privilege_has_nothing_of_the_work_directory(fleet, agent):
    said = run(fleet, agent, "id -u; echo $HOME; echo $PATH; echo x$PYTHONUSERBASE",
               step={"RequiresPrivilege": True}).splitlines()
    assert said[0] == "0"
    assert said[1] == "/root"
    assert str(agent.root) not in said[2]
    assert said[3] == "x"


def test_a_component_gets_nothing_of_the_agents_environment(fleet, agent):
    said = run(fleet, agent, "env").splitlines()
    names = {line.split("=", 1)[0] for line in said if "=" in line}
    assert "SECRET_OF_THE_AGENT" not in names
    assert "OF_THE_OPERATOR=passed on" in said
    assert names - OF_THE_SHELL - OF_THE_AGENT - {"OF_THE_OPERATOR"} == VARIABLES
    work = agent.root / "work" / NAME
    assert f"HOME={work}" in said and f"PYTHONUSERBASE={work}/.local" in said


def test_a_component_can_neither_read_nor_change_what_is_the_agents(fleet, agent):
    uri = fleet.put_artifact("data", b"as verified")
    said = run(
        fleet, agent, """
        for file in config/device.key config/staged.key config.db packages/blobs/sha256 \\
            packages/staged run/status.json logs/com.example.App.log; do
          if ls {kernel:rootPath}/$file/ || cat {kernel:rootPath}/$file; then
            echo READ $file; fi
        done
        cat {artifacts:path}/data && echo
        echo evil >> {artifacts:path}/data && echo WROTE
        chmod u+w {artifacts:path}/data && echo CHMOD
        rm -f {artifacts:path}/data && echo REMOVED
        mv {artifacts:path} {work:path}/mine && echo MOVED
        touch {artifacts:path}/more {kernel:rootPath}/packages/more && echo MADE
        """, artifacts=[{"URI": uri}])
    assert "as verified" in said
    for word in ("READ", "WROTE", "CHMOD", "REMOVED", "MOVED", "MADE"):
        assert word not in said, said


def wheel():
    """A package for pip, made by hand."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("andon_test_package.py", "print('imported')\n")
        info = "andon_test_package-1.0.dist-info"
        archive.writestr(f"{info}/METADATA",
                         "Metadata-Version: 2.1\nName: andon-test-package\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: hand\n"
                         "Root-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return content.getvalue()


def pip():
    """pip itself, as an archive: the device need not have it."""
    content = io.BytesIO()
    packages = Path(sysconfig.get_paths()["purelib"])
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((packages / "pip").rglob("*.p*")):
            if path.suffix in (".py", ".pem"):
                archive.write(path, path.relative_to(packages))
    return content.getvalue()


def test_a_component_can_install_a_python_package(fleet, agent):
    """Beside Debian's own, whose pip refuses that by default, and without any right."""
    version = unique()
    fleet.component(
        NAME, version,
        {"install": "PYTHONPATH={artifacts:decompressedPath}/pip /usr/bin/python3 -m pip install "
                    "--no-index {artifacts:path}/andon_test_package-1.0-py3-none-any.whl",
         "run": script("/usr/bin/python3 -c 'import andon_test_package'")},
        artifacts=[fleet.put_artifact("andon_test_package-1.0-py3-none-any.whl", wheel()),
                   {"URI": fleet.put_artifact("pip.zip", pip()), "Unarchive": "ZIP"}])
    deploy(fleet, agent, version)
    assert "imported" in written(agent, "out")


def test_what_was_unpacked_is_the_install_steps_to_change(fleet, agent):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("app/main.sh", "echo from the archive\n")
    version = unique()
    fleet.component(
        NAME, version,
        {"install": "cd {artifacts:decompressedPath}/code/app; echo echo made > made.sh",
         "run": script("cd {artifacts:decompressedPath}/code/app; sh main.sh; sh made.sh")},
        artifacts=[{"URI": fleet.put_artifact("code.zip", content.getvalue()),
                    "Unarchive": "ZIP"}])
    deploy(fleet, agent, version)
    assert written(agent, "out") == "from the archive\nmade\n"
    agent.stop()
    (agent.root / "work" / NAME / "out").unlink()
    agent.start()
    assert written(agent, "out") == "from the archive\nmade\n"  # not unpacked anew


@pytest.mark.parametrize("value", [
    "$(touch pwned)", "`touch pwned`", "'; touch pwned; '", '"; touch pwned; "', "a\nb  c",
    "$HOME \\ * ~"])
def test_a_configuration_value_reaches_a_script_as_it_is_through_its_environment(
        fleet, agent, value):
    version = unique()
    fleet.component(NAME, version,
                    {"run": {"Script": script('printf "%s" "$VALUE"'),
                             "Setenv": {"VALUE": "{configuration:/value}"}}},
                    configuration={"value": value})
    deploy(fleet, agent, version)
    assert written(agent, "out") == value
    assert not (agent.root / "work" / NAME / "pwned").exists()


def test_a_value_that_would_cut_a_script_short_is_refused(fleet, agent):
    version = unique()
    fleet.component(NAME, version,
                    {"run": "echo {configuration:/value}; exec sleep 3600"},
                    configuration={"value": "before\0after"})
    entry = fleet.outcome(fleet.deploy({NAME: version}, target=f"thing/{agent.thing}"),
                          thing=agent.thing)
    assert entry["coreDeviceExecutionStatus"] == "FAILED", entry
    assert "/value" in entry["reason"] and "NUL" in entry["reason"], entry


GOOD = "echo good > out; exec sleep 3600\n"
EVIL = "echo evil > out; exec sleep 3600\n"


def overwritten(file):
    """In place, with its size and its time of change kept, as far as a user can."""
    before = file.stat()
    file.write_text(EVIL)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def another_file(file):
    fresh = file.with_name("fresh")
    fresh.write_text(EVIL)
    fresh.chmod(0o755)
    os.rename(fresh, file)


def a_link(file):
    elsewhere = file.parents[4] / "elsewhere"
    elsewhere.write_text(EVIL)
    elsewhere.chmod(0o755)
    file.unlink()
    file.symlink_to(elsewhere)


def a_pipe(file):
    file.unlink()
    os.mkfifo(file)


def gone(file):
    file.unlink()


def given_away(file):
    os.chown(file, int(STRANGER), int(STRANGER))


def all_of_the_store(file):
    """The artifact and what it would be put back from."""
    another_file(file)
    for blob in (file.parents[4] / "packages" / "blobs" / "sha256").iterdir():
        another_file(blob)


CHANGES = [overwritten, another_file, a_link, a_pipe, gone, given_away, all_of_the_store]


def deploy_good(fleet, agent, execute):
    version = unique()
    fleet.component(NAME, version, {"run": "sh {artifacts:path}/go.sh"},
                    artifacts=[{"URI": fleet.put_artifact("go.sh", GOOD.encode()),
                                "Permission": {"Execute": execute}}])
    deploy(fleet, agent, version)
    assert written(agent, "out") == "good\n"
    [file] = (agent.root / "packages" / "artifacts" / NAME).glob("*/go.sh")
    agent.stop()
    (agent.root / "work" / NAME / "out").unlink()
    return version, file


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("execute", ["OWNER", "ALL"])
def test_an_artifact_that_was_changed_on_the_disk_does_not_run(fleet, agent, change, execute):
    version, file = deploy_good(fleet, agent, execute)
    change(file)
    agent.start()
    assert written(agent, "out") == "good\n"
    assert file.read_text() == GOOD and file.stat().st_uid == 0 and not file.is_symlink()
    agent.wait_for(NAME, version)

    def report():
        [one] = fleet.greengrass.list_installed_components(
            coreDeviceThingName=agent.thing)["installedComponents"]
        return "go.sh" in one.get("lifecycleStateDetails", "") and \
            one["lifecycleState"] == "RUNNING"
    wait_until(report, "the report to the server")
    assert "artifacts are not as they were verified" in agent.log.read_text()
    # Once it is in order again, the next start has nothing to tell.
    agent.stop()
    told = agent.log.read_text().count("not as they were verified")
    (agent.root / "work" / NAME / "out").unlink()
    agent.start()
    assert written(agent, "out") == "good\n"
    assert agent.log.read_text().count("not as they were verified") == told


def test_without_a_server_it_waits_says_why_and_runs_when_there_is_one(
        server, fleet, agent):
    version, file = deploy_good(fleet, agent, "OWNER")
    all_of_the_store(file)
    server.stop()
    try:
        agent.start()
        agent.wait_for(NAME, version, "ERRORED")
        [entry] = agent.status()["components"]
        assert "go.sh" in entry["reason"], entry
        assert not (agent.root / "work" / NAME / "out").exists()
    finally:
        # On the same ports: they are in its data directory.
        server.start()
    assert written(agent, "out") == "good\n"
    agent.wait_for(NAME, version)


def test_a_mark_that_was_made_without_the_key_counts_for_nothing(fleet, agent):
    """Who can write everything but the key."""
    _, file = deploy_good(fleet, agent, "OWNER")
    [mark] = (agent.root / "packages" / "staged" / NAME).iterdir()
    before = file.stat()
    another_file(file)
    after = file.stat()

    def line(status):
        return f"{status.st_ino} {status.st_size} {status.st_ctime_ns // 10**9}." \
               f"{status.st_ctime_ns % 10**9}"
    text = mark.read_text()
    assert line(before) in text
    mark.write_text(text.replace(line(before), line(after)))
    agent.start()
    assert written(agent, "out") == "good\n"


def test_what_a_deployment_configures_steers_no_terminal_of_the_device(fleet, agent):
    word = "\x1b[2J\x7f\u009b31m\u202eevil"
    fleet.component(NAME, "9.0.0", {"run": "sleep 1000"}, configuration={"word": word})
    fleet.deploy_and_wait({NAME: "9.0.0"}, thing=agent.thing)
    said = subprocess.run([program("andon-edge"), "config", "get", NAME, "--root", agent.root],
                          check=True, capture_output=True, text=True).stdout
    assert json.loads(said)["word"] == word
    assert not set(said) & set("\x1b\x7f\u009b\u202e")
