/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "wake.h"

#include <errno.h>
#include <libknot/libknot.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

/*! Milliseconds between two answers to what was written: many writes are one. */
#define PAUSE 5
/*! Writes to data.mdb and to a key's file, files that come by any other way, modes and owners. */
#define EVENTS (IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR)

int mail_wake_open(mail_wake_t *wake)
{
	*wake = MAIL_WAKE_CLOSED;
	wake->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	wake->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake->event < 0) {
		mail_wake_close(wake);
		return KNOT_ERROR;
	}
	return KNOT_EOK;
}

void mail_wake_close(mail_wake_t *wake)
{
	if (wake->event >= 0) {
		(void)close(wake->event);
	}
	if (wake->inotify >= 0) {
		(void)close(wake->inotify);
	}
	wake->event = wake->inotify = -1;
}

void mail_wake_watch(mail_wake_t *wake, unsigned index, const char *directory)
{
	if (wake->inotify < 0) {
		return;
	}
	int watch = inotify_add_watch(wake->inotify, directory, EVENTS);
	int old = wake->watches[index];
	if (watch == old) {
		return;
	}
	wake->watches[index] = watch;
	// Another directory has its path now, unless it is that of another index.
	for (unsigned i = 0; i < MAIL_WAKE_WATCHES; i++) {
		if (wake->watches[i] == old) {
			return;
		}
	}
	if (old >= 0) {
		(void)inotify_rm_watch(wake->inotify, old);
	}
}

/*! Empty the queue of events: what they are does not matter. */
static void drain(const mail_wake_t *wake)
{
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t len;
	do {
		len = read(wake->inotify, events, sizeof(events));
	} while (len > 0 || (len < 0 && errno == EINTR));
}

bool mail_wake_wait(mail_wake_t *wake, int period)
{
	struct pollfd fds[] = {
		{ .fd = wake->event, .events = POLLIN },
		{ .fd = wake->inotify, .events = POLLIN },
	};
	if (wake->pause) {
		(void)poll(fds, 1, period < PAUSE ? period : PAUSE);
		if (fds[0].revents != 0) {
			return false;
		}
	}
	wake->pause = false;
	if (poll(fds, 2, period) > 0 && fds[1].revents != 0) {
		drain(wake);
		wake->pause = true;
	}
	return fds[0].revents == 0;
}

void mail_wake_end(mail_wake_t *wake)
{
	uint64_t one = 1;
	(void)!write(wake->event, &one, sizeof(one));
}
