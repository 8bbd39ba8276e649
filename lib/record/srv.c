/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "record/srv.h"

#include "mail/chars.h"

#define PRIORITY_DEFAULT 0
#define WEIGHT_DEFAULT 1

/* service, priority, weight, port, host */
#define WORDS_MAX 5

const mail_srv_service_t mail_srv_services[MAIL_SRV_COUNT] = {
	[MAIL_SRV_IMAP] = { "imap", 143 },                 /* RFC 6186 3.2 */
	[MAIL_SRV_IMAPS] = { "imaps", 993 },               /* RFC 6186 3.2, RFC 8314 5.1 */
	[MAIL_SRV_POP3] = { "pop3", 110 },                 /* RFC 6186 3.3 */
	[MAIL_SRV_POP3S] = { "pop3s", 995 },               /* RFC 6186 3.3 */
	[MAIL_SRV_SUBMISSION] = { "submission", 587 },     /* RFC 6186 3.1 */
	[MAIL_SRV_SUBMISSIONS] = { "submissions", 465 },   /* RFC 8314 5.1 */
	[MAIL_SRV_SIEVE] = { "sieve", 4190 },              /* RFC 5804 1.8 */
	[MAIL_SRV_JMAP] = { "jmap", 443 },                 /* RFC 8620 2.2 */
	[MAIL_SRV_CALDAV] = { "caldav", 80 },              /* RFC 6764 3 */
	[MAIL_SRV_CALDAVS] = { "caldavs", 443 },           /* RFC 6764 3 */
	[MAIL_SRV_CARDDAV] = { "carddav", 80 },            /* RFC 6764 3 */
	[MAIL_SRV_CARDDAVS] = { "carddavs", 443 },         /* RFC 6764 3 */
	[MAIL_SRV_AUTODISCOVER] = { "autodiscover", 443 }, /* Exchange; in no RFC */
};

/*! Find a service, written as in the table or as owner ("_imap", "_imap._tcp"). */
static const mail_srv_service_t *service_find(mail_str_t name)
{
	static const char under[] = "_tcp";
	if (mail_str_starts(name, "_")) {
		name = mail_str_from(name, 1);
		size_t len = sizeof(under);
		if (name.len > len && name.data[name.len - len] == '.' &&
		    mail_str_is_nocase(mail_str_from(name, name.len - len + 1), under)) {
			name.len -= len;
		}
	}
	for (size_t i = 0; i < MAIL_SRV_COUNT; i++) {
		const mail_srv_service_t *s = &mail_srv_services[i];
		if (mail_str_is_nocase(name, s->name)) {
			return s;
		}
	}
	return NULL;
}

static int service_parse(mail_str_t name, mail_srv_t *srv, mail_diag_t *diag)
{
	srv->service = service_find(name);
	if (srv->service != NULL) {
		return KNOT_EOK;
	}
	char known[160];
	mail_buf_t list = MAIL_BUF_FIXED((uint8_t *)known, sizeof(known));
	for (size_t i = 0; i < MAIL_SRV_COUNT; i++) {
		(void)mail_buf_printf(&list, " %s", mail_srv_services[i].name);
	}
	return mail_diag_error(diag, 1, "service \"%.*s\" is not one of%.*s", MAIL_SHOW(name),
	                       (int)list.len, known);
}

static int numbers_parse(mail_str_t text, const mail_str_t *words, mail_srv_t *srv,
                         mail_diag_t *diag)
{
	const struct {
		const char *name;
		uint16_t *out;
	} numbers[] = {
		{ "priority", &srv->priority },
		{ "weight", &srv->weight },
		{ "port", &srv->port },
	};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		uint32_t value;
		if (!mail_str_number(words[i], UINT16_MAX, &value)) {
			return mail_diag_error(diag, words[i].data - text.data + 1,
			                       "%s \"%.*s\" is not a number from 0 to 65535",
			                       numbers[i].name, MAIL_SHOW(words[i]));
		}
		*numbers[i].out = (uint16_t)value;
	}
	return KNOT_EOK;
}

static int target_parse(mail_str_t text, mail_str_t host, bool numbers, mail_srv_t *srv,
                        mail_diag_t *diag)
{
	size_t at = (size_t)(host.data - text.data);
	srv->has_target = true;
	if (!mail_str_is(host, ".")) {
		return mail_diag_shift(diag, mail_host_parse(host, false, &srv->target, diag), at);
	}
	if (numbers && (srv->priority != 0 || srv->weight != 0 || srv->port != 0)) {
		return mail_diag_error(diag, at + 1, "\".\" is \"not offered\": write \"%s .\"",
		                       srv->service->name);
	}
	srv->priority = srv->weight = srv->port = 0;
	return mail_pattern_parse(host, &srv->target, diag);
}

/*
 *     srv = service [ WSP ( "." / host / priority WSP weight WSP port [ WSP host ] ) ]
 */
int mail_srv_parse(mail_str_t text, mail_srv_t *srv, mail_diag_t *diag)
{
	static const char usage[] = "write SERVICE, SERVICE HOST, "
				    "or SERVICE PRIORITY WEIGHT PORT HOST";
	mail_str_t words[WORDS_MAX + 1];
	const size_t count = mail_str_words(text, words, WORDS_MAX + 1);
	if (count > WORDS_MAX) {
		return mail_diag_error(diag, words[WORDS_MAX].data - text.data + 1,
		                       "\"%.*s\" is too much: %s", MAIL_SHOW(words[WORDS_MAX]),
		                       usage);
	}
	if (count == 0) {
		return mail_diag_error(diag, 0, "a service is missing: %s", usage);
	}

	memset(srv, 0, sizeof(*srv));
	int ret = mail_diag_shift(diag, service_parse(words[0], srv, diag),
	                          (size_t)(words[0].data - text.data));
	if (ret != KNOT_EOK) {
		return ret;
	}
	srv->priority = PRIORITY_DEFAULT;
	srv->weight = WEIGHT_DEFAULT;
	srv->port = srv->service->port;

	uint32_t number;
	if (count == 3 || (count == 2 && mail_str_number(words[1], UINT32_MAX, &number))) {
		return mail_diag_error(diag, words[1].data - text.data + 1,
		                       "numbers come as PRIORITY WEIGHT PORT: %s", usage);
	}
	if (count >= 4) {
		ret = numbers_parse(text, words + 1, srv, diag);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	if (count == 2 || count == 5) {
		ret = target_parse(text, words[count - 1], count == 5, srv, diag);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	/* Port 0 belongs to "not offered" alone. */
	bool offered = !srv->has_target || srv->target.hole || srv->target.head_len > 0;
	if (offered && srv->port == 0) {
		return mail_diag_error(diag, words[3].data - text.data + 1, "port 0 is no port");
	}
	return KNOT_EOK;
}

int mail_srv_render(const mail_srv_t *srv, mail_rdata_t *rdata)
{
	bool offered = srv->target.hole || srv->target.head_len > 0;
	mail_rdata_u16(rdata, offered ? srv->priority : 0);
	mail_rdata_u16(rdata, offered ? srv->weight : 0);
	mail_rdata_u16(rdata, offered ? srv->port : 0);
	return mail_rdata_pattern(rdata, &srv->target);
}
