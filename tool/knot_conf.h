/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief knotd's configuration as a list of settings: from knot.conf, or from what `knotc conf-read` prints.
 */
#pragma once

#include "mail/pool.h"
#include "tool/verb.h"

/*! A value of an item; the first of a section's identifier has an empty item. */
typedef struct {
	const char *section;
	const char *
		id; /*!< In small letters, of a zone without its last dot; empty: the section has none. */
	const char *item;
	const char *value;
} knot_setting_t;

/*! All settings, in their order. Zeroed is empty. */
typedef struct {
	knot_setting_t *settings;
	size_t count, room;
	mail_pool_t pool;
	char error[512]; /*!< What is wrong with it; empty: nothing. */
} knot_conf_t;

/*! Read knot.conf, and what it includes. \return Whether it could be read; else conf->error. */
bool knot_conf_read_file(knot_conf_t *conf, const char *path);
/*! Read what `knotc conf-read` prints. */
void knot_conf_read_lines(knot_conf_t *conf, const char *text);
void knot_conf_free(knot_conf_t *conf);

/*!
 * Return the next setting after the n-th of a section, an id and an item; each may be NULL: any.
 *
 * \param at  In and out: where to go on; 0 at first.
 *
 * \return NULL at the end.
 */
const knot_setting_t *knot_conf_next(const knot_conf_t *conf, size_t *at, const char *section,
                                     const char *id, const char *item);
/*! Return the first value, or NULL. */
const char *knot_conf_value(const knot_conf_t *conf, const char *section, const char *id,
                            const char *item);
