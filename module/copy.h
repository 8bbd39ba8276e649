/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Other copies of this module in the process.
 *
 * LMDB allows one environment to be opened once in a process (TRAPS: the second close drops the locks of
 * both). Our registry of open stores sees to that within one copy of the module, but when `file` of
 * knotd's `module` section changes, the new file is loaded beside the old one, each with a registry of
 * its own. So a copy opens no store as long as another, earlier copy is loaded.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*!
 * Looks for another copy of the module.
 *
 * \param file  Out: its file name.
 *
 * \return Whether there is one.
 */
bool mail_copy_find(char *file, size_t size);
