/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/verb.h"

#define DKIM_TIMES                                                                                 \
	(TAKES(OPT_PUBLISH) | TAKES(OPT_ACTIVATE) | TAKES(OPT_RETIRE) | TAKES(OPT_REMOVE))

#define KEY_ROLES (TAKES(OPT_CSK) | TAKES(OPT_KSK) | TAKES(OPT_ZSK))
#define KEY_WAITS (TAKES(OPT_DELAY) | TAKES(OPT_DS_TTL) | TAKES(OPT_FORCE))
#define KEY_TIMES (KEY_WAITS | TAKES(OPT_KEY_DIRECTORY))

/*! \brief The four verbs that every section has. */
#define ENTRY_VERBS(word, group, section, options)                                                 \
	{ word "-show", group, "ID...", "print entries as apply reads them", 0, 1, -1, verb_show,  \
	  section,      0,     0 },                                                                \
		{ word "-set",                                                                     \
		  group,                                                                           \
		  "ID ITEM=VALUE...",                                                              \
		  "set items of an entry; makes it if need be",                                    \
		  TAKES(OPT_DRY_RUN) | TAKES(OPT_FORCE),                                           \
		  1,                                                                               \
		  -1,                                                                              \
		  verb_set,                                                                        \
		  section,                                                                         \
		  0,                                                                               \
		  0 },                                                                             \
	{                                                                                          \
		word "-unset", group, "ID [ITEM[=VALUE]...]",                                      \
			"take items away; without ITEM, delete the entry",                         \
			TAKES(OPT_DRY_RUN) | TAKES(OPT_FORCE), 1, -1, verb_unset, section, 0, 0    \
	}

#define NAMED_VERBS(word, group, section, options)                                                 \
	{ word "-list", group, "", "list the entries", options, 0, 0, verb_list, section, 0, 0 },  \
		ENTRY_VERBS(word, group, section, options)

const verb_t tool_verbs[] = {
	{ "init", "Store", "", "make a store",
	  TAKES(OPT_MAP_SIZE) | TAKES(OPT_OWNER) | TAKES(OPT_REPLICATED), 0, 0, verb_init, 0, 0,
	  0 },
	{ "store-info", "Store", "", "say what is in the store", 0, 0, 0, verb_store_info, 0, 0,
	  0 },
	{ "backup", "Store", "DIRECTORY", "copy the store, compacted, while it is in use", 0, 1, 1,
	  verb_backup, 0, 0, 0 },
	{ "purge", "Store", "", "remove old tombstones", TAKES(OPT_OLDER_THAN), 0, 0, verb_purge, 0,
	  0, TAKES(OPT_OLDER_THAN) },
	{ "check", "Store", "[DOMAIN...]", "look for damage, missing references and risky records",
	  0, 0, -1, verb_check, 0, 0, 0 },

	{ "apply", "Files", "FILE", "replace the entries that FILE names, all or nothing",
	  TAKES(OPT_PRUNE) | TAKES(OPT_DRY_RUN) | TAKES(OPT_FORCE), 1, 1, verb_apply, 0, 0, 0 },
	{ "diff", "Files", "FILE", "print what apply would change", TAKES(OPT_PRUNE), 1, 1,
	  verb_diff, 0, 2, 0 },
	{ "import", "Files", "FILE|-", "read entries as NDJSON, all or nothing",
	  TAKES(OPT_BATCH) | TAKES(OPT_SKIP) | TAKES(OPT_KEEP_GOING) | TAKES(OPT_REJECTS) |
	          TAKES(OPT_FORCE),
	  1, 1, verb_import, 0, 0, 0 },
	{ "export", "Files", "[DOMAIN...]", "write entries as NDJSON, or domains as zone files",
	  TAKES(OPT_FORMAT) | TAKES(OPT_SECTION) | TAKES(OPT_DIRECTORY) | TAKES(OPT_AT) |
	          TAKES(OPT_REPORTS) | TAKES(OPT_UNSIGNED) | TAKES(OPT_KEY_DIRECTORY),
	  0, -1, verb_export, 0, 0, 0 },

	NAMED_VERBS("policy", "Entries", MAIL_SECTION_POLICY, 0),
	NAMED_VERBS("domain", "Entries", MAIL_SECTION_DOMAIN, TAKES(OPT_POLICY)),
	NAMED_VERBS("host", "Entries", MAIL_SECTION_HOST, 0),

	{ "records", "Domains", "DOMAIN", "print the records of a domain",
	  TAKES(OPT_FORMAT) | TAKES(OPT_AT) | TAKES(OPT_REPORTS), 1, 1, verb_records, 0, 0, 0 },
	{ "explain", "Domains", "DOMAIN", "print every value of a domain and where it comes from",
	  0, 1, 1, verb_explain, 0, 0, 0 },
	{ "mta-sts-policy", "Domains", "DOMAIN", "print the MTA-STS policy for the web server", 0,
	  1, 1, verb_mta_sts_policy, 0, 0, 0 },

	{ "dkim-generate", "DKIM keys", "OWNER/SELECTOR",
	  "make a key pair: the private key to a file, the public key to the store",
	  TAKES(OPT_ALGORITHM) | TAKES(OPT_BITS) | TAKES(OPT_OUT) | TAKES(OPT_TAGS) | DKIM_TIMES, 1,
	  1, verb_dkim_generate, MAIL_SECTION_DKIM, 0, TAKES(OPT_ALGORITHM) | TAKES(OPT_OUT) },
	{ "dkim-import", "DKIM keys", "OWNER/SELECTOR FILE|p=...", "publish a key that exists",
	  TAKES(OPT_TAGS) | DKIM_TIMES, 2, 2, verb_dkim_import, MAIL_SECTION_DKIM, 0, 0 },
	{ "dkim-list", "DKIM keys", "[OWNER]", "list keys with their state and times",
	  TAKES(OPT_AT), 0, 1, verb_dkim_list, MAIL_SECTION_DKIM, 0, 0 },
	{ "dkim-retire", "DKIM keys", "OWNER/SELECTOR", "end the use of a key",
	  TAKES(OPT_AT) | TAKES(OPT_REMOVE) | TAKES(OPT_REVOKE), 1, 1, verb_dkim_retire,
	  MAIL_SECTION_DKIM, 0, 0 },
	ENTRY_VERBS("dkim", "DKIM keys", MAIL_SECTION_DKIM, 0),

	{ "key-generate", "DNSSEC keys", "NAME",
	  "make a key of a key set: the first one, or one that begins a rollover",
	  TAKES(OPT_ALGORITHM) | TAKES(OPT_BITS) | KEY_ROLES | KEY_TIMES | TAKES(OPT_AT), 1, 1,
	  verb_key_generate, MAIL_SECTION_KEYSET, 0, 0 },
	{ "key-import", "DNSSEC keys", "NAME FILE...",
	  "take keys that exist: PEM, or BIND's .private beside its .key",
	  KEY_ROLES | KEY_TIMES | TAKES(OPT_DS_SEEN), 2, -1, verb_key_import, MAIL_SECTION_KEYSET,
	  0, 0 },
	{ "key-list", "DNSSEC keys", "[NAME]", "list keys with their state and next step",
	  TAKES(OPT_AT) | TAKES(OPT_KEY_DIRECTORY), 0, 1, verb_key_list, MAIL_SECTION_KEYSET, 0,
	  0 },
	{ "key-plan", "DNSSEC keys", "NAME", "print all steps of a key set, past and coming",
	  TAKES(OPT_AT), 1, 1, verb_key_plan, MAIL_SECTION_KEYSET, 0, 0 },
	{ "key-ds-seen", "DNSSEC keys", "NAME",
	  "say that the DS is at the parents, or with --gone, that none is",
	  TAKES(OPT_TAG) | TAKES(OPT_GONE) | KEY_WAITS, 1, 1, verb_key_ds_seen, MAIL_SECTION_KEYSET,
	  0, 0 },
	{ "key-retire", "DNSSEC keys", "NAME", "end a key by hand, or with --all, leave DNSSEC",
	  TAKES(OPT_TAG) | TAKES(OPT_ALL) | TAKES(OPT_AT) | KEY_WAITS, 1, 1, verb_key_retire,
	  MAIL_SECTION_KEYSET, 0, 0 },
	ENTRY_VERBS("key", "DNSSEC keys", MAIL_SECTION_KEYSET, 0),
	{ "ds", "DNSSEC keys", "[DOMAIN]", "print the DS that the parent should have",
	  TAKES(OPT_ALL) | TAKES(OPT_DIGEST) | TAKES(OPT_AT), 0, 1, verb_ds, 0, 0, 0 },

	{ "cert-import", "Certificates", "NAME",
	  "tell what a TLS server shows now and what it is going to show",
	  TAKES(OPT_CURRENT) | TAKES(OPT_NEXT) | TAKES(OPT_DEPLOY_AT) | TAKES(OPT_FORM), 1, 1,
	  verb_cert_import, MAIL_SECTION_CERTIFICATE, 0, 0 },
	{ "cert-list", "Certificates", "", "list certificate sets", 0, 0, 0, verb_cert_list,
	  MAIL_SECTION_CERTIFICATE, 0, 0 },
	{ "cert-ready", "Certificates", "NAME",
	  "print when the next certificate may be deployed; exit 1 while it may not", 0, 1, 1,
	  verb_cert_ready, MAIL_SECTION_CERTIFICATE, 0, 0 },
	ENTRY_VERBS("cert", "Certificates", MAIL_SECTION_CERTIFICATE, 0),

	{ "help", "Help", "[VERB]", "print the verbs, or all about one", 0, 0, 1, verb_help, 0, 0,
	  0 },
	{ "version", "Help", "", "print the version", 0, 0, 0, verb_version, 0, 0, 0 },
	{ "completion", NULL, "[WORD...]", "print what may stand where the last WORD is", 0, 0, -1,
	  verb_completion, 0, 0, 0 },
	{ 0 }
};
