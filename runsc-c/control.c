/* SPDX-License-Identifier: Apache-2.0 */
/* Messages between the command and its sentry. */
#include "runsc-c/control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

bool control_send(int fd, const struct control_message *message)
{
	ssize_t size;

	do {
		size = send(fd, message, sizeof(*message), MSG_NOSIGNAL);
	} while (size < 0 && errno == EINTR);
	return size == sizeof(*message);
}

bool control_receive(int fd, struct control_message *message)
{
	ssize_t size;

	do {
		size = recv(fd, message, sizeof(*message), 0);
	} while (size < 0 && errno == EINTR);
	if (size != sizeof(*message))
		return false;
	message->failure.message[sizeof(message->failure.message) - 1] = '\0';
	return true;
}
