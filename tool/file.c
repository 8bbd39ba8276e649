/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/out.h"

/* A file that a person wrote is not larger. */
#define FILE_MAX ((size_t)256 << 20)

static int read_all(int fd, mail_buf_t *out)
{
	char part[65536];
	int error = 0;
	ssize_t got = 1;
	while (error == 0 && got != 0) {
		got = read(fd, part, sizeof(part));
		if (got < 0) {
			error = errno == EINTR ? 0 : errno;
		} else if (out->len + (size_t)got > FILE_MAX) {
			error = EFBIG;
		} else if (mail_buf_put(out, part, (size_t)got) != KNOT_EOK) {
			error = ENOMEM;
		}
	}
	OPENSSL_cleanse(part, sizeof(part));
	return error;
}

int file_read(const char *path, mail_buf_t *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return errno;
	}
	int error = read_all(fd, out);
	(void)close(fd);
	return error;
}

void tool_read(tool_t *tool, const char *path, mail_buf_t *out)
{
	bool standard = strcmp(path, "-") == 0;
	int error = standard ? read_all(STDIN_FILENO, out) : file_read(path, out);
	if (error != 0) {
		file_fail(tool, standard ? "standard input" : path, error);
	}
}

void file_place(tool_t *tool, const char *path, mail_str_t text)
{
	mail_diag_t *diag = &tool->diag;
	const size_t at = diag->column > 0 ? diag->column - 1 : 0;
	tool->file = path;
	tool->file_columns = diag->column > 0;
	diag->line = 1;
	for (size_t i = 0; i < at && i < text.len; i++) {
		if (text.data[i] == '\n') {
			diag->line++;
			diag->column = (uint32_t)(at - i);
		}
	}
}

void file_wipe(mail_buf_t *buf)
{
	if (buf->data != NULL) {
		OPENSSL_cleanse(buf->data, buf->cap);
	}
	mail_buf_free(buf);
}

void file_fail(tool_t *tool, const char *path, int error)
{
	tool_fail(tool, knot_map_errno_code(error), "%s: %s", path, strerror(error));
}

static int write_all(int fd, mail_str_t text)
{
	while (text.len > 0) {
		ssize_t put = write(fd, text.data, text.len);
		if (put < 0 && errno != EINTR) {
			return errno;
		}
		if (put > 0) {
			text.data += put;
			text.len -= (size_t)put;
		}
	}
	/* Some file systems have nothing to synchronise. */
	return fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
}

void file_write_new(tool_t *tool, const char *path, unsigned mode, mail_str_t text)
{
	/* Made with the least rights: nobody can open it before it has its mode. */
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		file_fail(tool, path, errno);
	}
	files_note(tool, path);
	int error = fchmod(fd, mode) == 0 ? write_all(fd, text) : errno;
	if (close(fd) != 0 && error == 0) {
		error = errno;
	}
	if (error != 0) {
		file_fail(tool, path, error);
	}
}

void files_note(tool_t *tool, const char *path)
{
	/* Each with its terminator. */
	if (mail_buf_put(&tool->files, path, strlen(path) + 1) != KNOT_EOK) {
		(void)unlink(path);
		tool_fail(tool, KNOT_ENOMEM, "out of memory");
	}
}

void files_keep(tool_t *tool)
{
	mail_buf_free(&tool->files);
}

void files_remove(tool_t *tool)
{
	for (size_t pos = 0; pos < tool->files.len;) {
		const char *path = (const char *)tool->files.data + pos;
		(void)unlink(path);
		pos += strlen(path) + 1;
	}
	mail_buf_free(&tool->files);
}
