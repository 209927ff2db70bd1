/* SPDX-License-Identifier: Apache-2.0 */
/*
 * devtmpfs: a tmpfs that comes with device nodes and the usual links and directories. Each mount is
 * a fresh one, where Linux has a single instance; so a sandbox's /dev starts clean wherever it is
 * mounted.
 */
#include "sentry/fs/dev/dev.h"

#include "abi/stat.h"
#include "abi/statfs.h"
#include "sentry/fs/dev/memory_devices.h"
#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/vfs/inode.h"
#include "sentry/vfs/path.h"

#define DEVICE(mode, major, minor) (LINUX_S_IFCHR | (mode)), LINUX_MAKEDEV(major, minor)
#define LINK			   LINUX_S_IFLNK | 0777, 0
#define DIRECTORY(mode)		   (LINUX_S_IFDIR | (mode)), 0

static const struct dev_entry {
	const char *name;
	uint32_t mode;
	uint64_t rdev;
	const char *target;
} dev_entries[] = {
	{"null", DEVICE(0666, 1, 3), NULL},
	{"zero", DEVICE(0666, 1, 5), NULL},
	{"full", DEVICE(0666, 1, 7), NULL},
	{"random", DEVICE(0666, 1, 8), NULL},
	{"urandom", DEVICE(0666, 1, 9), NULL},
	{"kmsg", DEVICE(0644, 1, 11), NULL},
	{"tty", DEVICE(0666, 5, 0), NULL},
	{"console", DEVICE(0600, 5, 1), NULL},
	{"ptmx", LINK, "pts/ptmx"},
	{"fd", LINK, "/proc/self/fd"},
	{"stdin", LINK, "/proc/self/fd/0"},
	{"stdout", LINK, "/proc/self/fd/1"},
	{"stderr", LINK, "/proc/self/fd/2"},
	{"core", LINK, "/proc/kcore"},
	{"shm", DIRECTORY(01777), NULL},
	{"pts", DIRECTORY(0755), NULL},
	{"mqueue", DIRECTORY(01777), NULL},
};

static int devtmpfs_mount(const struct file_system_type *type, const char *source,
	unsigned long flags, const char *options, struct super_block **out)
{
	struct super_block *sb;
	struct inode *root;
	int error = tmpfs_super_block_new(type, "mode=755", &sb);

	if (error)
		return error;
	root = sb->root->inode;
	for (size_t i = 0; i < array_count(dev_entries) && !error; i++) {
		const struct dev_entry *entry = &dev_entries[i];

		error = tmpfs_populate(
			root, entry->name, entry->mode, entry->rdev, entry->target, NULL);
	}
	if (error)
		super_block_put(sb);
	else
		*out = sb;
	return error;
}

static const struct file_system_type devtmpfs_type = {
	.name = "devtmpfs",
	.needs_no_device = true,
	.mount = devtmpfs_mount,
};

void dev_register(void)
{
	memory_devices_register();
	file_system_register(&devtmpfs_type);
}
