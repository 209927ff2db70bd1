/* SPDX-License-Identifier: Apache-2.0 */
/* One more container in a sandbox that runs: of the same pod, or one that shares another's
 * namespaces. */
#include "runsc-c/oci/server_private.h"

#include "base/cleanup.h"
#include "sentry/kernel/signal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* What it shares and with whom, as its creator found out: {"pid": "ID", ...}. With a use of each
 * that is given back at once: the first container outlives the others, and a namespace outlives who
 * it was made for. */
static struct container *shared_with(json_t *request, const char *name)
{
	struct hosted *hosted = hosted_find(
		json_string_value(json_object_get(json_object_get(request, "share"), name)));
	struct container *container = hosted ? hosted->container : NULL;

	if (hosted)
		hosted_put(hosted);
	return container;
}

static void share(struct container_config *config, json_t *request)
{
	config->share_pid = shared_with(request, "pid");
	config->share_ipc = shared_with(request, "ipc");
	config->share_uts = shared_with(request, "uts");
	config->share_net = g_server.first->container;
	config->new_pid = config->new_pid && !config->share_pid;
	config->new_ipc = config->new_ipc && !config->share_ipc;
	config->new_uts = config->new_uts && !config->share_uts;
	if (config->share_uts)
		config->hostname = config->domainname = NULL;
}

/* fds from first on are those of the sources, in order; what is a device of the kernel's own has a
 * number instead. */
static bool take_sources(struct oci_launch *launch, json_t *request, int *fds, size_t count)
{
	json_t *sources = json_object_get(request, "sources");
	size_t next = 0;

	if (json_array_size(sources) != launch->source_count)
		return false;
	for (size_t i = 0; i < launch->source_count; i++) {
		json_t *source = json_array_get(sources, i);

		launch->sources[i].rdev =
			(uint64_t)json_integer_value(json_object_get(source, "rdev"));
		launch->sources[i].is_proc = json_is_true(json_object_get(source, "proc"));
		launch->sources[i].mount->read_only |=
			json_is_true(json_object_get(source, "readOnly"));
		if (oci_source_is_own(&launch->sources[i]))
			continue;
		if (next == count)
			return false;
		launch->sources[i].fd = fds[next];
		fds[next++] = -1;
	}
	oci_sources_settle(launch);
	return true;
}

static int read_document(int fd, struct oci_spec *spec, struct failure *failure)
{
	size_t size;
	auto_free char *text = server_document(fd, &size);
	json_t *root = text ? json_load_text(text, size, "config.json", failure) : NULL;
	int result;

	*spec = (struct oci_spec){0};
	if (!root)
		return text ? -1 : fail(failure, STATUS_INTERNAL, "no container to make");
	result = oci_spec_read(spec, root, "config.json", true, failure);
	json_decref(root);
	return result;
}

static int make(
	json_t *request, int *fds, size_t count, struct hosted **out, struct failure *failure)
{
	const char *id = json_string_value(json_object_get(request, "id"));
	size_t stdio_count = (size_t)server_number(request, "stdio");
	struct oci_launch launch;
	struct oci_spec spec = {0};
	int result = -1;

	if (!id || !count || stdio_count > count - 1)
		return fail(failure, STATUS_INTERNAL, "no container to make");
	if (!read_document(fds[0], &spec, failure) &&
		!oci_launch_build(&launch, &spec, id, "/", failure)) {
		if (server_take_stdio(
			    &launch.process, request, &spec.arena, fds + 1, stdio_count) &&
			take_sources(
				&launch, request, fds + 1 + stdio_count, count - 1 - stdio_count)) {
			share(&launch.config, request);
			result = hosted_create(id, &spec, &launch, out, failure);
		} else {
			(void)fail(failure, STATUS_INTERNAL,
				"descriptors of the container are missing");
		}
	}
	oci_spec_free(&spec);
	return result;
}

/* Its first process's life is the connection's: the one that holds it stands for the container on
 * the host. */
static void attend(int socket, struct hosted *hosted)
{
	json_t *message;
	int status;

	while ((message = channel_receive(socket, NULL, NULL))) {
		int signal = server_number(message, "signal");

		if (signal)
			(void)!container_process_signal(hosted->init, signal);
		else if (json_object_get(message, "rows"))
			container_process_resize(hosted->init,
				(uint16_t)server_number(message, "rows"),
				(uint16_t)server_number(message, "columns"));
		json_decref(message);
	}
	pthread_mutex_lock(&g_server.lock);
	if (!hosted->exited) {
		pthread_mutex_unlock(&g_server.lock);
		container_signal_all(hosted->container, LINUX_SIGKILL);
		pthread_mutex_lock(&g_server.lock);
	}
	while (!hosted->exited)
		pthread_cond_wait(&g_server.changed, &g_server.lock);
	hosted->socket = -1;
	status = hosted->status;
	pthread_mutex_unlock(&g_server.lock);
	(void)channel_send(socket,
		json_pack("{s:i, s:b}", "exited", status, "outOfMemory",
			container_ran_out_of_memory(hosted->container)),
		NULL, 0);
}

void server_add(int socket, json_t *request, int *fds, size_t count)
{
	struct failure failure = {0};
	struct hosted *hosted;

	if (make(request, fds, count, &hosted, &failure)) {
		(void)server_fail(socket, failure.message);
		return;
	}
	pthread_mutex_lock(&g_server.lock);
	hosted->users++;
	hosted->socket = socket;
	if (hosted->exited)
		(void)shutdown(socket, SHUT_RD);
	pthread_mutex_unlock(&g_server.lock);
	(void)channel_send(socket, json_pack("{s:b}", "ok", 1), NULL, 0);
	attend(socket, hosted);
	hosted_put(hosted);
}
