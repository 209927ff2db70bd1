/* SPDX-License-Identifier: Apache-2.0 */
/* The linux object of config.json. */
#include "abi/mount.h"
#include "abi/stat.h"
#include "runsc-c/oci/spec.h"
#include "sentry/time/clock.h"

#include <string.h>
#include <sys/sysmacros.h>

#define MAPPINGS_MAX 340 /* as many as Linux takes */

/* --- namespaces and ids --- */

struct given_namespace {
	int type;
	const char *path;
};

static int read_namespace(struct reader *reader, json_t *object, void *out)
{
	/* As enum oci_namespace_type. */
	static const char *const types[] = {
		"pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time", NULL};
	struct given_namespace *given = out;
	const char *type;

	if (read_required_string(reader, object, "type", &type) ||
		read_string(reader, object, "path", &given->path))
		return -1;
	given->type = read_word(reader, type, types);
	if (given->type < 0)
		return -1;
	if (given->path && !given->path[0])
		given->path = NULL;
	if (given->path && given->path[0] != '/')
		return reader_fail(reader, "path: %s is not absolute", given->path);
	return 0;
}

static int read_namespaces(struct reader *reader, json_t *object, struct oci_spec *spec)
{
	struct given_namespace *given;
	void *items = NULL;
	size_t count;

	if (read_objects(
		    reader, object, "namespaces", sizeof(*given), read_namespace, &items, &count))
		return -1;
	given = items;
	for (size_t i = 0; i < count; i++) {
		struct oci_namespace *ns = &spec->namespaces[given[i].type];

		if (ns->given)
			return reader_fail(
				reader, "namespaces[%zu]: this type was given before", i);
		*ns = (struct oci_namespace){.given = true, .path = given[i].path};
	}
	if (spec->namespaces[OCI_NAMESPACE_TIME].path)
		return reader_fail(reader,
			"namespaces: time: a path is not supported: each container has clocks of "
			"its own, or its sandbox's");
	return 0;
}

static int read_mapping(struct reader *reader, json_t *object, void *out)
{
	struct oci_id_mapping *mapping = out;

	return read_u32(reader, object, "containerID", &mapping->inside) ||
			       read_u32(reader, object, "hostID", &mapping->outside) ||
			       read_u32(reader, object, "size", &mapping->count)
		       ? -1
		       : 0;
}

int oci_read_mappings(struct reader *reader, json_t *object, const char *name,
	struct oci_id_mapping **out, size_t *count)
{
	void *mappings = NULL;

	if (read_objects(reader, object, name, sizeof(struct oci_id_mapping), read_mapping,
		    &mappings, count))
		return -1;
	*out = mappings;
	return *count > MAPPINGS_MAX ? reader_fail(reader, "%s: more than %d", name, MAPPINGS_MAX)
				     : 0;
}

char *oci_map_lines(struct arena *arena, const struct oci_id_mapping *mappings, size_t count)
{
	char *lines = arena_string(arena, "");

	for (size_t i = 0; i < count && lines; i++)
		lines = arena_format(arena, "%s%u %u %u\n", lines, mappings[i].inside,
			mappings[i].outside, mappings[i].count);
	return lines;
}

static int read_mappings(struct reader *reader, json_t *object, struct oci_spec *spec)
{
	const bool has_namespace = spec->namespaces[OCI_NAMESPACE_USER].given;

	if (oci_read_mappings(
		    reader, object, "uidMappings", &spec->uid_mappings, &spec->uid_mapping_count) ||
		oci_read_mappings(reader, object, "gidMappings", &spec->gid_mappings,
			&spec->gid_mapping_count))
		return -1;
	if ((spec->uid_mapping_count || spec->gid_mapping_count) && !has_namespace)
		return reader_fail(reader, "uidMappings, gidMappings: without a user namespace");
	return 0;
}

/* --- devices --- */

static int read_device(struct reader *reader, json_t *object, void *out)
{
	static const char *const types[] = {"c", "u", "b", "p", NULL};
	static const uint32_t modes[] = {
		LINUX_S_IFCHR, LINUX_S_IFCHR, LINUX_S_IFBLK, LINUX_S_IFIFO};
	struct oci_device *device = out;
	int64_t major = 0, minor = 0;
	uint64_t mode = 0666;
	const char *type;
	int number;

	if (read_required_string(reader, object, "type", &type) ||
		read_required_string(reader, object, "path", &device->path))
		return -1;
	number = read_word(reader, type, types);
	if (number < 0 || read_integer(reader, object, "major", -1, 0xfff, &major) ||
		read_integer(reader, object, "minor", -1, 0xfffff, &minor) ||
		read_unsigned(reader, object, "fileMode", 0177777, &mode) ||
		read_u32(reader, object, "uid", &device->uid) ||
		read_u32(reader, object, "gid", &device->gid))
		return -1;
	if (device->path[0] != '/')
		return reader_fail(reader, "path: %s is not absolute", device->path);
	device->mode = modes[number] | (uint32_t)(mode & 07777);
	device->rdev = number == 3 ? 0 : makedev((unsigned int)major, (unsigned int)minor);
	return 0;
}

/* --- the rest --- */

static int read_propagation(struct reader *reader, json_t *object, struct oci_spec *spec)
{
	static const char *const words[] = {"", "shared", "slave", "private", "unbindable",
		"rshared", "rslave", "rprivate", "runbindable", NULL};
	static const unsigned long flags[] = {
		0, LINUX_MS_SHARED, LINUX_MS_SLAVE, LINUX_MS_PRIVATE, LINUX_MS_UNBINDABLE};
	const char *word = "";
	int number;

	if (read_string(reader, object, "rootfsPropagation", &word))
		return -1;
	number = read_word(reader, word, words);
	if (number < 0)
		return -1;
	spec->root_propagation = number > 4 ? flags[number - 4] | LINUX_MS_REC : flags[number];
	return 0;
}

static int read_personality(struct reader *reader, json_t *object, struct oci_spec *spec)
{
	static const char *const domains[] = {"LINUX", "LINUX32", NULL};
	json_t *personality = NULL;
	const char *domain = "LINUX";
	int number;

	if (read_object(reader, object, "personality", &personality))
		return -1;
	if (!personality)
		return 0;
	if (read_string(reader, personality, "domain", &domain) ||
		refuse(reader, personality, "flags", "the specification defines none"))
		return -1;
	number = read_word(reader, domain, domains);
	spec->personality = number == 1 ? 0x0008 : 0;
	return number < 0 ? -1 : 0;
}

static int read_offset(struct reader *reader, json_t *object, const char *name, int64_t *out)
{
	json_t *offset = NULL;
	int64_t seconds = 0, nanoseconds = 0;
	size_t mark;

	if (read_object(reader, object, name, &offset))
		return -1;
	if (!offset)
		return 0;
	mark = reader_enter(reader, name);
	if (read_integer(reader, offset, "secs", INT64_MIN / NSEC_PER_SEC + 1,
		    INT64_MAX / NSEC_PER_SEC - 1, &seconds) ||
		read_integer(reader, offset, "nanosecs", 0, NSEC_PER_SEC - 1, &nanoseconds))
		return -1;
	*out = seconds * NSEC_PER_SEC + nanoseconds;
	reader_leave(reader, mark);
	return 0;
}

static int read_time_offsets(struct reader *reader, json_t *object, struct oci_spec *spec)
{
	json_t *offsets = NULL;
	size_t mark;

	if (read_object(reader, object, "timeOffsets", &offsets))
		return -1;
	if (!json_object_size(offsets))
		return 0;
	mark = reader_enter(reader, "timeOffsets");
	if (!spec->namespaces[OCI_NAMESPACE_TIME].given)
		return reader_fail(reader, "without a time namespace");
	if (read_offset(reader, offsets, "monotonic", &spec->time_offsets.monotonic_ns) ||
		read_offset(reader, offsets, "boottime", &spec->time_offsets.boottime_ns))
		return -1;
	reader_leave(reader, mark);
	return 0;
}

/* An engine may only set what the container's own namespaces hold. */
static int check_sysctls(struct reader *reader, const struct oci_spec *spec)
{
	for (size_t i = 0; i < spec->sysctl_count; i++) {
		const char *name = spec->sysctls[i].name;

		if (!*name || *name == '/' || strstr(name, "..") || strlen(name) > 200)
			return reader_fail(reader, "sysctl.%s: no name of a setting", name);
	}
	return 0;
}

static int read_resources(struct reader *reader, json_t *object, struct oci_spec *spec)
{
	json_t *resources = NULL;

	if (read_object(reader, object, "resources", &resources))
		return -1;
	if (!resources)
		return 0;
	spec->resources = json_incref(resources);
	return oci_check_resources(reader, resources);
}

int oci_read_linux(struct reader *reader, json_t *object, struct oci_spec *spec)
{
	size_t mark = reader_enter(reader, "linux");
	void *devices = NULL;

	if (read_namespaces(reader, object, spec) || read_mappings(reader, object, spec) ||
		read_objects(reader, object, "devices", sizeof(struct oci_device), read_device,
			&devices, &spec->device_count) ||
		read_string(reader, object, "cgroupsPath", &spec->cgroups_path) ||
		read_resources(reader, object, spec) ||
		read_pairs(reader, object, "sysctl", &spec->sysctls, &spec->sysctl_count) ||
		check_sysctls(reader, spec) || oci_read_seccomp(reader, object, &spec->seccomp) ||
		read_strings(reader, object, "maskedPaths", &spec->masked_paths, NULL) ||
		read_strings(reader, object, "readonlyPaths", &spec->read_only_paths, NULL) ||
		read_propagation(reader, object, spec) ||
		read_string(reader, object, "mountLabel", &spec->mount_label) ||
		read_personality(reader, object, spec) || read_time_offsets(reader, object, spec) ||
		refuse(reader, object, "intelRdt",
			"the sandbox assigns no caches or memory bandwidth") ||
		refuse(reader, object, "netDevices", "guests hold no devices of the host's"))
		return -1;
	spec->devices = devices;
	reader_leave(reader, mark);
	return 0;
}
