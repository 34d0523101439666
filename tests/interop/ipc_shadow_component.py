# SPDX-License-Identifier: Apache-2.0
"""A Greengrass component as its author would write it, with the public AWS IoT Device SDK: it keeps
shadows on the device. Each step that works is a line in steps.txt of its working directory."""
import json
import os
import threading

from awsiot.greengrasscoreipc.clientv2 import GreengrassCoreIPCClientV2
from awsiot.greengrasscoreipc.model import (ConflictError, InvalidArgumentsError,
                                            ReportedLifecycleState, ResourceNotFoundError,
                                            UnauthorizedError)

thing = os.environ["AWS_IOT_THING_NAME"]
ipc = GreengrassCoreIPCClientV2()


def step(text):
    with open("steps.txt", "a") as file:
        file.write(text + "\n")


def update(state, name="line", **more):
    return json.loads(ipc.update_thing_shadow(
        thing_name=thing, shadow_name=name,
        payload=json.dumps({"state": state, **more}).encode()).payload)


def get(name="line"):
    return json.loads(ipc.get_thing_shadow(thing_name=thing, shadow_name=name).payload)


def refused(kind, call):
    try:
        call()
    except kind:
        return True
    return False


if os.path.exists("steps.txt"):  # another start: what was kept is there
    assert get()["state"]["desired"] == {"speed": 4}, get()
    step("kept")
    ipc.update_state(state=ReportedLifecycleState.RUNNING)
    threading.Event().wait()

delta = threading.Event()


def on_delta(event):
    if event.json_message.message["state"] == {"speed": 3}:
        delta.set()


ipc.subscribe_to_topic(topic=f"$aws/things/{thing}/shadow/name/line/update/delta",
                       on_stream_event=on_delta)
assert refused(ResourceNotFoundError, get)
step("none at first")
assert update({"desired": {"speed": 3}}, clientToken="one")["clientToken"] == "one"
assert delta.wait(20), "no delta came"
step("told of the difference")
assert update({"reported": {"speed": 3}})["version"] == 2
assert "delta" not in get()["state"] and get()["version"] == 2
assert refused(ConflictError, lambda: update({"desired": {"speed": 9}}, version=1))
assert refused(InvalidArgumentsError, lambda: update({"wished": {}}))
assert refused(UnauthorizedError, lambda: update({}, name="forbidden"))
step("refused what cannot be")
update({"desired": {"x": 1}}, name="other")
listed = ipc.list_named_shadows_for_thing(thing_name=thing)
assert listed.results == ["line", "other"] and listed.timestamp, listed
page = ipc.list_named_shadows_for_thing(thing_name=thing, page_size=1)
assert page.results == ["line"]
rest = ipc.list_named_shadows_for_thing(thing_name=thing, page_size=1,
                                        next_token=page.next_token)
assert rest.results == ["other"] and rest.next_token is None, rest
step("listed")
assert json.loads(ipc.delete_thing_shadow(thing_name=thing,
                                          shadow_name="other").payload)["version"] == 1
assert refused(ResourceNotFoundError, lambda: get("other"))
assert refused(ResourceNotFoundError,
               lambda: ipc.delete_thing_shadow(thing_name=thing, shadow_name="other"))
update({"desired": {"speed": 4}})
step("deleted")
ipc.update_state(state=ReportedLifecycleState.RUNNING)
threading.Event().wait()
