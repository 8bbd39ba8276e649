# SPDX-License-Identifier: GPL-3.0-or-later
"""Each answer with DO, by itself, is signed and proves what it does not hold (dnssec.py says how that is seen).

The domains are those of test_differential.py, every name, type and neighbour of them; signed with each
algorithm, with one key or two. MAIL_SEED=N repeats a run.
"""

import os
import random
import re
import time

import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import pytest

from compare import TYPES, WINDOW, Channel, Question, below, names_around
from dnssec import ADDED, Zones, key_set, utc
from harness import Failure, Knotd, Store, is_sanitized
from test_differential import FAMILIES, apply

SEED = int(os.environ.get("MAIL_SEED", "0")) or int(time.time())
NUMBERS = [int(dns.rdatatype.from_text(rrtype)) for rrtype in TYPES + ["CDS", "CDNSKEY"]]
ED25519 = "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="


# Asking

def asked_of(zones, extra, dice):
    """Every type of the names that are listed, some types of those around them."""
    found = []
    for apex, zone in zones.zones.items():
        listed = sorted(zone.types)
        around = names_around(set(listed) | {name for name in extra if name.is_subdomain(apex)},
                              str(apex), dice, randoms=30)
        known = set(listed)
        for name in around:
            types = set(NUMBERS) | zone.types[name] if name in known else [dice.choice(NUMBERS)]
            found += [Question(name, int(rrtype), (4096, True)) for rrtype in types]
    dice.shuffle(found)
    return found


def answers(knotd, questions):
    """The answers over UDP, over TCP those that were truncated."""
    channel = Channel(knotd.port)
    try:
        for start in range(0, len(questions), WINDOW):
            part = questions[start:start + WINDOW]
            wires = channel.receive(channel.send(part))
            for question, wire in zip(part, wires):
                if wire[2] & 2:
                    wire = channel.over_tcp([question])[0]
                yield question, wire
    finally:
        channel.close()


def verify_all(zones, knotd, questions):
    """Verifies all answers; says in the end all that is wrong."""
    wrong = []
    each = 4 if is_sanitized() else 1
    for number, (question, wire) in enumerate(answers(knotd, questions)):
        if number % each > 0:
            continue
        try:
            zones.verify(question, wire)
        except Failure as bad:
            wrong.append(str(bad))
    print(f"{len(questions)} questions: {zones.counts}")
    if wrong:
        raise Failure(f"{len(wrong)} of {len(questions)} answers are wrong:\n" + "\n".join(wrong[:8]))


def plain_part(wire):
    """What of an answer does not come of DO: rcode, flags, RRsets without RRSIG and NSEC."""
    message = dns.message.from_wire(wire)
    sections = [{(rrset.name, rrset.rdtype, rrset.ttl, frozenset(rrset)) for rrset in section
                 if rrset.rdtype not in ADDED and not
                 (rrset.rdtype == dns.rdatatype.DS and section is message.authority)}
                for section in (message.answer, message.authority)]
    return message.rcode(), dns.flags.to_text(message.flags), sections


def check_without_do(zones, knotd, questions):
    """Without DO no DNSSEC record that was not asked for, and for the rest the same answer."""
    wrong = []
    without = [Question(question.name, question.rrtype, (4096, False)) for question in questions]
    for (question, signed), (_, wire) in zip(answers(knotd, questions), answers(knotd, without)):
        message = dns.message.from_wire(wire)
        there = [rrset for section in (message.answer, message.authority, message.additional)
                 for rrset in section if rrset.rdtype in ADDED]
        asked = question.rrtype in ADDED + (dns.rdatatype.ANY,)
        if there and not asked:
            wrong.append(f"{question}: {there}")
        if not asked and plain_part(signed) != plain_part(wire):
            wrong.append(f"{question}: DO changes\n{plain_part(signed)}\n{plain_part(wire)}")
    if wrong:
        raise Failure("\n".join(wrong[:8]))


class Signed:
    """A store with domains, some of them signed.

    domains  Those that are asked for.
    keys     {domain: KeySet} of those that are signed.
    seed     What chances of its tests come from.
    """

    def __init__(self, store, domains, keys, seed):
        self.store, self.domains, self.keys, self.seed = store, domains, keys, seed
        self.directory = store.directory

    def zones(self):
        """What is to be known to verify answers."""
        return Zones(self.store, {domain: self.keys.get(domain) for domain in self.domains})


def signed_case(directory, case, without=()):
    """The family of one of CASES, without some domains."""
    family, signed, aliases = CASES[case]
    domains = [domain for domain in FAMILIES[family][1] if domain not in without]
    sets = {}
    keys = {next(d for d in domains if len(d) > 150) if domain == "LONG" else domain:
            sets.setdefault(how["name"], key_set(**how)) for domain, how in signed.items()}
    store = signed_store(directory, family, keys)
    keys.update({alias: keys[target] for alias, target in aliases.items()})
    return Signed(store, domains, keys, f"{SEED} {case}")


def signed_store(directory, domains, signed):
    """A store with a family; signed: {domain: KeySet}. An alias follows its target's."""
    store = Store(directory)
    FAMILIES[domains][0](store)
    for keys in {keys.name: keys for keys in signed.values()}.values():
        keys.install(store)
        store.apply(keys.text())
    for domain, keys in signed.items():
        # The parent has had its DS for long.
        store.run("domain-set", domain, f"key-set={keys.name}", "ds-from=2020-01-01T00:00:00Z")
    return store


# Outcomes that must have been met besides.
MORE = {
    "nasty": {"WILDCARD", "ALIAS", "REFERRAL", "SECURE REFERRAL"},
    "all": {"WILDCARD", "SECURE REFERRAL"},
    "some": {"UNSIGNED", "REFERRAL", "SECURE REFERRAL"},
}
# Customers of which there are a hundred.
ALIKE = ("customer-002.example", "customer-003.example")

ONE = {"name": "one", "algorithm": "ed25519"}
TWO = {"name": "two", "algorithm": "ecdsap256sha256", "split": True}
RSA = {"name": "rsa", "algorithm": "rsasha256", "split": True}

# Family, which of its domains are signed by what, and which aliases are signed through them.
CASES = {
    "samples": ("samples", {"example.org": ONE, "example.com": TWO, "provider.example": RSA,
                            "customer-001.example": ONE, "customer-100.example": ONE,
                            "never-mind.example": TWO}, {"customer-one.example": "customer-001.example"}),
    "nasty": ("nasty", {"nasty.example": ONE, "quiet.example": TWO}, {"alias.example": "nasty.example"}),
    "all": ("parents", {"test": ONE, "example.test": TWO, "kid.example.test": ONE,
                        "x.kid.example.test": RSA, "a.b.example.test": ONE, "wild.test": ONE,
                        "deep.c.d.example.test": ONE, "big.test": TWO}, {}),
    # A secure parent of an insecure one of a secure one; insecure above all; one insecure beside.
    "some": ("parents", {"example.test": ONE, "x.kid.example.test": TWO, "a.b.example.test": RSA}, {}),
    "odd": ("odd", {"xn--bcher-kva.example": TWO, "cut.example": ONE, "x.sub.cut.example": TWO,
                    "onlyns.example": ONE, "LONG": ONE},
            {"again.example": "cut.example", "kid.again.example": "cut.example"}),
}


@pytest.mark.parametrize("case", CASES)
def test_answers(directory, case):
    """Families of domains, and all that can be asked about them."""
    print(f"MAIL_SEED={SEED}")
    signed = signed_case(directory, case, without=ALIKE)
    dice = random.Random(signed.seed)
    stored = re.findall(r'"name":"([^"]+)"', signed.store.run("domain-list", "--json").stdout)
    zones = signed.zones()
    asked = asked_of(zones, reports(signed.domains, stored[:12]), dice)
    with Knotd(signed.store) as knotd:
        zones.wait(knotd)
        verify_all(zones, knotd, asked)
        check_without_do(zones, knotd, dice.sample(asked, min(600, len(asked))))
    wanted = {"ANSWER", "NODATA", "NXDOMAIN"} | (set() if is_sanitized() else MORE.get(case, set()))
    assert wanted <= set(zones.counts), zones.counts


def reports(domains, stored):
    """Names below _report._dmarc of the domains: of stored ones, of names above them, of others."""
    found = set()
    for domain in domains:
        if len(domain) > 150:
            continue
        top = dns.name.from_text(f"_report._dmarc.{domain}")
        for label in (b"nothing", b"\0", b"\xff", b"zz"):
            found.add(below(label, top))
        for other in stored:
            name = dns.name.from_text(other)
            while name != dns.name.root:
                try:
                    found.add(dns.name.Name(name.labels[:-1] + top.labels))
                except dns.name.NameTooLong:
                    pass
                name = name.parent()
    return found


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("algorithm", ["ed25519", "ecdsap256sha256", "rsasha256"])
def test_algorithms(directory, algorithm, split):
    """One domain with every algorithm, with a CSK, and with KSK and ZSK."""
    keys = key_set("ks", algorithm, split)
    store = signed_store(directory, "samples", {"example.org": keys, "example.com": keys})
    zones = Zones(store, {"example.org": keys, "example.com": keys})
    asked = asked_of(zones, reports(["example.org"], ["example.com", "customer-001.example"]),
                     random.Random(f"{SEED}"))
    with Knotd(store) as knotd:
        zones.wait(knotd)
        verify_all(zones, knotd, asked)


TIMED = """
certificate:
  - id: mail
    current: "3 1 1 {one}"
    next: "3 1 1 {two}"
    publish: "{a}"
    deploy-at: "{b}"
host:
  - id: mail
    name: mail
    address: 192.0.2.25
    certificate: mail
policy:
  - id: timed
    host: mail
    ns: "ns1.example.net."
    mx: "10 mail"
    dmarc-ramp: "{b} p=reject"
    key-set: ks
    record: "*.wild._domainkey TXT p="
dkim:
  - id: "policy:timed/deep.dotted"
    key: "{key}"
    publish: "{a}"
    remove: "{b}"
  - id: "example.org/own"
    key: "{key}"
    publish: "{b}"
  - id: "example.org/zz.own"
    cname: "key.example.net."
    remove: "{a}"
  - id: "policy:timed/new.wild"
    key: "{key}"
    publish: "{b}"
domain:
  - id: example.org
    policy: timed
  - id: alias.example
    alias: example.org
  - id: kid.example.org
    policy: timed
"""


def test_time(directory, clock):
    """Names and types that the clock adds or takes away are in the chain from that second on."""
    keys = key_set("ks", "ed25519")
    store = Store(directory, clock=clock)
    begin = clock.now
    a, b = begin + 86400, begin + 2 * 86400
    keys.install(store)
    apply(store, keys.text() + TIMED.format(one="11" * 32, two="22" * 32, a=utc(a), b=utc(b),
                                            key=ED25519))
    domains = {"example.org": keys, "alias.example": keys, "kid.example.org": keys}
    always = set()
    for when in (begin, a, b, b + 30 * 86400):
        always |= {name for zone in Zones(store, domains, when).zones.values() for name in zone.types}
    with Knotd(store) as knotd:
        for when in (begin, a - 301, a - 10, a, b - 1, b, b + 7300, b + 30 * 86400):
            clock.set(when)
            zones = Zones(store, domains, when)
            zones.wait(knotd)
            verify_all(zones, knotd, asked_of(zones, always, random.Random(f"{SEED}")))
            # Who asks in the second before sees by no TTL that it is over.
            if when == a - 10:
                check_capped(knotd, "dotted._domainkey.example.org", 10)


def check_capped(knotd, name, ttl):
    """A denial that is about to be untrue lasts no longer: SOA, NSEC and their RRSIGs."""
    answer = knotd.ask(name, "TXT", do=True, payload=4096)
    found = {(dns.rdatatype.to_text(rrset.rdtype), rrset.ttl) for rrset in answer.authority}
    assert {rrtype for rrtype, _ in found} == {"SOA", "NSEC", "RRSIG"}
    assert ("SOA", ttl) in found and ("NSEC", ttl) in found, found
    original = {rr.original_ttl for rrset in answer.authority if rrset.rdtype == dns.rdatatype.RRSIG
                for rr in rrset}
    assert original == {3600, 300} or original == {300}, original


def test_same_everywhere(directory, clock):
    """Two servers give the same octets with Ed25519, and the same periods with ECDSA; the grid moves on."""
    sets = {"example.org": key_set("one", "ed25519"), "example.com": key_set("two", "ecdsap256sha256")}
    store = Store(directory, clock=clock)
    FAMILIES["samples"][0](store)
    for domain, keys in sets.items():
        keys.install(store)
        store.apply(keys.text())
        # The parent has had its DS for long.
        store.run("domain-set", domain, f"key-set={keys.name}", "ds-from=2020-01-01T00:00:00Z")
    zones = Zones(store, sets, clock.now)

    def signatures(knotd, domain):
        answer = knotd.ask(domain, "MX", do=True)
        return next(list(rrset) for rrset in answer.answer if rrset.rdtype == dns.rdatatype.RRSIG)

    with Knotd(store) as first, Knotd(store) as second:
        zones.wait(first)
        zones.wait(second)
        periods = set()
        for day in range(0, 40, 3):
            clock.set(1800000000 + day * 86400)
            assert signatures(first, "example.org") == signatures(second, "example.org")
            one, other = signatures(first, "example.com")[0], signatures(second, "example.com")[0]
            assert (one.inception, one.expiration, one.key_tag) == \
                (other.inception, other.expiration, other.key_tag)
            assert one.inception <= clock.now - 3600 < clock.now + 86400 < one.expiration
            periods.add(one.inception)
        assert 1 < len(periods) < 14, periods
        org, com = signatures(first, "example.org")[0], signatures(first, "example.com")[0]
        assert org.inception != com.inception, "domains are not signed anew at the same moment"
