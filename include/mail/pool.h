/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief A memory pool for packets outside of knotd: pieces are allocated one by one, and freed all at once.
 *
 * Thread rule: one thread at a time uses a pool.
 */
#pragma once

#include <libknot/mm_ctx.h>
#include <stddef.h>

typedef struct mail_pool_block mail_pool_block_t;

/*! A pool. A zeroed object is empty. */
typedef struct {
	mail_pool_block_t *blocks;
} mail_pool_t;

/*!
 * Return the context with which libknot allocates from a pool. The pool must not move while the context is in
 * use.
 */
knot_mm_t mail_pool_mm(mail_pool_t *pool);
/*! Free all pieces of a pool, and make it empty. */
void mail_pool_free(mail_pool_t *pool);
