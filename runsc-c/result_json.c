/* SPDX-License-Identifier: Apache-2.0 */
/* The result of a run as a JSON object; docs/result.schema.json says what is in it. */
#include "runsc-c/outcome.h"

#include "runsc-c/limits_options.h"
#include "sentry/syscalls/syscalls.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define VERSION 1

json_t *result_text(const char *text)
{
	json_t *string = json_string(text);
	char copy[4096];
	size_t size = 0;

	if (string)
		return string;
	for (; text[size] && size < sizeof(copy) - 1; size++)
		copy[size] = (unsigned char)text[size] < 0x80 ? text[size] : '?';
	copy[size] = '\0';
	return json_string(copy);
}

static json_t *seconds(uint64_t ns)
{
	return json_real((double)ns / 1e9);
}

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)(value & INT64_MAX));
}

static uint64_t load(const _Atomic uint64_t *counter)
{
	return atomic_load((_Atomic uint64_t *)counter);
}

static json_t *command_json(const struct outcome *outcome)
{
	json_t *list = json_array();

	for (char **word = outcome->options->command; word && *word; word++)
		json_array_append_new(list, result_text(*word));
	return list;
}

static json_t *start_json(const struct outcome *outcome)
{
	char text[64], whole[32];
	struct tm utc;

	gmtime_r(&outcome->started.tv_sec, &utc);
	strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S", &utc);
	(void)snprintf(text, sizeof(text), "%s.%03ldZ", whole, outcome->started.tv_nsec / 1000000);
	return json_string(text);
}

static json_t *times_json(uint64_t user_ns, uint64_t system_ns)
{
	return json_pack("{s:o, s:o}", "user_seconds", seconds(user_ns), "system_seconds",
		seconds(system_ns));
}

static const char *call_name(size_t index)
{
	const struct syscall_row *row = syscall_lookup(index);

	return row ? row->name : "unknown";
}

static json_t *calls_json(const struct accounting *page)
{
	json_t *calls = json_object();

	for (size_t i = 0; i < ACCOUNTING_CALLS; i++) {
		const struct accounting_call *call = &page->calls[i];

		if (!load(&call->count))
			continue;
		json_object_set_new(calls, call_name(i),
			json_pack("{s:o, s:o, s:o, s:o}", "count", number(load(&call->count)),
				"errors", number(load(&call->errors)), "seconds",
				seconds(load(&call->total_ns)), "longest_seconds",
				seconds(load(&call->longest_ns))));
	}
	return calls;
}

/* How often each call was refused (EPERM, EACCES), or was not there (ENOSYS). */
static json_t *denied_json(const struct accounting *page, bool missing)
{
	json_t *calls = json_object();

	for (size_t i = 0; i < ACCOUNTING_CALLS; i++) {
		const struct accounting_call *call = &page->calls[i];
		uint64_t count = load(missing ? &call->missing : &call->refused);

		if (count)
			json_object_set_new(calls, call_name(i), number(count));
	}
	return calls;
}

/* What of a limit was used, in its unit. SIZE_MAX: that is not counted. */
static uint64_t used_of(const struct limit_option *option, const struct outcome *outcome)
{
	const struct accounting *page = outcome->page;

	switch (option->offset) {
	case offsetof(struct sandbox_limits, timeout_ns):
		return (uint64_t)(outcome->ended_ns - outcome->started_ns);
	case offsetof(struct sandbox_limits, cpu_time_ns):
		return load(&page->user_ns) + load(&page->system_ns);
	case offsetof(struct sandbox_limits, cpu_milli):
		return (load(&page->user_ns) + load(&page->system_ns)) * 1000 /
		       max_u64((uint64_t)(outcome->ended_ns - outcome->started_ns), 1);
	case offsetof(struct sandbox_limits, file_size):
		return load(&page->file_peak);
	case offsetof(struct sandbox_limits, open_files):
		return load(&page->descriptor_peak);
	case offsetof(struct sandbox_limits, memory):
		return load(&page->memory_peak);
	case offsetof(struct sandbox_limits, tasks):
		return load(&page->tasks_peak);
	case offsetof(struct sandbox_limits, disk):
		return load(&page->disk_peak);
	case offsetof(struct sandbox_limits, output):
		return load(&page->output);
	default:
		return UINT64_MAX;
	}
}

/* How often the limit made a difference. */
static uint64_t reached_of(const struct limit_option *option, const struct outcome *outcome)
{
	const struct accounting *page = outcome->page;
	int reason = atomic_load((_Atomic int *)&page->reason);

	switch (option->offset) {
	case offsetof(struct sandbox_limits, timeout_ns):
		return reason == END_TIMEOUT;
	case offsetof(struct sandbox_limits, cpu_time_ns):
		return reason == END_CPU_TIME;
	case offsetof(struct sandbox_limits, memory):
		return load(&page->memory_kills);
	case offsetof(struct sandbox_limits, tasks):
		return load(&page->forks_refused);
	case offsetof(struct sandbox_limits, disk):
		return load(&page->disk_refused);
	case offsetof(struct sandbox_limits, cpu_milli):
		return load(&page->throttled_ns) != 0;
	case offsetof(struct sandbox_limits, file_size):
		return load(&page->files_refused);
	case offsetof(struct sandbox_limits, open_files):
		return load(&page->descriptors_refused);
	case offsetof(struct sandbox_limits, output):
		return reason == END_OUTPUT;
	default:
		return 0;
	}
}

static json_t *amount(const struct limit_option *option, uint64_t value)
{
	if (!value && option->kind != LIMIT_SIZE && option->kind != LIMIT_NUMBER)
		return json_null();
	if (option->kind == LIMIT_DURATION)
		return seconds(value);
	if (option->kind == LIMIT_PROCESSORS)
		return json_real((double)value / 1000);
	return number(value);
}

static json_t *limits_json(const struct outcome *outcome)
{
	json_t *limits = json_object();

	for (size_t i = 0; i < LIMIT_COUNT; i++) {
		const struct limit_option *option = &limit_options[i];
		uint64_t value = limit_value(option, &outcome->options->limits);
		uint64_t used = used_of(option, outcome);

		if (!strcmp(option->name, "grace"))
			continue;
		json_object_set_new(limits, option->name,
			json_pack("{s:o, s:o, s:o}", "limit",
				value ? amount(option, value) : json_null(), "used",
				used == UINT64_MAX ? json_null() : amount(option, used), "reached",
				number(reached_of(option, outcome))));
	}
	return limits;
}

/* What the policy refused, each once. */
static json_t *refused_json(const struct accounting *page)
{
	uint64_t count =
		min_u64(atomic_load((_Atomic uint32_t *)&page->refused_count), ACCOUNTING_REFUSED);
	json_t *list = json_array();

	for (uint64_t i = 0; i < count; i++) {
		char line[ACCOUNTING_FILE_SIZE + 1] = "", *what;

		memcpy(line, page->refused[i], ACCOUNTING_FILE_SIZE);
		what = strchr(line, ' ');
		if (!what)
			continue;
		*what++ = '\0';
		json_array_append_new(list, json_pack("{s:o, s:o}", "access", result_text(line),
						    "what", result_text(what)));
	}
	return list;
}

static void add_usage(json_t *result, const struct outcome *outcome)
{
	const struct accounting *page = outcome->page;

	json_object_set_new(
		result, "guests", times_json(load(&page->user_ns), load(&page->system_ns)));
	json_object_set_new(result, "sentry",
		times_json(load(&page->sentry_user_ns), load(&page->sentry_system_ns)));
	json_object_set_new(result, "memory_peak_bytes", number(load(&page->memory_peak)));
	json_object_set_new(result, "processes_peak", number(load(&page->processes_peak)));
	json_object_set_new(result, "processes_started", number(load(&page->processes_started)));
	json_object_set_new(result, "threads_started", number(load(&page->threads_started)));
	json_object_set_new(result, "bytes_read", number(load(&page->bytes_read)));
	json_object_set_new(result, "bytes_written", number(load(&page->bytes_written)));
	json_object_set_new(result, "limits", limits_json(outcome));
	json_object_set_new(result, "system_calls", calls_json(page));
	json_object_set_new(result, "system_calls_refused", denied_json(page, false));
	json_object_set_new(result, "system_calls_missing", denied_json(page, true));
	json_object_set_new(result, "refused_by_policy", refused_json(page));
}

json_t *result_json(const struct outcome *outcome, int status)
{
	json_t *result = json_object();
	int signal = outcome_signal(outcome, status);

	if (!result)
		return NULL;
	json_object_set_new(result, "version", json_integer(VERSION));
	json_object_set_new(result, "status", json_integer(status));
	json_object_set_new(result, "signal", signal ? json_integer(signal) : json_null());
	json_object_set_new(result, "reason", json_string(outcome_reason(outcome)));
	json_object_set_new(result, "error",
		outcome->failure.message[0] ? result_text(outcome->failure.message) : json_null());
	json_object_set_new(result, "command", command_json(outcome));
	json_object_set_new(result, "start", start_json(outcome));
	json_object_set_new(result, "wall_seconds",
		seconds((uint64_t)(outcome->ended_ns - outcome->started_ns)));
	json_object_set_new(result, "files_changed",
		outcome->has_changes ? changes_summary(&outcome->changes) : json_null());
	json_object_set_new(result, "changes_applied",
		outcome->applied >= 0 ? json_integer(outcome->applied) : json_null());
	if (outcome->page)
		add_usage(result, outcome);
	return result;
}
