#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long GetParameter, GetSecretValue and PutParameter take through the API: signed requests, one
after the other, over one connection of loopback. Signing is not in the figures. Prints the median and
99th percentile in milliseconds; asserts nothing.

    ANDON_BIN=build/release/bin python bench/control/parameters.py [--parameters 1000] [--calls 2000]
"""
import argparse
import http.client
import json
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from harness import Server  # noqa: E402

TARGETS = {"ssm": "AmazonSSM", "secretsmanager": "secretsmanager"}


class Caller:
    def __init__(self, server):
        key = server.operator_key
        self.api = server.info["api"]
        self.credentials = Credentials(key["accessKeyId"], key["secretAccessKey"])
        self.connection = http.client.HTTPConnection(urlsplit(self.api).netloc, timeout=30)

    def call(self, service, operation, members):
        """The seconds until the answer was there."""
        request = AWSRequest("POST", self.api + "/", data=json.dumps(members), headers={
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"{TARGETS[service]}.{operation}"})
        SigV4Auth(self.credentials, service, "us-east-1").add_auth(request)
        headers = dict(request.headers)
        begin = time.perf_counter()
        self.connection.request("POST", "/", body=request.body, headers=headers)
        answer = self.connection.getresponse()
        body = answer.read()
        took = time.perf_counter() - begin
        assert answer.status == 200, body
        return took


def show(what, seconds):
    ordered = sorted(seconds)
    print(f"{what:34} p50 {ordered[len(ordered) // 2] * 1e3:7.3f} ms   "
          f"p99 {ordered[len(ordered) * 99 // 100] * 1e3:7.3f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parameters", type=int, default=1000)
    parser.add_argument("--calls", type=int, default=2000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, Server(Path(directory) / "data") as server:
        caller = Caller(server)
        show("PutParameter, SecureString", [
            caller.call("ssm", "PutParameter", {"Name": f"/plant/{i % 10}/{i}", "Value": "x" * 100,
                                                "Type": "SecureString"})
            for i in range(options.parameters)])
        names = [f"/plant/{i % 10}/{i}" for i in range(options.parameters)]
        show("GetParameter, WithDecryption", [
            caller.call("ssm", "GetParameter", {"Name": names[i * 7919 % len(names)],
                                                "WithDecryption": True})
            for i in range(options.calls)])
        show("GetParametersByPath, 10 of a path", [
            caller.call("ssm", "GetParametersByPath", {"Path": f"/plant/{i % 10}"})
            for i in range(options.calls // 10)])
        caller.call("secretsmanager", "CreateSecret", {
            "Name": "mes", "SecretString": "x" * 100, "ClientRequestToken": "0" * 32})
        show("GetSecretValue", [caller.call("secretsmanager", "GetSecretValue", {"SecretId": "mes"})
                                for _ in range(options.calls)])


if __name__ == "__main__":
    main()
