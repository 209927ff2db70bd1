/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rulesets: rules as landlock_add_rule(2) collects them.
 *
 * Differs from Linux: all rules together have a bound, since the sentry's memory is not the
 * machine's: -ENOMEM. Linux lets go of an inode when its file system is unmounted; here a rule
 * keeps it, and so the file system's memory, for as long as the rule lives.
 */
#include "sentry/security/landlock/domain.h"

#include "sentry/lock_order.h"
#include "sentry/mm/memory_file.h"
#include "sentry/mm/memory_held.h"
#include "sentry/vfs/inode.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#define MEMORY_MAX (64ul << 20)
/* What a rule counts: itself with all layers it could have, and the inode that it keeps. */
#define PORT_COST  160ul
#define INODE_COST 768ul

RB_GENERATE(landlock_rules, landlock_rule, node, landlock_rule_compare)
REFCOUNT_TYPE(ruleset_refs, "landlock_ruleset");

static _Atomic size_t memory;

int landlock_rule_compare(const struct landlock_rule *a, const struct landlock_rule *b)
{
	if (a->object != b->object)
		return (uintptr_t)a->object < (uintptr_t)b->object ? -1 : 1;
	return (a->number > b->number) - (a->number < b->number);
}

void landlock_rule_set_key(struct landlock_rule *rule, struct inode *inode, uint16_t port)
{
	rule->object = inode;
	rule->number = port;
	if (inode && inode->sb->inodes_are_fleeting) {
		rule->object = inode->sb;
		rule->number = inode->attributes.ino;
	}
}

size_t landlock_rule_cost(const struct landlock_rule *rule)
{
	return rule->inode ? INODE_COST : PORT_COST;
}

int landlock_check_room(size_t cost)
{
	return cost <= MEMORY_MAX && memory_file_has_room(cost) ? 0 : -ENOMEM;
}

int landlock_rule_new(
	struct inode *inode, uint16_t port, unsigned int layer_count, struct landlock_rule **out)
{
	struct landlock_rule *rule;
	size_t cost = inode ? INODE_COST : PORT_COST;

	rule = calloc(1, sizeof(*rule) + layer_count * sizeof(rule->layers[0]));
	if (!rule)
		return -ENOMEM;
	if (atomic_fetch_add(&memory, cost) + cost > MEMORY_MAX) {
		atomic_fetch_sub(&memory, cost);
		free(rule);
		return -ENOMEM;
	}
	memory_held_note(cost);
	rule->inode = inode ? inode_get(inode) : NULL;
	landlock_rule_set_key(rule, inode, port);
	rule->layer_count = (uint8_t)layer_count;
	*out = rule;
	return 0;
}

void landlock_rule_free(struct landlock_rule *rule)
{
	atomic_fetch_sub(&memory, landlock_rule_cost(rule));
	if (rule->inode)
		inode_put(rule->inode);
	free(rule);
}

void landlock_rules_free(struct landlock_rules *rules)
{
	struct landlock_rule *rule;

	while ((rule = RB_ROOT(rules))) {
		RB_REMOVE(landlock_rules, rules, rule);
		landlock_rule_free(rule);
	}
}

int landlock_ruleset_new(const struct landlock_handled *handled, struct landlock_ruleset **out)
{
	struct landlock_ruleset *ruleset = calloc(1, sizeof(*ruleset));

	if (!ruleset)
		return -ENOMEM;
	refcount_init(&ruleset->refs, &ruleset_refs);
	mutex_init(&ruleset->lock, RANK_LEAF, "landlock ruleset");
	ruleset->handled = *handled;
	RB_INIT(&ruleset->rules);
	*out = ruleset;
	return 0;
}

struct landlock_ruleset *landlock_ruleset_get(struct landlock_ruleset *ruleset)
{
	refcount_get(&ruleset->refs);
	return ruleset;
}

void landlock_ruleset_put(struct landlock_ruleset *ruleset)
{
	if (!refcount_put(&ruleset->refs))
		return;
	landlock_rules_free(&ruleset->rules);
	mutex_destroy(&ruleset->lock);
	free(ruleset);
}

struct landlock_handled landlock_ruleset_handled(const struct landlock_ruleset *ruleset)
{
	return ruleset->handled;
}

/* Two rules about one thing allow what either does. */
static int add_rule(
	struct landlock_ruleset *ruleset, struct inode *inode, uint16_t port, uint16_t access)
{
	struct landlock_rule *rule, *other;
	int error = landlock_check_room(inode ? INODE_COST : PORT_COST);

	if (!error)
		error = landlock_rule_new(inode, port, 1, &rule);
	if (error)
		return error;
	rule->layers[0].access = access;
	mutex_lock(&ruleset->lock);
	other = RB_INSERT(landlock_rules, &ruleset->rules, rule);
	if (other)
		other->layers[0].access |= access;
	else
		ruleset->cost += landlock_rule_cost(rule);
	mutex_unlock(&ruleset->lock);
	if (other)
		landlock_rule_free(rule);
	return 0;
}

int landlock_ruleset_add_inode(
	struct landlock_ruleset *ruleset, struct inode *inode, uint16_t access)
{
	/* What the ruleset does not handle it allows; moving files is to be allowed in words. */
	access |= LINUX_LANDLOCK_ACCESS_FS__MASK &
		  (uint16_t) ~(ruleset->handled.fs | LINUX_LANDLOCK_ACCESS_FS_REFER);
	atomic_store_explicit(&inode->landlocked, true, memory_order_relaxed);
	return add_rule(ruleset, inode, 0, access);
}

int landlock_ruleset_add_port(struct landlock_ruleset *ruleset, uint16_t port, uint16_t access)
{
	access |= LINUX_LANDLOCK_ACCESS_NET__MASK & (uint16_t)~ruleset->handled.net;
	return add_rule(ruleset, NULL, port, access);
}
