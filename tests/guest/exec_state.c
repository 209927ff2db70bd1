/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What execve(2) keeps and what it resets. A test has two halves: before, which sets something and
 * executes this program again, and after, which runs in the new program and looks.
 */
#include "tests/guest/guest_test.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

#define USER 12345
#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

struct after {
	const char *name;
	void (*run)(void);
};

static struct after afters[GUEST_TEST_MAX];
static size_t after_count;
static char own_path[4096];

static void exec_path(const char *path, const char *name)
{
	execl(path, "exec_state", "--after", name, NULL);
	FAIL("execve of %s: %s", path, strerror(errno));
}

/* BEFORE(name) { ... } AFTER(name) { ... } */
#define BEFORE(name_)                                                                              \
	static void before_##name_(void);                                                          \
	TEST(name_)                                                                                \
	{                                                                                          \
		before_##name_();                                                                  \
		exec_path(own_path, #name_);                                                       \
	}                                                                                          \
	static void before_##name_(void)
#define AFTER(name_)                                                                               \
	static void after_##name_(void);                                                           \
	__attribute__((constructor)) static void register_after_##name_(void)                      \
	{                                                                                          \
		afters[after_count++] = (struct after){#name_, after_##name_};                     \
	}                                                                                          \
	static void after_##name_(void)

static void set_number(const char *name, long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", value);
	setenv(name, text, 1);
}

static long number(const char *name)
{
	return atol(getenv(name));
}

static void on_signal(int signal)
{
	(void)signal;
}

/* --- signals --- */

BEFORE(pending_signals_survive)
{
	sigset_t set;
	union sigval value = {.sival_int = 99};

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGRTMIN);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	/* One of the process, one of the thread, one with a value. */
	kill(getpid(), SIGUSR1);
	raise(SIGUSR2);
	CHECK(sigqueue(getpid(), SIGRTMIN, value) == 0);
}

AFTER(pending_signals_survive)
{
	sigset_t set;
	siginfo_t info;

	CHECK(sigpending(&set) == 0);
	CHECK(sigismember(&set, SIGUSR1) && sigismember(&set, SIGUSR2));
	/* The thread's own come first. */
	CHECK_EQ(sigwaitinfo(&set, &info), SIGUSR2);
	CHECK_EQ(info.si_pid, getpid());
	CHECK_EQ(sigwaitinfo(&set, &info), SIGUSR1);
	CHECK(info.si_code == SI_USER && info.si_pid == getpid());
	CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
	CHECK_EQ(info.si_value.sival_int, 99);
}

BEFORE(dispositions)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART | SA_NODEFER};

	sigaddset(&action.sa_mask, SIGUSR2);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGCHLD, &action, NULL);
	signal(SIGUSR2, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
}

AFTER(dispositions)
{
	struct sigaction action;

	CHECK(sigaction(SIGUSR1, NULL, &action) == 0);
	CHECK(action.sa_handler == SIG_DFL && (action.sa_flags & ~0x04000000) == 0);
	CHECK(!sigismember(&action.sa_mask, SIGUSR2));
	CHECK(sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
	CHECK(sigaction(SIGUSR2, NULL, &action) == 0 && action.sa_handler == SIG_IGN);
	CHECK(sigaction(SIGHUP, NULL, &action) == 0 && action.sa_handler == SIG_IGN);
}

BEFORE(the_mask_survives)
{
	sigset_t set;

	sigfillset(&set);
	CHECK(sigprocmask(SIG_SETMASK, &set, NULL) == 0);
}

AFTER(the_mask_survives)
{
	sigset_t set;

	CHECK(sigprocmask(SIG_BLOCK, NULL, &set) == 0);
	CHECK(sigismember(&set, SIGUSR1) && sigismember(&set, SIGTERM));
	CHECK(!sigismember(&set, SIGKILL));
}

BEFORE(the_alternate_stack_is_gone)
{
	static char memory[65536];
	stack_t stack = {.ss_sp = memory, .ss_size = sizeof(memory)};

	CHECK(sigaltstack(&stack, NULL) == 0);
}

AFTER(the_alternate_stack_is_gone)
{
	stack_t stack;

	CHECK(sigaltstack(NULL, &stack) == 0);
	CHECK(stack.ss_flags == SS_DISABLE && stack.ss_size == 0);
}

/* --- timers --- */

BEFORE(timers_of_setitimer_survive)
{
	struct itimerval real = {{5, 0}, {500, 0}}, virtual = {{6, 0}, {600, 0}},
			 profile = {{7, 0}, {700, 0}};

	CHECK(setitimer(ITIMER_REAL, &real, NULL) == 0);
	CHECK(setitimer(ITIMER_VIRTUAL, &virtual, NULL) == 0);
	CHECK(setitimer(ITIMER_PROF, &profile, NULL) == 0);
}

AFTER(timers_of_setitimer_survive)
{
	struct itimerval value;

	CHECK(getitimer(ITIMER_REAL, &value) == 0);
	CHECK(value.it_value.tv_sec > 400 && value.it_interval.tv_sec == 5);
	CHECK(getitimer(ITIMER_VIRTUAL, &value) == 0);
	CHECK(value.it_value.tv_sec > 500 && value.it_interval.tv_sec == 6);
	CHECK(getitimer(ITIMER_PROF, &value) == 0);
	CHECK(value.it_value.tv_sec > 600 && value.it_interval.tv_sec == 7);
}

BEFORE(timers_of_timer_create_do_not)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
	struct itimerspec soon = {{0, 5000000}, {0, 5000000}};
	int id = -1;

	/* Until the program is another one, which has no handler. */
	CHECK(signal(SIGALRM, on_signal) != SIG_ERR);
	CHECK(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id) == 0);
	CHECK(syscall(SYS_timer_settime, id, 0, &soon, NULL) == 0);
	set_number("ID", id);
}

AFTER(timers_of_timer_create_do_not)
{
	struct itimerspec value;

	CHECK_ERRNO(syscall(SYS_timer_gettime, number("ID"), &value), EINVAL);
	/* It would kill. */
	sleep_ms(80);
}

/* --- names and numbers --- */

BEFORE(numbers_survive)
{
	CHECK(setpgid(0, 0) == 0);
	set_number("PID", getpid());
	set_number("PPID", getppid());
	set_number("SID", getsid(0));
	umask(0137);
	CHECK(chdir("/proc") == 0);
	CHECK(setpriority(PRIO_PROCESS, 0, 5) == 0);
}

AFTER(numbers_survive)
{
	char directory[64];

	CHECK_EQ(getpid(), number("PID"));
	CHECK_EQ(getppid(), number("PPID"));
	CHECK_EQ(getsid(0), number("SID"));
	CHECK_EQ(getpgid(0), getpid());
	CHECK_EQ(umask(0), 0137);
	CHECK(getcwd(directory, sizeof(directory)) && !strcmp(directory, "/proc"));
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 5);
}

BEFORE(the_name_is_the_file_s)
{
	CHECK(prctl(PR_SET_NAME, "another") == 0);
	exec_path("/proc/self/exe", "the_name_is_the_file_s");
}

AFTER(the_name_is_the_file_s)
{
	char name[16];

	CHECK(prctl(PR_GET_NAME, name) == 0);
	CHECK(!strcmp(name, "exe"));
}

BEFORE(limits_survive)
{
	struct rlimit limit = {100, 200};

	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit = (struct rlimit){0, 0};
	CHECK(setrlimit(RLIMIT_CORE, &limit) == 0);
}

AFTER(limits_survive)
{
	struct rlimit limit;

	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK(limit.rlim_cur == 100 && limit.rlim_max == 200);
	CHECK(getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0);
}

BEFORE(scheduling_survives)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	CHECK(sched_setaffinity(0, sizeof(set), &set) == 0);
	CHECK(prctl(PR_SET_TIMERSLACK, 12345) == 0);
}

AFTER(scheduling_survives)
{
	cpu_set_t set;

	CHECK(sched_getaffinity(0, sizeof(set), &set) == 0);
	CHECK(CPU_ISSET(0, &set) && CPU_COUNT(&set) == 1);
	CHECK_EQ(prctl(PR_GET_TIMERSLACK), 12345);
}

/* --- prctl --- */

BEFORE(dumpable_is_reset)
{
	CHECK(prctl(PR_SET_DUMPABLE, 0) == 0);
}

AFTER(dumpable_is_reset)
{
	CHECK_EQ(prctl(PR_GET_DUMPABLE), 1);
}

BEFORE(settings_that_survive)
{
	CHECK(prctl(PR_SET_PDEATHSIG, SIGUSR1) == 0);
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(personality(ADDR_NO_RANDOMIZE) >= 0);
}

AFTER(settings_that_survive)
{
	int signal = 0, subreaper = 0;

	CHECK(prctl(PR_GET_PDEATHSIG, &signal) == 0);
	CHECK_EQ(signal, SIGUSR1);
	CHECK(prctl(PR_GET_CHILD_SUBREAPER, &subreaper) == 0);
	CHECK_EQ(subreaper, 1);
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	CHECK_EQ(personality(0xffffffff) & ADDR_NO_RANDOMIZE, ADDR_NO_RANDOMIZE);
}

BEFORE(keepcaps_is_reset)
{
	CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0);
}

AFTER(keepcaps_is_reset)
{
	CHECK_EQ(prctl(PR_GET_KEEPCAPS), 0);
}

/* --- memory --- */

static long locked_pages(void)
{
	char line[128];
	long size = -1;
	FILE *file = fopen("/proc/self/status", "r");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmLck: %ld", &size) == 1)
			break;
	return size;
}

BEFORE(locks_of_memory_are_gone)
{
	CHECK(mlockall(MCL_CURRENT | MCL_FUTURE) == 0);
	CHECK(locked_pages() > 0);
}

AFTER(locks_of_memory_are_gone)
{
	CHECK_EQ(locked_pages(), 0);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	CHECK_EQ(locked_pages(), 0);
}

BEFORE(mappings_are_gone)
{
	char *memory =
		mmap((void *)0x10000000, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);

	CHECK(memory == (void *)0x10000000);
	CHECK(id >= 0 && shmat(id, NULL, 0) != (void *)-1);
	set_number("ID", id);
}

AFTER(mappings_are_gone)
{
	struct shmid_ds state;
	unsigned char page;

	CHECK_ERRNO(mincore((void *)0x10000000, 4096, &page), ENOMEM);
	CHECK(shmctl((int)number("ID"), IPC_STAT, &state) == 0);
	CHECK_EQ(state.shm_nattch, 0);
	CHECK(shmctl((int)number("ID"), IPC_RMID, NULL) == 0);
}

/* The list and the rseq area lay in memory that is gone: the new program has its own. */
BEFORE(registrations_are_gone)
{
	static char head[24];
	unsigned long libc = (unsigned long)dlsym(RTLD_DEFAULT, "execve") & ~0xfffffful;

	CHECK(syscall(SYS_set_robust_list, head, sizeof(head)) == 0);
	set_number("HEAD", (long)head);
	/* Only the library, where it lies now, may make calls. */
	CHECK(prctl(PR_SET_SYSCALL_USER_DISPATCH, 1, libc, 0x2000000, 0) == 0);
}

AFTER(registrations_are_gone)
{
	void *head = NULL;
	size_t size;

	CHECK(syscall(SYS_get_robust_list, 0, &head, &size) == 0);
	/* The C library made another one. */
	CHECK((long)head != number("HEAD"));
}

/* --- floating point --- */

BEFORE(control_words_are_reset)
{
	unsigned short control = 0x27f;
	unsigned int mxcsr = 0x9f80;

	__asm__ volatile("fldcw %0\n\tldmxcsr %1" : : "m"(control), "m"(mxcsr));
}

AFTER(control_words_are_reset)
{
	unsigned short control;
	unsigned int mxcsr;

	__asm__ volatile("fnstcw %0\n\tstmxcsr %1" : "=m"(control), "=m"(mxcsr));
	CHECK_EQ(control, 0x37f);
	CHECK_EQ(mxcsr, 0x1f80);
}

/* --- descriptors --- */

BEFORE(close_on_exec)
{
	int keep = open("/dev/null", O_RDONLY), gone = open("/dev/null", O_RDONLY | O_CLOEXEC);

	CHECK(keep >= 0 && gone >= 0);
	CHECK_EQ(dup2(keep, 300), 300);
	CHECK_EQ(dup3(gone, 301, O_CLOEXEC), 301);
	set_number("KEEP", keep);
	set_number("GONE", gone);
}

AFTER(close_on_exec)
{
	CHECK(fcntl((int)number("KEEP"), F_GETFD) == 0);
	CHECK(fcntl(300, F_GETFD) == 0);
	CHECK_ERRNO(fcntl((int)number("GONE"), F_GETFD), EBADF);
	CHECK_ERRNO(fcntl(301, F_GETFD), EBADF);
}

BEFORE(locks_of_files_survive)
{
	char name[] = "/tmp/exec_state.XXXXXX";
	int fd = mkstemp(name);
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10};

	CHECK(fd >= 0 && unlink(name) == 0);
	CHECK(fcntl(fd, F_SETLK, &lock) == 0);
	CHECK(flock(fd, LOCK_EX) == 0);
	set_number("FD", fd);
}

AFTER(locks_of_files_survive)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10};
	char path[64];
	int status, again;
	pid_t child = fork();

	if (child == 0) {
		CHECK(fcntl((int)number("FD"), F_GETLK, &lock) == 0);
		CHECK(lock.l_type == F_WRLCK && lock.l_pid == getppid());
		snprintf(path, sizeof(path), "/proc/self/fd/%ld", number("FD"));
		again = open(path, O_RDWR);
		CHECK(again >= 0);
		CHECK_ERRNO(flock(again, LOCK_EX | LOCK_NB), EAGAIN);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
}

/* A table that is shared is left to the others. */
TEST(a_shared_table_is_unshared)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), status;
	pid_t child = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);

	CHECK(fd >= 0);
	if (child == 0) {
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

/* --- the parent --- */

static volatile sig_atomic_t caught;

static void on_caught(int signal)
{
	caught = signal;
}

/* Whatever signal was asked for at clone, a new program's end is a SIGCHLD. */
TEST(the_exit_signal_is_sigchld)
{
	int status;
	pid_t child;

	signal(SIGUSR1, on_caught);
	signal(SIGCHLD, on_caught);
	child = (pid_t)syscall(SYS_clone, SIGUSR1, 0, 0, 0, 0);
	if (child == 0) {
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	while (!caught)
		sleep_ms(1);
	CHECK_EQ(caught, SIGCHLD);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static volatile int tid_word;

static int exec_in_shared_memory(void *unused)
{
	execl("/bin/true", "true", NULL);
	return unused != NULL;
}

/* CLONE_CHILD_CLEARTID is done when the memory is left, not with the process's end. */
TEST(the_tid_word_is_cleared)
{
	static char stack[65536] __attribute__((aligned(16)));
	int status;
	pid_t child;

	tid_word = 77;
	child = clone(exec_in_shared_memory, stack + sizeof(stack),
		CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, NULL, NULL, NULL, (void *)&tid_word);
	CHECK(child > 0);
	for (int i = 0; i < 5000 && tid_word; i++)
		sleep_ms(1);
	CHECK_EQ(tid_word, 0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

/* --- set-user-ID --- */

static const char suid_path[] = "/tmp/program";

/* A copy of this program that belongs to another, on a mount with these flags. */
static void make_suid(unsigned long flags, mode_t mode)
{
	char buffer[65536];
	int from = open(own_path, O_RDONLY), to;
	ssize_t size;

	if (getuid() != 0)
		SKIP("not root");
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		mount("tmpfs", "/tmp", "tmpfs", flags, "mode=755"))
		SKIP("no mounts of one's own");
	to = open(suid_path, O_WRONLY | O_CREAT, 0755);
	CHECK(from >= 0 && to >= 0);
	while ((size = read(from, buffer, sizeof(buffer))) > 0)
		CHECK_EQ(write(to, buffer, (size_t)size), size);
	close(from);
	CHECK(fchown(to, USER, USER + 1) == 0 && fchmod(to, mode) == 0);
	close(to);
	set_number("UID", getuid());
	CHECK(prctl(PR_SET_PDEATHSIG, SIGUSR1) == 0);
	CHECK(personality(ADDR_NO_RANDOMIZE) >= 0);
}

static void check_ids(uid_t effective, gid_t group, bool secure)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;
	int signal = -1;

	CHECK(getresuid(&r, &e, &s) == 0 && getresgid(&rg, &eg, &sg) == 0);
	CHECK_EQ(r, number("UID"));
	CHECK_EQ(e, effective);
	CHECK_EQ(s, effective);
	CHECK_EQ(eg, group);
	CHECK_EQ(sg, group);
	CHECK_EQ(getauxval(AT_SECURE), secure);
	CHECK_EQ(getauxval(AT_EUID), effective);
	CHECK_EQ(prctl(PR_GET_DUMPABLE), secure ? 0 : 1);
	CHECK(prctl(PR_GET_PDEATHSIG, &signal) == 0);
	CHECK_EQ(signal, secure ? 0 : SIGUSR1);
	CHECK_EQ(personality(0xffffffff) & ADDR_NO_RANDOMIZE, secure ? 0 : ADDR_NO_RANDOMIZE);
}

BEFORE(set_user_id)
{
	make_suid(0, 04755);
	exec_path(suid_path, "set_user_id");
}

AFTER(set_user_id)
{
	check_ids(USER, 0, true);
}

BEFORE(set_group_id)
{
	make_suid(0, 02755);
	exec_path(suid_path, "set_group_id");
}

AFTER(set_group_id)
{
	check_ids(0, USER + 1, true);
}

/* Without the group's right to execute it is a mark of another kind. */
BEFORE(set_group_id_without_execute)
{
	make_suid(0, 02745);
	exec_path(suid_path, "set_group_id_without_execute");
}

AFTER(set_group_id_without_execute)
{
	check_ids(0, 0, false);
}

BEFORE(not_on_a_nosuid_mount)
{
	make_suid(MS_NOSUID, 06755);
	exec_path(suid_path, "not_on_a_nosuid_mount");
}

AFTER(not_on_a_nosuid_mount)
{
	check_ids(0, 0, false);
}

BEFORE(not_without_new_privileges)
{
	make_suid(0, 06755);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	exec_path(suid_path, "not_without_new_privileges");
}

AFTER(not_without_new_privileges)
{
	check_ids(0, 0, false);
}

/* An ordinary user becomes another one; root's capabilities go with the ids. */
static bool has_capabilities(void)
{
	char line[128];
	unsigned long long caps = 0;
	FILE *file = fopen("/proc/self/status", "r");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "CapEff: %llx", &caps) == 1)
			break;
	return caps;
}

BEFORE(an_ordinary_user_has_no_capabilities)
{
	if (getuid() != 0)
		SKIP("not root");
	CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0);
	CHECK(setresgid(USER, USER, USER) == 0 && setresuid(USER, USER, USER) == 0);
}

AFTER(an_ordinary_user_has_no_capabilities)
{
	CHECK_EQ(getuid(), USER);
	CHECK(!has_capabilities());
	CHECK_EQ(getauxval(AT_SECURE), 0);
}

/* The effective id decides: root again, with all that belongs to it. */
BEFORE(the_effective_user_becomes_the_saved_one)
{
	if (getuid() != 0)
		SKIP("not root");
	CHECK(setresuid(0, USER, USER) == 0);
}

AFTER(the_effective_user_becomes_the_saved_one)
{
	uid_t r, e, s;

	CHECK(getresuid(&r, &e, &s) == 0);
	CHECK(r == 0 && e == USER && s == USER);
	CHECK_EQ(getauxval(AT_SECURE), 1);
}

/* A tracer without the right to it keeps its tracee from becoming another. */
static void exec_suid_traced(void)
{
	if (syscall(SYS_ptrace, 0, 0, 0, 0))
		_exit(99);
	execl(suid_path, "exec_state", "--after", "not_under_a_tracer", NULL);
	_exit(98);
}

TEST(not_under_a_tracer)
{
	int status;
	pid_t child;

	make_suid(0, 04755);
	CHECK(setresgid(USER + 5, USER + 5, USER + 5) == 0);
	CHECK(setresuid(USER + 5, USER + 5, USER + 5) == 0);
	set_number("UID", getuid());
	CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
	child = fork();
	if (child == 0)
		exec_suid_traced();
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
	CHECK(syscall(SYS_ptrace, 7, child, 0, 0) == 0);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
}

AFTER(not_under_a_tracer)
{
	CHECK_EQ(geteuid(), number("UID"));
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 3 && i < after_count; i++) {
		if (!strcmp(argv[2], afters[i].name)) {
			afters[i].run();
			return 0;
		}
	}
	CHECK(readlink("/proc/self/exe", own_path, sizeof(own_path) - 1) > 0);
	return guest_test_main(argc, argv);
}
