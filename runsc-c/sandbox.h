/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sandbox from the command's side: a sentry process in namespaces of its own, and the channel to it.
 */
#pragma once

#include "base/log.h"
#include "runsc-c/control.h"
#include "runsc-c/jail.h"
#include "sentry/kernel/kernel.h"

#include <sys/types.h>

/* A mount whose source the sentry opens itself, with what its user namespace allows. */
struct sandbox_source {
	const char *path; /* NULL: none */
	bool writable;
};

struct sandbox_launch {
	struct sandbox_config config;         /* mounts point into the next two */
	struct sandbox_mount mounts[600];
	struct sandbox_source sources[600];   /* one for each mount */
	const char *platform;
	int log_fd;                           /* -1: none */
	enum log_format log_format;
	bool report_jail, only_report;
};

struct sandbox {
	pid_t sentry;  /* its pid, and process 1 of its namespace */
	int control;
};

/*
 * Makes the sentry's process and maps its ids. When it returns 0, the sentry is at work; its first message says how that
 * went. The launch must stay until then.
 */
must_check int sandbox_start(struct sandbox_launch *launch, struct sandbox *sandbox, struct failure *failure);

/* sentry_process.c: the sentry's own side. Never returns. */
noreturn_ void sentry_process_main(struct sandbox_launch *launch, int control, struct jail_evidence *evidence);
