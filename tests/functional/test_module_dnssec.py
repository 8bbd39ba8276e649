# SPDX-License-Identifier: GPL-3.0-or-later
"""The private keys of a running knotd: found, followed, missed, reloaded, and forgotten."""

import json
import os
import re
import threading
from pathlib import Path

import dns.dnssec
import dns.name
import dns.rdatatype
import dns.rrset
import pytest
from cryptography.hazmat.primitives import serialization

from dnssec import Key, KeySet
from harness import Knotd, Store, ede, has, poll, rcode, rdata
from test_module_store import exchange, maps

POLICY = """
policy:
  - id: hosted
    ns: [ ns1.hosted.test., ns2.hosted.test. ]
    mx: "{mx} mx.hosted.test."
    {more}
domain:
  - id: {domain}
    policy: hosted
"""
# Not ready: also what a domain answers whose private keys are not all there.
NOT_READY = 14


def small(directory):
    """An empty store with a small map: valgrind has no room for two of 32 GiB."""
    made = Store(directory, init=False)
    made.init("--map-size", "1G")
    return made


def fill(store, keys=None, mx=10, domain="example.org"):
    """A domain that follows a key set, or none; its MX tells stores apart."""
    text = POLICY.format(mx=mx, domain=domain, more=f"key-set: {keys.name}" if keys else "")
    store.apply((keys.text() if keys else "") + text)
    return store


def new_keys(name="ks", algorithm="ed25519", count=1, **times):
    """A key set, of one CSK if nothing else is said."""
    return KeySet(name, [Key(algorithm, "csk", **times) for _ in range(count)])


def key_path(store, keys, index=0):
    """The file of a private key."""
    key = keys.keys[index]
    number = {"rsasha256": 8, "ecdsap256sha256": 13, "ed25519": 15}[key.algorithm]
    return store.path / "keys" / f"{keys.name}+{number:03}+{key.tag:05}.pem"


def delete(store, keys):
    """Deletes a key set."""
    store.load(json.dumps({"kind": "key-set", "name": keys.name, "deleted": True}) + "\n")


def ring_of(domain, keys):
    """DNSKEYs as dnspython's validation wants them."""
    name = dns.name.from_text(domain)
    return {name: dns.rrset.from_rdata_list(name, 3600, [key.dnskey for key in keys.keys])}


def signed_by(answer, domain, keys):
    """Whether all of the answer section is signed, and well, by one of the keys."""
    signatures = {(rrset.name, rrset.covers): rrset for rrset in answer.answer
                  if rrset.rdtype == dns.rdatatype.RRSIG}
    rrsets = [rrset for rrset in answer.answer if rrset.rdtype != dns.rdatatype.RRSIG]
    for rrset in rrsets:
        signature = signatures.get((rrset.name, rrset.rdtype))
        if signature is None:
            return False
        try:
            dns.dnssec.validate(rrset, signature, ring_of(domain, keys))
        except dns.dnssec.ValidationFailure:
            return False
    return bool(rrsets)


def is_signed(knotd, keys, domain="example.org", tcp=False):
    """Whether the domain's MX comes signed by a key set."""
    answer = knotd.ask(domain, "MX", do=True, tcp=tcp)
    return rcode(answer) == "NOERROR" and signed_by(answer, domain, keys)


def is_failing(answer):
    """Whether an answer is SERVFAIL with the EDE for "not ready", and nothing else."""
    return rcode(answer) == "SERVFAIL" and [code for code, _ in ede(answer)] == [NOT_READY] and \
        not answer.answer and not answer.authority


def lines(knotd, text):
    """The log's lines with a text."""
    return [line for line in knotd.log().splitlines() if text in line]


# Keys that are there

@pytest.mark.parametrize("algorithm", ["ed25519", "ecdsap256sha256", "rsasha256"])
def test_present_at_start(directory, algorithm):
    """The first question is answered, signed, with and without TCP; without DO nothing of it shows."""
    store, keys = small(directory), new_keys(algorithm=algorithm)
    keys.install(store)
    with Knotd(fill(store, keys)) as knotd:
        assert is_signed(knotd, keys)
        assert is_signed(knotd, keys, tcp=True)
        answer = knotd.ask("example.org", "MX", do=True)
        assert answer.ednsflags & 0x8000
        plain = knotd.ask("example.org", "MX")
        assert rdata(plain, "MX") == ["10 mx.hosted.test."] and not rdata(plain, "RRSIG")
        assert len(lines(knotd, "private keys: 1")) == 1
        assert not lines(knotd, "key set ")


def test_added_while_running(directory):
    """A key set is made, then used: the next answers are signed; then another one takes over."""
    store, keys, other = fill(small(directory)), new_keys(), new_keys("other", "ecdsap256sha256")
    with Knotd(store) as knotd:
        answer = knotd.ask("example.org", "MX", do=True)
        assert rdata(answer, "MX") and not rdata(answer, "RRSIG")
        for number, used in enumerate((keys, other, keys)):
            used.install(store)
            fill(store, used, mx=11 + number)
            poll(lambda used=used: is_signed(knotd, used), f"signatures of {used.name}")
        assert not lines(knotd, "no private key")
        store.run("policy-unset", "hosted", "key-set")
        answer = knotd.ask("example.org", "MX", do=True)
        assert rdata(answer, "MX") and not rdata(answer, "RRSIG")


def test_ready_when_used(directory):
    """A key set that was made before it is used has no moment in which the domain fails."""
    store = fill(small(directory))
    with Knotd(store) as knotd:
        for number in range(5):
            keys = new_keys(f"ks{number}")
            keys.install(store)
            store.apply(keys.text())
            knotd.wait_log(f"private keys: {number + 1}")
            store.run("policy-set", "hosted", f"key-set={keys.name}")
            assert is_signed(knotd, keys)


def test_tool_makes_keys(directory):
    """kmailctl key-generate, policy-set: nothing else is needed, no reload."""
    store = fill(small(directory))
    with Knotd(store) as knotd:
        store.run("key-generate", "made", "--algorithm", "ed25519")
        store.run("policy-set", "hosted", "key-set=made")
        poll(lambda: rdata(knotd.ask("example.org", "MX", do=True), "RRSIG"), "signatures")
        assert not lines(knotd, "key set 'made'")


def test_counters(directory):
    """Signatures are counted: made once, then found."""
    store, keys = small(directory), new_keys()
    keys.install(store)
    with Knotd(fill(store, keys)) as knotd:
        for _ in range(10):
            assert is_signed(knotd, keys)
        stats = knotd.stats()
        made, cached = stats["mod-mail.signature[made]"], stats["mod-mail.signature[cached]"]
        refused = stats.get("mod-mail.signature[refused]", 0)
        assert 1 <= made <= 4 and cached >= made and made + cached >= 10 and refused == 0, stats


def test_own_directory(directory):
    """key-directory names another place; two sections with one store may name different ones."""
    store, keys = small(directory), new_keys()
    away = directory / "away"
    away.mkdir()
    keys.install(store)
    key_path(store, keys).rename(away / key_path(store, keys).name)
    fill(store, keys)
    with Knotd(store, items=[f"key-directory: {away}"]) as knotd:
        assert is_signed(knotd, keys)
        # Without it, the default directory has no such key.
        knotd.items = []
        knotd.reload()
        poll(lambda: is_failing(knotd.ask("example.org", "MX")), "the default directory")
        assert str(store.path / "keys") in lines(knotd, "no private key")[0]
        knotd.items = [f"key-directory: {away}", "signature-cache: 1M"]
        knotd.reload()
        poll(lambda: is_signed(knotd, keys), "the other directory")


# Keys that are missing

def break_gone(path):
    path.unlink()


def break_other(path):
    path.write_bytes(Key("ed25519", "csk").pem())


def break_algorithm(path):
    path.write_bytes(Key("ecdsap256sha256", "csk").pem())


def break_garbage(path):
    path.write_bytes(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")


def break_world(path):
    path.chmod(0o644)


def break_unreadable(path):
    path.chmod(0)


def break_directory(path):
    path.unlink()
    path.mkdir()


BREAKS = [
    (break_gone, "no private key {tag} ({path})"),
    (break_other, "another key: its public half is not the store's"),
    (break_algorithm, "a key of another algorithm (ecdsap256sha256)"),
    (break_garbage, "private key {tag} is not used ({path}: "),
    (break_world, "mode 0644, accessible for everybody"),
    (break_unreadable, "Permission denied"),
    (break_directory, "not a regular file"),
]


@pytest.mark.parametrize("how,reason", BREAKS, ids=[how.__name__ for how, _ in BREAKS])
def test_missing(directory, how, reason):
    """SERVFAIL with an EDE, with and without DO; one line; it recovers by itself; others are served."""
    if os.geteuid() == 0 and how is break_unreadable:
        pytest.fail("the functional tests do not run as root (scripts/test does that)")
    store, keys = small(directory), new_keys()
    keys.install(store)
    path = key_path(store, keys)
    how(path)
    fill(store, keys)
    store.apply("policy:\n  - id: unsigned\n    ns: ns1.hosted.test.\n"
                "domain:\n  - id: example.net\n    policy: unsigned\n")
    with Knotd(store, items=["log-interval: 1d"]) as knotd:
        for do in (False, True):
            for tcp in (False, True):
                for name, rrtype in (("example.org", "MX"), ("example.org", "DNSKEY"),
                                     ("none.example.org", "A")):
                    assert is_failing(knotd.ask(name, rrtype, do=do, tcp=tcp)), (do, tcp, rrtype)
        assert rcode(knotd.ask("example.net", "SOA", do=True)) == "NOERROR"
        said = lines(knotd, "key set ")
        wanted = reason.format(tag=keys.keys[0].tag, path=path)
        assert len(said) == 1 and wanted in said[0] and str(path) in said[0] and \
            "its domains answer SERVFAIL" in said[0] and "error:" in said[0], said
        assert not lines(knotd, "example.org:")
        if path.is_dir():
            path.rmdir()
        keys.install(store)
        poll(lambda: is_signed(knotd, keys), "signatures")
        said = lines(knotd, "key set ")
        # Without the directory and before the file, the file is missing.
        moment = len(said) == 3 and how is break_directory and "no private key" in said[1]
        assert len(said) == 2 or moment, said
        assert "key set 'ks': its private keys are there again" in said[-1], said


def test_cured_in_place(directory):
    """A file's mode is changed: its directory does not show that, and it is found all the same."""
    store, keys = small(directory), new_keys()
    keys.install(store)
    key_path(store, keys).chmod(0o666)
    with Knotd(fill(store, keys)) as knotd:
        assert is_failing(knotd.ask("example.org", "MX"))
        key_path(store, keys).chmod(0o600)
        poll(lambda: is_signed(knotd, keys), "signatures")


def test_log_interval(directory):
    """What is missing is mentioned again after the interval."""
    with Knotd(fill(small(directory), new_keys()), items=["log-interval: 1"]) as knotd:
        poll(lambda: len(lines(knotd, "no private key")) >= 3, "more lines")
        assert not lines(knotd, "repeated")


def test_many_missing(directory):
    """A thousand key sets without files: a bounded number of lines, and the rest is counted."""
    store = small(directory)
    keys = [KeySet(f"ks{i:04}", [Key("ed25519", "csk")]) for i in range(300)]
    store.apply("".join(one.text() if not i else one.text().split("\n", 1)[1]
                        for i, one in enumerate(keys)))
    last = keys[-1]
    with Knotd(fill(store, last), items=["log-interval: 1h"]) as knotd:
        assert is_failing(knotd.ask("example.org", "MX"))
        assert 30 <= len(lines(knotd, "no private key")) <= 70
        last.install(store)
        poll(lambda: is_signed(knotd, last), "the last one")


def test_file_gone_later(directory):
    """A key that was read is kept: its file may go; a restart misses it."""
    store, keys = small(directory), new_keys()
    keys.install(store)
    with Knotd(fill(store, keys)) as knotd:
        assert is_signed(knotd, keys)
        key_path(store, keys).unlink()
        fill(store, keys, mx=20)
        knotd.reload()
        assert is_signed(knotd, keys)
        knotd.restart()
        assert is_failing(knotd.ask("example.org", "MX"))


def test_one_of_two(directory):
    """KSK and ZSK, one of them missing: the domain fails until both are there."""
    store = small(directory)
    keys = KeySet("ks", [Key("ed25519", "ksk"), Key("ed25519", "zsk")])
    keys.install_key(store, keys.keys[1])
    with Knotd(fill(store, keys)) as knotd:
        assert is_failing(knotd.ask("example.org", "DNSKEY", do=True))
        keys.install(store)
        poll(lambda: is_signed(knotd, keys), "signatures")
        assert signed_by(knotd.ask("example.org", "DNSKEY", do=True), "example.org", keys)


# Another store, reloads, the clock

def test_store_replaced(directory):
    """The other store has other keys: its first answers are signed by them, and none is lost."""
    keys, other = new_keys(), new_keys("other")
    store = small(directory)
    keys.install(store)
    fill(store, keys, mx=10)
    (directory / "new").mkdir()
    new = small(directory / "new")
    other.install(new)
    fill(new, other, mx=20)
    sets = {"10": keys, "20": other}
    with Knotd(store) as knotd:
        with Load(knotd, sets) as load:
            for mx in ("20", "10", "20"):
                exchange(store.path, new.path)
                poll(lambda mx=mx: rdata(knotd.ask("example.org", "MX"), "MX")[0].split()[0] == mx,
                     f"the store with {mx}")
        assert not load.wrong and load.count > 30, load.wrong[:5]
        assert len(maps(knotd)) == 1
        assert not lines(knotd, "key set ")


class Load:
    """Asks with DO all the time, from several threads; every answer must be signed by the right set.

    sets  Key sets by the preference of the MX that goes with them.
    """

    def __init__(self, knotd, sets, threads=3):
        self.knotd, self.sets = knotd, sets
        self.ended = threading.Event()
        self.wrong = []
        self.count = 0
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(threads)]

    def run(self, number):
        """One thread: the last one asks over TCP."""
        while not self.ended.is_set():
            try:
                answer = self.knotd.ask("example.org", "MX", do=True, tcp=number == 2)
                found = rdata(answer, "MX")
                keys = self.sets[found[0].split()[0]] if found else None
                fine = keys is not None and signed_by(answer, "example.org", keys)
            except Exception as error:  # whatever it is, it is a lost answer
                answer, fine = repr(error), False
            self.count += 1
            if not fine:
                self.wrong.append(str(answer))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()


def test_reload_under_load(directory):
    """Reloads, also with other settings, so that keys are read again: every answer is signed."""
    store, keys = small(directory), new_keys()
    keys.install(store)
    with Knotd(fill(store, keys)) as knotd:
        poll((knotd.directory / "run" / "knot.sock").exists, "knotd's control socket")
        with Load(knotd, {"10": keys}) as load:
            for number in range(10):
                knotd.items = [f"signature-cache: {1 + number % 3}M"]
                knotd.reload()
        assert not load.wrong and load.count > 20, load.wrong[:5]
        assert len(maps(knotd)) == 1


def test_key_sets_under_load(directory):
    """Key sets are made and used in two steps, and the old ones deleted: every answer is signed."""
    store, keys = small(directory), new_keys("ks0")
    keys.install(store)
    with Knotd(fill(store, keys)) as knotd:
        sets = {"10": keys}
        with Load(knotd, sets) as load:
            for number in range(1, 6):
                new = new_keys(f"ks{number}")
                new.install(store)
                store.apply(new.text())
                # Two are there from here on; the one before goes when it is deleted.
                knotd.wait_log("private keys: 2", number)
                sets[str(10 + number)] = new
                fill(store, new, mx=10 + number)
                poll(lambda new=new: is_signed(knotd, new), f"signatures of {new.name}")
                delete(store, sets[str(9 + number)])
        assert not load.wrong and load.count > 20, load.wrong[:5]


@pytest.mark.parametrize("algorithm,cost", [("ecdsap256sha256", 1), ("rsasha256", 16)])
def test_budget(directory, clock, algorithm, cost):
    """A flood of names that exist makes so many signatures in a second; beyond it UDP gets TC, and TCP the answer."""
    threads, budget = 2, 8 * cost
    store, keys = Store(directory, clock), new_keys(algorithm=algorithm)
    keys.install(store)
    fill(store, keys)
    domains = [f"d{number}.test" for number in range(40)]
    store.load("".join(json.dumps({"kind": "domain", "name": name, "policy": "hosted"}) + "\n" for name in domains))
    with Knotd(store, items=(f"signature-budget: {budget}",)) as knotd:
        signed = set()
        for second in range(2):
            clock.move(second)
            made = 0
            for domain in domains:
                answer = knotd.ask(domain, "MX", do=True)
                if has(answer, "TC"):
                    assert rcode(answer) == "NOERROR" and domain not in signed
                else:
                    assert rdata(answer, "RRSIG")
                    made += domain not in signed
                    signed.add(domain)
            # Of one thread, of both, or anything in between.
            assert budget // cost <= made <= threads * budget // cost, made
        left = [domain for domain in domains if domain not in signed]
        for domain in left:
            # What was made for TCP is found.
            for tcp in (True, False):
                assert rdata(knotd.ask(domain, "MX", do=True, tcp=tcp), "RRSIG")
        stats = knotd.stats()
        assert left and stats["mod-mail.signature[made]"] == len(domains), stats
        assert stats["mod-mail.signature[refused]"] == stats["mod-mail.outcome[truncated]"] > 0, stats


def test_clock(directory, clock):
    """A key whose time is over is no more needed, nor is one that has not been published yet."""
    store = Store(directory, clock)
    now = clock.now
    keys = KeySet("ks", [Key("ed25519", "csk", retire=now + 1000, remove=now + 1000),
                         Key("ed25519", "csk", publish=now + 1000, activate=now + 1000)])
    keys.install(store)
    key_path(store, keys, 1).unlink()
    with Knotd(fill(store, keys)) as knotd:
        assert rdata(knotd.ask("example.org", "MX", do=True), "RRSIG")
        said = lines(knotd, "key set ")
        assert len(said) == 1 and "are going to answer SERVFAIL" in said[0] and \
            "warning:" in said[0], said
        clock.move(2000)
        poll(lambda: is_failing(knotd.ask("example.org", "MX")), "the next key to be missed")
        keys.install(store)
        key_path(store, keys, 0).unlink()
        poll(lambda: rdata(knotd.ask("example.org", "MX", do=True), "RRSIG"), "the next key")
        tags = {line.split()[6] for line in rdata(knotd.ask("example.org", "MX", do=True), "RRSIG")}
        assert tags == {str(keys.keys[1].tag)}


# Nothing of a private key stays

def memory_of(pid):
    """What a process has in its memory, as far as it can be written and is no file."""
    parts = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw\S+ \S+ \S+ (\d+)\s*(.*)", line)
            if match and (match.group(3) == "0" or not match.group(4).endswith(".mdb")):
                start, end = int(match.group(1), 16), int(match.group(2), 16)
                if end - start > 1 << 30:
                    continue
                try:
                    memory.seek(start)
                    parts.append(memory.read(end - start))
                except OSError:
                    continue
    return b"\0".join(part for part in parts if part)


def secrets_of(key):
    """Octets by which a private key would be known."""
    private = key.private
    if key.algorithm == "ed25519":
        return [private.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw,
                                      serialization.NoEncryption())]
    if key.algorithm == "ecdsap256sha256":
        number = private.private_numbers().private_value
        return [number.to_bytes(32, order) for order in ("big", "little")]
    numbers = private.private_numbers()
    return [number.to_bytes((number.bit_length() + 7) // 8, order)[8:40]
            for number in (numbers.p, numbers.q, numbers.d) for order in ("big", "little")]


def pem_line(key):
    """The middle of the file's text."""
    return b"".join(key.pem().splitlines()[1:-1])[24:56]


@pytest.mark.parametrize("algorithm", ["ed25519", "ecdsap256sha256", "rsasha256"])
def test_wiped(directory, monkeypatch, algorithm):
    """A key set is deleted: its private key is nowhere in what knotd has allocated. Its threads are idle."""
    # OpenSSL leaves copies in what it frees, where only chance overwrites them: here the allocator does.
    monkeypatch.setenv("MALLOC_PERTURB_", "85")
    options = [os.environ.get("MAIL_ASAN_OPTIONS"), "max_free_fill_size=1000000", "free_fill_byte=85"]
    monkeypatch.setenv("MAIL_ASAN_OPTIONS", ":".join(filter(None, options)))
    store, keys, other = small(directory), new_keys(algorithm=algorithm), new_keys("other")
    keys.install(store)
    other.install(store)
    store.apply(other.text())
    with Knotd(fill(store, keys)) as knotd:
        for number in range(20):
            assert is_signed(knotd, keys, tcp=number % 2 == 1)
        secrets = secrets_of(keys.keys[0])
        pid = knotd.process.pid
        found = memory_of(pid)
        assert any(secret in found for secret in secrets), "the key is not where it is looked for"
        # The files' texts are not, of whichever was read last.
        assert not any(pem_line(one.keys[0]) in found for one in (keys, other))
        fill(store, other)
        delete(store, keys)
        # No question is asked meanwhile: no thread of knotd may be what keeps it.
        poll(lambda: not any(secret in memory_of(pid) for secret in secrets), "the key to be gone")
        assert is_signed(knotd, other)


def test_not_in_the_log(directory):
    """Whatever is wrong with a key's file, none of its content is logged."""
    store, keys = small(directory), new_keys()
    keys.install(store)
    path = key_path(store, keys)
    path.write_bytes(path.read_bytes().replace(b"END", b"UND") + b"secret text\n")
    path.chmod(0o640)
    with Knotd(fill(store, keys)) as knotd:
        assert is_failing(knotd.ask("example.org", "MX"))
        secret = path.read_bytes().splitlines()[1].decode()
        assert secret not in knotd.log() and "secret text" not in knotd.log()
