/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory file: gives extents out, counts references, recycles freed pages.
 *
 * A freed page keeps its content until it is given out again, and only what the host really holds
 * of an extent is cleared then: so an extent that nobody touched costs nothing to give out, to free
 * and to give out again.
 */
#include "sentry/mm/memory_file.h"

#include "base/lock.h"
#include "base/log.h"
#include "sentry/lock_order.h"
#include "sentry/mm/memory_file_place.h"
#include "sentry/mm/memory_held.h"
#include "sentry/mm/page_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define FILE_BYTES (1ul << 44)
#define FILE_BYTES_MIN                                                                             \
	(1ul << 36) /* where the host has no more addresses: under a sanitizer, for one */
#define WARM_BYTES   (64ul << 20) /* kept for reuse */
#define WARM_AT_ONCE (32ul << 20) /* what is freed in one piece beyond this goes back at once */
#define FILES_LEAVE  16		  /* files and pipes leave one part in so many to programs */
#define REUSE_BYTES                                                                                \
	(16ul << 20) /* larger extents are made of untouched pages: clearing might be for nothing  \
		      */

static struct {
	int fd;
	char *base;
	uint64_t size;
	uint64_t common_end; /* beyond are places for whoever asks for one */
	_Atomic uint64_t limit, memory_total;
	struct mutex lock; /* RANK_MEMORY_FILE: all below */
	struct page_run_map map;
	uint64_t peak;
	uint64_t next_suggestion;
} g_file = {.fd = -1};

/* Maps as much of the file as there are addresses for. */
static int map_whole(void)
{
	for (g_file.size = FILE_BYTES; g_file.size >= FILE_BYTES_MIN; g_file.size /= 2) {
		g_file.base = mmap(NULL, g_file.size, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_NORESERVE, g_file.fd, 0);
		if (g_file.base != MAP_FAILED)
			return ftruncate(g_file.fd, (off_t)g_file.size) == 0 ? 0 : -errno;
	}
	return -ENOMEM;
}

int memory_file_open(uint64_t limit_bytes)
{
	struct sysinfo info;
	int error;

	g_file.fd = memfd_create("guest-memory", MFD_CLOEXEC);
	if (g_file.fd < 0)
		return -errno;
	error = map_whole();
	if (error) {
		(void)close(g_file.fd);
		g_file.fd = -1;
		return error;
	}
	(void)madvise(g_file.base, g_file.size, MADV_DONTFORK);
	(void)madvise(g_file.base, g_file.size, MADV_DONTDUMP);
	g_file.limit = page_floor(limit_bytes);
	g_file.memory_total = g_file.limit ? g_file.limit : UINT64_MAX;
	if (sysinfo(&info) == 0)
		g_file.memory_total = min_u64(g_file.memory_total,
			((uint64_t)info.totalram + info.totalswap) * info.mem_unit);
	g_file.common_end = g_file.size / 2;
	g_file.next_suggestion = g_file.common_end;
	mutex_init(&g_file.lock, RANK_MEMORY_FILE, "memory file");
	return page_run_map_init(&g_file.map, g_file.size, g_file.common_end);
}

int memory_file_fd(void)
{
	return g_file.fd;
}

void *memory_file_pointer(uint64_t offset)
{
	return g_file.base + offset;
}

static uint64_t resident_bytes(void)
{
	struct stat st;

	return fstat(g_file.fd, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
}

/*
 * The next stretch from *offset on, before end, that the host holds: its start, and *offset moves
 * to its end; end if there is none. Several threads may move the descriptor's position at once:
 * each call names its own.
 */
static uint64_t next_resident(uint64_t *offset, uint64_t end)
{
	off_t data = lseek(g_file.fd, (off_t)*offset, SEEK_DATA), hole;

	if (data < 0 || (uint64_t)data >= end)
		return end;
	hole = lseek(g_file.fd, data, SEEK_HOLE);
	*offset = hole < 0 ? end : min_u64((uint64_t)hole, end);
	return (uint64_t)data;
}

/* Makes a range read as zeros; bytes that the host holds of it. */
static uint64_t clear(uint64_t offset, uint64_t size)
{
	uint64_t end = offset + size, bytes = 0, start;

	while (offset < end && (start = next_resident(&offset, end)) < end) {
		memset(g_file.base + start, 0, offset - start);
		bytes += offset - start;
	}
	return bytes;
}

static void punch(uint64_t offset, uint64_t size)
{
	if (fallocate(g_file.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
		    (off_t)size) != 0)
		panic("memory file: giving pages back: %s", strerror(errno));
}

/* Gives a free run's pages back to the host; the lock is dropped meanwhile. */
static void return_to_host_locked(struct page_run *run, uint64_t size)
{
	uint64_t start = run->end - size, end = run->end;

	run = page_run_isolate(&g_file.map, run, start, end);
	(void)page_run_set(&g_file.map, run, RUN_BUSY, 0);
	mutex_unlock(&g_file.lock);
	punch(start, size);
	mutex_lock(&g_file.lock);
	(void)page_run_set(&g_file.map, page_run_find(&g_file.map, start), RUN_COLD, 0);
}

static void trim_locked(uint64_t keep)
{
	while (g_file.map.used_bytes > keep) {
		struct page_run *run = page_run_largest(&g_file.map, RUN_USED);

		return_to_host_locked(run,
			min_u64(run->end - run->start, page_ceil(g_file.map.used_bytes - keep)));
	}
}

void memory_file_trim(uint64_t keep)
{
	mutex_guard(&g_file.lock);
	trim_locked(keep);
}

/*
 * What is given out counts, until that reaches the limit; from then on what the host really holds
 * does, since much of what was given out may never have been touched.
 */
static bool may_allocate_locked(uint64_t size)
{
	if (!g_file.limit || g_file.map.held_bytes + memory_held_elsewhere() + size <= g_file.limit)
		return true;
	if (size > g_file.limit)
		return false;
	trim_locked(0);
	return resident_bytes() + memory_held_elsewhere() + size <= g_file.limit;
}

bool memory_file_has_room(uint64_t size)
{
	uint64_t most = g_file.limit - g_file.limit / FILES_LEAVE;

	if (!g_file.limit)
		return true;
	mutex_guard(&g_file.lock);
	if (g_file.map.held_bytes + memory_held_elsewhere() + size <= most)
		return true;
	trim_locked(0);
	return resident_bytes() + memory_held_again() + size <= most;
}

bool memory_file_leaves_room(uint64_t size)
{
	if (!g_file.limit)
		return true;
	mutex_guard(&g_file.lock);
	return may_allocate_locked(size);
}

static bool is_free(const struct page_run *run, uint64_t offset, uint64_t size)
{
	return (run->state == RUN_COLD || run->state == RUN_USED) && run->end - offset >= size;
}

/* A free run of exactly this size, isolated; NULL when the file is full. */
static struct page_run *choose_locked(uint64_t size, uint64_t preferred)
{
	struct page_run_map *map = &g_file.map;
	struct page_run *run;

	if (preferred < g_file.size && size <= g_file.size - preferred) {
		run = page_run_find(map, preferred);
		if (is_free(run, preferred, size))
			return page_run_isolate(map, run, preferred, preferred + size);
	}
	run = size <= REUSE_BYTES ? page_run_fit(map, RUN_USED, size) : NULL;
	if (!run)
		run = page_run_fit(map, RUN_COLD, size);
	/* From the top, as addresses are given out: successive mappings are neighbours in both. */
	return run ? page_run_isolate(map, run, run->end - size, run->end) : NULL;
}

int memory_file_allocate_at(
	uint64_t size, uint64_t preferred, bool clear_it, uint64_t *offset, bool *warm)
{
	struct page_run *run;
	bool used;

	*warm = false;
	mutex_lock(&g_file.lock);
	run = may_allocate_locked(size) ? choose_locked(size, preferred) : NULL;
	if (!run) {
		mutex_unlock(&g_file.lock);
		return -ENOMEM;
	}
	*offset = run->start;
	used = run->state == RUN_USED;
	(void)page_run_set(&g_file.map, run, RUN_HELD, 1);
	g_file.peak = max_u64(g_file.peak, g_file.map.held_bytes);
	mutex_unlock(&g_file.lock);
	if (used && clear_it)
		*warm = clear(*offset, size) == size;
	return 0;
}

int memory_file_allocate(uint64_t size, uint64_t *offset, bool *warm)
{
	return memory_file_allocate_at(size, MEMORY_FILE_ANYWHERE, true, offset, warm);
}

int memory_file_allocate_unclean(uint64_t size, uint64_t *offset)
{
	bool warm;

	return memory_file_allocate_at(size, MEMORY_FILE_ANYWHERE, false, offset, &warm);
}

uint64_t memory_file_suggest(uint64_t size)
{
	uint64_t place;

	if (size > g_file.size - g_file.common_end)
		return MEMORY_FILE_ANYWHERE;
	mutex_guard(&g_file.lock);
	if (size > g_file.size - g_file.next_suggestion)
		g_file.next_suggestion = g_file.common_end;
	place = g_file.next_suggestion;
	g_file.next_suggestion += size;
	return place;
}

void memory_file_get(uint64_t offset, uint64_t size)
{
	uint64_t end = offset + size;

	mutex_guard(&g_file.lock);
	while (offset < end) {
		struct page_run *run = page_run_find(&g_file.map, offset);
		uint64_t stop = min_u64(run->end, end);

		panic_if(run->state != RUN_HELD || run->references == UINT32_MAX,
			"memory file: reference to free page %#lx", (unsigned long)offset);
		run = page_run_isolate(&g_file.map, run, offset, stop);
		(void)page_run_set(&g_file.map, run, RUN_HELD, run->references + 1);
		offset = stop;
	}
}

void memory_file_put(uint64_t offset, uint64_t size)
{
	uint64_t end = offset + size;

	mutex_guard(&g_file.lock);
	while (offset < end) {
		struct page_run *run = page_run_find(&g_file.map, offset);
		uint64_t stop = min_u64(run->end, end), freed = stop - offset;

		panic_if(run->state != RUN_HELD, "memory file: page %#lx dropped twice",
			(unsigned long)offset);
		run = page_run_isolate(&g_file.map, run, offset, stop);
		if (run->references > 1) {
			(void)page_run_set(&g_file.map, run, RUN_HELD, run->references - 1);
		} else if (freed > WARM_AT_ONCE) {
			return_to_host_locked(run, freed);
		} else {
			(void)page_run_set(&g_file.map, run, RUN_USED, 0);
		}
		offset = stop;
	}
	if (g_file.map.used_bytes > WARM_BYTES)
		trim_locked(WARM_BYTES / 4 * 3);
}

unsigned int memory_file_references(uint64_t offset)
{
	struct page_run *run;

	mutex_guard(&g_file.lock);
	run = page_run_find(&g_file.map, offset);
	return run->state == RUN_HELD ? run->references : 0;
}

uint64_t memory_file_sole(uint64_t offset, uint64_t size, bool *sole)
{
	uint64_t end = offset + size, at;
	struct page_run *run;

	mutex_guard(&g_file.lock);
	run = page_run_find(&g_file.map, offset);
	*sole = run->references == 1;
	for (at = run->end; at < end; at = run->end) {
		run = page_run_next(run);
		if (!run || (run->references == 1) != *sole)
			break;
	}
	return min_u64(at, end) - offset;
}

uint64_t memory_file_resident(uint64_t offset, uint64_t size)
{
	uint64_t end = offset + size, bytes = 0, start;

	while (offset < end && (start = next_resident(&offset, end)) < end)
		bytes += offset - start;
	return bytes;
}

bool memory_file_copy(
	uint64_t destination, uint64_t source, uint64_t size, uint64_t most, uint64_t *copied)
{
	uint64_t at = source, end = source + size, start;

	*copied = 0;
	while (at < end && (start = next_resident(&at, end)) < end) {
		if (at - start > most - *copied)
			return false;
		memcpy(g_file.base + destination + (start - source), g_file.base + start,
			at - start);
		*copied += at - start;
	}
	return true;
}

void memory_file_clear(uint64_t offset, uint64_t size)
{
	(void)clear(offset, size);
}

void memory_file_punch(uint64_t offset, uint64_t size)
{
	punch(offset, size);
}

bool memory_file_is_obvious_overcommit(uint64_t size)
{
	return size > g_file.memory_total;
}

void memory_file_set_limit(uint64_t limit_bytes)
{
	atomic_store(&g_file.limit, page_floor(limit_bytes));
	atomic_store(&g_file.memory_total, limit_bytes ? page_floor(limit_bytes) : UINT64_MAX);
}

bool memory_file_over_limit(void)
{
	return g_file.limit && resident_bytes() + memory_held_elsewhere() > g_file.limit;
}

void memory_file_usage(struct memory_file_usage *usage)
{
	mutex_lock(&g_file.lock);
	*usage = (struct memory_file_usage){
		.allocated = g_file.map.held_bytes,
		.peak = g_file.peak,
		.recycled = g_file.map.used_bytes,
		.limit = g_file.limit,
	};
	mutex_unlock(&g_file.lock);
	usage->resident = resident_bytes();
}
