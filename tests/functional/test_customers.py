# SPDX-License-Identifier: GPL-3.0-or-later
"""Domains that all have something of their own: each is answered as a knotd that has its zone does, and none costs memory."""

import json
import random
import struct
import subprocess

import dns.name
import dns.rdatatype
import pytest

from compare import Plain, Question, Tally, compare
from harness import TOP, Knotd, Store
from test_differential import ED25519, SEED

POLICIES = """
host:
  - id: mail
    name: mail
    address: [ 192.0.2.25, 2001:db8::25 ]
  - id: own
    name: own
    address: 192.0.2.26
    tlsa: "3 1 1 1111111111111111111111111111111111111111111111111111111111111111"
policy:
  - id: customer
    host: mail
    ns: [ "ns1.provider.example.", "ns2.provider.example." ]
    mx: "10 mail"
    spf: mx
    srv: [ imaps, submissions ]
    dmarc: [ "p=none", "rua=mailto:d@provider.example" ]
    tls-rpt: "mailto:t@provider.example"
    autoconfig: mail
    record: "status CNAME status.provider.example."
domain:
  - id: target.example
    policy: customer
    dmarc: "sp=reject"
    txt: "of the target alone"
"""

# What a domain has beside its records; of each kind there are as many.
OWN = [
    {},
    {"dmarc": {"rua": "mailto:{name}@reports.example", "p": "reject"}},
    {"no-mail": True},
    {"mx": ["5 own", "20 mx.{name}.example.net."], "+record": ["own A 192.0.2.30"]},
    {"+spf": ["ip4:192.0.2.{n}"]},
    {"host": ["own"]},
    {"delegation": ["sub NS ns.sub"], "+record": ["ns.sub A 192.0.2.31", "x AAAA 2001:db8::{n}"]},
    {"ttl": 120},
    {"+txt": ["second={n}"], "autoconfig": None},
    {"+record": ["*.w TXT wild", "old DNAME new.example.net.", "mail 60 HINFO a b"]},
    {"srv": None, "caa": ["0 issue \"ca.example\""], "bimi": ["https://{name}/l.svg"]},
    {"ns": ["ns.{name}.example.net."], "soa-rname": "dns@{name}.example.net"},
    None,  # an alias of the domain with records before it
    {"alias": "target.example"},
]

ASKED = [("", "A"), ("", "MX"), ("", "TXT"), ("", "SOA"), ("", "NS"), ("www", "A"), ("www", "TXT"), ("no", "A"),
         ("_dmarc", "TXT"), ("mail", "A"), ("s1._domainkey", "TXT"), ("x._domainkey", "TXT"), ("autoconfig", "A"),
         ("_imaps._tcp", "SRV"), ("_tcp", "A"), ("a.sub", "A"), ("a.w", "TXT"), ("b.old", "A"), ("status", "A"),
         ("_25._tcp.own", "TLSA"), ("own", "A"), ("default._bimi", "TXT")]


def filled(value, fill):
    """A value with its {name} and {n}."""
    if isinstance(value, str):
        return value.format(**fill)
    if isinstance(value, list):
        return [filled(one, fill) for one in value]
    if isinstance(value, dict):
        return {key: filled(one, fill) for key, one in value.items()}
    return value


def entries(count):
    """Entries of so many domains, a line each."""
    for n in range(count):
        name = f"c{n}.example"
        own = OWN[n % len(OWN)]
        if own is None:
            yield {"kind": "domain", "name": name, "alias": f"c{n - 1}.example"}
        elif "alias" in own:
            yield {"kind": "domain", "name": name, "alias": own["alias"]}
        else:
            mine = filled(own, {"name": name, "n": n % 250})
            records = [f"@ A 192.0.2.{n % 250}", f"www 600 A 192.0.2.{n % 250}", "shop CNAME www"]
            yield {"kind": "domain", "name": name, "policy": "customer", "txt": [f"site={n}"], "record": records} | mine
        if n % 3 == 0 and own is not None and "alias" not in own:
            yield {"kind": "dkim", "id": f"{name}/s1", "key": ED25519}


@pytest.fixture(name="customers")
def customers_store(directory):
    """Makes a store with so many of them."""
    def make(count):
        store = Store(directory)
        store.apply(POLICIES)
        lines = "".join(json.dumps(entry) + "\n" for entry in entries(count))
        store.run("import", "-", stdin=lines)
        return store
    return make


def asked_of(names, dice):
    """All questions about these domains."""
    found = [Question(dns.name.from_text(f"{label}.{name}" if label else name), dns.rdatatype.from_text(rrtype))
             for name in names for label, rrtype in ASKED]
    dice.shuffle(found)
    return found


def test_as_zones(customers):
    """The same answers as a knotd gives that has their exported zones."""
    print(f"MAIL_SEED={SEED}")
    count = 20 * len(OWN)
    store = customers(count)
    into = store.directory / "zones"
    into.mkdir()
    store.run("export", "--format", "zone", "--directory", into)
    zones = {path.name.removesuffix(".zone"): path.read_text(encoding="utf-8") for path in into.iterdir()}
    assert len(zones) == count + 1
    tally = Tally()
    with Knotd(store) as ours, Plain(zones) as theirs:
        compare(ours, theirs, asked_of(zones, random.Random(SEED)), tally)
    assert tally.asked == len(ASKED) * (count + 1)
    tally.check()


class OneWorker(Knotd):
    """A knotd in which one thread answers: another would have plans of its own to make."""

    def configuration(self):
        """The configuration file."""
        text = super().configuration()
        assert "udp-workers: 2" in text
        return text.replace("udp-workers: 2", "udp-workers: 1")


def test_no_memory(customers, monkeypatch, directory):
    """Once each kind was asked for, no question for another domain allocates anything."""
    library, sums = directory / "touch.so", directory / "touched"
    subprocess.run(["cc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", library, TOP / "bench/touch.c"], check=True)
    count = 40 * len(OWN)
    store = customers(count)
    monkeypatch.setenv("TOUCH_STORE", str(store.path / "data.mdb"))
    monkeypatch.setenv("TOUCH_FILE", str(sums))
    names = [f"c{n}.example" for n in range(count)]
    with OneWorker(store, preload=library) as knotd:
        def ask(some):
            for name in some:
                for label, rrtype in ASKED:
                    knotd.ask(f"{label}.{name}" if label else name, rrtype)
            return struct.unpack("=4Q", sums.read_bytes())
        before = ask(names[:2 * len(OWN)])
        after = ask(names[2 * len(OWN):8 * len(OWN)])
    questions, _, allocations, _ = (b - a for a, b in zip(before, after))
    assert questions > 6 * len(OWN) * len(ASKED) / 2
    assert allocations == 0, f"{allocations} allocations of {questions} questions"
