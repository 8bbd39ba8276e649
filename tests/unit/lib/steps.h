/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Counted steps in the tree. The program is linked with -Wl,--wrap=mdb_cursor_get.
 */
#pragma once

#include <stddef.h>

/*! Steps of all cursors since it was set to 0. Without the flag it stays 0, and a test that wants no more proves nothing. */
extern size_t steps;
