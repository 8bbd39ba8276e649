# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation: nothing of the code is missing in it, and its examples are true.

In doc/*.rst a comment before a literal block says what the block is an example of:

    .. example: dialect             accepted by kmailctl apply, after those before it in the file
    .. example: ndjson              accepted by kmailctl import, after those before it
    .. example: records DOMAIN      records that the domain then has, exactly
"""

import os
import re
import shlex
import subprocess
import textwrap

import pytest

from harness import BUILD, MODULE, TOP, Store, asan_library, free_port, program

DOC = TOP / "doc"
PAGES = sorted(DOC.glob("*.rst"))
NAMES = [page.name for page in PAGES]
SAMPLES = sorted((TOP / "samples").glob("*.conf"))


def code(path):
    """A source file."""
    return (TOP / path).read_text(encoding="utf-8")


def page(name):
    """A page of the documentation."""
    return (DOC / name).read_text(encoding="utf-8")


def sections(text, underline):
    """The titles that are underlined with a character, and the text below each."""
    parts = re.split(rf"^(\S.*)\n{re.escape(underline)}+\n", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def examples(text):
    """The marked literal blocks, as (what, block)."""
    found = re.findall(r"^\.\. example: (.+)\n\n::\n\n((?:[ ]+\S.*\n|\n)+)", text, flags=re.M)
    assert len(found) == text.count(".. example:")
    return [(what, textwrap.dedent(block).strip("\n") + "\n") for what, block in found]


# What the code has

def kinds():
    """The names of the table of kinds."""
    table = code("lib/plan/kinds.c").partition("mail_kinds[] = {")[2].partition("\n};")[0]
    found = re.findall(r'\.name = "([a-z0-9-]+)",', table)
    found += ["srv-" + name for name in re.findall(r'\bSRV\(\w+, "([a-z0-9]+)"\)', table)]
    assert len(found) >= 30 and len(set(found)) == len(found)
    return found


def items():
    """The table of items: (number, name, sections, type, list)."""
    numbers = dict(re.findall(r"\b(MAIL_ITEM_[A-Z_]+) = (\d+)", code("include/mail/item.h")))
    table = code("lib/model/item.c").partition("mail_items[] = {")[2].partition("\n};")[0]
    rows = []
    for number, name, where, kind, rest in re.findall(
            r'\{ (MAIL_ITEM_\w+), "([a-z-]+)", ([^,]+), MAIL_TYPE_(\w+)(.*?)\.help', table, re.S):
        where = where.replace("IN_BOTH", "IN(POLICY) | IN(DOMAIN)")
        ref = re.search(r"\.ref = MAIL_SECTION_(\w+)", rest)
        rows.append((int(numbers[number]), name, section_names(re.findall(r"IN\((\w+)\)", where)),
                     kind + (" " + section_names([ref.group(1)])[0] if ref else ""),
                     "LIST" in rest))
    assert len(rows) == len(numbers) - 1  # MAIL_ITEM_MAX is none
    return rows


def section_names(words):
    """Names of sections, from the code's names."""
    return [word.lower().replace("keyset", "key-set") for word in words]


def verbs(directory):
    """The verbs of the tool and the options that each takes."""
    lines = Store(directory, init=False).run("--json", "help").stdout.splitlines()
    found = {}
    for verb, options in (re.search(r'"verb":"([^"]+)".*"options":\[(.*?)\]', line).groups()
                          for line in lines):
        found[verb] = re.findall(r'"([^"]+)"', options)
    assert len(found) > 30
    return found


# Nothing is missing

def test_every_kind_has_its_section():
    """kinds.rst has one section for each kind and none for anything else."""
    assert sorted(sections(page("kinds.rst"), "-")) == sorted(kinds())


def test_every_kind_has_an_example_and_its_mistakes():
    """A section shows a record, and says what goes wrong, there or for all services together."""
    for part, text in sections(page("kinds.rst"), "=").items():
        for kind, below in sections(text, "-").items():
            assert "IN " in "".join(block for what, block in examples(below)
                                    if what.startswith("records ")), kind
            assert "Usual mistakes" in below or "Usual mistakes, for all of them" in text, kind
        assert part


def test_every_item_is_explained():
    """The tables of items in items.rst are those of the code, section by section."""
    told = {title.rpartition(" ")[2]: body
            for title, body in sections(page("items.rst"), "-").items()
            if title.startswith("Items of section ")}
    expected = {}
    for _, name, where, _, is_list in items():
        # What a policy and a domain can both have is explained once.
        for section in [where[0]] if where == ["policy", "domain"] else where:
            expected.setdefault(section, {})[name] = is_list
    assert sorted(told) == sorted(expected)
    for section, body in told.items():
        rows = re.findall(r"^``([a-z-]+)``(.*)\n(\[\])?", body, flags=re.M)
        found = {name: rest.startswith(" []") or below != "" for name, rest, below in rows}
        assert found == expected[section], section


def test_every_number_is_told():
    """The table of items in mail-store.rst is that of the code."""
    found = []
    for line in page("mail-store.rst").splitlines():
        match = re.fullmatch(r"(\d+) +([a-z-]+) +([\w-]+(?:, [\w-]+)*) +([A-Z]+(?: [a-z-]+)?)( +list)?", line)
        if match:
            number, name, where, kind, is_list = match.groups()
            found.append((int(number), name, where.split(", "), kind, is_list is not None))
    assert found == items()


def test_every_module_item_is_explained():
    """The module reference has a section for each item of the module's schema, with its default."""
    names = re.findall(r'#define MOD_\w+\s+"\\x(..)""([a-z-]+)"', code("module/mail.c"))
    assert len(names) == 8 and all(int(size, 16) == len(name) for size, name in names)
    reference = sections(page("mod-mail.rst"), "-")["Module reference"]
    told = sections(reference, ".")
    assert sorted(told) == sorted(["id"] + [name for _, name in names])
    for _, name in names:
        assert "*Default:*" in told[name], name
        assert f"     {name}: " in reference, name


def test_every_counter_is_explained():
    """The statistics have every counter and every outcome."""
    module = code("module/instance.c")
    counters = re.findall(r'knotd_mod_stats_add\(mod, "(\w+)"', module)
    names = re.findall(r'(?:OUTCOME|SIGNATURE)_\w+\] = "([a-z-]+)"', module)
    assert len(counters) == 3 and len(names) == 9 + 3
    told = sections(page("faults.rst"), "-")["Statistics"]
    for counter in counters:
        assert f"``{counter}[" in told, counter
    assert re.findall(r"^  ``([a-z-]+)`` ", told, flags=re.M) == names


def test_every_log_line_is_explained():
    """Each line that the module writes to the log is in faults.rst, by its fixed parts."""
    told = re.sub(r"\s+", " ", page("faults.rst"))
    found = 0
    for path in sorted((TOP / "module").glob("*.c")):
        text = path.read_text(encoding="utf-8")
        for literal in re.findall(r'(?:LOG_[A-Z]+|sizeof\(text\)|printf\(text),'
                                  r'\s*((?:"[^"\n]*"\s*(?:PRIu64)?\s*)+)', text):
            line = "".join(re.findall(r'"([^"]*)"', literal.replace("PRIu64", '"u"')))
            for fixed in (part.strip(" ,(')") for part in re.split(r"%(?:\.\*)?[a-z]*", line)):
                if len(fixed) > 6:
                    assert fixed in told, line
                    found += 1
    assert found >= 9


def test_every_extended_error_is_explained():
    """The Extended DNS Errors that the module gives, by number."""
    numbers = {"NOT_READY": 14, "INV_DATA": 24}
    used = set()
    for path in (*(TOP / "module").glob("*.c"), *(TOP / "lib").rglob("*.c")):
        used |= set(re.findall(r"KNOT_EDNS_EDE_([A-Z_]+)", path.read_text(encoding="utf-8")))
    assert len(used) >= 2
    for name in used:
        assert f"EDE {numbers[name]}" in page("faults.rst") + page("signed.rst"), name


LIMITS = [
    ("include/mail/item.h", "MAIL_VALUE_MAX"), ("include/mail/item.h", "MAIL_LIST_MAX"),
    ("include/mail/item.h", "MAIL_TXT_MAX"), ("include/mail/profile.h", "MAIL_POLICY_CHAIN_MAX"),
    ("include/mail/spf.h", "MAIL_SPF_LOOKUPS_MAX"), ("lib/answer/work.h", "MAIL_WORK_CHAIN_MAX"),
    ("lib/model/entry_id.c", "ID_MAX"), ("lib/store/env.c", "READERS_MIN"),
    ("lib/record/dkim_key.c", "RSA_MAX"),
]


@pytest.mark.parametrize("path,name", LIMITS, ids=[name for _, name in LIMITS])
def test_limits_are_told(path, name):
    """The numbers of the code are those of the table of limits."""
    number = re.search(rf"#define {name} (\d+)", code(path)).group(1)
    told = sections(page("running.rst"), "-")["Limits"]
    assert re.search(rf"(?<!\d){number}(?!\d)", told)


def test_every_verb_is_explained(directory):
    """kmailctl(8) has every verb and every option."""
    told = page("kmailctl.rst")
    for verb, options in verbs(directory).items():
        section, _, what = verb.rpartition("-")
        general = f"*SECTION*\\ **-{what}**" in told and f"**{section}**" in told
        assert f"**{verb}**" in told or general, verb
        for option in options:
            assert re.search(rf"\*\*[a-z -]*--{option}( [a-z]+)?\*\*", told), f"{verb} --{option}"


# What is said is true

def commands(path):
    """The command lines of kmailctl in a file: in literal blocks, and in the text."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    quote = "`" if path.suffix == ".md" else "``"
    found = re.findall(r"^ +(?:[$#] )?(?:until )?kmailctl +(\S.*)$", text, flags=re.M)
    return found + re.findall(rf"{quote}kmailctl\s+([^`]+){quote}", text)


def test_commands_exist(directory):
    """Verbs and options of all command lines exist."""
    known = verbs(directory)
    found = [line for path in (TOP / "README.md", *PAGES) for line in commands(path)]
    assert len(found) > 60
    for line in found:
        words = shlex.split(re.sub(r"\s+", " ", line).partition(";")[0], comments=True)
        while words and words[0] in ("--json", "-s"):
            words = words[2 if words[0] == "-s" else 1:]
        verb, *rest = words
        if verb.isupper() or re.match(r"[A-Z]+-", verb):
            continue
        assert verb in known, line
        for word in rest:
            if word.startswith("--"):
                assert word[2:].partition("=")[0] in known[verb] + ["json", "store"], line


def targets(path):
    """What the links of a page lead to, but web addresses."""
    text = path.read_text(encoding="utf-8")
    found = re.findall(r"\]\(([^)]+)\)" if path.suffix == ".md" else r"`[^`<]+ <([^>]+)>`__", text)
    return [target for target in found if "://" not in target]


@pytest.mark.parametrize("path", [TOP / "README.md", *PAGES], ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    """A link names a file of the tree and, behind #, a heading in it; each page is linked from mod-mail.rst or README.md."""
    for target in targets(path):
        name, _, anchor = target.partition("#")
        file = path.parent / name if name else path
        assert file.exists(), target
        if anchor:
            text = file.read_text(encoding="utf-8")
            titles = re.findall(r"^#+ (.+)$" if file.suffix == ".md" else r"^(\S.*)\n(?:=|-|\.){3,}$", text, flags=re.M)
            assert anchor in [re.sub(r"\W+", "-", title.lower()).strip("-") for title in titles], target
    linked = {target.rpartition("/")[2] for start in (TOP / "README.md", DOC / "mod-mail.rst") for target in targets(start)}
    assert path.name == "README.md" or path.name in linked


def test_installed_links_lead_somewhere(directory):
    """All pages are installed, and their links lead to files that are."""
    made = subprocess.run(["make", "-s", "-C", BUILD, "install-data", f"DESTDIR={directory}"], text=True, check=False,
                          capture_output=True, env={**os.environ, "MAKEFLAGS": ""})
    assert made.returncode == 0, made.stderr
    readme, = directory.rglob("README.md")
    pages = [readme, *(readme.parent / "doc").glob("*.rst")]
    assert {path.name for path in pages[1:]} == set(NAMES)
    for path in pages:
        for target in targets(path):
            name = target.partition("#")[0]
            assert not name or (path.parent / name).exists(), f"{path.name}: {target}"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("tool", ["rst2man", "rst2html"])
def test_pages_have_no_slips(name, tool):
    """docutils has nothing to say about a page."""
    done = subprocess.run([program(tool), "--report=2", "--halt=5", str(DOC / name)],
                          capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert len(done.stdout) > 1000


@pytest.mark.parametrize("name", NAMES)
def test_no_tabs_and_no_long_lines(name):
    """Text that people read in a terminal; only records and keys are longer."""
    for number, line in enumerate(page(name).splitlines(), 1):
        assert "\t" not in line and line == line.rstrip(), f"{name}:{number}"
        assert len(line) <= 130 or re.search(r"\S{60}", line), f"{name}:{number}"


def listed(store, domain):
    """The records of a domain as (owner, TTL, type, RDATA), as the zone file has them."""
    text = store.run("records", domain, "--format", "zone", "--reports").stdout
    return {tuple(line.split(None, 4)[i].strip() for i in (0, 1, 3, 4))
            for line in text.splitlines() if line and line[0] not in "$;"}


def without_serial(records):
    """The records, the serial of a SOA made the word that the documentation has for it."""
    return {(owner, ttl, rrtype, re.sub(r"^(\S+ \S+) \d+ ", r"\1 SERIAL ", rdata)
             if rrtype == "SOA" else rdata) for owner, ttl, rrtype, rdata in records}


@pytest.mark.parametrize("name", [name for name in NAMES if ".. example:" in page(name)])
def test_examples_are_true(store, name):
    """The marked examples of a page are accepted, and records are as they are shown."""
    shown, domains = {}, set()
    for what, block in examples(page(name)):
        if what == "dialect":
            store.apply(block)
        elif what == "ndjson":
            store.load(block)
        else:
            word, domain = what.split()
            assert word == "records"
            domains.add(domain)
            for line in block.splitlines():
                owner, ttl, rrclass, rrtype, rdata = line.split(None, 4)
                assert rrclass == "IN"
                shown.setdefault(domain, set()).add((owner, ttl, rrtype, rdata))
    store.run("check")
    for domain in domains:
        assert shown[domain] - without_serial(listed(store, domain)) == set()


def test_mta_sts_body_is_as_shown(store):
    """The body of the MTA-STS policy in kinds.rst is what the tool prints."""
    for what, block in examples(page("kinds.rst")):
        if what == "dialect":
            store.apply(block)
    body = store.run("mta-sts-policy", "example.org").stdout
    assert textwrap.indent(body.replace("\r", ""), "  ") in page("kinds.rst")


@pytest.mark.parametrize("ramp", re.findall(r"^  (dmarc(?:-ramp)?: \[.*\])$", page("kinds.rst"), flags=re.M))
def test_the_ramp_is_accepted(store, ramp):
    """The DMARC ramp of kinds.rst."""
    store.apply(f'policy:\n  - id: p\n    ns: "ns.example.com."\n    {ramp}\n')


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_samples_are_accepted(store, path):
    """Each sample by itself; that of knot.conf is knotd's."""
    if path.name == "knot.conf":
        done = subprocess.run([program("knotc"), "-c", str(path), "conf-check"], text=True,
                              capture_output=True, check=False)
        # The module may not be installed; whatever else it says is wrong.
        said = [line for line in (done.stdout + done.stderr).splitlines() if "warning" not in line]
        assert done.returncode == 0 or all("mod-mail" in line or "failed" in line or
                                           "invalid item" in line for line in said), said
        return
    assert "warning" not in store.run("apply", path).stderr
    store.run("diff", path)
    store.run("check")


def test_the_demo_answers(directory):
    """scripts/demo starts without a warning, and all its answers are the expected ones."""
    if asan_library(MODULE) is not None:
        return  # knotd needs the library of the sanitizer first, which the demo does not know.
    # Started by root it goes on as nobody, in there.
    directory.chmod(0o755)
    env = os.environ | {"TMPDIR": str(directory), "MAIL_AS_NOBODY": "1"}
    done = subprocess.run([str(TOP / "scripts" / "demo"), "--check", "--port", str(free_port()), "--build", str(BUILD)],
                          capture_output=True, text=True, check=False, timeout=300, env=env)
    assert done.returncode == 0 and "0 failed" in done.stdout, done.stdout + done.stderr
    assert "warning" not in done.stdout + done.stderr


def test_all_samples_together(store):
    """They do not stand in each other's way."""
    for path in SAMPLES:
        if path.name != "knot.conf":
            store.run("apply", path)
    for path in SAMPLES:
        if path.name != "knot.conf":
            store.run("diff", path)


def test_first_domain_of_the_readme(directory):
    """The commands of README.md, one after the other; the answers are those that it shows."""
    store = Store(directory, init=False)
    text = (TOP / "README.md").read_text(encoding="utf-8").replace("\\\n", " ")
    ran = []
    for line in re.findall(r"^    (?:\$ )?kmailctl (\S.*)$", text, flags=re.M):
        words = shlex.split(line, comments=True)
        if "--out" in words:
            at = words.index("--out") + 1
            words[at] = str(directory / words[at].replace("/", "_"))
        ran.append(words[0])
        (store.init if words[0] == "init" else lambda *args, w=words: store.run(w[0], *args))(*words[1:])
        if words[0] == "dkim-generate":
            assert ("example.net.", "3600", "MX", "10 mail.example.net.") in listed(store, "example.net")
    assert ran[:5] == ["init", "host-set", "policy-set", "domain-set", "dkim-generate"] and len(ran) > 7
    records = listed(store, "example.net")
    assert ("example.net.", "3600", "MX", "10 mx.example.com.") in records
    assert any(owner == "_dmarc.example.net." and "p=reject" in rdata for owner, _, _, rdata in records)
