/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sentry/security/landlock/ - Landlock (landlock(7)): tasks that restrict themselves and all that
 * comes of them.
 *
 * A ruleset is a file that rules are added to. To restrict itself, a task gives its credentials a
 * new domain, which is what the old one refuses and what the ruleset does not allow: one more
 * layer. A domain never changes, so who holds credentials needs no lock to ask it. Rules about
 * files are tied to inodes, and found on the way from a file up to the root, through mounts:
 * RANK_DENTRY.
 *
 * Locks: a ruleset's own (RANK_LEAF).
 *
 * The functions here that ask are for the places where Linux asks its security modules; without a
 * domain they cost one look at the credentials.
 */
#pragma once

#include "abi/landlock.h"
#include "base/compiler.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

struct landlock_domain;
struct landlock_ruleset;
struct socket;
struct socket_address;

/* --- ruleset.c --- */

/* What a layer forbids where no rule allows it. */
struct landlock_handled {
	uint16_t fs, net, scope;
};

/* One reference. -ENOMEM. */
must_check int landlock_ruleset_new(
	const struct landlock_handled *handled, struct landlock_ruleset **out);
struct landlock_ruleset *landlock_ruleset_get(struct landlock_ruleset *ruleset);
void landlock_ruleset_put(struct landlock_ruleset *ruleset); /* no lock held */
/* As it was made. */
struct landlock_handled landlock_ruleset_handled(const struct landlock_ruleset *ruleset);
/* What is at and below an inode may be accessed so. -ENOMEM. */
must_check int landlock_ruleset_add_inode(
	struct landlock_ruleset *ruleset, struct inode *inode, uint16_t access);
must_check int landlock_ruleset_add_port(
	struct landlock_ruleset *ruleset, uint16_t port, uint16_t access);

/* --- domain.c --- */

/* parent, which may be NULL, with the ruleset as one more layer: one reference. -E2BIG, -ENOMEM. */
must_check int landlock_domain_new(const struct landlock_domain *parent,
	struct landlock_ruleset *ruleset, struct landlock_domain **out);
/* NULL is fine. Whatever locks are held, down to RANK_TASK: what it held goes later. */
struct landlock_domain *landlock_domain_get(struct landlock_domain *domain);
void landlock_domain_put(struct landlock_domain *domain);
/* When no task runs any more: what is still to go. */
void landlock_shutdown(void);

static inline struct landlock_domain *landlock_current(void)
{
	return current && current->cred ? current->cred->landlock : NULL;
}

/* --- check_path.c: 0 or -EACCES, or what is said. RANK_INODE may be held. --- */

must_check int landlock_check_path_slow(
	const struct landlock_domain *domain, const struct path *path, uint16_t access);
must_check int landlock_check_open_slow(const struct landlock_domain *domain, struct file *file);
must_check int landlock_check_ioctl_slow(const struct file *file, uint32_t command);
/* What making such an inode takes. */
uint16_t landlock_access_to_make(uint32_t mode);
/* May the current task change what is mounted where? -EPERM. */
must_check int landlock_check_mounts(void);

/* access: LINUX_LANDLOCK_ACCESS_FS_*, to a path, or to a name in the directory that a path is. */
must_check static inline int landlock_check_path(const struct path *path, uint16_t access)
{
	const struct landlock_domain *domain = landlock_current();

	return likely(!domain) ? 0 : landlock_check_path_slow(domain, path, access);
}

must_check static inline int landlock_check_open(struct file *file)
{
	const struct landlock_domain *domain = file->cred ? file->cred->landlock : NULL;

	return likely(!domain) ? 0 : landlock_check_open_slow(domain, file);
}

/* Of files that are open it counts what was allowed when they were opened, whoever asks. */
must_check static inline int landlock_check_truncate(const struct file *file)
{
	return likely(!(file->landlock_denied & LINUX_LANDLOCK_ACCESS_FS_TRUNCATE)) ? 0 : -EACCES;
}

must_check static inline int landlock_check_ioctl(const struct file *file, uint32_t command)
{
	return likely(!file->landlock_denied) ? 0 : landlock_check_ioctl_slow(file, command);
}

/* --- check_refer.c --- */

/* old is to get the name new (a dentry, perhaps negative) in a directory. Both are of the
 * directory's mount. */
struct landlock_refer {
	const struct dentry *old, *new;
	const struct path *new_directory;
	bool removes;	/* rename(2): the old name goes, and what had the new one */
	bool exchanges; /* RENAME_EXCHANGE */
};
/* -EACCES; -EXDEV where a copy would do, since only the link would give more rights. */
must_check int landlock_check_refer_slow(
	const struct landlock_domain *domain, const struct landlock_refer *refer);

must_check static inline int landlock_check_refer(const struct landlock_refer *refer)
{
	const struct landlock_domain *domain = landlock_current();

	return likely(!domain) ? 0 : landlock_check_refer_slow(domain, refer);
}

/* --- check_network.c --- */

/* bind(2) or connect(2), access: LINUX_LANDLOCK_ACCESS_NET_*. -EACCES; -EINVAL and -EAFNOSUPPORT
 * for addresses that the socket would not take. */
must_check int landlock_check_address_slow(const struct landlock_domain *domain,
	const struct socket *socket, const struct socket_address *address, uint16_t access);

must_check static inline int landlock_check_address(
	const struct socket *socket, const struct socket_address *address, uint16_t access)
{
	const struct landlock_domain *domain = landlock_current();

	return likely(!domain) ? 0 : landlock_check_address_slow(domain, socket, address, access);
}

/* --- scope.c: 0 or -EPERM --- */

must_check int landlock_check_ptrace_slow(
	const struct landlock_domain *tracer, const struct landlock_domain *tracee);
/* From a domain to another one, which may be NULL. scope: LINUX_LANDLOCK_SCOPE_*. */
must_check int landlock_check_scope_slow(
	const struct landlock_domain *from, const struct landlock_domain *to, uint16_t scope);
/* Is any of the scopes a restriction of the domain's? */
bool landlock_domain_scopes(const struct landlock_domain *domain, uint16_t scope);

must_check static inline int landlock_check_ptrace(
	const struct cred *tracer, const struct cred *tracee)
{
	return likely(!tracer->landlock)
		       ? 0
		       : landlock_check_ptrace_slow(tracer->landlock, tracee->landlock);
}

must_check static inline int landlock_check_scope(
	const struct landlock_domain *from, const struct landlock_domain *to, uint16_t scope)
{
	return likely(!from) ? 0 : landlock_check_scope_slow(from, to, scope);
}
