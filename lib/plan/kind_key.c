/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Kinds of a key set: DNSKEY, and what tells the parent which DS it should have: CDS and CDNSKEY (RFC 7344,
 * RFC 8078).  Keys are the same for all domains of a plan; only the digest of a CDS has the domain's name in it.
 */
#include "config.h"

#include <stdlib.h>

#include "mail/time.h"
#include "mail/mem.h"
#include "plan/kinds.h"

/* RFC 8078 4: what asks the parent to remove the DS. */
static const uint8_t cds_delete[] = { 0, 0, 0, 0, 0 };
static const uint8_t cdnskey_delete[] = { 0, 0, 3, 0, 0 };

/*! The part of a KSK first, then algorithm and tag. */
static int key_compare(const void *a_ptr, const void *b_ptr)
{
	const mail_dnskey_t *a = a_ptr, *b = b_ptr;
	const bool a_zsk = a->role == MAIL_ROLE_ZSK, b_zsk = b->role == MAIL_ROLE_ZSK;
	if (a_zsk != b_zsk) {
		return a_zsk ? 1 : -1;
	}
	if (a->algorithm != b->algorithm) {
		return a->algorithm < b->algorithm ? -1 : 1;
	}
	return (a->tag > b->tag) - (a->tag < b->tag);
}

/*! Read the keys of an entry into the plan. */
static int keys_fill(mail_build_t *build, const mail_entry_t *entry, const mail_setting_t *setting)
{
	mail_plan_t *plan = build->plan;
	const mail_member_t *member = mail_entry_member(entry, MAIL_ITEM_DNSKEY, MAIL_OP_SET);
	const mail_str_t leave = mail_entry_value(entry, MAIL_ITEM_LEAVE);
	if (leave.len > 0 && mail_time_parse(leave, &plan->leave, build->diag) != KNOT_EOK) {
		return mail_build_bad(build, MAIL_ITEM_KEY_SET, setting, KNOT_EINVAL);
	}
	if (member == NULL) {
		return KNOT_EOK;
	}
	plan->keys = mail_calloc(member->count, sizeof(*plan->keys));
	if (plan->keys == NULL) {
		return KNOT_ENOMEM;
	}
	for (size_t i = 0; i < member->count; i++) {
		mail_dnskey_t *key = &plan->keys[i];
		int ret = mail_dnskey_parse(member->values[i].text, key, build->diag);
		if (ret != KNOT_EOK) {
			mail_free(plan->keys);
			plan->keys = NULL;
			return mail_build_bad(build, MAIL_ITEM_KEY_SET, setting, ret);
		}
		if (key->ds_until > plan->leave) {
			key->ds_until = plan->leave > key->ds ? plan->leave : key->ds;
		}
	}
	plan->key_count = member->count;
	qsort(plan->keys, plan->key_count, sizeof(*plan->keys), key_compare);
	return KNOT_EOK;
}

static int row_put(mail_build_t *build, mail_row_t *row)
{
	static const mail_pattern_t apex = { .hole = true };
	if (row->from >= row->until) {
		mail_rdata_free(&row->rdata);
		return KNOT_EOK;
	}
	return mail_build_row(build, &apex, row);
}

/*! Write what a key has in the RRset of a kind. */
static int key_put(mail_build_t *build, const mail_kind_t *kind, const mail_dnskey_t *key)
{
	uint8_t octets[MAIL_DNSKEY_RDATA_MAX];
	const size_t len = mail_dnskey_rdata(key, octets);
	mail_row_t row = {
		.from = key->publish, .until = key->remove, .ttl = UINT32_MAX, .type = kind->type
	};
	if (kind->type != KNOT_RRTYPE_DNSKEY) {
		row.from = key->ds;
		row.until = key->ds_until < key->remove ? key->ds_until : key->remove;
	}
	if (kind->type == KNOT_RRTYPE_CDS) {
		(void)mail_rdata_u16(&row.rdata, key->tag);
		(void)mail_rdata_u8(&row.rdata, (uint8_t)key->algorithm);
		(void)mail_rdata_u8(&row.rdata, MAIL_DS_SHA256);
		(void)mail_rdata_owner_digest(&row.rdata, 256, octets, len);
	} else {
		(void)mail_rdata_octets(&row.rdata, octets, len);
	}
	return row_put(build, &row);
}

/*! Write the record that asks for no DS, for as long as there is something that signs it. */
static int delete_put(mail_build_t *build, const mail_kind_t *kind)
{
	const mail_plan_t *plan = build->plan;
	mail_row_t row = { .from = INT64_MAX, .ttl = UINT32_MAX, .type = kind->type };
	for (size_t i = 0; i < plan->key_count; i++) {
		const mail_dnskey_t *key = &plan->keys[i];
		if (key->publish < key->remove) {
			row.from = key->publish < row.from ? key->publish : row.from;
			row.until = key->remove > row.until ? key->remove : row.until;
		}
	}
	row.from = plan->leave > row.from ? plan->leave : row.from;
	if (kind->type == KNOT_RRTYPE_CDS) {
		(void)mail_rdata_octets(&row.rdata, cds_delete, sizeof(cds_delete));
	} else {
		(void)mail_rdata_octets(&row.rdata, cdnskey_delete, sizeof(cdnskey_delete));
	}
	return row_put(build, &row);
}

/*! Read the key set of the profile. Without ns the zone is somebody else's, who signs it. */
static int keys_read(mail_build_t *build, const mail_setting_t *setting)
{
	const bool hosted = build->profile->items[MAIL_ITEM_NS].count > 0;
	mail_entry_t *entry = NULL;
	if (!hosted && !build->strict) {
		return KNOT_EOK;
	}
	int ret = mail_profile_fetch(build->profile, MAIL_SECTION_KEYSET, setting->text, &entry);
	if (ret != KNOT_EOK) {
		(void)mail_diag_error(build->diag, 0, "key-set %.*s %s", (int)setting->text.len,
		                      setting->text.data,
		                      ret == KNOT_ENOENT ? "does not exist" : "cannot be read");
		ret = ret == KNOT_ENOENT && build->strict ? KNOT_EINVAL : ret;
		return mail_build_bad(build, MAIL_ITEM_KEY_SET, setting, ret);
	}
	ret = hosted ? keys_fill(build, entry, setting) : KNOT_EOK;
	build->plan->ds_from = mail_profile_ds_from(build->profile);
	mail_entry_free(entry);
	return ret;
}

int mail_kind_dnskey(mail_build_t *build, const mail_kind_t *kind)
{
	const mail_settings_t *settings = &build->profile->items[MAIL_ITEM_KEY_SET];
	const mail_plan_t *plan = build->plan;
	const bool dnskey = kind->type == KNOT_RRTYPE_DNSKEY;
	/* The first of the three kinds reads for all. */
	if (dnskey) {
		build->plan->leave = INT64_MAX;
	}
	if (dnskey && settings->count > 0) {
		int ret = keys_read(build, &settings->values[0]);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	for (size_t i = 0; i < plan->key_count; i++) {
		if (!dnskey && plan->keys[i].role == MAIL_ROLE_ZSK) {
			continue;
		}
		int ret = key_put(build, kind, &plan->keys[i]);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return !dnskey && plan->leave < INT64_MAX ? delete_put(build, kind) : KNOT_EOK;
}

int mail_plan_ds(const mail_plan_t *plan, const knot_dname_t *apex, unsigned digest, int64_t now,
                 size_t *pos, uint8_t out[MAIL_DS_RDATA_MAX])
{
	while (*pos < plan->key_count) {
		const mail_dnskey_t *key = &plan->keys[(*pos)++];
		if (key->role != MAIL_ROLE_ZSK && key->ds <= now && now < key->ds_until &&
		    now < key->remove) {
			return mail_dnskey_ds(key, apex, digest, out);
		}
	}
	return KNOT_ENOENT;
}
