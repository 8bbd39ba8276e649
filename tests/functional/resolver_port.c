/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Preloaded into a program, its resolver asks 127.0.0.1, port $RESOLVER_PORT, instead of those in
 * /etc/resolv.conf: for a client of the tests, which are nobody in particular and have no port 53.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

static void server_set(res_state state)
{
	const char *port = getenv("RESOLVER_PORT");
	if (port == NULL) {
		return;
	}
	memset(&state->nsaddr_list[0], 0, sizeof(state->nsaddr_list[0]));
	state->nsaddr_list[0].sin_family = AF_INET;
	state->nsaddr_list[0].sin_port = htons((unsigned short)atoi(port));
	state->nsaddr_list[0].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	state->nscount = 1;
	state->dnsrch[0] = NULL;
	state->options |= RES_TRUSTAD;
}

int res_ninit(res_state state)
{
	int (*real)(res_state) = (int (*)(res_state))dlsym(RTLD_NEXT, "__res_ninit");
	int ret = real != NULL ? real(state) : -1;
	if (ret == 0) {
		server_set(state);
	}
	return ret;
}
