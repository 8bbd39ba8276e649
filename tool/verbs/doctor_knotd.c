/* SPDX-License-Identifier: GPL-3.0-or-later */
/* doctor: knotd itself, its configuration, and the module in it. */

#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

#include "tool/open.h"
#include "tool/options.h"
#include "tool/out.h"
#include "tool/verbs/doctor.h"

#define STORE_DEFAULT "/var/lib/knot/mail"

void doctor_knotd(doctor_t *doctor)
{
	knotd_t *knotd = &doctor->knotd;
	knotd_find(knotd, option_value(doctor->tool, OPT_CONFIG));
	if (knotd->version[0] == '\0' && knotd->pid == 0) {
		doctor_say(doctor, DOCTOR_ERROR, "knotd", "apt-get install knot",
		           "knotd is not installed");
	} else if (knotd->pid == 0) {
		doctor_say(doctor, DOCTOR_ERROR, "knotd",
		           "systemctl start knot; if it does not stay: journalctl -u knot",
		           "knotd %s is installed, but does not run%s%s", knotd->version,
		           option_is(doctor->tool, OPT_CONFIG) ? " with " : "",
		           option_is(doctor->tool, OPT_CONFIG) ? knotd->config : "");
	} else {
		doctor_say(doctor, DOCTOR_OK, "knotd", NULL,
		           "knotd %s runs as user %s (process %d)", knotd->version,
		           knotd->user.name, (int)knotd->pid);
	}
	if (knotd->others > 0) {
		doctor_say(doctor, DOCTOR_WARNING, "knotd", "kmailctl doctor --config FILE",
		           "%u more processes of knotd run: this is about process %d, with %s",
		           knotd->others, (int)knotd->pid, knotd->config);
	}
}

/*! \brief Read the configuration as it is stored. \return Whether it could be read. */
static bool read_stored(doctor_t *doctor)
{
	knotd_t *knotd = &doctor->knotd;
	if (!knotd->database) {
		return knot_conf_read_file(&doctor->file, knotd->config);
	}
	const char *const argv[] = { "knotc", "-C", knotd->config, "conf-export", NULL };
	char path[] = "/tmp/kmailctl-conf.XXXXXX";
	mail_buf_t out = { 0 };
	bool good = false;
	int fd = command_run(argv, &out) == 0 ? mkstemp(path) : -1;
	if (fd >= 0) {
		good = write(fd, out.data, out.len) == (ssize_t)out.len &&
		       knot_conf_read_file(&doctor->file, path);
		(void)close(fd);
		(void)unlink(path);
	} else {
		(void)snprintf(doctor->file.error, sizeof(doctor->file.error),
		               "%.300s: knotc cannot export it", knotd->config);
	}
	mail_buf_free(&out);
	return good;
}

/*! \brief Ask knotd for the configuration that it has. */
static void read_running(doctor_t *doctor, const knot_conf_t *file)
{
	char path[4200];
	const char *listen = knot_conf_value(file, "control", "", "listen");
	const char *rundir = knot_conf_value(file, "server", "", "rundir");
	if (doctor->knotd.pid == 0) {
		return;
	}
	rundir = rundir != NULL ? rundir : "/run/knot";
	if (listen != NULL && listen[0] == '/') {
		(void)snprintf(path, sizeof(path), "%s", listen);
	} else {
		(void)snprintf(path, sizeof(path), "%s/%s", rundir,
		               listen != NULL ? listen : "knot.sock");
	}
	const char *const argv[] = { "knotc", "-s", path, "-t", "5", "conf-read", NULL };
	mail_buf_t out = { 0 };
	if (command_run(argv, &out) == 0) {
		knot_conf_read_lines(&doctor->running, (const char *)out.data);
	}
	mail_buf_free(&out);
}

/*! \brief Return whether a setting decides about the module: it has to be the same where knotd runs. */
static bool matters(const knot_setting_t *setting)
{
	return strcmp(setting->section, "mod-mail") == 0 ||
	       strcmp(setting->item, "global-module") == 0 ||
	       strcmp(setting->item, "module") == 0 ||
	       (strcmp(setting->section, "server") == 0 && strcmp(setting->item, "listen") == 0);
}

/*! \brief Return whether a configuration has a setting. */
static bool has_setting(const knot_conf_t *conf, const knot_setting_t *wanted)
{
	size_t at = 0;
	const knot_setting_t *found;
	while ((found = knot_conf_next(conf, &at, wanted->section, wanted->id, wanted->item)) !=
	       NULL) {
		if (strcmp(found->value, wanted->value) == 0) {
			return true;
		}
	}
	return false;
}

/*! \brief Return a setting of the one configuration that the other has not, or NULL. */
static const knot_setting_t *missing(const knot_conf_t *from, const knot_conf_t *to)
{
	size_t at = 0;
	const knot_setting_t *setting;
	while ((setting = knot_conf_next(from, &at, NULL, NULL, NULL)) != NULL) {
		if (matters(setting) && !has_setting(to, setting)) {
			return setting;
		}
	}
	return NULL;
}

/*! \brief Compare what knotd has with what it will read. */
static void compare(doctor_t *doctor)
{
	const knotd_t *knotd = &doctor->knotd;
	if (doctor->file.count == 0 || doctor->running.count == 0) {
		return;
	}
	const knot_setting_t *setting = missing(&doctor->file, &doctor->running);
	if (setting != NULL) {
		doctor_say(
			doctor, DOCTOR_ERROR, "configuration",
			"knotc conf-check && knotc reload (listen needs: systemctl restart knot)",
			"knotd has not read %s since it was changed: it lacks %s%s%s%s %s %s",
			knotd->config, setting->section, setting->id[0] != '\0' ? "[" : "",
			setting->id, setting->id[0] != '\0' ? "]" : "", setting->item,
			setting->value);
		return;
	}
	setting = missing(&doctor->running, &doctor->file);
	if (setting != NULL) {
		doctor_say(doctor, DOCTOR_WARNING, "configuration",
		           "write it into the file, too (knotc conf-set changes only what runs)",
		           "%s lacks what knotd has now: %s%s%s%s %s %s is gone at the next reload",
		           knotd->config, setting->section, setting->id[0] != '\0' ? "[" : "",
		           setting->id, setting->id[0] != '\0' ? "]" : "", setting->item,
		           setting->value);
	}
}

/*! \brief Let knotc check the configuration, which loads the modules. */
static void conf_check(doctor_t *doctor)
{
	const knotd_t *knotd = &doctor->knotd;
	const char *const argv[] = { "knotc",       "-x",         knotd->database ? "-C" : "-c",
		                     knotd->config, "conf-check", NULL };
	mail_buf_t out = { 0 };
	const int status = knotd->version[0] != '\0' ? command_run(argv, &out) : -1;
	if (status > 0) {
		char *text = (char *)out.data;
		text[strcspn(text, "\n")] = '\0';
		doctor_say(doctor, DOCTOR_ERROR, "configuration", "knotc conf-check",
		           "knotc conf-check refuses %s: %s", knotd->config, text);
	}
	mail_buf_free(&out);
}

/*! \brief Find the user that knotd runs as, or is going to. */
static void find_user(doctor_t *doctor)
{
	char name[64];
	const char *given = option_value(doctor->tool, OPT_USER);
	if (given == NULL && doctor->knotd.pid != 0) {
		doctor->user = doctor->knotd.user;
		doctor->has_user = true;
		return;
	}
	const char *set = doctor->conf != NULL ? knot_conf_value(doctor->conf, "server", "", "user")
	                                       : NULL;
	const char *chosen = set != NULL && getenv("KMAIL_USER") == NULL ? set : user_name();
	chosen = given != NULL ? given : chosen;
	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(chosen, ":"), chosen);
	doctor->has_user = user_find(name, &doctor->user);
	if (!doctor->has_user) {
		(void)snprintf(doctor->user.name, sizeof(doctor->user.name), "%s", name);
		doctor_say(doctor, DOCTOR_ERROR, "knotd", "install knot, or name the user: --user",
		           "there is no user %s for knotd to run as", name);
	}
}

void doctor_config(doctor_t *doctor)
{
	const knotd_t *knotd = &doctor->knotd;
	const bool stored = read_stored(doctor);
	read_running(doctor, &doctor->file);
	if (doctor->running.count > 0) {
		doctor->conf = &doctor->running;
	} else if (stored) {
		doctor->conf = &doctor->file;
	}
	find_user(doctor);
	if (!stored && knotd->version[0] != '\0') {
		doctor_say(doctor, doctor->conf != NULL ? DOCTOR_WARNING : DOCTOR_ERROR,
		           "configuration", "look as root (sudo kmailctl doctor)",
		           "it cannot be read: %s", doctor->file.error);
	}
	if (doctor->conf == NULL) {
		return;
	}
	doctor_say(doctor, DOCTOR_OK, "configuration", NULL, "knotd %s the %s %s",
	           knotd->pid == 0 ? "will read" : "reads",
	           knotd->database ? "configuration database" : "file", knotd->config);
	if (doctor->running.count == 0 && knotd->pid != 0) {
		doctor_say(doctor, DOCTOR_WARNING, "configuration",
		           "look as root (sudo kmailctl doctor)",
		           "knotd cannot be asked what it has read: its control socket is not for "
		           "you, or is elsewhere");
	}
	compare(doctor);
	if (stored) {
		conf_check(doctor);
	}
}

/*! \brief Look at the file of the module. */
static void module_file(doctor_t *doctor)
{
	const char *named = knot_conf_value(doctor->conf, "module", "mod-mail", "file");
	const char *path = named != NULL ? named : KNOT_MODULE_DIR "/mail.so";
	const unsigned abi = module_abi(path), wanted = knotd_abi(doctor->knotd.version);
	if (access(path, F_OK) != 0) {
		doctor_say(doctor, DOCTOR_ERROR, "module file",
		           "install the module (make install), or name it: section module, id: "
		           "mod-mail, file: PATH",
		           "%s is not there", path);
	} else if (doctor->has_user && user_may(&doctor->user, path, R_OK) == EACCES) {
		char remedy[4200];
		(void)snprintf(remedy, sizeof(remedy), "chmod 644 %s", path);
		doctor_say(doctor, DOCTOR_ERROR, "module file", remedy, "user %s may not read %s",
		           doctor->user.name, path);
	} else if (abi == 0) {
		doctor_say(doctor, access(path, R_OK) == 0 ? DOCTOR_ERROR : DOCTOR_WARNING,
		           "module file", "install the module again (make install)",
		           "%s is no module of knotd, or may not be read", path);
	} else if (wanted != 0 && abi != wanted) {
		doctor_say(doctor, DOCTOR_ERROR, "module file",
		           "build the module for the knotd that is installed",
		           "%s was built for modules of version %u, and knotd %s loads %u", path,
		           abi, doctor->knotd.version, wanted);
	} else {
		doctor_say(doctor, DOCTOR_OK, "module file", NULL, "%s fits knotd %s", path,
		           doctor->knotd.version);
	}
}

/*! \brief Return whether an entry of a list of modules looks like ours, and is not spelt right. */
static bool is_misspelt(const char *entry)
{
	char text[64];
	size_t len = 0;
	for (; entry[len] != '\0' && entry[len] != '/' && len + 1 < sizeof(text); len++) {
		text[len] = (char)tolower((unsigned char)entry[len]);
	}
	text[len] = '\0';
	return strstr(text, "mail") != NULL && strcmp(text, "mod-mail") != 0;
}

/*! \brief Find the module among those that answer before any zone. */
static void find_global(doctor_t *doctor)
{
	static const char *const first[] = { "mod-dnsproxy" };
	size_t at = 0;
	const knot_setting_t *setting;
	const char *before = NULL;
	while ((setting = knot_conf_next(doctor->conf, &at, "template", NULL, "global-module")) !=
	       NULL) {
		if (is_misspelt(setting->value)) {
			doctor_say(doctor, DOCTOR_ERROR, "module",
			           "write global-module: mod-mail (or mod-mail/ID)",
			           "global-module has %s, which is another name", setting->value);
		}
		if (strcmp(setting->id, "default") != 0) {
			if (doctor_is_module(setting->value, "mod-mail")) {
				doctor_say(
					doctor, DOCTOR_ERROR, "module",
					"move the line to the template with id: default",
					"global-module stands in template %s, where it does nothing",
					setting->id);
			}
			continue;
		}
		if (doctor_is_module(setting->value, "mod-mail")) {
			const char *slash = strchr(setting->value, '/');
			doctor->module_id = slash != NULL ? slash + 1 : "";
			break;
		}
		before = doctor_is_module(setting->value, first[0]) ? setting->value : before;
	}
	if (doctor->module_id != NULL && before != NULL) {
		doctor_say(doctor, DOCTOR_ERROR, "module",
		           "write mod-mail before it: global-module: [mod-mail, ...]",
		           "%s stands before mod-mail in global-module, and takes all questions",
		           before);
	}
}

/*! \brief Return whether a zone has the module. */
static bool any_zone(const doctor_t *doctor)
{
	size_t at = 0;
	const knot_setting_t *setting;
	while ((setting = knot_conf_next(doctor->conf, &at, NULL, NULL, "module")) != NULL) {
		if (doctor_is_module(setting->value, "mod-mail")) {
			return true;
		}
	}
	return false;
}

/*! \brief Compare the store of a section of the module with ours. */
static void compare_store(doctor_t *doctor, const char *id)
{
	char ours[PATH_MAX], theirs[PATH_MAX], remedy[2 * PATH_MAX];
	const char *path = knot_conf_value(doctor->conf, "mod-mail", id, "store");
	const char *policy = knot_conf_value(doctor->conf, "mod-mail", id, "policy");
	path = path != NULL ? path : STORE_DEFAULT;
	const bool same = strcmp(path, doctor->tool->path) == 0 ||
	                  (realpath(path, theirs) != NULL &&
	                   realpath(doctor->tool->path, ours) != NULL && strcmp(ours, theirs) == 0);
	if (!same) {
		(void)snprintf(remedy, sizeof(remedy),
		               "kmailctl -s %s doctor, or set store: %s in section mod-mail", path,
		               doctor->tool->path);
		doctor_say(doctor, DOCTOR_ERROR, "module", remedy,
		           "mod-mail%s%s reads the store %s, and this one is %s",
		           id[0] != '\0' ? "/" : "", id, path, doctor->tool->path);
	}
	if (policy != NULL && doctor->open) {
		mail_entry_t *entry = NULL;
		if (mail_txn_get(doctor->tool->txn, MAIL_SECTION_POLICY, MAIL_STR(policy),
		                 &entry) != KNOT_EOK) {
			doctor_say(doctor, DOCTOR_ERROR, "module", "kmailctl policy-list",
			           "mod-mail/%s names the policy %s, which is not stored", id,
			           policy);
		}
		mail_entry_free(entry);
	}
}

void doctor_module(doctor_t *doctor)
{
	size_t at = 0;
	const knot_setting_t *setting;
	if (doctor->conf == NULL) {
		return;
	}
	module_file(doctor);
	find_global(doctor);
	if (doctor->module_id == NULL && !any_zone(doctor)) {
		doctor_say(
			doctor, DOCTOR_ERROR, "module",
			"in knot.conf: template: - id: default, global-module: mod-mail; then "
			"knotc conf-check && knotc reload",
			"knotd does not load mod-mail, so it answers REFUSED for stored domains");
		return;
	}
	if (doctor->module_id == NULL) {
		doctor_say(doctor, DOCTOR_WARNING, "module",
		           "if domains without a zone are to be answered: global-module: mod-mail "
		           "in template default",
		           "mod-mail adds to zones only: domains that have no zone are REFUSED");
	} else {
		doctor_say(doctor, DOCTOR_OK, "module", NULL,
		           "mod-mail%s%s is global in template default",
		           doctor->module_id[0] != '\0' ? "/" : "", doctor->module_id);
		if (doctor->module_id[0] != '\0' &&
		    knot_conf_value(doctor->conf, "mod-mail", doctor->module_id, "") == NULL) {
			doctor_say(doctor, DOCTOR_ERROR, "module",
			           "write the section mod-mail with that id",
			           "there is no section mod-mail with id %s", doctor->module_id);
		}
	}
	/* Without an id, the section with the id "default" counts, if there is one. */
	if (doctor->module_id != NULL && doctor->module_id[0] == '\0' &&
	    knot_conf_value(doctor->conf, "mod-mail", "default", "") == NULL) {
		compare_store(doctor, "");
	}
	while ((setting = knot_conf_next(doctor->conf, &at, "mod-mail", NULL, "")) != NULL) {
		compare_store(doctor, setting->id);
	}
}
