/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief What the fuzz targets share: the entry point of libFuzzer, and what must hold of an entry.
 *
 * A target is one fuzz_NAME.c with seeds in corpus/NAME/. With clang and -fsanitize=fuzzer libFuzzer calls
 * the entry point; else replay.c does, with the seeds and all that they begin with.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "mail/codec.h"
#include "mail/name.h"
#include "mail/json.h"
#include "mail/text.h"

/*! Try one input. \return 0, always. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*! End the program when what must hold does not. */
#define FUZZ_REQUIRE(cond)                                                                         \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #cond);  \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/*! A reason must be there, and nothing in it may move the cursor of who reads it. */
__attribute__((unused)) static void fuzz_reason(const mail_diag_t *diag)
{
	FUZZ_REQUIRE(diag->text[0] != '\0');
	FUZZ_REQUIRE(memchr(diag->text, '\0', sizeof(diag->text)) != NULL);
	for (const char *c = diag->text; *c != '\0'; c++) {
		FUZZ_REQUIRE((unsigned char)*c >= 0x20 && *c != 0x7f);
	}
}

/*! An entry that a reader let in can be stored, and is the same after it. */
__attribute__((unused)) static void fuzz_stored(const mail_entry_t *entry)
{
	mail_buf_t out = { 0 };
	mail_entry_t *again = NULL;
	mail_lf_storage_t key;
	FUZZ_REQUIRE(mail_entry_key(entry->section, entry->id, &key) == KNOT_EOK && key.len > 0);
	FUZZ_REQUIRE(mail_codec_encode(entry, &out) == KNOT_EOK);
	FUZZ_REQUIRE(mail_codec_decode(entry->section, entry->id, out.data, out.len, &again) ==
	             KNOT_EOK);
	FUZZ_REQUIRE(mail_entry_equal(entry, again));
	mail_entry_free(again);
	mail_buf_free(&out);
}

/*! What is printed of an entry as JSON reads back as the entry. */
__attribute__((unused)) static void fuzz_json_round(const mail_entry_t *entry)
{
	mail_buf_t out = { 0 };
	mail_entry_t *again = NULL;
	FUZZ_REQUIRE(mail_json_print(entry, &out) == KNOT_EOK);
	FUZZ_REQUIRE(mail_json_parse(mail_buf_view(&out), &again, NULL) == KNOT_EOK);
	FUZZ_REQUIRE(mail_entry_equal(entry, again));
	mail_entry_free(again);
	mail_buf_free(&out);
}

/*! What is printed of an entry in the dialect, if it can be, reads back as the entry. */
__attribute__((unused)) static void fuzz_text_round(const mail_entry_t *entry)
{
	mail_buf_t out = { 0 };
	mail_entries_t again;
	mail_buf_printf(&out, "%s:\n", mail_section_name(entry->section));
	int ret = mail_text_print(entry, &out);
	FUZZ_REQUIRE(ret == KNOT_EOK || ret == KNOT_ENOTSUP);
	if (ret == KNOT_EOK) {
		FUZZ_REQUIRE(mail_text_parse(mail_buf_view(&out), NULL, NULL, &again, NULL) ==
		             KNOT_EOK);
		FUZZ_REQUIRE(again.count == 1 && mail_entry_equal(entry, again.entries[0]));
		mail_entries_free(&again);
	}
	mail_buf_free(&out);
}
