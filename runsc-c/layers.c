/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the layers that a run starts with, and gives names to the one that it leaves. */
#include "runsc-c/layers.h"

#include "runsc-c/outcome.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEPT_NAME "layer.tar"

/* --- those to start with --- */

static int open_layer(const char *name, struct failure *failure)
{
	auto_close int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;

	if (fd < 0 || fstat(fd, &status))
		return fail_errno(failure, errno, "--layer: cannot read %s", name);
	if (S_ISDIR(status.st_mode)) {
		auto_close int directory = steal_fd(&fd);

		fd = openat(directory, KEPT_NAME, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0 || fstat(fd, &status))
			return fail_errno(failure, errno,
				"--layer: there is no " KEPT_NAME
				" in %s, as --keep-changes leaves it",
				name);
	}
	if (!S_ISREG(status.st_mode))
		return fail(failure, STATUS_INTERNAL, "--layer: %s is not a regular file", name);
	return steal_fd(&fd);
}

/* --- the one that is left --- */

static int open_unnamed(const char *file)
{
	char *directory = strdup(file), *slash = directory ? strrchr(directory, '/') : NULL;
	int fd;

	if (!directory)
		return -1;
	if (slash)
		slash[slash == directory] = '\0';
	fd = open(slash ? directory : ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
	free(directory);
	return fd;
}

/* Best where it will be; where such a place cannot hold a file without a name, wherever there is
 * room. */
static int open_spool(const struct run_options *options, const char *kept, int export_fd)
{
	const char *temporary = getenv("TMPDIR"), *wanted = NULL;
	int fd = -1;

	if (options->export_changes && export_fd < 0)
		wanted = options->export_changes;
	else if (options->keep_changes)
		wanted = kept;
	if (wanted)
		fd = open_unnamed(wanted);
	if (fd >= 0 || (wanted && errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	if (temporary)
		fd = open(temporary, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		fd = open("/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return fd >= 0 ? fd : memfd_create("layer", MFD_CLOEXEC);
}

static char *kept_name(const struct run_options *options)
{
	char *name;

	return asprintf(&name, "%s/" KEPT_NAME, options->keep_changes) < 0 ? NULL : name;
}

/* Would what is kept take the place of what it stands on? */
static bool keeps_over_layer(const struct layers *layers, const char *kept)
{
	struct stat there, layer;

	if (stat(kept, &there))
		return false;
	for (size_t i = 0; i < layers->count; i++) {
		if (!fstat(layers->fds[i], &layer) && layer.st_dev == there.st_dev &&
			layer.st_ino == there.st_ino)
			return true;
	}
	return false;
}

static int prepare_kept(
	const struct layers *layers, const struct run_options *options, struct failure *failure)
{
	char *kept = kept_name(options);
	bool bad = kept && keeps_over_layer(layers, kept);

	free(kept);
	if (bad)
		return fail(failure, STATUS_INTERNAL,
			"--keep-changes %s: that is one of the layers to start with; what is kept "
			"is only what differs from them",
			options->keep_changes);
	if (mkdir(options->keep_changes, 0777) && errno != EEXIST)
		return fail_errno(
			failure, errno, "--keep-changes: cannot make %s", options->keep_changes);
	return 0;
}

/* A file gets its name when it is complete. What is there and is no file, as a device, a pipe or a
 * link, stays what it is, and is written to. */
static int open_export(struct layers *layers, const char *name, struct failure *failure)
{
	struct stat there;

	if (strncmp(name, "fd:", 3) != 0 && (lstat(name, &there) || S_ISREG(there.st_mode)))
		return 0;
	return outcome_open("export-changes", name, &layers->export_fd, failure);
}

int layers_open(struct layers *layers, const struct run_options *options, struct failure *failure)
{
	char *kept = NULL;

	*layers = (struct layers){.spool = -1, .export_fd = -1};
	for (; layers->count < options->layer_count; layers->count++) {
		layers->fds[layers->count] = open_layer(options->layers[layers->count], failure);
		if (layers->fds[layers->count] < 0)
			return -1;
	}
	if (options->keep_changes && prepare_kept(layers, options, failure))
		return -1;
	if (options->export_changes && open_export(layers, options->export_changes, failure))
		return -1;
	if (!layer_wanted(options))
		return 0;
	kept = options->keep_changes ? kept_name(options) : NULL;
	layers->spool = open_spool(options, kept ? kept : "", layers->export_fd);
	free(kept);
	if (layers->spool < 0)
		return fail_errno(failure, errno, "--%s: cannot store what is changed in %s",
			options->export_changes ? "export-changes" : "keep-changes",
			options->export_changes ? options->export_changes : options->keep_changes);
	return 0;
}

/* --- the end --- */

static int copy_all(int from, int to)
{
	static char buffer[1 << 18];
	off_t at = 0;
	ssize_t got;

	while ((got = pread(from, buffer, sizeof(buffer), at)) > 0) {
		if (outcome_write_all(to, buffer, (size_t)got))
			return -1;
		at += got;
	}
	return got < 0 ? -1 : 0;
}

/* A name of its own beside the one that it will have: a link if the file system is the same one. */
static int name_aside(int spool, char *aside)
{
	char self[32];
	int fd, error;

	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", spool);
	fd = mkostemp(aside, O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (!unlink(aside) && !linkat(AT_FDCWD, self, AT_FDCWD, aside, AT_SYMLINK_FOLLOW)) {
		(void)close(fd);
		return 0;
	}
	(void)close(fd);
	fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return -1;
	error = copy_all(spool, fd);
	return close(fd) || error ? -1 : 0;
}

static int publish(int spool, const char *name)
{
	char *aside;
	int error = -1;

	if (asprintf(&aside, "%s.XXXXXX", name) < 0)
		return -1;
	if (!name_aside(spool, aside))
		error = rename(aside, name);
	if (error)
		(void)unlink(aside);
	free(aside);
	return error;
}

int layers_finish(struct layers *layers, const struct run_options *options, struct failure *failure)
{
	char *kept = options->keep_changes ? kept_name(options) : NULL;
	int error = 0;

	if (layers->export_fd >= 0)
		error = copy_all(layers->spool, layers->export_fd);
	else if (options->export_changes)
		error = publish(layers->spool, options->export_changes);
	if (error)
		error = fail_errno(failure, errno, "--export-changes: cannot write %s",
			options->export_changes);
	else if (options->keep_changes && (!kept || publish(layers->spool, kept)))
		error = fail_errno(failure, errno, "--keep-changes: cannot write to %s",
			options->keep_changes);
	free(kept);
	return error;
}
