/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/knot_conf.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <libknot/yparser/yparser.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files that include files. */
#define DEPTH_MAX 8

/*! \brief Copy a text into the memory of the configuration. \return "" when there is no memory. */
static const char *keep(knot_conf_t *conf, const char *text, size_t len)
{
	knot_mm_t mm = mail_pool_mm(&conf->pool);
	char *copy = mm.alloc(mm.ctx, len + 1);
	if (copy == NULL) {
		return "";
	}
	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

/*! \brief Copy an id: in small letters, without the dot at the end of a zone's name. */
static const char *keep_id(knot_conf_t *conf, const char *section, const char *text, size_t len)
{
	char *id = (char *)keep(conf, text, len);
	for (size_t i = 0; i < len && id[0] != '\0'; i++) {
		id[i] = (char)tolower((unsigned char)id[i]);
	}
	if (strcmp(section, "zone") == 0 && len > 1 && id[len - 1] == '.') {
		id[len - 1] = '\0';
	}
	return id;
}

static void add(knot_conf_t *conf, const knot_setting_t *setting)
{
	if (conf->count == conf->room) {
		const size_t room = 2 * conf->room + 64;
		knot_setting_t *grown = realloc(conf->settings, room * sizeof(*grown));
		if (grown == NULL) {
			return;
		}
		conf->settings = grown;
		conf->room = room;
	}
	conf->settings[conf->count++] = *setting;
}

static bool read_file(knot_conf_t *conf, const char *path, unsigned depth);

/*! \brief Read the files that an include names: one, those of a directory, or those that a pattern fits. */
static bool include(knot_conf_t *conf, const char *from, const char *what, unsigned depth)
{
	char pattern[PATH_MAX];
	const char *slash = strrchr(from, '/');
	struct stat st;
	glob_t found;
	bool good = true;
	(void)snprintf(pattern, sizeof(pattern), "%.*s%s",
	               what[0] == '/' || slash == NULL ? 0 : (int)(slash - from + 1), from, what);
	if (stat(pattern, &st) == 0 && S_ISDIR(st.st_mode)) {
		(void)strncat(pattern, "/*", sizeof(pattern) - strlen(pattern) - 1);
	}
	if (glob(pattern, 0, NULL, &found) != 0) {
		return true; /* A pattern that nothing fits is no error. */
	}
	for (size_t i = 0; i < found.gl_pathc && good; i++) {
		good = read_file(conf, found.gl_pathv[i], depth + 1);
	}
	globfree(&found);
	return good;
}

/*! \brief Take what the parser has come to. */
static bool take(knot_conf_t *conf, const yp_parser_t *yp, knot_setting_t *now, const char *path,
                 unsigned depth)
{
	switch (yp->event) {
	case YP_EKEY0:
		if (strcmp(yp->key, "include") == 0) {
			return include(conf, path, yp->data, depth);
		}
		*now = (knot_setting_t){ keep(conf, yp->key, yp->key_len), "", "", "" };
		return true;
	case YP_EID:
		now->id = keep_id(conf, now->section, yp->data, yp->data_len);
		now->item = now->value = "";
		break;
	case YP_EKEY1:
		now->item = keep(conf, yp->key, yp->key_len);
		now->value = keep(conf, yp->data, yp->data_len);
		break;
	default: return true;
	}
	add(conf, now);
	return true;
}

static bool read_file(knot_conf_t *conf, const char *path, unsigned depth)
{
	if (depth > DEPTH_MAX || access(path, R_OK) != 0) {
		(void)snprintf(conf->error, sizeof(conf->error), "%.300s: %s", path,
		               depth > DEPTH_MAX ? "includes itself" : strerror(errno));
		return false;
	}
	yp_parser_t *yp = malloc(sizeof(*yp));
	if (yp == NULL) {
		return false;
	}
	knot_setting_t now = { "", "", "", "" };
	yp_init(yp);
	int ret = yp_set_input_file(yp, path);
	bool good = true;
	while (good) {
		ret = ret == KNOT_EOK ? yp_parse(yp) : ret;
		if (ret != KNOT_EOK) {
			break;
		}
		good = take(conf, yp, &now, path, depth);
	}
	/* An empty file cannot be mapped. */
	if (good && ret != KNOT_EOF && ret != KNOT_ENOENT) {
		(void)snprintf(conf->error, sizeof(conf->error), "%.300s:%zu: %s", path,
		               yp->line_count, knot_strerror(ret));
		good = false;
	}
	yp_deinit(yp);
	free(yp);
	return good;
}

bool knot_conf_read_file(knot_conf_t *conf, const char *path)
{
	return read_file(conf, path, 0);
}

/*
 * line   = section ["[" id "]"] "." item " =" *( " " value )
 * value  = text without blanks / DQUOTE text DQUOTE
 */
static void read_line(knot_conf_t *conf, const char *line, size_t len)
{
	const char *end = line + len, *equals = memmem(line, len, " =", 2);
	const char *bracket = equals != NULL ? memchr(line, '[', (size_t)(equals - line)) : NULL;
	const char *name_end = bracket;
	knot_setting_t setting = { "", "", "", "" };
	if (equals == NULL) {
		return;
	}
	const char *dot = bracket != NULL ? memmem(bracket, (size_t)(equals - bracket), "].", 2)
	                                  : memchr(line, '.', (size_t)(equals - line));
	if (dot == NULL) {
		return;
	}
	setting.section = keep(conf, line, (size_t)((bracket != NULL ? name_end : dot) - line));
	const char *item = dot + (bracket != NULL ? 2 : 1);
	if (bracket != NULL) {
		setting.id = keep_id(conf, setting.section, bracket + 1,
		                     (size_t)(dot - bracket - 1));
	}
	setting.item = keep(conf, item, (size_t)(equals - item));
	for (const char *at = equals + 2; at < end;) {
		at += strspn(at, " ") < (size_t)(end - at) ? strspn(at, " ") : (size_t)(end - at);
		const char quote = at < end && *at == '"' ? '"' : ' ';
		at += quote == '"';
		const char *stop = at < end ? memchr(at, quote, (size_t)(end - at)) : NULL;
		stop = stop != NULL ? stop : end;
		setting.value = keep(conf, at, (size_t)(stop - at));
		/* "zone.domain = a." and the like name the ids of a section. */
		if (bracket == NULL &&
		    (strcmp(setting.item, "id") == 0 || strcmp(setting.item, "domain") == 0 ||
		     strcmp(setting.item, "target") == 0)) {
			knot_setting_t named = { setting.section, "", "", "" };
			named.id = keep_id(conf, setting.section, at, (size_t)(stop - at));
			add(conf, &named);
		} else {
			add(conf, &setting);
		}
		at = stop + 1;
	}
}

void knot_conf_read_lines(knot_conf_t *conf, const char *text)
{
	while (*text != '\0') {
		const size_t len = strcspn(text, "\n");
		read_line(conf, text, len);
		text += len + (text[len] == '\n');
	}
}

void knot_conf_free(knot_conf_t *conf)
{
	mail_pool_free(&conf->pool);
	free(conf->settings);
	*conf = (knot_conf_t){ 0 };
}

const knot_setting_t *knot_conf_next(const knot_conf_t *conf, size_t *at, const char *section,
                                     const char *id, const char *item)
{
	while (*at < conf->count) {
		const knot_setting_t *setting = &conf->settings[(*at)++];
		if ((section == NULL || strcmp(setting->section, section) == 0) &&
		    (id == NULL || strcmp(setting->id, id) == 0) &&
		    (item == NULL || strcmp(setting->item, item) == 0)) {
			return setting;
		}
	}
	return NULL;
}

const char *knot_conf_value(const knot_conf_t *conf, const char *section, const char *id,
                            const char *item)
{
	size_t at = 0;
	const knot_setting_t *setting = knot_conf_next(conf, &at, section, id, item);
	return setting != NULL ? setting->value : NULL;
}
