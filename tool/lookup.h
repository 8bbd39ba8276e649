/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief A question answered from the store as the module answers it, without knotd.
 */
#pragma once

#include "mail/answer.h"
#include "mail/pool.h"
#include "tool/verb.h"

/*! Octets that knotd and most resolvers allow an answer over UDP. */
#define LOOKUP_UDP 1232
/*! Octets of an answer over TCP. */
#define LOOKUP_TCP 65535

/*! A question and its answer; zeroed but for the question. */
typedef struct {
	const uint8_t *name; /*!< Wire, in small letters. */
	uint16_t type;
	int64_t now;
	bool dnssec;
	bool udp;   /*!< As over UDP, in LOOKUP_UDP octets; else as over TCP. */
	bool plain; /*!< As if no domain were signed: no private key is read. */

	bool ours;          /*!< Out: a stored domain holds the name. */
	mail_str_t domain;  /*!< Out: which; the tool's. */
	mail_reply_t reply; /*!< Out. */
	knot_pkt_t *pkt;    /*!< Out: the answer, until lookup_free(). */
	knot_pkt_t *query;
	mail_cache_t *cache;
	mail_pool_t pool;
} lookup_t;

/*! Read NAME and TYPE; what is none ends the process. \return TYPE's number. */
uint16_t lookup_parse(tool_t *tool, const char *name, const char *type, uint8_t *wire);
/*! Make an empty response to the question. */
void lookup_packet(tool_t *tool, lookup_t *lookup);
/*! Answer in the tool's transaction. A private key that may not be read ends the process after a message. */
void lookup_answer(tool_t *tool, lookup_t *lookup);
/*! Free the packets. */
void lookup_free(lookup_t *lookup);
