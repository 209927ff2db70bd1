/* SPDX-License-Identifier: Apache-2.0 */
/* Access control lists (acl(5)): what they grant, how they and modes follow each other, what new
 * files get of them, what is refused. */
#include "tests/guest/temporary.h"

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#define ACCESS	"system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"
#define ENTRIES 16

/* A list in the form of its attribute. */
struct acl {
	struct posix_acl_xattr_header header;
	struct posix_acl_xattr_entry entries[ENTRIES];
};

static size_t acl_size(int count)
{
	return sizeof(struct posix_acl_xattr_header) +
	       (size_t)count * sizeof(struct posix_acl_xattr_entry);
}

/* "u:rw u1000:r g:r g7:rw m:r o:-" as a list; its size. */
static size_t acl_parse(const char *text, struct acl *acl)
{
	int count = 0;

	acl->header.a_version = POSIX_ACL_XATTR_VERSION;
	while (*text) {
		struct posix_acl_xattr_entry *entry = &acl->entries[count++];
		char kind = *text++, *end;
		bool named = *text != ':';

		entry->e_id =
			named ? (uint32_t)strtoul(text, &end, 10) : (uint32_t)ACL_UNDEFINED_ID;
		if (named)
			text = end;
		entry->e_tag = kind == 'u'   ? (named ? ACL_USER : ACL_USER_OBJ)
			       : kind == 'g' ? (named ? ACL_GROUP : ACL_GROUP_OBJ)
			       : kind == 'm' ? ACL_MASK
					     : ACL_OTHER;
		entry->e_perm = 0;
		for (text++; *text && *text != ' '; text++)
			entry->e_perm |= *text == 'r' ? 4 : *text == 'w' ? 2 : *text == 'x' ? 1 : 0;
		while (*text == ' ')
			text++;
	}
	return acl_size(count);
}

static int acl_set(const char *path, const char *name, const char *text)
{
	struct acl acl;
	size_t size = acl_parse(text, &acl);

	return setxattr(path, name, &acl, size, 0);
}

/* Is that the list? text NULL: there is none. */
static bool acl_is(const char *path, const char *name, const char *text)
{
	struct acl expected, acl;
	ssize_t size = getxattr(path, name, &acl, sizeof(acl));

	if (!text)
		return size < 0 && errno == ENODATA;
	return size == (ssize_t)acl_parse(text, &expected) &&
	       !memcmp(&acl, &expected, (size_t)size);
}

static unsigned int mode_of(const char *path)
{
	struct stat status;

	CHECK(lstat(path, &status) == 0);
	return status.st_mode & 07777;
}

static void need_lists(void)
{
	if (getuid())
		SKIP("needs root");
	temporary_text("probe", "");
	if (acl_set("probe", ACCESS, "u:rw g:r o:r") && errno == EOPNOTSUPP)
		SKIP("no access control lists here");
	unlink("probe");
}

/* May this user, with this group and no other, use the file so? 4 read, 2 write, 1 execute. */
static bool may(const char *path, uid_t uid, gid_t gid, int mask)
{
	int status;
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0) {
		CHECK(syscall(SYS_setgroups, 0, NULL) == 0);
		CHECK(setresgid(gid, gid, gid) == 0 && setresuid(uid, uid, uid) == 0);
		_exit(access(path, mask) != 0);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
	return WEXITSTATUS(status) == 0;
}

static void check_users(void)
{
	need_lists();
	temporary_text("f", "x");
	CHECK(chown("f", 100, 200) == 0);
	CHECK(acl_set("f", ACCESS, "u:r u101:rwx u102:- g:rw g201:rx g202:- m:rw o:rw") == 0);
	CHECK_EQ(mode_of("f"), 0466);
	CHECK(may("f", 100, 999, 4) && !may("f", 100, 999, 2));
	CHECK(may("f", 101, 999, 6) && !may("f", 101, 999, 1));
	CHECK(!may("f", 102, 999, 4) && !may("f", 102, 201, 4));
	CHECK(may("f", 103, 200, 6) && may("f", 103, 201, 4) && !may("f", 103, 201, 2));
	CHECK(!may("f", 103, 201, 1) && !may("f", 103, 202, 4));
	CHECK(may("f", 103, 999, 6) && !may("f", 103, 999, 1));
	CHECK(may("f", 0, 0, 6) && !may("f", 0, 0, 1));
	/* A mask of nothing: the list is not asked at all. */
	CHECK(chmod("f", 0406) == 0);
	CHECK(may("f", 101, 999, 6) && may("f", 103, 202, 6));
	CHECK(!may("f", 103, 200, 4));
}

TEST(what_lists_grant)
{
	temporary_everywhere(check_users);
}

static void check_directories(void)
{
	need_lists();
	CHECK(mkdir("d", 0700) == 0);
	temporary_text("d/f", "x");
	CHECK(!may("d/f", 101, 999, 4));
	CHECK(acl_set("d", ACCESS, "u:rwx u101:x u102:rwx g:- m:rwx o:-") == 0);
	CHECK(may("d/f", 101, 999, 4) && !may("d", 101, 999, 4) && !may("d", 101, 999, 2));
	CHECK(may("d", 102, 999, 7) && !may("d", 103, 999, 1));
	CHECK(chmod("d", 0710) == 0);
	CHECK(acl_is("d", ACCESS, "u:rwx u101:x u102:rwx g:- m:x o:-"));
	CHECK(may("d/f", 102, 999, 4) && !may("d", 102, 999, 2));
	CHECK(rename("d", "e") == 0 && may("e/f", 102, 999, 4) && !may("e/f", 103, 999, 4));
}

TEST(directories)
{
	temporary_everywhere(check_directories);
}

static void check_modes(void)
{
	char list[256];

	need_lists();
	temporary_text("f", "x");
	CHECK(acl_is("f", ACCESS, NULL) && acl_is("f", DEFAULT, NULL));
	CHECK(acl_set("f", ACCESS, "u:rwx g:rx o:-") == 0);
	CHECK_EQ(mode_of("f"), 0750);
	CHECK(acl_is("f", ACCESS, NULL));
	CHECK(acl_set("f", ACCESS, "u:rw u7:rw g:r m:rw o:r") == 0);
	CHECK_EQ(mode_of("f"), 0664);
	CHECK(acl_is("f", ACCESS, "u:rw u7:rw g:r m:rw o:r"));
	CHECK(memmem(list, (size_t)listxattr("f", list, sizeof(list)), ACCESS, sizeof(ACCESS)));
	CHECK(chmod("f", 01741) == 0);
	CHECK(acl_is("f", ACCESS, "u:rwx u7:rw g:r m:r o:x"));
	CHECK_EQ(mode_of("f"), 01741);
	/* Without a mask the group bits are the owning group's. */
	CHECK(acl_set("f", ACCESS, "u:r g:rw m:rwx o:-") == 0);
	CHECK_EQ(mode_of("f"), 01470);
	CHECK(acl_is("f", ACCESS, "u:r g:rw m:rwx o:-"));
	CHECK(removexattr("f", ACCESS) == 0);
	CHECK(acl_is("f", ACCESS, NULL));
	CHECK_EQ(mode_of("f"), 01470);
	CHECK(removexattr("f", ACCESS) == 0 && removexattr("f", DEFAULT) == 0);
	CHECK(acl_set("f", ACCESS, "u:rw u7:rw g:r m:rw o:r") == 0);
	CHECK(chown("f", 5, 6) == 0 && acl_is("f", ACCESS, "u:rw u7:rw g:r m:rw o:r"));
	/* An empty value, and a list of nothing, take it away as well. */
	CHECK(setxattr("f", ACCESS, "", 0, XATTR_REPLACE) == 0 && acl_is("f", ACCESS, NULL));
	CHECK(acl_set("f", ACCESS, "u:rw u7:rw g:r m:rw o:r") == 0);
	CHECK(acl_set("f", ACCESS, "") == 0 && acl_is("f", ACCESS, NULL));
	CHECK_EQ(mode_of("f"), 01664);
	CHECK_EQ(link("f", "g"), 0);
	CHECK(acl_set("g", ACCESS, "u:rw u7:rw g:r m:r o:-") == 0);
	temporary_text("f", "written again");
	CHECK(rename("f", "h") == 0 && acl_is("h", ACCESS, "u:rw u7:rw g:r m:r o:-"));
}

TEST(lists_and_modes_follow_each_other)
{
	temporary_everywhere(check_modes);
}

static void check_default(void)
{
	int fd;

	need_lists();
	CHECK(mkdir("d", 0755) == 0);
	CHECK(acl_set("d", DEFAULT, "u:rwx u7:rwx g:rx m:rwx o:rx") == 0);
	CHECK(acl_is("d", DEFAULT, "u:rwx u7:rwx g:rx m:rwx o:rx") && acl_is("d", ACCESS, NULL));
	CHECK_EQ(mode_of("d"), 0755);
	umask(077);
	CHECK((fd = open("d/f", O_CREAT | O_RDWR, 0664)) >= 0);
	CHECK_EQ(mode_of("d/f"), 0664);
	CHECK(acl_is("d/f", ACCESS, "u:rw u7:rwx g:rx m:rw o:r") && acl_is("d/f", DEFAULT, NULL));
	CHECK(mkdir("d/sub", 0750) == 0);
	CHECK_EQ(mode_of("d/sub"), 0750);
	CHECK(acl_is("d/sub", ACCESS, "u:rwx u7:rwx g:rx m:rx o:-"));
	CHECK(acl_is("d/sub", DEFAULT, "u:rwx u7:rwx g:rx m:rwx o:rx"));
	CHECK(mkdir("d/sub/sub", 0777) == 0);
	CHECK(acl_is("d/sub/sub", ACCESS, "u:rwx u7:rwx g:rx m:rwx o:rx"));
	CHECK(mkfifo("d/fifo", 0606) == 0);
	CHECK(acl_is("d/fifo", ACCESS, "u:rw u7:rwx g:rx m:- o:r"));
	CHECK_EQ(mode_of("d/fifo"), 0604);
	CHECK(symlink("f", "d/link") == 0);
	fd = open("d", O_TMPFILE | O_RDWR, 0640);
	if (fd >= 0) {
		char name[64];

		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		CHECK(linkat(AT_FDCWD, name, AT_FDCWD, "d/t", AT_SYMLINK_FOLLOW) == 0);
		CHECK(acl_is("d/t", ACCESS, "u:rw u7:rwx g:rx m:r o:-"));
	}
	/* What a mode says as well becomes one. */
	CHECK(acl_set("d", DEFAULT, "u:rwx g:r o:-") == 0);
	CHECK(close(open("d/g", O_CREAT | O_RDWR, 0666)) == 0);
	CHECK_EQ(mode_of("d/g"), 0640);
	CHECK(acl_is("d/g", ACCESS, NULL));
	CHECK(removexattr("d", DEFAULT) == 0);
	CHECK(close(open("d/h", O_CREAT | O_RDWR, 0666)) == 0);
	CHECK_EQ(mode_of("d/h"), 0600);
}

TEST(new_files_get_the_default_list)
{
	temporary_everywhere(check_default);
}

static void check_refused(void)
{
	static const char *const wrong[] = {"u:r", "u:r g:r", "g:r u:r o:r", "u:r g:r o:r o:r",
		"u:r u:r g:r o:r", "u:r u7:r g:r o:r", "u:r g:r g7:r o:r", "u:r g:r u7:r m:r o:r",
		"u:r g:r o:r m:r", "u:r g:r m:r m:r o:r", "u:r g:r m:r",
		"u:r u4294967295:r g:r m:r o:r"};
	struct acl acl;
	size_t size = acl_parse("u:rw u7:rw g:r m:rw o:r", &acl);
	char value[8];

	need_lists();
	temporary_text("f", "x");
	CHECK(mkdir("d", 0755) == 0 && symlink("f", "l") == 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		CHECK_ERRNO(acl_set("f", ACCESS, wrong[i]), EINVAL);
		CHECK_ERRNO(acl_set("d", DEFAULT, wrong[i]), EINVAL);
	}
	CHECK_ERRNO(setxattr("f", ACCESS, &acl, 3, 0), EINVAL);
	CHECK_ERRNO(setxattr("f", ACCESS, &acl, size - 1, 0), EINVAL);
	acl.entries[0].e_perm = 8;
	CHECK_ERRNO(setxattr("f", ACCESS, &acl, size, 0), EINVAL);
	acl.entries[0].e_perm = 6;
	acl.entries[0].e_tag = 3;
	CHECK_ERRNO(setxattr("f", ACCESS, &acl, size, 0), EINVAL);
	acl.header.a_version = 1;
	CHECK_ERRNO(setxattr("f", ACCESS, &acl, size, 0), EOPNOTSUPP);
	CHECK_ERRNO(acl_set("f", DEFAULT, "u:rw u7:rw g:r m:rw o:r"), EACCES);
	CHECK_ERRNO(setxattr("f", "system.posix_acl_other", "x", 1, 0), EOPNOTSUPP);
	CHECK_ERRNO(getxattr("f", "system.posix_acl_other", value, 8), EOPNOTSUPP);
	CHECK_ERRNO(lgetxattr("l", ACCESS, value, sizeof(value)), EOPNOTSUPP);
	size = acl_parse("u:rw u7:rw g:r m:rw o:r", &acl);
	CHECK_ERRNO(lsetxattr("l", ACCESS, &acl, size, 0), EOPNOTSUPP);
	/* CREATE and REPLACE mean nothing here. */
	CHECK(setxattr("f", ACCESS, &acl, size, XATTR_REPLACE) == 0);
	CHECK(setxattr("f", ACCESS, &acl, size, XATTR_CREATE) == 0);
	CHECK_ERRNO(setxattr("f", ACCESS, &acl, size, 4), EINVAL);
	CHECK_ERRNO(getxattr("f", ACCESS, value, sizeof(value)), ERANGE);
	CHECK_EQ(getxattr("f", ACCESS, NULL, 0), size);
	CHECK_ERRNO(getxattr("/proc/self/status", ACCESS, value, sizeof(value)), EOPNOTSUPP);
	CHECK_ERRNO(setxattr("/proc/self/status", ACCESS, &acl, size, 0), EOPNOTSUPP);
	CHECK(chmod(".", 0777) == 0 && chown("f", 100, 200) == 0);
	CHECK(chmod("f", 02775) == 0);
	CHECK(setresgid(300, 300, 300) == 0 && syscall(SYS_setgroups, 0, NULL) == 0);
	CHECK(setresuid(101, 101, 101) == 0);
	CHECK_ERRNO(acl_set("f", ACCESS, "u:rw g:r o:r"), EPERM);
	CHECK_ERRNO(removexattr("f", ACCESS), EPERM);
	CHECK_EQ(getxattr("f", ACCESS, NULL, 0), size);
}

TEST(what_is_refused)
{
	temporary_everywhere(check_refused);
}

static void check_set_group_id(void)
{
	need_lists();
	temporary_text("f", "x");
	CHECK(chown("f", 100, 200) == 0 && chmod("f", 02775) == 0);
	CHECK(acl_set("f", ACCESS, "u:rwx u7:rw g:rx m:rwx o:r") == 0);
	CHECK_EQ(mode_of("f"), 02774);
	CHECK(setresgid(300, 300, 300) == 0 && syscall(SYS_setgroups, 0, NULL) == 0);
	CHECK(setresuid(100, 100, 100) == 0);
	CHECK(acl_set("f", ACCESS, "u:rwx u7:rwx g:rx m:rwx o:r") == 0);
	CHECK_EQ(mode_of("f"), 0774);
}

TEST(set_group_id_goes)
{
	temporary_everywhere(check_set_group_id);
}

static void in_namespace(void)
{
	CHECK(acl_is("f", ACCESS, "u:rw u4294967295:r u5:rw g:r g7:rw g4294967295:r m:rw o:r"));
	CHECK(setresgid(0, 0, 0) == 0 && setresuid(0, 0, 0) == 0);
	CHECK_ERRNO(acl_set("f", ACCESS, "u:rw u100:r g:r m:r o:r"), EINVAL);
	CHECK(acl_set("f", ACCESS, "u:rw u99:r g:r m:r o:r") == 0);
	CHECK(acl_is("f", ACCESS, "u:rw u99:r g:r m:r o:r"));
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
	int ready[2], mapped[2], status;
	pid_t child;
	char byte;

	need_lists();
	temporary_text("f", "x");
	CHECK(acl_set("f", ACCESS, "u:rw u0:r u1005:rw g:r g1007:rw g9999:r m:rw o:r") == 0);
	CHECK(chown("f", 1000, 1000) == 0 && pipe(ready) == 0 && pipe(mapped) == 0);
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
	CHECK(acl_is("f", ACCESS, "u:rw u1099:r g:r m:r o:r"));
}

TEST(ids_in_a_user_namespace)
{
	temporary_everywhere(check_namespace);
}

/* As large as an attribute may be. */
TEST(a_long_list)
{
	enum { COUNT = 8191 };
	static struct {
		struct posix_acl_xattr_header header;
		struct posix_acl_xattr_entry entries[COUNT + 1];
	} acl, read_back;
	struct posix_acl_xattr_entry *entry = acl.entries;

	temporary_enter_in("/dev/shm");
	need_lists();
	temporary_text("f", "x");
	acl.header.a_version = POSIX_ACL_XATTR_VERSION;
	*entry++ = (struct posix_acl_xattr_entry){ACL_USER_OBJ, 6, (uint32_t)ACL_UNDEFINED_ID};
	for (uint32_t uid = 1; uid <= COUNT - 4; uid++)
		*entry++ = (struct posix_acl_xattr_entry){ACL_USER, uid & 7, uid};
	*entry++ = (struct posix_acl_xattr_entry){ACL_GROUP_OBJ, 4, (uint32_t)ACL_UNDEFINED_ID};
	*entry++ = (struct posix_acl_xattr_entry){ACL_MASK, 7, (uint32_t)ACL_UNDEFINED_ID};
	*entry++ = (struct posix_acl_xattr_entry){ACL_OTHER, 0, (uint32_t)ACL_UNDEFINED_ID};
	CHECK(setxattr("f", ACCESS, &acl, acl_size(COUNT), 0) == 0);
	CHECK_EQ(getxattr("f", ACCESS, &read_back, sizeof(read_back)), acl_size(COUNT));
	CHECK(!memcmp(&acl, &read_back, acl_size(COUNT)));
	CHECK(may("f", 8006, 999, 6) && !may("f", 8005, 999, 6) && !may("f", 9000, 999, 4));
	CHECK_ERRNO(setxattr("f", ACCESS, &acl, sizeof(acl), 0), E2BIG);
}

GUEST_TEST_MAIN()
