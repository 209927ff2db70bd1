/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/sys/vm and user (proc_sys_vm(5), proc_sys_user(5)). Nothing that can be set has an effect.
 */
#include "sentry/fs/proc/sysctl.h"

#include "sentry/fs/fanotify/fanotify.h"

#define ANY 0, INT32_MAX

static const struct proc_entry vm_entries[] = {
	SYSCTL_NUMBER("admin_reserve_kbytes", 8192, 0, INT64_MAX),
	SYSCTL_NUMBER("compaction_proactiveness", 20, 0, 100),
	SYSCTL_NUMBER("dirty_background_bytes", 0, 0, INT64_MAX),
	SYSCTL_NUMBER("dirty_background_ratio", 10, 0, 100),
	SYSCTL_NUMBER("dirty_bytes", 0, 0, INT64_MAX),
	SYSCTL_NUMBER("dirty_expire_centisecs", 3000, ANY),
	SYSCTL_NUMBER("dirty_ratio", 20, 0, 100),
	SYSCTL_NUMBER("dirty_writeback_centisecs", 500, ANY),
	SYSCTL_NUMBER("drop_caches", 0, 0, 4),
	SYSCTL_NUMBER("extfrag_threshold", 500, 0, 1000),
	SYSCTL_TEXT("hugetlb_shm_group", "0"),
	SYSCTL_NUMBER("laptop_mode", 0, ANY),
	SYSCTL_NUMBER("legacy_va_layout", 0, 0, 1),
	SYSCTL_TEXT("lowmem_reserve_ratio", "256\t256\t32\t0\t0"),
	SYSCTL_TEXT("max_map_count", "65530"),
	SYSCTL_NUMBER("min_free_kbytes", 45056, ANY),
	SYSCTL_TEXT("mmap_min_addr", "65536"),
	SYSCTL_TEXT("mmap_rnd_bits", "28"),
	SYSCTL_TEXT("mmap_rnd_compat_bits", "8"),
	SYSCTL_TEXT("nr_hugepages", "0"),
	SYSCTL_TEXT("nr_overcommit_hugepages", "0"),
	SYSCTL_TEXT("numa_stat", "1"),
	SYSCTL_NUMBER("oom_dump_tasks", 1, 0, 1),
	SYSCTL_NUMBER("oom_kill_allocating_task", 0, 0, 1),
	SYSCTL_NUMBER("overcommit_kbytes", 0, 0, INT64_MAX),
	SYSCTL_NUMBER("overcommit_memory", 0, 0, 2),
	SYSCTL_NUMBER("overcommit_ratio", 50, ANY),
	SYSCTL_NUMBER("page-cluster", 3, 0, 31),
	SYSCTL_NUMBER("panic_on_oom", 0, 0, 2),
	SYSCTL_NUMBER("percpu_pagelist_high_fraction", 0, ANY),
	SYSCTL_NUMBER("stat_interval", 1, ANY),
	SYSCTL_NUMBER("swappiness", 60, 0, 200),
	SYSCTL_NUMBER("unprivileged_userfaultfd", 0, 0, 1),
	SYSCTL_NUMBER("user_reserve_kbytes", 131072, 0, INT64_MAX),
	SYSCTL_NUMBER("vfs_cache_pressure", 100, ANY),
	SYSCTL_NUMBER("watermark_boost_factor", 15000, ANY),
	SYSCTL_NUMBER("watermark_scale_factor", 10, 1, 3000),
	SYSCTL_NUMBER("zone_reclaim_mode", 0, ANY),
};

const struct proc_directory sysctl_vm_directory = {
	.entries = vm_entries, .count = array_count(vm_entries)};

static const struct proc_entry user_entries[] = {
	SYSCTL_NUMBER("max_cgroup_namespaces", 96343, ANY),
	SYSCTL_NUMBER_AT("max_fanotify_groups", &g_fanotify_limits[FANOTIFY_USER_GROUPS]),
	SYSCTL_NUMBER_AT("max_fanotify_marks", &g_fanotify_limits[FANOTIFY_USER_MARKS]),
	SYSCTL_NUMBER("max_inotify_instances", 128, ANY),
	SYSCTL_NUMBER("max_inotify_watches", 65536, ANY),
	SYSCTL_NUMBER("max_ipc_namespaces", 96343, ANY),
	SYSCTL_NUMBER("max_mnt_namespaces", 96343, ANY),
	SYSCTL_NUMBER("max_net_namespaces", 96343, ANY),
	SYSCTL_NUMBER("max_pid_namespaces", 96343, ANY),
	SYSCTL_NUMBER("max_time_namespaces", 0, ANY),
	SYSCTL_NUMBER("max_user_namespaces", 65536, ANY),
	SYSCTL_NUMBER("max_uts_namespaces", 96343, ANY),
};

const struct proc_directory sysctl_user_directory = {
	.entries = user_entries, .count = array_count(user_entries)};
