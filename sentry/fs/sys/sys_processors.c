/* SPDX-License-Identifier: Apache-2.0 */
/* /sys/devices/system/cpu and node: as many processors as the sandbox has, each a core of one
 * package on one node. */
#include "sentry/fs/sys/sys_tree.h"

#include "abi/dirent.h"
#include "sentry/fs/proc/processor_list.h"
#include "sentry/fs/proc/root_files.h"
#include "sentry/kernel/scheduling.h"

#include <errno.h>
#include <stdio.h>

/* --- sets --- */

enum set_kind { SET_ALL, SET_OWN };

static void get_set(const struct proc_context *context, cpu_set_t *set)
{
	if (context->entry->data == SET_ALL) {
		scheduling_all_processors(set);
	} else {
		CPU_ZERO(set);
		CPU_SET(context->number, set);
	}
}

static int show_list(const struct proc_context *context, struct text_writer *out)
{
	cpu_set_t set;

	get_set(context, &set);
	processor_set_show_list(&set, out);
	text_append(out, "\n", 1);
	return 0;
}

static int show_mask(const struct proc_context *context, struct text_writer *out)
{
	cpu_set_t set;

	get_set(context, &set);
	processor_set_show_mask(&set, out);
	text_append(out, "\n", 1);
	return 0;
}

/* --- cpuN --- */

static int show_core(const struct proc_context *context, struct text_writer *out)
{
	text_printf(out, "%d\n", context->number);
	return 0;
}

static const struct proc_entry topology_entries[] = {
	SYS_SHOW_DATA("cluster_cpus", show_mask, SET_OWN),
	SYS_SHOW_DATA("cluster_cpus_list", show_list, SET_OWN),
	SYS_SHOW("cluster_id", show_core),
	SYS_SHOW_DATA("core_cpus", show_mask, SET_OWN),
	SYS_SHOW_DATA("core_cpus_list", show_list, SET_OWN),
	SYS_SHOW("core_id", show_core),
	SYS_SHOW_DATA("core_siblings", show_mask, SET_ALL),
	SYS_SHOW_DATA("core_siblings_list", show_list, SET_ALL),
	SYS_SHOW_DATA("die_cpus", show_mask, SET_ALL),
	SYS_SHOW_DATA("die_cpus_list", show_list, SET_ALL),
	SYS_TEXT("die_id", "0"),
	SYS_SHOW_DATA("package_cpus", show_mask, SET_ALL),
	SYS_SHOW_DATA("package_cpus_list", show_list, SET_ALL),
	SYS_TEXT("physical_package_id", "0"),
	SYS_SHOW_DATA("thread_siblings", show_mask, SET_OWN),
	SYS_SHOW_DATA("thread_siblings_list", show_list, SET_OWN),
};
static PROC_DIRECTORY(topology_directory, topology_entries);

static const struct proc_entry processor_entries[] = {
	SYS_DIRECTORY("cache", &sys_caches_directory),
	SYS_LINK("node0", "../../node/node0"),
	SYS_DIRECTORY("topology", &topology_directory),
	SYS_TEXT("uevent", ""),
};
static PROC_DIRECTORY(processor_directory, processor_entries);

static const struct proc_entry processor_entry = {
	.mode = LINUX_S_IFDIR | 0755, .directory = &processor_directory};

static int processors_lookup(struct inode *directory, const char *name, struct inode **out)
{
	int number = sys_parse_numbered(name, "cpu", scheduling_processors());

	if (number < 0)
		return -ENOENT;
	return proc_inode_new(directory->sb, proc_child_ino(directory, name), &processor_entry,
		NULL, false, number, out);
}

static int processors_iterate(struct file *file, struct dir_context *context)
{
	return sys_iterate_numbered(file, context, "cpu", scheduling_processors(), LINUX_DT_DIR);
}

static const struct proc_entry smt_entries[] = {
	SYS_TEXT("active", "0"),
	SYS_TEXT("control", "notsupported"),
};
static PROC_DIRECTORY(smt_directory, smt_entries);

static const struct proc_entry processors_entries[] = {
	SYS_SHOW_DATA("enabled", show_list, SET_ALL),
	SYS_TEXT("isolated", ""),
	SYS_TEXT("kernel_max", "1023"),
	SYS_TEXT("offline", ""),
	SYS_SHOW_DATA("online", show_list, SET_ALL),
	SYS_SHOW_DATA("possible", show_list, SET_ALL),
	SYS_SHOW_DATA("present", show_list, SET_ALL),
	SYS_DIRECTORY("smt", &smt_directory),
};

const struct proc_directory sys_processors_directory = {
	.entries = processors_entries,
	.count = array_count(processors_entries),
	.lookup = processors_lookup,
	.iterate = processors_iterate,
};

/* --- node0 --- */

static int show_meminfo(const struct proc_context *context, struct text_writer *out)
{
	struct memory_amounts now;

	memory_amounts_get(&now);
	text_printf(out,
		"Node 0 MemTotal:       %8lu kB\nNode 0 MemFree:        %8lu kB\nNode 0 MemUsed:   "
		"     %8lu kB\n",
		now.total >> 10, now.free >> 10, (now.total - min_u64(now.total, now.free)) >> 10);
	text_printf(out,
		"Node 0 SwapCached:            0 kB\nNode 0 FilePages:      %8lu kB\nNode 0 Shmem: "
		"         %8lu kB\n",
		now.buffers >> 10, now.shared >> 10);
	text_printf(out, "Node 0 HugePages_Total:     0\nNode 0 HugePages_Free:      0\nNode 0 "
			 "HugePages_Surp:      0\n");
	return 0;
}

static const struct proc_entry node_entries[] = {
	SYS_SHOW_DATA("cpulist", show_list, SET_ALL),
	SYS_SHOW_DATA("cpumap", show_mask, SET_ALL),
	SYS_TEXT("distance", "10"),
	SYS_SHOW("meminfo", show_meminfo),
	SYS_TEXT("numastat", "numa_hit 0\nnuma_miss 0\nnuma_foreign 0\ninterleave_hit "
			     "0\nlocal_node 0\nother_node 0"),
};

static int64_t processor_readlink(struct inode *inode, char *buffer, size_t size)
{
	return snprintf(buffer, size, "../../cpu/cpu%d", proc_node_of(inode)->number);
}

static const struct inode_operations processor_link_operations = {
	.readlink = processor_readlink,
	.setattr = proc_setattr,
};

static const struct proc_entry processor_link_entry = {
	.mode = LINUX_S_IFLNK | 0777, .inode_ops = &processor_link_operations};

static int node_lookup(struct inode *directory, const char *name, struct inode **out)
{
	int number = sys_parse_numbered(name, "cpu", scheduling_processors());

	if (number < 0)
		return -ENOENT;
	return proc_inode_new(directory->sb, proc_child_ino(directory, name), &processor_link_entry,
		NULL, false, number, out);
}

static int node_iterate(struct file *file, struct dir_context *context)
{
	return sys_iterate_numbered(file, context, "cpu", scheduling_processors(), LINUX_DT_LNK);
}

static const struct proc_directory node_directory = {
	.entries = node_entries,
	.count = array_count(node_entries),
	.lookup = node_lookup,
	.iterate = node_iterate,
};

static const struct proc_entry nodes_entries[] = {
	SYS_TEXT("has_cpu", "0"),
	SYS_TEXT("has_memory", "0"),
	SYS_TEXT("has_normal_memory", "0"),
	SYS_DIRECTORY("node0", &node_directory),
	SYS_TEXT("online", "0"),
	SYS_TEXT("possible", "0"),
};

const struct proc_directory sys_nodes_directory = {
	.entries = nodes_entries, .count = array_count(nodes_entries)};
