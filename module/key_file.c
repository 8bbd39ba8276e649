/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct mail_key_room {
	uint8_t octets[MAIL_KEY_FILE_MAX];
};

mail_key_room_t *mail_key_room_new(void)
{
	mail_key_room_t *room = mmap(NULL, sizeof(*room), PROT_READ | PROT_WRITE,
	                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (room == MAP_FAILED) {
		return NULL;
	}
	// Both at best: a limit may forbid it.
	(void)mlock(room, sizeof(*room));
	(void)madvise(room, sizeof(*room), MADV_DONTDUMP);
	return room;
}

void mail_key_room_free(mail_key_room_t *room)
{
	if (room == NULL) {
		return;
	}
	explicit_bzero(room, sizeof(*room));
	(void)munlock(room, sizeof(*room));
	(void)munmap(room, sizeof(*room));
}

/*! Put what errno says of a file into diag. \return The code for it. */
static int fail_errno(int error, mail_diag_t *diag)
{
	(void)mail_diag_error(diag, 0, "%s", strerror(error));
	switch (error) {
	case ENOENT:
	case ENOTDIR: return KNOT_ENOENT;
	case EACCES:
	case EPERM: return KNOT_EACCES;
	case ENOMEM: return KNOT_ENOMEM;
	default: return KNOT_ERROR;
	}
}

/*! Check whether an open file may be one that holds a private key. */
static int check_file(int fd, mail_diag_t *diag)
{
	struct stat st;
	if (fstat(fd, &st) != 0) {
		return fail_errno(errno, diag);
	}
	if (!S_ISREG(st.st_mode)) {
		return mail_diag_error(diag, 0, "not a regular file");
	}
	if ((st.st_mode & S_IRWXO) != 0) {
		// As ssh does: who has read it already cannot be known.
		(void)mail_diag_error(diag, 0, "mode %04o, accessible for everybody (chmod o=)",
		                      (unsigned)(st.st_mode & 07777));
		return KNOT_EACCES;
	}
	if (st.st_size > MAIL_KEY_FILE_MAX) {
		return mail_diag_error(diag, 0, "too large for a key");
	}
	return KNOT_EOK;
}

/*! Read a file from its beginning; one that grows meanwhile is cut. */
static int read_file(int fd, mail_key_room_t *room, size_t *len, mail_diag_t *diag)
{
	*len = 0;
	while (*len < sizeof(room->octets)) {
		ssize_t count = read(fd, room->octets + *len, sizeof(room->octets) - *len);
		if (count == 0) {
			break;
		}
		if (count > 0) {
			*len += (size_t)count;
		} else if (errno != EINTR) {
			return fail_errno(errno, diag);
		}
	}
	return KNOT_EOK;
}

/*! Check whether a key is the one that the store names. */
static int check_key(const mail_private_t *key, const mail_dnskey_t *want, mail_diag_t *diag)
{
	mail_str_t public_key = { (const char *)want->public_key, want->public_len };
	if (mail_private_algorithm(key) != want->algorithm) {
		const char *name = mail_algorithm_name(mail_private_algorithm(key));
		return mail_diag_error(diag, 0, "a key of another algorithm (%s)",
		                       name != NULL ? name : "unknown");
	}
	if (!mail_str_equal(mail_private_public(key), public_key)) {
		return mail_diag_error(diag, 0, "another key: its public half is not the store's");
	}
	return KNOT_EOK;
}

int mail_key_file_read(mail_key_room_t *room, const char *path, const mail_dnskey_t *want,
                       mail_private_t **key, mail_diag_t *diag)
{
	*key = NULL;
	// O_NONBLOCK: not to wait for the other end of a FIFO.
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		return fail_errno(errno, diag);
	}
	size_t len = 0;
	int ret = check_file(fd, diag);
	if (ret != KNOT_EOK) {
		goto done;
	}
	ret = read_file(fd, room, &len, diag);
	if (ret != KNOT_EOK) {
		goto done;
	}
	ret = mail_private_read((mail_str_t){ (const char *)room->octets, len }, key, diag);
	if (ret != KNOT_EOK) {
		goto done;
	}
	ret = check_key(*key, want, diag);
	if (ret != KNOT_EOK) {
		mail_private_free(*key);
		*key = NULL;
	}
done:
	explicit_bzero(room->octets, len);
	(void)close(fd);
	return ret;
}
