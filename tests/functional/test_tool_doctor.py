# SPDX-License-Identifier: GPL-3.0-or-later
"""kmailctl doctor finds what stands between the store and an answer, says what to do, and changes nothing."""

import contextlib
import json
import os
import socket
import subprocess
import threading

import dns.flags
import dns.message
import dns.rcode
import pytest

import zones as z
from harness import ADDRESS, MODULE, PATIENCE, TOOL, Knotd, Store, free_port

CONF = """
policy:
  - id: p
    ns: ns1.far.example.
    mx: "10 mail.example.net."
    spf: mx
domain:
  - id: example.org
    policy: p
"""
ZONE = """@ 600 SOA ns1 hostmaster 1 2 3 4 300
@ 600 NS ns1
ns1 600 A 192.0.2.1
"""
KEY = "@ 600 DNSKEY 257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=\n"


def doctor(store, *args, status=None, path=None, command=(), **variables):
    """Runs it; gives its findings and its exit status."""
    env = {**store.environment(MODULE), **variables}
    # What it starts loads the module, which leaks nothing of ours.
    env["ASAN_OPTIONS"] += ":detect_leaks=0"
    done = subprocess.run([*command, TOOL, "-s", path or store.path, "doctor", *map(str, args)], text=True,
                          capture_output=True, check=False, env=env, timeout=PATIENCE * 4)
    text = done.stdout + done.stderr
    if status is not None:
        assert done.returncode == status, text
    assert done.returncode == (1 if "\nerror " in "\n" + text else 0), text
    return text


def conf_of(knotd):
    """The option that names a knotd's configuration."""
    return "--config", knotd.directory / ("confdb" if knotd.confdb else "knot.conf")


@pytest.fixture
def filled(store):
    """A store with a domain."""
    store.apply(CONF)
    return store


def write_conf(store, text, name="knot.conf"):
    """A configuration that nobody runs with."""
    path = store.directory / name
    path.write_text(text.replace("{store}", str(store.path)).replace("{module}", str(MODULE)))
    return path


GOOD = """server:
    listen: 127.0.0.1@{port}
module:
  - id: mod-mail
    file: "{module}"
mod-mail:
  - id: test
    store: "{store}"
template:
  - id: default
    global-module: mod-mail/test
"""


def test_all_is_well(filled):
    """Every part is looked at, nothing is wrong, and nothing has changed."""
    with Knotd(filled) as knotd:
        before = {path: path.stat().st_mtime for path in filled.path.iterdir() if path.name != "lock.mdb"}
        said = doctor(filled, *conf_of(knotd), status=0)
        for what in ("knotd", "configuration", "store", "entries", "module file", "module", "question"):
            assert f"ok       {what}: " in said, said
        assert "answers for example.org as this store says, unsigned" in said
        assert "warning  listen: " in said and "nobody but this machine" in said
        assert before == {path: path.stat().st_mtime for path in filled.path.iterdir() if path.name != "lock.mdb"}
        rows = [json.loads(line) for line in doctor(filled, "--json", *conf_of(knotd)).splitlines()]
        assert {row["level"] for row in rows} == {"ok", "warning"}
        assert all(row["what"] and row["message"] for row in rows)
        # Signed, and by a name.
        filled.run("key-generate", "k")
        filled.run("policy-set", "p", "key-set=k")
        assert "as this store says, signed" in doctor(filled, "example.org", *conf_of(knotd), status=0)
        assert "1 file in its place" in doctor(filled, *conf_of(knotd))
        assert "is not stored" in doctor(filled, "example.com", *conf_of(knotd), status=1)


def test_configuration_database(filled):
    """knotd's own configuration is found where it is."""
    with Knotd(filled, confdb=True) as knotd:
        said = doctor(filled, *conf_of(knotd), status=0)
        assert f"configuration database {knotd.directory}/confdb" in said
        assert "mod-mail/test is global" in said


def test_knotd_does_not_run(filled):
    """It is found in the file what knotd is going to do, and nobody answers."""
    path = write_conf(filled, GOOD.replace("{port}", str(free_port())))
    said = doctor(filled, "--config", path, status=1)
    assert "but does not run" in said and "systemctl start knot" in said
    assert "nobody listens there" in said
    assert "mod-mail/test is global" in said


@pytest.mark.parametrize("old, new, expected, remedy", [
    ("    global-module: mod-mail/test\n", "", "does not load mod-mail", "global-module: mod-mail"),
    ("global-module: mod-mail/test", "global-module: [ mod-dnsproxy/x, mod-mail/test ]",
     "mod-dnsproxy/x stands before mod-mail", "[mod-mail, ...]"),
    ("global-module: mod-mail/test", "global-module: mod_mail/test", "which is another name", "mod-mail/ID"),
    ("global-module: mod-mail/test", "global-module: mail", "which is another name", "mod-mail/ID"),
    ("global-module: mod-mail/test", "global-module: mod-mail/other", "there is no section mod-mail with id other", "that id"),
    ("id: default\n    global-module", "id: other\n    global-module", "stands in template other", "id: default"),
    ("store: \"{store}\"", "store: \"/nonexistent/store\"", "reads the store /nonexistent/store", "kmailctl -s"),
    ("    store: \"{store}\"\n", "", "reads the store /var/lib/knot/mail", "store: "),
    ("store: \"{store}\"", "store: \"{store}\"\n    policy: nope", "names the policy nope", "policy-list"),
    ("    listen: 127.0.0.1@{port}\n", "    identity: x\n", "listens nowhere", "listen: [0.0.0.0@53"),
    ("127.0.0.1@{port}", "localhost@{port}", "is no address", "ADDRESS@PORT"),
    ("file: \"{module}\"", "file: \"/nonexistent/mail.so\"", "is not there", "make install"),
    ("file: \"{module}\"", "file: \"/etc/passwd\"", "is no module of knotd", "make install"),
    ("server:", "sever:", "knotc conf-check refuses", "knotc conf-check"),
    ("listen: 127", "listen 127", "knot.conf:2: ", None),
], ids=range(15))
def test_faults_of_the_file(filled, old, new, expected, remedy):
    """Each slip is an error of its own, with what to write."""
    text = GOOD.replace("{port}", str(free_port()))
    old, new = old.replace("{port}", text.split("@")[1].split("\n")[0]), new.replace("{port}", "5353")
    assert old in text
    path = write_conf(filled, text.replace(old, new))
    said = doctor(filled, "--config", path, status=1).splitlines()
    at = [i for i, line in enumerate(said) if line.startswith("error ") and expected in line]
    assert at, "\n".join(said)
    if remedy is not None:
        assert any(said[i + 1].startswith("         -> ") and remedy in said[i + 1] for i in at), "\n".join(said)


def test_included_files(filled):
    """include is followed, as knotd does: a file, a pattern, a directory."""
    head, tail = GOOD.replace("{port}", str(free_port())).split("mod-mail:\n")
    (filled.directory / "more").mkdir()
    write_conf(filled, "mod-mail:\n" + tail, "more/mail.conf")
    for what in ("more/mail.conf", "more/*.conf", "more"):
        path = write_conf(filled, head + f"include: \"{what}\"\n")
        assert "mod-mail/test is global" in doctor(filled, "--config", path)


def test_module_of_another_knot(filled):
    """A module that was built for other modules than knotd's is told from one that fits."""
    data = bytearray(MODULE.read_bytes())
    symbol = subprocess.run(["nm", "-D", MODULE], capture_output=True, text=True, check=True).stdout
    address = int(next(line for line in symbol.splitlines() if line.endswith("knotd_mod_api")).split()[0], 16)
    # Where the data of the file lie in memory.
    for line in subprocess.run(["readelf", "-lW", MODULE], capture_output=True, text=True, check=True).stdout.splitlines():
        words = line.split()
        if words[:1] == ["LOAD"] and int(words[2], 16) <= address < int(words[2], 16) + int(words[4], 16):
            offset = address - int(words[2], 16) + int(words[1], 16)
    data[offset:offset + 4] = (300).to_bytes(4, "little")
    other = filled.directory / "other.so"
    other.write_bytes(data)
    path = write_conf(filled, GOOD.replace("{port}", "1").replace("{module}", str(other)))
    said = doctor(filled, "--config", path, status=1)
    assert "was built for modules of version 300" in said


def test_refused(filled):
    """A knotd without the module: REFUSED, and why."""
    with Knotd(filled, modules=None, conf="template:\n  - id: default\n    storage: \"{directory}\"\n") as knotd:
        said = doctor(filled, *conf_of(knotd), status=1)
        assert "does not load mod-mail" in said
        assert "answers REFUSED for example.org" in said


def test_servfail(filled, directory):
    """A store that knotd cannot open, and a private key that is not there: SERVFAIL with its reason."""
    filled.run("key-generate", "k")
    filled.run("policy-set", "p", "key-set=k")
    with Knotd(filled) as knotd:
        key, = (filled.path / "keys").iterdir()
        key.rename(directory / "key.pem")
        knotd.restart()
        said = doctor(filled, *conf_of(knotd), status=1)
        assert "SERVFAIL for example.org: EDE 14" in said and "journalctl -u knot" in said
        assert f"{key} is missing: its domains get SERVFAIL" in said
        key.write_text("no key")
        key.chmod(0o640)
        assert "holds no private key" in doctor(filled, *conf_of(knotd), status=1)
    moved = Store(directory, init=False)
    moved.path = directory / "elsewhere"
    with Knotd(moved) as knotd:
        said = doctor(filled, *conf_of(knotd), status=1)
        assert "EDE 14" in said and "reads the store" in said


def test_no_store(filled, directory):
    """None there, and what cannot be one."""
    path = write_conf(filled, GOOD.replace("{port}", "1"))
    assert "kmailctl init" in doctor(filled, "--config", path, status=1, path=directory / "nothing")
    (filled.path / "lock.mdb").unlink()
    (filled.path / "data.mdb").write_bytes(b"x" * 10000)
    assert "not an LMDB file" in doctor(filled, "--config", path, status=1)


def test_errors_of_entries_in_short(filled):
    """check's errors are counted, the first is shown, and an empty store is none to answer from."""
    path = write_conf(filled, GOOD.replace("{port}", "1"))
    filled.run("policy-set", "broken", "base=p", "mx=10 mail.example.net")
    said = doctor(filled, "--config", path)
    assert "entries: " in said
    for domain in filled.run("domain-list").stdout.split()[::2]:
        filled.run("domain-unset", domain)
    assert "no domain is stored" in doctor(filled, "--config", path)


def test_not_read_yet(filled):
    """A file that was changed and not reloaded; and what knotc conf-set set, which the next reload forgets."""
    with Knotd(filled, modules=None, conf="template:\n  - id: default\n    storage: \"{directory}\"\n") as knotd:
        conf = knotd.directory / "knot.conf"
        old = conf.read_text()
        conf.write_text(old + "    global-module: mod-mail/test\n")
        said = doctor(filled, *conf_of(knotd), status=1)
        assert "has not read" in said and "global-module mod-mail/test" in said and "knotc reload" in said
    with z.ZoneKnotd(filled, {"example.net": ZONE}, modules=(), hosted=True) as knotd:
        for args in (("conf-begin",), ("conf-set", "zone[example.net].module", "mod-mail/test"), ("conf-commit",)):
            knotd.knotc(*args)
        said = doctor(filled, *conf_of(knotd), status=0)
        assert "is gone at the next reload" in said and "write it into the file" in said


@pytest.mark.parametrize("how, said, level", [
    ({}, "example.net has the module", "ok"),
    ({"lines": {"example.net": ["dnssec-signing: on"]}}, "dnssec-signing is on", "error"),
    ({"modules": ["mod-onlinesign/test", "mod-mail/test"]}, "stands before mod-mail", "error"),
    ({"modules": z.SIGNED, "bitmap": "[ A, AAAA, MX ]"}, "lacks TXT SRV TLSA", "error"),
    ({"modules": z.SIGNED, "bitmap": "[ A, AAAA, MX, TXT, SRV, TLSA, NS ]"}, "has NS: its proofs are invalid", "error"),
    ({"modules": ["mod-mail/test", "mod-onlinesign"]}, "lacks MX TXT SRV TLSA", "error"),
    ({"modules": z.SIGNED}, "example.net has the module", "ok"),
    ({"modules": []}, "a zone of that name without mod-mail", "warning"),
], ids=range(8))
def test_zones(filled, how, said, level):
    """Zones with the module, what keeps it from adding, and zones that hide a stored domain."""
    filled.run("domain-set", "example.net", "policy=p")
    with z.ZoneKnotd(filled, {"example.net": ZONE}, hosted=True, **how) as knotd:
        text = doctor(filled, *conf_of(knotd), status=1 if level == "error" else 0)
        assert any(line.startswith(level) and said in line for line in text.splitlines()), text


def test_zones_unlisted_and_signed(filled):
    """A zone that the store does not list, one with a policy of its section, and one that is signed in its file."""
    filled.run("domain-set", "signed.example", "policy=p")
    conf = f"mod-mail:\n  - id: section\n    store: \"{filled.path}\"\n    policy: p\n"
    zones = {"unlisted.example": ZONE, "section.example": ZONE, "signed.example": ZONE + KEY}
    with z.ZoneKnotd(filled, zones, conf=conf, by_zone={"section.example": ["mod-mail/section"]}) as knotd:
        said = doctor(filled, *conf_of(knotd), status=1)
        assert "unlisted.example: nothing is added" in said and "domain-set unlisted.example policy=ID" in said
        assert "section.example has the module" in said and "section.example: nothing" not in said
        assert "signed.example: the zone is signed already" in said
        assert "domains that have no zone are REFUSED" in said


class Fake:
    """A server that is no knotd: it answers each question as it is told."""

    def __init__(self, answer):
        self.answer = answer
        self.port = free_port()

    def __enter__(self):
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((ADDRESS, self.port))
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def serve(self):
        """Until the socket is closed."""
        with contextlib.suppress(OSError):
            while True:
                wire, peer = self.udp.recvfrom(4096)
                response = dns.message.make_response(dns.message.from_wire(wire))
                if self.answer(response) is not False:
                    self.udp.sendto(response.to_wire(), peer)

    def __exit__(self, *what):
        self.udp.close()


def set_rcode(code):
    """An answer with an rcode."""
    return lambda response: response.set_rcode(code)


def set_flags(response):
    """TC, AA."""
    response.flags |= dns.flags.TC | dns.flags.AA


def no_soa(response):
    """AA with nothing."""
    response.flags |= dns.flags.AA


@pytest.mark.parametrize("answer, said, status", [
    (lambda response: False, "no answer in time", 1),
    (lambda response: None, "without AA: that is a resolver", 1),
    (set_rcode(dns.rcode.NXDOMAIN), "answers NXDOMAIN", 1),
    (set_rcode(dns.rcode.SERVFAIL), "answers SERVFAIL", 1),
    (set_rcode(dns.rcode.REFUSED), "answers REFUSED", 1),
    (set_flags, "with TC alone", 1),
    (no_soa, "has no SOA of example.org", 1),
], ids=["silent", "resolver", "nxdomain", "servfail", "refused", "tc", "no-soa"])
def test_what_comes_back(filled, answer, said, status):
    """Other servers, and a firewall."""
    path = write_conf(filled, GOOD.replace("{port}", str(free_port())))
    with Fake(answer) as server:
        text = doctor(filled, "--config", path, "--server", f"{ADDRESS}@{server.port}", status=status)
        assert said in text, text
        # It is a program of its own that has the port.
        assert f"port {server.port} is also used by" in text


def test_another_server_on_the_port(filled):
    """Two servers on a port: told from one."""
    with Knotd(filled) as knotd:
        text = doctor(filled, *conf_of(knotd), status=0)
        assert "is also used by" not in text


def test_without_knotd(filled, directory):
    """No knotd on the machine: said, and all else looked at."""
    programs = directory / "bin"
    programs.mkdir()
    for name in ("knotd", "knotc"):
        # What a shell says of a program that is not there.
        (programs / name).write_text("#!/bin/sh\nexit 127\n")
        (programs / name).chmod(0o755)
    said = doctor(filled, "--config", directory / "none.conf", status=1, PATH=f"{programs}:{os.environ['PATH']}")
    assert "knotd is not installed" in said and "apt-get install knot" in said
    assert "ok       store: " in said and "nobody listens there" in said


def test_who_may_not_look(filled):
    """One who may not enter the store is told to look as root."""
    if os.geteuid() != 0:
        filled.path.chmod(0)
        command = []
    else:
        command = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups"]
    for path in (filled.path.parent, filled.directory):
        path.chmod(0o711)
    path = write_conf(filled, GOOD.replace("{port}", "1"))
    try:
        said = doctor(filled, "--config", path, status=1, command=command)
    finally:
        filled.path.chmod(0o2770)
    assert "sudo kmailctl doctor" in said and "error    store: " in said
