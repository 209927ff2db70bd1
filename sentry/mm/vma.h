/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the guest asked for: one struct vma is a stretch of addresses with one protection, one set
 * of flags and one origin. Neighbours that could be one are one, as on Linux.
 *
 * All of it is guarded by the mm's lock, but for the link into the mappable's list, which has its
 * own.
 */
#pragma once

#include "sentry/mm/mm.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

struct mappable;
struct shared_memory;
struct vma_name;

enum vma_flags {
	VMA_SHARED = 1,
	VMA_GROWS_DOWN = 2,
	VMA_LOCKED = 4,
	VMA_LOCK_ON_FAULT = 8,
	VMA_NO_RESERVE = 16,
	VMA_DONT_FORK = 32,
	VMA_DONT_DUMP = 64,
	VMA_WIPE_ON_FORK = 128,
	VMA_SPECIAL = 256,
	VMA_PROGRAM = 65536, /* of a program or library: writable pieces will be written at once */
	VMA_STACK = 512,     /* the program's main stack */
	VMA_HUGE_HINT = 1024,
	VMA_NO_HUGE_HINT = 2048,
	VMA_MERGEABLE = 4096, /* MADV_MERGEABLE: only remembered */
	VMA_DROPPABLE = 8192,
	VMA_RANDOM = 16384, /* MADV_RANDOM, MADV_SEQUENTIAL: only remembered */
	VMA_SEQUENTIAL = 32768,
	VMA_SEALED = 131072, /* mseal(2) */
};

struct vma {
	RB_ENTRY(vma) node;
	gaddr_t start, end;
	unsigned int flags;	   /* enum vma_flags */
	uint8_t protection;	   /* LINUX_PROT_READ | _WRITE | _EXEC */
	uint8_t max_protection;	   /* what mprotect(2) may give */
	uint64_t offset;	   /* in the file, of start; anonymous private: start */
	uint64_t place;		   /* suggested memory-file offset minus address; VMA_NO_PLACE */
	struct file *file;	   /* a reference, or NULL */
	struct mappable *mappable; /* the file's or shared's; NULL for private anonymous memory */
	struct shared_memory *shared; /* a reference: MAP_SHARED | MAP_ANONYMOUS */
	const char *special_name;     /* static */
	struct vma_name *name;	      /* a reference: PR_SET_VMA_ANON_NAME */
	struct mempolicy policy;
	struct mm *mm;		      /* set once */
	LIST_ENTRY(vma) mapping;      /* in mappable->vmas; guarded by mappable->lock */
	uint64_t invalidation;	      /* guarded by mappable->lock: the last one that saw it */
	LIST_ENTRY(vma) removed;      /* in mm->removed */
};

#define VMA_NO_PLACE UINT64_MAX

RB_HEAD(vma_tree, vma);

static inline bool vma_is_shared(const struct vma *vma)
{
	return vma->flags & VMA_SHARED;
}

static inline uint64_t vma_size(const struct vma *vma)
{
	return vma->end - vma->start;
}

/* The file offset behind an address. */
static inline uint64_t vma_offset_of(const struct vma *vma, gaddr_t address)
{
	return vma->offset + (address - vma->start);
}

/* On x86 what can be written or executed can be read. */
static inline bool vma_allows(const struct vma *vma, bool write)
{
	return write ? vma->protection & 2 : vma->protection;
}

/* The vma that holds an address, or NULL. */
struct vma *vma_find(struct mm *mm, gaddr_t address);
/* The first vma that ends above an address, or NULL. */
struct vma *vma_find_from(struct mm *mm, gaddr_t address);
struct vma *vma_next(struct vma *vma);
struct vma *vma_previous(struct vma *vma);
struct vma *vma_last(struct mm *mm);
/* The lowest address that others must keep off: a growing stack keeps its guard gap. */
gaddr_t vma_start_with_gap(const struct vma *vma);

/* Not yet in the tree; takes references to what template names. NULL: no memory. */
struct vma *vma_new(struct mm *mm, const struct vma *template);
/* Enters the tree and the mappable's list, and is merged with its neighbours; returns what it is
 * part of now. */
struct vma *vma_insert(struct vma *vma);
/* Out of the tree and the list, and freed: if it maps a file by mm_unlock(), since those may only
 * be released without the lock. */
void vma_remove(struct vma *vma);
/* For vmas that never were in the tree, or that mm_unlock() releases. No lock held. */
void vma_free(struct vma *vma);
/* Joins a vma that changed with its neighbours if it can; returns what it is part of now. */
struct vma *vma_merge(struct vma *vma);
/*
 * Makes start and end borders of vmas where they fall inside one. -ENOMEM, also past the map count
 * (with nothing changed that can be seen).
 */
must_check int vma_split_at_borders(struct mm *mm, gaddr_t start, gaddr_t end);
/* Are all of [start, end) mapped? */
bool vma_covers(struct mm *mm, gaddr_t start, gaddr_t end);
/* Moves the lower border down (growing stacks) or the upper one (brk); room was checked. */
void vma_set_range(struct vma *vma, gaddr_t start, gaddr_t end);

struct vma_name *vma_name_new(const char *text);
struct vma_name *vma_name_get(struct vma_name *name);
void vma_name_put(struct vma_name *name);
const char *vma_name_text(const struct vma_name *name);
