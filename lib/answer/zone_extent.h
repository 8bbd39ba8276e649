/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What zone.c, zone_extent.c and zone_txt.c share.
 */
#pragma once

#include "mail/zone.h"
#include "view/view.h"

/*! Note the labels and types of a view's plan; of one that cannot be used, all labels. */
void mail_extent_fill(const mail_view_t *view, mail_extent_t *extent);
/*! The extent of a domain that may have anything. */
void mail_extent_all(mail_extent_t *extent);

/*!
 * Make one TXT RRset of the zone's and ours at the apex: the zone's TTL, equal records once, and one SPF
 * record (RFC 7208 3.2), the zone's where it has one.
 *
 * \param merged  Out: owner of the zone's; RDATA in mm.
 *
 * \return KNOT_EOK; KNOT_ENOENT: nothing of ours is missing in the zone's; KNOT_ENOMEM.
 */
int mail_zone_txt(const knot_rrset_t *zone, const knot_rrset_t *ours, knot_mm_t *mm,
                  knot_rrset_t *merged);
