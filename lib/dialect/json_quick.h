/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Lines of NDJSON as mail_json_print() writes them, read without a tree of JSON values.
 */
#pragma once

#include "mail/entry.h"

/*!
 * Read a line that is written exactly as mail_json_print() does, and about which there is nothing to say.
 *
 * \return false: it is another one, or something is wrong with it: the general parser reads it, and finds the words.
 */
bool mail_json_quick(mail_str_t line, mail_entry_t **entry);
