/* SPDX-License-Identifier: Apache-2.0 */
/* What rulesets and domains are made of; private to sentry/security/landlock/. */
#pragma once

#include "base/lock.h"
#include "base/refcount.h"
#include "sentry/security/landlock/landlock.h"

#include <bsd/sys/tree.h>

struct inode;

/* What one layer allows. */
struct landlock_layer {
	uint8_t level; /* from 0 */
	uint16_t access;
};

/* Never changes once it is a domain's; in a ruleset there is one layer, whose access grows. */
struct landlock_rule {
	RB_ENTRY(landlock_rule) node;
	struct inode *inode; /* a reference; NULL: of a port */
	/* Set once, as the key: the inode; or its super block and its number, where inodes are
	 * fleeting; or NULL and the port. */
	const void *object;
	uint64_t number;
	uint8_t layer_count;
	struct landlock_layer layers[];
};
RB_HEAD(landlock_rules, landlock_rule);
RB_PROTOTYPE(landlock_rules, landlock_rule, node, landlock_rule_compare)

int landlock_rule_compare(const struct landlock_rule *a, const struct landlock_rule *b);

struct landlock_ruleset {
	struct refcount refs;
	struct mutex lock;		 /* RANK_LEAF */
	struct landlock_handled handled; /* set once */
	struct landlock_rules rules;	 /* lock, as the next */
	size_t cost;			 /* of the rules, in bytes */
};

struct landlock_domain {
	struct refcount refs;
	struct landlock_rules rules; /* set once, as all below */
	size_t cost;
	struct landlock_handled all; /* of all layers; no rights to files: none are asked for */
	unsigned int layer_count;
	struct {
		struct landlock_handled handled;
		uint64_t id; /* of the landlock_restrict_self(2) that made it */
	} layers[LINUX_LANDLOCK_MAX_NUM_LAYERS];
	struct landlock_domain *next_dead; /* nobody refers to it any more */
};

/* --- ruleset.c --- */
/* Counts what a rule takes against the bound for all. inode: borrowed. -ENOMEM. */
must_check int landlock_rule_new(
	struct inode *inode, uint16_t port, unsigned int layer_count, struct landlock_rule **out);
/* Drops the inode: no lock held. */
void landlock_rules_free(struct landlock_rules *rules);
void landlock_rule_free(struct landlock_rule *rule);
/* What it counts. */
size_t landlock_rule_cost(const struct landlock_rule *rule);
/* Is there memory for rules that count so much? No lock held. */
must_check int landlock_check_room(size_t cost);
/* What an inode or, with NULL, a port is found by. */
void landlock_rule_set_key(struct landlock_rule *rule, struct inode *inode, uint16_t port);

/* --- domain.c --- */
/* NULL: none. */
const struct landlock_rule *landlock_find_inode(
	const struct landlock_domain *domain, struct inode *inode);
const struct landlock_rule *landlock_find_port(const struct landlock_domain *domain, uint16_t port);

/*
 * Which layers do not yet allow a right: a bit each, for each right. On the way up from a file,
 * what rules allow is taken out; what is empty at the end is allowed.
 */
#define LANDLOCK_RIGHTS 16
struct landlock_masks {
	uint16_t layers[LANDLOCK_RIGHTS];
};
/* --- masks.c --- */
enum landlock_kind { LANDLOCK_FS, LANDLOCK_NET };
/* Every layer that handles one of the rights. Gives those that any does. */
uint16_t landlock_masks_begin(const struct landlock_domain *domain, enum landlock_kind kind,
	uint16_t access, struct landlock_masks *masks);
/* A rule (or NULL) was met. True: all of access is allowed now. */
bool landlock_masks_allow(
	struct landlock_masks *masks, const struct landlock_rule *rule, uint16_t access);
/* Forgets other rights. True: all of access is allowed. */
bool landlock_masks_keep(struct landlock_masks *masks, uint16_t access);
/* Those of access that are not allowed. */
uint16_t landlock_masks_denied(const struct landlock_masks *masks, uint16_t access);

/* --- check_path.c, for check_refer.c; dentry_tree_lock() held --- */
struct landlock_place {
	const struct mount *mount;
	const struct dentry *dentry;
};
/* To the directory above, through mounts; false: that was the root. */
bool landlock_step_up(struct landlock_place *place);
const struct landlock_rule *landlock_find_dentry(
	const struct landlock_domain *domain, const struct dentry *dentry);
/* Is it nowhere that rules could be about (pipes, memfds, namespaces)? No lock needed. */
bool landlock_is_placeless(const struct path *path);
