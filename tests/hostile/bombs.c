/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that want more than they were given, each in its own way: bombs WAY [neighbour].
 * With a neighbour, a second process works honestly meanwhile, and says so when it is done.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PIECE (1 << 20)

static char piece[PIECE];

/* What stops a bomb is told by its errno's name, so that the test can ask for it. */
static int stopped(const char *what)
{
	printf("stopped: %s: %s\n", what, strerrorname_np(errno));
	return 3;
}

static int bomb_fork(void)
{
	for (int failures = 0; failures < 1000;) {
		pid_t pid = fork();

		if (pid == 0) {
			for (int i = 0; i < 4; i++)
				(void)!fork();
			for (;;)
				pause();
		}
		if (pid < 0 && ++failures == 1000)
			return stopped("fork");
	}
	return 0;
}

static int bomb_malloc(void)
{
	for (;;) {
		char *memory = malloc(PIECE);

		if (!memory)
			return stopped("malloc");
		memset(memory, 1, PIECE);
	}
}

static int bomb_tree(void)
{
	/* Not one that holds much, but many that hold some. */
	for (;;) {
		pid_t pid = fork();
		char *memory;

		if (pid < 0)
			return stopped("fork");
		if (pid > 0)
			continue;
		memory = malloc(8 * PIECE);
		memset(memory, 1, 8 * PIECE);
		for (;;)
			pause();
	}
}

/* Those that hold nothing of their own take something of the host's. */
static int bomb_idle(void)
{
	for (;;) {
		pid_t pid = fork();
		int status;

		if (pid < 0)
			return stopped("fork");
		while (pid == 0)
			pause();
		if (waitpid(-1, &status, WNOHANG) > 0) {
			printf("stopped: child: signal %d\n", WTERMSIG(status));
			fflush(stdout);
			return 3;
		}
	}
}

static int fill(int fd, const char *what)
{
	for (;;) {
		if (write(fd, piece, PIECE) < 0)
			return stopped(what);
	}
}

static int bomb_tmpfs(void)
{
	return fill(open("/dev/shm/bomb", O_WRONLY | O_CREAT, 0600), "write");
}

static int bomb_layer(void)
{
	return fill(open("/var/tmp/bomb", O_WRONLY | O_CREAT, 0600), "write");
}

static int bomb_memfd(void)
{
	return fill(memfd_create("bomb", 0), "write");
}

static int bomb_names(void)
{
	char name[64];

	(void)mkdir("/dev/shm/names", 0700);
	for (int i = 0;; i++) {
		snprintf(name, sizeof(name), "/dev/shm/names/%d", i);
		if (mkdir(name, 0700))
			return stopped("mkdir");
	}
}

static int bomb_xattrs(void)
{
	static char value[60000];
	char name[64];

	(void)mkdir("/dev/shm/names", 0700);
	for (int i = 0;; i++) {
		snprintf(name, sizeof(name), "/dev/shm/names/%d", i);
		if (mkdir(name, 0700))
			return stopped("fill");
		if (setxattr(name, "user.bomb", value, sizeof(value), 0))
			return stopped("fill");
	}
}

/* Large keys, then small ones. */
static int bomb_keys(void)
{
	long session = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	char name[1000];

	memset(name, 'k', sizeof(name) - 1);
	for (int i = 0;; i++) {
		snprintf(name + 980, 16, "%d", i);
		if (syscall(SYS_add_key, "big_key", name, piece, PIECE - 1, session) < 0 &&
			syscall(SYS_add_key, "keyring", name, NULL, 0, session) < 0)
			return stopped("add_key");
	}
}

static void set_sysctl(const char *name, const char *value)
{
	int fd = open(name, O_WRONLY);

	if (write(fd, value, strlen(value)) < 0)
		perror(name);
	close(fd);
}

/* Those that are revoked count no longer, once they are collected. */
static int bomb_revoked_keys(void)
{
	long session = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL), key;
	char name[16];

	set_sysctl("/proc/sys/kernel/keys/gc_delay", "0");
	set_sysctl("/proc/sys/kernel/keys/root_maxkeys", "50");
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "%d", i);
		key = syscall(SYS_add_key, "user", name, "x", 1, session);
		if (key < 0)
			return stopped("add_key");
		syscall(SYS_keyctl, KEYCTL_REVOKE, key);
	}
	puts("collected");
	return 0;
}

/* Landlock rulesets with rules about every port. */
static int bomb_landlock(void)
{
	for (;;) {
		uint64_t handled[2] = {0, 3}, rule[2] = {3, 0};
		long ruleset =
			syscall(SYS_landlock_create_ruleset, handled, sizeof(handled), 0);

		if (ruleset < 0)
			return stopped("landlock_create_ruleset");
		for (; rule[1] < 65536; rule[1]++)
			if (syscall(SYS_landlock_add_rule, ruleset, 2, rule, 0))
				return stopped("landlock_add_rule");
	}
}

static int bomb_mapped_file(void)
{
	int fd = open("/dev/shm/mapped", O_RDWR | O_CREAT, 0600);
	char *memory;

	if (ftruncate(fd, 1l << 40))
		return stopped("ftruncate");
	memory = mmap(NULL, 1l << 40, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return stopped("mmap");
	for (size_t i = 0;; i += 4096)
		memory[i] = 1;
}

static int bomb_shared(void)
{
	char *memory = mmap(NULL, 1l << 34, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return stopped("mmap");
	for (size_t i = 0; i < 1l << 34; i += 4096)
		memory[i] = 1;
	return 0;
}

static int bomb_sparse(void)
{
	int fd = open("/dev/shm/sparse", O_RDWR | O_CREAT, 0600);

	for (off_t at = 0;; at += 1 << 24) {
		if (pwrite(fd, "x", 1, at) != 1)
			return stopped("pwrite");
	}
}

static int bomb_pipes(void)
{
	int pair[2];

	for (;;) {
		if (pipe2(pair, O_NONBLOCK))
			return stopped("pipe");
		(void)fcntl(pair[1], F_SETPIPE_SZ, PIECE);
		while (write(pair[1], piece, PIECE) > 0)
			;
		if (errno != EAGAIN)
			return stopped("write");
	}
}

static int bomb_sockets(void)
{
	int pair[2], size = 64 * PIECE;

	for (;;) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair))
			return stopped("socketpair");
		(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
		while (send(pair[0], piece, PIECE, MSG_NOSIGNAL) > 0)
			;
		if (errno != EAGAIN)
			return stopped("send");
	}
}

/* Connections over the loopback, whose queues are the host's. */
static int bomb_tcp(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t size = sizeof(address);

	if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 16) ||
		getsockname(listener, (struct sockaddr *)&address, &size))
		return stopped("listen");
	for (;;) {
		int fd = socket(AF_INET, SOCK_STREAM, 0), most = 64 * PIECE;

		if (fd < 0 || connect(fd, (struct sockaddr *)&address, size) ||
			accept(listener, NULL, NULL) < 0)
			return stopped("connect");
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &most, sizeof(most));
		while (send(fd, piece, PIECE, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
			;
		if (errno != EAGAIN)
			return stopped("send");
	}
}

static int bomb_descriptors(void)
{
	while (dup(1) >= 0)
		;
	return stopped("dup");
}

static void *sleep_forever(void *argument)
{
	for (;;)
		pause();
	return argument;
}

static int bomb_threads(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 64 << 10);
	for (;;) {
		errno = pthread_create(&thread, &attributes, sleep_forever, NULL);
		if (errno)
			return stopped("thread");
	}
}

static int bomb_output(void)
{
	memset(piece, 'x', PIECE);
	for (;;) {
		if (write(2, piece, 1000) < 0 || write(1, piece, PIECE) < 0)
			return 3;
	}
}

__attribute__((noreturn)) static int bomb_spin(void)
{
	for (int signal = 1; signal < 65; signal++)
		(void)sigaction(signal, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	for (;;)
		__asm__ volatile("");
}

static int bomb_session(void)
{
	/* A daemon of the old school: nobody's child, nobody's group. */
	if (fork() == 0) {
		setsid();
		if (fork() == 0)
			(void)bomb_spin();
		_exit(0);
	}
	(void)wait(NULL);
	return bomb_spin();
}

static const struct {
	const char *name;
	int (*run)(void);
} ways[] = {{"fork", bomb_fork}, {"malloc", bomb_malloc}, {"tree", bomb_tree}, {"idle", bomb_idle},
	{"tmpfs", bomb_tmpfs}, {"xattrs", bomb_xattrs}, {"keys", bomb_keys},
	{"landlock", bomb_landlock},
	{"revoked", bomb_revoked_keys}, {"layer", bomb_layer}, {"memfd", bomb_memfd},
	{"names", bomb_names}, {"mapped", bomb_mapped_file}, {"shared", bomb_shared},
	{"sparse", bomb_sparse}, {"pipes", bomb_pipes}, {"sockets", bomb_sockets},
	{"tcp", bomb_tcp}, {"descriptors", bomb_descriptors}, {"threads", bomb_threads},
	{"output", bomb_output}, {"spin", bomb_spin}, {"session", bomb_session}};

/* Work that takes a while, and needs a little of everything. */
static int neighbour(void)
{
	uint64_t sum = 0;
	char *memory = malloc(2 * PIECE);

	memset(memory, 1, 2 * PIECE);
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 2 * PIECE; i += 64)
			sum += (unsigned char)memory[i];
		usleep(10000);
	}
	printf("neighbour: %s\n", sum == 50ul * 2 * PIECE / 64 ? "done" : "wrong");
	fflush(stdout);
	return 0;
}

static int run_way(const char *name)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (!strcmp(ways[i].name, name)) {
			int status = ways[i].run();

			fflush(stdout);
			_exit(status);
		}
	}
	return 2;
}

/* The bomb and the neighbour side by side: the status is the bomb's, as a shell has it. */
static int run_both(const char *name)
{
	pid_t honest, bomb;
	int status;

	honest = fork();
	if (honest == 0)
		_exit(neighbour());
	bomb = fork();
	if (bomb == 0)
		_exit(run_way(name));
	if (waitpid(honest, &status, 0) != honest || status)
		printf("neighbour: lost\n");
	fflush(stdout);
	(void)waitpid(bomb, &status, 0);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	return argc > 2 ? run_both(argv[1]) : run_way(argv[1]);
}
