/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What literal records say: a text by its owner and version, other RDATA by their type. */
#include "record/check.h"

#include "lib/cases.h"
#include "record/literal.h"

#define ED "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
#define SPKI "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
/* RFC 6376 appendix C, as SubjectPublicKeyInfo and as RSAPublicKey: 1024 bits. */
#define RSA                                                                                        \
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYt"         \
	"IxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0"         \
	"fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB"
#define PKCS1                                                                                      \
	"MIGJAoGBAPAhE/9QLdIGwSYapn1klbf8OQygZ4udCDV9afv/Ni0jE3ZKcUKPE4Iob2/dviNh9xM2HmKN"         \
	"KyrrfW4Ei0truh36/9G10LZTMnWVZP3jupH5FxpzaBu2j80yonR/N9WMfg64qGK11j21/qZzAaNo0FxZ"         \
	"OggyY9I8N1A81RhyRxDZAgMBAAE="
#define RSA1000                                                                                    \
	"MIGbMA0GCSqGSIb3DQEBAQUAA4GJADCBhQJ+ALa/sp1qGCv0ZkyFIXjNeP6LG0YXE1g86CiuqrB9E5xJ"         \
	"cVZY0BCt+0xTG97m+XpSkXw0f186ygYs3m8jfVc7f/9LdYGXNEbR9aK+t97AbC2X89sNFk1jr8uThwfZ"         \
	"PS9EPx3xv3CSwBKPXWs5hkgmDIT48Y1iEC8aLp2y5DMNAgMBAAE="

#define HEX20 "00112233445566778899aabbccddeeff00112233"
#define HEX32 HEX20 "445566778899aabbccddeeff"
#define HEX64 HEX32 HEX32
/* sha1sum, sha256sum, sha384sum and sha512sum of /dev/null. */
#define EMPTY1 "da39a3ee5e6b4b0d3255bfef95601890afd80709"
#define EMPTY256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define EMPTY384                                                                                   \
	"38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f1" \
	"4898b95b"
#define EMPTY512                                                                                   \
	"cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2" \
	"877eec2f63b931bd47417a81a538327af927da3e"

/* What comes out: what readers take the text for. */
static const case_t texts[] = {
	/* SPF, at any name; the version is "v=spf1", in any case, and nothing longer. */
	GOOD("@ TXT \"v=spf1 mx -all\"", "spf"),
	GOOD("www TXT \"V=SPF1 a:mail.{domain} -all\"", "spf"),
	GOOD("* TXT \"v=spf1 -all\"", "spf"),
	GOOD("www TXT \"v=sp\" \"f1 mx \" \"-all\"", "spf"),
	GOOD("www TXT \"v=spf10 nonsense\"", "-"),
	GOOD("www TXT \" v=spf1 nonsense\"", "-"),
	WARN("www TXT \"v=spf1\"", "spf", 1),
	WARN("www TXT \"v=spf1 mx\"", "spf", 1),
	WARN("www TXT \"v=spf1 mx +all\"", "spf", 1),
	BAD("www TXT \"v=spf1 include=x.example -all\"", 0, "write include:x.example"),
	BAD("www TXT \"v=spf1 redirect:x.example\"", 0, "write redirect=x.example"),
	BAD("www TXT \"v=spf1 a:mail -all\"", 0, "'mail' is not a full domain"),
	BAD("www TXT \"v=spf1 foo -all\"", 0, "foo"),
	BAD("www TXT \"v=spf1 -all mx\"", 0, "after all"),
	BAD("www TXT \"v=spf1 include:a.x include:b.x include:c.x include:d.x include:e.x include:f.x "
	    "include:g.x include:h.x include:i.x a mx -all\"",
	    0, "more than 10 terms"),
	BAD("_dmarc TXT \"v=spf1 foo -all\"", 0, "foo"),

	/* DMARC, wherever a name begins with _dmarc. */
	GOOD("_dmarc TXT \"v=DMARC1; p=none\"", "dmarc"),
	GOOD("_dmarc TXT \"v = DMARC1 ;p=none;\"", "dmarc"),
	GOOD("_dmarc.www TXT \"v=DMARC1; p=reject; rua=mailto:d@{domain}\"", "dmarc"),
	WARN("_dmarc TXT \"v=DMARC1; p=reject; rua=mailto:d@{domain}!10m\"", "dmarc", 1),
	GOOD("_dmarc TXT \"v=DMARC1; rua=mailto:d@x.example\"", "dmarc"),
	WARN("_dmarc TXT \"v=DMARC1; p=none; pct=50\"", "dmarc", 1),
	WARN("_dmarc TXT \"v=DMARC2; p=none\"", "-", 1),
	BAD("_dmarc TXT \"v=DMARC1\"", 0, "has p="),
	BAD("_dmarc TXT \"v=dmarc1; p=none\"", 0, "begin with v=DMARC1"),
	BAD("_dmarc TXT \"p=none; v=DMARC1\"", 0, "begin with v=DMARC1"),
	BAD("_dmarc TXT \"p=none\"", 0, "begin with v=DMARC1"),
	BAD("_dmarc TXT \"v=DMARC1; p=nothing\"", 0, "p takes one of"),
	BAD("_dmarc TXT \"v=DMARC1; p=none; p=reject\"", 0, "the tag p is there twice"),
	BAD("_dmarc TXT \"v=DMARC1; p=none; v=DMARC1\"", 0, "the tag v is there twice"),
	BAD("_dmarc TXT \"v=DMARC1; p=none; rua=d@x.example\"", 0, "no URI"),
	BAD("_dmarc TXT \"v=DMARC1; p=none; nonsense\"", 0, "TAG=VALUE"),
	BAD("_dmarc TXT \"v=DMARC1; p=none;; sp=none\"", 0, "TAG=VALUE"),
	/* The consent to reports has the same version, and is none. */
	GOOD("x.example._report._dmarc TXT \"v=DMARC1\"", "-"),
	GOOD("*._report._dmarc TXT \"v=DMARC1; rua=mailto:d@x.example\"", "-"),

	/* MTA-STS and TLS-RPT have no blanks in their versions. */
	GOOD("_mta-sts TXT \"v=STSv1; id=20260101T000000\"", "mta-sts"),
	GOOD("_mta-sts TXT \"v=STSv1;id=a;\"", "mta-sts"),
	BAD("_mta-sts TXT \"v=STSv1\"", 0, "1 to 32 letters"),
	BAD("_mta-sts TXT \"v=STSv1; id=2026-01-01\"", 0, "letters and digits only"),
	BAD("_mta-sts TXT \"v=STSv1; id=a23456789012345678901234567890123\"", 0, "not 33"),
	BAD("_mta-sts TXT \"v=stsv1; id=1\"", 0, "begin with v=STSv1"),
	BAD("_mta-sts TXT \"v = STSv1; id=1\"", 0, "begin with v=STSv1"),
	BAD("_mta-sts TXT \"id=1\"", 0, "begin with v=STSv1"),
	GOOD("_smtp._tls TXT \"v=TLSRPTv1; rua=mailto:t@x.example,https://x.example/t\"",
	     "tls-rpt"),
	BAD("_smtp._tls TXT \"v=TLSRPTv1\"", 0, "needs an address"),
	BAD("_smtp._tls TXT \"v=TLSRPTv1; rua=t@x.example\"", 0, "no URI"),
	WARN("_smtp._tls TXT \"v=TLSRPTv2; ruf=x\"", "-", 1),
	GOOD("x._tls TXT \"anything\"", "-"),

	/* BIMI. */
	GOOD("default._bimi TXT \"v=BIMI1; l=https://x.example/l.svg; a=https://x.example/l.pem\"",
	     "bimi"),
	GOOD("s2._bimi TXT \"v=BIMI1; l=; a=;\"", "bimi"),
	BAD("s2._bimi TXT \"v=BIMI1\"", 0, "has l="),
	BAD("s2._bimi TXT \"v=BIMI1; l=http://x.example/l.svg\"", 0, "https"),
	BAD("s2._bimi TXT \"l=https://x.example/l.svg\"", 0, "begin with v=BIMI1"),

	/* DKIM keys: all that stands below _domainkey, with or without a version. */
	GOOD("s._domainkey TXT \"v=DKIM1; k=ed25519; p=" ED "\"", "dkim"),
	GOOD("a.s._domainkey.www TXT \"k=ed25519; p=" ED "; t=s; n=a note\"", "dkim"),
	GOOD("*._domainkey TXT \"v=DKIM1; p=\"", "dkim"),
	WARN("s._domainkey TXT \"v=DKIM1; p=" RSA "\"", "dkim", 1),
	WARN("s._domainkey TXT \"v=DKIM1; k=rsa; h=sha256; p=" RSA "\"", "dkim", 1),
	WARN("s._domainkey TXT \"v=DKIM1; s=email; p=\"", "dkim", 1),
	BAD("s._domainkey TXT \"v=DKIM1; k=rsa; p=" RSA1000 "\"", 0, "1000 bits"),
	BAD_WARN("s._domainkey TXT \"v=DKIM1; k=rsa; p=" PKCS1 "\"", 1, 0, "not in the form"),
	BAD("s._domainkey TXT \"v=DKIM1; k=ed25519; p=" SPKI "\"", 0, "not in the form"),
	BAD("s._domainkey TXT \"v=DKIM1; k=rsa; p=" ED "\"", 0, "k=rsa, but the key"),
	BAD("s._domainkey TXT \"v=DKIM1; p=" ED "\"", 0, "k=rsa, but the key"),
	BAD("s._domainkey TXT \"v=DKIM1; k=dsa; p=" ED "\"", 0, "k=rsa or k=ed25519"),
	BAD("s._domainkey TXT \"v=DKIM1; k=rsa; p=abc\"", 0, "base64"),
	BAD("s._domainkey TXT \"v=DKIM1; k=rsa\"", 0, "has p="),
	BAD("s._domainkey TXT \"v=DKIM2; p=\"", 0, "v=DKIM1"),
	BAD("s._domainkey TXT \"p=; v=DKIM1\"", 0, "not first"),
	BAD("s._domainkey TXT \"v=DKIM1; h=sha1; p=\"", 0, "SHA-1"),
	BAD("s._domainkey TXT \"v=DKIM1; p=; p=\"", 0, "there twice"),
	BAD("s._domainkey TXT x", 0, "TAG=VALUE"),
	/* No keys. */
	GOOD("_domainkey TXT \"o=~\"", "-"),
	GOOD("_adsp._domainkey TXT \"dkim=all\"", "-"),
	GOOD("_report._domainkey TXT \"ra=postmaster\"", "-"),

	/* Where no reader looks. */
	GOOD("www TXT \"anything; v=DMARC1\"", "-"),
	WARN("@ TXT \"v=DMARC1; p=none\"", "-", 1),
	WARN("dmarc TXT \"v=DMARC1; p=none\"", "-", 1),
	WARN("s TXT \"v=DKIM1; p=\"", "-", 1),
	WARN("_tls TXT \"v=TLSRPTv1; rua=mailto:t@x.example\"", "-", 1),
	WARN("mta-sts TXT \"v=STSv1; id=1\"", "-", 1),
	WARN("_bimi TXT \"v=BIMI1; l=\"", "-", 1),
};

static mail_str_t text_of(const uint8_t *octets, int len, mail_buf_t *text)
{
	for (int at = 0; at < len; at += 1 + octets[at]) {
		(void)mail_buf_put(text, octets + at + 1, octets[at]);
	}
	return mail_buf_view(text);
}

/* Parse a literal record and check what it says; in literals only, or as of an item. */
static int check(mail_str_t in, bool literal, mail_buf_t *out, mail_diag_t *diag)
{
	static const char *const names[MAIL_TEXT_COUNT] = { "-",       "spf",     "dkim", "dmarc",
		                                            "mta-sts", "tls-rpt", "bimi" };
	static uint8_t octets[MAIL_RDATA_MAX];
	const bool delegation = memmem(in.data, in.len, " DS ", 4) != NULL ||
	                        memmem(in.data, in.len, " NS ", 4) != NULL;
	mail_record_t record;
	mail_rdata_t rdata = { 0 };
	mail_lf_storage_t owner;
	knot_dname_storage_t name;
	mail_buf_t text = { 0 };
	if (!CHECK_OK(mail_record_parse(in, delegation, &record, &rdata, NULL))) {
		return KNOT_EMALF;
	}
	CHECK_OK(mail_pattern_name(&record.owner, rendered_apex()->name, name));
	mail_name_lf(name, &owner);
	const int len = mail_rdata_fill(&rdata, rendered_apex(), octets, sizeof(octets));
	int ret;
	if (record.type == KNOT_RRTYPE_TXT) {
		const mail_str_t said = text_of(octets, len, &text);
		ret = mail_text_check(mail_lf(&owner), said, diag);
		const mail_text_kind_t kind = mail_text_kind(mail_lf(&owner), said);
		CHECK((mail_text_twice(kind) == NULL) == (kind == MAIL_TEXT_OTHER));
		(void)mail_buf_str(out, ret == KNOT_EOK ? names[kind] : "");
	} else {
		const mail_octets_t said = { mail_lf(&owner), record.type, literal, octets,
			                     (size_t)len };
		ret = mail_rdata_check(&said, diag);
		if (ret == KNOT_EOK) {
			const bool none = mail_rdata_is_none(record.type, octets, (size_t)len);
			(void)mail_buf_str(out, none ? "none" : "good");
		}
	}
	mail_buf_free(&text);
	mail_rdata_free(&rdata);
	return ret;
}

static int check_literal(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	return check(in, true, out, diag);
}

static int check_made(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	return check(in, false, out, diag);
}

static void test_texts(void)
{
	run_cases(texts, check_literal);
}

#define GOOD_AS_IS(text) GOOD(text, "good")

static const case_t octets[] = {
	/* Null MX, and "not offered". */
	GOOD("x MX 0 .", "none"),
	GOOD_AS_IS("x MX 0 mail"),
	GOOD("x SRV 0 0 0 .", "none"),
	GOOD_AS_IS("x SRV 0 1 443 mail"),
	BAD("x MX 10 .", 0, "its preference is 0"),
	BAD("x SRV 0 0 443 .", 0, "write 0 0 0 ."),
	BAD("x SRV 1 0 0 .", 0, "write 0 0 0 ."),
	BAD("x SRV 0 1 0 mail", 0, "port 0"),
	/* No host has a name whose last label is a number; the domain's own is behind a relative one. */
	GOOD_AS_IS("x MX 10 1"),
	GOOD_AS_IS("x MX 10 1.2.a3."),
	GOOD_AS_IS("x CNAME 3com.example."),
	GOOD_AS_IS("x HTTPS 1 ."),
	GOOD_AS_IS("x DNAME ."),
	BAD("x MX 10 0.", 0, "\"0.\" is no host"),
	BAD("x MX 10 mx.example.123.", 0, "\"mx.example.123.\" is no host"),
	BAD("x SRV 0 1 443 0.", 0, "\"0.\" is no host"),
	BAD("x CNAME 1.2.", 0, "\"1.2.\" is no host"),
	BAD("x CNAME .", 0, "is the root"),
	BAD("x DNAME 1.2.3.4.", 0, "\"1.2.3.4.\" is no host"),
	BAD("x PTR 4.", 0, "\"4.\" is no host"),
	BAD("x HTTPS 1 1.2.3.4.", 0, "\"1.2.3.4.\" is no host"),
	BAD("x SVCB 1 7.", 0, "\"7.\" is no host"),
	BAD("x NS 0.", 0, "\"0.\" is no host"),
	BAD("x NS .", 0, "is the root"),
	/* TLSA: at mail's ports as the items have it, elsewhere as RFC 6698 does. */
	GOOD_AS_IS("_25._tcp TLSA 3 1 1 " HEX32),
	GOOD_AS_IS("_25._tcp.mail TLSA 2 0 2 " HEX64),
	GOOD_AS_IS("_443._tcp.www TLSA 0 0 1 " HEX32),
	GOOD_AS_IS("_443._tcp.www TLSA 1 1 0 00"),
	GOOD_AS_IS("*._tcp TLSA 1 1 1 " HEX32),
	BAD("_25._tcp TLSA 0 0 1 " HEX32, 0, "usage is 3"),
	BAD("_587._tcp.mail TLSA 1 0 1 " HEX32, 0, "usage is 3"),
	BAD("_25._tcp TLSA 3 0 0 00", 0, "matching type is 1"),
	BAD("_443._tcp TLSA 4 0 1 " HEX32, 0, "go up to 3 1 2"),
	BAD("_443._tcp TLSA 3 2 1 " HEX32, 0, "go up to 3 1 2"),
	BAD("_443._tcp TLSA 3 1 3 " HEX32, 0, "go up to 3 1 2"),
	BAD("_443._tcp TLSA 3 1 1 " HEX20, 0, "32 octets, this has 20"),
	BAD("_25._tcp TLSA 3 1 2 " HEX32, 0, "64 octets, this has 32"),
	BAD("_25._tcp TLSA 3 1 1 " EMPTY256, 0, "digest of nothing"),
	BAD("_443._tcp TLSA 3 1 2 " EMPTY512, 0, "digest of nothing"),
	BAD("_443._tcp TYPE52 \\# 2 0301", 0, "lacks"),
	BAD("_443._tcp TYPE52 \\# 3 030100", 0, "is missing"),
	GOOD_AS_IS("x SMIMEA 3 1 1 " HEX32),
	BAD("x SMIMEA 3 1 1 " EMPTY256, 0, "digest of nothing"),
	/* DS. */
	GOOD_AS_IS("x DS 1 13 2 " HEX32),
	GOOD_AS_IS("x DS 1 13 4 " HEX32 "00112233445566778899aabbccddeeff"),
	WARN("x DS 1 8 1 " HEX20, "good", 1),
	WARN("x DS 1 12 3 " HEX32, "good", 1),
	BAD("x DS 1 0 2 " HEX32, 0, "algorithm or digest type 0"),
	BAD("x DS 1 13 0 " HEX32, 0, "algorithm or digest type 0"),
	BAD_WARN("x DS 1 12 3 " HEX20, 1, 0, "32 octets, this has 20"),
	BAD("x DS 1 13 2 " EMPTY256, 0, "digest of nothing"),
	BAD("x DS 1 13 4 " EMPTY384, 0, "digest of nothing"),
	BAD_WARN("x DS 1 13 1 " EMPTY1, 1, 0, "digest of nothing"),
	/* SSHFP. */
	GOOD_AS_IS("x SSHFP 4 2 " HEX32),
	GOOD_AS_IS("x SSHFP 1 1 " HEX20),
	GOOD_AS_IS("x SSHFP 4 9 00"),
	BAD("x SSHFP 4 2 " HEX20, 0, "32 octets, this has 20"),
	BAD("x SSHFP 4 1 " HEX32, 0, "20 octets, this has 32"),
	BAD("x SSHFP 0 2 " HEX32, 0, "reserved"),
	BAD("x SSHFP 4 0 " HEX32, 0, "reserved"),
	BAD("x SSHFP 4 2 " EMPTY256, 0, "digest of nothing"),
	BAD("x TYPE44 \\# 1 04", 0, "reserved"),
	BAD("x TYPE44 \\# 2 0402", 0, "is missing"),
	/* CAA. */
	GOOD_AS_IS("x CAA 0 issue \"ca.example; policy=\\\"x\\\"\""),
	GOOD_AS_IS("x CAA 128 issuewild \";\""),
	WARN("x CAA 3 issue \"ca.example\"", "good", 1),
	WARN("x CAA 0 other \"ca.example\"", "good", 1),
	BAD("x CAA 0 issue \"\"", 0, "issuer is missing"),
	BAD("x CAA 0 issue \"ca example\"", 0, "white space"),
	BAD("x CAA 0 iodef \"nobody\"", 0, "not a mailto:"),
	BAD("x TYPE257 \\# 3 000561", 0, "FLAGS TAG VALUE"),
	/* Nothing to say of others. */
	GOOD_AS_IS("x A 192.0.2.1"),
	GOOD_AS_IS("x TYPE65280 \\# 3 010203"),
};

static void test_octets(void)
{
	run_cases(octets, check_literal);
}

/* Items have parsed their values, and say more of them; but nobody has looked at the digest. */
static const case_t made[] = {
	GOOD_AS_IS("x CAA 3 issue \"ca.example\""),
	GOOD_AS_IS("_443._tcp TLSA 3 1 1 " HEX32),
	BAD("_443._tcp TLSA 0 1 1 " HEX32, 0, "usage is 3"),
	BAD("_443._tcp TLSA 3 1 1 " EMPTY256, 0, "digest of nothing"),
	BAD("x MX 10 0.", 0, "\"0.\" is no host"),
};

static void test_made(void)
{
	run_cases(made, check_made);
}

UNIT_MAIN("check", TEST("texts", test_texts), TEST("other RDATA", test_octets),
          TEST("RDATA of items", test_made))
