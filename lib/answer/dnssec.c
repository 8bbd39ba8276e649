/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The DNSSEC records of an answer (RFC 4035 3.1): RRSIGs come behind the RRsets of their section, as knotd has
 * them; denials are links of the domain's NSEC chain.
 */
#include "config.h"

#include "answer/work.h"
#include "plan/kinds.h"

/*! Notes of so many RRsets at first: most answers have less. */
#define NOTES_FEW 16

/*! Makes room for the note of one more RRset. The packet's memory ends with the packet. */
static int notes_grow(work_t *work)
{
	knot_mm_t *mm = &work->pkt->mm;
	const size_t max = work->note_max == 0 ? NOTES_FEW : 2 * work->note_max;
	note_t *notes = mm->alloc(mm->ctx, max * sizeof(*notes));
	if (notes == NULL) {
		return KNOT_ENOMEM;
	}
	if (work->note_max > 0) {
		memcpy(notes, work->notes, work->note_max * sizeof(*notes));
	}
	memset(notes + work->note_max, 0, (max - work->note_max) * sizeof(*notes));
	work->notes = notes;
	work->note_max = max;
	return KNOT_EOK;
}

int mail_work_put(work_t *work, uint16_t hint, const knot_rrset_t *rrset, uint16_t flags,
                  const note_t *note)
{
	const uint16_t index = work->pkt->rrset_count;
	if (work->dnssec && index >= work->note_max && notes_grow(work) != KNOT_EOK) {
		return KNOT_ENOMEM;
	}
	int ret = knot_pkt_put(work->pkt, hint, rrset, flags);
	if (ret == KNOT_EOK && work->dnssec) {
		work->notes[index] = *note;
	}
	return ret;
}

/*! Writes a name into the packet's memory. */
static knot_dname_t *name_keep(work_t *work, const knot_dname_t *name)
{
	knot_mm_t *mm = &work->pkt->mm;
	const size_t len = knot_dname_size(name);
	knot_dname_t *copy = mm->alloc(mm->ctx, len);
	return copy != NULL ? memcpy(copy, name, len) : NULL;
}

const knot_dname_t *mail_work_owner(work_t *work, const mail_place_t *place)
{
	knot_dname_storage_t name;
	return mail_name_from_key(place->key, place->key_len, name) == KNOT_EOK
	               ? name_keep(work, name)
	               : NULL;
}

/*! Labels of the closest encloser of the name at hand, when the place is its wildcard, or none. */
static size_t encloser_labels(const work_t *work)
{
	return mail_key_labels(work->place.key, work->place.key_len) - 1;
}

/*! The next closer name of the name at hand: one label more than its closest encloser. */
static const knot_dname_t *closer_name(const work_t *work)
{
	const knot_dname_t *name = work->name;
	for (size_t labels = mail_key_labels(work->key, work->key_len);
	     labels > encloser_labels(work) + 1; labels--) {
		name = mail_name_parent(name);
	}
	return name;
}

void mail_work_wildcard(work_t *work)
{
	if (work->closer_count < sizeof(work->closer) / sizeof(work->closer[0])) {
		work->closer[work->closer_count++] = closer_name(work);
	}
}

static unsigned sign_flags(const work_t *work, bool fleeting)
{
	return !fleeting             ? MAIL_SIGN_CACHED
	       : work->question->udp ? MAIL_SIGN_FLEETING
	                             : MAIL_SIGN_UNBOUNDED;
}

/*! Makes the NSEC of a link, in the packet's memory. */
static int nsec_make(work_t *work, mail_link_t *link, knot_rrset_t *rrset, note_t *note)
{
	note->sign = true;
	note->flags = sign_flags(work, link->fleeting);
	int ret = mail_view_nsec(&work->view, link, &work->pkt->mm, rrset, &note->ttl);
	ret = ret == KNOT_ESPACE ? KNOT_EMALF : ret; /* It is not the packet that has no room. */
	if (ret == KNOT_EOK) {
		rrset->owner = name_keep(work, link->owner);
		note->owner = rrset->owner;
		ret = rrset->owner != NULL ? KNOT_EOK : KNOT_ENOMEM;
	}
	return ret;
}

/*! Puts the NSEC of a link, once. */
static int nsec_put(work_t *work, mail_link_t *link)
{
	knot_rrset_t rrset;
	note_t note;
	if (mail_work_seen(work, KNOT_RRTYPE_NSEC, link->owner) != NULL) {
		return KNOT_EOK;
	}
	int ret = nsec_make(work, link, &rrset, &note);
	return ret == KNOT_EOK
	               ? mail_work_put(work, KNOT_COMPR_HINT_NONE, &rrset, KNOT_PF_NULL, &note)
	               : ret;
}

static int prove_match(work_t *work, const uint8_t *key, size_t len)
{
	mail_link_t link;
	int ret = mail_chain_match(&work->view, key, len, &link);
	return ret == KNOT_EOK ? nsec_put(work, &link) : ret == KNOT_ESPACE ? KNOT_EMALF : ret;
}

static int prove_cover(work_t *work, const uint8_t *key, size_t len, bool below)
{
	mail_link_t link;
	int ret = mail_chain_cover(&work->view, key, len, below, &link);
	return ret == KNOT_EOK ? nsec_put(work, &link) : ret == KNOT_ESPACE ? KNOT_EMALF : ret;
}

/*! Proves that a name has records, but not of the type: or none at all, but names below. */
static int prove_nodata(work_t *work, const uint8_t *key, size_t len)
{
	return mail_node_type(&work->view, &work->place.node, 0) != 0 ||
	                       work->place.where == MAIL_CUT
	               ? prove_match(work, key, len)
	               : prove_cover(work, key, len, true);
}

/*! Proves that no name is nearer to the question than the wildcard that answered. */
static int prove_wildcards(work_t *work)
{
	int ret = KNOT_EOK;
	for (unsigned i = 0; i < work->closer_count && ret == KNOT_EOK; i++) {
		uint8_t key[MAIL_KEY_MAX];
		const size_t len = mail_name_key(work->closer[i], key);
		ret = prove_cover(work, key, len, false);
	}
	return ret;
}

/*! Proves that there is neither the name nor a wildcard for it (RFC 4035 3.1.3.2). */
static int prove_nothing(work_t *work)
{
	uint8_t key[MAIL_KEY_MAX];
	const size_t len = mail_name_key(closer_name(work), key);
	int ret = prove_cover(work, key, len, false);
	return ret == KNOT_EOK && work->place.key_len > 0
	               ? prove_cover(work, work->place.key, work->place.key_len, false)
	               : ret;
}

/*! The DS of a cut, from a stored domain there or from its `delegation`. */
static int cut_ds(work_t *work, knot_rrset_t *rrset, note_t *note)
{
	knot_mm_t *mm = &work->pkt->mm;
	mail_place_t *cut = &work->place;
	const knot_dname_t *owner = mail_work_above(work->name, work->key, work->key_len, cut);
	*note = (note_t){ .sign = true, .owner = owner };
	if (cut->node.child) {
		mail_ds_t ds;
		int made = mail_view_child_ds(&work->view, owner, cut->key, cut->key_len, mm, &ds);
		/* Of a child that cannot be read nothing is signed that could be wrong. */
		made = made == KNOT_EMALF && !work->signs ? KNOT_ENOENT : made;
		*rrset = ds.rrset;
		note->ttl = ds.ttl;
		return made;
	}
	uint16_t kind;
	int ret = mail_view_rrset(&work->view, &cut->node, KNOT_RRTYPE_DS, owner, mm, rrset, &kind,
	                          NULL);
	note->ttl = work->view.ttl;
	return ret;
}

int mail_work_child_ds(work_t *work)
{
	knot_rrset_t rrset;
	note_t note;
	int ret = cut_ds(work, &rrset, &note);
	if (ret != KNOT_EOK) {
		return ret;
	}
	const bool first = work->pkt->rrset_count == 0;
	if (first && work->place.node.child) {
		work->reply->kind = MAIL_KIND_CHILD;
	}
	return mail_work_put(work, first ? KNOT_COMPR_HINT_QNAME : KNOT_COMPR_HINT_NONE, &rrset,
	                     mail_work_flags(work), &note);
}

/*! A referral says whether the other side of the cut is signed (RFC 4035 3.1.4). */
static int prove_cut(work_t *work)
{
	knot_rrset_t rrset;
	note_t note;
	int ret = cut_ds(work, &rrset, &note);
	if (ret == KNOT_EOK) {
		return mail_work_put(work, KNOT_COMPR_HINT_NONE, &rrset, KNOT_PF_NULL, &note);
	}
	return ret == KNOT_ENOENT ? prove_match(work, work->place.key, work->place.key_len) : ret;
}

int mail_work_prove(work_t *work, step_t step)
{
	int ret = KNOT_EOK;
	switch (step) {
	case STEP_MISS: ret = prove_nothing(work); break;
	case STEP_NODATA: ret = prove_nodata(work, work->place.key, work->place.key_len); break;
	case STEP_REFERRAL: ret = prove_cut(work); break;
	default: break;
	}
	return ret == KNOT_EOK ? prove_wildcards(work) : ret;
}

int mail_work_rrsig(work_t *work)
{
	mail_node_t *node = &work->place.node;
	knot_mm_t *mm = &work->pkt->mm;
	const bool expanded = work->place.where == MAIL_WILDCARD;
	knot_rrset_t rrset, rrsigs;
	uint16_t kind;
	const uint16_t type = mail_node_type(&work->view, node, 0);
	int ret = mail_view_rrset(&work->view, node, type, work->name, mm, &rrset, &kind, NULL);
	if (ret != KNOT_EOK) {
		return ret == KNOT_ESPACE ? KNOT_EMALF : ret;
	}
	const mail_signing_t signing = { .rrset = &rrset,
		                         .owner = expanded ? mail_work_owner(work, &work->place)
		                                           : work->name,
		                         .ttl = work->view.ttl };
	ret = signing.owner != NULL
	              ? mail_view_sign(&work->view, work->question->signer, &signing, mm, &rrsigs)
	              : KNOT_ENOMEM;
	const note_t note = { .sign = false };
	return ret == KNOT_EOK ? mail_work_put(work, KNOT_COMPR_HINT_NONE, &rrsigs,
	                                       mail_work_flags(work), &note)
	                       : ret;
}

int mail_work_nsec(work_t *work)
{
	mail_link_t link;
	knot_rrset_t rrset;
	note_t note;
	const bool expanded = work->place.where == MAIL_WILDCARD;
	int ret = mail_chain_match(&work->view, work->place.key, work->place.key_len, &link);
	if (ret == KNOT_EOK) {
		ret = nsec_make(work, &link, &rrset, &note);
	}
	if (ret == KNOT_EOK) {
		rrset.owner = expanded ? (knot_dname_t *)work->name : rrset.owner;
		ret = mail_work_put(work, KNOT_COMPR_HINT_NONE, &rrset, mail_work_flags(work),
		                    &note);
	}
	return ret;
}

/*! Puts the RRSIGs of one RRset of the packet. */
static int sign_one(work_t *work, uint16_t index, uint16_t flags)
{
	const knot_rrset_t rrset = work->pkt->rr[index]; /* The array moves when it grows. */
	const note_t *note = &work->notes[index];
	const note_t unsigned_note = { .sign = false };
	const mail_signing_t signing = { &rrset, note->owner, note->ttl, note->flags };
	knot_rrset_t rrsigs;
	int ret = mail_view_sign(&work->view, work->question->signer, &signing, &work->pkt->mm,
	                         &rrsigs);
	if (ret != KNOT_EOK || knot_rrset_empty(&rrsigs)) {
		return ret == KNOT_EOK ? KNOT_ENOENT : ret;
	}
	const uint16_t hint = knot_compr_hint(&work->pkt->rr_info[index], KNOT_COMPR_HINT_OWNER);
	return mail_work_put(work, hint, &rrsigs, flags, &unsigned_note);
}

step_t mail_work_sign(work_t *work, uint16_t first, bool optional, step_t step)
{
	const uint16_t count = work->pkt->rrset_count;
	if (!work->dnssec || step >= STEP_TRUNCATED) {
		return step;
	}
	for (uint16_t i = first; i < count; i++) {
		if (!work->notes[i].sign) {
			continue;
		}
		int ret = sign_one(work, i, optional ? KNOT_PF_NOTRUNC : KNOT_PF_NULL);
		if (ret == KNOT_ESPACE && optional) {
			return step;
		}
		if (ret != KNOT_EOK && ret != KNOT_ESPACE && ret != KNOT_ELIMIT) {
			return mail_work_fail(work, ret, "a record cannot be signed");
		}
		if (ret != KNOT_EOK) {
			return mail_work_step(work, ret, step);
		}
	}
	return step;
}
