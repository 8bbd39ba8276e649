# SPDX-License-Identifier: GPL-3.0-or-later
"""DMARC and its reports, MTA-STS, TLS-RPT, BIMI."""

from harness import Knotd, has, rcode, rdata, texts
from kinds import check, covers, each, policy, serve

RUA = "mailto:postmaster@example.org"

DMARC = [
    # items, expected; p is second, where old receivers look for it
    (None, "v=DMARC1; p=none"),
    (["p=none"], "v=DMARC1; p=none"),
    (["p=quarantine"], "v=DMARC1; p=quarantine"),
    (["p=reject"], "v=DMARC1; p=reject"),
    (["sp=quarantine", "p=reject"], "v=DMARC1; p=reject; sp=quarantine"),
    (["np=reject", "p=none"], "v=DMARC1; p=none; np=reject"),
    (["p=none", "sp=none", "np=quarantine"], "v=DMARC1; p=none; sp=none; np=quarantine"),
    (["adkim=s", "aspf=r"], "v=DMARC1; p=none; adkim=s; aspf=r"),
    (["t=y", "p=reject"], "v=DMARC1; p=reject; t=y"),
    (["psd=y"], "v=DMARC1; p=none; psd=y"),
    (["psd=n"], "v=DMARC1; p=none; psd=n"),
    (["psd=u"], "v=DMARC1; p=none; psd=u"),
    (["p=none", "pct=100", "rua=mailto:postmaster@{domain}"], f"v=DMARC1; p=none; pct=100; rua={RUA}"),
    (["pct=50", "rf=afrf", "ri=86400"], "v=DMARC1; p=none; pct=50; rf=afrf; ri=86400"),
    (["fo=1:d:s", "ruf=mailto:f@example.net"], "v=DMARC1; p=none; fo=1:d:s; ruf=mailto:f@example.net"),
    (["p=reject", "rua=mailto:postmaster@{domain}", "ruf=mailto:postmaster@{domain}"],
     f"v=DMARC1; p=reject; rua={RUA}; ruf={RUA}"),
    (["rua=mailto:a@example.net,mailto:b@example.net!10m"],
     "v=DMARC1; p=none; rua=mailto:a@example.net,mailto:b@example.net!10m"),
    (["rua=https://reports.example.net/dmarc"],
     "v=DMARC1; p=none; rua=https://reports.example.net/dmarc"),
    (["ruf=mailto:f@example.net", "rua=mailto:a@example.net", "fo=0", "psd=n", "t=n", "aspf=s",
      "adkim=r", "np=none", "sp=none", "p=reject"],
     "v=DMARC1; p=reject; sp=none; np=none; adkim=r; aspf=s; t=n; psd=n; fo=0; rua=mailto:a@example.net; "
     "ruf=mailto:f@example.net"),
    (["p=reject", "fo="], "v=DMARC1; p=reject"),
]


@covers("dmarc")
def test_dmarc(store):
    """Every tag of RFC 9989 and those that are gone, in one record."""
    cases = []
    for tags, expected in DMARC:
        items = [] if tags is None else ["dmarc: [ " + ", ".join(f'"{tag}"' for tag in tags) + " ]"]
        cases.append((items, "_dmarc.example.org", "TXT", expected))
    each(store, cases, {"dmarc"})


def test_dmarc_can_be_taken_away(store):
    """none: no record; the name stays, since reports of others may be below it."""
    serve(store, policy("dmarc: none"), [("_dmarc.example.org", "TXT", "NODATA")], set())


REPORTS = """
policy:
  - id: reports
    ns: "ns1.example.net."
    dmarc: "rua=mailto:dmarc@collector.example"
  - id: silent
    ns: "ns1.example.net."
  - id: forensic
    ns: "ns1.example.net."
    dmarc: [ "rua=mailto:dmarc@{domain}", "ruf=mailto:a@other.example,mailto:b@Collector.Example" ]
  - id: web
    ns: "ns1.example.net."
    dmarc: "rua=https://collector.example/dmarc"
domain:
  - id: collector.example
    policy: reports
  - id: one.example
    policy: reports
  - id: two.example
    policy: silent
  - id: three.example
    policy: silent
    dmarc: "rua=mailto:x@collector.example!10m"
  - id: four.example
    policy: reports
    dmarc: "rua="
  - id: five.example
    policy: forensic
  - id: six.example
    policy: web
  - id: a.b.seven.example
    policy: reports
  - id: eight.example
    alias: one.example
  - id: nine.example
    policy: reports
    no-mail: on
"""


@covers("dmarc-report")
def test_reports_of_others(store):
    """C._report._dmarc.D for exactly the domains C that report to D (RFC 9990 3)."""
    store.apply(REPORTS)
    there = "_report._dmarc.collector.example"
    yes, ent, no = "v=DMARC1", "NODATA", "NXDOMAIN"
    with Knotd(store) as knotd:
        check(knotd, [(f"{name}.{there}", "TXT", expected) for name, expected in (
            ("one.example", yes), ("three.example", yes), ("five.example", yes),
            ("a.b.seven.example", yes), ("eight.example", yes), ("nine.example", yes),
            # A domain's reports to itself need no word; those that report elsewhere have none.
            ("collector.example", ent), ("two.example", ent), ("four.example", ent), ("six.example", ent),
            ("b.seven.example", ent), ("seven.example", ent), ("example", ent),
            ("foreign.example", no), ("x.one.example", no), ("one.example.org", no), ("org", no),
            ("*", no))] + [
            (there, "TXT", ent), ("_dmarc.collector.example", "TXT",
                                  "v=DMARC1; p=none; rua=mailto:dmarc@collector.example"),
            ("five.example._report._dmarc.other.example", "TXT", "REFUSED"),
            ("one.example._report._dmarc.two.example", "TXT", ent),
            ("one.example._report._dmarc.five.example", "TXT", ent),
        ])
        # Another policy, and the word is taken back by the next question.
        store.run("domain-set", "one.example", "dmarc=rua=mailto:dmarc@two.example")
        check(knotd, [(f"one.example.{there}", "TXT", ent),
                      ("one.example._report._dmarc.two.example", "TXT", yes),
                      (f"eight.example.{there}", "TXT", ent)])
        store.run("domain-unset", "eight.example")
        store.run("domain-unset", "one.example")
        check(knotd, [(f"one.example.{there}", "TXT", no),
                      ("one.example._report._dmarc.two.example", "TXT", no)])
        assert knotd.stats()["mod-mail.query[dmarc-report]"] >= 6


def sts_id(knotd, domain):
    """The id of a domain's MTA-STS record."""
    text, = texts(knotd.ask(f"_mta-sts.{domain}", "TXT"))
    head, _, value = text.partition("; id=")
    assert head == "v=STSv1" and 1 <= len(value) <= 32 and value.isalnum() and value.isascii()
    return value


@covers("mta-sts", "mta-sts-host")
def test_mta_sts(store):
    """The id is given, or made of the body: it changes exactly when the body does (RFC 8461 3.1)."""
    store.apply(policy('mx: [ "10 mail", "20 mx.example.net." ]', "mta-sts: enforce", "mta-sts-host: mail",
                       domains=("example.org", "example.com"))
                + '  - id: given.example\n    policy: tested\n    mta-sts-id: "16561011793845132961"\n')
    with Knotd(store) as knotd:
        check(knotd, [
            ("_mta-sts.given.example", "TXT", "v=STSv1; id=16561011793845132961"),
            ("mta-sts.example.org", "CNAME", "mail.example.org."),
            ("_mta-sts.example.org", "A", "NODATA"),
        ])
        assert rdata(knotd.ask("mta-sts.example.org", "A")) == ["mail.example.org."]

        def now():
            body = store.run("mta-sts-policy", "example.org").stdout
            return body.replace("\r\n", "\n"), sts_id(knotd, "example.org")

        seen = {}
        changes = [
            # verb, what, whether the body changes by it
            (None, None, True),
            ("policy-set", ["tested", "spf=mx"], False),
            ("policy-set", ["tested", "ttl=600"], False),
            ("policy-set", ["tested", "mta-sts=testing"], True),
            ("policy-set", ["tested", "mta-sts-max-age=86400"], True),
            ("policy-set", ["tested", "mx=10 mail"], True),
            ("policy-set", ["tested", "mx=20 mail"], False),
            ("policy-set", ["tested", "mta-sts-host=web"], False),
            ("domain-set", ["example.org", "mx-add=30 third"], True),
            ("policy-set", ["tested", "mta-sts=none"], True),
        ]
        last = None
        for i, (verb, args, changed) in enumerate(changes):
            if verb:
                store.run(verb, *args)
            body, identity = now()
            assert last is None or (body != last) == changed, f"case {i}"
            assert seen.setdefault(body, identity) == identity, f"case {i}"
            last = body
        assert len(set(seen.values())) == len(seen) == 6
        assert last == ("version: STSv1\nmode: none\nmx: mail.example.org\nmx: third.example.org\n"
                        "max_age: 86400\n")
        # Back to where it was: the same body, the same id. Each domain has its own.
        store.run("domain-unset", "example.org", "mx-add")
        store.run("policy-set", "tested", "mx=10 mail", "mta-sts=testing")
        body, identity = now()
        assert seen[body] == identity
        assert sts_id(knotd, "example.com") != identity
        store.run("policy-set", "tested", "mta-sts=off")
        check(knotd, [("_mta-sts.example.org", "TXT", "NXDOMAIN"),
                      ("mta-sts.example.org", "CNAME", "NXDOMAIN")])
        assert {"mod-mail.query[mta-sts]", "mod-mail.query[mta-sts-host]"} <= set(knotd.stats())


TLSRPT = [
    ('tls-rpt: "mailto:postmaster@{domain}"', "v=TLSRPTv1; rua=mailto:postmaster@example.org"),
    ('tls-rpt: [ "mailto:a@example.net", "https://tls.example.net/v1/report" ]',
     "v=TLSRPTv1; rua=mailto:a@example.net,https://tls.example.net/v1/report"),
    # What parts a list or the record is percent-encoded within a URI (RFC 8460 3).
    ('tls-rpt: "https://tls.example.net/a,b!c;d"', "v=TLSRPTv1; rua=https://tls.example.net/a%2Cb%21c%3Bd"),
]


@covers("tls-rpt")
def test_tls_rpt(store):
    """One record, one or several URIs."""
    each(store, [([item], "_smtp._tls.example.org", "TXT", expected) for item, expected in TLSRPT] +
         [([item], "_tls.example.org", "TXT", "NODATA") for item, _ in TLSRPT], {"tls-rpt"})


BIMI = [
    ("https://example.net/l.svg", "default", "v=BIMI1; l=https://example.net/l.svg"),
    ("https://{domain}/l.svg https://{domain}/a.pem", "default",
     "v=BIMI1; l=https://example.org/l.svg; a=https://example.org/a.pem"),
    ("brand https://example.net/l.svg", "brand", "v=BIMI1; l=https://example.net/l.svg"),
    ("default none", "default", "v=BIMI1; l=; a=;"),
    ("brand none", "brand", "v=BIMI1; l=; a=;"),
]


@covers("bimi")
def test_bimi(store):
    """Logo, certificate, other selectors, refusal."""
    cases = []
    for item, selector, expected in BIMI:
        items = [f'bimi: "{item}"', "dmarc: p=reject"]
        cases += [(items, f"{selector}._bimi.example.org", "TXT", expected),
                  (items, "_bimi.example.org", "TXT", "NODATA"),
                  (items, "other._bimi.example.org", "TXT", "NXDOMAIN")]
    each(store, cases, {"bimi"})


def test_records_are_authoritative_and_whole(store):
    """One RRset, AA, no more sections than needed."""
    store.apply(policy('dmarc: "p=reject"'))
    with Knotd(store) as knotd:
        answer = knotd.ask("_dmarc.example.org", "TXT")
        assert rcode(answer) == "NOERROR" and has(answer, "AA")
        assert len(answer.answer) == 1 and not answer.authority and not answer.additional
