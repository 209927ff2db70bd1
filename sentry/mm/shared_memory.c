/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared anonymous memory: chunks of the memory file by their place in the object. A small object
 * is one chunk; a large one grows chunk by chunk as it is touched.
 */
#include "sentry/mm/shared_memory.h"

#include "base/refcount.h"
#include "sentry/mm/memory_file_place.h"

#include <bsd/sys/tree.h>
#include <errno.h>
#include <stdlib.h>

#define WHOLE_BYTES (64ul << 20) /* up to here, all at once */
#define CHUNK_BYTES (2ul << 20)

struct chunk {
	RB_ENTRY(chunk) node;
	uint64_t start, end; /* in the object */
	uint64_t offset;     /* in the memory file */
	bool warm;
};

RB_HEAD(chunk_tree, chunk);

struct shared_memory {
	struct refcount refs;
	struct mappable mappable;
	uint64_t size;		  /* set once */
	struct chunk_tree chunks; /* guarded by mappable.lock */
};

REFCOUNT_TYPE(shared_memory_refs, "shared memory");

static int compare(const struct chunk *a, const struct chunk *b)
{
	return a->start < b->start ? -1 : a->start > b->start;
}

RB_GENERATE_INTERNAL(chunk_tree, chunk, node, compare, unused_ static)

/* The first chunk that ends above an offset. */
static struct chunk *chunk_from(struct shared_memory *memory, uint64_t offset)
{
	struct chunk *chunk = RB_ROOT(&memory->chunks), *found = NULL;

	while (chunk) {
		if (offset < chunk->end) {
			found = chunk;
			chunk = RB_LEFT(chunk, node);
		} else {
			chunk = RB_RIGHT(chunk, node);
		}
	}
	return found;
}

/* Makes the chunk around an offset that has none; above is the next one up. */
static int chunk_new(
	struct shared_memory *memory, uint64_t offset, struct chunk *above, struct chunk **out)
{
	struct chunk *below, *chunk = malloc(sizeof(*chunk));
	uint64_t start = 0, end = memory->size;
	int error;

	if (!chunk)
		return -ENOMEM;
	if (memory->size > WHOLE_BYTES) {
		start = offset & ~(CHUNK_BYTES - 1);
		end = min_u64(end, start + CHUNK_BYTES);
	}
	below = above ? RB_PREV(chunk_tree, &memory->chunks, above)
		      : RB_MAX(chunk_tree, &memory->chunks);
	chunk->start = below ? max_u64(start, below->end) : start;
	chunk->end = above ? min_u64(end, above->start) : end;
	error = memory_file_allocate(chunk->end - chunk->start, &chunk->offset, &chunk->warm);
	if (error) {
		free(chunk);
		return error;
	}
	RB_INSERT(chunk_tree, &memory->chunks, chunk);
	*out = chunk;
	return 0;
}

static int translate(struct mappable *mappable, uint64_t offset, uint64_t length,
	bool write unused_, struct mapping_extent *extent)
{
	struct shared_memory *memory = container_of(mappable, struct shared_memory, mappable);
	struct chunk *chunk;
	int error;

	if (offset >= memory->size)
		return -ERANGE;
	mutex_guard(&mappable->lock);
	chunk = chunk_from(memory, offset);
	if (!chunk || chunk->start > offset) {
		error = chunk_new(memory, offset, chunk, &chunk);
		if (error)
			return error;
	}
	*extent = (struct mapping_extent){
		.host_fd = memory_file_fd(),
		.host_offset = chunk->offset + (offset - chunk->start),
		.length = min_u64(length, chunk->end - offset),
		.writable = true,
		.warm = chunk->warm,
	};
	memory_file_get(extent->host_offset, extent->length);
	return 0;
}

static const struct mappable_operations operations = {.translate = translate};

int shared_memory_new(uint64_t size, struct shared_memory **out)
{
	struct shared_memory *memory = calloc(1, sizeof(*memory));

	if (!memory)
		return -ENOMEM;
	refcount_init(&memory->refs, &shared_memory_refs);
	mappable_init(&memory->mappable, &operations);
	memory->size = size;
	RB_INIT(&memory->chunks);
	*out = memory;
	return 0;
}

struct shared_memory *shared_memory_get(struct shared_memory *memory)
{
	refcount_get(&memory->refs);
	return memory;
}

void shared_memory_put(struct shared_memory *memory)
{
	struct chunk *chunk;

	if (!memory || !refcount_put(&memory->refs))
		return;
	while ((chunk = RB_ROOT(&memory->chunks))) {
		RB_REMOVE(chunk_tree, &memory->chunks, chunk);
		memory_file_put(chunk->offset, chunk->end - chunk->start);
		free(chunk);
	}
	mappable_destroy(&memory->mappable);
	free(memory);
}

struct mappable *shared_memory_mappable(struct shared_memory *memory)
{
	return &memory->mappable;
}

/* The pages stay where they are and become zeros, so nobody's mapping has to change. */
void shared_memory_punch(struct shared_memory *memory, uint64_t offset, uint64_t length)
{
	uint64_t end = min_u64(memory->size, offset + length);
	struct chunk *chunk;

	mutex_guard(&memory->mappable.lock);
	for (chunk = chunk_from(memory, offset); chunk && chunk->start < end;
		chunk = RB_NEXT(chunk_tree, &memory->chunks, chunk)) {
		uint64_t low = max_u64(offset, chunk->start), high = min_u64(end, chunk->end);

		memory_file_punch(chunk->offset + (low - chunk->start), high - low);
		chunk->warm = false;
	}
}
