# SPDX-License-Identifier: GPL-3.0-or-later
"""bench/run --dnssec: signed domains, with DO, beside knotd's two ways of signing zones."""

import os
import re
import shutil
import statistics
import subprocess
import time

import domains
import machine
import measure
import report
from machine import Failure
from servers import Knotd, Module, Store, Zones

# What kmailctl and knotd call an algorithm, and what openssl calls it, in a command and in what it prints.
ALGORITHMS = {"ecdsap256sha256": ("ecdsap256", "256 bits ecdsa"), "ed25519": ("ed25519", "253 bits EdDSA")}
BITMAP = "[A, AAAA, MX, TXT, SRV, TLSA]"
# Part of the questions that may still make a signature when a cache counts as warm.
WARM = 0.001
WARM_PATIENCE = 120
INTERVALS = 10
# Signatures that a thread may make in a second for denials that are not worth caching (module/signers.c).
BUDGET = 500


class Signed(Module):
    """knotd with the module and signed domains."""

    def stats(self):
        """The counters of signatures: made, cached, refused."""
        return {name: int(number) for name, number in re.findall(
            r"signature\[(\w+)\] = (\d+)", self.knotc("-f", "stats", "mod-mail.signature"))}


class SignedZones(Knotd):
    """knotd with zones that it signs when it loads them."""

    name = "knotd"
    zone_items = ("dnssec-signing: on", "dnssec-policy: bench")

    def __init__(self, bench, directory, count, zones, algorithm):
        super().__init__(bench, directory, count, zones)
        self.algorithm = algorithm
        self.extra = f"""policy:
  - id: bench
    algorithm: {algorithm}
    single-type-signing: on
"""


class OnlineSign(SignedZones):
    """knotd with mod-onlinesign."""

    name = "onlinesign"
    zone_items = ("module: mod-onlinesign/bench",)

    def __init__(self, *args):
        super().__init__(*args)
        self.extra += f"mod-onlinesign:\n  - id: bench\n    policy: bench\n    nsec-bitmap: {BITMAP}\n"


def signed_store(bench, size, algorithm):
    """A store whose domains share a key set."""
    path = bench.work / "signed"
    shutil.rmtree(path, ignore_errors=True)
    store = Store(bench, path)
    store.run("key-generate", "bench", "--algorithm", algorithm, "--csk")
    store.run("policy-set", "bench", "key-set=bench")
    store.load(size)
    return store


def openssl_speed(bench, algorithm):
    """Signatures per second that openssl makes on the server's core."""
    word, title = ALGORITHMS[algorithm]
    core = {bench.cores[0]} if bench.cores else bench.all_cores
    done = subprocess.run(["openssl", "speed", "-seconds", str(max(1, round(bench.seconds))), word], text=True,
                          capture_output=True, check=False, preexec_fn=lambda: os.sched_setaffinity(0, core))
    for line in done.stdout.splitlines():
        if line.strip().startswith(title):
            return float(line.split()[-2])
    raise Failure(f"openssl speed {word}: {done.stderr}")


def cold(bench, algorithm, size, mix):
    """A cache that has nothing yet: each run has a knotd of its own."""
    store = signed_store(bench, size, algorithm)
    rates, signatures, speeds = [], [], [openssl_speed(bench, algorithm)]
    wrong = lost = 0
    for run in range(bench.runs):
        with Signed(bench, bench.scratch(), size, store) as server:
            before, begin = server.stats(), sum(server.cpu_time())
            said = measure.ask(bench, server.port, mix, size, "--seconds", bench.seconds, "--dnssec", "--seed", run)
            used = sum(server.cpu_time()) - begin
            made = server.stats()["made"] - before["made"]
        rates.append(said["answered"] / said["seconds"])
        # By CPU time, as openssl counts.
        signatures.append(made / used)
        wrong, lost = wrong + said["wrong"], lost + said["lost"]
        speeds.append(openssl_speed(bench, algorithm))
    return {"qps": measure.summary(rates), "signatures": measure.summary(signatures), "lost": lost, "wrong": wrong,
            "openssl": statistics.median(speeds), "domains": size}


def fill(bench, server, mix, size):
    """Asks until hardly a signature is made any more. Gives the signatures that were made."""
    deadline = time.monotonic() + WARM_PATIENCE
    first = before = server.stats()["made"]
    seed = 1000
    while True:
        said = measure.ask(bench, server.port, mix, size, "--seconds", min(1, bench.seconds), "--dnssec",
                           "--seed", seed)
        after = server.stats()["made"]
        if after - before < WARM * said["answered"]:
            return after - first
        if time.monotonic() > deadline:
            raise Failure("the cache of signatures does not get warm")
        before, seed = after, seed + 1


def warm(bench, server, mix, plain, size):
    """A cache that has all: speed, and the memory that it takes."""
    measure.ask(bench, server.port, plain, size, "--seconds", 0.5)
    before = server.memory()[0]
    made = fill(bench, server, mix, size)
    memory = server.memory()[0] - before
    found = measure.load(bench, server, mix, size, "--dnssec")
    return found | {"cache": memory, "signatures": made}


def flood(bench, server, mix, size):
    """Questions that never come twice, and what is made for them, interval by interval."""
    rows = []
    for turn in range(INTERVALS):
        before = server.stats()
        said = measure.ask(bench, server.port, mix, size, "--seconds", max(bench.seconds / 2, 0.2), "--dnssec",
                           "--seed", 5000 + turn)
        after = server.stats()
        rows.append({"answered": said["answered"], "seconds": said["seconds"], "truncated": said["truncated"],
                     "lost": said["lost"], "wrong": said["wrong"] - said["truncated"],
                     **{item: after[item] - before[item] for item in after}})
    return rows


def ours(bench, algorithm, size, mixes):
    """All of this project with one algorithm."""
    bench.say(f"mod-mail, {algorithm}, cold cache")
    row = {"system": "mod-mail", "algorithm": algorithm, "domains": size,
           "cold": cold(bench, algorithm, max(size, bench.options.cold), mixes["signed"])}
    store = signed_store(bench, size, algorithm)
    bench.say(f"mod-mail, {algorithm}, warm cache")
    with Signed(bench, bench.scratch(), size, store) as server:
        row["start"] = server.start_seconds
        row["warm"] = warm(bench, server, mixes["signed"], mixes["plain"], size)
    for name in ("flood", "report-flood"):
        bench.say(f"mod-mail, {algorithm}, {name}")
        with Signed(bench, bench.scratch(), size, store) as server:
            row[name] = flood(bench, server, mixes[name], size)
    store.remove()
    return row


def theirs(bench, server, mix, size):
    """knotd, one of its two ways."""
    bench.say(f"{TITLES[server.name]}, {server.algorithm}")
    with server:
        return {"start": server.start_seconds, "domains": size, "system": server.name,
                "warm": measure.load(bench, server, mix, size, "--dnssec"), "private": server.memory()[0]}


def measure_all(bench):
    """Both algorithms, everything."""
    size = bench.options.sizes[0]
    mixes = {
        "plain": bench.mix("plain", domains.MIX),
        "signed": bench.mix("signed", domains.SIGNED_MIX, signed=True),
        # mod-onlinesign denies names by denying types.
        "denied": bench.mix("denied", domains.SIGNED_MIX, signed=True, nxdomain=domains.NOERROR),
        "flood": bench.mix("flood", domains.FLOOD),
        "report-flood": bench.mix("report", domains.REPORT_FLOOD),
    }
    unsigned = Store(bench, bench.work / "unsigned")
    unsigned.load(size)
    zones = Zones(bench.work / "zones", unsigned)
    rows = []
    for algorithm in ALGORITHMS:
        rows.append(ours(bench, algorithm, size, mixes))
        for kind, mix in ((SignedZones, "signed"), (OnlineSign, "denied")) if bench.options.peers else ():
            server = kind(bench, bench.scratch(), size, zones, algorithm)
            rows.append(theirs(bench, server, mixes[mix], size) | {"algorithm": algorithm})
    return {"rows": rows, "bars": bars(rows)}


# The report

TITLES = {"mod-mail": "mod-mail", "knotd": "knotd, signed at load", "onlinesign": "knotd, mod-onlinesign"}


def bars(rows):
    """What issue 4 asks for."""
    by = {(row["system"], row["algorithm"]): row for row in rows}
    made = report.Bars([], {})

    def qps(system, algorithm, state="warm"):
        row = by.get((system, algorithm))
        return row[state]["qps"]["median"] if row else None

    ecdsa = "ecdsap256sha256"
    made.ratio("cache warm, questions/s of knotd with zones signed at load, ECDSA", 1.0,
               qps("mod-mail", ecdsa), qps("knotd", ecdsa))
    for algorithm in ALGORITHMS:
        found = by["mod-mail", algorithm]["cold"]
        made.ratio(f"cache cold, signatures/s of openssl speed, {algorithm}", 0.7,
                   found["signatures"]["median"], found["openssl"])
    for state, least in (("cold", 2), ("warm", 8)):
        made.ratio(f"cache {state}, questions/s of mod-onlinesign, ECDSA", least,
                   qps("mod-mail", ecdsa, state), qps("onlinesign", ecdsa))
    for algorithm in ALGORITHMS:
        last = by["mod-mail", algorithm]["flood"][-1]
        made.most(f"flood of random names, signatures per question at its end, {algorithm}", WARM,
                  last["made"] / last["answered"], "{:.5f}".format)
        floods = by["mod-mail", algorithm]["report-flood"]
        # What is cached comes first. N seconds on the clock of questions are parts of N + 1 on the thread's.
        passed = sum(row["seconds"] for row in floods[1:])
        made.most(f"flood below _report._dmarc, signatures/s after its begin, {algorithm}",
                  BUDGET * (passed + 1) / passed, sum(row["made"] for row in floods[1:]) / passed, "{:.0f}".format)
    return made.found


def speed_table(rows):
    """Speeds of all."""
    lines = []
    for row in rows:
        one, two = row.get("cold"), row["warm"]
        lines.append([
            f"{TITLES[row['system']]}, {row['algorithm']}", report.count(row["domains"]),
            report.seconds(row["start"]), report.rate(two), report.plain(two["user-us"], 2), report.rate(one),
            f"{one['signatures']['median']:,.0f}" if one else "", f"{one['openssl']:,.0f}" if one else "",
            report.octets(two.get("cache")), report.plain(two.get("signatures")),
            "/".join(report.count(two[item] + (one[item] if one else 0)) for item in ("lost", "wrong"))])
    return report.table(["with DO", "domains", "start", "warm questions/s", "user us", "cold questions/s",
                         "signatures/s", "openssl speed", "cache", "signatures", "lost/wrong"], lines)


def flood_table(rows, name, title):
    """A flood over time."""
    lines = []
    for row in rows:
        passed = 0
        for part in row.get(name, ()):
            passed += part["seconds"]
            lines.append([row["algorithm"], f"{passed:.1f} s", f"{part['answered'] / part['seconds']:,.0f}",
                          f"{part['made'] / part['seconds']:,.0f}", f"{part['made'] / part['answered']:.5f}",
                          f"{part['truncated'] / part['answered'] * 100:.1f} %", report.count(part["refused"]),
                          f"{part['lost']}/{part['wrong']}"])
    return report.table([title, "until", "questions/s", "made/s", "made/question", "TC", "refused", "lost/wrong"],
                        lines)


def text(result):
    """Everything for people."""
    rows = result["rows"]
    return "\n\n".join((speed_table(rows), flood_table(rows, "flood", "random names"),
                        flood_table(rows, "report-flood", "below _report._dmarc"),
                        report.bars_table(result["bars"])))
