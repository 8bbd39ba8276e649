# SPDX-License-Identifier: GPL-3.0-or-later
"""kmailctl: key sets, their rollovers and their files, and the DS for the registrar."""

import glob
import json
import os
import re
import resource
import signal
import stat
import subprocess

import pytest
from harness import TOOL, Store, program

HOUR, DAY = 3600, 86400

CONF = """
policy:
  - id: p
    ns: [ ns1.example.net., ns2.example.net. ]
    record: "long 7200 A 192.0.2.1"
domain:
  - id: example.org
    policy: p
  - id: example.com
    policy: p
"""


@pytest.fixture
def timed(directory, clock):
    """A store whose clock stands at 2027-01-15 08:00; nothing is signed."""
    store = Store(directory, clock)
    store.apply(CONF)
    return store


@pytest.fixture
def secure(timed):
    """The same, with a CSK whose DS is at the parents."""
    timed.run("key-generate", "k")
    timed.run("policy-set", "p", "key-set=k")
    timed.clock.move(DAY)
    timed.run("key-ds-seen", "k")
    return timed


def rows(store, *args):
    """What a verb prints with --json."""
    return [json.loads(line) for line in store.run("--json", *args).stdout.splitlines()]


def keys(store, name="k", *args):
    """The keys of a set, by tag."""
    return {row["tag"]: row for row in rows(store, "key-list", name, *args)}


def only(found):
    """The only element."""
    found = list(found)
    assert len(found) == 1
    return found[0]


def files(store):
    """The names in the key directory."""
    return sorted(os.listdir(store.path / "keys"))


def records(store, rrtype, *args):
    """RDATA of the records of a type at the domain."""
    return sorted(row["data"] for row in rows(store, "records", "example.org", *args)
                  if row["type"] == rrtype and row["owner"] == "example.org.")


def refused(store, *args):
    """The reason for which a verb is refused; the set and its files stay as they were."""
    before, there = store.run("export", "--section", "key-set").stdout, files(store)
    reason = store.run(*args, status=1).stderr
    assert store.run("export", "--section", "key-set").stdout == before
    assert files(store) == there
    return reason


# Making keys

@pytest.mark.parametrize("algorithm,number,args", [
    (None, 13, []), ("ed25519", 15, []), ("rsasha256", 8, []), ("RSASHA256", 8, ["--bits", "3072"])])
def test_generate(timed, algorithm, number, args):
    """The first key signs at once; its private half is in a file that the group may read, no more."""
    words = ["--algorithm", algorithm, *args] if algorithm else []
    timed.run("key-generate", "k", *words)
    tag, key = only(keys(timed).items())
    assert key["role"] == "csk" and key["state"] == "active" and key["private"]
    name = only(files(timed))
    assert name == f"k+{number:03d}+{tag:05d}.pem"
    path = timed.path / "keys" / name
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.stat().st_gid == timed.path.stat().st_gid
    text = subprocess.run(["openssl", "pkey", "-in", path, "-noout", "-text"], check=True,
                          capture_output=True, text=True).stdout
    assert ("3072 bit" in text) == bool(args)
    assert path.read_text().startswith("-----BEGIN PRIVATE KEY-----")


@pytest.mark.parametrize("algorithm,warned", [("ecdsap256sha256", False), ("ed25519", False), ("rsasha256", True)])
def test_rsa_for_many(timed, algorithm, warned):
    """RSA is fine for some domains; for a thousand there is a word, to whoever makes it so, and of check."""
    def says(done, count=1000):
        return f"key-set k: {count} domains are signed with RSA" in done.stdout + done.stderr

    lines = [json.dumps({"kind": "domain", "name": f"d{number}.example", "policy": "p"}) for number in range(1000)]
    timed.run("key-generate", "k", "--algorithm", algorithm)
    timed.run("policy-set", "p", "key-set=k")
    timed.run("policy-set", "q", "ns=ns1.example.net.", "ns=ns2.example.net.")
    assert "RSA" not in timed.load("\n".join(lines[:900]) + "\n").stderr
    assert "signed with RSA" not in timed.run("check", status=None).stdout
    # Each of these makes very many of them so at once.
    assert "RSA" not in timed.load("\n".join(lines).replace('"p"', '"q"') + "\n").stderr
    assert says(timed.load("\n".join(lines) + "\n")) == warned
    assert says(timed.run("check", status=None), 1002) == warned
    timed.run("policy-set", "p", "key-set=none")
    assert says(timed.run("policy-set", "p", "key-set=k"), 1002) == warned
    assert "RSA" not in timed.run("domain-set", "d1.example", "policy=q").stderr


def test_nothing_private_is_printed(timed):
    """Neither the verbs nor the store tell the private key."""
    said = "".join(done.stdout + done.stderr for done in (
        timed.run("--json", "key-generate", "k"), timed.run("key-list"), timed.run("key-plan", "k"),
        timed.run("export"), timed.run("key-show", "k")))
    pem = (timed.path / "keys" / only(files(timed))).read_text()
    secret = pem.splitlines()[1]
    assert secret not in said and "PRIVATE" not in said
    assert secret.encode() not in (timed.path / "data.mdb").read_bytes()


def test_pair(timed):
    """A KSK and a ZSK in one go, and what cannot be first."""
    for role in ("--ksk", "--zsk"):
        assert "the first keys are" in refused(timed, "key-generate", "k", role)
    timed.run("key-generate", "k", "--ksk", "--zsk")
    assert sorted(key["role"] for key in keys(timed).values()) == ["ksk", "zsk"]
    assert len(files(timed)) == 2
    timed.run("policy-set", "p", "key-set=k")
    assert sorted(data[:8] for data in records(timed, "DNSKEY")) == ["256 3 13", "257 3 13"]


@pytest.mark.parametrize("args,words", [
    (["--algorithm", "rsasha1"], "it takes one of: "), (["--bits", "2048"], "rsasha256 only"),
    (["--algorithm", "rsasha256", "--bits", "1024"], "from 2048"), (["--csk", "--zsk"], "alone"),
    (["--delay", "soon"], "no length of time"), (["--at", "tomorrow"], "no time")])
def test_generate_usage(timed, args, words):
    """Wrong words are usage."""
    assert words in timed.run("key-generate", "k", *args, status=2).stderr
    assert files(timed) == []


def test_at(timed):
    """A key may begin later, not earlier."""
    assert "is over" in refused(timed, "key-generate", "k", "--at", "2027-01-15T07:59:59Z")
    timed.run("key-generate", "k", "--at", "+1d")
    key = only(keys(timed).values())
    assert key["state"] == "pending" and key["publish"] == "2027-01-16T08:00:00Z"
    assert only(keys(timed, "k", "--at", "+2d").values())["state"] == "active"


def test_a_file_that_is_in_the_way(timed, directory):
    """A key directory that is not there: the store is not written, either."""
    assert "nowhere" in refused(timed, "key-generate", "k", "--key-directory", directory / "nowhere")
    elsewhere = directory / "elsewhere"
    elsewhere.mkdir()
    timed.run("key-generate", "k", "--key-directory", elsewhere)
    assert len(list(elsewhere.iterdir())) == 1 and files(timed) == []
    assert not only(keys(timed).values())["private"]
    assert only(keys(timed, "k", "--key-directory", elsewhere).values())["private"]


def test_a_commit_that_fails(store):
    """The file of the key was there first; it is taken away again. (No file may grow past two pages of the store.)"""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
    done = subprocess.run([str(TOOL), "-s", str(store.path), "key-generate", "k"], preexec_fn=limit,
                          restore_signals=False, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "full" in done.stderr, done.stderr
    assert files(store) == []
    store.run("key-generate", "k")
    assert len(files(store)) == 1


# The life of a set: times as kmailctl(8) says

def test_first_key_and_its_ds(timed):
    """The DS waits for the largest TTL and the delay; the word on it too."""
    timed.run("policy-set", "p", "ttl=600")
    timed.run("key-generate", "k")
    timed.run("policy-set", "p", "key-set=k")
    key = only(keys(timed).values())
    # Nobody named the set when it was made: an hour of TTL is assumed, an hour of delay.
    assert key["ds"] == "2027-01-15T10:00:00Z" and key["next"] == "ds"
    assert "no DS before 2027-01-15T10:00:00Z" in timed.run("ds", "example.org", status=1).stderr
    assert "should not be at the parent before" in refused(timed, "key-ds-seen", "k")
    assert records(timed, "CDS") == []
    timed.clock.move(2 * HOUR)
    assert len(records(timed, "CDS")) == 1 and len(records(timed, "CDNSKEY")) == 1
    assert only(keys(timed).values())["next"] == "ds-seen"
    assert "kmailctl key-ds-seen k --tag" in timed.run("key-plan", "k").stdout
    timed.run("key-ds-seen", "k")
    assert "no key waits" in refused(timed, "key-ds-seen", "k")
    timed.run("check")


def test_csk_rollover(secure):
    """Published, DS, the word, then the swap: with the largest TTL of the zone (a record's own, 7200)."""
    old = only(keys(secure))
    assert "CSK" in secure.run("key-generate", "k", "--delay", "60").stderr
    new = only(set(keys(secure)) - {old})
    assert keys(secure)[new]["state"] == "published" and keys(secure)[new]["ds"] == "2027-01-16T09:01:00Z"
    assert len(records(secure, "DNSKEY")) == 2
    assert "a rollover is running" in refused(secure, "key-generate", "k")
    secure.clock.move(HOUR + 60)
    assert len(records(secure, "CDS")) == 2
    secure.run("key-ds-seen", "k", "--delay", "60", "--ds-ttl", "2d")
    found = keys(secure)
    assert found[new]["activate"] == found[old]["retire"] == found[old]["ds-until"] == "2027-01-18T09:01:00Z"
    assert found[old]["remove"] == "2027-01-18T11:02:00Z"
    secure.clock.move(2 * DAY)
    found = keys(secure)
    assert (found[old]["state"], found[new]["state"]) == ("retired", "active")
    assert [data.split()[0] for data in records(secure, "CDS")] == [str(new)]
    secure.clock.move(DAY)
    assert keys(secure)[old]["state"] == "removed" and len(records(secure, "DNSKEY")) == 1
    secure.run("check")


def test_zsk_and_ksk_rollover(timed):
    """Both at the same time, as they do not concern each other."""
    timed.run("key-generate", "k", "--ksk", "--zsk")
    timed.run("policy-set", "p", "key-set=k")
    timed.clock.move(DAY)
    timed.run("key-ds-seen", "k")
    assert "say --ksk, --zsk" in timed.run("key-generate", "k", status=2).stderr
    timed.run("key-generate", "k", "--zsk")
    zsk = [key for key in keys(timed).values() if key["role"] == "zsk"]
    assert sorted(key["state"] for key in zsk) == ["active", "published"]
    assert {key.get("activate") for key in zsk} == {"2027-01-15T08:00:00Z", "2027-01-16T10:00:00Z"}
    assert {key.get("retire") for key in zsk} == {None, "2027-01-16T10:00:00Z"}
    assert {key.get("remove") for key in zsk} == {None, "2027-01-16T13:00:00Z"}
    timed.run("key-generate", "k", "--ksk")
    assert len(records(timed, "DNSKEY")) == 4
    timed.clock.move(2 * HOUR)
    timed.run("key-ds-seen", "k")
    timed.clock.move(2 * DAY)
    assert len(records(timed, "DNSKEY")) == 2
    assert sorted(key["state"] for key in keys(timed).values()) == ["active", "active", "removed", "removed"]


def test_algorithm_rollover(secure):
    """Signatures, DNSKEY, DS for DS, DNSKEY away, signatures away."""
    old = only(keys(secure))
    secure.run("key-generate", "k", "--algorithm", "ed25519")
    new = only(set(keys(secure)) - {old})
    assert keys(secure)[new]["state"] == "signs without DNSKEY"
    assert len(records(secure, "DNSKEY")) == 1
    secure.clock.move(3 * HOUR)
    assert len(records(secure, "DNSKEY")) == 2
    assert [data.split()[0] for data in records(secure, "CDS")] == [str(old)]
    secure.clock.move(2 * HOUR)
    assert [data.split()[0] for data in records(secure, "CDS")] == [str(new)]
    secure.run("key-ds-seen", "k", "--tag", new)
    found = keys(secure)
    assert found[old]["remove"] == "2027-01-17T14:00:00Z" and found[old]["retire"] == "2027-01-17T16:00:00Z"
    secure.clock.move(DAY + HOUR)
    assert keys(secure)[old]["state"] == "signs without DNSKEY"
    assert len(records(secure, "DNSKEY")) == 1


def test_leaving(secure):
    """The delete form, the word, the end; and then a new life."""
    assert "does not leave" in refused(secure, "key-ds-seen", "k", "--gone")
    secure.run("key-retire", "k", "--all")
    assert records(secure, "CDS") == ["0 0 0 00"] and records(secure, "CDNSKEY") == ["0 3 0 AA=="]
    assert "should have no DS" in secure.run("ds", "example.org", status=1).stderr
    assert "leaves DNSSEC" in refused(secure, "key-generate", "k")
    assert "not every server" in refused(secure, "key-ds-seen", "k", "--gone")
    assert len(records(secure, "DNSKEY")) == 1
    secure.clock.move(DAY)
    secure.run("key-ds-seen", "k", "--gone")
    assert "said before" in refused(secure, "key-ds-seen", "k", "--gone")
    secure.clock.move(DAY + 2 * HOUR - 1)
    assert len(records(secure, "DNSKEY")) == 1
    secure.clock.move(1)
    assert records(secure, "DNSKEY") == records(secure, "CDS") == []
    secure.run("policy-unset", "p", "key-set")
    secure.run("key-generate", "k")
    assert sum(key["state"] == "active" for key in keys(secure).values()) == 1


def test_retire(secure):
    """By hand: not the only key, not one whose successor is not known; a new key that was not needed."""
    old = only(keys(secure))
    assert "at the parent" in refused(secure, "key-retire", "k", "--tag", old)
    assert "no key 1" in refused(secure, "key-retire", "k", "--tag", 1)
    assert secure.run("key-retire", "k", status=2)
    secure.run("key-generate", "k")
    new = only(set(keys(secure)) - {old})
    assert "at the parent" in refused(secure, "key-retire", "k", "--tag", old)
    secure.run("key-retire", "k", "--tag", new)
    secure.clock.move(DAY)
    assert keys(secure)[new]["state"] == "removed" and keys(secure)[old]["state"] == "active"
    secure.run("key-generate", "k")


def test_plan(secure):
    """All steps in the order of time; what waits comes last."""
    secure.run("key-generate", "k", "--algorithm", "ed25519")
    plan = rows(secure, "key-plan", "k")
    times = [row.get("time", "9999") for row in plan]
    assert times == sorted(times)
    assert [row["step"] for row in plan][-1] == "ds-seen" and "time" not in plan[-1]
    assert [row["done"] for row in plan] == sorted((row["done"] for row in plan), reverse=True)
    text = secure.run("key-plan", "k").stdout
    assert text.count("done") == sum(row["done"] for row in plan)
    assert "RFC 6781 4.1.4" in text


def test_sets_that_break_the_chain(secure):
    """apply does not take a set with a moment in which nothing signs; nor one in use away."""
    shown = secure.run("key-show", "k").stdout
    conf = "key-set:\n" + shown if not shown.startswith("key-set") else shown
    secure.apply(conf)
    broken = re.sub(r'(csk )', r'\1retire=2027-02-01T00:00:00Z ', conf)
    assert "none signs records" in secure.apply(broken, status=1).stderr
    broken = re.sub(r'(csk )', r'\1retire=2027-02-01T00:00:00Z remove=2027-02-01T00:00:00Z ', conf)
    assert "is gone whose DS was seen" in secure.apply(broken, status=1).stderr
    assert "key-set k is in use: by policy p" in refused(secure, "key-unset", "k")
    assert "the DS of key" in refused(secure, "key-unset", "k", "key")


# Other keys for a domain that has a DS

def test_another_key_set(secure):
    """Refused in whatever way it comes, but for the same keys in another set, or by force."""
    secure.run("key-generate", "other")
    secure.run("policy-set", "q", "ns=ns1.example.net.", "key-set=other")
    secure.run("policy-set", "unsigned", "ns=ns1.example.net.")
    for words in (["policy-set", "p", "key-set=other"], ["policy-unset", "p", "key-set"],
                  ["domain-set", "example.org", "key-set=other"], ["domain-set", "example.org", "policy=q"],
                  ["domain-set", "example.org", "policy=unsigned"]):
        assert "is at the parents, and the keys change" in secure.run(*words, status=1).stderr
    for policy in ("q", "unsigned"):
        assert "keys change" in secure.load(
            json.dumps({"kind": "domain", "name": "example.org", "policy": policy}), status=1).stderr
        assert "keys change" in secure.apply(f"domain:\n  - id: example.org\n    policy: {policy}\n",
                                             status=1).stderr
    assert rows(secure, "domain-show", "example.org")[0]["policy"] == "p"
    # The way that is told: the old key in the new set, which then rolls over.
    pem = only(glob.glob(str(secure.path / "keys" / "k+*")))
    secure.run("key-import", "moved", pem, "--ds-seen")
    secure.run("domain-set", "example.org", "key-set=moved")
    assert [row["tag"] for row in rows(secure, "ds", "example.org")] == list(keys(secure, "k"))
    secure.run("key-generate", "moved")
    # Force; a deletion is told.
    assert "refuse every answer" in secure.run("policy-set", "p", "key-set=other", "--force").stderr
    assert "is at its parents" in secure.run("domain-unset", "example.org").stderr


def test_a_domain_that_begins_late(timed):
    """A set that is named long after it was made: its DS waits for the longest TTL, a record's own of two hours."""
    timed.run("key-generate", "k")
    timed.clock.move(DAY)
    assert "before 2027-01-16T11:00:00Z" in timed.run("policy-set", "p", "key-set=k").stderr


# DS

def key_file(store, directory, domain="example.org"):
    """The DNSKEY as a zone file that other tools read."""
    path = directory / "dnskey"
    path.write_text("".join(f"{domain}. 3600 IN DNSKEY {data}\n" for data in records(store, "DNSKEY")))
    return path


@pytest.mark.parametrize("algorithm", ["ecdsap256sha256", "ed25519", "rsasha256"])
def test_ds_is_as_others_make_it(timed, directory, algorithm):
    """ldns-key2ds and dnssec-dsfromkey make the same DS, text and CDS."""
    timed.run("key-generate", "k", "--algorithm", algorithm)
    timed.run("policy-set", "p", "key-set=k")
    timed.clock.move(DAY)
    mine = timed.run("ds", "example.org").stdout.split("\n")[:-1]
    path = key_file(timed, directory)
    bind = subprocess.run([program("dnssec-dsfromkey"), "-f", path, "-a", "SHA-256", "-a", "SHA-384",
                           "example.org"], check=True, capture_output=True, text=True).stdout
    assert sorted(mine) == sorted(" ".join(line.split()) for line in bind.splitlines())
    ldns = subprocess.run([program("ldns-key2ds"), "-n", "-2", path], check=True, capture_output=True,
                          text=True).stdout.split()
    assert mine[0].split()[3:] == [*ldns[4:7], ldns[7].upper()]
    assert records(timed, "CDS") == [" ".join(mine[0].split()[3:])]
    assert timed.run("ds", "example.org", "--digest", "sha384").stdout.split("\n")[:-1] == mine[1:]


def test_ds_of_all(secure):
    """Each signed domain, also those with a set of their own and aliases; JSON; the one that is not signed is left out."""
    secure.run("key-generate", "own")
    secure.apply("""policy:
  - id: plain
    ns: ns1.example.net.
domain:
  - id: own.example
    policy: p
    key-set: own
  - id: alias.example
    alias: example.org
  - id: plain.example
    policy: plain
""")
    secure.clock.move(DAY)
    found = rows(secure, "ds", "--all")
    assert sorted(row["domain"] for row in found) == ["alias.example", "example.com", "example.org", "own.example"]
    tags = {row["domain"]: row["tag"] for row in found}
    assert tags["alias.example"] == tags["example.org"] != tags["own.example"]
    text = secure.run("ds", "--all").stdout
    for row in found:
        assert row["algorithm"] == 13 and row["flags"] == 257
        assert [digest["type"] for digest in row["digests"]] == [2, 4]
        for digest in row["digests"]:
            assert f"{row['domain']}. IN DS {row['tag']} 13 {digest['type']} {digest['digest']}\n" in text
    assert "is not signed" in secure.run("ds", "plain.example", status=1).stderr
    assert secure.run("ds", status=2) and secure.run("ds", "example.org", "--all", status=2)
    assert secure.run("ds", "example.org", "--digest", "sha1", status=2)


# Keys of others

def made_by(command, directory):
    """Runs a key generator in a directory. Returns the paths of the .private files."""
    before = set(directory.iterdir())
    subprocess.run(command, cwd=directory, check=True, capture_output=True)
    return sorted(str(path) for path in set(directory.iterdir()) - before if path.suffix == ".private")


@pytest.mark.parametrize("command", [
    ["dnssec-keygen", "-a", "ECDSAP256SHA256", "-f", "KSK", "example.org"],
    ["dnssec-keygen", "-a", "ED25519", "-f", "KSK", "example.org"],
    ["dnssec-keygen", "-a", "RSASHA256", "-b", "2048", "-f", "KSK", "example.org"],
    ["ldns-keygen", "-a", "ECDSAP256SHA256", "-k", "example.org"],
    ["ldns-keygen", "-a", "ED25519", "-k", "example.org"],
    ["ldns-keygen", "-a", "RSASHA256", "-b", "2048", "-k", "example.org"]],
    ids=lambda words: f"{words[0]}-{words[2]}")
def test_import_bind_files(timed, directory, command):
    """One key with the SEP flag is a CSK; its record is that of the .key file, and its tag that of its name."""
    path = only(made_by([program(command[0]), *command[1:]], directory))
    timed.run("key-import", "k", path)
    tag, key = only(keys(timed).items())
    assert key["role"] == "csk" and key["private"]
    assert path.endswith(f"+{tag:05d}.private")
    timed.run("policy-set", "p", "key-set=k")
    text = open(path.replace(".private", ".key"), encoding="ascii").read()
    record = re.search(r"DNSKEY\s+(\d+ \d+ \d+) ([^;\n]+)", text)
    timed.clock.move(DAY)
    assert records(timed, "DNSKEY") == [f"{record[1]} {record[2].replace(' ', '')}"]


def test_import_a_pair(timed, directory):
    """KSK and ZSK, named by either file; --ds-seen."""
    ksk = only(made_by([program("dnssec-keygen"), "-a", "13", "-f", "KSK", "example.org"], directory))
    zsk = only(made_by([program("dnssec-keygen"), "-a", "13", "example.org"], directory))
    timed.run("key-import", "k", ksk.replace(".private", ".key"), zsk, "--ds-seen")
    found = {key["role"]: key for key in keys(timed).values()}
    assert sorted(found) == ["ksk", "zsk"]
    assert found["ksk"]["ds-seen"] == "2027-01-15T08:00:00Z" and "ds" not in found["zsk"]
    assert "must be" not in timed.run("check").stdout


def test_import_times(timed, directory):
    """Times of the pair count; an end that nothing follows does not."""
    path = only(made_by([program("dnssec-keygen"), "-a", "13", "-f", "KSK", "-P", "20270120000000", "-A",
                         "20270121000000", "-I", "20280101000000", "-D", "20280201000000", "-P",
                         "sync", "20270301000000", "example.org"], directory))
    assert "are left out" in timed.run("key-import", "k", path).stderr
    key = only(keys(timed).values())
    assert key["publish"] == key["activate"] == "2027-01-21T00:00:00Z"
    assert key["ds"] == "2027-03-01T00:00:00Z"
    assert "retire" not in key and "remove" not in key


def test_import_as_a_rollover(secure, directory):
    """Into a set with keys an imported key comes as one that is made."""
    path = only(made_by([program("ldns-keygen"), "-a", "ECDSAP256SHA256", "-k", "example.org"], directory))
    assert "CSK rollover" in secure.run("key-import", "k", path).stderr
    assert sorted(key["state"] for key in keys(secure).values()) == ["active", "published"]


def test_import_keymgr(timed, directory):
    """PEM files of Knot's own key store."""
    kasp = directory / "kasp"
    kasp.mkdir()
    subprocess.run([program("keymgr"), "--dir", kasp, "example.org.", "generate", "algorithm=ed25519", "ksk=yes",
                    "zsk=yes"], check=True, capture_output=True)
    dnskey = subprocess.run([program("keymgr"), "--dir", kasp, "example.org.", "dnskey"], check=True,
                            capture_output=True, text=True).stdout
    timed.run("key-import", "k", only(kasp.glob("keys/*.pem")))
    timed.run("policy-set", "p", "key-set=k")
    assert records(timed, "DNSKEY") == [" ".join(dnskey.split()[2:6])]


def test_import_refused(timed, directory):
    """What is no key, is encrypted, of another curve, public alone, or beside a foreign record."""
    def pem(name, *command):
        path = directory / name
        subprocess.run(["openssl", *command, "-out", path], check=True, capture_output=True)
        return path
    good = pem("good", "genpkey", "-algorithm", "ed25519")
    bad = [pem("p384", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"),
           pem("small", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"),
           pem("public", "pkey", "-in", good, "-pubout"), directory / "nothing"]
    for path in bad:
        assert refused(timed, "key-import", "k", path)
    one, two = (only(made_by([program("dnssec-keygen"), "-a", "13", "example.org"], directory)) for _ in range(2))
    os.replace(one.replace(".private", ".key"), two.replace(".private", ".key"))
    assert "of another key" in refused(timed, "key-import", "k", two)
    assert timed.run("key-import", "k", good, "--ksk", "--zsk", status=2)


# check

def test_check(secure):
    """Private keys that are missing or that all can read; ends; MX hosts elsewhere; SHA-1."""
    path = secure.path / "keys" / only(files(secure))
    assert "0 warnings" in secure.run("check").stdout
    path.chmod(0o644)
    assert "can be read by everybody" in secure.run("check").stdout
    path.chmod(0o640)
    text = path.read_text()
    path.write_text("no key")
    assert "holds no private key" in secure.run("check").stdout
    path.unlink()
    assert "is missing" in secure.run("check").stdout
    path.write_text(text)
    path.chmod(0o640)
    secure.apply("""host:
  - id: mx
    name: mx.provider.example.
    address: 192.0.2.25
    tlsa: "3 1 1 """ + "ab" * 32 + """"
policy:
  - id: plain
    ns: ns1.example.net.
    host: mx
domain:
  - id: provider.example
    policy: plain
  - id: delegating.example
    policy: p
    mx: "10 mx.provider.example."
    delegation: [ "sub NS ns.example.net.", "sub DS 1 13 1 """ + "ab" * 20 + """" ]
""")
    found = secure.run("check", "delegating.example", "provider.example").stdout
    assert "not the domain provider.example of its MX host" in found
    assert "SHA-1" in found
    assert "TLSA records have no effect" in found


def test_check_tells_an_end(timed):
    """A set that nobody rolls over and that ends."""
    conf = "key-set:\n  - id: k\n    key: \"3613 ed25519 csk {} l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=\"\n"
    timed.apply(conf.format("retire=2027-02-01T00:00:00Z remove=2027-02-01T00:00:00Z"))
    assert "and no other follows it" in timed.run("check").stdout
    timed.apply(conf.format("retire=2028-02-01T00:00:00Z remove=2028-02-01T00:00:00Z"))
    assert "and no other follows it" not in timed.run("check").stdout


# Completion, help

@pytest.mark.parametrize("words,expected", [
    (["key-list", ""], ["k"]), (["key-import", "k", ""], [":file"]), (["ds", "example.c"], ["example.com"]),
    (["ds", "--digest", "sha3"], ["sha384"]), (["key-generate", "k", "--k"], ["--key-directory", "--ksk"]),
    (["policy-set", "p", "key-set="], ["key-set=k"]), (["key-unset", "k", "le"], ["leave"])])
def test_completion(secure, words, expected):
    """Names of key sets, options and their values."""
    done = subprocess.run([TOOL, "completion", "-s", secure.path, *words], capture_output=True, text=True,
                          check=True)
    assert sorted(done.stdout.split()) == expected
