/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "instance.h"

#include "mail/kind.h"

static const char *const outcome_names[MAIL_OUTCOMES] = {
	[MAIL_OUTCOME_NONE] = "none",         [MAIL_OUTCOME_ANSWER] = "answer",
	[MAIL_OUTCOME_NODATA] = "nodata",     [MAIL_OUTCOME_NXDOMAIN] = "nxdomain",
	[MAIL_OUTCOME_REFERRAL] = "referral", [MAIL_OUTCOME_TRUNCATED] = "truncated",
	[MAIL_OUTCOME_FAILED] = "failed",     [MAIL_OUTCOME_NOT_READY] = "not-ready",
	[MAIL_OUTCOME_BADKEY] = "badkey",
};

static const char *const signature_names[MAIL_SIGNATURES] = {
	[MAIL_SIGNATURE_MADE] = "made",
	[MAIL_SIGNATURE_CACHED] = "cached",
	[MAIL_SIGNATURE_REFUSED] = "refused",
};

static char *kind_to_str(uint32_t index, uint32_t count)
{
	(void)count;
	return strdup(index < MAIL_KIND_COUNT ? mail_kinds[index].name : "none");
}

static char *outcome_to_str(uint32_t index, uint32_t count)
{
	return strdup(index < count ? outcome_names[index] : "");
}

static char *signature_to_str(uint32_t index, uint32_t count)
{
	return strdup(index < count ? signature_names[index] : "");
}

bool mail_counters_add(knotd_mod_t *mod)
{
	const mail_instance_t *instance = knotd_mod_ctx(mod);
	return knotd_mod_stats_add(mod, "query", MAIL_KIND_COUNT + 1, kind_to_str) == KNOT_EOK &&
	       knotd_mod_stats_add(mod, "outcome", MAIL_OUTCOMES, outcome_to_str) == KNOT_EOK &&
	       (!instance->global || knotd_mod_stats_add(mod, "signature", MAIL_SIGNATURES,
	                                                 signature_to_str) == KNOT_EOK);
}
