# SPDX-License-Identifier: GPL-3.0-or-later
"""A validating unbound finds every record and every denial secure, in any order of questions; delv every kind.

What the answer must be is told by the module's own answer, as dnssec.py has verified it.
MAIL_SEED=N repeats a run.
"""

import os
import random
import re
import subprocess
import time

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import pytest

from compare import Question, names_around
from harness import ADDRESS, PATIENCE, Failure, Knotd, is_sanitized, program
from resolver import Resolver, secure
from test_dnssec_answers import CASES, answers, reports, signed_case

SEED = int(os.environ.get("MAIL_SEED", "0")) or int(time.time())
# What is denied, where it is not there.
DENIED = [int(dns.rdatatype.from_text(rrtype)) for rrtype in "A AAAA TXT MX TLSA SRV CAA NS".split()]
# What a stub asks a resolver about.
SECURE = ("ANSWER", "WILDCARD", "NODATA", "NXDOMAIN")


class Setting:
    """A family of domains, some of them signed, and what is asked of them."""

    def __init__(self, signed):
        self.domains, self.directory, self.store = signed.domains, signed.directory, signed.store
        self.zones = signed.zones()
        self.dice = random.Random(signed.seed)

    def records(self):
        """Questions for everything that is listed; for a wildcard, by another name, too."""
        found = []
        for zone in self.zones.zones.values():
            for owner, rrtype in zone.kinds:
                found.append(Question(owner, int(rrtype), (4096, True)))
                if owner.labels[0] == b"*":
                    found.append(Question(dns.name.Name((b"any",) + owner.labels[1:]), int(rrtype),
                                          (4096, True)))
                if rrtype == dns.rdatatype.CNAME:
                    found.append(Question(owner, int(dns.rdatatype.A), (4096, True)))
                if rrtype == dns.rdatatype.DNAME:
                    found += [Question(dns.name.Name((label,) + owner.labels), int(dns.rdatatype.A),
                                       (4096, True)) for label in (b"a", b"nothing")]
        return found

    def denials(self):
        """Questions for what is not there."""
        found = []
        some = max(20, 500 // len(self.domains))
        # The ends of the gap own NSECs, so to a resolver that uses them they are names.
        extra = {name for name in reports(self.domains, self.domains[:4])
                 if name.labels[0] not in (b"\0", b"\xff")}
        for apex, zone in self.zones.zones.items():
            listed = set(zone.types)
            below = {name for name in extra if name.is_subdomain(apex)}
            around = names_around(listed | below, str(apex), self.dice, randoms=20)
            found += [Question(name, rrtype, (4096, True)) for name in sorted(listed)
                      for rrtype in self.dice.sample(DENIED, 2) if rrtype not in zone.types[name]]
            found += [Question(name, self.dice.choice(DENIED), (4096, True))
                      for name in self.dice.sample(around, min(len(around), some))
                      if name.is_subdomain(apex) and name not in listed]
        return found

    def expected(self, knotd, questions):
        """Questions with what is expected: (question, rcode, RRsets of the answer, secure)."""
        found = []
        for question, wire in answers(knotd, questions):
            outcome = self.zones.verify(question, wire)
            message = dns.message.from_wire(wire)
            alias = any(rrset.rdtype in (dns.rdatatype.CNAME, dns.rdatatype.DNAME) and
                        rrset.rdtype != question.rrtype for rrset in message.answer)
            # DS of a domain that has no parent here; the DS of an unsigned parent is not looked for.
            orphan = question.rrtype == dns.rdatatype.DS and \
                not self.zones.zone_of(question.name.parent())
            untold = alias or not message.flags & dns.flags.AA or question.rrtype == dns.rdatatype.DS
            if orphan or beyond_unbound(question, message) or outcome not in SECURE + ("UNSIGNED",) or \
                    outcome == "UNSIGNED" and untold:
                continue
            found.append((question, message.rcode(), outline(message), outcome != "UNSIGNED"))
        return found


def beyond_unbound(question, message):
    """Where unbound (1.17) goes wrong by itself, with knotd's own signed zones, too."""
    # A chain that goes through one DNAME twice: "DS got DNAME answer".
    dnames = [rrset.name for rrset in message.answer if rrset.rdtype == dns.rdatatype.DNAME]
    for owner in dnames:
        if sum(rrset.rdtype == dns.rdatatype.CNAME and rrset.name.is_subdomain(owner)
               for rrset in message.answer) > 1:
            return True
    # A CNAME to a name whose wildcard is an empty non-terminal: "cnamenoanswer proof failed".
    if question.name.labels[0] == b"wild2" and question.rrtype != dns.rdatatype.CNAME:
        return True
    # nsec_proves_nodata() takes a wildcard that is the next owner for an empty non-terminal, so aggressive
    # use of NSEC denies what is between.
    return any(label < b"*" for label in question.name.labels if label)


def outline(message):
    """The RRsets of an answer, without their TTL and their RRSIGs."""
    return {(rrset.name.canonicalize(), rrset.rdtype, frozenset(rrset)) for rrset in message.answer
            if rrset.rdtype != dns.rdatatype.RRSIG}


def compare(unbound, expected):
    """Asks unbound, in the order given."""
    wrong = []
    for question, code, answer, is_secure in expected:
        found = unbound.ask(question.name, question.rrtype)
        given = outline(found)
        if found.rcode() == dns.rcode.NXDOMAIN:
            # Of a name below an alias that leads to nothing, unbound gives the alias, too (qname-minimisation).
            given = {part for part in given if part[1] != dns.rdatatype.CNAME or
                     part[0] == question.name or not question.name.is_subdomain(part[0])}
        if (found.rcode(), given, secure(found)) != (code, answer, is_secure):
            wrong.append(f"{question}: expected {dns.rcode.to_text(code)}, secure: {is_secure}, "
                         f"{answer}\n{found}")
    if wrong:
        raise Failure(f"{len(wrong)} of {len(expected)} answers are wrong:\n" + "\n".join(wrong[:5]))


def test_orders(case_setting):
    """In any order, strict and as unbound is by itself; records first; denials first."""
    print(f"MAIL_SEED={SEED}")
    resolve(case_setting, 2 if is_sanitized() else 4)


def resolve(setting, orders):
    """Has unbound look at all records and at some denials, in so many orders."""
    with Knotd(setting.store) as knotd:
        setting.zones.wait(knotd)
        records = setting.expected(knotd, setting.records())
        denials = setting.expected(knotd, setting.denials())
        print(f"{len(records)} records, {len(denials)} denials, {setting.zones.counts}")
        assert len(records) > 30 and len(denials) > 60
        assert {secure for *_, secure in records} >= {True}
        mixed = records + denials
        setting.dice.shuffle(mixed)
        stubs = {domain: knotd.port for domain in setting.domains}
        ways = [(mixed, True), (mixed, False), (records + denials, True), (denials + records, True)]
        for order, strict in ways[:orders]:
            with Resolver(setting.directory, stubs, setting.zones.anchors(), strict) as unbound:
                compare(unbound, order)
                # Once more, from the cache.
                compare(unbound, setting.dice.sample(order, 50))


@pytest.fixture(name="case_setting", params=list(CASES))
def _case_setting(directory, request):
    """A family of domains."""
    return Setting(signed_case(directory, request.param))


# delv: BIND's validator, which asks the name server itself

def anchors_file(setting):
    """Trust anchors as delv reads them."""
    lines = []
    for anchor in setting.zones.anchors():
        owner, _, tag, algorithm, digest, text = re.match(r"(\S+) (DS) (\d+) (\d+) (\d+) (.*)", anchor).groups()
        lines.append(f'    {owner} static-ds {tag} {algorithm} {digest} "{text}";')
    path = setting.directory / "anchors"
    path.write_text("trust-anchors {\n" + "\n".join(lines) + "\n};\n")
    return path


def delv(knotd, anchors, domain, name, rrtype):
    """What delv says."""
    done = subprocess.run([program("delv"), f"@{ADDRESS}", "-p", str(knotd.port), "-a", str(anchors),
                           f"+root={domain}.", "+nomultiline", str(name), rrtype], capture_output=True,
                          text=True, timeout=PATIENCE, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("case", ["samples", "nasty"])
def test_delv(directory, case):
    """One record of every kind, and a denial of each sort, validate."""
    setting = Setting(signed_case(directory, case))
    anchors = anchors_file(setting)
    wrong, kinds = [], set()
    with Knotd(setting.store) as knotd:
        setting.zones.wait(knotd)
        for domain in setting.domains[:3]:
            zone = setting.zones.zones[dns.name.from_text(domain)]
            asked = []
            for (owner, rrtype), kind in zone.kinds.items():
                at_cut = owner in zone.cuts and rrtype != dns.rdatatype.DS
                if (kind, rrtype) not in kinds and owner in zone.owners and not at_cut:
                    kinds.add((kind, rrtype))
                    asked.append((owner, dns.rdatatype.to_text(rrtype), "fully validated"))
            denied = "negative response, fully validated"
            asked += [(f"nothing.{domain}", "A", denied), (domain, "TYPE65280", denied),
                      (f"_dmarc.{domain}", "MX", denied), (f"_domainkey.{domain}", "TXT", denied),
                      (f"nothing._report._dmarc.{domain}", "TXT", denied)]
            for name, rrtype, expected in asked:
                said = delv(knotd, anchors, domain, name, rrtype)
                if f"; {expected}" not in said:
                    wrong.append(f"{name} {rrtype}: expected {expected}:\n{said}")
    assert not wrong, "\n".join(wrong[:5])
    assert len(kinds) > 10
