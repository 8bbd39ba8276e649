/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief An entry that is about to be made, whose id may be a slip for that of another one.
 */
#pragma once

#include "tool/verb.h"

/*!
 * Return a stored entry that a verb changes, or NULL when it is to be made.
 *
 * The id of a new policy, host, certificate or key set can be one letter from an existing one. Then a terminal is asked,
 * and without --create or a yes the process ends. A terminal is asked while the store is closed: call this first after
 * tool_open(), which was to write.
 */
mail_entry_t *near_find(tool_t *tool, mail_section_t section, const char *text);
/*! Return whether two ids are one letter apart: more, less, another one, or two swapped. Digits number things, and do not count. */
bool near_is(mail_str_t a, mail_str_t b);
