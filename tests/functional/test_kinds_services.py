# SPDX-License-Identifier: GPL-3.0-or-later
"""Where clients find services: SRV, autoconfig, autodiscover; and TLSA of the servers."""

import hashlib
import subprocess

import pytest

from harness import TOP, Failure, Knotd, rdata
from kinds import check, covers, each, policy, serve

# The standards' ports, by hand: RFC 6186, 8314, 5804, 8620, 6764.
PORTS = [("imap", 143), ("imaps", 993), ("pop3", 110), ("pop3s", 995), ("submission", 587),
         ("submissions", 465), ("sieve", 4190), ("jmap", 443), ("caldav", 80), ("caldavs", 443),
         ("carddav", 80), ("carddavs", 443), ("autodiscover", 443)]


@covers(*(f"srv-{service}" for service, _ in PORTS))
def test_every_service(store):
    """By its name alone: first exchange, priority 0, weight 1, the standard's port; and as given."""
    forms = [
        # what is written, what is answered
        ("{0}", "0 1 {1} mail.example.org."),
        ("{0} other", "0 1 {1} other.example.org."),
        ("{0} 5 7 {2}", "5 7 {2} mail.example.org."),
        ("{0} 10 20 {2} srv.example.net.", "10 20 {2} srv.example.net."),
        ("{0} .", "0 0 0 ."),
    ]
    cases = []
    for form, expected in forms:
        listed = ", ".join('"' + form.format(service, port, port + 1000) + '"' for service, port in PORTS)
        items = ['mx: [ "10 mail", "20 mx2" ]', f"srv: [ {listed} ]"]
        cases += [(items, f"_{service}._tcp.example.org", "SRV",
                   expected.format(service, port, port + 1000)) for service, port in PORTS]
    each(store, cases, {f"srv-{service}" for service, _ in PORTS})


@covers("srv-imap", "srv-imaps")
def test_some_services(store):
    """What two guides publish; several servers of one service; what is not listed is not there."""
    serve(store, policy("mx: mail", 'srv: [ "imap 0 1 110 mail", imaps, "imaps 10 5 993 b.example.net.", '
                        '"submission 0 1 587 mail" ]', domains=("example.org", "example.com")), [
        ("_imap._tcp.example.org", "SRV", "0 1 110 mail.example.org."),
        ("_imaps._tcp.example.org", "SRV", ["0 1 993 mail.example.org.", "10 5 993 b.example.net."]),
        ("_imaps._tcp.example.com", "SRV", ["0 1 993 mail.example.com.", "10 5 993 b.example.net."]),
        ("_pop3._tcp.example.org", "SRV", "NXDOMAIN"),
        ("_tcp.example.org", "SRV", "NODATA"),
        ("_imaps._tcp.example.org", "TXT", "NODATA"),
        ("_imaps._udp.example.org", "SRV", "NXDOMAIN"),
    ], {"srv-imap", "srv-imaps"})


@covers("autoconfig", "autodiscover")
def test_configuration_hosts(store):
    """CNAMEs of the names that clients try."""
    serve(store, policy("mx: mail", "autoconfig: mail", 'autodiscover: "auto.example.net."'), [
        ("autoconfig.example.org", "CNAME", "mail.example.org."),
        ("autodiscover.example.org", "CNAME", "auto.example.net."),
    ], {"autoconfig", "autodiscover"})
    serve(store, policy("mx: mail", "autoconfig: none"), [
        ("autoconfig.example.org", "CNAME", "NXDOMAIN"),
        ("autodiscover.example.org", "CNAME", "NXDOMAIN"),
    ], set())


# TLSA

@pytest.fixture(name="chain")
def make_chain(directory):
    """A leaf and its issuer, made by openssl: (PEM of both, digests by form)."""
    def run(*args):
        done = subprocess.run(["openssl", *map(str, args)], cwd=directory, capture_output=True,
                              check=False)
        if done.returncode != 0:
            raise Failure(f"openssl {args}: {done.stderr}")
        return done.stdout

    run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key",
        "-out", "ca.pem", "-days", "30", "-subj", "/CN=issuer")
    run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "leaf.key", "-out",
        "leaf.csr", "-subj", "/CN=mail.example.org")
    run("x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out",
        "leaf.pem", "-days", "30")
    chain = directory / "chain.pem"
    chain.write_bytes((directory / "leaf.pem").read_bytes() + (directory / "ca.pem").read_bytes())

    def digests(name):
        whole = run("x509", "-in", name, "-outform", "DER")
        public = run("x509", "-in", name, "-pubkey", "-noout")
        (directory / "public.pem").write_bytes(public)
        key = run("pkey", "-pubin", "-in", "public.pem", "-outform", "DER")
        return whole, key

    leaf, leaf_key = digests("leaf.pem")
    issuer, issuer_key = digests("ca.pem")
    data = {"3 0": leaf, "3 1": leaf_key, "2 0": issuer, "2 1": issuer_key}
    hashes = {f"{form} {matching}": digest(octets).hexdigest() for form, octets in data.items()
              for matching, digest in ((1, hashlib.sha256), (2, hashlib.sha512))}
    return chain, hashes


@covers("tlsa")
def test_tlsa_from_certificates(store, chain):
    """3 0 1, 3 1 1, 2 1 1, 2 0 1 and SHA-512 of a chain, at several ports."""
    pem, hashes = chain
    forms = ["3 0 1", "3 1 1", "2 1 1", "2 0 1", "3 1 2"]
    expected = [f"{form} {hashes[form]}" for form in forms]
    serve(store, policy("host: mail", "mx: mail", more=f"""
certificate:
  - id: set
    current: "{pem}"
    form: [ {", ".join(f'"{form}"' for form in forms)} ]
host:
  - id: mail
    name: mail
    address: 192.0.2.25
    certificate: set
    tlsa-port: [ 25, 465, 993 ]
"""), [
        ("_25._tcp.mail.example.org", "TLSA", expected),
        ("_465._tcp.mail.example.org", "TLSA", expected),
        ("_993._tcp.mail.example.org", "TLSA", expected),
        ("_587._tcp.mail.example.org", "TLSA", "NXDOMAIN"),
        ("_tcp.mail.example.org", "TLSA", "NODATA"),
        ("_25._tcp.example.org", "TLSA", "NXDOMAIN"),
    ], {"tlsa"})


@covers("tlsa")
def test_tlsa_each_form(store, chain):
    """Each form alone; 3 1 1 is what is made when none is given."""
    pem, hashes = chain
    store.apply(policy("host: mail", "mx: mail", more=f"""
certificate:
  - id: set
    current: "{pem}"
host:
  - id: mail
    name: mail
    address: 192.0.2.25
    certificate: set
"""))
    with Knotd(store) as knotd:
        check(knotd, [("_25._tcp.mail.example.org", "TLSA", f"3 1 1 {hashes['3 1 1']}")])
        for form in ("3 0 1", "3 1 1", "2 1 1", "2 0 1"):
            store.run("cert-import", "set", "--current", pem, "--form", form)
            check(knotd, [("_25._tcp.mail.example.org", "TLSA", f"{form} {hashes[form]}")])


@covers("tlsa")
def test_tlsa_raw(store):
    """Given raw, several, at other ports, beside those of a certificate; equal RDATA once."""
    one, two = "0123456789abcdef" * 4, "fedcba9876543210" * 4
    serve(store, policy("host: [ mail, web, apex ]", "mx: mail", more=f"""
certificate:
  - id: set
    current: [ "3 1 1 {two}", "2 1 1 {one}" ]
host:
  - id: mail
    name: mail
    address: 192.0.2.25
    tlsa: [ "3 0 1 {one}", "2 0 1 {two}", "3 1 1 {two.upper()}" ]
    certificate: set
  - id: web
    name: a.b.web
    address: 192.0.2.26
    tlsa: "3 1 2 {one}{two}"
    tlsa-port: [ 1, 65535 ]
  - id: apex
    name: "@"
    address: 192.0.2.27
    tlsa: "3 1 1 {one}"
"""), [
        ("_25._tcp.mail.example.org", "TLSA", [f"3 0 1 {one}", f"2 0 1 {two}", f"3 1 1 {two}",
                                               f"2 1 1 {one}"]),
        ("_1._tcp.a.b.web.example.org", "TLSA", f"3 1 2 {one}{two}"),
        ("_65535._tcp.a.b.web.example.org", "TLSA", f"3 1 2 {one}{two}"),
        ("_25._tcp.a.b.web.example.org", "TLSA", "NXDOMAIN"),
        ("_25._tcp.example.org", "TLSA", f"3 1 1 {one}"),
    ], {"tlsa"})


def test_sample_certificate(store):
    """The sample's record is what openssl makes of its PEM file."""
    pem = TOP / "samples" / "example.com.pem"
    public = subprocess.run(["openssl", "x509", "-in", pem, "-pubkey", "-noout"], check=True,
                            capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=public, check=True,
                         capture_output=True).stdout
    store.run("apply", TOP / "samples" / "example.com.conf")
    with Knotd(store) as knotd:
        assert rdata(knotd.ask("_25._tcp.mail.example.com", "TLSA")) == \
            [f"3 1 1 {hashlib.sha256(der).hexdigest()}"]
