/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From config.json to what the kernel starts: mounts in order, devices, the process. Building is
 * pure, so that the command and a sentry that is handed the same document come to the same list;
 * opening the host's files is the command's.
 */
#pragma once

#include "runsc-c/oci/spec.h"

struct oci_source {
	const char *path;  /* absolute on the host */
	const char *place; /* in config.json, for errors: "mounts[2].source" */
	struct sandbox_mount *mount;
	bool writable, recursive, is_root;
	bool mapped_recursive;
	const char
		*overlay; /* options of an overlay that the host is to make, in place of a path */
	const char *uids, *gids; /* uid_map, gid_map of a mount with ids of its own; NULL: none */
	int fd;			 /* -1: not open, or one of the kernel's own: a device, or proc */
	uint64_t rdev;		 /* of such a device */
	bool is_proc;
};

static inline bool oci_source_is_own(const struct oci_source *source)
{
	return source->rdev || source->is_proc;
}

struct oci_launch {
	struct container_config config;
	struct process_config process;
	struct sandbox_mount *mounts;
	struct oci_source *sources;
	size_t source_count;
};

/* root: the absolute path of the rootfs. All in the spec's arena. */
must_check int oci_launch_build(struct oci_launch *launch, struct oci_spec *spec, const char *id,
	const char *root, struct failure *failure);
/* One process: what `exec` starts; the limits that are not given are the caller's. */
must_check int oci_process_build(struct arena *arena, const struct oci_process *from,
	const struct oci_seccomp *seccomp, struct process_config *process);
/*
 * Opens all sources as mounts of their own. *unprivileged: it may make no mounts here; the sentry,
 * in a user namespace of its own, does it.
 */
must_check int oci_sources_open(
	struct oci_launch *launch, bool *unprivileged, struct failure *failure);
/* One of them: in the sentry. */
must_check int oci_source_open(struct oci_source *source, struct failure *failure);
/* After that: their descriptors, or what stands for them, go into the mounts. */
void oci_sources_settle(struct oci_launch *launch);
