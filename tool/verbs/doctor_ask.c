/* SPDX-License-Identifier: GPL-3.0-or-later */
/* doctor: where knotd listens, who else does, and what comes back when a stored domain is asked for. */

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tool/file.h"
#include "tool/lookup.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/out.h"
#include "tool/verbs/doctor.h"

#define LOG_REMEDY "journalctl -u knot -g mod-mail; then kmailctl check"

static void add_server(doctor_t *doctor, const char *text)
{
	if (text[0] == '/' || doctor->server_count == DOCTOR_SERVERS_MAX) {
		return;
	}
	server_t *server = &doctor->servers[doctor->server_count];
	if (server_parse(text, server)) {
		doctor->server_count++;
	} else {
		doctor_say(doctor, DOCTOR_ERROR, "listen", "write ADDRESS@PORT, as 127.0.0.1@53",
		           "%s is no address", text);
	}
}

/*! \brief Find the process that has a socket, by its number. \return false: it cannot be seen. */
static bool owner_of(unsigned long inode, pid_t *owner, char name[64])
{
	char wanted[64], path[512], link[64];
	DIR *proc = opendir("/proc");
	bool found = false;
	(void)snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
	for (const struct dirent *entry;
	     proc != NULL && !found && (entry = readdir(proc)) != NULL;) {
		*owner = (pid_t)atoi(entry->d_name);
		(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)*owner);
		DIR *fds = *owner > 0 ? opendir(path) : NULL;
		for (const struct dirent *fd;
		     fds != NULL && !found && (fd = readdir(fds)) != NULL;) {
			(void)snprintf(path, sizeof(path), "/proc/%d/fd/%.200s", (int)*owner,
			               fd->d_name);
			const ssize_t len = readlink(path, link, sizeof(link) - 1);
			link[len > 0 ? len : 0] = '\0';
			found = strcmp(link, wanted) == 0;
		}
		if (fds != NULL) {
			(void)closedir(fds);
		}
	}
	if (proc != NULL) {
		(void)closedir(proc);
	}
	mail_buf_t comm = { 0 };
	(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)*owner);
	if (found && file_read(path, &comm) == 0) {
		(void)snprintf(name, 64, "%.*s", (int)(comm.len > 0 ? comm.len - 1 : 0),
		               (const char *)comm.data);
	}
	mail_buf_free(&comm);
	return found;
}

/*! \brief Look who has a port. \param file Table of /proc/net. \param others Out: names of those who are not knotd. */
static void look_at_port(const doctor_t *doctor, const char *file, uint16_t port, bool *ours,
                         char others[256])
{
	mail_buf_t table = { 0 };
	if (file_read(file, &table) != 0) {
		mail_buf_free(&table);
		return;
	}
	(void)mail_buf_u8(&table, '\0');
	/* "  0: 0100007F:0035 00000000:0000 07 ... uid timeout inode": UDP 07, TCP that listens 0A. */
	const char *line = (const char *)table.data;
	while ((line = strchr(line, '\n')) != NULL && *++line != '\0') {
		unsigned at, state;
		unsigned long inode;
		pid_t pid = 0;
		char name[64] = "?";
		if (sscanf(line, " %*d: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x %*s %*s %*s %*u %*u %lu",
		           &at, &state, &inode) != 3 ||
		    at != port || (state != 0x07 && state != 0x0a)) {
			continue;
		}
		if (!owner_of(inode, &pid, name)) {
			continue;
		}
		if (pid == doctor->knotd.pid) {
			*ours = true;
		} else if (strstr(others, name) == NULL) {
			(void)snprintf(others + strlen(others), 256 - strlen(others),
			               "%s%s (process %d)", others[0] != '\0' ? ", " : "", name,
			               (int)pid);
		}
	}
	mail_buf_free(&table);
}

/*! \brief Look whether somebody else has the port of a server. */
static void check_port(doctor_t *doctor, const server_t *server)
{
	static const char *const tables[] = { "/proc/net/udp", "/proc/net/udp6", "/proc/net/tcp",
		                              "/proc/net/tcp6" };
	char others[256] = "";
	bool ours = false;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		look_at_port(doctor, tables[i], server_port(server), &ours, others);
	}
	if (others[0] == '\0') {
		return;
	}
	const bool stub = strstr(others, "systemd-resolve") != NULL;
	doctor_say(doctor, ours ? DOCTOR_WARNING : DOCTOR_ERROR, "listen",
	           stub ? "let knotd listen on the addresses of the machine only, or set "
	                  "DNSStubListener=no in /etc/systemd/resolved.conf"
	                : "end the other server, or let each listen on addresses of its own",
	           "port %u is also used by %s", (unsigned)server_port(server), others);
}

void doctor_listen(doctor_t *doctor)
{
	size_t at = 0;
	const knot_setting_t *setting;
	bool loopback = true, any = false;
	const char *given;
	for (size_t i = 0; (given = option_nth(doctor->tool, OPT_SERVER, i)) != NULL; i++) {
		add_server(doctor, given);
	}
	while (doctor->conf != NULL &&
	       (setting = knot_conf_next(doctor->conf, &at, "server", NULL, "listen")) != NULL) {
		any = true;
		if (!option_is(doctor->tool, OPT_SERVER)) {
			add_server(doctor, setting->value);
		}
	}
	for (size_t i = 0; i < doctor->server_count; i++) {
		loopback = loopback && doctor->servers[i].loopback;
	}
	if (doctor->conf != NULL && !any) {
		doctor_say(doctor, DOCTOR_ERROR, "listen",
		           "in knot.conf: server: listen: [0.0.0.0@53, \"::@53\"]; then systemctl "
		           "restart knot",
		           "knotd listens nowhere: server has no listen");
	} else if (any && loopback && doctor->server_count > 0) {
		doctor_say(doctor, DOCTOR_WARNING, "listen",
		           "for others to ask: server: listen: [0.0.0.0@53, \"::@53\"]; then "
		           "systemctl restart knot",
		           "knotd listens on %s%s only: nobody but this machine can ask",
		           doctor->servers[0].text,
		           doctor->server_count > 1 ? " and the like" : "");
	} else if (any) {
		doctor_say(doctor, DOCTOR_OK, "listen", NULL, "knotd is to listen on %s%s",
		           doctor->servers[0].text, doctor->server_count > 1 ? " and others" : "");
	}
	for (size_t i = 0; i < doctor->server_count; i++) {
		bool seen = false;
		for (size_t j = 0; j < i; j++) {
			seen = seen ||
			       server_port(&doctor->servers[j]) == server_port(&doctor->servers[i]);
		}
		if (!seen) {
			check_port(doctor, &doctor->servers[i]);
		}
	}
	if (doctor->server_count == 0 && doctor->conf == NULL) {
		add_server(doctor, "127.0.0.1@53");
	}
}

/*! \brief Say why there was no answer. */
static void say_silent(doctor_t *doctor, const server_t *server, bool tcp, int error)
{
	const char *over = tcp ? "TCP" : "UDP";
	const bool guessed = doctor->conf == NULL && !option_is(doctor->tool, OPT_SERVER);
	if (error == ECONNREFUSED && guessed && doctor->knotd.pid != 0) {
		doctor_say(
			doctor, DOCTOR_WARNING, "question",
			"look as root (sudo kmailctl doctor), or say where: --server ADDRESS@PORT",
			"%s over %s: nobody listens there, and without the configuration it is "
			"not known where knotd listens",
			server->text, over);
	} else if (error == ECONNREFUSED) {
		doctor_say(
			doctor, DOCTOR_ERROR, "question",
			doctor->knotd.pid != 0
				? "write the address to server: listen; only a restart opens ports: "
				  "systemctl restart knot"
				: "systemctl start knot",
			"%s over %s: nobody listens there", server->text, over);
	} else if (error == ETIMEDOUT || error == EAGAIN || error == EINPROGRESS) {
		doctor_say(doctor, DOCTOR_ERROR, "question",
		           "look at the firewall of this machine (nft list ruleset), and at "
		           "journalctl -u knot",
		           "%s over %s: no answer in time", server->text, over);
	} else {
		doctor_say(doctor, DOCTOR_ERROR, "question", NULL, "%s over %s: %s", server->text,
		           over, strerror(error));
	}
}

/*! \brief Say what a SERVFAIL comes from, by its Extended DNS Error. */
static void say_servfail(doctor_t *doctor, const server_t *server, int ede)
{
	const char *why = "the log says why";
	if (ede == KNOT_EDNS_EDE_NOT_READY) {
		why = "EDE 14 (not ready): the store cannot be opened by knotd, or a private key is "
		      "missing";
	} else if (ede == KNOT_EDNS_EDE_INV_DATA) {
		why = "EDE 24 (invalid data): the entries of the domain contradict each other";
	}
	doctor_say(doctor, DOCTOR_ERROR, "question", LOG_REMEDY, "%s answers SERVFAIL for %s: %s",
	           server->text, doctor->domain.data, why);
}

/*! \brief Judge an answer to the question for the SOA. */
static void judge(doctor_t *doctor, const server_t *server, const knot_pkt_t *answer,
                  const lookup_t *lookup)
{
	const char *domain = doctor->domain.data;
	const uint8_t rcode = knot_wire_get_rcode(answer->wire);
	const knot_rrset_t *soa = answer_find(answer, KNOT_RRTYPE_SOA);
	if (rcode == KNOT_RCODE_SERVFAIL) {
		say_servfail(doctor, server, answer_ede(answer));
	} else if (rcode == KNOT_RCODE_REFUSED) {
		doctor_say(
			doctor, DOCTOR_ERROR, "question",
			doctor->module_id != NULL
				? "knotc reload (or systemctl restart knot), then " LOG_REMEDY
				: "load the module: global-module: mod-mail in template default",
			"%s answers REFUSED for %s: no module and no zone there knows the domain",
			server->text, domain);
	} else if (rcode != KNOT_RCODE_NOERROR) {
		const knot_lookup_t *name = knot_lookup_by_id(knot_rcode_names, rcode);
		doctor_say(doctor, DOCTOR_ERROR, "question",
		           "see who answers there: is it another server, or a zone above?",
		           "%s answers %s for %s", server->text, name != NULL ? name->name : "?",
		           domain);
	} else if (knot_wire_get_tc(answer->wire)) {
		doctor_say(doctor, DOCTOR_WARNING, "question",
		           "look at mod-rrl, mod-noudp and udp-max-payload in knot.conf",
		           "%s answers with TC alone: whoever asks has to come again over TCP",
		           server->text);
	} else if (!knot_wire_get_aa(answer->wire)) {
		doctor_say(doctor, DOCTOR_ERROR, "question",
		           "ask knotd itself: kmailctl doctor --server ADDRESS@PORT",
		           "%s answers for %s without AA: that is a resolver, not knotd",
		           server->text, domain);
	} else if (soa == NULL) {
		doctor_say(doctor, DOCTOR_ERROR, "question", LOG_REMEDY,
		           "%s has no SOA of %s: knotd answers from a zone above", server->text,
		           domain);
	} else {
		const knot_rrset_t *ours = answer_find(lookup->pkt, KNOT_RRTYPE_SOA);
		const bool same = ours != NULL && knot_soa_serial(ours->rrs.rdata) ==
		                                          knot_soa_serial(soa->rrs.rdata);
		const bool is_signed = answer_find(answer, KNOT_RRTYPE_RRSIG) != NULL;
		if (!same) {
			doctor_say(
				doctor, DOCTOR_WARNING, "question",
				"knotd may have a zone of this name, or another store: kmailctl "
				"lookup NAME TYPE shows what this store says",
				"%s answers for %s from something else than this store (serial %u)",
				server->text, domain, (unsigned)knot_soa_serial(soa->rrs.rdata));
			return;
		}
		doctor_say(doctor, DOCTOR_OK, "question",
		           is_signed ? NULL
		                     : "to sign it: kmailctl key-generate NAME, then "
		                       "policy-set ID key-set=NAME",
		           "%s answers for %s as this store says, %s", server->text, domain,
		           is_signed ? "signed" : "unsigned");
	}
}

/*! \brief Ask one server, over UDP and TCP. */
static void ask_one(doctor_t *doctor, const server_t *server, const lookup_t *lookup)
{
	knot_pkt_t *answer;
	int error = server_ask(server, lookup->name, KNOT_RRTYPE_SOA, false, &answer);
	if (error != 0) {
		say_silent(doctor, server, false, error);
		return;
	}
	judge(doctor, server, answer, lookup);
	knot_pkt_free(answer);
	error = server_ask(server, lookup->name, KNOT_RRTYPE_SOA, true, &answer);
	if (error != 0) {
		say_silent(doctor, server, true, error);
		doctor_say(doctor, DOCTOR_ERROR, "question", "open port 53 for TCP, too",
		           "%s: long answers, as of DKIM keys, need TCP", server->text);
		return;
	}
	knot_pkt_free(answer);
}

void doctor_ask(doctor_t *doctor)
{
	knot_dname_storage_t name;
	if (doctor->domain.len == 0 || doctor->server_count == 0 ||
	    mail_name_parse(doctor->domain, name, NULL) != KNOT_EOK) {
		return;
	}
	lookup_t lookup = { .name = name, .type = KNOT_RRTYPE_SOA, .now = time(NULL) };
	lookup_answer(doctor->tool, &lookup);
	if (lookup.reply.outcome == MAIL_OUTCOME_FAILED) {
		doctor_say(doctor, DOCTOR_ERROR, "domain", "kmailctl check", "%s",
		           lookup.reply.reason);
	}
	for (size_t i = 0; i < doctor->server_count; i++) {
		ask_one(doctor, &doctor->servers[i], &lookup);
	}
	lookup_free(&lookup);
}
