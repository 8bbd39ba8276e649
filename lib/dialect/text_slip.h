/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief What is wrong with a line that yparser refused.
 */
#pragma once

#include "dialect/subject.h"

/*!
 * Note the reason why yparser refused a line, with its item where that is known.
 *
 * \param subject  Where the reader was; its line is the refused one, its item is changed.
 * \param text   The whole text that was being parsed.
 * \param ret    What yp_parse() returned.
 *
 * \return KNOT_EINVAL, always.
 */
int mail_text_slip(mail_subject_t *subject, mail_str_t text, int ret);
