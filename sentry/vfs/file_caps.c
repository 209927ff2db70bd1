/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities of files (capabilities(7)): a namespace's root may give them for that namespace
 * alone, in revision 3 of the attribute; who looks from inside sees revision 2 (Linux's
 * security/commoncap.c). */
#include "sentry/vfs/file_caps.h"

#include "abi/xattr.h"
#include "sentry/kernel/capability.h"
#include "sentry/kernel/user_namespace.h"
#include "sentry/vfs/permission.h"

#include <errno.h>
#include <string.h>

static bool is_revision(const struct linux_vfs_cap_data *data, size_t size)
{
	uint32_t revision = data->magic_etc & ~LINUX_VFS_CAP_FLAGS_EFFECTIVE;

	return (size == LINUX_XATTR_CAPS_SZ_2 && revision == LINUX_VFS_CAP_REVISION_2) ||
	       (size == LINUX_XATTR_CAPS_SZ_3 && revision == LINUX_VFS_CAP_REVISION_3);
}

static void set_revision(struct linux_vfs_cap_data *data, uint32_t revision)
{
	data->magic_etc = revision | (data->magic_etc & LINUX_VFS_CAP_FLAGS_EFFECTIVE);
}

int file_caps_import(const struct inode *inode, const struct cred *cred, const void *value,
	size_t *size, struct linux_vfs_cap_data *out)
{
	*out = (struct linux_vfs_cap_data){0};
	if (*size > sizeof(*out))
		return -EINVAL;
	memcpy(out, value, *size);
	if (!is_revision(out, *size))
		return -EINVAL;
	if (!inode_capable(inode, cred, LINUX_CAP_SETFCAP))
		return -EPERM;
	if (!cred || (*size == LINUX_XATTR_CAPS_SZ_2 &&
			     cred_capable_in(cred, inode->sb->user_ns, LINUX_CAP_SETFCAP)))
		return 0;
	out->rootid = user_namespace_make_uid(cred->user_ns, out->rootid);
	if (out->rootid == UINT32_MAX || !user_namespace_has_uid(inode->sb->user_ns, out->rootid))
		return -EINVAL;
	out->rootid = user_namespace_show_uid(inode->sb->user_ns, out->rootid);
	set_revision(out, LINUX_VFS_CAP_REVISION_3);
	*size = LINUX_XATTR_CAPS_SZ_3;
	return 0;
}

int64_t file_caps_load(struct inode *inode, struct linux_vfs_cap_data *out)
{
	int64_t size = -ENODATA;

	*out = (struct linux_vfs_cap_data){0};
	if (inode->ops->getxattr)
		size = inode->ops->getxattr(inode, LINUX_XATTR_NAME_CAPS, out, sizeof(*out));
	if (size <= 0 || inode->sb->user_ns == user_namespace_initial())
		return size;
	if (!is_revision(out, (size_t)size))
		return -EINVAL;
	out->rootid = user_namespace_make_uid(inode->sb->user_ns, out->rootid);
	set_revision(out, LINUX_VFS_CAP_REVISION_3);
	return LINUX_XATTR_CAPS_SZ_3;
}

int64_t file_caps_export(struct inode *inode, const struct cred *cred, void *value, size_t size)
{
	struct linux_vfs_cap_data data = {0};
	int64_t kept = inode->ops->getxattr(inode, LINUX_XATTR_NAME_CAPS, &data, sizeof(data));
	size_t shown = LINUX_XATTR_CAPS_SZ_2;
	uint32_t root;

	if (kept < 0)
		return kept;
	if (!is_revision(&data, (size_t)kept))
		return -EINVAL;
	root = user_namespace_make_uid(inode->sb->user_ns, data.rootid);
	if (cred && user_namespace_has_uid(cred->user_ns, root) &&
		user_namespace_show_uid(cred->user_ns, root) != 0) {
		data.rootid = user_namespace_show_uid(cred->user_ns, root);
		set_revision(&data, LINUX_VFS_CAP_REVISION_3);
		shown = LINUX_XATTR_CAPS_SZ_3;
	} else if (cred && !capability_root_owns_namespace(root, cred->user_ns)) {
		return -EOVERFLOW;
	} else {
		set_revision(&data, LINUX_VFS_CAP_REVISION_2);
	}
	if (!size)
		return (int64_t)shown;
	if (size < shown)
		return -ERANGE;
	memcpy(value, &data, shown);
	return (int64_t)shown;
}

int file_caps_kill_slowly(struct inode *inode)
{
	int64_t size = -ENODATA;
	int result = 0;

	/* First the flag, then the look: who sets them clears it after. */
	inode->no_file_caps = true;
	if (inode->ops->getxattr)
		size = inode->ops->getxattr(inode, LINUX_XATTR_NAME_CAPS, NULL, 0);
	if (size < 0 || !inode->ops->removexattr)
		return 0;
	inode->no_file_caps = false;
	result = inode->ops->removexattr(inode, LINUX_XATTR_NAME_CAPS);
	return result == -ENODATA ? 0 : result;
}
