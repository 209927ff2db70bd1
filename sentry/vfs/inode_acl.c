/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access control lists on inodes: where they are kept, who may change them, what chmod(2) and the
 * making of files do to them.
 *
 * Differs from Linux: a file that a mount takes from the host has none, whatever the host's file
 * system keeps.
 */
#include "sentry/vfs/inode_acl.h"

#include "abi/capability.h"
#include "abi/stat.h"
#include "abi/xattr.h"
#include "sentry/kernel/credentials.h"
#include "sentry/vfs/attributes.h"
#include "sentry/vfs/permission.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

/* Between taking a reference and letting go of one: only inodes with a list come here. */
static pthread_mutex_t exchange_lock = PTHREAD_MUTEX_INITIALIZER;

static const char *const names[POSIX_ACL_TYPES] = {
	[POSIX_ACL_ACCESS] = LINUX_XATTR_NAME_POSIX_ACL_ACCESS,
	[POSIX_ACL_DEFAULT] = LINUX_XATTR_NAME_POSIX_ACL_DEFAULT,
};

enum posix_acl_type posix_acl_type_of(const char *name)
{
	unsigned int type = POSIX_ACL_ACCESS;

	while (type < POSIX_ACL_TYPES && strcmp(name, names[type]) != 0)
		type++;
	return (enum posix_acl_type)type;
}

struct posix_acl *inode_acl_get(struct inode *inode, enum posix_acl_type type)
{
	struct posix_acl *acl;

	if (likely(!atomic_load_explicit(&inode->acls[type], memory_order_relaxed)))
		return NULL;
	pthread_mutex_lock(&exchange_lock);
	acl = inode->acls[type];
	if (acl)
		(void)posix_acl_get(acl);
	pthread_mutex_unlock(&exchange_lock);
	return acl;
}

/* Consumes acl. */
static void acl_replace(struct inode *inode, enum posix_acl_type type, struct posix_acl *acl)
{
	struct posix_acl *old;

	pthread_mutex_lock(&exchange_lock);
	old = atomic_exchange(&inode->acls[type], acl);
	pthread_mutex_unlock(&exchange_lock);
	posix_acl_put(old);
}

void inode_acls_free(struct inode *inode)
{
	for (unsigned int type = 0; type < POSIX_ACL_TYPES; type++)
		posix_acl_put(inode->acls[type]);
}

/* --- extended attributes --- */

static bool has_acls(const struct inode *inode)
{
	return inode->sb->posix_acl && !inode_is_type(inode, LINUX_S_IFLNK);
}

static const struct user_namespace *viewer(void)
{
	const struct cred *cred = vfs_cred();

	return cred ? cred->user_ns : user_namespace_initial();
}

int64_t inode_acl_show(struct inode *inode, enum posix_acl_type type, void *value, size_t size)
{
	struct posix_acl *acl;
	int64_t result;

	if (!has_acls(inode))
		return -EOPNOTSUPP;
	acl = inode_acl_get(inode, type);
	if (!acl)
		return -ENODATA;
	result = posix_acl_to_xattr(acl, viewer(), value, size);
	posix_acl_put(acl);
	return result;
}

int64_t inode_acl_list(const struct inode *inode, char *list, size_t size)
{
	size_t used = 0;

	for (unsigned int type = 0; type < POSIX_ACL_TYPES; type++) {
		size_t length = strlen(names[type]) + 1;

		if (!inode->acls[type])
			continue;
		if (size && length > size - used)
			return -ERANGE;
		if (size)
			memcpy(list + used, names[type], length);
		used += length;
	}
	return (int64_t)used;
}

/* An access list takes the mode with it; one that the mode says as well is not kept. */
static int store_access(struct inode *inode, struct posix_acl *acl)
{
	struct inode_attributes attributes = {
		.mode = inode->attributes.mode, .ctime = inode_time_now()};
	const struct cred *cred = vfs_cred();
	bool equivalent = !acl || posix_acl_equiv_mode(acl, &attributes.mode);
	int error;

	if (cred && !cred_in_group(cred, inode->attributes.gid) &&
		!inode_capable(inode, cred, LINUX_CAP_FSETID))
		attributes.mode &= ~(uint32_t)LINUX_S_ISGID;
	/* Not by chmod(2)'s rules: the old list goes. */
	error = inode_setattr_plain_locked(inode, &attributes, ATTRIBUTE_MODE | ATTRIBUTE_CTIME);
	if (!error)
		acl_replace(inode, POSIX_ACL_ACCESS, equivalent ? NULL : posix_acl_get(acl));
	return error;
}

static int store_default(struct inode *inode, struct posix_acl *acl)
{
	struct inode_attributes attributes = {.ctime = inode_time_now()};
	int error = inode_setattr_plain_locked(inode, &attributes, ATTRIBUTE_CTIME);

	if (!error)
		acl_replace(inode, POSIX_ACL_DEFAULT, acl ? posix_acl_get(acl) : NULL);
	return error;
}

/* RANK_INODE held. */
static int store_locked(struct inode *inode, enum posix_acl_type type, struct posix_acl *acl)
{
	if (inode_is_frozen(inode))
		return -EPERM;
	if (type == POSIX_ACL_DEFAULT && !inode_is_type(inode, LINUX_S_IFDIR))
		return acl ? -EACCES : 0;
	if (!inode_owner_or_capable(inode, vfs_cred()))
		return -EPERM;
	if (acl && posix_acl_valid(acl))
		return -EINVAL;
	return type == POSIX_ACL_ACCESS ? store_access(inode, acl) : store_default(inode, acl);
}

int inode_acl_store(struct inode *inode, enum posix_acl_type type, const void *value, size_t size)
{
	struct posix_acl *acl = NULL;
	int error = size ? posix_acl_from_xattr(viewer(), value, size, &acl) : 0;

	if (error)
		return error;
	if (!has_acls(inode)) {
		error = -EOPNOTSUPP;
	} else {
		mutex_lock(&inode->lock);
		error = store_locked(inode, type, acl);
		mutex_unlock(&inode->lock);
	}
	posix_acl_put(acl);
	return error;
}

/* --- modes --- */

int inode_acl_chmod(struct inode *inode, uint32_t mode, struct posix_acl **out)
{
	struct posix_acl *acl = inode_acl_get(inode, POSIX_ACL_ACCESS);
	int error = 0;

	*out = NULL;
	if (acl)
		error = posix_acl_chmod(acl, mode, out);
	posix_acl_put(acl);
	return error;
}

void inode_acl_chmod_done(struct inode *inode, struct posix_acl *acl)
{
	if (unlikely(acl != NULL))
		acl_replace(inode, POSIX_ACL_ACCESS, acl);
}

int inode_acl_inherit(
	struct inode *directory, uint32_t *mode, uint32_t umask, struct inherited_acls *inherited)
{
	struct posix_acl *acl = inode_acl_get(directory, POSIX_ACL_DEFAULT);
	int error;

	*inherited = (struct inherited_acls){0};
	if (likely(!acl)) {
		*mode &= ~umask;
		return 0;
	}
	error = posix_acl_create(acl, mode, &inherited->acls[POSIX_ACL_ACCESS]);
	if (!error && LINUX_S_ISDIR(*mode))
		inherited->acls[POSIX_ACL_DEFAULT] = posix_acl_get(acl);
	posix_acl_put(acl);
	return error;
}

void inode_acl_inherit_done(struct inode *inode, struct inherited_acls *inherited)
{
	for (unsigned int type = 0; type < POSIX_ACL_TYPES; type++) {
		if (likely(!inherited->acls[type]))
			continue;
		if (inode)
			acl_replace(inode, (enum posix_acl_type)type, inherited->acls[type]);
		else
			posix_acl_put(inherited->acls[type]);
	}
}
