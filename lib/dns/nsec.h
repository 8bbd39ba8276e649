/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief NSEC RDATA (RFC 4034 4), and the names of minimally covering ones (RFC 4470).
 *
 * Pure functions; any thread; no allocation.
 */
#pragma once

#include "mail/name.h"

/*! Most types of a bitmap. */
#define MAIL_NSEC_TYPES_MAX 64
/*! Longest RDATA: a name, and a window of 34 octets for each type. */
#define MAIL_NSEC_RDATA_MAX (KNOT_DNAME_MAXLEN + 34 * MAIL_NSEC_TYPES_MAX)

/*!
 * Write NSEC RDATA.
 *
 * \param next   The next owner.
 * \param types  In ascending order, each once.
 * \param out    Room for MAIL_NSEC_RDATA_MAX octets.
 *
 * \return Length of the RDATA.
 */
size_t mail_nsec_rdata(const knot_dname_t *next, const uint16_t *types, size_t count, uint8_t *out);

/*!
 * Write a name shortly before a name: every name between the two has a label with the octet 255 in it, or is
 * none that can be.
 *
 * \param name  In lower case; not the root.
 *
 * \return KNOT_EOK.
 */
int mail_nsec_before(const knot_dname_t *name, knot_dname_storage_t before);
/*!
 * Write a name shortly after a name and all that lies below it: between them there is nothing that is not
 * below the name, or is none that can be.
 *
 * \return KNOT_EOK; KNOT_ESPACE when there is none.
 */
int mail_nsec_after(const knot_dname_t *name, knot_dname_storage_t after);
/*! Write the first name below a name: \000 in front of it. \return KNOT_EOK, KNOT_ESPACE. */
int mail_nsec_first(const knot_dname_t *name, knot_dname_storage_t first);
