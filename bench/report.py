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
    """1,000."""
    return f"{number:,.0f}"


def seconds(value):
    """A time with two or three digits that count."""
    if value is None:
        return ""
    if value < 0.001:
        return f"{value * 1e6:.0f} us"
    if value < 1:
        return f"{value * 1e3:.{1 if value < 0.01 else 0}f} ms"
    return f"{value:.1f} s" if value < 100 else f"{value:.0f} s"


def octets(value):
    """A size."""
    if value is None:
        return ""
    for unit, size in (("GiB", MEBI * 1024), ("MiB", MEBI), ("KiB", 1024)):
        if value >= size:
            return f"{value / size:.{1 if value < 100 * size else 0}f} {unit}"
    return f"{value:.0f} B"


def rate(measured):
    """Questions per second with the spread of the runs."""
    if not measured:
        return ""
    return f"{measured['qps']['median']:,.0f} ±{measured['qps']['spread'] * 100:.0f}%"


def changed(row):
    """The time that a change of all domains takes."""
    if "change" not in row:
        return ""
    return ("~" if row["change"]["estimated"] else "") + seconds(row["change"]["seconds"])


def plain(value, digits=0):
    """A number, or nothing."""
    return "" if value is None else f"{value:,.{digits}f}"


def bad(row):
    """Lost and wrong answers of all questions."""
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
    ("B/domain", lambda row: plain(row.get("domain-octets"))),
    ("import/s", lambda row: plain(row.get("import"))),
)


def table(titles, rows):
    """Rows of texts, in columns: the first to the left, the others to the right."""
    widths = [max(len(line[i]) for line in [titles, *rows]) for i in range(len(titles))]
    return "\n".join("  ".join(text.ljust(width) if i == 0 else text.rjust(width)
                               for i, (text, width) in enumerate(zip(line, widths))).rstrip()
                     for line in [titles, *rows])


def result_table(rows):
    """The table of everything that was measured; columns that nobody has are left out."""
    ordered = sorted(rows, key=lambda row: (list(SYSTEMS).index(row["system"]), row["domains"]))
    texts = [[show(row) for _, show in COLUMNS] for row in ordered]
    used = [i for i in range(len(COLUMNS)) if i == 0 or any(line[i] for line in texts)]
    return table([COLUMNS[i][0] for i in used], [[line[i] for i in used] for line in texts])


class Bars:
    """What issue 5 asks for, beside what was measured."""

    def __init__(self, rows, instructions):
        self.rows = {(row["system"], row["domains"]): row for row in rows}
        self.instructions = instructions
        self.found = []

    def get(self, system, domains, *path):
        """A measured value, or None."""
        value = self.rows.get((system, domains))
        for step in path:
            value = value.get(step) if value else None
        return value

    def qps(self, system, domains):
        """Uniform questions per second, or None."""
        return self.get(system, domains, "uniform", "qps", "median")

    def add(self, what, bar, value, met, text):
        """One line; value None: not measured."""
        self.found.append({"what": what, "bar": bar, "measured": value,
                           "met": None if value is None else bool(met(value)),
                           "text": "" if value is None else text(value)})

    def ratio(self, what, least, above, below, goal=None):
        """A ratio that must be at least so much."""
        value = above / below if above and below else None
        self.add(what, f"at least {least}" + (f", goal {goal}" if goal else ""), value,
                 lambda got: got >= least, "{:.2f}".format)

    def most(self, what, limit, value, show):
        """A value that may be at most so much."""
        self.add(what, f"at most {show(limit)}", value, lambda got: got <= limit, show)

    def beyond_one(self, item, domains=10_000_000):
        """How much more of something a size takes than one domain does."""
        many, one = self.get("mod-mail", domains, item), self.get("mod-mail", 1, item)
        return None if many is None or one is None else max(0, many - one)

    def speed(self):
        """Questions per second, against others."""
        for domains, least, goal in ((1000, 1.1, 1.25), (100_000, 1.3, 1.5), (1_000_000, 1.5, 1.7)):
            self.ratio(f"questions/s of knotd with the same zones, {count(domains)} domains", least,
                       self.qps("mod-mail", domains), self.qps("knotd", domains), goal)
        self.ratio("questions/s at 1,000,000 domains, of knotd with one zone", 0.85,
                   self.qps("mod-mail", 1_000_000), self.qps("knotd", 1), 1.0)
        self.ratio("questions/s at 10,000,000 domains, of knotd with 1,000 zones", 0.85,
                   self.qps("mod-mail", 10_000_000), self.qps("knotd", 1000), 1.0)
        self.ratio("questions/s of PowerDNS with packet cache, 1,000,000 domains", 5,
                   self.qps("mod-mail", 1_000_000), self.qps("pdns-cache", 1_000_000))

    def extra(self, what, ours, theirs, limit):
        """Instructions of a question, of those that knotd takes without the module."""
        ours, theirs = self.instructions.get(ours), self.instructions.get(theirs)
        value = ours["all"] / theirs["all"] if ours and theirs else None
        self.most(what, limit, value, "{:.3f} times".format)

    def all(self):
        """All bars."""
        self.speed()
        size = self.instructions.get("foreign-domains")
        self.extra(f"instructions of a question that is not ours, {count(size or 1_000_000)} domains",
                   "foreign", "refused", 1.5)
        self.extra("instructions of a name in a zone-mode zone that no kind matches",
                   "zone-mode", "zone", 1.02)
        self.most("start, 10,000,000 domains beyond one", 0.050, self.beyond_one("start"), seconds)
        self.most("private memory, 10,000,000 domains beyond one", MEBI, self.beyond_one("private"), octets)
        largest = max((key[1] for key in self.rows if key[0] == "mod-mail"), default=1)
        self.most(f"octets on disk per domain, {count(largest)} domains", 128,
                  self.get("mod-mail", largest, "domain-octets"), "{:.0f}".format)
        speed = self.get("mod-mail", 1_000_000, "import")
        self.add("import of 1,000,000 sorted lines, one core", "at least 300,000/s", speed,
                 lambda got: got >= 300_000, lambda got: count(got) + "/s")
        slowest = max((row["commit"] for row in self.rows.values() if "commit" in row), default=None)
        self.most("commit to first new answer, the slowest size", 0.002, slowest, seconds)
        return self.found


def bars_table(bars):
    """The bars: bar, measured, met or not."""
    said = {None: "not measured", True: "met", False: "NOT MET"}
    return table(["bar", "wanted", "measured", ""],
                 [[bar["what"], bar["bar"], bar["text"], said[bar["met"]]] for bar in bars])


def doubts(rows):
    """A line when speeds say little of servers: their core had time left, or others had it. Else nothing."""
    parts = [row[kind]["busy"] for row in rows for kind in ("uniform", "zipf", "warm") if kind in row]
    low = [part for part in parts if part < BUSY]
    return [f"in {len(low)} of {len(parts)} speeds the server had less than {BUSY * 100:.0f} % of its core (once "
            f"{min(low) * 100:.0f} %): is the machine quiet?"] if low else []


def facts_text(facts):
    """The machine in two lines."""
    peers = "".join(f", {title} {facts[item]}" for item, title in (("nsd", "NSD"), ("pdns", "PowerDNS"))
                    if facts[item])
    return (f"{facts['cpu']}, {facts['cores']} cores, {octets(facts['memory'])}, {facts['system']}, "
            f"Linux {facts['kernel']}\nKnot DNS {facts['knot']}{peers}, mod-mail {facts['commit'] or '?'}")
