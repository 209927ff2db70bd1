/* SPDX-License-Identifier: Apache-2.0 */
/* statmount, listmount, open_tree_attr, and the parameters of fsconfig. */
#include "tests/guest/temporary.h"

#include <linux/stat.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#define STATMOUNT_NUMBER 457
#define LISTMOUNT_NUMBER 458

struct request {
	uint32_t size, spare;
	uint64_t id, parameter, ns;
};

/* struct statmount of new headers. */
struct answer {
	uint32_t size, options;
	uint64_t mask;
	uint32_t major, minor;
	uint64_t magic;
	uint32_t flags, type;
	uint64_t id, parent;
	uint32_t old_id, old_parent;
	uint64_t attributes, propagation, peers, master, from;
	uint32_t root, point;
	uint64_t rest[50];
	char text[4096];
};

static char place[96];

static uint64_t id_of(const char *path)
{
	struct statx status;

	CHECK(syscall(SYS_statx, AT_FDCWD, path, 0, 0x4000, &status) == 0);
	if (!(status.stx_mask & 0x4000))
		SKIP("no unique ids of mounts");
	return status.stx_mnt_id;
}

/* A tmpfs of our own at `place`. */
static uint64_t mounted(void)
{
	struct request request = {24, 0, -1ul, 0, 0};

	if (syscall(LISTMOUNT_NUMBER, &request, NULL, 0, 0) < 0 && errno == ENOSYS)
		SKIP("no listmount");
	temporary_enter();
	if (unshare(CLONE_NEWNS))
		SKIP("no mount namespace");
	CHECK(mkdir("m", 0755) == 0);
	snprintf(place, sizeof(place), "%s/m", temporary_path);
	CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount("some", place, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700") == 0);
	return id_of(place);
}

TEST(what_is_told_of_a_mount)
{
	uint64_t id = mounted(), parent = id_of(temporary_path);
	struct request request = {24, 0, id, 0x3f, 0};
	struct answer answer;
	char word[64];

	CHECK(syscall(STATMOUNT_NUMBER, &request, &answer, sizeof(answer), 0) == 0);
	CHECK_EQ(answer.mask, 0x3f);
	CHECK_EQ(answer.magic, 0x01021994);
	CHECK_EQ(answer.id, id);
	CHECK_EQ(answer.parent, parent);
	CHECK_EQ(answer.attributes & 0x6, 0x6);
	CHECK_EQ(answer.propagation, MS_PRIVATE);
	CHECK(!strcmp(answer.text + answer.type, "tmpfs"));
	CHECK(!strcmp(answer.text + answer.root, "/"));
	CHECK(!strcmp(answer.text + answer.point, place));
	CHECK_EQ(syscall(STATMOUNT_NUMBER, &request, word, sizeof(word), 0), -1);
	CHECK_EQ(errno, EOVERFLOW);
	request.parameter = 1;
	CHECK(syscall(STATMOUNT_NUMBER, &request, word, 10, 0) == 0);
	CHECK(umount(place) == 0);
	CHECK_ERRNO(syscall(STATMOUNT_NUMBER, &request, &answer, sizeof(answer), 0), ENOENT);
}

TEST(bad_requests)
{
	uint64_t id = mounted(), ids[4];
	struct request request = {23, 0, id, 1, 0};
	struct answer answer;

	CHECK_ERRNO(syscall(STATMOUNT_NUMBER, &request, &answer, sizeof(answer), 0), EINVAL);
	request.size = 24;
	CHECK_ERRNO(syscall(STATMOUNT_NUMBER, &request, &answer, sizeof(answer), 1), EINVAL);
	CHECK_ERRNO(syscall(STATMOUNT_NUMBER, 1, &answer, sizeof(answer), 0), EFAULT);
	CHECK_ERRNO(syscall(STATMOUNT_NUMBER, &request, 1, sizeof(answer), 0), EFAULT);
	request.id = 1;
	CHECK_ERRNO(syscall(STATMOUNT_NUMBER, &request, &answer, sizeof(answer), 0), EINVAL);
	request.id = id;
	request.parameter = 0;
	CHECK_ERRNO(syscall(LISTMOUNT_NUMBER, &request, ids, 4, 2), EINVAL);
	CHECK_ERRNO(syscall(LISTMOUNT_NUMBER, &request, ids, 1 << 20, 0), EOVERFLOW);
	request.id = id + 100000;
	CHECK_ERRNO(syscall(LISTMOUNT_NUMBER, &request, ids, 4, 0), ENOENT);
}

TEST(what_is_mounted_below)
{
	uint64_t id = mounted(), ids[4], first, second;
	struct request request = {24, 0, id, 0, 0};
	char path[128];

	CHECK_EQ(syscall(LISTMOUNT_NUMBER, &request, ids, 4, 0), 0);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%d", place, i);
		CHECK(mkdir(path, 0755) == 0);
		CHECK(mount("none", path, "tmpfs", 0, NULL) == 0);
	}
	second = id_of(path);
	CHECK_EQ(syscall(LISTMOUNT_NUMBER, &request, ids, 4, 0), 2);
	first = ids[0];
	CHECK(first < second);
	CHECK_EQ(ids[1], second);
	CHECK_EQ(syscall(LISTMOUNT_NUMBER, &request, ids, 1, 1), 1);
	CHECK_EQ(ids[0], second);
	request.parameter = first;
	CHECK_EQ(syscall(LISTMOUNT_NUMBER, &request, ids, 4, 0), 1);
	CHECK_EQ(ids[0], second);
	request.id = -1ul;
	request.parameter = 0;
	CHECK_EQ(syscall(LISTMOUNT_NUMBER, &request, ids, 1, 0), 1);
}

TEST(parameters_are_judged_one_by_one)
{
	int fd, made;

	(void)mounted();
	fd = (int)syscall(SYS_fsopen, "tmpfs", 0);
	CHECK(fd >= 0);
	CHECK_ERRNO(syscall(SYS_fsconfig, fd, FSCONFIG_SET_FLAG, "wrong", NULL, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_fsconfig, fd, FSCONFIG_SET_STRING, "size", "x", 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_fsconfig, fd, FSCONFIG_SET_PATH, "x", "/", AT_FDCWD), EINVAL);
	CHECK(syscall(SYS_fsconfig, fd, FSCONFIG_SET_STRING, "size", "1m", 0) == 0);
	CHECK(syscall(SYS_fsconfig, fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0);
	made = (int)syscall(SYS_fsmount, fd, 0, 0);
	CHECK(made >= 0);
	CHECK(syscall(SYS_move_mount, made, "", AT_FDCWD, place, MOVE_MOUNT_F_EMPTY_PATH) == 0);
}

TEST(a_clone_with_attributes)
{
	struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
	int fd;

	(void)mounted();
	fd = (int)syscall(467, AT_FDCWD, place, OPEN_TREE_CLONE, &attributes, sizeof(attributes));
	if (fd < 0 && errno == ENOSYS)
		SKIP("no open_tree_attr");
	CHECK(fd >= 0);
	CHECK_ERRNO(openat(fd, "x", O_CREAT | O_RDWR, 0600), EROFS);
	CHECK(mkdirat(AT_FDCWD, place, 0755) == -1 && errno == EEXIST);
	CHECK_ERRNO(syscall(467, AT_FDCWD, place, OPEN_TREE_CLONE, NULL, 32), EINVAL);
}

GUEST_TEST_MAIN()
