# SPDX-License-Identifier: GPL-3.0-or-later
"""Measurements: questions per second, instructions, pages of the store, the time that a change takes."""

import ctypes
import json
import os
import statistics
import struct
import subprocess
import threading
import time

import domains
from machine import Failure
from servers import Asker, Module, preference

# Domains that are looked at for whether a change has come, evenly spread.
SAMPLE = 200
WARM_SECONDS = 0.5
# So long a server must hardly work before it is asked.
IDLE_SECONDS = 0.2


def summary(values):
    """Median, and how far the outermost are away from it, in parts of it."""
    median = statistics.median(values)
    away = max(max(values) - median, median - min(values))
    return {"median": median, "spread": away / median if median else 0, "runs": values}


def ask(bench, port, mix, count, *args):
    """Runs ask once, on the other core than the server's. Gives what it prints."""
    core = {bench.cores[1]} if bench.cores else bench.all_cores
    done = subprocess.run([str(bench.ask), "--port", str(port), "--mix", str(mix), "--domains", str(count),
                           *map(str, args)], capture_output=True, text=True, check=False,
                          preexec_fn=lambda: os.sched_setaffinity(0, core))
    if done.returncode != 0:
        raise Failure(f"ask: {done.stderr}")
    return json.loads(done.stdout) | {"shown": done.stderr}


def settle(bench, server):
    """Waits until a server has done what it does after its start, such as freeing what it loaded with."""
    deadline = time.monotonic() + bench.patience
    before = sum(server.cpu_time())
    while time.monotonic() < deadline:
        time.sleep(IDLE_SECONDS)
        after = sum(server.cpu_time())
        if after - before <= IDLE_SECONDS / 10:
            return
        before = after


def load(bench, server, mix, count, *args, runs=None):
    """Questions per second in several runs, and the CPU time that the server took for each."""
    settle(bench, server)
    ask(bench, server.port, mix, count, "--seconds", WARM_SECONDS, "--seed", 99, *args)
    rates, users, systems, busy = [], [], [], []
    total = {"answered": 0, "lost": 0, "wrong": 0, "truncated": 0}
    kinds = set()
    for run in range(runs or bench.runs):
        before = server.cpu_time()
        said = ask(bench, server.port, mix, count, "--seconds", bench.seconds, "--seed", run + 1, *args)
        after = server.cpu_time()
        if not said["answered"]:
            raise Failure(f"{server.name} answers nothing")
        rates.append(said["answered"] / said["seconds"])
        busy.append((sum(after) - sum(before)) / said["seconds"])
        users.append((after[0] - before[0]) / said["answered"] * 1e6)
        systems.append((after[1] - before[1]) / said["answered"] * 1e6)
        for item in total:
            total[item] += said[item]
        kinds.update(kind.partition(":")[0] for kind in said["wrong-kinds"])
    return {"qps": summary(rates), "user-us": statistics.median(users),
            "system-us": statistics.median(systems), "busy": statistics.median(busy), **total, "wrong-kinds": sorted(kinds)}


class Touched(Module):
    """knotd that counts the pages of the store that it touches (touch.c)."""

    def environment(self):
        return super().environment() | {"LD_PRELOAD": str(self.bench.touch),
                                        "TOUCH_STORE": str(self.store.path / "data.mdb"),
                                        "TOUCH_FILE": str(self.directory / "touched")}

    def sums(self):
        """(questions, pages) so far."""
        return struct.unpack("=QQ", (self.directory / "touched").read_bytes())


def pages(bench, store, mix, count):
    """Pages of data.mdb that one question touches, on average."""
    with Touched(bench, bench.scratch(), count, store) as server:
        ask(bench, server.port, mix, count, "--count", 200, "--window", 1)
        before = server.sums()
        ask(bench, server.port, mix, count, "--count", 2000, "--window", 1, "--seed", 5)
        after = server.sums()
    if after[0] - before[0] != 2000:
        raise Failure("not all questions were counted")
    return (after[1] - before[1]) / 2000


class Watch:
    """The transaction that readers of an LMDB environment would see now."""

    def __init__(self, path):
        self.lib = lib = ctypes.CDLL("liblmdb.so.0")
        lib.mdb_txn_id.restype = ctypes.c_size_t
        self.env = ctypes.c_void_p()
        self.txn = ctypes.c_void_p()
        self.call("mdb_env_create", ctypes.byref(self.env))
        # MDB_RDONLY, MDB_NOTLS
        self.call("mdb_env_open", self.env, str(path).encode(), 0x220000, 0o660)
        self.call("mdb_txn_begin", self.env, None, 0x20000, ctypes.byref(self.txn))
        lib.mdb_txn_reset(self.txn)

    def call(self, function, *args):
        """Calls a function of LMDB that gives an error number."""
        status = getattr(self.lib, function)(*args)
        if status != 0:
            raise Failure(f"{function}: {status}")

    def transaction(self):
        """Its number."""
        self.call("mdb_txn_renew", self.txn)
        number = self.lib.mdb_txn_id(self.txn)
        self.lib.mdb_txn_reset(self.txn)
        return number

    def close(self):
        """Ends it."""
        self.lib.mdb_txn_abort(self.txn)
        self.lib.mdb_env_close(self.env)


def commit_to_answer(bench, server, new):
    """Seconds from the moment that a commit is seen by readers to the first new answer."""
    names = [domains.name(1 + index * max(server.count - 1, 1) // 7 % server.count) for index in range(8)]
    writer = threading.Thread(target=server.store.change, args=(new,))
    watch = Watch(server.store.path)
    try:
        old = watch.transaction()
        writer.start()
        with Asker(server.port) as asker:
            committed = None
            deadline = time.monotonic() + 60
            for turn in range(1 << 62):
                time_before = time.monotonic()
                if committed is None and watch.transaction() != old:
                    committed = time_before
                if preference(asker.ask(names[turn % 8], timeout=1)) == new:
                    return time.monotonic() - (committed or time_before)
                if time.monotonic() > deadline:
                    raise Failure("the change did not come within a minute")
    finally:
        writer.join()
        watch.close()
    return None


def change(bench, server, new):
    """Gives all domains a new MX. {"seconds", "estimated"}: until a sample of all has it."""
    begin = server.change(new)
    if isinstance(begin, tuple):
        number, seconds = begin
        return {"seconds": seconds * server.count / number, "estimated": number < server.count,
                "rate": number / seconds}
    with Asker(server.port) as asker:
        end = begin
        step = max(1, server.count // SAMPLE)
        for number in [*range(1, server.count + 1, step), server.count]:
            end = asker.until(domains.name(number), new, bench.patience)
    server.change_done()
    return {"seconds": end - begin, "estimated": False, "rate": server.count / (end - begin)}
