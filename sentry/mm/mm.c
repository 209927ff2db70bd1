/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of an address space, and what belongs to it as a whole.
 *
 * The host's side comes late: until somebody is about to run in it, a struct mm is tables only. So
 * what exec maps and covers again never reaches the host.
 */
#include "sentry/mm/mm.h"

#include "base/log.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/lock_order.h"
#include "sentry/mm/memory_file_place.h"
#include "sentry/mm/memory_held.h"
#include "sentry/mm/mm_private.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define DROPPED_BYTES (4ul << 20) /* of pages that may wait for a flush */

REFCOUNT_TYPE(mm_refs, "mm");

int mm_new(struct platform *platform, struct mm **out)
{
	static _Atomic uint64_t serials;
	struct mm *mm = calloc(1, sizeof(*mm));

	if (!mm)
		return -ENOMEM;
	mm->serial = atomic_fetch_add(&serials, 1) + 1;
	refcount_init(&mm->refs, &mm_refs);
	mm->platform = platform;
	mutex_init(&mm->lock, RANK_MM, "mm");
	RB_INIT(&mm->vmas);
	RB_INIT(&mm->backings);
	LIST_INIT(&mm->removed);
	LIST_INIT(&mm->dropped);
	mm->layout.mmap_base = PLATFORM_GUEST_MAX;
	mm->dumpable = 1;
	*out = mm;
	return 0;
}

struct mm *mm_get(struct mm *mm)
{
	__atomic_store_n(&mm->ever_shared, true, __ATOMIC_RELAXED);
	refcount_get(&mm->refs);
	return mm;
}

struct mm_attachment *_Atomic *mm_aio(struct mm *mm)
{
	return &mm->aio;
}

bool mm_is_single_user(struct mm *mm)
{
	return refcount_read(&mm->refs) == 1;
}

static void release_dropped(struct mm *mm)
{
	struct backing *backing;

	while ((backing = LIST_FIRST(&mm->dropped))) {
		LIST_REMOVE(backing, dropped);
		backing_release(backing);
	}
	mm->dropped_bytes = 0;
	mm->must_flush = false;
}

static void free_vmas(struct vma *vma)
{
	struct vma *next;

	for (; vma; vma = next) {
		next = LIST_NEXT(vma, removed);
		vma_free(vma);
	}
}

/* A program that runs cannot be written to. */
static void exe_file_put(struct file *file)
{
	inode_allow_write_access(file->inode);
	file_put(file);
}

int mm_address_space_new(struct mm *mm)
{
	int error = address_space_new(mm->platform, &mm->as);

	if (!error)
		memory_held_add_process();
	return error;
}

static void release_address_space(struct address_space *as)
{
	if (!as)
		return;
	address_space_free(as);
	memory_held_remove_process();
}

/* Nobody runs in it any more: no need to tell the platform page by page. */
static void mm_free(struct mm *mm)
{
	struct mm_attachment *aio = mm->aio;
	struct backing *backing;
	struct vma *vma;

	if (aio)
		aio->release(aio);
	release_address_space(mm->as);
	while ((backing = RB_ROOT(&mm->backings))) {
		backing_detach(mm, backing);
		backing_release(backing);
	}
	while ((vma = RB_ROOT(&mm->vmas)))
		vma_remove(vma);
	release_dropped(mm);
	free_vmas(LIST_FIRST(&mm->removed));
	if (mm->exe_file)
		exe_file_put(mm->exe_file);
	free(mm->auxv);
	mutex_destroy(&mm->lock);
	free(mm);
}

void mm_put(struct mm *mm)
{
	if (mm && refcount_put(&mm->refs))
		mm_free(mm);
}

void mm_lock(struct mm *mm)
{
	mutex_lock(&mm->lock);
}

int mm_settle(struct mm *mm)
{
	if (mm->as && !mm_is_single_user(mm)) {
		int error = address_space_flush(mm->as);

		if (error)
			return error;
	}
	release_dropped(mm);
	return 0;
}

/* Pages that other threads might reach wait for company: each flush interrupts those threads. */
static bool may_wait(struct mm *mm)
{
	return mm->as && !mm_is_single_user(mm) && !mm->must_flush &&
	       mm->dropped_bytes <= DROPPED_BYTES;
}

void mm_unlock(struct mm *mm)
{
	if (unlikely(!LIST_EMPTY(&mm->dropped) || mm->must_flush) && !may_wait(mm) &&
		mm_settle(mm) != 0)
		log_debug("pages are kept until a flush succeeds");
	mutex_unlock(&mm->lock);
}

void mm_unlock_and_release(struct mm *mm)
{
	struct vma *removed = LIST_FIRST(&mm->removed);

	if (likely(!removed)) {
		mm_unlock(mm);
		return;
	}
	/* When the flush fails, guest threads may still reach what goes: it stays for a later one.
	 */
	if (mm_settle(mm) != 0)
		removed = NULL;
	else
		LIST_INIT(&mm->removed);
	mutex_unlock(&mm->lock);
	free_vmas(removed);
}

void mm_changed(struct mm *mm)
{
	mm->generation++;
	memset(mm->access, 0, sizeof(mm->access));
}

int mm_queue_unmap(struct mm *mm, gaddr_t start, gaddr_t end)
{
	return mm->as ? address_space_unmap(mm->as, start, end - start) : 0;
}

int mm_queue_protect(struct mm *mm, gaddr_t start, gaddr_t end, int protection)
{
	return mm->as ? address_space_protect(mm->as, start, end - start, protection) : 0;
}

/* Makes the platform's address space if there is none yet. */
struct address_space *mm_address_space(struct mm *mm)
{
	struct address_space *as;

	mm_lock(mm);
	if (!mm->as && mm_address_space_new(mm) == 0 &&
		backing_enter_all(mm) != 0) {
		release_address_space(mm->as);
		mm->as = NULL;
	}
	as = mm->as;
	mm_unlock(mm);
	return as;
}

bool mm_take_address_space(struct mm *new_mm, struct mm *old, struct context *context)
{
	struct address_space *as = NULL;

	mm_lock(old);
	if (old->as && mm_is_single_user(old) && address_space_reset(old->as, context) == 0)
		as = steal_pointer(&old->as);
	mm_unlock(old);
	if (!as)
		return false;
	mm_lock(new_mm);
	new_mm->as = as;
	if (backing_enter_all(new_mm) != 0) {
		new_mm->as = NULL;
		release_address_space(as);
		as = NULL;
	}
	mm_unlock(new_mm);
	return as;
}

void mm_get_layout(struct mm *mm, struct mm_layout *layout)
{
	mutex_guard(&mm->lock);
	*layout = mm->layout;
}

void mm_set_layout(struct mm *mm, const struct mm_layout *layout)
{
	mutex_guard(&mm->lock);
	mm->layout = *layout;
	if (!mm->layout.mmap_base || mm->layout.mmap_base > PLATFORM_GUEST_MAX)
		mm->layout.mmap_base = PLATFORM_GUEST_MAX;
	mm_gap_opened(mm, mm->layout.mmap_base);
}

int mm_set_exe_file(struct mm *mm, struct file *file)
{
	struct file *old;

	if (file && inode_deny_write_access(file->inode))
		return -ETXTBSY;
	if (file)
		(void)file_get(file);
	mutex_lock(&mm->lock);
	old = mm->exe_file;
	mm->exe_file = file;
	mutex_unlock(&mm->lock);
	if (old)
		exe_file_put(old);
	return 0;
}

struct file *mm_get_exe_file(struct mm *mm)
{
	mutex_guard(&mm->lock);
	return mm->exe_file ? file_get(mm->exe_file) : NULL;
}

int mm_set_auxv(struct mm *mm, const void *auxv, size_t size)
{
	void *copy = malloc(size ? size : 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, auxv, size);
	mutex_guard(&mm->lock);
	free(mm->auxv);
	mm->auxv = copy;
	mm->auxv_size = size;
	return 0;
}

size_t mm_get_auxv(struct mm *mm, void *buffer, size_t size)
{
	mutex_guard(&mm->lock);
	size = min_u64(size, mm->auxv_size);
	if (size)
		memcpy(buffer, mm->auxv, size);
	return size;
}

int mm_dumpable(struct mm *mm)
{
	return __atomic_load_n(&mm->dumpable, __ATOMIC_RELAXED);
}

void mm_set_dumpable(struct mm *mm, int dumpable)
{
	__atomic_store_n(&mm->dumpable, dumpable, __ATOMIC_RELAXED);
}

bool mm_range_is_valid(gaddr_t address, uint64_t length)
{
	return length <= PLATFORM_GUEST_MAX && address <= PLATFORM_GUEST_MAX &&
	       page_ceil(length) <= PLATFORM_GUEST_MAX - address;
}

void mm_account(struct mm *mm, const struct vma *vma, gaddr_t start, gaddr_t end, bool add)
{
	uint64_t delta = add ? end - start : start - end;

	mm->total += delta;
	mm->total_peak = max_u64(mm->total_peak, mm->total);
	if (vma->flags & VMA_LOCKED)
		mm->locked += delta;
	if (vma->flags & (VMA_GROWS_DOWN | VMA_STACK))
		mm->stack += delta;
	else if ((vma->protection & LINUX_PROT_WRITE) && !vma_is_shared(vma))
		mm->data += delta;
	else if (vma->protection & LINUX_PROT_EXEC)
		mm->executable += delta;
}

int mm_may_add_data(struct mm *mm, uint64_t length, unsigned int flags, int protection)
{
	uint64_t limit = rlimit_current(LINUX_RLIMIT_DATA);

	if (limit == LINUX_RLIM_INFINITY || !(protection & LINUX_PROT_WRITE) ||
		(flags & (VMA_SHARED | VMA_GROWS_DOWN | VMA_STACK)))
		return 0;
	return mm->data <= limit && length <= limit - mm->data ? 0 : -ENOMEM;
}

/* vm.overcommit_memory 0: more than all memory in one piece is a mistake (mm/util.c in Linux's
 * source). */
static bool is_obvious_overcommit(uint64_t length, unsigned int flags, int protection)
{
	return (protection & LINUX_PROT_WRITE) && !(flags & (VMA_SHARED | VMA_NO_RESERVE)) &&
	       memory_file_is_obvious_overcommit(length);
}

int mm_may_expand(struct mm *mm, uint64_t length, unsigned int flags, int protection)
{
	uint64_t limit = rlimit_current(LINUX_RLIMIT_AS);

	if (limit != LINUX_RLIM_INFINITY && (mm->total > limit || length > limit - mm->total))
		return -ENOMEM;
	if (is_obvious_overcommit(length, flags, protection))
		return -ENOMEM;
	return mm_may_add_data(mm, length, flags, protection);
}
