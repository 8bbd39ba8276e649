/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief SRV services of mail (RFC 2782, RFC 6186, RFC 6764, RFC 8314, RFC 8620, RFC 5804).
 *
 * Pure functions; any thread.
 */
#pragma once

#include "mail/rdata.h"

/*! The services that mail clients look for. */
typedef enum {
	MAIL_SRV_IMAP,
	MAIL_SRV_IMAPS,
	MAIL_SRV_POP3,
	MAIL_SRV_POP3S,
	MAIL_SRV_SUBMISSION,
	MAIL_SRV_SUBMISSIONS,
	MAIL_SRV_SIEVE,
	MAIL_SRV_JMAP,
	MAIL_SRV_CALDAV,
	MAIL_SRV_CALDAVS,
	MAIL_SRV_CARDDAV,
	MAIL_SRV_CARDDAVS,
	MAIL_SRV_AUTODISCOVER,
	MAIL_SRV_COUNT
} mail_srv_id_t;

/*! A service. */
typedef struct {
	const char *name; /*!< "imap"; the owner is _imap._tcp. */
	uint16_t port;    /*!< The standard's port. */
} mail_srv_service_t;

/*! All services. */
extern const mail_srv_service_t mail_srv_services[MAIL_SRV_COUNT];

typedef struct {
	const mail_srv_service_t *service;
	uint16_t priority, weight, port;
	mail_pattern_t target; /*!< The root: not offered. */
	bool has_target;       /*!< false: the first mx host serves. */
} mail_srv_t;

/*!
 * Parse "SERVICE", "SERVICE .", "SERVICE HOST", "SERVICE PRIORITY WEIGHT PORT HOST" or
 * "SERVICE PRIORITY WEIGHT PORT".
 */
int mail_srv_parse(mail_str_t text, mail_srv_t *srv, mail_diag_t *diag);

/*!
 * Write the RDATA. srv->target is rendered as it is: a caller fills it in before when has_target is
 * false. "Not offered" (target is the root) is 0 0 0 .
 */
int mail_srv_render(const mail_srv_t *srv, mail_rdata_t *rdata);
