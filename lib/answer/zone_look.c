/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "answer/zone_look.h"

int mail_look_rrset(const mail_zone_question_t *question, const knot_dname_t *name, uint16_t type,
                    knot_rrset_t *rrset)
{
	knot_rrset_init_empty(rrset);
	int ret = question->look(question->look_ctx, name, type, rrset);
	/* knotd finds a record's addresses by the node that its own answer ended at, which may be none. */
	rrset->additional = NULL;
	return ret;
}

bool mail_look_node(const mail_zone_question_t *question, const knot_dname_t *name)
{
	knot_rrset_t rrset;
	return mail_look_rrset(question, name, KNOT_RRTYPE_NS, &rrset) == KNOT_EOK;
}

bool mail_look_type(const mail_zone_question_t *question, const knot_dname_t *name, uint16_t type)
{
	knot_rrset_t rrset;
	return mail_look_rrset(question, name, type, &rrset) == KNOT_EOK &&
	       !knot_rrset_empty(&rrset);
}

const knot_dname_t *mail_look_encloser(const mail_zone_question_t *question,
                                       const knot_dname_t *name)
{
	do {
		name = mail_name_parent(name);
	} while (*name != 0 && !mail_look_node(question, name));
	return name;
}

const knot_dname_t *mail_look_wildcard(const mail_zone_question_t *question,
                                       const knot_dname_t *encloser, knot_dname_storage_t wildcard)
{
	const size_t size = knot_dname_size(encloser);
	if (size + 2 > KNOT_DNAME_MAXLEN) {
		return NULL;
	}
	memcpy(wildcard, "\x01*", 2);
	memcpy(wildcard + 2, encloser, size);
	return mail_look_node(question, wildcard) ? wildcard : NULL;
}

bool mail_look_cut(const mail_zone_question_t *question, const knot_dname_t *name)
{
	const knot_dname_t *const first = name;
	const size_t top = knot_dname_labels(question->apex, NULL);
	for (size_t labels = knot_dname_labels(name, NULL); labels >= top && labels > 0; labels--) {
		if ((labels > top && mail_look_type(question, name, KNOT_RRTYPE_NS)) ||
		    (name != first && mail_look_type(question, name, KNOT_RRTYPE_DNAME))) {
			return true;
		}
		name = mail_name_parent(name);
	}
	return false;
}
