/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An answer is rendered from the packet that it was made in.  The RRsets of the packet say what each octet is, so
 * nothing is guessed:
 *
 *     c00c 000f 0001 00000e10 0009 000a 04 mail c00c ...
 *     |    \_________________________________/  |
 *     |    octets as they are                   to the domain in the QNAME: as it is
 *     to the QNAME: as it is
 *
 * Names of the packet are of two kinds: labels and then the domain, or names that do not depend on the domain.  What
 * libknot's compression makes of two names depends on the labels that they have in common at their end:
 *
 *     both end with the domain        the domain, and what the labels before it have in common
 *     neither                         what they have in common
 *     one of them                     what the domain and the other name have in common
 *
 * Only the last depends on the domain.  So an answer is for domains that have as much in common with each of the other
 * names as the first one has, and are not at or above one of them: then pointers lead to the same labels.  What stands
 * behind the domain's labels moves with their length, and pointers to it with it.
 *
 * RDATA is that of rows of the plan.  The order of the records of an RRset is that of their octets (RFC 4034 6.3), so
 * octets before the first hole must decide it.
 */
#include "config.h"

#include <stdalign.h>
#include <stdlib.h>

#include "answer/render_scope.h"

#define STEPS_MAX 96
#define RRSETS_MAX 12
#define ROWS_MAX 48
#define PLACES_MAX 32
/*! Names of the domain in an RDATA. */
#define HOLES_MAX 4
/*! Octets of the numbers at the end of an SOA's RDATA, of which the serial is the first (RFC 1035 3.3.13). */
#define SOA_NUMBERS (5 * sizeof(uint32_t))

/*! A name of an RRset: labels, and with `domain` then the domain. */
typedef struct {
	const uint8_t *wire;
	size_t len;  /*!< With the root. */
	size_t head; /*!< Octets before the domain's labels; without a domain, all but the root. */
	bool domain;
} name_t;

/*! How far the packet was read. */
typedef struct {
	size_t pos; /*!< In the wire. */
	size_t steps, octets, len, places;
} progress_t;

/*! An answer being rendered. */
typedef struct {
	mail_work_t *work;
	const knot_pkt_t *pkt;
	const uint8_t *domain; /*!< In the QNAME. */
	size_t labels;         /*!< Octets of its labels. */
	mail_lf_t lf;
	mail_render_scope_t scope;
	progress_t at;
	size_t opaque; /*!< Of what begins behind this place nobody knows where it stands. */
	mail_render_step_t steps[STEPS_MAX];
	uint8_t octets[MAIL_RENDER_MAX];
	size_t places[PLACES_MAX]; /*!< Where the domain's labels begin in the wire. */
	mail_render_rrset_t rrsets[RRSETS_MAX];
	const mail_row_t *rows[ROWS_MAX];
	size_t row_count;
	size_t covered; /*!< The next RRset that has RRSIGs. */
	mail_rendered_t out;
} render_t;

/* --- The wire --- */

static bool put_step(render_t *r, mail_render_op_t op, size_t times, size_t value)
{
	if (r->at.steps == STEPS_MAX || times > UINT8_MAX) {
		return false;
	}
	r->steps[r->at.steps++] = (mail_render_step_t){ op, (uint8_t)times, (uint16_t)value };
	return true;
}

/*! The next octets of the packet are as they are. */
static bool put_octets(render_t *r, size_t len)
{
	if (len > r->pkt->size - r->at.pos || len > sizeof(r->octets) - r->at.octets) {
		return false;
	}
	mail_render_step_t *last = r->at.steps > 0 ? &r->steps[r->at.steps - 1] : NULL;
	if (last != NULL && last->op == RENDER_OCTETS) {
		last->value += (uint16_t)len;
	} else if (!put_step(r, RENDER_OCTETS, 0, len)) {
		return false;
	}
	memcpy(r->octets + r->at.octets, r->pkt->wire + r->at.pos, len);
	r->at.octets += len;
	r->at.len += len;
	r->at.pos += len;
	return true;
}

/*! The next octets are a number that grows with the domain. */
static bool put_number(render_t *r, size_t times, size_t value)
{
	r->at.len += sizeof(uint16_t);
	r->at.pos += sizeof(uint16_t);
	return put_step(r, RENDER_NUMBER, times, value - times * r->labels);
}

/*! The next octets are labels of the domain, but for those at its end that are not written. */
static bool put_domain(render_t *r, size_t len)
{
	if (len > r->labels || r->at.places == PLACES_MAX) {
		return false;
	}
	r->places[r->at.places++] = r->at.pos;
	r->at.len -= r->labels - len;
	r->at.pos += len;
	return put_step(r, RENDER_DOMAIN, 0, r->labels - len);
}

static bool put_pointer(render_t *r)
{
	const size_t to = knot_wire_get_pointer(r->pkt->wire + r->at.pos);
	if (to <= KNOT_WIRE_HEADER_SIZE + r->out.head) {
		return put_octets(r, sizeof(uint16_t));
	}
	if (to > r->opaque) {
		return false;
	}
	/* Behind the domain of the QNAME, or at labels of its end, and so with each place that follows. */
	size_t times = 1;
	for (size_t i = 0; i < r->at.places; i++) {
		times += r->places[i] < to;
	}
	return put_number(r, times, KNOT_WIRE_PTR_BASE + to);
}

/*! Read a name, compressed or not. */
static bool read_name(render_t *r, const name_t *name)
{
	const uint8_t *wire = r->pkt->wire + r->at.pos;
	size_t written = 0;
	while (wire[written] != 0 && !knot_wire_is_pointer(wire + written)) {
		written += 1 + wire[written];
	}
	const size_t head = written < name->head ? written : name->head;
	if (written >= name->len || !put_octets(r, head) ||
	    (written > head && (!name->domain || !put_domain(r, written - head)))) {
		return false;
	}
	return wire[written] == 0 ? put_octets(r, 1) : put_pointer(r);
}

/* --- Names --- */

/*! Take an owner apart: it ends with the domain. */
static name_t owner_name(const render_t *r, const knot_dname_t *wire)
{
	const size_t len = knot_dname_size(wire);
	name_t name = { wire, len, len - 1, false };
	size_t at = 0;
	while (len - at > r->labels + 1) {
		at += 1 + wire[at];
	}
	if (len - at == r->labels + 1 && memcmp(wire + at, r->domain, r->labels) == 0) {
		name.head = at;
		name.domain = true;
	}
	return name;
}

/*! RDATA with names, and where the domain's labels stand in it. */
typedef struct {
	uint16_t type;
	const knot_rdata_t *rdata;
	size_t pos; /*!< How far it was read. */
	bool noted; /*!< Its names are noted. */
	uint16_t holes[HOLES_MAX];
	size_t hole_count;
} reading_t;

/*! Take the name at hand apart. */
static name_t rdata_name(const reading_t *reading)
{
	const size_t pos = reading->pos;
	const uint8_t *wire = reading->rdata->data + pos;
	const size_t len = knot_dname_size(wire);
	name_t name = { wire, len, len - 1, false };
	for (size_t i = 0; i < reading->hole_count; i++) {
		if (reading->holes[i] >= pos && reading->holes[i] < pos + len) {
			name.head = reading->holes[i] - pos;
			name.domain = true;
		}
	}
	return name;
}

/*! Take a name in RDATA into account. \return Whether it may be there. */
static bool note_name(render_t *r, uint16_t type, const name_t *name)
{
	const bool follows = type == KNOT_RRTYPE_CNAME || knot_rrtype_additional_needed(type);
	if (name->domain && !follows) {
		return true;
	}
	mail_lf_storage_t lf;
	mail_name_lf(name->wire, &lf);
	if (!name->domain) {
		return mail_render_scope_name(&r->scope, mail_lf(&lf));
	}
	const uint64_t types = mail_type_bit(KNOT_RRTYPE_A) | mail_type_bit(KNOT_RRTYPE_AAAA);
	r->out.alone = true;
	return mail_render_scope_look(&r->scope, mail_lf_relative(mail_lf(&lf), r->lf), types);
}

/* --- RRsets --- */

/*! Return where the first octet of a row's RDATA stands that depends on the domain. */
static size_t first_hole(const render_t *r, const mail_row_t *row, size_t *holes)
{
	uint16_t at[HOLES_MAX];
	*holes = 0;
	if (!row->rdata.holes) {
		return SIZE_MAX;
	}
	int count = mail_rdata_domain_at(&row->rdata, r->labels, at, HOLES_MAX);
	if (count <= 0) {
		*holes = SIZE_MAX; /* Nobody knows. */
		return 0;
	}
	*holes = (size_t)count;
	return at[0];
}

/*! Return whether a row is what an RDATA was made from. */
static bool is_made_from(const render_t *r, const knot_rdata_t *rdata, uint16_t type,
                         const mail_row_t *row)
{
	uint8_t made[MAIL_RENDER_MAX];
	if (row->type != type ||
	    mail_view_row(&r->work->view, row, made, sizeof(made)) != rdata->len) {
		return false;
	}
	if (type == KNOT_RRTYPE_SOA) {
		const size_t serial = rdata->len - SOA_NUMBERS;
		memcpy(made + serial, rdata->data + serial, sizeof(uint32_t));
	}
	return memcmp(made, rdata->data, rdata->len) == 0;
}

/*! Return the row that an RDATA was made from, or NULL. */
static const mail_row_t *row_of(const render_t *r, const knot_rdata_t *rdata, uint16_t type,
                                const mail_owner_t *owner)
{
	for (size_t i = 0; i < owner->count; i++) {
		if (is_made_from(r, rdata, type, &owner->rows[i])) {
			return &owner->rows[i];
		}
	}
	return NULL;
}

/*! Return whether two RDATA next to each other are in the same order in all domains. */
static bool is_ordered(const knot_rdata_t *one, size_t one_hole, const knot_rdata_t *other,
                       size_t other_hole)
{
	size_t n = 0;
	while (n < one->len && n < other->len && one->data[n] == other->data[n]) {
		n++;
	}
	return n < one_hole && n < other_hole;
}

static size_t rows_of_type(const mail_owner_t *owner, uint16_t type)
{
	size_t count = 0;
	for (size_t i = 0; i < owner->count; i++) {
		count += owner->rows[i].type == type;
	}
	return count;
}

/*! Return whether RDATA of a type has names. */
static bool has_names(uint16_t type)
{
	for (const int *block = knot_get_rdata_descriptor(type)->block_types;
	     *block != KNOT_RDATA_WF_END; block++) {
		switch (*block) {
		case KNOT_RDATA_WF_COMPRESSIBLE_DNAME:
		case KNOT_RDATA_WF_DECOMPRESSIBLE_DNAME:
		case KNOT_RDATA_WF_FIXED_DNAME:
		case KNOT_RDATA_WF_NAPTR_HEADER: return true;
		default: break;
		}
	}
	return false;
}

/*! Find the rows of an RRset: there are no others, they are shown for ever, and their order is certain. */
static bool read_rows(render_t *r, const knot_rrset_t *rrset, const mail_owner_t *owner,
                      mail_render_rrset_t *out)
{
	const size_t count = rrset->rrs.count;
	const bool soa = rrset->type == KNOT_RRTYPE_SOA;
	if (owner == NULL || r->work->view.now < owner->steady ||
	    rows_of_type(owner, rrset->type) != count || count > ROWS_MAX - r->row_count) {
		return false;
	}
	const mail_row_t **rows = &r->rows[r->row_count];
	const knot_rdata_t *rdata = rrset->rrs.rdata, *before = NULL;
	size_t hole_before = 0;
	bool filled = soa;
	for (size_t i = 0; i < count; i++, rdata = knot_rdataset_next((knot_rdata_t *)rdata)) {
		rows[i] = row_of(r, rdata, rrset->type, owner);
		if (rows[i] == NULL) {
			return false;
		}
		size_t holes;
		const size_t hole = first_hole(r, rows[i], &holes);
		if (before != NULL && !is_ordered(before, hole_before, rdata, hole)) {
			return false;
		}
		filled |= holes > 0;
		r->out.kinds |= MAIL_KIND_BIT(rows[i]->kind);
		out->room += holes == SIZE_MAX
		                     ? knot_rdata_size(MAIL_RENDER_MAX)
		                     : knot_rdata_size(rdata->len + holes * MAIL_RENDER_DOMAIN_MAX);
		before = rdata;
		hole_before = hole;
	}
	if (filled) {
		out->rows = rows;
		out->opaque = !has_names(rrset->type);
		r->row_count += count;
	} else {
		out->rrs = rrset->rrs;
		out->room = 0;
	}
	return true;
}

static bool put_serial(render_t *r)
{
	r->at.len += sizeof(uint32_t);
	r->at.pos += sizeof(uint32_t);
	return put_step(r, RENDER_SERIAL, 0, 0);
}

/*! Read a part of RDATA with names. */
static bool read_block(render_t *r, reading_t *reading, int block)
{
	const size_t left = reading->rdata->len - reading->pos;
	name_t name;
	switch (block) {
	case KNOT_RDATA_WF_COMPRESSIBLE_DNAME:
	case KNOT_RDATA_WF_DECOMPRESSIBLE_DNAME:
	case KNOT_RDATA_WF_FIXED_DNAME:
		name = rdata_name(reading);
		reading->pos += name.len;
		return (reading->noted || note_name(r, reading->type, &name)) &&
		       read_name(r, &name);
	case KNOT_RDATA_WF_REMAINDER: block = (int)left; break;
	default: break;
	}
	if (block < 0 || (size_t)block > left) {
		return false;
	}
	reading->pos += block;
	if (reading->type == KNOT_RRTYPE_SOA) {
		return block == SOA_NUMBERS && put_serial(r) &&
		       put_octets(r, SOA_NUMBERS - sizeof(uint32_t));
	}
	return put_octets(r, block);
}

/*! Read RDATA with names, and its length. */
static bool read_names(render_t *r, reading_t *reading)
{
	const progress_t begin = r->at;
	const size_t len = knot_wire_read_u16(r->pkt->wire + r->at.pos);
	const knot_rdata_descriptor_t *descriptor = knot_get_rdata_descriptor(reading->type);
	bool grows = true; /* Until it is known that it does not: then all is read again. */
	for (;;) {
		reading->pos = 0;
		if (!(grows ? put_number(r, 0, len) : put_octets(r, sizeof(uint16_t)))) {
			return false;
		}
		for (const int *block = descriptor->block_types; *block != KNOT_RDATA_WF_END;
		     block++) {
			if (!read_block(r, reading, *block)) {
				return false;
			}
		}
		reading->noted = true;
		const size_t times = r->at.places - begin.places;
		if (times > 0 || !grows) {
			if (times > 0) {
				r->steps[begin.steps] = (mail_render_step_t){
					RENDER_NUMBER, (uint8_t)times,
					(uint16_t)(len - times * r->labels)
				};
			}
			return reading->pos == reading->rdata->len;
		}
		r->at = begin;
		grows = false;
	}
}

/*! Read one record: its owner, what follows, and its RDATA. */
static bool read_record(render_t *r, const knot_rrset_t *rrset, uint16_t index,
                        const mail_render_rrset_t *out)
{
	const knot_rdata_t *rdata = knot_rdataset_at(&rrset->rrs, index);
	const name_t owner = owner_name(r, rrset->owner);
	const size_t fixed = 2 * sizeof(uint16_t) + sizeof(uint32_t);
	if (!owner.domain || !read_name(r, &owner) || !put_octets(r, fixed)) {
		return false;
	}
	if (!out->opaque && has_names(rrset->type)) {
		reading_t reading = { .type = rrset->type, .rdata = rdata };
		const int holes = out->rows != NULL ? mail_rdata_domain_at(&out->rows[index]->rdata,
		                                                           r->labels, reading.holes,
		                                                           HOLES_MAX)
		                                    : 0;
		reading.hole_count = holes > 0 ? (size_t)holes : 0;
		return holes >= 0 && read_names(r, &reading);
	}
	if (!out->opaque) {
		return put_octets(r, sizeof(uint16_t) + rdata->len);
	}
	r->opaque = r->at.pos < r->opaque ? r->at.pos : r->opaque;
	r->at.pos += sizeof(uint16_t) + rdata->len;
	r->at.len += sizeof(uint16_t);
	return put_step(r, RENDER_RDATA, 0, 0);
}

/*! Return the owner of the plan that an RRset's records are of, or NULL. */
static const mail_owner_t *owner_of(const render_t *r, const knot_rrset_t *rrset)
{
	const mail_work_t *work = r->work;
	if (work->place.where == MAIL_WILDCARD && knot_dname_is_equal(rrset->owner, work->name)) {
		return work->place.node.count == 1 ? work->place.node.stands[0].owner : NULL;
	}
	mail_lf_storage_t lf;
	mail_name_lf(rrset->owner, &lf);
	if (!mail_lf_in(mail_lf(&lf), r->lf)) {
		return NULL;
	}
	return mail_owners_find(&work->view.plan->relative, mail_lf_relative(mail_lf(&lf), r->lf),
	                        NULL);
}

/*!
 * Find out which RRset of the section RRSIGs are of: they follow in the same order. A wildcard's are not rendered: they
 * sign another owner.
 */
static bool read_rrsigs(render_t *r, const knot_rrset_t *rrset, mail_render_rrset_t *out)
{
	const mail_work_t *work = r->work;
	while (r->covered < r->out.rrset_count && !work->notes[r->covered].sign) {
		r->covered++;
	}
	out->opaque = true;
	out->covered = (int)r->covered++;
	const knot_rrset_t *covered = &r->pkt->rr[out->covered];
	const mail_sign_note_t *note = &work->notes[out->covered];
	return r->covered <= r->out.rrset_count && covered->ttl == note->ttl && note->flags == 0 &&
	       knot_rrsig_type_covered(rrset->rrs.rdata) == covered->type &&
	       knot_dname_is_equal(note->owner, covered->owner) &&
	       knot_dname_is_equal(rrset->owner, covered->owner);
}

/*! Note what an RRset is, for who looks at the packet afterwards. */
static bool read_rrset(render_t *r, const knot_rrset_t *rrset)
{
	if (r->out.rrset_count == RRSETS_MAX) {
		return false;
	}
	mail_render_rrset_t *out = &r->rrsets[r->out.rrset_count];
	*out = (mail_render_rrset_t){
		.type = rrset->type, .count = rrset->rrs.count, .ttl = rrset->ttl, .covered = -1
	};
	const knot_dname_t *qname = knot_pkt_qname(r->pkt);
	const name_t owner = owner_name(r, rrset->owner);
	out->owner_at = SIZE_MAX;
	out->owner = (mail_str_t){ (const char *)owner.wire, owner.head };
	if (owner.len <= r->pkt->qname_size &&
	    memcmp(qname + r->pkt->qname_size - owner.len, owner.wire, owner.len) == 0) {
		out->owner_at = r->pkt->qname_size - owner.len;
	}
	const bool rrsigs = rrset->type == KNOT_RRTYPE_RRSIG;
	if (!(rrsigs ? read_rrsigs(r, rrset, out) : read_rows(r, rrset, owner_of(r, rrset), out)) ||
	    !put_step(r, RENDER_RRSET, 0, 0)) {
		return false;
	}
	if (rrset->type == KNOT_RRTYPE_SOA) {
		r->out.soa = (int)r->out.rrset_count;
	}
	r->out.rrset_count++;
	r->out.room += out->room;
	if (out->owner_at == SIZE_MAX) {
		r->out.room += owner.head + MAIL_RENDER_DOMAIN_MAX + 1;
	}
	for (uint16_t i = 0; i < rrset->rrs.count; i++) {
		if (!read_record(r, rrset, i, out)) {
			return false;
		}
	}
	return true;
}

static bool read_packet(render_t *r)
{
	for (unsigned s = KNOT_ANSWER; s <= KNOT_ADDITIONAL; s++) {
		const knot_pktsection_t *section = knot_pkt_section(r->pkt, s);
		r->out.sections[s] = section->count;
		r->covered = section->pos;
		for (uint16_t i = 0; i < section->count; i++) {
			if (!read_rrset(r, knot_pkt_rr(section, i))) {
				return false;
			}
		}
	}
	return r->at.pos == r->pkt->size;
}

/* --- One block of memory --- */

/*! Take memory of a block, aligned for pointers; with NULL, only count. */
static void *take(uint8_t *block, size_t *pos, const void *from, size_t size)
{
	uint8_t *at = block != NULL ? block + *pos : NULL;
	*pos += (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (at != NULL && size > 0) {
		memcpy(at, from, size);
	}
	return at;
}

static mail_lf_t take_lf(uint8_t *block, size_t *pos, mail_lf_t lf)
{
	return (mail_lf_t){ take(block, pos, lf.data, lf.len), lf.len };
}

/*! Copy the answer, and all that it points to, into a block. \return Octets of it. */
static size_t pack(const render_t *r, uint8_t *block)
{
	size_t pos = 0;
	mail_rendered_t to = r->out;
	mail_render_rrset_t rrsets[RRSETS_MAX];
	mail_render_look_t looks[MAIL_RENDER_LOOKS_MAX];
	(void)take(block, &pos, &r->out, sizeof(r->out));
	to.name = take_lf(block, &pos, to.name);
	to.above = take_lf(block, &pos, to.above);
	for (size_t i = 0; i < to.stranger_count; i++) {
		to.strangers[i] = take_lf(block, &pos, to.strangers[i]);
	}
	for (size_t i = 0; i < to.look_count; i++) {
		looks[i] = to.looks[i];
		looks[i].name = take_lf(block, &pos, looks[i].name);
	}
	to.looks = take(block, &pos, looks, to.look_count * sizeof(looks[0]));
	for (size_t i = 0; i < to.rrset_count; i++) {
		mail_render_rrset_t *rrset = &rrsets[i];
		*rrset = r->rrsets[i];
		rrset->owner.data = take(block, &pos, rrset->owner.data, rrset->owner.len);
		if (rrset->covered >= 0) {
			continue;
		}
		if (rrset->rows != NULL) {
			rrset->rows = take(block, &pos, rrset->rows,
			                   rrset->count * sizeof(*rrset->rows));
		} else {
			rrset->rrs.rdata = take(block, &pos, rrset->rrs.rdata, rrset->rrs.size);
		}
	}
	to.rrsets = take(block, &pos, rrsets, to.rrset_count * sizeof(rrsets[0]));
	to.steps = take(block, &pos, r->steps, to.step_count * sizeof(r->steps[0]));
	to.octets = take(block, &pos, r->octets, r->at.octets);
	to.size = pos;
	if (block != NULL) {
		memcpy(block, &to, sizeof(to));
	}
	return pos;
}

mail_rendered_t *mail_render(mail_work_t *work, mail_lf_t name, mail_answer_step_t step)
{
	const knot_pkt_t *pkt = work->pkt;
	render_t r; /* Much of it is not needed. */
	r.work = work;
	r.pkt = pkt;
	r.domain = work->view.apex;
	r.labels = knot_dname_size(r.domain) - 1;
	r.lf = mail_lf(&work->view.lf);
	mail_render_scope_begin(&r.scope, r.lf, knot_pkt_qtype(pkt));
	r.opaque = SIZE_MAX;
	r.row_count = 0;
	r.at = (progress_t){ .pos = KNOT_WIRE_HEADER_SIZE + knot_pkt_question_size(pkt) };
	r.out = (mail_rendered_t){
		.name = name,
		.head = pkt->qname_size - r.labels - 1,
		.from = work->view.now,
		.until = INT64_MAX,
		.outcome = mail_work_outcome(step),
		.rcode = work->rcode,
		.kind = work->kind,
		.soa = -1,
	};
	r.out.alone = step != STEP_HIT || work->place.where != MAIL_FOUND || work->chain > 0;
	memcpy(r.out.records, pkt->wire + KNOT_WIRE_OFFSET_ANCOUNT, sizeof(r.out.records));
	if (!mail_render_scope_look(&r.scope, name, 0) || !read_packet(&r) ||
	    !mail_render_scope_end(&r.scope, &work->view, &r.out)) {
		return NULL;
	}
	const uint16_t qtype = knot_pkt_qtype(pkt);
	const bool usual = qtype == KNOT_RRTYPE_A || qtype == KNOT_RRTYPE_AAAA ||
	                   (r.out.rrset_count > 0 && r.rrsets[0].type == qtype);
	r.out.rare = step != STEP_HIT || work->place.where == MAIL_WILDCARD || !usual;
	if (r.out.soa >= 0 && mail_view_keys(&work->view)->coming != INT64_MAX) {
		return NULL;
	}
	if (r.out.soa >= 0) {
		r.out.until = mail_render_scope_until(&work->view, r.rrsets[r.out.soa].ttl);
	}
	r.out.len = r.at.len;
	r.out.domains = r.at.places;
	r.out.step_count = r.at.steps;
	uint8_t *block = malloc(pack(&r, NULL));
	if (block != NULL) {
		(void)pack(&r, block);
	}
	return (mail_rendered_t *)block;
}
