/* SPDX-License-Identifier: Apache-2.0 */
/* Files seen from a user namespace: whose files its root may do anything with, and who owns what it
 * mounts. */
#include "tests/guest/temporary.h"

#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>

static void write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		FAIL("%s: %s", path, strerror(errno));
	close(fd);
}

/* Files of three kinds of owner, then root of a namespace that knows the ids 1000 and 1000 only. */
static void become_root_of_a_new_one(void)
{
	temporary_enter();
	if (geteuid())
		SKIP("needs root");
	CHECK(mkdir("own", 0) == 0 && chown("own", 1000, 1000) == 0);
	CHECK(mkdir("group", 0) == 0 && chown("group", 1000, 0) == 0);
	CHECK(mkdir("strange", 0) == 0);
	CHECK(chmod(".", 0777) == 0);
	CHECK(setgroups(0, NULL) == 0);
	CHECK(setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
	CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		SKIP("no user namespaces");
	write_to("/proc/self/uid_map", "0 1000 1\n");
	write_to("/proc/self/setgroups", "deny");
	write_to("/proc/self/gid_map", "0 1000 1\n");
	CHECK_EQ(geteuid(), 0);
	CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
}

TEST(root_of_a_namespace_overrides_the_mode_of_its_own_files)
{
	become_root_of_a_new_one();
	temporary_text("own/file", "x");
	CHECK(access("own/file", W_OK) == 0);
	CHECK(chmod("own/file", 0) == 0);
	CHECK(open("own/file", O_RDWR) >= 0);
}

TEST(it_does_not_override_the_mode_of_others)
{
	become_root_of_a_new_one();
	CHECK_ERRNO(open("strange", O_RDONLY), EACCES);
	CHECK_ERRNO(open("strange/file", O_CREAT | O_WRONLY, 0600), EACCES);
	CHECK_ERRNO(chmod("strange", 0700), EPERM);
	CHECK_ERRNO(chown("strange", 0, 0), EPERM);
	CHECK_ERRNO(rmdir("strange/file"), EACCES);
}

TEST(both_owners_must_be_known)
{
	become_root_of_a_new_one();
	CHECK_ERRNO(open("group", O_RDONLY), EACCES);
	CHECK(chmod("group", 0700) == 0);
	CHECK(open("group", O_RDONLY) >= 0);
}

TEST(files_are_given_to_known_ids_only)
{
	become_root_of_a_new_one();
	temporary_text("own/file", "x");
	CHECK(chown("own/file", 0, 0) == 0);
	CHECK_ERRNO(chown("own/file", 5, -1), EINVAL);
	CHECK_ERRNO(mknod("own/null", S_IFCHR | 0666, 0x103), EPERM);
}

TEST(a_tmpfs_belongs_to_who_mounts_it)
{
	struct stat status;

	become_root_of_a_new_one();
	CHECK(mount("none", "own", "tmpfs", 0, "mode=0755") == 0);
	CHECK(stat("own", &status) == 0);
	CHECK_EQ(status.st_uid, 0);
	CHECK_EQ(status.st_gid, 0);
	CHECK_EQ(status.st_mode, S_IFDIR | 0755);
	CHECK_EQ(status.st_size, 40);
	temporary_text("own/file", "x");
	CHECK(mkdir("own/directory", 0700) == 0);
	CHECK(stat("own", &status) == 0);
	CHECK_EQ(status.st_size, 80);
	CHECK(stat("own/file", &status) == 0 && status.st_uid == 0 && status.st_gid == 0);
}

TEST(the_owner_of_a_tmpfs_is_an_id_of_the_namespace)
{
	struct stat status;

	become_root_of_a_new_one();
	CHECK_ERRNO(mount("none", "own", "tmpfs", 0, "uid=5"), EINVAL);
	CHECK_ERRNO(mount("none", "own", "tmpfs", 0, "gid=5"), EINVAL);
	CHECK(mount("none", "own", "tmpfs", 0, "uid=0,gid=0,mode=0700") == 0);
	CHECK(stat("own", &status) == 0);
	CHECK_EQ(status.st_uid, 0);
	CHECK_EQ(status.st_mode, S_IFDIR | 0700);
}

GUEST_TEST_MAIN()
