/* SPDX-License-Identifier: Apache-2.0 */
/* Stands for a process inside. */
#include "runsc-c/oci/relay.h"

#include "base/compiler.h"
#include "runsc-c/console.h"
#include "runsc-c/oci/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define LITTLE_MEMORY	   (4u << 20)
#define LITTLE_MEMORY_TEXT "4194304"

static const int passed_on[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM,
	SIGWINCH, SIGCONT, SIGTSTP, SIGPIPE, SIGTTIN, SIGTTOU, SIGVTALRM, SIGPROF, SIGIO, SIGPWR,
	SIGSYS, SIGXCPU, SIGXFSZ, SIGURG};

int relay_take_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < array_count(passed_on); i++)
		sigaddset(&set, passed_on[i]);
	for (int signal = SIGRTMIN; signal <= SIGRTMAX; signal++)
		sigaddset(&set, signal);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

int relay_exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void send_size(int socket, int terminal)
{
	struct winsize size;

	if (terminal >= 0 && !ioctl(terminal, TIOCGWINSZ, &size))
		(void)channel_send(socket,
			json_pack("{s:i, s:i}", "rows", size.ws_row, "columns", size.ws_col), NULL,
			0);
}

static void pass_signal(int socket, int signals, int terminal)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGWINCH && terminal >= 0)
		send_size(socket, terminal);
	else if (info.ssi_signo != SIGPIPE)
		(void)channel_send(
			socket, json_pack("{s:i}", "signal", (int)info.ssi_signo), NULL, 0);
}

/* The status, or -1 for a message that does not tell of the end. */
static int take_message(int socket, bool *out_of_memory)
{
	json_t *message = channel_receive(socket, NULL, NULL), *exited;
	int status = -1;

	if (!message)
		return 128 + SIGKILL; /* the sandbox is gone, and all in it */
	exited = json_object_get(message, "exited");
	if (exited)
		status = relay_exit_status((int)json_integer_value(exited));
	*out_of_memory = json_is_true(json_object_get(message, "outOfMemory"));
	json_decref(message);
	return status;
}

static int run(int socket, int signals, int terminal, bool callers, bool *out_of_memory)
{
	struct pollfd fds[] = {{.fd = socket, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
	int status = -1;

	if (callers)
		(void)console_take();
	send_size(socket, terminal);
	while (status < 0) {
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents & POLLIN)
			pass_signal(socket, signals, terminal);
		if (fds[0].revents)
			status = take_message(socket, out_of_memory);
	}
	if (callers)
		console_give_back();
	return status;
}

int relay_run(int socket, int signals, int terminal, bool callers)
{
	bool unused = false;

	return run(socket, signals, terminal, callers, &unused);
}

/* What it stands for ran out of memory inside. Engines learn that from the host's cgroup alone, so
 * this process meets the end of memory there. */
static void run_out_of_memory(const char *limit_file)
{
	int fd = open(limit_file, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, LITTLE_MEMORY_TEXT, strlen(LITTLE_MEMORY_TEXT)) > 0)
		(void)mmap(NULL, 8 * LITTLE_MEMORY, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
}

/* Nothing of the caller's is held open: engines wait for the ends of pipes. */
static void let_go(const int *kept, size_t count)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	unsigned int least = 3;

	for (int fd = 0; fd < 3 && null >= 0; fd++)
		(void)dup2(null, fd);
	for (;;) {
		unsigned int next = ~0u;

		for (size_t i = 0; i < count; i++) {
			if (kept[i] >= (int)least && (unsigned int)kept[i] < next)
				next = (unsigned int)kept[i];
		}
		if (next > least)
			(void)syscall(SYS_close_range, least, next == ~0u ? next : next - 1, 0);
		if (next == ~0u)
			return;
		least = next + 1;
	}
}

int relay_detach(int socket, int signals, int terminal, const char *memory_limit, int *pid,
	struct failure *failure)
{
	bool out_of_memory = false;
	int status;

	*pid = fork();
	if (*pid < 0)
		return fail_errno(
			failure, errno, "cannot make a process to stand for the one inside");
	if (*pid)
		return 0;
	setsid();
	let_go((const int[]){socket, signals, terminal}, 3);
	/* So that it is told of changes of its size. */
	if (terminal >= 0)
		(void)ioctl(terminal, TIOCSCTTY, 0);
	(void)prctl(PR_SET_NAME, "csandbox-relay");
	if (chdir("/"))
		_exit(STATUS_INTERNAL);
	status = run(socket, signals, terminal, false, &out_of_memory);
	if (out_of_memory && memory_limit)
		run_out_of_memory(memory_limit);
	_exit(status);
}
