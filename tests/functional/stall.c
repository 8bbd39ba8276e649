/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Preloaded into knotd: the housekeeping thread of the module is held up for $STALL_MS milliseconds whenever it ends a
 * snapshot of a worker, as when it is preempted there, or waits for a page.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef void (*reset_t)(void *);

void mdb_txn_reset(void *txn)
{
	static reset_t real;
	char name[16] = "";
	if (real == NULL) {
		real = (reset_t)dlsym(RTLD_NEXT, "mdb_txn_reset");
	}
	(void)pthread_getname_np(pthread_self(), name, sizeof(name));
	if (strcmp(name, "mod-mail") == 0) {
		const long ms = atol(getenv("STALL_MS"));
		const struct timespec nap = { 0, ms * 1000000 };
		(void)nanosleep(&nap, NULL);
	}
	real(txn);
}
