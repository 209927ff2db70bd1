/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page faults, of guests and of the sentry on their behalf.
 *
 * A platform may tell no more than whether something was mapped there. So a fault where nothing was
 * is filled with all rights that the vma gives, and a second fault then tells the rest. Stacks grow
 * in larger steps than Linux's pages.
 */
#include "abi/resource.h"
#include "abi/signal.h"
#include "base/log.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/mm/fill.h"
#include "sentry/mm/mappable.h"
#include "sentry/mm/memory_file.h"
#include "sentry/mm/oom.h"

#include <errno.h>

#define STACK_STEP_BYTES	(128ul << 10)
#define PRIVATE_FILE_COPY_BYTES (256ul << 10)
#define FILE_PIECES_AT_ONCE	16

/* As the processor pushes them (arch/x86/include/asm/trap_pf.h in Linux's source). */
#define FAULT_PRESENT 1
#define FAULT_WRITE   2
#define FAULT_USER    4
#define FAULT_FETCH   16

/* May a growing stack reach down to address? Gives how far down it may go at most. */
static bool may_grow(struct mm *mm, struct vma *vma, gaddr_t address, gaddr_t *lowest)
{
	struct vma *below = vma_previous(vma);
	uint64_t limit = rlimit_current(LINUX_RLIMIT_STACK);
	uint64_t growth = vma->start - page_floor(address);

	*lowest = LINUX_MMAP_MIN_ADDR;
	if (below && below->protection && !(below->flags & VMA_GROWS_DOWN))
		*lowest = max_u64(*lowest, below->end + LINUX_STACK_GUARD_GAP);
	else if (below)
		*lowest = max_u64(*lowest, below->end);
	if (limit < vma->end)
		*lowest = max_u64(*lowest, vma->end - page_floor(limit));
	if (address < *lowest)
		return false;
	if ((vma->flags & VMA_LOCKED) && mm_may_lock(mm, growth) != 0)
		return false;
	return mm_may_expand(mm, growth, vma->flags, vma->protection) == 0;
}

struct vma *mm_find_or_grow(struct mm *mm, gaddr_t address)
{
	struct vma *vma = vma_find_from(mm, address);
	gaddr_t start, lowest;

	if (!vma || vma->start <= address)
		return vma;
	if (!(vma->flags & VMA_GROWS_DOWN) || !may_grow(mm, vma, address, &lowest))
		return NULL;
	start = page_floor(address);
	if (vma->end - start > STACK_STEP_BYTES && start > lowest + STACK_STEP_BYTES &&
		!(vma->flags & VMA_LOCKED))
		start &= ~(STACK_STEP_BYTES - 1);
	vma_set_range(vma, start, vma->end);
	return vma;
}

int mm_fault_in(struct mm *mm, struct vma *vma, gaddr_t address, bool write)
{
	struct backing *backing = backing_find(mm, address);
	gaddr_t page = page_floor(address);
	int error;

	/* Pages that a file gave for reading only (its holes, say) are asked for anew. */
	if (backing && write && vma_is_shared(vma) && !backing->writable) {
		error = backing_drop_range(mm, page, page + PAGE_SIZE);
		if (error)
			return error;
		backing = NULL;
	}
	if (!backing) {
		error = fill_around(mm, vma, address, 0, UINT64_MAX, write);
		if (error)
			return error;
		backing = backing_find(mm, address);
	}
	if (!write || backing_is_writable(backing, vma))
		return 0;
	return vma_is_shared(vma) ? -EFAULT : mm_break_cow(mm, vma, backing, address);
}

/* Fills the unbacked stretches of [start, end), which is inside vma; pieces bounds how many (0:
 * all). */
static int fill_range(
	struct mm *mm, struct vma *vma, gaddr_t start, gaddr_t end, bool write, unsigned int pieces)
{
	unsigned int filled = 0;

	while (start < end) {
		struct backing *backing = backing_find_from(mm, start);

		if (!backing || backing->start > start) {
			int error = fill_around(mm, vma, start, start, end, write);

			if (error)
				return error;
			backing = backing_find(mm, start);
			if (backing->kind != BACKING_HOST_FILE && ++filled == pieces)
				return 0;
		}
		start = backing->end;
	}
	return 0;
}

int mm_populate(struct mm *mm, gaddr_t start, gaddr_t end, bool write)
{
	while (start < end) {
		struct vma *vma = vma_find(mm, start);
		gaddr_t stop;
		int error;

		if (!vma)
			return -ENOMEM;
		stop = min_u64(end, vma->end);
		if (!vma_allows(vma, write))
			return -EFAULT;
		error = fill_range(mm, vma, start, stop, write, 0);
		while (!error && write && start < stop) {
			error = mm_fault_in(mm, vma, start, true);
			start = error ? start : backing_find(mm, start)->end;
		}
		if (error)
			return error;
		start = stop;
	}
	return 0;
}

int mm_back_new(struct mm *mm, struct vma *vma, gaddr_t start, gaddr_t end)
{
	bool anonymous = !vma->mappable;

	if (anonymous && !vma->protection)
		fill_suggest_place(vma);
	if (!vma->protection || (anonymous && !fill_is_at_once(vma)))
		return 0;
	if (vma->flags & VMA_GROWS_DOWN)
		start = max_u64(start, end > STACK_STEP_BYTES ? end - STACK_STEP_BYTES : 0);
	if ((vma->flags & VMA_PROGRAM) && !vma_is_shared(vma) &&
		(vma->protection & LINUX_PROT_WRITE) && end - start <= PRIVATE_FILE_COPY_BYTES) {
		gaddr_t low = start, high = end;

		backing_gap(mm, start, &low, &high);
		if (low == start && high == end)
			return mm_copy_file_pages(mm, vma, start, end);
	}
	return fill_range(mm, vma, start, end, false, anonymous ? 1 : FILE_PIECES_AT_ONCE);
}

/*
 * The tables say that the access is fine, but it faulted: another thread mended it meanwhile, or
 * the host disagrees. Tells the two apart by whether it happens again with nothing changed in
 * between.
 */
static bool is_repeated(struct mm *mm, const struct context_exit *exit)
{
	static __thread struct {
		uint64_t mm; /* its serial number: another one may stand at its place since */
		gaddr_t address;
		uint64_t generation;
	} last;
	bool alone = exit->present && !__atomic_load_n(&mm->ever_shared, __ATOMIC_RELAXED);
	bool repeated = alone || (last.mm == mm->serial && last.address == exit->address &&
					 last.generation == mm->generation);

	last.mm = repeated ? 0 : mm->serial;
	last.address = exit->address;
	last.generation = mm->generation;
	return repeated;
}

static void deliver(struct fault_outcome *outcome, int signal, int code, uint64_t error_code)
{
	outcome->signal = signal;
	outcome->code = code;
	outcome->error_code = error_code | FAULT_USER;
}

static void deliver_error(struct fault_outcome *outcome, int error, uint64_t error_code)
{
	if (error == -ENOMEM)
		deliver(outcome, LINUX_SIGKILL, 0, error_code);
	else if (error == -EFAULT)
		deliver(outcome, LINUX_SIGSEGV, LINUX_SEGV_ACCERR, error_code | FAULT_PRESENT);
	else
		deliver(outcome, LINUX_SIGBUS, LINUX_BUS_ADRERR, error_code);
}

static uint64_t error_code_of(const struct context_exit *exit, const struct vma *vma)
{
	uint64_t code = exit->present ? FAULT_PRESENT : 0;

	if (exit->access == ACCESS_WRITE)
		return code | FAULT_WRITE;
	if (exit->access == ACCESS_EXECUTE)
		return code | FAULT_FETCH;
	/* What can be read does not fault when it is read. */
	if (exit->access == ACCESS_UNKNOWN && exit->present && vma && vma->protection)
		return code | FAULT_WRITE;
	return code;
}

static bool is_forbidden(const struct vma *vma, enum fault_access access)
{
	if (access == ACCESS_WRITE)
		return !(vma->protection & LINUX_PROT_WRITE);
	if (access == ACCESS_EXECUTE)
		return !(vma->protection & LINUX_PROT_EXEC);
	return !vma->protection;
}

/* Memory-file pages are always there: the host had no memory for one. Else the file ends before the
 * page. */
static void host_bus_error(
	struct mm *mm, const struct context_exit *exit, struct fault_outcome *outcome)
{
	struct backing *backing = backing_find(mm, exit->address);

	if (backing && backing_in_memory_file(backing))
		deliver_error(outcome, -ENOMEM, 0);
	else
		deliver(outcome, LINUX_SIGBUS, LINUX_BUS_ADRERR, 0);
}

static void mend(struct mm *mm, struct vma *vma, const struct context_exit *exit,
	struct fault_outcome *outcome, uint64_t error_code)
{
	struct backing *backing = backing_find(mm, exit->address);
	bool write = exit->access == ACCESS_WRITE;
	int error;

	if (exit->access == ACCESS_UNKNOWN && exit->present && backing &&
		!backing_is_writable(backing, vma))
		write = vma->protection & LINUX_PROT_WRITE;
	if (!backing || (write && !backing_is_writable(backing, vma))) {
		error = mm_fault_in(mm, vma, exit->address, write);
		if (error)
			deliver_error(outcome, error, error_code);
		return;
	}
	if (is_repeated(mm, exit)) {
		deliver(outcome, exit->present ? LINUX_SIGSEGV : LINUX_SIGBUS,
			exit->present ? LINUX_SEGV_ACCERR : LINUX_BUS_ADRERR, error_code);
		return;
	}
	/* Once more, with what should be there for certain. */
	error = exit->present ? backing_protect_range(mm, page_floor(exit->address),
					page_floor(exit->address) + PAGE_SIZE)
			      : backing_enter(mm, backing, vma, backing->start, backing->end);
	if (error)
		deliver_error(outcome, error, error_code);
}

void mm_handle_fault(struct mm *mm, const struct context_exit *exit, gaddr_t stack_pointer unused_,
	struct fault_outcome *outcome)
{
	struct vma *vma;
	uint64_t error_code;

	*outcome = (struct fault_outcome){.address = exit->address};
	mm_lock(mm);
	vma = mm_find_or_grow(mm, exit->address);
	error_code = error_code_of(exit, vma);
	if (!vma)
		deliver(outcome, LINUX_SIGSEGV, LINUX_SEGV_MAPERR,
			error_code & ~(uint64_t)FAULT_PRESENT);
	else if (exit->signal == LINUX_SIGBUS)
		host_bus_error(mm, exit, outcome);
	else if (is_forbidden(vma, exit->access))
		deliver(outcome, LINUX_SIGSEGV, LINUX_SEGV_ACCERR, error_code);
	else
		mend(mm, vma, exit, outcome, error_code);
	mm_unlock(mm);
	if (outcome->signal == LINUX_SIGKILL)
		oom_report(mm);
}
