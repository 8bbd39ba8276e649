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


# Files with tests that take long, longest first: they begin first, so that none of them runs alone in the end.
SLOW = ["test_bench.py", "test_dnssec_answers.py", "test_zone_signed.py", "test_dnssec_unbound.py", "test_tool_lookup.py",
        "test_zone_changes.py", "test_zone_differential.py", "test_differential.py", "test_thirdparty.py", "test_tree.py",
        "test_module_store.py", "test_review_dnssec.py"]


def pytest_collection_modifyitems(items):
    """Orders the tests: the slow files, then the others as they are."""
    items.sort(key=lambda item: SLOW.index(item.path.name) if item.path.name in SLOW else len(SLOW))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """With -n: a test goes to whoever is free. xdist would give out a quarter of all in the first minute."""
    # pylint: disable-next=import-outside-toplevel
    from xdist.scheduler import LoadScheduling

    class OneByOne(LoadScheduling):
        """Whoever runs a test knows of one more, as xdist wants."""

        def _send_tests(self, node, num):
            super()._send_tests(node, max(0, min(num, 2 - len(self.node2pending[node]))))

    return OneByOne(config, log)


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
