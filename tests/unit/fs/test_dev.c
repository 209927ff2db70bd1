/* SPDX-License-Identifier: Apache-2.0 */
/* devtmpfs and its memory devices. */
#include "fs_fixture.h"

#include <errno.h>
#include <string.h>

static void use_devtmpfs(void)
{
	const struct file_system_type *type = file_system_find("devtmpfs");
	struct super_block *sb;

	ck_assert_ptr_nonnull(type);
	ck_assert_int_eq(type->mount(type, "devtmpfs", 0, NULL, &sb), 0);
	fs_use_root(sb);
}

START_TEST(test_entries)
{
	struct linux_stat st;

	use_devtmpfs();
	ck_assert_str_eq(fs_list("/", 0),
		"console core fd full kmsg mqueue null ptmx pts random shm stderr "
		"stdin stdout tty urandom zero");
	ck_assert_int_eq(fs_stat("/null", &st), 0);
	ck_assert_uint_eq(st.st_mode, LINUX_S_IFCHR | 0666);
	ck_assert_uint_eq(st.st_rdev, LINUX_MAKEDEV(1, 3));
	ck_assert_int_eq(fs_stat("/shm", &st), 0);
	ck_assert_uint_eq(st.st_mode, LINUX_S_IFDIR | 01777);
	ck_assert_int_eq(fs_stat("/fd", &st), 0);
	ck_assert(LINUX_S_ISLNK(st.st_mode));
}
END_TEST

START_TEST(test_reads_and_writes)
{
	char bytes[5000], zeros[5000] = "";
	struct file *file;

	use_devtmpfs();
	file = fs_open("/zero", LINUX_O_RDWR, NULL);
	memset(bytes, 1, sizeof(bytes));
	ck_assert_int_eq(fs_read(file, bytes, sizeof(bytes), -1), (int64_t)sizeof(bytes));
	ck_assert_mem_eq(bytes, zeros, sizeof(bytes));
	ck_assert_int_eq(file_seek(file, 5, LINUX_SEEK_SET), 0);
	file_put(file);
	file = fs_open("/full", LINUX_O_RDWR, NULL);
	ck_assert_int_eq(fs_write(file, "x", 1, -1), -ENOSPC);
	ck_assert_int_eq(fs_read(file, bytes, 10, -1), 10);
	file_put(file);
	file = fs_open("/null", LINUX_O_RDWR | LINUX_O_TRUNC, NULL);
	ck_assert_int_eq(fs_write(file, bytes, 1000, -1), 1000);
	ck_assert_int_eq(fs_read(file, bytes, 1000, -1), 0);
	file_put(file);
	file = fs_open("/urandom", LINUX_O_RDONLY, NULL);
	ck_assert_int_eq(fs_read(file, bytes, sizeof(bytes), -1), (int64_t)sizeof(bytes));
	ck_assert_int_ne(memcmp(bytes, zeros, sizeof(bytes)), 0);
	ck_assert_int_ne(memcmp(bytes, bytes + 2500, 2500), 0);
	file_put(file);
}
END_TEST

TCase *dev_tests(void)
{
	TCase *tcase = tcase_create("dev");

	tcase_add_checked_fixture(tcase, fs_fixture_setup, fs_fixture_teardown);
	tcase_add_test(tcase, test_entries);
	tcase_add_test(tcase, test_reads_and_writes);
	return tcase;
}
