/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names that a node may be opened by. One is the node's own; of a file with several links some
 * others are remembered, for when that one is removed, here or on the host.
 */
#include "sentry/fs/host/host_fs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Others than its own that a node remembers; a lookup brings back what was forgotten. */
#define OTHER_NAMES_MAX 32

struct host_name {
	LIST_ENTRY(host_name) link;
	struct host_node *parent; /* with a reference to its inode */
	char *text;
};

static void name_free(struct host_name *name)
{
	if (!name)
		return;
	inode_put(name->parent->inode);
	free(name->text);
	free(name);
}

static struct host_name *name_new(struct host_node *parent, const char *text)
{
	struct host_name *name = malloc(sizeof(*name));

	if (!name)
		return NULL;
	name->text = strdup(text);
	if (!name->text) {
		free(name);
		return NULL;
	}
	inode_get(parent->inode);
	name->parent = parent;
	return name;
}

static bool is_same(const struct host_name *name, const struct host_node *parent, const char *text)
{
	return name->parent == parent && !strcmp(name->text, text);
}

static bool is_own(const struct host_node *node, const struct host_node *parent, const char *text)
{
	return node->parent == parent && node->name && !strcmp(node->name, text);
}

/* fs->lock held, as for the next ones. */
static struct host_name *take_other_locked(
	struct host_node *node, const struct host_node *parent, const char *text)
{
	struct host_name *name;

	LIST_FOREACH (name, &node->others, link) {
		if (!is_same(name, parent, text))
			continue;
		LIST_REMOVE(name, link);
		node->other_count--;
		return name;
	}
	return NULL;
}

/* What has to go for it is the caller's to free. */
static struct host_name *add_other_locked(struct host_node *node, struct host_name *name)
{
	struct host_name *last = NULL, *next;

	LIST_INSERT_HEAD(&node->others, name, link);
	if (++node->other_count <= OTHER_NAMES_MAX)
		return NULL;
	LIST_FOREACH (next, &node->others, link)
		last = next;
	LIST_REMOVE(last, link);
	node->other_count--;
	return last;
}

/* Makes name the node's own; it has what was that before then, which may be nothing. */
static void exchange_own_locked(struct host_node *node, struct host_name *name)
{
	struct host_node *parent = node->parent;
	char *text = node->name;

	node->parent = name->parent;
	node->name = name->text;
	name->parent = parent;
	name->text = text;
}

static bool may_have_others(const struct host_node *node)
{
	return !inode_is_type(node->inode, LINUX_S_IFDIR) && node->inode->attributes.nlink > 1;
}

/* One that the node is known by already, in whichever way is enough. */
static bool has_name(
	struct host_node *node, const struct host_node *parent, const char *text, bool own)
{
	const struct host_name *name;
	mutex_guard(&node->fs->lock);

	if (is_own(node, parent, text))
		return true;
	if (own)
		return false;
	LIST_FOREACH (name, &node->others, link)
		if (is_same(name, parent, text))
			return true;
	return false;
}

int host_node_set_name(struct host_node *node, struct host_node *parent, const char *text)
{
	struct host_name *name, *known, *old = NULL;

	if (node->is_root || has_name(node, parent, text, true))
		return 0;
	name = name_new(parent, text);
	if (!name)
		return -ENOMEM;
	mutex_lock(&node->fs->lock);
	known = take_other_locked(node, parent, text);
	exchange_own_locked(node, name);
	if (name->parent && may_have_others(node)) {
		old = add_other_locked(node, name);
		name = NULL;
	}
	mutex_unlock(&node->fs->lock);
	if (name && !name->parent) {
		free(name);
		name = NULL;
	}
	name_free(name);
	name_free(known);
	name_free(old);
	return 0;
}

int host_node_add_name(struct host_node *node, struct host_node *parent, const char *text)
{
	struct host_name *name, *known, *old = NULL;

	if (node->is_root || has_name(node, parent, text, false))
		return 0;
	name = name_new(parent, text);
	if (!name)
		return -ENOMEM;
	mutex_lock(&node->fs->lock);
	known = take_other_locked(node, parent, text);
	if (node->parent) {
		old = add_other_locked(node, name);
		name = NULL;
	} else {
		exchange_own_locked(node, name);
	}
	mutex_unlock(&node->fs->lock);
	free(name); /* empty */
	name_free(known);
	name_free(old);
	return 0;
}

void host_node_forget_name(struct host_node *node, const struct host_node *parent, const char *text)
{
	struct host_node *old_parent = NULL;
	struct host_name *name;
	char *old_text = NULL;

	mutex_lock(&node->fs->lock);
	name = take_other_locked(node, parent, text);
	if (!name && is_own(node, parent, text)) {
		name = LIST_FIRST(&node->others);
		if (name) {
			LIST_REMOVE(name, link);
			node->other_count--;
			exchange_own_locked(node, name);
		} else {
			old_parent = node->parent;
			old_text = node->name;
			node->parent = NULL;
			node->name = NULL;
		}
	}
	mutex_unlock(&node->fs->lock);
	name_free(name);
	free(old_text);
	if (old_parent)
		inode_put(old_parent->inode);
}

void host_node_forget_others(struct host_node *node)
{
	struct host_name *name;

	while ((name = LIST_FIRST(&node->others))) {
		LIST_REMOVE(name, link);
		name_free(name);
	}
}
