/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mail/dkim.h"

#include "lib/cases.h"

static const case_t tags[] = {
	SAME(""),
	GOOD("none", ""),
	GOOD("h=sha256", ""),
	GOOD("h=sha256;", ""),
	GOOD(" h = sha256 ; t=s; n=a note, with =; ", ""),
	GOOD("t=s", ""),
	WARN("t=y:s", "", 1),
	GOOD("s=*", ""),
	WARN("s=email", "", 1),
	GOOD("s=tlsrpt", ""),
	GOOD("x_1=", ""),
	BAD("h=sha1", 3),
	BAD("t=s; h=sha256:SHA1", 15),
	BAD("h=md5", 3),
	BAD("h=", 3),
	BAD("s=mail", 3),
	BAD("t=x", 3),
	BAD("v=DKIM1", 1),
	BAD("h=sha256; k=rsa", 11),
	BAD("p=", 1),
	BAD("h=sha256; h=sha256", 11),
	BAD("sha256", 1),
	BAD("h=sha256;;t=s", 10),
	GOOD(";", ""),
	BAD(";;", 1),
	BAD("=x", 1),
	BAD("1h=x", 1),
	BAD("h-h=x", 2),
	BAD("n=ü", 3),
	BAD("n=a\tb", 4),
	BAD("n=for {domain}", 7),
};

static int check_tags(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	(void)out;
	return mail_dkim_tags_check(in, diag);
}

static void test_tags(void)
{
	run_cases(tags, check_tags);
	CHECK_OK(mail_dkim_tags_check((mail_str_t){ NULL, 0 }, NULL));
}

static const case_t selectors[] = {
	GOOD("202404e", ""),
	GOOD("s1.eu", ""),
	GOOD("_x-1", ""),
	GOOD("ABC", ""),
	GOOD("012345678901234567890123456789012345678901234567890123456789012", ""),
	BAD("0123456789012345678901234567890123456789012345678901234567890123", 1),
	BAD("", 1),
	BAD(".", 1),
	BAD("a.", 3),
	BAD("a..b", 3),
	BAD("a.-b", 3),
	BAD("a-", 1),
	BAD("a b", 2),
	BAD("*", 1),
	BAD("ü", 1),
	BAD("a/b", 2),
	BAD("{domain}", 1),
};

static int check_selector(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	(void)out;
	return mail_dkim_selector_check(in, diag);
}

static void test_selectors(void)
{
	run_cases(selectors, check_selector);
	char longest[300];
	memset(longest, 'a', sizeof(longest));
	for (size_t i = 50; i < sizeof(longest); i += 50) {
		longest[i] = '.';
	}
	CHECK_OK(mail_dkim_selector_check((mail_str_t){ longest, 240 }, NULL));
	CHECK_INT(mail_dkim_selector_check((mail_str_t){ longest, 241 }, NULL), KNOT_EINVAL);
}

/* The keys of a guide. */
#define P_ED25519 "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
#define P_RSA                                                                                      \
	"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqlddLN3BjInvBqI1KpdouG7feBsEt5t233jWQJW7FaY7" \
	"sR/MfWNxuzTObLoZ3l76DFq3xPjVhmy/YYiOAnMOtq9hUFqgBVTSwUNHYPz1YUEcrI5+Ban7P7LV8kggvTAaWhAI" \
	"3iSXJIFaUq78K8YYr/zrGyBlg5HCPpd+DMRAB8j1ID8bcWFaVebwAOrartXOO/f8Bn9jrRrLhjP3c8UlmkJLXkSn" \
	"cXPp69R9VpevrKJtpBjaFxKtx7DXGie821MHuWJ7pWMdU1Uf3z8UBKF9bnrCZ5v0SdiaFkPXR1Iiq/gR6bMwdlWv" \
	"ST9V6ePnqZqX+Iv4FA28byOot73/CIINFwIDAQAB"

/* The key and its tags. */
static const case_t records[] = {
	GOOD(P_ED25519 "|"
	               "h=sha256",
	     "v=DKIM1; k=ed25519; h=sha256; p=" P_ED25519),
	GOOD(P_RSA "|"
	           "h=sha256",
	     "v=DKIM1; k=rsa; h=sha256; p=" P_RSA),
	GOOD(P_RSA "|"
	           "none",
	     "v=DKIM1; k=rsa; p=" P_RSA),
	GOOD(P_RSA "|"
	           "",
	     "v=DKIM1; k=rsa; p=" P_RSA),
	GOOD(P_ED25519 "|"
	               " h=sha256; t=s ; ",
	     "v=DKIM1; k=ed25519; h=sha256; t=s; p=" P_ED25519),
	GOOD("|h=sha256", "v=DKIM1; p="),
};

/* Into memory of the caller, as the hot path does it. */
static int render(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	uint8_t mem[1024];
	mail_str_t parts[2] = { 0 };
	mail_buf_t key = { 0 };
	mail_rdata_t rdata = { .ops = MAIL_BUF_FIXED(mem, sizeof(mem)) };
	(void)diag;
	case_list(in, parts, 2);
	if (parts[0].len > 0) {
		CHECK_OK(mail_dkim_key_parse(parts[0], &key, NULL));
	}
	int ret = mail_dkim_render(key.data, key.len, parts[1], &rdata);
	CHECK_INT(rdata.ops.data, mem);
	ret = case_rdata_text(ret, &rdata, out);
	rdata = (mail_rdata_t){ .ops = MAIL_BUF_FIXED(mem, out->len - 1) };
	CHECK_INT(mail_dkim_render(key.data, key.len, parts[1], &rdata), KNOT_ESPACE);
	mail_buf_free(&key);
	return ret;
}

static void test_records(void)
{
	run_cases(records, render);
}

/* An RSA-2048 key needs two <character-string>s, the first of 255 octets. */
static void test_split(void)
{
	mail_buf_t key = { 0 };
	mail_rdata_t rdata = { 0 };
	uint8_t wire[1024];
	CHECK_OK(mail_dkim_key_parse(MAIL_STR(P_RSA), &key, NULL));
	CHECK_OK(mail_dkim_render(key.data, key.len, MAIL_STR("h=sha256"), &rdata));
	size_t len = strlen("v=DKIM1; k=rsa; h=sha256; p=" P_RSA);
	CHECK_INT(mail_rdata_fill(&rdata, rendered_apex(), wire, sizeof(wire)), (int)len + 2);
	CHECK(wire[0] == 255 && wire[256] == len - 255);
	mail_rdata_free(&rdata);
	mail_buf_free(&key);
}

/* RFC 4648 10. */
static const case_t octets[] = {
	GOOD("f", "v=DKIM1; k=rsa; p=Zg=="),
	GOOD("fo", "v=DKIM1; k=rsa; p=Zm8="),
	GOOD("foo", "v=DKIM1; k=rsa; p=Zm9v"),
	GOOD("foob", "v=DKIM1; k=rsa; p=Zm9vYg=="),
	GOOD("fooba", "v=DKIM1; k=rsa; p=Zm9vYmE="),
	GOOD("foobar", "v=DKIM1; k=rsa; p=Zm9vYmFy"),
	GOOD("\xfb\xff\xbf", "v=DKIM1; k=rsa; p=+/+/"),
};

static int render_octets(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	mail_rdata_t rdata = { 0 };
	(void)diag;
	int ret = mail_dkim_render((const uint8_t *)in.data, in.len, MAIL_STR("none"), &rdata);
	return case_rdata_text(ret, &rdata, out);
}

static void test_base64(void)
{
	run_cases(octets, render_octets);
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

UNIT_MAIN("dkim", TEST("tags", test_tags), TEST("selectors", test_selectors),
          TEST("records", test_records), TEST("a record of two strings", test_split),
          TEST("base64", test_base64), TEST("failing allocations", test_allocation))
