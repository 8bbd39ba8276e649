# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of the store while knotd runs: missing, replaced, damaged, gone; and reloads."""

import ctypes
import os
import shutil
import threading
from pathlib import Path

import pytest

from harness import MODULE, Knotd, Store, ede, poll, rcode, rdata

POLICY = """
policy:
  - id: hosted
    ns: [ ns1.hosted.test., ns2.hosted.test. ]
    mx: "{mx} mx.hosted.test."
domain:
  - id: example.org
    policy: hosted
"""
ZONE = "@ 300 SOA ns.zone.test. hostmaster.zone.test. 1 2 3 4 5\n@ 300 NS ns.zone.test.\n"


def small(directory):
    """An empty store with a small map: valgrind has no room for two of 32 GiB."""
    made = Store(directory, init=False)
    made.init("--map-size", "1G")
    return made


def fill(store, mx):
    """Gives example.org an MX of a preference, by which stores are told apart."""
    store.apply(POLICY.replace("{mx}", str(mx)))
    return store


def other(directory, name, mx):
    """Another store, beside."""
    (directory / name).mkdir()
    return fill(small(directory / name), mx)


def preference(knotd):
    """The preference of example.org's MX, or the rcode's name."""
    answer = knotd.ask("example.org", "MX")
    records = rdata(answer, "MX")
    return int(records[0].split()[0]) if records else rcode(answer)


def wait_preference(knotd, mx):
    """Waits until the MX is that."""
    poll(lambda: preference(knotd) == mx, f"preference {mx}")


def not_ready(answer):
    """Whether an answer is SERVFAIL with the EDE for "not ready"."""
    return rcode(answer) == "SERVFAIL" and [code for code, _ in ede(answer)] == [14]


def exchange(one, two):
    """Exchanges two directories atomically."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(-100, os.fsencode(one), -100, os.fsencode(two), 2) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")


def maps(knotd):
    """The stores that the process has mapped, by inode."""
    lines = Path(f"/proc/{knotd.process.pid}/maps").read_text().splitlines()
    return {line.split()[4] for line in lines if "store/data.mdb" in line}


# No store

def test_missing_then_there(directory):
    """No store: hosted names are SERVFAIL with EDE 14, zones are served; then it is initialised."""
    store = Store(directory, init=False)
    knotd = Knotd(store, conf="zone:\n  - domain: zone.test\n")
    (knotd.directory / "zones").mkdir()
    (knotd.directory / "zones" / "zone.test.zone").write_text(ZONE)
    with knotd:
        knotd.wait_log("[zone.test.] loaded")
        for tcp in (False, True):
            assert not_ready(knotd.ask("example.org", "MX", tcp=tcp))
        assert rcode(knotd.ask("zone.test", "SOA")) == "NOERROR"
        assert rcode(knotd.ask("example.org", "TXT", rrclass="CH")) == "REFUSED"
        assert knotd.stats()["mod-mail.outcome[not-ready]"] == 3
        assert knotd.log().count("store not opened") == 1
        assert not store.path.exists()
        store.run("init")
        poll(lambda: preference(knotd) == "REFUSED", "the empty store")
        fill(store, 10)
        assert preference(knotd) == 10
        assert "opened, transaction" in knotd.log()


def patch(path, old, new):
    """Replaces octets in a file; returns how often."""
    data = path.read_bytes()
    count = data.count(old)
    path.write_bytes(data.replace(old, new))
    return count


def make_truncated(path):
    data = (path / "data.mdb").read_bytes()
    (path / "data.mdb").write_bytes(data[:8192])


def make_empty(path):
    (path / "data.mdb").write_bytes(b"")


def make_foreign(path):
    (path / "data.mdb").write_bytes(os.urandom(65536))


def make_other_lmdb(path):
    """An LMDB file, but not of ours: a knotd's database would do, one with other names does."""
    assert patch(path / "data.mdb", b"domain", b"doNain") >= 1


def make_newer(path):
    """Format 99. The setting is a header of 24 octets and a number of 32 bits behind its key."""
    data = bytearray((path / "data.mdb").read_bytes())
    count, at = 0, data.find(b"format")
    while at >= 0:
        if data[at + 30:at + 34] == b"\0\0\0\2":
            data[at + 30:at + 34] = b"\0\0\0\x63"
            count += 1
        at = data.find(b"format", at + 1)
    assert count >= 1
    (path / "data.mdb").write_bytes(data)


def make_unreadable(path):
    (path / "data.mdb").chmod(0)


def make_lock_unwritable(path):
    (path / "lock.mdb").chmod(0o440)


def make_gone(path):
    (path / "data.mdb").unlink()


BAD = [
    (make_truncated, "truncated"),
    (make_empty, "truncated"),
    (make_foreign, "not an LMDB file"),
    (make_other_lmdb, ""),
    (make_newer, "99"),
    (make_unreadable, "data.mdb"),
    (make_lock_unwritable, "lock.mdb"),
    (make_gone, "no data.mdb"),
]
BAD_NAMES = [make.__name__ for make, _ in BAD]


@pytest.mark.parametrize("make,reason", BAD, ids=BAD_NAMES)
def test_bad_at_start(directory, make, reason):
    """A store that cannot be opened never takes knotd down; the log says why; it recovers."""
    if os.geteuid() == 0 and make in (make_unreadable, make_lock_unwritable):
        pytest.fail("the functional tests do not run as root (scripts/test does that)")
    good = other(directory, "good", 20)
    store = fill(small(directory), 10)
    make(store.path)
    with Knotd(store) as knotd:
        assert not_ready(knotd.ask("example.org", "MX"))
        said = [line for line in knotd.log().splitlines() if "store not opened" in line]
        assert len(said) == 1 and reason in said[0] and str(store.path) in said[0], said
        exchange(store.path, good.path)
        wait_preference(knotd, 20)


@pytest.mark.parametrize("make,reason", BAD, ids=BAD_NAMES)
def test_replaced_by_a_bad_one(directory, make, reason):
    """What was open goes on being served until the new one is good."""
    store = fill(small(directory), 10)
    bad = other(directory, "bad", 30)
    good = other(directory, "good", 20)
    make(bad.path)
    with Knotd(store) as knotd:
        assert preference(knotd) == 10
        exchange(store.path, bad.path)
        knotd.wait_log("still served")
        said = [line for line in knotd.log().splitlines() if "store not opened" in line]
        assert reason in said[0], said
        for _ in range(20):
            assert preference(knotd) == 10
        exchange(store.path, good.path)
        wait_preference(knotd, 20)
        assert len(maps(knotd)) == 1


# Another store in its place

class Load:
    """Asks all the time, from several threads; every answer must be one of those allowed."""

    def __init__(self, knotd, allowed, threads=3):
        self.knotd = knotd
        self.allowed = allowed
        self.ended = threading.Event()
        self.wrong = []
        self.count = 0
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(threads)]

    def run(self, number):
        """One thread: the last one asks over TCP."""
        while not self.ended.is_set():
            try:
                answer = self.knotd.ask("example.org", "MX", tcp=number == 2)
                got = rdata(answer, "MX") or rcode(answer)
            except Exception as error:  # whatever it is, it is a lost answer
                got = repr(error)
            self.count += 1
            if got not in self.allowed:
                self.wrong.append(got)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()


def test_exchanged_under_load(directory):
    """The directory is exchanged for another one: no answer is lost, no environment stays open."""
    store = fill(small(directory), 10)
    new = other(directory, "new", 20)
    with Knotd(store) as knotd:
        with Load(knotd, (["10 mx.hosted.test."], ["20 mx.hosted.test."])) as load:
            for mx in (20, 10, 20):
                exchange(store.path, new.path)
                wait_preference(knotd, mx)
        assert not load.wrong and load.count > 30, load.wrong[:5]
        assert len(maps(knotd)) == 1
        assert knotd.log().count("replaced, transaction") == 3


def test_renamed_into_place(directory):
    """lock.mdb is removed, then data.mdb renamed, as the manual has it."""
    store = fill(small(directory), 10)
    copy = directory / "copy"
    copy.mkdir()
    other(directory, "new", 20).run("backup", copy)
    with Knotd(store) as knotd:
        with Load(knotd, (["10 mx.hosted.test."], ["20 mx.hosted.test."])) as load:
            (store.path / "lock.mdb").unlink()
            (copy / "data.mdb").rename(store.path / "data.mdb")
            wait_preference(knotd, 20)
            poll(lambda: load.count > 10, "answers")
        assert not load.wrong, load.wrong[:5]
        assert len(maps(knotd)) == 1
        fill(store, 40)
        assert preference(knotd) == 40


def test_renamed_beside_the_old_lock(directory):
    """Only data.mdb is replaced: the old one is closed before the new one is opened."""
    store = fill(small(directory), 10)
    copy = directory / "copy"
    copy.mkdir()
    new = other(directory, "new", 20)
    for mx in (21, 22, 23):
        fill(new, mx)
    new.run("backup", copy)
    with Knotd(store) as knotd:
        assert preference(knotd) == 10
        (copy / "data.mdb").rename(store.path / "data.mdb")
        wait_preference(knotd, 23)
        assert len(maps(knotd)) == 1
        fill(store, 40)
        assert preference(knotd) == 40


# What can be told from the file alone.
BAD_DATA = [(make, reason) for make, reason in BAD if make not in (make_lock_unwritable, make_gone)]


@pytest.mark.parametrize("make,reason", BAD_DATA, ids=[make.__name__ for make, _ in BAD_DATA])
def test_a_bad_one_beside_the_old_lock(directory, make, reason):
    """Only data.mdb is replaced, by a bad one: a good store is not closed for it."""
    if os.geteuid() == 0 and make == make_unreadable:
        pytest.fail("the functional tests do not run as root (scripts/test does that)")
    store = fill(small(directory), 10)
    bad = other(directory, "bad", 30)
    new = other(directory, "new", 20)
    make(bad.path)
    with Knotd(store) as knotd:
        assert preference(knotd) == 10
        with Load(knotd, [["10 mx.hosted.test."]]) as load:
            (bad.path / "data.mdb").rename(store.path / "data.mdb")
            knotd.wait_log("still served")
            count = load.count
            poll(lambda: load.count > count + 50, "answers")
        assert not load.wrong, load.wrong[:5]
        said = [line for line in knotd.log().splitlines() if "store not opened" in line]
        assert reason in said[0], said
        copy = directory / "copy"
        copy.mkdir()
        new.run("backup", copy)
        (copy / "data.mdb").rename(store.path / "data.mdb")
        wait_preference(knotd, 20)
        assert len(maps(knotd)) == 1


def test_gone_and_back(directory):
    """The files vanish: what was open is still served; then another store is put there."""
    store = fill(small(directory), 10)
    new = other(directory, "new", 20)
    with Knotd(store) as knotd:
        assert preference(knotd) == 10
        store.path.rename(directory / "away")
        knotd.wait_log("still served")
        assert preference(knotd) == 10
        new.path.rename(store.path)
        wait_preference(knotd, 20)


# Damaged entries

def fragile(directory, names):
    """A store with domains whose policy is damaged: its stored octets are no entry."""
    store = fill(small(directory), 10)
    store.apply("policy:\n  - id: fragile\n    ns: ns1.hosted.test.\n    mx: \"5 a.hosted.test.\"\n"
                "domain:\n" + "".join(f"  - id: {name}\n    policy: fragile\n" for name in names))
    data = bytearray((store.path / "data.mdb").read_bytes())
    # The policy's key, then its header: a timestamp of this century, and version 0.
    count, at = 0, data.find(b"fragile")
    while at >= 0:
        start = at + len("fragile")
        if data[start] in (0x17, 0x18, 0x19) and data[start + 16] == 0:
            data[start:start + 8] = bytes(8)
            count += 1
        at = data.find(b"fragile", at + 1)
    assert count >= 1
    (store.path / "data.mdb").write_bytes(data)
    return store


def failures(knotd):
    """The log's lines about questions that could not be answered."""
    return [line for line in knotd.log().splitlines() if "error: module 'mod-mail" in line]


def test_damaged_entry(directory):
    """A damaged policy: SERVFAIL with an EDE and a log line; other domains are served."""
    store = fragile(directory, ["example.com"])
    with Knotd(store, items=["log-interval: 1d"]) as knotd:
        for _ in range(10):
            answer = knotd.ask("example.com", "MX")
            assert rcode(answer) == "SERVFAIL" and [code for code, _ in ede(answer)] == [24]
            assert not answer.answer and not answer.authority
        assert preference(knotd) == 10
        assert rcode(knotd.ask("not-hosted.test", "MX")) == "REFUSED"
        assert knotd.stats()["mod-mail.outcome[failed]"] == 10
        assert len(failures(knotd)) == 1 and "example.com" in failures(knotd)[0], failures(knotd)


def test_damaged_neighbour(directory):
    """A domain that cannot be read fails alone: the names beside it are answered, from both sides."""
    store = fill(small(directory), 10)
    store.apply("".join(f"domain:\n  - id: {name}\n    policy: hosted\n"
                        for name in ("m.example.org", "example.orh")))
    data = bytearray((store.path / "data.mdb").read_bytes())
    count = 0
    for key in (b"org\0example\0m", b"orh\0example"):
        at = data.find(key)
        while at >= 0:
            start = at + len(key)
            if data[start] in (0x17, 0x18, 0x19) and data[start + 16] == 0:
                data[start:start + 8] = bytes(8)
                count += 1
            at = data.find(key, at + 1)
    assert count >= 2
    (store.path / "data.mdb").write_bytes(data)
    with Knotd(store) as knotd:
        for name in ("m.example.org", "x.m.example.org", "example.orh"):
            assert rcode(knotd.ask(name, "MX")) == "SERVFAIL", name
        for name in ("l.example.org", "n.example.org", "zz.example.org"):
            assert rcode(knotd.ask(name, "MX")) == "NXDOMAIN", name
        assert rcode(knotd.ask("_tcp.example.org", "TXT")) == "NXDOMAIN"
        assert preference(knotd) == 10
        # The parent's side of the cut can be read.
        answer = knotd.ask("m.example.org", "DS")
        assert rcode(answer) == "NOERROR" and not answer.answer
        assert rcode(knotd.ask("x.orh", "MX")) == "REFUSED"


def test_log_interval(directory):
    """A line appears again after the interval, and says how often it was left out."""
    with Knotd(fragile(directory, ["example.com"]), items=["log-interval: 1"]) as knotd:
        poll(lambda: rcode(knotd.ask("example.com", "MX")) and len(failures(knotd)) == 2,
             "the second line")
        assert "(repeated " in failures(knotd)[1] and " times since)" in failures(knotd)[1]


def test_log_flood(directory):
    """Very many different failures: a bounded number of lines, and one that counts the rest."""
    names = [f"n{i}.example.com" for i in range(300)]
    with Knotd(fragile(directory, names), items=["log-interval: 3"]) as knotd:
        for name in names:
            assert rcode(knotd.ask(name, "MX")) == "SERVFAIL"
        assert 30 <= len(failures(knotd)) <= 140
        poll(lambda: rcode(knotd.ask("n1.example.com", "MX")) and
             "other messages suppressed)" in knotd.log() or
             [knotd.ask(name, "MX") for name in names] and False, "the number of the rest")


# Reloads

def test_reload_under_load(directory):
    """Twenty reloads: no answer lost, one environment, one thread, and the store is still watched."""
    store = fill(small(directory), 10)
    new = other(directory, "new", 20)
    with Knotd(store) as knotd:
        poll((knotd.directory / "run" / "knot.sock").exists, "knotd's control socket")
        with Load(knotd, (["10 mx.hosted.test."],)) as load:
            for _ in range(20):
                knotd.reload()
        assert not load.wrong and load.count > 20, load.wrong[:5]
        assert len(maps(knotd)) == 1
        assert knotd.log().count("opened, transaction") == 1
        exchange(store.path, new.path)
        wait_preference(knotd, 20)


def test_writes_under_load(directory):
    """A writer and readers: every answer is the old state or the new one, never a failure."""
    store = fill(small(directory), 10)
    allowed = [["10 mx.hosted.test."]] + [[f"{mx} mx.hosted.test."] for mx in range(11, 31)]
    with Knotd(store) as knotd:
        with Load(knotd, allowed) as load:
            for mx in range(11, 31):
                fill(store, mx)
                assert preference(knotd) == mx
        assert not load.wrong and load.count > 20, load.wrong[:5]


def test_idle_workers_hold_nothing(directory):
    """After a question a worker keeps its snapshot, but not for long: writers use old pages again all the same."""
    store = fill(small(directory), 10)
    store.apply("policy:\n  - id: second\n    base: hosted\n")
    crowds = ["".join(f'{{"kind":"domain","name":"d{i}.example.net","policy":"{policy}"}}\n' for i in range(3000))
              for policy in ("hosted", "second")]
    with Knotd(store) as knotd:
        def rewritten(times):
            # Each worker has a snapshot now; nobody asks it again.
            for _ in range(8):
                assert preference(knotd) == 10
            for turn in range(times):
                store.load(crowds[turn % 2])
            return os.stat(Path(store.path) / "data.mdb").st_size
        settled = rewritten(6)
        # One snapshot that is kept would cost half a megabyte each time.
        assert rewritten(20) < settled + 1_000_000


def test_another_copy_of_the_module(directory):
    """The file of the module is another one after a reload: never two environments at once."""
    store = fill(small(directory), 10)
    copy = directory / "copy.so"
    shutil.copy(MODULE, copy)
    with Knotd(store) as knotd:
        assert preference(knotd) == 10
        knotd.module = copy
        knotd.reload()
        # The new copy is loaded while the old one has the store: it waits, and says so.
        assert "restart the process" in knotd.log()
        wait_preference(knotd, 10)
        assert len(maps(knotd)) == 1
        mapped = Path(f"/proc/{knotd.process.pid}/maps").read_text()
        # The old one stays in memory, without a store: see -z nodelete in Makefile.am.
        assert str(copy) in mapped
        fill(store, 11)
        assert preference(knotd) == 11


def test_upgraded_in_place(directory):
    """The file is replaced under the same name: the dynamic linker keeps the old one until a restart."""
    store = fill(small(directory), 10)
    module = directory / "mail.so"
    shutil.copy(MODULE, module)
    with Knotd(store, module=module) as knotd:
        assert preference(knotd) == 10
        shutil.copy(MODULE, directory / "new.so")
        (directory / "new.so").rename(module)
        with Load(knotd, (["10 mx.hosted.test."],)) as load:
            knotd.reload()
            knotd.reload()
        assert not load.wrong, load.wrong[:5]
        assert len(maps(knotd)) == 1
        knotd.restart()
        assert preference(knotd) == 10
