/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What caches may hold, by the TTLs that a profile and its layers remember. */

#include "lib/source.h"
#include "mail/profile.h"

#define AT(clock) "2027-01-15T" clock "Z"
#define HOUR 3600

/* Profiles of the domain d.example, at 08:00. */
static const struct {
	const char *entries;
	int64_t held;     /*!< Seconds from now on. */
	int64_t since;    /*!< Of a change, seconds from now. */
	int64_t two_ttls; /*!< The same. */
} cases[] = {
	{ "policy p", HOUR, 0, 2 * HOUR },
	{ "policy p| ttl: 300", 300, 0, 600 },
	{ "policy p| ttl: 300", 300, -HOUR, -HOUR + 600 },
	/* Lowered a minute ago: what was fetched until then is held for a day. */
	{ "policy p| ttl: 300| ttl-was: '86400 " AT("07:59:00") "'", 86400 - 60, 0, 86400 - 60 },
	/* The change came first: two of the old TTL, or when all is over that was fetched with it. */
	{ "policy p| ttl: 300| ttl-was: '7200 " AT("07:59:00") "'", 7200 - 60, -60 - HOUR,
	  7200 - 60 },
	{ "policy p| ttl: 300| ttl-was: '7200 " AT("07:59:00") "'", 7200 - 60, -60 - 4 * HOUR,
	  -60 },
	/* Lowered by little: two of the new TTL all the same. */
	{ "policy p| ttl: 7000| ttl-was: '7200 " AT("07:59:00") "'", 7200 - 60, -120, 14000 - 120 },
	/* Raised since: two of the TTL that was when it changed. */
	{ "policy p| ttl: 86400| ttl-was: '300 " AT("07:59:00") "'", 86400, -HOUR, -HOUR + 600 },
	{ "policy p| ttl: 86400| ttl-was: '300 " AT("07:59:00") "'", 86400, 0, 2 * 86400 },
	/* Twice; the order of the list does not matter. */
	{ "policy p| ttl: 60| ttl-was: [ '3600 " AT("07:59:00") "', '86400 " AT("07:00:00") "' ]",
	  86400 - HOUR, 0, 86400 - HOUR },
	{ "policy p| ttl: 60| ttl-was: [ '3600 " AT("07:59:00") "', '86400 " AT("07:00:00") "' ]",
	  86400 - HOUR, -30 * 60, 86400 - HOUR },
	/* Layers: that which gives the TTL, and those above. */
	{ "policy b| ttl: 300| ttl-was: '7200 " AT("08:00:00") "'\npolicy p| base: b", 7200, 0,
	  7200 },
	{ "policy b| ttl: 300| ttl-was: '7200 " AT("08:00:00") "'\npolicy p| base: b| ttl: 60", 60,
	  0, 120 },
	{ "policy b| ttl: 300\npolicy p| base: b| ttl-was: '7200 " AT("08:00:00") "'", 7200, 0,
	  7200 },
	{ "policy p| ttl: 300\ndomain d.example| policy: p| ttl-was: '7200 " AT("08:00:00") "'",
	  7200, 0, 7200 },
	{ "policy p| ttl: 300| ttl-was: '7200 " AT(
		  "08:00:00") "'\ndomain d.example| policy: p| ttl: 60",
	  60, 0, 120 },
	/* An alias: its target's, and its own. */
	{ "policy p| ttl: 300\ndomain t.example| policy: p| ttl-was: '900 " AT(
		  "08:00:00") "'\n"
	                      "domain d.example| alias: t.example",
	  900, 0, 900 },
	{ "policy p| ttl: 300\ndomain t.example| policy: p\n"
	  "domain d.example| alias: t.example| ttl-was: '900 " AT("08:00:00") "'",
	  900, 0, 900 },
};

static mail_profile_t *profile_make(array_t *array, const char *entries)
{
	mail_profile_t *profile = NULL;
	array_begin(array);
	REQUIRE(array_put(array, "domain d.example| policy: p") && array_put(array, entries));
	int ret = mail_profile_of_domain(&array->source, MAIL_STR("d.example"), &profile, NULL);
	REQUIRE(ret == KNOT_EOK);
	return profile;
}

static void test_held(void)
{
	EACH(c, cases) {
		array_t array;
		mail_profile_t *profile = profile_make(&array, c->entries);
		CHECK_INT(mail_profile_held(profile, NOW) - NOW, c->held);
		CHECK_INT(mail_profile_two_ttls(profile, NOW + c->since) - NOW, c->two_ttls);
		mail_profile_free(profile);
		array_free(&array);
	}
}

/* From when on a DS may be named, seconds from 08:00; 0: always. */
static const struct {
	const char *entries;
	int64_t from;
} waits[] = {
	{ "policy p| key-set: k", -NOW },
	{ "policy p| key-set: k| ds-from: " AT("08:01:00"), 60 },
	{ "policy b| key-set: k| ds-from: " AT("08:01:00") "\npolicy p| base: b", 60 },
	{ "policy b| key-set: k| ds-from: " AT("08:01:00") "\npolicy p| base: b| key-set: k",
	  -NOW },
	{ "policy b| key-set: k| ds-from: " AT("08:01:00") "\npolicy p| base: b| ds-from: " AT(
		  "08:00:30"),
	  60 },
	{ "policy p| key-set: k| ds-from: " AT(
		  "08:01:00") "\ndomain d.example| policy: p| ds-from: " AT("08:02:00"),
	  120 },
	{ "policy p| key-set: k| ds-from: " AT(
		  "08:01:00") "\ndomain d.example| policy: p| key-set: k",
	  -NOW },
	{ "policy p| key-set: k\ndomain t.example| policy: p\n"
	  "domain d.example| alias: t.example| ds-from: " AT("08:02:00"),
	  120 },
};

static void test_ds_from(void)
{
	EACH(c, waits) {
		array_t array;
		mail_profile_t *profile = profile_make(&array, c->entries);
		CHECK_INT(mail_profile_ds_from(profile) - NOW, c->from);
		mail_profile_free(profile);
		array_free(&array);
	}
}

UNIT_MAIN("held", TEST("TTLs that were before", test_held), TEST("the DS waits", test_ds_from))
