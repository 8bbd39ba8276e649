/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NSEC RDATA, and names shortly before and after a name. */

#include "dns/nsec.h"

#include <libknot/libknot.h>

#include "lib/unit.h"

/*! A name in presentation format, with \DDD. */
static void name_of(const char *text, knot_dname_storage_t name)
{
	REQUIRE(knot_dname_from_str(name, text, sizeof(knot_dname_storage_t)) != NULL);
}

static void test_rdata(void)
{
	/* RFC 4034 4.3: alfa.example.com. NSEC host.example.com. (A MX RRSIG NSEC TYPE1234). */
	static const uint16_t types[] = { 1, 15, 46, 47, 1234 };
	static const uint8_t expected[] =
		"\x04host\x07"
		"example\x03"
		"com\x00"
		"\x00\x06\x40\x01\x00\x00\x00\x03"
		"\x04\x1b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
		"\x00\x00\x00\x00\x00\x00\x00\x00\x20";
	knot_dname_storage_t next;
	uint8_t rdata[MAIL_NSEC_RDATA_MAX];
	name_of("host.example.com.", next);
	size_t len = mail_nsec_rdata(next, types, COUNT(types), rdata);
	REQUIRE(len == sizeof(expected) - 1);
	CHECK_INT(memcmp(rdata, expected, len), 0);
	/* The other end of a window, and no type at all. */
	static const uint16_t last[] = { 255, 65535 };
	static const uint8_t bits[] =
		"\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
		"\xff\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01";
	REQUIRE(mail_nsec_rdata((const uint8_t *)"", last, 2, rdata) == sizeof(bits));
	CHECK_INT(memcmp(rdata + 1, bits, sizeof(bits) - 1), 0);
	CHECK_INT(mail_nsec_rdata((const uint8_t *)"", last, 0, rdata), 1);
}

static char longest[KNOT_DNAME_TXT_MAXLEN + 1]; /* 255 octets, the first label of 61. */

#define LABEL62 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz"
#define LABEL63 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0"

static void test_neighbours(void)
{
	static const struct {
		const char *name, *before, *after, *first;
	} cases[] = {
		{ "com.d.", "col\\255.d.", "com\\000.d.", "\\000.com.d." },
		{ "a.d.", "`\\255.d.", "a\\000.d.", "\\000.a.d." },
		{ "[.d.", "@\\255.d.", "[\\000.d.", "\\000.[.d." },
		{ "x\\000.d.", "\\255.x.d.", "x\\000\\000.d.", "\\000.x\\000.d." },
		{ "\\000.d.", "d.", "\\000\\000.d.", "\\000.\\000.d." },
		{ "\\255.d.", "\\254\\255.d.", "\\255\\000.d.", "\\000.\\255.d." },
		{ "*.d.", ")\\255.d.", "*\\000.d.", "\\000.*.d." },
		{ LABEL63 ".d.",
		  "\\255.abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz/.d.",
		  "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz1.d.",
		  "\\000." LABEL63 ".d." },
		{ LABEL62 "\\255.d.", "\\255." LABEL62 "\\254.d.",
		  "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxy\\{.d.",
		  "\\000." LABEL62 "\\255.d." },
	};
	EACH(c, cases) {
		knot_dname_storage_t name, expected, found;
		name_of(c->name, name);
		name_of(c->before, expected);
		int ret = mail_nsec_before(name, found);
		CHECK(ret == KNOT_EOK && knot_dname_is_equal(found, expected), "before %s",
		      c->name);
		name_of(c->after, expected);
		ret = mail_nsec_after(name, found);
		CHECK(ret == KNOT_EOK && knot_dname_is_equal(found, expected), "after %s", c->name);
		name_of(c->first, expected);
		ret = mail_nsec_first(name, found);
		CHECK(ret == KNOT_EOK && knot_dname_is_equal(found, expected), "first %s", c->name);
	}
}

/* The order is RFC 4034 6.1's, whatever the octets. */
static void test_order(void)
{
	for (unsigned octet = 0; octet < 256; octet++) {
		if (octet >= 'A' && octet <= 'Z') {
			continue;
		}
		for (unsigned len = 1; len <= 63; len += 31) {
			knot_dname_storage_t name = { 0 }, before, after;
			mail_lf_storage_t lf[3];
			name[0] = len;
			memset(name + 1, 'k', len);
			name[len] = octet;
			memcpy(name + 1 + len,
			       "\x01"
			       "d",
			       3);
			int ret = mail_nsec_before(name, before);
			CHECK(ret == KNOT_EOK, "octet %u, %u: %d", octet, len, ret);
			ret = mail_nsec_after(name, after);
			CHECK(ret == KNOT_EOK, "octet %u, %u: %d", octet, len, ret);
			mail_name_lf(before, &lf[0]);
			mail_name_lf(name, &lf[1]);
			mail_name_lf(after, &lf[2]);
			for (unsigned i = 0; i < 2; i++) {
				CHECK(mail_lf_compare(mail_lf(&lf[i]), mail_lf(&lf[i + 1])) < 0,
				      "octet %u, %u, pair %u", octet, len, i);
			}
			CHECK(!mail_lf_in(mail_lf(&lf[2]), mail_lf(&lf[1])),
			      "octet %u, %u: after is below", octet, len);
		}
	}
}

static void test_full(void)
{
	knot_dname_storage_t name, out;
	(void)snprintf(longest, sizeof(longest), "%.61s.%s.%s.%s.", LABEL63, LABEL63, LABEL63,
	               LABEL63);
	name_of(longest, name);
	REQUIRE(knot_dname_size(name) == KNOT_DNAME_MAXLEN);
	REQUIRE(mail_nsec_before(name, out) == KNOT_EOK);
	CHECK_INT(knot_dname_size(out), KNOT_DNAME_MAXLEN);
	CHECK_INT(out[61], (uint8_t)(name[61] - 1));
	CHECK_INT(mail_nsec_first(name, out), KNOT_ESPACE);
	REQUIRE(mail_nsec_after(name, out) == KNOT_EOK);
	CHECK_INT(out[61], (uint8_t)(name[61] + 1));
	/* The last of all labels that fit: what follows is beside its parent. */
	memset(name + 1, 0xff, 61);
	REQUIRE(mail_nsec_after(name, out) == KNOT_EOK);
	CHECK_INT(out[0], 63);
	CHECK_INT(knot_dname_size(out), KNOT_DNAME_MAXLEN - 62);
	CHECK_INT(out[63], (uint8_t)(name[62 + 63] + 1));
	/* The same name but for its last octet, where nothing fits in between. */
	name[61] = 0;
	REQUIRE(mail_nsec_before(name, out) == KNOT_EOK);
	CHECK_INT(out[0], 60);
}

UNIT_MAIN("nsec", TEST("RDATA", test_rdata), TEST("names before, after and below", test_neighbours),
          TEST("every octet at the end of a label", test_order),
          TEST("names without room", test_full))
