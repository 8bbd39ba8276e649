/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The verbs of kmailctl: one table (verbs/table.c), and what every verb is given to work with.
 *
 * One thread; a verb runs once in the life of the process.
 */
#pragma once

#include "mail/text.h"

/*! Exit statuses. diff has its own: 0 same, 1 different, 2 anything else. */
enum {
	STATUS_DONE = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
};

/*! Options that verbs take; the table is in options.c. */
typedef enum {
	OPT_ACTIVATE,
	OPT_ALGORITHM,
	OPT_ALIAS,
	OPT_ALL,
	OPT_AT,
	OPT_BASE,
	OPT_BATCH,
	OPT_BITS,
	OPT_CERTIFICATE,
	OPT_CREATE,
	OPT_CONFIG,
	OPT_CSK,
	OPT_CURRENT,
	OPT_DELAY,
	OPT_DEPLOY_AT,
	OPT_DIGEST,
	OPT_DIRECTORY,
	OPT_DNSSEC,
	OPT_DRY_RUN,
	OPT_DS_SEEN,
	OPT_DS_TTL,
	OPT_FORCE,
	OPT_FORM,
	OPT_FORMAT,
	OPT_GONE,
	OPT_HOST,
	OPT_KEEP_GOING,
	OPT_KEY_DIRECTORY,
	OPT_KEY_SET,
	OPT_KSK,
	OPT_MAP_SIZE,
	OPT_NEXT,
	OPT_OLDER_THAN,
	OPT_OUT,
	OPT_OWNER,
	OPT_POLICY,
	OPT_PRUNE,
	OPT_PUBLISH,
	OPT_REJECTS,
	OPT_REMOVE,
	OPT_REPAIR,
	OPT_REPLICATED,
	OPT_REPORTS,
	OPT_RETIRE,
	OPT_REVOKE,
	OPT_SECTION,
	OPT_SERVER,
	OPT_SKIP,
	OPT_TAG,
	OPT_TAGS,
	OPT_UNSIGNED,
	OPT_USER,
	OPT_WAIT,
	OPT_ZONE,
	OPT_ZSK,
	OPT_COUNT
} option_id_t;

#define TAKES(id) (UINT64_C(1) << (id))

/*! The values given for an option, in order. */
typedef struct {
	const char **values;
	size_t count;
} given_t;

struct mail_store;
struct mail_txn;
typedef struct verb verb_t;

/*! The run of a verb. */
typedef struct {
	const verb_t *verb;
	const char *path; /*!< Directory of the store. */
	bool json;
	bool quiet; /*!< Nothing is said of what went well. */
	int argc;
	char **argv; /*!< Arguments of the verb. */
	given_t given[OPT_COUNT];
	struct mail_store *store; /*!< Open between tool_open() and tool_close(). */
	struct mail_txn *txn;
	const char *file;     /*!< The file that is being read, for messages; or NULL. */
	bool file_columns;    /*!< Columns of messages count in the line, not in a value. */
	mail_entries_t owned; /*!< Entries that go with the store. */
	mail_buf_t files; /*!< Paths of what was written and goes when the verb fails (file.h). */
	struct guard *guard; /*!< Policies and domains that are being changed (guard.h). */
	struct done *done;   /*!< What is being written (done.h). */
	size_t warnings;
	mail_buf_t warned; /*!< Texts of the warnings that were printed, each with its end. */
	mail_diag_t diag;  /*!< Of the last call into the library; see tool_diag(). */
} tool_t;

/*! Run a verb. \return The exit status. */
typedef int verb_f(tool_t *tool);

/*! What a verb is. */
struct verb {
	const char *name;
	const char *group; /*!< Heading in the help; NULL: not listed. */
	const char *args;  /*!< Synopsis of the arguments. */
	const char *help;  /*!< One line. */
	uint64_t options;  /*!< TAKES(...) bits. */
	uint64_t required; /*!< Of these, the options that must be given. */
	int min, max;      /*!< Number of arguments; max -1: any. */
	verb_f *run;
	mail_section_t section; /*!< For the verbs that serve several sections. */
	int failed;             /*!< Exit status of a failure; 0: STATUS_FAILED. */
};

/*! All verbs, ended by a NULL name (verbs/table.c). */
extern const verb_t tool_verbs[];

/*! Return the verb of a name, or NULL. */
const verb_t *verb_find(const char *name);
/*!
 * As verb_find(); when there is none, end with an error of usage that names those that may be meant.
 *
 * \param next  The word behind the verb, or NULL.
 */
const verb_t *verb_named(tool_t *tool, const char *name, const char *next);

/* verbs/apply.c, import.c, export.c */
verb_f verb_apply, verb_diff, verb_import, verb_export;
/* verbs/cert.c */
verb_f verb_cert_import, verb_cert_list, verb_cert_ready;
/* verbs/check.c */
verb_f verb_check;
/* verbs/complete.c, help.c */
verb_f verb_completion, verb_help, verb_version;
/* verbs/dkim.c */
verb_f verb_dkim_generate, verb_dkim_import, verb_dkim_list, verb_dkim_retire;
/* verbs/entry.c */
verb_f verb_list, verb_show, verb_set, verb_unset;
/* verbs/key.c, key_import.c, key_list.c, ds.c */
verb_f verb_key_generate, verb_key_ds_seen, verb_key_retire, verb_key_import, verb_key_list,
	verb_key_plan, verb_ds;
/* verbs/doctor.c */
verb_f verb_doctor;
/* verbs/lookup.c */
verb_f verb_lookup;
/* verbs/show.c */
verb_f verb_records, verb_explain, verb_mta_sts_policy;
/* verbs/store.c */
verb_f verb_init, verb_store_info, verb_backup, verb_purge;
