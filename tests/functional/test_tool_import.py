# SPDX-License-Identifier: GPL-3.0-or-later
"""kmailctl import and export."""

import json
import signal
import subprocess

import pytest
from harness import PATIENCE, TOOL, Store, poll
from test_tool_apply import state
from test_tool_status import CONF

POLICY = '{"kind":"policy","id":"p","ns":["ns1.example.net."],"mx":["10 mail.example.net."]}\n'


def domain(number, policy="p"):
    """A line of a domain."""
    return f'{{"kind":"domain","name":"d{number:06}.example","policy":"{policy}"}}\n'


def names(store):
    """The domains of a store."""
    return [line.split()[0] for line in store.run("domain-list").stdout.splitlines()]


RICH = [
    {"kind": "certificate", "id": "web", "current": ["3 1 1 " + "ab" * 32], "form": ["3 1 1"]},
    {"kind": "host", "id": "mail", "name": "mail", "address": ["192.0.2.1", "2001:db8::1"],
     "certificate": ["web"], "tlsa-port": [25, 465]},
    {"kind": "policy", "id": "z-base", "ns": ["ns1.example.net."], "ttl": 300},
    {"kind": "policy", "id": "a-top", "base": "z-base", "host": ["mail"], "mx": ["10 mail"],
     "dmarc": {"p": "reject", "rua": "mailto:a@{domain}"}, "txt": ["quote \" and \\ and ünïcode"]},
    {"kind": "domain", "name": "zz.example", "policy": "a-top", "+spf": ["include:x.example"], "srv": None,
     "record": ["www A 192.0.2.80"], "no-mail": False},
    {"kind": "domain", "name": "aa.example", "alias": "zz.example"},
    {"kind": "dkim", "id": "zz.example/s1", "key": "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U=",
     "publish": "2026-01-01T00:00:00Z", "revoke": True, "retire": "2026-06-01T00:00:00Z"},
    {"kind": "dkim", "id": "policy:a-top/p1", "cname": "p1.keys.example.net."},
]


def test_export_import_export_is_the_identity(store, directory):
    """Every section; and what an entry refers to comes before it, so that batches of one line work."""
    store.load("".join(json.dumps(entry) + "\n" for entry in RICH))
    first = store.run("export").stdout
    assert first.count("\n") == len(RICH) + 2
    for args in ((), ("--batch", "1"), ("--keep-going", "--rejects", directory / "rejects")):
        (directory / f"x{len(args)}").mkdir()
        other = Store(directory / f"x{len(args)}")
        other.load(first, *args)
        assert other.run("export").stdout == first
        assert other.load(first).stderr == \
            f"{len(RICH) + 2} lines: 0 added, 0 changed, 0 deleted, {len(RICH) + 2} unchanged\n"
    assert (directory / "rejects").read_text(encoding="utf-8") == ""
    # Nothing is lost or put in another way than it was written.
    exported = {(entry["kind"], entry.get("name") if entry["kind"] == "domain" else entry["id"]): entry
                for entry in map(json.loads, first.splitlines())}
    for entry in RICH:
        name = entry["name"] if entry["kind"] == "domain" else entry["id"]
        assert exported[entry["kind"], name] == entry


def test_export_of_domains_and_sections(store):
    """A domain comes with its own keys; --section leaves out the rest."""
    store.load("".join(json.dumps(entry) + "\n" for entry in RICH))
    lines = [json.loads(line) for line in store.run("export", "zz.example").stdout.splitlines()]
    assert [line.get("id", line.get("name")) for line in lines] == ["zz.example", "zz.example/s1"]
    kinds = [json.loads(line)["kind"] for line in
             store.run("export", "--section", "host", "--section", "dkim").stdout.splitlines()]
    assert kinds == ["host", "dkim", "dkim"]


BAD = [
    ("{\n", ""),
    ('{"kind":"domain","name":"x.example","policy":"p","mxx":["10 a"]}\n', "mxx"),
    ('{"kind":"domain","name":"x.example","policy":"nix"}\n', "nix"),
    ('{"kind":"domain","name":"x..example","policy":"p"}\n', "x..example"),
    ('{"kind":"nix","id":"x"}\n', "nix"),
    ('{"kind":"domain","name":"x.example"}\n', "policy"),
    ('[]\n', ""),
    ('{"kind":"policy","id":"p","deleted":true}\n', "p"),
]


@pytest.mark.parametrize("line,word", BAD)
def test_bad_line_leaves_the_store_as_it_was(store, line, word):
    """FILE:LINE: reason; nothing of the lines before and behind is there."""
    before = state(store)
    file = store.file(POLICY + domain(1) + line + domain(2), ".ndjson")
    done = store.run("import", file, status=1)
    message = done.stderr.splitlines()[0]
    if "deleted" not in line:
        assert message.startswith(f"kmailctl: {file}:3: "), message
    assert word in message
    assert "nothing was changed" in done.stderr
    assert state(store) == before


def test_deleted_blank_lines_and_dos_line_ends(store):
    """What else a line can be."""
    store.load(POLICY + domain(1) + "\n" + domain(2).replace("\n", "\r\n") + domain(3).rstrip("\n"))
    assert names(store) == ["d000001.example", "d000002.example", "d000003.example"]
    store.load('{"kind":"domain","name":"d000002.example","deleted":true}\n')
    assert names(store) == ["d000001.example", "d000003.example"]


def test_batch_commits_a_prefix_and_says_how_to_go_on(store):
    """The line with which --skip goes on, exactly."""
    good = POLICY + "".join(domain(i) for i in range(1, 25))
    bad = good + domain(25, "nix") + "".join(domain(i) for i in range(26, 30))
    file = store.file(bad, ".ndjson")
    done = store.run("import", "--batch", "10", file, status=1)
    assert f"{file}:26:" in done.stderr
    assert "go on with --skip 20" in done.stderr
    assert names(store) == [f"d{i:06}.example" for i in range(1, 20)]
    file.write_text(bad.replace('"nix"', '"p"'), encoding="utf-8")
    done = store.run("import", "--batch", "10", "--skip", "20", file)
    assert done.stderr == "30 lines: 10 added, 0 changed, 0 deleted, 0 unchanged\n"
    assert names(store) == [f"d{i:06}.example" for i in range(1, 30)]


def test_keep_going_leaves_out_the_bad_lines_only(store, directory):
    """The rejects are the lines themselves; what refers to a later line is taken in the end."""
    late = '{"kind":"policy","id":"late","ns":["ns1.example.net."]}\n'
    bad = [domain(3, "nix"), '{"kind":"dom"}\n', "nonsense\n"]
    text = POLICY + domain(1) + bad[0] + domain(2, "late") + bad[1] + late + bad[2] + domain(4)
    rejects = directory / "rejects"
    done = store.load(text, "--keep-going", "--rejects", rejects, status=1)
    assert rejects.read_text(encoding="utf-8") == "".join(bad)
    *errors, last = done.stderr.splitlines()
    assert [line.split(":")[2] for line in errors] == ["3", "5", "7"]
    assert ", 3 refused" in last
    assert names(store) == ["d000001.example", "d000002.example", "d000004.example"]
    # The file must be new, and the two options belong together.
    store.load(text, "--keep-going", "--rejects", rejects, status=1)
    store.load(text, "--keep-going", status=2)
    store.load(text, "--rejects", directory / "other", status=2)


DELETED = [("policy", "id", "p"), ("domain", "name", "t.example"), ("domain", "name", "a.example"),
           ("dkim", "id", "t.example/s1"), ("dkim", "id", "policy:p/s1")]


@pytest.mark.parametrize("args", [[], ["--keep-going"]])
@pytest.mark.parametrize("order", range(len(DELETED)))
def test_deletions_in_any_order(store, directory, args, order):
    """What others name goes together with them, whichever line comes first: its keys, too."""
    key = '"key":"N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="'
    store.load(POLICY + '{"kind":"domain","name":"t.example","policy":"p"}\n'
               '{"kind":"domain","name":"a.example","alias":"t.example"}\n'
               f'{{"kind":"dkim","id":"t.example/s1",{key}}}\n{{"kind":"dkim","id":"policy:p/s1",{key}}}\n')
    lines = [json.dumps({"kind": kind, member: name, "deleted": True}) + "\n"
             for kind, member, name in DELETED[order:] + DELETED[:order]]
    rejects = ["--rejects", directory / "rejects"] if args else []
    assert " 5 deleted" in store.load("".join(lines), *args, *rejects).stderr
    assert store.run("domain-list").stdout == "" and store.run("dkim-list").stdout == ""
    assert "policy p does not exist" in store.run("policy-show", "p", status=1).stderr
    # What was not there before is a slip, as ever.
    slip = ["--keep-going", "--rejects", directory / "slips"] if args else []
    done = store.load('{"kind":"dkim","id":"t.example/s1","deleted":true}\n', *slip, status=1)
    assert "dkim t.example/s1 does not exist" in done.stderr


def test_keep_going_leaves_the_keys_of_what_stays(store, directory):
    """A domain or policy that is in use is not deleted, and neither are its keys."""
    key = '"key":"N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="'
    store.load(POLICY + '{"kind":"domain","name":"t.example","policy":"p"}\n'
               '{"kind":"domain","name":"a.example","alias":"t.example"}\n'
               f'{{"kind":"dkim","id":"t.example/s1",{key}}}\n{{"kind":"dkim","id":"policy:p/s2",{key}}}\n')
    before = store.run("export").stdout
    done = store.load('{"kind":"domain","name":"t.example","deleted":true}\n'
                      '{"kind":"policy","id":"p","deleted":true}\n',
                      "--keep-going", "--rejects", directory / "rejects", status=1)
    assert "domain t.example is in use" in done.stderr and "policy p is in use" in done.stderr
    assert store.run("export").stdout == before


def test_keep_going_undoes_what_a_refused_line_did(store, directory):
    """An entry that is changed for the worse stays as it was."""
    store.load(POLICY + domain(1))
    before = store.run("export").stdout
    store.load(domain(1, "nix") + '{"kind":"policy","id":"p","deleted":true}\n',
               "--keep-going", "--rejects", directory / "rejects", status=1)
    assert store.run("export").stdout == before


class Import:
    """An import that waits for input, after it has taken what it was given."""

    def __init__(self, store, text, *args):
        # A pipe holds 64 KiB: more than that must have been read by the tool when write() returns.
        self.process = subprocess.Popen([TOOL, "-s", store.path, "import", *args, "-"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=store.environment())
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def end(self, number):
        """Ends it by a signal. Returns status and what it said."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, (out + err).decode()


MANY = POLICY + "".join(domain(i) for i in range(5000))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_killed_import_leaves_the_old_state(store, number):
    """And the next writer is not kept waiting."""
    store.apply(CONF)
    before = state(store)
    status, said = Import(store, MANY).end(number)
    assert status == -number
    if number != signal.SIGKILL:
        assert "interrupted" in said
        assert "nothing was changed" in said
    assert state(store) == before
    store.run("domain-set", "example.org", "no-mail")
    store.run("check")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_killed_import_in_batches_leaves_a_prefix(store, number):
    """Whole batches, from the first line on."""
    running = Import(store, MANY, "--batch", "100")
    poll(lambda: len(names(store)) > 300, "the first batches")
    running.end(number)
    count = len(names(store))
    assert count % 100 == 99
    assert names(store) == [f"d{i:06}.example" for i in range(count)]
    store.load(MANY, "--skip", str(count + 1))
    assert len(names(store)) == 5000


def test_silent_in_a_pipe(store):
    """No progress where nobody looks."""
    done = store.load(MANY, "--quiet")
    assert done.stderr == done.stdout == ""
    assert store.run("export").stderr == ""
    assert store.run("check").stderr == ""


def test_full_map_is_named_with_its_remedy(directory):
    """A store that is too small: nothing is written, and the message says what to do."""
    store = Store(directory, init=False)
    store.run("init", "--map-size", "1M")
    before = state(store)
    done = store.load(MANY + "".join(domain(i) for i in range(5000, 30000)), status=1)
    assert "--map-size" in done.stderr
    assert state(store) == before
