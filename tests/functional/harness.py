# SPDX-License-Identifier: GPL-3.0-or-later
"""A knotd of our own and a store of our own, for the functional tests.

    with Knotd(store) as knotd:
        answer = knotd.ask("example.org", "MX")

The programs under test come from the build directory that $MAIL_BUILD names. When the module was
built with AddressSanitizer, knotd is started so that it works, and a report of it fails the test.
With $MAIL_VALGRIND set, knotd and kmailctl run under valgrind, and what it says fails the test.

Nothing here sleeps for a fixed time: poll() asks again until a deadline.
"""

import functools
import glob
import os
import pty
import pwd
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import termios
import time
from pathlib import Path

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("MAIL_BUILD", TOP / "build")).resolve()
MODULE = BUILD / "module" / ".libs" / "mail.so"
TOOL = BUILD / "tool" / "kmailctl"
VALGRIND = bool(os.environ.get("MAIL_VALGRIND"))
ADDRESS = "127.0.0.1"
# A machine that does other work besides, valgrind and sanitizers need patience.
PATIENCE = float(os.environ.get("MAIL_PATIENCE", "120" if VALGRIND else "30"))


class Failure(AssertionError):
    """Something that the test did not ask about has gone wrong."""


def program(name):
    """The path of a program of the system, also where PATH lacks the sbin directories."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin")
    if path is None:
        raise Failure(f"{name} is not installed (scripts/packages test)")
    return path


def knot_version():
    """The version of knotd, as (3, 2)."""
    text = subprocess.run([program("knotd"), "-V"], capture_output=True, text=True,
                          check=True).stdout
    return tuple(int(part) for part in re.search(r"(\d+)\.(\d+)", text).groups())


def rrl(limit):
    """A section mod-rrl/test that lets so many answers through at once, and slips all others."""
    # Since Knot 3.4 a limit of its own says how many may come at once, and there is one of the time that they take.
    burst = f"    instant-limit: {limit}\n    time-rate-limit: 0\n" if knot_version() >= (3, 4) else ""
    return f"mod-rrl:\n  - id: test\n    rate-limit: {limit}\n{burst}    slip: 1\n"


def poll(condition, what, patience=PATIENCE):
    """Calls condition until it gives something true, which is returned."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure(f"waited {patience:.0f} s in vain for {what}")
        time.sleep(0.02)


def first_answer(port, *question):
    """The answer of a server that may not be up yet, or None. A connected socket hears at once that nobody is there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(0.3)
        try:
            udp.connect((ADDRESS, port))
            udp.send(dns.message.make_query(*question).to_wire())
            return dns.message.from_wire(udp.recv(4096))
        except (dns.exception.DNSException, OSError):
            return None


@functools.cache
def asan_library(binary):
    """The soname of the gcc sanitizer library that a file was linked with, or None."""
    match = re.search(rb"libasan\.so\.\d+", Path(binary).read_bytes())
    return match.group().decode() if match else None


def is_sanitized():
    """Whether the module is. Then the sanitizer sees all answers made, and a test of very many looks into some of them: into
    all of them it looks where the module is a plain one."""
    return asan_library(MODULE) is not None


def free_port():
    """A port that nobody has now, neither for UDP nor for TCP.

    knotd shares a port with another knotd of the same user (SO_REUSEPORT), so it would not notice.
    Ports of the range that the system gives to clients are left alone.
    """
    while True:
        port = random.randrange(10240, 32000)
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, \
                    socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
                udp.bind((ADDRESS, port))
                tcp.bind((ADDRESS, port))
                return port
        except OSError:
            continue


class Clock:
    """A clock that knotd and kmailctl share and that the test moves (libfaketime)."""

    def __init__(self, directory, start):
        found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
        if not found:
            raise Failure("libfaketime is not installed (scripts/packages test)")
        self.library = found[0]
        self.file = Path(directory) / "clock"
        self.set(start)

    def set(self, when):
        """From now on it is when: seconds since 1970, and stays so."""
        text = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(when))
        part = self.file.with_suffix(".part")
        part.write_text(text + "\n")
        part.replace(self.file)
        self.now = int(when)

    def move(self, seconds):
        """Moves the clock."""
        self.set(self.now + seconds)

    def environment(self):
        """Variables of a process that lives by this clock."""
        return {"FAKETIME_TIMESTAMP_FILE": str(self.file), "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "TZ": "UTC"}


class Watched:
    """What knotd and kmailctl have in common: sanitizers, valgrind, the clock."""

    def __init__(self, directory, clock=None, preload=None):
        self.directory = Path(directory)
        self.clock = clock
        self.preload = preload

    def environment(self, binary=None):
        """The environment of a process; binary: the file that it loads by itself."""
        env = dict(os.environ)
        env.pop("KMAIL_STORE", None)
        # knotd of the tests runs as who runs the tests.
        env["KMAIL_USER"] = pwd.getpwuid(os.geteuid()).pw_name
        reports = self.directory / "report"
        env["ASAN_OPTIONS"] = f"log_path={reports}:detect_leaks={0 if self.clock else 1}" \
                              f":exitcode=99:suppressions="
        if os.environ.get("MAIL_ASAN_OPTIONS"):
            env["ASAN_OPTIONS"] += ":" + os.environ["MAIL_ASAN_OPTIONS"]
        env["UBSAN_OPTIONS"] = f"log_path={reports}:print_stacktrace=1"
        env["LSAN_OPTIONS"] = f"suppressions={Path(__file__).parent / 'leaks.txt'}" \
                              ":print_suppressions=0"
        if self.clock:
            # The allocator must not look at the clock: faketime's allocates when it is first looked at.
            env["ASAN_OPTIONS"] += ":allocator_release_to_os_interval_ms=-1"
        preload = []
        if binary and (library := asan_library(binary)):
            preload.append(library)
        if self.clock:
            preload.append(self.clock.library)
            env.update(self.clock.environment())
        if self.preload and binary:
            preload.append(str(self.preload))
        if preload:
            env["LD_PRELOAD"] = " ".join(preload)
        return env

    def command(self, args):
        """The command line, under valgrind when that is asked for."""
        if not VALGRIND:
            return args
        return ["valgrind", "-q", "--leak-check=full", "--show-leak-kinds=definite",
                "--errors-for-leak-kinds=definite", "--error-exitcode=98", "--num-callers=30",
                f"--suppressions={Path(__file__).parent / 'valgrind.supp'}",
                f"--log-file={self.directory}/report.%p"] + args

    def check_reports(self):
        """Fails when a sanitizer or valgrind has said something."""
        said = ""
        for report in sorted(self.directory.glob("report.*")):
            said += report.read_text(errors="replace")
            report.unlink()
        if said.strip():
            raise Failure(f"a report of the sanitizer or of valgrind:\n{said}")


class Store(Watched):
    """A store and the tool that fills it."""

    def __init__(self, directory, clock=None, init=True):
        super().__init__(Path(tempfile.mkdtemp(prefix="tool.", dir=directory)), clock)
        self.path = Path(directory) / "store"
        self.count = 0
        if init:
            self.init()

    def init(self, *args):
        """kmailctl init. Started by root, the store is root's: knotd does not become another user."""
        if os.geteuid() == 0 and "--owner" not in args:
            args = ("--owner", "root:root", *args)
        return self.run("init", *args)

    def run(self, *args, status=0, stdin=None):
        """Runs kmailctl; its exit status must be as expected (None: any)."""
        command = self.command([str(TOOL), "-s", str(self.path), *map(str, args)])
        done = subprocess.run(command, input=stdin, text=True, encoding="utf-8",
                              capture_output=True, timeout=PATIENCE * 10, check=False,
                              env=self.environment(TOOL if self.clock else None))
        self.check_reports()
        if status is not None and done.returncode != status:
            raise Failure(f"kmailctl {' '.join(map(str, args))}: exit status {done.returncode}, "
                          f"expected {status}\n{done.stdout}{done.stderr}")
        return done

    def terminal(self, *args, columns=80, question=None, reply=None):
        """Runs kmailctl on a terminal: its exit status, and all that the terminal showed.

        When it shows the question, what reply() gives is typed.
        """
        pid, terminal = pty.fork()
        if pid == 0:
            termios.tcsetwinsize(0, (24, columns))
            os.execve(TOOL, [str(TOOL), "-s", str(self.path), *map(str, args)], self.environment())
        shown = b""
        while select.select([terminal], [], [], PATIENCE)[0]:
            try:
                part = os.read(terminal, 4096)
            except OSError:
                part = b""
            if not part:
                break
            shown += part
            if question and question.encode() in shown:
                question = None
                os.write(terminal, reply())
        else:
            os.kill(pid, signal.SIGKILL)
        os.close(terminal)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        self.check_reports()
        return status, shown.decode().replace("\r\n", "\n")

    def file(self, text, suffix):
        """Writes text to a file of the next name."""
        self.count += 1
        path = self.directory / f"{self.count}{suffix}"
        path.write_text(text, encoding="utf-8")
        return path

    def apply(self, text, *args, status=0):
        """kmailctl apply of a text in the dialect."""
        return self.run("apply", *args, self.file(text, ".conf"), status=status)

    def load(self, text, *args, status=0):
        """kmailctl import of NDJSON."""
        return self.run("import", *args, self.file(text, ".ndjson"), status=status)


class Knotd(Watched):
    """A running knotd; at its end it must still live and nothing may have complained.

    store    Store that the module serves, or None: only what conf says.
    conf     Configuration besides what is always there. {directory} is the temporary directory.
    items    Further lines of the section of the module ("log-interval: 1").
    modules  What stands in global-module; None: no such template.
    confdb   The configuration is a database (for knotc conf-*).
    preload  A library that the process loads first, and prefix what stands before its command line.
    """

    def __init__(self, store=None, conf="", items=(), modules=("mod-mail/test",), confdb=False,
                 module=MODULE, directory=None, clock=None, preload=None, prefix=()):
        super().__init__(tempfile.mkdtemp(prefix="mail-knotd.", dir=directory),
                         clock or (store.clock if store else None), preload)
        self.prefix = list(prefix)
        self.store = store
        self.conf = conf
        self.items = items
        self.modules = modules
        self.confdb = confdb
        self.module = module
        self.port = None
        self.process = None
        self.expect_death = False

    # Configuration

    def configuration(self):
        """The text of the configuration file."""
        text = f"""server:
    rundir: "{self.directory}/run"
    listen: {ADDRESS}@{self.port}
    identity: "{self.identity()}"
    udp-workers: 2
    tcp-workers: 2
    background-workers: 1
log:
  - target: stderr
    any: debug
control:
    listen: "{self.directory}/run/knot.sock"
database:
    storage: "{self.directory}/db"
"""
        if self.module:
            text += f"""module:
  - id: mod-mail
    file: "{self.module}"
"""
        if self.store:
            text += f"""mod-mail:
  - id: test
    store: "{self.store.path}"
"""
            text += "".join(f"    {item}\n" for item in self.items)
        text += self.conf.replace("{directory}", str(self.directory))
        if self.store and self.modules:
            text += f"""template:
  - id: default
    storage: "{self.directory}/zones"
    global-module: [{", ".join(self.modules)}]
"""
        return text

    def identity(self):
        """What this knotd answers to id.server CH TXT, so that it is known to be this one."""
        return f"mail-test-{self.directory.name}"

    def write(self):
        """Writes the configuration file."""
        (self.directory / "knot.conf").write_text(self.configuration(), encoding="utf-8")

    def config_args(self):
        """How knotd and knotc find the configuration."""
        if self.confdb:
            return ["-C", str(self.directory / "confdb")]
        return ["-c", str(self.directory / "knot.conf")]

    # Life

    def __enter__(self):
        for name in ("run", "db", "zones"):
            (self.directory / name).mkdir(exist_ok=True)
        try:
            for _ in range(20):
                if self.start(free_port()):
                    return self
            raise Failure("no free port")
        except BaseException:
            self.kill()
            self.show_log()
            shutil.rmtree(self.directory, ignore_errors=True)
            raise

    def start(self, port=None):
        """Starts knotd and waits until it answers; False: the port belongs to somebody else."""
        self.port = port or self.port
        self.write()
        if self.confdb and not (self.directory / "confdb").exists():
            self.knotc("conf-import", str(self.directory / "knot.conf"), offline=True)
        with open(self.directory / "log", "ab") as log:
            log.write(f"-- start on port {self.port}\n".encode())
            log.flush()
            self.process = subprocess.Popen(
                self.prefix + self.command([program("knotd"), *self.config_args()]), stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, cwd=self.directory,
                env=self.environment(self.module if self.module else None))
        return poll(self.answers, "knotd's first answer") == "yes"

    def answers(self):
        """None: not yet; "no": the port is taken; "yes": it is up."""
        log = self.log().rpartition("-- start on port")[2]
        if "cannot bind address" in log:
            self.kill()
            return "no"
        if self.process.poll() is not None:
            raise Failure(f"knotd ended with status {self.process.returncode}")
        answer = first_answer(self.port, "id.server", "TXT", "CH")
        if answer is None:
            return None
        said = "".join(rr.to_text() for rrset in answer.answer for rr in rrset).strip('"')
        if said == self.identity():
            return "yes"
        self.kill()
        return "no"

    def __exit__(self, kind, value, traceback):
        failed = kind is not None
        try:
            self.stop()
            self.check_reports()
        except BaseException:
            failed = True
            self.kill()
            raise
        finally:
            if failed:
                self.show_log()
            shutil.rmtree(self.directory, ignore_errors=True)

    def stop(self):
        """Ends knotd as an operator would; it must have lived until then."""
        if self.process is None:
            return
        if not self.expect_death:
            status = self.process.poll()
            if status is not None:
                raise Failure(f"knotd had died with status {status}")
        self.process.terminate()
        try:
            status = self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired as late:
            raise Failure("knotd did not end within its time") from late
        self.process = None
        if status != 0 and not self.expect_death:
            self.check_reports()
            raise Failure(f"knotd ended with status {status}")

    def restart(self):
        """Stops and starts it, on the same port."""
        self.stop()
        if not self.start():
            raise Failure(f"port {self.port} was taken meanwhile")

    def kill(self):
        """Ends the process in any case."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def log(self):
        """All that knotd has said."""
        path = self.directory / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def show_log(self):
        """Prints the log, which pytest shows with a failure."""
        print(f"---- knotd, port {self.port}")
        print(self.log())
        print("----")

    def wait_log(self, text, count=1):
        """Waits until the log has a text that often."""
        poll(lambda: self.log().count(text) >= count, f"'{text}' in knotd's log")

    # Talking to it

    def knotc(self, *args, status=0, offline=False):
        """Runs knotc; its exit status must be as expected (None: any). Its output is returned."""
        where = self.config_args()
        if not offline:
            where = ["-s", str(self.directory / "run" / "knot.sock")]
        env = self.environment(self.module if self.module else None)
        # knotc loads the module too when it reads the configuration itself.
        env["ASAN_OPTIONS"] += ":detect_leaks=0"

        def talk():
            """One run; None: knotd answers questions already, but has no control socket yet."""
            done = subprocess.run([program("knotc"), *where, *args], text=True, capture_output=True,
                                  env=env, timeout=PATIENCE * 2, check=False)
            lives = not offline and self.process is not None and self.process.poll() is None
            return None if lives and "failed to connect to socket" in done.stderr else done

        done = poll(talk, "knotd's control socket")
        if status is not None and done.returncode != status:
            raise Failure(f"knotc {' '.join(args)}: exit status {done.returncode}\n"
                          f"{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def reload(self):
        """Writes the configuration anew and has knotd read it."""
        self.write()
        self.knotc("reload")

    def stats(self, item="mod-mail"):
        """The counters, as a dictionary of name to number."""
        found = {}
        for line in self.knotc("stats", item).splitlines():
            match = re.match(r"\s*([^\s=]+)\s*=\s*(\d+)\s*$", line)
            if match:
                found[match.group(1)] = int(match.group(2))
        return found

    def question(self, name, rrtype="A", rrclass="IN", payload=1232, do=False, edns=True, rd=False,
                 options=None):
        """A question that can be asked; name may be a dns.name.Name."""
        question = dns.message.make_query(name, rrtype, rrclass)
        question.flags = dns.flags.RD if rd else 0
        if edns:
            question.use_edns(0, dns.flags.DO if do else 0, payload, options=options)
        else:
            question.use_edns(False)
        return question

    def ask(self, name, rrtype="A", tcp=False, timeout=None, **how):
        """Asks and gives the answer, whatever its rcode; over UDP without going on to TCP."""
        question = self.question(name, rrtype, **how)
        query = dns.query.tcp if tcp else dns.query.udp
        return query(question, ADDRESS, port=self.port, timeout=timeout or PATIENCE / 3)


# Reading answers

def rdata(answer, rrtype=None, section="answer"):
    """The RDATA of a section as sorted texts, of one type or of all."""
    wanted = dns.rdatatype.from_text(rrtype) if rrtype else None
    return sorted(rr.to_text() for rrset in getattr(answer, section)
                  if wanted in (None, rrset.rdtype) for rr in rrset)


def texts(answer):
    """The TXT records of the answer section, their <character-string>s joined."""
    return sorted(b"".join(rr.strings).decode() for rrset in answer.answer
                  if rrset.rdtype == dns.rdatatype.TXT for rr in rrset)


def rcode(answer):
    """The rcode's name."""
    return dns.rcode.to_text(answer.rcode())


def has(answer, flag):
    """Whether a flag is set: "AA", "TC"."""
    return bool(answer.flags & dns.flags.from_text(flag))


def ede(answer):
    """The Extended DNS Errors, as (code, text)."""
    return [(int(option.code), option.text or "") for option in answer.options
            if option.otype == dns.edns.OptionType.EDE]
