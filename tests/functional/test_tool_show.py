# SPDX-License-Identifier: GPL-3.0-or-later
"""kmailctl: what it says about a domain: records, explain, zone files, the MTA-STS policy, check."""

import json
import subprocess

import pytest
from harness import Store, program

CONF = """
host:
  - id: mail
    name: mail
    address: [ 192.0.2.25, "2001:db8::25" ]
    tlsa: "3 0 1 064dbc632f1ba7d0a2a3faeadeedfebd6f90f850dfb852c97ee9df9b6e5c5e7c"
  - id: ns1
    name: ns1
    address: 192.0.2.53
policy:
  - id: base
    ttl: 600
    tls-rpt: "mailto:tls@{domain}"
  - id: guide
    base: base
    host: [ mail, ns1 ]
    ns: [ ns1, ns2.example.com. ]
    mx: "10 mail"
    spf: mx
    dmarc: [ "p=reject", "rua=mailto:postmaster@{domain}" ]
    mta-sts: enforce
    mta-sts-host: mail
    srv: [ imaps, "pop3 ." ]
domain:
  - id: example.org
    policy: guide
    dmarc: "p=none"
    txt: "a \\"quoted\\" text; with a semicolon"
    record: [ "www 300 A 192.0.2.80", "*.web CNAME www", "deep.er TXT one" ]
    delegation: "sub NS ns2.example.com."
  - id: example.net
    alias: example.org
"""
RSA = "p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqlddLN3BjInvBqI1KpdouG7feBsEt5t233jWQJW7FaY7sR/MfWNxuz" \
      "TObLoZ3l76DFq3xPjVhmy/YYiOAnMOtq9hUFqgBVTSwUNHYPz1YUEcrI5+Ban7P7LV8kggvTAaWhAI3iSXJIFaUq78K8YYr/zrGyBl" \
      "g5HCPpd+DMRAB8j1ID8bcWFaVebwAOrartXOO/f8Bn9jrRrLhjP3c8UlmkJLXkSncXPp69R9VpevrKJtpBjaFxKtx7DXGie821MHuW" \
      "J7pWMdU1Uf3z8UBKF9bnrCZ5v0SdiaFkPXR1Iiq/gR6bMwdlWvST9V6ePnqZqX+Iv4FA28byOot73/CIINFwIDAQAB"


@pytest.fixture
def full(store):
    """A domain with some of everything, and an alias of it."""
    store.apply(CONF)
    store.run("dkim-import", "example.org/r1", RSA)
    return store


def rows(store, *words):
    """The records as JSON objects."""
    return [json.loads(line) for line in store.run("--json", "records", *words).stdout.splitlines()]


def test_paste_is_what_a_web_form_wants(full):
    """Relative owners, the priority apart, texts whole and bare; no SOA, no NS of the domain."""
    lines = full.run("records", "example.org", "--format", "paste").stdout.splitlines()
    assert all(line.count("\t") == 3 for line in lines)
    table = [tuple(line.split("\t")) for line in lines]
    assert ("@", "MX", "10", "mail.example.org.") in table
    assert ("@", "TXT", "", "v=spf1 mx -all") in table
    assert ("@", "TXT", "", 'a "quoted" text; with a semicolon') in table
    assert ("r1._domainkey", "TXT", "", "v=DKIM1; k=rsa; h=sha256; " + RSA) in table
    assert ("_imaps._tcp", "SRV", "0", "1 993 mail.example.org.") in table
    assert ("_pop3._tcp", "SRV", "0", "0 0 .") in table
    assert ("mta-sts", "CNAME", "", "mail.example.org.") in table
    assert ("*.web", "CNAME", "", "www.example.org.") in table
    assert ("sub", "NS", "", "ns2.example.com.") in table
    assert not [row for row in table if row[1] == "SOA" or row[:2] == ("@", "NS")]


@pytest.mark.parametrize("domain", ["example.org", "example.net"])
def test_zone_file_is_accepted(full, domain):
    """By kzonecheck and named-checkzone, of a domain and of its alias; records and export give the same."""
    text = full.run("export", "--format", "zone", domain).stdout
    assert full.run("records", domain, "--format", "zone", "--reports").stdout == text
    file = full.file(text, ".zone")
    done = subprocess.run([program("kzonecheck"), "-o", domain, file], check=False,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    done = subprocess.run([program("named-checkzone"), "-i", "local", domain, file], check=False,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert text.startswith(f"$ORIGIN {domain}.\n$TTL 600\n")
    # Every record of the listing is in it.
    for row in rows(full, domain):
        assert [row["owner"], str(row["ttl"]), "IN", row["type"]] in \
            [line.split()[:4] for line in text.splitlines()]


def test_zone_files_of_all_domains(full, directory):
    """DIR/NAME.zone, replaced in one step; nothing else is left there."""
    target = directory / "zones"
    full.run("export", "--format", "zone", "--directory", target, status=1)
    target.mkdir()
    full.run("export", "--format", "zone", "--directory", target)
    assert sorted(path.name for path in target.iterdir()) == ["example.net.zone", "example.org.zone"]
    (target / "example.org.zone").write_text("old\n", encoding="utf-8")
    full.run("export", "--format", "zone", "--directory", target, "example.org")
    assert "SOA" in (target / "example.org.zone").read_text(encoding="utf-8")
    full.run("export", "--format", "zone", "--directory", target, "nix.example", status=1)
    assert len(list(target.iterdir())) == 2
    done = full.run("export", "--format", "zone", "nix.example", status=1)
    assert done.stdout == ""


def test_json_of_records(full):
    """One object a record: texts joined, the kind named."""
    (key,) = [row for row in rows(full, "example.org") if row["owner"].startswith("r1.")]
    assert key["text"] == "v=DKIM1; k=rsa; h=sha256; " + RSA
    assert key["data"].count('"') == 4
    assert (key["kind"], key["ttl"], key["type"]) == ("dkim", 600, "TXT")
    (www,) = [row for row in rows(full, "example.org") if row["owner"] == "www.example.org."]
    assert www["ttl"] == 300
    assert full.run("records", "example.org", "--format", "json").stdout == \
        full.run("--json", "records", "example.org").stdout


def test_records_at_another_time(directory, clock):
    """--at, as a time and as an offset; TTLs are capped before a change, which is announced."""
    store = Store(directory, clock)
    store.apply(CONF)
    store.run("dkim-import", "example.org/r1", RSA, "--publish", "+1h", "--remove", "+2d")

    def keys(*words):
        return [row for row in rows(store, "example.org", *words) if "_domainkey" in row["owner"]]

    assert keys() == []
    assert len(keys("--at", "+1h")) == 1
    assert len(keys("--at", "2027-01-15T09:00:00Z")) == 1
    assert keys("--at", "2027-01-15T08:59:59Z") == []
    last = keys("--at", "2027-01-17T07:59:00Z")
    assert last[0]["ttl"] == 60
    assert last[0]["until"] == "2027-01-17T08:00:00Z"
    assert keys("--at", "+2d") == []
    done = store.run("records", "example.org", "--at", "+1h")
    assert done.stdout.endswith("\nA record changes at 2027-01-17T08:00:00Z.\n")


def test_explain_names_the_layer_of_each_value(full):
    """Built-in, base, policy, domain; dmarc by tag."""
    lines = full.run("explain", "example.org").stdout.splitlines()
    assert lines[0] == "built-in < policy base < policy guide < domain example.org"
    table = [line.split(None, 1) for line in lines[2:]]
    values = {(item, rest.rsplit("  ", 1)[0].strip()): rest.rsplit("  ", 1)[1] for item, rest in table}
    assert values["ttl", "600"] == "policy base"
    assert values["mx", "10 mail"] == "policy guide"
    assert values["dmarc", "p=none"] == "domain example.org"
    assert values["dmarc", "rua=mailto:postmaster@{domain}"] == "policy guide"
    assert values["spf-all", "-all"] == "built-in"
    told = json.loads(full.run("--json", "explain", "example.org").stdout)
    assert {"item": "ttl", "value": "600", "layer": "policy base"} in told["values"]
    assert told["domain"] == "example.org"
    assert json.loads(full.run("--json", "explain", "example.net").stdout)["alias"] is True


def test_mta_sts_policy(full):
    """The body, for a domain and its alias; the id in the TXT record changes with it and only with it."""
    def identity():
        (row,) = [row for row in rows(full, "example.org") if row["owner"].startswith("_mta-sts")]
        return row["text"]

    body = full.run("mta-sts-policy", "example.org").stdout
    assert body.splitlines() == ["version: STSv1", "mode: enforce", "mx: mail.example.org",
                                 "max_age: 604800"]
    assert "mx: mail.example.net" in full.run("mta-sts-policy", "example.net").stdout
    first = identity()
    full.run("policy-set", "guide", "spf=a")
    assert identity() == first
    full.run("policy-set", "guide", "mta-sts=testing")
    assert identity() != first
    full.run("policy-set", "guide", "mta-sts=off")
    full.run("mta-sts-policy", "example.org", status=1)


# check

def findings(store, *words, status=0):
    """What check prints, as (level, section, id, message)."""
    done = store.run("--json", "check", *words, status=status)
    return [tuple(json.loads(line).values()) for line in done.stdout.splitlines()]


def test_check_of_a_good_store(full):
    """No error, and of one domain the same warnings as of all."""
    found = findings(full)
    assert {level for level, *_ in found} <= {"warning"}
    assert "0 errors" in full.run("check").stdout
    assert ("warning", "domain", "example.org",
            "TLSA records have no effect as long as the domain is not signed") \
        in findings(full, "example.org")


@pytest.mark.parametrize("changes,words", [
    (["policy-set guide mx=10\\ www2"], "mx: www2 lies in the domain"),
    (["policy-set guide dmarc=rua=mailto:a@other.example"], "reports go to other.example"),
    (["policy-set guide spf-all=none spf=none"], "SPF"),
    (["domain-set example.org mta-sts-host=none"], "mta-sts.example.org has no address"),
    (["domain-set example.org txt=" + "x" * 450], "above 450"),
    (["domain-set example.org dmarc=np=reject record=*\\ A\\ 192.0.2.1"], "np has no effect"),
    (["dkim-unset example.org/r1", "dkim-import example.org/e1 p=N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="],
     "only DKIM keys are Ed25519"),
])
def test_check_finds_what_is_risky(full, changes, words):
    """Each finding appears after the change that makes it, and not before."""
    assert not [row for row in findings(full, "example.org") if words in row[3]]
    for change in changes:
        full.run(*[word.replace("\\ ", " ") for word in
                   change.replace("\\ ", "\\\0").split(" ") for word in [word.replace("\\\0", " ")]])
    assert [row for row in findings(full, "example.org") if words in row[3]]


def test_check_looks_at_domains_of_a_policy_once(store):
    """A thousand domains of a policy give one finding, not a thousand."""
    store.apply("policy:\n  - id: p\n    ns: ns1.example.com.\n    dmarc: \"rua=mailto:a@other.example\"\n")
    store.load("".join(f'{{"kind":"domain","name":"d{i}.example","policy":"p"}}\n' for i in range(1000)))
    assert len([row for row in findings(store) if "other.example" in row[3]]) == 1


def damage(store, old, new):
    """Overwrites octets of the store while nobody has it open."""
    path = store.path / "data.mdb"
    octets = path.read_bytes()
    assert old in octets and len(old) == len(new)
    path.write_bytes(octets.replace(old, new))


def test_check_finds_damage_and_goes_on(full):
    """An entry that cannot be decoded is named; the others are looked at, exported and served all the same."""
    full.run("policy-set", "other", "ns=ns1.example.com.", "mx=10 marker.example.com.")
    full.run("domain-set", "zzz.example", "policy=guide", "dmarc=rua=mailto:a@elsewhere.example")
    # The length of the value, which no encoder writes so.
    damage(full, b"\x00\x1610 marker.example.com.", b"\xff\xff10 marker.example.com.")
    done = full.run("check", status=1)
    assert "kmailctl: policy other: the stored entry cannot be read" in done.stderr
    full.run("policy-show", "other", status=1)
    full.run("records", "example.org")
    done = full.run("export", status=1)
    names = [json.loads(line).get("name") for line in done.stdout.splitlines()]
    assert "zzz.example" in names
    # It can be deleted, and is gone then.
    full.run("policy-unset", "other")
    full.run("check")


def test_check_finds_references_to_nothing(full):
    """As a writer elsewhere can bring them about, through replication."""
    full.run("policy-set", "business", "base=guide")
    full.run("domain-set", "b.example", "policy=business")
    damage(full, b"\x00\x08business", b"\x00\x08busyness")
    found = findings(full, status=1)
    assert ("error", "domain", "b.example", "policy: there is no policy busyness") in found
    done = full.run("records", "b.example", status=1)
    assert "busyness" in done.stderr


def test_a_bad_child_does_not_hide_its_parent(store):
    """A stored domain below that cannot be served: the parent is listed and exported, with a warning."""
    store.apply("policy:\n  - id: p\n    ns: ns.example.net.\n  - id: other\n    ns: ns.example.net.\n"
                "domain:\n  - id: example.org\n    policy: p\n"
                "  - id: sub.example.org\n    policy: other\n")
    assert "sub.example.org." in store.run("records", "example.org").stdout
    damage(store, b"\x00\x05other", b"\x00\x05outer")
    for words in (["records"], ["records", "--format", "zone"], ["records", "--json"],
                  ["export", "--format", "zone"]):
        done = store.run(*words, "example.org")
        assert "ns.example.net." in done.stdout and "sub.example.org" not in done.stdout, words
        assert "sub.example.org. is a stored domain" in done.stderr, words
        assert "policy outer does not exist" in done.stderr, words
    assert store.run("records", "sub.example.org", status=1).stdout == ""
