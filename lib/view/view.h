/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief A stored domain as one question sees it: its plan, its own DKIM keys, the stored domains below it, and
 *        the domains that report to it, at one second and in one transaction.
 *
 * A view lives on the stack of the question that made it; one thread.
 */
#pragma once

#include "mail/dkim_id.h"
#include "model/dkim_sum.h"
#include "view/overlay.h"

typedef struct {
	const mail_source_t *source;
	mail_cache_t *cache;
	int64_t now;
	mail_lf_storage_t lf;     /*!< The domain. */
	const knot_dname_t *apex; /*!< The same, wire. */
	mail_domain_t domain;
	const mail_plan_t *plan;  /*!< Of its policy; or one that says why there is none. */
	mail_overlay_t *overlay;  /*!< What the domain changes of it; NULL: nothing. */
	const mail_plan_t *keyed; /*!< The plan that has the keys of the domain's key set. */
	uint64_t stamp; /*!< Newest change of the domain's entry and of an alias's target, ns. */
	uint32_t records_ttl; /*!< The TTL of records that have none of their own. */
	uint16_t type; /*!< All that is asked for of the domain's own name; 0: any type may be. */
	bool hosted;   /*!< It has ns, and so SOA. */
	bool cuts;     /*!< Some row may be a delegation or a DNAME. */
	mail_lf_storage_t own; /*!< The domain whose own DKIM keys count; empty: none count. */
	mail_dkim_sum_t keys;  /*!< What these keys come to, once it was needed. */
	bool keys_known;
	char text[KNOT_DNAME_TXT_MAXLEN + 1]; /*!< The domain as text, once it was needed. */
	size_t text_len;
	uint32_t ttl; /*!< Of the RRset made last, not capped: the Original TTL of its RRSIG. */
	bool zone;    /*!< The domain is a zone of knotd's: what makes a zone is not shown. */
	bool waits; /*!< The domain's keys are newer than what caches hold: no DS, CDS and CDNSKEY before ds_from. */
	int64_t ds_from;
} mail_view_t;

/*! Rows that stand at a name. */
typedef struct {
	const mail_owner_t *owner;
	mail_kinds_t hidden; /*!< Kinds that are not shown: the domain makes them otherwise. */
} mail_stand_t;

/*! Owners that a name may have: of the shared plan and of the domain's own, relative and absolute; its records. */
#define MAIL_STANDS_MAX 5

/*! What stands at a name. */
typedef struct {
	mail_stand_t stands[MAIL_STANDS_MAX];
	unsigned count;
	bool clash; /*!< The last stand is the domain's stored records, which have a type that is also made. */
	mail_dkim_t dkim; /*!< The domain's own DKIM key. */
	bool own_key;
	bool steady;    /*!< All that it may have is rows that are shown from now on, for ever. */
	uint16_t first; /*!< The lowest type of its records; 0: none. */
	bool report;    /*!< The name is C._report._dmarc.D of a C that reports to D. */
	bool child;     /*!< A stored domain: a zone cut. */
	bool exists;    /*!< It has a record, or a name below it has. */
} mail_node_t;

/*! Where a name leads. */
typedef enum {
	MAIL_FOUND,    /*!< node is the name's (it may have no record: an empty non-terminal). */
	MAIL_WILDCARD, /*!< node is that of the wildcard that covers the name (RFC 4592). */
	MAIL_CUT,      /*!< The name is at or below a delegation: node is the cut's. */
	MAIL_DNAME,    /*!< The name is below a DNAME: node is its owner's. */
	MAIL_NOTHING   /*!< No such name. */
} mail_where_t;

typedef struct {
	mail_where_t where;
	mail_node_t node;
	mail_lf_storage_t lf; /*!< Of the node. */
	bool at_cut;          /*!< MAIL_CUT: the name is that of the cut itself. */
	int64_t until;        /*!< Next second at which the answer would change. */
} mail_place_t;

/*! `_report._dmarc`, below which a domain welcomes reports about others (RFC 9990 4). */
#define MAIL_REPORT MAIL_LF("_dmarc\0_report")

/*!
 * \brief Open the view of the longest stored domain at or above a name.
 *
 * source, cache and now of the view are set.
 *
 * \param name  Its wire name; must stay while the view is used.
 * \param lf    The same in lookup format.
 *
 * \return KNOT_EOK; KNOT_ENOENT (no domain); KNOT_EMALF, KNOT_ENOTSUP (a damaged entry); KNOT_ENOMEM.
 *         view->plan->error may be set.
 */
int mail_view_open(mail_view_t *view, const knot_dname_t *name, mail_lf_t lf);
/*! Take a view's plan away, which cannot be used: view->plan->error says why. \return KNOT_EOK, KNOT_ENOMEM. */
int mail_view_fault(mail_view_t *view, int error);
/*! The second half of it: open the view of a domain that was found, the first part of lf. view->domain is set. */
int mail_view_fill(mail_view_t *view, const knot_dname_t *name, mail_lf_t lf, mail_lf_t domain);

/*!
 * \brief Open the view of a zone of knotd's: of the stored domain of that very name, else of one that follows a
 *        policy and sets nothing. SOA, NS, DS, DNAME and DNSSEC types are not shown, nor stored domains below.
 *
 * \param apex    The zone, not the root; must stay while the view is used.
 * \param policy  Empty: none.
 *
 * \return As mail_view_open(); KNOT_ENOENT: no such domain, and no policy.
 */
int mail_view_open_zone(mail_view_t *view, const knot_dname_t *apex, mail_str_t policy);

/*! Return whether rows of a type are shown: what makes a zone is the zone's own, where it has one. */
bool mail_view_shows(const mail_view_t *view, uint16_t type);

/*!
 * \brief Find what a name at or below the domain leads to.
 *
 * \param children  Stored domains may be at or above the name and below the view's domain: not so for the
 *                  name that the view was opened with.
 *
 * \return KNOT_EOK, KNOT_EMALF, KNOT_ENOTSUP.
 */
int mail_view_place(const mail_view_t *view, mail_lf_t name, bool children, mail_place_t *place);

/*! Read what stands at a name, and nothing else; node->exists is whether it has a record. */
int mail_view_node(const mail_view_t *view, mail_lf_t name, mail_node_t *node);

/*! Return what a name has below the domain. */
static inline mail_lf_t mail_view_relative(const mail_view_t *view, mail_lf_t name)
{
	return mail_lf_relative(name, mail_lf(&view->lf));
}

/*!
 * \brief Find the topmost stored domain below the view's domain and at or above a name: a zone cut.
 *
 * \param child  Out: the first part of name; empty: there is none.
 *
 * \return KNOT_EOK, or an error of the tree.
 */
int mail_view_child(const mail_view_t *view, mail_lf_t name, mail_lf_t *child);
/*!
 * \brief Find out whether there are stored domains below: a look at the domain's neighbour, which is mostly where
 *        the cursor has just been.
 *
 * \param children  Out; true also when there are too many tombstones to know.
 */
int mail_view_has_children(const mail_view_t *view, bool *children);

/*! Make what is to be known of a view that has its plan, and no overlay. */
void mail_view_of_plan(mail_view_t *view, const mail_plan_t *plan);

/*!
 * Return whether a row of a stand is not shown, whatever the time: the domain makes that kind otherwise, has a key of its own
 * with that selector, or a record of its own of that type.
 */
bool mail_row_hidden(const mail_node_t *node, unsigned stand, const mail_row_t *row);

/*! Make the domain's own kinds. \return As mail_overlay_make(). */
static inline int mail_view_make(const mail_view_t *view, mail_kinds_t kinds)
{
	return view->overlay != NULL ? mail_overlay_make(view->overlay, kinds) : KNOT_EOK;
}

/*! Return from when on a row is shown, if it is shown at all. */
int64_t mail_view_row_from(const mail_view_t *view, const mail_row_t *row);

/*! Return the next RR type of a node that is shown, in ascending order, after `after`; 0: none. */
uint16_t mail_node_type(const mail_view_t *view, const mail_node_t *node, uint16_t after);

/*!
 * \brief Make an RRset of a node.
 *
 * \param owner  Its owner; must stay.
 * \param rrset  Out: RDATA in mm; the TTL is capped by the next change.
 * \param kind   Out: index of the kind of its first record.
 * \param until  Out, may be NULL: next second at which it changes.
 *
 * \return KNOT_EOK; KNOT_ENOENT (no such type); KNOT_ESPACE (a name grows past 255 octets); KNOT_EMALF; KNOT_ENOMEM.
 */
int mail_view_rrset(mail_view_t *view, const mail_node_t *node, uint16_t type,
                    const knot_dname_t *owner, knot_mm_t *mm, knot_rrset_t *rrset, uint16_t *kind,
                    int64_t *until);

/*! Write the RDATA of a row, with the domain in its holes. \return As mail_rdata_fill(). */
int mail_view_row(mail_view_t *view, const mail_row_t *row, uint8_t *rdata, size_t cap);

/*! Append RDATA to an RRset. \return KNOT_EOK, KNOT_ENOMEM. */
int mail_view_rdata(knot_rrset_t *rrset, const uint8_t *rdata, uint16_t len, knot_mm_t *mm);

/*! Return whether kinds that a domain makes otherwise than its policy may move its serial, or do so later. */
bool mail_view_moves(const mail_view_t *view);

/*! Return the serial of the domain's SOA: second of the newest change or of the last step of the clock. */
uint32_t mail_view_serial(mail_view_t *view);

/*! Return what the domain's own DKIM keys come to. */
const mail_dkim_sum_t *mail_view_keys(mail_view_t *view);

/*! Return whether there may be names below _report._dmarc: the domain's own leaves room for one. */
bool mail_view_has_reports(const mail_view_t *view);

/*! Return whether a node shows records of a type, which is not 0. */
static inline bool mail_node_has(const mail_view_t *view, const mail_node_t *node, uint16_t type)
{
	return mail_node_type(view, node, type - 1) == type;
}

/*! Note a change that lies ahead. */
static inline void mail_until_min(int64_t *until, int64_t second, int64_t now)
{
	if (second > now && second < *until) {
		*until = second;
	}
}

/*! Return the TTL of something that changes at `until`. */
static inline uint32_t mail_ttl_cap(uint32_t ttl, int64_t now, int64_t until)
{
	const int64_t left = until - now;
	if (left >= ttl) {
		return ttl;
	}
	return left > 1 ? (uint32_t)left : 1;
}
