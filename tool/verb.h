/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The verbs of kmailctl: one table (verbs/table.c), and what every verb is given to work with.
 *
 * One thread; a verb runs once in the life of the process.
 */
#pragma once

#include "mail/entry.h"

/*! Exit statuses. diff has its own: 0 same, 1 different, 2 anything else. */
enum {
	STATUS_DONE = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
};

/*! Options that verbs take; the table is in options.c, in this order. */
typedef enum {
	OPT_ACTIVATE,
	OPT_ALGORITHM,
	OPT_ALL,
	OPT_AT,
	OPT_BATCH,
	OPT_BITS,
	OPT_CSK,
	OPT_CURRENT,
	OPT_DELAY,
	OPT_DEPLOY_AT,
	OPT_DIGEST,
	OPT_DIRECTORY,
	OPT_DRY_RUN,
	OPT_DS_SEEN,
	OPT_DS_TTL,
	OPT_FORCE,
	OPT_FORM,
	OPT_FORMAT,
	OPT_GONE,
	OPT_KEEP_GOING,
	OPT_KEY_DIRECTORY,
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
	OPT_REPLICATED,
	OPT_REPORTS,
	OPT_RETIRE,
	OPT_REVOKE,
	OPT_SECTION,
	OPT_SKIP,
	OPT_TAG,
	OPT_TAGS,
	OPT_ZSK,
	OPT_UNSIGNED,
	OPT_COUNT
} option_id_t;

#define TAKES(id) (UINT64_C(1) << (id))

/*! A row of the table of options. */
typedef struct {
	const char *name;  /*!< Without its dashes. */
	const char *arg;   /*!< What follows, for the synopsis; NULL: nothing. */
	bool list;         /*!< May be repeated. */
	const char *words; /*!< For completion: possible values, separated by spaces; or NULL. */
	const char *help;
} option_t;

extern const option_t tool_options[OPT_COUNT];

/*! Where the store is when nothing says otherwise. */
extern const char tool_store_default[];

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
	given_t given[OPT_COUNT];
	struct mail_store *store; /*!< Open between tool_open() and tool_close(). */
	struct mail_txn *txn;
	const char *file;    /*!< The file that is being read, for messages; or NULL. */
	struct guard *guard; /*!< Policies and domains that are being changed (guard.h). */
	size_t warnings;
	mail_diag_t diag; /*!< Of the last call into the library; see tool_diag(). */
} tool_t;

/*! What a verb is. */
struct verb {
	const char *name;
	const char *group; /*!< Heading in the help; NULL: not listed. */
	const char *args;  /*!< Synopsis of the arguments. */
	const char *help;  /*!< One line. */
	uint64_t options;  /*!< TAKES(...) bits. */
	int min, max;      /*!< Number of arguments; max -1: any. */
	int (*run)(tool_t *tool, int argc, char **argv);
	mail_section_t section; /*!< For the verbs that serve several sections. */
	int failed;             /*!< Exit status of a failure (diff: 2). */
	uint64_t required;      /*!< Options that must be given. */
};

/*! All verbs, ended by a NULL name. */
extern const verb_t tool_verbs[];

/*! The verb of a name, or NULL. */
const verb_t *verb_find(const char *name);
/*! The verb with the nearest name, or NULL when none is near. */
const verb_t *verb_nearest(const char *name);

/* options.c */

/*!
 * Reads the command line behind the program's name.
 *
 * \param tool  verb, path, json and given are set.
 * \param argc, argv  In: main's. Out: the verb's arguments alone.
 *
 * \return STATUS_DONE, or STATUS_USAGE after a message.
 */
int options_parse(tool_t *tool, int *argc, char ***argv);
/*! Frees what options_parse() keeps. */
void options_free(tool_t *tool);
/*! Says whether an option was given. */
static inline bool option_is(const tool_t *tool, option_id_t id)
{
	return tool->given[id].count > 0;
}
/*! Its last value, or NULL. */
const char *option_value(const tool_t *tool, option_id_t id);
/*! A whole number within bounds; the default when not given. \return STATUS_DONE or STATUS_USAGE. */
int option_number(tool_t *tool, option_id_t id, uint64_t min, uint64_t max, uint64_t *value);
/*! A length of time: "90", "1h" (s m h d w). Unchanged when not given. \return As option_number(). */
int option_duration(tool_t *tool, option_id_t id, uint32_t *seconds);
/*! A time: RFC 3339, "now", or "+7d" (s m h d w) from `from`. Unchanged when not given. */
int option_time(tool_t *tool, option_id_t id, int64_t from, int64_t *value);

/* verbs/help.c */

int verb_help(tool_t *tool, int argc, char **argv);
int verb_version(tool_t *tool, int argc, char **argv);

/* verbs/complete.c */

int verb_completion(tool_t *tool, int argc, char **argv);

/* verbs/store.c */

int verb_init(tool_t *tool, int argc, char **argv);
int verb_store_info(tool_t *tool, int argc, char **argv);
int verb_backup(tool_t *tool, int argc, char **argv);
int verb_purge(tool_t *tool, int argc, char **argv);

/* verbs/entry.c */

int verb_list(tool_t *tool, int argc, char **argv);
int verb_show(tool_t *tool, int argc, char **argv);
int verb_set(tool_t *tool, int argc, char **argv);
int verb_unset(tool_t *tool, int argc, char **argv);

/* verbs/apply.c */

int verb_apply(tool_t *tool, int argc, char **argv);
int verb_diff(tool_t *tool, int argc, char **argv);

/* verbs/import.c, verbs/export.c */

int verb_import(tool_t *tool, int argc, char **argv);
int verb_export(tool_t *tool, int argc, char **argv);

/* verbs/dkim.c */

int verb_dkim_generate(tool_t *tool, int argc, char **argv);
int verb_dkim_import(tool_t *tool, int argc, char **argv);
int verb_dkim_list(tool_t *tool, int argc, char **argv);
int verb_dkim_retire(tool_t *tool, int argc, char **argv);

/* verbs/key.c */

int verb_key_generate(tool_t *tool, int argc, char **argv);
int verb_key_import(tool_t *tool, int argc, char **argv);
int verb_key_retire(tool_t *tool, int argc, char **argv);
int verb_key_ds_seen(tool_t *tool, int argc, char **argv);

/* verbs/key_list.c, verbs/ds.c */

int verb_key_list(tool_t *tool, int argc, char **argv);
int verb_key_plan(tool_t *tool, int argc, char **argv);
int verb_ds(tool_t *tool, int argc, char **argv);

/* verbs/cert.c */

int verb_cert_import(tool_t *tool, int argc, char **argv);
int verb_cert_list(tool_t *tool, int argc, char **argv);
int verb_cert_ready(tool_t *tool, int argc, char **argv);

/* verbs/show.c */

int verb_records(tool_t *tool, int argc, char **argv);
int verb_explain(tool_t *tool, int argc, char **argv);
int verb_mta_sts_policy(tool_t *tool, int argc, char **argv);

/* verbs/check.c */

int verb_check(tool_t *tool, int argc, char **argv);
