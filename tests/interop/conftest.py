# SPDX-License-Identifier: Apache-2.0
import itertools

import pytest

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
