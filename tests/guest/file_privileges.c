/* SPDX-License-Identifier: Apache-2.0 */
/* Privileges of files: how security.capability goes and what user namespaces see of it, set-user-ID
 * bits, what the protected_* sysctls refuse, and errors of calls that no file system here has. */
#include "tests/guest/temporary.h"

#include <linux/capability.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#define CAPS "security.capability"

static void need_root(void)
{
	if (getuid())
		SKIP("needs root");
}

static int set_caps(const char *path)
{
	const struct vfs_cap_data caps = {VFS_CAP_REVISION_2, {{1 << CAP_NET_RAW, 0}}};

	return setxattr(path, CAPS, &caps, sizeof(caps), 0);
}

static bool has_caps(const char *path)
{
	return getxattr(path, CAPS, NULL, 0) > 0;
}

static unsigned int mode_of(const char *path)
{
	struct stat status;

	CHECK(lstat(path, &status) == 0);
	return status.st_mode & 07777;
}

/* --- capabilities --- */

/* A file with capabilities, open for writing. */
static int fresh(void)
{
	int fd;

	unlink("f");
	temporary_text("f", "contents");
	CHECK(chmod("f", 0777) == 0 && set_caps("f") == 0 && has_caps("f"));
	fd = open("f", O_RDWR);
	CHECK(fd >= 0 && has_caps("f"));
	return fd;
}

static void check_caps_go(void)
{
	int fds[2], source;

	need_root();
	temporary_text("s", "source");
	source = open("s", O_RDONLY);
	CHECK(write(fresh(), "x", 1) == 1 && !has_caps("f"));
	CHECK(pwrite(fresh(), "x", 1, 100) == 1 && !has_caps("f"));
	CHECK(ftruncate(fresh(), 3) == 0 && !has_caps("f"));
	(void)fresh();
	CHECK(truncate("f", 3) == 0 && !has_caps("f"));
	(void)fresh();
	CHECK(open("f", O_WRONLY | O_TRUNC) >= 0 && !has_caps("f"));
	CHECK(posix_fallocate(fresh(), 0, 100) == 0 && !has_caps("f"));
	(void)fresh();
	CHECK(chown("f", 5, -1) == 0 && !has_caps("f"));
	(void)fresh();
	CHECK(chown("f", -1, -1) == 0 && !has_caps("f"));
	CHECK(sendfile(fresh(), source, NULL, 3) == 3 && !has_caps("f"));
	CHECK(pipe(fds) == 0 && write(fds[1], "x", 1) == 1);
	CHECK(splice(fds[0], NULL, fresh(), NULL, 1, 0) == 1 && !has_caps("f"));
	/* They can come again after. */
	CHECK(set_caps("f") == 0 && has_caps("f"));
	CHECK(write(open("f", O_WRONLY), "x", 1) == 1 && !has_caps("f"));
}

static void check_caps_stay(void)
{
	char *page;
	int fd;

	need_root();
	fd = fresh();
	CHECK_EQ(write(fd, "", 0), 0);
	CHECK(chmod("f", 06755) == 0 && utimensat(AT_FDCWD, "f", NULL, 0) == 0);
	CHECK(rename("f", "g") == 0 && link("g", "f") == 0);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(page != MAP_FAILED);
	page[0] = 'y';
	CHECK(has_caps("f") && has_caps("g"));
}

TEST(capabilities_go_with_the_contents)
{
	temporary_everywhere(check_caps_go);
}

TEST(capabilities_stay)
{
	temporary_everywhere(check_caps_stay);
}

static void check_caps_form(void)
{
	struct vfs_ns_cap_data caps = {VFS_CAP_REVISION_3 | VFS_CAP_FLAGS_EFFECTIVE, {{1, 0}}, 0};

	need_root();
	temporary_text("f", "x");
	/* The namespace's own root is not named. */
	CHECK(setxattr("f", CAPS, &caps, XATTR_CAPS_SZ_3, 0) == 0);
	CHECK_EQ(getxattr("f", CAPS, &caps, sizeof(caps)), XATTR_CAPS_SZ_2);
	CHECK_EQ(caps.magic_etc, VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE);
	CHECK_ERRNO(getxattr("f", CAPS, &caps, 3), ERANGE);
	caps.rootid = 1000;
	caps.magic_etc = VFS_CAP_REVISION_3;
	CHECK(setxattr("f", CAPS, &caps, XATTR_CAPS_SZ_3, 0) == 0);
	CHECK_EQ(getxattr("f", CAPS, NULL, 0), XATTR_CAPS_SZ_3);
	CHECK(getxattr("f", CAPS, &caps, sizeof(caps)) == XATTR_CAPS_SZ_3 && caps.rootid == 1000);
	CHECK_ERRNO(setxattr("f", CAPS, &caps, XATTR_CAPS_SZ_2, 0), EINVAL);
	caps.magic_etc = VFS_CAP_REVISION_2 | 0xff;
	CHECK_ERRNO(setxattr("f", CAPS, &caps, XATTR_CAPS_SZ_2, 0), EINVAL);
	caps.magic_etc = VFS_CAP_REVISION_1;
	CHECK_ERRNO(setxattr("f", CAPS, &caps, XATTR_CAPS_SZ_1, 0), EINVAL);
	CHECK_ERRNO(removexattr("f", "trusted."), EINVAL);
	CHECK(chown("f", 1000, 1000) == 0);
	CHECK(setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
	CHECK_ERRNO(set_caps("f"), EPERM);
	CHECK_ERRNO(removexattr("f", CAPS), EPERM);
	CHECK_ERRNO(setxattr("f", "security.other", "x", 1, 0), EPERM);
}

TEST(forms_of_capabilities)
{
	temporary_everywhere(check_caps_form);
}

static void in_namespace(void)
{
	struct vfs_ns_cap_data caps = {0};

	CHECK(setresgid(0, 0, 0) == 0 && setresuid(0, 0, 0) == 0);
	CHECK(set_caps("f") == 0);
	CHECK_EQ(getxattr("f", CAPS, &caps, sizeof(caps)), XATTR_CAPS_SZ_2);
	/* Nobody here is the root of the one above. */
	CHECK_ERRNO(set_caps("root"), EPERM);
	CHECK_ERRNO(setxattr("f", "security.other", "x", 1, 0), EPERM);
	CHECK_ERRNO(setxattr("f", "trusted.a", "x", 1, 0), EPERM);
	CHECK_ERRNO(mknod("null", S_IFCHR | 0666, 0x103), EPERM);
}

static void map_ids(pid_t child, const char *file)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "/proc/%d/%s", child, file);
	fd = open(name, O_WRONLY);
	CHECK(fd >= 0 && write(fd, "0 1000 100", 10) == 10);
}

static void check_namespace(void)
{
	struct vfs_ns_cap_data caps = {0};
	int ready[2], mapped[2], status;
	pid_t child;
	char byte;

	need_root();
	temporary_text("f", "x");
	temporary_text("root", "x");
	CHECK(chown("f", 1000, 1000) == 0 && chmod(".", 0777) == 0);
	CHECK(pipe(ready) == 0 && pipe(mapped) == 0);
	child = fork();
	if (child == 0) {
		if (unshare(CLONE_NEWUSER))
			SKIP("no user namespaces here");
		CHECK(write(ready[1], "", 1) == 1 && read(mapped[0], &byte, 1) == 1);
		in_namespace();
		_exit(0);
	}
	CHECK(close(ready[1]) == 0);
	if (read(ready[0], &byte, 1) == 1) {
		map_ids(child, "uid_map");
		map_ids(child, "gid_map");
		CHECK_EQ(write(mapped[1], "", 1), 1);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
	if (WEXITSTATUS(status))
		_exit(WEXITSTATUS(status));
	CHECK_EQ(getxattr("f", CAPS, &caps, sizeof(caps)), XATTR_CAPS_SZ_3);
	CHECK_EQ(caps.rootid, 1000);
}

TEST(capabilities_of_a_user_namespace)
{
	temporary_everywhere(check_namespace);
}

/* --- set-user-ID --- */

static void check_set_user_id(void)
{
	int fd;

	need_root();
	temporary_text("f", "x");
	CHECK(chown("f", 1000, 1000) == 0 && chmod("f", 06777) == 0 && chmod(".", 0777) == 0);
	fd = open("f", O_WRONLY);
	CHECK(setresgid(1001, 1001, 1001) == 0 && syscall(SYS_setgroups, 0, NULL) == 0);
	CHECK(setresuid(1001, 1001, 1001) == 0);
	CHECK_EQ(write(fd, "", 0), 0);
	CHECK_EQ(mode_of("f"), 06777);
	/* It would take the bits away. */
	CHECK_ERRNO(chown("f", -1, -1), EPERM);
	CHECK_EQ(write(fd, "y", 1), 1);
	CHECK_EQ(mode_of("f"), 0777);
	CHECK(chown("f", -1, -1) == 0);
}

TEST(set_user_id_bits)
{
	temporary_everywhere(check_set_user_id);
}

/* --- protected_* --- */

static int setting(const char *name)
{
	char path[64], text[8] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/fs/protected_%s", name);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		SKIP("no protected_* sysctls to read");
	close(fd);
	return atoi(text);
}

static bool works(long result, int error)
{
	if (result < 0 && errno != error)
		FAIL("errno %d, not %d", errno, error);
	return result >= 0;
}

static void become(uid_t id)
{
	CHECK(syscall(SYS_setgroups, 0, NULL) == 0);
	CHECK(setresgid(id, id, id) == 0 && setresuid(id, id, id) == 0);
}

static void check_hard_links(void)
{
	bool protects;

	need_root();
	protects = setting("hardlinks") > 0;
	temporary_text("open", "x");
	temporary_text("closed", "x");
	temporary_text("suid", "x");
	temporary_text("own", "x");
	CHECK(chmod("open", 0666) == 0 && chmod("suid", 04777) == 0 && chmod(".", 0777) == 0);
	CHECK(mkfifo("fifo", 0666) == 0 && chmod("fifo", 0666) == 0 && symlink("x", "link") == 0);
	CHECK(chown("own", 1000, 1000) == 0 && chmod("own", 0) == 0);
	CHECK(link("closed", "by-root") == 0);
	become(1000);
	CHECK(link("open", "1") == 0 && link("own", "2") == 0);
	CHECK_EQ(works(link("closed", "3"), EPERM), !protects);
	CHECK_EQ(works(link("suid", "4"), EPERM), !protects);
	CHECK_EQ(works(link("fifo", "5"), EPERM), !protects);
	CHECK_EQ(works(link("link", "6"), EPERM), !protects);
	CHECK_ERRNO(link("closed", "open"), EEXIST);
}

TEST(hard_links_to_others_files)
{
	temporary_everywhere(check_hard_links);
}

static void check_sticky(void)
{
	bool symlinks;
	int regular, fifos;

	need_root();
	symlinks = setting("symlinks") > 0;
	regular = setting("regular");
	fifos = setting("fifos");
	temporary_text("target", "x");
	CHECK(chmod("target", 0666) == 0 && mkdir("t", 0777) == 0 && chmod("t", 01777) == 0);
	temporary_text("t/f", "x");
	temporary_text("t/own", "x");
	CHECK(mkfifo("t/p", 0666) == 0 && chmod("t/p", 0666) == 0 && chmod("t/f", 0666) == 0);
	CHECK(symlink("../target", "t/l") == 0 && symlink("../target", "t/mine") == 0);
	CHECK(chown("t/f", 1001, 1001) == 0 && chown("t/p", 1001, 1001) == 0);
	CHECK(lchown("t/l", 1001, 1001) == 0 && lchown("t/mine", 1000, 1000) == 0);
	CHECK(chown("t/own", 1000, 1000) == 0);
	/* Root is no exception. */
	CHECK_EQ(works(open("t/l", O_RDONLY), EACCES), !symlinks);
	CHECK_EQ(works(open("t/f", O_RDWR | O_CREAT, 0600), EACCES), !regular);
	become(1000);
	CHECK_EQ(works(open("t/l", O_RDONLY), EACCES), !symlinks);
	CHECK_EQ(works(access("t/l", R_OK), EACCES), !symlinks);
	CHECK(open("t/mine", O_RDONLY) >= 0 && open("t/l", O_PATH | O_NOFOLLOW) >= 0);
	CHECK_EQ(works(open("t/f", O_RDWR | O_CREAT, 0600), EACCES), !regular);
	CHECK_EQ(works(open("t/p", O_RDWR | O_CREAT, 0600), EACCES), !fifos);
	CHECK(open("t/f", O_RDWR) >= 0 && open("t/p", O_RDWR) >= 0);
	CHECK(open("t/own", O_RDWR | O_CREAT, 0600) >= 0);
	CHECK(open("t/new", O_RDWR | O_CREAT, 0600) >= 0);
	CHECK_ERRNO(unlink("t/f"), EPERM);
	CHECK_ERRNO(rename("t/f", "t/z"), EPERM);
	CHECK_ERRNO(rename("t/own", "t/f"), EPERM);
}

TEST(sticky_directories)
{
	temporary_everywhere(check_sticky);
}

/* --- odd calls --- */

static void check_odd(void)
{
	struct stat status;
	int fd, value = 0;

	temporary_text("f", "contents");
	fd = open("f", O_RDWR);
	CHECK_ERRNO(open(".", O_RDONLY | O_DIRECT), EINVAL);
	CHECK(mkfifo("p", 0600) == 0);
	CHECK_ERRNO(open("p", O_RDWR | O_DIRECT), EINVAL);
	CHECK_EQ(fcntl(open("new", O_CREAT | O_EXCL | O_RDWR, 0600), F_GETFL) & O_NOFOLLOW, 0);
	CHECK_ERRNO(fsync(open("/proc/self/status", O_RDONLY)), EINVAL);
	CHECK_ERRNO(fdatasync(open("/proc/self", O_RDONLY)), EINVAL);
	CHECK(fsync(fd) == 0 && fsync(open(".", O_RDONLY)) == 0);
	CHECK_ERRNO(ioctl(fd, FICLONE, 999), EBADF);
	CHECK_ERRNO(ioctl(fd, FICLONE, open("/proc/self/status", O_RDONLY)), EXDEV);
	CHECK_ERRNO(ioctl(fd, FICLONERANGE, 1), EFAULT);
	CHECK_ERRNO(ioctl(open(".", O_RDONLY), FICLONE, fd), EISDIR);
	CHECK(syscall(SYS_newfstatat, fd, "", &status, AT_EMPTY_PATH | AT_SYMLINK_FOLLOW) == 0);
	CHECK_EQ(status.st_size, 8);
	CHECK_ERRNO(syscall(SYS_newfstatat, fd, "f", &status, AT_SYMLINK_FOLLOW), EINVAL);
	if (getuid())
		return;
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK_ERRNO(ioctl(fd, FIBMAP, &value), EPERM);
	CHECK_ERRNO(ioctl(fd, FIFREEZE, 0), EPERM);
	CHECK_ERRNO(ioctl(fd, FITHAW, 0), EPERM);
}

TEST(odd_calls)
{
	temporary_everywhere(check_odd);
}

TEST(odd_calls_on_tmpfs)
{
	struct {
		int16_t type, whence;
		int64_t start, length;
		int32_t rest[6];
	} space = {.length = 4096};
	int fd, other;

	temporary_enter_in("/dev/shm");
	temporary_text("f", "contents");
	temporary_text("g", "contents");
	fd = open("f", O_RDWR);
	other = open("g", O_RDONLY);
	CHECK_ERRNO(ioctl(fd, FICLONE, other), EOPNOTSUPP);
	CHECK_ERRNO(ioctl(other, FICLONE, fd), EBADF);
	CHECK_ERRNO(lseek(open(".", O_RDONLY), 0, SEEK_END), EINVAL);
	CHECK(ioctl(fd, 0x40305828, &space) == 0);
	space.length = 0;
	CHECK_ERRNO(ioctl(fd, 0x40305828, &space), EINVAL);
}

GUEST_TEST_MAIN()
