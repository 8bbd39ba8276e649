/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What people write in place of a domain: addresses of all sorts, and the names of records. */
#include "mail/entry.h"

#include "mail/chars.h"

/*! Return the last label of a name that may have a dot at its end. */
static mail_str_t last_label(mail_str_t name)
{
	if (name.len > 0 && name.data[name.len - 1] == '.') {
		name.len--;
	}
	const char *dot = name.len > 0 ? memrchr(name.data, '.', name.len) : NULL;
	return dot == NULL ? name : mail_str_from(name, (size_t)(dot + 1 - name.data));
}

static bool is_number(mail_str_t text)
{
	uint32_t number;
	return text.len > 0 && text.len < 10 && mail_str_number(text, UINT32_MAX, &number);
}

/*! Return the host of a URL, or of a name that has the rest of one behind it. */
static mail_str_t host_of(mail_str_t text)
{
	return mail_str_part(text, 0, mail_str_find(text, "/:?#"));
}

int mail_domain_slip(mail_str_t text, mail_diag_t *diag)
{
	uint8_t address[16];
	const mail_str_t trimmed = mail_str_trim(text);
	const char *scheme = memmem(text.data, text.len, "://", 3);
	const char *at = text.len > 0 ? memrchr(text.data, '@', text.len) : NULL;
	if (mail_str_address(trimmed, address) != 0) {
		return mail_diag_error(diag, 1,
		                       "an IP address is no domain: it belongs to a host "
		                       "(kmailctl host-set ID name=NAME address=%.*s)",
		                       MAIL_SHOW(trimmed));
	}
	if (scheme != NULL) {
		const mail_str_t host = host_of(mail_str_from(text, scheme + 3 - text.data));
		return mail_diag_error(diag, 1, "a URL is no domain: write %.*s", MAIL_SHOW(host));
	}
	if (at != NULL && at[-(at > text.data)] != '\\') {
		const mail_str_t host = mail_str_from(text, at + 1 - text.data);
		return mail_diag_error(diag, 1, "a mail address is no domain: write %.*s",
		                       MAIL_SHOW(host));
	}
	if (mail_str_starts(text, "*.")) {
		const mail_str_t domain = mail_str_from(text, 2);
		return mail_diag_error(diag, 1,
		                       "a wildcard is no domain, but a record of one: kmailctl "
		                       "domain-set %.*s record=\"* MX 10 HOST\"",
		                       MAIL_SHOW(domain));
	}
	const mail_str_t top = last_label(text);
	const size_t rest = mail_str_find(top, "/:");
	if (rest > 0 && rest < top.len && memchr(text.data, '\\', text.len) == NULL) {
		const mail_str_t host = mail_str_part(text, 0, top.data + rest - text.data);
		return mail_diag_error(diag, host.len + 1,
		                       "a domain ends with its last letter: write %.*s",
		                       MAIL_SHOW(host));
	}
	if (is_number(top)) {
		return mail_diag_error(diag, 1,
		                       "no domain: the last label of a name is never all digits "
		                       "(RFC 3696 2)");
	}
	return KNOT_EOK;
}

/*! Items whose records have labels that begin with an underscore. */
static const struct {
	const char *label, *item;
} labels[] = {
	{ "_dmarc", "dmarc" },  { "_mta-sts", "mta-sts" }, { "_tls", "tls-rpt" },
	{ "_bimi", "bimi" },    { "_tcp", "srv" },         { "_udp", "srv" },
	{ "_report", "dmarc" },
};

/*! Name the item that makes the record; NULL: none does. */
static const char *item_of(mail_str_t label)
{
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		if (mail_str_is(label, labels[i].label)) {
			return labels[i].item;
		}
	}
	return NULL;
}

void mail_domain_risk(mail_str_t id, mail_diag_t *diag)
{
	mail_str_t label, before = { NULL, 0 }, above = id, under = { NULL, 0 };
	if (memchr(id.data, '.', id.len) == NULL) {
		mail_diag_warn(diag,
		               "domain %.*s: a name of one label is hardly a mail domain: did you "
		               "mean a name below it, or %.*s with its domain behind?",
		               MAIL_SHOW(id), MAIL_SHOW(id));
		return;
	}
	for (size_t pos = 0; mail_str_piece(id, '.', &pos, &label);) {
		if (label.len > 0 && label.data[0] == '_') {
			const size_t end = (size_t)(label.data - id.data) + label.len + 1;
			before = mail_str_part(id, 0, (size_t)(label.data - id.data));
			above = end < id.len ? mail_str_from(id, end) : mail_str_part(id, 0, 0);
			under = label;
		}
	}
	if (under.len == 0 || above.len == 0) {
		return;
	}
	const char *item = item_of(under);
	if (mail_str_is(under, "_domainkey") && before.len > 1) {
		mail_diag_warn(diag,
		               "domain %.*s: this is the name of a DKIM key: did you mean dkim-set "
		               "%.*s/%.*s?",
		               (int)id.len, id.data, (int)above.len, above.data,
		               (int)before.len - 1, before.data);
	} else if (item != NULL) {
		mail_diag_warn(
			diag,
			"domain %.*s: this is the name of a record: did you mean the item %s "
			"of domain %.*s?",
			(int)id.len, id.data, item, (int)above.len, above.data);
	} else {
		mail_diag_warn(
			diag,
			"domain %.*s: this is a record's name: did you mean one of domain %.*s?",
			(int)id.len, id.data, (int)above.len, above.data);
	}
}
