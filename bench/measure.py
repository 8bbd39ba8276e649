# SPDX-License-Identifier: GPL-3.0-or-later
"""Measurements of any server: questions per second, instructions, pages of the store, the time that a change takes."""

import concurrent.futures
import ctypes
import json
import re
import statistics
import struct
import threading
import time

import domains
import machine
from machine import Failure
from servers import Asker, Knotd, preference

# Domains that are looked at for whether a change has come, evenly spread.
SAMPLE = 200
WARM_SECONDS = 0.5
# So long a server must hardly work before it is asked.
IDLE_SECONDS = 0.2
TOUCHES = 2000
# The part of them that must have been counted.
COUNTED = 0.9
# Domains of which everything is asked once, so that all plans are made and all classes of domains were there.
WALKED = 500
# Runs without any answer after which a server counts as silent.
PATIENT = 3
# Sockets that ask several UDP workers.
ASKERS = 16


def summary(values):
    """Return the median, and how far the outermost are away from it, in parts of it."""
    median = statistics.median(values)
    away = max(max(values) - median, median - min(values))
    return {"median": median, "spread": away / median if median else 0, "runs": values}


def ask(bench, server, mix, *args):
    """Run ask once, on the other core than the server's, and return what it prints."""
    return json.loads(machine.run(bench.ask, "--port", server.port, "--mix", mix, *args, cores=bench.asker_core))


def settle(bench, server):
    """Wait until a server has done what it does after its start, such as freeing what it loaded with."""
    deadline = time.monotonic() + bench.patience
    before = sum(server.cpu_time())
    while time.monotonic() < deadline:
        time.sleep(IDLE_SECONDS)
        after = sum(server.cpu_time())
        if after - before <= IDLE_SECONDS / 10:
            return
        before = after


def timed(bench, server, mix, *args, seconds=None):
    """Run ask for the length of a run, and return what it prints, with the (user, system) seconds of the server."""
    args = "--domains", server.count, "--seconds", seconds or bench.seconds, *args
    # A machine that has much else to do may leave a server without its core for that long.
    for _ in range(PATIENT):
        before = server.cpu_time()
        said = ask(bench, server, mix, *args)
        if said["answered"]:
            break
    else:
        raise Failure(f"{server.name} answers nothing")
    return said | {"used": [after - start for start, after in zip(before, server.cpu_time())]}


def load(bench, server, mix, *args):
    """Return the questions per second in several runs, and the CPU time that the server took for each."""
    settle(bench, server)
    timed(bench, server, mix, "--seed", 99, *args, seconds=WARM_SECONDS)
    runs = [timed(bench, server, mix, "--seed", run + 1, *args) for run in range(bench.runs)]
    user, system = (statistics.median(run["used"][part] / run["answered"] * 1e6 for run in runs) for part in (0, 1))
    return {"qps": summary([run["answered"] / run["seconds"] for run in runs]), "user-us": user, "system-us": system,
            "busy": statistics.median(sum(run["used"]) / run["seconds"] for run in runs),
            **{item: sum(run[item] for run in runs) for item in ("answered", "lost", "wrong", "truncated")},
            "wrong-kinds": sorted({kind.partition(":")[0] for run in runs for kind in run["wrong-kinds"]})}


def parallel(bench, server, mix):
    """Return the questions per second of a server with several UDP workers, and the lost and wrong answers.

    The kernel deals sockets out to the workers, so many ask at once, on cores that the server has not.
    """
    cores = bench.all_cores - server.cores
    settle(bench, server)

    def one(number):
        return json.loads(machine.run(bench.ask, "--port", server.port, "--mix", mix, "--domains", server.count,
                                      "--seconds", bench.seconds, "--window", 64, "--seed", number, cores=cores))
    with concurrent.futures.ThreadPoolExecutor(ASKERS) as pool:
        said = list(pool.map(one, range(ASKERS)))
    return {"qps": sum(part["answered"] / part["seconds"] for part in said),
            **{item: sum(part[item] for part in said) for item in ("answered", "lost", "wrong")}}


def callgrind(path, library):
    """Return {"all": instructions, "module": those of calls from knotd into a library, with all that it calls}.

    The format: https://valgrind.org/docs/manual/cl-format.html. A call is a line "calls=", and the next
    line has the inclusive cost; cob= names the object called when it is not the caller's. The first use
    of a name gives it a number, which stands for it afterwards.
    """
    names = {}
    own = called = ""
    total = inside = 0
    is_call = False

    def resolve(text):
        number, name = re.match(r"\((\d+)\)(?: (.*))?", text).groups()
        return names.setdefault(number, name)

    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("ob="):
                own = called = resolve(line[3:].rstrip())
            elif line.startswith("cob="):
                called = resolve(line[4:].rstrip())
            elif line.startswith("calls="):
                is_call = True
            elif line.startswith("totals:"):
                total = int(line.split()[1])
            elif is_call:
                if called.endswith("/" + library) and own.endswith("/knotd"):
                    inside += int(line.split()[1])
                called, is_call = own, False
    return {"all": total, "module": inside}


def mark(server, octet):
    """Begin or end a count of instructions (counted.c), and wait until that is done."""
    with Asker(server.port) as asker:
        asker.socket.send(octet)
        asker.ask(domains.name(1), timeout=60)


def instructions(bench, served, mix, *args, walked=0):
    """Return the instructions per question, in all of knotd and inside the module: {"all": n, "module": n}.

    served: (domains, zones, store) of the knotd. Questions come one after the other, so that the count does not
    depend on how many come at once. walked: the domains of which everything is asked once before the count.
    """
    server = Knotd(bench, *served)
    server.wrapper = [machine.program("valgrind"), "--tool=callgrind", "--separate-threads=yes",
                      "--instr-atstart=no", f"--callgrind-out-file={server.directory}/callgrind", "-q"]
    server.variables = {"LD_PRELOAD": str(bench.counted)}
    slow = "--window", 1, "--timeout", 60, *args
    with server:
        said = [walk(bench, server, mix, walked, *slow)] if walked else []
        settle(bench, server)
        mark(server, b"b")
        said.append(ask(bench, server, mix, "--count", bench.traced, "--seed", 7, *slow))
        mark(server, b"e")
        if any(part["lost"] or part["wrong"] for part in said):
            raise Failure(f"under callgrind: {said}")
    # Other threads work by the clock. The one that answers has by far the most to do.
    found = max((callgrind(file, "mail.so") for file in server.directory.glob("callgrind-*")),
                key=lambda thread: thread["all"])
    return {part: number / bench.traced for part, number in found.items()}


def walk(bench, server, mix, count, *args, turns=1):
    """Ask everything of the first domains, so many times."""
    kinds = len(mix.read_text(encoding="ascii").splitlines()) - 1
    # The last --domains counts. Kinds that are not for a domain are passed over, so some come again.
    return ask(bench, server, mix, *args, "--domains", count, "--walk", 1, "--count", turns * count * kinds)


def touched(bench, store, mix, count, *args):
    """Return what one question does on average (touch.c): {"pages": of data.mdb, "allocations": n}."""
    server = Knotd(bench, count, store=store)
    sums = server.directory / "touched"
    server.variables = {"LD_PRELOAD": str(bench.touch), "TOUCH_STORE": str(store.path / "data.mdb"),
                        "TOUCH_FILE": str(sums)}
    with server:
        # An answer is kept when it is asked for the second time.
        walk(bench, server, mix, min(count, WALKED), "--window", 1, *args, turns=3)
        before = struct.unpack("=4Q", sums.read_bytes())
        ask(bench, server, mix, "--domains", count, "--count", TOUCHES, "--window", 1, "--seed", 5, *args)
        after = struct.unpack("=4Q", sums.read_bytes())
    counted, pages, allocations, _ = (end - begin for begin, end in zip(before, after))
    # A question during which another thread looked at the store is none that can be counted.
    if not COUNTED * TOUCHES <= counted <= TOUCHES:
        raise Failure(f"of {TOUCHES} questions {counted} were counted")
    return {"pages": pages / counted, "allocations": allocations / counted}


class Watch:
    """The transaction that readers of an LMDB environment would see now."""

    def __init__(self, path):
        self.lib = ctypes.CDLL("liblmdb.so.0")
        self.lib.mdb_txn_id.restype = ctypes.c_size_t
        self.env = ctypes.c_void_p()
        self.txn = ctypes.c_void_p()
        self.call("mdb_env_create", ctypes.byref(self.env))
        # MDB_RDONLY, MDB_NOTLS
        self.call("mdb_env_open", self.env, str(path).encode(), 0x220000, 0o660)
        self.call("mdb_txn_begin", self.env, None, 0x20000, ctypes.byref(self.txn))
        self.lib.mdb_txn_reset(self.txn)

    def call(self, function, *args):
        """Call a function of LMDB that returns an error number."""
        status = getattr(self.lib, function)(*args)
        if status != 0:
            raise Failure(f"{function}: {status}")

    def transaction(self):
        """Return its number."""
        self.call("mdb_txn_renew", self.txn)
        number = self.lib.mdb_txn_id(self.txn)
        self.lib.mdb_txn_reset(self.txn)
        return number

    def close(self):
        """End it."""
        self.lib.mdb_txn_abort(self.txn)
        self.lib.mdb_env_close(self.env)


def commit_to_answer(server, new):
    """Return the seconds from the moment that a commit is seen by readers to the first new answer."""
    numbers = (1 + index * max(server.count - 1, 1) // 7 % server.count for index in range(8))
    names = [domains.name(number) for number in filter(domains.has_mail, numbers)]
    writer = threading.Thread(target=server.store.change, args=(new,))
    watch = Watch(server.store.path)
    try:
        old = watch.transaction()
        writer.start()
        committed = None
        deadline = time.monotonic() + 60
        with Asker(server.port) as asker:
            while (before := time.monotonic()) < deadline:
                if committed is None and watch.transaction() != old:
                    committed = before
                if preference(asker.ask(names[asker.number % len(names)], timeout=1)) == new:
                    return time.monotonic() - (committed or before)
        raise Failure("the change did not come within a minute")
    finally:
        writer.join()
        watch.close()


def change(bench, server, new):
    """Give all domains a new MX. Return {"seconds", "estimated", "rate"}: until a sample of all has it."""
    begin = server.change(new)
    if isinstance(begin, tuple):
        number, seconds = begin
        return {"seconds": seconds * server.count / number, "estimated": number < server.count,
                "rate": number / seconds}
    with Asker(server.port) as asker:
        step = max(1, server.count // SAMPLE)
        for number in filter(domains.has_mail, [*range(1, server.count + 1, step), server.count]):
            end = asker.until(domains.name(number), new, bench.patience)
    # The children that serve may be others after a reload.
    server.pin()
    return {"seconds": end - begin, "estimated": False, "rate": server.count / (end - begin)}
