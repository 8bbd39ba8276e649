/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "viewed.h"

#include "mail/kind.h"

/* A name in wire and lookup format. */
typedef struct {
	knot_dname_storage_t name;
	mail_lf_storage_t lf;
} named_t;

static named_t named(const char *text)
{
	named_t n;
	REQUIRE(mail_name_parse(MAIL_STR(text), n.name, NULL) == KNOT_EOK, "%s", text);
	mail_name_lf(n.name, &n.lf);
	return n;
}

void viewed_put(viewed_t *v, const char *text)
{
	REQUIRE(text == NULL || array_put(&v->array, text));
	mail_cache_sync(v->cache, 1, v->array.txnid);
	mail_cache_hold(v->cache);
}

int viewed_open(viewed_t *v, const char *domain)
{
	const named_t n = named(domain);
	memcpy(v->name, n.name, sizeof(v->name));
	v->view = (mail_view_t){ .source = &v->array.source,
		                 .cache = v->cache,
		                 .now = v->view.now };
	return mail_view_open(&v->view, v->name, mail_lf(&n.lf));
}

void viewed_begin(viewed_t *v, const char *stored, const char *domain, int64_t now)
{
	array_begin(&v->array);
	v->cache = mail_cache_new(MAIL_CACHE_OCTETS);
	REQUIRE(v->cache != NULL);
	v->view.now = now;
	viewed_put(v, stored);
	int ret = viewed_open(v, domain);
	REQUIRE(ret == KNOT_EOK && v->view.lf.len == named(domain).lf.len, "%s: %d", domain, ret);
	REQUIRE(v->view.plan->error == KNOT_EOK, "%s", domain);
}

bool viewed_nearest(const viewed_t *v, const char *name)
{
	const named_t n = named(name);
	mail_domain_t domain;
	mail_lf_t above = { 0 };
	(void)v->array.source.domain_above(&v->array.source, mail_lf(&n.lf), &above, &domain);
	return above.len == v->view.lf.len;
}

int viewed_place(const viewed_t *v, const char *name, bool children, mail_place_t *place)
{
	const named_t n = named(name);
	return mail_view_place(&v->view, mail_lf(&n.lf), children, place);
}

void show_viewed(viewed_t *v, const char *name, uint16_t type, mail_buf_t *out)
{
	const named_t n = named(name);
	mail_node_t node;
	knot_rrset_t rrset;
	uint16_t kind = MAIL_KIND_COUNT;
	int64_t until = 0;
	CHECK_OK(mail_view_node(&v->view, mail_lf(&n.lf), &node));
	int ret = mail_view_rrset(&v->view, &node, type, n.name, NULL, &rrset, &kind, &until);
	if (ret != KNOT_EOK) {
		(void)mail_buf_printf(out, "%d", ret);
		return;
	}
	(void)mail_buf_printf(out, "%s %u", mail_kinds[kind].name, (unsigned)rrset.ttl);
	if (until != INT64_MAX) {
		(void)mail_buf_printf(out, "%+lld", (long long)(until - v->view.now));
	}
	for (uint16_t j = 0; j < rrset.rrs.count; j++) {
		(void)mail_buf_str(out, " ");
		show_rdata(&rrset, j, out);
	}
	knot_rdataset_clear(&rrset.rrs, NULL);
}

void viewed_end(viewed_t *v)
{
	mail_cache_free(v->cache);
	array_free(&v->array);
}
