# SPDX-License-Identifier: GPL-3.0-or-later
"""DKIM keys: RSA and Ed25519 side by side, with and without tags, revoked, as CNAME, of a policy."""

import base64
import subprocess

from harness import Knotd, Failure, rdata
from kinds import ask_whole, check, covers, policy

ED25519 = "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
# An RSA key of 2048 bits: 392 characters of base64.
RSA = ("MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqlddLN3BjInvBqI1KpdouG7feBsEt5t233jWQJW7FaY7sR/MfWNx"
       "uzTObLoZ3l76DFq3xPjVhmy/YYiOAnMOtq9hUFqgBVTSwUNHYPz1YUEcrI5+Ban7P7LV8kggvTAaWhAI3iSXJIFaUq78K8YY"
       "r/zrGyBlg5HCPpd+DMRAB8j1ID8bcWFaVebwAOrartXOO/f8Bn9jrRrLhjP3c8UlmkJLXkSncXPp69R9VpevrKJtpBjaFxKt"
       "x7DXGie821MHuWJ7pWMdU1Uf3z8UBKF9bnrCZ5v0SdiaFkPXR1Iiq/gR6bMwdlWvST9V6ePnqZqX+Iv4FA28byOot73/CIIN"
       "FwIDAQAB")


def keys(*entries):
    """The dialect of DKIM keys: (id, items)."""
    return "dkim:\n" + "".join(f'  - id: "{name}"\n' + "".join(f"    {item}\n" for item in items)
                               for name, items in entries)


def openssl(*args):
    """Runs openssl and gives what it prints."""
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True, check=False)
    if done.returncode != 0:
        raise Failure(f"openssl {args}: {done.stderr}")
    return done.stdout


@covers("dkim")
def test_keys(store):
    """RSA and Ed25519 beside each other; h=sha256 by default, other tags, or none."""
    store.apply(policy("mx: mail", more=keys(
        ("example.org/202404e", [f'key: "{ED25519}"']),
        ("example.org/202404r", [f'key: "{RSA}"']),
        ("example.org/abc", [f'key: "{RSA}"', "tags: none"]),
        ("example.org/tags", [f'key: "{ED25519}"', 'tags: "h=sha256; t=s; n=a note"']),
        ("example.org/s1.eu.dotted", [f'key: "v=DKIM1; k=ed25519; p={ED25519}"']),
    )))
    with Knotd(store) as knotd:
        check(knotd, [
            ("202404e._domainkey.example.org", "TXT", f"v=DKIM1; k=ed25519; h=sha256; p={ED25519}"),
            ("202404r._domainkey.example.org", "TXT", f"v=DKIM1; k=rsa; h=sha256; p={RSA}"),
            ("abc._domainkey.example.org", "TXT", f"v=DKIM1; k=rsa; p={RSA}"),
            ("tags._domainkey.example.org", "TXT",
             f"v=DKIM1; k=ed25519; h=sha256; t=s; n=a note; p={ED25519}"),
            ("s1.eu.dotted._domainkey.example.org", "TXT", f"v=DKIM1; k=ed25519; p={ED25519}"),
            ("eu.dotted._domainkey.example.org", "TXT", "NODATA"),
            ("dotted._domainkey.example.org", "TXT", "NODATA"),
            ("_domainkey.example.org", "TXT", "NODATA"),
            ("other._domainkey.example.org", "TXT", "NXDOMAIN"),
            ("x.202404e._domainkey.example.org", "TXT", "NXDOMAIN"),
            ("202404e._domainkey.example.org", "CNAME", "NODATA"),
        ])
        # At most 255 octets in a string: 420 are two, joined without anything between.
        answer = knotd.ask("202404r._domainkey.example.org", "TXT")
        assert [len(string) for string in answer.answer[0][0].strings] == [255, 165]
        assert knotd.stats()["mod-mail.query[dkim]"] >= 5


@covers("dkim")
def test_revoked(store):
    """An empty p= (RFC 6376 3.6.1), from retire on; before it, and without revoke, the key."""
    past, future = '"2020-01-01T00:00:00Z"', '"2999-01-01T00:00:00Z"'
    store.apply(policy("mx: mail", more=keys(
        ("example.org/gone", [f'key: "{RSA}"', "revoke: on", f"retire: {past}"]),
        ("example.org/later", [f'key: "{ED25519}"', "revoke: on", f"retire: {future}"]),
        ("example.org/kept", [f'key: "{ED25519}"', f"retire: {past}"]),
        ("example.org/cname", ['cname: "key.example.net."', "revoke: on", f"retire: {past}"]),
        ("example.org/removed", [f'key: "{ED25519}"', f"remove: {past}"]),
        ("example.org/coming", [f'key: "{ED25519}"', f"publish: {future}"]),
    )))
    whole = f"v=DKIM1; k=ed25519; h=sha256; p={ED25519}"
    with Knotd(store) as knotd:
        check(knotd, [(f"{selector}._domainkey.example.org", "TXT", expected) for selector, expected in (
            ("gone", "v=DKIM1; p="), ("later", whole), ("kept", whole), ("cname", "v=DKIM1; p="),
            ("removed", "NXDOMAIN"), ("coming", "NXDOMAIN"))])


@covers("dkim-cname")
def test_cname(store):
    """A key that somebody else publishes; one chain stays in the domain and is followed."""
    store.apply(policy("mx: mail", more=keys(
        ("example.org/fm1", ['cname: "fm1.example.org.dkim.example.net."']),
        ("example.org/rel", ["cname: s1._domainkey"]),
        ("example.org/s1", [f'key: "{ED25519}"']),
    )))
    with Knotd(store) as knotd:
        for rrtype in ("CNAME", "TXT", "A", "MX"):
            answer = knotd.ask("fm1._domainkey.example.org", rrtype)
            assert rdata(answer) == ["fm1.example.org.dkim.example.net."], rrtype
        answer = knotd.ask("rel._domainkey.example.org", "TXT")
        assert [rrset.name.to_text() for rrset in answer.answer] == \
            ["rel._domainkey.example.org.", "s1._domainkey.example.org."]
        assert rdata(answer, "TXT") == [f'"v=DKIM1; k=ed25519; h=sha256; p={ED25519}"']
        assert knotd.stats()["mod-mail.query[dkim-cname]"] == 5


@covers("dkim", "dkim-cname")
def test_keys_of_a_policy(store):
    """One key for all who follow a policy or one above it; the nearer one counts, the domain's own first."""
    store.apply(f"""
policy:
  - id: low
    ns: "ns1.example.net."
  - id: high
    base: low
dkim:
  - id: "policy:low/shared"
    key: "{ED25519}"
  - id: "policy:low/over"
    key: "{RSA}"
  - id: "policy:high/over"
    key: "{ED25519}"
  - id: "policy:low/cname"
    cname: "cname.{{domain}}.dkim.example.net."
  - id: "own.example/shared"
    key: "{RSA}"
    tags: none
  - id: "own.example/cname"
    key: "{ED25519}"
domain:
  - id: low.example
    policy: low
  - id: high.example
    policy: high
  - id: own.example
    policy: high
""")
    ed25519, rsa = f"v=DKIM1; k=ed25519; h=sha256; p={ED25519}", f"v=DKIM1; k=rsa; h=sha256; p={RSA}"
    with Knotd(store) as knotd:
        check(knotd, [
            ("shared._domainkey.low.example", "TXT", ed25519),
            ("over._domainkey.low.example", "TXT", rsa),
            ("shared._domainkey.high.example", "TXT", ed25519),
            ("over._domainkey.high.example", "TXT", ed25519),
            ("shared._domainkey.own.example", "TXT", f"v=DKIM1; k=rsa; p={RSA}"),
            ("cname._domainkey.low.example", "CNAME", "cname.low.example.dkim.example.net."),
            ("cname._domainkey.own.example", "CNAME", "NODATA"),
            ("cname._domainkey.own.example", "TXT", ed25519),
        ])
        store.run("dkim-unset", "own.example/shared")
        check(knotd, [("shared._domainkey.own.example", "TXT", ed25519)])


@covers("dkim")
def test_generated_and_imported(store, directory):
    """What kmailctl makes and reads is what openssl says of the same keys."""
    store.apply(policy("mx: mail"))
    cases = []
    for algorithm, bits in (("ed25519", None), ("rsa", 1024), ("rsa", 2048), ("rsa", 4096)):
        selector = f"{algorithm}{bits or ''}"
        private = directory / f"{selector}.pem"
        size = ["--bits", bits] if bits else []
        store.run("dkim-generate", f"example.org/{selector}", "--algorithm", algorithm, *size, "--out",
                  private)
        assert private.stat().st_mode & 0o777 == 0o600
        der = openssl("pkey", "-in", private, "-pubout", "-outform", "DER")
        # Ed25519: the raw 32 octets, which are the last of the DER, not all of it (RFC 8463 4).
        public = base64.b64encode(der[-32:] if algorithm == "ed25519" else der).decode()
        expected = f"v=DKIM1; k={algorithm}; h=sha256; p={public}"
        cases.append((f"{selector}._domainkey.example.org", "TXT", expected))
        store.run("dkim-import", f"example.org/again-{selector}", private)
        cases.append((f"again-{selector}._domainkey.example.org", "TXT", expected))
        pem = directory / f"{selector}.pub"
        pem.write_bytes(openssl("pkey", "-in", private, "-pubout"))
        store.run("dkim-import", f"example.org/public-{selector}", pem, "--tags", "none")
        cases.append((f"public-{selector}._domainkey.example.org", "TXT",
                      f"v=DKIM1; k={algorithm}; p={public}"))
    with Knotd(store) as knotd:
        check(knotd, cases)
        answer = ask_whole(knotd, "rsa4096._domainkey.example.org", "TXT")
        assert [len(string) for string in answer.answer[0][0].strings] == [255, 255, 254]
