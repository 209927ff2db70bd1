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

/* How far back a new operation looks for older ones that it makes needless. */
#define LOOK_BACK 64
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

/* Whatever happened inside a range that is replaced or removed whole later is not worth doing. */
static void drop_covered(struct map_queue *queue, const struct map_operation *operation)
{
	size_t first = queue->count > LOOK_BACK ? queue->count - LOOK_BACK : 0;
	size_t kept = first;

	for (size_t i = first; i < queue->count; i++) {
		const struct map_operation *old = &queue->operations[i];

		if (old->address >= operation->address && end_of(old) <= end_of(operation))
			continue;
		if (kept != i)
			queue->operations[kept] = *old;
		kept++;
	}
	queue->count = kept;
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
		drop_covered(queue, operation);
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
