/* SPDX-License-Identifier: Apache-2.0 */
/* From strings to paths. */
#include "vfs_fixture.h"

#include <stdio.h>
#include <string.h>

static void make_tree(void)
{
	ck_assert_int_eq(path_mkdir(AT, "/a", 0755), 0);
	ck_assert_int_eq(path_mkdir(AT, "/a/b", 0755), 0);
	ck_assert_int_eq(path_mkdir(AT, "/a/b/c/", 0755), 0);
	vfs_write("/a/file", "text");
	ck_assert_int_eq(path_symlink("b/c", AT, "/a/link"), 0);
	ck_assert_int_eq(path_symlink("/a/file", AT, "/a/b/up"), 0);
	ck_assert_int_eq(path_symlink("nowhere", AT, "/dangling"), 0);
}

START_TEST(test_plain)
{
	make_tree();
	ck_assert_str_eq(vfs_name("/"), "/");
	ck_assert_str_eq(vfs_name("//a///b/./c/"), "/a/b/c");
	ck_assert_str_eq(vfs_name("a/b/../b/c/.."), "/a/b");
	ck_assert_str_eq(vfs_name("../../.."), "/");
	ck_assert_str_eq(vfs_name("/../a/file"), "/a/file");
	ck_assert_int_eq(vfs_chdir("a/b"), 0);
	ck_assert_str_eq(vfs_name("c/../../file"), "/a/file");
	ck_assert_int_eq(vfs_lookup("", WALK_FOLLOW), -ENOENT);
	ck_assert_int_eq(vfs_lookup("", WALK_FOLLOW | WALK_EMPTY), 0);
	ck_assert_int_eq(vfs_lookup("/a/file/", WALK_FOLLOW), -ENOTDIR);
	ck_assert_int_eq(vfs_lookup("/a/file/x", WALK_FOLLOW), -ENOTDIR);
	ck_assert_int_eq(vfs_lookup("/a/file/.", WALK_FOLLOW), -ENOTDIR);
	ck_assert_int_eq(vfs_lookup("/a/none/x", WALK_FOLLOW), -ENOENT);
	ck_assert_int_eq(vfs_lookup("/a/file", WALK_DIRECTORY), -ENOTDIR);
}
END_TEST

START_TEST(test_symlinks)
{
	struct path path;
	char name[32], target[32];

	make_tree();
	ck_assert_str_eq(vfs_name("/a/link/.."), "/a/b");
	ck_assert_str_eq(vfs_name("/a/link/"), "/a/b/c");
	ck_assert_str_eq(vfs_name("/a/link/../up"), "/a/file");
	ck_assert_int_eq(vfs_lookup("/dangling", WALK_FOLLOW), -ENOENT);
	ck_assert_int_eq(vfs_lookup("/dangling", 0), 0);
	ck_assert_int_eq(vfs_lookup("/a/b/up/", 0), -ENOTDIR);
	ck_assert_int_eq(path_lookup(AT, "/a/link", 0, &path), 0);
	ck_assert(inode_is_type(path_inode(&path), LINUX_S_IFLNK));
	path_put(&path);
	/* 40 links in a row are followed, the 41st is not. */
	ck_assert_int_eq(path_symlink("a/file", AT, "/l0"), 0);
	for (int i = 1; i <= 40; i++) {
		snprintf(name, sizeof(name), "/l%d", i);
		snprintf(target, sizeof(target), "l%d", i - 1);
		ck_assert_int_eq(path_symlink(target, AT, name), 0);
	}
	ck_assert_int_eq(vfs_lookup("/l39", WALK_FOLLOW), 0);
	ck_assert_int_eq(vfs_lookup("/l40", WALK_FOLLOW), -ELOOP);
	ck_assert_int_eq(path_symlink("self/x", AT, "/self"), 0);
	ck_assert_int_eq(vfs_lookup("/self", WALK_FOLLOW), -ELOOP);
	ck_assert_int_eq(path_symlink("////", AT, "/slashes"), 0);
	ck_assert_str_eq(vfs_name("/slashes/a/file"), "/a/file");
	ck_assert_str_eq(vfs_name("/slashes"), "/");
}
END_TEST

START_TEST(test_too_long)
{
	char name[300];

	memset(name, 'x', sizeof(name));
	name[255] = '\0';
	ck_assert_int_eq(vfs_lookup(name, 0), -ENOENT);
	ck_assert_int_eq(path_mkdir(AT, name, 0755), 0);
	ck_assert_int_eq(vfs_lookup(name, 0), 0);
	name[255] = 'x';
	name[256] = '\0';
	ck_assert_int_eq(vfs_lookup(name, 0), -ENAMETOOLONG);
	ck_assert_int_eq(path_mkdir(AT, name, 0755), -ENAMETOOLONG);
	strcpy(name + 256, "/..");
	ck_assert_int_eq(vfs_lookup(name, 0), -ENAMETOOLONG);
}
END_TEST

START_TEST(test_resolve_flags)
{
	struct path start, path;
	struct file *file;
	int fd;

	make_tree();
	ck_assert_int_eq(path_symlink("../file", AT, "/a/b/out"), 0);
	ck_assert_int_eq(path_mkdir(AT, "/m", 0755), 0);
	ck_assert_int_eq(vfs_mount("/m"), 0);
	ck_assert_int_eq(vfs_lookup("/m", WALK_NO_XDEV), -EXDEV);
	ck_assert_int_eq(vfs_lookup("m/..", WALK_NO_XDEV), -EXDEV);
	ck_assert_int_eq(vfs_lookup("/a/link", WALK_NO_SYMLINKS), 0);
	ck_assert_int_eq(vfs_lookup("/a/link", WALK_FOLLOW | WALK_NO_SYMLINKS), -ELOOP);
	ck_assert_int_eq(vfs_lookup("/a/link/..", WALK_NO_SYMLINKS), -ELOOP);
	file = vfs_open_file("/a/b", LINUX_O_PATH | LINUX_O_DIRECTORY);
	fd = fd_install(current->files, 0, file, false);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(path_lookup(fd, "..", WALK_BENEATH, &path), -EXDEV);
	ck_assert_int_eq(path_lookup(fd, "c/../..", WALK_BENEATH, &path), -EXDEV);
	ck_assert_int_eq(path_lookup(fd, "/a", WALK_BENEATH, &path), -EXDEV);
	ck_assert_int_eq(path_lookup(fd, "up", WALK_BENEATH | WALK_FOLLOW, &path), -EXDEV);
	ck_assert_int_eq(path_lookup(fd, "out", WALK_BENEATH | WALK_FOLLOW, &path), -EXDEV);
	ck_assert_int_eq(path_lookup(fd, "c/..", WALK_BENEATH, &path), 0);
	ck_assert_ptr_eq(path.dentry, file->path.dentry);
	path_put(&path);
	ck_assert_int_eq(path_lookup(fd, "../../c", WALK_IN_ROOT, &path), 0);
	path_put(&path);
	ck_assert_int_eq(path_lookup(fd, "/c", WALK_IN_ROOT, &path), 0);
	path_put(&path);
	ck_assert_int_eq(path_lookup(fd, "up", WALK_IN_ROOT | WALK_FOLLOW, &path), -ENOENT);
	ck_assert_int_eq(path_lookup(77, "c", 0, &path), -EBADF);
	ck_assert_int_eq(path_lookup(77, "/a", 0, &path), 0);
	/* Kernel-internal walks have a root of their own. */
	ck_assert_int_eq(path_lookup_at(&file->path, &file->path, "/../c", 0, &start), 0);
	path_put(&start);
	path_put(&path);
}
END_TEST

START_TEST(test_permission)
{
	make_tree();
	ck_assert_int_eq(path_mkdir(AT, "/closed", 0711), 0);
	vfs_write("/closed/f", "x");
	ck_assert_int_eq(path_mkdir(AT, "/shut", 0700), 0);
	vfs_write("/shut/f", "x");
	vfs_become(1000);
	ck_assert_int_eq(vfs_lookup("/closed/f", 0), 0);
	ck_assert_int_eq(vfs_open("/closed", LINUX_O_RDONLY), -EACCES);
	ck_assert_int_eq(vfs_lookup("/shut/f", 0), -EACCES);
	ck_assert_int_eq(vfs_lookup("/shut/..", 0), -EACCES);
	ck_assert_int_eq(vfs_lookup("/shut", 0), 0);
	ck_assert_int_eq(vfs_open("/closed/f", LINUX_O_WRONLY), -EACCES);
	ck_assert_int_eq(vfs_open("/closed/f", LINUX_O_RDONLY | LINUX_O_TRUNC), -EACCES);
	ck_assert_int_eq(vfs_open("/closed/new", LINUX_O_WRONLY | LINUX_O_CREAT), -EACCES);
	ck_assert_int_eq(path_mkdir(AT, "/x", 0755), -EACCES);
	ck_assert_int_eq(path_mkdir(AT, "/a", 0755), -EEXIST);
	vfs_become(0);
}
END_TEST

TCase *path_walk_tests(void)
{
	TCase *tcase = tcase_create("path walk");

	tcase_add_checked_fixture(tcase, vfs_fixture_setup, vfs_fixture_teardown);
	tcase_add_test(tcase, test_plain);
	tcase_add_test(tcase, test_symlinks);
	tcase_add_test(tcase, test_too_long);
	tcase_add_test(tcase, test_resolve_flags);
	tcase_add_test(tcase, test_permission);
	return tcase;
}
