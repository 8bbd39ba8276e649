/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/uri.h"

#include "rendered.h"

#define BOTH (MAIL_URI_MAILTO | MAIL_URI_HTTPS)

static const mail_uri_form_t plain = { BOTH, ",!;", false };
static const mail_uri_form_t sized = { BOTH, ",!", true };
static const mail_uri_form_t https = { MAIL_URI_HTTPS, ",!;", false };
static const mail_uri_form_t mailto = { MAIL_URI_MAILTO, ",!;", false };

static const struct {
	const mail_uri_form_t *form;
	const char *uri;
	int ret;
	unsigned column;
	unsigned warnings;
	const char *written; /* NULL: as it is. */
} uris[] = {
	{ &plain, "mailto:postmaster@example.org", 0, 0, 0, NULL },
	{ &plain, "mailto:postmaster@{domain}", 0, 0, 0, NULL },
	{ &plain, "mailto:{domain}+tls@reports.example.com", 0, 0, 0, NULL },
	{ &plain, "mailto:x@dmarc.{domain}", 0, 0, 0, NULL },
	{ &plain, "mailto:x@{domain}.reports.example", 0, 0, 0, NULL },
	{ &plain, "MailTo:Post.Master@Example.ORG.", 0, 0, 0, "mailto:Post.Master@example.org" },
	{ &plain, "mailto:x@xn--bcher-kva.example", 0, 0, 0, "mailto:x@xn--bcher-kva.example" },
	{ &plain, "mailto:büro@xn--bcher-kva.example", 0, 0, 1,
	  "mailto:b%C3%BCro@xn--bcher-kva.example" },
	{ &plain, "mailto:a,b!c@example.org", 0, 0, 0, "mailto:a%2Cb%21c@example.org" },
	{ &plain, "mailto:a%2cb@example.org", 0, 0, 0, NULL },
	{ &plain, "mailto:a&b=c/d#e^f`g|h@example.org", 0, 0, 0,
	  "mailto:a%26b%3Dc%2Fd%23e%5Ef%60g%7Ch@example.org" },
	{ &plain, "mailto:a+b_c-d~e'f*g$h@example.org", 0, 0, 0, NULL },
	{ &plain, "mailto:x@example.org?subject=a,b;c", 0, 0, 0,
	  "mailto:x@example.org?subject=a%2Cb%3Bc" },
	{ &plain, "https://reports.example.com/v1/tlsrpt", 0, 0, 0, NULL },
	{ &plain, "https://Reports.Example.com:8443", 0, 0, 0, "https://reports.example.com:8443" },
	{ &plain, "HTTPS://xn--bcher-kva.example/ü?q=a,b!c;d", 0, 0, 0,
	  "https://xn--bcher-kva.example/%C3%BC?q=a%2Cb%21c%3Bd" },
	{ &plain, "https://example.com?d={domain}", 0, 0, 0, NULL },
	{ &plain, "https://{domain}/a(b)'c'*d$e&f=g:h@i~j", 0, 0, 0, NULL },
	{ &sized, "mailto:x@example.org!10m", 0, 0, 1, NULL },
	{ &sized, "mailto:x@example.org!50", 0, 0, 1, NULL },
	{ &sized, "mailto:x!1k@example.org!2G", 0, 0, 1, "mailto:x%211k@example.org!2G" },
	{ &sized, "mailto:x!y@example.org", 0, 0, 0, "mailto:x%21y@example.org" },

	{ &plain, "", KNOT_EINVAL, 1, 0, NULL },
	{ &plain, "postmaster@example.org", KNOT_EINVAL, 1, 0, NULL },
	{ &plain, "http://example.org/", KNOT_EINVAL, 1, 0, NULL },
	{ &plain, ":x@example.org", KNOT_EINVAL, 1, 0, NULL },
	{ &https, "mailto:x@example.org", KNOT_EINVAL, 1, 0, NULL },
	{ &mailto, "https://example.org/", KNOT_EINVAL, 1, 0, NULL },
	{ &plain, "mailto:", KNOT_EINVAL, 8, 0, NULL },
	{ &plain, "mailto:postmaster", KNOT_EINVAL, 8, 0, NULL },
	{ &plain, "mailto:@example.org", KNOT_EINVAL, 8, 0, NULL },
	{ &plain, "mailto:x@", KNOT_EINVAL, 10, 0, NULL },
	{ &plain, "mailto:x@mail", KNOT_EINVAL, 10, 0, NULL },
	{ &plain, "mailto:x@.example", KNOT_EINVAL, 10, 0, NULL },
	{ &plain, "mailto:x@a..example", KNOT_EINVAL, 12, 0, NULL },
	{ &plain, "mailto:x@ example.org", KNOT_EINVAL, 10, 0, NULL },
	{ &plain, "mailto:x@192.0.2.1", KNOT_EINVAL, 10, 0, NULL },
	{ &plain, "mailto:x@[192.0.2.1]", KNOT_EINVAL, 10, 0, NULL },
	{ &plain, "mailto:x@x{domain}", KNOT_EINVAL, 11, 0, NULL },
	{ &plain, "mailto:x@{doman}.example", KNOT_EINVAL, 10, 0, NULL },
	{ &plain, "mailto:{doman}@example.org", KNOT_EINVAL, 8, 0, NULL },
	{ &plain, "mailto:a}b@example.org", KNOT_EINVAL, 9, 0, NULL },
	{ &plain, "mailto:x@{domain}.{domain}", KNOT_EINVAL, 19, 0, NULL },
	{ &plain, "mailto:x@a.example,y@b.example", KNOT_EINVAL, 9, 0, NULL },
	{ &plain, "mailto:x@a.example,b.example", KNOT_EINVAL, 19, 0, NULL },
	{ &plain, "mailto:x@y@example.org", KNOT_EINVAL, 9, 0, NULL },
	{ &plain, "mailto:.x@example.org", KNOT_EINVAL, 8, 0, NULL },
	{ &plain, "mailto:x.@example.org", KNOT_EINVAL, 9, 0, NULL },
	{ &plain, "mailto:x..y@example.org", KNOT_EINVAL, 10, 0, NULL },
	{ &plain, "mailto:x y@example.org", KNOT_EINVAL, 9, 0, NULL },
	{ &plain, "mailto:\"x y\"@example.org", KNOT_EINVAL, 8, 0, NULL },
	{ &plain, "mailto:x%2@example.org", KNOT_EINVAL, 9, 0, NULL },
	{ &plain, "mailto:x%zz@example.org", KNOT_EINVAL, 9, 0, NULL },
	{ &plain, "mailto:x@example.org!10m", KNOT_EINVAL, 21, 0, NULL },
	{ &sized, "mailto:x@example.org!10x", KNOT_EINVAL, 21, 0, NULL },
	{ &sized, "mailto:x@example.org!", KNOT_EINVAL, 21, 0, NULL },
	{ &sized, "mailto:x@example.org!m", KNOT_EINVAL, 21, 0, NULL },
	{ &plain, "https:example.org", KNOT_EINVAL, 7, 0, NULL },
	{ &plain, "https://", KNOT_EINVAL, 9, 0, NULL },
	{ &plain, "https:///path", KNOT_EINVAL, 9, 0, NULL },
	{ &plain, "https://user@example.org/", KNOT_EINVAL, 9, 0, NULL },
	{ &plain, "https://[2001:db8::1]/", KNOT_EINVAL, 9, 0, NULL },
	{ &plain, "https://192.0.2.1/", KNOT_EINVAL, 9, 0, NULL },
	{ &plain, "https://example.org:0/", KNOT_EINVAL, 20, 0, NULL },
	{ &plain, "https://example.org:65536/", KNOT_EINVAL, 20, 0, NULL },
	{ &plain, "https://example.org:/", KNOT_EINVAL, 20, 0, NULL },
	{ &plain, "https://example.org/#top", KNOT_EINVAL, 21, 0, NULL },
	{ &plain, "https://example.org/a b", KNOT_EINVAL, 22, 0, NULL },
	{ &plain, "https://example.org/<a>", KNOT_EINVAL, 21, 0, NULL },
};

static void test_write(void)
{
	for (size_t i = 0; i < sizeof(uris) / sizeof(*uris); i++) {
		rendered_diag_t d;
		mail_buf_t out = { 0 };
		int ret = mail_uri_write(MAIL_STR(uris[i].uri), uris[i].form, &out,
		                         rendered_diag(&d));
		const char *text = rendered_buf(&out);
		UNIT_CHECK(ret == uris[i].ret, "case %zu: '%s': %d (%s)", i, uris[i].uri, ret,
		           d.diag.text);
		UNIT_CHECK(d.diag.column == uris[i].column, "case %zu: '%s': column %u (%s)", i,
		           uris[i].uri, d.diag.column, d.diag.text);
		UNIT_CHECK(d.warnings == uris[i].warnings, "case %zu: '%s': %u warnings (%s)", i,
		           uris[i].uri, d.warnings, d.last);
		if (ret == KNOT_EOK) {
			const char *want = uris[i].written != NULL ? uris[i].written : uris[i].uri;
			UNIT_CHECK(strcmp(text, want) == 0, "case %zu: '%s'", i, text);
		}
	}
}

/* What was written is written the same again: percent-encoding must not pile up. */
static void test_twice(void)
{
	for (size_t i = 0; i < sizeof(uris) / sizeof(*uris); i++) {
		mail_buf_t once = { 0 }, twice = { 0 };
		if (mail_uri_write(MAIL_STR(uris[i].uri), uris[i].form, &once, NULL) == KNOT_EOK) {
			int ret = mail_uri_write(mail_buf_view(&once), uris[i].form, &twice, NULL);
			UNIT_CHECK(ret == KNOT_EOK && mail_str_equal(mail_buf_view(&once),
			                                             mail_buf_view(&twice)),
			           "case %zu: '%s'", i, uris[i].uri);
		}
		mail_buf_free(&once);
		mail_buf_free(&twice);
	}
}

static void test_list(void)
{
	static const struct {
		const char *list;
		int ret;
		unsigned column;
		const char *written;
	} cases[] = {
		{ "mailto:a@x.example", 0, 0, "mailto:a@x.example" },
		{ " mailto:a@x.example , MAILTO:b@y.example,https://z.example/ ", 0, 0,
		  "mailto:a@x.example,mailto:b@y.example,https://z.example/" },
		{ "https://z.example/a,b", 0, 0, "https://z.example/a%2Cb" },
		{ "mailto:a@x.example!10m,mailto:b@y.example!5k", 0, 0,
		  "mailto:a@x.example!10m,mailto:b@y.example!5k" },
		{ "", KNOT_EINVAL, 1, "" },
		{ "mailto:a@x.example,", KNOT_EINVAL, 20, "" },
		{ "mailto:a@x.example, ,mailto:b@y.example", KNOT_EINVAL, 19, "" },
		{ "mailto:a@x.example,b@y.example", KNOT_EINVAL, 9, "" },
		{ "mailto:a@x.example, ftp://y.example/", KNOT_EINVAL, 21, "" },
		{ "mailto:a@x.example, mailto:b@y", KNOT_EINVAL, 30, "" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		rendered_diag_t d;
		mail_buf_t out = { 0 };
		int ret = mail_uri_list_write(MAIL_STR(cases[i].list), &sized, &out,
		                              rendered_diag(&d));
		const char *text = rendered_buf(&out);
		UNIT_CHECK(ret == cases[i].ret, "case %zu: %d (%s)", i, ret, d.diag.text);
		UNIT_CHECK(d.diag.column == cases[i].column, "case %zu: column %u (%s)", i,
		           d.diag.column, d.diag.text);
		UNIT_CHECK(ret != KNOT_EOK || strcmp(text, cases[i].written) == 0, "case %zu: '%s'",
		           i, text);
	}
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
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		unsigned scheme;
		mail_str_t host;
		mail_uri_parts(MAIL_STR(cases[i].uri), &scheme, &host);
		UNIT_CHECK(scheme == cases[i].scheme, "case %zu: %u", i, scheme);
		UNIT_CHECK(mail_str_is(host, cases[i].host), "case %zu: '%.*s'", i, (int)host.len,
		           host.data);
	}
}

static void test_host(void)
{
	static const struct {
		const char *host;
		int ret;
		unsigned column;
		const char *written;
	} cases[] = {
		{ "example.org", 0, 0, "example.org" },
		{ "EXAMPLE.org.", 0, 0, "example.org" },
		{ "_x.a-b.example", 0, 0, "_x.a-b.example" },
		{ "{domain}", 0, 0, "{domain}" },
		{ "a.{domain}.b", 0, 0, "a.{domain}.b" },
		{ "faß.example", KNOT_EINVAL, 3, "" },
		{ "", KNOT_EINVAL, 1, "" },
		{ ".", KNOT_EINVAL, 1, "" },
		{ "org", KNOT_EINVAL, 1, "" },
		{ "example.org..", KNOT_EINVAL, 13, "" },
		{ "*.example.org", KNOT_EINVAL, 1, "" },
		{ "a\\.b.example", KNOT_EINVAL, 2, "" },
		{ "a/b.example", KNOT_EINVAL, 2, "" },
		{ "a.\xc3.example", KNOT_EINVAL, 3, "" },
		{ "x.0123456789012345678901234567890123456789012345678901234567890123.example",
		  KNOT_EINVAL, 3, "" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		rendered_diag_t d;
		mail_buf_t out = { 0 };
		int ret = mail_uri_host_write(MAIL_STR(cases[i].host), &out, rendered_diag(&d));
		const char *text = rendered_buf(&out);
		UNIT_CHECK(ret == cases[i].ret, "case %zu: %d (%s)", i, ret, d.diag.text);
		UNIT_CHECK(d.diag.column == cases[i].column, "case %zu: column %u (%s)", i,
		           d.diag.column, d.diag.text);
		UNIT_CHECK(ret != KNOT_EOK || strcmp(text, cases[i].written) == 0, "case %zu: '%s'",
		           i, text);
	}
}

/* A full buffer is told, not passed over. */
static void test_space(void)
{
	uint8_t mem[16];
	mail_buf_t out = MAIL_BUF_FIXED(mem, sizeof(mem));
	CU_ASSERT(mail_uri_write(MAIL_STR("mailto:postmaster@example.org"), &plain, &out, NULL) ==
	          KNOT_ESPACE);
	out = (mail_buf_t)MAIL_BUF_FIXED(mem, sizeof(mem));
	CU_ASSERT(mail_uri_list_write(MAIL_STR("https://example.org/"), &plain, &out, NULL) ==
	          KNOT_ESPACE);
}

static const unit_test_t tests[] = {
	{ "URIs", test_write },  { "writing twice", test_twice }, { "lists", test_list },
	{ "parts", test_parts }, { "hosts", test_host },          { "no space", test_space },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("uri", tests);
}
