/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Zone mode: what a zone's configuration says about signing, and what does not go together with it.
 */
#pragma once

#include "compat.h"

/*! Types of mod-onlinesign's nsec-bitmap that are remembered. */
#define MAIL_BITMAP_MAX 64

/*! What the zone's configuration says. */
typedef struct {
	bool online;                      /*!< mod-onlinesign signs after us. */
	uint16_t bitmap[MAIL_BITMAP_MAX]; /*!< Its nsec-bitmap. */
	size_t bitmap_count;
} mail_zone_setting_t;

/*!
 * Look at the zone's configuration and log what is wrong; in load only.
 *
 * \return False: nothing can be added to the zone.
 */
bool mail_zone_check(knotd_mod_t *mod, mail_zone_setting_t *setting);
/*! Return whether the zone's file is there, and has DNSKEY records of the zone; in load only. */
bool mail_zone_is_signed_file(knotd_mod_t *mod);
/*! Return whether mail_zone_check() warns when nsec-bitmap lacks a type. */
bool mail_zone_is_needed(uint16_t type);
