# SPDX-License-Identifier: GPL-3.0-or-later
"""One domain, from the file that says what it has to the answer."""

from harness import Knotd, Store, ede, has, poll, rcode, rdata

ONE_DOMAIN = """
host:
  - id: ns1
    name: ns1
    address: 192.0.2.53
policy:
  - id: plain
    host: ns1
    ns: ns1
    mx: "10 mail.example.net."
domain:
  - id: example.org
    policy: plain
"""


def test_one_domain(store):
    """MX over UDP and TCP, what is not there, and what is not ours."""
    store.apply(ONE_DOMAIN)
    with Knotd(store) as knotd:
        for tcp in (False, True):
            answer = knotd.ask("example.org", "MX", tcp=tcp)
            assert rcode(answer) == "NOERROR"
            assert has(answer, "AA") and not has(answer, "TC")
            assert rdata(answer, "MX") == ["10 mail.example.net."]
            assert len(answer.answer) == 1 and answer.answer[0].ttl == 3600

        absent = knotd.ask("absent.example.org", "MX")
        assert rcode(absent) == "NXDOMAIN" and has(absent, "AA")
        assert not absent.answer and rdata(absent, "SOA", "authority")

        foreign = knotd.ask("example.com", "MX")
        assert rcode(foreign) == "REFUSED" and not has(foreign, "AA")


def test_a_change_is_seen_at_once(store):
    """Another MX is answered by the next question, without a reload."""
    store.apply(ONE_DOMAIN)
    with Knotd(store) as knotd:
        assert rdata(knotd.ask("example.org", "MX")) == ["10 mail.example.net."]
        store.run("policy-set", "plain", "mx=20 other.example.net.")
        assert rdata(knotd.ask("example.org", "MX")) == ["20 other.example.net."]
        store.run("domain-unset", "example.org")
        assert rcode(knotd.ask("example.org", "MX")) == "REFUSED"


def test_no_store_yet(directory):
    """knotd starts without a store, says so, and serves it as soon as it is there."""
    store = Store(directory, init=False)
    with Knotd(store) as knotd:
        answer = knotd.ask("example.org", "MX")
        assert rcode(answer) == "SERVFAIL"
        assert 14 in [code for code, _ in ede(answer)]
        store.init()
        store.apply(ONE_DOMAIN)
        poll(lambda: rdata(knotd.ask("example.org", "MX")) == ["10 mail.example.net."],
             "the new store")
