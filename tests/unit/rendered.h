/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief What a renderer wrote, as text, and what it warned of: for tables of cases.
 */
#pragma once

#include <stdio.h>

#include "mail/rdata.h"

#include "unit.h"

/*! A diag that counts warnings. */
typedef struct {
	mail_diag_t diag;
	unsigned warnings;
	char last[320];
} rendered_diag_t;

static void rendered_warn(void *ctx, const char *text)
{
	rendered_diag_t *d = ctx;
	d->warnings++;
	snprintf(d->last, sizeof(d->last), "%s", text);
}

/*! Makes it ready for a call. */
static inline mail_diag_t *rendered_diag(rendered_diag_t *d)
{
	memset(d, 0, sizeof(*d));
	d->diag.warn = rendered_warn;
	d->diag.warn_ctx = d;
	return &d->diag;
}

/*! The domain that holes are filled with: example.org. */
static inline const mail_apex_t *rendered_apex(void)
{
	static mail_apex_t apex;
	apex.name = (const knot_dname_t *)"\7example\3org";
	apex.text = MAIL_STR("example.org");
	return &apex;
}

/*! The text of RDATA for example.org; frees the RDATA. Valid until the next call. */
static inline const char *rendered_text(mail_rdata_t *rdata)
{
	static char text[8192];
	int len = mail_rdata_fill_text(rdata, rendered_apex(), (uint8_t *)text, sizeof(text) - 1);
	mail_rdata_free(rdata);
	text[len > 0 ? len : 0] = '\0';
	return text;
}

/*! The octets of a growing buffer as a terminated text; frees the buffer. Valid until the next call. */
static inline const char *rendered_buf(mail_buf_t *buf)
{
	static char text[8192];
	size_t len = buf->len < sizeof(text) ? buf->len : sizeof(text) - 1;
	if (len > 0) {
		memcpy(text, buf->data, len);
	}
	text[len] = '\0';
	mail_buf_free(buf);
	return text;
}
