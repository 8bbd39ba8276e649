# SPDX-License-Identifier: GPL-3.0-or-later
"""Validators of others: unbound as a resolver, delv, kdig, and dnsviz. They trust the keys that they are given."""

import json
import re
import subprocess

import dns.dnssec
import dns.message
import dns.name
import dns.rdata
import dns.rdatatype

from harness import ADDRESS, PATIENCE, Failure, program
from resolver import ask_stub
from test_thirdparty import Unbound


class Validator(Unbound):
    """An unbound that validates, and denies by itself what it has seen a proof of (RFC 8198).

    anchors  {zone: DS records as texts}
    """

    def __init__(self, directory, knotd, anchors, zones=()):
        trust = "".join(f'  trust-anchor: "{zone}. DS {ds}"\n' for zone, records in anchors.items() for ds in records)
        # No 0x20: after a lost answer, its fall-back compares two answers, and ECDSA signatures are never the same.
        super().__init__(directory, knotd, list(anchors) + list(zones), f"""module-config: "validator iterator"
  use-caps-for-id: no
  aggressive-nsec: yes
  harden-dnssec-stripped: yes
  val-log-level: 2
{trust}""")

    def ask(self, name, rrtype, timeout=PATIENCE):
        """What it answers a stub that wants signatures, too."""
        question = dns.message.make_query(name, rrtype, use_edns=0, payload=4096, want_dnssec=True)
        return ask_stub(self.port, question, timeout)


def onlinesign_ds(knotd, zone):
    """The DS records of a zone of knotd that mod-onlinesign signs, as texts."""
    return [dns.dnssec.make_ds(dns.name.from_text(zone), dns.rdata.from_text("IN", "DNSKEY", key), "SHA256").to_text()
            for key in dnskeys(knotd, zone) if int(key.split()[0]) & 1]


def dnskeys(knotd, zone):
    """The DNSKEY records of a zone, as texts."""
    answer = knotd.ask(zone, "DNSKEY", tcp=True)
    return [rr.to_text() for rrset in answer.answer if rrset.rdtype == dns.rdatatype.DNSKEY for rr in rrset]


def run_delv(directory, knotd, zone, name, rrtype):
    """What delv says of an answer, which it fetches and validates itself."""
    anchors = directory / f"{zone}.delv"
    if not anchors.exists():
        keys = [record.split(None, 3) for record in dnskeys(knotd, zone)]
        anchors.write_text("trust-anchors {\n" + "".join(
            f'  {zone}. static-key {flags} {protocol} {algorithm} "{key.replace(" ", "")}";\n'
            for flags, protocol, algorithm, key in keys) + "};\n")
    done = subprocess.run([program("delv"), f"@{ADDRESS}", "-p", str(knotd.port), "-a", str(anchors), f"+root={zone}",
                           "+tcp", str(name), rrtype], capture_output=True, text=True, timeout=PATIENCE, check=False)
    return done.stdout + done.stderr


def run_kdig(knotd, name, rrtype):
    """The records of kdig's answer, as (owner, type, RDATA)."""
    done = subprocess.run([program("kdig"), f"@{ADDRESS}", "-p", str(knotd.port), "+dnssec", "+noall", "+answer",
                           "+authority", f"+timeout={PATIENCE:.0f}", str(name), rrtype],
                          capture_output=True, text=True, timeout=PATIENCE * 2, check=True)
    lines = [line.split(None, 4) for line in done.stdout.splitlines() if line and line[0] != ";"]
    return [(fields[0], fields[3], fields[4]) for fields in lines]


def run_dnsviz(directory, knotd, zone, names, types):
    """dnsviz's analysis of these types of these names, as JSON, and its drawing in text.

    It asks this knotd alone, if the zone's name servers have no address but 127.0.0.1: the + is for "nobody above",
    and the port need not be 53. So it needs no root, and no name space.
    """
    probe, keys = directory / "probe.json", directory / f"{zone}.keys"
    server = f"{zone}+:ns1.{zone}={ADDRESS}:{knotd.port}"
    keys.write_text("".join(f"{zone}. 3600 IN DNSKEY {record}\n" for record in dnskeys(knotd, zone)))
    subprocess.run([program("dnsviz"), "probe", "-4", "-A", "-d", "1", "-o", str(probe), "-x", server,
                    "-R", ",".join(types), *map(str, names)], capture_output=True, text=True, timeout=PATIENCE * 10,
                   check=True)
    said = {}
    for verb, args in (("grok", ["-l", "info"]), ("print", ["-t", str(keys)])):
        done = subprocess.run([program("dnsviz"), verb, "-P", "-r", str(probe), *args], capture_output=True, text=True,
                              timeout=PATIENCE * 10, check=False)
        if done.returncode != 0:
            raise Failure(f"dnsviz {verb}: {done.stdout}{done.stderr}")
        said[verb] = done.stdout
    return json.loads(said["grok"]), said["print"]


def complaints(analysis, path=""):
    """All errors and warnings in an analysis of dnsviz, each with the way to it."""
    found = []
    if isinstance(analysis, dict):
        for key, value in analysis.items():
            if key in ("errors", "warnings"):
                found += [f"{path}: {key[:-1]} {entry.get('code')}: {entry.get('description')}" for entry in value]
            else:
                found += complaints(value, f"{path}/{key}")
    elif isinstance(analysis, list):
        for i, value in enumerate(analysis):
            found += complaints(value, f"{path}/{value['id'] if isinstance(value, dict) and 'id' in value else i}")
    return found


def unsure(drawing):
    """Lines of dnsviz's drawing whose status is not [.], secure, or that mark a record of which it is not sure."""
    return [line for line in drawing.splitlines() if re.search(r"\[[^.\]]*[^.\]][^\]]*\]", line)]
