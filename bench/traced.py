# SPDX-License-Identifier: GPL-3.0-or-later
"""Instructions per question: what is counted with knotd under callgrind, alone (--instructions, --zone-cost) or not."""

import shutil

import domains
import report
from measure import instructions, touched
from servers import Store, Zones

# Numbers of domains that --instructions has when nothing else is said.
SIZES = (1, 1000, 100_000, 1_000_000)
# So many zones knotd loads under valgrind in a time that one can wait.
ZONES_MOST = 1000
# Signed domains that are asked: all their signatures are made before.
SIGNED = 20
ALGORITHM = "ecdsap256sha256"
# What is printed beside the mixes, and what a number is compared with.
COUNTS = (
    ("not ours", "foreign", "refused"),
    ("not ours, knotd refusing", "refused", None),
    ("zone mode, no kind matches", "zone-mode", "zone"),
    ("the same, knotd alone", "zone", None),
)
# Parts of what knotd takes without the module that zone mode may take.
ZONE_MOST = 1.045


def mix(bench, mix_name, size, zones=None, store=None):
    """Count those of the questions of a mix."""
    how = {"preference": store.preference} if store else {}
    return instructions(bench, (size, zones, store), bench.questions(mix_name, **how), "--domains", size)


def signed_mix(bench, mix_name, store, size):
    """Count those of the questions to signed domains whose signatures are all made."""
    asked = min(size, SIGNED)
    return instructions(bench, (size, None, store), bench.questions(mix_name, signed=True), "--domains", asked,
                        "--edns", "do", walked=asked)


def lone_zone(bench, names=()):
    """Return a store with one domain, and its zone with further names."""
    store = Store(bench, "alone", 1)
    zones = Zones(store)
    with open(zones.path(1), "a", encoding="ascii") as file:
        file.writelines(f"{name}.{domains.name(1)}. 3600 IN A {address}\n" for name, address in names)
    return store, zones


def strangers(bench, store, size):
    """Count those of questions that the module has no answer to, beside knotd without it.

    foreign     a name that is in no stored domain, among so many
    refused     the same, of a knotd without the module
    zone-mode   a name of a zone of knotd, with the module in zone mode, that no kind of record can match
    zone        the same, of a knotd without the module
    """
    alone, zones = lone_zone(bench, domains.ZONE_NAMES[:1])
    foreign = bench.mix("foreign", domains.FOREIGN), "--domains", size, "--tail", domains.FOREIGN_TAIL
    plain = bench.mix("plain", domains.ZONE_QUESTIONS["hit"])
    return {
        "foreign": instructions(bench, (size, None, store), *foreign),
        "refused": instructions(bench, (1, zones), *foreign),
        "zone-mode": instructions(bench, (1, zones, alone), plain),
        "zone": instructions(bench, (1, zones), plain),
        "foreign-domains": size,
    }


def mix_rows(bench, mix_name):
    """Count all of a mix: each number of domains, plain and signed, beside knotd with the zones of some."""
    rows = []
    for size in bench.options.sizes:
        bench.say(f"{mix_name} mix, {size:,} domains")
        store = Store(bench, "store", size, mix=mix_name)
        row = {"mix": mix_name, "domains": size, "signed": False, "instructions": mix(bench, mix_name, size, store=store),
               **touched(bench, store, bench.questions(mix_name), size)}
        if size <= ZONES_MOST and "knotd" in bench.options.peers:
            zones = Zones(store)
            row["knotd"] = mix(bench, mix_name, size, zones)["all"]
            shutil.rmtree(zones.directory)
        rows.append(row)
        store.sign(ALGORITHM)
        rows.append({"mix": mix_name, "domains": size, "signed": True,
                     "instructions": signed_mix(bench, mix_name, store, size)})
        store.remove()
    return rows


def mix_lines(rows):
    """Return the lines of the table for the mixes. knotd with more zones than it could load has those of the most."""
    lines = []
    for row in rows:
        cost = row["instructions"]
        peers = [other["knotd"] for other in rows if "knotd" in other and not row["signed"]
                 and other["mix"] == row["mix"] and other["domains"] <= row["domains"]]
        alike = [other["instructions"]["all"] for other in rows if other["mix"] == "plain" != row["mix"]
                 and (other["domains"], other["signed"]) == (row["domains"], row["signed"])]
        lines.append([f"{row['mix']} mix{', signed, warm' if row['signed'] else ''}", report.count(row["domains"]),
                      report.count(cost["all"]), report.count(cost["module"]),
                      *(f"{cost['all'] / values[-1]:.3f}" if values else "" for values in (peers, alike)),
                      report.plain(row.get("pages"), 1), report.plain(row.get("allocations"), 2)])
    return lines


def counts(bench):
    """--instructions: those numbers alone that a change of code is judged by. Return (result, text)."""
    rows = [row for mix_name in bench.options.mixes for row in mix_rows(bench, mix_name)]
    size = bench.options.sizes[-1]
    bench.say("questions that are not for the module")
    found = strangers(bench, Store(bench, "store", size), size)
    lines = mix_lines(rows)
    for title, item, without in COUNTS:
        lines.append([title, report.count(size) if item == "foreign" else "1", report.count(found[item]["all"]),
                      report.count(found[item]["module"]),
                      f"{found[item]['all'] / found[without]['all']:.3f}" if without else "", "", "", ""])
    made = report.Bars()
    report.count_bars(made, rows, found)
    text = report.table(["instructions a question", "domains", "all", "module", "of knotd", "of plain", "pages",
                         "allocations"], lines)
    return {"instructions": found | {"mixes": rows}, "bars": made.found}, text + "\n\n" + report.bars_table(made.found)


def zone_cost(bench):
    """--zone-cost: what zone mode costs questions that no kind of record can match. Return (result, text)."""
    store, zones = lone_zone(bench, domains.ZONE_NAMES)
    found, lines = {}, []
    for kind in bench.options.zone_cost or domains.ZONE_QUESTIONS:
        bench.say(kind)
        how = (bench.mix(kind, domains.ZONE_QUESTIONS[kind]), *(() if kind.endswith("edns") else ("--edns", "none")))
        without, with_it = (instructions(bench, (1, zones, served), *how)["all"] for served in (None, store))
        percent = 100 * (with_it / without - 1)
        found[kind] = {"without": round(without), "with": round(with_it), "percent": round(percent, 2)}
        lines.append([kind, f"{without:.0f}", f"{with_it:.0f}", f"{percent:+.2f} %"])
    return {"zone-cost": found}, report.table(["instructions a question", "without", "with", "more"], lines)


def zone_cost_met(result):
    """Return whether no kind of question costs too much."""
    return all(entry["with"] <= entry["without"] * ZONE_MOST for entry in result.get("zone-cost", {}).values())
