/* SPDX-License-Identifier: Apache-2.0 */
/* name_to_handle_at(2) and open_by_handle_at(2): files that are found again, or not any more. */
#include "tests/guest/bad_address.h"
#include "tests/guest/temporary.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#ifndef AT_HANDLE_FID
#define AT_HANDLE_FID 0x200
#endif

struct handle {
	struct file_handle head;
	uint8_t bytes[MAX_HANDLE_SZ];
};

static bool handle_get(const char *name, int flags, struct handle *handle)
{
	int mount_id;

	memset(handle, 0, sizeof(*handle));
	handle->head.handle_bytes = MAX_HANDLE_SZ;
	if (name_to_handle_at(AT_FDCWD, name, &handle->head, &mount_id, flags) == 0)
		return true;
	if (errno == EOPNOTSUPP)
		return false;
	FAIL("name_to_handle_at(%s): %s", name, strerror(errno));
}

/* Of a file that has one in this file system. */
static struct handle handle_of(const char *name)
{
	struct handle handle;

	if (!handle_get(name, 0, &handle))
		SKIP("no file handles here");
	return handle;
}

static int open_handle(struct handle *handle, int flags)
{
	int mount = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd, error;

	CHECK(mount >= 0);
	fd = open_by_handle_at(mount, &handle->head, flags | O_CLOEXEC);
	error = errno;
	close(mount);
	if (fd < 0 && error == EPERM)
		SKIP("open_by_handle_at(2) is not allowed");
	errno = error;
	return fd;
}

static void check_same(int fd, const char *name)
{
	struct stat a, b;

	CHECK(fd >= 0);
	CHECK(fstat(fd, &a) == 0 && lstat(name, &b) == 0);
	CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	close(fd);
}

/* A tmpfs of the test's own, to be in. */
static void enter_tmpfs(void)
{
	temporary_enter();
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		mkdir("w", 0700) || mount("none", "w", "tmpfs", 0, NULL))
		SKIP("cannot mount");
	CHECK(chdir("w") == 0);
}

static void find_again(void)
{
	struct handle file, directory, link, again;
	char text[8];
	int fd;

	temporary_text("a", "hello");
	CHECK(mkdir("d", 0700) == 0 && symlink("a", "l") == 0);
	temporary_text("d/b", "deep");
	file = handle_of("a");
	directory = handle_of("d");
	link = handle_of("l");
	fd = open_handle(&file, O_RDWR);
	CHECK_EQ(read(fd, text, sizeof(text)), 5);
	CHECK(!memcmp(text, "hello", 5));
	CHECK_EQ(write(fd, "!", 1), 1);
	check_same(fd, "a");
	check_same(open_handle(&directory, O_RDONLY | O_DIRECTORY), "d");
	check_same(open_handle(&link, O_PATH), "l");
	CHECK_ERRNO(open_handle(&link, O_RDONLY), ELOOP);
	CHECK_ERRNO(open_handle(&file, O_RDONLY | O_DIRECTORY), ENOTDIR);
	CHECK_ERRNO(open_handle(&directory, O_RDWR), EISDIR);
	/* One file has one handle, by whatever name. */
	again = handle_of("d/../a");
	CHECK(!memcmp(&file, &again, sizeof(file)));
	CHECK(handle_get("l", AT_SYMLINK_FOLLOW, &again));
	CHECK(!memcmp(&file, &again, sizeof(file)));
	CHECK(memcmp(&file, &link, sizeof(file)) != 0);
	fd = open("d/b", O_RDONLY | O_CLOEXEC);
	again.head.handle_bytes = MAX_HANDLE_SZ;
	CHECK(name_to_handle_at(fd, "", &again.head, (int[1]){0}, AT_EMPTY_PATH) == 0);
	check_same(open_handle(&again, O_RDONLY), "d/b");
	CHECK_ERRNO(name_to_handle_at(fd, "", &again.head, (int[1]){0}, 0), ENOENT);
}

TEST(found_again)
{
	temporary_enter();
	find_again();
}

TEST(found_again_in_tmpfs)
{
	enter_tmpfs();
	find_again();
}

/* What was there before, and nobody made. */
TEST(found_again_in_the_system)
{
	static const char *const names[] = {"/etc/passwd", "/etc", "/usr/bin/env", "/usr/bin", "/"};
	int mount = open("/", O_RDONLY | O_CLOEXEC), id, root_id = -1;
	struct handle handle;

	for (int i = 4; i >= 0; i--) {
		int fd;

		handle.head.handle_bytes = MAX_HANDLE_SZ;
		if (name_to_handle_at(AT_FDCWD, names[i], &handle.head, &id, 0))
			SKIP("no file handles here");
		if (root_id < 0)
			root_id = id;
		if (id != root_id)
			continue;
		fd = open_by_handle_at(mount, &handle.head, O_RDONLY);
		if (fd < 0 && errno == EPERM)
			SKIP("open_by_handle_at(2) is not allowed");
		check_same(fd, names[i]);
	}
}

static void follow_names(void)
{
	char path[64], target[256];
	struct handle file, deep;
	ssize_t size;
	int fd;

	CHECK(mkdir("d", 0700) == 0 && mkdir("d/e", 0700) == 0);
	temporary_text("a", "text");
	temporary_text("d/e/b", "text");
	file = handle_of("a");
	deep = handle_of("d/e/b");
	CHECK(rename("a", "d/other") == 0);
	CHECK(rename("d", "f") == 0);
	check_same(open_handle(&file, O_RDONLY), "f/other");
	fd = open_handle(&deep, O_RDONLY);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	size = readlink(path, target, sizeof(target) - 1);
	CHECK(size > 8);
	target[size] = '\0';
	CHECK(!strcmp(target + size - 6, "/f/e/b"));
	check_same(fd, "f/e/b");
	/* Another name keeps it. */
	CHECK(link("f/other", "second") == 0);
	CHECK(unlink("f/other") == 0);
	check_same(open_handle(&file, O_RDONLY), "second");
}

TEST(names_change)
{
	temporary_enter();
	follow_names();
}

TEST(names_change_in_tmpfs)
{
	enter_tmpfs();
	follow_names();
}

static void remove_files(void)
{
	struct handle file, directory, replaced;

	temporary_text("a", "text");
	temporary_text("b", "text");
	temporary_text("c", "text");
	CHECK(mkdir("d", 0700) == 0);
	file = handle_of("a");
	replaced = handle_of("b");
	directory = handle_of("d");
	CHECK(unlink("a") == 0 && rename("c", "b") == 0 && rmdir("d") == 0);
	CHECK_ERRNO(open_handle(&file, O_RDONLY), ESTALE);
	CHECK_ERRNO(open_handle(&replaced, O_RDONLY), ESTALE);
	CHECK_ERRNO(open_handle(&directory, O_RDONLY), ESTALE);
	temporary_text("a", "another");
	CHECK_ERRNO(open_handle(&file, O_RDONLY), ESTALE);
}

TEST(removed_files_are_stale)
{
	temporary_enter();
	remove_files();
}

TEST(removed_files_are_stale_in_tmpfs)
{
	struct handle file;
	int fd;

	enter_tmpfs();
	remove_files();
	temporary_text("open", "text");
	file = handle_of("open");
	fd = open("open", O_RDONLY | O_CLOEXEC);
	CHECK(unlink("open") == 0);
	/* It is there as long as somebody has it. */
	close(open_handle(&file, O_RDONLY));
	close(fd);
	CHECK_ERRNO(open_handle(&file, O_RDONLY), ESTALE);
}

TEST(removed_files_take_no_space)
{
	static char megabyte[1 << 20];
	struct handle handle;
	int mount_id;

	enter_tmpfs();
	CHECK(mount(NULL, ".", NULL, MS_REMOUNT, "size=4m") == 0);
	for (int i = 0; i < 20; i++) {
		int fd;

		temporary_file("a", megabyte, sizeof(megabyte));
		if (i % 2)
			handle = handle_of("a");
		fd = open("a", O_PATH | O_CLOEXEC);
		CHECK(fd >= 0 && unlink("a") == 0);
		handle.head.handle_bytes = MAX_HANDLE_SZ;
		CHECK(name_to_handle_at(fd, "", &handle.head, &mount_id, AT_EMPTY_PATH) == 0);
		close(fd);
	}
}

TEST(the_room_it_takes)
{
	struct handle *handle = tail_alloc(sizeof(struct file_handle));
	struct file_handle *exact;
	int mount_id = -1;
	uint32_t size;

	temporary_enter();
	temporary_text("a", "");
	(void)handle_of("a");
	handle->head.handle_bytes = 0;
	CHECK_ERRNO(name_to_handle_at(AT_FDCWD, "a", &handle->head, &mount_id, 0), EOVERFLOW);
	size = handle->head.handle_bytes;
	CHECK(size > 0 && size <= MAX_HANDLE_SZ && mount_id >= 0);
	exact = tail_alloc(sizeof(*exact) + size);
	exact->handle_bytes = size - 1;
	CHECK_ERRNO(name_to_handle_at(AT_FDCWD, "a", exact, &mount_id, 0), EOVERFLOW);
	CHECK_EQ(exact->handle_bytes, size);
	CHECK(name_to_handle_at(AT_FDCWD, "a", exact, &mount_id, 0) == 0);
	CHECK_EQ(exact->handle_bytes, size);
	exact->handle_bytes = MAX_HANDLE_SZ + 1;
	CHECK_ERRNO(name_to_handle_at(AT_FDCWD, "a", exact, &mount_id, 0), EINVAL);
	exact->handle_bytes = size;
	CHECK_ERRNO(name_to_handle_at(AT_FDCWD, "a", exact, bad_address, 0), EFAULT);
	CHECK_ERRNO(name_to_handle_at(AT_FDCWD, "a", bad_address, &mount_id, 0), EFAULT);
}

TEST(the_mount_it_is_of)
{
	struct handle handle;
	char path[64], line[128];
	int mount_id, found = -1, fd;
	FILE *info;

	temporary_enter();
	temporary_text("a", "");
	handle = handle_of("a");
	handle.head.handle_bytes = MAX_HANDLE_SZ;
	CHECK(name_to_handle_at(AT_FDCWD, "a", &handle.head, &mount_id, 0) == 0);
	fd = open("a", O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = fopen(path, "r");
	CHECK(info);
	while (fgets(line, sizeof(line), info))
		sscanf(line, "mnt_id: %d", &found);
	fclose(info);
	CHECK_EQ(mount_id, found);
}

TEST(errors_of_taking)
{
	struct handle handle;
	int mount_id;

	temporary_enter();
	temporary_text("a", "");
	CHECK(symlink("none", "l") == 0);
	handle = handle_of("a");
	CHECK_ERRNO(name_to_handle_at(AT_FDCWD, "none", &handle.head, &mount_id, 0), ENOENT);
	CHECK_ERRNO(name_to_handle_at(AT_FDCWD, "l", &handle.head, &mount_id, AT_SYMLINK_FOLLOW),
		ENOENT);
	CHECK_ERRNO(name_to_handle_at(AT_FDCWD, "a", &handle.head, &mount_id, 0x8000), EINVAL);
	CHECK_ERRNO(name_to_handle_at(-1, "a", &handle.head, &mount_id, 0), EBADF);
	if (handle_get("/proc/version", AT_HANDLE_FID, &handle))
		CHECK(handle.head.handle_bytes > 0);
	CHECK(!handle_get("/proc/version", 0, &handle));
}

TEST(errors_of_opening)
{
	struct handle handle, other;
	int fd, mount_id, mount;

	temporary_enter();
	temporary_text("a", "");
	other = handle = handle_of("a");
	close(open_handle(&handle, O_RDONLY));
	mount = open(".", O_RDONLY | O_CLOEXEC);
	CHECK_ERRNO(open_by_handle_at(-1, &handle.head, O_RDONLY), EBADF);
	fd = open("a", O_PATH | O_CLOEXEC);
	CHECK_ERRNO(open_by_handle_at(fd, &handle.head, O_RDONLY), EBADF);
	CHECK_ERRNO(open_by_handle_at(mount, bad_address, O_RDONLY), EFAULT);
	other.head.handle_bytes = 0;
	CHECK_ERRNO(open_by_handle_at(mount, &other.head, O_RDONLY), EINVAL);
	other.head.handle_bytes = MAX_HANDLE_SZ + 1;
	CHECK_ERRNO(open_by_handle_at(mount, &other.head, O_RDONLY), EINVAL);
	other.head.handle_bytes = 4;
	CHECK_ERRNO(open_by_handle_at(mount, &other.head, O_RDONLY), ESTALE);
	/* Elsewhere it leads nowhere. */
	fd = open("/proc", O_RDONLY | O_CLOEXEC);
	CHECK_ERRNO(open_by_handle_at(fd, &handle.head, O_RDONLY), ESTALE);
	CHECK(setuid(1000) == 0);
	CHECK_ERRNO(open_by_handle_at(mount, &handle.head, O_RDONLY), EPERM);
	handle.head.handle_bytes = MAX_HANDLE_SZ;
	CHECK(name_to_handle_at(AT_FDCWD, "a", &handle.head, &mount_id, 0) == 0);
}

TEST(made_up_handles)
{
	struct handle handle, real;
	unsigned int seed = 1;
	int mount;

	enter_tmpfs();
	temporary_text("a", "");
	real = handle_of("a");
	mount = open(".", O_RDONLY | O_CLOEXEC);
	for (int i = 0; i < 3000; i++) {
		uint8_t *bytes = (uint8_t *)&handle;
		int fd;

		handle = real;
		if (i % 2) {
			for (size_t j = sizeof(handle.head); j < sizeof(handle); j++)
				bytes[j] = (uint8_t)rand_r(&seed);
			handle.head.handle_bytes = (uint32_t)rand_r(&seed) % (MAX_HANDLE_SZ + 4);
			handle.head.handle_type = i % 4 == 1 ? rand_r(&seed) % 256 : rand_r(&seed);
		} else {
			bytes[8 + (uint32_t)rand_r(&seed) % real.head.handle_bytes] ^=
				(uint8_t)(1 + rand_r(&seed) % 255);
		}
		fd = open_by_handle_at(mount, &handle.head, O_RDONLY);
		if (fd < 0) {
			if (errno == EPERM)
				SKIP("open_by_handle_at(2) is not allowed");
			CHECK(errno == ESTALE || errno == EINVAL);
		} else {
			check_same(fd, ".");
		}
	}
}

TEST(many_handles)
{
	static struct handle handles[2000];
	char name[32];
	int mount;

	enter_tmpfs();
	for (unsigned int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		temporary_text(name, "");
		handles[i] = handle_of(name);
	}
	for (unsigned int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		if (i % 2)
			unlink(name);
	}
	mount = open(".", O_RDONLY | O_CLOEXEC);
	for (unsigned int i = 0; i < 2000; i++) {
		int fd = open_by_handle_at(mount, &handles[i].head, O_RDONLY);

		snprintf(name, sizeof(name), "f%u", i);
		if (i % 2)
			CHECK(fd < 0 && errno == ESTALE);
		else
			check_same(fd, name);
	}
	close(mount);
	/* None of them holds the file system. */
	CHECK(chdir("..") == 0);
	CHECK(umount("w") == 0);
	CHECK_ERRNO(open_handle(&handles[0], O_RDONLY), ESTALE);
}

#define RACE_FILES  8
#define RACE_ROUNDS 2000

static struct handle shared_handles[RACE_FILES];
static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;

static void race_name(char name[32], int number)
{
	snprintf(name, 32, "f%d", number % RACE_FILES);
}

static void *change_files(void *argument)
{
	unsigned int seed = (unsigned int)(uintptr_t)argument;
	char name[32], other[32];

	for (int i = 0; i < RACE_ROUNDS; i++) {
		race_name(name, rand_r(&seed));
		race_name(other, rand_r(&seed));
		close(open(name, O_CREAT | O_RDWR | O_CLOEXEC, 0600));
		if (i % 3)
			(void)!rename(name, other);
		else
			unlink(name);
	}
	return NULL;
}

static void *take_handles(void *argument)
{
	struct handle handle;
	char name[32];
	int mount_id;

	(void)argument;
	for (int i = 0; i < RACE_ROUNDS; i++) {
		race_name(name, i);
		handle.head.handle_bytes = MAX_HANDLE_SZ;
		if (name_to_handle_at(AT_FDCWD, name, &handle.head, &mount_id, 0))
			continue;
		pthread_mutex_lock(&shared_lock);
		shared_handles[i % RACE_FILES] = handle;
		pthread_mutex_unlock(&shared_lock);
	}
	return NULL;
}

TEST(all_at_once)
{
	pthread_t changers[2], taker;
	int mount;

	enter_tmpfs();
	temporary_text("a", "");
	shared_handles[0] = handle_of("a");
	mount = open(".", O_RDONLY | O_CLOEXEC);
	for (uintptr_t i = 0; i < 2; i++)
		CHECK(pthread_create(&changers[i], NULL, change_files, (void *)i) == 0);
	CHECK(pthread_create(&taker, NULL, take_handles, NULL) == 0);
	for (int i = 0; i < RACE_ROUNDS; i++) {
		struct handle handle;
		int fd;

		pthread_mutex_lock(&shared_lock);
		handle = shared_handles[i % RACE_FILES];
		pthread_mutex_unlock(&shared_lock);
		fd = open_by_handle_at(mount, &handle.head, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			CHECK(errno == ESTALE || errno == EINVAL || errno == EPERM);
		else
			close(fd);
	}
	pthread_join(changers[0], NULL);
	pthread_join(changers[1], NULL);
	pthread_join(taker, NULL);
}

GUEST_TEST_MAIN()
