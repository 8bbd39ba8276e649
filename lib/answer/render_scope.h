/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief For which domains a rendered answer is right: names that were looked at, and other names in it.
 */
#pragma once

#include "answer/rendered.h"

/*! Names in an answer that do not depend on the domain. */
#define MAIL_RENDER_NAMES_MAX 16

typedef struct {
	mail_lf_t domain; /*!< The one that the answer was made for. */
	uint64_t always;  /*!< Types that change the answer wherever they stand, as bits. */
	mail_lf_storage_t names[MAIL_RENDER_NAMES_MAX];
	size_t name_count;
	mail_render_look_t looks[MAIL_RENDER_LOOKS_MAX];
	mail_lf_storage_t looked[MAIL_RENDER_LOOKS_MAX]; /*!< Their names. */
	size_t look_count;
} mail_render_scope_t;

void mail_render_scope_begin(mail_render_scope_t *scope, mail_lf_t domain, uint16_t qtype);

/*! Note a name of the answer that does not depend on the domain. \return Whether the answer can be rendered. */
bool mail_render_scope_name(mail_render_scope_t *scope, mail_lf_t name);

/*!
 * \brief Note a name that was looked at.
 *
 * \param name   Relative to the domain.
 * \param types  Types that were looked for, as bits, besides that of the question.
 *
 * \return Whether the answer can be rendered.
 */
bool mail_render_scope_look(mail_render_scope_t *scope, mail_lf_t name, uint64_t types);

/*!
 * \brief Make of it for which domains the answer is right.
 *
 * \param out  Out: it points into the scope.
 *
 * \return Whether the answer can be rendered.
 */
bool mail_render_scope_end(mail_render_scope_t *scope, const mail_view_t *view,
                           mail_rendered_t *out);

/*! Return until when an answer with an SOA is right: the serial moves with the next step, and caps the TTL. */
int64_t mail_render_scope_until(const mail_view_t *view, uint32_t ttl);
