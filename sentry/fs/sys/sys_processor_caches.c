/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /sys/devices/system/cpu/cpuN/cache, from CPUID.
 *
 * Differs from Linux: caches of levels 1 and 2 belong to one processor, those above to all.
 */
#include "sentry/fs/sys/sys_tree.h"

#include "abi/dirent.h"
#include "sentry/fs/proc/processor_list.h"
#include "sentry/kernel/scheduling.h"

#include <cpuid.h>
#include <errno.h>

#define CACHES_MAX 8

struct cache {
	unsigned int type, level, line, partitions, ways, sets;
};

/* Cache number index of this processor, by Intel's leaf or AMD's. False past the last. */
static bool read_cache(unsigned int index, struct cache *cache)
{
	uint32_t eax, ebx, ecx, edx, leaf = 4;

	if ((unsigned int)(uint32_t)__get_cpuid_max(0, NULL) < leaf)
		return false;
	__cpuid_count(leaf, 0, eax, ebx, ecx, edx);
	if (!(eax & 31))
		leaf = 0x8000001d;
	if ((unsigned int)(uint32_t)__get_cpuid_max(leaf & 0x80000000, NULL) < leaf)
		return false;
	__cpuid_count(leaf, index, eax, ebx, ecx, edx);
	*cache = (struct cache){
		.type = eax & 31,
		.level = eax >> 5 & 7,
		.line = (ebx & 4095) + 1,
		.partitions = (ebx >> 12 & 1023) + 1,
		.ways = (ebx >> 22) + 1,
		.sets = ecx + 1,
	};
	return cache->type != 0;
}

static int cache_count(void)
{
	struct cache cache;
	int count = 0;

	while (count < CACHES_MAX && read_cache((unsigned int)count, &cache))
		count++;
	return count;
}

enum cache_field { FIELD_LINE, FIELD_LEVEL, FIELD_SETS, FIELD_PARTITIONS, FIELD_WAYS, FIELD_ID };

static int get_cache(const struct proc_context *context, struct cache *cache)
{
	return read_cache((unsigned int)context->number >> SYS_CACHE_SHIFT, cache) ? 0 : -ENOENT;
}

static int processor_of(const struct proc_context *context)
{
	return context->number & ((1 << SYS_CACHE_SHIFT) - 1);
}

static int show_field(const struct proc_context *context, struct text_writer *out)
{
	struct cache cache;
	int error = get_cache(context, &cache);
	const unsigned int values[] = {
		[FIELD_LINE] = cache.line,
		[FIELD_LEVEL] = cache.level,
		[FIELD_SETS] = cache.sets,
		[FIELD_PARTITIONS] = cache.partitions,
		[FIELD_WAYS] = cache.ways,
		[FIELD_ID] = cache.level > 2 ? 0 : (unsigned int)processor_of(context),
	};

	if (!error)
		text_printf(out, "%u\n", values[context->entry->data]);
	return error;
}

static int show_size(const struct proc_context *context, struct text_writer *out)
{
	struct cache cache;
	int error = get_cache(context, &cache);

	if (!error)
		text_printf(out, "%luK\n",
			(unsigned long)cache.line * cache.partitions * cache.ways * cache.sets >>
				10);
	return error;
}

static int show_type(const struct proc_context *context, struct text_writer *out)
{
	static const char *const names[] = {"", "Data", "Instruction", "Unified"};
	struct cache cache;
	int error = get_cache(context, &cache);

	if (!error)
		text_printf(out, "%s\n", names[cache.type & 3]);
	return error;
}

static int show_shared(const struct proc_context *context, struct text_writer *out)
{
	struct cache cache;
	int error = get_cache(context, &cache);
	cpu_set_t set;

	if (error)
		return error;
	CPU_ZERO(&set);
	for (int i = 0; i < scheduling_processors(); i++)
		if (cache.level > 2 || i == processor_of(context))
			CPU_SET(i, &set);
	if (context->entry->data)
		processor_set_show_list(&set, out);
	else
		processor_set_show_mask(&set, out);
	text_append(out, "\n", 1);
	return 0;
}

static const struct proc_entry cache_entries[] = {
	SYS_SHOW_DATA("coherency_line_size", show_field, FIELD_LINE),
	SYS_SHOW_DATA("id", show_field, FIELD_ID),
	SYS_SHOW_DATA("level", show_field, FIELD_LEVEL),
	SYS_SHOW_DATA("number_of_sets", show_field, FIELD_SETS),
	SYS_SHOW_DATA("physical_line_partition", show_field, FIELD_PARTITIONS),
	SYS_SHOW_DATA("shared_cpu_list", show_shared, true),
	SYS_SHOW_DATA("shared_cpu_map", show_shared, false),
	SYS_SHOW("size", show_size),
	SYS_SHOW("type", show_type),
	SYS_SHOW_DATA("ways_of_associativity", show_field, FIELD_WAYS),
};
static PROC_DIRECTORY(cache_directory, cache_entries);

static const struct proc_entry cache_entry = {
	.mode = LINUX_S_IFDIR | 0755, .directory = &cache_directory};

static int caches_lookup(struct inode *directory, const char *name, struct inode **out)
{
	int number = sys_parse_numbered(name, "index", cache_count());

	if (number < 0)
		return -ENOENT;
	return proc_inode_new(directory->sb, proc_child_ino(directory, name), &cache_entry, NULL,
		false, proc_node_of(directory)->number | number << SYS_CACHE_SHIFT, out);
}

static int caches_iterate(struct file *file, struct dir_context *context)
{
	return sys_iterate_numbered(file, context, "index", cache_count(), LINUX_DT_DIR);
}

const struct proc_directory sys_caches_directory = {
	.lookup = caches_lookup, .iterate = caches_iterate};
