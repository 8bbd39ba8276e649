# SPDX-License-Identifier: GPL-3.0-or-later
"""A zone with the module answers as the same zone with the module's records written into it, served by a plain knotd.

Zones are built to be nasty; each is merged by zones.merged(), looked at by kzonecheck, and then both servers are
asked the same thousands of questions. What may differ are the EXCEPTIONS, each of which must occur.

MAIL_SEED=N asks other questions.
"""

import os
import random
import subprocess

import dns.message
import dns.name
import dns.rdata
import dns.rdatatype
import pytest

import zones as z
from compare import TYPES, Plain, Tally, below, compare, difference, names_around, outline, questions
from harness import Failure, Store, knot_version, program

SEED = os.environ.get("MAIL_SEED", "1")

ED25519 = "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
LONG = " ".join([r'\"' + "w" * 250 + r'\"'] * 2)

POLICIES = f"""
certificate:
  - id: both
    current: [ "3 1 1 {"11" * 32}", "2 1 1 {"22" * 32}" ]
    next: "3 1 1 {"33" * 32}"
host:
  - id: mail
    name: mail
    address: [ 192.0.2.25, 2001:db8::25 ]
    certificate: both
    tlsa-port: [ 25, 465 ]
    helo-spf: "a ra=postmaster -all"
  - id: deep
    name: mx2.in.deep
    address: 192.0.2.27
    tlsa: "3 0 1 {"44" * 32}"
  - id: cut
    name: mx.sub
    address: 192.0.2.28
policy:
  - id: rich
    host: [ mail, deep, cut ]
    ns: [ "ns1.hosted.example.", "ns2.hosted.example." ]
    mx: [ "10 mail", "20 mx2.in.deep", "30 mx.far.example." ]
    spf: [ mx, "include:_spf.example.net" ]
    dmarc: [ "p=reject", "rua=mailto:r@{{domain}},mailto:r@plain.example" ]
    tls-rpt: "mailto:t@{{domain}}"
    mta-sts: enforce
    mta-sts-host: mail
    srv: [ imaps, "imap 0 1 110 mail", submissions, "pop3 .", "sieve 0 0 4190 mx2.in.deep" ]
    autoconfig: mail
    autodiscover: "auto.far.example."
    bimi: "https://{{domain}}/l.svg https://{{domain}}/a.pem"
    caa: "0 issue ca.example"
    txt: [ "ours", "shared" ]
  - id: literal
    base: rich
    record: [ "_acme-challenge CNAME acme.far.example.", "to-zone CNAME www", "to-chain CNAME shop", "to-wild CNAME any.web",
      "to-none CNAME nothing.here.www", "to-cut CNAME host.sub", "to-dname CNAME a.old", "to-ent CNAME er", "to-self CNAME @",
      "to-ours CNAME to-zone", "loop1 CNAME loop2", "loop2 CNAME loop1", "into CNAME turns", "*.many TXT \\"a wildcard of ours\\"",
      "*.many MX 5 mail", "*.alias CNAME mail", "x.y.many A 192.0.2.70", "odd TYPE65280 \\# 3 010203", "www TXT \\"below theirs\\"",
      "_443._tcp.www TLSA 3 1 1 {"55" * 32}", "l1 CNAME l2", "l2 CNAME l3", "l3 CNAME l4", "l4 CNAME l5", "l5 CNAME l6",
      "l6 CNAME mail", "long1 TXT {LONG}", "dn DNAME www" ]
  - id: quiet
    base: rich
    no-mail: on
dkim:
  - id: "policy:rich/shared"
    key: "{ED25519}"
  - id: "policy:rich/s.dotted"
    key: "{ED25519}"
"""

APEX = """@ 600 SOA ns1 hostmaster 1 2 3 4 300
@ 600 NS ns1
@ 600 NS ns.far.example.
ns1 600 A 192.0.2.1
"""

WEB = APEX + """@ 600 A 192.0.2.80
@ 600 TXT "site-verification=1"
@ 600 TXT "shared"
www 600 A 192.0.2.80
www 600 AAAA 2001:db8::80
www 600 HTTPS 1 . alpn=h2
shop 600 CNAME www
ftp 600 CNAME ftp.far.example.
er.and.er 600 A 192.0.2.81
er.er 600 A 192.0.2.82
imap 60 CNAME mail
key 60 CNAME shared._domainkey
twice 60 CNAME imap
toent 60 CNAME _tcp
tonone 60 CNAME nothing._tcp
toalias 60 CNAME autoconfig
toapex 60 CNAME @
turns 60 CNAME into
c1 60 CNAME c2
c2 60 CNAME c3
c3 60 CNAME c4
c4 60 CNAME mail
d1 60 CNAME d2
d2 60 CNAME d3
d3 60 CNAME d4
d4 60 CNAME d5
d5 60 CNAME autoconfig
mxs 60 MX 10 mail
mxs 60 MX 20 www
service 60 SRV 0 0 1 mail
service 60 SRV 0 0 1 ns1
"""

CUTS = """sub 600 NS ns.sub
sub 600 NS ns1
sub 600 NS mail
ns.sub 600 A 192.0.2.90
safe 600 NS ns.sub
safe 600 DS 12345 13 2 {ds}
_smtp 600 NS ns.far.example.
_domainkey.mail 600 NS ns.far.example.
old 600 DNAME www
old 600 TXT "beside a DNAME"
in.deep 600 DNAME other.far.example.
ours 600 DNAME @
mta-sts 600 DNAME far.example.
""".format(ds="ab" * 32)

# Each zone: (policy or None, whether the store lists it, zone file)
FAMILIES = {
    "plain": {
        "plain.example": ("rich", True, WEB),
        "literal.example": ("literal", True, WEB + "*.web 60 A 192.0.2.91\n*.web 60 TXT web\na.b.web 60 A 192.0.2.92\n"),
        "section.example": ("literal", False, WEB),
        "bare.example": ("rich", True, APEX),
    },
    "cuts": {
        "cuts.example": ("rich", True, WEB + CUTS),
        "literalcuts.example": ("literal", True, WEB + CUTS + "*.old2 60 CNAME x.old\n"),
        "delegated.example": ("rich", True, APEX + "_domainkey 60 NS ns.far.example.\n_dmarc 60 NS ns1\n_tcp 60 NS ns1\n"
                              "mail 60 NS ns.mail\nns.mail 60 A 192.0.2.2\n"),
    },
    "own": {
        "own.example": ("literal", True, WEB + """@ 60 MX 5 own.far.example.
@ 60 TXT "v=spf1 -all"
@ 60 CAA 0 issue "other.example"
_dmarc 60 TXT "v=DMARC1; p=none"
shared._domainkey 60 CNAME key.far.example.
_imaps._tcp 60 SRV 1 2 3 own.far.example.
_submissions._tcp 60 TXT "not a service"
mail 60 TXT "not SPF"
mail 60 MX 10 mail
_25._tcp.mail 60 TLSA 3 1 1 {tlsa}
_465._tcp.mail 60 TXT "beside"
autoconfig 60 A 192.0.2.93
x.autodiscover 60 A 192.0.2.94
mta-sts 60 CNAME @
_mta-sts 60 CNAME @
_tls 60 A 192.0.2.95
_smtp._tls 60 MX 1 @
default._bimi 60 TXT "v=BIMI1; l=; a=;"
mx2.in.deep 60 AAAA 2001:db8::2
to-zone 60 TXT "no alias then"
long1 60 A 192.0.2.96
""".format(tlsa="66" * 32)),
        "merged.example": ("rich", True, APEX + "@ 60 TXT \"V=SPF1 a\"\n@ 60 TXT \"shared\"\n@ 60 TXT \"v=spf10\"\n"),
        "spf2.example": ("rich", True, APEX + "@ 60 TXT \"v=sp\" \"f1\" \"\"\n"),
        "same.example": ("rich", True, APEX + "@ 60 TXT \"v=spf1 mx include:_spf.example.net -all\"\n"
                         "@ 60 TXT \"shared\"\n@ 60 TXT \"ours\"\n"),
    },
    "wildcards": {
        "wild.example": ("literal", True, WEB + "* 60 MX 10 mail\n* 60 TXT \"wild\"\n*.mail 60 TXT \"below ours\"\n"
                         "*.www 60 A 192.0.2.97\n*._tcp 60 SRV 0 0 1 www\n*.many 60 TXT \"a wildcard of theirs\"\n"
                         "*.web 60 CNAME shop\n"),
        "address.example": ("rich", True, WEB + "* 60 A 192.0.2.98\n*.deep 60 A 192.0.2.99\n*.autoconfig 60 TXT x\n"),
        "quiet.example": ("quiet", True, WEB + "* 60 TXT \"v=spf1 -all\"\n*._domainkey 60 A 192.0.2.100\n"),
        "narrow.example": ("rich", True, APEX + "*._dmarc 60 TXT x\n*._domainkey 60 TXT \"v=DKIM1; p=\"\n*.in.deep 60 MX 1 @\n"
                           "*.mx2.in.deep 60 A 192.0.2.3\n"),
        "twowild.example": ("quiet", False, APEX + "* 60 A 192.0.2.4\n*._domainkey 60 TXT own\n_x.*.y 60 TXT x\n"),
    },
    "stars": {
        "star.example": ("literal", True, APEX + "* 60 CNAME @\n"),
        "starmail.example": ("rich", True, WEB + "* 60 CNAME mail\n*.web 60 CNAME x._tcp\n"),
        "starloop.example": ("rich", True, APEX + "* 60 CNAME x.y\n*._tcp 60 CNAME _dmarc\n"),
        "starfar.example": ("quiet", True, APEX + "* 60 CNAME far.example.\n*._domainkey 60 CNAME y._domainkey\n"),
    },
}


def compose(store, family):
    """Fills a store, and gives what the zones are: {name: (zone file, its RRsets, ours)}."""
    policies = POLICIES.replace(",\n      ", ", ")
    entries = {name: f"  - id: {name}\n    policy: {policy}\n" for name, (policy, _, _) in family.items()}
    entries[next(iter(family))] += "    delegation: \"lab NS ns1.hosted.example.\"\n"
    stored = [name for name, (_, is_listed, _) in family.items() if is_listed]
    keys = f"""dkim:
  - id: {stored[0]}/own
    key: "{ED25519}"
  - id: {stored[0]}/over.shared
    cname: "shared._domainkey"
"""
    store.apply(policies + keys + "domain:\n" + "".join(entries[name] for name in stored))
    # A zone that is not listed has what it would have if it were.
    everything = Store(store.directory)
    everything.apply(policies + keys + "domain:\n" + "".join(entries.values()))
    found = {}
    for name, (_, _, text) in family.items():
        ours = z.listed(everything, name)
        for other in set(entries) - set(stored):
            ours.pop((dns.name.from_text(f"{other}._report._dmarc.{name}"), z.TXT), None)
        found[name] = (text, z.parse(text, name), ours)
    return found


def with_keepers(ours, origin, stored):
    """Names below _report._dmarc exist where a stored domain is at or below them: a record makes them be."""
    ours = dict(ours)
    odd = dns.rdatatype.from_text("TYPE65281")
    for above in [""] + [f"{name}." for name in stored]:
        owner = dns.name.from_text(f"keeper.{above}_report._dmarc.{origin}")
        ours[owner, odd] = (60, {dns.rdata.from_text("IN", odd, r"\# 0")})
    return ours


class Zone:
    """A zone's own RRsets, ours, and both."""

    def __init__(self, origin, own, ours):
        self.apex = dns.name.from_text(origin)
        self.own = own
        self.both = z.merged(own, ours, origin)
        self.added = {key for key in self.both if key not in own}
        self.own_nodes = z.nodes(own, self.apex)
        self.nodes = z.nodes(self.both, self.apex)

    def is_ours(self, name, rrtype):
        """Whether an RRset of an answer is ours, at that name or by a wildcard of ours."""
        wildcard = z.covering_wildcard(self.nodes, self.apex, name)
        return ((wildcard if wildcard else name), rrtype) in self.added

    def said(self, name, rrtype):
        """What the zone alone says to a name: "cut", "node", "wildcard", "nodata" (of a wildcard), "miss"."""
        if z.is_cut_off(self.own, self.apex, name):
            return "cut"
        if name in self.own_nodes:
            return "node"
        wildcard = z.covering_wildcard(self.own_nodes, self.apex, name)
        if wildcard is None:
            return "miss"
        followed = {rrtype} if rrtype in z.NOT_FOLLOWED else {rrtype, z.CNAME}
        return "wildcard" if z.types_at(self.own, wildcard) & followed or rrtype == z.ANY else "nodata"


class Pair:
    """Two answers to a question that differ."""

    def __init__(self, zone, question, ours, theirs):
        self.zone = zone
        self.question = question
        self.a, self.b = outline(ours, question), outline(theirs, question)
        self.ours, self.theirs = dns.message.from_wire(ours), dns.message.from_wire(theirs)
        self.alias, self.name, self.chain = None, question.name, [question.name]
        aliases = {rrset.name: rrset[0].target for rrset in self.ours.answer if rrset.rdtype == z.CNAME}
        while self.name in aliases and question.rrtype not in (z.CNAME, z.ANY):
            self.alias, self.name = self.name, aliases.pop(self.name)
            self.chain.append(self.name)

    def differ_in(self, *parts):
        """Whether the answers differ in nothing else."""
        return all(self.a[what] == self.b[what] for what in self.a if what not in parts)

    def refers(self):
        """Names whose addresses our answer may carry: those in records of the zone's, that no alias of ours led to."""
        found = set()
        if any(self.zone.is_ours(alias, z.CNAME) for alias in self.chain[:-1]):
            return found
        for rrset in self.ours.answer + self.ours.authority:
            if not self.zone.is_ours(rrset.name, rrset.rdtype):
                found |= {getattr(rdata, "exchange", None) or getattr(rdata, "target", None) for rdata in rrset}
        return found

    def addresses(self):
        """The additional section that ours should have: the zone's own addresses, and none of ours."""
        names = self.refers()
        wanted = {(str(rrset.name), dns.rdatatype.to_text(rrset.rdtype)) for rrset in self.theirs.additional
                  if rrset.name in names and not self.zone.is_ours(rrset.name, rrset.rdtype)}
        return {row for row in self.b["additional"] if row[:2] in wanted}

    def ends_early(self, answer):
        """Whether ours has some of an answer, and has the addresses that it should have."""
        return self.a["answer"] <= answer and self.a["additional"] == self.addresses()

    def is_negative(self):
        """Whether ours says that there is nothing: what led there, and the SOA."""
        return self.ends_early(self.b["answer"]) and self.differ_in("answer", "authority", "rcode", "additional", "flags") \
            and [rrset.rdtype for rrset in self.ours.authority] == [dns.rdatatype.SOA] and "TC" not in self.a["flags"]

    def alias_is_last(self):
        """Whether the answer ends with an alias of ours to a name in the zone."""
        return self.alias is not None and self.zone.is_ours(self.alias, z.CNAME) and \
            self.name.is_subdomain(self.zone.apex) and self.ends_early(self.b["answer"]) and \
            self.a["rcode"] == "NOERROR" and not self.ours.authority and \
            self.differ_in("answer", "authority", "rcode", "additional", "flags")


# What may differ: {reason: (versions of Knot, what it looks like)}

OLD = knot_version() < (3, 4)


def no_additional(pair):
    """No address of ours, and none for a record of ours, is put into the additional section: with them and
    mod-onlinesign, knotd 3.2 crashes."""
    return pair.differ_in("additional") and pair.ends_early(pair.b["answer"])


def wildcard_address(pair):
    """To a record of the zone's that points to a host of ours, knotd adds the address that a wildcard of the zone's
    would have there: it finds addresses when it loads the zone."""
    names, zone = pair.refers() & pair.zone.nodes - pair.zone.own_nodes, pair.zone
    false = set()
    for rrset in pair.ours.additional:
        wildcard = z.covering_wildcard(zone.own_nodes, zone.apex, rrset.name)
        if rrset.name in names and zone.own.get((wildcard, rrset.rdtype)) == (rrset.ttl, set(rrset)):
            false |= {row for row in pair.a["additional"] if row[0] == str(rrset.name)}
    return bool(false) and pair.differ_in("additional") and pair.a["additional"] - false == pair.addresses()


def alias_to_cut(pair):
    """An alias of ours is not followed to or below a delegation or DNAME of the zone: the resolver does it."""
    return pair.alias_is_last() and z.is_cut_off(pair.zone.own, pair.zone.apex, pair.name)


def alias_into_zone(pair):
    """On 3.2 an alias of ours is not followed: what the zone has at its target is not known. The resolver goes on."""
    return pair.alias_is_last()


def alias_at_parent(pair):
    """Where the zone has a name with names below it only, it says NODATA, so no alias of ours is put there."""
    return pair.name in pair.zone.own_nodes and not z.types_at(pair.zone.own, pair.name) and \
        (pair.name, z.CNAME) in pair.zone.added and pair.a["rcode"] == "NOERROR" and pair.is_negative()


def any_of_both_wildcards(pair):
    """ANY of a wildcard that both have: some RRset of it (RFC 8482 4.1), but not the lowest type."""
    return pair.question.rrtype == z.ANY and pair.zone.said(pair.name, z.ANY) == "wildcard" and \
        pair.differ_in("answer", "additional") and len(pair.ours.answer) == len(pair.theirs.answer) and \
        not pair.zone.is_ours(pair.name, pair.ours.answer[-1].rdtype) and \
        pair.zone.is_ours(pair.name, pair.theirs.answer[-1].rdtype)


def wildcard_nodata(pair):
    """On 3.2 NODATA of a wildcard looks like that of a name, so it stands, unless we have the very type there."""
    own = {(pair.name, pair.question.rrtype)} if pair.question.rrtype != z.CNAME else set()
    return pair.zone.said(pair.name, pair.question.rrtype) == "nodata" and pair.a["rcode"] == "NOERROR" and \
        not own & pair.zone.added and pair.is_negative()


def wildcard_near(pair):
    """On 3.2 the owner of an alias's, or behind an alias of any, wildcard is not known, so it answers for names that are
    none of ours, too, where a name of ours between them is nearer (RFC 4592 3.3.1), and for the asterisk itself."""
    zone, aliases = pair.zone, (z.CNAME, z.DNAME)
    for i, name in enumerate(pair.chain):
        wildcard = z.covering_wildcard(zone.own_nodes, zone.apex, name)
        if zone.said(name, pair.question.rrtype) == "wildcard" and (name not in zone.nodes or name.is_wild()) and \
                wildcard != z.covering_wildcard(zone.nodes, zone.apex, name):
            rrsets = [rrset for rrset in pair.ours.answer if rrset.name == name]
            return len(rrsets) == 1 and (i > 0 or rrsets[0].rdtype in aliases) and \
                zone.own[wildcard, rrsets[0].rdtype] == (rrsets[0].ttl, set(rrsets[0]))
    return False


def wildcard_deep(pair):
    """On 3.2 a wildcard of ours covers names right below its encloser only: which are the zone's is not known."""
    wildcard = z.covering_wildcard(pair.zone.nodes, pair.zone.apex, pair.name)
    return pair.zone.said(pair.name, pair.question.rrtype) == "miss" and pair.a["rcode"] == "NXDOMAIN" and \
        wildcard is not None and len(pair.name) > len(wildcard) and \
        bool({(wildcard, rrtype) for rrtype in z.types_at(pair.zone.both, wildcard)} & pair.zone.added) and \
        pair.is_negative()


# {reason: (whether it exists here, the families in which it must occur, how it looks)}
EXCEPTIONS = {
    "additional": (True, "plain cuts own wildcards stars", no_additional),
    "address of a wildcard": (True, "wildcards", wildcard_address),
    "alias to a cut": (True, "cuts", alias_to_cut),
    "alias at a parent": (True, "own wildcards", alias_at_parent),
    "ANY of both wildcards": (True, "wildcards", any_of_both_wildcards),
    "alias into the zone": (OLD, "plain cuts own wildcards stars", alias_into_zone),
    "NODATA of a wildcard": (OLD, "wildcards stars", wildcard_nodata),
    "wildcard near ours": (OLD, "wildcards stars", wildcard_near),
    "deep below a wildcard of ours": (OLD, "plain cuts own", wildcard_deep),
}


def explain(zone, counts):
    """A function for Tally: what is wrong with a pair of answers that no exception explains."""
    def differs(question, ours, theirs):
        found = difference(question, ours, theirs)
        if found is None:
            return None
        pair = Pair(zone, question, ours, theirs)
        for reason, (here, _, matches) in EXCEPTIONS.items():
            if here and matches(pair):
                counts[reason] = counts.get(reason, 0) + 1
                return None
        return found
    return differs


def check_zone(path, name):
    """kzonecheck's opinion of the merged zone, but for what a zone of customers may lack."""
    done = subprocess.run([program("kzonecheck"), "-o", name, str(path)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"{name}\n{done.stdout}{done.stderr}\n{path.read_text()}")


def sampled(asked, dice, count):
    """Some of the questions, in their order."""
    keep = set(dice.sample(range(len(asked)), min(count, len(asked))))
    return [question for i, question in enumerate(asked) if i in keep]


@pytest.mark.parametrize("name", FAMILIES)
def test_same_answers(store, name):
    """Same rcode, flags, question, and RRsets with TTLs in every section."""
    dice = random.Random(f"{SEED} {name}")
    family = FAMILIES[name]
    composed = compose(store, family)
    stored = [origin for origin, (_, is_listed, _) in family.items() if is_listed]
    policy = [policy for policy, is_listed, _ in family.values() if not is_listed]
    known, twins, asked = {}, {}, []
    for origin, (_, own, ours) in composed.items():
        zone = Zone(origin, own, with_keepers(ours, origin, stored))
        twins[origin] = z.to_text(zone.both)
        check_zone(store.file(twins[origin], ".zone"), origin)
        owners = {owner for owner, _ in list(own) + list(ours) if owner.is_subdomain(zone.apex)}
        names = names_around(owners, origin, dice)
        if name == "stars":
            # Knot 3.4 by itself errs there: it answers \\000.D with the alias at *.D, and D with that alias once more.
            names = [asked_name for asked_name in names if b"\0" not in asked_name.labels]
        # Below wildcards, one and two labels.
        expanded = {below(label, below(b"q", owner.parent())) if label else below(b"q", owner.parent())
                    for owner in owners if owner.is_wild() for label in (b"", b"r")}
        types = {dns.rdatatype.to_text(rrtype) for _, rrtype in zone.both} | set(TYPES)
        found = questions(sorted(expanded.union(names)), types, dice, often=set(dice.sample(sorted(owners), 4)))
        # Of names that neither has, some will do.
        asked += [question for question in found if question.name in zone.nodes | expanded] + \
            sampled([question for question in found if question.name not in zone.nodes | expanded], dice, 1000)
        known[zone.apex] = zone
    dice.shuffle(asked)
    counts = {}

    def expected(question):
        return explain(next((zone for apex, zone in known.items() if question.name.is_subdomain(apex)), None), counts)

    tally = Tally()
    with z.ZoneKnotd(store, {origin: text for origin, (text, _, _) in composed.items()},
                     items=[f"policy: {policy[0]}"] if policy else ()) as ours, Plain(twins) as theirs:
        compare(ours, theirs, asked, tally, expected=expected)
        compare(ours, theirs, sampled(asked, dice, 1500), tally, tcp=True, expected=expected)
    print(counts)
    assert tally.asked > 5000
    tally.check()
    # An exception that is none any more must leave the list.
    assert set(counts) == {reason for reason, (here, families, _) in EXCEPTIONS.items() if here and name in families.split()}
