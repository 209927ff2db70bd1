/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POSIX access control lists (acl(5)): what one says, without the inode that it is of. One that
 * others see never changes; ids in it are global ones.
 */
#pragma once

#include "abi/posix_acl.h"
#include "base/compiler.h"
#include "base/refcount.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct cred;
struct inode;
struct user_namespace;

enum posix_acl_type { POSIX_ACL_ACCESS, POSIX_ACL_DEFAULT, POSIX_ACL_TYPES };

struct posix_acl {
	struct refcount refs;
	uint32_t count;
	struct linux_posix_acl_xattr_entry entries[];
};

struct posix_acl *posix_acl_get(struct posix_acl *acl);
void posix_acl_put(struct posix_acl *acl); /* NULL is fine */

/*
 * From an extended attribute's value, whose ids are those of ns: *out is NULL for a list without
 * entries. -EINVAL, -EOPNOTSUPP for another version, -ENOSPC, -ENOMEM. Its order is not checked.
 */
must_check int posix_acl_from_xattr(
	const struct user_namespace *ns, const void *value, size_t size, struct posix_acl **out);
/* The other way round; size 0 asks for the size. -ERANGE. */
must_check int64_t posix_acl_to_xattr(
	const struct posix_acl *acl, const struct user_namespace *ns, void *value, size_t size);
/* Are its entries complete and in order? -EINVAL. */
must_check int posix_acl_valid(const struct posix_acl *acl);

/* Puts what it says of owner, group (or mask) and others into a mode: true if that is all that it
 * says. */
must_check bool posix_acl_equiv_mode(const struct posix_acl *acl, uint32_t *mode);
/* A copy that grants what mode says to owner, group (or mask) and others. */
must_check int posix_acl_chmod(const struct posix_acl *acl, uint32_t mode, struct posix_acl **out);
/*
 * What a new inode gets of its directory's default list: *mode loses what the list does not grant,
 * and *out is NULL if the mode says it all then.
 */
must_check int posix_acl_create(struct posix_acl *acl, uint32_t *mode, struct posix_acl **out);

/* May cred, which is not the owner, use the inode so? mask: 4 read, 2 write, 1 execute. -EACCES. */
must_check int posix_acl_permission(const struct posix_acl *acl, const struct inode *inode,
	const struct cred *cred, unsigned int mask);
