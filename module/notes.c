/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "notes.h"

#include <stdio.h>
#include <stdlib.h>

/*! Lines that wait at most. */
#define NOTES_MAX 16

typedef struct mail_note {
	struct mail_note *next; /*!< The one before. */
	int priority;
	char text[];
} note_t;

void mail_notes_add(mail_notes_t *notes, int priority, const char *text)
{
	const unsigned count = atomic_load(&notes->count);
	if (count >= NOTES_MAX || (count > 0 && strcmp(notes->last, text) == 0)) {
		return;
	}
	const size_t size = strlen(text) + 1;
	note_t *note = malloc(sizeof(*note) + size);
	if (note == NULL) {
		return;
	}
	note->priority = priority;
	memcpy(note->text, text, size);
	(void)snprintf(notes->last, sizeof(notes->last), "%s", text);
	atomic_fetch_add(&notes->count, 1);
	note->next = atomic_load(&notes->newest);
	while (!atomic_compare_exchange_weak(&notes->newest, &note->next, note)) {
	}
}

void mail_notes_write(mail_notes_t *notes, mail_log_t *log)
{
	if (atomic_load_explicit(&notes->newest, memory_order_relaxed) == NULL) {
		return;
	}
	note_t *note = atomic_exchange(&notes->newest, NULL), *oldest = NULL;
	while (note != NULL) {
		note_t *next = note->next;
		note->next = oldest;
		oldest = note;
		note = next;
	}
	while (oldest != NULL) {
		note_t *next = oldest->next;
		if (log != NULL) {
			mail_log_write(log, oldest->priority, "%s", oldest->text);
		}
		free(oldest);
		atomic_fetch_sub(&notes->count, 1);
		oldest = next;
	}
}
