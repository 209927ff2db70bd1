/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the sentry that a container runs in. */
#include "base/cleanup.h"
#include "runsc-c/oci/channel.h"
#include "runsc-c/oci/runtime.h"
#include "runsc-c/oci/state.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* By a descriptor of the directory, since the name of a socket is short. */
static int connect_in(int directory, struct failure *failure)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	auto_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/control", directory);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fail(failure, STATUS_INTERNAL, "container not running");
	return steal_fd(&fd);
}

int sentry_connect(const struct state *state, struct failure *failure)
{
	const char *sandbox = state_text(state, "sandbox");
	struct state first;
	int fd;

	if (!sandbox || !strcmp(sandbox, state->id))
		return connect_in(state->directory, failure);
	if (state_open(&first, sandbox, false, failure))
		return -1;
	fd = connect_in(first.directory, failure);
	state_close(&first);
	return fd;
}

json_t *sentry_call(int socket, json_t *request, const int *fds, size_t count, int seconds,
	struct failure *failure)
{
	struct pollfd poll_fd = {.fd = socket, .events = POLLIN};
	const char *message;
	json_t *answer, *status;

	if (!channel_send(socket, request, fds, count)) {
		(void)fail(failure, STATUS_INTERNAL, "container not running");
		return NULL;
	}
	if (seconds && poll(&poll_fd, 1, seconds * 1000) == 0) {
		(void)fail(failure, STATUS_INTERNAL, "the sandbox does not answer");
		return NULL;
	}
	answer = channel_receive(socket, NULL, NULL);
	if (!answer) {
		(void)fail(
			failure, STATUS_INTERNAL, "container not running: its sandbox has ended");
		return NULL;
	}
	message = json_string_value(json_object_get(answer, "error"));
	if (!message)
		return answer;
	status = json_object_get(answer, "status");
	(void)fail(
		failure, status ? (int)json_integer_value(status) : STATUS_INTERNAL, "%s", message);
	json_decref(answer);
	return NULL;
}

json_t *sentry_ask(const struct state *state, json_t *request, struct failure *failure)
{
	auto_close int socket = sentry_connect(state, failure);

	(void)json_object_set_new(request, "id", json_string(state->id));
	if (socket < 0) {
		json_decref(request);
		return NULL;
	}
	return sentry_call(socket, request, NULL, 0, 0, failure);
}
