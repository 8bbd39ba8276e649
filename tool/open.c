/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mail/change.h"
#include "mail/dkim_id.h"
#include "tool/guard.h"
#include "tool/out.h"

/* A file that a person wrote is not larger. */
#define FILE_MAX ((size_t)256 << 20)

int tool_open(tool_t *tool, mail_store_mode_t mode)
{
	mail_diag_t *diag = tool_diag(tool);
	int ret = mail_store_open(tool->path, mode, 1, &tool->store, diag);
	if (ret != KNOT_EOK) {
		tool->store = NULL;
		const char *hint = ret == KNOT_ENOENT ? " (kmailctl init makes one)" : "";
		return tool_error(tool, ret, "%s%s%s%s",
		                  diag->text[0] == '\0' ? tool->path : diag->text,
		                  diag->text[0] == '\0' ? ": " : "",
		                  diag->text[0] == '\0' ? knot_strerror(ret) : "", hint);
	}
	/* Slots of readers that were killed would make every write grow the file. */
	if (mode == MAIL_STORE_WRITE) {
		(void)mail_store_clear_readers(tool->store);
	}
	ret = mail_txn_begin(tool->store, mode, &tool->txn);
	if (ret != KNOT_EOK) {
		tool->txn = NULL;
		return tool_error(tool, ret, "%s: cannot begin a transaction: %s", tool->path,
		                  knot_strerror(ret));
	}
	return STATUS_DONE;
}

int tool_commit(tool_t *tool)
{
	if (guard_check(tool) != STATUS_DONE) {
		return STATUS_FAILED;
	}
	mail_txn_t *txn = tool->txn;
	tool->txn = NULL;
	int ret = mail_txn_commit(txn);
	if (ret != KNOT_EOK) {
		(void)tool_diag(tool);
		tool->file = NULL;
		return tool_error_diag(tool, ret);
	}
	return STATUS_DONE;
}

void tool_close(tool_t *tool)
{
	guard_free(tool);
	mail_txn_abort(tool->txn);
	tool->txn = NULL;
	mail_store_close(tool->store);
	tool->store = NULL;
}

const mail_source_t *tool_source(tool_t *tool)
{
	return mail_txn_source(tool->txn);
}

int tool_id(tool_t *tool, mail_section_t section, const char *text, mail_buf_t *out)
{
	mail_diag_t *diag = tool_diag(tool);
	int ret = mail_entry_id_normalise(section, MAIL_STR(text), out, diag);
	if (ret == KNOT_EOK) {
		ret = mail_buf_u8(out, '\0');
	}
	if (ret != KNOT_EOK) {
		return tool_error(tool, ret, "%s %s: %s", mail_section_name(section), text,
		                  diag->text[0] != '\0' ? diag->text : knot_strerror(ret));
	}
	out->len--;
	return STATUS_DONE;
}

int tool_error_damaged(tool_t *tool, mail_section_t section, mail_lf_t key, int code)
{
	mail_buf_t id = { 0 };
	if (mail_entry_id_from_key(section, key, &id) != KNOT_EOK) {
		id.len = 0;
		for (size_t i = 0; i < key.len; i++) {
			(void)mail_buf_printf(&id, "%02x", key.data[i]);
		}
	}
	int status = tool_error(tool, code, "%s %.*s: the stored entry cannot be read: %s",
	                        mail_section_name(section), (int)id.len, (const char *)id.data,
	                        knot_strerror(code));
	mail_buf_free(&id);
	return status;
}

int tool_entry(tool_t *tool, mail_section_t section, const char *id, mail_entry_t **entry)
{
	mail_buf_t name = { 0 };
	int status = tool_id(tool, section, id, &name);
	if (status == STATUS_DONE) {
		int ret = mail_txn_get(tool->txn, section, mail_buf_view(&name), entry);
		if (ret == KNOT_ENOENT) {
			status = tool_error(tool, ret, "%s %s: there is none",
			                    mail_section_name(section), (const char *)name.data);
		} else if (ret != KNOT_EOK) {
			status = tool_error(tool, ret, "%s %s: the stored entry cannot be read: %s",
			                    mail_section_name(section), (const char *)name.data,
			                    knot_strerror(ret));
		}
	}
	mail_buf_free(&name);
	return status;
}

int tool_put(tool_t *tool, mail_entry_t *const *entries, size_t count)
{
	mail_diag_t *diag = tool_diag(tool);
	mail_change_t *change = mail_change_begin(tool->txn);
	int ret = change == NULL ? KNOT_ENOMEM : KNOT_EOK;
	for (size_t i = 0; i < count && ret == KNOT_EOK; i++) {
		ret = guard_note(tool, entries[i]);
		ret = ret == KNOT_EOK ? mail_change_put(change, entries[i], diag) : ret;
	}
	if (ret == KNOT_EOK) {
		ret = mail_change_finish(change, NULL, diag);
	}
	mail_change_free(change);
	return ret == KNOT_EOK ? STATUS_DONE : tool_error_diag(tool, ret);
}

int tool_walk(tool_t *tool, mail_section_t section, mail_str_t prefix,
              int (*each)(tool_t *tool, mail_entry_t *entry, void *ctx), void *ctx)
{
	const mail_lf_t top = { (const uint8_t *)prefix.data, prefix.len };
	mail_lf_storage_t key;
	int status = STATUS_DONE;
	mail_lf_copy(top, &key);
	while (!ferror(stdout)) {
		mail_entry_t *entry = NULL;
		int ret = mail_txn_next(tool->txn, section, &key, &entry);
		if (ret == KNOT_ENOENT || !mail_lf_in(mail_lf(&key), top)) {
			mail_entry_free(entry);
			return status;
		}
		if (ret == KNOT_EMALF || ret == KNOT_ENOTSUP) {
			status = tool_error_damaged(tool, section, mail_lf(&key), ret);
			continue;
		}
		if (ret != KNOT_EOK) {
			return tool_error(tool, ret, "%s: %s", tool->path, knot_strerror(ret));
		}
		int ended = each(tool, entry, ctx);
		if (ended != STATUS_DONE) {
			return ended;
		}
	}
	return STATUS_FAILED;
}

int tool_walk_keys(tool_t *tool, mail_str_t owner,
                   int (*each)(tool_t *tool, mail_entry_t *entry, void *ctx), void *ctx)
{
	/* Any selector makes an id of the owner. */
	mail_dkim_id_t parts;
	mail_dkim_walk_t walk;
	mail_buf_t id = { 0 };
	(void)mail_buf_put(&id, owner.data, owner.len);
	int ret = mail_buf_str(&id, "/x");
	if (ret == KNOT_EOK) {
		ret = mail_dkim_id_parse(mail_buf_view(&id), &parts, NULL);
	}
	if (ret == KNOT_EOK) {
		ret = mail_dkim_walk_begin(&walk, tool_source(tool), parts.section, parts.owner);
	}
	mail_buf_free(&id);
	if (ret != KNOT_EOK) {
		return tool_error(tool, ret, "%.*s: %s", (int)owner.len, owner.data,
		                  knot_strerror(ret));
	}
	const mail_str_t prefix = { (const char *)walk.top.data, walk.top.len };
	return tool_walk(tool, MAIL_SECTION_DKIM, prefix, each, ctx);
}

static int read_all(int fd, mail_buf_t *out)
{
	char part[65536];
	ssize_t got;
	while ((got = read(fd, part, sizeof(part))) != 0) {
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return errno;
		}
		if (out->len + (size_t)got > FILE_MAX) {
			return EFBIG;
		}
		if (mail_buf_put(out, part, (size_t)got) != KNOT_EOK) {
			return ENOMEM;
		}
	}
	return 0;
}

int tool_read(tool_t *tool, const char *path, mail_buf_t *out)
{
	bool standard = strcmp(path, "-") == 0;
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	int error = fd < 0 ? errno : read_all(fd, out);
	if (fd >= 0 && !standard) {
		(void)close(fd);
	}
	if (error != 0) {
		mail_buf_free(out);
		return tool_error(tool, knot_map_errno_code(error), "%s: %s",
		                  standard ? "standard input" : path, strerror(error));
	}
	return STATUS_DONE;
}

static int write_all(int fd, mail_str_t text)
{
	while (text.len > 0) {
		ssize_t put = write(fd, text.data, text.len);
		if (put < 0 && errno == EINTR) {
			continue;
		}
		if (put < 0) {
			return errno;
		}
		text.data += put;
		text.len -= (size_t)put;
	}
	return 0;
}

int tool_write_new(tool_t *tool, const char *path, unsigned mode, mail_str_t text)
{
	/* Made with the least rights: nobody can open it before it has its mode. */
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		return tool_error(tool, knot_map_errno_code(errno), "%s: %s", path,
		                  strerror(errno));
	}
	int error = fchmod(fd, mode) != 0 ? errno : write_all(fd, text);
	if (error == 0 && fsync(fd) != 0 && errno != EINVAL) {
		error = errno;
	}
	if (close(fd) != 0 && error == 0) {
		error = errno;
	}
	if (error != 0) {
		(void)unlink(path);
		return tool_error(tool, knot_map_errno_code(error), "%s: %s", path,
		                  strerror(error));
	}
	return STATUS_DONE;
}
