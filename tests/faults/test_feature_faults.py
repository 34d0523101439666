# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the server while records are put: what was acknowledged is there afterwards, online and
offline, and each row is in the bucket once."""
import collections
import json
import threading

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from harness import Server, wait_until

TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"},
     "Action": "sts:AssumeRole"}]}
WRITERS = 4
KILLS = 3


class Writer(threading.Thread):
    """Puts records of one identifier with rising event times until it is stopped."""

    def __init__(self, running, number):
        super().__init__()
        self.running = running
        self.part = f"part-{number}"
        self.acknowledged = []
        self.is_over = False

    def run(self):
        runtime = self.running.aws("sagemaker-featurestore-runtime")
        for at in range(1, 1_000_000):
            if self.is_over:
                return
            try:
                runtime.put_record(FeatureGroupName="parts", Record=[
                    {"FeatureName": "part", "ValueAsString": self.part},
                    {"FeatureName": "at", "ValueAsString": str(at)}])
                self.acknowledged.append(at)
            except (BotoCoreError, ClientError):
                # Dead: the test goes on with a client of the next one.
                if self.is_over:
                    return
                wait_until(lambda: self.is_over or self._is_back(), "the server")
                runtime = self.running.aws("sagemaker-featurestore-runtime")

    def _is_back(self):
        try:
            return self.running.get("/readyz")[0] == 200
        except OSError:
            return False


@pytest.fixture
def store(tmp_path):
    with Server(tmp_path / "data", "--feature-export", "1") as running:
        running.aws("s3").create_bucket(Bucket="lake")
        iam = running.aws("iam")
        iam.create_role(RoleName="features", AssumeRolePolicyDocument=json.dumps(TRUST))
        iam.put_role_policy(RoleName="features", PolicyName="own", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::lake/*"}]}))
        sagemaker = running.aws("sagemaker")
        sagemaker.create_feature_group(
            FeatureGroupName="parts", RecordIdentifierFeatureName="part", EventTimeFeatureName="at",
            FeatureDefinitions=[{"FeatureName": "part", "FeatureType": "String"},
                                {"FeatureName": "at", "FeatureType": "Fractional"}],
            OnlineStoreConfig={"EnableOnlineStore": True},
            OfflineStoreConfig={"S3StorageConfig": {"S3Uri": "s3://lake/features"}},
            RoleArn="arn:aws:iam::000000000000:role/features")
        wait_until(lambda: sagemaker.describe_feature_group(FeatureGroupName="parts")[
            "FeatureGroupStatus"] == "Created", "the feature group")
        yield running


def exported(running):
    s3 = running.aws("s3")
    keys = [one["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket="lake")
            for one in page.get("Contents", [])]
    return [json.loads(line) for key in keys
            for line in s3.get_object(Bucket="lake", Key=key)["Body"].read().splitlines()]


def test_no_acknowledged_record_is_lost_when_the_server_is_killed(store):
    writers = [Writer(store, number) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(KILLS):
            enough = [len(writer.acknowledged) + 20 for writer in writers]
            wait_until(lambda n=enough: all(len(w.acknowledged) >= least
                                            for w, least in zip(writers, n)), "records")
            store.kill()
            store.start()
    finally:
        for writer in writers:
            writer.is_over = True
        for writer in writers:
            writer.join()
    runtime = store.aws("sagemaker-featurestore-runtime")
    for writer in writers:
        answer = runtime.get_record(FeatureGroupName="parts",
                                    RecordIdentifierValueAsString=writer.part)["Record"]
        at = float({one["FeatureName"]: one["ValueAsString"] for one in answer}["at"])
        assert at >= writer.acknowledged[-1]
    acknowledged = {(writer.part, float(at)) for writer in writers for at in writer.acknowledged}
    wait_until(lambda: acknowledged <= {(one["part"], one["at"]) for one in exported(store)},
               "the acknowledged rows in the bucket")
    counts = collections.Counter((one["part"], one["at"]) for one in exported(store))
    assert [row for row, count in counts.items() if count > 1] == []
