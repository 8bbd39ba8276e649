/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Questions to a server of this machine.
 */
#pragma once

#include <libknot/libknot.h>
#include <sys/socket.h>

#include "mail/chars.h"

/*! A server. */
typedef struct {
	char text[128]; /*!< "127.0.0.1@53". */
	struct sockaddr_storage address;
	socklen_t len;
	bool loopback; /*!< Nobody but this machine can ask there. */
} server_t;

/*! Read "ADDRESS[@PORT]"; one that stands for all addresses becomes that of the loopback. \return false: it is none. */
bool server_parse(const char *text, server_t *server);
/*! Return the port of a server. */
uint16_t server_port(const server_t *server);

/*!
 * Ask, with EDNS and the DO bit, and wait for some seconds.
 *
 * \param answer  Out: freed by knot_pkt_free(), with its wire.
 *
 * \return 0 or an errno: ECONNREFUSED, ETIMEDOUT...
 */
int server_ask(const server_t *server, const uint8_t *name, uint16_t type, bool tcp,
               knot_pkt_t **answer);
/*! Return the code of the Extended DNS Error of an answer (RFC 8914), or -1. */
int answer_ede(const knot_pkt_t *answer);
/*! Return the first RRset of a type of the answer section, or NULL. */
const knot_rrset_t *answer_find(const knot_pkt_t *answer, uint16_t type);
