# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of a zone that has the module, by knotc, DDNS and transfer: what overrides what, and what a secondary gets.

Also the commands of the documentation, and samples/zone/.
"""

import contextlib
import re
import shlex

import dns.name
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.update
import dns.zone
import pytest

import zones as z
from harness import ADDRESS, PATIENCE, TOP, Failure, Knotd, Store, has, knot_version, poll, rcode, rdata, texts
from test_zone_differential import Zone

STORE = """
host:
  - id: mail
    name: mail
    address: [ 192.0.2.25, 2001:db8::25 ]
    tlsa: "3 1 1 4c13a100c6a1d622ec21c20646df0139e4570f2306ba1b0bfaec95d428db6728"
policy:
  - id: business
    host: mail
    ns: "ns1.hosted.example."
    mx: "10 mail"
    spf: mx
    dmarc: "p=reject"
    srv: [ imaps, submissions ]
    autoconfig: mail
    mta-sts: enforce
    mta-sts-host: mail
domain:
  - id: example.net
    policy: business
dkim:
  - id: example.net/s1
    key: "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
"""
APEX = "@ 300 SOA ns hostmaster 1 3600 600 864000 300\n@ 300 NS ns\nns 300 A 127.0.0.1\nwww 300 A 192.0.2.80\n"
TYPES = [dns.rdatatype.from_text(text) for text in "A AAAA MX TXT SRV TLSA CNAME".split()]
# What a zone admin writes: (owner, type, RDATA), and what it does away with.
OVERRIDES = [
    ("_dmarc", "TXT", '"v=DMARC1; p=none"', 1),
    ("@", "MX", "5 mx.elsewhere.example.", 1),
    ("_imaps._tcp", "SRV", "0 0 0 .", 1),
    ("_25._tcp.mail", "TLSA", "3 1 1 " + "ab" * 32, 1),
    ("s1._domainkey", "CNAME", "s1.elsewhere.example.", 1),
    # An alias of the zone's takes the place of all of ours at the name.
    ("mail", "CNAME", "mx.elsewhere.example.", 3),
    # Any record of the zone's takes the place of an alias of ours.
    ("autoconfig", "A", "192.0.2.80", 1),
    ("mta-sts", "TXT", "web", 1),
    ("mail", "AAAA", "2001:db8::80", 1),
    # The TXT RRset of the apex is shared, but not SPF.
    ("@", "TXT", "verification", 0),
    ("@", "TXT", '"v=spf1 -all"', 1),
    # Beside what we have.
    ("mail", "MX", "0 .", 0),
    ("x.mail", "A", "192.0.2.81", 0),
    # At and below a delegation, and below a DNAME, nothing is ours.
    ("_domainkey", "NS", "ns.elsewhere.example.", 1),
    ("_tcp", "NS", "ns.elsewhere.example.", 2),
    ("_tcp", "DNAME", "elsewhere.example.", 2),
    ("mail", "NS", "ns.elsewhere.example.", 4),
]


def check_all(knotd, zone, names):
    """Every name of a zone has what the zone and we have together, at once."""
    for name in sorted(names):
        for rrtype in TYPES:
            answer = knotd.ask(name, dns.rdatatype.to_text(rrtype))
            what = f"{name} {dns.rdatatype.to_text(rrtype)}: {answer}"
            found = {rrset.rdtype: set(rrset) for rrset in answer.answer if rrset.name == name}
            if any(name.is_subdomain(owner) for owner, cut in zone.own if cut == z.NS and owner != zone.apex):
                assert not answer.answer and rdata(answer, "NS", "authority"), what
                continue
            wanted, code, leaves = z.lookup(zone.both, zone.nodes, zone.apex, name, rrtype)
            if z.is_cut_off(zone.own, zone.apex, name):
                assert leaves and [rrset.rdtype for rrset in answer.answer] == [z.DNAME, z.CNAME], what
                continue
            right = {kind: rrset for (owner, kind), rrset in wanted.items() if owner == name}
            assert found == right, f"{right}\n{what}"
            # The zone's aliases lead to ours, but where ours lead is the resolver's business on Knot 3.2.
            assert rcode(answer) == code or wanted, what


@pytest.mark.parametrize("modules", [["mod-mail/test"], z.SIGNED], ids=["unsigned", "signed"])
def test_overrides(store, modules):
    """zone-set of one record counts from the commit on, for its name alone; zone-unset brings ours back."""
    store.apply(STORE)
    ours = z.listed(store, "example.net")
    before = Zone("example.net", z.parse(APEX, "example.net"), ours)
    with z.ZoneKnotd(store, {"example.net": APEX}, modules=modules) as knotd:
        check_all(knotd, before, before.nodes)
        for i, (owner, rrtype, value, gone) in enumerate(OVERRIDES):
            after = Zone("example.net", z.parse(f"{APEX}{owner} 60 {rrtype} {value}\n", "example.net"), ours)
            lost = {key for key in before.added - after.added if key not in after.both or key in after.own}
            shared = (before.apex, z.TXT)
            if rrtype == "TXT" and owner == "@":
                lost = {shared} if not any("mx" in rr.to_text() for rr in after.both[shared][1]) else set()
            assert len(lost) == gone, f"case {i}: {lost}"
            with knotd.edit("example.net") as edit:
                edit("zone-set", owner, "60", rrtype, value)
            check_all(knotd, after, before.nodes | after.nodes)
            with knotd.edit("example.net") as edit:
                edit("zone-unset", owner, rrtype)
            check_all(knotd, before, {name for name in before.nodes | after.nodes
                                      if name.is_subdomain(dns.name.from_text(owner, before.apex)) or i % 4 == 0})


def test_aborted_override(store):
    """What was not committed overrides nothing; a transaction counts as a whole."""
    store.apply(STORE)
    with z.ZoneKnotd(store, {"example.net": APEX}) as knotd:
        with contextlib.suppress(Failure), knotd.edit("example.net") as edit:
            edit("zone-set", "_dmarc", "60", "TXT", '"v=DMARC1; p=none"')
            assert rdata(knotd.ask("_dmarc.example.net", "TXT")) == ['"v=DMARC1; p=reject"']
            raise Failure("not this way")
        assert rdata(knotd.ask("_dmarc.example.net", "TXT")) == ['"v=DMARC1; p=reject"']
        with knotd.edit("example.net") as edit:
            edit("zone-set", "_dmarc", "60", "TXT", '"v=DMARC1; p=none"')
            edit("zone-set", "@", "60", "MX", "0 .")
        assert rdata(knotd.ask("_dmarc.example.net", "TXT")) == ['"v=DMARC1; p=none"']
        assert rdata(knotd.ask("example.net", "MX")) == ["0 ."]


# Transfers

TRANSFERS = f"""acl:
  - id: local
    address: {ADDRESS}
    action: [ transfer, update, notify ]
"""


def own_records(zone):
    """The RRsets of a zone without SOA, whose serial changes."""
    return {(owner, rrtype, ttl, frozenset(rrset)) for (owner, rrtype), (ttl, rrset) in zone.items()
            if rrtype != dns.rdatatype.SOA}


def transferred(knotd):
    """What AXFR gives."""
    transfer = dns.query.xfr(ADDRESS, "example.net", port=knotd.port, lifetime=PATIENCE, relativize=False)
    zone = dns.zone.from_xfr(transfer, relativize=False, check_origin=False)
    return {(owner, rdataset.rdtype): (rdataset.ttl, set(rdataset)) for owner, node in zone.nodes.items()
            for rdataset in node.rdatasets}


def secondary(store, primary, modules):
    """A knotd that gets the zone from another one."""
    conf = TRANSFERS + f"remote:\n  - id: primary\n    address: {ADDRESS}@{primary.port}\n"
    return z.ZoneKnotd(store, {"example.net": None}, modules=modules, conf=conf,
                       lines={"example.net": ["master: primary", "acl: local"]})


def test_secondaries(store):
    """A transfer has the zone's own records; so a secondary needs the module and a copy of the store to answer as we do."""
    store.apply(STORE)
    zone = Zone("example.net", z.parse(APEX, "example.net"), z.listed(store, "example.net"))
    names = zone.nodes
    with z.ZoneKnotd(store, {"example.net": APEX}, conf=TRANSFERS, lines={"example.net": ["acl: local"]}) as primary:
        assert own_records(transferred(primary)) == own_records(zone.own)
        copy = store.directory / "copy"
        store.run("backup", copy)
        same = Store(store.directory, init=False)
        same.path = copy
        with secondary(store, primary, ()) as plain, secondary(same, primary, ["mod-mail/test"]) as equal:
            for knotd in (plain, equal):
                poll(lambda k=knotd: rdata(k.ask("www.example.net", "A")) == ["192.0.2.80"], "the transfer")
            alone = Zone("example.net", zone.own, {})
            check_all(plain, alone, names)
            check_all(equal, zone, names)
            assert own_records(transferred(equal)) == own_records(zone.own)

            # DDNS is as zone-set; it goes on to the secondaries.
            update = dns.update.UpdateMessage("example.net")
            update.add("_dmarc", 60, "TXT", '"v=DMARC1; p=none"')
            assert dns.query.tcp(update, ADDRESS, port=primary.port, timeout=PATIENCE).rcode() == dns.rcode.NOERROR
            changed = Zone("example.net", z.parse(APEX + '_dmarc 60 TXT "v=DMARC1; p=none"\n', "example.net"),
                           z.listed(store, "example.net"))
            check_all(primary, changed, names)
            for knotd in (plain, equal):
                knotd.knotc("zone-refresh", "example.net")
                poll(lambda k=knotd: rdata(k.ask("_dmarc.example.net", "TXT")) == ['"v=DMARC1; p=none"'], "the update")
            check_all(plain, Zone("example.net", changed.own, {}), names)
            check_all(equal, changed, names)


# What the documentation shows

def documented(path, begin, end):
    """The commands for knotc between two lines of a page, as lists of words."""
    text = (TOP / path).read_text(encoding="utf-8")
    part = text[text.index(begin):]
    return [shlex.split(line, comments=True) for line in re.findall(r"^ +(?:\$ )?knotc (.*)$", part[:part.index(end)], flags=re.M)]


def test_documented_commands(store):
    """The zone admin's commands do what zones.rst says, with a configuration database."""
    store.apply(STORE)
    ours, theirs = ["v=DMARC1; p=reject"], ["v=DMARC1; p=none"]
    commands = documented("doc/zones.rst", "**From a configuration database**", "Wildcards\n---")
    assert [words[0] for words in commands] == ["conf-begin", "conf-set", "conf-commit", "reload",
                                                "conf-begin", "conf-unset", "conf-commit", "reload",
                                                *["zone-begin", "zone-set", "zone-commit"],
                                                *["zone-begin", "zone-unset", "zone-commit"]]
    turn_on, turn_off, overrides = commands[:4], commands[4:8], commands[8:]
    if knot_version() >= (3, 3):
        turn_on.pop()
        turn_off.pop()
    with z.ZoneKnotd(store, {"example.net": APEX}, modules=(), confdb=True) as knotd:
        for _ in range(2):
            assert rcode(knotd.ask("_dmarc.example.net", "TXT")) == "NXDOMAIN"
            for words in turn_on:
                knotd.knotc(*[re.sub(r"^mod-mail(/.*)?$", "mod-mail/test", word) for word in words])
            poll(lambda: texts(knotd.ask("_dmarc.example.net", "TXT")) == ours, "the module")
            for words in turn_off:
                knotd.knotc(*words)
            poll(lambda: rcode(knotd.ask("_dmarc.example.net", "TXT")) == "NXDOMAIN", "the zone alone")
        for words in turn_on:
            knotd.knotc(*[re.sub(r"^mod-mail(/.*)?$", "mod-mail/test", word) for word in words])
        seen = []
        for words in overrides:
            knotd.knotc(*words)
            if words[0] == "zone-commit":
                seen.append(texts(knotd.ask("_dmarc.example.net", "TXT")))
        assert seen == [theirs, ours]


def test_zone_only_commits(store):
    """A module that the section `module` names survives commits that concern zones only, as zones.rst says."""
    store.apply(STORE)
    with z.ZoneKnotd(store, {"example.net": APEX}, modules=(), confdb=True) as knotd:
        def commit(*words):
            knotd.knotc("conf-begin")
            knotd.knotc("conf-set", *words)
            knotd.knotc("conf-commit")
        for name in ("a", "b", "c"):
            commit(f"zone[{name}.test]")
        knotd.knotc("reload")
        commit("zone[example.net].module", "mod-mail/test")
        commit("zone[d.test]")
        knotd.knotc("reload")
        poll(lambda: texts(knotd.ask("_dmarc.example.net", "TXT")) == ["v=DMARC1; p=reject"], "the module")


SAMPLE = [
    ("example.net", "TXT", ['"site-verification=4f1c2a"', '"v=spf1 mx -all"']),
    ("www.example.net", "CNAME", ["example.net."]),
    ("_imaps._tcp.example.net", "SRV", ["0 0 0 ."]),
    ("_submissions._tcp.example.net", "SRV", ["0 1 465 mail.example.net."]),
    ("news._domainkey.example.net", "CNAME", ["news.dkim.example.com."]),
    ("_dmarc.example.net", "TXT", ['"v=DMARC1; p=reject; rua=mailto:dmarc@example.net"']),
    ("_dmarc.example.net", "A", []),
    ("shop.example.net", "A", ["192.0.2.80"]),
    ("_dmarc.example.edu", "TXT", ['"v=DMARC1; p=quarantine; rua=mailto:dmarc@example.edu"']),
    ("example.edu", "MX", ["10 mail.example.edu."]),
    ("example.edu", "CAA", ['0 issue "ca.example"']),
    ("mail.example.edu", "AAAA", ["2001:db8::25"]),
    ("www.example.edu", "A", ["192.0.2.81"]),
]


class SampleKnotd(Knotd):
    """A knotd with samples/zone/knot.conf, with paths of ours and without what only root may do."""

    def configuration(self):
        text = (TOP / "samples" / "zone" / "knot.conf").read_text(encoding="utf-8")
        for old, new in ((r"listen: \[.*\]", f"listen: {ADDRESS}@{self.port}"), (r"\n    user: .*", ""),
                         (r"/run/knot", f"{self.directory}/run"), (r"/var/lib/knot/mail", str(self.store.path)),
                         (r"/var/lib/knot", f"{self.directory}/zones"), (r"target: syslog", "target: stderr"),
                         (r"^server:", f"server:\n    identity: {self.identity()}")):
            text, count = re.subn(old, new, text, flags=re.M)
            assert count, old
        return f'module:\n  - id: mod-mail\n    file: "{self.module}"\n' + text


def test_sample(store):
    """samples/zone/ runs: two zones, one of them signed, without a warning."""
    store.run("apply", TOP / "samples" / "zone" / "mail.conf")
    knotd = SampleKnotd(store)
    (knotd.directory / "zones").mkdir()
    for zone in ("example.net", "example.edu"):
        file = (TOP / "samples" / "zone" / f"{zone}.zone").read_text(encoding="utf-8")
        (knotd.directory / "zones" / f"{zone}.zone").write_text(file, encoding="utf-8")
    with knotd:
        for name, rrtype, expected in SAMPLE:
            poll(lambda n=name, t=rrtype: rcode(knotd.ask(n, t)) == "NOERROR", "the zones")
            answer = knotd.ask(name, rrtype, do=True)
            assert rdata(answer, rrtype) == expected, f"{name} {rrtype}: {answer}"
            assert bool(rdata(answer, "RRSIG")) == (name.endswith("example.edu")) and has(answer, "AA"), f"{name} {rrtype}"
        assert "warning" not in knotd.log() and "error" not in knotd.log()
