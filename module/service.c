/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "service.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "notes.h"
#include "signers.h"
#include "wake.h"

/*! Milliseconds between two looks at the file, and two clearings of dead readers' slots. */
#define WATCH_PERIOD 1000
#define CLEAR_PERIOD 60000
/*! The same while a reader is about to end, or (so many times) another copy of the module to be unloaded. */
#define SHORT_PERIOD 50
#define SHORT_PERIODS 100
/*! Milliseconds that private keys may take when a store is opened, and in a turn of the thread. */
#define LOAD_PATIENCE 5000
#define TURN_PATIENCE 200
/*! Milliseconds for which a worker waits until no thread uses a map any more that has grown. */
#define MAP_PATIENCE 10000
/*! Directories that are watched. */
enum { WATCH_STORE, WATCH_KEYS };

struct mail_service {
	mail_service_t *next; /*!< In the registry. */
	char *path;
	char *key_directory; /*!< NULL: nothing is signed. */
	size_t signature_cache;
	unsigned signature_budget;
	unsigned refs; /*!< Under the registry's mutex. */

	unsigned threads;   /*!< Worker threads. */
	mail_shelf_t shelf; /*!< What hooks use; behind the workers' slots, that of loads. */
	pthread_mutex_t look_mutex;     /*!< Of the slot of loads. */
	_Atomic(knotd_mod_t *) counter; /*!< Counts for zones; used between pin and unpin. */
	mail_notes_t notes;             /*!< Added to under the mutex. */

	pthread_t thread;
	bool running;
	mail_wake_t wake;        /*!< What the thread waits for. */
	mail_signing_t *signing; /*!< NULL: nothing is signed. */
	bool reading;            /*!< Keys remain to be read. */
	atomic_uint interval;    /*!< Seconds between two mentions of a missing key. */
	int64_t cleared;         /*!< When dead readers' slots were last cleared, ms. */
	int64_t looked;          /*!< When unused snapshots were last looked for, ms. */
	bool stale;              /*!< A worker may have an old snapshot. */
	bool soon;               /*!< Try again after the short period. */
	unsigned hurry;          /*!< How often that is still done. */

	pthread_mutex_t mutex; /*!< For the rest. */
	mail_log_t **logs;     /*!< Of the attached global instances. */
	size_t log_count;
	mail_log_t *guest; /*!< Of an instance that is just being attached. */
};

/*! The services of this copy of the module. */
static struct {
	pthread_mutex_t mutex;
	mail_service_t *first;
} registry = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static int64_t uptime_ms(void)
{
	struct timespec ts = { 0 };
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/*! Return whether it is time again; a clock that went backwards (tests do that) counts as such. */
static bool is_due(int64_t *last, int64_t period)
{
	int64_t now = uptime_ms();
	if (now >= *last && now - *last < period) {
		return false;
	}
	*last = now;
	return true;
}

typedef void (*write_f)(mail_log_t *log, int priority, const char *fmt, ...);

void mail_service_tell(mail_service_t *service, mail_log_t *log)
{
	mail_notes_write(&service->notes, log);
}

/*! Write to the log of the instance that has been there longest. */
__attribute__((format(printf, 4, 5))) static void say(mail_service_t *service, write_f write,
                                                      int priority, const char *fmt, ...)
{
	char text[MAIL_NOTE_MAX];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);

	(void)pthread_mutex_lock(&service->mutex);
	mail_log_t *log = service->log_count > 0 ? service->logs[0] : service->guest;
	if (log != NULL) {
		write(log, priority, "%s", text);
	} else {
		mail_notes_add(&service->notes, priority, text);
	}
	(void)pthread_mutex_unlock(&service->mutex);
}

static void say_key(void *ctx, int priority, const char *text)
{
	// What is for debugging shall not use up the table of lines.
	say(ctx, priority == LOG_DEBUG ? mail_log_event : mail_log_write, priority, "%s", text);
}

/*! The signers that are to be published with a store. */
static mail_signers_t *signers_of(const mail_service_t *service)
{
	return service->signing != NULL ? mail_signing_signers(service->signing) : NULL;
}

/*! Follow the key sets of a store and the files of their keys. */
static void follow_keys(mail_service_t *service, const mail_epoch_t *epoch, unsigned patience)
{
	service->reading = service->signing != NULL &&
	                   mail_signing_follow(service->signing, epoch,
	                                       atomic_load(&service->interval), patience);
}

/*! Publish the keys that are there by now. */
static void keep_keys(mail_service_t *service)
{
	mail_epoch_t *epoch = mail_shelf_epoch(&service->shelf);
	if (epoch == NULL) {
		service->reading = false;
		return;
	}
	follow_keys(service, epoch, TURN_PATIENCE);
	if (mail_shelf_signers(&service->shelf) != signers_of(service)) {
		// Without memory: in the next turn.
		(void)mail_shelf_publish(&service->shelf, epoch, signers_of(service));
	}
}

/*! Take back what hooks use. \return Whether it is closed; else some worker is still at it. */
static bool close_store(mail_service_t *service)
{
	(void)mail_shelf_publish(&service->shelf, NULL, NULL);
	mail_shelf_sweep(&service->shelf);
	return service->shelf.retired == NULL;
}

/*! Open the store and publish it; what was open stays when that fails. */
static int open_store(mail_service_t *service)
{
	mail_epoch_t *old = mail_shelf_epoch(&service->shelf);
	mail_epoch_t *epoch = NULL;
	mail_diag_t diag = { 0 };
	const bool replaced = old != NULL;
	const unsigned threads = service->shelf.threads;
	int ret = mail_epoch_open(service->path, threads, &epoch, &diag);
	if (ret == KNOT_EBUSY && old != NULL && mail_epoch_blocks(old)) {
		// LMDB allows a lock file to be open once in a process, so ours has to go first. For
		// a moment nothing is open; if a worker is still at it, until the next attempt.
		if (!close_store(service)) {
			return ret;
		}
		ret = mail_epoch_open(service->path, threads, &epoch, &diag);
	}
	if (ret != KNOT_EOK) {
		goto fail;
	}

	// Its keys first, so that its first answers are signed.
	follow_keys(service, epoch, LOAD_PATIENCE);
	const uint64_t txnid = epoch->txnid;
	ret = mail_shelf_publish(&service->shelf, epoch, signers_of(service));
	mail_epoch_free(epoch);
	if (ret != KNOT_EOK) {
		goto fail;
	}
	say(service, mail_log_event, LOG_INFO, "store '%s' %s, transaction %" PRIu64, service->path,
	    replaced ? "replaced" : "opened", txnid);
	return KNOT_EOK;
fail:
	say(service, mail_log_write, LOG_ERR, "store not opened, %s (%s)%s",
	    diag.text[0] != '\0' ? diag.text : service->path, knot_strerror(ret),
	    mail_shelf_epoch(&service->shelf) != NULL ? "; the one that was open is still served"
	                                              : "");
	return ret;
}

/*! Open the store when it is not open, or when another file has taken its place. */
static void watch(mail_service_t *service)
{
	mail_epoch_t *epoch = mail_shelf_epoch(&service->shelf);
	if (epoch != NULL && atomic_load(&epoch->failed)) {
		say(service, mail_log_write, LOG_WARNING,
		    "store '%s' cannot be read; it is opened again", service->path);
		(void)close_store(service);
		epoch = NULL;
	}
	if (epoch != NULL && mail_store_is_current(epoch->store) == KNOT_EOK) {
		return;
	}
	if (epoch == NULL && service->shelf.retired != NULL) {
		return;  // Some worker is still at the old one.
	}
	// Another copy of the module may have it, which is unloaded after we were loaded.
	service->soon = open_store(service) == KNOT_EBUSY && service->hurry > 0;
	service->hurry -= service->soon ? 1 : 0;
}

/*! End snapshots that workers have kept, and should not any more. */
static void end_standing(mail_service_t *service)
{
	const mail_epoch_t *epoch = mail_shelf_epoch(&service->shelf);
	const bool idle = is_due(&service->looked, WATCH_PERIOD);
	service->stale = epoch != NULL && mail_store_end_standing(epoch->store, idle) > 0;
}

static void clear_readers(mail_service_t *service)
{
	const mail_epoch_t *epoch = mail_shelf_epoch(&service->shelf);
	int count = epoch != NULL ? mail_store_clear_readers(epoch->store) : 0;
	if (count > 0) {
		say(service, mail_log_event, LOG_INFO,
		    "store '%s': cleared %d readers of programs that were killed", service->path,
		    count);
	}
}

static void *keep_house(void *ctx)
{
	mail_service_t *service = ctx;

	mail_thread_enter();
	for (;;) {
		mail_wake_watch(&service->wake, WATCH_STORE, service->path);
		if (service->key_directory != NULL) {
			mail_wake_watch(&service->wake, WATCH_KEYS, service->key_directory);
		}
		bool soon = service->shelf.retired != NULL || service->soon || service->stale;
		int period = soon ? SHORT_PERIOD : WATCH_PERIOD;
		if (service->reading) {
			period = 0;
		}
		if (!mail_wake_wait(&service->wake, period)) {
			break;
		}
		watch(service);
		keep_keys(service);
		mail_shelf_sweep(&service->shelf);
		end_standing(service);
		if (is_due(&service->cleared, CLEAR_PERIOD)) {
			clear_readers(service);
		}
	}
	mail_thread_leave();
	return NULL;
}

/*! Start the thread; signals are knotd's own. */
static int start(mail_service_t *service)
{
	if (mail_wake_open(&service->wake) != KNOT_EOK) {
		return KNOT_ERROR;
	}
	sigset_t all, old;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	int ret = pthread_create(&service->thread, NULL, keep_house, service);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (ret != 0) {
		return KNOT_ERROR;
	}
	service->running = true;
	(void)pthread_setname_np(service->thread, "mod-mail");
	return KNOT_EOK;
}

/*! Stop the thread, if it runs, and frees the service; safe on a half-built one. */
static void service_free(mail_service_t *service)
{
	if (service->running) {
		mail_wake_end(&service->wake);
		(void)pthread_join(service->thread, NULL);
	}
	mail_wake_close(&service->wake);
	// No hook of ours runs any more, so nothing is pinned.
	mail_shelf_clear(&service->shelf);
	mail_signing_free(service->signing);
	mail_notes_write(&service->notes, NULL);
	free(service->logs);
	free(service->key_directory);
	free(service->path);
	(void)pthread_mutex_destroy(&service->look_mutex);
	(void)pthread_mutex_destroy(&service->mutex);
	free(service);
}

/*! Make what a service signs with, if it does. */
static int add_signing(mail_service_t *service, const mail_service_conf_t *conf)
{
	if (conf->key_directory == NULL) {
		return KNOT_EOK;
	}
	const mail_signing_conf_t signing = {
		.directory = conf->key_directory,
		.cache = conf->signature_cache,
		.budget = conf->signature_budget,
		.threads = conf->threads,
	};
	service->signature_cache = conf->signature_cache;
	service->signature_budget = conf->signature_budget;
	service->key_directory = strdup(conf->key_directory);
	if (service->key_directory == NULL) {
		return KNOT_ENOMEM;
	}
	service->signing = mail_signing_new(&signing, say_key, service);
	return service->signing != NULL ? KNOT_EOK : KNOT_ENOMEM;
}

static mail_service_t *service_new(const mail_service_conf_t *conf)
{
	mail_service_t *service = calloc(1, sizeof(*service));
	if (service == NULL) {
		return NULL;
	}
	service->wake = MAIL_WAKE_CLOSED;
	(void)pthread_mutex_init(&service->mutex, NULL);
	(void)pthread_mutex_init(&service->look_mutex, NULL);
	service->threads = conf->threads;
	service->path = strdup(conf->store);
	if (service->path == NULL ||
	    mail_shelf_init(&service->shelf, conf->threads + 1, conf->plan_cache) != KNOT_EOK ||
	    add_signing(service, conf) != KNOT_EOK) {
		service_free(service);
		return NULL;
	}
	return service;
}

static int add_log(mail_service_t *service, mail_log_t *log)
{
	int ret = KNOT_ENOMEM;
	(void)pthread_mutex_lock(&service->mutex);
	mail_log_t **logs = realloc(service->logs, (service->log_count + 1) * sizeof(*logs));
	if (logs != NULL) {
		logs[service->log_count++] = log;
		service->logs = logs;
		ret = KNOT_EOK;
	}
	(void)pthread_mutex_unlock(&service->mutex);
	return ret;
}

static void remove_log(mail_service_t *service, const mail_log_t *log)
{
	(void)pthread_mutex_lock(&service->mutex);
	for (size_t i = 0; i < service->log_count; i++) {
		if (service->logs[i] == log) {
			service->log_count--;
			memmove(&service->logs[i], &service->logs[i + 1],
			        (service->log_count - i) * sizeof(service->logs[0]));
			break;
		}
	}
	(void)pthread_mutex_unlock(&service->mutex);
}

/*! Make and starts a service; its first instance waits for the store to be opened, or not. */
static int service_start(const mail_service_conf_t *conf, mail_log_t *log, bool global,
                         mail_service_t **service)
{
	mail_service_t *s = service_new(conf);
	if (s == NULL) {
		return KNOT_ENOMEM;
	}
	atomic_store(&s->interval, conf->log_interval);
	int ret = KNOT_EOK;
	if (global) {
		ret = add_log(s, log);
		if (ret != KNOT_EOK) {
			goto fail;
		}
	}
	s->cleared = uptime_ms();
	s->hurry = SHORT_PERIODS;
	s->guest = log;
	s->soon = open_store(s) == KNOT_EBUSY;
	s->guest = NULL;
	ret = start(s);
	if (ret != KNOT_EOK) {
		goto fail;
	}
	s->next = registry.first;
	registry.first = s;
	*service = s;
	return KNOT_EOK;
fail:
	service_free(s);
	return ret;
}

/*! Return whether a service is what somebody wants. */
static bool is_wanted(const mail_service_t *service, const mail_service_conf_t *conf)
{
	// knotd never changes its number of threads; if it did, that would be another service.
	if (service->threads != conf->threads || strcmp(service->path, conf->store) != 0) {
		return false;
	}
	return conf->key_directory == NULL ||
	       (service->key_directory != NULL &&
	        strcmp(service->key_directory, conf->key_directory) == 0 &&
	        service->signature_cache == conf->signature_cache &&
	        service->signature_budget == conf->signature_budget);
}

int mail_service_attach(const mail_service_conf_t *conf, mail_log_t *log, bool global,
                        mail_service_t **service)
{
	(void)pthread_mutex_lock(&registry.mutex);
	mail_service_t *s = registry.first;
	while (s != NULL && !is_wanted(s, conf)) {
		s = s->next;
	}
	int ret = KNOT_EOK;
	if (s == NULL) {
		ret = service_start(conf, log, global, &s);
	} else if (global) {
		atomic_store(&s->interval, conf->log_interval);
		ret = add_log(s, log);
	}
	if (ret == KNOT_EOK) {
		s->refs++;
		*service = s;
	}
	(void)pthread_mutex_unlock(&registry.mutex);
	if (ret == KNOT_EOK) {
		mail_service_tell(s, log);
	}
	return ret;
}

void mail_service_detach(mail_service_t *service, mail_log_t *log)
{
	if (service == NULL) {
		return;
	}
	remove_log(service, log);
	(void)pthread_mutex_lock(&registry.mutex);
	if (--service->refs == 0) {
		mail_service_t **link = &registry.first;
		while (*link != service) {
			link = &(*link)->next;
		}
		*link = service->next;
		service_free(service);
	}
	(void)pthread_mutex_unlock(&registry.mutex);
}

void mail_service_count_by(mail_service_t *service, knotd_mod_t *mod)
{
	atomic_store(&service->counter, mod);
}

void mail_service_count_end(mail_service_t *service, knotd_mod_t *mod)
{
	knotd_mod_t *expected = mod;
	if (service == NULL ||
	    !atomic_compare_exchange_strong(&service->counter, &expected, NULL)) {
		return;
	}
	// Who pins from now on does not see it any more; a question takes microseconds.
	for (unsigned i = 0; i < service->shelf.threads; i++) {
		while (mail_shelf_is_taken(&service->shelf, i)) {
			(void)sched_yield();
		}
	}
}

knotd_mod_t *mail_service_counter(mail_service_t *service)
{
	return atomic_load(&service->counter);
}

/*!
 * Take up the snapshot that stands, or a new one.
 *
 * Another process may have made the map larger: then all threads have to be without a snapshot for a moment, and one of
 * them may be held up.
 */
static int take_snapshot(mail_txn_t *txn)
{
	static const struct timespec nap = { 0, 1000000 };
	int ret = mail_txn_resume(txn);
	for (unsigned i = 0; ret == KNOT_EAGAIN && i < MAP_PATIENCE; i++) {
		(void)nanosleep(&nap, NULL);
		ret = mail_txn_resume(txn);
	}
	return ret;
}

bool mail_service_is_current(mail_service_t *service, unsigned thread, uint64_t state)
{
	bool current = false;
	if (state == 0 || service == NULL || thread >= service->threads) {
		return false;
	}
	// What is pinned is not closed, so that the environment itself can be asked.
	const mail_snapshot_t *snapshot = mail_shelf_take(&service->shelf, thread);
	if (snapshot != NULL) {
		const mail_epoch_t *epoch = snapshot->epoch;
		const uint64_t newest = mail_txn_newest(epoch->txns[thread]);
		current = state - (epoch->number << MAIL_STATE_BITS) == newest;
	}
	mail_shelf_put(&service->shelf, thread);
	return current;
}

/*! Take a snapshot with a slot of the shelf. */
static int pin_slot(mail_service_t *service, unsigned thread, mail_pin_t *pin)
{
	const mail_snapshot_t *snapshot = mail_shelf_take(&service->shelf, thread);
	if (snapshot == NULL) {
		return KNOT_ENOENT;
	}

	mail_epoch_t *epoch = snapshot->epoch;
	pin->txn = epoch->txns[thread];
	int ret = take_snapshot(pin->txn);
	if (ret != KNOT_EOK) {
		// Whom a thread waits for in vain is no fault of the store.
		if (ret != KNOT_EAGAIN) {
			atomic_store(&epoch->failed, true);
		}
		mail_shelf_put(&service->shelf, thread);
		return ret;
	}
	pin->snapshot = snapshot;
	pin->signer = NULL;
	pin->source = mail_txn_source(pin->txn);
	pin->state = mail_state_of(epoch->number, mail_txn_id(pin->txn));
	return KNOT_EOK;
}

int mail_service_pin(mail_service_t *service, unsigned thread, mail_pin_t *pin)
{
	return thread < service->threads ? pin_slot(service, thread, pin) : KNOT_ERANGE;
}

/*! Add the time and the cache of a slot. */
static void equip_slot(mail_service_t *service, unsigned thread, mail_pin_t *pin)
{
	pin->now = time(NULL);
	pin->cache = mail_shelf_cache(&service->shelf, thread);
	mail_cache_sync(pin->cache, pin->snapshot->epoch->number, mail_txn_id(pin->txn));
}

void mail_service_equip(mail_service_t *service, unsigned thread, mail_pin_t *pin)
{
	const mail_snapshot_t *snapshot = pin->snapshot;
	equip_slot(service, thread, pin);
	if (snapshot->signers != NULL) {
		pin->signer = snapshot->signers->signers[thread];
		mail_signer_sync(pin->signer, pin->now);
	}
}

void mail_service_unpin(mail_service_t *service, unsigned thread, mail_pin_t *pin)
{
	mail_txn_stand(pin->txn);
	mail_shelf_put(&service->shelf, thread);
}

int mail_service_look(mail_service_t *service, mail_pin_t *pin)
{
	(void)pthread_mutex_lock(&service->look_mutex);
	int ret = pin_slot(service, service->threads, pin);
	if (ret != KNOT_EOK) {
		(void)pthread_mutex_unlock(&service->look_mutex);
		return ret;
	}
	equip_slot(service, service->threads, pin);
	return KNOT_EOK;
}

void mail_service_look_end(mail_service_t *service, mail_pin_t *pin)
{
	mail_service_unpin(service, service->threads, pin);
	(void)pthread_mutex_unlock(&service->look_mutex);
}
