/* SPDX-License-Identifier: Apache-2.0 */
/* Directories of the overlay: merging, whiteouts, renames of lower directories, and the list of
 * changes. */
#include "fs_fixture.h"

#include "sentry/fs/overlay/overlay.h"
#include "sentry/vfs/dentry.h"
#include "sentry/vfs/names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define AT LINUX_AT_FDCWD

static void make_lower(void)
{
	fs_host_mkdir("d");
	fs_host_mkdir("d/e");
	fs_host_write("d/a", "a");
	fs_host_write("d/b", "b");
	fs_host_write("d/e/deep", "deep");
}

static void forget_names(void)
{
	struct inode *root = fs_inode("/");

	dentry_prune_tree(root->sb->root);
	inode_put(root);
}

START_TEST(test_merge)
{
	make_lower();
	fs_use_overlay();
	ck_assert_str_eq(fs_list("/d", 0), "a b e");
	fs_write_text("/d/c", "c");
	fs_write_text("/d/a", "changed");
	ck_assert_int_eq(path_unlink(AT, "/d/b"), 0);
	for (size_t batch = 0; batch < 5; batch++)
		ck_assert_str_eq(fs_list("/d", batch), "a c e");
	forget_names();
	ck_assert_str_eq(fs_list("/d", 0), "a c e");
	ck_assert_str_eq(fs_text("/d/b"), "error 2");
	fs_write_text("/d/b", "anew");
	ck_assert_str_eq(fs_list("/d", 2), "a b c e");
	ck_assert_int_eq(path_unlink(AT, "/d/b"), 0);
	ck_assert_str_eq(fs_text("/d/b"), "error 2");
	ck_assert_str_eq(fs_host_read("d/b"), "b");
}
END_TEST

START_TEST(test_remove_and_remake)
{
	struct linux_stat st;

	make_lower();
	fs_use_overlay();
	ck_assert_int_eq(path_rmdir(AT, "/d"), -ENOTEMPTY);
	ck_assert_int_eq(path_unlink(AT, "/d/a"), 0);
	ck_assert_int_eq(path_unlink(AT, "/d/b"), 0);
	ck_assert_int_eq(path_unlink(AT, "/d/e/deep"), 0);
	ck_assert_int_eq(fs_stat("/d", &st), 0);
	ck_assert_uint_eq(st.st_nlink, 3);
	ck_assert_int_eq(path_rmdir(AT, "/d/e"), 0);
	ck_assert_int_eq(fs_stat("/d", &st), 0);
	ck_assert_uint_eq(st.st_nlink, 2);
	ck_assert_int_eq(path_rmdir(AT, "/d"), 0);
	ck_assert_str_eq(fs_list("/", 0), "");
	/* A new directory in its place is opaque. */
	ck_assert_int_eq(path_mkdir(AT, "/d", 0755), 0);
	forget_names();
	ck_assert_str_eq(fs_list("/d", 0), "");
	ck_assert_str_eq(fs_text("/d/a"), "error 2");
}
END_TEST

START_TEST(test_rename_lower_directory)
{
	struct linux_stat before, after;

	make_lower();
	fs_use_overlay();
	ck_assert_int_eq(fs_stat("/d/e", &before), 0);
	ck_assert_int_eq(fs_rename("/d", "/moved", 0), 0);
	forget_names();
	ck_assert_str_eq(fs_list("/", 0), "moved");
	ck_assert_str_eq(fs_list("/moved", 0), "a b e");
	ck_assert_str_eq(fs_text("/moved/e/deep"), "deep");
	ck_assert_int_eq(fs_rename("/moved/e", "/e", 0), 0);
	ck_assert_str_eq(fs_text("/e/deep"), "deep");
	ck_assert_str_eq(fs_text("/moved/e/deep"), "error 2");
	ck_assert_int_eq(fs_stat("/e", &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	ck_assert_int_eq(fs_rename("/moved", "/d", 0), 0);
	forget_names();
	ck_assert_str_eq(fs_list("/", 0), "d e");
	ck_assert_str_eq(fs_list("/d", 0), "a b");
	fs_write_text("/e/deep", "changed");
	forget_names();
	ck_assert_str_eq(fs_text("/e/deep"), "changed");
}
END_TEST

START_TEST(test_rename_files)
{
	make_lower();
	fs_use_overlay();
	ck_assert_int_eq(fs_rename("/d/a", "/d/b", LINUX_RENAME_EXCHANGE), 0);
	forget_names();
	ck_assert_str_eq(fs_text("/d/a"), "b");
	ck_assert_str_eq(fs_text("/d/b"), "a");
	ck_assert_int_eq(fs_rename("/d/a", "/d/b", 0), 0);
	ck_assert_str_eq(fs_text("/d/b"), "b");
	ck_assert_str_eq(fs_list("/d", 1), "b e");
	ck_assert_int_eq(fs_rename("/d/b", "/d/x", LINUX_RENAME_WHITEOUT), -EINVAL);
	fs_write_text("/new", "new");
	ck_assert_int_eq(fs_rename("/new", "/d/a", 0), 0);
	ck_assert_int_eq(fs_rename("/d/a", "/d/e/deep", 0), 0);
	ck_assert_str_eq(fs_text("/d/e/deep"), "new");
	ck_assert_str_eq(fs_list("/d", 0), "b e");
	ck_assert_str_eq(fs_list("/d/e", 0), "deep");
	ck_assert_int_eq(path_mkdir(AT, "/empty", 0755), 0);
	ck_assert_int_eq(fs_rename("/empty", "/d", 0), -ENOTEMPTY);
	ck_assert_int_eq(fs_rename("/d/e", "/empty", 0), 0);
	ck_assert_str_eq(fs_text("/empty/deep"), "new");
}
END_TEST

/* As "mv *" does, one at a time while reading: each name is met once. */
struct mover {
	struct dir_context context;
	char name[32];
	bool taken;
};

static bool take_one(struct dir_context *context, const char *name, size_t length,
	int64_t next_position, uint64_t ino, uint8_t type)
{
	struct mover *mover = container_of(context, struct mover, context);

	if (mover->taken)
		return false;
	snprintf(mover->name, sizeof(mover->name), "/%s", name);
	mover->taken = true;
	context->position = next_position;
	return true;
}

START_TEST(test_rename_while_reading)
{
	struct mover mover = {.context = {.position = 2, .emit = take_one}};
	struct file *file;
	char name[40];
	int met = 0;

	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "low%02d", i);
		fs_host_write(name, "");
	}
	fs_use_overlay();
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "/new%02d", i);
		fs_write_text(name, "");
	}
	file = fs_open("/", LINUX_O_RDONLY, NULL);
	for (;;) {
		mover.taken = false;
		mutex_lock(&file->inode->lock);
		ck_assert_int_eq(file->ops->iterate(file, &mover.context), 0);
		mutex_unlock(&file->inode->lock);
		if (!mover.taken)
			break;
		ck_assert_int_lt(met++, 40);
		snprintf(name, sizeof(name), "%s.moved", mover.name);
		ck_assert_int_eq(fs_rename(mover.name, name, 0), 0);
	}
	file_put(file);
	ck_assert_int_eq(met, 40);
	ck_assert_uint_eq(strlen(fs_list("/", 0)), 40 * 12 - 1);
}
END_TEST

static int note_change(void *argument, const struct overlay_difference *difference)
{
	char(*notes)[64] = argument;
	size_t i = 0;

	while (notes[i][0])
		i++;
	ck_assert_uint_lt(i, 15);
	snprintf(notes[i], sizeof(notes[i]), "%c%s%s", "AMD"[difference->change],
		difference -> path, difference -> opaque ? "*" : "");
	return 0;
}

static int compare_notes(const void *a, const void *b)
{
	return strcmp(a, b);
}

START_TEST(test_changes)
{
	char notes[16][64] = {""}, text[1024] = "";
	struct super_block *sb;

	make_lower();
	sb = fs_use_overlay();
	fs_write_text("/d/a", "changed");
	ck_assert_int_eq(path_unlink(AT, "/d/b"), 0);
	ck_assert_int_eq(path_mkdir(AT, "/n", 0755), 0);
	fs_write_text("/n/x", "x");
	ck_assert_int_eq(fs_chmod("/d/e/deep", 0600), 0);
	ck_assert_int_eq(overlay_changes(sb, note_change, notes), 0);
	qsort(notes, 15, sizeof(notes[0]), compare_notes);
	for (int i = 0; i < 15; i++)
		if (notes[i][0])
			strcat(strcat(text, notes[i]), " ");
	ck_assert_str_eq(text, "A/n A/n/x D/d/b M/ M/d M/d/a M/d/e/deep ");
}
END_TEST

static void check_changes(struct super_block *sb, const char *wanted)
{
	char notes[16][64] = {""}, text[1024] = "";

	ck_assert_int_eq(overlay_changes(sb, note_change, notes), 0);
	qsort(notes, 15, sizeof(notes[0]), compare_notes);
	for (int i = 0; i < 15; i++)
		if (notes[i][0])
			strcat(strcat(text, notes[i]), " ");
	ck_assert_str_eq(text, wanted);
}

/* What a moved directory brings along is told of; one that took another's place hides it. */
START_TEST(test_changes_of_moved)
{
	struct super_block *sb;

	make_lower();
	sb = fs_use_overlay();
	ck_assert_int_eq(fs_rename("/d/e", "/moved", 0), 0);
	ck_assert_int_eq(path_mkdir(AT, "/d/e", 0755), 0);
	check_changes(sb, "A/d/e* A/moved A/moved/deep M/ M/d ");
}
END_TEST

/* Since the baseline: what it had and is gone, what it had and changed, what came. */
START_TEST(test_baseline)
{
	struct super_block *sb;

	make_lower();
	sb = fs_use_overlay();
	fs_write_text("/d/a", "changed");
	ck_assert_int_eq(path_mkdir(AT, "/n", 0755), 0);
	fs_write_text("/n/x", "x");
	fs_write_text("/n/y", "y");
	ck_assert_int_eq(path_unlink(AT, "/d/b"), 0);
	overlay_set_baseline(sb);
	check_changes(sb, "");
	fs_write_text("/d/b", "for a while");
	ck_assert_int_eq(path_unlink(AT, "/d/b"), 0);
	check_changes(sb, "M/d ");
	fs_write_text("/n/x", "other");
	ck_assert_int_eq(path_unlink(AT, "/n/y"), 0);
	fs_write_text("/n/z", "z");
	fs_write_text("/d/b", "again");
	check_changes(sb, "A/d/b A/n/z D/n/y M/d M/n M/n/x ");
}
END_TEST

TCase *overlay_directory_tests(void)
{
	TCase *tcase = tcase_create("overlay directories");

	tcase_add_checked_fixture(tcase, fs_fixture_setup, fs_fixture_teardown);
	tcase_add_test(tcase, test_merge);
	tcase_add_test(tcase, test_remove_and_remake);
	tcase_add_test(tcase, test_rename_lower_directory);
	tcase_add_test(tcase, test_rename_files);
	tcase_add_test(tcase, test_rename_while_reading);
	tcase_add_test(tcase, test_changes);
	tcase_add_test(tcase, test_changes_of_moved);
	tcase_add_test(tcase, test_baseline);
	return tcase;
}
