# SPDX-License-Identifier: GPL-3.0-or-later
"""kmailctl apply and diff, and the verbs that edit one entry."""

import json
import re
import subprocess

import pytest
from harness import TOOL
from test_tool_status import CONF, certificate


def state(store):
    """All that a store says: its entries, and the number of its last transaction."""
    info = json.loads(store.run("--json", "store-info").stdout)
    return store.run("export").stdout, info["transaction"]


BAD = [
    ('policy:\n  - id: a\n    mx: 10 mail\n', 3, "mx"),
    ('policy:\n  - id: a\n    mx: "10 192.0.2.1"\n', 3, "mx"),
    ('policy:\n  - id: a\n  - id: a\n', 3, "twice"),
    ('policy:\n  - id: a\n    base: nix\n', (2, 3), "nix"),
    ('policy:\n  - id: a\n    base: b\n  - id: b\n    base: a\n', None, "a"),
    ('domain:\n  - id: new.example\n    policy: nix\n', (2, 3), "nix"),
    ('domain:\n  - id: new.example\n    policy: business\n    mxx: "10 a"\n', 4, "mxx"),
    (f'domain:\n  - id: {"a" * 64}.example\n    policy: business\n', 2, "63"),
    ('policy:\n  - id: a\n    record: [ "www CNAME a.example.", "www A 192.0.2.1" ]\n', None, "CNAME"),
    ('host:\n  - id: h\n    name: h\n    tlsa: "3 1 1 00"\n', 4, "tlsa"),
    ('dkim:\n  - id: example.org/s\n    key: "p=AAAA"\n', 3, "key"),
    ('dkim:\n  - id: example.org/s\n    key: missing.pem\n', 3, "missing.pem"),
    ('domain:\n  - id: example.net\n    alias: nix.example\n', (2, 3), "nix.example"),
]


@pytest.mark.parametrize("text,line,word", BAD)
@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_refused_file_leaves_the_store_as_it_was(store, text, line, word, dry):
    """FILE:LINE: reason; also when the bad entry comes last; --dry-run finds the same."""
    store.apply(CONF)
    before = state(store)
    good = 'host:\n  - id: good\n    name: good\n    address: 192.0.2.7\n'
    file = store.file(good + text, ".conf")
    done = store.run("apply", file, *dry, status=1)
    match = re.search(rf"^kmailctl: {re.escape(str(file))}:(\d+): (.*)$", done.stderr, re.M)
    assert match, done.stderr
    if line:
        # What an entry lacks outside itself is said with the line of the item or of the entry.
        lines = line if isinstance(line, tuple) else (line,)
        assert int(match[1]) - 4 in lines
    assert word in match[2]
    error = json.loads(store.run("--json", "apply", file, *dry, status=1).stderr.splitlines()[-1])
    assert error["file"] == str(file)
    assert error["line"] == int(match[1])
    assert state(store) == before


def test_dry_run_prints_and_writes_nothing(store):
    """The difference, and how many domains it concerns."""
    store.apply(CONF)
    before = state(store)
    text = CONF.replace("enforce", "testing").replace("- id: example.org", "- id: example.com")
    done = store.apply(text, "--dry-run", "--prune", "domain")
    assert done.stdout.splitlines() == [
        "- policy business: mta-sts: enforce",
        "+ policy business: mta-sts: testing",
        "+ domain example.com",
        "+ domain example.com: policy: business",
        "- domain example.org",
        "- domain example.org: policy: business",
    ]
    assert done.stderr == "1 would be added, 1 changed, 1 deleted, 0 unchanged; 2 domains concerned " \
                          "(dry run: nothing is written)\n"
    assert state(store) == before


def test_prune_deletes_only_its_section(store):
    """What FILE names stays, other sections too; what is referred to cannot go."""
    store.apply(CONF)
    store.run("domain-set", "example.com", "policy=business")
    store.run("host-set", "h", "name=h", "address=192.0.2.1")
    done = store.apply(CONF, "--prune", "domain")
    assert "\n0 added, 0 changed, 1 deleted, 2 unchanged" in done.stderr
    assert store.run("domain-list").stdout.split()[0] == "example.org"
    assert store.run("host-list").stdout.startswith("h ")
    before = state(store)
    store.apply("policy:\n  - id: other\n", "--prune", "policy", status=1)
    store.apply(CONF, "--prune", "nix", status=2)
    assert state(store) == before


def test_apply_twice_writes_nothing_the_second_time(store):
    """Equal entries keep their stamps: the serials of their domains stay."""
    store.apply(CONF)
    done = store.apply(CONF)
    assert done.stderr.startswith("0 added, 0 changed, 0 deleted, 2 unchanged")
    assert json.loads(store.apply(CONF, "--json").stdout) == {
        "added": 0, "changed": 0, "deleted": 0, "same": 2, "domains": 0, "done": True}


def test_pem_files_begin_at_the_file(store):
    """A relative name of a PEM file is relative to the file that holds it, from any directory."""
    certificate(store.directory, "web")
    file = store.file('certificate:\n  - id: web\n    current: web.pem\n    form: [ "3 1 1", "3 0 1" ]\n',
                      ".conf")
    subprocess.run([TOOL, "-s", store.path, "apply", file], check=True, cwd="/", capture_output=True,
                   env=store.environment())
    assert len(json.loads(store.run("--json", "cert-show", "web").stdout)["current"]) == 2


def test_diff_of_a_certificate_does_not_see_its_publication(store):
    """The time of publication is written by the tool: the same file is no difference."""
    for name in ("a", "b"):
        certificate(store.directory, name)
    file = store.file("certificate:\n  - id: web\n    current: a.pem\n    next: b.pem\n", ".conf")
    store.run("apply", file)
    assert "publish" in store.run("--json", "cert-show", "web").stdout
    assert store.run("diff", file, status=0).stdout == ""
    assert store.run("apply", file).stderr.startswith("0 added, 0 changed, 0 deleted, 1 unchanged")


def test_diff_tells_order_from_content(store):
    """The order of SPF terms is a difference."""
    store.apply('policy:\n  - id: a\n    spf: [ mx, "ip4:192.0.2.1" ]\n')
    file = store.file('policy:\n  - id: a\n    spf: [ "ip4:192.0.2.1", mx ]\n', ".conf")
    assert store.run("diff", file, status=1).stdout.splitlines() == [
        "- policy a: spf: mx", "- policy a: spf: ip4:192.0.2.1",
        "+ policy a: spf: ip4:192.0.2.1", "+ policy a: spf: mx"]
    change = json.loads(store.run("--json", "diff", file, status=1).stdout)
    assert change["change"] == "changed"
    assert change["old"]["spf"] == list(reversed(change["new"]["spf"]))


def test_warnings_have_a_place_and_do_not_fail(store):
    """A risky value is accepted; the warning names file and line."""
    file = store.file('policy:\n  - id: a\n    spf: mx\n    spf-all: "+all"\n', ".conf")
    done = store.run("apply", file)
    assert re.search(rf"^warning: {re.escape(str(file))}:4: ", done.stderr, re.M), done.stderr


# One entry

def shown(store, section, entry):
    """An entry as JSON."""
    return json.loads(store.run("--json", f"{section}-show", entry).stdout)


def test_set_makes_replaces_and_appends(store):
    """A list is replaced as a whole, dmarc by tag, ITEM-add is a list of its own."""
    store.run("policy-set", "p", "mx=10 a.example.", "mx=20 b.example.", "dmarc=p=reject",
              "dmarc=rua=mailto:a@b.example", "ns=ns1.example.")
    assert shown(store, "policy", "p")["mx"] == ["10 a.example.", "20 b.example."]
    store.run("policy-set", "p", "mx=30 c.example.", "dmarc=p=none")
    entry = shown(store, "policy", "p")
    assert entry["mx"] == ["30 c.example."]
    assert entry["dmarc"] == {"p": "none", "rua": "mailto:a@b.example"}
    store.run("domain-set", "d.example", "policy=p", "spf-add=a", "spf-add=mx", "no-mail", "mx=none")
    entry = shown(store, "domain", "d.example")
    assert entry["+spf"] == ["a", "mx"]
    assert entry["no-mail"] is True
    store.run("domain-set", "d.example", "mx=10 x.example.", "no-mail=off")
    entry = shown(store, "domain", "d.example")
    assert entry["mx"] == ["10 x.example."]
    assert entry["no-mail"] is False


def test_unset_takes_away_and_deletes(store):
    """An item, one value, a tag, all of it; what is not there is an error."""
    store.run("policy-set", "p", "ns=ns1.example.", "mx=10 a.example.", "mx=20 b.example.", "dmarc=p=reject",
              "dmarc=sp=none", "spf=mx")
    store.run("policy-unset", "p", "mx=10 a.example.", "dmarc=sp", "spf")
    entry = shown(store, "policy", "p")
    assert entry["mx"] == ["20 b.example."]
    assert entry["dmarc"] == {"p": "reject"}
    assert "spf" not in entry
    store.run("policy-unset", "p", "spf", status=1)
    store.run("policy-unset", "p", "mx=10 a.example.", status=1)
    store.run("policy-unset", "p", "--dry-run")
    assert shown(store, "policy", "p") == entry
    store.run("policy-unset", "p")
    store.run("policy-show", "p", status=1)


def test_failed_set_names_entry_and_item(store):
    """domain NAME: ITEM: reason."""
    store.apply(CONF)
    done = store.run("domain-set", "example.org", "mx=10 192.0.2.1", status=1)
    assert done.stderr.startswith("kmailctl: domain example.org: mx: ")
    assert re.search(r"\(column 4 of the value\)$", done.stderr.strip())


def test_show_is_what_apply_reads(store):
    """policy-show and domain-show give a file that is no difference."""
    store.apply(CONF)
    store.run("domain-set", "example.org", 'txt=he said "no", \\o/', "record=www A 192.0.2.1")
    text = store.run("policy-show", "business", "parked").stdout
    text += store.run("domain-show", "example.org").stdout
    assert store.run("diff", store.file(text, ".conf"), status=0).stdout == ""


def test_u_labels_and_capitals_name_the_same_entry(store):
    """Names are normalised wherever they are given."""
    store.apply(CONF)
    store.run("domain-set", "Bücher.Example.", "policy=business")
    assert store.run("domain-list").stdout.split() == ["xn--bcher-kva.example", "policy=business",
                                                       "example.org", "policy=business"]
    store.run("records", "BÜCHER.example")
    store.run("domain-unset", "xn--bcher-kva.example")


def test_aliases_are_counted_and_checked(store):
    """A change of a domain concerns its aliases: dry runs say so, and a name that grows too long there is refused."""
    long = ".".join(["x" * 50] * 4) + ".example"
    store.apply("policy:\n  - id: p\n    ns: ns.example.net.\n"
                "domain:\n  - id: a.example\n    policy: p\n  - id: b.example\n    alias: a.example\n"
                f"  - id: {long}\n    alias: a.example\n")
    changed = "domain:\n  - id: a.example\n    policy: p\n    ttl: 60\n"
    assert "3 domains concerned" in store.apply(changed, "--dry-run").stderr
    assert "3 domains concerned" in store.apply(changed).stderr
    done = store.run("domain-set", "a.example", "mx=10 " + "y" * 50, status=1)
    assert f"domain {long}: a record's name would grow past 255 octets" in done.stderr


def test_a_policy_and_its_keys_go_in_any_order(store):
    """Keys go with their owner; a file that deletes both says which first, and it does not matter."""
    policy = '{"kind":"policy","id":"p","deleted":true}\n'
    key = '{"kind":"dkim","id":"policy:p/s","deleted":true}\n'
    for lines in (policy + key, key + policy):
        store.apply("policy:\n  - id: p\n    ns: ns.example.net.\n"
                    "dkim:\n  - id: policy:p/s\n    cname: s.example.net.\n")
        store.load(lines)
        assert [line for line in store.run("export").stdout.splitlines() if '"p"' in line] == []
        assert store.run("dkim-list").stdout == ""
    assert "does not exist" in store.run("import", store.file(key, ".ndjson"), status=1).stderr


@pytest.mark.parametrize("item", ["mx: [ \"10 a.example.net.\", \"10 a.example.net.\" ]", "txt: [ a=1, b, a=1 ]",
                                  "spf: [ mx, mx ]", "ns: [ ns.example.net., ns.example.net. ]"])
def test_a_value_twice_is_refused(store, item):
    """In one list of one entry: somebody meant another value. The file's line is named."""
    file = store.file(f"policy:\n  - id: p\n    {item}\n", ".conf")
    done = store.run("apply", file, status=1)
    assert f"{file}:3: policy p: {item.split(':')[0]}: the same value is given twice" in done.stderr
    store.apply("policy:\n  - id: p\n    ns: ns.example.net.\n    txt: [ a=1, b ]\n")
    assert "twice" in store.run("policy-set", "p", "txt=a", "txt=a", status=1).stderr
    line = '{"kind":"policy","id":"p","ns":["ns.example.net."],"txt":["a","a"]}\n'
    assert "twice" in store.run("import", store.file(line, ".ndjson"), status=1).stderr


def test_no_record_ends_with_a_blank(store):
    """libknot writes one behind some CAA values."""
    store.apply("policy:\n  - id: p\n    ns: ns.example.net.\n    caa: [ \"0 issue ;\", \"0 contactemail \\\"\\\"\" ]\n"
                "domain:\n  - id: example.org\n    policy: p\n")
    for form in ("table", "zone", "json", "paste"):
        out = store.run("records", "example.org", "--format", form).stdout
        assert "issue" in out
        for line in out.splitlines():
            line = json.loads(line)["data"] if form == "json" else line
            assert line == line.rstrip(), (form, line)
