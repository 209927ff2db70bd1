/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials and user namespaces (credentials(7), capabilities(7), user_namespaces(7)).
 *
 * A struct cred never changes once it is visible to others: a change makes a copy and puts it in
 * place (task_commit_cred()). So a reader needs no lock, only a reference for as long as it reads
 * another task's.
 */
#pragma once

#include "base/compiler.h"
#include "base/refcount.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct key;
struct landlock_domain;
struct task;

/* Ids in here are global ("kuid"): as the initial user namespace of the sandbox sees them. */
struct user_namespace;

struct cred {
	struct refcount refs;
	uint32_t uid, euid, suid, fsuid;
	uint32_t gid, egid, sgid, fsgid;
	uint64_t cap_inheritable, cap_permitted, cap_effective, cap_bounding, cap_ambient;
	uint32_t securebits;
	struct user_namespace *user_ns; /* a reference */
	size_t group_count;
	uint32_t *groups; /* sorted */
	/* References; NULL for none (sentry/keys/). */
	struct key *session_keyring, *process_keyring, *thread_keyring;
	int request_key_default; /* LINUX_KEY_REQKEY_DEFL_* */
	struct landlock_domain *landlock; /* a reference; NULL: free of restrictions */
};

/* All zero: root with all capabilities in the initial user namespace. */
must_check int cred_new_root(struct cred **out);
must_check int cred_copy(const struct cred *cred, struct cred **out);
const struct cred *cred_get(const struct cred *cred);
void cred_put(const struct cred *cred);
/* Supplementary groups of a fresh copy; sorts. -ENOMEM. */
must_check int cred_set_groups(struct cred *cred, const uint32_t *groups, size_t count);
bool cred_in_group(const struct cred *cred, uint32_t gid);
/* Does cred hold the capability (LINUX_CAP_*) in the user namespace, by the rules of
 * user_namespaces(7)? */
bool cred_capable_in(const struct cred *cred, const struct user_namespace *ns, int capability);
/* In the initial user namespace, or for the current task's own credentials over an inode of the
 * sandbox. */
bool cred_capable(const struct cred *cred, int capability);

struct user_namespace *user_namespace_get(struct user_namespace *ns);
void user_namespace_put(struct user_namespace *ns);
struct user_namespace *user_namespace_initial(void); /* borrowed */
/* Global ids to and from what a namespace shows; unmapped ids show as 65534; -1 for no mapping on
 * the way in. */
uint32_t user_namespace_show_uid(const struct user_namespace *ns, uint32_t kuid);
uint32_t user_namespace_show_gid(const struct user_namespace *ns, uint32_t kgid);
uint32_t user_namespace_make_uid(const struct user_namespace *ns, uint32_t uid);
uint32_t user_namespace_make_gid(const struct user_namespace *ns, uint32_t gid);
