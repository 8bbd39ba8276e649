/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * touch: preloaded into knotd, counts the pages of the store that a question touches.
 *
 * Between recvmmsg() and sendmmsg() a worker of knotd answers what it received. After recvmmsg() the map
 * of data.mdb is made inaccessible; the first access to each of its pages then faults, is counted, and
 * makes that page readable again. So the count is exact, whatever the page cache and the TLB hold, as
 * long as one question is asked at a time. $TOUCH_STORE is the path of that data.mdb, for knotd has others.
 * The sums go to the file that $TOUCH_FILE names: two numbers of 64 bits, questions and pages.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

typedef int (*recvmmsg_t)(int, struct mmsghdr *, unsigned, int, struct timespec *);
typedef int (*sendmmsg_t)(int, struct mmsghdr *, unsigned, int);

typedef struct {
	uint64_t questions;
	uint64_t pages;
} sums_t;

static sums_t *sums;
static recvmmsg_t real_recvmmsg;
static sendmmsg_t real_sendmmsg;
static uint8_t *map;
static size_t map_len;
static size_t page_size;
static __thread bool answering;
static __thread uint64_t pages;

/*! A page is touched for the first time: let it through. Anything else is a fault as before. */
static void touched(int number, siginfo_t *where, void *context)
{
	(void)context;
	uint8_t *at = where->si_addr;
	if (at < map || at >= map + map_len) {
		signal(number, SIG_DFL);
		return;
	}
	mprotect((uint8_t *)((uintptr_t)at & ~(uintptr_t)(page_size - 1)), page_size, PROT_READ);
	pages += answering;
}

/*! Finds the map of the store; it is there as soon as the module is loaded. */
static void find_map(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[PATH_MAX + 128];
	const char *path = getenv("TOUCH_STORE");
	while (maps != NULL && path != NULL && fgets(line, sizeof(line), maps) != NULL) {
		unsigned long low, high;
		if (strstr(line, path) != NULL && sscanf(line, "%lx-%lx", &low, &high) == 2) {
			map_len = high - low;
			map = (uint8_t *)low;
			break;
		}
	}
	if (maps != NULL) {
		fclose(maps);
	}
	struct sigaction action = { .sa_sigaction = touched, .sa_flags = SA_SIGINFO };
	if (map != NULL) {
		sigaction(SIGSEGV, &action, NULL);
	}
}

/*! The threads of knotd block all signals; a fault that is blocked ends the process. */
static bool let_faults_through(void)
{
	static __thread bool done;
	sigset_t faults;
	sigemptyset(&faults);
	sigaddset(&faults, SIGSEGV);
	if (!done) {
		done = pthread_sigmask(SIG_UNBLOCK, &faults, NULL) == 0;
	}
	return done;
}

__attribute__((constructor)) static void start(void)
{
	page_size = sysconf(_SC_PAGESIZE);
	real_recvmmsg = (recvmmsg_t)dlsym(RTLD_NEXT, "recvmmsg");
	real_sendmmsg = (sendmmsg_t)dlsym(RTLD_NEXT, "sendmmsg");
	const char *path = getenv("TOUCH_FILE");
	int fd = path != NULL ? open(path, O_RDWR | O_CREAT, 0600) : -1;
	if (fd >= 0 && ftruncate(fd, sizeof(sums_t)) == 0) {
		void *shared = mmap(NULL, sizeof(sums_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		                    0);
		sums = shared != MAP_FAILED ? shared : NULL;
	}
	if (fd >= 0) {
		close(fd);
	}
}

EXPORT int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
                    struct timespec *timeout)
{
	int received = real_recvmmsg(fd, messages, count, flags, timeout);
	if (received > 0 && map == NULL) {
		find_map();
	}
	if (received > 0 && map != NULL && let_faults_through() &&
	    mprotect(map, map_len, PROT_NONE) == 0) {
		pages = 0;
		answering = true;
	}
	return received;
}

EXPORT int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
	if (answering && sums != NULL) {
		sums->questions += count;
		sums->pages += pages;
	}
	// Other threads of knotd look at the store too, and are not ready for faults.
	if (answering) {
		mprotect(map, map_len, PROT_READ);
	}
	answering = false;
	return real_sendmmsg(fd, messages, count, flags);
}
