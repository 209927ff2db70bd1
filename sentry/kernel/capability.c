/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How capabilities change (capabilities(7), "Transformation of capabilities during execve()" and
 * "Effect of user ID changes on capabilities"). Names follow the page: P is the process, F the
 * file; i, p, e, a are inheritable, permitted, effective, ambient.
 */
#include "sentry/kernel/capability.h"

#include "abi/prctl.h"
#include "abi/stat.h"
#include "sentry/kernel/user_namespace.h"
#include "sentry/keys/key.h"

#include <errno.h>
#include <string.h>

#define ROOT_ID 0

/* Those that setfsuid(2) moves. */
#define CAPABILITIES_FS                                                                            \
	(LINUX_CAP_MASK(LINUX_CAP_CHOWN) | LINUX_CAP_MASK(LINUX_CAP_MKNOD) |                       \
		LINUX_CAP_MASK(LINUX_CAP_DAC_OVERRIDE) |                                           \
		LINUX_CAP_MASK(LINUX_CAP_DAC_READ_SEARCH) | LINUX_CAP_MASK(LINUX_CAP_FOWNER) |     \
		LINUX_CAP_MASK(LINUX_CAP_FSETID) | LINUX_CAP_MASK(LINUX_CAP_MAC_OVERRIDE) |        \
		LINUX_CAP_MASK(LINUX_CAP_LINUX_IMMUTABLE))

static uint32_t root_of(const struct cred *cred)
{
	return user_namespace_make_uid(cred->user_ns, ROOT_ID);
}

/* --- files --- */

struct file_capabilities {
	uint64_t permitted, inheritable;
	bool effective, present;
};

bool capability_root_owns_namespace(uint32_t root, struct user_namespace *ns)
{
	for (; ns; ns = user_namespace_parent(ns)) {
		if (user_namespace_has_uid(ns, root) &&
			user_namespace_show_uid(ns, root) == ROOT_ID)
			return true;
	}
	return false;
}

/* What security.capability says; absent for what cannot be understood or is for another namespace.
 */
static struct file_capabilities file_capabilities_parse(
	const struct exec_privileges *privileges, struct user_namespace *ns)
{
	struct file_capabilities caps = {0};
	struct linux_vfs_cap_data data = {0};
	size_t size = privileges->file_caps_size;
	uint32_t revision;

	if (!privileges->file_caps || privileges->no_suid || size < LINUX_XATTR_CAPS_SZ_1 ||
		size > sizeof(data))
		return caps;
	memcpy(&data, privileges->file_caps, size);
	revision = data.magic_etc & LINUX_VFS_CAP_REVISION_MASK;
	if (!(revision == LINUX_VFS_CAP_REVISION_1 && size == LINUX_XATTR_CAPS_SZ_1) &&
		!(revision == LINUX_VFS_CAP_REVISION_2 && size == LINUX_XATTR_CAPS_SZ_2) &&
		!(revision == LINUX_VFS_CAP_REVISION_3 && size == LINUX_XATTR_CAPS_SZ_3))
		return caps;
	if (!capability_root_owns_namespace(data.rootid, ns))
		return caps;
	caps.present = true;
	caps.effective = data.magic_etc & LINUX_VFS_CAP_FLAGS_EFFECTIVE;
	caps.permitted = data.data[0].permitted;
	caps.inheritable = data.data[0].inheritable;
	if (revision != LINUX_VFS_CAP_REVISION_1) {
		caps.permitted |= (uint64_t)data.data[1].permitted << 32;
		caps.inheritable |= (uint64_t)data.data[1].inheritable << 32;
	}
	caps.permitted &= LINUX_CAP_FULL_SET;
	caps.inheritable &= LINUX_CAP_FULL_SET;
	return caps;
}

/* --- execve --- */

static void apply_set_id_bits(struct cred *cred, const struct exec_privileges *privileges)
{
	if (privileges->no_suid || privileges->no_new_privs)
		return;
	if (!user_namespace_has_uid(cred->user_ns, privileges->uid) ||
		!user_namespace_has_gid(cred->user_ns, privileges->gid))
		return;
	if (privileges->mode & LINUX_S_ISUID)
		cred->euid = privileges->uid;
	if ((privileges->mode & (LINUX_S_ISGID | LINUX_S_IXGRP)) == (LINUX_S_ISGID | LINUX_S_IXGRP))
		cred->egid = privileges->gid;
}

/* Root's programs count as having all capabilities, unless SECBIT_NOROOT is set. */
static bool apply_root(struct cred *cred, const struct cred *old, uint32_t root, bool file_caps)
{
	if (securebit(cred, LINUX_SECURE_NOROOT))
		return false;
	/* A set-user-ID-root file with capabilities of its own gets those only. */
	if (file_caps && cred->uid != root && cred->euid == root)
		return false;
	if (cred->euid == root || cred->uid == root)
		cred->cap_permitted = old->cap_bounding | old->cap_inheritable;
	return cred->euid == root;
}

/* Nobody may use a more privileged program's memory: a tracer, who shares the fs, or who promised
 * to get nothing new. */
static void limit_unsafe(
	struct cred *cred, const struct cred *old, const struct exec_privileges *privileges)
{
	if (!privileges->traced && !privileges->shared_fs && !privileges->no_new_privs)
		return;
	if (!cred_capable_in(old, cred->user_ns, LINUX_CAP_SETUID) || privileges->no_new_privs) {
		cred->euid = cred->uid;
		cred->egid = cred->gid;
	}
	cred->cap_permitted &= old->cap_permitted;
}

static int exec_transform(struct cred *cred, const struct cred *old,
	const struct exec_privileges *privileges, bool *secure)
{
	uint32_t root = root_of(cred);
	struct file_capabilities file = file_capabilities_parse(privileges, cred->user_ns);
	bool effective = file.effective, changed_id;

	apply_set_id_bits(cred, privileges);
	cred->cap_permitted = 0;
	if (file.present) {
		cred->cap_permitted = (file.permitted & old->cap_bounding) |
				      (file.inheritable & old->cap_inheritable);
		/* A program that does not ask for its capabilities itself would run with too few.
		 */
		if (effective && (file.permitted & ~cred->cap_permitted))
			return -EPERM;
	}
	effective |= apply_root(cred, old, root, file.present);
	changed_id = cred->euid != old->uid || cred->egid != old->gid;
	if (changed_id || (cred->cap_permitted & ~old->cap_permitted))
		limit_unsafe(cred, old, privileges);
	cred->suid = cred->fsuid = cred->euid;
	cred->sgid = cred->fsgid = cred->egid;
	if (file.present || changed_id)
		cred->cap_ambient = 0;
	cred->cap_permitted |= cred->cap_ambient;
	cred->cap_effective = effective ? cred->cap_permitted : cred->cap_ambient;
	cred->securebits &= ~LINUX_SECBIT_KEEP_CAPS;
	*secure = changed_id ||
		  (cred->uid != root && (effective || (cred->cap_permitted & ~cred->cap_ambient)));
	return 0;
}

int cred_for_exec(const struct cred *old, const struct exec_privileges *privileges,
	struct cred **out, bool *secure)
{
	struct cred *cred;
	int error = cred_copy(old, &cred);

	if (error)
		return error;
	keys_exec(cred);
	error = exec_transform(cred, old, privileges, secure);
	if (error) {
		cred_put(cred);
		return error;
	}
	*out = cred;
	return 0;
}

/* --- ids and capset(2) --- */

static bool has_root(const struct cred *cred, uint32_t root)
{
	return cred->uid == root || cred->euid == root || cred->suid == root;
}

void capability_fix_setuid(struct cred *cred, const struct cred *old)
{
	uint32_t root = root_of(old);

	if (securebit(old, LINUX_SECURE_NO_SETUID_FIXUP))
		return;
	if (has_root(old, root) && !has_root(cred, root)) {
		if (!securebit(old, LINUX_SECURE_KEEP_CAPS)) {
			cred->cap_permitted = 0;
			cred->cap_effective = 0;
		}
		cred->cap_ambient = 0;
	}
	if (old->euid == root && cred->euid != root)
		cred->cap_effective = 0;
	if (old->euid != root && cred->euid == root)
		cred->cap_effective = cred->cap_permitted;
}

void capability_fix_setfsuid(struct cred *cred, const struct cred *old)
{
	uint32_t root = root_of(old);

	if (securebit(old, LINUX_SECURE_NO_SETUID_FIXUP))
		return;
	if (old->fsuid == root && cred->fsuid != root)
		cred->cap_effective &= ~CAPABILITIES_FS;
	if (old->fsuid != root && cred->fsuid == root)
		cred->cap_effective |= cred->cap_permitted & CAPABILITIES_FS;
}

int capability_set(struct cred *cred, uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	if (!cred_capable_in(cred, cred->user_ns, LINUX_CAP_SETPCAP) &&
		(inheritable & ~(cred->cap_inheritable | cred->cap_permitted)))
		return -EPERM;
	if ((inheritable & ~(cred->cap_inheritable | cred->cap_bounding)) ||
		(permitted & ~cred->cap_permitted) || (effective & ~permitted))
		return -EPERM;
	cred->cap_effective = effective;
	cred->cap_permitted = permitted;
	cred->cap_inheritable = inheritable;
	cred->cap_ambient &= permitted & inheritable;
	return 0;
}
