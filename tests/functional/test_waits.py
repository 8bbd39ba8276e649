# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to wait for caches waits from when it is visible, with the longest TTL that a cache may hold."""

import json
import subprocess

import pytest

from harness import Knotd, Store, poll, program, rcode, rdata
from resolver import Resolver, secure

HOUR, DAY = 3600, 86400
OLD, NEW = "3 1 1 " + "11" * 32, "3 1 1 " + "22" * 32

CONF = """
host:
  - id: mail
    name: mail
    address: 192.0.2.25
policy:
  - id: plain
    ns: ns1.elsewhere.test.
    host: mail
    mx: "10 mail"
  - id: signed
    base: plain
domain:
  - id: org
    policy: signed
  - id: old.org
    policy: signed
  - id: example.org
    policy: plain
"""


@pytest.fixture(name="timed")
def timed_store(directory, clock):
    """A store whose clock stands at 2027-01-15 08:00."""
    store = Store(directory, clock)
    store.apply(CONF)
    return store


@pytest.fixture(name="secure_store")
def signed_store(timed):
    """The same; the DS of the key set has been out for days."""
    timed.run("key-generate", "k", "--algorithm", "ed25519")
    timed.run("policy-set", "signed", "key-set=k")
    timed.clock.move(DAY)
    timed.run("key-ds-seen", "k")
    timed.clock.move(DAY)
    return timed


def at(store, when):
    """The clock of a store, as the tool prints it."""
    return subprocess.run(["date", "-u", "-d", f"@{when}", "+%Y-%m-%dT%H:%M:%SZ"], check=True, capture_output=True,
                          text=True).stdout.strip()


def types(knotd, name):
    """The types in the NSEC of an apex."""
    answer = knotd.ask(name, "TYPE65400", do=True)
    record = next(rr for rrset in answer.authority for rr in rrset if rrset.rdtype == 47)
    return record.to_text().split()[1:]


def keys_of(knotd, name):
    """Whether CDS, and CDNSKEY, are there; which TTL their denial has."""
    found = [bool(rdata(knotd.ask(name, rrtype), rrtype)) for rrtype in ("CDS", "CDNSKEY")]
    assert found[0] == found[1] == ("CDS" in types(knotd, name)) == ("CDNSKEY" in types(knotd, name))
    return found[0]


def test_a_domain_joins(secure_store, directory):
    """A domain below a stored one gets a key set whose DS is out: signed at once, insecure until no cache has what is
    not, then secure. Nobody ever finds it bogus; the other domain of the set has its DS all the time."""
    store, clock = secure_store, secure_store.clock
    with Knotd(store) as knotd:
        poll(lambda: rcode(knotd.ask("old.org", "DNSKEY", tcp=True, do=True)) == "NOERROR", "the private key")
        anchor = [f"org. DS {ds.split(' DS ')[1]}"
                  for ds in store.run("ds", "org", "--digest", "sha256").stdout.splitlines()]

        def fresh():
            return Resolver(directory, {"org": knotd.port, "old.org": knotd.port, "example.org": knotd.port}, anchor,
                            clock=clock)

        def look(unbound, expected):
            for name, rrtype in (("mail.example.org", "A"), ("example.org", "MX"), ("example.org", "DNSKEY"),
                                 ("nothing.example.org", "A"), ("example.org", "CDS")):
                answer = unbound.ask(name, rrtype)
                assert rcode(answer) in ("NOERROR", "NXDOMAIN"), f"{name} {rrtype} at {clock.now}\n{answer}"
                assert expected is None or secure(answer) == expected, f"{name} {rrtype} at {clock.now}\n{answer}"
            assert secure(unbound.ask("old.org", "MX"))

        with fresh() as lasting:
            look(lasting, False)
            joined = clock.now
            due = joined + 2 * HOUR
            done = store.run("domain-set", "example.org", "policy=signed")
            assert f"should not have the DS before {at(store, due)}" in done.stderr
            for when in (joined, joined + HOUR, due - 1):
                clock.set(when)
                assert f"no DS before {at(store, due)}" in store.run("ds", "example.org", status=1).stderr
                assert not keys_of(knotd, "example.org") and keys_of(knotd, "old.org")
                assert rdata(knotd.ask("example.org", "DS"), "DS") == []
                assert len(rdata(knotd.ask("old.org", "DS"), "DS")) == 1
                assert "CDS" not in store.run("records", "example.org").stdout.split("\nFrom ", maxsplit=1)[0]
                look(lasting, False)
                with fresh() as unbound:
                    look(unbound, False)
            # Caches are told in time; an unrelated change takes nothing away, and brings nothing forward.
            assert knotd.ask("example.org", "CDS").authority[0].ttl == 1
            assert knotd.ask("example.org", "SOA").answer[0].ttl == 1
            serial = rdata(knotd.ask("example.org", "SOA"), "SOA")[0].split()[2]
            store.run("policy-set", "signed", "dmarc=p=reject")
            store.run("domain-set", "example.org", "caa=0 issue \"ca.example\"")
            store.run("domain-unset", "example.org", "caa")
            assert not keys_of(knotd, "example.org") and keys_of(knotd, "old.org")
            clock.set(due)
            assert keys_of(knotd, "example.org") and keys_of(knotd, "old.org")
            assert len(rdata(knotd.ask("example.org", "DS"), "DS")) == 1
            assert rdata(knotd.ask("example.org", "SOA"), "SOA")[0].split()[2] > serial
            assert store.run("ds", "example.org").returncode == 0
            look(lasting, None)
            with fresh() as unbound:
                look(unbound, True)
            clock.move(2 * HOUR)
            look(lasting, True)
            store.run("policy-set", "signed", "ttl=86400")
            assert keys_of(knotd, "example.org") and len(rdata(knotd.ask("example.org", "DS"), "DS")) == 1


def test_the_zone_file_has_no_ds_before(secure_store, directory):
    """export --format zone, at both times: what ldns verifies, with and without DS and CDS."""
    store = secure_store
    store.run("domain-set", "example.org", "policy=signed")
    for when, there in (("+0s", False), ("+7199s", False), ("+7200s", True)):
        for name in ("org", "example.org"):
            text = store.run("export", "--format", "zone", name, "--at", when).stdout
            path = directory / f"{name}.zone"
            path.write_text(text)
            moment = at(store, store.clock.now + int(when.strip("+s"))).translate(str.maketrans("", "", "-:TZ"))
            subprocess.run([program("ldns-verify-zone"), "-t", moment, path], check=True, capture_output=True)
            lines = [line.split() for line in text.splitlines()]
            found = [line for line in lines if len(line) > 3 and line[0] == "example.org." and
                     line[3] == ("DS" if name == "org" else "CDS")]
            assert bool(found) == there, (name, when)


@pytest.mark.parametrize("verb", [
    ("domain-set", "example.org", "policy=signed"), ("domain-set", "example.org", "key-set=k"),
    ("domain-set", "example.org", "policy=signed", "dmarc=p=reject"), ("policy-set", "plain", "key-set=k"),
    ("domain-set", "new.example", "policy=signed"), ("domain-set", "new.example", "alias=old.org")])
def test_every_way_in(secure_store, verb):
    """Whichever way a domain gets the set, it waits; with the operator's word it does not."""
    store, name = secure_store, "example.org" if "new.example" not in verb else "new.example"
    store.run(*verb)
    due = at(store, store.clock.now + 2 * HOUR)
    assert f"no DS before {due}" in store.run("ds", name, status=1).stderr
    assert "IN DS" in store.run("ds", name, "--at", "+2h").stdout
    # The set's first domain has its DS as before.
    assert "IN DS" in store.run("ds", "old.org").stdout


@pytest.mark.parametrize("verb", [
    ("domain-set", "example.org", "policy=signed"), ("policy-set", "plain", "key-set=k"),
    ("domain-set", "new.example", "policy=signed")])
def test_the_operators_word(secure_store, verb):
    """--ds-seen: the DS is at the parents already. So it is said by an item, too."""
    store, name = secure_store, "example.org" if "new.example" not in verb else "new.example"
    store.run(*verb, "--ds-seen")
    assert "IN DS" in store.run("ds", name).stdout
    if verb[0] == "domain-set":
        store.run("domain-set", "other.example", "policy=signed", "ds-from=2026-01-01T00:00:00Z")
        assert "IN DS" in store.run("ds", "other.example").stdout


def test_a_restored_store(secure_store, directory):
    """Export and import: octet for octet, also in batches, and every domain has its DS, or waits, as before."""
    store = secure_store
    store.run("domain-set", "example.org", "policy=signed")
    store.run("policy-set", "plain", "ttl=60")
    exported = store.run("export").stdout
    path = directory / "all.ndjson"
    path.write_text(exported)
    for args in ([], ["--batch", "1"]):
        place = directory / f"other{len(args)}"
        place.mkdir()
        other = Store(place, store.clock)
        store.clock.move(60)
        other.run("import", path, *args)
        assert other.run("export").stdout == exported
        assert other.run("ds", "--all").stdout == store.run("ds", "--all").stdout != ""
        assert other.run("ds", "example.org", status=1).stderr == store.run("ds", "example.org", status=1).stderr


def test_apply_keeps_the_times(secure_store):
    """A file that does not name what the tool has noted does not take it away, and is no difference."""
    store = secure_store
    store.run("domain-set", "example.org", "policy=signed")
    due = store.run("ds", "example.org", status=1).stderr
    text = "domain:\n  - id: example.org\n    policy: signed\n"
    path = store.file(text, ".conf")
    assert store.run("diff", path).stdout == ""
    store.clock.move(60)
    store.run("apply", path)
    assert store.run("ds", "example.org", status=1).stderr == due


def test_a_ds_never_goes(secure_store):
    """What would take the DS away for a while is refused."""
    store = secure_store
    store.run("policy-set", "young", "base=plain")
    store.run("domain-set", "young.example", "policy=young")
    store.run("policy-set", "young", "key-set=k")
    done = store.run("domain-set", "old.org", "policy=young", status=1)
    assert "would be named no more until" in done.stderr and "--force" in done.stderr
    assert "IN DS" in store.run("ds", "old.org").stdout
    store.clock.move(2 * HOUR)
    store.run("domain-set", "old.org", "policy=young")
    assert "IN DS" in store.run("ds", "old.org").stdout


def test_key_ds_seen_waits_for_those_who_joined(timed):
    """The DS cannot have been seen while every domain of the set still waits for its caches."""
    timed.run("key-generate", "k")
    timed.clock.move(DAY)
    timed.run("policy-set", "signed", "key-set=k")
    done = timed.run("key-ds-seen", "k", status=1)
    assert f"not be at the parents before {at(timed, timed.clock.now + 2 * HOUR)}" in done.stderr
    timed.clock.move(2 * HOUR)
    timed.run("key-ds-seen", "k")


def ready(store, status):
    """What cert-ready prints."""
    done = store.run("cert-ready", "web", status=status)
    return done.stdout.strip() or done.stderr.strip()


def test_cert_ready_counts_from_when_it_is_visible(timed):
    """next at 00:00, a host that first names it at 03:00 with a TTL of an hour: 05:00."""
    begin = timed.clock.now
    timed.run("cert-set", "web", f"current={OLD}", f"next={NEW}")
    assert "no host names it" in ready(timed, 1)
    timed.clock.move(3 * HOUR)
    timed.run("host-set", "mail", "certificate=web")
    timed.clock.move(1)
    assert ready(timed, 1) == at(timed, begin + 5 * HOUR)
    timed.run("policy-set", "plain", "dmarc=p=reject")
    timed.run("domain-set", "example.org", "dmarc=p=none")
    timed.clock.set(begin + 5 * HOUR - 1)
    assert ready(timed, 1) == at(timed, begin + 5 * HOUR)
    timed.clock.move(1)
    assert ready(timed, 0) == at(timed, begin + 5 * HOUR)
    assert json.loads(timed.run("--json", "cert-ready", "web").stdout) == {
        "certificate": "web", "deploy-from": at(timed, begin + 5 * HOUR), "ready": True}


def test_cert_ready_never(timed):
    """Nobody shows it: why, and status 1, in words and as JSON."""
    timed.apply(f"certificate:\n  - id: web\n    current: \"{OLD}\"\n    next: \"{NEW}\"\n"
                "host:\n  - id: other\n    name: other\n    certificate: web\n")
    assert "no policy lists host other" in ready(timed, 1)
    timed.run("policy-set", "lonely", "ns=ns1.example.net.", "host=other")
    assert "no domain follows policy lonely" in ready(timed, 1)
    told = json.loads(timed.run("--json", "cert-ready", "web", status=1).stdout)
    assert told == {"certificate": "web", "ready": False, "why": "no domain follows policy lonely"}
    timed.clock.move(100 * DAY)
    assert "no domain follows policy lonely" in ready(timed, 1)
    timed.run("domain-set", "late.example", "policy=lonely")
    assert ready(timed, 1) == at(timed, timed.clock.now + 2 * HOUR)


def test_a_ttl_that_was_lowered(timed):
    """A minute ago it was a day: for the certificate, and for the keys."""
    timed.run("policy-set", "plain", "ttl=86400")
    timed.run("key-generate", "k", "--ksk", "--zsk")
    timed.run("policy-set", "signed", "key-set=k")
    timed.run("cert-set", "web", f"current={OLD}")
    timed.run("host-set", "mail", "certificate=web")
    timed.clock.move(10 * DAY)
    lowered = timed.clock.now
    timed.run("policy-set", "plain", "ttl=300")
    timed.clock.move(60)
    timed.run("cert-set", "web", f"next={NEW}")
    assert ready(timed, 1) == at(timed, lowered + DAY)
    plan = timed.run("key-generate", "k", "--zsk").stdout
    # D + T: the new ZSK signs when no cache has the DNSKEY RRset without it.
    assert f"{at(timed, lowered + DAY + HOUR)}" in plan
    timed.clock.set(lowered + DAY)
    assert ready(timed, 0)


def test_deployed_too_early(timed, directory):
    """Every verb that makes a certificate current before cert-ready allows it warns, and says until when."""
    timed.run("cert-set", "web", f"current={OLD}", f"next={NEW}")
    timed.run("host-set", "mail", "certificate=web")
    due = at(timed, timed.clock.now + 2 * HOUR)
    timed.clock.move(HOUR)
    text = f"certificate:\n  - id: web\n    current: \"{NEW}\"\n"
    for words in (("cert-set", "web", f"current={NEW}", "--dry-run"), ("apply", timed.file(text, ".conf"), "--dry-run")):
        assert f"should not be deployed before {due}" in timed.run(*words).stderr
    pem = directory / "other.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", directory / "key.pem", "-out", pem, "-days", "30", "-subj", "/CN=x"],
                   check=True, capture_output=True)
    done = timed.run("cert-import", "web", "--current", pem)
    assert "was not announced as next" in done.stderr


def test_dkim_activate(timed, directory):
    """Signers use a new key when no cache holds any more that there is none; an earlier time is warned of."""
    words = ("--algorithm", "ed25519", "--out")
    timed.run("dkim-generate", "example.org/a", *words, directory / "a.pem")
    for when, state in ((0, "published"), (299, "published"), (300, "active")):
        assert state in timed.run("dkim-list", "example.org", "--at", f"+{when}s").stdout
    due = at(timed, timed.clock.now + HOUR + 300)
    done = timed.run("dkim-generate", "example.org/b", *words, directory / "b.pem", "--publish", "+1h", "--activate", "+1h")
    assert f"activate is before {due}" in done.stderr
    done = timed.run("dkim-generate", "example.org/c", *words, directory / "c.pem", "--activate", "+1d")
    assert "activate" not in done.stderr
