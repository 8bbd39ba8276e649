# SPDX-License-Identifier: GPL-3.0-or-later
"""scripts/check-tree finds what breaks the order of the layers, and says where; HACKING.md is true."""

import functools
import re
import shutil
import subprocess

import pytest

from harness import TOP

FOLDERS = ("include", "lib", "module", "tool")

# What is added to the tree: files with their text, and all findings of scripts/includes that come with it.
CASES = {
    "nothing wrong": (
        {"include/mail/odd.h": "", "lib/dns/odd.c": '#include "config.h"\n#include "mail/odd.h"\n#include "base/odd.h"\n',
         "lib/base/odd.h": "", "lib/base/odd_part.c": '#include "base/odd.h"\n', "module/odd.c": '#include "mail/odd.h"\n'},
        []),
    "up": (
        {"lib/dns/odd.c": '\n#include "view/odd.h"\n', "lib/view/odd.h": "", "lib/view/odd.c": ""},
        ["lib/dns/odd.c:2: lib/view/odd.h is of view, above dns"]),
    "up, by public headers": (
        {"include/mail/odd.h": '#include "mail/odder.h"\n', "lib/dns/odd.c": "", "include/mail/odder.h": "",
         "lib/model/odder.c": "", "tool/odd.c": '#include "mail/odd.h"\n'},
        ["include/mail/odd.h:1: include/mail/odder.h is of model, above dns"]),
    "up, to the module": (
        {"lib/answer/odd.c": '#include "module/odd.h"\n', "module/odd.h": "", "module/odd.c": ""},
        ["lib/answer/odd.c:1: module/odd.h is of module, above answer"]),
    "beside": (
        {"lib/record/odd.c": '#include "crypto/odd.h"\n', "lib/crypto/odd.h": "", "lib/crypto/odd.c": ""},
        ["lib/record/odd.c:1: lib/crypto/odd.h is of crypto, beside record"]),
    "beside, from the module to the tool": (
        {"module/odd.c": '#include "tool/odd.h"\n', "tool/odd.h": "", "tool/odd.c": ""},
        ["module/odd.c:1: tool/odd.h is of tool, beside module"]),
    "a circle": (
        {"lib/dns/odd.h": '#include "dns/odd_a.h"\n', "lib/dns/odd_a.h": '\n# include "dns/odd_b.h"\n',
         "lib/dns/odd_b.h": '#include "dns/odd.h"\n', "lib/dns/odd.c": "", "lib/dns/odd_a.c": "", "lib/dns/odd_b.c": ""},
        ["lib/dns/odd_b.h:1: a circle: lib/dns/odd.h > lib/dns/odd_a.h > lib/dns/odd_b.h > lib/dns/odd.h"]),
    "a circle of public headers": (
        {"include/mail/odd.h": '#include "mail/odder.h"\n', "include/mail/odder.h": '#include "mail/odd.h"\n',
         "lib/dns/odd.c": "", "lib/dns/odder.c": "", "module/odd.c": '#include "mail/odd.h"\n'},
        ["include/mail/odder.h:1: a circle: include/mail/odd.h > include/mail/odder.h > include/mail/odd.h"]),
    "a header that includes itself": (
        {"lib/dns/odd.h": '#include "dns/odd.h"\n', "lib/dns/odd.c": ""},
        ["lib/dns/odd.h:1: a circle: lib/dns/odd.h > lib/dns/odd.h"]),
    "internal.h of another folder": (
        {"lib/record/internal.h": "", "lib/record/odd.c": '#include "record/internal.h"\n',
         "lib/model/odd.c": '#include "record/internal.h"\n'},
        ["lib/model/odd.c:1: lib/record/internal.h is for its folder alone"]),
    "a public header that nobody outside of lib/ includes": (
        {"include/mail/odd.h": "", "lib/dns/odd.c": '#include "mail/odd.h"\n'},
        ["include/mail/odd.h:1: neither module/ nor tool/ includes it: it goes to its folder in lib/"]),
    "an include without its folder": (
        {"lib/dns/odd.h": "", "lib/dns/odd.c": '#include "odd.h"\n'},
        ['lib/dns/odd.c:1: "odd.h" without its folder']),
    "a header without a source": (
        {"lib/dns/odd.h": "", "lib/model/odd.c": '#include "dns/odd.h"\n'},
        ["lib/dns/odd.h:1: belongs to no source: there is no lib/dns/odd.c"]),
    "a public header without a source": (
        {"include/mail/odd.h": "", "module/odd.c": '#include "mail/odd.h"\n'},
        ["include/mail/odd.h:1: belongs to no folder of lib/"]),
    "a folder that is not in the order": (
        {"lib/odd/odd.c": ""},
        ["lib/odd/odd.c:1: odd/ has no place in the order"]),
    "a file that is not there": (
        {"lib/dns/odd.c": '#include "dns/odd.h"\n'},
        ['lib/dns/odd.c:1: no file "dns/odd.h"']),
}


def copy(to, *names):
    """A copy of what the tree has of these names."""
    for name in names:
        source = TOP / name
        if source.is_dir():
            shutil.copytree(source, to / name, ignore=shutil.ignore_patterns("__pycache__", "*.o", "*.lo", ".libs", ".deps"))
        else:
            shutil.copy(source, to / name)


def add(tree, files):
    """Writes files, of which none may be there."""
    for name, text in files.items():
        path = tree / name
        path.parent.mkdir(exist_ok=True)
        assert not path.exists()
        path.write_text(text, encoding="utf-8")


def findings(*command):
    """The lines that a program prints, and its exit status."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.splitlines(), done.returncode


@functools.cache
def of_this_tree():
    """What scripts/includes finds in the tree as it is."""
    return findings(TOP / "scripts" / "includes")


def test_this_tree():
    """Nothing of the tree breaks its order."""
    assert of_this_tree() == ([], 0)


@pytest.mark.parametrize("case", CASES)
def test_includes(directory, case):
    """One wrong include, one finding with its place."""
    files, wanted = CASES[case]
    copy(directory, *FOLDERS)
    add(directory, files)
    found, status = findings(TOP / "scripts" / "includes", directory)
    assert [line for line in found if line not in of_this_tree()[0]] == wanted
    assert status == (1 if found else 0)


def test_check_tree(directory):
    """check-tree fails for an include that runs up, among all that it looks at."""
    copy(directory, *FOLDERS, "tests", "bench", "doc", "samples", "scripts", ".ci", "configure.ac", "Makefile.am", "NEWS",
         "README.md", "HACKING.md", ".clang-format")
    add(directory, {
        "lib/dns/odd.c": '/* SPDX-License-Identifier: GPL-3.0-or-later */\n#include "mail/store.h"\n\n/* As INTER' 'FACE says. */\n'
                         "int odd(int a, int b)\n{\n\treturn a ? 1 : f(a ? 1 : 2, '?');\n}\n"
                         "int odder(int a, int b)\n{\n\tfor (int ret = a; a &&\n\t     ret == KNOT_EOK; a++) {\n\t}\n"
                         "\treturn f(a ? 1 : 2, b ? 1 : 2);\n}\n"})
    lines, status = findings(directory / "scripts" / "check-tree")
    assert status == 1
    # clang-format has its opinion too, where it is of the version that counts.
    assert [line for line in lines if "lib/dns/odd.c" in line and not line.startswith("clang-format")] == [
        "in no list of Makefile.am: lib/dns/odd.c",
        "include: lib/dns/odd.c:2: include/mail/store.h is of store, above dns",
        "refers to a paper that is not in the repository: lib/dns/odd.c:4:/* As INTER" "FACE says. */",
        "?: within ?:: lib/dns/odd.c:7", "an error in the head of a loop: lib/dns/odd.c:11"]


def test_hacking():
    """HACKING.md names folders, files and functions that exist, and prints structures as they are."""
    text = (TOP / "HACKING.md").read_text()
    folders = {f"lib/{path.name}/" for path in (TOP / "lib").iterdir() if path.is_dir()}
    assert folders <= set(re.findall(r"`([a-z/]+/)`", text))
    named = re.findall(r"\b(?:lib|include|module|tool|tests|scripts|bench|doc)/[\w./*-]*\w", text)
    assert len(named) > 40
    for path in named:
        path = path.replace("NAME", "*")
        assert list(TOP.glob(path)), path
    headers = "".join(path.read_text() for folder in FOLDERS for path in (TOP / folder).rglob("*.h"))
    for name in re.findall(r"`((?:mail|tool)_\w+)(?:\(\))?`", text):
        assert re.search(rf"\b{name}\b", headers), name
    structures = re.findall(r"```c\n(.*?)```", text, re.S)
    assert len(structures) == 2
    for structure in structures:
        assert structure in headers
