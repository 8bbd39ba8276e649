/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What would be answered to a resolver, for the parts of check: the module's own code answers, so that a CNAME, a
 * delegation, a DNAME, a wildcard and another stored domain are what they are to everybody else.
 */

#include <libknot/libknot.h>
#include <time.h>

#include "tool/lookup.h"
#include "tool/out.h"
#include "tool/records.h"
#include "tool/verbs/check.h"

/* Aliases that are followed, from one stored domain to the next: resolvers give up about there. */
#define CHAIN_MAX 16

/*! \brief Return the RRset of a type in the answer section that is for a name, or NULL. */
static const knot_rrset_t *answer_find(const knot_pkt_t *pkt, const knot_dname_t *name,
                                       uint16_t type)
{
	const knot_pktsection_t *answer = knot_pkt_section(pkt, KNOT_ANSWER);
	for (uint16_t i = 0; i < answer->count; i++) {
		const knot_rrset_t *rrset = knot_pkt_rr(answer, i);
		if (rrset->type == type && knot_dname_is_case_equal(rrset->owner, name)) {
			return rrset;
		}
	}
	return NULL;
}

static void name_copy(knot_dname_storage_t to, const knot_dname_t *from)
{
	memcpy(to, from, knot_dname_size(from));
}

/*! \brief Follow the aliases of an answer. \param name In and out. */
static void aliases_follow(const knot_pkt_t *pkt, knot_dname_storage_t name)
{
	const knot_rrset_t *cname;
	for (unsigned i = 0; i < CHAIN_MAX; i++) {
		cname = answer_find(pkt, name, KNOT_RRTYPE_CNAME);
		if (cname == NULL) {
			return;
		}
		name_copy(name, knot_cname_name(cname->rrs.rdata));
	}
}

/*! \brief Append the texts of an RRset, each with a 00. */
static void texts_add(const knot_rrset_t *rrset, mail_buf_t *texts)
{
	knot_rdata_t *rdata = rrset->rrs.rdata;
	for (uint16_t i = 0; i < rrset->rrs.count; i++, rdata = knot_rdataset_next(rdata)) {
		records_text(rdata, texts);
		(void)mail_buf_u8(texts, '\0');
	}
}

/*! \brief Ask once, and move to where an alias leads. \param done Out: the answer is there. */
static check_asked_t ask_once(check_t *check, knot_dname_storage_t name, uint16_t type,
                              mail_buf_t *texts, bool *done)
{
	knot_dname_storage_t question;
	name_copy(question, name);
	knot_dname_to_lower(question);
	lookup_t lookup = { .name = question, .type = type, .now = time(NULL), .plain = true };
	check_asked_t asked = CHECK_NOTHING;
	*done = true;
	lookup_answer(check->tool, &lookup);
	/* What cannot be answered is told in its own turn. */
	if (!lookup.ours || lookup.reply.outcome == MAIL_OUTCOME_REFERRAL ||
	    lookup.reply.outcome == MAIL_OUTCOME_FAILED) {
		lookup_free(&lookup);
		return CHECK_ELSEWHERE;
	}
	aliases_follow(lookup.pkt, name);
	const knot_rrset_t *rrset = answer_find(lookup.pkt, name, type);
	if (rrset != NULL) {
		asked = CHECK_FOUND;
		if (texts != NULL && type == KNOT_RRTYPE_TXT) {
			texts_add(rrset, texts);
		}
	} else if (!knot_dname_is_case_equal(question, name)) {
		*done = false;
	}
	lookup_free(&lookup);
	return asked;
}

check_asked_t check_ask(check_t *check, const knot_dname_t *name, uint16_t type, mail_buf_t *texts)
{
	knot_dname_storage_t at;
	bool done = false;
	check_asked_t asked = CHECK_NOTHING;
	name_copy(at, name);
	for (unsigned i = 0; i < CHAIN_MAX && !done; i++) {
		asked = ask_once(check, at, type, texts, &done);
	}
	return asked;
}

bool check_ask_text(const mail_buf_t *texts, const char *version, mail_str_t *text)
{
	for (size_t at = 0; at < texts->len;) {
		*text = MAIL_STR((const char *)texts->data + at);
		if (text->len >= strlen(version) &&
		    memcmp(text->data, version, strlen(version)) == 0) {
			return true;
		}
		at += text->len + 1;
	}
	*text = MAIL_STR("");
	return false;
}
