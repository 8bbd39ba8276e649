/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The input is a text in the dialect, and what stands in the files that it names. */
#include "fuzz.h"

/* Every file holds the text itself: PEM in its comments is read as PEM. */
static int read_file(void *ctx, mail_str_t name, mail_buf_t *out)
{
	const mail_str_t *text = ctx;
	return name.len > 40 ? KNOT_ENOENT : mail_buf_put(out, text->data, text->len);
}

static uint32_t count_lines(mail_str_t text)
{
	uint32_t lines = 1;
	for (size_t i = 0; i < text.len; i++) {
		lines += text.data[i] == '\n';
	}
	return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mail_str_t text = { (const char *)data, size };
	mail_entries_t entries;
	mail_diag_t diag = { 0 };
	int ret = mail_text_parse(text, read_file, &text, &entries, &diag);
	if (ret != KNOT_EOK) {
		FUZZ_REQUIRE(ret == KNOT_EINVAL);
		FUZZ_REQUIRE(diag.line > 0 && diag.line <= count_lines(text));
		FUZZ_REQUIRE(entries.entries == NULL && entries.count == 0);
		fuzz_reason(&diag);
		return 0;
	}
	for (size_t i = 0; i < entries.count; i++) {
		fuzz_stored(entries.entries[i]);
		fuzz_json_round(entries.entries[i]);
		fuzz_text_round(entries.entries[i]);
	}
	mail_entries_free(&entries);
	return 0;
}
