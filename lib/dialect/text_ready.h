/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief A text as yparser takes it.
 */
#pragma once

#include "mail/buf.h"

/*!
 * Copy a text, with blanks for tabs behind an item's name, and each record that was pasted without quotes as one quoted
 * value. The number of a line stays what it was.
 *
 * \return KNOT_EOK; KNOT_ENOMEM.
 */
int mail_text_ready(mail_str_t text, mail_buf_t *out);
