/* SPDX-License-Identifier: Apache-2.0 */
/* Directories of tmpfs: names, links, renames, reading while names change. */
#include "fs_fixture.h"

#include "sentry/vfs/dentry.h"
#include "sentry/vfs/names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define AT LINUX_AT_FDCWD

static void make_files(const char *directory, int count)
{
	char name[64];

	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%s/%03d", directory, i);
		fs_write_text(name, "");
	}
}

START_TEST(test_names_and_links)
{
	struct linux_stat a, b;

	fs_use_tmpfs(NULL);
	ck_assert_int_eq(path_mkdir(AT, "/d", 0755), 0);
	fs_write_text("/d/a", "text");
	ck_assert_int_eq(path_link(AT, "/d/a", AT, "/d/b", 0), 0);
	ck_assert_int_eq(path_symlink("d/a", AT, "/s"), 0);
	ck_assert_str_eq(fs_text("/s"), "text");
	ck_assert_int_eq(fs_stat("/d/a", &a), 0);
	ck_assert_int_eq(fs_stat("/d/b", &b), 0);
	ck_assert_uint_eq(a.st_ino, b.st_ino);
	ck_assert_uint_eq(a.st_nlink, 2);
	ck_assert_int_eq(path_rmdir(AT, "/d"), -ENOTEMPTY);
	ck_assert_int_eq(path_unlink(AT, "/d/a"), 0);
	ck_assert_str_eq(fs_text("/d/b"), "text");
	ck_assert_int_eq(path_unlink(AT, "/d/b"), 0);
	ck_assert_int_eq(fs_stat("/", &a), 0);
	ck_assert_uint_eq(a.st_nlink, 3);
	ck_assert_int_eq(path_rmdir(AT, "/d"), 0);
	ck_assert_int_eq(fs_stat("/", &a), 0);
	ck_assert_uint_eq(a.st_nlink, 2);
	ck_assert_str_eq(fs_list("/", 0), "s");
}
END_TEST

START_TEST(test_names_outlive_the_cache)
{
	struct inode *root;

	fs_use_tmpfs(NULL);
	ck_assert_int_eq(path_mkdir(AT, "/d", 0755), 0);
	fs_write_text("/d/a", "kept");
	root = fs_inode("/");
	dentry_prune_tree(root->sb->root);
	inode_put(root);
	ck_assert_str_eq(fs_text("/d/a"), "kept");
}
END_TEST

START_TEST(test_rename)
{
	fs_use_tmpfs(NULL);
	fs_write_text("/a", "a");
	fs_write_text("/b", "b");
	ck_assert_int_eq(path_mkdir(AT, "/d", 0755), 0);
	ck_assert_int_eq(path_mkdir(AT, "/e", 0755), 0);
	ck_assert_int_eq(fs_rename("/a", "/b", LINUX_RENAME_NOREPLACE), -EEXIST);
	ck_assert_int_eq(fs_rename("/a", "/b", LINUX_RENAME_EXCHANGE), 0);
	ck_assert_str_eq(fs_text("/a"), "b");
	ck_assert_int_eq(fs_rename("/a", "/d/x", 0), 0);
	ck_assert_int_eq(fs_rename("/b", "/d/x", 0), 0);
	ck_assert_str_eq(fs_text("/d/x"), "a");
	ck_assert_int_eq(fs_rename("/e", "/d", 0), -ENOTEMPTY);
	ck_assert_int_eq(fs_rename("/d", "/e", 0), 0);
	ck_assert_int_eq(fs_rename("/e", "/e/below", 0), -EINVAL);
	ck_assert_str_eq(fs_list("/", 0), "e");
	ck_assert_int_eq(fs_rename("/e/x", "/y", LINUX_RENAME_WHITEOUT), 0);
	ck_assert_str_eq(fs_list("/e", 0), "x");
	ck_assert_str_eq(fs_text("/y"), "a");
}
END_TEST

START_TEST(test_batches)
{
	static char whole[65536];

	fs_use_tmpfs(NULL);
	make_files("", 100);
	strcpy(whole, fs_list("/", 0));
	ck_assert_uint_eq(strlen(whole), 100 * 4 - 1);
	for (size_t batch = 1; batch < 9; batch++)
		ck_assert_str_eq(fs_list("/", batch), whole);
}
END_TEST

struct removal {
	struct dir_context context;
	char names[8][16];
	size_t count;
};

static bool collect(struct dir_context *context, const char *name, size_t length,
	int64_t next_position, uint64_t ino, uint8_t type)
{
	struct removal *removal = container_of(context, struct removal, context);

	if (removal->count == 8)
		return false;
	snprintf(removal->names[removal->count++], 16, "/%s", name);
	context->position = next_position;
	return true;
}

static size_t read_some(struct file *file, struct removal *removal)
{
	removal->count = 0;
	mutex_lock(&file->inode->lock);
	ck_assert_int_eq(file->ops->iterate(file, &removal->context), 0);
	mutex_unlock(&file->inode->lock);
	return removal->count;
}

START_TEST(test_reading_while_names_change)
{
	struct removal removal = {.context = {.position = 2, .emit = collect}};
	struct file *file;
	char name[32];
	size_t met = 0;

	fs_use_tmpfs(NULL);
	make_files("", 100);
	file = fs_open("/", LINUX_O_RDONLY, NULL);
	while (read_some(file, &removal)) {
		for (size_t i = 0; i < removal.count; i++) {
			met++;
			snprintf(name, sizeof(name), "%s.new", removal.names[i]);
			if (i % 2)
				ck_assert_int_eq(fs_rename(removal.names[i], name, 0), 0);
			else
				ck_assert_int_eq(path_unlink(AT, removal.names[i]), 0);
		}
	}
	file_put(file);
	ck_assert_uint_eq(met, 100);
	ck_assert_uint_eq(strlen(fs_list("/", 3)), 50 * 8 - 1);
}
END_TEST

START_TEST(test_deep_tree_is_freed)
{
	struct inode *inode, *next;

	fs_use_tmpfs(NULL);
	inode = fs_inode("/");
	/* By hand: a path walk of that length would take longer than the test. */
	for (int depth = 0; depth < 15000; depth++) {
		mutex_lock(&inode->lock);
		ck_assert_int_eq(
			inode->ops->create(inode, "d", LINUX_S_IFDIR | 0755, 0, NULL, &next), 0);
		mutex_unlock(&inode->lock);
		inode_put(inode);
		inode = next;
	}
	inode_put(inode);
}
END_TEST

START_TEST(test_unnamed_file)
{
	struct file *file;
	struct path path;

	fs_use_tmpfs(NULL);
	file = fs_open("/", LINUX_O_RDWR | LINUX_O_TMPFILE, NULL);
	ck_assert_int_eq(fs_write(file, "found", 5, -1), 5);
	ck_assert_str_eq(fs_list("/", 0), "");
	ck_assert_int_eq(file_path(file, &path), 0);
	path_put(&path);
	file_put(file);
}
END_TEST

TCase *tmpfs_directory_tests(void)
{
	TCase *tcase = tcase_create("tmpfs directories");

	tcase_add_checked_fixture(tcase, fs_fixture_setup, fs_fixture_teardown);
	tcase_add_test(tcase, test_names_and_links);
	tcase_add_test(tcase, test_names_outlive_the_cache);
	tcase_add_test(tcase, test_rename);
	tcase_add_test(tcase, test_batches);
	tcase_add_test(tcase, test_reading_while_names_change);
	tcase_add_test(tcase, test_deep_tree_is_freed);
	tcase_add_test(tcase, test_unnamed_file);
	return tcase;
}
