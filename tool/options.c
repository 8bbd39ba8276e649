/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <time.h>

#include "mail/time.h"
#include "tool/out.h"

const char tool_store_default[] = "/var/lib/knot/mail";

/* getopt's values of the options that have a letter or belong to no verb. */
enum { LONG_FIRST = 256, LONG_JSON = LONG_FIRST + OPT_COUNT };

const option_t tool_options[OPT_COUNT] = {
	[OPT_ACTIVATE] = { "activate", "TIME", false, NULL,
	                   "when signers may begin to use the key" },
	[OPT_ALGORITHM] = { "algorithm", "ALGORITHM", false,
	                    "ed25519 rsa ecdsap256sha256 rsasha256",
	                    "kind of key: ed25519; of DKIM also rsa; of DNSSEC also "
	                    "ecdsap256sha256, rsasha256" },
	[OPT_ALL] = { "all", NULL, false, NULL, "all domains; of key-retire: all keys of the set" },
	[OPT_AT] = { "at", "TIME", false, NULL, "as of another time than now" },
	[OPT_BATCH] = { "batch", "N", false, NULL, "commit after every N lines instead of once" },
	[OPT_BITS] = { "bits", "N", false, "2048 3072 4096", "length of an RSA key (2048)" },
	[OPT_CSK] = { "csk", NULL, false, NULL, "one key for all (the default)" },
	[OPT_CURRENT] = { "current", "PEM", false, NULL,
	                  "file with the certificates that the server shows now, leaf first" },
	[OPT_DELAY] = { "delay", "DURATION", false, "10m 1h 1d",
	                "until a change is on every name server (1h)" },
	[OPT_DEPLOY_AT] = { "deploy-at", "TIME", false, NULL,
	                    "when the server is going to show the next certificate" },
	[OPT_DIGEST] = { "digest", "LIST", false, "sha256 sha384 sha256,sha384",
	                 "digests of the DS (sha256,sha384)" },
	[OPT_DIRECTORY] = { "directory", "DIR", false, NULL,
	                    "write DIR/NAME.zone for each domain" },
	[OPT_DRY_RUN] = { "dry-run", NULL, false, NULL,
	                  "print what would change, and change nothing" },
	[OPT_DS_SEEN] = { "ds-seen", NULL, false, NULL,
	                  "the parents have the DS of the key already" },
	[OPT_DS_TTL] = { "ds-ttl", "DURATION", false, "1h 1d 2d",
	                 "largest TTL of a DS at the parents (1d)" },
	[OPT_FORCE] = { "force", NULL, false, NULL, "although it is refused" },
	[OPT_FORM] = { "form", "\"U S M\"", true, NULL,
	               "usage, selector and matching type of a TLSA record (3 1 1)" },
	[OPT_FORMAT] = { "format", "FORMAT", false, "table zone json paste ndjson",
	                 "how to write it" },
	[OPT_GONE] = { "gone", NULL, false, NULL, "no parent has a DS any more" },
	[OPT_KEEP_GOING] = { "keep-going", NULL, false, NULL,
	                     "leave bad lines out, with --rejects" },
	[OPT_KEY_DIRECTORY] = { "key-directory", "DIR", false, NULL,
	                        "where the private DNSSEC keys are (STORE/keys)" },
	[OPT_KSK] = { "ksk", NULL, false, NULL, "a key that signs the keys" },
	[OPT_MAP_SIZE] = { "map-size", "SIZE", false, "1G 8G 32G",
	                   "most that the store can hold (32G)" },
	[OPT_NEXT] = { "next", "PEM", false, NULL,
	               "file with the certificates that the server is going to show" },
	[OPT_OLDER_THAN] = { "older-than", "DAYS", false, NULL, "only what was deleted before" },
	[OPT_OUT] = { "out", "FILE", false, NULL, "file for the private key; it must not exist" },
	[OPT_OWNER] = { "owner", "USER:GROUP", false, NULL, "owner of the files" },
	[OPT_POLICY] = { "policy", "ID", false, NULL,
	                 "only domains that follow this policy themselves" },
	[OPT_PRUNE] = { "prune", "SECTION", true, "host certificate policy dkim domain key-set",
	                "delete the entries of a section that FILE does not name" },
	[OPT_PUBLISH] = { "publish", "TIME", false, NULL, "when the record appears (now)" },
	[OPT_REJECTS] = { "rejects", "FILE", false, NULL,
	                  "new file for the lines that were left out" },
	[OPT_REMOVE] = { "remove", "TIME", false, NULL, "when the record disappears" },
	[OPT_REPLICATED] = { "replicated", NULL, false, NULL,
	                     "the store is going to be replicated: deletions leave tombstones" },
	[OPT_REPORTS] = { "reports", NULL, false, NULL,
	                  "also _report._dmarc records of other domains" },
	[OPT_RETIRE] = { "retire", "TIME", false, NULL, "when signers stop using the key" },
	[OPT_REVOKE] = { "revoke", NULL, false, NULL, "publish an empty key from then on" },
	[OPT_SECTION] = { "section", "SECTION", true, "host certificate policy dkim domain key-set",
	                  "only this section" },
	[OPT_SKIP] = { "skip", "LINE", false, NULL, "pass over the first LINE lines" },
	[OPT_TAG] = { "tag", "N", false, NULL, "the key with this tag" },
	[OPT_TAGS] = { "tags", "TAGS", false, NULL,
	               "further tags of the DKIM record (h=sha256; none)" },
	[OPT_UNSIGNED] = { "unsigned", NULL, false, NULL,
	                   "without RRSIG and NSEC records, for who signs by himself" },
	[OPT_ZSK] = { "zsk", NULL, false, NULL, "a key that signs all other records" },
};

static int keep(tool_t *tool, option_id_t id, const char *value)
{
	given_t *given = &tool->given[id];
	const char **values = realloc(given->values, (given->count + 1) * sizeof(*values));
	if (values == NULL) {
		return tool_error(tool, KNOT_ENOMEM, "out of memory");
	}
	values[given->count++] = value;
	given->values = values;
	return STATUS_DONE;
}

static int bad_option(tool_t *tool, int opt, char **argv)
{
	const char *word = argv[optind - 1];
	if (opt == ':') {
		return tool_usage(tool, "%s needs a value", word);
	}
	return tool_usage(tool, "unknown option %s", word);
}

static int take(tool_t *tool, int argc, char **argv, const struct option *longs, bool *help,
                bool *version)
{
	int opt;
	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":s:hV", longs, NULL)) != -1) {
		switch (opt) {
		case 's': tool->path = optarg; break;
		case 'h': *help = true; break;
		case 'V': *version = true; break;
		case LONG_JSON: tool->json = true; break;
		case '?':
		case ':': return bad_option(tool, opt, argv);
		default:
			if (keep(tool, (option_id_t)(opt - LONG_FIRST), optarg) != STATUS_DONE) {
				return STATUS_FAILED;
			}
		}
	}
	return STATUS_DONE;
}

static int check(tool_t *tool, int argc)
{
	const verb_t *verb = tool->verb;
	for (int i = 0; i < OPT_COUNT; i++) {
		if (!option_is(tool, (option_id_t)i)) {
			if ((verb->required & TAKES(i)) != 0) {
				return tool_usage(tool, "%s: --%s is missing", verb->name,
				                  tool_options[i].name);
			}
			continue;
		}
		if ((verb->options & TAKES(i)) == 0) {
			return tool_usage(tool, "%s does not take --%s", verb->name,
			                  tool_options[i].name);
		}
		if (tool->given[i].count > 1 && !tool_options[i].list) {
			return tool_usage(tool, "--%s is given twice", tool_options[i].name);
		}
	}
	if (argc < verb->min) {
		return tool_usage(tool, "%s: an argument is missing", verb->name);
	}
	if (verb->max >= 0 && argc > verb->max) {
		return tool_usage(tool, "%s: too many arguments", verb->name);
	}
	return STATUS_DONE;
}

static int find_verb(tool_t *tool, const char *name)
{
	tool->verb = verb_find(name);
	if (tool->verb != NULL) {
		return STATUS_DONE;
	}
	const verb_t *near = verb_nearest(name);
	if (near != NULL) {
		return tool_usage(tool, "unknown verb %s; did you mean %s?", name, near->name);
	}
	return tool_usage(tool, "unknown verb %s", name);
}

int options_parse(tool_t *tool, int *argc, char ***argv)
{
	struct option longs[OPT_COUNT + 5] = {
		{ "store", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ "json", no_argument, NULL, LONG_JSON },
	};
	for (int i = 0; i < OPT_COUNT; i++) {
		longs[i + 4] = (struct option){ tool_options[i].name,
			                        tool_options[i].arg != NULL ? required_argument
			                                                    : no_argument,
			                        NULL, LONG_FIRST + i };
	}
	const char *env = getenv("KMAIL_STORE");
	tool->path = env != NULL && env[0] != '\0' ? env : tool_store_default;
	/* An error before getopt meets --json is to be JSON, too. */
	for (int i = 1; i < *argc && strcmp((*argv)[i], "--") != 0; i++) {
		tool->json = tool->json || strcmp((*argv)[i], "--json") == 0;
	}

	bool help = false, version = false;
	int status = take(tool, *argc, *argv, longs, &help, &version);
	if (status != STATUS_DONE) {
		return status;
	}
	*argc -= optind;
	*argv += optind;
	if (help || version) {
		tool->verb = verb_find(version ? "version" : "help");
		*argc = version || *argc == 0 ? 0 : 1;
		return STATUS_DONE;
	}
	if (*argc == 0) {
		return tool_usage(tool, "a verb is missing");
	}
	status = find_verb(tool, (*argv)[0]);
	if (status != STATUS_DONE) {
		return status;
	}
	(*argc)--;
	(*argv)++;
	return check(tool, *argc);
}

void options_free(tool_t *tool)
{
	for (int i = 0; i < OPT_COUNT; i++) {
		free(tool->given[i].values);
		tool->given[i] = (given_t){ 0 };
	}
}

const char *option_value(const tool_t *tool, option_id_t id)
{
	const given_t *given = &tool->given[id];
	return given->count > 0 ? given->values[given->count - 1] : NULL;
}

int option_number(tool_t *tool, option_id_t id, uint64_t min, uint64_t max, uint64_t *value)
{
	const char *text = option_value(tool, id);
	if (text == NULL) {
		return STATUS_DONE;
	}
	char *end = NULL;
	errno = 0;
	unsigned long long number = strtoull(text, &end, 10);
	if (errno != 0 || text[0] < '0' || text[0] > '9' || *end != '\0' || number < min ||
	    number > max) {
		return tool_usage(tool, "--%s: %s is not a number from %llu to %llu",
		                  tool_options[id].name, text, (unsigned long long)min,
		                  (unsigned long long)max);
	}
	*value = number;
	return STATUS_DONE;
}

/*! \brief Reads "+7d": what is added to a time. \return Seconds, or -1. */
static int64_t offset(const char *text)
{
	static const char letters[] = "smhdw";
	static const int64_t seconds[] = { 1, 60, 3600, 86400, 7 * 86400 };

	char *end = NULL;
	errno = 0;
	long number = strtol(text + 1, &end, 10);
	if (errno != 0 || end == text + 1 || text[1] < '0' || text[1] > '9' ||
	    number > 1000000000) {
		return -1;
	}
	const char *letter = *end != '\0' ? strchr(letters, *end) : letters;
	if (letter == NULL || (*end != '\0' && end[1] != '\0')) {
		return -1;
	}
	return number * seconds[letter - letters];
}

int option_duration(tool_t *tool, option_id_t id, uint32_t *seconds)
{
	const char *text = option_value(tool, id);
	char signed_text[32];
	if (text == NULL) {
		return STATUS_DONE;
	}
	(void)snprintf(signed_text, sizeof(signed_text), "+%s", text);
	int64_t value = strlen(text) + 2 <= sizeof(signed_text) ? offset(signed_text) : -1;
	if (value < 0 || value > INT32_MAX) {
		return tool_usage(tool, "--%s: %s is no length of time; write 90, 10m, 1h, 2d",
		                  tool_options[id].name, text);
	}
	*seconds = (uint32_t)value;
	return STATUS_DONE;
}

int option_time(tool_t *tool, option_id_t id, int64_t from, int64_t *value)
{
	const char *text = option_value(tool, id);
	if (text == NULL) {
		return STATUS_DONE;
	}
	if (strcmp(text, "now") == 0) {
		*value = time(NULL);
		return STATUS_DONE;
	}
	if (text[0] == '+') {
		int64_t add = offset(text);
		if (add >= 0) {
			*value = from + add;
			return STATUS_DONE;
		}
	}
	mail_diag_t diag = { 0 };
	if (text[0] == '+' || mail_time_parse(MAIL_STR(text), value, &diag) != KNOT_EOK) {
		return tool_usage(tool,
		                  "--%s: %s is no time; write 2027-01-31T12:00:00Z, now, or "
		                  "+7d (s, m, h, d, w)",
		                  tool_options[id].name, text);
	}
	return STATUS_DONE;
}
