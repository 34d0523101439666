# SPDX-License-Identifier: Apache-2.0
"""Client devices find their core device by discovery, where the core's agent has said itself under
which addresses it is reached (aws.greengrass.clientdevices.IPDetector)."""
import json

from agent import Agent, Fleet
from harness import wait_until

DETECTOR = "aws.greengrass.clientdevices.IPDetector"


def test_a_client_device_finds_where_its_core_is_reached(server, fresh, tmp_path):
    core, camera = fresh("core"), fresh("camera")
    device = server.device(camera, tmp_path)
    greengrass, fleet = server.aws("greengrassv2"), Fleet(server)

    def endpoints():
        return [(one["hostAddress"], one["portNumber"]) for one in
                greengrass.get_connectivity_info(thingName=core).get("connectivityInfo", [])]
    with Agent(server, tmp_path / core, thing=core) as agent:
        greengrass.batch_associate_client_device_with_core_device(
            coreDeviceThingName=core, entries=[{"thingName": camera}])

        def deploy(**configuration):
            fleet.deploy_and_wait({DETECTOR: ("2.1.8", configuration)}, thing=core)
        deploy(includeIPv4LoopbackAddrs=True, defaultPort="18883")
        wait_until(lambda: ("127.0.0.1", 18883) in endpoints(), "the addresses", 60)
        status, body = device.https(f"/greengrass/discover/thing/{camera}")
        assert status == 200, body
        [found] = json.loads(body)["GGGroups"][0]["Cores"]
        assert ("127.0.0.1", 18883) in [(one["hostAddress"], one["portNumber"])
                                        for one in found["Connectivity"]], found

        deploy(includeIPv4LoopbackAddrs=True, defaultPort="18884")
        wait_until(lambda: ("127.0.0.1", 18884) in endpoints(), "the other port", 60)
        # What somebody else has said meanwhile is told anew by the next start of the agent.
        greengrass.update_connectivity_info(thingName=core, connectivityInfo=[
            {"id": "x", "hostAddress": "10.9.9.9", "portNumber": 1, "metadata": ""}])
        agent.stop()
        agent.start()
        wait_until(lambda: ("127.0.0.1", 18884) in endpoints(), "the addresses again", 60)
        deploy(defaultPort="many")
        wait_until(lambda: "defaultPort" in next(
            (c.get("note", "") for c in agent.status()["components"] if c["name"] == DETECTOR), ""),
            "the note", 60)
