# SPDX-License-Identifier: GPL-3.0-or-later
"""Zone mode: what the module adds to a zone of knotd's, and what it leaves alone."""

import subprocess
import threading
import time
from pathlib import Path

import dns.rdatatype
import pytest

from harness import (MODULE, PATIENCE, VALGRIND, Knotd, Store, asan_library, ede, has, knot_version, poll, rcode,
                     rdata, texts)

POLICY = """
host:
  - id: post
    name: mail
    address: [ 192.0.2.25, 2001:db8::25 ]
    tlsa: "3 0 1 4c13a100c6a1d622ec21c20646df0139e4570f2306ba1b0bfaec95d428db6728"
policy:
  - id: business
    host: post
    ns: [ ns1.hosted.test., ns2.hosted.test. ]
    mx: "10 mail"
    spf: mx
    dmarc: "p=reject"
    srv: imaps
    autoconfig: mail
    txt: "ours"
    caa: "0 issue ca.example"
"""

DOMAIN = """
domain:
  - id: example.net
    policy: business
"""

APEX = """@ 300 SOA ns hostmaster 1 2 3 4 5
@ 300 NS ns
ns 300 A 192.0.2.1
"""


class ZoneKnotd(Knotd):
    """A knotd with zones that have the module."""

    def __init__(self, store, zones, module="mod-mail/test", conf="", **how):
        text = conf + "zone:\n"
        for name in zones:
            text += f"  - domain: {name}\n    file: \"{{directory}}/zones/{name}.zone\"\n" \
                    f"    module: [{module}]\n"
        super().__init__(store, conf=text, **how)
        self.zones = zones

    def __enter__(self):
        (self.directory / "zones").mkdir(exist_ok=True)
        for name, text in self.zones.items():
            self.write_zone(name, text)
        super().__enter__()
        for name in self.zones:
            self.wait_log(f"[{name}.] loaded")
        return self

    def write_zone(self, name, text):
        """Writes a zone file."""
        (self.directory / "zones" / f"{name}.zone").write_text(text)


@pytest.fixture(name="business")
def _business(store):
    """A store with the domain."""
    store.apply(POLICY + DOMAIN)
    return store


# Each: question, type, rcode, the answer section's records

ADDED = [
    ("", "MX", ["10 mail.example.net."]),
    ("", "CAA", ['0 issue "ca.example"']),
    ("", "TXT", ['"ours"', '"v=spf1 mx -all"']),
    ("_dmarc", "TXT", ['"v=DMARC1; p=reject"']),
    ("_imaps._tcp", "SRV", ["0 1 993 mail.example.net."]),
    ("mail", "A", ["192.0.2.25"]),
    ("mail", "AAAA", ["2001:db8::25"]),
    ("_25._tcp.mail", "TLSA",
     ["3 0 1 4c13a100c6a1d622ec21c20646df0139e4570f2306ba1b0bfaec95d428db6728"]),
    ("autoconfig", "CNAME", ["mail.example.net."]),
    ("_dmarc", "A", []),
    ("_tcp", "A", []),
    ("_tcp.mail", "TXT", []),
    ("_domainkey", "TXT", None),
    ("_report._dmarc", "TXT", []),
    ("www", "A", None),
    ("x._dmarc", "TXT", None),
    ("x.mail", "A", None),
    ("ns", "A", ["192.0.2.1"]),
    ("ns", "TXT", []),
    ("", "NS", ["ns.example.net."]),
    ("", "SOA", ["ns.example.net. hostmaster.example.net. 1 2 3 4 5"]),
]


@pytest.mark.parametrize("entry", ["store", "section"])
def test_added(store, entry):
    """What the zone lacks is added; by the store's entry, or by the section's policy."""
    store.apply(POLICY + (DOMAIN if entry == "store" else ""))
    items = [] if entry == "store" else ["policy: business"]
    with ZoneKnotd(store, {"example.net": APEX}, items=items) as knotd:
        for i, (name, rrtype, expected) in enumerate(ADDED):
            answer = knotd.ask(f"{name}.example.net".lstrip("."), rrtype)
            assert rcode(answer) == ("NXDOMAIN" if expected is None else "NOERROR"), f"case {i}"
            assert rdata(answer) == (expected or []), f"case {i}: {answer}"
            soa = [rrset for rrset in answer.authority if rrset.rdtype == 6]
            assert bool(soa) == (not expected), f"case {i}: {answer}"
            assert answer.flags & 0x0400, f"case {i}"
            if not expected:
                assert soa[0].ttl == 5, f"case {i}"
        assert rcode(knotd.ask("_dmarc.example.org", "TXT")) == "REFUSED"


UNLISTED = "nothing is added: the store has no domain of this name, and the module's section has no policy"


def test_nothing_to_add(store):
    """A zone that the store does not list, without a policy: said once, before anybody asks."""
    store.apply(POLICY + DOMAIN)
    with ZoneKnotd(store, {"example.org": APEX}) as knotd:
        assert knotd.log().count(f"[example.org.] module 'mod-mail/test', {UNLISTED}") == 1
        for _ in range(5):
            assert rcode(knotd.ask("_dmarc.example.org", "TXT")) == "NXDOMAIN"
            assert rcode(knotd.ask("example.org", "MX")) == "NOERROR"
        assert knotd.log().count("nothing is added") == 1
        # An entry brings it to life, without a reload.
        store.apply(DOMAIN.replace("example.net", "example.org"))
        assert texts(knotd.ask("_dmarc.example.org", "TXT")) == ["v=DMARC1; p=reject"]
        store.run("domain-unset", "example.org")
        assert rcode(knotd.ask("_dmarc.example.org", "TXT")) == "NXDOMAIN"


def test_nothing_to_add_and_no_store(directory):
    """The store comes later than the module: said once, with the first question after that."""
    store = Store(directory, init=False)
    with ZoneKnotd(store, {"example.org": APEX}) as knotd:
        assert "store not opened" in knotd.log() and UNLISTED not in knotd.log()
        store.init()
        poll(lambda: knotd.ask("_dmarc.example.org", "TXT") and UNLISTED in knotd.log(), "the store")
        for _ in range(3):
            assert rcode(knotd.ask("_dmarc.example.org", "TXT")) == "NXDOMAIN"
        assert knotd.log().count(UNLISTED) == 1


def test_something_to_add(business):
    """A zone that is served as it should be: nothing is said of it."""
    with ZoneKnotd(business, {"example.net": APEX, "example.org": APEX}, items=["policy: business"]) as knotd:
        assert "warning" not in knotd.log() and "error" not in knotd.log()


# What the zone has wins

OWN = APEX + """@ 300 MX 5 own
@ 300 TXT "verify=1"
@ 300 TXT "ours"
_dmarc 300 TXT "v=DMARC1; p=none"
mail 300 A 203.0.113.25
autoconfig 300 A 203.0.113.80
_imaps._tcp 300 CNAME elsewhere.test.
sub 300 NS ns.elsewhere.test.
d 300 DNAME elsewhere.test.
to-dmarc 300 CNAME _dmarc
to-mail 300 CNAME mail
to-tcp 300 CNAME _tcp
to-none 300 CNAME x._tcp
to-apex 300 CNAME @
"""

STANDS = [
    ("", "MX", ["5 own.example.net."]),
    ("_dmarc", "TXT", ['"v=DMARC1; p=none"']),
    ("mail", "A", ["203.0.113.25"]),
    ("mail", "AAAA", ["2001:db8::25"]),                # per type
    ("autoconfig", "A", ["203.0.113.80"]),
    ("autoconfig", "AAAA", []),                        # no CNAME of ours beside other data
    ("_imaps._tcp", "SRV", ["elsewhere.test."]),       # nothing beside a CNAME of the zone
    ("_imaps._tcp", "CNAME", ["elsewhere.test."]),
    ("to-mail", "AAAA", ["2001:db8::25", "mail.example.net."]),
    ("to-mail", "A", ["203.0.113.25", "mail.example.net."]),
    ("to-tcp", "A", ["_tcp.example.net."]),            # an empty non-terminal at the end of a chain
    ("to-none", "A", None),                            # no such name
    ("", "TXT", ['"ours"', '"v=spf1 mx -all"', '"verify=1"']),
    ("to-apex", "TXT", ['"ours"', '"v=spf1 mx -all"', '"verify=1"', "example.net."]),
    ("to-apex", "MX", ["5 own.example.net.", "example.net."]),
]


def test_zone_wins(business):
    """Explicit data of the zone win, per owner and type; the rest is added."""
    with ZoneKnotd(business, {"example.net": OWN}) as knotd:
        for i, (name, rrtype, expected) in enumerate(STANDS):
            answer = knotd.ask(f"{name}.example.net".lstrip("."), rrtype)
            assert rcode(answer) == ("NXDOMAIN" if expected is None else "NOERROR"), f"case {i}"
            if expected is not None:
                assert rdata(answer) == expected, f"case {i}: {answer}"
            assert has(answer, "AA"), f"case {i}"
        # A cut and a DNAME: nothing of ours at or below, whatever the names.
        referral = knotd.ask("_dmarc.sub.example.net", "TXT")
        assert not has(referral, "AA") and not referral.answer
        below = knotd.ask("_dmarc.d.example.net", "TXT")
        assert [rrset.rdtype for rrset in below.answer] == [dns.rdatatype.DNAME, dns.rdatatype.CNAME]


def test_apex_text_is_one_rrset(business):
    """One TTL, the zone's; an SPF record of the zone keeps ours out, whatever its letters and strings."""
    spf = [
        ('"v=spf1 -all"', False), ('"V=SPF1"', False), ('"v=sp" "f1 mx ~all"', False),
        ('"v=spf10 mx"', True), ('"x" "v=spf1 -all"', True), ('"v=spf1\\009mx"', True),
    ]
    for i, (text, added) in enumerate(spf):
        zone = APEX + f"@ 77 TXT {text}\n@ 77 TXT \"other\"\n"
        with ZoneKnotd(business, {"example.net": zone}) as knotd:
            answer = knotd.ask("example.net", "TXT")
            assert len(answer.answer) == 1, f"case {i}: {answer}"
            assert answer.answer[0].ttl == 77, f"case {i}: {answer}"
            ours = "v=spf1 mx -all" in texts(answer)
            assert ours == added, f"case {i}: {answer}"
            assert {"ours", "other"} <= set(texts(answer)), f"case {i}: {answer}"
            assert len(answer.answer[0]) == (4 if added else 3), f"case {i}: {answer}"


# Wildcards of the zone (RFC 4592)

WILD = APEX + """* 300 MX 5 wild
* 300 TXT "wild"
*.w 300 CNAME elsewhere.test.
*.mail 300 A 203.0.113.9
"""

COVERED = [
    ("x", "MX", ["5 wild.example.net."]),
    ("x", "A", []),
    ("_dmarc", "TXT", ['"v=DMARC1; p=reject"']),   # a name of ours
    ("_dmarc", "MX", []),                          # ... has no other type
    ("_tcp", "TXT", []),                           # an empty non-terminal of ours, too
    ("_tcp", "MX", []),
    ("x._tcp", "TXT", None),                       # below it the wildcard does not reach
    ("x._dmarc", "MX", None),
    ("mail", "MX", []),
    ("mail", "A", ["192.0.2.25"]),
    ("autoconfig", "TXT", ["mail.example.net."]),
    ("x.w", "A", ["elsewhere.test."]),
    ("x.mail", "A", ["203.0.113.9"]),              # the zone's own wildcard, nearer than ours
    ("_25._tcp.mail", "TLSA",
     ["3 0 1 4c13a100c6a1d622ec21c20646df0139e4570f2306ba1b0bfaec95d428db6728"]),
    ("_tcp.mail", "A", []),
    ("x._tcp.mail", "A", None),
    ("x.y", "MX", ["5 wild.example.net."]),
    ("*", "MX", ["5 wild.example.net."]),          # the wildcard itself
    ("*._dmarc", "MX", None),
]


def test_wildcards(business):
    """A wildcard of the zone covers no name of ours, and none below."""
    with ZoneKnotd(business, {"example.net": WILD}) as knotd:
        for i, (name, rrtype, expected) in enumerate(COVERED):
            answer = knotd.ask(f"{name}.example.net", rrtype)
            assert rcode(answer) == ("NXDOMAIN" if expected is None else "NOERROR"), f"case {i}"
            # An alias comes first; whether its target comes with it depends on the version of knotd.
            first = [answer.answer[0][0].to_text()] if answer.answer else []
            assert first == (expected or []), f"case {i}: {answer}"
            soa = [rrset for rrset in answer.authority if rrset.rdtype == dns.rdatatype.SOA]
            assert bool(soa) == (not expected), f"case {i}: {answer}"
        # The spelling of the question is echoed, and nothing of the wildcard's answer is left.
        answer = knotd.ask("_DMarc.Example.NET", "TXT")
        assert answer.answer[0].name.to_text() == "_DMarc.Example.NET."


def test_alias_wildcard(business):
    """A wildcard CNAME, which masks every type of every name, does not mask ours."""
    zone = APEX + "* 300 CNAME www.elsewhere.test.\nc 300 CNAME a.b\n"
    with ZoneKnotd(business, {"example.net": zone}) as knotd:
        assert texts(knotd.ask("_dmarc.example.net", "TXT")) == ["v=DMARC1; p=reject"]
        assert rdata(knotd.ask("_dmarc.example.net", "A")) == []
        assert rdata(knotd.ask("autoconfig.example.net", "CNAME")) == ["mail.example.net."]
        assert rdata(knotd.ask("other.example.net", "A")) == ["www.elsewhere.test."]
        assert rdata(knotd.ask("c.example.net", "A")) == ["a.b.example.net.", "www.elsewhere.test."]
        assert rdata(knotd.ask("mail.example.net", "A")) == ["192.0.2.25"]


# Changes

def test_override_comes_and_goes(business):
    """knotc zone-set of one record overrides at once, zone-unset brings ours back."""
    with ZoneKnotd(business, {"example.net": APEX}) as knotd:
        def change(*command):
            knotd.knotc("zone-begin", "example.net")
            knotd.knotc(*command)
            knotd.knotc("zone-commit", "example.net")

        ours, theirs = ["v=DMARC1; p=reject"], ["v=DMARC1; p=none"]
        for _ in range(2):
            assert texts(knotd.ask("_dmarc.example.net", "TXT")) == ours
            change("zone-set", "example.net", "_dmarc", "60", "TXT", '"v=DMARC1; p=none"')
            assert texts(knotd.ask("_dmarc.example.net", "TXT")) == theirs
            change("zone-unset", "example.net", "_dmarc", "TXT")
        # The same for a change of the store: the next question sees it.
        for policy, expected in (("p=quarantine", "v=DMARC1; p=quarantine"), ("p=none", theirs[0])):
            business.run("domain-set", "example.net", f"dmarc={policy}")
            assert texts(knotd.ask("_dmarc.example.net", "TXT")) == [expected]
        assert rcode(knotd.ask("new.example.net", "A")) == "NXDOMAIN"
        business.run("domain-set", "example.net", "record=new A 192.0.2.7")
        assert rdata(knotd.ask("new.example.net", "A")) == ["192.0.2.7"]


def test_store_comes_late(directory):
    """Without a store the zone is served from its own data; when it comes, so does what the zone lacks."""
    store = Store(directory, init=False)
    with ZoneKnotd(store, {"example.net": APEX}, modules=None) as knotd:
        assert rcode(knotd.ask("_dmarc.example.net", "TXT")) == "NXDOMAIN"
        assert rdata(knotd.ask("ns.example.net", "A")) == ["192.0.2.1"]
        assert knotd.log().count("store not opened") == 1
        store.init()
        store.apply(POLICY + DOMAIN)
        poll(lambda: rcode(knotd.ask("_dmarc.example.net", "TXT")) == "NOERROR", "the store")
        # What its thread had to say is said by the zone's instance, which may.
        assert "opened, transaction" in knotd.log()
    assert not Path(knotd.directory).exists()


def test_damaged_domain(store):
    """A policy that is not there: the zone's own data stand; what may be ours is SERVFAIL, never NXDOMAIN."""
    store.apply(POLICY)
    with ZoneKnotd(store, {"example.net": APEX + "www 300 A 192.0.2.80\n"},
                   items=["policy: missing"]) as knotd:
        assert "[example.net.] module 'mod-mail/test', example.net.: policy missing does not exist" in knotd.log()
        for name, rrtype in (("_dmarc", "TXT"), ("mail", "A"), ("anything", "A"), ("www", "MX")):
            answer = knotd.ask(f"{name}.example.net", rrtype)
            assert rcode(answer) == "SERVFAIL", name
            assert [code for code, _ in ede(answer)] == [24], name
        assert rdata(knotd.ask("www.example.net", "A")) == ["192.0.2.80"]
        assert rcode(knotd.ask("www.example.net", "AAAA")) == "NOERROR"
        assert rcode(knotd.ask("example.net", "SOA")) == "NOERROR"
        store.apply(POLICY.replace("id: business", "id: missing"))
        assert texts(knotd.ask("_dmarc.example.net", "TXT")) == ["v=DMARC1; p=reject"]
        assert rcode(knotd.ask("anything.example.net", "A")) == "NXDOMAIN"


def test_truncation(store):
    """An answer that does not fit is truncated over UDP, and whole over TCP."""
    strings = ", ".join(f'"t{i:03d} {"x" * 60}"' for i in range(20))
    store.apply(POLICY + f"    txt-add: [ {strings} ]\n" + DOMAIN)
    with ZoneKnotd(store, {"example.net": APEX + '@ 300 TXT "own"\nc 300 CNAME @\n'}) as knotd:
        for name in ("example.net", "c.example.net"):
            small = knotd.ask(name, "TXT", payload=512)
            assert has(small, "TC") and rcode(small) == "NOERROR", small
            whole = knotd.ask(name, "TXT", tcp=True)
            assert not has(whole, "TC") and len(texts(whole)) >= 20


# Signing

SIGNING = """policy:
  - id: ed
    algorithm: ed25519
    single-type-signing: on
    nsec3: off
mod-onlinesign:
  - id: good
    policy: ed
    nsec-bitmap: [ A, AAAA, MX, TXT, SRV, TLSA, CAA ]
  - id: short
    policy: ed
    nsec-bitmap: [ A, AAAA, MX, TXT, SRV, TLSA ]
  - id: default
    policy: ed
  - id: harmful
    policy: ed
    nsec-bitmap: [ A, AAAA, MX, TXT, SRV, TLSA, CAA, NS, DS, CNAME ]
"""

SIGNED = [
    # modules, what the log says, whether anything is added
    ("mod-mail/test, mod-onlinesign/good", [], True),
    ("mod-mail/test, mod-onlinesign/short", ["lacks CAA, which the domain has"], True),
    ("mod-mail/test, mod-onlinesign/default", ["lacks MX, TXT, SRV, TLSA:", "lacks CAA,"], True),
    ("mod-mail/test, mod-onlinesign", ["lacks MX, TXT, SRV, TLSA:", "lacks CAA,"], True),
    ("mod-mail/test, mod-onlinesign/harmful", ["has CNAME, NS, DS:"], True),
    ("mod-onlinesign/good, mod-mail/test", ["stands before"], False),
]


@pytest.mark.parametrize("modules,said,added", SIGNED, ids=[case[0] for case in SIGNED])
def test_onlinesign(business, modules, said, added):
    """mod-onlinesign signs what is added; what does not go together is said."""
    with ZoneKnotd(business, {"example.net": APEX + '@ 300 TXT "own"\n'}, module=modules,
                   conf=SIGNING) as knotd:
        for name, rrtype in (("_dmarc.example.net", "TXT"), ("example.net", "MX"),
                             ("autoconfig.example.net", "A"), ("example.net", "TXT")):
            answer = knotd.ask(name, rrtype, do=True, payload=4096)
            covered = [(rrset.name, rrset.covers) for rrset in answer.answer
                       if rrset.rdtype == dns.rdatatype.RRSIG]
            plain = [(rrset.name, rrset.rdtype) for rrset in answer.answer
                     if rrset.rdtype != dns.rdatatype.RRSIG]
            assert sorted(covered) == sorted(plain), answer
            assert bool(plain) == (added or (name, rrtype) == ("example.net", "TXT")), answer
        assert knotd.ask("_tcp.example.net", "A", do=True).authority
        warnings = [line for line in knotd.log().splitlines() if "warning: [example.net.]" in line
                    and "mod-mail" in line]
        assert len(warnings) == len(said), warnings
        assert all(text in line for text, line in zip(said, warnings)), warnings


def test_signature_that_does_not_fit(business):
    """TC, not SERVFAIL: the data fit, the signature does not."""
    business.apply("""
dkim:
  - id: "example.net/long"
    cname: "%s.example.org."
""" % ".".join(["x" * 50] * 4))
    with ZoneKnotd(business, {"example.net": APEX}, module="mod-mail/test, mod-onlinesign/good",
                   conf=SIGNING.replace("ed25519", "rsasha256")) as knotd:
        fitting = None
        for payload in range(512, 1300, 20):
            answer = knotd.ask("long._domainkey.example.net", "CNAME", do=True, payload=payload)
            assert rcode(answer) == "NOERROR", (payload, answer)
            # What comes with TC depends on the version of knotd.
            assert has(answer, "TC") or rdata(answer, "RRSIG"), (payload, answer)
            fitting = fitting or (None if has(answer, "TC") else payload)
        assert fitting and fitting > 512


def test_automatic_signing(business):
    """dnssec-signing is on: one error that names the remedy, and the zone as without the module."""
    knotd = ZoneKnotd(business, {"example.net": APEX})
    knotd.conf += "    dnssec-signing: on\n"
    with knotd:
        poll(lambda: rdata(knotd.ask("example.net", "DNSKEY")), "the zone's keys")
        assert rcode(knotd.ask("_dmarc.example.net", "TXT")) == "NXDOMAIN"
        errors = [line for line in knotd.log().splitlines() if "mod-mail" in line and "error" in line]
        assert len(errors) == 1 and "mod-onlinesign" in errors[0], errors


KEY = "@ 300 DNSKEY 257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=\n"


def test_signed_before(business):
    """A zone that comes signed: said at once; alive when an unsigned one is loaded."""
    with ZoneKnotd(business, {"example.net": APEX + KEY}) as knotd:
        assert "the zone is signed already" in knotd.log()
        for _ in range(3):
            assert rcode(knotd.ask("_dmarc.example.net", "TXT")) == "NXDOMAIN"
            assert rdata(knotd.ask("example.net", "MX")) == []
        errors = [line for line in knotd.log().splitlines() if "mod-mail" in line and "error" in line]
        assert len(errors) == 1 and "mod-onlinesign" in errors[0], errors
        knotd.write_zone("example.net", APEX.replace("1 2 3 4 5", "2 2 3 4 5"))
        knotd.knotc("zone-reload", "example.net")
        poll(lambda: rcode(knotd.ask("_dmarc.example.net", "TXT")) == "NOERROR", "the unsigned zone")


# Each: what knot.conf says of the zone's file; what there is behind its apex; whether it is told at load

SIGNED_FILES = [
    ("", KEY, True),
    ('    file: "{directory}/zones/%s.zone"\n', KEY, True),
    ('    file: "%s.zone"\n    storage: "{directory}/zones"\n', KEY, True),
    ('    storage: "{directory}/zones"\n', KEY, True),
    # Too many ways to write it: then the first question tells.
    ('    file: "{directory}/zones/%c[0-9]t.zone"\n', KEY, False),
    ("", "".join(f"h{i} 300 A 192.0.2.1\n" for i in range(300)) + KEY, False),
    ("", KEY.replace("@", "sub"), None),
    ("", '@ 300 TXT "DNSKEY"\n; @ DNSKEY\n', None),
]


@pytest.mark.parametrize("where,records,told", SIGNED_FILES, ids=range(len(SIGNED_FILES)))
def test_signed_file(business, where, records, told):
    """The file of a signed zone is found where knotd finds it. None: the zone is not signed."""
    knotd = ZoneKnotd(business, {"example.net": APEX + records})
    if where:
        file = '    file: "{directory}/zones/example.net.zone"\n'
        assert file in knotd.conf
        knotd.conf = knotd.conf.replace(file, where)
    with knotd:
        assert ("the zone is signed already" in knotd.log()) == bool(told)
        assert rcode(knotd.ask("_dmarc.example.net", "TXT")) == ("NOERROR" if told is None else "NXDOMAIN")
        assert knotd.log().count("the zone is signed already") == (told is not None)


# Beside hosted mode, counters

def test_longer_name(store):
    """Hosted and zone mode in one knotd: the longer name wins, the zone if they are equal."""
    store.apply(POLICY + """
domain:
  - id: example.net
    policy: business
  - id: sub.example.net
    policy: business
    dmarc: "p=quarantine"
  - id: example.org
    policy: business
""")
    with ZoneKnotd(store, {"example.net": APEX, "zone.example.org": APEX},
                   items=["policy: business"]) as knotd:
        def dmarc(name):
            return texts(knotd.ask(f"_dmarc.{name}", "TXT"))

        assert dmarc("example.net") == ["v=DMARC1; p=reject"]
        assert rdata(knotd.ask("example.net", "NS")) == ["ns.example.net."]
        assert dmarc("sub.example.net") == ["v=DMARC1; p=quarantine"]
        assert rdata(knotd.ask("sub.example.net", "NS")) == ["ns1.hosted.test.", "ns2.hosted.test."]
        assert dmarc("example.org") == ["v=DMARC1; p=reject"]
        # A zone below a hosted domain: its own entry, or the section's policy.
        assert dmarc("zone.example.org") == ["v=DMARC1; p=reject"]
        assert rdata(knotd.ask("zone.example.org", "NS")) == ["ns.zone.example.org."]


@pytest.mark.parametrize("own", ["on", "off"])
def test_counters(business, own):
    """zone-stats off: the global instance counts for all zones; on: each zone has its own."""
    with ZoneKnotd(business, {"example.net": APEX}, items=[f"zone-stats: {own}"]) as knotd:
        for _ in range(3):
            assert rcode(knotd.ask("_dmarc.example.net", "TXT")) == "NOERROR"
            assert rcode(knotd.ask("_tcp.example.net", "TXT")) == "NOERROR"
            assert rcode(knotd.ask("x.example.net", "TXT")) == "NXDOMAIN"
        counted = knotd.knotc("zone-stats", "example.net") if own == "on" else knotd.knotc("stats")
        assert "query[dmarc] = 3" in counted, counted
        assert "outcome[answer] = 3" in counted and "outcome[nodata] = 3" in counted, counted
        if own == "off":
            assert "mod-mail" not in knotd.knotc("zone-stats", "example.net", status=None)


# Many zones, and changes under load

class Load:
    """Asks all the time, from several threads; every answer must be one of those allowed."""

    def __init__(self, knotd, questions, threads=3):
        self.knotd = knotd
        self.questions = questions
        self.ended = threading.Event()
        self.wrong = []
        self.count = 0
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(threads)]

    def run(self, number):
        """One thread: the last one asks over TCP."""
        while not self.ended.is_set():
            for name, rrtype, allowed in self.questions:
                try:
                    answer = self.knotd.ask(name, rrtype, tcp=number == 2)
                    got = rdata(answer) or rcode(answer)
                except Exception as error:  # whatever it is, it is a lost answer
                    got = repr(error)
                self.count += 1
                if got not in allowed:
                    self.wrong.append((name, got))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()


def memory(knotd):
    """Resident memory of the process, KiB."""
    for line in Path(f"/proc/{knotd.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


def conf_change(knotd, *commands):
    """A transaction of the configuration."""
    knotd.knotc("conf-begin")
    for command in commands:
        knotd.knotc(*command)
    knotd.knotc("conf-commit")
    if knot_version() < (3, 3):
        # After a commit that concerns zones alone, this knotd has forgotten its shared modules: the next
        # conf-set would not know them. (That it closes them is why ours stays in memory.)
        knotd.knotc("reload")


def test_leaves_and_comes_back(business):
    """Reload, conf-unset, conf-set and zone-restore under load: no answer is lost, nothing is left behind."""
    ours = ['"v=DMARC1; p=reject"']
    questions = [("_dmarc.example.net", "TXT", (ours, "NXDOMAIN")),
                 ("_dmarc.example.org", "TXT", (ours,)),
                 ("ns.example.net", "A", (["192.0.2.1"],)),
                 ("x.example.net", "A", ("NXDOMAIN",))]
    zones = {"example.net": APEX, "example.org": APEX}
    with ZoneKnotd(business, zones, items=["policy: business"], confdb=True) as knotd:
        with Load(knotd, questions) as load:
            for _ in range(3):
                for verb, *value in (("conf-unset",), ("conf-set", "mod-mail/test")):
                    conf_change(knotd, (verb, "zone[example.net].module", *value))
                    expected = "NXDOMAIN" if verb == "conf-unset" else "NOERROR"
                    poll(lambda: rcode(knotd.ask("_dmarc.example.net", "TXT")) == expected, verb)
                knotd.knotc("reload")
                knotd.knotc("-b", "zone-reload", "example.net")
        assert not load.wrong and load.count > 100, load.wrong[:5]
        # While knotd restores a zone it has none for a moment, with or without the module.
        with Load(knotd, [(name, rrtype, allowed + ("SERVFAIL",) * ("example.net" in name))
                          for name, rrtype, allowed in questions]) as load:
            for turn in range(3):
                backup = str(knotd.directory / f"backup{turn}")
                knotd.knotc("-b", "zone-backup", "+backupdir", backup, "example.net")
                knotd.knotc("-b", "zone-restore", "+backupdir", backup, "example.net")
            poll(lambda: rdata(knotd.ask("_dmarc.example.net", "TXT")) == ours, "the restored zone")
        assert not load.wrong and load.count > 10, load.wrong[:5]
        # Without any instance there is nothing left: no thread, no map.
        conf_change(knotd, ("conf-unset", "zone[example.net].module"),
                    ("conf-unset", "zone[example.org].module"),
                    ("conf-unset", "template[default].global-module"))
        tasks = Path(f"/proc/{knotd.process.pid}/task")
        assert not [task for task in tasks.iterdir()
                    if (task / "comm").read_text().strip() == "mod-mail"]
        assert str(business.path) not in Path(f"/proc/{knotd.process.pid}/maps").read_text()


def test_global_instance_leaves_under_load(business):
    """The instance that counts for the zones goes and comes while they are asked."""
    questions = [("_dmarc.example.net", "TXT", (['"v=DMARC1; p=reject"'],))]
    with ZoneKnotd(business, {"example.net": APEX}, confdb=True) as knotd:
        with Load(knotd, questions) as load:
            for _ in range(5):
                for verb, *value in (("conf-unset",), ("conf-set", "mod-mail/test")):
                    before = load.count
                    conf_change(knotd, (verb, "template[default].global-module", *value))
                    poll(lambda: load.count > before + 20, "answers")
        assert not load.wrong, load.wrong[:5]


def test_ten_thousand_zones(store):
    """They share one environment, one thread and one set of counters, and are small."""
    count = 10000
    store.apply(POLICY)
    used, took = [], []
    for module in ("", "    module: mod-mail/test\n"):
        knotd = Knotd(store, items=["policy: business"])
        (knotd.directory / "zones").mkdir()
        (knotd.directory / "zones" / "all").write_text(APEX)
        knotd.conf = "zone:\n" + "".join(
            f"  - domain: z{i}.example.net\n    file: \"{knotd.directory}/zones/all\"\n"
            f"    journal-content: none\n{module}" for i in range(count))
        began = time.monotonic()
        with knotd:
            poll(lambda: knotd.log().count("] loaded, serial") == count, "the zones", 10 * PATIENCE)
            took.append(time.monotonic() - began)
            for i in range(0, count, 10):
                answer = knotd.ask(f"_dmarc.z{i}.example.net", "TXT")
                assert rcode(answer) == ("NOERROR" if module else "NXDOMAIN"), i
            used.append(memory(knotd))
            if module:
                tasks = Path(f"/proc/{knotd.process.pid}/task")
                assert len([task for task in tasks.iterdir()
                            if (task / "comm").read_text().strip() == "mod-mail"]) == 1
                # The environment, and the two pages that say which transaction is the newest.
                maps = Path(f"/proc/{knotd.process.pid}/maps").read_text().splitlines()
                assert len([line for line in maps if str(store.path / "data.mdb") in line]) <= 2
                assert "query[dmarc] = 1000" in knotd.knotc("stats")
                knotd.knotc("reload")
                assert rcode(knotd.ask("_dmarc.z7.example.net", "TXT")) == "NOERROR"
    print(f"{count} zones: loaded in {took[0]:.2f} s without the module, in {took[1]:.2f} s with it")
    # The machine does other things, too.
    assert took[1] < 3 * took[0] + 5
    # A sanitizer has its own idea of what memory is.
    if not VALGRIND and not asan_library(MODULE):
        each = (used[1] - used[0]) * 1024 / count
        assert each < 1024, f"{each:.0f} octets for each zone"


def test_stays_in_memory():
    """knotd 3.2 closes a module that is in use (test_leaves_and_comes_back): the file says that it stays."""
    said = subprocess.run(["readelf", "-d", str(MODULE)], capture_output=True, text=True, check=True).stdout
    assert "NODELETE" in said
