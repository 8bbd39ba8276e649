/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * counted: preloaded into a knotd under callgrind --instr-atstart=no, lets it count between two messages.
 *
 * A message of one octet is no DNS message, so nobody answers it. `b` begins the count and `e` ends it: neither the
 * start of knotd nor its end are counted, nor is what was asked before.
 */
#include <dlfcn.h>
#include <stddef.h>
#include <sys/socket.h>

#include <valgrind/callgrind.h>

typedef int (*recvmmsg_t)(int, struct mmsghdr *, unsigned, int, struct timespec *);

__attribute__((visibility("default"))) int recvmmsg(int fd, struct mmsghdr *messages,
                                                    unsigned count, int flags,
                                                    struct timespec *timeout)
{
	static recvmmsg_t real;
	if (real == NULL) {
		real = (recvmmsg_t)dlsym(RTLD_NEXT, "recvmmsg");
	}
	int received = real(fd, messages, count, flags, timeout);
	for (int i = 0; i < received; i++) {
		const char *octets = messages[i].msg_hdr.msg_iov->iov_base;
		if (messages[i].msg_len == 1 && *octets == 'b') {
			CALLGRIND_START_INSTRUMENTATION;
		} else if (messages[i].msg_len == 1 && *octets == 'e') {
			CALLGRIND_STOP_INSTRUMENTATION;
		}
	}
	return received;
}
