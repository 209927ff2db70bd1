/* SPDX-License-Identifier: Apache-2.0 */
/* The fixture of the tests of sentry/vfs/. */
#include "vfs_fixture.h"

#include "abi/limits.h"
#include "abi/resource.h"
#include "base/safe_copy.h"
#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/mm/memory_file.h"
#include "sentry/vfs/stat.h"

#include <stdlib.h>
#include <string.h>

static struct task task;
static struct thread_group group;
static struct nsproxy nsproxy;
static struct cred *root_cred;

static void task_fill(struct task *fresh)
{
	memset(fresh, 0, sizeof(*fresh));
	fresh->cred = cred_get(root_cred);
	fresh->group = &group;
	fresh->nsproxy = &nsproxy;
	ck_assert_int_eq(fd_table_new(&fresh->files), 0);
}

void vfs_fixture_setup(void)
{
	struct super_block *sb;
	struct path root;

	safe_copy_init();
	ck_assert_int_eq(memory_file_open(256ul << 20), 0);
	ck_assert_int_eq(cred_new_root(&root_cred), 0);
	for (int i = 0; i < LINUX_RLIM_NLIMITS; i++)
		group.limits[i] = (struct linux_rlimit64){LINUX_RLIM_INFINITY, LINUX_RLIM_INFINITY};
	group.limits[LINUX_RLIMIT_NOFILE].rlim_cur = 1024;
	task_fill(&task);
	current_task_ = &task;
	tmpfs_register();
	sb = vfs_new_tmpfs();
	ck_assert_int_eq(mount_namespace_new(sb, 0, &nsproxy.mount), 0);
	mount_namespace_root(nsproxy.mount, &root);
	ck_assert_int_eq(fs_struct_new(&root, &root, 0, &task.fs), 0);
	path_put(&root);
}

static void task_empty(struct task *old)
{
	fd_table_put(old->files);
	fs_struct_put(old->fs);
	cred_put(old->cred);
}

void vfs_fixture_teardown(void)
{
	task_empty(&task);
	mount_namespace_put(nsproxy.mount);
	cred_put(root_cred);
	current_task_ = NULL;
	tmpfs_shutdown();
	vfs_shutdown();
	ck_assert_int_eq(refcount_report_leaks(), 0);
}

void vfs_thread_begin(struct task *fresh)
{
	task_fill(fresh);
	ck_assert_int_eq(fs_struct_copy(task.fs, &fresh->fs), 0);
	current_task_ = fresh;
}

void vfs_thread_end(struct task *old)
{
	current_task_ = NULL;
	task_empty(old);
}

void vfs_become(uint32_t uid)
{
	struct cred *cred;

	ck_assert_int_eq(cred_copy(root_cred, &cred), 0);
	if (uid) {
		cred->uid = cred->euid = cred->suid = cred->fsuid = uid;
		cred->gid = cred->egid = cred->sgid = cred->fsgid = uid;
		cred->cap_permitted = cred->cap_effective = cred->cap_inheritable = 0;
	}
	cred_put(current->cred);
	current->cred = cred;
}

struct super_block *vfs_new_tmpfs(void)
{
	struct super_block *sb;

	ck_assert_int_eq(tmpfs_super_block_new(NULL, "mode=0755", &sb), 0);
	return sb;
}

int vfs_open(const char *name, uint32_t flags)
{
	struct file *file;
	int result = file_open_at(AT, name, flags, 0644, 0, &file);

	if (result == 0)
		file_put(file);
	return result;
}

struct file *vfs_open_file(const char *name, uint32_t flags)
{
	struct file *file = NULL;
	int result = file_open_at(AT, name, flags, 0644, 0, &file);

	ck_assert_msg(result == 0, "open %s: %d", name, result);
	return file;
}

void vfs_write(const char *name, const char *text)
{
	struct file *file = vfs_open_file(name, LINUX_O_WRONLY | LINUX_O_CREAT | LINUX_O_TRUNC);
	struct iov_iter iter;

	iov_iter_init_kernel(&iter, (char *)text, strlen(text), false);
	ck_assert_int_eq(file_write(file, &iter, NULL), (int64_t)strlen(text));
	file_put(file);
}

int vfs_lookup(const char *name, unsigned int flags)
{
	struct path path;
	int result = path_lookup(AT, name, flags, &path);

	if (result == 0)
		path_put(&path);
	return result;
}

int vfs_stat(const char *name, struct linux_stat *out)
{
	struct path path;
	int result = path_lookup(AT, name, WALK_FOLLOW, &path);

	if (result)
		return result;
	result = inode_stat(path_inode(&path), out);
	path_put(&path);
	return result;
}

int vfs_chdir(const char *name)
{
	struct path path;
	int result = path_lookup(AT, name, WALK_FOLLOW | WALK_DIRECTORY, &path);

	if (result == 0)
		fs_struct_set(current->fs, &current->fs->pwd, &path);
	return result;
}

int vfs_mount(const char *where)
{
	struct path path;
	int result = path_lookup(AT, where, WALK_FOLLOW, &path);

	if (result)
		return result;
	result = mount_attach(vfs_new_tmpfs(), "test", &path, 0);
	path_put(&path);
	return result;
}

int vfs_bind(const char *from, const char *to, bool recursive)
{
	struct path source, where;
	int result = path_lookup(AT, from, WALK_FOLLOW, &source);

	if (result)
		return result;
	result = path_lookup(AT, to, WALK_FOLLOW, &where);
	if (result == 0) {
		result = mount_bind(&source, &where, recursive, 0);
		path_put(&where);
	}
	path_put(&source);
	return result;
}

int vfs_umount(const char *where, int flags)
{
	struct path path;
	int result = path_lookup(AT, where, WALK_FOLLOW, &path);

	if (result)
		return result;
	result = mount_detach(&path, flags);
	path_put(&path);
	return result;
}

const char *vfs_name(const char *name)
{
	static char buffer[LINUX_PATH_MAX];
	struct path path, root;
	const char *text;
	int result = path_lookup(AT, name, WALK_FOLLOW, &path);

	ck_assert_msg(result == 0, "%s: %d", name, result);
	fs_struct_root(current->fs, &root);
	text = path_name(&path, &root, buffer, sizeof(buffer));
	path_put(&root);
	path_put(&path);
	return text ? text : "(too long)";
}
