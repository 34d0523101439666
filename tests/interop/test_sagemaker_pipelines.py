# SPDX-License-Identifier: Apache-2.0
"""SageMaker pipelines by its public client: made, started, looked at, stopped, tried again, on a
real server whose jobs are local commands."""
import json

import botocore.exceptions
import pytest

from aws_client import error_answer
from harness import Server, checked, wait_until
from sagemaker_shapes import (PATIENCE_S, ROLE, arguments, create_pipeline, get, make_role,
                              pipeline_definition, processing, put_scripts, start_pipeline,
                              steps_of, wait_for_pipeline, write_images)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    directory = tmp_path_factory.mktemp("server")
    with Server(directory / "data", "--job-images", write_images(directory)) as running:
        make_role(running)
        put_scripts(running)
        yield running


@pytest.fixture
def client(server):
    return checked(server.aws("sagemaker"))


def waits(name="Wait"):
    """A step that runs until it is stopped."""
    return {"Name": name, "Type": "Processing", "Arguments": {**arguments(processing("-")), "AppSpecification": {
        "ImageUri": "local/process:1", "ContainerEntrypoint": ["sleep", "600"]}}}


def runs(name, *words, **more):
    return {"Name": name, "Type": "Processing", "Arguments": {**arguments(processing("-")), "AppSpecification": {
        "ImageUri": "local/process:1", "ContainerEntrypoint": list(words)}}, **more}


def of(*steps, **more):
    return {"Version": "2020-12-01", "Steps": list(steps), **more}


def test_a_pipeline_of_jobs_and_a_condition_ends_in_an_approved_package(server, client, fresh):
    name, group = fresh("good"), fresh("group")
    arn = create_pipeline(client, name, pipeline_definition(group), PipelineDescription="finds tags",
                          Tags=[{"Key": "line", "Value": "3"}])
    assert arn.endswith(f":pipeline/{name}")
    execution = start_pipeline(client, name, Score=0.8)
    told = wait_for_pipeline(client, execution)
    assert told["PipelineExecutionStatus"] == "Succeeded", (told, steps_of(client, execution))
    steps = steps_of(client, execution)
    assert list(steps) == ["Prepare", "Train", "Score", "IsGood", "Register"]
    assert all(step["StepStatus"] == "Succeeded" for step in steps.values())
    assert steps["IsGood"]["Metadata"]["Condition"]["Outcome"] == "True"
    job = steps["Train"]["Metadata"]["TrainingJob"]["Arn"].rsplit("/", 1)[1]
    metrics = client.describe_training_job(TrainingJobName=job)["FinalMetricDataList"]
    assert metrics[0]["MetricName"] == "map" and abs(metrics[0]["Value"] - 0.8) < 1e-6
    package = server.aws("sagemaker").describe_model_package(
        ModelPackageName=steps["Register"]["Metadata"]["RegisterModel"]["Arn"])
    assert package["ModelApprovalStatus"] == "Approved"
    assert package["ModelPackageGroupName"] == group and package["ModelPackageVersion"] == 1
    assert package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"].endswith(
        f"{job}/output/model.tar.gz")
    statistics = package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    assert statistics.startswith("s3://plant/runs/") and statistics.endswith("/evaluation.json")

    parameters = client.get_paginator("list_pipeline_parameters_for_execution").paginate(
        PipelineExecutionArn=execution, PaginationConfig={"PageSize": 1})
    assert {one["Name"]: float(one["Value"]) for page in parameters
            for one in page["PipelineParameters"]} == {"Score": 0.8, "Least": 0.6}
    defined = client.describe_pipeline_definition_for_execution(PipelineExecutionArn=execution)
    assert json.loads(defined["PipelineDefinition"]) == pipeline_definition(group)
    # It is a state machine's execution, too, with its graph.
    region = server.operator_key["region"]
    states = server.aws("stepfunctions").describe_execution(
        executionArn=f"arn:aws:states:{region}:000000000000:execution:sagemaker-{name}:"
                     + execution.rsplit("/", 1)[1])
    assert states["status"] == "SUCCEEDED"


def test_a_condition_that_does_not_hold_goes_the_other_way(client, fresh):
    name, group = fresh("weak"), fresh("group")
    create_pipeline(client, name, pipeline_definition(group))
    execution = start_pipeline(client, name, Score=0.3)
    told = wait_for_pipeline(client, execution)
    assert told["PipelineExecutionStatus"] == "Failed"
    assert "TooWeak: mAP is below 0.6" in told["FailureReason"], told
    steps = steps_of(client, execution)
    assert steps["IsGood"]["Metadata"]["Condition"]["Outcome"] == "False"
    assert steps["TooWeak"]["StepStatus"] == "Failed" and "Register" not in steps
    assert steps["TooWeak"]["Metadata"]["Fail"]["ErrorMessage"] == "mAP is below 0.6"
    error = error_answer(client.describe_model_package_group, ModelPackageGroupName=group)
    assert error["Code"] == "ValidationException"
    summary = client.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"][0]
    assert summary["PipelineExecutionStatus"] == "Failed"
    assert "TooWeak" in summary["PipelineExecutionFailureReason"]


def test_a_failing_job_is_the_reason_and_a_retry_goes_on_from_there(server, client, fresh):
    name = fresh("fails")
    first = f"s3://plant/{name}/first"
    # Fails until somebody has put an object there.
    script = (b"import os, sys\n"
              b"files = os.listdir('/opt/ml/processing/input/state')\n"
              b"print('no label file'); sys.exit(0 if 'good' in files else 7)\n")
    s3 = server.aws("s3")
    s3.put_object(Bucket="plant", Key=f"{name}/first/there", Body=b"x")
    s3.put_object(Bucket="plant", Key=f"{name}/check.py", Body=script)
    check = {"Name": "Check", "Type": "Processing", "DependsOn": ["Before"], "Arguments": arguments(
        processing("-", f"s3://plant/{name}/check.py", inputs=[{
            "InputName": "state", "S3Input": {
                "S3Uri": first, "LocalPath": "/opt/ml/processing/input/state",
                "S3DataType": "S3Prefix", "S3InputMode": "File"}}]))}
    create_pipeline(client, name, of(runs("Before", "true"), check))
    execution = start_pipeline(client, name)
    told = wait_for_pipeline(client, execution)
    assert told["PipelineExecutionStatus"] == "Failed"
    assert "Check: AlgorithmError: no label file, exit code: 7" in told["FailureReason"]
    steps = steps_of(client, execution)
    assert steps["Check"]["FailureReason"] == "AlgorithmError: no label file, exit code: 7"
    before = steps["Before"]["Metadata"]["ProcessingJob"]["Arn"]
    s3.put_object(Bucket="plant", Key=f"{name}/first/good", Body=b"x")
    client.retry_pipeline_execution(PipelineExecutionArn=execution, ClientRequestToken="r" * 32)
    told = wait_for_pipeline(client, execution)
    assert told["PipelineExecutionStatus"] == "Succeeded", told
    steps = steps_of(client, execution)
    assert steps["Before"]["Metadata"]["ProcessingJob"]["Arn"] == before
    assert steps["Check"]["AttemptCount"] == 2
    error = error_answer(client.retry_pipeline_execution, PipelineExecutionArn=execution,
                    ClientRequestToken="s" * 32)
    assert error["Code"] == "ConflictException"


def test_an_execution_that_is_stopped_stops_its_job(client, fresh):
    name = fresh("stop")
    create_pipeline(client, name, of(waits(), runs("After", "true", DependsOn=["Wait"])))
    execution = start_pipeline(client, name)

    def job():
        step = steps_of(client, execution).get("Wait", {})
        return step.get("Metadata", {}).get("ProcessingJob", {}).get("Arn")
    job_name = wait_until(job, "the step's job", PATIENCE_S).rsplit("/", 1)[1]
    error = error_answer(client.delete_pipeline, PipelineName=name, ClientRequestToken="d" * 32)
    assert error["Code"] == "ConflictException"
    client.stop_pipeline_execution(PipelineExecutionArn=execution, ClientRequestToken="t" * 32)
    told = wait_for_pipeline(client, execution)
    assert told["PipelineExecutionStatus"] == "Stopped", told
    assert steps_of(client, execution)["Wait"]["StepStatus"] == "Stopped"
    assert "After" not in steps_of(client, execution)
    assert client.describe_processing_job(
        ProcessingJobName=job_name)["ProcessingJobStatus"] == "Stopped"
    client.delete_pipeline(PipelineName=name, ClientRequestToken="d" * 32)
    assert error_answer(client.describe_pipeline, PipelineName=name)["Code"] == "ResourceNotFound"


def test_an_unmapped_image_fails_its_step_by_name(client, fresh):
    name = fresh("unmapped")
    create_pipeline(client, name, pipeline_definition(fresh("group"), image="nobody/knows:1"))
    execution = start_pipeline(client, name)
    told = wait_for_pipeline(client, execution)
    assert told["PipelineExecutionStatus"] == "Failed"
    reason = steps_of(client, execution)["Train"]["FailureReason"]
    assert "nobody/knows:1" in reason and "images.yaml" in reason
    assert "nobody/knows:1" in told["FailureReason"]


def test_steps_that_need_nothing_of_each_other_run_side_by_side(client, fresh):
    name = fresh("wide")
    # Neither ends by itself.
    create_pipeline(client, name, of(waits("A"), waits("B")))
    execution = start_pipeline(client, name)
    wait_until(lambda: set(steps_of(client, execution)) == {"A", "B"}, "both steps", PATIENCE_S)
    client.stop_pipeline_execution(PipelineExecutionArn=execution, ClientRequestToken="t" * 32)
    assert wait_for_pipeline(client, execution)["PipelineExecutionStatus"] == "Stopped"
    name = fresh("narrow")
    create_pipeline(client, name, of(waits("A"), waits("B")),
                    ParallelismConfiguration={"MaxParallelExecutionSteps": 1})
    told = client.describe_pipeline(PipelineName=name)
    assert told["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 1}
    execution = start_pipeline(client, name)
    wait_until(lambda: steps_of(client, execution).get("A", {}).get("Metadata"), "A", PATIENCE_S)
    client.stop_pipeline_execution(PipelineExecutionArn=execution, ClientRequestToken="t" * 32)
    assert wait_for_pipeline(client, execution)["PipelineExecutionStatus"] == "Stopped"
    assert set(steps_of(client, execution)) == {"A"}


def test_a_pipeline_is_updated_listed_and_started_once_a_token(server, client, fresh):
    prefix = fresh("listed")
    names = [f"{prefix}-{letter}" for letter in "abc"]
    for name in names:
        create_pipeline(client, name, of(runs("One", "true")))
    create_pipeline(client, names[0], of(runs("One", "true")))  # the same token and definition
    error = error_answer(client.create_pipeline, PipelineName=names[0], RoleArn=ROLE,
                    ClientRequestToken="o" * 32, PipelineDefinition=json.dumps(of(waits())))
    assert error["Code"] == "ValidationException"
    assert "Pipeline names must be unique within" in error["Message"]
    pages = client.get_paginator("list_pipelines").paginate(
        PipelineNamePrefix=prefix, SortBy="Name", SortOrder="Ascending",
        PaginationConfig={"PageSize": 2})
    assert [one["PipelineName"] for page in pages for one in page["PipelineSummaries"]] == names

    first = start_pipeline(client, names[0])
    assert start_pipeline(client, names[0]) == first
    second = start_pipeline(client, names[0], token="2")
    for execution in (first, second):
        assert wait_for_pipeline(client, execution)["PipelineExecutionStatus"] == "Succeeded"
    pages = client.get_paginator("list_pipeline_executions").paginate(
        PipelineName=names[0], SortOrder="Ascending", PaginationConfig={"PageSize": 1})
    assert [one["PipelineExecutionArn"] for page in pages
            for one in page["PipelineExecutionSummaries"]] == [first, second]

    server.aws("s3").put_object(Bucket="plant", Key="definition.json",
                                Body=json.dumps(of(runs("Other", "true"))).encode())
    client.update_pipeline(PipelineName=names[0], PipelineDisplayName="Other",
                           PipelineDefinitionS3Location={"Bucket": "plant",
                                                         "ObjectKey": "definition.json"})
    told = client.describe_pipeline(PipelineName=names[0])
    assert told["PipelineDisplayName"] == "Other" and "LastRunTime" in told
    execution = start_pipeline(client, names[0], token="3")
    wait_for_pipeline(client, execution)
    assert list(steps_of(client, execution)) == ["Other"]
    arn = told["PipelineArn"]
    client.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}])
    assert client.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]


def test_what_a_step_calls_is_called_as_the_pipelines_role(server, client, fresh):
    role = make_role(server, fresh("narrow"), ["sagemaker:*"])  # may not pass the job's role
    name = fresh("role")
    create_pipeline(client, name, of(runs("One", "true")), role=role)
    execution = start_pipeline(client, name)
    assert wait_for_pipeline(client, execution)["PipelineExecutionStatus"] == "Failed"
    assert "iam:PassRole" in steps_of(client, execution)["One"]["FailureReason"]


def test_who_may_not_pass_the_role_makes_no_pipeline(limited, fresh):
    client = limited("sagemaker", ["sagemaker:*"], "*")
    error = error_answer(client.create_pipeline, PipelineName=fresh("x"), RoleArn=ROLE,
                    ClientRequestToken="o" * 32, PipelineDefinition=json.dumps(of(waits())))
    assert error["Code"] == "AccessDeniedException"


def nested(depth):
    step = runs("Inner", "true")
    for level in range(depth):
        step = {"Name": f"C{level}", "Type": "Condition", "Arguments": {
            "Conditions": [{"Type": "Equals", "LeftValue": 1, "RightValue": 1}],
            "IfSteps": [step], "ElseSteps": []}}
    return of(step)


@pytest.mark.parametrize("definition,word", [
    ("{", "PipelineDefinition"),
    (of(), "Steps"),
    ({**of(waits()), "Version": "2019-01-01"}, "Version"),
    (of({"Name": "T", "Type": "Tuning", "Arguments": {}}), "Tuning"),
    (of({"Name": "M", "Type": "Model", "Arguments": {}}), "Model"),
    (of(waits("A b")), "Name"),
    (of(waits("A"), waits("A")), "twice"),
    (of(runs("A", "true", DependsOn=["B"]), runs("B", "true", DependsOn=["A"])), "waits for itself"),
    (of(runs("A", "true", DependsOn=["Nobody"])), "Nobody"),
    (of(runs("A", get("Parameters.Missing"))), "Missing"),
    (of(runs("A", get("Steps.B.ProcessingJobName"))), "'B'"),
    (of(runs("A", get("Nonsense"))), "Nonsense"),
    (of(runs("A", {"Std:Join": {"On": "/"}})), "Values"),
    (of({"Name": "C", "Type": "Condition", "Arguments": {"Conditions": [
        {"Type": "Wish", "LeftValue": 1, "RightValue": 2}]}}), "Wish"),
    (of(*[waits(f"S{n}") for n in range(51)]), "50 steps"),
    (nested(12), "8 conditions"),
    (of(runs("A", "true", RetryPolicies=[{"ExceptionType": ["Whatever"], "MaxAttempts": 2}])),
     "ExceptionType"),
    (of(runs("A", "true", Unknown=1)), "Unknown"),
])
def test_a_wrong_definition_is_refused_with_its_place(client, fresh, definition, word):
    text = definition if isinstance(definition, str) else json.dumps(definition)
    error = error_answer(client.create_pipeline, PipelineName=fresh("bad"), RoleArn=ROLE,
                    ClientRequestToken="o" * 32, PipelineDefinition=text)
    assert error["Code"] == "ValidationException" and word in error["Message"], error


def test_wrong_parameters_are_refused(client, fresh):
    name = fresh("parameters")
    create_pipeline(client, name, of(runs("One", "true"), Parameters=[
        {"Name": "N", "Type": "Integer"},
        {"Name": "Word", "Type": "String", "DefaultValue": "a", "EnumValues": ["a", "b"]}]))
    for given, word in [({}, "'N'"), ({"N": "x"}, "type"), ({"N": 1, "Other": 2}, "Other"),
                        ({"N": 1, "Word": "c"}, "one of")]:
        with pytest.raises(botocore.exceptions.ClientError) as raised:
            start_pipeline(client, name, token=word, **given)
        error = raised.value.response["Error"]
        assert error["Code"] == "ValidationException" and word in error["Message"], error
    assert error_answer(client.start_pipeline_execution, PipelineName="nobody",
                   ClientRequestToken="o" * 32)["Code"] == "ResourceNotFound"


def test_the_state_machine_of_a_pipeline_is_no_way_around_it(server, client, fresh):
    name = fresh("around")
    create_pipeline(client, name, of(runs("One", "true")))
    region = server.operator_key["region"]
    states = server.aws("stepfunctions")
    machine = f"arn:aws:states:{region}:000000000000:stateMachine:sagemaker-{name}"
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]
    told = wait_until(lambda: (d := states.describe_execution(executionArn=execution))["status"]
                      != "RUNNING" and d, "its end", PATIENCE_S)
    assert told["status"] == "FAILED" and told["error"] == "Pipeline.NotAnExecution"
