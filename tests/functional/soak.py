# SPDX-License-Identifier: GPL-3.0-or-later
"""soak.py NAME SECONDS: a knotd under questions, writes, reloads and replaced stores.

Not a test of pytest's: scripts/soak runs it. Each answer must be right at any time; the memory of
knotd and the size of the data file may not grow from the middle of the run to its end by more than
a quarter. The last line begins with "ok" when all that held.
"""

import random
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))

from harness import Failure, Knotd, Store, rcode, rdata  # noqa: E402

DOMAINS = 2000
HOSTS = """
host:
  - id: ns1
    name: "ns1.provider.example."
    address: 192.0.2.53
policy:
  - id: many
    ns: "ns1.provider.example."
    mx: "10 mx.provider.example."
    dmarc: "p=none"
"""


def memory(process):
    """Resident memory in KiB."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise Failure("knotd has no memory")


class Asker(threading.Thread):
    """Asks all the time; whatever is wrong ends up in self.wrong."""

    def __init__(self, knotd, seed):
        super().__init__(daemon=True)
        self.knotd = knotd
        self.random = random.Random(seed)
        self.asked = 0
        self.wrong = None
        self.end = threading.Event()

    def run(self):
        try:
            while not self.end.is_set():
                self.ask()
                self.asked += 1
        except Exception as problem:  # noqa: BLE001 -- told by the main thread
            self.wrong = problem

    def ask(self):
        """One question whose answer does not depend on what is being written."""
        domain = f"d{self.random.randrange(DOMAINS)}.example"
        tcp = self.random.random() < 0.05
        if self.random.random() < 0.2:
            answer = self.knotd.ask(f"{self.random.getrandbits(64):x}.{domain}", "A", tcp=tcp)
            if rcode(answer) != "NXDOMAIN":
                raise Failure(f"a random name of {domain}: {answer}")
            return
        answer = self.knotd.ask(domain, "MX", tcp=tcp)
        exchanges = rdata(answer, "MX")
        if rcode(answer) != "NOERROR" or len(exchanges) != 1 or \
                not exchanges[0].endswith(" mx.provider.example."):
            raise Failure(f"MX of {domain}: {answer}")


def write(store, knotd, turn):
    """One write; every few turns something rougher."""
    store.run("policy-set", "many", f"mx={turn % 60000} mx.provider.example.")
    store.run("domain-set", f"d{turn % DOMAINS}.example", f"dmarc=p={('none', 'reject')[turn % 2]}")
    if turn % 10 == 5:
        knotd.reload()
    if turn % 25 == 24:
        copy = store.path.with_name(f"copy{turn}")
        store.run("backup", copy)
        # The lock file belongs to the data file that it was made for.
        (store.path / "lock.mdb").unlink()
        (copy / "data.mdb").replace(store.path / "data.mdb")
        shutil.rmtree(copy)


def soak(name, seconds):
    """The whole run; gives what its last line says."""
    directory = Path(tempfile.mkdtemp(prefix="mail-soak."))
    try:
        store = Store(directory)
        store.apply(HOSTS)
        store.load("".join(f'{{"kind":"domain","name":"d{i}.example","policy":"many"}}\n'
                           for i in range(DOMAINS)))
        with Knotd(store) as knotd:
            askers = [Asker(knotd, seed) for seed in range(2)]
            for asker in askers:
                asker.start()
            seen = []
            started = time.monotonic()
            turn = 0
            while time.monotonic() - started < seconds:
                write(store, knotd, turn)
                turn += 1
                for asker in askers:
                    if asker.wrong:
                        raise asker.wrong
                seen.append((memory(knotd.process), (store.path / "data.mdb").stat().st_size))
            for asker in askers:
                asker.end.set()
                asker.join()
                if asker.wrong:
                    raise asker.wrong
            asked = sum(asker.asked for asker in askers)
            half = len(seen) // 2
            before = [max(column) for column in zip(*seen[:half])]
            after = [max(column) for column in zip(*seen[half:])]
            what = f"{name}: {seconds} s, {asked} questions, {turn} writes; memory at most " \
                   f"{before[0]} KiB, then {after[0]} KiB; data file {before[1]}, then {after[1]}"
            if after[0] > before[0] * 1.25 or after[1] > before[1] * 1.25:
                return f"FAILED {what}"
            return f"ok {what}"
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    try:
        verdict = soak(sys.argv[1], int(sys.argv[2]))
    except Exception as problem:  # noqa: BLE001 -- the verdict is the last line
        verdict = f"FAILED {sys.argv[1]}: {problem}".replace("\n", " | ")
    print(verdict)
    sys.exit(0 if verdict.startswith("ok") else 1)
