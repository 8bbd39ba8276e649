/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The input is an octet for the section, and then a stored value, which nobody has checked. */
#include "fuzz.h"
#include "tests/unit/lib/members.h"

static const char *const ids[MAIL_SECTION_COUNT] = {
	[MAIL_SECTION_HOST] = "mail",          [MAIL_SECTION_CERTIFICATE] = "web",
	[MAIL_SECTION_POLICY] = "business",    [MAIL_SECTION_DKIM] = "example.net/s1",
	[MAIL_SECTION_DOMAIN] = "example.net", [MAIL_SECTION_KEYSET] = "shared",
};

static void require_code(int ret)
{
	FUZZ_REQUIRE(ret == KNOT_EOK || ret == KNOT_EMALF || ret == KNOT_ENOTSUP);
}

/* Reads every octet of a string, so that the sanitizer sees where it lies. */
static void touch(mail_str_t text)
{
	volatile char sink = 0;
	for (size_t i = 0; i < text.len; i++) {
		sink ^= text.data[i];
	}
	(void)sink;
}

/* What is read in place must be what decoding the whole entry gives. */
static void in_place(const uint8_t *value, size_t len, const mail_entry_t *entry)
{
	mail_domain_t domain;
	int ret = mail_codec_domain(value, len, &domain);
	require_code(ret);
	if (ret == KNOT_EOK) {
		touch(domain.policy);
		touch(domain.alias);
	}
	if (entry != NULL && entry->section == MAIL_SECTION_DOMAIN) {
		FUZZ_REQUIRE(ret == KNOT_EOK);
		FUZZ_REQUIRE(
			mail_str_equal(domain.policy, mail_entry_value(entry, MAIL_ITEM_POLICY)));
		FUZZ_REQUIRE(
			mail_str_equal(domain.alias, mail_entry_value(entry, MAIL_ITEM_ALIAS)));
	}
	mail_dkim_t dkim;
	ret = mail_codec_dkim(value, len, &dkim);
	require_code(ret);
	if (ret == KNOT_EOK) {
		touch(dkim.key);
		touch(dkim.cname);
		touch(dkim.tags);
	}
	if (entry != NULL && entry->section == MAIL_SECTION_DKIM && ret == KNOT_EOK) {
		FUZZ_REQUIRE(mail_str_equal(dkim.key, mail_entry_value(entry, MAIL_ITEM_KEY)));
		FUZZ_REQUIRE(mail_str_equal(dkim.cname, mail_entry_value(entry, MAIL_ITEM_CNAME)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0) {
		return 0;
	}
	mail_section_t section = data[0] % MAIL_SECTION_COUNT;
	const uint8_t *value = data + 1;
	size_t len = size - 1;
	mail_entry_t *entry = NULL;
	int ret = mail_codec_decode(section, MAIL_STR(ids[section]), value, len, &entry);
	require_code(ret);
	FUZZ_REQUIRE((ret == KNOT_EOK) == (entry != NULL));
	in_place(value, len, entry);
	if (entry == NULL) {
		return 0;
	}
	/* Whatever decodes is what an encoder writes, and prints without harm. */
	mail_buf_t out = { 0 };
	FUZZ_REQUIRE(same_members(entry, value, len));
	ret = mail_json_print(entry, &out);
	FUZZ_REQUIRE(ret == KNOT_EOK || ret == KNOT_EMALF);
	mail_buf_free(&out);
	ret = mail_text_print(entry, &out);
	FUZZ_REQUIRE(ret == KNOT_EOK || ret == KNOT_ENOTSUP);
	mail_buf_free(&out);
	mail_diag_t diag = { 0 };
	ret = mail_entry_check(entry, &diag);
	FUZZ_REQUIRE(ret == KNOT_EOK || ret == KNOT_EINVAL);
	if (ret == KNOT_EINVAL) {
		fuzz_reason(&diag);
	}
	mail_entry_free(entry);
	return 0;
}
