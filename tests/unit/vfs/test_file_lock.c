/* SPDX-License-Identifier: Apache-2.0 */
/* Record locks, against a plain map of who holds which byte; flock(2). */
#include "vfs_fixture.h"

#include "sentry/vfs/file_lock.h"

#include <string.h>

#define BYTES  24
#define OWNERS 3

static int set(struct file *file, unsigned int command, int type, int64_t start, int64_t length)
{
	struct linux_flock flock = {.l_type = (int16_t)type, .l_start = start, .l_len = length};

	return file_lock_control(file, 0, command, &flock);
}

/* Open file descriptions are owners that one task can play alone. */
START_TEST(test_against_map)
{
	struct file *files[OWNERS];
	int8_t held[OWNERS][BYTES]; /* -1 none, else the lock's type */
	uint64_t seed = 7 + (uint64_t)_i;

	memset(held, -1, sizeof(held));
	for (int i = 0; i < OWNERS; i++)
		files[i] = vfs_open_file("/f", LINUX_O_RDWR | LINUX_O_CREAT);
	for (int step = 0; step < 5000; step++) {
		static const int8_t types[] = {LINUX_F_RDLCK, LINUX_F_WRLCK, LINUX_F_UNLCK};
		int owner, type, start, length, expected = 0, result;

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		owner = (int)(seed >> 33) % OWNERS;
		type = types[(seed >> 40) % 3];
		start = (int)((seed >> 45) % BYTES);
		length = (int)((seed >> 52) % (unsigned int)(BYTES - start)) + 1;
		for (int other = 0; type != LINUX_F_UNLCK && other < OWNERS; other++)
			for (int at = start; at < start + length; at++)
				if (other != owner && held[other][at] >= 0 &&
					(type == LINUX_F_WRLCK || held[other][at] == LINUX_F_WRLCK))
					expected = -EAGAIN;
		result = set(files[owner], LINUX_F_OFD_SETLK, type, start, length);
		ck_assert_int_eq(result, expected);
		if (result == 0)
			memset(&held[owner][start], type == LINUX_F_UNLCK ? -1 : type,
				(size_t)length);
	}
	for (int i = 0; i < OWNERS; i++)
		file_put(files[i]);
}
END_TEST

START_TEST(test_get)
{
	struct file *file = vfs_open_file("/f", LINUX_O_RDWR | LINUX_O_CREAT);
	struct file *other = vfs_open_file("/f", LINUX_O_RDWR);
	struct linux_flock flock = {.l_type = LINUX_F_WRLCK};

	ck_assert_int_eq(set(file, LINUX_F_OFD_SETLK, LINUX_F_WRLCK, 10, 0), 0);
	ck_assert_int_eq(file_lock_control(other, 0, LINUX_F_OFD_GETLK, &flock), 0);
	ck_assert_int_eq(flock.l_type, LINUX_F_WRLCK);
	ck_assert_int_eq(flock.l_start, 10);
	ck_assert_int_eq(flock.l_len, 0);
	ck_assert_int_eq(flock.l_pid, -1);
	flock = (struct linux_flock){.l_type = LINUX_F_WRLCK, .l_len = 10};
	ck_assert_int_eq(file_lock_control(other, 0, LINUX_F_OFD_GETLK, &flock), 0);
	ck_assert_int_eq(flock.l_type, LINUX_F_UNLCK);
	ck_assert_int_eq(set(other, LINUX_F_OFD_SETLK, LINUX_F_RDLCK, -1, 1), -EINVAL);
	ck_assert_int_eq(set(other, LINUX_F_OFD_SETLK, LINUX_F_RDLCK, 5, -6), -EINVAL);
	ck_assert_int_eq(set(other, LINUX_F_OFD_SETLK, LINUX_F_RDLCK, 5, -5), 0);
	ck_assert_int_eq(set(other, LINUX_F_OFD_SETLK, LINUX_F_RDLCK, 2, INT64_MAX), -EOVERFLOW);
	ck_assert_int_eq(set(other, LINUX_F_OFD_SETLK, 77, 0, 0), -EINVAL);
	file_put(other);
	other = vfs_open_file("/f", LINUX_O_RDONLY);
	ck_assert_int_eq(set(other, LINUX_F_OFD_SETLK, LINUX_F_WRLCK, 0, 1), -EBADF);
	file_put(file);
	/* The lock went with its file. */
	ck_assert_int_eq(set(other, LINUX_F_OFD_SETLK, LINUX_F_RDLCK, 0, 0), 0);
	file_put(other);
}
END_TEST

/* Record locks of a process go when it closes any descriptor of the file. */
START_TEST(test_posix_close)
{
	struct file *file = vfs_open_file("/f", LINUX_O_RDWR | LINUX_O_CREAT);
	struct file *other = vfs_open_file("/f", LINUX_O_RDWR);
	int fd = fd_install(current->files, 0, vfs_open_file("/f", LINUX_O_RDONLY), false);

	ck_assert_int_eq(set(file, LINUX_F_SETLK, LINUX_F_WRLCK, 0, 0), 0);
	ck_assert_int_eq(set(file, LINUX_F_SETLK, LINUX_F_RDLCK, 5, 5), 0);
	ck_assert_int_eq(set(other, LINUX_F_OFD_SETLK, LINUX_F_RDLCK, 5, 5), 0);
	ck_assert_int_eq(set(other, LINUX_F_OFD_SETLK, LINUX_F_RDLCK, 4, 1), -EAGAIN);
	ck_assert_int_eq(fd_close(current->files, fd), 0);
	ck_assert_int_eq(set(other, LINUX_F_OFD_SETLK, LINUX_F_WRLCK, 0, 0), 0);
	file_put(other);
	file_put(file);
}
END_TEST

START_TEST(test_flock)
{
	struct file *file = vfs_open_file("/f", LINUX_O_RDONLY | LINUX_O_CREAT);
	struct file *other = vfs_open_file("/f", LINUX_O_RDONLY);

	ck_assert_int_eq(file_flock(file, LINUX_LOCK_SH), 0);
	ck_assert_int_eq(file_flock(other, LINUX_LOCK_SH), 0);
	ck_assert_int_eq(file_flock(file, LINUX_LOCK_EX | LINUX_LOCK_NB), -EAGAIN);
	/* A failed change of type has lost the lock. */
	ck_assert_int_eq(file_flock(other, LINUX_LOCK_EX | LINUX_LOCK_NB), 0);
	ck_assert_int_eq(file_flock(file, LINUX_LOCK_SH | LINUX_LOCK_NB), -EAGAIN);
	file_put(other);
	ck_assert_int_eq(file_flock(file, LINUX_LOCK_EX | LINUX_LOCK_NB), 0);
	ck_assert_int_eq(file_flock(file, LINUX_LOCK_UN), 0);
	ck_assert_int_eq(file_flock(file, 3), -EINVAL);
	file_put(file);
}
END_TEST

TCase *file_lock_tests(void)
{
	TCase *tcase = tcase_create("file locks");

	tcase_add_checked_fixture(tcase, vfs_fixture_setup, vfs_fixture_teardown);
	tcase_add_loop_test(tcase, test_against_map, 0, 4);
	tcase_add_test(tcase, test_get);
	tcase_add_test(tcase, test_posix_close);
	tcase_add_test(tcase, test_flock);
	return tcase;
}
