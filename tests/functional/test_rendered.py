# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that are kept with a plan are those that are made anew: whatever was asked before, octet for octet."""

import socket

import pytest

from harness import PATIENCE, Knotd

RENDERED = """
host:
  - id: mail
    name: mail
    address: [ 192.0.2.25, 2001:db8::25 ]
policy:
  - id: kept
    host: mail
    ns: [ mail, "ns1.provider.net." ]
    record: [ "*.w TXT w", "far TXT LONG" ]
    mx: [ "10 mail", "20 mx.provider.net." ]
    spf: mx
    dmarc: [ "p=reject", "rua=mailto:postmaster@{domain}" ]
    mta-sts: enforce
    mta-sts-host: mail
    srv: imaps
    autoconfig: mail
domain:
  - id: a.example
    policy: kept
  - id: bb.example
    policy: kept
  - id: a-long-name-of-a-customer.co.example
    policy: kept
  - id: shop.net
    policy: kept
  - id: own.example
    policy: kept
    record: "www A 192.0.2.80"
    txt: own
  - id: up.example
    policy: kept
  - id: mail.up.example
    policy: kept
"""
NAMES = ("", "mail.", "_dmarc.", "_mta-sts.", "autoconfig.", "_imaps._tcp.", "www.", "x.w.", "nope.", "far.", "_tcp.")
TYPES = ("A", "AAAA", "MX", "TXT", "SRV", "NS", "SOA", "CAA")
DOMAINS = ("a.example", "bb.example", "a-long-name-of-a-customer.co.example", "shop.net", "own.example", "up.example",
           "mail.up.example", "A.eXample")


def wires(knotd, **how):
    """Ask all questions, and return the answers as they came, without their ids."""
    found = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.connect(("127.0.0.1", knotd.port))
        asker.settimeout(PATIENCE)
        for name in NAMES:
            for rrtype in TYPES:
                for domain in DOMAINS:
                    asker.send(knotd.question(name + domain, rrtype, **how).to_wire())
                    found[name, rrtype, domain] = asker.recv(65535)[2:]
    return found


@pytest.mark.parametrize("how", [{}, {"payload": 512}, {"edns": False}, {"do": True}],
                         ids=["edns", "small", "plain", "do"])
def test_first_and_later(store, how):
    """The first answer of a knotd that has just started is the second, and the third."""
    store.apply(RENDERED.replace("LONG", 8 * "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmn"))
    with Knotd(store) as knotd:
        first = wires(knotd, **how)
        assert {question: wire for question, wire in wires(knotd, **how).items() if wire != first[question]} == {}
        assert {question: wire for question, wire in wires(knotd, **how).items() if wire != first[question]} == {}
        knotd.restart()
        # In another knotd, what was asked before is something else.
        for domain in reversed(DOMAINS):
            knotd.ask(domain, "MX")
            knotd.ask(domain, "MX")
        assert wires(knotd, **how) == first
