# SPDX-License-Identifier: GPL-3.0-or-later
"""kmailctl records D --zone says what zone mode adds: what a knotd with that zone and the module answers more than the
zone has, no more and no less."""

import dns.name
import dns.rdatatype
import pytest

import zones as z
from harness import Failure, Knotd, Store, rdata
from test_zone_differential import FAMILIES, compose

DOMAIN = """
policy:
  - id: p
    ns: ns1.example.net.
    mx: "10 mail.example.net."
    spf: mx
  - id: section
    base: p
    dmarc: "p=reject"
domain:
  - id: example.org
    policy: p
"""
ZONE = """@ 600 SOA ns1 hostmaster 1 2 3 4 300
@ 600 NS ns1
ns1 600 A 192.0.2.1
@ 600 TXT "v=spf1 a -all"
"""


def records(store, domain, path, *args):
    """The RRsets that are added, as in zones.py."""
    text = store.run("records", domain, "--zone", path, "--format", "zone", "--reports", *args).stdout
    return z.parse(text, domain) if text else {}


def answered(knotd, own, owner, rrtype):
    """The records of an RRset that the zone itself has not, and their TTL."""
    # A wildcard shows in what it stands for, or in itself: Knot 3.2 cannot always tell one from the other.
    names = [owner, dns.name.Name((b"nobody-has-this",) + owner.labels[1:])] if owner.is_wild() else [owner]
    for asked in names:
        for rrset in knotd.ask(asked, dns.rdatatype.to_text(rrtype), tcp=True).answer:
            theirs = own.get((owner, rrtype), (0, set()))[1]
            more = {rr for rr in rrset if rr not in theirs and not is_from_wildcard(own, owner, rrtype, rrset.ttl, rr)}
            if (rrset.name, rrset.rdtype) == (asked, rrtype) and more:
                return rrset.ttl, more
    return 0, set()


def is_from_wildcard(own, owner, rrtype, ttl, record):
    """Whether a wildcard of the zone's gives the record there."""
    name = owner
    while name != dns.name.root:
        name = name.parent()
        found = own.get((dns.name.Name((b"*",) + name.labels), rrtype), (0, set()))
        if record in found[1] and ttl == found[0]:
            return True
    return False


@pytest.mark.parametrize("name", FAMILIES)
def test_equals_what_knotd_adds(directory, name):
    """Nasty zones: for each RRset of the domain, what a running knotd answers at its owner."""
    store = Store(directory)
    family = FAMILIES[name]
    found = compose(store, family)
    lines, conf, modules = {}, "mod-mail:\n", {}
    for zone, (policy, is_listed, _) in family.items():
        modules[zone] = ["mod-mail/test" if is_listed else f"mod-mail/{policy}"]
    for policy in {policy for policy, is_listed, _ in family.values() if not is_listed}:
        conf += f"  - id: {policy}\n    store: \"{store.path}\"\n    policy: {policy}\n"
    conf = conf if conf.count("\n") > 1 else ""
    bad, count = [], 0
    with z.ZoneKnotd(store, {zone: text for zone, (text, _, _) in found.items()}, by_zone=modules, lines=lines,
                     conf=conf) as knotd:
        for zone, (text, own, ours) in found.items():
            policy, is_listed, _ = family[zone]
            path = store.file(text, ".zone")
            said = records(store, zone, path, *([] if is_listed else ["--policy", policy]))
            for owner, rrtype in sorted(set(ours) | set(said), key=str):
                ttl, more = answered(knotd, own, owner, rrtype)
                said_ttl, said_more = said.get((owner, rrtype), (0, set()))
                count += len(more)
                if more != said_more or (more and ttl != said_ttl):
                    bad.append(f"{owner} {dns.rdatatype.to_text(rrtype)}: said {said_ttl} {said_more}, answered {ttl} {more}")
    assert count > 20
    if bad:
        raise Failure("\n".join(bad))


def test_reads_what_knotc_prints(directory, store):
    """A zone file, standard input, and the output of knotc zone-read are the same zone."""
    store.apply(DOMAIN)
    path = store.file(ZONE, ".zone")
    with z.ZoneKnotd(store, {"example.org": ZONE}) as knotd:
        read = knotd.knotc("zone-read", "example.org")
    assert read.startswith("[")
    expected = store.run("records", "example.org", "--zone", path).stdout
    assert "MX" in expected and "_dmarc" in expected
    assert "SOA" not in expected and "NS " not in expected and "v=spf1" not in expected
    for text in (ZONE, read):
        assert store.run("records", "example.org", "--zone", "-", stdin=text).stdout == expected
    for form in ("json", "zone", "paste"):
        assert "v=spf1" not in store.run("records", "example.org", "--zone", path, "--format", form).stdout


def test_policy_of_the_section(directory, store):
    """A zone that the store does not list has the policy of the module's section, or nothing."""
    store.apply(DOMAIN)
    path = store.file(ZONE, ".zone")
    said = store.run("records", "example.com", "--zone", path, "--policy", "section").stdout
    assert "p=reject" in said and "example.com." in said
    assert "--policy ID" in store.run("records", "example.com", "--zone", path, status=1).stderr
    assert "no" in store.run("records", "example.com", "--zone", path, "--policy", "nope", status=1).stderr
    store.run("records", "example.org", "--policy", "section", status=2)


@pytest.mark.parametrize("text, said", [
    ("", "no SOA"),
    ("@ 600 A 192.0.2.1\n", "no SOA"),
    ("$ORIGIN example.com.\n" + ZONE, "another one"),
    (ZONE + "@ 600 DNSKEY 257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=\n", "signed already"),
    (ZONE + "www 600 A not.an.address\n", ":5: "),
    (ZONE + "\0", ":5: "),
], ids=["empty", "no-soa", "foreign", "signed", "bad", "octets"])
def test_what_is_no_zone(store, text, said):
    """It is named what is wrong, and nothing is printed."""
    store.apply(DOMAIN)
    done = store.run("records", "example.org", "--zone", store.file(text, ".zone"), status=1)
    assert said in done.stderr and done.stdout == ""


def test_nothing_added(store):
    """A zone that has it all."""
    store.apply("policy:\n  - id: p\n    ns: ns1.example.net.\n    dmarc: none\ndomain:\n  - id: example.org\n    policy: p\n")
    done = store.run("records", "example.org", "--zone", store.file(ZONE, ".zone"))
    assert done.stdout == "" and "nothing is added" in done.stderr
