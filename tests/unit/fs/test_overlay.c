/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the overlay: what copying up changes, and what must stay as it was. The host is never
 * touched. */
#include "fs_fixture.h"

#include "abi/mman.h"
#include "sentry/fs/overlay/overlay.h"
#include "sentry/mm/mappable.h"
#include "sentry/mm/memory_file.h"
#include "sentry/vfs/dentry.h"
#include "sentry/vfs/names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define AT LINUX_AT_FDCWD

static void forget_names(void)
{
	struct inode *root = fs_inode("/");

	dentry_prune_tree(root->sb->root);
	inode_put(root);
}

START_TEST(test_write_copies_up)
{
	struct linux_stat before, after;

	fs_host_write("a", "lower");
	fs_use_overlay();
	ck_assert_int_eq(fs_stat("/a", &before), 0);
	fs_write_text("/a", "upper text");
	ck_assert_str_eq(fs_text("/a"), "upper text");
	ck_assert_int_eq(fs_stat("/a", &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	ck_assert_uint_eq(before.st_dev, after.st_dev);
	ck_assert_int_eq(after.st_size, 10);
	forget_names();
	ck_assert_str_eq(fs_text("/a"), "upper text");
	ck_assert_int_eq(fs_stat("/a", &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	ck_assert_str_eq(fs_host_read("a"), "lower");
}
END_TEST

START_TEST(test_partial_write)
{
	static char bytes[300000], seen[300000];
	struct file *file;
	int fd = openat(g_scratch, "big", O_WRONLY | O_CREAT, 0644);

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i % 251);
	ck_assert_int_eq(write(fd, bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
	close(fd);
	fs_use_overlay();
	file = fs_open("/big", LINUX_O_RDWR, NULL);
	ck_assert_int_eq(fs_write(file, "changed", 7, 150000), 7);
	memcpy(bytes + 150000, "changed", 7);
	ck_assert_int_eq(fs_read(file, seen, sizeof(seen), 0), (int64_t)sizeof(seen));
	ck_assert_mem_eq(seen, bytes, sizeof(bytes));
	file_put(file);
}
END_TEST

START_TEST(test_reader_sees_later_writes)
{
	struct mapping_extent extent;
	struct mappable *lower, *upper;
	bool anonymous;
	struct file *reader, *writer;
	int most = LINUX_PROT_READ;
	char seen[16] = "";

	fs_host_write("a", "lower");
	fs_use_overlay();
	reader = fs_open("/a", LINUX_O_RDONLY, NULL);
	ck_assert_int_eq(
		reader->ops->mmap(reader, false, LINUX_PROT_READ, &most, &lower, &anonymous), 0);
	writer = fs_open("/a", LINUX_O_RDWR, NULL);
	ck_assert_int_eq(fs_write(writer, "UPPER", 5, 0), 5);
	ck_assert_int_eq(fs_read(reader, seen, sizeof(seen), 0), 5);
	ck_assert_str_eq(seen, "UPPER");
	/* The old mapping goes on with the lower file, a new one has the copy. */
	ck_assert_int_eq(lower->ops->translate(lower, 0, 4096, false, &extent), 0);
	ck_assert_int_ne(extent.host_fd, memory_file_fd());
	ck_assert_int_eq(
		reader->ops->mmap(reader, false, LINUX_PROT_READ, &most, &upper, &anonymous), 0);
	ck_assert_ptr_ne(lower, upper);
	file_put(reader);
	file_put(writer);
}
END_TEST

START_TEST(test_attributes_without_copy)
{
	struct memory_file_usage usage;
	struct linux_stat st;

	fs_host_write("a", "text");
	fs_use_overlay();
	ck_assert_int_eq(fs_chmod("/a", 0751), 0);
	forget_names();
	ck_assert_int_eq(fs_stat("/a", &st), 0);
	ck_assert_uint_eq(st.st_mode, LINUX_S_IFREG | 0751);
	ck_assert_int_eq(st.st_size, 4);
	ck_assert_str_eq(fs_text("/a"), "text");
	memory_file_usage(&usage);
	ck_assert_uint_eq(usage.allocated, 0);
	ck_assert_int_eq(fs_truncate("/a", 2), 0);
	ck_assert_str_eq(fs_text("/a"), "te");
	ck_assert_int_eq(fs_stat("/a", &st), 0);
	ck_assert_uint_eq(st.st_mode, LINUX_S_IFREG | 0751);
}
END_TEST

START_TEST(test_hard_links_stay_linked)
{
	struct linux_stat st;

	fs_host_write("a", "shared");
	ck_assert_int_eq(linkat(g_scratch, "a", g_scratch, "b", 0), 0);
	fs_use_overlay();
	fs_write_text("/a", "changed");
	forget_names();
	ck_assert_str_eq(fs_text("/b"), "changed");
	ck_assert_int_eq(path_link(AT, "/b", AT, "/c", 0), 0);
	ck_assert_int_eq(fs_stat("/a", &st), 0);
	ck_assert_uint_eq(st.st_nlink, 3);
	ck_assert_int_eq(path_unlink(AT, "/a"), 0);
	ck_assert_int_eq(path_unlink(AT, "/b"), 0);
	forget_names();
	ck_assert_str_eq(fs_text("/c"), "changed");
	ck_assert_int_eq(fs_stat("/c", &st), 0);
	ck_assert_uint_eq(st.st_nlink, 1);
	ck_assert_int_eq(path_unlink(AT, "/c"), 0);
	ck_assert_str_eq(fs_list("/", 0), "");
}
END_TEST

START_TEST(test_xattrs_follow)
{
	struct inode *inode;
	char value[16];
	int fd;

	fs_host_write("a", "x");
	fd = openat(g_scratch, "a", O_RDONLY);
	if (fsetxattr(fd, "user.k", "v", 1, 0)) {
		close(fd);
		return; /* the scratch directory's file system has none */
	}
	close(fd);
	fs_use_overlay();
	inode = fs_inode("/a");
	ck_assert_int_eq(inode->ops->getxattr(inode, "user.k", value, sizeof(value)), 1);
	ck_assert_int_eq(inode->ops->setxattr(inode, "user.l", "w", 1, 0), 0);
	ck_assert_int_eq(inode->ops->getxattr(inode, "user.k", value, sizeof(value)), 1);
	ck_assert_int_eq(inode->ops->removexattr(inode, "user.k"), 0);
	ck_assert_int_eq(inode->ops->getxattr(inode, "user.k", value, sizeof(value)), -ENODATA);
	inode_put(inode);
	ck_assert_str_eq(fs_text("/a"), "x");
}
END_TEST

START_TEST(test_no_room)
{
	struct file *file;
	int error, fd = openat(g_scratch, "huge", O_WRONLY | O_CREAT, 0644);

	ck_assert_int_eq(ftruncate(fd, 1l << 30), 0);
	ck_assert_int_eq(pwrite(fd, "end", 3, (1l << 30) - 3), 3);
	close(fd);
	fs_use_overlay();
	/* Holes are not copied, so a sparse file fits. */
	file = fs_open("/huge", LINUX_O_RDWR, NULL);
	ck_assert_int_eq(fs_write(file, "x", 1, 0), 1);
	file_put(file);
	ck_assert_int_eq(path_unlink(AT, "/huge"), 0);
	fd = openat(g_scratch, "full", O_WRONLY | O_CREAT, 0644);
	ck_assert_int_eq(fallocate(fd, 0, 0, 80 << 20), 0);
	for (int64_t at = 0; at < 80 << 20; at += 4096)
		ck_assert_int_eq(pwrite(fd, "x", 1, at), 1);
	close(fd);
	(void)fs_open("/full", LINUX_O_RDWR, &error);
	ck_assert_int_eq(error, -ENOSPC);
	ck_assert_int_eq(strncmp(fs_text("/full"), "x", 2), 0);
	file = fs_open("/full", LINUX_O_RDWR | LINUX_O_TRUNC, NULL);
	file_put(file);
	ck_assert_str_eq(fs_text("/full"), "");
}
END_TEST

START_TEST(test_special_files)
{
	struct linux_stat st;

	ck_assert_int_eq(mkfifoat(g_scratch, "fifo", 0640), 0);
	ck_assert_int_eq(symlinkat("target", g_scratch, "s"), 0);
	fs_use_overlay();
	ck_assert_int_eq(fs_stat("/fifo", &st), 0);
	ck_assert(LINUX_S_ISFIFO(st.st_mode));
	ck_assert_int_eq(fs_chmod("/fifo", 0600), 0);
	ck_assert_int_eq(fs_stat("/s", &st), 0);
	ck_assert(LINUX_S_ISLNK(st.st_mode));
	fs_write_text("/target", "through the link");
	ck_assert_str_eq(fs_text("/s"), "through the link");
	ck_assert_int_eq(path_mknod(AT, "/white", LINUX_S_IFCHR, 0), -EPERM);
	ck_assert_int_eq(path_mknod(AT, "/null", LINUX_S_IFCHR | 0666, 0x103), 0);
	ck_assert_str_eq(fs_text("/null"), "");
}
END_TEST

TCase *overlay_tests(void)
{
	TCase *tcase = tcase_create("overlay files");

	tcase_add_checked_fixture(tcase, fs_fixture_setup, fs_fixture_teardown);
	tcase_set_timeout(tcase, 20);
	tcase_add_test(tcase, test_write_copies_up);
	tcase_add_test(tcase, test_partial_write);
	tcase_add_test(tcase, test_reader_sees_later_writes);
	tcase_add_test(tcase, test_attributes_without_copy);
	tcase_add_test(tcase, test_hard_links_stay_linked);
	tcase_add_test(tcase, test_xattrs_follow);
	tcase_add_test(tcase, test_no_room);
	tcase_add_test(tcase, test_special_files);
	return tcase;
}
