/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The command line: the table of options, and their values.
 *
 * What is wrong with it ends the process after a message, with STATUS_USAGE.
 */
#pragma once

#include "tool/verb.h"

/*! A row of the table of options. */
typedef struct {
	const char *name;    /*!< Without its dashes. */
	const char *arg;     /*!< What follows, for the synopsis; NULL: nothing. */
	bool list;           /*!< May be repeated. */
	mail_item_id_t item; /*!< Of a list: only entries that name the value in this item; or 0. */
	const char
		*words; /*!< Possible values, separated by spaces; or NULL. See option_words(). */
	bool one_of;    /*!< No other value is possible. */
	const char *help;
} option_t;

extern const option_t tool_options[OPT_COUNT];

/*! Return where the store is when no option says so: $KMAIL_STORE, or the default. */
const char *options_store(void);
/*! Read the command line, main's: set verb, path, json, given, and the arguments of the verb. */
void options_parse(tool_t *tool, int argc, char **argv);
/*! Return the values of an option that a verb takes, separated by spaces; NULL: any. */
const char *option_words(const verb_t *verb, option_id_t id);
/*! Free what options_parse() keeps. */
void options_free(tool_t *tool);

/*! Return whether an option was given. */
static inline bool option_is(const tool_t *tool, option_id_t id)
{
	return tool->given[id].count > 0;
}
/*! Return its last value, or NULL. */
const char *option_value(const tool_t *tool, option_id_t id);
/*! Return its n-th value, or NULL: there are no more. */
const char *option_nth(const tool_t *tool, option_id_t id, size_t n);
/*! Return a whole number within bounds; the default when it is not given. */
uint64_t option_number(tool_t *tool, option_id_t id, uint64_t min, uint64_t max, uint64_t dflt);
/*! Return a length of time in seconds ("90", "1h"; s m h d w); the default when it is not given. */
uint32_t option_duration(tool_t *tool, option_id_t id, uint32_t dflt);
/*! Return a time: RFC 3339, "now", or "+7d" after `from`; `from` when it is not given. */
int64_t option_time(tool_t *tool, option_id_t id, int64_t from);
/*! Return the sections that an option names, as bits; `dflt` when it is not given. */
unsigned option_sections(const tool_t *tool, option_id_t id, unsigned dflt);
