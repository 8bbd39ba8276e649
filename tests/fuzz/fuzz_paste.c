/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The input is a section, an id, an item, and after a line end what was pasted for it. */
#include "fuzz.h"

#include "record/paste.h"

/* The text is taken apart as well as it is read, and what is written of a text is read as that text. */
static void try_reader(mail_str_t text)
{
	mail_paste_t paste;
	mail_buf_t cleaned = { 0 };
	mail_diag_t diag = { 0 };
	int ret = mail_paste_read(text, &paste, &diag);
	FUZZ_REQUIRE(ret == KNOT_EOK || ret == KNOT_EINVAL);
	if (ret == KNOT_EINVAL) {
		fuzz_reason(&diag);
	}
	FUZZ_REQUIRE(paste.stray <= text.len);
	for (size_t i = 0; i < paste.count; i++) {
		FUZZ_REQUIRE(paste.records[i].at < text.len);
	}
	mail_paste_free(&paste);
	(void)mail_paste_clean(text, &cleaned);
	FUZZ_REQUIRE(cleaned.error == KNOT_EOK && cleaned.len <= text.len);
	mail_buf_free(&cleaned);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char head[128] = "", section[16], id[64], item[20];
	const uint8_t *end = size > 0 ? memchr(data, '\n', size < 127 ? size : 127) : NULL;
	if (end == NULL) {
		return 0;
	}
	memcpy(head, data, (size_t)(end - data));
	const mail_str_t text = { (const char *)end + 1, size - (size_t)(end + 1 - data) };
	try_reader(text);
	if (sscanf(head, "%15s %63s %19s", section, id, item) != 3) {
		return 0;
	}
	const mail_section_t kind = mail_section_find(MAIL_STR(section));
	const mail_item_t *found = mail_item_find(kind, MAIL_STR(item));
	mail_buf_t written = { 0 };
	mail_diag_t diag = { 0 };
	if (found == NULL ||
	    mail_entry_id_normalise(kind, MAIL_STR(id), &written, NULL) != KNOT_EOK) {
		mail_buf_free(&written);
		return 0;
	}
	mail_entry_t *entry = mail_entry_new(kind, mail_buf_view(&written));
	FUZZ_REQUIRE(entry != NULL);
	int ret = mail_entry_parse(entry, found, MAIL_OP_SET, text, 0, &diag);
	if (ret != KNOT_EOK) {
		FUZZ_REQUIRE(ret == KNOT_EINVAL);
		fuzz_reason(&diag);
	} else if (mail_entry_check(entry, NULL) == KNOT_EOK) {
		fuzz_stored(entry);
		fuzz_json_round(entry);
		fuzz_text_round(entry);
	}
	mail_entry_free(entry);
	mail_buf_free(&written);
	return 0;
}
