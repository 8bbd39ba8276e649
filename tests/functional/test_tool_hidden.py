# SPDX-License-Identifier: GPL-3.0-or-later
"""Literal records get the checks of items; what nobody can see is refused or told; check asks what is answered."""

import json

import pytest
from harness import Knotd, rcode, texts

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
  - id: silent
    base: parked
    ns: ns1.example.com.
domain:
  - id: example.net
    policy: p
  - id: quiet.example
    policy: silent
"""

HEX = "ab" * 32
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
KEY = "v=DKIM1; k=ed25519; p=N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="

# Arguments of domain-set example.net, and what its refusal says.
REFUSED = [
    (['record=w TXT "v=spf1 mx -all"', 'record=w TXT "v=spf1 a -all"'], "two SPF records"),
    (["record=w MX 0 .", "record=w MX 10 mail"], "null MX"),
    (["record=w MX 10 ."], "its preference is 0"),
    ([f"record=_25._tcp.w TLSA 3 1 1 {HEX[2:]}"], "32 octets, this has 31"),
    ([f"record=_25._tcp.w TLSA 3 1 1 {EMPTY}"], "digest of nothing"),
    (["dmarc=none", 'record=_dmarc TXT "v=DMARC1; p=none"', 'record=_dmarc TXT "v=DMARC1; p=reject"'],
     "two DMARC records"),
    (['record=s._domainkey TXT "v=DKIM1; k=rsa; p=AAAA"'], "no public key"),
    (["srv=imaps", "srv=imaps ."], "RFC 2782"),
    (["mx=10 0."], "no host"),
    ([f"delegation=lab DS 1 13 2 {HEX}"], "RFC 4035 2.4"),
    (["record=www.example.org. A 192.0.2.1"], "lies outside of the domain"),
    (["record=_tcp DNAME x.example.", "srv=imaps"], "the DNAME at _tcp hides it"),
    (["delegation=lab NS ns.example.com.", "record=www.lab A 192.0.2.1"], "the delegation of lab hides it"),
]


@pytest.fixture(name="small")
def small_fixture(store):
    store.apply(BASE)
    return store


def test_refused(small):
    for args, reason in REFUSED:
        before = small.run("export").stdout
        done = small.run("domain-set", "example.net", *args, status=1)
        assert reason in done.stderr, (args, done.stderr)
        assert small.run("export").stdout == before
    # The same in a file, with the line.
    done = small.apply('policy:\n  - id: p\n    ns: ns1.example.com.\n    mx: "10 mail"\n'
                       '    record: [ "w MX 0 .", "w MX 1 mail" ]\n', status=1)
    assert ":5: policy p: record: a null MX beside another MX (RFC 7505 3) at w" in done.stderr


def test_hidden_key(small):
    """A DKIM key that is hidden is not called active, and DNS does not have it."""
    small.run("dkim-import", "example.net/s1", KEY)
    for args in (["record=_domainkey DNAME dkim.example.com."], ["delegation=_domainkey NS ns.example.com."],
                 ["delegation=s1._domainkey NS ns.example.com."]):
        done = small.run("domain-set", "example.net", *args, status=1)
        assert "the DKIM key example.net/s1 cannot be seen by anybody" in done.stderr
    assert " active" in small.run("dkim-list", "example.net", "--at", "+5m").stdout
    small.run("dkim-unset", "example.net/s1")
    small.run("domain-set", "example.net", "record=_domainkey DNAME dkim.example.com.")
    done = small.run("dkim-import", "example.net/s1", KEY, status=1)
    assert "the DNAME at _domainkey.example.net hides it" in done.stderr
    done = small.run("dkim-import", "quiet.example/s1", KEY, status=1)
    assert "no-mail hides it" in done.stderr

    # A key that is there already, and is hidden later.
    small.run("domain-set", "example.net", "record=none")
    small.run("dkim-import", "example.net/s1", KEY)
    with Knotd(small) as knotd:
        assert texts(knotd.ask("s1._domainkey.example.net", "TXT"))[0].endswith(KEY.split()[-1])
        done = small.run("domain-set", "example.net", "policy=silent")
        assert done.stderr.count("domain example.net: no-mail hides its DKIM keys, such as example.net/s1") == 1
        knotd.reload()
        assert texts(knotd.ask("s1._domainkey.example.net", "TXT")) == ["v=DKIM1; p="]
        assert " hidden" in small.run("dkim-list", "example.net").stdout
        key = json.loads(small.run("--json", "dkim-list", "example.net").stdout)
        assert (key["state"], key["hidden-by"]) == ("hidden", "no-mail")
        assert "dkim example.net/s1: nobody can see the key: no-mail hides it" in small.run("check").stdout

        small.run("domain-set", "example.net", "policy=p")
        done = small.run("domain-set", "_domainkey.example.net", "policy=silent")
        assert "it hides the DKIM keys that example.net has there" in done.stderr
        knotd.reload()
        assert texts(knotd.ask("s1._domainkey.example.net", "TXT")) == []
        key = json.loads(small.run("--json", "dkim-list", "example.net").stdout)
        assert key["hidden-by"] == "the stored domain _domainkey.example.net"


CONSENT = """
policy:
  - id: rep
    base: p
    dmarc: [ "p=reject", "rua=mailto:a@reports.example.org" ]
  - id: others
    base: p
    dmarc: [ "p=reject", "rua=mailto:a@example.org,mailto:a@lit.example.org", "ruf=mailto:a@wild.example.org" ]
domain:
  - id: example.org
    policy: p
    record: [ "*._report._dmarc.wild TXT \\"v=DMARC1\\"", "others.example._report._dmarc.lit TXT \\"v=DMARC1\\"", "lit MX 10 mail.example.com.", "wild MX 10 mail.example.com." ]
    delegation: "away NS ns.example.com."
  - id: rep.example
    policy: rep
  - id: others.example
    policy: others
"""


def test_consent(small):
    """A report host consents when DNS says so, whatever else is stored above it."""
    small.apply(CONSENT)
    owner = "rep.example._report._dmarc.reports.example.org"
    with Knotd(small) as knotd:
        assert rcode(knotd.ask(owner, "TXT")) == "NXDOMAIN"
        assert f"this store answers without {owner} TXT" in small.run("check", "rep.example").stdout
        assert "_report._dmarc" not in small.run("check", "others.example").stdout
        for host in ("example.org", "lit.example.org", "wild.example.org"):
            assert texts(knotd.ask(f"others.example._report._dmarc.{host}", "TXT")) == ["v=DMARC1"]
        small.run("domain-set", "others.example", "dmarc=ruf=mailto:a@no.example.org,mailto:a@away.example.org")
        told = small.run("check", "others.example").stdout
        assert "without others.example._report._dmarc.no.example.org TXT" in told
        assert "must publish others.example._report._dmarc.away.example.org TXT" in told
        # Stored, it consents by itself.
        small.run("domain-set", "reports.example.org", "policy=p")
        knotd.reload()
        assert texts(knotd.ask(owner, "TXT")) == ["v=DMARC1"]
        assert small.run("check", "rep.example").stdout == ""


def test_consent_to_what_a_domain_sets(small):
    """Each domain with reports of its own needs the consent, not only the first that follows a policy."""
    small.apply(CONSENT)
    for domain in ("a.example", "b.example"):
        small.run("domain-set", domain, "policy=p", "dmarc=rua=mailto:a@reports.example.org")
    small.run("domain-set", "c.example", "policy=p", "record=www A 192.0.2.1")
    told = small.run("check").stdout
    for domain in ("a.example", "b.example", "rep.example"):
        assert told.count(f"this store answers without {domain}._report._dmarc.reports.example.org TXT") == 1
    assert "c.example" not in told


# Items of a domain without DMARC and MTA-STS of its own, and which of the two warnings check gives.
MISSING = [
    ([], "DMARC"),
    (["record=_dmarc CNAME d.provider.test."], ""),
    (["delegation=_dmarc NS ns.example.com."], ""),
    (["record=_dmarc CNAME nothing"], "DMARC"),
    (["record=_dmarc CNAME _dmarc.full.example."], ""),
    (["record=_dmarc CNAME mail.full.example."], "DMARC"),
    (['record=_dmarc TXT "v=DMARC1; p=none"', 'record=_mta-sts TXT "v=STSv1; id=1"'], "MTA-STS"),
    (['record=_dmarc TXT "v=DMARC1; p=none"', "record=_mta-sts CNAME m.provider.test."], "MTA-STS"),
    (['record=_dmarc TXT "v=DMARC1; p=none"', 'record=_mta-sts TXT "v=STSv1; id=1"', "record=mta-sts CNAME w.test."], ""),
    (['record=_dmarc TXT "v=DMARC1; p=none"', 'record=_mta-sts TXT "v=STSv1; id=1"', "record=* A 192.0.2.1"], ""),
    (['record=_dmarc TXT "v=DMARC1; p=none"', 'record=_mta-sts TXT "v=STSv1; id=1"',
      "delegation=mta-sts NS ns.example.com."], ""),
]


def test_missing(small):
    """What others publish, by an alias or a delegation, is not missing."""
    small.apply('policy:\n  - id: bare\n    base: p\n    dmarc: none\n'
                'domain:\n  - id: full.example\n    policy: p\n    dmarc: "p=reject"\n')
    for i, (args, expected) in enumerate(MISSING):
        small.run("domain-set", f"d{i}.example", "policy=bare", *args)
        told = small.run("check", f"d{i}.example").stdout
        assert ("there is no DMARC record" in told) == (expected == "DMARC"), (args, told)
        assert ("mta-sts-host" in told) == (expected == "MTA-STS"), (args, told)


def test_unused(small):
    """A host that nothing lists, and a certificate that no host names, have no records."""
    small.apply(f'host:\n  - id: spare\n    name: spare\ncertificate:\n  - id: old\n    current: "3 1 1 {HEX}"\n')
    told = small.run("check").stdout
    assert "warning: host spare: no policy or domain lists the host" in told
    assert "warning: certificate old: no host names the certificate" in told
    assert "host mail:" not in told
