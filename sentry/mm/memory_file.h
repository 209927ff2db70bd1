/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory file: one memfd that holds all memory of guests (anonymous memory, tmpfs files, shared
 * memory, pipe buffers), mapped whole by the sentry, so that a guest's byte is a pointer away.
 *
 * Space is given out in extents of whole pages, each page with a reference count of its own:
 * copy-on-write sharing, a tmpfs file and its mappings, and pins for I/O each hold one. Pages come
 * zeroed. Freed pages are kept warm for reuse up to a bound and given back to the host beyond it.
 *
 * Limits: memory_file_allocate() charges the sandbox's limit and fails with -ENOMEM past it.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Called once before the jail closes. limit_bytes: 0 for none. */
must_check int memory_file_open(uint64_t limit_bytes);
/* Another limit from now on; what is there already stays. */
void memory_file_set_limit(uint64_t limit_bytes);
int memory_file_fd(void);
/* Where the sentry sees a byte of the memory file. Always mapped, for any offset that was given
 * out. */
void *memory_file_pointer(uint64_t offset);

/*
 * A contiguous extent of zeroed pages, one reference each. Touches nothing on the host: pages are
 * the host's to make at first touch. *warm tells whether the pages exist already (recycled and
 * cleared): such may be mapped with MAP_FLAG_POPULATE. size is in bytes, whole pages.
 */
must_check int memory_file_allocate(uint64_t size, uint64_t *offset, bool *warm);
/* As above, when the caller overwrites every byte itself: skips the clearing of recycled pages. */
must_check int memory_file_allocate_unclean(uint64_t size, uint64_t *offset);
/*
 * May a file or pipe grow by so much? A part of the limit is kept from them, so that what no
 * program's end would free never is the reason for one.
 */
must_check bool memory_file_has_room(uint64_t size);
void memory_file_get(uint64_t offset, uint64_t size);
/* Drops one reference of each page; those that nobody holds go back. */
void memory_file_put(uint64_t offset, uint64_t size);
/* References of one page; only meaningful to who holds one and excludes others (the last owner of a
 * COW page). */
unsigned int memory_file_references(uint64_t offset);

/* May the host be made to hold so much more for something else? */
must_check bool memory_file_leaves_room(uint64_t size);

struct memory_file_usage {
	uint64_t allocated; /* bytes given out and not given back */
	uint64_t peak;
	uint64_t recycled; /* bytes kept warm */
	uint64_t limit;	   /* 0: none */
	uint64_t resident; /* bytes that the host holds for it now */
};
void memory_file_usage(struct memory_file_usage *usage);
