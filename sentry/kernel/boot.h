/* SPDX-License-Identifier: Apache-2.0 */
/* The first tasks of a sandbox: the reaping init (pid 1) and the first process, or the first
 * process as pid 1. */
#pragma once

#include "base/compiler.h"
#include "sentry/kernel/task.h"

#include <stdbool.h>

/* Once, first of all: the task set with its root pid namespace. */
must_check int task_set_init(void);

struct boot_config {
	struct platform *platform;
	const char *const *argv,
		*const *envp; /* valid until boot_start() returns; argv NULL: init alone */
	bool as_pid_1;
	const char *hostname, *domainname;
	const struct linux_rlimit64
		*limits; /* LINUX_RLIM_NLIMITS of them; NULL: what Linux starts with */
	bool console; /* there is a controlling terminal: the first process may be stopped from it
		       */
	/* References, consumed in any case. */
	struct cred *cred;
	struct fs_struct *fs;
	struct fd_table *files;
	struct mount_namespace *mount_ns;
	struct ipc_namespace *ipc_ns; /* may be NULL */
	struct net_namespace *net_ns; /* may be NULL */
	/* Runs on the first process's own thread, with current set, before its execve: the
	 * controlling terminal, say. May be NULL. */
	int (*prepare)(struct task *task, void *argument);
	/* The first process ended: wait(2)'s status. On a thread of the sentry; the other processes
	 * are being killed. */
	void (*first_exited)(void *argument, int status);
	/* The first process stopped with a signal, or goes on (signal 0). */
	void (*first_stopped)(void *argument, int signal);
	/* Nothing is left that runs guest code. */
	void (*all_ended)(void *argument);
	void *argument;
};

/* -ENOENT, -EACCES, -ENOEXEC...: the program could not be run (*exec_failed is true then), or
 * nothing could. */
must_check int boot_start(const struct boot_config *config, bool *exec_failed);
/* The first process, with a reference, or NULL when it is gone. */
struct thread_group *boot_first_process(void);
/* The sandbox's init, which runs no guest code; borrowed. NULL with as_pid_1. */
struct task *boot_init_task(void);
bool boot_is_first(const struct thread_group *group);
/* Is it the one that init stands in for the caller's shell to? */
bool boot_is_first_process(const struct thread_group *group);
/* Kills everything, as the death of init does. Any thread. */
void boot_kill_all(void);

/* After all_ended: drops what is still held, so that leaks show. */
void boot_finish(void);

/* exit.c and group_stop.c tell. */
void boot_note_exit(struct thread_group *group, int status);
void boot_note_stop(struct thread_group *group, int signal);
void boot_note_task_started(void);
void boot_note_task_gone(void);
