/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/verb.h"

#define DKIM_TIMES                                                                                 \
	(TAKES(OPT_PUBLISH) | TAKES(OPT_ACTIVATE) | TAKES(OPT_RETIRE) | TAKES(OPT_REMOVE))

/* What every verb that writes takes. */
#define WRITES TAKES(OPT_WAIT)

#define KEY_ROLES (TAKES(OPT_CSK) | TAKES(OPT_KSK) | TAKES(OPT_ZSK))
#define KEY_WAITS (TAKES(OPT_DELAY) | TAKES(OPT_DS_TTL) | TAKES(OPT_FORCE))
#define KEY_TIMES (KEY_WAITS | TAKES(OPT_KEY_DIRECTORY))

/* A row is a few lines. */
/* clang-format off */

/*! \brief The three verbs that every section has. */
#define ENTRY_VERBS(word, heading, of, sets)                                                             \
	{ .name = word "-show", .group = heading, .args = "ID...",                                 \
	  .help = "print entries as apply reads them", .min = 1, .max = -1, .run = verb_show,      \
	  .section = of },                                                                         \
	{ .name = word "-set", .group = heading, .args = "ID ITEM[+|-]=VALUE...",                      \
	  .help = "set items of an entry, or make the entry",                                    \
	  .options = WRITES | TAKES(OPT_DRY_RUN) | TAKES(OPT_FORCE) | (sets), .min = 1, .max = -1, \
	  .run = verb_set,                                                                         \
	  .section = of },                                                                         \
	{ .name = word "-unset", .group = heading, .args = "ID [ITEM[=VALUE]...]",                 \
	  .help = "take items away; without ITEM, delete the entry",                               \
	  .options = WRITES | TAKES(OPT_DRY_RUN) | TAKES(OPT_FORCE), .min = 1, .max = -1,          \
	  .run = verb_unset, .section = of }

#define NAMED_VERBS(word, heading, of, takes, sets)                                                      \
	{ .name = word "-list", .group = heading, .args = "", .help = "list the entries",          \
	  .options = takes, .run = verb_list, .section = of },                                     \
	ENTRY_VERBS(word, heading, of, sets)

const verb_t tool_verbs[] = {
	{ .name = "init", .group = "Store", .args = "", .help = "make a store",
	  .options = TAKES(OPT_MAP_SIZE) | TAKES(OPT_OWNER) | TAKES(OPT_REPLICATED),
	  .run = verb_init },
	{ .name = "store-info", .group = "Store", .args = "", .help = "print the store's format, sizes and numbers of entries",
	  .run = verb_store_info },
	{ .name = "backup", .group = "Store", .args = "DIRECTORY",
	  .help = "write a compact copy of the store while it is in use", .min = 1, .max = 1,
	  .run = verb_backup },
	{ .name = "purge", .group = "Store", .args = "", .help = "remove old tombstones",
	  .options = WRITES | TAKES(OPT_OLDER_THAN), .required = TAKES(OPT_OLDER_THAN), .run = verb_purge },
	{ .name = "check", .group = "Store", .args = "[DOMAIN...]",
	  .help = "look for damage, missing references and risky records",
	  .options = WRITES | TAKES(OPT_REPAIR), .max = -1, .run = verb_check },

	{ .name = "doctor", .group = "Store", .args = "[DOMAIN]",
	  .help = "look at everything from the store to an answer, and say what to do",
	  .options = TAKES(OPT_CONFIG) | TAKES(OPT_SERVER) | TAKES(OPT_USER) |
		TAKES(OPT_KEY_DIRECTORY), .max = 1, .run = verb_doctor },

	{ .name = "apply", .group = "Files", .args = "FILE",
	  .help = "replace the entries that FILE names, all or nothing",
	  .options = WRITES | TAKES(OPT_PRUNE) | TAKES(OPT_DRY_RUN) | TAKES(OPT_FORCE) |
		TAKES(OPT_DS_SEEN),
	  .min = 1, .max = 1, .run = verb_apply },
	{ .name = "diff", .group = "Files", .args = "FILE", .help = "print what apply would change",
	  .options = TAKES(OPT_PRUNE), .min = 1, .max = 1, .run = verb_diff, .failed = 2 },
	{ .name = "import", .group = "Files", .args = "FILE|-",
	  .help = "read entries as NDJSON, all or nothing",
	  .options = WRITES | TAKES(OPT_BATCH) | TAKES(OPT_SKIP) | TAKES(OPT_KEEP_GOING) |
		TAKES(OPT_REJECTS) | TAKES(OPT_FORCE) | TAKES(OPT_DS_SEEN), .min = 1, .max = 1,
	  .run = verb_import },
	{ .name = "export", .group = "Files", .args = "[DOMAIN...]",
	  .help = "write entries as NDJSON, or domains as zone files",
	  .options = TAKES(OPT_FORMAT) | TAKES(OPT_SECTION) | TAKES(OPT_DIRECTORY) |
		TAKES(OPT_AT) | TAKES(OPT_REPORTS) | TAKES(OPT_UNSIGNED) | TAKES(OPT_KEY_DIRECTORY),
	  .max = -1, .run = verb_export },

	NAMED_VERBS("policy", "Entries", MAIL_SECTION_POLICY,
		    TAKES(OPT_BASE) | TAKES(OPT_HOST) | TAKES(OPT_KEY_SET),
		    TAKES(OPT_CREATE) | TAKES(OPT_DS_SEEN)),
	NAMED_VERBS("domain", "Entries", MAIL_SECTION_DOMAIN,
		    TAKES(OPT_POLICY) | TAKES(OPT_ALIAS) | TAKES(OPT_HOST) | TAKES(OPT_KEY_SET),
		    TAKES(OPT_DS_SEEN)),
	NAMED_VERBS("host", "Entries", MAIL_SECTION_HOST, TAKES(OPT_CERTIFICATE), TAKES(OPT_CREATE)),

	{ .name = "records", .group = "Domains", .args = "DOMAIN",
	  .help = "print the records of a domain",
	  .options = TAKES(OPT_FORMAT) | TAKES(OPT_AT) | TAKES(OPT_REPORTS) | TAKES(OPT_ZONE) |
		TAKES(OPT_POLICY), .min = 1, .max = 1, .run = verb_records },
	{ .name = "lookup", .group = "Domains", .args = "NAME TYPE [NAME TYPE]...",
	  .help = "print what the module answers to a question, without asking knotd",
	  .options = TAKES(OPT_AT) | TAKES(OPT_DNSSEC) | TAKES(OPT_KEY_DIRECTORY), .min = 2, .max = -1,
	  .run = verb_lookup },
	{ .name = "explain", .group = "Domains", .args = "DOMAIN",
	  .help = "print every value of a domain, and where the value comes from", .min = 1, .max = 1,
	  .run = verb_explain },
	{ .name = "mta-sts-policy", .group = "Domains", .args = "DOMAIN",
	  .help = "print the MTA-STS policy for the web server", .min = 1, .max = 1,
	  .run = verb_mta_sts_policy },

	{ .name = "dkim-generate", .group = "DKIM keys", .args = "OWNER/SELECTOR",
	  .help = "make a key pair: the private key goes to a file, the public key to the store",
	  .options = WRITES | TAKES(OPT_ALGORITHM) | TAKES(OPT_BITS) | TAKES(OPT_OUT) | TAKES(OPT_TAGS) |
		DKIM_TIMES, .required = TAKES(OPT_ALGORITHM) | TAKES(OPT_OUT), .min = 1, .max = 1,
	  .run = verb_dkim_generate, .section = MAIL_SECTION_DKIM },
	{ .name = "dkim-import", .group = "DKIM keys", .args = "OWNER[/SELECTOR] FILE|RECORD|-",
	  .help = "publish a key that exists", .options = WRITES | TAKES(OPT_TAGS) | DKIM_TIMES, .min = 2,
	  .max = 2, .run = verb_dkim_import, .section = MAIL_SECTION_DKIM },
	{ .name = "dkim-list", .group = "DKIM keys", .args = "[OWNER]",
	  .help = "list keys with their state and times", .options = TAKES(OPT_AT), .max = 1,
	  .run = verb_dkim_list, .section = MAIL_SECTION_DKIM },
	{ .name = "dkim-retire", .group = "DKIM keys", .args = "OWNER/SELECTOR",
	  .help = "end the use of a key",
	  .options = WRITES | TAKES(OPT_AT) | TAKES(OPT_REMOVE) | TAKES(OPT_REVOKE), .min = 1, .max = 1,
	  .run = verb_dkim_retire, .section = MAIL_SECTION_DKIM },
	ENTRY_VERBS("dkim", "DKIM keys", MAIL_SECTION_DKIM, 0),

	{ .name = "key-generate", .group = "DNSSEC keys", .args = "NAME",
	  .help = "make a key of a key set: the first one, or one that begins a rollover",
	  .options = WRITES | TAKES(OPT_ALGORITHM) | TAKES(OPT_BITS) | KEY_ROLES | KEY_TIMES | TAKES(OPT_AT) |
		TAKES(OPT_CREATE),
	  .min = 1, .max = 1, .run = verb_key_generate, .section = MAIL_SECTION_KEYSET },
	{ .name = "key-import", .group = "DNSSEC keys", .args = "NAME FILE...",
	  .help = "import keys that exist: PEM files, or BIND's .private and .key files",
	  .options = WRITES | KEY_ROLES | KEY_TIMES | TAKES(OPT_DS_SEEN) | TAKES(OPT_CREATE), .min = 2, .max = -1,
	  .run = verb_key_import, .section = MAIL_SECTION_KEYSET },
	{ .name = "key-list", .group = "DNSSEC keys", .args = "[NAME]",
	  .help = "list keys with their state and next step",
	  .options = TAKES(OPT_AT) | TAKES(OPT_KEY_DIRECTORY), .max = 1, .run = verb_key_list,
	  .section = MAIL_SECTION_KEYSET },
	{ .name = "key-plan", .group = "DNSSEC keys", .args = "NAME",
	  .help = "print all steps of a key set, past and coming", .options = TAKES(OPT_AT),
	  .min = 1, .max = 1, .run = verb_key_plan, .section = MAIL_SECTION_KEYSET },
	{ .name = "key-ds-seen", .group = "DNSSEC keys", .args = "NAME",
	  .help = "confirm that the parents have the DS; with --gone, that no parent has one",
	  .options = WRITES | TAKES(OPT_TAG) | TAKES(OPT_GONE) | KEY_WAITS, .min = 1, .max = 1,
	  .run = verb_key_ds_seen, .section = MAIL_SECTION_KEYSET },
	{ .name = "key-retire", .group = "DNSSEC keys", .args = "NAME",
	  .help = "end a key by hand; with --all, leave DNSSEC",
	  .options = WRITES | TAKES(OPT_TAG) | TAKES(OPT_ALL) | TAKES(OPT_AT) | KEY_WAITS, .min = 1,
	  .max = 1, .run = verb_key_retire, .section = MAIL_SECTION_KEYSET },
	ENTRY_VERBS("key", "DNSSEC keys", MAIL_SECTION_KEYSET, TAKES(OPT_CREATE)),
	{ .name = "ds", .group = "DNSSEC keys", .args = "[DOMAIN]",
	  .help = "print the DS that the parent should have",
	  .options = TAKES(OPT_ALL) | TAKES(OPT_DIGEST) | TAKES(OPT_AT), .max = 1, .run = verb_ds },

	{ .name = "cert-import", .group = "Certificates", .args = "NAME",
	  .help = "store what a TLS server shows now, and what it is going to show",
	  .options = WRITES | TAKES(OPT_CURRENT) | TAKES(OPT_NEXT) | TAKES(OPT_DEPLOY_AT) | TAKES(OPT_FORM) |
		TAKES(OPT_CREATE),
	  .min = 1, .max = 1, .run = verb_cert_import, .section = MAIL_SECTION_CERTIFICATE },
	{ .name = "cert-list", .group = "Certificates", .args = "", .help = "list certificate sets",
	  .run = verb_cert_list, .section = MAIL_SECTION_CERTIFICATE },
	{ .name = "cert-ready", .group = "Certificates", .args = "NAME",
	  .help = "print when you may deploy the next certificate; exit 1 until then",
	  .min = 1, .max = 1, .run = verb_cert_ready, .section = MAIL_SECTION_CERTIFICATE },
	ENTRY_VERBS("cert", "Certificates", MAIL_SECTION_CERTIFICATE, TAKES(OPT_CREATE)),

	{ .name = "help", .group = "Help", .args = "[VERB|NOUN]",
	  .help = "print the verbs, those of a noun (domain, key...), or all about one", .max = 1, .run = verb_help },
	{ .name = "version", .group = "Help", .args = "", .help = "print the version",
	  .run = verb_version },

	{ .name = "completion", .group = NULL, .args = "[WORD...]",
	  .help = "print what may stand where the last WORD is", .max = -1,
	  .run = verb_completion },
	{ 0 }
};
/* clang-format on */
