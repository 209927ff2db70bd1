/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of mapping work of an address space. */
#include "platform/ptrace/map_queue.h"

#include "platform/ptrace/ptrace_platform.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* A queue that grew past this gives its memory back when it is empty. */
#define KEEP_CAPACITY 256

void map_queue_destroy(struct map_queue *queue)
{
	free(queue->operations);
	memset(queue, 0, sizeof(*queue));
}

void map_queue_clear(struct map_queue *queue)
{
	queue->count = 0;
}

void map_queue_trim(struct map_queue *queue)
{
	if (!queue->count && queue->capacity > KEEP_CAPACITY)
		map_queue_destroy(queue);
}

int map_queue_reserve(struct map_queue *queue, size_t more)
{
	size_t capacity = queue->capacity ? queue->capacity : 16;
	struct map_operation *operations;

	/* Each of those that the new ones may cut can become two. */
	more += min_u64(queue->count, MAP_QUEUE_WINDOW);
	if (more <= queue->capacity - queue->count)
		return 0;
	while (capacity - queue->count < more)
		capacity *= 2;
	operations = reallocarray(queue->operations, capacity, sizeof(*operations));
	if (!operations)
		return -ENOMEM;
	queue->operations = operations;
	queue->capacity = capacity;
	return 0;
}

static uint64_t end_of(const struct map_operation *operation)
{
	return operation->address + operation->length;
}

/* The part of an operation that begins at an address inside it. */
static struct map_operation tail_from(const struct map_operation *operation, uint64_t address)
{
	struct map_operation tail = *operation;

	tail.address = address;
	tail.length = end_of(operation) - address;
	tail.offset += address - operation->address;
	return tail;
}

/* Takes a range out of the operation at an index: none, one or two are left of it. Returns how
 * many. */
static size_t cut_one(struct map_queue *queue, size_t index, uint64_t start, uint64_t end)
{
	struct map_operation *old = &queue->operations[index];
	struct map_operation whole = *old;
	size_t left = 0;

	if (end_of(old) <= start || old->address >= end)
		return 1;
	/* An unmapping more than once does no harm. */
	if (old->kind == MAP_OPERATION_UNMAP && (old->address < start || end_of(old) > end))
		return 1;
	if (whole.address < start) {
		old->length = start - whole.address;
		left++;
	}
	if (end_of(&whole) > end) {
		if (left) {
			memmove(old + 2, old + 1, (queue->count - index - 1) * sizeof(*old));
			queue->count++;
		}
		old[left++] = tail_from(&whole, end);
	}
	if (!left) {
		memmove(old, old + 1, (queue->count - index - 1) * sizeof(*old));
		queue->count--;
	}
	return left;
}

/* Whatever happened inside a range that is replaced or removed later is not worth doing. */
static void cut(struct map_queue *queue, uint64_t start, uint64_t end)
{
	size_t i = queue->count > MAP_QUEUE_WINDOW ? queue->count - MAP_QUEUE_WINDOW : 0;

	while (i < queue->count)
		i += cut_one(queue, i, start, end);
}

uint64_t map_queue_mapped_bytes(const struct map_queue *queue, uint64_t start, uint64_t end)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < queue->count; i++) {
		const struct map_operation *operation = &queue->operations[i];
		uint64_t low = max_u64(start, operation->address);
		uint64_t high = min_u64(end, end_of(operation));

		if (operation->kind == MAP_OPERATION_MAP && low < high)
			bytes += high - low;
	}
	return bytes;
}

void map_queue_remove(struct map_queue *queue, uint64_t start, uint64_t end)
{
	cut(queue, start, end);
}

/* Joins an operation to the one before it if both are one system call. */
static bool merge(struct map_operation *last, const struct map_operation *next)
{
	bool above = end_of(last) == next->address;
	bool below = end_of(next) == last->address;

	if (last->kind != next->kind || !(above || below) || last->protection != next->protection)
		return false;
	if (next->kind == MAP_OPERATION_MAP) {
		const struct map_operation *low = above ? last : next;
		const struct map_operation *high = above ? next : last;

		if (last->fd != next->fd || last->flags != next->flags ||
			low->offset + low->length != high->offset)
			return false;
	}
	if (below) {
		last->address = next->address;
		last->offset = next->offset;
	}
	last->length += next->length;
	return true;
}

void map_queue_add(struct map_queue *queue, const struct map_operation *operation)
{
	if (operation->kind == MAP_OPERATION_MAP || operation->kind == MAP_OPERATION_UNMAP)
		cut(queue, operation->address, end_of(operation));
	if (queue->count && merge(&queue->operations[queue->count - 1], operation))
		return;
	queue->operations[queue->count++] = *operation;
}

static void encode_map(const struct map_operation *operation, struct list_entry *entry)
{
	int flags = MAP_FIXED;

	flags |= operation->flags & MAP_FLAG_PRIVATE ? MAP_PRIVATE : MAP_SHARED;
	if (operation->flags & MAP_FLAG_POPULATE)
		flags |= MAP_POPULATE;
	entry->number = SYS_mmap;
	entry->arguments[2] = (uint64_t)operation->protection;
	entry->arguments[3] = (uint64_t)flags;
	entry->arguments[4] = (uint64_t)operation->fd;
	entry->arguments[5] = operation->offset;
}

void map_operation_encode(const struct map_operation *operation, struct list_entry *entry)
{
	memset(entry, 0, sizeof(*entry));
	entry->arguments[0] = operation->address;
	entry->arguments[1] = operation->length;
	switch (operation->kind) {
	case MAP_OPERATION_MAP:
		encode_map(operation, entry);
		break;
	case MAP_OPERATION_PROTECT:
		entry->number = SYS_mprotect;
		entry->arguments[2] = (uint64_t)operation->protection;
		break;
	case MAP_OPERATION_UNMAP:
		entry->number = SYS_munmap;
		break;
	case MAP_OPERATION_POPULATE:
		entry->number = SYS_madvise;
		entry->arguments[2] = MADV_POPULATE_WRITE;
		entry->may_fail = 1;
		break;
	}
}
