/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Kinds of hosts: addresses, the SPF of the HELO name (RFC 7208 10.1.2), TLSA (RFC 7672).
 */
#include "config.h"

#include <stdio.h>

#include "record/literal.h"
#include "mail/spf.h"
#include "mail/time.h"
#include "mail/mem.h"
#include "record/tlsa.h"
#include "plan/kinds.h"

/*! Return whether a pattern is the apex. */
static bool pattern_is_apex(const mail_pattern_t *pattern)
{
	return pattern->hole && pattern->head_len == 0 && pattern->tail_len == 0;
}

static int host_read(mail_build_t *build, unsigned setting, mail_build_host_t *host)
{
	const mail_setting_t *ref = &build->profile->items[MAIL_ITEM_HOST].values[setting];
	int ret = mail_profile_fetch(build->profile, MAIL_SECTION_HOST, ref->text, &host->entry);
	if (ret != KNOT_EOK) {
		(void)mail_diag_error(build->diag, 0, "host %.*s %s", (int)ref->text.len,
		                      ref->text.data,
		                      ret == KNOT_ENOENT ? "does not exist" : "cannot be read");
		return mail_build_bad(build, MAIL_ITEM_HOST, ref, ret);
	}
	host->setting = setting;
	ret = mail_pattern_parse(mail_entry_value(host->entry, MAIL_ITEM_NAME), &host->name,
	                         build->diag);
	return ret == KNOT_EOK ? ret : mail_build_bad(build, MAIL_ITEM_HOST, ref, ret);
}

static void hosts_drop(mail_build_t *build)
{
	for (size_t i = 0; i < build->host_count; i++) {
		mail_entry_free(build->hosts[i].entry);
	}
	mail_free(build->hosts);
	build->hosts = NULL;
	build->host_count = 0;
}

int mail_hosts_read(mail_build_t *build)
{
	const size_t count = build->profile->items[MAIL_ITEM_HOST].count;
	if (build->hosts != NULL || count == 0) {
		return KNOT_EOK;
	}
	build->hosts = mail_calloc(count, sizeof(*build->hosts));
	if (build->hosts == NULL) {
		return KNOT_ENOMEM;
	}
	for (unsigned i = 0; i < count; i++) {
		int ret = host_read(build, i, &build->hosts[build->host_count++]);
		if (ret != KNOT_EOK) {
			/* For readers the next kind asks again, and must not meet half of them. */
			hosts_drop(build);
			return ret;
		}
	}
	return KNOT_EOK;
}

/*! Go on to the rows of a host. */
static const mail_build_host_t *host_begin(mail_build_t *build, size_t i)
{
	const mail_build_host_t *host = &build->hosts[i];
	build->setting = &build->profile->items[MAIL_ITEM_HOST].values[host->setting];
	return host;
}

/*! Note that a value of a host cannot be rendered, and the line that the item was set in. */
static int host_bad(mail_build_t *build, const mail_build_host_t *host, mail_item_id_t item,
                    int ret)
{
	char reason[sizeof(build->diag->text)];
	const mail_member_t *member = mail_entry_member(host->entry, item, MAIL_OP_SET);
	if (member != NULL && member->line != 0) {
		build->diag->line = member->line;
	}
	(void)snprintf(reason, sizeof(reason), "%s", build->diag->text);
	(void)mail_diag_error(build->diag, build->diag->column, "host %.*s: %s: %s",
	                      (int)host->entry->id.len, host->entry->id.data,
	                      mail_item_get(item)->name, reason);
	return ret;
}

int mail_hosts_spf(mail_build_t *build, mail_buf_t *terms)
{
	int ret = mail_hosts_read(build);
	if (ret != KNOT_EOK) {
		return ret;
	}
	for (size_t i = 0; i < build->host_count; i++) {
		const mail_member_t *addresses = mail_entry_member(build->hosts[i].entry,
		                                                   MAIL_ITEM_ADDRESS, MAIL_OP_SET);
		for (size_t j = 0; addresses != NULL && j < addresses->count; j++) {
			mail_str_t text = addresses->values[j].text;
			bool v6 = memchr(text.data, ':', text.len) != NULL;
			(void)mail_buf_printf(terms, "%s:%.*s ", v6 ? "ip6" : "ip4", (int)text.len,
			                      text.data);
		}
	}
	return terms->error;
}

/*! Add the row of one address, if it is of the kind's type. */
static int address_row(mail_build_t *build, const mail_kind_t *kind, const mail_build_host_t *host,
                       mail_str_t text)
{
	mail_row_t row = { .until = INT64_MAX, .ttl = UINT32_MAX };
	int ret = mail_address_render(text, &row.type, &row.rdata, build->diag);
	if (ret != KNOT_EOK) {
		mail_rdata_free(&row.rdata);
		return host_bad(build, host, MAIL_ITEM_ADDRESS, ret);
	}
	if (row.type != kind->type) {
		mail_rdata_free(&row.rdata);
		return KNOT_EOK;
	}
	return mail_build_row(build, &host->name, &row);
}

int mail_kind_address(mail_build_t *build, const mail_kind_t *kind)
{
	int ret = mail_hosts_read(build);
	if (ret != KNOT_EOK) {
		return ret;
	}
	for (size_t i = 0; i < build->host_count; i++) {
		const mail_build_host_t *host = host_begin(build, i);
		const mail_member_t *addresses = mail_entry_member(host->entry, MAIL_ITEM_ADDRESS,
		                                                   MAIL_OP_SET);
		for (size_t j = 0; addresses != NULL && j < addresses->count; j++) {
			ret = address_row(build, kind, host, addresses->values[j].text);
			if (ret != KNOT_EOK) {
				return ret;
			}
		}
	}
	return KNOT_EOK;
}

int mail_kind_helo(mail_build_t *build, const mail_kind_t *kind)
{
	if (mail_kind_no_mail(build)) {
		return KNOT_EOK;
	}
	int ret = mail_hosts_read(build);
	if (ret != KNOT_EOK) {
		return ret;
	}
	const mail_str_t dflt = MAIL_STR("a -all");
	for (size_t i = 0; i < build->host_count; i++) {
		const mail_build_host_t *host = host_begin(build, i);
		const mail_member_t *set = mail_entry_member(host->entry, MAIL_ITEM_HELO_SPF,
		                                             MAIL_OP_SET);
		const bool none = mail_entry_member(host->entry, MAIL_ITEM_HELO_SPF,
		                                    MAIL_OP_NONE) != NULL;
		/* At the apex the domain's own SPF stands. */
		if (none || pattern_is_apex(&host->name)) {
			continue;
		}
		size_t count = set != NULL ? set->count : 1;
		mail_str_t terms[MAIL_LIST_MAX];
		for (size_t j = 0; j < count && j < MAIL_LIST_MAX; j++) {
			terms[j] = set != NULL ? set->values[j].text : dflt;
		}
		mail_row_t row = { .until = INT64_MAX, .ttl = UINT32_MAX, .type = kind->type };
		build->host = host->entry;
		ret = mail_spf_render(terms, count, MAIL_STR(""), &row.rdata, build->diag);
		build->host = NULL;
		if (ret != KNOT_EOK) {
			mail_rdata_free(&row.rdata);
			return host_bad(build, host, MAIL_ITEM_HELO_SPF, ret);
		}
		ret = mail_build_row(build, &host->name, &row);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/*! The owner of a host's TLSA: _PORT._tcp.HOST. */
static int tlsa_owner(const mail_pattern_t *host, mail_str_t port, mail_pattern_t *owner)
{
	uint8_t labels[16];
	mail_buf_t buf = MAIL_BUF_FIXED(labels, sizeof(labels));
	(void)mail_buf_u8(&buf, port.len + 1);
	(void)mail_buf_printf(&buf, "_%.*s", (int)port.len, port.data);
	(void)mail_buf_put(&buf, "\x04_tcp", 5);
	if (buf.error != KNOT_EOK ||
	    buf.len + host->head_len + host->tail_len >= KNOT_DNAME_MAXLEN) {
		return KNOT_ESPACE;
	}
	*owner = *host;
	memcpy(owner->head, labels, buf.len);
	memcpy(owner->head + buf.len, host->head, host->head_len);
	owner->head_len += buf.len;
	return KNOT_EOK;
}

/*! Add TLSA texts at every port of a host, shown in [from, until). */
static int tlsa_rows(mail_build_t *build, const mail_build_host_t *host, const mail_member_t *texts,
                     int64_t from, int64_t until)
{
	const mail_member_t *ports = mail_entry_member(host->entry, MAIL_ITEM_TLSA_PORT,
	                                               MAIL_OP_SET);
	size_t port_count = ports != NULL ? ports->count : 1;
	for (size_t i = 0; texts != NULL && i < texts->count * port_count; i++) {
		mail_str_t port = ports != NULL ? ports->values[i % port_count].text
		                                : MAIL_STR("25");
		mail_row_t row = {
			.from = from, .until = until, .ttl = UINT32_MAX, .type = KNOT_RRTYPE_TLSA
		};
		mail_pattern_t owner;
		int ret = mail_tlsa_render(texts->values[i / port_count].text, &row.rdata,
		                           build->diag);
		if (ret == KNOT_EOK) {
			ret = tlsa_owner(&host->name, port, &owner);
		}
		if (ret != KNOT_EOK) {
			mail_rdata_free(&row.rdata);
			return host_bad(build, host, MAIL_ITEM_TLSA, ret);
		}
		ret = mail_build_row(build, &owner, &row);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

static int64_t entry_time(const mail_entry_t *entry, mail_item_id_t item, int64_t dflt)
{
	int64_t seconds;
	mail_str_t text = mail_entry_value(entry, item);
	return text.len > 0 && mail_time_parse(text, &seconds, NULL) == KNOT_EOK ? seconds : dflt;
}

/*!
 * Current and next from publish until two TTLs after the next was deployed, then next only (RFC 7671 8:
 * what was announced stays until no cache holds a set without the other).
 */
static int certificate_rows(mail_build_t *build, const mail_build_host_t *host, mail_str_t id)
{
	mail_entry_t *entry = NULL;
	int ret = mail_profile_fetch(build->profile, MAIL_SECTION_CERTIFICATE, id, &entry);
	if (ret != KNOT_EOK) {
		(void)mail_diag_error(build->diag, 0, "certificate %.*s %s", (int)id.len, id.data,
		                      ret == KNOT_ENOENT ? "does not exist" : "cannot be read");
		return host_bad(build, host, MAIL_ITEM_CERTIFICATE, ret);
	}
	const mail_member_t *current = mail_entry_member(entry, MAIL_ITEM_CURRENT, MAIL_OP_SET);
	const mail_member_t *next = mail_entry_member(entry, MAIL_ITEM_NEXT, MAIL_OP_SET);
	const int64_t deploy = entry_time(entry, MAIL_ITEM_DEPLOY_AT, INT64_MAX);
	int64_t until = INT64_MAX;
	if (next != NULL && deploy < INT64_MAX) {
		until = deploy + 2 * (int64_t)build->plan->ttl;
	}
	ret = tlsa_rows(build, host, current, 0, until);
	if (ret == KNOT_EOK) {
		ret = tlsa_rows(build, host, next,
		                current != NULL ? entry_time(entry, MAIL_ITEM_PUBLISH, 0) : 0,
		                INT64_MAX);
	}
	mail_entry_free(entry);
	return ret;
}

int mail_kind_tlsa(mail_build_t *build, const mail_kind_t *kind)
{
	(void)kind;
	if (mail_kind_no_mail(build)) {
		return KNOT_EOK;
	}
	int ret = mail_hosts_read(build);
	if (ret != KNOT_EOK) {
		return ret;
	}
	for (size_t i = 0; i < build->host_count; i++) {
		const mail_build_host_t *host = host_begin(build, i);
		ret = tlsa_rows(build, host,
		                mail_entry_member(host->entry, MAIL_ITEM_TLSA, MAIL_OP_SET), 0,
		                INT64_MAX);
		if (ret != KNOT_EOK) {
			return ret;
		}
		const mail_member_t *sets = mail_entry_member(host->entry, MAIL_ITEM_CERTIFICATE,
		                                              MAIL_OP_SET);
		for (size_t j = 0; sets != NULL && j < sets->count; j++) {
			ret = certificate_rows(build, host, sets->values[j].text);
			if (ret != KNOT_EOK) {
				return ret;
			}
		}
	}
	return KNOT_EOK;
}
