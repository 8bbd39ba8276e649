/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mail/tlsa.h"

#include "rendered.h"

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

static void test_forms(void)
{
	static const struct {
		const char *text;
		int ret;
		unsigned column;
		mail_tlsa_form_t form;
	} cases[] = {
		{ "3 1 1", 0, 0, { 3, 1, 1 } },
		{ " 2  0\t2 ", 0, 0, { 2, 0, 2 } },
		{ "3 0 1", 0, 0, { 3, 0, 1 } },
		{ "2 1 1", 0, 0, { 2, 1, 1 } },
		{ "0 1 1", KNOT_EINVAL, 1, { 0, 0, 0 } },
		{ "1 1 1", KNOT_EINVAL, 1, { 0, 0, 0 } },
		{ "4 1 1", KNOT_EINVAL, 1, { 0, 0, 0 } },
		{ "3 2 1", KNOT_EINVAL, 3, { 0, 0, 0 } },
		{ "3 1 0", KNOT_EINVAL, 5, { 0, 0, 0 } },
		{ "3 1 3", KNOT_EINVAL, 5, { 0, 0, 0 } },
		{ "3 1", KNOT_EINVAL, 4, { 0, 0, 0 } },
		{ "", KNOT_EINVAL, 1, { 0, 0, 0 } },
		{ "3 1 1 0", KNOT_EINVAL, 7, { 0, 0, 0 } },
		{ "3 x 1", KNOT_EINVAL, 3, { 0, 0, 0 } },
		{ "311", KNOT_EINVAL, 1, { 0, 0, 0 } },
		{ "-3 1 1", KNOT_EINVAL, 1, { 0, 0, 0 } },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		rendered_diag_t d;
		mail_tlsa_form_t form = { 0, 0, 0 };
		int ret = mail_tlsa_form_parse(MAIL_STR(cases[i].text), &form, rendered_diag(&d));
		UNIT_CHECK(ret == cases[i].ret, "case %zu: %d (%s)", i, ret, d.diag.text);
		UNIT_CHECK(d.diag.column == cases[i].column, "case %zu: column %u (%s)", i,
		           d.diag.column, d.diag.text);
		UNIT_CHECK(ret != KNOT_EOK || (form.usage == cases[i].form.usage &&
		                               form.selector == cases[i].form.selector &&
		                               form.matching == cases[i].form.matching),
		           "case %zu: %u %u %u", i, form.usage, form.selector, form.matching);
	}
}

#define HEX32 "064dbc632f1ba7d0a2a3faeadeedfebd6f90f850dfb852c97ee9df9b6e5c5e7c"

static void test_render(void)
{
	static const uint8_t octets[] = {
		0x06, 0x4d, 0xbc, 0x63, 0x2f, 0x1b, 0xa7, 0xd0, 0xa2, 0xa3, 0xfa, 0xea, 0xde,
		0xed, 0xfe, 0xbd, 0x6f, 0x90, 0xf8, 0x50, 0xdf, 0xb8, 0x52, 0xc9, 0x7e, 0xe9,
		0xdf, 0x9b, 0x6e, 0x5c, 0x5e, 0x7c, 0x06, 0x4d, 0xbc, 0x63, 0x2f, 0x1b, 0xa7,
		0xd0, 0xa2, 0xa3, 0xfa, 0xea, 0xde, 0xed, 0xfe, 0xbd, 0x6f, 0x90, 0xf8, 0x50,
		0xdf, 0xb8, 0x52, 0xc9, 0x7e, 0xe9, 0xdf, 0x9b, 0x6e, 0x5c, 0x5e, 0x7c,
	};
	static const struct {
		const char *text;
		int ret;
		unsigned column;
		uint8_t form[3];
		size_t len;
	} cases[] = {
		/* What a guide publishes. */
		{ "3 0 1 " HEX32, 0, 0, { 3, 0, 1 }, 32 },
		{ "2 1 1 064DBC63 2F1BA7D0 a2a3faea DEEDFEBD 6f90f850dfb852c97ee9df9b6e5c5e7 c ",
		  0,
		  0,
		  { 2, 1, 1 },
		  32 },
		{ "3 1 2 " HEX32 HEX32, 0, 0, { 3, 1, 2 }, 64 },
		{ "3 1 1", KNOT_EINVAL, 6, { 0 }, 0 },
		{ "3 1 1 ", KNOT_EINVAL, 6, { 0 }, 0 },
		{ "3 1 2 " HEX32, KNOT_EINVAL, 6, { 0 }, 0 },
		{ "3 1 1 " HEX32 HEX32, KNOT_EINVAL, 6, { 0 }, 0 },
		{ "3 1 2 " HEX32 HEX32 HEX32, KNOT_EINVAL, 6, { 0 }, 0 },
		{ "3 1 1 " HEX32 "0", KNOT_EINVAL, 71, { 0 }, 0 },
		{ "3 1 1 0x" HEX32, KNOT_EINVAL, 8, { 0 }, 0 },
		{ "3 1 1 {domain}", KNOT_EINVAL, 7, { 0 }, 0 },
		{ "3 1 0 " HEX32, KNOT_EINVAL, 5, { 0 }, 0 },
		{ "1 1 1 " HEX32, KNOT_EINVAL, 1, { 0 }, 0 },
		{ "", KNOT_EINVAL, 1, { 0 }, 0 },
		{ HEX32, KNOT_EINVAL, 1, { 0 }, 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		rendered_diag_t d;
		mail_rdata_t rdata = { 0 };
		uint8_t wire[128];
		int ret = mail_tlsa_render(MAIL_STR(cases[i].text), &rdata, rendered_diag(&d));
		UNIT_CHECK(ret == cases[i].ret, "case %zu: %d (%s)", i, ret, d.diag.text);
		UNIT_CHECK(d.diag.column == cases[i].column, "case %zu: column %u (%s)", i,
		           d.diag.column, d.diag.text);
		int len = mail_rdata_fill(&rdata, rendered_apex(), wire, sizeof(wire));
		mail_rdata_free(&rdata);
		if (ret == KNOT_EOK) {
			UNIT_CHECK((size_t)len == 3 + cases[i].len, "case %zu: %d octets", i, len);
			UNIT_CHECK(memcmp(wire, cases[i].form, 3) == 0 &&
			                   memcmp(wire + 3, octets, cases[i].len) == 0,
			           "case %zu", i);
		}
	}
}

static const struct {
	mail_tlsa_form_t form;
	const char *text;
} digests[] = {
	{ { 3, 0, 1 },
	  "3 0 1 "
	  "b15595a4f5d6c3fc6727e1690e6f6cc22e114477e7fd02d5c5ffc7f12dae609c" },
	{ { 3, 0, 2 },
	  "3 0 2 "
	  "17ee7a1a51d95cfee0a1999bbb2f2777150fb1206514e7d1777faefb696e861b"
	  "43887404fae05d188a8c9998ca40aec714c73156e8a8c2446ada478bd2ff9621" },
	{ { 3, 1, 1 },
	  "3 1 1 "
	  "a77781f378e00484eaad49ac955c9a9ce39584acc32745cab46a171868696710" },
	{ { 3, 1, 2 },
	  "3 1 2 "
	  "c030e52d1c81adc710b5d5c028b8dc6f096979dfdbccc6f06aae014b518f2e9e"
	  "d7500f7a2d1422b496e5fd50728b9ee0a80b6351c504354be3c57f9ab20a67a0" },
	{ { 2, 0, 1 },
	  "2 0 1 "
	  "440e5f2847f78ac19b385a26afa99858d39744d0be778f60c56968e71e5ddf13" },
	{ { 2, 0, 2 },
	  "2 0 2 "
	  "46fca8a9747ba434e71cf1ffdc099930a6f512d52fc138b3c0e68c05120c9da3"
	  "974bbf73aeee718626a4628b937fcbb2dca294c621762a31f674972070b0e42b" },
	{ { 2, 1, 1 },
	  "2 1 1 "
	  "afd92fbd746e3ba84563f7972e6c90c6286a5dc7c60ce62a00dfe1e51a5d5d5a" },
	{ { 2, 1, 2 },
	  "2 1 2 "
	  "e69cc46ed0c1246b6dc86ac563aa96c301edcb9089de398263a469e69789bd06"
	  "efa7f489871445baa6233084da03160be3b0cdd250142e81338a31b2108fa46b" },
};

static void test_certificates(void)
{
	/* A chain as servers have it, with other things in the file. */
	char chain[8192];
	snprintf(chain, sizeof(chain), "Subject: mail\n%s%s%s\n", leaf,
	         "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n",
	         issuer);
	for (size_t i = 0; i < sizeof(digests) / sizeof(*digests); i++) {
		rendered_diag_t d;
		mail_buf_t out = { 0 };
		int ret = mail_tlsa_from_pem(MAIL_STR(chain), &digests[i].form, &out,
		                             rendered_diag(&d));
		mail_rdata_t rdata = { 0 };
		CU_ASSERT(mail_tlsa_render(mail_buf_view(&out), &rdata, NULL) == KNOT_EOK);
		mail_rdata_free(&rdata);
		const char *text = rendered_buf(&out);
		UNIT_CHECK(ret == KNOT_EOK, "case %zu: %d (%s)", i, ret, d.diag.text);
		UNIT_CHECK(strcmp(text, digests[i].text) == 0, "case %zu: '%s'", i, text);
		UNIT_CHECK(d.warnings == 0, "case %zu: %s", i, d.last);
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
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		rendered_diag_t d;
		mail_buf_t out = { 0 };
		int ret = mail_tlsa_from_pem(MAIL_STR(cases[i].pem), cases[i].form, &out,
		                             rendered_diag(&d));
		UNIT_CHECK(ret == cases[i].ret, "case %zu: %d (%s)", i, ret, d.diag.text);
		UNIT_CHECK(d.warnings == cases[i].warnings, "case %zu: %u (%s)", i, d.warnings,
		           d.last);
		UNIT_CHECK((ret == KNOT_EOK) == (d.diag.text[0] == '\0'), "case %zu", i);
		UNIT_CHECK((ret == KNOT_EOK) == (out.len > 0), "case %zu: %zu octets", i, out.len);
		mail_buf_free(&out);
	}
}

static const unit_test_t tests[] = {
	{ "forms", test_forms },
	{ "records", test_render },
	{ "digests of certificates", test_certificates },
	{ "chains", test_chains },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("tlsa", tests);
}
