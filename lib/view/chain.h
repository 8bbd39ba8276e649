/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The NSEC chain of a domain, computed where a question looks at it (RFC 4034 4, RFC 4035 5.4).
 *
 * Its owners are the names that have a record now, and are not below a zone cut or a DNAME. Names below
 * _report._dmarc are as many as there are stored domains, and nobody's business: there the chain has a gap,
 * from \000._report._dmarc to \255._report._dmarc, whose names are denied one by one (RFC 4470).
 */
#pragma once

#include "view/view.h"

/*! One NSEC record. */
typedef struct {
	knot_dname_storage_t owner;
	knot_dname_storage_t next;
	mail_lf_storage_t lf; /*!< Of the owner. */
	int64_t until;        /*!< Next second at which something here changes. */
	bool fleeting;        /*!< Minimally covering: of no use for another question. */
} mail_link_t;

/*!
 * \brief Find the link whose owner is a name that has records. With more tombstones behind it than a question
 *        passes, it is a minimal one.
 *
 * \return KNOT_EOK, KNOT_EMALF, KNOT_ENOTSUP; KNOT_ESPACE when no name is left for a minimal one.
 */
int mail_chain_match(const mail_view_t *view, mail_lf_t name, mail_link_t *link);

/*!
 * \brief Find the link that covers a name without records.
 *
 * \param name   One that does not exist, whose parent does (the next closer name, RFC 5155 1.3), or an empty
 *               non-terminal.
 * \param below  It is an empty non-terminal.
 */
int mail_chain_cover(const mail_view_t *view, mail_lf_t name, bool below, mail_link_t *link);

/*! Return whether a name is an end of the gap. */
bool mail_chain_is_gap(const mail_view_t *view, mail_lf_t name);
