# SPDX-License-Identifier: Apache-2.0
"""Who stands between agent and server, who asks twice at once, and what is left behind in memory
and logs."""
import base64
import concurrent.futures
import json
import os
import re
import signal
import subprocess
import tempfile
import uuid
from pathlib import Path

import botocore.exceptions

from agent import Agent, Fleet
from harness import PATIENCE_S, Mqtt, Server, Subscription, next_line, program, read_token, wait_until

LIFECYCLE = {"Run": "exec sleep 1000"}


def provision(root, token):
    return subprocess.run([program("andon-edge"), "provision", "--root", root, "--token-file", "-"],
                          input=token, capture_output=True, text=True, timeout=PATIENCE_S,
                          check=False)


def token_for(content):
    text = base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
    return "andon1." + text


# --- a man in the middle -----------------------------------------------------------------------

def test_a_token_enrols_at_nobody_but_the_server_that_made_it(server, tmp_path):
    """The other has a certificate for the same address, of its own CA."""
    with Server(tmp_path / "other") as other:
        content = read_token(server.token("line-1")) | {"url": other.info["devicePlane"]}
        ended = provision(tmp_path / "device", token_for(content))
        assert ended.returncode != 0
        assert "CA" in ended.stderr, ended.stderr
        assert not (tmp_path / "device" / "config" / "device.json").exists()
        assert "line-1" not in other.log()


def test_an_agent_talks_to_nobody_but_its_server(server, tmp_path):
    """The other stands where the device believes its server to be, and would deploy to it."""
    with Server(tmp_path / "other") as other:
        Fleet(other).component("andon.Evil", "1.0.0", LIFECYCLE)
        device = Agent(server, tmp_path / "edge", thing="edge-1")
        device.provision()
        ports = [(server.info["devicePlane"], other.info["devicePlane"]),
                 (str(server.info["mqtt"]["port"]), str(other.info["mqtt"]["port"]))]
        config = device.root / "config" / "device.json"
        text = config.read_text()
        for mine, theirs in ports:
            mine, theirs = (re.search(r"\d+$", each)[0] for each in (mine, theirs))
            assert mine in text
            text = text.replace(mine, theirs)
        config.write_text(text)
        with other.operator_mqtt().subscribe("$aws/events/presence/#", "$aws/things/#") as seen:
            device.start()
            try:
                wait_until(lambda: "certificate" in device.log.read_text().lower(),
                           "the agent saying why it is not connected")
            finally:
                device.kill()
            assert seen.messages() == []


# --- asked twice at once -----------------------------------------------------------------------

def at_once(count, call):
    """What `count` calls at the same time gave: answers and error codes."""
    def one(number):
        try:
            return call(number)
        except botocore.exceptions.ClientError as error:
            return error.response["Error"]["Code"]
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_a_name_that_many_take_at_once_is_one_persons(server):
    greengrass, iot, states = (server.aws(each) for each in ("greengrassv2", "iot", "stepfunctions"))
    sagemaker = server.aws("sagemaker")

    def component(number):
        recipe = {"RecipeFormatVersion": "2020-01-25", "ComponentName": "andon.Same",
                  "ComponentVersion": "1.0.0", "ComponentDescription": f"of {number}",
                  "Manifests": [{"Platform": {"os": "linux"}, "Lifecycle": LIFECYCLE}]}
        return greengrass.create_component_version(inlineRecipe=json.dumps(recipe))["arn"]

    made = at_once(8, component)
    assert sorted(made)[:7] == ["ConflictException"] * 7, made
    arns = at_once(8, lambda n: iot.create_thing(
        thingName="same", attributePayload={"attributes": {"of": str(n)}})["thingArn"])
    assert sorted(arns)[:7] == ["ResourceAlreadyExistsException"] * 7, arns
    groups = at_once(8, lambda n: sagemaker.create_model_package_group(
        ModelPackageGroupName="same", ModelPackageGroupDescription=str(n))
        ["ModelPackageGroupArn"])
    assert len([each for each in groups if each.startswith("arn:")]) == 1, groups

    def machine(number):
        definition = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": number,
                                                       "End": True}}}
        return states.create_state_machine(name="same", definition=json.dumps(definition),
                                           roleArn="arn:aws:iam::000000000000:role/andon-workflows")["stateMachineArn"]
    machines = at_once(8, machine)
    assert sorted(machines)[:7] == ["StateMachineAlreadyExists"] * 7 or \
        sorted(machines)[1:] == ["StateMachineAlreadyExists"] * 7, machines


def test_the_same_request_many_times_at_once_is_done_once(server):
    server.aws("iot").create_thing(thingName="edge-1")
    fleet = Fleet(server)
    fleet.component("andon.Twice", "1.0.0", LIFECYCLE)
    token = str(uuid.uuid4())
    answers = at_once(8, lambda _: fleet.deploy({"andon.Twice": "1.0.0"}, clientToken=token))
    assert len(set(answers)) == 1, answers
    assert len(fleet.greengrass.list_deployments(historyFilter="ALL")["deployments"]) == 1


# --- wills -------------------------------------------------------------------------------------

def killed_with_a_will(connection, topic):
    """A client that was let in, or not, and whose will the broker then has to publish."""
    client = subprocess.Popen(
        ["stdbuf", "-oL", "mosquitto_sub", *connection, "-t", "andon/broadcast/x", "-d",
         "--will-topic", topic, "--will-payload", "x" * 1000], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    while b"SUBACK" not in (line := next_line(client)) and line:
        pass
    client.send_signal(signal.SIGKILL)
    client.communicate(timeout=PATIENCE_S)


def test_a_will_may_not_say_what_the_device_may_not(server, tmp_path):
    device = server.device("line-1", tmp_path)
    own = "andon/things/line-1/results"
    with server.operator_mqtt().subscribe("andon/#", "$aws/things/#") as seen:
        for topic in ("andon/things/line-2/results", "$aws/things/line-2/jobs/get",
                      "andon/broadcast/stop"):
            killed_with_a_will(device.mqtt().connection, topic)
        killed_with_a_will(device.mqtt().connection, own)
        seen.wait_for(lambda topic, _: topic == own, "the will that it may say")
        assert {topic for topic, _ in seen.messages()} <= {own, "andon/broker/counters"}


def test_many_wills_are_no_more_than_a_thing_has_client_ids(server, tmp_path):
    device = server.device("line-1", tmp_path)
    topic = "andon/things/line-1/results"
    with server.operator_mqtt().subscribe(topic) as seen:
        clients = [subprocess.Popen(
            ["stdbuf", "-oL", "mosquitto_sub", *device.mqtt().options, "-i", f"line-1#{number}",
             "-t", "andon/broadcast/x", "-d", "--will-topic", topic, "--will-payload", "x"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for number in range(12)]
        for client in clients:
            while not any(word in (line := next_line(client))
                          for word in (b"SUBACK", b"refused", b"Not authorized")) and line:
                pass
        for client in clients:
            client.send_signal(signal.SIGKILL)
            client.communicate(timeout=PATIENCE_S)
        assert device.mqtt().publish(topic, "last")
        seen.wait_for(lambda _, payload: payload == "last", "the message after the wills")
        wills = [payload for _, payload in seen.messages() if payload == "x"]
        assert 1 <= len(wills) <= 8


# --- who is there ------------------------------------------------------------------------------

def test_nobody_says_of_another_that_it_is_gone(server, tmp_path):
    """A connection under a foreign client id is refused, and that is not the end of the other's."""
    victim, hostile = server.device("line-1", tmp_path), server.device("line-10", tmp_path)
    with server.operator_mqtt().subscribe("$aws/events/presence/#") as seen, \
            Subscription([*victim.mqtt().options, "-i", "line-1"], ["andon/broadcast/x"]):
        for _ in range(3):
            ended = subprocess.run(
                ["mosquitto_sub", *hostile.mqtt().options, "-i", "line-1", "-t", "x", "-E"],
                capture_output=True, timeout=PATIENCE_S, check=False)
            assert ended.returncode != 0
        own = Mqtt(server, hostile.certificate, hostile.key, client_id="line-10")
        assert own.publish("dt/x/line-10/y", "here")
        seen.wait_for(lambda topic, _: topic.endswith("disconnected/line-10"), "its own end")
        assert not [topic for topic, _ in seen.messages() if topic.endswith("disconnected/line-1")]

# --- IPv6 --------------------------------------------------------------------------------------

def test_a_fleet_lives_on_ipv6(tmp_path):
    with Server(tmp_path / "data", "--api-address", "::1", "--device-address", "::1", "--host",
                "::1") as server:
        assert server.info["api"].split("//")[1].startswith("[::1]:"), server.info
        fleet = Fleet(server)
        fleet.component("andon.Six", "1.0.0", LIFECYCLE, artifacts=[fleet.put_artifact("a", b"six")])
        with Agent(server, tmp_path / "edge") as agent:
            fleet.deploy_and_wait({"andon.Six": "1.0.0"})
            agent.wait_for("andon.Six", "1.0.0")


# --- secrets -----------------------------------------------------------------------------------

def test_no_secret_is_in_a_log(tmp_path):
    with Server(tmp_path / "data", "--log-level", "debug") as server:
        token = server.token("edge-1")
        fleet = Fleet(server)
        fleet.component("andon.Quiet", "1.0.0", LIFECYCLE,
                        artifacts=[fleet.put_artifact("a", b"quiet")])
        agent = Agent(server, tmp_path / "edge", environment={"ANDON_LOG_LEVEL": "debug",
                                                             "PATH": "/usr/bin:/bin"})
        agent.provision(token)
        agent.start()
        try:
            fleet.deploy_and_wait({"andon.Quiet": "1.0.0"})
            credentials = server.operator_key
        finally:
            agent.kill()
        said = server.log() + agent.log.read_text()
        secrets = [credentials["secretAccessKey"], read_token(token)["secret"], token, "PRIVATE KEY"]
        for secret in secrets:
            assert secret not in said
        assert "andon.Quiet" in said


class ServerOfNobody(Server):
    """Runs as an ordinary user, as in production."""
    user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]

    def command(self):
        return [*self.user, *super().command()]


def test_the_servers_memory_is_hidden_from_other_processes_of_its_user():
    """Nor does a crash leave it in a core: the same flag of the kernel says both."""
    with tempfile.TemporaryDirectory() as directory:
        os.chown(directory, 65534, 65534)
        with ServerOfNobody(Path(directory) / "data") as server:
            peek = subprocess.run([*server.user, "cat", f"/proc/{server.process.pid}/environ"],
                                  capture_output=True, text=True, check=False)
            assert "Permission denied" in peek.stderr
