/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run may touch: paths that may be read, written or run, and addresses. Everything else is
 * refused with EACCES, whoever asks, and noted in the accounting. Or, to learn a policy, nothing is
 * refused, and all that was touched is written down.
 *
 * A path is where a file lies in the tree that the run was given, whatever a guest mounts, binds or
 * changes its root to; file systems that guests mount hold nothing that they were not given, and
 * are free. As with Landlock, names and attributes can be seen, directories walked, and what is
 * open stays so; the interpreter that a program's ELF header names is run with it.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>

struct dentry;
struct path;
struct super_block;

enum policy_access {
	POLICY_READ = 1,  /* open, list */
	POLICY_WRITE = 2, /* open, make, remove, rename, change attributes; lets read as well */
	POLICY_RUN = 4,
	POLICY_CONNECT = 8,
	POLICY_BIND = 16,
	POLICY_LIBRARIES = 256, /* of a rule alone: what the program links to may be read */
	/* Of what is learned alone. */
	POLICY_CREATED = 32,
	POLICY_REMOVED = 64,
	POLICY_RENAMED = 128,
};

/*
 * A tree; a directory alone, if "/." is at the end; with '*' a pattern as in fnmatch(3), whose
 * stars match slashes too; or an address.
 */
struct policy_rule {
	const char *text;
	unsigned int access;
};

struct sandbox_policy {
	const struct policy_rule *rules;
	size_t rule_count;
	const char *library_path; /* LD_LIBRARY_PATH; NULL: none */
	bool paths, network; /* rules are the whole of what is allowed */
	bool learn;
	int learn_fd; /* gets records "ACCESS TEXT\0" at the end */
};

extern bool g_policy; /* set once: there is one */

/* Once, before there are mounts; policy stays. */
must_check int policy_start(const struct sandbox_policy *policy);
/* A file system of the run's own; a reference is taken. scratch: one for temporary files. */
void policy_add_file_system(struct super_block *sb, const char *destination, bool scratch);
/* All are in place: rules' symlinks are followed. */
must_check int policy_resolve(const struct path *root);
/* When no task runs any more: what was learned is written. */
void policy_finish(void);

/* 0 or -EACCES. Takes RANK_DENTRY and RANK_LEAF; name: in a directory, which need not be there. */
must_check int policy_check_slow(struct dentry *dentry, const char *name, unsigned int access);
must_check int policy_check_address_slow(const char *address, unsigned int access);

must_check int policy_check(const struct path *path, unsigned int access);
must_check int policy_check_name(const struct path *parent, const char *name, unsigned int access);
