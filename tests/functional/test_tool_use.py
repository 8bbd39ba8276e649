# SPDX-License-Identifier: GPL-3.0-or-later
"""kmailctl: what is in use cannot be deleted; who uses it is said, and listed."""

import json
import re

import pytest

HASH = "064dbc632f1ba7d0a2a3faeadeedfebd6f90f850dfb852c97ee9df9b6e5c5e7c"
CONF = f"""
certificate:
  - id: leaf
    current: "3 1 1 {HASH}"
host:
  - id: mail
    name: mail
    address: 192.0.2.25
    certificate: leaf
  - id: spare
    name: spare
    address: 192.0.2.26
policy:
  - id: low
    ttl: 600
  - id: business
    base: low
    host: mail
    ns: ns1.example.com.
    mx: "10 mail"
    key-set: shared
domain:
  - id: d1.example
    policy: business
  - id: d2.example
    policy: business
  - id: own.example
    policy: business
    host-add: spare
    key-set: single
  - id: alias.example
    alias: d1.example
key-set:
  - id: shared
  - id: single
"""

# What is in use: how it is deleted, who uses it, what lists them.
USES = [
    ("policy", "business", "domain d1.example and 2 more", [["domain-list", "--policy", "business"]],
     ["d1.example", "d2.example", "own.example"]),
    ("policy", "low", "policy business", [["policy-list", "--base", "low"]], ["business"]),
    ("host", "mail", "policy business", [["policy-list", "--host", "mail"]], ["business"]),
    ("host", "spare", "domain own.example", [["domain-list", "--host", "spare"]], ["own.example"]),
    ("certificate", "leaf", "host mail", [["host-list", "--certificate", "leaf"]], ["mail"]),
    ("key-set", "shared", "policy business", [["policy-list", "--key-set", "shared"]], ["business"]),
    ("key-set", "single", "domain own.example", [["domain-list", "--key-set", "single"]], ["own.example"]),
    ("domain", "d1.example", "domain alias.example", [["domain-list", "--alias", "d1.example"]], ["alias.example"]),
]
UNSET = {"certificate": "cert-unset", "key-set": "key-unset"}


@pytest.fixture
def full(store):
    """Everything refers to something."""
    store.apply(CONF)
    return store


@pytest.mark.parametrize("section,name,users,lists,listed", USES)
def test_in_use(full, section, name, users, lists, listed):
    """By whom, how many more, and a command that lists them."""
    before = full.run("export").stdout
    done = full.run(UNSET.get(section, f"{section}-unset"), name, status=1)
    commands = ", ".join("kmailctl " + " ".join(words) for words in lists)
    assert done.stderr == f"kmailctl: {section} {name} is in use: by {users} ({commands})\n"
    found = [line.split()[0] for words in lists for line in full.run(*words).stdout.splitlines()]
    assert sorted(found) == listed
    # The same from a file, with the line.
    member = "name" if section == "domain" else "id"
    line = json.dumps({"kind": section, member: name, "deleted": True})
    done = full.load(f"\n{line}\n", status=1)
    assert re.search(rf"ndjson:2: {section} {re.escape(name)} is in use: by {users} \(", done.stderr)
    assert full.run("export").stdout == before


@pytest.mark.parametrize("section,name,item", [
    ("host", "mail", "host: mail"), ("certificate", "leaf", "certificate: leaf"),
    ("policy", "low", "base: low"), ("key-set", "shared", "key-set: shared"),
    ("key-set", "single", "key-set: single"), ("domain", "d1.example", "alias: d1.example"),
])
def test_prune_of_what_is_in_use(full, section, name, item):
    """The file leaves an entry out, and names it: the line that does."""
    text = CONF.replace(f"  - id: {name}\n", f"  - id: {name}-other\n", 1)
    if section == "domain":
        text = CONF.replace(f"  - id: {name}\n", "  - id: other.example\n", 1)
    number = text.splitlines().index(f"    {item}") + 1
    done = full.apply(text, "--prune", section, status=1)
    assert re.search(rf"conf:{number}: {section} {re.escape(name)} is in use: by ", done.stderr)


def test_used_by_policies_and_domains(full):
    """Both lists are named."""
    full.run("policy-set", "above", "base=business", "host-add=spare")
    done = full.run("host-unset", "spare", status=1)
    assert "by policy above and 1 more (kmailctl policy-list --host spare, kmailctl domain-list --host spare)" \
        in done.stderr


def test_many_users(full):
    """Thousands are set apart, in every sum."""
    lines = "".join(f'{{"kind":"domain","name":"new{i}.example","policy":"business"}}\n' for i in range(1500))
    assert "1,500 lines: 1,500 added" in full.run("import", "-", stdin=lines).stderr
    done = full.run("policy-unset", "business", status=1)
    assert re.search(r"in use: by domain \S+ and 1,50\d more \(kmailctl domain-list", done.stderr)
    assert re.search(r"^1,5\d\d entries, 0 errors", full.run("check").stdout, re.M)
    assert "1,500 deleted" in full.apply(CONF, "--prune", "domain").stderr


def test_no_longer_in_use(full):
    """When nobody names it in the end, it can go; with its users, too."""
    full.run("domain-unset", "own.example", "host-add")
    full.run("host-unset", "spare")
    lines = ['{"kind":"domain","name":"d1.example","deleted":true}',
             '{"kind":"domain","name":"alias.example","deleted":true}',
             '{"kind":"policy","id":"low","deleted":true}',
             '{"kind":"policy","id":"business","ns":["ns1.example.com."]}']
    full.load("\n".join(lines) + "\n")
    # A certificate that only an unused host names is in use, too.
    assert "in use: by host mail" in full.run("cert-unset", "leaf", status=1).stderr


def test_lists_ask_for_what_exists(full):
    """A slip is no empty list."""
    assert "policy nix does not exist" in full.run("domain-list", "--policy", "nix", status=1).stderr
    assert full.run("domain-list", "--policy", "low").stdout == ""
    done = full.run("domain-list", "--policy", "business", "--host", "spare")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["own.example"]


def test_indexes_are_made_anew(full):
    """What is found by an index stays found; an error is told with what mends it in tests/unit/test_index.c."""
    done = full.run("check", "--repair")
    assert "the indexes of the store are made anew" in done.stderr
    assert "0 errors" in done.stdout
    assert "is in use: by domain alias.example" in full.run("domain-unset", "d1.example", status=1).stderr
    assert "made anew" not in full.run("check", "--repair", "--quiet").stderr
