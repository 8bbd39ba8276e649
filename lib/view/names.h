/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The names of a domain, source by source: what exists, the NSEC chain and listings ask them alike.
 */
#pragma once

#include "view/view.h"

/*! Where names of a domain come from. What stands at them, and whether it is shown now, is another question. */
typedef enum {
	MAIL_NAMES_PLAN, /*!< Owners of the plan's rows below (or at) the domain. */
	MAIL_NAMES_ABSOLUTE, /*!< Hosts of the plan with absolute names, as far as they lie in the domain. */
	MAIL_NAMES_OWN, /*!< Owners of the kinds that the domain itself makes, as far as they were made. */
	MAIL_NAMES_OWN_ABSOLUTE,
	MAIL_NAMES_RECORDS, /*!< Owners of the domain's stored records. */
	MAIL_NAMES_GAP,     /*!< The ends of the chain's gap below _report._dmarc (view/chain.h). */
	MAIL_NAMES_KEYS,    /*!< The domain's own DKIM keys. */
	MAIL_NAMES_CHILDREN, /*!< The topmost stored domains below. */
	MAIL_NAMES_REPORTS, /*!< C._report._dmarc.D for every stored C, whether or not it reports to D. */
	MAIL_NAMES_COUNT
} mail_names_t;

/*!
 * \brief Find the name of a source that is next to a name.
 *
 * \param name   At or below the domain. It may lie in found.
 * \param seek   MAIL_NAMES_REPORTS is searched forwards only.
 * \param found  Out: the name, at or below the domain. With KNOT_ELIMIT: how far the search came, perhaps
 *               an edge between names; a search from there goes on.
 *
 * \return KNOT_EOK; KNOT_ENOENT; KNOT_ELIMIT: more tombstones, or reporters with too long names, than a
 *         question may pass (mail_source_t.limit); an error of the tree.
 */
int mail_names_seek(const mail_view_t *view, mail_names_t source, mail_lf_t name, mail_seek_t seek,
                    mail_lf_storage_t *found);

/*! Return whether a source has a name at all, as far as that is known without a look. */
static inline bool mail_names_any(const mail_view_t *view, mail_names_t source)
{
	const mail_overlay_t *overlay = view->overlay;
	switch (source) {
	case MAIL_NAMES_ABSOLUTE: return view->plan->absolute.count > 0;
	case MAIL_NAMES_OWN: return overlay != NULL && overlay->own != NULL;
	case MAIL_NAMES_OWN_ABSOLUTE:
		return overlay != NULL && overlay->own != NULL && overlay->own->absolute.count > 0;
	case MAIL_NAMES_RECORDS: return overlay != NULL && overlay->rows.count > 0;
	case MAIL_NAMES_KEYS: return view->own.len > 0;
	case MAIL_NAMES_CHILDREN: return !view->zone;
	default: return true;
	}
}

/*! Return whether a source can have names below a name, which is relative to the domain and is not the apex. */
static inline bool mail_names_reach(const mail_view_t *view, mail_names_t source,
                                    mail_lf_t relative)
{
	switch (source) {
	case MAIL_NAMES_KEYS: return view->own.len > 0 && mail_lf_in(relative, MAIL_DOMAINKEY);
	case MAIL_NAMES_GAP:
	case MAIL_NAMES_REPORTS:
		return mail_lf_in(relative, MAIL_REPORT) || mail_lf_in(MAIL_REPORT, relative);
	default: return mail_names_any(view, source);
	}
}

/*! Ends of the gap below _report._dmarc, relative to the domain: \000 and \255 below it. */
#define MAIL_GAP_FIRST MAIL_LF("_dmarc\0_report\0\1\1")
#define MAIL_GAP_LAST MAIL_LF("_dmarc\0_report\0\xff")
