/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NSEC RDATA (RFC 4034 4.1): the next owner, then for each window of 256 types that has one
 *
 *     WINDOW(1) LENGTH(1) BITS(LENGTH)
 *
 * where bit 0 is the highest of the first octet.
 */
#include "dns/nsec.h"

#include <string.h>

#define LABEL_MAX KNOT_DNAME_MAXLABELLEN

size_t mail_nsec_rdata(const knot_dname_t *next, const uint16_t *types, size_t count, uint8_t *out)
{
	size_t len = knot_dname_size(next);
	memcpy(out, next, len);
	for (size_t i = 0; i < count;) {
		const uint8_t window = types[i] >> 8;
		uint8_t *bits = out + len + 2;
		size_t octets = 0;
		out[len] = window;
		for (; i < count && types[i] >> 8 == window; i++) {
			const size_t at = (types[i] & 0xff) / 8;
			while (octets <= at) {
				bits[octets++] = 0;
			}
			bits[at] |= 0x80 >> types[i] % 8;
		}
		out[len + 1] = octets;
		len += 2 + octets;
	}
	return len;
}

/*! Write LABEL and what follows the first label of a name. */
static int label_replace(const knot_dname_t *name, const uint8_t *label, size_t label_len,
                         knot_dname_storage_t out)
{
	const knot_dname_t *rest = mail_name_parent(name);
	const size_t rest_len = knot_dname_size(rest);
	if (1 + label_len + rest_len > KNOT_DNAME_MAXLEN) {
		return KNOT_ESPACE;
	}
	out[0] = label_len;
	memcpy(out + 1, label, label_len);
	memcpy(out + 1 + label_len, rest, rest_len);
	return KNOT_EOK;
}

/*! Write a label of one octet in front of a name. */
static int label_prepend(uint8_t octet, const knot_dname_t *name, knot_dname_storage_t out)
{
	const size_t len = knot_dname_size(name);
	if (len + 2 > KNOT_DNAME_MAXLEN) {
		return KNOT_ESPACE;
	}
	memmove(out + 2, name, len);
	out[0] = 1;
	out[1] = octet;
	return KNOT_EOK;
}

int mail_nsec_before(const knot_dname_t *name, knot_dname_storage_t before)
{
	uint8_t label[LABEL_MAX + 1];
	size_t len = name[0];
	bool longer = false;
	memcpy(label, name + 1, len);
	if (label[len - 1] == 0) {
		/* The name without that octet, and all below it, come right before. */
		len--;
		if (len == 0) {
			memcpy(before, mail_name_parent(name),
			       knot_dname_size(mail_name_parent(name)));
			return KNOT_EOK;
		}
	} else {
		label[len - 1]--;
		if (label[len - 1] >= 'A' && label[len - 1] <= 'Z') {
			label[len - 1] = 'A' - 1; /* Capitals sort as small letters do. */
		}
		longer = len < LABEL_MAX;
		if (longer && knot_dname_size(name) < KNOT_DNAME_MAXLEN) {
			label[len++] = 0xff;
		}
	}
	int ret = label_replace(name, label, len, before);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (!longer) {
		/* Where there is no room, there is no room for a name between them either. */
		(void)label_prepend(0xff, before, before);
	}
	return KNOT_EOK;
}

int mail_nsec_after(const knot_dname_t *name, knot_dname_storage_t after)
{
	for (; name[0] != 0; name = mail_name_parent(name)) {
		uint8_t label[LABEL_MAX + 1];
		size_t len = name[0];
		memcpy(label, name + 1, len);
		if (len < LABEL_MAX && knot_dname_size(name) < KNOT_DNAME_MAXLEN) {
			label[len++] = 0;
			return label_replace(name, label, len, after);
		}
		/* No longer label fits, so the next one of at most the same length is the next. */
		while (len > 0 && label[len - 1] == 0xff) {
			len--;
		}
		if (len > 0) {
			label[len - 1]++;
			if (label[len - 1] >= 'A' && label[len - 1] <= 'Z') {
				label[len - 1] = 'Z' + 1;
			}
			return label_replace(name, label, len, after);
		}
		/* There is none: after the last name of a parent comes what is after the parent. */
	}
	return KNOT_ESPACE;
}

int mail_nsec_first(const knot_dname_t *name, knot_dname_storage_t first)
{
	return label_prepend(0, name, first);
}
