/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes of host files: what guests are shown, and chmod, chown, utimes and truncate on trees
 * that may be written.
 *
 * Differs from Linux: ids are the host's as the sentry's user namespace shows them; a file cannot
 * be given to an id that the host does not let the sentry give it to, whatever capabilities the
 * guest has; on hosts before 6.6 the mode of what cannot be opened for reading stays.
 */
#include "sentry/fs/host/host_fs.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

/* Inode numbers of other mounts of the tree get the mount's index up here. */
#define DEVICE_SHIFT 51

int host_statx(int dirfd, const char *name, struct statx *stx)
{
	int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name ? 0 : AT_EMPTY_PATH);

	return statx(dirfd, name, flags, HOST_STATX_MASK, stx) ? -errno : 0;
}

struct host_identity host_identity_of(const struct statx *stx)
{
	return (struct host_identity){
		.device = LINUX_MAKEDEV(stx->stx_dev_major, stx->stx_dev_minor),
		.ino = stx->stx_ino,
	};
}

static uint64_t device_index(struct host_fs *fs, uint64_t device)
{
	unsigned int i;
	mutex_guard(&fs->lock);

	for (i = 0; i < fs->device_count; i++)
		if (fs->devices[i] == device)
			return i;
	if (i < HOST_MAX_DEVICES)
		fs->devices[fs->device_count++] = device;
	return i;
}

uint64_t host_show_ino(struct host_fs *fs, struct host_identity identity)
{
	/* The root's own mount is set once and by far the most frequent. */
	if (likely(identity.device == fs->devices[0]))
		return identity.ino;
	return identity.ino ^ device_index(fs, identity.device) << DEVICE_SHIFT;
}

static struct linux_timespec time_from(const struct statx_timestamp *time)
{
	return (struct linux_timespec){.tv_sec = time->tv_sec, .tv_nsec = time->tv_nsec};
}

static uint32_t show_id(const struct host_fs *fs, enum host_ids moved, uint32_t id)
{
	if ((fs->host_ids & moved) && id == HOST_MOVED_ID)
		return HOST_OVERFLOW_ID;
	return (fs->host_ids & HOST_IDS_UNMAPPED_ARE_ROOT) && id == HOST_OVERFLOW_ID ? 0 : id;
}

static uint32_t hide_id(const struct host_fs *fs, enum host_ids moved, uint32_t id)
{
	return (fs->host_ids & moved) && id == HOST_OVERFLOW_ID ? HOST_MOVED_ID : id;
}

void host_attributes_from(
	struct host_fs *fs, const struct statx *stx, struct inode_attributes *attributes)
{
	*attributes = (struct inode_attributes){
		.ino = host_show_ino(fs, host_identity_of(stx)),
		.mode = stx->stx_mode,
		.nlink = stx->stx_nlink,
		.uid = show_id(fs, HOST_IDS_OWN_UID_MOVED, stx->stx_uid),
		.gid = show_id(fs, HOST_IDS_OWN_GID_MOVED, stx->stx_gid),
		.rdev = LINUX_MAKEDEV(stx->stx_rdev_major, stx->stx_rdev_minor),
		.size = stx->stx_size,
		.blocks = stx->stx_blocks,
		.blksize = stx->stx_blksize,
		.atime = time_from(&stx->stx_atime),
		.mtime = time_from(&stx->stx_mtime),
		.ctime = time_from(&stx->stx_ctime),
		.btime = time_from(&stx->stx_btime),
	};
}

static bool same_time(const struct linux_timespec *a, const struct linux_timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

void host_attributes_update(struct inode *inode, const struct statx *stx)
{
	struct host_node *node = host_node_of(inode);
	struct inode_attributes now;

	host_attributes_from(node->fs, stx, &now);
	if (!same_time(&now.btime, &inode->attributes.btime)) {
		/* Another file with the same number: what is open is not it. */
		host_handle_forget(&node->write);
		if (!node->is_root)
			host_handle_forget(&node->read);
	}
	now.ino = inode->attributes.ino;
	now.rdev = inode->attributes.rdev;
	now.mode = (inode->attributes.mode & LINUX_S_IFMT) | (now.mode & LINUX_S_IALLUGO);
	inode->attributes = now;
}

void host_attributes_meet(struct inode *inode, const struct statx *stx)
{
	if (!mutex_trylock(&inode->lock))
		return;
	host_attributes_update(inode, stx);
	mutex_unlock(&inode->lock);
}

/* By the name that leads to it; of a directory there is but one. */
static int named_statx(struct host_node *node, struct statx *stx)
{
	bool one_name = node->fs->exclusive || inode_is_type(node->inode, LINUX_S_IFDIR);

	for (;;) {
		struct host_identity identity;
		struct host_place place;
		int error = host_place_acquire(node, &place);

		if (error)
			return error;
		error = host_statx(place.fd, place.name, stx);
		identity = host_identity_of(stx);
		if (!error && (identity.device != node->identity.device ||
				      identity.ino != node->identity.ino))
			error = -ESTALE;
		if (!one_name && (error == -ESTALE || error == -ENOENT))
			host_node_forget_name(node, place.parent, place.name);
		host_place_release(&place);
		if (one_name || (error != -ESTALE && error != -ENOENT))
			return error;
	}
}

/* statx(2) of a node through whatever is open, or by name. -ESTALE when it is not there any more.
 */
static int node_statx(struct host_node *node, struct statx *stx)
{
	struct host_handle *const handles[] = {&node->read, &node->write};
	int error, fd;

	for (size_t i = 0; i < array_count(handles); i++) {
		fd = host_handle_acquire(handles[i]);
		if (fd < 0)
			continue;
		error = host_statx(fd, "", stx);
		host_handle_release(handles[i]);
		return error;
	}
	return named_statx(node, stx);
}

/* Brings attributes up to date; a file that the host removed keeps the last ones and has no links.
 */
static int refresh_locked(struct inode *inode)
{
	struct host_node *node = host_node_of(inode);
	struct statx stx;
	int error;

	atomic_store(&node->dirty, false);
	error = node_statx(node, &stx);
	if (error == -ESTALE || error == -ENOENT) {
		inode->attributes.nlink = 0;
		return 0;
	}
	if (!error)
		host_attributes_update(inode, &stx);
	return error;
}

int host_getattr(struct inode *inode)
{
	struct host_node *node = host_node_of(inode);

	if (node->walled || (node->fs->exclusive && !atomic_load(&node->dirty)))
		return 0;
	mutex_guard(&inode->lock);
	return refresh_locked(inode);
}

static int truncate_file(struct inode *inode, uint64_t size)
{
	struct host_node *node = host_node_of(inode);
	int fd, error = 0;

	if (!inode_is_type(inode, LINUX_S_IFREG))
		return -EINVAL;
	fd = host_file_acquire(node, true, NULL);
	if (fd < 0)
		return fd;
	if (ftruncate(fd, (off_t)size))
		error = -errno;
	host_handle_release(&node->write);
	if (!error)
		mappable_invalidate(
			&node->mappable, page_ceil(size), INT64_MAX - page_ceil(size), true);
	return error;
}

int host_chmod(int dirfd, const char *name, uint32_t mode)
{
	auto_close int opened = -1;
	int fd = dirfd;

	mode &= LINUX_S_IALLUGO;
	if (!syscall(SYS_fchmodat2, dirfd, name, mode, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return 0;
	if (errno != ENOSYS)
		return -errno;
	if (*name)
		fd = opened = host_openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	return fd < 0 ? fd : fchmod(fd, mode) ? -errno : 0;
}

/*
 * The bits of what cannot be opened for reading stay on hosts that do not know the call by which
 * anything can be changed.
 */
static int set_mode(struct host_node *node, uint32_t mode)
{
	struct host_hold hold;
	struct statx stx;
	int fd = host_hold_acquire(node, &hold), error;

	if (fd < 0)
		return fd;
	error = host_chmod(fd, "", mode);
	host_hold_release(&hold);
	if (error != -EBADF || inode_is_type(node->inode, LINUX_S_IFDIR))
		return error;
	fd = host_open_node(node, O_RDONLY | O_NONBLOCK | O_NOCTTY, &stx);
	if (fd < 0)
		return fd;
	error = host_chmod(fd, "", mode);
	(void)close(fd);
	return error;
}

struct owner {
	uid_t uid;
	gid_t gid;
};

static int set_owner(
	struct inode *inode, const struct inode_attributes *attributes, unsigned int mask)
{
	const struct host_fs *fs = host_fs_of(inode->sb);
	struct owner owner = {.uid = (uid_t)-1, .gid = (gid_t)-1};
	struct host_hold hold;
	int fd, error = 0;

	if ((mask & ATTRIBUTE_UID) && attributes->uid != inode->attributes.uid)
		owner.uid = hide_id(fs, HOST_IDS_OWN_UID_MOVED, attributes->uid);
	if ((mask & ATTRIBUTE_GID) && attributes->gid != inode->attributes.gid)
		owner.gid = hide_id(fs, HOST_IDS_OWN_GID_MOVED, attributes->gid);
	if (owner.uid == (uid_t)-1 && owner.gid == (gid_t)-1)
		return 0;
	fd = host_hold_acquire(host_node_of(inode), &hold);
	if (fd < 0)
		return fd;
	if (fchownat(fd, "", owner.uid, owner.gid, AT_EMPTY_PATH))
		error = errno == EINVAL ? -EPERM : -errno; /* no such id in the user namespace */
	host_hold_release(&hold);
	return error;
}

static int set_times(
	struct inode *inode, const struct inode_attributes *attributes, unsigned int mask)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_OMIT}};
	struct host_hold hold;
	int fd, error = 0;

	if (mask & ATTRIBUTE_ATIME)
		times[0] = (struct timespec){attributes->atime.tv_sec, attributes->atime.tv_nsec};
	if (mask & ATTRIBUTE_MTIME)
		times[1] = (struct timespec){attributes->mtime.tv_sec, attributes->mtime.tv_nsec};
	fd = host_hold_acquire(host_node_of(inode), &hold);
	if (fd < 0)
		return fd;
	if (utimensat(fd, "", times, AT_EMPTY_PATH))
		error = -errno;
	host_hold_release(&hold);
	return error;
}

int host_setattr(struct inode *inode, const struct inode_attributes *attributes, unsigned int mask)
{
	struct host_node *node = host_node_of(inode);
	int error = 0;

	if (node->fs->read_only)
		return -EROFS;
	if (mask & ATTRIBUTE_SIZE)
		error = truncate_file(inode, attributes->size);
	if (!error && (mask & (ATTRIBUTE_UID | ATTRIBUTE_GID)))
		error = set_owner(inode, attributes, mask);
	/* chown(2) with the set-user-ID bits stripped asks for a mode too; then it may be what is
	 * there already. */
	if (!error && (mask & ATTRIBUTE_MODE) &&
		((attributes->mode ^ inode->attributes.mode) & LINUX_S_IALLUGO))
		error = set_mode(node, attributes->mode);
	/* Truncation sets the times by itself. */
	if (!error && !(mask & ATTRIBUTE_SIZE) && (mask & (ATTRIBUTE_ATIME | ATTRIBUTE_MTIME)))
		error = set_times(inode, attributes, mask);
	/* A removed file that nothing is open of has them here alone. */
	if (error == -ESTALE && !inode->attributes.nlink && !(mask & ATTRIBUTE_SIZE)) {
		inode_apply_attributes(inode, attributes, mask);
		return 0;
	}
	return error ? error : refresh_locked(inode);
}
