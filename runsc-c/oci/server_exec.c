/* SPDX-License-Identifier: Apache-2.0 */
/* Processes and containers that a connection brings: their documents and descriptors, and watching
 * them to their end. */
#include "runsc-c/oci/server_private.h"

#include "base/cleanup.h"
#include "sentry/kernel/signal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

char *server_document(int fd, size_t *size)
{
	struct stat status;
	char *text;

	if (fstat(fd, &status) || !S_ISREG(status.st_mode) || status.st_size > (off_t)JSON_FILE_MAX)
		return NULL;
	*size = (size_t)status.st_size;
	text = malloc(*size + 1);
	if (!text || pread(fd, text, *size, 0) != (ssize_t)*size) {
		free(text);
		return NULL;
	}
	return text;
}

bool server_take_stdio(struct process_config *process, json_t *request, struct arena *arena,
	int *fds, size_t count)
{
	int *stdio = arena_allocate(arena, count + 3, sizeof(int));
	bool terminal = json_is_true(json_object_get(request, "terminal"));
	size_t place = terminal ? 3 : 0;

	if (!stdio || (terminal && !count))
		return false;
	if (terminal) {
		process->has_terminal = true;
		process->console = (struct sandbox_console){.fd = fds[0],
			.rows = (uint16_t)server_number(request, "rows"),
			.columns = (uint16_t)server_number(request, "columns"),
			.fresh = true};
		fds[0] = -1;
		stdio[0] = stdio[1] = stdio[2] = -1;
	}
	for (size_t i = terminal ? 1 : 0; i < count; i++) {
		stdio[place++] = fds[i];
		fds[i] = -1;
	}
	process->stdio = stdio;
	process->stdio_count = place;
	return true;
}

void attached_exited(void *argument, int status)
{
	struct attached *attached = argument;

	pthread_mutex_lock(&g_server.lock);
	attached->exited = true;
	attached->status = status;
	/* Wakes who waits for its next message. */
	(void)shutdown(attached->socket, SHUT_RD);
	pthread_cond_broadcast(&g_server.changed);
	pthread_mutex_unlock(&g_server.lock);
}

static void carry_out(struct attached *attached, json_t *message)
{
	int signal = server_number(message, "signal");

	if (signal)
		(void)!container_process_signal(attached->process, signal);
	else if (json_object_get(message, "rows"))
		container_process_resize(attached->process,
			(uint16_t)server_number(message, "rows"),
			(uint16_t)server_number(message, "columns"));
}

void server_attend(int socket, struct attached *attached)
{
	json_t *message;
	bool exited;

	while ((message = channel_receive(socket, NULL, NULL))) {
		carry_out(attached, message);
		json_decref(message);
	}
	pthread_mutex_lock(&g_server.lock);
	exited = attached->exited;
	pthread_mutex_unlock(&g_server.lock);
	/* Who started it is gone: so is what it stood for. */
	if (!exited)
		(void)!container_process_signal(attached->process, LINUX_SIGKILL);
	pthread_mutex_lock(&g_server.lock);
	while (!attached->exited)
		pthread_cond_wait(&g_server.changed, &g_server.lock);
	pthread_mutex_unlock(&g_server.lock);
}

static int read_process(
	int fd, struct arena *arena, struct oci_process *process, struct failure *failure)
{
	struct reader reader = {.file = "process", .arena = arena, .failure = failure};
	size_t size;
	auto_free char *text = server_document(fd, &size);
	json_t *root = text ? json_load_text(text, size, "process", failure) : NULL;
	int result;

	if (!root)
		return text ? -1 : fail(failure, STATUS_INTERNAL, "no process to start");
	result = oci_read_process(&reader, root, process);
	json_decref(root);
	return result;
}

static void run_attached(int socket, struct hosted *hosted, struct process_config *process)
{
	struct attached attached = {.socket = socket};
	struct container_process_events events = {.exited = attached_exited, .argument = &attached};
	struct container_error error = {0};

	if (container_launch(
		    hosted->container, NULL, process, &events, false, &attached.process, &error)) {
		(void)channel_send(socket,
			json_pack("{s:s, s:i}", "error", error.message, "status",
				!error.not_runnable	 ? STATUS_INTERNAL
				: error.error == -ENOENT ? STATUS_NOT_FOUND
							 : STATUS_NOT_EXECUTABLE),
			NULL, 0);
		return;
	}
	(void)channel_send(socket,
		json_pack("{s:b, s:i}", "ok", 1, "pid", container_process_number(attached.process)),
		NULL, 0);
	server_attend(socket, &attached);
	container_process_free(attached.process);
	(void)channel_send(socket, json_pack("{s:i}", "exited", attached.status), NULL, 0);
}

void server_exec(int socket, json_t *request, struct hosted *hosted, int *fds, size_t count)
{
	struct oci_process *process;
	struct process_config *config;
	struct failure failure = {0};
	struct arena arena = {0};

	process = arena_allocate(&arena, 1, sizeof(*process));
	config = arena_allocate(&arena, 1, sizeof(*config));
	if (!count || !process || !config) {
		(void)server_fail(socket, "no process to start");
	} else if (hosted->exited) {
		(void)server_fail(socket, "container not running");
	} else if (read_process(fds[0], &arena, process, &failure) ||
		   oci_process_build(&arena, process, &hosted->spec.seccomp, config)) {
		(void)server_fail(socket, failure.message);
	} else if (server_take_stdio(config, request, &arena, fds + 1, count - 1)) {
		run_attached(socket, hosted, config);
	} else {
		(void)server_fail(socket, "descriptors of the process are missing");
	}
	arena_free(&arena);
}
