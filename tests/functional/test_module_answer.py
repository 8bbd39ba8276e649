# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module does beside knotd and its other modules: who answers which question."""

import socket

import dns.edns
import dns.exception
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.tsigkeyring
import dns.update
import pytest

from harness import ADDRESS, PATIENCE, Knotd, ede, has, poll, rcode, rdata, rrl

BASE = """
policy:
  - id: hosted
    ns: [ ns1.hosted.test., ns2.hosted.test. ]
    mx: "10 mx.hosted.test."
    dmarc: "p=reject"
domain:
"""


def domains(*names):
    """The dialect of domains that follow one policy."""
    return BASE + "".join(f"  - id: {name}\n    policy: hosted\n" for name in names)


def zoned(store, names, **how):
    """A knotd with zones of its own; their MX differs from that of hosted domains."""
    conf = "zone:\n" + "".join(f"  - domain: {name}\n" for name in names)
    knotd = Knotd(store, conf=conf, **how)
    (knotd.directory / "zones").mkdir()
    for name in names:
        (knotd.directory / "zones" / f"{name}.zone").write_text(
            "@ 300 SOA ns.zone.test. hostmaster.zone.test. 1 2 3 4 5\n@ 300 NS ns.zone.test.\n"
            "@ 300 MX 10 mx.zone.test.\n* 300 MX 20 any.zone.test.\n")
    return knotd


def wait_zones(knotd, names):
    """Zones are loaded in the background; their names are not answered by REFUSED or SERVFAIL then."""
    for name in names:
        knotd.wait_log(f"[{name}.] loaded")


# Which of both answers

WHO = [
    # question, type, what it comes from
    ("example.org", "MX", "10 mx.zone.test."),            # equal names: the zone
    ("x.example.org", "MX", "20 any.zone.test."),
    ("mail.example.org", "MX", "10 mx.hosted.test."),     # a hosted domain below a zone
    ("y.mail.example.org", "MX", None),
    ("example.net", "MX", "10 mx.hosted.test."),          # a zone below a hosted domain
    ("sub.example.net", "MX", "10 mx.zone.test."),
    ("a.sub.example.net", "MX", "20 any.zone.test."),
    ("b.a.sub.example.net", "MX", "10 mx.hosted.test."),  # hosted, below a zone, below a hosted one
    ("EXAMPLE.Net", "MX", "10 mx.hosted.test."),
]


def test_longer_name_wins(store):
    """Where a zone and a hosted domain match, the longer name answers, and the zone if they are equal."""
    store.apply(domains("example.org", "mail.example.org", "example.net", "b.a.sub.example.net"))
    names = ["example.org", "sub.example.net"]
    with zoned(store, names) as knotd:
        wait_zones(knotd, names)
        for i, (name, rrtype, expected) in enumerate(WHO):
            answer = knotd.ask(name, rrtype)
            assert rdata(answer, "MX") == ([expected] if expected else []), f"case {i}: {answer}"
            assert has(answer, "AA"), f"case {i}"
            assert rcode(answer) == ("NOERROR" if expected else "NXDOMAIN"), f"case {i}"


DS = [
    # question, whose SOA proves that there is no DS
    ("mail.example.org", "example.org.", "ns.zone.test."),     # parent: a zone; child: hosted
    ("sub.example.net", "example.net.", "ns1.hosted.test."),   # parent: hosted; child: a zone
    ("example.org", "example.org.", "ns.zone.test."),          # no parent here, equal names
    ("example.com", "example.com.", "ns1.hosted.test."),       # no parent here, hosted alone
    ("below.example.com", "example.com.", "ns1.hosted.test."),
]


def test_ds_is_the_parents(store):
    """A DS question is for the parent's side of a cut, whichever of both that is."""
    store.apply(domains("example.org", "mail.example.org", "example.net", "example.com"))
    names = ["example.org", "sub.example.net"]
    with zoned(store, names) as knotd:
        wait_zones(knotd, names)
        for i, (name, owner, mname) in enumerate(DS):
            answer = knotd.ask(name, "DS")
            assert rdata(answer) == [], f"case {i}"
            soa = [rrset for rrset in answer.authority if rrset.rdtype == dns.rdatatype.SOA]
            assert len(soa) == 1, f"case {i}: {answer}"
            assert soa[0].name.to_text() == owner, f"case {i}: {answer}"
            assert soa[0][0].mname.to_text() == mname, f"case {i}: {answer}"


# What is not for us

def test_other_questions_are_knotds(store):
    """Transfers, NOTIFY, UPDATE, other opcodes and classes: as for a name that is not hosted."""
    store.apply(domains("example.org"))
    with Knotd(store) as knotd:
        for name in ("example.org", "not-hosted.test"):
            assert rcode(knotd.ask(name, "MX")) == ("NOERROR" if name == "example.org" else "REFUSED")

        def raw(message, tcp=False):
            wire = message.to_wire()
            if tcp:
                with socket.create_connection((ADDRESS, knotd.port), PATIENCE) as connection:
                    connection.sendall(len(wire).to_bytes(2, "big") + wire)
                    size = int.from_bytes(connection.recv(2, socket.MSG_WAITALL), "big")
                    reply = connection.recv(size, socket.MSG_WAITALL)
            else:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                    udp.settimeout(PATIENCE)
                    udp.sendto(wire, (ADDRESS, knotd.port))
                    reply = udp.recv(65535)
            return reply[3] & 15, reply[6:12]

        def messages(name):
            notify = dns.message.make_query(name, "SOA")
            notify.set_opcode(dns.opcode.NOTIFY)
            status = dns.message.make_query(name, "MX")
            status.set_opcode(dns.opcode.STATUS)
            update = dns.update.Update(name)
            update.add("x", 300, "A", "192.0.2.1")
            ixfr = dns.message.make_query(name, "IXFR")
            ixfr.authority.append(dns.rrset.from_text(name + ".", 0, "IN", "SOA", "a. b. 1 2 3 4 5"))
            return [
                ("AXFR", dns.message.make_query(name, "AXFR"), True),
                ("AXFR over UDP", dns.message.make_query(name, "AXFR"), False),
                ("IXFR", ixfr, True),
                ("NOTIFY", notify, False),
                ("STATUS", status, False),
                ("UPDATE", update, False),
                ("CH", dns.message.make_query(name, "TXT", "CH"), False),
                ("HS", dns.message.make_query(name, "TXT", "HS"), False),
            ]

        for (what, ours, tcp), (_, theirs, _) in zip(messages("example.org"),
                                                     messages("not-hosted.test")):
            ours_code, ours_counts = raw(ours, tcp)
            theirs_code, theirs_counts = raw(theirs, tcp)
            assert ours_code == theirs_code != 0, what
            assert ours_counts == theirs_counts, what
        assert knotd.stats() == {"mod-mail.outcome[none]": 1, "mod-mail.outcome[answer]": 1,
                                 "mod-mail.query[mx]": 1}


def test_class_any(store):
    """Class ANY is answered as class IN, as knotd does."""
    store.apply(domains("example.org"))
    with Knotd(store) as knotd:
        answer = knotd.ask("example.org", "MX", rrclass="ANY")
        assert rcode(answer) == "NOERROR" and rdata(answer, "MX") == ["10 mx.hosted.test."]


# TSIG

def signed(knotd, name):
    """The header's rcode, and what dnspython makes of the answer to a signed question."""
    keyring = dns.tsigkeyring.from_text({"a-key.": "MDEyMzQ1Njc4OWFiY2RlZg=="})
    query = dns.message.make_query(name, "MX")
    query.use_tsig(keyring, "a-key.")
    wire = query.to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(PATIENCE)
        udp.sendto(wire, (ADDRESS, knotd.port))
        reply = udp.recv(65535)
    try:
        dns.message.from_wire(reply, keyring=keyring, request_mac=query.mac)
        error = None
    except dns.tsig.PeerError as peer:
        error = type(peer).__name__
    return dns.rcode.to_text(reply[3] & 15), error, int.from_bytes(reply[6:8], "big")


def test_tsig(store):
    """A signed question for a hosted name: NOTAUTH, BADKEY (RFC 8945 5.2.1), and no answer."""
    store.apply(domains("example.org", "sub.example.com", "example.net"))
    names = ["example.com", "example.net"]
    with zoned(store, names) as knotd:
        wait_zones(knotd, names)
        assert signed(knotd, "example.org") == ("NOTAUTH", "PeerBadKey", 0)
        assert signed(knotd, "nothing.example.org") == ("NOTAUTH", "PeerBadKey", 0)
        assert signed(knotd, "sub.example.com") == ("NOTAUTH", "PeerBadKey", 0)
        assert knotd.stats()["mod-mail.outcome[badkey]"] == 3
        # Zones of knotd: it checks the key itself; a name that nobody has: as without the module.
        # (Knot 3.2 signs that with BADKEY, later ones do not.)
        assert signed(knotd, "example.net")[::2] == ("NOTAUTH", 0)
        assert signed(knotd, "not-hosted.test")[0] == "REFUSED"
        assert knotd.stats()["mod-mail.outcome[badkey]"] == 3


# Other modules

def test_after_cookies(store):
    """mod-cookies before us: what it refuses or drops is not answered by us."""
    store.apply(domains("example.org"))
    with Knotd(store, modules=("mod-cookies/test", "mod-mail/test"),
               conf="mod-cookies:\n  - id: test\n    badcookie-slip: 2\n") as knotd:
        client = b"12345678"
        bad = [dns.edns.GenericOption(10, client)]
        # One BADCOOKIE, one silence, and so on.
        answer = knotd.ask("example.org", "MX", options=bad)
        assert rcode(answer) == "BADCOOKIE" and rdata(answer) == []
        with pytest.raises(dns.exception.Timeout):
            knotd.ask("example.org", "MX", options=bad, timeout=1)
        assert "mod-mail.outcome[answer]" not in knotd.stats()
        good = [option for option in answer.options if option.otype == 10]
        answer = knotd.ask("example.org", "MX", options=good)
        assert rcode(answer) == "NOERROR" and rdata(answer) == ["10 mx.hosted.test."]
        assert [option.otype for option in answer.options] == [10]
        assert rcode(knotd.ask("example.org", "MX")) == "NOERROR"
        assert knotd.stats()["mod-mail.outcome[answer]"] == 2


def test_with_rrl(store):
    """mod-rrl limits our answers as any others: slipped ones are truncated and empty."""
    store.apply(domains("example.org"))
    with Knotd(store, modules=("mod-cookies", "mod-rrl/test", "mod-mail/test"),
               conf=rrl(5)) as knotd:
        answers = [knotd.ask("example.org", "MX") for _ in range(60)]
        slipped = [answer for answer in answers if has(answer, "TC")]
        whole = [answer for answer in answers if rdata(answer) == ["10 mx.hosted.test."]]
        assert slipped and whole and len(slipped) + len(whole) == 60
        assert all(rdata(answer) == [] for answer in slipped)


# Counters

def test_counters(store):
    """knotc stats counts by kind of record and by outcome."""
    store.apply(domains("example.org"))
    with Knotd(store) as knotd:
        assert knotd.stats() == {}
        for name, rrtype, times in (("example.org", "MX", 3), ("_dmarc.example.org", "TXT", 2),
                                    ("example.org", "SOA", 1), ("example.org", "TXT", 1),
                                    ("example.org", "AAAA", 2), ("nothing.example.org", "A", 1),
                                    ("not-hosted.test", "A", 4)):
            for i in range(times):
                knotd.ask(name, rrtype, tcp=i % 2 == 1)
        assert knotd.stats() == {
            "mod-mail.query[mx]": 3, "mod-mail.query[dmarc]": 2, "mod-mail.query[spf]": 1,
            "mod-mail.query[soa]": 1, "mod-mail.query[none]": 3,
            "mod-mail.outcome[none]": 4, "mod-mail.outcome[answer]": 7,
            "mod-mail.outcome[nodata]": 2, "mod-mail.outcome[nxdomain]": 1,
        }
        knotd.reload()
        assert knotd.stats() == {}


def test_edns_is_knotds(store):
    """OPT, its size and version are knotd's business in our answers as well."""
    store.apply(domains("example.org"))
    with Knotd(store) as knotd:
        assert knotd.ask("example.org", "MX").edns == 0
        assert knotd.ask("example.org", "MX", edns=False).edns == -1
        query = knotd.question("example.org", "MX")
        query.use_edns(1)
        answer = dns.query.udp(query, ADDRESS, port=knotd.port, timeout=PATIENCE)
        assert rcode(answer) == "BADVERS" and rdata(answer) == [] and ede(answer) == []


def test_module_that_finds_nothing_changes_nothing(store):
    """An empty store: knotd's zones and its refusals are as without the module."""
    with zoned(store, ["example.org"]) as knotd:
        wait_zones(knotd, ["example.org"])
        assert rdata(knotd.ask("example.org", "MX")) == ["10 mx.zone.test."]
        answer = knotd.ask("example.com", "MX")
        assert rcode(answer) == "REFUSED"
        poll(lambda: knotd.stats().get("mod-mail.outcome[none]") == 2, "two questions counted")
