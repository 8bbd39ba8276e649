# SPDX-License-Identifier: GPL-3.0-or-later
"""bench/run: with tiny sizes it gives its table and its JSON, and it notices what is wrong."""

import json
import os
import socket
import subprocess
import sys

import pytest
from harness import ADDRESS, BUILD, MODULE, TOP, Knotd, Store, asan_library

BENCH = TOP / "bench"
sys.path.append(str(BENCH))

import domains  # noqa: E402
import measure  # noqa: E402
import report  # noqa: E402
import writes  # noqa: E402

SANITIZED = asan_library(MODULE) is not None


def bench(directory, *args):
    """Runs bench/run on the build under test."""
    # Started by root it goes on as nobody, in there.
    directory.chmod(0o755)
    env = os.environ | {"TMPDIR": str(directory), "MAIL_AS_NOBODY": "1"}
    return subprocess.run([str(BENCH / "run"), "--build", str(BUILD), *args], text=True,
                          capture_output=True, check=False, timeout=300, env=env)


def test_tiny(directory):
    """One short run with domains of all classes, beside knotd. A sanitized build is refused."""
    numbers = directory / "numbers.json"
    done = bench(directory, "--sizes", "45", "--peers", "knotd", "--runs", "1", "--seconds", "0.2",
                 "--no-instructions", "--json", str(numbers))
    if SANITIZED:
        assert done.returncode == 1 and "sanitize" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    found = json.loads(numbers.read_text())
    rows = {(row["system"], row["mix"], row["domains"]): row for row in found["rows"]}
    assert set(rows) == {("mod-mail", "customer", 45), ("knotd", "customer", 45), ("mod-mail", "plain", 45),
                         ("knotd", "plain", 45), ("floor", "customer", 1)}
    for row in rows.values():
        for kind in ("uniform", "zipf"):
            if kind in row:
                assert row[kind]["answered"] > 100, row
                assert (row[kind]["lost"], row[kind]["wrong"]) == (0, 0), row
    assert {row["mix"] for row in found["signed"]} == {"customer", "plain"}
    for row in found["signed"]:
        assert row["warm"]["answered"] > 100 and (row["warm"]["lost"], row["warm"]["wrong"]) == (0, 0), row
    costs = {row["what"]: row for row in found["writes"]["changes"]}
    assert len(costs) == len(writes.CHANGES) and all(3 < row["pages"] < 200 and row["octets"] > 8192
                                                     for row in costs.values()), costs
    assert all(row["lines"] > 0 for row in found["writes"]["imports"])
    asked = found["writes"]["answers"]
    assert asked["rate"] > 10 and asked["answered"] > 100 and (asked["lost"], asked["wrong"]) == (0, 0), asked
    many = rows["mod-mail", "plain", 45]
    assert many["allocations"] == 0
    assert 0 < many["start"] < 30 and 0 < many["commit"] < 30 and many["import"] > 10
    assert 1 <= many["pages"] < 20 and many["disk"] >= many["domain-octets"] >= 0
    assert many["private"] > 100000 and many["mapped"] > 0 and rows["knotd", "plain", 45]["disk"] > 1000
    assert found["machine"]["knot"] and found["machine"]["cores"] >= 1
    assert all(bar["met"] is None for bar in found["bars"] if "1,000" in bar["what"])
    for text in ("customer mix", "plain mix", "mod-mail ", "knotd, zones in memory", "knotd, refusing", "questions/s", "not measured"):
        assert text in done.stdout
    # Other numbers make other documents.
    status, said = publish(numbers)
    assert status == 1 and "README.md has other" in said and "bench.rst has other" in said and "Trace" not in said
    # Only what was asked for is left.
    assert sorted(path.name for path in directory.iterdir()) == ["numbers.json"]


def test_signed(directory):
    """Signed domains, few and short: right answers of all, and floods that come to an end."""
    numbers = directory / "numbers.json"
    done = bench(directory, "--dnssec", "--mix", "plain", "--sizes", "5", "--cold", "50", "--runs", "1", "--seconds", "0.2",
                 "--json", str(numbers))
    if SANITIZED:
        assert done.returncode == 1 and "sanitize" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    found = json.loads(numbers.read_text())
    rows = {(row["system"], row["algorithm"]): row for row in found["rows"]}
    assert len(rows) == 6
    for (system, _), row in rows.items():
        for state in ("warm", "cold") if system == "mod-mail" else ("warm",):
            assert row[state]["qps"]["median"] > 100, row
            assert (row[state]["lost"], row[state]["wrong"]) == (0, 0), row
        for part in row.get("flood", []) + row.get("report-flood", []):
            assert part["answered"] > 10 and (part["lost"], part["wrong"]) == (0, 0), row
    ours = rows["mod-mail", "ed25519"]
    assert ours["warm"]["signatures"] > 50 and ours["cold"]["signatures"]["median"] > 100
    assert ours["flood"][0]["made"] > 0 and ours["flood"][-1]["made"] == 0
    assert "openssl speed" in done.stdout and "below _report._dmarc" in done.stdout


def test_counts(directory):
    """Instructions alone: numbers of all that was asked for, and none of the module where it is not."""
    numbers = directory / "numbers.json"
    done = bench(directory, "--instructions", "--mix", "customer", "--peers", "knotd",
                 "--sizes", "45", "--quick", "--json", str(numbers))
    if SANITIZED:
        assert done.returncode == 1 and "sanitize" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    found = json.loads(numbers.read_text())["instructions"]
    for item, least, most in (("foreign", 500, 5000), ("zone-mode", 1, 500), ("refused", 0, 0), ("zone", 0, 0)):
        assert least <= found[item]["module"] <= most < found[item]["all"] + most, (item, found)
    rows = {(row["mix"], row["signed"]): row for row in found["mixes"]}
    assert len(rows) == 2
    for (_, signed), row in rows.items():
        cost = row["instructions"]
        assert 500 < cost["module"] < cost["all"] < 40000 and (signed or row["knotd"] > 1000), row
    assert "customer mix, signed" in done.stdout and "not ours, knotd refusing" in done.stdout
    done = bench(directory, "--zone-cost", "hit", "--quick", "--json", str(numbers))
    found = json.loads(numbers.read_text())["zone-cost"]
    assert done.returncode == (found["hit"]["percent"] > 4.5), done.stderr
    assert list(found) == ["hit"] and 0 < found["hit"]["percent"] < 10, found


def publish(numbers):
    """Compares the documents with the numbers of a file."""
    done = subprocess.run([str(BENCH / "publish"), "--check", str(numbers)], text=True, capture_output=True, check=False)
    return done.returncode, done.stderr


def test_documents_have_the_numbers():
    """What README.md and doc/bench.rst say was measured is what doc/bench.json has."""
    assert publish(TOP / "doc" / "bench.json") == (0, "")


def test_usage(directory):
    """Slips are named, with status 2."""
    for args, text in ((("--sizes", "0"), "at least 1"), (("--peers", "bind"), "knotd, nsd, pdns"),
                       (("--questions", "all"), "uniform, zipf"), (("--json",), "wants a value"),
                       (("--zone-cost", "miss"), "nxdomain-deep"), (("--what",), "--what"),
                       (("--dnssec", "--instructions"), "not allowed")):
        done = bench(directory, *args)
        assert done.returncode == 2 and text in done.stderr, (args, done.stderr)


@pytest.fixture(name="ask", scope="module")
def made_ask(tmp_path_factory):
    """The load generator."""
    path = tmp_path_factory.mktemp("ask") / "ask"
    subprocess.run(["cc", "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-o", str(path), str(BENCH / "ask.c"),
                    "-lm"], check=True)

    def run(port, mix, *args):
        file = path.with_name("mix")
        file.write_text(domains.mix_text(mix))
        return json.loads(subprocess.run(
            [str(path), "--port", str(port), "--mix", str(file), *map(str, args)], check=True, text=True,
            capture_output=True, timeout=120).stdout)
    return run


def test_ask_judges(tmp_path, ask):
    """Right answers are right; each thing that can be wrong with one is found."""
    store = Store(tmp_path)
    store.apply(domains.POLICY)
    store.load("".join(domains.plain_lines(20)))
    size = ("--domains", 20, "--count", 2000)
    with Knotd(store) as knotd:
        good = ask(knotd.port, domains.MIX, *size)
        assert good["answered"] == good["sent"] == 2000 and good["wrong"] == good["lost"] == 0, good
        good = ask(knotd.port, domains.MIX, *size, "--zipf", 1)
        assert good["answered"] == 2000 and good["wrong"] == 0, good
        good = ask(knotd.port, domains.FLOOD, *size)
        assert good["answered"] == 2000 and good["wrong"] == 0, good
        good = ask(knotd.port, domains.FOREIGN, *size, "--tail", domains.FOREIGN_TAIL)
        assert good["answered"] == 2000 and good["wrong"] == 0, good
        for kind in ((1, "-", domains.MX, domains.NXDOMAIN, 1, None),
                     (1, "-", domains.MX, domains.NOERROR, 2, None),
                     (1, "mail", domains.A, domains.NOERROR, 1, "c0000200"),
                     (1, "nothing", domains.A, domains.NOERROR, 0, None)):
            bad = ask(knotd.port, (kind,), *size)
            assert bad["answered"] == bad["wrong"] == 2000, (kind, bad)
        # Domains that are not there, among others that are.
        bad = ask(knotd.port, domains.MIX, "--domains", 40, "--count", 2000)
        assert 500 < bad["wrong"] < 1500, bad


def test_ask_counts_losses(ask):
    """A server that says nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((ADDRESS, 0))
        said = ask(silent.getsockname()[1], domains.FOREIGN, "--count", 50, "--window", 25, "--timeout",
                   0.1)
    assert said["sent"] == said["lost"] == 50 and said["answered"] == 0


def test_callgrind(tmp_path):
    """What calls into the module cost is told apart, with names given once and then by number."""
    path = tmp_path / "callgrind"
    path.write_text("""# callgrind format
positions: line
events: Ir

ob=(1) /usr/sbin/knotd
fl=(1) ???
fn=(1) answer
0 100
cob=(2) /x/module/.libs/mail.so
cfn=(2) hook
calls=3 0
0 4000
cfn=(3) other
calls=3 0
0 70
0 5

ob=(2)
fn=(2)
0 1000
cob=(3) /lib/libknot.so
cfn=(4) put
calls=3 0
0 3000

ob=(1)
fn=(5) more
0 1
cob=(2)
cfn=(2)
calls=1 0
0 500

totals: 9999
""")
    assert measure.callgrind(path, "mail.so") == {"all": 9999, "module": 4500}


def test_bars():
    """A bar is met, not met, or not measured."""
    def row(system, mix, size, qps, **more):
        return {"system": system, "mix": mix, "domains": size, "uniform": {"qps": {"median": qps}}} | more
    rows = [row("mod-mail", "plain", 1000, 120, commit=0.001, allocations=0), row("knotd", "plain", 1000, 100),
            row("mod-mail", "customer", 1000, 90, commit=0.003, allocations=0.5), row("knotd", "customer", 1000, 100)]
    found = {bar["what"]: bar for bar in report.bars(rows, {}, (lambda made: writes.add_bars(made, None),))}
    assert found["plain mix, questions/s of knotd with the same zones, 1,000 domains"]["met"] is True
    assert found["customer mix, questions/s of knotd with the same zones, 1,000 domains"]["met"] is False
    assert found["plain mix, questions/s of knotd with the same zones, 1,000,000 domains"]["met"] is None
    assert found["commit to first new answer, the slowest size"]["met"] is False
    assert found["allocations a question, the worst of both mixes"]["met"] is False
    assert found["answers lost while a thousand changes a second are written"]["met"] is None


def test_count_bars():
    """The worst size counts, and only the same number of domains is compared."""
    def row(mix, size, cost):
        return {"mix": mix, "domains": size, "instructions": {"all": cost}, "allocations": 0}
    made = report.Bars()
    report.count_bars(made, [row("plain", 1, 100), row("customer", 1, 105), row("plain", 1000, 100),
                             row("customer", 1000, 130), row("customer", 9, 900)], {})
    found = {bar["what"]: bar for bar in made.found}
    worst = found["instructions of the customer mix, of the plain mix, the worst size"]
    assert (worst["measured"], worst["met"]) == (1.3, False)
    assert found["allocations a question, the worst of both mixes"]["met"] is True
