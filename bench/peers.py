# SPDX-License-Identifier: GPL-3.0-or-later
"""Name servers of another make: NSD, and PowerDNS with its LMDB backend."""

import http.client
import json
import signal
import time
from pathlib import Path

import domains
import machine
from machine import ADDRESS, Failure
from servers import Server

# Zones that one run of pdnsutil loads: their names fit into a command line.
LOAD = 5000
# Seconds that PowerDNS may change domains one by one; the rest is calculated.
CHANGE_SECONDS = 10


def installed():
    """Return why a peer cannot be measured, by its name; empty: it can."""
    backend = any(Path(path, "liblmdbbackend.so").exists() for path in Path("/usr/lib").glob("*/pdns"))
    return {
        "knotd": "",
        "nsd": "" if machine.program("nsd") else "not installed (Debian package nsd)",
        "pdns": "" if machine.program("pdns_server") and backend else
                "not installed (Debian packages pdns-server, pdns-backend-lmdb)",
    }


class Nsd(Server):
    """NSD with one server process and zones from zone files."""

    name = "nsd"

    def command(self):
        return [machine.program("nsd"), "-d", "-c", str(self.directory / "nsd.conf")]

    def configure(self):
        with open(self.directory / "nsd.conf", "w", encoding="ascii") as conf:
            conf.write(f"""server:
    server-count: 1
    ip-address: {ADDRESS}@{self.port}
    username: ""
    chroot: ""
    database: ""
    zonesdir: "{self.zones.directory}"
    zonelistfile: "{self.directory}/zone.list"
    pidfile: "{self.directory}/nsd.pid"
    xfrdfile: "{self.directory}/xfrd.state"
    xfrdir: "{self.directory}"
    logfile: "{self.directory}/log"
    verbosity: 0
    rrl-ratelimit: 0
    rrl-whitelist-ratelimit: 0
remote-control:
    control-enable: no
pattern:
    name: bench
    zonefile: "%s.zone"
""")
            conf.writelines(f"zone:\n    name: {domains.name(number)}\n    include-pattern: bench\n"
                            for number in range(1, self.count + 1))

    def change(self, new):
        self.zones.write(new)
        begin = time.monotonic()
        self.process.send_signal(signal.SIGHUP)
        return begin


class PowerDns(Server):
    """PowerDNS with LMDB; the packet cache is off or on."""

    def __init__(self, bench, count, zones, loaded=None):
        """loaded: the server without the cache, whose database this one serves with the cache."""
        super().__init__(bench, count, zones, loaded.directory if loaded else None)
        self.cached = cached = loaded is not None
        self.load_seconds = loaded.load_seconds if loaded else 0
        self.name = "pdns-cache" if cached else "pdns"
        self.api_port = None

    def command(self):
        return [machine.program("pdns_server"), f"--config-dir={self.directory}", "--daemon=no",
                "--guardian=no"]

    def settings(self, sync):
        """Return what server and pdnsutil have in common."""
        return f"""launch=lmdb
lmdb-filename={self.directory}/data/pdns.lmdb
lmdb-sync-mode={sync}
"""

    def configure(self):
        self.api_port = machine.free_port()
        cache = "" if self.cached else "cache-ttl=0\nquery-cache-ttl=0\nnegquery-cache-ttl=0\n"
        (self.directory / "pdns.conf").write_text(self.settings("sync") + f"""{cache}local-address={ADDRESS}
local-port={self.port}
socket-dir={self.directory}
receiver-threads=1
distributor-threads=1
reuseport=no
security-poll-suffix=
setuid=
setgid=
chroot=
disable-axfr=yes
loglevel=3
api=yes
api-key=bench
webserver=yes
webserver-address={ADDRESS}
webserver-port={self.api_port}
webserver-allow-from={ADDRESS}
webserver-loglevel=none
""", encoding="ascii")

    def pdnsutil(self, *args):
        """Run pdnsutil on the database."""
        machine.run(machine.program("pdnsutil"), f"--config-dir={self.directory}/load", *args, cwd=self.directory)

    def load(self, limit):
        """Fill the database from the zone files, if that takes less than so many seconds."""
        (self.directory / "data").mkdir(exist_ok=True)
        (self.directory / "load").mkdir(exist_ok=True)
        (self.directory / "load" / "pdns.conf").write_text(self.settings("nosync"), encoding="ascii")
        begin = time.monotonic()
        for low in range(1, self.count + 1, LOAD):
            numbers = range(low, min(low + LOAD, self.count + 1))
            self.pdnsutil("load-zone", *(word for number in numbers for word in (
                domains.name(number), self.zones.path(number))))
            # Without it PowerDNS does not know the names that have but children.
            self.pdnsutil("rectify-zone", *(domains.name(number) for number in numbers))
            passed = time.monotonic() - begin
            part = min(low + LOAD - 1, self.count) / self.count
            if passed / part > limit:
                raise Failure(f"loading takes about {passed / part:.0f} s, more than {limit:.0f} s")
        self.load_seconds = time.monotonic() - begin

    def disk(self):
        return machine.disk(self.directory / "data")

    def change(self, new):
        """Change domains one by one, as its API has it, until time is over. Return (domains, seconds)."""
        api = http.client.HTTPConnection(ADDRESS, self.api_port, timeout=60)
        begin = time.monotonic()
        number = 0
        while number < self.count and time.monotonic() - begin < CHANGE_SECONDS:
            number += 1
            name = domains.name(number)
            body = json.dumps({"rrsets": [{
                "name": name + ".", "type": "MX", "ttl": 3600, "changetype": "REPLACE",
                "records": [{"content": f"{new} mail.{name}.", "disabled": False}]}]})
            api.request("PATCH", f"/api/v1/servers/localhost/zones/{name}.", body,
                        {"X-API-Key": "bench", "Content-Type": "application/json"})
            answer = api.getresponse()
            answer.read()
            if answer.status != 204:
                raise Failure(f"the API of PowerDNS says {answer.status} {answer.reason}")
        api.close()
        return number, time.monotonic() - begin
