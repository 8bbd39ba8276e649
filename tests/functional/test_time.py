# SPDX-License-Identifier: GPL-3.0-or-later
"""What depends on time follows the clock, without a write to the store."""

import time

import pytest

from harness import Knotd, Store, rcode, rdata, texts
from kinds import NS

HOUR, DAY = 3600, 86400
ED25519 = "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
KEY = f"v=DKIM1; k=ed25519; h=sha256; p={ED25519}"


def utc(when):
    """RFC 3339."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when))


@pytest.fixture(name="begin")
def begin_of_clock(clock):
    """The second at which the clock stands."""
    return clock.now


@pytest.fixture(name="timed")
def timed_store(directory, clock):
    """A store whose tool lives by the clock."""
    return Store(directory, clock=clock)


class Watch:
    """A knotd and its clock; the store must not change while it is watched."""

    def __init__(self, knotd, store, clock):
        self.knotd = knotd
        self.clock = clock
        self.file = store.path / "data.mdb"
        self.stored = self.file.read_bytes()

    def at(self, when):
        """Sets the clock."""
        self.clock.set(when)

    def ttl(self, name, rrtype):
        """TTL of the answer, or of the SOA of a denial."""
        answer = self.knotd.ask(name, rrtype)
        return (answer.answer or answer.authority)[0].ttl

    def serial(self, name="example.org"):
        """The SOA's serial."""
        return int(rdata(self.knotd.ask(name, "SOA"), "SOA")[0].split()[2])

    def text(self, name):
        """The one TXT record, or the rcode."""
        answer = self.knotd.ask(name, "TXT")
        return rcode(answer) if rcode(answer) != "NOERROR" else "".join(texts(answer)) or "NODATA"

    def check(self):
        """Nothing was written."""
        assert self.file.read_bytes() == self.stored


def domain(*items, more="", head=""):
    """The dialect of example.org with some items of its policy."""
    return f"{head}policy:\n  - id: timed\n    {NS}\n    mx: \"10 mx.example.net.\"\n" \
        + "".join(f"    {item}\n" for item in items) + more \
        + "domain:\n  - id: example.org\n    policy: timed\n"


@pytest.mark.parametrize("owner", ["example.org", "policy:timed"])
def test_dkim_times(timed, clock, begin, owner):
    """A key appears at publish and goes at remove; caches are told in time; the serial moves."""
    publish, remove = begin + 10 * DAY, begin + 20 * DAY
    timed.apply(domain(more=f"""
dkim:
  - id: "{owner}/s1"
    key: "{ED25519}"
    publish: "{utc(publish)}"
    activate: "{utc(publish + DAY)}"
    retire: "{utc(remove - DAY)}"
    remove: "{utc(remove)}"
"""))
    name, other = "s1._domainkey.example.org", "x._domainkey.example.org"
    with Knotd(timed) as knotd:
        watch = Watch(knotd, timed, clock)
        steps = [
            # when, text, TTL, that of another name's denial, serial
            (begin, "NXDOMAIN", 300, 300, begin),
            (publish - 301, "NXDOMAIN", 300, 300, begin),
            (publish - 100, "NXDOMAIN", 100, 100, begin),
            (publish - 1, "NXDOMAIN", 1, 1, begin),
            (publish, KEY, HOUR, 300, publish),
            (publish + DAY, KEY, HOUR, 300, publish),
            (remove - DAY, KEY, HOUR, 300, publish),
            (remove - HOUR - 1, KEY, HOUR, 300, publish),
            (remove - 1800, KEY, 1800, 300, publish),
            (remove - 1, KEY, 1, 300, publish),
            (remove, "NXDOMAIN", 300, 300, remove),
            (remove + 1000 * DAY, "NXDOMAIN", 300, 300, remove),
        ]
        for i, (when, text, ttl, denial, serial) in enumerate(steps):
            watch.at(when)
            assert watch.text(name) == text, f"case {i}"
            assert watch.ttl(name, "TXT") == ttl, f"case {i}"
            assert watch.serial() == serial, f"case {i}"
            # _domainkey itself comes into being with the key; another selector's denial need not know,
            # but before the first key it is a denial of _domainkey.
            assert watch.ttl(other, "TXT") == denial, f"case {i}"
            assert watch.ttl("example.org", "MX") == HOUR, f"case {i}"
        watch.check()


def test_dkim_revoked(timed, clock, begin):
    """revoke: an empty p= from retire to remove."""
    retire, remove = begin + 5 * DAY, begin + 9 * DAY
    timed.apply(domain(more=f"""
dkim:
  - id: example.org/s1
    key: "{ED25519}"
    retire: "{utc(retire)}"
    remove: "{utc(remove)}"
    revoke: on
  - id: example.org/alias
    cname: "key.example.net."
    retire: "{utc(retire)}"
    revoke: on
  - id: example.org/kept
    key: "{ED25519}"
"""))
    name = "s1._domainkey.example.org"
    with Knotd(timed) as knotd:
        watch = Watch(knotd, timed, clock)
        for when, text, ttl, serial in (
                (begin, KEY, HOUR, begin), (retire - 60, KEY, 60, begin),
                (retire, "v=DKIM1; p=", HOUR, retire), (remove - 60, "v=DKIM1; p=", 60, retire),
                (remove, "NXDOMAIN", 300, remove)):
            watch.at(when)
            assert (watch.text(name), watch.ttl(name, "TXT"), watch.serial()) == (text, ttl, serial)
            assert (watch.text("kept._domainkey.example.org"),
                    watch.ttl("kept._domainkey.example.org", "TXT")) == (KEY, HOUR)
        # The type changes with a CNAME: the CNAME's TTL is capped, then there is a TXT.
        watch.at(retire - 60)
        answer = knotd.ask("alias._domainkey.example.org", "TXT")
        assert rdata(answer) == ["key.example.net."] and answer.answer[0].ttl == 60
        watch.at(retire)
        assert watch.text("alias._domainkey.example.org") == "v=DKIM1; p="
        assert rdata(knotd.ask("alias._domainkey.example.org", "CNAME")) == []
        watch.check()


def test_commands_of_the_tool(timed, clock, begin):
    """dkim-generate, dkim-list and dkim-retire by the same clock."""
    timed.apply(domain())
    private = timed.directory / "s2.pem"
    timed.run("dkim-generate", "example.org/s2", "--algorithm", "ed25519", "--out", private, "--publish",
              "+1d", "--activate", "+2d")
    with Knotd(timed) as knotd:
        watch = Watch(knotd, timed, clock)
        states = []
        for day in (0, 1, 2):
            watch.at(begin + day * DAY)
            states.append((timed.run("dkim-list", "example.org").stdout.split()[2],
                           watch.text("s2._domainkey.example.org") == "NXDOMAIN"))
        assert states == [("pending", True), ("published", False), ("active", False)]
        watch.check()
        timed.run("dkim-retire", "example.org/s2", "--at", "now", "--remove", "+3d", "--revoke")
        assert watch.text("s2._domainkey.example.org") == "v=DKIM1; p="
        watch.at(begin + 5 * DAY)
        assert watch.text("s2._domainkey.example.org") == "NXDOMAIN"


def test_certificate(timed, clock, begin):
    """Current and next from publish until deploy-at + 2 TTL, then next only; cert-ready says when."""
    publish, deploy = begin + DAY, begin + 3 * DAY
    old, new = "3 1 1 " + "11" * 32, "3 1 1 " + "22" * 32
    timed.apply(domain("host: mail", "ttl: 7200", head=f"""
certificate:
  - id: mail
    current: "{old}"
    next: "{new}"
    publish: "{utc(publish)}"
    deploy-at: "{utc(deploy)}"
host:
  - id: mail
    name: mail
    address: 192.0.2.25
    certificate: mail
"""))
    name, gone = "_25._tcp.mail.example.org", deploy + 2 * 7200
    with Knotd(timed) as knotd:
        watch = Watch(knotd, timed, clock)
        for i, (when, expected, ttl, serial) in enumerate((
                (begin, [old], 7200, begin), (publish - 100, [old], 100, begin),
                (publish, [old, new], 7200, publish), (deploy, [old, new], 7200, publish),
                (gone - 7201, [old, new], 7200, publish), (gone - 5, [old, new], 5, publish),
                (gone, [new], 7200, gone), (gone + 99 * DAY, [new], 7200, gone))):
            watch.at(when)
            answer = knotd.ask(name, "TLSA")
            assert rdata(answer) == expected, f"case {i}"
            assert answer.answer[0].ttl == ttl, f"case {i}"
            assert watch.serial() == serial, f"case {i}"
            assert watch.ttl("mail.example.org", "A") == 7200, f"case {i}"
        # Two TTLs after they were announced (RFC 7671 8).
        for when, status in ((publish, 1), (publish + 2 * 7200 - 1, 1), (publish + 2 * 7200, 0)):
            watch.at(when)
            timed.run("cert-ready", "mail", status=status)
        watch.check()


def test_dmarc_ramp(timed, clock, begin):
    """p=none, quarantine, reject by date; the steps may stand in any order."""
    one, two, three = begin + 7 * DAY, begin + 14 * DAY, begin + 21 * DAY
    timed.apply(domain("dmarc: [ \"p=none\", \"rua=mailto:a@example.net\" ]",
                       f"dmarc-ramp: [ \"{utc(two)} p=reject sp=reject\", \"{utc(one)} p=quarantine\", "
                       f"\"{utc(three)} rua= np=reject\" ]"))
    name = "_dmarc.example.org"
    with Knotd(timed) as knotd:
        watch = Watch(knotd, timed, clock)
        for when, text, ttl, serial in (
                (begin, "v=DMARC1; p=none; rua=mailto:a@example.net", HOUR, begin),
                (one - 10, "v=DMARC1; p=none; rua=mailto:a@example.net", 10, begin),
                (one, "v=DMARC1; p=quarantine; rua=mailto:a@example.net", HOUR, one),
                (two - 1, "v=DMARC1; p=quarantine; rua=mailto:a@example.net", 1, one),
                (two, "v=DMARC1; p=reject; sp=reject; rua=mailto:a@example.net", HOUR, two),
                (three, "v=DMARC1; p=reject; sp=reject; np=reject", HOUR, three)):
            watch.at(when)
            assert (watch.text(name), watch.ttl(name, "TXT"), watch.serial()) == (text, ttl, serial)
        watch.check()


def test_denials_before_a_change(timed, clock, begin):
    """The SOA of a denial is capped where a name or type is about to appear, and nowhere else."""
    publish = begin + DAY
    timed.apply(domain("host: mail", "record: \"*.wild._domainkey TXT p=\"", more=f"""
dkim:
  - id: "policy:timed/deep.dotted"
    key: "{ED25519}"
    publish: "{utc(publish)}"
  - id: "policy:timed/new.wild"
    key: "{ED25519}"
    publish: "{utc(publish)}"
  - id: "policy:timed/here"
    key: "{ED25519}"
""", head="""
host:
  - id: mail
    name: mail
    address: 192.0.2.25
"""))
    with Knotd(timed) as knotd:
        watch = Watch(knotd, timed, clock)
        watch.at(publish - 30)
        for i, (name, rrtype, ttl) in enumerate((
                ("deep.dotted._domainkey.example.org", "TXT", 30),
                ("deep.dotted._domainkey.example.org", "A", 30),
                ("dotted._domainkey.example.org", "A", 30),          # an empty non-terminal then
                ("other._domainkey.example.org", "TXT", 300),
                ("here._domainkey.example.org", "A", 300),
                ("here._domainkey.example.org", "TXT", HOUR),
                ("new.wild._domainkey.example.org", "TXT", 30),      # the wildcard's answer goes
                ("old.wild._domainkey.example.org", "TXT", HOUR),
                ("mail.example.org", "TXT", HOUR),
                ("nothing.example.org", "A", 300))):
            assert watch.ttl(name, rrtype) == ttl, f"case {i}"
        # The SOA itself is capped by any step: its serial is about to move.
        assert watch.ttl("example.org", "SOA") == 30
        watch.at(publish)
        assert watch.text("new.wild._domainkey.example.org") == KEY
        assert watch.text("old.wild._domainkey.example.org") == "p="
        assert rcode(knotd.ask("dotted._domainkey.example.org", "A")) == "NOERROR"
        assert watch.ttl("example.org", "SOA") == HOUR
        watch.check()


def test_records_at(timed, clock, begin):
    """records --at TIME lists what will be answered then."""
    publish = begin + 3 * DAY
    timed.apply(domain(more=f"""
dkim:
  - id: example.org/s1
    key: "{ED25519}"
    publish: "{utc(publish)}"
"""))
    now, coming = timed.run("records", "example.org").stdout.split("\nFrom ")
    assert "s1._domainkey" not in now and "s1._domainkey" in coming
    assert "s1._domainkey" in timed.run("records", "example.org", "--at", utc(publish)).stdout
    assert "s1._domainkey" in timed.run("records", "example.org", "--at", "+3d").stdout
    clock.set(publish)
    assert "s1._domainkey" in timed.run("records", "example.org").stdout
