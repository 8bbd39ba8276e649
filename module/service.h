/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The stores that this process serves: one service for each path, shared by all instances of the
 *        module that name it with the same settings.
 *
 * A service opens its store when its first instance is loaded, tries again every second while it cannot
 * be opened, notices when it is replaced, and closes it when its last instance is unloaded. It reads the private
 * keys of the store's key sets, and follows what becomes of them. All that is done by one thread for each
 * service, which does not outlive the last unload.
 *
 * What the thread has to say goes to the log of an instance that is loaded globally. Without one it waits for
 * a zone's instance to ask for it: the name of a zone may be freed before its instance is unloaded, so no
 * other thread than knotd's own may log for it.
 *
 * Thread rule: attach and detach from any thread (a mutex). is_current, pin, equip and unpin only from the worker thread
 * that has the index. They allocate nothing, and wait for another thread only while that one works on the snapshot of
 * this very thread: it is ended, or the map has grown and is taken over.
 */
#pragma once

#include "log.h"
#include "mail/answer.h"
#include "mail/store.h"

typedef struct mail_service mail_service_t;

/*! What a worker thread holds while it answers one question. */
typedef struct {
	const mail_source_t *source;
	mail_txn_t *txn;
	uint64_t state; /*!< mail_state_of() the snapshot. */
	const struct mail_snapshot *snapshot;
	/* Set by mail_service_equip(). */
	mail_cache_t *cache;
	mail_signer_t *signer; /*!< NULL: the service signs nothing. */
	int64_t now;           /*!< Seconds since 1970, for the whole question. */
} mail_pin_t;

/*! What a service is made for. */
typedef struct {
	const char *store; /*!< Its directory. */
	const char *
		key_directory; /*!< NULL: nothing is signed; then any service of the store will do. */
	size_t signature_cache; /*!< Octets of signatures that are kept. */
	size_t plan_cache; /*!< Octets of plans that are kept: those of the section that is loaded first. */
	unsigned
		signature_budget; /*!< New signatures of a thread in a second, over UDP; 0: no bound. */
	unsigned
		log_interval; /*!< Seconds between two mentions of a missing key: the last one counts. */
	unsigned threads; /*!< Worker threads: indices are below. */
} mail_service_conf_t;

/*!
 * Take part in the service of a store; the first to do so starts it. A store that cannot be opened is
 * no error: it is logged, and tried again. Private keys are there when it returns, if that takes seconds.
 *
 * \param log     Where to say what happens to the store.
 * \param global  The log may be used from any thread until detach; else during this call only.
 *
 * \return KNOT_EOK; KNOT_ENOMEM; KNOT_ERROR when no thread could be started.
 */
int mail_service_attach(const mail_service_conf_t *conf, mail_log_t *log, bool global,
                        mail_service_t **service);
/*! End an attach; the last one stops the service. NULL is fine. \param log  Of a global attach, or NULL. */
void mail_service_detach(mail_service_t *service, mail_log_t *log);

/*! Write what the thread had to say and found nobody for. No lock; cheap when there is nothing. */
void mail_service_tell(mail_service_t *service, mail_log_t *log);

/*! Make an instance the one that counts for all zones' instances, until another one takes its place. */
void mail_service_count_by(mail_service_t *service, knotd_mod_t *mod);
/*! End that, if it still is; then no worker uses it any more. */
void mail_service_count_end(mail_service_t *service, knotd_mod_t *mod);
/*! The instance that counts for zones, or NULL; between pin and unpin only. */
knotd_mod_t *mail_service_counter(mail_service_t *service);

/*!
 * Return whether a state (mail_pin_t) is still that of the store's content, which costs much less than a snapshot. Not
 * between pin and unpin.
 *
 * \param service  NULL: no state is.
 *
 * \return False also when it is not known: state 0, a store that is not open, or that is just being changed.
 */
bool mail_service_is_current(mail_service_t *service, unsigned thread, uint64_t state);
/*!
 * Take a snapshot of the store.
 *
 * \return KNOT_EOK, then mail_service_unpin() is due; KNOT_ENOENT: the store is not open, and never
 *         was; KNOT_ERANGE: no such thread; KNOT_EAGAIN: for seconds some thread kept this one from a map that has
 *         grown; another error: of the store (it will be opened anew).
 */
int mail_service_pin(mail_service_t *service, unsigned thread, mail_pin_t *pin);
/*! Add what is needed to answer a question that is ours; between pin and unpin. */
void mail_service_equip(mail_service_t *service, unsigned thread, mail_pin_t *pin);
/*!
 * Take a snapshot while an instance is loaded, with what is needed to look at a domain, but nothing to sign with; loads
 * wait for one another. mail_service_look_end() is due after KNOT_EOK.
 *
 * \return As mail_service_pin().
 */
int mail_service_look(mail_service_t *service, mail_pin_t *pin);
/*! Stop using that snapshot. */
void mail_service_look_end(mail_service_t *service, mail_pin_t *pin);
/*! Stop using the snapshot, which stands for the next question if nobody commits (mail_txn_stand()). */
void mail_service_unpin(mail_service_t *service, unsigned thread, mail_pin_t *pin);
