/* SPDX-License-Identifier: Apache-2.0 */
/* What commands ask of a running sentry, one connection each. */
#include "runsc-c/oci/server_private.h"

#include "base/cleanup.h"
#include "sentry/kernel/limits.h"
#include "sentry/kernel/signal.h"
#include "sentry/mm/memory_file.h"
#include "sentry/time/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROCESSES_MAX 65536

bool server_fail(int socket, const char *message)
{
	return channel_send(socket, json_pack("{s:s}", "error", message), NULL, 0);
}

static bool succeed(int socket)
{
	return channel_send(socket, json_pack("{s:b}", "ok", 1), NULL, 0);
}

int server_number(json_t *request, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(request, name));

	return value < 0 || value > 1 << 30 ? 0 : (int)value;
}

/* --- one function a request --- */

static const char *status_of(struct hosted *hosted)
{
	const char *status;

	pthread_mutex_lock(&g_server.lock);
	if (hosted->exited)
		status = "stopped";
	else if (!hosted->started)
		status = "created";
	else
		status = container_is_paused(hosted->container) ? "paused" : "running";
	pthread_mutex_unlock(&g_server.lock);
	return status;
}

static void request_state(int socket, struct hosted *hosted, json_t *request)
{
	(void)channel_send(socket, json_pack("{s:s}", "status", status_of(hosted)), NULL, 0);
}

static void request_start(int socket, struct hosted *hosted, json_t *request)
{
	struct container_error error = {0};

	if (container_process_start(hosted->init, &error)) {
		(void)server_fail(socket, error.message);
		return;
	}
	pthread_mutex_lock(&g_server.lock);
	hosted->started = true;
	pthread_mutex_unlock(&g_server.lock);
	(void)succeed(socket);
}

static void request_signal(int socket, struct hosted *hosted, json_t *request)
{
	int signal = server_number(request, "signal");

	if (json_is_true(json_object_get(request, "all")))
		container_signal_all(hosted->container, signal);
	else if (container_process_signal(hosted->init, signal) == -ESRCH) {
		(void)server_fail(socket, "os: process already finished");
		return;
	}
	(void)succeed(socket);
}

static void request_pause(int socket, struct hosted *hosted, json_t *request)
{
	container_pause(hosted->container, json_is_true(json_object_get(request, "paused")));
	(void)succeed(socket);
}

static void request_resize(int socket, struct hosted *hosted, json_t *request)
{
	container_process_resize(hosted->init, (uint16_t)server_number(request, "rows"),
		(uint16_t)server_number(request, "columns"));
	(void)succeed(socket);
}

static uint64_t other_limit(json_t *value, uint64_t before)
{
	json_int_t number = json_integer_value(value);

	return !json_is_integer(value) ? before : number > 0 ? (uint64_t)number : 0;
}

static void request_limits(int socket, struct hosted *hosted, json_t *request)
{
	struct container_limits *limits = &hosted->launch.config.limits;
	json_t *memory = json_object_get(request, "memory");

	/* The first container's memory is the sandbox's. */
	if (hosted == g_server.first && json_is_integer(memory))
		limits_set_memory(other_limit(memory, 0));
	pthread_mutex_lock(&g_server.lock);
	if (hosted != g_server.first)
		limits->memory = other_limit(memory, limits->memory);
	limits->tasks = other_limit(json_object_get(request, "tasks"), limits->tasks);
	limits->cpu_quota_us = other_limit(json_object_get(request, "quota"), limits->cpu_quota_us);
	limits->cpu_period_us =
		other_limit(json_object_get(request, "period"), limits->cpu_period_us);
	container_set_limits(hosted->container, limits);
	pthread_mutex_unlock(&g_server.lock);
	(void)succeed(socket);
}

static void request_usage(int socket, struct hosted *hosted, json_t *request)
{
	struct memory_file_usage memory;
	struct container_usage usage;

	container_usage(hosted->container, &usage);
	memory_file_usage(&memory);
	(void)channel_send(socket,
		json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "user", (json_int_t)usage.user_ns,
			"system", (json_int_t)usage.system_ns, "processes",
			(json_int_t)usage.processes, "threads", (json_int_t)usage.threads, "memory",
			(json_int_t)usage.memory, "memoryLimit", (json_int_t)memory.limit),
		NULL, 0);
}

static json_t *describe(const struct container_process_info *info)
{
	return json_pack("{s:i, s:i, s:I, s:s, s:I, s:I, s:s%}", "pid", info->pid, "ppid",
		info->parent, "uid", (json_int_t)info->uid, "state", (const char[]){info->state, 0},
		"cpu", (json_int_t)info->cpu_ns, "age",
		(json_int_t)(clock_now(LINUX_CLOCK_BOOTTIME) - info->start_ns), "command",
		info->command, strnlen(info->command, sizeof(info->command)));
}

/* Into a file that the caller brought, since it may be long. */
static void request_list(int socket, struct hosted *hosted, int fd)
{
	auto_free struct container_process_info *infos = calloc(PROCESSES_MAX, sizeof(*infos));
	size_t count = infos ? container_list(hosted->container, infos, PROCESSES_MAX) : 0;
	auto_free char *text = NULL;
	json_t *list = json_array();

	for (size_t i = 0; i < count && i < PROCESSES_MAX; i++)
		(void)json_array_append_new(list, describe(&infos[i]));
	text = json_dumps(list, JSON_COMPACT);
	json_decref(list);
	if (!text || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		(void)server_fail(socket, "cannot list the processes");
	else
		(void)succeed(socket);
}

static void request_wait(int socket, struct hosted *hosted, json_t *request)
{
	int status;

	pthread_mutex_lock(&g_server.lock);
	while (!hosted->exited)
		pthread_cond_wait(&g_server.changed, &g_server.lock);
	status = hosted->status;
	pthread_mutex_unlock(&g_server.lock);
	(void)channel_send(socket, json_pack("{s:i}", "exited", status), NULL, 0);
}

static void request_delete(int socket, struct hosted *hosted, json_t *request)
{
	bool mine;

	if (hosted == g_server.first) {
		(void)server_fail(socket, "the sandbox lives as long as its first container");
		return;
	}
	container_signal_all(hosted->container, LINUX_SIGKILL);
	pthread_mutex_lock(&g_server.lock);
	while (!hosted->exited)
		pthread_cond_wait(&g_server.changed, &g_server.lock);
	mine = !hosted->deleted;
	hosted->deleted = true;
	pthread_mutex_unlock(&g_server.lock);
	/* The use that listed it. */
	if (mine)
		hosted_put(hosted);
	(void)succeed(socket);
}

static const struct {
	const char *name;
	void (*serve)(int socket, struct hosted *hosted, json_t *request);
} requests[] = {
	{"state", request_state},
	{"start", request_start},
	{"signal", request_signal},
	{"pause", request_pause},
	{"resize", request_resize},
	{"limits", request_limits},
	{"usage", request_usage},
	{"wait", request_wait},
	{"delete", request_delete},
};

/* --- connections --- */

static void serve_container(int socket, json_t *request, const char *what, struct hosted *hosted,
	int *fds, size_t count)
{
	if (!strcmp(what, "exec")) {
		server_exec(socket, request, hosted, fds, count);
		return;
	}
	if (!strcmp(what, "list") && count == 1) {
		request_list(socket, hosted, fds[0]);
		return;
	}
	for (size_t i = 0; i < array_count(requests); i++) {
		if (!strcmp(requests[i].name, what)) {
			requests[i].serve(socket, hosted, request);
			return;
		}
	}
	(void)server_fail(socket, "this sandbox is of another version of csandbox");
}

static void serve_request(int socket, json_t *request, int *fds, size_t count)
{
	const char *what = json_string_value(json_object_get(request, "do"));
	struct hosted *hosted;

	if (what && !strcmp(what, "add")) {
		server_add(socket, request, fds, count);
		return;
	}
	hosted = hosted_find(json_string_value(json_object_get(request, "id")));
	if (!hosted || !what)
		(void)server_fail(socket, "container does not exist");
	else
		serve_container(socket, request, what, hosted, fds, count);
	if (hosted)
		hosted_put(hosted);
}

/* A signal may end the sandbox before its sender is told that it was sent. */
static void count_unanswered(int change)
{
	pthread_mutex_lock(&g_server.lock);
	g_server.unanswered += (unsigned int)change;
	pthread_cond_broadcast(&g_server.changed);
	pthread_mutex_unlock(&g_server.lock);
}

void server_serve(int socket)
{
	int fds[CHANNEL_DESCRIPTORS_MAX];
	size_t count = CHANNEL_DESCRIPTORS_MAX;
	json_t *request;

	while ((request = channel_receive(socket, fds, &count))) {
		count_unanswered(1);
		serve_request(socket, request, fds, count);
		count_unanswered(-1);
		json_decref(request);
		/* Those that somebody took are -1 by now. */
		for (size_t i = 0; i < count; i++) {
			if (fds[i] >= 0)
				(void)close(fds[i]);
		}
		count = CHANNEL_DESCRIPTORS_MAX;
	}
	(void)close(socket);
}
