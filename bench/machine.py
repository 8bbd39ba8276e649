# SPDX-License-Identifier: GPL-3.0-or-later
"""What the machine is, and what it says about processes, files and ports."""

import os
import platform
import random
import re
import shutil
import socket
import subprocess
from pathlib import Path

ADDRESS = "127.0.0.1"
TICK = os.sysconf("SC_CLK_TCK")


class Failure(RuntimeError):
    """A measurement went wrong; the reason is for people."""


def program(name):
    """Return the path of a program, or None."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin")


def run(*command, cores=None, env=None, **how):
    """Run a program to its end, on some cores or on all, and return what it prints. env: what its environment has besides.
    """
    command = [str(word) for word in command]
    how["env"] = os.environ | (env or {})
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None, **how)
    if done.returncode != 0:
        raise Failure(f"{' '.join(command[:8])}: {done.stdout[-500:]}{done.stderr[-500:]}")
    return done.stdout


def version(*command):
    """Return the first number with a dot that a program prints about its version."""
    if program(command[0]) is None:
        return None
    done = subprocess.run([program(command[0]), *command[1:]], capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+[\w.-]*", done.stdout + done.stderr)
    return found.group() if found else "?"


def facts():
    """Return what a reader of the numbers wants to know about where they come from."""
    cpu = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    return {
        "cpu": cpu.group(1) if cpu else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": platform.release(),
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", "?"),
        "knot": version("knotd", "-V"),
        "nsd": version("nsd", "-v"),
        "pdns": version("pdns_server", "--version"),
        "commit": os.environ.get("BENCH_COMMIT"),
    }


def free_memory():
    """Return the octets that new processes can have."""
    text = Path("/proc/meminfo").read_text(encoding="ascii")
    return int(re.search(r"MemAvailable:\s*(\d+)", text).group(1)) * 1024


def free_disk(path):
    """Return the octets, and the files, that can still be written there."""
    stat = os.statvfs(path)
    return stat.f_bavail * stat.f_frsize, stat.f_favail or 1 << 60


def free_port():
    """Return a port of loopback that nobody has now, neither for UDP nor for TCP."""
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


def pin(process, cores):
    """Tie all threads of a process to cores."""
    for task in Path(f"/proc/{process}/task").iterdir():
        try:
            os.sched_setaffinity(int(task.name), cores)
        except ProcessLookupError:
            pass


def family(process):
    """Return a process and all its children."""
    found = [process]
    for task in Path(f"/proc/{process}/task").iterdir():
        try:
            children = (task / "children").read_text(encoding="ascii").split()
        except OSError:
            continue
        for child in children:
            found += family(int(child))
    return found


def memory(process):
    """Return the (private, mapped) octets of one process.

    private: its own memory; what a fork shares with its parent counts for each in part, so that the sum
    over both is right. mapped: pages of files that it shares with the page cache (LMDB); they can be
    dropped at any time, so they are told apart, though the kernel calls them private while one process
    alone maps them.
    """
    own = mapped = 0
    shared = anonymous = False
    for line in Path(f"/proc/{process}/smaps").read_text(encoding="utf-8", errors="replace").splitlines():
        field, _, rest = line.partition(":")
        if " " in field:
            words = line.split()
            is_file = len(words) > 5 and words[5].startswith("/")
            shared, anonymous = words[1].endswith("s") and is_file, not is_file
        elif field == "Rss" and shared:
            mapped += int(rest.split()[0]) * 1024
        elif field == "Pss" and anonymous or field in ("Private_Clean", "Private_Dirty") and not shared \
                and not anonymous:
            own += int(rest.split()[0]) * 1024
    return own, mapped


def cpu_time(process):
    """Return the (user, system) seconds of one process so far."""
    text = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace")
    fields = text.rpartition(")")[2].split()
    return int(fields[11]) / TICK, int(fields[12]) / TICK


def disk(path):
    """Return the octets that a file or all files of a directory take on the disk."""
    if not os.path.isdir(path):
        return os.stat(path).st_blocks * 512
    total = 0
    with os.scandir(path) as entries:
        for entry in entries:
            total += disk(entry.path) if entry.is_dir(follow_symlinks=False) else \
                entry.stat(follow_symlinks=False).st_blocks * 512
    return total
