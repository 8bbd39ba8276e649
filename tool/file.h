/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Files that a verb reads and writes. What is written goes away again when the verb fails.
 */
#pragma once

#include "tool/verb.h"

/*! Read a whole file, and append it. \return 0 or an errno. */
int file_read(const char *path, mail_buf_t *out);
/*! As file_read(); "-" is the standard input, and what fails ends the process after a message. */
void tool_read(tool_t *tool, const char *path, mail_buf_t *out);
/*! Make the place in tool->diag, which is one in the text of a file, its line and column. */
void file_place(tool_t *tool, const char *path, mail_str_t text);
/*! Wipe a buffer that held a secret, and free it. */
void file_wipe(mail_buf_t *buf);

/*! End the process: "PATH: what the errno says". */
void file_fail(tool_t *tool, const char *path, int error) __attribute__((noreturn));
/*! Make a file that must not be there, with a mode whatever the umask, and write it to the disk. */
void file_write_new(tool_t *tool, const char *path, unsigned mode, mail_str_t text);
/*! Note a file that is to be removed when the verb fails; the path is copied. */
void files_note(tool_t *tool, const char *path);
/*! Keep all files that were noted: the verb has succeeded. */
void files_keep(tool_t *tool);
/*! Remove all files that were noted. */
void files_remove(tool_t *tool);
