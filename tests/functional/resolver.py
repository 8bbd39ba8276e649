# SPDX-License-Identifier: GPL-3.0-or-later
"""A validating unbound that asks servers of ours for their zones, and nobody else for anything.

    with Resolver(directory, {"example.org": knotd.port}, keys.anchors("example.org")) as unbound:
        answer = unbound.ask("example.org", "MX")
        assert secure(answer)
"""

import contextlib
import functools
import subprocess
import tempfile

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode

from harness import ADDRESS, PATIENCE, Failure, first_answer, free_port, poll, program

# What else can be asked of a validator to believe nothing. Not use-caps-for-id: after a lost answer its fall-back
# compares two answers, and ECDSA signatures that are not cached (below _report._dmarc) are never the same.
STRICT = ("harden-below-nxdomain", "aggressive-nsec", "qname-minimisation", "qname-minimisation-strict",
          "harden-dnssec-stripped", "harden-algo-downgrade")


def secure(answer):
    """Whether the validator says that all of an answer is proven."""
    return bool(answer.flags & dns.flags.AD)


@functools.cache
def patience():
    """Options of an unbound that answers however late: newer ones drop a question after 1.9 s, and say nothing."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as empty:
        empty.write("server:\n")
        empty.flush()
        knows = subprocess.run([program("unbound-checkconf"), "-o", "discard-timeout", empty.name],
                               capture_output=True, check=False).returncode == 0
    return "  discard-timeout: 0\n" if knows else ""


def ask_stub(port, question, timeout=PATIENCE, **how):
    """What unbound answers. Stubs ask again when they hear nothing."""
    for turn in range(3):
        try:
            return dns.query.udp_with_fallback(question, ADDRESS, port=port, timeout=timeout / 3, **how)[0]
        except dns.exception.Timeout:
            if turn == 2:
                raise


class Resolver:
    """unbound.

    stubs    {zone: port of the server that has it}; the root is port 1, where nobody is.
    anchors  Lines as "example.org. DS 12345 13 2 ...".
    strict   Whether all of STRICT is on, or off.
    clock    Clock that it lives by.
    """

    def __init__(self, directory, stubs, anchors, strict=True, clock=None):
        self.directory = tempfile.mkdtemp(prefix="unbound.", dir=directory)
        self.stubs, self.anchors, self.strict, self.clock = stubs, anchors, strict, clock
        self.port = self.process = None

    def configuration(self):
        """The text of the configuration file."""
        switch = "yes" if self.strict else "no"
        options = "".join(f"  {name}: {switch}\n" for name in STRICT)
        anchors = "".join(f'  trust-anchor: "{anchor}"\n' for anchor in self.anchors)
        zones = "".join(f'  local-zone: "{zone}." nodefault\n' for zone in self.stubs)
        stubs = "".join(f'stub-zone:\n  name: "{zone}."\n  stub-addr: {ADDRESS}@{port}\n'
                        f"  stub-prime: no\n" for zone, port in (self.stubs | {"": 1}).items())
        return f"""server:
  directory: "{self.directory}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  logfile: "{self.directory}/log"
  verbosity: 1
  val-log-level: 2
  interface: {ADDRESS}@{self.port}
  outgoing-interface: {ADDRESS}
  do-ip6: no
  do-not-query-localhost: no
  module-config: "validator iterator"
  num-threads: 1
  minimal-responses: no
  trust-anchor-signaling: no
  val-sig-skew-min: 0
  val-sig-skew-max: 0
  val-bogus-ttl: 1
  infra-host-ttl: 1
  max-udp-size: 4096
{options}{patience()}{anchors}{zones}{stubs}remote-control:
  control-enable: no
"""

    def __enter__(self):
        env = None
        if self.clock:
            env = {"PATH": "/usr/sbin:/usr/bin", "LD_PRELOAD": self.clock.library,
                   **self.clock.environment()}
        for _ in range(20):
            self.port = free_port()
            path = f"{self.directory}/unbound.conf"
            with open(path, "w", encoding="utf-8") as file:
                file.write(self.configuration())
            with open(f"{self.directory}/out", "wb") as out:
                self.process = subprocess.Popen([program("unbound"), "-d", "-c", path], env=env,
                                                stdin=subprocess.DEVNULL, stdout=out, stderr=out)
            try:
                if poll(self.is_up, "unbound's first answer") == "yes":
                    return self
            except BaseException:
                self.__exit__(True)
                raise
        raise Failure("no free port")

    def is_up(self):
        """Whether it answers: "yes"; "no": somebody else has the port."""
        if self.process.poll() is not None:
            if "Address already in use" in self.log():
                return "no"
            raise Failure(f"unbound ended with status {self.process.returncode}")
        return "yes" if first_answer(self.port, "localhost", "A") else None

    def __exit__(self, failed, *_):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=PATIENCE)
        if failed:
            print(self.log()[-20000:])

    def log(self):
        """What it has said."""
        found = ""
        for name in ("out", "log"):
            with contextlib.suppress(FileNotFoundError), \
                    open(f"{self.directory}/{name}", encoding="utf-8", errors="replace") as file:
                found += file.read()
        return found

    def ask(self, name, rrtype, timeout=PATIENCE):
        """What it answers a stub that wants to know whether it is secure."""
        question = dns.message.make_query(name, rrtype, use_edns=0, payload=4096)
        question.flags |= dns.flags.AD
        return ask_stub(self.port, question, timeout, one_rr_per_rrset=False)

    def check(self, name, rrtype, code="NOERROR"):
        """Asks; the answer must be secure. It is returned."""
        answer = self.ask(name, rrtype)
        if dns.rcode.to_text(answer.rcode()) != code or not secure(answer):
            raise Failure(f"{name} {rrtype}: expected {code}, secure\n{answer}\n{self.log()[-3000:]}")
        return answer
