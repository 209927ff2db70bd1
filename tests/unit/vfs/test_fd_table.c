/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptor tables. */
#include "vfs_fixture.h"

#include "abi/resource.h"
#include "sentry/vfs/fd_table.h"

START_TEST(test_lowest)
{
	struct fd_table *table = current->files;
	struct file *file = vfs_open_file("/", LINUX_O_RDONLY), *found;

	for (int i = 0; i < 200; i++)
		ck_assert_int_eq(fd_install(table, 0, file_get(file), i % 2), i);
	ck_assert_int_eq(fd_close(table, 70), 0);
	ck_assert_int_eq(fd_close(table, 3), 0);
	ck_assert_int_eq(fd_close(table, 3), -EBADF);
	ck_assert_int_eq(fd_close(table, -1), -EBADF);
	ck_assert_int_eq(fd_install(table, 10, file_get(file), false), 70);
	ck_assert_int_eq(fd_install(table, 10, file_get(file), false), 200);
	ck_assert_int_eq(fd_install(table, 0, file_get(file), false), 3);
	ck_assert_int_eq(fd_install(table, 500, file_get(file), false), 500);
	ck_assert_int_eq(fd_install(table, 0, file_get(file), false), 201);
	ck_assert_int_eq(fd_get_flags(table, 1), LINUX_FD_CLOEXEC);
	ck_assert_int_eq(fd_get_flags(table, 70), 0);
	found = fd_get(table, 500);
	ck_assert_ptr_eq(found, file);
	file_put(found);
	ck_assert_ptr_null(fd_get(table, 501));
	ck_assert_ptr_null(fd_get(table, 1 << 30));
	fd_close_on_exec(table);
	ck_assert_ptr_null(fd_get(table, 1));
	ck_assert_int_eq(fd_next(table, 0, NULL), 0);
	ck_assert_int_eq(fd_next(table, 1, NULL), 2);
	ck_assert_int_eq(fd_next(table, 201, NULL), 201);
	ck_assert_int_eq(fd_next(table, 202, NULL), 500);
	ck_assert_int_eq(fd_next(table, 501, NULL), -EBADF);
	ck_assert_int_eq(fd_close_range(table, 2, UINT32_MAX, false), 0);
	ck_assert_int_eq(fd_next(table, 1, NULL), -EBADF);
	ck_assert_uint_eq(refcount_read(&file->refs), 2);
	file_put(file);
}
END_TEST

START_TEST(test_limit)
{
	struct fd_table *table = current->files;
	struct file *file = vfs_open_file("/", LINUX_O_RDONLY);

	current->group->limits[LINUX_RLIMIT_NOFILE].rlim_cur = 3;
	ck_assert_int_eq(fd_install(table, 0, file_get(file), false), 0);
	ck_assert_int_eq(fd_reserve(table, 0, false), 1);
	ck_assert_ptr_null(fd_get(table, 1));
	ck_assert_int_eq(fd_close(table, 1), -EBADF);
	ck_assert_int_eq(fd_replace(table, 1, file, false), -EBUSY);
	ck_assert_int_eq(fd_install(table, 0, file_get(file), false), 2);
	ck_assert_int_eq(fd_install(table, 0, file, false), -EMFILE);
	fd_cancel(table, 1);
	ck_assert_int_eq(fd_replace(table, 1, file, true), 0);
	ck_assert_int_eq(fd_replace(table, 3, file, false), -EBADF);
	ck_assert_int_eq(fd_replace(table, -1, file, false), -EBADF);
	file_put(file);
}
END_TEST

START_TEST(test_copy)
{
	struct fd_table *table = current->files, *copy;
	struct file *file = vfs_open_file("/", LINUX_O_RDONLY);

	ck_assert_int_eq(fd_install(table, 7, file_get(file), true), 7);
	ck_assert_int_eq(fd_install(table, 300, file_get(file), false), 300);
	ck_assert_int_eq(fd_table_copy(table, UINT32_MAX, &copy), 0);
	ck_assert_int_eq(fd_get_flags(copy, 7), LINUX_FD_CLOEXEC);
	ck_assert_int_eq(fd_get_flags(copy, 300), 0);
	ck_assert_int_eq(fd_install(copy, 0, file_get(file), false), 0);
	fd_table_put(copy);
	ck_assert_int_eq(fd_table_copy(table, 8, &copy), 0);
	ck_assert_int_eq(fd_get_flags(copy, 300), -EBADF);
	ck_assert(!fd_table_is_shared(copy));
	fd_table_put(fd_table_get(copy));
	fd_table_put(copy);
	ck_assert_uint_eq(refcount_read(&file->refs), 3);
	file_put(file);
}
END_TEST

START_TEST(test_path_only)
{
	struct file *file = vfs_open_file("/", LINUX_O_PATH), *found;
	int fd = fd_install(current->files, 0, file, false);

	ck_assert_ptr_null(fd_get(current->files, fd));
	found = fd_get_path_too(current->files, fd);
	ck_assert_ptr_eq(found, file);
	file_put(found);
}
END_TEST

TCase *fd_table_tests(void)
{
	TCase *tcase = tcase_create("descriptor tables");

	tcase_add_checked_fixture(tcase, vfs_fixture_setup, vfs_fixture_teardown);
	tcase_add_test(tcase, test_lowest);
	tcase_add_test(tcase, test_limit);
	tcase_add_test(tcase, test_copy);
	tcase_add_test(tcase, test_path_only);
	return tcase;
}
