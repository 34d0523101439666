# SPDX-License-Identifier: Apache-2.0
"""A Greengrass component as its author would write it, with the public AWS IoT Device SDK: it has
a say in deployments, and deploys by itself. Each step that works is a line in steps.txt of its
working directory."""
import os
import sys
import threading

from awsiot.greengrasscoreipc.clientv2 import GreengrassCoreIPCClientV2
from awsiot.greengrasscoreipc.model import (ConfigurationValidityReport,
                                            ConfigurationValidityStatus, InvalidArgumentsError,
                                            Metric, MetricUnitType, ReportedLifecycleState,
                                            ResourceNotFoundError, ServiceError,
                                            UnauthorizedError)

NAME = "com.example.Say"
ipc = GreengrassCoreIPCClientV2()


def step(text):
    with open("steps.txt", "a") as file:
        file.write(text + "\n")


def on_validate(event):
    asked = event.validate_configuration_update_event
    good = asked.configuration["limit"] <= 10
    step(f"asked for limit {asked.configuration['limit']}")
    ipc.send_configuration_validity_report(
        configuration_validity_report=ConfigurationValidityReport(
            status=ConfigurationValidityStatus.ACCEPTED if good
            else ConfigurationValidityStatus.REJECTED,
            deployment_id=asked.deployment_id, message=None if good else "the limit is 10"))


deferred = []


def on_update(event):
    if event.post_update_event:
        return step("updated")
    update = event.pre_update_event
    first = update.deployment_id not in deferred
    deferred.append(update.deployment_id)
    step("deferred" if first else "agreed")
    ipc.defer_component_update(deployment_id=update.deployment_id,
                               recheck_after_ms=300 if first else 0, message="the line runs")


ipc.subscribe_to_validate_configuration_updates(on_stream_event=on_validate)
ipc.subscribe_to_component_updates(on_stream_event=on_update)
try:
    ipc.defer_component_update(deployment_id="none", recheck_after_ms=0)
    sys.exit("an update that is none was deferred")
except InvalidArgumentsError:
    step("nothing to defer")

ipc.put_component_metric(metrics=[Metric(name="speed", unit=MetricUnitType.COUNT, value=3)])
names = [c.component_name for c in ipc.list_components().components]
assert NAME in names, names
assert ipc.get_component_details(component_name=NAME).component_details.version == "1.0.0"
step("listed")
try:
    ipc.create_debug_password()
    sys.exit("a password for nothing was made")
except (ServiceError, UnauthorizedError):
    step("no debug console")

here = os.environ["LOCAL_COMPONENTS"]
made = ipc.create_local_deployment(
    recipe_directory_path=here + "/recipes", artifacts_directory_path=here + "/artifacts",
    root_component_versions_to_add={"com.example.Helper": "1.0.0"})
step("deployment created")
ipc.update_state(state=ReportedLifecycleState.RUNNING)


def status():
    deployment = ipc.get_local_deployment_status(deployment_id=made.deployment_id).deployment
    assert deployment.created_on, deployment
    return deployment.status


ended = threading.Event()
while status() in ("QUEUED", "IN_PROGRESS"):
    ended.wait(0.2)
step("helper " + status())
assert made.deployment_id in [
    d.deployment_id for d in ipc.list_local_deployments().local_deployments]
try:
    ipc.get_local_deployment_status(deployment_id="nobody")
    sys.exit("a deployment that is none was found")
except ResourceNotFoundError:
    step("unknown deployment")
ipc.pause_component(component_name="com.example.Helper")
step("paused")
ipc.resume_component(component_name="com.example.Helper")
try:
    ipc.pause_component(component_name=NAME)
    sys.exit("a component without a policy for it was paused")
except UnauthorizedError:
    step("resumed")
assert ipc.restart_component(component_name="com.example.Helper").restart_status == "SUCCEEDED"
assert ipc.stop_component(component_name="com.example.Helper").stop_status == "SUCCEEDED"
step("stopped")
threading.Event().wait()
