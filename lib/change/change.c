/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing with every check that a writer owes its readers.
 *
 * All entries of a change are put first, in any order; what refers to what is looked at when the change is
 * finished.  Then every policy that read one of the changed entries is compiled again, and every domain
 * that follows such a policy, or was changed itself, must still have room for its names and be free of
 * conflicts.  A domain that sets nothing of its own costs a comparison; one with overrides is compiled.
 *
 * Up to CHANGE_LISTED entries are remembered with the lines that they came from; a larger change looks at
 * all domains instead, in the same bounded memory.
 */
#include "config.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "change/internal.h"
#include "mail/chars.h"
#include "mail/dkim_id.h"

int mail_change_compare(const void *a_ptr, const void *b_ptr)
{
	const mail_entry_t *a = a_ptr, *b = b_ptr;
	if (a->section != b->section) {
		return a->section < b->section ? -1 : 1;
	}
	size_t common = a->id.len < b->id.len ? a->id.len : b->id.len;
	int diff = common > 0 ? memcmp(a->id.data, b->id.data, common) : 0;
	return diff != 0 ? diff : (a->id.len > b->id.len) - (a->id.len < b->id.len);
}

const mail_entry_t *mail_change_find(const mail_change_t *change, mail_section_t section,
                                     mail_str_t id)
{
	const mail_entry_t wanted = { .section = section, .id = id };
	const mail_entry_t *const *node = tfind(&wanted, &change->listed, mail_change_compare);
	return node != NULL ? *node : NULL;
}

/*! Compare as mail_change_compare(), but find any DKIM key whose id goes on after the wanted "DOMAIN/". */
static int key_owner_compare(const void *wanted_ptr, const void *key_ptr)
{
	const mail_entry_t *wanted = wanted_ptr, *key = key_ptr;
	return key->section == MAIL_SECTION_DKIM && key->id.len > wanted->id.len &&
	                       memcmp(key->id.data, wanted->id.data, wanted->id.len) == 0
	               ? 0
	               : mail_change_compare(wanted, key);
}

const mail_entry_t *mail_change_key_of(const mail_change_t *change, mail_str_t domain)
{
	char text[KNOT_DNAME_TXT_MAXLEN + 2];
	mail_buf_t prefix = MAIL_BUF_FIXED((uint8_t *)text, sizeof(text));
	if (!change->touched[MAIL_SECTION_DKIM] ||
	    mail_buf_printf(&prefix, "%.*s/", (int)domain.len, domain.data) != KNOT_EOK) {
		return NULL;
	}
	const mail_entry_t wanted = { .section = MAIL_SECTION_DKIM, .id = mail_buf_view(&prefix) };
	const mail_entry_t *const *node = tfind(&wanted, &change->listed, key_owner_compare);
	return node != NULL ? *node : NULL;
}

/*! Read as the transaction does, but give changed entries with their lines. */
static int overlay_get(const mail_source_t *src, mail_section_t section, mail_lf_t key,
                       mail_entry_t **entry, mail_stamp_t *stamp)
{
	const mail_change_t *change = src->ctx;
	char id[KNOT_DNAME_TXT_MAXLEN + 1];
	mail_buf_t buf = MAIL_BUF_FIXED((uint8_t *)id, sizeof(id));
	int ret = change->base->get(change->base, section, key, entry, stamp);
	if (ret != KNOT_EOK || entry == NULL || section == MAIL_SECTION_DKIM ||
	    mail_entry_id_from_key(section, key, &buf) != KNOT_EOK) {
		return ret;
	}
	const mail_entry_t *listed = mail_change_find(change, section, mail_buf_view(&buf));
	if (listed != NULL && mail_entry_equal(listed, *entry)) {
		mail_entry_t *copy = mail_entry_copy(listed);
		if (copy != NULL) {
			copy->stamp = (*entry)->stamp;
			mail_entry_free(*entry);
			*entry = copy;
		}
	}
	return ret;
}

/*! Note what the domain that is compiled has asked for. */
static void watch(mail_change_t *change, mail_lf_t name, const mail_lf_t *above)
{
	if (above != NULL) {
		change->led |= !mail_lf_equal(*above, change->watched);
	} else if (!mail_lint_concerns(&change->asked, name)) {
		(void)mail_buf_u16(&change->asked, (uint16_t)name.len);
		(void)mail_buf_put(&change->asked, name.data, name.len);
	}
}

static int overlay_domain_above(const mail_source_t *src, mail_lf_t name, mail_lf_t *above,
                                mail_domain_t *domain)
{
	mail_change_t *change = src->ctx;
	int ret = change->base->domain_above(change->base, name, above, domain);
	if (change->watched.len > 0) {
		watch(change, name, ret == KNOT_EOK ? above : NULL);
	}
	return ret;
}

static int overlay_domain_seek(const mail_source_t *src, mail_lf_t name, mail_seek_t seek,
                               mail_lf_storage_t *found, mail_domain_t *domain)
{
	const mail_change_t *change = src->ctx;
	return change->base->domain_seek(change->base, name, seek, found, domain);
}

static int overlay_dkim_get(const mail_source_t *src, mail_lf_t key, mail_dkim_t *dkim)
{
	const mail_change_t *change = src->ctx;
	return change->base->dkim_get(change->base, key, dkim);
}

static int overlay_dkim_seek(const mail_source_t *src, mail_lf_t key, mail_seek_t seek,
                             mail_lf_storage_t *found, mail_dkim_t *dkim)
{
	const mail_change_t *change = src->ctx;
	return change->base->dkim_seek(change->base, key, seek, found, dkim);
}

mail_change_t *mail_change_begin(mail_txn_t *txn)
{
	mail_change_t *change = calloc(1, sizeof(*change));
	if (change == NULL) {
		return NULL;
	}
	change->txn = txn;
	change->now = time(NULL);
	change->base = mail_txn_source(txn);
	change->source = (mail_source_t){
		.get = overlay_get,
		.domain_above = overlay_domain_above,
		.domain_seek = overlay_domain_seek,
		.dkim_get = overlay_dkim_get,
		.dkim_seek = overlay_dkim_seek,
		.ctx = change,
	};
	return change;
}

void mail_change_lines(mail_change_t *change, mail_entry_t *const *entries, size_t count)
{
	change->put = entries;
	change->put_count = count;
}

static void listed_free(void *entry)
{
	mail_entry_free(entry);
}

void mail_change_free(mail_change_t *change)
{
	if (change == NULL) {
		return;
	}
	mail_change_plans_free(change);
	mail_lint_free(change->lint);
	mail_change_sts_free(change);
	tdestroy(change->listed, listed_free);
	mail_txn_abort(change->before);
	free(change);
}

void mail_change_next(mail_change_t *change)
{
	mail_change_plans_renew(change);
	mail_change_sts_free(change);
	tdestroy(change->listed, listed_free);
	*change = (mail_change_t){
		.txn = change->txn,
		.before = change->before,
		.base = change->base,
		.source = change->source,
		.now = time(NULL),
		.in_dns = change->in_dns,
		.alone = change->alone,
		.plans = change->plans,
		.shapes = change->shapes,
		.shape = change->shape,
		.arena = change->arena,
		.asked = change->asked,
		.lint = change->lint,
	};
}

int mail_change_before(mail_change_t *change, mail_txn_t **before)
{
	int ret = KNOT_EOK;
	if (change->before == NULL) {
		ret = mail_txn_before(change->txn, &change->before);
	}
	*before = change->before;
	return ret;
}

/*! Remember a copy of an entry; of the same entry the last one counts. */
static int listed_add(mail_change_t *change, const mail_entry_t *entry)
{
	mail_entry_t *copy = mail_entry_copy(entry);
	if (copy == NULL) {
		return KNOT_ENOMEM;
	}
	mail_entry_t **node = tsearch(copy, &change->listed, mail_change_compare);
	if (node == NULL) {
		mail_entry_free(copy);
		return KNOT_ENOMEM;
	}
	if (*node == copy) {
		change->listed_count++;
	} else {
		change->again = (*node)->deleted ? 0 : (*node)->line;
		mail_entry_free(*node);
		*node = copy;
	}
	return KNOT_EOK;
}

/*! Return whether an entry is stored and live. */
static bool is_live(const mail_change_t *change, mail_section_t section, mail_str_t id)
{
	mail_lf_storage_t key;
	return mail_entry_key(section, id, &key) == KNOT_EOK &&
	       change->base->get(change->base, section, mail_lf(&key), NULL, NULL) == KNOT_EOK;
}

/*! Remember whose key changed: of policies the policy, because plans depend on all of its keys at once. */
static int key_owner_put(mail_change_t *change, const mail_entry_t *key)
{
	mail_dkim_id_t id;
	if (mail_dkim_id_parse(key->id, &id, NULL) != KNOT_EOK) {
		return KNOT_EINVAL;
	}
	if (id.section == MAIL_SECTION_POLICY) {
		const size_t len = id.owner.data + id.owner.len - key->id.data;
		const mail_entry_t all = { .section = MAIL_SECTION_DKIM,
			                   .id = mail_str_part(key->id, 0, len) };
		change->policy_keys = true;
		if (change->alone) {
			mail_change_plans_renew(change);
		}
		return listed_add(change, &all);
	}
	/* A domain that came with this change has no aliases that were not looked at. */
	change->targets |= mail_change_find(change, MAIL_SECTION_DOMAIN, id.owner) == NULL &&
	                   is_live(change, MAIL_SECTION_DOMAIN, id.owner);
	return KNOT_EOK;
}

/*! Remember a changed entry. */
static int listed_put(mail_change_t *change, const mail_entry_t *entry)
{
	change->touched[entry->section] = true;
	if (change->alone && mail_change_has_layers(change)) {
		/* What earlier entries had compiled is of what is no more. */
		mail_change_plans_renew(change);
	}
	if (entry->section == MAIL_SECTION_DOMAIN) {
		change->domain_puts++;
		if (change->listed_count >= CHANGE_LISTED) {
			change->all = true;
			return KNOT_EOK;
		}
	}
	if (entry->section == MAIL_SECTION_DKIM) {
		int ret = key_owner_put(change, entry);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return listed_add(change, entry);
}

/*! Delete the DKIM keys of a domain or a policy that is deleted. */
static int keys_delete(mail_change_t *change, const mail_entry_t *owner)
{
	mail_dkim_walk_t walk;
	mail_dkim_t dkim;
	int ret = mail_dkim_walk_begin(&walk, change->base, owner->section, owner->id);
	if (ret != KNOT_EOK) {
		return ret == KNOT_ESPACE ? KNOT_EOK : ret;
	}
	while ((ret = mail_dkim_walk_next(&walk, &dkim)) == KNOT_EOK) {
		if (dkim.deleted) {
			continue;
		}
		mail_buf_t id = { 0 };
		ret = mail_entry_id_from_key(MAIL_SECTION_DKIM, mail_lf(&walk.key), &id);
		if (ret == KNOT_EOK) {
			ret = mail_txn_del(change->txn, MAIL_SECTION_DKIM, mail_buf_view(&id));
		}
		mail_buf_free(&id);
		if (ret != KNOT_EOK) {
			return ret;
		}
		change->count.deleted++;
	}
	return ret == KNOT_ENOENT ? KNOT_EOK : ret;
}

/*! Return whether an entry was stored and live before the transaction. */
static bool was_live(mail_change_t *change, mail_section_t section, mail_str_t id)
{
	mail_txn_t *before;
	mail_lf_storage_t key;
	if (mail_entry_key(section, id, &key) != KNOT_EOK ||
	    mail_change_before(change, &before) != KNOT_EOK) {
		return false;
	}
	const mail_source_t *source = mail_txn_source(before);
	return source->get(source, section, mail_lf(&key), NULL, NULL) == KNOT_EOK;
}

/*! Return whether a DKIM key is gone because its owner was deleted in this change, or in one before it. */
static bool went_with_owner(mail_change_t *change, const mail_entry_t *entry)
{
	mail_dkim_id_t id;
	if (entry->section != MAIL_SECTION_DKIM ||
	    mail_dkim_id_parse(entry->id, &id, NULL) != KNOT_EOK) {
		return false;
	}
	if (change->alone) {
		return !is_live(change, id.section, id.owner) &&
		       was_live(change, MAIL_SECTION_DKIM, entry->id);
	}
	const mail_entry_t *put = mail_change_find(change, id.section, id.owner);
	return put != NULL ? put->deleted : change->all && !is_live(change, id.section, id.owner);
}

static int entry_delete(mail_change_t *change, const mail_entry_t *entry, mail_diag_t *diag)
{
	int ret = mail_txn_del(change->txn, entry->section, entry->id);
	if (ret == KNOT_ENOENT && went_with_owner(change, entry)) {
		return KNOT_EOK;
	}
	if (ret == KNOT_ENOENT) {
		diag->line = entry->line;
		(void)mail_diag_error(diag, 0, "%s %.*s does not exist",
		                      mail_section_name(entry->section), (int)entry->id.len,
		                      entry->id.data);
		return KNOT_ENOENT;
	}
	if (ret == KNOT_EOK) {
		change->count.deleted++;
		change->removes |= 1u << entry->section;
		ret = listed_put(change, entry);
	}
	if (ret == KNOT_EOK && change->alone) {
		ret = mail_change_uses_check(change, diag);
	}
	if (ret == KNOT_EOK &&
	    (entry->section == MAIL_SECTION_DOMAIN || entry->section == MAIL_SECTION_POLICY)) {
		ret = keys_delete(change, entry);
	}
	return ret;
}

/*! Return whether a certificate set has the same `next` as before. */
static bool same_next(const mail_entry_t *old, const mail_entry_t *entry)
{
	return mail_member_equal(mail_entry_member(old, MAIL_ITEM_NEXT, MAIL_OP_SET),
	                         mail_entry_member(entry, MAIL_ITEM_NEXT, MAIL_OP_SET));
}

/*! Take over an item that an entry does not name. */
static int item_keep(const mail_entry_t *old, mail_entry_t *entry, mail_item_id_t item)
{
	const mail_member_t *member = mail_entry_member(old, item, MAIL_OP_SET);
	if (member == NULL || mail_entry_member(entry, item, MAIL_OP_SET) != NULL) {
		return KNOT_EOK;
	}
	for (size_t i = 0; i < member->count; i++) {
		int ret = mail_entry_add(entry, member->item, MAIL_OP_SET, member->values[i].text,
		                         0);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/*! Drop an item that was copied from the stored entry: it was about something else. */
static void item_drop(const mail_entry_t *old, mail_entry_t *entry, mail_item_id_t item)
{
	if (mail_member_equal(mail_entry_member(old, item, MAIL_OP_SET),
	                      mail_entry_member(entry, item, MAIL_OP_SET))) {
		mail_entry_remove(entry, item, MAIL_OP_SET);
	}
}

int mail_change_keep(const mail_entry_t *old, mail_entry_t *entry)
{
	/* What certificate sets have is about their `next`. */
	static const mail_item_id_t kept[] = { MAIL_ITEM_DS_FROM, MAIL_ITEM_TTL_WAS,
		                               MAIL_ITEM_VISIBLE, MAIL_ITEM_PUBLISH };
	const bool certificate = entry->section == MAIL_SECTION_CERTIFICATE;
	if (entry->deleted || (!certificate && entry->section != MAIL_SECTION_POLICY &&
	                       entry->section != MAIL_SECTION_DOMAIN)) {
		return KNOT_EOK;
	}
	const bool stays = !certificate || same_next(old, entry);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		int ret = KNOT_EOK;
		if (stays) {
			ret = item_keep(old, entry, kept[i]);
		} else {
			item_drop(old, entry, kept[i]);
		}
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/*! A certificate's `publish` says since when its `next` is known. */
static int publish_set(mail_entry_t *entry, int64_t now)
{
	char text[32];
	mail_buf_t buf = MAIL_BUF_FIXED((uint8_t *)text, sizeof(text));
	if (mail_entry_member(entry, MAIL_ITEM_NEXT, MAIL_OP_SET) == NULL ||
	    mail_entry_value(entry, MAIL_ITEM_PUBLISH).len > 0) {
		return KNOT_EOK;
	}
	(void)mail_time_print(now, &buf);
	return mail_entry_add(entry, mail_item_get(MAIL_ITEM_PUBLISH), MAIL_OP_SET,
	                      mail_buf_view(&buf), 0);
}

/*! Write an entry unless it is the same as the stored one. */
static int entry_write(mail_change_t *change, const mail_entry_t *entry, const mail_entry_t *old)
{
	if (old != NULL && mail_entry_equal(entry, old)) {
		change->count.same++;
		return KNOT_EOK;
	}
	int ret = old == NULL ? mail_txn_append(change->txn, entry)
	                      : mail_txn_put(change->txn, entry);
	if (ret == KNOT_EOK) {
		*(old != NULL ? &change->count.changed : &change->count.added) += 1;
		change->targets |= old != NULL && entry->section == MAIL_SECTION_DOMAIN;
		ret = listed_put(change, entry);
	}
	return ret;
}

/*! Return whether a stored entry has something that a writer keeps. */
static bool has_kept(const mail_entry_t *old)
{
	for (size_t i = 0; old != NULL && i < old->count; i++) {
		if ((old->members[i].item->flags & MAIL_FLAG_KEPT) != 0) {
			return true;
		}
	}
	return false;
}

void mail_change_at(mail_change_t *change, int64_t now)
{
	change->now = now;
}

void mail_change_in_dns(mail_change_t *change)
{
	change->in_dns = true;
}

void mail_change_alone(mail_change_t *change)
{
	change->alone = true;
}

/*! Look at the name of a domain that is not stored yet. One that is stored stays as it is. */
static int domain_new(const mail_entry_t *entry, mail_diag_t *diag)
{
	mail_diag_t own = { 0 };
	const uint32_t line = diag->line;
	diag->line = entry->line;
	if (mail_domain_slip(entry->id, &own) != KNOT_EOK) {
		return mail_diag_error(diag, 0, "domain %.*s: %s", (int)entry->id.len,
		                       entry->id.data, own.text);
	}
	mail_domain_risk(entry->id, diag);
	diag->line = line;
	return KNOT_EOK;
}

int mail_change_put(mail_change_t *change, const mail_entry_t *entry, mail_diag_t *diag)
{
	mail_entry_t *old = NULL;
	change->again = 0;
	int ret = mail_txn_get(change->txn, entry->section, entry->id, &old);
	if (ret == KNOT_ENOTSUP) {
		diag->line = entry->line;
		(void)mail_diag_error(diag, 0, "%s %.*s is of a newer format",
		                      mail_section_name(entry->section), (int)entry->id.len,
		                      entry->id.data);
	}
	if (ret != KNOT_EOK && ret != KNOT_ENOENT && ret != KNOT_EMALF) {
		return ret;
	}
	if (ret == KNOT_ENOENT && !entry->deleted && entry->section == MAIL_SECTION_DOMAIN) {
		ret = domain_new(entry, diag);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	if (old != NULL && (entry->deleted || !mail_entry_equal(old, entry))) {
		ret = mail_change_sts_note(change, entry);
		if (ret != KNOT_EOK) {
			mail_entry_free(old);
			return ret;
		}
	}
	if (old != NULL && !entry->deleted && entry->section == MAIL_SECTION_DKIM) {
		diag->line = entry->line;
		mail_change_key_replaced(old, entry, diag);
	}
	if (entry->deleted) {
		ret = entry_delete(change, entry, diag);
	} else if (entry->section == MAIL_SECTION_CERTIFICATE || has_kept(old)) {
		mail_entry_t *dated = mail_entry_copy(entry);
		ret = dated != NULL ? KNOT_EOK : KNOT_ENOMEM;
		if (ret == KNOT_EOK && old != NULL) {
			ret = mail_change_keep(old, dated);
		}
		if (ret == KNOT_EOK && entry->section == MAIL_SECTION_CERTIFICATE) {
			ret = publish_set(dated, change->now);
		}
		ret = ret == KNOT_EOK ? entry_write(change, dated, old) : ret;
		mail_entry_free(dated);
	} else {
		ret = entry_write(change, entry, old);
	}
	if (ret == KNOT_EOK && change->again != 0 && !entry->deleted) {
		diag->line = entry->line;
		mail_diag_warn(diag, "%s %.*s: line %u writes it, too; what is written last counts",
		               mail_section_name(entry->section), (int)entry->id.len,
		               entry->id.data, (unsigned)change->again);
	}
	mail_entry_free(old);
	return ret;
}
