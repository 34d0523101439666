# SPDX-License-Identifier: Apache-2.0
"""Puts tests/ on the import path, so that every suite can use harness.py, and has its fixtures."""
import os
import tempfile
from pathlib import Path

import pytest

from agent import end_components
from harness import Server


@pytest.fixture(autouse=True)
def no_component_left(tmp_path_factory):
    """Components outlive an agent that is killed: not its test."""
    yield
    end_components(tmp_path_factory.getbasetemp())


@pytest.fixture
def server(tmp_path):
    with Server(tmp_path / "data") as running:
        yield running


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory):
    """One server for the tests of a file that do not disturb it."""
    with Server(tmp_path_factory.mktemp("server") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def open_directory():
    """A directory that every local user may enter; pytest's own are for root alone."""
    with tempfile.TemporaryDirectory(prefix="andon-") as name:
        os.chmod(name, 0o755)
        yield Path(name)
