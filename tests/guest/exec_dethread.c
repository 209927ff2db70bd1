/* SPDX-License-Identifier: Apache-2.0 */
/* execve from a thread: how its siblings end, how it takes the leader's identity over, and what
 * tracers see of it (ptrace(2), "execve(2) under ptrace"). */
#include "tests/guest/ptrace_test.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>

#define EXEC_STATUS 7
#define OPTIONS	    (PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT)

static struct {
	volatile pid_t sibling, caller, child;
	volatile int go, signals;
	volatile int word;
} * seen;

static void make_seen(void)
{
	seen = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(seen != MAP_FAILED);
}

/* The link of /proc is gone with the leader. */
static char own_path[4096];

__attribute__((constructor)) static void find_own_path(void)
{
	if (readlink("/proc/self/exe", own_path, sizeof(own_path) - 1) < 0)
		own_path[0] = 0;
}

static void exec_self(const char *mode)
{
	execl(own_path, "exec_dethread", mode, NULL);
	_exit(99);
}

static void *sibling(void *unused)
{
	seen->sibling = (pid_t)syscall(SYS_gettid);
	for (;;)
		pause();
	return unused;
}

static void *caller(void *mode)
{
	seen->caller = (pid_t)syscall(SYS_gettid);
	while (!seen->go)
		sleep_ms(1);
	exec_self(mode);
	return NULL;
}

/* A leader that waits, a thread that waits, and one that executes itself when it is told to. */
static void three_threads(const char *mode)
{
	pthread_t thread;

	pthread_create(&thread, NULL, sibling, NULL);
	pthread_create(&thread, NULL, caller, (void *)(uintptr_t)mode);
	for (;;)
		pause();
}

static pid_t start(const char *mode)
{
	pid_t child;

	make_seen();
	child = fork();
	if (child == 0)
		three_threads(mode);
	while (!seen->sibling || !seen->caller)
		sleep_ms(1);
	return child;
}

static void seize(pid_t task, unsigned long options)
{
	CHECK_EQ(request(PTRACE_SEIZE, task, 0, options), 0);
}

static void no_report(pid_t task)
{
	int status;

	sleep_ms(10);
	CHECK_EQ(waitpid(task, &status, __WALL | WNOHANG), 0);
}

/* --- untraced --- */

TEST(the_caller_is_the_leader_afterwards)
{
	pid_t child = start("--one-thread");

	seen->go = 1;
	CHECK_EQ(wait_for(child), EXITED(EXEC_STATUS));
	CHECK_ERRNO(kill(seen->caller, 0), ESRCH);
	CHECK_ERRNO(waitpid(-1, NULL, __WALL), ECHILD);
}

static void *leader_waits(void *unused)
{
	seen->caller = (pid_t)syscall(SYS_gettid);
	while (state_of(getpid(), getpid()) != 'Z')
		sleep_ms(1);
	exec_self("--one-thread");
	return unused;
}

TEST(a_leader_that_is_gone_comes_back)
{
	pid_t child;

	make_seen();
	child = fork();
	if (child == 0) {
		pthread_t thread;

		pthread_create(&thread, NULL, leader_waits, NULL);
		syscall(SYS_exit, 3);
	}
	CHECK_EQ(wait_for(child), EXITED(EXEC_STATUS));
}

/* --- traced --- */

/* Each sibling stops on its way out with a status of 0, and the exec waits for all of them. */
TEST(siblings_end_with_status_zero)
{
	pid_t child = start("--exit"), sibling, caller;

	sibling = seen->sibling;
	caller = seen->caller;
	seize(child, OPTIONS);
	seize(sibling, OPTIONS);
	seize(caller, OPTIONS);
	seen->go = 1;
	CHECK_EQ(wait_for(sibling), EVENT_STOP(PTRACE_EVENT_EXIT));
	CHECK_EQ(event_message(sibling), 0);
	CHECK_EQ(wait_for(child), EVENT_STOP(PTRACE_EVENT_EXIT));
	CHECK_EQ(event_message(child), 0);
	no_report(caller);
	go(PTRACE_CONT, sibling, EXITED(0));
	CHECK_EQ(request(PTRACE_CONT, child, 0, 0), 0);
	/* The leader does not report its end: the next that is heard of its number is the caller.
	 */
	CHECK_EQ(wait_for(child), EVENT_STOP(PTRACE_EVENT_EXEC));
	CHECK_EQ(event_message(child), caller);
	CHECK_ERRNO(waitpid(caller, NULL, __WALL | WNOHANG), ECHILD);
	CHECK_ERRNO(request(PTRACE_CONT, caller, 0, 0), ESRCH);
	/* Options stay; the end is the process's. */
	go(PTRACE_CONT, child, EVENT_STOP(PTRACE_EVENT_EXIT));
	CHECK_EQ(event_message(child), EXITED(EXEC_STATUS));
	go(PTRACE_CONT, child, EXITED(EXEC_STATUS));
	CHECK_ERRNO(waitpid(-1, NULL, __WALL), ECHILD);
}

/* The exec waits until the tracer has seen the end of the siblings. */
TEST(the_exec_waits_for_the_tracer)
{
	pid_t child = start("--exit"), sibling;

	sibling = seen->sibling;
	seize(sibling, 0);
	seize(seen->caller, PTRACE_O_TRACEEXEC);
	seen->go = 1;
	await_state(child, sibling, 'Z');
	no_report(child);
	CHECK_EQ(wait_for(sibling), EXITED(0));
	CHECK_EQ(wait_for(child), EVENT_STOP(PTRACE_EVENT_EXEC));
	go(PTRACE_CONT, child, EXITED(EXEC_STATUS));
}

/* Attached in the old way and without the option: a SIGTRAP, of the leader's number. */
TEST(without_the_option_a_sigtrap)
{
	pid_t child = start("--exit"), caller = seen->caller;
	siginfo_t info;

	CHECK_EQ(request(PTRACE_ATTACH, caller, 0, 0), 0);
	CHECK_EQ(wait_for(caller), STOPPED(SIGSTOP));
	seen->go = 1;
	CHECK_EQ(request(PTRACE_CONT, caller, 0, 0), 0);
	CHECK_EQ(wait_for(child), STOPPED(SIGTRAP));
	info = stop_info(child);
	CHECK(info.si_code == SI_USER && info.si_pid == child);
	go(PTRACE_CONT, child, EXITED(EXEC_STATUS));
}

/* The leader alone is traced, by its parent: it is gone, and with it the tracing. */
TEST(the_tracer_of_the_leader_alone)
{
	pid_t child = start("--wait");

	seize(child, 0);
	seen->go = 1;
	/* The number of the caller goes when the exec is done. */
	while (kill(seen->caller, 0) == 0)
		sleep_ms(1);
	await_state(child, child, 'S');
	CHECK_ERRNO(request(PTRACE_INTERRUPT, child, 0, 0), ESRCH);
	kill(child, SIGTERM);
	/* As a child that is not traced. */
	CHECK_EQ(wait_for(child), SIGTERM);
}

/* Another process traces the leader: it loses its tracee, whose number goes on. */
TEST(another_tracer_of_the_leader)
{
	pid_t child = start("--exit"), tracer;

	tracer = fork();
	if (tracer == 0) {
		seize(child, 0);
		seen->word = 1;
		/* Nothing is there to wait for any more. */
		CHECK_ERRNO(waitpid(-1, NULL, __WALL), ECHILD);
		_exit(0);
	}
	while (!seen->word)
		sleep_ms(1);
	seize(seen->caller, PTRACE_O_TRACEEXEC);
	seen->go = 1;
	CHECK_EQ(wait_for(child), EVENT_STOP(PTRACE_EVENT_EXEC));
	CHECK_EQ(event_message(child), seen->caller);
	CHECK_EQ(wait_for(tracer), 0);
	go(PTRACE_CONT, child, EXITED(EXEC_STATUS));
}

/* Another process traces the caller: afterwards it traces the process. */
TEST(another_tracer_of_the_caller)
{
	pid_t child = start("--exit"), tracer;
	int status;

	tracer = fork();
	if (tracer == 0) {
		seize(seen->caller, PTRACE_O_TRACEEXEC);
		seen->go = 1;
		/* It asked for one, and hears of another. */
		CHECK_EQ(wait_any(&status), child);
		CHECK_EQ(status, EVENT_STOP(PTRACE_EVENT_EXEC));
		CHECK_EQ(event_message(child), seen->caller);
		go(PTRACE_CONT, child, EXITED(EXEC_STATUS));
		_exit(0);
	}
	CHECK_EQ(wait_for(tracer), 0);
	CHECK_EQ(wait_for(child), EXITED(EXEC_STATUS));
}

/* System call stops: the exit stop is the leader's number's, though it entered none. */
TEST(the_exit_stop_of_the_exec)
{
	pid_t child = start("--exit"), caller = seen->caller;

	seize(caller, PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD);
	go(PTRACE_INTERRUPT, caller, EVENT_STOP(PTRACE_EVENT_STOP));
	seen->go = 1;
	go_to_call(caller, SYS_execve);
	CHECK_EQ(request(PTRACE_SYSCALL, caller, 0, 0), 0);
	CHECK_EQ(wait_for(child), EVENT_STOP(PTRACE_EVENT_EXEC));
	go(PTRACE_SYSCALL, child, SYSCALL_STOP);
	CHECK_EQ(event_message(child), PTRACE_EVENTMSG_SYSCALL_EXIT);
	CHECK_EQ(peek_user(child, REGISTER(rax)), 0);
	go(PTRACE_CONT, child, EXITED(EXEC_STATUS));
}

/* Killed while it waits for siblings that stand in their exit stops. */
TEST(sigkill_while_the_siblings_end)
{
	pid_t child = start("--exit"), sibling = seen->sibling, caller = seen->caller;
	int status;

	seize(child, OPTIONS);
	seize(sibling, OPTIONS);
	seize(caller, OPTIONS);
	seen->go = 1;
	CHECK_EQ(wait_for(sibling), EVENT_STOP(PTRACE_EVENT_EXIT));
	CHECK_EQ(wait_for(child), EVENT_STOP(PTRACE_EVENT_EXIT));
	kill(child, SIGKILL);
	/* Whoever of them stops once more is let go; all of them end. */
	for (;;) {
		pid_t task = waitpid(-1, &status, __WALL);

		if (task < 0)
			break;
		if (WIFSTOPPED(status))
			request(PTRACE_CONT, task, 0, 0);
		if (task == child && !WIFSTOPPED(status))
			CHECK_EQ(status, SIGKILL);
	}
	CHECK_EQ(errno, ECHILD);
}

/* The numbers are those of the tracer's namespace. */
static int exec_in_namespace(void *unused)
{
	(void)unused;
	three_threads("--exit");
	return 0;
}

TEST(messages_of_another_pid_namespace)
{
	static char stack[65536] __attribute__((aligned(16)));
	pid_t child, thread = 0, last = 0;
	int status;

	make_seen();
	child = clone(exec_in_namespace, stack + sizeof(stack), CLONE_NEWPID | SIGCHLD, NULL);
	if (child < 0)
		SKIP("no pid namespaces");
	while (!seen->sibling || !seen->caller)
		sleep_ms(1);
	/* Inside they are small. */
	CHECK(seen->caller < 10);
	{
		char path[64];
		DIR *directory;
		struct dirent *entry;

		snprintf(path, sizeof(path), "/proc/%d/task", child);
		directory = opendir(path);
		CHECK(directory);
		while ((entry = readdir(directory))) {
			thread = atoi(entry->d_name);
			if (thread <= 0)
				continue;
			seize(thread, PTRACE_O_TRACEEXEC);
			last = thread > last ? thread : last;
		}
		closedir(directory);
	}
	seen->go = 1;
	do
		thread = wait_any(&status);
	while (status == EXITED(0));
	CHECK_EQ(thread, child);
	CHECK_EQ(status, EVENT_STOP(PTRACE_EVENT_EXEC));
	/* The caller was made last, and its number outside is the highest. */
	CHECK_EQ(event_message(child), last);
	go(PTRACE_CONT, child, EXITED(EXEC_STATUS));
}

/* --- what becomes of the siblings' things --- */

static void *thread_with_a_child(void *unused)
{
	pid_t child = fork();

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		seen->child = getpid();
		for (;;)
			pause();
	}
	seen->sibling = 1;
	for (;;)
		pause();
	return unused;
}

/* The parent of a child is the thread that made it: its end in an exec is a parent's death. */
TEST(children_of_siblings_see_a_parent_die)
{
	pid_t child;

	make_seen();
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	child = fork();
	if (child == 0) {
		pthread_t thread;

		pthread_create(&thread, NULL, thread_with_a_child, NULL);
		while (!seen->child || !seen->sibling)
			sleep_ms(1);
		exec_self("--reap");
	}
	CHECK_EQ(wait_for(child), EXITED(SIGTERM));
}

static void *lock_and_wait(void *mutex)
{
	pthread_mutex_lock(mutex);
	seen->sibling = 1;
	for (;;)
		pause();
	return NULL;
}

/* A robust mutex in shared memory, held by a thread that an exec ends, or by the caller itself. */
static void check_owner_dies(bool by_thread)
{
	pthread_mutexattr_t attributes;
	pthread_mutex_t *mutex;
	pid_t child;

	make_seen();
	mutex = (pthread_mutex_t *)(seen + 1);
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	CHECK(pthread_mutex_init(mutex, &attributes) == 0);
	child = fork();
	if (child == 0) {
		pthread_t thread;

		if (by_thread)
			pthread_create(&thread, NULL, lock_and_wait, mutex);
		else
			pthread_mutex_lock(mutex);
		while (by_thread && !seen->sibling)
			sleep_ms(1);
		exec_self("--exit");
	}
	CHECK_EQ(wait_for(child), EXITED(EXEC_STATUS));
	CHECK_EQ(pthread_mutex_lock(mutex), EOWNERDEAD);
}

TEST(robust_mutexes_of_siblings)
{
	check_owner_dies(true);
}

TEST(robust_mutexes_of_the_caller)
{
	check_owner_dies(false);
}

/* --- failures --- */

static void *exec_nothing(void *unused)
{
	seen->caller = (pid_t)syscall(SYS_gettid);
	execl("/nothing/there", "x", NULL);
	seen->word = errno;
	for (;;)
		pause();
	return unused;
}

TEST(a_failure_harms_nobody)
{
	pid_t child;

	make_seen();
	child = fork();
	if (child == 0) {
		pthread_t thread;

		pthread_create(&thread, NULL, sibling, NULL);
		pthread_create(&thread, NULL, exec_nothing, NULL);
		while (!seen->word || !seen->sibling)
			sleep_ms(1);
		/* All three are there. */
		_exit(syscall(SYS_tgkill, getpid(), seen->sibling, 0) == 0 &&
					syscall(SYS_tgkill, getpid(), seen->caller, 0) == 0
				? seen->word
				: 99);
	}
	CHECK_EQ(wait_for(child), EXITED(ENOENT));
}

/* --- after the exec --- */

static int one_thread(void)
{
	DIR *directory = opendir("/proc/self/task");
	struct dirent *entry;
	int threads = 0;

	while (directory && (entry = readdir(directory)))
		threads += entry->d_name[0] != '.';
	return getpid() == syscall(SYS_gettid) && threads == 1 ? EXEC_STATUS : 1;
}

static int wait_for_signal(void)
{
	for (;;)
		pause();
	return 0;
}

static int reap(void)
{
	int status;

	return wait(&status) > 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 1;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--exit"))
		return EXEC_STATUS;
	if (argc == 2 && !strcmp(argv[1], "--one-thread"))
		return one_thread();
	if (argc == 2 && !strcmp(argv[1], "--wait"))
		return wait_for_signal();
	if (argc == 2 && !strcmp(argv[1], "--reap"))
		return reap();
	return guest_test_main(argc, argv);
}
