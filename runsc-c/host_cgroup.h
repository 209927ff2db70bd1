/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cgroup of the host around a whole run, where the caller may make one. It stands behind the
 * limits that the sandbox's own kernel carries out, with room for that kernel, so that it is never
 * the first to act.
 */
#pragma once

#include "runsc-c/oci/cgroup.h"
#include "sentry/kernel/kernel.h"

#include <stdbool.h>

struct host_cgroup {
	struct cgroup cgroup;
	bool memory, tasks, cpu; /* which limits it carries out */
	bool made;
};

/* What can be had is had; the rest is left out. Without a limit that it could carry out there is
 * none. */
void host_cgroup_make(struct host_cgroup *host, const struct sandbox_limits *limits);
/* Puts the sentry into it, before that has made any process. -1: failure is filled. */
must_check int host_cgroup_enter(
	const struct host_cgroup *host, pid_t sentry, struct failure *failure);
/*
 * Puts the sentry into it, and all stubs that there are, while they run. False: not all of them.
 * What a process holds already stays charged to where it came from.
 */
bool host_cgroup_enter_all(const struct host_cgroup *host, pid_t sentry);
/* When nobody is in it any more. */
void host_cgroup_remove(struct host_cgroup *host);
