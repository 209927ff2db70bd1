/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is behind guest addresses: one struct backing is a stretch of addresses whose pages are
 * contiguous in the memory file or in a host file. Addresses of a vma without one have not been
 * touched yet.
 *
 * Guarded by the mm's lock. Memory-file pages carry one reference each for the backing. Backings
 * know nothing of vmas' borders; the protection of a page on the host follows from both
 * (backing_protection()).
 */
#pragma once

#include "sentry/mm/mm.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

struct vma;
struct window;

enum backing_kind {
	BACKING_PRIVATE,   /* pages of this address space's own, in the memory file */
	BACKING_FILE,	   /* the mappable's pages, in the memory file */
	BACKING_HOST_FILE, /* the mappable's pages, in a host file */
};

struct backing {
	RB_ENTRY(backing) node;
	gaddr_t start, end;
	enum backing_kind kind;
	bool cow;	 /* BACKING_PRIVATE: others may have it too; not to be written in place */
	bool writable;	 /* others: the file may be written through a shared mapping */
	bool warm;	 /* the pages exist: entering them in advance pays */
	int fd;		 /* what the host maps */
	uint64_t offset; /* of start, in fd */
	struct window *window; /* BACKING_HOST_FILE: a reference to where the sentry saw it last, or
				  NULL */
	LIST_ENTRY(backing) dropped; /* in mm->dropped */
};

RB_HEAD(backing_tree, backing);

static inline uint64_t backing_size(const struct backing *backing)
{
	return backing->end - backing->start;
}

static inline bool backing_in_memory_file(const struct backing *backing)
{
	return backing->kind != BACKING_HOST_FILE;
}

/* The offset in fd behind an address. */
static inline uint64_t backing_offset_of(const struct backing *backing, gaddr_t address)
{
	return backing->offset + (address - backing->start);
}

/* May a page be written where it is, if the vma's protection allows writing? */
bool backing_is_writable(const struct backing *backing, const struct vma *vma);
/* What the host is to allow on it (LINUX_PROT_*). */
int backing_protection(const struct backing *backing, const struct vma *vma);

struct backing *backing_find(struct mm *mm, gaddr_t address);
/* The first one that ends above an address, or NULL. */
struct backing *backing_find_from(struct mm *mm, gaddr_t address);
struct backing *backing_next(struct backing *backing);
struct backing *backing_previous(struct backing *backing);
/* Where the unbacked stretch around an address starts and ends, within [*start, *end). */
void backing_gap(struct mm *mm, gaddr_t address, gaddr_t *start, gaddr_t *end);

/* Enters a copy of template; memory-file references pass to it. Nothing may be there. Joins
 * neighbours. NULL: no memory. */
struct backing *backing_insert(struct mm *mm, const struct backing *template);
/* Makes start and end borders where they fall inside a backing. */
must_check int backing_split_at_borders(struct mm *mm, gaddr_t start, gaddr_t end);
/*
 * Takes all of [start, end) out of the tree, cut at the borders; the pages are dropped by
 * mm_unlock(), once no guest thread can reach them. Does not tell the platform. Fails only before
 * it changes anything.
 */
must_check int backing_drop_range(struct mm *mm, gaddr_t start, gaddr_t end);
/* Out of the tree, not released: mremap moves them. */
void backing_detach(struct mm *mm, struct backing *backing);
/* Puts a detached one in at its (new) place. */
struct backing *backing_attach(struct mm *mm, struct backing *backing);
/* Releases pages and window at once. For mm_unlock() and for address spaces that are gone. */
void backing_release(struct backing *backing);

/* Queues the host's mapping of the part of a backing that is in [start, end) with vma's rights. */
must_check int backing_enter(struct mm *mm, const struct backing *backing, const struct vma *vma,
	gaddr_t start, gaddr_t end);
/* Queues the right host protection for all backings in [start, end), after vmas or cow flags
 * changed. */
must_check int backing_protect_range(struct mm *mm, gaddr_t start, gaddr_t end);
/* Queues the host mappings of everything: for an address space that is empty. */
must_check int backing_enter_all(struct mm *mm);
