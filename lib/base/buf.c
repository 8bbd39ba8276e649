/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "mail/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* A growing buffer starts with this much. */
#define BUF_FIRST 64
/* Formatted text up to here is written without a look at the room first. */
#define BUF_PRINTF_SHORT 512

/*! Makes room for len more octets. */
static int buf_reserve(mail_buf_t *buf, size_t len)
{
	if (buf->error != KNOT_EOK) {
		return buf->error;
	}
	if (len <= buf->cap - buf->len) {
		return KNOT_EOK;
	}
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
	uint8_t *data = realloc(buf->data, cap);
	if (data == NULL) {
		return buf->error = KNOT_ENOMEM;
	}
	buf->data = data;
	buf->cap = cap;
	return KNOT_EOK;
}

int mail_buf_put(mail_buf_t *buf, const void *data, size_t len)
{
	int ret = buf_reserve(buf, len);
	if (ret == KNOT_EOK && len > 0) {
		memcpy(buf->data + buf->len, data, len);
		buf->len += len;
	}
	return ret;
}

/*! Appends the lowest len octets of a number, highest first. */
static int buf_number(mail_buf_t *buf, uint64_t value, size_t len)
{
	uint8_t octets[sizeof(value)];
	for (size_t i = len; i > 0; i--) {
		octets[i - 1] = (uint8_t)value;
		value >>= 8;
	}
	return mail_buf_put(buf, octets, len);
}

int mail_buf_u8(mail_buf_t *buf, uint8_t value)
{
	return mail_buf_put(buf, &value, 1);
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
	if (len < 0) {
		return buf->error != KNOT_EOK ? buf->error : (buf->error = KNOT_EINVAL);
	}
	if ((size_t)len < sizeof(text)) {
		return mail_buf_put(buf, text, len);
	}

	/* Long text is written in place, with room for the terminator that vsnprintf wants. */
	int ret = buf_reserve(buf, (size_t)len + 1);
	if (ret == KNOT_EOK) {
		va_start(args, fmt);
		(void)vsnprintf((char *)buf->data + buf->len, (size_t)len + 1, fmt, args);
		va_end(args);
		buf->len += len;
	}
	return ret;
}

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int mail_buf_base64(mail_buf_t *buf, const uint8_t *octets, size_t len)
{
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t group = (uint32_t)octets[i] << 16;
		group |= left > 1 ? (uint32_t)octets[i + 1] << 8 : 0;
		group |= left > 2 ? octets[i + 2] : 0;
		char four[4] = {
			base64_digits[group >> 18],
			base64_digits[group >> 12 & 63],
			left > 1 ? base64_digits[group >> 6 & 63] : '=',
			left > 2 ? base64_digits[group & 63] : '=',
		};
		(void)mail_buf_put(buf, four, sizeof(four));
	}
	return buf->error;
}

int mail_base64_parse(mail_str_t text, mail_buf_t *out, mail_diag_t *diag)
{
	uint32_t bits = 0;
	size_t digits = 0, pads = 0;
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.data[i];
		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			continue;
		}
		const char *digit = c != '\0' ? strchr(base64_digits, c) : NULL;
		if (c == '=' && digits % 4 >= 2 && pads < 4 - digits % 4) {
			pads++;
			continue;
		}
		if (digit == NULL || pads > 0) {
			return mail_diag_error(diag, i + 1,
			                       "a character that cannot be there in base64");
		}
		bits = bits << 6 | (uint32_t)(digit - base64_digits);
		digits++;
		if (digits % 4 != 1) {
			(void)mail_buf_u8(out, (uint8_t)(bits >> (6 - 2 * ((digits - 1) % 4))));
		}
	}
	const size_t rest = digits % 4;
	/* RFC 4648 3.5: bits that are of no use are zero, so that there is one spelling. */
	if (digits == 0 || rest == 1 || (rest > 1 && pads != 4 - rest) ||
	    (rest > 1 && (bits & (rest == 2 ? 0xfu : 0x3u)) != 0)) {
		return mail_diag_error(diag, text.len, "the base64 is not complete");
	}
	return out->error;
}

void mail_buf_free(mail_buf_t *buf)
{
	if (!buf->fixed) {
		free(buf->data);
		buf->data = NULL;
		buf->cap = 0;
	}
	buf->len = 0;
	buf->error = KNOT_EOK;
}
