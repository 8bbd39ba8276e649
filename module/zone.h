/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Zone mode: the hook of a zone's instance completes the zone's answers.
 */
#pragma once

#include "instance.h"
#include "zone_check.h"

/*! Make the instance of a zone, freed by free(). \param policy May be NULL. \return NULL: no memory. */
mail_instance_t *mail_zone_new(knotd_mod_t *mod, const mail_zone_setting_t *setting,
                               const char *policy);
/*! Log what the store and the zone's file say now of a zone to which nothing can be added; in load only. */
void mail_zone_look_ahead(mail_instance_t *instance);
/*! The hook, for ANSWER; knotd_mod_ctx() is what mail_zone_new() made. */
knotd_in_state_t mail_zone_complete(knotd_in_state_t state, knot_pkt_t *pkt, knotd_qdata_t *qdata,
                                    knotd_mod_t *mod);
/*! The same for a zone that mod-onlinesign signs; mail_zone_prove() is needed, too. */
knotd_in_state_t mail_zone_complete_signed(knotd_in_state_t state, knot_pkt_t *pkt,
                                           knotd_qdata_t *qdata, knotd_mod_t *mod);
/*! The hook for AUTHORITY, before mod-onlinesign's. */
knotd_in_state_t mail_zone_prove(knotd_in_state_t state, knot_pkt_t *pkt, knotd_qdata_t *qdata,
                                 knotd_mod_t *mod);
