/* SPDX-License-Identifier: Apache-2.0 */
/* Where a container's cgroup is, making it, and taking it away. Values are cgroup_resources.c's. */
#include "runsc-c/oci/cgroup.h"

#include "base/cleanup.h"
#include "runsc-c/oci/cgroup_systemd.h"
#include "runsc-c/oci/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define REMOVE_TRIES 200 /* of 5 ms */

/* --- where --- */

/* The caller's own cgroup in a hierarchy, from the lines N:CONTROLLERS:PATH of /proc/self/cgroup.
 */
static char *own_path(const char *controllers)
{
	auto_free char *line = NULL;
	char *found = NULL;
	size_t size = 0;
	FILE *file = fopen("/proc/self/cgroup", "re");

	while (file && !found && getline(&line, &size, file) > 0) {
		char *list = strchr(line, ':'), *path = list ? strchr(list + 1, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';
		path[strcspn(path, "\n")] = '\0';
		if (!strcmp(list + 1, controllers))
			found = strdup(path);
	}
	if (file)
		fclose(file);
	return found;
}

/* A path that a bundle names must not lead out of the hierarchy. */
static bool has_dots(const char *path)
{
	for (const char *part = path; part; part = strchr(part, '/')) {
		part += *part == '/';
		if (!strncmp(part, "..", 2) && (part[2] == '/' || !part[2]))
			return true;
	}
	return false;
}

/* "a-b.slice" lies in "a.slice". */
static int expand_slice(const char *slice, char *out, size_t size)
{
	size_t length = strlen(slice), used = 0;

	if (length < 7 || strcmp(slice + length - 6, ".slice") || strchr(slice, '/'))
		return -1;
	out[0] = '\0';
	for (size_t i = 1; i <= length - 6 && used < size; i++) {
		if (slice[i] == '-' || i == length - 6)
			used += (size_t)snprintf(
				out + used, size - used, "/%.*s.slice", (int)i, slice);
	}
	return used < size ? 0 : -1;
}

/* The parts of SLICE:PREFIX:NAME; an empty slice is the default one. */
static int split_scope(const char *path, char *slice, char *prefix, char *name)
{
	const char *first = strchr(path, ':'), *second = first ? strchr(first + 1, ':') : NULL;

	if (!second || strchr(second + 1, ':') || first - path > 255 || second - first > 256 ||
		strlen(second + 1) > 511 || second == first + 1 || !second[1])
		return -1;
	if (first > path)
		snprintf(slice, 256, "%.*s", (int)(first - path), path);
	snprintf(prefix, 256, "%.*s", (int)(second - first - 1), first + 1);
	snprintf(name, 512, "%s", second + 1);
	return 0;
}

static int systemd_path(struct cgroup *cgroup, const char *path, const char *id, char *out,
	size_t size, struct failure *failure)
{
	const bool user = g_runtime.user_systemd;
	char slice[256], prefix[256] = "csandbox", name[512], place[1024];
	auto_free char *above = user ? cgroup_systemd_above(failure) : NULL;

	if (user && !above)
		return -1;
	snprintf(slice, sizeof(slice), "%s.slice", user ? "user" : "system");
	snprintf(name, sizeof(name), "%s", id);
	if (path && *path && split_scope(path, slice, prefix, name))
		return fail(failure, STATUS_INTERNAL,
			"linux.cgroupsPath: %s is not of the form SLICE:PREFIX:NAME that "
			"--systemd-cgroup wants",
			path);
	if (expand_slice(slice, place, sizeof(place)) || strchr(prefix, '/') || strchr(name, '/'))
		return fail(failure, STATUS_INTERNAL, "linux.cgroupsPath: %s is no slice", slice);
	cgroup->slice = strdup(slice);
	if (!cgroup->slice || asprintf(&cgroup->unit, "%s-%s.scope", prefix, name) < 0) {
		cgroup->unit = NULL;
		return fail_errno(failure, ENOMEM, "linux.cgroupsPath");
	}
	snprintf(out, size, "%s%s/%s", above ? above : "", place, cgroup->unit);
	return 0;
}

static int add(struct cgroup *cgroup, const char *mount, const char *controllers, const char *path,
	const char *name)
{
	struct cgroup_directory *directory = &cgroup->directories[cgroup->count];
	auto_free char *own = NULL;

	if (cgroup->count == CGROUP_DIRECTORIES_MAX)
		return 0;
	if (!path || path[0] != '/') {
		own = own_path(controllers);
		if (!own)
			own = strdup("/");
	}
	directory->controllers = strdup(controllers);
	if (!directory->controllers ||
		asprintf(&directory->path, "%s%s%s%s", mount, own && strcmp(own, "/") ? own : "",
			own ? "/" : "", path && *path ? path : name) < 0)
		return -1;
	cgroup->count++;
	return 0;
}

/* The options of a version 1 hierarchy as /proc/self/cgroup names it. */
static void keep_controllers(char *options)
{
	static const char *const known[] = {"cpu", "cpuacct", "cpuset", "memory", "devices",
		"freezer", "blkio", "pids", "net_cls", "net_prio", "perf_event", "hugetlb", "rdma",
		"misc"};
	char kept[256] = "", *save = NULL;

	for (char *word = strtok_r(options, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		bool is_known = !strncmp(word, "name=", 5);

		for (size_t i = 0; i < array_count(known); i++)
			is_known |= !strcmp(known[i], word);
		if (is_known && strlen(kept) + strlen(word) + 2 < sizeof(kept)) {
			strcat(kept, kept[0] ? "," : "");
			strcat(kept, word);
		}
	}
	strcpy(options, kept);
}

/* One line of mountinfo: the fifth field is the place; after " - " come type, source, options. */
static int take_mount(struct cgroup *cgroup, char *line, const char *path, const char *name)
{
	char place[PATH_MAX], type[64], options[1024];
	char *rest = strstr(line, " - ");

	if (!rest || sscanf(line, "%*s %*s %*s %*s %4095s", place) != 1 ||
		sscanf(rest, " - %63s %*s %1023s", type, options) != 2)
		return 0;
	if (!strcmp(type, "cgroup2")) {
		if (!strcmp(place, "/sys/fs/cgroup"))
			cgroup->unified = true;
		return add(cgroup, place, "", path, name);
	}
	if (strcmp(type, "cgroup") != 0)
		return 0;
	keep_controllers(options);
	return options[0] ? add(cgroup, place, options, path, name) : 0;
}

int cgroup_find(struct cgroup *cgroup, const char *path, const char *name, bool systemd,
	struct failure *failure)
{
	char scope[4096];
	auto_free char *line = NULL;
	size_t size = 0;
	int result = 0;
	FILE *file;

	*cgroup = (struct cgroup){0};
	if (systemd) {
		if (systemd_path(cgroup, path, name, scope, sizeof(scope), failure))
			return -1;
		path = scope;
	}
	if (path && has_dots(path))
		return fail(
			failure, STATUS_INTERNAL, "linux.cgroupsPath: %s leads elsewhere", path);
	file = fopen("/proc/self/mountinfo", "re");
	while (file && !result && getline(&line, &size, file) > 0)
		result = take_mount(cgroup, line, path, name);
	if (file)
		fclose(file);
	return result ? fail_errno(failure, ENOMEM, "cannot find the cgroups") : 0;
}

bool cgroup_find_beside(struct cgroup *cgroup, const char *name)
{
	auto_free char *own = own_path(""), *path = NULL;
	struct failure unused;

	*cgroup = (struct cgroup){0};
	if (!own || !strcmp(own, "/"))
		return false;
	*strrchr(own, '/') = '\0';
	if (asprintf(&path, "%s/%s", own, name) < 0) {
		path = NULL;
		return false;
	}
	if (!cgroup_find(cgroup, path, name, false, &unused) && cgroup->unified)
		return true;
	cgroup_free(cgroup);
	return false;
}

const char *cgroup_of(const struct cgroup *cgroup, const char *controller)
{
	size_t length = strlen(controller);

	for (size_t i = 0; i < cgroup->count; i++) {
		const struct cgroup_directory *directory = &cgroup->directories[i];

		if (!directory->path)
			continue;
		if (!directory->controllers[0] && cgroup->unified)
			return directory->path;
		for (const char *word = directory->controllers; word; word = strchr(word, ',')) {
			word += *word == ',';
			if (!strncmp(word, controller, length) &&
				(!word[length] || word[length] == ','))
				return directory->path;
		}
	}
	return NULL;
}

/* --- making --- */

static int copy_setting(const char *from, const char *to, const char *file)
{
	char path[PATH_MAX], value[4096];
	auto_close int in = -1, out = -1;
	ssize_t size;

	snprintf(path, sizeof(path), "%s/%s", to, file);
	out = open(path, O_RDWR | O_CLOEXEC);
	size = out < 0 ? -1 : read(out, value, sizeof(value));
	if (size < 0)
		return out < 0 && errno == ENOENT ? 0 : -1;
	if (size > 1)
		return 0;
	snprintf(path, sizeof(path), "%s/%s", from, file);
	in = open(path, O_RDONLY | O_CLOEXEC);
	size = in < 0 ? -1 : read(in, value, sizeof(value));
	return size > 0 && write(out, value, (size_t)size) == size ? 0 : -1;
}

/* A fresh cpuset of version 1 allows nothing, and nobody may enter it. */
static void inherit_cpuset(const char *above, const char *path)
{
	(void)copy_setting(above, path, "cpuset.cpus");
	(void)copy_setting(above, path, "cpuset.mems");
}

/* Version 2: what is below may only be limited if each directory above hands the controllers on. */
static void hand_controllers_on(const char *above)
{
	static const char *const controllers[] = {
		"+cpu", "+cpuset", "+io", "+memory", "+pids", "+hugetlb"};
	char path[PATH_MAX + 32];
	auto_close int fd = -1;

	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", above);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	for (size_t i = 0; fd >= 0 && i < array_count(controllers); i++)
		(void)!write(fd, controllers[i], strlen(controllers[i]));
}

static int make_one(const struct cgroup *cgroup, const struct cgroup_directory *directory)
{
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s", directory->path) >= sizeof(path))
		return -ENAMETOOLONG;
	for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		char above[PATH_MAX];
		bool made;

		if (slash)
			*slash = '\0';
		snprintf(above, sizeof(above), "%s", path);
		*strrchr(above, '/') = '\0';
		made = !mkdir(path, 0755);
		if (!made && errno != EEXIST)
			return -errno;
		if (made && strstr(directory->controllers, "cpuset"))
			inherit_cpuset(above, path);
		if (made && !directory->controllers[0] && cgroup->unified)
			hand_controllers_on(above);
		if (!slash)
			return 0;
		*slash = '/';
	}
}

static bool has_members(const char *path)
{
	char file[PATH_MAX], first;
	auto_close int fd = -1;

	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, &first, 1) == 1;
}

int cgroup_check_unused(const struct cgroup *cgroup, struct failure *failure)
{
	for (size_t i = 0; i < cgroup->count; i++) {
		const char *path = cgroup->directories[i].path;

		if (path && has_members(path))
			return fail(failure, STATUS_INTERNAL,
				"the cgroup %s has processes already: a container needs one of its "
				"own",
				path);
	}
	return 0;
}

static void drop(struct cgroup_directory *directory)
{
	free(steal_pointer(&directory->path));
}

int cgroup_make(struct cgroup *cgroup, struct failure *failure)
{
	for (size_t i = 0; i < cgroup->count; i++) {
		struct cgroup_directory *directory = &cgroup->directories[i];
		int error = make_one(cgroup, directory);

		if (!error)
			continue;
		if (error != -EACCES && error != -EPERM && error != -EROFS)
			return fail_errno(
				failure, -error, "cannot make the cgroup %s", directory->path);
		drop(directory);
	}
	return 0;
}

int cgroup_enter(const struct cgroup *cgroup, pid_t pid, struct failure *failure)
{
	char path[PATH_MAX], text[16];
	int size = snprintf(text, sizeof(text), "%d", pid);

	for (size_t i = 0; i < cgroup->count; i++) {
		auto_close int fd = -1;

		if (!cgroup->directories[i].path)
			continue;
		snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup->directories[i].path);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, text, (size_t)size) != size)
			return fail_errno(failure, errno, "cannot enter the cgroup %s",
				cgroup->directories[i].path);
	}
	return 0;
}

/* --- the end --- */

static bool remove_one(const char *path)
{
	const struct timespec pause = {.tv_nsec = 5000000};

	for (int i = 0; i < REMOVE_TRIES; i++) {
		if (!rmdir(path) || errno == ENOENT)
			return true;
		if (errno != EBUSY)
			return false;
		nanosleep(&pause, NULL);
	}
	return false;
}

bool cgroup_remove(const struct cgroup *cgroup)
{
	bool removed = true;

	if (cgroup->unit)
		cgroup_systemd_stop(cgroup);
	for (size_t i = 0; i < cgroup->count; i++) {
		if (cgroup->directories[i].path)
			removed &= remove_one(cgroup->directories[i].path);
	}
	return removed;
}

void cgroup_kill(const struct cgroup *cgroup)
{
	char path[PATH_MAX];
	int pid;

	for (size_t i = 0; i < cgroup->count; i++) {
		FILE *file;

		if (!cgroup->directories[i].path)
			continue;
		snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup->directories[i].path);
		file = fopen(path, "re");
		while (file && fscanf(file, "%d", &pid) == 1) {
			if (pid > 1 && pid != getpid())
				kill(pid, SIGKILL);
		}
		if (file)
			fclose(file);
	}
}

bool cgroup_number(
	const struct cgroup *cgroup, const char *controller, const char *file, uint64_t *value)
{
	const char *directory = cgroup_of(cgroup, controller);
	char path[PATH_MAX], text[32] = "";
	auto_close int fd = -1;

	if (!directory)
		return false;
	snprintf(path, sizeof(path), "%s/%s", directory, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return false;
	*value = !strncmp(text, "max", 3) ? UINT64_MAX : strtoull(text, NULL, 10);
	return true;
}

/* --- kept --- */

json_t *cgroup_to_json(const struct cgroup *cgroup)
{
	json_t *array = json_array();

	if (cgroup->unit)
		(void)json_array_append_new(array,
			json_pack("{s:s, s:s}", "unit", cgroup->unit, "slice", cgroup->slice));
	for (size_t i = 0; i < cgroup->count; i++) {
		const struct cgroup_directory *directory = &cgroup->directories[i];

		if (directory->path)
			(void)json_array_append_new(array,
				json_pack("{s:s, s:s, s:b}", "controllers", directory->controllers,
					"path", directory->path, "unified", cgroup->unified));
	}
	return array;
}

void cgroup_from_json(struct cgroup *cgroup, json_t *array)
{
	json_t *item;
	size_t index;

	*cgroup = (struct cgroup){0};
	json_array_foreach(array, index, item)
	{
		struct cgroup_directory *directory = &cgroup->directories[cgroup->count];
		const char *controllers = json_string_value(json_object_get(item, "controllers"));
		const char *path = json_string_value(json_object_get(item, "path"));
		const char *unit = json_string_value(json_object_get(item, "unit"));

		if (unit && !cgroup->unit)
			cgroup->unit = strdup(unit);
		if (!controllers || !path || cgroup->count == CGROUP_DIRECTORIES_MAX)
			continue;
		directory->controllers = strdup(controllers);
		directory->path = strdup(path);
		cgroup->unified |= json_is_true(json_object_get(item, "unified"));
		cgroup->count++;
	}
}

void cgroup_free(struct cgroup *cgroup)
{
	for (size_t i = 0; i < cgroup->count; i++) {
		free(cgroup->directories[i].controllers);
		free(cgroup->directories[i].path);
	}
	free(cgroup->unit);
	free(cgroup->slice);
	*cgroup = (struct cgroup){0};
}
