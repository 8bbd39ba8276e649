/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writers take turns.
 *
 * The turn is a lock on the open data.mdb (fcntl(2), F_OFD_SETLK), and so are the places in the queue. Whoever may write
 * the store can lock it, no further file is needed, and the kernel takes the locks of a process that dies. LMDB does not
 * lock data.mdb. The octets that are locked lie far behind its end:
 *
 *     TURN_AT - since ... TURN_AT + pid    the turn; where the range begins and ends tells others who has it
 *     QUEUE_AT + n                         the n-th place; who waits has the one behind the last that is taken
 *
 * A writer takes the turn when nobody waits before it. While it waits it looks every few milliseconds, and does not sleep
 * in the kernel: so it sees that its time is over, and that the one before it does not take the turn, because it was
 * stopped. Whatever order the places say, one process alone has the turn, and LMDB's own mutex is below it.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <lmdb.h>

#include "mail/turn.h"
#include "store/internal.h"

#define TURN_AT ((off_t)1 << 60)
#define QUEUE_AT ((off_t)1 << 61)
/*! Milliseconds between two looks: at first, and at most. */
#define NAP_MIN 1
#define NAP_MAX 32
/*! Who has not taken a free turn after so many milliseconds is passed over. */
#define ATTENTION 500
/*! A program that knows no turns is busy when LMDB does not let us in for so many milliseconds: so busy is no machine. */
#define COURTESY 250

/*! A wait. */
typedef struct {
	int fd;      /*!< Of data.mdb. */
	off_t place; /*!< Taken in the queue; 0: none. */
	int64_t began;
	mail_wait_f waiting;
	void *ctx;
} queue_t;

static int64_t now_ms(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void nap(long ms)
{
	struct timespec time = { 0, ms * 1000000 };
	(void)nanosleep(&time, NULL);
}

/*! Lock or unlock a range. \return 0; EAGAIN: another has it; or errno. */
static int lock(int fd, short type, off_t from, off_t len)
{
	struct flock range = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = from, .l_len = len
	};
	if (fcntl(fd, F_OFD_SETLK, &range) == 0) {
		return 0;
	}
	return errno == EACCES ? EAGAIN : errno;
}

/*! Find a lock of another in a range; len 0: up to the end. \return Whether there is one. */
static bool find(int fd, off_t from, off_t len, struct flock *found)
{
	*found = (struct flock){
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = from, .l_len = len
	};
	return fcntl(fd, F_OFD_GETLK, found) == 0 && found->l_type != F_UNLCK;
}

/*! Find out who has the turn. \return false: nobody. */
static bool look(int fd, mail_writer_t *writer)
{
	struct flock turn;
	if (!find(fd, TURN_AT, 1, &turn)) {
		return false;
	}
	writer->since = TURN_AT - turn.l_start;
	writer->pid = (pid_t)(turn.l_len - writer->since);
	return true;
}

/*! Take the turn. \return As lock(). */
static int take(int fd)
{
	const time_t now = time(NULL);
	return lock(fd, F_WRLCK, TURN_AT - now, now + getpid());
}

/*! Return whether others wait before a place; before anybody who has none. */
static bool is_behind(const queue_t *queue)
{
	struct flock other;
	return find(queue->fd, QUEUE_AT, queue->place > 0 ? queue->place - QUEUE_AT : 0, &other);
}

/*! Take the place behind the last one. Two that come at the same time want the same one: then another time. */
static void queue_up(queue_t *queue)
{
	struct flock other;
	/* The first place gives is_behind() a range that is not empty. */
	off_t place = QUEUE_AT + 1;
	while (find(queue->fd, place, 0, &other)) {
		place = other.l_start + other.l_len;
	}
	if (lock(queue->fd, F_WRLCK, place, 1) == 0) {
		queue->place = place;
	}
}

static void leave_queue(queue_t *queue)
{
	if (queue->place > 0) {
		(void)lock(queue->fd, F_UNLCK, queue->place, 1);
		queue->place = 0;
	}
}

/*! Wait for the turn. \return KNOT_EOK; KNOT_EBUSY: the wait was ended. */
static int wait_turn(queue_t *queue)
{
	long ms = NAP_MIN;
	int64_t busy = queue->began;
	for (;;) {
		mail_writer_t writer;
		if (!is_behind(queue) || now_ms() - busy > ATTENTION) {
			int error = take(queue->fd);
			if (error != EAGAIN) {
				/* A kernel or file system without such locks has no turns. */
				leave_queue(queue);
				return KNOT_EOK;
			}
		}
		if (look(queue->fd, &writer)) {
			busy = now_ms();
			if (queue->waiting != NULL &&
			    !queue->waiting(&writer, busy - queue->began, queue->ctx)) {
				leave_queue(queue);
				return KNOT_EBUSY;
			}
		}
		if (queue->place == 0) {
			queue_up(queue);
		}
		nap(ms);
		ms = 2 * ms < NAP_MAX ? 2 * ms : NAP_MAX;
	}
}

/*! End the turn. */
static void end_turn(mail_env_t *env)
{
	mdb_filehandle_t fd;
	if (mdb_env_get_fd(env->mdb, &fd) == MDB_SUCCESS) {
		(void)lock(fd, F_UNLCK, TURN_AT / 2, TURN_AT);
	}
}

/*
 * LMDB cannot be asked whether somebody writes, and its wait has no end. So a thread waits in the place of the caller: when
 * LMDB lets it in, nobody writes. A program that begins to write in the moment between is waited for without end.
 */

/*! A look whether somebody writes. The last of both threads frees it. */
typedef struct {
	mail_env_t *env;
	pthread_mutex_t mutex;
	bool begun, let_in, given_up;
} probe_t;

static void probe_free(probe_t *probe)
{
	pthread_mutex_destroy(&probe->mutex);
	free(probe);
}

static void *probe_run(void *arg)
{
	probe_t *probe = arg;
	MDB_txn *txn;
	pthread_mutex_lock(&probe->mutex);
	probe->begun = true;
	pthread_mutex_unlock(&probe->mutex);
	/* Whatever is wrong meets the caller again. */
	if (mdb_txn_begin(probe->env->mdb, NULL, 0, &txn) == MDB_SUCCESS) {
		mdb_txn_abort(txn);
	}
	pthread_mutex_lock(&probe->mutex);
	const bool given_up = probe->given_up;
	probe->let_in = true;
	pthread_mutex_unlock(&probe->mutex);
	if (given_up) {
		probe_free(probe);
	}
	return NULL;
}

/*! Begin a look. NULL: there are no means for one. */
static probe_t *probe_begin(mail_env_t *env, pthread_t *thread)
{
	probe_t *probe = calloc(1, sizeof(*probe));
	if (probe == NULL) {
		return NULL;
	}
	probe->env = env;
	if (pthread_mutex_init(&probe->mutex, NULL) != 0) {
		free(probe);
		return NULL;
	}
	if (pthread_create(thread, NULL, probe_run, probe) != 0) {
		probe_free(probe);
		return NULL;
	}
	return probe;
}

/*! Wait until no program writes that knows no turns. \return KNOT_EOK; KNOT_EBUSY: the wait was ended. */
static int wait_others(const queue_t *queue, mail_env_t *env)
{
	static const mail_writer_t unknown;
	pthread_t thread;
	probe_t *probe = probe_begin(env, &thread);
	if (probe == NULL) {
		return KNOT_EOK;
	}
	int64_t began = now_ms();
	for (long ms = NAP_MIN;; ms = 2 * ms < NAP_MAX ? 2 * ms : NAP_MAX) {
		pthread_mutex_lock(&probe->mutex);
		const bool let_in = probe->let_in;
		const int64_t now = now_ms();
		began = probe->begun ? began : now;
		probe->given_up = !let_in && now - began > COURTESY &&
		                  !queue->waiting(&unknown, now - queue->began, queue->ctx);
		const bool given_up = probe->given_up;
		pthread_mutex_unlock(&probe->mutex);
		if (let_in) {
			(void)pthread_join(thread, NULL);
			probe_free(probe);
			return KNOT_EOK;
		}
		if (given_up) {
			env->is_waited_for = true;
			(void)pthread_detach(thread);
			return KNOT_EBUSY;
		}
		nap(ms);
	}
}

int mail_txn_take_turn(mail_store_t *store, mail_wait_f waiting, void *ctx, mail_txn_t **txn)
{
	mail_env_t *env = store->env;
	queue_t queue = { .began = now_ms(), .waiting = waiting, .ctx = ctx };
	*txn = NULL;
	if (!store->writable) {
		return KNOT_EACCES;
	}
	if (mail_env_writes(env)) {
		return KNOT_EBUSY;
	}
	int rc = mdb_env_get_fd(env->mdb, &queue.fd);
	if (rc != MDB_SUCCESS) {
		return mail_store_code(rc);
	}
	int ret = wait_turn(&queue);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (waiting != NULL) {
		ret = wait_others(&queue, env);
	}
	if (ret == KNOT_EOK) {
		ret = mail_txn_begin(store, MAIL_STORE_WRITE, txn);
	}
	if (ret != KNOT_EOK) {
		end_turn(env);
		return ret;
	}
	(*txn)->ended = end_turn;
	return KNOT_EOK;
}
