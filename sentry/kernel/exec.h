/* SPDX-License-Identifier: Apache-2.0 */
/*
 * execve(2) in three steps: exec_load() makes a complete new memory image without touching the old
 * one; task_exec() kills the sibling threads; task_state_exec() takes the leader's place and
 * switches over.
 */
#pragma once

#include "base/compiler.h"
#include "loader/loader.h"
#include "sentry/kernel/task.h"

#include <stdbool.h>
#include <stddef.h>

/* What to run: a name from a directory descriptor, as execveat(2). */
struct exec_request {
	int dirfd;
	const char *name;
	int flags; /* LINUX_AT_EMPTY_PATH, LINUX_AT_SYMLINK_NOFOLLOW */
	/* argv and envp; the loader adds to argv for a script. The caller frees. */
	struct loader_arguments *arguments;
};

/* Made by exec_load(), used up by the switch. */
struct exec_image {
	struct mm *mm;
	struct cred *cred;	 /* after set-user-ID and capabilities */
	struct nsproxy *nsproxy; /* in another time namespace, or NULL: the task's own stays */
	bool secure;		 /* AT_SECURE */
	bool unreadable;	 /* the caller may not read the file: not dumpable */
	bool fatal; /* cannot run, but the old program must go: SIGSEGV after the switch */
	uint64_t entry, stack_pointer;
	char comm[16];
};
/*
 * Task's own thread; RANK_CRED_GUARD is held by the caller. -ENOENT, -EACCES, -ENOEXEC, -ETXTBSY,
 * -E2BIG, -ENOMEM, -ELOOP... The new memory has no place on the platform yet unless it took the old
 * one's (take_over).
 */
must_check int exec_load(
	struct task *task, const struct exec_request *request, struct exec_image **out);
void exec_image_free(struct exec_image *image);

/* The whole call: loads, then sets the task's next state. 0, or an error with nothing changed. Own
 * thread. */
must_check int64_t task_exec(struct task *task, const struct exec_request *request);
