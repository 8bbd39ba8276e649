# SPDX-License-Identifier: GPL-3.0-or-later
"""Instructions per question: what is counted with knotd under callgrind, alone (--instructions, --zone-cost) or not."""

import domains
import report
from measure import instructions
from servers import Store, Zones

# Domains that --instructions has when nothing else is said.
DOMAINS = 1_000_000
# What it prints, and what a number is compared with.
COUNTS = (
    ("mail mix", "mix", "knotd-mix"),
    ("mail mix, knotd with one zone", "knotd-mix", None),
    ("not ours", "foreign", "refused"),
    ("not ours, knotd refusing", "refused", None),
    ("zone mode, no kind matches", "zone-mode", "zone"),
    ("the same, knotd alone", "zone", None),
)
# Parts of what knotd takes without the module that zone mode may take.
ZONE_MOST = 1.045


def mix(bench, size, zones=None, store=None):
    """Count those of the mail questions."""
    how = {"preference": store.preference} if store else {}
    return instructions(bench, (size, zones, store), bench.mix("traced", domains.MIX, **how), "--domains", size)


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


def counts(bench):
    """--instructions: those numbers alone that a change of code is judged by. Return (result, text)."""
    size = bench.options.sizes[-1]
    bench.say("mail questions")
    store = Store(bench, "store", size)
    found = {"mix": mix(bench, size, store=store)}
    _, zones = lone_zone(bench)
    found["knotd-mix"] = mix(bench, 1, zones)
    bench.say("questions that are not for the module")
    found |= strangers(bench, store, size)
    lines = []
    for title, item, without in COUNTS:
        lines.append([title, report.count(found[item]["all"]), report.count(found[item]["module"]),
                      f"{found[item]['all'] / found[without]['all']:.3f}" if without else ""])
    return {"instructions": found}, report.table([f"instructions, {size:,} domains", "all", "module", "ratio"], lines)


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
