/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mapping work of an address space that has not been carried out yet: a list of operations in
 * order, with neighbours merged and without those parts that a later one replaces or removes. The
 * address space's lock guards it.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct list_entry;

/* How far back a new operation looks for older ones that it makes needless. */
#define MAP_QUEUE_WINDOW 64

enum map_operation_kind {
	MAP_OPERATION_MAP,
	MAP_OPERATION_PROTECT,
	MAP_OPERATION_UNMAP,
	MAP_OPERATION_POPULATE
};

struct map_operation {
	enum map_operation_kind kind;
	int fd;		/* of a map, as what follows but for the range */
	int protection; /* also of a protect */
	int flags;
	uint64_t offset;
	uint64_t address, length;
};

struct map_queue {
	struct map_operation *operations;
	size_t count, capacity;
};

void map_queue_destroy(struct map_queue *queue);
void map_queue_clear(struct map_queue *queue);
/* Gives the memory of an empty queue back if it is much. */
void map_queue_trim(struct map_queue *queue);
/* Makes room, so that adding so many operations or removing a range cannot fail. -ENOMEM. */
must_check int map_queue_reserve(struct map_queue *queue, size_t more);
void map_queue_add(struct map_queue *queue, const struct map_operation *operation);
/* Takes a range out of the last MAP_QUEUE_WINDOW operations. */
void map_queue_remove(struct map_queue *queue, uint64_t start, uint64_t end);
/* How much of a range the queue's maps cover, as long as no two of them overlap. */
must_check uint64_t map_queue_mapped_bytes(
	const struct map_queue *queue, uint64_t start, uint64_t end);
/* The host's system call for an operation. */
void map_operation_encode(const struct map_operation *operation, struct list_entry *entry);
