/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "view/overlay.h"

/*! Return the kinds of the literal records that are set. */
static mail_kinds_t literal_kinds(uint64_t set)
{
	mail_kinds_t kinds = 0;
	kinds |= (set >> MAIL_ITEM_TXT & 1) << MAIL_KIND_TXT;
	kinds |= (set >> MAIL_ITEM_RECORD & 1) << MAIL_KIND_RECORD;
	kinds |= (set >> MAIL_ITEM_DELEGATION & 1) << MAIL_KIND_DELEGATION;
	return kinds;
}

/*!
 * Render the literal records of a domain that was written before they were stored as rows. What cannot be rendered so is
 * made as the other kinds are, which says what is wrong with it.
 */
static int rows_make(mail_overlay_t *overlay, const knot_dname_t *apex)
{
	char text[KNOT_DNAME_TXT_MAXLEN + 1];
	mail_buf_t id = MAIL_BUF_FIXED((uint8_t *)text, sizeof(text)), rows = { 0 };
	mail_entry_t *entry;
	int ret = mail_name_print(apex, &id);
	if (ret == KNOT_EOK) {
		ret = mail_codec_decode_items(MAIL_SECTION_DOMAIN, mail_buf_view(&id),
		                              overlay->value, MAIL_ROWS_ITEMS, &entry);
	}
	if (ret == KNOT_EOK) {
		ret = mail_rows_encode(entry, &rows);
	}
	if (ret == KNOT_EOK) {
		ret = mail_rows_read(rows.data, rows.len, &overlay->rows);
	}
	return ret == KNOT_ENOMEM ? ret : KNOT_EOK;
}

int mail_overlay_new(mail_cache_t *cache, const mail_plan_t *plan, const mail_domain_t *domain,
                     const knot_dname_t *apex, mail_overlay_t **overlay)
{
	uint64_t set = domain->set, added = domain->added;
	*overlay = NULL;
	if (apex == NULL) {
		set &= ~MAIL_ROWS_ITEMS;
		added &= ~MAIL_ROWS_ITEMS;
	}
	if ((set | added) == 0) {
		return KNOT_EOK;
	}
	mail_overlay_t *made = mail_arena_take(mail_cache_arena(cache), sizeof(*made));
	if (made == NULL) {
		return KNOT_ENOMEM;
	}
	made->plan = plan;
	made->set = set;
	made->added = added;
	made->rows = apex != NULL ? domain->rows : (mail_rows_t){ 0 };
	made->value = domain->value;
	made->made = 0;
	made->profile = NULL;
	made->own = made->fault = NULL;
	made->bad = 0;
	made->arena = mail_cache_arena(cache);
	if (made->rows.data == NULL && ((set | added) & MAIL_ROWS_ITEMS) != 0) {
		mail_arena_t *before = mail_arena_open(made->arena);
		int ret = rows_make(made, apex);
		mail_arena_close(before);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	if (made->rows.data != NULL) {
		/* Beside its own records those of the policy are shown, unless it sets the item. */
		made->touched = mail_cache_kinds(cache, (set | added) & ~MAIL_ROWS_ITEMS);
		made->hidden = made->touched | literal_kinds(set);
	} else {
		made->touched = made->hidden = mail_cache_kinds(cache, set | added);
	}
	*overlay = made;
	return KNOT_EOK;
}

/*! Merge the domain's values with those of its policy. */
static int profile_make(mail_overlay_t *overlay)
{
	mail_entry_t *entry;
	const uint64_t items = overlay->set | overlay->added | MAIL_CODEC_UNSEEN;
	int ret = mail_codec_decode_items(
		MAIL_SECTION_DOMAIN, (mail_str_t){ "", 0 }, overlay->value,
		overlay->rows.data != NULL ? items & ~MAIL_ROWS_ITEMS : items, &entry);
	return ret == KNOT_EOK ? mail_profile_over(overlay->plan->profile, entry, &overlay->profile)
	                       : ret;
}

const mail_profile_t *mail_overlay_profile(mail_overlay_t *overlay)
{
	if (overlay->profile == NULL) {
		mail_arena_t *before = mail_arena_open(overlay->arena);
		if (profile_make(overlay) != KNOT_EOK) {
			overlay->profile = NULL;
		}
		mail_arena_close(before);
	}
	return overlay->profile;
}

/*! Make kinds that were not made before, all of them or none. */
static int kinds_make(mail_overlay_t *overlay, mail_kinds_t missing)
{
	mail_arena_t *before = mail_arena_open(overlay->arena);
	int ret = overlay->profile == NULL ? profile_make(overlay) : KNOT_EOK;
	if (ret == KNOT_EOK) {
		/* What was made is made again, so that all of it is one plan: mostly there was nothing. */
		mail_plan_t *own;
		ret = mail_plan_make_kinds(overlay->profile, overlay->made | missing, &own);
		if (ret == KNOT_EOK && own->error != KNOT_EOK) {
			overlay->fault = own;
			ret = own->error;
		} else if (ret == KNOT_EOK) {
			overlay->own = own;
			overlay->made |= missing;
		}
	}
	mail_arena_close(before);
	return ret;
}

/*! Make those of some kinds that can be made, one by one. \return KNOT_EOK; why the last one cannot be; KNOT_ENOMEM. */
static int kinds_sort(mail_overlay_t *overlay, mail_kinds_t missing)
{
	int error = KNOT_EOK;
	while (missing != 0) {
		mail_kinds_t one = missing & -missing;
		if ((one & MAIL_KINDS_KEYS) != 0) {
			one = missing & MAIL_KINDS_KEYS;
		}
		missing &= ~one;
		int ret = kinds_make(overlay, one);
		if (ret == KNOT_ENOMEM) {
			return ret;
		}
		if (ret != KNOT_EOK) {
			overlay->bad |= one;
			error = ret;
		}
	}
	return error;
}

int mail_overlay_make(mail_overlay_t *overlay, mail_kinds_t kinds)
{
	mail_kinds_t missing = overlay->touched & kinds & ~overlay->made;
	if (missing == 0) {
		return KNOT_EOK;
	}
	if ((missing & MAIL_KINDS_KEYS) != 0) {
		missing |= overlay->touched & MAIL_KINDS_KEYS;
	}
	const bool bad = (missing & overlay->bad) != 0;
	missing &= ~overlay->bad;
	int ret = missing != 0 ? kinds_make(overlay, missing) : KNOT_EOK;
	if (ret != KNOT_EOK && ret != KNOT_ENOMEM && overlay->profile != NULL) {
		/* What else was asked for stays good. */
		ret = kinds_sort(overlay, missing);
	}
	if (ret == KNOT_EOK && bad) {
		ret = overlay->fault->error;
	}
	return ret;
}

static uint16_t kind_of(mail_item_id_t item)
{
	switch (item) {
	case MAIL_ITEM_TXT: return MAIL_KIND_TXT;
	case MAIL_ITEM_DELEGATION: return MAIL_KIND_DELEGATION;
	default: return MAIL_KIND_RECORD;
	}
}

/*! Read the rows of an owner. */
static int owner_read(const mail_overlay_t *overlay, mail_stored_owner_t *stored,
                      mail_owner_t *owner)
{
	mail_stored_row_t row;
	int ret;
	while ((ret = mail_rows_next(stored, &row)) == KNOT_EOK) {
		owner->rows[owner->count++] = (mail_row_t){
			.rdata = row.rdata,
			.until = INT64_MAX,
			.ttl = row.has_ttl ? row.ttl : overlay->plan->ttl,
			.common = !row.has_ttl,
			.type = row.type,
			.kind = kind_of(row.item),
		};
	}
	if (owner->count > 1 && (owner->types & mail_type_bit(KNOT_RRTYPE_CNAME)) != 0) {
		owner->steady = INT64_MAX;
	}
	return ret == KNOT_ENOENT ? KNOT_EOK : ret;
}

int mail_overlay_rows(const mail_overlay_t *overlay, mail_lf_t name, const mail_owner_t **owner)
{
	size_t at;
	mail_stored_owner_t stored;
	int ret = mail_rows_find(&overlay->rows, name, &at, &stored);
	if (ret != KNOT_EOK) {
		return ret;
	}
	mail_owner_t *made = mail_arena_take(overlay->arena,
	                                     sizeof(*made) + stored.count * sizeof(*made->rows));
	if (made == NULL) {
		return KNOT_ENOMEM;
	}
	*made = (mail_owner_t){ .name = stored.name,
		                .rows = (mail_row_t *)(made + 1),
		                .types = stored.types };
	*owner = made;
	return owner_read(overlay, &stored, made);
}
