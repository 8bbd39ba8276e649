# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones of knotd that have the module, and what such a zone must answer.

    with ZoneKnotd(store, {"example.net": "…zone file…"}) as knotd:
        with knotd.edit("example.net") as edit:
            edit("zone-set", "_dmarc", "300", "TXT", '"v=DMARC1; p=none"')

merged() is the zone with the module's records in it, made from what kmailctl lists by the rules of the RFCs and
without a line of the module's: a plain knotd that serves it answers as the module should.
"""

import contextlib

import dns.name
import dns.rdata
import dns.rdatatype
import dns.zone

from harness import Knotd

A, AAAA, ANY, CNAME, DNAME, NS, TXT = (dns.rdatatype.from_text(text) for text in
                                       "A AAAA ANY CNAME DNAME NS TXT".split())
# Questions that an alias does not lead on.
NOT_FOLLOWED = {CNAME, ANY, dns.rdatatype.RRSIG, dns.rdatatype.NSEC}
# What makes a zone is the zone's own.
NOT_ADDED = {dns.rdatatype.from_text(text) for text in "SOA NS DS DNAME DNSKEY CDS CDNSKEY".split()}
# The types that mod-onlinesign must not deny.
BITMAP = "[ A, AAAA, MX, TXT, SRV, TLSA ]"
SIGNED = ["mod-mail/test", "mod-onlinesign/test"]


class ZoneKnotd(Knotd):
    """A knotd with zones from zone files, each with modules.

    zones    {name: zone file}; None: it comes from elsewhere
    modules  What stands in `module` of every zone; by_zone: {name: modules} of those that differ.
    bitmap   nsec-bitmap of mod-onlinesign/test.
    lines    {name: further lines of the zone's section}
    hosted   The module is global, too.
    """

    def __init__(self, store, zones, modules=("mod-mail/test",), by_zone=None, bitmap=BITMAP, lines=None,
                 hosted=False, conf="", **how):
        by_zone, lines = by_zone or {}, lines or {}
        text = f"mod-onlinesign:\n  - id: test\n    nsec-bitmap: {bitmap}\n" + conf + "zone:\n"
        for name in zones:
            text += f"  - domain: \"{name}\"\n    file: \"{{directory}}/zones/{name}.zone\"\n" \
                    "    zonefile-sync: -1\n    zonefile-load: difference-no-serial\n    journal-content: all\n"
            if by_zone.get(name, modules):
                text += f"    module: [ {', '.join(by_zone.get(name, modules))} ]\n"
            text += "".join(f"    {line}\n" for line in lines.get(name, ()))
        super().__init__(store, conf=text, modules=("mod-mail/test",) if hosted else (), **how)
        self.zones = zones
        (self.directory / "zones").mkdir()
        for name, zone in zones.items():
            if zone is not None:
                self.write_zone(name, zone)

    def __enter__(self):
        super().__enter__()
        for name, zone in self.zones.items():
            if zone is not None:
                self.wait_log(f"[{name}.] loaded")
        return self

    def write_zone(self, name, text):
        """Writes a zone file."""
        (self.directory / "zones" / f"{name}.zone").write_text(text, encoding="utf-8")

    @contextlib.contextmanager
    def edit(self, zone):
        """A transaction of one zone, committed at the end: edit("zone-set", OWNER, TTL, TYPE, RDATA)."""
        self.knotc("zone-begin", zone)
        try:
            yield lambda verb, *args: self.knotc(verb, zone, *args)
        except BaseException:
            self.knotc("zone-abort", zone, status=None)
            raise
        self.knotc("zone-commit", zone)


# Zones as {(owner, type): (TTL, set of RDATA)}

def parse(text, origin):
    """The RRsets of a zone file."""
    zone = dns.zone.from_text(text, origin=origin, relativize=False, check_origin=False)
    return {(owner, rdataset.rdtype): (rdataset.ttl, set(rdataset))
            for owner, node in zone.nodes.items() for rdataset in node.rdatasets}


def listed(store, domain):
    """The RRsets that kmailctl lists for a domain."""
    return parse(store.run("records", domain, "--format", "zone", "--reports").stdout, domain)


def to_text(zone):
    """The zone file of RRsets, SOA first."""
    lines = [(rrtype != dns.rdatatype.SOA, f"{owner} {ttl} IN {dns.rdatatype.to_text(rrtype)} {rdata.to_text()}\n")
             for (owner, rrtype), (ttl, rrset) in zone.items() for rdata in rrset]
    return "".join(line for _, line in sorted(lines))


def is_spf(rdata):
    """RFC 7208 4.5: the version, then a space or the end."""
    text = b"".join(rdata.strings).lower()
    return text == b"v=spf1" or text.startswith(b"v=spf1 ")


def is_cut_off(zone, apex, name):
    """Whether a name is at or below a delegation (RFC 1034 4.2.1), or below a DNAME (RFC 6672 2.4)."""
    if (name, NS) in zone and name != apex:
        return True
    while name != apex and name.is_subdomain(apex):
        name = name.parent()
        if (name, DNAME) in zone or ((name, NS) in zone and name != apex):
            return True
    return False


def merged(zone, ours, origin):
    """The zone with our records beside its own, which win by owner and type."""
    apex = dns.name.from_text(origin)
    result = dict(zone)
    for (owner, rrtype), (ttl, rrset) in ours.items():
        there = types_at(zone, owner)
        if rrtype in NOT_ADDED or is_cut_off(zone, apex, owner):
            continue
        if CNAME in there or (rrtype == CNAME and there):
            continue  # An alias stands alone (RFC 1034 3.6.2).
        if rrtype not in there:
            result[owner, rrtype] = (ttl, set(rrset))
        elif owner == apex and rrtype == TXT:
            # One RRset has one TTL (RFC 2181 5.2), and one SPF record (RFC 7208 3.2).
            own_ttl, own = zone[owner, rrtype]
            has_spf = any(map(is_spf, own))
            result[owner, rrtype] = (own_ttl, own | {rdata for rdata in rrset
                                                     if not has_spf or not is_spf(rdata)})
    return result


def nodes(zone, apex):
    """The names that exist: owners, and those above them (RFC 4592 2.2.2)."""
    found = {apex}
    for owner, _ in zone:
        while owner.is_subdomain(apex):
            found.add(owner)
            owner = owner.parent()
    return found


def encloser(names, name):
    """The nearest of the names at or above a name (RFC 4592 3.3.1)."""
    while name not in names:
        name = name.parent()
    return name


def covering_wildcard(names, apex, name):
    """The wildcard that covers a name, or None."""
    if name in names or not name.is_subdomain(apex):
        return None
    wildcard = dns.name.Name((b"*",) + encloser(names, name).labels)
    return wildcard if wildcard in names else None


def types_at(zone, name, types=tuple(range(1, 66)) + (257, 65280, 65281)):
    """The types of a node."""
    return {rrtype for rrtype in types if (name, rrtype) in zone}


def lookup(zone, names, apex, name, rrtype):
    """What a zone with these nodes says, as far as a resolver passes it on (RFC 1034 4.3.2, RFC 4592, RFC 6672).

    Gives {(owner, type): RDATA}, the rcode, and where the last alias leads, None if it ends in the zone.
    """
    found = {}
    while name.is_subdomain(apex):
        above = encloser(names, name)
        if (above, DNAME) in zone and above != name:
            target = next(iter(zone[above, DNAME][1])).target
            found[above, DNAME] = zone[above, DNAME][1]
            name = name.relativize(above).concatenate(target)
            continue
        node = name if name in names else covering_wildcard(names, apex, name)
        if node is None:
            return found, "NXDOMAIN", None
        if (node, CNAME) in zone and rrtype not in NOT_FOLLOWED:
            if (name, CNAME) in found:
                return found, "NOERROR", None  # a loop
            found[name, CNAME] = zone[node, CNAME][1]
            name = next(iter(zone[node, CNAME][1])).target
            continue
        if (node, rrtype) in zone:
            found[name, rrtype] = zone[node, rrtype][1]
        return found, "NOERROR", None
    return found, "NOERROR", name
