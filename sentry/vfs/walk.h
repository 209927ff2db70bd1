/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The path walk in steps, for those who stop before the last component: open(O_CREAT), and calls
 * that make or remove names.
 *
 *   walk_begin; then walk_to_last, and walk_last for as long as that says that the last component
 * was a symlink; walk_end.
 */
#pragma once

#include "abi/limits.h"
#include "sentry/vfs/dentry.h"
#include "sentry/vfs/path.h"

enum last_type {
	LAST_NORMAL,
	LAST_ROOT, /* "/" and nothing else */
	LAST_DOT,
	LAST_DOTDOT,
	LAST_JUMPED, /* a magic link went there */
};

struct walk {
	struct path at;	  /* references */
	struct path root; /* references, once asked for */
	bool has_root, own_start;
	unsigned int flags;	 /* enum walk_flags */
	const struct cred *cred; /* NULL: everything is allowed */
	const char *name;	 /* what is still to walk */
	struct component last;
	enum last_type last_type;
	bool must_be_directory; /* a slash followed the last component */
	unsigned int links;	/* followed so far */
	unsigned int depth;	/* links with something left behind them */
	char *text;		/* of the link that name points into */
	struct walk_rest {
		const char *name;
		char *text;
	} rest[LINUX_MAX_SYMLINKS];
	bool climbed; /* ".." was walked */
	unsigned int moves,
		mount_changes; /* counts at the start, for RESOLVE_BENEATH and _IN_ROOT */
};

must_check int walk_begin(struct walk *walk, int dirfd, const char *name, unsigned int flags,
	const struct cred *cred);
/* From a path; root may be NULL for the current task's. Both are borrowed and must outlive nothing:
 * references are taken. */
must_check int walk_begin_at(struct walk *walk, const struct path *start, const struct path *root,
	const char *name, unsigned int flags, const struct cred *cred);
/* Walks all but the last component: at is its directory (checked to be one, and searchable) unless
 * last_type says otherwise. */
must_check int walk_to_last(struct walk *walk);
/* Takes the last step. 0: at is the result. 1: it was a symlink to follow; call walk_to_last()
 * again. */
must_check int walk_last(struct walk *walk, bool follow);
/* Goes to what a dentry of at (reference consumed) leads to: crosses mounts. For who looked the
 * last component up itself. */
void walk_step_to(struct walk *walk, struct dentry *dentry);
/* at is a symlink: goes on from its directory with its text. parent: at's directory, references
 * consumed. As walk_last(). */
must_check int walk_follow(struct walk *walk, struct path *parent);
/* Checks what can only be known at the end (RESOLVE_BENEATH against concurrent renames); then hands
 * at over. */
must_check int walk_finish(struct walk *walk, struct path *out);
void walk_end(struct walk *walk);

/* path_lookup() with other credentials than the current task's, for access(2). */
must_check int path_lookup_as(
	int dirfd, const char *name, unsigned int flags, const struct cred *cred, struct path *out);
