/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Hosted mode: the BEGIN hook of the global module answers whole questions.
 */
#pragma once

#include "instance.h"

/*! The hook; knotd_mod_ctx() is a mail_instance_t. */
knotd_state_t mail_hosted_answer(knotd_state_t state, knot_pkt_t *pkt, knotd_qdata_t *qdata,
                                 knotd_mod_t *mod);
