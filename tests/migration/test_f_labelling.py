# SPDX-License-Identifier: Apache-2.0
"""The machine that hands pictures to people goes as far as to the place where people label."""
import json

import pytest


def test_it_ends_saying_that_nobody_labels_here(line):
    line.aws("s3").put_object(Bucket=line.bucket, Key="pictures/of-a-month.jpg", Body=b"jpeg")
    execution = line.start(line.outputs["LabelArn"], why="By hand")
    told = line.outcome(execution)
    assert (told["status"], told["error"]) == ("FAILED", "NobodyLabels"), told
    assert "labeling jobs cannot be made on this server" in told["cause"]
    assert line.path(execution) == ["Labels", "IsThereWork", "DescribeJob", "NobodyLabels"]
    manifest = line.aws("s3").get_object(Bucket=line.bucket, Key="labels/by-hand.manifest")
    assert {"source-ref": f"s3://{line.bucket}/pictures/of-a-month.jpg"} in [
        json.loads(row) for row in manifest["Body"].read().splitlines()]


def test_scripts_are_told_so_and_what_makes_a_job_is_refused_by_name(line):
    client = line.aws("sagemaker")
    assert client.list_labeling_jobs()["LabelingJobSummaryList"] == []
    with pytest.raises(client.exceptions.ClientError) as refused:
        client.describe_labeling_job(LabelingJobName="by-hand")
    assert refused.value.response["Error"]["Code"] == "ResourceNotFound"
    with pytest.raises(client.exceptions.ClientError) as refused:
        client.create_labeling_job(
            LabelingJobName="by-hand", LabelAttributeName="scratch",
            InputConfig={"DataSource": {"S3DataSource": {"ManifestS3Uri": f"s3://{line.bucket}/m"}}},
            OutputConfig={"S3OutputPath": f"s3://{line.bucket}/labels"},
            RoleArn="arn:aws:iam::000000000000:role/line",
            HumanTaskConfig={
                "WorkteamArn": "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/line",
                "UiConfig": {}, "TaskTitle": "t", "TaskDescription": "d",
                "NumberOfHumanWorkersPerDataObject": 1, "TaskTimeLimitInSeconds": 60})
    assert refused.value.response["Error"]["Code"] == "UnknownOperationException"
    assert "CreateLabelingJob" in str(refused.value)
