# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of bench/run: what is measured in which order, and what is left out."""

import argparse
import json
import os
import shutil
import signal
import statistics
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
import writes
from machine import Failure
from servers import Knotd, Store, Zones

SIZES = (1, 1000, 100_000, 1_000_000, 10_000_000)
QUICK_SIZES = (1, 1000, 100_000)
PEERS = ("knotd", "nsd", "pdns")
PRELOADED = "-fPIC", "-shared", "-fvisibility=hidden", "-ftls-model=initial-exec", "-ldl"
QUICK_SECONDS = 105
# A size up to which peers are asked to change all domains.
CHANGE_MOST = 100_000
# Parts of what is free that a peer may take, as far as one can say beforehand.
SHARE = 0.8
# Of a peer that was not measured yet: what knotd with zones takes.
GUESS = {"domains": 1000, "start": 0.3, "private": 8_000_000, "disk": 4_000_000}
STARTS = 3
COMMITS = 5
# UDP workers where there are twice as many cores: as many ask.
WORKERS = 4


class Bench:
    """What all measurements share."""

    def __init__(self, options, work):
        self.options = options
        self.work = work
        self.tool = options.build / "tool" / "kmailctl"
        self.module = options.build / "module" / ".libs" / "mail.so"
        self.ask = work / "ask"
        self.touch = work / "touch.so"
        self.counted = work / "counted.so"
        self.all_cores = os.sched_getaffinity(0)
        # One for the server and one for whatever asks, where there are two.
        self.server_core, self.asker_core = {min(self.all_cores)}, {sorted(self.all_cores)[:2][-1]}
        self.writer_core = {sorted(self.all_cores)[:3][-1]}
        self.runs = options.runs
        self.seconds = options.seconds
        self.patience = options.limit
        # Questions of which the instructions are counted.
        self.traced = 2000 if options.quick else 10000
        # With the time that it took to build.
        self.begin = float(os.environ.get("BENCH_STARTED", time.time()))
        # With the headers of its Debian package.
        self.valgrind = machine.program("valgrind")
        self.rows = []
        self.left_out = []
        self.scratches = 0
        for built in (self.tool, self.module):
            if not built.exists():
                raise Failure(f"{built} is not there: scripts/build makes it")
        if b"libasan.so" in self.module.read_bytes():
            raise Failure("numbers of a sanitized build mean nothing")
        self.compile(self.ask, "ask.c", "-lm")
        self.compile(self.touch, "touch.c", *PRELOADED)
        if self.valgrind:
            self.compile(self.counted, "counted.c", *PRELOADED)

    def compile(self, program, source, *flags):
        """Compile a program of this directory, which needs no build."""
        machine.run("cc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-o", program,
                    Path(__file__).parent / source, *flags)

    def scratch(self):
        """Make a new directory."""
        self.scratches += 1
        path = self.work / f"run{self.scratches}"
        path.mkdir()
        return path

    def mix(self, name, mix, **how):
        """Write the file of a mix."""
        path = self.work / f"{name}.mix"
        path.write_text(domains.mix_text(mix, **how), encoding="ascii")
        return path

    def questions(self, mix_name, signed=False, **how):
        """Write the file of one of the mixes that --mix chooses."""
        return self.mix(mix_name + ("-signed" if signed else ""), domains.MIXES[mix_name][2 if signed else 1],
                        signed=signed, **how)

    def say(self, text):
        """Print a line on what is being done."""
        print(f"[{time.time() - self.begin:6.1f}] {text}", file=sys.stderr, flush=True)

    def leave_out(self, text):
        """Note that something is not measured, for this reason."""
        self.left_out.append(text)
        self.say("left out: " + text)

    def remaining(self):
        """Return the seconds that are left, with --quick or --minutes."""
        limit = QUICK_SECONDS if self.options.quick else self.options.minutes * 60
        return self.begin + limit - time.time()


def questions(bench, server, row):
    """Ask uniform and Zipf questions, into a row."""
    mix = bench.questions(row["mix"])
    for kind in bench.options.questions:
        row[kind] = measure.load(bench, server, mix, *(("--zipf", 1) if kind == "zipf" else ()))


def ours(bench, store, size):
    """Make the row of this project at a size."""
    bench.say(f"mod-mail, {store.mix} mix, {size:,} domains")
    row = {"system": "mod-mail", "mix": store.mix, "domains": size, "disk": store.disk()}
    bench.rows.append(row)
    starts = []
    for _ in range(STARTS):
        with Knotd(bench, size, store=store) as server:
            starts.append(server.start_seconds)
            if len(starts) == STARTS:
                questions(bench, server, row)
                row["private"], row["mapped"] = server.memory()
                row["commits"] = [measure.commit_to_answer(server, 20 + turn) for turn in range(COMMITS)]
                row["change"] = measure.change(bench, server, 30)
    row["start"] = statistics.median(starts)
    row["commit"] = statistics.median(row["commits"])
    row |= measure.touched(bench, store, bench.questions(store.mix, preference=30), size)
    return row


def peer_servers(bench, peer, size, zones):
    """Return the servers of a peer, ready to start."""
    if peer != "pdns":
        return [{"knotd": Knotd, "nsd": peers.Nsd}[peer](bench, size, zones)]
    server = peers.PowerDns(bench, size, zones)
    server.load(bench.patience)
    bench.say(f"pdnsutil took {server.load_seconds:.1f} s")
    return [server, peers.PowerDns(bench, size, zones, loaded=server)]


def measure_peer(bench, peer, size, zones):
    """Make the rows of a peer at a size."""
    mix_name = zones.store.mix
    bench.say(f"{peer}, {mix_name} mix, {size:,} domains")
    if peer == "knotd" and not any(row["system"] == "floor" for row in bench.rows):
        # What knotd's own refusal costs in time.
        foreign = bench.mix("foreign", domains.FOREIGN), "--domains", 1000, "--tail", domains.FOREIGN_TAIL
        with Knotd(bench, 1, zones) as server:
            bench.rows.append({"system": "floor", "mix": mix_name, "domains": 1,
                               "uniform": measure.load(bench, server, *foreign)})
    servers = peer_servers(bench, peer, size, zones)
    for server in servers:
        row = {"system": server.name, "mix": mix_name, "domains": size}
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
            row["instructions"] = traced.mix(bench, mix_name, size, zones)
    if zones.store.preference != domains.PREFERENCE:
        zones.write(domains.PREFERENCE)


def affordable(bench, peer, mix_name, size):
    """Return why a peer is not measured at a size, judged by a smaller size; empty: it is."""
    def largest_below(name):
        return max((row for row in bench.rows if row["system"] == name and 1 < row["domains"] < size),
                   key=lambda row: row["domains"], default=GUESS)

    def load_and_start(row):
        return (row.get("load", 0) + row["start"]) * size / row["domains"]
    last = largest_below(peer)
    times = size / last["domains"]
    if load_and_start(last) > bench.patience:
        return f"it would load and start for about {load_and_start(last):.0f} s"
    # knotd comes first: the bars are about it. Then it has to be measured with the other mix, too.
    later = 0 if peer == "knotd" or mix_name == bench.options.mixes[-1] else load_and_start(largest_below("knotd"))
    if load_and_start(last) * (2 if bench.options.quick else 1) + later + 10 > bench.remaining():
        return "no time is left"
    if last["private"] * times > machine.free_memory() * SHARE:
        return f"it would need about {report.octets(last['private'] * times)} of memory"
    octets, files = machine.free_disk(bench.work)
    if last["disk"] * times * 2 > octets * SHARE or size > files * SHARE:
        return f"it would need about {report.octets(last['disk'] * times * 2)} of disk"
    return ""


def all_peers(bench, mix_name, size, store):
    """Measure all peers at a size, with the domains of a store."""
    zones = None
    for peer in bench.options.peers:
        if bench.options.quick and peer != "knotd" and size < 1000 <= max(bench.options.sizes):
            continue
        reason = affordable(bench, peer, mix_name, size)
        if not reason and zones is None:
            bench.say(f"writing {size:,} zone files")
            zones = Zones(store())
            reason = affordable(bench, peer, mix_name, size)
        try:
            if not reason:
                measure_peer(bench, peer, size, zones)
        except Failure as problem:
            reason = problem
        if reason:
            bench.leave_out(f"{peer}, {mix_name} mix, with {size:,} domains: {reason}")
    if zones:
        shutil.rmtree(zones.directory)


def measure_size(bench, mix_name, size, one_disk):
    """Measure one mix with one number of domains. Return what writing costs, where that is measured."""
    options = bench.options
    store = Store(bench, "store", size, mix=mix_name)
    row = ours(bench, store, size)
    if size > 1:
        row["import"] = store.lines / store.load_seconds
        row["domain-octets"] = (row["disk"] - one_disk) / (size - 1)
    if options.instructions and (not options.quick or size == options.sizes[-1]):
        row["instructions"] = traced.mix(bench, mix_name, size, store=store)
    written = None
    if mix_name == "customer" and size == million(options.sizes):
        written = writes.measure_all(bench, store, size)
    if not options.quick:
        all_peers(bench, mix_name, size, lambda: store)
    store.remove()
    return written


def workers_rows(bench):
    """Measure several UDP workers, both mixes, beside knotd with the same zones."""
    rows, size = [], min(1000, bench.options.sizes[-1])
    if len(bench.all_cores) < 2 * WORKERS:
        bench.leave_out(f"{WORKERS} UDP workers: that takes {2 * WORKERS} cores")
        return rows
    for mix_name in bench.options.mixes:
        store = Store(bench, "workers", size, mix=mix_name)
        zones = Zones(store)
        for server in (Knotd(bench, size, store=store), Knotd(bench, size, zones)):
            bench.say(f"{server.name}, {mix_name} mix, {WORKERS} UDP workers")
            server.workers, server.cores = WORKERS, set(sorted(bench.all_cores)[:WORKERS])
            with server:
                rows.append({"system": server.name, "mix": mix_name, "domains": size,
                             **measure.parallel(bench, server, bench.questions(mix_name))})
        shutil.rmtree(zones.directory)
    return rows


def million(sizes):
    """Return the number of domains that is measured where one is enough: a million, or the nearest below."""
    return max((size for size in sizes if size <= 1_000_000), default=sizes[-1])


def measure_all(bench):
    """Measure everything, the smallest size first; quick: this project at all sizes before the others."""
    options = bench.options
    one_disk = {mix_name: Store(bench, "store", 1, mix=mix_name).disk() for mix_name in options.mixes}
    written, signed_rows, workers, instructions = None, [], [], {}
    for size in options.sizes:
        for mix_name in options.mixes if size <= 1_000_000 else options.mixes[-1:]:
            written = measure_size(bench, mix_name, size, one_disk[mix_name]) or written
        if size == min(options.sizes) and not options.quick:
            signed_rows = signed.warm_rows(bench)
            workers = workers_rows(bench)
    if options.instructions:
        bench.say("instructions of questions that are not for the module")
        size = million(options.sizes)
        instructions = traced.strangers(bench, Store(bench, "store", size), size)
    for size in quick_order(options.sizes) if options.quick else ():
        for mix_name in options.mixes:
            all_peers(bench, mix_name, size, lambda count=size, mix=mix_name: Store(bench, "store", count, mix=mix))
    result = {"rows": bench.rows, "signed": signed_rows, "workers": workers, "writes": written, "instructions": instructions}
    result["bars"] = report.bars(bench.rows, instructions, (
        lambda made: signed.add_warm_bars(made, signed_rows), lambda made: writes.add_bars(made, written)))
    tables = [report.result_table([row for row in bench.rows if row["mix"] == mix_name], mix_name)
              for mix_name in options.mixes]
    tables += [signed.speed_table(signed_rows) if signed_rows else "",
               report.workers_table(workers, WORKERS) if workers else "", writes.text_of(written),
               report.bars_table(result["bars"])]
    return result, "\n\n".join(filter(None, tables))


def quick_order(sizes):
    """Return the order in which peers are measured while time lasts: the largest of what starts fast comes first."""
    return sorted((size for size in sizes if size <= 1000), reverse=True) + \
        [size for size in sizes if size > 1000]


def numbers(text):
    """Parse 1,1000 (also 1k, 10M)."""
    units = {"k": 1000, "M": 1_000_000}
    found = sorted({int(float(word.rstrip("kM")) * units.get(word[-1:], 1)) for word in text.split(",")})
    if not found or found[0] < 1:
        raise argparse.ArgumentTypeError("a number of domains is at least 1")
    return found


def words(known):
    """Return a parser of words with commas between."""
    def parse(text):
        found = [word for word in text.split(",") if word]
        if set(found) - set(known):
            raise argparse.ArgumentTypeError(f"of these: {', '.join(known)}")
        return found
    return parse


def parse_options(args):
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="bench/run", description="Measures mod-mail beside its peers.")
    parser.add_argument("--quick", action="store_true", help="under two minutes, up to 100,000 domains")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there too")
    plan = parser.add_mutually_exclusive_group()
    plan.add_argument("--dnssec", action="store_true", help="measure signing instead")
    plan.add_argument("--instructions", dest="counts", action="store_true",
                      help="only count the instructions that a change of code is judged by, in two minutes")
    plan.add_argument("--zone-cost", nargs="*", choices=list(domains.ZONE_QUESTIONS), metavar="KIND",
                      help=f"only count what zone mode costs questions: {', '.join(domains.ZONE_QUESTIONS)}")
    parser.add_argument("--sizes", type=numbers, help="numbers of domains: 1,1000,100k,1M,10M")
    parser.add_argument("--peers", type=words(PEERS), help="knotd,nsd,pdns; empty: none")
    parser.add_argument("--mix", dest="mixes", type=words(domains.MIXES), default=list(domains.MIXES),
                        help="customer: domains with records of their own; plain: domains that set nothing")
    parser.add_argument("--questions", type=words(("uniform", "zipf")), help="uniform,zipf")
    parser.add_argument("--runs", type=int, help="runs of which the median is taken")
    parser.add_argument("--seconds", type=float, help="length of a run")
    parser.add_argument("--limit", type=float, default=600, help="seconds that a peer may load or start")
    parser.add_argument("--minutes", type=float, default=float("inf"),
                        help="leave out the peers for which no time is left")
    parser.add_argument("--no-instructions", dest="instructions", action="store_false",
                        help="do not count instructions (valgrind)")
    parser.add_argument("--cold", type=int, default=100_000, metavar="N",
                        help="with --dnssec: domains that have no signature in the cache yet (100000)")
    parser.add_argument("--build", type=Path, required=True, help="directory of a build")
    options = parser.parse_args(args)
    quick = options.quick
    options.sizes = options.sizes or ([signed.SIZE] if options.dnssec else traced.SIZES if options.counts else
                                      QUICK_SIZES if quick else SIZES)
    options.peers = list(PEERS) if options.peers is None else options.peers
    options.questions = options.questions or (["uniform"] if quick else ["uniform", "zipf"])
    options.runs = options.runs or (3 if quick else 5)
    options.seconds = options.seconds or (1 if quick else 5)
    return options


def check_programs(bench):
    """Leave out what is missing, with a line."""
    options = bench.options
    missing = peers.installed()
    for peer in list(options.peers):
        if missing[peer] and not counts_only(options):
            bench.leave_out(f"{peer}: {missing[peer]}")
            options.peers.remove(peer)
    if options.instructions and bench.valgrind is None:
        if counts_only(options):
            raise Failure("not installed: Debian package valgrind")
        bench.leave_out("instructions: not installed (Debian package valgrind)")
        options.instructions = False
    if len(bench.all_cores) == 1:
        bench.leave_out("a core for each side: there is but one, numbers are of both together")


def counts_only(options):
    """Return whether instructions are all that is measured."""
    return options.counts or options.zone_cost is not None


def main(args):
    """Measures, prints, writes."""
    options = parse_options(args)
    # However it ends, the servers end with it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(130))
    plan = signed.measure_all if options.dnssec else traced.counts if options.counts else \
        traced.zone_cost if options.zone_cost is not None else measure_all
    try:
        bench = Bench(options, Path(os.environ["BENCH_WORK"]))
        check_programs(bench)
        facts = machine.facts()
        result, text = plan(bench)
    except Failure as problem:
        print(f"bench/run: {problem}", file=sys.stderr)
        return 1
    print(report.facts_text(facts), text, sep="\n\n")
    for line in bench.left_out:
        print(f"left out: {line}")
    for line in report.doubts(bench.rows):
        print(f"doubtful: {line}")
    print(f"took {time.time() - bench.begin:.0f} s")
    if options.json:
        known = {item: str(value) if isinstance(value, Path) else value for item, value in vars(options).items()}
        options.json.write_text(json.dumps(
            {"machine": facts, "date": time.strftime("%Y-%m-%d"), "options": known, **result, "left-out": bench.left_out}, indent=1) + "\n",
            encoding="utf-8")
    return 0 if traced.zone_cost_met(result) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
