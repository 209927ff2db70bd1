/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instances that watch each other: no cycles, no more than EP_MAX_NESTS levels, and not too many
 * ways for one event to travel, since wake-ups recurse along them.
 *
 * Differs from Linux: the number of ways upwards is bounded once (500), not level by level.
 */
#include "sentry/fs/anon/epoll.h"

#include "sentry/vfs/file.h"

#include <errno.h>

#define EPOLL_PATHS_MAX 500

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

/* Levels above an instance; counts the ways down in *paths and gives up past the bound. */
static int epoll_depth_above(struct epoll *epoll, int level, int *paths)
{
	struct epoll_item *item;
	int deepest = 0;

	if (level > LINUX_EPOLL_MAX_NESTS || ++*paths > EPOLL_PATHS_MAX)
		return 0;
	LIST_FOREACH (item, &epoll->file->epoll_items, file_link) {
		int depth = epoll_depth_above(item->epoll, level + 1, paths) + 1;

		if (depth > deepest)
			deepest = depth;
	}
	return deepest;
}

int epoll_graph_check_locked(struct epoll *epoll, struct epoll *target)
{
	int below, above, paths = 0, target_paths = 0;

	walk_count++;
	below = epoll_depth_below(target, epoll, 0);
	if (below < 0)
		return below;
	above = epoll_depth_above(epoll, 0, &paths);
	(void)epoll_depth_above(target, 0, &target_paths);
	if (paths > EPOLL_PATHS_MAX || paths + target_paths > EPOLL_PATHS_MAX)
		return -EINVAL;
	return below + 1 + above > LINUX_EPOLL_MAX_NESTS ? -ELOOP : 0;
}
