/* SPDX-License-Identifier: Apache-2.0 */
/* The access control lists of an inode: kept with it, by its attributes' side, on every super block
 * that has posix_acl set. */
#pragma once

#include "sentry/vfs/inode.h"
#include "sentry/vfs/posix_acl.h"

/* The type that an extended attribute's name stands for; POSIX_ACL_TYPES: none. */
enum posix_acl_type posix_acl_type_of(const char *name);

/* A reference, or NULL. Any locks. */
struct posix_acl *inode_acl_get(struct inode *inode, enum posix_acl_type type);
void inode_acls_free(struct inode *inode); /* nobody knows the inode any more */

/* As getxattr(2) and listxattr(2) show them; size 0 asks for the size. -EOPNOTSUPP, -ENODATA,
 * -ERANGE. */
must_check int64_t inode_acl_show(
	struct inode *inode, enum posix_acl_type type, void *value, size_t size);
must_check int64_t inode_acl_list(const struct inode *inode, char *list, size_t size);
/*
 * As setxattr(2) sets them, by the current task, size 0: takes the list away. RANK_INODE not held.
 * -EOPNOTSUPP, -EACCES for a default list of what is no directory, -EPERM, -EINVAL, -ENOSPC.
 */
must_check int inode_acl_store(
	struct inode *inode, enum posix_acl_type type, const void *value, size_t size);

/* The mode changes by chmod(2): prepares the list that goes with it (NULL: none), then puts it in
 * place, consuming it. RANK_INODE held. */
must_check int inode_acl_chmod(struct inode *inode, uint32_t mode, struct posix_acl **out);
void inode_acl_chmod_done(struct inode *inode, struct posix_acl *acl);

/* What a new inode in a directory gets; the mode to make it with. RANK_INODE of directory held. */
struct inherited_acls {
	struct posix_acl *acls[POSIX_ACL_TYPES]; /* references */
};
must_check int inode_acl_inherit(
	struct inode *directory, uint32_t *mode, uint32_t umask, struct inherited_acls *inherited);
/* Hands them to the inode that was made, or drops them (inode NULL). */
void inode_acl_inherit_done(struct inode *inode, struct inherited_acls *inherited);
