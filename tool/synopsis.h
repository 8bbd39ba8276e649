/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief How a verb is used, in a line: for its help and for errors of usage.
 */
#pragma once

#include <stdio.h>

#include "tool/verb.h"

/*! Print the name of a verb, its arguments and its options. */
void synopsis_print(const verb_t *verb, FILE *out);
