# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of records that stand at the domain itself or at its hosts, and literal ones."""

import json
import time

import dns.rdatatype
import pytest

from harness import Knotd, has, rcode, rdata, texts
from kinds import check, covers, each, policy, serve

HOSTS = """
host:
  - id: mail
    name: mail
    address: [ 192.0.2.25, 192.0.2.26, 2001:db8::25 ]
  - id: web
    name: "@"
    address: [ 192.0.2.1, 2001:db8::1 ]
  - id: out
    name: out
    address: 192.0.2.27
    helo-spf: "a ra=postmaster -all"
  - id: several
    name: several
    address: 192.0.2.28
    helo-spf: [ a, "ip4:192.0.2.99", "~all" ]
  - id: silent
    name: silent
    address: 192.0.2.29
    helo-spf: none
  - id: absolute
    name: "mx.example.org."
    address: 192.0.2.30
"""


@covers("soa", "ns")
def test_soa_and_ns(store):
    """SOA with the defaults of doc/kinds.rst; NS; both as given."""
    before = int(time.time())
    store.apply("""
policy:
  - id: plain
    ns: [ "ns1.example.net.", "ns2.example.net." ]
  - id: named
    ns: "ns2.example.net."
    soa-mname: "hidden.example.net."
    soa-rname: "dns.admin@example.net"
    ttl: 600
domain:
  - id: example.org
    policy: plain
  - id: example.com
    policy: named
""")
    with Knotd(store) as knotd:
        check(knotd, [("example.org", "NS", ["ns1.example.net.", "ns2.example.net."]),
                      ("example.com", "NS", "ns2.example.net."),
                      ("www.example.org", "SOA", "NXDOMAIN")])
        soa = rdata(knotd.ask("example.org", "SOA"))[0].split()
        assert soa[:2] == ["ns1.example.net.", "hostmaster.example.org."]
        assert soa[3:] == ["86400", "7200", "3600000", "300"]
        assert before <= int(soa[2]) <= int(time.time())
        answer = knotd.ask("example.com", "SOA")
        soa = rdata(answer)[0].split()
        assert soa[:2] == ["hidden.example.net.", r"dns\.admin.example.net."]
        assert answer.answer[0].ttl == 600
        # The serial moves on with every change of what the domain is made of.
        for args in (("policy-set", "named", "mx=10 a.example.net."),
                     ("domain-set", "example.com", "txt=a"),
                     ("dkim-import", "example.com/s", "p=N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="),
                     ("dkim-unset", "example.com/s")):
            time.sleep(max(0, int(soa[2]) + 1.01 - time.time()))
            store.run(*args)
            now = rdata(knotd.ask("example.com", "SOA"))[0].split()
            assert int(now[2]) > int(soa[2]), args
            soa = now
        assert {"soa", "ns"} <= {name[15:-1] for name in knotd.stats() if "query" in name}


@covers("a", "aaaa", "helo-spf")
def test_hosts(store):
    """Addresses of hosts and of the domain itself, and the SPF of HELO names (RFC 7208 10.1.2)."""
    serve(store, policy("host: [ mail, web, out, several, silent, absolute ]", 'mx: "10 mail"',
                        'spf: mx', domains=("example.org", "example.com"), more=HOSTS), [
        ("mail.example.org", "A", ["192.0.2.25", "192.0.2.26"]),
        ("mail.example.org", "AAAA", "2001:db8::25"),
        ("mail.example.com", "A", ["192.0.2.25", "192.0.2.26"]),
        ("example.org", "A", "192.0.2.1"),
        ("example.org", "AAAA", "2001:db8::1"),
        ("out.example.org", "AAAA", "NODATA"),
        ("mail.example.org", "TXT", "v=spf1 a -all"),
        ("out.example.org", "TXT", "v=spf1 a ra=postmaster -all"),
        ("several.example.org", "TXT", "v=spf1 a ip4:192.0.2.99 ~all"),
        ("silent.example.org", "TXT", "NODATA"),
        # At the domain itself its own SPF stands, not that of a HELO name.
        ("example.org", "TXT", "v=spf1 mx -all"),
        # An absolute name belongs to the domain that it lies in, and to no other.
        ("mx.example.org", "A", "192.0.2.30"),
        ("mx.example.org", "TXT", "v=spf1 a -all"),
        ("mx.example.com", "A", "NXDOMAIN"),
    ], {"a", "aaaa", "helo-spf"})


MX = [
    # items, expected
    (['mx: "10 mail"'], "10 mail.example.org."),
    (["mx: mail"], "10 mail.example.org."),
    (['mx: [ "10 mail", "20 mx.example.net.", "20 mx2.example.net." ]'],
     ["10 mail.example.org.", "20 mx.example.net.", "20 mx2.example.net."]),
    (['mx: "5 mx.{domain}"'], "5 mx.example.org."),
    (['mx: "5 {domain}.mx.example.net."'], "5 example.org.mx.example.net."),
    (['mx: "0 @"'], "0 example.org."),
    (['mx: "."'], "0 ."),
    (['mx: "0 ."'], "0 ."),
    (["mx: none"], "NODATA"),
    (["no-mail: on", 'mx: "10 mail"'], "0 ."),
]


@covers("mx")
def test_mx(store):
    """Exchanges, several, with {domain}, and the null MX of RFC 7505."""
    each(store, [(items, "example.org", "MX", expected) for items, expected in MX], {"mx"})


SPF = [
    # items, expected: the one SPF record of RFC 7208
    ([], "v=spf1 -all"),
    (["spf: mx"], "v=spf1 mx -all"),
    (["spf: mx", 'spf-all: "~all"'], "v=spf1 mx ~all"),
    (["spf: mx", 'spf-all: "?all"'], "v=spf1 mx ?all"),
    (["spf: mx", 'spf-all: "+all"'], "v=spf1 mx +all"),
    (["spf: mx", "spf-all: none"], "v=spf1 mx"),
    (['spf: [ mx, "ra=postmaster" ]'], "v=spf1 mx ra=postmaster -all"),
    (['spf: "mx ra=postmaster rp=50 rr=all"'], "v=spf1 mx ra=postmaster rp=50 rr=all -all"),
    (['spf: "ip4:93.184.216.34"'], "v=spf1 ip4:93.184.216.34 -all"),
    (['spf: [ "ip4:192.0.2.0/24", "ip6:2001:db8::/32", "~ip4:198.51.100.1", "?ip6:2001:db8:1::1" ]'],
     "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 ~ip4:198.51.100.1 ?ip6:2001:db8:1::1 -all"),
    (['spf: [ a, "a:mail.example.net", "a/24", "a:mail.example.net/24//64", "mx:example.net", "-mx/28" ]'],
     "v=spf1 a a:mail.example.net a/24 a:mail.example.net/24//64 mx:example.net -mx/28 -all"),
    (['spf: [ "include:_spf.example.net", "include:{domain}.spf.example.com" ]'],
     "v=spf1 include:_spf.example.net include:example.org.spf.example.com -all"),
    (['spf: "exists:%{i}._spf.%{d2}"'], "v=spf1 exists:%{i}._spf.%{d2} -all"),
    # redirect means nothing beside all, so there is none (RFC 7208 6.1)
    (['spf: "redirect=_spf.example.net"'], "v=spf1 redirect=_spf.example.net"),
    (['spf: [ mx, "redirect=_spf.example.net" ]'], "v=spf1 mx redirect=_spf.example.net"),
    (['spf: [ mx, "exp=explain._spf.%{d}" ]'], "v=spf1 mx exp=explain._spf.%{d} -all"),
    (['host: [ mail, out ]', "spf: hosts"],
     "v=spf1 ip4:192.0.2.25 ip4:192.0.2.26 ip6:2001:db8::25 ip4:192.0.2.27 -all"),
    (["spf: mx", "spf-add: mx"], "v=spf1 mx -all"),
    (["no-mail: on", "spf: mx", 'spf-all: "~all"'], "v=spf1 -all"),
]


@covers("spf")
def test_spf(store):
    """Every mechanism and modifier, every qualifier of all."""
    each(store, [(items, "example.org", "TXT", expected) for items, expected in SPF], {"spf"},
         HOSTS)


TXT = [
    (['txt: "google-site-verification=abc"'], ["v=spf1 -all", "google-site-verification=abc"]),
    (['txt: [ one, "two words", "with \\"quotes\\"; and more" ]'],
     ["v=spf1 -all", "one", "two words", 'with "quotes"; and more']),
    (['txt: "for {domain}"'], ["v=spf1 -all", "for example.org"]),
    (['txt: "' + "0123456789" * 60 + '"'], ["v=spf1 -all", "0123456789" * 60]),
    (['txt: "ü"'], ["v=spf1 -all", "ü"]),
    # An SPF of no terms and no all is no SPF: only the other strings stay.
    (["spf: none", "spf-all: none", "txt: alone"], "alone"),
]


@covers("txt")
def test_txt(store):
    """Other strings beside SPF, in one RRset."""
    each(store, [(items, "example.org", "TXT", expected) for items, expected in TXT], {"txt"})
    with Knotd(store) as knotd:
        long = knotd.ask("d3.example.org", "TXT")
        lengths = sorted([len(string) for string in rr.strings] for rr in long.answer[0])
        assert lengths == [[11], [255, 255, 90]]


CAA = [
    ('caa: "0 issue ca.example"', '0 issue "ca.example"'),
    ('caa: [ "0 issue \\"ca.example; policy=ev\\"", "0 issuewild \\";\\"" ]',
     ['0 issue "ca.example; policy=ev"', '0 issuewild ";"']),
    ('caa: "128 iodef mailto:security@{domain}"', '128 iodef "mailto:security@example.org"'),
    ('caa: "issuemail ca.example"', '0 issuemail "ca.example"'),
    ("no-mail: on", "NODATA"),
]


@covers("caa")
def test_caa(store):
    """CAA: issue, issuewild, iodef, issuemail; flags; {domain} (RFC 8659)."""
    each(store, [([item], "example.org", "CAA", expected) for item, expected in CAA], {"caa"})


@covers("record")
def test_records(store):
    """Literal records of any type, at any owner, with a TTL of their own."""
    records = [
        "www A 192.0.2.80", "www 60 AAAA 2001:db8::80", "@ A 192.0.2.1", "@ HTTPS 1 . alpn=h2",
        "*.web TXT \\\"any {domain}\\\"", "shop CNAME shops.example.net.", "blog CNAME www",
        "_acme-challenge CNAME {domain}.acme.example.com.", "old DNAME new",
        "_sip._udp SRV 10 20 5060 sip", "ssh SSHFP 4 2 " + "ab" * 32, "abs.example.org. A 192.0.2.81",
        "un TYPE65280 \\\\# 3 010203", "two TXT one two", "naptr NAPTR 1 2 s SIP+D2U \\\"\\\" _sip._udp",
    ]
    text = policy("no-mail: off") + "    record: [ " + ", ".join(f'"{r}"' for r in records) + " ]\n"
    store.apply(text.replace("\\\\#", "\\#"))
    with Knotd(store) as knotd:
        check(knotd, [
            ("www.example.org", "A", "192.0.2.80"),
            ("www.example.org", "AAAA", "2001:db8::80"),
            ("example.org", "A", "192.0.2.1"),
            ("example.org", "HTTPS", '1 . alpn="h2"'),
            ("x.y.web.example.org", "TXT", "any example.org"),
            ("shop.example.org", "CNAME", "shops.example.net."),
            ("_acme-challenge.example.org", "CNAME", "example.org.acme.example.com."),
            ("old.example.org", "DNAME", "new.example.org."),
            ("_sip._udp.example.org", "SRV", "10 20 5060 sip.example.org."),
            ("ssh.example.org", "SSHFP", "4 2 " + "ab" * 32),
            ("abs.example.org", "A", "192.0.2.81"),
            ("un.example.org", "TYPE65280", "\\# 3 010203"),
            ("naptr.example.org", "NAPTR", '1 2 "s" "SIP+D2U" "" _sip._udp.example.org.'),
        ])
        assert rdata(knotd.ask("two.example.org", "TXT")) == ['"one" "two"']
        assert knotd.ask("www.example.org", "AAAA").answer[0].ttl == 60
        assert knotd.ask("www.example.org", "A").answer[0].ttl == 3600
        chain = knotd.ask("blog.example.org", "A")
        assert rdata(chain) == ["192.0.2.80", "www.example.org."]
        assert knotd.stats()["mod-mail.query[record]"] > 10


@covers("delegation")
def test_delegations(store):
    """Names below the domain that other servers answer for: referrals, DS at the cut, glue."""
    store.apply(policy("no-mail: off") + """
    record: [ "ns.sub A 192.0.2.53", "ns.sub AAAA 2001:db8::53" ]
    delegation: [ "sub NS ns.sub", "sub NS ns.example.net.", "safe NS ns.example.net.",
                  "safe DS 12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" ]
""".replace(",\n                 ", ","))
    with Knotd(store) as knotd:
        for name in ("sub.example.org", "deep.below.sub.example.org", "ns.sub.example.org"):
            answer = knotd.ask(name, "A")
            assert rcode(answer) == "NOERROR" and not has(answer, "AA"), name
            assert rdata(answer) == []
            assert rdata(answer, "NS", "authority") == ["ns.example.net.", "ns.sub.example.org."]
            assert answer.authority[0].name.to_text() == "sub.example.org."
            assert rdata(answer, section="additional") == ["192.0.2.53", "2001:db8::53"]
        answer = knotd.ask("safe.example.org", "DS")
        assert has(answer, "AA")
        assert rdata(answer) == ["12345 13 2 " + "0123456789abcdef" * 4]
        check(knotd, [("sub.example.org", "DS", "NODATA")])
        assert knotd.stats()["mod-mail.query[delegation]"] == 4


@covers("child")
def test_stored_domain_below(store):
    """A stored domain below another is a zone of its own; the parent lists its NS and their addresses."""
    store.apply("""
host:
  - id: ns
    name: ns
    address: 192.0.2.53
policy:
  - id: own
    host: ns
    ns: [ ns, "ns.example.net." ]
domain:
  - id: example.org
    policy: own
  - id: sub.example.org
    policy: own
""")
    listed = [json.loads(line) for line in
              store.run("records", "example.org", "--json").stdout.splitlines()]
    assert sorted((row["owner"], row["type"], row["data"]) for row in listed
                  if row.get("kind") == "child") == sorted([("sub.example.org.", "NS", "ns.example.net."),
            ("sub.example.org.", "NS", "ns.sub.example.org."),
            ("ns.sub.example.org.", "A", "192.0.2.53")])
    with Knotd(store) as knotd:
        check(knotd, [("sub.example.org", "NS", ["ns.example.net.", "ns.sub.example.org."]),
                      ("ns.sub.example.org", "A", "192.0.2.53")])
        # DS is the parent's: it says that there is none.
        denial = knotd.ask("sub.example.org", "DS")
        assert denial.authority[0].name.to_text() == "example.org."
        denial = knotd.ask("nothing.sub.example.org", "A")
        assert denial.authority[0].name.to_text() == "sub.example.org."


@covers("dkim-none", "mx", "spf", "dmarc")
def test_parked(store):
    """A domain without mail in one word: null MX, SPF and DMARC that refuse, no key, and nothing else."""
    store.apply(HOSTS + """
policy:
  - id: hosting
    host: [ mail, web ]
    ns: "ns1.example.net."
    mx: "10 mail"
    spf: mx
    tls-rpt: "mailto:tls@example.net"
    mta-sts: enforce
    mta-sts-host: mail
    srv: [ imaps, submissions ]
    autoconfig: mail
    autodiscover: mail
    bimi: "https://example.net/logo.svg"
  - id: quiet
    base: parked
    ns: "ns1.example.net."
domain:
  - id: parked.example
    policy: quiet
  - id: stopped.example
    policy: hosting
    no-mail: on
dkim:
  - id: "policy:hosting/shared"
    key: "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
  - id: stopped.example/own
    key: "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
""")
    for name in ("parked.example", "stopped.example"):
        addresses = name == "stopped.example"
        with Knotd(store) as knotd:
            check(knotd, [
                (name, "MX", "0 ."),
                (name, "TXT", "v=spf1 -all"),
                (f"_dmarc.{name}", "TXT", "v=DMARC1; p=reject"),
                (f"any._domainkey.{name}", "TXT", "v=DKIM1; p="),
                (f"a.b.c._domainkey.{name}", "TXT", "v=DKIM1; p="),
                (f"own._domainkey.{name}", "TXT", "v=DKIM1; p="),
                (f"shared._domainkey.{name}", "TXT", "v=DKIM1; p="),
                (f"*._domainkey.{name}", "TXT", "v=DKIM1; p="),
                (f"any._domainkey.{name}", "A", "NODATA"),
                (f"_domainkey.{name}", "TXT", "NODATA"),
                (f"_mta-sts.{name}", "TXT", "NXDOMAIN"),
                (f"mta-sts.{name}", "CNAME", "NXDOMAIN"),
                (f"_smtp._tls.{name}", "TXT", "NXDOMAIN"),
                (f"_imaps._tcp.{name}", "SRV", "NXDOMAIN"),
                (f"_tcp.{name}", "SRV", "NXDOMAIN"),
                (f"autoconfig.{name}", "CNAME", "NXDOMAIN"),
                (f"default._bimi.{name}", "TXT", "NXDOMAIN"),
                (f"mail.{name}", "TXT", "NODATA" if addresses else "NXDOMAIN"),
            ])
            assert knotd.stats()["mod-mail.query[dkim-none]"] >= 3
        listed = store.run("records", name, "--json").stdout
        kinds = {json.loads(line)["kind"] for line in listed.splitlines()}
        assert kinds == {"soa", "ns", "mx", "spf", "dmarc", "dkim-none"} | \
            ({"a", "aaaa"} if addresses else set())


@pytest.mark.parametrize("alias", ["alias.example", "deep.below.example.org"])
@covers("mx", "spf", "dmarc", "dkim", "txt", "record")
def test_alias(store, alias):
    """An alias has all of its target's under its own name, but for txt and record."""
    store.apply(HOSTS + f"""
policy:
  - id: hosting
    host: [ mail ]
    ns: "ns1.example.net."
    mx: "10 mail"
    spf: [ mx, "include:{{domain}}.spf.example.net" ]
    dmarc: "rua=mailto:dmarc@{{domain}}"
dkim:
  - id: example.org/s1
    key: "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
domain:
  - id: example.org
    policy: hosting
    dmarc: "p=reject"
    txt: "verification"
    record: "www A 192.0.2.80"
  - id: {alias}
    alias: example.org
""")
    key = "v=DKIM1; k=ed25519; h=sha256; p=N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
    with Knotd(store) as knotd:
        check(knotd, [
            (alias, "MX", f"10 mail.{alias}."),
            (alias, "TXT", f"v=spf1 mx include:{alias}.spf.example.net -all"),
            ("example.org", "TXT", ["v=spf1 mx include:example.org.spf.example.net -all",
                                    "verification"]),
            (f"_dmarc.{alias}", "TXT", f"v=DMARC1; p=reject; rua=mailto:dmarc@{alias}"),
            (f"s1._domainkey.{alias}", "TXT", key),
            (f"mail.{alias}", "AAAA", "2001:db8::25"),
            (f"www.{alias}", "A", "NXDOMAIN"),
            ("www.example.org", "A", "192.0.2.80"),
        ])


def test_overrides(store):
    """Layers: a scalar replaces, dmarc merges by tag, ITEM-add appends, none removes."""
    store.apply("""
policy:
  - id: bottom
    ns: "ns1.example.net."
    mx: "10 mx.example.net."
    spf: [ mx, "ip4:192.0.2.1" ]
    dmarc: [ "p=none", "rua=mailto:a@example.net", "fo=1" ]
    tls-rpt: "mailto:tls@example.net"
    txt: bottom
    ttl: 900
  - id: middle
    base: bottom
    spf-add: "ip4:192.0.2.2"
    dmarc: "p=quarantine"
    txt-add: middle
  - id: top
    base: middle
    spf-all: "~all"
    ttl: 1200
domain:
  - id: a.example
    policy: top
  - id: b.example
    policy: top
    dmarc: [ "p=reject", "fo=" ]
    spf-add: "include:crm.example"
    tls-rpt: none
    mx: "20 mx2.example.net."
    txt-add: own
  - id: c.example
    policy: top
    spf: a
    txt: none
    dmarc: none
""")
    with Knotd(store) as knotd:
        check(knotd, [
            ("a.example", "TXT", ["v=spf1 mx ip4:192.0.2.1 ip4:192.0.2.2 ~all", "bottom", "middle"]),
            ("_dmarc.a.example", "TXT", "v=DMARC1; p=quarantine; fo=1; rua=mailto:a@example.net"),
            ("_smtp._tls.a.example", "TXT", "v=TLSRPTv1; rua=mailto:tls@example.net"),
            ("a.example", "MX", "10 mx.example.net."),
            ("b.example", "TXT", ["v=spf1 mx ip4:192.0.2.1 ip4:192.0.2.2 include:crm.example ~all",
                                  "bottom", "middle", "own"]),
            ("_dmarc.b.example", "TXT", "v=DMARC1; p=reject; rua=mailto:a@example.net"),
            ("_smtp._tls.b.example", "TXT", "NXDOMAIN"),
            ("b.example", "MX", "20 mx2.example.net."),
            ("c.example", "TXT", "v=spf1 a ~all"),
            ("_dmarc.c.example", "TXT", "NODATA"),
        ])
        assert knotd.ask("a.example", "MX").answer[0].ttl == 1200
        assert texts(knotd.ask("c.example", "TXT")) == ["v=spf1 a ~all"]
        assert knotd.ask("c.example", "MX").answer[0].rdtype == dns.rdatatype.MX
