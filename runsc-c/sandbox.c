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

/* Raw, since fork(2) takes no flags: the child has the one thread that it needs, and nothing of ours ran before. */
static pid_t clone_sentry(void)
{
	return (pid_t)syscall(SYS_clone, JAIL_NAMESPACES | SIGCHLD, NULL, NULL, NULL, NULL);
}

int sandbox_start(struct sandbox_launch *launch, struct sandbox *sandbox, struct failure *failure)
{
	struct control_message go = {.type = CONTROL_GO};
	struct jail_evidence evidence = {0};
	bool only_own;
	int pair[2];

	if (jail_check_host(failure))
		return -1;
	if (launch->report_jail)
		jail_read_namespaces(evidence.outside);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return fail_errno(failure, errno, "cannot make a channel to the sandbox");
	sandbox->sentry = clone_sentry();
	if (sandbox->sentry == 0) {
		close(pair[0]);
		sentry_process_main(launch, pair[1], &evidence);
	}
	close(pair[1]);
	sandbox->control = pair[0];
	if (sandbox->sentry < 0) {
		close(pair[0]);
		return jail_explain_clone(errno, failure);
	}
	if (jail_map_ids(sandbox->sentry, &only_own, failure)) {
		close(pair[0]);
		(void)waitpid(sandbox->sentry, NULL, 0);
		return -1;
	}
	go.a = only_own;
	if (!control_send(pair[0], &go))
		return fail(failure, STATUS_INTERNAL, "the sandbox ended while it was set up");
	return 0;
}
