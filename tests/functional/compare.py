# SPDX-License-Identifier: GPL-3.0-or-later
"""Thousands of questions to two servers, and what their answers differ in.

    plain = Plain({"example.org": "…zone file…"})
    with Knotd(store) as ours, plain as theirs:
        found = differences(ours.port, theirs.port, questions(names, types, dice))

Questions are written and answers are compared as octets; only answers that differ are parsed.
"""

import re
import socket
import time

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.zone

from harness import ADDRESS, PATIENCE, Failure, Knotd

# Asked of every name, besides the types of the zone.
TYPES = ("A AAAA NS SOA MX TXT SRV CNAME DS DNSKEY NSEC RRSIG TLSA CAA ANY HTTPS PTR DNAME "
         "TYPE65280").split()
# Questions on their way to one server at a time: few enough for a socket's buffer.
WINDOW = 48
# RD, AD, CD: of a stub, of a resolver, and all.
ASKED_FLAGS = (0, 0x0100, 0x0010, 0x0130)
# What a question may say about EDNS: None, or (size, DO).
EDNS = (None, (512, False), (1232, False), (4096, False), (1232, True))


class Plain(Knotd):
    """A knotd without the module, with zones from zone files."""

    def __init__(self, zones, **how):
        conf = "template:\n  - id: default\n    storage: \"{directory}/zones\"\n    file: \"%s.zone\"\n" \
               "    zonefile-sync: -1\n    semantic-checks: off\nzone:\n"
        conf += "".join(f"  - domain: \"{name}\"\n" for name in zones)
        super().__init__(None, conf=conf, module=None, **how)
        self.zones = zones
        (self.directory / "zones").mkdir()
        for name, text in zones.items():
            (self.directory / "zones" / f"{name}.zone").write_text(text, encoding="utf-8")

    def __enter__(self):
        knotd = super().__enter__()
        for name in self.zones:
            self.wait_log(f"[{name}.] loaded")
        return knotd


class Question:
    """A question: its name (dns.name.Name), type (number), what it says about EDNS, and RD, AD, CD."""

    __slots__ = ("name", "rrtype", "edns", "tail")

    def __init__(self, name, rrtype, edns=(1232, False), flags=0):
        self.name = name
        self.rrtype = rrtype
        self.edns = edns
        # The header's flags and counts, the question, OPT; the message without its id.
        self.tail = flags.to_bytes(2, "big") + b"\0\1\0\0\0\0" + (b"\0\1" if edns else b"\0\0") + self.asked()
        if edns:
            size, do = edns
            self.tail += b"\0\0\x29" + size.to_bytes(2, "big") + \
                (b"\0\0\x80\0" if do else b"\0\0\0\0") + b"\0\0"

    def asked(self):
        """The question section."""
        return self.name.to_wire() + self.rrtype.to_bytes(2, "big") + b"\0\1"

    def __str__(self):
        edns = f"EDNS {self.edns[0]}{' DO' if self.edns[1] else ''}" if self.edns else "no EDNS"
        return f"{self.name} {dns.rdatatype.to_text(self.rrtype)} ({edns})"


class Channel:
    """Questions to one server, many at a time."""

    def __init__(self, port):
        self.port = port
        self.id = 0
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.udp.connect((ADDRESS, port))

    def close(self):
        """Closes the socket."""
        self.udp.close()

    def send(self, questions):
        """Sends questions; gives what receive() waits for."""
        waiting = {}
        for question in questions:
            self.id = (self.id + 1) & 0xffff
            waiting[self.id] = question
            self.udp.send(self.id.to_bytes(2, "big") + question.tail)
        return waiting

    def receive(self, waiting):
        """The answers, in the order of the questions; lost ones are asked for again."""
        answers = dict.fromkeys(waiting)
        deadline = time.monotonic() + PATIENCE
        missing = len(waiting)
        self.udp.settimeout(1)
        while missing:
            try:
                wire = self.udp.recv(65535)
            except socket.timeout as late:
                if time.monotonic() > deadline:
                    lost = [str(waiting[i]) for i, wire in answers.items() if wire is None]
                    raise Failure(f"no answer on port {self.port}: {lost}") from late
                for i, answer in answers.items():
                    if answer is None:
                        self.udp.send(i.to_bytes(2, "big") + waiting[i].tail)
                continue
            number = int.from_bytes(wire[:2], "big")
            if answers.get(number, b"") is None:
                answers[number] = wire
                missing -= 1
        return list(answers.values())

    def over_tcp(self, questions):
        """The answers to questions that go through one TCP connection."""
        with socket.create_connection((ADDRESS, self.port), PATIENCE) as tcp:
            stream = b""
            for i, question in enumerate(questions):
                message = i.to_bytes(2, "big") + question.tail
                stream += len(message).to_bytes(2, "big") + message
            tcp.sendall(stream)
            answers = dict.fromkeys(range(len(questions)))
            with tcp.makefile("rb") as reader:
                for _ in questions:
                    wire = reader.read(int.from_bytes(reader.read(2), "big"))
                    if len(wire) < 12:
                        raise Failure(f"port {self.port}: the TCP connection ended early")
                    answers[int.from_bytes(wire[:2], "big")] = wire
        return [answers[i] for i in range(len(questions))]


def rrsets(section):
    """A section as a set of RRsets: owner with its spelling, type, TTL, RDATA as a set."""
    return {(rrset.name.to_text(), dns.rdatatype.to_text(rrset.rdtype), rrset.ttl,
             frozenset(rr.to_text() for rr in rrset)) for rrset in section}


FLAGS = 0xffff ^ 0x000f


def outline(wire, question):
    """What of an answer must be equal: flags, rcode, question, RRsets."""
    message = dns.message.from_wire(wire)
    asked = question.asked()
    return {
        "flags": dns.flags.to_text(message.flags & FLAGS),
        "rcode": dns.rcode.to_text(message.rcode()),
        "question": wire[12:12 + len(asked)].hex(),
        "EDNS": message.edns,
        "answer": rrsets(message.answer),
        "authority": rrsets(message.authority),
        "additional": rrsets(message.additional),
    }


def difference(question, ours, theirs):
    """What two answers to a question differ in, as text, or None."""
    asked = question.asked()
    if ours[12:12 + len(asked)] != asked:
        return f"{question}: the question is not echoed as it was spelt"
    if ours[2:] == theirs[2:]:
        return None
    try:
        a, b = outline(ours, question), outline(theirs, question)
    except (dns.exception.DNSException, ValueError) as bad:
        return f"{question}: {bad!r}\n   ours:   {ours.hex()}\n   theirs: {theirs.hex()}"
    lines = [f"   {what}:\n      ours:   {a[what]}\n      theirs: {b[what]}" for what in a
             if a[what] != b[what]]
    return "\n".join([str(question), *lines]) if lines else None


class Tally:
    """What a comparison has come to."""

    def __init__(self):
        self.asked = 0
        self.same_octets = 0
        self.differences = []
        self.rcodes = {}
        self.truncated = 0

    def add(self, question, ours, theirs, expected):
        """Takes one pair of answers; expected(question): why they may differ, or None."""
        self.asked += 1
        self.same_octets += ours[2:] == theirs[2:]
        code = dns.rcode.to_text(ours[3] & 15)
        self.rcodes[code] = self.rcodes.get(code, 0) + 1
        self.truncated += bool(ours[2] & 2)
        allowed = expected(question) if expected else None
        found = allowed(question, ours, theirs) if allowed else difference(question, ours, theirs)
        if found:
            self.differences.append(found)

    def check(self):
        """Fails when there was a difference."""
        print(f"{self.asked} questions, {self.same_octets} answers equal to the octet, "
              f"{self.truncated} truncated, {self.rcodes}")
        if self.differences:
            shown = "\n".join(self.differences[:25])
            raise Failure(f"{len(self.differences)} of {self.asked} answers differ:\n{shown}")


def compare(ours, theirs, questions, tally, tcp=False, expected=None):
    """Asks both servers (Knotd) all the questions and notes differences in the tally."""
    channels = Channel(ours.port), Channel(theirs.port)
    try:
        for start in range(0, len(questions), WINDOW):
            part = questions[start:start + WINDOW]
            if tcp:
                pairs = [channel.over_tcp(part) for channel in channels]
            else:
                waiting = [channel.send(part) for channel in channels]
                pairs = [channel.receive(sent) for channel, sent in zip(channels, waiting)]
            for question, a, b in zip(part, *pairs):
                tally.add(question, a, b, expected)
    finally:
        for channel in channels:
            channel.close()


# Which names are asked

def zone_names(text, origin):
    """The owners of a zone file and its types."""
    names, types = set(), set()
    for line in text.splitlines():
        match = re.match(r"(\S+)\s+\d+\s+IN\s+(\S+)\s", line)
        if match:
            names.add(dns.name.from_text(match.group(1)))
            types.add(match.group(2))
    if dns.name.from_text(origin) not in names:
        raise Failure(f"the zone file of {origin} has no such owner")
    return names, types


def below(label, name):
    """label.name, or None when that is too long."""
    try:
        return dns.name.Name((label,) + name.labels)
    except (dns.name.NameTooLong, dns.name.LabelTooLong):
        return None


def random_label(dice):
    """A label as nobody writes them."""
    letters = b"abcdefghijklmnopqrstuvwxyz0123456789-_*"
    return bytes(dice.choice(letters) for _ in range(dice.choice((1, 2, 5, 12, 63))))


def names_around(owners, origin, dice, randoms=40):
    """The owners, the names above and below them, neighbours, wildcards, and random names."""
    apex = dns.name.from_text(origin)
    found = set(owners)
    for owner in owners:
        above = owner
        while above.is_subdomain(apex) and above != apex:
            above = above.parent()
            found.add(above)
        for label in (b"x", b"*", b"_tcp", b"\0"):
            found.add(below(label, owner))
        child = below(b"y", owner)
        found.add(below(b"x", child) if child else None)
        if owner != apex:
            label = owner.labels[0]
            for other in (label + b"0", label[:-1] or b"-", b"*", random_label(dice)):
                found.add(below(other[:63], owner.parent()))
    for _ in range(randoms):
        name = dice.choice(sorted(owners))
        for _ in range(dice.randint(1, 4)):
            longer = below(random_label(dice), name)
            name = longer or name
        found.add(name)
    found.add(apex.parent())
    found.discard(None)
    return sorted(found)


def spelt(name, dice):
    """The name with letters in any case."""
    return dns.name.Name(tuple(
        bytes(octet ^ 32 if 65 <= octet & 0xdf <= 90 and dice.random() < 0.5 else octet
              for octet in label) for label in name.labels))


def questions(names, types, dice, often=()):
    """Every type of every name, each with some spelling and some EDNS; with any EDNS those in often."""
    numbers = sorted({int(dns.rdatatype.from_text(rrtype)) for rrtype in types})
    asked = [Question(spelt(name, dice) if dice.random() < 0.5 else name, number, edns,
                      dice.choice(ASKED_FLAGS))
             for name in names for number in numbers
             for edns in (EDNS if name in often else (dice.choice(EDNS),))]
    dice.shuffle(asked)
    return asked
