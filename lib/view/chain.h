/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The NSEC chain of a domain, computed where a question looks at it (RFC 4034 4, RFC 4035 5.4).
 *
 * Its owners are the names that have a record now, and are not below a zone cut or a DNAME. They come from the
 * plan, the domain's own DKIM keys, and the stored domains below.  Names below _report._dmarc are as many as
 * there are stored domains, and nobody's business: there the chain has a gap, from \000._report._dmarc to
 * \255._report._dmarc, whose names are denied one by one (RFC 4470).
 */
#pragma once

#include "view/view.h"

/*! One NSEC record. */
typedef struct {
	knot_dname_storage_t owner;
	knot_dname_storage_t next;
	uint8_t key[MAIL_KEY_MAX]; /*!< Of the owner. */
	size_t key_len;
	int64_t until; /*!< Next second at which something here changes. */
	bool fleeting; /*!< Minimally covering: of no use for another question. */
} mail_link_t;

/*!
 * The link whose owner is a name that has records.  With more tombstones behind it than a question passes, it is a
 * minimal one.
 *
 * \return KNOT_EOK, KNOT_EMALF, KNOT_ENOTSUP; KNOT_ESPACE when no name is left for a minimal one.
 */
int mail_chain_match(const mail_view_t *view, const uint8_t *key, size_t len, mail_link_t *link);

/*!
 * The link that covers a name without records.
 *
 * \param key    Key of the name: one that does not exist, whose parent does (the next closer name, RFC 5155
 *               1.3), or an empty non-terminal.
 * \param below  It is an empty non-terminal.
 */
int mail_chain_cover(const mail_view_t *view, const uint8_t *key, size_t len, bool below,
                     mail_link_t *link);

/*!
 * Says whether the chain has the gap: the domain's name leaves room for its ends, and they are not below a
 * delegation (of _dmarc, for example), a DNAME or a stored domain.
 *
 * \return KNOT_EOK, KNOT_EMALF, KNOT_ENOTSUP.
 */
int mail_chain_has_gap(const mail_view_t *view, bool *has);
/*! Says whether a name is an end of the gap. */
bool mail_chain_is_gap(const mail_view_t *view, const uint8_t *key, size_t len);

/*! Most types that a name has in its bitmap. */
#define MAIL_CHAIN_TYPES_MAX MAIL_NSEC_TYPES_MAX

/*! Ends of the gap below _report._dmarc: keys below the domain. */
#define MAIL_GAP_FIRST_KEY "_dmarc\0_report\0\1\1"
#define MAIL_GAP_FIRST_KEY_LEN (sizeof(MAIL_GAP_FIRST_KEY) - 1)
#define MAIL_GAP_LAST_KEY "_dmarc\0_report\0\xff"
#define MAIL_GAP_LAST_KEY_LEN (sizeof(MAIL_GAP_LAST_KEY) - 1)
