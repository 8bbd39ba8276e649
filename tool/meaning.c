/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/meaning.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A name is not longer. */
#define WORD_MAX 64

/* clang-format off */
/*! \brief What verbs are about. */
static const struct {
	const char *noun;
	const char *words;
} nouns[] = {
	{ "policy", "policy policies profile profiles template templates group groups" },
	{ "domain", "domain domains zone zones customer customers" },
	{ "host",   "host hosts server servers address addresses" },
	{ "dkim",   "dkim dkims selector selectors" },
	{ "cert",   "cert certs certificate certificates tlsa tls" },
	{ "key",    "key keys keyset keysets key-set key-sets dnssec dnskey ksk zsk csk" },
	{ "store",  "store stores" },
	{ "file",   "file files" },
};

/*! \brief What people want to do. */
static const struct {
	const char *words;
	const char *ends;  /*!< Of NOUN-END. */
	const char *verbs; /*!< Others that may be meant when no noun is there; NULL: all that end so. */
} actions[] = {
	{ "delete del remove rm drop destroy erase unset", "unset", NULL },
	{ "add create new make insert", "generate import set", NULL },
	{ "set edit modify mod change update put write replace assign", "set", NULL },
	{ "list ls all index find search", "list", NULL },
	{ "show get view cat print display describe read", "show", NULL },
	{ "status state info stat stats statistics", "info list ready plan show",
	  "store-info doctor check key-list cert-ready" },
	{ "rotate roll rollover renew rekey", "generate plan import retire",
	  "key-generate key-plan dkim-generate cert-import" },
	{ "generate gen keygen", "generate", NULL },
	{ "revoke retire end expire", "retire unset", "dkim-retire key-retire" },
	{ "import load restore read-in", "import set", "import apply dkim-import key-import cert-import" },
	{ "export dump save", "show list", "export backup" },
	{ "verify validate test lint audit health diagnose", "list show", "check doctor diff" },
};

/*! \brief Words that stand for verbs without a noun. */
static const struct {
	const char *words;
	const char *verbs;
} others[] = {
	{ "zone zonefile zone-file zone-export export-zone", "export records" },
	{ "record rr rrs rrset rrsets", "records lookup" },
	{ "query dig kdig ask resolve answer nslookup host-lookup", "lookup records" },
	{ "why trace inherit origin resolve-policy values", "explain" },
	{ "sts mta-sts mtasts", "mta-sts-policy" },
	{ "clean cleanup gc vacuum compact", "purge backup" },
	{ "snapshot copy clone", "backup export" },
	{ "compare plan dry-run", "diff apply" },
	{ "commit reload merge sync deploy", "apply import" },
	{ "setup install start initialize initialise create-store store-create store-init", "init" },
	{ "sign signing enable-dnssec", "key-generate ds" },
	{ "cds cdnskey delegation-signer ds-list ds-show dsset", "ds" },
	{ "mx spf dmarc srv bimi caa ns tls-rpt tlsrpt autoconfig", "policy-set domain-set records" },
	{ "rename mv move", "export import" },
	{ "config configure conf-set conf-get conf conf-check restart log", "doctor apply" },
	{ "zone-read zone-status zone-show zone-set zone-check", "records domain-show" },
	{ "usage man manual", "help" },
	{ "undo rollback revert", "backup export import" },
};
/* clang-format on */

/*! \brief Return whether a list, separated by spaces, has a word. */
static bool has_word(const char *list, const char *word)
{
	const size_t len = strlen(word);
	for (const char *pos = list; *pos != '\0'; pos += strspn(pos, " ")) {
		const size_t part = strcspn(pos, " ");
		if (part == len && strncasecmp(pos, word, len) == 0) {
			return true;
		}
		pos += part;
	}
	return false;
}

const char *meaning_noun(const char *word)
{
	for (size_t i = 0; i < sizeof(nouns) / sizeof(nouns[0]); i++) {
		if (has_word(nouns[i].words, word)) {
			return nouns[i].noun;
		}
	}
	return NULL;
}

/*! \brief Note a verb, if it exists and is listed. */
static void put(meant_t *meant, const char *name)
{
	const verb_t *verb = verb_find(name);
	if (verb == NULL || verb->group == NULL ||
	    meant->count == sizeof(meant->names) / sizeof(meant->names[0])) {
		return;
	}
	for (size_t i = 0; i < meant->count; i++) {
		if (meant->names[i] == verb->name) {
			return;
		}
	}
	meant->names[meant->count++] = verb->name;
}

/*! \brief Note the verbs of a list, each behind a noun and a dash if there is a noun. */
static void put_list(meant_t *meant, const char *noun, const char *list)
{
	for (const char *pos = list; *pos != '\0'; pos += strspn(pos, " ")) {
		const int len = (int)strcspn(pos, " ");
		char name[WORD_MAX];
		(void)snprintf(name, sizeof(name), "%s%s%.*s", noun, noun[0] != '\0' ? "-" : "",
		               len, pos);
		put(meant, name);
		pos += len;
	}
}

/*! \brief Note what an action means: of a noun, or (NULL) of all. */
static void put_action(meant_t *meant, const char *noun, const char *action)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (!has_word(actions[i].words, action)) {
			continue;
		}
		if (noun != NULL) {
			put_list(meant, noun, actions[i].ends);
		} else if (actions[i].verbs != NULL) {
			put_list(meant, "", actions[i].verbs);
		}
		for (size_t j = 0; noun == NULL && actions[i].verbs == NULL &&
		                   j < sizeof(nouns) / sizeof(nouns[0]);
		     j++) {
			put_list(meant, nouns[j].noun, actions[i].ends);
		}
	}
}

/*! \brief Note what "NOUN-ACTION" or "ACTION-NOUN" means; any of - _ : . stands between them. */
static void put_pair(meant_t *meant, const char *word)
{
	char first[WORD_MAX];
	for (const char *at = strpbrk(word, "-_:."); at != NULL && meant->count == 0;
	     at = strpbrk(at + 1, "-_:.")) {
		(void)snprintf(first, sizeof(first), "%.*s", (int)(at - word), word);
		const char *noun = meaning_noun(first), *other = meaning_noun(at + 1);
		if (noun != NULL) {
			put_action(meant, noun, at + 1);
		} else if (other != NULL) {
			put_action(meant, other, first);
		}
	}
}

/*! \brief Note the nearest verb by letters. */
static void put_nearest(meant_t *meant, const char *word)
{
	const char *nearest = NULL;
	unsigned least = 4;
	for (const verb_t *verb = tool_verbs; verb->name != NULL; verb++) {
		if (verb->group != NULL) {
			mail_nearer((mail_str_t){ word, strlen(word) }, verb->name, &nearest,
			            &least);
		}
	}
	if (nearest != NULL) {
		put(meant, nearest);
	}
}

/*! \brief Note all that can be done with a noun. */
static void put_noun(meant_t *meant, const char *noun)
{
	const size_t len = noun != NULL ? strlen(noun) : 0;
	for (const verb_t *verb = tool_verbs; noun != NULL && verb->name != NULL; verb++) {
		if (strncmp(verb->name, noun, len) == 0 && verb->name[len] == '-') {
			put(meant, verb->name);
		}
	}
}

void meaning_find(const char *word, const char *next, meant_t *meant)
{
	char pair[2 * WORD_MAX];
	meant->count = 0;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (has_word(others[i].words, word)) {
			put_list(meant, "", others[i].verbs);
		}
	}
	/* "domain delete example.net", "delete domain example.net". */
	if (meant->count == 0 && next != NULL) {
		(void)snprintf(pair, sizeof(pair), "%.60s-%.60s", word, next);
		put(meant, pair);
		put_pair(meant, pair);
	}
	if (meant->count == 0) {
		put_action(meant, NULL, word);
	}
	if (meant->count == 0) {
		put_pair(meant, word);
	}
	if (meant->count == 0) {
		put_noun(meant, meaning_noun(word));
	}
	if (meant->count == 0) {
		put_nearest(meant, word);
	}
}
