# SPDX-License-Identifier: Apache-2.0
"""What scripts and the stacks' removal leave behind: nothing."""
import subprocess
import sys

import pytest
from migrated_line import CAMERA, LINE


def test_the_clean_up_script_takes_down_what_was_made_beside_the_stacks(line, camera):
    camera.kill()
    ended = subprocess.run([sys.executable, LINE / "scripts" / "clean_up.py", "line"],
                           env=line.environment, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr
    greengrass, iot = line.aws("greengrassv2"), line.aws("iot")
    assert greengrass.list_deployments(historyFilter="ALL")["deployments"] == []
    assert greengrass.list_core_devices()["coreDevices"] == []
    assert greengrass.list_components()["components"] == []
    assert CAMERA not in [one["thingName"] for one in iot.list_things()["things"]]
    buckets = [one["Name"] for one in line.aws("s3").list_buckets()["Buckets"]]
    assert not [name for name in buckets if name.startswith(("line-", "sagemaker-"))], buckets
    assert line.aws("sagemaker").list_model_packages(ModelPackageGroupName="line-models")[
        "ModelPackageSummaryList"] == []


@pytest.mark.parametrize("stack", ["LinePipelines", "LineWorkflows", "LineDevice", "LineData"])
def test_a_stack_is_removed_with_all_that_it_made(line, stack):
    client = line.aws("cloudformation")
    client.delete_stack(StackName=stack)
    client.get_waiter("stack_delete_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 120})


def test_nothing_of_the_stacks_is_left(line):
    assert line.aws("lambda").list_functions()["Functions"] == []
    assert [one["name"] for one in line.aws("stepfunctions").list_state_machines()["stateMachines"]
            if one["name"].startswith(("line", "pipeline-", "build-"))] == []
    assert line.aws("iot").list_role_aliases()["roleAliases"] == []
    assert line.aws("events").list_rules(NamePrefix="line")["Rules"] == []
    assert line.aws("sagemaker").list_feature_groups()["FeatureGroupSummaries"] == []
    roles = [one["RoleName"] for one in line.aws("iam").list_roles()["Roles"]]
    assert not [name for name in roles if name.startswith("Line")], roles
    assert [one["Name"] for one in line.aws("s3").list_buckets()["Buckets"]
            if one["Name"].startswith("linedata")] == []
