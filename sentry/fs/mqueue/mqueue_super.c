/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file system of an ipc namespace's queues: one flat directory, and mq_open(2) and mq_unlink(2)
 * on it. It comes to be when somebody first uses it, and lives while the namespace or a mount does.
 */
#include "abi/capability.h"
#include "abi/dirent.h"
#include "abi/fcntl.h"
#include "abi/inotify.h"
#include "abi/limits.h"
#include "abi/resource.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "sentry/fs/mqueue/mqueue_queue.h"
#include "sentry/kernel/ipc_namespace.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/user_count.h"
#include "sentry/vfs/dentry.h"
#include "sentry/vfs/mount.h"
#include "sentry/vfs/names.h"
#include "sentry/vfs/open.h"
#include "sentry/vfs/permission.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Linux's bounds, also for who may pass the settings. */
#define HARD_MESSAGES_MAX 65536
#define HARD_SIZE_MAX	  (16 * 1024 * 1024)
/* What a message and a priority cost beside the text, for RLIMIT_MSGQUEUE. */
#define MESSAGE_COST 48
#define NODE_COST    48
/* Sizes that the files and each name in the directory show. */
#define FILE_SIZE 80
#define NAME_SIZE 20

struct mqueue_name {
	TAILQ_ENTRY(mqueue_name) link;
	struct inode *inode; /* a reference */
	int64_t cookie;
	char text[];
};

struct mqueue_fs {
	struct mqueue_settings settings;
	TAILQ_HEAD(, mqueue_name) names; /* in the order of their cookies; the root's inode lock */
	int64_t last_cookie;
	atomic_uint queues;
};

static const struct inode_operations queue_operations;

static struct mqueue_fs *fs_of(const struct inode *inode)
{
	return inode->sb->private;
}

static int setattr(
	struct inode *inode, const struct inode_attributes *attributes, unsigned int mask)
{
	inode_apply_attributes(inode, attributes, mask & ~(unsigned int)ATTRIBUTE_SIZE);
	inode_touch_ctime_locked(inode);
	return 0;
}

/* --- queues --- */

static int check_attributes(
	const struct mqueue_settings *settings, const struct linux_mq_attr *attributes)
{
	bool free_hand = capable(LINUX_CAP_SYS_RESOURCE);
	int64_t messages = free_hand ? HARD_MESSAGES_MAX : settings->msg_max;
	int64_t size = free_hand ? HARD_SIZE_MAX : settings->msgsize_max;

	if (attributes->mq_maxmsg <= 0 || attributes->mq_msgsize <= 0 ||
		attributes->mq_maxmsg > messages || attributes->mq_msgsize > size)
		return -EINVAL;
	return 0;
}

static void default_attributes(
	const struct mqueue_settings *settings, struct linux_mq_attr *attributes)
{
	*attributes = (struct linux_mq_attr){
		.mq_maxmsg = min_u64(settings->msg_max, settings->msg_default),
		.mq_msgsize = min_u64(settings->msgsize_max, settings->msgsize_default),
	};
}

static int charged_queue_new(const struct linux_mq_attr *attributes, struct mqueue **out)
{
	uint64_t messages = (uint64_t)attributes->mq_maxmsg;
	uint64_t charge = messages * ((uint64_t)attributes->mq_msgsize + MESSAGE_COST) +
			  min_u64(messages, LINUX_MQ_PRIO_MAX) * NODE_COST;
	uint32_t uid = current->cred->uid;
	int error;

	if (!user_count_add(USER_QUEUE_BYTES, uid, charge,
		    rlimit_of(current->group, LINUX_RLIMIT_MSGQUEUE)))
		return -EMFILE;
	error = mqueue_new(attributes, uid, charge, out);
	if (error)
		user_count_remove(USER_QUEUE_BYTES, uid, charge);
	return error;
}

static int queue_inode_new(struct inode *directory, uint32_t mode,
	const struct linux_mq_attr *attributes, struct inode **out)
{
	struct linux_mq_attr defaults;
	int error = 0;

	if (attributes)
		error = check_attributes(&fs_of(directory)->settings, attributes);
	else
		default_attributes(&fs_of(directory)->settings, &defaults);
	if (!error)
		error = inode_new(directory->sb, LINUX_S_IFREG | (mode & LINUX_S_IALLUGO),
			&queue_operations, &mqueue_file_operations, out);
	if (error)
		return error;
	(*out)->attributes.uid = current->cred->fsuid;
	(*out)->attributes.gid = current->cred->fsgid;
	(*out)->attributes.size = FILE_SIZE;
	error = charged_queue_new(
		attributes ? attributes : &defaults, (struct mqueue **)&(*out)->private);
	if (error)
		inode_put(*out);
	return error;
}

/* --- the directory --- */

static struct mqueue_name *find_name(struct inode *directory, const char *text)
{
	struct mqueue_name *name;

	TAILQ_FOREACH (name, &fs_of(directory)->names, link)
		if (!strcmp(name->text, text))
			return name;
	return NULL;
}

static int lookup(struct inode *directory, const char *text, struct inode **out)
{
	struct mqueue_name *name = find_name(directory, text);

	if (!name)
		return -ENOENT;
	*out = inode_get(name->inode);
	return 0;
}

static bool take_place(struct mqueue_fs *fs)
{
	unsigned int queues = atomic_fetch_add(&fs->queues, 1);

	if (queues < (unsigned int)fs->settings.queues_max || capable(LINUX_CAP_SYS_RESOURCE))
		return true;
	atomic_fetch_sub(&fs->queues, 1);
	return false;
}

/* The directory is locked, and the name is free. */
static int create_queue(struct inode *directory, const char *text, uint32_t mode,
	const struct linux_mq_attr *attributes, struct inode **out)
{
	struct mqueue_fs *fs = fs_of(directory);
	size_t size = strlen(text) + 1;
	struct mqueue_name *name;
	int error;

	if (!take_place(fs))
		return -ENOSPC;
	name = malloc(sizeof(*name) + size);
	error = name ? queue_inode_new(directory, mode, attributes, out) : -ENOMEM;
	if (error) {
		atomic_fetch_sub(&fs->queues, 1);
		free(name);
		return error;
	}
	memcpy(name->text, text, size);
	name->inode = inode_get(*out);
	name->cookie = ++fs->last_cookie;
	TAILQ_INSERT_TAIL(&fs->names, name, link);
	directory->attributes.size += NAME_SIZE;
	inode_touch_mtime_locked(directory);
	return 0;
}

static int create(struct inode *directory, const char *text, uint32_t mode, uint64_t rdev,
	const struct cred *cred, struct inode **out)
{
	if (!current || !LINUX_S_ISREG(mode))
		return -EPERM;
	return create_queue(directory, text, mode, NULL, out);
}

static int unlink_queue(struct inode *directory, const char *text, struct inode *target)
{
	struct mqueue_name *name = find_name(directory, text);

	if (!name || name->inode != target)
		return -ENOENT;
	TAILQ_REMOVE(&fs_of(directory)->names, name, link);
	inode_put(name->inode);
	free(name);
	target->attributes.nlink--;
	inode_touch_ctime_locked(target);
	directory->attributes.size -= NAME_SIZE;
	inode_touch_mtime_locked(directory);
	return 0;
}

static int iterate(struct file *file, struct dir_context *context)
{
	struct mqueue_name *name;

	TAILQ_FOREACH (name, &fs_of(file->inode)->names, link)
		if (name->cookie >= context->position &&
			!context->emit(context, name->text, strlen(name->text), name->cookie + 1,
				name->inode->attributes.ino, LINUX_DT_REG))
			break;
	return 0;
}

static const struct inode_operations queue_operations = {.setattr = setattr};
static const struct inode_operations directory_operations = {
	.lookup = lookup,
	.create = create,
	.unlink = unlink_queue,
	.setattr = setattr,
};
static const struct file_operations directory_file_operations = {.iterate = iterate};

/* --- the super block --- */

/* The root goes when nobody uses the file system any more. */
static void forget_names(struct mqueue_fs *fs)
{
	struct mqueue_name *name;

	while ((name = TAILQ_FIRST(&fs->names))) {
		TAILQ_REMOVE(&fs->names, name, link);
		inode_put(name->inode);
		free(name);
	}
}

static void inode_release(struct inode *inode)
{
	if (inode_is_type(inode, LINUX_S_IFDIR)) {
		forget_names(fs_of(inode));
	} else if (inode->private) {
		mqueue_free(inode->private);
		atomic_fetch_sub(&fs_of(inode)->queues, 1);
	}
}

static void super_release(struct super_block *sb)
{
	free(sb->private);
}

static int statfs(struct super_block *sb, struct linux_statfs *out)
{
	out->f_bsize = PAGE_SIZE;
	out->f_frsize = PAGE_SIZE;
	out->f_namelen = LINUX_NAME_MAX;
	return 0;
}

static const struct super_operations super_operations = {
	.inode_release = inode_release,
	.super_release = super_release,
	.statfs = statfs,
};

static const struct file_system_type mqueue_type;

static int make_root(struct super_block *sb)
{
	struct inode *root;
	int error = inode_new(sb, LINUX_S_IFDIR | 01777, &directory_operations,
		&directory_file_operations, &root);

	if (error)
		return error;
	root->attributes.nlink = 2;
	return super_block_set_root(sb, root);
}

static int super_new(struct super_block **out)
{
	struct mqueue_fs *fs = malloc(sizeof(*fs));
	int error;

	if (!fs)
		return -ENOMEM;
	*fs = (struct mqueue_fs){
		.settings = {256, 10, 8192, 10, 8192},
		.last_cookie = 1,
	};
	TAILQ_INIT(&fs->names);
	error = super_block_new(&mqueue_type, &super_operations, LINUX_MQUEUE_MAGIC, out);
	if (error) {
		free(fs);
		return error;
	}
	(*out)->private = fs;
	error = make_root(*out);
	if (error)
		super_block_put(*out);
	return error;
}

/* The mount that mq_open(2) uses; borrowed from the current task's namespace, which gets it now if
 * it has none. */
static int current_mount(struct mount **out)
{
	struct mount *_Atomic *slot = ipc_namespace_mqueue();
	struct mount *mount = atomic_load(slot), *expected = NULL;
	struct super_block *sb;
	int error = 0;

	if (!mount) {
		error = super_new(&sb);
		if (error)
			return error;
		error = mount_new(sb, sb->root, "mqueue", 0, &mount);
		super_block_put(sb);
		if (error)
			return error;
		/* Another may have been faster. */
		if (!atomic_compare_exchange_strong(slot, &expected, mount)) {
			mount_put(mount);
			mount = expected;
		}
	}
	*out = mount;
	return 0;
}

static int mount_type(const struct file_system_type *type, const char *source, unsigned long flags,
	const char *options, struct super_block **out)
{
	struct mount *mount;
	int error = current_mount(&mount);

	if (!error)
		*out = super_block_get(mount->sb);
	return error;
}

static const struct file_system_type mqueue_type = {
	.name = "mqueue",
	.needs_no_device = true,
	.mount = mount_type,
};

void mqueue_register(void)
{
	file_system_register(&mqueue_type);
}

int mqueue_settings_current(struct mqueue_settings **out)
{
	struct mount *mount;
	int error = current_mount(&mount);

	if (!error)
		*out = &((struct mqueue_fs *)mount->sb->private)->settings;
	return error;
}

/* --- mq_open(2), mq_unlink(2) --- */

static int check_name(const char *name)
{
	if (!*name)
		return -ENOENT;
	if (strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return -EACCES;
	return strlen(name) > LINUX_NAME_MAX ? -ENAMETOOLONG : 0;
}

static int may_open(struct inode *inode, uint32_t flags)
{
	static const unsigned int masks[] = {MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE};

	if ((flags & (LINUX_O_CREAT | LINUX_O_EXCL)) == (LINUX_O_CREAT | LINUX_O_EXCL))
		return -EEXIST;
	if ((flags & LINUX_O_ACCMODE) == LINUX_O_ACCMODE)
		return -EINVAL;
	return inode_permission(inode, current->cred, masks[flags & LINUX_O_ACCMODE]);
}

/* Finds the queue or makes it; the directory is locked. */
static int find_or_create(const struct path *root, struct dentry *dentry, uint32_t flags,
	uint32_t mode, const struct linux_mq_attr *attributes)
{
	struct inode *directory = path_inode(root), *inode;
	int error;

	if (dentry_inode(dentry))
		return may_open(dentry_inode(dentry), flags);
	if (!(flags & LINUX_O_CREAT))
		return -ENOENT;
	error = directory_may_create(directory, current->cred);
	if (!error)
		error = create_queue(
			directory, dentry->name, mode & ~current->fs->umask, attributes, &inode);
	if (error)
		return error;
	dentry_instantiate(dentry, inode);
	notify_name_event(root->dentry, dentry->name, inode, LINUX_IN_CREATE, 0);
	return 0;
}

int mqueue_open(const char *name, uint32_t flags, uint32_t mode,
	const struct linux_mq_attr *attributes, struct file **out)
{
	struct component component = component_from_string(name);
	struct path root, path;
	struct mount *mount;
	int error = check_name(name);

	if (!error)
		error = current_mount(&mount);
	if (error)
		return error;
	root = (struct path){mount, mount->root};
	dentry_cache_trim();
	mutex_lock(&path_inode(&root)->lock);
	error = dentry_lookup_locked(root.dentry, &component, &path.dentry);
	if (!error) {
		error = find_or_create(&root, path.dentry, flags, mode, attributes);
		if (error)
			dentry_put(path.dentry);
	}
	mutex_unlock(&path_inode(&root)->lock);
	if (error)
		return error;
	path.mount = mount;
	error = file_open_path(&path, flags, current->cred, out);
	dentry_put(path.dentry);
	return error;
}

int mqueue_unlink(const char *name)
{
	struct mount *mount;
	int error = check_name(name);

	if (!error)
		error = current_mount(&mount);
	if (error)
		return error;
	return path_unlink_in(&(struct path){mount, mount->root}, name);
}
