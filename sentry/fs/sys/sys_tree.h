/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of sysfs, made of the tables that proc is made of, and what is common to them. */
#pragma once

#include "abi/stat.h"
#include "sentry/fs/proc/proc_fs.h"

#define SYS_SHOW(name_, show_)                                                                     \
	{                                                                                          \
		.name = (name_), .mode = LINUX_S_IFREG | 0444, .show = (show_)                     \
	}
#define SYS_SHOW_DATA(name_, show_, data_)                                                         \
	{                                                                                          \
		.name = (name_), .mode = LINUX_S_IFREG | 0444, .show = (show_),                    \
		.data = (uintptr_t)(data_)                                                         \
	}
#define SYS_TEXT(name_, text_) SYS_SHOW_DATA(name_, sys_show_text, text_ "\n")
#define SYS_DIRECTORY(name_, directory_)                                                           \
	{                                                                                          \
		.name = (name_), .mode = LINUX_S_IFDIR | 0755, .directory = (directory_)           \
	}
#define SYS_LINK(name_, target_)                                                                   \
	{                                                                                          \
		.name = (name_), .mode = LINUX_S_IFLNK | 0777, .target = (target_)                 \
	}
#define SYS_EMPTY(name_) SYS_DIRECTORY(name_, &sys_empty_directory)

extern const struct proc_directory sys_empty_directory;
must_check int sys_show_text(const struct proc_context *context, struct text_writer *out);

/* The number in "cpu3" after its prefix; -1 for other names and for numbers not below count. */
int sys_parse_numbered(const char *name, const char *prefix, int count);
/* Lists prefix0 to prefix(count - 1). type: LINUX_DT_. */
int sys_iterate_numbered(struct file *file, struct dir_context *context, const char *prefix,
	int count, uint8_t type);

/* sys_processors.c */
extern const struct proc_directory sys_processors_directory, sys_nodes_directory;
/* sys_processor_caches.c; number: the processor, and in higher bits the cache's. */
extern const struct proc_directory sys_caches_directory;
#define SYS_CACHE_SHIFT 16
/* sys_devices.c */
extern const struct proc_directory sys_class_directory, sys_virtual_directory;
/* sys_kernel.c */
extern const struct proc_directory sys_kernel_directory, sys_fs_directory;
