/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a domain allows of a file: rules are met on the way from it up to the root, at its own inode
 * and at those of the directories and mounts above. A layer allows a right if any rule of its own
 * does; all layers must.
 */
#include "sentry/security/landlock/domain.h"

#include "abi/file_attr.h"
#include "abi/ioctl.h"
#include "abi/stat.h"
#include "sentry/vfs/dentry.h"
#include "sentry/vfs/mount.h"

#include <errno.h>

bool landlock_is_placeless(const struct path *path)
{
	return path->mount == mount_nowhere() || path->dentry->sb->placeless;
}

bool landlock_step_up(struct landlock_place *place)
{
	/* What a mount covers is not met. */
	while (place->dentry == place->mount->root) {
		if (!place->mount->parent)
			return false;
		place->dentry = place->mount->mountpoint;
		place->mount = place->mount->parent;
	}
	/* Out of a bind mount, whose directory was moved away: what is mounted counts too. */
	if (place->dentry->parent == place->dentry)
		place->dentry = place->mount->root;
	else
		place->dentry = place->dentry->parent;
	return true;
}

const struct landlock_rule *landlock_find_dentry(
	const struct landlock_domain *domain, const struct dentry *dentry)
{
	struct inode *inode = dentry_inode(dentry);

	if (!inode)
		return NULL;
	if (!inode->sb->inodes_are_fleeting &&
		!atomic_load_explicit(&inode->landlocked, memory_order_relaxed))
		return NULL;
	return landlock_find_inode(domain, inode);
}

/* Those of access that are refused. */
static uint16_t denied_access(
	const struct landlock_domain *domain, const struct path *path, uint16_t access)
{
	struct landlock_place place = {path->mount, path->dentry};
	struct landlock_masks masks;

	if (!domain->all.fs)
		return 0;
	access = landlock_masks_begin(domain, LANDLOCK_FS, access, &masks);
	if (!access || landlock_is_placeless(path))
		return 0;
	dentry_tree_lock();
	while (!landlock_masks_allow(&masks, landlock_find_dentry(domain, place.dentry), access)) {
		if (!landlock_step_up(&place))
			break;
	}
	dentry_tree_unlock();
	return landlock_masks_denied(&masks, access);
}

int landlock_check_path_slow(
	const struct landlock_domain *domain, const struct path *path, uint16_t access)
{
	return denied_access(domain, path, access) ? -EACCES : 0;
}

int landlock_check_mounts(void)
{
	const struct landlock_domain *domain = landlock_current();

	return likely(!domain) || !domain->all.fs ? 0 : -EPERM;
}

static bool is_device(const struct inode *inode)
{
	return inode_is_type(inode, LINUX_S_IFCHR) || inode_is_type(inode, LINUX_S_IFBLK);
}

int landlock_check_open_slow(const struct landlock_domain *domain, struct file *file)
{
	uint16_t access = 0, later = LINUX_LANDLOCK_ACCESS_FS_TRUNCATE, denied;

	if (file->mode & FILE_READ)
		access = LINUX_LANDLOCK_ACCESS_FS_READ_FILE;
	if (file->mode & FILE_WRITE)
		access |= LINUX_LANDLOCK_ACCESS_FS_WRITE_FILE;
	if (file->mode & FILE_EXEC)
		access |= LINUX_LANDLOCK_ACCESS_FS_EXECUTE;
	if ((file->mode & FILE_READ) && inode_is_type(file->inode, LINUX_S_IFDIR))
		access = LINUX_LANDLOCK_ACCESS_FS_READ_DIR;
	if (is_device(file->inode))
		later |= LINUX_LANDLOCK_ACCESS_FS_IOCTL_DEV;
	denied = denied_access(domain, &file->path, access | later);
	file->landlock_denied = denied & later;
	return denied & access ? -EACCES : 0;
}

/* What the VFS does for any file, and cannot harm with a device. */
static bool is_harmless(uint32_t command)
{
	switch (command) {
	case LINUX_FIOCLEX:
	case LINUX_FIONCLEX:
	case LINUX_FIONBIO:
	case LINUX_FIOASYNC:
	case LINUX_FIOQSIZE:
	case LINUX_FIFREEZE:
	case LINUX_FITHAW:
	case LINUX_FS_IOC_FIEMAP:
	case LINUX_FIGETBSZ:
	case LINUX_FICLONE:
	case LINUX_FICLONERANGE:
	case LINUX_FIDEDUPERANGE:
	case LINUX_FS_IOC_GETFSUUID:
	case LINUX_FS_IOC_GETFSSYSFSPATH:
		return true;
	default:
		return false;
	}
}

int landlock_check_ioctl_slow(const struct file *file, uint32_t command)
{
	if (!(file->landlock_denied & LINUX_LANDLOCK_ACCESS_FS_IOCTL_DEV) || is_harmless(command))
		return 0;
	return -EACCES;
}

uint16_t landlock_access_to_make(uint32_t mode)
{
	switch (mode & LINUX_S_IFMT) {
	case LINUX_S_IFLNK:
		return LINUX_LANDLOCK_ACCESS_FS_MAKE_SYM;
	case LINUX_S_IFDIR:
		return LINUX_LANDLOCK_ACCESS_FS_MAKE_DIR;
	case LINUX_S_IFCHR:
		return LINUX_LANDLOCK_ACCESS_FS_MAKE_CHAR;
	case LINUX_S_IFBLK:
		return LINUX_LANDLOCK_ACCESS_FS_MAKE_BLOCK;
	case LINUX_S_IFIFO:
		return LINUX_LANDLOCK_ACCESS_FS_MAKE_FIFO;
	case LINUX_S_IFSOCK:
		return LINUX_LANDLOCK_ACCESS_FS_MAKE_SOCK;
	default:
		return LINUX_LANDLOCK_ACCESS_FS_MAKE_REG;
	}
}
