/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many threads on few names, on tmpfs, on an overlay and on a writable bind: any result will do,
 * but no lock may be taken out of order, nothing may be used after it is gone, and nothing may be
 * left behind. Meant for the sanitizers.
 */
#include "fs_fixture.h"

#include "sentry/kernel/task.h"
#include "sentry/vfs/names.h"
#include "sentry/vfs/truncate.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define AT	LINUX_AT_FDCWD
#define THREADS 4
#define STEPS	3000

static struct task *shared_task;

static void random_name(unsigned int *seed, char name[8])
{
	int depth = 1 + rand_r(seed) % 2;

	for (int i = 0; i < depth; i++) {
		name[2 * i] = '/';
		name[2 * i + 1] = (char)('a' + rand_r(seed) % 4);
	}
	name[2 * depth] = '\0';
}

static void use_file(unsigned int *seed, const char *name)
{
	static const uint32_t flags[] = {LINUX_O_RDONLY, LINUX_O_RDWR | LINUX_O_CREAT,
		LINUX_O_RDWR | LINUX_O_CREAT | LINUX_O_TRUNC, LINUX_O_RDWR | LINUX_O_APPEND};
	char buffer[9000] = "";
	int error;
	struct file *file = fs_open(name, flags[rand_r(seed) % 4], &error);

	if (!file)
		return;
	for (int i = 0; i < 4; i++) {
		size_t size = (size_t)rand_r(seed) % sizeof(buffer);

		if (file->mode & FILE_WRITE)
			(void)!fs_write(file, buffer, size, rand_r(seed) % 20000);
		(void)!fs_read(file, buffer, size, rand_r(seed) % 20000);
	}
	file_put(file);
}

static bool emit_any(struct dir_context *context, const char *name, size_t length,
	int64_t next_position, uint64_t ino, uint8_t type)
{
	context->position = next_position;
	return true;
}

static void read_directory(const char *name)
{
	struct dir_context context = {.position = 2, .emit = emit_any};
	int error;
	struct file *file = fs_open(name, LINUX_O_RDONLY | LINUX_O_DIRECTORY, &error);

	if (!file)
		return;
	mutex_lock(&file->inode->lock);
	(void)!file->ops->iterate(file, &context);
	mutex_unlock(&file->inode->lock);
	file_put(file);
}

static void step(unsigned int *seed)
{
	char a[8], b[8];
	struct linux_stat st;

	random_name(seed, a);
	random_name(seed, b);
	switch (rand_r(seed) % 12) {
	case 0:
		(void)!path_mkdir(AT, a, 0755);
		break;
	case 1:
		(void)!path_unlink(AT, a);
		break;
	case 2:
		(void)!path_rmdir(AT, a);
		break;
	case 3:
		(void)!fs_rename(a, b, rand_r(seed) % 3 ? 0 : LINUX_RENAME_EXCHANGE);
		break;
	case 4:
		(void)!path_link(AT, a, AT, b, 0);
		break;
	case 5:
		(void)!fs_truncate(a, (uint64_t)rand_r(seed) % 30000);
		break;
	case 6:
		(void)!fs_chmod(a, 0700);
		break;
	case 7:
		read_directory(rand_r(seed) % 2 ? "/" : a);
		break;
	case 8:
		(void)!fs_stat(a, &st);
		break;
	default:
		use_file(seed, a);
	}
}

static void *worker(void *argument)
{
	unsigned int seed = (unsigned int)(uintptr_t)argument;

	current_task_ = shared_task;
	for (int i = 0; i < STEPS; i++)
		step(&seed);
	current_task_ = NULL;
	return NULL;
}

static void run_threads(void)
{
	pthread_t threads[THREADS];

	shared_task = current_task_;
	for (uintptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, worker, (void *)(i + 1)), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

START_TEST(test_tmpfs)
{
	fs_use_tmpfs("size=8m");
	run_threads();
}
END_TEST

START_TEST(test_overlay)
{
	fs_host_mkdir("a");
	fs_host_mkdir("b");
	fs_host_write("a/a", "a/a");
	fs_host_write("a/b", "a/b");
	fs_host_write("b/c", "b/c");
	fs_host_write("c", "c");
	fs_use_overlay();
	run_threads();
}
END_TEST

START_TEST(test_bind)
{
	fs_host_mkdir("a");
	fs_host_write("a/a", "a/a");
	fs_use_host(false, true);
	run_threads();
}
END_TEST

TCase *concurrent_tests(void)
{
	TCase *tcase = tcase_create("concurrent");

	tcase_add_checked_fixture(tcase, fs_fixture_setup, fs_fixture_teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, test_tmpfs);
	tcase_add_test(tcase, test_overlay);
	tcase_add_test(tcase, test_bind);
	return tcase;
}
