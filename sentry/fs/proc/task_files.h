/* SPDX-License-Identifier: Apache-2.0 */
/* The generators and writers of /proc/PID, for the table in task_table.c. */
#pragma once

#include "sentry/fs/proc/proc_fs.h"

#define TASK_SHOW(name)                                                                            \
	int task_show_##name(const struct proc_context *context, struct text_writer *out)
#define TASK_STORE(name)                                                                           \
	int64_t task_store_##name(const struct proc_context *context, const char *text, size_t size)

/* task_stat.c */
must_check TASK_SHOW(stat);
must_check TASK_SHOW(statm);
must_check TASK_SHOW(schedstat);
must_check TASK_SHOW(sched);
must_check TASK_SHOW(io);
must_check TASK_SHOW(wchan);
must_check TASK_SHOW(stack);
must_check TASK_SHOW(personality);
must_check TASK_SHOW(syscall);
must_check TASK_SHOW(arch_status);
/* task_status.c */
must_check TASK_SHOW(status);
/* task_maps.c */
must_check TASK_SHOW(maps);
must_check TASK_SHOW(smaps);
must_check TASK_SHOW(smaps_rollup);
must_check TASK_SHOW(numa_maps);
/* task_memory.c */
must_check TASK_SHOW(cmdline);
must_check TASK_SHOW(environ);
must_check TASK_SHOW(auxv);
must_check TASK_STORE(clear_refs);
extern const struct file_operations task_mem_file_operations, task_pagemap_file_operations;
/* task_settings.c */
must_check TASK_SHOW(comm);
must_check TASK_STORE(comm);
must_check TASK_SHOW(oom_score);
must_check TASK_SHOW(oom_adj);
must_check TASK_STORE(oom_adj);
must_check TASK_SHOW(oom_score_adj);
must_check TASK_STORE(oom_score_adj);
must_check TASK_SHOW(limits);
must_check TASK_SHOW(coredump_filter);
must_check TASK_STORE(coredump_filter);
must_check TASK_SHOW(timerslack_ns);
must_check TASK_STORE(timerslack_ns);
must_check TASK_SHOW(timers);
must_check TASK_SHOW(children);
must_check TASK_SHOW(constant); /* entry->data: the text */
must_check TASK_STORE(refused);
/* task_user_namespace.c */
must_check TASK_SHOW(id_map);
must_check TASK_STORE(id_map);
must_check TASK_SHOW(projid_map);
must_check TASK_SHOW(setgroups);
must_check TASK_STORE(setgroups);
must_check TASK_SHOW(time_offsets);
must_check TASK_STORE(time_offsets);
/* task_mounts.c */
must_check TASK_SHOW(mounts); /* entry->data: enum task_mounts_format */
extern const struct file_operations task_mounts_file_operations;
extern const struct inode_operations task_mounts_inode_operations;
enum task_mounts_format { TASK_MOUNTS, TASK_MOUNTINFO, TASK_MOUNTSTATS };
/* task_links.c */
extern const struct inode_operations task_exe_operations, task_cwd_operations, task_root_operations;
/* task_fd.c */
extern const struct proc_directory task_fd_directory, task_fdinfo_directory;
extern const struct inode_operations task_fd_directory_operations,
	task_fdinfo_directory_operations;
/* Also for a process that gave its rights up, to its own. */
must_check int task_fd_permission(struct inode *inode, const struct cred *cred, unsigned int mask);
/* task_map_files.c */
extern const struct proc_directory task_map_files_directory;
extern const struct inode_operations task_map_files_operations;
/* task_namespaces.c */
extern const struct proc_directory task_ns_directory;
/* network_files.c */
extern const struct proc_directory network_directory;
