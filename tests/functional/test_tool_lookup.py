# SPDX-License-Identifier: GPL-3.0-or-later
"""kmailctl lookup says what a running knotd with the module answers: the same flags, rcode and records.

MAIL_SEED=N repeats a run.
"""

import json
import os
import random
import re
import subprocess
import time

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest

from compare import TYPES, Channel, Question, names_around, questions, zone_names
from harness import ADDRESS, Failure, Knotd, Store, program
from test_differential import FAMILIES

SEED = int(os.environ.get("MAIL_SEED", "0")) or int(time.time())
PAIRS = 200
CONF = """
policy:
  - id: p
    ns: ns1.example.net.
    mx: "10 mail"
    host: mail
host:
  - id: mail
    name: mail
    address: 192.0.2.25
domain:
  - id: example.org
    policy: p
    record: [ "www CNAME mail", "*.w TXT hello" ]
    delegation: "sub NS ns.elsewhere.example."
"""


def looked_up(store, asked, dnssec):
    """What lookup prints for each question, as objects."""
    found = []
    for start in range(0, len(asked), PAIRS):
        words = []
        for question in asked[start:start + PAIRS]:
            words += [question.name.to_text(), dns.rdatatype.to_text(question.rrtype)]
        done = store.run("lookup", "--json", *(["--dnssec"] if dnssec else []), "--", *words, status=None)
        found += [json.loads(line) for line in done.stdout.splitlines()]
    if len(found) != len(asked):
        raise Failure(f"{len(asked)} questions, {len(found)} answers: {done.stderr}")
    return found


def printed(records):
    """A section as lookup prints it: owner, TTL, type, RDATA in the form of dnspython."""
    return {(dns.name.from_text(row["owner"]).canonicalize(), row["ttl"], row["type"],
             dns.rdata.from_text("IN", row["type"], row["data"]).to_digestable()) for row in records}


def received(section):
    """A section of an answer, in the same form."""
    return {(rrset.name.canonicalize(), rrset.ttl, dns.rdatatype.to_text(rrset.rdtype), rr.to_digestable())
            for rrset in section for rr in rrset}


def difference(question, said, over_udp, over_tcp):
    """What lookup said differs in from what knotd answered, or None."""
    udp = dns.message.from_wire(over_udp)
    if said["status"] == "not-ours":
        return None if udp.rcode() == dns.rcode.REFUSED else f"{question}: not ours, but {udp}"
    message = dns.message.from_wire(over_tcp) if said["tc"] else udp
    a = [said["status"], said["aa"], said["tc"], *(printed(said[part]) for part in ("answer", "authority", "additional"))]
    b = [dns.rcode.to_text(udp.rcode()), bool(message.flags & dns.flags.AA), bool(udp.flags & dns.flags.TC),
         received(message.answer), received(message.authority), received(message.additional)]
    return None if a == b else f"{question}:\n  lookup: {a}\n  knotd:  {b}"


@pytest.mark.parametrize("signed", [False, True], ids=["plain", "signed"])
@pytest.mark.parametrize("name", FAMILIES)
def test_same_as_knotd(directory, name, signed):
    """Thousands of names around nasty domains."""
    print(f"MAIL_SEED={SEED}")
    dice = random.Random(f"{SEED} {name}")
    make, domains = FAMILIES[name]
    store = Store(directory)
    make(store)
    zones = {domain: store.run("export", "--format", "zone", domain).stdout for domain in domains}
    if signed:
        store.run("key-generate", "k")
        policies = re.findall(r'"name":"([^"]+)"', store.run("policy-list", "--json").stdout)
        for policy in policies:
            store.run("policy-set", policy, "key-set=k")
    asked = []
    for domain, text in zones.items():
        names, types = zone_names(text, domain)
        asked += questions(names_around(names, domain, dice, 10), types | set(TYPES), dice)
    asked = [Question(question.name, question.rrtype, (1232, signed))
             for question in dice.sample(asked, min(len(asked), 1500))]
    asked.append(Question(dns.name.from_text("nobody.invalid"), 1, (1232, signed)))
    with Knotd(store) as knotd:
        channel = Channel(knotd.port)
        over_udp, over_tcp = [], []
        for start in range(0, len(asked), 48):
            part = asked[start:start + 48]
            over_udp += channel.receive(channel.send(part))
            over_tcp += channel.over_tcp(part)
        channel.close()
        said = looked_up(store, asked, signed)
    found = [text for row in zip(asked, said, over_udp, over_tcp) if (text := difference(*row))]
    assert {"NOERROR", "NXDOMAIN", "not-ours"} <= {row["status"] for row in said}
    if found:
        raise Failure(f"{len(found)} of {len(asked)} differ:\n" + "\n".join(found[:10]))


def test_looks_like_kdig(store):
    """The text is what kdig prints, but for its id, size and server."""
    store.apply(CONF)
    with Knotd(store) as knotd:
        for words in (["example.org", "MX"], ["www.example.org", "A"], ["nope.example.org", "A"],
                      ["example.org", "AAAA"], ["x.sub.example.org", "TXT"], ["a.w.example.org", "TXT"]):
            theirs = subprocess.run([program("kdig"), f"@{ADDRESS}", "-p", str(knotd.port), "+nordflag", "+nostats", *words],
                                    capture_output=True, text=True, check=True).stdout
            ours = store.run("lookup", *words).stdout
            trim = [re.sub(r"id: \d+", "id: 0", line).split() for line in theirs.splitlines() if line]
            assert [line.split() for line in ours.splitlines() if line] == trim, (ours, theirs)


def test_what_is_not_answered(store):
    """A name of nobody's, and questions that are none."""
    store.apply(CONF)
    done = store.run("lookup", "example.com", "MX", status=1)
    assert "no stored domain is at or above this name" in done.stdout and "REFUSED" in done.stdout
    assert "wants pairs" in store.run("lookup", "example.org", "MX", "example.org", status=2).stderr
    assert "is not a record type" in store.run("lookup", "example.org", "MXX", status=2).stderr
    store.run("lookup", "bad..name", "MX", status=2)


def test_time_and_keys(directory, clock):
    """--at is the time of the question; a private key that is missing is SERVFAIL as in knotd."""
    store = Store(directory, clock)
    store.apply(CONF)
    store.run("dkim-import", "example.org/s1", "p=N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U=",
              "--publish", "2027-02-01T00:00:00Z")
    assert "NXDOMAIN" in store.run("lookup", "s1._domainkey.example.org", "TXT").stdout
    assert "v=DKIM1" in store.run("lookup", "s1._domainkey.example.org", "TXT", "--at", "2027-02-02T00:00:00Z").stdout
    store.run("key-generate", "k")
    store.run("policy-set", "p", "key-set=k")
    assert "RRSIG" in store.run("lookup", "example.org", "MX", "--dnssec").stdout
    assert "NSEC" in store.run("lookup", "nope.example.org", "MX", "--dnssec").stdout
    assert "RRSIG" not in store.run("lookup", "example.org", "MX").stdout
    keys = store.path / "keys"
    keys.rename(store.path / "elsewhere")
    done = store.run("lookup", "example.org", "MX", status=1)
    assert "SERVFAIL" in done.stdout and "EDE: 14 (Not Ready)" in done.stdout
    store.run("lookup", "example.org", "MX", "--key-directory", store.path / "elsewhere")
