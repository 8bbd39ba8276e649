/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The input is a private key as PEM or as BIND's text. */
#include "fuzz.h"

#include "mail/signer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mail_private_t *key = NULL, *again = NULL;
	mail_diag_t diag = { .line = 7 };
	int ret = mail_private_read((mail_str_t){ (const char *)data, size }, &key, &diag);
	FUZZ_REQUIRE(diag.line == 7);
	FUZZ_REQUIRE((ret == KNOT_EOK) == (key != NULL));
	if (ret != KNOT_EOK) {
		FUZZ_REQUIRE(ret == KNOT_EINVAL);
		fuzz_reason(&diag);
		return 0;
	}
	mail_buf_t pem = { 0 };
	FUZZ_REQUIRE(mail_private_print(key, &pem) == KNOT_EOK);
	FUZZ_REQUIRE(mail_private_read(mail_buf_view(&pem), &again, NULL) == KNOT_EOK);
	FUZZ_REQUIRE(mail_private_algorithm(key) == mail_private_algorithm(again));
	FUZZ_REQUIRE(mail_str_equal(mail_private_public(key), mail_private_public(again)));
	mail_buf_free(&pem);
	mail_private_free(again);
	mail_private_free(key);
	return 0;
}
