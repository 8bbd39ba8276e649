/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>

#include "mail/lint.h"

/*! So many domains have more signatures than a server makes in a few minutes with RSA. */
#define RSA_DOMAINS 1000

/*! Return whether a key signs with RSA, now or later. */
static bool is_rsa(const mail_dnskey_t *key, int64_t now)
{
	return key->algorithm == MAIL_ALGORITHM_RSASHA256 && key->retire > now && key->remove > now;
}

void mail_lint_rsa_count(mail_lint_rsa_t *rsa, const mail_plan_t *plan, int64_t now)
{
	size_t i = 0;
	while (i < plan->key_count && !is_rsa(&plan->keys[i], now)) {
		i++;
	}
	if (i == plan->key_count) {
		return;
	}
	rsa->domains++;
	for (i = 0; i < plan->dependency_count && rsa->set[0] == '\0'; i++) {
		const mail_dependency_t *of = &plan->dependencies[i];
		if (of->section == MAIL_SECTION_KEYSET) {
			(void)snprintf(rsa->set, sizeof(rsa->set), "%.*s", (int)of->id.len,
			               of->id.data);
		}
	}
}

void mail_lint_rsa_add(mail_lint_rsa_t *rsa, const mail_lint_rsa_t *more)
{
	rsa->domains += more->domains;
	if (rsa->set[0] == '\0') {
		memcpy(rsa->set, more->set, sizeof(rsa->set));
	}
}

void mail_lint_rsa_warn(const mail_lint_rsa_t *rsa, mail_diag_t *diag)
{
	if (rsa->domains < RSA_DOMAINS) {
		return;
	}
	mail_diag_warn(diag,
	               "%zu domains are signed with RSA: a signature takes some 20 "
	               "times the work of ECDSA and 4 times the room, and floods of questions "
	               "are answered with TC sooner; kmailctl key-generate %s --algorithm "
	               "ecdsap256sha256 begins a rollover",
	               rsa->domains, rsa->set);
}
