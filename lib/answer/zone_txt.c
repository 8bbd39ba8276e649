/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The TXT RRset at a zone's apex, which the zone and the domain share.
 */
#include "config.h"

#include "answer/zone_extent.h"

/*! The version of SPF records (RFC 7208 4.5), followed by a space or the end. */
#define SPF_VERSION "v=spf1"
#define SPF_VERSION_LEN (sizeof(SPF_VERSION) - 1)

/*! The octet at a place of the strings of a TXT record, taken as one; -1 behind the end. */
static int text_at(const knot_rdata_t *rdata, size_t at)
{
	for (size_t pos = 0; pos < rdata->len; pos += 1 + rdata->data[pos]) {
		const size_t len = rdata->data[pos];
		if (at < len) {
			return pos + 1 + at < rdata->len ? rdata->data[pos + 1 + at] : -1;
		}
		at -= len;
	}
	return -1;
}

static bool is_spf(const knot_rdata_t *rdata)
{
	for (size_t i = 0; i < SPF_VERSION_LEN; i++) {
		int c = text_at(rdata, i);
		c += c >= 'A' && c <= 'Z' ? 'a' - 'A' : 0;
		if (c != SPF_VERSION[i]) {
			return false;
		}
	}
	const int next = text_at(rdata, SPF_VERSION_LEN);
	return next == ' ' || next == -1;
}

static bool has_spf(const knot_rdataset_t *rrs)
{
	const knot_rdata_t *rdata = rrs->rdata;
	for (uint16_t i = 0; i < rrs->count; i++) {
		if (is_spf(rdata)) {
			return true;
		}
		rdata = knot_rdataset_next((knot_rdata_t *)rdata);
	}
	return false;
}

int mail_zone_txt(const knot_rrset_t *zone, const knot_rrset_t *ours, knot_mm_t *mm,
                  knot_rrset_t *merged)
{
	const bool spf = has_spf(&zone->rrs);
	knot_rrset_init(merged, zone->owner, KNOT_RRTYPE_TXT, zone->rclass, zone->ttl);
	int ret = knot_rdataset_copy(&merged->rrs, &zone->rrs, mm);
	if (ret != KNOT_EOK) {
		return ret;
	}
	knot_rdata_t *rdata = ours->rrs.rdata;
	for (uint16_t i = 0; i < ours->rrs.count; i++, rdata = knot_rdataset_next(rdata)) {
		if (spf && is_spf(rdata)) {
			continue;
		}
		ret = knot_rrset_add_rdata(merged, rdata->data, rdata->len, mm);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return merged->rrs.count > zone->rrs.count ? KNOT_EOK : KNOT_ENOENT;
}
