# SPDX-License-Identifier: GPL-3.0-or-later
"""What others make of our answers: dkimpy, pyspf, unbound, ldns; and changes that the next question sees."""

import base64
import contextlib
import json
import subprocess
import time

import dkim
import dns.message
import dns.resolver
import pytest
import spf

import test_differential
from harness import ADDRESS, PATIENCE, Failure, Knotd, first_answer, free_port, poll, program, rcode, rdata, texts
from resolver import ask_stub, patience

MAIL = b"""From: Someone <someone@example.org>\r
To: Other <other@example.net>\r
Subject: a subject\r
Date: Fri, 15 Jan 2027 08:00:00 +0000\r
Message-ID: <1@example.org>\r
\r
A text.\r
"""

DKIM = """
policy:
  - id: plain
    ns: "ns1.example.net."
domain:
  - id: example.org
    policy: plain
  - id: alias.example
    alias: example.org
"""


@contextlib.contextmanager
def resolving(knotd):
    """dnspython's resolver, which dkimpy and pyspf use, asks this knotd and nobody else."""
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [ADDRESS]
    resolver.port = knotd.port
    resolver.lifetime = PATIENCE
    before, dns.resolver.default_resolver = dns.resolver.default_resolver, resolver
    try:
        yield
    finally:
        dns.resolver.default_resolver = before


def sign(private, selector, domain, algorithm):
    """The mail with a DKIM signature."""
    if algorithm == "ed25519":
        # dkimpy wants the seed: the last 32 octets of the PKCS #8 (RFC 8410 7).
        der = subprocess.run(["openssl", "pkey", "-in", private, "-outform", "DER"], check=True,
                             capture_output=True).stdout
        key = base64.b64encode(der[-32:])
    else:
        # and of RSA the older PKCS #1.
        key = subprocess.run(["openssl", "pkey", "-in", private, "-traditional"], check=True,
                             capture_output=True).stdout
    mail = MAIL.replace(b"example.org", domain.encode())
    return dkim.sign(mail, selector.encode(), domain.encode(), key,
                     signature_algorithm=f"{algorithm}-sha256".encode()) + mail


@pytest.mark.parametrize("algorithm,bits,tags", [("rsa", 1024, "none"), ("rsa", 2048, None),
                                                 ("rsa", 4096, "h=sha256; t=s"), ("ed25519", None, None)])
def test_dkim_signature(store, algorithm, bits, tags):
    """A mail signed with a key of dkim-generate verifies with the key that knotd answers, as dkimpy sees it."""
    store.apply(DKIM)
    private = store.directory / "private.pem"
    size = ["--bits", bits] if bits else []
    more = ["--tags", tags] if tags else []
    store.run("dkim-generate", "example.org/s1.dotted", "--algorithm", algorithm, *size, *more, "--out", private)
    with Knotd(store) as knotd, resolving(knotd):
        for domain in ("example.org", "alias.example"):
            mail = sign(private, "s1.dotted", domain, algorithm)
            assert dkim.verify(mail), domain
            assert not dkim.verify(mail.replace(b"A text", b"Another text"))
            assert not dkim.verify(sign(private, "unknown", domain, algorithm))
        mail = sign(private, "s1.dotted", "example.org", algorithm)
        # Another key of the same selector, and none: the next mail does not verify.
        other = store.directory / "other.pem"
        store.run("dkim-generate", "example.org/other", "--algorithm", algorithm, *size, "--out", other)
        assert dkim.verify(sign(other, "other", "example.org", algorithm))
        assert not dkim.verify(sign(other, "s1.dotted", "example.org", algorithm))
        store.run("dkim-retire", "example.org/s1.dotted", "--at", "now", "--revoke")
        assert texts(knotd.ask("s1.dotted._domainkey.example.org", "TXT")) == ["v=DKIM1; p="]
        assert not dkim.verify(mail)


def test_two_signatures(store):
    """RSA and Ed25519 beside each other, each with its own selector (RFC 8463 5)."""
    store.apply(DKIM)
    mail = MAIL
    for algorithm in ("rsa", "ed25519"):
        private = store.directory / f"{algorithm}.pem"
        store.run("dkim-generate", f"example.org/{algorithm}", "--algorithm", algorithm, "--out", private)
        signed = sign(private, algorithm, "example.org", algorithm)
        mail = signed[:-len(MAIL)] + mail
    with Knotd(store) as knotd, resolving(knotd):
        verifier = dkim.DKIM(mail)
        assert verifier.verify(idx=0) and verifier.verify(idx=1)


SPF = """
host:
  - id: mail
    name: mail
    address: [ 192.0.2.25, 2001:db8::25 ]
policy:
  - id: strict
    host: mail
    ns: "ns1.example.net."
    mx: "10 mail"
    spf: [ mx, "ip4:198.51.100.0/24", "include:_spf.crm.example", "ra=postmaster" ]
  - id: soft
    base: strict
    spf: mx
    spf-all: "~all"
  - id: undecided
    base: strict
    spf: "a:mail.strict.example"
    spf-all: "?all"
  - id: redirected
    base: strict
    spf: "redirect=_spf.crm.example"
  - id: listed
    base: strict
    spf: "exists:%{i}.list.crm.example"
  - id: expanded
    base: strict
    spf: hosts
  - id: crm
    ns: "ns1.example.net."
    record: [ "_spf TXT \\"v=spf1 ip4:203.0.113.0/28 ip6:2001:db8:113::/48 -all\\"", "192.0.2.77.list A 127.0.0.2" ]
  - id: quiet
    base: parked
    ns: "ns1.example.net."
domain:
  - id: strict.example
    policy: strict
  - id: soft.example
    policy: soft
  - id: undecided.example
    policy: undecided
  - id: redirected.example
    policy: redirected
  - id: listed.example
    policy: listed
  - id: expanded.example
    policy: expanded
  - id: crm.example
    policy: crm
  - id: parked.example
    policy: quiet
  - id: alias.example
    alias: strict.example
"""

SPF_CASES = [
    # address, domain of the sender, result
    ("192.0.2.25", "strict.example", "pass"),
    ("2001:db8::25", "strict.example", "pass"),
    ("198.51.100.200", "strict.example", "pass"),
    ("203.0.113.15", "strict.example", "pass"),
    ("203.0.113.16", "strict.example", "fail"),
    ("2001:db8:113::1", "strict.example", "pass"),
    ("192.0.2.26", "strict.example", "fail"),
    ("2001:db8::26", "strict.example", "fail"),
    ("192.0.2.25", "alias.example", "pass"),
    ("192.0.2.26", "alias.example", "fail"),
    ("192.0.2.25", "soft.example", "pass"),
    ("192.0.2.26", "soft.example", "softfail"),
    ("192.0.2.25", "undecided.example", "pass"),
    ("192.0.2.26", "undecided.example", "neutral"),
    ("203.0.113.1", "redirected.example", "pass"),
    ("192.0.2.25", "redirected.example", "fail"),
    ("192.0.2.77", "listed.example", "pass"),
    ("192.0.2.78", "listed.example", "fail"),
    ("192.0.2.25", "expanded.example", "pass"),
    ("192.0.2.24", "expanded.example", "fail"),
    ("192.0.2.25", "parked.example", "fail"),
    ("192.0.2.25", "nothing.strict.example", "none"),
    # The name that a host says HELO with (RFC 7208 10.1.2)
    ("192.0.2.25", "mail.strict.example", "pass"),
    ("192.0.2.26", "mail.strict.example", "fail"),
]


def test_spf(store):
    """pyspf comes to pass and fail where it should."""
    store.apply(SPF)
    with Knotd(store) as knotd, resolving(knotd):
        for i, (address, domain, expected) in enumerate(SPF_CASES):
            found = spf.check2(i=address, s=f"someone@{domain}", h=f"mail.{domain}")
            assert found[0] == expected, f"case {i}: {found}"
            found = spf.check2(i=address, s="", h=domain)
            assert found[0] == expected, f"case {i}, HELO: {found}"
        store.run("policy-set", "strict", "spf=ip4:192.0.2.26")
        assert spf.check2(i="192.0.2.26", s="a@strict.example", h="x.example")[0] == "pass"
        assert spf.check2(i="192.0.2.25", s="a@strict.example", h="x.example")[0] == "fail"


# A resolver between us and the client

class Unbound:
    """An unbound that is strict about minimised QNAMEs and asks one knotd for all its zones.

    server  Further lines of its configuration.
    """

    def __init__(self, directory, knotd, zones, server='module-config: "iterator"'):
        self.port = free_port()
        self.directory = directory
        stubs = "".join(f'stub-zone:\n  name: "{zone}."\n  stub-addr: {ADDRESS}@{knotd.port}\n'
                        for zone in zones)
        self.config = directory / "unbound.conf"
        self.config.write_text(f"""server:
  directory: "{directory}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  logfile: "{directory}/unbound.log"
  verbosity: 2
  interface: {ADDRESS}@{self.port}
  outgoing-interface: {ADDRESS}
  do-ip6: no
  do-not-query-localhost: no
  num-threads: 1
  qname-minimisation: yes
  qname-minimisation-strict: yes
  harden-below-nxdomain: yes
  harden-referral-path: no
  use-caps-for-id: yes
  local-zone: "test." nodefault
  {server}
{patience()}{stubs}""", encoding="utf-8")
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen([program("unbound"), "-d", "-c", str(self.config)],
                                        stdin=subprocess.DEVNULL)
        try:
            poll(self.is_up, "unbound's first answer")
        except BaseException:
            self.__exit__()
            raise
        return self

    def is_up(self):
        """Whether it answers."""
        if self.process.poll() is not None:
            raise Failure(f"unbound ended with status {self.process.returncode}")
        return first_answer(self.port, "localhost", "A")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=PATIENCE)
        print((self.directory / "unbound.log").read_text()[-20000:])

    def ask(self, name, rrtype, timeout=PATIENCE):
        """What it answers a stub."""
        question = dns.message.make_query(name, rrtype, use_edns=0, payload=1232)
        return ask_stub(self.port, question, timeout)


def listed(store, domain):
    """The RRsets of a domain: {(owner, type): kind}."""
    rows = (json.loads(line) for line in
            store.run("records", domain, "--json", "--reports").stdout.splitlines())
    return {(row["owner"], row["type"]): row.get("kind") for row in rows}


@pytest.mark.parametrize("family", ["samples", "parents"])
def test_resolver(store, directory, family):
    """unbound, with QNAMEs minimised strictly and 0x20, resolves every name."""
    make, domains = test_differential.FAMILIES[family]
    make(store)
    asked = 0
    with Knotd(store) as knotd, Unbound(directory, knotd, domains) as unbound:
        for domain in domains:
            for label in ("nothing", "_nothing._tcp", "x._domainkey", "y._report._dmarc"):
                unbound.ask(f"{label}.{domain}", "A")
            for (owner, rrtype), kind in listed(store, domain).items():
                if kind in ("delegation", "child") or rrtype == "DNAME":
                    continue
                name = owner.replace("*", "any", 1) if owner.startswith("*") else owner
                direct = knotd.ask(name, rrtype, tcp=True)
                answer = unbound.ask(name, rrtype)
                asked += 1
                assert rcode(answer) == "NOERROR", f"{name} {rrtype}: {answer}"
                assert rdata(answer, rrtype) == rdata(direct, rrtype) != [], f"{name} {rrtype}"
            assert rcode(unbound.ask(f"absent.{domain}", "PTR")) in ("NXDOMAIN", "NOERROR")
            assert rcode(unbound.ask(f"x.absent._dmarc.{domain}", "A")) == "NXDOMAIN", domain
    assert asked > 60


@pytest.mark.parametrize("family", list(test_differential.FAMILIES))
def test_ldns_reads_exports(store, family):
    """ldns reads the zone files, and finds in them what we list."""
    make, domains = test_differential.FAMILIES[family]
    make(store)
    for domain in domains:
        path = store.file(store.run("export", "--format", "zone", domain).stdout, ".zone")
        done = subprocess.run([program("ldns-read-zone"), "-c", str(path)], capture_output=True, text=True,
                              check=False)
        assert done.returncode == 0, done.stderr
        found = {(fields[0].lower(), fields[3]) for fields in map(str.split, done.stdout.splitlines())
                 if len(fields) > 4}
        assert found == set(listed(store, domain)), domain


# Changes

MANY = 100000


def test_changes_under_many_domains(store):
    """One domain, and the policy of 100,000: the very next question sees the change, without a reload."""
    store.apply("policy:\n  - id: mass\n    ns: \"ns1.example.net.\"\n    mx: \"10 mx.example.net.\"\n"
                "    dmarc: \"p=none\"\n  - id: other\n    base: mass\n    spf: a\n")
    store.load("".join(f'{{"kind":"domain","name":"d{i:06}.example","policy":"mass"}}\n' for i in range(MANY)))
    names = [f"d{i:06}.example" for i in range(0, MANY, MANY // 50)]
    with Knotd(store) as knotd:
        assert rcode(knotd.ask(f"d{MANY:06}.example", "MX")) == "REFUSED"
        for i, value in enumerate(("p=quarantine", "p=reject", "p=none")):
            for name in names:
                knotd.ask(f"_dmarc.{name}", "TXT")
            began = time.monotonic()
            store.run("policy-set", "mass", f"dmarc={value}")
            took = time.monotonic() - began
            for name in names:
                assert texts(knotd.ask(f"_dmarc.{name}", "TXT")) == [f"v=DMARC1; {value}"], f"case {i}"
            print(f"policy-set under {MANY} domains: {took:.2f} s")
        for name in names[:10]:
            store.run("domain-set", name, "mx=20 own.example.net.")
            assert rdata(knotd.ask(name, "MX")) == ["20 own.example.net."]
            store.run("domain-set", name, "policy=other")
            assert texts(knotd.ask(name, "TXT")) == ["v=spf1 a -all"]
            store.run("domain-unset", name)
            assert rcode(knotd.ask(name, "MX")) == "REFUSED"
            store.run("domain-set", name, "policy=mass")
            assert rdata(knotd.ask(name, "MX")) == ["10 mx.example.net."]
        assert "reload" not in knotd.log()
