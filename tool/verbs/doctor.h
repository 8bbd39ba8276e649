/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief doctor: what stands between the store and an answer. Each part looks at one thing and changes nothing.
 */
#pragma once

#include "tool/ask.h"
#include "tool/knotd.h"
#include "tool/verb.h"

/*! Servers that are asked. */
#define DOCTOR_SERVERS_MAX 32

/*! The run of doctor, filled from part to part. */
typedef struct {
	tool_t *tool;
	size_t errors, warnings;

	knotd_t knotd;
	bool has_user;
	user_t user; /*!< Whom knotd runs as. */

	knot_conf_t file;        /*!< As it is stored: what the next start reads. */
	knot_conf_t running;     /*!< As knotd has it now; empty: it cannot be asked. */
	const knot_conf_t *conf; /*!< The better of both; NULL: neither is known. */
	const char *module_id; /*!< Of the global "mod-mail/ID"; "": without section; NULL: none. */

	bool open;         /*!< The store is open. */
	mail_str_t domain; /*!< That is asked for; empty: there is none. */
	server_t servers[DOCTOR_SERVERS_MAX];
	size_t server_count;
} doctor_t;

/*! How a thing is. */
typedef enum { DOCTOR_OK, DOCTOR_WARNING, DOCTOR_ERROR } doctor_level_t;

/*!
 * Print a finding.
 *
 * \param what    What was looked at: "store", "listen".
 * \param remedy  What to type or to write, or NULL.
 */
void doctor_say(doctor_t *doctor, doctor_level_t level, const char *what, const char *remedy,
                const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/*! Return the n-th value of an item of a zone, which may come from its template. \return NULL: there are no more. */
const char *doctor_zone_value(const doctor_t *doctor, const char *zone, const char *item, size_t n);
/*! Return whether an entry of a list of modules is of a module: "mod-mail", "mod-mail/ID". */
bool doctor_is_module(const char *entry, const char *module);
/*! Return whether the store lists a domain. */
bool doctor_is_stored(doctor_t *doctor, const char *domain);

/* doctor_knotd.c */
/*! Look for knotd, and whether it runs. */
void doctor_knotd(doctor_t *doctor);
/*! Look at the configuration: which one, whether it is right, and whether knotd has it. */
void doctor_config(doctor_t *doctor);
/*! Look at the module: its file, and whether knotd loads it for this store. */
void doctor_module(doctor_t *doctor);
/* doctor_zone.c */
/*! Look at knotd's zones: with the module, and those that hide a stored domain. */
void doctor_zones(doctor_t *doctor);
/* doctor_ask.c */
/*! Look where knotd listens, and who else does. */
void doctor_listen(doctor_t *doctor);
/*! Ask for the domain. */
void doctor_ask(doctor_t *doctor);
