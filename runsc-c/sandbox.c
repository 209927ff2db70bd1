/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a sentry's process, from the command's side. */
#include "runsc-c/sandbox.h"

#include "base/cleanup.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Raw, since fork(2) takes no flags: the child has the one thread that it needs, and nothing of
 * ours ran before. */
static pid_t clone_sentry(unsigned long namespaces)
{
	return (pid_t)syscall(SYS_clone, namespaces | SIGCHLD, NULL, NULL, NULL, NULL);
}

static int map_ids(
	const struct sandbox_launch *launch, struct sandbox *sandbox, struct failure *failure)
{
	if (launch->guest && launch->guest->uids)
		return jail_map_given_ids(
			sandbox->sentry, launch->guest->uids, launch->guest->gids, failure);
	return jail_map_ids(sandbox->sentry, &sandbox->host_ids, failure);
}

/* The sentry's end goes into the launch, ours into the sandbox. Without one there are no raw
 * sockets. */
static void make_raw_channel(struct sandbox_launch *launch, struct sandbox *sandbox)
{
	int pair[2];

	sandbox->raw_channel = -1;
	sandbox->raw_broker = 0;
	launch->config.raw_channel = 0;
	if (!launch->raw_sockets || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return;
	sandbox->raw_channel = pair[0];
	launch->config.raw_channel = pair[1];
}

static void close_raw_channel(int fd)
{
	if (fd > 0)
		close(fd);
}

int sandbox_make(struct sandbox_launch *launch, struct sandbox *sandbox, struct failure *failure)
{
	/* Not on the child's stack alone: it is a copy. */
	static struct jail_evidence evidence;
	int pair[2];

	sandbox->host_ids = 0;
	if (jail_check_host(failure))
		return -1;
	if (launch->report_jail)
		jail_read_namespaces(evidence.outside);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return fail_errno(failure, errno, "cannot make a channel to the sandbox");
	make_raw_channel(launch, sandbox);
	sandbox->sentry = clone_sentry(launch->guest ? launch->guest->namespaces : JAIL_NAMESPACES);
	if (sandbox->sentry == 0) {
		close(pair[0]);
		sentry_process_main(launch, pair[1], &evidence);
	}
	close(pair[1]);
	close_raw_channel(launch->config.raw_channel);
	sandbox->control = pair[0];
	if (sandbox->sentry < 0) {
		int error = errno;

		close(pair[0]);
		close_raw_channel(sandbox->raw_channel);
		return jail_explain_clone(error, failure);
	}
	if (map_ids(launch, sandbox, failure)) {
		close(pair[0]);
		close_raw_channel(sandbox->raw_channel);
		(void)waitpid(sandbox->sentry, NULL, 0);
		return -1;
	}
	return 0;
}

int sandbox_go(struct sandbox *sandbox, struct failure *failure)
{
	struct control_message go = {.type = CONTROL_GO, .a = sandbox->host_ids};

	if (!control_send(sandbox->control, &go))
		return fail(failure, STATUS_INTERNAL, "the sandbox ended while it was set up");
	return 0;
}

int sandbox_start(struct sandbox_launch *launch, struct sandbox *sandbox, struct failure *failure)
{
	if (sandbox_make(launch, sandbox, failure))
		return -1;
	return sandbox_go(sandbox, failure);
}

int sandbox_create(struct sandbox *sandbox, struct failure *failure)
{
	struct control_message message;

	if (sandbox_go(sandbox, failure))
		return -1;
	if (!control_receive(sandbox->control, &message))
		return fail(failure, STATUS_INTERNAL, "the sandbox ended while it was set up");
	if (message.type == CONTROL_READY)
		return 0;
	*failure = message.failure;
	return -1;
}

int sandbox_commit(struct sandbox *sandbox, struct failure *failure)
{
	struct control_message go = {.type = CONTROL_GO};

	if (!control_send(sandbox->control, &go))
		return fail(failure, STATUS_INTERNAL, "the sandbox ended while it was set up");
	return 0;
}
