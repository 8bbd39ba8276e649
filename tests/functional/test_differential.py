# SPDX-License-Identifier: GPL-3.0-or-later
"""The zone file that kmailctl exports, served by a plain knotd, gives the answers that the module gives.

Domains are built to be nasty; each is exported, the file is looked at by kzonecheck and named-checkzone,
and then both servers are asked the same thousands of questions.

MAIL_SEED=N repeats a run.
"""

import os
import random
import re
import subprocess
import time
from pathlib import Path

import dns.name
import dns.rdatatype
import pytest

from compare import TYPES, Plain, Question, Tally, compare, names_around, outline, questions, zone_names
from harness import TOP, Failure, Knotd, Store, program

SEED = int(os.environ.get("MAIL_SEED", "0")) or int(time.time())

FAMILIES = {}


def family(name, domains):
    """Notes a text in the dialect and which of its domains are compared."""
    def note(make):
        FAMILIES[name] = (make, domains)
        return make
    return note


# Keys and texts

def rsa_key(directory, bits):
    """A new RSA public key, as p= has it."""
    private = directory / f"rsa{bits}.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}",
                    "-out", private], check=True, capture_output=True)
    public = subprocess.run(["openssl", "pkey", "-in", private, "-pubout"], check=True,
                            capture_output=True, text=True).stdout
    return "".join(public.splitlines()[1:-1])


ED25519 = "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="


def listed(values):
    """A list in the dialect, every value quoted."""
    return "[ " + ", ".join('"' + value.replace('"', '\\"') + '"' for value in values) + " ]"


def apply(store, text):
    """kmailctl apply; a list may go on behind a comma in the next line, which the dialect does not know."""
    return store.apply(re.sub(r",\n\s+", ", ", text))


# Families of domains

@family("samples", ["example.org", "example.com", "provider.example", "customer-001.example",
                    "customer-002.example", "customer-003.example", "customer-100.example",
                    "customer-one.example", "never-mind.example"])
def samples(store):
    """What comes with the sources."""
    for path in sorted((TOP / "samples").glob("*.conf")):
        if path.name != "knot.conf":
            store.run("apply", path)


RECORDS = [
    # Addresses, wildcards, empty non-terminals, a wildcard that is one
    "www A 192.0.2.80", "www 60 AAAA 2001:db8::80", "www HTTPS 1 . alpn=h2 ipv4hint=192.0.2.80",
    "www CAA 0 issue \"ca.example\"", "svc SVCB 1 www port=8443", "svc 120 SVCB 0 other.example.",
    "*.web A 192.0.2.90", "*.web TXT \"a wildcard\"", "a.b.web A 192.0.2.91", "web MX 5 mail",
    "x.*.star TXT \"below a wildcard that has nothing itself\"", "deep.er.and.deep.er A 192.0.2.92",
    "odd TYPE65280 \\# 3 010203", "odd NAPTR 10 20 \"s\" \"SIP+D2U\" \"\" _sip._udp",
    "odd LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m",
    "odd SSHFP 4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789",
    "odd PTR www", "odd AFSDB 1 mail", "odd KX 1 mail", "odd RP www mail", "odd HINFO cpu os",
    "UPPER A 192.0.2.93", "a\\.dot A 192.0.2.94", "_sip._udp SRV 0 0 5060 www",
    # Chains of 1 to 7 links, loops, chains that leave, chains that end on nothing
    "c1 CNAME www", "c2 CNAME c1", "c3 CNAME c2", "c4 CNAME c3", "c5 CNAME c4", "c6 CNAME c5",
    "c7 CNAME c6", "l0 CNAME l0", "l1 CNAME l2", "l2 CNAME l1", "l3 CNAME l1",
    "out CNAME www.example.net.", "gone CNAME nothing.here", "ent CNAME er.and.deep.er",
    "wild CNAME any.web", "wild2 CNAME any.star", "*.cn CNAME www", "cw CNAME x.cn",
    "*.cl CNAME x.cl", "up CNAME @", "in.nasty.example. CNAME www.sub", "in2 CNAME host.child",
    # DNAME: inside, outside, too long, into itself, chained
    "dn DNAME dt", "a.dt A 192.0.2.95", "c.dt CNAME a.dt", "dout DNAME other.example.",
    "dlong DNAME " + ".".join(["l" * 63, "m" * 63, "n" * 63, "o" * 57, ""]), "dself DNAME x.dself",
    # (no DNAME at a wildcard: RFC 6672 3.3 advises against it, and knotd gives it the owner of the question)
    "d2 DNAME dn", "cd CNAME a.dn", "twice CNAME x.again", "again DNAME to", "x.to CNAME y.again", "y.to A 192.0.2.96",
"dn TXT \"beside a DNAME\"",
]

DELEGATIONS = [
    "sub NS ns.sub", "sub NS ns.example.net.", "sub2 NS ns1",
    "safe NS ns.safe", "safe DS 12345 13 2 " + "ab" * 32, "glue2 NS ns.sub", "glue2 NS ns.glue2",
    "child NS ns.child", "v.w NS ns1.example.net.",
]
GLUE = ["ns.sub A 192.0.2.101", "ns.sub AAAA 2001:db8::101", "ns.safe A 192.0.2.102",
        "ns.glue2 A 192.0.2.103", "ns.child A 192.0.2.104"]

TEXTS = ["plain", "with \"quotes\" and \\ and ; and {domain}", "x" * 600]

SERVICES = ("imap imaps pop3 pop3s submission submissions sieve jmap caldav caldavs carddav carddavs "
            "autodiscover").split()


@family("nasty", ["nasty.example", "alias.example", "quiet.example"])
def nasty(store):
    """One domain with all that a domain may have; an alias of it; a parked one."""
    apply(store, f"""
certificate:
  - id: both
    current: [ "3 1 1 {"11" * 32}", "2 1 1 {"22" * 32}" ]
    next: [ "3 1 1 {"33" * 32}", "2 1 1 {"22" * 32}" ]
host:
  - id: mail
    name: mail
    address: [ 192.0.2.25, 192.0.2.26, 2001:db8::25 ]
    certificate: both
    tlsa-port: [ 25, 465, 993 ]
    helo-spf: "a ra=postmaster -all"
  - id: mx2
    name: mx2.in.deep
    address: 192.0.2.27
    tlsa: [ "3 0 1 {"44" * 32}", "2 0 1 {"55" * 32}" ]
  - id: apex
    name: "@"
    address: [ 192.0.2.1, 2001:db8::1 ]
    tlsa: "3 1 1 {"66" * 32}"
  - id: absolute
    name: "mx.nasty.example."
    address: 192.0.2.28
  - id: elsewhere
    name: "mx.elsewhere.example."
    address: 192.0.2.29
  - id: ns1
    name: ns1
    address: [ 192.0.2.53, 2001:db8::53 ]
    helo-spf: none
policy:
  - id: lower
    host: [ mail, mx2, apex, absolute, elsewhere, ns1 ]
    ns: [ ns1, "ns.other.example." ]
    mx: [ "10 mail", "20 mx2.in.deep", "30 mx.nasty.example.", "40 mx.far.example." ]
    spf: [ mx, "include:_spf.example.net", "ra=postmaster" ]
    spf-all: "~all"
    dmarc: [ "p=quarantine", "sp=reject", "np=reject", "adkim=s", "aspf=s", "t=y", "psd=n", "fo=1",
             "rua=mailto:r@{{domain}},mailto:r@reports.example", "ruf=mailto:f@{{domain}}" ]
    tls-rpt: [ "mailto:t@{{domain}}", "https://tls.example/{{domain}}" ]
    mta-sts: enforce
    mta-sts-host: mail
    srv: {listed(SERVICES)}
    autoconfig: mail
    autodiscover: "auto.example.net."
    bimi: [ "https://{{domain}}/l.svg https://{{domain}}/a.pem", "other https://{{domain}}/o.svg" ]
    caa: [ "0 issue \\"ca.example\\"", "128 iodef mailto:c@{{domain}}" ]
  - id: upper
    base: lower
    ttl: 1800
    srv: [ "imap 0 1 110 mail", "imaps 5 6 1993 mail", "imaps 10 1 993 mx2.in.deep", "pop3 .",
           "sieve 0 0 4190 out.example.net." ]
dkim:
  - id: "policy:lower/shared"
    key: "{ED25519}"
  - id: "policy:lower/over"
    key: "{ED25519}"
  - id: "policy:upper/up.dotted"
    key: "{ED25519}"
    tags: "h=sha256; t=s"
  - id: nasty.example/over
    cname: "key.other.example."
  - id: nasty.example/s1.east.dotted
    key: "{ED25519}"
  - id: nasty.example/rsa4096
    key: "{rsa_key(store.directory, 4096)}"
  - id: nasty.example/rsa2048
    key: "{rsa_key(store.directory, 2048)}"
    tags: none
  - id: nasty.example/in
    cname: "shared._domainkey"
  - id: nasty.example/revoked
    key: "{ED25519}"
    revoke: on
    retire: "2020-01-01T00:00:00Z"
domain:
  - id: nasty.example
    policy: upper
    dmarc: [ "p=reject" ]
    spf-add: "ip4:203.0.113.0/24"
    txt: {listed(TEXTS)}
    record: {listed(RECORDS + GLUE)}
    delegation: {listed(DELEGATIONS)}
  - id: alias.example
    alias: nasty.example
  - id: quiet.example
    policy: upper
    no-mail: on
""")


@family("parents", ["example.test", "kid.example.test", "x.kid.example.test", "a.b.example.test",
                    "deep.c.d.example.test", "test", "wild.test", "big.test"])
def parents(store):
    """Domains below domains, with and without names between; a wildcard at the top; large answers."""
    longer = [f"long{i} TXT " + " ".join(['"' + "w" * 250 + '"'] * i) for i in (1, 2, 4, 5, 16)]
    large = [f"{i:03} " + "z" * 200 for i in range(40)]
    apply(store, f"""
host:
  - id: ns
    name: ns
    address: [ 192.0.2.53, 2001:db8::53 ]
    helo-spf: none
  - id: mail
    name: mail
    address: 192.0.2.25
  - id: deep
    name: "mail.kid.example.test."
    address: 192.0.2.26
  - id: many
    name: many
    address: {listed([f"192.0.2.{i}" for i in range(1, 61)])}
policy:
  - id: inside
    host: [ ns, mail, deep ]
    ns: ns
    mx: [ "10 mail", "20 mail.kid.example.test." ]
    spf: mx
    dmarc: [ "p=reject", "rua=mailto:dmarc@example.test" ]
  - id: outside
    host: mail
    ns: [ "ns.example.test.", "ns.kid.example.test.", "ns.wild.test.", "ns.nowhere.example." ]
    mx: "10 mail"
    dmarc: "p=none"
  - id: big
    base: inside
    host-add: many
    mx: {listed([f"{i} m{i}.in.a.rather.long.name" for i in range(60)])}
domain:
  - id: example.test
    policy: inside
    record: [ "www.kid A 192.0.2.1", "x.y.a.b A 192.0.2.2", "to1 CNAME www.kid", "to2 CNAME mail.kid",
              "to3 CNAME ns.a.b", "to4 CNAME no.kid", "srv SRV 0 0 1 mail.kid", "srv SRV 0 0 1 mail.a.b",
              "up DNAME kid", "* TXT anything", "q.d A 192.0.2.3" ]
  - id: kid.example.test
    policy: inside
    record: "to CNAME mail.example.test."
  - id: x.kid.example.test
    policy: outside
  - id: a.b.example.test
    policy: inside
  - id: deep.c.d.example.test
    policy: outside
  - id: test
    policy: outside
    record: "t CNAME mail.example.test."
  - id: wild.test
    policy: inside
    record: [ "* A 192.0.2.7", "* MX 10 mail", "a.*.b TXT odd", "*.mail AAAA 2001:db8::7" ]
  - id: big.test
    policy: big
    txt: {listed(large)}
    record: {listed(longer)}
""")


LONG = ".".join(letter * 50 for letter in "abcd") + ".example"


@family("odd", ["xn--bcher-kva.example", LONG, "cut.example", "x.sub.cut.example", "again.example",
                "kid.again.example", "onlyns.example"])
def odd(store):
    """Names that are not ASCII, or long; a delegation above a stored domain; an alias with a child."""
    apply(store, f"""
host:
  - id: ns
    name: ns
    address: 192.0.2.53
policy:
  - id: odd
    host: ns
    ns: ns
    mx: [ "0 ns", "0 post.straße.example." ]
    dmarc: "rua=mailto:post@{{domain}},mailto:post@bücher.example"
    caa: "0 iodef mailto:ca@{{domain}}"
    ttl: 0
  - id: thin
    ns: "ns.far.example."
    spf-all: none
    dmarc: none
domain:
  - id: bücher.example
    policy: odd
    record: [ "grün A 192.0.2.1", "*.grün TXT \\"grün\\"" ]
  - id: "{LONG}"
    policy: odd
    record: "{"l" * 30} A 192.0.2.1"
  - id: cut.example
    policy: odd
    delegation: [ "sub NS ns.sub", "sub NS ns.x.sub" ]
    record: [ "ns.sub A 192.0.2.2", "ns.x.sub A 192.0.2.3", "to CNAME www.x.sub", "mx MX 1 ns.x.sub" ]
  - id: x.sub.cut.example
    policy: odd
  - id: again.example
    alias: cut.example
  - id: kid.again.example
    alias: cut.example
  - id: onlyns.example
    policy: thin
""")


# Comparing

def export(store, domain):
    """The zone file of a domain, looked at by those who know what one is."""
    text = store.run("export", "--format", "zone", domain).stdout
    path = store.directory / f"{domain}.zone"
    path.write_text(text, encoding="utf-8")
    for command in ([program("kzonecheck"), "-o", domain, str(path)],
                    [program("named-checkzone"), "-i", "local", "-k", "ignore", "-r", "ignore",
                     "-n", "ignore", "-m", "ignore", "-M", "ignore", domain, str(path)]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"{' '.join(command)}\n{done.stdout}{done.stderr}\n{text}")
    return text


def report_names(domains, zones):
    """Names at and below _report._dmarc.D that exist in the module by rule, but not in the zone file.

    A name there is an empty non-terminal if and only if some stored domain lies at or
    below it; _dmarc.D and _report._dmarc.D are, too, since D itself is stored. Each is listed.
    """
    there = set()
    for domain in zones:
        for prefix in ("_dmarc", "_report._dmarc"):
            there.add(dns.name.from_text(f"{prefix}.{domain}"))
        for stored in domains:
            labels = stored.split(".")
            for i in range(len(labels)):
                there.add(report_name(".".join(labels[i:]), domain))
    return there - {None}


def report_name(reporter, domain):
    """reporter._report._dmarc.domain, or None when that is too long."""
    try:
        return dns.name.from_text(f"{reporter}._report._dmarc.{domain}")
    except dns.name.NameTooLong:
        return None


def nodata_for_nxdomain(question, ours, theirs):
    """The exception: ours says NODATA where theirs says NXDOMAIN; all else must be equal."""
    a, b = outline(ours, question), outline(theirs, question)
    codes = a.pop("rcode"), b.pop("rcode")
    if codes == ("NOERROR", "NXDOMAIN") and a == b and not a["answer"]:
        return None
    return f"{question}: not as the exception says: {codes} {a} {b}"


def same_answers(store, zones, dice, most=None):
    """A knotd with the module and one with the zone files answer alike, whatever is asked; so many questions at most."""
    stored = re.findall(r'"name":"([^"]+)"', store.run("domain-list", "--json").stdout)
    assert set(zones) <= set(stored)
    owners, asked = set(), []
    for domain, text in zones.items():
        names, types = zone_names(text, domain)
        owners |= names
        extra = {report_name(other, domain) for other in stored[:12]} - {None}
        asked += questions(names_around(names | extra, domain, dice), types | set(TYPES), dice,
                           often=names)
    exceptions = report_names(stored, zones) - {above for owner in owners for above in ancestors(owner)}
    lower = {name.canonicalize() for name in exceptions}

    def expected(question):
        return nodata_for_nxdomain if question.name.canonicalize() in lower else None

    assert lower & {question.name.canonicalize() for question in asked}

    if most is not None:
        asked = dice.sample(asked, min(most, len(asked)))

    tally = Tally()
    with Knotd(store) as ours, Plain(zones) as theirs:
        compare(ours, theirs, asked, tally, expected=expected)
        compare(ours, theirs, dice.sample(asked, min(1500, len(asked))), tally, tcp=True,
                expected=expected)
    assert tally.asked > 5000
    tally.check()


@pytest.mark.parametrize("name", FAMILIES)
def test_same_answers(directory, name):
    """Same rcode, flags, question, and RRsets with TTLs in every section."""
    print(f"MAIL_SEED={SEED}")
    dice = random.Random(f"{SEED} {name}")
    make, domains = FAMILIES[name]
    store = Store(directory)
    make(store)
    zones = {domain: export(store, domain) for domain in domains}
    same_answers(store, zones, dice)


def ancestors(name):
    """A name and all above it."""
    found = [name]
    while name != dns.name.root:
        name = name.parent()
        found.append(name)
    return found
