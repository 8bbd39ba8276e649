/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "mail/encoding.h"

#include "mail/chars.h"

int mail_buf_hex(mail_buf_t *buf, const uint8_t *octets, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char part[64];
	while (len > 0) {
		const size_t count = len < sizeof(part) / 2 ? len : sizeof(part) / 2;
		for (size_t i = 0; i < count; i++) {
			part[2 * i] = digits[octets[i] >> 4];
			part[2 * i + 1] = digits[octets[i] & 15];
		}
		(void)mail_buf_put(buf, part, 2 * count);
		octets += count;
		len -= count;
	}
	return buf->error;
}

int mail_buf_base64(mail_buf_t *buf, const uint8_t *octets, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char part[64];
	size_t count = 0;
	for (; len >= 3; len -= 3, octets += 3) {
		const uint32_t bits = (uint32_t)octets[0] << 16 | (uint32_t)octets[1] << 8 |
		                      octets[2];
		part[count++] = digits[bits >> 18];
		part[count++] = digits[bits >> 12 & 63];
		part[count++] = digits[bits >> 6 & 63];
		part[count++] = digits[bits & 63];
		if (count == sizeof(part)) {
			(void)mail_buf_put(buf, part, count);
			count = 0;
		}
	}
	if (len > 0) {
		const uint32_t bits = (uint32_t)octets[0] << 16 |
		                      (len > 1 ? (uint32_t)octets[1] << 8 : 0);
		part[count++] = digits[bits >> 18];
		part[count++] = digits[bits >> 12 & 63];
		part[count++] = len > 1 ? digits[bits >> 6 & 63] : '=';
		part[count++] = '=';
	}
	return mail_buf_put(buf, part, count);
}

/*! Read four digits in a row. */
static bool four_digits(mail_str_t text, size_t at, uint32_t *bits)
{
	if (text.len - at < 4) {
		return false;
	}
	const char *c = text.data + at;
	const int a = mail_char_base64(c[0]), b = mail_char_base64(c[1]);
	const int d = mail_char_base64(c[2]), e = mail_char_base64(c[3]);
	if ((a | b | d | e) < 0) {
		return false;
	}
	*bits = (uint32_t)a << 18 | (uint32_t)b << 12 | (uint32_t)d << 6 | (uint32_t)e;
	return true;
}

int mail_base64_parse(mail_str_t text, mail_buf_t *out, mail_diag_t *diag)
{
	uint8_t part[192];
	uint32_t bits = 0;
	size_t digits = 0, pads = 0, count = 0;
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.data[i];
		/* Most of a long key, four digits at a time. */
		if (digits % 4 == 0 && pads == 0 && four_digits(text, i, &bits)) {
			part[count++] = (uint8_t)(bits >> 16);
			part[count++] = (uint8_t)(bits >> 8);
			part[count++] = (uint8_t)bits;
			if (count == sizeof(part)) {
				(void)mail_buf_put(out, part, count);
				count = 0;
			}
			digits += 4;
			i += 3;
			continue;
		}
		if (mail_char_space(c)) {
			continue;
		}
		if (c == '=' && digits % 4 >= 2 && pads < 4 - digits % 4) {
			pads++;
			continue;
		}
		const int digit = mail_char_base64(c);
		if (digit < 0 || pads > 0) {
			return mail_diag_error(diag, i + 1,
			                       "a character that cannot be there in base64");
		}
		bits = bits << 6 | (uint32_t)digit;
		digits++;
		if (digits % 4 != 1) {
			part[count++] = (uint8_t)(bits >> (6 - 2 * ((digits - 1) % 4)));
		}
		if (count == sizeof(part)) {
			(void)mail_buf_put(out, part, count);
			count = 0;
		}
	}
	const size_t rest = digits % 4;
	/* RFC 4648 3.5: bits that are of no use are zero, so that there is one spelling. */
	const uint32_t unused = rest == 2 ? 0xf : 0x3;
	if (digits == 0 || rest == 1 || (rest > 1 && (pads != 4 - rest || (bits & unused) != 0))) {
		return mail_diag_error(diag, text.len, "the base64 is not complete");
	}
	return count > 0 ? mail_buf_put(out, part, count) : out->error;
}
