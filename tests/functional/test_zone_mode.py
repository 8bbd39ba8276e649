# SPDX-License-Identifier: GPL-3.0-or-later
"""Zone mode: what the module adds to a zone of knotd's, and what it leaves alone."""

import pytest

from harness import Knotd, Store, poll, rcode, rdata, texts

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
            text += f"  - domain: {name}\n    module: [{module}]\n"
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


def test_nothing_to_add(store):
    """A zone that the store does not list, without a policy: said once."""
    store.apply(POLICY + DOMAIN)
    with ZoneKnotd(store, {"example.org": APEX}) as knotd:
        for _ in range(5):
            assert rcode(knotd.ask("_dmarc.example.org", "TXT")) == "NXDOMAIN"
            assert rcode(knotd.ask("example.org", "MX")) == "NOERROR"
        assert knotd.log().count("nothing is added") == 1
        # An entry brings it to life, without a reload.
        store.apply(DOMAIN.replace("example.net", "example.org"))
        assert texts(knotd.ask("_dmarc.example.org", "TXT")) == ["v=DMARC1; p=reject"]
        store.run("domain-unset", "example.org")
        assert rcode(knotd.ask("_dmarc.example.org", "TXT")) == "NXDOMAIN"
