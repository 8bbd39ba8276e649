/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Run the seeds of a fuzz target through it, for compilers without libFuzzer: each file, and for
 * some of its octets what stands before the octet, and the file with the octet changed. Without arguments, the seeds are those in
 * $srcdir/tests/fuzz/corpus/NAME (automake sets srcdir), where the program is called fuzz_NAME.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "fuzz.h"

/* Octets of a file at which it is cut and changed; every file begins at another octet. */
#define PLACES 100

/* Runs octets in memory of exactly their size, so that a sanitizer sees a read past their end. */
static void run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);
	FUZZ_REQUIRE(copy != NULL);
	if (size > 0) {
		memcpy(copy, data, size);
	}
	FUZZ_REQUIRE(LLVMFuzzerTestOneInput(copy, size) == 0);
	free(copy);
}

static size_t run_varied(uint8_t *data, size_t size)
{
	static size_t files;
	size_t step = size / PLACES + 1, count = 1;
	run(data, size);
	for (size_t i = files++ % step; i < size; i += step, count += 3) {
		uint8_t octet = data[i];
		run(data, i);
		data[i] = octet ^ (1u << i % 8);
		run(data, size);
		data[i] = octet + 1;
		run(data, size);
		data[i] = octet;
	}
	return count;
}

static size_t run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	size_t size = 0, count = 0;
	struct stat st;
	if (file != NULL && fstat(fileno(file), &st) == 0 && S_ISREG(st.st_mode)) {
		data = malloc((size_t)st.st_size + 1);
		size = data != NULL ? fread(data, 1, (size_t)st.st_size, file) : 0;
		count = data != NULL ? run_varied(data, size) : 0;
	}
	if (count == 0) {
		perror(path);
	}
	if (file != NULL) {
		fclose(file);
	}
	free(data);
	return count;
}

/* Runs all files of a directory. \return Number of inputs; 0: something could not be read. */
static size_t run_directory(const char *path)
{
	size_t count = 0, failed = 0;
	DIR *dir = opendir(path);
	if (dir == NULL) {
		perror(path);
		return 0;
	}
	for (const struct dirent *at = readdir(dir); at != NULL; at = readdir(dir)) {
		char name[4096];
		if (at->d_name[0] == '.') {
			continue;
		}
		int len = snprintf(name, sizeof(name), "%s/%s", path, at->d_name);
		size_t ran = len > 0 && (size_t)len < sizeof(name) ? run_file(name) : 0;
		failed += ran == 0;
		count += ran;
	}
	closedir(dir);
	return failed == 0 ? count : 0;
}

/* The directory of the seeds, told by the program's name ("lt-" is what libtool puts before it). */
static void seeds_of(const char *program, char *path, size_t size)
{
	const char *slash = strrchr(program, '/');
	const char *base = slash != NULL ? slash + 1 : program;
	const char *srcdir = getenv("srcdir");
	base += strncmp(base, "lt-", 3) == 0 ? 3 : 0;
	base += strncmp(base, "fuzz_", 5) == 0 ? 5 : 0;
	snprintf(path, size, "%s/tests/fuzz/corpus/%s", srcdir != NULL ? srcdir : ".", base);
}

int main(int argc, char **argv)
{
	char path[4096];
	size_t total = 0;
	seeds_of(argv[0], path, sizeof(path));
	for (int i = 1; i < argc || i == 1; i++) {
		const char *name = i < argc ? argv[i] : path;
		struct stat st;
		bool directory = stat(name, &st) == 0 && S_ISDIR(st.st_mode);
		size_t count = directory ? run_directory(name) : run_file(name);
		if (count == 0) {
			fprintf(stderr, "%s: nothing was run\n", name);
			return EXIT_FAILURE;
		}
		total += count;
	}
	printf("%zu inputs\n", total);
	return EXIT_SUCCESS;
}
