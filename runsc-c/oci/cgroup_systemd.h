/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where systemd owns the host's cgroups (--systemd-cgroup), a container's is a scope that systemd
 * was asked for over D-Bus: systemd makes its directories, puts the first process into it, and
 * keeps the limits that it knows of. The user's systemd for who is not root of the host.
 */
#pragma once

#include "runsc-c/oci/cgroup.h"

/* Where the cgroups begin that the user's systemd manages; the caller frees. NULL: failure is
 * filled. */
char *cgroup_systemd_above(struct failure *failure);
/* Starts cgroup->unit in cgroup->slice with a process in it; resources NULL is fine. */
must_check int cgroup_systemd_start(
	const struct cgroup *cgroup, pid_t pid, json_t *resources, struct failure *failure);
/* Limits of a scope that is there. */
must_check int cgroup_systemd_update(
	const struct cgroup *cgroup, json_t *resources, struct failure *failure);
/* Ends the scope; what is gone already is fine. */
void cgroup_systemd_stop(const struct cgroup *cgroup);
