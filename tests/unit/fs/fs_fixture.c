/* SPDX-License-Identifier: Apache-2.0 */
/* The fixture of the tests of sentry/fs/. */
#include "fs_fixture.h"

#include "abi/resource.h"
#include "base/safe_copy.h"
#include "sentry/fs/dev/dev.h"
#include "sentry/fs/host/host.h"
#include "sentry/fs/overlay/overlay.h"
#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/memory_file.h"
#include "sentry/vfs/attributes.h"
#include "sentry/vfs/names.h"
#include "sentry/vfs/open.h"
#include "sentry/vfs/path.h"
#include "sentry/vfs/stat.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int g_scratch = -1;
static char scratch_path[] = "/tmp/fs-test-XXXXXX";
static struct task task;
static struct thread_group group;
static struct mount_namespace *ns;
static char text_buffer[65536];

/* --- the host's side --- */

const char *fs_scratch_path(void)
{
	return scratch_path;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *info)
{
	return remove(path);
}

void fs_host_write(const char *name, const char *text)
{
	int fd = openat(g_scratch, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

void fs_host_mkdir(const char *name)
{
	ck_assert_int_eq(mkdirat(g_scratch, name, 0755), 0);
}

const char *fs_host_read(const char *name)
{
	int fd = openat(g_scratch, name, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? 0 : read(fd, text_buffer, sizeof(text_buffer) - 1);

	if (fd >= 0)
		close(fd);
	text_buffer[size < 0 ? 0 : size] = '\0';
	return text_buffer;
}

/* --- set-up --- */

void fs_fixture_setup(void)
{
	struct cred *cred;

	safe_copy_init();
	ck_assert_int_eq(memory_file_open(256ul << 20), 0);
	strcpy(scratch_path + strlen(scratch_path) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(scratch_path));
	g_scratch = open(scratch_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(g_scratch, 0);
	ck_assert_int_eq(cred_new_root(&cred), 0);
	task.cred = cred;
	task.group = &group;
	for (int i = 0; i < LINUX_RLIM_NLIMITS; i++)
		group.limits[i] = (struct linux_rlimit64){LINUX_RLIM_INFINITY, LINUX_RLIM_INFINITY};
	ck_assert_int_eq(fd_table_new(&task.files), 0);
	current_task_ = &task;
	tmpfs_register();
	dev_register();
}

void fs_fixture_teardown(void)
{
	struct memory_file_usage usage;

	fs_drop_root();
	fd_table_put(task.files);
	cred_put(task.cred);
	current_task_ = NULL;
	host_stdio_shutdown();
	tmpfs_shutdown();
	vfs_shutdown();
	memory_file_usage(&usage);
	ck_assert_uint_eq(usage.allocated, 0);
	close(g_scratch);
	ck_assert_int_eq(nftw(scratch_path, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
	ck_assert_int_eq(refcount_report_leaks(), 0);
}

void fs_use_root(struct super_block *sb)
{
	struct path root;

	ck_assert_int_eq(mount_namespace_new(sb, 0, &ns), 0);
	mount_namespace_root(ns, &root);
	ck_assert_int_eq(fs_struct_new(&root, &root, 0, &task.fs), 0);
	path_put(&root);
}

void fs_drop_root(void)
{
	if (!ns)
		return;
	fs_struct_put(task.fs);
	task.fs = NULL;
	mount_namespace_put(ns);
	ns = NULL;
}

void fs_use_tmpfs(const char *options)
{
	struct super_block *sb;

	ck_assert_int_eq(tmpfs_super_block_new(NULL, options, &sb), 0);
	fs_use_root(sb);
}

static struct super_block *host_new(bool read_only, bool exclusive)
{
	const struct host_super_options options = {
		.read_only = read_only, .exclusive = exclusive, .source = "scratch"};
	struct super_block *sb;

	ck_assert_int_eq(
		host_super_block_new(fcntl(g_scratch, F_DUPFD_CLOEXEC, 0), &options, &sb), 0);
	return sb;
}

void fs_use_host(bool read_only, bool exclusive)
{
	fs_use_root(host_new(read_only, exclusive));
}

struct super_block *fs_use_overlay(void)
{
	struct super_block *lower = host_new(true, true), *upper, *sb;

	ck_assert_int_eq(tmpfs_super_block_new(NULL, "size=64m", &upper), 0);
	ck_assert_int_eq(overlay_super_block_new(lower, upper, &sb), 0);
	super_block_put(lower);
	super_block_put(upper);
	fs_use_root(sb);
	return sb;
}

/* --- the guest's side --- */

struct file *fs_open(const char *name, uint32_t flags, int *error)
{
	struct file *file = NULL;
	int result = file_open_at(LINUX_AT_FDCWD, name, flags, 0644, 0, &file);

	if (error)
		*error = result;
	else
		ck_assert_msg(result == 0, "open %s: %d", name, result);
	return result ? NULL : file;
}

int64_t fs_write(struct file *file, const void *bytes, size_t size, int64_t position)
{
	struct iov_iter iter;

	iov_iter_init_kernel(&iter, (void *)bytes, size, false);
	return file_write(file, &iter, position < 0 ? NULL : &position);
}

int64_t fs_read(struct file *file, void *buffer, size_t size, int64_t position)
{
	struct iov_iter iter;

	iov_iter_init_kernel(&iter, buffer, size, true);
	return file_read(file, &iter, position < 0 ? NULL : &position);
}

void fs_write_text(const char *name, const char *text)
{
	struct file *file = fs_open(name, LINUX_O_WRONLY | LINUX_O_CREAT | LINUX_O_TRUNC, NULL);

	ck_assert_int_eq(fs_write(file, text, strlen(text), -1), (int64_t)strlen(text));
	file_put(file);
}

const char *fs_text(const char *name)
{
	int error;
	struct file *file = fs_open(name, LINUX_O_RDONLY, &error);
	int64_t size = file ? fs_read(file, text_buffer, sizeof(text_buffer) - 1, -1) : error;

	if (file)
		file_put(file);
	if (size < 0)
		snprintf(text_buffer, sizeof(text_buffer), "error %d", (int)-size);
	else
		text_buffer[size] = '\0';
	return text_buffer;
}

struct inode *fs_inode(const char *name)
{
	struct inode *inode;
	struct path path;

	if (path_lookup(LINUX_AT_FDCWD, name, 0, &path))
		return NULL;
	inode = inode_get(path_inode(&path));
	path_put(&path);
	return inode;
}

int fs_stat(const char *name, struct linux_stat *out)
{
	struct path path;
	int error = path_lookup(LINUX_AT_FDCWD, name, 0, &path);

	if (error)
		return error;
	error = inode_stat(path_inode(&path), out);
	path_put(&path);
	return error;
}

bool fs_exists(const char *name)
{
	struct linux_stat st;

	return fs_stat(name, &st) == 0;
}

int fs_truncate(const char *name, uint64_t size)
{
	struct path path;
	int error = path_lookup(LINUX_AT_FDCWD, name, 0, &path);

	if (error)
		return error;
	error = path_truncate(&path, NULL, size, false);
	path_put(&path);
	return error;
}

int fs_chmod(const char *name, uint32_t mode)
{
	struct path path;
	int error = path_lookup(LINUX_AT_FDCWD, name, 0, &path);

	if (error)
		return error;
	error = path_chmod(&path, mode);
	path_put(&path);
	return error;
}

int fs_rename(const char *old_name, const char *new_name, unsigned int flags)
{
	return path_rename(LINUX_AT_FDCWD, old_name, LINUX_AT_FDCWD, new_name, flags);
}

/* --- directories --- */

#define LIST_MAX 4096

struct list {
	struct dir_context context;
	char *names[LIST_MAX];
	size_t count, room;
};

static bool list_emit(struct dir_context *context, const char *name, size_t length,
	int64_t next_position, uint64_t ino, uint8_t type)
{
	struct list *list = container_of(context, struct list, context);

	if (!list->room)
		return false;
	ck_assert_uint_lt(list->count, LIST_MAX);
	list->names[list->count++] = strndup(name, length);
	list->room--;
	context->position = next_position;
	return true;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_batch(struct file *file, struct list *list)
{
	mutex_lock(&file->inode->lock);
	mutex_lock(&file->lock);
	ck_assert_int_eq(file->ops->iterate(file, &list->context), 0);
	mutex_unlock(&file->lock);
	mutex_unlock(&file->inode->lock);
}

const char *fs_list(const char *name, size_t batch)
{
	struct file *file = fs_open(name, LINUX_O_RDONLY | LINUX_O_DIRECTORY, NULL);
	static struct list list;
	size_t before, at = 0;

	list = (struct list){.context = {.position = 2, .emit = list_emit}};
	do {
		before = list.count;
		list.room = batch ? batch : LIST_MAX;
		list_batch(file, &list);
	} while (list.count != before);
	file_put(file);
	qsort(list.names, list.count, sizeof(list.names[0]), compare_names);
	text_buffer[0] = '\0';
	for (size_t i = 0; i < list.count; i++) {
		at += (size_t)snprintf(text_buffer + at, sizeof(text_buffer) - at, "%s%s",
			i ? " " : "", list.names[i]);
		free(list.names[i]);
	}
	return text_buffer;
}
