/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief How a housekeeping thread waits: until its time has come, until it is to end, or until something was
 *        written in one of the directories that it watches.
 *
 * Being told by the system (inotify) only saves time: what cannot be watched (a directory that is not there, no
 * more watches for this user) is looked at once a period all the same.
 *
 * Thread rule: one thread waits and watches; any thread may end the waiting.
 */
#pragma once

#include <stdbool.h>

/*! Directories that can be watched. */
#define MAIL_WAKE_WATCHES 2

typedef struct {
	int event; /*!< eventfd: the thread is to end; -1: none. */
	int inotify;
	int watches[MAIL_WAKE_WATCHES];
	bool pause; /*!< It has just been told of something. */
} mail_wake_t;

/*! One that is not open. */
#define MAIL_WAKE_CLOSED ((mail_wake_t){ .event = -1, .inotify = -1, .watches = { -1, -1 } })

/*! Open what is waited on. \return KNOT_EOK; KNOT_ERROR: then nothing is open. */
int mail_wake_open(mail_wake_t *wake);
/*! Close what was opened; safe on one that was not, when event and inotify are -1. */
void mail_wake_close(mail_wake_t *wake);

/*! Watch a directory by its path, in place of the one that had this index; cheap when it is the same. */
void mail_wake_watch(mail_wake_t *wake, unsigned index, const char *directory);
/*!
 * Wait.
 *
 * \param period  Milliseconds at most.
 *
 * \return false: the thread is to end.
 */
bool mail_wake_wait(mail_wake_t *wake, int period);
/*! Tell the thread to end. */
void mail_wake_end(mail_wake_t *wake);
