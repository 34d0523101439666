# SPDX-License-Identifier: Apache-2.0
"""The machine that hands pictures to people goes as far as to the place where people label."""
import json



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
