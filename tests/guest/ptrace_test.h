/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of ptrace(2) share: tracees that start with a stop, single requests, waits that know
 * what must come. */
#pragma once

#include "tests/guest/guest_test.h"

/* Before <linux/ptrace.h>, whose macros would change its names. */
#include <sys/ptrace.h>

#include <linux/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

#ifndef PTRACE_SET_SYSCALL_INFO
#define PTRACE_SET_SYSCALL_INFO 0x4212
#endif
#ifndef PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG
#define PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG 0x4210
#define PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG 0x4211
#endif
#ifndef PTRACE_GET_RSEQ_CONFIGURATION
#define PTRACE_GET_RSEQ_CONFIGURATION 0x420f
#endif
#define SINGLE_BLOCK 33

#define EXITED(n)     ((n) << 8)
#define STOPPED(n)    ((n) << 8 | 0x7f)
#define SYSCALL_STOP  STOPPED(SIGTRAP | 0x80)
#define EVENT_STOP(e) (STOPPED(SIGTRAP) | (e) << 16)
/* PTRACE_EVENT_STOP of a group stop with this signal. */
#define GROUP_STOP(n)	  (STOPPED(n) | PTRACE_EVENT_STOP << 16)
#define REGISTER(name)	  offsetof(struct user, regs.name)
#define DEBUG_REGISTER(n) (offsetof(struct user, u_debugreg) + (n) * sizeof(long))

__attribute__((unused)) static long request(
	long number, pid_t tracee, unsigned long address, unsigned long data)
{
	return syscall(SYS_ptrace, number, tracee, address, data);
}

__attribute__((unused)) static int wait_for(pid_t task)
{
	int status;
	pid_t found;

	while ((found = waitpid(task, &status, __WALL)) < 0 && errno == EINTR)
		;
	CHECK_EQ(found, task);
	return status;
}

/* Whoever of them reports first. */
__attribute__((unused)) static pid_t wait_any(int *status)
{
	pid_t found = waitpid(-1, status, __WALL);

	CHECK(found > 0);
	return found;
}

/* A child that runs the function once it is let go: attached in the old way, in a stop for SIGSTOP.
 */
__attribute__((unused)) static pid_t tracee_of(void (*function)(void))
{
	pid_t child = fork();

	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		function();
		_exit(0);
	}
	CHECK_EQ(wait_for(child), STOPPED(SIGSTOP));
	return child;
}

/* The same with options set. */
__attribute__((unused)) static pid_t tracee_with(void (*function)(void), unsigned long options)
{
	pid_t child = tracee_of(function);

	CHECK_EQ(request(PTRACE_SETOPTIONS, child, 0, options), 0);
	return child;
}

/* A child that is seized, and runs. */
__attribute__((unused)) static pid_t seize_of(void (*function)(void), unsigned long options)
{
	int gate[2];
	char byte;
	pid_t child;

	CHECK(pipe(gate) == 0);
	child = fork();
	if (child == 0) {
		close(gate[1]);
		while (read(gate[0], &byte, 1) < 0 && errno == EINTR)
			;
		close(gate[0]);
		function();
		_exit(0);
	}
	close(gate[0]);
	CHECK_EQ(request(PTRACE_SEIZE, child, 0, options), 0);
	close(gate[1]);
	return child;
}

/* Lets it go, and waits for this status. */
__attribute__((unused)) static void go(long how, pid_t tracee, int expected)
{
	CHECK_EQ(request(how, tracee, 0, 0), 0);
	CHECK_EQ(wait_for(tracee), expected);
}

__attribute__((unused)) static void go_with(long how, pid_t tracee, int signal, int expected)
{
	CHECK_EQ(request(how, tracee, 0, (unsigned long)signal), 0);
	CHECK_EQ(wait_for(tracee), expected);
}

__attribute__((unused)) static void end(pid_t tracee)
{
	int status;

	kill(tracee, SIGKILL);
	/* It may stop once more on its way out. */
	while (WIFSTOPPED(status = wait_for(tracee)))
		request(PTRACE_CONT, tracee, 0, 0);
	CHECK_EQ(status, SIGKILL);
}

__attribute__((unused)) static unsigned long peek_user(pid_t tracee, size_t offset)
{
	unsigned long word;

	CHECK_EQ(request(PTRACE_PEEKUSER, tracee, offset, (unsigned long)&word), 0);
	return word;
}

__attribute__((unused)) static void poke_user(pid_t tracee, size_t offset, unsigned long value)
{
	CHECK_EQ(request(PTRACE_POKEUSER, tracee, offset, value), 0);
}

__attribute__((unused)) static unsigned long event_message(pid_t tracee)
{
	unsigned long message = ~0ul;

	CHECK_EQ(request(PTRACE_GETEVENTMSG, tracee, 0, (unsigned long)&message), 0);
	return message;
}

__attribute__((unused)) static siginfo_t stop_info(pid_t tracee)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	CHECK_EQ(request(PTRACE_GETSIGINFO, tracee, 0, (unsigned long)&info), 0);
	return info;
}

/* Runs a tracee with PTRACE_O_TRACESYSGOOD to the entry of the next call of this number. */
__attribute__((unused)) static void go_to_call(pid_t tracee, long number)
{
	struct ptrace_syscall_info info;

	do {
		go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
		CHECK(request(PTRACE_GET_SYSCALL_INFO, tracee, sizeof(info), (unsigned long)&info) >
			0);
	} while (info.op != PTRACE_SYSCALL_INFO_ENTRY || (long)info.entry.nr != number);
}

/* The letter of /proc/PID/task/TID/status State. */
__attribute__((unused)) static char state_of(pid_t process, pid_t task)
{
	char path[64], line[256], state = '?';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", process, task);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "State: %c", &state) == 1)
			break;
	if (file)
		fclose(file);
	return state;
}

__attribute__((unused)) static void await_state(pid_t process, pid_t task, char state)
{
	for (int i = 0; i < 5000 && state_of(process, task) != state; i++)
		sleep_ms(1);
	CHECK_EQ(state_of(process, task), state);
}
