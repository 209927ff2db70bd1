/* SPDX-License-Identifier: Apache-2.0 */
/* fanotify(7) by file handles: FAN_REPORT_FID, _DIR_FID, _NAME and _TARGET_FID, and the events of
 * directories that come with them. */
#include "tests/guest/fanotify_test.h"

#include <sched.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

/* What handles stand for, in texts of events. */
static struct label {
	char text[16];
	struct file_handle head;
	uint8_t bytes[MAX_HANDLE_SZ];
} labels[16];
static unsigned int label_count;

/* From now on a file is called by its last component. */
static void label_as(const char *name, const char *text)
{
	struct label *label = &labels[label_count++];
	int mount_id;

	CHECK(label_count <= 16);
	snprintf(label->text, sizeof(label->text), "%s", text);
	label->head.handle_bytes = MAX_HANDLE_SZ;
	if (name_to_handle_at(AT_FDCWD, name, &label->head, &mount_id, 0))
		SKIP("no file handles here");
}

static void label(const char *name)
{
	label_as(name, name);
}

static const char *label_of(const struct file_handle *handle)
{
	for (unsigned int i = 0; i < label_count; i++)
		if (labels[i].head.handle_bytes == handle->handle_bytes &&
			labels[i].head.handle_type == handle->handle_type &&
			!memcmp(labels[i].bytes, handle + 1, handle->handle_bytes))
			return labels[i].text;
	return "?";
}

static void append(char *text, const char *format, ...)
{
	size_t length = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + length, 512 - length, format, arguments);
	va_end(arguments);
}

static void describe_mask(char *text, uint64_t mask)
{
	static const struct {
		uint64_t bit;
		const char *text;
	} bits[] = {{FAN_ACCESS, "access"}, {FAN_MODIFY, "modify"}, {FAN_ATTRIB, "attrib"},
		{FAN_CLOSE_WRITE, "close_write"}, {FAN_CLOSE_NOWRITE, "close_nowrite"},
		{FAN_OPEN, "open"}, {FAN_MOVED_FROM, "from"}, {FAN_MOVED_TO, "to"},
		{FAN_CREATE, "create"}, {FAN_DELETE, "delete"}, {FAN_DELETE_SELF, "delete_self"},
		{FAN_MOVE_SELF, "move_self"}, {FAN_OPEN_EXEC, "exec"}, {FAN_RENAME, "rename"},
		{FAN_Q_OVERFLOW, "overflow"}, {FAN_ONDIR, "dir"}};
	uint64_t rest = mask;

	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		if (!(mask & bits[i].bit))
			continue;
		append(text, "%s%s", *text ? "|" : "", bits[i].text);
		rest &= ~bits[i].bit;
	}
	if (rest)
		append(text, "|%#llx", (unsigned long long)rest);
}

/* One record: its type, what the handle stands for, the name. */
static void describe_record(char *text, const struct fanotify_event_info_header *header)
{
	static const char *const types[] = {
		[1] = "fid", [2] = "name", [3] = "dir", [4] = "pidfd", [10] = "old", [12] = "new"};
	const struct fanotify_event_info_fid *info = (const void *)header;
	const struct file_handle *handle = (const void *)info->handle;
	const char *name = (const char *)(handle + 1) + handle->handle_bytes;
	struct statfs fs;

	CHECK(header->len % 4 == 0 && header->info_type <= 12 && types[header->info_type]);
	append(text, " %s", types[header->info_type]);
	if (header->info_type == FAN_EVENT_INFO_TYPE_PIDFD)
		return;
	CHECK(statfs(".", &fs) == 0);
	CHECK(!memcmp(&fs.f_fsid, &info->fsid, sizeof(info->fsid)));
	append(text, "(%s", label_of(handle));
	if (header->info_type != FAN_EVENT_INFO_TYPE_FID &&
		header->info_type != FAN_EVENT_INFO_TYPE_DFID) {
		CHECK(name + strlen(name) + 1 <= (const char *)header + header->len);
		append(text, ":%s", name);
	}
	append(text, ")");
}

static void describe(char *text, const struct fanotify_event_metadata *event)
{
	const char *at = (const char *)event + event->metadata_len;

	*text = '\0';
	describe_mask(text, event->mask);
	while (at < (const char *)event + event->event_len) {
		const struct fanotify_event_info_header *header = (const void *)at;

		describe_record(text, header);
		at += header->len;
	}
	CHECK(at == (const char *)event + event->event_len);
}

/* The next events are these, and there is no more when the texts end (NULL). */
static void expect_texts(int fd, ...)
{
	static _Alignas(8) char buffer[8192];
	const struct fanotify_event_metadata *event = (const void *)buffer;
	ssize_t size = read(fd, buffer, sizeof(buffer));
	const char *wanted;
	va_list list;

	va_start(list, fd);
	while ((wanted = va_arg(list, const char *))) {
		char got[512];

		if (size <= 0 || !FAN_EVENT_OK(event, size))
			FAIL("no event, but %s", wanted);
		CHECK_EQ(event->fd, FAN_NOFD);
		describe(got, event);
		if (strcmp(got, wanted) != 0)
			FAIL("event %s, not %s", got, wanted);
		event = FAN_EVENT_NEXT(event, size);
	}
	va_end(list);
	if (size > 0) {
		char got[512];

		describe(got, event);
		FAIL("one more event: %s", got);
	}
}

#define EXPECT(fd, ...) expect_texts(fd, ##__VA_ARGS__, NULL)
#define NAME_EVENTS	(FAN_CREATE | FAN_DELETE | FAN_MOVE)

/* A group, and files to watch: d/a, d/s/b, e. */
static int prepare(unsigned int flags)
{
	int fd;

	temporary_enter();
	fd = group_new(flags);
	CHECK(mkdir("d", 0700) == 0 && mkdir("d/s", 0700) == 0 && mkdir("e", 0700) == 0);
	temporary_text("d/a", "text");
	temporary_text("d/s/b", "text");
	label("d");
	label_as("d/s", "s");
	label("e");
	label_as("d/a", "a");
	label_as("d/s/b", "b");
	return fd;
}

TEST(directories_hear_of_names)
{
	int fd = prepare(FAN_REPORT_FID);

	mark(fd, 0, NAME_EVENTS, "d");
	temporary_text("d/x", "");
	EXPECT(fd, "create fid(d)");
	CHECK(mkdir("d/y", 0700) == 0 && rmdir("d/y") == 0);
	EXPECT(fd);
	CHECK(link("d/x", "d/z") == 0 && symlink("x", "d/l") == 0 && unlink("d/z") == 0);
	CHECK(rename("d/l", "d/m") == 0);
	EXPECT(fd, "from|to|create|delete fid(d)");
	mark(fd, 0, FAN_ONDIR, "d");
	CHECK(mkdir("d/y", 0700) == 0);
	CHECK(unlink("d/x") == 0);
	CHECK(rmdir("d/y") == 0);
	EXPECT(fd, "create|delete|dir fid(d)", "delete fid(d)");
	CHECK(rename("d/s", "e/s") == 0);
	EXPECT(fd, "from|dir fid(d)");
}

TEST(with_names)
{
	int fd = prepare(FAN_REPORT_DFID_NAME);

	mark(fd, 0, NAME_EVENTS | FAN_ONDIR, "d");
	temporary_text("d/x", "");
	CHECK(mkdir("d/y", 0700) == 0);
	CHECK(rename("d/x", "d/z") == 0);
	CHECK(rename("d/z", "e/z") == 0);
	CHECK(rename("e/z", "d/a") == 0);
	CHECK(unlink("d/a") == 0);
	CHECK(rmdir("d/y") == 0);
	EXPECT(fd, "from|create name(d:x)", "create|delete|dir name(d:y)", "from|to name(d:z)",
		"to|delete name(d:a)");
}

TEST(directories_alone)
{
	int fd = prepare(FAN_REPORT_DIR_FID);

	mark(fd, 0, NAME_EVENTS | FAN_OPEN | FAN_ONDIR | FAN_EVENT_ON_CHILD, "d");
	mark(fd, 0, FAN_OPEN | FAN_DELETE_SELF | FAN_ATTRIB, "d/s/b");
	temporary_text("d/x", "");
	touch("d/a", O_RDONLY);
	EXPECT(fd, "open|create dir(d)");
	touch("d", O_RDONLY);
	EXPECT(fd, "open|dir dir(d)");
	touch("d/s", O_RDONLY);
	EXPECT(fd, "open|dir dir(s)");
	touch("d/s/b", O_RDONLY);
	EXPECT(fd, "open fid(s)");
	CHECK(chmod("d/s/b", 0600) == 0);
	EXPECT(fd, "attrib fid(s)");
	/* Of these no directory is known. */
	CHECK(unlink("d/s/b") == 0);
	EXPECT(fd);
}

TEST(children_with_names)
{
	int fd = prepare(FAN_REPORT_DFID_NAME | FAN_REPORT_FID);
	uint64_t all = FAN_OPEN | FAN_ACCESS | FAN_MODIFY | FAN_CLOSE | FAN_ATTRIB;
	char byte;
	int file;

	mark(fd, 0, all | NAME_EVENTS | FAN_ONDIR | FAN_EVENT_ON_CHILD, "d");
	file = open("d/a", O_RDWR | O_CLOEXEC);
	CHECK_EQ(read(file, &byte, 1), 1);
	EXPECT(fd, "access|open name(d:a) fid(a)");
	CHECK_EQ(write(file, "x", 1), 1);
	CHECK(fchmod(file, 0640) == 0);
	EXPECT(fd, "modify|attrib name(d:a) fid(a)");
	CHECK(ftruncate(file, 1) == 0);
	EXPECT(fd, "modify name(d:a) fid(a)");
	CHECK(fallocate(file, 0, 0, 10) == 0);
	EXPECT(fd, "modify name(d:a) fid(a)");
	CHECK(close(file) == 0);
	EXPECT(fd, "close_write name(d:a) fid(a)");
	CHECK(truncate("d/a", 2) == 0);
	EXPECT(fd, "modify name(d:a) fid(a)");
	CHECK(chmod("d", 0711) == 0);
	EXPECT(fd, "attrib|dir name(d:.)");
	CHECK(chmod("d/s", 0711) == 0);
	EXPECT(fd, "attrib|dir name(s:.)");
	/* Names tell of the directory only. */
	CHECK(unlink("d/a") == 0);
	EXPECT(fd, "delete name(d:a)");
	touch("d/s/b", O_RDONLY);
	EXPECT(fd);
}

TEST(targets)
{
	int fd = prepare(FAN_REPORT_DFID_NAME_TARGET);

	mark(fd, 0, NAME_EVENTS | FAN_ONDIR, "d");
	temporary_text("d/x", "");
	CHECK(mkdir("d/y", 0700) == 0);
	label_as("d/x", "x");
	label_as("d/y", "y");
	CHECK(rename("d/x", "d/z") == 0);
	CHECK(unlink("d/z") == 0);
	CHECK(rmdir("d/y") == 0);
	EXPECT(fd, "from|create name(d:x) fid(x)", "create|delete|dir name(d:y) fid(y)",
		"to|delete name(d:z) fid(x)");
}

TEST(renames)
{
	int fd = prepare(FAN_REPORT_DFID_NAME_TARGET), second = group_new(FAN_REPORT_DFID_NAME);

	mark(fd, 0, FAN_RENAME | FAN_ONDIR, "d");
	mark(second, 0, FAN_RENAME, "e");
	CHECK(rename("d/a", "d/x") == 0);
	EXPECT(fd, "rename old(d:a) new(d:x) fid(a)");
	CHECK(rename("d/x", "e/x") == 0);
	EXPECT(fd, "rename old(d:x) fid(a)");
	EXPECT(second, "rename new(e:x)");
	CHECK(rename("e/x", "d/y") == 0);
	EXPECT(fd, "rename new(d:y) fid(a)");
	EXPECT(second, "rename old(e:x)");
	CHECK(rename("d/s", "d/t") == 0);
	EXPECT(fd, "rename|dir old(d:s) new(d:t) fid(s)");
	mark(second, 0, FAN_RENAME, "d");
	CHECK(rename("d/y", "e/y") == 0);
	EXPECT(second, "rename old(d:y) new(e:y)");
	EXPECT(fd, "rename old(d:y) fid(a)");
}

TEST(of_the_file_itself)
{
	int fd = prepare(FAN_REPORT_FID), names = group_new(FAN_REPORT_DFID_NAME | FAN_REPORT_FID);
	uint64_t mask = FAN_ATTRIB | FAN_MOVE_SELF | FAN_DELETE_SELF | FAN_OPEN;
	int file;

	mark(fd, 0, mask, "d/a");
	mark(names, 0, mask, "d/a");
	mark(fd, 0, mask | FAN_ONDIR, "d/s");
	mark(names, 0, mask | FAN_ONDIR, "d/s");
	touch("d/a", O_RDONLY);
	EXPECT(fd, "open fid(a)");
	EXPECT(names, "open name(d:a) fid(a)");
	CHECK(setxattr("d/a", "user.x", "y", 1, 0) == 0 || errno == EOPNOTSUPP);
	CHECK(chmod("d/a", 0600) == 0);
	EXPECT(fd, "attrib fid(a)");
	EXPECT(names, "attrib name(d:a) fid(a)");
	CHECK(rename("d/a", "d/x") == 0);
	EXPECT(fd, "move_self fid(a)");
	EXPECT(names, "move_self fid(a)");
	CHECK(link("d/x", "d/y") == 0);
	EXPECT(fd, "attrib fid(a)");
	EXPECT(names, "attrib fid(a)");
	CHECK(unlink("d/y") == 0);
	EXPECT(fd, "attrib fid(a)");
	EXPECT(names, "attrib fid(a)");
	file = open("d/x", O_RDONLY | O_CLOEXEC);
	CHECK(unlink("d/x") == 0);
	EXPECT(fd, "attrib|open fid(a)");
	EXPECT(names, "open name(d:x) fid(a)", "attrib fid(a)");
	close(file);
	EXPECT(fd, "delete_self fid(a)");
	EXPECT(names, "delete_self fid(a)");
	CHECK(rename("d/s", "d/t") == 0);
	EXPECT(fd, "move_self|dir fid(s)");
	EXPECT(names, "move_self|dir name(s:.)");
	CHECK(unlink("d/t/b") == 0 && rmdir("d/t") == 0);
	EXPECT(fd, "delete_self|dir fid(s)");
	EXPECT(names, "delete_self|dir name(s:.)");
}

static void enter_tmpfs(void)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		mount("none", ".", "tmpfs", 0, NULL) || chdir(temporary_path))
		SKIP("cannot mount");
}

TEST(all_of_a_file_system)
{
	int fd;

	temporary_enter();
	fd = group_new(FAN_REPORT_DFID_NAME_TARGET);
	enter_tmpfs();
	mark(fd, FAN_MARK_FILESYSTEM,
		NAME_EVENTS | FAN_RENAME | FAN_OPEN | FAN_ATTRIB | FAN_DELETE_SELF | FAN_ONDIR,
		".");
	label_as(".", "root");
	CHECK(mkdir("d", 0700) == 0);
	label("d");
	EXPECT(fd, "create|dir name(root:d) fid(d)");
	temporary_text("d/a", "");
	label_as("d/a", "a");
	EXPECT(fd, "open|create name(d:a) fid(a)");
	CHECK(chmod("d/a", 0600) == 0);
	CHECK(chmod("d", 0711) == 0);
	EXPECT(fd, "attrib name(d:a) fid(a)", "attrib|dir name(d:.)");
	CHECK(rename("d/a", "b") == 0);
	EXPECT(fd, "rename old(d:a) new(root:b) fid(a)", "from name(d:a) fid(a)",
		"to name(root:b) fid(a)");
	CHECK(unlink("b") == 0);
	EXPECT(fd, "attrib|delete_self fid(a)", "delete name(root:b) fid(a)");
	CHECK(rmdir("d") == 0);
	EXPECT(fd, "delete_self|dir name(d:.)", "delete|dir name(root:d) fid(d)");
	CHECK(symlink("x", "l") == 0 && mkfifo("f", 0600) == 0);
	label("l");
	label("f");
	EXPECT(fd, "create name(root:l) fid(l)", "create name(root:f) fid(f)");
}

TEST(handles_lead_to_files)
{
	_Alignas(8) char buffer[512];
	struct fanotify_event_metadata *event = (void *)buffer;
	struct fanotify_event_info_fid *info = (void *)(event + 1);
	struct stat wanted, got;
	int fd = prepare(FAN_REPORT_DFID_NAME), mount = open(".", O_RDONLY | O_CLOEXEC), found;

	mark(fd, 0, FAN_CREATE, "d/s");
	temporary_text("d/s/x", "");
	CHECK(read(fd, buffer, sizeof(buffer)) > 0);
	found = open_by_handle_at(mount, (void *)info->handle, O_RDONLY | O_CLOEXEC);
	if (found < 0 && errno == EPERM)
		SKIP("open_by_handle_at(2) is not allowed");
	CHECK(found >= 0 && fstat(found, &got) == 0 && stat("d/s", &wanted) == 0);
	CHECK_EQ(got.st_ino, wanted.st_ino);
}

TEST(with_a_pidfd)
{
	int fd = prepare(FAN_REPORT_DFID_NAME | FAN_REPORT_PIDFD);

	mark(fd, 0, FAN_CREATE, "d");
	temporary_text("d/x", "");
	EXPECT(fd, "create name(d:x) pidfd");
}

TEST(room_for_one_event)
{
	_Alignas(8) char buffer[256];
	int fd = prepare(FAN_REPORT_DFID_NAME), bytes = 0;
	ssize_t size;

	mark(fd, 0, FAN_CREATE, "d");
	temporary_text("d/a-longer-name", "");
	size = read(fd, buffer, sizeof(buffer));
	CHECK(size > (ssize_t)sizeof(struct fanotify_event_metadata) && size % 4 == 0);
	temporary_text("d/again-as-long", "");
	CHECK(ioctl(fd, FIONREAD, &bytes) == 0);
	CHECK_EQ(bytes, sizeof(struct fanotify_event_metadata));
	CHECK_ERRNO(read(fd, buffer, (size_t)size - 1), EINVAL);
	CHECK_EQ(read(fd, tail_alloc((size_t)size), (size_t)size), size);
}

TEST(without_privileges)
{
	struct fanotify_event_metadata *event;
	_Alignas(8) char buffer[512];
	pid_t child;
	int fd;

	temporary_enter();
	close(group_new(0));
	CHECK(chmod(".", 0777) == 0);
	CHECK(setuid(1000) == 0);
	CHECK_ERRNO(fanotify_init(0, O_RDONLY), EPERM);
	CHECK_ERRNO(fanotify_init(FAN_REPORT_FID | FAN_CLASS_CONTENT, O_RDONLY), EPERM);
	CHECK_ERRNO(fanotify_init(FAN_REPORT_FID | FAN_UNLIMITED_QUEUE, O_RDONLY), EPERM);
	CHECK_ERRNO(fanotify_init(FAN_REPORT_FID | FAN_UNLIMITED_MARKS, O_RDONLY), EPERM);
	CHECK_ERRNO(fanotify_init(FAN_REPORT_FID | FAN_REPORT_TID, O_RDONLY), EPERM);
	CHECK_ERRNO(fanotify_init(FAN_REPORT_FID | FAN_REPORT_PIDFD, O_RDONLY), EPERM);
	fd = group_new(FAN_REPORT_DFID_NAME);
	CHECK_ERRNO(
		fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN, AT_FDCWD, "."), EPERM);
	CHECK_ERRNO(fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN, AT_FDCWD, "."),
		EPERM);
	mark(fd, 0, FAN_CREATE, ".");
	temporary_text("a", "");
	event = (void *)buffer;
	CHECK(read(fd, buffer, sizeof(buffer)) > 0);
	CHECK_EQ(event->pid, getpid());
	child = fork();
	if (child == 0) {
		temporary_text("b", "");
		_exit(0);
	}
	CHECK_EQ(result_of(child), 0);
	CHECK(read(fd, buffer, sizeof(buffer)) > 0);
	CHECK_EQ(event->pid, 0);
	CHECK(mkdir("private", 0) == 0);
	CHECK_ERRNO(fanotify_mark(fd, FAN_MARK_ADD, FAN_CREATE, AT_FDCWD, "private"), EACCES);
}

TEST(errors)
{
	int fid, names, all;

	CHECK_ERRNO(fanotify_init(FAN_REPORT_NAME, O_RDONLY), EINVAL);
	fid = prepare(FAN_REPORT_FID);
	CHECK_ERRNO(fanotify_init(FAN_REPORT_NAME | FAN_REPORT_FID, O_RDONLY), EINVAL);
	CHECK_ERRNO(fanotify_init(FAN_REPORT_TARGET_FID | FAN_REPORT_FID, O_RDONLY), EINVAL);
	CHECK_ERRNO(fanotify_init(FAN_REPORT_TARGET_FID | FAN_REPORT_DFID_NAME, O_RDONLY), EINVAL);
	names = group_new(FAN_REPORT_DFID_NAME);
	all = group_new(FAN_REPORT_DFID_NAME_TARGET);
	CHECK_ERRNO(fanotify_mark(fid, FAN_MARK_ADD, FAN_RENAME, AT_FDCWD, "d"), EINVAL);
	CHECK_ERRNO(fanotify_mark(names, FAN_MARK_ADD, FAN_RENAME, AT_FDCWD, "d/a"), ENOTDIR);
	CHECK_ERRNO(fanotify_mark(all, FAN_MARK_ADD, FAN_CREATE, AT_FDCWD, "d/a"), ENOTDIR);
	CHECK_ERRNO(
		fanotify_mark(all, FAN_MARK_ADD, FAN_OPEN | FAN_ONDIR, AT_FDCWD, "d/a"), ENOTDIR);
	mark(fid, 0, FAN_CREATE, "d/a");
	CHECK_ERRNO(fanotify_mark(names, FAN_MARK_ADD, FAN_FS_ERROR, AT_FDCWD, "d"), EINVAL);
	CHECK_ERRNO(fanotify_mark(fid, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, "d"), EINVAL);
}

TEST(mounts_hear_of_no_names)
{
	int fd;

	close(group_new(0));
	fd = prepare(FAN_REPORT_DFID_NAME);
	CHECK_ERRNO(fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_CREATE, AT_FDCWD, "d"),
		EINVAL);
	mark(fd, FAN_MARK_MOUNT, FAN_OPEN, "d");
	CHECK(fanotify_mark(fd, FAN_MARK_FLUSH | FAN_MARK_MOUNT, 0, AT_FDCWD, NULL) == 0);
}

TEST(a_full_queue)
{
	struct fanotify_event_metadata *event;
	_Alignas(8) char buffer[65536];
	int fd = prepare(FAN_REPORT_DFID_NAME);
	char name[32];
	ssize_t size;
	long count = 0;
	FILE *file = fopen("/proc/sys/fs/fanotify/max_queued_events", "r");
	long limit = 0;

	if (!file || fscanf(file, "%ld", &limit) != 1 || limit > 20000)
		SKIP("max_queued_events is large");
	fclose(file);
	mark(fd, 0, FAN_CREATE, "d");
	for (long i = 0; i <= limit; i++) {
		snprintf(name, sizeof(name), "d/f%ld", i);
		CHECK(symlink("x", name) == 0);
		unlink(name);
	}
	while ((size = read(fd, buffer, sizeof(buffer))) > 0)
		for (event = (void *)buffer; FAN_EVENT_OK(event, size);
			event = FAN_EVENT_NEXT(event, size)) {
			CHECK_EQ(event->mask, count++ < limit ? FAN_CREATE : FAN_Q_OVERFLOW);
			if (event->mask == FAN_Q_OVERFLOW)
				CHECK_EQ(event->event_len, sizeof(*event));
		}
	CHECK_EQ(count, limit + 1);
}

TEST(fdinfo_tells_handles)
{
	int fd = prepare(FAN_REPORT_DFID_NAME);
	char path[64], line[512];
	bool found = false;
	FILE *file;

	mark(fd, 0, FAN_CREATE, "d");
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	CHECK(file);
	while (fgets(line, sizeof(line), file)) {
		unsigned int flags, size, type, first;
		char *handle = strstr(line, "fhandle-bytes:");

		if (sscanf(line, "fanotify flags:%x", &flags) == 1)
			CHECK_EQ(flags, FAN_REPORT_DFID_NAME | FAN_CLOEXEC | FAN_NONBLOCK);
		if (!handle)
			continue;
		CHECK_EQ(sscanf(handle, "fhandle-bytes:%x fhandle-type:%x f_handle:%2x", &size,
				 &type, &first),
			3);
		CHECK_EQ(size, labels[0].head.handle_bytes);
		CHECK_EQ(type, labels[0].head.handle_type);
		CHECK_EQ(first, labels[0].bytes[0]);
		found = true;
	}
	fclose(file);
	CHECK(found);
}

GUEST_TEST_MAIN()
