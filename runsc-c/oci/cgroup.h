/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's cgroup of a container: version 1 controllers, version 2, or both beside each other. It
 * holds the sentry with all its stubs. Where the caller may not make one (rootless without
 * delegation), there is none, unless limits were asked for.
 */
#pragma once

#include "runsc-c/failure.h"

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#define CGROUP_DIRECTORIES_MAX 24

struct cgroup {
	struct cgroup_directory {
		char *controllers; /* "memory", "cpu,cpuacct", "" for version 2 */
		char *path;	   /* of the directory on this host */
	} directories[CGROUP_DIRECTORIES_MAX];
	size_t count;
	bool unified;	    /* version 2 holds the controllers */
	char *unit, *slice; /* systemd's, or NULL: then the directories are the caller's to make */
};

/*
 * Finds the directories for a cgroupsPath (NULL: one of this name below the caller's own).
 * systemd: the path is SLICE:PREFIX:NAME, and systemd makes it (cgroup_systemd.h). Makes nothing.
 */
must_check int cgroup_find(struct cgroup *cgroup, const char *path, const char *name, bool systemd,
	struct failure *failure);
/*
 * One of this name beside the caller's own, in version 2, which hands no controllers on below a
 * cgroup that has processes. False: there is no such place.
 */
bool cgroup_find_beside(struct cgroup *cgroup, const char *name);
/* An error where one has processes: they would share the container's limits, and its end. */
must_check int cgroup_check_unused(const struct cgroup *cgroup, struct failure *failure);
/* Makes them. Those that the caller is not permitted are left out: a limit that needs one fails
 * later. */
must_check int cgroup_make(struct cgroup *cgroup, struct failure *failure);
/* Puts a process into all of them. */
must_check int cgroup_enter(const struct cgroup *cgroup, pid_t pid, struct failure *failure);
/* linux.resources; NULL is fine. What the host has no controller for fails, unless it is no limit.
 */
must_check int cgroup_apply(
	const struct cgroup *cgroup, json_t *resources, struct failure *failure);
/* cgroup_devices.c: of these, what is named by a device. */
must_check int cgroup_apply_devices(
	const struct cgroup *cgroup, json_t *resources, struct failure *failure);
/* A value of a controller's file; member is what asked for it, in errors. */
must_check int cgroup_write(const struct cgroup *cgroup, const char *controller, const char *file,
	const char *text, const char *member, struct failure *failure);
/*
 * What is asked for a container, as limits for its sandbox: with room for the sentry and its stubs,
 * so that it is the guests' own kernel that meets the container's limits first, and kills or
 * refuses one process instead of all. A reference.
 */
json_t *cgroup_with_room(json_t *resources);
/* Removes them; members were killed before. False: one is still there. */
bool cgroup_remove(const struct cgroup *cgroup);
/* SIGKILL to all members that are left. */
void cgroup_kill(const struct cgroup *cgroup);
/* The directory with a controller, or NULL. */
const char *cgroup_of(const struct cgroup *cgroup, const char *controller);
/* A number, or "max", out of a file of it; false: not there. */
bool cgroup_number(
	const struct cgroup *cgroup, const char *controller, const char *file, uint64_t *value);
/* To and from the state file. */
json_t *cgroup_to_json(const struct cgroup *cgroup);
void cgroup_from_json(struct cgroup *cgroup, json_t *array);
void cgroup_free(struct cgroup *cgroup);
