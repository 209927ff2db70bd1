/* SPDX-License-Identifier: Apache-2.0 */
/* Several threads that look up, make, move, remove, mount and list in one small tree: nothing may
 * be lost, freed too early or deadlock. */
#include "vfs_fixture.h"

#include "abi/mount.h"
#include "sentry/vfs/file_lock.h"
#include "sentry/vfs/mount_show.h"
#include "sentry/vfs/readdir.h"

#include <pthread.h>
#include <stdio.h>

#define THREADS 4
#define STEPS	4000

struct worker {
	pthread_t thread;
	struct task task;
	uint64_t seed;
	bool mounts;
};

static unsigned int pick(struct worker *worker, unsigned int below)
{
	worker->seed = worker->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned int)(worker->seed >> 33) % below;
}

static void make_path(struct worker *worker, char *out, size_t size)
{
	static const char *const names[] = {"a", "b", "c", "l", ".."};
	unsigned int components = 1 + pick(worker, 4);
	size_t used = 0;

	for (unsigned int i = 0; i < components; i++)
		used += (size_t)snprintf(
			out + used, size - used, "/%s", names[pick(worker, array_count(names))]);
}

static bool take_entry(struct dir_context *context, const char *name, size_t length,
	int64_t next_position, uint64_t ino, uint8_t type)
{
	context->position = next_position;
	return true;
}

/* Whether a call succeeds depends on the other threads. */
static void ignore(int result)
{
}

static void list(const char *name)
{
	struct dir_context context = {.emit = take_entry};
	struct file *file;

	if (file_open_at(AT, name, LINUX_O_RDONLY | LINUX_O_DIRECTORY, 0, 0, &file))
		return;
	ignore(file_iterate(file, &context));
	file_put(file);
}

static void lock_and_unlock(const char *name)
{
	struct linux_flock flock = {.l_type = LINUX_F_WRLCK, .l_len = 5};
	struct file *file;

	if (file_open_at(AT, name, LINUX_O_RDWR, 0, 0, &file))
		return;
	ignore(file_flock(file, LINUX_LOCK_EX | LINUX_LOCK_NB));
	ignore(file_lock_control(file, -1, LINUX_F_OFD_SETLK, &flock));
	file_put(file);
}

/* Recursive binds double what is mounted again and again: lets go of it before showing it takes
 * long. */
#define MOUNTS_TEXT_MAX (256u << 10)

static void detach_all(void)
{
	static const char *const names[] = {"/a", "/b", "/c", "/d", "/l"};

	for (size_t i = 0; i < array_count(names); i++)
		while (!vfs_umount(names[i], LINUX_MNT_DETACH))
			;
}

static void show_mounts(void)
{
	struct text_writer text = {0};
	struct path root;

	fs_struct_root(current->fs, &root);
	mount_show_mountinfo(current->nsproxy->mount, &root, &text);
	path_put(&root);
	if (text.size > MOUNTS_TEXT_MAX)
		detach_all();
	text_writer_free(&text);
}

static void step(struct worker *worker)
{
	char a[64], b[64];
	struct linux_stat st;

	make_path(worker, a, sizeof(a));
	make_path(worker, b, sizeof(b));
	switch (pick(worker, worker->mounts ? 16 : 12)) {
	case 0:
		ignore(path_mkdir(AT, a, 0755));
		break;
	case 1:
		ignore(path_rmdir(AT, a));
		break;
	case 2:
		ignore(path_unlink(AT, a));
		break;
	case 3:
	case 4:
		ignore(vfs_open(a, LINUX_O_RDWR | LINUX_O_CREAT));
		break;
	case 5:
		ignore(path_rename(AT, a, AT, b, 0));
		break;
	case 6:
		ignore(path_rename(AT, a, AT, b, LINUX_RENAME_EXCHANGE));
		break;
	case 7:
		ignore(path_symlink(a, AT, b));
		break;
	case 8:
		ignore(path_link(AT, a, AT, b, 0));
		break;
	case 9:
		list(a);
		break;
	case 10:
		lock_and_unlock(a);
		break;
	case 12:
		ignore(vfs_mount(a));
		break;
	case 13:
		ignore(vfs_bind(a, b, pick(worker, 8) == 0));
		break;
	case 14:
		ignore(vfs_umount(a, pick(worker, 2) ? LINUX_MNT_DETACH : 0));
		break;
	case 15:
		show_mounts();
		break;
	default:
		ignore(vfs_stat(a, &st));
		ignore(vfs_chdir(b));
		break;
	}
}

static void *work(void *argument)
{
	struct worker *worker = argument;

	vfs_thread_begin(&worker->task);
	for (int i = 0; i < STEPS; i++)
		step(worker);
	vfs_thread_end(&worker->task);
	return NULL;
}

static void run(bool mounts)
{
	struct worker workers[THREADS];

	for (unsigned int i = 0; i < THREADS; i++) {
		workers[i].seed = i + 1;
		workers[i].mounts = mounts;
		ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
}

START_TEST(test_names)
{
	run(false);
}
END_TEST

START_TEST(test_mounts)
{
	run(true);
}
END_TEST

/* Descriptors that come and go in a table that two threads share. */
static void *use_descriptors(void *argument)
{
	struct worker *worker = argument;
	struct file *file;

	vfs_thread_begin(&worker->task);
	fd_table_put(worker->task.files);
	worker->task.files = (struct fd_table *)(uintptr_t)worker->seed;
	file = vfs_open_file("/", LINUX_O_RDONLY);
	for (int i = 0; i < STEPS; i++) {
		int fd = fd_install(current->files, 0, file_get(file), false);
		struct file *found;

		ck_assert_int_ge(fd, 0);
		found = fd_get(current->files, i % 8);
		if (found)
			file_put(found);
		if (fd_replace(current->files, i % 8, file, i % 2))
			break;
		ignore(fd_close(current->files, fd));
	}
	file_put(file);
	vfs_thread_end(&worker->task);
	return NULL;
}

START_TEST(test_descriptors)
{
	struct worker workers[2];

	for (int i = 0; i < 2; i++)
		workers[i].seed = (uintptr_t)fd_table_get(current->files);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(
			pthread_create(&workers[i].thread, NULL, use_descriptors, &workers[i]), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(workers[i].thread, NULL);
}
END_TEST

TCase *concurrent_tests(void)
{
	TCase *tcase = tcase_create("concurrent");

	tcase_add_checked_fixture(tcase, vfs_fixture_setup, vfs_fixture_teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, test_names);
	tcase_add_test(tcase, test_mounts);
	tcase_add_test(tcase, test_descriptors);
	return tcase;
}
