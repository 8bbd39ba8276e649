/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is signed is what is answered, octet for octet but for the TTL: so a signature that the cache has for
 * these octets is the right one, whatever was changed in the store in between.
 */
#include "config.h"

#include <stdlib.h>

#include "dns/nsec.h"
#include "dns/rrsig.h"
#include "record/soa.h"
#include "view/sign.h"

/*! Octets to sign that need no memory of their own: all but RRsets with very many records. */
#define OCTETS_USUAL 4096
/*! An RR's header in the octets: owner, type, class, TTL, length (RFC 4034 3.1.8.1). */
#define RR_HEADER_MAX (KNOT_DNAME_MAXLEN + 10)
/*! RRSIG RDATA without the signature. */
#define RRSIG_HEADER_MAX (18 + KNOT_DNAME_MAXLEN)

bool mail_view_signed(const mail_view_t *view)
{
	for (size_t i = 0; i < view->keyed->key_count; i++) {
		const mail_dnskey_t *key = &view->keyed->keys[i];
		if (mail_dnskey_signs_zone(key, view->now) ||
		    mail_dnskey_published(key, view->now)) {
			return true;
		}
	}
	return false;
}

bool mail_view_signable(const mail_view_t *view, const mail_signer_t *signer,
                        const mail_dnskey_t **missing)
{
	bool signs = false;
	for (size_t i = 0; i < view->keyed->key_count; i++) {
		const mail_dnskey_t *key = &view->keyed->keys[i];
		const bool zone = mail_dnskey_signs_zone(key, view->now);
		if ((zone || mail_dnskey_signs_keys(key, view->now)) &&
		    (signer == NULL || !mail_signer_has(signer, key))) {
			*missing = key;
			return false;
		}
		signs |= zone;
	}
	*missing = NULL;
	return signs;
}

static bool key_signs(const mail_dnskey_t *key, uint16_t type, int64_t now)
{
	switch (type) {
	case KNOT_RRTYPE_DNSKEY:
	case KNOT_RRTYPE_CDS:
	case KNOT_RRTYPE_CDNSKEY: return mail_dnskey_signs_keys(key, now);
	default: return mail_dnskey_signs_zone(key, now);
	}
}

static void *octets_take(knot_mm_t *mm, size_t size)
{
	return mm != NULL && mm->alloc != NULL ? mm->alloc(mm->ctx, size) : malloc(size);
}

static void octets_give(knot_mm_t *mm, void *octets)
{
	if (mm == NULL || mm->alloc == NULL) {
		free(octets);
	} else if (mm->free != NULL) {
		mm->free(octets);
	}
}

/*! Append the RRSIG of one key. */
static int key_sign(const mail_dnskey_t *key, mail_signer_t *signer, const mail_signing_t *signing,
                    mail_rrsig_t *rrsig, uint8_t *octets, size_t cap, knot_rrset_t *rrsigs,
                    knot_mm_t *mm)
{
	uint8_t rdata[RRSIG_HEADER_MAX + MAIL_SIGNATURE_MAX];
	size_t header = 0;
	rrsig->tag = key->tag;
	rrsig->algorithm = key->algorithm;
	int len = mail_rrsig_octets(rrsig, signing->rrset, octets, cap, &header);
	if (len < 0) {
		return len;
	}
	int ret = mail_signer_sign(signer, key, signing->flags, octets, len, rdata + header);
	if (ret < 0) {
		return ret;
	}
	memcpy(rdata, octets, header);
	return mail_view_rdata(rrsigs, rdata, header + ret, mm);
}

int mail_view_sign(const mail_view_t *view, mail_signer_t *signer, const mail_signing_t *signing,
                   knot_mm_t *mm, knot_rrset_t *rrsigs)
{
	const knot_rrset_t *rrset = signing->rrset;
	uint8_t usual[OCTETS_USUAL];
	uint8_t *octets = usual;
	const size_t cap = RRSIG_HEADER_MAX + (size_t)rrset->rrs.count * RR_HEADER_MAX +
	                   rrset->rrs.size;
	mail_rrsig_t rrsig = { .signer = view->apex,
		               .owner = signing->owner,
		               .original_ttl = signing->ttl };
	mail_rrsig_period(&rrsig, view->now);
	knot_rrset_init(rrsigs, rrset->owner, KNOT_RRTYPE_RRSIG, rrset->rclass, rrset->ttl);
	if (cap > sizeof(usual)) {
		octets = octets_take(mm, cap);
		if (octets == NULL) {
			return KNOT_ENOMEM;
		}
	}
	int ret = KNOT_EOK;
	for (size_t i = 0; i < view->keyed->key_count; i++) {
		const mail_dnskey_t *key = &view->keyed->keys[i];
		if (!key_signs(key, rrset->type, view->now)) {
			continue;
		}
		ret = key_sign(key, signer, signing, &rrsig, octets,
		               octets == usual ? sizeof(usual) : cap, rrsigs, mm);
		if (ret != KNOT_EOK) {
			break;
		}
	}
	if (octets != usual) {
		octets_give(mm, octets);
	}
	return ret;
}

/*! Return whether a stored domain below has, or may have, a DS. */
static int child_has_ds(const mail_view_t *view, mail_link_t *link, bool *has)
{
	mail_ds_t ds;
	int ret = mail_view_child_ds(view, link->owner, mail_lf(&link->lf), NULL, &ds);
	link->until = ds.until < link->until ? ds.until : link->until;
	knot_rdataset_clear(&ds.rrset.rrs, NULL);
	/* Of a child that cannot be read nobody may believe that it is not signed. */
	*has = ret == KNOT_EOK || ret == KNOT_EMALF;
	return *has || ret == KNOT_ENOENT ? KNOT_EOK : ret;
}

/*! Write the types that a zone cut has on the parent's side; none: the name is no cut. */
static int cut_types(const mail_view_t *view, mail_link_t *link, const mail_node_t *node,
                     uint16_t *types, size_t *count)
{
	*count = 0;
	if (link->lf.len == view->lf.len) {
		return KNOT_EOK;
	}
	mail_lf_t child;
	int ret = mail_view_child(view, mail_lf(&link->lf), &child);
	if (ret != KNOT_EOK) {
		return ret;
	}
	bool ds = false;
	if (child.len == link->lf.len) {
		ret = child_has_ds(view, link, &ds);
	} else if (mail_node_has(view, node, KNOT_RRTYPE_NS)) {
		ds = mail_node_has(view, node, KNOT_RRTYPE_DS);
	} else {
		return KNOT_EOK;
	}
	types[(*count)++] = KNOT_RRTYPE_NS;
	if (ds) {
		types[(*count)++] = KNOT_RRTYPE_DS;
	}
	return ret;
}

int mail_view_types(const mail_view_t *view, const mail_node_t *node,
                    uint16_t types[MAIL_NSEC_TYPES_MAX], size_t *count)
{
	bool proof = false;
	uint16_t type = 0;
	do {
		type = node != NULL ? mail_node_type(view, node, type) : 0;
		if (*count + 3 > MAIL_NSEC_TYPES_MAX) {
			return KNOT_ESPACE;
		}
		if (!proof && (type == 0 || type > KNOT_RRTYPE_NSEC)) {
			types[(*count)++] = KNOT_RRTYPE_RRSIG;
			types[(*count)++] = KNOT_RRTYPE_NSEC;
			proof = true;
		}
		if (type != 0) {
			types[(*count)++] = type;
		}
	} while (type != 0);
	return KNOT_EOK;
}

/*! Add a type in ascending order, unless it is there. */
static int type_insert(uint16_t *types, size_t *count, uint16_t type)
{
	size_t at = *count;
	while (at > 0 && types[at - 1] >= type) {
		at--;
	}
	if (at < *count && types[at] == type) {
		return KNOT_EOK;
	}
	if (*count == MAIL_NSEC_TYPES_MAX) {
		return KNOT_ESPACE;
	}
	memmove(types + at + 1, types + at, (*count - at) * sizeof(*types));
	types[at] = type;
	++*count;
	return KNOT_EOK;
}

/*!
 * Add the types of the domain itself whose values cannot be made: its NSEC must not deny them. At other names a question
 * fails as long as there are such.
 */
static int apex_bad_types(const mail_view_t *view, uint16_t *types, size_t *count)
{
	const mail_overlay_t *overlay = view->overlay;
	if (overlay == NULL) {
		return KNOT_EOK;
	}
	mail_kinds_t left = mail_kinds_at(overlay->touched & ~overlay->made, (mail_lf_t){ 0 });
	for (; left != 0; left &= left - 1) {
		const uint16_t type = mail_kinds[__builtin_ctzll(left)].type;
		int ret = type != 0 ? type_insert(types, count, type) : KNOT_EOK;
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/*! Write the types that a name of the chain has. */
static int link_types(const mail_view_t *view, mail_link_t *link, uint16_t *types, size_t *count)
{
	mail_node_t node;
	int ret = mail_view_node(view, mail_lf(&link->lf), &node);
	if (ret == KNOT_EOK) {
		ret = cut_types(view, link, &node, types, count);
	}
	if (ret != KNOT_EOK) {
		return ret;
	}
	ret = mail_view_types(view, *count == 0 ? &node : NULL, types, count);
	if (ret != KNOT_EOK || link->lf.len != view->lf.len) {
		return ret;
	}
	return apex_bad_types(view, types, count);
}

uint32_t mail_view_negative_ttl(const mail_view_t *view)
{
	return view->records_ttl < MAIL_SOA_MINIMUM ? view->records_ttl : MAIL_SOA_MINIMUM;
}

int mail_view_nsec(mail_view_t *view, mail_link_t *link, knot_mm_t *mm, knot_rrset_t *rrset,
                   uint32_t *ttl)
{
	uint16_t types[MAIL_NSEC_TYPES_MAX];
	uint8_t rdata[MAIL_NSEC_RDATA_MAX];
	size_t count;
	int ret = link_types(view, link, types, &count);
	if (ret != KNOT_EOK) {
		return ret;
	}
	*ttl = mail_view_negative_ttl(view);
	knot_rrset_init(rrset, (knot_dname_t *)link->owner, KNOT_RRTYPE_NSEC, KNOT_CLASS_IN,
	                mail_ttl_cap(*ttl, view->now, link->until));
	const size_t len = mail_nsec_rdata(link->next, types, count, rdata);
	return mail_view_rdata(rrset, rdata, len, mm);
}

int mail_view_child_ds(const mail_view_t *view, const knot_dname_t *owner, mail_lf_t lf,
                       knot_mm_t *mm, mail_ds_t *ds)
{
	mail_view_t child;
	child.source = view->source;
	child.cache = view->cache;
	child.now = view->now;
	ds->ttl = view->records_ttl;
	ds->until = INT64_MAX;
	knot_rrset_init(&ds->rrset, (knot_dname_t *)owner, KNOT_RRTYPE_DS, KNOT_CLASS_IN, 0);
	int ret = mail_view_open(&child, owner, lf);
	if (ret == KNOT_ENOMEM) {
		return ret;
	}
	if (ret != KNOT_EOK || child.plan->error != KNOT_EOK || !child.hosted) {
		return KNOT_EMALF;
	}
	if (!mail_view_signed(&child)) {
		return KNOT_ENOENT;
	}
	if (child.waits) {
		ds->until = child.ds_from;
		return KNOT_ENOENT;
	}
	for (size_t i = 0; i < child.keyed->key_count; i++) {
		const mail_dnskey_t *dnskey = &child.keyed->keys[i];
		if (dnskey->role != MAIL_ROLE_ZSK) {
			mail_until_min(&ds->until, dnskey->ds, view->now);
			mail_until_min(&ds->until, dnskey->ds_until, view->now);
		}
	}
	ds->rrset.ttl = mail_ttl_cap(ds->ttl, view->now, ds->until);
	uint8_t rdata[MAIL_DS_RDATA_MAX];
	size_t pos = 0;
	while ((ret = mail_plan_ds(child.keyed, owner, MAIL_DS_SHA256, view->now, &pos, rdata)) >=
	       0) {
		ret = knot_rrset_add_rdata(&ds->rrset, rdata, ret, mm);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return knot_rrset_empty(&ds->rrset) ? KNOT_ENOENT : KNOT_EOK;
}
