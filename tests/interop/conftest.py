# SPDX-License-Identifier: Apache-2.0
import itertools
import json

import pytest

from aws_client import client_of
from harness import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One server for the tests of a file; each takes names of its own from `fresh`."""
    with Server(tmp_path_factory.mktemp("server") / "data") as running:
        yield running


_counter = itertools.count(1)


@pytest.fixture
def fresh():
    """fresh("thing") -> "thing-7": a name that no other test has."""
    return lambda word: f"{word}-{next(_counter)}"


@pytest.fixture
def limited(server, fresh):
    """limited(service, actions, resources) -> a client of a user that may do nothing else."""
    iam = server.aws("iam")

    def make(service, actions, resources):
        name = fresh("user")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": actions, "Resource": resources}]}))
        return client_of(server, service, iam.create_access_key(UserName=name)["AccessKey"])
    return make
