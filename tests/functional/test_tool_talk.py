# SPDX-License-Identifier: GPL-3.0-or-later
"""kmailctl: verbs that do not exist, help of a noun, headings, values of options, signals and pipes."""

import json
import os
import re
import signal
import subprocess

import pytest
from harness import TOOL, poll

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
    key-set: shared
domain:
  - id: example.net
    policy: business
key-set:
  - id: shared
"""
ED25519 = "p=N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="


@pytest.fixture
def full(store):
    """One of each."""
    store.apply(CONF)
    store.run("dkim-import", "example.net/s1", ED25519)
    return store


def verbs(store, *words):
    """The verbs that a help lists."""
    return [json.loads(line)["verb"] for line in store.run("--json", "help", *words).stdout.splitlines()]


# Verbs that do not exist

@pytest.mark.parametrize("words,meant", [
    (["delete"], ["policy-unset", "domain-unset", "host-unset", "dkim-unset", "cert-unset", "key-unset"]),
    (["rm"], ["domain-unset"]), (["remove"], ["domain-unset"]), (["del"], ["host-unset"]),
    (["add"], ["policy-set", "domain-set", "dkim-generate", "key-generate"]),
    (["create"], ["domain-set"]), (["new"], ["policy-set"]), (["edit"], ["policy-set", "domain-set"]),
    (["list"], ["policy-list", "domain-list"]), (["ls"], ["host-list", "key-list"]),
    (["show"], ["policy-show", "domain-show"]), (["get"], ["domain-show"]), (["cat"], ["cert-show"]),
    (["status"], ["store-info", "check"]), (["verify"], ["check"]), (["zone"], ["export", "records"]),
    (["dump"], ["export", "backup"]), (["restore"], ["import"]), (["rotate"], ["key-generate", "dkim-generate"]),
    (["query"], ["records"]), (["why"], ["explain"]), (["undo"], ["export"]), (["generate"], ["key-generate"]),
    (["domain-delete"], ["domain-unset"]), (["domain-add"], ["domain-set"]), (["delete-domain"], ["domain-unset"]),
    (["policy-remove"], ["policy-unset"]), (["policy_create"], ["policy-set"]), (["host-rm"], ["host-unset"]),
    (["dkim-add"], ["dkim-generate", "dkim-import", "dkim-set"]), (["cert-add"], ["cert-import", "cert-set"]),
    (["dkim-rotate"], ["dkim-generate", "dkim-retire"]), (["key-rotate"], ["key-generate", "key-plan"]),
    (["certificate-list"], ["cert-list"]), (["domains-list"], ["domain-list"]), (["keyset-show"], ["key-show"]),
    (["domain", "delete", "example.net"], ["domain-unset"]), (["show", "policy", "business"], ["policy-show"]),
    (["domain", "list"], ["domain-list"]), (["domains"], ["domain-list", "domain-set"]),
    (["policy"], ["policy-list", "policy-show", "policy-set", "policy-unset"]),
    (["domain-lst"], ["domain-list"]), (["recods"], ["records"]), (["expalin"], ["explain"]),
    (["help", "delete"], ["domain-unset"]), (["ds-list"], ["ds"]), (["spf"], ["policy-set", "domain-set"]),
    (["ksk"], ["key-generate", "key-list"]), (["config"], ["doctor"]), (["find"], ["domain-list"]),
    (["rename"], ["export", "import"]), (["zone-read"], ["records"]),
])
def test_unknown_verb(store, words, meant):
    """What is meant, then what is near by letters."""
    done = store.run(*words, status=2)
    match = re.search(r"^kmailctl: unknown verb (\S+); did you mean (.*)\?$", done.stderr, re.M)
    assert match, done.stderr
    named = re.split(", | or ", match[2])
    assert set(meant) <= set(named)
    assert set(named) <= set(verbs(store))


def test_unknown_word(store):
    """What is like nothing."""
    assert "unknown verb frobnicate; kmailctl help lists all verbs" in store.run("frobnicate", status=2).stderr


@pytest.mark.parametrize("noun,some,none", [
    ("domain", ["domain-list", "domain-set", "records", "explain", "ds", "check"], ["policy-set", "cert-import"]),
    ("policies", ["policy-list", "policy-show", "policy-set", "policy-unset"], ["domain-set"]),
    ("dkim", ["dkim-generate", "dkim-retire", "dkim-set"], ["key-generate"]),
    ("certificate", ["cert-import", "cert-ready", "cert-unset"], ["host-set"]),
    ("key", ["key-generate", "key-ds-seen", "key-show", "ds"], ["dkim-generate"]),
    ("files", ["apply", "diff", "import", "export"], ["policy-set", "init"]),
    ("host", ["host-set", "host-list"], ["policy-set"]),
    ("store", ["init", "backup", "store-info"], ["policy-set"]),
])
def test_help_of_a_noun(store, noun, some, none):
    """Its verbs, and no others; with --json, too."""
    text = store.run("help", noun).stdout
    for verb in some:
        assert re.search(rf"^  {verb} ", text, re.M)
    for verb in none:
        assert not re.search(rf"^  {verb} ", text, re.M)
    assert store.run(noun, "--help").stdout == text
    assert set(some) <= set(verbs(store, noun))


# Headings

@pytest.mark.parametrize("words,head", [
    (["records", "example.net"], "OWNER TTL TYPE DATA"), (["explain", "example.net"], "ITEM VALUE FROM"),
    (["key-list"], "SET TAG ALGORITHM ROLE STATE NEXT FAULT"), (["key-plan", "shared"], "TIME STATE KEY STEP"),
])
def test_tables_have_headings(full, words, head):
    """Once, wherever the table goes; none of a table without rows; JSON has none."""
    empty = full.run(*words[:1], *words[1:]).stdout if words[0].startswith("key") else ""
    assert head.split()[0] not in empty
    full.run("key-generate", "shared")
    lines = [line.split() for line in full.run(*words).stdout.splitlines()]
    assert lines.count(head.split()) == 1
    for line in full.run("--json", *words).stdout.splitlines():
        json.loads(line)


@pytest.mark.parametrize("words,head,first", [
    (["domain-list"], ["DOMAIN", "ITEMS"], "example.net"), (["host-list"], ["HOST", "ITEMS"], "mail"),
    (["policy-list"], ["POLICY", "ITEMS"], "business"), (["dkim-list"], ["DKIM", "KIND", "STATE"], "example.net/s1"),
])
def test_lists_have_headings_on_a_terminal(full, words, head, first):
    """A script reads the entries alone."""
    assert full.run(*words).stdout.split()[0] == first
    status, shown = full.terminal(*words)
    lines = [line.split() for line in shown.splitlines()]
    assert (status, lines[0], lines[1][0]) == (0, head, first)
    assert full.run(*words).stdout == shown.split("\n", 1)[1]


# Values of options

@pytest.mark.parametrize("words,values", [
    (["records", "example.net", "--format"], "table, zone, json, ndjson, paste"),
    (["export", "--format"], "ndjson, json, zone"),
    (["dkim-generate", "example.net/x", "--out", "x", "--algorithm"], "ed25519, rsa"),
    (["key-generate", "x", "--algorithm"], "ed25519, ecdsap256sha256, rsasha256"),
    (["apply", "x", "--prune"], "host, certificate, policy, dkim, domain, key-set"),
    (["export", "--section"], "host, certificate, policy, dkim, domain, key-set"),
])
def test_values_of_an_option(store, words, values):
    """When it is missing, or another one."""
    assert f"{words[-1]} needs a value, one of: {values}\n" in store.run(*words, status=2).stderr
    assert f"{words[-1]} does not take xml; it takes one of: {values}\n" in store.run(*words, "xml", status=2).stderr
    # Case does not count.
    first = values.split(",")[0]
    assert "does not take" not in store.run(*words, first.upper(), status=None).stderr
    text = store.run("help", words[0]).stdout
    assert f"one of: {values.replace(',', '')}" in text


@pytest.mark.parametrize("words,values", [
    (["records", "example.net", "--at"], "now, +2h, +7d, 2027-01-31T12:00:00Z"),
    (["dkim-retire", "example.net/s1", "--remove"], "now, +2h, +7d, 2027-01-31T12:00:00Z"),
    (["key-retire", "shared", "--delay"], "10m, 1h, 1d"), (["init", "--map-size"], "1G, 8G, 32G"),
])
def test_examples_of_an_option(store, words, values):
    """When a value is missing and there are too many to list."""
    assert f"{words[-1]} needs a value, as: {values}\n" in store.run(*words, status=2).stderr


def test_digests(full):
    """One or both, in any order and any case."""
    full.run("key-generate", "shared")
    for digest in ("sha256", "SHA384", "sha384,sha256"):
        full.run("ds", "example.net", "--at", "+3h", "--digest", digest)
    for digest, said in (("sha1", "it takes one of: sha256, sha384"), ("sha256,sha256", "sha256 is given twice"),
                         ("", "it takes one of: sha256, sha384")):
        assert said in full.run("ds", "--all", "--digest", digest, status=2).stderr


# Signals and pipes

def start(store, *words, **streams):
    """Starts kmailctl."""
    return subprocess.Popen([TOOL, "-s", str(store.path), *map(str, words)], stderr=subprocess.PIPE, text=True,
                            env=store.environment(), **streams)


def wait_for_signals(pid):
    """Until a kmailctl has begun to take signals: it catches SIGTERM."""
    def catches():
        try:
            with open(f"/proc/{pid}/status", encoding="utf-8") as file:
                mask = re.search(r"^SigCgt:\s*(\S+)", file.read(), re.M)
        except OSError:
            return False
        return mask and int(mask[1], 16) >> (signal.SIGTERM - 1) & 1

    poll(catches, "kmailctl to take signals")


def child_of(pid):
    """The first child of a process."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
        return next(iter(file.read().split()), None)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_dies_of_a_signal(full, number):
    """After what it wrote is gone: so a shell ends its loop."""
    before = full.run("export").stdout
    rejects = full.directory / "rejects"
    process = start(full, "import", "-", "--keep-going", "--rejects", rejects, stdin=subprocess.PIPE)
    process.stdin.write('{"kind":"policy","id":"new"}\n')
    process.stdin.flush()
    wait_for_signals(process.pid)
    process.send_signal(number)
    _, said = process.communicate()
    assert process.returncode == -number
    assert "interrupted" in said and "nothing was changed" in said
    assert full.run("export").stdout == before
    full.check_reports()


def test_ignored_signals_stay_ignored(full):
    """As nohup wants it."""
    script = f"trap '' INT HUP; exec {TOOL} -s {full.path} import -"
    with subprocess.Popen(["sh", "-c", script], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=full.environment()) as process:
        process.stdin.write('{"kind":"policy","id":"new"}\n')
        process.stdin.flush()
        wait_for_signals(process.pid)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGHUP)
        process.communicate()
    assert process.returncode == 0
    full.run("policy-show", "new")


def test_ends_the_loop_of_a_shell(full):
    """The shell stops when its command was interrupted."""
    script = f"""
        for i in 1 2 3; do
            echo "begin $i"
            {TOOL} -s {full.path} import {full.directory}/fifo
        done
        echo end
    """
    os.mkfifo(full.directory / "fifo")
    with subprocess.Popen(["bash", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env=full.environment(), start_new_session=True) as process:
        with open(full.directory / "fifo", "w", encoding="utf-8") as fifo:
            fifo.write('{"kind":"policy","id":"new"}\n')
            fifo.flush()
            wait_for_signals(poll(lambda: child_of(process.pid), "the shell's command"))
            os.killpg(process.pid, signal.SIGINT)
            said, _ = process.communicate()
    assert "begin 1" in said and "begin 2" not in said and "end" not in said.splitlines()


@pytest.mark.parametrize("words", [["export"], ["records", "example.net"], ["--json", "domain-list"], ["help"]])
def test_closed_pipe_is_silent(full, words):
    """As of `head -1`."""
    read, write = os.pipe()
    os.close(read)
    process = start(full, *words, stdout=write)
    os.close(write)
    _, said = process.communicate()
    assert (process.returncode, said) == (-signal.SIGPIPE, "")
    full.check_reports()


@pytest.mark.parametrize("columns", [20, 30, 200])
def test_progress_keeps_to_its_line(full, columns):
    """Cut to the width of the terminal."""
    lines = "".join(f'{{"kind":"domain","name":"d{i}.example","policy":"business"}}\n' for i in range(200000))
    status, shown = full.terminal("import", full.file(lines, ".ndjson"), columns=columns)
    assert status == 0
    parts = [part for part in re.split(r"\r\x1b\[K", shown) if "/s" in part or "lines," in part]
    assert parts
    assert all(len(part) < columns for part in parts)
    assert any(part.endswith("s left") for part in parts) == (columns > 30)


# What to do

@pytest.mark.parametrize("words,said", [
    (["policy-set", "x", "host=mial"], "policy x: host: host mial does not exist: did you mean mail?"),
    (["policy-set", "x", "host=web"], "policy x: host: host web does not exist: kmailctl host-set web name=NAME "
                                      "address=ADDRESS makes it"),
    (["policy-set", "x", "base=busines"], "policy x: base: policy busines does not exist: did you mean business?"),
    (["policy-set", "x", "key-set=k"], "policy x: key-set: key-set k does not exist: kmailctl key-generate k makes it"),
    (["domain-set", "a.example", "policy=nix"], "domain a.example: policy nix does not exist: kmailctl policy-set nix"),
    (["domain-set", "a.example", "policy=parked"],
     "domain a.example: ns: policy parked names no name server, which every domain needs: "
     "kmailctl policy-set parked ns=NAME"),
    (["domain-set", "a.example", "policy=business", "ns=none"],
     "domain a.example: ns: none takes away the name servers, which every domain needs"),
    (["domain-set", "example.com", "policy=business"],
     "domain example.com: ns: ns1.example.com. lies in the domain but is no host with an address: make a host"),
    (["domain-show", "exmaple.net"], "domain exmaple.net does not exist; did you mean example.net?"),
    (["host-show", "web"], "host web does not exist (kmailctl host-list lists all)"),
    (["key-show", "web"], "key-set web does not exist (kmailctl key-list lists all)"),
    (["policy-unset", "busines"], "policy busines does not exist; did you mean business?"),
    (["domain-unset", "example.net", "mx"], "domain example.net: mx: it sets none itself; there is 10 mail (policy business)"),
    (["host-unset", "mail", "tlsa"], "host mail: tlsa: it sets none itself; there is nothing"),
    (["domain-unset", "example.net", "mx=20 mail"],
     "domain example.net: mx: there is no 20 mail; there is 10 mail (policy business)"),
])
def test_what_to_do(full, words, said):
    """A message names the entry, the item, and the remedy."""
    done = full.run(*words, status=1)
    assert done.stderr.startswith(f"kmailctl: {said}"), done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("words,said", [
    (["records"], "records: DOMAIN is missing"), (["dkim-import", "a/b"], "dkim-import: FILE|RECORD|- is missing"),
    (["records", "a.example", "b.example"], "records: b.example is one argument too many"),
    (["records", "a.example", "--fromat", "zone"], "unknown option --fromat; did you mean --format?"),
    (["domain-set", "-x.example"], "unknown option -x.example"), (["-xq", "domain-list"], "unknown option -xq"),
    (["domain-set", "a.example", "polcy=x"], "a domain has no item polcy; did you mean policy?"),
])
def test_what_is_wrong_with_the_line(store, words, said):
    """Which argument, which option, which item."""
    assert f"kmailctl: {said}\n" in store.run(*words, status=2).stderr


def test_a_warning_is_printed_once(full):
    """Whoever gives it."""
    done = full.run("policy-set", "business", "ttl=9999999", "mx=10 nix", "mx=20 nix")
    warnings = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert warnings
    assert len(set(warnings)) == len(warnings)
