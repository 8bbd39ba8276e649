/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Waiting for other writers, as long as --wait says.
 */
#pragma once

#include "tool/verb.h"

/*! Check the value of --wait; what is wrong with it ends the process. */
void wait_check(tool_t *tool);
/*! Begin a writing transaction of the open store in turn. \return STATUS_DONE, or STATUS_FAILED after a message. */
int wait_begin(tool_t *tool);
