/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/verbs/signer.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <unistd.h>

#include "mail/item.h"

typedef struct {
	const char *directory;
	mail_keyring_t *ring;
} loading_t;

/*! \brief Reads the private half of a key, if it is there. */
static int load_key(tool_t *tool, const loading_t *loading, mail_str_t set, mail_str_t value)
{
	char name[NAME_MAX + 1], *path = NULL;
	mail_dnskey_t dnskey;
	mail_private_t *key = NULL;
	mail_buf_t text = { 0 };
	int status = STATUS_DONE;
	int ret = mail_dnskey_parse(value, &dnskey, NULL);
	if (ret == KNOT_EOK) {
		ret = mail_private_file(set, dnskey.algorithm, dnskey.tag, name, sizeof(name));
	}
	if (ret != KNOT_EOK || asprintf(&path, "%s/%s", loading->directory, name) < 0) {
		return STATUS_DONE;
	}
	if (access(path, R_OK) == 0) {
		status = tool_read(tool, path, &text);
	}
	if (status == STATUS_DONE && text.len > 0 &&
	    mail_private_read(mail_buf_view(&text), &key, tool_diag(tool)) == KNOT_EOK &&
	    mail_keyring_add(loading->ring, key) != KNOT_EOK) {
		status = tool_error(tool, KNOT_ENOMEM, "out of memory");
	}
	if (text.data != NULL) {
		OPENSSL_cleanse(text.data, text.len);
	}
	mail_private_free(key);
	mail_buf_free(&text);
	free(path);
	return status;
}

static int load_set(tool_t *tool, mail_entry_t *entry, void *ctx)
{
	const mail_member_t *member = mail_entry_member(entry, MAIL_ITEM_DNSKEY, MAIL_OP_SET);
	int status = STATUS_DONE;
	for (size_t i = 0; member != NULL && i < member->count && status == STATUS_DONE; i++) {
		status = load_key(tool, ctx, entry->id, member->values[i].text);
	}
	mail_entry_free(entry);
	return status;
}

int tool_signer_open(tool_t *tool, const char *directory, int64_t now, tool_signer_t *signer)
{
	signer->ring = mail_keyring_new();
	signer->signer = signer->ring != NULL ? mail_signer_new(signer->ring, NULL, 0) : NULL;
	if (signer->signer == NULL) {
		return tool_error(tool, KNOT_ENOMEM, "out of memory");
	}
	char *own = NULL;
	if (directory == NULL && asprintf(&own, "%s/keys", tool->path) < 0) {
		return tool_error(tool, KNOT_ENOMEM, "out of memory");
	}
	loading_t loading = { directory != NULL ? directory : own, signer->ring };
	int status = tool_walk(tool, MAIL_SECTION_KEYSET, MAIL_STR(""), load_set, &loading);
	free(own);
	mail_signer_sync(signer->signer, now);
	return status;
}

void tool_signer_close(tool_signer_t *signer)
{
	mail_signer_free(signer->signer);
	mail_keyring_free(signer->ring);
}
