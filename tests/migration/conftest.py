# SPDX-License-Identifier: Apache-2.0
"""One server for the whole road; its tests go along it in the order of their files."""
import os
import tempfile
from pathlib import Path

import pytest

from migrated_line import running


@pytest.fixture(scope="session", name="line")
def fixture_line():
    # Components run as another user, and jobs have a /tmp of their own.
    with tempfile.TemporaryDirectory(prefix="andon-", dir="/var/tmp") as name:
        os.chmod(name, 0o755)
        with running(Path(name)) as line:
            line.report = line.apply()
            yield line


@pytest.fixture(scope="session", name="camera")
def fixture_camera(line):
    camera = line.enrol()
    yield camera
    camera.__exit__()
