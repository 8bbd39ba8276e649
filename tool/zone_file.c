/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/zone_file.h"

#include <libzscanner/scanner.h>
#include <stdlib.h>

#include "tool/file.h"
#include "tool/out.h"

/* Of records that say no TTL, as knotd has it. */
#define TTL_DEFAULT 3600

/*! \brief An RRset, or one record while the file is being read. */
typedef struct {
	mail_lf_storage_t *lf;
	knot_rrset_t rrset;
	size_t number; /*!< In the order of the file. */
} row_t;

struct zone_file {
	tool_t *tool;
	const char *path;
	mail_lf_storage_t apex;
	mail_pool_t pool;
	knot_mm_t mm;
	row_t *rows; /*!< Ordered by name and type. */
	size_t count;
	size_t foreign; /*!< Records that lie outside of the domain. */
};

/*! \brief Take a record of the file. */
static void take(zs_scanner_t *scanner)
{
	zone_file_t *zone = scanner->process.data;
	mail_lf_storage_t lf;
	knot_dname_to_lower(scanner->r_owner);
	mail_name_lf(scanner->r_owner, &lf);
	if (scanner->r_class != KNOT_CLASS_IN || !mail_lf_in(mail_lf(&lf), mail_lf(&zone->apex))) {
		zone->foreign++;
		return;
	}
	/* Grown whenever the count reaches a power of two. */
	if ((zone->count & (zone->count - 1)) == 0) {
		zone->rows = tool_memory(
			zone->tool, realloc(zone->rows, (2 * zone->count + 1) * sizeof(row_t)));
	}
	row_t *row = &zone->rows[zone->count];
	row->number = zone->count++;
	row->lf = tool_memory(zone->tool, zone->mm.alloc(zone->mm.ctx, sizeof(lf)));
	*row->lf = lf;
	knot_dname_t *owner = knot_dname_copy(scanner->r_owner, &zone->mm);
	knot_rrset_init(&row->rrset, tool_memory(zone->tool, owner), scanner->r_type, KNOT_CLASS_IN,
	                scanner->r_ttl);
	tool_expect(zone->tool, knot_rrset_add_rdata(&row->rrset, scanner->r_data,
	                                             (uint16_t)scanner->r_data_length, &zone->mm));
}

/*! \brief End the process with what is wrong with a line. */
static void refuse(zs_scanner_t *scanner)
{
	const zone_file_t *zone = scanner->process.data;
	tool_fail(zone->tool, KNOT_EMALF, "%s:%llu: %s", zone->path,
	          (unsigned long long)scanner->line_counter, zs_strerror(scanner->error.code));
}

static int compare_sets(const row_t *a, const row_t *b)
{
	const int order = mail_lf_compare(mail_lf(a->lf), mail_lf(b->lf));
	return order != 0 ? order : (int)a->rrset.type - (int)b->rrset.type;
}

static int compare_rows(const void *a_ptr, const void *b_ptr)
{
	const row_t *a = a_ptr, *b = b_ptr;
	const int order = compare_sets(a, b);
	return order != 0 ? order : (a->number > b->number) - (a->number < b->number);
}

/*! \brief Sort the records, and make RRsets of those that belong together. */
static void merge_rows(zone_file_t *zone)
{
	size_t kept = 0;
	if (zone->count > 0) {
		qsort(zone->rows, zone->count, sizeof(row_t), compare_rows);
	}
	for (size_t i = 0; i < zone->count; i++) {
		row_t *last = kept > 0 ? &zone->rows[kept - 1] : NULL;
		if (last == NULL || compare_sets(last, &zone->rows[i]) != 0) {
			zone->rows[kept++] = zone->rows[i];
			continue;
		}
		/* Of records with several TTLs the last one counts, as for knotd. */
		last->rrset.ttl = zone->rows[i].rrset.ttl;
		tool_expect(zone->tool, knot_rdataset_merge(&last->rrset.rrs,
		                                            &zone->rows[i].rrset.rrs, &zone->mm));
	}
	zone->count = kept;
}

/*! \brief Take the "[ZONE] " away that `knotc zone-read` begins each line with. \return Whether it was there. */
static bool strip_zone(mail_buf_t *text)
{
	const char *at = (const char *)text->data, *end = at + text->len;
	uint8_t *out = text->data;
	if (text->len == 0 || *at != '[') {
		return false;
	}
	while (at < end) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		line_end = line_end != NULL ? line_end + 1 : end;
		const char *bracket = *at == '[' ? memchr(at, ']', (size_t)(line_end - at)) : NULL;
		if (bracket != NULL) {
			at = bracket + 1;
			at += at < line_end && *at == ' ';
		}
		memmove(out, at, (size_t)(line_end - at));
		out += line_end - at;
		at = line_end;
	}
	text->len = (size_t)(out - text->data);
	return true;
}

/*! \brief Scan the zone. A file is read by the scanner itself, which knows where its $INCLUDE leads. */
static void scan(zone_file_t *zone, const char *path, mail_str_t domain)
{
	tool_t *tool = zone->tool;
	char origin[KNOT_DNAME_TXT_MAXLEN + 2];
	zs_scanner_t *scanner = tool_memory(tool, malloc(sizeof(*scanner)));
	mail_buf_t text = { 0 };
	tool_read(tool, path, &text);
	if (text.len > 6 && memcmp(text.data, "error:", 6) == 0) {
		tool_fail(tool, KNOT_ENOENT, "%s: knotc has no such zone: %.*s", zone->path,
		          (int)strcspn((const char *)text.data, "\n"), (const char *)text.data);
	}
	const bool read = strip_zone(&text) || strcmp(path, "-") == 0;
	(void)snprintf(origin, sizeof(origin), "%.*s.", (int)domain.len, domain.data);
	if (zs_init(scanner, origin, KNOT_CLASS_IN, TTL_DEFAULT) != 0 ||
	    zs_set_processing(scanner, take, refuse, zone) != 0) {
		tool_fail(tool, KNOT_ENOMEM, "out of memory");
	}
	int ret = read ? zs_set_input_string(scanner, (const char *)text.data, text.len)
	               : zs_set_input_file(scanner, path);
	/* An empty one has no record, which is said later. */
	if (text.len > 0 && (ret != 0 || zs_parse_all(scanner) != 0)) {
		refuse(scanner);
	}
	zs_deinit(scanner);
	free(scanner);
	mail_buf_free(&text);
}

zone_file_t *zone_file_read(tool_t *tool, const char *path, mail_str_t domain)
{
	zone_file_t *zone = tool_memory(tool, calloc(1, sizeof(*zone)));
	knot_dname_storage_t apex;
	knot_rrset_t rrset;
	zone->tool = tool;
	zone->path = strcmp(path, "-") == 0 ? "standard input" : path;
	zone->mm = mail_pool_mm(&zone->pool);
	tool_expect(tool, mail_name_parse(domain, apex, NULL));
	mail_name_lf(apex, &zone->apex);
	scan(zone, path, domain);
	merge_rows(zone);
	(void)zone_file_look(zone, apex, KNOT_RRTYPE_SOA, &rrset);
	if (knot_rrset_empty(&rrset)) {
		tool_fail(tool, KNOT_ENOENT, "%s: there is no SOA of %.*s: it is not the zone%s",
		          zone->path, (int)domain.len, domain.data,
		          zone->foreign > 0 ? ", but perhaps another one" : "");
	}
	(void)zone_file_look(zone, apex, KNOT_RRTYPE_DNSKEY, &rrset);
	if (!knot_rrset_empty(&rrset)) {
		tool_fail(tool, KNOT_EINVAL,
		          "%s: the zone is signed already, so the module adds nothing to it: its "
		          "proofs would deny what is added. Use an unsigned zone with module: "
		          "[mod-mail, mod-onlinesign]",
		          zone->path);
	}
	return zone;
}

void zone_file_free(zone_file_t *zone)
{
	if (zone == NULL) {
		return;
	}
	mail_pool_free(&zone->pool);
	free(zone->rows);
	free(zone);
}

int zone_file_look(void *ctx, const knot_dname_t *name, uint16_t type, knot_rrset_t *rrset)
{
	const zone_file_t *zone = ctx;
	mail_lf_storage_t lf;
	mail_name_lf(name, &lf);
	knot_rrset_init_empty(rrset);
	/* The first row of the name or behind it: what lies below a name follows it. */
	size_t low = 0, high = zone->count;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (mail_lf_compare(mail_lf(zone->rows[middle].lf), mail_lf(&lf)) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	if (low == zone->count || !mail_lf_in(mail_lf(zone->rows[low].lf), mail_lf(&lf))) {
		return KNOT_ENONODE;
	}
	for (; low < zone->count && mail_lf_equal(mail_lf(zone->rows[low].lf), mail_lf(&lf));
	     low++) {
		if (zone->rows[low].rrset.type == type) {
			*rrset = zone->rows[low].rrset;
		}
	}
	return KNOT_EOK;
}
