/* SPDX-License-Identifier: Apache-2.0 */
/* What chattr(1) sets: immutable, append-only, no dump, no access times; as Linux's tmpfs has them
 * (its fs/file_attr.c and mm/shmem.c). Extent sizes and project numbers are not kept. */
#include "sentry/vfs/inode_flags.h"

#include "abi/capability.h"
#include "abi/ioctl.h"
#include "abi/stat.h"
#include "sentry/kernel/credentials.h"
#include "sentry/vfs/attributes.h"
#include "sentry/vfs/mount.h"
#include "sentry/vfs/permission.h"
#include "sentry/vfs/policy.h"

#include <errno.h>

#define GUARDED	   (LINUX_FS_IMMUTABLE_FL | LINUX_FS_APPEND_FL)
#define HANDED_ON  (LINUX_FS_NODUMP_FL | LINUX_FS_NOATIME_FL)
#define MODIFIABLE (GUARDED | HANDED_ON)

#define XFLAGS_READ_ONLY (LINUX_FS_XFLAG_PREALLOC | LINUX_FS_XFLAG_HASATTR)
#define XFLAGS_COMMON                                                                              \
	(LINUX_FS_XFLAG_SYNC | LINUX_FS_XFLAG_IMMUTABLE | LINUX_FS_XFLAG_APPEND |                  \
		LINUX_FS_XFLAG_NODUMP | LINUX_FS_XFLAG_NOATIME | LINUX_FS_XFLAG_DAX |              \
		LINUX_FS_XFLAG_PROJINHERIT)
#define XFLAGS_KNOWN                                                                               \
	(XFLAGS_COMMON | XFLAGS_READ_ONLY | LINUX_FS_XFLAG_REALTIME | LINUX_FS_XFLAG_RTINHERIT |   \
		LINUX_FS_XFLAG_NOSYMLINKS | LINUX_FS_XFLAG_EXTSIZE | LINUX_FS_XFLAG_EXTSZINHERIT | \
		LINUX_FS_XFLAG_NODEFRAG | LINUX_FS_XFLAG_FILESTREAM | LINUX_FS_XFLAG_COWEXTSIZE)

static const struct {
	uint32_t flag, xflag;
} pairs[] = {
	{LINUX_FS_SYNC_FL, LINUX_FS_XFLAG_SYNC},
	{LINUX_FS_IMMUTABLE_FL, LINUX_FS_XFLAG_IMMUTABLE},
	{LINUX_FS_APPEND_FL, LINUX_FS_XFLAG_APPEND},
	{LINUX_FS_NODUMP_FL, LINUX_FS_XFLAG_NODUMP},
	{LINUX_FS_NOATIME_FL, LINUX_FS_XFLAG_NOATIME},
	{LINUX_FS_DAX_FL, LINUX_FS_XFLAG_DAX},
	{LINUX_FS_PROJINHERIT_FL, LINUX_FS_XFLAG_PROJINHERIT},
};

static bool has_flags(const struct inode *inode)
{
	return inode->sb->inode_flags &&
	       (inode_is_type(inode, LINUX_S_IFREG) || inode_is_type(inode, LINUX_S_IFDIR));
}

bool file_attr_is_known(uint64_t xflags)
{
	return !(xflags & ~(uint64_t)XFLAGS_KNOWN);
}

int inode_get_flags(const struct inode *inode, uint32_t *flags)
{
	if (!has_flags(inode))
		return -ENOTTY;
	*flags = inode->flags;
	return 0;
}

int inode_get_file_attr(const struct inode *inode, struct linux_file_attr *out)
{
	uint32_t flags;
	int result = inode_get_flags(inode, &flags);

	*out = (struct linux_file_attr){0};
	for (size_t i = 0; result == 0 && i < array_count(pairs); i++)
		if (flags & pairs[i].flag)
			out->fa_xflags |= pairs[i].xflag;
	return result;
}

/* What does not fit the type of file, or the caller's user namespace. */
static int check_file_attr(
	const struct inode *inode, const struct linux_file_attr *attr, const struct cred *cred)
{
	bool regular = inode_is_type(inode, LINUX_S_IFREG);

	if (cred && cred->user_ns != user_namespace_initial()) {
		if (attr->fa_projid || (attr->fa_xflags & LINUX_FS_XFLAG_PROJINHERIT))
			return -EINVAL;
	} else if (attr->fa_projid == UINT32_MAX) {
		return -EINVAL;
	}
	if ((attr->fa_xflags & LINUX_FS_XFLAG_EXTSIZE) && !regular)
		return -EINVAL;
	return (attr->fa_xflags & LINUX_FS_XFLAG_EXTSZINHERIT) && regular ? -EINVAL : 0;
}

/* Sizes of 0 turn their flags off; all else that is more than a flag is not kept. */
static bool is_flags_alone(const struct linux_file_attr *attr)
{
	uint64_t ignored = XFLAGS_COMMON | XFLAGS_READ_ONLY;

	if (!attr->fa_extsize)
		ignored |= LINUX_FS_XFLAG_EXTSIZE | LINUX_FS_XFLAG_EXTSZINHERIT;
	if (!attr->fa_cowextsize)
		ignored |= LINUX_FS_XFLAG_COWEXTSIZE;
	return !(attr->fa_xflags & ~ignored) && !attr->fa_extsize && !attr->fa_projid &&
	       !attr->fa_cowextsize;
}

/* attr NULL: they are flags and nothing more. RANK_INODE held. */
static int set_locked(struct inode *inode, uint32_t flags, const struct linux_file_attr *attr)
{
	const struct inode_attributes attributes = {.ctime = inode_time_now()};
	const struct cred *cred = vfs_cred();
	int result = 0;

	if (((flags ^ inode->flags) & GUARDED) && !vfs_capable(cred, LINUX_CAP_LINUX_IMMUTABLE))
		return -EPERM;
	if (attr)
		result = check_file_attr(inode, attr, cred);
	if (result)
		return result;
	if ((flags & ~(uint32_t)MODIFIABLE) || (attr && !is_flags_alone(attr)))
		return -EOPNOTSUPP;
	result = inode_setattr_plain_locked(inode, &attributes, ATTRIBUTE_CTIME);
	if (result == 0)
		inode->flags = flags;
	return result;
}

static int set(const struct path *path, uint32_t flags, const struct linux_file_attr *attr)
{
	struct inode *inode = path_inode(path);
	int result = mount_want_write(path->mount);

	if (result)
		return result;
	if (!has_flags(inode))
		return -ENOTTY;
	result = policy_check(path, POLICY_WRITE);
	if (result == 0 && !inode_owner_or_capable(inode, vfs_cred()))
		result = -EPERM;
	if (result)
		return result;
	mutex_guard(&inode->lock);
	return set_locked(inode, flags, attr);
}

int path_set_flags(const struct path *path, uint32_t flags)
{
	return set(path, flags, NULL);
}

int path_set_file_attr(const struct path *path, const struct linux_file_attr *attr)
{
	uint32_t flags = 0;

	for (size_t i = 0; i < array_count(pairs); i++)
		if (attr->fa_xflags & pairs[i].xflag)
			flags |= pairs[i].flag;
	return set(path, flags, attr);
}

void inode_flags_inherit(struct inode *inode, const struct inode *directory)
{
	uint32_t flags = directory->flags & HANDED_ON;

	if (unlikely(flags))
		inode->flags = flags;
}
