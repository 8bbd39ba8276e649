# SPDX-License-Identifier: GPL-3.0-or-later
"""Stores of older formats are read, answered from, and written on.

tests/data/store-N has a store that a program made which knew format N, and what that program exported of it: its entries,
and its zones at EXPORTED, with --unsigned and --reports. The domains are those of test_differential.py and some more.
"""

import gzip
import os
import random
import re
import shutil

import pytest

from dnssec import key_set
from harness import TOP, Knotd, Store
from test_differential import SEED, same_answers
from test_dnssec_answers import Signed, asked_of, verify_all
from test_dnssec_export import Exported, look
from test_dnssec_unbound import Setting, resolve

DATA = TOP / "tests/data/store-1"
EXPORTED = "2029-01-01T00:00:00Z"

# The private key of their key set is not there, so that nobody can ask for them with DO.
SIGNED = {"copy.example", "deleg.example", "tags.example", "unparked.example"}


@pytest.fixture(name="old")
def old_store(directory):
    """A copy of the store of format 1."""
    store = Store(directory, init=False)
    store.path.mkdir(mode=0o750)
    with gzip.open(DATA / "data.mdb.gz") as packed, open(store.path / "data.mdb", "wb") as file:
        shutil.copyfileobj(packed, file)
    os.chmod(store.path / "data.mdb", 0o660)
    return store


def zones_then():
    """The zones that the program of then exported, by domain."""
    text = (DATA / "zones.txt").read_text(encoding="utf-8")
    return {zone.split(".\n", 1)[0]: "$ORIGIN " + zone for zone in re.split(r"^\$ORIGIN ", text, flags=re.M)[1:]}


def zones_now(store):
    """The zones that are exported now."""
    into = store.directory / "zones"
    into.mkdir()
    store.run("export", "--format", "zone", "--unsigned", "--reports", "--at", EXPORTED, "--directory", into)
    return {path.name.removesuffix(".zone"): path.read_text(encoding="utf-8") for path in into.iterdir()}


def test_read(old):
    """Entries and zones are those that the program of then exported, octet by octet."""
    assert "format:        1\n" in old.run("store-info").stdout
    assert old.run("export").stdout == (DATA / "export.ndjson").read_text(encoding="utf-8")
    then = zones_then()
    assert len(then) == 23 and then == zones_now(old)


def test_answered(old):
    """A knotd that has those zones itself gives the same answers."""
    print(f"MAIL_SEED={SEED}")
    zones = {domain: text for domain, text in zones_then().items() if domain not in SIGNED}
    same_answers(old, zones, random.Random(f"{SEED} format 1"), most=20000)


def test_signed(old):
    """Signed with a key that is there: third parties find answers and exported zones right."""
    print(f"MAIL_SEED={SEED}")
    keys = key_set("signed", "ed25519")
    (old.path / "keys").mkdir(mode=0o750)
    keys.install(old)
    old.apply(keys.text())
    # The entries of the domains stay as they are.
    for policy in ("upper", "odd", "inside"):
        old.run("policy-set", policy, "key-set=signed")
    names = ["nasty.example", "alias.example", "quiet.example", "cut.example", "x.sub.cut.example", "xn--bcher-kva.example", *sorted(SIGNED)]
    signed = Signed(old, names, dict.fromkeys(names, keys), f"{SEED} format 1")
    dice, zones = random.Random(signed.seed), signed.zones()
    look(Exported(signed))
    with Knotd(old) as knotd:
        zones.wait(knotd)
        verify_all(zones, knotd, dice.sample(asked_of(zones, set(), dice), 1500))
    resolve(Setting(signed), 1)
    assert "format:        1\n" in old.run("store-info").stdout


def test_written_on(old):
    """What is written has the layout that a reader of format 1 knows; the store keeps its format."""
    old.run("domain-set", "late.example", "policy=thin", "txt=x")
    info = old.run("store-info").stdout
    assert "format:        1\n" in info
    # Header without extensions, layout 1, policy thin, txt x (doc/mail-store.rst).
    value = b"\x00\x00" + b"\x01" + b"\x01\x00\x01\x00\x04thin" + b"\x1b\x00\x01\x00\x01x"
    octets = (old.path / "data.mdb").read_bytes()
    assert value in octets
    assert 'late.example. 3600 IN TXT "x"' in re.sub(r"\s+", " ", old.run(
        "records", "late.example", "--format", "zone").stdout)
    # And one of format 2 has the layout with rows.
    fresh = Store(old.directory)
    fresh.run("import", "-", stdin=old.run("export").stdout)
    octets = (fresh.path / "data.mdb").read_bytes()
    assert value not in octets and b"\x00\x00\x02" + bytes(4) + b"\x08" in octets


def test_written_anew(old):
    """Exported and imported, the store has the format of today, and the same zones."""
    fresh = Store(old.directory)
    fresh.run("import", "-", stdin=old.run("export").stdout)
    assert "format:        2\n" in fresh.run("store-info").stdout
    assert fresh.run("export").stdout == (DATA / "export.ndjson").read_text(encoding="utf-8")
    serial = re.compile(r"(SOA\s+\S+\s+\S+)\s+\d+")
    then, now = zones_then(), zones_now(fresh)
    assert {d: serial.sub(r"\1", z) for d, z in then.items()} == \
        {d: serial.sub(r"\1", z) for d, z in now.items()}


def test_rows_checked(directory):
    """Rendered records that are not those of the items are found, and rendered anew."""
    store = Store(directory)
    store.run("policy-set", "p", "ns=ns.example.net.")
    store.run("domain-set", "example.org", "policy=p", "record=www A 192.0.2.80")
    assert "rendered" not in store.run("check", status=None).stdout
    path = store.path / "data.mdb"
    octets = path.read_bytes()
    address = bytes([192, 0, 2, 80])
    assert address in octets
    path.write_bytes(octets.replace(address, bytes([192, 0, 2, 81])))
    said = store.run("check", status=1).stdout
    assert ("domain example.org: its rendered records are not those of its items, so answers may be wrong: "
            "kmailctl check --repair renders them anew") in said, said
    with Knotd(store) as knotd:
        assert knotd.ask("www.example.org", "A").answer[0][0].to_text() == "192.0.2.81"
    done = store.run("check", "--repair", status=None)
    assert "records of 1 domain are rendered anew" in done.stdout + done.stderr, done
    assert "its rendered records" not in done.stdout
    with Knotd(store) as knotd:
        assert knotd.ask("www.example.org", "A").answer[0][0].to_text() == "192.0.2.80"
    done = store.run("check", "--repair", status=None)
    assert "are rendered anew" not in done.stdout + done.stderr
