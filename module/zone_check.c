/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "zone_check.h"

#include <limits.h>
#include <libzscanner/scanner.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "mail/buf.h"

// The first octet is the length of the name, as libknot has it.
// clang-format off
#define ZONE_MODULE		"\x06""module"
#define ZONE_DNSSEC_SIGNING	"\x0E""dnssec-signing"
#define ZONE_FILE		"\x04""file"
#define ZONE_STORAGE		"\x07""storage"
#define ZONE_FILE_LOAD		"\x0D""zonefile-load"
#define ONLINESIGN		"\x0E""mod-onlinesign"
#define ONLINESIGN_BITMAP	"\x0B""nsec-bitmap"
#define MAIL			"\x08""mod-mail"
// clang-format on

/*! knotd's name of a zone's file, and "none" among the values of zonefile-load. */
#define ZONE_FILE_DEFAULT "%s.zone"
#define ZONE_FILE_LOAD_NONE 0
/*! Records at the beginning of a zone's file that are looked at; those of the apex come first in most files. */
#define FILE_RECORDS 200

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
		knotd_mod_log(mod, LOG_ERR, "nothing is added: the root zone has no mail");
		return false;
	}
	if (knotd_conf_zone(mod, ZONE_DNSSEC_SIGNING, knotd_mod_zone(mod)).single.boolean) {
		knotd_mod_log(
			mod, LOG_ERR,
			"nothing is added: dnssec-signing is on, and the zone's proofs would deny what is "
			"added; set dnssec-signing: off and module: [mod-mail, mod-onlinesign]");
		return false;
	}
	const bool good = check_modules(mod, setting);
	if (setting->online) {
		check_bitmap(mod, setting);
	}
	if (!good) {
		knotd_mod_log(
			mod, LOG_WARNING,
			"nothing is added: mod-onlinesign stands before mod-mail and would not sign "
			"it; set module: [mod-mail, mod-onlinesign]");
	}
	return good;
}

/*! Put a zone's name into the name of its file, as knotd does. \return False: it is not told in a simple way. */
static bool print_file_name(mail_buf_t *out, const char *format, const char *zone)
{
	for (const char *c = format; *c != '\0'; c++) {
		if (*c != '%') {
			(void)mail_buf_put(out, c, 1);
		} else if (*++c == 's') {
			(void)mail_buf_printf(out, "%.*s", (int)strlen(zone) - 1, zone);
		} else {
			return false;
		}
	}
	return strchr(zone, '/') == NULL;
}

/*! Write the path of the zone's file. \return False: knotd does not read it, or it is not told in a simple way. */
static bool find_file(knotd_mod_t *mod, char *path, size_t size)
{
	const knot_dname_t *apex = knotd_mod_zone(mod);
	knot_dname_txt_storage_t zone;
	mail_buf_t out = MAIL_BUF_FIXED((uint8_t *)path, size - 1);
	const char *storage = knotd_conf_zone(mod, ZONE_STORAGE, apex).single.string;
	const char *file = knotd_conf_zone(mod, ZONE_FILE, apex).single.string;
	// A default is no value of the configuration: it is given with a count of 0.
	const unsigned load = knotd_conf_zone(mod, ZONE_FILE_LOAD, apex).single.option;
	if (load == ZONE_FILE_LOAD_NONE || storage == NULL ||
	    knot_dname_to_str(zone, apex, sizeof(zone)) == NULL) {
		return false;
	}
	if (file == NULL) {
		file = ZONE_FILE_DEFAULT;
	}
	if (file[0] != '/') {
		(void)mail_buf_printf(&out, "%s/", storage);
	}
	if (!print_file_name(&out, file, zone)) {
		return false;
	}
	path[out.len] = '\0';
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/*! Return whether there is a DNSKEY of the zone among the first records of its file. */
static bool has_dnskey(zs_scanner_t *scanner, const knot_dname_t *apex)
{
	for (unsigned i = 0; i < FILE_RECORDS && zs_parse_record(scanner) == 0; i++) {
		if (scanner->state == ZS_STATE_EOF || scanner->state == ZS_STATE_STOP) {
			break;
		}
		if (scanner->state == ZS_STATE_DATA && scanner->r_type == KNOT_RRTYPE_DNSKEY &&
		    knot_dname_is_case_equal(scanner->r_owner, apex)) {
			return true;
		}
	}
	return false;
}

bool mail_zone_is_signed_file(knotd_mod_t *mod)
{
	char path[PATH_MAX];
	knot_dname_txt_storage_t origin;
	const knot_dname_t *apex = knotd_mod_zone(mod);
	if (!find_file(mod, path, sizeof(path)) ||
	    knot_dname_to_str(origin, apex, sizeof(origin)) == NULL) {
		return false;
	}
	// Some 200 KiB: too much for a stack.
	zs_scanner_t *scanner = malloc(sizeof(*scanner));
	if (scanner == NULL) {
		return false;
	}
	bool is_signed = false;
	if (zs_init(scanner, origin, KNOT_CLASS_IN, 0) == 0) {
		is_signed = zs_set_input_file(scanner, path) == 0 && has_dnskey(scanner, apex);
		zs_deinit(scanner);
	}
	free(scanner);
	return is_signed;
}
