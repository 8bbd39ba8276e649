# SPDX-License-Identifier: GPL-3.0-or-later
"""The signed zone file of a domain: others find it well signed, and a plain knotd that has it answers as the module.

Domains are those of test_differential.py. Below _report._dmarc the module denies names one by one (RFC 4470), the
zone file by one NSEC: there only what does not come of DNSSEC is compared. MAIL_SEED=N repeats a run.
"""

import functools
import os
import random
import re
import subprocess
import time

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import pytest

from compare import FLAGS, TYPES, Plain, Question, Tally, compare, names_around, spelt, zone_names
from dnssec import ADDED
from harness import Failure, Knotd, Store, poll, program, rdata
from test_differential import report_name, report_names
from test_dnssec_answers import CASES, signed_case

SEED = int(os.environ.get("MAIL_SEED", "0")) or int(time.time())
# Sizes at which answers are cut, with DO and without.
EDNS = ((512, True), (900, True), (1232, True), (1232, True), (4096, True), (1232, False), None)


class Exported:
    """A family of domains, some of them signed, and their zone files."""

    def __init__(self, signed):
        self.domains, self.store, self.signed = signed.domains, signed.store, list(signed.keys)
        self.files, self.zones = {}, {}
        for domain in self.domains:
            text = self.store.run("export", "--format", "zone", domain).stdout
            self.zones[domain] = text
            self.files[domain] = self.store.directory / f"{domain}.zone"
            self.files[domain].write_text(text, encoding="utf-8")


@pytest.fixture(name="exported", params=list(CASES))
def _exported(directory, request):
    """A family of domains."""
    return Exported(signed_case(directory, request.param))


def run(*command):
    """A checker; it must be content."""
    done = subprocess.run([program(command[0]), *map(str, command[1:])], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))}: exit status {done.returncode}\n"
                      f"{(done.stdout + done.stderr)[:3000]}")


def test_checkers(exported):
    """kzonecheck, ldns-verify-zone, named-checkzone and dnssec-verify find nothing wrong."""
    look(exported)


def look(exported):
    """Has all checkers look at all zone files."""
    for domain in exported.domains:
        path = exported.files[domain]
        is_signed = re.search(r"\sRRSIG\s", exported.zones[domain]) is not None
        assert is_signed == (domain in exported.signed), domain
        run("kzonecheck", "-o", domain, path)
        run("named-checkzone", "-i", "local", "-k", "ignore", "-r", "ignore", "-n", "ignore", "-m", "ignore",
            "-M", "ignore", domain, path)
        if is_signed:
            run("kzonecheck", "-d", "on", "-o", domain, path)
            run("ldns-verify-zone", path)
            run("dnssec-verify", "-q", "-z", "-o", domain, path)


def test_checkers_refuse(directory):
    """They would have found a record without its signature, and a chain that has a hole."""
    text = Exported(signed_case(directory, "samples")).zones["example.org"]
    store = Store(directory, init=False)
    lines = text.splitlines(keepends=True)
    for rrtype in (r"RRSIG\s+MX", r"NSEC\s"):
        chosen = [line for line in lines if re.search(rf"\s{rrtype}", line)]
        path = store.file("".join(line for line in lines if line is not chosen[-1]), ".zone")
        for command in (("kzonecheck", "-d", "on", "-o", "example.org"), ("ldns-verify-zone",),
                        ("dnssec-verify", "-q", "-z", "-o", "example.org")):
            with pytest.raises(Failure):
                run(*command, path)


# The module and a plain knotd with the zone files

def shape(section):
    """RRsets of a section; of an RRSIG what does not depend on a random number or on the time of the export."""
    return {(rrset.name.to_text(), rrset.rdtype, rrset.covers, rrset.ttl, frozenset(
        (rr.algorithm, rr.labels, rr.original_ttl, rr.key_tag, rr.signer)
        if rrset.rdtype == dns.rdatatype.RRSIG else rr.to_text() for rr in rrset)) for rrset in section}


def outline(wire, question, plain=False):
    """What must be equal; plain: but for what DNSSEC adds."""
    message = dns.message.from_wire(wire)
    asked = question.asked()
    found = {"flags": dns.flags.to_text(message.flags & FLAGS), "rcode": dns.rcode.to_text(message.rcode()),
             "question": wire[12:12 + len(asked)].hex(), "EDNS": message.edns}
    for name in ("answer", "authority", "additional"):
        section = getattr(message, name)
        if plain:
            section = [rrset for rrset in section if rrset.rdtype not in ADDED]
        found[name] = shape(section)
    return found


def difference(question, ours, theirs, plain=False):
    """What two answers differ in, or None."""
    if ours[2:] == theirs[2:]:
        return None
    try:
        a, b = outline(ours, question, plain), outline(theirs, question, plain)
    except (dns.exception.DNSException, ValueError) as bad:
        return f"{question}: {bad!r}\n   ours:   {ours.hex()}\n   theirs: {theirs.hex()}"
    lines = [f"   {what}:\n      ours:   {a[what]}\n      theirs: {b[what]}" for what in a
             if a[what] != b[what]]
    return "\n".join([str(question), *lines]) if lines and not is_cut_denial(a, b) else None


def is_cut_denial(a, b):
    """The exception: without room for SOA and proof behind a chain of aliases knotd does not say so with TC.

    Of what is cut nobody cares how much of the proof is there.
    """
    return not b["authority"] and a["answer"] and "TC" in a["flags"] and \
        a["flags"].replace(" TC", "") == b["flags"] and \
        {what for what in a if a[what] != b[what]} <= {"flags", "authority"}


def below_reports(question, ours, theirs):
    """The exception: DNSSEC apart, a name that exists by rule may be NODATA here and NXDOMAIN there."""
    a, b = outline(ours, question, True), outline(theirs, question, True)
    if "TC" in a["flags"] + b["flags"]:
        # The proofs have not the same size.
        return None
    codes = a.pop("rcode"), b.pop("rcode")
    if a == b and (codes[0] == codes[1] or codes == ("NOERROR", "NXDOMAIN") and not a["answer"]):
        return None
    return f"{question}: not as the exception says: {codes}\n   {a}\n   {b}"


def lowest_type(question, ours, theirs):
    """The exception: of a name whose types all come behind NSEC, knotd answers ANY and RRSIG from the NSEC.

    That may be too much for the size at which it is cut.
    """
    a, b = outline(ours, question), outline(theirs, question)
    behind = all((covers or rrtype) > dns.rdatatype.NSEC for _, rrtype, covers, _, _ in a["answer"])
    theirs_nsec = any(covers == dns.rdatatype.NSEC for _, _, covers, _, _ in b["answer"]) or \
        behind and a["answer"] and "TC" in b["flags"] and not b["answer"]
    differs = [what for what in a if a[what] != b[what]]
    if is_cut_denial(a, b):
        return None
    if theirs_nsec and set(differs) <= {"answer", "additional", "flags"} or not differs:
        return None
    return f"{question}: not as the exception says:\n   {a}\n   {b}"


def more_proof(question, ours, theirs):
    """The exception: a proof that knotd leaves out.

    That a wildcard is an empty non-terminal (RFC 4035 3.1.3.4), and that a wildcard's NSEC answers for a name.
    """
    a, b = outline(ours, question), outline(theirs, question)
    if b["authority"] <= a["authority"] or "TC" in a["flags"]:
        for found in (a, b):
            found.pop("authority")
            found["flags"] = found["flags"].replace(" TC", "")
        return None if a == b else f"{question}: not as the exception says:\n   {a}\n   {b}"
    return difference(question, ours, theirs)


def asked_of(exported, dice):
    """Every type of every owner at some size, some types of the names around them."""
    stored = re.findall(r'"name":"([^"]+)"', exported.store.run("domain-list", "--json").stdout)
    names, owners = [], set()
    for domain, text in exported.zones.items():
        listed, types = zone_names(text, domain)
        owners |= listed
        extra = {report_name(other, domain) for other in stored[:8]} - {None}
        # The ends of the gap are names in the zone file alone: they have an NSEC.
        listed = {name for name in listed if name.labels[:2] not in ((b"\0", b"_report"), (b"\xff", b"_report"))}
        numbers = sorted({int(dns.rdatatype.from_text(rrtype)) for rrtype in types | set(TYPES)})
        for name in names_around(listed | extra, domain, dice):
            chosen = numbers if name in listed else [dice.choice(numbers)]
            names += [Question(spelt(name, dice) if dice.random() < 0.3 else name, number, dice.choice(EDNS),
                               dice.choice((0, 0x0100, 0x0130))) for number in chosen]
    dice.shuffle(names)
    return stored, names


def test_same_answers(exported, request):
    """Same rcode, flags, RRsets with TTLs, NSEC owners and bitmaps, and cut at the same sizes."""
    print(f"MAIL_SEED={SEED}")
    same_answers(exported, random.Random(f"{SEED} {request.node.name}"))


def same_answers(exported, dice, most=None):
    """The module answers as a plain knotd with the zone files, whatever is asked; so many questions at most."""
    stored, asked = asked_of(exported, dice)
    if most is not None:
        asked = dice.sample(asked, min(most, len(asked)))
    apart = {name.canonicalize() for name in report_names(stored, exported.zones)}

    def expected(question):
        name = question.name.canonicalize()
        if b"_report" in name.labels and name.labels[0] != b"_report" or name in apart:
            return below_reports
        if question.rrtype in (dns.rdatatype.ANY, dns.rdatatype.RRSIG):
            return lowest_type
        # knotd takes a name with an asterisk that a wildcard stands for as the wildcard itself.
        if b"wild2" in name.labels or b"star" in name.labels or name.labels[0] == b"*" or \
                question.rrtype == dns.rdatatype.NSEC:
            return more_proof
        # Behind SVCB, knotd adds the NSEC of the target to its addresses.
        if question.rrtype in (dns.rdatatype.SVCB, dns.rdatatype.HTTPS):
            return functools.partial(difference, plain=True)
        return difference

    tally = Tally()
    with Knotd(exported.store) as ours, Plain(exported.zones) as theirs:
        for domain in exported.signed:
            if domain in exported.zones:
                poll(lambda domain=domain: rdata(ours.ask(domain, "DNSKEY", tcp=True), "DNSKEY"), "keys")
        compare(ours, theirs, asked, tally, expected=expected)
        compare(ours, theirs, dice.sample(asked, min(600, len(asked))), tally, tcp=True, expected=expected)
    assert tally.truncated > 20
    tally.check()
