/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief What somebody means by a verb that does not exist: "delete", "domain-add", "zone".
 */
#pragma once

#include "tool/verb.h"

/*! Verbs that may be meant. */
typedef struct {
	const char *names[48];
	size_t count;
} meant_t;

/*!
 * Find the verbs that a word means; those that are nearest to it by letters when it means none.
 *
 * \param next  The word behind it, for "domain delete"; or NULL.
 */
void meaning_find(const char *word, const char *next, meant_t *meant);
/*! Return the noun that a word stands for, as verbs begin with it ("cert" of "certificates"); NULL: it is none. */
const char *meaning_noun(const char *word);
