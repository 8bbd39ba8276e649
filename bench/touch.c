/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * touch: preloaded into knotd, counts the pages of the store that a question touches, and its allocations; preloaded
 * into kmailctl, the pages that it touches from its start to its end, and the octets that it writes ($TOUCH_WHOLE).
 *
 * Between recvmmsg() and sendmmsg() a worker of knotd answers what it received. After recvmmsg() the map
 * of data.mdb is made inaccessible; the first access to each of its pages then faults, is counted, and
 * makes that page readable again. So the count is exact, whatever the page cache and the TLB hold, as
 * long as one question is asked at a time. $TOUCH_STORE is the path of that data.mdb, for knotd has others.
 * The sums go to the file that $TOUCH_FILE names: four numbers of 64 bits, questions (or programs),
 * pages, allocations, octets written.
 *
 * The map is inaccessible for all threads, and the module's own thread reads it at any time. A thread of knotd's
 * blocks all signals, and a fault that is blocked ends the process: so nobody may block SIGSEGV here. A page that
 * another thread made readable is missed by the count, so a question is not counted when that happened.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* glibc's own names, for allocators that stand before them. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

typedef int (*recvmmsg_t)(int, struct mmsghdr *, unsigned, int, struct timespec *);
typedef int (*sendmmsg_t)(int, struct mmsghdr *, unsigned, int);
typedef void *(*mmap_t)(void *, size_t, int, int, int, off_t);
typedef int (*sigmask_t)(int, const sigset_t *, sigset_t *);

static uint64_t sums[4]; /*!< Questions, pages, allocations, octets written. */
static int sums_fd;
static recvmmsg_t real_recvmmsg;
static sendmmsg_t real_sendmmsg;
static sigmask_t real_sigmask;
static bool whole; /*!< The whole program is counted. */
static uint8_t *map;
static size_t map_len;
static size_t page_size;
static __thread bool answering;
static __thread uint64_t pages; /*!< Of this question. */
static __thread uint64_t allocations;
static atomic_bool disturbed; /*!< Another thread touched a page meanwhile. */

/*! A page is touched for the first time: let it through. Anything else is a fault as before. */
static void touched(int number, siginfo_t *where, void *context)
{
	(void)context;
	uint8_t *at = where->si_addr;
	if (at < map || at >= map + map_len) {
		signal(number, SIG_DFL);
		return;
	}
	disturbed |= !answering;
	mprotect((uint8_t *)((uintptr_t)at & ~(uintptr_t)(page_size - 1)), page_size, PROT_READ);
	// Again, for the next question may have begun.
	disturbed |= !answering;
	pages += answering;
}

/*! Find the map of the store; it is there as soon as the module is loaded. */
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

__attribute__((constructor)) static void start(void)
{
	page_size = sysconf(_SC_PAGESIZE);
	real_recvmmsg = (recvmmsg_t)dlsym(RTLD_NEXT, "recvmmsg");
	real_sendmmsg = (sendmmsg_t)dlsym(RTLD_NEXT, "sendmmsg");
	real_sigmask = (sigmask_t)dlsym(RTLD_NEXT, "pthread_sigmask");
	whole = getenv("TOUCH_WHOLE") != NULL;
	const char *path = getenv("TOUCH_FILE");
	sums_fd = path != NULL ? open(path, O_WRONLY | O_CREAT, 0600) : -1;
}

/*! Return the octets that this program has handed to write() and its like. */
static uint64_t octets_written(void)
{
	FILE *io = fopen("/proc/self/io", "r");
	unsigned long long octets = 0;
	(void)!(io != NULL && fscanf(io, "rchar: %*u wchar: %llu", &octets) == 1);
	if (io != NULL) {
		fclose(io);
	}
	return octets;
}

__attribute__((destructor)) static void end(void)
{
	if (whole) {
		const uint64_t all[] = { 1, pages, allocations, octets_written() };
		(void)!pwrite(sums_fd, all, sizeof(all), 0);
	}
}

/*! Find out whether a file that was just mapped is the store, and count from now on. */
static void mapped(int fd)
{
	if (!whole || fd < 0) {
		return;
	}
	map = NULL;
	find_map();
	answering = map != NULL && mprotect(map, map_len, PROT_NONE) == 0;
}

EXPORT void *mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
	void *there = ((mmap_t)dlsym(RTLD_NEXT, "mmap"))(at, len, protection, flags, fd, offset);
	mapped(fd);
	return there;
}

EXPORT void *mmap64(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
	return mmap(at, len, protection, flags, fd, offset);
}

EXPORT int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	sigset_t allowed;
	if (set != NULL && how != SIG_UNBLOCK) {
		allowed = *set;
		sigdelset(&allowed, SIGSEGV);
		set = &allowed;
	}
	return real_sigmask(how, set, old);
}

EXPORT int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
                    struct timespec *timeout)
{
	int received = real_recvmmsg(fd, messages, count, flags, timeout);
	if (received > 0 && map == NULL) {
		find_map();
	}
	if (received > 0 && map != NULL) {
		pages = allocations = 0;
		disturbed = false;
		answering = mprotect(map, map_len, PROT_NONE) == 0;
	}
	return received;
}

EXPORT int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
	if (answering) {
		mprotect(map, map_len, PROT_READ);
	}
	if (answering && !disturbed) {
		sums[0] += count;
		sums[1] += pages;
		sums[2] += allocations;
		// A sum that cannot be written is missed by who reads it.
		(void)!pwrite(sums_fd, sums, sizeof(sums), 0);
	}
	answering = false;
	return real_sendmmsg(fd, messages, count, flags);
}

EXPORT void *malloc(size_t size)
{
	allocations += answering;
	return __libc_malloc(size);
}

EXPORT void *calloc(size_t count, size_t size)
{
	allocations += answering;
	return __libc_calloc(count, size);
}

EXPORT void *realloc(void *old, size_t size)
{
	allocations += answering;
	return __libc_realloc(old, size);
}
