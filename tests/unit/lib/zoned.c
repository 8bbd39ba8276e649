/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zoned.h"

#include <arpa/inet.h>

static void name_of(const zone_t *zone, const char *text, knot_dname_storage_t name)
{
	char full[2 * KNOT_DNAME_TXT_MAXLEN + 2], apex[KNOT_DNAME_TXT_MAXLEN + 1];
	(void)knot_dname_to_str(apex, zone->apex, sizeof(apex));
	if (strcmp(text, "@") == 0) {
		(void)snprintf(full, sizeof(full), "%s", apex);
	} else if (text[strlen(text) - 1] == '.') {
		(void)snprintf(full, sizeof(full), "%s", text);
	} else {
		(void)snprintf(full, sizeof(full), "%s.%s", text, apex);
	}
	REQUIRE(knot_dname_from_str(name, full, sizeof(knot_dname_storage_t)) != NULL);
}

static size_t rdata_of(const zone_t *zone, const record_t *record, uint8_t *rdata)
{
	knot_dname_storage_t name;
	switch (record->type) {
	case KNOT_RRTYPE_A: (void)inet_pton(AF_INET, "192.0.2.1", rdata); return 4;
	case KNOT_RRTYPE_TXT:
		rdata[0] = strlen(record->rdata);
		memcpy(rdata + 1, record->rdata, rdata[0]);
		return 1 + rdata[0];
	case KNOT_RRTYPE_MX:
		memcpy(rdata, "\0\5", 2);
		name_of(zone, record->rdata, name);
		memcpy(rdata + 2, name, knot_dname_size(name));
		return 2 + knot_dname_size(name);
	default:
		name_of(zone, record->rdata, name);
		memcpy(rdata, name, knot_dname_size(name));
		return knot_dname_size(name);
	}
}

void zone_begin(zone_t *zone, const record_t *records, const char *apex)
{
	memset(zone, 0, sizeof(*zone));
	zone->mm = (knot_mm_t){ .ctx = &zone->blocks, .alloc = asked_alloc, .free = asked_free };
	REQUIRE(knot_dname_from_str(zone->apex, apex, sizeof(zone->apex)) != NULL);
	for (; records->owner != NULL; records++) {
		knot_dname_storage_t owner;
		uint8_t rdata[512];
		name_of(zone, records->owner, owner);
		knot_rrset_t *rrset = NULL;
		for (size_t i = 0; i < zone->count; i++) {
			if (zone->rrsets[i].type == records->type &&
			    knot_dname_is_equal(zone->rrsets[i].owner, owner)) {
				rrset = &zone->rrsets[i];
			}
		}
		if (rrset == NULL) {
			REQUIRE(zone->count < ZONE_MAX);
			rrset = &zone->rrsets[zone->count++];
			knot_rrset_init(rrset, knot_dname_copy(owner, &zone->mm), records->type,
			                KNOT_CLASS_IN, 300);
		}
		const size_t len = rdata_of(zone, records, rdata);
		REQUIRE(knot_rrset_add_rdata(rrset, rdata, len, &zone->mm) == KNOT_EOK);
	}
}

void zone_end(zone_t *zone)
{
	while (zone->blocks != NULL) {
		asked_block_t *next = zone->blocks->next;
		free(zone->blocks);
		zone->blocks = next;
	}
}

int zone_look(void *ctx, const knot_dname_t *name, uint16_t type, knot_rrset_t *found)
{
	const zone_t *zone = ctx;
	bool node = knot_dname_is_equal(name, zone->apex);
	knot_rrset_init_empty(found);
	for (size_t i = 0; i < zone->count; i++) {
		const knot_rrset_t *rrset = &zone->rrsets[i];
		node = node || knot_dname_in_bailiwick(rrset->owner, name) >= 0;
		if (rrset->type == type && knot_dname_is_equal(rrset->owner, name)) {
			*found = *rrset;
		}
	}
	return node ? KNOT_EOK : KNOT_ENONODE;
}

/*! The RRset of the lowest type at a name. */
static const knot_rrset_t *zone_first(const zone_t *zone, const knot_dname_t *name)
{
	const knot_rrset_t *first = NULL;
	for (size_t i = 0; i < zone->count; i++) {
		const knot_rrset_t *rrset = &zone->rrsets[i];
		if (knot_dname_is_equal(rrset->owner, name) &&
		    (first == NULL || rrset->type < first->type)) {
			first = rrset;
		}
	}
	return first;
}

/*! Put an RRset as knotd does: a wildcard's first one keeps its owner, but for an alias; others are copies. */
static void work_put(work_t *work, knot_rrset_t rrset, const knot_dname_t *name)
{
	knot_pkt_t *pkt = work->asked.pkt;
	const bool wild = !knot_dname_is_equal(rrset.owner, name);
	work->names[pkt->rrset_count] = name;
	work->wild[pkt->rrset_count] = wild;
	if (wild && (pkt->rrset_count > 0 || rrset.type == KNOT_RRTYPE_CNAME)) {
		rrset.owner = (knot_dname_t *)name;
	}
	const uint16_t hint = pkt->rrset_count == 0 ? KNOT_COMPR_HINT_QNAME : KNOT_COMPR_HINT_NONE;
	REQUIRE(knot_pkt_put(pkt, hint, &rrset, 0) == KNOT_EOK);
}

const knot_dname_t *work_solve(work_t *work)
{
	const uint16_t qtype = knot_pkt_qtype(work->asked.pkt);
	const knot_dname_t *name = knot_pkt_qname(work->asked.pkt);
	knot_rrset_t rrset;
	for (unsigned chain = 0;;) {
		const knot_dname_t *node = name;
		knot_dname_storage_t wildcard;
		work->said = MAIL_ZONE_HIT;
		if (zone_look(work->zone, name, qtype, &rrset) != KNOT_EOK) {
			const knot_dname_t *encloser = mail_name_parent(name);
			while (zone_look(work->zone, encloser, qtype, &rrset) != KNOT_EOK) {
				encloser = mail_name_parent(encloser);
			}
			memcpy(wildcard, "\1*", 2);
			memcpy(wildcard + 2, encloser, knot_dname_size(encloser));
			node = wildcard;
			work->said = MAIL_ZONE_WILDCARD;
			if (zone_look(work->zone, node, qtype, &rrset) != KNOT_EOK) {
				work->said = MAIL_ZONE_MISS;
				return name;
			}
		}
		const knot_rrset_t *first = zone_first(work->zone, node);
		if (first != NULL && first->type == KNOT_RRTYPE_CNAME &&
		    qtype != KNOT_RRTYPE_CNAME && qtype != KNOT_RRTYPE_ANY) {
			if (++chain > 5) {
				return name;
			}
			work_put(work, *first, name);
			name = knot_cname_name(first->rrs.rdata);
			if (knot_dname_in_bailiwick(name, work->zone->apex) < 0) {
				return name;
			}
			continue;
		}
		if (qtype == KNOT_RRTYPE_ANY && first != NULL) {
			rrset = *first;
		}
		if (knot_rrset_empty(&rrset)) {
			work->said = MAIL_ZONE_NODATA;
		} else {
			work_put(work, rrset, name);
		}
		return name;
	}
}
