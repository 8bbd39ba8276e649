# SPDX-License-Identifier: GPL-3.0-or-later
"""What README.md and doc/first-day.rst tell a newcomer to type, typed on a fresh Debian: run by scripts/newcomer.

In README.md an indented block is what is to be typed, or a part of knot.conf, or, after the word "prints", what is
then seen.  In first-day.rst a line that begins with $ or # is to be typed.
"""

import fcntl
import os
import re
import socket
import struct
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
CONF = Path("/etc/knot/knot.conf")
ZONE = Path("/var/lib/knot/example.net.zone")
# A web site's zone, as somebody may have it who then reads "Beside a zone of your own".
ZONE_TEXT = """@ 3600 SOA ns1.example.com. hostmaster.example.net. 1 7200 3600 1209600 300
@ 3600 NS ns1.example.com.
www 3600 A 192.0.2.80
"""
# The unit of Debian's package: knotd as the user knot, which may have port 53; and no init.
SYSTEMCTL = """#!/bin/sh
[ "$1 $2" = "restart knot" ] || { echo "systemctl: $* is not played here" >&2; exit 1; }
[ ! -e /run/knotd.pid ] || { kill "$(cat /run/knotd.pid)"; while [ -e "/proc/$(cat /run/knotd.pid)" ]; do sleep 0.05; done; }
install -d -o knot -g knot /run/knot
cd /
as_knot="setpriv --reuid=knot --regid=knot --init-groups --ambient-caps=+net_bind_service --inh-caps=+net_bind_service"
$as_knot /usr/sbin/knotc conf-check >/dev/null || exit 1
# One that died is nobody's child and would stay in /proc: so a process in between waits for it.
(
	$as_knot /usr/sbin/knotd -m 512 >/dev/null 2>&1 </dev/null 9>&- &
	echo $! >/run/knotd.pid
	wait $!
) >/dev/null 2>&1 </dev/null &
for i in $(seq 100); do
	knotc status >/dev/null 2>&1 && exit 0
	sleep 0.05
done
echo "systemctl: knotd does not start" >&2
exit 1
"""

# There is no journal, and a system without init has no iproute2, which every other Debian has.
PLAYED = {"journalctl": "test \"$*\" = '-u knot'", "ss": "test \"$*\" = -lnup"}
# What does not succeed on a good first day, and what it says.
NOT_YET = {"kmailctl ds example.org": "no DS before"}

passed = failed = 0
log = []


def verdict(good, what, said=""):
    """Counts; says what failed, and knotd's log."""
    global passed, failed  # pylint: disable=global-statement
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f"FAILED: {what}\n{textwrap.indent(said, '    ')}")
        print(textwrap.indent("\n".join(log[-20:]), "    knotd: "))


def shell(line):
    """Runs a line as a newcomer's shell does; gives the status and what was said."""
    done = subprocess.run(["bash", "-c", line], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          cwd="/root", check=False, timeout=60)
    return done.returncode, done.stdout


def follow_log():
    """Keeps what knotd says: Debian's knot.conf has it say so to syslog."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    Path("/dev/log").unlink(missing_ok=True)
    sock.bind("/dev/log")
    os.chmod("/dev/log", 0o666)

    def read():
        while True:
            log.append(re.sub(r"^<\d+>", "", sock.recv(8192).decode("utf-8", "replace")).strip())
    threading.Thread(target=read, daemon=True).start()


def loopback_up():
    """The loopback of a new network is down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, 0x8914, struct.pack("16sh22x", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: UP, RUNNING


def blocks(path, begin, end):
    """The indented blocks between two lines of a page: (commands, conf or prints; the text)."""
    text = path.read_text(encoding="utf-8")
    part = text[text.index(begin):text.index(end)]
    found = []
    for before, block in re.findall(r"(\S[^\n]*)\n\n((?:    [^\n]*\n|\n(?=    ))+)", part):
        block = textwrap.dedent(block)
        kind = "commands"
        if before == "prints":
            kind = "prints"
        elif re.match(r"[a-z-]+:\n", block):
            kind = "conf"
        found.append((kind, block))
    return found


def configure(block):
    """Adds the lines of a part of knot.conf to the sections and entries that it has already."""
    lines = CONF.read_text(encoding="utf-8").splitlines()
    at = 0
    for line in filter(None, block.splitlines()):
        begins = not line.startswith(" ") or line.startswith("  - ")
        if not line.startswith(" "):
            # The section of a module stands before what names it.
            at = 0 if line.startswith("mod-") else len(lines)
            same = [i for i, have in enumerate(lines) if have == line]
        else:
            same = [i for i, have in enumerate(lines) if have == line and i >= at]
        if begins and same:
            at = same[0] + 1
            continue
        # knot.conf may have the item as a comment.
        comment = [i for i, have in enumerate(lines) if have.startswith(f"#{line.split(':')[0]}:") and i >= at]
        if not begins and comment:
            del lines[comment[0]]
        lines.insert(at, line)
        at += 1
    CONF.write_text("\n".join(lines) + "\n", encoding="utf-8")


def type_all(path, begin, end):
    """Does what a part of a page says."""
    said = ""
    for kind, block in blocks(path, begin, end):
        if kind == "conf":
            configure(block)
        elif kind == "prints":
            verdict(said == block, f"{path.name}: this is printed:\n{block}", said)
        else:
            for line in block.replace("\\\n", " ").splitlines():
                status, said = shell(line)
                verdict(status == 0 and "warning" not in said, f"{path.name}: {line}", f"status {status}\n{said}")


def ask(name, rrtype):
    """What knotd answers, in short; or its RCODE."""
    _, said = shell(f"kdig @127.0.0.1 {name} {rrtype} +time=2 +retry=1")
    status = re.search(r"status: (\w+)", said)
    records = re.findall(rf"^\S+\s+\d+\s+IN\s+{rrtype}\s+(.*)$", said, flags=re.M)
    return records or (status.group(1) if status else said)


def is_answered(name, rrtype, expected, patience=5):
    """Whether a question gets an answer, at the latest in some seconds: what is reloaded takes a moment."""
    deadline = time.monotonic() + patience
    while ask(name, rrtype) != expected and time.monotonic() < deadline:
        time.sleep(0.1)
    verdict(ask(name, rrtype) == expected, f"{name} {rrtype}: {expected}", str(ask(name, rrtype)))


def first_domain():
    """README.md, "Your first domain"."""
    type_all(TOP / "README.md", "## Your first domain", "## Beside a zone of your own")
    is_answered("example.net", "MX", ["10 mx.example.com."])
    is_answered("_dmarc.example.net", "TXT", ['"v=DMARC1; p=reject; rua=mailto:postmaster@example.net"'])
    verdict(isinstance(ask("example.net", "DNSKEY"), list), "the domain is signed", str(ask("example.net", "DNSKEY")))
    private = Path("/root/example.net.s1.pem").stat()
    verdict(private.st_mode & 0o7777 == 0o600 and private.st_uid == 0, "only root may read the private DKIM key")
    # What README says of the store and of the DNSSEC keys.
    for path in ["/var/lib/knot/mail/data.mdb", *Path("/var/lib/knot/mail/keys").glob("*.pem")]:
        status, said = shell(f"setpriv --reuid=knot --regid=knot --init-groups cat {path} >/dev/null")
        verdict(status == 0, f"knot may read {path}", said)
        status, said = shell(f"setpriv --reuid=nobody --regid=nogroup --clear-groups cat {path}")
        verdict(status != 0, f"nobody may not read {path}")


def own_zone():
    """README.md, "Beside a zone of your own"."""
    shell("kmailctl policy-unset business key-set --force")
    ZONE.write_text(ZONE_TEXT, encoding="utf-8")
    configure("zone:\n  - domain: example.net\n")
    shell("knotc reload")
    is_answered("_dmarc.example.net", "TXT", "NXDOMAIN")
    text = (TOP / "README.md").read_text(encoding="utf-8")
    assert text.count("To override one record") == 1
    type_all(TOP / "README.md", "## Beside a zone of your own", "To override one record")
    is_answered("_dmarc.example.net", "TXT", ['"v=DMARC1; p=reject; rua=mailto:postmaster@example.net"'])
    type_all(TOP / "README.md", "To override one record", "## How a question travels")
    is_answered("_dmarc.example.net", "TXT", ['"v=DMARC1; p=none"'])
    is_answered("www.example.net", "A", ["192.0.2.80"])
    # "To turn the module off, take the line out again and reload."
    shell("knotc zone-begin example.net; knotc zone-unset example.net _dmarc; knotc zone-commit example.net")
    CONF.write_text(CONF.read_text(encoding="utf-8").replace("    module: mod-mail\n", ""), encoding="utf-8")
    shell("knotc reload")
    is_answered("_dmarc.example.net", "TXT", "NXDOMAIN")
    # "... forgets at the next reload what knotc conf-set has set, although each command says OK".
    for line in ("conf-begin", "conf-set 'zone[example.net].module' mod-mail", "conf-commit"):
        verdict(shell(f"knotc {line}") == (0, "OK\n"), f"knotc {line} says OK")
    shell("knotc reload")
    is_answered("_dmarc.example.net", "TXT", "NXDOMAIN")


def type_page(begin, end):
    """Types the commands of a part of first-day.rst."""
    text = (TOP / "doc" / "first-day.rst").read_text(encoding="utf-8")
    part = text[text.index(begin):text.index(end) if end else None]
    lines = re.findall(r"^ +[$#] (.*)$", part, flags=re.M)
    for line in lines:
        status, said = shell(line)
        if line in NOT_YET:
            verdict(status == 1 and NOT_YET[line] in said, f"first-day.rst: {line}", f"status {status}\n{said}")
        else:
            verdict(status == 0, f"first-day.rst: {line}", f"status {status}\n{said}")
    verdict(lines, f"first-day.rst has commands behind: {begin}")


def first_day():
    """doc/first-day.rst, where all is well: for a hosted domain, and for a zone."""
    configure("mod-mail:\n  - id: hosting\n    store: /var/lib/knot/mail\n")
    CONF.write_text(CONF.read_text(encoding="utf-8").replace("global-module: mod-mail\n", "global-module: mod-mail/hosting\n"),
                    encoding="utf-8")
    verdict(shell("kmailctl policy-set business key-set=shared && kmailctl domain-set example.org policy=business")[0] == 0,
            "a domain for first-day.rst")
    verdict(shell("systemctl restart knot")[0] == 0, "knotd restarts")
    is_answered("example.org", "MX", ["10 mx.example.com."])
    zone = "Nothing is added to my zone\n---"
    type_page("Begin with one command", zone)
    type_page("Unsigned\n---", None)
    ZONE.with_name("example.org.zone").write_text(ZONE_TEXT, encoding="utf-8")
    configure("zone:\n  - domain: example.org\n    module: mod-mail/hosting\n")
    shell("knotc reload")
    is_answered("_dmarc.example.org", "TXT", ['"v=DMARC1; p=quarantine; rua=mailto:postmaster@example.org"'])
    is_answered("www.example.org", "A", ["192.0.2.80"])
    type_page(zone, "Unsigned\n---")
    status, said = shell("knotc zone-read example.org | kmailctl records example.org --zone -")
    verdict(status == 0 and "_dmarc" in said and "192.0.2.80" not in said, "what is added, and nothing else", said)


def play(name, text):
    """Puts a program into the place of one that a system without init has not."""
    path = Path("/usr/local/bin") / name
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def main():
    """All of it."""
    loopback_up()
    follow_log()
    play("systemctl", SYSTEMCTL)
    for name, condition in PLAYED.items():
        play(name, f"#!/bin/sh\n{condition}\n")
    first_domain()
    own_zone()
    first_day()
    bad = [line for line in log if re.search(r"\b(error|critical)\b", line) and "failed to open" not in line]
    verdict(not bad, "knotd has no error in its log", "\n".join(bad))
    print(f"{passed} passed, {failed} failed")
    return failed > 0 or passed < 30


if __name__ == "__main__":
    sys.exit(main())
