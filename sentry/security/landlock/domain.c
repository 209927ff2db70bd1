/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Domains: the layers that a task has put itself under.
 *
 * Credentials are dropped with locks held that no inode may be dropped with, so a domain that
 * nobody refers to any more waits for the timer's thread.
 */
#include "sentry/security/landlock/domain.h"

#include "abi/time.h"
#include "sentry/lock_order.h"
#include "sentry/time/clock.h"
#include "sentry/time/timer.h"
#include "sentry/vfs/inode.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Rules that go at once, on the timer's thread. */
#define FREE_BATCH 512

REFCOUNT_TYPE(domain_refs, "landlock_domain");

static _Atomic uint64_t last_id;
static struct mutex dead_lock;
static struct landlock_domain *dead; /* dead_lock */
static struct ktimer dead_timer;

static void domain_free(struct landlock_domain *domain)
{
	landlock_rules_free(&domain->rules);
	free(domain);
}

static struct landlock_domain *take_dead(void)
{
	struct landlock_domain *domain;

	mutex_guard(&dead_lock);
	domain = dead;
	if (domain)
		dead = domain->next_dead;
	return domain;
}

static void add_dead(struct landlock_domain *domain)
{
	mutex_guard(&dead_lock);
	domain->next_dead = dead;
	dead = domain;
}

/* Piece by piece, since other timers wait. */
static void expire(struct ktimer *timer)
{
	struct landlock_domain *domain = take_dead();
	unsigned int count = 0;

	if (!domain)
		return;
	while (count++ < FREE_BATCH && !RB_EMPTY(&domain->rules)) {
		struct landlock_rule *rule = RB_ROOT(&domain->rules);

		RB_REMOVE(landlock_rules, &domain->rules, rule);
		landlock_rule_free(rule);
	}
	if (RB_EMPTY(&domain->rules))
		free(domain);
	else
		add_dead(domain);
	ktimer_arm(timer, clock_now(LINUX_CLOCK_MONOTONIC));
}

static void __attribute__((constructor)) start(void)
{
	mutex_init(&dead_lock, RANK_LEAF, "landlock domains");
	ktimer_init(&dead_timer, expire);
}

void landlock_shutdown(void)
{
	struct landlock_domain *domain;

	ktimer_cancel(&dead_timer, true);
	while ((domain = take_dead()))
		domain_free(domain);
}

struct landlock_domain *landlock_domain_get(struct landlock_domain *domain)
{
	if (domain)
		refcount_get(&domain->refs);
	return domain;
}

void landlock_domain_put(struct landlock_domain *domain)
{
	if (likely(!domain) || !refcount_put(&domain->refs))
		return;
	add_dead(domain);
	ktimer_arm(&dead_timer, 0);
}

const struct landlock_rule *landlock_find_inode(
	const struct landlock_domain *domain, struct inode *inode)
{
	struct landlock_rule key;

	landlock_rule_set_key(&key, inode, 0);
	return RB_FIND(landlock_rules, (struct landlock_rules *)&domain->rules, &key);
}

const struct landlock_rule *landlock_find_port(const struct landlock_domain *domain, uint16_t port)
{
	struct landlock_rule key;

	landlock_rule_set_key(&key, NULL, port);
	return RB_FIND(landlock_rules, (struct landlock_rules *)&domain->rules, &key);
}

static int insert(struct landlock_domain *domain, const struct landlock_rule *like,
	struct landlock_rule **out)
{
	int error =
		landlock_rule_new(like->inode, (uint16_t)like->number, like->layer_count + 1u, out);

	if (error)
		return error;
	/* A last place is left for the new layer. */
	(*out)->layer_count = 0;
	RB_INSERT(landlock_rules, &domain->rules, *out);
	domain->cost += landlock_rule_cost(*out);
	return 0;
}

static int inherit(struct landlock_domain *domain, const struct landlock_domain *parent)
{
	struct landlock_rule *old, *rule;
	int error = 0;

	domain->layer_count = parent->layer_count;
	memcpy(domain->layers, parent->layers, sizeof(domain->layers));
	domain->all = parent->all;
	RB_FOREACH (old, landlock_rules, (struct landlock_rules *)&parent->rules) {
		error = insert(domain, old, &rule);
		if (error)
			break;
		memcpy(rule->layers, old->layers, old->layer_count * sizeof(rule->layers[0]));
		rule->layer_count = old->layer_count;
	}
	return error;
}

/* ruleset->lock held. */
static int add_layer(struct landlock_domain *domain, const struct landlock_ruleset *ruleset)
{
	unsigned int level = domain->layer_count++;
	struct landlock_handled handled = ruleset->handled;
	struct landlock_rule *from, *rule;

	/* Files are not moved to where there are more rights, unless all layers allow it: as on
	 * Linux also those that are not about files, once one is. */
	if (handled.fs)
		domain->all.fs |= handled.fs | LINUX_LANDLOCK_ACCESS_FS_REFER;
	handled.fs |= LINUX_LANDLOCK_ACCESS_FS_REFER;
	domain->layers[level].handled = handled;
	domain->layers[level].id = atomic_fetch_add(&last_id, 1) + 1;
	domain->all.net |= handled.net;
	domain->all.scope |= handled.scope;
	RB_FOREACH (from, landlock_rules, (struct landlock_rules *)&ruleset->rules) {
		rule = RB_FIND(landlock_rules, &domain->rules, from);
		if (!rule) {
			int error = insert(domain, from, &rule);

			if (error)
				return error;
		}
		rule->layers[rule->layer_count++] =
			(struct landlock_layer){(uint8_t)level, from->layers[0].access};
	}
	return 0;
}

int landlock_domain_new(const struct landlock_domain *parent, struct landlock_ruleset *ruleset,
	struct landlock_domain **out)
{
	struct landlock_domain *domain;
	size_t cost;
	int error;

	if (parent && parent->layer_count == LINUX_LANDLOCK_MAX_NUM_LAYERS)
		return -E2BIG;
	mutex_lock(&ruleset->lock);
	cost = ruleset->cost + (parent ? parent->cost : 0);
	mutex_unlock(&ruleset->lock);
	error = landlock_check_room(cost);
	domain = error ? NULL : calloc(1, sizeof(*domain));
	if (!domain)
		return -ENOMEM;
	RB_INIT(&domain->rules);
	error = parent ? inherit(domain, parent) : 0;
	if (!error) {
		mutex_lock(&ruleset->lock);
		error = add_layer(domain, ruleset);
		mutex_unlock(&ruleset->lock);
	}
	if (error) {
		domain_free(domain);
		return error;
	}
	refcount_init(&domain->refs, &domain_refs);
	*out = domain;
	return 0;
}
