/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Growing buffers, and readers of octets.
 *
 * Every function of the library that can fail returns KNOT_EOK or a negative KNOT_E* code.
 *
 * Thread rule: one thread at a time uses an object; there is no global state.
 */
#pragma once

#include <libknot/libknot.h>

#include "mail/str.h"

/*!
 * A buffer of octets. It either grows (malloc), or it writes into memory of the caller.
 *
 * Errors stick: after the first error nothing is written, and `error` keeps the error: KNOT_ENOMEM, or KNOT_ESPACE if
 * the memory of the caller is full. So you may check a row of puts once, at its end.
 */
typedef struct {
	uint8_t *data;
	size_t len;
	size_t cap;
	bool fixed; /*!< data belongs to the caller: it neither grows nor is freed. */
	int error;  /*!< KNOT_EOK, or the first error. */
} mail_buf_t;

/*! Make a buffer that writes into memory of the caller. */
#define MAIL_BUF_FIXED(mem, size) ((mail_buf_t){ .data = (mem), .cap = (size), .fixed = true })

/*! Append octets. \return As all functions that append: KNOT_EOK, or the sticking error. */
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
/*! Append formatted text, without a terminator. \return Also KNOT_EINVAL (a bad format), which sticks. */
int mail_buf_printf(mail_buf_t *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/*! Return the content of the buffer. It is valid until the next put. */
static inline mail_str_t mail_buf_view(const mail_buf_t *buf)
{
	return (mail_str_t){ (const char *)buf->data, buf->len };
}
/*! Free a growing buffer, and make it empty. A zeroed or a fixed buffer is allowed. */
void mail_buf_free(mail_buf_t *buf);

/*! A reader of octets, which never reads past the end. The error KNOT_EMALF sticks. */
typedef struct {
	const uint8_t *pos;
	const uint8_t *end;
	int error;
} mail_reader_t;

/*! Make a reader of memory. */
#define MAIL_READER(mem, size) ((mail_reader_t){ (mem), (const uint8_t *)(mem) + (size), KNOT_EOK })

/*! Return the number of octets that are left; 0 after an error. */
static inline size_t mail_read_left(const mail_reader_t *r)
{
	return r->error == KNOT_EOK ? (size_t)(r->end - r->pos) : 0;
}
/*! Read len octets. \return The octets in the memory that is read; NULL with the sticking error KNOT_EMALF. */
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
/*! Read an octet. \return 0 on an error. */
static inline uint8_t mail_read_u8(mail_reader_t *r)
{
	const uint8_t *octets = mail_read(r, sizeof(uint8_t));
	return octets != NULL ? *octets : 0;
}
/*! Read a 16-bit number in network order. \return 0 on an error. */
static inline uint16_t mail_read_u16(mail_reader_t *r)
{
	const uint8_t *octets = mail_read(r, sizeof(uint16_t));
	return octets != NULL ? knot_wire_read_u16(octets) : 0;
}
/*! Read a 32-bit number in network order. \return 0 on an error. */
static inline uint32_t mail_read_u32(mail_reader_t *r)
{
	const uint8_t *octets = mail_read(r, sizeof(uint32_t));
	return octets != NULL ? knot_wire_read_u32(octets) : 0;
}
/*! Read a 64-bit number in network order. \return 0 on an error. */
static inline uint64_t mail_read_u64(mail_reader_t *r)
{
	const uint8_t *octets = mail_read(r, sizeof(uint64_t));
	return octets != NULL ? knot_wire_read_u64(octets) : 0;
}
