/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ask: a closed loop of questions to a name server on loopback, as fast as it answers.
 *
 * A window of questions is always on its way; each answer frees a slot for the next question. What is
 * asked comes from a mix: a file with one kind of question a line,
 *
 *   WEIGHT OWNER TYPE RCODE ANCOUNT RDATA
 *
 * OWNER is what stands before the domain (`-`: nothing; a label `*` becomes random), TYPE and RCODE are
 * numbers, RDATA is how the RDATA of the first answer begins, in hex (`-`: anything). Domains have names
 * like d0000001.example: they are made from a number, so ten million need no list. An answer with another
 * RCODE, ANCOUNT or RDATA, with TC, or to another question is wrong; one that does not come is lost.
 *
 * The result is one JSON object.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define KIND_MAX 64
#define OWNER_MAX 64
#define RDATA_MAX 16
#define QUESTION_MAX 300
#define ANSWER_MAX 4096
#define BATCH 64
/*! The low bits of a message's id are its slot, the others count how often the slot was used. */
#define SLOT_BITS 10
#define SLOT_MAX (1 << SLOT_BITS)
#define HEADER 12
#define OPT_LEN 11
#define SECOND 1000000000ull
/*! Empty looks at the socket before the processor is offered to others. */
#define PATIENCE 1000
/*! A prime above any number of domains: its multiples reach each of them once. */
#define SPREAD 2654435761ull

/*! A kind of question. */
typedef struct {
	unsigned weight;
	char owner_text[OWNER_MAX];
	uint8_t owner[OWNER_MAX]; /*!< Labels, without a root. */
	unsigned owner_len;
	int random_at; /*!< Where eight random letters go, or -1. */
	uint16_t type;
	uint8_t rcode;
	uint16_t ancount;
	uint8_t rdata[RDATA_MAX];
	unsigned rdata_len;
	uint64_t wrong;
} kind_t;

/*! A question on its way. */
typedef struct {
	uint8_t wire[QUESTION_MAX];
	unsigned len;
	unsigned asked_len; /*!< Of the question section. */
	unsigned kind;
	uint64_t sent; /*!< When; 0: nothing is on its way. */
	uint16_t uses;
} slot_t;

static struct {
	uint16_t port;
	const char *mix;
	const char *letter;
	const char *tail; /*!< Behind the digits. */
	uint8_t suffix[OWNER_MAX];
	unsigned suffix_len;
	uint64_t domains;
	double zipf; /*!< Exponent; 0: uniform. */
	unsigned window;
	double seconds;
	uint64_t count;
	uint64_t seed;
	double timeout;
	double interval; /*!< A line of numbers so often, in seconds; 0: never. */
	bool dnssec;
} option = { .letter = "d",
	     .tail = "",
	     .domains = 1,
	     .window = 128,
	     .seconds = 0,
	     .seed = 1,
	     .timeout = 1 };

static kind_t kinds[KIND_MAX];
static unsigned kind_count;
static uint16_t *lots; /*!< As many of each kind as it has weight. */
static unsigned lot_count;

static slot_t slots[SLOT_MAX];
static unsigned idle[SLOT_MAX]; /*!< Slots without a question on its way. */
static unsigned idle_count;
static uint64_t sent, answered, lost, late, wrong, truncated;

static void fail(const char *what)
{
	fprintf(stderr, "ask: %s\n", what);
	exit(1);
}

static uint64_t now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

/* Chance. */

static uint64_t chance_state;

/*! splitmix64. */
static uint64_t chance(void)
{
	uint64_t z = (chance_state += 0x9e3779b97f4a7c15ull);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/*! A number below a limit that has at most 32 bits. */
static uint64_t chance_below(uint64_t limit)
{
	return ((chance() >> 32) * limit) >> 32;
}

/*
 * Zipf's distribution by rejection-inversion (W. Hörmann and G. Derflinger, 1996): no table, so that
 * the number of domains does not matter. area() is the integral of x^-s from 1, back() its inverse.
 */
static struct {
	double low, high, accept;
} zipf;

static double area(double x)
{
	double rest = 1 - option.zipf;
	return fabs(rest) < 1e-9 ? log(x) : (pow(x, rest) - 1) / rest;
}

static double back(double y)
{
	double rest = 1 - option.zipf;
	return fabs(rest) < 1e-9 ? exp(y) : pow(1 + y * rest, 1 / rest);
}

static void zipf_start(void)
{
	zipf.low = area(1.5) - 1;
	zipf.high = area(option.domains + 0.5);
	zipf.accept = 2 - back(area(2.5) - pow(2, -option.zipf));
}

/*! A rank from 1 on. */
static uint64_t zipf_rank(void)
{
	while (true) {
		double part = (chance() >> 11) * 0x1p-53;
		double y = zipf.high + part * (zipf.low - zipf.high);
		double x = back(y);
		double rank = floor(x + 0.5);
		rank = rank < 1 ? 1 : rank > option.domains ? option.domains : rank;
		if (rank - x <= zipf.accept || y >= area(rank + 0.5) - pow(rank, -option.zipf)) {
			return rank;
		}
	}
}

/*! The number of the domain to ask for, from 1 on. */
static uint64_t pick_domain(void)
{
	if (option.zipf == 0) {
		return 1 + chance_below(option.domains);
	}
	// The busiest domains shall not be neighbours in the tree.
	return 1 + zipf_rank() * SPREAD % option.domains;
}

/* Reading the mix. */

/*! A name in text, without a root at its end, to labels. */
static unsigned labels(const char *text, uint8_t *out, int *random_at)
{
	unsigned len = 0;
	while (*text != '\0') {
		size_t label = strcspn(text, ".");
		bool is_random = label == 1 && *text == '*';
		size_t size = is_random ? 8 : label;
		if (label == 0 || size > 63 || len + 1 + size > OWNER_MAX) {
			fail("a name of the mix is not one");
		}
		out[len++] = size;
		if (is_random) {
			*random_at = len;
			memset(out + len, 'x', size);
		} else {
			memcpy(out + len, text, size);
		}
		len += size;
		text += label + (text[label] == '.');
	}
	return len;
}

static void read_rdata(kind_t *kind, const char *hex)
{
	if (strcmp(hex, "-") == 0) {
		return;
	}
	for (unsigned value; sscanf(hex, "%2x", &value) == 1; hex += 2) {
		if (kind->rdata_len == RDATA_MAX || hex[1] == '\0') {
			fail("RDATA of the mix is not hex, or too long");
		}
		kind->rdata[kind->rdata_len++] = value;
	}
}

static void read_mix(void)
{
	FILE *file = fopen(option.mix, "r");
	if (file == NULL) {
		fail("the mix cannot be read");
	}
	char rdata[2 * RDATA_MAX + 2];
	kind_t kind = { 0 };
	unsigned type, rcode, ancount;
	int fields;
	while ((fields = fscanf(file, "%u %63s %u %u %u %33s", &kind.weight, kind.owner_text, &type,
	                        &rcode, &ancount, rdata)) == 6) {
		if (kind_count == KIND_MAX || kind.weight == 0 || kind.weight > 100000) {
			fail("too many kinds in the mix, or a weight out of 1 to 100000");
		}
		kind.random_at = -1;
		kind.owner_len = strcmp(kind.owner_text, "-") == 0
		                         ? 0
		                         : labels(kind.owner_text, kind.owner, &kind.random_at);
		kind.type = type;
		kind.rcode = rcode;
		kind.ancount = ancount;
		kind.rdata_len = 0;
		read_rdata(&kind, rdata);
		kinds[kind_count++] = kind;
		lot_count += kind.weight;
	}
	fclose(file);
	if (fields != EOF || kind_count == 0) {
		fail("a line of the mix is not WEIGHT OWNER TYPE RCODE ANCOUNT RDATA");
	}
	lots = calloc(lot_count, sizeof(*lots));
	if (lots == NULL) {
		fail("no memory");
	}
	for (unsigned i = 0, lot = 0; i < kind_count; i++) {
		for (unsigned w = 0; w < kinds[i].weight; w++) {
			lots[lot++] = i;
		}
	}
}

/* Questions. */

/*! The label of a domain: letters, at least seven digits, and the tail. */
static unsigned write_domain(uint64_t number, uint8_t *out)
{
	unsigned letters = strlen(option.letter), tail = strlen(option.tail), digits = 7;
	for (uint64_t limit = 10000000; number >= limit; limit *= 10) {
		digits++;
	}
	out[0] = letters + digits + tail;
	memcpy(out + 1, option.letter, letters);
	for (unsigned i = digits; i-- > 0; number /= 10) {
		out[1 + letters + i] = '0' + number % 10;
	}
	memcpy(out + 1 + letters + digits, option.tail, tail);
	return 1 + letters + digits + tail;
}

static void put_u16(uint8_t *out, uint16_t value)
{
	out[0] = value >> 8;
	out[1] = value & 0xff;
}

static uint16_t get_u16(const uint8_t *in)
{
	return (uint16_t)(in[0] << 8 | in[1]);
}

/*! Writes the next question into a slot. */
static void make_question(unsigned number)
{
	slot_t *slot = &slots[number];
	slot->kind = lots[chance_below(lot_count)];
	const kind_t *kind = &kinds[slot->kind];
	slot->uses++;
	uint8_t *p = slot->wire;
	memset(p, 0, HEADER);
	put_u16(p, (uint16_t)(slot->uses << SLOT_BITS | number));
	p[5] = 1;
	p[11] = 1;
	p += HEADER;
	memcpy(p, kind->owner, kind->owner_len);
	if (kind->random_at >= 0) {
		uint64_t bits = chance();
		for (unsigned i = 0; i < 8; i++, bits >>= 4) {
			p[kind->random_at + i] = 'a' + (bits & 0xf);
		}
	}
	p += kind->owner_len;
	p += write_domain(pick_domain(), p);
	memcpy(p, option.suffix, option.suffix_len);
	p += option.suffix_len;
	*p++ = 0;
	put_u16(p, kind->type);
	put_u16(p + 2, 1);
	p += 4;
	slot->asked_len = p - slot->wire - HEADER;
	// OPT (RFC 6891 6.1.2), 1232 octets as resolvers have it.
	const uint8_t opt[OPT_LEN] = { 0,           0, 41, 1232 >> 8,
		                       1232 & 0xff, 0, 0,  option.dnssec ? 0x80 : 0 };
	memcpy(p, opt, OPT_LEN);
	slot->len = p + OPT_LEN - slot->wire;
}

/* Answers. */

/*! Whether the RDATA of the record at a place begins as it should. */
static bool rdata_begins(const uint8_t *wire, size_t len, size_t pos, const kind_t *kind)
{
	while (pos < len && wire[pos] != 0 && wire[pos] < 0xc0) {
		pos += 1 + wire[pos];
	}
	pos += pos < len && wire[pos] >= 0xc0 ? 2 : 1;
	return pos + 10 + kind->rdata_len <= len && get_u16(wire + pos + 8) >= kind->rdata_len &&
	       memcmp(wire + pos + 10, kind->rdata, kind->rdata_len) == 0;
}

static bool is_right(const slot_t *slot, const uint8_t *wire, size_t len)
{
	const kind_t *kind = &kinds[slot->kind];
	size_t asked = HEADER + slot->asked_len;
	return len >= asked && (wire[2] & 0x82) == 0x80 && (wire[3] & 0xf) == kind->rcode &&
	       get_u16(wire + 4) == 1 && get_u16(wire + 6) == kind->ancount &&
	       memcmp(wire + HEADER, slot->wire + HEADER, slot->asked_len) == 0 &&
	       (kind->rdata_len == 0 || rdata_begins(wire, len, asked, kind));
}

static void take_answer(const uint8_t *wire, size_t len)
{
	unsigned number = len >= HEADER ? get_u16(wire) & (SLOT_MAX - 1) : SLOT_MAX;
	slot_t *slot = number < option.window ? &slots[number] : NULL;
	if (slot == NULL || slot->sent == 0 || get_u16(wire) != get_u16(slot->wire)) {
		late++;
		return;
	}
	answered++;
	truncated += (wire[2] & 0x02) != 0;
	if (!is_right(slot, wire, len)) {
		wrong++;
		kinds[slot->kind].wrong++;
	}
	slot->sent = 0;
	idle[idle_count++] = number;
}

static uint8_t answer_room[BATCH][ANSWER_MAX];
static struct iovec answer_iov[BATCH];
static struct mmsghdr answer_msg[BATCH];
static struct iovec question_iov[BATCH];
static struct mmsghdr question_msg[BATCH];

static void start_messages(void)
{
	for (unsigned i = 0; i < BATCH; i++) {
		answer_iov[i] = (struct iovec){ answer_room[i], ANSWER_MAX };
		answer_msg[i].msg_hdr.msg_iov = &answer_iov[i];
		answer_msg[i].msg_hdr.msg_iovlen = 1;
		question_msg[i].msg_hdr.msg_iov = &question_iov[i];
		question_msg[i].msg_hdr.msg_iovlen = 1;
	}
	for (unsigned i = option.window; i-- > 0;) {
		idle[idle_count++] = i;
	}
}

/*! Takes what has come; false: nothing. */
static bool receive(int fd)
{
	int count = recvmmsg(fd, answer_msg, BATCH, MSG_DONTWAIT, NULL);
	if (count < 0 && errno != EAGAIN && errno != EINTR) {
		fail(strerror(errno));
	}
	for (int i = 0; i < count; i++) {
		take_answer(answer_room[i], answer_msg[i].msg_len);
	}
	return count > 0;
}

/*! Asks on all idle slots, but at most so many questions. */
static void ask(int fd, uint64_t most)
{
	unsigned count = 0;
	while (count < BATCH && count < idle_count && count < most) {
		unsigned number = idle[idle_count - 1 - count];
		make_question(number);
		question_iov[count++] = (struct iovec){ slots[number].wire, slots[number].len };
	}
	if (count == 0) {
		return;
	}
	int done = sendmmsg(fd, question_msg, count, 0);
	if (done < 0 && errno != EAGAIN && errno != ENOBUFS && errno != EINTR) {
		fail(strerror(errno));
	}
	uint64_t time = now();
	for (int i = 0; i < done; i++) {
		slots[idle[--idle_count]].sent = time;
		sent++;
	}
}

/*! Gives up questions that are older than the timeout. */
static void expire(uint64_t time)
{
	uint64_t old = option.timeout * SECOND;
	for (unsigned i = 0; i < option.window; i++) {
		if (slots[i].sent != 0 && time - slots[i].sent > old) {
			slots[i].sent = 0;
			idle[idle_count++] = i;
			lost++;
		}
	}
}

/*! Every interval a line: seconds, answers so far. */
static void show(uint64_t start, uint64_t time)
{
	static uint64_t next;
	if (option.interval > 0 && time - start >= next) {
		fprintf(stderr, "%.3f %llu\n", (time - start) / (double)SECOND,
		        (unsigned long long)answered);
		next = time - start + option.interval * SECOND;
	}
}

/*! Asks until time or count is over, then waits for what is still on its way. Gives the seconds. */
static double loop(int fd)
{
	uint64_t start = now(), time = start, checked = start;
	uint64_t end = option.seconds > 0 ? start + (uint64_t)(option.seconds * SECOND)
	                                  : UINT64_MAX;
	unsigned empty = 0;
	while (true) {
		bool over = time >= end || (option.count > 0 && sent >= option.count);
		if (over && idle_count == option.window) {
			return (time - start) / (double)SECOND;
		}
		if (!over) {
			ask(fd, option.count > 0 ? option.count - sent : UINT64_MAX);
		}
		empty = receive(fd) ? 0 : empty + 1;
		if (empty >= PATIENCE) {
			sched_yield();
		}
		time = now();
		if (time - checked > SECOND / 100) {
			expire(time);
			show(start, time);
			checked = time;
		}
	}
}

static void print(double seconds)
{
	printf("{\"sent\": %llu, \"answered\": %llu, \"lost\": %llu, \"late\": %llu, \"wrong\": %llu, "
	       "\"truncated\": %llu, \"seconds\": %.6f, \"wrong-kinds\": [",
	       (unsigned long long)sent, (unsigned long long)answered, (unsigned long long)lost,
	       (unsigned long long)late, (unsigned long long)wrong, (unsigned long long)truncated,
	       seconds);
	const char *comma = "";
	for (unsigned i = 0; i < kind_count; i++) {
		if (kinds[i].wrong > 0) {
			printf("%s\"%s TYPE%u: %llu\"", comma, kinds[i].owner_text, kinds[i].type,
			       (unsigned long long)kinds[i].wrong);
			comma = ", ";
		}
	}
	printf("]}\n");
}

static int connect_to_server(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		                       .sin_port = htons(option.port),
		                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int room = 4 << 20;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)) != 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		fail(strerror(errno));
	}
	return fd;
}

static const struct option long_options[] = { { "port", required_argument, NULL, 'p' },
	                                      { "mix", required_argument, NULL, 'm' },
	                                      { "domains", required_argument, NULL, 'n' },
	                                      { "letter", required_argument, NULL, 'l' },
	                                      { "tail", required_argument, NULL, 'a' },
	                                      { "suffix", required_argument, NULL, 'x' },
	                                      { "zipf", required_argument, NULL, 'z' },
	                                      { "window", required_argument, NULL, 'w' },
	                                      { "seconds", required_argument, NULL, 's' },
	                                      { "count", required_argument, NULL, 'c' },
	                                      { "seed", required_argument, NULL, 'r' },
	                                      { "timeout", required_argument, NULL, 't' },
	                                      { "dnssec", no_argument, NULL, 'd' },
	                                      { "interval", required_argument, NULL, 'i' },
	                                      { NULL, 0, NULL, 0 } };

static void set_option(int letter, const char *value)
{
	int none;
	switch (letter) {
	case 'p': option.port = strtoul(value, NULL, 10); break;
	case 'm': option.mix = value; break;
	case 'n': option.domains = strtoull(value, NULL, 10); break;
	case 'l': option.letter = value; break;
	case 'a': option.tail = value; break;
	case 'x': option.suffix_len = labels(value, option.suffix, &none); break;
	case 'z': option.zipf = strtod(value, NULL); break;
	case 'w': option.window = strtoul(value, NULL, 10); break;
	case 's': option.seconds = strtod(value, NULL); break;
	case 'c': option.count = strtoull(value, NULL, 10); break;
	case 'r': option.seed = strtoull(value, NULL, 10); break;
	case 't': option.timeout = strtod(value, NULL); break;
	case 'd': option.dnssec = true; break;
	case 'i': option.interval = strtod(value, NULL); break;
	default: exit(2);
	}
}

int main(int argc, char **argv)
{
	int none;
	option.suffix_len = labels("example", option.suffix, &none);
	for (int letter; (letter = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
		set_option(letter, optarg);
	}
	if (option.port == 0 || option.mix == NULL || (option.seconds <= 0 && option.count == 0) ||
	    option.window == 0 || option.window > SLOT_MAX || option.domains == 0 ||
	    option.domains > UINT32_MAX || option.zipf < 0 ||
	    strlen(option.letter) + strlen(option.tail) > 40) {
		fprintf(stderr,
		        "usage: ask --port N --mix FILE (--seconds N | --count N) [--domains N] "
		        "[--letter TEXT] [--tail TEXT] [--suffix NAME] [--zipf EXPONENT] [--window 1-1024] "
		        "[--seed N] [--timeout SECONDS] [--interval SECONDS] [--dnssec]\n");
		return 2;
	}
	chance_state = option.seed;
	read_mix();
	zipf_start();
	start_messages();
	int fd = connect_to_server();
	print(loop(fd));
	return 0;
}
