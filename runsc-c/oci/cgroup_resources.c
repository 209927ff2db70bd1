/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.resources as values of cgroup files, of version 1 and of version 2.
 *
 * Devices are not limited here: a guest opens no device of the host, its own kernel's are harmless.
 */
#include "base/cleanup.h"
#include "runsc-c/oci/cgroup.h"
#include "runsc-c/oci/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum conversion {
	PLAIN, /* the number as it is */
	TEXT,
	FLAG,
	LIMIT,	/* -1 means none; "max" in version 2 */
	PIDS,	/* 0 and less mean none */
	SHARES, /* 2..262144 to 1..10000 */
	WEIGHT, /* 10..1000 to 1..10000 */
	SWAP,	/* with memory in version 1, without in version 2 */
	QUOTA,	/* one file with the period in version 2 */
	PERIOD,
	OBSOLETE, /* accepted and without effect */
};

static const struct knob {
	const char *section, *member, *controller, *v1, *v2;
	enum conversion conversion;
} knobs[] = {
	{"memory", "limit", "memory", "memory.limit_in_bytes", "memory.max", LIMIT},
	{"memory", "reservation", "memory", "memory.soft_limit_in_bytes", "memory.low", LIMIT},
	{"memory", "swap", "memory", "memory.memsw.limit_in_bytes", "memory.swap.max", SWAP},
	{"memory", "swappiness", "memory", "memory.swappiness", NULL, PLAIN},
	{"memory", "disableOOMKiller", "memory", "memory.oom_control", NULL, FLAG},
	{"memory", "useHierarchy", NULL, NULL, NULL, OBSOLETE},
	{"memory", "kernel", NULL, NULL, NULL, OBSOLETE},
	{"memory", "kernelTCP", NULL, NULL, NULL, OBSOLETE},
	{"memory", "checkBeforeUpdate", NULL, NULL, NULL, OBSOLETE},
	{"cpu", "shares", "cpu", "cpu.shares", "cpu.weight", SHARES},
	{"cpu", "period", "cpu", "cpu.cfs_period_us", "cpu.max", PERIOD},
	{"cpu", "quota", "cpu", "cpu.cfs_quota_us", "cpu.max", QUOTA},
	{"cpu", "burst", "cpu", "cpu.cfs_burst_us", "cpu.max.burst", PLAIN},
	{"cpu", "realtimePeriod", "cpu", "cpu.rt_period_us", NULL, PLAIN},
	{"cpu", "realtimeRuntime", "cpu", "cpu.rt_runtime_us", NULL, PLAIN},
	{"cpu", "cpus", "cpuset", "cpuset.cpus", "cpuset.cpus", TEXT},
	{"cpu", "mems", "cpuset", "cpuset.mems", "cpuset.mems", TEXT},
	{"cpu", "idle", "cpu", "cpu.idle", "cpu.idle", PLAIN},
	{"pids", "limit", "pids", "pids.max", "pids.max", PIDS},
	{"blockIO", "weight", "blkio", "blkio.weight", "io.weight", WEIGHT},
	{"blockIO", "leafWeight", "blkio", "blkio.leaf_weight", NULL, PLAIN},
};

static int64_t number_of(json_t *value)
{
	return json_is_integer(value) ? json_integer_value(value) : (int64_t)json_real_value(value);
}

/* --- reading --- */

static int check_knob(struct reader *reader, json_t *section, const struct knob *knob)
{
	const char *text;
	int64_t number;
	bool flag;

	switch (knob->conversion) {
	case TEXT:
		return read_string(reader, section, knob->member, &text);
	case FLAG:
		return read_bool(reader, section, knob->member, &flag);
	case OBSOLETE:
		return 0;
	default:
		return read_integer(reader, section, knob->member, -1, INT64_MAX, &number);
	}
}

int oci_check_resources(struct reader *reader, json_t *object)
{
	size_t mark = reader_enter(reader, "resources");
	struct string_pair *unified = NULL;
	json_t *unused = NULL;
	size_t count;

	for (size_t i = 0; i < array_count(knobs); i++) {
		json_t *section = NULL;
		size_t inner;

		if (read_object(reader, object, knobs[i].section, &section))
			return -1;
		inner = reader_enter(reader, knobs[i].section);
		if (section && check_knob(reader, section, &knobs[i]))
			return -1;
		reader_leave(reader, inner);
	}
	if (read_array(reader, object, "devices", &unused) ||
		read_pairs(reader, object, "unified", &unified, &count) ||
		oci_check_device_limits(reader, object))
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (strchr(unified[i].name, '/') || unified[i].name[0] == '.')
			return reader_fail(
				reader, "unified.%s: no file of a cgroup", unified[i].name);
	}
	reader_leave(reader, mark);
	return 0;
}

/* --- writing --- */

static int write_value(
	const char *directory, const char *file, const char *text, struct failure *failure)
{
	char path[PATH_MAX];
	auto_close int fd = -1;

	snprintf(path, sizeof(path), "%s/%s", directory, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return fail_errno(
			failure, errno, "linux.resources: cannot write %s to %s", text, path);
	return 0;
}

int cgroup_write(const struct cgroup *cgroup, const char *controller, const char *file,
	const char *text, const char *member, struct failure *failure)
{
	const char *directory = cgroup_of(cgroup, controller);
	char path[PATH_MAX];

	if (directory && file) {
		snprintf(path, sizeof(path), "%s/%s", directory, file);
		if (!access(path, F_OK))
			return write_value(directory, file, text, failure);
	}
	return fail(failure, STATUS_INTERNAL,
		"linux.resources.%s: the host has no such cgroup setting for the caller", member);
}

/* How version 2 says it. False: there is nothing to say. */
static bool convert(
	const struct knob *knob, int64_t number, json_t *section, char *text, size_t size)
{
	int64_t other;

	switch (knob->conversion) {
	case LIMIT:
	case PIDS:
		if (number < 0 || (number == 0 && knob->conversion == PIDS))
			snprintf(text, size, "max");
		else
			snprintf(text, size, "%" PRId64, number);
		return number != 0 || knob->conversion == PIDS;
	case SHARES:
		snprintf(text, size, "%" PRId64, number ? 1 + ((number - 2) * 9999) / 262142 : 100);
		return number != 0;
	case WEIGHT:
		snprintf(text, size, "%" PRId64, 1 + (number - 10) * 9999 / 990);
		return number != 0;
	case SWAP:
		other = number_of(json_object_get(section, "limit"));
		snprintf(text, size, number < 0 ? "max" : "%" PRId64, number - other);
		return number != 0;
	case QUOTA:
		other = number_of(json_object_get(section, "period"));
		if (number > 0)
			snprintf(
				text, size, "%" PRId64 " %" PRId64, number, other ? other : 100000);
		else
			snprintf(text, size, "max %" PRId64, other ? other : 100000);
		return number != 0;
	case PERIOD:
		snprintf(text, size, "max %" PRId64, number);
		return number && !json_object_get(section, "quota");
	default:
		snprintf(text, size, "%" PRId64, number);
		return true;
	}
}

static bool convert_v1(const struct knob *knob, int64_t number, char *text, size_t size)
{
	if (knob->conversion == PIDS && number <= 0) {
		snprintf(text, size, "max");
		return true;
	}
	snprintf(text, size, "%" PRId64, number);
	return number != 0 || knob->conversion == PLAIN;
}

/* Whether leaving it out changes nothing. */
static bool is_no_limit(const struct knob *knob, json_t *value)
{
	if (knob->conversion == TEXT)
		return !json_string_length(value);
	if (knob->conversion == FLAG)
		return !json_is_true(value);
	return knob->conversion == SHARES || knob->conversion == SWAP ||
	       knob->conversion == PERIOD || knob->conversion == WEIGHT || number_of(value) <= 0;
}

static int apply_knob(const struct cgroup *cgroup, const struct knob *knob, json_t *section,
	struct failure *failure)
{
	json_t *value = json_object_get(section, knob->member);
	const char *directory = knob->controller ? cgroup_of(cgroup, knob->controller) : NULL;
	const char *file = cgroup->unified ? knob->v2 : knob->v1;
	char text[64], path[PATH_MAX];

	if (!value || json_is_null(value) || knob->conversion == OBSOLETE)
		return 0;
	if (directory && file)
		snprintf(path, sizeof(path), "%s/%s", directory, file);
	if (!directory || !file || access(path, F_OK)) {
		if (is_no_limit(knob, value))
			return 0;
		return fail(failure, STATUS_INTERNAL,
			"linux.resources.%s.%s: the host has no such cgroup setting for the caller",
			knob->section, knob->member);
	}
	if (knob->conversion == TEXT)
		return json_string_length(value)
			       ? write_value(directory, file, json_string_value(value), failure)
			       : 0;
	if (knob->conversion == FLAG)
		return json_is_true(value) ? write_value(directory, file, "1", failure) : 0;
	if (!(cgroup->unified ? convert(knob, number_of(value), section, text, sizeof(text))
			      : convert_v1(knob, number_of(value), text, sizeof(text))))
		return 0;
	return write_value(directory, file, text, failure);
}

/* Version 1 wants memory with swap never below memory: the one that grows goes first. */
static int apply_memory_v1(const struct cgroup *cgroup, json_t *memory, struct failure *failure)
{
	json_t *limit = json_object_get(memory, "limit"), *swap = json_object_get(memory, "swap");
	uint64_t now;
	bool swap_first = limit && swap && number_of(limit) > 0 &&
			  cgroup_number(cgroup, "memory", "memory.memsw.limit_in_bytes", &now) &&
			  (uint64_t)number_of(limit) > now;

	if (swap_first && apply_knob(cgroup, &knobs[2], memory, failure))
		return -1;
	return apply_knob(cgroup, &knobs[0], memory, failure);
}

static int apply_unified(const struct cgroup *cgroup, json_t *map, struct failure *failure)
{
	json_t *value;
	const char *file;

	json_object_foreach(map, file, value)
	{
		if (!cgroup->unified)
			return fail(failure, STATUS_INTERNAL,
				"linux.resources.unified: the host's cgroups are of version 1");
		if (write_value(cgroup_of(cgroup, ""), file, json_string_value(value), failure))
			return -1;
	}
	return 0;
}

/* --- room for the sandbox itself --- */

#define ROOM_MEMORY	  (64ll << 20)
#define ROOM_PROCESSES	  256 /* threads and pooled stubs that wait for work */
#define PROCESSES_FOR_ONE 3   /* its host thread, its stub, and a stub that is being made */

static void raise(json_t *section, const char *name, json_int_t factor, json_int_t more)
{
	json_t *value = json_object_get(section, name);
	json_int_t number;

	if (!json_is_number(value) || number_of(value) <= 0)
		return;
	if (!__builtin_mul_overflow((json_int_t)number_of(value), factor, &number) &&
		!__builtin_add_overflow(number, more, &number))
		(void)json_object_set_new(section, name, json_integer(number));
}

json_t *cgroup_with_room(json_t *resources)
{
	json_t *copy = json_deep_copy(resources);

	raise(json_object_get(copy, "memory"), "limit", 1, ROOM_MEMORY);
	raise(json_object_get(copy, "memory"), "swap", 1, ROOM_MEMORY);
	raise(json_object_get(copy, "pids"), "limit", PROCESSES_FOR_ONE, ROOM_PROCESSES);
	return copy;
}

int cgroup_apply(const struct cgroup *cgroup, json_t *resources, struct failure *failure)
{
	if (!resources)
		return 0;
	if (!cgroup->unified && json_object_get(resources, "memory") &&
		apply_memory_v1(cgroup, json_object_get(resources, "memory"), failure))
		return -1;
	for (size_t i = 0; i < array_count(knobs); i++) {
		json_t *section = json_object_get(resources, knobs[i].section);

		if (section && apply_knob(cgroup, &knobs[i], section, failure))
			return -1;
	}
	return cgroup_apply_devices(cgroup, resources, failure) ||
			       apply_unified(cgroup, json_object_get(resources, "unified"), failure)
		       ? -1
		       : 0;
}
