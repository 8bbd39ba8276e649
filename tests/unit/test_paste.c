/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What people paste in place of values: every kind of record in every form, and what is refused. */
#include "mail/entry.h"

#include "mail/json.h"

#include "lib/cases.h"

#define P_ED25519 "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
#define P_RSA                                                                                      \
	"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqlddLN3BjInvBqI1KpdouG7feBsEt5t233jWQJW7FaY7" \
	"sR/MfWNxuzTObLoZ3l76DFq3xPjVhmy/YYiOAnMOtq9hUFqgBVTSwUNHYPz1YUEcrI5+Ban7P7LV8kggvTAaWhAI"
#define P_RSA2                                                                                     \
	"3iSXJIFaUq78K8YYr/zrGyBlg5HCPpd+DMRAB8j1ID8bcWFaVebwAOrartXOO/f8Bn9jrRrLhjP3c8UlmkJLXkSn" \
	"cXPp69R9VpevrKJtpBjaFxKtx7DXGie821MHuWJ7pWMdU1Uf3z8UBKF9bnrCZ5v0SdiaFkPXR1Iiq/gR6bMwdlWv" \
	"ST9V6ePnqZqX+Iv4FA28byOot73/CIINFwIDAQAB"
#define HASH "064dbc632f1ba7d0a2a3faeadeedfebd6f90f850dfb852c97ee9df9b6e5c5e7c"

/* What is wanted is the entry as JSON, ' for ", from behind the id on. */
static void print(const mail_entry_t *entry, mail_buf_t *out)
{
	mail_buf_t json = { 0 };
	CHECK_OK(mail_json_print(entry, &json));
	REQUIRE(json.len > 2);
	size_t at = 0;
	/* kind and id are the first four strings. */
	for (unsigned quotes = 0; quotes < 8 && at < json.len; at++) {
		quotes += json.data[at] == '"';
	}
	for (at += json.data[at] == ','; at + 1 < json.len; at++) {
		mail_buf_u8(out, json.data[at] == '"' ? '\'' : json.data[at]);
	}
	mail_buf_free(&json);
}

/* Read "SECTION ID ITEM|TEXT" into an entry. A host is called mail.example.net. */
static int parse(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	char head[80] = "", section[16], id[40], item[20];
	const char *mark = memchr(in.data, '|', in.len);
	REQUIRE(mark != NULL && mark - in.data < 80);
	memcpy(head, in.data, (size_t)(mark - in.data));
	REQUIRE(sscanf(head, "%15s %39s %19s", section, id, item) == 3);
	const mail_str_t text = { mark + 1, in.len - (size_t)(mark + 1 - in.data) };
	const mail_section_t kind = mail_section_find(MAIL_STR(section));
	mail_entry_t *entry = mail_entry_new(kind, MAIL_STR(id));
	mail_op_t op = MAIL_OP_SET;
	char *end = strstr(item, "-add");
	if (end != NULL) {
		op = MAIL_OP_ADD;
		*end = '\0';
	}
	REQUIRE(entry != NULL);
	if (kind == MAIL_SECTION_HOST) {
		CHECK_OK(mail_entry_parse(entry, mail_item_find(kind, MAIL_STR("name")),
		                          MAIL_OP_SET, MAIL_STR("mail.example.net."), 0, NULL));
	}
	int ret = mail_entry_parse(entry, mail_item_find(kind, MAIL_STR(item)), op, text, 0, diag);
	if (ret == KNOT_EOK) {
		mail_entry_remove(entry, MAIL_ITEM_NAME, MAIL_OP_SET);
		print(entry, out);
	} else if (diag != NULL) {
		/* Where it is is asked for elsewhere. */
		diag->column = 0;
	}
	mail_entry_free(entry);
	return ret;
}

/* --- Every kind in every form --- */

/*! A kind of record, as an entry has it and as it is printed. */
typedef struct {
	const char *place; /*!< SECTION ID ITEM. */
	const char *owner; /*!< Without its last dot. */
	const char *rel;   /*!< Relative to example.net. */
	const char *type;
	const char *rdata;  /*!< As in a master file. */
	const char *plain;  /*!< Without quotes; NULL: that cannot be. */
	const char *phrase; /*!< What host writes before the RDATA. */
	const char *equals; /*!< What nslookup writes. */
	const char *want;
} kind_t;

static const kind_t kinds[] = {
	{ "dkim example.net/s1 key", "s1._domainkey.example.net", "s1._domainkey", "TXT",
	  "\"v=DKIM1; h=sha256; k=ed25519; t=s; \" \"p=" P_ED25519 "\"",
	  "v=DKIM1; h=sha256; k=ed25519; t=s; p=" P_ED25519, "descriptive text",
	  "text =", "'key':'" P_ED25519 "','tags':'v=DKIM1; h=sha256; k=ed25519; t=s; p='" },
	{ "dkim example.net/s2 key", "s2._domainkey.example.net", "s2._domainkey", "TXT",
	  "\"v=DKIM1; k=rsa; p=" P_RSA "\" \"" P_RSA2 "\"", "v=DKIM1; k=rsa; p=" P_RSA P_RSA2,
	  "descriptive text", "text =", "'key':'" P_RSA P_RSA2 "','tags':'none'" },
	{ "dkim example.net/s3 cname", "s3._domainkey.example.net", "s3._domainkey", "CNAME",
	  "s3.example.net.dkim.example.com.", "s3.example.net.dkim.example.com.", "is an alias for",
	  "canonical name =", "'cname':'s3.example.net.dkim.example.com.'" },
	{ "domain example.net mx", "example.net", "@", "MX", "10 mail.example.net.",
	  "10 mail.example.net.", "mail is handled by",
	  "mail exchanger =", "'mx':['10 mail.example.net.']" },
	{ "domain example.net spf", "example.net", "@", "TXT",
	  "\"v=spf1 mx include:_spf.example.com ~all\"", "v=spf1 mx include:_spf.example.com ~all",
	  "descriptive text", "text =", "'spf':['mx include:_spf.example.com'],'spf-all':'~all'" },
	{ "domain example.net dmarc", "_dmarc.example.net", "_dmarc", "TXT",
	  "\"v=DMARC1; p=reject; rua=mailto:a@example.net\"",
	  "v=DMARC1; p=reject; rua=mailto:a@example.net", "descriptive text",
	  "text =", "'dmarc':{'p':'reject','rua':'mailto:a@example.net'}" },
	{ "domain example.net tls-rpt", "_smtp._tls.example.net", "_smtp._tls", "TXT",
	  "\"v=TLSRPTv1; rua=mailto:t@example.net,https://t.example/r\"",
	  "v=TLSRPTv1; rua=mailto:t@example.net,https://t.example/r", "descriptive text",
	  "text =", "'tls-rpt':['mailto:t@example.net','https://t.example/r']" },
	{ "domain example.net mta-sts-id", "_mta-sts.example.net", "_mta-sts", "TXT",
	  "\"v=STSv1; id=20260101T000000;\"", "v=STSv1; id=20260101T000000;", "descriptive text",
	  "text =", "'mta-sts-id':'20260101T000000'" },
	{ "domain example.net caa", "example.net", "@", "CAA",
	  "0 issue \"ca.example; validationmethods=dns-01\"", NULL, "has CAA record",
	  "rdata_257 =", "'caa':['0 issue \\'ca.example; validationmethods=dns-01\\'']" },
	{ "domain example.net txt", "example.net", "@", "TXT", "\"site=abc;d\"", NULL,
	  "descriptive text", "text =", "'txt':['site=abc;d']" },
	{ "domain example.net ns", "example.net", "@", "NS", "ns1.example.com.", "ns1.example.com.",
	  "name server", "nameserver =", "'ns':['ns1.example.com.']" },
	{ "domain example.net autoconfig", "autoconfig.example.net", "autoconfig", "CNAME",
	  "mail.example.net.", "mail.example.net.", "is an alias for",
	  "canonical name =", "'autoconfig':'mail.example.net.'" },
	{ "domain example.net mta-sts-host", "mta-sts.example.net", "mta-sts", "CNAME",
	  "web.example.net.", "web.example.net.", "is an alias for",
	  "canonical name =", "'mta-sts-host':'web.example.net.'" },
	{ "host mail address", "mail.example.net", "mail", "A", "192.0.2.25", "192.0.2.25",
	  "has address", "has address", "'address':['192.0.2.25']" },
	{ "host mail address", "mail.example.net", "mail", "AAAA", "2001:db8::25", "2001:db8::25",
	  "has IPv6 address", "has AAAA address", "'address':['2001:db8::25']" },
	{ "host mail tlsa", "_25._tcp.mail.example.net", "_25._tcp.mail", "TLSA", "3 1 1 " HASH,
	  "3 1 1 " HASH, "has TLSA record", "rdata_52 =", "'tlsa':['3 1 1 " HASH "']" },
	{ "host mail helo-spf", "mail.example.net", "mail", "TXT", "\"v=spf1 a -all\"",
	  "v=spf1 a -all", "descriptive text", "text =", "'helo-spf':['a -all']" },
	{ "certificate web current", "_25._tcp.mail.example.net", "_25._tcp.mail", "TLSA",
	  "3 1 1 " HASH, "3 1 1 " HASH, "has TLSA record",
	  "rdata_52 =", "'current':['3 1 1 " HASH "']" },
};

/*
 * Forms: %o the owner, %r relative to the domain, %R relative if it is not the domain itself, %t type, %l and %O type and
 * owner in letters of the other case, %d RDATA, %p RDATA without quotes, %e with ; escaped, %h and %n what host and
 * nslookup write.
 */
static const char *const forms[] = {
	/* Lines of zone files, as dig, kdig, drill and delv write them, too. */
	"%o. 3600 IN %t %d",
	"%o.\t3600\tIN\t%t\t%d",
	"%o.             \t3600\tIN\t%t\t%d\n",
	"%o. IN %t %d",
	"%o. IN 3600 %t %d",
	"%o. 3600 %t %d",
	"%o. 1h30m IN %t %d",
	"%o. %t %d",
	"%O. 3600 in %l %d",
	"%o IN %t %d",
	"%r IN %t %d",
	"%r\t\tIN\t%t\t%d",
	"%r %t %d",
	"IN %t %d",
	"3600 IN %t %d",
	"\tIN\t%t\t%d",
	"%t %d",
	"  %o. IN %t %d  ",
	"\r\n%o. IN %t %d\r\n",
	"\xef\xbb\xbf%o. IN %t %d",
	"%o. IN %t ( %d )",
	"%o. IN %t (\n\t%d\n\t)\n",
	"%o. IN %t ( ; a comment\n %d ) ; ----- for example.net\n",
	"%o. IN %t %d ; a comment",
	"; a comment; \"quoted\" (\n%o. IN %t %d\n;\n",
	"# a comment\n\n%o. IN %t %d\n\n",
	"$ORIGIN example.net.\n$TTL 3600\n%r IN %t %d\n",
	"\n; <<>> DiG 9.18.28 <<>> %o %t\n;; global options: +cmd\n;; Got answer:\n"
	";; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 1\n"
	";; flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1\n\n"
	";; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:; udp: 1232\n"
	";; QUESTION SECTION:\n;%o.\tIN\t%t\n\n;; ANSWER SECTION:\n%o.\t3600\tIN\t%t\t%d\n\n"
	";; Query time: 0 msec\n;; SERVER: 127.0.0.1#53(127.0.0.1) (UDP)\n",
	";; ->>HEADER<<- opcode: QUERY; status: NOERROR; id: 1\n"
	";; Flags: qr aa rd; QUERY: 1; ANSWER: 2; AUTHORITY: 0; ADDITIONAL: 0\n\n"
	";; QUESTION SECTION:\n;; %o.\tIN\t%t\n\n;; ANSWER SECTION:\n%o.\t3600\tIN\t%t\t%d\n"
	"%o.\t3600\tIN\tRRSIG\t%t 13 3 3600 20260101000000 20250101000000 1 example.net. AAAA\n\n"
	";; Received 1 B\n",
	"; fully validated\n%o.\t3600\tIN\t%t\t%d\n",
	/* Other tools. */
	"%o %h %d",
	"%o. %h %d\n",
	"Using domain server:\nName: 127.0.0.1\nAddress: 127.0.0.1#53\nAliases: \n\n%o %h %d\n",
	"Server:\t\t127.0.0.1\nAddress:\t127.0.0.1#53\n\nNon-authoritative answer:\n%o\t%n %d\n\n",
	"%o IN %t %d -- link: eth0\n\n-- Information acquired via protocol DNS in 2ms.\n",
	"%t %o. 1h00m00s   %d",
	"%o has %t record %d",
	/* Pages of providers, and what people do with them. */
	"%t\t%o.\t%d",
	"%t\t%R\t%d",
	"%R\t%t\t%d",
	"%d",
	"%d\n",
	"  %d \r\n",
	"( %d )",
	"%p",
	"\"%p\"",
	"'%p'",
	"`%p`",
	"\"%p",
	"%p\"",
	"\xe2\x80\x9c%p\xe2\x80\x9d",
	"%e",
	"%r IN %t %e",
	"%o. 3600 IN %t %p",
	"\xc2\xa0%p\xc2\xa0",
};

static void put_escaped(const char *text, mail_buf_t *out)
{
	for (; *text != '\0'; text++) {
		if (*text == ';') {
			mail_buf_u8(out, '\\');
		}
		mail_buf_u8(out, (uint8_t)*text);
	}
}

static void put_other_case(const char *text, mail_buf_t *out)
{
	for (; *text != '\0'; text++) {
		const bool letter = (*text >= 'a' && *text <= 'z') ||
		                    (*text >= 'A' && *text <= 'Z');
		mail_buf_u8(out, (uint8_t)(letter ? *text ^ 0x20 : *text));
	}
}

/*! Write a kind in a form. \return false: the kind has no such form. */
static bool fill(const char *form, const kind_t *kind, mail_buf_t *out)
{
	mail_buf_printf(out, "%s|", kind->place);
	for (; *form != '\0'; form++) {
		if (*form != '%') {
			mail_buf_u8(out, (uint8_t)*form);
			continue;
		}
		form++;
		if (strchr("pe", *form) != NULL && kind->plain == NULL) {
			return false;
		}
		switch (*form) {
		case 'o': mail_buf_str(out, kind->owner); break;
		case 'r':
		case 'R': mail_buf_str(out, kind->rel); break;
		case 'O': put_other_case(kind->owner, out); break;
		case 't': mail_buf_str(out, kind->type); break;
		case 'l': put_other_case(kind->type, out); break;
		case 'd': mail_buf_str(out, kind->rdata); break;
		case 'p': mail_buf_str(out, kind->plain); break;
		case 'e': put_escaped(kind->plain, out); break;
		case 'h': mail_buf_str(out, kind->phrase); break;
		case 'n': mail_buf_str(out, kind->equals); break;
		default: REQUIRE(false);
		}
	}
	return true;
}

static void test_forms(void)
{
	size_t tried = 0;
	EACH(kind, kinds) {
		for (size_t i = 0; i < COUNT(forms); i++) {
			mail_buf_t in = { 0 }, out = { 0 };
			mail_diag_t diag = { 0 };
			if (fill(forms[i], kind, &in)) {
				int ret = parse(mail_buf_view(&in), &out, &diag);
				CHECK(ret == KNOT_EOK &&
				              mail_str_is(mail_buf_view(&out), kind->want),
				      "form %zu: %.*s\n%s\n%.*s\n%s", i, (int)in.len,
				      (char *)in.data, diag.text, (int)out.len, (char *)out.data,
				      kind->want);
				tried++;
			}
			mail_buf_free(&in);
			mail_buf_free(&out);
		}
	}
	CHECK(tried > 800, "%zu", tried);
}

/* --- One by one --- */

#define DKIM(text) "dkim example.net/s1 key|" text
#define KEY "'key':'" P_ED25519 "'"
#define ED "v=DKIM1; k=ed25519; p=" P_ED25519
#define RSA1024                                                                                    \
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYt"         \
	"IxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0"         \
	"fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB"
#define RSA1000                                                                                    \
	"MIGbMA0GCSqGSIb3DQEBAQUAA4GJADCBhQJ+ALa/sp1qGCv0ZkyFIXjNeP6LG0YXE1g86CiuqrB9E5xJ"         \
	"cVZY0BCt+0xTG97m+XpSkXw0f186ygYs3m8jfVc7f/9LdYGXNEbR9aK+t97AbC2X89sNFk1jr8uThwfZ"         \
	"PS9EPx3xv3CSwBKPXWs5hkgmDIT48Y1iEC8aLp2y5DMNAgMBAAE="

static const case_t dkim[] = {
	/* A record is served as it is: its tags are kept, or they are a frame for the key. */
	GOOD(DKIM(ED), KEY ",'tags':'none'"),
	GOOD(DKIM("v=DKIM1; k=ed25519; h=sha256; p=" P_ED25519), KEY ",'tags':'h=sha256'"),
	GOOD(DKIM("v=DKIM1; k=ed25519; h=sha256; t=s; n=a note; p=" P_ED25519),
	     KEY ",'tags':'h=sha256; t=s; n=a note'"),
	GOOD(DKIM("v=DKIM1;k=ed25519;p=" P_ED25519), KEY ",'tags':'v=DKIM1;k=ed25519;p='"),
	GOOD(DKIM(ED ";"), KEY ",'tags':'v=DKIM1; k=ed25519; p=;'"),
	GOOD(DKIM(ED "; t=s"), KEY ",'tags':'v=DKIM1; k=ed25519; p=; t=s'"),
	GOOD(DKIM("k=ed25519; p=" P_ED25519), KEY ",'tags':'k=ed25519; p='"),
	GOOD(DKIM("v=DKIM1; p=" P_ED25519 "; k=ed25519"), KEY ",'tags':'v=DKIM1; p=; k=ed25519'"),
	GOOD(DKIM("v=DKIM1; h=sha256; k=ed25519; x_y=1:2; p=" P_ED25519),
	     KEY ",'tags':'v=DKIM1; h=sha256; k=ed25519; x_y=1:2; p='"),
	GOOD(DKIM("v=DKIM1;  k=ed25519;\tt=s ; p = " P_ED25519),
	     KEY ",'tags':'v=DKIM1;  k=ed25519; t=s ; p='"),
	WARN(DKIM("v=DKIM1; k=ed25519; t=y; p=" P_ED25519), KEY ",'tags':'t=y'", 1),
	WARN(DKIM("v=DKIM1; k=ed25519; s=email; p=" P_ED25519), KEY ",'tags':'s=email'", 1),
	WARN(DKIM("v=DKIM1; k=rsa; p=" RSA1024), "'key':'" RSA1024 "','tags':'none'", 1),
	GOOD(DKIM("v=DKIM1; p=" P_RSA P_RSA2), "'key':'" P_RSA P_RSA2 "','tags':'v=DKIM1; p='"),
	/* A key alone says nothing of tags. */
	GOOD(DKIM(P_ED25519), KEY),
	GOOD(DKIM("p=" P_ED25519), KEY),
	GOOD(DKIM("\"p=" P_ED25519 "\""), KEY),
	GOOD(DKIM("\"" P_ED25519 "\""), KEY),
	GOOD(DKIM("N/BkJD6xbEiMb39v\n7JW6AwdPHO5gKB3fc\r\n\tCnod4zQ31U=\n"), KEY),
	GOOD(DKIM("  N/BkJD6xbEiMb39v 7JW6AwdPHO5gKB3fc Cnod4zQ31U="), KEY),
	GOOD(DKIM("\"N/BkJD6xbEiMb39v\" \"7JW6AwdPHO5gKB3fcCnod4zQ31U=\""), KEY),
	GOOD(DKIM("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMl"
	          "rwIaaPcHURo=\n-----END PUBLIC KEY-----\n"),
	     "'key':'11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo='"),
	/* opendkim-genkey; with -a -r -S -t -n. */
	GOOD(DKIM("s1._domainkey\tIN\tTXT\t( \"v=DKIM1; h=sha256; k=rsa; \"\n\t  \"p=" P_RSA
	          "\"\n\t  \"" P_RSA2 "\" )  ; ----- DKIM key s1 for example.net\n"),
	     "'key':'" P_RSA P_RSA2 "','tags':'v=DKIM1; h=sha256; k=rsa; p='"),
	WARN(DKIM("s1._domainkey.example.net.\tIN\tTXT\t( \"v=DKIM1; n=\\\"my note\\\"; h=sha256; "
	          "k=rsa; t=y:s; s=email; \"\n\t  \"p=" P_RSA "\"\n\t  \"" P_RSA2
	          "\" )  ; ----- DKIM key s1 for example.net\n"),
	     "'key':'" P_RSA P_RSA2 "','tags':'v=DKIM1; n=\\'my note\\'; h=sha256; k=rsa; t=y:s; "
	     "s=email; p='",
	     2),
	/* rspamadm dkim_keygen: dns, with the private key before it, dnskey, plain. */
	GOOD(DKIM("s1._domainkey IN TXT ( \"v=DKIM1; k=ed25519;\" \n\t\"p=" P_ED25519 "\" ) ;\n"),
	     KEY ",'tags':'v=DKIM1; k=ed25519;p='"),
	GOOD(DKIM("s1._domainkey IN TXT ( \"v=DKIM1; k=rsa; \"\n\t\"p=" P_RSA "\"\n\t\"" P_RSA2
	          "\"\n) ; \n"),
	     "'key':'" P_RSA P_RSA2 "','tags':'none'"),
	GOOD(DKIM("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v\n"
	          "-----END PRIVATE KEY-----\ns1._domainkey IN TXT ( \"v=DKIM1; k=ed25519;\" \n"
	          "\t\"p=" P_ED25519 "\" ) ;\n"),
	     KEY ",'tags':'v=DKIM1; k=ed25519;p='"),
	/* amavisd; two strings of which the first loses its quote; escapes. */
	GOOD(DKIM("; key#1, s=s1, d=example.net\ns1._domainkey.example.net.\t3600 TXT (\n  "
	          "\"v=DKIM1; k=ed25519; p=\"\n  \"" P_ED25519 "\")\n"),
	     KEY ",'tags':'none'"),
	GOOD(DKIM("v=DKIM1; k=rsa; p=" P_RSA "\" \"" P_RSA2),
	     "'key':'" P_RSA P_RSA2 "','tags':'none'"),
	GOOD(DKIM("\"v=DKIM1\\; k=ed25519\\; p=N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U\\061\""),
	     KEY ",'tags':'none'"),
	GOOD(DKIM("\"s1._domainkey IN TXT \\\"" ED "\\\"\""), KEY ",'tags':'none'"),
	/* Of several records the one that fits; a zone above the domain; a CNAME. */
	WARN(DKIM("s0._domainkey IN TXT \"v=DKIM1; k=rsa; p=" RSA1024 "\"\n"
	          "s1._domainkey IN TXT \"" ED "\"\n"),
	     KEY ",'tags':'none'", 1),
	GOOD("dkim a.example.net/s1 key|s1._domainkey.a TXT \"" ED "\"", KEY ",'tags':'none'"),
	GOOD("dkim policy:p/s1 key|s1._domainkey.example.org. TXT \"" ED "\"",
	     KEY ",'tags':'none'"),
	GOOD("dkim policy:p/s1 key|s1._domainkey TXT \"" ED "\"", KEY ",'tags':'none'"),
	GOOD(DKIM("s1._domainkey.example.net. CNAME s1.dkim.example.com."),
	     "'cname':'s1.dkim.example.com.'"),
	/* Names of others. */
	BAD(DKIM("s2._domainkey IN TXT \"" ED "\""), 0,
	    "the record of \"s2._domainkey\", not of \"s1._domainkey.example.net.\""),
	BAD(DKIM("s1._domainkey.example.org. IN TXT \"" ED "\""), 0,
	    "of \"s1._domainkey.example.org.\", not of \"s1._domainkey.example.net.\""),
	BAD(DKIM("s1._domainkey.example.org IN TXT \"" ED "\""), 0, "s1._domainkey.example.org"),
	BAD(DKIM("s1._domainkey. IN TXT \"" ED "\""), 0, "s1._domainkey."),
	BAD(DKIM("s1 IN TXT \"" ED "\""), 0, "the record of \"s1\""),
	BAD(DKIM("example.net. IN TXT \"" ED "\""), 0, "the record of \"example.net.\""),
	BAD(DKIM("s1._domainkey.example.org has TXT record \"" ED "\""), 0, "example.org"),
	BAD("dkim policy:p/s1 key|s2._domainkey TXT \"" ED "\"", 0, "s2._domainkey"),
	BAD("dkim example.net/s1 cname|s2._domainkey.example.net. CNAME a.example.", 0, "s2."),
	/* What is no key record, and what no verifier takes. */
	BAD(DKIM("v=spf1 mx -all"), 0, "belongs to spf"),
	BAD(DKIM("s1._domainkey IN TXT \"v=spf1 -all\""), 0, "belongs to spf"),
	BAD(DKIM("v=DMARC1; p=none"), 0, "belongs to dmarc"),
	BAD(DKIM("v=DKIM2; p=" P_ED25519), 0, "no DKIM record"),
	BAD(DKIM("s1._domainkey IN A 192.0.2.1"), 0, "type TXT, and this one is A"),
	BAD(DKIM("v=DKIM1; p=" P_ED25519), 0, "write k=ed25519"),
	BAD(DKIM("v=DKIM1; k=rsa; p=" P_ED25519), 0, "k=rsa"),
	BAD(DKIM("v=DKIM1; k=ed25519; p=" RSA1024), 0, "k=ed25519"),
	BAD(DKIM("v=DKIM1; k=rsa; p=" RSA1000), 0, "1000 bits"),
	BAD(DKIM("v=DKIM1; k=rsa; p="), 0, "empty"),
	BAD(DKIM("v=DKIM1; k=rsa"), 0, "missing"),
	BAD(DKIM("v=DKIM1; k=ed25519; h=sha1; p=" P_ED25519), 0, "SHA-1"),
	BAD(DKIM("v=DKIM1; k=ed25519; t=x; p=" P_ED25519), 0, "t= takes"),
	BAD(DKIM("k=ed25519; v=DKIM1; p=" P_ED25519), 0, "comes first"),
	BAD(DKIM("v=DKIM1; k=ed25519; k=ed25519; p=" P_ED25519), 0, "twice"),
	BAD(DKIM("v=DKIM1; k=ed25519; sha256; p=" P_ED25519), 0, "TAG=VALUE"),
	BAD(DKIM("s1._domainkey IN TXT ( \"" ED "\""), 0, "bracket"),
	BAD(DKIM("s1._domainkey IN TXT \"v=DKIM1; \" \"p=AAAA"), 0, "a quote is not closed"),
};

static void test_dkim(void)
{
	run_cases(dkim, parse);
}

#define D(item, text) "domain example.net " item "|" text

static const case_t texts[] = {
	/* SPF: all apart, wherever modifiers stand. */
	GOOD(D("spf", "v=spf1 -all"), "'spf':['-all']"),
	GOOD(D("spf", "v=spf1 mx"), "'spf':['mx'],'spf-all':null"),
	WARN(D("spf", "V=SPF1 mx ?all"), "'spf':['mx'],'spf-all':'?all'", 1),
	GOOD(D("spf", "v=spf1 redirect=_spf.example.com"), "'spf':['redirect=_spf.example.com']"),
	GOOD(D("spf", "v=spf1 a ra=postmaster -all"), "'spf':['a ra=postmaster'],'spf-all':'-all'"),
	GOOD(D("spf", "v=spf1 mx -all exp=why.example.net"),
	     "'spf':['mx exp=why.example.net'],'spf-all':'-all'"),
	WARN(D("spf", "v=spf1 mx all"), "'spf':['mx all']", 1),
	GOOD(D("spf", "\"v=spf1 mx \" \"-all\""), "'spf':['mx'],'spf-all':'-all'"),
	GOOD(D("spf", "\"mx -all\""), "'spf':['mx -all']"),
	GOOD(D("spf", "mx -all"), "'spf':['mx -all']"),
	GOOD(D("spf", "example.net. IN SPF \"v=spf1 mx -all\""), "'spf':['mx'],'spf-all':'-all'"),
	WARN(D("spf", "v=spf1 mx \xe2\x80\x93"
	              "all"),
	     "'spf':['mx'],'spf-all':'-all'", 1),
	/* All TXT records of the domain, as tools print them. */
	GOOD(D("spf", "\"site=1\"\n\"v=spf1 mx -all\"\n\"site=2\"\n"),
	     "'spf':['mx'],'spf-all':'-all'"),
	WARN(D("spf", "example.net.\t3600\tIN\tTXT\t\"site=1\"\n"
	              "example.net.\t3600\tIN\tTXT\t\"v=spf1 mx -all\"\n"),
	     "'spf':['mx'],'spf-all':'-all'", 1),
	GOOD(D("spf", "example.net\ttext =\n\n\t\"v=spf1 mx -all\"\n\n"),
	     "'spf':['mx'],'spf-all':'-all'"),
	BAD(D("spf", "_spf.example.net. TXT \"v=spf1 mx -all\""), 0, "_spf.example.net."),
	BAD(D("spf", "v=DMARC1; p=none"), 0, "belongs to dmarc"),
	BAD(D("spf", "example.net. TXT \"site=1\""), 0, "does not begin with v=spf1"),
	BAD(D("spf-add", "v=spf1 include:a.example -all"), 0, "cannot be added"),
	BAD("host mail helo-spf|www.example.net. TXT \"v=spf1 a -all\"", 0, "www.example.net."),

	GOOD(D("dmarc", "p=reject; rua=mailto:a@example.net;"),
	     "'dmarc':{'p':'reject','rua':'mailto:a@example.net'}"),
	GOOD(D("dmarc", "v=DMARC1;p=none"), "'dmarc':{'p':'none'}"),
	GOOD(D("dmarc", "p=none"), "'dmarc':{'p':'none'}"),
	WARN(D("dmarc", "v=DMARC1; p=none; pct=100"), "'dmarc':{'p':'none','pct':'100'}", 1),
	BAD(D("dmarc", "v=DMARC1"), 0, "no tags"),
	BAD(D("dmarc", "v=DMARC1; p=none; p=reject"), 0, "twice"),
	BAD(D("dmarc", "v=DMARC1; x=1"), 0, "no tag 'x'"),
	BAD(D("dmarc", "_dmarc.example.org. IN TXT \"v=DMARC1; p=none\""), 0,
	    "the record of \"_dmarc.example.org.\", not of \"_dmarc.example.net.\""),
	BAD(D("dmarc", "example.net. IN TXT \"v=DMARC1; p=none\""), 0, "example.net."),
	GOOD("policy p dmarc|_dmarc.example.org. IN TXT \"v=DMARC1; p=none\"",
	     "'dmarc':{'p':'none'}"),
	BAD("policy p dmarc|example.org. IN TXT \"v=DMARC1; p=none\"", 0, "_dmarc.DOMAIN"),

	GOOD(D("tls-rpt", "rua=mailto:a@example.net"), "'tls-rpt':['mailto:a@example.net']"),
	BAD(D("tls-rpt", "v=TLSRPTv1; x=1"), 0, "tag 'x=1'"),
	GOOD(D("mta-sts-id", "\"v=STSv1; id=1\""), "'mta-sts-id':'1'"),
	BAD(D("mta-sts", "v=STSv1; id=1;"), 0, "no mode"),
	GOOD(D("bimi", "v=BIMI1; l=https://a.example/l.svg; a=https://a.example/v.pem"),
	     "'bimi':['https://a.example/l.svg https://a.example/v.pem']"),
	GOOD(D("bimi", "v=BIMI1; l=https://a.example/l.svg; a="),
	     "'bimi':['https://a.example/l.svg']"),
	GOOD(D("bimi", "v=BIMI1; l=https://a.example/l.svg; a=self;"),
	     "'bimi':['https://a.example/l.svg']"),
	GOOD(D("bimi", "v=BIMI1; l=; a=;"), "'bimi':['none']"),
	GOOD(D("bimi", "s1._bimi.example.net. TXT \"v=BIMI1; l=https://a.example/l.svg\""),
	     "'bimi':['s1 https://a.example/l.svg']"),
	BAD(D("bimi", "v=BIMI1; l=https://a.example/l.svg; avp=brand"), 0, "avp"),
	BAD(D("bimi", "_bimi.example.net. TXT \"v=BIMI1; l=; a=;\""), 0, "_bimi."),

	/* A text is one to the letter, unless it is quoted. */
	GOOD(D("txt", "site=abc"), "'txt':['site=abc']"),
	GOOD(D("txt", " a  b "), "'txt':[' a  b ']"),
	GOOD(D("txt", "\"a b\""), "'txt':['a b']"),
	GOOD(D("txt", "\"a\" \"b\""), "'txt':['ab']"),
	GOOD(D("txt", "\"a\"\n\"b\""), "'txt':['a','b']"),
	GOOD(D("txt", "\"a\\\"b\\\\c\\059\""), "'txt':['a\\'b\\\\c;']"),
	GOOD(D("txt", "a; b (c)"), "'txt':['a; b (c)']"),
	GOOD(D("txt", "say \"yes\""), "'txt':['say \\'yes\\'']"),
	GOOD(D("txt", "take A record"), "'txt':['take A record']"),
	GOOD(D("txt", "a TXT b"), "'txt':['a TXT b']"),
	GOOD(D("txt", "@ TXT \"b\""), "'txt':['b']"),
	GOOD(D("txt", "@ IN TXT b; c"), "'txt':['b; c']"),
	GOOD(D("txt", "\"unclosed"), "'txt':['\\'unclosed']"),
	WARN(D("txt", "\xe2\x80\x9c"
	              "a\xe2\x80\x9d"),
	     "'txt':['\xe2\x80\x9c"
	     "a\xe2\x80\x9d']",
	     1),
	BAD(D("txt", "www.example.net. TXT \"b\""), 0, "www.example.net."),
	BAD(D("txt", "\"v=spf1 -all\""), 0, "spf"),
};

static void test_texts(void)
{
	run_cases(texts, parse);
}

static const case_t others[] = {
	/* Several lines are several values. */
	GOOD(D("mx", "10 a.example.net.\n20 b.example.net.\n"),
	     "'mx':['10 a.example.net.','20 b.example.net.']"),
	GOOD(D("mx", "example.net. IN MX 10 a.example.net.\n             IN MX 20 b\n"),
	     "'mx':['10 a.example.net.','20 b']"),
	GOOD(D("mx", "$ORIGIN example.net.\n@ MX 10 a\n"), "'mx':['10 a.example.net.']"),
	GOOD(D("mx", "example.net\tMX preference = 10, mail exchanger = a.example.net\n"),
	     "'mx':['10 a.example.net.']"),
	WARN(D("mx", "example.net.\t3600\tIN\tMX\t10 a.example.net.\n"
	             "a.example.net.\t3600\tIN\tA\t192.0.2.1\n"),
	     "'mx':['10 a.example.net.']", 1),
	WARN(D("mx", "Here it is:\nexample.net. IN MX 10 a.example.net.\n"),
	     "'mx':['10 a.example.net.']", 1),
	GOOD(D("mx", "MX example.net. 10 a.example.net."), "'mx':['10 a.example.net.']"),
	GOOD(D("mx", "MX 10 a"), "'mx':['10 a']"),
	GOOD(D("mx", "MX example.net. 5m00s   10 \"a.example.net.\""),
	     "'mx':['10 a.example.net.']"),
	GOOD(D("mx", "0 ."), "'mx':['0 .']"),
	GOOD(D("mx-add", "example.net mail is handled by 20 b.example.net."),
	     "'+mx':['20 b.example.net.']"),
	BAD(D("mx", "a.example.net. MX 10 b.example.net."), 0, "a.example.net."),
	BAD(D("mx", "example.net. MX 10 a.\nexample.org. MX 10 b.\n"), 0, "example.org."),
	BAD(D("mx", "example.net. 3600 IN A 192.0.2.1"), 0, "type MX, and this one is A"),
	BAD(D("mx", "_dmarc MX 10 a"), 0, "_dmarc"),
	BAD("policy p mx|_dmarc.example.net. MX 10 a", 0, "_dmarc"),
	GOOD("policy p mx|example.org. MX 10 a", "'mx':['10 a']"),

	GOOD(D("srv", "_imaps._tcp.example.net. 3600 IN SRV 0 1 993 mail.example.net."),
	     "'srv':['_imaps 0 1 993 mail.example.net.']"),
	GOOD(D("srv", "_imaps._tcp.example.net has SRV record 0 1 993 mail.example.net."),
	     "'srv':['_imaps 0 1 993 mail.example.net.']"),
	GOOD(D("srv", "_imaps._tcp.example.net\tservice = 0 1 993 mail.example.net."),
	     "'srv':['_imaps 0 1 993 mail.example.net.']"),
	GOOD(D("srv", "SRV _imaps._tcp 0 1 993 mail"), "'srv':['_imaps 0 1 993 mail']"),
	GOOD(D("srv", "_imap._tcp IN SRV 0 0 0 .\n_pop3._tcp IN SRV 0 0 0 .\n"),
	     "'srv':['_imap 0 0 0 .','_pop3 0 0 0 .']"),
	BAD(D("srv", "_imaps._tcp.example.org. SRV 0 1 993 mail"), 0, "_imaps._tcp.example.org."),
	BAD(D("srv", "_sip._udp.example.net. SRV 0 1 993 mail"), 0, "_sip._udp"),
	BAD(D("srv", "_sip._tcp.example.net. SRV 0 1 993 mail"), 0, "service \"_sip\""),

	GOOD("host mail tlsa|3 1 1 " HASH "\n2 1 1 " HASH "\n",
	     "'tlsa':['3 1 1 " HASH "','2 1 1 " HASH "']"),
	GOOD("host mail tlsa|3 1 1 064DBC632F1BA7D0A2A3FAEADEEDFEBD6F90F850DFB852C97EE9DF9B "
	     "6E5C5E7C",
	     "'tlsa':['3 1 1 064DBC632F1BA7D0A2A3FAEADEEDFEBD6F90F850DFB852C97EE9DF9B 6E5C5E7C']"),
	GOOD("host mail tlsa|_25._tcp.mail.example.net. IN TLSA ( 3 1 1\n  064dbc632f1ba7d0a2a3faea"
	     "deedfebd\n  6f90f850dfb852c97ee9df9b6e5c5e7c )",
	     "'tlsa':['3 1 1 " HASH "']"),
	GOOD("host mail tlsa|_25._tcp.mail.example.net. IN TLSA ( 03 01 01 " HASH " )",
	     "'tlsa':['03 01 01 " HASH "']"),
	GOOD("host mail tlsa|_25._tcp.mail.example.net. IN TYPE52 \\# 35 030101" HASH,
	     "'tlsa':['3 1 1 064DBC632F1BA7D0A2A3FAEADEEDFEBD6F90F850DFB852C97EE9DF9B6E5C5E7C']"),
	WARN("host mail tlsa|_443._tcp.mail.example.net. IN TLSA 3 1 1 " HASH,
	     "'tlsa':['3 1 1 " HASH "']", 1),
	BAD("host mail tlsa|_25._tcp.mx.example.net. IN TLSA 3 1 1 " HASH, 0, "_25._tcp.mx."),
	BAD("host mail tlsa|_25._tcp.mail.example.org. IN TLSA 3 1 1 " HASH, 0, "example.org."),
	BAD("host mail tlsa|_25._tcp.mail.example.net. IN TLSA 3 1 1 abc", 0, "odd number"),
	BAD("host mail tlsa|_25._tcp.mail.example.net. IN TYPE52 \\# 35 0301", 0, ""),
	GOOD("host mail address|Server:\t\t127.0.0.1\nAddress:\t127.0.0.1#53\n\n"
	     "Name:\tmail.example.net\nAddress: 192.0.2.25\nName:\tmail.example.net\n"
	     "Address: 2001:db8::25\n",
	     "'address':['192.0.2.25','2001:db8::25']"),
	GOOD("host mail address|192.0.2.25\n192.0.2.26\n", "'address':['192.0.2.25','192.0.2.26']"),
	BAD("host mail address|www.example.net. A 192.0.2.25", 0, "www.example.net."),
	GOOD("certificate web next|_443._tcp.other.example. TLSA 3 1 1 " HASH,
	     "'next':['3 1 1 " HASH "']"),

	GOOD(D("caa", "0 issue \"ca.example\"\n0 iodef \"mailto:a@example.net\"\n"),
	     "'caa':['0 issue \\'ca.example\\'','0 iodef \\'mailto:a@example.net\\'']"),
	GOOD(D("caa", "example.net. CAA 0 issue \"ca.example\\; a=b\""),
	     "'caa':['0 issue \\'ca.example; a=b\\'']"),
	GOOD(D("caa", "CAA 0 issue ca.example"), "'caa':['0 issue ca.example']"),
	GOOD(D("caa", "CAA 0 issue \";\""), "'caa':['0 issue \\';\\'']"),
	BAD(D("caa", "www.example.net. CAA 0 issue \"ca.example\""), 0, "www.example.net."),
	BAD(D("autoconfig", "autodiscover.example.net. CNAME mail.example.net."), 0,
	    "autodiscover.example.net."),

	/* Literal records: what the parser takes stays as it is. */
	GOOD(D("record", "www   300 A  192.0.2.1"), "'record':['www   300 A  192.0.2.1']"),
	GOOD(D("record", "www.example.net.\t300\tIN\tA\t192.0.2.1\n"
	                 "www.example.net.\t300\tIN\tAAAA\t2001:db8::1\n"),
	     "'record':['www.example.net. 300 A 192.0.2.1','www.example.net. 300 AAAA "
	     "2001:db8::1']"),
	GOOD(D("record", "www IN TXT ( \"a\"\n \"b;c\" ) ; comment"),
	     "'record':['www TXT \\'a\\' \\'b;c\\'']"),
	GOOD(D("record", "www IN TXT v=a; b=c"), "'record':['www TXT \\'v=a; b=c\\'']"),
	GOOD(D("record", "www.example.net is an alias for web.example.com."),
	     "'record':['www.example.net. CNAME web.example.com.']"),
	GOOD(D("record", "example.net descriptive text \"a\" \"b\""),
	     "'record':['example.net. TXT \\'a\\' \\'b\\'']"),
	GOOD(D("record", "\"www A 192.0.2.1\""), "'record':['www A 192.0.2.1']"),
	GOOD(D("record", "A www 192.0.2.1"), "'record':['www A 192.0.2.1']"),
	GOOD(D("record", "w.example.net. TYPE52 \\# 35 030101" HASH),
	     "'record':['w.example.net. TYPE52 \\\\# 35 030101" HASH "']"),
	BAD(D("record", "IN TXT \"a\""), 0, "no owner"),
	GOOD(D("record", "in A 192.0.2.1"), "'record':['in A 192.0.2.1']"),
	BAD(D("record", "www IN SOA a. b. 1 2 3 4 5"), 0, "SOA"),
	BAD(D("record", "www IN TXT \"a"), 0, "quote"),
	GOOD(D("delegation", "sub.example.net.\t3600\tIN\tNS\tns1.example.com.\n"
	                     "sub.example.net.\t3600\tIN\tNS\tns2.example.com.\n"),
	     "'delegation':['sub.example.net. 3600 NS ns1.example.com.','sub.example.net. 3600 NS "
	     "ns2.example.com.']"),
	BAD(D("delegation", "sub IN TXT ( \"a\" )"), 0, "type NS, and this one is TXT"),

	/* Plain values stay what they are. */
	GOOD(D("mx", "10 mail"), "'mx':['10 mail']"),
	GOOD(D("mx", "mail"), "'mx':['mail']"),
};

static void test_others(void)
{
	run_cases(others, parse);
}

UNIT_MAIN("paste", TEST("every kind in every form", test_forms), TEST("DKIM keys", test_dkim),
          TEST("texts", test_texts), TEST("others", test_others))
