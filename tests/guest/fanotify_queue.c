/* SPDX-License-Identifier: Apache-2.0 */
/* fanotify(7): queues that are full, waited for and shared, the order of asking, what is ignored,
 * limits, and listeners that go away. */
#include "tests/guest/fanotify_test.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static long sysctl_number(const char *name)
{
	FILE *file = fopen(name, "r");
	long value;

	if (!file)
		SKIP("no fs.fanotify");
	CHECK_EQ(fscanf(file, "%ld", &value), 1);
	fclose(file);
	return value;
}

static void touch_new(const char *prefix, int count)
{
	char name[64];

	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%s%d", prefix, i);
		close(open(name, O_CREAT | O_RDONLY | O_CLOEXEC, 0600));
		unlink(name);
	}
}

/* How many events of opened files there are; a queue that was full says so last. */
static long drain(int fd, bool *overflowed)
{
	struct fanotify_event_metadata events[64], *event;
	ssize_t size;
	long count = 0;

	*overflowed = false;
	while ((size = read(fd, events, sizeof(events))) > 0) {
		for (event = events; FAN_EVENT_OK(event, size);
			event = FAN_EVENT_NEXT(event, size)) {
			CHECK(!*overflowed);
			if (event->mask == FAN_Q_OVERFLOW) {
				CHECK_EQ(event->fd, FAN_NOFD);
				*overflowed = true;
				continue;
			}
			CHECK_EQ(event->mask, FAN_OPEN);
			close(event->fd);
			count++;
		}
	}
	CHECK_EQ(errno, EAGAIN);
	return count;
}

TEST(a_full_queue_says_so_once)
{
	long limit = sysctl_number("/proc/sys/fs/fanotify/max_queued_events");
	bool overflowed;
	int limited, unlimited;

	if (limit > 20000)
		SKIP("max_queued_events is large");
	temporary_enter();
	limited = group_new(FAN_CLASS_NOTIF);
	unlimited = group_new(FAN_CLASS_NOTIF | FAN_UNLIMITED_QUEUE);
	mark(limited, 0, FAN_OPEN | FAN_EVENT_ON_CHILD, ".");
	mark(unlimited, 0, FAN_OPEN | FAN_EVENT_ON_CHILD, ".");
	touch_new("f", (int)limit + 50);
	CHECK_EQ(drain(limited, &overflowed), limit);
	CHECK(overflowed);
	CHECK_EQ(drain(unlimited, &overflowed), limit + 50);
	CHECK(!overflowed);
	/* There is room again. */
	temporary_text("after", "");
	expect(limited, FAN_OPEN, "after");
}

TEST(groups_of_a_user_are_limited)
{
	long limit = sysctl_number("/proc/sys/fs/fanotify/max_user_groups");
	struct rlimit files = {.rlim_cur = 4096, .rlim_max = 4096};
	unsigned int flags = FAN_CLOEXEC | FAN_REPORT_FID;
	uid_t user = lone_user();
	int fds[1024], count = 0;

	if (limit > 1000)
		SKIP("max_user_groups is large");
	if (setrlimit(RLIMIT_NOFILE, &files))
		SKIP("RLIMIT_NOFILE is low");
	close(group_new(0));
	CHECK(setresuid(user, user, user) == 0);
	while (count < 1024) {
		int fd = fanotify_init(flags, O_RDONLY);

		if (fd < 0)
			break;
		fds[count++] = fd;
	}
	CHECK_EQ(errno, EMFILE);
	CHECK_EQ(count, limit);
	close(fds[0]);
	CHECK(fanotify_init(flags, O_RDONLY) == fds[0]);
}

TEST(waiting_for_events)
{
	struct epoll_event ready = {.events = EPOLLIN | EPOLLET};
	int fd, epoll;
	pid_t child;

	temporary_enter();
	temporary_text("a", "text");
	fd = group_new(0);
	mark(fd, 0, FAN_OPEN, "a");
	epoll = epoll_create1(EPOLL_CLOEXEC);
	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ready) == 0);
	CHECK_EQ(epoll_wait(epoll, &ready, 1, 0), 0);
	child = fork();
	if (child == 0) {
		usleep(20000);
		touch("a", O_RDONLY);
		_exit(0);
	}
	CHECK_EQ(epoll_wait(epoll, &ready, 1, 20000), 1);
	CHECK_EQ(ready.events, EPOLLIN);
	CHECK_EQ(epoll_wait(epoll, &ready, 1, 0), 0);
	expect(fd, FAN_OPEN, "a");
	CHECK_EQ(result_of(child), 0);
	/* Without O_NONBLOCK a read waits. */
	CHECK(fcntl(fd, F_SETFL, 0) == 0);
	child = fork();
	if (child == 0) {
		usleep(20000);
		touch("a", O_RDONLY);
		_exit(0);
	}
	expect(fd, FAN_OPEN, "a");
	CHECK_EQ(result_of(child), 0);
	CHECK_EQ(lseek(fd, 10, SEEK_SET), 0);
}

static void *toucher(void *tid)
{
	*(pid_t *)tid = (pid_t)syscall(SYS_gettid);
	touch("a", O_RDONLY);
	return NULL;
}

TEST(threads_are_told_apart)
{
	struct fanotify_event_metadata event;
	pthread_t thread;
	pid_t tid;
	int by_process, by_thread;

	temporary_enter();
	temporary_text("a", "text");
	by_process = group_new(0);
	by_thread = group_new(FAN_REPORT_TID);
	mark(by_process, 0, FAN_OPEN, "a");
	mark(by_thread, 0, FAN_OPEN, "a");
	touch("a", O_RDONLY);
	CHECK(pthread_create(&thread, NULL, toucher, &tid) == 0);
	pthread_join(thread, NULL);
	CHECK_EQ(read(by_process, &event, sizeof(event)), sizeof(event));
	CHECK_EQ(event.pid, getpid());
	expect_none(by_process);
	CHECK_EQ(read(by_thread, &event, sizeof(event)), sizeof(event));
	CHECK_EQ(event.pid, getpid());
	CHECK_EQ(read(by_thread, &event, sizeof(event)), sizeof(event));
	CHECK_EQ(event.pid, tid);
}

TEST(classes_are_asked_in_order)
{
	int told, content, before, second;
	pid_t child;

	temporary_enter();
	temporary_text("a", "text");
	told = group_new(FAN_CLASS_NOTIF);
	content = group_new(FAN_CLASS_CONTENT);
	before = group_new(FAN_CLASS_PRE_CONTENT);
	second = group_new(FAN_CLASS_CONTENT);
	mark(told, 0, FAN_OPEN, "a");
	mark(content, 0, FAN_OPEN_PERM, "a");
	mark(second, 0, FAN_OPEN_PERM | FAN_OPEN, "a");
	mark(before, 0, FAN_OPEN_PERM, "a");
	child = fork();
	if (child == 0) {
		close(content);
		close(second);
		close(before);
		touch("a", O_RDONLY);
		_exit(0);
	}
	CHECK(is_readable(before, 20000));
	CHECK(!is_readable(content, 20) && !is_readable(second, 0) && !is_readable(told, 0));
	answer(before, FAN_OPEN_PERM, FAN_ALLOW);
	/* Within one class Linux promises nothing. */
	for (int i = 0; i < 2; i++) {
		struct pollfd either[2] = {
			{.fd = content, .events = POLLIN}, {.fd = second, .events = POLLIN}};

		CHECK(poll(either, 2, 20000) >= 1);
		CHECK(!is_readable(told, 0));
		answer(either[0].revents ? content : second, FAN_OPEN_PERM, FAN_ALLOW);
	}
	CHECK_EQ(result_of(child), 0);
	expect(told, FAN_OPEN, "a");
	expect(second, FAN_OPEN, "a");
	/* A no ends it. */
	child = reader_new(before, "a");
	answer(before, FAN_OPEN_PERM, FAN_DENY);
	CHECK_EQ(result_of(child), EPERM);
	expect_none(content);
	expect_none(second);
	expect_none(told);
}

TEST(ignoring_directories_and_children)
{
	unsigned int ignore = FAN_MARK_IGNORE | FAN_MARK_IGNORED_SURV_MODIFY;
	int fd;

	temporary_enter();
	CHECK(mkdir("d", 0700) == 0 && mkdir("d/e", 0700) == 0);
	temporary_text("d/a", "text");
	fd = group_new(0);
	if (fanotify_mark(fd, FAN_MARK_ADD | ignore, FAN_OPEN, AT_FDCWD, "d") && errno == EINVAL)
		SKIP("no FAN_MARK_IGNORE");
	mark(fd, 0, FAN_OPEN | FAN_ONDIR | FAN_EVENT_ON_CHILD, "d");
	/* Ignores neither directories nor children unless told to. */
	touch("d/a", O_RDONLY);
	touch("d", O_RDONLY);
	touch("d/e", O_RDONLY);
	expect(fd, FAN_OPEN, "d/a");
	expect(fd, FAN_OPEN, "d");
	expect(fd, FAN_OPEN, "d/e");
	mark(fd, ignore, FAN_OPEN | FAN_EVENT_ON_CHILD, "d");
	touch("d/a", O_RDONLY);
	touch("d/e", O_RDONLY);
	expect(fd, FAN_OPEN, "d/e");
	mark(fd, ignore, FAN_OPEN | FAN_ONDIR, "d");
	touch("d/e", O_RDONLY);
	touch("d", O_RDONLY);
	expect_none(fd);
	CHECK_ERRNO(
		fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_IGNORED_MASK, FAN_OPEN, AT_FDCWD, "d"),
		EEXIST);
	unmark(fd, ignore, FAN_OPEN, "d");
	touch("d/a", O_RDONLY);
	expect(fd, FAN_OPEN, "d/a");
}

TEST(one_mark_ignores_for_another)
{
	int fd;

	temporary_enter();
	temporary_text("a", "text");
	temporary_text("b", "text");
	fd = group_new(0);
	mark(fd, FAN_MARK_FILESYSTEM, FAN_OPEN, ".");
	mark(fd, FAN_MARK_IGNORED_MASK | FAN_MARK_IGNORED_SURV_MODIFY, FAN_OPEN, "a");
	touch("a", O_RDWR);
	CHECK(fanotify_mark(fd, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL) == 0);
	mark(fd, FAN_MARK_FILESYSTEM | FAN_MARK_IGNORED_MASK | FAN_MARK_IGNORED_SURV_MODIFY,
		FAN_OPEN, ".");
	touch("a", O_RDWR);
	CHECK(fanotify_mark(fd, FAN_MARK_FLUSH | FAN_MARK_FILESYSTEM, 0, AT_FDCWD, NULL) == 0);
	close(fd);
	fd = group_new(0);
	mark(fd, 0, FAN_OPEN | FAN_CLOSE_WRITE, "a");
	mark(fd, FAN_MARK_MOUNT | FAN_MARK_IGNORED_MASK, FAN_OPEN, ".");
	touch("a", O_RDONLY);
	expect_none(fd);
	CHECK(fanotify_mark(fd, FAN_MARK_FLUSH | FAN_MARK_MOUNT, 0, AT_FDCWD, NULL) == 0);
	touch("a", O_RDWR);
	expect(fd, FAN_OPEN | FAN_CLOSE_WRITE, "a");
}

TEST(a_listener_may_close_while_it_is_asked)
{
	int fd, copy;
	pid_t child, other;

	temporary_enter();
	temporary_text("a", "text");
	fd = group_new(FAN_CLASS_CONTENT);
	mark(fd, 0, FAN_OPEN_PERM, "a");
	/* Whoever has a copy keeps the group. */
	other = fork();
	if (other == 0) {
		pause();
		_exit(0);
	}
	child = reader_new(fd, "a");
	copy = fd;
	CHECK(is_readable(fd, 20000));
	close(copy);
	usleep(20000);
	CHECK_EQ(waitpid(child, NULL, WNOHANG), 0);
	kill(other, SIGKILL);
	CHECK_EQ(result_of(other), 1000 + SIGKILL);
	CHECK_EQ(result_of(child), 0);
}

TEST(a_listener_waits_for_itself)
{
	int fd;
	pid_t child;

	temporary_enter();
	temporary_text("a", "text");
	child = fork();
	if (child == 0) {
		fd = group_new(FAN_CLASS_CONTENT);
		mark(fd, 0, FAN_OPEN_PERM, "a");
		(void)!open("a", O_RDONLY);
		_exit(0);
	}
	usleep(50000);
	CHECK_EQ(waitpid(child, NULL, WNOHANG), 0);
	kill(child, SIGTERM);
	CHECK_EQ(result_of(child), 1000 + SIGTERM);
}

static void on_signal(int number)
{
	(void)number;
}

TEST(signals_wait_until_it_is_answered)
{
	struct sigaction action = {.sa_handler = on_signal};
	pid_t child;
	int fd;

	temporary_enter();
	temporary_text("a", "text");
	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	fd = group_new(FAN_CLASS_CONTENT);
	mark(fd, 0, FAN_OPEN_PERM, "a");
	child = reader_new(fd, "a");
	CHECK(is_readable(fd, 20000));
	kill(child, SIGUSR1);
	usleep(20000);
	answer(fd, FAN_OPEN_PERM, FAN_ALLOW);
	CHECK_EQ(result_of(child), 0);
}

TEST(marks_go_with_the_file)
{
	char path[64], line[256];
	int fd, marks = 0;
	FILE *info;

	temporary_enter();
	temporary_text("a", "text");
	temporary_text("b", "text");
	fd = group_new(0);
	mark(fd, 0, FAN_OPEN, "a");
	mark(fd, 0, FAN_OPEN, "b");
	CHECK(unlink("a") == 0);
	CHECK(rename("b", "c") == 0);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = fopen(path, "r");
	CHECK(info);
	while (fgets(line, sizeof(line), info))
		marks += !strncmp(line, "fanotify ino:", 13);
	fclose(info);
	CHECK_EQ(marks, 1);
	touch("c", O_RDONLY);
	expect(fd, FAN_OPEN, "c");
}

GUEST_TEST_MAIN()
