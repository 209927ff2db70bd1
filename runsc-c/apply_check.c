/* SPDX-License-Identifier: Apache-2.0 */
/* What the host has where a run changed something: is it what the sandbox saw, and may it go? */
#include "runsc-c/apply.h"

#include "base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEPTH_MAX 1000
/* The sandbox's kernel keeps the mount in the bits above. */
#define INO_MASK ((1ul << 51) - 1)

static int open_beneath(int root, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

int apply_open_parent(int root, const char *path, const char **name)
{
	char *directory = strdup(path + 1), *slash;
	int fd;

	if (!directory)
		return -ENOMEM;
	slash = strrchr(directory, '/');
	if (slash)
		*slash = '\0';
	*name = path + 1 + (slash ? slash - directory + 1 : 0);
	fd = open_beneath(root, slash ? directory : ".");
	free(directory);
	if (fd >= 0 && (!**name || !strcmp(*name, ".") || !strcmp(*name, ".."))) {
		(void)close(fd);
		return -EINVAL;
	}
	return fd;
}

/* Is it at a path that was asked for, or below, or a new directory on the way there? */
static bool leads_to(const struct change *change, const char *path)
{
	size_t size = strlen(path), own = strlen(change->path);

	if (!strncmp(change->path, path, size) &&
		(!change->path[size] || change->path[size] == '/'))
		return true;
	return change->type == 'd' && !change->before.ino && !strncmp(path, change->path, own) &&
	       path[own] == '/';
}

bool apply_wants(const struct apply *apply, const struct change *change)
{
	if (change->type == 's' || !change->path[1])
		return false;
	for (size_t i = 0; i < apply->path_count; i++) {
		if (leads_to(change, apply->paths[i]))
			return true;
	}
	return !apply->path_count;
}

static int64_t time_ns(const struct timespec *time)
{
	return (int64_t)((uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec);
}

bool apply_same(const struct stat *status, const struct change_before *before, bool whole)
{
	return ((status->st_ino ^ before->ino) & INO_MASK) == 0 &&
	       (uint64_t)status->st_size == before->size &&
	       time_ns(&status->st_mtim) == before->mtime_ns &&
	       (!whole || time_ns(&status->st_ctim) == before->ctime_ns);
}

/* --- trees that are to go --- */

typedef int tree_visit(
	const struct apply *apply, int directory, const char *name, bool is_directory);

static int walk_tree(
	const struct apply *apply, int directory, const char *name, tree_visit *visit, int depth)
{
	struct dirent *entry;
	struct stat status;
	DIR *stream;
	int fd, error = 0;

	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISDIR(status.st_mode))
		return visit(apply, directory, name, false);
	if (depth == DEPTH_MAX)
		return -ELOOP;
	fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	stream = fd >= 0 ? fdopendir(fd) : NULL;
	if (!stream) {
		error = -errno;
		if (fd >= 0)
			(void)close(fd);
		return error;
	}
	while (!error && (entry = readdir(stream))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			error = walk_tree(apply, fd, entry->d_name, visit, depth + 1);
	}
	(void)closedir(stream);
	return error ? error : visit(apply, directory, name, true);
}

static int visit_remove(
	const struct apply *apply unused_, int directory, const char *name, bool is_directory)
{
	return unlinkat(directory, name, is_directory ? AT_REMOVEDIR : 0) ? -errno : 0;
}

int apply_remove(int directory, const char *name)
{
	return walk_tree(NULL, directory, name, visit_remove, 0);
}

/* What changed since the sandbox began, nobody inside can have meant to delete. */
static int visit_check(
	const struct apply *apply, int directory, const char *name, bool is_directory unused_)
{
	struct stat status;

	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW))
		return -errno;
	return time_ns(&status.st_ctim) >= apply->started_ns ? -EBUSY : 0;
}

/* --- conflicts --- */

static int refuse(const struct change *change, const char *why, struct failure *failure)
{
	return fail(failure, STATUS_INTERNAL, "--apply-changes: nothing was applied: %s %s",
		change->path, why);
}

static int check_there(const struct apply *apply, const struct change *change, int directory,
	const char *name, struct failure *failure)
{
	bool stays = change->change == 'M' && change->type == 'd';
	struct stat status;

	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW))
		return refuse(change, "is not there any more on the host", failure);
	if (stays)
		return S_ISDIR(status.st_mode)
			       ? 0
			       : refuse(change, "is no directory any more on the host", failure);
	if (!apply_same(&status, &change->before, true))
		return refuse(change, "changed on the host meanwhile", failure);
	if (S_ISDIR(status.st_mode) && walk_tree(apply, directory, name, visit_check, 0))
		return refuse(
			change, "has something in it that changed on the host meanwhile", failure);
	return 0;
}

bool apply_makes_directory(const struct change *change)
{
	return change->type == 'd' && (change->change == 'A' || !change->before.ino);
}

/* In a directory that is new as a whole, and is looked at itself. */
static bool is_in_new(const struct changes *changes, const struct change *change)
{
	char *path = strdup(change->path), *slash = path ? strrchr(path, '/') : NULL;
	const struct change *parent = NULL;

	if (slash && slash != path) {
		*slash = '\0';
		parent = changes_find(changes, path);
	}
	free(path);
	return parent && apply_makes_directory(parent);
}

static int check_one(const struct apply *apply, const struct changes *changes,
	const struct change *change, struct failure *failure)
{
	struct stat status;
	static const char in_layer[] =
		"is in a directory that only a layer has: make it on the host";
	const char *name;
	auto_close int directory = apply_open_parent(apply->root, change->path, &name);

	if (change->type == 'c' || change->type == 'b')
		return refuse(change, "is a device", failure);
	if (!change->before.ino && is_in_new(changes, change))
		return 0;
	if (directory < 0 && directory != -ENOENT)
		return refuse(change, "cannot be reached on the host: a directory above it changed",
			failure);
	if (change->before.ino && directory < 0)
		return refuse(change, "is not there any more on the host", failure);
	/* Only a layer has the directory, and nothing that is made now brings it along. */
	if (directory < 0)
		return change->change == 'D' ? 0 : refuse(change, in_layer, failure);
	if (change->before.ino)
		return check_there(apply, change, directory, name, failure);
	if (!fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW))
		return refuse(change, "appeared on the host meanwhile", failure);
	return 0;
}

int apply_check(const struct apply *apply, const struct changes *changes, struct failure *failure)
{
	for (size_t i = 0; i < changes->count; i++) {
		if (apply_wants(apply, &changes->list[i]) &&
			check_one(apply, changes, &changes->list[i], failure))
			return -1;
	}
	return 0;
}
