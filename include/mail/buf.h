/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Growing buffers, and readers of octets.
 *
 * Every function of the library returns KNOT_EOK or a negative KNOT_E* code.
 *
 * Thread rule of this file: an object is used by one thread at a time; there is no global state.
 */
#pragma once

#include <libknot/libknot.h>

#include "mail/str.h"

/*!
 * A buffer of octets that either grows (malloc) or writes into memory of the caller.
 *
 * Errors stick: after the first one nothing is written, and `error` says what it was (KNOT_ENOMEM,
 * or KNOT_ESPACE when the fixed memory is full), so a row of puts is checked once at its end.
 */
typedef struct {
	uint8_t *data;
	size_t len;
	size_t cap;
	bool fixed; /*!< data is the caller's: never grown, never freed. */
	int error;  /*!< KNOT_EOK or the first error. */
} mail_buf_t;

/*! A buffer over memory of the caller. */
#define MAIL_BUF_FIXED(mem, size) ((mail_buf_t){ .data = (mem), .cap = (size), .fixed = true })

/*! Append octets. \return KNOT_EOK or the sticking error. */
int mail_buf_put(mail_buf_t *buf, const void *data, size_t len);
/*! Append one octet. */
int mail_buf_u8(mail_buf_t *buf, uint8_t value);
/*! Append a 16-bit number in network order. */
int mail_buf_u16(mail_buf_t *buf, uint16_t value);
/*! Append a 32-bit number in network order. */
int mail_buf_u32(mail_buf_t *buf, uint32_t value);
/*! Append a 64-bit number in network order. */
int mail_buf_u64(mail_buf_t *buf, uint64_t value);
/*! Append the octets of a terminated string. */
int mail_buf_str(mail_buf_t *buf, const char *text);
/*! Append formatted text, without its terminator. */
int mail_buf_printf(mail_buf_t *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/*! What the buffer holds, as a string of octets, valid until the next put. */
static inline mail_str_t mail_buf_view(const mail_buf_t *buf)
{
	return (mail_str_t){ (const char *)buf->data, buf->len };
}
/*! Free a growing buffer and make it empty; safe on a zeroed or a fixed one. */
void mail_buf_free(mail_buf_t *buf);

/*! A reader of octets that never reads past the end. Errors stick (KNOT_EMALF). */
typedef struct {
	const uint8_t *pos;
	const uint8_t *end;
	int error;
} mail_reader_t;

#define MAIL_READER(mem, size) ((mail_reader_t){ (mem), (const uint8_t *)(mem) + (size), KNOT_EOK })

/*! Octets that are left to read. */
static inline size_t mail_read_left(const mail_reader_t *r)
{
	return r->error == KNOT_EOK ? (size_t)(r->end - r->pos) : 0;
}
/*! The next len octets, or NULL with the sticking error KNOT_EMALF. */
static inline const uint8_t *mail_read(mail_reader_t *r, size_t len)
{
	if (r->error != KNOT_EOK || len > (size_t)(r->end - r->pos)) {
		r->error = KNOT_EMALF;
		return NULL;
	}
	const uint8_t *octets = r->pos;
	r->pos += len;
	return octets;
}
/*! The next number of len octets in network order, 0 on error. */
static inline uint64_t mail_read_number(mail_reader_t *r, size_t len)
{
	uint64_t value = 0;
	const uint8_t *octets = mail_read(r, len);
	for (size_t i = 0; octets != NULL && i < len; i++) {
		value = value << 8 | octets[i];
	}
	return value;
}
/*! The next octet, 0 on error. */
static inline uint8_t mail_read_u8(mail_reader_t *r)
{
	return (uint8_t)mail_read_number(r, sizeof(uint8_t));
}
/*! The next 16-bit number in network order, 0 on error. */
static inline uint16_t mail_read_u16(mail_reader_t *r)
{
	return (uint16_t)mail_read_number(r, sizeof(uint16_t));
}
/*! The next 32-bit number in network order, 0 on error. */
static inline uint32_t mail_read_u32(mail_reader_t *r)
{
	return (uint32_t)mail_read_number(r, sizeof(uint32_t));
}
/*! The next 64-bit number in network order, 0 on error. */
static inline uint64_t mail_read_u64(mail_reader_t *r)
{
	return mail_read_number(r, sizeof(uint64_t));
}
