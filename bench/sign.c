/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Signatures per second: made, found in the cache, and with more keys than are kept ready; and beside them, what
 * `openssl speed` makes on this machine. Built on demand: make bench/sign && bench/sign [SECONDS [KEYS]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mail/signer.h"

/* As long as what is signed for one TXT record. */
#define OCTETS 200
/* Signatures that fit into the cache. */
#define WARM 1000

static double seconds = 2;

static const struct {
	mail_algorithm_t algorithm;
	const char *name;
	const char *speed; /*!< What openssl calls it. */
	const char *row;   /*!< What its line begins with in openssl's -mr form. */
} algorithms[] = {
	{ MAIL_ALGORITHM_ECDSAP256SHA256, "ecdsap256sha256", "ecdsap256", "+F4:" },
	{ MAIL_ALGORITHM_ED25519, "ed25519", "ed25519", "+F6:" },
	{ MAIL_ALGORITHM_RSASHA256, "rsasha256 (2048)", "rsa2048", "+F2:" },
};

/*! What is measured. */
typedef struct {
	mail_signer_t *signer;
	const mail_dnskey_t *keys;
	size_t count;
	uint64_t different; /*!< So many texts to sign. */
} work_t;

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/*! Signs for some time. \return Signatures per second of the processor. */
static double measure(const work_t *work)
{
	uint8_t octets[OCTETS] = { 0 }, signature[MAIL_SIGNATURE_MAX];
	double start = now(), end = start;
	uint64_t made = 0;
	for (; end - start < seconds; end = now()) {
		for (unsigned i = 0; i < 100; i++, made++) {
			uint64_t number = made % work->different;
			memcpy(octets, &number, sizeof(number));
			const mail_dnskey_t *key = &work->keys[made % work->count];
			if (mail_signer_sign(work->signer, key, 0, octets, sizeof(octets),
			                     signature) < 0) {
				fprintf(stderr, "sign: no signature\n");
				exit(1);
			}
		}
	}
	return (double)made / (end - start);
}

/*! Signatures per second of `openssl speed`, or 0. */
static double openssl_speed(const char *speed, const char *row)
{
	char command[128], line[256];
	double value = 0;
	snprintf(command, sizeof(command), "openssl speed -mr -seconds %d %s 2>/dev/null",
	         seconds < 1 ? 1 : (int)seconds, speed);
	FILE *pipe = popen(command, "r");
	while (pipe != NULL && fgets(line, sizeof(line), pipe) != NULL) {
		/* "+F4:3:256:SIGN:VERIFY", "+F6:0:253:Ed25519:SIGN:VERIFY". */
		char *verify = strrchr(line, ':');
		if (strncmp(line, row, strlen(row)) == 0 && verify != NULL) {
			*verify = '\0';
			value = strtod(strrchr(line, ':') + 1, NULL);
		}
	}
	if (pipe != NULL) {
		pclose(pipe);
	}
	return value;
}

static mail_dnskey_t *keys_make(mail_algorithm_t algorithm, size_t count, mail_keyring_t *ring)
{
	mail_dnskey_t *keys = calloc(count, sizeof(*keys));
	for (size_t i = 0; keys != NULL && i < count; i++) {
		mail_private_t *key;
		if (mail_private_generate(algorithm, 0, &key) != KNOT_EOK) {
			exit(1);
		}
		mail_str_t octets = mail_private_public(key);
		keys[i].algorithm = algorithm;
		keys[i].public_len = (uint16_t)octets.len;
		memcpy(keys[i].public_key, octets.data, octets.len);
		mail_keyring_add(ring, key);
		mail_private_free(key);
	}
	return keys;
}

static void run(size_t i, size_t count)
{
	mail_keyring_t *ring = mail_keyring_new(NULL);
	mail_signatures_t *signatures = mail_signatures_new(64 << 20);
	mail_signer_t *cold = mail_signer_new(NULL, 0), *warm = mail_signer_new(signatures, 0);
	if (algorithms[i].algorithm == MAIL_ALGORITHM_RSASHA256 && count > 20) {
		count = 20;
	}
	mail_dnskey_t *keys = keys_make(algorithms[i].algorithm, count, ring);
	mail_signer_sync(cold, ring, 1);
	mail_signer_sync(warm, ring, 1);

	double made = measure(&(work_t){ cold, keys, 1, UINT64_MAX });
	double filled = measure(&(work_t){ warm, keys, 1, UINT64_MAX });
	double openssl = openssl_speed(algorithms[i].speed, algorithms[i].row);
	double found = measure(&(work_t){ warm, keys, 1, WARM });
	double many = measure(&(work_t){ cold, keys, count, UINT64_MAX });
	printf("%-18s made %8.0f/s  made and kept %8.0f/s  openssl speed %8.0f/s  ratio %.2f  "
	       "found %10.0f/s  of %zu keys by turns %8.0f/s\n",
	       algorithms[i].name, made, filled, openssl, openssl > 0 ? filled / openssl : 0, found,
	       count, many);
	fflush(stdout);

	free(keys);
	mail_signer_free(cold);
	mail_signer_free(warm);
	mail_signatures_free(signatures);
	mail_keyring_free(ring);
}

int main(int argc, char **argv)
{
	size_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : 2000;
	seconds = argc > 1 ? strtod(argv[1], NULL) : seconds;
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(*algorithms); i++) {
		run(i, count > 0 ? count : 1);
	}
	return 0;
}
