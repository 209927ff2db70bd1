/* SPDX-License-Identifier: Apache-2.0 */
/* fanotify(7) while everything happens at once: files that are opened, renamed and removed, groups
 * that come and go with questions unanswered, mounts that end, openers that are killed. */
#include "tests/guest/fanotify_test.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#define ROUNDS 150
#define FILES  4

static atomic_bool done;

static void file_name(char name[32], unsigned int number)
{
	snprintf(name, 32, "d/f%u", number % FILES);
}

static void *use_files(void *argument)
{
	unsigned int seed = (unsigned int)(uintptr_t)argument;
	char name[32], other[32], byte;

	while (!done) {
		int fd;

		file_name(name, (unsigned int)rand_r(&seed));
		fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd >= 0) {
			(void)!write(fd, "x", 1);
			(void)!pread(fd, &byte, 1, 0);
			close(fd);
		}
		file_name(other, (unsigned int)rand_r(&seed));
		if (rand_r(&seed) % 2)
			(void)!rename(name, other);
		else
			unlink(name);
	}
	return NULL;
}

/* Reads some, answers some. */
static void listen_to(int fd, unsigned int *seed)
{
	_Alignas(8) char buffer[512];
	const struct fanotify_event_metadata *event = (const void *)buffer;
	ssize_t size = read(fd, buffer, sizeof(buffer));

	for (; size > 0 && FAN_EVENT_OK(event, size); event = FAN_EVENT_NEXT(event, size)) {
		struct fanotify_response reply = {.fd = event->fd, .response = FAN_ALLOW};

		if (event->fd < 0)
			continue;
		if ((event->mask & (FAN_OPEN_PERM | FAN_ACCESS_PERM)) && rand_r(seed) % 4)
			(void)!write(fd, &reply, sizeof(reply));
		close(event->fd);
	}
}

static void change_marks(int fd, uint64_t more, unsigned int *seed)
{
	char name[32];

	file_name(name, (unsigned int)rand_r(seed));
	(void)!fanotify_mark(
		fd, FAN_MARK_ADD, FAN_OPEN | FAN_CLOSE | FAN_MODIFY | more, AT_FDCWD, name);
	(void)!fanotify_mark(
		fd, FAN_MARK_ADD, FAN_OPEN | FAN_EVENT_ON_CHILD | FAN_ONDIR | more, AT_FDCWD, "d");
	(void)!fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_CLOSE | more, AT_FDCWD, "d");
	(void)!fanotify_mark(
		fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_ACCESS | more, AT_FDCWD, "d");
	if (rand_r(seed) % 3 == 0)
		(void)!fanotify_mark(fd, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL);
	file_name(name, (unsigned int)rand_r(seed));
	(void)!fanotify_mark(fd, FAN_MARK_REMOVE, FAN_OPEN | more, AT_FDCWD, name);
}

static void *use_groups(void *argument)
{
	static const unsigned int classes[] = {FAN_CLASS_NOTIF, FAN_CLASS_CONTENT,
		FAN_CLASS_PRE_CONTENT, FAN_REPORT_DFID_NAME_TARGET};
	const uint64_t names = FAN_CREATE | FAN_DELETE | FAN_MOVE | FAN_RENAME | FAN_DELETE_SELF |
			       FAN_MOVE_SELF | FAN_ATTRIB;
	unsigned int seed = (unsigned int)(uintptr_t)argument;

	for (int i = 0; i < ROUNDS; i++) {
		unsigned int class = classes[(unsigned int)rand_r(&seed) % 4];
		uint64_t more = class == FAN_REPORT_DFID_NAME_TARGET ? names
				: class ? FAN_OPEN_PERM | FAN_ACCESS_PERM
					: 0;
		int fd = fanotify_init(class | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY | O_CLOEXEC);

		CHECK(fd >= 0);
		for (int j = 0; j < 8; j++) {
			change_marks(fd, more, &seed);
			sched_yield();
			listen_to(fd, &seed);
		}
		close(fd);
	}
	return NULL;
}

static void *use_mounts(void *argument)
{
	(void)argument;
	while (!done) {
		int fd = fanotify_init(FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY), file;

		if (fd < 0)
			continue;
		CHECK(mount("none", "m", "tmpfs", 0, NULL) == 0);
		file = open("m/a", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
		CHECK(file >= 0);
		(void)!fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN | FAN_CLOSE, AT_FDCWD, "m/a");
		(void)!fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN, AT_FDCWD, "m");
		(void)!fanotify_mark(
			fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_CLOSE, AT_FDCWD, "m");
		close(open("m/a", O_RDONLY | O_CLOEXEC));
		CHECK(umount2("m", MNT_DETACH) == 0);
		close(file);
		close(fd);
	}
	return NULL;
}

/* A process of its own: copies of the groups' descriptors would let them outlive their listeners.
 */
static pid_t kill_openers(void)
{
	pid_t killer = fork(), child;
	char name[32];

	CHECK(killer >= 0);
	if (killer)
		return killer;
	for (;;) {
		child = fork();
		CHECK(child >= 0);
		if (child == 0) {
			CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
			for (unsigned int i = 0;; i++) {
				file_name(name, i);
				close(open(name, O_RDONLY));
			}
		}
		usleep(500);
		kill(child, SIGKILL);
		CHECK(waitpid(child, NULL, 0) == child);
	}
}

TEST(all_at_once)
{
	pthread_t users[2], groups[2], mounts;
	pid_t killer;

	temporary_enter();
	close(group_new(0));
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		mkdir("w", 0700) || mount("none", "w", "tmpfs", 0, NULL))
		SKIP("cannot mount");
	CHECK(chdir("w") == 0);
	CHECK(mkdir("d", 0700) == 0 && mkdir("m", 0700) == 0);
	CHECK(mount("none", "d", "tmpfs", 0, NULL) == 0);
	killer = kill_openers();
	for (uintptr_t i = 0; i < 2; i++) {
		CHECK(pthread_create(&users[i], NULL, use_files, (void *)i) == 0);
		CHECK(pthread_create(&groups[i], NULL, use_groups, (void *)(i + 10)) == 0);
	}
	CHECK(pthread_create(&mounts, NULL, use_mounts, NULL) == 0);
	for (int i = 0; i < 2; i++)
		pthread_join(groups[i], NULL);
	done = true;
	for (int i = 0; i < 2; i++)
		pthread_join(users[i], NULL);
	pthread_join(mounts, NULL);
	kill(killer, SIGKILL);
	CHECK_EQ(result_of(killer), 1000 + SIGKILL);
}

GUEST_TEST_MAIN()
