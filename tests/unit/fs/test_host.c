/* SPDX-License-Identifier: Apache-2.0 */
/* The host file system over a scratch directory: read-only and exclusive as a sandbox's root is. */
#include "fs_fixture.h"

#include "abi/mman.h"
#include "sentry/fs/host/host.h"
#include "sentry/mm/mappable.h"
#include "sentry/vfs/dentry.h"
#include "sentry/vfs/names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define AT LINUX_AT_FDCWD

static void make_tree(void)
{
	fs_host_mkdir("d");
	fs_host_mkdir("d/e");
	fs_host_write("d/e/f", "in f");
	fs_host_write("a", "in a");
	ck_assert_int_eq(symlinkat("d/e", g_scratch, "s"), 0);
	ck_assert_int_eq(symlinkat("/etc/passwd", g_scratch, "out"), 0);
	ck_assert_int_eq(linkat(g_scratch, "a", g_scratch, "b", 0), 0);
	ck_assert_int_eq(mkfifoat(g_scratch, "fifo", 0600), 0);
}

START_TEST(test_read_tree)
{
	struct linux_stat a, b;
	struct stat host;

	make_tree();
	fs_use_host(true, true);
	ck_assert_str_eq(fs_text("/a"), "in a");
	ck_assert_str_eq(fs_text("/s/f"), "in f");
	/* Symlinks are walked inside, never by the host. */
	ck_assert_str_eq(fs_text("/out"), "error 2");
	ck_assert_str_eq(fs_text("/missing"), "error 2");
	ck_assert_str_eq(fs_list("/", 0), "a b d fifo out s");
	ck_assert_str_eq(fs_list("/", 1), "a b d fifo out s");
	ck_assert_int_eq(fs_stat("/a", &a), 0);
	ck_assert_int_eq(fs_stat("/b", &b), 0);
	ck_assert_int_eq(fstatat(g_scratch, "a", &host, 0), 0);
	ck_assert_uint_eq(a.st_ino, host.st_ino);
	ck_assert_uint_eq(a.st_ino, b.st_ino);
	ck_assert_uint_eq(a.st_nlink, 2);
	ck_assert_int_eq(a.st_size, 4);
	ck_assert_uint_eq(a.st_mode, host.st_mode);
}
END_TEST

START_TEST(test_hard_links_are_one_inode)
{
	struct inode *a, *b;

	make_tree();
	fs_use_host(true, true);
	a = fs_inode("/a");
	b = fs_inode("/b");
	ck_assert_ptr_eq(a, b);
	inode_put(a);
	inode_put(b);
}
END_TEST

START_TEST(test_read_only)
{
	int error;

	make_tree();
	fs_use_host(true, true);
	(void)fs_open("/a", LINUX_O_RDWR, &error);
	ck_assert_int_eq(error, -EROFS);
	ck_assert_int_eq(path_unlink(AT, "/a"), -EROFS);
	ck_assert_int_eq(path_mkdir(AT, "/n", 0755), -EROFS);
	ck_assert_int_eq(fs_chmod("/a", 0600), -EROFS);
}
END_TEST

START_TEST(test_large_reads)
{
	static char bytes[300000], seen[300100];
	struct file *file;
	int fd;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7 + i / 1000);
	fd = openat(g_scratch, "big", O_WRONLY | O_CREAT, 0644);
	ck_assert_int_eq(write(fd, bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
	close(fd);
	fs_use_host(true, true);
	file = fs_open("/big", LINUX_O_RDONLY, NULL);
	ck_assert_int_eq(fs_read(file, seen, sizeof(seen), -1), (int64_t)sizeof(bytes));
	ck_assert_mem_eq(seen, bytes, sizeof(bytes));
	ck_assert_int_eq(fs_read(file, seen, 100, -1), 0);
	ck_assert_int_eq(fs_read(file, seen, 1000, 250000), 1000);
	ck_assert_mem_eq(seen, bytes + 250000, 1000);
	file_put(file);
}
END_TEST

/* More files and directories than descriptors: all stay usable, open ones too. */
START_TEST(test_few_descriptors)
{
	struct rlimit limit = {.rlim_cur = 200, .rlim_max = 200};
	struct file *files[400];
	char name[64], text[16];

	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "dir%d", i);
		fs_host_mkdir(name);
		snprintf(name, sizeof(name), "dir%d/file", i);
		snprintf(text, sizeof(text), "%d", i);
		fs_host_write(name, text);
	}
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	fs_use_host(true, true);
	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "/dir%d/file", i);
		files[i] = fs_open(name, LINUX_O_RDONLY, NULL);
	}
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 400; i++) {
			char seen[8] = "";

			snprintf(text, sizeof(text), "%d", i);
			ck_assert_int_gt(fs_read(files[i], seen, sizeof(seen), 0), 0);
			ck_assert_str_eq(seen, text);
		}
	}
	for (int i = 0; i < 400; i++)
		file_put(files[i]);
}
END_TEST

START_TEST(test_replaced_by_the_host)
{
	struct file *old;
	char seen[16] = "";

	fs_host_write("a", "old");
	fs_use_host(true, true);
	old = fs_open("/a", LINUX_O_RDONLY, NULL);
	ck_assert_int_eq(fs_read(old, seen, sizeof(seen), 0), 3);
	fs_host_write("new", "newer");
	ck_assert_int_eq(renameat(g_scratch, "new", g_scratch, "a"), 0);
	/* The descriptor may still be cached: either is an answer, a crash is none. */
	ck_assert(!strcmp(fs_text("/a"), "newer") || !strcmp(fs_text("/a"), "old"));
	ck_assert_int_eq(unlinkat(g_scratch, "a", 0), 0);
	ck_assert_int_eq(mkfifoat(g_scratch, "a", 0600), 0);
	(void)fs_text("/a");
	(void)fs_read(old, seen, sizeof(seen), 0);
	file_put(old);
}
END_TEST

START_TEST(test_truncated_by_the_host)
{
	struct mapping_extent extent;
	struct mappable *mappable;
	bool anonymous;
	struct file *file;
	char seen[16];
	int most = LINUX_PROT_READ;

	fs_host_write("a", "0123456789");
	fs_use_host(true, true);
	file = fs_open("/a", LINUX_O_RDONLY, NULL);
	ck_assert_int_eq(
		file->ops->mmap(file, false, LINUX_PROT_READ, &most, &mappable, &anonymous), 0);
	ck_assert_int_eq(mappable->ops->translate(mappable, 0, 65536, false, &extent), 0);
	ck_assert_uint_eq(extent.length, 4096);
	ck_assert(!extent.writable);
	ck_assert_int_eq(mappable->ops->translate(mappable, 4096, 4096, false, &extent), -ERANGE);
	fs_host_write("a", "");
	ck_assert_int_eq(fs_read(file, seen, sizeof(seen), 0), 0);
	file_put(file);
}
END_TEST

START_TEST(test_unreadable_stays_so)
{
	if (geteuid() == 0 && setresuid(-1, 65534, -1))
		return;
	fs_use_host(true, true);
	if (geteuid() != 65534)
		return;
	/* The scratch directory is root's and 0700: the host says no, and the guest's root hears
	 * it. */
	ck_assert_str_eq(fs_text("/a"), "error 13");
	ck_assert_int_eq(setresuid(-1, 0, -1), 0);
}
END_TEST

START_TEST(test_kernel_file_systems_are_walled)
{
	const struct host_super_options options = {.read_only = true, .exclusive = true};
	struct super_block *sb;

	ck_assert_int_eq(host_super_block_new(open("/", O_PATH | O_CLOEXEC), &options, &sb), 0);
	fs_use_root(sb);
	ck_assert(fs_exists("/proc"));
	ck_assert(!fs_exists("/proc/version"));
	ck_assert_str_eq(fs_list("/proc", 0), "");
	ck_assert(!fs_exists("/sys/kernel"));
	ck_assert(fs_exists("/usr/bin/env"));
}
END_TEST

START_TEST(test_single_file)
{
	const struct host_super_options options = {.read_only = false};
	struct super_block *sb;
	struct inode *inode;
	struct file *file;

	fs_host_write("a", "one file");
	ck_assert_int_eq(
		host_super_block_new(openat(g_scratch, "a", O_RDWR | O_CLOEXEC), &options, &sb), 0);
	fs_use_root(sb);
	inode = fs_inode("/");
	ck_assert_uint_eq(inode->attributes.mode & LINUX_S_IFMT, LINUX_S_IFREG);
	inode_put(inode);
	file = fs_open("/", LINUX_O_RDWR, NULL);
	ck_assert_int_eq(fs_write(file, "ONE", 3, 0), 3);
	file_put(file);
	ck_assert_str_eq(fs_host_read("a"), "ONE file");
}
END_TEST

TCase *host_tests(void)
{
	TCase *tcase = tcase_create("host");

	tcase_add_checked_fixture(tcase, fs_fixture_setup, fs_fixture_teardown);
	tcase_add_test(tcase, test_read_tree);
	tcase_add_test(tcase, test_hard_links_are_one_inode);
	tcase_add_test(tcase, test_read_only);
	tcase_add_test(tcase, test_large_reads);
	tcase_add_test(tcase, test_few_descriptors);
	tcase_add_test(tcase, test_replaced_by_the_host);
	tcase_add_test(tcase, test_truncated_by_the_host);
	tcase_add_test(tcase, test_unreadable_stays_so);
	tcase_add_test(tcase, test_kernel_file_systems_are_walled);
	tcase_add_test(tcase, test_single_file);
	return tcase;
}
