# SPDX-License-Identifier: GPL-3.0-or-later
"""kmailctl: the words of a -set: what is said twice, += and -=, ITEM-add."""

import json
import re

import pytest

D = "example.net"
RSA = "p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqlddLN3BjInvBqI1KpdouG7feBsEt5t233jWQJW7FaY7sR/MfWNxuz" \
      "TObLoZ3l76DFq3xPjVhmy/YYiOAnMOtq9hUFqgBVTSwUNHYPz1YUEcrI5+Ban7P7LV8kggvTAaWhAI3iSXJIFaUq78K8YYr/zrGyBl" \
      "g5HCPpd+DMRAB8j1ID8bcWFaVebwAOrartXOO/f8Bn9jrRrLhjP3c8UlmkJLXkSncXPp69R9VpevrKJtpBjaFxKtx7DXGie821MHuW" \
      "J7pWMdU1Uf3z8UBKF9bnrCZ5v0SdiaFkPXR1Iiq/gR6bMwdlWvST9V6ePnqZqX+Iv4FA28byOot73/CIINFwIDAQAB"
HASH = "064dbc632f1ba7d0a2a3faeadeedfebd6f90f850dfb852c97ee9df9b6e5c5e7c"


@pytest.fixture
def first(store):
    """A domain that follows a policy with one host."""
    store.run("host-set", "mail", "name=mail", "address=192.0.2.25")
    store.run("policy-set", "business", "host=mail", "ns=ns1.example.com.", "mx=10 mail", "spf=mx",
              "dmarc=p=reject", "dmarc=rua=mailto:a@example.net")
    store.run("domain-set", D, "policy=business")
    return store


def shown(store, noun, name):
    """The items of an entry."""
    entry = json.loads(store.run("--json", f"{noun}-show", name).stdout)
    return {item: value for item, value in entry.items() if item not in ("kind", "id") and entry["kind"] != item}


# One thing, said twice

@pytest.mark.parametrize("words,reason", [
    (["dmarc=p=reject", "dmarc=p=none"], "dmarc: a tag is given twice"),
    (["dmarc=p=reject", "dmarc=p=reject"], "dmarc: a tag is given twice"),
    (["dmarc=none", "dmarc=p=none"], "dmarc: none stands alone"),
    (["dmarc=sp=", "dmarc=sp=none"], "dmarc: a tag is given twice"),
    (["dmarc+=sp=none", "dmarc+=sp=reject"], "dmarc: a tag is given twice"),
    (["ttl=300", "ttl=600"], "ttl: takes one value"),
    (["ttl=300", "ttl=none"], "ttl: none stands alone"),
    (["policy=business", "policy=parked"], "policy: takes one value"),
    (["no-mail", "no-mail=off"], "no-mail: takes one value"),
    (["mta-sts=enforce", "mta-sts=off"], "mta-sts: takes one value"),
    (["mx=10 mail", "mx=none"], "mx: none stands alone"),
    (["mx=none", "mx=none"], "mx: none stands alone"),
    (["mx=10 mail", "mx= 10 mail "], "mx: the same value is given twice"),
    (["spf-add=a", "spf-add=a"], "spf-add: the same value is given twice"),
    (["dmarc-ramp=2027-01-01T00:00:00Z p=none p=reject"], "dmarc-ramp: a tag is given twice"),
    (["dmarc-ramp=2027-01-01T00:00:00Z p=none", "dmarc-ramp=2027-01-01T00:00:00Z sp=none p=reject"],
     "dmarc-ramp: a tag is given twice for the same time"),
    (["spf=redirect=a.example redirect=b.example"], "spf: a second redirect="),
])
def test_said_twice(first, words, reason):
    """Refused, whatever would have won."""
    before = first.run("export").stdout
    done = first.run("domain-set", D, *words, status=1)
    assert f"domain {D}: {reason}" in done.stderr
    assert first.run("export").stdout == before


@pytest.mark.parametrize("noun,name,words", [
    ("domain", D, ["mx=10 mail", "mx+=20 mail"]),
    ("domain", D, ["mx-=10 mail", "mx=20 mail"]),
    ("domain", D, ["spf+=a", "spf-=a"]),
    ("domain", D, ["spf-add=a", "spf-add-=a"]),
    ("domain", D, ["spf+=a", "spf-add=a"]),
    ("host", "mail", ["address=192.0.2.1", "address-=192.0.2.25"]),
])
def test_said_and_taken_back(first, noun, name, words):
    """One word replaces, or takes away, what the other one gives."""
    before = first.run("export").stdout
    done = first.run(f"{noun}-set", name, *words, status=2)
    assert f"{words[0]} and {words[1]}" in done.stderr
    assert first.run("export").stdout == before


def test_unset_twice(first):
    """An item that is taken away once is not there for the second time."""
    first.run("domain-set", D, "mx=10 mail")
    assert "mx is given twice" in first.run("domain-unset", D, "mx", "mx", status=2).stderr
    assert "+= and -=" in first.run("domain-unset", D, "mx-=10 mail", status=2).stderr
    assert shown(first, "domain", D)["mx"] == ["10 mail"]


def test_options_twice(first):
    """Of values of a list, too."""
    assert "--policy is given twice" in \
        first.run("domain-list", "--policy", "business", "--policy", "parked", status=2).stderr
    done = first.run("cert-set", "c", f"current=3 1 1 {HASH}", "form=3 1 1", "form=3 1 1", status=1)
    assert "form: the same value is given twice" in done.stderr


@pytest.mark.parametrize("line", [
    '{"kind":"domain","name":"example.net","policy":"business","policy":"parked"}',
    '{"kind":"domain","name":"example.net","name":"example.org","policy":"business"}',
    '{"kind":"domain","name":"example.net","id":"example.net","policy":"business"}',
    '{"kind":"domain","name":"example.net","policy":"business","dmarc":{"p":"none","p":"reject"}}',
    '{"kind":"domain","name":"example.net","policy":"business","mx":["10 a.example.","10 a.example."]}',
    '{"kind":"policy","id":"a","name":"b"}',
    '{"kind":"domain","kind":"policy","name":"example.net","policy":"business"}',
    '{"kind":"domain","name":"example.net","policy":"business","deleted":true,"deleted":false}',
])
def test_json_twice(first, line):
    """A member of an object, or of an object within it, is there once."""
    before = first.run("export").stdout
    done = first.load(line + "\n", status=1)
    assert ":1: " in done.stderr
    assert first.run("export").stdout == before


def test_lines_twice(first):
    """An entry that two lines write otherwise: the last one counts, which is said. Deleted and made again, it is not."""
    one = '{"kind":"domain","name":"a.example","policy":"business"}'
    other = '{"kind":"domain","name":"a.example","policy":"business","ttl":60}'
    gone = '{"kind":"domain","name":"a.example","deleted":true}'
    done = first.load(f"{one}\n{other}\n")
    assert re.search(r"^warning: .*ndjson:2: domain a.example: line 1 writes it, too; what is written last counts$",
                     done.stderr, re.M)
    assert shown(first, "domain", "a.example")["ttl"] == 60
    assert "warning" not in first.load(f"{gone}\n{one}\n").stderr
    assert "warning" not in first.load(f"{one}\n{one}\n").stderr


def test_ramps_twice_in_a_file(first):
    """With the line of the second one."""
    text = 'domain:\n  - id: example.net\n    policy: business\n' \
           '    dmarc-ramp: [ "2027-01-01T00:00:00Z p=none", "2027-01-01T00:00:00Z p=reject" ]\n'
    done = first.apply(text, status=1)
    assert ".conf:4: domain example.net: dmarc-ramp: a tag is given twice for the same time" in done.stderr


# += and -=

@pytest.mark.parametrize("noun,name,item,values", [
    ("host", "mail", "address", ["192.0.2.25", "2001:db8::1", "192.0.2.26"]),
    ("host", "mail", "tlsa", [f"3 1 1 {HASH}", f"3 0 1 {HASH}"]),
    ("host", "mail", "tlsa-port", [25, 465]),
    ("host", "mail", "helo-spf", ["a", "mx"]),
    ("host", "mail", "certificate", ["leaf", "other"]),
    ("certificate", "leaf", "current", [f"3 1 1 {HASH}", f"3 0 1 {HASH}"]),
    ("certificate", "leaf", "form", ["3 1 1", "2 0 1"]),
    ("policy", "single", "mx", ["10 mail", "20 mx.example.com."]),
    ("policy", "single", "spf", ["mx", "a", "include:a.example"]),
    ("policy", "single", "ns", ["ns1.example.com.", "ns2.example.com."]),
    ("policy", "single", "srv", ["imaps .", "pop3s ."]),
    ("policy", "single", "caa", ["0 issue ca.example", "0 iodef mailto:a@example.net"]),
    ("policy", "single", "tls-rpt", ["mailto:a@example.net", "https://example.net/r"]),
    ("policy", "single", "record", ["a A 192.0.2.1", "b A 192.0.2.1"]),
    ("policy", "single", "bimi", ["https://example.net/a.svg", "s2 https://example.net/b.svg"]),
    ("domain", D, "txt", ["a=b", "c=d"]),
    ("domain", D, "delegation", ["sub NS ns.example.com.", "sub NS ns2.example.com."]),
    ("domain", D, "dmarc-ramp", ["2027-01-01T00:00:00Z p=none", "2027-02-01T00:00:00Z p=reject"]),
])
def test_add_and_take_away(first, noun, name, item, values):
    """Every list of every section: one value, several, and back."""
    verb = {"certificate": "cert"}.get(noun, noun) + "-set"
    first.run("cert-set", "other", f"current=3 1 1 {HASH}")
    first.run("cert-set", "leaf", f"current=3 1 1 {HASH}")
    first.run("policy-set", "single", "host=mail")
    first.run("host-set", "mail", "address=192.0.2.25")
    start = shown(first, verb[:-4], name).get(item, [])
    new = [value for value in values if value not in start]
    first.run(verb, name, *[f"{item}+={value}" for value in new])
    assert shown(first, verb[:-4], name)[item] == start + new
    # Once more changes nothing.
    first.run(verb, name, f"{item}+={values[-1]}")
    assert shown(first, verb[:-4], name)[item] == start + new
    first.run(verb, name, f"{item}-={values[-1]}")
    assert values[-1] not in shown(first, verb[:-4], name).get(item, [])
    done = first.run(verb, name, f"{item}-={values[-1]}", status=1)
    assert f"{noun} {name}: {item}: there is no {values[-1]}; there is " in done.stderr
    for value in start + new[:-1]:
        assert str(value) in done.stderr


def test_take_one_and_give_another(first):
    """In one command, several items."""
    first.run("host-set", "mail", "address-=192.0.2.25", "address+=192.0.2.26", "address+=2001:db8::1",
              "tlsa-port+=465")
    assert shown(first, "host", "mail")["address"] == ["192.0.2.26", "2001:db8::1"]
    assert shown(first, "host", "mail")["tlsa-port"] == [465]


@pytest.mark.parametrize("noun,name,item,value,other", [
    ("host", "mail", "address", "2001:db8::25", "2001:DB8:0::25"),
    ("domain", D, "mx", "20 backup.example.org.", "20  Backup.Example.ORG."),
    ("domain", D, "srv", "imaps 0 1 993 mail", "imaps  0 1 993 MAIL"),
    ("domain", D, "spf", "a", "+a"), ("domain", D, "spf", "ip6:2001:db8::/32", "IP6:2001:DB8::/32"),
    ("domain", D, "ns", "ns3.example.com.", "NS3.example.com."),
    ("domain", D, "record", "www A 192.0.2.7", "WWW  a 192.0.2.7"),
    ("domain", D, "record", "www AAAA 2001:db8::1", "www AAAA 2001:db8:0::1"),
    ("domain", D, "caa", '0 issue "ca.example"', "0  issue ca.example"),
    ("domain", D, "delegation", "sub NS ns.example.org.", "sub  ns NS.example.org."),
    ("domain", D, "bimi", "https://example.net/Logo.svg", " https://example.net/Logo.svg "),
])
def test_another_spelling(first, noun, name, item, value, other):
    """It is the same value: += does not add it, -= takes it away."""
    first.run(f"{noun}-set", name, f"{item}+={value}")
    before = first.run("export").stdout
    first.run(f"{noun}-set", name, f"{item}+={other}")
    assert first.run("export").stdout == before
    first.run(f"{noun}-set", name, f"{item}-={other}")
    first.run(f"{noun}-set", name, f"{item}-={value}", status=1)


@pytest.mark.parametrize("item,value,other", [
    ("txt", "Hello", "hello"), ("txt", "a b", "a  b"), ("record", 'www TXT "Key"', 'www TXT "key"'),
    ("bimi", "https://example.net/Logo.svg", "https://example.net/logo.svg"),
    ("tls-rpt", "mailto:A@example.net", "mailto:a@example.net"),
])
def test_another_value(first, item, value, other):
    """Where case or blanks count, a value that differs in them is another one."""
    first.run("domain-set", D, f"{item}+={value}")
    assert "there is no" in first.run("domain-set", D, f"{item}-={other}", status=1).stderr
    assert shown(first, "domain", D)[item] == [value]


@pytest.mark.parametrize("word", ["name+=x", "name-=x"])
def test_only_lists_take_them(first, word):
    """What has one value is replaced."""
    assert "name is no list: name=VALUE replaces it" in first.run("host-set", "mail", word, status=2).stderr
    assert "did you mean address?" in first.run("host-set", "mail", "adress+=192.0.2.1", status=2).stderr


def test_add_to_an_inherited_list(first):
    """It goes behind what is inherited, which stays."""
    first.run("domain-set", D, "mx+=20 mx.example.com.")
    assert shown(first, "domain", D)["+mx"] == ["20 mx.example.com."]
    first.run("policy-set", "business", "mx=5 mail")
    explained = first.run("explain", D).stdout
    assert "5 mail" in explained and "20 mx.example.com." in explained
    # What is inherited need not be added.
    done = first.run("domain-set", D, "mx+=5 mail")
    assert f"domain {D}: mx: 5 mail is there already (policy business)" in done.stderr
    assert shown(first, "domain", D)["+mx"] == ["20 mx.example.com."]
    # A list of its own takes the next value itself.
    first.run("domain-set", D, "srv+=imaps")
    first.run("domain-set", D, "srv+=submissions")
    assert shown(first, "domain", D)["srv"] == ["imaps", "submissions"]
    # Of a policy, from its base.
    first.run("policy-set", "above", "base=business")
    first.run("policy-set", "above", "spf+=a")
    assert shown(first, "policy", "above")["+spf"] == ["a"]


def test_take_away_what_is_inherited(first):
    """The message says where it comes from, and what to do."""
    done = first.run("domain-set", D, "mx-=10 mail", status=1)
    assert f"domain {D}: mx: 10 mail is inherited (policy business): " \
           "kmailctl policy-set business 'mx-=10 mail'" in done.stderr
    done = first.run("domain-set", D, "dmarc-=p", status=1)
    assert "p=reject is inherited (policy business)" in done.stderr
    assert "dmarc=p= leaves the tag out here" in done.stderr
    done = first.run("domain-set", D, "mx-=30 mail", status=1)
    assert "there is no 30 mail; there is 10 mail (policy business)" in done.stderr


def test_the_last_value_of_a_list(first):
    """What is inherited counts again, which is said."""
    first.run("domain-set", D, "mx=20 mail")
    done = first.run("domain-set", D, "mx-=20 mail")
    assert f"warning: domain {D}: mx: " in done.stderr
    assert "inherits 10 mail (policy business); mx=none takes these away" in done.stderr
    assert "mx" not in shown(first, "domain", D)
    first.run("domain-set", D, "mx=none")
    first.run("domain-set", D, "mx+=30 mail")
    assert shown(first, "domain", D)["mx"] == ["30 mail"]


def test_tags(first):
    """+= does not replace a tag, -= takes a tag, or the tag with just that value."""
    first.run("domain-set", D, "dmarc+=sp=none", "dmarc+=p=quarantine")
    assert shown(first, "domain", D)["dmarc"] == {"sp": "none", "p": "quarantine"}
    done = first.run("domain-set", D, "dmarc+=sp=reject", status=1)
    assert "there is sp=none already; dmarc=sp=reject replaces it" in done.stderr
    done = first.run("domain-set", D, "dmarc-=sp=reject", status=1)
    assert "there is no sp=reject; there is sp=none, p=quarantine" in done.stderr
    first.run("domain-set", D, "dmarc-=sp=none", "dmarc-=p")
    assert "dmarc" not in shown(first, "domain", D)


def test_item_add_keeps_what_was_added(first):
    """In two commands, both; once more, nothing changes; and out again."""
    first.run("domain-set", D, "spf-add=include:a.example")
    first.run("domain-set", D, "spf-add=include:b.example")
    assert shown(first, "domain", D)["+spf"] == ["include:a.example", "include:b.example"]
    before = first.run("export").stdout
    first.run("domain-set", D, "spf-add=include:a.example")
    assert first.run("export").stdout == before
    first.run("domain-set", D, "spf-=include:a.example")
    first.run("domain-set", D, "spf-add-=include:b.example", "spf-add=include:c.example")
    assert shown(first, "domain", D)["+spf"] == ["include:c.example"]


def test_dkim_times_stay_single(first):
    """A key takes no += for what it has once."""
    first.run("dkim-import", f"{D}/s1", RSA)
    done = first.run("dkim-set", f"{D}/s1", "publish+=2027-01-01T00:00:00Z", status=2)
    assert "publish is no list" in done.stderr
