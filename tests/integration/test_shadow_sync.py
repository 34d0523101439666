# SPDX-License-Identifier: Apache-2.0
"""A device keeps its shadows the same as the server's: the agent, a component of the AWS IoT Device
SDK that changes a shadow when it is told to, and boto3 at the server."""
import json
import sys
import textwrap

import botocore.exceptions
import pytest
from agent import Agent, Fleet
from harness import Server, wait_until

pytest.importorskip("awsiot", reason="needs awsiotsdk")

NAME = "com.example.Sync"
# Does what is in order.json of its work directory, once each, and writes what it sees to seen.json.
SOURCE = textwrap.dedent('''
    import json, os, time
    from awsiot.greengrasscoreipc.clientv2 import GreengrassCoreIPCClientV2
    from awsiot.greengrasscoreipc.model import ResourceNotFoundError
    thing, ipc, done = os.environ["AWS_IOT_THING_NAME"], GreengrassCoreIPCClientV2(), None
    if os.path.exists("seen.json"):  # started again
        done = json.load(open("seen.json"))["done"]
    while True:
        if os.path.exists("order.json"):
            order = json.load(open("order.json"))
            if order != done:
                ipc.update_thing_shadow(thing_name=thing, shadow_name="line",
                                        payload=json.dumps({"state": order}).encode())
                done = order
        try:
            seen = json.loads(ipc.get_thing_shadow(thing_name=thing, shadow_name="line").payload)
        except ResourceNotFoundError:
            seen = {"state": None}
        with open("seen.tmp", "w") as file:
            json.dump({"state": seen["state"], "done": done}, file)
        os.replace("seen.tmp", "seen.json")
        time.sleep(0.1)
    ''')
ACCESS = {"aws.greengrass.ShadowManager": {f"{NAME}:shadow:1": {
    "operations": ["*"], "resources": ["*"]}}}
SYNC = {"synchronize": {"coreThing": {"classic": False, "namedShadows": ["line"]}}}


class Synced:
    """A device on which the component runs."""

    def __init__(self, server, agent, thing):
        self.server, self.agent, self.thing = server, agent, thing
        self.work = agent.root / "work" / NAME
        fleet = Fleet(server)
        uri = fleet.put_artifact("component.py", SOURCE.encode())
        fleet.component(
            NAME, "1.0.0", {"run": f"exec {sys.executable} -u {{artifacts:path}}/component.py"},
            configuration={"accessControl": ACCESS}, artifacts=[uri])
        fleet.deploy_and_wait({NAME: "1.0.0", "aws.greengrass.ShadowManager": ("2.3.9", SYNC)},
                              thing=thing)

    def order(self, state):
        """Has the component change its shadow."""
        (self.work / "order.tmp").write_text(json.dumps(state))
        (self.work / "order.tmp").rename(self.work / "order.json")
        wait_until(lambda: self.seen()["done"] == state, f"the order; {self.agent.root}/logs")

    def seen(self):
        file = self.work / "seen.json"
        return json.loads(file.read_text()) if file.exists() else {"state": None, "done": None}

    def desire(self, state):
        self.server.aws("iot-data").update_thing_shadow(
            thingName=self.thing, shadowName="line",
            payload=json.dumps({"state": {"desired": state}}))

    def at_server(self):
        try:
            answer = self.server.aws("iot-data").get_thing_shadow(thingName=self.thing,
                                                                  shadowName="line")
        except botocore.exceptions.ClientError:
            return None
        return {key: value for key, value in json.loads(answer["payload"].read())["state"].items()
                if key != "delta"}

    def on_device(self):
        state = self.seen()["state"]
        return state and {key: value for key, value in state.items() if key != "delta"}

    def wait_for_both(self, state):
        wait_until(lambda: self.at_server() == state, f"{state} at the server; {self.agent.root}/logs")
        wait_until(lambda: self.on_device() == state, f"{state} on the device; {self.agent.root}/logs")


def test_a_devices_shadow_and_the_servers_are_kept_the_same(server, tmp_path):
    with Agent(server, tmp_path / "device", thing="sync-1") as agent:
        device = Synced(server, agent, "sync-1")
        device.order({"reported": {"speed": 1}})
        device.wait_for_both({"reported": {"speed": 1}})
        device.desire({"speed": 2})
        device.wait_for_both({"reported": {"speed": 1}, "desired": {"speed": 2}})
        device.order({"reported": {"speed": 2}})
        device.wait_for_both({"reported": {"speed": 2}, "desired": {"speed": 2}})
        server.aws("iot-data").delete_thing_shadow(thingName="sync-1", shadowName="line")
        wait_until(lambda: device.on_device() is None, f"no shadow on the device; {agent.root}/logs")


def test_what_changed_on_both_sides_while_they_were_apart_comes_together(tmp_path):
    with Server(tmp_path / "data") as server:
        with Agent(server, tmp_path / "device", thing="sync-2") as agent:
            device = Synced(server, agent, "sync-2")
            device.order({"reported": {"a": 1, "b": 1}})
            device.wait_for_both({"reported": {"a": 1, "b": 1}})
            server.stop()
            device.order({"reported": {"a": 2, "c": 1}, "desired": {"d": "device"}})
            agent.kill()
            server.start()
            device.desire({"d": "server"})
            agent.start()
            device.wait_for_both({"reported": {"a": 2, "b": 1, "c": 1}, "desired": {"d": "server"}})
