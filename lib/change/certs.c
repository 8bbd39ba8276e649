/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Since when the next certificate of a set is visible.  It is shown at places: a place is a name of a host in a domain,
 * with a port.  Two TTLs must pass at every place since it was shown there (RFC 7671 8.1), and a place may be newer
 * than `next`: a host that names the set, a policy that lists the host, a domain that follows the policy, mail that is
 * taken again, one more port.  Of such places the set remembers the newest for each policy:
 *
 *     visible: [ "business 2027-01-15T08:00:00Z" ]        until then not all places of business showed it
 *
 * A place that was there before the change is not new, however it came about.  Only sets that have a next certificate
 * are looked at: mostly there is none.
 */
#include "config.h"

#include <search.h>
#include <stdlib.h>

#include "change/internal.h"
#include "mail/chars.h"

/*! Stands for every policy, when there are too many to be listed. */
#define ANY_POLICY "*"

/*! A set that has a next certificate after the change. */
typedef struct {
	mail_entry_t *entry;
	bool fresh;  /*!< It had another one before, or none. */
	void *since; /*!< Tree of the policies that have new places. */
} pending_t;

typedef struct {
	mail_change_t *change;
	mail_side_t *before, *after;
	pending_t *sets;
	size_t count;
	int ret;
} places_t;

/*! A place with a set. */
typedef struct {
	mail_str_t name; /*!< As the host has it. */
	mail_str_t port;
	mail_str_t set;
} place_t;

static bool has_value(const mail_member_t *member, mail_str_t text)
{
	for (size_t i = 0; member != NULL && i < member->count; i++) {
		if (mail_str_equal(member->values[i].text, text)) {
			return true;
		}
	}
	return false;
}

/*! Return whether TLSA records of a profile are served. */
static bool is_served(const mail_profile_t *profile)
{
	return profile != NULL && !mail_profile_switch(profile, MAIL_ITEM_NO_MAIL) &&
	       profile->items[MAIL_ITEM_NS].count > 0;
}

/*! Return whether a profile has a place with a set. */
static bool has_place(const mail_side_t *side, const mail_profile_t *profile, const place_t *place)
{
	const mail_settings_t *hosts = &profile->items[MAIL_ITEM_HOST];
	bool found = false;
	for (size_t i = 0; i < hosts->count && !found; i++) {
		mail_entry_t *host = NULL;
		if (mail_txn_get(side->txn, MAIL_SECTION_HOST, hosts->values[i].text, &host) !=
		    KNOT_EOK) {
			continue;
		}
		const mail_member_t *ports = mail_entry_member(host, MAIL_ITEM_TLSA_PORT,
		                                               MAIL_OP_SET);
		found = mail_str_equal(mail_entry_value(host, MAIL_ITEM_NAME), place->name) &&
		        has_value(mail_entry_member(host, MAIL_ITEM_CERTIFICATE, MAIL_OP_SET),
		                  place->set) &&
		        (ports != NULL ? has_value(ports, place->port)
		                       : mail_str_is(place->port, "25"));
		mail_entry_free(host);
	}
	return found;
}

/*! Note that a policy has a new place with a set. */
static int since_put(pending_t *set, mail_str_t policy)
{
	mail_entry_t *id = mail_entry_new(MAIL_SECTION_POLICY, policy);
	mail_entry_t *const *node = id != NULL ? tsearch(id, &set->since, mail_change_compare)
	                                       : NULL;
	if (node == NULL || *node != id) {
		mail_entry_free(id);
	}
	return node != NULL ? KNOT_EOK : KNOT_ENOMEM;
}

/*! What is compared: the places of a profile with those of another. */
typedef struct {
	const mail_profile_t *before; /*!< NULL: there were none. */
	const mail_profile_t *after;
	mail_str_t policy; /*!< That the new ones are noted for. */
	bool moved;        /*!< They are of two policies. */
	mail_str_t
		domain; /*!< Only in it there are places with absolute names; empty: in any domain. */
	bool absolute; /*!< Out: there is a place with an absolute name. */
} compared_t;

/*! Return whether a host's name is one of the domain that is compared. */
static bool in_domain(compared_t *compared, mail_str_t name)
{
	mail_lf_storage_t host, domain;
	knot_dname_storage_t wire;
	if (name.len == 0 || name.data[name.len - 1] != '.') {
		return true;
	}
	compared->absolute = true;
	if (compared->domain.len == 0 || mail_name_parse(name, wire, NULL) != KNOT_EOK ||
	    mail_entry_key(MAIL_SECTION_DOMAIN, compared->domain, &domain) != KNOT_EOK) {
		return compared->domain.len == 0;
	}
	mail_name_lf(wire, &host);
	return mail_lf_in(mail_lf(&host), mail_lf(&domain));
}

/*! Look for the sets of a host that are shown at one of its ports now, and were not before. */
static int host_compare(places_t *places, compared_t *compared, const mail_entry_t *host,
                        pending_t *set)
{
	const mail_member_t *ports = mail_entry_member(host, MAIL_ITEM_TLSA_PORT, MAIL_OP_SET);
	/* Who comes from a policy that has to wait still waits on. */
	const bool none = !is_served(compared->before) || set->fresh ||
	                  (compared->moved &&
	                   mail_profile_two_ttls(compared->before,
	                                         mail_change_since(set->entry, compared->before)) >
	                           places->after->now);
	for (size_t i = 0; i < (ports != NULL ? ports->count : 1); i++) {
		const place_t place = { mail_entry_value(host, MAIL_ITEM_NAME),
			                ports != NULL ? ports->values[i].text : MAIL_STR("25"),
			                set->entry->id };
		if (none || !has_place(places->before, compared->before, &place)) {
			return since_put(set, compared->policy);
		}
	}
	return KNOT_EOK;
}

/*! Look for new places of a host, of all sets that it names. */
static int sets_compare(places_t *places, compared_t *compared, const mail_entry_t *host)
{
	const mail_member_t *sets = mail_entry_member(host, MAIL_ITEM_CERTIFICATE, MAIL_OP_SET);
	if (!in_domain(compared, mail_entry_value(host, MAIL_ITEM_NAME))) {
		return KNOT_EOK;
	}
	for (size_t i = 0; i < places->count; i++) {
		pending_t *set = &places->sets[i];
		int ret = has_value(sets, set->entry->id)
		                  ? host_compare(places, compared, host, set)
		                  : KNOT_EOK;
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/*! Look for new places of a profile. */
static int profile_compare(places_t *places, compared_t *compared)
{
	const mail_settings_t *hosts = &compared->after->items[MAIL_ITEM_HOST];
	for (size_t i = 0; i < hosts->count; i++) {
		mail_entry_t *host = NULL;
		if (mail_txn_get(places->after->txn, MAIL_SECTION_HOST, hosts->values[i].text,
		                 &host) != KNOT_EOK) {
			continue;
		}
		int ret = sets_compare(places, compared, host);
		mail_entry_free(host);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

static int domain_compare(places_t *places, mail_str_t id)
{
	mail_side_domain_t before = { 0 }, after = { 0 };
	compared_t compared = { .domain = id };
	int ret = mail_side_domain(places->after, id, &after);
	if (ret != KNOT_EOK || !after.exists || !is_served(after.state->profile)) {
		goto done;
	}
	ret = mail_side_domain(places->before, id, &before);
	/* Of very many new domains of one policy, the first one tells. */
	if (ret != KNOT_EOK || (!before.exists && after.state->full)) {
		goto done;
	}
	compared.before = before.exists ? before.state->profile : NULL;
	compared.after = after.state->profile;
	compared.policy = mail_side_policy_of(after.state->profile);
	compared.moved = compared.before != NULL &&
	                 !mail_str_equal(mail_side_policy_of(compared.before), compared.policy);
	ret = profile_compare(places, &compared);
	after.state->full |= !before.exists && !compared.absolute;
done:
	mail_side_domain_free(&after);
	mail_side_domain_free(&before);
	return ret;
}

/*! Compare a policy; domains that come to a new one are compared themselves. */
static int policy_compare(places_t *places, mail_str_t id)
{
	const mail_state_t *before = mail_side_policy(places->before, id);
	const mail_state_t *after = mail_side_policy(places->after, id);
	if (before == NULL || after == NULL) {
		return KNOT_ENOMEM;
	}
	if (before->profile == NULL || !is_served(after->profile)) {
		return KNOT_EOK;
	}
	compared_t compared = { .before = before->profile, .after = after->profile, .policy = id };
	return profile_compare(places, &compared);
}

/*! Compare a domain that was written, or has hosts of its own; others show what their policies do. */
static int each_domain(mail_lf_t name, const mail_domain_t *domain, void *ctx)
{
	places_t *places = ctx;
	char text[KNOT_DNAME_TXT_MAXLEN + 1];
	mail_buf_t id = MAIL_BUF_FIXED((uint8_t *)text, sizeof(text));
	const bool written = domain->stamp.txnid == mail_txn_id(places->change->txn);
	bool own = false;
	if (domain->error != KNOT_EOK || (!written && (domain->plain || domain->alias.len > 0)) ||
	    mail_entry_id_from_key(MAIL_SECTION_DOMAIN, name, &id) != KNOT_EOK) {
		return KNOT_EOK;
	}
	if (!written) {
		mail_entry_t *entry = NULL;
		(void)mail_txn_get(places->after->txn, MAIL_SECTION_DOMAIN, mail_buf_view(&id),
		                   &entry);
		for (size_t i = 0; entry != NULL && i < entry->count; i++) {
			const mail_item_id_t item = entry->members[i].item->id;
			own |= item == MAIL_ITEM_HOST || item == MAIL_ITEM_NO_MAIL;
		}
		mail_entry_free(entry);
	}
	return written || own ? domain_compare(places, mail_buf_view(&id)) : KNOT_EOK;
}

static void listed_walk(const void *node, VISIT visit, void *closure)
{
	places_t *places = closure;
	const mail_entry_t *entry = *(mail_entry_t *const *)node;
	if (places->ret == KNOT_EOK && (visit == postorder || visit == leaf) && !entry->deleted &&
	    entry->section == MAIL_SECTION_DOMAIN) {
		places->ret = domain_compare(places, entry->id);
	}
}

/*! Look for new places everywhere where this change can have made some. */
static int all_compare(places_t *places)
{
	const mail_change_t *change = places->change;
	const bool layers = change->touched[MAIL_SECTION_POLICY] ||
	                    change->touched[MAIL_SECTION_HOST] ||
	                    change->touched[MAIL_SECTION_CERTIFICATE];
	mail_lf_storage_t key = { 0 };
	mail_entry_t *entry = NULL;
	int ret = KNOT_EOK;
	if (!layers && !change->all) {
		twalk_r(change->listed, listed_walk, places);
		return places->ret;
	}
	while (layers && ret != KNOT_ENOENT) {
		ret = mail_txn_next(places->after->txn, MAIL_SECTION_POLICY, &key, &entry);
		if (ret == KNOT_EOK) {
			ret = policy_compare(places, entry->id);
			mail_entry_free(entry);
			if (ret != KNOT_EOK) {
				return ret;
			}
		}
	}
	return mail_txn_domains(places->after->txn, each_domain, places);
}

/*! Read the sets that have a next certificate. */
static int sets_read(places_t *places)
{
	mail_lf_storage_t key = { 0 };
	mail_entry_t *entry = NULL;
	int ret;
	while ((ret = mail_txn_next(places->after->txn, MAIL_SECTION_CERTIFICATE, &key, &entry)) !=
	       KNOT_ENOENT) {
		mail_entry_t *old = NULL;
		if (ret != KNOT_EOK) {
			continue;
		}
		const mail_member_t *next = mail_entry_member(entry, MAIL_ITEM_NEXT, MAIL_OP_SET);
		if (next == NULL) {
			mail_entry_free(entry);
			continue;
		}
		pending_t *grown = realloc(places->sets, (places->count + 1) * sizeof(*grown));
		if (grown == NULL) {
			mail_entry_free(entry);
			return KNOT_ENOMEM;
		}
		places->sets = grown;
		pending_t *set = &grown[places->count++];
		(void)mail_txn_get(places->before->txn, MAIL_SECTION_CERTIFICATE, entry->id, &old);
		*set = (pending_t){ .entry = entry };
		set->fresh = old == NULL ||
		             !mail_member_equal(mail_entry_member(old, MAIL_ITEM_NEXT, MAIL_OP_SET),
		                                next);
		mail_entry_free(old);
	}
	return KNOT_EOK;
}

/*! What a set remembers is made anew. */
typedef struct {
	mail_entry_t *entry;
	const mail_str_t now;
	int ret;
} remembering_t;

/*! Copy what a set remembers of other policies. */
static int others_copy(mail_entry_t *entry, const mail_member_t *was, mail_str_t policy)
{
	for (size_t i = 0; was != NULL && i < was->count; i++) {
		mail_str_t word;
		size_t pos = 0;
		(void)mail_str_word(was->values[i].text, &pos, &word);
		int ret = mail_str_equal(word, policy)
		                  ? KNOT_EOK
		                  : mail_entry_add(entry, was->item, MAIL_OP_SET,
		                                   was->values[i].text, 0);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/*! Set the time of a policy; when there are too many, that of any. */
static int remember(remembering_t *remembering, mail_str_t policy)
{
	mail_entry_t *entry = remembering->entry;
	mail_entry_t *old = mail_entry_copy(entry);
	mail_buf_t text = { 0 };
	if (old == NULL) {
		return KNOT_ENOMEM;
	}
	const mail_member_t *was = mail_entry_member(old, MAIL_ITEM_VISIBLE, MAIL_OP_SET);
	if (was != NULL && was->count == MAIL_LIST_MAX) {
		policy = MAIL_STR(ANY_POLICY);
		was = NULL;
	}
	mail_entry_remove(entry, MAIL_ITEM_VISIBLE, MAIL_OP_SET);
	int ret = others_copy(entry, was, policy);
	if (ret == KNOT_EOK) {
		ret = mail_buf_printf(&text, "%.*s %.*s", (int)policy.len, policy.data,
		                      (int)remembering->now.len, remembering->now.data);
	}
	if (ret == KNOT_EOK) {
		ret = mail_entry_add(entry, mail_item_get(MAIL_ITEM_VISIBLE), MAIL_OP_SET,
		                     mail_buf_view(&text), 0);
	}
	mail_buf_free(&text);
	mail_entry_free(old);
	return ret;
}

static void since_walk(const void *node, VISIT visit, void *closure)
{
	remembering_t *remembering = closure;
	if (remembering->ret == KNOT_EOK && (visit == postorder || visit == leaf)) {
		remembering->ret = remember(remembering, (*(mail_entry_t *const *)node)->id);
	}
}

/*! Write what a set has to remember. One that is published later has not been shown yet. */
static int set_write(places_t *places, pending_t *set)
{
	char text[32];
	mail_buf_t buf = MAIL_BUF_FIXED((uint8_t *)text, sizeof(text));
	int64_t publish = 0;
	(void)mail_time_parse(mail_entry_value(set->entry, MAIL_ITEM_PUBLISH), &publish, NULL);
	if (set->since == NULL || publish >= places->after->now) {
		return KNOT_EOK;
	}
	(void)mail_time_print(places->after->now, &buf);
	remembering_t remembering = { set->entry, mail_buf_view(&buf), KNOT_EOK };
	twalk_r(set->since, since_walk, &remembering);
	return remembering.ret == KNOT_EOK ? mail_txn_put(places->change->txn, set->entry)
	                                   : remembering.ret;
}

/* --- Warnings --- */

/*! Warn when a set shows what caches do not know of, since it was never next or has been for too short a time. */
static int current_check(places_t *places, const mail_entry_t *entry, mail_diag_t *diag)
{
	mail_entry_t *old = NULL;
	mail_ready_t ready;
	char text[32];
	mail_buf_t buf = MAIL_BUF_FIXED((uint8_t *)text, sizeof(text));
	const int64_t now = places->before->now;
	const mail_member_t *current = mail_entry_member(entry, MAIL_ITEM_CURRENT, MAIL_OP_SET);
	if (mail_txn_get(places->before->txn, entry->section, entry->id, &old) != KNOT_EOK) {
		return KNOT_EOK;
	}
	const mail_member_t *was = mail_entry_member(old, MAIL_ITEM_CURRENT, MAIL_OP_SET);
	const mail_member_t *next = mail_entry_member(old, MAIL_ITEM_NEXT, MAIL_OP_SET);
	const bool other = current != NULL && was != NULL && !mail_member_equal(current, was);
	const bool announced = mail_member_equal(current, next);
	int ret = other ? mail_change_ready(places->before->txn, old, now, &ready) : KNOT_EOK;
	if (ret == KNOT_EOK && other && ready.why[0] == '\0') {
		const int64_t until = announced ? ready.at : ready.held;
		(void)mail_time_print(until, &buf);
		if (until > now) {
			mail_diag_warn(diag,
			               "certificate %.*s: %s before %.*s: until then senders may "
			               "have TLSA records without it in their caches, and do not "
			               "deliver to a server that shows it",
			               (int)entry->id.len, entry->id.data,
			               announced ? "the next certificate should not be deployed"
			                         : "the current certificate was not announced as "
			                           "next, and should not be deployed",
			               (int)buf.len, text);
		}
	}
	mail_entry_free(old);
	return ret;
}

/*! The walk over certificate sets that were written. */
typedef struct {
	places_t *places;
	mail_diag_t *diag;
} warning_t;

static void warning_walk(const void *node, VISIT visit, void *closure)
{
	const warning_t *warning = closure;
	const mail_entry_t *entry = *(mail_entry_t *const *)node;
	if (warning->places->ret == KNOT_EOK && (visit == postorder || visit == leaf) &&
	    !entry->deleted && entry->section == MAIL_SECTION_CERTIFICATE) {
		warning->places->ret = current_check(warning->places, entry, warning->diag);
	}
}

static void id_free(void *entry)
{
	mail_entry_free(entry);
}

int mail_change_places(mail_change_t *change, mail_side_t *before, mail_side_t *after,
                       mail_diag_t *diag)
{
	places_t places = { .change = change, .before = before, .after = after };
	warning_t warning = { &places, diag };
	if (change->touched[MAIL_SECTION_CERTIFICATE]) {
		twalk_r(change->listed, warning_walk, &warning);
	}
	int ret = places.ret;
	if (ret == KNOT_EOK && !change->in_dns) {
		ret = sets_read(&places);
	}
	if (ret == KNOT_EOK && places.count > 0) {
		ret = all_compare(&places);
	}
	for (size_t i = 0; i < places.count; i++) {
		if (ret == KNOT_EOK) {
			ret = set_write(&places, &places.sets[i]);
		}
		tdestroy(places.sets[i].since, id_free);
		mail_entry_free(places.sets[i].entry);
	}
	free(places.sets);
	return ret;
}
