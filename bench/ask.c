/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ask: a closed loop of questions to a name server on loopback, as fast as it answers.
 *
 * A window of questions is always on its way; each answer frees a slot for the next question. What is
 * asked comes from a mix: a file with a line of letters, and then one kind of question a line,
 *
 *   LETTERS WEIGHT TYPE RCODE ANCOUNT OWNER RDATA TITLE
 *
 * The n-th letter of the first line (modulo its length, from 0) is the class of domain n, and LETTERS are the
 * classes that a question is for. TYPE and RCODE are numbers, OWNER are the labels before the domain in hex
 * (`-`: none; `********` in it becomes random), RDATA is how the RDATA of the first answer begins, in hex (`-`: anything). Domains have
 * names like d0000001.example: they are made from a number, so ten million need no list. An answer with
 * another RCODE, ANCOUNT or RDATA, with TC, or to another question is wrong; one that does not come is lost.
 *
 * The result is one JSON object.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define KIND_MAX 128
#define CLASSES_MAX 100
#define LETTER_MAX 128
#define LETTERS_MAX 15
#define OWNER_MAX 64
#define LOTS_MAX 4096
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
	char letters[LETTERS_MAX + 1];
	unsigned weight;
	char title[OWNER_MAX];
	uint8_t owner[OWNER_MAX]; /*!< Labels, without a root. */
	unsigned owner_len;
	uint8_t *random; /*!< Where eight random letters go, or NULL. */
	uint16_t type;
	unsigned rcode;
	uint16_t ancount;
	uint8_t rdata[OWNER_MAX];
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

/*! What the arguments say. */
static struct {
	uint64_t port;
	const char *mix;
	const char *tail; /*!< Behind the digits. */
	uint64_t domains;
	uint64_t zipf; /*!< 0: uniform. */
	uint64_t window;
	double seconds;
	uint64_t count;
	uint64_t seed;
	double timeout;
	const char *edns; /*!< "none", "plain", or "do". */
	uint64_t walk;    /*!< Ask each domain everything in order, nothing by chance. */
} option = { .tail = "", .domains = 1, .window = 128, .seed = 1, .timeout = 1, .edns = "plain" };

static kind_t kinds[KIND_MAX];
static unsigned kind_count;
static char classes[CLASSES_MAX + 1]; /*!< Letters. */
static unsigned class_count;
/*! For each letter: as many of each kind as it has weight. */
static struct {
	uint8_t kinds[LOTS_MAX];
	unsigned count;
} lots[LETTER_MAX];

static slot_t slots[SLOT_MAX];
static unsigned idle[SLOT_MAX]; /*!< Slots without a question on its way. */
static unsigned idle_count;
static uint64_t sent, answered, lost, wrong, truncated;

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
 * Zipf's distribution, the n-th in proportion to 1/n, by rejection-inversion (W. Hörmann and G. Derflinger,
 * 1996): no table, so that the number of domains does not matter. The integral of 1/x is log(x), whose
 * inverse is exp(x). Return a rank from 1 on.
 */
static uint64_t zipf_rank(void)
{
	double low = log(1.5) - 1, high = log(option.domains + 0.5),
	       accept = 2 - exp(log(2.5) - 0.5);
	while (true) {
		double part = (chance() >> 11) * 0x1p-53;
		double y = high + part * (low - high);
		double x = exp(y);
		double rank = floor(x + 0.5);
		rank = rank < 1 ? 1 : rank > option.domains ? option.domains : rank;
		if (rank - x <= accept || y >= log(rank + 0.5) - 1 / rank) {
			return rank;
		}
	}
}

/*! Return the number of the domain to ask for, from 1 on. */
static uint64_t pick_domain(void)
{
	if (option.zipf == 0) {
		return 1 + chance_below(option.domains);
	}
	// The busiest domains shall not be neighbours in the tree.
	return 1 + zipf_rank() * SPREAD % option.domains;
}

/* Reading the mix. */

/*! Read octets in hex, as many as fit. Return how many they are. */
static unsigned read_hex(const char *hex, uint8_t *out)
{
	unsigned len = 0;
	for (unsigned octet; len < OWNER_MAX && sscanf(hex, "%2x", &octet) == 1; hex += 2) {
		out[len++] = octet;
	}
	return len;
}

/*! Let a class be asked a kind of question. */
static void add_lots(unsigned char letter, unsigned kind)
{
	for (unsigned i = 0; i < kinds[kind].weight && letter < LETTER_MAX; i++) {
		if (lots[letter].count == LOTS_MAX) {
			fail("the mix is too long");
		}
		lots[letter].kinds[lots[letter].count++] = kind;
	}
}

static void read_mix(void)
{
	FILE *file = fopen(option.mix, "r");
	char owner[2 * OWNER_MAX + 1], rdata[2 * OWNER_MAX + 1];
	if (file == NULL || fscanf(file, "%100s", classes) != 1) {
		fail("the mix cannot be read");
	}
	class_count = strlen(classes);
	int fields = 0;
	for (kind_t *kind = kinds; kind < kinds + KIND_MAX; kind++) {
		fields = fscanf(file, "%15s %u %hu %u %hu %128s %128s %63[^\n]", kind->letters,
		                &kind->weight, &kind->type, &kind->rcode, &kind->ancount, owner,
		                rdata, kind->title);
		if (fields != 8) {
			break;
		}
		kind->owner_len = read_hex(owner, kind->owner);
		kind->random = memmem(kind->owner, kind->owner_len, "********", 8);
		kind->rdata_len = read_hex(rdata, kind->rdata);
		for (const char *letter = kind->letters; *letter != '\0'; letter++) {
			add_lots(*letter, kind_count);
		}
		kind_count++;
	}
	for (unsigned i = 0; i < class_count; i++) {
		if (fields != EOF || classes[i] < 0 || lots[(unsigned char)classes[i]].count == 0) {
			fail("the mix cannot be read, is too long, or has nothing for a class");
		}
	}
	fclose(file);
}

/* Questions. */

static char class_of(uint64_t domain)
{
	return classes[domain % class_count];
}

/*! Pick a kind of question. Return the number of a domain that it is for. */
static uint64_t pick(unsigned *kind)
{
	static uint64_t walked;
	if (option.walk == 0) {
		uint64_t domain = pick_domain();
		unsigned letter = class_of(domain);
		*kind = lots[letter].kinds[chance_below(lots[letter].count)];
		return domain;
	}
	while (true) {
		uint64_t domain = 1 + walked / kind_count % option.domains;
		*kind = walked++ % kind_count;
		if (strchr(kinds[*kind].letters, class_of(domain)) != NULL) {
			return domain;
		}
	}
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

/*! Write the name of a domain: a letter, at least seven digits, the tail, ".example". Return its end. */
static uint8_t *write_domain(uint64_t number, uint8_t *out)
{
	unsigned tail = strlen(option.tail), digits = 7;
	for (uint64_t limit = 10000000; number >= limit; limit *= 10) {
		digits++;
	}
	*out++ = 1 + digits + tail;
	*out++ = 'd';
	for (unsigned i = digits; i-- > 0; number /= 10) {
		out[i] = '0' + number % 10;
	}
	memcpy(out + digits, option.tail, tail);
	out += digits + tail;
	memcpy(out, "\7example", 9);
	return out + 9;
}

/*! Write the next question into a slot. */
static void make_question(unsigned number)
{
	slot_t *slot = &slots[number];
	uint64_t domain = pick(&slot->kind);
	const kind_t *kind = &kinds[slot->kind];
	slot->uses++;
	uint8_t *p = slot->wire;
	memset(p, 0, HEADER);
	put_u16(p, (uint16_t)(slot->uses << SLOT_BITS | number));
	p[5] = 1;
	p[11] = option.edns[0] != 'n';
	p += HEADER;
	memcpy(p, kind->owner, kind->owner_len);
	if (kind->random != NULL) {
		uint64_t bits = chance();
		for (unsigned i = 0; i < 8; i++, bits >>= 4) {
			p[kind->random - kind->owner + i] = 'a' + (bits & 0xf);
		}
	}
	p += kind->owner_len;
	p = write_domain(domain, p);
	put_u16(p, kind->type);
	put_u16(p + 2, 1);
	p += 4;
	slot->asked_len = p - slot->wire - HEADER;
	// OPT (RFC 6891 6.1.2), 1232 octets as resolvers have it.
	const uint8_t opt[OPT_LEN] = { 0,           0, 41, 1232 >> 8,
		                       1232 & 0xff, 0, 0,  option.edns[0] == 'd' ? 0x80 : 0 };
	memcpy(p, opt, OPT_LEN);
	slot->len = p + (option.edns[0] != 'n' ? OPT_LEN : 0) - slot->wire;
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

/*! Take what has come; false: nothing. */
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

/*! Ask on all idle slots, but at most so many questions. */
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

/*! Give up questions that are older than the timeout. */
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

/*! Ask until time or count is over, then wait for what is still on its way. Return the seconds. */
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
			checked = time;
		}
	}
}

static void print(double seconds)
{
	printf("{\"sent\": %" PRIu64 ", \"answered\": %" PRIu64 ", \"lost\": %" PRIu64
	       ", \"wrong\": %" PRIu64 ", \"truncated\": %" PRIu64
	       ", \"seconds\": %.6f, \"wrong-kinds\": [",
	       sent, answered, lost, wrong, truncated, seconds);
	const char *comma = "";
	for (unsigned i = 0; i < kind_count; i++) {
		if (kinds[i].wrong > 0) {
			printf("%s\"%s: %" PRIu64 "\"", comma, kinds[i].title, kinds[i].wrong);
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

/*! The options, each with a value. */
static const struct {
	const char *name;
	uint64_t *whole;
	double *real;
	const char **text;
} names[] = {
	{ "--port", &option.port, NULL, NULL },       { "--mix", NULL, NULL, &option.mix },
	{ "--domains", &option.domains, NULL, NULL }, { "--tail", NULL, NULL, &option.tail },
	{ "--zipf", &option.zipf, NULL, NULL },       { "--window", &option.window, NULL, NULL },
	{ "--seconds", NULL, &option.seconds, NULL }, { "--count", &option.count, NULL, NULL },
	{ "--seed", &option.seed, NULL, NULL },       { "--timeout", NULL, &option.timeout, NULL },
	{ "--edns", NULL, NULL, &option.edns },       { "--walk", &option.walk, NULL, NULL },
};
#define NAMES (sizeof(names) / sizeof(*names))

/*! Take one option; false: it is none. */
static bool set_option(const char *name, const char *value)
{
	size_t i = 0;
	while (i < NAMES && strcmp(names[i].name, name) != 0) {
		i++;
	}
	if (i == NAMES || value == NULL) {
		return false;
	}
	if (names[i].whole != NULL) {
		*names[i].whole = strtoull(value, NULL, 10);
	} else if (names[i].real != NULL) {
		*names[i].real = strtod(value, NULL);
	} else {
		*names[i].text = value;
	}
	return true;
}

int main(int argc, char **argv)
{
	bool known = true;
	for (int i = 1; i < argc; i += 2) {
		known = known && set_option(argv[i], argv[i + 1]);
	}
	if (!known || option.port == 0 || option.mix == NULL ||
	    (option.seconds <= 0 && option.count == 0) || option.window == 0 ||
	    option.window > SLOT_MAX || option.domains == 0 || option.domains > UINT32_MAX ||
	    strlen(option.tail) > 40) {
		fprintf(stderr,
		        "usage: ask --port N --mix FILE (--seconds N | --count N) [--domains N] [--tail TEXT] "
		        "[--zipf 0|1] [--window 1-1024] [--seed N] [--timeout SECONDS] "
		        "[--edns none|plain|do] [--walk 0|1]\n");
		return 2;
	}
	chance_state = option.seed;
	read_mix();
	start_messages();
	int fd = connect_to_server();
	print(loop(fd));
	return 0;
}
