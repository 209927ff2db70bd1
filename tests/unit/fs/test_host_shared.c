/* SPDX-License-Identifier: Apache-2.0 */
/* The host file system as a writable bind: what guests do arrives on the host, and what the host
 * does is seen. Each test runs on a shared tree (0) and on one that only the sandbox uses (1). */
#include "fs_fixture.h"

#include "sentry/vfs/attributes.h"
#include "sentry/vfs/names.h"
#include "sentry/vfs/truncate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define AT LINUX_AT_FDCWD

START_TEST(test_writes_arrive)
{
	struct linux_stat st;
	struct stat host;

	fs_use_host(false, _i);
	fs_write_text("/a", "written inside");
	ck_assert_str_eq(fs_host_read("a"), "written inside");
	ck_assert_int_eq(fs_chmod("/a", 0600), 0);
	ck_assert_int_eq(fs_truncate("/a", 7), 0);
	ck_assert_int_eq(fstatat(g_scratch, "a", &host, 0), 0);
	ck_assert_uint_eq(host.st_mode, S_IFREG | 0600);
	ck_assert_int_eq(host.st_size, 7);
	ck_assert_int_eq(fs_stat("/a", &st), 0);
	ck_assert_int_eq(st.st_size, 7);
	ck_assert_uint_eq(st.st_mode, LINUX_S_IFREG | 0600);
}
END_TEST

START_TEST(test_names_arrive)
{
	char target[16] = "";

	fs_use_host(false, _i);
	ck_assert_int_eq(path_mkdir(AT, "/d", 0711), 0);
	fs_write_text("/d/a", "a");
	ck_assert_int_eq(path_link(AT, "/d/a", AT, "/b", 0), 0);
	ck_assert_int_eq(path_symlink("d/a", AT, "/s"), 0);
	ck_assert_str_eq(fs_text("/s"), "a");
	ck_assert_str_eq(fs_host_read("b"), "a");
	ck_assert_int_eq(readlinkat(g_scratch, "s", target, sizeof(target)), 3);
	ck_assert_int_eq(fs_rename("/d", "/e", 0), 0);
	ck_assert_str_eq(fs_host_read("e/a"), "a");
	ck_assert_str_eq(fs_text("/e/a"), "a");
	ck_assert_int_eq(path_unlink(AT, "/e/a"), 0);
	ck_assert_str_eq(fs_text("/b"), "a");
	ck_assert_str_eq(fs_list("/", 0), "b e s");
	ck_assert_int_eq(path_rmdir(AT, "/e"), 0);
	ck_assert_int_eq(faccessat(g_scratch, "e", F_OK, 0), -1);
	ck_assert_int_eq(path_mknod(AT, "/fifo", LINUX_S_IFIFO | 0600, 0), 0);
	ck_assert_int_eq(path_mknod(AT, "/null", LINUX_S_IFCHR | 0600, 0x103), -EPERM);
	ck_assert_str_eq(fs_list("/", 0), "b fifo s");
}
END_TEST

START_TEST(test_removed_while_open)
{
	struct linux_stat st;
	struct file *file;
	char seen[8] = "";

	fs_use_host(false, _i);
	file = fs_open("/a", LINUX_O_RDWR | LINUX_O_CREAT, NULL);
	ck_assert_int_eq(fs_write(file, "kept", 4, 0), 4);
	ck_assert_int_eq(path_unlink(AT, "/a"), 0);
	ck_assert_int_eq(fs_read(file, seen, sizeof(seen), 0), 4);
	ck_assert_str_eq(seen, "kept");
	ck_assert_int_eq(fs_stat("/a", &st), -ENOENT);
	fs_write_text("/a", "another");
	ck_assert_int_eq(fs_read(file, seen, sizeof(seen), 0), 4);
	file_put(file);
	ck_assert_str_eq(fs_text("/a"), "another");
}
END_TEST

START_TEST(test_append)
{
	struct file *file;

	fs_host_write("a", "one");
	fs_use_host(false, _i);
	file = fs_open("/a", LINUX_O_WRONLY | LINUX_O_APPEND, NULL);
	ck_assert_int_eq(fs_write(file, "two", 3, -1), 3);
	file_put(file);
	ck_assert_str_eq(fs_host_read("a"), "onetwo");
}
END_TEST

START_TEST(test_times_and_owner)
{
	const struct linux_timespec times[2] = {{1000, 5}, {2000, 7}};
	struct stat host;
	struct path path;

	fs_use_host(false, _i);
	fs_write_text("/a", "");
	ck_assert_int_eq(path_lookup(AT, "/a", 0, &path), 0);
	ck_assert_int_eq(path_utimes(&path, times), 0);
	ck_assert_int_eq(fstatat(g_scratch, "a", &host, 0), 0);
	ck_assert_int_eq(host.st_atim.tv_sec, 1000);
	ck_assert_int_eq(host.st_mtim.tv_nsec, 7);
	ck_assert_int_eq(path_chown(&path, geteuid(), UINT32_MAX), 0);
	path_put(&path);
}
END_TEST

START_TEST(test_host_changes_are_seen)
{
	struct linux_stat st;

	fs_host_write("a", "old");
	fs_use_host(false, false);
	ck_assert_str_eq(fs_text("/a"), "old");
	ck_assert(!fs_exists("/new"));
	fs_host_write("new", "made outside");
	ck_assert_str_eq(fs_text("/new"), "made outside");
	fs_host_write("a", "longer now");
	ck_assert_int_eq(fs_stat("/a", &st), 0);
	ck_assert_int_eq(st.st_size, 10);
	ck_assert_int_eq(renameat(g_scratch, "new", g_scratch, "a"), 0);
	ck_assert_str_eq(fs_text("/a"), "made outside");
	ck_assert_int_eq(unlinkat(g_scratch, "a", 0), 0);
	ck_assert(!fs_exists("/a"));
	ck_assert_str_eq(fs_list("/", 0), "");
	fs_host_mkdir("a");
	ck_assert_int_eq(fs_stat("/a", &st), 0);
	ck_assert(LINUX_S_ISDIR(st.st_mode));
}
END_TEST

/* The host puts a symlink where a directory was known: nothing outside may be reached. */
START_TEST(test_planted_symlink)
{
	struct stat before, after;
	struct file *file;
	int error;

	ck_assert_int_eq(stat("/etc/passwd", &before), 0);
	fs_host_mkdir("d");
	fs_host_write("d/passwd", "inside");
	fs_use_host(false, _i);
	ck_assert_str_eq(fs_text("/d/passwd"), "inside");
	ck_assert_int_eq(renameat(g_scratch, "d", g_scratch, "was"), 0);
	ck_assert_int_eq(symlinkat("/etc", g_scratch, "d"), 0);
	(void)fs_text("/d/passwd");
	ck_assert_ptr_null(strstr(fs_text("/d/passwd"), "root:"));
	file = fs_open("/d/planted", LINUX_O_WRONLY | LINUX_O_CREAT, &error);
	if (file)
		file_put(file);
	ck_assert_int_eq(access("/etc/planted", F_OK), -1);
	ck_assert_int_eq(unlinkat(g_scratch, "was/passwd", 0), 0);
	ck_assert_int_eq(symlinkat("/etc/passwd", g_scratch, "was/passwd"), 0);
	(void)fs_chmod("/d/passwd", 0777);
	ck_assert_int_eq(stat("/etc/passwd", &after), 0);
	ck_assert_uint_eq(before.st_mode, after.st_mode);
}
END_TEST

START_TEST(test_readdir_while_removing)
{
	char name[32];

	fs_use_host(false, _i);
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "/%02d", i);
		fs_write_text(name, "");
	}
	ck_assert_uint_eq(strlen(fs_list("/", 7)), 50 * 3 - 1);
	for (int i = 0; i < 50; i += 2) {
		snprintf(name, sizeof(name), "/%02d", i);
		ck_assert_int_eq(path_unlink(AT, name), 0);
	}
	ck_assert_uint_eq(strlen(fs_list("/", 7)), 25 * 3 - 1);
}
END_TEST

TCase *host_shared_tests(void)
{
	TCase *tcase = tcase_create("host, writable");

	tcase_add_checked_fixture(tcase, fs_fixture_setup, fs_fixture_teardown);
	tcase_add_loop_test(tcase, test_writes_arrive, 0, 2);
	tcase_add_loop_test(tcase, test_names_arrive, 0, 2);
	tcase_add_loop_test(tcase, test_removed_while_open, 0, 2);
	tcase_add_loop_test(tcase, test_append, 0, 2);
	tcase_add_loop_test(tcase, test_times_and_owner, 0, 2);
	tcase_add_test(tcase, test_host_changes_are_seen);
	tcase_add_loop_test(tcase, test_planted_symlink, 0, 2);
	tcase_add_loop_test(tcase, test_readdir_while_removing, 0, 2);
	return tcase;
}
