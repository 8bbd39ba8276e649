/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/knotd.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tool/file.h"

#define CONFIG_DEFAULT "/etc/knot/knot.conf"
#define DATABASE_DEFAULT "/var/lib/knot/confdb"

/* A program that has said nothing for so long hangs. */
#define COMMAND_MS 10000

/*! \brief Be the program, with its output in a pipe. */
static void become(const char *const argv[], int out)
{
	char path[4096];
	const char *old = getenv("PATH");
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	(void)snprintf(path, sizeof(path), "%s:/usr/sbin:/sbin:/usr/bin:/bin",
	               old != NULL ? old : "");
	(void)setenv("PATH", path, 1);
	(void)signal(SIGPIPE, SIG_DFL);
	if (dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(out, STDERR_FILENO) < 0) {
		_exit(127);
	}
	(void)execvp(argv[0], (char *const *)argv);
	_exit(127);
}

int command_run(const char *const argv[], mail_buf_t *out)
{
	int fds[2], status = 0;
	if (pipe2(fds, O_CLOEXEC) != 0) {
		return -1;
	}
	(void)fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		become(argv, fds[1]);
	}
	(void)close(fds[1]);
	bool late = false;
	for (bool more = pid > 0; more;) {
		char part[4096];
		struct pollfd wait = { .fd = fds[0], .events = POLLIN };
		const int ready = poll(&wait, 1, COMMAND_MS);
		const ssize_t got = ready > 0 ? read(fds[0], part, sizeof(part)) : 0;
		late = ready == 0;
		more = got > 0 && mail_buf_put(out, part, (size_t)got) == KNOT_EOK;
	}
	(void)close(fds[0]);
	(void)mail_buf_u8(out, '\0');
	out->len -= out->len > 0;
	if (pid <= 0) {
		return -1;
	}
	if (late) {
		(void)kill(pid, SIGKILL);
	}
	if (waitpid(pid, &status, 0) != pid || late || !WIFEXITED(status) ||
	    WEXITSTATUS(status) == 127) {
		return -1;
	}
	return WEXITSTATUS(status);
}

static void find_version(knotd_t *knotd)
{
	const char *const argv[] = { "knotd", "-V", NULL };
	mail_buf_t out = { 0 };
	if (command_run(argv, &out) == 0) {
		const char *at = strstr((const char *)out.data, "version ");
		(void)snprintf(knotd->version, sizeof(knotd->version), "%.*s",
		               at != NULL ? (int)strcspn(at + 8, " \n") : 0,
		               at != NULL ? at + 8 : "");
	}
	mail_buf_free(&out);
}

/*! \brief Read a file of /proc/PID; its octets of 00 stay. */
static bool read_proc(pid_t pid, const char *name, mail_buf_t *out)
{
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	const bool good = file_read(path, out) == 0;
	(void)mail_buf_u8(out, '\0');
	return good && out->error == KNOT_EOK;
}

/*! \brief Find out which configuration a command line names; what is given is the default of knotd. */
static void find_config(knotd_t *knotd, const char *args, size_t len)
{
	const bool database = access(DATABASE_DEFAULT "/data.mdb", F_OK) == 0;
	knotd->database = database;
	(void)snprintf(knotd->config, sizeof(knotd->config), "%s",
	               database ? DATABASE_DEFAULT : CONFIG_DEFAULT);
	for (size_t at = 0; at < len; at += strlen(args + at) + 1) {
		const char *arg = args + at, *value = NULL;
		const bool file = strncmp(arg, "-c", 2) == 0 || strncmp(arg, "--config", 8) == 0;
		const bool confdb = strncmp(arg, "-C", 2) == 0 || strncmp(arg, "--confdb", 8) == 0;
		if (!file && !confdb) {
			continue;
		}
		const char *equals = arg[1] == '-' ? strchr(arg, '=') : NULL;
		if (equals != NULL) {
			value = equals + 1;
		} else if (arg[1] != '-' && arg[2] != '\0') {
			value = arg + 2;
		} else if (at + strlen(arg) + 1 < len) {
			value = arg + strlen(arg) + 1;
		}
		if (value != NULL) {
			knotd->database = confdb;
			(void)snprintf(knotd->config, sizeof(knotd->config), "%s", value);
		}
	}
}

/*! \brief Read the numbers behind a word of /proc/PID/status. */
static int read_ids(const char *status, const char *word, unsigned *ids, int max)
{
	const char *at = strstr(status, word);
	int count = 0;
	for (at = at != NULL ? at + strlen(word) : ""; count < max && *at != '\n' && *at != '\0';) {
		char *end;
		const unsigned long id = strtoul(at, &end, 10);
		if (end == at) {
			break;
		}
		ids[count++] = (unsigned)id;
		at = end + strspn(end, " \t");
	}
	return count;
}

/*! \brief Find out as whom a process runs. */
static void find_user(pid_t pid, user_t *user)
{
	mail_buf_t status = { 0 };
	unsigned ids[USER_GROUPS_MAX];
	if (read_proc(pid, "status", &status)) {
		const char *text = (const char *)status.data;
		user->uid = read_ids(text, "\nUid:\t", ids, 2) == 2 ? ids[1] : (uid_t)-1;
		user->groups[0] = read_ids(text, "\nGid:\t", ids, 2) == 2 ? ids[1] : (gid_t)-1;
		const int more = read_ids(text, "\nGroups:\t", ids, USER_GROUPS_MAX - 1);
		for (int i = 0; i < more; i++) {
			user->groups[i + 1] = ids[i];
		}
		user->group_count = more + 1;
		const struct passwd *entry = getpwuid(user->uid);
		(void)snprintf(user->name, sizeof(user->name), "%s",
		               entry != NULL ? entry->pw_name : "?");
		(void)access_group(user->groups[0], user->group);
	}
	mail_buf_free(&status);
}

/*! \brief Look at a process. \return Whether it is a knotd with the configuration. */
static bool is_knotd(pid_t pid, const char *config, knotd_t *found)
{
	mail_buf_t comm = { 0 }, args = { 0 };
	bool is = read_proc(pid, "comm", &comm) && strcmp((char *)comm.data, "knotd\n") == 0 &&
	          read_proc(pid, "cmdline", &args) && args.len > 1;
	if (is) {
		char given[PATH_MAX], theirs[PATH_MAX];
		find_config(found, (const char *)args.data, args.len - 1);
		is = config == NULL || strcmp(config, found->config) == 0 ||
		     (realpath(config, given) != NULL && realpath(found->config, theirs) != NULL &&
		      strcmp(given, theirs) == 0);
	}
	mail_buf_free(&comm);
	mail_buf_free(&args);
	return is;
}

/*! \brief Return whether a process lives in another mount namespace, as in a container: its files are others. */
static bool is_elsewhere(pid_t pid)
{
	char path[64], ours[64], theirs[64];
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	const ssize_t a = readlink("/proc/self/ns/mnt", ours, sizeof(ours));
	const ssize_t b = readlink(path, theirs, sizeof(theirs));
	return a > 0 && b > 0 && (a != b || memcmp(ours, theirs, (size_t)a) != 0);
}

/*! \brief Return whether a configuration is the one that knotd reads when it is not told of another. */
static bool is_default(const knotd_t *knotd)
{
	return strcmp(knotd->config, CONFIG_DEFAULT) == 0 ||
	       strcmp(knotd->config, DATABASE_DEFAULT) == 0;
}

void knotd_find(knotd_t *knotd, const char *config)
{
	DIR *proc = opendir("/proc");
	*knotd = (knotd_t){ .pid = 0 };
	find_version(knotd);
	find_config(knotd, "", 0);
	if (config != NULL) {
		(void)snprintf(knotd->config, sizeof(knotd->config), "%s", config);
		struct stat st;
		knotd->database = stat(config, &st) == 0 && S_ISDIR(st.st_mode);
	}
	for (const struct dirent *entry; proc != NULL && (entry = readdir(proc)) != NULL;) {
		const pid_t pid = (pid_t)atoi(entry->d_name);
		knotd_t found = { .pid = 0 };
		if (pid <= 0 || !is_knotd(pid, config, &found) || is_elsewhere(pid)) {
			continue;
		}
		/* The one that the system starts, if it runs; else the first. */
		const bool better = knotd->pid == 0 || is_default(&found) > is_default(knotd);
		const bool same = knotd->pid != 0 && is_default(&found) == is_default(knotd);
		knotd->others = better ? 0 : knotd->others + same;
		if (better) {
			knotd->pid = pid;
			knotd->database = found.database;
			(void)memcpy(knotd->config, found.config, sizeof(knotd->config));
		}
	}
	if (proc != NULL) {
		(void)closedir(proc);
	}
	if (knotd->pid != 0) {
		find_user(knotd->pid, &knotd->user);
	}
}

unsigned knotd_abi(const char *version)
{
	static const struct {
		const char *version;
		unsigned abi;
	} known[] = { { "3.2.", 400 }, { "3.3.", 500 }, { "3.4.", 600 }, { "3.5.", 600 } };
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strncmp(version, known[i].version, 4) == 0) {
			return known[i].abi;
		}
	}
	return 0;
}

/*! \brief Return the octets of a file at an address of the process that it becomes. */
static const uint8_t *at_address(const mail_str_t *file, uint64_t address, size_t len)
{
	const Elf64_Ehdr *head = (const Elf64_Ehdr *)(const void *)file->data;
	for (unsigned i = 0; i < head->e_phnum; i++) {
		const uint64_t at = head->e_phoff + (uint64_t)i * sizeof(Elf64_Phdr);
		if (at + sizeof(Elf64_Phdr) > file->len) {
			return NULL;
		}
		Elf64_Phdr part;
		memcpy(&part, file->data + at, sizeof(part));
		if (part.p_type == PT_LOAD && address >= part.p_vaddr &&
		    address + len <= part.p_vaddr + part.p_filesz) {
			const uint64_t offset = address - part.p_vaddr + part.p_offset;
			return offset + len <= file->len ? (const uint8_t *)file->data + offset
			                                 : NULL;
		}
	}
	return NULL;
}

/*! \brief Find a symbol among those that a file exports, and read the number there. */
static unsigned symbol_number(const mail_str_t *file, const Elf64_Shdr *symbols,
                              const Elf64_Shdr *names, const char *wanted)
{
	for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= symbols->sh_size; at += sizeof(Elf64_Sym)) {
		Elf64_Sym symbol;
		uint32_t number;
		memcpy(&symbol, file->data + symbols->sh_offset + at, sizeof(symbol));
		const uint64_t name = names->sh_offset + symbol.st_name;
		if (symbol.st_name >= names->sh_size || name + strlen(wanted) + 1 > file->len ||
		    memcmp(file->data + name, wanted, strlen(wanted) + 1) != 0) {
			continue;
		}
		const uint8_t *octets = at_address(file, symbol.st_value, sizeof(number));
		if (octets == NULL) {
			return 0;
		}
		memcpy(&number, octets, sizeof(number));
		return number;
	}
	return 0;
}

unsigned module_abi(const char *path)
{
	mail_buf_t buf = { 0 };
	unsigned abi = 0;
	Elf64_Ehdr head;
	if (file_read(path, &buf) != 0 || buf.len < sizeof(head)) {
		mail_buf_free(&buf);
		return 0;
	}
	const mail_str_t file = mail_buf_view(&buf);
	memcpy(&head, file.data, sizeof(head));
	const bool elf = memcmp(head.e_ident, ELFMAG, SELFMAG) == 0 &&
	                 head.e_ident[EI_CLASS] == ELFCLASS64;
	for (unsigned i = 0; elf && i < head.e_shnum && abi == 0; i++) {
		Elf64_Shdr symbols, names;
		const uint64_t at = head.e_shoff + (uint64_t)i * sizeof(symbols);
		if (at + sizeof(symbols) > file.len) {
			break;
		}
		memcpy(&symbols, file.data + at, sizeof(symbols));
		const uint64_t link = head.e_shoff + (uint64_t)symbols.sh_link * sizeof(names);
		if (symbols.sh_type != SHT_DYNSYM || link + sizeof(names) > file.len ||
		    symbols.sh_offset + symbols.sh_size > file.len) {
			continue;
		}
		memcpy(&names, file.data + link, sizeof(names));
		/* Its first member is the version (knot/module.h). */
		abi = symbol_number(&file, &symbols, &names, "knotd_mod_api");
	}
	mail_buf_free(&buf);
	return abi;
}
