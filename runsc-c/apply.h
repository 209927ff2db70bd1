/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies what a run changed back to the host, file by file, each at once or not at all.
 *
 * The command does that after the sandbox has ended, with the rights of the caller. It follows no
 * symlink, leaves out sockets, and refuses devices; set-user-ID and set-group-ID bits and extended
 * attributes but those of users are not brought out. What the host changed since the sandbox saw it
 * makes it refuse all, before anything is touched; a change in the very moment of the exchange is
 * undone and ends it there.
 */
#pragma once

#include "runsc-c/changes.h"
#include "runsc-c/failure.h"
#include "runsc-c/run_options.h"

struct apply {
	int root;		    /* -1: nothing is to be applied */
	int64_t started_ns;	    /* CLOCK_REALTIME */
	char *paths[RUN_BINDS_MAX]; /* none: all */
	size_t path_count;
};

/* Before the sandbox is made. -1: failure is filled. */
must_check int apply_begin(
	struct apply *apply, const struct run_options *options, struct failure *failure);
/* layer: the sentry's archive of the changes. *count: how many were applied, also after a failure.
 */
must_check int apply_changes(const struct apply *apply, const struct changes *changes, int layer,
	int64_t *count, struct failure *failure);

/* --- apply_check.c --- */
/* The directory that holds a path's last name, O_PATH, reached through no symlink; -errno. */
must_check int apply_open_parent(int root, const char *path, const char **name);
bool apply_wants(const struct apply *apply, const struct change *change);
struct stat;
/* Is that still what the sandbox saw? whole: its ctime, too. */
bool apply_same(const struct stat *status, const struct change_before *before, bool whole);
/* A directory that the host does not have: new, or in a layer alone. */
bool apply_makes_directory(const struct change *change);
/* The first conflict of all fills failure. */
must_check int apply_check(
	const struct apply *apply, const struct changes *changes, struct failure *failure);
/* A tree of any kind; nothing there is fine. -errno. */
must_check int apply_remove(int directory, const char *name);
