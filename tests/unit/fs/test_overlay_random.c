/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The overlay against the host's own file system: the same random calls on an overlay over one copy
 * of a tree and on another copy of it by the host; after each, results and trees must agree.
 */
#include "fs_fixture.h"

#include "sentry/vfs/dentry.h"
#include "sentry/vfs/names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define AT LINUX_AT_FDCWD

static char model_path[] = "/tmp/fs-model-XXXXXX";
static int model = -1;

static void make_tree(int at)
{
	char name[64];

	for (int d = 0; d < 3; d++) {
		snprintf(name, sizeof(name), "%c", 'a' + d);
		ck_assert_int_eq(mkdirat(at, name, 0755), 0);
		for (int f = 0; f < 3; f++) {
			int fd;

			snprintf(name, sizeof(name), "%c/%c", 'a' + d, 'a' + f);
			if (f == 2) {
				ck_assert_int_eq(mkdirat(at, name, 0755), 0);
				continue;
			}
			fd = openat(at, name, O_WRONLY | O_CREAT, 0644);
			ck_assert_int_eq(write(fd, name, 3), 3);
			close(fd);
		}
	}
}

/* A path of one to three letters from a to d. */
static const char *random_name(char buffer[8])
{
	int depth = 1 + (int)(random() % 3), at = 0;

	for (int i = 0; i < depth; i++) {
		buffer[at++] = '/';
		buffer[at++] = (char)('a' + random() % 4);
	}
	buffer[at] = '\0';
	return buffer;
}

static int host_result(int result)
{
	return result < 0 ? -errno : 0;
}

static void both_write(const char *name)
{
	int error, fd = openat(model, name + 1, O_WRONLY | O_CREAT | O_APPEND, 0644);
	int expected = host_result(fd);
	struct file *file = fs_open(name, LINUX_O_WRONLY | LINUX_O_CREAT | LINUX_O_APPEND, &error);

	ck_assert_msg(error == expected, "write %s: %d, host %d", name, error, expected);
	if (error)
		return;
	ck_assert_int_eq(fs_write(file, name, 2, -1), 2);
	ck_assert_int_eq(write(fd, name, 2), 2);
	file_put(file);
	close(fd);
}

static void both_rename(const char *from, const char *to)
{
	static const unsigned int flags[] = {
		0, 0, 0, LINUX_RENAME_NOREPLACE, LINUX_RENAME_EXCHANGE};
	unsigned int flag = flags[random() % 5];
	int error = fs_rename(from, to, flag);
	int expected = host_result(renameat2(model, from + 1, model, to + 1, flag));

	/* Linux reports EEXIST or ENOTEMPTY by file system. */
	if (expected == -EEXIST && error == -ENOTEMPTY)
		expected = error;
	ck_assert_msg(
		error == expected, "rename %s %s %u: %d, host %d", from, to, flag, error, expected);
}

static void both_step(void)
{
	char a[8], b[8];
	int error, expected;

	random_name(a);
	random_name(b);
	switch (random() % 8) {
	case 0:
	case 1:
		both_write(a);
		return;
	case 2:
		error = path_mkdir(AT, a, 0755);
		expected = host_result(mkdirat(model, a + 1, 0755));
		break;
	case 3:
		error = path_unlink(AT, a);
		expected = host_result(unlinkat(model, a + 1, 0));
		break;
	case 4:
		error = path_rmdir(AT, a);
		expected = host_result(unlinkat(model, a + 1, AT_REMOVEDIR));
		break;
	case 5:
		error = path_link(AT, a, AT, b, 0);
		expected = host_result(linkat(model, a + 1, model, b + 1, 0));
		break;
	default:
		both_rename(a, b);
		return;
	}
	ck_assert_msg(error == expected, "%s %s: %d, host %d", a, b, error, expected);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *host_list(int fd)
{
	DIR *directory = fdopendir(fd);
	char *names[16], *text = calloc(1, 256);
	struct dirent *entry;
	size_t count = 0;

	while ((entry = readdir(directory)))
		if (entry->d_name[0] != '.')
			names[count++] = strdup(entry->d_name);
	qsort(names, count, sizeof(names[0]), compare_names);
	for (size_t i = 0; i < count; i++) {
		snprintf(text + strlen(text), 256 - strlen(text), "%s%s", i ? " " : "", names[i]);
		free(names[i]);
	}
	closedir(directory);
	return text;
}

static void check_tree(const char *name)
{
	char *names = host_list(openat(model, name[1] ? name + 1 : ".", O_RDONLY | O_DIRECTORY));

	ck_assert_str_eq(fs_list(name, (size_t)random() % 3), names);
	for (char *at = names; *at; at += at[1] ? 2 : 1) {
		struct linux_stat st;
		struct stat host;
		char child[256], text[256];

		snprintf(child, sizeof(child), "%s/%c", name[1] ? name : "", *at);
		ck_assert_int_eq(fs_stat(child, &st), 0);
		ck_assert_int_eq(fstatat(model, child + 1, &host, AT_SYMLINK_NOFOLLOW), 0);
		ck_assert_uint_eq(st.st_mode, host.st_mode);
		ck_assert_msg(st.st_nlink == host.st_nlink || host.st_nlink == 1,
			"nlink of %s: %lu, host %lu", child, (unsigned long)st.st_nlink,
			(unsigned long)host.st_nlink);
		if (S_ISDIR(host.st_mode)) {
			check_tree(child);
		} else {
			int fd = openat(model, child + 1, O_RDONLY);

			ck_assert_int_eq(st.st_size, host.st_size);
			text[read(fd, text, sizeof(text) - 1)] = '\0';
			close(fd);
			ck_assert_str_eq(fs_text(child), text);
		}
	}
	free(names);
}

START_TEST(test_against_the_host)
{
	struct inode *root;
	char command[64];

	strcpy(model_path + strlen(model_path) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(model_path));
	model = open(model_path, O_RDONLY | O_DIRECTORY);
	make_tree(model);
	make_tree(g_scratch);
	fs_use_overlay();
	srandom((unsigned int)_i + 100);
	for (int step = 0; step < 1200; step++) {
		both_step();
		if (step % 40 == 0) {
			root = fs_inode("/");
			dentry_prune_tree(root->sb->root);
			inode_put(root);
		}
		if (step % 10 == 0)
			check_tree("/");
	}
	check_tree("/");
	close(model);
	snprintf(command, sizeof(command), "rm -rf %s", model_path);
	ck_assert_int_eq(system(command), 0);
}
END_TEST

TCase *overlay_random_tests(void)
{
	TCase *tcase = tcase_create("overlay, random");

	tcase_add_checked_fixture(tcase, fs_fixture_setup, fs_fixture_teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_against_the_host, 0, 6);
	return tcase;
}
