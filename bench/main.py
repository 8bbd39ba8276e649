# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of bench/run: what is measured in which order, and what is left out."""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import domains
import machine
import measure
import peers
import report
import signed
import traced
from machine import Failure
from servers import Knotd, Module, Store, Zones

TOP = Path(__file__).resolve().parents[1]
SIZES = (1, 1000, 100_000, 1_000_000, 10_000_000)
QUICK_SIZES = (1, 1000, 100_000)
PEERS = ("knotd", "nsd", "pdns")
QUICK_SECONDS = 105
# A size up to which peers are asked to change all domains.
CHANGE_MOST = 100_000
# Parts of what is free that a peer may take, as far as one can say beforehand.
SHARE = 0.8
# Of a peer that was not measured yet: what knotd with zones takes.
GUESS = {"domains": 1000, "start": 0.3, "private": 8_000_000, "disk": 4_000_000}
STARTS = 3
COMMITS = 5
ZIPF = 1.0
LIBRARY_FLAGS = ["-fPIC", "-shared", "-fvisibility=hidden"]


class Bench:
    """What all measurements share."""

    def __init__(self, options, work):
        self.options = options
        self.work = work
        self.tool = options.build / "tool" / "kmailctl"
        self.module = options.build / "module" / ".libs" / "mail.so"
        self.ask = work / "ask"
        self.touch = work / "touch.so"
        self.all_cores = os.sched_getaffinity(0)
        self.cores = machine.cores()
        self.runs = options.runs
        self.seconds = options.seconds
        self.patience = options.limit
        self.traced = (500, 2500) if options.quick else (2000, 12000)
        # With the time that it took to build.
        self.begin = float(os.environ.get("BENCH_STARTED", time.time()))
        self.rows = []
        self.left_out = []
        self.instructions = {}
        self.scratches = 0
        for built in (self.tool, self.module):
            if not built.exists():
                raise Failure(f"{built} is not there: scripts/build makes it")
        if b"libasan.so" in self.module.read_bytes():
            raise Failure("numbers of a sanitized build mean nothing")

    def compile(self):
        """Makes the programs of the bench that are written in C."""
        common = ["cc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra"]
        here = Path(__file__).parent
        for args in (["-o", self.ask, here / "ask.c", "-lm"],
                     [*LIBRARY_FLAGS, "-o", self.touch, here / "touch.c", "-ldl"]):
            subprocess.run([*common, *map(str, args)], check=True)

    def scratch(self):
        """A new directory."""
        self.scratches += 1
        path = self.work / f"run{self.scratches}"
        path.mkdir()
        return path

    def mix(self, name, mix, **how):
        """The file of a mix."""
        path = self.work / f"{name}.mix"
        path.write_text(domains.mix_text(mix, **how), encoding="ascii")
        return path

    def say(self, text):
        """A line on what is being done."""
        print(f"[{time.time() - self.begin:6.1f}] {text}", file=sys.stderr, flush=True)

    def leave_out(self, text):
        """Something is not measured, for this reason."""
        self.left_out.append(text)
        self.say("left out: " + text)

    def remaining(self):
        """Seconds that are left; without --quick there is no end."""
        return self.begin + QUICK_SECONDS - time.time() if self.options.quick else float("inf")


def questions(bench, server, row, preference=domains.PREFERENCE):
    """Uniform and Zipf questions, into a row."""
    mix = bench.mix("mail", domains.MIX, preference=preference)
    for kind in bench.options.questions:
        args = ("--zipf", ZIPF) if kind == "zipf" else ()
        row[kind] = measure.load(bench, server, mix, server.count, *args)


def ours(bench, store, size):
    """The row of this project at a size."""
    bench.say(f"mod-mail, {size:,} domains")
    row = {"system": "mod-mail", "domains": size, "disk": store.disk()}
    bench.rows.append(row)
    starts = []
    for _ in range(STARTS):
        with Module(bench, bench.scratch(), size, store) as server:
            starts.append(server.start_seconds)
            if len(starts) == STARTS:
                questions(bench, server, row)
                row["private"], row["mapped"] = server.memory()
                row["commits"] = [measure.commit_to_answer(bench, server, 20 + turn)
                                  for turn in range(COMMITS)]
                row["change"] = measure.change(bench, server, 30)
    row["start"] = statistics.median(starts)
    row["commit"] = statistics.median(row["commits"])
    row["pages"] = measure.pages(bench, store, bench.mix("changed", domains.MIX, preference=30), size)
    return row


def floor(bench, zones):
    """What knotd's own refusal costs in time."""
    mix = bench.mix("foreign", domains.FOREIGN)
    with Knotd(bench, bench.scratch(), 1, zones) as server:
        bench.rows.append({"system": "floor", "domains": 1, "uniform": measure.load(
            bench, server, mix, 1000, "--tail", domains.FOREIGN_TAIL)})


def peer_server(bench, peer, size, zones):
    """The servers of a peer, ready to start."""
    directory = bench.scratch()
    if peer == "knotd":
        return [Knotd(bench, directory, size, zones)]
    if peer == "nsd":
        return [peers.Nsd(bench, directory, size, zones)]
    server = peers.PowerDns(bench, directory, size, zones)
    server.load(bench.patience)
    bench.say(f"pdnsutil took {server.load_seconds:.1f} s")
    both = [server, peers.PowerDns(bench, directory, size, zones, cached=True)]
    both[1].load_seconds = server.load_seconds
    return both


def measure_peer(bench, peer, size, zones):
    """The rows of a peer at a size."""
    bench.say(f"{peer}, {size:,} domains")
    servers = peer_server(bench, peer, size, zones)
    for server in servers:
        row = {"system": server.name, "domains": size}
        with server:
            row["start"] = server.start_seconds
            row["load"] = server.load_seconds
            questions(bench, server, row)
            row["private"], row["mapped"] = server.memory()
            row["disk"] = server.disk()
            if server is servers[-1] and size <= CHANGE_MOST and bench.remaining() > 2 * row["start"] + 5:
                row["change"] = measure.change(bench, server, 20)
        bench.rows.append(row)
        most = 1 if bench.options.quick else 1000
        if peer == "knotd" and bench.options.instructions and size <= most and bench.remaining() > 20:
            zones.write(domains.PREFERENCE)
            row["instructions"] = traced.mix(
                bench, lambda directory: Knotd(bench, directory, size, zones), size)
    if zones.store.preference != domains.PREFERENCE:
        zones.write(domains.PREFERENCE)


def affordable(bench, peer, size):
    """Why a peer is not measured at a size, judged by a smaller size; empty: it is."""
    last = max((row for row in bench.rows if row["system"] == peer and 1 < row["domains"] < size),
               key=lambda row: row["domains"], default=GUESS)
    times = size / last["domains"]
    start = last["start"] * times
    if last.get("load", 0) * times > bench.patience:
        return f"it would load for about {last['load'] * times:.0f} s"
    if start > bench.patience:
        return f"it would start for about {start:.0f} s"
    if start * (2 if bench.options.quick else 1) + 10 > bench.remaining():
        return "no time is left"
    if last["private"] * times > machine.free_memory() * SHARE:
        return f"it would need about {report.octets(last['private'] * times)} of memory"
    octets, files = machine.free_disk(bench.work)
    if last["disk"] * times * 2 > octets * SHARE or size > files * SHARE:
        return f"it would need about {report.octets(last['disk'] * times * 2)} of disk"
    return ""


def all_peers(bench, size, store):
    """All peers at a size, with the domains of a store."""
    wanted = []
    for peer in bench.options.peers:
        if bench.options.quick and peer != "knotd" and size < 1000 <= max(bench.options.sizes):
            continue
        reason = affordable(bench, peer, size)
        if reason:
            bench.leave_out(f"{peer} with {size:,} domains: {reason}")
        else:
            wanted.append(peer)
    if not wanted:
        return
    bench.say(f"writing {size:,} zone files")
    zones = Zones(bench.work / "zones", store())
    try:
        if "knotd" in wanted and not any(row["system"] == "floor" for row in bench.rows):
            floor(bench, zones)
        for peer in wanted:
            if reason := affordable(bench, peer, size):
                bench.leave_out(f"{peer} with {size:,} domains: {reason}")
                continue
            try:
                measure_peer(bench, peer, size, zones)
            except Failure as problem:
                bench.leave_out(f"{peer} with {size:,} domains: {problem}")
    finally:
        shutil.rmtree(zones.directory)


def filled(bench, size):
    """A store of so many domains, and the seconds that their import took."""
    store = Store(bench, bench.work / "store")
    return store, store.load(size)


def measure_all(bench):
    """Everything, smallest size first; quick: this project at all sizes before the others."""
    options = bench.options
    foreign = max((size for size in options.sizes if size <= 1_000_000), default=options.sizes[-1])
    store, _ = filled(bench, 1)
    one_disk = store.disk()
    store.remove()
    for size in options.sizes:
        store, seconds = filled(bench, size)
        row = ours(bench, store, size)
        if size > 1:
            row["import"] = size / seconds
            row["domain-octets"] = (row["disk"] - one_disk) / (size - 1)
        if options.instructions and (not options.quick or size == foreign):
            row["instructions"] = traced.mix(
                bench, lambda directory: Module(bench, directory, size, store), size, store.preference)
        if options.instructions and size == foreign:
            bench.say("instructions of questions that are not for the module")
            bench.instructions = traced.strangers(bench, store, size)
        if not options.quick:
            all_peers(bench, size, lambda filled_store=store: filled_store)
        store.remove()
    for size in quick_order(options.sizes) if options.quick else ():
        all_peers(bench, size, lambda count=size: filled(bench, count)[0])
        shutil.rmtree(bench.work / "store", ignore_errors=True)


def quick_order(sizes):
    """In which order peers are measured while time lasts: the largest of what starts fast comes first."""
    return sorted((size for size in sizes if size <= 1000), reverse=True) + \
        [size for size in sizes if size > 1000]


def numbers(text):
    """1,1000 (also 1k, 10M)."""
    units = {"k": 1000, "M": 1_000_000}
    found = sorted({int(float(word.rstrip("kM")) * units.get(word[-1:], 1)) for word in text.split(",")})
    if not found or found[0] < 1:
        raise argparse.ArgumentTypeError("a number of domains is at least 1")
    return found


def words(known):
    """A parser of words with commas between."""
    def parse(text):
        found = [word for word in text.split(",") if word]
        if set(found) - set(known):
            raise argparse.ArgumentTypeError(f"of these: {', '.join(known)}")
        return found
    return parse


def parse_options(args):
    """The command line."""
    parser = argparse.ArgumentParser(prog="bench/run", description="Measures mod-mail beside its peers.")
    parser.add_argument("--quick", action="store_true", help="under two minutes, up to 100,000 domains")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there too")
    parser.add_argument("--dnssec", action="store_true", help="measure signing instead")
    parser.add_argument("--sizes", type=numbers, help="numbers of domains: 1,1000,100k,1M,10M")
    parser.add_argument("--peers", type=words(PEERS), help="knotd,nsd,pdns; empty: none")
    parser.add_argument("--questions", type=words(("uniform", "zipf")), help="uniform,zipf")
    parser.add_argument("--runs", type=int, help="runs of which the median is taken")
    parser.add_argument("--seconds", type=float, help="length of a run")
    parser.add_argument("--limit", type=float, default=600, help="seconds that a peer may load or start")
    parser.add_argument("--no-instructions", dest="instructions", action="store_false",
                        help="do not count instructions (valgrind)")
    parser.add_argument("--cold", type=int, default=100_000, metavar="N",
                        help="with --dnssec: domains that have no signature in the cache yet (100000)")
    parser.add_argument("--build", type=Path, default=TOP / "build", help="directory of a build")
    options = parser.parse_args(args)
    quick = options.quick
    if options.dnssec:
        options.sizes = options.sizes or [1000]
    options.sizes = options.sizes or (QUICK_SIZES if quick else SIZES)
    options.peers = list(PEERS) if options.peers is None else options.peers
    options.questions = options.questions or (["uniform"] if quick else ["uniform", "zipf"])
    options.runs = options.runs or (3 if quick else 5)
    options.seconds = options.seconds or (1 if quick else 5)
    return options


def check_programs(bench):
    """What is missing is left out, with a line."""
    missing = peers.installed()
    for peer in list(bench.options.peers):
        if missing[peer]:
            bench.leave_out(f"{peer}: {missing[peer]}")
            bench.options.peers.remove(peer)
    if bench.options.instructions and machine.program("valgrind") is None:
        bench.leave_out("instructions: not installed (Debian package valgrind)")
        bench.options.instructions = False
    if bench.cores is None:
        bench.leave_out("a core for each side: there is but one, numbers are of both together")


def main(args):
    """Measures, prints, writes."""
    options = parse_options(args)
    work = Path(os.environ["BENCH_WORK"])
    # However it ends, the servers end with it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(130))
    try:
        bench = Bench(options, work)
        bench.compile()
        check_programs(bench)
        facts = machine.facts()
        if options.dnssec:
            result = signed.measure_all(bench)
            print(report.facts_text(facts) + "\n\n" + signed.text(result))
        else:
            measure_all(bench)
            bars = report.Bars(bench.rows, bench.instructions).all()
            result = {"rows": bench.rows, "instructions": bench.instructions, "bars": bars}
            print("\n\n".join((report.facts_text(facts), report.result_table(bench.rows),
                               report.bars_table(bars))))
    except Failure as problem:
        print(f"bench/run: {problem}", file=sys.stderr)
        return 1
    for line in bench.left_out:
        print(f"left out: {line}")
    for line in report.doubts(result["rows"]):
        print(f"doubtful: {line}")
    print(f"took {time.time() - bench.begin:.0f} s")
    if options.json:
        known = {item: str(value) if isinstance(value, Path) else value
                 for item, value in vars(options).items()}
        options.json.write_text(json.dumps(
            {"machine": facts, "options": known, **result, "left-out": bench.left_out}, indent=1) + "\n",
            encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
