/* SPDX-License-Identifier: Apache-2.0 */
/* The dentry cache: what it remembers, that it forgets, and file systems that must be asked each
 * time. */
#include "vfs_fixture.h"

#include "sentry/vfs/dentry_cache.h"

#include <stdio.h>

START_TEST(test_bound)
{
	struct super_block *sb = current->fs->root.dentry->sb;
	char name[64];

	for (int i = 0; i < DENTRY_CACHE_MAX + 5000; i++) {
		snprintf(name, sizeof(name), "/absent%d", i);
		ck_assert_int_eq(vfs_lookup(name, 0), -ENOENT);
	}
	ck_assert_uint_le(sb->cached_names, DENTRY_CACHE_MAX + 1);
	/* What is in use stays. */
	ck_assert_int_eq(path_mkdir(AT, "/d", 0755), 0);
	ck_assert_int_eq(vfs_chdir("/d"), 0);
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "absent%d", i);
		ck_assert_int_eq(vfs_lookup(name, 0), -ENOENT);
	}
	ck_assert_uint_le(sb->cached_names, DENTRY_CACHE_MAX + 1);
	ck_assert_str_eq(vfs_name("."), "/d");
}
END_TEST

START_TEST(test_negative)
{
	struct super_block *sb = current->fs->root.dentry->sb;
	struct component name = component_from_string("f");
	struct dentry *dentry;

	ck_assert_int_eq(vfs_lookup("/f", 0), -ENOENT);
	dentry = dentry_find(sb->root, &name);
	ck_assert_ptr_nonnull(dentry);
	ck_assert_ptr_null(dentry_inode(dentry));
	dentry_put(dentry);
	vfs_write("/f", "x");
	ck_assert_int_eq(vfs_lookup("/f", 0), 0);
	ck_assert_int_eq(path_unlink(AT, "/f"), 0);
	dentry = dentry_find(sb->root, &name);
	ck_assert_ptr_nonnull(dentry);
	ck_assert_ptr_null(dentry_inode(dentry));
	dentry_put(dentry);
	ck_assert_int_eq(vfs_lookup("/f", 0), -ENOENT);
}
END_TEST

START_TEST(test_removed_directory)
{
	char buffer[64];
	struct path pwd;

	ck_assert_int_eq(path_mkdir(AT, "/d", 0755), 0);
	ck_assert_int_eq(vfs_chdir("/d"), 0);
	ck_assert_int_eq(vfs_lookup("x", 0), -ENOENT);
	ck_assert_int_eq(path_rmdir(AT, "/d"), 0);
	ck_assert_int_eq(vfs_lookup("x", 0), -ENOENT);
	ck_assert_int_eq(vfs_open("x", LINUX_O_RDWR | LINUX_O_CREAT), -ENOENT);
	ck_assert_int_eq(path_mkdir(AT, "x", 0755), -ENOENT);
	ck_assert_int_eq(vfs_lookup(".", 0), 0);
	ck_assert_str_eq(vfs_name(".."), "/");
	fs_struct_pwd(current->fs, &pwd);
	ck_assert_str_eq(
		path_name(&pwd, &current->fs->root, buffer, sizeof(buffer)), "/d (deleted)");
	path_put(&pwd);
	/* A new one of that name is another. */
	ck_assert_int_eq(path_mkdir(AT, "/d", 0755), 0);
	ck_assert_int_eq(vfs_lookup("/d/x", 0), -ENOENT);
	ck_assert_int_eq(path_mkdir(AT, "/d/x", 0755), 0);
	ck_assert_int_eq(vfs_lookup("x", 0), -ENOENT);
}
END_TEST

TCase *dentry_cache_tests(void)
{
	TCase *tcase = tcase_create("dentry cache");

	tcase_add_checked_fixture(tcase, vfs_fixture_setup, vfs_fixture_teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_bound);
	tcase_add_test(tcase, test_negative);
	tcase_add_test(tcase, test_removed_directory);
	return tcase;
}
