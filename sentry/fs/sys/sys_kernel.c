/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /sys/kernel and /sys/fs. In /sys/fs/cgroup is what language runtimes read to learn the limits of
 * the cgroup "/" that every process is said to be in; it is part of sysfs, not a cgroup2 mount.
 */
#include "sentry/fs/sys/sys_tree.h"

#include "sentry/kernel/accounting.h"
#include "sentry/kernel/limits.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/memory_file.h"
#include "sentry/mm/memory_held.h"

/* --- cgroup --- */

static int show_memory_max(const struct proc_context *context, struct text_writer *out)
{
	struct memory_file_usage usage;

	memory_file_usage(&usage);
	if (usage.limit)
		text_printf(out, "%lu\n", usage.limit);
	else
		text_printf(out, "max\n");
	return 0;
}

static int show_memory_current(const struct proc_context *context, struct text_writer *out)
{
	struct memory_file_usage usage;

	memory_file_usage(&usage);
	text_printf(out, "%lu\n", usage.resident + memory_held_elsewhere());
	return 0;
}

static int show_memory_peak(const struct proc_context *context, struct text_writer *out)
{
	struct memory_file_usage usage;

	memory_file_usage(&usage);
	text_printf(
		out, "%lu\n", g_accounting ? atomic_load(&g_accounting->memory_peak) : usage.peak);
	return 0;
}

static int show_memory_stat(const struct proc_context *context, struct text_writer *out)
{
	struct memory_file_usage usage;

	memory_file_usage(&usage);
	text_printf(out,
		"anon %lu\nfile 0\nkernel 0\nshmem 0\ninactive_anon 0\nactive_anon "
		"%lu\ninactive_file 0\n"
		"active_file 0\n",
		usage.resident, usage.resident);
	return 0;
}

static int show_memory_events(const struct proc_context *context, struct text_writer *out)
{
	uint64_t kills = g_accounting ? atomic_load(&g_accounting->memory_kills) : 0;

	text_printf(out, "low 0\nhigh 0\nmax %lu\noom %lu\noom_kill %lu\noom_group_kill 0\n", kills,
		kills, kills);
	return 0;
}

static int show_pids_current(const struct proc_context *context, struct text_writer *out)
{
	mutex_guard(&g_tasks.lock);
	text_printf(out, "%lu\n", limits_tasks_locked());
	return 0;
}

static int show_pids_max(const struct proc_context *context, struct text_writer *out)
{
	if (limits_get()->tasks)
		text_printf(out, "%lu\n", limits_get()->tasks);
	else
		text_printf(out, "max\n");
	return 0;
}

static int show_cpu_max(const struct proc_context *context, struct text_writer *out)
{
	if (limits_get()->cpu_milli)
		text_printf(out, "%lu 100000\n", limits_get()->cpu_milli * 100);
	else
		text_printf(out, "max 100000\n");
	return 0;
}

static const struct proc_entry cgroup_entries[] = {
	SYS_TEXT("cgroup.controllers", "cpuset cpu memory pids"),
	SYS_TEXT("cgroup.subtree_control", ""),
	SYS_TEXT("cgroup.type", "domain"),
	SYS_SHOW("cpu.max", show_cpu_max),
	SYS_TEXT("cpu.weight", "100"),
	SYS_SHOW("memory.current", show_memory_current),
	SYS_SHOW("memory.events", show_memory_events),
	SYS_TEXT("memory.high", "max"),
	SYS_TEXT("memory.low", "0"),
	SYS_SHOW("memory.max", show_memory_max),
	SYS_TEXT("memory.min", "0"),
	SYS_SHOW("memory.peak", show_memory_peak),
	SYS_SHOW("memory.stat", show_memory_stat),
	SYS_TEXT("memory.swap.current", "0"),
	SYS_TEXT("memory.swap.max", "0"),
	SYS_SHOW("pids.current", show_pids_current),
	SYS_SHOW("pids.max", show_pids_max),
};
static PROC_DIRECTORY(cgroup_directory, cgroup_entries);

static const struct proc_entry fuse_entries[] = {SYS_EMPTY("connections")};
static PROC_DIRECTORY(fuse_directory, fuse_entries);

static const struct proc_entry fs_entries[] = {
	SYS_EMPTY("bpf"),
	SYS_DIRECTORY("cgroup", &cgroup_directory),
	SYS_DIRECTORY("fuse", &fuse_directory),
	SYS_EMPTY("pstore"),
};

const struct proc_directory sys_fs_directory = {
	.entries = fs_entries, .count = array_count(fs_entries)};

/* --- kernel --- */

static const struct proc_entry thp_entries[] = {
	SYS_TEXT("defrag", "always defer defer+madvise madvise [never]"),
	SYS_TEXT("enabled", "always madvise [never]"),
	SYS_TEXT("hpage_pmd_size", "2097152"),
	SYS_TEXT("shmem_enabled", "always within_size advise [never] deny force"),
	SYS_TEXT("use_zero_page", "1"),
};
static PROC_DIRECTORY(thp_directory, thp_entries);

static const struct proc_entry huge_size_entries[] = {
	SYS_TEXT("free_hugepages", "0"),
	SYS_TEXT("nr_hugepages", "0"),
	SYS_TEXT("nr_hugepages_mempolicy", "0"),
	SYS_TEXT("nr_overcommit_hugepages", "0"),
	SYS_TEXT("resv_hugepages", "0"),
	SYS_TEXT("surplus_hugepages", "0"),
};
static PROC_DIRECTORY(huge_size_directory, huge_size_entries);

static const struct proc_entry hugepages_entries[] = {
	SYS_DIRECTORY("hugepages-2048kB", &huge_size_directory)};
static PROC_DIRECTORY(hugepages_directory, hugepages_entries);

static const struct proc_entry mm_entries[] = {
	SYS_DIRECTORY("hugepages", &hugepages_directory),
	SYS_DIRECTORY("transparent_hugepage", &thp_directory),
};
static PROC_DIRECTORY(mm_directory, mm_entries);

static const struct proc_entry kernel_entries[] = {
	SYS_TEXT("address_bits", "64"),
	SYS_TEXT("cpu_byteorder", "little"),
	SYS_EMPTY("debug"),
	SYS_TEXT("fscaps", "1"),
	SYS_DIRECTORY("mm", &mm_directory),
	SYS_TEXT("profiling", "0"),
	SYS_EMPTY("security"),
	SYS_EMPTY("tracing"),
	SYS_TEXT("uevent_seqnum", "0"),
};

const struct proc_directory sys_kernel_directory = {
	.entries = kernel_entries, .count = array_count(kernel_entries)};
