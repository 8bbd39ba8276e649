/* SPDX-License-Identifier: GPL-3.0-or-later */
/* doctor: zones that knotd has: those that the module adds to, and those that stand before a stored domain. */

#include "tool/verbs/doctor.h"

#include "tool/open.h"
#include "tool/out.h"

/* Zones of which something is said; of more there is a number. */
#define SAID_MAX 10

/*! Types that mod-onlinesign must not deny, and those that make its proofs invalid. */
static const char *const needed[] = { "A", "AAAA", "MX", "TXT", "SRV", "TLSA" };
static const char *const harmful[] = { "CNAME", "NS", "SOA", "DNAME", "DS" };
#define BITMAP_REMEDY "in section mod-onlinesign: nsec-bitmap: [A, AAAA, MX, TXT, SRV, TLSA]"

/*! \brief Return the n-th value of an item of a section's entry. */
static const char *nth(const knot_conf_t *conf, const char *section, const char *id,
                       const char *item, size_t n)
{
	size_t at = 0;
	const knot_setting_t *setting;
	do {
		setting = knot_conf_next(conf, &at, section, id, item);
	} while (setting != NULL && n-- > 0);
	return setting != NULL ? setting->value : NULL;
}

const char *doctor_zone_value(const doctor_t *doctor, const char *zone, const char *item, size_t n)
{
	const knot_conf_t *conf = doctor->conf;
	if (nth(conf, "zone", zone, item, 0) != NULL) {
		return nth(conf, "zone", zone, item, n);
	}
	const char *template = nth(conf, "zone", zone, "template", 0);
	if (template != NULL) {
		return nth(conf, "template", template, item, n);
	}
	return nth(conf, "template", "default", item, n);
}

/*! \brief Return whether nsec-bitmap of a section of mod-onlinesign has a type; its default is A, AAAA. */
static bool has_type(const doctor_t *doctor, const char *id, const char *type)
{
	const char *value;
	if (nth(doctor->conf, "mod-onlinesign", id, "nsec-bitmap", 0) == NULL) {
		return strcmp(type, "A") == 0 || strcmp(type, "AAAA") == 0;
	}
	for (size_t n = 0;
	     (value = nth(doctor->conf, "mod-onlinesign", id, "nsec-bitmap", n)) != NULL; n++) {
		if (strcmp(value, type) == 0) {
			return true;
		}
	}
	return false;
}

/*! \brief Look at the types that mod-onlinesign's proofs name. */
static void check_bitmap(doctor_t *doctor, const char *zone, const char *entry)
{
	const char *slash = strchr(entry, '/');
	const char *id = slash != NULL ? slash + 1 : "default";
	char lacks[64] = "", has[64] = "";
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (!has_type(doctor, id, needed[i])) {
			(void)strcat(strcat(lacks, " "), needed[i]);
		}
	}
	for (size_t i = 0; i < sizeof(harmful) / sizeof(harmful[0]); i++) {
		if (has_type(doctor, id, harmful[i])) {
			(void)strcat(strcat(has, " "), harmful[i]);
		}
	}
	if (lacks[0] != '\0') {
		doctor_say(doctor, DOCTOR_ERROR, "zone", BITMAP_REMEDY,
		           "%s: nsec-bitmap of %s lacks%s: its proofs deny what is added", zone,
		           entry, lacks);
	}
	if (has[0] != '\0') {
		doctor_say(doctor, DOCTOR_ERROR, "zone", BITMAP_REMEDY,
		           "%s: nsec-bitmap of %s has%s: its proofs are invalid", zone, entry, has);
	}
}

/*! \brief Return whether knotd says that a zone has a DNSKEY. */
static bool is_signed(const doctor_t *doctor, const char *zone)
{
	knot_dname_storage_t name;
	knot_pkt_t *answer = NULL;
	if (doctor->server_count == 0 || mail_name_parse(MAIL_STR(zone), name, NULL) != KNOT_EOK ||
	    server_ask(&doctor->servers[0], name, KNOT_RRTYPE_DNSKEY, true, &answer) != 0) {
		return false;
	}
	const bool found = answer_find(answer, KNOT_RRTYPE_DNSKEY) != NULL;
	knot_pkt_free(answer);
	return found;
}

/*! \brief Look at a zone that the module adds to. \param entry Of its list of modules. */
static void check_zone(doctor_t *doctor, const char *zone, const char *entry)
{
	const char *signing = doctor_zone_value(doctor, zone, "dnssec-signing", 0), *value;
	const char *slash = strchr(entry, '/'), *online = NULL;
	const size_t before = doctor->errors;
	bool ours = false;
	if (signing != NULL && strcmp(signing, "on") == 0) {
		doctor_say(doctor, DOCTOR_ERROR, "zone",
		           "dnssec-signing: off, and module: [mod-mail, mod-onlinesign]",
		           "%s: dnssec-signing is on: its proofs deny what is added, so nothing is",
		           zone);
	}
	for (size_t n = 0; (value = doctor_zone_value(doctor, zone, "module", n)) != NULL; n++) {
		ours = ours || doctor_is_module(value, "mod-mail");
		if (online == NULL && doctor_is_module(value, "mod-onlinesign")) {
			online = value;
			if (!ours) {
				doctor_say(doctor, DOCTOR_ERROR, "zone",
				           "module: [mod-mail, mod-onlinesign], in this order",
				           "%s: mod-onlinesign stands before mod-mail: what is "
				           "added would not be signed, so nothing is",
				           zone);
			}
		}
	}
	if (online != NULL) {
		check_bitmap(doctor, zone, online);
	} else if (before == doctor->errors && is_signed(doctor, zone)) {
		doctor_say(doctor, DOCTOR_ERROR, "zone",
		           "use an unsigned zone with module: [mod-mail, mod-onlinesign]",
		           "%s: the zone is signed already: its proofs deny what is added, so "
		           "nothing is",
		           zone);
	}
	const char *policy = knot_conf_value(doctor->conf, "mod-mail",
	                                     slash != NULL ? slash + 1 : "default", "policy");
	if (doctor->open && policy == NULL && !doctor_is_stored(doctor, zone)) {
		char remedy[400];
		(void)snprintf(remedy, sizeof(remedy), "kmailctl domain-set %s policy=ID", zone);
		doctor_say(
			doctor, DOCTOR_WARNING, "zone", remedy,
			"%s: nothing is added: the store does not list it, and section %s has no "
			"policy",
			zone, entry);
	}
	if (before == doctor->errors) {
		char remedy[400];
		(void)snprintf(
			remedy, sizeof(remedy),
			"see what is added: knotc zone-read %s | kmailctl records %s --zone -",
			zone, zone);
		doctor_say(doctor, DOCTOR_OK, "zone", remedy, "%s has the module %s", zone, entry);
	}
}

/*! \brief Return the entry of the module in a zone's list of modules, or NULL. */
static const char *module_of(const doctor_t *doctor, const char *zone)
{
	const char *value;
	for (size_t n = 0; (value = doctor_zone_value(doctor, zone, "module", n)) != NULL; n++) {
		if (doctor_is_module(value, "mod-mail")) {
			return value;
		}
	}
	return NULL;
}

void doctor_zones(doctor_t *doctor)
{
	size_t at = 0, added = 0, hidden = 0;
	const knot_setting_t *setting;
	while (doctor->conf != NULL &&
	       (setting = knot_conf_next(doctor->conf, &at, "zone", NULL, "")) != NULL) {
		const char *entry = module_of(doctor, setting->id);
		char remedy[600];
		if (entry != NULL && ++added <= SAID_MAX) {
			check_zone(doctor, setting->id, entry);
		}
		if (entry != NULL || !doctor_is_stored(doctor, setting->id) ||
		    ++hidden > SAID_MAX) {
			continue;
		}
		(void)snprintf(
			remedy, sizeof(remedy),
			"to add what it lacks: module: mod-mail in section zone, domain: %s; "
			"or take the zone away",
			setting->id);
		doctor_say(
			doctor, DOCTOR_WARNING, "zone", remedy,
			"%s is stored, but knotd has a zone of that name without mod-mail, which "
			"answers alone",
			setting->id);
	}
	if (added > SAID_MAX) {
		doctor_say(doctor, DOCTOR_OK, "zone", NULL, "%zu more zones have the module",
		           added - SAID_MAX);
	}
	if (hidden > SAID_MAX) {
		doctor_say(doctor, DOCTOR_WARNING, "zone", NULL,
		           "%zu more zones hide a stored domain", hidden - SAID_MAX);
	}
}
