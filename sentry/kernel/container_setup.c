/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's tree and settings, made on the thread of its first process, as root in its
 * namespaces: mounts in the config's order, devices, what is hidden or read-only, sysctls.
 *
 * Differs from Linux: what engines mount by habit and the kernel has not is an empty read-only
 * directory; cgroup file systems of version 1 are one of version 2.
 */
#include "abi/fcntl.h"
#include "abi/limits.h"
#include "abi/mount.h"
#include "abi/stat.h"
#include "sentry/fs/devpts/tty.h"
#include "sentry/fs/host/host.h"
#include "sentry/kernel/boot_mounts.h"
#include "sentry/kernel/container_private.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/mount.h"
#include "sentry/vfs/names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PROPAGATIONS (LINUX_MS_SHARED | LINUX_MS_SLAVE | LINUX_MS_PRIVATE | LINUX_MS_UNBINDABLE)

static int find(const char *name, unsigned int flags, struct path *out)
{
	return path_lookup(LINUX_AT_FDCWD, name, flags | WALK_FOLLOW, out);
}

/* --- file systems and binds --- */

/* Looks inside first, follows no link out of the root, and makes what is missing. */
static int mount_inside(const struct path *root, const struct sandbox_mount *mount)
{
	struct path source, where;
	int err = find(mount->source, 0, &source);

	if (err)
		return err;
	err = boot_find_mount_point(root, mount->destination,
		inode_is_type(path_inode(&source), LINUX_S_IFDIR), &where);
	if (!err) {
		err = mount_bind(&source, &where, mount->recursive, mount->flags);
		path_put(&where);
	}
	path_put(&source);
	return err;
}

/* What engines mount by habit, and programs do without. */
static bool may_be_empty(const char *type)
{
	static const char *const types[] = {"securityfs", "debugfs", "tracefs", "bpf", "fusectl"};

	for (size_t i = 0; i < array_count(types); i++) {
		if (!strcmp(types[i], type))
			return true;
	}
	return false;
}

static int mount_fs(const struct container_config *config, const struct path *root,
	const struct sandbox_mount *mount)
{
	const struct sandbox_config shared = {
		.host_ids = config->host_ids, .console = {.fd = -1}};
	struct sandbox_mount stand_in = *mount;

	/* Its one cgroup is not to be changed, whatever engines ask for. */
	if (mount->type == SANDBOX_MOUNT_FS &&
		(!strcmp(mount->fs_type, "cgroup") || !strcmp(mount->fs_type, "cgroup2"))) {
		stand_in.fs_type = "cgroup2";
		stand_in.options = NULL;
		stand_in.flags |= LINUX_MS_RDONLY;
	}
	if (mount->type == SANDBOX_MOUNT_FS && may_be_empty(mount->fs_type) &&
		!file_system_find(mount->fs_type)) {
		stand_in.fs_type = "tmpfs";
		stand_in.options = "mode=755,size=0";
		stand_in.flags |= LINUX_MS_RDONLY;
	}
	return boot_add_mount(&shared, root, &stand_in);
}

/* The directory is looked up before it is covered. */
static int mount_copied(const struct container_config *config, const struct path *root,
	const struct sandbox_mount *mount)
{
	struct path covered, where;
	int err = find(mount->destination, WALK_DIRECTORY, &covered);

	if (err)
		return err == -ENOENT ? mount_fs(config, root, mount) : err;
	err = mount_fs(config, root, mount);
	if (!err)
		err = find(mount->destination, WALK_DIRECTORY, &where);
	if (!err) {
		err = container_copy_up(&covered, path_inode(&where));
		path_put(&where);
	}
	path_put(&covered);
	return err;
}

static int set_propagation(const char *destination, unsigned long flags)
{
	struct path where;
	int err = find(destination, 0, &where);

	if (err)
		return err;
	for (unsigned long type = LINUX_MS_UNBINDABLE; type <= LINUX_MS_SHARED && !err;
		type <<= 1) {
		if (flags & type & PROPAGATIONS)
			err = mount_set_propagation(&where, type, flags & LINUX_MS_REC);
	}
	path_put(&where);
	return err;
}

/* --- changes of what is mounted --- */

static int remount(const struct sandbox_mount *mount)
{
	struct mount *at;
	struct path where;
	int err = find(mount->destination, 0, &where);

	if (err)
		return err;
	mount_lock();
	for (at = where.mount; at;
		at = mount->recursive ? mount_next_locked(at, where.mount) : NULL)
		at->flags |= mount->flags & MOUNT_FLAGS;
	mount_changed_locked(where.mount->ns);
	mount_unlock();
	path_put(&where);
	return 0;
}

static int make_read_only(const struct sandbox_mount *mount)
{
	struct sandbox_mount change = *mount;
	struct path where;
	int err = find(mount->destination, 0, &where);

	if (err == -ENOENT || err == -ENOTDIR)
		return 0;
	if (err)
		return err;
	err = mount_bind(&where, &where, true, 0);
	path_put(&where);
	change.flags = LINUX_MS_RDONLY;
	return err ? err : remount(&change);
}

static int mask_file(const struct path *where)
{
	struct path null;
	int err = find("/dev/null", 0, &null);

	if (err)
		return err;
	err = mount_bind(&null, where, false, 0);
	path_put(&null);
	return err;
}

static int mask(const struct sandbox_mount *mount)
{
	struct path where;
	int err = find(mount->destination, 0, &where);

	if (err == -ENOENT || err == -ENOTDIR)
		return 0;
	if (err)
		return err;
	if (inode_is_type(path_inode(&where), LINUX_S_IFDIR))
		err = mount_new_file_system(
			"tmpfs", "tmpfs", LINUX_MS_RDONLY, "size=0,mode=755", &where);
	else
		err = mask_file(&where);
	path_put(&where);
	return err;
}

/* --- nodes --- */

/* The directories above a name. */
static int make_parents(const char *name)
{
	uninitialized_ char text[LINUX_PATH_MAX];
	int err = 0;

	if (strlen(name) >= sizeof(text))
		return -ENAMETOOLONG;
	strcpy(text, name);
	for (char *slash = strchr(text + 1, '/'); slash && !err; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		err = path_mkdir(LINUX_AT_FDCWD, text, 0755);
		if (err == -EEXIST || err == -EROFS)
			err = 0;
		*slash = '/';
	}
	return err;
}

static int own(const char *name, const struct sandbox_mount *mount)
{
	struct inode_attributes attributes = {
		.mode = mount->mode, .uid = mount->uid, .gid = mount->gid};
	struct inode *inode;
	struct path path;
	int err = path_lookup(LINUX_AT_FDCWD, name, 0, &path);

	if (err)
		return err;
	inode = path_inode(&path);
	mutex_lock(&inode->lock);
	err = inode->ops->setattr ? inode->ops->setattr(inode, &attributes,
					    ATTRIBUTE_MODE | ATTRIBUTE_UID | ATTRIBUTE_GID)
				  : 0;
	mutex_unlock(&inode->lock);
	path_put(&path);
	return err;
}

/* One that is there already stays, as engines give images with devices of their own. */
static int make_node(const struct sandbox_mount *mount)
{
	int err = make_parents(mount->destination);

	if (!err)
		err = path_mknod(LINUX_AT_FDCWD, mount->destination, mount->mode, mount->rdev);
	if (err == -EEXIST)
		return 0;
	return err ? err : own(mount->destination, mount);
}

static int make_symlink(const struct sandbox_mount *mount)
{
	int err = make_parents(mount->destination);

	if (!err)
		err = path_symlink(mount->source, LINUX_AT_FDCWD, mount->destination);
	return err == -EEXIST || err == -EROFS ? 0 : err;
}

/* --- all of it --- */

static int apply(const struct container_config *config, const struct path *root,
	const struct sandbox_mount *mount)
{
	switch (mount->type) {
	case SANDBOX_MOUNT_INSIDE:
		return mount_inside(root, mount);
	case SANDBOX_MOUNT_NODE:
		return make_node(mount);
	case SANDBOX_MOUNT_SYMLINK:
		return make_symlink(mount);
	case SANDBOX_MOUNT_MASK:
		return mask(mount);
	case SANDBOX_MOUNT_REMOUNT:
		return remount(mount);
	case SANDBOX_MOUNT_READ_ONLY:
		return make_read_only(mount);
	case SANDBOX_MOUNT_PROPAGATION:
		return set_propagation(mount->destination, mount->flags);
	default:
		return mount->copy_up ? mount_copied(config, root, mount)
				      : mount_fs(config, root, mount);
	}
}

static int set_sysctl(const struct sysctl_setting *setting)
{
	char name[256];
	struct iov_iter iter;
	struct file *file;
	int64_t written;
	int err, size = snprintf(name, sizeof(name), "/proc/sys/%s", setting->name);

	if (size < 0 || (size_t)size >= sizeof(name))
		return -ENAMETOOLONG;
	if (!strchr(setting->name, '/')) {
		for (char *dot = name; (dot = strchr(dot, '.'));)
			*dot = '/';
	}
	err = file_open_at(LINUX_AT_FDCWD, name, LINUX_O_WRONLY, 0, 0, &file);
	if (err)
		return err;
	iov_iter_init_kernel(&iter, (void *)setting->value, strlen(setting->value), false);
	written = file_write(file, &iter, NULL);
	file_put(file);
	return written < 0 ? (int)written : 0;
}

static int set_sysctls(const struct container_config *config, struct container_error *error)
{
	for (size_t i = 0; i < config->sysctl_count; i++) {
		int err = set_sysctl(&config->sysctls[i]);

		if (err)
			return container_fail(error, err,
				"linux.sysctl.%s: cannot be set to %s: %s", config->sysctls[i].name,
				config->sysctls[i].value, strerror(-err));
	}
	return 0;
}

static bool is_protection(const struct sandbox_mount *mount)
{
	return mount->type == SANDBOX_MOUNT_READ_ONLY || mount->type == SANDBOX_MOUNT_MASK;
}

int container_set_up(struct container *container, const struct container_config *config,
	struct container_error *error)
{
	const struct path *root = &current->fs->root;
	bool sysctls_set = false;
	int err = 0;

	current->fs->umask = 0;
	for (size_t i = 1; i < config->mount_count && !err; i++) {
		const struct sandbox_mount *mount = &config->mounts[i];

		/* Before settings become read-only. */
		if (is_protection(mount) && !sysctls_set) {
			sysctls_set = true;
			err = set_sysctls(config, error);
			if (err)
				return err;
		}
		err = apply(config, root, mount);
		if (err)
			return container_fail(error, err, "cannot set up %s%s%s inside: %s",
				mount->destination, mount->source ? " from " : "",
				mount->source ? mount->source : "", strerror(-err));
	}
	return sysctls_set ? 0 : set_sysctls(config, error);
}

/* --- descriptors and the terminal --- */

static int open_terminal(struct container_process *process)
{
	const struct process_config *config = process->process;
	struct path path;
	int err = find("/dev/pts", WALK_DIRECTORY, &path);

	if (err)
		return err;
	if (devpts_of(path.dentry->sb))
		err = console_new(devpts_of(path.dentry->sb), &config->console, &process->tty);
	else
		err = -ENODEV;
	path_put(&path);
	if (err)
		return err;
	mutex_lock(&process->tty->inode->lock);
	process->tty->inode->attributes.uid = config->uid;
	mutex_unlock(&process->tty->inode->lock);
	return 0;
}

static int terminal_name(struct container_process *process, char *name, size_t size)
{
	return snprintf(name, size, "/dev/pts/%d", process->tty->index);
}

static int open_terminal_file(struct container_process *process, struct file **out)
{
	char name[32];

	(void)terminal_name(process, name, sizeof(name));
	return file_open_at(LINUX_AT_FDCWD, name, LINUX_O_RDWR | LINUX_O_NOCTTY, 0, 0, out);
}

static int open_one(struct container_process *process, int fd)
{
	const struct process_config *config = process->process;
	struct file *file;
	int err;

	if (process->tty && fd < 3)
		err = open_terminal_file(process, &file);
	else if (config->stdio[fd] < 0)
		return 0;
	else
		err = host_stdio_file_new(
			config->stdio[fd], process->container->host_ids, &file);
	if (err)
		return err;
	err = fd_replace(current->files, fd, file, false);
	file_put(file);
	return err;
}

int container_open_files(struct container_process *process, struct container_error *error)
{
	const struct process_config *config = process->process;
	int err = config->has_terminal ? open_terminal(process) : 0;

	if (err)
		return container_fail(
			error, err, "process.terminal: no terminal without a devpts on /dev/pts");
	for (size_t fd = 0; fd < config->stdio_count; fd++) {
		err = open_one(process, (int)fd);
		if (err)
			return container_fail(error, err, "cannot pass descriptor %zu on: %s", fd,
				strerror(-err));
	}
	return 0;
}

int container_bind_console(struct container_process *process, struct container_error *error)
{
	char name[32];
	const struct sandbox_mount mount = {
		.type = SANDBOX_MOUNT_INSIDE, .source = name, .destination = "/dev/console"};
	int err;

	(void)terminal_name(process, name, sizeof(name));
	err = mount_inside(&current->fs->root, &mount);
	return err == -EROFS ? 0
	       : err	     ? container_fail(error, err, "/dev/console: %s", strerror(-err))
			     : 0;
}
