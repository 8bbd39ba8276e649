# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration of the module: what knotd and knotc accept, and what a change does."""

import subprocess
from pathlib import Path

import pytest

from harness import MODULE, Knotd, Store, rcode, rdata

POLICY = """
policy:
  - id: plain
    ns: [ ns1.example.net., ns2.example.net. ]
    mx: "10 mx.example.net."
domain:
"""


def domains(*names):
    """The dialect of domains that follow one policy."""
    return POLICY + "".join(f"  - id: {name}\n    policy: plain\n" for name in names)


def stores(directory):
    """Two empty stores."""
    (directory / "a").mkdir()
    (directory / "b").mkdir()
    return Store(directory / "a"), Store(directory / "b")


def check(directory, section, modules="mod-mail/test"):
    """What knotc conf-check says to a file with a section of the module: status and output."""
    knotd = Knotd(directory=directory, conf=section + f"""
template:
  - id: default
    global-module: [{modules}]
""")
    knotd.port = 12345
    knotd.write()
    said = knotd.knotc("conf-check", offline=True, status=None)
    return "Configuration is valid" in said, said


ACCEPTED = [
    "store: /nonexistent/store",
    "store: \"/nonexistent/with space\"",
    "key-directory: /nonexistent/keys",
    "policy: business",
    "policy: Business_1.x-y",
    "signature-cache: 1M",
    "signature-cache: 64M",
    "signature-cache: 5G",
    "signature-budget: 0",
    "signature-budget: 1000000",
    "log-interval: 1",
    "log-interval: 1d",
    "zone-stats: on",
    "zone-stats: off",
    'comment: "the shared store"',
]


@pytest.mark.parametrize("item", ACCEPTED)
def test_accepted(directory, item):
    """Each of these values is fine, whatever is there on the disk."""
    good, said = check(directory, f"mod-mail:\n  - id: test\n    {item}\n")
    assert good, said


REFUSED = [
    ("store: \"\"", "an absolute path is needed"),
    ("store: mail", "an absolute path is needed"),
    ("store: ./mail", "an absolute path is needed"),
    ("store: /" + "x" * 5000, "invalid parameter"),
    ("key-directory: keys", "an absolute path is needed"),
    ("key-directory: \"\"", "an absolute path is needed"),
    ("policy: \"a b\"", "the id of a policy"),
    ("policy: \"\"", "the id of a policy"),
    ("policy: " + "x" * 64, "the id of a policy"),
    ("signature-cache: 1000", "out of range"),
    ("signature-cache: -1", "out of range"),
    ("signature-budget: -1", "out of range"),
    ("log-interval: 0", "out of range"),
    ("log-interval: 86401", "out of range"),
    ("zone-stats: maybe", "invalid"),
    ("shop: /srv", "invalid item"),
]


@pytest.mark.parametrize("item,reason", REFUSED, ids=[item[:30] for item, _ in REFUSED])
def test_refused(directory, item, reason):
    """Each of these values is refused, with a reason."""
    good, said = check(directory, f"mod-mail:\n  - id: test\n    {item}\n")
    assert not good
    assert reason in said, said


def test_check_creates_nothing(directory):
    """conf-check often runs as root: it must leave no file behind."""
    place = directory / "there"
    place.mkdir()
    good, said = check(directory, f"mod-mail:\n  - id: test\n    store: {place}/store\n"
                                  f"    key-directory: {place}/keys\n")
    assert good, said
    assert list(place.iterdir()) == []


def test_without_section(directory):
    """The module needs no section: everything has a default."""
    good, said = check(directory, "", modules="mod-mail")
    assert good, said
    good, said = check(directory, "", modules="mod-mail/test")
    assert not good and "invalid module reference" in said, said


def test_conf_set(directory):
    """knotc conf-set changes the module of a running knotd, and refuses what conf-check refuses."""
    first, second = stores(directory)
    first.apply(domains("example.org"))
    second.apply(domains("example.com"))
    with Knotd(first, confdb=True) as knotd:
        assert rdata(knotd.ask("example.org", "MX")) == ["10 mx.example.net."]
        assert rcode(knotd.ask("example.com", "MX")) == "REFUSED"

        knotd.knotc("conf-begin")
        knotd.knotc("conf-set", "mod-mail[test].store", str(second.path))
        knotd.knotc("conf-set", "mod-mail[test].log-interval", "5")
        knotd.knotc("conf-commit")
        assert f"mod-mail[test].store = {second.path}" in knotd.knotc("conf-read", "mod-mail")
        assert rcode(knotd.ask("example.org", "MX")) == "REFUSED"
        assert rdata(knotd.ask("example.com", "MX")) == ["10 mx.example.net."]

        knotd.knotc("conf-begin")
        knotd.knotc("conf-set", "mod-mail[test].store", "relative", status=1)
        assert "an absolute path is needed" in knotd.log()
        knotd.knotc("conf-abort")
        assert rdata(knotd.ask("example.com", "MX")) == ["10 mx.example.net."]


def test_conf_unset_and_set(directory):
    """The module goes and comes by configuration alone; its thread does not outlive it."""
    store = Store(directory)
    store.apply(domains("example.org"))
    with Knotd(store, confdb=True) as knotd:
        assert rcode(knotd.ask("example.org", "MX")) == "NOERROR"
        assert threads(knotd) == 1
        knotd.knotc("conf-begin")
        knotd.knotc("conf-unset", "template[default].global-module")
        knotd.knotc("conf-commit")
        assert rcode(knotd.ask("example.org", "MX")) == "REFUSED"
        assert threads(knotd) == 0
        assert mapped(knotd) == 0
        knotd.knotc("conf-begin")
        knotd.knotc("conf-set", "template[default].global-module", "mod-mail/test")
        knotd.knotc("conf-commit")
        assert rcode(knotd.ask("example.org", "MX")) == "NOERROR"
        assert threads(knotd) == 1


def threads(knotd):
    """How many threads of the module the process has."""
    tasks = Path(f"/proc/{knotd.process.pid}/task")
    return sum(1 for task in tasks.iterdir()
               if (task / "comm").read_text().strip() == "mod-mail")


def mapped(knotd):
    """How many different stores the process has mapped."""
    maps = Path(f"/proc/{knotd.process.pid}/maps").read_text().splitlines()
    return len({line.split()[4] for line in maps if line.endswith("store/data.mdb")})


def test_same_store_twice(directory):
    """Two sections that name one store share its environment and its thread."""
    store = Store(directory)
    store.apply(domains("example.org"))
    with Knotd(store, modules=("mod-mail/test", "mod-mail/again", "mod-mail/link"),
               conf=f"  - id: again\n    store: {store.path}\n"
                    f"  - id: link\n    store: {store.path}/../store\n") as knotd:
        assert rcode(knotd.ask("example.org", "MX")) == "NOERROR"
        assert threads(knotd) == 2
        assert mapped(knotd) == 1
        knotd.reload()
        knotd.reload()
        assert rcode(knotd.ask("example.org", "MX")) == "NOERROR"
        assert threads(knotd) == 2
        assert mapped(knotd) == 1


def test_two_stores(directory):
    """Two instances with a store each: both serve their domains, and count for themselves."""
    first, second = stores(directory)
    first.apply(domains("example.org"))
    second.apply(domains("example.com"))
    with Knotd(first, modules=("mod-mail/test", "mod-mail/other"),
               conf=f"  - id: other\n    store: {second.path}\n") as knotd:
        assert rcode(knotd.ask("example.org", "MX")) == "NOERROR"
        assert rcode(knotd.ask("example.com", "MX")) == "NOERROR"
        assert rcode(knotd.ask("example.net", "MX")) == "REFUSED"
        # Of a section that is named, knotd shows the first instance only.
        said = knotd.knotc("stats")
        assert said.count("outcome[answer] = 1") == 2, said


def test_exports_one_symbol():
    """knotd looks for one symbol; nothing else may get into its name space."""
    said = subprocess.run(["nm", "-D", "--defined-only", str(MODULE)], capture_output=True,
                          text=True, check=True).stdout
    names = [line.split()[2] for line in said.splitlines() if not line.split()[2].startswith("__")]
    assert names == ["knotd_mod_api"]
