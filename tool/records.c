/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/records.h"

#include <search.h>
#include <stdlib.h>

#include "mail/kind.h"
#include "tool/open.h"
#include "tool/out.h"

/* Longest text of an RDATA: every octet as \DDD, and some quotes. */
#define DATA_MAX (4 * 65536 + 4096)

/* Steps of the clock ahead that a table tells of. */
#define STEPS_MAX 64

/*! \brief Where records are printed to, and the one that is being printed. */
typedef struct printer {
	tool_t *tool;
	records_t records;
	FILE *file;
	table_t table;
	void *shown; /*!< Tree of the lines that the table had; of what comes later only others are of interest. */
	bool begun, soa;
	int64_t until; /*!< The next change of any record. */
	knot_dname_txt_storage_t owner;
	char type[16];
	char data[DATA_MAX];
	int (*row)(struct printer *printer, const mail_listed_t *listed, const knot_rdata_t *rdata);
} printer_t;

int records_error(tool_t *tool, mail_str_t domain, int code)
{
	mail_entry_t *entry = NULL;
	int found = mail_txn_get(tool->txn, MAIL_SECTION_DOMAIN, domain, &entry);
	mail_entry_free(entry);
	return tool_error(tool, code, "domain %.*s: %s", (int)domain.len, domain.data,
	                  found == KNOT_ENOENT ? "there is none" : tool_reason(tool, code));
}

void records_text(const knot_rdata_t *rdata, mail_buf_t *out)
{
	size_t pos = 0;
	while (pos < rdata->len && pos + 1 + rdata->data[pos] <= rdata->len) {
		(void)mail_buf_put(out, rdata->data + pos + 1, rdata->data[pos]);
		pos += 1 + rdata->data[pos];
	}
}

/*! \brief Write the parts of each record as master files have them, and print the record. */
static int each_rrset(const mail_listed_t *listed, void *ctx)
{
	printer_t *printer = ctx;
	const knot_rrset_t *rrset = listed->rrset;
	knot_rdata_t *rdata = rrset->rrs.rdata;
	if (knot_dname_to_str(printer->owner, rrset->owner, sizeof(printer->owner)) == NULL ||
	    knot_rrtype_to_string(rrset->type, printer->type, sizeof(printer->type)) < 0) {
		return KNOT_EMALF;
	}
	printer->soa = printer->soa || rrset->type == KNOT_RRTYPE_SOA;
	printer->until = listed->until < printer->until ? listed->until : printer->until;
	for (uint16_t i = 0; i < rrset->rrs.count; i++, rdata = knot_rdataset_next(rdata)) {
		int len = knot_rrset_txt_dump_data(rrset, i, printer->data, DATA_MAX,
		                                   &KNOT_DUMP_STYLE_DEFAULT);
		if (len < 0) {
			return len;
		}
		/* An empty last field leaves a blank, as of some CAA records. */
		while (len > 0 && printer->data[len - 1] == ' ') {
			printer->data[--len] = '\0';
		}
		int ret = printer->row(printer, listed, rdata);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	/* Nobody reads on: no need to go on. */
	return ferror(printer->file) ? KNOT_EFILE : KNOT_EOK;
}

/*! \brief Print all records. \param warn Say what there is to warn of. */
static void print_all(printer_t *printer, bool warn)
{
	tool_t *tool = printer->tool;
	const records_t *records = &printer->records;
	mail_diag_t *diag = tool_diag(tool);
	diag->warn = warn ? diag->warn : NULL;
	printer->until = INT64_MAX;
	const mail_listing_t listing = { .source = tool_source(tool),
		                         .now = records->now,
		                         .reports = records->reports,
		                         .signer = records->signer,
		                         .each = each_rrset,
		                         .ctx = printer,
		                         .diag = diag };
	int ret = records->zone != NULL ? mail_zone_list(&listing, records->zone, records->domain)
	                                : mail_answer_list(&listing, records->domain);
	if (ret == KNOT_ENOENT && records->zone != NULL) {
		tool_fail(
			tool, ret,
			"domain %.*s: the store does not list it, so nothing is added, unless the "
			"module's section in knot.conf has a policy: --policy ID",
			(int)records->domain.len, records->domain.data);
	}
	if (ret != KNOT_EOK && !ferror(printer->file)) {
		table_print(tool, &printer->table);
		tool_exit(tool, records_error(tool, records->domain, ret));
	}
}

/*! \brief Return a printer; there is one. */
static printer_t *printer_new(tool_t *tool, const records_t *records, FILE *file)
{
	static printer_t printer;
	printer.tool = tool;
	printer.records = *records;
	printer.file = file;
	printer.begun = printer.soa = false;
	return &printer;
}

static int file_row(printer_t *printer, const mail_listed_t *listed, const knot_rdata_t *rdata)
{
	(void)rdata;
	const mail_str_t domain = printer->records.domain;
	/* Not before there is something to write: of a domain that fails nothing is printed. */
	if (!printer->begun) {
		(void)fprintf(printer->file, "$ORIGIN %.*s.\n$TTL %u\n", (int)domain.len,
		              domain.data, listed->rrset->ttl);
		printer->begun = true;
	}
	(void)fprintf(printer->file, "%-31s %u\tIN\t%s\t%s\n", printer->owner, listed->rrset->ttl,
	              printer->type, printer->data);
	return KNOT_EOK;
}

void records_print_file(tool_t *tool, const records_t *records, FILE *file)
{
	printer_t *printer = printer_new(tool, records, file);
	printer->row = file_row;
	print_all(printer, true);
	if (!printer->soa && records->zone == NULL) {
		tool_warn(
			tool,
			"domain %.*s: its policy has no ns, so there is no SOA: the file is a part "
			"of a zone",
			(int)records->domain.len, records->domain.data);
	}
	if (printer->until != INT64_MAX) {
		(void)fprintf(file, "; a record changes at %s\n", tool_time(printer->until));
	}
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int table_row(printer_t *printer, const mail_listed_t *listed, const knot_rdata_t *rdata)
{
	(void)rdata;
	const bool soa = listed->rrset->type == KNOT_RRTYPE_SOA;
	char ttl[16], *line = NULL;
	/* The serial is another one after each step of the clock, and says nothing else. */
	if (asprintf(&line, "%s %s %s", printer->owner, printer->type, soa ? "" : printer->data) <
	    0) {
		return KNOT_ENOMEM;
	}
	char **node = tsearch(line, &printer->shown, compare_lines);
	if (node == NULL || *node != line) {
		free(line);
		return node == NULL ? KNOT_ENOMEM : KNOT_EOK;
	}
	(void)snprintf(ttl, sizeof(ttl), "%u", listed->rrset->ttl);
	table_cell(&printer->table, MAIL_STR(printer->owner));
	table_cell(&printer->table, MAIL_STR(ttl));
	table_cell(&printer->table, MAIL_STR(printer->type));
	table_cell(&printer->table, MAIL_STR(printer->data));
	return KNOT_EOK;
}

void records_print_table(tool_t *tool, const records_t *records)
{
	printer_t *printer = printer_new(tool, records, stdout);
	static const char *const head[] = { "OWNER", "TTL", "TYPE", "DATA" };
	printer->table.columns = 4;
	printer->table.head = head;
	printer->row = table_row;
	print_all(printer, true);
	if (printer->table.count == 0 && records->zone != NULL) {
		tool_note(tool, "nothing is added: the zone has a record of each owner and type");
	}
	table_print(tool, &printer->table);
	printer->table.head = NULL;
	if (printer->until != INT64_MAX) {
		(void)printf("\nA record changes at %s.\n", tool_time(printer->until));
	}
	/* What each of the next steps of the clock brings that was not there before. */
	for (unsigned i = 0; i < STEPS_MAX && printer->until != INT64_MAX; i++) {
		printer->records.now = printer->until;
		print_all(printer, false);
		if (printer->table.count > 0) {
			(void)printf("\nFrom %s:\n", tool_time(printer->records.now));
			table_print(tool, &printer->table);
		}
	}
	tdestroy(printer->shown, free);
}

static int json_row(printer_t *printer, const mail_listed_t *listed, const knot_rdata_t *rdata)
{
	json_t *text = NULL;
	if (listed->rrset->type == KNOT_RRTYPE_TXT) {
		mail_buf_t joined = { 0 };
		records_text(rdata, &joined);
		text = tool_json_str(mail_buf_view(&joined));
		mail_buf_free(&joined);
	}
	(void)tool_json(json_pack("{s:s, s:I, s:s, s:s, s:o*, s:s*, s:o*}", "owner", printer->owner,
	                          "ttl", (json_int_t)listed->rrset->ttl, "type", printer->type,
	                          "data", printer->data, "text", text, "kind",
	                          listed->kind != NULL ? listed->kind->name : NULL, "until",
	                          tool_json_time(listed->until)));
	return KNOT_EOK;
}

void records_print_json(tool_t *tool, const records_t *records)
{
	printer_t *printer = printer_new(tool, records, stdout);
	printer->row = json_row;
	print_all(printer, true);
}

/*! \brief Print an owner relative to the domain: "@" for the domain itself, and absolute when it is elsewhere. */
static void print_relative(const knot_dname_t *owner, const knot_dname_t *apex)
{
	knot_dname_storage_t prefix;
	knot_dname_txt_storage_t text;
	int below = knot_dname_in_bailiwick(owner, apex);
	if (below == 0) {
		(void)putchar('@');
		return;
	}
	const size_t len = knot_dname_size(owner) - (below > 0 ? knot_dname_size(apex) : 1);
	memcpy(prefix, owner, len);
	prefix[len] = 0;
	if (knot_dname_to_str(text, prefix, sizeof(text)) != NULL) {
		/* Without the dot at its end. */
		(void)printf("%.*s", (int)strlen(text) - (below > 0), text);
	}
}

static int paste_row(printer_t *printer, const mail_listed_t *listed, const knot_rdata_t *rdata)
{
	const uint16_t type = listed->rrset->type;
	const knot_dname_t *owner = listed->rrset->owner;
	const char *value = printer->data;
	knot_dname_storage_t apex;
	int ret = mail_name_parse(printer->records.domain, apex, NULL);
	if (ret != KNOT_EOK) {
		return ret;
	}
	/* The other provider's servers have their own, and their own keys. */
	if (type == KNOT_RRTYPE_SOA || type == KNOT_RRTYPE_DNSKEY || type == KNOT_RRTYPE_CDS ||
	    type == KNOT_RRTYPE_CDNSKEY ||
	    (type == KNOT_RRTYPE_NS && knot_dname_is_case_equal(owner, apex))) {
		return KNOT_EOK;
	}
	print_relative(owner, apex);
	(void)printf("\t%s\t", printer->type);
	if (type == KNOT_RRTYPE_MX || type == KNOT_RRTYPE_SRV) {
		size_t priority = strcspn(value, " ");
		(void)printf("%.*s", (int)priority, value);
		value += priority + (value[priority] == ' ');
	}
	(void)putchar('\t');
	if (type != KNOT_RRTYPE_TXT) {
		(void)puts(value);
		return KNOT_EOK;
	}
	/* A text as it is, but what a form or a terminal cannot take as \DDD. */
	mail_buf_t text = { 0 };
	records_text(rdata, &text);
	for (size_t i = 0; i < text.len; i++) {
		(void)printf(text.data[i] < 0x20 || text.data[i] == 0x7f ? "\\%03u" : "%c",
		             text.data[i]);
	}
	(void)putchar('\n');
	mail_buf_free(&text);
	return KNOT_EOK;
}

void records_print_paste(tool_t *tool, const records_t *records)
{
	printer_t *printer = printer_new(tool, records, stdout);
	printer->row = paste_row;
	print_all(printer, true);
}
