/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts, binds, propagation, and what /proc/self/mountinfo says of them. */
#include "vfs_fixture.h"

#include "abi/mount.h"
#include "sentry/vfs/mount_file.h"
#include "sentry/vfs/mount_show.h"

#include <string.h>

static void make_directories(void)
{
	ck_assert_int_eq(path_mkdir(AT, "/a", 0755), 0);
	ck_assert_int_eq(path_mkdir(AT, "/b", 0755), 0);
	ck_assert_int_eq(path_mkdir(AT, "/c", 0755), 0);
}

static int set_type(const char *name, unsigned long type)
{
	struct path path;
	int result = path_lookup(AT, name, WALK_FOLLOW, &path);

	if (result)
		return result;
	result = mount_set_propagation(&path, type, false);
	path_put(&path);
	return result;
}

START_TEST(test_attach)
{
	struct file *file;

	make_directories();
	vfs_write("/a/below", "hidden");
	vfs_write("/plain", "");
	ck_assert_int_eq(vfs_mount("/plain"), -ENOTDIR);
	ck_assert_int_eq(vfs_mount("/a"), 0);
	ck_assert_int_eq(vfs_lookup("/a/below", 0), -ENOENT);
	ck_assert_int_eq(path_mkdir(AT, "/a/d", 0755), 0);
	ck_assert_str_eq(vfs_name("/a/d"), "/a/d");
	ck_assert_str_eq(vfs_name("/a/d/.."), "/a");
	ck_assert_str_eq(vfs_name("/a/d/../.."), "/");
	ck_assert_int_eq(path_rmdir(AT, "/a"), -EBUSY);
	ck_assert_int_eq(path_rename(AT, "/a", AT, "/x", 0), -EBUSY);
	ck_assert_int_eq(path_rename(AT, "/plain", AT, "/a/plain", 0), -EXDEV);
	ck_assert_int_eq(path_link(AT, "/plain", AT, "/a/plain", 0), -EXDEV);
	/* One upon the other. */
	ck_assert_int_eq(vfs_mount("/a"), 0);
	ck_assert_int_eq(vfs_lookup("/a/d", 0), -ENOENT);
	ck_assert_str_eq(vfs_name("/a/.."), "/");
	ck_assert_int_eq(vfs_umount("/a", 0), 0);
	file = vfs_open_file("/a/d", LINUX_O_RDONLY);
	ck_assert_int_eq(vfs_umount("/a", 0), -EBUSY);
	ck_assert_int_eq(vfs_umount("/a", LINUX_MNT_EXPIRE), -EBUSY);
	ck_assert_int_eq(vfs_umount("/a", LINUX_MNT_DETACH), 0);
	ck_assert_int_eq(vfs_lookup("/a/below", 0), 0);
	file_put(file);
	ck_assert_int_eq(vfs_umount("/a", 0), -EINVAL);
	ck_assert_int_eq(vfs_umount("/", 0), -EINVAL);
	ck_assert_int_eq(vfs_mount("/a"), 0);
	ck_assert_int_eq(vfs_umount("/a", LINUX_MNT_EXPIRE), -EAGAIN);
	ck_assert_int_eq(vfs_umount("/a", LINUX_MNT_EXPIRE), 0);
	ck_assert_int_eq(path_rmdir(AT, "/b"), 0);
}
END_TEST

START_TEST(test_bind)
{
	make_directories();
	ck_assert_int_eq(path_mkdir(AT, "/a/sub", 0755), 0);
	vfs_write("/a/sub/f", "x");
	ck_assert_int_eq(vfs_mount("/a/sub"), 0);
	vfs_write("/a/sub/g", "x");
	ck_assert_int_eq(vfs_bind("/a", "/b", false), 0);
	ck_assert_int_eq(vfs_lookup("/b/sub/f", 0), 0);
	ck_assert_int_eq(vfs_bind("/a", "/c", true), 0);
	ck_assert_int_eq(vfs_lookup("/c/sub/g", 0), 0);
	ck_assert_str_eq(vfs_name("/c/sub/g"), "/c/sub/g");
	ck_assert_str_eq(vfs_name("/b/.."), "/");
	ck_assert_int_eq(vfs_umount("/c", 0), -EBUSY);
	ck_assert_int_eq(vfs_umount("/c", LINUX_MNT_DETACH), 0);
	/* A file on a file. */
	vfs_write("/f", "one");
	vfs_write("/g", "two");
	ck_assert_int_eq(vfs_bind("/f", "/g", false), 0);
	ck_assert_int_eq(path_unlink(AT, "/g"), -EBUSY);
	ck_assert_int_eq(vfs_bind("/f", "/a", false), -ENOTDIR);
	ck_assert_int_eq(vfs_umount("/g", 0), 0);
	ck_assert_int_eq(set_type("/", LINUX_MS_UNBINDABLE), 0);
	ck_assert_int_eq(vfs_bind("/a", "/c", false), -EINVAL);
}
END_TEST

/* Renaming a directory out of a bind mount must not open a way to what lies above. */
START_TEST(test_bind_escape)
{
	make_directories();
	ck_assert_int_eq(path_mkdir(AT, "/a/jail", 0755), 0);
	ck_assert_int_eq(path_mkdir(AT, "/a/jail/d", 0755), 0);
	ck_assert_int_eq(vfs_bind("/a/jail", "/b", false), 0);
	ck_assert_int_eq(vfs_chdir("/b/d"), 0);
	ck_assert_int_eq(vfs_lookup("..", 0), 0);
	ck_assert_int_eq(path_rename(AT, "/a/jail/d", AT, "/a/d", 0), 0);
	ck_assert_int_eq(vfs_lookup("..", 0), -ENOENT);
	ck_assert_int_eq(vfs_lookup("../jail", 0), -ENOENT);
}
END_TEST

static int move(const char *from, const char *to)
{
	struct path source, where;
	int result = path_lookup(AT, from, WALK_FOLLOW, &source);

	if (result)
		return result;
	result = path_lookup(AT, to, WALK_FOLLOW, &where);
	if (result == 0) {
		result = mount_move(&source, &where);
		path_put(&where);
	}
	path_put(&source);
	return result;
}

START_TEST(test_move)
{
	make_directories();
	ck_assert_int_eq(vfs_mount("/a"), 0);
	ck_assert_int_eq(path_mkdir(AT, "/a/d", 0755), 0);
	ck_assert_int_eq(move("/a", "/a/d"), -ELOOP);
	ck_assert_int_eq(move("/a/d", "/b"), -EINVAL);
	ck_assert_int_eq(move("/", "/b"), -EINVAL);
	ck_assert_int_eq(move("/a", "/b"), 0);
	ck_assert_str_eq(vfs_name("/b/d"), "/b/d");
	ck_assert_int_eq(vfs_lookup("/a/d", 0), -ENOENT);
	ck_assert_int_eq(vfs_umount("/b", 0), 0);
}
END_TEST

START_TEST(test_propagation)
{
	struct mount_namespace *copy, *old = current->nsproxy->mount;

	make_directories();
	ck_assert_int_eq(set_type("/", LINUX_MS_SHARED), 0);
	ck_assert_int_eq(mount_namespace_copy(old, old->user_ns, NULL, &copy), 0);
	ck_assert_int_eq(copy->count, 1);
	ck_assert_int_eq(vfs_mount("/a"), 0);
	ck_assert_int_eq(copy->count, 2);
	ck_assert_int_eq(vfs_bind("/a", "/b", false), 0);
	ck_assert_int_eq(copy->count, 3);
	ck_assert_int_eq(vfs_umount("/b", 0), 0);
	ck_assert_int_eq(copy->count, 2);
	ck_assert_int_eq(vfs_umount("/a", 0), 0);
	ck_assert_int_eq(copy->count, 1);
	/* A slave hears of its master's mounts, a private mount of nobody's. */
	ck_assert_int_eq(set_type("/", LINUX_MS_SLAVE), 0);
	ck_assert_int_eq(vfs_mount("/a"), 0);
	ck_assert_int_eq(copy->count, 1);
	ck_assert_int_eq(vfs_umount("/a", 0), 0);
	mount_namespace_put(copy);
	/* Within one namespace: a mount in one view appears in the other. */
	ck_assert_int_eq(set_type("/", LINUX_MS_PRIVATE), 0);
	ck_assert_int_eq(vfs_mount("/a"), 0);
	ck_assert_int_eq(set_type("/a", LINUX_MS_SHARED), 0);
	ck_assert_int_eq(path_mkdir(AT, "/a/in", 0755), 0);
	ck_assert_int_eq(vfs_bind("/a", "/b", false), 0);
	ck_assert_int_eq(vfs_mount("/a/in"), 0);
	vfs_write("/a/in/f", "");
	ck_assert_int_eq(vfs_lookup("/b/in/f", 0), 0);
	ck_assert_int_eq(vfs_umount("/b/in", 0), 0);
	ck_assert_int_eq(vfs_lookup("/a/in/f", 0), -ENOENT);
}
END_TEST

START_TEST(test_descriptors)
{
	const struct mount_change nodev = {.set = LINUX_MS_NODEV | LINUX_MS_RDONLY};
	struct file *context, *file, *again;
	struct path to;

	make_directories();
	ck_assert_int_eq(fs_context_open("nothing", &context), -ENODEV);
	ck_assert_int_eq(fs_context_open("tmpfs", &context), 0);
	ck_assert_int_eq(fs_context_mount(context, 0, &file), -EINVAL);
	ck_assert_int_eq(fs_context_set(context, "source", "here"), 0);
	ck_assert_int_eq(fs_context_set(context, "mode", "0700"), 0);
	ck_assert_int_eq(fs_context_create(context, false), 0);
	ck_assert_int_eq(fs_context_create(context, false), -EBUSY);
	ck_assert_int_eq(fs_context_mount(context, LINUX_MS_NOEXEC, &file), 0);
	ck_assert_int_eq(fs_context_mount(context, 0, &again), -EBUSY);
	file_put(context);
	/* It can be used before it is anywhere. */
	ck_assert_int_eq(path_create(&file->path, "d", LINUX_S_IFDIR | 0755, 0, NULL), 0);
	ck_assert_int_eq(path_lookup(AT, "/a", 0, &to), 0);
	ck_assert_int_eq(mount_file_move(&file->path, &to), 0);
	ck_assert_int_eq(vfs_lookup("/a/d", 0), 0);
	path_put(&to);
	file_put(file);
	ck_assert_str_eq(vfs_name("/a/d"), "/a/d");
	/* A copy that is thrown away, and one that stays. */
	ck_assert_int_eq(path_lookup(AT, "/a", 0, &to), 0);
	ck_assert_int_eq(mount_change(&to, &nodev, false), 0);
	ck_assert_int_eq(path_mkdir(AT, "/a/e", 0755), -EROFS);
	ck_assert_int_eq(mount_file_clone(&to, true, &file), 0);
	file_put(file);
	ck_assert_int_eq(mount_file_clone(&to, true, &file), 0);
	path_put(&to);
	ck_assert_int_eq(path_lookup(AT, "/b", 0, &to), 0);
	ck_assert_int_eq(mount_file_move(&file->path, &to), 0);
	ck_assert_int_eq(mount_file_move(&file->path, &to), -ELOOP);
	path_put(&to);
	ck_assert_int_eq(vfs_lookup("/b/d", 0), 0);
	file_put(file);
	ck_assert_int_eq(vfs_umount("/b", 0), 0);
	ck_assert_int_eq(vfs_umount("/a", 0), 0);
}
END_TEST

START_TEST(test_show)
{
	struct text_writer text = {0};
	struct path root;

	make_directories();
	ck_assert_int_eq(path_mkdir(AT, "/with space", 0755), 0);
	ck_assert_int_eq(vfs_mount("/with space"), 0);
	ck_assert_int_eq(vfs_bind("/a", "/b", false), 0);
	ck_assert_int_eq(set_type("/b", LINUX_MS_SHARED), 0);
	fs_struct_root(current->fs, &root);
	mount_show_mounts(current->nsproxy->mount, &root, &text);
	ck_assert_ptr_nonnull(strstr(text.text, "test /with\\040space tmpfs rw,relatime"));
	text_writer_free(&text);
	mount_show_mountinfo(current->nsproxy->mount, &root, &text);
	ck_assert_ptr_nonnull(strstr(text.text, " /a /b rw,relatime shared:"));
	ck_assert_ptr_nonnull(strstr(text.text, " / /with\\040space rw,relatime - tmpfs test rw"));
	text_writer_free(&text);
	path_put(&root);
	/* From a changed root only what is below it is seen, by its name from there. */
	ck_assert_int_eq(path_lookup(AT, "/b", 0, &root), 0);
	mount_show_mounts(current->nsproxy->mount, &root, &text);
	ck_assert_ptr_null(strstr(text.text, "space"));
	ck_assert_ptr_nonnull(strstr(text.text, " / tmpfs"));
	text_writer_free(&text);
	path_put(&root);
}
END_TEST

TCase *mount_tests(void)
{
	TCase *tcase = tcase_create("mounts");

	tcase_add_checked_fixture(tcase, vfs_fixture_setup, vfs_fixture_teardown);
	tcase_add_test(tcase, test_attach);
	tcase_add_test(tcase, test_bind);
	tcase_add_test(tcase, test_bind_escape);
	tcase_add_test(tcase, test_move);
	tcase_add_test(tcase, test_propagation);
	tcase_add_test(tcase, test_descriptors);
	tcase_add_test(tcase, test_show);
	return tcase;
}
