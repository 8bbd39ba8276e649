/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mod-mail: the adapter between knotd and the library. Loaded globally, it answers for domains that only the
 * store has (hosted.c); loaded for a zone, it adds to the zone's answers (zone.c).
 */
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosted.h"
#include "zone.h"

// The first octet is the length of the name, as libknot has it.
// clang-format off
#define MOD_STORE		"\x05""store"
#define MOD_KEY_DIRECTORY	"\x0D""key-directory"
#define MOD_POLICY		"\x06""policy"
#define MOD_SIGNATURE_CACHE	"\x0F""signature-cache"
#define MOD_SIGNATURE_BUDGET	"\x10""signature-budget"
#define MOD_PLAN_CACHE		"\x0A""plan-cache"
#define MOD_LOG_INTERVAL	"\x0C""log-interval"
#define MOD_ZONE_STATS		"\x0A""zone-stats"
// clang-format on

#define STORE_DEFAULT "/var/lib/knot/mail"
/*! Key directory, in that of the store. */
#define KEYS_DEFAULT "keys"
#define MEBI (1024 * 1024)
/*!
 * New signatures of a thread in a second, in those of ECDSA: beyond it UDP gets TC. So a flood of names, whether they
 * exist or not, takes a fifth of a core.
 */
#define BUDGET_DEFAULT 5000
/*! Room for "/data.mdb" behind the directory. */
#define PATH_LIMIT (PATH_MAX - 16)

static int check_path(knotd_conf_check_args_t *args)
{
	const char *path = (const char *)args->data;
	if (path[0] != '/') {
		args->err_str = "an absolute path is needed";
		return KNOT_EINVAL;
	}
	if (strlen(path) > PATH_LIMIT) {
		args->err_str = "the path is too long";
		return KNOT_EINVAL;
	}
	return KNOT_EOK;
}

static int check_policy(knotd_conf_check_args_t *args)
{
	mail_lf_storage_t key;
	mail_str_t id = MAIL_STR((const char *)args->data);
	if (mail_entry_key(MAIL_SECTION_POLICY, id, &key) != KNOT_EOK) {
		args->err_str = "the id of a policy has 1 to 63 letters, digits, '-', '_' or '.'";
		return KNOT_EINVAL;
	}
	return KNOT_EOK;
}

// clang-format off
static const yp_item_t mail_conf[] = {
	{ MOD_STORE,           YP_TSTR,  YP_VSTR = { STORE_DEFAULT }, YP_FNONE, { check_path } },
	{ MOD_KEY_DIRECTORY,   YP_TSTR,  YP_VNONE, YP_FNONE, { check_path } },
	{ MOD_POLICY,          YP_TSTR,  YP_VNONE, YP_FNONE, { check_policy } },
	{ MOD_SIGNATURE_CACHE, YP_TINT,  YP_VINT = { .min = MEBI, .max = INT64_MAX,
	                                             .dflt = 64 * MEBI, .unit = YP_SSIZE } },
	{ MOD_SIGNATURE_BUDGET, YP_TINT, YP_VINT = { .min = 0, .max = INT32_MAX,
	                                             .dflt = BUDGET_DEFAULT } },
	{ MOD_PLAN_CACHE,      YP_TINT,  YP_VINT = { .min = MEBI, .max = INT64_MAX,
	                                             .dflt = 64 * MEBI, .unit = YP_SSIZE } },
	{ MOD_LOG_INTERVAL,    YP_TINT,  YP_VINT = { .min = 1, .max = 86400, .dflt = 60,
	                                             .unit = YP_STIME } },
	{ MOD_ZONE_STATS,      YP_TBOOL, YP_VBOOL = { false } },
	{ .name = NULL }
};
// clang-format on

static void mail_unload(knotd_mod_t *mod);

/*! Take part in the service of the store. What a zone lacks is signed by its own means, not by the service. */
static void attach(knotd_mod_t *mod, mail_instance_t *instance)
{
	char keys[PATH_MAX];
	const char *directory = knotd_conf_mod(mod, MOD_KEY_DIRECTORY).single.string;
	mail_service_conf_t conf = {
		.store = knotd_conf_mod(mod, MOD_STORE).single.string,
		.signature_cache = knotd_conf_mod(mod, MOD_SIGNATURE_CACHE).single.integer,
		.signature_budget = knotd_conf_mod(mod, MOD_SIGNATURE_BUDGET).single.integer,
		.plan_cache = knotd_conf_mod(mod, MOD_PLAN_CACHE).single.integer,
		.log_interval = knotd_conf_mod(mod, MOD_LOG_INTERVAL).single.integer,
		.threads = instance->threads,
	};
	if (directory == NULL) {
		(void)snprintf(keys, sizeof(keys), "%s/" KEYS_DEFAULT, conf.store);
		directory = keys;
	}
	conf.key_directory = instance->global ? directory : NULL;
	int ret = mail_service_attach(&conf, instance->log, instance->global, &instance->service);
	if (ret != KNOT_EOK) {
		// If load failed, knotd would go on without the module, and refuse what is hosted.
		instance->service = NULL;
		knotd_mod_log(mod, LOG_ERR,
		              "store '%s' cannot be served until the next reload (%s)", conf.store,
		              knot_strerror(ret));
	}
}

/*! Make what all instances have. \return KNOT_EOK or KNOT_ENOMEM; mail_unload() ends it in any case. */
static int open_instance(knotd_mod_t *mod, mail_instance_t *instance, bool global)
{
	knotd_mod_ctx_set(mod, instance);
	instance->global = global;
	instance->log = mail_log_new(mod, knotd_conf_mod(mod, MOD_LOG_INTERVAL).single.integer);
	if (instance->log == NULL) {
		return KNOT_ENOMEM;
	}
	instance->threads = knotd_mod_threads(mod);
	if (global || knotd_conf_mod(mod, MOD_ZONE_STATS).single.boolean) {
		instance->counting = mail_counters_add(mod);
		if (!instance->counting) {
			knotd_mod_log(mod, LOG_WARNING, "no memory for counters");
		}
	}
	attach(mod, instance);
	return KNOT_EOK;
}

static int load_hosted(knotd_mod_t *mod)
{
	mail_instance_t *instance = calloc(1, sizeof(*instance));
	if (instance == NULL) {
		return KNOT_ENOMEM;
	}
	int ret = open_instance(mod, instance, true);
	if (ret == KNOT_EOK) {
		ret = knotd_mod_hook(mod, KNOTD_STAGE_BEGIN, mail_hosted_answer);
	}
	if (ret != KNOT_EOK) {
		mail_unload(mod);  // knotd does not, when load fails.
		return ret;
	}
	if (instance->counting && instance->service != NULL) {
		mail_service_count_by(instance->service, mod);
	}
	return KNOT_EOK;
}

static int load_zone(knotd_mod_t *mod)
{
	mail_zone_setting_t setting;
	if (!mail_zone_check(mod, &setting)) {
		return KNOT_EOK;  // It has said why: the zone is served as without the module.
	}
	mail_instance_t *instance = mail_zone_new(mod, &setting,
	                                          knotd_conf_mod(mod, MOD_POLICY).single.string);
	if (instance == NULL) {
		return KNOT_ENOMEM;
	}
	int ret = open_instance(mod, instance, false);
	if (ret == KNOT_EOK) {
		ret = knotd_mod_in_hook(mod, KNOTD_STAGE_ANSWER,
		                        setting.online ? mail_zone_complete_signed
		                                       : mail_zone_complete);
	}
	if (ret == KNOT_EOK && setting.online) {
		ret = knotd_mod_in_hook(mod, KNOTD_STAGE_AUTHORITY, mail_zone_prove);
	}
	if (ret != KNOT_EOK) {
		mail_unload(mod);
		return ret;
	}
	mail_zone_look_ahead(instance);
	return KNOT_EOK;
}

static int mail_load(knotd_mod_t *mod)
{
	return knotd_mod_zone(mod) != NULL ? load_zone(mod) : load_hosted(mod);
}

/* No log and no zone name here: knotd has freed a zone's name before its module is unloaded. */
static void mail_unload(knotd_mod_t *mod)
{
	mail_instance_t *instance = knotd_mod_ctx(mod);
	if (instance == NULL) {
		return;
	}
	if (instance->global) {
		mail_service_count_end(instance->service, mod);
	}
	mail_service_detach(instance->service, instance->global ? instance->log : NULL);
	mail_log_free(instance->log);
	free(instance);
	knotd_mod_ctx_set(mod, NULL);
}

KNOTD_MOD_API(mail, KNOTD_MOD_FLAG_SCOPE_ANY | KNOTD_MOD_FLAG_OPT_CONF, mail_load, mail_unload,
              mail_conf, NULL);
