/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/uri.h"

#include "lib/cases.h"

#define BOTH (MAIL_URI_MAILTO | MAIL_URI_HTTPS)

static const mail_uri_form_t plain = { BOTH, ",!;", false };
static const mail_uri_form_t sized = { BOTH, ",!", true };
static const mail_uri_form_t https = { MAIL_URI_HTTPS, ",!;", false };
static const mail_uri_form_t mailto = { MAIL_URI_MAILTO, ",!;", false };

static const case_t plain_uris[] = {
	SAME("mailto:postmaster@example.org"),
	SAME("mailto:postmaster@{domain}"),
	SAME("mailto:{domain}+tls@reports.example.com"),
	SAME("mailto:x@dmarc.{domain}"),
	SAME("mailto:x@{domain}.reports.example"),
	GOOD("MailTo:Post.Master@Example.ORG.", "mailto:Post.Master@example.org"),
	SAME("mailto:x@xn--bcher-kva.example"),
	WARN("mailto:büro@xn--bcher-kva.example", "mailto:b%C3%BCro@xn--bcher-kva.example", 1),
	GOOD("mailto:a,b!c@example.org", "mailto:a%2Cb%21c@example.org"),
	SAME("mailto:a%2cb@example.org"),
	GOOD("mailto:a&b=c/d#e^f`g|h@example.org",
	     "mailto:a%26b%3Dc%2Fd%23e%5Ef%60g%7Ch@example.org"),
	SAME("mailto:a+b_c-d~e'f*g$h@example.org"),
	GOOD("mailto:x@example.org?subject=a,b;c", "mailto:x@example.org?subject=a%2Cb%3Bc"),
	SAME("https://reports.example.com/v1/tlsrpt"),
	GOOD("https://Reports.Example.com:8443", "https://reports.example.com:8443"),
	GOOD("HTTPS://xn--bcher-kva.example/ü?q=a,b!c;d",
	     "https://xn--bcher-kva.example/%C3%BC?q=a%2Cb%21c%3Bd"),
	SAME("https://example.com?d={domain}"),
	SAME("https://{domain}/a(b)'c'*d$e&f=g:h@i~j"),
	BAD("", 1),
	BAD("postmaster@example.org", 1),
	BAD("http://example.org/", 1),
	BAD(":x@example.org", 1),
	BAD("mailto:", 8),
	BAD("mailto:postmaster", 8),
	BAD("mailto:@example.org", 8),
	BAD("mailto:x@", 10),
	BAD("mailto:x@mail", 10),
	BAD("mailto:x@.example", 10),
	BAD("mailto:x@a..example", 12),
	BAD("mailto:x@ example.org", 10),
	BAD("mailto:x@192.0.2.1", 10),
	BAD("mailto:x@[192.0.2.1]", 10),
	BAD("mailto:x@x{domain}", 11),
	BAD("mailto:x@{doman}.example", 10),
	BAD("mailto:{doman}@example.org", 8),
	BAD("mailto:a}b@example.org", 9),
	BAD("mailto:x@{domain}.{domain}", 19),
	BAD("mailto:x@a.example,y@b.example", 9),
	BAD("mailto:x@a.example,b.example", 19),
	BAD("mailto:x@y@example.org", 9),
	BAD("mailto:.x@example.org", 8),
	BAD("mailto:x.@example.org", 9),
	BAD("mailto:x..y@example.org", 10),
	BAD("mailto:x y@example.org", 9),
	BAD("mailto:\"x y\"@example.org", 8),
	BAD("mailto:x%2@example.org", 9),
	BAD("mailto:x%zz@example.org", 9),
	BAD("mailto:x@example.org!10m", 21),
	BAD("https:example.org", 7),
	BAD("https://", 9),
	BAD("https:///path", 9),
	BAD("https://user@example.org/", 9),
	BAD("https://[2001:db8::1]/", 9),
	BAD("https://192.0.2.1/", 9),
	BAD("https://example.org:0/", 20),
	BAD("https://example.org:65536/", 20),
	BAD("https://example.org:/", 20),
	BAD("https://example.org/#top", 21),
	BAD("https://example.org/a b", 22),
	BAD("https://example.org/<a>", 21),
};

static const case_t sized_uris[] = {
	WARN("mailto:x@example.org!10m", "mailto:x@example.org!10m", 1),
	WARN("mailto:x@example.org!50", "mailto:x@example.org!50", 1),
	WARN("mailto:x!1k@example.org!2G", "mailto:x%211k@example.org!2G", 1),
	GOOD("mailto:x!y@example.org", "mailto:x%21y@example.org"),
	BAD("mailto:x@example.org!10x", 21),
	BAD("mailto:x@example.org!", 21),
	BAD("mailto:x@example.org!m", 21),
};

static const case_t https_uris[] = {
	BAD("mailto:x@example.org", 1),
};

static const case_t mailto_uris[] = {
	BAD("https://example.org/", 1),
};

static int write_uri(const mail_uri_form_t *form, mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	mail_buf_t twice = { 0 };
	int ret = mail_uri_write(in, form, out, diag);
	if (ret != KNOT_EOK) {
		out->len = 0;
		return ret;
	}
	/* What was written is written the same again: percent-encoding must not pile up. */
	CHECK_OK(mail_uri_write(mail_buf_view(out), form, &twice, NULL));
	CHECK(mail_str_equal(mail_buf_view(out), mail_buf_view(&twice)));
	mail_buf_free(&twice);
	return ret;
}

static int write_plain(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	return write_uri(&plain, in, out, diag);
}

static int write_sized(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	return write_uri(&sized, in, out, diag);
}

static int write_https(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	return write_uri(&https, in, out, diag);
}

static int write_mailto(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	return write_uri(&mailto, in, out, diag);
}

static void test_write(void)
{
	run_cases(plain_uris, write_plain);
	run_cases(sized_uris, write_sized);
	run_cases(https_uris, write_https);
	run_cases(mailto_uris, write_mailto);
}

static const case_t lists[] = {
	SAME("mailto:a@x.example"),
	GOOD(" mailto:a@x.example , MAILTO:b@y.example,https://z.example/ ",
	     "mailto:a@x.example,mailto:b@y.example,https://z.example/"),
	GOOD("https://z.example/a,b", "https://z.example/a%2Cb"),
	WARN("mailto:a@x.example!10m,mailto:b@y.example!5k",
	     "mailto:a@x.example!10m,mailto:b@y.example!5k", 2),
	BAD("", 1),
	BAD("mailto:a@x.example,", 20),
	BAD("mailto:a@x.example, ,mailto:b@y.example", 19),
	BAD("mailto:a@x.example,b@y.example", 9),
	BAD("mailto:a@x.example, ftp://y.example/", 21),
	BAD("mailto:a@x.example, mailto:b@y", 30),
};

static int write_list(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	int ret = mail_uri_list_write(in, &sized, out, diag);
	out->len = ret == KNOT_EOK ? out->len : 0;
	return ret;
}

static void test_list(void)
{
	run_cases(lists, write_list);
}

static void test_parts(void)
{
	static const struct {
		const char *uri;
		unsigned scheme;
		const char *host;
	} cases[] = {
		{ "mailto:a@x.example", MAIL_URI_MAILTO, "x.example" },
		{ "Mailto:a@b@x.example?to=c@d", MAIL_URI_MAILTO, "x.example" },
		{ "mailto:a@{domain}!10m", MAIL_URI_MAILTO, "{domain}" },
		{ "mailto:a", MAIL_URI_MAILTO, "" },
		{ "https://z.example:443/a", MAIL_URI_HTTPS, "z.example" },
		{ "https://z.example", MAIL_URI_HTTPS, "z.example" },
		{ "https:", MAIL_URI_HTTPS, "" },
		{ "ftp://z.example", 0, "" },
		{ "a@x.example", 0, "" },
		{ "", 0, "" },
	};
	EACH(c, cases) {
		unsigned scheme;
		mail_str_t host;
		mail_uri_parts(MAIL_STR(c->uri), &scheme, &host);
		CHECK_INT(scheme, c->scheme);
		CHECK_TEXT(host, c->host);
	}
}

static const case_t hosts[] = {
	SAME("example.org"),
	GOOD("EXAMPLE.org.", "example.org"),
	SAME("_x.a-b.example"),
	SAME("{domain}"),
	SAME("a.{domain}.b"),
	BAD("faß.example", 3),
	BAD("", 1),
	BAD(".", 1),
	BAD("org", 1),
	BAD("example.org..", 13),
	BAD("*.example.org", 1),
	BAD("a\\.b.example", 2),
	BAD("a/b.example", 2),
	BAD("a.\xc3.example", 3),
	BAD("x.0123456789012345678901234567890123456789012345678901234567890123.example", 3),
};

static int write_host(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	int ret = mail_uri_host_write(in, out, diag);
	out->len = ret == KNOT_EOK ? out->len : 0;
	return ret;
}

static void test_host(void)
{
	run_cases(hosts, write_host);
}

/* A full buffer is told, not passed over. */
static void test_space(void)
{
	uint8_t mem[16];
	mail_buf_t out = MAIL_BUF_FIXED(mem, sizeof(mem));
	CHECK_INT(mail_uri_write(MAIL_STR("mailto:postmaster@example.org"), &plain, &out, NULL),
	          KNOT_ESPACE);
	out = (mail_buf_t)MAIL_BUF_FIXED(mem, sizeof(mem));
	CHECK_INT(mail_uri_list_write(MAIL_STR("https://example.org/"), &plain, &out, NULL),
	          KNOT_ESPACE);
}

UNIT_MAIN("uri", TEST("URIs", test_write), TEST("lists", test_list), TEST("parts", test_parts),
          TEST("hosts", test_host), TEST("no space", test_space))
