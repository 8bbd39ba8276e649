# SPDX-License-Identifier: GPL-3.0-or-later
"""What writing costs: one change of a large store, a line of an import, and answers while somebody writes."""

import json
import resource
import shutil
import statistics
import struct
import subprocess
import threading
import time

import domains
import machine
import measure
import report
from servers import Knotd

# Domains that a change is made to, each once; the median counts.
TURNS = 5
# Lines of one import, and of one whose lines are transactions of their own.
LINES = 2000
KEEP_GOING = 100
# Changes that somebody writes in a second while questions are asked, and how many are one transaction.
RATE = 1000
BATCH = 10
ED25519 = "key=N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
SET, NEW = "domain-set, an existing domain", "domain-set, a new domain"
# What is done to the domain of a turn, one after the other: number -> arguments.
CHANGES = (
    (NEW, lambda number: ("domain-set", beside(number), "policy=bench")),
    (SET, lambda number: ("domain-set", domains.name(number), "txt+=changed")),
    ("dkim-set, Ed25519", lambda number: ("dkim-set", f"{domains.name(number)}/w1", ED25519)),
    ("dkim-set, RSA", lambda number: ("dkim-set", f"{domains.name(number)}/w2", f"key={domains.rsa_key(number)}")),
    ("dkim-unset", lambda number: ("dkim-unset", f"{domains.name(number)}/w1")),
    # Its key goes too.
    ("domain-unset", lambda number: ("domain-unset", domains.name(number))),
    ("policy-set", lambda number: ("policy-set", "bench", f"mx={100 + number % 9973} mail")),
)


def beside(number):
    """Return the name of a domain that is not stored, next to one that is."""
    return domains.name(number).replace(".", domains.FOREIGN_TAIL + ".", 1)


def own(count):
    """Return the numbers of domains that have records of their own, and no more than that."""
    return [number for number in range(1, count + 1) if domains.CLASSES[number % 100] == "."]


def spend(store, *args, **how):
    """Run kmailctl on one core, and return the CPU seconds that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    store.run(*args, cores=store.bench.server_core, **how)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def one_change(bench, store, args):
    """Make one change. Return what touch.c counts of it."""
    sums = bench.work / "changed"
    sums.unlink(missing_ok=True)
    store.run(*args, env={"LD_PRELOAD": str(bench.touch), "TOUCH_STORE": str(store.path / "data.mdb"),
                          "TOUCH_FILE": str(sums), "TOUCH_WHOLE": "1"})
    _, pages, _, octets = struct.unpack("=4Q", sums.read_bytes())
    return pages, octets


def changes(bench, store, count):
    """Return what each kind of change costs: pages touched and octets written (touch.c), CPU seconds without that."""
    found = {title: [] for title, _ in CHANGES}
    numbers = own(count)
    picked = numbers[::max(len(numbers) // (2 * TURNS), 1)][:2 * TURNS]
    for counted, timed in zip(picked[::2], picked[1::2]):
        for title, make in CHANGES:
            pages, octets = one_change(bench, store, make(counted))
            found[title].append((pages, octets, spend(store, *make(timed))))
    return [{"what": title, **dict(zip(("pages", "octets", "cpu"), map(statistics.median, zip(*values))))}
            for title, values in found.items()]


def imports(store, count):
    """Return the CPU seconds of a line of an import, less what an import of nothing takes."""
    numbers = own(count)[:LINES]
    few = min(KEEP_GOING, len(numbers) // 2)
    keys = [f'{{"kind":"dkim","id":"{domains.name(number)}/w8","key":"{domains.rsa_key(number)}"}}\n'
            for number in numbers]

    def new(tail, rest=""):
        return [f'{{"kind":"domain","name":"{tail}{domains.name(number)}","policy":"bench"{rest}}}\n'
                for number in numbers]

    gone = [line[:line.index(',"policy"')] + ',"deleted":true}\n' for line in new("x")]
    rejects = store.bench.work / "rejects"
    plan = (
        ("nothing", [], ()),
        ("a plain domain", new("x"), ()),
        ("a domain with records", new("y", ',"txt":["some text"],"record":["@ A 192.0.2.1","www A 192.0.2.1"]'), ()),
        ("an RSA key", keys, ()),
        ("the same key again", keys, ()),
        ("a deletion", gone[few:], ()),
        ("a deletion, --keep-going", gone[:few], ("--keep-going", "--rejects", rejects)),
    )
    found, base = [], 0
    path = store.path.with_suffix(".ndjson")
    for title, text, options in plan:
        path.write_text("".join(text), encoding="ascii")
        rejects.unlink(missing_ok=True)
        cpu = spend(store, "import", path, *options)
        base = base if text else cpu
        if text:
            found.append({"what": title, "cpu": max(cpu - base, 0) / len(text), "lines": len(text)})
    path.unlink()
    return found


class Writer(threading.Thread):
    """Somebody who changes domains all the time."""

    def __init__(self, store, count):
        super().__init__()
        self.count = count
        self.over = threading.Event()
        self.lines = 0
        self.seconds = 0
        self.program = subprocess.Popen(
            [store.bench.tool, "-s", store.path, "import", "--batch", str(BATCH), "-"], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        machine.pin(self.program.pid, store.bench.writer_core)

    def run(self):
        begin = time.monotonic()
        numbers = own(min(self.count, 10000))
        try:
            while not self.over.is_set():
                for _ in range(BATCH):
                    line = json.loads(domains.customer(numbers[self.lines % len(numbers)]))
                    line["txt"] = [f"changed={self.lines}"]
                    self.program.stdin.write(json.dumps(line) + "\n")
                    self.lines += 1
                self.program.stdin.flush()
                time.sleep(max(begin + self.lines / RATE - time.monotonic(), 0))
            self.program.stdin.close()
        except BrokenPipeError:
            pass
        self.program.wait()
        self.seconds = time.monotonic() - begin

    def end(self):
        """Let it end, and return the changes that it made in a second."""
        self.over.set()
        self.join()
        if self.program.returncode != 0:
            raise machine.Failure(f"the writer: {self.program.stderr.read()[-500:]}")
        self.program.stderr.close()
        return self.lines / self.seconds


def answers(bench, store, count):
    """Ask while somebody writes. Return the questions per second with and without that, and lost and wrong answers."""
    mix = bench.questions(store.mix, preference=store.preference)
    with Knotd(bench, count, store=store) as server:
        measure.settle(bench, server)
        quiet = measure.timed(bench, server, mix)
        writer = Writer(store, count)
        writer.start()
        try:
            said = measure.timed(bench, server, mix, seconds=max(2 * bench.seconds, 1))
        finally:
            rate = writer.end()
    return {"rate": rate, "qps": said["answered"] / said["seconds"], "quiet-qps": quiet["answered"] / quiet["seconds"],
            **{item: said[item] for item in ("answered", "lost", "wrong")}}


def measure_all(bench, store, count):
    """Measure all of it on a copy of a store with customers."""
    bench.say(f"writing, {count:,} domains")
    copy = store.copy("written")
    found = {"domains": count, "answers": answers(bench, copy, count), "imports": imports(copy, count),
             "changes": changes(bench, copy, count)}
    shutil.rmtree(copy.path)
    return found


# The report

def tables(found):
    """Return two tables (titles, lines) and a sentence."""
    one = next(row for row in found["changes"] if row["what"] == NEW)
    plain = found["imports"][0]
    said = found["answers"]
    return (
        ([f"one change of {report.count(found['domains'])} domains", "pages", "written", "CPU", "pages, of a new domain"],
         [[row["what"], report.count(row["pages"]), report.octets(row["octets"]), report.seconds(row["cpu"]),
           f"{row['pages'] / one['pages']:.2f}"] for row in found["changes"]]),
        (["a line of an import", "CPU", "of a plain one"],
         [[row["what"], report.seconds(row["cpu"]), f"{row['cpu'] / plain['cpu']:.2f}" if plain["cpu"] else ""]
          for row in found["imports"]]),
        f"While {said['rate']:,.0f} changes a second are written, knotd answers {said['qps']:,.0f} questions a second "
        f"(before: {said['quiet-qps']:,.0f}). Of {said['answered']:,} answers {said['lost']:,} are lost and "
        f"{said['wrong']:,} are wrong.")


def text_of(found):
    """Return them as text."""
    if not found:
        return ""
    *both, text = tables(found)
    return "\n\n".join((*(report.table(*one) for one in both), text))


def add_bars(made, found):
    """Add what is wanted of writing."""
    costs = {row["what"]: row["pages"] for row in found["changes"]} if found else {}
    lines = {row["what"]: row["cpu"] for row in found["imports"]} if found else {}
    for title in (SET, "domain-unset", "dkim-set, RSA", "dkim-unset"):
        made.times(f"pages of {title}, of those of a new one", 3, costs.get(title), costs.get(NEW), 2)
    made.times("CPU of an imported line with an RSA key, of a plain one", 3, lines.get("an RSA key"),
               lines.get("a plain domain"))
    made.most("answers lost while a thousand changes a second are written", 0,
              found["answers"]["lost"] if found else None, report.count)
