# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole life of keys, and never a bogus moment: a validating unbound, whose cache lives on, asks all the time.

The clock is moved, for knotd, kmailctl and unbound together. The parent is a zone of a plain knotd, signed by BIND's
tool; in it is the DS that the operator puts there, as `kmailctl ds` says and when it says so.
"""

import calendar
import json
import subprocess
import time

import pytest

from compare import Plain
from harness import Failure, Knotd, Store, poll, program, rcode, rdata
from resolver import Resolver, secure

TTL, DS_TTL, DELAY, TICK = 600, 1200, 60, 150
TIMES = ["--delay", str(DELAY), "--ds-ttl", str(DS_TTL)]
CHILD = "child.example"

CONF = f"""
policy:
  - id: p
    ns: [ ns1.elsewhere.test. ]
    ttl: {TTL}
    mx: "10 mx"
    dmarc: "p=reject"
    record: [ "mx A 192.0.2.1", "a A 192.0.2.2", "b A 192.0.2.3", "c TXT c", "d.e AAAA 2001:db8::1",
        "*.w TXT w", "f CNAME a" ]
domain:
  - id: {CHILD}
    policy: p
""".replace(",\n        ", ", ")

# Name, type, whether there is an answer (None: either); {} is a number that is new each time.
ASKED = [("@", "MX", True), ("mx", "A", True), ("a", "A", True), ("b", "A", True), ("c", "TXT", True),
         ("d.e", "AAAA", True), ("any{}.w", "TXT", True), ("f", "A", True), ("_dmarc", "TXT", True),
         ("@", "SOA", True), ("@", "DNSKEY", None), ("nothing{}", "A", False), ("e", "A", False),
         ("a", "TXT", False), ("@", "CAA", False), ("x{}.a", "MX", False)]


class Parent(Plain):
    """The zone above, in a knotd that knows nothing of the module."""

    def __init__(self, directory):
        self.work = directory / "parent"
        self.work.mkdir()
        self.keys = [self.bind("dnssec-keygen", "-q", "-a", "ECDSAP256SHA256", "-f", "KSK", "-K", self.work,
                               "example").stdout.strip()]
        self.serial = 0
        super().__init__({"example": self.signed([])})

    def bind(self, name, *args):
        """Runs one of BIND's programs."""
        return subprocess.run([program(name), *map(str, args)], check=True, capture_output=True, text=True,
                              cwd=self.work)

    def signed(self, ds):
        """The zone's text, with the DS records of the child."""
        self.serial += 1
        lines = [f"@ 600 SOA ns.example. h.example. {self.serial} 7200 3600 1209600 300",
                 "@ 600 NS ns.example.", "ns 600 A 192.0.2.53", f"child {DS_TTL} NS ns1.elsewhere.test.",
                 *(f"child {DS_TTL} DS {record}" for record in ds), (self.work / f"{self.keys[0]}.key").read_text()]
        (self.work / "plain").write_text("\n".join(lines) + "\n")
        self.bind("dnssec-signzone", "-q", "-z", "-s", "20260101000000", "-e", "20370101000000", "-o", "example",
                  "-O", "full", "-f", "signed", "plain", self.keys[0])
        return (self.work / "signed").read_text()

    def anchor(self):
        """A trust anchor for the zone."""
        return self.bind("dnssec-dsfromkey", "-2", self.keys[0]).stdout.strip().replace(" IN ", " ")

    def publish(self, ds):
        """Another zone is served."""
        (self.directory / "zones" / "example.zone").write_text(self.signed(ds))
        self.knotc("zone-reload", "example")
        poll(lambda: rdata(self.ask("example", "SOA"), "SOA")[0].split()[2] == str(self.serial), "the parent's zone")


class Life:
    """A domain, its parent, and a validator that never stops asking."""

    def __init__(self, store, knotd, parent, unbound, fresh):
        self.store, self.knotd, self.parent, self.unbound, self.fresh = store, knotd, parent, unbound, fresh
        self.clock = store.clock
        self.round = self.looks = 0
        self.ds = []
        self.expect = False

    # Looking

    def look_at(self, unbound, name, rrtype, there):
        """One question."""
        name = name.format(self.looks)
        owner = CHILD if name == "@" else f"{name}.{CHILD}"
        answer = unbound.ask(owner, rrtype)
        self.looks += 1
        wrong = rcode(answer) not in ("NOERROR", "NXDOMAIN") or there is not None and bool(answer.answer) != there
        if wrong or self.expect is not None and secure(answer) != self.expect:
            raise Failure(f"{owner} {rrtype} at {self.clock.now}, secure expected: {self.expect}\n{answer}\n"
                          f"{unbound.log()[-2000:]}\n{self.store.run('key-plan', 'k', status=None).stdout}")

    def look(self):
        """Asks a part of all, so that what is in the cache is of every age."""
        self.round += 1
        for i, asked in enumerate(ASKED):
            if (i + self.round) % 3 == 0:
                self.look_at(self.unbound, *asked)

    def look_fresh(self):
        """A validator whose cache is empty sees the same, whatever the other has."""
        with self.fresh() as unbound:
            for asked in ASKED:
                self.look_at(unbound, *asked)
            if self.expect is not None:
                assert secure(unbound.ask(CHILD, "MX")) == self.expect

    def until(self, when):
        """Lets time go by."""
        while self.clock.now < when - 1:
            self.clock.set(min(self.clock.now + TICK, when - 1))
            self.look()
        self.clock.set(when)
        self.look()

    def rest(self, seconds):
        """Lets so many seconds go by."""
        self.until(self.clock.now + seconds)

    # The operator

    def plan(self):
        """The times of the steps that are ahead."""
        rows = map(json.loads, self.store.run("--json", "key-plan", "k").stdout.splitlines())
        return sorted({calendar.timegm(time.strptime(row["time"], "%Y-%m-%dT%H:%M:%SZ")) for row in rows
                       if not row["done"] and "time" in row})

    def generate(self, *args):
        """Begins with new keys; knotd has them when it has their files."""
        self.store.run("key-generate", "k", *TIMES, *args)
        self.ready()

    def ready(self):
        """Waits until knotd answers."""
        poll(lambda: rcode(self.knotd.ask(CHILD, "DNSKEY", tcp=True, do=True)) == "NOERROR", "the private keys")

    def wanted(self):
        """The DS that kmailctl says, which must be what the CDS records say."""
        said = self.store.run("ds", CHILD, "--digest", "sha256", status=None).stdout.splitlines()
        found = sorted(" ".join(line.split()[3:]) for line in said)
        cds = rdata(self.knotd.ask(CHILD, "CDS", tcp=True), "CDS")
        assert sorted(found) == sorted(" ".join(record.upper().split()) for record in cds if record != "0 0 0 00")
        return found

    def give_ds(self):
        """Brings the DS to the parent, a while after it could be: just when a cache has taken the old one."""
        self.rest(100)
        while self.ds and self.unbound.ask(CHILD, "DS").answer[0].ttl < DS_TTL - TICK:
            self.rest(TICK)
        self.ds = self.wanted()
        self.parent.publish(self.ds)
        self.look()

    def settle(self):
        """Until nothing is ahead that is known."""
        while ahead := [when for when in self.plan() if when > self.clock.now]:
            self.until(ahead[0])
            self.look_fresh()

    def sign(self, *args):
        """From unsigned to signed."""
        self.rest(TTL)
        self.generate(*args)
        self.store.run("policy-set", "p", "key-set=k")
        self.ready()
        self.settle()
        assert not self.expect
        self.give_ds()
        # A cache that knows that there is no DS finds nothing secure, and nothing bogus.
        self.expect = None
        self.store.run("key-ds-seen", "k", *TIMES)
        self.rest(DS_TTL + TICK)
        self.expect = True
        self.settle()
        self.rest(TTL)

    def roll(self, *args, parent=True):
        """A rollover, from the new key to the end of the old one."""
        before = self.tags()
        self.generate(*args)
        added = self.tags() - before
        self.settle()
        if parent:
            was = list(self.ds)
            self.give_ds()
            assert self.ds != was
            tag = next(record.split()[0] for record in self.ds if record not in was)
            self.store.run("key-ds-seen", "k", "--tag", tag, *TIMES)
            self.settle()
            self.ds = self.wanted()
            self.parent.publish(self.ds)
        self.rest(2 * DS_TTL)
        assert added <= self.tags()
        self.look_fresh()
        return before, added

    def tags(self):
        """Of all keys that are in the DNSKEY RRset, or sign."""
        rows = map(json.loads, self.store.run("--json", "key-list", "k").stdout.splitlines())
        return {row["tag"] for row in rows if row["state"] != "removed"}


@pytest.fixture(name="life")
def _life(directory, clock):
    """The domain is not signed yet."""
    store = Store(directory, clock=clock)
    store.apply(CONF)
    parent = Parent(directory)
    with Knotd(store) as knotd, parent:
        stubs = {"example": parent.port, CHILD: knotd.port}

        def fresh():
            return Resolver(directory, stubs, [parent.anchor()], clock=clock)

        with fresh() as unbound:
            yield Life(store, knotd, parent, unbound, fresh)


def test_csk(life):
    """Unsigned to signed, CSK to CSK, CSK to KSK and ZSK and back."""
    life.sign("--algorithm", "ed25519")
    before, added = life.roll("--algorithm", "ed25519")
    assert life.tags() == added and not added & before
    _, added = life.roll("--algorithm", "ed25519", "--ksk", "--zsk")
    assert life.tags() == added and len(added) == 2
    _, added = life.roll("--algorithm", "ed25519", "--csk")
    assert life.tags() == added


def test_zsk_and_ksk(life):
    """ZSK by pre-publication, KSK by double-KSK, and both at once."""
    life.sign("--algorithm", "ecdsap256sha256", "--ksk", "--zsk")
    _, zsk = life.roll("--zsk", parent=False)
    assert len(zsk) == 1
    _, ksk = life.roll("--ksk")
    assert len(ksk) == 1 and life.tags() == zsk | ksk
    # A ZSK while the KSK waits for its DS.
    before = life.tags()
    life.generate("--ksk")
    life.rest(2 * TICK)
    life.generate("--zsk")
    life.settle()
    life.give_ds()
    tag = next(record.split()[0] for record in life.ds if int(record.split()[0]) not in before)
    life.store.run("key-ds-seen", "k", "--tag", tag, *TIMES)
    life.settle()
    life.rest(DS_TTL)
    assert len(life.tags()) == 2 and not life.tags() & before


@pytest.mark.parametrize("old,new,roles", [
    ("rsasha256", "ecdsap256sha256", []), ("ecdsap256sha256", "ed25519", ["--ksk", "--zsk"])])
def test_algorithm(life, old, new, roles):
    """Signatures first, then keys, then the DS for the DS."""
    life.sign("--algorithm", old, *roles)
    _, added = life.roll("--algorithm", new, *(roles or ["--csk"]))
    assert life.tags() == added


def test_leave(life):
    """Signed to unsigned by the delete form of CDS, and signed again."""
    life.sign("--algorithm", "ed25519")
    life.store.run("key-retire", "k", "--all", *TIMES)
    life.rest(TICK)
    assert rdata(life.knotd.ask(CHILD, "CDS"), "CDS") == ["0 0 0 00"]
    life.give_ds()
    assert life.ds == []
    life.expect = None
    life.store.run("key-ds-seen", "k", "--gone", *TIMES)
    life.settle()
    life.expect = False
    life.rest(TTL)
    life.look_fresh()
    assert rdata(life.knotd.ask(CHILD, "DNSKEY"), "DNSKEY") == []
    life.store.run("policy-unset", "p", "key-set")
    life.rest(TTL)
    life.sign("--algorithm", "ecdsap256sha256")
    life.look_fresh()


def test_what_is_wrong_is_seen(life):
    """The tests would notice: keys that go before the DS of caches does, since the tool was told a wrong TTL."""
    life.sign("--algorithm", "ed25519")
    before = life.tags()
    life.generate("--algorithm", "ed25519")
    life.settle()
    life.give_ds()
    new, = life.tags() - before
    life.store.run("key-ds-seen", "k", "--tag", new, "--delay", "0", "--ds-ttl", "0")
    with pytest.raises(Failure, match="secure expected: True"):
        life.rest(2 * DS_TTL)


def test_a_wrong_ds_is_seen(life):
    """The tests would notice: a DS that fits no key."""
    life.sign("--algorithm", "ed25519")
    life.parent.publish(["1 15 2 " + "00" * 32])
    with pytest.raises(Failure, match="SERVFAIL"):
        life.rest(2 * DS_TTL)
