# SPDX-License-Identifier: GPL-3.0-or-later
"""Name servers under measurement: knotd with the module, knotd with zones."""

import os
import shutil
import signal
import socket
import struct
import subprocess
import time

import domains
import machine
from machine import ADDRESS, Failure


def question(qname, rrtype, number=1):
    """A question as octets, with EDNS."""
    wire = struct.pack(">6H", number, 0, 1, 0, 0, 1)
    for label in qname.split("."):
        wire += bytes([len(label)]) + label.encode()
    return wire + b"\0" + struct.pack(">2H", rrtype, 1) + b"\0\0\x29\x04\xd0\0\0\0\0\0\0"


def preference(answer):
    """The preference of the MX record that an answer begins with, or None."""
    if len(answer) < 12 or answer[3] & 0xf or not struct.unpack(">H", answer[6:8])[0]:
        return None
    pos = 12
    for skip in (4, 10):
        while pos < len(answer) and 0 < answer[pos] < 0xc0:
            pos += 1 + answer[pos]
        pos += (2 if pos < len(answer) and answer[pos] >= 0xc0 else 1) + skip
    return struct.unpack(">H", answer[pos:pos + 2])[0] if pos + 2 <= len(answer) else None


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

    def ask(self, qname, rrtype=domains.MX, timeout=0.002):
        """The answer, or nothing when it did not come in time."""
        self.number = (self.number + 1) % 65536
        wire = question(qname, rrtype, self.number)
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
        """Asks for the MX until its preference is as wanted. Gives when that was."""
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
    """A server in a directory of its own; a context manager that runs it."""

    name = None

    def __init__(self, bench, directory, count):
        self.bench = bench
        self.directory = directory
        self.count = count
        self.port = None
        self.process = None
        self.start_seconds = None
        # What it takes to fill a database before the start.
        self.load_seconds = 0
        directory.mkdir(parents=True, exist_ok=True)

    def command(self):
        """The command line."""
        raise NotImplementedError

    def configure(self):
        """Writes the configuration for self.port."""
        raise NotImplementedError

    def environment(self):
        """The environment of the process."""
        return dict(os.environ)

    def wrapper(self):
        """What the command runs under: valgrind."""
        return []

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
        """Starts it, and waits for the last domain's MX. It may load on all cores."""
        with open(self.directory / "log", "wb") as log, Asker(self.port) as asker:
            begin = time.monotonic()
            self.process = subprocess.Popen(
                self.wrapper() + self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                cwd=self.directory, env=self.environment(),
                preexec_fn=lambda: os.sched_setaffinity(0, self.bench.all_cores))
            end = asker.until(domains.name(self.count), self.preference(), self.bench.patience,
                              lambda: self.process.poll() is None,
                              # A question more would be counted more.
                              timeout=10 if self.wrapper() else 0.002)
        self.start_seconds = end - begin
        self.pin()

    def pin(self):
        """Ties the server to its core."""
        if self.bench.cores:
            for process in machine.family(self.process.pid):
                machine.pin(process, self.bench.cores[0])

    def preference(self):
        """The preference that the MX of a domain has when the server starts."""
        return domains.PREFERENCE

    def __exit__(self, *problem):
        if problem[0] is None and self.process.poll() is not None:
            raise Failure(f"{self.name} has ended by itself: {self.log()[-2000:]}")
        self.stop()

    def stop(self):
        """Ends it."""
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
        """What it has said."""
        return (self.directory / "log").read_text(errors="replace")

    def memory(self):
        """(private, mapped) octets."""
        parts = [machine.memory(process) for process in machine.family(self.process.pid)]
        return sum(part[0] for part in parts), sum(part[1] for part in parts)

    def cpu_time(self):
        """(user, system) seconds so far."""
        parts = [machine.cpu_time(process) for process in machine.family(self.process.pid)]
        return sum(part[0] for part in parts), sum(part[1] for part in parts)

    def disk(self):
        """Octets on disk of what is served."""
        raise NotImplementedError

    def change(self, new):
        """Gives all domains an MX with a new preference. Says when it began; or (domains, seconds)."""
        raise NotImplementedError

    def change_done(self):
        """The change has come."""


class Knotd(Server):
    """knotd with zones from zone files; zones 0: none, it refuses everything."""

    name = "knotd"
    zone_items = ()
    extra = ""

    def __init__(self, bench, directory, count, zones):
        super().__init__(bench, directory, count)
        self.zones = zones

    def command(self):
        return [machine.program("knotd"), "-c", str(self.directory / "knot.conf")]

    def head(self):
        """The sections that every knotd of ours has."""
        for part in ("run", "db"):
            (self.directory / part).mkdir(exist_ok=True)
        return f"""server:
    rundir: "{self.directory}/run"
    listen: {ADDRESS}@{self.port}
    udp-workers: 1
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
"""

    def configure(self):
        items = "".join(f"    {item}\n" for item in self.zone_items)
        with open(self.directory / "knot.conf", "w", encoding="ascii") as conf:
            conf.write(self.head() + self.extra + f"""template:
  - id: default
    storage: "{self.zones.directory}"
    file: "%s.zone"
    zonefile-sync: -1
    journal-content: none
{items}zone:
""")
            for number in range(1, self.count + 1):
                conf.write(f"  - domain: {domains.name(number)}\n")

    def disk(self):
        return machine.disk(self.zones.directory)

    def knotc(self, *args):
        """Runs knotc."""
        done = subprocess.run(
            [machine.program("knotc"), "-t", "600", "-s", str(self.directory / "run" / "knot.sock"), *args],
            capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"knotc {' '.join(args)}: {done.stdout}{done.stderr}")
        return done.stdout

    def change(self, new):
        self.zones.write(new)
        begin = time.monotonic()
        self.knotc("zone-reload")
        return begin


class Module(Knotd):
    """knotd with the module, which serves a store."""

    name = "mod-mail"
    module_items = ()

    def __init__(self, bench, directory, count, store):
        super().__init__(bench, directory, count, None)
        self.store = store

    def configure(self):
        items = "".join(f"    {item}\n" for item in self.module_items)
        (self.directory / "knot.conf").write_text(self.head() + f"""module:
  - id: mod-mail
    file: "{self.bench.module}"
mod-mail:
  - id: bench
    store: "{self.store.path}"
{items}template:
  - id: default
    storage: "{self.directory}"
    global-module: mod-mail/bench
""", encoding="ascii")

    def disk(self):
        return self.store.disk()

    def preference(self):
        return self.store.preference

    def change(self, new):
        begin = time.monotonic()
        self.store.change(new)
        return begin


class Store:
    """A store of the module with its tool."""

    def __init__(self, bench, path, policy=None):
        self.bench = bench
        self.path = path
        self.preference = domains.PREFERENCE
        # knotd as root gives up being allowed everything, so a store made by root must be root's.
        owner = ("--owner", "root:root") if os.geteuid() == 0 else ()
        self.run("init", *owner)
        conf = path.with_suffix(".conf")
        conf.write_text(policy or domains.policy_text(), encoding="ascii")
        self.run("apply", str(conf))

    def run(self, *args, **how):
        """Runs kmailctl and gives what it says."""
        done = subprocess.run([str(self.bench.tool), "-s", str(self.path), *args], text=True,
                              capture_output=True, check=False, **how)
        if done.returncode != 0:
            raise Failure(f"kmailctl {' '.join(args)}: {done.stdout}{done.stderr}")
        return done.stdout

    def load(self, count):
        """Imports the domains 1 to count on one core. Gives the seconds that it took."""
        path = self.path.with_suffix(".ndjson")
        with open(path, "w", encoding="ascii") as file:
            for text in domains.lines(count):
                file.write(text)
        core = {self.bench.cores[0]} if self.bench.cores else self.bench.all_cores
        begin = time.monotonic()
        self.run("import", str(path), preexec_fn=lambda: os.sched_setaffinity(0, core))
        seconds = time.monotonic() - begin
        path.unlink()
        return seconds

    def disk(self):
        """Octets that the data file takes on disk."""
        return machine.disk(self.path / "data.mdb")

    def change(self, new):
        """Gives the policy, and so all domains, another MX."""
        self.run("policy-set", "bench", f"mx={new} mail")
        self.preference = new

    def remove(self):
        """Frees the disk."""
        shutil.rmtree(self.path)


class Zones:
    """The zone files of a store's domains, as the tool exports them."""

    def __init__(self, directory, store):
        self.directory = directory
        self.store = store
        directory.mkdir()
        self.write(domains.PREFERENCE)

    def write(self, preference):
        """Writes all zones, with this preference in their MX."""
        if self.store.preference != preference:
            self.store.change(preference)
        self.store.run("export", "--format", "zone", "--directory", str(self.directory))

    def path(self, number):
        """The zone file of a domain."""
        return self.directory / f"{domains.name(number)}.zone"
