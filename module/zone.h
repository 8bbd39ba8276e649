/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Zone mode: the hook of a zone's instance completes the zone's answers.
 */
#pragma once

#include "instance.h"

/*! Types of mod-onlinesign's nsec-bitmap that are remembered. */
#define MAIL_BITMAP_MAX 64

/*! What the zone's configuration says. */
typedef struct {
	bool online;                      /*!< mod-onlinesign signs after us. */
	uint16_t bitmap[MAIL_BITMAP_MAX]; /*!< Its nsec-bitmap. */
	size_t bitmap_count;
} mail_zone_setting_t;

/*!
 * Looks at the zone's configuration and logs what is wrong; in load only.
 *
 * \return False: nothing can be added to the zone.
 */
bool mail_zone_check(knotd_mod_t *mod, mail_zone_setting_t *setting);
/*! Says whether mail_zone_check() warns when nsec-bitmap lacks a type. */
bool mail_zone_is_needed(uint16_t type);
/*! Makes the instance of a zone, freed by free(). \param policy May be NULL. \return NULL: no memory. */
mail_instance_t *mail_zone_new(knotd_mod_t *mod, const mail_zone_setting_t *setting,
                               const char *policy);
/*! The hook, for ANSWER; knotd_mod_ctx() is what mail_zone_new() made. */
knotd_in_state_t mail_zone_complete(knotd_in_state_t state, knot_pkt_t *pkt, knotd_qdata_t *qdata,
                                    knotd_mod_t *mod);
/*! The same for a zone that mod-onlinesign signs; mail_zone_prove() is needed, too. */
knotd_in_state_t mail_zone_complete_signed(knotd_in_state_t state, knot_pkt_t *pkt,
                                           knotd_qdata_t *qdata, knotd_mod_t *mod);
/*! The hook for AUTHORITY, before mod-onlinesign's. */
knotd_in_state_t mail_zone_prove(knotd_in_state_t state, knot_pkt_t *pkt, knotd_qdata_t *qdata,
                                 knotd_mod_t *mod);
