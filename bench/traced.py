# SPDX-License-Identifier: GPL-3.0-or-later
"""Instructions per question, with knotd under callgrind."""

import callgrind
import domains
import measure
from machine import Failure
from servers import Knotd, Module, Store, Zones


def instructions(bench, make, mix, count, *args):
    """Instructions per question, in all of knotd and inside the module: {"all": n, "module": n}.

    make(directory) gives a server that has not been started. It runs twice under callgrind, and is asked
    a different number of questions; the difference is what questions cost, without start and end. One after
    the other, so that it does not depend on how many come at once.
    """
    sums = []
    low, high = bench.traced
    for questions in (low, high):
        directory = bench.scratch()
        server = make(directory)
        server.wrapper = lambda path=directory: callgrind.command(path / "callgrind")
        with server:
            said = measure.ask(bench, server.port, mix, count, "--count", questions, "--seed", 7, "--window", 1,
                       "--timeout", 60, *args)
            if said["lost"] or said["wrong"]:
                raise Failure(f"under callgrind: {said}")
        sums.append(callgrind.threads(directory / "callgrind", "mail.so"))
    # Other threads work by the clock. The one that answers has by far the most to do for more questions.
    found = [{part: (sums[1][thread][part] - sums[0][thread][part]) / (high - low) for part in ("all", "module")}
             for thread in set(sums[0]) & set(sums[1])]
    return max(found, key=lambda thread: thread["all"])


def mix(bench, make, size, preference=domains.PREFERENCE):
    """Those of the mail questions."""
    return instructions(bench, make, bench.mix("traced", domains.MIX, preference=preference), size)


class ZoneMode(Knotd):
    """knotd with one zone; with a store, the module is in zone mode there."""

    name = "zone-mode"

    def __init__(self, bench, directory, zones, store=None):
        super().__init__(bench, directory, 1, zones)
        if store:
            self.zone_items = ("module: mod-mail/bench",)
            self.extra = f"""module:
  - id: mod-mail
    file: "{bench.module}"
mod-mail:
  - id: bench
    store: "{store.path}"
"""


def strangers(bench, store, size):
    """Those of questions that the module has no answer to, beside knotd without it.

    foreign     a name that is in no stored domain, among so many
    refused     the same, of a knotd without the module
    zone-mode   a name of a zone of knotd, with the module in zone mode, that no kind of record can match
    zone        the same, of a knotd without the module
    """
    alone = Store(bench, bench.work / "alone")
    alone.load(1)
    zones = Zones(bench.work / "alone.zones", alone)
    with open(zones.path(1), "a", encoding="ascii") as file:
        file.write(f"www.{domains.name(1)}. 3600 IN A 192.0.2.80\n")
    foreign = bench.mix("foreign", domains.FOREIGN), size, "--tail", domains.FOREIGN_TAIL
    plain = bench.mix("plain", domains.PLAIN_NAME), 1
    found = {
        "foreign": instructions(bench, lambda path: Module(bench, path, size, store), *foreign),
        "refused": instructions(bench, lambda path: Knotd(bench, path, 1, zones), *foreign),
        "zone-mode": instructions(bench, lambda path: ZoneMode(bench, path, zones, alone), *plain),
        "zone": instructions(bench, lambda path: ZoneMode(bench, path, zones), *plain),
        "foreign-domains": size,
    }
    alone.remove()
    return found
