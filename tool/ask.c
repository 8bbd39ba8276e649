/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/ask.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PORT_DEFAULT 53
#define WAIT_MS 2000
#define TRIES 2
#define UDP_PAYLOAD 1232

bool server_parse(const char *text, server_t *server)
{
	char host[128];
	const char *at = strchr(text, '@');
	const size_t len = at != NULL ? (size_t)(at - text) : strlen(text);
	uint32_t port = PORT_DEFAULT;
	struct sockaddr_in *four = (struct sockaddr_in *)&server->address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&server->address;
	memset(server, 0, sizeof(*server));
	if (len >= sizeof(host) ||
	    (at != NULL && !mail_str_number(MAIL_STR(at + 1), 65535, &port))) {
		return false;
	}
	(void)snprintf(host, sizeof(host), "%.*s", (int)len, text);
	if (inet_pton(AF_INET, host, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)port);
		server->len = sizeof(*four);
		if (four->sin_addr.s_addr == htonl(INADDR_ANY)) {
			four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		} else {
			server->loopback = ntohl(four->sin_addr.s_addr) >> 24 == 127;
		}
		(void)inet_ntop(AF_INET, &four->sin_addr, host, sizeof(host));
	} else if (inet_pton(AF_INET6, host, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons((uint16_t)port);
		server->len = sizeof(*six);
		server->loopback = IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
		if (IN6_IS_ADDR_UNSPECIFIED(&six->sin6_addr)) {
			six->sin6_addr = in6addr_loopback;
		}
		(void)inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof(host));
	} else {
		return false;
	}
	(void)snprintf(server->text, sizeof(server->text), "%.100s@%u", host, (unsigned)port);
	return true;
}

uint16_t server_port(const server_t *server)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)&server->address;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&server->address;
	return ntohs(server->address.ss_family == AF_INET ? four->sin_port : six->sin6_port);
}

/*! \brief Write a question with EDNS and DO. */
static int make_question(knot_pkt_t *query, const uint8_t *name, uint16_t type)
{
	knot_rrset_t opt;
	knot_wire_set_id(query->wire, (uint16_t)(getpid() ^ (int)(size_t)name ^ type));
	int ret = knot_pkt_put_question(query, name, KNOT_CLASS_IN, type);
	if (ret == KNOT_EOK) {
		ret = knot_pkt_begin(query, KNOT_ADDITIONAL);
	}
	if (ret == KNOT_EOK) {
		ret = knot_edns_init(&opt, UDP_PAYLOAD, 0, KNOT_EDNS_VERSION, &query->mm);
	}
	if (ret != KNOT_EOK) {
		return ENOMEM;
	}
	knot_edns_set_do(&opt);
	ret = knot_pkt_put(query, KNOT_COMPR_HINT_NONE, &opt, KNOT_PF_FREE);
	return ret == KNOT_EOK ? 0 : ENOMEM;
}

/*! \brief Receive until so many octets are there, or with UDP one packet. \return Octets; -1: errno. */
static ssize_t receive(int fd, uint8_t *wire, size_t size, bool all)
{
	size_t len = 0;
	do {
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		const int ready = poll(&wait, 1, WAIT_MS);
		if (ready == 0) {
			errno = ETIMEDOUT;
		}
		const ssize_t got = ready > 0 ? recv(fd, wire + len, size - len, 0) : -1;
		if (got <= 0) {
			errno = got == 0 ? ECONNRESET : errno;
			return -1;
		}
		len += (size_t)got;
	} while (all && len < size);
	return (ssize_t)len;
}

/*! \brief Send a question over a socket and receive what comes. \return Octets; -1: errno. */
static ssize_t exchange(int fd, const knot_pkt_t *query, bool tcp, uint8_t *wire, size_t size)
{
	uint8_t sent[2 + 512];
	const size_t skip = tcp ? 0 : 2;
	sent[0] = (uint8_t)(query->size >> 8);
	sent[1] = (uint8_t)query->size;
	memcpy(sent + 2, query->wire, query->size);
	if (send(fd, sent + skip, 2 + query->size - skip, MSG_NOSIGNAL) < 0) {
		return -1;
	}
	if (!tcp) {
		return receive(fd, wire, size, false);
	}
	uint8_t head[2];
	if (receive(fd, head, sizeof(head), true) < 0) {
		return -1;
	}
	return receive(fd, wire, (size_t)head[0] << 8 | head[1], true);
}

int server_ask(const server_t *server, const uint8_t *name, uint16_t type, bool tcp,
               knot_pkt_t **answer)
{
	static uint8_t wire[65536];
	*answer = NULL;
	knot_pkt_t *query = knot_pkt_new(NULL, 512, NULL);
	int error = query != NULL ? make_question(query, name, type) : ENOMEM;
	ssize_t got = -1;
	for (int i = 0; error == 0 && got < 0 && i < TRIES; i++) {
		int fd = socket(server->address.ss_family,
		                (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
		struct timeval limit = { .tv_sec = WAIT_MS / 1000 };
		if (fd >= 0) {
			(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
		}
		if (fd >= 0 &&
		    connect(fd, (const struct sockaddr *)&server->address, server->len) == 0) {
			got = exchange(fd, query, tcp, wire, sizeof(wire));
		}
		/* What is refused once is refused again. */
		error = got < 0 && (errno != ETIMEDOUT || i + 1 == TRIES) ? errno : 0;
		if (fd >= 0) {
			(void)close(fd);
		}
	}
	knot_pkt_free(query);
	if (error != 0) {
		return error;
	}
	*answer = knot_pkt_new(NULL, (uint16_t)got, NULL);
	if (*answer == NULL) {
		return ENOMEM;
	}
	memcpy((*answer)->wire, wire, (size_t)got);
	(*answer)->size = (size_t)got;
	if (knot_pkt_parse(*answer, 0) != KNOT_EOK) {
		knot_pkt_free(*answer);
		*answer = NULL;
		return EBADMSG;
	}
	return 0;
}

int answer_ede(const knot_pkt_t *answer)
{
	if (answer->opt_rr == NULL) {
		return -1;
	}
	const uint8_t *option = knot_edns_get_option(answer->opt_rr, KNOT_EDNS_OPTION_EDE, NULL);
	if (option == NULL || knot_edns_opt_get_length(option) < 2) {
		return -1;
	}
	const uint8_t *data = knot_edns_opt_get_data((uint8_t *)option);
	return data[0] << 8 | data[1];
}

const knot_rrset_t *answer_find(const knot_pkt_t *answer, uint16_t type)
{
	const knot_pktsection_t *section = knot_pkt_section(answer, KNOT_ANSWER);
	for (uint16_t i = 0; i < section->count; i++) {
		const knot_rrset_t *rrset = knot_pkt_rr(section, i);
		if (rrset->type == type) {
			return rrset;
		}
	}
	return NULL;
}
