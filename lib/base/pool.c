/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mail/pool.h"

#include <stdlib.h>

struct mail_pool_block {
	mail_pool_block_t *next;
	max_align_t memory[];
};

static void *take(void *ctx, size_t size)
{
	mail_pool_t *pool = ctx;
	mail_pool_block_t *block = malloc(sizeof(*block) + size);
	if (block == NULL) {
		return NULL;
	}
	block->next = pool->blocks;
	pool->blocks = block;
	return block->memory;
}

static void leave(void *memory)
{
	(void)memory;
}

knot_mm_t mail_pool_mm(mail_pool_t *pool)
{
	return (knot_mm_t){ .ctx = pool, .alloc = take, .free = leave };
}

void mail_pool_free(mail_pool_t *pool)
{
	while (pool->blocks != NULL) {
		mail_pool_block_t *next = pool->blocks->next;
		free(pool->blocks);
		pool->blocks = next;
	}
}
