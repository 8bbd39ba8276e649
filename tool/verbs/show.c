/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What becomes of a domain: its records, its values and where they come from, its MTA-STS policy.
 */

#include <libknot/version.h>
#include <stdlib.h>
#include <time.h>

#include "tool/open.h"
#include "tool/options.h"
#include "tool/out.h"
#include "tool/records.h"
#include "tool/zone_file.h"

/* From Knot DNS 3.4 on a module can ask what a zone has at a name (module/zone.c). */
#define KNOT_VERSION_LOOKS 0x030400

static void print_file(tool_t *tool, const records_t *records)
{
	records_print_file(tool, records, stdout);
}

/*! \brief Read the zone that the options name. \return NULL: there is none. */
static zone_file_t *open_zone(tool_t *tool, mail_str_t domain, mail_zone_listing_t *zone)
{
	const char *path = option_value(tool, OPT_ZONE), *policy = option_value(tool, OPT_POLICY);
	if (path == NULL && policy != NULL) {
		tool_usage(tool, "--policy goes with --zone only");
	}
	if (path == NULL) {
		return NULL;
	}
	zone_file_t *file = zone_file_read(tool, path, domain);
	*zone = (mail_zone_listing_t){ .look = zone_file_look,
		                       .look_ctx = file,
		                       .looks = KNOT_VERSION_HEX >= KNOT_VERSION_LOOKS };
	if (policy != NULL) {
		zone->policy = tool_entry(tool, MAIL_SECTION_POLICY, policy)->id;
	}
	return file;
}

int verb_records(tool_t *tool)
{
	static const struct {
		const char *name;
		void (*print)(tool_t *tool, const records_t *records);
	} formats[] = {
		{ "json", records_print_json },
		{ "ndjson", records_print_json },
		{ "zone", print_file },
		{ "paste", records_print_paste },
	};
	const char *format = option_value(tool, OPT_FORMAT);
	records_t records = { .now = option_time(tool, OPT_AT, time(NULL)),
		              .reports = option_is(tool, OPT_REPORTS) };
	if (format == NULL && tool->json) {
		format = "json";
	}
	tool_open(tool, MAIL_STORE_READ);
	records.domain = tool_id(tool, MAIL_SECTION_DOMAIN, tool->argv[0]);
	mail_zone_listing_t zone;
	zone_file_t *file = open_zone(tool, records.domain, &zone);
	records.zone = file != NULL ? &zone : NULL;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (format != NULL && strcmp(format, formats[i].name) == 0) {
			formats[i].print(tool, &records);
			zone_file_free(file);
			return STATUS_DONE;
		}
	}
	records_print_table(tool, &records);
	zone_file_free(file);
	return STATUS_DONE;
}

/*! \brief Open the store and make the profile of a domain that a person named. */
static mail_profile_t *open_profile(tool_t *tool, const char *text, mail_str_t *domain)
{
	mail_profile_t *profile = NULL;
	tool_open(tool, MAIL_STORE_READ);
	*domain = tool_id(tool, MAIL_SECTION_DOMAIN, text);
	int ret = mail_profile_of_domain(tool_source(tool), *domain, &profile, tool_diag(tool));
	if (ret != KNOT_EOK) {
		tool_exit(tool, records_error(tool, *domain, ret));
	}
	return profile;
}

int verb_explain(tool_t *tool)
{
	mail_str_t domain;
	mail_profile_t *profile = open_profile(tool, tool->argv[0], &domain);
	static const char *const head[] = { "ITEM", "VALUE", "FROM" };
	table_t table = { .columns = 3, .head = head };
	json_t *values = json_array();
	for (const mail_item_t *item = mail_items; item->name != NULL; item++) {
		const mail_settings_t *settings = &profile->items[item->id];
		for (size_t i = 0; i < settings->count; i++) {
			mail_buf_t value = { 0 }, layer = { 0 };
			(void)mail_item_print(item, settings->values[i].text, &value);
			(void)mail_profile_layer_print(profile, settings->values[i].layer, &layer);
			if (tool->json) {
				(void)json_array_append_new(
					values,
					json_pack("{s:s, s:o, s:o}", "item", item->name, "value",
				                  tool_json_str(mail_buf_view(&value)), "layer",
				                  tool_json_str(mail_buf_view(&layer))));
			} else {
				table_cell(&table, MAIL_STR(item->name));
				table_cell(&table, mail_buf_view(&value));
				table_cell(&table, mail_buf_view(&layer));
			}
			mail_buf_free(&value);
			mail_buf_free(&layer);
		}
	}
	if (tool->json) {
		(void)tool_json(json_pack("{s:o, s:b, s:O}", "domain", tool_json_str(domain),
		                          "alias", profile->alias, "values", values));
	} else {
		mail_buf_t layers = { 0 };
		for (unsigned i = 0; i < profile->layer_count; i++) {
			(void)mail_buf_str(&layers, i > 0 ? " < " : "");
			(void)mail_profile_layer_print(profile, i, &layers);
		}
		(void)mail_buf_str(&layers, "\n\n");
		tool_put_str(stdout, mail_buf_view(&layers));
		mail_buf_free(&layers);
	}
	table_print(tool, &table);
	json_decref(values);
	mail_profile_free(profile);
	return STATUS_DONE;
}

int verb_mta_sts_policy(tool_t *tool)
{
	mail_str_t domain;
	mail_rdata_t body = { 0 };
	mail_profile_t *profile = open_profile(tool, tool->argv[0], &domain);
	int ret = mail_build_mtasts_body(profile, &body, tool_diag(tool));
	mail_profile_free(profile);
	if (ret == KNOT_ENOENT) {
		tool_fail(tool, ret, "domain %.*s: it has no MTA-STS policy", (int)domain.len,
		          domain.data);
	}
	/* The line ends are those that RFC 8461 3.2 allows: CRLF. */
	static uint8_t text[MAIL_RDATA_MAX];
	knot_dname_storage_t name;
	if (ret == KNOT_EOK) {
		ret = mail_name_parse(domain, name, NULL);
	}
	if (ret == KNOT_EOK) {
		const mail_apex_t apex = { name, domain };
		ret = mail_rdata_fill_text(&body, &apex, text, sizeof(text));
	}
	mail_rdata_free(&body);
	if (ret < 0) {
		tool_exit(tool, records_error(tool, domain, ret));
	}
	const mail_str_t policy = { (const char *)text, (size_t)ret };
	if (tool->json) {
		(void)tool_json(json_pack("{s:o, s:o}", "domain", tool_json_str(domain), "policy",
		                          tool_json_str(policy)));
	} else {
		tool_put_str(stdout, policy);
	}
	return STATUS_DONE;
}
