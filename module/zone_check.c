/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "zone_check.h"

#include <stdlib.h>

#include "mail/buf.h"

// The first octet is the length of the name, as libknot has it.
// clang-format off
#define ZONE_MODULE		"\x06""module"
#define ZONE_DNSSEC_SIGNING	"\x0E""dnssec-signing"
#define ONLINESIGN		"\x0E""mod-onlinesign"
#define ONLINESIGN_BITMAP	"\x0B""nsec-bitmap"
#define MAIL			"\x08""mod-mail"
// clang-format on

/*! The types of most records, in the order of the advice; a domain's others are looked at when it is read. */
static const uint16_t needed[] = {
	KNOT_RRTYPE_A,   KNOT_RRTYPE_AAAA, KNOT_RRTYPE_MX,
	KNOT_RRTYPE_TXT, KNOT_RRTYPE_SRV,  KNOT_RRTYPE_TLSA,
};
/*! With one of these in every proof, resolvers take it for that of another zone or of an alias (RFC 4035 5.4). */
static const uint16_t harmful[] = {
	KNOT_RRTYPE_CNAME, KNOT_RRTYPE_NS, KNOT_RRTYPE_SOA, KNOT_RRTYPE_DNAME, KNOT_RRTYPE_DS,
};

/*! Return whether an entry of the zone's list of modules is of a module. */
static bool is_module(const knotd_conf_val_t *entry, const char *name)
{
	const size_t len = 1 + (uint8_t)name[0];
	return entry->data_len >= len && memcmp(entry->data, name, len) == 0;
}

bool mail_zone_is_needed(uint16_t type)
{
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (needed[i] == type) {
			return true;
		}
	}
	return false;
}

static bool listed(const mail_zone_setting_t *setting, uint16_t type)
{
	for (size_t i = 0; i < setting->bitmap_count; i++) {
		if (setting->bitmap[i] == type) {
			return true;
		}
	}
	return false;
}

/*! Read the types of mod-onlinesign's section, or its defaults. */
static void read_bitmap(knotd_mod_t *mod, const knotd_conf_val_t *entry,
                        mail_zone_setting_t *setting)
{
	knotd_conf_t types = { .count = 0 };
	const size_t name_len = 1 + entry->data[0];
	if (entry->data_len > name_len) {
		const knotd_conf_t id = { .single = { .data = entry->data + name_len,
			                              .data_len = entry->data_len - name_len } };
		types = knotd_conf(mod, ONLINESIGN, ONLINESIGN_BITMAP, &id);
	}
	for (size_t i = 0; i < types.count && setting->bitmap_count < MAIL_BITMAP_MAX; i++) {
		uint16_t type;
		if (knot_rrtype_from_string(types.multi[i].string, &type) == 0) {
			setting->bitmap[setting->bitmap_count++] = type;
		}
	}
	if (types.count == 0) {
		setting->bitmap[setting->bitmap_count++] = KNOT_RRTYPE_A;
		setting->bitmap[setting->bitmap_count++] = KNOT_RRTYPE_AAAA;
	}
	knotd_conf_free(&types);
}

/*! Write types of a list that are (or are not) in the bitmap. */
static void print_types(const mail_zone_setting_t *setting, const uint16_t *types, size_t count,
                        bool in, char *text, size_t size)
{
	mail_buf_t out = MAIL_BUF_FIXED((uint8_t *)text, size - 1);
	for (size_t i = 0; i < count; i++) {
		char name[16];
		if (listed(setting, types[i]) == in &&
		    knot_rrtype_to_string(types[i], name, sizeof(name)) > 0) {
			(void)mail_buf_printf(&out, "%s%s", out.len > 0 ? ", " : "", name);
		}
	}
	text[out.len] = '\0';
}

static void check_bitmap(knotd_mod_t *mod, const mail_zone_setting_t *setting)
{
	char text[128];
	print_types(setting, needed, sizeof(needed) / sizeof(needed[0]), false, text, sizeof(text));
	if (text[0] != '\0') {
		knotd_mod_log(mod, LOG_WARNING,
		              "nsec-bitmap of mod-onlinesign lacks %s: its proofs deny records "
		              "that are added; set it to [A, AAAA, MX, TXT, SRV, TLSA]",
		              text);
	}
	print_types(setting, harmful, sizeof(harmful) / sizeof(harmful[0]), true, text,
	            sizeof(text));
	if (text[0] != '\0') {
		knotd_mod_log(mod, LOG_WARNING,
		              "nsec-bitmap of mod-onlinesign has %s: its proofs are invalid; "
		              "set it to [A, AAAA, MX, TXT, SRV, TLSA]",
		              text);
	}
}

/*! Look for mod-onlinesign among the zone's modules. \return False: it stands before us. */
static bool check_modules(knotd_mod_t *mod, mail_zone_setting_t *setting)
{
	knotd_conf_t modules = knotd_conf_zone(mod, ZONE_MODULE, knotd_mod_zone(mod));
	bool ours = false, good = true;
	for (size_t i = 0; i < modules.count; i++) {
		ours |= is_module(&modules.multi[i], MAIL);
		if (!setting->online && is_module(&modules.multi[i], ONLINESIGN)) {
			setting->online = true;
			good = ours;
			read_bitmap(mod, &modules.multi[i], setting);
		}
	}
	knotd_conf_free(&modules);
	return good;
}

bool mail_zone_check(knotd_mod_t *mod, mail_zone_setting_t *setting)
{
	memset(setting, 0, sizeof(*setting));
	if (*knotd_mod_zone(mod) == 0) {
		knotd_mod_log(mod, LOG_ERR, "the root zone has no mail, nothing is added");
		return false;
	}
	if (knotd_conf_zone(mod, ZONE_DNSSEC_SIGNING, knotd_mod_zone(mod)).single.boolean) {
		knotd_mod_log(
			mod, LOG_ERR,
			"dnssec-signing is on: the zone's proofs would deny what is added, so "
			"nothing is; use module: [mod-mail, mod-onlinesign] instead");
		return false;
	}
	const bool good = check_modules(mod, setting);
	if (setting->online) {
		check_bitmap(mod, setting);
	}
	if (!good) {
		knotd_mod_log(mod, LOG_WARNING,
		              "mod-onlinesign stands before mod-mail: what is added would not be "
		              "signed, so nothing is; use module: [mod-mail, mod-onlinesign]");
	}
	return good;
}
