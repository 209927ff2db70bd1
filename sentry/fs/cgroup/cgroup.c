/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup2: the one cgroup that a process sees, its container's, as from within a cgroup namespace.
 *
 * Differs from Linux: no cgroup can be made and nothing written, and files tell of the container of
 * who reads them. memory.current is what processes have for themselves, in the first container of a
 * sandbox all of its memory.
 */
#include "sentry/fs/cgroup/cgroup.h"

#include "abi/stat.h"
#include "abi/statfs.h"
#include "sentry/fs/proc/proc_fs.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/scheduling.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/super_block.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOT_INODE 1

static struct container *container_of_reader(void)
{
	return current ? current->group->container : NULL;
}

static int show_text(const struct proc_context *context, struct text_writer *out)
{
	text_printf(out, "%s", (const char *)context->entry->data);
	return 0;
}

/* --- who --- */

static int show_processes(const struct proc_context *context, struct text_writer *out)
{
	struct container *container = container_of_reader();
	struct pid_number *entry;

	if (!current)
		return -ESRCH;
	mutex_guard(&g_tasks.lock);
	for (entry = pid_number_next_locked(g_tasks.root_pid_ns, 1); entry;
		entry = pid_number_next_locked(g_tasks.root_pid_ns, entry->number + 1)) {
		const struct thread_group *group = entry->pid->group;
		int number;

		if (!group || group->container != container || !group->task_count)
			continue;
		number = pid_number_in(entry->pid, task_pid_namespace(current));
		if (number)
			text_printf(out, "%d\n", number);
	}
	return 0;
}

/* --- how much --- */

static void put_limit(struct text_writer *out, uint64_t limit)
{
	if (limit)
		text_printf(out, "%llu\n", (unsigned long long)limit);
	else
		text_printf(out, "max\n");
}

static int show_memory_max(const struct proc_context *context, struct text_writer *out)
{
	struct container_limits limits;

	container_get_limits(container_of_reader(), &limits);
	put_limit(out, limits.memory);
	return 0;
}

static int show_pids_max(const struct proc_context *context, struct text_writer *out)
{
	struct container_limits limits;

	container_get_limits(container_of_reader(), &limits);
	put_limit(out, limits.tasks);
	return 0;
}

static int show_cpu_max(const struct proc_context *context, struct text_writer *out)
{
	struct container_limits limits;

	container_get_limits(container_of_reader(), &limits);
	if (limits.cpu_quota_us)
		text_printf(out, "%llu", (unsigned long long)limits.cpu_quota_us);
	else
		text_printf(out, "max");
	text_printf(out, " %llu\n", (unsigned long long)limits.cpu_period_us);
	return 0;
}

static int show_memory_current(const struct proc_context *context, struct text_writer *out)
{
	struct container_usage usage;

	container_usage(container_of_reader(), &usage);
	text_printf(out, "%llu\n", (unsigned long long)usage.memory);
	return 0;
}

static int show_memory_events(const struct proc_context *context, struct text_writer *out)
{
	struct container_usage usage;

	container_usage(container_of_reader(), &usage);
	text_printf(out, "low 0\nhigh 0\nmax %llu\noom %llu\noom_kill %llu\noom_group_kill 0\n",
		(unsigned long long)usage.memory_kills, (unsigned long long)usage.memory_kills,
		(unsigned long long)usage.memory_kills);
	return 0;
}

static int show_memory_stat(const struct proc_context *context, struct text_writer *out)
{
	struct container_usage usage;

	container_usage(container_of_reader(), &usage);
	text_printf(out, "anon %llu\nfile 0\nkernel 0\nshmem 0\ninactive_file 0\nactive_file 0\n",
		(unsigned long long)usage.memory);
	return 0;
}

static int show_pids_current(const struct proc_context *context, struct text_writer *out)
{
	struct container_usage usage;

	container_usage(container_of_reader(), &usage);
	text_printf(out, "%llu\n", (unsigned long long)usage.threads);
	return 0;
}

static int show_cpu_stat(const struct proc_context *context, struct text_writer *out)
{
	struct container_usage usage;

	container_usage(container_of_reader(), &usage);
	text_printf(out,
		"usage_usec %llu\nuser_usec %llu\nsystem_usec %llu\nnr_periods 0\nnr_throttled "
		"0\nthrottled_usec 0\n",
		(unsigned long long)((usage.user_ns + usage.system_ns) / 1000),
		(unsigned long long)(usage.user_ns / 1000),
		(unsigned long long)(usage.system_ns / 1000));
	return 0;
}

static int show_processors(const struct proc_context *context, struct text_writer *out)
{
	int count = scheduling_processors();

	if (count > 1)
		text_printf(out, "0-%d\n", count - 1);
	else
		text_printf(out, "0\n");
	return 0;
}

/* --- the tree --- */

#define SHOW(name_, show_)                                                                         \
	{                                                                                          \
		.name = (name_), .mode = LINUX_S_IFREG | 0444, .show = (show_)                     \
	}
#define TEXT(name_, text_)                                                                         \
	{                                                                                          \
		.name = (name_), .mode = LINUX_S_IFREG | 0444, .show = show_text,                  \
		.data = (uintptr_t)(text_ "\n")                                                    \
	}

static const struct proc_entry root_entries[] = {
	TEXT("cgroup.controllers", "cpuset cpu memory pids"),
	TEXT("cgroup.events", "populated 1\nfrozen 0"),
	TEXT("cgroup.freeze", "0"),
	TEXT("cgroup.max.depth", "0"),
	TEXT("cgroup.max.descendants", "0"),
	SHOW("cgroup.procs", show_processes),
	TEXT("cgroup.stat", "nr_descendants 0\nnr_dying_descendants 0"),
	TEXT("cgroup.subtree_control", ""),
	TEXT("cgroup.type", "domain"),
	SHOW("cpu.max", show_cpu_max),
	SHOW("cpu.stat", show_cpu_stat),
	TEXT("cpu.weight", "100"),
	TEXT("cpuset.cpus", ""),
	SHOW("cpuset.cpus.effective", show_processors),
	TEXT("cpuset.mems", ""),
	TEXT("cpuset.mems.effective", "0"),
	SHOW("memory.current", show_memory_current),
	SHOW("memory.events", show_memory_events),
	TEXT("memory.high", "max"),
	TEXT("memory.low", "0"),
	SHOW("memory.max", show_memory_max),
	TEXT("memory.min", "0"),
	SHOW("memory.stat", show_memory_stat),
	TEXT("memory.swap.current", "0"),
	TEXT("memory.swap.max", "0"),
	SHOW("pids.current", show_pids_current),
	SHOW("pids.max", show_pids_max),
};
static PROC_DIRECTORY(root_directory, root_entries);

static const struct proc_entry root_entry = {
	.name = "/", .mode = LINUX_S_IFDIR | 0555, .directory = &root_directory};

/* --- mounts --- */

static void cgroup_super_release(struct super_block *sb)
{
	free(sb->private);
}

static int cgroup_statfs(struct super_block *sb, struct linux_statfs *out)
{
	*out = (struct linux_statfs){
		.f_type = LINUX_CGROUP2_SUPER_MAGIC,
		.f_bsize = PAGE_SIZE,
		.f_frsize = PAGE_SIZE,
		.f_namelen = 255,
	};
	return 0;
}

static const struct super_operations cgroup_super_operations = {
	.inode_release = proc_inode_release,
	.super_release = cgroup_super_release,
	.statfs = cgroup_statfs,
};

static int cgroup_fill(struct super_block *sb)
{
	struct proc_super *super = calloc(1, sizeof(*super));
	struct inode *root;
	int error;

	if (!super)
		return -ENOMEM;
	super->block_size = PAGE_SIZE;
	sb->private = super;
	sb->no_name_cache = sb->no_negative_cache = sb->inodes_are_fleeting = true;
	error = proc_inode_new(sb, ROOT_INODE, &root_entry, NULL, false, 0, &root);
	return error ? error : super_block_set_root(sb, root);
}

static int cgroup_mount(const struct file_system_type *type, const char *source,
	unsigned long flags, const char *options, struct super_block **out)
{
	struct super_block *sb;
	int error = super_block_new(type, &cgroup_super_operations, LINUX_CGROUP2_SUPER_MAGIC, &sb);

	if (error)
		return error;
	error = cgroup_fill(sb);
	if (error)
		super_block_put(sb);
	else
		*out = sb;
	return error;
}

static const struct file_system_type cgroup_type = {
	.name = "cgroup2",
	.needs_no_device = true,
	.mount = cgroup_mount,
};

void cgroup_register(void)
{
	file_system_register(&cgroup_type);
}
