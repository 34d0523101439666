# SPDX-License-Identifier: Apache-2.0
import pytest
from agent import Agent, Fleet
from harness import Server


@pytest.fixture
def server(tmp_path):
    with Server(tmp_path / "data") as running:
        yield running


@pytest.fixture
def fleet(server):
    return Fleet(server)


@pytest.fixture
def agent(server, tmp_path):
    with Agent(server, tmp_path / "device") as running:
        yield running
