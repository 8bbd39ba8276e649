# SPDX-License-Identifier: GPL-3.0-or-later
"""kmailctl: every verb that writes says what it did; ids that are a slip for another one."""

import json

import pytest
from harness import Store

D = "example.net"
ED25519 = "p=N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
HASH = "064dbc632f1ba7d0a2a3faeadeedfebd6f90f850dfb852c97ee9df9b6e5c5e7c"
CONF = """
host:
  - id: mail
    name: mail
    address: 192.0.2.25
policy:
  - id: business
    host: mail
    ns: ns1.example.com.
    mx: "10 mail"
  - id: above
    base: business
domain:
  - id: example.net
    policy: business
  - id: example.org
    policy: above
  - id: example.edu
    alias: example.net
"""


@pytest.fixture
def full(store):
    """Two domains and an alias."""
    store.apply(CONF)
    return store


def objects(text):
    """NDJSON."""
    return [json.loads(line) for line in text.splitlines()]


SAID = [
    (["policy-set", "other", "ttl=60"], "policy other created"),
    (["policy-set", "business", "ttl=60", "spf=mx"], "policy business changed (spf, ttl); 3 domains follow it"),
    (["policy-set", "above", "spf-add=a"], "policy above changed (spf-add); 1 domain follows it"),
    (["policy-set", "business", "mx=10 mail"], "policy business unchanged"),
    (["policy-unset", "business", "mx"], "policy business changed (mx); 3 domains follow it"),
    (["policy-unset", "parked"], "policy parked deleted"),
    (["host-set", "mail", "address+=2001:db8::1"], "host mail changed (address); 3 domains have it"),
    (["host-set", "ns", "name=ns"], "host ns created"),
    (["domain-set", "example.info", "policy=business"], "domain example.info created (policy business)"),
    (["domain-set", "example.info", "alias=example.net"], "domain example.info created (alias of example.net)"),
    (["domain-set", D, "mx=20 mail", "spf=none"], f"domain {D} changed (mx, spf); 1 domain is an alias of it"),
    (["domain-set", "example.org", "no-mail"], "domain example.org changed (no-mail)"),
    (["domain-set", "example.org", "policy=above"], "domain example.org unchanged"),
    (["domain-unset", "example.edu"], "domain example.edu deleted"),
    (["dkim-set", f"{D}/s1", f"key={ED25519}"], f"dkim {D}/s1 created; 2 domains have it"),
    (["cert-set", "web", f"current=3 1 1 {HASH}"], "certificate web created"),
    (["key-set", "shared", "leave=2030-01-01T00:00:00Z"], "key-set shared created"),
]


@pytest.mark.parametrize("words,said", SAID)
def test_what_was_done(full, words, said):
    """One line on stderr; none with -q; would, in a dry run; an object with --json."""
    before = full.run("export").stdout
    done = full.run(*words, "--dry-run")
    would = said if said.endswith("unchanged") else \
        said.replace(" created", " would be created").replace(" changed", " would be changed") \
            .replace(" deleted", " would be deleted")
    assert done.stderr == would + "\n"
    assert full.run("export").stdout == before
    (found,) = objects(full.run("--json", *words, "--dry-run").stderr)
    assert found["dry-run"] is True
    done = full.run(*words)
    assert (done.stdout, done.stderr) == ("", said + "\n")
    assert (full.run("export").stdout == before) == said.endswith("unchanged")


@pytest.mark.parametrize("words,said", SAID)
def test_quiet(full, words, said):
    """-q silences what was done."""
    before = full.run("export").stdout
    done = full.run("-q", *words)
    assert (done.stdout, done.stderr) == ("", "")
    assert (full.run("export").stdout == before) == said.endswith("unchanged")


def test_quiet_is_not_silent(full):
    """Warnings and errors are said."""
    assert "warning: " in full.run("--quiet", "policy-set", "business", "mx=10 nix").stderr
    assert "kmailctl: " in full.run("-q", "policy-set", "business", "mx=x y z", status=1).stderr
    done = full.load('{"kind":"host","id":"a","name":"a"}\n{}\n', "-q", "--batch", "1", status=1)
    assert "go on with --skip 1" in done.stderr


def test_as_objects(full):
    """Entry, items, domains."""
    done = full.run("--json", "domain-set", D, "mx=20 mail", "spf-add=a")
    assert done.stdout == ""
    assert objects(done.stderr) == [{"done": "changed", "section": "domain", "id": D, "items": ["mx", "spf-add"],
                                     "domains": 2, "dry-run": False}]
    (found,) = objects(full.run("--json", "domain-unset", "example.edu").stderr)
    assert (found["done"], found["id"], "items" in found) == ("deleted", "example.edu", False)
    assert full.run("--json", "-q", "domain-set", D, "mx=30 mail").stderr == ""
    copy = full.directory / "copy"
    assert objects(full.run("--json", "backup", copy).stderr)[-1] == {"done": "copied", "path": str(copy)}


def test_keys_go_with_their_owner(full):
    """The number of DKIM keys that are deleted with a domain."""
    full.run("dkim-import", "example.org/s1", ED25519)
    full.run("dkim-import", "example.org/s2", ED25519)
    assert full.run("domain-unset", "example.org").stderr == "domain example.org deleted with 2 DKIM keys\n"


def test_other_verbs(directory):
    """Those that have no entry, or make keys: one line on stderr."""
    store = Store(directory, init=False)
    assert store.init().stderr == f"made the store {store.path}\n"
    assert store.apply(CONF).stderr == "6 added, 0 changed, 0 deleted, 0 unchanged; 3 domains concerned\n"
    assert store.load('{"kind":"host","id":"a","name":"a"}\n').stderr == \
        "1 line: 1 added, 0 changed, 0 deleted, 0 unchanged\n"
    pem = directory / "s1.pem"
    done = store.run("dkim-generate", f"{D}/s1", "--algorithm", "ed25519", "--out", pem)
    assert done.stderr.startswith(f"dkim {D}/s1 created; private key in {pem}; published from ")
    assert done.stderr.count("\n") == 1
    done = store.run("dkim-import", f"{D}/s2", ED25519)
    assert done.stderr.startswith(f"dkim {D}/s2 created; published from ")
    assert store.run("dkim-retire", f"{D}/s2").stderr.startswith(f"dkim {D}/s2 changed (retire, remove, activate)")
    assert store.run("key-generate", "shared").stderr.startswith("key-set shared created; ")
    assert store.run("purge", "--older-than", "1").stderr == "0 tombstones removed\n"
    assert store.run("backup", directory / "copy").stderr.endswith(f"copied {store.path} to {directory / 'copy'}\n")
    for words in (["apply", store.file(CONF, ".conf")], ["purge", "--older-than", "1"],
                  ["backup", directory / "copy2"]):
        done = store.run("-q", *words)
        assert (done.stdout, done.stderr) == ("", ""), words


# Ids that may be a slip

NEAR = ["busines", "bussiness", "bisiness", "buisness", "Business", "business-", "xbusiness"]


@pytest.mark.parametrize("name", NEAR)
def test_near_id(full, name):
    """One letter from an existing one: refused where nobody can be asked, made with --create."""
    before = full.run("export").stdout
    done = full.run("policy-set", name, "ttl=60", status=1)
    assert f"policy {name} does not exist; did you mean business? --create makes a new policy" \
        in done.stderr
    error = objects(full.run("--json", "policy-set", name, "ttl=60", status=1).stderr)[-1]
    assert error["error"] == "not-found"
    assert full.run("export").stdout == before
    assert full.run("policy-set", name, "ttl=60", "--create").stderr == f"policy {name} created\n"
    full.run("policy-set", name, "ttl=70")


@pytest.mark.parametrize("verb,first,second,words", [
    ("policy-set", "business", "business2", ["ttl=60"]),
    ("policy-set", "host10", "host11", ["ttl=60"]),
    ("policy-set", "mx-a", "mx-b", ["ttl=60"]),
    ("policy-set", "gold", "golf", ["ttl=60"]),
    ("policy-set", "business", "busine", ["ttl=60"]),
    ("policy-set", "business", "basimess", ["ttl=60"]),
    ("host-set", "mail1", "mail2", ["name=a"]),
    ("domain-set", "example.net", "exemple.net", ["policy=business"]),
    ("domain-set", "example.net", "example.met", ["policy=business"]),
    ("dkim-set", f"{D}/selector", f"{D}/selectar", [f"key={ED25519}"]),
])
def test_not_near(full, verb, first, second, words):
    """Numbers, short ids, two letters; never a domain or a selector."""
    full.run(verb, first, *words)
    full.run(verb, second, *words)


@pytest.mark.parametrize("verb,words", [
    ("host-set", ["name=mail"]),
    ("cert-set", [f"current=3 1 1 {HASH}"]),
    ("key-set", ["leave=2030-01-01T00:00:00Z"]),
    ("key-generate", []),
])
def test_near_id_of_every_section(full, verb, words):
    """Hosts, certificates, key sets."""
    full.run(verb, "shared", *words)
    assert "does not exist; did you mean shared? --create makes a new " in full.run(verb, "shard", *words, status=1).stderr
    full.run(verb, "shard", *words, "--create")


def test_files_do_not_ask(full):
    """apply and import make what they name."""
    full.apply("policy:\n  - id: busines\n    ttl: 60\n")
    full.load('{"kind":"policy","id":"bussiness","ttl":60}\n')


@pytest.mark.parametrize("answer,status", [(b"y\n", 0), (b"n\n", 1), (b"\n", 1), (b"\x04", 1)])
def test_terminal_is_asked(full, answer, status):
    """Only a yes makes it."""
    def reply():
        # While it asks, others can write.
        full.run("domain-set", "meanwhile.example", "policy=business")
        return answer

    done = full.terminal("policy-set", "busines", "ttl=60", question="[y/N]", reply=reply)
    assert done[0] == status
    assert "There is no policy busines, but a policy business. Make a new policy? [y/N]" in done[1]
    assert ("policy busines created" in done[1]) == (status == 0)
    assert ("nothing was changed" in done[1]) == (status == 1)
    full.run("policy-show", "busines", status=status)


def test_terminal_is_not_asked(full):
    """With --create, or an id that is like no other."""
    assert full.terminal("policy-set", "busines", "ttl=60", "--create")[0] == 0
    assert full.terminal("policy-set", "private", "ttl=60")[0] == 0
