/* SPDX-License-Identifier: Apache-2.0 */
/* How capabilities change: by user ids, by execve and by capset(2) (capabilities(7)). Pure
 * functions over credentials. */
#pragma once

#include "abi/capability.h"
#include "base/compiler.h"
#include "sentry/kernel/credentials.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct task;

static inline bool securebit(const struct cred *cred, unsigned int bit)
{
	return cred->securebits >> bit & 1;
}

/* What a program file brings to an execve, global ids. */
struct exec_privileges {
	uint32_t mode, uid, gid;
	bool no_suid;	       /* mounted MS_NOSUID, or a #! script */
	const void *file_caps; /* security.capability, or NULL */
	size_t file_caps_size;
	bool traced;	/* by a tracer without CAP_SYS_PTRACE over the program */
	bool shared_fs; /* another process shares its fs_struct */
	bool no_new_privs;
};

/*
 * The credentials after the execve of a file by old: *out is a fresh object for task_commit_cred().
 * *secure: what AT_SECURE says. -EPERM when a file's capabilities cannot all be given to a program
 * that does not know them; -ENOMEM.
 */
must_check int cred_for_exec(const struct cred *old, const struct exec_privileges *privileges,
	struct cred **out, bool *secure);

/* After setuid(2) and its kin changed the ids: drops and takes capabilities as
 * cap_task_fix_setuid() does. */
void capability_fix_setuid(struct cred *cred, const struct cred *old);
void capability_fix_setfsuid(struct cred *cred, const struct cred *old);
/* capset(2): replaces the three sets, or -EPERM. */
must_check int capability_set(
	struct cred *cred, uint64_t effective, uint64_t permitted, uint64_t inheritable);

struct user_namespace;
/* Is a global id the root of the namespace, or of one above it? */
bool capability_root_owns_namespace(uint32_t root, struct user_namespace *ns);
