# SPDX-License-Identifier: GPL-3.0-or-later
"""Instructions as valgrind's callgrind counts them."""

import re

import machine

NAME = re.compile(r"\((\d+)\)(?: (.*))?")


def command(path):
    """What a program runs under, to write its counts to a file."""
    return [machine.program("valgrind"), "--tool=callgrind", "--separate-threads=yes",
            f"--callgrind-out-file={path}", "-q"]


def threads(path, library):
    """What read() says of each thread, by the thread's number."""
    return {file.name.rpartition("-")[2]: read(file, library) for file in path.parent.glob(path.name + "-*")}


def read(path, library):
    """{"all": instructions, "module": those of calls from knotd into a library, with all that it calls}.

    The format: https://valgrind.org/docs/manual/cl-format.html. A call is a line "calls=", and the next
    line has the inclusive cost; cob= names the object called when it is not the caller's. The first use
    of a name gives it a number, which stands for it afterwards.
    """
    names = {}
    own = called = ""
    total = inside = 0
    is_call = False

    def resolve(text):
        number, name = NAME.match(text).groups()
        if name:
            names[number] = name
        return names[number]

    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("ob="):
                own = resolve(line[3:].rstrip())
                called = own
            elif line.startswith("cob="):
                called = resolve(line[4:].rstrip())
            elif line.startswith("calls="):
                is_call = True
            elif line.startswith("totals:"):
                total = int(line.split()[1])
            elif is_call:
                if called.endswith("/" + library) and own.endswith("/knotd"):
                    inside += int(line.split()[1])
                called, is_call = own, False
    return {"all": total, "module": inside}
