/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.namespaces with a path: each must lead to a namespace of its type. Of a user namespace the
 * container has the ids.
 */
#include "base/cleanup.h"
#include "runsc-c/oci/create.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LINES_MAX 340

static const struct {
	const char *name;
	int flag;
} types[OCI_NAMESPACE_TYPES] = {
	[OCI_NAMESPACE_PID] = {"pid", CLONE_NEWPID},
	[OCI_NAMESPACE_NETWORK] = {"network", CLONE_NEWNET},
	[OCI_NAMESPACE_MOUNT] = {"mount", CLONE_NEWNS},
	[OCI_NAMESPACE_IPC] = {"ipc", CLONE_NEWIPC},
	[OCI_NAMESPACE_UTS] = {"uts", CLONE_NEWUTS},
	[OCI_NAMESPACE_USER] = {"user", CLONE_NEWUSER},
	[OCI_NAMESPACE_CGROUP] = {"cgroup", CLONE_NEWCGROUP},
};

static int check(enum oci_namespace_type type, const char *path, struct failure *failure)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return fail_errno(
			failure, errno, "linux.namespaces: %s: %s", types[type].name, path);
	if (ioctl(fd, NS_GET_NSTYPE) != types[type].flag)
		return fail(failure, STATUS_INTERNAL,
			"linux.namespaces: %s: %s is no namespace of this type", types[type].name,
			path);
	return 0;
}

/* Ids as its members see them and as we do. */
static int read_ids(struct creation *creation, int pid, const char *name,
	struct oci_id_mapping **out, size_t *count)
{
	struct oci_id_mapping *mappings =
		arena_allocate(&creation->spec.arena, LINES_MAX, sizeof(*mappings));
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	file = mappings ? fopen(path, "re") : NULL;
	*count = 0;
	while (file && *count < LINES_MAX &&
		fscanf(file, "%u %u %u", &mappings[*count].inside, &mappings[*count].outside,
			&mappings[*count].count) == 3)
		(*count)++;
	if (file)
		fclose(file);
	*out = mappings;
	return *count ? 0 : -1;
}

static int take_ids(struct creation *creation, const char *path, struct failure *failure)
{
	struct oci_spec *spec = &creation->spec;
	int pid = 0;

	(void)sscanf(path, "/proc/%d/ns/user", &pid);
	if (spec->uid_mapping_count || spec->gid_mapping_count)
		return 0;
	if (pid <= 0 ||
		read_ids(creation, pid, "uid_map", &spec->uid_mappings, &spec->uid_mapping_count) ||
		read_ids(creation, pid, "gid_map", &spec->gid_mappings, &spec->gid_mapping_count))
		return fail(failure, STATUS_INTERNAL,
			"linux.namespaces: user: %s: only /proc/PID/ns/user, whose ids can be "
			"read, "
			"is supported",
			path);
	return 0;
}

int creation_check_namespaces(struct creation *creation, struct failure *failure)
{
	const struct oci_namespace *namespaces = creation->spec.namespaces;

	for (int type = 0; type < OCI_NAMESPACE_TYPES; type++) {
		if (namespaces[type].path &&
			check((enum oci_namespace_type)type, namespaces[type].path, failure))
			return -1;
	}
	if (namespaces[OCI_NAMESPACE_MOUNT].path)
		return fail(failure, STATUS_INTERNAL,
			"linux.namespaces: mount: a path is not supported: the guests' kernel "
			"makes "
			"the mounts");
	return namespaces[OCI_NAMESPACE_USER].path
		       ? take_ids(creation, namespaces[OCI_NAMESPACE_USER].path, failure)
		       : 0;
}
