/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mail/dkim.h"

#include "rendered_sweep.h"

static void test_tags(void)
{
	static const struct {
		const char *tags;
		int ret;
		unsigned column;
		unsigned warnings;
	} cases[] = {
		{ "", 0, 0, 0 },
		{ "none", 0, 0, 0 },
		{ "h=sha256", 0, 0, 0 },
		{ "h=sha256;", 0, 0, 0 },
		{ " h = sha256 ; t=s; n=a note, with =; ", 0, 0, 0 },
		{ "t=s", 0, 0, 0 },
		{ "t=y:s", 0, 0, 1 },
		{ "s=*", 0, 0, 0 },
		{ "s=email", 0, 0, 1 },
		{ "s=tlsrpt", 0, 0, 0 },
		{ "x_1=", 0, 0, 0 },
		{ "h=sha1", KNOT_EINVAL, 3, 0 },
		{ "t=s; h=sha256:SHA1", KNOT_EINVAL, 15, 0 },
		{ "h=md5", KNOT_EINVAL, 3, 0 },
		{ "h=", KNOT_EINVAL, 3, 0 },
		{ "s=mail", KNOT_EINVAL, 3, 0 },
		{ "t=x", KNOT_EINVAL, 3, 0 },
		{ "v=DKIM1", KNOT_EINVAL, 1, 0 },
		{ "h=sha256; k=rsa", KNOT_EINVAL, 11, 0 },
		{ "p=", KNOT_EINVAL, 1, 0 },
		{ "h=sha256; h=sha256", KNOT_EINVAL, 11, 0 },
		{ "sha256", KNOT_EINVAL, 1, 0 },
		{ "h=sha256;;t=s", KNOT_EINVAL, 10, 0 },
		{ ";", 0, 0, 0 },
		{ ";;", KNOT_EINVAL, 1, 0 },
		{ "=x", KNOT_EINVAL, 1, 0 },
		{ "1h=x", KNOT_EINVAL, 1, 0 },
		{ "h-h=x", KNOT_EINVAL, 2, 0 },
		{ "n=ü", KNOT_EINVAL, 3, 0 },
		{ "n=a\tb", KNOT_EINVAL, 4, 0 },
		{ "n=for {domain}", KNOT_EINVAL, 7, 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		rendered_diag_t d;
		int ret = mail_dkim_tags_check(MAIL_STR(cases[i].tags), rendered_diag(&d));
		UNIT_CHECK(ret == cases[i].ret, "case %zu: '%s': %d (%s)", i, cases[i].tags, ret,
		           d.diag.text);
		UNIT_CHECK(d.diag.column == cases[i].column, "case %zu: '%s': column %u (%s)", i,
		           cases[i].tags, d.diag.column, d.diag.text);
		UNIT_CHECK(d.warnings == cases[i].warnings, "case %zu: '%s': %u warnings (%s)", i,
		           cases[i].tags, d.warnings, d.last);
	}
	CU_ASSERT(mail_dkim_tags_check((mail_str_t){ NULL, 0 }, NULL) == KNOT_EOK);
}

static void test_selectors(void)
{
	static const struct {
		const char *selector;
		int ret;
		unsigned column;
	} cases[] = {
		{ "202404e", 0, 0 },
		{ "s1.eu", 0, 0 },
		{ "_x-1", 0, 0 },
		{ "ABC", 0, 0 },
		{ "012345678901234567890123456789012345678901234567890123456789012", 0, 0 },
		{ "0123456789012345678901234567890123456789012345678901234567890123", KNOT_EINVAL,
		  1 },
		{ "", KNOT_EINVAL, 1 },
		{ ".", KNOT_EINVAL, 1 },
		{ "a.", KNOT_EINVAL, 3 },
		{ "a..b", KNOT_EINVAL, 3 },
		{ "a.-b", KNOT_EINVAL, 3 },
		{ "a-", KNOT_EINVAL, 1 },
		{ "a b", KNOT_EINVAL, 2 },
		{ "*", KNOT_EINVAL, 1 },
		{ "ü", KNOT_EINVAL, 1 },
		{ "a/b", KNOT_EINVAL, 2 },
		{ "{domain}", KNOT_EINVAL, 1 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		rendered_diag_t d;
		int ret = mail_dkim_selector_check(MAIL_STR(cases[i].selector), rendered_diag(&d));
		UNIT_CHECK(ret == cases[i].ret, "case %zu: '%s': %d (%s)", i, cases[i].selector,
		           ret, d.diag.text);
		UNIT_CHECK(d.diag.column == cases[i].column, "case %zu: '%s': column %u", i,
		           cases[i].selector, d.diag.column);
	}
	char longest[300];
	memset(longest, 'a', sizeof(longest));
	for (size_t i = 50; i < sizeof(longest); i += 50) {
		longest[i] = '.';
	}
	CU_ASSERT(mail_dkim_selector_check((mail_str_t){ longest, 240 }, NULL) == KNOT_EOK);
	CU_ASSERT(mail_dkim_selector_check((mail_str_t){ longest, 241 }, NULL) == KNOT_EINVAL);
}

/* The keys of a guide. */
#define P_ED25519 "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
#define P_RSA                                                                                      \
	"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqlddLN3BjInvBqI1KpdouG7feBsEt5t233jWQJW7FaY7" \
	"sR/MfWNxuzTObLoZ3l76DFq3xPjVhmy/YYiOAnMOtq9hUFqgBVTSwUNHYPz1YUEcrI5+Ban7P7LV8kggvTAaWhAI" \
	"3iSXJIFaUq78K8YYr/zrGyBlg5HCPpd+DMRAB8j1ID8bcWFaVebwAOrartXOO/f8Bn9jrRrLhjP3c8UlmkJLXkSn" \
	"cXPp69R9VpevrKJtpBjaFxKtx7DXGie821MHuWJ7pWMdU1Uf3z8UBKF9bnrCZ5v0SdiaFkPXR1Iiq/gR6bMwdlWv" \
	"ST9V6ePnqZqX+Iv4FA28byOot73/CIINFwIDAQAB"

static const struct {
	const char *p;
	const char *tags;
	const char *text;
} records[] = {
	{ P_ED25519, "h=sha256", "v=DKIM1; k=ed25519; h=sha256; p=" P_ED25519 },
	{ P_RSA, "h=sha256", "v=DKIM1; k=rsa; h=sha256; p=" P_RSA },
	{ P_RSA, "none", "v=DKIM1; k=rsa; p=" P_RSA },
	{ P_RSA, "", "v=DKIM1; k=rsa; p=" P_RSA },
	{ P_ED25519, " h=sha256; t=s ; ", "v=DKIM1; k=ed25519; h=sha256; t=s; p=" P_ED25519 },
	{ "", "h=sha256", "v=DKIM1; p=" },
};

static void test_records(void)
{
	for (size_t i = 0; i < sizeof(records) / sizeof(*records); i++) {
		mail_buf_t key = { 0 };
		if (records[i].p[0] != '\0') {
			CU_ASSERT(mail_dkim_key_parse(MAIL_STR(records[i].p), &key, NULL) ==
			          KNOT_EOK);
		}

		/* Into memory of the caller, as the hot path does it. */
		uint8_t mem[1024];
		mail_rdata_t rdata = { .ops = MAIL_BUF_FIXED(mem, sizeof(mem)) };
		int ret = mail_dkim_render(key.data, key.len, MAIL_STR(records[i].tags), &rdata);
		CU_ASSERT(ret == KNOT_EOK && rdata.ops.data == mem);
		const char *text = rendered_text(&rdata);
		UNIT_CHECK(strcmp(text, records[i].text) == 0, "case %zu: '%s'", i, text);

		rdata = (mail_rdata_t){ .ops = MAIL_BUF_FIXED(mem, strlen(records[i].text) - 1) };
		ret = mail_dkim_render(key.data, key.len, MAIL_STR(records[i].tags), &rdata);
		UNIT_CHECK(ret == KNOT_ESPACE, "case %zu: %d", i, ret);
		mail_buf_free(&key);
	}
}

/* An RSA-2048 key needs two <character-string>s, the first of 255 octets. */
static void test_split(void)
{
	mail_buf_t key = { 0 };
	mail_rdata_t rdata = { 0 };
	uint8_t wire[1024];
	CU_ASSERT(mail_dkim_key_parse(MAIL_STR(P_RSA), &key, NULL) == KNOT_EOK);
	CU_ASSERT(mail_dkim_render(key.data, key.len, MAIL_STR("h=sha256"), &rdata) == KNOT_EOK);
	size_t len = strlen("v=DKIM1; k=rsa; h=sha256; p=" P_RSA);
	CU_ASSERT(mail_rdata_fill(&rdata, rendered_apex(), wire, sizeof(wire)) == (int)len + 2);
	CU_ASSERT(wire[0] == 255 && wire[256] == len - 255);
	mail_rdata_free(&rdata);
	mail_buf_free(&key);
}

/* RFC 4648 10. */
static void test_base64(void)
{
	static const struct {
		const char *octets;
		const char *p;
	} cases[] = {
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xbf", "+/+/" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		mail_rdata_t rdata = { 0 };
		char want[64];
		snprintf(want, sizeof(want), "v=DKIM1; k=rsa; p=%s", cases[i].p);
		CU_ASSERT(mail_dkim_render((const uint8_t *)cases[i].octets,
		                           strlen(cases[i].octets), MAIL_STR("none"),
		                           &rdata) == KNOT_EOK);
		const char *text = rendered_text(&rdata);
		UNIT_CHECK(strcmp(text, want) == 0, "case %zu: '%s'", i, text);
	}
}

static int run_all(mail_rdata_t *rdata)
{
	mail_buf_t key = { 0 };
	int ret = mail_dkim_key_parse(MAIL_STR("v=DKIM1; p=" P_RSA), &key, NULL);
	if (ret == KNOT_EOK) {
		ret = mail_dkim_render(key.data, key.len, MAIL_STR("h=sha256"), rdata);
	}
	mail_buf_free(&key);
	return ret;
}

static void test_allocation(void)
{
	rendered_sweep(run_all, "v=DKIM1; k=rsa; h=sha256; p=" P_RSA);
}

static const unit_test_t tests[] = {
	{ "tags", test_tags },
	{ "selectors", test_selectors },
	{ "records", test_records },
	{ "a record of two strings", test_split },
	{ "base64", test_base64 },
	{ "failing allocations", test_allocation },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("dkim", tests);
}
