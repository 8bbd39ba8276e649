/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * RDATA as octets, whoever wrote them.
 */
#include "config.h"

#include <stdio.h>

#include "record/check.h"

#include "mail/chars.h"
#include "record/srv.h"
#include "record/tlsa.h"
#include "record/caa.h"

#define TYPE_AFSDB 18
#define TYPE_RT 21
#define TYPE_KX 36
#define TYPE_SMIMEA 53
#define TYPE_SVCB 64
#define TYPE_HTTPS 65

/* --- Digests --- */

/* Of no octet at all: SHA-1, SHA-256, SHA-384, SHA-512 (FIPS 180-4). */
static const struct {
	size_t len;
	const char *digest;
} nothings[] = {
	{ 20, "\xda\x39\xa3\xee\x5e\x6b\x4b\x0d\x32\x55\xbf\xef\x95\x60\x18\x90\xaf\xd8\x07\x09" },
	{ 32, "\xe3\xb0\xc4\x42\x98\xfc\x1c\x14\x9a\xfb\xf4\xc8\x99\x6f\xb9\x24"
	      "\x27\xae\x41\xe4\x64\x9b\x93\x4c\xa4\x95\x99\x1b\x78\x52\xb8\x55" },
	{ 48, "\x38\xb0\x60\xa7\x51\xac\x96\x38\x4c\xd9\x32\x7e\xb1\xb1\xe3\x6a"
	      "\x21\xfd\xb7\x11\x14\xbe\x07\x43\x4c\x0c\xc7\xbf\x63\xf6\xe1\xda"
	      "\x27\x4e\xde\xbf\xe7\x6f\x65\xfb\xd5\x1a\xd2\xf1\x48\x98\xb9\x5b" },
	{ 64, "\xcf\x83\xe1\x35\x7e\xef\xb8\xbd\xf1\x54\x28\x50\xd6\x6d\x80\x07"
	      "\xd6\x20\xe4\x05\x0b\x57\x15\xdc\x83\xf4\xa9\x21\xd3\x6c\xe9\xce"
	      "\x47\xd0\xd1\x3c\x5d\x85\xf2\xb0\xff\x83\x18\xd2\x87\x7e\xec\x2f"
	      "\x63\xb9\x31\xbd\x47\x41\x7a\x81\xa5\x38\x32\x7a\xf9\x27\xda\x3e" },
};

int mail_digest_check(const uint8_t *digest, size_t len, mail_diag_t *diag)
{
	for (size_t i = 0; i < sizeof(nothings) / sizeof(nothings[0]); i++) {
		if (len == nothings[i].len && memcmp(digest, nothings[i].digest, len) == 0) {
			return mail_diag_error(diag, 0,
			                       "%02x%02x%02x%02x... is the digest of nothing: the "
			                       "command that made it had no input",
			                       digest[0], digest[1], digest[2], digest[3]);
		}
	}
	return KNOT_EOK;
}

/*! A kind of digest, and how many octets its types have; 0: not known. */
typedef struct {
	const char *name;
	size_t lengths[5];
} digests_t;

static int digest_check(const digests_t *digests, unsigned type, const uint8_t *digest, size_t len,
                        mail_diag_t *diag)
{
	const size_t count = sizeof(digests->lengths) / sizeof(digests->lengths[0]);
	const size_t wanted = type < count ? digests->lengths[type] : 0;
	if (len == 0) {
		return mail_diag_error(diag, 0, "the %s is missing", digests->name);
	}
	if (wanted > 0 && len != wanted) {
		return mail_diag_error(diag, 0, "a %s of type %u has %zu octets, this has %zu",
		                       digests->name, type, wanted, len);
	}
	return mail_digest_check(digest, len, diag);
}

/*! Return whether the owner of a TLSA is at a port of mail: _25._tcp.HOST. */
static bool is_mail_port(mail_lf_t owner)
{
	static const uint32_t ports[] = { 25, 110, 143, 465, 587, 993, 995, 4190 };
	const mail_lf_t last = mail_lf_relative(owner, mail_lf_parent(owner));
	const mail_str_t label = { (const char *)last.data, last.len };
	uint32_t port;
	if (!mail_str_starts(label, "_") ||
	    !mail_str_number(mail_str_from(label, 1), UINT16_MAX, &port)) {
		return false;
	}
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		if (port == ports[i]) {
			return true;
		}
	}
	return false;
}

/*! RFC 6698 2.1; for mail RFC 7672 3.1, as the items have it. */
static int tlsa_check(bool mail, const uint8_t *rdata, size_t len, mail_diag_t *diag)
{
	static const digests_t digests = { "digest", { 0, 32, 64 } };
	if (len < 3) {
		return mail_diag_error(diag, 0, "it lacks a certificate usage, selector and type");
	}
	if (rdata[0] > 3 || rdata[1] > 1 || rdata[2] > 2) {
		return mail_diag_error(diag, 0,
		                       "usage, selector and matching type %u %u %u: they go up to "
		                       "3 1 2 (RFC 6698 2.1)",
		                       rdata[0], rdata[1], rdata[2]);
	}
	if (mail) {
		char form[16];
		mail_tlsa_form_t parsed;
		(void)snprintf(form, sizeof(form), "%u %u %u", rdata[0], rdata[1], rdata[2]);
		int ret = mail_tlsa_form_parse(MAIL_STR(form), &parsed, diag);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return digest_check(&digests, rdata[2], rdata + 3, len - 3, diag);
}

/*! RFC 4034 5.1, RFC 8624 3.3. */
static int ds_check(const uint8_t *rdata, size_t len, mail_diag_t *diag)
{
	static const digests_t digests = { "DS digest", { 0, 20, 32, 32, 48 } };
	if (len < 4 || rdata[2] == 0 || rdata[3] == 0) {
		return mail_diag_error(diag, 0,
		                       "algorithm or digest type 0: no key is meant by such a DS");
	}
	if (rdata[3] == 1) {
		mail_diag_warn(diag, "a SHA-1 digest, which validators no longer trust (RFC 8624 "
		                     "3.3): use SHA-256");
	} else if (rdata[3] != 2 && rdata[3] != 4) {
		mail_diag_warn(diag, "digest type %u, which few validators know: use 2 (SHA-256)",
		               rdata[3]);
	}
	return digest_check(&digests, rdata[3], rdata + 4, len - 4, diag);
}

/*! RFC 4255 3.1, RFC 6594. */
static int sshfp_check(const uint8_t *rdata, size_t len, mail_diag_t *diag)
{
	static const digests_t digests = { "fingerprint", { 0, 20, 32 } };
	if (len < 2 || rdata[0] == 0 || rdata[1] == 0) {
		return mail_diag_error(diag, 0, "algorithm or fingerprint type 0 is reserved");
	}
	return digest_check(&digests, rdata[1], rdata + 2, len - 2, diag);
}

/* --- Names --- */

/*! Return where the name that RDATA lead to stands in them. \return false: they lead nowhere. */
static bool target_at(uint16_t type, size_t *at)
{
	switch (type) {
	case KNOT_RRTYPE_NS:
	case KNOT_RRTYPE_CNAME:
	case KNOT_RRTYPE_DNAME:
	case KNOT_RRTYPE_PTR: *at = 0; return true;
	case KNOT_RRTYPE_MX:
	case TYPE_AFSDB:
	case TYPE_RT:
	case TYPE_KX:
	case TYPE_SVCB:
	case TYPE_HTTPS: *at = 2; return true;
	case KNOT_RRTYPE_SRV: *at = 6; return true;
	default: return false;
	}
}

/*! Return whether the last label of a name is all digits: then it is no host's, but an address or a slip. */
static bool is_numeric(const uint8_t *name)
{
	const uint8_t *label = name;
	while (*label != 0 && label[*label + 1] != 0) {
		label += *label + 1;
	}
	uint8_t i = 1;
	while (i <= *label && mail_char_digit((char)label[i])) {
		i++;
	}
	return i > *label && *label > 0;
}

bool mail_rdata_is_none(uint16_t type, const uint8_t *rdata, size_t len)
{
	size_t at;
	return (type == KNOT_RRTYPE_MX || type == KNOT_RRTYPE_SRV) && target_at(type, &at) &&
	       len == at + 1 && rdata[at] == 0;
}

/*! Check what stands before a target. */
static int numbers_check(uint16_t type, const uint8_t *rdata, bool none, mail_diag_t *diag)
{
	static const uint8_t zero[6];
	if (type == KNOT_RRTYPE_MX && none && memcmp(rdata, zero, 2) != 0) {
		return mail_diag_error(diag, 0,
		                       "\".\" is no mail (RFC 7505 3): its preference is 0");
	}
	if (type == KNOT_RRTYPE_SRV && none && memcmp(rdata, zero, 6) != 0) {
		return mail_diag_error(diag, 0,
		                       "\".\" is \"not offered\" (RFC 2782): write 0 0 0 .");
	}
	if (type == KNOT_RRTYPE_SRV && !none && memcmp(rdata + 4, zero, 2) == 0) {
		return mail_diag_error(diag, 0, "port 0 is no port");
	}
	return KNOT_EOK;
}

static uint16_t number_at(const uint8_t *octets)
{
	return (uint16_t)(octets[0] << 8 | octets[1]);
}

/*! Find the service whose own port a port is; NULL: none. */
static const char *service_at(uint16_t port)
{
	for (size_t i = 0; i < MAIL_SRV_COUNT; i++) {
		if (mail_srv_services[i].port == port && port != 80 && port != 443) {
			return mail_srv_services[i].name;
		}
	}
	return port == 25 ? "smtp, between servers" : NULL;
}

/*! Warn of numbers in the wrong order, and of a port that belongs to another service. */
static void srv_warn(const mail_octets_t *rdata, mail_diag_t *diag)
{
	const mail_lf_t first = mail_lf_relative(rdata->owner, mail_lf_parent(rdata->owner));
	const mail_str_t label = { (const char *)first.data, first.len };
	const uint16_t port = number_at(rdata->data + 4);
	for (size_t i = 0; i < MAIL_SRV_COUNT; i++) {
		const mail_srv_service_t *service = &mail_srv_services[i];
		const char *other = service_at(port);
		/* A widely read guide has IMAP at 110, and people who follow it are not told. */
		if (port == 110 && i == MAIL_SRV_IMAP) {
			continue;
		}
		if (label.len < 2 || !mail_str_is(mail_str_from(label, 1), service->name) ||
		    port == service->port) {
			continue;
		}
		if (number_at(rdata->data) == service->port ||
		    number_at(rdata->data + 2) == service->port) {
			mail_diag_warn(diag,
			               "port %u: the order is PRIORITY WEIGHT PORT HOST: did you "
			               "mean 0 1 %u?",
			               port, service->port);
		} else if (other != NULL) {
			mail_diag_warn(diag, "port %u is that of %s: %s has port %u", port, other,
			               service->name, service->port);
		}
	}
}

static int target_check(const mail_octets_t *rdata, size_t at, mail_diag_t *diag)
{
	const uint8_t *name = rdata->data + at;
	if (rdata->len <= at || knot_dname_wire_check(name, rdata->data + rdata->len, NULL) <= 0) {
		return mail_diag_error(diag, 0, "it has no target");
	}
	int ret = numbers_check(rdata->type, rdata->data,
	                        mail_rdata_is_none(rdata->type, rdata->data, rdata->len), diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (*name == 0 && (rdata->type == KNOT_RRTYPE_NS || rdata->type == KNOT_RRTYPE_CNAME)) {
		return mail_diag_error(diag, 0, "\".\" is the root, which is no host");
	}
	if (is_numeric(name)) {
		mail_buf_t text = { 0 };
		(void)mail_name_print(name, &text);
		ret = mail_diag_error(diag, 0,
		                      "\"%.*s.\" is no host: the last label of a name is never "
		                      "all digits (RFC 3696 2)",
		                      (int)text.len, (const char *)text.data);
		mail_buf_free(&text);
	}
	if (ret == KNOT_EOK && rdata->type == KNOT_RRTYPE_SRV && *name != 0) {
		srv_warn(rdata, diag);
	}
	return ret;
}

/* --- The rest --- */

/*! Have the item's own reader look at a CAA record. */
static int caa_check(const uint8_t *rdata, size_t len, mail_diag_t *diag)
{
	if (len < 2 || rdata[1] > len - 2) {
		return mail_diag_error(diag, 0, "a CAA record is FLAGS TAG VALUE");
	}
	mail_buf_t text = { 0 };
	mail_rdata_t scratch = { 0 };
	(void)mail_buf_printf(&text, "%u %.*s \"", rdata[0], (int)rdata[1],
	                      (const char *)rdata + 2);
	for (size_t i = 2u + rdata[1]; i < len; i++) {
		if (mail_char_in((char)rdata[i], "\"\\")) {
			(void)mail_buf_u8(&text, '\\');
		}
		(void)mail_buf_u8(&text, rdata[i]);
	}
	int ret = mail_buf_u8(&text, '"');
	if (ret == KNOT_EOK) {
		ret = mail_caa_render(mail_buf_view(&text), &scratch, diag);
	}
	mail_rdata_free(&scratch);
	mail_buf_free(&text);
	return ret;
}

/*! Check RDATA; diag->column counts in some text that was made of them. */
static int octets_check(const mail_octets_t *rdata, mail_diag_t *diag)
{
	const uint8_t *data = rdata->data;
	size_t at;
	if (target_at(rdata->type, &at)) {
		return target_check(rdata, at, diag);
	}
	switch (rdata->type) {
	case KNOT_RRTYPE_TLSA:
		return tlsa_check(!rdata->literal || is_mail_port(rdata->owner), data, rdata->len,
		                  diag);
	case TYPE_SMIMEA: return tlsa_check(false, data, rdata->len, diag);
	case KNOT_RRTYPE_DS: return ds_check(data, rdata->len, diag);
	case KNOT_RRTYPE_SSHFP: return sshfp_check(data, rdata->len, diag);
	case KNOT_RRTYPE_CAA: return rdata->literal ? caa_check(data, rdata->len, diag) : KNOT_EOK;
	default: return KNOT_EOK;
	}
}

int mail_rdata_check(const mail_octets_t *rdata, mail_diag_t *diag)
{
	int ret = octets_check(rdata, diag);
	if (ret != KNOT_EOK && diag != NULL) {
		diag->column = 0;
	}
	return ret;
}
