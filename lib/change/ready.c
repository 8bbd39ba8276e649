/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When the next certificate of a set may be deployed: two TTLs after the last place began to show it (certs.c).  Places
 * are looked for from the set up to the domains; the first step at which there is nothing says why there are none:
 *
 *     certificate set  <-  host  <-  policy, or a domain with hosts of its own  <-  domain
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "change/internal.h"
#include "mail/chars.h"

/*! A host that names the set. */
typedef struct {
	mail_str_t id, name;
	mail_entry_t *entry;
} host_t;

typedef struct {
	mail_side_t side;
	const mail_entry_t *certificate;
	host_t *hosts;
	size_t host_count;
	mail_ready_t *ready;
	bool found;
} search_t;

static bool is_absolute(const host_t *host)
{
	return host->name.len > 0 && host->name.data[host->name.len - 1] == '.';
}

static int hosts_read(search_t *search)
{
	mail_lf_storage_t key = { 0 };
	mail_entry_t *entry = NULL;
	int ret;
	while ((ret = mail_txn_next(search->side.txn, MAIL_SECTION_HOST, &key, &entry)) !=
	       KNOT_ENOENT) {
		bool names = false;
		if (ret != KNOT_EOK) {
			continue;
		}
		const mail_member_t *sets = mail_entry_member(entry, MAIL_ITEM_CERTIFICATE,
		                                              MAIL_OP_SET);
		for (size_t i = 0; sets != NULL && i < sets->count; i++) {
			names |= mail_str_equal(sets->values[i].text, search->certificate->id);
		}
		host_t *grown = names ? realloc(search->hosts,
		                                (search->host_count + 1) * sizeof(*grown))
		                      : NULL;
		if (grown == NULL) {
			mail_entry_free(entry);
			if (names) {
				return KNOT_ENOMEM;
			}
			continue;
		}
		search->hosts = grown;
		grown[search->host_count++] = (host_t){ entry->id,
			                                mail_entry_value(entry, MAIL_ITEM_NAME),
			                                entry };
	}
	return KNOT_EOK;
}

/*! Return whether a profile lists a host. */
static bool lists(const mail_profile_t *profile, const host_t *host)
{
	const mail_settings_t *hosts = &profile->items[MAIL_ITEM_HOST];
	for (size_t i = 0; i < hosts->count; i++) {
		if (mail_str_equal(hosts->values[i].text, host->id)) {
			return true;
		}
	}
	return false;
}

/*! Return whether a profile shows the set at a name that is relative to each of its domains. */
static bool shows(const search_t *search, const mail_profile_t *profile)
{
	bool found = false;
	for (size_t i = 0; i < search->host_count && !found; i++) {
		found = !is_absolute(&search->hosts[i]) && lists(profile, &search->hosts[i]);
	}
	return found && !mail_profile_switch(profile, MAIL_ITEM_NO_MAIL);
}

int64_t mail_change_since(const mail_entry_t *certificate, const mail_profile_t *profile)
{
	const mail_member_t *visible = mail_entry_member(certificate, MAIL_ITEM_VISIBLE,
	                                                 MAIL_OP_SET);
	const mail_str_t own = mail_side_policy_of(profile);
	int64_t since = 0;
	(void)mail_time_parse(mail_entry_value(certificate, MAIL_ITEM_PUBLISH), &since, NULL);
	for (size_t i = 0; visible != NULL && i < visible->count; i++) {
		mail_str_t policy, when;
		size_t pos = 0;
		int64_t time;
		(void)mail_str_word(visible->values[i].text, &pos, &policy);
		(void)mail_str_word(visible->values[i].text, &pos, &when);
		if ((mail_str_equal(policy, own) || mail_str_is(policy, "*")) &&
		    mail_time_parse(when, &time, NULL) == KNOT_EOK && time > since) {
			since = time;
		}
	}
	return since;
}

/*! Take a place into account. */
static void place_add(search_t *search, const mail_profile_t *profile)
{
	const int64_t at = mail_profile_two_ttls(profile,
	                                         mail_change_since(search->certificate, profile));
	const int64_t held = mail_profile_held(profile, search->side.now);
	mail_ready_t *ready = search->ready;
	ready->at = at > ready->at ? at : ready->at;
	ready->held = held > ready->held ? held : ready->held;
	search->found = true;
}

/*! Look at one domain: of those that have all from a policy, the first one tells. */
static int each_domain(mail_lf_t name, const mail_domain_t *domain, void *ctx)
{
	search_t *search = ctx;
	char text[KNOT_DNAME_TXT_MAXLEN + 1];
	mail_buf_t id = MAIL_BUF_FIXED((uint8_t *)text, sizeof(text));
	if (domain->error != KNOT_EOK) {
		return KNOT_EOK;
	}
	if (domain->plain && domain->alias.len == 0) {
		mail_state_t *state = mail_side_policy(&search->side, domain->policy);
		if (state == NULL) {
			return KNOT_ENOMEM;
		}
		if (state->shows == 0) {
			state->shows = state->profile != NULL && shows(search, state->profile) ? 1
			                                                                       : -1;
			if (state->shows > 0) {
				place_add(search, state->profile);
			}
		}
		/* A domain that came from another policy has TTLs of its own. */
		if (state->shows < 0 || !domain->noted) {
			return KNOT_EOK;
		}
	}
	mail_side_domain_t own;
	int ret = mail_entry_id_from_key(MAIL_SECTION_DOMAIN, name, &id);
	if (ret != KNOT_EOK) {
		return KNOT_EOK;
	}
	ret = mail_side_domain(&search->side, mail_buf_view(&id), &own);
	if (ret == KNOT_EOK && own.exists && own.state->profile != NULL &&
	    shows(search, own.state->profile)) {
		place_add(search, own.state->profile);
	}
	mail_side_domain_free(&own);
	return ret;
}

/*! Look at the domain that a host with an absolute name lies in. */
static int absolute_search(search_t *search, const host_t *host)
{
	const mail_source_t *source = search->side.source;
	mail_side_domain_t own;
	knot_dname_storage_t wire;
	mail_lf_storage_t lf;
	mail_lf_t above;
	mail_domain_t domain;
	mail_buf_t id = { 0 };
	if (mail_name_parse(host->name, wire, NULL) != KNOT_EOK) {
		return KNOT_EOK;
	}
	mail_name_lf(wire, &lf);
	if (source->domain_above(source, mail_lf(&lf), &above, &domain) != KNOT_EOK ||
	    mail_entry_id_from_key(MAIL_SECTION_DOMAIN, above, &id) != KNOT_EOK) {
		mail_buf_free(&id);
		return KNOT_EOK;
	}
	int ret = mail_side_domain(&search->side, mail_buf_view(&id), &own);
	if (ret == KNOT_EOK && own.exists && own.state->profile != NULL &&
	    lists(own.state->profile, host) &&
	    !mail_profile_switch(own.state->profile, MAIL_ITEM_NO_MAIL)) {
		place_add(search, own.state->profile);
	}
	mail_side_domain_free(&own);
	mail_buf_free(&id);
	return ret;
}

static int absolutes_search(search_t *search)
{
	for (size_t i = 0; i < search->host_count; i++) {
		int ret = is_absolute(&search->hosts[i])
		                  ? absolute_search(search, &search->hosts[i])
		                  : KNOT_EOK;
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/*! Say why there is no place. */
static int why_none(search_t *search)
{
	const mail_str_t host = search->host_count > 0 ? search->hosts[0].id
	                                               : (mail_str_t){ NULL, 0 };
	char *why = search->ready->why;
	const size_t size = sizeof(search->ready->why);
	mail_lf_storage_t key = { 0 };
	mail_entry_t *entry = NULL;
	int ret;
	if (search->host_count == 0) {
		(void)snprintf(why, size, "no host names it");
		return KNOT_EOK;
	}
	(void)snprintf(why, size, "no policy lists host %.*s, which names it", (int)host.len,
	               host.data);
	while ((ret = mail_txn_next(search->side.txn, MAIL_SECTION_POLICY, &key, &entry)) !=
	       KNOT_ENOENT) {
		if (ret != KNOT_EOK) {
			continue;
		}
		const mail_state_t *state = mail_side_policy(&search->side, entry->id);
		for (size_t i = 0; i < search->host_count && state != NULL; i++) {
			if (state->profile == NULL || !lists(state->profile, &search->hosts[i])) {
				continue;
			}
			const char *reason = "no domain follows policy %.*s";
			if (mail_profile_switch(state->profile, MAIL_ITEM_NO_MAIL)) {
				reason = "policy %.*s has no-mail, and so no TLSA records";
			} else if (is_absolute(&search->hosts[i])) {
				reason = "its host has an absolute name, which lies in no domain "
					 "that follows policy %.*s";
			}
			(void)snprintf(why, size, reason, (int)entry->id.len, entry->id.data);
		}
		mail_entry_free(entry);
	}
	return KNOT_EOK;
}

int mail_change_ready(mail_txn_t *txn, const mail_entry_t *certificate, int64_t now,
                      mail_ready_t *ready)
{
	search_t search = { .side = { .txn = txn, .source = mail_txn_source(txn), .now = now },
		            .certificate = certificate,
		            .ready = ready };
	*ready = (mail_ready_t){ .at = 0 };
	int ret = hosts_read(&search);
	if (ret == KNOT_EOK && search.host_count > 0) {
		ret = mail_txn_domains(txn, each_domain, &search);
	}
	if (ret == KNOT_EOK) {
		ret = absolutes_search(&search);
	}
	if (ret == KNOT_EOK && !search.found) {
		ret = why_none(&search);
	}
	for (size_t i = 0; i < search.host_count; i++) {
		mail_entry_free(search.hosts[i].entry);
	}
	free(search.hosts);
	mail_side_free(&search.side);
	return ret;
}
