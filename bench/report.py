# SPDX-License-Identifier: GPL-3.0-or-later
"""From numbers to tables: what was measured, and which bars were met."""

SYSTEMS = {
    "mod-mail": "mod-mail",
    "knotd": "knotd, zones in memory",
    "nsd": "NSD",
    "pdns": "PowerDNS, LMDB",
    "pdns-cache": "PowerDNS, LMDB, packet cache",
    "floor": "knotd, refusing",
}
MEBI = 1024 * 1024
# The part of its core that a server must have used for its speed to be its own.
BUSY = 0.9


def count(number):
    """Return 1,000."""
    return f"{number:,.0f}"


def seconds(value):
    """Return a time with two or three digits that count."""
    if value is None:
        return ""
    if value < 0.001:
        return f"{value * 1e6:.0f} us"
    if value < 1:
        return f"{value * 1e3:.{1 if value < 0.01 else 0}f} ms"
    return f"{value:.1f} s" if value < 100 else f"{value:.0f} s"


def octets(value):
    """Return a size."""
    if value is None:
        return ""
    for unit, size in (("GiB", MEBI * 1024), ("MiB", MEBI), ("KiB", 1024)):
        if value >= size:
            return f"{value / size:.{1 if value < 100 * size else 0}f} {unit}"
    return f"{value:.0f} B"


def rate(measured):
    """Return questions per second with the spread of the runs."""
    if not measured:
        return ""
    return f"{measured['qps']['median']:,.0f} ±{measured['qps']['spread'] * 100:.0f}%"


def changed(row):
    """Return the time that a change of all domains takes."""
    if "change" not in row:
        return ""
    return ("~" if row["change"]["estimated"] else "") + seconds(row["change"]["seconds"])


def plain(value, digits=0):
    """Return a number, or nothing."""
    return "" if value is None else f"{value:,.{digits}f}"


def bad(row):
    """Return the lost and wrong answers of all questions."""
    loads = [row[item] for item in ("uniform", "zipf") if item in row]
    return "/".join(count(sum(load[item] for load in loads)) for item in ("lost", "wrong")) if loads else ""


# Title, and what a row has in that column.
COLUMNS = (
    ("", lambda row: SYSTEMS[row["system"]]),
    ("domains", lambda row: count(row["domains"])),
    ("start", lambda row: seconds(row.get("start"))),
    ("private", lambda row: octets(row.get("private"))),
    ("mapped", lambda row: octets(row.get("mapped") or None)),
    ("disk", lambda row: octets(row.get("disk"))),
    ("questions/s", lambda row: rate(row.get("uniform"))),
    ("Zipf", lambda row: rate(row.get("zipf"))),
    ("user us", lambda row: plain(row.get("uniform", {}).get("user-us"), 2)),
    ("lost/wrong", bad),
    ("new MX", changed),
    ("commit to new", lambda row: seconds(row.get("commit"))),
    ("instr module", lambda row: plain(row.get("instructions", {}).get("module"))),
    ("instr all", lambda row: plain(row.get("instructions", {}).get("all"))),
    ("pages", lambda row: plain(row.get("pages"), 1)),
    ("allocations", lambda row: plain(row.get("allocations"), 2)),
    ("B/domain", lambda row: plain(row.get("domain-octets"))),
    ("import/s", lambda row: plain(row.get("import"))),
)


def table(titles, rows):
    """Return rows of texts in columns: the first to the left, the others to the right."""
    widths = [max(len(line[i]) for line in [titles, *rows]) for i in range(len(titles))]
    return "\n".join("  ".join(text.ljust(width) if i == 0 else text.rjust(width)
                               for i, (text, width) in enumerate(zip(line, widths))).rstrip()
                     for line in [titles, *rows])


def result_table(rows, mix_name):
    """Return the table of what was measured with a mix; columns that nobody has are left out."""
    ordered = sorted(rows, key=lambda row: (list(SYSTEMS).index(row["system"]), row["domains"]))
    texts = [[show(row) for _, show in COLUMNS] for row in ordered]
    used = [i for i in range(len(COLUMNS)) if i == 0 or any(line[i] for line in texts)]
    return table([COLUMNS[i][0] or f"{mix_name} mix" for i in used],
                 [[line[i] for i in used] for line in texts])


def workers_table(rows, number):
    """Return the table of several UDP workers."""
    return table([f"{number} UDP workers", "mix", "domains", "questions/s", "lost/wrong"],
                 [[SYSTEMS[row["system"]], row["mix"], count(row["domains"]), count(row["qps"]),
                   f"{row['lost']:,}/{row['wrong']:,}"] for row in rows])


class Bars:
    """What is wanted, beside what was measured."""

    def __init__(self):
        self.found = []

    def add(self, what, bar, value, met, text):
        """Add one line; value None: not measured."""
        self.found.append({"what": what, "bar": bar, "measured": value,
                           "met": None if value is None else bool(met(value)),
                           "text": "" if value is None else text(value)})

    def ratio(self, what, least, above, below, goal=None):
        """Add a ratio that must be at least so much."""
        value = above / below if above and below else None
        self.add(what, f"at least {least}" + (f", goal {goal}" if goal else ""), value,
                 lambda got: got >= least, "{:.2f}".format)

    def times(self, what, limit, above, below, goal=None):
        """Add a ratio that may be at most so much."""
        value = above / below if above is not None and below else None
        self.add(what, f"at most {limit}" + (f", goal {goal}" if goal else ""), value,
                 lambda got: got <= limit, "{:.3f}".format)

    def most(self, what, limit, value, show):
        """Add a value that may be at most so much."""
        self.add(what, f"at most {show(limit)}", value, lambda got: got <= limit, show)


def count_bars(made, rows, instructions):
    """Add the bars of instructions and allocations. rows have mix, domains, signed, instructions, allocations."""
    by = {(row["mix"], row["domains"], row.get("signed", False)): row["instructions"]["all"] for row in rows
          if "instructions" in row}
    worst = max((cost / by["plain", *rest] for (mix, *rest), cost in by.items()
                 if mix == "customer" and ("plain", *rest) in by), default=None)
    made.times("instructions of the customer mix, of the plain mix, the worst size", 1.2, worst, 1, 1.1)
    made.most("allocations a question, the worst of both mixes", 0,
              max((row["allocations"] for row in rows if "allocations" in row), default=None), "{:g}".format)

    def extra(what, ours, theirs, limit, goal=None):
        ours, theirs = instructions.get(ours), instructions.get(theirs)
        made.times(what, limit, ours["all"] if ours else None, theirs["all"] if theirs else None, goal)
    foreign = instructions.get("foreign-domains", 1_000_000)
    extra(f"instructions of a question that is not ours, of knotd's refusal, {count(foreign)} domains", "foreign",
          "refused", 1.5, 1.4)
    extra("instructions of a name in a zone-mode zone that no kind matches, of knotd alone", "zone-mode", "zone", 1.02)


def speed_bars(made, by):
    """Add the bars of questions per second. by: rows by system, mix and number of domains."""
    def qps(system, domains, mix="plain"):
        return by.get((system, mix, domains), {}).get("uniform", {}).get("qps", {}).get("median")

    for mix, bars_of_mix in (("customer", ((1000, 1.0, 1.2), (100_000, 1.7, 2.0), (1_000_000, 1.8, 2.0))),
                             ("plain", ((1000, 1.15, 1.3), (100_000, 2.0, 2.3), (1_000_000, 2.0, 2.3)))):
        for size, least, goal in bars_of_mix:
            made.ratio(f"{mix} mix, questions/s of knotd with the same zones, {count(size)} domains", least,
                       qps("mod-mail", size, mix), qps("knotd", size, mix), goal)
    made.ratio("plain mix, one domain, questions/s of knotd with one zone", 1.0, qps("mod-mail", 1), qps("knotd", 1), 1.1)
    made.ratio("plain mix, one domain, questions/s of NSD with one zone", 0.9, qps("mod-mail", 1), qps("nsd", 1), 1.0)
    made.ratio("plain mix, questions/s at 10,000,000 domains, of knotd with 1,000 zones", 0.75,
               qps("mod-mail", 10_000_000), qps("knotd", 1000), 0.85)
    made.ratio("plain mix, questions/s of PowerDNS with packet cache, 1,000,000 domains", 5,
               qps("mod-mail", 1_000_000), qps("pdns-cache", 1_000_000))


def bars(rows, instructions, more=()):
    """Return what the project has set itself, beside what was measured. more: functions that add bars of other parts."""
    by = {(row["system"], row["mix"], row["domains"]): row for row in rows}
    ours = [row for row in rows if row["system"] == "mod-mail"]
    made = Bars()

    def beyond_one(item, domains=10_000_000):
        many, one = (by.get(("mod-mail", "plain", size), {}).get(item) for size in (domains, 1))
        return None if many is None or one is None else max(0, many - one)

    def imported(mix, size=1_000_000):
        return by.get(("mod-mail", mix, size), {}).get("import")

    speed_bars(made, by)
    count_bars(made, ours, instructions)
    for add in more:
        add(made)
    made.ratio("import of 1,000,000 customers, lines/s of plain lines", 0.33, imported("customer"), imported("plain"), 0.5)
    made.add("import of 1,000,000 sorted plain lines, one core", "at least 300,000/s", imported("plain"),
             lambda got: got >= 300_000, lambda got: count(got) + "/s")
    made.most("start, 10,000,000 domains beyond one", 0.050, beyond_one("start"), seconds)
    made.most("private memory, 10,000,000 domains beyond one", MEBI, beyond_one("private"), octets)
    largest = max((row["domains"] for row in ours if row["mix"] == "plain"), default=1)
    made.most(f"octets on disk per domain, plain, {count(largest)} domains", 128,
              by.get(("mod-mail", "plain", largest), {}).get("domain-octets"), "{:.0f}".format)
    made.most("commit to first new answer, the slowest size", 0.002,
              max((row["commit"] for row in rows if "commit" in row), default=None), seconds)
    return made.found


def bars_table(found):
    """Return the bars: bar, measured, met or not."""
    said = {None: "not measured", True: "met", False: "NOT MET"}
    return table(["bar", "wanted", "measured", ""],
                 [[bar["what"], bar["bar"], bar["text"], said[bar["met"]]] for bar in found])


def doubts(rows):
    """Return a line when speeds say little of servers: their core had time left, or others had it. Else nothing."""
    parts = [row[kind]["busy"] for row in rows for kind in ("uniform", "zipf", "warm") if kind in row]
    low = [part for part in parts if part < BUSY]
    return [f"in {len(low)} of {len(parts)} speeds the server had less than {BUSY * 100:.0f} % of its core (once "
            f"{min(low) * 100:.0f} %): is the machine quiet?"] if low else []


def facts_text(facts):
    """Return the machine in two lines."""
    peers = "".join(f", {title} {facts[item]}" for item, title in (("nsd", "NSD"), ("pdns", "PowerDNS"))
                    if facts[item])
    return (f"{facts['cpu']}, {facts['cores']} cores, {octets(facts['memory'])}, {facts['system']}, "
            f"Linux {facts['kernel']}\nKnot DNS {facts['knot']}{peers}, mod-mail {facts['commit'] or '?'}")
