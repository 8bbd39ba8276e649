# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the functional tests."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))

from harness import MODULE, TOOL, Clock, Store  # noqa: E402


# Its tests become other users: scripts/test runs it as root, and everything else as nobody.
collect_ignore = [] if os.geteuid() == 0 else ["test_tool_owner.py", "test_tool_doctor_owner.py"]


def pytest_sessionstart(session):
    """Without the programs under test there is nothing to run: an error, not a skip."""
    del session
    for path in (MODULE, TOOL):
        if not path.exists():
            pytest.exit(f"{path} is not there: build it, and name the build in $MAIL_BUILD", 3)


@pytest.fixture
def directory():
    """A temporary directory; short, because a socket's path has a limit of 107 octets."""
    path = Path(tempfile.mkdtemp(prefix="mail-test."))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def store(directory):
    """An empty store."""
    return Store(directory)


@pytest.fixture
def clock(directory):
    """A clock that stands at 2027-01-15 08:00:00 UTC until the test moves it."""
    return Clock(directory, 1800000000)
