/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names that lack the dot at their end. */
#include "mail/name.h"

/* Top-level labels that are hardly ever a label below somebody's own domain. */
static const char *const top_labels[] = {
	"arpa",   "asia",   "berlin",  "biz",     "cloud",   "club",  "com",     "coop",
	"edu",    "email",  "example", "gmbh",    "gov",     "info",  "invalid", "jobs",
	"koeln",  "london", "mil",     "mobi",    "museum",  "name",  "net",     "online",
	"org",    "paris",  "shop",    "site",    "swiss",   "tech",  "tel",     "top",
	"travel", "wien",   "xyz",     "hamburg", "hosting", "world",
};
/* Top-level labels that people use below their own domain, too. */
static const char *const both_labels[] = {
	"app", "dev", "home", "int", "internal", "lan", "local", "localhost", "pro", "test",
};

static bool is_one_of(mail_str_t label, const char *const *labels, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (mail_str_is(label, labels[i])) {
			return true;
		}
	}
	return false;
}

#define ONE_OF(label, labels) is_one_of((label), (labels), sizeof(labels) / sizeof((labels)[0]))

/*! Return whether a label is two letters, as that of a country (RFC 1591 2). */
static bool is_country(mail_str_t label)
{
	return label.len == 2 && label.data[0] >= 'a' && label.data[0] <= 'z' &&
	       label.data[1] >= 'a' && label.data[1] <= 'z';
}

bool mail_lf_lacks_dot(mail_lf_t relative, bool missing)
{
	const unsigned labels = mail_lf_labels(relative);
	if (labels < 2) {
		return false;
	}
	const uint8_t *end = memchr(relative.data, 0, relative.len);
	const mail_str_t top = { (const char *)relative.data, (size_t)(end - relative.data) };
	/* "mx.de" and "mail.dev" are good names of hosts; of what is not there they are hardly meant so. */
	return ONE_OF(top, top_labels) || (top.len > 4 && memcmp(top.data, "xn--", 4) == 0) ||
	       ((labels > 2 || missing) && (is_country(top) || ONE_OF(top, both_labels)));
}
