/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief knotd's module interface, and what differs between its versions.
 *
 * ABI 400 is Knot 3.2, 500 is 3.3, 600 is 3.4 and 3.5; knotd loads a module of its own number only, so
 * the module is compiled against the headers of the knotd that loads it. What the module calls is the
 * same in all of them but for const-ness, where a pointer to non-const suits each. What is not the
 * same is not called: knotd_qdata_local_addr() lost a parameter in ABI 600, knotd_qdata_zone_rrset()
 * is new there.
 */
#pragma once

#include <stdbool.h>

#include <knot/module.h>

#if KNOTD_MOD_ABI_VERSION < 400
#error "Knot DNS 3.2 or newer is needed"
#endif

/*!
 * Return whether no module before us has decided: the state that a BEGIN hook gets is
 * KNOT_STATE_PRODUCE, which is not part of the module interface.
 */
static inline bool mail_state_undecided(knotd_state_t state)
{
	switch (state) {
	case KNOTD_STATE_NOOP:
	case KNOTD_STATE_DONE:
	case KNOTD_STATE_FAIL:
	case KNOTD_STATE_FINAL: return false;
	default: return true;
	}
}

/*!
 * A thread that knotd did not start takes part in its RCU, so that logging from it is safe while knotd
 * replaces its log targets.  The functions are those of the flavour that knotd uses; weak, because they
 * are no part of the module interface: without them the thread is as mod-cookies' own thread is.
 */
void urcu_memb_register_thread(void) __attribute__((weak));
void urcu_memb_unregister_thread(void) __attribute__((weak));

static inline void mail_thread_enter(void)
{
	if (urcu_memb_register_thread != NULL) {
		urcu_memb_register_thread();
	}
}

static inline void mail_thread_leave(void)
{
	if (urcu_memb_unregister_thread != NULL) {
		urcu_memb_unregister_thread();
	}
}
