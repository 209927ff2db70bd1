/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers: several groups of processes in one sandbox, each with a root, namespaces and a life
 * of its own.
 *
 * A container is made from a container_config on a thread of the sentry's own; its first process is
 * set up on the process's own thread, waits if it is told to, and then runs its program. Further
 * processes are started in it the same way. Every process that one of them forks belongs to the
 * container as well.
 *
 * What a config points to belongs to the caller and must stay until the process that it describes
 * has ended; its descriptors belong to the kernel from the call on.
 */
#pragma once

#include "abi/resource.h"
#include "base/compiler.h"
#include "sentry/kernel/kernel.h"
#include "sentry/time/time_namespace.h"

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct container;
struct container_process;
struct linux_sock_filter;
struct task;
struct thread_group;

struct process_capabilities {
	uint64_t bounding, effective, inheritable, permitted, ambient;
};

struct process_config {
	const char *const *argv, *const *envp; /* NULL-terminated */
	const char *working_directory;	       /* absolute, inside */
	uint32_t uid, gid, umask;
	const uint32_t *groups;
	size_t group_count;
	struct process_capabilities capabilities;
	bool no_new_privileges;
	const struct linux_rlimit64 *limits; /* LINUX_RLIM_NLIMITS */
	int oom_score_adj, nice, ioprio;
	uint32_t personality, policy, priority; /* LINUX_SCHED_* */
	const cpu_set_t *processors; /* that it may run on, NULL: all; not for the first one */
	/* Guest descriptors 0..stdio_count-1; -1: closed. With a terminal the first three are its.
	 */
	const int *stdio;
	size_t stdio_count;
	bool has_terminal;
	struct sandbox_console console;
	/* The process's own filter; count 0: none. */
	const struct linux_sock_filter *seccomp;
	size_t seccomp_count;
	bool seccomp_log;
};

struct sysctl_setting {
	const char *name; /* as below /proc/sys, with / or . between its parts */
	const char *value;
};

/* What a container may have, of what the sandbox may; 0: no limit of its own. */
struct container_limits {
	uint64_t memory, tasks;
	/* Told to who asks inside; the host sees to it. */
	uint64_t cpu_quota_us, cpu_period_us;
};

struct container_config {
	const char *id, *hostname, *domainname; /* NULL: as the sandbox's */
	/* NULL: of its own where new_ says so, else the sandbox's. */
	struct container *share_pid, *share_ipc, *share_uts, *share_net;
	bool new_pid, new_ipc, new_uts, new_net, new_time, new_cgroup;
	struct time_offsets time_offsets;   /* of a new time namespace */
	const struct sandbox_mount *mounts; /* the first is the root */
	size_t mount_count;
	const struct sysctl_setting *sysctls;
	size_t sysctl_count;
	unsigned int host_ids;
	struct container_limits limits;
};

/* What a failed call says: for a person, with the name of what it failed on. */
struct container_error {
	int error;	   /* negative errno */
	bool not_runnable; /* the program cannot be run: not found, no permission... */
	char message[400];
};

struct container_process_events {
	/* The process, and in a pid namespace of its own all others in it, ended. wait(2)'s status.
	 * On its own thread. */
	void (*exited)(void *argument, int status);
	void *argument;
};

/* Makes namespaces and a root, in which nothing runs yet. The container is one reference. */
must_check int container_new(const struct container_config *config, struct container **out,
	struct container_error *error);
struct container *container_get(struct container *container); /* NULL is fine */
void container_put(struct container *container);
const char *container_id(const struct container *container);
uint64_t container_key_domain(const struct container *container); /* sentry/keys/ */
/*
 * Starts a process in it; the first one is its init. park: returns when everything but the program
 * is set up and the program was found, and container_process_start() runs it. 0, or the error is
 * filled and there is no process.
 */
must_check int container_launch(struct container *container, const struct container_config *config,
	const struct process_config *process, const struct container_process_events *events,
	bool park, struct container_process **out, struct container_error *error);
/* Runs the program of a parked one. -EINVAL when that was done before, -ESRCH when it is gone. */
must_check int container_process_start(
	struct container_process *process, struct container_error *error);
/* The process's number in its own pid namespace; 0 when it is gone. */
int container_process_number(struct container_process *process);
/* -ESRCH when it has ended, -EINVAL for a number that is no signal. */
must_check int container_process_signal(struct container_process *process, int signal);
void container_process_resize(struct container_process *process, uint16_t rows, uint16_t columns);
/* Lets go of it; it must have ended, or be about to. Its terminal is drained and closed. */
void container_process_free(struct container_process *process);

/* To each process of the container. */
void container_signal_all(struct container *container, int signal);
/* Keeps all its tasks from running (but from being killed), or lets them go on. */
void container_pause(struct container *container, bool paused);
bool container_is_paused(const struct container *container);
/* Kills what is left of it and lets go of its namespaces and root. */
void container_end(struct container *container);

/* From now on, as in the config. */
void container_set_limits(struct container *container, const struct container_limits *limits);
/* What holds for it, the sandbox's limits with its own; NULL: for what is in no container. */
void container_get_limits(struct container *container, struct container_limits *limits);
/* Was its first process killed because memory was at its end? */
bool container_ran_out_of_memory(const struct container *container);

struct container_process_info {
	int pid, parent; /* as its own pid namespace has them */
	uint32_t uid;
	char state; /* of /proc/PID/stat */
	uint64_t cpu_ns;
	int64_t start_ns; /* CLOCK_BOOTTIME */
	char command[64];
};
/* Fills up to count of them; returns how many there are. */
size_t container_list(
	struct container *container, struct container_process_info *infos, size_t count);

struct container_usage {
	uint64_t user_ns, system_ns; /* with those that ended */
	uint64_t processes, threads;
	uint64_t memory; /* bytes: its processes' own; of the first container, the sandbox's */
	uint64_t memory_kills; /* since it began */
};
/* NULL: of what is in no container. */
void container_usage(struct container *container, struct container_usage *usage);

/* --- for the rest of the kernel --- */

/* boot.c: a process of a container ended. No lock held. */
void container_note_exit(struct thread_group *group, int status);
/* oom_kill.c: a process of a container was chosen. */
void container_note_out_of_memory(struct thread_group *group);
/* clone.c, RANK_TASK_SET held: -EAGAIN when the parent's container has all the tasks that it may.
 */
must_check int container_admit_task_locked(struct task *parent);
/* Task's own thread, on its way to guest code: waits while the container is paused. */
void container_pause_point(struct task *task);
/* At the end of everything: frees what nobody asked to be freed. */
void containers_shutdown(void);
