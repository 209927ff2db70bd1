/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the limits of a sandbox from options, and shows them. */
#include "runsc-c/limits_options.h"

#include "runsc-c/host_cgroup.h"
#include "runsc-c/units.h"

#include <stdio.h>
#include <string.h>

#define LIMIT(option, kind, field, smallest, unit, carried_out)                                    \
	{                                                                                          \
		option, kind, offsetof(struct sandbox_limits, field), smallest, carried_out, unit  \
	}

const struct limit_option limit_options[LIMIT_COUNT] = {
	LIMIT("timeout", LIMIT_DURATION, timeout_ns, 1, "s",
		"SIGTERM to every process, after --grace SIGKILL"),
	LIMIT("grace", LIMIT_DURATION, grace_ns, 1, "s", "time between the two (10s unless given)"),
	LIMIT("cpu-time", LIMIT_DURATION, cpu_time_ns, 1000000, "s", "SIGKILL"),
	LIMIT("cpus", LIMIT_PROCESSORS, cpu_milli, 10, "processors",
		"guests wait when they used more than their share"),
	LIMIT("memory", LIMIT_SIZE, memory, 16 << 20, "bytes",
		"caches go, then the OOM killer's choice gets SIGKILL"),
	LIMIT("pids", LIMIT_NUMBER, tasks, 1, "", "clone fails with EAGAIN"),
	LIMIT("file-size", LIMIT_SIZE, file_size, 1, "bytes",
		"RLIMIT_FSIZE, which nobody can raise"),
	LIMIT("open-files", LIMIT_NUMBER, open_files, 4, "",
		"RLIMIT_NOFILE, which nobody can raise"),
	LIMIT("disk", LIMIT_SIZE, disk, 4096, "bytes", "writes fail with ENOSPC"),
	LIMIT("output-limit", LIMIT_SIZE, output, 1, "bytes", "output is cut there, then SIGKILL"),
};

static bool parse(enum limit_kind kind, const char *text, uint64_t *value)
{
	switch (kind) {
	case LIMIT_DURATION:
		return units_parse_duration(text, value);
	case LIMIT_SIZE:
		return units_parse_size(text, value);
	case LIMIT_PROCESSORS:
		return units_parse_thousandths(text, value);
	default:
		return units_parse_count(text, value);
	}
}

int limit_option_set(
	struct sandbox_limits *limits, int index, const char *text, struct failure *failure)
{
	static const char *const forms[] = {"a time above zero, such as 90s, 5m or 1.5h",
		"a size above zero, such as 512M or 1.5G", "a whole number above zero",
		"a number of processors above zero, such as 0.5 or 2"};
	const struct limit_option *option = &limit_options[index];
	uint64_t value;
	char least[32];

	/* A process that is told to end gets no time to do it. */
	if (!strcmp(option->name, "grace") && !strcmp(text, "0")) {
		limits->grace_ns = 1;
		return 0;
	}
	if (!parse(option->kind, text, &value))
		return fail(failure, STATUS_INTERNAL, "--%s %s: not %s", option->name, text,
			forms[option->kind]);
	if (value < option->smallest) {
		limit_format(option, option->smallest, least, sizeof(least));
		return fail(failure, STATUS_INTERNAL, "--%s %s: nothing runs with less than %s",
			option->name, text, least);
	}
	*(uint64_t *)((char *)limits + option->offset) = value;
	return 0;
}

void limit_format(const struct limit_option *option, uint64_t value, char *text, size_t size)
{
	if (!value)
		(void)snprintf(text, size, "-");
	else if (option->kind == LIMIT_DURATION)
		units_format_duration(value, text, size);
	else if (option->kind == LIMIT_SIZE)
		units_format_size(value, text, size);
	else if (option->kind == LIMIT_PROCESSORS)
		(void)snprintf(text, size, "%g", (double)value / 1000);
	else
		(void)snprintf(text, size, "%lu", value);
}

/* What stands behind a limit. */
static const char *by_host(const struct limit_option *option, const struct host_cgroup *host)
{
	const char *controller;
	bool had;

	switch (option->offset) {
	case offsetof(struct sandbox_limits, memory):
		had = host->memory;
		controller = "memory";
		break;
	case offsetof(struct sandbox_limits, tasks):
		had = host->tasks;
		controller = "pids";
		break;
	case offsetof(struct sandbox_limits, cpu_milli):
		had = host->cpu;
		controller = "cpu";
		break;
	default:
		return "there is none";
	}
	return had ? controller : "not to be had";
}

void limits_show(const struct sandbox_limits *limits)
{
	struct host_cgroup host = {0};
	char text[32];

	host_cgroup_make(&host, limits);
	printf("%-14s%-10s%-15s%s\n", "limit", "value", "host cgroup",
		"carried out by the sandbox's kernel");
	for (size_t i = 0; i < LIMIT_COUNT; i++) {
		const struct limit_option *option = &limit_options[i];

		limit_format(option, limit_value(option, limits), text, sizeof(text));
		printf("%-14s%-10s%-15s%s\n", option->name, text,
			limit_value(option, limits) ? by_host(option, &host) : "not used",
			option->carried_out);
	}
	host_cgroup_remove(&host);
}
