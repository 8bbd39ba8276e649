/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * doctor: looks at everything from the store to an answer on this machine, in the order in which one needs the other,
 * and says what to do. It changes nothing.
 */

#include "tool/verbs/doctor.h"

#include <sys/statvfs.h>
#include <time.h>

#include "mail/rollover.h"
#include "tool/key_file.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/out.h"
#include "tool/verbs/check.h"

/* A store with more domains is checked by kmailctl check, which may take minutes. */
#define CHECK_MAX 50000
/* Findings about private keys. */
#define KEYS_MAX 10

void doctor_say(doctor_t *doctor, doctor_level_t level, const char *what, const char *remedy,
                const char *fmt, ...)
{
	static const char *const levels[] = { "ok", "warning", "error" };
	char text[2048];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	doctor->errors += level == DOCTOR_ERROR;
	doctor->warnings += level == DOCTOR_WARNING;
	if (doctor->tool->json) {
		(void)tool_json(json_pack("{s:s, s:s, s:o, s:o*}", "level", levels[level], "what",
		                          what, "message", tool_json_str(MAIL_STR(text)), "remedy",
		                          remedy != NULL ? tool_json_str(MAIL_STR(remedy)) : NULL));
		return;
	}
	(void)printf("%-8s %s: %s\n", levels[level], what, text);
	if (remedy != NULL) {
		(void)printf("         -> %s\n", remedy);
	}
}

bool doctor_is_module(const char *entry, const char *module)
{
	const size_t len = strlen(module);
	return strncmp(entry, module, len) == 0 && (entry[len] == '\0' || entry[len] == '/');
}

bool doctor_is_stored(doctor_t *doctor, const char *domain)
{
	mail_buf_t id = { 0 };
	mail_entry_t *entry = NULL;
	bool stored = doctor->open &&
	              mail_entry_id_normalise(MAIL_SECTION_DOMAIN, MAIL_STR(domain), &id, NULL) ==
	                      KNOT_EOK &&
	              mail_txn_get(doctor->tool->txn, MAIL_SECTION_DOMAIN, mail_buf_view(&id),
	                           &entry) == KNOT_EOK;
	mail_entry_free(entry);
	mail_buf_free(&id);
	return stored;
}

static void on_fault(void *ctx, const access_fault_t *fault)
{
	doctor_say(ctx, fault->error ? DOCTOR_ERROR : DOCTOR_WARNING, "store", fault->remedy, "%s",
	           fault->text);
}

/*! \brief Open the store, or say why it cannot be. */
static void open_store(doctor_t *doctor)
{
	tool_t *tool = doctor->tool;
	const char *remedy = NULL;
	int ret = mail_store_open(tool->path, MAIL_STORE_READ, 1, &tool->store, tool_diag(tool));
	if (ret == KNOT_EOK) {
		ret = mail_txn_begin(tool->store, MAIL_STORE_READ, &tool->txn);
	}
	doctor->open = ret == KNOT_EOK;
	if (doctor->open) {
		return;
	}
	tool->txn = NULL;
	if (ret == KNOT_ENOENT) {
		remedy = "kmailctl init (or name the store: kmailctl -s DIRECTORY doctor)";
	} else if (ret == KNOT_EACCES) {
		remedy = "look as root (sudo kmailctl doctor), or become a member of group knot";
	} else if (ret == KNOT_EMALF) {
		remedy = "restore a backup (kmailctl backup made it) by rename";
	}
	doctor_say(doctor, DOCTOR_ERROR, "store", remedy, "%s",
	           tool->diag.text[0] != '\0' ? tool->diag.text : knot_strerror(ret));
}

/*! \brief Choose the domain that is asked for: the one that was named, or the first that is no alias. */
static void choose_domain(doctor_t *doctor)
{
	tool_t *tool = doctor->tool;
	if (tool->argc > 0) {
		doctor->domain = tool_id(tool, MAIL_SECTION_DOMAIN, tool->argv[0]);
		if (!doctor_is_stored(doctor, doctor->domain.data)) {
			doctor_say(doctor, DOCTOR_ERROR, "domain",
			           "kmailctl domain-list shows what is stored; kmailctl domain-set "
			           "DOMAIN policy=ID stores one",
			           "%s is not stored", doctor->domain.data);
			doctor->domain.len = 0;
		}
		return;
	}
	tool_walk_t walk = { .section = MAIL_SECTION_DOMAIN };
	const mail_entry_t *entry;
	while (doctor->domain.len == 0 && (entry = tool_next(tool, &walk)) != NULL) {
		/* One that knotd has a zone of is answered from that. */
		if (mail_entry_value(entry, MAIL_ITEM_ALIAS).len == 0 &&
		    (doctor->conf == NULL ||
		     knot_conf_value(doctor->conf, "zone", entry->id.data, "") == NULL)) {
			doctor->domain = tool_id(tool, MAIL_SECTION_DOMAIN, entry->id.data);
		}
	}
	mail_entry_free(walk.entry);
}

/*! \brief Look at what check finds, in short. */
static void check_entries(doctor_t *doctor)
{
	tool_t *tool = doctor->tool;
	const size_t domains = tool_count(tool, 1u << MAIL_SECTION_DOMAIN);
	if (domains == 0) {
		doctor_say(doctor, DOCTOR_WARNING, "store",
		           "kmailctl policy-set, then kmailctl domain-set DOMAIN policy=ID",
		           "no domain is stored, so there is nothing to answer");
		return;
	}
	if (domains > CHECK_MAX) {
		doctor_say(doctor, DOCTOR_OK, "store", "kmailctl check",
		           "%s domains: look at "
		           "the entries themselves with check, which takes a while",
		           tool_number(domains));
		return;
	}
	check_t check = { .tool = tool, .quiet = true };
	(void)check_store(&check);
	if (check.errors > 0) {
		doctor_say(doctor, DOCTOR_ERROR, "entries", "kmailctl check",
		           "%s and %s; the first error: %s", tool_number_of(check.errors, "error"),
		           tool_number_of(check.warnings, "warning"), check.first);
		return;
	}
	doctor_say(doctor, DOCTOR_OK, "entries", check.warnings > 0 ? "kmailctl check" : NULL,
	           "no errors, %s", tool_number_of(check.warnings, "warning"));
}

static void doctor_store(doctor_t *doctor)
{
	tool_t *tool = doctor->tool;
	size_t errors = 0;
	open_store(doctor);
	struct stat st;
	if (doctor->has_user && stat(tool->path, &st) == 0) {
		errors = access_check(tool->path, &doctor->user, on_fault, doctor);
	}
	if (!doctor->open) {
		return;
	}
	mail_store_stat_t stat = { 0 };
	(void)mail_txn_stat(tool->txn, &stat);
	if (stat.used > stat.map_size / 100 * 90) {
		doctor_say(doctor, DOCTOR_WARNING, "store",
		           "kmailctl export, init with a larger --map-size, import",
		           "%zu MiB of %zu are used", stat.used >> 20, stat.map_size >> 20);
	}
	struct statvfs fs;
	if (statvfs(tool->path, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize < (uint64_t)64
	                                                                                   << 20) {
		doctor_say(doctor, DOCTOR_WARNING, "store", "make room on the disk",
		           "only %llu MiB are free on its disk",
		           (unsigned long long)fs.f_bavail * fs.f_frsize >> 20);
	}
	if (errors == 0) {
		doctor_say(doctor, DOCTOR_OK, "store", NULL,
		           "%s opens (format %u), and user %s may use it", tool->path,
		           (unsigned)stat.format, doctor->user.name);
	}
	check_entries(doctor);
}

/*! \brief Look at the files of private keys that sign now or are going to. */
static void doctor_keys(doctor_t *doctor)
{
	static mail_keyset_t set;
	tool_t *tool = doctor->tool;
	const int64_t now = time(NULL);
	tool_walk_t walk = { .section = MAIL_SECTION_KEYSET };
	size_t keys = 0, faults = 0;
	while (doctor->open && tool_next(tool, &walk) != NULL) {
		if (mail_keyset_read(walk.entry, &set, NULL) != KNOT_EOK) {
			continue;
		}
		for (size_t i = 0; i < set.count; i++) {
			const mail_dnskey_t *key = &set.keys[i];
			char path[KEY_FILE_MAX] = "", remedy[KEY_FILE_MAX + 128];
			if (strcmp(mail_rollover_state(key, now), "removed") == 0) {
				continue;
			}
			keys++;
			const char *fault = key_file_fault(tool, walk.entry->id, key);
			if (fault == NULL || ++faults > KEYS_MAX) {
				continue;
			}
			(void)key_file_path(tool, walk.entry->id, key, path);
			(void)snprintf(remedy, sizeof(remedy),
			               "copy the file from where it was made, then chgrp %s and "
			               "chmod 640 it: knotd finds it by itself",
			               doctor->user.group);
			doctor_say(doctor, DOCTOR_ERROR, "private key", remedy,
			           "key %u of %s: %s %s: its domains get SERVFAIL", key->tag,
			           walk.entry->id.data, path, fault);
		}
	}
	if (keys > 0 && faults == 0) {
		doctor_say(doctor, DOCTOR_OK, "private key", NULL, "%s in %s place",
		           tool_number_of(keys, "file"), keys == 1 ? "its" : "their");
	}
}

int verb_doctor(tool_t *tool)
{
	doctor_t doctor = { .tool = tool };
	doctor_knotd(&doctor);
	doctor_config(&doctor);
	doctor_store(&doctor);
	doctor_module(&doctor);
	if (doctor.open) {
		choose_domain(&doctor);
	}
	doctor_listen(&doctor);
	doctor_ask(&doctor);
	doctor_zones(&doctor);
	doctor_keys(&doctor);
	if (!tool->json) {
		(void)printf("\n%s, %s\n", tool_number_of(doctor.errors, "error"),
		             tool_number_of(doctor.warnings, "warning"));
	}
	knot_conf_free(&doctor.file);
	knot_conf_free(&doctor.running);
	return doctor.errors > 0 ? STATUS_FAILED : STATUS_DONE;
}
