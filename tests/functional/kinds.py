# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of what must be answered, written by hand, for the tests of kinds of records."""

import importlib
import re
from pathlib import Path

from harness import Failure, Knotd, has, poll, rcode, rdata, texts

# Name servers outside of the domains, so that a policy needs no host.
NS = 'ns: [ "ns1.example.net.", "ns2.example.net." ]'


def covers(*kinds):
    """Marks a test with the kinds whose records it looks at (rows of mail_kinds, lib/plan/kinds.c)."""
    def mark(test):
        test.kinds = kinds
        return test
    return mark


def covered():
    """The kinds that tests of test_kinds_*.py look at."""
    found = set()
    for path in sorted(Path(__file__).parent.glob("test_kinds_*.py")):
        for item in vars(importlib.import_module(path.stem)).values():
            if callable(item):
                found |= set(getattr(item, "kinds", ()))
    return found


def counted(knotd):
    """The kinds of which an answer was counted. Counters are kept by each thread on its own."""
    return {match.group(1) for match in map(re.compile(r"mod-mail\.query\[(.+)\]").fullmatch,
                                            knotd.stats()) if match} - {"none"}


def ask_whole(knotd, owner, rrtype):
    """The answer to a question, over TCP when it does not fit into UDP."""
    answer = knotd.ask(owner, rrtype)
    return knotd.ask(owner, rrtype, tcp=True) if has(answer, "TC") else answer


def check(knotd, table):
    """Asks for each (owner, type, expected): RDATA, the strings of TXT joined; NODATA; or an rcode.

    expected is one text, or a list of all; the answer section holds nothing else.
    """
    wrong = []
    for i, (owner, rrtype, expected) in enumerate(table):
        answer = ask_whole(knotd, owner, rrtype)
        code = rcode(answer)
        if code != "NOERROR":
            found = [code]
        else:
            found = (texts(answer) if rrtype == "TXT" else rdata(answer, rrtype)) or ["NODATA"]
            if found != ["NODATA"] and len(found) != len(rdata(answer)):
                found.append(f"and more: {answer.answer}")
        expected = [expected] if isinstance(expected, str) else sorted(expected)
        if found != expected:
            wrong.append(f"case {i}: {owner} {rrtype}\n   expected: {expected}\n   answered: {found}")
        if code in ("NOERROR", "NXDOMAIN") and not has(answer, "AA"):
            wrong.append(f"case {i}: {owner} {rrtype}: not authoritative")
    if wrong:
        raise Failure("\n".join(wrong))


def serve(store, text, table, kinds):
    """Applies a text in the dialect, asks for all of a table, and sees that the kinds were counted."""
    store.apply(text)
    with Knotd(store) as knotd:
        check(knotd, table)
        poll(lambda: set(kinds) <= counted(knotd), f"counters of {sorted(kinds)}")


def each(store, cases, kinds, more=""):
    """Gives each case a policy and a domain dN.example.org of its own, and asks for all of them.

    A case is (items, owner, type, expected); what is expected of example.org is expected of dN.
    """
    policies, domains, table = "", "", []
    for i, (items, owner, rrtype, expected) in enumerate(cases):
        name = f"d{i}.example.org"
        lines = "".join(f"    {item}\n" for item in items)
        policies += f"  - id: p{i}\n    {NS}\n{lines}"
        domains += f"  - id: {name}\n    policy: p{i}\n"
        values = [expected] if isinstance(expected, str) else expected
        table.append((owner.replace("example.org", name), rrtype,
                      [value.replace("example.org", name) for value in values]))
    serve(store, f"{more}policy:\n{policies}domain:\n{domains}", table, kinds)


def policy(*items, domains=("example.org",), more=""):
    """The dialect of a policy with some items, and of domains that follow it."""
    lines = "".join(f"    {item}\n" for item in items)
    names = "".join(f"  - id: {name}\n    policy: tested\n" for name in domains)
    return f"{more}\npolicy:\n  - id: tested\n    {NS}\n{lines}domain:\n{names}"
