/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether the owner of a record that was pasted is one that the entry has. Names are compared as text, label by label:
 * an owner may be absolute, relative to the domain, or relative to a zone above the domain.
 */
#include "model/place.h"

#include "dns/idna.h"
#include "mail/chars.h"
#include "mail/dkim_id.h"

/*! The name that an entry has for a record. */
typedef struct {
	mail_buf_t labels; /*!< All of it, or what stands before a domain that is not known. */
	size_t own;        /*!< How many labels stand before the domain. */
	bool whole;        /*!< The domain is known. */
} want_t;

/*! Append labels, with a dot before them if need be. */
static void labels_put(want_t *want, mail_str_t labels)
{
	if (labels.len > 0 && want->labels.len > 0) {
		mail_buf_u8(&want->labels, '.');
	}
	if (labels.len > 0) {
		mail_buf_put(&want->labels, labels.data, labels.len);
	}
}

static size_t labels_count(mail_str_t name)
{
	size_t count = name.len > 0;
	for (size_t i = 0; i < name.len; i++) {
		count += name.data[i] == '.';
	}
	return count;
}

static mail_str_t dot_strip(mail_str_t name)
{
	name.len -= mail_str_ends(name, ".");
	return name;
}

/*! Find the name of an entry of which a record is one. \return false: every owner fits. */
static bool want_find(const mail_place_t *place, const char *labels, bool host, want_t *want)
{
	const mail_entry_t *entry = place->entry;
	mail_str_t domain = { NULL, 0 };
	mail_dkim_id_t id;
	labels_put(want, MAIL_STR(labels));
	if (host) {
		const mail_str_t name = mail_entry_value(entry, MAIL_ITEM_NAME);
		if (name.len == 0 || memchr(name.data, '{', name.len) != NULL) {
			return false;
		}
		want->whole = mail_str_ends(name, ".");
		if (!mail_str_is(name, "@")) {
			labels_put(want, dot_strip(name));
		}
	} else if (entry->section == MAIL_SECTION_DOMAIN) {
		domain = entry->id;
	} else if (entry->section == MAIL_SECTION_DKIM &&
	           mail_dkim_id_parse(entry->id, &id, NULL) == KNOT_EOK) {
		want->labels.len = 0;
		labels_put(want, id.selector);
		labels_put(want, MAIL_STR("_domainkey"));
		domain = id.section == MAIL_SECTION_DOMAIN ? id.owner : domain;
	}
	want->own = labels_count(mail_buf_view(&want->labels));
	if (host && want->whole) {
		/* Nobody says where the domain begins; a zone's file may have the first label alone. */
		want->own = labels_count(MAIL_STR(labels)) + 1;
	}
	want->whole = want->whole || domain.len > 0;
	labels_put(want, domain);
	return true;
}

/*! Compare names from their first labels on. \return How many are equal; '*' is equal to any. */
static size_t labels_equal(mail_str_t name, mail_str_t want)
{
	size_t at = 0, want_at = 0, count = 0;
	mail_str_t label, other;
	if (name.len == 0 || want.len == 0) {
		return 0;
	}
	while (mail_str_piece(name, '.', &at, &label) &&
	       mail_str_piece(want, '.', &want_at, &other)) {
		if (!mail_str_is(other, "*") && !mail_str_same(label, other)) {
			break;
		}
		count++;
	}
	return count;
}

static bool owner_fits(mail_str_t owner, const want_t *want)
{
	const mail_str_t name = mail_buf_view(&want->labels);
	const bool absolute = mail_str_ends(owner, ".");
	if (mail_str_is(owner, "@")) {
		return want->own == 0;
	}
	owner = dot_strip(owner);
	const size_t equal = labels_equal(owner, name), count = labels_count(owner);
	if (!want->whole) {
		/* Of whichever domain; but not of a name below it that is another record's. */
		return equal >= want->own && (want->own > 0 || !mail_str_starts(owner, "_"));
	}
	return equal == count && (absolute ? count == labels_count(name) : count >= want->own);
}

int mail_place_owner(const mail_place_t *place, mail_str_t owner, const char *labels, bool host)
{
	want_t want = { .own = 0 };
	mail_buf_t ascii = { 0 };
	int ret = KNOT_EOK;
	if (owner.len == 0 || labels == NULL || !want_find(place, labels, host, &want)) {
		goto done;
	}
	ret = mail_idna_write(owner, &ascii, place->diag);
	if (ret == KNOT_EOK) {
		ret = want.labels.error;
	}
	if (ret != KNOT_EOK || owner_fits(mail_buf_view(&ascii), &want)) {
		goto done;
	}
	const mail_str_t name = mail_buf_view(&want.labels);
	const char *behind = name.len > 0 ? ".DOMAIN" : "DOMAIN";
	if (want.whole) {
		behind = ".";
	}
	ret = mail_diag_error(
		place->diag, 0,
		"this is the record of \"%.*s\", not of \"%.*s%s\": paste it into the "
		"entry that it belongs to, or leave the name out",
		MAIL_SHOW(owner), MAIL_SHOW(name), behind);
done:
	mail_buf_free(&ascii);
	mail_buf_free(&want.labels);
	return ret;
}
