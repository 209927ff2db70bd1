/* SPDX-License-Identifier: Apache-2.0 */
/* `csandbox update` and `csandbox events`: limits and use of a container's resources. */
#include "base/cleanup.h"
#include "runsc-c/oci/cgroup_systemd.h"
#include "runsc-c/oci/lifecycle.h"
#include "runsc-c/oci/runtime.h"
#include "runsc-c/oci/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* --- update --- */

static json_t *section(json_t *resources, const char *name)
{
	json_t *object = json_object_get(resources, name);

	if (!object) {
		object = json_object();
		(void)json_object_set_new(resources, name, object);
	}
	return object;
}

static const struct {
	const char *option, *section, *member;
	bool text, bytes;
	const char *argument, *help;
} update_options[] = {
	{"blkio-weight", "blockIO", "weight", false, false, "NUMBER",
		"weight of its input and output, 10 to 1000"},
	{"cpu-period", "cpu", "period", false, false, "MICROSECONDS",
		"of which --cpu-quota is a part"},
	{"cpu-quota", "cpu", "quota", false, false, "MICROSECONDS",
		"processor time in each period"},
	{"cpu-burst", "cpu", "burst", false, false, "MICROSECONDS",
		"that may be saved up beyond the quota"},
	{"cpu-share", "cpu", "shares", false, false, "NUMBER", "weight of its processor time"},
	{"cpu-rt-period", "cpu", "realtimePeriod", false, false, "MICROSECONDS",
		"--cpu-period of real-time processes"},
	{"cpu-rt-runtime", "cpu", "realtimeRuntime", false, false, "MICROSECONDS",
		"--cpu-quota of real-time processes"},
	{"cpuset-cpus", "cpu", "cpus", true, false, "LIST", "processors of the host, as 0-2,5"},
	{"cpuset-mems", "cpu", "mems", true, false, "LIST", "memory nodes of the host"},
	{"cpu-idle", "cpu", "idle", false, false, "0|1",
		"whether it runs only where nobody else does"},
	{"memory", "memory", "limit", false, true, "BYTES", "the limit; also 512m, 2g"},
	{"memory-reservation", "memory", "reservation", false, true, "BYTES",
		"what it is brought back to under pressure"},
	{"memory-swap", "memory", "swap", false, true, "BYTES", "memory and swap together"},
	{"pids-limit", "pids", "limit", false, false, "NUMBER", "processes and threads at once"},
};

/* With k, m, g behind it where it counts bytes. */
static int parse_amount(
	const char *option, const char *text, bool bytes, json_int_t *out, struct failure *failure)
{
	static const char units[] = "kmgt";
	char *end;
	const char *unit;

	errno = 0;
	*out = strtoll(text, &end, 10);
	unit = bytes && *end ? strchr(units, *end | 0x20) : NULL;
	if (unit) {
		for (ptrdiff_t i = 0; i <= unit - units; i++) {
			if (__builtin_mul_overflow(*out, 1024, out))
				errno = ERANGE;
		}
		end++;
		end += *end == 'b' || *end == 'B';
	}
	if (!*text || *end || errno)
		return fail(failure, STATUS_INTERNAL, "--%s %s: not a number", option, text);
	return 0;
}

static json_t *read_resources(const char *path, struct failure *failure)
{
	if (!strcmp(path, "-"))
		return json_load_fd(STDIN_FILENO, "standard input", failure);
	return json_load_path(AT_FDCWD, path, path, failure);
}

static int add_options(json_t *resources, const char *const *values, struct failure *failure)
{
	for (size_t i = 0; i < array_count(update_options); i++) {
		json_int_t amount;

		if (!values[i])
			continue;
		if (update_options[i].text) {
			(void)json_object_set_new(section(resources, update_options[i].section),
				update_options[i].member, json_string(values[i]));
			continue;
		}
		if (parse_amount(update_options[i].option, values[i], update_options[i].bytes,
			    &amount, failure))
			return -1;
		(void)json_object_set_new(section(resources, update_options[i].section),
			update_options[i].member, json_integer(amount));
	}
	return 0;
}

/* What the guests' own kernel holds to. */
static int apply_inside(const struct state *state, json_t *resources, struct failure *failure)
{
	static const char *const names[][3] = {{"memory", "memory", "limit"},
		{"tasks", "pids", "limit"}, {"quota", "cpu", "quota"}, {"period", "cpu", "period"}};
	json_t *request = json_pack("{s:s}", "do", "limits"), *answer;

	for (size_t i = 0; i < array_count(names); i++) {
		json_t *value =
			json_object_get(json_object_get(resources, names[i][1]), names[i][2]);

		if (value)
			(void)json_object_set_new(request, names[i][0],
				json_integer((json_int_t)json_number_value(value)));
	}
	answer = sentry_ask(state, request, failure);
	json_decref(answer);
	return answer ? 0 : -1;
}

static int apply(const struct state *state, json_t *resources, struct failure *failure)
{
	struct arena arena = {0};
	struct reader reader = {.file = "update", .arena = &arena, .failure = failure};
	struct cgroup cgroup;
	int result = oci_check_resources(&reader, resources);
	json_t *with_room = cgroup_with_room(resources);

	arena_free(&arena);
	cgroup_from_json(&cgroup, json_object_get(state->json, "cgroup"));
	if (!result)
		result = cgroup_apply(&cgroup, with_room, failure);
	if (!result && cgroup.unit)
		result = cgroup_systemd_update(&cgroup, with_room, failure);
	cgroup_free(&cgroup);
	json_decref(with_room);
	return result ? result : apply_inside(state, resources, failure);
}

int command_update(int argc, char **argv, struct failure *failure)
{
	const char *file = NULL, *values[array_count(update_options)] = {NULL}, *ignored;
	struct option_row rows[array_count(update_options) + 4];
	size_t count = 0;
	struct state state;
	json_t *resources;
	int at, result = -1;

	for (; count < array_count(update_options); count++)
		rows[count] = (struct option_row){update_options[count].option, NULL, OPTION_TEXT,
			&values[count], update_options[count].argument, update_options[count].help};
	rows[count++] = (struct option_row){"resources", "r", OPTION_TEXT, &file, "FILE|-",
		"all of it, as linux.resources of config.json"};
	rows[count++] = (struct option_row){
		"kernel-memory", NULL, OPTION_TEXT, &ignored, "BYTES", "accepted, without effect"};
	rows[count++] = (struct option_row){"kernel-memory-tcp", NULL, OPTION_TEXT, &ignored,
		"BYTES", "accepted, without effect"};
	at = options_take(argc, argv, rows, count, "update [OPTION...] ID", failure);
	if (at < 0 || at > argc)
		return at < 0 ? 1 : 0;
	if (at != argc - 1) {
		(void)fail(failure, STATUS_INTERNAL, "update: the id of one container, please");
		return 1;
	}
	resources = file ? read_resources(file, failure) : json_object();
	if (!resources || state_open(&state, argv[at], true, failure)) {
		json_decref(resources);
		return 1;
	}
	if (!lifecycle_check_alive(&state, failure) && !add_options(resources, values, failure))
		result = apply(&state, resources, failure);
	state_close(&state);
	json_decref(resources);
	return result ? 1 : 0;
}

/* --- events --- */

static json_t *number(const struct cgroup *cgroup, const char *controller, const char *v1,
	const char *v2, uint64_t otherwise)
{
	uint64_t value = otherwise;

	(void)!cgroup_number(cgroup, controller, cgroup->unified ? v2 : v1, &value);
	return json_integer(value > INT64_MAX ? 0 : (json_int_t)value);
}

/* What the host counts; of a member of a pod it counts what stands for it alone. */
static json_t *memory_of(const struct cgroup *cgroup, json_t *inside, bool member)
{
	json_t *usage = json_pack("{s:o, s:o, s:o, s:i}", "limit",
		number(cgroup, "memory", "memory.limit_in_bytes", "memory.max", 0), "usage",
		member ? json_incref(json_object_get(inside, "memory"))
		       : number(cgroup, "memory", "memory.usage_in_bytes", "memory.current",
				 (uint64_t)json_integer_value(json_object_get(inside, "memory"))),
		"max", number(cgroup, "memory", "memory.max_usage_in_bytes", "memory.peak", 0),
		"failcnt", 0);

	return json_pack("{s:o, s:o, s:{}}", "usage", usage, "cache", json_integer(0), "raw");
}

/* Processor time and processes as the guests' kernel counts them: the host's figures have the
 * sentry's own in them. */
static json_t *stats_of(const struct cgroup *cgroup, json_t *inside, bool member)
{
	json_int_t user = json_integer_value(json_object_get(inside, "user")),
		   system = json_integer_value(json_object_get(inside, "system"));
	json_t *cpu = json_pack("{s:{s:I, s:I, s:I, s:[]}, s:{}}", "usage", "total", user + system,
		"kernel", system, "user", user, "percpu", "throttling");
	json_t *pids =
		json_pack("{s:o, s:o}", "current", json_incref(json_object_get(inside, "threads")),
			"limit", number(cgroup, "pids", "pids.max", "pids.max", 0));

	return json_pack("{s:o, s:o, s:o, s:{}, s:{}, s:{}}", "cpu", cpu, "memory",
		memory_of(cgroup, inside, member), "pids", pids, "blkio", "hugetlb", "intel_rdt");
}

static int print_stats(const struct state *state, struct failure *failure)
{
	json_t *inside = lifecycle_check_alive(state, failure)
				 ? NULL
				 : sentry_ask(state, json_pack("{s:s}", "do", "usage"), failure);
	struct cgroup cgroup;
	json_t *event;

	if (!inside)
		return -1;
	cgroup_from_json(&cgroup, json_object_get(state->json, "cgroup"));
	event = json_pack("{s:s, s:s, s:o}", "type", "stats", "id", state->id, "data",
		stats_of(&cgroup, inside,
			strcmp(state_text(state, "sandbox") ?: state->id, state->id) != 0));
	(void)json_dumpf(event, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(event);
	json_decref(inside);
	cgroup_free(&cgroup);
	return 0;
}

int command_events(int argc, char **argv, struct failure *failure)
{
	const char *interval = "5s";
	bool once = false;
	const struct option_row rows[] = {
		{"stats", NULL, OPTION_FLAG, &once, NULL, "print it once"},
		{"interval", NULL, OPTION_TEXT, &interval, "TIME",
			"print it so often (default 5s)"}};
	int at = options_take(
		    argc, argv, rows, array_count(rows), "events [OPTION...] ID", failure),
	    result;
	const char *id = at < 0 || at > argc
				 ? NULL
				 : options_one(argc, argv, at, "the id of one container", failure);
	struct state state;

	if (!id)
		return at > argc ? 0 : 1;
	if (state_open(&state, id, false, failure))
		return 1;
	result = print_stats(&state, failure);
	while (!result && !once) {
		sleep((unsigned int)(atoi(interval) > 0 ? atoi(interval) : 5));
		if (!state_is_alive(&state))
			break;
		result = print_stats(&state, failure);
	}
	state_close(&state);
	return result ? 1 : 0;
}
