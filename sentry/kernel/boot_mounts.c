/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the first mount namespace from the sandbox's configuration. No task exists yet: everything
 * is allowed. */
#include "sentry/kernel/boot_mounts.h"

#include "abi/limits.h"
#include "abi/mount.h"
#include "abi/stat.h"
#include "base/log.h"
#include "sentry/fs/anon/anon.h"
#include "sentry/fs/cgroup/cgroup.h"
#include "sentry/fs/dev/dev.h"
#include "sentry/fs/devpts/tty.h"
#include "sentry/fs/host/host.h"
#include "sentry/fs/mqueue/mqueue.h"
#include "sentry/fs/overlay/overlay.h"
#include "sentry/fs/proc/proc.h"
#include "sentry/fs/sys/sys.h"
#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/kernel/changes.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/layer_load.h"
#include "sentry/net/net_namespace.h"
#include "sentry/vfs/dentry.h"
#include "sentry/vfs/mount.h"
#include "sentry/vfs/policy.h"

#include <errno.h>
#include <string.h>

void boot_register_all(void)
{
	tmpfs_register();
	dev_register();
	devpts_register();
	proc_register();
	sys_register();
	mqueue_register();
	cgroup_register();
	net_namespace_register();
}

/* --- file systems --- */

static int make_host(const struct sandbox_config *config, const struct sandbox_mount *mount,
	bool read_only, struct super_block **out)
{
	struct host_super_options options = {
		.read_only = read_only,
		.exclusive = mount->exclusive,
		.gives_owners = mount->gives_owners,
		.host_ids = config->host_ids,
		.source = mount->source,
	};

	return host_super_block_new(mount->source_fd, &options, out);
}

/* What belongs to another overlay is that one's to load. */
static int load_layers(const struct sandbox_config *config, const struct sandbox_mount *mount,
	struct super_block *sb)
{
	const char *nested = NULL;
	int error = 0;

	for (size_t i = 1; i < config->mount_count; i++) {
		if (config->mounts[i].type == SANDBOX_MOUNT_OVERLAY && mount == &config->mounts[0])
			nested = config->mounts[i].destination;
	}
	for (size_t i = 0; i < config->layer_count && !error; i++)
		error = layer_load(config->layer_fds[i], sb, mount->destination, nested);
	if (error)
		super_block_put(sb);
	return error;
}

static int make_overlay(const struct sandbox_config *config, const struct sandbox_mount *mount,
	struct super_block **out)
{
	struct super_block *lower, *upper;
	int error = make_host(config, mount, true, &lower);

	if (error)
		return error;
	error = tmpfs_super_block_new(NULL, "mode=0755", &upper);
	if (!error) {
		error = overlay_super_block_new(lower, upper, out);
		super_block_put(upper);
		if (!error)
			error = load_layers(config, mount, *out);
		if (!error && config->list_changes)
			changes_add_layer(*out, mount->destination);
	}
	super_block_put(lower);
	return error;
}

static int make_file_system(const struct sandbox_config *config, const struct sandbox_mount *mount,
	struct super_block **out)
{
	const struct file_system_type *type;

	switch (mount->type) {
	case SANDBOX_MOUNT_OVERLAY:
		return make_overlay(config, mount, out);
	case SANDBOX_MOUNT_BIND:
		return make_host(config, mount, mount->read_only, out);
	default:
		type = file_system_find(mount->fs_type);
		return type ? type->mount(type, mount->source, mount->flags, mount->options, out)
			    : -ENODEV;
	}
}

/* --- mount points --- */

/* Makes a name in a directory, or finds it; the path moves on to it. */
static int make_step(struct path *at, const char *name, uint32_t mode)
{
	struct component component = component_from_string(name);
	struct inode *directory = path_inode(at), *inode;
	struct dentry *dentry;
	struct cred *root;
	int error;

	if (!inode_is_type(directory, LINUX_S_IFDIR))
		return -ENOTDIR;
	error = cred_new_root(&root);
	if (error)
		return error;
	mutex_lock(&directory->lock);
	error = dentry_lookup_locked(at->dentry, &component, &dentry);
	if (!error && !dentry_inode(dentry)) {
		error = directory->ops->create
				? directory->ops->create(directory, name, mode, 0, root, &inode)
				: -EROFS;
		if (error)
			dentry_put(dentry);
		else
			dentry_instantiate(dentry, inode);
	}
	mutex_unlock(&directory->lock);
	cred_put(root);
	if (error)
		return error;
	dentry_put(at->dentry);
	at->dentry = dentry;
	path_cross_mounts(at);
	return 0;
}

/* One step of the way, through a link that stays below root, or into what is made now. */
static int step_or_make(struct path *at, const struct path *root, const char *name, uint32_t mode)
{
	struct path next;
	int error = path_lookup_at(at, root, name, WALK_FOLLOW, &next);

	if (error == -ENOENT)
		return make_step(at, name, mode);
	if (error)
		return error;
	path_put(at);
	*at = next;
	return 0;
}

/* Walks to a mount point, making directories and at last a directory or an empty file where there
 * is nothing. */
static int make_mount_point(
	const struct path *root, const char *destination, bool directory, struct path *out)
{
	char text[LINUX_PATH_MAX], *save = NULL;
	struct path at = *root;
	int error = 0;

	if (strlen(destination) >= sizeof(text))
		return -ENAMETOOLONG;
	strcpy(text, destination);
	path_get(&at);
	for (char *name = strtok_r(text, "/", &save); name && !error;) {
		char *next = strtok_r(NULL, "/", &save);
		uint32_t mode = next || directory ? LINUX_S_IFDIR | 0755 : LINUX_S_IFREG | 0644;

		if (!strcmp(name, "..") || strlen(name) > LINUX_NAME_MAX)
			error = -EINVAL;
		else if (strcmp(name, ".") != 0)
			error = step_or_make(&at, root, name, mode);
		name = next;
	}
	if (error)
		path_put(&at);
	else
		*out = at;
	return error;
}

/* A place that exists is found with symlinks followed, as mount(2) does; else it is made. */
int boot_find_mount_point(
	const struct path *root, const char *destination, bool directory, struct path *out)
{
	int error = path_lookup_at(root, root, destination, WALK_FOLLOW, out);

	return error == -ENOENT ? make_mount_point(root, destination, directory, out) : error;
}

/* Temporary files have names that are others each time. */
static void add_to_policy(const struct sandbox_mount *mount, struct super_block *sb)
{
	bool scratch = mount->type == SANDBOX_MOUNT_FS &&
		       (!strcmp(mount->fs_type, "tmpfs") || !strcmp(mount->fs_type, "devpts"));

	policy_add_file_system(sb, mount->destination, scratch);
}

int boot_add_mount(const struct sandbox_config *config, const struct path *root,
	const struct sandbox_mount *mount)
{
	unsigned long flags = mount->flags | (mount->read_only ? LINUX_MS_RDONLY : 0);
	struct super_block *sb;
	struct path where;
	bool directory;
	int error = make_file_system(config, mount, &sb);

	if (error)
		return error;
	directory = inode_is_type(dentry_inode(sb->root), LINUX_S_IFDIR);
	error = boot_find_mount_point(root, mount->destination, directory, &where);
	if (error) {
		super_block_put(sb);
		return error;
	}
	add_to_policy(mount, sb);
	error = mount_attach(sb, mount->source, &where, flags);
	path_put(&where);
	/* The console lives in the first devpts. */
	if (!error && devpts_of(sb) && !console_tty() && config->console.fd >= 0)
		error = console_start(devpts_of(sb), &config->console);
	return error;
}

int boot_make_root(const struct sandbox_config *config, struct mount_namespace **out)
{
	struct super_block *sb;
	int error = make_file_system(config, &config->mounts[0], &sb);

	if (!error)
		policy_add_file_system(sb, "/", false);
	if (!error)
		error = mount_namespace_new(sb, config->mounts[0].flags, out);
	if (error)
		log_error("the root file system: error %d", -error);
	return error;
}

int boot_make_mounts(const struct sandbox_config *config, struct mount_namespace **out,
	struct start_failure *failed)
{
	struct mount_namespace *ns;
	struct path root;
	int error = boot_make_root(config, &ns);

	if (error) {
		*failed = (struct start_failure){.step = START_MOUNT, .mount = 0};
		return error;
	}
	mount_namespace_root(ns, &root);
	for (size_t i = 1; i < config->mount_count && !error; i++) {
		error = boot_add_mount(config, &root, &config->mounts[i]);
		if (error) {
			*failed = (struct start_failure){.step = START_MOUNT, .mount = i};
			log_error("mount of %s on %s: error %d", config->mounts[i].source,
				config->mounts[i].destination, -error);
		}
	}
	path_put(&root);
	if (error)
		mount_namespace_put(ns);
	else
		*out = ns;
	return error;
}
