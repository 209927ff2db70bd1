/* SPDX-License-Identifier: Apache-2.0 */
/* inotify(7): every event, cookies, masks, watches that end, overlong queues, errors. */
#include "tests/guest/bad_address.h"
#include "tests/guest/temporary.h"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>

static char events[65536];
static size_t events_size, events_at;

static int watch_here(uint32_t mask, int *watch)
{
	int fd;

	temporary_enter();
	fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	CHECK(fd >= 0);
	*watch = inotify_add_watch(fd, ".", mask);
	CHECK(*watch > 0);
	return fd;
}

static struct inotify_event *next_event(int fd)
{
	struct inotify_event *event;
	ssize_t size;

	if (events_at == events_size) {
		size = read(fd, events, sizeof(events));
		if (size < 0 && errno == EAGAIN)
			return NULL;
		CHECK(size > 0);
		events_size = (size_t)size;
		events_at = 0;
	}
	event = (struct inotify_event *)(events + events_at);
	events_at += sizeof(*event) + event->len;
	CHECK(events_at <= events_size);
	return event;
}

static uint32_t expect(int fd, uint32_t mask, const char *name)
{
	struct inotify_event *event = next_event(fd);

	if (!event)
		FAIL("no event %#x of %s", mask, name ? name : "the directory");
	if (event->mask != mask || strcmp(event->len ? event->name : "", name ? name : ""))
		FAIL("event %#x of %s, not %#x of %s", event->mask, event->len ? event->name : "",
			mask, name ? name : "");
	return event->cookie;
}

TEST(life_of_a_file)
{
	int watch, fd = watch_here(IN_ALL_EVENTS, &watch), file;
	char byte;

	file = open("a", O_RDWR | O_CREAT, 0600);
	CHECK_EQ(write(file, "x", 1), 1);
	CHECK_EQ(pread(file, &byte, 1, 0), 1);
	CHECK(fchmod(file, 0644) == 0);
	CHECK(ftruncate(file, 0) == 0);
	close(file);
	close(open("a", O_RDONLY));
	CHECK(unlink("a") == 0);
	expect(fd, IN_CREATE, "a");
	expect(fd, IN_OPEN, "a");
	expect(fd, IN_MODIFY, "a");
	expect(fd, IN_ACCESS, "a");
	expect(fd, IN_ATTRIB, "a");
	expect(fd, IN_MODIFY, "a");
	expect(fd, IN_CLOSE_WRITE, "a");
	expect(fd, IN_OPEN, "a");
	expect(fd, IN_CLOSE_NOWRITE, "a");
	expect(fd, IN_DELETE, "a");
	CHECK(next_event(fd) == NULL);
}

TEST(renames_have_a_cookie)
{
	int watch, fd = watch_here(IN_MOVE, &watch);
	uint32_t from, to;

	temporary_text("a", "");
	CHECK(mkdir("d", 0700) == 0);
	CHECK(rename("a", "b") == 0);
	CHECK(rename("b", "d/c") == 0);
	CHECK(rename("d/c", "e") == 0);
	from = expect(fd, IN_MOVED_FROM, "a");
	to = expect(fd, IN_MOVED_TO, "b");
	CHECK(from && from == to);
	CHECK(expect(fd, IN_MOVED_FROM, "b") != from);
	expect(fd, IN_MOVED_TO, "e");
	CHECK(rename("d", "f") == 0);
	expect(fd, IN_MOVED_FROM | IN_ISDIR, "d");
	expect(fd, IN_MOVED_TO | IN_ISDIR, "f");
}

TEST(a_file_itself)
{
	int watch, fd = watch_here(IN_DELETE, &watch), second;

	temporary_text("a", "x");
	second = inotify_add_watch(fd, "a", IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB);
	CHECK(second > 0 && second != watch);
	CHECK(rename("a", "b") == 0);
	CHECK(unlink("b") == 0);
	expect(fd, IN_MOVE_SELF, NULL);
	expect(fd, IN_ATTRIB, NULL);
	expect(fd, IN_DELETE_SELF, NULL);
	expect(fd, IN_IGNORED, NULL);
	expect(fd, IN_DELETE, "b");
	CHECK_ERRNO(inotify_rm_watch(fd, second), EINVAL);
}

TEST(watches_are_changed_and_removed)
{
	int watch, fd = watch_here(IN_CREATE, &watch);

	CHECK_EQ(inotify_add_watch(fd, ".", IN_DELETE), watch);
	temporary_text("a", "");
	CHECK(unlink("a") == 0);
	expect(fd, IN_DELETE, "a");
	CHECK_EQ(inotify_add_watch(fd, ".", IN_CREATE | IN_MASK_ADD), watch);
	CHECK_ERRNO(inotify_add_watch(fd, ".", IN_CREATE | IN_MASK_CREATE), EEXIST);
	temporary_text("a", "");
	expect(fd, IN_CREATE, "a");
	CHECK(inotify_rm_watch(fd, watch) == 0);
	expect(fd, IN_IGNORED, NULL);
	CHECK(unlink("a") == 0);
	CHECK(next_event(fd) == NULL);
}

TEST(once_only)
{
	int watch, fd = watch_here(IN_CREATE | IN_ONESHOT, &watch);

	temporary_text("a", "");
	temporary_text("b", "");
	expect(fd, IN_CREATE, "a");
	expect(fd, IN_IGNORED, NULL);
	CHECK(next_event(fd) == NULL);
}

TEST(equal_events_are_one)
{
	int watch, fd = watch_here(IN_MODIFY, &watch), file;

	file = open("a", O_RDWR | O_CREAT, 0600);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(write(file, "x", 1), 1);
	expect(fd, IN_MODIFY, "a");
	CHECK(next_event(fd) == NULL);
}

TEST(reading)
{
	int watch, fd = watch_here(IN_CREATE, &watch), size = 0;
	struct pollfd one = {fd, POLLIN, 0};

	CHECK_ERRNO(read(fd, events, 100), EAGAIN);
	CHECK_EQ(poll(&one, 1, 0), 0);
	temporary_text("a-name", "");
	CHECK_EQ(poll(&one, 1, 0), 1);
	CHECK(ioctl(fd, FIONREAD, &size) == 0);
	CHECK_EQ(size, sizeof(struct inotify_event) + 16);
	CHECK_ERRNO(read(fd, events, 16), EINVAL);
	CHECK_EQ(read(fd, events, sizeof(events)), size);
	CHECK_ERRNO(write(fd, "x", 1), EBADF);
}

TEST(errors)
{
	int watch, fd = watch_here(IN_CREATE, &watch);

	temporary_text("a", "");
	CHECK_ERRNO(inotify_init1(0x7777), EINVAL);
	CHECK_ERRNO(inotify_add_watch(fd, "none", IN_CREATE), ENOENT);
	CHECK_ERRNO(inotify_add_watch(fd, "a", IN_CREATE | IN_ONLYDIR), ENOTDIR);
	CHECK_ERRNO(inotify_add_watch(fd, ".", 0), EINVAL);
	CHECK_ERRNO(inotify_add_watch(999, ".", IN_CREATE), EBADF);
	CHECK_ERRNO(inotify_add_watch(0, ".", IN_CREATE), EINVAL);
	CHECK_ERRNO(inotify_add_watch(fd, bad_address, IN_CREATE), EFAULT);
	CHECK_ERRNO(inotify_rm_watch(fd, 777), EINVAL);
}

TEST(a_full_queue_says_so)
{
	int watch, fd = watch_here(IN_CREATE | IN_DELETE, &watch), limit = 0, count = 0;
	FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
	struct inotify_event *event;
	bool overflow = false;

	CHECK(file && fscanf(file, "%d", &limit) == 1);
	if (limit > 20000)
		SKIP("the queue is too long here");
	for (int i = 0; i < limit / 2 + 100; i++) {
		close(open("a", O_WRONLY | O_CREAT, 0600));
		unlink("a");
	}
	while ((event = next_event(fd))) {
		count++;
		overflow |= event->mask == IN_Q_OVERFLOW && event->wd == -1;
	}
	CHECK(overflow);
	CHECK(count <= limit + 1);
}

TEST(a_removed_file_lives_until_it_is_closed)
{
	int watch, fd = watch_here(IN_CREATE, &watch), file;

	file = open("a", O_RDWR | O_CREAT, 0600);
	expect(fd, IN_CREATE, "a");
	CHECK(inotify_add_watch(fd, "a", IN_DELETE_SELF | IN_MODIFY | IN_ATTRIB) > 0);
	CHECK(unlink("a") == 0);
	expect(fd, IN_ATTRIB, NULL);
	CHECK_EQ(write(file, "x", 1), 1);
	expect(fd, IN_MODIFY, NULL);
	close(file);
	expect(fd, IN_DELETE_SELF, NULL);
	expect(fd, IN_IGNORED, NULL);
	CHECK(!next_event(fd));
}

TEST(unlinked_children_are_left_out_on_request)
{
	int watch, fd = watch_here(IN_MODIFY, &watch), other = inotify_init1(IN_NONBLOCK), file;
	char rest[256];

	CHECK(inotify_add_watch(other, ".", IN_MODIFY | IN_EXCL_UNLINK) > 0);
	file = open("a", O_RDWR | O_CREAT, 0600);
	CHECK(unlink("a") == 0);
	CHECK_EQ(write(file, "x", 1), 1);
	expect(fd, IN_MODIFY, "a");
	CHECK_ERRNO(read(other, rest, sizeof(rest)), EAGAIN);
}

GUEST_TEST_MAIN()
