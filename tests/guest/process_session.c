/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions and process groups: setsid, setpgid, who may move whom, signals to groups, orphaned
 * groups. */
#include "tests/guest/guest_test.h"

#include <sys/prctl.h>

/* A child that waits for a byte; go tells it. */
struct waiter {
	pid_t pid;
	int go;
};

static struct waiter waiter_new(void (*prepare)(void))
{
	struct waiter waiter;
	int go[2], ready[2];
	char byte;

	CHECK(pipe(go) == 0 && pipe(ready) == 0);
	waiter.go = go[1];
	waiter.pid = fork();
	CHECK(waiter.pid >= 0);
	if (waiter.pid == 0) {
		close(go[1]);
		if (prepare)
			prepare();
		CHECK_EQ(write(ready[1], "r", 1), 1);
		_exit(read(go[0], &byte, 1) > 0 ? 0 : 1);
	}
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	close(go[0]);
	close(ready[0]);
	close(ready[1]);
	return waiter;
}

static void own_group(void)
{
	CHECK(setpgid(0, 0) == 0);
}

static void own_session(void)
{
	CHECK(setsid() == getpid());
}

static int waiter_end(struct waiter *waiter)
{
	int status;

	CHECK_EQ(write(waiter->go, "x", 1), 1);
	close(waiter->go);
	CHECK(waitpid(waiter->pid, &status, 0) == waiter->pid);
	return status;
}

TEST(setsid_makes_leader_of_both)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		CHECK_EQ(setsid(), getpid());
		CHECK_EQ(getsid(0), getpid());
		CHECK_EQ(getpgrp(), getpid());
		CHECK_ERRNO(setsid(), EPERM);
		CHECK_ERRNO(setpgid(0, 0), EPERM); /* a session leader stays */
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
}

TEST(group_leader_cannot_setsid)
{
	CHECK_EQ(getpgrp(), getpid());
	CHECK_ERRNO(setsid(), EPERM);
}

TEST(setpgid_of_a_child)
{
	struct waiter child = waiter_new(NULL);

	CHECK_EQ(getpgid(child.pid), getpgrp());
	CHECK(setpgid(child.pid, child.pid) == 0);
	CHECK_EQ(getpgid(child.pid), child.pid);
	CHECK(setpgid(child.pid, getpgrp()) == 0);
	CHECK_EQ(getpgid(child.pid), getpgrp());
	CHECK(setpgid(child.pid, 0) == 0);
	CHECK_EQ(getpgid(child.pid), child.pid);
	waiter_end(&child);
}

TEST(setpgid_errors)
{
	struct waiter child = waiter_new(own_session), other = waiter_new(own_group);

	CHECK_ERRNO(setpgid(0, -1), EINVAL);
	CHECK_ERRNO(setpgid(1 << 22, 0), ESRCH);
	CHECK_ERRNO(setpgid(getppid(), 0), ESRCH);
	CHECK_ERRNO(setpgid(child.pid, child.pid), EPERM);
	CHECK_ERRNO(setpgid(other.pid, child.pid), EPERM);
	CHECK_ERRNO(setpgid(other.pid, 1 << 22), EPERM);
	CHECK_ERRNO(getpgid(1 << 22), ESRCH);
	CHECK_ERRNO(getsid(1 << 22), ESRCH);
	waiter_end(&child);
	waiter_end(&other);
}

TEST(setpgid_after_the_child_executed_is_eacces)
{
	int fds[2];
	char byte;
	pid_t child;

	CHECK(pipe(fds) == 0);
	child = fork();
	if (child == 0) {
		dup2(fds[1], 1);
		execl("/bin/sh", "sh", "-c", "echo; exec sleep 30", NULL);
		_exit(1);
	}
	CHECK_EQ(read(fds[0], &byte, 1), 1);
	CHECK_ERRNO(setpgid(child, child), EACCES);
	kill(child, SIGKILL);
	CHECK(waitpid(child, NULL, 0) == child);
}

TEST(joining_a_group_of_the_session)
{
	struct waiter first = waiter_new(own_group), second = waiter_new(NULL);

	CHECK(setpgid(second.pid, first.pid) == 0);
	CHECK_EQ(getpgid(second.pid), first.pid);
	waiter_end(&first); /* the group lives on with its last member */
	CHECK_EQ(getpgid(second.pid), first.pid);
	CHECK(kill(-first.pid, 0) == 0);
	waiter_end(&second);
	CHECK_ERRNO(kill(-first.pid, 0), ESRCH);
}

TEST(kill_of_a_group_reaches_all_members)
{
	struct waiter first = waiter_new(own_group), second = waiter_new(NULL),
		      outside = waiter_new(NULL);
	int status;

	CHECK(setpgid(second.pid, first.pid) == 0);
	CHECK(kill(-first.pid, SIGTERM) == 0);
	CHECK(waitpid(first.pid, &status, 0) == first.pid);
	CHECK_EQ(WTERMSIG(status), SIGTERM);
	CHECK(waitpid(second.pid, &status, 0) == second.pid);
	CHECK_EQ(WTERMSIG(status), SIGTERM);
	CHECK_EQ(waitpid(outside.pid, &status, WNOHANG), 0);
	CHECK_EQ(waiter_end(&outside), 0);
}

static volatile sig_atomic_t handled;

static void handler(int signal)
{
	handled = signal;
}

TEST(kill_zero_reaches_own_group)
{
	struct waiter child = waiter_new(NULL);
	int status;

	signal(SIGUSR1, handler);
	CHECK(kill(0, SIGUSR1) == 0);
	CHECK_EQ(handled, SIGUSR1);
	CHECK(waitpid(child.pid, &status, 0) == child.pid);
	CHECK_EQ(WTERMSIG(status), SIGUSR1);
}

TEST(kill_errors)
{
	CHECK_ERRNO(kill(getpid(), 65), EINVAL);
	CHECK_ERRNO(kill(getpid(), -1), EINVAL);
	CHECK_ERRNO(kill(1 << 22, 0), ESRCH);
	CHECK_ERRNO(kill(-(1 << 22), SIGTERM), ESRCH);
	CHECK_ERRNO(kill(INT32_MIN, SIGTERM), ESRCH);
	CHECK(kill(getpid(), 0) == 0);
}

/* A stopped member of a group that becomes orphaned gets SIGHUP and SIGCONT. */
TEST(newly_orphaned_stopped_group_gets_hangup)
{
	int status, fds[2];
	char byte = 0;
	pid_t leader, parent;

	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	CHECK(pipe(fds) == 0);
	leader = fork();
	if (leader == 0) {
		CHECK(setsid() > 0);
		parent = fork();
		if (parent == 0) {
			pid_t child;

			setpgid(0, 0);
			child = fork();
			if (child == 0) {
				setpgid(0, 0);
				raise(SIGSTOP);
				CHECK_EQ(
					write(fds[1], "c", 1), 1); /* reached only without SIGHUP */
				_exit(0);
			}
			CHECK(waitpid(child, &status, WUNTRACED) == child);
			CHECK(WIFSTOPPED(status));
			_exit(0);
		}
		CHECK(waitpid(parent, &status, 0) == parent);
		_exit(0);
	}
	close(fds[1]);
	CHECK(waitpid(leader, &status, 0) == leader);
	CHECK(wait(&status) > 0);
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGHUP);
	CHECK_EQ(read(fds[0], &byte, 1), 0);
}

TEST(terminal_stops_are_ignored_in_an_orphaned_group)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		CHECK(setsid() > 0); /* its parent is in another session: orphaned */
		raise(SIGTSTP);
		raise(SIGTTIN);
		raise(SIGTTOU);
		_exit(6);
	}
	CHECK(waitpid(child, &status, WUNTRACED) == child);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 6);
}

TEST(session_is_inherited)
{
	pid_t child = fork(), session = getsid(0);
	int status;

	if (child == 0)
		_exit(getsid(0) == session && getsid(getppid()) == session ? 0 : 1);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
}

GUEST_TEST_MAIN()
