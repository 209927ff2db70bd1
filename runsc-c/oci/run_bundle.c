/* SPDX-License-Identifier: Apache-2.0 */
/* `csandbox run --bundle DIR ID`: create, start, wait, delete. */
#include "base/cleanup.h"
#include "runsc-c/console.h"
#include "runsc-c/oci/create.h"
#include "runsc-c/oci/lifecycle.h"
#include "runsc-c/oci/relay.h"
#include "runsc-c/oci/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void pass_on(const struct creation *creation, int signals)
{
	struct signalfd_siginfo info;
	struct failure unused;
	struct winsize size;
	json_t *request = NULL;

	if (read(signals, &info, sizeof(info)) != sizeof(info) || info.ssi_signo == SIGPIPE)
		return;
	if (info.ssi_signo != SIGWINCH)
		request = json_pack("{s:s, s:i}", "do", "signal", "signal", (int)info.ssi_signo);
	else if (creation->terminal.is_callers && !ioctl(STDIN_FILENO, TIOCGWINSZ, &size))
		request = json_pack("{s:s, s:i, s:i}", "do", "resize", "rows", size.ws_row,
			"columns", size.ws_col);
	if (request)
		json_decref(sentry_ask(&creation->state, request, &unused));
}

/* The process that stands for the container is our child. */
static int wait_end(const struct creation *creation, int signals)
{
	auto_close int process = (int)syscall(SYS_pidfd_open, creation->pid, 0);
	struct pollfd fds[] = {
		{.fd = process, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
	int status = 0;

	while (process >= 0) {
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[0].revents)
			break;
		if (fds[1].revents)
			pass_on(creation, signals);
	}
	while (waitpid(creation->pid, &status, 0) < 0 && errno == EINTR)
		;
	return relay_exit_status(status);
}

static int follow(struct creation *creation, bool kept, int signals, struct failure *failure)
{
	struct sandbox_console console;
	int status;

	if (creation->terminal.is_callers && console_open(STDIN_FILENO, &console))
		(void)console_take();
	status = wait_end(creation, signals);
	console_give_back();
	if (!kept && lifecycle_delete(&creation->state, failure))
		return 1;
	return status;
}

int command_run_bundle(int argc, char **argv, struct failure *failure)
{
	struct creation creation = {0};
	bool detached = false, kept = false, ignored;
	const struct option_row rows[] = {
		{"bundle", "b", OPTION_TEXT, &creation.bundle, "DIR",
			"the bundle (default: the working directory)"},
		{"pid-file", NULL, OPTION_TEXT, &creation.pid_file, "FILE",
			"write the number of its process on the host there"},
		{"console-socket", NULL, OPTION_TEXT, &creation.console_socket, "SOCKET",
			"where the terminal's other end is sent to"},
		{"preserve-fds", NULL, OPTION_NUMBER, &creation.preserved, "N",
			"pass N more descriptors on, from 3"},
		{"detach", "d", OPTION_FLAG, &detached, NULL, "return as soon as it runs"},
		{"keep", NULL, OPTION_FLAG, &kept, NULL,
			"do not delete the container when it has ended"},
		{"no-pivot", NULL, OPTION_FLAG, &ignored, NULL, "accepted, without effect"},
		{"no-new-keyring", NULL, OPTION_FLAG, &ignored, NULL, "accepted, without effect"},
		{"no-subreaper", NULL, OPTION_FLAG, &ignored, NULL, "accepted, without effect"},
	};
	int at = options_take(argc, argv, rows, array_count(rows), "run [OPTION...] ID", failure),
	    status = 1, signals = -1;

	if (at < 0 || at > argc)
		return at < 0 ? 1 : 0;
	creation.id = options_one(argc, argv, at, "the id of one container", failure);
	if (!creation.id)
		return 1;
	creation.foreground = !detached;
	if (!detached)
		signals = relay_take_signals();
	if (!creation_make(&creation, failure)) {
		if (lifecycle_start(&creation.state, failure)) {
			struct failure unused;

			(void)!lifecycle_kill_and_delete(&creation.state, &unused);
		} else {
			status = detached ? 0 : follow(&creation, kept, signals, failure);
		}
	}
	creation_free(&creation);
	return status;
}
