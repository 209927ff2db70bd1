/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct mm, and what the files of this room share.
 *
 * Every function that is not declared in mm.h expects mm->lock to be held unless it says otherwise.
 * Changes that take pages or files away only collect them; mm_unlock() releases them when no guest
 * thread can reach them any more: at once when the caller is the only user (its queue runs before
 * its guest code does), else after a flush, which pages (but not files) may wait for.
 */
#pragma once

#include "abi/limits.h"
#include "abi/mman.h"
#include "sentry/mm/backing.h"
#include "sentry/mm/mm.h"
#include "sentry/mm/vma.h"

/* What mm_copy_in and its like remember: a stretch of addresses, and where the sentry sees it. */
struct access_window {
	gaddr_t start, end;
	char *base; /* of start */
	bool writable;
	bool may_fault; /* a host file's: only safe_copy() may touch it */
};
#define ACCESS_WINDOWS 4

struct mm {
	struct refcount refs;
	struct platform *platform; /* set once */
	struct mutex lock;	   /* RANK_MM: all below */
	struct address_space *as;  /* NULL until somebody runs in it */
	struct vma_tree vmas;
	struct backing_tree backings;
	struct access_window access[ACCESS_WINDOWS];
	unsigned int next_access;
	uint64_t serial;	      /* set once: no other one's */
	uint64_t generation;	      /* of mappings, for spurious faults */
	LIST_HEAD(, vma) removed;     /* of files: to be freed by mm_unlock() */
	LIST_HEAD(, backing) dropped; /* likewise */
	uint64_t dropped_bytes;
	bool must_flush;  /* mm_unlock() returns only when no guest can reach what was dropped */
	bool ever_sealed; /* has, or had, a sealed vma */
	bool ever_shared; /* had more than one reference; atomic */
	unsigned int vma_count, backing_count;
	uint64_t total, locked, data, stack, executable; /* bytes of vmas */
	uint64_t total_peak, resident_peak;
	uint64_t private_bytes, file_bytes; /* of backings */
	gaddr_t hole_end, hole_skipped;	    /* placement.c's own */
	struct mm_layout layout;
	struct file *exe_file;		   /* a reference, or NULL */
	struct mm_attachment *_Atomic aio; /* see mm_aio() */
	void *auxv;
	size_t auxv_size;
	int dumpable;
	unsigned int lock_future; /* VMA_LOCKED, VMA_LOCK_ON_FAULT for new mappings */
};

/* -EPERM if something in the range is sealed (mseal.c). RANK_MM held. */
must_check int mm_may_modify(struct mm *mm, gaddr_t start, gaddr_t end);

void mm_lock(struct mm *mm);
void mm_unlock(struct mm *mm);
/* As well, and lets go of the files of vmas that were removed: what removes some ends with it. No
 * lock above may be held. */
void mm_unlock_and_release(struct mm *mm);
/* Makes sure that no guest thread can reach what was dropped, and releases it now. */
must_check int mm_settle(struct mm *mm);
/* Forgets where the sentry saw what: call it before any vma or backing changes. */
void mm_changed(struct mm *mm);

/* Queues for the platform; nothing is queued while there is no address space: all is entered when
 * it comes. */
must_check int mm_queue_unmap(struct mm *mm, gaddr_t start, gaddr_t end);
must_check int mm_queue_protect(struct mm *mm, gaddr_t start, gaddr_t end, int protection);

/* Is [address, address + length) within what guests may map, after rounding length up? False for an
 * overflow. */
bool mm_range_is_valid(gaddr_t address, uint64_t length);
/* Removes all of [start, end), whole pages; host_too: queues the removal there (not when a mapping
 * replaces it). */
must_check int mm_unmap_range(struct mm *mm, gaddr_t start, gaddr_t end, bool host_too);
/* Queues the host's unmapping of what has no backing in a range. */
must_check int mm_queue_unmap_holes(struct mm *mm, gaddr_t start, gaddr_t end);
/* Counts bytes of a vma with its flags, or discounts them. */
void mm_account(struct mm *mm, const struct vma *vma, gaddr_t start, gaddr_t end, bool add);
/* RLIMIT_AS and RLIMIT_DATA for length more bytes of such a vma. 0 or -ENOMEM. */
must_check int mm_may_expand(struct mm *mm, uint64_t length, unsigned int flags, int protection);
/* Only RLIMIT_DATA. */
must_check int mm_may_add_data(struct mm *mm, uint64_t length, unsigned int flags, int protection);
/* RLIMIT_MEMLOCK for length more bytes: 0, or -EAGAIN; -EPERM when none may be locked at all. */
must_check int mm_may_lock(struct mm *mm, uint64_t length);

/* placement.c: where length bytes fit; -ENOMEM. The hint is taken if it fits. */
must_check int mm_find_gap(
	struct mm *mm, gaddr_t hint, uint64_t length, int flags, gaddr_t *address);
/* A gap came up: the next search looks at it. */
void mm_gap_opened(struct mm *mm, gaddr_t end);

/* fault.c: makes the page of an address present for an access that vma allows, and as much around
 * it as is cheap. 0, -ERANGE (past the end of the file), -ENOMEM. */
must_check int mm_fault_in(struct mm *mm, struct vma *vma, gaddr_t address, bool write);
/* Backs the pages of a range that are not yet; stops at the first error. Writable private pages are
 * made its own. */
must_check int mm_populate(struct mm *mm, gaddr_t start, gaddr_t end, bool write);
/* Backs a new mapping as far as that is wise at once, and queues it. An error says only where it
 * stopped. */
int mm_back_new(struct mm *mm, struct vma *vma, gaddr_t start, gaddr_t end);
/* The vma that holds address, a stack grown down to it if it may; NULL. */
struct vma *mm_find_or_grow(struct mm *mm, gaddr_t address);

/* cow.c: gives the pages around address, behind a backing that may not be written in place, to this
 * mm alone. */
must_check int mm_break_cow(
	struct mm *mm, struct vma *vma, struct backing *backing, gaddr_t address);
/* Copies file pages of a private mapping into pages of the mm's own, [start, end) in whole. -ERANGE
 * as translate(). */
must_check int mm_copy_file_pages(struct mm *mm, struct vma *vma, gaddr_t start, gaddr_t end);

/* access.c: where the sentry sees a piece of guest memory. */
struct sentry_view {
	char *pointer;
	size_t size;	/* contiguous bytes, at most what was asked for */
	bool may_fault; /* only safe_copy() and host system calls may touch it */
	struct backing *backing;
};
/* Makes address present for the access first. force: only max_protection counts (ptrace). 0 or
 * -EFAULT. */
must_check int mm_view(struct mm *mm, gaddr_t address, size_t size, bool write, bool force,
	struct sentry_view *view);

/* mm->as, for an mm that has none, with its lock held: counted until mm_free(). */
must_check int mm_address_space_new(struct mm *mm);
