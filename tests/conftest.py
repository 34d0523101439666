# SPDX-License-Identifier: Apache-2.0
"""Puts tests/ on the import path, so that every suite can use harness.py, and has its fixtures."""
import pytest

from harness import Server


@pytest.fixture
def server(tmp_path):
    with Server(tmp_path / "data") as running:
        yield running


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory):
    """One server for the tests of a file that do not disturb it."""
    with Server(tmp_path_factory.mktemp("server") / "data") as running:
        yield running
