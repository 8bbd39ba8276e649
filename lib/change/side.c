/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "change/side.h"

#include <search.h>
#include <stdlib.h>

#include "mail/time.h"

/*! A policy that was asked for, or a key set that a domain names itself. */
typedef struct {
	mail_str_t id;
	mail_state_t state;
	char text[];
} node_t;

static int node_compare(const void *a_ptr, const void *b_ptr)
{
	const node_t *a = a_ptr, *b = b_ptr;
	const size_t common = a->id.len < b->id.len ? a->id.len : b->id.len;
	const int diff = common > 0 ? memcmp(a->id.data, b->id.data, common) : 0;
	return diff != 0 ? diff : (a->id.len > b->id.len) - (a->id.len < b->id.len);
}

static void node_free(void *ptr)
{
	node_t *node = ptr;
	mail_profile_free(node->state.profile);
	free(node);
}

/*! Find the node of an id, or make it. \param made Out: it is new. \return NULL: no memory. */
static node_t *node_get(void **tree, mail_str_t id, bool *made)
{
	const node_t wanted = { .id = id };
	node_t *const *found = tfind(&wanted, tree, node_compare);
	*made = found == NULL;
	if (found != NULL) {
		return *found;
	}
	node_t *node = calloc(1, sizeof(*node) + id.len);
	if (node == NULL) {
		return NULL;
	}
	memcpy(node->text, id.data, id.len);
	node->id = (mail_str_t){ node->text, id.len };
	if (tsearch(node, tree, node_compare) == NULL) {
		free(node);
		return NULL;
	}
	return node;
}

bool mail_side_keys(const mail_side_t *side, const mail_state_t *state, mail_keyset_t *keys)
{
	mail_entry_t *entry = NULL;
	const bool read = state->set.len > 0 &&
	                  mail_txn_get(side->txn, MAIL_SECTION_KEYSET, state->set, &entry) ==
	                          KNOT_EOK &&
	                  mail_keyset_read(entry, keys, NULL) == KNOT_EOK;
	mail_entry_free(entry);
	return read;
}

/*! Fill in what follows from a profile; one that could not be made is none. */
static void state_fill(const mail_side_t *side, mail_state_t *state, int made)
{
	mail_keyset_t keys;
	state->ds = INT64_MAX;
	if (made != KNOT_EOK) {
		mail_profile_free(state->profile);
		state->profile = NULL;
		return;
	}
	/* Without ns the zone is somebody else's. */
	if (state->profile->items[MAIL_ITEM_NS].count > 0) {
		state->set = mail_profile_value(state->profile, MAIL_ITEM_KEY_SET);
	}
	if (mail_side_keys(side, state, &keys)) {
		state->ds = mail_keyset_ds(&keys, side->now);
	}
}

mail_state_t *mail_side_policy(mail_side_t *side, mail_str_t id)
{
	bool made;
	node_t *node = node_get(&side->policies, id, &made);
	if (node != NULL && made) {
		state_fill(
			side, &node->state,
			mail_profile_of_policy(side->source, node->id, &node->state.profile, NULL));
	}
	return node != NULL ? &node->state : NULL;
}

/*! Return whether a domain has all from its policy. */
static bool is_plain(const mail_entry_t *entry)
{
	for (size_t i = 0; i < entry->count; i++) {
		const mail_item_id_t item = entry->members[i].item->id;
		if (item != MAIL_ITEM_POLICY && item != MAIL_ITEM_DS_FROM) {
			return false;
		}
	}
	return entry->count > 0;
}

int mail_side_domain(mail_side_t *side, mail_str_t id, mail_side_domain_t *domain)
{
	*domain = (mail_side_domain_t){ .exists = false };
	int ret = mail_txn_get(side->txn, MAIL_SECTION_DOMAIN, id, &domain->entry);
	if (ret != KNOT_EOK) {
		return ret == KNOT_ENOMEM ? ret : KNOT_EOK;
	}
	domain->exists = true;
	if (is_plain(domain->entry)) {
		domain->state = mail_side_policy(side,
		                                 mail_entry_value(domain->entry, MAIL_ITEM_POLICY));
	} else {
		ret = mail_profile_of_domain(side->source, id, &domain->own.profile, NULL);
		state_fill(side, &domain->own, ret);
		domain->state = &domain->own;
	}
	if (domain->state == NULL) {
		return KNOT_ENOMEM;
	}
	int64_t own;
	if (domain->state->profile != NULL) {
		domain->ds_from = mail_profile_ds_from(domain->state->profile);
	}
	if (mail_time_parse(mail_entry_value(domain->entry, MAIL_ITEM_DS_FROM), &own, NULL) ==
	            KNOT_EOK &&
	    own > domain->ds_from) {
		domain->ds_from = own;
	}
	return KNOT_EOK;
}

mail_str_t mail_side_policy_of(const mail_profile_t *profile)
{
	size_t i = profile->layer_count;
	while (i > 1 && profile->layers[i - 1].section != MAIL_SECTION_POLICY) {
		i--;
	}
	return i > 1 ? profile->layers[i - 1].entry->id : (mail_str_t){ NULL, 0 };
}

void mail_side_domain_free(mail_side_domain_t *domain)
{
	mail_profile_free(domain->own.profile);
	mail_entry_free(domain->entry);
}

/*! Note what one domain follows. Its target is a domain itself, and has been met or will be. */
static int each_domain(mail_lf_t name, const mail_domain_t *domain, void *ctx)
{
	mail_side_t *side = ctx;
	char text[KNOT_DNAME_TXT_MAXLEN + 1];
	mail_buf_t id = MAIL_BUF_FIXED((uint8_t *)text, sizeof(text));
	bool made;
	if (domain->error != KNOT_EOK || domain->alias.len > 0) {
		return KNOT_EOK;
	}
	node_t *node = node_get(&side->policies, domain->policy, &made);
	if (node == NULL) {
		return KNOT_ENOMEM;
	}
	if (made) {
		state_fill(
			side, &node->state,
			mail_profile_of_policy(side->source, node->id, &node->state.profile, NULL));
	}
	node->state.followed = true;
	if (domain->plain || mail_entry_id_from_key(MAIL_SECTION_DOMAIN, name, &id) != KNOT_EOK) {
		return KNOT_EOK;
	}
	mail_entry_t *entry = NULL;
	const mail_lf_t key = name;
	if (side->source->get(side->source, MAIL_SECTION_DOMAIN, key, &entry, NULL) == KNOT_EOK) {
		const mail_str_t set = mail_entry_value(entry, MAIL_ITEM_KEY_SET);
		node = set.len > 0 ? node_get(&side->own, set, &made) : node;
	}
	mail_entry_free(entry);
	return node != NULL ? KNOT_EOK : KNOT_ENOMEM;
}

int mail_side_walk(mail_side_t *side)
{
	if (side->walked) {
		return KNOT_EOK;
	}
	side->walked = true;
	return mail_txn_domains(side->txn, each_domain, side);
}

/*! A walk over a tree of nodes. */
typedef struct {
	mail_side_f each;
	void *ctx;
	int ret;
} walk_t;

static void node_walk(const void *node_ptr, VISIT visit, void *closure)
{
	walk_t *walk = closure;
	if (walk->ret == KNOT_EOK && (visit == postorder || visit == leaf)) {
		const node_t *node = *(node_t *const *)node_ptr;
		walk->ret = walk->each(node->id, &node->state, walk->ctx);
	}
}

int mail_side_policies(const mail_side_t *side, mail_side_f each, void *ctx)
{
	walk_t walk = { each, ctx, KNOT_EOK };
	twalk_r(side->policies, node_walk, &walk);
	return walk.ret;
}

/*! End the walk at a followed policy with a key set. */
static int each_user(mail_str_t id, const mail_state_t *state, void *ctx)
{
	const mail_str_t *set = ctx;
	(void)id;
	return state->followed && mail_str_equal(state->set, *set) ? KNOT_EEXIST : KNOT_EOK;
}

bool mail_side_uses(const mail_side_t *side, mail_str_t set)
{
	const node_t wanted = { .id = set };
	return tfind(&wanted, &side->own, node_compare) != NULL ||
	       mail_side_policies(side, each_user, &set) != KNOT_EOK;
}

int64_t mail_side_held(const mail_side_t *side, mail_state_t *state)
{
	mail_plan_t *plan = NULL;
	if (state->ttl_max == 0) {
		state->ttl_max = mail_profile_ttl(state->profile);
		if (mail_plan_make(state->profile, false, &plan, NULL) == KNOT_EOK) {
			state->ttl_max = mail_plan_ttl_max(plan);
		}
		mail_plan_free(plan);
	}
	const int64_t held = mail_profile_held(state->profile, side->now) - side->now;
	return held > state->ttl_max ? held : state->ttl_max;
}

void mail_side_forget(mail_side_t *side)
{
	tdestroy(side->policies, node_free);
	tdestroy(side->own, node_free);
	side->policies = side->own = NULL;
	side->walked = false;
}

void mail_side_free(mail_side_t *side)
{
	mail_side_forget(side);
}
