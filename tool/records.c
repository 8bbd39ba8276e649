/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/records.h"

#include <search.h>
#include <stdlib.h>

#include "mail/kind.h"

/* Longest text of an RDATA: every octet as \DDD, and some quotes. */
#define DATA_MAX (4 * 65536 + 4096)

/* Steps of the clock ahead that a table tells of. */
#define STEPS_MAX 64

/*! \brief Where records are printed to, and room to do so. */
typedef struct {
	tool_t *tool;
	const zone_t *zone;
	FILE *file;
	table_t *table;
	void *shown; /*!< Tree of the lines that a table had; of what comes later only others are of interest. */
	char *data; /*!< DATA_MAX octets. */
	bool begun;
	bool soa;
	bool again;    /*!< What there was to warn of has been said. */
	int64_t until; /*!< The next change of any record. */
	int (*row)(const mail_listed_t *listed, const knot_rdata_t *rdata, void *ctx);
} printer_t;

int zone_error(tool_t *tool, const zone_t *zone, int code)
{
	const mail_diag_t *diag = &tool->diag;
	mail_entry_t *entry = NULL;
	int found = mail_txn_get(tool->txn, MAIL_SECTION_DOMAIN, zone->domain, &entry);
	mail_entry_free(entry);
	if (found == KNOT_ENOENT) {
		return tool_error(tool, code, "domain %.*s: there is none", (int)zone->domain.len,
		                  zone->domain.data);
	}
	return tool_error(tool, code, "domain %.*s: %s", (int)zone->domain.len, zone->domain.data,
	                  diag->text[0] != '\0' ? diag->text : knot_strerror(code));
}

int zone_text(const knot_rdata_t *rdata, mail_buf_t *out)
{
	size_t pos = 0;
	while (pos < rdata->len && pos + 1 + rdata->data[pos] <= rdata->len) {
		(void)mail_buf_put(out, rdata->data + pos + 1, rdata->data[pos]);
		pos += 1 + rdata->data[pos];
	}
	return out->error;
}

/*! \brief Writes the RDATA as master files have it. */
static int data_text(const mail_listed_t *listed, uint16_t index, char *out)
{
	int len = knot_rrset_txt_dump_data(listed->rrset, index, out, DATA_MAX,
	                                   &KNOT_DUMP_STYLE_DEFAULT);
	/* An empty last field leaves a blank, as of some CAA records. */
	while (len > 0 && out[len - 1] == ' ') {
		out[--len] = '\0';
	}
	return len < 0 ? len : KNOT_EOK;
}

static int type_text(uint16_t type, char *out, size_t size)
{
	return knot_rrtype_to_string(type, out, size) < 0 ? KNOT_EINVAL : KNOT_EOK;
}

static int each_rrset(const mail_listed_t *listed, void *ctx)
{
	printer_t *printer = ctx;
	const knot_rdata_t *rdata = listed->rrset->rrs.rdata;
	int ret = KNOT_EOK;
	if (listed->rrset->type == KNOT_RRTYPE_SOA) {
		printer->soa = true;
	}
	if (listed->until < printer->until) {
		printer->until = listed->until;
	}
	for (uint16_t i = 0; i < listed->rrset->rrs.count && ret == KNOT_EOK; i++) {
		ret = data_text(listed, i, printer->data);
		if (ret == KNOT_EOK) {
			ret = printer->row(listed, rdata, printer);
		}
		rdata = knot_rdataset_next((knot_rdata_t *)rdata);
	}
	/* Nobody reads on: no need to go on. */
	return ret == KNOT_EOK && ferror(printer->file) ? KNOT_EFILE : ret;
}

static int print_all(printer_t *printer)
{
	tool_t *tool = printer->tool;
	const zone_t *zone = printer->zone;
	printer->until = INT64_MAX;
	printer->data = malloc(DATA_MAX);
	if (printer->data == NULL) {
		return tool_error(tool, KNOT_ENOMEM, "out of memory");
	}
	mail_diag_t *diag = tool_diag(tool);
	diag->warn = printer->again ? NULL : diag->warn;
	const mail_listing_t listing = { .source = tool_source(tool),
		                         .now = zone->now,
		                         .reports = zone->reports,
		                         .signer = zone->signer,
		                         .each = each_rrset,
		                         .ctx = printer,
		                         .diag = diag };
	int ret = mail_answer_list(&listing, zone->domain);
	free(printer->data);
	printer->data = NULL;
	if (ret == KNOT_EFILE && ferror(printer->file)) {
		return STATUS_FAILED;
	}
	return ret == KNOT_EOK ? STATUS_DONE : zone_error(tool, zone, ret);
}

static int file_row(const mail_listed_t *listed, const knot_rdata_t *rdata, void *ctx)
{
	(void)rdata;
	printer_t *printer = ctx;
	const zone_t *zone = printer->zone;
	knot_dname_txt_storage_t owner;
	char type[16];
	if (knot_dname_to_str(owner, listed->rrset->owner, sizeof(owner)) == NULL ||
	    type_text(listed->rrset->type, type, sizeof(type)) != KNOT_EOK) {
		return KNOT_EMALF;
	}
	/* Not before there is something to write: of a domain that fails nothing is printed. */
	if (!printer->begun) {
		(void)fprintf(printer->file, "$ORIGIN %.*s.\n$TTL %u\n", (int)zone->domain.len,
		              zone->domain.data, listed->rrset->ttl);
		printer->begun = true;
	}
	(void)fprintf(printer->file, "%-31s %u\tIN\t%s\t%s\n", owner, listed->rrset->ttl, type,
	              printer->data);
	return KNOT_EOK;
}

int zone_print_file(tool_t *tool, const zone_t *zone, FILE *file)
{
	printer_t printer = { .tool = tool, .zone = zone, .file = file, .row = file_row };
	int status = print_all(&printer);
	if (status == STATUS_DONE && !printer.soa) {
		tool_warn(
			tool,
			"domain %.*s: its policy has no ns, so there is no SOA: the file is a part "
			"of a zone",
			(int)zone->domain.len, zone->domain.data);
	}
	if (status == STATUS_DONE && printer.until != INT64_MAX) {
		(void)fprintf(file, "; a record changes at %s\n", tool_time(printer.until));
	}
	return status;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(a, b);
}

/*! \brief Remembers a record. \return 1; 0: it is known; or an error. */
static int is_new(void **shown, const char *owner, const char *type, const char *data)
{
	char *line = NULL;
	if (asprintf(&line, "%s %s %s", owner, type, data) < 0) {
		return KNOT_ENOMEM;
	}
	char **node = tsearch(line, shown, compare_lines);
	const int ret = node == NULL ? KNOT_ENOMEM : *node == line;
	if (ret != 1) {
		free(line);
	}
	return ret;
}

static int table_row(const mail_listed_t *listed, const knot_rdata_t *rdata, void *ctx)
{
	(void)rdata;
	printer_t *printer = ctx;
	knot_dname_txt_storage_t owner;
	char type[16], ttl[16];
	if (knot_dname_to_str(owner, listed->rrset->owner, sizeof(owner)) == NULL ||
	    type_text(listed->rrset->type, type, sizeof(type)) != KNOT_EOK) {
		return KNOT_EMALF;
	}
	/* The serial is another one after each step of the clock, and says nothing else. */
	int fresh = is_new(&printer->shown, owner, type,
	                   listed->rrset->type == KNOT_RRTYPE_SOA ? "" : printer->data);
	if (fresh != 1) {
		return fresh;
	}
	(void)snprintf(ttl, sizeof(ttl), "%u", listed->rrset->ttl);
	int ret = table_cell(printer->table, 4, MAIL_STR(owner));
	ret = ret == KNOT_EOK ? table_cell(printer->table, 4, MAIL_STR(ttl)) : ret;
	ret = ret == KNOT_EOK ? table_cell(printer->table, 4, MAIL_STR(type)) : ret;
	return ret == KNOT_EOK ? table_cell(printer->table, 4, MAIL_STR(printer->data)) : ret;
}

/*! \brief Prints what each of the next steps of the clock brings that was not there before. */
static int print_coming(printer_t *printer)
{
	const zone_t *zone = printer->zone;
	zone_t later = *zone;
	int status = STATUS_DONE;
	printer->again = true;
	for (unsigned i = 0; i < STEPS_MAX && printer->until != INT64_MAX && status == STATUS_DONE;
	     i++) {
		later.now = printer->until;
		printer->zone = &later;
		status = print_all(printer);
		if (printer->table->count > 0) {
			(void)printf("\nFrom %s:\n", tool_time(later.now));
			table_print(printer->table);
		}
	}
	printer->zone = zone;
	return status;
}

int zone_print_table(tool_t *tool, const zone_t *zone)
{
	table_t table = { 0 };
	printer_t printer = {
		.tool = tool, .zone = zone, .file = stdout, .table = &table, .row = table_row
	};
	int status = print_all(&printer);
	table_print(&table);
	if (status == STATUS_DONE && printer.until != INT64_MAX) {
		(void)printf("\nA record changes at %s.\n", tool_time(printer.until));
		status = print_coming(&printer);
	}
	tdestroy(printer.shown, free);
	return status;
}

static int json_row(const mail_listed_t *listed, const knot_rdata_t *rdata, void *ctx)
{
	printer_t *printer = ctx;
	knot_dname_txt_storage_t owner;
	char type[16];
	if (knot_dname_to_str(owner, listed->rrset->owner, sizeof(owner)) == NULL ||
	    type_text(listed->rrset->type, type, sizeof(type)) != KNOT_EOK) {
		return KNOT_EMALF;
	}
	json_t *object = json_object();
	json_object_set_new(object, "owner", json_string(owner));
	json_object_set_new(object, "ttl", json_integer(listed->rrset->ttl));
	json_object_set_new(object, "type", json_string(type));
	json_object_set_new(object, "data", json_string(printer->data));
	if (listed->rrset->type == KNOT_RRTYPE_TXT) {
		mail_buf_t text = { 0 };
		(void)zone_text(rdata, &text);
		json_object_set_new(object, "text", tool_json_str(mail_buf_view(&text)));
		mail_buf_free(&text);
	}
	if (listed->kind != NULL) {
		json_object_set_new(object, "kind", json_string(listed->kind->name));
	}
	if (listed->until != INT64_MAX) {
		json_object_set_new(object, "until", json_string(tool_time(listed->until)));
	}
	return tool_json(object) ? KNOT_EOK : KNOT_EFILE;
}

int zone_print_json(tool_t *tool, const zone_t *zone)
{
	printer_t printer = { .tool = tool, .zone = zone, .file = stdout, .row = json_row };
	return print_all(&printer);
}

/*! \brief Prints an owner relative to the domain: "@" for the domain itself. */
static void print_relative(const zone_t *zone, const knot_dname_t *owner)
{
	knot_dname_storage_t apex, prefix;
	knot_dname_txt_storage_t text;
	int below = mail_name_parse(zone->domain, apex, NULL) == KNOT_EOK
	                    ? knot_dname_in_bailiwick(owner, apex)
	                    : KNOT_EINVAL;
	if (below == 0) {
		(void)putchar('@');
		return;
	}
	const size_t tail = below > 0 ? knot_dname_size(apex) : 1;
	const size_t len = knot_dname_size(owner) - tail;
	memcpy(prefix, owner, len);
	prefix[len] = 0;
	if (knot_dname_to_str(text, prefix, sizeof(text)) != NULL) {
		if (below > 0) {
			text[strlen(text) - 1] = '\0';
		}
		(void)fputs(text, stdout);
	}
}

/*! \brief Prints a text for a form: as it is, but what a form or a terminal cannot take as \DDD. */
static void print_text(mail_str_t text)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t octet = (uint8_t)text.data[i];
		if (octet < 0x20 || octet == 0x7f) {
			(void)printf("\\%03u", octet);
		} else {
			(void)putchar(octet);
		}
	}
}

static int paste_row(const mail_listed_t *listed, const knot_rdata_t *rdata, void *ctx)
{
	printer_t *printer = ctx;
	uint16_t rrtype = listed->rrset->type;
	knot_dname_storage_t apex;
	char type[16];
	if (type_text(rrtype, type, sizeof(type)) != KNOT_EOK) {
		return KNOT_EMALF;
	}
	/* The other provider's servers have their own, and their own keys. */
	if (rrtype == KNOT_RRTYPE_SOA || rrtype == KNOT_RRTYPE_DNSKEY ||
	    rrtype == KNOT_RRTYPE_CDS || rrtype == KNOT_RRTYPE_CDNSKEY ||
	    (rrtype == KNOT_RRTYPE_NS &&
	     mail_name_parse(printer->zone->domain, apex, NULL) == KNOT_EOK &&
	     knot_dname_is_case_equal(listed->rrset->owner, apex))) {
		return KNOT_EOK;
	}
	print_relative(printer->zone, listed->rrset->owner);
	(void)printf("\t%s\t", type);
	const char *value = printer->data;
	if (rrtype == KNOT_RRTYPE_MX || rrtype == KNOT_RRTYPE_SRV) {
		size_t priority = strcspn(value, " ");
		(void)printf("%.*s\t", (int)priority, value);
		value += priority + (value[priority] == ' ');
	} else {
		(void)putchar('\t');
	}
	if (rrtype == KNOT_RRTYPE_TXT) {
		mail_buf_t text = { 0 };
		(void)zone_text(rdata, &text);
		print_text(mail_buf_view(&text));
		mail_buf_free(&text);
	} else {
		(void)fputs(value, stdout);
	}
	(void)putchar('\n');
	return KNOT_EOK;
}

int zone_print_paste(tool_t *tool, const zone_t *zone)
{
	printer_t printer = { .tool = tool, .zone = zone, .file = stdout, .row = paste_row };
	return print_all(&printer);
}
