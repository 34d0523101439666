# SPDX-License-Identifier: Apache-2.0
"""Takes down what was made beside the stacks: list, detach, delete, in the order in which things need
each other. PREFIX is the name that all things begin with. Region, endpoint and keys are the environment's."""
import sys

import boto3

prefix = sys.argv[1]
greengrass, iot = boto3.client("greengrassv2"), boto3.client("iot")
s3, sagemaker, states = boto3.client("s3"), boto3.client("sagemaker"), boto3.client("stepfunctions")


def each(client, operation, member, **request):
    for page in client.get_paginator(operation).paginate(**request):
        yield from page[member]


for machine in list(each(states, "list_state_machines", "stateMachines")):
    if machine["name"].startswith(prefix):
        for execution in each(states, "list_executions", "executions",
                              stateMachineArn=machine["stateMachineArn"], statusFilter="RUNNING"):
            states.stop_execution(executionArn=execution["executionArn"])

for deployment in list(each(greengrass, "list_deployments", "deployments", historyFilter="ALL")):
    if deployment["deploymentStatus"] == "ACTIVE":
        greengrass.cancel_deployment(deploymentId=deployment["deploymentId"])
    greengrass.delete_deployment(deploymentId=deployment["deploymentId"])
for core in list(each(greengrass, "list_core_devices", "coreDevices")):
    greengrass.delete_core_device(coreDeviceThingName=core["coreDeviceThingName"])
for component in list(each(greengrass, "list_components", "components")):
    for version in list(each(greengrass, "list_component_versions", "componentVersions",
                             arn=component["arn"])):
        greengrass.delete_component(arn=version["arn"])

for thing in list(each(iot, "list_things", "things")):
    name = thing["thingName"]
    if not name.startswith(prefix):
        continue
    for principal in iot.list_thing_principals(thingName=name)["principals"]:
        for policy in iot.list_attached_policies(target=principal)["policies"]:
            iot.detach_policy(policyName=policy["policyName"], target=principal)
        iot.detach_thing_principal(thingName=name, principal=principal)
        certificate = principal.rsplit("/", 1)[1]
        iot.update_certificate(certificateId=certificate, newStatus="INACTIVE")
        iot.delete_certificate(certificateId=certificate, forceDelete=True)
    iot.delete_thing(thingName=name)
for policy in list(each(iot, "list_policies", "policies")):
    if policy["policyName"] == f"{prefix}-consumer":
        for target in iot.list_targets_for_policy(policyName=policy["policyName"])["targets"]:
            iot.detach_policy(policyName=policy["policyName"], target=target)
            certificate = target.rsplit("/", 1)[1]
            iot.update_certificate(certificateId=certificate, newStatus="REVOKED")
            iot.delete_certificate(certificateId=certificate)
        iot.delete_policy(policyName=policy["policyName"])

for package in list(each(sagemaker, "list_model_packages", "ModelPackageSummaryList",
                         ModelPackageGroupName=f"{prefix}-models")):
    sagemaker.delete_model_package(ModelPackageName=package["ModelPackageArn"])
for pipeline in sagemaker.list_pipelines()["PipelineSummaries"]:
    sagemaker.delete_pipeline(PipelineName=pipeline["PipelineName"])

for bucket in s3.list_buckets()["Buckets"]:
    if not bucket["Name"].startswith((f"{prefix}-", "sagemaker-")):
        continue
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"]):
        keys = [{"Key": one["Key"]} for one in page.get("Contents", [])]
        if keys:
            s3.delete_objects(Bucket=bucket["Name"], Delete={"Objects": keys})
    s3.delete_bucket(Bucket=bucket["Name"])
