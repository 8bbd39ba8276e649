/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief A zone of knotd's, read from a zone file or from what `knotc zone-read` prints.
 */
#pragma once

#include <libknot/libknot.h>

#include "mail/pool.h"
#include "tool/verb.h"

typedef struct zone_file zone_file_t;

/*! Read a zone; "-" is the standard input. What is wrong with it ends the process after a message. */
zone_file_t *zone_file_read(tool_t *tool, const char *path, mail_str_t domain);
void zone_file_free(zone_file_t *zone);
/*! As mail_zone_question_t.look: ctx is the zone. */
int zone_file_look(void *ctx, const knot_dname_t *name, uint16_t type, knot_rrset_t *rrset);
