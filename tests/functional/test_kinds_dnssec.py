# SPDX-License-Identifier: GPL-3.0-or-later
"""DNSKEY, CDS and CDNSKEY at the apex."""

import dns.dnssec
import dns.name

from dnssec import Key, KeySet
from kinds import NS, covers, serve

OWNERS = ("example.org", "mail.example.net")


@covers("dnskey", "cds", "cdnskey")
def test_keys(store):
    """A KSK and a ZSK: both are published; the KSK alone asks the parent for a DS, of each owner's own."""
    ksk, zsk = Key("ecdsap256sha256", "ksk"), Key("ecdsap256sha256", "zsk")
    keys = KeySet("ks", [ksk, zsk])
    keys.install(store)
    table = []
    for owner in OWNERS:
        cds = dns.dnssec.make_ds(dns.name.from_text(owner), ksk.dnskey, "SHA256")
        table += [
            (owner, "DNSKEY", [str(key.dnskey) for key in keys.keys]),
            (owner, "CDNSKEY", str(ksk.dnskey)),
            (owner, "CDS", str(cds)),
            (f"x.{owner}", "DNSKEY", "NXDOMAIN"),
        ]
    domains = "".join(f"  - id: {owner}\n    policy: tested\n" for owner in OWNERS)
    serve(store, f"{keys.text()}policy:\n  - id: tested\n    {NS}\n    key-set: ks\ndomain:\n{domains}",
          table, {"dnskey", "cds", "cdnskey"})


@covers("cds", "cdnskey")
def test_leave(store):
    """A zone that leaves DNSSEC asks for the end of its DS (RFC 8078 4)."""
    keys = KeySet("ks", [Key("ed25519", "csk")])
    keys.install(store)
    text = keys.text() + '    leave: "2026-01-01T00:00:00Z"\n'
    serve(store, f"{text}policy:\n  - id: tested\n    {NS}\n    key-set: ks\n"
          "domain:\n  - id: example.org\n    policy: tested\n",
          [("example.org", "CDNSKEY", "0 3 0 AA=="), ("example.org", "CDS", "0 0 0 00"),
           ("example.org", "DNSKEY", str(keys.keys[0].dnskey))],
          {"cds", "cdnskey"})
