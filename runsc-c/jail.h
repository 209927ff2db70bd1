/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The jail: what an attacker holds who has taken the sentry over. Namespaces of its own, an empty
 * root, no capability, no_new_privs, and a filter that admits only the system calls listed in
 * jail_filter.c.
 *
 * The steps run in the sentry's process, in the order of this header. docs/jail.md explains each.
 */
#pragma once

#include "base/compiler.h"
#include "runsc-c/failure.h"

#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* clone(2) flags of the sentry: every namespace that the jail consists of. */
#define JAIL_FILE_CAPABILITIES                                                                     \
	(1ull << CAP_CHOWN | 1ull << CAP_DAC_OVERRIDE | 1ull << CAP_FOWNER | 1ull << CAP_FSETID)
#define JAIL_NAMESPACES                                                                            \
	(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)

/* In the command: says which of the host's features are missing, before anything is made. */
must_check int jail_check_host(struct failure *failure);
/* In the command: explains why clone(2) with JAIL_NAMESPACES failed. Returns -1. */
int jail_explain_clone(int error, struct failure *failure);
/*
 * In the command, for the sentry: maps the ids of its user namespace. All ids of ours one to one
 * where we may (root), else only the caller's own; *host_ids tells how they show.
 */
must_check int jail_map_ids(pid_t sentry, unsigned int *host_ids, struct failure *failure);
/* The same with mappings of the caller's wish, in the form of /proc/PID/uid_map. */
must_check int jail_map_given_ids(
	pid_t sentry, const char *uids, const char *gids, struct failure *failure);

/* A directory or file of the host as a mount of its own, read-only or not, with no set-user-ID and
 * no devices. Its descriptor. */
must_check int jail_open_tree(
	const char *path, bool writable, bool recursive, struct failure *failure);
/* Would the host let the calling process do that? */
bool jail_may_open_trees(void);
/* Loopback up, low ports open: the private network. */
must_check int jail_prepare_network(struct failure *failure);
/* The mount namespace becomes an empty read-only root; only descriptors reach files from here on.
 */
must_check int jail_empty_root(struct failure *failure);
/* No capability in any set, none to be had again, no_new_privs; still dumpable, so that it can
 * attach its stubs. */
/* kept: a bit for each that is kept nevertheless, over files that descriptors lead to (containers'
 * roots). */
must_check int jail_drop_capabilities(uint64_t kept, struct failure *failure);
/*
 * What is cloned from here on is what the host's OOM killer takes first: a stub of ours before
 * anything else of the host's. The sandbox ends with it. Undone by jail_prefer_no_more() with the
 * file that it returns; -1 is fine.
 */
int jail_prefer_children_to_die(void);
void jail_prefer_no_more(int file);
/* jail_filter.c */
must_check int jail_load_filter(struct failure *failure);

/* What was there before the root became empty, for jail_report(). */
struct jail_evidence {
	char namespaces[6][64];
	char outside[6][64];
};
/* outside is filled in the command, namespaces in the sentry before jail_empty_root(). */
void jail_read_namespaces(char namespaces[6][64]);
/* One finding a line into a buffer: what holds now, as asked of the host's kernel. False if
 * something does not hold. */
bool jail_report(const struct jail_evidence *evidence, char *text, size_t size);
