/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What becomes of a domain: its records, its values and where they come from, its MTA-STS policy.
 */

#include <stdlib.h>
#include <time.h>

#include "mail/mtasts.h"
#include "mail/profile.h"
#include "tool/records.h"

static int print_records(tool_t *tool, const zone_t *zone, const char *format)
{
	if (strcmp(format, "json") == 0 || strcmp(format, "ndjson") == 0) {
		return zone_print_json(tool, zone);
	}
	if (strcmp(format, "zone") == 0) {
		return zone_print_file(tool, zone, stdout);
	}
	if (strcmp(format, "paste") == 0) {
		return zone_print_paste(tool, zone);
	}
	if (strcmp(format, "table") == 0) {
		return zone_print_table(tool, zone);
	}
	return tool_usage(tool, "--format: %s is none of table, zone, json, paste", format);
}

int verb_records(tool_t *tool, int argc, char **argv)
{
	(void)argc;
	const char *format = option_value(tool, OPT_FORMAT);
	mail_buf_t name = { 0 };
	zone_t zone = { .now = time(NULL), .reports = option_is(tool, OPT_REPORTS) };
	int status = option_time(tool, OPT_AT, zone.now, &zone.now);
	if (status == STATUS_DONE) {
		status = tool_open(tool, MAIL_STORE_READ);
	}
	if (status == STATUS_DONE) {
		status = tool_id(tool, MAIL_SECTION_DOMAIN, argv[0], &name);
	}
	if (status == STATUS_DONE) {
		zone.domain = mail_buf_view(&name);
		status = print_records(tool, &zone,
		                       format != NULL ? format
		                       : tool->json   ? "json"
		                                      : "table");
	}
	mail_buf_free(&name);
	return status;
}

/*! \brief Reads the profile of a domain that a person named. */
static int open_profile(tool_t *tool, const char *text, mail_buf_t *name, mail_profile_t **profile)
{
	int status = tool_open(tool, MAIL_STORE_READ);
	if (status == STATUS_DONE) {
		status = tool_id(tool, MAIL_SECTION_DOMAIN, text, name);
	}
	if (status != STATUS_DONE) {
		return status;
	}
	int ret = mail_profile_of_domain(tool_source(tool), mail_buf_view(name), profile,
	                                 tool_diag(tool));
	if (ret != KNOT_EOK) {
		return zone_error(tool, &(zone_t){ .domain = mail_buf_view(name) }, ret);
	}
	return STATUS_DONE;
}

static int explain_one(const mail_profile_t *profile, const mail_item_t *item,
                       const mail_setting_t *setting, table_t *table)
{
	mail_buf_t value = { 0 }, layer = { 0 };
	(void)mail_item_print(item, setting->text, &value);
	(void)mail_profile_layer_print(profile, setting->layer, &layer);
	int ret = table_cell(table, 3, MAIL_STR(item->name));
	ret = ret == KNOT_EOK ? table_cell(table, 3, mail_buf_view(&value)) : ret;
	ret = ret == KNOT_EOK ? table_cell(table, 3, mail_buf_view(&layer)) : ret;
	mail_buf_free(&value);
	mail_buf_free(&layer);
	return ret;
}

static json_t *explain_json(const mail_profile_t *profile, const mail_item_t *item,
                            const mail_setting_t *setting)
{
	mail_buf_t value = { 0 }, layer = { 0 };
	(void)mail_item_print(item, setting->text, &value);
	(void)mail_profile_layer_print(profile, setting->layer, &layer);
	json_t *object = json_object();
	json_object_set_new(object, "item", json_string(item->name));
	json_object_set_new(object, "value", tool_json_str(mail_buf_view(&value)));
	json_object_set_new(object, "layer", tool_json_str(mail_buf_view(&layer)));
	mail_buf_free(&value);
	mail_buf_free(&layer);
	return object;
}

static void explain_layers(const mail_profile_t *profile)
{
	for (unsigned i = 0; i < profile->layer_count; i++) {
		mail_buf_t layer = { 0 };
		(void)mail_profile_layer_print(profile, i, &layer);
		(void)printf("%s%.*s", i > 0 ? " < " : "", (int)layer.len,
		             (const char *)layer.data);
		mail_buf_free(&layer);
	}
	(void)fputs("\n\n", stdout);
}

int verb_explain(tool_t *tool, int argc, char **argv)
{
	(void)argc;
	mail_buf_t name = { 0 };
	mail_profile_t *profile = NULL;
	table_t table = { 0 };
	json_t *values = json_array();
	int ret = KNOT_EOK;
	int status = open_profile(tool, argv[0], &name, &profile);
	for (const mail_item_t *item = mail_items; status == STATUS_DONE && item->name != NULL;
	     item++) {
		const mail_settings_t *settings = &profile->items[item->id];
		for (size_t i = 0; i < settings->count && ret == KNOT_EOK; i++) {
			if (tool->json) {
				json_array_append_new(
					values, explain_json(profile, item, &settings->values[i]));
			} else {
				ret = explain_one(profile, item, &settings->values[i], &table);
			}
		}
	}
	if (ret != KNOT_EOK) {
		status = tool_error(tool, ret, "out of memory");
	} else if (status == STATUS_DONE && tool->json) {
		json_t *object = json_object();
		json_object_set_new(object, "domain", tool_json_str(mail_buf_view(&name)));
		json_object_set_new(object, "alias", json_boolean(profile->alias));
		json_object_set(object, "values", values);
		(void)tool_json(object);
	} else if (status == STATUS_DONE) {
		explain_layers(profile);
	}
	table_print(&table);
	json_decref(values);
	mail_profile_free(profile);
	mail_buf_free(&name);
	return status;
}

/*! \brief The exchanges of a profile. \return Their number, or an error. */
static int exchanges(const mail_profile_t *profile, mail_mx_t *mx, mail_diag_t *diag)
{
	const mail_settings_t *settings = &profile->items[MAIL_ITEM_MX];
	for (size_t i = 0; i < settings->count && i < MAIL_LIST_MAX; i++) {
		int ret = mail_mx_parse(settings->values[i].text, &mx[i], diag);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return (int)settings->count;
}

/*! \brief Prints the body, with the line ends that RFC 8461 3.2 allows: CRLF. */
static int print_body(tool_t *tool, const mail_mtasts_t *sts, mail_str_t domain)
{
	mail_rdata_t body = { 0 };
	knot_dname_storage_t name;
	uint8_t *text = malloc(MAIL_RDATA_MAX);
	int ret = text == NULL ? KNOT_ENOMEM : mail_mtasts_body(sts, &body);
	if (ret == KNOT_EOK) {
		ret = mail_name_parse(domain, name, NULL);
	}
	if (ret == KNOT_EOK) {
		mail_apex_t apex = { name, domain };
		ret = mail_rdata_fill_text(&body, &apex, text, MAIL_RDATA_MAX);
	}
	if (ret >= 0 && tool->json) {
		json_t *object = json_object();
		json_object_set_new(object, "domain", tool_json_str(domain));
		json_object_set_new(object, "policy",
		                    tool_json_str((mail_str_t){ (const char *)text, (size_t)ret }));
		(void)tool_json(object);
	} else if (ret >= 0) {
		tool_put_str(stdout, (mail_str_t){ (const char *)text, (size_t)ret });
	}
	mail_rdata_free(&body);
	free(text);
	return ret >= 0 ? STATUS_DONE
	                : tool_error(tool, ret, "domain %.*s: %s", (int)domain.len, domain.data,
	                             knot_strerror(ret));
}

static int print_policy(tool_t *tool, const mail_profile_t *profile, mail_str_t domain)
{
	mail_mtasts_t sts = {
		.mode = mail_profile_value(profile, MAIL_ITEM_MTA_STS),
		.max_age = mail_profile_number(profile, MAIL_ITEM_MTA_STS_MAX_AGE,
		                               MAIL_MTASTS_MAX_AGE_DEFAULT),
	};
	if (sts.mode.len == 0 || mail_str_is(sts.mode, "off") ||
	    mail_profile_switch(profile, MAIL_ITEM_NO_MAIL)) {
		return tool_error(tool, KNOT_ENOENT, "domain %.*s: it has no MTA-STS policy",
		                  (int)domain.len, domain.data);
	}
	mail_mx_t *mx = calloc(MAIL_LIST_MAX, sizeof(*mx));
	int count = mx == NULL ? KNOT_ENOMEM : exchanges(profile, mx, tool_diag(tool));
	int status;
	if (count < 0) {
		status = zone_error(tool, &(zone_t){ .domain = domain }, count);
	} else {
		sts.mx = mx;
		sts.mx_count = (size_t)count;
		status = print_body(tool, &sts, domain);
	}
	free(mx);
	return status;
}

int verb_mta_sts_policy(tool_t *tool, int argc, char **argv)
{
	(void)argc;
	mail_buf_t name = { 0 };
	mail_profile_t *profile = NULL;
	int status = open_profile(tool, argv[0], &name, &profile);
	if (status == STATUS_DONE) {
		status = print_policy(tool, profile, mail_buf_view(&name));
	}
	mail_profile_free(profile);
	mail_buf_free(&name);
	return status;
}
