# SPDX-License-Identifier: GPL-3.0-or-later
"""What is served and what is asked: domains that follow one policy, plain or as customers have them, and two mixes."""

import base64
import hashlib

ORIGIN = "example"
LETTER = "d"
# What makes names that no server has, among ours in the tree: a look-up goes as deep as for a domain of ours.
FOREIGN_TAIL = "x"

PREFERENCE = 10

# A policy that makes 17 records of a domain, hosts below the domain included, and one for domains without mail.
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
  - id: quiet
    base: parked
    ns: "ns1.provider.test."
dkim:
  - id: "policy:bench/s1"
    key: "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
"""

# Customers by their number modulo 100. All but aliases have `@ A`, `www A` and a verification string of their own.
#   .  no more than that        t  a DMARC tag         k  a DKIM key (RSA)
#   a  an alias of the domain before                   n  no mail
CLASSES = "".join("a" if n == 40 else "n" if n % 50 == 20 else {3: "t", 7: "k"}.get(n % 10, ".") for n in range(100))
MAIL, OWN, ANY = ".tka", ".tkn", ".tkan"
# SubjectPublicKeyInfo of RSA with 2048 bits, before and behind the modulus. Nobody signs, so any odd number will do.
RSA_BEFORE = bytes.fromhex("30820122300d06092a864886f70d01010105000382010f003082010a0282010100")
RSA_BEHIND = bytes.fromhex("0203010001")

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
# What customers are asked besides, or answer otherwise. The last field are the classes of domains that a line is for. A
# domain without mail has fewer names, and a wildcard says that it has no key.
CUSTOMER_ANSWERS = (
    (160, "-", TXT, NOERROR, 2, None, OWN),
    (160, "-", TXT, NOERROR, 1, None, "a"),
    (80, "-", A, NOERROR, 1, "c612", OWN),
    (80, "-", A, NOERROR, 0, None, "a"),
    (70, "www", A, NOERROR, 1, "c612", OWN),
    (70, "www", A, NXDOMAIN, 0, None, "a"),
    (20, "www", AAAA, NOERROR, 0, None, OWN),
    (20, "www", AAAA, NXDOMAIN, 0, None, "a"),
    (140, "_dmarc", TXT, NOERROR, 1, None, ANY),
    (120, "s1._domainkey", TXT, NOERROR, 1, None, ".tan"),
    (20, "s1._domainkey", TXT, NOERROR, 1, None, "k"),
    (100, "own._domainkey", TXT, NOERROR, 1, None, "k"),
    (15, "-", NS, NOERROR, 1, None, ANY),
    (10, "-", SOA, NOERROR, 1, None, ANY),
    (25, "-", AAAA, NOERROR, 0, None, ANY),
    (15, "-", HTTPS, NOERROR, 0, None, ANY),
    (20, "shop", A, NXDOMAIN, 0, None, ANY),
    (220, "-", MX, NOERROR, 1, "0000", "n"),
    (20, "mail", A, NXDOMAIN, 0, None, "n"),
    (20, "_mta-sts", TXT, NXDOMAIN, 0, None, "n"),
    (20, "autodiscover", A, NXDOMAIN, 0, None, "n"),
)
CUSTOMER_MIX = CUSTOMER_ANSWERS + tuple(
    (*line, MAIL) for line in MIX if line[1:3] not in {other[1:3] for other in CUSTOMER_ANSWERS if "." in other[6]})
# Of a signed domain: those, and what validators ask.
VALIDATING = (30, "-", DNSKEY, NOERROR, 1, None)
SIGNED_MIX = MIX + (VALIDATING,)
SIGNED_CUSTOMER_MIX = CUSTOMER_MIX + (VALIDATING,)
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


def has_mail(number):
    """Return whether a domain gives the MX of the policy, plain or as a customer."""
    return CLASSES[number % 100] != "n"


def mix_text(mix, preference=PREFERENCE, signed=False, nxdomain=NXDOMAIN):
    """Return a mix as ask reads it. Signed, each RRset of an answer has an RRSIG.

    nxdomain: the rcode that a server has for names that do not exist.
    """
    by_class = len(mix[0]) > 6
    text = [(CLASSES if by_class else "*") + "\n"]
    for weight, owner, rrtype, rcode, count, rdata, *classes in mix:
        if (owner, rrtype, count, rdata) == ("-", MX, 1, None):
            rdata = f"{preference:04x}"
        if signed:
            # Two records of one owner are TXT at the apex. Else there is one in each RRset.
            count += 1 if (rrtype, count) == (TXT, 2) else count
        rcode = nxdomain if rcode == NXDOMAIN else rcode
        # A label "*" is a random one of eight letters.
        labels = wire(owner.strip("-").replace("*", 8 * "*")).hex() or "-"
        text.append(f"{classes[0] if classes else ANY if by_class else '*'} {weight} {rrtype} {rcode} {count} {labels} "
                    f"{rdata or '-'} {owner} TYPE{rrtype}\n")
    return "".join(text)


def plain_lines(count):
    """Return the NDJSON of sorted domains that set nothing."""
    return (f'{{"kind":"domain","name":"{name(number)}","policy":"bench"}}\n' for number in range(1, count + 1))


def octets(number, size):
    """Return octets that look random, the same for each number."""
    return hashlib.shake_128(number.to_bytes(8, "big")).digest(size)


def rsa_key(number):
    """Return a public key in base64."""
    modulus = bytearray(octets(number, 256))
    modulus[0] |= 0x80
    modulus[-1] |= 1
    return base64.b64encode(RSA_BEFORE + modulus + RSA_BEHIND).decode()


def customer(number):
    """Return the NDJSON of one customer: its domain, and its DKIM key."""
    kind, domain = CLASSES[number % 100], name(number)
    if kind == "a":
        return f'{{"kind":"domain","name":"{domain}","alias":"{name(number - 1)}"}}\n'
    policy, address = "quiet" if kind == "n" else "bench", f"198.18.{number >> 8 & 255}.{number & 255}"
    tag = f',"dmarc":{{"rua":"mailto:reports@{domain}"}}' if kind == "t" else ""
    text = (f'{{"kind":"domain","name":"{domain}","policy":"{policy}"{tag},'
            f'"txt":["site-verification={base64.b64encode(octets(number, 30)).decode()}"],'
            f'"record":["@ A {address}","www A {address}"]}}\n')
    return text + (f'{{"kind":"dkim","id":"{domain}/own","key":"{rsa_key(number)}"}}\n' if kind == "k" else "")


def customer_lines(count):
    """Return the NDJSON of sorted customers."""
    return map(customer, range(1, count + 1))


# What --mix chooses: (lines of the import, questions, those of a signed domain).
MIXES = {
    "customer": (customer_lines, CUSTOMER_MIX, SIGNED_CUSTOMER_MIX),
    "plain": (plain_lines, MIX, SIGNED_MIX),
}
