/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs hooks.
 *
 * Differs from other runtimes: createContainer hooks run in the sandbox's network namespace, but in
 * the host's mount namespace, since a sandbox shows the host no mounts.
 */
#include "runsc-c/oci/hooks.h"

#include "base/cleanup.h"
#include "runsc-c/oci/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int state_file(json_t *state)
{
	int fd = memfd_create("state", MFD_CLOEXEC);

	if (fd >= 0 && (json_dumpfd(state, fd, JSON_COMPACT) || lseek(fd, 0, SEEK_SET))) {
		close(fd);
		return -1;
	}
	return fd;
}

static void enter_network(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		(void)setns(fd, CLONE_NEWNET);
}

noreturn_ static void exec_hook(const struct oci_hook *hook, int input, pid_t network_of)
{
	const char *const only[] = {hook->path, NULL};
	static const char *const empty[] = {NULL};
	sigset_t none;

	if (network_of)
		enter_network(network_of);
	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(input, STDIN_FILENO) < 0)
		_exit(127);
	syscall(SYS_close_range, 3, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */);
	execve(hook->path, (char *const *)(hook->args && hook->args[0] ? hook->args : only),
		(char *const *)(hook->env ? hook->env : empty));
	_exit(127);
}

/* False: it lasted too long. */
static bool wait_hook(pid_t pid, int64_t timeout, int *status)
{
	auto_close int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	int milliseconds = timeout > 0 && timeout < 2000000 ? (int)timeout * 1000 : -1;
	bool in_time = fd < 0 || poll(&poll_fd, 1, milliseconds) != 0;

	/* With what it started. */
	if (!in_time && kill(-pid, SIGKILL))
		kill(pid, SIGKILL);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	return in_time;
}

static int run_one(const struct oci_hook *hook, const char *stage, size_t index, json_t *state,
	pid_t network_of, struct failure *failure)
{
	auto_close int input = state_file(state);
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = input < 0 ? -1 : fork();
	if (pid == 0)
		exec_hook(hook, input, network_of);
	if (pid < 0)
		return fail_errno(failure, errno, "hooks.%s[%zu]: %s", stage, index, hook->path);
	if (!wait_hook(pid, hook->timeout, &status))
		return fail(failure, STATUS_INTERNAL,
			"error running %s hook #%zu: %s: timed out after %lld s", stage, index,
			hook->path, (long long)hook->timeout);
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	return fail(failure, STATUS_INTERNAL, "error running %s hook #%zu: %s: %s %d", stage, index,
		hook->path, WIFSIGNALED(status) ? "signal" : "exit status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

int hooks_run(const struct oci_hooks *hooks, const char *stage, json_t *state, pid_t network_of,
	struct failure *failure)
{
	for (size_t i = 0; i < hooks->count; i++) {
		if (run_one(&hooks->hooks[i], stage, i, state, network_of, failure))
			return -1;
	}
	return 0;
}

void hooks_run_all(const struct oci_hooks *hooks, const char *stage, json_t *state)
{
	for (size_t i = 0; i < hooks->count; i++) {
		struct failure failure = {0};

		if (run_one(&hooks->hooks[i], stage, i, state, 0, &failure))
			runtime_log("warning", failure.message);
	}
}
