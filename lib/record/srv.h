/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief SRV services of mail (RFC 2782, RFC 6186, RFC 6764, RFC 8314, RFC 8620, RFC 5804).
 *
 * Pure functions; any thread.
 */
#pragma once

#include "mail/rdata.h"

/*! A service that mail clients look for. */
typedef struct {
	const char *name; /*!< "imap"; the owner is _imap._tcp. */
	uint16_t port;    /*!< The standard's port. */
} mail_service_t;

/*!
 * The services, ended by a NULL name: imap imaps pop3 pop3s submission submissions sieve jmap caldav
 * caldavs carddav carddavs autodiscover.
 */
extern const mail_service_t mail_services[];

typedef struct {
	const mail_service_t *service;
	uint16_t priority, weight, port;
	mail_pattern_t target; /*!< The root: not offered. */
	bool has_target;       /*!< false: the first mx host serves. */
} mail_srv_t;

/*!
 * Parses "SERVICE", "SERVICE .", "SERVICE HOST", "SERVICE PRIORITY WEIGHT PORT HOST" or
 * "SERVICE PRIORITY WEIGHT PORT".
 */
int mail_srv_parse(mail_str_t text, mail_srv_t *srv, mail_diag_t *diag);

/*!
 * Writes the RDATA. srv->target is rendered as it is: a caller fills it in before when has_target is
 * false. "Not offered" (target is the root) is 0 0 0 .
 */
int mail_srv_render(const mail_srv_t *srv, mail_rdata_t *rdata);
