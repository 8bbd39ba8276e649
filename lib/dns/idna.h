/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief International names (IDNA2008, RFC 5891). Whoever writes entries converts them; names that are stored and
 *        read for answers are ASCII.
 *
 * Pure functions; any thread.
 */
#pragma once

#include "mail/buf.h"
#include "mail/diag.h"

/*!
 * Append a text in which each U-label becomes the A-label for it, in small letters; whatever is ASCII stays as it is.
 *
 * \return KNOT_EOK; KNOT_EINVAL: no U-label, or its A-label over 63 octets; KNOT_ENOMEM, KNOT_ESPACE.
 */
int mail_idna_write(mail_str_t text, mail_buf_t *out, mail_diag_t *diag);
