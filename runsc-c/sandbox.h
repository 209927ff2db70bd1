/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sandbox from the command's side: a sentry process in namespaces of its own, and the channel to
 * it.
 */
#pragma once

#include "base/log.h"
#include "runsc-c/control.h"
#include "runsc-c/jail.h"
#include "sentry/kernel/kernel.h"
#include "sentry/trace/trace.h"

#include <sys/types.h>

/* A mount whose source the sentry opens itself, with what its user namespace allows. */
struct sandbox_source {
	const char *path; /* NULL: none */
	bool writable;
};

/*
 * What runs in the kernel instead of config's one program: containers. The functions are called in
 * the sentry's process, in this order, and the sentry outlives the command that made it.
 */
struct sentry_guest {
	unsigned long namespaces; /* clone(2)'s CLONE_NEW*: JAIL_NAMESPACES, or less where the
				     host's are to be seen */
	uint64_t capabilities;	  /* that the sentry keeps over its own files */
	const char *uids,
		*gids;	  /* lines for /proc/PID/uid_map; NULL: the caller's ids, one to one */
	bool become_root; /* the mapped one */
	const int *fds;	  /* that it needs; all others are closed */
	size_t fd_count;
	/* Before the jail closes. */
	int (*open)(void *argument, unsigned int host_ids, struct failure *failure);
	/* The kernel runs: all that can fail for the caller to hear. */
	int (*create)(void *argument, struct failure *failure);
	/* The caller knows. The status to exit with. */
	int (*serve)(void *argument);
	void *argument;
};

struct sandbox_launch {
	const struct sentry_guest *guest; /* NULL: the program of config */
	struct sandbox_config config;	  /* mounts point into the next two */
	struct sandbox_mount mounts[600];
	struct sandbox_source sources[600]; /* one for each mount */
	const char *platform;
	int log_fd; /* -1: none */
	enum log_format log_format;
	struct trace_config trace;	/* fd -1: none */
	const char *const *layer_names; /* of config.layer_fds, for messages */
	bool report_jail, only_report;
	bool raw_sockets; /* there may be some: struct sandbox has the other end of their channel */
};

struct sandbox {
	pid_t sentry; /* its pid, and process 1 of its namespace */
	int control;
	int raw_channel;  /* where raw sockets are asked for (raw_broker.h); -1: nowhere */
	pid_t raw_broker; /* who answers there; 0: nobody yet */
	unsigned int host_ids; /* enum host_ids */
};

/*
 * Makes the sentry's process and maps its ids. When it returns 0, the sentry is at work; its first
 * message says how that went. The launch must stay until then.
 */
must_check int sandbox_start(
	struct sandbox_launch *launch, struct sandbox *sandbox, struct failure *failure);

/*
 * The same in two steps, for who has to do with the process before it goes on; with a guest,
 * sandbox_go() waits until it was created, and sandbox_commit() lets it live on alone. After an
 * error of sandbox_make() there is no process.
 */
must_check int sandbox_make(
	struct sandbox_launch *launch, struct sandbox *sandbox, struct failure *failure);
must_check int sandbox_go(struct sandbox *sandbox, struct failure *failure);
must_check int sandbox_create(struct sandbox *sandbox, struct failure *failure);
must_check int sandbox_commit(struct sandbox *sandbox, struct failure *failure);

/* sentry_process.c: the sentry's own side. Never returns. */
noreturn_ void sentry_process_main(
	struct sandbox_launch *launch, int control, struct jail_evidence *evidence);
