/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a domain changes of its policy's plan.  The whole plan of the domain (mail_plan_of_domain()), made of nothing that
 * is shared, says what is right: for entries of every kind, each name near what either has must lead to the same place, with
 * the same records, for as long, and with the same neighbours in the chain.
 */
#include "lib/overlaid.h"
#include "lib/samples.h"
#include "view/names.h"
#include "view/chain.h"

/* Names. */

typedef struct {
	mail_lf_storage_t *names;
	size_t count, max;
} names_t;

/*! Add a name, if it is one: below a long domain some have no room. */
static void name_add(names_t *names, mail_lf_t name)
{
	knot_dname_storage_t wire;
	if (mail_name_from_lf(name, wire) != KNOT_EOK) {
		return;
	}
	if (names->count == names->max) {
		names->max = 2 * names->max + 64;
		names->names = realloc(names->names, names->max * sizeof(*names->names));
		REQUIRE(names->names != NULL);
	}
	mail_lf_copy(name, &names->names[names->count++]);
}

static void below_add(names_t *names, mail_lf_t name, mail_lf_t label)
{
	mail_lf_storage_t below;
	if (mail_lf_join(name, label, &below) == KNOT_EOK) {
		name_add(names, mail_lf(&below));
	}
}

/*! Add a name, what is just behind and below it, and the same of all names above it. */
static void near_add(names_t *names, const mail_view_t *view, mail_lf_t name)
{
	for (; name.len >= view->lf.len; name = mail_lf_parent(name)) {
		name_add(names, name);
		below_add(names, name, MAIL_LF("*"));
		below_add(names, name, MAIL_LF("\1\1"));
		below_add(names, name, MAIL_LF("m\0x"));
		if (name.len == view->lf.len) {
			break;
		}
		mail_lf_storage_t beside;
		mail_lf_copy(name, &beside);
		beside.data[beside.len++] = '!';
		name_add(names, mail_lf(&beside));
	}
}

static void owners_near(names_t *names, const mail_view_t *view, const mail_owners_t *owners,
                        bool absolute)
{
	for (size_t i = 0; i < owners->count; i++) {
		mail_lf_storage_t name;
		const mail_lf_t owner = owners->owners[i].name;
		if (!absolute && mail_lf_join(mail_lf(&view->lf), owner, &name) == KNOT_EOK) {
			near_add(names, view, mail_lf(&name));
		} else if (absolute && mail_lf_in(owner, mail_lf(&view->lf))) {
			near_add(names, view, owner);
		}
	}
}

/*! Add the names of a view's sources. */
static void sources_near(names_t *names, const mail_view_t *view)
{
	CHECK_OK(mail_view_make(view, MAIL_KINDS_ALL));
	for (mail_names_t source = 0; source < MAIL_NAMES_COUNT; source++) {
		mail_lf_storage_t at = view->lf;
		mail_seek_t seek = MAIL_SEEK_FROM;
		while (mail_names_seek(view, source, mail_lf(&at), seek, &at) == KNOT_EOK) {
			near_add(names, view, mail_lf(&at));
			seek = MAIL_SEEK_AFTER;
		}
	}
}

static int name_compare(const void *a, const void *b)
{
	return mail_lf_compare(mail_lf(a), mail_lf(b));
}

/*! Sort names, each once. */
static void names_sort(names_t *names)
{
	size_t kept = 0;
	qsort(names->names, names->count, sizeof(*names->names), name_compare);
	for (size_t i = 0; i < names->count; i++) {
		if (kept == 0 || name_compare(&names->names[kept - 1], &names->names[i]) != 0) {
			names->names[kept++] = names->names[i];
		}
	}
	names->count = kept;
}

/* The comparison. */

/*! Make the view that the whole plan of the domain gives. */
static void plan_view(const overlaid_t *o, mail_view_t *view)
{
	*view = o->v.view;
	mail_view_of_plan(view, o->plan);
	view->ds_from = mail_plan_ds_from(view->keyed, view->domain.ds_from);
	view->waits = view->now < view->ds_from && view->keyed->key_count > 0;
	view->own.len = 0;
	view->text_len = 0;
	if (!o->plan->no_keys) {
		mail_lf_copy(mail_lf(&view->lf), &view->own);
		if (view->domain.alias.len > 0) {
			CHECK_OK(mail_entry_key(MAIL_SECTION_DOMAIN, view->domain.alias,
			                        &view->own));
		}
	}
}

/*! Later at most, and then only by what a policy makes and the domain hides. */
static void serials_check(overlaid_t *o, mail_view_t *whole)
{
	const uint32_t got = mail_view_serial(&o->v.view), want = mail_view_serial(whole);
	CHECK(got >= want, "%u, %u: %s", got, want, o->what);
	CHECK(got == want || o->v.view.plan->step_count > 0 ||
	              o->v.view.plan->stamp / 1000000000 == got,
	      "%u, %u: %s", got, want, o->what);
}

/*! Compare what two views made of a name. On failure the message has the lines that differ first. */
static bool shown_same(mail_buf_t *got, mail_buf_t *want, const char *what)
{
	const char *a = shown(got), *b = shown(want);
	if (strcmp(a, b) == 0) {
		return true;
	}
	const int name = (int)strcspn(a, " ");
	const char *line = a;
	size_t at = 0;
	for (; a[at] == b[at]; at++) {
		line = a[at] == '\n' ? &a[at + 1] : line;
	}
	const char *other = b + (line - a);
	return CHECK(false, "%s\n%.*s: %.*s\nnot %.*s", what, name, a, (int)strcspn(line, "\n"),
	             line, (int)strcspn(other, "\n"), other);
}

/*! Compare what both views make of all names near what they have. */
static void domain_compare(overlaid_t *o, const char *domain)
{
	names_t names = { 0 };
	mail_view_t whole;
	mail_buf_t got = { 0 }, want = { 0 };
	overlaid_anew(o, domain);
	CHECK(o->v.view.plan->error == KNOT_EOK, "%s: %s", o->v.view.plan->reason, o->what);
	plan_view(o, &whole);
	CHECK_INT(o->v.view.hosted, whole.hosted);
	CHECK(o->v.view.cuts || !whole.cuts, "%s", o->what);
	CHECK_INT(o->v.view.records_ttl, whole.records_ttl);
	CHECK_INT(o->v.view.ds_from, whole.ds_from);
	CHECK_INT(o->v.view.waits, whole.waits);
	CHECK(mail_lf_equal(mail_lf(&o->v.view.own), mail_lf(&whole.own)), "%s", o->what);
	CHECK_INT(o->v.view.keyed->key_count, whole.keyed->key_count);
	serials_check(o, &whole);
	owners_near(&names, &whole, &o->plan->relative, false);
	owners_near(&names, &whole, &o->plan->absolute, true);
	sources_near(&names, &o->v.view);
	names_sort(&names);
	bool same = true;
	for (size_t i = 0; i < names.count && same; i++) {
		overlaid_anew(o, domain);
		plan_view(o, &whole);
		got.len = want.len = 0;
		const int64_t until = overlaid_show(&o->v.view, mail_lf(&names.names[i]), &got);
		/* A search of several sources may come by a name that is not the nearest: its time may shorten the TTL. */
		const int64_t latest = overlaid_show(&whole, mail_lf(&names.names[i]), &want);
		same = shown_same(&got, &want, o->what) && CHECK(until <= latest, "%s", o->what);
	}
	mail_buf_free(&got);
	mail_buf_free(&want);
	free(names.names);
}

/*! Print an entry, for messages. */
static void what_print(const mail_entry_t *entry, unsigned version, mail_buf_t *out)
{
	static const char *const ops[] = { "", "-add", "=none" };
	(void)mail_buf_printf(out, "version %u of %.*s", version, (int)entry->id.len,
	                      entry->id.data);
	for (size_t i = 0; i < entry->count; i++) {
		const mail_member_t *member = &entry->members[i];
		(void)mail_buf_printf(out, "| %s%s:", member->item->name, ops[member->op]);
		for (size_t j = 0; j < member->count; j++) {
			(void)mail_buf_printf(out, " '%.*s'", (int)member->values[j].text.len,
			                      member->values[j].text.data);
		}
	}
}

/*! Store an entry in both layouts, and compare each with the whole plan; and an alias of it. */
static void entry_compare(overlaid_t *o, const mail_entry_t *entry)
{
	for (unsigned version = 1; version <= MAIL_CODEC_VERSION; version++) {
		mail_buf_t value = { 0 }, what = { 0 }, name = { 0 };
		char domain[KNOT_DNAME_TXT_MAXLEN + 1];
		CHECK_OK(mail_codec_encode_as(entry, version, &value));
		if (value.data[0] != version) {
			/* Without literal records it is as before. */
			mail_buf_free(&value);
			continue;
		}
		(void)snprintf(domain, sizeof(domain), "%.*s", (int)entry->id.len, entry->id.data);
		(void)mail_buf_printf(&name, "domain %s", domain);
		array_octets(&o->v.array, shown(&name), value.data, value.len);
		viewed_put(&o->v, NULL);
		what_print(entry, version, &what);
		o->what = shown(&what);
		static const char *const asked[] = { NULL, "alias.example" };
		for (size_t i = 0; i < 2; i++) {
			const char *of = asked[i] != NULL ? asked[i] : domain;
			if (i == 1 && strcmp(domain, "example.org") != 0) {
				continue;
			}
			CHECK_OK(mail_plan_of_domain(&o->v.array.source, MAIL_STR(of), &o->plan));
			if (o->plan->error == KNOT_EOK) {
				domain_compare(o, of);
				o->compared++;
			} else {
				o->passed++;
			}
			mail_plan_free(o->plan);
		}
		mail_buf_free(&value);
		mail_buf_free(&what);
		mail_buf_free(&name);
	}
}

/* Each item alone, set, added, removed, over each policy. */
static void test_items(void)
{
	overlaid_t o;
	size_t tried = 0;
	overlaid_begin(&o);
	for (const mail_item_t *item = mail_items; item->name != NULL; item++) {
		for (unsigned op = MAIL_OP_SET; op <= MAIL_OP_NONE; op++) {
			if (!mail_entry_knows(MAIL_SECTION_DOMAIN, item, op) ||
			    item->id <= MAIL_ITEM_ALIAS) {
				continue;
			}
			EACH(policy, overlaid_policies) {
				mail_entry_t *entry = overlaid_entry("example.org", *policy);
				int ret = op == MAIL_OP_NONE
				                  ? mail_entry_add(entry, item, op, MAIL_STR(""), 0)
				                  : sample_add(entry, item->id, op, NULL);
				if (ret == KNOT_EOK) {
					entry_compare(&o, entry);
					tried++;
				}
				mail_entry_free(entry);
			}
		}
	}
	CHECK(tried > 350, "%zu", tried);
	CHECK(o.compared > 4 * o.passed, "%zu, %zu", o.compared, o.passed);
	overlaid_end(&o);
}

/* Each value alone. */
static void test_values(void)
{
	static const char *const domains[] = { "example.org", OVERLAID_LONG };
	static const char *const over[] = { "nothing", "full" };
	overlaid_t o;
	overlaid_begin(&o);
	EACH(domain, domains) {
		EACH(policy, over) {
			EACH(value, overlaid_values) {
				mail_entry_t *entry = overlaid_entry(*domain, *policy);
				mail_diag_t diag = { 0 };
				int ret = mail_entry_parse(entry, mail_item_get(value->item),
				                           MAIL_OP_SET, MAIL_STR(value->value), 0,
				                           &diag);
				CHECK(ret == KNOT_EOK, "%s: %s", value->value, diag.text);
				entry_compare(&o, entry);
				mail_entry_free(entry);
			}
		}
	}
	CHECK(o.compared > 3 * o.passed, "%zu, %zu", o.compared, o.passed);
	overlaid_end(&o);
}

/* Random. */

static uint64_t random_state;

static unsigned random_below(unsigned end)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state >> 33) % end;
}

static mail_entry_t *entry_random(void)
{
	mail_entry_t *entry = overlaid_entry(
		random_below(8) > 0 ? "example.org" : OVERLAID_LONG,
		overlaid_policies[random_below(COUNT(overlaid_policies))]);
	for (unsigned left = 1 + random_below(9); left > 0; left--) {
		const unsigned at = random_below(COUNT(overlaid_values));
		const mail_item_t *item = mail_item_get(overlaid_values[at].item);
		const unsigned op = random_below(12);
		/* What cannot be beside what is there is left out. */
		if (op == 0) {
			(void)mail_entry_add(entry, item, MAIL_OP_NONE, MAIL_STR(""), 0);
		} else if (op < 4) {
			(void)mail_entry_parse(entry, item, MAIL_OP_ADD,
			                       MAIL_STR(overlaid_values[at].value), 0, NULL);
		} else {
			(void)mail_entry_parse(entry, item, MAIL_OP_SET,
			                       MAIL_STR(overlaid_values[at].value), 0, NULL);
		}
	}
	return entry;
}

/* Several of them together. OVERLAY_ROUNDS=1000000 OVERLAY_SEED=7 look further. */
static void test_random(void)
{
	overlaid_t o;
	const char *rounds = getenv("OVERLAY_ROUNDS"), *seed = getenv("OVERLAY_SEED");
	random_state = 88172645463325252u + (seed != NULL ? strtoull(seed, NULL, 10) : 0);
	overlaid_begin(&o);
	for (unsigned long left = rounds != NULL ? strtoul(rounds, NULL, 10) : 60; left > 0;
	     left--) {
		mail_entry_t *entry = entry_random();
		entry_compare(&o, entry);
		mail_entry_free(entry);
	}
	CHECK(o.compared > o.passed, "%zu, %zu", o.compared, o.passed);
	overlaid_end(&o);
}

UNIT_MAIN("overlay", TEST("each item alone", test_items), TEST("each value alone", test_values),
          TEST("values together", test_random))
