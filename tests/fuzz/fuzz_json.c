/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The input is a line of NDJSON. */
#include "fuzz.h"

/* The general parser reads a line with a space in front of it, and must say the same as the quick one. */
static void compare_general(mail_str_t line, const mail_entry_t *entry)
{
	mail_buf_t spaced = { 0 };
	mail_entry_t *general = NULL;
	mail_buf_u8(&spaced, ' ');
	mail_buf_put(&spaced, line.data, line.len);
	int ret = mail_json_parse(mail_buf_view(&spaced), &general, NULL);
	FUZZ_REQUIRE((ret == KNOT_EOK) == (entry != NULL));
	FUZZ_REQUIRE(entry == NULL || mail_entry_equal(entry, general));
	mail_entry_free(general);
	mail_buf_free(&spaced);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mail_str_t line = { (const char *)data, size };
	mail_entry_t *entry = NULL;
	mail_diag_t diag = { .line = 7 };
	int ret = mail_json_parse(line, &entry, &diag);
	FUZZ_REQUIRE(diag.line == 7);
	FUZZ_REQUIRE((ret == KNOT_EOK) == (entry != NULL));
	compare_general(line, entry);
	if (ret != KNOT_EOK) {
		FUZZ_REQUIRE(ret == KNOT_EINVAL);
		fuzz_reason(&diag);
		return 0;
	}
	fuzz_json_round(entry);
	if (!entry->deleted) {
		fuzz_stored(entry);
		fuzz_text_round(entry);
	}
	mail_entry_free(entry);
	return 0;
}
