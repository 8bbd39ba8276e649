# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones that mod-onlinesign signs behind the module: what validators make of every answer.

MAIL_SEED=N asks in another order.
"""

import json
import random
import re

import dns.rdatatype
import pytest

import zones as z
from compare import names_around
from harness import has, knot_version, rcode, rdata
from test_zone_differential import APEX, CUTS, ED25519, SEED, WEB, Zone, compose
from validators import Validator, complaints, onlinesign_ds, run_delv, run_dnsviz, run_kdig, unsure

# As zones.BITMAP, and CAA, which the policies have.
BITMAP = "[ A, AAAA, MX, TXT, SRV, TLSA, CAA ]"
TYPES = [dns.rdatatype.from_text(text) for text in
         "A AAAA MX TXT SRV TLSA CAA CNAME NS SOA HTTPS PTR".split()]

ZONES = {
    "bare.test": ("rich", True, APEX),
    "web.test": ("rich", True, WEB),
    "cuts.test": ("rich", True, WEB + CUTS),
    "own.test": ("rich", True, WEB + """_dmarc 60 TXT "v=DMARC1; p=none"
shared._domainkey 60 CNAME key.far.example.
_imaps._tcp 60 SRV 1 2 3 own.far.example.
mail 60 TXT "not SPF"
autoconfig 60 A 192.0.2.93
mta-sts 60 CNAME @
_mta-sts 60 CNAME web
@ 60 MX 5 mail
"""),
    "wild.test": ("rich", True, WEB + "* 60 MX 10 mail\n* 60 TXT wild\n* 60 A 192.0.2.97\n*.mail 60 TXT \"below ours\"\n"
                  "*._domainkey 60 TXT \"v=DKIM1; p=\"\n"),
    "quiet.test": ("quiet", True, WEB),
    "star.test": ("rich", True, APEX + "* 60 CNAME www\nwww 60 A 192.0.2.80\n*._tcp 60 CNAME www\n"),
    "starfar.test": ("quiet", True, APEX + "* 60 CNAME far.example.\n"),
}
# Where aliases lead that leave the zones.
FAR = {"far.example": "@ 60 SOA ns hostmaster 1 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.1\n* 60 A 192.0.2.2\n"}


# A resolver in front

def asked_about(zone, dice):
    """Questions about all names of a zone, and some about those beside, above and below them."""
    there = [name for name in zone.nodes if not z.is_cut_off(zone.own, zone.apex, name)]
    around = [name for name in names_around(there, str(zone.apex), dice, 20)
              if name.is_subdomain(zone.apex) and name not in zone.nodes
              and not z.is_cut_off(zone.own, zone.apex, name)]
    return [(zone, name, rrtype) for name in sorted(there) for rrtype in TYPES] + \
        [(zone, name, rrtype) for name in dice.sample(around, min(60, len(around))) for rrtype in dice.sample(TYPES, 3)]


def wildcard_stands(zone, names, rrtype):
    """Whether a wildcard's answer stands on Knot 3.2, at the end of a chain: as test_zone_differential.py lists it.

    Its NODATA hides an alias of ours, and the owner of a wildcard is not known for an alias, or behind one.
    """
    name, said = names[-1], zone.said(names[-1], rrtype)
    if knot_version() >= (3, 4):
        return False
    if said == "nodata":
        return rrtype == z.CNAME or (name, rrtype) not in zone.added
    first = next((name for name in names if zone.said(name, rrtype) == "wildcard"), None)
    return first is not None and (first not in zone.nodes or first.is_wild())


def wrong(zone, name, rrtype, answer):
    """Why a validating resolver's answer is wrong, or None; "exception" if wildcard_stands() explains it."""
    wanted, code, leaves = z.lookup(zone.both, zone.nodes, zone.apex, name, rrtype)
    # RFC 6672 3.1: the CNAME that a DNAME stands for is not signed.
    found = {(rrset.name, rrset.rdtype): set(rrset) for rrset in answer.answer
             if rrset.name.is_subdomain(zone.apex) and rrset.rdtype != dns.rdatatype.RRSIG
             and not (rrset.rdtype == z.CNAME and z.is_cut_off(zone.own, zone.apex, rrset.name))}
    what = f"{name} {dns.rdatatype.to_text(rrtype)}: {rcode(answer)}"
    if rcode(answer) not in ("NOERROR", "NXDOMAIN") and not leaves:
        return what
    chain = [name]
    while (chain[-1], z.CNAME) in found and rrtype != z.CNAME and len(chain) <= len(found):
        chain.append(next(iter(found[chain[-1], z.CNAME])).target)
    stands = False
    if found != wanted:
        alone, code, leaves = z.lookup(zone.own, zone.own_nodes, zone.apex, name, rrtype)
        stands = wildcard_stands(zone, chain, rrtype) and found == {
            key: rrset for key, rrset in found.items() if key in wanted or key in alone}
        if not stands:
            return f"{what}\n   found:  {found}\n   wanted: {wanted}"
    # mod-onlinesign makes NODATA of NXDOMAIN, never the other way round.
    if not leaves and code == "NOERROR" and rcode(answer) != code:
        return what
    if not leaves and not has(answer, "AD"):
        return f"{what}: not validated"
    return "exception" if stands else None


def others_first(asked, dice):
    """What is not there before what is."""
    dice.shuffle(asked)
    return sorted(asked, key=lambda question: (question[1], question[2]) in question[0].both)


def records_first(asked, dice):
    """What is there before what is not."""
    return others_first(asked, dice)[::-1]


def by_name(asked, dice):
    """Names from the leaves to the apex, types in any order."""
    dice.shuffle(asked)
    return sorted(asked, key=lambda question: -len(question[1]))


@pytest.mark.parametrize("order", [others_first, records_first, by_name], ids=lambda order: order.__name__)
def test_resolver(store, directory, order):
    """Nothing is bogus, and nothing that was asked before makes a record disappear (RFC 8198)."""
    dice = random.Random(f"{SEED} {order.__name__}")
    composed = compose(store, ZONES)
    zones = [Zone(origin, own, ours) for origin, (_, own, ours) in composed.items()]
    texts = {origin: text for origin, (text, _, _) in composed.items()} | FAR
    asked = [question for zone in zones for question in asked_about(zone, dice)]
    # All that is there, and half of what is not: another half in each order.
    asked = order([question for question in asked if question[1:] in question[0].both or dice.random() < 0.5], dice)
    found, records, exceptions = [], 0, 0
    with z.ZoneKnotd(store, texts, modules=z.SIGNED, by_zone={"far.example": ()}, bitmap=BITMAP) as knotd:
        assert "mod-onlinesign" not in knotd.log(), "a warning"
        anchors = {origin: onlinesign_ds(knotd, origin)[:1] for origin in composed}
        with Validator(directory, knotd, anchors, FAR) as unbound:
            for zone, name, rrtype in asked:
                bad = wrong(zone, name, rrtype, unbound.ask(name, dns.rdatatype.to_text(rrtype)))
                records += (name, rrtype) in zone.added
                exceptions += bad == "exception"
                found += [bad] if bad and bad != "exception" else []
    print(f"{len(asked)} questions, {records} for records of ours, {exceptions} times a wildcard stands")
    assert not found, "\n".join([f"{len(found)} of {len(asked)} answers are wrong:", *found[:25]])
    assert records > 150 and (exceptions > 0) == (knot_version() < (3, 4))


def test_it_would_be_seen(store, directory):
    """With the default nsec-bitmap the resolver does lose records: so the test above can fail."""
    composed = compose(store, {"bare.test": ZONES["bare.test"]})
    with z.ZoneKnotd(store, {"bare.test": composed["bare.test"][0]}, modules=z.SIGNED, bitmap="[ A, AAAA ]") as knotd, \
            Validator(directory, knotd, {"bare.test": onlinesign_ds(knotd, "bare.test")[:1]}) as unbound:
        assert rdata(unbound.ask("_dmarc.bare.test", "A"), "A") == []
        assert rdata(unbound.ask("_dmarc.bare.test", "TXT"), "TXT") == []
        assert rdata(knotd.ask("_dmarc.bare.test", "TXT"), "TXT") != []


# Every kind

KINDS = f"""
host:
  - id: mail
    name: mail
    address: [ 192.0.2.25, 2001:db8::25 ]
    tlsa: [ "3 1 1 {"11" * 32}", "2 1 1 {"22" * 32}" ]
policy:
  - id: all
    host: mail
    ns: "ns1.hosted.example."
    mx: "10 mail"
    dmarc: [ "p=reject", "rua=mailto:r@signed.test" ]
    tls-rpt: "mailto:t@{{domain}}"
    mta-sts: enforce
    mta-sts-host: mail
    srv: [ imap, imaps, pop3, pop3s, submission, submissions, sieve, jmap, caldav, caldavs, carddav, carddavs, autodiscover ]
    autoconfig: mail
    autodiscover: mail
    bimi: "https://{{domain}}/l.svg https://{{domain}}/a.pem"
    caa: "0 issue ca.example"
    txt: [ "ours" ]
    record: "host TXT \\"literal\\""
  - id: quiet
    base: all
    no-mail: on
dkim:
  - id: signed.test/short
    key: "{ED25519}"
  - id: signed.test/alias
    cname: "short._domainkey"
domain:
  - id: signed.test
    policy: all
  - id: quiet.test
    policy: quiet
  - id: other.test
    policy: all
"""
# What makes a zone is the zone's own, and its signer's.
NO_KINDS = {"soa", "ns", "delegation", "child", "dnskey", "cds", "cdnskey"}
# A SOA whose TTL is its minimum: dnsviz does not like it that mod-onlinesign's RRSIG has the full TTL in denials.
ALIKE = "@ 300 SOA ns1 hostmaster 1 3600 600 864000 300\n@ 300 NS ns1\nns1 300 A 127.0.0.1\nwww 300 A 192.0.2.80\n" \
        "@ 300 TXT \"own\"\n"


def kinds_of(store, domain):
    """The RRsets of a domain that a zone gets: {(owner, type): set of kinds}."""
    found = {}
    for line in store.run("records", domain, "--json", "--reports").stdout.splitlines():
        row = json.loads(line)
        if row["kind"] not in NO_KINDS:
            found.setdefault((row["owner"], row["type"]), set()).add(row["kind"])
    return found


@pytest.fixture(name="signed")
def _signed(store):
    """A knotd with two signed zones that have every kind, and what they are."""
    store.apply(KINDS)
    store.run("dkim-generate", "signed.test/long", "--algorithm", "rsa", "--bits", 4096, "--out", store.directory / "long.pem")
    rrsets = {key: kinds for domain in ("signed.test", "quiet.test") for key, kinds in kinds_of(store, domain).items()}
    with z.ZoneKnotd(store, {"signed.test": ALIKE, "quiet.test": ALIKE}, modules=z.SIGNED, bitmap=BITMAP,
                     hosted=True) as knotd:
        all_kinds = set(re.findall(r"mod-mail\.query\[(.+)\]", knotd.knotc("-f", "stats", "mod-mail")))
        # "txt" lies in the RRset of SPF, and counts as that.
        assert set().union(*rrsets.values()) == all_kinds - NO_KINDS - {"none", "txt"}
        yield knotd, rrsets


def zone_of(owner):
    """The zone of an owner."""
    return "quiet.test" if owner.endswith("quiet.test.") else "signed.test"


def asked_name(owner):
    """A name that an owner answers for."""
    return owner.replace("*.", "any.", 1) if owner.startswith("*.") else owner


def test_delv_and_kdig(signed, directory):
    """delv validates every kind, and what is not there; kdig shows a signature for each RRset."""
    knotd, rrsets = signed
    for owner, rrtype in rrsets:
        name = asked_name(owner)
        said = run_delv(directory, knotd, zone_of(owner), name, rrtype)
        assert "; fully validated" in said and "unsigned" not in said, f"{name} {rrtype}: {said}"
        rows = run_kdig(knotd, name, rrtype)
        present = {row[1] for row in rows if row[1] != "RRSIG" and row[0] == name}
        assert rrtype in present, f"{name} {rrtype}: {rows}"
        covered = {row[2].split()[0] for row in rows if row[1] == "RRSIG"}
        assert covered == {row[1] for row in rows if row[1] != "RRSIG"}, f"{name} {rrtype}: {rows}"
    for owner in sorted({owner for owner, _ in rrsets})[::4]:
        name = f"nothing.{asked_name(owner)}"
        said = run_delv(directory, knotd, zone_of(owner), name, "HTTPS")
        assert "; negative response, fully validated" in said, f"{name}: {said}"


def test_dnsviz(signed, directory):
    """dnsviz has no error, no warning, and takes every answer for secure."""
    knotd, rrsets = signed
    for zone in ("signed.test", "quiet.test"):
        names = sorted({asked_name(owner) for owner, _ in rrsets if zone_of(owner) == zone} |
                       {f"{zone}.", f"nothing.{zone}.", f"_tcp.{zone}.", f"www.{zone}."})
        types = ["A", "TXT", "MX", "SRV", "TLSA", "CAA"]
        analysis, drawing = run_dnsviz(directory, knotd, zone, names, types)
        assert complaints(analysis) == []
        assert unsure(drawing) == []
        for name in names:
            assert name.rstrip(".") in drawing, name
        assert drawing.count("[.]") > 10 * len(names)


def test_dnsviz_would_complain(store, directory):
    """It does see what is not as it should be: see ALIKE."""
    store.apply(KINDS)
    zone = ALIKE.replace("300 SOA", "600 SOA")
    with z.ZoneKnotd(store, {"signed.test": zone}, modules=z.SIGNED, bitmap=BITMAP) as knotd:
        analysis, _ = run_dnsviz(directory, knotd, "signed.test", ["_dmarc.signed.test."], ["A"])
    assert any("RRSET_TTL_MISMATCH" in complaint for complaint in complaints(analysis))


def test_large_key(signed):
    """A key that does not fit with its signature is truncated, never a failure; TCP has it all."""
    knotd, _ = signed
    seen = set()
    for name in ("long._domainkey.signed.test", "signed.test", "_25._tcp.mail.signed.test"):
        rrtype = "TLSA" if name.startswith("_25") else "TXT"
        whole = knotd.ask(name, rrtype, tcp=True, do=True)
        assert rcode(whole) == "NOERROR" and rdata(whole, "RRSIG") and not has(whole, "TC")
        for size in range(512, 1300, 8):
            answer = knotd.ask(name, rrtype, do=True, payload=size)
            assert rcode(answer) == "NOERROR" and has(answer, "AA"), f"{name} {size}: {answer}"
            seen.add(has(answer, "TC"))
            if not has(answer, "TC"):
                assert rdata(answer, rrtype) == rdata(whole, rrtype) and rdata(answer, "RRSIG"), f"{name} {size}"
    assert seen == {False, True}
