# SPDX-License-Identifier: GPL-3.0-or-later
"""Corners of signed domains: many deleted ones below, cuts at _dmarc, names with no room, wildcards, bad values."""

import itertools
import random

import dns.name
import dns.rcode
import dns.rdatatype
import pytest

from compare import TYPES as ALL_TYPES
from compare import Question, names_around
from dnssec import Zones, key_set
from harness import Knotd, Store, has
from resolver import Resolver
from test_dnssec_answers import answers, verify_all

PLAIN = """
policy:
  - id: p
    ns: "ns1.example.net."
    key-set: ks
    soa-rname: "h.example.net."
domain:
"""
TYPES = ("A", "NS", "SOA", "TXT", "DS", "DNSKEY", "ANY", "NSEC", "RRSIG")


def verify(zones, knotd, names, types=TYPES):
    """Asks over UDP and TCP; every answer is complete, signed and proven."""
    for name, rrtype, tcp in itertools.product(names, types, (False, True)):
        answer = knotd.ask(name, rrtype, do=True, payload=4096, tcp=tcp)
        question = Question(dns.name.from_text(name), dns.rdatatype.from_text(rrtype), (4096, True))
        if has(answer, "TC"):
            assert not tcp, f"{name} {rrtype} is truncated"
            continue
        zones.verify(question, answer.to_wire(max_size=65535))


def test_tombstones(directory):
    """More domains were deleted below a domain than a question passes: what is there has its proofs."""
    keys = key_set("ks", "ed25519")
    store = Store(directory, init=False)
    store.init("--replicated")
    keys.install(store)
    gone = [f"n{i:03}.example.org" for i in range(80)]
    kept = ["example.org", "m.example.org", "zz.example.org"]
    store.apply(keys.text() + PLAIN + "".join(f"  - id: {name}\n    policy: p\n" for name in gone + kept))
    store.load("".join(f'{{"kind":"domain","name":"{name}","deleted":true}}\n' for name in gone))
    with Knotd(store) as knotd:
        zones = Zones(store, {name: keys for name in kept})
        zones.wait(knotd)
        verify(zones, knotd, [*kept, "_dmarc.example.org", "_report._dmarc.example.org"])
        # Such denials cover one name: dnssec.py would look for their owners in the list.
        for name in ("n050.example.org", "zy.example.org", "a.b.example.org"):
            answer = knotd.ask(name, "A", do=True, payload=4096)
            assert answer.rcode() == dns.rcode.NXDOMAIN
            name = dns.name.from_text(name)
            assert any(rrset.rdtype == dns.rdatatype.NSEC and rrset.name < name
                       and (name < rrset[0].next or str(rrset[0].next) == "example.org.")
                       for rrset in answer.authority), answer


CUTS = {
    "delegation": '    delegation: "_dmarc NS ns.vendor.example."\n',
    "report": '    delegation: "_report._dmarc NS ns.vendor.example."\n',
    "dname": '    record: "_dmarc DNAME vendor.example."\n',
    "child": "  - id: _dmarc.example.org\n    policy: p\n",
}


@pytest.mark.parametrize("cut", CUTS)
def test_cut_at_dmarc(directory, cut):
    """_dmarc is somebody else's: the chain has no names below it."""
    keys = key_set("ks", "ed25519")
    store = Store(directory)
    keys.install(store)
    store.apply(keys.text() + PLAIN + "  - id: example.org\n    policy: p\n    dmarc: none\n" + CUTS[cut])
    with Knotd(store) as knotd:
        zones = Zones(store, {"example.org": keys} |
                      ({"_dmarc.example.org": keys} if cut == "child" else {}))
        # No end of a gap: an owner or a next name that is not listed is wrong.
        for zone in zones.zones.values():
            zone.reports = None if str(zone) == "example.org." else zone.reports
        zones.wait(knotd)
        verify(zones, knotd, ["example.org", "_dmarc.example.org", "_dma.example.org", "_dn.example.org",
                              "x.example.org"])
    text = store.run("export", "--format", "zone", "example.org").stdout
    assert "\tNSEC\t" in text and "\\000" not in text and "\\255" not in text, text


@pytest.mark.parametrize("size", [228, 238, 239, 240, 241, 242, 247, 248, 249, 250])
def test_no_room(directory, size):
    """Names that would grow too long are none; those that just fit have their proofs."""
    keys = key_set("ks", "ed25519")
    store = Store(directory)
    keys.install(store)
    labels = [b"x" * 50] * 4
    rest = size - sum(map(len, labels)) - len(labels) - 1
    domain = dns.name.Name([b"y" * (rest - 1), *labels, b""])
    assert len(domain.to_wire()) == size
    text = str(domain).rstrip(".")
    store.apply(keys.text() + PLAIN + f"  - id: {text}\n    policy: p\n    dmarc: none\n")
    with Knotd(store) as knotd:
        zones = Zones(store, {text: keys})
        # Room for one octet below _report._dmarc.
        reports = dns.name.Name((b"_report", b"_dmarc") + domain.labels) if size <= 238 else None
        zones.zones[domain].reports = reports
        zones.wait(knotd)
        names = [text]
        for front in ("_dmarc", "_report._dmarc", "_domainkey", "x", "a.b", "_tls", "a._dmarc", "*"):
            if len(front) + 1 + size <= 255:
                names.append(f"{front}.{text}")
        verify(zones, knotd, names)


def test_wildcard_address(directory):
    """The address that a wildcard gives a mail host is signed as the wildcard's."""
    keys = key_set("ks", "ed25519")
    store = Store(directory)
    keys.install(store)
    store.apply(keys.text() + PLAIN + "  - id: example.org\n    policy: p\n"
                '    record: [ "*.w A 192.0.2.1", "x MX 10 foo.w" ]\n')
    with Knotd(store) as knotd:
        Zones(store, {"example.org": keys}).wait(knotd)
        answer = knotd.ask("x.example.org", "MX", do=True, payload=4096)
        signatures = [rr for rrset in answer.additional if rrset.rdtype == dns.rdatatype.RRSIG
                      for rr in rrset]
        assert [(rr.type_covered, rr.labels) for rr in signatures] == [(dns.rdatatype.A, 3)], answer


BAD = """  - id: example.org
    policy: p
    mx: "10 mx.example.net."
    caa: "0 issue ca.example"
    srv: [ "imaps 0 1 993 mx.example.net.", "submission 0 1 587 mx.example.net." ]
    dmarc: "p=none"
    tls-rpt: "mailto:t@example.net"
    record: [ "www A 192.0.2.1", "*.w TXT w", "x.y A 192.0.2.2", "to CNAME nothing" ]
    delegation: "sub NS ns.example.net."
"""
# What a damaged store has in the place of it, and the names and types that fail: of a name all, but for None.
BAD_VALUES = {
    "apex": (b"0 issue ca", b"0 is-ue ca", "example.org", ("CAA", "ANY", "RRSIG", "NSEC", "CNAME")),
    "below": (b"imaps 0 1 993", b"imaps 0 1 99x", "_imaps._tcp.example.org", None),
}


@pytest.mark.parametrize("case", BAD_VALUES)
def test_bad_value(directory, case):
    """A value that nobody can render fails what is made of it; all else is answered, and no proof denies what is bad."""
    keys = key_set("ks", "ed25519")
    store = Store(directory)
    keys.install(store)
    store.apply(keys.text() + PLAIN + BAD)
    zones = Zones(store, {"example.org": keys})
    zone = zones.zones[dns.name.from_text("example.org")]
    zone.minimal = True
    good, bad, name, types = BAD_VALUES[case]
    path = store.path / "data.mdb"
    octets = path.read_bytes()
    assert good in octets
    path.write_bytes(octets.replace(good, bad))
    failing = dns.name.from_text(name)

    def fails(question):
        if types is None:
            return question.name.is_subdomain(failing)
        return question.name == failing and dns.rdatatype.to_text(question.rrtype) in types

    dice = random.Random(case)
    asked = [Question(around, int(dns.rdatatype.from_text(rrtype)), (4096, True))
             for around in names_around(set(zone.types), "example.org", dice, randoms=10)
             for rrtype in (ALL_TYPES if around in zone.types else ("A", "TXT", "DS"))]
    with Knotd(store) as knotd:
        zones.wait(knotd)
        verify_all(zones, knotd, [question for question in asked if not fails(question)])
        failed = [question for question in asked if fails(question)]
        assert len(failed) > 4
        for question, wire in answers(knotd, failed):
            assert wire[3] & 15 == dns.rcode.SERVFAIL, question
        with Resolver(store.directory, {"example.org": knotd.port}, zones.anchors()) as unbound:
            for _ in range(2):
                unbound.check("example.org", "AAAA")
                unbound.check("www.example.org", "TXT")
                unbound.check("_tcp.example.org", "A")
                unbound.check("nothing.example.org", "A", "NXDOMAIN")
                unbound.check("_imap._tcp.example.org", "SRV", "NXDOMAIN")
                unbound.check("_submission._tcp.example.org", "SRV")
                unbound.check("any.w.example.org", "TXT")
                answer = unbound.ask(name, "CAA" if types else "SRV")
                assert answer.rcode() == dns.rcode.SERVFAIL, answer
