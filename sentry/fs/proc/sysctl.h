/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/sys: settings as files. Most are numbers that are kept and shown, and change nothing: the
 * sandbox has them for programs that look at them or insist on setting them.
 */
#pragma once

#include "sentry/fs/proc/proc_fs.h"

#include <stdatomic.h>

#include "abi/stat.h"

/* A number that may be set within bounds. */
struct sysctl_number {
	_Atomic int64_t value;
	int64_t least, most;
};

/* Nobody's capabilities count: what root may not write, nobody writes. */
extern const struct inode_operations sysctl_inode_operations;
int sysctl_show_number(const struct proc_context *context, struct text_writer *out);
int64_t sysctl_store_number(const struct proc_context *context, const char *text, size_t size);
int sysctl_show_text(const struct proc_context *context, struct text_writer *out);

#define SYSCTL_BASE(name_, mode_)                                                                  \
	.name = (name_), .mode = LINUX_S_IFREG | (mode_), .inode_ops = &sysctl_inode_operations
#define SYSCTL_FILE(name_, mode_, show_, store_)                                                   \
	{                                                                                          \
		SYSCTL_BASE(name_, mode_), .show = (show_), .store = (store_)                      \
	}
/* A number that root may change, with its bounds. */
#define SYSCTL_NUMBER(name_, value_, ...)                                                          \
	{                                                                                          \
		SYSCTL_BASE(name_, 0644), .show = sysctl_show_number,                              \
					  .store = sysctl_store_number,                            \
					  .data = (uintptr_t)(struct sysctl_number[])              \
		{                                                                                  \
			{                                                                          \
				(value_), __VA_ARGS__                                              \
			}                                                                          \
		}                                                                                  \
	}
/* The same, kept by who heeds it: a struct sysctl_number. */
#define SYSCTL_NUMBER_AT(name_, number_)                                                           \
	{                                                                                          \
		SYSCTL_BASE(name_, 0644), .show = sysctl_show_number,                              \
					  .store = sysctl_store_number,                            \
					  .data = (uintptr_t)(number_)                             \
	}
/* A range: two numbers, each within the bounds. */
int sysctl_show_pair(const struct proc_context *context, struct text_writer *out);
int64_t sysctl_store_pair(const struct proc_context *context, const char *text, size_t size);
#define SYSCTL_PAIR(name_, first_, second_, ...)                                                   \
	{                                                                                          \
		SYSCTL_BASE(name_, 0644), .show = sysctl_show_pair, .store = sysctl_store_pair,    \
					  .data = (uintptr_t)(struct sysctl_number[])              \
		{                                                                                  \
			{(first_), __VA_ARGS__},                                                   \
			{                                                                          \
				(second_), __VA_ARGS__                                             \
			}                                                                          \
		}                                                                                  \
	}
/* The same, kept by who heeds it: two struct sysctl_number. */
#define SYSCTL_PAIR_AT(name_, numbers_, store_)                                                    \
	{                                                                                          \
		SYSCTL_BASE(name_, 0644), .show = sysctl_show_pair, .store = (store_),             \
					  .data = (uintptr_t)(numbers_)                            \
	}
/* What is as it is. */
#define SYSCTL_TEXT(name_, text_)                                                                  \
	{                                                                                          \
		SYSCTL_BASE(name_, 0444), .show = sysctl_show_text,                                \
					  .data = (uintptr_t)(text_ "\n")                          \
	}
#define SYSCTL_DIRECTORY(name_, directory_)                                                        \
	{                                                                                          \
		.name = (name_), .mode = LINUX_S_IFDIR | 0555, .directory = (directory_)           \
	}

/* sysctl_kernel.c, sysctl_vm.c, sysctl_fs.c, sysctl_net.c */
/* sysctl_ipc.c: of the caller's ipc namespace. data: an enum ipc_limit. */
int sysctl_show_ipc(const struct proc_context *context, struct text_writer *out);
int64_t sysctl_store_ipc(const struct proc_context *context, const char *text, size_t size);
int sysctl_show_semaphores(const struct proc_context *context, struct text_writer *out);
int64_t sysctl_store_semaphores(const struct proc_context *context, const char *text, size_t size);
#define SYSCTL_IPC(name_, limit_)                                                                  \
	{                                                                                          \
		SYSCTL_BASE(name_, 0644), .show = sysctl_show_ipc, .store = sysctl_store_ipc,      \
					  .data = (limit_)                                         \
	}

extern const struct proc_directory sysctl_kernel_directory, sysctl_vm_directory,
	sysctl_fs_directory, sysctl_net_directory, sysctl_user_directory;
