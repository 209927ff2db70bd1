/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a program, its stack, heap and mappings go: the arithmetic of Linux's x86-64 layout, with
 * the randomness handed in. The end of the address space is the limits', a little below Linux's
 * own.
 */
#include "loader/loader.h"

#include "abi/elf.h"
#include "abi/mman.h"
#include "base/compiler.h"

#include <errno.h>

/* ELF_ET_DYN_BASE: two thirds of the address space. */
#define DYN_BASE (LINUX_TASK_SIZE / 3 * 2)

#define MMAP_RANDOM_BITS  28
#define STACK_RANDOM_MASK 0x3fffffULL /* pages */
#define BRK_RANDOM_SIZE	  (1ULL << 30)
#define MMAP_MIN_GAP	  (128ULL << 20)
#define PMD_SIZE	  (2ULL << 20)

static uint64_t align_down(uint64_t value, uint64_t alignment)
{
	return value & ~(alignment - 1);
}

bool loader_place(
	const struct loader_image *image, enum loader_role role, uint64_t random, uint64_t *bias)
{
	uint64_t base;

	*bias = 0;
	if (image->type == LINUX_ET_EXEC || !image->segment_count)
		return true;
	/*
	 * A program without interpreter may be a loader itself: it must not stand where programs
	 * go.
	 */
	if (role == LOADER_INTERPRETER || !image->has_interpreter)
		return false;
	base = DYN_BASE + ((random & ((1ULL << MMAP_RANDOM_BITS) - 1)) << PAGE_SHIFT);
	*bias = page_floor(align_down(base, image->alignment) - image->segments[0].address);
	return true;
}

uint64_t loader_span(const struct loader_image *image)
{
	return image->total_size + image->alignment - PAGE_SIZE;
}

uint64_t loader_bias_at(const struct loader_image *image, uint64_t address)
{
	return align_down(address + image->alignment - 1, image->alignment) - image->min_address;
}

int loader_check_placement(
	const struct loader_image *image, uint64_t bias, const struct loader_limits *limits)
{
	if (image->late_error)
		return image->late_error;
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct loader_segment *segment = &image->segments[i];
		/* Biases wrap around on purpose; sums of two addresses do not reach 2^64. */
		const uint64_t start = page_floor(segment->address + bias);
		const uint64_t size =
			page_ceil(segment->memory_size + (segment->address & ~PAGE_MASK));

		if (segment->memory_size == 0)
			continue;
		if (start < limits->min)
			return -EPERM;
		if (start >= limits->max || size > limits->max - start)
			return -ENOMEM;
	}
	return image->entry + bias >= LINUX_TASK_SIZE ? -EINVAL : 0;
}

void loader_plan_segment(
	const struct loader_segment *segment, uint64_t bias, struct loader_mapping *mapping)
{
	const uint64_t start = segment->address + bias;
	const uint64_t in_page = start & ~PAGE_MASK;
	const uint64_t file_end = start + segment->file_size;
	const uint64_t end = start + segment->memory_size;
	const uint64_t mapped_end = segment->file_size ? page_ceil(file_end) : page_floor(start);

	*mapping = (struct loader_mapping){
		.address = page_floor(start),
		.length = mapped_end - page_floor(start),
		.file_offset = segment->file_size ? segment->file_offset - in_page : 0,
		.protection = segment->protection,
		/*
		 * Linux maps what no file backs like the heap, whatever the segment says of
		 * writing.
		 */
		.anonymous_protection = LINUX_PROT_READ | LINUX_PROT_WRITE |
					(segment->protection & LINUX_PROT_EXEC),
	};
	if (segment->memory_size <= segment->file_size)
		return;
	if (segment->file_size) {
		mapping->zero_start = file_end;
		mapping->zero_length = mapped_end - file_end;
	}
	if (page_ceil(end) > mapped_end) {
		mapping->anonymous_address = mapped_end;
		mapping->anonymous_length = page_ceil(end) - mapped_end;
	}
}

uint64_t loader_mmap_base(
	const struct loader_limits *limits, uint64_t stack_rlimit, uint64_t random)
{
	const uint64_t pad = (random ? STACK_RANDOM_MASK << PAGE_SHIFT : 0) + LINUX_STACK_GUARD_GAP;
	const uint64_t offset = (random & ((1ULL << MMAP_RANDOM_BITS) - 1)) << PAGE_SHIFT;
	uint64_t gap = stack_rlimit;

	if (gap + pad > gap)
		gap += pad;
	gap = min_u64(max_u64(gap, MMAP_MIN_GAP), limits->max / 6 * 5);
	return page_ceil(limits->max - gap - offset);
}

uint64_t loader_stack_top(const struct loader_limits *limits, uint64_t random)
{
	return page_floor(limits->max) - ((random & STACK_RANDOM_MASK) << PAGE_SHIFT);
}

uint64_t loader_brk_start(const struct loader_image *image, uint64_t bias,
	const struct loader_limits *limits, uint64_t random)
{
	const bool moved = image->type == LINUX_ET_DYN && !image->has_interpreter;
	uint64_t start = page_ceil(moved ? DYN_BASE : image->brk + bias);

	if (random) {
		/* A gap between .bss and the heap, if they are neighbours. */
		if (!moved)
			start += PAGE_SIZE;
		start += random % (BRK_RANDOM_SIZE >> PAGE_SHIFT) << PAGE_SHIFT;
	}
	return min_u64(start, page_floor(limits->max));
}

uint64_t loader_vdso_hint(
	const struct loader_limits *limits, uint64_t stack_top, uint64_t size, uint64_t random)
{
	const uint64_t start = page_ceil(stack_top);
	uint64_t end = min_u64((start + size + PMD_SIZE - 1) & ~(PMD_SIZE - 1), limits->max);

	/* Between the stack and the end of its last page table, or of the address space. */
	if (end < start || end - start < size)
		return start;
	end -= size;
	return start + (random % (((end - start) >> PAGE_SHIFT) + 1) << PAGE_SHIFT);
}
