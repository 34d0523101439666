# SPDX-License-Identifier: Apache-2.0
"""A device that has its certificate from elsewhere: provisioned by its files or by the
configuration of a Greengrass nucleus, and then a device as any other."""
import json
import subprocess

import pytest
from agent import Agent, Fleet
from harness import program, wait_until


class OwnFiles(Agent):
    """An agent that is provisioned by `words` instead of a token."""

    def __init__(self, server, root, thing, words):
        super().__init__(server, root, thing)
        self.words = words

    def provision(self, token=None):
        return subprocess.run(
            self.command("andon-edge", "provision", "--root", self.root, "--json", *self.words,
                         *self._user_options()), check=True, capture_output=True, text=True).stdout


def places(server):
    mqtt = server.info["mqtt"]["port"]
    return f"127.0.0.1:{mqtt}", server.info["devicePlane"].removeprefix("https://")


@pytest.mark.parametrize("way", ["files", "greengrass"])
def test_a_device_with_its_files_is_a_device_as_any_other(server, tmp_path, way):
    device = server.device("edge-1", tmp_path / "given")
    mqtt, data_plane = places(server)
    words = ["--certificate", device.certificate, "--key", device.key, "--ca", server.ca_file,
             "--thing", "edge-1", "--mqtt", mqtt, "--data-plane", data_plane]
    if way == "greengrass":
        config = tmp_path / "config.yaml"
        config.write_text(json.dumps({
            "system": {"certificateFilePath": str(device.certificate),
                       "privateKeyPath": str(device.key), "rootCaPath": server.ca_file,
                       "rootpath": "/greengrass/v2", "thingName": "edge-1"},
            "services": {"aws.greengrass.Nucleus": {"configuration": {
                "awsRegion": "us-east-1", "iotRoleAlias": "andon", "iotDataEndpoint": mqtt,
                "iotCredEndpoint": data_plane}}}}))
        words = ["--greengrass-config", config]
    fleet = Fleet(server)
    with OwnFiles(server, tmp_path / "device", "edge-1", words) as agent:
        assert (agent.root / "config" / "device.key").stat().st_mode & 0o777 == 0o600
        fleet.component("com.example.Hello", "1.0.0", {"run": "exec sleep 1000"})
        fleet.deploy_and_wait({"com.example.Hello": "1.0.0"})
        agent.wait_for("com.example.Hello", "1.0.0")
        wait_until(lambda: agent.status()["network"]["mqtt"] == "5", "the version of MQTT")


def test_what_is_missing_or_does_not_belong_together_is_said(server, tmp_path):
    device = server.device("edge-1", tmp_path / "given")
    other = server.device("edge-2", tmp_path / "given")
    mqtt, _ = places(server)

    def refusal(*words):
        ended = subprocess.run([program("andon-edge"), "provision", "--root", tmp_path / "device",
                                *map(str, words)], capture_output=True, text=True, timeout=60,
                               check=False)
        assert ended.returncode != 0, ended
        return ended.stderr
    files = ["--certificate", device.certificate, "--ca", server.ca_file, "--thing", "edge-1",
             "--mqtt", mqtt]
    assert "--certificate needs --key" in refusal(*files)
    assert "does not belong to the key" in refusal(*files, "--key", other.key)
    assert "goes with --claim or --certificate" in refusal("--token", "x", "--mqtt", mqtt)
    (tmp_path / "config.yaml").write_text("system: {thingName: edge-1}\nservices: {}\n")
    assert "config.yaml" in refusal("--greengrass-config", tmp_path / "config.yaml")
    assert not (tmp_path / "device" / "config" / "device.json").exists()
