/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces as files (namespaces(7)): what opening /proc/PID/ns/NAME gives, and what setns(2)
 * takes. */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file;
struct path;
struct task;

/* The kinds, as their LINUX_CLONE_NEW flag says. */
struct nsfs_kind {
	const char *name; /* of the file in /proc/PID/ns */
	uint64_t flag;
	bool for_children;
};
extern const struct nsfs_kind nsfs_kinds[];
extern const size_t nsfs_kind_count;

/* The inode number of a task's namespace of a kind, for "uts:[4026531838]". 0: the task has none
 * any more. */
uint64_t nsfs_inode(struct task *task, const struct nsfs_kind *kind);
/* As a link in /proc/PID/ns reads, as snprintf(3). */
int nsfs_link_text(const struct nsfs_kind *kind, uint64_t number, char *buffer, size_t size);
/* A way to a task's namespace, or an open file, which keep it alive; references in *out. -ESRCH
 * when the task has ended, -ENOMEM. */
must_check int nsfs_path(struct task *task, const struct nsfs_kind *kind, struct path *out);
must_check int nsfs_open(struct task *task, const struct nsfs_kind *kind, struct file **out);

/* What such a file stands for: borrowed for as long as the file is held. NULL: another sort of
 * file. */
void *nsfs_namespace(struct file *file, uint64_t *flag);
