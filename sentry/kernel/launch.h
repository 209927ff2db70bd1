/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks that no guest cloned: the init of the sandbox, first processes of containers, and what is
 * started in them from outside. In order: launch_task_new(), fill what it has (cred, fs, files,
 * nsproxy, next_state), launch_publish(), launch_start(); on the task's own thread launch_exec().
 */
#pragma once

#include "sentry/kernel/task.h"

struct pid_namespace;

/* One thread in a process of its own, nobody's child yet. limits: LINUX_RLIM_NLIMITS; NULL: Linux's
 * defaults. -ENOMEM. */
must_check int launch_task_new(
	const struct linux_rlimit64 *limits, const char *comm, struct task **out);
/*
 * Gives it numbers in ns and above, a parent (NULL: none), and a session of its own, or a place in
 * its parent's (job). The first in a namespace becomes its init. After an error the task is the
 * caller's, for task_abandon().
 */
must_check int launch_publish(
	struct task *task, struct task *parent, struct pid_namespace *ns, bool job);
/* Its host thread begins with task->next_state. -EAGAIN. */
must_check int launch_start(struct task *task);

/*
 * Own thread: runs argv[0], found as execvp(3) does by the PATH of envp, which is the new
 * environment. 0: the task goes on with task->next_state.
 */
must_check int launch_exec(struct task *task, const char *const *argv, const char *const *envp);
/* Own thread: could launch_exec() open it? Loads nothing. Errors as execve(2); -ENOEXEC is left to
 * be found there. */
must_check int launch_check(struct task *task, const char *const *argv, const char *const *envp);
