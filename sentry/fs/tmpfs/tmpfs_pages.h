/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which pages of the memory file hold which pages of a tmpfs file: extents, sorted by their place
 * in the file.
 *
 * The caller holds the lock (mappable.lock) around every function. Pages belong to the file with
 * one reference each; whoever uses them without the lock takes another.
 */
#pragma once

#include "base/compiler.h"

#include <bsd/sys/tree.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct tmpfs_extent {
	RB_ENTRY(tmpfs_extent) link;
	uint64_t page; /* first page in the file */
	uint64_t count;
	uint64_t memory; /* offset in the memory file */
	bool warm;	 /* all of it is there already */
};

/* What a super block allows; shared by its files. */
struct tmpfs_quota {
	uint64_t max_pages; /* 0: no limit */
	atomic_ulong used_pages;
	struct tmpfs_quota *total; /* of all that count for the sandbox's --disk; NULL: does not */
};

struct tmpfs_pages {
	RB_HEAD(tmpfs_extent_tree, tmpfs_extent) extents;
	struct tmpfs_extent *hint; /* the extent found last */
	uint64_t count;		   /* pages in extents */
	/* Allocated ahead, contiguous with the end of some extent: makes a file that grows one
	 * piece. */
	uint64_t reserve, reserve_count;
	struct tmpfs_quota *quota;
};

/* A run of pages with one state, cut to what was asked for. */
struct tmpfs_run {
	uint64_t count;
	uint64_t memory; /* meaningful unless hole */
	bool hole, warm;
};

void tmpfs_pages_init(struct tmpfs_pages *pages, struct tmpfs_quota *quota);
/* Gives everything back. */
void tmpfs_pages_destroy(struct tmpfs_pages *pages);
/* What is at page, at most count pages of it. */
void tmpfs_pages_find(
	struct tmpfs_pages *pages, uint64_t page, uint64_t count, struct tmpfs_run *run);
/*
 * The same, but fills a hole: with at least one page and at most count. -ENOMEM, -ENOSPC when there
 * is not even one.
 */
must_check int tmpfs_pages_fill(
	struct tmpfs_pages *pages, uint64_t page, uint64_t count, struct tmpfs_run *run);
/* How many pages of [first, end) are missing. */
uint64_t tmpfs_pages_missing(struct tmpfs_pages *pages, uint64_t first, uint64_t end);
/* Makes [first, end) a hole. -ENOMEM for a range in the middle of one extent. */
must_check int tmpfs_pages_cut(struct tmpfs_pages *pages, uint64_t first, uint64_t end);
/* The same to the end of the file, which cannot fail. */
void tmpfs_pages_cut_tail(struct tmpfs_pages *pages, uint64_t first);
/* The pages allocated ahead go back: nobody writes the file any more. */
void tmpfs_pages_trim(struct tmpfs_pages *pages);
/* The first page at or after page that is there (data) or missing (hole); UINT64_MAX when none is
 * there. */
uint64_t tmpfs_pages_seek(struct tmpfs_pages *pages, uint64_t page, bool data);
