/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's directories and files that a container shows: opened before the jail closes, as mounts
 * without set-user-ID bits and devices, read-only where the container may not write.
 *
 * Differs from other runtimes: a socket, a FIFO or a device of the host cannot be shown; devices
 * that the guests' kernel has itself (null, zero, random, tty...) become its own.
 */
#include "abi/stat.h"
#include "base/cleanup.h"
#include "runsc-c/jail.h"
#include "runsc-c/oci/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

/* Links of the host's own on the way are followed, but none of /proc that lead to other processes'
 * files. */
static int open_place(const struct oci_source *source, struct failure *failure)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC | (source->is_root ? O_NOFOLLOW : 0),
		.resolve = RESOLVE_NO_MAGICLINKS};
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, source->path, &how, sizeof(how));

	if (fd >= 0)
		return fd;
	return fail_errno(failure, errno, "config.json: %s: %s", source->place, source->path);
}

#define PROC_ROOT_INO 1

static bool is_own_device(const struct stat *status)
{
	unsigned int major = major(status->st_rdev), minor = minor(status->st_rdev);

	if (!S_ISCHR(status->st_mode))
		return false;
	return (major == 1 && (minor == 3 || minor == 5 || (minor >= 7 && minor <= 9))) ||
	       (major == 5 && (minor == 0 || minor == 2));
}

/*
 * "self" in the host's /proc is the sandbox's kernel, whose memory would be a guest's to read and
 * write: where all of it is asked for, the guest's own is given.
 */
static int replace_proc(
	struct oci_source *source, const struct stat *status, struct failure *failure)
{
	source->is_proc =
		!source->is_root && S_ISDIR(status->st_mode) && status->st_ino == PROC_ROOT_INO;
	return source->is_proc
		       ? 0
		       : fail(failure, STATUS_INTERNAL,
				 "config.json: %s: %s is of the host's /proc, which would show "
				 "the sandbox's kernel",
				 source->place, source->path);
}

/* --- ids of a mount's own --- */

/* A user namespace lives as long as this child waits. */
static int wait_in_namespace(void *pipe_end)
{
	char byte;

	(void)!read(*(int *)pipe_end, &byte, 1);
	return 0;
}

static bool write_map(pid_t pid, const char *name, const char *lines)
{
	char path[64];
	auto_close int fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, lines, strlen(lines)) == (ssize_t)strlen(lines);
}

/* A descriptor of a user namespace with these ids; -1 with errno. */
static int namespace_with(const char *uids, const char *gids)
{
	char stack[16384] __attribute__((aligned(16))), path[64];
	int ends[2], fd = -1, error = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	pid = clone(wait_in_namespace, stack + sizeof(stack), CLONE_NEWUSER | SIGCHLD, &ends[0]);
	if (pid > 0 && write_map(pid, "uid_map", uids) && write_map(pid, "gid_map", gids)) {
		snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	error = errno;
	if (pid > 0) {
		(void)kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	(void)close(ends[0]);
	(void)close(ends[1]);
	errno = error;
	return fd;
}

/* The host's kernel translates them on this mount. */
static int map_ids(const struct oci_source *source, int tree, struct failure *failure)
{
	auto_close int ids = namespace_with(source->uids, source->gids);
	struct mount_attr attributes = {
		.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)(unsigned int)ids};

	if (ids < 0)
		return fail_errno(failure, errno,
			"config.json: %s: no such uidMappings, gidMappings", source->place);
	if (syscall(SYS_mount_setattr, tree, "",
		    AT_EMPTY_PATH | (source->mapped_recursive ? AT_RECURSIVE : 0), &attributes,
		    sizeof(attributes)))
		return fail_errno(failure, errno,
			"config.json: %s: the host cannot give %s ids of its own", source->place,
			source->path);
	return 0;
}

/* A file is used through a descriptor that reads and writes it, a tree through one that names it.
 */
static int open_file(struct oci_source *source, int tree, struct failure *failure)
{
	char name[32];
	int fd = -1;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", tree);
	if (source->writable)
		fd = open(name, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		source->mount->read_only = true;
		fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	}
	return fd >= 0 ? fd
		       : fail_errno(failure, errno, "config.json: %s: cannot open %s",
				 source->place, source->path);
}

static int open_tree_or_file(struct oci_source *source, struct failure *failure)
{
	auto_close int place = open_place(source, failure), tree = -1;
	char name[32];
	struct stat status;
	struct statfs fs;

	if (place < 0)
		return -1;
	if (fstat(place, &status) || fstatfs(place, &fs))
		return fail_errno(
			failure, errno, "config.json: %s: %s", source->place, source->path);
	if (fs.f_type == PROC_SUPER_MAGIC)
		return replace_proc(source, &status, failure);
	if (source->is_root && !S_ISDIR(status.st_mode))
		return fail(failure, STATUS_INTERNAL, "config.json: %s: %s is not a directory",
			source->place, source->path);
	if (is_own_device(&status)) {
		source->rdev = status.st_rdev;
		return 0;
	}
	if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode))
		return fail(failure, STATUS_INTERNAL,
			"config.json: %s: %s is a socket, FIFO or device; only directories and "
			"regular files "
			"of the host can be shown",
			source->place, source->path);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", place);
	tree = jail_open_tree(name, source->writable, source->recursive, failure);
	if (tree < 0 || (source->uids && map_ids(source, tree, failure)))
		return -1;
	source->fd = S_ISDIR(status.st_mode) ? steal_fd(&tree) : open_file(source, tree, failure);
	return source->fd < 0 ? -1 : 0;
}

/* --- overlays --- */

/* OPTION or OPTION=VALUE; a backslash keeps a comma or a colon from its meaning. */
static int configure(int context, char *option)
{
	char *value = strchr(option, '=');

	if (!value)
		return fsconfig(context, FSCONFIG_SET_FLAG, option, NULL, 0);
	*value++ = '\0';
	return fsconfig(context, FSCONFIG_SET_STRING, option, value, 0);
}

static int configure_all(int context, const char *options)
{
	auto_free char *copy = strdup(options);
	char *option = copy;

	for (char *at = copy; copy && option; at++) {
		bool last = !*at;

		if (*at == '\\' && at[1]) {
			at++;
			continue;
		}
		if (*at != ',' && !last)
			continue;
		*at = '\0';
		if (*option && configure(context, option))
			return -1;
		option = last ? NULL : at + 1;
	}
	return copy ? fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) : -1;
}

/* A mount that only the sandbox sees, as those of trees. */
static int open_overlay(struct oci_source *source, struct failure *failure)
{
	auto_close int context = fsopen("overlay", FSOPEN_CLOEXEC);

	if (context >= 0 && !configure_all(context, source->overlay))
		source->fd = fsmount(context, FSMOUNT_CLOEXEC,
			MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				(source->writable ? 0 : MOUNT_ATTR_RDONLY));
	return source->fd < 0 ? fail_errno(failure, errno,
					"config.json: %s: the host cannot make an overlay with %s",
					source->place, source->overlay)
			      : 0;
}

int oci_source_open(struct oci_source *source, struct failure *failure)
{
	if (source->overlay)
		return open_overlay(source, failure);
	return open_tree_or_file(source, failure);
}

int oci_sources_open(struct oci_launch *launch, bool *unprivileged, struct failure *failure)
{
	*unprivileged = !jail_may_open_trees();
	for (size_t i = 0; i < launch->source_count && !*unprivileged; i++) {
		if (oci_source_open(&launch->sources[i], failure))
			return -1;
	}
	return 0;
}

void oci_sources_settle(struct oci_launch *launch)
{
	for (size_t i = 0; i < launch->source_count; i++) {
		const struct oci_source *source = &launch->sources[i];
		struct sandbox_mount *mount = source->mount;

		if (source->rdev) {
			mount->type = SANDBOX_MOUNT_NODE;
			mount->mode = LINUX_S_IFCHR | 0666;
			mount->rdev = source->rdev;
			mount->source = NULL;
		} else if (source->is_proc) {
			mount->type = SANDBOX_MOUNT_FS;
			mount->fs_type = mount->source = "proc";
			mount->options = NULL;
		} else {
			mount->source_fd = source->fd;
		}
	}
}
