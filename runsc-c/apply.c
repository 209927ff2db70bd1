/* SPDX-License-Identifier: Apache-2.0 */
/* Copies what a run changed back to the host. */
#include "runsc-c/apply.h"

#include "base/cleanup.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define KEPT_BITS 01777 /* no set-user-ID, no set-group-ID */

/* --- the beginning --- */

/* With what follows it: "..", "." and "" are taken for what they say. Owns base; NULL: no memory.
 */
static char *append(char *base, const char *rest)
{
	char *path = base ? realloc(base, strlen(base) + strlen(rest) + 2) : NULL;

	if (!path) {
		free(base);
		return NULL;
	}
	while (*(rest += strspn(rest, "/"))) {
		size_t length = strcspn(rest, "/"), size = strlen(path);
		char *slash = strrchr(path, '/');

		if (length == 2 && !strncmp(rest, "..", 2)) {
			if (slash)
				*slash = '\0';
		} else if (length != 1 || *rest != '.') {
			path[size] = '/';
			memcpy(path + size + 1, rest, length);
			path[size + 1 + length] = '\0';
		}
		rest += length;
	}
	return path;
}

/* As the sandbox names it, where the job's own symlinks are not known yet; "" for the root. */
static char *absolute(const char *path)
{
	char *whole = NULL, *end, *base = NULL, *found;

	if (asprintf(&whole, "%s%s", path[0] == '/' ? "" : "./", path) < 0)
		return NULL;
	/* The part of it that is there. */
	for (end = whole + strlen(whole); !base && end > whole; end--) {
		char kept = *end;

		if (kept && kept != '/')
			continue;
		*end = '\0';
		base = realpath(whole, NULL);
		*end = kept;
		if (base)
			break;
	}
	if (base && !base[1])
		base[0] = '\0';
	found = append(base ? base : strdup(""), base ? end : whole);
	free(whole);
	return found;
}

int apply_begin(struct apply *apply, const struct run_options *options, struct failure *failure)
{
	const char *root = options->root ? options->root : "/";
	struct timespec now;

	*apply = (struct apply){.root = -1};
	if (!options->apply_changes)
		return 0;
	clock_gettime(CLOCK_REALTIME, &now);
	apply->started_ns = now.tv_sec * 1000000000l + now.tv_nsec;
	apply->root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (apply->root < 0)
		return fail_errno(failure, errno, "--apply-changes: cannot use %s", root);
	for (size_t i = 0; i < options->apply_count; i++) {
		const char *path = options->apply_paths[i];

		if (!*path)
			return fail(failure, STATUS_INTERNAL,
				"--apply-changes=: a path, please, or none at all");
		apply->paths[i] = options->root ? append(strdup(""), path) : absolute(path);
		if (!apply->paths[i])
			return fail_errno(failure, ENOMEM, "--apply-changes %s", path);
		apply->path_count++;
	}
	return 0;
}

/* --- one file --- */

struct applier {
	const struct apply *apply;
	const struct changes *changes;
	struct archive *archive;
	int64_t *count;
	struct failure *failure;
	char aside[64]; /* a name that a file has until it takes its place */
};

static int give_up(struct applier *applier, const char *path, int error)
{
	if (error == -EBUSY)
		return fail(applier->failure, STATUS_INTERNAL,
			"--apply-changes: stopped after %ld changes: %s changed on the host "
			"meanwhile",
			*applier->count, path);
	return fail_errno(applier->failure, -error,
		"--apply-changes: stopped after %ld changes: cannot apply %s", *applier->count,
		path);
}

static int copy_data(struct applier *applier, int fd, int64_t size)
{
	const void *data;
	la_int64_t offset;
	size_t length;
	int result;

	while ((result = archive_read_data_block(applier->archive, &data, &length, &offset)) ==
		ARCHIVE_OK) {
		for (size_t at = 0; at < length;) {
			ssize_t written = pwrite(
				fd, (const char *)data + at, length - at, offset + (off_t)at);

			if (written <= 0)
				return written < 0 ? -errno : -EIO;
			at += (size_t)written;
		}
	}
	if (result != ARCHIVE_EOF)
		return -EIO;
	return ftruncate(fd, size) ? -errno : 0;
}

/* Who is not root has what is applied as one's own. */
static int set_owner(int directory, const char *name, int fd, struct archive_entry *entry)
{
	uid_t uid = (uid_t)archive_entry_uid(entry);
	gid_t gid = (gid_t)archive_entry_gid(entry);

	if (geteuid() != 0)
		return 0;
	if (fd >= 0)
		return fchown(fd, uid, gid) ? -errno : 0;
	return fchownat(directory, name, uid, gid, AT_SYMLINK_NOFOLLOW) ? -errno : 0;
}

static int set_xattrs(int fd, struct archive_entry *entry)
{
	const char *name;
	const void *value;
	size_t size;

	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
		if (name && !strncmp(name, "user.", 5) && fsetxattr(fd, name, value, size, 0) &&
			errno != EOPNOTSUPP)
			return -errno;
	}
	return 0;
}

static void entry_times(struct archive_entry *entry, struct timespec times[2])
{
	times[0] = (struct timespec){.tv_nsec = UTIME_OMIT};
	times[1] = (struct timespec){
		.tv_sec = archive_entry_mtime(entry), .tv_nsec = archive_entry_mtime_nsec(entry)};
}

static int make_regular(struct applier *applier, int directory, struct archive_entry *entry)
{
	struct timespec times[2];
	auto_close int fd = openat(directory, applier->aside,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int error;

	if (fd < 0)
		return -errno;
	error = copy_data(applier, fd, archive_entry_size(entry));
	if (!error)
		error = set_owner(-1, NULL, fd, entry);
	if (!error && fchmod(fd, archive_entry_perm(entry) & KEPT_BITS))
		error = -errno;
	if (!error)
		error = set_xattrs(fd, entry);
	entry_times(entry, times);
	if (!error && futimens(fd, times))
		error = -errno;
	return error;
}

/* The file that an earlier entry of the archive brought. */
static int make_hardlink(struct applier *applier, int directory, const char *target)
{
	const struct change *change;
	char *path = NULL;
	const char *name;
	int from, error = -EINVAL;

	if (asprintf(&path, "/%s", target) < 0)
		return -ENOMEM;
	change = changes_find(applier->changes, path);
	if (change && apply_wants(applier->apply, change)) {
		from = apply_open_parent(applier->apply->root, path, &name);
		error = from < 0					   ? from
			: linkat(from, name, directory, applier->aside, 0) ? -errno
									   : 0;
		if (from >= 0)
			(void)close(from);
	}
	free(path);
	return error;
}

static int make_aside(struct applier *applier, int directory, struct archive_entry *entry)
{
	int error = 0;

	if (archive_entry_hardlink(entry))
		return make_hardlink(applier, directory, archive_entry_hardlink(entry));
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return make_regular(applier, directory, entry);
	case AE_IFLNK:
		if (!archive_entry_symlink(entry) ||
			symlinkat(archive_entry_symlink(entry), directory, applier->aside))
			error = archive_entry_symlink(entry) ? -errno : -EINVAL;
		break;
	case AE_IFIFO:
		if (mkfifoat(directory, applier->aside, archive_entry_perm(entry) & KEPT_BITS))
			error = -errno;
		break;
	default:
		return -EINVAL;
	}
	return error ? error : set_owner(directory, applier->aside, -1, entry);
}

/* --- its place --- */

static int take_free_place(struct applier *applier, int directory, const char *name)
{
	struct stat status;

	if (!renameat2(directory, applier->aside, directory, name, RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL)
		return errno == EEXIST ? -EBUSY : -errno;
	if (!fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW))
		return -EBUSY;
	return renameat(directory, applier->aside, directory, name) ? -errno : 0;
}

static bool is_same(int directory, const char *name, const struct change *change, bool whole)
{
	struct stat status;

	return !fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) &&
	       apply_same(&status, &change->before, whole);
}

/* The two change places, so that what was there can be looked at once more, and go back. */
static int take_place_of(
	struct applier *applier, int directory, const char *name, const struct change *change)
{
	if (!is_same(directory, name, change, true))
		return -EBUSY;
	if (renameat2(directory, applier->aside, directory, name, RENAME_EXCHANGE)) {
		if (errno != EINVAL)
			return -errno;
		return renameat(directory, applier->aside, directory, name) ? -errno : 0;
	}
	/* A rename is a change of status: ctime is new. */
	if (is_same(directory, applier->aside, change, false))
		return apply_remove(directory, applier->aside);
	(void)renameat2(directory, applier->aside, directory, name, RENAME_EXCHANGE);
	return -EBUSY;
}

static int apply_file(struct applier *applier, int directory, const char *name,
	const struct change *change, struct archive_entry *entry)
{
	int error = make_aside(applier, directory, entry);

	if (!error)
		error = change->before.ino ? take_place_of(applier, directory, name, change)
					   : take_free_place(applier, directory, name);
	/* Ours until it took its place. */
	if (error && error != -EEXIST)
		(void)unlinkat(directory, applier->aside, 0);
	return error;
}

static int make_directory(int directory, const char *name, const struct change *change)
{
	int error = 0;

	if (!apply_makes_directory(change))
		return 0;
	if (change->before.ino)
		error = apply_remove(directory, name);
	if (!error && mkdirat(directory, name, 0700))
		error = errno == EEXIST ? -EBUSY : -errno;
	return error;
}

/* When everything in it is there. */
static int finish_directory(
	int directory, const char *name, const struct change *change, struct archive_entry *entry)
{
	struct timespec times[2];
	auto_close int fd =
		openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int error;

	if (fd < 0)
		return -errno;
	error = set_owner(-1, NULL, fd, entry);
	if (!error && fchmod(fd, archive_entry_perm(entry) & KEPT_BITS))
		error = -errno;
	if (!error)
		error = set_xattrs(fd, entry);
	entry_times(entry, times);
	if (!error && apply_makes_directory(change) && futimens(fd, times))
		error = -errno;
	return error;
}

/* --- all --- */

/* "a/b/", as archives have it, is "/a/b". */
static int path_of(struct applier *applier, struct archive_entry *entry, char path[PATH_MAX])
{
	const char *archived = archive_entry_pathname(entry);
	size_t size;

	if (!archived || snprintf(path, PATH_MAX, "/%s", archived) >= PATH_MAX)
		return fail(
			applier->failure, STATUS_INTERNAL, "--apply-changes: a path is too long");
	size = strlen(path);
	if (size > 1 && path[size - 1] == '/')
		path[size - 1] = '\0';
	return 0;
}

/* Files and new directories first; attributes of directories when all is in them. */
static int apply_entry(struct applier *applier, struct archive_entry *entry, bool finishing)
{
	const struct change *change;
	char path[PATH_MAX];
	const char *name;
	int error;

	if (path_of(applier, entry, path))
		return -1;
	change = changes_find(applier->changes, path);
	if (!change || change->change == 'D' || !apply_wants(applier->apply, change))
		return 0;
	auto_close int directory = apply_open_parent(applier->apply->root, path, &name);

	if (directory < 0)
		return give_up(applier, path, directory);
	(void)snprintf(applier->aside, sizeof(applier->aside), ".csandbox-%d-%ld", getpid(),
		*applier->count);
	if (archive_entry_filetype(entry) == AE_IFDIR && !archive_entry_hardlink(entry))
		error = finishing ? finish_directory(directory, name, change, entry)
				  : make_directory(directory, name, change);
	else if (finishing)
		return 0;
	else
		error = apply_file(applier, directory, name, change, entry);
	if (error)
		return give_up(applier, path, error);
	*applier->count += !finishing;
	return 0;
}

static int apply_deletions(struct applier *applier)
{
	for (size_t i = 0; i < applier->changes->count; i++) {
		const struct change *change = &applier->changes->list[i];
		const char *name;
		int error;

		if (change->change != 'D' || !change->before.ino ||
			!apply_wants(applier->apply, change))
			continue;
		auto_close int directory =
			apply_open_parent(applier->apply->root, change->path, &name);

		error = directory < 0 ? directory : apply_remove(directory, name);
		if (error)
			return give_up(applier, change->path, error);
		++*applier->count;
	}
	return 0;
}

/* Our own sentry's archive is plain; nothing else is understood. */
static int open_archive(struct applier *applier, int layer)
{
	applier->archive = archive_read_new();
	if (!applier->archive)
		return fail_errno(applier->failure, ENOMEM, "--apply-changes");
	archive_read_support_format_tar(applier->archive);
	archive_read_set_options(applier->archive, "tar:hdrcharset=BINARY");
	if (lseek(layer, 0, SEEK_SET) ||
		archive_read_open_fd(applier->archive, layer, 1 << 16) != ARCHIVE_OK)
		return fail(applier->failure, STATUS_INTERNAL,
			"--apply-changes: cannot read what was stored");
	return 0;
}

static int apply_archive(struct applier *applier, int layer, bool finishing)
{
	struct archive_entry *entry;
	int result = ARCHIVE_EOF, error = open_archive(applier, layer);

	while (!error &&
		(result = archive_read_next_header(applier->archive, &entry)) >= ARCHIVE_WARN &&
		result != ARCHIVE_EOF)
		error = apply_entry(applier, entry, finishing);
	if (!error && result != ARCHIVE_EOF)
		error = fail(applier->failure, STATUS_INTERNAL,
			"--apply-changes: what was stored is not an archive");
	archive_read_free(applier->archive);
	return error;
}

int apply_changes(const struct apply *apply, const struct changes *changes, int layer,
	int64_t *count, struct failure *failure)
{
	struct applier applier = {
		.apply = apply, .changes = changes, .count = count, .failure = failure};
	int error;

	*count = 0;
	if (!changes->count)
		return 0;
	if (apply_check(apply, changes, failure))
		return -1;
	error = apply_deletions(&applier);
	if (!error)
		error = apply_archive(&applier, layer, false);
	if (!error)
		error = apply_archive(&applier, layer, true);
	return error;
}
