/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The knotd of this machine: its program, its process, its configuration.
 */
#pragma once

#include <limits.h>

#include "tool/access.h"
#include "tool/knot_conf.h"

/*! Run a program with a limit of some seconds. \return Its exit status; -1: there is no such program, or it took too long. */
int command_run(const char *const argv[], mail_buf_t *out);

/*! What is known of knotd. */
typedef struct {
	char version[32]; /*!< "3.2.6"; empty: it is not installed. */
	pid_t pid;        /*!< 0: it does not run. */
	user_t user;      /*!< As whom it runs. */
	unsigned others;  /*!< Further processes. */
	char config
		[PATH_MAX]; /*!< Its knot.conf, or the directory of its configuration database. */
	bool database;      /*!< It is the latter. */
} knotd_t;

/*! Find knotd. \param config What it is to run with; NULL: whatever it does. */
void knotd_find(knotd_t *knotd, const char *config);
/*! Return the ABI of the modules that a version of knotd loads; 0: not known. */
unsigned knotd_abi(const char *version);
/*! Read the ABI that a module was built for. \return 0: it is none that can be read. */
unsigned module_abi(const char *path);
