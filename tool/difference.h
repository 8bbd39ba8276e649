/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief How an entry changes, for people and programs.
 */
#pragma once

#include "tool/verb.h"

/*! Print how an entry changes (NULL: there is none). \return true when it does. */
bool difference_print(const tool_t *tool, const mail_entry_t *old, const mail_entry_t *new);
