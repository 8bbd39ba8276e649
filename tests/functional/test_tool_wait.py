# SPDX-License-Identifier: GPL-3.0-or-later
"""Writers wait for each other in turn, for as long as they are told; and for nobody who waits himself."""

import contextlib
import ctypes.util
import fcntl
import json
import os
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from harness import PATIENCE, TOOL, poll
from test_docs import verbs
from test_tool_import import POLICY, domain, names
from test_tree import TOP

# doc/mail-store.rst: where the locks are.
TURN, QUEUE = 1 << 60, 1 << 61
F_OFD_GETLK, F_OFD_SETLK = 36, 37
FLOCK = "hhqqi4x"

KEY = "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="


class Locks:
    """The locks on a store's data.mdb, and the turn, if it is taken here."""

    def __init__(self, store):
        self.file = os.open(store.path / "data.mdb", os.O_RDWR)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.file)

    def set(self, kind, start, length):
        """Locks or unlocks a range; OSError: another has it."""
        fcntl.fcntl(self.file, F_OFD_SETLK, struct.pack(FLOCK, kind, os.SEEK_SET, start, length, 0))

    def take(self, since):
        """Takes the turn, as if this process were a writer."""
        self.set(fcntl.F_WRLCK, TURN - since, since + os.getpid())

    def give(self):
        """Gives the turn back."""
        self.set(fcntl.F_UNLCK, TURN // 2, TURN)

    def get(self, start, length):
        """Start and length of a lock of others in a range, or None."""
        kind, _, start, length, _ = struct.unpack(FLOCK, fcntl.fcntl(
            self.file, F_OFD_GETLK, struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, start, length, 0)))
        return None if kind == fcntl.F_UNLCK else (start, length)

    def writer(self):
        """Process that has the turn, or None."""
        found = self.get(TURN, 1)
        return found and found[1] - (TURN - found[0])

    def waiting(self):
        """How many wait."""
        start, count = QUEUE, 0
        while found := self.get(start, 0):
            start, count = sum(found), count + 1
        return count


@pytest.fixture(name="locks")
def locks_of_store(store):
    """The locks of the store, which has a policy p and a domain."""
    store.load(POLICY + domain(0))
    with Locks(store) as locks:
        yield locks


@contextlib.contextmanager
def running(store, *args, **more):
    """Runs kmailctl, and does not wait for it; at the end it has ended."""
    process = subprocess.Popen([TOOL, "-s", store.path, *map(str, args)], text=True, env=store.environment(),
                               stdin=more.get("stdin", subprocess.PIPE), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(process, status=0):
    """Waits until a process ends; its exit status must be as expected. What it said."""
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == status, out + err
    return out + err


@contextlib.contextmanager
def stopped_import(store, locks, *args, lines=200000):
    """An import that was stopped while it writes."""
    file = store.directory / "large.ndjson"
    file.write_text("".join(domain(i) for i in range(1, lines)), encoding="utf-8")
    with running(store, "import", *args, file) as process:
        while True:
            poll(lambda: locks.writer() == process.pid, "the turn of import")
            process.send_signal(signal.SIGSTOP)
            # A process between two batches goes on.
            os.waitid(os.P_PID, process.pid, os.WSTOPPED)
            if locks.writer() == process.pid:
                break
            process.send_signal(signal.SIGCONT)
        yield process


# Who waits, and how long

WRITERS = {
    "apply": ["apply", "CONF"],
    "import": ["import", "NDJSON"],
    "purge": ["purge", "--older-than", "1"],
    "check": ["check", "--repair"],
    "policy-set": ["policy-set", "p", "ttl=300"],
    "policy-unset": ["policy-unset", "p", "mx"],
    "domain-set": ["domain-set", "x.example", "policy=p"],
    "domain-unset": ["domain-unset", "d000000.example"],
    "host-set": ["host-set", "h", "name=mail"],
    "host-unset": ["host-unset", "h"],
    "dkim-generate": ["dkim-generate", "d000000.example/s", "--algorithm", "ed25519", "--out", "NEW"],
    "dkim-import": ["dkim-import", "d000000.example/s", KEY],
    "dkim-retire": ["dkim-retire", "d000000.example/s"],
    "dkim-set": ["dkim-set", "d000000.example/s", f"key={KEY}"],
    "dkim-unset": ["dkim-unset", "d000000.example/s"],
    "key-generate": ["key-generate", "k"],
    "key-import": ["key-import", "k", "PRIVATE"],
    "key-ds-seen": ["key-ds-seen", "k"],
    "key-retire": ["key-retire", "k", "--all"],
    "key-set": ["key-set", "k", "key=x"],
    "key-unset": ["key-unset", "k"],
    "cert-import": ["cert-import", "c", "--current", "CONF"],
    "cert-set": ["cert-set", "c", "current=3 1 1 " + "ab" * 32],
    "cert-unset": ["cert-unset", "c"],
}


@pytest.fixture(name="given")
def files_of_writers(store, directory):
    """The files that WRITERS names."""
    private = directory / "private.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", private], check=True)
    return {"CONF": store.file("domain:\n  - id: y.example\n    policy: p\n", ".conf"), "PRIVATE": private,
            "NDJSON": store.file(domain(1), ".ndjson"), "NEW": directory / "new.pem"}


def test_every_verb_that_writes_can_be_told_how_long_to_wait(store, locks, given):
    """It fails at once with --wait 0, and says who has the store and since when."""
    takes = {verb for verb, options in verbs(store.directory).items() if "wait" in options}
    assert takes == set(WRITERS)
    locks.take(int(time.time()) - 86400 * 400)
    before = store.run("export").stdout
    began = time.monotonic()
    for words in WRITERS.values():
        done = store.run("--wait", "0", *[given.get(word, word) for word in words], status=1)
        who = rf"another writer \(pid {os.getpid()}, since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\)"
        assert re.fullmatch(rf"kmailctl: {store.path}: the store is busy: {who} has not ended; .* --wait\n",
                            done.stderr.replace("nothing was changed\n", "")), done.stderr
        assert done.stdout == ""
    assert time.monotonic() - began < PATIENCE
    assert not given["NEW"].exists() and not list((store.path / "keys").iterdir())
    done = json.loads(store.run("--json", "domain-set", "x.example", "policy=p", "--wait", "0", status=1).stderr)
    assert done["error"] == "busy"
    assert store.run("export").stdout == before


def test_source_says_which_verbs_write():
    """A verb that opens the store for writing has WRITES in its row."""
    bodies = {}
    for path in (TOP / "tool" / "verbs").glob("*.c"):
        for name, body in re.findall(r"^int (verb_\w+)\(tool_t \*tool\)\n\{\n(.*?)^\}", path.read_text(), re.S | re.M):
            bodies[name] = body
    rows = list(re.finditer(r"\{ \.name = [^{}]*?\.run = (verb_\w+)[^{}]*\}",
                            (TOP / "tool/verbs/table.c").read_text()))
    assert len(bodies) > 30 and {row[1] for row in rows} == set(bodies)
    for row in rows:
        assert "MAIL_STORE_WRITE" not in bodies[row[1]] or "WRITES" in row[0], row[0]


@pytest.mark.parametrize("value", ["x", "-1", "1y", ""])
def test_wait_takes_a_length_of_time(store, value):
    """What is wrong with it is said before anything is read."""
    done = store.run("import", "-", f"--wait={value}", status=2, stdin="nonsense\n")
    assert f"--wait: {value} is no length of time" in done.stderr
    assert "domain-list does not take --wait" in store.run("domain-list", "--wait", "1", status=2).stderr


def test_wait_ends_when_the_other_writer_does(store, locks):
    """Whoever waits gets its turn within its time; after its time it has failed."""
    locks.take(int(time.time()))
    with running(store, "domain-set", "x.example", "policy=p", "--wait", "10m") as waits:
        poll(lambda: locks.waiting() == 1, "the one who waits")
        began = time.monotonic()
        done = store.run("domain-set", "y.example", "policy=p", "--wait", "1", status=1)
        assert 1 <= time.monotonic() - began < PATIENCE
        assert "the store is busy" in done.stderr
        assert locks.waiting() == 1
        locks.give()
        assert ended(waits) == "domain x.example created (policy p)\n"
    assert locks.waiting() == 0 and locks.writer() is None


def test_terminal_is_told_of_a_wait(store, locks):
    """Once, after a second; with process, verb and time."""
    with stopped_import(store, locks) as busy:
        status, shown = store.terminal("domain-set", "x.example", "policy=p", "--wait", "2")
        assert status == 1
        assert re.fullmatch(rf"waiting for another writer \(pid {busy.pid}, import, since \d\d:\d\d:\d\d, stopped\)\n"
                            rf"kmailctl: {store.path}: the store is busy: another writer \(pid {busy.pid}, import, "
                            r"since \d\d:\d\d:\d\d, stopped\) has not ended; try again later, or with a longer --wait\n",
                            shown), shown
        # In a pipe only the error is said; and a terminal is not told of what takes less than a second.
        assert "waiting" not in store.run("domain-set", "x.example", "policy=p", "--wait", "2", status=1).stderr
        assert "waiting" not in store.terminal("domain-set", "x.example", "policy=p", "--wait", "0")[1]


# Turns

def commits(store):
    """Number of the transaction that wrote each domain: octets 8 to 15 of its value (doc/mail-store.rst)."""
    code = """
import ctypes, ctypes.util, sys
lmdb = ctypes.CDLL(ctypes.util.find_library("lmdb"))
class Value(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("data", ctypes.c_void_p)]
env, txn, cursor, dbi = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_uint()
def good(code):
    assert code == 0, code
good(lmdb.mdb_env_create(ctypes.byref(env)))
good(lmdb.mdb_env_set_maxdbs(env, 10))
good(lmdb.mdb_env_open(env, sys.argv[1].encode(), 0x20000, 0o660))
good(lmdb.mdb_txn_begin(env, None, 0x20000, ctypes.byref(txn)))
good(lmdb.mdb_dbi_open(txn, b"domain", 0, ctypes.byref(dbi)))
good(lmdb.mdb_cursor_open(txn, dbi, ctypes.byref(cursor)))
key, value = Value(), Value()
while lmdb.mdb_cursor_get(cursor, ctypes.byref(key), ctypes.byref(value), 8) == 0:
    print(ctypes.string_at(key.data, key.size).decode("latin-1").split("\\0")[1],
          int.from_bytes(ctypes.string_at(value.data, value.size)[8:16], "big"))
"""
    done = subprocess.run([sys.executable, "-c", code, store.path], check=True, capture_output=True, text=True)
    return {name: int(number) for name, number in map(str.split, done.stdout.splitlines())}


def test_import_in_batches_lets_all_in_who_wait(store, locks):
    """Five writers wait behind a batch: they are the next five, in the order in which they came."""
    with contextlib.ExitStack() as stack:
        batches = stack.enter_context(stopped_import(store, locks, "--batch", "500", lines=20000))
        waiting = []
        for i in range(5):
            waiting.append(stack.enter_context(running(store, "domain-set", f"w{i}.example", "policy=p")))
            poll(lambda: locks.waiting() == len(waiting), "one more who waits")
        batches.send_signal(signal.SIGCONT)
        for process in waiting:
            ended(process)
        ended(batches)
    numbers = commits(store)
    first = numbers["w0"]
    assert [numbers[f"w{i}"] for i in range(5)] == [first + i for i in range(5)]
    # Behind them import went on, batch by batch: so it was not at its end.
    assert sum(number > first for number in set(numbers.values())) > 5
    assert len(numbers) == 20005


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_killed_writer_lets_the_next_one_in(store, locks, number):
    """In the midst of its transaction; what it wrote is gone."""
    with stopped_import(store, locks) as busy, running(store, "domain-set", "x.example", "policy=p") as waits:
        poll(lambda: locks.waiting() == 1, "the one who waits")
        busy.send_signal(number)
        busy.send_signal(signal.SIGCONT)
        ended(waits)
    assert names(store) == ["d000000.example", "x.example"]


def test_stopped_writer_keeps_no_reader_waiting(store, locks):
    """All that only reads goes on."""
    with stopped_import(store, locks):
        for words in (["domain-list"], ["check"], ["export"], ["explain", "d000000.example"], ["store-info"],
                      ["backup", store.directory / "copy"], ["diff", store.file("", ".conf")]):
            store.run(*words)
        assert names(store) == ["d000000.example"]


def test_who_is_stopped_or_killed_in_the_queue_is_passed_over(store, locks):
    """Those behind take their turn; whoever goes on later takes his."""
    with contextlib.ExitStack() as stack:
        locks.take(int(time.time()))
        waiting = []
        for i in range(4):
            waiting.append(stack.enter_context(running(store, "domain-set", f"w{i}.example", "policy=p")))
            poll(lambda: locks.waiting() == len(waiting), "one more who waits")
        waiting[0].send_signal(signal.SIGSTOP)
        waiting[1].kill()
        locks.give()
        ended(waiting[2])
        ended(waiting[3])
        # Nobody is locked out.
        store.run("domain-set", "w4.example", "policy=p", "--wait", "10")
        assert locks.waiting() == 1
        waiting[0].send_signal(signal.SIGCONT)
        ended(waiting[0])
    assert names(store) == ["d000000.example", *(f"w{i}.example" for i in (0, 2, 3, 4))]


def test_interrupted_wait_of_import(store, locks):
    """A signal ends it, and it says what is stored."""
    locks.take(int(time.time()))
    with running(store, "import", store.file(domain(1), ".ndjson")) as waits:
        poll(lambda: locks.waiting() == 1, "the one who waits")
        waits.send_signal(signal.SIGINT)
        said = ended(waits, -signal.SIGINT)
        assert "interrupted\n" in said and "nothing was changed" in said and "busy" not in said
    assert locks.waiting() == 0


def test_batches_that_end_for_want_of_a_turn(store, locks):
    """import says how to go on."""
    with running(store, "import", "--batch", "2", "--wait", "1", "-") as batches:
        batches.stdin.write(domain(1) + domain(2))
        batches.stdin.flush()
        poll(lambda: len(names(store)) == 3, "the first batch")
        locks.take(int(time.time()))
        batches.stdin.write(domain(3) + domain(4))
        batches.stdin.flush()
        said = ended(batches, 1)
    assert "the store is busy" in said
    assert "the lines up to 2 are imported; go on with --skip 2" in said
    locks.give()
    assert len(names(store)) == 3


def test_store_that_is_replaced_during_the_wait(store, locks):
    """Nobody would see what is written to the old one."""
    store.run("backup", store.directory / "copy")
    locks.take(int(time.time()))
    with running(store, "domain-set", "x.example", "policy=p") as waits:
        poll(lambda: locks.waiting() == 1, "the one who waits")
        (store.path / "lock.mdb").unlink()
        (store.directory / "copy" / "data.mdb").rename(store.path / "data.mdb")
        locks.give()
        assert "the store was replaced while this command waited; run the command again" in ended(waits, 1)


FOREIGN = """
import ctypes, ctypes.util, sys
lmdb = ctypes.CDLL(ctypes.util.find_library("lmdb"))
env, txn = ctypes.c_void_p(), ctypes.c_void_p()
assert lmdb.mdb_env_create(ctypes.byref(env)) == 0
assert lmdb.mdb_env_open(env, sys.argv[1].encode(), 0, 0o660) == 0
assert lmdb.mdb_txn_begin(env, None, 0, ctypes.byref(txn)) == 0
print("writes", flush=True)
sys.stdin.readline()
lmdb.mdb_txn_abort(txn)
lmdb.mdb_env_close(env)
"""


def test_program_that_knows_no_turns(store, locks):
    """It is waited for, too, and for as long as is said."""
    assert ctypes.util.find_library("lmdb")
    with subprocess.Popen([sys.executable, "-c", FOREIGN, store.path], text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == "writes\n"
        for seconds in ("0", "1"):
            done = store.run("domain-set", "x.example", "policy=p", "--wait", seconds, status=1)
            assert "the store is busy: another writer (another program than kmailctl) has not ended" in done.stderr
        status, shown = store.terminal("domain-set", "x.example", "policy=p", "--wait", "2")
        assert status == 1 and shown.startswith("waiting for another writer (another program than kmailctl)\n")
        with running(store, "domain-set", "x.example", "policy=p", "--wait", "60") as waits:
            poll(lambda: locks.writer() == waits.pid, "the turn")
            other.stdin.write("\n")
            other.stdin.flush()
            ended(waits)
        assert other.wait(PATIENCE) == 0
    assert "x.example" in names(store)


# No verb keeps others waiting while it waits itself

def unread(pipe):
    """How many octets of a pipe nobody has read."""
    left = bytearray(4)
    fcntl.ioctl(pipe, termios.FIONREAD, left)
    return int.from_bytes(left, sys.byteorder)


def sleeps(process):
    """Whether a process waits for something."""
    return Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2][0] == "S"


CERTIFICATE = """openssl req -x509 -newkey ed25519 -nodes -subj /CN=mail.example -keyout /dev/null 2>/dev/null"""


@pytest.mark.parametrize("words,first,rest,status", [
    (["import", "-"], domain(1), domain(2), 0),
    (["import", "--batch", "2", "-"], domain(1) + domain(2) + domain(3), domain(4), 0),
    (["import", "--keep-going", "--rejects", "NEW", "-"], domain(1) + "bad\n", domain(2), 1),
    (["import", "--batch", "3", "--keep-going", "--rejects", "NEW", "-"], domain(1) + "bad\n", domain(2), 1),
    (["import", "/dev/stdin"], domain(1), domain(2), 0),
    (["apply", "-"], "domain:\n", "  - id: y.example\n    policy: p\n", 0),
    (["apply", "--dry-run", "/dev/stdin"], "domain:\n", "  - id: y.example\n    policy: p\n", 0),
    (["dkim-import", "d000000.example/s", "-"], KEY[:10], KEY[10:], 0),
    (["dkim-import", "d000000.example/s", "/dev/stdin"], KEY[:10], KEY[10:], 0),
    (["dkim-set", "d000000.example/s", "key=/dev/stdin"], KEY[:10], KEY[10:], 0),
    (["cert-set", "web", "current=/dev/stdin"], "", "CERTIFICATE", 0),
    (["cert-import", "web", "--current", "-"], "", "CERTIFICATE", 0),
    (["cert-import", "web", "--current", "CERTIFICATE", "--next", "/dev/stdin"], "", "CERTIFICATE", 0),
    (["key-import", "k", "/dev/stdin"], "", "PRIVATE", 0),
])
def test_who_waits_for_input_keeps_nobody_waiting(store, locks, given, words, first, rest, status):
    """A pipe that stalls: others write meanwhile, and then it does."""
    given["CERTIFICATE"] = store.directory / "certificate.pem"
    given["CERTIFICATE"].write_text(subprocess.run(CERTIFICATE, shell=True, check=True, capture_output=True,
                                                   text=True).stdout, encoding="utf-8")
    before = store.run("export").stdout
    with running(store, *[given.get(word, word) for word in words]) as waits:
        waits.stdin.write(first)
        waits.stdin.flush()
        poll(lambda: unread(waits.stdin) == 0 and sleeps(waits), "a read that waits")
        assert locks.writer() is None
        for i in range(3):
            store.run("domain-set", f"other{i}.example", "policy=p", "--wait", "10")
        if "2" in words:
            poll(lambda: "d000002.example" in names(store), "the first batch")
            assert "d000003.example" not in names(store)
        waits.stdin.write(given[rest].read_text(encoding="utf-8") if rest in given else rest)
        ended(waits, status)
    if "--dry-run" not in words:
        assert set(before.splitlines()) < set(store.run("export").stdout.splitlines())
    assert "other2.example" in names(store)


def test_what_is_wrong_with_a_line_is_said_before_the_input_ends(store, locks):
    """All of it would have to be typed again."""
    del locks
    for args in ([], ["--batch", "100"]):
        with running(store, "import", *args, "-") as waits:
            waits.stdin.write(domain(1) + "bad\n")
            waits.stdin.flush()
            assert waits.wait(PATIENCE) == 1
            assert "standard input:2: " in waits.stderr.read()


def test_temporary_file_of_import(store, locks, directory):
    """It is where $TMPDIR says, has no name, and says what is wrong with it."""
    del locks
    text = "".join(domain(i) for i in range(1, 2000))
    environment = {**store.environment(), "TMPDIR": str(directory / "none")}
    done = subprocess.run([TOOL, "-s", store.path, "import", "-"], input=text, text=True, env=environment,
                          capture_output=True, check=False)
    assert done.returncode == 1
    assert re.fullmatch(rf"kmailctl: {directory}/none/kmailctl\.\w+: No such file or directory\n", done.stderr)
    (directory / "tmp").mkdir()
    environment["TMPDIR"] = str(directory / "tmp")
    done = subprocess.run([TOOL, "-s", store.path, "import", "--skip", "3", "-"], input=text, text=True,
                          env=environment, capture_output=True, check=True)
    assert done.stderr == "1,999 lines: 1,996 added, 0 changed, 0 deleted, 0 unchanged\n"
    assert not list((directory / "tmp").iterdir())
    assert len(names(store)) == 1997


def test_question_keeps_nobody_waiting(store, locks):
    """The verbs that ask about an id that looks like a slip."""
    store.run("policy-set", "business", "ns=ns1.example.net.")

    def answer():
        assert locks.writer() is None
        store.run("domain-set", "other.example", "policy=p", "--wait", "10")
        return b"y\n"

    status, shown = store.terminal("policy-set", "busines", "ns=ns1.example.net.", question="[y/N]", reply=answer)
    assert status == 0, shown
    assert "other.example" in names(store)
    assert "busines\n" in "".join(line.split()[0] + "\n" for line in store.run("policy-list").stdout.splitlines())


@pytest.mark.parametrize("words", [
    ["apply", "--dry-run", "CONF"],
    ["policy-set", "p", "--dry-run", *(f"txt={'x' * 200} {i}" for i in range(60))],
    ["domain-unset", "d000000.example", "--dry-run"],
])
def test_dry_run_that_nobody_reads_keeps_nobody_waiting(store, locks, given, words):
    """Its output fills the pipe; others write."""
    given["CONF"].write_text("domain:\n" + "".join(f"  - id: n{i}.example\n    policy: p\n" for i in range(1000)))
    store.run("domain-set", "d000000.example", *(f"txt={'x' * 200} {i}" for i in range(60)))
    with running(store, *[given.get(word, word) for word in words]) as waits:
        size = fcntl.fcntl(waits.stdout, fcntl.F_SETPIPE_SZ, 4096)
        poll(lambda: unread(waits.stdout) == size, "a full pipe")
        assert waits.poll() is None
        for i in range(3):
            store.run("domain-set", f"other{i}.example", "policy=p", "--wait", "10")
        ended(waits)
    assert len(names(store)) == 4


def ticks(process):
    """What a process has used of its processor, in hundredths of a second."""
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
    return int(fields[11]) + int(fields[12])


@pytest.mark.parametrize("words", [
    ["dkim-generate", "d000000.example/s", "--algorithm", "rsa", "--bits", "3072", "--out", "NEW"],
    ["key-generate", "k", "--algorithm", "rsasha256", "--bits", "3072"],
])
def test_key_that_is_made_keeps_nobody_waiting(store, locks, given, words):
    """An RSA key takes a while. It is made before the turn is waited for, as the work shows that was done by then."""
    locks.take(int(time.time()))
    with running(store, "domain-set", "x.example", "policy=p") as plain, \
            running(store, *[given.get(word, word) for word in words]) as makes:
        poll(lambda: locks.waiting() == 2, "both who wait", 4 * PATIENCE)
        assert ticks(makes) >= ticks(plain) + 5
        locks.give()
        ended(plain)
        ended(makes)
