# SPDX-License-Identifier: GPL-3.0-or-later
"""bench/run --dnssec: signed domains, with DO, beside knotd's two ways of signing zones."""

import shutil
import statistics
import time

import domains
import machine
import measure
import report
from machine import Failure
from servers import Knotd, Store, Zones

# What kmailctl and knotd call an algorithm, and what openssl calls it, in a command and in what it prints.
ALGORITHMS = {"ecdsap256sha256": ("ecdsap256", "256 bits ecdsa"), "ed25519": ("ed25519", "253 bits EdDSA")}
# Signed domains.
SIZE = 1000
BITMAP = "[A, AAAA, MX, TXT, SRV, TLSA]"
# Part of the questions that may still make a signature when a cache counts as warm.
WARM = 0.001
WARM_PATIENCE = 120
INTERVALS = 10
# Signatures that a thread may make in a second for denials that are not worth caching: a tenth of signature-budget.
BUDGET = 500
# How fast signatures are made is measured without one.
UNBOUNDED = "signature-budget: 0"
TITLES = {"mod-mail": "mod-mail", "knotd": "knotd, signed at load", "onlinesign": "knotd, mod-onlinesign"}


def signing_knotd(bench, size, zones, algorithm, online):
    """Return a knotd that signs zones when it loads them, or answers (mod-onlinesign)."""
    sections = f"policy:\n  - id: bench\n    algorithm: {algorithm}\n    single-type-signing: on\n"
    if not online:
        return Knotd(bench, size, zones, zone_items=("dnssec-signing: on", "dnssec-policy: bench"), sections=sections)
    sections += f"mod-onlinesign:\n  - id: bench\n    policy: bench\n    nsec-bitmap: {BITMAP}\n"
    return Knotd(bench, size, zones, name="onlinesign", zone_items=("module: mod-onlinesign/bench",), sections=sections)


def openssl_speed(bench, algorithm):
    """Return the signatures per second that openssl makes on the server's core."""
    word, title = ALGORITHMS[algorithm]
    said = machine.run("openssl", "speed", "-seconds", max(1, round(bench.seconds)), word, cores=bench.server_core)
    for line in said.splitlines():
        if line.strip().startswith(title):
            return float(line.split()[-2])
    raise Failure(f"openssl speed {word}: {said}")


def asked(bench, server, mix, seed, seconds=None):
    """Ask with DO. Return what timed() does, and the signatures since: made, cached, refused."""
    before = server.signatures()
    said = measure.timed(bench, server, mix, "--edns", "do", "--seed", seed, seconds=seconds)
    return said | {item: number - before[item] for item, number in server.signatures().items()}


def cold(bench, algorithm, size, mix):
    """Measure a cache that has nothing yet: each run has a knotd of its own."""
    store = Store(bench, "signed", size, algorithm)
    runs, speeds = [], [openssl_speed(bench, algorithm)]
    for run in range(bench.runs):
        with Knotd(bench, size, store=store, items=UNBOUNDED) as server:
            runs.append(asked(bench, server, mix, run))
        speeds.append(openssl_speed(bench, algorithm))
    return {"qps": measure.summary([run["answered"] / run["seconds"] for run in runs]),
            # By CPU time, as openssl counts.
            "signatures": measure.summary([run["made"] / sum(run["used"]) for run in runs]),
            "lost": sum(run["lost"] for run in runs), "wrong": sum(run["wrong"] for run in runs),
            "openssl": statistics.median(speeds), "domains": size}


def warm(bench, server, mix, plain):
    """Measure a cache that has all: speed, and the memory that it takes."""
    measure.timed(bench, server, plain, seconds=0.5)
    before = server.memory()[0]
    deadline = time.monotonic() + WARM_PATIENCE
    made, seed, said = 0, 1000, None
    # Until hardly a signature is made any more.
    while said is None or said["made"] >= WARM * said["answered"]:
        if time.monotonic() > deadline:
            raise Failure("the cache of signatures does not get warm")
        said = asked(bench, server, mix, seed, min(1, bench.seconds))
        made, seed = made + said["made"], seed + 1
    memory = server.memory()[0] - before
    return measure.load(bench, server, mix, "--edns", "do") | {"cache": memory, "signatures": made}


def flood(bench, server, mix):
    """Ask what never comes twice, and return what is made for it, interval by interval."""
    rows = []
    for turn in range(INTERVALS):
        said = asked(bench, server, mix, 5000 + turn, max(bench.seconds / 2, 0.2))
        rows.append({item: number for item, number in said.items() if item not in ("sent", "used", "wrong-kinds")})
        rows[-1]["wrong"] -= said["truncated"]
    return rows


def warm_row(bench, mix_name, algorithm, size):
    """Measure this project with a warm cache."""
    bench.say(f"mod-mail, {mix_name} mix, {algorithm}, warm cache")
    store = Store(bench, "signed", size, algorithm, mix_name)
    with Knotd(bench, size, store=store) as server:
        return {"system": "mod-mail", "mix": mix_name, "algorithm": algorithm, "domains": size,
                "start": server.start_seconds,
                "warm": warm(bench, server, bench.questions(mix_name, signed=True), bench.questions(mix_name))}


def floods(bench, algorithm, size, row):
    """Measure what comes when nothing is in the cache, or cannot be: into a row."""
    bench.say(f"mod-mail, {algorithm}, cold cache")
    row["cold"] = cold(bench, algorithm, max(size, bench.options.cold), bench.questions("plain", signed=True))
    store = Store(bench, "signed", size, algorithm)
    for name, mix in (("flood", domains.FLOOD), ("report-flood", domains.REPORT_FLOOD)):
        bench.say(f"mod-mail, {algorithm}, {name}")
        with Knotd(bench, size, store=store) as server:
            row[name] = flood(bench, server, bench.mix(name, mix))


def theirs(bench, server, mix_name, algorithm, **how):
    """Measure knotd, one of its two ways."""
    bench.say(f"{TITLES[server.name]}, {mix_name} mix, {algorithm}")
    mix = bench.questions(mix_name, signed=True, **how)
    with server:
        return {"start": server.start_seconds, "domains": server.count, "system": server.name, "mix": mix_name,
                "algorithm": algorithm, "warm": measure.load(bench, server, mix, "--edns", "do"),
                "private": server.memory()[0]}


def warm_rows(bench, algorithms=("ecdsap256sha256",)):
    """Measure a warm cache beside knotd that has signed its zones, with both mixes."""
    rows, size = [], min(SIZE, bench.options.sizes[-1])
    for mix_name in bench.options.mixes:
        zones = Zones(Store(bench, "unsigned", size, mix=mix_name))
        for algorithm in algorithms:
            rows.append(warm_row(bench, mix_name, algorithm, size))
            if "knotd" in bench.options.peers:
                rows.append(theirs(bench, signing_knotd(bench, size, zones, algorithm, False), mix_name, algorithm))
        shutil.rmtree(zones.directory)
    return rows


def measure_all(bench):
    """--dnssec: both algorithms, everything. Return (result, text)."""
    size = bench.options.sizes[0]
    for mix_name in bench.options.mixes:
        zones = Zones(Store(bench, "unsigned", size, mix=mix_name))
        for algorithm in ALGORITHMS:
            row = warm_row(bench, mix_name, algorithm, size)
            bench.rows.append(row)
            if mix_name == "plain":
                floods(bench, algorithm, size, row)
            for online in (False, True) if bench.options.peers else ():
                # mod-onlinesign denies names by denying types.
                how = {"nxdomain": domains.NOERROR} if online else {}
                server = signing_knotd(bench, size, zones, algorithm, online)
                bench.rows.append(theirs(bench, server, mix_name, algorithm, **how))
    found = bars(bench.rows)
    return {"rows": bench.rows, "bars": found}, "\n\n".join((
        speed_table(bench.rows), flood_table(bench.rows, "flood", "random names"),
        flood_table(bench.rows, "report-flood", "below _report._dmarc"), report.bars_table(found)))


# The report

def add_warm_bars(made, rows):
    """Add what a warm cache must reach."""
    by = {(row["system"], row["mix"], row["algorithm"]): row["warm"]["qps"]["median"] for row in rows}
    for mix_name, least in (("customer", 1.0), ("plain", 1.1)):
        made.ratio(f"{mix_name} mix, signed, cache warm, questions/s of knotd with zones signed at load, ECDSA", least,
                   *(by.get((system, mix_name, "ecdsap256sha256")) for system in ("mod-mail", "knotd")), 1.2)


def bars(rows):
    """Return what signing must reach, beside what was measured."""
    by = {(row["system"], row["algorithm"]): row for row in rows if row["mix"] == "plain"}
    made = report.Bars()
    add_warm_bars(made, rows)

    def qps(system, algorithm, state="warm"):
        row = by.get((system, algorithm))
        return row[state]["qps"]["median"] if row else None

    ecdsa = "ecdsap256sha256"
    for state, least in (("cold", 2), ("warm", 8)):
        made.ratio(f"cache {state}, questions/s of mod-onlinesign, ECDSA", least,
                   qps("mod-mail", ecdsa, state), qps("onlinesign", ecdsa))
    for algorithm in ALGORITHMS if by else ():
        found = by["mod-mail", algorithm]["cold"]
        made.ratio(f"cache cold, signatures/s of openssl speed, {algorithm}", 0.7,
                   found["signatures"]["median"], found["openssl"])
        last = by["mod-mail", algorithm]["flood"][-1]
        made.most(f"flood of random names, signatures per question at its end, {algorithm}", WARM,
                  last["made"] / last["answered"], "{:.5f}".format)
        report_floods = by["mod-mail", algorithm]["report-flood"][1:]
        # What is cached comes first. N seconds on the clock of questions are parts of N + 1 on the thread's.
        passed = sum(row["seconds"] for row in report_floods)
        made.most(f"flood below _report._dmarc, signatures/s after its begin, {algorithm}",
                  BUDGET * (passed + 1) / passed, sum(row["made"] for row in report_floods) / passed, "{:.0f}".format)
    return made.found


def speed_table(rows):
    """Return the speeds of all."""
    lines = []
    for row in rows:
        one, two = row.get("cold"), row["warm"]
        lines.append([
            f"{TITLES[row['system']]}, {row['mix']} mix, {row['algorithm']}", report.count(row["domains"]),
            report.seconds(row["start"]), report.rate(two), report.plain(two["user-us"], 2), report.rate(one),
            f"{one['signatures']['median']:,.0f}" if one else "", f"{one['openssl']:,.0f}" if one else "",
            report.octets(two.get("cache")), report.plain(two.get("signatures")),
            "/".join(report.count(two[item] + (one[item] if one else 0)) for item in ("lost", "wrong"))])
    return report.table(["with DO", "domains", "start", "warm questions/s", "user us", "cold questions/s",
                         "signatures/s", "openssl speed", "cache", "signatures", "lost/wrong"], lines)


def flood_table(rows, name, title):
    """Return a flood over time."""
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
