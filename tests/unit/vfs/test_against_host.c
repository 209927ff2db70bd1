/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same random calls on the host's tmpfs, below a chroot, and on ours: every errno must be the
 * same, and the trees at the end. Run as root and as an ordinary user; skipped where the host does
 * not let the test change its root.
 */
#define _FILE_OFFSET_BITS 64
#include "vfs_fixture.h"

#include "abi/mount.h"
#include "sentry/vfs/attributes.h"
#include "sentry/vfs/open.h"
#include "sentry/vfs/protected.h"
#include "sentry/vfs/stat.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STEPS 20000

static uint64_t seed;
static pid_t tests_process; /* names the directories of this run: another may go on beside it */

static unsigned int pick(unsigned int below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned int)(seed >> 33) % below;
}

/* Few names and short paths, so that they meet; the odd ones now and then. */
static void make_path(char *out, size_t size)
{
	static const char *const names[] = {"a", "b", "c", "d", "l", "a", "b", ".", ".."};
	unsigned int components = 1 + pick(4);
	size_t used = 0;

	out[0] = '\0';
	if (pick(4) == 0)
		used += (size_t)snprintf(out + used, size - used, "/");
	for (unsigned int i = 0; i < components; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%s", i ? "/" : "",
			names[pick(i + 1 == components ? 7 + 2 * !pick(4) : 9)]);
	if (pick(8) == 0)
		(void)snprintf(out + used, size - used, "%s", pick(2) ? "/" : "//");
	if (pick(200) == 0)
		out[0] = '\0';
}

static int host(long result)
{
	if (result >= 0 && result < 1024)
		close((int)result);
	return result < 0 ? -errno : 0;
}

static int host_zero(long result)
{
	return result < 0 ? -errno : 0;
}

static int our_chmod(const char *name, uint32_t mode)
{
	struct path path;
	int result = path_lookup(AT, name, WALK_FOLLOW, &path);

	if (result)
		return result;
	result = path_chmod(&path, mode);
	path_put(&path);
	return result;
}

static int our_chown(const char *name, uint32_t uid, uint32_t gid)
{
	struct path path;
	int result = path_lookup(AT, name, 0, &path);

	if (result)
		return result;
	result = path_chown(&path, uid, gid);
	path_put(&path);
	return result;
}

/* What truncate(2)'s handler does. */
static int our_truncate(const char *name, uint64_t size)
{
	struct path path;
	int result = path_lookup(AT, name, WALK_FOLLOW, &path);
	struct inode *inode;

	if (result)
		return result;
	inode = path_inode(&path);
	if (!inode_is_type(inode, LINUX_S_IFREG))
		result = inode_is_type(inode, LINUX_S_IFDIR) ? -EISDIR : -EINVAL;
	if (result == 0)
		result = inode_permission(inode, current->cred, 2);
	if (result == 0)
		result = path_truncate(&path, NULL, size, false);
	path_put(&path);
	return result;
}

static int our_utimes(const char *name, const struct linux_timespec times[2])
{
	struct path path;
	int result = path_lookup(AT, name, WALK_FOLLOW, &path);

	if (result)
		return result;
	result = path_utimes(&path, times);
	path_put(&path);
	return result;
}

static int our_lstat(const char *name, struct linux_stat *st)
{
	struct path path;
	int result = path_lookup(AT, name, 0, &path);

	if (result)
		return result;
	result = inode_stat(path_inode(&path), st);
	path_put(&path);
	return result;
}

static void compare_stat(const char *name, unsigned int step)
{
	struct linux_stat ours;
	struct stat theirs;
	int our = our_lstat(name, &ours), their = host_zero(lstat(name, &theirs));

	ck_assert_msg(our == their, "step %u: lstat(%s): %d, host %d", step, name, our, their);
	if (our)
		return;
	ck_assert_msg(ours.st_mode == theirs.st_mode, "step %u: mode of %s: %o, host %o", step,
		name, ours.st_mode, theirs.st_mode);
	ck_assert_uint_eq(ours.st_nlink, theirs.st_nlink);
	ck_assert_uint_eq(ours.st_uid, theirs.st_uid);
	ck_assert_uint_eq(ours.st_gid, theirs.st_gid);
	if (!S_ISDIR(theirs.st_mode))
		ck_assert_int_eq(ours.st_size, theirs.st_size);
}

static unsigned int open_flags(void)
{
	static const unsigned int choices[] = {O_CREAT, O_EXCL | O_CREAT, O_TRUNC, O_DIRECTORY,
		O_NOFOLLOW, O_PATH, O_APPEND, O_NONBLOCK};
	unsigned int flags = pick(3);

	for (unsigned int i = 0; i < array_count(choices); i++)
		if (pick(4) == 0)
			flags |= choices[i];
	/* open(2) refuses this pair before the VFS sees it, and cuts O_PATH's company. */
	if ((flags & O_CREAT) && (flags & O_DIRECTORY))
		flags &= ~(unsigned int)O_DIRECTORY;
	if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		flags |= O_NOFOLLOW;
	if (flags & O_PATH)
		flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW;
	return flags;
}

/* One call on both sides; what it was, for messages. */
static void step_once(unsigned int step)
{
	char a[128], b[128], what[300];
	unsigned int flags = 0, mode;
	int our, their;

	make_path(a, sizeof(a));
	make_path(b, sizeof(b));
	switch (pick(16)) {
	case 0:
	case 1:
		(void)snprintf(what, sizeof(what), "mkdir(%s)", a);
		our = path_mkdir(AT, a, 0755);
		their = host_zero(mkdir(a, 0755));
		break;
	case 2:
		(void)snprintf(what, sizeof(what), "rmdir(%s)", a);
		our = path_rmdir(AT, a);
		their = host_zero(rmdir(a));
		break;
	case 3:
		(void)snprintf(what, sizeof(what), "unlink(%s)", a);
		our = path_unlink(AT, a);
		their = host_zero(unlink(a));
		break;
	case 4:
	case 5:
		flags = open_flags();
		(void)snprintf(what, sizeof(what), "open(%s, %o)", a, flags);
		our = vfs_open(a, flags);
		their = host(open(a, (int)flags, 0644));
		break;
	case 6:
		(void)snprintf(what, sizeof(what), "link(%s, %s)", a, b);
		flags = pick(3) ? 0 : AT_SYMLINK_FOLLOW;
		our = path_link(AT, a, AT, b, (int)flags);
		their = host_zero(linkat(AT_FDCWD, a, AT_FDCWD, b, (int)flags));
		break;
	case 7:
		(void)snprintf(what, sizeof(what), "symlink(%s, %s)", a, b);
		our = path_symlink(a, AT, b);
		their = host_zero(symlink(a, b));
		break;
	case 8:
	case 9:
	case 10:
		flags = pick(4) ? 0 : pick(2) ? LINUX_RENAME_NOREPLACE : LINUX_RENAME_EXCHANGE;
		(void)snprintf(what, sizeof(what), "rename(%s, %s, %u)", a, b, flags);
		our = path_rename(AT, a, AT, b, flags);
		their = host_zero(syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, flags));
		break;
	case 11:
		mode = pick(3) ? 0755 : pick(010000);
		(void)snprintf(what, sizeof(what), "chmod(%s, %o)", a, mode);
		our = our_chmod(a, mode);
		their = host_zero(chmod(a, mode));
		break;
	case 12:
		flags = pick(2) ? 1000 : pick(2) ? UINT32_MAX : pick(3);
		mode = pick(2) ? 1000 : pick(2) ? UINT32_MAX : pick(3);
		(void)snprintf(what, sizeof(what), "lchown(%s, %u, %u)", a, flags, mode);
		our = our_chown(a, flags, mode);
		their = host_zero(lchown(a, flags, mode));
		break;
	case 13:
		(void)snprintf(what, sizeof(what), "truncate(%s)", a);
		flags = pick(3) * 1000;
		our = our_truncate(a, flags);
		their = host_zero(truncate(a, flags));
		break;
	case 14: {
		static const long values[] = {0, UTIME_NOW, UTIME_OMIT, 5};
		struct timespec times[2] = {{77, values[pick(4)]}, {78, values[pick(4)]}};
		const struct linux_timespec ours[2] = {
			{77, times[0].tv_nsec}, {78, times[1].tv_nsec}};

		(void)snprintf(what, sizeof(what), "utimensat(%s, %ld, %ld)", a, times[0].tv_nsec,
			times[1].tv_nsec);
		if (times[0].tv_nsec == UTIME_OMIT && times[1].tv_nsec == UTIME_OMIT)
			return;
		our = our_utimes(a, ours);
		their = host_zero(utimensat(AT_FDCWD, a, times, 0));
		break;
	}
	default:
		(void)snprintf(what, sizeof(what), "chdir(%s)", a);
		our = vfs_chdir(a);
		if (our == 0 && inode_permission(path_inode(&current->fs->pwd), current->cred, 1))
			our = -EACCES;
		their = host_zero(chdir(a));
		if (their) {
			/* Back to a place that both know, and that nobody is shut out of. */
			ck_assert_int_eq(our_chmod("/", 0755), 0);
			ck_assert_int_eq(chmod("/", 0755), 0);
			ck_assert_int_eq(vfs_chdir("/"), 0);
			ck_assert_int_eq(chdir("/"), 0);
		}
		break;
	}
	ck_assert_msg(our == their, "step %u: %s: %d, host %d", step, what, our, their);
	compare_stat(a, step);
	compare_stat(b, step);
}

/* A root directory of its own on the host, as an ordinary user if that is wanted; false if the host
 * refuses. */
static bool enter_host(char *directory, size_t size, uint32_t uid)
{
	snprintf(directory, size, "/dev/shm/vfs-test-%d-XXXXXX", tests_process);
	if (!mkdtemp(directory) || chmod(directory, 0755))
		return false;
	if (geteuid() != 0 || chown(directory, uid, uid) || chroot(directory) || chdir("/"))
		return false;
	/* The saved ids stay root's: for the way back. */
	if (uid && (setgroups(0, NULL) || setresgid(uid, uid, 0) || setresuid(uid, uid, 0)))
		return false;
	umask(0);
	return true;
}

static void leave_host(int root)
{
	ck_assert_int_eq(setresuid(0, 0, 0), 0);
	ck_assert_int_eq(setresgid(0, 0, 0), 0);
	ck_assert_int_eq(fchdir(root), 0);
	ck_assert_int_eq(chroot("."), 0);
	close(root);
}

static void run(uint32_t uid, uint64_t start)
{
	int old_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char directory[64];
	struct path root;

	if (!enter_host(directory, sizeof(directory), uid)) {
		fprintf(stderr, "skipped: the host does not let the test change its root\n");
		rmdir(directory);
		close(old_root);
		return;
	}
	mount_namespace_root(current->nsproxy->mount, &root);
	ck_assert_int_eq(path_chown(&root, uid, uid), 0);
	path_put(&root);
	vfs_become(uid);
	seed = start;
	for (unsigned int step = 0; step < STEPS; step++)
		step_once(step);
	vfs_become(0);
	leave_host(old_root);
}

START_TEST(test_as_root)
{
	run(0, 1 + (uint64_t)_i);
}
END_TEST

START_TEST(test_as_user)
{
	run(1000, 1001 + (uint64_t)_i);
}
END_TEST

/* The tests' processes are below their directories and cannot remove them: who started them does.
 */
static void remove_directories(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf /dev/shm/vfs-test-%d-*", tests_process);
	ck_assert_int_eq(system(command), 0);
}

/* What the host protects in sticky directories is protected here. */
static void protect_as_host(void)
{
	static const char *const names[] = {[PROTECTED_FIFOS] = "fifos",
		[PROTECTED_HARDLINKS] = "hardlinks",
		[PROTECTED_REGULAR] = "regular",
		[PROTECTED_SYMLINKS] = "symlinks"};

	for (size_t i = 0; i < array_count(names); i++) {
		char path[64];
		int value = 0;
		FILE *file;

		snprintf(path, sizeof(path), "/proc/sys/fs/protected_%s", names[i]);
		file = fopen(path, "re");
		if (file && fscanf(file, "%d", &value) == 1)
			atomic_store(&g_protected[i], value);
		if (file)
			fclose(file);
	}
}

static void note_process(void)
{
	tests_process = getpid();
	protect_as_host();
}

TCase *against_host_tests(void)
{
	TCase *tcase = tcase_create("against the host");

	tcase_add_unchecked_fixture(tcase, note_process, remove_directories);
	tcase_add_checked_fixture(tcase, vfs_fixture_setup, vfs_fixture_teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_as_root, 0, 4);
	tcase_add_loop_test(tcase, test_as_user, 0, 4);
	return tcase;
}
