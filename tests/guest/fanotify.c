/* SPDX-License-Identifier: Apache-2.0 */
/* fanotify(7) with descriptors: marks, events, merging, what is ignored, permission, errors. */
#include "tests/guest/bad_address.h"
#include "tests/guest/fanotify_test.h"

#include <sys/ioctl.h>
#include <sys/mount.h>

TEST(life_of_a_file)
{
	int fd;
	struct pollfd readable;
	int bytes, file;
	char byte;

	temporary_enter();
	fd = group_new(FAN_CLASS_NOTIF);
	temporary_text("a", "text");
	temporary_text("b", "text");
	mark(fd, 0, FAN_OPEN | FAN_ACCESS | FAN_MODIFY | FAN_CLOSE, "a");
	readable = (struct pollfd){.fd = fd, .events = POLLIN};
	CHECK_EQ(poll(&readable, 1, 0), 0);
	touch("b", O_RDWR);
	expect_none(fd);
	file = open("a", O_RDWR | O_CLOEXEC);
	CHECK_EQ(poll(&readable, 1, 1000), 1);
	CHECK(ioctl(fd, FIONREAD, &bytes) == 0);
	CHECK_EQ(bytes, sizeof(struct fanotify_event_metadata));
	expect(fd, FAN_OPEN, "a");
	CHECK_EQ(read(file, &byte, 1), 1);
	expect(fd, FAN_ACCESS, "a");
	CHECK_EQ(write(file, "y", 1), 1);
	expect(fd, FAN_MODIFY, "a");
	close(file);
	expect(fd, FAN_CLOSE_WRITE, "a");
	touch("a", O_RDONLY);
	expect(fd, FAN_OPEN | FAN_CLOSE_NOWRITE, "a");
	expect_none(fd);
}

TEST(events_of_one_process_merge)
{
	struct fanotify_event_metadata event;
	int fd;

	temporary_enter();
	fd = group_new(FAN_CLASS_NOTIF);
	temporary_text("a", "text");
	temporary_text("b", "text");
	mark(fd, 0, FAN_OPEN | FAN_MODIFY | FAN_CLOSE, "a");
	mark(fd, 0, FAN_OPEN, "b");
	touch("a", O_RDONLY);
	touch("b", O_RDONLY);
	touch("a", O_WRONLY);
	expect(fd, FAN_OPEN | FAN_MODIFY | FAN_CLOSE, "a");
	expect(fd, FAN_OPEN, "b");
	expect_none(fd);
	touch("b", O_RDONLY);
	if (fork() == 0) {
		touch("b", O_RDONLY);
		_exit(0);
	}
	wait(NULL);
	CHECK_EQ(read(fd, &event, sizeof(event)), sizeof(event));
	CHECK_EQ(event.pid, getpid());
	close(event.fd);
	CHECK_EQ(read(fd, &event, sizeof(event)), sizeof(event));
	CHECK(event.pid != getpid() && event.pid > 0);
	close(event.fd);
}

TEST(directories_and_children)
{
	int fd;

	temporary_enter();
	fd = group_new(FAN_CLASS_NOTIF);
	CHECK(mkdir("d", 0700) == 0 && mkdir("d/e", 0700) == 0);
	temporary_text("d/a", "");
	temporary_text("d/e/a", "");
	mark(fd, 0, FAN_OPEN, "d");
	touch("d/a", O_RDONLY);
	touch("d", O_RDONLY);
	expect_none(fd);
	mark(fd, 0, FAN_EVENT_ON_CHILD, "d");
	touch("d/a", O_RDONLY);
	touch("d/e", O_RDONLY);
	touch("d/e/a", O_RDONLY);
	touch("d", O_RDONLY);
	expect(fd, FAN_OPEN, "d/a");
	expect_none(fd);
	mark(fd, 0, FAN_ONDIR, "d");
	touch("d/e", O_RDONLY);
	touch("d", O_RDONLY);
	expect(fd, FAN_OPEN, "d/e");
	expect(fd, FAN_OPEN, "d");
	expect_none(fd);
	CHECK(fanotify_mark(fd, FAN_MARK_REMOVE, FAN_OPEN, AT_FDCWD, "d") == 0);
	touch("d/a", O_RDONLY);
	expect_none(fd);
	CHECK(fanotify_mark(fd, FAN_MARK_REMOVE, FAN_ONDIR | FAN_EVENT_ON_CHILD, AT_FDCWD, "d") ==
		0);
	CHECK_ERRNO(fanotify_mark(fd, FAN_MARK_REMOVE, FAN_OPEN, AT_FDCWD, "d"), ENOENT);
}

TEST(mounts_and_file_systems)
{
	int fd, second;

	temporary_enter();
	fd = group_new(FAN_CLASS_NOTIF);
	second = group_new(FAN_CLASS_NOTIF);
	CHECK(mkdir("m", 0700) == 0 && mkdir("n", 0700) == 0);
	if (mount("none", "m", "tmpfs", 0, NULL))
		SKIP("cannot mount");
	CHECK(mount("m", "n", NULL, MS_BIND, NULL) == 0);
	temporary_text("m/a", "");
	mark(fd, FAN_MARK_MOUNT, FAN_OPEN, "m");
	mark(second, FAN_MARK_FILESYSTEM, FAN_OPEN, "m/a");
	touch("n/a", O_RDONLY);
	expect_none(fd);
	expect(second, FAN_OPEN, "m/a");
	touch("m/a", O_RDONLY);
	expect(fd, FAN_OPEN, "m/a");
	expect(second, FAN_OPEN, "m/a");
	CHECK(fanotify_mark(fd, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL) == 0);
	touch("m/a", O_RDONLY);
	expect(fd, FAN_OPEN, "m/a");
	CHECK(fanotify_mark(fd, FAN_MARK_FLUSH | FAN_MARK_MOUNT, 0, AT_FDCWD, NULL) == 0);
	expect(second, FAN_OPEN, "m/a");
	touch("m/a", O_RDONLY);
	expect_none(fd);
	expect(second, FAN_OPEN, "m/a");
	/* Marks do not hold what they are on. */
	mark(fd, FAN_MARK_MOUNT, FAN_OPEN, "m");
	mark(fd, 0, FAN_OPEN, "m/a");
	CHECK(umount("n") == 0);
	CHECK(umount("m") == 0);
	close(fd);
	close(second);
}

TEST(what_is_ignored)
{
	int fd;

	temporary_enter();
	fd = group_new(FAN_CLASS_NOTIF);
	CHECK(mkdir("d", 0700) == 0);
	temporary_text("d/a", "text");
	temporary_text("d/b", "text");
	mark(fd, 0, FAN_OPEN | FAN_EVENT_ON_CHILD, "d");
	mark(fd, FAN_MARK_IGNORED_MASK, FAN_OPEN, "d/a");
	mark(fd, FAN_MARK_IGNORED_MASK | FAN_MARK_IGNORED_SURV_MODIFY, FAN_OPEN, "d/b");
	touch("d/a", O_RDONLY);
	touch("d/b", O_RDONLY);
	expect_none(fd);
	touch("d/a", O_WRONLY);
	touch("d/b", O_WRONLY);
	expect_none(fd);
	touch("d/a", O_RDONLY);
	touch("d/b", O_RDONLY);
	expect(fd, FAN_OPEN, "d/a");
	expect_none(fd);
	CHECK(fanotify_mark(
		      fd, FAN_MARK_REMOVE | FAN_MARK_IGNORED_MASK, FAN_OPEN, AT_FDCWD, "d/b") == 0);
	touch("d/b", O_RDONLY);
	expect(fd, FAN_OPEN, "d/b");
}

TEST(event_descriptors_are_silent)
{
	struct fanotify_event_metadata event;
	char byte;
	int fd;

	temporary_enter();
	temporary_text("a", "text");
	fd = group_new(FAN_CLASS_NOTIF);
	mark(fd, 0, FAN_OPEN | FAN_ACCESS | FAN_CLOSE, "a");
	touch("a", O_RDONLY);
	CHECK_EQ(read(fd, &event, sizeof(event)), sizeof(event));
	CHECK_EQ(read(event.fd, &byte, 1), 1);
	CHECK_ERRNO(write(event.fd, &byte, 1), EBADF);
	close(event.fd);
	expect_none(fd);
}

TEST(executed_programs)
{
	int fd;

	temporary_enter();
	fd = group_new(FAN_CLASS_NOTIF);
	mark(fd, 0, FAN_OPEN_EXEC, "/bin/true");
	touch("/bin/true", O_RDONLY);
	expect_none(fd);
	if (fork() == 0) {
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	wait(NULL);
	expect(fd, FAN_OPEN_EXEC, "/bin/true");
}

TEST(too_many_events)
{
	struct fanotify_event_metadata event;
	int fd, count = 0;
	char name[32];

	temporary_enter();
	fd = group_new(FAN_CLASS_NOTIF | FAN_REPORT_TID);
	mark(fd, 0, FAN_OPEN | FAN_EVENT_ON_CHILD, ".");
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		temporary_text(name, "");
		unlink(name);
	}
	/* A buffer that is too small takes nothing. */
	CHECK_ERRNO(read(fd, &event, sizeof(event) - 1), EINVAL);
	while (read(fd, &event, sizeof(event)) == sizeof(event)) {
		CHECK_EQ(event.mask, FAN_OPEN);
		CHECK_EQ(event.pid, getpid());
		close(event.fd);
		count++;
	}
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(count, 300);
}

TEST(permission_is_asked)
{
	pid_t child;
	int fd;

	temporary_enter();
	temporary_text("a", "text");
	fd = group_new(FAN_CLASS_CONTENT);
	mark(fd, 0, FAN_OPEN_PERM | FAN_ACCESS_PERM, "a");
	child = reader_new(fd, "a");
	answer(fd, FAN_OPEN_PERM, FAN_ALLOW);
	answer(fd, FAN_ACCESS_PERM, FAN_ALLOW);
	CHECK_EQ(result_of(child), 0);
	child = reader_new(fd, "a");
	answer(fd, FAN_OPEN_PERM, FAN_DENY);
	CHECK_EQ(result_of(child), EPERM);
	child = reader_new(fd, "a");
	answer(fd, FAN_OPEN_PERM, FAN_ALLOW);
	answer(fd, FAN_ACCESS_PERM, FAN_DENY);
	CHECK_EQ(result_of(child), 100 + EPERM);
	/* Who waits can be killed. */
	child = reader_new(fd, "a");
	CHECK_EQ(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 20000), 1);
	kill(child, SIGKILL);
	CHECK_EQ(result_of(child), 1000 + SIGKILL);
	expect_none(fd);
	/* Closing the group allows all. */
	child = reader_new(fd, "a");
	CHECK_EQ(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 20000), 1);
	close(fd);
	CHECK_EQ(result_of(child), 0);
}

TEST(killed_after_the_event_was_read)
{
	struct fanotify_event_metadata event;
	struct fanotify_response reply;
	pid_t child;
	int fd;

	temporary_enter();
	temporary_text("a", "text");
	fd = group_new(FAN_CLASS_PRE_CONTENT);
	mark(fd, 0, FAN_OPEN_PERM, "a");
	child = reader_new(fd, "a");
	CHECK_EQ(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 20000), 1);
	CHECK_EQ(read(fd, &event, sizeof(event)), sizeof(event));
	CHECK_EQ(event.pid, child);
	kill(child, SIGKILL);
	CHECK_EQ(result_of(child), 1000 + SIGKILL);
	reply = (struct fanotify_response){.fd = event.fd, .response = FAN_ALLOW};
	CHECK_EQ(write(fd, &reply, sizeof(reply)), sizeof(reply));
	close(event.fd);
	/* One that is read, and one that is not, when the group ends. */
	child = reader_new(fd, "a");
	CHECK_EQ(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 20000), 1);
	CHECK_EQ(read(fd, &event, sizeof(event)), sizeof(event));
	close(fd);
	close(event.fd);
	CHECK_EQ(result_of(child), 0);
}

TEST(programs_need_permission)
{
	pid_t child;
	int fd;

	temporary_enter();
	CHECK(system("cp /bin/true ./program") == 0);
	fd = group_new(FAN_CLASS_CONTENT);
	mark(fd, 0, FAN_OPEN_EXEC_PERM, "program");
	touch("program", O_RDONLY);
	child = fork();
	if (child == 0) {
		execl("./program", "program", NULL);
		_exit(errno);
	}
	answer(fd, FAN_OPEN_EXEC_PERM, FAN_DENY);
	CHECK_EQ(result_of(child), EPERM);
}

TEST(reports_a_pidfd)
{
	struct {
		struct fanotify_event_metadata event;
		struct fanotify_event_info_pidfd info;
	} both;
	int fd;

	temporary_enter();
	temporary_text("a", "");
	fd = group_new(FAN_CLASS_NOTIF | FAN_REPORT_PIDFD);
	mark(fd, 0, FAN_OPEN, "a");
	touch("a", O_RDONLY);
	CHECK_ERRNO(read(fd, &both, sizeof(both) - 1), EINVAL);
	CHECK_EQ(read(fd, &both, sizeof(both)), sizeof(both));
	CHECK_EQ(both.event.event_len, sizeof(both));
	CHECK_EQ(both.info.hdr.info_type, FAN_EVENT_INFO_TYPE_PIDFD);
	CHECK_EQ(both.info.hdr.len, sizeof(both.info));
	CHECK(both.info.pidfd >= 0);
	CHECK(fcntl(both.info.pidfd, F_GETFD) == FD_CLOEXEC);
}

TEST(errors_of_init)
{
	close(group_new(0));
	CHECK_ERRNO(fanotify_init(0x80000000, O_RDONLY), EINVAL);
	CHECK_ERRNO(fanotify_init(FAN_CLASS_CONTENT | FAN_CLASS_PRE_CONTENT, O_RDONLY), EINVAL);
	CHECK_ERRNO(fanotify_init(FAN_REPORT_PIDFD | FAN_REPORT_TID, O_RDONLY), EINVAL);
	CHECK_ERRNO(fanotify_init(0, O_ACCMODE), EINVAL);
	CHECK_ERRNO(fanotify_init(0, O_CREAT), EINVAL);
	CHECK_ERRNO(fanotify_init(0, O_DIRECTORY), EINVAL);
	CHECK(setuid(1000) == 0);
	CHECK_ERRNO(fanotify_init(0, O_RDONLY), EPERM);
	CHECK_ERRNO(fanotify_init(FAN_UNLIMITED_QUEUE, O_RDONLY), EPERM);
}

TEST(errors_of_mark)
{
	int fd;

	temporary_enter();
	temporary_text("a", "");
	CHECK(symlink("nowhere", "link") == 0);
	fd = group_new(0);
	CHECK_ERRNO(fanotify_mark(-1, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "a"), EBADF);
	CHECK_ERRNO(fanotify_mark(0, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "a"), EINVAL);
	CHECK_ERRNO(fanotify_mark(fd, FAN_MARK_ADD, 0, AT_FDCWD, "a"), EINVAL);
	CHECK_ERRNO(fanotify_mark(fd, 0, FAN_OPEN, AT_FDCWD, "a"), EINVAL);
	CHECK_ERRNO(
		fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_REMOVE, FAN_OPEN, AT_FDCWD, "a"), EINVAL);
	CHECK_ERRNO(fanotify_mark(fd, FAN_MARK_ADD, 1ull << 40, AT_FDCWD, "a"), EINVAL);
	CHECK_ERRNO(fanotify_mark(fd, FAN_MARK_ADD | 0x40000000, FAN_OPEN, AT_FDCWD, "a"), EINVAL);
	CHECK_ERRNO(fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, "a"), EINVAL);
	CHECK_ERRNO(fanotify_mark(fd, FAN_MARK_ADD, FAN_CREATE, AT_FDCWD, "."), EINVAL);
	CHECK_ERRNO(fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "none"), ENOENT);
	CHECK_ERRNO(fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "link"), ENOENT);
	mark(fd, FAN_MARK_DONT_FOLLOW, FAN_OPEN, "link");
	CHECK_ERRNO(fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_ONLYDIR, FAN_OPEN, AT_FDCWD, "a"),
		ENOTDIR);
	CHECK_ERRNO(fanotify_mark(fd, FAN_MARK_REMOVE, FAN_OPEN, AT_FDCWD, "a"), ENOENT);
	CHECK_ERRNO(
		fanotify_mark(fd, FAN_MARK_FLUSH | FAN_MARK_ONLYDIR, 0, AT_FDCWD, NULL), EINVAL);
	CHECK_ERRNO(
		fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_IGNORE, FAN_OPEN, AT_FDCWD, "."), EISDIR);
	CHECK_ERRNO(fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_IGNORE | FAN_MARK_MOUNT, FAN_OPEN,
			    AT_FDCWD, "."),
		EINVAL);
	CHECK_ERRNO(fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_EVICTABLE | FAN_MARK_MOUNT, FAN_OPEN,
			    AT_FDCWD, "."),
		EINVAL);
	mark(fd, 0, FAN_OPEN, "a");
	CHECK_ERRNO(fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_EVICTABLE, FAN_OPEN, AT_FDCWD, "a"),
		EEXIST);
}

TEST(errors_of_answers)
{
	struct fanotify_response reply = {.fd = 1000, .response = FAN_ALLOW};
	int fd = group_new(FAN_CLASS_CONTENT);

	CHECK_ERRNO(write(fd, &reply, sizeof(reply) - 1), EINVAL);
	CHECK_ERRNO(write(fd, &reply, sizeof(reply)), ENOENT);
	reply.response = 77;
	CHECK_ERRNO(write(fd, &reply, sizeof(reply)), EINVAL);
	reply = (struct fanotify_response){.fd = -1, .response = FAN_ALLOW};
	CHECK_ERRNO(write(fd, &reply, sizeof(reply)), EINVAL);
	reply = (struct fanotify_response){.fd = 3, .response = FAN_ALLOW | FAN_AUDIT};
	CHECK_ERRNO(write(fd, &reply, sizeof(reply)), EINVAL);
}

TEST(fdinfo_tells_flags)
{
	char path[64], line[256];
	bool found = false;
	int fd = group_new(FAN_CLASS_CONTENT);
	FILE *file;

	temporary_enter();
	temporary_text("a", "");
	mark(fd, FAN_MARK_MOUNT, FAN_OPEN, ".");
	mark(fd, 0, FAN_OPEN | FAN_CLOSE_WRITE, "a");
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	CHECK(file);
	while (fgets(line, sizeof(line), file)) {
		unsigned int flags, events;

		if (sscanf(line, "fanotify flags:%x event-flags:%x", &flags, &events) == 2)
			CHECK_EQ(flags, FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK);
		if (!strncmp(line, "fanotify ino:", 13)) {
			CHECK(strstr(line, " mflags:0 mask:28 ignored_mask:0"));
			found = true;
		}
	}
	fclose(file);
	CHECK(found);
}

GUEST_TEST_MAIN()
