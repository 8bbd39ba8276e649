# SPDX-License-Identifier: GPL-3.0-or-later
"""kmailctl: DKIM keys, certificates, and the store's own verbs."""

import base64
import json
import os
import re
import stat
import subprocess

import pytest
from harness import TOOL, Store
from test_tool_status import certificate

CONF = """
host:
  - id: mail
    name: mail
    address: 192.0.2.25
    certificate: web
certificate:
  - id: web
    current: "3 1 1 {0}"
policy:
  - id: p
    ns: ns1.example.net.
    host: mail
    mx: "10 mail"
domain:
  - id: example.org
    policy: p
""".replace("{0}", "ab" * 32)


@pytest.fixture
def timed(directory, clock):
    """A store whose clock stands at 2027-01-15 08:00."""
    store = Store(directory, clock)
    store.apply(CONF)
    return store


def texts(store, owner, *words):
    """The TXT records of an owner."""
    done = store.run("--json", "records", "example.org", *words)
    return [row["text"] for row in map(json.loads, done.stdout.splitlines())
            if row["owner"] == f"{owner}.example.org." and row["type"] == "TXT"]


def tlsa(store, *words):
    """The TLSA records, in small letters."""
    done = store.run("--json", "records", "example.org", *words)
    return sorted(row["data"].lower() for row in map(json.loads, done.stdout.splitlines())
                  if row["type"] == "TLSA")


def public(pem):
    """The public key of a private one, as openssl has it: SubjectPublicKeyInfo."""
    return subprocess.run(["openssl", "pkey", "-in", pem, "-pubout", "-outform", "DER"], check=True,
                          capture_output=True).stdout


@pytest.mark.parametrize("algorithm,args,length", [
    ("rsa", (), 294), ("rsa", ("--bits", "1024"), 162), ("rsa", ("--bits", "4096"), 550),
    ("ed25519", (), 32)])
def test_generate(timed, directory, algorithm, args, length):
    """The private key in a file of mode 0600, whatever the umask; its public part in the record."""
    pem = directory / "key.pem"
    umask = os.umask(0)
    try:
        timed.run("dkim-generate", "example.org/s1", "--algorithm", algorithm, "--out", pem, *args)
    finally:
        os.umask(umask)
    assert stat.S_IMODE(pem.stat().st_mode) == 0o600
    assert pem.read_text(encoding="ascii").startswith("-----BEGIN PRIVATE KEY-----\n")
    (text,) = texts(timed, "s1._domainkey")
    key = base64.b64decode(text.split("p=")[1])
    assert len(key) == length
    assert public(pem).endswith(key)
    # The private key is nowhere in the store.
    secret = pem.read_bytes().split(b"-----")[2]
    secret = base64.b64decode(secret)[-32:]
    assert secret not in (timed.path / "data.mdb").read_bytes()


def test_generate_takes_nothing_away(timed, directory):
    """An existing file, an existing key, an owner that does not exist: refused, nothing is left behind."""
    pem = directory / "key.pem"
    pem.write_text("precious\n", encoding="ascii")
    before = timed.run("export").stdout
    generate = ("--algorithm", "ed25519", "--out")
    timed.run("dkim-generate", "example.org/s1", *generate, pem, status=1)
    assert pem.read_text(encoding="ascii") == "precious\n"
    link = directory / "link.pem"
    link.symlink_to(directory / "elsewhere.pem")
    timed.run("dkim-generate", "example.org/s1", *generate, link, status=1)
    assert not (directory / "elsewhere.pem").exists()
    timed.run("dkim-generate", "nix.example/s1", *generate, directory / "new.pem", status=1)
    timed.run("dkim-generate", "example.org/bad..selector", *generate, directory / "new.pem", status=1)
    assert not (directory / "new.pem").exists()
    assert timed.run("export").stdout == before
    timed.run("dkim-generate", "example.org/s1", *generate, directory / "first.pem")
    done = timed.run("dkim-generate", "example.org/s1", *generate, directory / "second.pem", status=1)
    assert "new selector" in done.stderr
    assert not (directory / "second.pem").exists()


def test_import_of_every_form_gives_the_same_record(timed, directory):
    """Private PEM, public PEM, p=; a whole record is served as it is."""
    pem = directory / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-out", pem], check=True, capture_output=True)
    pub = directory / "pub.pem"
    subprocess.run(["openssl", "pkey", "-in", pem, "-pubout", "-out", pub], check=True, capture_output=True)
    p = "p=" + base64.b64encode(public(pem)).decode()
    forms = [pem, pub, p, f"v=DKIM1; k=rsa; h=sha256; {p}"]
    for i, form in enumerate(forms):
        timed.run("dkim-import", f"example.org/s{i}", form)
    assert {tuple(texts(timed, f"s{i}._domainkey")) for i in range(4)} == {(f"v=DKIM1; k=rsa; h=sha256; {p}",)}
    timed.run("dkim-import", "example.org/whole", f"v=DKIM1; k=rsa; {p}; t=s")
    assert texts(timed, "whole._domainkey") == [f"v=DKIM1; k=rsa; {p}; t=s"]
    timed.run("dkim-import", "example.org/other", f"v=DKIM1; k=rsa; t=s; {p}", "--tags", "h=sha256")
    assert texts(timed, "other._domainkey") == [f"v=DKIM1; k=rsa; h=sha256; {p}"]
    timed.run("dkim-import", "example.org/plain", p, "--tags", "none")
    assert texts(timed, "plain._domainkey") == [f"v=DKIM1; k=rsa; {p}"]


def states(store, *words):
    """State of each key, by its id."""
    return {line.split()[0]: line.split()[2] for line in store.run("dkim-list", *words).stdout.splitlines()}


def test_life_of_a_key(timed, directory):
    """pending, published, active, retired, removed; the record is there from publish to remove."""
    name = "example.org/s1"
    timed.run("dkim-generate", name, "--algorithm", "ed25519", "--out", directory / "s1.pem",
              "--publish", "+1h", "--activate", "+1d")
    timed.run("dkim-retire", name, "--at", "+10d")
    story = [("now", "pending", 0), ("+1h", "published", 1), ("+1d", "active", 1), ("+10d", "retired", 1),
             ("2027-02-01T07:59:59Z", "retired", 1), ("2027-02-01T08:00:00Z", "removed", 0)]
    for when, state, count in story:
        assert states(timed, "--at", when) == {name: state}, when
        assert len(texts(timed, "s1._domainkey", "--at", when)) == count, when


def test_revoke_publishes_an_empty_key(timed, directory):
    """From --at on, until --remove if that is given."""
    for selector, args in (("a", ()), ("b", ("--remove", "+2d"))):
        timed.run("dkim-generate", f"policy:p/{selector}", "--algorithm", "ed25519", "--out",
                  directory / selector)
        timed.run("dkim-retire", f"policy:p/{selector}", "--revoke", "--at", "+1d", *args)
    assert states(timed, "policy:p", "--at", "+5m") == {"policy:p/a": "active", "policy:p/b": "active"}
    assert states(timed, "example.org") == {}
    assert states(timed, "--at", "+1d") == {"policy:p/a": "revoked", "policy:p/b": "revoked"}
    assert texts(timed, "a._domainkey", "--at", "+1d") == ["v=DKIM1; p="]
    assert texts(timed, "a._domainkey", "--at", "+900d") == ["v=DKIM1; p="]
    assert texts(timed, "b._domainkey", "--at", "+3d") == []


# Certificates

def digest(pem):
    """3 1 1 of a certificate, as openssl has it."""
    key = subprocess.run(["openssl", "x509", "-in", pem, "-pubkey", "-noout"], check=True,
                         capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=key, check=True,
                         capture_output=True).stdout
    done = subprocess.run(["openssl", "dgst", "-sha256", "-r"], input=der, check=True, capture_output=True)
    return "3 1 1 " + done.stdout.split()[0].decode()


def test_renewal(timed, directory, clock):
    """Announce, wait two TTLs, deploy; ready says when, by its output and its status."""
    old, new = certificate(directory, "old"), certificate(directory, "new")
    timed.run("cert-import", "web", "--current", old)
    assert tlsa(timed) == [digest(old)]
    timed.run("cert-ready", "web", status=1)
    timed.run("policy-set", "p", "ttl=1800")
    done = timed.run("cert-import", "web", "--next", new)
    assert "2027-01-15T09:00:00Z" in done.stderr
    assert tlsa(timed) == sorted([digest(old), digest(new)])
    # A domain with a longer TTL of its own counts, too.
    timed.run("domain-set", "example.com", "policy=p", "ttl=7200")
    assert timed.run("cert-ready", "web", status=1).stdout == "2027-01-15T12:00:00Z\n"
    clock.move(4 * 3600 - 1)
    timed.run("cert-ready", "web", status=1)
    # The same file again does not begin the wait anew.
    timed.run("cert-import", "web", "--next", new)
    clock.move(1)
    assert timed.run("cert-ready", "web").stdout == "2027-01-15T12:00:00Z\n"
    assert json.loads(timed.run("--json", "cert-ready", "web").stdout) == {
        "certificate": "web", "deploy-from": "2027-01-15T12:00:00Z", "ready": True}
    timed.run("cert-import", "web", "--current", new)
    assert tlsa(timed) == [digest(new)]
    timed.run("cert-ready", "web", status=1)


def test_another_next_begins_the_wait_anew(timed, directory, clock):
    """What nobody has seen yet cannot be deployed."""
    one, two = certificate(directory, "one"), certificate(directory, "two")
    timed.run("cert-import", "web", "--next", one)
    clock.move(86400)
    timed.run("cert-ready", "web")
    timed.run("cert-import", "web", "--next", two)
    timed.run("cert-ready", "web", status=1)


def test_deploy_at_before_it_is_safe_warns(timed, directory):
    """It is taken, with a warning."""
    done = timed.run("cert-import", "web", "--next", certificate(directory), "--deploy-at", "+1h")
    assert "warning: certificate web: deploy-at is before 2027-01-15T10:00:00Z" in done.stderr
    done = timed.run("cert-import", "web", "--deploy-at", "+1d")
    assert "warning" not in done.stderr


def test_forms(timed, directory):
    """Every form, of current and next; what cannot be made is refused."""
    pem = certificate(directory)
    timed.run("cert-import", "web", "--current", pem, "--form", "3 1 1", "--form", "3 0 1", "--form", "3 1 2")
    assert [row[:5] for row in tlsa(timed)] == ["3 0 1", "3 1 1", "3 1 2"]
    timed.run("cert-import", "web", "--form", "3 1 1", "--next", pem, status=2)
    timed.run("cert-import", "web", "--form", "9 9 9", "--current", pem, status=2)
    done = timed.run("cert-import", "web", "--form", "2 1 1", "--current", pem, status=1)
    assert "issuer" in done.stderr
    timed.run("cert-import", "web", "--current", directory / "none.pem", status=1)


# The store

def test_backup_is_a_store(timed, directory):
    """It has the same content, is made while the store is in use, and takes no place that is taken."""
    copy = directory / "copy"
    timed.run("backup", copy)
    assert timed.run("-s", copy, "export").stdout == timed.run("export").stdout
    assert stat.S_IMODE(copy.stat().st_mode) & 0o7 == 0
    timed.run("backup", copy, status=1)
    timed.run("-s", copy, "check")


def test_purge_of_tombstones(directory, clock):
    """A replicated store keeps what was deleted until it is purged."""
    store = Store(directory, clock, init=False)
    store.run("init", "--replicated")
    store.apply(CONF)

    def count():
        info = json.loads(store.run("--json", "store-info").stdout)
        text = dict(re.findall(r"^(\w+): +(\d+)$", store.run("store-info").stdout, flags=re.M))
        assert int(text["tombstones"]) == info["tombstones"]
        assert int(text["domain"]) == info["entries"]["domain"] == len(store.run("domain-list").stdout.splitlines())
        return info["tombstones"]

    assert count() == 0
    store.run("domain-unset", "example.org")
    assert count() == 1
    store.run("domain-show", "example.org", status=1)
    clock.move(10 * 86400)
    assert store.run("purge", "--older-than", "11").stderr == "0 tombstones removed\n"
    assert json.loads(store.run("--json", "purge", "--older-than", "9").stdout) == {"removed": 1}
    assert count() == 0


def test_init_leaves_what_is_there(store):
    """A second init fails; so does one over something else."""
    store.apply(CONF)
    done = store.run("init", status=1)
    assert str(store.path) in done.stderr
    store.run("domain-show", "example.org")


def test_init_modes(directory):
    """2770 and 0660 whatever the umask: the store is its group's, and nobody else's."""
    store = Store(directory, init=False)
    for umask in (0, 0o077):
        path = directory / f"store{umask}"
        old = os.umask(umask)
        try:
            subprocess.run([TOOL, "-s", path, "init"], check=True, capture_output=True,
                           env=store.environment())
        finally:
            os.umask(old)
        assert stat.S_IMODE(path.stat().st_mode) == 0o2770
        assert stat.S_IMODE((path / "data.mdb").stat().st_mode) == 0o660
        assert stat.S_IMODE((path / "keys").stat().st_mode) == 0o2770


def test_listed_keys_say_their_state_in_json(timed):
    """dkim-list --json has what the plain list has, the state as well."""
    timed.apply("dkim:\n  - id: example.org/now\n    cname: a.example.net.\n"
                "  - id: example.org/soon\n    cname: b.example.net.\n    publish: \"2027-01-16T00:00:00Z\"\n")
    rows = [json.loads(line) for line in timed.run("--json", "dkim-list").stdout.splitlines()]
    assert [(row["kind"], row["id"], row["state"]) for row in rows] == [
        ("dkim", "example.org/now", "active"), ("dkim", "example.org/soon", "pending")]
    row = json.loads(timed.run("--json", "dkim-retire", "example.org/now", "--revoke").stdout)
    assert row["state"] == "revoked"


def test_records_announces_what_comes(timed):
    """The table says which records the next steps of the clock bring, each once, and nothing that is there."""
    timed.apply("dkim:\n  - id: example.org/now\n    cname: a.example.net.\n    remove: \"2027-01-18T00:00:00Z\"\n"
                "  - id: example.org/soon\n    cname: b.example.net.\n    publish: \"2027-01-16T00:00:00Z\"\n"
                "  - id: policy:p/later\n    cname: c.example.net.\n    publish: \"2027-01-17T00:00:00Z\"\n")
    now, *coming = timed.run("records", "example.org").stdout.split("\nFrom ")
    assert "now._domainkey" in now and "soon" not in now and "later" not in now
    assert "A record changes at 2027-01-16T00:00:00Z." in now
    assert [part.split() for part in coming] == [
        ["2027-01-16T00:00:00Z:", "soon._domainkey.example.org.", "3600", "CNAME", "b.example.net."],
        ["2027-01-17T00:00:00Z:", "later._domainkey.example.org.", "3600", "CNAME", "c.example.net."]]
    # In the other formats there is only what is there.
    assert "soon" not in timed.run("records", "example.org", "--format", "zone").stdout
    assert "From" not in timed.run("records", "example.org", "--at", "2027-02-01T00:00:00Z").stdout
