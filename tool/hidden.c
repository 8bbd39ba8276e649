/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/hidden.h"

#include "mail/dkim_id.h"
#include "mail/profile.h"
#include "tool/open.h"
#include "tool/out.h"

void hidden_free(hidden_t *hidden)
{
	mail_plan_free(hidden->plan);
	hidden->plan = NULL;
}

static bool because(hidden_t *hidden, const char *why)
{
	(void)snprintf(hidden->why, sizeof(hidden->why), "%s", why);
	return true;
}

/*! \brief Look at a key of a policy: a policy without mail shows none. */
static bool policy_key(tool_t *tool, hidden_t *hidden, mail_str_t policy)
{
	mail_profile_t *profile = NULL;
	const bool found = mail_profile_of_policy(tool_source(tool), policy, &profile, NULL) ==
	                           KNOT_EOK &&
	                   mail_profile_switch(profile, MAIL_ITEM_NO_MAIL);
	mail_profile_free(profile);
	return found && because(hidden, "no-mail");
}

/*! \brief Look at a key of a domain. \param key Its key in the store. */
static bool domain_key(tool_t *tool, hidden_t *hidden, mail_str_t owner, mail_lf_t key)
{
	const mail_source_t *source = tool_source(tool);
	mail_lf_storage_t lf;
	mail_lf_t above;
	mail_domain_t domain;
	mail_hider_t hider;
	if (mail_entry_key(MAIL_SECTION_DOMAIN, owner, &lf) != KNOT_EOK ||
	    source->domain_above(source, mail_lf(&lf), &above, &domain) != KNOT_EOK ||
	    above.len != lf.len || domain.error != KNOT_EOK) {
		return false;
	}
	if (domain.alias.len > 0) {
		return because(hidden, "alias");
	}
	/* Keys of one domain come one after the other. */
	if (hidden->plan == NULL || !mail_lf_equal(mail_lf(&hidden->domain), mail_lf(&lf))) {
		hidden_free(hidden);
		hidden->domain = lf;
		if (mail_plan_of_domain(source, owner, &hidden->plan) != KNOT_EOK) {
			return false;
		}
	}
	if (hidden->plan->no_keys) {
		return because(hidden, "no-mail");
	}
	if (!mail_hider_find(source, hidden->plan, mail_lf(&lf), key, &hider)) {
		return false;
	}
	mail_buf_t text = MAIL_BUF_FIXED((uint8_t *)hidden->why, sizeof(hidden->why) - 1);
	(void)mail_hider_print(&hider, (mail_lf_t){ NULL, 0 }, &text);
	hidden->why[text.len] = '\0';
	hidden->slip = hider.kind != MAIL_HIDES_DOMAIN;
	return true;
}

bool hidden_key(tool_t *tool, hidden_t *hidden, mail_str_t text)
{
	mail_dkim_id_t id;
	mail_lf_storage_t key;
	hidden->why[0] = '\0';
	hidden->slip = false;
	if (mail_dkim_id_parse(text, &id, NULL) != KNOT_EOK ||
	    mail_dkim_id_key(text, &key) != KNOT_EOK) {
		return false;
	}
	return id.section == MAIL_SECTION_POLICY
	               ? policy_key(tool, hidden, id.owner)
	               : domain_key(tool, hidden, id.owner, mail_lf(&key));
}
