/* SPDX-License-Identifier: Apache-2.0 */
/* What there is in /proc/PID, and in /proc/PID/task/TID. */
#include "sentry/fs/proc/task_files.h"

#include "abi/stat.h"
#include "sentry/kernel/user_namespace.h"

#define FILE_(mode_) .mode = LINUX_S_IFREG | (mode_)
#define DIRECTORY(name_, mode_, directory_)                                                        \
	{                                                                                          \
		.name = (name_), .mode = LINUX_S_IFDIR | (mode_), .directory = (directory_)        \
	}
#define LINK(name_, ops)                                                                           \
	{                                                                                          \
		.name = (name_), .mode = LINUX_S_IFLNK | 0777, .inode_ops = (ops)                  \
	}
#define SHOW(name_, mode_, show_)                                                                  \
	{                                                                                          \
		.name = (name_), FILE_(mode_), .show = (show_)                                     \
	}
#define STORE(name_, mode_, show_, store_)                                                         \
	{                                                                                          \
		.name = (name_), FILE_(mode_), .show = (show_), .store = (store_)                  \
	}
#define GUARDED(name_, mode_, show_, access_)                                                      \
	{                                                                                          \
		.name = (name_), FILE_(mode_), .show = (show_), .access = (access_)                \
	}
#define CONSTANT(name_, mode_, text)                                                               \
	{                                                                                          \
		.name = (name_), FILE_(mode_), .show = task_show_constant,                         \
		.data = (uintptr_t)(text)                                                          \
	}
#define MOUNTS(name_, mode_, format)                                                               \
	{                                                                                          \
		.name = (name_), FILE_(mode_), .show = task_show_mounts,                           \
		.inode_ops = &task_mounts_inode_operations,                                        \
		.file_ops = &task_mounts_file_operations, .data = (format)                         \
	}
#define MEMORY(name_, mode_, ops, access_)                                                         \
	{                                                                                          \
		.name = (name_), FILE_(mode_), .file_ops = (ops), .access = (access_)              \
	}
#define ID_MAP(name_, kind)                                                                        \
	{                                                                                          \
		.name = (name_), FILE_(0644), .show = task_show_id_map,                            \
		.store = task_store_id_map, .data = (kind)                                         \
	}
#define FD_DIRECTORY(name_, directory_, ops)                                                       \
	{                                                                                          \
		.name = (name_), .mode = LINUX_S_IFDIR | 0500, .directory = (directory_),          \
		.inode_ops = (ops)                                                                 \
	}

/* No page is ever merged with another's because they look alike. */
#define KSM_STAT                                                                                   \
	"ksm_rmap_items 0\nksm_zero_pages 0\nksm_merging_pages 0\nksm_process_profit 0\n"          \
	"ksm_merge_any: no\nksm_mergeable: no\n"

/*
 * Both directories are made of one table: the first entry is of threads alone, the last ones are of
 * processes alone.
 */
#define THREAD_ONLY  1
#define PROCESS_ONLY 7

static const struct proc_entry entries[] = {
	SHOW("children", 0444, task_show_children),

	FD_DIRECTORY("fd", &task_fd_directory, &task_fd_directory_operations),
	{.name = "fdinfo",
		.mode = LINUX_S_IFDIR | 0555,
		.directory = &task_fdinfo_directory,
		.inode_ops = &task_fdinfo_directory_operations},
	DIRECTORY("ns", 0511, &task_ns_directory),
	DIRECTORY("net", 0555, &network_directory),
	GUARDED("environ", 0400, task_show_environ, PROC_ACCESS_READ_MEMORY_AT_OPEN),
	GUARDED("auxv", 0400, task_show_auxv, PROC_ACCESS_READ_MEMORY_AT_OPEN),
	SHOW("status", 0444, task_show_status),
	GUARDED("personality", 0400, task_show_personality, PROC_ACCESS_ATTACH_AT_READ),
	SHOW("limits", 0444, task_show_limits),
	SHOW("sched", 0444, task_show_sched),
	STORE("comm", 0644, task_show_comm, task_store_comm),
	GUARDED("syscall", 0400, task_show_syscall, PROC_ACCESS_ATTACH_AT_READ),
	SHOW("cmdline", 0444, task_show_cmdline),
	SHOW("stat", 0444, task_show_stat),
	SHOW("statm", 0444, task_show_statm),
	GUARDED("maps", 0444, task_show_maps, PROC_ACCESS_READ_AT_OPEN),
	MEMORY("mem", 0600, &task_mem_file_operations, PROC_ACCESS_ATTACH_AT_OPEN),
	GUARDED("numa_maps", 0444, task_show_numa_maps, PROC_ACCESS_READ_AT_OPEN),
	LINK("cwd", &task_cwd_operations),
	LINK("root", &task_root_operations),
	LINK("exe", &task_exe_operations),
	MOUNTS("mounts", 0444, TASK_MOUNTS),
	MOUNTS("mountinfo", 0444, TASK_MOUNTINFO),
	STORE("clear_refs", 0200, NULL, task_store_clear_refs),
	GUARDED("smaps", 0444, task_show_smaps, PROC_ACCESS_READ_AT_OPEN),
	GUARDED("smaps_rollup", 0444, task_show_smaps_rollup, PROC_ACCESS_READ_MEMORY_AT_OPEN),
	MEMORY("pagemap", 0400, &task_pagemap_file_operations, PROC_ACCESS_READ_MEMORY_AT_OPEN),
	SHOW("wchan", 0444, task_show_wchan),
	GUARDED("stack", 0400, task_show_stack, PROC_ACCESS_ATTACH_AT_READ),
	SHOW("schedstat", 0444, task_show_schedstat),
	CONSTANT("cpuset", 0444, "/\n"),
	CONSTANT("cgroup", 0444, "0::/\n"),
	SHOW("oom_score", 0444, task_show_oom_score),
	STORE("oom_adj", 0644, task_show_oom_adj, task_store_oom_adj),
	STORE("oom_score_adj", 0644, task_show_oom_score_adj, task_store_oom_score_adj),
	{.name = "loginuid",
		FILE_(0644),
		.show = task_show_constant,
		.store = task_store_refused,
		.data = (uintptr_t) "4294967295"},
	CONSTANT("sessionid", 0444, "4294967295"),
	GUARDED("io", 0400, task_show_io, PROC_ACCESS_READ_AT_READ),
	ID_MAP("uid_map", USER_NAMESPACE_UID_MAP),
	ID_MAP("gid_map", USER_NAMESPACE_GID_MAP),
	SHOW("arch_status", 0444, task_show_arch_status),
	CONSTANT("ksm_merging_pages", 0400, "0\n"),
	CONSTANT("ksm_stat", 0400, KSM_STAT),
	STORE("projid_map", 0644, task_show_projid_map, task_store_refused),
	{.name = "setgroups",
		FILE_(0644),
		.show = task_show_setgroups,
		.store = task_store_setgroups,
		.access = PROC_ACCESS_ADMIN_TO_WRITE},

	{.name = "task",
		.mode = LINUX_S_IFDIR | 0555,
		.directory = &proc_thread_list_directory,
		.inode_ops = &proc_thread_list_operations},
	FD_DIRECTORY("map_files", &task_map_files_directory, &task_map_files_operations),
	MOUNTS("mountstats", 0400, TASK_MOUNTSTATS),
	STORE("coredump_filter", 0644, task_show_coredump_filter, task_store_coredump_filter),
	GUARDED("timers", 0444, task_show_timers, PROC_ACCESS_READ_AT_OPEN),
	STORE("timerslack_ns", 0666, task_show_timerslack_ns, task_store_timerslack_ns),
	STORE("timens_offsets", 0644, task_show_time_offsets, task_store_time_offsets),
};

static const struct proc_directory process_directory = {
	.entries = entries + THREAD_ONLY,
	.count = array_count(entries) - THREAD_ONLY,
};
static const struct proc_directory thread_directory = {
	.entries = entries,
	.count = array_count(entries) - PROCESS_ONLY,
};

const struct proc_entry proc_process_entry = {
	.mode = LINUX_S_IFDIR | 0555, .directory = &process_directory};
const struct proc_entry proc_thread_entry = {
	.mode = LINUX_S_IFDIR | 0555, .directory = &thread_directory};
