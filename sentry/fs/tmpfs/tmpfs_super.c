/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Super blocks of tmpfs: options, statfs(2), the hidden mount behind memfd_create(2) and shared
 * memory. Without size= a mount gets half of the sandbox's memory, as Linux gives half of the
 * machine's. Options that are about NUMA and huge pages are taken and have no effect.
 */
#include "abi/limits.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "sentry/fs/tmpfs/tmpfs_node.h"
#include "sentry/kernel/credentials.h"
#include "sentry/mm/memory_file.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/permission.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

/* An inode costs the sentry about this much of its own memory: what bounds their number without
 * nr_inodes=. */
#define BYTES_PER_INODE 8192

static const struct super_operations tmpfs_super_ops;
static const struct file_system_type tmpfs_type;
static uint64_t memory_size;
static struct tmpfs_quota all_mounts; /* the writable layers and every tmpfs */
static struct super_block *hidden_mount;

/* A number with k, m, g as its unit, or a part of memory in percent. */
static int parse_size(const char *text, bool percent, uint64_t *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, &end, 0);
	if (errno)
		return -EINVAL;
	if (percent && *end == '%') {
		*value = memory_size / 100 * min_u64(*value, 100);
		end++;
	} else if (*end) {
		unsigned int shift = 0;

		switch (*end | 0x20) {
		case 'k':
			shift = 10;
			break;
		case 'm':
			shift = 20;
			break;
		case 'g':
			shift = 30;
			break;
		default:
			return -EINVAL;
		}
		if (*value > UINT64_MAX >> shift)
			return -EINVAL;
		*value <<= shift;
		end++;
	}
	return *end ? -EINVAL : 0;
}

static int parse_id(const char *text, int base, uint32_t most, uint32_t *value)
{
	char *end;
	unsigned long long number;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	number = strtoull(text, &end, base);
	if (*end || number > most)
		return -EINVAL;
	*value = (uint32_t)number;
	return 0;
}

static bool is_ignored(const char *name)
{
	static const char *const ignored[] = {"huge", "mpol", "inode32", "inode64", "noswap", "rw",
		"ro", "nr_blocks", "usrquota", "grpquota", "quota", "casefold", "strict_encoding"};

	for (size_t i = 0; i < array_count(ignored); i++)
		if (!strcmp(name, ignored[i]))
			return true;
	return false;
}

/* An id of the mounter's user namespace. */
static int parse_owner(const char *name, const char *value, struct tmpfs *fs)
{
	const struct cred *cred = vfs_cred();
	struct user_namespace *ns = cred ? cred->user_ns : user_namespace_initial();
	uint32_t id;
	int error = parse_id(value, 10, UINT32_MAX - 1, &id);

	if (error)
		return error;
	id = *name == 'u' ? user_namespace_make_uid(ns, id) : user_namespace_make_gid(ns, id);
	if (id == UINT32_MAX)
		return -EINVAL;
	*(*name == 'u' ? &fs->uid : &fs->gid) = id;
	return 0;
}

static int parse_option(struct tmpfs *fs, const char *name, const char *value)
{
	uint64_t size;
	int error;

	if (is_ignored(name))
		return 0;
	if (!value)
		return -EINVAL;
	if (!strcmp(name, "size")) {
		error = parse_size(value, true, &size);
		if (!error)
			fs->quota.max_pages = page_ceil(min_u64(size, INT64_MAX)) >> PAGE_SHIFT;
		return error;
	}
	if (!strcmp(name, "nr_inodes"))
		return parse_size(value, false, &fs->max_inodes);
	if (!strcmp(name, "mode"))
		return parse_id(value, 8, LINUX_S_IALLUGO, &fs->mode);
	if (!strcmp(name, "uid") || !strcmp(name, "gid"))
		return parse_owner(name, value, fs);
	return -EINVAL;
}

static int parse_options(struct tmpfs *fs, const char *options)
{
	auto_free char *copy = NULL;
	char *rest, *option;
	int error = 0;

	if (!options)
		return 0;
	copy = strdup(options);
	if (!copy)
		return -ENOMEM;
	rest = copy;
	while (!error && (option = strsep(&rest, ","))) {
		char *value = strchr(option, '=');

		if (!*option)
			continue;
		if (value)
			*value++ = '\0';
		error = parse_option(fs, option, value);
	}
	return error;
}

static int check_option(const char *name, const char *value)
{
	struct tmpfs unused = {0};

	return parse_option(&unused, name, value);
}

static int make_root(struct super_block *sb)
{
	struct tmpfs *fs = tmpfs_of(sb);
	struct inode *root;
	int error = tmpfs_inode_new(sb, LINUX_S_IFDIR | fs->mode, 0, NULL, &root);

	if (error)
		return error;
	root->attributes.uid = fs->uid;
	root->attributes.gid = fs->gid;
	return super_block_set_root(sb, root);
}

int tmpfs_super_block_new(
	const struct file_system_type *type, const char *options, struct super_block **out)
{
	struct tmpfs *fs = calloc(1, sizeof(*fs));
	const struct cred *cred = vfs_cred();
	struct super_block *sb;
	int error;

	if (!fs)
		return -ENOMEM;
	fs->mode = 01777;
	fs->uid = cred ? cred->fsuid : 0;
	fs->gid = cred ? cred->fsgid : 0;
	fs->quota.max_pages = memory_size / 2 >> PAGE_SHIFT;
	fs->max_inodes = memory_size / 2 / BYTES_PER_INODE;
	error = parse_options(fs, options);
	if (!error)
		error = super_block_new(
			type ? type : &tmpfs_type, &tmpfs_super_ops, LINUX_TMPFS_MAGIC, &sb);
	if (error) {
		free(fs);
		return error;
	}
	sb->next_ino = 1;
	sb->exports_handles = true;
	sb->private = fs;
	sb->posix_acl = true;
	sb->inode_flags = true;
	sb->no_devices = sb->user_ns != user_namespace_initial();
	if (hidden_mount)
		fs->quota.total = &all_mounts;
	error = make_root(sb);
	if (error)
		super_block_put(sb);
	else
		*out = sb;
	return error;
}

static void tmpfs_super_release(struct super_block *sb)
{
	free(tmpfs_of(sb));
}

static int tmpfs_statfs(struct super_block *sb, struct linux_statfs *out)
{
	struct tmpfs *fs = tmpfs_of(sb);
	uint64_t used = atomic_load(&fs->quota.used_pages), inodes = atomic_load(&fs->used_inodes);

	out->f_bsize = PAGE_SIZE;
	out->f_frsize = PAGE_SIZE;
	out->f_namelen = LINUX_NAME_MAX;
	if (all_mounts.max_pages &&
		(!fs->quota.max_pages || all_mounts.max_pages < fs->quota.max_pages)) {
		uint64_t all = atomic_load(&all_mounts.used_pages);

		out->f_blocks = (int64_t)all_mounts.max_pages;
		out->f_bfree = out->f_bavail =
			(int64_t)(all_mounts.max_pages - min_u64(all, all_mounts.max_pages));
	} else if (fs->quota.max_pages) {
		out->f_blocks = (int64_t)fs->quota.max_pages;
		out->f_bfree = out->f_bavail =
			(int64_t)(fs->quota.max_pages - min_u64(used, fs->quota.max_pages));
	}
	if (fs->max_inodes) {
		out->f_files = (int64_t)fs->max_inodes;
		out->f_ffree = (int64_t)(fs->max_inodes - min_u64(inodes, fs->max_inodes));
	}
	return 0;
}

static void tmpfs_show_options(struct super_block *sb, char *buffer, size_t size)
{
	const struct tmpfs *fs = tmpfs_of(sb);
	size_t used = 0;

	buffer[0] = '\0';
	if (fs->quota.max_pages != memory_size / 2 >> PAGE_SHIFT)
		used += (size_t)snprintf(
			buffer, size, ",size=%" PRIu64 "k", fs->quota.max_pages << 2);
	if (used < size && fs->max_inodes != memory_size / 2 / BYTES_PER_INODE)
		used += (size_t)snprintf(
			buffer + used, size - used, ",nr_inodes=%" PRIu64, fs->max_inodes);
	if (used < size && fs->mode != 01777)
		used += (size_t)snprintf(buffer + used, size - used, ",mode=%o", fs->mode);
	if (used < size && fs->uid)
		used += (size_t)snprintf(buffer + used, size - used, ",uid=%u", fs->uid);
	if (used < size && fs->gid)
		(void)snprintf(buffer + used, size - used, ",gid=%u", fs->gid);
}

/* Limits may change, but not below what is in use; the root's owner and mode stay. */
static int tmpfs_remount(struct super_block *sb, unsigned long flags, const char *options)
{
	struct tmpfs *fs = tmpfs_of(sb), wanted = {.max_inodes = fs->max_inodes};
	int error;

	wanted.quota.max_pages = fs->quota.max_pages;
	error = parse_options(&wanted, options);
	if (error)
		return error;
	if ((wanted.quota.max_pages &&
		    wanted.quota.max_pages < atomic_load(&fs->quota.used_pages)) ||
		(wanted.max_inodes && wanted.max_inodes < atomic_load(&fs->used_inodes)))
		return -EINVAL;
	fs->quota.max_pages = wanted.quota.max_pages;
	fs->max_inodes = wanted.max_inodes;
	return 0;
}

static int tmpfs_mount(const struct file_system_type *type, const char *source, unsigned long flags,
	const char *options, struct super_block **out)
{
	return tmpfs_super_block_new(type, options, out);
}

static const struct super_operations tmpfs_super_ops = {
	.inode_release = tmpfs_inode_release,
	.super_release = tmpfs_super_release,
	.statfs = tmpfs_statfs,
	.show_options = tmpfs_show_options,
	.remount = tmpfs_remount,
};

static const struct file_system_type tmpfs_type = {
	.name = "tmpfs",
	.needs_no_device = true,
	.mount = tmpfs_mount,
	.check_option = check_option,
};

void tmpfs_limit_all(uint64_t bytes)
{
	all_mounts.max_pages = page_ceil(min_u64(bytes, INT64_MAX)) >> PAGE_SHIFT;
}

uint64_t tmpfs_used_by_all(void)
{
	return atomic_load(&all_mounts.used_pages) << PAGE_SHIFT;
}

void tmpfs_register(void)
{
	struct memory_file_usage usage;
	struct sysinfo info;
	int error;

	memory_file_usage(&usage);
	memory_size = usage.limit;
	if (!memory_size)
		memory_size = sysinfo(&info) ? 1ull << 32 : (uint64_t)info.totalram * info.mem_unit;
	file_system_register(&tmpfs_type);
	error = tmpfs_super_block_new(NULL, "size=0,nr_inodes=0", &hidden_mount);
	panic_if(error, "tmpfs: cannot make the mount for shared memory: %s", strerror(-error));
}

void tmpfs_shutdown(void)
{
	if (hidden_mount)
		super_block_put(hidden_mount);
	hidden_mount = NULL;
}

int tmpfs_file_new(const char *name, uint64_t size, uint32_t mode, uint32_t flags,
	unsigned int seals, const struct cred *cred, struct file **out)
{
	struct inode *inode;
	int error = tmpfs_inode_new(
		hidden_mount, LINUX_S_IFREG | (mode & LINUX_S_IALLUGO), 0, NULL, &inode);

	if (error)
		return error;
	inode_init_owner(&inode->attributes, NULL, cred, inode->attributes.mode);
	inode->attributes.nlink = 0;
	inode->attributes.size = size;
	tmpfs_node_of(inode)->data.seals = seals;
	return file_new_anonymous(inode, &tmpfs_file_ops,
		FILE_READ | FILE_WRITE | FILE_SEEKABLE | FILE_NO_WAIT, flags, NULL, name, out);
}
