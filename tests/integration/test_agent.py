# SPDX-License-Identifier: Apache-2.0
"""Deployments end to end: real andon-server, real broker, real andon-edge, real processes."""
import json
import os
import signal
import time
from pathlib import Path

import pytest
from agent import Agent, Fleet
from harness import wait_until

SLEEP = "exec sleep 1000"


@pytest.fixture
def fleet(server):
    return Fleet(server)


@pytest.fixture
def agent(server, tmp_path):
    with Agent(server, tmp_path / "device") as running:
        yield running


def test_a_component_runs_within_a_second_of_its_deployment(fleet, agent):
    fleet.component("com.example.Hello", "1.0.0", {"run": SLEEP})
    wait_until(lambda: agent.status().get("connected"), "the agent being connected")
    started = time.monotonic()
    deployment = fleet.deploy({"com.example.Hello": "1.0.0"})
    agent.wait_for("com.example.Hello", "1.0.0")
    print(f"running after {time.monotonic() - started:.3f} s")
    entry = fleet.outcome(deployment)
    assert entry["coreDeviceExecutionStatus"] in ("SUCCEEDED", "COMPLETED"), entry
    device = wait_until(lambda: fleet.greengrass.get_core_device(coreDeviceThingName="edge-1"),
                        "the core device")
    assert device["status"] == "HEALTHY"
