/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Answers that are kept with a plan.  An answer depends on the plan, on the QNAME's labels above the domain and on the
 * type; the domain is a hole.  It is copied, its holes are filled, and the RRsets of the packet are set as knot_pkt_put()
 * sets them, because knotd's other modules look at them.
 *
 *     first time      made, and the question is noted
 *     second time     made, rendered (render.c) and kept
 *     from then on    copied
 *
 * So what is asked for once costs no memory.  Of questions that a plan has an answer to there are only so many; of
 * others strangers can make up as many as they like, so that only the newest few are kept.
 *
 * It is right for a domain of which nothing of its own stands in the way: no record or other item of its own, no DKIM key
 * and no stored domain below, as far as the answer depends on that. Whichever domain it was made for, it comes of the plan
 * alone.
 */
#include "config.h"

#include <stdlib.h>

#include "answer/rendered.h"

#define BUCKETS 128
/*! Questions that are remembered. */
#define SEEN 512
/*! Answers to questions of which there is no end. */
#define RARE_MAX 64
/*! Answers to one question: domains differ in what they have in common with other names. */
#define VARIANTS_MAX 4
/*! Octets of a plan's answers. */
#define OCTETS_MAX 131072
/*! Questions of which it is remembered that their answer cannot be kept, and for how many seconds. */
#define DUDS 64
#define DUD_SECONDS 60
/*! As libknot: room for so many RRsets, and then for so many more. */
#define RRSETS_STEP 16

typedef struct {
	uint32_t hash; /*!< Of the question; another one with the same waits as long. */
	int64_t until;
} dud_t;

typedef struct {
	mail_kept_t kept;
	mail_rendered_t *buckets[BUCKETS];
	mail_rendered_t *rare[RARE_MAX];
	unsigned rare_next; /*!< Its place is needed next. */
	uint16_t seen[SEEN];
	dud_t duds[DUDS];
} answers_t;

static void answers_free(mail_kept_t *kept)
{
	answers_t *answers = (answers_t *)kept;
	for (size_t i = 0; i < BUCKETS; i++) {
		while (answers->buckets[i] != NULL) {
			mail_rendered_t *next = answers->buckets[i]->next;
			free(answers->buckets[i]);
			answers->buckets[i] = next;
		}
	}
	free(answers);
}

/*! Return the answers of the plan at hand, or NULL: there is no place for them. */
static answers_t *answers_of(const mail_work_t *work)
{
	mail_cache_t *cache = work->view.cache;
	mail_kept_t *kept = mail_cache_kept(cache, work->view.plan);
	if (kept != NULL) {
		return (answers_t *)kept;
	}
	answers_t *answers = calloc(1, sizeof(*answers));
	if (answers == NULL) {
		return NULL;
	}
	answers->kept = (mail_kept_t){ sizeof(*answers), answers_free };
	if (!mail_cache_keep(cache, work->view.plan, &answers->kept)) {
		free(answers);
		return NULL;
	}
	return answers;
}

/* --- Questions --- */

static uint32_t question_hash(mail_lf_t name, uint32_t type)
{
	return (uint32_t)(mail_lf_hash(name, type) >> 32);
}

static mail_rendered_t **bucket_of(answers_t *answers, uint32_t hash)
{
	return &answers->buckets[hash % BUCKETS];
}

static bool is_for(const mail_rendered_t *rendered, uint32_t hash, mail_lf_t name, uint32_t type)
{
	return rendered->hash == hash && rendered->type == type &&
	       mail_lf_equal(rendered->name, name);
}

/*! Return what is asked for. */
static uint32_t question_type(const mail_work_t *work)
{
	return knot_pkt_qtype(work->pkt) | (work->dnssec ? MAIL_RENDER_DNSSEC : 0);
}

/*! Return whether the question may have an answer here, whatever the name: what the slow way does is simple. */
static bool is_simple(const mail_work_t *work)
{
	const mail_view_t *view = &work->view;
	const knot_pkt_t *pkt = work->pkt;
	switch (knot_pkt_qtype(pkt)) {
	case KNOT_RRTYPE_DS:
	case KNOT_RRTYPE_RRSIG:
	case KNOT_RRTYPE_NSEC:
	case KNOT_RRTYPE_ANY: return false;
	default: break;
	}
	const size_t room = view->plan->apex_max < MAIL_RENDER_DOMAIN_MAX ? view->plan->apex_max
	                                                                  : MAIL_RENDER_DOMAIN_MAX;
	return !view->zone && !view->waits && view->lf.len > 0 && view->lf.len + 2 <= room &&
	       pkt->rrset_count == 0 &&
	       pkt->size == (size_t)KNOT_WIRE_HEADER_SIZE + knot_pkt_question_size(pkt);
}

/*! Return whether an answer is right for the domain, as far as names are concerned. */
static bool is_kin(const mail_rendered_t *rendered, mail_lf_t domain)
{
	if (!mail_lf_below(domain, rendered->above)) {
		return false;
	}
	const mail_lf_t rest = mail_lf_relative(domain, rendered->above);
	for (size_t i = 0; i < rendered->stranger_count; i++) {
		if (mail_lf_in(rest, rendered->strangers[i])) {
			return false;
		}
	}
	return true;
}

/*! Return whether a domain has records of its own where they change the answer. */
static bool has_records(const mail_render_look_t *look, const mail_rows_t *rows)
{
	size_t at;
	mail_stored_owner_t owner;
	int ret = mail_rows_find(rows, look->name, &at, &owner);
	if (look->below) {
		return ret != KNOT_ENOENT ||
		       (at < rows->count && (mail_rows_owner(rows, at, &owner) != KNOT_EOK ||
		                             mail_lf_in(owner.name, look->name)));
	}
	if (ret != KNOT_EOK) {
		return ret != KNOT_ENOENT;
	}
	return (look->types & owner.types) != 0;
}

/*! Return whether a domain makes kinds otherwise than its policy where they change the answer. */
static bool has_kinds(const mail_render_look_t *look, mail_kinds_t touched)
{
	mail_kinds_t left = mail_kinds_near(touched, look->name);
	for (; left != 0; left &= left - 1) {
		const uint16_t type = mail_kinds[__builtin_ctzll(left)].type;
		if (look->below || type == 0 || (look->types & mail_type_bit(type)) != 0) {
			return true;
		}
	}
	return false;
}

/*! Return whether a domain itself has something at a name that may change the answer. */
static bool has_own(const mail_render_look_t *look, const mail_overlay_t *overlay)
{
	return (overlay->touched != 0 && has_kinds(look, overlay->touched)) ||
	       (overlay->rows.count > 0 && has_records(look, &overlay->rows));
}

/*! Return whether what a domain changes of its policy's plan leaves an answer as it is. */
static bool is_left(const mail_rendered_t *rendered, const mail_view_t *view)
{
	const mail_overlay_t *overlay = view->overlay;
	if (view->records_ttl != view->plan->ttl || view->cuts ||
	    (overlay->hidden & rendered->kinds) != 0 ||
	    (rendered->soa >= 0 && mail_view_moves(view))) {
		return false;
	}
	for (size_t i = 0; i < rendered->look_count; i++) {
		if (has_own(&rendered->looks[i], overlay)) {
			return false;
		}
	}
	return true;
}

/*! Return whether nothing of the domain's own makes an answer another one. */
static bool is_right(const mail_rendered_t *rendered, mail_view_t *view)
{
	bool children = false;
	if (view->overlay != NULL && !is_left(rendered, view)) {
		return false;
	}
	if (rendered->alone && (mail_view_has_children(view, &children) != KNOT_EOK || children)) {
		return false;
	}
	if (rendered->keyless && mail_view_keys(view)->newest != 0) {
		return false;
	}
	/* A step of a key that is to come caps the TTL of the SOA. */
	return rendered->soa < 0 || mail_view_keys(view)->coming == INT64_MAX;
}

/* --- The packet --- */

/*! An answer on its way into the packet. */
typedef struct {
	const mail_rendered_t *rendered;
	mail_work_t *work;
	knot_pkt_t *pkt;
	const uint8_t *domain; /*!< Wire. */
	size_t labels;         /*!< Octets of its labels. */
	uint32_t serial;
	knot_rrset_t *rrsets;
	knot_rrinfo_t *infos;
	size_t rrset_count; /*!< So many RRsets are given: not all signatures of the additional section need be. */
	uint8_t *room;
	size_t len; /*!< Octets of the wire, if all are given. */
} filling_t;

/*! Fill the RDATA of an RRset's rows. \return Whether it has room. */
static bool fill_rows(filling_t *f, const mail_render_rrset_t *from, knot_rdataset_t *rrs)
{
	size_t left = from->room;
	rrs->rdata = (knot_rdata_t *)f->room;
	rrs->count = from->count;
	for (size_t i = 0; i < from->count; i++) {
		knot_rdata_t *rdata = (knot_rdata_t *)f->room;
		int len = left > sizeof(rdata->len)
		                  ? mail_view_row(&f->work->view, from->rows[i], rdata->data,
		                                  left - sizeof(rdata->len))
		                  : KNOT_ESPACE;
		if (len < 0 || knot_rdata_size(len) > left) {
			return false;
		}
		left -= knot_rdata_size(len);
		rdata->len = (uint16_t)len;
		f->room += knot_rdata_size(len);
		f->len += from->opaque ? (size_t)len : 0;
	}
	rrs->size = (uint32_t)(f->room - (uint8_t *)rrs->rdata);
	return true;
}

/*!
 * Make RRSIGs, mostly of what the cache of signatures has.
 *
 * \return KNOT_EOK; KNOT_ELIMIT: over the budget; KNOT_EMALF: there are not as many as there were; another error.
 */
static int fill_rrsigs(filling_t *f, const mail_render_rrset_t *from, knot_rdataset_t *rrs)
{
	const knot_rrset_t *covered = &f->rrsets[from->covered];
	const mail_sign_note_t note = { .sign = true,
		                        .ttl = covered->ttl,
		                        .owner = covered->owner };
	knot_rrset_t rrsigs;
	int ret = mail_work_rrsigs(f->work, covered, &note, &rrsigs);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (rrsigs.rrs.count != from->count) {
		return KNOT_EMALF;
	}
	*rrs = rrsigs.rrs;
	knot_rdata_t *rdata = rrs->rdata;
	for (size_t i = 0; i < from->count; i++, rdata = knot_rdataset_next(rdata)) {
		f->len += rdata->len;
	}
	return KNOT_EOK;
}

/*! Return whether an RRset stands in the additional section. */
static bool is_additional(const mail_rendered_t *rendered, size_t index)
{
	return index >=
	       (size_t)rendered->sections[KNOT_ANSWER] + rendered->sections[KNOT_AUTHORITY];
}

/*! Make the RRsets of the packet. \return KNOT_EOK; KNOT_ESPACE: some RDATA has no room; as fill_rrsigs(). */
static int fill_rrsets(filling_t *f)
{
	const mail_rendered_t *rendered = f->rendered;
	const knot_dname_t *qname = knot_pkt_qname(f->pkt);
	for (size_t i = 0; i < rendered->rrset_count; i++) {
		const mail_render_rrset_t *from = &rendered->rrsets[i];
		knot_rrset_t *to = &f->rrsets[i];
		const bool in_qname = from->owner_at != SIZE_MAX;
		*to = (knot_rrset_t){ .owner = in_qname ? (knot_dname_t *)qname + from->owner_at
			                                : f->room,
			              .ttl = from->ttl,
			              .type = from->type,
			              .rclass = KNOT_CLASS_IN,
			              .rrs = from->rrs };
		if (!in_qname) {
			memcpy(f->room, from->owner.data, from->owner.len);
			memcpy(f->room + from->owner.len, f->domain, f->labels + 1);
			/* RDATA stands at even addresses. */
			f->room += (from->owner.len + f->labels + 2) & ~(size_t)1;
		}
		if (from->rows != NULL && !fill_rows(f, from, &to->rrs)) {
			return KNOT_ESPACE;
		}
		if ((int)i == rendered->soa) {
			knot_soa_serial_set(to->rrs.rdata, f->serial);
		}
		if (from->covered < 0) {
			continue;
		}
		int ret = fill_rrsigs(f, from, &to->rrs);
		if (ret == KNOT_ELIMIT && is_additional(rendered, i)) {
			/* They stand at the end, and may be left out. */
			f->rrset_count = i;
			return KNOT_EOK;
		}
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/*! Write the wire. \return Its octets. */
static size_t fill_wire(const filling_t *f)
{
	const mail_rendered_t *rendered = f->rendered;
	const uint8_t *octets = rendered->octets;
	uint8_t *out = f->pkt->wire + f->pkt->size;
	const knot_rdata_t *rdata = NULL;
	size_t rrset = 0;
	for (size_t i = 0; i < rendered->step_count; i++) {
		const mail_render_step_t *step = &rendered->steps[i];
		switch (step->op) {
		case RENDER_OCTETS:
			memcpy(out, octets, step->value);
			octets += step->value;
			out += step->value;
			break;
		case RENDER_NUMBER:
			knot_wire_write_u16(out, (uint16_t)(step->value + step->times * f->labels));
			out += sizeof(uint16_t);
			break;
		case RENDER_DOMAIN:
			memcpy(out, f->domain, f->labels - step->value);
			out += f->labels - step->value;
			break;
		case RENDER_RDATA:
			knot_wire_write_u16(out, rdata->len);
			memcpy(out + sizeof(uint16_t), rdata->data, rdata->len);
			out += sizeof(uint16_t) + rdata->len;
			rdata = knot_rdataset_next((knot_rdata_t *)rdata);
			break;
		case RENDER_SERIAL:
			knot_wire_write_u32(out, f->serial);
			out += sizeof(uint32_t);
			break;
		default: /* RENDER_RRSET */
			if (rrset == f->rrset_count) {
				return out - f->pkt->wire;
			}
			f->infos[rrset] = (knot_rrinfo_t){ .pos = out - f->pkt->wire };
			rdata = f->rrsets[rrset++].rrs.rdata;
			break;
		}
	}
	return out - f->pkt->wire;
}

/*! Tell the packet what it has now. */
static void fill_packet(const filling_t *f, size_t size)
{
	const mail_rendered_t *rendered = f->rendered;
	knot_pkt_t *pkt = f->pkt;
	pkt->rr = f->rrsets;
	pkt->rr_info = f->infos;
	pkt->rrset_allocd = RRSETS_STEP;
	pkt->rrset_count = f->rrset_count;
	pkt->size = size;
	memcpy(pkt->wire + KNOT_WIRE_OFFSET_ANCOUNT, rendered->records, sizeof(rendered->records));
	knot_wire_set_aa(pkt->wire);
	uint16_t pos = 0;
	for (unsigned s = KNOT_ANSWER; s <= KNOT_ADDITIONAL; s++) {
		pkt->sections[s] = (knot_pktsection_t){ pkt, pos, rendered->sections[s] };
		pos += rendered->sections[s];
	}
	pkt->current = KNOT_ADDITIONAL;
	for (size_t i = f->rrset_count; i < rendered->rrset_count; i++) {
		pkt->sections[KNOT_ADDITIONAL].count--;
		knot_wire_add_arcount(pkt->wire, -rendered->rrsets[i].count);
	}
}

/*!
 * Put an answer into the packet.
 *
 * \return KNOT_EOK; else the packet is as it was: KNOT_ESPACE: there is no room; KNOT_ENOMEM; as fill_rrsigs().
 */
static int fill(mail_work_t *work, const mail_rendered_t *rendered)
{
	mail_view_t *view = &work->view;
	knot_pkt_t *pkt = work->pkt;
	knot_mm_t *mm = &pkt->mm;
	filling_t f = {
		.rendered = rendered,
		.work = work,
		.pkt = pkt,
		.domain = view->apex,
		.labels = pkt->qname_size - rendered->head - 1,
		.rrset_count = rendered->rrset_count,
	};
	f.len = rendered->len + rendered->domains * f.labels;
	if (rendered->soa >= 0) {
		f.serial = mail_view_serial(view);
	}
	f.rrsets = mm->alloc(mm->ctx, RRSETS_STEP * sizeof(*f.rrsets));
	f.infos = mm->alloc(mm->ctx, RRSETS_STEP * sizeof(*f.infos));
	f.room = rendered->room > 0 ? mm->alloc(mm->ctx, rendered->room) : NULL;
	if (f.rrsets == NULL || f.infos == NULL || (rendered->room > 0 && f.room == NULL)) {
		return KNOT_ENOMEM;
	}
	int ret = fill_rrsets(&f);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (f.len + pkt->size + pkt->reserved > pkt->max_size) {
		return KNOT_ESPACE;
	}
	fill_packet(&f, fill_wire(&f));
	return KNOT_EOK;
}

/* --- Keeping --- */

/*! Take an answer away. */
static void drop(answers_t *answers, mail_rendered_t *rendered)
{
	mail_rendered_t **at = bucket_of(answers, rendered->hash);
	while (*at != rendered) {
		at = &(*at)->next;
	}
	*at = rendered->next;
	for (size_t i = 0; rendered->rare && i < RARE_MAX; i++) {
		if (answers->rare[i] == rendered) {
			answers->rare[i] = NULL;
		}
	}
	answers->kept.octets -= rendered->size;
	free(rendered);
}

static bool came_before(answers_t *answers, uint32_t hash)
{
	uint16_t *seen = &answers->seen[hash % SEEN];
	const uint16_t mark = (uint16_t)(hash >> 16) | 1;
	const bool before = *seen == mark;
	*seen = mark;
	return before;
}

/*! Return whether the answer to a question could not be kept a short while ago. */
static bool is_dud(const answers_t *answers, uint32_t hash, int64_t now)
{
	const dud_t *dud = &answers->duds[hash % DUDS];
	return dud->hash == hash && now < dud->until && now >= dud->until - DUD_SECONDS;
}

/*! Return whether the answer to a question may be that of many domains. */
static bool is_common(const mail_view_t *view, mail_lf_t name, uint16_t qtype)
{
	const mail_render_look_t look = { .name = name,
		                          .types = mail_type_bit(qtype),
		                          .below = name.len > 0 };
	return view->overlay == NULL || !has_own(&look, view->overlay);
}

bool mail_rendered_answer(mail_work_t *work, mail_lf_t name, mail_outcome_t *outcome, bool *keep)
{
	*keep = false;
	answers_t *answers = is_simple(work) ? answers_of(work) : NULL;
	if (answers == NULL) {
		return false;
	}
	mail_view_t *view = &work->view;
	const uint32_t type = question_type(work);
	const uint32_t hash = question_hash(name, type);
	unsigned variants = 0;
	mail_rendered_t *next, *rendered = *bucket_of(answers, hash);
	for (; rendered != NULL; rendered = next) {
		next = rendered->next;
		if (!is_for(rendered, hash, name, type)) {
			continue;
		}
		if (view->now < rendered->from || view->now >= rendered->until) {
			drop(answers, rendered);
			continue;
		}
		variants++;
		if (!is_kin(rendered, mail_lf(&view->lf))) {
			continue;
		}
		int ret = is_right(rendered, view) ? fill(work, rendered) : KNOT_ENOENT;
		if (ret != KNOT_EOK && ret != KNOT_ELIMIT) {
			return false;
		}
		*outcome = rendered->outcome;
		if (ret == KNOT_ELIMIT) {
			/* To make the answer would ask for the same signature once more. */
			knot_wire_set_aa(work->pkt->wire);
			knot_wire_set_tc(work->pkt->wire);
			*outcome = MAIL_OUTCOME_TRUNCATED;
		}
		work->rcode = rendered->rcode;
		work->kind = rendered->kind;
		return true;
	}
	*keep = !is_dud(answers, hash, view->now) && variants < VARIANTS_MAX &&
	        answers->kept.octets < OCTETS_MAX &&
	        is_common(view, name, knot_pkt_qtype(work->pkt)) && came_before(answers, hash);
	return false;
}

void mail_rendered_keep(mail_work_t *work, mail_lf_t name, mail_answer_step_t step)
{
	answers_t *answers = answers_of(work);
	if (answers == NULL) {
		return;
	}
	const bool done = step == STEP_HIT || step == STEP_NODATA || step == STEP_MISS;
	mail_rendered_t *rendered = NULL;
	if (work->lasting && done) {
		rendered = mail_render(work, name, step);
	}
	if (rendered != NULL && work->view.overlay != NULL && !is_left(rendered, &work->view)) {
		/* It is this domain's alone. */
		free(rendered);
		rendered = NULL;
	}
	const uint32_t type = question_type(work);
	const uint32_t hash = question_hash(name, type);
	if (rendered == NULL) {
		answers->duds[hash % DUDS] = (dud_t){ hash, work->view.now + DUD_SECONDS };
		return;
	}
	rendered->type = type;
	rendered->hash = hash;
	if (rendered->rare) {
		mail_rendered_t **place = &answers->rare[answers->rare_next++ % RARE_MAX];
		if (*place != NULL) {
			drop(answers, *place);
		}
		*place = rendered;
	}
	mail_rendered_t **bucket = bucket_of(answers, rendered->hash);
	rendered->next = *bucket;
	*bucket = rendered;
	answers->kept.octets += rendered->size;
	(void)mail_cache_keep(work->view.cache, work->view.plan, &answers->kept);
}
