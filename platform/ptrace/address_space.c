/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address spaces: a stub process, what is mapped in it, and the work on that which is still queued.
 *
 * Work is urgent when guest code could tell that it was not done. A map where the stub has nothing
 * is not: it may wait, together with what follows it, until the guest touches it or something
 * urgent comes, which saves the round trip of its own (a dynamic linker maps a library in five
 * steps), or all of it when the guest removes it untouched. Waiting costs a fault where one map
 * alone is touched at once, as most allocators do; so an address space whose maps were touched so
 * waits only now and then, to see whether that has changed.
 *
 * When the host refuses one entry of a batch, nobody can tell any more what the guest would see at
 * that address, so everything is unmapped: the layer above maps again what is touched, as after a
 * fault.
 */
#include "platform/ptrace/ptrace_platform.h"

#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* With every address in pages; wholly below the stub's own pages. */
static bool is_guest_range(uint64_t address, uint64_t length)
{
	return !((address | length) & ~PAGE_MASK) && length && address < PLATFORM_GUEST_MAX &&
	       length <= PLATFORM_GUEST_MAX - address;
}

/* Maps that go in at once after waiting has cost more than it saved. */
#define EAGER_MAPS 16
/* So many maps that waited for one fault have paid for it. */
#define MAPS_THAT_PAY 3
/* Times in a row that waiting cost more than it saved. */
#define LOSSES_TO_BE_EAGER 2

static void add_operation(struct ptrace_address_space *as, const struct map_operation *operation)
{
	map_queue_add(&as->queue, operation);
	atomic_store_explicit(&as->pending, true, memory_order_release);
}

static void make_urgent(struct ptrace_address_space *as)
{
	atomic_store_explicit(&as->urgent, true, memory_order_release);
}

/* Has the stub nothing in a range, so that all that is mapped there waits in the queue? */
static bool is_untouched(const struct ptrace_address_space *as, uint64_t start, uint64_t end)
{
	uint64_t bytes = 0, low, high = start;

	if (atomic_load_explicit(&as->urgent, memory_order_relaxed) ||
		as->queue.count >= MAP_QUEUE_WINDOW)
		return false;
	while (mapped_ranges_next(&as->mapped, high, end, &low, &high))
		bytes += high - low;
	return bytes == map_queue_mapped_bytes(&as->queue, start, end);
}

static void waiting_paid(struct ptrace_address_space *as)
{
	as->waiting = 0;
	as->losses = 0;
}

/* The guest touched what waits. */
static void waiting_ended(struct ptrace_address_space *as)
{
	if (as->waiting >= MAPS_THAT_PAY)
		as->losses = 0;
	else if (as->waiting == 1 && ++as->losses >= LOSSES_TO_BE_EAGER) {
		as->losses = LOSSES_TO_BE_EAGER - 1;
		as->eager = EAGER_MAPS;
	}
	as->waiting = 0;
}

/* May a map where the stub has nothing wait? */
static bool may_wait(struct ptrace_address_space *as)
{
	if (as->eager) {
		as->eager--;
		return false;
	}
	as->waiting++;
	return true;
}

static void add_unmap_all(struct ptrace_address_space *as)
{
	const struct map_operation all = {
		.kind = MAP_OPERATION_UNMAP, .length = PLATFORM_GUEST_MAX};

	mapped_ranges_clear(&as->mapped);
	map_queue_clear(&as->queue);
	as->waiting = 0;
	add_operation(as, &all);
	make_urgent(as);
}

int ptrace_address_space_new(struct platform *platform, struct address_space **out)
{
	struct ptrace_address_space *as = calloc(1, sizeof(*as));
	int r;

	if (!as)
		return -ENOMEM;
	r = map_queue_reserve(&as->queue, 1);
	if (!r)
		r = stub_pool_take(ptrace_platform_of(platform), &as->process);
	if (r) {
		map_queue_destroy(&as->queue);
		free(as);
		return r;
	}
	as->address_space.ops = platform->ops;
	mutex_init(&as->lock, RANK_ADDRESS_SPACE, "address space");
	mapped_ranges_init(&as->mapped);
	/* The first batch is what a program needs to run at all. */
	make_urgent(as);
	if (as->process->dirty)
		add_unmap_all(as);
	as->process->dirty = true;
	*out = &as->address_space;
	return 0;
}

void ptrace_address_space_free(struct address_space *address_space)
{
	struct ptrace_address_space *as = ptrace_address_space_of(address_space);

	stub_process_put(as->process);
	map_queue_destroy(&as->queue);
	mapped_ranges_destroy(&as->mapped);
	mutex_destroy(&as->lock);
	free(as);
}

int ptrace_address_space_map(struct address_space *address_space, uint64_t address, int fd,
	uint64_t offset, uint64_t length, int protection, int flags)
{
	struct ptrace_address_space *as = ptrace_address_space_of(address_space);
	const struct map_operation operation = {
		.kind = MAP_OPERATION_MAP,
		.fd = fd,
		.protection = protection & (PROT_READ | PROT_WRITE | PROT_EXEC),
		.flags = flags,
		.offset = offset,
		.address = address,
		.length = length,
	};

	if (!is_guest_range(address, length) || address < PLATFORM_GUEST_MIN || offset & ~PAGE_MASK)
		return -EINVAL;
	mutex_guard(&as->lock);
	if (map_queue_reserve(&as->queue, 1) || mapped_ranges_reserve(&as->mapped))
		return -ENOMEM;
	if (!is_untouched(as, address, address + length) || !may_wait(as))
		make_urgent(as);
	mapped_ranges_add(&as->mapped, address, address + length);
	add_operation(as, &operation);
	return 0;
}

/* Queues an operation for each piece of a range that has something mapped. */
static int add_pieces(struct ptrace_address_space *as, uint64_t address, uint64_t length,
	const struct map_operation *operation)
{
	uint64_t end = address + length, start;
	struct map_operation piece = *operation;

	while (mapped_ranges_next(&as->mapped, address, end, &start, &address)) {
		if (map_queue_reserve(&as->queue, 1))
			return -ENOMEM;
		if (!is_untouched(as, start, address))
			make_urgent(as);
		piece.address = start;
		piece.length = address - start;
		add_operation(as, &piece);
	}
	return 0;
}

int ptrace_address_space_protect(
	struct address_space *address_space, uint64_t address, uint64_t length, int protection)
{
	struct ptrace_address_space *as = ptrace_address_space_of(address_space);
	const struct map_operation operation = {
		.kind = MAP_OPERATION_PROTECT,
		.protection = protection & (PROT_READ | PROT_WRITE | PROT_EXEC),
	};

	if (!is_guest_range(address, length))
		return -EINVAL;
	mutex_guard(&as->lock);
	return add_pieces(as, address, length, &operation);
}

int ptrace_address_space_populate(
	struct address_space *address_space, uint64_t address, uint64_t length)
{
	struct ptrace_address_space *as = ptrace_address_space_of(address_space);
	const struct map_operation operation = {.kind = MAP_OPERATION_POPULATE};

	if (!is_guest_range(address, length))
		return -EINVAL;
	mutex_guard(&as->lock);
	return add_pieces(as, address, length, &operation);
}

/* One system call from the first mapped page to the last: the host skips holes here. */
int ptrace_address_space_unmap(
	struct address_space *address_space, uint64_t address, uint64_t length)
{
	struct ptrace_address_space *as = ptrace_address_space_of(address_space);
	struct map_operation operation = {.kind = MAP_OPERATION_UNMAP};
	uint64_t start, end, last_end, next;

	if (!is_guest_range(address, length))
		return -EINVAL;
	mutex_guard(&as->lock);
	if (!mapped_ranges_next(&as->mapped, address, address + length, &start, &end))
		return 0;
	last_end = end;
	while (mapped_ranges_next(&as->mapped, last_end, address + length, &next, &end))
		last_end = end;
	if (map_queue_reserve(&as->queue, 1) || mapped_ranges_reserve(&as->mapped))
		return -ENOMEM;
	if (is_untouched(as, start, last_end)) {
		map_queue_remove(&as->queue, start, last_end);
		mapped_ranges_remove(&as->mapped, start, last_end);
		if (!as->queue.count) {
			waiting_paid(as);
			atomic_store_explicit(&as->pending, false, memory_order_release);
		}
		return 0;
	}
	make_urgent(as);
	mapped_ranges_remove(&as->mapped, start, last_end);
	operation.address = start;
	operation.length = last_end - start;
	add_operation(as, &operation);
	return 0;
}

int ptrace_address_space_reset(struct address_space *address_space, struct context *context)
{
	struct ptrace_address_space *as = ptrace_address_space_of(address_space);
	struct ptrace_context *self = ptrace_context_of(context);
	struct stub_thread *thread = atomic_load(&self->thread);

	mutex_guard(&as->lock);
	if (map_queue_reserve(&as->queue, 1))
		return -ENOMEM;
	add_unmap_all(as);
	if (thread && thread->process == as->process) {
		if (thread->used)
			fpstate_reset(thread);
		if (thread->debug_used)
			debug_registers_reset(thread);
	}
	return 0;
}

/* A mistake of ours, not of the guest or of its files: some file systems refuse a mapping with
 * EINVAL. */
static bool is_broken(const struct list_entry *entry, int64_t error)
{
	switch (-error) {
	case EINVAL:
		return entry->number != SYS_mmap;
	case EBADF:
	case EFAULT:
	case ENOSYS:
		return true;
	default:
		return false;
	}
}

static void empty(struct ptrace_address_space *as, struct stub_thread *thread)
{
	int64_t r;

	add_unmap_all(as);
	map_operation_encode(&as->queue.operations[0], &as->process->list[0]);
	r = stub_thread_run_list(thread, 1, NULL);
	panic_if(r, "stub process %d: munmap of everything: %s", as->process->pid,
		strerror((int)-r));
}

static int run_queue_locked(struct ptrace_address_space *as, struct stub_thread *thread)
{
	const struct list_entry *failed = NULL;
	int error = 0;

	for (size_t done = 0; done < as->queue.count;) {
		size_t count = min_u64(as->queue.count - done, STUB_LIST_ENTRIES);
		int64_t r;

		for (size_t i = 0; i < count; i++)
			map_operation_encode(
				&as->queue.operations[done + i], &as->process->list[i]);
		r = stub_thread_run_list(thread, count, &failed);
		panic_if(r && is_broken(failed, r),
			"stub process %d: system call %llu of a batch: %s", as->process->pid,
			(unsigned long long)failed->number, strerror((int)-r));
		if (r && !error)
			error = (int)r;
		done += count;
	}
	if (error)
		empty(as, thread);
	map_queue_clear(&as->queue);
	map_queue_trim(&as->queue);
	as->waiting = 0;
	atomic_fetch_add_explicit(&as->runs, 1, memory_order_release);
	atomic_store_explicit(&as->urgent, false, memory_order_release);
	atomic_store_explicit(&as->pending, false, memory_order_release);
	return error;
}

int address_space_run_queue(struct ptrace_address_space *as, struct stub_thread *thread)
{
	mutex_guard(&as->lock);
	/* Another thread may have carried it out meanwhile. */
	return as->queue.count ? run_queue_locked(as, thread) : 0;
}

int address_space_touch(struct ptrace_address_space *as, struct stub_thread *thread,
	uint64_t address, unsigned int runs, bool *waited)
{
	mutex_guard(&as->lock);
	*waited = runs != atomic_load_explicit(&as->runs, memory_order_relaxed);
	if (*waited)
		return 0;
	*waited =
		map_queue_mapped_bytes(&as->queue, address & PAGE_MASK, (address & PAGE_MASK) + 1);
	if (!*waited)
		return 0;
	waiting_ended(as);
	return run_queue_locked(as, thread);
}

int ptrace_address_space_flush(struct address_space *address_space)
{
	struct ptrace_address_space *as = ptrace_address_space_of(address_space);
	struct stub_thread *thread;
	int r;

	/* What waits is where no guest thread can reach anything. */
	if (!atomic_load_explicit(&as->pending, memory_order_acquire) ||
		!atomic_load_explicit(&as->urgent, memory_order_acquire))
		return 0;
	thread = stub_process_own_thread(as->process);
	if (thread)
		return address_space_run_queue(as, thread);
	r = stub_process_take_thread(as->process, placement_here(), &thread);
	if (r)
		return r;
	r = address_space_run_queue(as, thread);
	stub_process_give_thread(thread);
	return r;
}
