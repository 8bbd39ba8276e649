# SPDX-License-Identifier: GPL-3.0-or-later
"""Who owns what kmailctl makes: whoever runs it, with any umask, knotd as knot:knot can serve the store.

The tests become other users, and need root and Debian's user knot.
"""

import contextlib
import fcntl
import grp
import os
import pwd
import re
import shutil
import stat
import struct
import subprocess

import pytest
from harness import MODULE, TOOL, Knotd, Store, poll

KNOT = "knot"
MEMBER, STRANGER = 54321, 54322  # Nobody has to know their names.
CONF = """
policy:
  - id: p
    ns: ns1.example.net.
domain:
  - id: example.org
    policy: p
"""
DOMAIN = '{"kind": "domain", "id": "example.org", "policy": "p"}\n'


class Place:
    """A directory as Debian's /var/lib/knot, and kmailctl run there as somebody."""

    def __init__(self, directory, mode=0o770):
        self.gid = grp.getgrnam(KNOT).gr_gid
        self.top = directory / "lib"
        self.top.mkdir(mode=0o700)
        os.chown(self.top, 0, self.gid)
        self.top.chmod(mode)
        for path in (self.top, *self.top.parents):
            if path != path.parent and not path.stat().st_mode & 0o001 and path != self.top:
                path.chmod(path.stat().st_mode | 0o011)
        self.store = self.top / "mail"
        # A build tree may be closed for others.
        self.tool = directory / "kmailctl"
        shutil.copy(TOOL, self.tool)
        self.module = directory / "mail.so"
        shutil.copy(MODULE, self.module)

    def run(self, *args, user=0, umask=0o022, status=0, store=None, env=None):
        """Runs kmailctl as root, as a member of group knot, or as somebody else."""
        more = {}
        if user != 0:
            more = {"user": user, "group": user, "extra_groups": [self.gid] if user == MEMBER else []}
        if user == KNOT:
            more = {"user": KNOT, "group": KNOT, "extra_groups": []}
        variables = {key: value for key, value in os.environ.items() if not key.startswith("KMAIL_")}
        done = subprocess.run([self.tool, "-s", store or self.store, *map(str, args)], text=True, cwd="/",
                              capture_output=True, umask=umask, check=False, env={**variables, **(env or {})}, **more)
        assert status in (None, done.returncode), done.stdout + done.stderr
        return done

    def fill(self, user=0, umask=0o022):
        """A signed domain: what there is to read."""
        conf = self.top.parent / "store.conf"
        conf.write_text(CONF)
        self.run("apply", conf, user=user, umask=umask)
        self.run("key-generate", "k", user=user, umask=umask)
        self.run("policy-set", "p", "key-set=k", user=user, umask=umask)


def mode(path):
    """Mode and group of a file."""
    st = path.stat()
    return stat.S_IMODE(st.st_mode), st.st_gid


@pytest.fixture
def place(directory):
    """The place, with the mode that Debian gives it."""
    return Place(directory)


@contextlib.contextmanager
def served(place, **more):
    """A knotd that becomes user knot, as Debian's does."""
    class Debian(Knotd):
        """Its configuration names the user."""

        def configuration(self):
            return super().configuration().replace("server:\n", "server:\n    user: knot:knot\n", 1)

    store = Store(place.top, init=False)
    store.path = place.store
    knotd = Debian(store, module=place.module, directory=place.top.parent, **more)
    uid = pwd.getpwnam(KNOT).pw_uid
    for name in ("run", "db", "zones"):
        (knotd.directory / name).mkdir(exist_ok=True)
        os.chown(knotd.directory / name, uid, place.gid)
    os.chown(knotd.directory, uid, place.gid)
    with knotd:
        yield knotd


def test_writers_of_all_users_take_turns(place):
    """No file has to be made for that: a directory may be root's alone to write."""
    place.run("init", "--owner", "root:knot")
    place.fill()
    place.store.chmod(0o2750)
    for user in (0, MEMBER, KNOT):
        with open(place.store / "data.mdb", "r+b") as data:
            # doc/mail-store.rst: this process has the turn since a second after 1970.
            fcntl.fcntl(data, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, (1 << 60) - 1, 1 + os.getpid(), 0))
            done = place.run("domain-set", "a.example", "policy=p", "--wait", "0", user=user, status=1)
            assert f"the store is busy: another writer (pid {os.getpid()}, since 1970-01-0" in done.stderr
        place.run("domain-set", f"d{user}.example", "policy=p", "--wait", "10", user=user)
    # Whoever only reads is not concerned.
    assert "cannot begin" not in place.run("domain-list", user=MEMBER).stderr


def answered(knotd):
    """Whether the signed domain is answered."""
    answer = knotd.ask("example.org", "SOA", do=True)
    return answer.rcode() == 0 and len(answer.answer) == 2


@pytest.mark.parametrize("umask", [0, 0o022, 0o027, 0o077])
@pytest.mark.parametrize("user", [0, MEMBER])
def test_knotd_serves_what_anybody_makes(place, user, umask):
    """init, apply, key-generate by root or by a member of group knot: knotd as knot:knot answers, signed."""
    assert "warning" not in place.run("init", user=user, umask=umask).stderr
    place.fill(user, umask)
    assert mode(place.store) == (0o2770, place.gid)
    assert mode(place.store / "keys") == (0o2770, place.gid)
    for name in ("data.mdb", "lock.mdb"):
        assert mode(place.store / name) == (0o660, place.gid)
    key, = (place.store / "keys").iterdir()
    assert mode(key) == (0o640, place.gid)
    # Root and each member can go on, and check finds nothing wrong with the files.
    for other in (0, MEMBER, KNOT):
        place.run("domain-set", f"d{other}.example", "policy=p", user=other, umask=umask)
        assert "error: store" not in place.run("check", user=other).stdout
        place.run("key-generate", f"k{other}", user=other, umask=umask)
    with served(place) as knotd:
        assert answered(knotd)


def test_key_made_by_root_where_the_store_has_another_group(place):
    """The owner of the store is the owner of a key that root makes: knotd may read it in any case."""
    place.run("init", "--owner", f"{KNOT}:0")
    place.fill()
    key, = (place.store / "keys").iterdir()
    assert key.stat().st_uid == pwd.getpwnam(KNOT).pw_uid
    assert "error" not in place.run("check").stdout.replace("0 errors", "")


@pytest.mark.parametrize("user", [0, MEMBER])
def test_backup_takes_the_place_of_the_store(place, user):
    """Both ways of the documentation, word by word, while knotd answers."""
    place.run("init", user=user, umask=0o077)
    place.fill(user)
    new = place.top / "mail.new"
    assert "warning" not in place.run("backup", new, user=user, umask=0o077).stderr
    assert mode(new) == (0o2770, place.gid)
    assert mode(new / "data.mdb") == (0o660, place.gid)
    with served(place) as knotd:
        assert answered(knotd)
        # The file alone.
        place.run("domain-unset", "example.org")
        poll(lambda: knotd.ask("example.org", "SOA").rcode() != 0, "the domain to go")
        (place.store / "lock.mdb").unlink()
        (new / "data.mdb").rename(place.store / "data.mdb")
        poll(lambda: answered(knotd), "the backup to be served")
        # The whole directory, with the keys.
        new.rmdir()
        place.run("backup", new, user=user)
        place.run("domain-unset", "example.org")
        poll(lambda: knotd.ask("example.org", "SOA").rcode() != 0, "the domain to go")
        (place.store / "keys").rename(new / "keys")
        place.store.rename(place.top / "mail.old")
        new.rename(place.store)
        poll(lambda: answered(knotd), "the backup to be served")
    assert "error" not in place.run("check").stdout.replace("0 errors", "")


def test_backup_into_a_directory_of_somebody_else(place):
    """What knotd could not enter is said, with what to type, and then it is so."""
    place.run("init")
    new = place.top / "copy"
    new.mkdir(mode=0o700)
    said = place.run("backup", new).stderr
    command = re.search(r"chgrp \S+ \S+ && chmod 2770 \S+", said).group()
    subprocess.run(command, shell=True, check=True)
    assert mode(new) == (0o2770, place.gid)


def test_stranger_is_told(place):
    """Who is not in group knot cannot make a store that knotd can serve: init says what to type."""
    place.top.chmod(0o777)
    said = place.run("init", user=STRANGER).stderr
    command = re.search(r"chgrp knot \S+ && chmod 2770 \S+", said).group()
    assert f"user {KNOT}" in said and "may not enter" in said
    done = place.run("check", status=1)
    assert f"{command}\n" in done.stdout and "0 errors" not in done.stdout
    # Root does what is said, file by file, until nothing is left.
    for _ in range(6):
        done = place.run("check", status=None)
        commands = re.findall(r"^error: store .*: (ch\S+ .*)$", done.stdout, re.M)
        if not commands:
            break
        for command in commands:
            subprocess.run(command, shell=True, check=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("break_it, said", [
    (lambda p: os.chown(p.store, 0, 0), "may not enter"),
    (lambda p: os.chown(p.store / "data.mdb", 0, 0), "may not read"),
    (lambda p: (p.store / "data.mdb").chmod(0o600), "may not read"),
    (lambda p: os.chown(p.store / "lock.mdb", 0, 0), "may not read and write"),
    (lambda p: (p.store / "lock.mdb").chmod(0o640), "may not read and write"),
    (lambda p: (p.store / "keys").chmod(0o700), "may not enter"),
    (lambda p: p.top.chmod(0o700), "may not pass"),
    (lambda p: os.chown(next((p.store / "keys").iterdir()), 0, 0), "cannot be read by the user"),
    (lambda p: p.store.chmod(0o2775), "everybody may look into"),
    (lambda p: (p.store / "keys").chmod(0o2750), "members of the group"),
], ids=["directory", "data", "data-mode", "lock", "lock-mode", "keys", "parent", "key", "open", "old-keys"])
def test_check_sees_as_knotd_does(place, break_it, said):
    """check as root looks with the eyes of user knot."""
    place.run("init")
    place.fill()
    assert "0 errors" in place.run("check").stdout
    break_it(place)
    done = place.run("check", status=None)
    assert said in done.stdout, done.stdout + done.stderr
    assert done.returncode == (1 if "error: store" in done.stdout else 0)
    # Another user may be the one to look with.
    done = place.run("check", env={"KMAIL_USER": "root"})
    assert "may not" not in done.stdout


def test_zone_files_are_for_who_may_enter_the_directory(place):
    """export --directory, with any umask: owner and group of the directory, and never closed to its group."""
    place.run("init")
    place.fill()
    zones = place.top / "zones"
    zones.mkdir()
    os.chown(zones, pwd.getpwnam(KNOT).pw_uid, place.gid)
    for others, expected in ((0o750, 0o640), (0o755, 0o644)):
        zones.chmod(others)
        place.run("export", "--format", "zone", "--directory", zones, "example.org", umask=0o077)
        st = (zones / "example.org.zone").stat()
        assert stat.S_IMODE(st.st_mode) == expected
        assert (st.st_uid, st.st_gid) == (pwd.getpwnam(KNOT).pw_uid, place.gid)


def test_private_dkim_key_is_for_who_made_it(place):
    """dkim-generate --out: 0600 whatever the umask; nothing that knotd needs."""
    place.run("init")
    place.fill()
    out = place.top.parent / "dkim.pem"
    place.run("dkim-generate", "example.org/s1", "--algorithm", "ed25519", "--out", out, umask=0)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
