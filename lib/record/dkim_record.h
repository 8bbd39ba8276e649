/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The parts of a DKIM key record. For dkim.c, dkim_key.c and dkim_record.c only.
 *
 * Pure functions; any thread.
 */
#pragma once

#include "mail/dkim.h"

/*! Where PEM starts. */
#define MAIL_PEM_BEGIN "-----BEGIN "

/*! Check the shape of a tag, and the value of h=, s= and t=. */
int mail_dkim_tag_check(mail_str_t tag, mail_diag_t *diag);
/*! Check the value of v= or k=; others pass. \param first The tag is the record's first. */
int mail_dkim_own_tag(mail_str_t name, mail_str_t value, bool first, mail_diag_t *diag);
/*! Return where the key belongs in tags that are a frame: behind "p="; 0 when they are none. */
size_t mail_dkim_frame(mail_str_t tags);

/*! Read a key from its base64. \param k Of the record; empty: it has none. */
int mail_dkim_base64_parse(mail_str_t text, mail_str_t k, mail_buf_t *out, mail_diag_t *diag);
/*! Read the public part of a key from PEM. */
int mail_dkim_pem_parse(mail_str_t text, mail_buf_t *out, mail_diag_t *diag);
