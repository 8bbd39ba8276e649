# SPDX-License-Identifier: GPL-3.0-or-later
"""DNSSEC for the functional tests: keys, key sets, and a verifier of answers.

The verifier is written from RFC 4034, 4035 and 6840, on top of dnspython's check of a single signature. It
believes nothing but the DNSKEYs that it was given, proves what an answer does not hold from the NSEC
records of that very answer, and looks at each NSEC for what it says of the names that the tool lists.

    keys = KeySet("ks", [Key("ed25519", "csk")])
    keys.install(store)
    store.apply(keys.text() + "...policy with key-set: ks...")
    zones = Zones(store, {"example.org": keys})
    with Knotd(store) as knotd:
        zones.wait(knotd)
        zones.verify(question, wire)

Everything that is wrong with an answer is a Failure that says what.
"""

import base64
import functools
import json
import time

import dns.dnssec
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from harness import Failure, poll, rdata

ALGORITHMS = {"rsasha256": 8, "ecdsap256sha256": 13, "ed25519": 15}
ROLES = ("csk", "ksk", "zsk")
# What only DNSSEC adds to an answer.
ADDED = (dns.rdatatype.RRSIG, dns.rdatatype.NSEC)
# Types that keys with the part of a KSK sign.
KEY_TYPES = (dns.rdatatype.DNSKEY, dns.rdatatype.CDS, dns.rdatatype.CDNSKEY)
# Links of a chain of aliases that a server follows in one answer.
CHAIN_MAX = 5
# Octets of an RRSIG that must fit: RSA-2048 and names.
SIGNATURE_MAX = 420


def utc(when):
    """RFC 3339."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when))


# Keys

class Key:
    """A key pair. times: publish, activate, retire, remove, ds, ds_seen, ds_until, in seconds.

    Parents are asked for the DS from the beginning, unless `ds` says otherwise.
    """

    def __init__(self, algorithm, role, **times):
        self.algorithm, self.role = algorithm, role
        self.times = times if role == "zsk" else {"ds": 0, **times}
        if algorithm == "ed25519":
            self.private = ed25519.Ed25519PrivateKey.generate()
        elif algorithm == "ecdsap256sha256":
            self.private = ec.generate_private_key(ec.SECP256R1())
        else:
            self.private = rsa.generate_private_key(65537, 2048)
        flags = 256 if role == "zsk" else 257
        self.public = base64.b64encode(self.octets()).decode()
        self.dnskey = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.DNSKEY,
                                          f"{flags} 3 {ALGORITHMS[algorithm]} {self.public}")
        self.tag = dns.dnssec.key_id(self.dnskey)

    def octets(self):
        """The public half as in a DNSKEY record (RFC 3110 2, RFC 6605 4, RFC 8080 3)."""
        public = self.private.public_key()
        if self.algorithm == "ed25519":
            return public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        if self.algorithm == "ecdsap256sha256":
            return public.public_bytes(serialization.Encoding.X962,
                                       serialization.PublicFormat.UncompressedPoint)[1:]
        numbers = public.public_numbers()
        return b"\3" + numbers.e.to_bytes(3, "big") + \
            numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")

    def pem(self):
        """The private half."""
        return self.private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                          serialization.NoEncryption())

    def value(self):
        """The `key` value of a key set."""
        times = "".join(f"{name.replace('_', '-')}={utc(when)} " for name, when in self.times.items())
        return f"{self.tag} {self.algorithm} {self.role} {times}{self.public}"

    def ds(self, owner):
        """The DS record with SHA-256, as a line: a trust anchor."""
        record = dns.dnssec.make_ds(dns.name.from_text(owner), self.dnskey, "SHA256")
        return f"{owner}. DS {record}"


class KeySet:
    """A named set of keys."""

    def __init__(self, name, keys):
        self.name, self.keys = name, keys

    def install(self, store):
        """Puts the private keys where knotd looks for them."""
        for key in self.keys:
            self.install_key(store, key)

    def install_key(self, store, key):
        """Puts one private key there."""
        path = store.path / "keys" / f"{self.name}+{ALGORITHMS[key.algorithm]:03}+{key.tag:05}.pem"
        part = path.with_suffix(".part")
        part.write_bytes(key.pem())
        part.chmod(0o640)
        part.rename(path)

    def anchors(self, owner):
        """Trust anchors for a zone with these keys."""
        return [key.ds(owner) for key in self.keys if key.role != "zsk"]

    def text(self):
        """The entry in the dialect."""
        values = ", ".join(f'"{key.value()}"' for key in self.keys)
        return f"key-set:\n  - id: {self.name}\n    key: [ {values} ]\n"


def key_set(name, algorithm, split=False):
    """A key set with one CSK, or with KSK and ZSK, whose tags differ."""
    while True:
        keys = [Key(algorithm, role) for role in (("ksk", "zsk") if split else ("csk",))]
        if len({key.tag for key in keys}) == len(keys):
            return KeySet(name, keys)


# Proofs (RFC 4035 5.4, RFC 6840 4)

def below(name, above):
    """Whether a name is strictly below another."""
    return name != above and name.is_subdomain(above)


def common(one, other):
    """The longest name that both are at or below."""
    return one.split(one.fullcompare(other)[2])[1]


class Denial:
    """One NSEC record, and what it proves in a zone."""

    def __init__(self, apex, owner, record):
        self.apex, self.owner, self.next = apex, owner, record.next
        self.types = {window * 256 + octet * 8 + bit for window, bitmap in record.windows
                      for octet, bits in enumerate(bitmap) for bit in range(8) if bits & (0x80 >> bit)}

    def __str__(self):
        types = " ".join(dns.rdatatype.to_text(number) for number in sorted(self.types))
        return f"{self.owner} NSEC {self.next} {types}"

    def speaks_below(self, name):
        """Not for names below a zone cut or a DNAME at its owner (RFC 6840 4.1, 6.1)."""
        cut = dns.rdatatype.NS in self.types and dns.rdatatype.SOA not in self.types
        return not (below(name, self.owner) and (cut or dns.rdatatype.DNAME in self.types))

    def between(self, name):
        """Whether a name lies in the span."""
        return self.owner < name and (name < self.next or self.next == self.apex)

    def covers(self, name):
        """Whether it proves that a name does not exist, not as an empty non-terminal either."""
        return self.between(name) and not below(self.next, name) and self.speaks_below(name)

    def is_empty(self, name):
        """Whether it proves that a name is an empty non-terminal."""
        return self.between(name) and below(self.next, name) and self.speaks_below(name)

    def lacks(self, name, rrtype):
        """Whether it proves that a name has records, but none of a type, and no CNAME."""
        if self.owner != name or rrtype in self.types or dns.rdatatype.CNAME in self.types:
            return False
        # The parent's side of a cut says nothing but that there is no DS (RFC 4035 5.4, RFC 6840 4.1).
        cut = dns.rdatatype.NS in self.types and dns.rdatatype.SOA not in self.types
        return not cut or rrtype == dns.rdatatype.DS

    def encloser(self, name):
        """The closest encloser of a name that it covers."""
        return max(common(name, self.owner), common(name, self.next), key=len)


def no_type(denials, name, rrtype):
    """Whether name has not the type, or is an empty non-terminal."""
    return any(denial.lacks(name, rrtype) or denial.is_empty(name) for denial in denials)


def star(name):
    """The wildcard of a closest encloser, or None where there can be none."""
    try:
        return dns.name.Name((b"*",) + name.labels)
    except dns.name.NameTooLong:
        return None


def prove_nxdomain(denials, name):
    """Neither the name nor a wildcard that would stand for it."""
    for denial in denials:
        if denial.covers(name):
            wildcard = star(denial.encloser(name))
            if wildcard is None or any(other.covers(wildcard) for other in denials):
                return
    raise Failure(f"no proof of NXDOMAIN for {name}")


def prove_nodata(denials, name, rrtype):
    """The name lacks the type, or the wildcard that stands for it does."""
    if no_type(denials, name, rrtype):
        return
    for denial in denials:
        if denial.covers(name):
            wildcard = star(denial.encloser(name))
            if wildcard and no_type(denials, wildcard, rrtype):
                return
    raise Failure(f"no proof of NODATA for {name} {dns.rdatatype.to_text(rrtype)}")


def prove_wildcard(denials, name, wildcard):
    """Nothing is nearer to the name than the wildcard that answered for it (RFC 4035 5.3.4)."""
    for denial in denials:
        if denial.covers(name) and denial.encloser(name) == wildcard.parent():
            return
    raise Failure(f"no proof that {name} is from {wildcard}")


# Zones

class Zone:
    """A stored domain: its keys (None: unsigned), and what the tool lists of it."""

    def __init__(self, store, domain, keys, at):
        self.apex = dns.name.from_text(domain)
        self.keys = keys
        when = ("--at", utc(at)) if at else ()
        rows = [json.loads(line) for line in
                store.run("records", domain, "--json", "--reports", *when).stdout.splitlines()]
        self.types, self.kinds = {}, {}
        for row in rows:
            owner, rrtype = dns.name.from_text(row["owner"]), dns.rdatatype.from_text(row["type"])
            self.types.setdefault(owner, set()).add(rrtype)
            self.kinds[owner, rrtype] = row.get("kind")
        self.cuts = {owner for owner, types in self.types.items()
                     if owner != self.apex and dns.rdatatype.NS in types}
        ends = self.cuts | {owner for owner, types in self.types.items() if dns.rdatatype.DNAME in types}
        self.owners = sorted(owner for owner in self.types
                             if not any(below(owner, end) for end in ends))
        self.reports = dns.name.Name((b"_report", b"_dmarc") + self.apex.labels) \
            if len(domain) < 230 else None
        # Whether names are denied one by one (RFC 4470) everywhere, not only below _report._dmarc.
        self.minimal = False

    def __str__(self):
        return str(self.apex)

    def at_or_below_cut(self, name):
        """Whether a name is on the other side of a zone cut."""
        return any(name.is_subdomain(cut) for cut in self.cuts)

    def bitmap(self, owner):
        """What the NSEC of an owner must have."""
        types = set(self.types[owner])
        if owner in self.cuts:
            types &= {dns.rdatatype.NS, dns.rdatatype.DS}
        return types | set(ADDED)

    def check_denial(self, denial):
        """An NSEC must tell the truth about every name of the zone."""
        if denial.owner in self.types:
            if denial.types != self.bitmap(denial.owner):
                raise Failure(f"{denial}: the types are not those that are listed")
        elif not (self.may_be_minimal(denial.owner) and denial.types == set(ADDED)):
            raise Failure(f"{denial}: there is no such owner")
        for owner in self.owners:
            if denial.between(owner):
                raise Failure(f"{denial}: denies {owner}")
        if denial.next not in self.owners and not self.may_be_minimal(denial.next):
            raise Failure(f"{denial}: there is no such next owner")

    def may_be_minimal(self, name):
        """Whether an end of an NSEC may be a name that does not exist."""
        return self.minimal or self.reports and name.is_subdomain(self.reports.parent())


def as_signed(rrset, record):
    """An RRset with the owner that was signed, when a wildcard stands for a name that begins with an asterisk itself.

    RFC 4035 5.3.2 says so for every name; newer dnspythons do it for others, and take this one for a mistake.
    """
    name = rrset.name
    if name.labels[0] != b"*" or record.labels >= len(name) - 2:
        return rrset
    return dns.rrset.from_rdata_list(dns.name.Name((b"*", *name.labels[-(record.labels + 1):])), rrset.ttl,
                                     list(rrset))


class Zones:
    """All stored domains that questions are asked of, and a verifier of their answers.

    zones  {domain: KeySet or None}
    now    Seconds since 1970; None: the system's clock.
    """

    def __init__(self, store, zones, now=None):
        self.zones = {}
        for domain, keys in zones.items():
            zone = Zone(store, domain, keys, now)
            self.zones[zone.apex] = zone
        self.now = now
        self.good = set()
        self.counts = {}

    def wait(self, knotd):
        """Waits until the keys are loaded."""
        for zone in self.zones.values():
            if zone.keys:
                poll(lambda zone=zone: rdata(knotd.ask(zone.apex, "DNSKEY", tcp=True), "DNSKEY"),
                     f"DNSKEY of {zone}")

    def zone_of(self, name):
        """The nearest domain at or above a name, or None."""
        while name != dns.name.root:
            if name in self.zones:
                return self.zones[name]
            name = name.parent()
        return None

    def zone_asked(self, name, rrtype):
        """The domain that answers a question; of DS it is the parent, where we have it."""
        zone = self.zone_of(name)
        if zone and rrtype == dns.rdatatype.DS and name == zone.apex:
            return self.zone_of(name.parent()) or zone
        return zone

    def anchors(self):
        """Trust anchors: of all signed domains that have no DS in a signed one above."""
        found = []
        for zone in self.zones.values():
            above = self.zone_of(zone.apex.parent())
            if zone.keys and not (above and above.keys and zone.apex in above.owners):
                found += zone.keys.anchors(str(zone.apex).rstrip("."))
        return found

    # Signatures

    def keyring(self, zone):
        """The keys of a zone, as dnspython wants them."""
        return {zone.apex: dns.rrset.from_rdata_list(zone.apex, 3600,
                                                     [key.dnskey for key in zone.keys.keys])}

    def signers(self, zone, rrtype):
        """Which keys must have signed a type: (tag, algorithm)."""
        now = self.now or time.time()
        found = set()
        for key in zone.keys.keys:
            when = functools.partial(key.times.get)
            if rrtype in KEY_TYPES:
                signs = key.role != "zsk" and when("publish", 0) <= now < when("remove", 1 << 62)
            else:
                signs = key.role != "ksk" and when("activate", 0) <= now < when("retire", 1 << 62)
            if signs:
                found.add((key.tag, ALGORITHMS[key.algorithm]))
        return found

    def check_signature(self, zone, rrset, record, ttl):
        """One RRSIG of an RRset. The result is the wildcard that it is from, or None."""
        if record.signer != zone.apex:
            raise Failure(f"{rrset.name}: signed by {record.signer}, not {zone}")
        # The answer's TTL may be capped by the clock, never raised (RFC 4035 2.2).
        if ttl != rrset.ttl or record.original_ttl < rrset.ttl:
            raise Failure(f"{rrset.name}: TTL {rrset.ttl}, its RRSIG's {ttl}, Original {record.original_ttl}")
        now = self.now or time.time()
        if record.expiration - now < record.original_ttl:
            raise Failure(f"{rrset.name}: the signature is over before its TTL is")
        seen = (rrset.to_text(), record.to_text())
        if seen not in self.good:
            try:
                dns.dnssec.validate_rrsig(as_signed(rrset, record), record, self.keyring(zone), now=now)
            except dns.exception.DNSException as bad:
                raise Failure(f"{rrset}: {bad!r}") from bad
            self.good.add(seen)
        labels = len(rrset.name) - 1 - (rrset.name.labels[0] == b"*")
        if record.labels > labels:
            raise Failure(f"{rrset.name}: the RRSIG has {record.labels} labels")
        if record.labels == labels:
            return None
        return star(dns.name.Name(rrset.name.labels[-1 - record.labels:]))

    def check_rrset(self, zone, rrset, signatures):
        """All RRSIGs of an RRset: one of each key, and valid. The result is its wildcard, or None."""
        if not signatures:
            raise Failure(f"{rrset.name} {dns.rdatatype.to_text(rrset.rdtype)} is not signed")
        made = sorted((record.key_tag, int(record.algorithm)) for record in signatures)
        wanted = sorted(self.signers(zone, rrset.rdtype))
        if made != wanted:
            raise Failure(f"{rrset.name} {dns.rdatatype.to_text(rrset.rdtype)}: signed by {made}, not {wanted}")
        wildcards = {self.check_signature(zone, rrset, record, signatures.ttl) for record in signatures}
        if len(wildcards) != 1:
            raise Failure(f"{rrset.name}: wildcards differ: {wildcards}")
        return wildcards.pop()

    # Messages

    def verify(self, question, wire):
        """Verifies an answer to a question with DO; not a truncated one."""
        try:
            message = dns.message.from_wire(wire, one_rr_per_rrset=False)
        except (dns.exception.DNSException, ValueError) as bad:
            raise Failure(f"{question}: {bad!r}: {wire.hex()}") from bad
        try:
            look = Verification(self, question.name.canonicalize(), question.rrtype, message)
            # A signature that would not fit into 1232 octets is left out of the additional section.
            look.full = len(wire) + SIGNATURE_MAX > 1232
            outcome = look.run()
        except Failure as bad:
            raise Failure(f"{question}: {bad}\n{message}") from bad
        self.counts[outcome] = self.counts.get(outcome, 0) + 1
        return outcome


class Verification:
    """The look at one answer."""

    def __init__(self, zones, name, rrtype, message):
        self.zones, self.name, self.rrtype, self.message = zones, name, rrtype, message
        self.zone = zones.zone_asked(name, rrtype)
        self.denials = []
        self.expanded = []
        self.full = False

    def run(self):
        """Gives what the answer is: ANSWER, NODATA, NXDOMAIN, REFERRAL, UNSIGNED, REFUSED, SERVFAIL."""
        message = self.message
        code = dns.rcode.to_text(message.rcode())
        if self.zone is None or code in ("REFUSED", "SERVFAIL"):
            if self.zone is not None:
                raise Failure(f"{code} for a name of {self.zone}")
            return code
        self.check_dups()
        if self.zone.keys is None:
            self.check_unsigned()
            return "UNSIGNED"
        for section in (message.answer, message.authority):
            self.check_section(section)
        self.check_additional()
        return self.check_outcome(code)

    def check_dups(self):
        """No RRset twice in a section; RRSIGs only beside what they sign."""
        for section in (self.message.answer, self.message.authority, self.message.additional):
            keys = [(rrset.name, rrset.rdtype, rrset.covers) for rrset in section]
            if len(keys) != len(set(keys)):
                raise Failure("an RRset is there twice")
            for rrset in section:
                if rrset.rdtype == dns.rdatatype.RRSIG and self.rrtype != dns.rdatatype.RRSIG and \
                        (rrset.name, rrset.covers, 0) not in keys:
                    raise Failure(f"an RRSIG without its RRset: {rrset}")

    def check_unsigned(self):
        """An unsigned domain's answer holds no signature of its own."""
        for section in (self.message.answer, self.message.authority):
            for rrset in section:
                zone = self.zones.zone_of(rrset.name)
                if rrset.rdtype in ADDED and zone is self.zone:
                    raise Failure(f"a DNSSEC record of an unsigned domain: {rrset}")

    def signatures(self, section, rrset):
        """The RRSIG RRset of an RRset in a section."""
        for other in section:
            if (other.rdtype, other.name, other.covers) == (dns.rdatatype.RRSIG, rrset.name, rrset.rdtype):
                return other
        return None

    def is_delegation(self, rrset):
        """NS at a cut: the other side's (RFC 4035 2.2)."""
        return rrset.rdtype == dns.rdatatype.NS and rrset.name in self.zone.cuts

    def from_dname(self, section, rrset):
        """Whether a CNAME is made from a DNAME of the answer (RFC 6672 5.3.1)."""
        if rrset.rdtype != dns.rdatatype.CNAME:
            return False
        for other in section:
            if other.rdtype == dns.rdatatype.DNAME and below(rrset.name, other.name):
                target = rrset.name.relativize(other.name).derelativize(other[0].target)
                if target == rrset[0].target:
                    return True
        return False

    def check_section(self, section):
        """Every RRset of the answer and authority section."""
        for rrset in section:
            signatures = self.signatures(section, rrset)
            if rrset.rdtype == dns.rdatatype.RRSIG:
                continue
            if self.is_delegation(rrset) or self.from_dname(section, rrset):
                if signatures:
                    raise Failure(f"signed, and must not be: {rrset}")
                continue
            wildcard = self.zones.check_rrset(self.zone, rrset, signatures)
            if wildcard is not None:
                self.expanded.append((rrset, wildcard))
            if rrset.rdtype == dns.rdatatype.NSEC:
                self.note_denial(section, rrset, wildcard)

    def note_denial(self, section, rrset, wildcard):
        """An NSEC of a wildcard's answer is data; else it must be true, and may prove something."""
        if wildcard is not None:
            if section is not self.message.answer:
                raise Failure(f"a denial from a wildcard: {rrset}")
            return
        if len(rrset) != 1:
            raise Failure(f"more than one NSEC: {rrset}")
        denial = Denial(self.zone.apex, rrset.name, rrset[0])
        self.zone.check_denial(denial)
        if section is self.message.authority:
            self.denials.append(denial)

    def check_additional(self):
        """What is signed there is well signed; glue is not signed (RFC 4035 3.1.1)."""
        section = self.message.additional
        for rrset in section:
            zone = self.zones.zone_of(rrset.name)
            if rrset.rdtype == dns.rdatatype.RRSIG:
                continue
            signatures = self.signatures(section, rrset)
            if zone is None or zone.keys is None or zone.at_or_below_cut(rrset.name):
                if signatures:
                    raise Failure(f"signed, and must not be: {rrset}")
            elif signatures or zone is self.zone and not self.full:
                wildcard = self.zones.check_rrset(zone, rrset, signatures)
                if wildcard is not None:
                    raise Failure(f"an additional record from a wildcard: {rrset}")

    # What was answered

    def find(self, name, rrtype):
        """An RRset of the answer section."""
        for rrset in self.message.answer:
            if (rrset.name, rrset.rdtype) == (name, rrtype):
                return rrset
        return None

    def follow(self):
        """Follows aliases from the QNAME. Gives the last name; None: it leads out, or too far."""
        name, seen = self.name, 0
        whole = self.rrtype in (dns.rdatatype.CNAME, dns.rdatatype.ANY, dns.rdatatype.RRSIG,
                                dns.rdatatype.NSEC)
        while True:
            alias = self.find(name, dns.rdatatype.CNAME)
            if alias is None or whole and (self.rrtype == dns.rdatatype.CNAME or
                                           not self.from_dname(self.message.answer, alias)):
                return name
            name = alias[0].target.canonicalize()
            seen += 1
            too_far = seen >= CHAIN_MAX and not self.has_soa() and not self.find(name, self.rrtype)
            if too_far or self.zones.zone_asked(name, self.rrtype) is not self.zone or \
                    self.find_loop(name, seen):
                return None

    def has_soa(self):
        """Whether the answer is a denial."""
        return any(rrset.rdtype == dns.rdatatype.SOA for rrset in self.message.authority)

    def find_loop(self, name, seen):
        """Whether a chain came back to where it was: all its CNAMEs are there."""
        return seen >= sum(rrset.rdtype == dns.rdatatype.CNAME for rrset in self.message.answer) and \
            self.find(name, dns.rdatatype.CNAME) is not None

    def check_outcome(self, code):
        """Whether what is not there is proven."""
        message = self.message
        for rrset, wildcard in self.expanded:
            prove_wildcard(self.denials, rrset.name, wildcard)
        name = self.follow()
        soa = self.has_soa()
        cut = [rrset for rrset in message.authority if self.is_delegation(rrset)]
        if cut:
            return self.check_referral(cut[0])
        if not message.flags & dns.flags.AA:
            raise Failure("not authoritative")
        if name is None:
            if soa or code != "NOERROR":
                raise Failure(f"{code}, or SOA, behind a chain that leaves {self.zone}")
            return "ALIAS"
        found = [rrset for rrset in message.answer if rrset.name == name]
        if code == "NOERROR" and found:
            self.check_found(found, soa)
            return "WILDCARD" if self.expanded else "ANSWER"
        if code == "YXDOMAIN":
            return code
        if not soa:
            raise Failure("a denial without SOA")
        if code == "NXDOMAIN":
            prove_nxdomain(self.denials, name)
        elif code == "NOERROR":
            prove_nodata(self.denials, name, self.rrtype)
        else:
            raise Failure(code)
        return "NODATA" if code == "NOERROR" else code

    def check_found(self, found, soa):
        """A positive answer has the type, and no SOA behind it."""
        any_type = (dns.rdatatype.ANY, dns.rdatatype.RRSIG)
        if soa or self.rrtype not in any_type and \
                not any(rrset.rdtype == self.rrtype for rrset in found):
            raise Failure("neither an answer nor a denial")

    def check_referral(self, cut):
        """A referral proves whether there is a DS (RFC 4035 3.1.4)."""
        if self.message.flags & dns.flags.AA and not self.message.answer:
            raise Failure("a referral with AA")
        signed = any((rrset.name, rrset.rdtype) == (cut.name, dns.rdatatype.DS)
                     for rrset in self.message.authority)
        denied = any(denial.owner == cut.name and dns.rdatatype.NS in denial.types and
                     not denial.types & {dns.rdatatype.DS, dns.rdatatype.SOA} for denial in self.denials)
        if signed == denied:
            raise Failure(f"DS of {cut.name}: {signed}, denied: {denied}")
        return "SECURE REFERRAL" if signed else "REFERRAL"
