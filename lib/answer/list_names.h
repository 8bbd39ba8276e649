/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A listing of a domain being made: list_names.c gathers the names, list.c looks each up.
 */
#pragma once

#include "mail/list.h"
#include "view/view.h"

/*! A name of the listing. */
typedef struct {
	mail_lf_t lf; /*!< Its octets belong to the list. */
	bool owner;   /*!< It has an NSEC. */
} listed_name_t;

typedef struct {
	const mail_listing_t *listing;
	mail_view_t view;
	listed_name_t *names;
	size_t count, max;
	bool signs; /*!< With RRSIG and NSEC. */
	bool ended; /*!< By what `each` returned. */
} list_t;

/*!
 * Gather the names of the list's view from every source that it knows, and sort them, each once.
 *
 * \return KNOT_EOK, KNOT_ENOMEM, KNOT_EMALF...
 */
int mail_list_names(list_t *list);
void mail_list_free(list_t *list);
