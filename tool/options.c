/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <time.h>

#include "mail/chars.h"
#include "mail/time.h"
#include "tool/out.h"
#include "tool/wait.h"

/* getopt's values of the options that have a letter or belong to no verb. */
enum { LONG_FIRST = 256, LONG_JSON = LONG_FIRST + OPT_COUNT };

/* What a time looks like: examples for messages and completion. */
#define TIMES "now +2h +7d 2027-01-31T12:00:00Z"

/* clang-format off */
const option_t tool_options[OPT_COUNT] = {
	[OPT_ACTIVATE] = { .name = "activate", .arg = "TIME", .words = TIMES,
	  .help = "when signers may begin to use the key" },
	[OPT_ALGORITHM] = { .name = "algorithm", .arg = "ALGORITHM", .one_of = true,
	  .words = "ed25519 rsa ecdsap256sha256 rsasha256",
	  .help = "kind of key: ed25519; for DKIM also rsa; for DNSSEC also ecdsap256sha256, rsasha256" },
	[OPT_ALIAS] = { .name = "alias", .arg = "DOMAIN", .item = MAIL_ITEM_ALIAS,
	  .help = "only aliases of this domain" },
	[OPT_ALL] = { .name = "all", .help = "all domains; for key-retire: all keys of the set" },
	[OPT_AT] = { .name = "at", .arg = "TIME", .words = TIMES, .help = "at this time instead of now" },
	[OPT_BASE] = { .name = "base", .arg = "ID", .item = MAIL_ITEM_BASE,
	  .help = "only policies that have this policy as their base" },
	[OPT_BATCH] = { .name = "batch", .arg = "N",
	  .help = "commit after every N lines instead of once" },
	[OPT_BITS] = { .name = "bits", .arg = "N", .words = "2048 3072 4096",
	  .help = "length of an RSA key (2048)" },
	[OPT_CERTIFICATE] = { .name = "certificate", .arg = "ID", .item = MAIL_ITEM_CERTIFICATE,
	  .help = "only hosts that name this certificate set" },
	[OPT_CREATE] = { .name = "create",
	  .help = "make a new entry, although its id is one letter from that of another" },
	[OPT_CONFIG] = { .name = "config", .arg = "FILE|DIR",
	  .help = "knot.conf, or the directory of the configuration database" },
	[OPT_CSK] = { .name = "csk", .help = "one key for all (the default)" },
	[OPT_CURRENT] = { .name = "current", .arg = "PEM",
	  .help = "file with the certificates that the server shows now, leaf first" },
	[OPT_DELAY] = { .name = "delay", .arg = "DURATION", .words = "10m 1h 1d",
	  .help = "how long a change takes to reach every name server (1h)" },
	[OPT_DEPLOY_AT] = { .name = "deploy-at", .arg = "TIME", .words = TIMES,
	  .help = "when the server begins to show the next certificate" },
	[OPT_DIGEST] = { .name = "digest", .arg = "LIST", .words = "sha256 sha384",
	  .help = "digests of the DS (sha256,sha384)" },
	[OPT_DIRECTORY] = { .name = "directory", .arg = "DIR",
	  .help = "write DIR/NAME.zone for each domain" },
	[OPT_DNSSEC] = { .name = "dnssec", .help = "with RRSIG and NSEC records, as for a question with the DO bit" },
	[OPT_DRY_RUN] = { .name = "dry-run",
	  .help = "print what would change, and change nothing" },
	[OPT_DS_SEEN] = { .name = "ds-seen", .help = "the parents have the DS already" },
	[OPT_DS_TTL] = { .name = "ds-ttl", .arg = "DURATION", .words = "1h 1d 2d",
	  .help = "largest TTL of a DS at the parents (1d)" },
	[OPT_FORCE] = { .name = "force", .help = "do it although it is refused" },
	[OPT_FORM] = { .name = "form", .arg = "\"U S M\"", .list = true,
	  .help = "usage, selector and matching type of a TLSA record (3 1 1)" },
	[OPT_FORMAT] = { .name = "format", .arg = "FORMAT", .one_of = true, .words = "table zone json paste ndjson",
	  .help = "format of the output" },
	[OPT_GONE] = { .name = "gone", .help = "no parent has a DS any more" },
	[OPT_HOST] = { .name = "host", .arg = "ID", .item = MAIL_ITEM_HOST,
	  .help = "only those that name this host themselves" },
	[OPT_KEEP_GOING] = { .name = "keep-going", .help = "import the other lines when some are refused; needs --rejects" },
	[OPT_KEY_DIRECTORY] = { .name = "key-directory", .arg = "DIR",
	  .help = "where the private DNSSEC keys are (STORE/keys)" },
	[OPT_KEY_SET] = { .name = "key-set", .arg = "ID", .item = MAIL_ITEM_KEY_SET,
	  .help = "only those that name this key set themselves" },
	[OPT_KSK] = { .name = "ksk", .help = "a key that signs the keys" },
	[OPT_MAP_SIZE] = { .name = "map-size", .arg = "SIZE", .words = "1G 8G 32G",
	  .help = "most that the store can hold (32G)" },
	[OPT_NEXT] = { .name = "next", .arg = "PEM",
	  .help = "file with the certificates that the server is going to show" },
	[OPT_OLDER_THAN] = { .name = "older-than", .arg = "DAYS",
	  .help = "only entries that were deleted more than DAYS days ago" },
	[OPT_OUT] = { .name = "out", .arg = "FILE",
	  .help = "file for the private key; it must not exist" },
	[OPT_OWNER] = { .name = "owner", .arg = "USER:GROUP", .help = "owner of the files" },
	[OPT_POLICY] = { .name = "policy", .arg = "ID", .item = MAIL_ITEM_POLICY,
	  .help = "only domains that follow this policy themselves; with --zone: the policy of the "
		  "module's section" },
	[OPT_PRUNE] = { .name = "prune", .arg = "SECTION", .list = true, .one_of = true,
	  .words = "host certificate policy dkim domain key-set",
	  .help = "delete the entries of a section that FILE does not name" },
	[OPT_PUBLISH] = { .name = "publish", .arg = "TIME", .words = TIMES,
	  .help = "when the record appears (now)" },
	[OPT_REJECTS] = { .name = "rejects", .arg = "FILE",
	  .help = "new file for the lines that are refused" },
	[OPT_REMOVE] = { .name = "remove", .arg = "TIME", .words = TIMES, .help = "when the record disappears" },
	[OPT_REPAIR] = { .name = "repair", .help = "first make the indexes of the store anew" },
	[OPT_REPLICATED] = { .name = "replicated",
	  .help = "deleted entries leave tombstones, as replication needs" },
	[OPT_REPORTS] = { .name = "reports",
	  .help = "also _report._dmarc records of other domains" },
	[OPT_RETIRE] = { .name = "retire", .arg = "TIME", .words = TIMES,
	  .help = "when signers stop using the key" },
	[OPT_REVOKE] = { .name = "revoke", .help = "publish an empty key from then on" },
	[OPT_SECTION] = { .name = "section", .arg = "SECTION", .list = true, .one_of = true,
	  .words = "host certificate policy dkim domain key-set", .help = "only this section" },
	[OPT_SERVER] = { .name = "server", .arg = "ADDRESS[@PORT]", .list = true,
	  .help = "ask there, and not where knotd listens" },
	[OPT_SKIP] = { .name = "skip", .arg = "LINE", .help = "pass over the first LINE lines" },
	[OPT_TAG] = { .name = "tag", .arg = "N", .help = "the key with this tag" },
	[OPT_TAGS] = { .name = "tags", .arg = "TAGS",
	  .help = "further tags of the DKIM record (h=sha256; none)" },
	[OPT_UNSIGNED] = { .name = "unsigned",
	  .help = "leave out RRSIG and NSEC records, for a server that signs by itself" },
	[OPT_USER] = { .name = "user", .arg = "USER", .help = "the user that knotd runs as" },
	[OPT_WAIT] = { .name = "wait", .arg = "SECONDS", .words = "0 10 60",
	  .help = "wait no longer for other writers; 0: not at all (for ever)" },
	[OPT_ZONE] = { .name = "zone", .arg = "FILE|-",
	  .help = "print what the module adds to this zone file, or to what knotc zone-read prints" },
	[OPT_ZSK] = { .name = "zsk", .help = "a key that signs all other records" },
};
/* clang-format on */

_Static_assert(OPT_COUNT <= 64, "the options of a verb are the bits of a word");

const char *options_store(void)
{
	const char *env = getenv("KMAIL_STORE");
	return env != NULL && env[0] != '\0' ? env : "/var/lib/knot/mail";
}

/*! Values of an option that differ from verb to verb. */
static const struct {
	const char *verb;
	option_id_t option;
	const char *words;
} words_of[] = {
	{ "dkim-generate", OPT_ALGORITHM, "ed25519 rsa" },
	{ "key-generate", OPT_ALGORITHM, "ed25519 ecdsap256sha256 rsasha256" },
	{ "records", OPT_FORMAT, "table zone json ndjson paste" },
	{ "export", OPT_FORMAT, "ndjson json zone" },
};

const char *option_words(const verb_t *verb, option_id_t id)
{
	for (size_t i = 0; verb != NULL && i < sizeof(words_of) / sizeof(words_of[0]); i++) {
		if (words_of[i].option == id && strcmp(words_of[i].verb, verb->name) == 0) {
			return words_of[i].words;
		}
	}
	return tool_options[id].words;
}

/*! \brief Write words with commas between them. \return out. */
static const char *with_commas(const char *words, char out[256])
{
	size_t len = 0;
	for (const char *pos = words; *pos != '\0' && len < 250; pos++) {
		if (*pos == ' ') {
			out[len++] = ',';
		}
		out[len++] = *pos;
	}
	out[len] = '\0';
	return out;
}

/*! \brief Say that a value is missing, and which values there are, for the verb that some word names. */
static void missing_value(tool_t *tool, int argc, char **argv, const char *option)
{
	char list[256];
	for (int i = 1; i < argc && tool->verb == NULL; i++) {
		tool->verb = verb_find(argv[i]);
	}
	for (int i = 0; i < OPT_COUNT; i++) {
		const char *words = option_words(tool->verb, (option_id_t)i);
		if (strncmp(option, "--", 2) == 0 &&
		    strcmp(option + 2, tool_options[i].name) == 0 && words != NULL) {
			tool_usage(tool, "%s needs a value%s: %s", option,
			           tool_options[i].one_of ? ", one of" : ", as",
			           with_commas(words, list));
		}
	}
	tool_usage(tool, "%s needs a value", option);
}

/*! \brief Say that there is no such option, and which one may be meant. */
static void unknown_option(tool_t *tool, const char *option)
{
	const char *nearest = NULL;
	unsigned least = 4;
	mail_str_t name = MAIL_STR(option);
	name = mail_str_from(name, strspn(option, "-"));
	name.len = strcspn(name.data, "=");
	for (int i = 0; i < OPT_COUNT; i++) {
		mail_nearer(name, tool_options[i].name, &nearest, &least);
	}
	if (nearest != NULL) {
		tool_usage(tool, "unknown option %s; did you mean --%s?", option, nearest);
	}
	tool_usage(tool, "unknown option %s", option);
}

/*! \brief Return the word of a verb's synopsis that is missing. \param n Words that are there. */
static mail_str_t argument_name(const verb_t *verb, int n)
{
	const char *pos = verb->args;
	for (int i = 0; i < n; i++) {
		pos += strcspn(pos, " ");
		pos += strspn(pos, " ");
	}
	return (mail_str_t){ pos, strcspn(pos, " ") };
}

/*! \brief Check the values of an option that takes certain words only. */
static void check_words(tool_t *tool, option_id_t id)
{
	const char *words = option_words(tool->verb, id);
	const given_t *given = &tool->given[id];
	char list[256];
	for (size_t i = 0; i < given->count; i++) {
		const size_t len = strlen(given->values[i]);
		bool found = false;
		for (const char *pos = words; *pos != '\0'; pos += strspn(pos, " ")) {
			const size_t part = strcspn(pos, " ");
			found |= part == len && memcmp(pos, given->values[i], len) == 0;
			pos += part;
		}
		if (!found) {
			tool_usage(tool, "--%s does not take %s; it takes one of: %s",
			           tool_options[id].name, given->values[i],
			           with_commas(words, list));
		}
	}
}

/*! \brief Return a value in small letters if an option takes certain words only: RSA is rsa. */
static const char *small_letters(option_id_t id, char *value)
{
	for (char *pos = value; tool_options[id].one_of && *pos != '\0'; pos++) {
		*pos = (char)mail_char_lower(*pos);
	}
	return value;
}

/*! \brief Return the word that getopt has just refused: while letters are left in it, optind has not passed it. */
static const char *refused_word(char **argv)
{
	const char *passed = argv[optind - 1];
	const size_t len = strlen(passed);
	if (optopt == 0 || optopt >= LONG_JSON || argv[optind] == NULL ||
	    (passed[0] == '-' && passed[len - 1] == optopt)) {
		return passed;
	}
	return argv[optind];
}

/*! \brief Take all options of the command line, whatever the verb. \return "help", "version" or NULL. */
static const char *take_options(tool_t *tool, int argc, char **argv)
{
	const char *asked = NULL;
	struct option longs[OPT_COUNT + 6] = {
		{ "store", required_argument, NULL, 's' }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },     { "json", no_argument, NULL, LONG_JSON },
		{ "quiet", no_argument, NULL, 'q' },
	};
	for (int i = 0; i < OPT_COUNT; i++) {
		int arg = tool_options[i].arg != NULL ? required_argument : no_argument;
		longs[i + 5] = (struct option){ tool_options[i].name, arg, NULL, LONG_FIRST + i };
	}
	int opt;
	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":s:hqV", longs, NULL)) != -1) {
		given_t *given = &tool->given[opt >= LONG_FIRST ? opt - LONG_FIRST : 0];
		switch (opt) {
		case 's': tool->path = optarg; break;
		case 'h': asked = asked != NULL ? asked : "help"; break;
		case 'q': tool->quiet = true; break;
		case 'V': asked = "version"; break;
		case LONG_JSON: tool->json = true; break;
		case ':': missing_value(tool, argc, argv, argv[optind - 1]); break;
		case '?': unknown_option(tool, refused_word(argv)); break;
		default:
			given->values = tool_memory(
				tool, realloc(given->values,
			                      (given->count + 1) * sizeof(*given->values)));
			given->values[given->count++] = small_letters(
				(option_id_t)(opt - LONG_FIRST), optarg);
		}
	}
	return asked;
}

/*! \brief Check options and number of arguments against what the verb takes. */
static void check(tool_t *tool)
{
	const verb_t *verb = tool->verb;
	for (int i = 0; i < OPT_COUNT; i++) {
		const char *name = tool_options[i].name;
		if (!option_is(tool, (option_id_t)i)) {
			if ((verb->required & TAKES(i)) != 0) {
				tool_usage(tool, "%s: --%s is missing", verb->name, name);
			}
			continue;
		}
		if ((verb->options & TAKES(i)) == 0) {
			tool_usage(tool, "%s does not take --%s", verb->name, name);
		}
		if (tool->given[i].count > 1 && !tool_options[i].list) {
			tool_usage(tool, "--%s is given twice", name);
		}
		if (tool_options[i].one_of) {
			check_words(tool, (option_id_t)i);
		}
	}
	/* Before anything is read. */
	wait_check(tool);
	if (tool->argc < verb->min) {
		const mail_str_t name = argument_name(verb, tool->argc);
		tool_usage(tool, "%s: %.*s is missing", verb->name, (int)name.len, name.data);
	}
	if (verb->max >= 0 && tool->argc > verb->max) {
		tool_usage(tool, "%s: %s is one argument too many", verb->name,
		           tool->argv[verb->max]);
	}
}

void options_parse(tool_t *tool, int argc, char **argv)
{
	tool->path = options_store();
	/* An error before getopt meets --json is to be JSON, too. */
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		tool->json = tool->json || strcmp(argv[i], "--json") == 0;
	}
	const char *asked = take_options(tool, argc, argv);
	tool->argc = argc - optind;
	tool->argv = argv + optind;
	if (asked != NULL) {
		tool->verb = verb_find(asked);
		tool->argc = strcmp(asked, "help") == 0 && tool->argc > 0;
		return;
	}
	if (tool->argc == 0) {
		tool_usage(tool, "a verb is missing");
	}
	tool->verb = verb_named(tool, tool->argv[0], tool->argc > 1 ? tool->argv[1] : NULL);
	tool->argc--;
	tool->argv++;
	check(tool);
}

void options_free(tool_t *tool)
{
	for (int i = 0; i < OPT_COUNT; i++) {
		free(tool->given[i].values);
	}
}

const char *option_value(const tool_t *tool, option_id_t id)
{
	const given_t *given = &tool->given[id];
	return given->count > 0 ? given->values[given->count - 1] : NULL;
}

const char *option_nth(const tool_t *tool, option_id_t id, size_t n)
{
	const given_t *given = &tool->given[id];
	return n < given->count ? given->values[n] : NULL;
}

uint64_t option_number(tool_t *tool, option_id_t id, uint64_t min, uint64_t max, uint64_t dflt)
{
	const char *text = option_value(tool, id);
	if (text == NULL) {
		return dflt;
	}
	uint32_t number;
	if (!mail_str_number(MAIL_STR(text), UINT32_MAX, &number) || number < min || number > max) {
		tool_usage(tool, "--%s: %s is not a number from %llu to %llu",
		           tool_options[id].name, text, (unsigned long long)min,
		           (unsigned long long)max);
	}
	return number;
}

/*! \brief Read a length of time, "7d". \return Seconds, or -1. */
static int64_t duration(mail_str_t text)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 7 * 86400 } };
	int64_t unit = 1;
	uint32_t number;
	for (size_t i = 0; text.len > 0 && i < sizeof(units) / sizeof(units[0]); i++) {
		if (text.data[text.len - 1] == units[i].letter) {
			unit = units[i].seconds;
			text.len--;
			break;
		}
	}
	return mail_str_number(text, 1000000000, &number) ? number * unit : -1;
}

uint32_t option_duration(tool_t *tool, option_id_t id, uint32_t dflt)
{
	const char *text = option_value(tool, id);
	if (text == NULL) {
		return dflt;
	}
	int64_t value = duration(MAIL_STR(text));
	if (value < 0 || value > INT32_MAX) {
		tool_usage(tool, "--%s: %s is no length of time; write 90, 10m, 1h, 2d",
		           tool_options[id].name, text);
	}
	return (uint32_t)value;
}

int64_t option_time(tool_t *tool, option_id_t id, int64_t from)
{
	const char *text = option_value(tool, id);
	int64_t value = -1;
	if (text == NULL) {
		return from;
	}
	if (strcmp(text, "now") == 0) {
		return time(NULL);
	}
	if (text[0] == '+') {
		value = duration(MAIL_STR(text + 1));
		if (value >= 0) {
			return from + value;
		}
	} else if (mail_time_parse(MAIL_STR(text), &value, NULL) == KNOT_EOK) {
		return value;
	}
	tool_usage(tool,
	           "--%s: %s is no time; write 2027-01-31T12:00:00Z, now, or +7d (s, m, h, d, w)",
	           tool_options[id].name, text);
}

unsigned option_sections(const tool_t *tool, option_id_t id, unsigned dflt)
{
	const given_t *given = &tool->given[id];
	unsigned bits = given->count > 0 ? 0 : dflt;
	for (size_t i = 0; i < given->count; i++) {
		bits |= 1u << mail_section_find(MAIL_STR(given->values[i]));
	}
	return bits;
}
