# SPDX-License-Identifier: GPL-3.0-or-later
"""kmailctl: exit statuses and messages of every verb; help, completion and manual know all of them."""

import json
import os
import re
import shutil
import signal
import subprocess

import pytest
from harness import TOOL, TOP, Store

CONF = """
policy:
  - id: business
    ns: ns1.example.net.
    mx: "10 mail.example.net."
    mta-sts: enforce
    mta-sts-host: www.example.net.
domain:
  - id: example.org
    policy: business
"""

ED25519 = "p=N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="

# Verb: command lines that are done, that fail, and that are wrong usage.
CASES = {
    "init": (["init", "-s", "{dir}/other", "--map-size", "64M"], ["init"],
             ["init", "--map-size", "many"]),
    "store-info": (["store-info"], ["store-info", "-s", "{dir}/none"], ["store-info", "x"]),
    "backup": (["backup", "{dir}/copy"], ["backup", "/dev/null/x"], ["backup"]),
    "purge": (["purge", "--older-than", "30"], ["purge", "--older-than", "1", "-s", "{dir}/none"],
              ["purge"]),
    "check": (["check"], ["check", "nix.example"], ["check", "--batch", "1"]),
    "apply": (["apply", "{conf}"], ["apply", "{dir}/none"], ["apply"]),
    "import": (["import", "{ndjson}"], ["import", "{conf}"], ["import", "-", "--batch", "0"]),
    "export": (["export"], ["export", "nix.example"], ["export", "--format", "zone"]),
    "records": (["records", "example.org"], ["records", "nix.example"],
                ["records", "example.org", "--format", "xml"]),
    "explain": (["explain", "example.org"], ["explain", "nix.example"], ["explain"]),
    "mta-sts-policy": (["mta-sts-policy", "example.org"], ["mta-sts-policy", "nix.example"],
                       ["mta-sts-policy"]),
    "dkim-generate": (["dkim-generate", "example.org/a", "--algorithm", "ed25519", "--out", "{dir}/a.pem"],
                      ["dkim-generate", "example.org/s1", "--algorithm", "rsa", "--out", "{dir}/b.pem"],
                      ["dkim-generate", "example.org/b", "--algorithm", "dsa", "--out", "{dir}/b.pem"]),
    "dkim-import": (["dkim-import", "example.org/i", ED25519], ["dkim-import", "example.org/j", "p=AAAA"],
                    ["dkim-import", "example.org/j"]),
    "dkim-list": (["dkim-list", "example.org"], ["dkim-list", "nix.example"],
                  ["dkim-list", "--at", "yesterday"]),
    "dkim-retire": (["dkim-retire", "example.org/s1"], ["dkim-retire", "example.org/nix"],
                    ["dkim-retire", "example.org/s1", "--at", "1"]),
    "cert-import": (["cert-import", "new", "--current", "{pem}"], ["cert-import", "new", "--current", "{conf}"],
                    ["cert-import", "new"]),
    "cert-list": (["cert-list"], ["cert-list", "-s", "{dir}/none"], ["cert-list", "x"]),
    "cert-ready": (["cert-ready", "shown"], ["cert-ready", "nix"], ["cert-ready"]),
    "key-generate": (["key-generate", "new"], ["key-generate", "new", "--zsk"], ["key-generate", "new", "--bits", "2048"]),
    "key-import": (["key-import", "new", "{key}"], ["key-import", "new", "{conf}"], ["key-import", "new"]),
    "key-list": (["key-list", "keys"], ["key-list", "nix"], ["key-list", "--at", "yesterday"]),
    "key-plan": (["key-plan", "keys"], ["key-plan", "nix"], ["key-plan"]),
    "key-ds-seen": (["key-ds-seen", "waiting"], ["key-ds-seen", "keys"], ["key-ds-seen", "keys", "--tag", "x"]),
    "key-retire": (["key-retire", "keys", "--all"], ["key-retire", "nix", "--all"], ["key-retire", "keys"]),
    "key-show": (["key-show", "keys"], ["key-show", "nix"], ["key-show"]),
    "key-set": (["key-set", "keys", "leave=2030-01-01T00:00:00Z"], ["key-set", "keys", "key=1"],
                ["key-set", "keys", "mx=1"]),
    "key-unset": (["key-unset", "empty"], ["key-unset", "keys"], ["key-unset", "keys", "mx"]),
    "ds": (["ds", "signed.example"], ["ds", "example.org"], ["ds"]),
    "help": (["help", "apply"], None, ["help", "nix"]),
    "version": (["version"], None, ["version", "x"]),
    "policy-list": (["policy-list"], ["policy-list", "-s", "{dir}/none"], ["policy-list", "x"]),
    "policy-set": (["policy-set", "business", "spf=mx"], ["policy-set", "business", "base=nix"],
                   ["policy-set", "business", "mxx=1"]),
    "domain-list": (["domain-list", "--policy", "business"], ["domain-list", "--policy", "nix"],
                    ["domain-list", "--prune", "domain"]),
    "domain-set": (["domain-set", "example.org", "no-mail"], ["domain-set", "new.example", "mx=10 a"],
                   ["domain-set", "example.org", "mx"]),
    "host-list": (["host-list"], ["host-list", "-s", "{dir}/none"], ["host-list", "x"]),
    "host-set": (["host-set", "h", "name=h", "address=192.0.2.1"], ["host-set", "h", "name=h", "address=x"],
                 ["host-set", "h", "adress=192.0.2.1"]),
    "dkim-set": (["dkim-set", "example.org/s1", "tags=none"], ["dkim-set", "example.org/x", "tags=none"],
                 ["dkim-set", "example.org/s1", "key-add=x"]),
    "cert-set": (["cert-set", "web", "deploy-at=2030-01-01T00:00:00Z"], ["cert-set", "web", "deploy-at=1"],
                 ["cert-set", "web", "mx=1"]),
    "policy-unset": (["policy-unset", "business", "mta-sts", "mta-sts-host"], ["policy-unset", "business"],
                     ["policy-unset", "business", "mxx"]),
    "domain-unset": (["domain-unset", "example.org"], ["domain-unset", "nix.example"],
                     ["domain-unset", "example.org", "name"]),
    "host-unset": (["host-unset", "spare"], ["host-unset", "nix"], ["host-unset"]),
    "dkim-unset": (["dkim-unset", "example.org/s1"], ["dkim-unset", "example.org/nix"],
                   ["dkim-unset", "example.org/s1", "mx"]),
    "cert-unset": (["cert-unset", "web"], ["cert-unset", "nix"], ["cert-unset"]),
    "policy-show": (["policy-show", "default", "parked"], ["policy-show", "nix"], ["policy-show"]),
    "domain-show": (["domain-show", "EXAMPLE.org."], ["domain-show", "nix.example"], ["domain-show"]),
    "host-show": (["host-show", "spare"], ["host-show", "nix"], ["host-show"]),
    "lookup": (["lookup", "example.org", "MX"], ["lookup", "example.org", "MX", "-s", "{dir}/none"], ["lookup", "example.org"]),
    "dkim-show": (["dkim-show", "example.org/s1"], ["dkim-show", "example.org/nix"], ["dkim-show"]),
    "cert-show": (["cert-show", "web"], ["cert-show", "nix"], ["cert-show"]),
}


def certificate(directory, name="cert"):
    """A new certificate, as a PEM file."""
    path = directory / f"{name}.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", f"/CN={name}",
                    "-days", "30", "-keyout", "/dev/null", "-out", path], check=True,
                   capture_output=True)
    return path


@pytest.fixture(name="template", scope="module")
def made_template(tmp_path_factory):
    """A store with an entry of every section, and files that commands name: made once, as that takes long."""
    directory = tmp_path_factory.mktemp("full")
    store = Store(directory)
    store.apply(CONF)
    store.run("dkim-import", "example.org/s1", ED25519)
    store.run("host-set", "spare", "name=spare", "address=192.0.2.9")
    pem = certificate(directory)
    store.run("cert-import", "web", "--next", pem)
    store.run("cert-import", "shown", "--next", pem)
    store.run("host-set", "shown", "name=shown", "address=192.0.2.10", "certificate=shown")
    store.run("policy-set", "at-once", "ttl=0", "ns=ns.example.net.", "host=shown")
    store.run("domain-set", "at-once.example", "policy=at-once")
    key = directory / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True, capture_output=True)
    store.run("key-import", "keys", key, "--ds-seen")
    store.run("domain-set", "signed.example", "policy=business", "key-set=keys")
    for name in ("waiting", "empty"):
        store.run("key-set", name)
    store.run("policy-set", "brief", "ttl=0", "ns=ns.example.net.", "key-set=waiting")
    store.run("key-generate", "waiting", "--delay", "0")
    ndjson = store.file('{"kind":"domain","name":"example.com","policy":"business"}\n', ".ndjson")
    conf = store.file(CONF, ".conf")
    return store.path, {"pem": pem, "key": key, "ndjson": ndjson, "conf": conf}


@pytest.fixture
def full(directory, template):
    """A copy of that store."""
    path, names = template
    store = Store(directory, init=False)
    shutil.copytree(path, store.path)
    store.fill = lambda words: [word.format(dir=directory, **names) for word in words]
    return store


def listed_verbs(store):
    """All verbs, by the tool itself."""
    return [json.loads(line) for line in store.run("--json", "help").stdout.splitlines()]


def test_every_verb_has_its_cases(store):
    """A new verb needs cases here; diff and doctor, whose statuses say more, have tests of their own."""
    verbs = {verb["verb"] for verb in listed_verbs(store)}
    assert verbs == set(CASES) | {"diff", "doctor"}


@pytest.mark.parametrize("verb", CASES)
def test_done(full, verb):
    """Exit status 0, nothing that looks like an error."""
    done = full.run(*full.fill(CASES[verb][0]))
    assert "kmailctl:" not in done.stderr


@pytest.mark.parametrize("verb", [verb for verb in CASES if CASES[verb][1]])
def test_failed(full, verb):
    """Exit status 1, a reason for people, the same as JSON, and nothing changed."""
    before = full.run("export").stdout
    words = full.fill(CASES[verb][1])
    done = full.run(*words, status=1)
    assert re.search(r"^kmailctl: \S", done.stderr, re.M)
    done = full.run("--json", *words, status=1)
    error = json.loads(done.stderr.splitlines()[-1])
    assert error["error"] and error["message"]
    assert error["error"] != "usage"
    assert full.run("export").stdout == before


@pytest.mark.parametrize("verb", CASES)
def test_usage(full, verb):
    """Exit status 2, how it is used, the same as JSON, and nothing changed."""
    before = full.run("export").stdout
    words = full.fill(CASES[verb][2])
    done = full.run(*words, status=2)
    assert re.search(rf"^usage: kmailctl {verb}", done.stderr, re.M)
    done = full.run("--json", *words, status=2)
    assert json.loads(done.stderr)["error"] == "usage"
    assert full.run("export").stdout == before


def test_unknown_verb_is_usage_with_a_hint(store):
    """The nearest verb is named, and none for what is like nothing."""
    done = store.run("domain-lst", status=2)
    assert "did you mean domain-list?" in done.stderr
    done = store.run("frobnicate", status=2)
    assert "did you mean" not in done.stderr
    store.run(status=2)
    store.run("--frobnicate", "check", status=2)
    store.run("check", "--older-than", status=2)
    store.run("init", "--owner", "a:b", "--owner", "c:d", status=2)


def test_diff_has_its_own_statuses(store):
    """0 same, 1 different, 2 anything else."""
    store.apply(CONF)
    same = store.file(CONF, ".conf")
    other = store.file(CONF.replace("enforce", "testing"), ".conf")
    bad = store.file(CONF.replace("10 mail", "mail 10 x"), ".conf")
    assert store.run("diff", same, status=0).stdout == ""
    done = store.run("diff", other, status=1)
    assert done.stdout == "- policy business: mta-sts: enforce\n+ policy business: mta-sts: testing\n"
    store.run("diff", bad, status=2)
    store.run("diff", store.directory / "none", status=2)
    store.run("diff", same, "-s", store.directory / "none", status=2)
    store.run("diff", status=2)


@pytest.mark.parametrize("words", [["help"], ["export"], ["domain-list"], ["records", "example.org"]])
def test_output_that_cannot_be_written_is_a_failure(full, words):
    """A full disk behind standard output; of a pipe that nobody reads it dies, and is silent."""
    command = [TOOL, "-s", full.path, *words]
    with open("/dev/full", "w", encoding="utf-8") as disk:
        done = subprocess.run(command, stdout=disk, stderr=subprocess.PIPE, text=True, check=False,
                              env=full.environment())
    assert done.returncode == 1
    assert "cannot write the output" in done.stderr
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False,
                          env=full.environment())
    os.close(write)
    assert done.returncode == -signal.SIGPIPE
    assert done.stderr == ""
    full.check_reports()


def test_store_is_taken_from_the_environment(store):
    """-s, else $KMAIL_STORE."""
    env = dict(store.environment(), KMAIL_STORE=str(store.path))
    done = subprocess.run([TOOL, "policy-list"], capture_output=True, text=True, check=True, env=env)
    assert "parked" in done.stdout
    done = subprocess.run([TOOL, "-s", "/nowhere", "policy-list"], capture_output=True, text=True,
                          check=False, env=env)
    assert done.returncode == 1
    assert "/nowhere" in done.stderr


# Help, completion, manual

def test_help_of_every_verb(store):
    """The help lists every verb; of each it gives synopsis and options."""
    everything = store.run("help").stdout
    for verb in listed_verbs(store):
        assert re.search(rf"^  {verb['verb']} ", everything, re.M)
        text = store.run("help", verb["verb"]).stdout
        assert text.startswith(f"kmailctl {verb['verb']}")
        assert store.run(verb["verb"], "--help").stdout == text
        for option in verb["options"]:
            assert re.search(rf"^  --{option}\b", text, re.M)


def test_manual_has_every_verb_and_option(store):
    """doc/kmailctl.rst."""
    manual = (TOP / "doc" / "kmailctl.rst").read_text(encoding="utf-8").replace("\\ ", "").replace("**", "")
    generic = re.compile(r"^(policy|domain|host|dkim|cert|key)-(show|set|unset|list)$")
    for verb in listed_verbs(store):
        name = verb["verb"]
        if match := generic.match(name):
            assert f"-{match[2]}" in manual
        else:
            assert re.search(rf"^{name}( |$)", manual, re.M), name
        for option in verb["options"]:
            assert f"--{option}" in manual, option


def test_completion_lists_every_verb(store):
    """And what may stand at each place."""
    def complete(*words):
        done = subprocess.run([TOOL, "completion", "-s", store.path, *words], capture_output=True,
                              text=True, check=True, env=store.environment())
        store.check_reports()
        return done.stdout.splitlines()

    store.apply(CONF)
    assert complete("") == [verb["verb"] for verb in listed_verbs(store)]
    assert complete("records", "exa") == ["example.org"]
    assert complete("records", "example.org", "--fo") == ["--format"]
    assert complete("records", "--format", "p") == ["paste"]
    assert complete("domain-set", "example.org", "policy=b") == ["policy=business"]
    assert complete("domain-set", "example.org", "spf") == ["spf=", "spf+=", "spf-=", "spf-add=",
                                                                 "spf-all="]
    assert complete("domain-set", "example.org", "dmarc") == \
        ["dmarc=", "dmarc+=", "dmarc-=", "dmarc-ramp=", "dmarc-ramp+=", "dmarc-ramp-=", "dmarc-ramp-add="]
    assert complete("host-set", "mail", "add") == ["address=", "address+=", "address-="]
    assert complete("host-unset", "mail", "add") == ["address"]
    assert complete("host-set", "mail", "na") == ["name="]
    store.run("host-set", "mail", "name=mail")
    assert complete("policy-set", "business", "host+=m") == ["host+=mail"]
    assert complete("apply", "") == [":file"]
    assert complete("policy-show", "p") == ["parked"]
    assert complete("dkim-generate", "policy:b") == ["policy:business/"]
    assert complete("nix", "") == complete("")
    assert complete("-s", "/nowhere", "records", "") == []


@pytest.mark.parametrize("line,expected", [
    ("kmailctl dom", "domain-list domain-show domain-set domain-unset"),
    ("kmailctl domain-set example.org policy=bu", "business"),
    ("kmailctl dkim-list policy:bu", "business"),
    ("kmailctl policy-set business host+=ma", "mail"),
    ("kmailctl records e", "example.org"),
])
@pytest.mark.parametrize("library", [True, False])
def test_completion_in_bash(store, line, expected, library):
    """As bash splits the line: at = and : too; with and without bash-completion."""
    store.apply(CONF)
    store.run("host-set", "mail", "name=mail")
    words = re.sub("([=:])", r" \1 ", line)
    script = f"""
        {'. /usr/share/bash-completion/bash_completion' if library else ''}
        PATH={TOOL.parent}:$PATH
        COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
        . {TOP}/tool/completion/kmailctl
        COMP_LINE='{line}' COMP_POINT={len(line)}
        COMP_WORDS=({words})
        COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
        COMP_TYPE=9 COMP_KEY=9
        _kmailctl
        echo "${{COMPREPLY[*]}}"
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True,
                          env=dict(store.environment(), KMAIL_STORE=str(store.path)))
    assert done.stdout.strip() == expected
