# SPDX-License-Identifier: GPL-3.0-or-later
"""What an answer holds besides the records asked for: sections, flags, denials, referrals, sizes.

The differential test compares all of it with knotd's own; here it is written down by hand.
"""

import dns.edns
import dns.name
import dns.rdatatype

from harness import Failure, Knotd, has, rcode, rdata, rrl, texts

ANSWERS = """
host:
  - id: mail
    name: mail
    address: [ 192.0.2.25, 2001:db8::25 ]
  - id: second
    name: second
    address: 192.0.2.26
  - id: ns1
    name: ns1
    address: 192.0.2.53
    helo-spf: none
policy:
  - id: answers
    host: [ mail, second, ns1 ]
    ns: [ ns1, "ns.example.net." ]
    mx: [ "10 mail", "20 second", "30 mx.example.net." ]
    spf: mx
    srv: [ imaps, "submissions 0 1 465 second" ]
    autoconfig: mail
    caa: "0 issue ca.example"
domain:
  - id: example.org
    policy: answers
    delegation: [ "sub NS ns.sub", "sub NS ns.example.net.", "bare NS ns.example.net." ]
    record: [ "ns.sub A 192.0.2.101", "www A 192.0.2.80", "c1 CNAME c2", "c2 CNAME c3", "c3 CNAME www", RECORDS ]
  - id: kid.example.org
    policy: answers
  - id: deep.under.example.org
    policy: answers
"""

RECORDS = [
    "away CNAME www.example.net.", "lost CNAME nothing", "loop1 CNAME loop2", "loop2 CNAME loop1", "self CNAME self",
    "intosub CNAME www.sub", "intokid CNAME www.kid",
    "d1 CNAME d2", "d2 CNAME d3", "d3 CNAME d4", "d4 CNAME d5", "d5 CNAME d6", "d6 CNAME www",
    "old DNAME new", "www.new A 192.0.2.81", "long DNAME " + ".".join(["l" * 63, "m" * 63, "n" * 63]),
    # RFC 4592 2.2.1
    "*.w TXT wildcard", "*.w MX \"10 host1.w\"", "sub.*.w TXT literal", "host1.w A 192.0.2.1",
    "_ssh._tcp.host1.w SRV 0 0 22 host1.w", "_ssh._tcp.host2.w SRV 0 0 22 host2.w", "*.cw CNAME www",
]


def answers(store):
    """Applies the domain above."""
    store.apply(ANSWERS.replace("RECORDS", ", ".join('"' + r.replace('"', "") + '"' for r in RECORDS)))


def names(section):
    """Owner and type of each RRset."""
    return [(rrset.name.to_text(), dns.rdatatype.to_text(rrset.rdtype)) for rrset in section]


ADDITIONAL = [
    # question, owners and types in the additional section
    ("example.org", "MX", {("mail.example.org.", "A"), ("mail.example.org.", "AAAA"),
                           ("second.example.org.", "A")}),
    ("example.org", "NS", {("ns1.example.org.", "A")}),
    ("_imaps._tcp.example.org", "SRV", {("mail.example.org.", "A"), ("mail.example.org.", "AAAA")}),
    ("_submissions._tcp.example.org", "SRV", {("second.example.org.", "A")}),
    ("example.org", "TXT", set()),
    ("example.org", "SOA", set()),
    ("mail.example.org", "A", set()),
    ("x.w.example.org", "MX", {("host1.w.example.org.", "A")}),
]


def test_additional(store):
    """Addresses of targets in the domain, of MX, SRV and NS; nothing of other domains."""
    answers(store)
    with Knotd(store) as knotd:
        for i, (name, rrtype, expected) in enumerate(ADDITIONAL):
            answer = knotd.ask(name, rrtype)
            assert set(names(answer.additional)) == expected, f"case {i}"
            assert answer.authority == [] and has(answer, "AA"), f"case {i}"


DENIALS = [
    # question, rcode
    ("example.org", "A", "NOERROR"),
    ("example.org", "PTR", "NOERROR"),
    ("example.org", "DNSKEY", "NOERROR"),
    ("example.org", "RRSIG", "NOERROR"),
    ("example.org", "NSEC", "NOERROR"),
    ("example.org", "TYPE65280", "NOERROR"),
    ("www.example.org", "AAAA", "NOERROR"),
    ("_dmarc.example.org", "A", "NOERROR"),
    # Empty non-terminals (RFC 8020)
    ("_tcp.example.org", "A", "NOERROR"),
    ("_tcp.example.org", "ANY", "NOERROR"),
    ("_report._dmarc.example.org", "TXT", "NOERROR"),
    ("under.example.org", "A", "NOERROR"),
    ("new.example.org", "A", "NOERROR"),
    # Names that are not there
    ("_udp.example.org", "A", "NXDOMAIN"),
    ("_domainkey.example.org", "TXT", "NXDOMAIN"),
    ("x.www.example.org", "A", "NXDOMAIN"),
    ("x._dmarc.example.org", "TXT", "NXDOMAIN"),
    ("other.under.example.org", "A", "NXDOMAIN"),
    ("*.example.org", "A", "NXDOMAIN"),
    ("ww.example.org", "A", "NXDOMAIN"),
    ("wwww.example.org", "A", "NXDOMAIN"),
    (r"\000.example.org", "A", "NXDOMAIN"),
    (".".join(["x" * 60] * 3) + ".example.org", "A", "NXDOMAIN"),
    (".".join(["x"] * 115) + ".example.org", "A", "NXDOMAIN"),
]


def test_denials(store):
    """NODATA or NXDOMAIN, with the SOA, whose TTL is its minimum (RFC 2308 3)."""
    answers(store)
    with Knotd(store) as knotd:
        for i, (name, rrtype, code) in enumerate(DENIALS):
            answer = knotd.ask(name, rrtype)
            assert rcode(answer) == code, f"case {i}"
            assert answer.answer == [] and answer.additional == [], f"case {i}"
            assert names(answer.authority) == [("example.org.", "SOA")], f"case {i}"
            assert answer.authority[0].ttl == 300 and has(answer, "AA"), f"case {i}"
        store.run("policy-set", "answers", "ttl=60")
        assert knotd.ask("nothing.example.org", "A").authority[0].ttl == 60


CHAINS = [
    # question, types of the answer section in order, last RDATA, authority, rcode
    ("autoconfig", "A", ["CNAME", "A"], "192.0.2.25", "", "NOERROR"),
    ("autoconfig", "CNAME", ["CNAME"], "mail.example.org.", "", "NOERROR"),
    ("autoconfig", "MX", ["CNAME"], "mail.example.org.", "SOA", "NOERROR"),
    ("autoconfig", "ANY", ["CNAME"], "mail.example.org.", "", "NOERROR"),
    ("c1", "A", ["CNAME", "CNAME", "CNAME", "A"], "192.0.2.80", "", "NOERROR"),
    ("away", "A", ["CNAME"], "www.example.net.", "", "NOERROR"),
    ("lost", "A", ["CNAME"], "nothing.example.org.", "SOA", "NXDOMAIN"),
    ("self", "A", ["CNAME"], "self.example.org.", "", "NOERROR"),
    ("loop1", "A", ["CNAME", "CNAME"], "loop1.example.org.", "", "NOERROR"),
    # Five links, as knotd.
    ("d2", "A", ["CNAME"] * 5 + ["A"], "192.0.2.80", "", "NOERROR"),
    ("d1", "A", ["CNAME"] * 5, "d6.example.org.", "", "NOERROR"),
    ("intosub", "A", ["CNAME"], "www.sub.example.org.", "NS", "NOERROR"),
    ("intokid", "A", ["CNAME"], "www.kid.example.org.", "NS", "NOERROR"),
    ("www.old", "A", ["DNAME", "CNAME", "A"], "192.0.2.81", "", "NOERROR"),
    ("www.old", "CNAME", ["DNAME", "CNAME"], "www.new.example.org.", "", "NOERROR"),
    ("old", "A", [], None, "SOA", "NOERROR"),
    ("old", "DNAME", ["DNAME"], "new.example.org.", "", "NOERROR"),
    # The name would grow past 255 octets (RFC 6672 2.2).
    ("y" * 63 + ".long", "A", ["DNAME"], None, "", "YXDOMAIN"),
    ("any.cw", "TXT", ["CNAME"], "www.example.org.", "SOA", "NOERROR"),
]


def test_aliases(store):
    """A CNAME answers every type, and the chain is followed while it stays in the domain."""
    answers(store)
    with Knotd(store) as knotd:
        for i, (name, rrtype, types, last, authority, code) in enumerate(CHAINS):
            answer = knotd.ask(f"{name}.example.org", rrtype)
            assert rcode(answer) == code, f"case {i}"
            assert [rrtype for _, rrtype in names(answer.answer)] == types, f"case {i}"
            assert [rrtype for _, rrtype in names(answer.authority)] == [authority] * bool(authority), \
                f"case {i}"
            assert last is None or answer.answer[-1][0].to_text() == last, f"case {i}"
            assert has(answer, "AA"), f"case {i}"


WILDCARDS = [
    # RFC 4592 2.2.1: question, type, what it comes to
    ("host3", "MX", "10 host1.w.example.org."),
    ("host3", "A", "NODATA"),
    ("foo.bar", "TXT", '"wildcard"'),
    ("host1", "MX", "NODATA"),
    ("sub.*", "MX", "NODATA"),
    ("sub.*", "TXT", '"literal"'),
    ("_telnet._tcp.host1", "SRV", "NXDOMAIN"),
    ("_tcp.host1", "TXT", "NODATA"),
    ("host2", "TXT", "NODATA"),             # an empty non-terminal
    ("ghost.*", "MX", "NXDOMAIN"),
    ("*", "TXT", '"wildcard"'),
    ("x.y.z", "SRV", "NODATA"),
]


def test_wildcards(store):
    """As RFC 4592: the closest encloser counts, names that exist are not covered, owners are as asked."""
    answers(store)
    with Knotd(store) as knotd:
        for i, (name, rrtype, expected) in enumerate(WILDCARDS):
            owner = f"{name}.w.example.org"
            answer = knotd.ask(owner, rrtype)
            found = rdata(answer)
            if rcode(answer) != "NOERROR":
                found = [rcode(answer)]
            assert (found or ["NODATA"]) == [expected], f"case {i}"
            if answer.answer:
                assert answer.answer[0].name == dns.name.from_text(owner), f"case {i}"
            else:
                assert names(answer.authority) == [("example.org.", "SOA")], f"case {i}"


REFERRALS = [
    # question, type, owner of the NS, addresses
    ("sub", "A", "sub", ["192.0.2.101"]),
    ("sub", "NS", "sub", ["192.0.2.101"]),
    ("sub", "ANY", "sub", ["192.0.2.101"]),
    ("a.b.sub", "MX", "sub", ["192.0.2.101"]),
    ("ns.sub", "A", "sub", ["192.0.2.101"]),
    ("x.sub", "DS", "sub", ["192.0.2.101"]),
    ("bare", "TXT", "bare", []),
    ("*.bare", "TXT", "bare", []),
]


def test_referrals(store):
    """At and below a delegation: no answer, NS in the authority section, no AA, glue."""
    answers(store)
    with Knotd(store) as knotd:
        for i, (name, rrtype, owner, addresses) in enumerate(REFERRALS):
            answer = knotd.ask(f"{name}.example.org", rrtype)
            assert rcode(answer) == "NOERROR" and not has(answer, "AA"), f"case {i}"
            assert answer.answer == [], f"case {i}"
            assert names(answer.authority) == [(f"{owner}.example.org.", "NS")], f"case {i}"
            assert rdata(answer, section="additional") == addresses, f"case {i}"
        # A chain that leads to a stored domain below: its NS, and their addresses there.
        answer = knotd.ask("intokid.example.org", "A")
        assert rdata(answer, "NS", "authority") == ["ns.example.net.", "ns1.kid.example.org."]
        assert rdata(answer, section="additional") == ["192.0.2.53"]


DS = [
    # question, whose SOA says that there is no DS
    ("kid.example.org", "example.org."),
    ("deep.under.example.org", "example.org."),
    ("sub.example.org", "example.org."),
    ("www.example.org", "example.org."),
    ("www.kid.example.org", "kid.example.org."),
    ("example.org", "example.org."),       # no parent here
]


def test_ds(store):
    """DS at the apex of a stored domain is its parent's, where that is stored too."""
    answers(store)
    with Knotd(store) as knotd:
        for i, (name, owner) in enumerate(DS):
            answer = knotd.ask(name, "DS")
            assert answer.answer == [] and has(answer, "AA"), f"case {i}"
            assert names(answer.authority) == [(owner, "SOA")], f"case {i}"


def test_any(store):
    """ANY: one RRset, that of the lowest type (RFC 8482 4.1), as knotd."""
    answers(store)
    with Knotd(store) as knotd:
        for name, rrtype in (("example.org", "NS"), ("mail.example.org", "A"), ("x.w.example.org", "MX"),
                             ("_imaps._tcp.example.org", "SRV"), ("_dmarc.example.org", "TXT"),
                             ("c1.example.org", "CNAME")):
            for tcp in (False, True):
                answer = knotd.ask(name, "ANY", tcp=tcp)
                assert [found for _, found in names(answer.answer)] == [rrtype], name
                assert has(answer, "AA"), name


def test_spelling(store):
    """The question's spelling is echoed, in the question and as the owner (0x20)."""
    answers(store)
    with Knotd(store) as knotd:
        for spelling in ("eXaMPle.ORG.", "EXAMPLE.ORG.", "_dMaRc.Example.oRg.", "X.w.exAMPLE.org."):
            answer = knotd.ask(spelling, "TXT")
            assert answer.question[0].name.to_text() == spelling
            assert answer.answer[0].name.to_text() == spelling
        answer = knotd.ask("NoThing.eXample.org.", "A")
        assert answer.question[0].name.to_text() == "NoThing.eXample.org."


def test_sizes(store):
    """TC over UDP when it does not fit, the whole over TCP; what is additional is left out before."""
    large = ", ".join(f'"{i:02} {"t" * 180}"' for i in range(20))
    many = ", ".join(f'"192.0.2.{i}"' for i in range(1, 61))
    store.apply(f"""
host:
  - id: many
    name: many
    address: [ {many} ]
policy:
  - id: large
    host: many
    ns: "ns.example.net."
    mx: "10 many"
    txt: [ {large} ]
domain:
  - id: example.org
    policy: large
""")
    with Knotd(store) as knotd:
        for how in ({"edns": False}, {"payload": 512}, {"payload": 1232}, {"payload": 4096}):
            answer = knotd.ask("example.org", "TXT", **how)
            assert has(answer, "TC") and rcode(answer) == "NOERROR" and has(answer, "AA"), how
        answer = knotd.ask("example.org", "TXT", tcp=True)
        assert not has(answer, "TC") and len(texts(answer)) == 21
        # The 60 addresses of the MX do not fit into 512 octets: they are left out, without TC.
        answer = knotd.ask("example.org", "MX", payload=512)
        assert rdata(answer) == ["10 many.example.org."] and not has(answer, "TC")
        assert answer.additional == []
        answer = knotd.ask("example.org", "MX", payload=1232)
        assert len(rdata(answer, section="additional")) == 60
        assert has(knotd.ask("many.example.org", "A", payload=512), "TC")
        assert len(rdata(knotd.ask("many.example.org", "A", tcp=True))) == 60
        assert knotd.stats()["mod-mail.outcome[truncated]"] == 5


def test_glue_that_does_not_fit(store):
    """A referral without its glue is of no use: TC (RFC 9471)."""
    many = ", ".join(f'"ns.sub A 192.0.2.{i}"' for i in range(1, 51))
    store.apply(f"""
policy:
  - id: plain
    ns: "ns.example.net."
domain:
  - id: example.org
    policy: plain
    delegation: "sub NS ns.sub"
    record: [ {many} ]
""")
    with Knotd(store) as knotd:
        assert has(knotd.ask("x.sub.example.org", "A", payload=512), "TC")
        answer = knotd.ask("x.sub.example.org", "A", payload=1232)
        assert not has(answer, "TC") and len(rdata(answer, section="additional")) == 50


def cookie_of(answer):
    """The cookie option of an answer."""
    found = [option for option in answer.options if option.otype == 10]
    if len(found) != 1:
        raise Failure(f"no cookie: {answer}")
    return found


def test_cookies_and_rate_limits(store):
    """Both before the module, as doc/mod-mail.rst orders them: our answers are limited, a cookie exempts."""
    answers(store)
    with Knotd(store, modules=("mod-cookies", "mod-rrl/test", "mod-mail/test"),
               conf=rrl(5)) as knotd:
        client = [dns.edns.GenericOption(10, b"12345678")]
        refused = knotd.ask("example.org", "MX", options=client)
        assert rcode(refused) == "BADCOOKIE" and rdata(refused) == []
        cookie = cookie_of(refused)
        assert len(cookie[0].to_wire()) == 24 and cookie[0].to_wire()[:8] == b"12345678"

        def whole(**how):
            return [not has(knotd.ask(name, rrtype, **how), "TC") for _ in range(40)
                    for name, rrtype in (("example.org", "MX"), ("nothing.example.org", "A"))]

        without = whole()
        assert any(without) and not all(without)
        assert all(whole(options=cookie))
        assert all(whole(tcp=True))
        # A stranger's cookie is none.
        forged = [dns.edns.GenericOption(10, cookie[0].to_wire()[:-1] + b"\0")]
        assert rcode(knotd.ask("mail.example.org", "A", options=forged)) in ("BADCOOKIE", "NOERROR")
        assert rdata(knotd.ask("mail.example.org", "A", options=forged)) == []


def test_class_chaos(store):
    """Names of class CH are knotd's, also those that are stored for class IN."""
    answers(store)
    with Knotd(store) as knotd:
        assert rdata(knotd.ask("id.server", "TXT", rrclass="CH")) == [f'"{knotd.identity()}"']
        assert rcode(knotd.ask("example.org", "TXT", rrclass="CH")) == "REFUSED"
        assert knotd.stats().get("mod-mail.outcome[answer]") is None
