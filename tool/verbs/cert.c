/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Certificate sets: what a TLS server shows now, what it is going to show, and from when on it may.
 */

#include <stdlib.h>
#include <time.h>

#include "mail/profile.h"
#include "mail/time.h"
#include "mail/tlsa.h"
#include "tool/out.h"

#define FORM_DEFAULT "3 1 1"
#define TTL_DEFAULT 3600

/*! \brief Replaces an item by the TLSA data of a chain, in every form of the set. */
static int set_chain(tool_t *tool, mail_entry_t *entry, mail_item_id_t item, const char *path)
{
	mail_buf_t pem = { 0 };
	int status = tool_read(tool, path, &pem);
	if (status != STATUS_DONE) {
		return status;
	}
	mail_diag_t *diag = tool_diag(tool);
	const mail_member_t *forms = mail_entry_member(entry, MAIL_ITEM_FORM, MAIL_OP_SET);
	size_t count = forms != NULL ? forms->count : 1;
	int ret = KNOT_EOK;
	mail_entry_remove(entry, item, MAIL_OP_SET);
	for (size_t i = 0; i < count && ret == KNOT_EOK; i++) {
		mail_tlsa_form_t form;
		mail_buf_t text = { 0 };
		/* Adding a value may move the members. */
		forms = mail_entry_member(entry, MAIL_ITEM_FORM, MAIL_OP_SET);
		ret = mail_tlsa_form_parse(forms != NULL ? forms->values[i].text
		                                         : MAIL_STR(FORM_DEFAULT),
		                           &form, diag);
		if (ret == KNOT_EOK) {
			ret = mail_tlsa_from_pem(mail_buf_view(&pem), &form, &text, diag);
		}
		if (ret == KNOT_EOK) {
			ret = mail_entry_parse(entry, mail_item_get(item), MAIL_OP_SET,
			                       mail_buf_view(&text), 0, diag);
		}
		mail_buf_free(&text);
	}
	explicit_bzero(pem.data, pem.cap);
	mail_buf_free(&pem);
	return ret == KNOT_EOK
	               ? STATUS_DONE
	               : tool_error(tool, ret, "%s: %s", path,
	                            diag->text[0] != '\0' ? diag->text : knot_strerror(ret));
}

static bool same_values(const mail_entry_t *entry, mail_item_id_t a, mail_item_id_t b)
{
	const mail_member_t *one = mail_entry_member(entry, a, MAIL_OP_SET);
	const mail_member_t *two = mail_entry_member(entry, b, MAIL_OP_SET);
	if (one == NULL || two == NULL || one->count != two->count) {
		return false;
	}
	for (size_t i = 0; i < one->count; i++) {
		if (!mail_str_equal(one->values[i].text, two->values[i].text)) {
			return false;
		}
	}
	return true;
}

static int set_forms(tool_t *tool, mail_entry_t *entry)
{
	const given_t *given = &tool->given[OPT_FORM];
	if (given->count == 0) {
		return STATUS_DONE;
	}
	/* What is stored was made in the old forms, from a file that is not here. */
	if (!option_is(tool, OPT_CURRENT) ||
	    (!option_is(tool, OPT_NEXT) &&
	     mail_entry_member(entry, MAIL_ITEM_NEXT, MAIL_OP_SET) != NULL)) {
		return tool_usage(
			tool, "--form makes all records anew: it needs --current, and --next if "
			      "there is a next certificate");
	}
	mail_entry_remove(entry, MAIL_ITEM_FORM, MAIL_OP_SET);
	for (size_t i = 0; i < given->count; i++) {
		mail_diag_t *diag = tool_diag(tool);
		int ret = mail_entry_parse(entry, mail_item_get(MAIL_ITEM_FORM), MAIL_OP_SET,
		                           MAIL_STR(given->values[i]), 0, diag);
		if (ret != KNOT_EOK) {
			return tool_usage(tool, "--form: %s: %s", given->values[i],
			                  diag->text[0] != '\0' ? diag->text : knot_strerror(ret));
		}
	}
	return STATUS_DONE;
}

static int set_deploy_at(tool_t *tool, mail_entry_t *entry)
{
	int64_t when = 0;
	int status = option_time(tool, OPT_DEPLOY_AT, time(NULL), &when);
	if (status != STATUS_DONE || !option_is(tool, OPT_DEPLOY_AT)) {
		return status;
	}
	mail_buf_t text = { 0 };
	mail_entry_remove(entry, MAIL_ITEM_DEPLOY_AT, MAIL_OP_SET);
	int ret = mail_time_print(when, &text);
	if (ret == KNOT_EOK) {
		ret = mail_entry_add(entry, mail_item_get(MAIL_ITEM_DEPLOY_AT), MAIL_OP_SET,
		                     mail_buf_view(&text), 0);
	}
	mail_buf_free(&text);
	return ret == KNOT_EOK ? STATUS_DONE : tool_error(tool, ret, "%s", knot_strerror(ret));
}

static int set_all(tool_t *tool, mail_entry_t *entry)
{
	const char *current = option_value(tool, OPT_CURRENT), *next = option_value(tool, OPT_NEXT);
	int status = set_forms(tool, entry);
	if (status == STATUS_DONE && current != NULL) {
		status = set_chain(tool, entry, MAIL_ITEM_CURRENT, current);
	}
	/* Writing keeps the stored time of publication while next stays the same (mail/change.h). */
	mail_entry_remove(entry, MAIL_ITEM_PUBLISH, MAIL_OP_SET);
	/* The next one has been deployed: it is the current one, and nothing comes after it yet. */
	if (status == STATUS_DONE && next == NULL && current != NULL &&
	    same_values(entry, MAIL_ITEM_CURRENT, MAIL_ITEM_NEXT)) {
		mail_entry_remove(entry, MAIL_ITEM_NEXT, MAIL_OP_SET);
		mail_entry_remove(entry, MAIL_ITEM_DEPLOY_AT, MAIL_OP_SET);
	}
	if (status == STATUS_DONE && next != NULL) {
		status = set_chain(tool, entry, MAIL_ITEM_NEXT, next);
	}
	if (status == STATUS_DONE) {
		status = set_deploy_at(tool, entry);
	}
	mail_diag_t *diag = tool_diag(tool);
	if (status == STATUS_DONE && mail_entry_check(entry, diag) != KNOT_EOK) {
		status = tool_error(tool, KNOT_EINVAL, "certificate %.*s: %s", (int)entry->id.len,
		                    entry->id.data, diag->text);
	}
	return status;
}

static int read_set(tool_t *tool, const char *text, mail_entry_t **entry)
{
	mail_buf_t id = { 0 };
	int status = tool_id(tool, MAIL_SECTION_CERTIFICATE, text, &id);
	if (status == STATUS_DONE) {
		int ret = mail_txn_get(tool->txn, MAIL_SECTION_CERTIFICATE, mail_buf_view(&id),
		                       entry);
		if (ret == KNOT_ENOENT) {
			*entry = mail_entry_new(MAIL_SECTION_CERTIFICATE, mail_buf_view(&id));
			ret = *entry != NULL ? KNOT_EOK : KNOT_ENOMEM;
		}
		if (ret != KNOT_EOK) {
			status = tool_error(tool, ret, "certificate %s: %s", text,
			                    knot_strerror(ret));
		}
	}
	mail_buf_free(&id);
	return status;
}

/*! \brief Users of a certificate set: the hosts, and the largest TTL of what has these hosts. */
typedef struct {
	mail_str_t certificate;
	mail_buf_t hosts; /*!< Ids, each with a zero octet behind it. */
	uint32_t ttl;
} users_t;

static bool is_host(const users_t *users, mail_str_t id)
{
	mail_str_t left = mail_buf_view(&users->hosts);
	while (left.len > 0) {
		size_t len = strlen(left.data);
		if (mail_str_equal((mail_str_t){ left.data, len }, id)) {
			return true;
		}
		left.data += len + 1;
		left.len -= len + 1;
	}
	return false;
}

static int take_host(tool_t *tool, mail_entry_t *entry, void *ctx)
{
	(void)tool;
	users_t *users = ctx;
	const mail_member_t *member = mail_entry_member(entry, MAIL_ITEM_CERTIFICATE, MAIL_OP_SET);
	for (size_t i = 0; member != NULL && i < member->count; i++) {
		if (mail_str_equal(member->values[i].text, users->certificate)) {
			(void)mail_buf_put(&users->hosts, entry->id.data, entry->id.len);
			(void)mail_buf_u8(&users->hosts, '\0');
			break;
		}
	}
	mail_entry_free(entry);
	return STATUS_DONE;
}

static void take_profile(users_t *users, const mail_profile_t *profile)
{
	const mail_settings_t *hosts = &profile->items[MAIL_ITEM_HOST];
	for (size_t i = 0; i < hosts->count; i++) {
		if (is_host(users, hosts->values[i].text)) {
			uint32_t ttl = mail_profile_number(profile, MAIL_ITEM_TTL, TTL_DEFAULT);
			users->ttl = ttl > users->ttl ? ttl : users->ttl;
			return;
		}
	}
}

static int take_policy(tool_t *tool, mail_entry_t *entry, void *ctx)
{
	mail_profile_t *profile = NULL;
	if (mail_profile_of_policy(tool_source(tool), entry->id, &profile, NULL) == KNOT_EOK) {
		take_profile(ctx, profile);
	}
	mail_profile_free(profile);
	mail_entry_free(entry);
	return STATUS_DONE;
}

/*! \brief A domain that sets host or ttl itself may have a larger TTL than its policy. */
static int take_domain(tool_t *tool, mail_entry_t *entry, void *ctx)
{
	mail_profile_t *profile = NULL;
	if ((mail_entry_member(entry, MAIL_ITEM_TTL, MAIL_OP_SET) != NULL ||
	     mail_entry_member(entry, MAIL_ITEM_HOST, MAIL_OP_SET) != NULL ||
	     mail_entry_member(entry, MAIL_ITEM_HOST, MAIL_OP_ADD) != NULL) &&
	    mail_profile_of_domain(tool_source(tool), entry->id, &profile, NULL) == KNOT_EOK) {
		take_profile(ctx, profile);
	}
	mail_profile_free(profile);
	mail_entry_free(entry);
	return STATUS_DONE;
}

/*! \brief When the next certificate of a set may be deployed: RFC 7671 8, two TTLs after publication. */
static int ready_at(tool_t *tool, const mail_entry_t *entry, int64_t *when)
{
	users_t users = { .certificate = entry->id };
	mail_str_t publish = mail_entry_value(entry, MAIL_ITEM_PUBLISH);
	*when = 0;
	if (publish.len > 0 && mail_time_parse(publish, when, NULL) != KNOT_EOK) {
		return tool_error(tool, KNOT_EMALF, "certificate %.*s: publish is no time",
		                  (int)entry->id.len, entry->id.data);
	}
	int status = tool_walk(tool, MAIL_SECTION_HOST, MAIL_STR(""), take_host, &users);
	if (status == STATUS_DONE && users.hosts.len > 0) {
		status = tool_walk(tool, MAIL_SECTION_POLICY, MAIL_STR(""), take_policy, &users);
	}
	if (status == STATUS_DONE && users.hosts.len > 0) {
		status = tool_walk(tool, MAIL_SECTION_DOMAIN, MAIL_STR(""), take_domain, &users);
	}
	*when += 2 * (int64_t)users.ttl;
	mail_buf_free(&users.hosts);
	return status;
}

/*! \brief Warns when the planned time is before the one that is safe. */
static int tell_ready(tool_t *tool, const mail_entry_t *entry)
{
	int64_t when, planned;
	if (mail_entry_member(entry, MAIL_ITEM_NEXT, MAIL_OP_SET) == NULL) {
		return STATUS_DONE;
	}
	int status = ready_at(tool, entry, &when);
	if (status != STATUS_DONE) {
		return status;
	}
	mail_str_t deploy = mail_entry_value(entry, MAIL_ITEM_DEPLOY_AT);
	if (deploy.len > 0 && mail_time_parse(deploy, &planned, NULL) == KNOT_EOK &&
	    planned < when) {
		tool_warn(
			tool,
			"certificate %.*s: deploy-at is before %s: senders may still have the old "
			"TLSA records in their caches",
			(int)entry->id.len, entry->id.data, tool_time(when));
	}
	tool_note(tool, "the next certificate may be deployed from %s on", tool_time(when));
	return STATUS_DONE;
}

int verb_cert_import(tool_t *tool, int argc, char **argv)
{
	(void)argc;
	mail_entry_t *entry = NULL, *stored = NULL;
	if (!option_is(tool, OPT_CURRENT) && !option_is(tool, OPT_NEXT) &&
	    !option_is(tool, OPT_DEPLOY_AT)) {
		return tool_usage(tool, "cert-import needs --current, --next or --deploy-at");
	}
	int status = tool_open(tool, MAIL_STORE_WRITE);
	if (status == STATUS_DONE) {
		status = read_set(tool, argv[0], &entry);
	}
	if (status == STATUS_DONE) {
		status = set_all(tool, entry);
	}
	if (status == STATUS_DONE) {
		status = tool_put(tool, &entry, 1);
	}
	/* As it was stored: with the time of publication. */
	if (status == STATUS_DONE) {
		status = tool_entry(tool, MAIL_SECTION_CERTIFICATE, argv[0], &stored);
	}
	if (status == STATUS_DONE) {
		status = tell_ready(tool, stored);
	}
	if (status == STATUS_DONE) {
		status = tool_commit(tool);
	}
	mail_entry_free(entry);
	mail_entry_free(stored);
	return status;
}

static int list_set(tool_t *tool, mail_entry_t *entry, void *ctx)
{
	(void)ctx;
	int status = STATUS_DONE;
	if (tool->json) {
		status = tool_json_entry(tool, entry);
	} else {
		static const mail_item_id_t records[] = { MAIL_ITEM_CURRENT, MAIL_ITEM_NEXT };
		static const mail_item_id_t times[] = { MAIL_ITEM_PUBLISH, MAIL_ITEM_DEPLOY_AT };
		(void)printf("%-31.*s", (int)entry->id.len, entry->id.data);
		for (size_t i = 0; i < 2; i++) {
			const mail_member_t *member = mail_entry_member(entry, records[i],
			                                                MAIL_OP_SET);
			for (size_t j = 0; member != NULL && j < member->count; j++) {
				(void)printf(" %s=\"%.*s\"", member->item->name,
				             (int)member->values[j].text.len,
				             member->values[j].text.data);
			}
		}
		for (size_t i = 0; i < 2; i++) {
			mail_str_t when = mail_entry_value(entry, times[i]);
			if (when.len > 0) {
				(void)printf(" %s=%.*s", mail_item_get(times[i])->name,
				             (int)when.len, when.data);
			}
		}
		(void)putchar('\n');
	}
	mail_entry_free(entry);
	return status;
}

int verb_cert_list(tool_t *tool, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	int status = tool_open(tool, MAIL_STORE_READ);
	return status != STATUS_DONE
	               ? status
	               : tool_walk(tool, MAIL_SECTION_CERTIFICATE, MAIL_STR(""), list_set, NULL);
}

int verb_cert_ready(tool_t *tool, int argc, char **argv)
{
	(void)argc;
	mail_entry_t *entry = NULL;
	int64_t when = 0;
	int status = tool_open(tool, MAIL_STORE_READ);
	if (status == STATUS_DONE) {
		status = tool_entry(tool, MAIL_SECTION_CERTIFICATE, argv[0], &entry);
	}
	if (status == STATUS_DONE &&
	    mail_entry_member(entry, MAIL_ITEM_NEXT, MAIL_OP_SET) == NULL) {
		status = tool_error(tool, KNOT_ENOENT, "certificate %s: it has no next certificate",
		                    argv[0]);
	}
	if (status == STATUS_DONE) {
		status = ready_at(tool, entry, &when);
	}
	mail_entry_free(entry);
	if (status != STATUS_DONE) {
		return status;
	}
	bool ready = time(NULL) >= when;
	if (tool->json) {
		json_t *object = json_object();
		json_object_set_new(object, "certificate", json_string(argv[0]));
		json_object_set_new(object, "deploy-from", json_string(tool_time(when)));
		json_object_set_new(object, "ready", json_boolean(ready));
		(void)tool_json(object);
	} else {
		(void)printf("%s\n", tool_time(when));
	}
	return ready ? STATUS_DONE : STATUS_FAILED;
}
