/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding pages for addresses that have none: fresh ones for anonymous memory, the file's own for
 * files.
 *
 * Small and middling mappings get one extent for all of it, which costs the host nothing before it
 * is touched; large ones, of which programs often reserve far more than they use, get it chunk by
 * chunk.
 */
#include "sentry/mm/fill.h"

#include "sentry/mm/mappable.h"
#include "sentry/mm/memory_file_place.h"

#include <errno.h>

#define WHOLE_BYTES	       (64ul << 20) /* up to here, all at once */
#define WHOLE_UNRESERVED_BYTES (4ul << 20)  /* the same for MAP_NORESERVE */
#define CHUNK_BYTES	       (4ul << 20)
#define CHUNK_MAX_BYTES	       (16ul << 20)
/* Entering pages that exist pays where most will be touched: in small areas. */
#define POPULATE_FRESH_BYTES (32ul << 10)
#define SCARCE_BYTES	     (64ul << 10)
#define FILE_CHUNK_BYTES     (1ul << 20) /* of what a file of ours may have to allocate */
#define PLACED_BYTES	     (1ul << 20) /* growing areas from this size on get a place of their own */
#define HEAP_PLACE_BYTES     (1ul << 28)
#define STACK_PLACE_BYTES    (1ul << 24)

static bool is_heap(const struct mm *mm, const struct vma *vma)
{
	return mm->layout.start_brk >= vma->start && mm->layout.start_brk < vma->end;
}

bool fill_is_at_once(const struct vma *vma)
{
	return vma_size(vma) <=
	       (vma->flags & VMA_NO_RESERVE ? WHOLE_UNRESERVED_BYTES : WHOLE_BYTES);
}

static void set_place(struct vma *vma, uint64_t room)
{
	uint64_t place = memory_file_suggest(room);

	if (place != MEMORY_FILE_ANYWHERE)
		vma->place = place - (vma->flags & VMA_GROWS_DOWN ? vma->end - room : vma->start);
}

void fill_suggest_place(struct vma *vma)
{
	if (!vma->mappable && vma_size(vma) >= PLACED_BYTES)
		set_place(vma, vma_size(vma));
}

/* Where the pages of start should be in the memory file, for neighbours to be neighbours there. */
static uint64_t preferred_place(struct mm *mm, struct vma *vma, gaddr_t start)
{
	uint64_t size = vma_size(vma);

	if (vma->place == VMA_NO_PLACE && size >= PLACED_BYTES) {
		if (vma->flags & VMA_GROWS_DOWN)
			set_place(vma, max_u64(size, STACK_PLACE_BYTES));
		else if (is_heap(mm, vma))
			set_place(vma, max_u64(size, HEAP_PLACE_BYTES));
		else if (!fill_is_at_once(vma))
			set_place(vma, size);
	}
	return vma->place == VMA_NO_PLACE ? MEMORY_FILE_ANYWHERE : start + vma->place;
}

/* Cuts [*start, *end) to what is worth backing at once; it keeps the page of address. */
static void cut_to_chunk(const struct vma *vma, gaddr_t address, gaddr_t *start, gaddr_t *end)
{
	uint64_t chunk = vma_size(vma) > 16 * WHOLE_BYTES ? CHUNK_MAX_BYTES : CHUNK_BYTES;
	gaddr_t base = address & ~(chunk - 1);

	if (fill_is_at_once(vma))
		return;
	*start = max_u64(*start, base);
	*end = min_u64(*end, base + chunk);
}

static int insert_and_enter(struct mm *mm, struct vma *vma, const struct backing *new)
{
	struct backing *backing = backing_insert(mm, new);

	if (!backing) {
		if (backing_in_memory_file(new))
			memory_file_put(new->offset, backing_size(new));
		return -ENOMEM;
	}
	/* What was joined to it is mapped already; the new part is entered with its own flags. */
	return backing_enter(mm, new, vma, new->start, new->end);
}

static int allocate(struct mm *mm, struct vma *vma, gaddr_t start, gaddr_t end, struct backing *new)
{
	return memory_file_allocate_at(
		end - start, preferred_place(mm, vma, start), true, &new->offset, &new->warm);
}

/* One page, and before that is given up, what this address space has dropped but not yet released.
 */
static int allocate_last(struct mm *mm, struct vma *vma, gaddr_t address, gaddr_t *start,
	gaddr_t *end, struct backing *new)
{
	int error;

	*start = page_floor(address);
	*end = *start + PAGE_SIZE;
	error = allocate(mm, vma, *start, *end, new);
	if (error && mm->dropped_bytes && mm_settle(mm) == 0)
		error = allocate(mm, vma, *start, *end, new);
	return error;
}

static int fill_anonymous(
	struct mm *mm, struct vma *vma, gaddr_t address, gaddr_t start, gaddr_t end)
{
	struct backing new = {.kind = BACKING_PRIVATE, .fd = memory_file_fd()};
	int error;

	cut_to_chunk(vma, address, &start, &end);
	error = allocate(mm, vma, start, end, &new);
	if (error && end - start > SCARCE_BYTES) {
		/* Little is left: no more than is needed now. */
		start = max_u64(start, address & ~(SCARCE_BYTES - 1));
		end = min_u64(end, start + SCARCE_BYTES);
		error = allocate(mm, vma, start, end, &new);
	}
	if (error)
		error = allocate_last(mm, vma, address, &start, &end, &new);
	if (error)
		return error;
	new.start = start;
	new.end = end;
	if (end - start > POPULATE_FRESH_BYTES)
		new.warm = false;
	return insert_and_enter(mm, vma, &new);
}

/* Asks the file for [start, end) from start on, and enters what it gave. *covered: up to which
 * address. */
static int fill_extent(
	struct mm *mm, struct vma *vma, gaddr_t start, gaddr_t end, bool write, gaddr_t *covered)
{
	struct mapping_extent extent = {};
	struct backing new;
	int error;

	if (write)
		end = min_u64(end, start + FILE_CHUNK_BYTES);
	error = vma->mappable->ops->translate(
		vma->mappable, vma_offset_of(vma, start), end - start, write, &extent);
	if (error)
		return error;
	if (!extent.length)
		return -ERANGE;
	new = (struct backing){
		.start = start,
		.end = start + min_u64(extent.length, end - start),
		.kind = extent.host_fd == memory_file_fd() ? BACKING_FILE : BACKING_HOST_FILE,
		.writable = extent.writable,
		.warm = extent.warm,
		.fd = extent.host_fd,
		.offset = extent.host_offset,
	};
	*covered = new.end;
	return insert_and_enter(mm, vma, &new);
}

static int fill_file(
	struct mm *mm, struct vma *vma, gaddr_t address, gaddr_t start, gaddr_t end, bool write)
{
	gaddr_t page = page_floor(address), covered = 0;

	write = vma_is_shared(vma) && (write || (vma->protection & LINUX_PROT_WRITE));
	if (start < page) {
		start = max_u64(start, page & ~(FILE_CHUNK_BYTES - 1));
		/* Best from the start of the piece, if the file has it contiguous up to here. */
		if (fill_extent(mm, vma, start, min_u64(end, start + FILE_CHUNK_BYTES), write,
			    &covered) == 0 &&
			covered > page)
			return 0;
	}
	return fill_extent(mm, vma, page, end, write, &covered);
}

int fill_around(
	struct mm *mm, struct vma *vma, gaddr_t address, gaddr_t low, gaddr_t high, bool write)
{
	gaddr_t start = max_u64(vma->start, low), end = min_u64(vma->end, high);

	backing_gap(mm, address, &start, &end);
	if (vma->mappable)
		return fill_file(mm, vma, address, start, end, write);
	return fill_anonymous(mm, vma, address, start, end);
}
