# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody is held up while others wait: that makes answers late, and never wrong."""

import collections
import subprocess
import threading
from pathlib import Path

import dns.exception
import pytest

from harness import TOP, Knotd, Store, rcode, rdata

POLICY = """
policy:
  - id: hosted
    ns: [ ns1.hosted.test., ns2.hosted.test. ]
    mx: "10 mx.hosted.test."
"""
COMMITS = 25


def build(directory):
    """Builds what is preloaded."""
    library = Path(directory) / "stall.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", library, TOP / "tests/functional/stall.c"],
                   check=True)
    return library


def realtime():
    """What makes knotd a real-time process, where that is permitted: only there a pause is as long as it says."""
    return ["chrt", "-f", "1"] if subprocess.run(["chrt", "-f", "1", "true"], capture_output=True,
                                                 check=False).returncode == 0 else []


def crowd(knotd, seen, stop):
    """Asks one question after the other."""
    while not stop.is_set():
        try:
            answer = knotd.ask("example.org", "MX")
            seen[rcode(answer), *rdata(answer, "MX")] += 1
        except dns.exception.Timeout:
            seen["late"] += 1


@pytest.mark.parametrize("pause", [30, 50])
def test_housekeeping_is_held_up(directory, monkeypatch, pause):
    """A worker whose snapshot is just being ended waits until that is done, however long it takes."""
    monkeypatch.setenv("STALL_MS", str(pause))
    store = Store(directory)
    store.apply(POLICY)
    store.run("domain-set", "example.org", "policy=hosted")
    with Knotd(store, preload=build(directory), prefix=realtime()) as knotd:
        seen = collections.Counter()
        stop = threading.Event()
        threads = [threading.Thread(target=crowd, args=(knotd, seen, stop)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for i in range(COMMITS):
            store.run("domain-set", f"d{i}.example.net", "policy=hosted")
        stop.set()
        for thread in threads:
            thread.join()
        # Workers were ended while they had a snapshot, or nothing was tested.
        assert seen.pop(("NOERROR", "10 mx.hosted.test.")) > 50
        assert not seen, seen
        assert "cannot be read" not in knotd.log()
        assert knotd.stats().get("mod-mail.outcome[not-ready]", 0) == 0
