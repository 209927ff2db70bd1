/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instances that watch each other: no cycles, no more than EP_MAX_NESTS levels, and not too many
 * ways for one event to travel, since wake-ups recurse along them.
 */
#include "sentry/fs/anon/epoll.h"

#include "sentry/vfs/file.h"

#include <errno.h>

/* Linux's bounds, by the levels above the instance that watches the file; that one itself does not
 * count. */
static const unsigned int ways_max[LINUX_EPOLL_MAX_NESTS + 1] = {0, 500, 100, 50, 10};

static uint64_t walk_count;

/* Levels below an instance (0: it watches no other), or -ELOOP when the walk meets forbidden or
 * gets too deep. */
static int epoll_depth_below(struct epoll *epoll, const struct epoll *forbidden, int level)
{
	struct epoll_item *item;
	int deepest = 0;

	if (epoll == forbidden || level > LINUX_EPOLL_MAX_NESTS)
		return -ELOOP;
	if (epoll->visited == walk_count)
		return epoll->depth;
	/* The tree may be changed by nobody else: adding and removing take g_epoll_lock too. */
	RB_FOREACH (item, epoll_tree, &epoll->items) {
		struct epoll *below = file_epoll(item->file);
		int depth = below ? epoll_depth_below(below, forbidden, level + 1) : -1;

		if (depth == -ELOOP)
			return -ELOOP;
		if (depth + 1 > deepest)
			deepest = depth + 1;
	}
	epoll->visited = walk_count;
	epoll->depth = deepest;
	return deepest;
}

/* Levels above an instance. */
static int epoll_depth_above(struct epoll *epoll, int level)
{
	struct epoll_item *item;
	int deepest = 0;

	if (level > LINUX_EPOLL_MAX_NESTS)
		return 0;
	if (epoll->visited == walk_count)
		return epoll->depth;
	LIST_FOREACH (item, &epoll->file->epoll_items, file_link) {
		int depth = epoll_depth_above(item->epoll, level + 1) + 1;

		if (depth > deepest)
			deepest = depth;
	}
	epoll->visited = walk_count;
	epoll->depth = deepest;
	return deepest;
}

int epoll_graph_check_locked(struct epoll *epoll, struct epoll *target)
{
	int below, above;

	walk_count++;
	below = epoll_depth_below(target, epoll, 0);
	if (below < 0)
		return below;
	walk_count++;
	above = epoll_depth_above(epoll, 0);
	return below + 1 + above > LINUX_EPOLL_MAX_NESTS ? -ELOOP : 0;
}

/* Follows every way up from a file, until they are too many. */
static bool ways_are_few(
	const struct file *file, int level, unsigned int counts[LINUX_EPOLL_MAX_NESTS + 1])
{
	struct epoll_item *item;
	bool few = level <= LINUX_EPOLL_MAX_NESTS;

	LIST_FOREACH (item, &file->epoll_items, file_link) {
		const struct file *above = item->epoll->file;

		if (!few)
			break;
		if (!LIST_EMPTY(&above->epoll_items))
			few = ways_are_few(above, level + 1, counts);
		else if (level)
			few = ++counts[level] <= ways_max[level];
	}
	return few;
}

/* Of every file that is no instance, below one that is. */
static bool ways_from_below_are_few(struct epoll *epoll)
{
	struct epoll_item *item;
	bool few = true;

	epoll->visited = walk_count;
	RB_FOREACH (item, epoll_tree, &epoll->items) {
		struct epoll *below = file_epoll(item->file);
		unsigned int counts[LINUX_EPOLL_MAX_NESTS + 1] = {0};

		if (!below)
			few = ways_are_few(item->file, 0, counts);
		else if (below->visited != walk_count)
			few = ways_from_below_are_few(below);
		if (!few)
			break;
	}
	return few;
}

int epoll_graph_check_ways_locked(const struct epoll *epoll, struct file *target)
{
	unsigned int counts[LINUX_EPOLL_MAX_NESTS + 1] = {0};
	struct epoll *below = file_epoll(target);

	if (!below && LIST_EMPTY(&epoll->file->epoll_items))
		return 0;
	walk_count++;
	return (below ? ways_from_below_are_few(below) : ways_are_few(target, 0, counts)) ? 0
											  : -EINVAL;
}
