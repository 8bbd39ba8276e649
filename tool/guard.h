/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Keep a change from taking the keys away from a domain whose DS is at its parent.
 *
 * What a domain is signed with can change in many ways: its own key-set, its policy, that policy's key-set or base. Where
 * the DS of a key was seen at the parent, the keys that come must go on where those before were, or every validator
 * answers SERVFAIL; so such a change is refused, unless it is forced. One that merely begins to sign says from when the
 * DS may go to the parent.
 */
#pragma once

#include "tool/verb.h"

/*! Note an entry that is going to be written, before it is. \return KNOT_EOK, KNOT_ENOMEM. */
int guard_note(tool_t *tool, const mail_entry_t *entry);
/*! Compare what is stored with what is about to be. \return STATUS_DONE, or STATUS_FAILED after a message. */
int guard_check(tool_t *tool);
/*! Forget what was noted. */
void guard_free(tool_t *tool);
