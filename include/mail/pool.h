/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Memory of packets outside of knotd: taken piece by piece, freed at once.
 *
 * Thread rule: a pool is used by one thread at a time.
 */
#pragma once

#include <libknot/mm_ctx.h>
#include <stddef.h>

typedef struct mail_pool_block mail_pool_block_t;

/*! Zeroed is empty. */
typedef struct {
	mail_pool_block_t *blocks;
} mail_pool_t;

/*! Return what libknot takes memory of a pool by. The pool stays where it is. */
knot_mm_t mail_pool_mm(mail_pool_t *pool);
/*! Free all that was taken. */
void mail_pool_free(mail_pool_t *pool);
