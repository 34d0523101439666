# SPDX-License-Identifier: Apache-2.0
"""Training by SageMaker's own Python SDK: a pipeline of a processing, a training and a measuring job, a
condition and a registration; the package that comes of it ships itself. Labels are in the feature
store, and are read out of it by Athena."""
import json
import os
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
from harness import ROOT, wait_until
from migrated_line import EXAMPLE, LIMIT_S, LINE, MODEL

# An environment of its own, as it is large: `./dev test-migration` makes it (requirements.txt).
SDK = Path(os.environ.get("ANDON_MIGRATION_VENV", ROOT / "build" / "migration-venv")) / "bin" / "python"


@pytest.fixture(name="elsewhere")
def fixture_elsewhere():
    """A proxy for every host but this machine: (its environment, who knocked)."""
    knocked = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        def count():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(5)
                    knocked.append(connection.recv(200))
        threading.Thread(target=count, daemon=True).start()
        proxy = f"http://127.0.0.1:{server.getsockname()[1]}"
        yield {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy, "NO_PROXY": "127.0.0.1,localhost"}, knocked
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module", name="labels")
def fixture_labels(line):
    """Labels of the feature store, verified ones and others."""
    client = line.aws("sagemaker-featurestore-runtime")
    for number in range(8):
        client.put_record(FeatureGroupName="line-labels", Record=[
            {"FeatureName": "source_ref", "ValueAsString": f"s3://{line.bucket}/pictures/{number}.jpg"},
            {"FeatureName": "event_time", "ValueAsString": str(time.time())},
            {"FeatureName": "annotations", "ValueAsString": f"scratch-{number}"},
            {"FeatureName": "verified", "ValueAsString": str(number % 2)}])
    return 8


def rows(line, sql):
    """As scripts ask Athena: start, poll, read."""
    athena = line.aws("athena")
    glue = line.aws("sagemaker").describe_feature_group(
        FeatureGroupName="line-labels")["OfflineStoreConfig"]["DataCatalogConfig"]
    query = athena.start_query_execution(
        QueryString=sql.format(table=f'"{glue["Database"]}"."{glue["TableName"]}"'),
        ResultConfiguration={"OutputLocation": f"s3://{line.bucket}/athena/"})["QueryExecutionId"]
    told = wait_until(lambda: (one := athena.get_query_execution(QueryExecutionId=query)[
        "QueryExecution"])["Status"]["State"] not in ("QUEUED", "RUNNING") and one, "the query")
    assert told["Status"]["State"] == "SUCCEEDED", told
    found = athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
    return told["ResultConfiguration"]["OutputLocation"], [
        [cell.get("VarCharValue") for cell in row["Data"]] for row in found[1:]]


def test_labels_of_the_feature_store_are_read_by_athena(line, labels):
    select = "SELECT source_ref, annotations, verified FROM {table} WHERE verified = 1"
    wait_until(lambda: len(rows(line, select)[1]) == labels // 2, "the labels in the offline store")
    _, found = rows(line, select)
    assert {row[1] for row in found} == {"scratch-1", "scratch-3", "scratch-5", "scratch-7"}


def test_the_sdk_trains_and_registers_and_the_rest_follows(line, camera, labels, elsewhere, tmp_path):
    if not SDK.exists():
        pytest.skip(f"no SageMaker SDK at {SDK}")
    place, _ = rows(line, "SELECT source_ref, annotations, verified FROM {table}")
    source = place.removeprefix(f"s3://{line.bucket}/")
    s3 = line.aws("s3")
    s3.copy_object(Bucket=line.bucket, Key="labels/now/labels.csv",
                   CopySource={"Bucket": line.bucket, "Key": source})
    s3.put_object(Bucket=line.bucket, Key="models/base/model.onnx",
                  Body=(EXAMPLE / "model" / "model.onnx").read_bytes())
    before = set(line.executions())
    ended = subprocess.run(
        [str(SDK), "pipeline.py", line.outputs["TrainerArn"], "line-models",
         f"s3://{line.bucket}/models/base", f"s3://{line.bucket}/labels/now"],
        cwd=LINE / "training", capture_output=True, text=True, timeout=300, check=False,
        env={**line.environment, **elsewhere[0], "TMPDIR": str(tmp_path)})
    assert ended.returncode == 0, (ended.stdout, ended.stderr)
    assert elsewhere[1] == [], "the SDK asked another host"
    said = json.loads(ended.stdout.splitlines()[-1])
    assert said["bucket"] == "sagemaker-us-east-1-000000000000"
    sagemaker = line.aws("sagemaker")
    told = wait_until(
        lambda: (one := sagemaker.describe_pipeline_execution(PipelineExecutionArn=said["execution"]))[
            "PipelineExecutionStatus"] not in ("Executing", "Stopping") and one, "the training", LIMIT_S)
    steps = {one["StepName"]: one for one in sagemaker.list_pipeline_execution_steps(
        PipelineExecutionArn=said["execution"])["PipelineExecutionSteps"]}
    assert told["PipelineExecutionStatus"] == "Succeeded", (told, steps)
    package = steps["Register-RegisterModel"]["Metadata"]["RegisterModel"]["Arn"]
    assert sagemaker.describe_model_package(ModelPackageName=package)[
        "ModelApprovalStatus"] == "Approved"
    [execution] = wait_until(lambda: set(line.executions()) - before, "what follows from the approval")
    shipped = line.outcome(execution)
    assert shipped["status"] == "SUCCEEDED", shipped
    assert json.loads(shipped["output"])["Model"]["Arn"] == package
    assert camera.components()[MODEL][0] == json.loads(shipped["output"])["Next"]["Version"]
