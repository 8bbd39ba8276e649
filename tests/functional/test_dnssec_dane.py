# SPDX-License-Identifier: GPL-3.0-or-later
"""A mail server whose certificate the synthesised TLSA matches is accepted by DANE clients of others; with one that
was not announced it is refused (RFC 7672).

The server is aiosmtpd with STARTTLS. The clients are OpenSSL's, which is given what a validating unbound says is
secure; and, where Postfix is, posttls-finger, which asks that unbound by itself. scripts/packages installs
Postfix where no other mail server is.
"""

import contextlib
import os
import re
import shutil
import ssl
import subprocess

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink

from dnssec import key_set
from harness import ADDRESS, PATIENCE, TOP, Knotd, free_port, poll, rdata
from resolver import Resolver, secure

POLICY = """
certificate:
  - id: mail
    current: "{current}"
    form: [ "3 1 1", "{form}" ]
host:
  - id: mail
    name: mail
    address: 127.0.0.1
    certificate: mail
    tlsa-port: [ 25, {port} ]
policy:
  - id: plain
    host: mail
    ns: "ns1.example.net."
    mx: "10 mail"
  - id: signed
    base: plain
    key-set: ks
domain:
  - id: example.org
    policy: signed
  - id: unsigned.example
    policy: plain
"""


class Certificate:
    """A server's certificate and key, made by itself."""

    def __init__(self, directory, name):
        self.pem = directory / f"{name}.pem"
        self.key = directory / f"{name}.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", self.key, "-out", self.pem, "-days", "30", "-subj", "/CN=mail.example.org",
                        "-addext", "subjectAltName=DNS:mail.example.org,DNS:mail.unsigned.example"],
                       check=True, capture_output=True)


@contextlib.contextmanager
def smtpd(certificate, port):
    """A mail server that shows a certificate after STARTTLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.pem, certificate.key)
    controller = Controller(Sink(), hostname=ADDRESS, port=port, server_hostname="mail.example.org",
                            tls_context=context)
    controller.start()
    try:
        yield
    finally:
        controller.stop()


class Scene:
    """knotd, a store and certificates."""

    def __init__(self, directory, store):
        self.directory, self.store = directory, store
        self.port = free_port()
        self.old, self.new = Certificate(directory, "old"), Certificate(directory, "new")
        self.keys = key_set("ks", "ecdsap256sha256")
        self.keys.install(store)
        store.apply(self.keys.text())

    def apply(self, form):
        """Announces the old certificate."""
        self.store.apply(POLICY.format(current=self.old.pem, form=form, port=self.port))

    def resolver(self, knotd):
        """A validating resolver whose cache is empty."""
        return Resolver(self.directory, {"example.org": knotd.port, "unsigned.example": knotd.port},
                        self.keys.anchors("example.org"))


# Clients: each says whether it accepts the server

def openssl(scene, unbound, domain):
    """OpenSSL, with the TLSA records, if they are secure (RFC 7672 2.2)."""
    exchange = unbound.ask(domain, "MX")
    host = rdata(exchange, "MX")[0].split()[1].rstrip(".")
    answer = unbound.ask(f"_{scene.port}._tcp.{host}", "TLSA")
    if not (secure(exchange) and secure(answer) and secure(unbound.ask(host, "A"))):
        return False
    records = [word for record in rdata(answer, "TLSA") for word in ("-dane_tlsa_rrdata", record)]
    assert records
    done = subprocess.run(["openssl", "s_client", "-starttls", "smtp", "-connect", f"{ADDRESS}:{scene.port}",
                           "-dane_tlsa_domain", host, *records, "-verify_return_error"], input="QUIT\r\n",
                          capture_output=True, text=True, timeout=PATIENCE, check=False)
    said = done.stdout + done.stderr
    accepted = "Verification: OK" in said and "DANE TLSA" in said
    assert accepted == (done.returncode == 0), said
    assert accepted or "verify error" in said, said
    return accepted


def posttls_finger(scene, unbound, domain):
    """Postfix."""
    config = scene.directory / "postfix"
    config.mkdir(exist_ok=True)
    (config / "main.cf").write_text("compatibility_level = 3.6\ninet_protocols = ipv4\n"
                                    "dnssec_probe =\n"
                                    f"queue_directory = {config}\ndata_directory = {config}\n")
    library = scene.directory / "resolver_port.so"
    if not library.exists():
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, TOP / "tests/functional/resolver_port.c"],
                       check=True)
    env = {"PATH": "/usr/sbin:/usr/bin:/bin", "MAIL_CONFIG": str(config), "LD_PRELOAD": str(library),
           "RESOLVER_PORT": str(unbound.port)}
    done = subprocess.run([FINGER, "-c", "-l", "dane", "-t", "20", "-T", "20", "-L", "certmatch,summary,untrusted",
                           f"{domain}:{scene.port}"], env=env, capture_output=True, text=True, timeout=PATIENCE * 2,
                          check=False)
    said = done.stdout + done.stderr
    found = re.search(r"(\w+) TLS connection established", said)
    assert found and f"mail.{domain}" in said, said
    return found.group(1) == "Verified"


FINGER = shutil.which("posttls-finger", path=os.environ.get("PATH", "") + ":/usr/sbin")
CLIENTS = [openssl] + ([posttls_finger] if FINGER else [])


@pytest.fixture(name="scene")
def _scene(directory, store):
    """What a test needs."""
    return Scene(directory, store)


def tlsa(knotd, scene):
    """What is announced."""
    return rdata(knotd.ask(f"_{scene.port}._tcp.mail.example.org", "TLSA"), "TLSA")


@pytest.mark.parametrize("client,form", [(CLIENTS[0], "3 0 1")] + [(client, "3 1 2") for client in CLIENTS])
def test_dane(scene, client, form):
    """Accepted; refused with a certificate that was not announced; accepted when it was."""
    scene.apply(form)
    with Knotd(scene.store) as knotd:
        poll(lambda: rdata(knotd.ask("example.org", "DNSKEY"), "DNSKEY"), "DNSKEY")
        assert len(tlsa(knotd, scene)) == 2
        with scene.resolver(knotd) as unbound:
            with smtpd(scene.old, scene.port):
                assert client(scene, unbound, "example.org")
                # Without signatures there is no DANE.
                assert not client(scene, unbound, "unsigned.example")
            with smtpd(scene.new, scene.port):
                assert not client(scene, unbound, "example.org")
        scene.store.run("cert-import", "mail", "--next", scene.new.pem, "--deploy-at", "+1d")
        assert len(tlsa(knotd, scene)) == 4
        with scene.resolver(knotd) as unbound:
            for certificate in (scene.old, scene.new):
                with smtpd(certificate, scene.port):
                    assert client(scene, unbound, "example.org")
            with smtpd(Certificate(scene.directory, "third"), scene.port):
                assert not client(scene, unbound, "example.org")
