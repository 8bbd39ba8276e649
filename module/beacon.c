/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "beacon.h"

#include <sys/mman.h>

int mail_beacon_init(mail_beacon_t *beacon)
{
	memset(beacon, 0, sizeof(*beacon));
	void *memory = mmap(NULL, MAIL_BEACON_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED) {
		return KNOT_ENOMEM;
	}
	beacon->memory = memory;
	atomic_store(&beacon->numbers[0], memory);
	atomic_store(&beacon->numbers[1], memory);
	return KNOT_EOK;
}

void mail_beacon_clear(mail_beacon_t *beacon)
{
	if (beacon->memory != NULL) {
		(void)munmap(beacon->memory, MAIL_BEACON_SIZE);
		beacon->memory = NULL;
	}
}

void mail_beacon_set(mail_beacon_t *beacon, const mail_store_t *store)
{
	const uint64_t *numbers[2] = { NULL, NULL };
	if (beacon->memory == NULL) {
		return;
	}
	atomic_store(&beacon->epoch, 0);
	atomic_thread_fence(memory_order_seq_cst);
	// So that a file which was removed does not stay on the disk.
	(void)mmap(beacon->memory, MAIL_BEACON_SIZE, PROT_READ,
	           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (store == NULL || mail_store_beacon(store, beacon->memory, numbers) != KNOT_EOK) {
		return;
	}
	for (size_t i = 0; i < 2; i++) {
		atomic_store(&beacon->numbers[i], numbers[i]);
	}
	atomic_store(&beacon->epoch, mail_beacon_state_of(mail_store_epoch(store), 0));
}
