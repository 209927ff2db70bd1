/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times the operations that programs are made of, in microseconds an operation:
 * "name<TAB>microseconds" a line. primitives [NAME...] does only those. bench.py runs it natively
 * and in sandboxes, in turn.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static void must(int condition, const char *what)
{
	if (condition)
		return;
	perror(what);
	exit(1);
}

static void do_getpid(int count)
{
	while (count--)
		syscall(SYS_getpid);
}

static void do_clock(int count)
{
	struct timespec time;

	while (count--)
		clock_gettime(CLOCK_MONOTONIC, &time);
}

static int zero_fd, file_fd;

static void do_read_zero(int count)
{
	char byte;

	while (count--)
		must(read(zero_fd, &byte, 1) == 1, "read");
}

static void do_stat(int count)
{
	struct stat status;

	while (count--)
		must(!stat("/etc/passwd", &status), "stat");
}

static void do_open_close(int count)
{
	while (count--)
		close(open("/etc/passwd", O_RDONLY));
}

static void do_pread(int count)
{
	char page[4096];

	while (count--)
		must(pread(file_fd, page, sizeof(page), 0) > 0, "pread");
}

/* A byte there and one back, between two processes; each has one descriptor to read and one to
 * write. */
static void ping_pong(int count, const int ours[2], const int theirs[2])
{
	char byte = 0;
	pid_t child = fork();

	if (child == 0) {
		while (count--) {
			must(read(theirs[0], &byte, 1) == 1, "read");
			must(write(theirs[1], &byte, 1) == 1, "write");
		}
		_exit(0);
	}
	for (int i = 0; i < count; i++) {
		must(write(ours[1], &byte, 1) == 1, "write");
		must(read(ours[0], &byte, 1) == 1, "read");
	}
	waitpid(child, NULL, 0);
}

/* count pieces from a child. */
static void throughput(int count, int from, int to, size_t piece)
{
	static char bytes[65536];
	size_t left = (size_t)count * piece;
	pid_t child = fork();

	if (child == 0) {
		while (count--)
			must(write(to, bytes, piece) == (ssize_t)piece, "write");
		_exit(0);
	}
	while (left) {
		ssize_t got = read(from, bytes, sizeof(bytes));

		must(got > 0, "read");
		left -= (size_t)got;
	}
	waitpid(child, NULL, 0);
	close(from);
	close(to);
}

static void tcp_pair(int pair[2])
{
	struct sockaddr_in name = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(name);
	int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	pair[0] = socket(AF_INET, SOCK_STREAM, 0);
	must(!bind(listener, (struct sockaddr *)&name, size) && !listen(listener, 1), "listen");
	must(!getsockname(listener, (struct sockaddr *)&name, &size), "getsockname");
	must(!connect(pair[0], (struct sockaddr *)&name, size), "connect");
	pair[1] = accept(listener, NULL, NULL);
	must(pair[1] >= 0, "accept");
	(void)setsockopt(pair[0], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(pair[1], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	close(listener);
}

static void do_ping_pong(int count)
{
	int there[2], back[2];

	must(!pipe(there) && !pipe(back), "pipe");
	ping_pong(count, (int[]){back[0], there[1]}, (int[]){there[0], back[1]});
}

static void do_socket_ping_pong(int count)
{
	int pair[2];

	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	ping_pong(count, (int[]){pair[0], pair[0]}, (int[]){pair[1], pair[1]});
}

static void do_tcp_ping_pong(int count)
{
	int pair[2];

	tcp_pair(pair);
	ping_pong(count, (int[]){pair[0], pair[0]}, (int[]){pair[1], pair[1]});
	close(pair[0]);
	close(pair[1]);
}

static void do_pipe_stream(int count)
{
	int fds[2];

	must(!pipe(fds), "pipe");
	throughput(count, fds[0], fds[1], 65536);
}

static void do_unix_stream(int count)
{
	int pair[2];

	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	throughput(count, pair[0], pair[1], 65536);
}

static void do_tcp_stream(int count)
{
	int pair[2];

	tcp_pair(pair);
	throughput(count, pair[0], pair[1], 65536);
}

static void do_tcp_connect(int count)
{
	int pair[2];

	while (count--) {
		tcp_pair(pair);
		close(pair[0]);
		close(pair[1]);
	}
}

static void do_poll(int count)
{
	struct pollfd entries[16];
	int fds[2];

	must(!pipe(fds), "pipe");
	for (int i = 0; i < 16; i++)
		entries[i] = (struct pollfd){fds[i & 1], POLLIN, 0};
	while (count--)
		must(poll(entries, 16, 0) == 0, "poll");
	close(fds[0]);
	close(fds[1]);
}

static void do_mmap(int count)
{
	while (count--) {
		void *memory = mmap(
			NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		must(memory != MAP_FAILED && !munmap(memory, 65536), "mmap");
	}
}

static void do_touch(int count)
{
	size_t size = (size_t)count * 4096;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(memory != MAP_FAILED, "mmap");
	for (int i = 0; i < count; i++)
		memory[(size_t)i * 4096] = 1;
	munmap(memory, size);
}

static void do_fork(int count)
{
	while (count--) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		must(waitpid(child, NULL, 0) == child, "waitpid");
	}
}

static void do_fork_exec(int count)
{
	while (count--) {
		pid_t child = fork();

		if (child == 0) {
			execl("/bin/true", "true", (char *)NULL);
			_exit(1);
		}
		must(waitpid(child, NULL, 0) == child, "waitpid");
	}
}

static void do_spawn(int count)
{
	char *arguments[] = {(char *)"true", NULL};

	while (count--) {
		pid_t child;

		must(!posix_spawn(&child, "/bin/true", NULL, NULL, arguments, NULL), "posix_spawn");
		must(waitpid(child, NULL, 0) == child, "waitpid");
	}
}

static void *thread_main(void *argument)
{
	return argument;
}

static void do_thread(int count)
{
	while (count--) {
		pthread_t thread;

		must(!pthread_create(&thread, NULL, thread_main, NULL), "pthread_create");
		pthread_join(thread, NULL);
	}
}

static void do_create_unlink(int count)
{
	while (count--) {
		int fd = open("/tmp/csandbox-bench", O_CREAT | O_WRONLY, 0600);

		must(fd >= 0 && write(fd, "x", 1) == 1, "create");
		close(fd);
		unlink("/tmp/csandbox-bench");
	}
}

static const struct {
	const char *name;
	void (*run)(int count);
	int count;
} rows[] = {
	{"getpid", do_getpid, 2000},
	{"clock_gettime (vDSO)", do_clock, 200000},
	{"read 1 byte of /dev/zero", do_read_zero, 2000},
	{"stat", do_stat, 2000},
	{"open + close", do_open_close, 1000},
	{"pread 4 KiB of a file", do_pread, 2000},
	{"create + write + close + unlink", do_create_unlink, 300},
	{"pipe ping-pong, two processes", do_ping_pong, 500},
	{"socketpair ping-pong", do_socket_ping_pong, 500},
	{"TCP ping-pong on the loopback", do_tcp_ping_pong, 500},
	{"64 KiB through a pipe", do_pipe_stream, 400},
	{"64 KiB through a socketpair", do_unix_stream, 400},
	{"64 KiB through TCP on the loopback", do_tcp_stream, 400},
	{"TCP listen + connect + accept + close", do_tcp_connect, 100},
	{"poll of 16 descriptors", do_poll, 1000},
	{"mmap + munmap 64 KiB", do_mmap, 500},
	{"first touch of a page", do_touch, 4000},
	{"thread create + join", do_thread, 200},
	{"fork + exit + wait", do_fork, 50},
	{"fork + exec true + wait", do_fork_exec, 30},
	{"posix_spawn true + wait", do_spawn, 30},
};

int main(int argc, char **argv)
{
	zero_fd = open("/dev/zero", O_RDONLY);
	file_fd = open("/etc/services", O_RDONLY);
	if (file_fd < 0)
		file_fd = open("/etc/passwd", O_RDONLY);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int wanted = argc < 2;
		double best = 1e18;

		for (int a = 1; a < argc; a++)
			wanted |= !strcmp(argv[a], rows[i].name);
		if (!wanted)
			continue;
		for (int round = 0; round < 3; round++) {
			double start = now(), each;

			rows[i].run(rows[i].count);
			each = (now() - start) / rows[i].count;
			if (each < best)
				best = each;
		}
		printf("%s\t%.3f\n", rows[i].name, best);
		fflush(stdout);
	}
	return 0;
}
