/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Entries in few words: a line each, with items after '|', and ' for ".
 *
 *     "policy p| mx: [ '10 mail', mx2 ]| ttl: 60\n"
 *     "policy q| base: p\n"
 *     "domain example.org| policy: p"
 *
 * stands for
 *
 *     policy:
 *       - id: "p"
 *         mx: [ "10 mail", mx2 ]
 *         ttl: 60
 *       - id: "q"
 *         base: p
 *     domain:
 *       - id: "example.org"
 *         policy: p
 */
#pragma once

#include "mail/text.h"

/*! Read entries. A text that begins with "SECTION:" is in the dialect already. \return As mail_text_parse(). */
int entries_parse(const char *text, mail_entries_t *entries);
