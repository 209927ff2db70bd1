/* SPDX-License-Identifier: Apache-2.0 */
/* The names in which an overlay directory differs from the lower one. */
#include "sentry/fs/overlay/overlay_node.h"

#include <stdlib.h>
#include <string.h>

static int compare_text(const struct overlay_name *a, const struct overlay_name *b)
{
	return strcmp(a->text, b->text);
}

static int compare_cookie(const struct overlay_name *a, const struct overlay_name *b)
{
	return a->cookie < b->cookie ? -1 : a->cookie > b->cookie;
}

RB_GENERATE_INTERNAL(overlay_text_tree, overlay_name, by_text, compare_text, unused_ static)
RB_GENERATE_INTERNAL(overlay_cookie_tree, overlay_name, by_cookie, compare_cookie, unused_ static)

struct overlay_name *overlay_name_find(struct overlay_node *directory, const char *text)
{
	struct overlay_name *name = RB_ROOT(&directory->names);

	while (name) {
		int order = strcmp(text, name->text);

		if (!order)
			break;
		name = order < 0 ? RB_LEFT(name, by_text) : RB_RIGHT(name, by_text);
	}
	return name;
}

struct overlay_name *overlay_name_new(const char *text)
{
	size_t size = strlen(text) + 1;
	struct overlay_name *name = malloc(sizeof(*name) + size);

	if (name)
		memcpy(name->text, text, size);
	return name;
}

void overlay_remember(struct overlay_before *before, const struct inode *lower)
{
	const struct inode_attributes *attributes = lower ? &lower->attributes : NULL;

	*before = (struct overlay_before){.there = lower};
	if (!lower)
		return;
	before->ino = attributes->ino;
	before->size = attributes->size;
	before->mtime = attributes->mtime;
	before->ctime = attributes->ctime;
}

void overlay_name_insert(
	struct overlay_node *directory, struct overlay_name *name, struct inode *inode, bool covers)
{
	name->inode = inode;
	name->covers = covers;
	name->kept = name->base_absent = false;
	name->before.there = false;
	if (covers) {
		struct inode *lower = overlay_lower_child(directory, name->text);

		overlay_remember(&name->before, lower);
		if (lower)
			inode_put(lower);
	}
	name->cookie = ++directory->last_cookie;
	RB_INSERT(overlay_text_tree, &directory->names, name);
	RB_INSERT(overlay_cookie_tree, &directory->cookies, name);
}

struct inode *overlay_name_replace(
	struct overlay_node *directory, struct overlay_name *name, struct inode *inode)
{
	struct inode *before = name->inode;

	RB_REMOVE(overlay_cookie_tree, &directory->cookies, name);
	name->inode = inode;
	name->cookie = ++directory->last_cookie;
	RB_INSERT(overlay_cookie_tree, &directory->cookies, name);
	return before;
}

struct inode *overlay_name_remove(struct overlay_node *directory, struct overlay_name *name)
{
	struct inode *inode = name->inode;

	RB_REMOVE(overlay_text_tree, &directory->names, name);
	RB_REMOVE(overlay_cookie_tree, &directory->cookies, name);
	free(name);
	return inode;
}

bool overlay_name_any_visible(struct overlay_node *directory)
{
	struct overlay_name *name;

	RB_FOREACH (name, overlay_text_tree, &directory->names)
		if (name->inode)
			return true;
	return false;
}

struct overlay_name *overlay_name_at_or_below(struct overlay_node *directory, int64_t cookie)
{
	struct overlay_name *name = RB_ROOT(&directory->cookies), *found = NULL;

	while (name) {
		if (name->cookie <= cookie) {
			found = name;
			name = RB_RIGHT(name, by_cookie);
		} else {
			name = RB_LEFT(name, by_cookie);
		}
	}
	return found;
}
