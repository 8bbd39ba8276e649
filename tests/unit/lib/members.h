/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief What must hold of every stored value that is read; for unit tests and fuzz targets.
 */
#pragma once

#include "mail/codec.h"

/*! Return whether a value has the members of an entry, in the form that they are encoded in; rows say the same again. */
static inline bool same_members(const mail_entry_t *entry, const uint8_t *value, size_t len)
{
	mail_buf_t again = { 0 };
	const bool encoded = mail_codec_encode_as(entry, 1, &again) == KNOT_EOK;
	const size_t members = again.len - 1;
	const bool same = encoded && len > members && (value[0] == 2 || len == again.len) &&
	                  memcmp(again.data + 1, value + len - members, members) == 0;
	mail_buf_free(&again);
	return same;
}
