# SPDX-License-Identifier: Apache-2.0
"""The Debian packages: the same bytes each time, whole, and what they say of themselves is true.
What they do on machines is followed by tests/fresh/machines.py."""
import configparser
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from harness import Server, http, program

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging"))
import bill  # noqa: E402
import build  # noqa: E402
import manual  # noqa: E402

EPOCH = "1700000000"


def make(out, *names, options=(), environment=None):
    binaries = Path(program("andon")).parent
    subprocess.run([sys.executable, ROOT / "packaging/build.py", "--out", out, "--bin", binaries,
                    "--version", "1.2.3", *(f"--only={name}" for name in names), *options], check=True,
                   capture_output=True, text=True,
                   env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH, "DEBFULLNAME": "", "DEBEMAIL": "",
                        **(environment or {})})
    return [out / f"{name}_1.2.3_amd64.deb" for name in names]


def field(package, name):
    return subprocess.run(["dpkg-deb", "-f", package, name], check=True, capture_output=True,
                          text=True).stdout.strip()


def notices(tree, name):
    return subprocess.run(["zcat", tree / f"usr/share/doc/{name}/third-party-notices.txt.gz"], check=True,
                          capture_output=True, text=True).stdout


def lintian(*packages):
    done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", *packages],
                          capture_output=True, text=True, check=False)
    return done.stdout + done.stderr + (f"exit code {done.returncode}" if done.returncode else "")


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """Made by somebody who is named."""
    return make(tmp_path_factory.mktemp("others"), "andon-server", "andon", "andon-onnxruntime",
                options=("--homepage", "https://packages.example/andon"),
                environment={"DEBFULLNAME": "Hall One", "DEBEMAIL": "packages@plant.example"})


@pytest.fixture(scope="module")
def edge(tmp_path_factory):
    return make(tmp_path_factory.mktemp("packages"), "andon-edge")[0]


@pytest.fixture(scope="module")
def tree(edge, tmp_path_factory):
    place = tmp_path_factory.mktemp("tree")
    subprocess.run(["dpkg-deb", "--raw-extract", edge, place], check=True)
    return place


def test_two_builds_of_a_package_have_the_same_bytes(edge, tmp_path):
    again = make(tmp_path, "andon-edge")[0]
    assert again.read_bytes() == edge.read_bytes()


def test_lintian_has_nothing_to_say(edge, others):
    assert lintian(edge, *others) == ""


def test_who_makes_the_packages_is_named_in_them_and_nobody_is_invented(edge, others, tmp_path):
    assert field(edge, "Maintainer") == "andon <nobody@andon.invalid>"  # RFC 2606: nobody's
    assert field(edge, "Homepage") == ""
    for package in others:
        assert field(package, "Maintainer") == "Hall One <packages@plant.example>"
        assert field(package, "Homepage") == "https://packages.example/andon"
    with pytest.raises(subprocess.CalledProcessError) as refused:
        make(tmp_path, "andon-edge", environment={"DEBEMAIL": "nobody"})
    assert "DEBEMAIL an address" in refused.value.stderr


def test_the_servers_bill_and_notices_name_what_is_in_its_console(others, tmp_path):
    server = next(package for package in others if package.name.startswith("andon-server_"))
    subprocess.run(["dpkg-deb", "--extract", server, tmp_path], check=True)
    document = json.loads((tmp_path / "usr/share/doc/andon-server/sbom.cdx.json").read_text())
    console = {part["name"]: part for part in document["components"] if part["purl"].startswith("pkg:npm/")}
    lock = json.loads((ROOT / "console/package-lock.json").read_text())["packages"]
    assert {"svelte", "uplot", "clsx"} <= set(console)
    for name, part in console.items():
        assert part["version"] == lock[f"node_modules/{name}"]["version"]
        assert part["licenses"] in ([{"license": {"id": "MIT"}}], [{"expression": "MIT OR Apache-2.0"}])
        assert len(part["hashes"][0]["content"]) == 128
        assert f"{name} {part['version']}" in notices(tmp_path, "andon-server")
    assert "Leon Sorokin" in notices(tmp_path, "andon-server")


def test_a_notice_of_another_version_than_was_built_is_refused(tmp_path, monkeypatch):
    changed = tmp_path / "licenses.txt"
    changed.write_text(bill.CONSOLE_NOTICES.read_text().replace("uplot 1", "uplot 0"))
    monkeypatch.setattr(bill, "CONSOLE_NOTICES", changed)
    with pytest.raises(SystemExit, match="notice of uplot 0.*package-lock.json has 1"):
        bill.console_packages()


def test_the_manual_has_each_command_once_whatever_its_other_word_is(tmp_path):
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "usr/bin/andon").symlink_to(program("andon"))
    told = manual.Program(tmp_path, "andon", "1", 0)
    assert {("device", "list"), ("model", "register"), ("repository",), ("apply",)} <= set(told.sections)
    assert not [path for path in told.sections if any("," in word for word in path)]
    assert "repository, repositories" in told.man_page()


def test_a_package_says_what_it_needs_and_keeps_its_configuration(edge, tree):
    depends = field(edge, "Depends")
    for library in ("libc6 (>=", "libcurl4 (>=", "libmosquitto1 (>=", "libsqlite3-0 (>="):
        assert library in depends
    assert (tree / "DEBIAN/conffiles").read_text() == "/etc/andon/edge.yaml\n"
    listed = subprocess.run(["dpkg-deb", "--contents", edge], check=True, capture_output=True,
                            text=True).stdout
    assert all(line.split()[1] == "root/root" and " 2023-11-14 " in line
               for line in listed.splitlines())


def test_the_bill_of_materials_names_what_is_linked(tree):
    document = json.loads((tree / "usr/share/doc/andon-edge/sbom.cdx.json").read_text())
    assert document["bomFormat"] == "CycloneDX" and document["specVersion"] == "1.5"
    linkage = {part["name"]: part["properties"][0]["value"] for part in document["components"]}
    assert linkage["libssl3"] == "dynamic" and linkage["libboost1.81-dev"] == "static"
    references = {part["bom-ref"] for part in document["components"]}
    assert set(document["dependencies"][0]["dependsOn"]) == references
    said = notices(tree, "andon-edge")
    assert "Boost Software License" in said and "libcurl4" in said


def test_each_package_has_a_bill_of_materials_and_a_notice_of_each_part(edge, others, tmp_path):
    for package in (edge, *others):
        name = field(package, "Package")
        subprocess.run(["dpkg-deb", "--extract", package, tmp_path / name], check=True)
        document = json.loads((tmp_path / name / f"usr/share/doc/{name}/sbom.cdx.json").read_text())
        assert document["metadata"]["component"]["name"] == name and document["components"]
        said = notices(tmp_path / name, name).lower().replace(" ", "")  # "ONNX Runtime" is onnxruntime
        assert not [part["name"] for part in document["components"] if part["name"].lower() not in said]


def test_man_page_and_completion_have_every_option(tree):
    page = subprocess.run(["zcat", tree / "usr/share/man/man1/andon-edge.1.gz"], check=True,
                          capture_output=True, text=True).stdout
    warnings = subprocess.run(["man", "--warnings", "-l", "-Tutf8", "-Z", "-"], input=page,
                              capture_output=True, text=True, check=True).stderr
    assert not warnings
    said = manual.Program(tree, "andon-edge", "1.2.3", int(EPOCH))
    options = {flag for section in said.sections.values() for flag, _ in section.options()}
    assert {"--token-file", "--spool-mib", "--pass-environment", "--log-level"} <= options
    plain = page.replace("\\-", "-")
    assert all(option in plain for option in options)
    script = (f". {tree}/usr/share/bash-completion/completions/andon-edge\n"
              "COMP_WORDS=(andon-edge run --sp) COMP_CWORD=2; _andon_edge; echo \"${COMPREPLY[@]}\"\n"
              "COMP_WORDS=(andon-edge --log-level w) COMP_CWORD=2; _andon_edge; echo \"${COMPREPLY[@]}\"")
    done = subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout == "--spool-hours --spool-mib\nwarning\n"


def test_each_option_that_docs_operations_names_exists(tmp_path):
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    (tmp_path / "usr/bin").mkdir(parents=True)
    options = {"--config", "--help"}
    for name in ("andon", "andon-server", "andon-edge", "andon-inspect"):
        (tmp_path / "usr/bin" / name).symlink_to(program(name))
        for section in manual.Program(tmp_path, name, "1", 0).sections.values():
            options |= {flag for flag, _ in section.options()}
    of_aws = {"--core-device-thing-name", "--thing-name", "--certificate-id", "--new-status", "--set-as-active"}
    named = set(re.findall(r"--[a-z][a-z-]+", text)) - of_aws
    assert len(named) > 30 and named - options == set()


@pytest.mark.parametrize("name", list(build.SYSTEMD_PACKAGES))
def test_the_configuration_file_is_one_that_the_program_reads(name):
    """Also with every line in comments: what they say exists."""
    file = ROOT / "packaging" / name / build.PACKAGES[name]["configuration"]
    lines = [line.replace("# ", "", 1) if line.lstrip().startswith("# ") and line.split(":")[0].split()[-1]
             .replace("-", "").isalpha() and len(line.split(":")[0].split()) == 2 else line
             for line in file.read_text().splitlines()]
    text = "\n".join(lines) + "\n"
    assert text != file.read_text()
    for content in (file.read_text(), text):
        done = subprocess.run([program(name), "--config", "/dev/stdin",
                               "run", "--log-level", "none"], input=content, capture_output=True,
                              text=True, check=False)
        # The level is refused, after the file was read without a word.
        assert done.returncode == 2 and "log-level" in done.stderr, done.stderr
        assert "line " not in done.stderr, done.stderr


def test_the_list_of_migrations_is_what_the_databases_have(tmp_path):
    """By it an older package refuses the data of a newer one."""
    with Server(tmp_path / "data") as server:
        server.device("line-1", tmp_path)
        applied = set()
        for file in (tmp_path / "data").glob("*.db"):
            with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
                applied |= {name for (name, ) in database.execute("SELECT name FROM andon_migration")}
    assert set(build.migrations("server")) == applied
    assert build.migrations("edge")


def security(unit, *arguments):
    return subprocess.run(["systemd-analyze", "security", "--offline=true", *arguments, unit],
                          capture_output=True, text=True, check=False)


def test_the_servers_unit_is_hardened():
    done = security(ROOT / "packaging/andon-server/andon-server.service", "--threshold=30")
    assert done.returncode == 0, done.stdout[-300:]


def test_a_server_without_functions_may_do_less(tmp_path):
    """How much less: every line of the drop-in is one that the unit has otherwise."""
    text = (ROOT / "packaging/andon-server/andon-server.service").read_text()
    drop_in = (ROOT / "packaging/andon-server/no-functions.conf").read_text()
    unit = tmp_path / "andon-server.service"
    unit.write_text(text.replace("[Install]", drop_in + "\n[Install]"))
    done = security(unit, "--threshold=17")
    assert done.returncode == 0, done.stdout[-300:]


def test_the_agents_unit_lets_components_outlive_it_and_have_cgroups():
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(ROOT / "packaging/andon-edge/andon-edge.service")
    service = unit["Service"]
    assert (service["KillMode"], service["Delegate"], service["Type"]) == ("process", "yes", "notify")
    assert "User" not in service and "NoNewPrivileges" not in service


def test_the_server_serves_a_repository_and_prints_the_line(tmp_path):
    repository = tmp_path / "repository"
    (repository / "pool").mkdir(parents=True)
    (repository / "andon.gpg").write_bytes(b"\x98key")
    (repository / "pool/a.deb").write_bytes(b"package")
    with Server(tmp_path / "data", "--packages", repository) as server:
        context = server.tls()
        url = server.info["devicePlane"] + "/packages/"
        assert http(url + "pool/a.deb", context=context) == (200, b"package")
        for path in ("", "pool", "../data/server.json", "%2e%2e/data/server.json", "none"):
            assert http(url + path, context=context)[0] == 404, path
        done = subprocess.run([program("andon"), "device", "add", "line-1", "--data", server.data],
                              check=True, capture_output=True, text=True)
        assert done.stdout.count("\n") == 1 and len(done.stdout) < 4095
        assert "/packages/ stable main" in done.stdout and "/usr/lib/andon/enrol)" in done.stdout
        token = subprocess.run([program("andon"), "device", "add", "line-1", "--only-token", "--data",
                                server.data], check=True, capture_output=True, text=True).stdout
        assert token.startswith("andon1.")


def test_a_token_is_printed_where_there_is_no_line(tmp_path):
    """apt's configuration can name no address of IPv6."""
    repository = tmp_path / "repository"
    repository.mkdir()
    for said in ("by its standard input", "apt cannot be told of a server"):
        with Server(tmp_path / "data", "--host", "::1", "--packages", repository) as server:
            done = subprocess.run([program("andon"), "device", "add", "line-1", "--data", server.data],
                                  check=True, capture_output=True, text=True)
            assert done.stdout.startswith("andon1.") and said in done.stderr, done.stderr
        (repository / "andon.gpg").write_bytes(b"\x98key")


def test_the_server_tells_systemd_that_it_is_ready_and_lives(tmp_path, monkeypatch):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(path)
        systemd.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", path)
        monkeypatch.setenv("WATCHDOG_USEC", "200000")
        with Server(tmp_path / "data") as server:
            assert systemd.recv(100) == b"READY=1"
            assert systemd.recv(100) == b"WATCHDOG=1"
            # What it starts hears nothing of it.
            broker = json.loads((tmp_path / "data/mosquitto/broker.json").read_text())["pid"]
            assert b"NOTIFY_SOCKET" not in Path(f"/proc/{broker}/environ").read_bytes()
            assert server.stop() == 0
        said = b""
        while said != b"STOPPING=1":
            said = systemd.recv(100)


def test_an_agent_tells_systemd_that_it_is_ready_and_lives(server, tmp_path, monkeypatch):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(path)
        systemd.settimeout(30)
        root = tmp_path / "device"
        subprocess.run([program("andon-edge"), "provision", "--root", root, "--token-file", "-"],
                       input=server.token("line-1"), check=True, capture_output=True, text=True)
        monkeypatch.setenv("NOTIFY_SOCKET", path)
        monkeypatch.setenv("WATCHDOG_USEC", "200000")
        agent = subprocess.Popen([program("andon-edge"), "run", "--root", root],
                                 stderr=subprocess.DEVNULL)
        try:
            assert systemd.recv(100) == b"READY=1"
            assert systemd.recv(100) == b"WATCHDOG=1"
            agent.terminate()
            said = b""
            while said != b"STOPPING=1":
                said = systemd.recv(100)
            assert agent.wait(timeout=30) == 0
        finally:
            agent.kill()
            agent.wait()
