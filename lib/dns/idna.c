/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "dns/idna.h"

#include <idn2.h>

#include "mail/chars.h"

/* Longest U-label that is looked at: no A-label of 63 octets stands for a longer one in UTF-8. */
#define ULABEL_MAX 252

static bool is_wide(char c)
{
	return (uint8_t)c >= 0x80;
}

/*! Length of the label at the start of a text: what a name has between two dots. \param wide Out: a U-label. */
static size_t label_len(mail_str_t text, bool *wide)
{
	size_t i = 0;
	*wide = false;
	for (; i < text.len; i++) {
		char c = text.data[i];
		*wide = *wide || is_wide(c);
		if (c == '\\' && i + 1 < text.len) {
			i++;
		} else if (!is_wide(c) && !mail_char_alnum(c) && !mail_char_in(c, "-_*/\\")) {
			break;
		}
	}
	return i;
}

/*! Append the A-label for a U-label (RFC 5891 5). */
static int label_write(mail_str_t ulabel, mail_buf_t *out, mail_diag_t *diag)
{
	char text[ULABEL_MAX + 1], *alabel = NULL;
	if (ulabel.len > ULABEL_MAX) {
		return mail_diag_error(diag, 1, "a label is longer than 63 octets");
	}
	if (memchr(ulabel.data, '\\', ulabel.len) != NULL) {
		return mail_diag_error(diag, 1, "a backslash in an international label");
	}
	for (size_t i = 0; i < ulabel.len; i++) {
		text[i] = mail_char_lower(ulabel.data[i]);
	}
	text[ulabel.len] = '\0';
	int ret = idn2_lookup_u8((const uint8_t *)text, (uint8_t **)&alabel,
	                         IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (ret == IDN2_MALLOC) {
		return KNOT_ENOMEM;
	}
	if (ret != IDN2_OK) {
		return mail_diag_error(diag, 1, "bad international label \"%s\": %s", text,
		                       idn2_strerror(ret));
	}

	/* UTS 46 maps some characters to nothing and others to a dot. */
	size_t len = strlen(alabel);
	if (len == 0 || len > KNOT_DNAME_MAXLABELLEN || strchr(alabel, '.') != NULL) {
		ret = mail_diag_error(diag, 1, "\"%s\" does not become one label of 1 to 63 octets",
		                      text);
	} else {
		for (size_t i = 0; i < len; i++) {
			mail_buf_u8(out, (uint8_t)mail_char_lower(alabel[i]));
		}
		ret = out->error;
	}
	idn2_free(alabel);
	return ret;
}

int mail_idna_write(mail_str_t text, mail_buf_t *out, mail_diag_t *diag)
{
	for (size_t pos = 0; pos < text.len;) {
		bool wide;
		mail_str_t label = mail_str_from(text, pos);
		label.len = label_len(label, &wide);
		if (wide) {
			int ret = label_write(label, out, diag);
			if (ret != KNOT_EOK) {
				return mail_diag_shift(diag, ret, pos);
			}
		} else {
			/* And what ended it. */
			label.len += pos + label.len < text.len;
			mail_buf_put(out, label.data, label.len);
		}
		pos += label.len;
	}
	return out->error;
}
