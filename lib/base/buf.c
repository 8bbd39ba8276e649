/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "mail/buf.h"
#include "mail/mem.h"

#include <stdarg.h>
#include <stdio.h>

/* A growing buffer starts with this much. */
#define BUF_FIRST 64
/* Formatted text up to here is written without a look at the room first. */
#define BUF_PRINTF_SHORT 512

/*! Make room for len more octets, which there is not. */
static int buf_grow(mail_buf_t *buf, size_t len)
{
	if (buf->fixed) {
		return buf->error = KNOT_ESPACE;
	}
	if (len > SIZE_MAX / 2 - buf->len) {
		return buf->error = KNOT_ENOMEM;
	}

	size_t cap = buf->cap > 0 ? buf->cap : BUF_FIRST;
	while (cap < buf->len + len) {
		cap *= 2;
	}
	uint8_t *data = mail_realloc(buf->data, cap);
	if (data == NULL) {
		return buf->error = KNOT_ENOMEM;
	}
	buf->data = data;
	buf->cap = cap;
	return KNOT_EOK;
}

/*! Make room for len more octets. */
static inline int buf_reserve(mail_buf_t *buf, size_t len)
{
	if (buf->error != KNOT_EOK) {
		return buf->error;
	}
	return len <= buf->cap - buf->len ? KNOT_EOK : buf_grow(buf, len);
}

int mail_buf_put(mail_buf_t *buf, const void *data, size_t len)
{
	int ret = buf_reserve(buf, len);
	if (ret != KNOT_EOK || len == 0) {
		return ret;
	}
	memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	return KNOT_EOK;
}

/*! Append the lowest len octets of a number, highest first. */
static inline int buf_number(mail_buf_t *buf, uint64_t value, size_t len)
{
	int ret = buf_reserve(buf, len);
	if (ret != KNOT_EOK) {
		return ret;
	}
	for (size_t i = len; i > 0; i--) {
		buf->data[buf->len + i - 1] = (uint8_t)value;
		value >>= 8;
	}
	buf->len += len;
	return KNOT_EOK;
}

int mail_buf_u8(mail_buf_t *buf, uint8_t value)
{
	int ret = buf_reserve(buf, 1);
	if (ret == KNOT_EOK) {
		buf->data[buf->len++] = value;
	}
	return ret;
}

int mail_buf_u16(mail_buf_t *buf, uint16_t value)
{
	return buf_number(buf, value, sizeof(value));
}

int mail_buf_u32(mail_buf_t *buf, uint32_t value)
{
	return buf_number(buf, value, sizeof(value));
}

int mail_buf_u64(mail_buf_t *buf, uint64_t value)
{
	return buf_number(buf, value, sizeof(value));
}

int mail_buf_str(mail_buf_t *buf, const char *text)
{
	return mail_buf_put(buf, text, strlen(text));
}

int mail_buf_printf(mail_buf_t *buf, const char *fmt, ...)
{
	char text[BUF_PRINTF_SHORT];
	va_list args;
	va_start(args, fmt);
	int len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (buf->error != KNOT_EOK) {
		return buf->error;
	}
	if (len < 0) {
		return buf->error = KNOT_EINVAL;
	}
	if ((size_t)len < sizeof(text)) {
		return mail_buf_put(buf, text, len);
	}

	/* Long text is written in place, with room for the terminator that vsnprintf wants. */
	int ret = buf_reserve(buf, (size_t)len + 1);
	if (ret != KNOT_EOK) {
		return ret;
	}
	va_start(args, fmt);
	(void)vsnprintf((char *)buf->data + buf->len, (size_t)len + 1, fmt, args);
	va_end(args);
	buf->len += len;
	return KNOT_EOK;
}

void mail_buf_free(mail_buf_t *buf)
{
	if (!buf->fixed) {
		mail_free(buf->data);
		buf->data = NULL;
		buf->cap = 0;
	}
	buf->len = 0;
	buf->error = KNOT_EOK;
}
