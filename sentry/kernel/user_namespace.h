/* SPDX-License-Identifier: Apache-2.0 */
/* User namespaces from the inside: making them, and the files uid_map, gid_map and setgroups of
 * /proc/PID (user_namespaces(7)). */
#pragma once

#include "base/compiler.h"
#include "sentry/kernel/credentials.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct task;
struct text_writer;

/*
 * A child of creator's namespace, owned by its effective user: -ENOSPC past 32 levels, -EPERM for
 * an unmapped creator. The caller refuses who is in a chroot.
 */
must_check int user_namespace_new(const struct cred *creator, struct user_namespace **out);
/* unshare(CLONE_NEWUSER), clone, setns: cred (not visible yet) enters ns, whose reference it takes,
 * with all capabilities there. */
void cred_enter_user_namespace(struct cred *cred, struct user_namespace *ns);
struct user_namespace *user_namespace_parent(
	struct user_namespace *ns); /* borrowed, NULL for the initial one */
uint32_t user_namespace_owner(const struct user_namespace *ns); /* global id */
uint32_t user_namespace_owner_group(const struct user_namespace *ns);
uint64_t user_namespace_inode(const struct user_namespace *ns);
bool user_namespace_is_ancestor(
	const struct user_namespace *ancestor, const struct user_namespace *ns);

/* Has a global id a number in ns? */
bool user_namespace_has_uid(const struct user_namespace *ns, uint32_t kuid);
bool user_namespace_has_gid(const struct user_namespace *ns, uint32_t kgid);

enum user_namespace_map_kind { USER_NAMESPACE_UID_MAP, USER_NAMESPACE_GID_MAP };
/* What a write to /proc/PID/uid_map or gid_map does; text has no NUL. opener: credentials of the
 * open file. -EPERM, -EINVAL. */
must_check int user_namespace_write_map(struct user_namespace *ns,
	enum user_namespace_map_kind kind, const struct cred *opener, const char *text,
	size_t size);
/* The map as a reader in reader_ns sees it. */
void user_namespace_show_map(struct user_namespace *ns, enum user_namespace_map_kind kind,
	const struct user_namespace *reader_ns, struct text_writer *out);
/* /proc/PID/setgroups: "allow" or "deny". */
must_check int user_namespace_write_setgroups(
	struct user_namespace *ns, const struct cred *opener, const char *text, size_t size);
bool user_namespace_may_setgroups(const struct user_namespace *ns);
bool user_namespace_setgroups_allowed(const struct user_namespace *ns); /* what the file shows */
