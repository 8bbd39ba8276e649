/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Whether two spellings of a value mean the same.
 */
#pragma once

#include "mail/item.h"

/*!
 * Return whether two stored values of an item mean the same. Addresses are compared as addresses, names without regard
 * to case, and white space between words does not count. Text in which case counts must be equal.
 */
bool same_value(const mail_item_t *item, mail_str_t a, mail_str_t b);
