# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way to start, ask and end a server under measurement; knotd; the store and the zones that are served."""

import copy
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import time

import domains
import machine
from machine import ADDRESS, Failure


def preference(answer):
    """Return the preference of the first MX record whose owner is the QNAME, or None."""
    at = answer.find(b"\xc0\x0c" + struct.pack(">2H", domains.MX, 1))
    return struct.unpack(">H", answer[at + 12:at + 14])[0] if at >= 0 and answer[3] & 0xf == 0 else None


class Asker:
    """A socket that asks one server one question after the other."""

    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((ADDRESS, port))
        self.number = 0

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.socket.close()

    def ask(self, qname, timeout=0.002):
        """Ask for the MX with EDNS. Return the answer, or nothing when it does not come in time."""
        self.number = (self.number + 1) % 65536
        wire = struct.pack(">6H", self.number, 0, 1, 0, 0, 1) + domains.wire(qname) + \
            struct.pack(">B2H", 0, domains.MX, 1) + b"\0\0\x29\x04\xd0\0\0\0\0\0\0"
        self.socket.settimeout(timeout)
        try:
            self.socket.send(wire)
            while True:
                answer = self.socket.recv(4096)
                if answer[:2] == wire[:2]:
                    return answer
        except OSError:
            return b""

    def until(self, qname, wanted, patience, alive=lambda: True, timeout=0.002):
        """Ask for the MX until its preference is as wanted, and return when that was."""
        start = time.monotonic()
        while True:
            if preference(self.ask(qname, timeout=timeout)) == wanted:
                return time.monotonic()
            waited = time.monotonic() - start
            if not alive():
                raise Failure("the server ended")
            if waited > patience:
                raise Failure(f"no such answer within {patience:.0f} s")
            # Asking often would slow down a server that takes long.
            time.sleep(min(0.0002 + waited / 500, 0.1))


class Server:
    """A server in a directory of its own; a context manager that runs it.

    A class of servers has command() and configure(), which writes the configuration for self.port; disk(), the octets
    of what is served; and change(), which gives all domains an MX with a new preference, and returns when that
    began, or (domains, seconds) when it is over.
    """

    name = None

    def __init__(self, bench, count, zones=None, directory=None):
        self.bench = bench
        self.count = count
        self.zones = zones
        self.directory = directory or bench.scratch()
        self.port = None
        self.process = None
        self.start_seconds = None
        # What it takes to fill a database before the start.
        self.load_seconds = 0
        # What the MX of a domain has when the server starts.
        self.preference = domains.PREFERENCE
        # What the command runs under (valgrind), and what its environment has besides.
        self.wrapper = []
        self.variables = {}
        # UDP workers, and the cores that they get.
        self.workers = 1
        self.cores = bench.server_core

    def __enter__(self):
        for attempt in range(5):
            self.port = machine.free_port()
            self.configure()
            try:
                self.start()
                return self
            except Failure as problem:
                self.stop()
                if attempt == 4 or "address" not in self.log().lower():
                    raise Failure(f"{self.name}: {problem} {self.log()[-2000:]}") from None
            except BaseException:
                self.stop()
                raise
        raise Failure("unreachable")

    def start(self):
        """Start it, and wait for the last domain's MX. It may load on all cores."""
        with open(self.directory / "log", "wb") as log, Asker(self.port) as asker:
            begin = time.monotonic()
            self.process = subprocess.Popen(
                self.wrapper + self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                cwd=self.directory, env=os.environ | self.variables,
                preexec_fn=lambda: os.sched_setaffinity(0, self.bench.all_cores))
            end = asker.until(domains.name(self.count), self.preference, self.bench.patience,
                              lambda: self.process.poll() is None,
                              # A question more would be counted more.
                              timeout=10 if self.wrapper else 0.002)
        self.start_seconds = end - begin
        self.pin()

    def family(self):
        """Return the processes that it consists of."""
        return machine.family(self.process.pid)

    def pin(self):
        """Tie the server to its core."""
        for process in self.family():
            machine.pin(process, self.cores)

    def __exit__(self, *problem):
        if problem[0] is None and self.process.poll() is not None:
            raise Failure(f"{self.name} has ended by itself: {self.log()[-2000:]}")
        self.stop()

    def stop(self):
        """End it."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=60 + self.count / 10000)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def log(self):
        """Return what it has said."""
        return (self.directory / "log").read_text(errors="replace")

    def memory(self):
        """Return its (private, mapped) octets."""
        return tuple(map(sum, zip(*map(machine.memory, self.family()))))

    def cpu_time(self):
        """Return its (user, system) seconds so far."""
        return tuple(map(sum, zip(*map(machine.cpu_time, self.family()))))

    def disk(self):
        """Return the octets on disk of what is served."""
        return machine.disk(self.zones.directory)


class Knotd(Server):
    """knotd with zones, with the module and a store, or with both: then the module is in zone mode.

    zone_items  what the template of the zones has besides ("dnssec-signing: on")
    sections    what the configuration has besides, before the template
    items       a line of the section of the module
    """

    def __init__(self, bench, count, zones=None, store=None, name=None, zone_items=(), sections="", items=""):
        super().__init__(bench, count, zones)
        self.store = store
        self.name = name or ("mod-mail" if store else "knotd")
        self.items = list(zone_items)
        self.sections = sections
        if store:
            self.preference = store.preference
            self.items.append("module: mod-mail/bench" if zones else "global-module: mod-mail/bench")
            self.sections += f"""module:
  - id: mod-mail
    file: "{bench.module}"
mod-mail:
  - id: bench
    store: "{store.path}"
"""
            self.sections += f"    {items}\n" if items else ""

    def command(self):
        return [machine.program("knotd"), "-c", str(self.directory / "knot.conf")]

    def configure(self):
        for part in ("run", "db"):
            (self.directory / part).mkdir(exist_ok=True)
        items = "".join(f"    {item}\n" for item in self.items)
        with open(self.directory / "knot.conf", "w", encoding="ascii") as conf:
            conf.write(f"""server:
    rundir: "{self.directory}/run"
    listen: {ADDRESS}@{self.port}
    udp-workers: {self.workers}
    tcp-workers: 1
    background-workers: {len(self.bench.all_cores)}
log:
  - target: stderr
    any: warning
control:
    listen: "{self.directory}/run/knot.sock"
    timeout: 600
database:
    storage: "{self.directory}/db"
{self.sections}template:
  - id: default
    storage: "{self.zones.directory if self.zones else self.directory}"
    file: "%s.zone"
    zonefile-sync: -1
    journal-content: none
{items}""")
            if self.zones:
                conf.write("zone:\n")
                conf.writelines(f"  - domain: {domains.name(number)}\n" for number in range(1, self.count + 1))

    def knotc(self, *args):
        """Run knotc."""
        return machine.run(machine.program("knotc"), "-t", 600, "-s", self.directory / "run" / "knot.sock", *args)

    def signatures(self):
        """Return the module's counters of signatures: made, cached, refused."""
        return {name: int(number) for name, number in re.findall(
            r"signature\[(\w+)\] = (\d+)", self.knotc("-f", "stats", "mod-mail.signature"))}

    def disk(self):
        return self.store.disk() if self.store else super().disk()

    def change(self, new):
        if self.store:
            begin = time.monotonic()
            self.store.change(new)
        else:
            self.zones.write(new)
            begin = time.monotonic()
            self.knotc("zone-reload")
        return begin


class Store:
    """A store of the module with its tool."""

    def __init__(self, bench, name, count=0, key_algorithm=None, mix="plain"):
        """mix: whether the domains set something (domains.MIXES)."""
        self.bench = bench
        self.mix = mix
        self.path = bench.work / name
        self.preference = domains.PREFERENCE
        # Of the import.
        self.lines = 0
        shutil.rmtree(self.path, ignore_errors=True)
        # knotd as root gives up being allowed everything, so a store made by root must be root's.
        owner = ("--owner", "root:root") if os.geteuid() == 0 else ()
        self.run("init", *owner)
        conf = self.path.with_suffix(".conf")
        conf.write_text(domains.POLICY, encoding="ascii")
        self.run("apply", conf)
        if key_algorithm:
            self.sign(key_algorithm)
        self.load_seconds = self.load(count) if count else 0

    def copy(self, name):
        """Return a copy of the store, under another name."""
        other = copy.copy(self)
        other.path = self.path.with_name(name)
        shutil.rmtree(other.path, ignore_errors=True)
        shutil.copytree(self.path, other.path)
        return other

    def run(self, *args, **how):
        """Run kmailctl and return what it says."""
        return machine.run(self.bench.tool, "-s", self.path, *args, **how)

    def sign(self, algorithm):
        """Sign all domains with one key."""
        self.run("key-generate", "bench", "--algorithm", algorithm, "--csk")
        for policy in ("bench", "quiet"):
            self.run("policy-set", policy, "key-set=bench")

    def load(self, count):
        """Import the domains 1 to count on one core, and return the seconds that it took."""
        path = self.path.with_suffix(".ndjson")
        self.lines = 0
        with open(path, "w", encoding="ascii") as file:
            for text in domains.MIXES[self.mix][0](count):
                self.lines += text.count("\n")
                file.write(text)
        begin = time.monotonic()
        self.run("import", path, cores=self.bench.server_core)
        seconds = time.monotonic() - begin
        path.unlink()
        return seconds

    def disk(self):
        """Return the octets that the data file takes on disk."""
        return machine.disk(self.path / "data.mdb")

    def change(self, new):
        """Give the policy, and so all domains, another MX."""
        self.run("policy-set", "bench", f"mx={new} mail")
        self.preference = new

    def remove(self):
        """Free the disk."""
        shutil.rmtree(self.path)


class Zones:
    """The zone files of a store's domains, as the tool exports them."""

    def __init__(self, store):
        self.directory = store.path.with_suffix(".zones")
        self.store = store
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir()
        self.write(domains.PREFERENCE)

    def write(self, preference):
        """Write all zones, with this preference in their MX."""
        if self.store.preference != preference:
            self.store.change(preference)
        self.store.run("export", "--format", "zone", "--directory", self.directory)

    def path(self, number):
        """Return the zone file of a domain."""
        return self.directory / f"{domains.name(number)}.zone"
