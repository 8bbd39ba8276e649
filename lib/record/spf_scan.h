/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The parts of an SPF term: private to lib/spf*.c.
 */
#pragma once

#include "mail/spf.h"

#define MAIL_SPF_VERSION "v=spf1"

/*! A term being read. */
typedef struct {
	mail_str_t term;
	mail_diag_t *diag;
} mail_spf_scan_t;

/*! Column of a place in the term. */
static inline size_t mail_spf_column(const mail_spf_scan_t *scan, const char *at)
{
	return (size_t)(at - scan->term.data) + 1;
}

/*!
 * Check and measure a macro (RFC 7208 7.1).
 *
 * \param text  A part of the term that starts with "%".
 * \param len   Out: length of the macro.
 */
int mail_spf_macro_check(const mail_spf_scan_t *scan, mail_str_t text, size_t *len);

/*! Check a domain, a part of the term (RFC 7208 7.1). */
int mail_spf_domain_check(const mail_spf_scan_t *scan, mail_str_t spec);

/*! Return whether a term is a modifier that is known, and give its name. */
bool mail_spf_modifier_known(mail_str_t term, mail_str_t *name);
/*! Return whether a name is that of a mechanism, `ptr` among them. */
bool mail_spf_is_mechanism(mail_str_t name);
/*! Return whether a name is that of a modifier that is known. */
bool mail_spf_is_modifier(mail_str_t name);
