# SPDX-License-Identifier: GPL-3.0-or-later
"""What is served and what is asked: one policy, domains that follow it, and a mix of mail questions."""

ORIGIN = "example"
LETTER = "d"
# What makes names that no server has, among ours in the tree: a look-up goes as deep as for a domain of ours.
FOREIGN_TAIL = "x"

PREFERENCE = 10

# A policy that makes 17 records of a domain, hosts below the domain included.
POLICY = """host:
  - id: mail
    name: mail
    address: [ 192.0.2.25, 2001:db8::25 ]
    helo-spf: "a ra=postmaster -all"
    tlsa: "3 1 1 064dbc632f1ba7d0a2a3faeadeedfebd6f90f850dfb852c97ee9df9b6e5c5e7c"
policy:
  - id: bench
    host: mail
    ns: "ns1.provider.test."
    mx: "10 mail"
    spf: [ mx, "ra=postmaster" ]
    dmarc: [ "p=reject", "rua=mailto:postmaster@{domain}" ]
    mta-sts: enforce
    mta-sts-host: mail
    tls-rpt: "mailto:postmaster@{domain}"
    srv: [ imaps, submissions ]
    autoconfig: mail
    autodiscover: mail
dkim:
  - id: "policy:bench/s1"
    key: "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
"""

NOERROR, NXDOMAIN, REFUSED = 0, 3, 5
A, NS, SOA, MX, TXT, AAAA, SRV, DNSKEY, TLSA, HTTPS = 1, 2, 6, 15, 16, 28, 33, 48, 52, 65

# weight, owner, type, rcode, ANCOUNT, how the first RDATA begins: what receivers, senders, and clients of
# mail ask for, in the order of how often. A domain is sent mail (MX, TLSA, MTA-STS, addresses), sends mail
# (SPF, DMARC, DKIM), is asked for things it lacks (A at the apex, HTTPS, www), and has clients (SRV, auto*).
MIX = (
    (220, "-", MX, NOERROR, 1, None),
    (160, "-", TXT, NOERROR, 1, None),
    (140, "_dmarc", TXT, NOERROR, 1, None),
    (120, "s1._domainkey", TXT, NOERROR, 1, None),
    (80, "mail", A, NOERROR, 1, "c0000219"),
    (60, "mail", AAAA, NOERROR, 1, "20010db8"),
    (40, "_mta-sts", TXT, NOERROR, 1, None),
    (30, "_25._tcp.mail", TLSA, NOERROR, 1, "030101"),
    (25, "autodiscover", A, NOERROR, 2, None),
    (20, "autoconfig", A, NOERROR, 2, None),
    (20, "mta-sts", A, NOERROR, 2, None),
    (10, "mta-sts", AAAA, NOERROR, 2, None),
    (15, "_smtp._tls", TXT, NOERROR, 1, None),
    (15, "_imaps._tcp", SRV, NOERROR, 1, "0000000103e1"),
    (10, "_submissions._tcp", SRV, NOERROR, 1, "0000000101d1"),
    (15, "-", NS, NOERROR, 1, None),
    (10, "-", SOA, NOERROR, 1, None),
    (40, "-", A, NOERROR, 0, None),
    (25, "-", AAAA, NOERROR, 0, None),
    (15, "-", HTTPS, NOERROR, 0, None),
    (10, "mail", TLSA, NOERROR, 0, None),
    (10, "_tcp", SRV, NOERROR, 0, None),
    (30, "www", A, NXDOMAIN, 0, None),
    (25, "default._domainkey", TXT, NXDOMAIN, 0, None),
    (15, "default._bimi", TXT, NXDOMAIN, 0, None),
    (10, "_imap._tcp", SRV, NXDOMAIN, 0, None),
)
# Of a signed domain: those, and what validators ask.
SIGNED_MIX = MIX + ((30, "-", DNSKEY, NOERROR, 1, None),)
# A question that is nobody's.
FOREIGN = ((1, "-", MX, REFUSED, 0, None),)
# Names that do not exist, never the same twice.
FLOOD = ((1, "*", A, NXDOMAIN, 0, None),)
# The same below the one subtree whose names are not few. A name there does not exist either.
REPORT_FLOOD = ((1, "*._report._dmarc", TXT, NXDOMAIN, 0, None),)

# Names of a zone with the module in zone mode, and what is asked there that no kind of record can match.
ZONE_NAMES = (("www", "192.0.2.80"), ("*.wild", "192.0.2.81"))
ZONE_QUESTIONS = {
    "hit": ((1, "www", A, NOERROR, 1, None),),
    "nodata": ((1, "www", AAAA, NOERROR, 0, None),),
    "wildcard": ((1, "*.wild", A, NOERROR, 1, None),),
    "nxdomain": FLOOD,
    "nxdomain-deep": ((1, "a.b.c.*", A, NXDOMAIN, 0, None),),
    "nxdomain-edns": ((1, "*", AAAA, NXDOMAIN, 0, None),),
}


def name(number):
    """Return the name of a domain, from 1 on. ask.c makes the same."""
    return f"{LETTER}{number:07d}.{ORIGIN}"


def wire(text):
    """Return the labels of a name as octets, without a root."""
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".") if label)


def mix_text(mix, preference=PREFERENCE, signed=False, nxdomain=NXDOMAIN):
    """Return a mix as ask reads it. Signed, each record of an answer (no RRset has two) has an RRSIG.

    nxdomain: the rcode that a server has for names that do not exist.
    """
    lines = []
    for weight, owner, rrtype, rcode, count, rdata in mix:
        if (owner, rrtype, count) == ("-", MX, 1):
            rdata = f"{preference:04x}"
        if signed:
            count *= 2
        rcode = nxdomain if rcode == NXDOMAIN else rcode
        # A label "*" is a random one of eight letters.
        labels = wire(owner.strip("-").replace("*", 8 * "*")).hex() or "-"
        lines.append(f"{weight} {rrtype} {rcode} {count} {labels} {rdata or '-'} {owner} TYPE{rrtype}\n")
    return "".join(lines)


def lines(count):
    """Return the NDJSON of sorted domains."""
    return (f'{{"kind":"domain","name":"{name(number)}","policy":"bench"}}\n' for number in range(1, count + 1))
