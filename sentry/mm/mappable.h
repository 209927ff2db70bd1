/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a file offers to mmap(2): a mappable tells where the pages of a file are, and is told by the
 * file when pages go away (truncation, hole punching).
 *
 * An inode embeds or owns one; file_operations.mmap hands it out. The mm holds a reference to the
 * file for as long as a vma maps it.
 */
#pragma once

#include "base/compiler.h"
#include "base/lock.h"

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stdint.h>

struct vma;
struct mappable;

/* Where a piece of a file is. */
struct mapping_extent {
	int host_fd;	      /* memory_file_fd(), or a host file */
	uint64_t host_offset; /* of the first byte asked for, in host_fd */
	uint64_t length; /* bytes contiguous from there, whole pages, at most what was asked for */
	bool writable;	 /* may be mapped for writing (a host file opened read-only may not) */
	bool warm;	 /* the pages are there already: MAP_FLAG_POPULATE pays */
};

struct mappable_operations {
	/*
	 * Finds (and for files of our own allocates) the pages for [offset, offset + length), as
	 * far as they are contiguous. In the memory file each page returned carries a reference
	 * that the caller owns and drops with memory_file_put(). -ERANGE for an offset at or past
	 * the last page of the file: SIGBUS. -ENOMEM, -ENOSPC. Called with RANK_MM held; may take
	 * RANK_PAGES.
	 */
	int (*translate)(struct mappable *mappable, uint64_t offset, uint64_t length, bool write,
		struct mapping_extent *extent);
};

struct mappable {
	const struct mappable_operations *ops;
	struct mutex lock;     /* RANK_PAGES */
	LIST_HEAD(, vma) vmas; /* guarded by lock */
};

void mappable_init(struct mappable *mappable, const struct mappable_operations *ops);
void mappable_destroy(struct mappable *mappable);
/*
 * The file no longer has [offset, offset + length) where it was: every mapping of it is removed
 * from its address space, to be faulted in anew; with private_too, private copies as well
 * (truncation; not for hole punching). Called with no lock of rank RANK_MM or above held; returns
 * when no guest can reach the old pages, so they may be reused then.
 */
void mappable_invalidate(
	struct mappable *mappable, uint64_t offset, uint64_t length, bool private_too);
