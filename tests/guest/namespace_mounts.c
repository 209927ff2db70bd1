/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces that are bound to a name and so stay, as ip-netns(8) and unshare(1) do it
 * (namespaces(7)). */
#include "tests/guest/temporary.h"

#include <net/if.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/wait.h>

/* A private mount namespace, and a file "name" on a mount of its own in a new directory. */
static void prepare(void)
{
	cpu_set_t first;

	temporary_enter();
	if (geteuid())
		SKIP("needs root");
	/* Linux 6.18 tells younger namespaces by numbers that each processor has its own of. */
	CHECK(sched_getaffinity(0, sizeof(first), &first) == 0);
	for (int i = 0, found = 0; i < CPU_SETSIZE; i++) {
		if (CPU_ISSET(i, &first) && found++)
			CPU_CLR(i, &first);
	}
	CHECK(sched_setaffinity(0, sizeof(first), &first) == 0);
	if (unshare(CLONE_NEWNS))
		SKIP("no mount namespaces");
	CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mkdir("t", 0755) == 0 && mount("none", "t", "tmpfs", 0, NULL) == 0);
	temporary_text("t/name", "");
}

static ino_t number_of(const char *path)
{
	struct stat status;

	CHECK(stat(path, &status) == 0);
	return status.st_ino;
}

/* In a child with namespaces of its own, what ns/KIND is there, bound to t/name here. */
static void bind_from_child(int flags, const char *kind, ino_t *number)
{
	int ready[2], done[2];
	char path[64], byte;
	pid_t child;

	CHECK(pipe(ready) == 0 && pipe(done) == 0);
	child = fork();
	CHECK(child >= 0);
	if (!child) {
		if (unshare(flags) || sethostname("bound", 5) || write(ready[1], "", 1) != 1)
			_exit(1);
		_exit(read(done[0], &byte, 1) != 1);
	}
	CHECK(read(ready[0], &byte, 1) == 1);
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", child, kind);
	*number = number_of(path);
	if (mount(path, "t/name", NULL, MS_BIND, NULL))
		FAIL("bind of %s: %s", path, strerror(errno));
	CHECK(write(done[1], "", 1) == 1);
	CHECK(waitpid(child, NULL, 0) == child);
	close(ready[0]);
	close(ready[1]);
	close(done[0]);
	close(done[1]);
}

TEST(a_bound_namespace_stays)
{
	char name[64];
	struct statfs status;
	ino_t number;
	int fd;

	prepare();
	bind_from_child(CLONE_NEWUTS, "uts", &number);
	CHECK_EQ(number_of("t/name"), number);
	CHECK(statfs("t/name", &status) == 0);
	CHECK_EQ(status.f_type, 0x6e736673); /* NSFS_MAGIC */
	fd = open("t/name", O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && setns(fd, CLONE_NEWUTS) == 0);
	CHECK(gethostname(name, sizeof(name)) == 0);
	CHECK(!strcmp(name, "bound"));
	CHECK_EQ(number_of("/proc/self/ns/uts"), number);
	CHECK_ERRNO(umount("t/name"), EBUSY);
	CHECK(umount2("t/name", MNT_DETACH) == 0);
	CHECK_EQ(number_of("/proc/self/ns/uts"), number);
	CHECK(setns(fd, CLONE_NEWUTS) == 0);
}

TEST(a_bound_name_cannot_be_written_or_removed)
{
	ino_t number;

	prepare();
	bind_from_child(CLONE_NEWUTS, "uts", &number);
	CHECK_ERRNO(open("t/name", O_WRONLY), EPERM);
	CHECK_ERRNO(unlink("t/name"), EBUSY);
	CHECK_ERRNO(umount("t"), EBUSY);
	CHECK(umount2("t/name", MNT_DETACH) == 0);
	CHECK(unlink("t/name") == 0);
}

TEST(a_network_comes_back)
{
	ino_t number;
	int fd;

	prepare();
	bind_from_child(CLONE_NEWNET | CLONE_NEWUTS, "net", &number);
	fd = open("t/name", O_RDONLY);
	CHECK(fd >= 0 && setns(fd, CLONE_NEWNET) == 0);
	CHECK(if_nametoindex("lo") == 1);
	CHECK_EQ(number_of("/proc/self/ns/net"), number);
}

TEST(mountinfo_tells_the_kind_and_number)
{
	char *line = NULL, wanted[64];
	size_t size = 0;
	bool found = false;
	ino_t number;
	FILE *stream;

	prepare();
	bind_from_child(CLONE_NEWUTS, "uts", &number);
	snprintf(wanted, sizeof(wanted), " uts:[%lu] ", (unsigned long)number);
	stream = fopen("/proc/self/mountinfo", "r");
	CHECK(stream != NULL);
	while (getline(&line, &size, stream) > 0)
		found |= strstr(line, wanted) && strstr(line, "t/name ") &&
			 strstr(line, " - nsfs nsfs rw");
	CHECK(found);
	free(line);
	fclose(stream);
}

TEST(a_bound_name_is_bound_again)
{
	ino_t number;

	prepare();
	bind_from_child(CLONE_NEWUTS, "uts", &number);
	temporary_text("t/other", "");
	CHECK(mount("t/name", "t/other", NULL, MS_BIND, NULL) == 0);
	CHECK(umount("t/name") == 0);
	CHECK_EQ(number_of("t/other"), number);
	CHECK_ERRNO(mount("/proc/self/ns/uts", "t", NULL, MS_BIND, NULL), ENOTDIR);
}

/* Otherwise it would keep itself. */
TEST(a_mount_namespace_is_not_bound_within_itself)
{
	int fd, status, ready[2];
	char byte, path[64];
	ino_t number;
	pid_t child;

	prepare();
	CHECK_ERRNO(mount("/proc/self/ns/mnt", "t/name", NULL, MS_BIND, NULL), EINVAL);
	fd = open("/proc/self/ns/mnt", O_RDONLY);
	CHECK(fd >= 0 && pipe(ready) == 0);
	child = fork();
	CHECK(child >= 0);
	if (!child) {
		/* Nor an older one within one that is younger. */
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		_exit(unshare(CLONE_NEWNS) || mount(path, "t/name", NULL, MS_BIND, NULL) != -1 ||
			errno != EINVAL);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
	child = fork();
	CHECK(child >= 0);
	if (!child) {
		CHECK(unshare(CLONE_NEWNS) == 0 && write(ready[1], "", 1) == 1);
		pause();
	}
	CHECK(read(ready[0], &byte, 1) == 1);
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", child);
	number = number_of(path);
	CHECK(mount(path, "t/name", NULL, MS_BIND, NULL) == 0);
	CHECK_EQ(number_of("t/name"), number);
	/* It is left out of copies, which could come to hold each other. */
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(number_of("t/name") != number);
	CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
}

TEST(a_mount_namespace_is_not_told_to_peers)
{
	char path[64], byte;
	int ready[2];
	pid_t child;

	prepare();
	CHECK(mkdir("u", 0755) == 0 && mount("t", "t", NULL, MS_BIND, NULL) == 0);
	CHECK(mount("none", "t", NULL, MS_SHARED, NULL) == 0);
	CHECK(mount("t", "u", NULL, MS_BIND, NULL) == 0);
	CHECK(pipe(ready) == 0);
	child = fork();
	CHECK(child >= 0);
	if (!child) {
		CHECK(unshare(CLONE_NEWNS) == 0 && write(ready[1], "", 1) == 1);
		pause();
	}
	CHECK(read(ready[0], &byte, 1) == 1);
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", child);
	CHECK_ERRNO(mount(path, "t/name", NULL, MS_BIND, NULL), EINVAL);
	CHECK(mount("/proc/self/ns/uts", "t/name", NULL, MS_BIND, NULL) == 0);
	CHECK_EQ(number_of("u/name"), number_of("/proc/self/ns/uts"));
	CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
}

GUEST_TEST_MAIN()
