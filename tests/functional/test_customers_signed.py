# SPDX-License-Identifier: GPL-3.0-or-later
"""Customers with something of their own, signed: third parties find all answers right, made anew or kept with a plan.

MAIL_SEED=N repeats a run.
"""

import json
import random

import dns.rdatatype
import pytest

from compare import TYPES, WINDOW, Channel, Question, names_around
from dnssec import key_set
from harness import Knotd, Store, is_sanitized
from test_bench import domains as bench
from test_differential import ED25519, SEED
from test_dnssec_answers import Signed, check_without_do, verify_all
from test_dnssec_export import Exported, look, same_answers
from test_dnssec_unbound import Setting, resolve

# One of each class of customers as bench/run has them: plain, DMARC tag, DKIM key of RSA, no mail, alias.
NUMBERS = (3, 7, 20, 39, 40)
# What all customers have, and what real ones have besides.
ALL = {"policy": "bench", "txt": ["site-verification=x"], "record": ["@ A 198.18.0.1", "www A 198.18.0.1"]}
OWN = {
    "mx.example": {"mx": ["5 mx1", "20 mx.far.test."], "srv": ["imaps 0 1 1993 mx1", "submissions ."],
                   "+record": ["mx1 A 198.18.0.2", "mx1 AAAA 2001:db8::2", "_sip._tcp SRV 0 0 5060 mx1"]},
    "wild.example": {"+record": ["* A 198.18.0.3", "*.w TXT w", "*.w MX 10 mail", "a.b.w A 198.18.0.4",
                                 "x.*.star TXT star", "*.to CNAME www"]},
    "cut.example": {"delegation": ["sub NS ns.sub", "sub NS ns.far.test.", "safe NS ns.safe", "a.b NS mail",
                                   f"safe DS 12345 13 2 {'ab' * 32}"],
                    "+record": ["ns.sub A 198.18.0.5", "ns.sub AAAA 2001:db8::5", "ns.safe A 198.18.0.6",
                                "in CNAME www.sub", "to MX 5 ns.sub"]},
    "up.example": {"+record": ["shop.kid TXT hidden"]},
    "kid.up.example": {"dmarc": {"p": "none"}},
    "open.up.example": {"key-set": None},
    "cname.example": {"record": ["@ A 198.18.0.7", "www CNAME @", "shop CNAME www", "cdn CNAME x.far.test.",
                                 "gone CNAME nothing", "old DNAME new", "a.new A 198.18.0.8", "a CNAME a.old",
                                 "mail 60 HINFO a b"]},
    "ttl.example": {"ttl": 120, "+record": ["mail 60 HINFO a b", "www 600 AAAA 2001:db8::9", "@ 30 CAA 0 issue ca"]},
    "keys.example": {"key-set": "own", "ds-from": "2020-01-01T00:00:00Z"},
    "new.example": {"key-set": "own", "ds-from": "2038-01-01T00:00:00Z"},
    "add.example": {"+txt": ["second={domain}", "third"], "+spf": ["ip4:198.18.0.0/24"], "+mx": ["30 last"],
                    "bimi": ["https://{domain}/l.svg"], "caa": ["0 issue \"ca.test\""], "autoconfig": None},
    "host.example": {"host": ["own"], "mx": ["10 own"], "spf": ["mx", "include:spf.far.test"], "mta-sts": None},
    "ns.example": {"ns": ["ns1", "ns2.far.test."], "soa-rname": "dns@far.test", "+record": ["ns1 A 198.18.0.10"]},
    "quiet.example": {"policy": "quiet", "+record": ["*.w A 198.18.0.11"]},
    "set.example": {"record": ["_dmarc TXT v=DMARC1;p=none", "_imaps._tcp SRV 0 0 0 .", "autoconfig A 198.18.0.12"],
                    "srv": None, "dmarc": None, "autoconfig": None},
}
KEYS = [{"kind": "dkim", "id": "mx.example/own", "key": ED25519}, {"kind": "dkim", "id": "mx.example/s1", "key": ED25519},
        {"kind": "dkim", "id": "wild.example/a.b", "cname": "dkim.far.test."},
        {"kind": "dkim", "id": "cut.example/later", "key": ED25519, "publish": "2038-01-01T00:00:00Z"},
        {"kind": "dkim", "id": "add.example/gone", "key": ED25519, "remove": "2020-01-01T00:00:00Z"}]
ALIASES = {"also-mx.example": "mx.example", "also-keys.example": "keys.example", "kid.cut.example": "wild.example"}
MORE = f"""host:
  - id: own
    name: own
    address: 198.18.0.20
    tlsa: "3 1 1 {"11" * 32}"
"""



def lines():
    """The entries of all customers, as NDJSON."""
    yield from map(bench.customer, NUMBERS)
    for name, own in OWN.items():
        yield json.dumps({"kind": "domain", "name": name} | ALL | own) + "\n"
    for name, alias in ALIASES.items():
        yield json.dumps({"kind": "domain", "name": name, "alias": alias}) + "\n"
    yield from (json.dumps(key) + "\n" for key in KEYS)


@pytest.fixture(name="customers")
def _customers(directory):
    """A store with all of them; the policies are signed, and some domains by keys of their own."""
    store = Store(directory)
    shared, own = key_set("shared", "ed25519"), key_set("own", "rsasha256", True)
    for keys in (shared, own):
        keys.install(store)
        store.apply(keys.text())
    store.apply(bench.POLICY)
    store.apply(MORE)
    for policy in ("bench", "quiet"):
        store.run("policy-set", policy, "key-set=shared")
    store.run("import", "-", stdin="".join(lines()))
    names = [bench.name(number) for number in NUMBERS] + list(OWN) + list(ALIASES)
    keys = dict.fromkeys(names, shared) | dict.fromkeys(("keys.example", "new.example", "also-keys.example"), own)
    del keys["open.up.example"]
    return Signed(store, names, keys, f"{SEED} customers")


TYPE_NUMBERS = [int(dns.rdatatype.from_text(rrtype)) for rrtype in TYPES]
# Sizes at which answers are cut, with DO and without.
EDNS = ((512, True), (900, True), (1232, True), (4096, True), (512, False), (1232, False), None)


def asked_of(zones, dice, edns):
    """What there is, what is denied there, and names around it."""
    found = []
    for apex, zone in zones.zones.items():
        for name in names_around(set(zone.types), str(apex), dice, randoms=5):
            there = zone.types.get(name, set())
            types = there | set(dice.sample(TYPE_NUMBERS, 3 if there else 1))
            found += [Question(name, int(rrtype), dice.choice(edns)) for rrtype in sorted(types)]
    dice.shuffle(found)
    return found


def wires(knotd, asked):
    """The answers over UDP, without their ids."""
    channel = Channel(knotd.port)
    try:
        return {question: wire[2:] for start in range(0, len(asked), WINDOW)
                for question, wire in zip(asked[start:start + WINDOW],
                                          channel.receive(channel.send(asked[start:start + WINDOW])))}
    finally:
        channel.close()


def test_answers(customers):
    """Every answer is signed and proves what it does not hold; the third time, when it is kept, it has the same octets."""
    print(f"MAIL_SEED={SEED}")
    dice = random.Random(customers.seed)
    zones = customers.zones()
    signed = asked_of(zones, dice, [(4096, True)])
    asked = dice.sample(signed, 600) + asked_of(zones, dice, EDNS)
    with Knotd(customers.store) as knotd:
        zones.wait(knotd)
        verify_all(zones, knotd, signed)
        check_without_do(zones, knotd, dice.sample(signed, 600))
        kept = wires(knotd, asked)
        assert sum(wire[0] & 2 > 0 for wire in kept.values()) > 100
        for _ in range(2):
            # In another one, what was asked before is something else.
            knotd.restart()
            zones.wait(knotd)
            dice.shuffle(asked)
            for _ in range(3):
                again = wires(knotd, asked)
                differ = [(str(question), kept[question].hex(), wire.hex()) for question, wire in again.items()
                          if wire != kept[question]]
                assert not differ, f"{len(differ)} of {len(asked)}: {differ[:3]}"
    wanted = {"ANSWER", "NODATA", "NXDOMAIN"}
    if not is_sanitized():
        wanted |= {"WILDCARD", "ALIAS", "REFERRAL", "SECURE REFERRAL", "UNSIGNED"}
    assert wanted <= set(zones.counts), zones.counts


def test_resolver(customers):
    """A validating unbound finds all of it secure."""
    print(f"MAIL_SEED={SEED}")
    resolve(Setting(customers), 1)


def test_exported(customers):
    """The exported zones are well signed, and a plain knotd that has them gives the same answers, cut at the same sizes."""
    print(f"MAIL_SEED={SEED}")
    exported = Exported(customers)
    look(exported)
    same_answers(exported, random.Random(customers.seed), most=2000)
