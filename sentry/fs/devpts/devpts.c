/* SPDX-License-Identifier: Apache-2.0 */
/*
 * devpts: the file system whose nodes are the slave ends of pseudoterminals, and ptmx, which makes
 * one. Each mount is an instance of its own, as on Linux since 4.7.
 */
#include "sentry/fs/devpts/tty.h"

#include "abi/dirent.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "sentry/kernel/task.h"
#include "sentry/lock_order.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/super_block.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#define DEVPTS_MAGIC 0x1cd1
#define DEVPTS_MAX   1024 /* ptys of an instance */
#define SLAVE_MAJOR  136
#define PTMX_INODE   2
#define TTY_GROUP    5 /* gid=5, as Debian mounts it */
#define FIRST_COOKIE 2

struct devpts {
	struct super_block *sb;	      /* borrowed: it owns us */
	struct mutex lock;	      /* RANK_LEAF: what follows */
	struct tty *ttys[DEVPTS_MAX]; /* references */
	bool taken[DEVPTS_MAX];	      /* its master or a slave is open */
	uint32_t gid, mode, ptmx_mode;
};

static const struct file_system_type devpts_type;

struct devpts *devpts_of(struct super_block *sb)
{
	return sb->type == &devpts_type ? sb->private : NULL;
}

/* Modes, owners and times are all that can change of a node; they live in the inode alone. */
static int node_setattr(
	struct inode *inode, const struct inode_attributes *attributes, unsigned int mask)
{
	struct inode_attributes *own = &inode->attributes;

	if (mask & ATTRIBUTE_SIZE)
		return -EINVAL;
	if (mask & ATTRIBUTE_MODE)
		own->mode = attributes->mode;
	if (mask & ATTRIBUTE_UID)
		own->uid = attributes->uid;
	if (mask & ATTRIBUTE_GID)
		own->gid = attributes->gid;
	if (mask & ATTRIBUTE_ATIME)
		own->atime = attributes->atime;
	if (mask & ATTRIBUTE_MTIME)
		own->mtime = attributes->mtime;
	if (mask & ATTRIBUTE_CTIME)
		own->ctime = attributes->ctime;
	return 0;
}

static const struct inode_operations node_operations = {.setattr = node_setattr};

/* A number without leading zeros, below the limit; -1 for anything else. */
static int parse_index(const char *name)
{
	int index = 0;

	if (!*name || (*name == '0' && name[1]))
		return -1;
	for (; *name; name++) {
		if (*name < '0' || *name > '9')
			return -1;
		index = index * 10 + *name - '0';
		if (index >= DEVPTS_MAX)
			return -1;
	}
	return index;
}

/* Anew at each look-up: an inode holds its file system, so the file system cannot hold an inode. */
static int make_ptmx(struct devpts *devpts, struct inode **out)
{
	int error = inode_new(
		devpts->sb, LINUX_S_IFCHR | devpts->ptmx_mode, &node_operations, NULL, out);

	if (error)
		return error;
	(*out)->attributes.ino = PTMX_INODE;
	(*out)->attributes.rdev = makedev(5, 2);
	return 0;
}

static int devpts_lookup(struct inode *directory, const char *name, struct inode **out)
{
	struct devpts *devpts = directory->sb->private;
	int index = parse_index(name), error = -ENOENT;

	if (!strcmp(name, "ptmx"))
		return make_ptmx(devpts, out);
	if (index < 0)
		return -ENOENT;
	mutex_lock(&devpts->lock);
	if (devpts->ttys[index]) {
		*out = inode_get(devpts->ttys[index]->inode);
		error = 0;
	}
	mutex_unlock(&devpts->lock);
	return error;
}

static const struct inode_operations root_operations = {
	.lookup = devpts_lookup, .setattr = node_setattr};

static bool is_taken(struct devpts *devpts, int index)
{
	mutex_guard(&devpts->lock);

	return devpts->ttys[index] != NULL;
}

static int devpts_iterate(struct file *file, struct dir_context *context)
{
	struct devpts *devpts = file->inode->sb->private;
	int64_t index = context->position - FIRST_COOKIE - 1;

	if (context->position == FIRST_COOKIE) {
		if (!context->emit(context, "ptmx", 4, FIRST_COOKIE + 1, PTMX_INODE, LINUX_DT_CHR))
			return 0;
		index = 0;
	}
	for (; index < DEVPTS_MAX; index++) {
		char name[16];
		int size;

		if (!is_taken(devpts, (int)index))
			continue;
		size = snprintf(name, sizeof(name), "%d", (int)index);
		if (!context->emit(context, name, (size_t)size, FIRST_COOKIE + index + 2,
			    (uint64_t)index + PTMX_INODE + 1, LINUX_DT_CHR))
			return 0;
	}
	return 0;
}

static const struct file_operations root_file_operations = {.iterate = devpts_iterate};

int devpts_add(struct devpts *devpts, struct tty *tty)
{
	struct inode *inode;
	int error, index;

	error = inode_new(devpts->sb, LINUX_S_IFCHR | devpts->mode, &node_operations, NULL, &inode);
	if (error)
		return error;
	mutex_lock(&devpts->lock);
	for (index = 0; index < DEVPTS_MAX && devpts->taken[index]; index++)
		;
	if (index < DEVPTS_MAX) {
		inode->attributes.ino = (uint64_t)index + PTMX_INODE + 1;
		inode->attributes.rdev =
			makedev(SLAVE_MAJOR + (unsigned int)index / 256, (unsigned int)index % 256);
		inode->attributes.uid = current ? current_cred()->fsuid : 0;
		inode->attributes.gid = devpts->gid;
		inode->attributes.blksize = 1024;
		tty->index = index;
		tty->devpts = devpts;
		tty->inode = inode;
		devpts->ttys[index] = tty_get(tty);
		devpts->taken[index] = true;
	}
	mutex_unlock(&devpts->lock);
	if (index == DEVPTS_MAX) {
		inode_put(inode);
		return -ENOSPC;
	}
	return 0;
}

struct tty *devpts_find(struct devpts *devpts, const struct inode *inode)
{
	uint64_t index = inode->attributes.ino - PTMX_INODE - 1;
	struct tty *tty = NULL;

	mutex_lock(&devpts->lock);
	if (index < DEVPTS_MAX && devpts->ttys[index] && devpts->ttys[index]->inode == inode)
		tty = tty_get(devpts->ttys[index]);
	mutex_unlock(&devpts->lock);
	return tty;
}

void devpts_remove(struct tty *tty)
{
	struct devpts *devpts = tty->devpts;
	struct inode *inode;

	mutex_lock(&devpts->lock);
	devpts->ttys[tty->index] = NULL;
	inode = steal_pointer(&tty->inode);
	mutex_unlock(&devpts->lock);
	inode_put(inode);
	tty_put(tty);
}

void devpts_hold(struct tty *tty)
{
	super_block_hold(tty->devpts->sb);
}

void devpts_free_number(struct tty *tty)
{
	struct devpts *devpts = tty->devpts;
	struct super_block *sb = devpts->sb;

	mutex_lock(&devpts->lock);
	devpts->taken[tty->index] = false;
	mutex_unlock(&devpts->lock);
	super_block_release(sb);
}

int devpts_open_peer(struct tty *tty, uint32_t flags, struct file *master, struct file **out)
{
	struct path parent = master->path, path = {0};
	char name[16];
	int error;

	/* The master was opened as a ptmx node of the same file system: the slave is its sibling.
	 */
	if (!parent.dentry || parent.dentry->sb != tty->devpts->sb)
		return -EIO;
	snprintf(name, sizeof(name), "%d", tty->index);
	parent.dentry = tty->devpts->sb->root;
	error = path_lookup_at(&parent, &parent, name, 0, &path);
	if (error)
		return error;
	error = file_open_path(&path, flags & ~(uint32_t)LINUX_O_CLOEXEC, current_cred(), out);
	path_put(&path);
	return error;
}

static void devpts_super_release(struct super_block *sb)
{
	struct devpts *devpts = sb->private;

	if (!devpts)
		return;
	for (int index = 0; index < DEVPTS_MAX; index++) {
		struct tty *tty = devpts->ttys[index];

		if (!tty)
			continue;
		if (tty->inode)
			inode_put(steal_pointer(&tty->inode));
		tty_put(tty);
	}
	mutex_destroy(&devpts->lock);
	free(devpts);
}

static void devpts_show_options(struct super_block *sb, char *buffer, size_t size)
{
	struct devpts *devpts = sb->private;

	snprintf(buffer, size, ",gid=%u,mode=%03o,ptmxmode=%03o", devpts->gid, devpts->mode,
		devpts->ptmx_mode);
}

static const struct super_operations devpts_super_operations = {
	.super_release = devpts_super_release,
	.show_options = devpts_show_options,
};

/* "gid=5,mode=620,ptmxmode=666,newinstance"; unknown words are refused, as Linux does. */
static int parse_options(struct devpts *devpts, const char *options)
{
	char copy[256], *save = NULL;

	if (!options)
		return 0;
	if (strlen(options) >= sizeof(copy))
		return -EINVAL;
	strcpy(copy, options);
	for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		unsigned int value;

		if (sscanf(word, "gid=%u", &value) == 1)
			devpts->gid = value;
		else if (sscanf(word, "ptmxmode=%o", &value) == 1)
			devpts->ptmx_mode = value & 0777;
		else if (sscanf(word, "mode=%o", &value) == 1)
			devpts->mode = value & 0777;
		else if (strncmp(word, "uid=", 4) && strncmp(word, "max=", 4) &&
			 strcmp(word, "newinstance"))
			return -EINVAL;
	}
	return 0;
}

static int make_root(struct super_block *sb)
{
	struct inode *root;
	int error =
		inode_new(sb, LINUX_S_IFDIR | 0755, &root_operations, &root_file_operations, &root);

	if (error)
		return error;
	root->attributes.ino = 1;
	root->attributes.nlink = 2;
	root->attributes.blksize = 1024;
	return super_block_set_root(sb, root);
}

static int devpts_mount(const struct file_system_type *type, const char *source,
	unsigned long flags, const char *options, struct super_block **out)
{
	struct devpts *devpts;
	struct super_block *sb;
	int error = super_block_new(type, &devpts_super_operations, DEVPTS_MAGIC, &sb);

	if (error)
		return error;
	devpts = calloc(1, sizeof(*devpts));
	if (!devpts) {
		super_block_put(sb);
		return -ENOMEM;
	}
	mutex_init(&devpts->lock, RANK_LEAF, "devpts");
	devpts->sb = sb;
	devpts->gid = TTY_GROUP;
	devpts->mode = 0620;
	devpts->ptmx_mode = 0666;
	sb->private = devpts;
	sb->no_name_cache = sb->no_negative_cache = true;
	error = parse_options(devpts, options);
	if (!error)
		error = make_root(sb);
	if (error) {
		super_block_put(sb);
		return error;
	}
	*out = sb;
	return 0;
}

static const struct file_system_type devpts_type = {
	.name = "devpts",
	.needs_no_device = true,
	.mount = devpts_mount,
};

void devpts_register(void)
{
	file_system_register(&devpts_type);
	tty_job_control_init();
	tty_devices_register();
}
