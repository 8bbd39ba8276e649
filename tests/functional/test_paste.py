# SPDX-License-Identifier: GPL-3.0-or-later
"""Records that people have already, pasted in place of values: served as they were, in whichever form they came."""

import json
import re
import shutil
import subprocess

import dkim
import pytest
from harness import ADDRESS, TOOL, Failure, Knotd, Store, rdata, texts
from kinds import policy
from test_kinds_dkim import ED25519, RSA
from test_thirdparty import MAIL, resolving, sign

EMPTY = policy()


def genkey(selector, tags, domain="", key=RSA, comment="example.org"):
    """The file that opendkim-genkey 2.11 writes."""
    parts = [key[:250], *(key[i:i + 250] for i in range(250, len(key), 250))]
    strings = '"\n\t  "'.join(["p=" + parts[0], *parts[1:]])
    return (f'{selector}._domainkey{domain}\tIN\tTXT\t( "{tags} "\n\t  "{strings}" )'
            f'  ; ----- DKIM key {selector} for {comment}\n')


def rspamadm(selector, algorithm, key):
    """What rspamadm dkim_keygen 3.4 prints."""
    if len(key) < 253:
        return f'{selector}._domainkey IN TXT ( "v=DKIM1; k={algorithm};" \n\t"p={key}" ) ;\n'
    parts = "".join(f'\t"{part}"\n' for part in re.findall(".{1,253}", "p=" + key))
    return f'{selector}._domainkey IN TXT ( "v=DKIM1; k={algorithm}; "\n{parts}) ; \n'


# What is pasted, and the record that is served.
KEYS = {
    "guide1": (f"v=DKIM1; k=ed25519; h=sha256; p={ED25519}",) * 2,
    "guide2": (f"v=DKIM1; k=rsa; p={RSA}",) * 2,
    "flags": (f"v=DKIM1; k=rsa; t=s; n=for the list; p={RSA}",) * 2,
    "behind": (f"v=DKIM1; k=rsa; p={RSA}; t=s; h=sha256",) * 2,
    "tight": (f"v=DKIM1;k=rsa;p={RSA};",) * 2,
    "unknown": (f"v=DKIM1; zz=1; k=rsa; p={RSA}",) * 2,
    "bare": (RSA, f"v=DKIM1; k=rsa; h=sha256; p={RSA}"),
    "lines": ("\n".join(re.findall(".{1,64}", RSA)) + "\n", f"v=DKIM1; k=rsa; h=sha256; p={RSA}"),
    "backslash": (f'"v=DKIM1\\; k=rsa\\; p={RSA[:200]}" "{RSA[200:]}"', f"v=DKIM1; k=rsa; p={RSA}"),
    "opendkim": (genkey("opendkim", "v=DKIM1; h=sha256; k=rsa;"), f"v=DKIM1; h=sha256; k=rsa; p={RSA}"),
    "restricted": (genkey("restricted", "v=DKIM1; n=\\\"a note\\\"; h=sha256; k=rsa; t=s;", ".example.org."),
                   f'v=DKIM1; n="a note"; h=sha256; k=rsa; t=s; p={RSA}'),
    "rspamd": (rspamadm("rspamd", "rsa", RSA), f"v=DKIM1; k=rsa; p={RSA}"),
    "rspamd-e": (rspamadm("rspamd-e", "ed25519", ED25519), f"v=DKIM1; k=ed25519;p={ED25519}"),
    "dig": (f'; <<>> DiG <<>> TXT\n;; ANSWER SECTION:\ndig._domainkey.example.org.\t3600\tIN\tTXT\t'
            f'"v=DKIM1; k=rsa; p={RSA[:200]}" "{RSA[200:]}"\n', f"v=DKIM1; k=rsa; p={RSA}"),
    "windows": ("\ufeff" + genkey("windows", "v=DKIM1; k=rsa;").replace("\n", "\r\n"),
                f"v=DKIM1; k=rsa; p={RSA}"),
}


def check_keys(store):
    """What knotd answers is what was pasted."""
    with Knotd(store) as knotd:
        for selector, (_, served) in KEYS.items():
            assert texts(knotd.ask(f"{selector}._domainkey.example.org", "TXT", tcp=True)) == [served], selector


def paste_by_import(store):
    """dkim-import FILE, or the text itself."""
    for i, (selector, (text, _)) in enumerate(KEYS.items()):
        what = store.file(text, ".txt") if i % 2 or "\n" in text else text
        store.run("dkim-import", f"example.org/{selector}", what)


def paste_by_stdin(store):
    """dkim-import -, and of a record with a name its selector."""
    for selector, (text, _) in KEYS.items():
        named = f"{selector}._domainkey" in text
        store.run("dkim-import", "example.org" if named else f"example.org/{selector}", "-", stdin=text)


def paste_by_set(store):
    """dkim-set key=TEXT."""
    for selector, (text, _) in KEYS.items():
        store.run("dkim-set", f"example.org/{selector}", f"key={text}")


def paste_by_set_file(store):
    """dkim-set key=FILE."""
    for selector, (text, _) in KEYS.items():
        store.run("dkim-set", f"example.org/{selector}", f"key={store.file(text, '.txt')}")


def paste_by_apply(store):
    """apply, with names of files relative to that of the dialect."""
    entries = "".join(f"  - id: example.org/{selector}\n    key: {store.file(text, '.txt').name}\n"
                      for selector, (text, _) in KEYS.items())
    store.apply(f"dkim:\n{entries}")


def paste_inline(store):
    """apply, with the text where it stands; without quotes, if it is a record over several lines."""
    entries = ""
    for selector, (text, _) in KEYS.items():
        if " IN " in text or "\tIN\t" in text:
            text = text.lstrip("\ufeff").partition(";; ANSWER SECTION:\n")[2] or text.lstrip("\ufeff")
            entries += f"  - id: example.org/{selector}\n    key: {text.rstrip()}\n    publish: 2020-01-01T00:00:00Z\n"
        else:
            line = text.replace("\n", " ").replace('"', '\\"')
            entries += f'  - id: example.org/{selector}\n    key: "{line}"\n    publish: 2020-01-01T00:00:00Z\n'
    store.apply(f"dkim:\n{entries}")


def paste_by_ndjson(store):
    """import."""
    store.load("".join(json.dumps({"kind": "dkim", "id": f"example.org/{selector}", "key": text}) + "\n"
                       for selector, (text, _) in KEYS.items()))


@pytest.mark.parametrize("paste", [paste_by_import, paste_by_stdin, paste_by_set, paste_by_set_file, paste_by_apply,
                                   paste_inline, paste_by_ndjson], ids=lambda paste: paste.__name__)
def test_keys_are_served_as_pasted(store, paste):
    """Tags, their order, and what nobody knows; no h=sha256 that was not there."""
    store.apply(EMPTY)
    paste(store)
    check_keys(store)


def test_keys_make_the_round(store, directory):
    """export and -show give what import and apply read back."""
    store.apply(EMPTY)
    paste_by_set(store)
    exported = store.run("export").stdout
    (directory / "two").mkdir()
    two = Store(directory / "two")
    two.load(exported)
    assert two.run("export").stdout == exported
    check_keys(two)
    (directory / "three").mkdir()
    three = Store(directory / "three")
    shown = store.run("dkim-show", *(f"example.org/{selector}" for selector in KEYS)).stdout
    three.apply(EMPTY + shown)
    assert three.run("export", "--section", "dkim").stdout == store.run("export", "--section", "dkim").stdout
    check_keys(three)


def test_pasted_key_verifies(store, directory):
    """dkimpy takes a signature of the key whose record opendkim-genkey wrote."""
    private = directory / "s1.private"
    subprocess.run(["openssl", "genrsa", "-out", private, "2048"], check=True, capture_output=True)
    public = subprocess.run(["openssl", "rsa", "-in", private, "-pubout"], check=True, capture_output=True,
                            text=True).stdout
    key = "".join(public.splitlines()[1:-1])
    store.apply(EMPTY)
    store.run("dkim-import", "example.org", store.file(genkey("s1", "v=DKIM1; h=sha256; k=rsa;", key=key), ".txt"))
    assert b"example.org" in MAIL
    with Knotd(store) as knotd, resolving(knotd):
        assert dkim.verify(sign(private, "s1", "example.org", "rsa"))


HASH = "064dbc632f1ba7d0a2a3faeadeedfebd6f90f850dfb852c97ee9df9b6e5c5e7c"

# Section, id, item, the owner and type that tools are asked for.
ITEMS = [
    ("domain", "example.org", "mx", "example.org", "MX"),
    ("domain", "example.org", "spf", "example.org", "TXT"),
    ("domain", "example.org", "dmarc", "_dmarc.example.org", "TXT"),
    ("domain", "example.org", "tls-rpt", "_smtp._tls.example.org", "TXT"),
    ("domain", "example.org", "mta-sts-id", "_mta-sts.example.org", "TXT"),
    ("domain", "example.org", "bimi", "s1._bimi.example.org", "TXT"),
    ("domain", "example.org", "caa", "example.org", "CAA"),
    ("domain", "example.org", "srv", "_imaps._tcp.example.org", "SRV"),
    ("domain", "example.org", "ns", "example.org", "NS"),
    ("domain", "example.org", "autoconfig", "autoconfig.example.org", "CNAME"),
    ("domain", "example.org", "record", "www.example.org", "A"),
    ("host", "mail", "address", "mail.example.org", "A"),
    ("host", "mail", "tlsa", "_25._tcp.mail.example.org", "TLSA"),
    ("dkim", "example.org/s1", "key", "s1._domainkey.example.org", "TXT"),
]

FULL = policy(
    "host: mail", 'mx: [ "10 mail", "20 backup.example.net." ]', 'spf: [ mx, "include:_spf.example.net" ]',
    "spf-all: ~all", 'dmarc: [ p=reject, "rua=mailto:a@example.org" ]',
    "tls-rpt: mailto:t@example.org", "mta-sts: testing", "mta-sts-id: 20260101T000000",
    'bimi: "s1 https://example.org/l.svg"', 'caa: [ "0 issue \\"ca.example; validationmethods=dns-01\\"" ]',
    "srv: \"imaps mail\"", "autoconfig: mail", 'record: "www A 192.0.2.80"',
    more=f"""host:
  - id: mail
    name: mail.example.org.
    address: 192.0.2.25
    tlsa: "3 1 1 {HASH}"
dkim:
  - id: example.org/s1
    key: "v=DKIM1; h=sha256; k=rsa; p={RSA}"
""")

# The same policy without what will be pasted.
BARE = policy("host: mail", "mx: mail", "mta-sts: testing",
              more="host:\n  - id: mail\n    name: mail.example.org.\n    address: 192.0.2.99\n")


@pytest.mark.parametrize("tool", [
    ("kdig", "@{address}", "-p", "{port}", "+tcp", "{name}", "{type}"),
    ("kdig", "@{address}", "-p", "{port}", "+tcp", "+noall", "+answer", "{name}", "{type}"),
    ("dig", "@{address}", "-p", "{port}", "+tcp", "{name}", "{type}"),
    ("dig", "@{address}", "-p", "{port}", "+tcp", "+multiline", "+noall", "+answer", "{name}", "{type}"),
    ("dig", "@{address}", "-p", "{port}", "+tcp", "+nocookie", "+ttlunits", "{name}", "{type}"),
    ("drill", "-p", "{port}", "-t", "@{address}", "{name}", "{type}"),
    ("host", "-T", "-p", "{port}", "-t", "{type}", "{name}", "{address}"),
    ("nslookup", "-vc", "-port={port}", "-type={type}", "{name}", "{address}"),
    ("delv", "@{address}", "-p", "{port}", "+tcp", "-i", "{name}", "{type}"),
], ids=lambda tool: "".join(tool[:1]) + "".join(word for word in tool if word in ("+noall", "+multiline", "+ttlunits")))
def test_what_tools_print_can_be_pasted(store, directory, tool):
    """What a tool prints of the records of one store makes another that answers the same."""
    if not shutil.which(tool[0]):
        raise Failure(f"{tool[0]} is missing: scripts/packages test")
    store.apply(FULL)
    (directory / "other").mkdir()
    other = Store(directory / "other")
    other.apply(BARE)
    wanted = {}
    with Knotd(store) as knotd:
        for section, ident, item, name, rrtype in ITEMS:
            wanted[name, rrtype] = rdata(knotd.ask(name, rrtype, tcp=True), rrtype)
            command = [word.format(address=ADDRESS, port=knotd.port, name=name, type=rrtype) for word in tool]
            printed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30).stdout
            assert wanted[name, rrtype], (name, rrtype)
            other.run(f"{section}-set", ident, f"{item}={printed}")
    with Knotd(other) as knotd:
        for (name, rrtype), expected in wanted.items():
            assert rdata(knotd.ask(name, rrtype, tcp=True), rrtype) == expected, (name, rrtype)


def test_paste_table_can_be_pasted(store, directory):
    """What records --format paste prints, for the web form of a provider, is read as well."""
    store.apply(FULL)
    (directory / "other").mkdir()
    other = Store(directory / "other")
    other.apply(BARE)
    lines = store.run("records", "example.org", "--format", "paste").stdout.splitlines()
    for section, ident, item, name, rrtype in ITEMS:
        owner = name.removesuffix(".example.org") if name != "example.org" else "@"
        mine = [line for line in lines if line.split("\t")[:2] == [owner, rrtype]]
        if rrtype != "NS":
            assert mine, name
            other.run(f"{section}-set", ident, f"{item}=" + "\n".join(mine))
    assert [line for line in other.run("records", "example.org", "--format", "paste").stdout.splitlines()
            if "\tSOA\t" not in line] == [line for line in lines if "\tSOA\t" not in line]


def test_whole_record_replaces(store):
    """A whole record is all of it: what an earlier one said of the end is gone."""
    store.apply(EMPTY)
    store.run("policy-set", "tested", "spf=v=spf1 a -all", "dmarc=v=DMARC1; p=reject; rua=mailto:a@example.org")
    store.run("policy-set", "tested", "spf=v=spf1 mx ~all", "dmarc=v=DMARC1; p=none")
    store.run("dkim-set", "example.org/s1", f"key=v=DKIM1; k=ed25519; t=s; p={ED25519}")
    store.run("dkim-set", "example.org/s1", f"key=v=DKIM1; k=rsa; p={RSA}", "--force")
    with Knotd(store) as knotd:
        assert texts(knotd.ask("example.org", "TXT")) == ["v=spf1 mx ~all"]
        assert texts(knotd.ask("_dmarc.example.org", "TXT")) == ["v=DMARC1; p=none"]
        assert texts(knotd.ask("s1._domainkey.example.org", "TXT", tcp=True)) == [f"v=DKIM1; k=rsa; p={RSA}"]


def test_quotes_of_a_text(store):
    """Quotes around a text are none of it; quotes within quotes are, and make the round."""
    store.apply(EMPTY)
    store.run("domain-set", "example.org", 'txt="site=1"', 'txt="\\"quoted\\""', "txt=say \"yes\"", "txt=a\\;b")
    shown = store.run("domain-show", "example.org").stdout
    exported = store.run("export").stdout
    store.apply(shown)
    store.load(exported)
    assert store.run("export").stdout == exported
    with Knotd(store) as knotd:
        assert texts(knotd.ask("example.org", "TXT")) == sorted(
            ["v=spf1 -all", "site=1", '"quoted"', 'say "yes"', "a\\;b"][1:] +
            [text for text in texts(knotd.ask("example.org", "TXT")) if text.startswith("v=spf1")])
    store.run("domain-set", "example.org", 'txt-="\\"quoted\\""')
    assert "quoted" not in store.run("domain-show", "example.org").stdout


def test_names_of_others_are_refused(store):
    """The error names both, says where, and nothing is written."""
    store.apply(EMPTY)
    before = store.run("export").stdout
    path = store.file("\n\n" + genkey("default", "v=DKIM1; h=sha256; k=rsa;"), ".txt")
    for args in (("dkim-import", "example.org/other", path), ("dkim-set", "example.org/other", f"key={path}")):
        said = store.run(*args, status=1).stderr
        assert f"{path}:3: " in said
        assert '"default._domainkey", not of "other._domainkey.example.org."' in said
    said = store.run("domain-set", "example.org", 'dmarc=_dmarc.example.net. TXT "v=DMARC1; p=none"', status=1).stderr
    assert '"_dmarc.example.net.", not of "_dmarc.example.org."' in said
    said = store.apply(f"dkim:\n  - id: example.org/other\n    key: {path.name}\n", status=1).stderr
    assert ".conf:3: " in said and path.name in said and '"default._domainkey"' in said
    said = store.run("dkim-import", "example.org", f"v=DKIM1; k=rsa; p={RSA}", status=1).stderr
    assert "example.org/SELECTOR" in said
    said = store.run("dkim-set", "example.org/x", "key=nowhere.txt", status=1).stderr
    assert "nowhere.txt: No such file" in said
    assert store.run("export").stdout == before


def test_certificates_from_files(store, directory):
    """cert-set current=FILE next=FILE, in every form; a file of TLSA records, as a tool wrote them, too."""
    for name in ("now", "then"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", "/dev/null", "-out", directory / f"{name}.pem", "-subj", f"/CN={name}"],
                       check=True, capture_output=True)
    now, then = directory / "now.pem", directory / "then.pem"
    store.run("cert-import", "one", "--current", now, "--next", then, "--form", "3 1 1", "--form", "3 0 1")
    store.run("cert-set", "two", f"next={then}", "form=3 1 1", f"current={now}", "form=3 0 1")
    entries = [json.loads(line) for line in store.run("export", "--section", "certificate").stdout.splitlines()]
    one, two = ({key: entry[key] for key in ("current", "next", "form")} for entry in entries)
    assert one == two and len(one["current"]) == 2
    # A set that is there keeps its forms; names begin at the working directory.
    tlsa = store.file(f"_25._tcp.mail.example.org. IN TLSA 3 1 1 {HASH}\n", ".tlsa")
    subprocess.run([str(TOOL), "-s", str(store.path.resolve()), "cert-set", "two", "current=then.pem",
                    f"next={tlsa.resolve()}"], cwd=directory, check=True)
    two = json.loads(store.run("cert-show", "two", "--json").stdout)
    assert two["current"] == one["next"] and two["next"] == [f"3 1 1 {HASH}"]
    said = store.run("cert-set", "two", f"current={store.file('nothing', '.pem')}", status=1).stderr
    assert "no certificate in it" in said


def test_files_in_the_wrong_place(store):
    """NDJSON given to apply, the dialect to import, and what neither reads, are recognised and named."""
    store.apply(EMPTY)
    ndjson = store.run("export").stdout
    zone = "$TTL 3600\n@ IN MX 10 mail\n"
    pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    array = json.dumps([json.loads(line) for line in ndjson.splitlines()], indent=1)
    for verb, text, hint in (
            ("apply", ndjson, "kmailctl import"), ("diff", ndjson, "kmailctl import"),
            ("import", EMPTY, "kmailctl apply"), ("apply", "\ufeff" + ndjson, "kmailctl import"),
            ("import", "# a comment\n" + EMPTY.lstrip(), "kmailctl apply"),
            ("apply", zone, "zone file"), ("import", zone, "zone file"),
            ("import", genkey("s1", "v=DKIM1; k=rsa;"), "zone file"),
            ("apply", pem, "cert-import"), ("import", pem, "dkim-import"),
            ("import", array, "jq"), ("apply", array, "jq")):
        status = 2 if verb == "diff" else 1
        said = store.run(verb, store.file(text, ".file"), status=status).stderr
        assert hint in said, (verb, text[:40], said)
    path = store.file("", ".conf")
    path.write_text(EMPTY, encoding="utf-16")
    assert "UTF-16" in store.run("apply", path, status=1).stderr
    assert "UTF-16" in store.run("import", path, status=1).stderr


def test_files_of_windows(store):
    """A byte order mark, CRLF and tabs do no harm to either format."""
    text = policy('mx: "10\tmail"', 'record:\t"www\tA\t192.0.2.80"')
    store.apply("\ufeff" + text.replace("\n", "\r\n"))
    exported = store.run("export").stdout
    assert "0 added, 0 changed" in store.load("\ufeff" + exported.replace("\n", "\r\n")).stderr
    with Knotd(store) as knotd:
        assert rdata(knotd.ask("www.example.org", "A")) == ["192.0.2.80"]
        assert rdata(knotd.ask("example.org", "MX"), "MX") == ["10 mail.example.org."]
