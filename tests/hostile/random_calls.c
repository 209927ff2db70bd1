/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random system calls with arguments that are nearly right, from several processes with threads.
 * Nothing is expected of them but that the kernel below survives: the parent, which watches, must
 * still be able to fork, wait and write.
 *
 * random_calls SECONDS [SEED]
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CALLS		472
#define PROCESSES	4
#define THREADS		2
#define CALLS_A_PROCESS 4000
#define AREA		(64 * 4096)

static unsigned char *area, *guard;
static __thread uint64_t state;

static uint64_t random_64(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint64_t below(uint64_t limit)
{
	return random_64() % limit;
}

/* Those that only end the experiment, or wait for what never comes. */
static bool is_pointless(long number)
{
	switch (number) {
	case SYS_exit:
	case SYS_exit_group:
	case SYS_pause:
	case SYS_rt_sigreturn:
	case SYS_rt_sigsuspend:
	case SYS_vfork:
	case SYS_reboot:
	case SYS_kexec_load:
	case SYS_kexec_file_load:
	case SYS_init_module:
	case SYS_finit_module:
	case SYS_delete_module:
	case SYS_swapon:
	case SYS_swapoff:
	case SYS_settimeofday:
	case SYS_clock_settime:
	case SYS_adjtimex:
	case SYS_clock_adjtime:
	case SYS_sethostname:
	case SYS_setdomainname:
		return true;
	default:
		return false;
	}
}

static uint64_t random_address(void)
{
	switch (below(8)) {
	case 0:
		return 0;
	case 1:
		return (uint64_t)guard - below(64);
	case 2:
		return (uint64_t)guard;
	case 3:
		return random_64();
	case 4:
		return 0xffff800000000000ul + below(1 << 20);
	default:
		return (uint64_t)area + below(AREA - 4096);
	}
}

static uint64_t random_number(void)
{
	static const uint64_t borders[] = {0, 1, 2, 3, 7, 8, 16, 63, 64, 255, 256, 511, 512, 1023,
		1024, 4095, 4096, 4097, 65535, 65536, 0x7fffffff, 0x80000000, 0xffffffff,
		0x100000000, 0x7fffffffffffffff, 0x8000000000000000, UINT64_MAX, UINT64_MAX - 1,
		UINT64_MAX - 99};

	switch (below(4)) {
	case 0:
		return borders[below(sizeof(borders) / sizeof(borders[0]))];
	case 1:
		return 1ul << below(64);
	case 2:
		return below(64);
	default:
		return below(2) ? random_64() : below(1 << 20);
	}
}

static uint64_t random_argument(void)
{
	switch (below(5)) {
	case 0:
	case 1:
		return random_address();
	case 2:
		return below(40); /* a descriptor, a signal, a small flag */
	default:
		return random_number();
	}
}

static void fill_area(void)
{
	static const char *const paths[] = {"/proc/self/mem", "/proc/self/fd/3", "/tmp/x",
		"/dev/ptmx", "/dev/zero", ".", "..", "/proc/1/root", "/sys/kernel",
		"/proc/self/ns/user", "/tmp/y/z", "/proc/self/task", "tmpfs", "proc", "user.x"};

	for (unsigned int i = 0; i < 24; i++) {
		unsigned char *at = area + below(AREA - 256) / 8 * 8;

		if (below(3) == 0)
			strcpy((char *)at, paths[below(sizeof(paths) / sizeof(paths[0]))]);
		else
			for (unsigned int k = 0; k < 8; k++)
				((uint64_t *)at)[k] = below(3) ? random_argument() : below(4);
	}
}

/* A Landlock ruleset with a rule; which rights it handles is left to chance, none of them often. */
static void open_ruleset(void)
{
	uint64_t handled[3] = {below(4) ? 1ul << below(16) : 0, below(4), below(4)};
	struct {
		uint64_t allowed;
		int fd;
	} __attribute__((packed)) rule = {handled[0], open("/tmp", O_RDONLY | O_DIRECTORY)};
	long ruleset = syscall(SYS_landlock_create_ruleset, handled, sizeof(handled), 0);

	(void)!syscall(SYS_landlock_add_rule, ruleset, 1, &rule, 0);
	if (below(8) == 0)
		(void)!syscall(SYS_landlock_restrict_self, ruleset, 0);
}

static void open_some(void)
{
	int pair[2];

	(void)!socketpair(AF_UNIX, (int)(1 + below(2)), 0, pair);
	(void)!pipe(pair);
	(void)!eventfd(0, EFD_NONBLOCK);
	(void)!epoll_create1(0);
	(void)!inotify_init1(IN_NONBLOCK);
	(void)!timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	(void)!open("/tmp", O_RDONLY | O_DIRECTORY);
	(void)!open("/tmp/x", O_RDWR | O_CREAT, 0600);
	(void)!open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
	(void)!open("/proc/self/mem", O_RDWR);
	(void)!socket(AF_INET, (int)(1 + below(2)) | SOCK_NONBLOCK, 0);
	(void)!socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
	(void)!socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, 0);
	(void)!syscall(SYS_memfd_create, "m", 3);
	(void)!syscall(SYS_pidfd_open, getpid(), 0);
	open_ruleset();
}

static long random_call(void)
{
	uint64_t a[6];
	long number;

	do
		number = below(50) ? (long)below(CALLS) : (long)random_64();
	while (is_pointless(number));
	for (int i = 0; i < 6; i++)
		a[i] = random_argument();
	/* Nobody signals, traces or limits whoever watches. */
	if (number == SYS_kill || number == SYS_tkill || number == SYS_ptrace ||
		number == SYS_prlimit64 || number == SYS_rt_sigqueueinfo ||
		number == SYS_pidfd_send_signal || number == SYS_setpriority)
		a[number == SYS_ptrace] = (uint64_t)getpid();
	if (number == SYS_tgkill || number == SYS_rt_tgsigqueueinfo)
		a[0] = a[1] = (uint64_t)getpid();
	/* A new stack would be of no use, and whoever waits is not to wait long. */
	if (number == SYS_clone)
		a[0] = (a[0] & ~0x10ful & ~0x4000ul) | SIGCHLD, a[1] = 0;
	if (number == SYS_munmap || number == SYS_mremap || number == SYS_mprotect ||
		number == SYS_mmap || number == SYS_brk)
		a[0] = (uint64_t)area + below(AREA) / 4096 * 4096, a[1] &= AREA - 1;
	return syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void on_alarm(int signal)
{
	(void)signal;
}

static void *thread_main(void *seed)
{
	state = (uint64_t)(uintptr_t)seed | 1;
	for (int i = 0; i < CALLS_A_PROCESS; i++) {
		pid_t me = getpid();

		if (i % 16 == 0)
			fill_area();
		if (i % 256 == 0)
			open_some();
		(void)random_call();
		if (getpid() != me)
			_exit(0); /* a child of a random clone */
	}
	return NULL;
}

/* Whoever sleeps is woken, whatever handlers and masks it made for itself; whoever does not end is
 * ended. */
static void limits(void)
{
	struct itimerval often = {{0, 20000}, {0, 20000}};
	struct sigaction action = {.sa_handler = on_alarm};
	struct rlimit files = {256, 256}, processes = {200, 200}, size = {1 << 24, 1 << 24};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	setrlimit(RLIMIT_NOFILE, &files);
	setrlimit(RLIMIT_NPROC, &processes);
	setrlimit(RLIMIT_FSIZE, &size);
}

static void child_main(uint64_t seed)
{
	pthread_t threads[THREADS];
	int null = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	state = seed;
	area = mmap(NULL, AREA + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	guard = area + AREA;
	mprotect(guard, 4096, PROT_NONE);
	limits();
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, thread_main, (void *)(uintptr_t)random_64());
	(void)thread_main((void *)(uintptr_t)random_64());
	_exit(0);
}

static pid_t spawn(uint64_t seed)
{
	pid_t pid = fork();

	if (pid == 0)
		child_main(seed);
	if (pid < 0) {
		perror("fork");
		exit(1);
	}
	return pid;
}

/* Is any of them there still, if only because a thread that asked to be traced was not waited for?
 */
static bool any_is_left(const pid_t *pids)
{
	for (int i = 0; i < PROCESSES; i++) {
		if (kill(pids[i], 0) == 0)
			return true;
	}
	return false;
}

/* Ends the children and what it can reach of their sessions, and reaps whoever ends. False:
 * somebody does not end. */
static bool reap(const pid_t *pids)
{
	for (int i = 0; i < PROCESSES; i++) {
		kill(-pids[i], SIGKILL);
		kill(pids[i], SIGKILL);
	}
	for (int tries = 0; tries < 30000; tries++) {
		pid_t ended = waitpid(-1, NULL, WNOHANG | __WALL);

		if (ended > 0)
			continue;
		if (!any_is_left(pids))
			return true;
		usleep(1000);
	}
	return false;
}

int main(int argc, char **argv)
{
	long seconds = argc > 1 ? atol(argv[1]) : 5;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
	time_t end = time(NULL) + seconds;
	pid_t pids[PROCESSES];
	unsigned int rounds = 0;

	printf("seed %llu\n", (unsigned long long)seed);
	fflush(stdout);
	state = seed * 2 + 1;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	while (time(NULL) < end) {
		for (int i = 0; i < PROCESSES; i++)
			pids[i] = spawn(random_64());
		usleep(500000);
		if (!reap(pids)) {
			printf("a process does not end when it is killed\n");
			return 1;
		}
		rounds++;
	}
	printf("%u rounds\n", rounds);
	return 0;
}
