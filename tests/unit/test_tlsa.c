/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/tlsa.h"

#include "lib/cases.h"

/* Made with openssl; the digests below too ("openssl x509 -outform DER", "-pubkey", "openssl dgst"). */
static const char leaf[] = "-----BEGIN CERTIFICATE-----\n"
			   "MIIBnjCCAUSgAwIBAgIUCYx3j6vaGok+PWVJZdx0FowA4zEwCgYIKoZIzj0EAwIw\n"
			   "EjEQMA4GA1UEAwwHVGVzdCBDQTAgFw0yNjExMjIxNzM1MTdaGA8yMTI2MTAyOTE3\n"
			   "MzUxN1owGzEZMBcGA1UEAwwQbWFpbC5leGFtcGxlLm9yZzBZMBMGByqGSM49AgEG\n"
			   "CCqGSM49AwEHA0IABESqLsrQ+IJ8cgg8Hb3ecM3iiWxRSYpAWZRCP/f1l51vxzli\n"
			   "AjhP7JHyjqz2HWEHCA3o6jm4tYwiMurBh9+cZVCjbTBrMAwGA1UdEwEB/wQCMAAw\n"
			   "GwYDVR0RBBQwEoIQbWFpbC5leGFtcGxlLm9yZzAdBgNVHQ4EFgQUd24Um7gIodAL\n"
			   "4TDD4MHbe1K9yRQwHwYDVR0jBBgwFoAUTkBwq2LX0lk95oU1M++O8fwkMXIwCgYI\n"
			   "KoZIzj0EAwIDSAAwRQIhAMebv5W7ViL2ggYZyd7u96qX16Uj7wYsZtAjPXbjOJcD\n"
			   "AiBdihtaYLW+kuzuXKSwS9mORFgLDzvnB78NSFZxU9yQdg==\n"
			   "-----END CERTIFICATE-----\n";
static const char issuer[] = "-----BEGIN CERTIFICATE-----\n"
			     "MIIBezCCASGgAwIBAgIUNDoPssFn2bqTdeh5xNVNtzFdSNAwCgYIKoZIzj0EAwIw\n"
			     "EjEQMA4GA1UEAwwHVGVzdCBDQTAgFw0yNjExMjIxNzM1MTdaGA8yMTI2MTAyOTE3\n"
			     "MzUxN1owEjEQMA4GA1UEAwwHVGVzdCBDQTBZMBMGByqGSM49AgEGCCqGSM49AwEH\n"
			     "A0IABNb6sa641pZpPHyGyTfpirynbC43iDKCAKENqK/QXqCEtTY1sPyhHFN1oq9Z\n"
			     "jR6h3KN0ErnZDXiVpuXY3pq3Y0+jUzBRMB0GA1UdDgQWBBROQHCrYtfSWT3mhTUz\n"
			     "747x/CQxcjAfBgNVHSMEGDAWgBROQHCrYtfSWT3mhTUz747x/CQxcjAPBgNVHRMB\n"
			     "Af8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQCa428dyZSxmmqEMqmtKzmv9Aqe\n"
			     "PKtJIRnzWvqbWypZvwIgIvMnHeMrbfjxiywn4QPWrozhRq1fm6+JgpZrQMydYCo=\n"
			     "-----END CERTIFICATE-----\n";

static const case_t forms[] = {
	GOOD("3 1 1", "3 1 1"), GOOD(" 2  0\t2 ", "2 0 2"),
	GOOD("3 0 1", "3 0 1"), GOOD("2 1 1", "2 1 1"),
	BAD("0 1 1", 1),        BAD("1 1 1", 1),
	BAD("4 1 1", 1),        BAD("3 2 1", 3),
	BAD("3 1 0", 5),        BAD("3 1 3", 5),
	BAD("3 1", 4),          BAD("", 1),
	BAD("3 1 1 0", 7),      BAD("3 x 1", 3),
	BAD("311", 1),          BAD("-3 1 1", 1),
};

static int parse_form(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	mail_tlsa_form_t form = { 0, 0, 0 };
	int ret = mail_tlsa_form_parse(in, &form, diag);
	if (ret == KNOT_EOK) {
		(void)mail_buf_printf(out, "%u %u %u", form.usage, form.selector, form.matching);
	}
	return ret;
}

static void test_forms(void)
{
	run_cases(forms, parse_form);
}

#define HEX32 "064dbc632f1ba7d0a2a3faeadeedfebd6f90f850dfb852c97ee9df9b6e5c5e7c"
#define OCTETS                                                                                     \
	"\x06\x4d\xbc\x63\x2f\x1b\xa7\xd0\xa2\xa3\xfa\xea\xde\xed\xfe\xbd"                         \
	"\x6f\x90\xf8\x50\xdf\xb8\x52\xc9\x7e\xe9\xdf\x9b\x6e\x5c\x5e\x7c"

static const case_t records[] = {
	/* What a guide publishes. */
	GOOD("3 0 1 " HEX32, "\3\0\1" OCTETS),
	GOOD("2 1 1 064DBC63 2F1BA7D0 a2a3faea DEEDFEBD 6f90f850dfb852c97ee9df9b6e5c5e7 c ",
	     "\2\1\1" OCTETS),
	GOOD("3 1 2 " HEX32 HEX32, "\3\1\2" OCTETS OCTETS),
	BAD("3 1 1", 6),
	BAD("3 1 1 ", 6),
	BAD("3 1 2 " HEX32, 6),
	BAD("3 1 1 " HEX32 HEX32, 6),
	BAD("3 1 2 " HEX32 HEX32 HEX32, 6),
	BAD("3 1 1 " HEX32 "0", 71),
	BAD("3 1 1 0x" HEX32, 8),
	BAD("3 1 1 {domain}", 7),
	BAD("3 1 0 " HEX32, 5),
	BAD("1 1 1 " HEX32, 1),
	BAD("", 1),
	BAD(HEX32, 1),
};

static int render(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	mail_rdata_t rdata = { 0 };
	return case_octets(mail_tlsa_render(in, &rdata, diag), &rdata, out);
}

static void test_render(void)
{
	run_cases(records, render);
}

static const char *const digests[] = {
	"3 0 1 b15595a4f5d6c3fc6727e1690e6f6cc22e114477e7fd02d5c5ffc7f12dae609c",
	"3 0 2 17ee7a1a51d95cfee0a1999bbb2f2777150fb1206514e7d1777faefb696e861b"
	"43887404fae05d188a8c9998ca40aec714c73156e8a8c2446ada478bd2ff9621",
	"3 1 1 a77781f378e00484eaad49ac955c9a9ce39584acc32745cab46a171868696710",
	"3 1 2 c030e52d1c81adc710b5d5c028b8dc6f096979dfdbccc6f06aae014b518f2e9e"
	"d7500f7a2d1422b496e5fd50728b9ee0a80b6351c504354be3c57f9ab20a67a0",
	"2 0 1 440e5f2847f78ac19b385a26afa99858d39744d0be778f60c56968e71e5ddf13",
	"2 0 2 46fca8a9747ba434e71cf1ffdc099930a6f512d52fc138b3c0e68c05120c9da3"
	"974bbf73aeee718626a4628b937fcbb2dca294c621762a31f674972070b0e42b",
	"2 1 1 afd92fbd746e3ba84563f7972e6c90c6286a5dc7c60ce62a00dfe1e51a5d5d5a",
	"2 1 2 e69cc46ed0c1246b6dc86ac563aa96c301edcb9089de398263a469e69789bd06"
	"efa7f489871445baa6233084da03160be3b0cdd250142e81338a31b2108fa46b",
};

static void test_certificates(void)
{
	/* A chain as servers have it, with other things in the file. */
	char chain[8192];
	snprintf(chain, sizeof(chain), "Subject: mail\n%s%s%s\n", leaf,
	         "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n",
	         issuer);
	EACH(c, digests) {
		rendered_diag_t d;
		mail_tlsa_form_t form;
		mail_buf_t out = { 0 };
		mail_rdata_t rdata = { 0 };
		CHECK_OK(mail_tlsa_form_parse((mail_str_t){ *c, 5 }, &form, NULL));
		CHECK_OK(mail_tlsa_from_pem(MAIL_STR(chain), &form, &out, rendered_diag(&d)));
		CHECK_OK(mail_tlsa_render(mail_buf_view(&out), &rdata, NULL));
		CHECK_BUF(&out, *c);
		CHECK(d.warnings == 0, "%s", d.last);
		mail_rdata_free(&rdata);
	}
}

static void test_chains(void)
{
	static const mail_tlsa_form_t leaf_form = { 3, 1, 1 }, issuer_form = { 2, 1, 1 };
	static const mail_tlsa_form_t bad = { 1, 1, 1 }, whole = { 3, 1, 0 };
	char wrong[4096], damaged[4096], cut[4096];
	snprintf(wrong, sizeof(wrong), "%s%s", issuer, leaf);
	snprintf(damaged, sizeof(damaged), "%s%s", leaf, issuer);
	char *at = strstr(damaged + strlen(leaf), "\nMII");
	at[4] = at[4] == 'A' ? 'B' : 'A';
	snprintf(cut, sizeof(cut), "%.*s", (int)strlen(leaf) - 40, leaf);
	const struct {
		const char *pem;
		const mail_tlsa_form_t *form;
		int ret;
		unsigned warnings;
	} cases[] = {
		{ leaf, &leaf_form, 0, 0 },
		{ issuer, &leaf_form, 0, 0 },
		{ leaf, &issuer_form, KNOT_EINVAL, 0 },
		{ wrong, &leaf_form, 0, 2 },
		{ wrong, &issuer_form, 0, 1 },
		{ damaged, &leaf_form, KNOT_EINVAL, 0 },
		{ cut, &leaf_form, KNOT_EINVAL, 0 },
		{ "", &leaf_form, KNOT_EINVAL, 0 },
		{ "no PEM", &leaf_form, KNOT_EINVAL, 0 },
		{ "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", &leaf_form,
		  KNOT_EINVAL, 0 },
		{ leaf, &bad, KNOT_EINVAL, 0 },
		{ leaf, &whole, KNOT_EINVAL, 0 },
	};
	EACH(c, cases) {
		rendered_diag_t d;
		mail_buf_t out = { 0 };
		int ret = mail_tlsa_from_pem(MAIL_STR(c->pem), c->form, &out, rendered_diag(&d));
		CHECK(ret == c->ret, "%d (%s)", ret, d.diag.text);
		CHECK(d.warnings == c->warnings, "%u (%s)", d.warnings, d.last);
		CHECK_INT((ret == KNOT_EOK), (d.diag.text[0] == '\0'));
		CHECK((ret == KNOT_EOK) == (out.len > 0), "%zu octets", out.len);
		mail_buf_free(&out);
	}
}

UNIT_MAIN("tlsa", TEST("forms", test_forms), TEST("records", test_render),
          TEST("digests of certificates", test_certificates), TEST("chains", test_chains))
