/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks systemd for a scope over D-Bus (org.freedesktop.systemd1).
 *
 * Differs from other runtimes: of linux.resources memory, cpu.shares, cpu.quota and pids are told
 * to systemd; the others are written to the scope's files, and a reload of systemd may forget them.
 */
#include "runsc-c/oci/cgroup_systemd.h"

#include "base/cleanup.h"
#include "runsc-c/oci/runtime.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define NAME	    "org.freedesktop.systemd1"
#define PATH	    "/org/freedesktop/systemd1"
#define MANAGER	    "org.freedesktop.systemd1.Manager"
#define JOB_SECONDS 30

/* --- the bus --- */

/* Loaded when it is needed, since most containers are made without it. */
/* clang-format off */
#define FUNCTIONS(X) \
	X(sd_bus_call) X(sd_bus_call_method) \
	X(sd_bus_error_free) X(sd_bus_flush_close_unref) \
	X(sd_bus_get_property_string) X(sd_bus_match_signal) \
	X(sd_bus_message_append) X(sd_bus_message_close_container) \
	X(sd_bus_message_new_method_call) X(sd_bus_message_open_container) \
	X(sd_bus_message_read) X(sd_bus_message_unref) \
	X(sd_bus_open_system) X(sd_bus_open_user) \
	X(sd_bus_process) X(sd_bus_wait)
/* clang-format on */

#define DECLARE(name) __typeof__(name) *name;
static struct {
	void *handle;
	FUNCTIONS(DECLARE)
} library;

static int load_library(struct failure *failure)
{
	bool complete = true;

	if (!library.handle)
		library.handle = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
	if (!library.handle)
		return fail(failure, STATUS_INTERNAL, "--systemd-cgroup: %s", dlerror());
#define LOAD(name)                                                                                 \
	*(void **)&library.name = dlsym(library.handle, #name);                                    \
	complete &= library.name != NULL;
	FUNCTIONS(LOAD)
	return complete ? 0
			: fail(failure, STATUS_INTERNAL, "--systemd-cgroup: libsystemd is too old");
}

static sd_bus *connect_bus(struct failure *failure)
{
	sd_bus *bus = NULL;
	int error;

	if (load_library(failure))
		return NULL;
	error = g_runtime.user_systemd ? library.sd_bus_open_user(&bus)
				       : library.sd_bus_open_system(&bus);
	if (error >= 0)
		return bus;
	(void)fail_errno(failure, -error,
		"--systemd-cgroup: cannot speak to %s systemd; without it the option is not to be "
		"given",
		g_runtime.user_systemd ? "the user's" : "the host's");
	return NULL;
}

static int fail_bus(
	struct failure *failure, const char *what, const char *unit, int error, sd_bus_error *told)
{
	int result = fail(failure, STATUS_INTERNAL, "systemd: cannot %s %s: %s", what, unit,
		told->message ? told->message : strerror(-error));

	library.sd_bus_error_free(told);
	return result;
}

char *cgroup_systemd_above(struct failure *failure)
{
	sd_bus_error told = SD_BUS_ERROR_NULL;
	sd_bus *bus = connect_bus(failure);
	char *above = NULL;
	int error;

	if (!bus)
		return NULL;
	error = library.sd_bus_get_property_string(
		bus, NAME, PATH, MANAGER, "ControlGroup", &told, &above);
	if (error < 0)
		(void)fail_bus(failure, "ask for the cgroup of", "systemd", error, &told);
	library.sd_bus_flush_close_unref(bus);
	return above;
}

/* --- limits as properties --- */

static json_int_t number_in(json_t *resources, const char *section, const char *member)
{
	return (json_int_t)json_number_value(
		json_object_get(json_object_get(resources, section), member));
}

static int append_number(sd_bus_message *message, const char *name, uint64_t value)
{
	return library.sd_bus_message_append(message, "(sv)", name, "t", value);
}

static uint64_t or_infinity(json_int_t limit)
{
	return limit < 0 ? UINT64_MAX : (uint64_t)limit;
}

/* As cgroup_resources.c converts them for version 2. */
static uint64_t weight_of(json_int_t shares)
{
	return (uint64_t)(1 + ((shares - 2) * 9999) / 262142);
}

static int append_cpu(sd_bus_message *message, json_t *resources, bool unified)
{
	json_int_t shares = number_in(resources, "cpu", "shares"),
		   quota = number_in(resources, "cpu", "quota"),
		   period = number_in(resources, "cpu", "period");
	uint64_t per_second = UINT64_MAX;
	int error = 0;

	if (shares >= 2)
		error = append_number(message, unified ? "CPUWeight" : "CPUShares",
			unified ? weight_of(shares) : (uint64_t)shares);
	if (error < 0 || !quota)
		return error;
	period = period > 0 ? period : 100000;
	/* In microseconds a second, and systemd counts in hundredths of a processor. */
	if (quota > 0 && !__builtin_mul_overflow(quota, 1000000, &quota))
		per_second = ((uint64_t)quota / (uint64_t)period + 9999) / 10000 * 10000;
	error = append_number(message, "CPUQuotaPeriodUSec", (uint64_t)period);
	return error < 0 ? error : append_number(message, "CPUQuotaPerSecUSec", per_second);
}

static int append_limits(sd_bus_message *message, json_t *resources, bool unified)
{
	json_int_t memory = number_in(resources, "memory", "limit"),
		   low = number_in(resources, "memory", "reservation"),
		   tasks = number_in(resources, "pids", "limit");
	int error = 0;

	if (memory)
		error = append_number(
			message, unified ? "MemoryMax" : "MemoryLimit", or_infinity(memory));
	if (error >= 0 && low > 0 && unified)
		error = append_number(message, "MemoryLow", (uint64_t)low);
	if (error >= 0 && json_object_get(json_object_get(resources, "pids"), "limit"))
		error = append_number(message, "TasksMax", or_infinity(tasks > 0 ? tasks : -1));
	return error < 0 ? error : append_cpu(message, resources, unified);
}

/* --- scopes --- */

struct job {
	char *path;
	bool done;
	char result[32];
};

static int on_job_removed(sd_bus_message *message, void *argument, sd_bus_error *unused)
{
	const char *path = NULL, *unit = NULL, *result = NULL;
	struct job *job = argument;
	uint32_t number;

	if (library.sd_bus_message_read(message, "uoss", &number, &path, &unit, &result) < 0 ||
		!job->path || strcmp(job->path, path) != 0)
		return 0;
	job->done = true;
	(void)snprintf(job->result, sizeof(job->result), "%s", result);
	return 0;
}

static int fill_scope(
	sd_bus_message *message, const struct cgroup *cgroup, pid_t pid, json_t *resources)
{
	static const char *const accounted[] = {
		"MemoryAccounting", "CPUAccounting", "TasksAccounting", "IOAccounting"};
	int error = library.sd_bus_message_append(message, "ss", cgroup->unit, "replace");

	if (error >= 0)
		error = library.sd_bus_message_open_container(message, 'a', "(sv)");
	if (error >= 0)
		error = library.sd_bus_message_append(
			message, "(sv)", "Description", "s", "csandbox container");
	if (error >= 0)
		error = library.sd_bus_message_append(message, "(sv)", "Slice", "s", cgroup->slice);
	if (error >= 0)
		error = library.sd_bus_message_append(message, "(sv)", "Delegate", "b", 1);
	if (error >= 0)
		error = library.sd_bus_message_append(
			message, "(sv)", "DefaultDependencies", "b", 0);
	if (error >= 0)
		error = library.sd_bus_message_append(
			message, "(sv)", "PIDs", "au", 1, (uint32_t)pid);
	for (size_t i = 0; i < array_count(accounted) && error >= 0; i++)
		error = library.sd_bus_message_append(message, "(sv)", accounted[i], "b", 1);
	if (error >= 0)
		error = append_limits(message, resources, cgroup->unified);
	if (error >= 0)
		error = library.sd_bus_message_close_container(message);
	return error < 0 ? error : library.sd_bus_message_append(message, "a(sa(sv))", 0);
}

static int await_job(sd_bus *bus, struct job *job, const char *unit, struct failure *failure)
{
	int error = 0;

	for (int seconds = 0; !job->done && error >= 0 && seconds < JOB_SECONDS;) {
		error = library.sd_bus_process(bus, NULL);
		if (error)
			continue;
		error = library.sd_bus_wait(bus, 1000000);
		seconds += error == 0;
	}
	if (error < 0 || !job->done)
		return fail(failure, STATUS_INTERNAL, "systemd: %s was not started: %s", unit,
			error < 0 ? strerror(-error) : "no answer");
	if (strcmp(job->result, "done") != 0)
		return fail(failure, STATUS_INTERNAL, "systemd: %s was not started: the job is %s",
			unit, job->result);
	return 0;
}

static int call_start(sd_bus *bus, const struct cgroup *cgroup, pid_t pid, json_t *resources,
	struct job *job, struct failure *failure)
{
	sd_bus_message *message = NULL, *answer = NULL;
	sd_bus_error told = SD_BUS_ERROR_NULL;
	const char *path = NULL;
	int error = library.sd_bus_message_new_method_call(
		bus, &message, NAME, PATH, MANAGER, "StartTransientUnit");

	if (error >= 0)
		error = fill_scope(message, cgroup, pid, resources);
	if (error >= 0)
		error = library.sd_bus_call(bus, message, 0, &told, &answer);
	if (error >= 0)
		error = library.sd_bus_message_read(answer, "o", &path);
	if (error >= 0)
		job->path = strdup(path);
	library.sd_bus_message_unref(message);
	library.sd_bus_message_unref(answer);
	if (error < 0)
		return fail_bus(failure, "start", cgroup->unit, error, &told);
	return job->path ? 0 : fail_errno(failure, ENOMEM, "systemd");
}

int cgroup_systemd_start(
	const struct cgroup *cgroup, pid_t pid, json_t *resources, struct failure *failure)
{
	sd_bus *bus = connect_bus(failure);
	struct job job = {0};
	int error, result = -1;

	if (!bus)
		return -1;
	/* Before the call, so that the signal is not missed. */
	error = library.sd_bus_match_signal(
		bus, NULL, NAME, PATH, MANAGER, "JobRemoved", on_job_removed, &job);
	if (error < 0)
		(void)fail_errno(failure, -error, "systemd: cannot listen to its jobs");
	else if (!call_start(bus, cgroup, pid, resources, &job, failure))
		result = await_job(bus, &job, cgroup->unit, failure);
	library.sd_bus_flush_close_unref(bus);
	free(job.path);
	return result;
}

int cgroup_systemd_update(const struct cgroup *cgroup, json_t *resources, struct failure *failure)
{
	sd_bus *bus = connect_bus(failure);
	sd_bus_error told = SD_BUS_ERROR_NULL;
	sd_bus_message *message = NULL;
	int error;

	if (!bus)
		return -1;
	error = library.sd_bus_message_new_method_call(
		bus, &message, NAME, PATH, MANAGER, "SetUnitProperties");
	if (error >= 0)
		error = library.sd_bus_message_append(message, "sb", cgroup->unit, 1);
	if (error >= 0)
		error = library.sd_bus_message_open_container(message, 'a', "(sv)");
	if (error >= 0)
		error = append_limits(message, resources, cgroup->unified);
	if (error >= 0)
		error = library.sd_bus_message_close_container(message);
	if (error >= 0)
		error = library.sd_bus_call(bus, message, 0, &told, NULL);
	library.sd_bus_message_unref(message);
	library.sd_bus_flush_close_unref(bus);
	return error < 0 ? fail_bus(failure, "change", cgroup->unit, error, &told) : 0;
}

void cgroup_systemd_stop(const struct cgroup *cgroup)
{
	struct failure unused = {0};
	sd_bus *bus = connect_bus(&unused);

	if (!bus)
		return;
	/* It ends by itself with its last process; one that failed stays until it is forgotten. */
	(void)library.sd_bus_call_method(
		bus, NAME, PATH, MANAGER, "StopUnit", NULL, NULL, "ss", cgroup->unit, "replace");
	(void)library.sd_bus_call_method(
		bus, NAME, PATH, MANAGER, "ResetFailedUnit", NULL, NULL, "s", cgroup->unit);
	library.sd_bus_flush_close_unref(bus);
}
