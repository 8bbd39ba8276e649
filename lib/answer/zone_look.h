/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief What a zone of knotd's has, as far as it can be looked at.
 */
#pragma once

#include "mail/zone.h"

/*! Look for records of a type at a name. \return KNOT_EOK; KNOT_ENONODE: no such name, nor one below it. */
int mail_look_rrset(const mail_zone_question_t *question, const knot_dname_t *name, uint16_t type,
                    knot_rrset_t *rrset);
/*! Return whether the zone has a name, or one below it. */
bool mail_look_node(const mail_zone_question_t *question, const knot_dname_t *name);
/*! Return whether the zone has records of a type at a name. */
bool mail_look_type(const mail_zone_question_t *question, const knot_dname_t *name, uint16_t type);
/*! Return the nearest name of the zone's above one that is none. */
const knot_dname_t *mail_look_encloser(const mail_zone_question_t *question,
                                       const knot_dname_t *name);
/*! Return a wildcard of the zone's for a name below its encloser. \return NULL: there is none. */
const knot_dname_t *mail_look_wildcard(const mail_zone_question_t *question,
                                       const knot_dname_t *encloser, knot_dname_storage_t wildcard);
/*! Return whether a name lies at or below a cut of the zone, or below a DNAME: what is there is not ours. */
bool mail_look_cut(const mail_zone_question_t *question, const knot_dname_t *name);
