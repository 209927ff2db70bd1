/* SPDX-License-Identifier: Apache-2.0 */
/* Calls whose arguments and results are the same at every run: what two tracers make of them is
 * compared. */
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void files(void)
{
	char buffer[64];
	struct stat status;
	struct iovec vectors[2] = {{"one", 3}, {"two\n\1\2773", 7}};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	openat(AT_FDCWD, "/no/such\tplace\"", O_WRONLY | O_CREAT | O_EXCL, 0640);
	write(null, "hello \\ \"world\"\n\t\033[0m", 21);
	write(null, "a long line that is longer than what a tracer shows of it", 57);
	read(null, buffer, sizeof(buffer));
	writev(null, vectors, 2);
	pread(null, buffer, 5, 100);
	lseek(null, 10, SEEK_END);
	fstat(null, &status);
	syscall(SYS_newfstatat, AT_FDCWD, "/none", &status, AT_SYMLINK_NOFOLLOW);
	fcntl(null, F_SETFD, 0);
	flock(null, LOCK_EX | LOCK_NB);
	dup2(null, 60);
	close(60);
	close(61);
	access("/none", R_OK | X_OK);
	faccessat(AT_FDCWD, "/none", F_OK, 0);
	chmod("/none", 0755);
	mkdir("/none/x", 0700);
	unlinkat(AT_FDCWD, "/none", AT_REMOVEDIR);
	rename("/none", "/other");
	readlink("/none", buffer, sizeof(buffer));
	syscall(SYS_renameat2, AT_FDCWD, "/none", AT_FDCWD, "/other", 1);
	mknod("/none/x", S_IFIFO | 0600, 0);
	utimensat(AT_FDCWD, "/none", (struct timespec[2]){{1, 2}, {3, 4}}, 0);
	fanotify_init(FAN_CLOEXEC | FAN_REPORT_PIDFD | FAN_REPORT_TID, O_RDONLY | O_CLOEXEC);
	fanotify_init(FAN_CLASS_CONTENT | FAN_UNLIMITED_QUEUE, O_RDWR | O_CREAT);
	fanotify_mark(-1, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN | FAN_CLOSE | FAN_ONDIR, AT_FDCWD,
		"/none");
	fanotify_mark(-1, FAN_MARK_FLUSH | FAN_MARK_FILESYSTEM, 0, AT_FDCWD, NULL);
	close(null);
}

static void memory(void)
{
	char *area = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(area, 4096, PROT_NONE);
	madvise(area, 4096, MADV_DONTNEED);
	msync(area, 4096, MS_SYNC);
	munmap(area, 8192);
	mmap(NULL, 0, PROT_READ, MAP_SHARED, 99, 0);
}

static void signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 8);
	kill(getpid(), 0);
	kill(0x7ffffff0, SIGKILL);
	syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &set, NULL, 8);
}

static void sockets(void)
{
	struct sockaddr_un address = {AF_UNIX, "/no/such/socket"};
	struct sockaddr_in inet = {AF_INET, 0x5000, {0x0100007f}, {0}};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	connect(fd, (struct sockaddr *)&address, sizeof(address));
	sendto(fd, "abc", 3, MSG_NOSIGNAL | MSG_DONTWAIT, NULL, 0);
	shutdown(fd, SHUT_RDWR);
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	connect(99, (struct sockaddr *)&inet, sizeof(inet));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	close(fd);
}

static void waiting(void)
{
	struct pollfd one = {-1, POLLIN | POLLOUT, 0};
	struct timespec soon = {0, 1000};
	int status;

	poll(&one, 1, 0);
	nanosleep(&soon, NULL);
	wait4(-1, &status, WNOHANG | WUNTRACED, NULL);
	close(epoll_create1(EPOLL_CLOEXEC));
	close(eventfd(3, EFD_NONBLOCK));
	clock_nanosleep(CLOCK_MONOTONIC, 0, &soon, NULL);
}

static void process(void)
{
	struct rlimit limit;

	prctl(PR_SET_NAME, "traced");
	prctl(PR_GET_DUMPABLE);
	getrlimit(RLIMIT_CORE, &limit);
	getpriority(PRIO_PROCESS, 0);
	sched_getscheduler(0);
	syscall(SYS_getrandom, NULL, 0, 1);
	umask(022);
}

/* Numbers of keys differ from run to run: none is shown. */
static void keys(void)
{
	struct iovec vector = {"ab", 2};
	const int none = 0x7ffffff0;
	char text[64];

	syscall(SYS_keyctl, KEYCTL_CLEAR, KEY_SPEC_PROCESS_KEYRING);
	syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_THREAD_KEYRING, 0);
	syscall(SYS_add_key, "user", "name", "secret", 6, KEY_SPEC_GROUP_KEYRING);
	syscall(SYS_add_key, "user", "name", NULL, 0, KEY_SPEC_PROCESS_KEYRING);
	syscall(SYS_request_key, "user", "no such key", NULL, 0);
	syscall(SYS_request_key, ".type", "name", "callout", KEY_SPEC_USER_KEYRING);
	syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_PROCESS_KEYRING, text, sizeof(text));
	syscall(SYS_keyctl, KEYCTL_DESCRIBE, none, text, sizeof(text));
	syscall(SYS_keyctl, KEYCTL_READ, KEY_SPEC_PROCESS_KEYRING, text, sizeof(text));
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, ".name");
	syscall(SYS_keyctl, KEYCTL_UPDATE, none, "new", 3);
	syscall(SYS_keyctl, KEYCTL_REVOKE, none);
	syscall(SYS_keyctl, KEYCTL_CHOWN, none, -1, 5);
	syscall(SYS_keyctl, KEYCTL_SETPERM, none, 0x3f010000);
	syscall(SYS_keyctl, KEYCTL_SETPERM, none, 0x40000801);
	syscall(SYS_keyctl, KEYCTL_LINK, none, KEY_SPEC_SESSION_KEYRING);
	syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_PROCESS_KEYRING, "user", "name", 0);
	syscall(SYS_keyctl, KEYCTL_INSTANTIATE, none, "x", 1, KEY_SPEC_USER_SESSION_KEYRING);
	syscall(SYS_keyctl, KEYCTL_INSTANTIATE_IOV, none, &vector, 1, 0);
	syscall(SYS_keyctl, KEYCTL_NEGATE, none, 10, 0);
	syscall(SYS_keyctl, KEYCTL_REJECT, none, 10, EKEYREJECTED, 0);
	syscall(SYS_keyctl, KEYCTL_SET_REQKEY_KEYRING, KEY_REQKEY_DEFL_NO_CHANGE);
	syscall(SYS_keyctl, KEYCTL_SET_TIMEOUT, none, 10);
	syscall(SYS_keyctl, KEYCTL_ASSUME_AUTHORITY, 0);
	syscall(SYS_keyctl, KEYCTL_GET_SECURITY, KEY_SPEC_PROCESS_KEYRING, text, sizeof(text));
	syscall(SYS_keyctl, KEYCTL_INVALIDATE, none);
	syscall(SYS_keyctl, KEYCTL_GET_PERSISTENT, -1, 0);
	syscall(SYS_keyctl, KEYCTL_RESTRICT_KEYRING, none, "user", "x");
	syscall(SYS_keyctl, KEYCTL_MOVE, none, KEY_SPEC_THREAD_KEYRING, 5, KEYCTL_MOVE_EXCL);
	syscall(SYS_keyctl, 99, 1, 2, 3, 4);
}

/* Where the host has no keys, "no-keys" leaves them out. */
int main(int argc, char **argv)
{
	files();
	memory();
	signals();
	sockets();
	waiting();
	process();
	if (argc < 2)
		keys();
	return 7;
}
