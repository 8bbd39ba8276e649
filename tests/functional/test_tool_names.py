# SPDX-License-Identifier: GPL-3.0-or-later
"""kmailctl: names that lead nowhere, SPF terms that nobody means, circles; each is told of once."""

import json

import pytest

BASE = """
host:
  - id: mail
    name: mail
    address: 192.0.2.25
policy:
  - id: p
    host: mail
    ns: ns1.example.com.
    mx: "10 mail"
    spf: mx
domain:
  - id: example.net
    policy: p
  - id: other.org
    policy: p
"""


@pytest.fixture
def named(store):
    """Two domains of one policy."""
    store.apply(BASE)
    return store


def warnings(done):
    """The lines of stderr that warn."""
    return [line[len("warning: "):] for line in done.stderr.splitlines() if line.startswith("warning: ")]


def messages(store, *words, status=0):
    """What check prints, as (level, section, id, message)."""
    done = store.run("--json", "check", *words, status=status)
    return [tuple(json.loads(line).values()) for line in done.stdout.splitlines()]


# SPF terms

@pytest.mark.parametrize("term,remedy", [
    ("include=x.example", "include:x.example"),
    ("ip4=192.0.2.1", "ip4:192.0.2.1"),
    ("a=mail.example.net", "a:mail.example.net"),
    ("mx=example.net", "mx:example.net"),
    ("redirect:x.example", "redirect=x.example"),
    ("exp:x.example", "exp=x.example"),
    ("ip4:2001:db8::1", "ip6:2001:db8::1"),
    ("ip6:192.0.2.1", "ip4:192.0.2.1"),
    ("include:192.0.2.1", "ip4:192.0.2.1"),
    ("ip4:mail.example.net", "a:mail.example.net"),
    ("ipv4:192.0.2.1", "ip4:192.0.2.1"),
    ("includes:x.example", "include:x.example"),
    ("192.0.2.1", "ip4:192.0.2.1"),
])
@pytest.mark.parametrize("verb", ["policy-set p", "domain-set example.net"])
def test_spf_term_that_nobody_means(named, verb, term, remedy):
    """Refused, with what to write; what is to be written is taken."""
    done = named.run(*verb.split(), f"spf={term}", status=1)
    assert remedy in done.stderr
    assert "v=spf1 mx -all" in named.run("records", "example.net").stdout
    named.run(*verb.split(), f"spf={remedy}")


def test_spf_terms_of_files(named):
    """apply and import refuse them, too, with the line."""
    done = named.apply("policy:\n  - id: q\n    spf: [ mx, \"include=x.example\" ]\n", status=1)
    assert ".conf:3: " in done.stderr and "include:x.example" in done.stderr
    done = named.load('{"kind":"policy","name":"q","spf":["redirect:x.example"]}\n', status=1)
    assert "redirect=x.example" in done.stderr
    done = named.run("host-set", "mail", "helo-spf=a=x.example", status=1)
    assert "a:x.example" in done.stderr


@pytest.mark.parametrize("item,word", [
    ("spf=+all", "every server of the world"),
    ("spf=?all", "says nothing of other servers"),
    ("spf-all=?all", "says nothing of other servers"),
    ("spf=ip4:192.168.1.1", "private address"),
    ("spf=tracking=yes", "receivers ignore"),
    ("ttl=0", "a TTL of 0"),
    ("mx=10 gone", "gone lies in the domain"),
    ("mx=10 mail.example.net", "did you mean mail.example.net.?"),
    ("autoconfig=auto.example.com", "did you mean auto.example.com.?"),
    ("autodiscover=auto.example.com", "it is auto.example.com.{domain}"),
    ("record=www CNAME web.example.com", "did you mean web.example.com.?"),
    ("soa-mname=gone.other.org.", "does not exist in the stored domain other.org"),
    ("mx=10 gone.other.org.", "does not exist in the stored domain other.org"),
    ("srv=imaps gone.other.org.", "does not exist in the stored domain other.org"),
    ("dmarc=rua=mailto:a@reports.other.org", "reports go to reports.other.org."),
    ("spf=a:gone.other.org", "finds nothing"),
    ("spf=include:gone.other.org", "no SPF record"),
])
def test_a_warning_is_given_once(named, item, word):
    """For a policy, whatever follows it; not again for what has nothing to do with it."""
    found = warnings(named.run("policy-set", "p", item))
    assert len(found) == 1 and word in found[0], found
    assert warnings(named.run("domain-set", "new.org", "policy=p")) == []
    assert warnings(named.run("domain-set", "new.org", "txt=x")) == []
    assert warnings(named.run("policy-set", "q", "base=p")) == []
    # check finds it with the policy, once.
    assert len([row for row in messages(named) if word in row[3]]) <= 1


def test_a_warning_has_its_line(named):
    """Two policies of a file that are at fault: two lines."""
    done = named.apply("policy:\n  - id: q\n    spf: \"+all\"\n  - id: r\n    spf: \"+all\"\n")
    assert [line.split(":")[1] for line in warnings(done)] == ["3", "5"]


def test_hosts_that_nobody_can_reach(named):
    """Private and loopback addresses, once each; those of documentation are in every example."""
    for address in ("10.0.0.1", "192.168.1.1", "172.31.0.1", "127.0.0.1", "::1", "fd00::1", "fe80::1",
                    "::ffff:192.0.2.1", "0.0.0.0", "169.254.1.1", "100.64.0.1"):
        found = warnings(named.run("host-set", "mail", f"address={address}"))
        assert len(found) == 1 and "nobody else can reach the host there" in found[0], address
    for address in ("192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "172.32.0.1", "9.9.9.9"):
        assert warnings(named.run("host-set", "mail", f"address={address}")) == []


@pytest.mark.parametrize("item", ["ns", "autoconfig", "autodiscover", "mta-sts-host", "soa-mname"])
@pytest.mark.parametrize("value", ["192.0.2.1", "192.0.2.1."])
def test_an_address_is_no_name(named, item, value):
    """Where a host name belongs, an address is refused: nothing else can be meant."""
    assert "IP address" in named.run("policy-set", "p", f"{item}={value}", status=1).stderr


# Circles

@pytest.mark.parametrize("items", [
    ["record=a CNAME a"],
    ["record=a CNAME b", "record=b CNAME a"],
    ["autoconfig=x", "record=x CNAME autoconfig"],
])
def test_a_circle_in_one_domain(named, items):
    """A warning for each record of it; what else the domain has is served."""
    found = warnings(named.run("domain-set", "example.net", *items))
    assert found and all("circle" in text for text in found) and len(set(found)) == len(found), found


@pytest.mark.parametrize("term", ["include:{domain}", "redirect=example.net", "include:example.net"])
def test_a_record_that_includes_itself(named, term):
    """There is nothing that could be meant."""
    before = named.run("export").stdout
    assert "circle" in named.run("domain-set", "example.net", f"spf={term}", status=1).stderr
    assert named.run("export").stdout == before


def test_circles_through_two_domains(named):
    """The second that is written closes them: a warning, and check finds it with both."""
    found = warnings(named.run("domain-set", "example.net", "record=a CNAME b.other.org.",
                               "spf=include:other.org"))
    assert len(found) == 1 and "does not exist" in found[0]
    found = warnings(named.run("domain-set", "other.org", "record=b CNAME a.example.net.",
                               "spf=redirect=example.net"))
    assert len(found) == 2 and all("circle" in text for text in found), found
    rows = [row for row in messages(named) if "circle" in row[3]]
    assert sorted(row[2] for row in rows) == ["example.net", "example.net", "other.org", "other.org"]


def test_spf_is_counted_through_stored_names(named):
    """Ten are good; a record elsewhere makes it eleven, and check says so of the domain that includes it."""
    named.run("domain-set", "other.org", "spf=a:a.com b:b.com".replace("b:b.com", "a:b.com a:c.com a:d.com a:e.com"))
    assert warnings(named.run("domain-set", "example.net", "spf=include:other.org mx a:f.com a:g.com a:h.com")) == []
    assert warnings(named.run("domain-set", "other.org", "spf+=a:i.com")) == []
    found = [row for row in messages(named) if "11 lookups" in row[3]]
    assert [row[2] for row in found] == ["example.net"]
    found = warnings(named.run("domain-set", "example.net", "txt=x"))
    assert len(found) == 1 and "11 lookups" in found[0]
    # Two that find nothing are allowed, three are not.
    found = warnings(named.run("domain-set", "example.net", "spf=a:x.other.org a:y.other.org"))
    assert len(found) == 2 and not [text for text in found if "permanent" in text]
    found = warnings(named.run("domain-set", "example.net", "spf=a:x.other.org a:y.other.org mx:z.other.org"))
    assert "3 lookups find nothing" in found[-1]


def test_check_gives_a_policys_warning_once(named):
    """A thousand domains that follow it, a policy above it, a domain with an override: one finding."""
    named.run("policy-set", "p", "autoconfig=gone")
    named.run("policy-set", "q", "base=p")
    named.load("".join(f'{{"kind":"domain","name":"d{i}.example","policy":"q"}}\n' for i in range(1000)))
    named.run("domain-set", "d7.example", "txt=x")
    rows = [row for row in messages(named) if "autoconfig" in row[3]]
    assert [row[1:3] for row in rows] == [("policy", "p")]
    # Of a domain that is asked for, all is told.
    assert [row for row in messages(named, "d7.example") if "autoconfig" in row[3]]


def test_dkim_alias(named):
    """Of a domain's own key and of a policy's: without its dot, and to a name that a stored domain lacks."""
    found = warnings(named.run("dkim-set", "example.net/s1", "cname=s1._domainkey.provider.example"))
    assert len(found) == 1 and "did you mean s1._domainkey.provider.example.?" in found[0]
    found = warnings(named.run("dkim-set", "example.net/s1", "cname=s1._domainkey.other.org."))
    assert len(found) == 1 and "does not exist in the stored domain other.org" in found[0]
    found = warnings(named.run("dkim-set", "policy:p/s1", "cname=s1._domainkey.provider.example"))
    assert len(found) == 1 and "did you mean s1._domainkey.provider.example.?" in found[0]
    assert len([row for row in messages(named) if "_domainkey" in row[3]]) == 2


# What others notice late

KEYS = ("N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U=", "fjUtQeSwR0X98Br31HjA+krMSndzz0Tn9IKT0h1VIC4=")


def test_a_key_in_use_is_replaced(named):
    """Mail on its way was signed with the old one: refused, or a warning, once; neither for a key that nobody uses."""
    named.run("dkim-set", "example.net/s1", f"key={KEYS[0]}")
    assert warnings(named.run("dkim-set", "example.net/s1", f"key={KEYS[0]}", "retire=2099-01-01T00:00:00Z")) == []
    refused = named.run("dkim-set", "example.net/s1", f"key={KEYS[1]}", status=1).stderr
    assert "in use" in refused and "dkim-import example.net/SELECTOR KEY" in refused and "--force" in refused
    found = warnings(named.run("dkim-set", "example.net/s1", f"key={KEYS[1]}", "--force"))
    assert len(found) == 1 and "in use is replaced" in found[0] and "new selector" in found[0]
    done = named.load(f'{{"kind":"dkim","name":"example.net/s1","key":"{KEYS[0]}"}}\n')
    assert "in use is replaced" in done.stderr
    for state in ("publish=2099-01-01T00:00:00Z", "activate=2099-01-01T00:00:00Z", "remove=2020-01-01T00:00:00Z"):
        named.run("dkim-set", f"example.net/{state[:6]}", f"key={KEYS[0]}", state)
        assert warnings(named.run("dkim-set", f"example.net/{state[:6]}", f"key={KEYS[1]}")) == []


@pytest.mark.parametrize("words", [
    ["policy-set", "p", "mta-sts=off"],
    ["policy-set", "p", "no-mail"],
    ["policy-unset", "p", "mta-sts"],
])
def test_mta_sts_goes(named, words):
    """From enforce straight to nothing: senders keep the policy (RFC 8461 8.3). By way of none all is well."""
    named.run("policy-set", "p", "mta-sts=enforce", "mta-sts-host=mail")
    found = [text for text in warnings(named.run(*words)) if "mta-sts" in text]
    assert len(found) == 1 and "mta-sts=none" in found[0] and "604800" in found[0]


def test_mta_sts_goes_from_a_domain(named):
    """Its own override, another policy, an alias, deletion."""
    named.run("policy-set", "p", "mta-sts=enforce", "mta-sts-host=mail", "mta-sts-max-age=86400")
    named.run("policy-set", "q", "ns=ns1.example.com.", "mx=10 mx.elsewhere.example.")
    for words in (["domain-set", "example.net", "mta-sts=off"], ["domain-set", "example.net", "policy=q"],
                  ["domain-unset", "other.org"]):
        found = [text for text in warnings(named.run(*words)) if "RFC 8461" in text]
        assert len(found) == (0 if words[-1] == "policy=q" else 1), words
    named.run("domain-set", "new.org", "policy=p")
    assert "RFC 8461" in named.run("domain-set", "new.org", "policy=q").stderr
    named.run("policy-set", "p", "mta-sts=none")
    assert "RFC 8461" not in named.run("policy-set", "p", "mta-sts=off").stderr
