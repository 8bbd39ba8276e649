/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief A zone in an array, and answers from it as knotd gives them, for tests of what is added to them.
 */
#pragma once

#include "asked.h"
#include "mail/zone.h"

/*! Most RRsets of a zone. */
#define ZONE_MAX 40

/*! A record of the zone; an empty RDATA of type A: 192.0.2.1. */
typedef struct {
	const char *owner;
	uint16_t type;
	const char *rdata;
} record_t;

/*! A zone. */
typedef struct {
	const record_t *records;
	knot_rrset_t rrsets[ZONE_MAX];
	size_t count;
	knot_dname_storage_t apex;
	asked_block_t *blocks;
	knot_mm_t mm;
} zone_t;

/*! A question, as far as it is answered. */
typedef struct {
	zone_t *zone;
	asked_t asked;
	mail_zone_question_t question;
	mail_zone_reply_t reply;
	const knot_dname_t *names[8]; /*!< Of each RRset. */
	bool wild[8];
	mail_zone_said_t said;
} work_t;

/*! Make a zone of records; the last has no owner. */
void zone_begin(zone_t *zone, const record_t *records, const char *apex);

/*! Free what it holds. */
void zone_end(zone_t *zone);

/*! knotd_qdata_zone_rrset() of Knot 3.4. */
int zone_look(void *ctx, const knot_dname_t *name, uint16_t type, knot_rrset_t *found);

/*! knotd's own answer. */
const knot_dname_t *work_solve(work_t *work);
