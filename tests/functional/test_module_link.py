# SPDX-License-Identifier: GPL-3.0-or-later
"""mail.so holds what answers, and nothing of what writes."""

import subprocess

from harness import BUILD, MODULE


def run(*command):
    """The lines that a program prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def symbols(path, *options):
    """The names in an object file or an archive, without the version behind an @."""
    return {line.split()[-1].split("@")[0] for line in run("nm", *options, path)
            if line and not line.endswith(":")}


def test_exported():
    """knotd finds one symbol."""
    assert symbols(MODULE, "-D", "--defined-only") == {"knotd_mod_api"}


def test_undefined():
    """Nothing is missing that knotd would have to bring, and no library of the writing side is asked for."""
    undefined = symbols(MODULE, "-u")
    assert "knotd_mod_stats_add" in undefined
    assert not {name for name in undefined if name.startswith(("mail_", "json_", "idn2_"))}
    needed = [line for line in run("readelf", "-d", MODULE) if "(NEEDED)" in line]
    assert any("liblmdb" in line for line in needed)
    assert not [line for line in needed if "jansson" in line or "idn2" in line]


def test_writing_side():
    """Import, apply, changes, backup: what only libmail.a has is not in it."""
    archives = BUILD / "lib" / ".libs"
    answering = symbols(archives / "libanswer.a", "--defined-only", "--extern-only")
    writing = symbols(archives / "libmail.a", "--defined-only", "--extern-only") - answering
    assert {"mail_text_parse", "mail_json_parse", "mail_change_put", "mail_store_backup", "mail_store_init",
            "mail_txn_put", "mail_idna_write"} <= writing
    inside = symbols(MODULE, "--defined-only")
    assert "mail_answer" in inside
    assert not writing & inside
