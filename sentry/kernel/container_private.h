/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of containers share. */
#pragma once

#include "base/refcount.h"
#include "sentry/kernel/container.h"
#include "sentry/vfs/path.h"

#include <bsd/sys/queue.h>
#include <pthread.h>
#include <stdatomic.h>

struct inode;
struct nsproxy;
struct pid_namespace;
struct tty;

struct container {
	struct refcount refs;
	uint64_t key_domain; /* sentry/keys/; set once */
	char *id;	     /* set once */
	bool own_pid_ns;     /* set once, as the next */
	unsigned int host_ids;
	struct pid_namespace *pid_ns; /* a reference; set once */
	struct nsproxy *nsproxy;      /* a reference until container_end(); g_containers.lock */
	struct path root;	      /* likewise */
	struct thread_group *init;    /* a reference, once there was one; g_containers.lock */
	atomic_bool paused;
	atomic_bool out_of_memory; /* ended the init */
	_Atomic uint64_t dead_user_ns, dead_system_ns;
	_Atomic uint64_t memory_limit, tasks_limit; /* 0: none */
	_Atomic uint64_t cpu_quota_us, cpu_period_us, memory_kills;
	bool has_all_memory;	    /* the first one; set once */
	_Atomic int64_t look_ns;    /* when memory is looked at next */
	LIST_ENTRY(container) link; /* g_containers.lock */
};

enum process_stage { PROCESS_SETTING_UP, PROCESS_PARKED, PROCESS_RUNNING, PROCESS_FAILED };

struct container_process {
	struct container *container;	       /* a reference */
	struct thread_group *group;	       /* a reference */
	struct tty *tty;		       /* a reference, or NULL */
	const struct container_config *config; /* init only, until it is set up */
	const struct process_config *process;
	struct container_process_events events;
	bool is_init, park;
	atomic_bool go; /* a parked one may run */
	/* g_containers.lock, with the condition told of changes: */
	enum process_stage stage;
	bool ended;
	int status;
	struct container_error error; /* why it failed */
	LIST_ENTRY(container_process) link;
};

struct container_set {
	/* Of the sentry's own; held with no other lock but what its holder says. Taken by tasks
	 * only at their beginning and their end, for a moment. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	LIST_HEAD(, container) containers;
	LIST_HEAD(, container_process) processes;
};
extern struct container_set g_containers;

int container_fail(struct container_error *error, int code, const char *format, ...) format_(3, 4);

/* container_setup.c: on the first process's own thread, as root in its namespaces. */
must_check int container_set_up(struct container *container, const struct container_config *config,
	struct container_error *error);
/* container_limits.c, at the end of everything. */
void containers_stop_looking(void);
/* container_copy_up.c: what a directory has, into the empty one of a tmpfs. On a task's own thread.
 */
must_check int container_copy_up(const struct path *from, struct inode *to);
/* container_process.c's first state calls these: container_files.c */
must_check int container_open_files(
	struct container_process *process, struct container_error *error);
must_check int container_bind_console(
	struct container_process *process, struct container_error *error);
