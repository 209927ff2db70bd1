/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX message queues: order, waiting, limits, notification, the file system. */
#include "tests/guest/bad_address.h"
#include "tests/guest/guest_test.h"
#include "tests/guest/wait_asleep.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

static char name[64];

/* A queue of this process's own; its name is gone when the process ends. */
static mqd_t make(int flags, long messages, long size)
{
	struct mq_attr attributes = {.mq_maxmsg = messages, .mq_msgsize = size};
	mqd_t queue;

	snprintf(name, sizeof(name), "/guest-test-%d", getpid());
	mq_unlink(name);
	queue = mq_open(name, O_CREAT | O_EXCL | flags, 0600, &attributes);
	CHECK(queue >= 0);
	return queue;
}

static struct timespec after_ms(int ms)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	time.tv_nsec += ms * 1000000l;
	time.tv_sec += time.tv_nsec / 1000000000;
	time.tv_nsec %= 1000000000;
	return time;
}

TEST(messages_come_by_priority_then_age)
{
	mqd_t queue = make(O_RDWR, 10, 16);
	unsigned int priority;
	char text[16];

	CHECK_EQ(mq_send(queue, "low", 3, 1), 0);
	CHECK_EQ(mq_send(queue, "high", 4, 9), 0);
	CHECK_EQ(mq_send(queue, "high2", 5, 9), 0);
	CHECK_EQ(mq_send(queue, "", 0, MQ_PRIO_MAX - 1), 0);
	CHECK_EQ(mq_receive(queue, text, 16, &priority), 0);
	CHECK_EQ(priority, MQ_PRIO_MAX - 1);
	CHECK_EQ(mq_receive(queue, text, 16, &priority), 4);
	CHECK(!memcmp(text, "high", 4) && priority == 9);
	CHECK_EQ(mq_receive(queue, text, 16, NULL), 5);
	CHECK_EQ(mq_receive(queue, text, 16, &priority), 3);
	CHECK(!memcmp(text, "low", 3) && priority == 1);
	mq_unlink(name);
}

TEST(errors_of_open)
{
	struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 1};
	char longest[NAME_MAX + 8];

	make(O_RDWR, 1, 1);
	CHECK_ERRNO(mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, NULL), EEXIST);
	CHECK_ERRNO(syscall(SYS_mq_open, name + 1, 3, 0, NULL), EINVAL);
	CHECK_ERRNO(mq_open("/no-such-queue-here", O_RDWR), ENOENT);
	CHECK_ERRNO(syscall(SYS_mq_open, "a/b", O_CREAT | O_RDWR, 0600, NULL), EACCES);
	CHECK_ERRNO(syscall(SYS_mq_open, ".", O_RDWR, 0600, NULL), EACCES);
	CHECK_ERRNO(syscall(SYS_mq_open, "", O_CREAT | O_RDWR, 0600, NULL), ENOENT);
	CHECK_ERRNO(syscall(SYS_mq_open, bad_address, O_RDWR, 0, NULL), EFAULT);
	CHECK_ERRNO(syscall(SYS_mq_open, name + 1, O_RDWR, 0, bad_address), EFAULT);
	memset(longest, 'x', sizeof(longest));
	longest[NAME_MAX + 1] = 0;
	CHECK_ERRNO(syscall(SYS_mq_open, longest, O_CREAT | O_RDWR, 0600, NULL), ENAMETOOLONG);
	mq_unlink(name);
	attributes.mq_maxmsg = 0;
	CHECK_ERRNO(mq_open(name, O_CREAT | O_RDWR, 0600, &attributes), EINVAL);
	attributes = (struct mq_attr){.mq_maxmsg = 65537, .mq_msgsize = 1};
	CHECK_ERRNO(mq_open(name, O_CREAT | O_RDWR, 0600, &attributes), EINVAL);
	attributes = (struct mq_attr){.mq_maxmsg = 1, .mq_msgsize = 16 * 1024 * 1024 + 1};
	CHECK_ERRNO(mq_open(name, O_CREAT | O_RDWR, 0600, &attributes), EINVAL);
	CHECK_ERRNO(mq_unlink(name), ENOENT);
	CHECK_ERRNO(syscall(SYS_mq_unlink, "a/b"), EACCES);
}

TEST(errors_of_send_and_receive)
{
	mqd_t queue = make(O_RDWR, 2, 8), reader, writer;
	struct timespec bad = {0, 1000000000};
	int pipes[2];
	char text[16];

	CHECK_ERRNO(mq_send(queue, "123456789", 9, 0), EMSGSIZE);
	CHECK_ERRNO(mq_send(queue, "1", 1, MQ_PRIO_MAX), EINVAL);
	CHECK_ERRNO(mq_send(queue, bad_address, 8, 0), EFAULT);
	CHECK_ERRNO(mq_receive(queue, text, 7, NULL), EMSGSIZE);
	CHECK_ERRNO(mq_timedsend(queue, "1", 1, 0, &bad), EINVAL);
	CHECK_ERRNO(mq_timedreceive(queue, text, 8, NULL, &bad), EINVAL);
	CHECK_ERRNO(mq_timedsend(queue, "1", 1, 0, bad_address), EFAULT);
	reader = mq_open(name, O_RDONLY);
	writer = mq_open(name, O_WRONLY);
	CHECK(reader >= 0 && writer >= 0);
	CHECK_ERRNO(mq_send(reader, "1", 1, 0), EBADF);
	CHECK_ERRNO(mq_receive(writer, text, 8, NULL), EBADF);
	CHECK(pipe(pipes) == 0);
	CHECK_ERRNO(mq_send(pipes[1], "1", 1, 0), EBADF);
	CHECK_ERRNO(mq_notify(pipes[1], NULL), EBADF);
	CHECK_ERRNO(syscall(SYS_mq_getsetattr, -1, NULL, NULL), EBADF);
	/* A message whose place is bad is lost. */
	CHECK_EQ(mq_send(queue, "12345678", 8, 0), 0);
	CHECK_ERRNO(mq_receive(queue, bad_address, 8, NULL), EFAULT);
	CHECK_EQ(mq_send(queue, "1", 1, 0), 0);
	CHECK_EQ(mq_receive(queue, text, 16, NULL), 1);
	mq_unlink(name);
}

TEST(without_blocking)
{
	mqd_t queue = make(O_RDWR | O_NONBLOCK, 2, 8);
	struct mq_attr attributes, old;
	struct pollfd poll_queue = {.fd = queue, .events = POLLIN | POLLOUT};
	char text[8];

	CHECK_ERRNO(mq_receive(queue, text, 8, NULL), EAGAIN);
	CHECK_EQ(poll(&poll_queue, 1, 0), 1);
	CHECK_EQ(poll_queue.revents, POLLOUT);
	CHECK_EQ(mq_send(queue, "a", 1, 0), 0);
	CHECK_EQ(poll(&poll_queue, 1, 0), 1);
	CHECK_EQ(poll_queue.revents, POLLIN | POLLOUT);
	CHECK_EQ(mq_send(queue, "b", 1, 0), 0);
	CHECK_EQ(poll(&poll_queue, 1, 0), 1);
	CHECK_EQ(poll_queue.revents, POLLIN);
	CHECK_ERRNO(mq_send(queue, "c", 1, 0), EAGAIN);
	CHECK_EQ(mq_getattr(queue, &attributes), 0);
	CHECK(attributes.mq_flags == O_NONBLOCK && attributes.mq_maxmsg == 2);
	CHECK(attributes.mq_msgsize == 8 && attributes.mq_curmsgs == 2);
	attributes = (struct mq_attr){.mq_flags = 0, .mq_maxmsg = 99};
	CHECK_EQ(mq_setattr(queue, &attributes, &old), 0);
	CHECK(old.mq_flags == O_NONBLOCK && old.mq_maxmsg == 2);
	CHECK_EQ(fcntl(queue, F_GETFL) & O_NONBLOCK, 0);
	CHECK_EQ(mq_getattr(queue, &attributes), 0);
	CHECK(attributes.mq_flags == 0 && attributes.mq_maxmsg == 2);
	attributes.mq_flags = 1;
	CHECK_ERRNO(mq_setattr(queue, &attributes, NULL), EINVAL);
	CHECK_EQ(fcntl(queue, F_GETFD), FD_CLOEXEC);
	mq_unlink(name);
}

TEST(deadlines_end_waits)
{
	mqd_t queue = make(O_RDWR, 1, 8);
	struct timespec deadline = after_ms(30), past = {1, 0};
	int64_t start = now_ns();
	char text[8];

	CHECK_ERRNO(mq_timedreceive(queue, text, 8, NULL, &deadline), ETIMEDOUT);
	CHECK(now_ns() - start >= 20000000);
	CHECK_ERRNO(mq_timedreceive(queue, text, 8, NULL, &past), ETIMEDOUT);
	CHECK_EQ(mq_timedsend(queue, "a", 1, 0, &past), 0);
	deadline = after_ms(30);
	CHECK_ERRNO(mq_timedsend(queue, "b", 1, 0, &deadline), ETIMEDOUT);
	CHECK_EQ(mq_timedreceive(queue, text, 8, NULL, &past), 1);
	mq_unlink(name);
}

#define RACE_MESSAGES 2000

static void *send_all(void *argument)
{
	mqd_t queue = *(mqd_t *)argument;

	for (int i = 0; i < RACE_MESSAGES; i++)
		CHECK_EQ(mq_send(queue, (char *)&i, sizeof(i), 0), 0);
	return NULL;
}

TEST(senders_and_receivers_wait_for_each_other)
{
	mqd_t queue = make(O_RDWR, 3, sizeof(int));
	long long sum = 0;
	pthread_t threads[2];
	int value;

	for (int i = 0; i < 2; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, send_all, &queue), 0);
	for (int i = 0; i < 2 * RACE_MESSAGES; i++) {
		CHECK_EQ(mq_receive(queue, (char *)&value, sizeof(value), NULL), sizeof(value));
		sum += value;
	}
	CHECK_EQ(sum, (long long)RACE_MESSAGES * (RACE_MESSAGES - 1));
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	mq_unlink(name);
}

static void ignore_signal(int signal)
{
}

TEST(signals_interrupt_waits)
{
	mqd_t queue = make(O_RDWR, 1, 8);
	struct sigaction action = {.sa_handler = ignore_signal};
	char text[8];

	sigaction(SIGALRM, &action, NULL);
	ualarm(20000, 20000);
	CHECK_ERRNO(mq_receive(queue, text, 8, NULL), EINTR);
	CHECK_EQ(mq_send(queue, "a", 1, 0), 0);
	CHECK_ERRNO(mq_send(queue, "b", 1, 0), EINTR);
	ualarm(0, 0);
	CHECK_EQ(mq_receive(queue, text, 8, NULL), 1);
	mq_unlink(name);
}

/* --- notification --- */

static siginfo_t block_and_wait(int signal, int ms)
{
	struct timespec timeout = {ms / 1000, ms % 1000 * 1000000l};
	siginfo_t info = {0};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	if (sigtimedwait(&set, &info, &timeout) < 0)
		info.si_signo = 0;
	return info;
}

static void block(int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

TEST(a_signal_tells_of_the_first_message)
{
	mqd_t queue = make(O_RDWR, 4, 8);
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	siginfo_t info;
	pid_t child;
	int status;

	event.sigev_value.sival_int = 77;
	block(SIGUSR1);
	CHECK_EQ(mq_notify(queue, &event), 0);
	CHECK_ERRNO(mq_notify(queue, &event), EBUSY);
	child = fork();
	if (child == 0) {
		CHECK_ERRNO(mq_notify(queue, &event), EBUSY);
		CHECK_EQ(mq_notify(queue, NULL), 0); /* not its own: nothing happens */
		CHECK_EQ(mq_send(queue, "a", 1, 0), 0);
		_exit(0);
	}
	info = block_and_wait(SIGUSR1, 5000);
	CHECK_EQ(info.si_signo, SIGUSR1);
	CHECK_EQ(info.si_code, SI_MESGQ);
	CHECK_EQ(info.si_pid, child);
	CHECK_EQ(info.si_uid, getuid());
	CHECK_EQ(info.si_value.sival_int, 77);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	/* Once; and only an empty queue tells. */
	CHECK_EQ(mq_notify(queue, &event), 0);
	CHECK_EQ(mq_send(queue, "b", 1, 0), 0);
	CHECK_EQ(block_and_wait(SIGUSR1, 50).si_signo, 0);
	CHECK_EQ(mq_notify(queue, NULL), 0);
	CHECK_EQ(mq_notify(queue, &event), 0);
	mq_unlink(name);
}

TEST(who_receives_is_not_told)
{
	mqd_t queue = make(O_RDWR, 4, 8);
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	char text[8];
	int status;
	pid_t child;

	block(SIGUSR1);
	child = fork();
	if (child == 0) {
		CHECK_EQ(mq_receive(queue, text, 8, NULL), 1);
		_exit(0);
	}
	wait_asleep(child);
	CHECK_EQ(mq_notify(queue, &event), 0);
	CHECK_EQ(mq_send(queue, "a", 1, 0), 0);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	CHECK_EQ(block_and_wait(SIGUSR1, 50).si_signo, 0);
	CHECK_ERRNO(mq_notify(queue, &event), EBUSY);
	mq_unlink(name);
}

TEST(closing_takes_the_registration_back)
{
	mqd_t queue = make(O_RDWR, 4, 8), other = mq_open(name, O_RDWR);
	struct sigevent event = {.sigev_notify = SIGEV_NONE};
	int status;
	pid_t child;

	CHECK_EQ(mq_notify(queue, &event), 0);
	CHECK_ERRNO(mq_notify(other, &event), EBUSY);
	CHECK_EQ(mq_close(queue), 0);
	CHECK_EQ(mq_notify(other, &event), 0);
	CHECK_EQ(mq_notify(other, NULL), 0);
	child = fork();
	if (child == 0) {
		CHECK_EQ(mq_notify(other, &event), 0);
		_exit(0);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	CHECK_EQ(mq_notify(other, &event), 0);
	event.sigev_notify = 9;
	CHECK_ERRNO(mq_notify(other, &event), EINVAL);
	event = (struct sigevent){.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 65};
	CHECK_ERRNO(mq_notify(other, &event), EINVAL);
	CHECK_ERRNO(syscall(SYS_mq_notify, other, bad_address), EFAULT);
	mq_unlink(name);
}

static volatile int thread_told;

static void tell_thread(union sigval value)
{
	thread_told = value.sival_int;
}

TEST(a_thread_is_told)
{
	mqd_t queue = make(O_RDWR, 4, 8);
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD, .sigev_notify_function = tell_thread};

	event.sigev_value.sival_int = 5;
	CHECK_EQ(mq_notify(queue, &event), 0);
	CHECK_EQ(mq_send(queue, "a", 1, 0), 0);
	for (int i = 0; i < 500 && !thread_told; i++)
		usleep(10000);
	CHECK_EQ(thread_told, 5);
	mq_unlink(name);
}

/* --- limits --- */

TEST(bytes_of_all_queues_are_limited)
{
	struct rlimit limit = {4096, 4096};
	struct mq_attr attributes = {.mq_maxmsg = 10, .mq_msgsize = 8192};
	uid_t user = lone_user();
	char second[64];

	snprintf(name, sizeof(name), "/guest-test-%d", getpid());
	snprintf(second, sizeof(second), "/guest-test-%d-second", getpid());
	CHECK_EQ(setresgid(12345, 12345, 12345), 0);
	CHECK_EQ(setresuid(user, user, user), 0);
	CHECK_EQ(setrlimit(RLIMIT_MSGQUEUE, &limit), 0);
	CHECK_ERRNO(mq_open(name, O_CREAT | O_RDWR, 0600, &attributes), EMFILE);
	attributes = (struct mq_attr){.mq_maxmsg = 4, .mq_msgsize = 512};
	CHECK(mq_open(name, O_CREAT | O_RDWR, 0600, &attributes) >= 0);
	CHECK_ERRNO(mq_open(second, O_CREAT | O_RDWR, 0600, &attributes), EMFILE);
	/* Past fs.mqueue.msg_max without privileges. */
	attributes = (struct mq_attr){.mq_maxmsg = 11, .mq_msgsize = 1};
	CHECK_ERRNO(mq_open(second, O_CREAT | O_RDWR, 0600, &attributes), EINVAL);
	CHECK_EQ(mq_unlink(name), 0);
}

static void try_as_another(void)
{
	CHECK_EQ(setresgid(12345, 12345, 12345), 0);
	CHECK_EQ(setresuid(12345, 12345, 12345), 0);
	CHECK_ERRNO(mq_open(name, O_RDONLY), EACCES);
	CHECK_ERRNO(syscall(SYS_mq_unlink, name + 1), EPERM);
}

TEST(permissions)
{
	mqd_t queue = make(O_RDWR, 1, 1);
	struct stat st;

	CHECK_EQ(fstat(queue, &st), 0);
	CHECK_EQ(st.st_mode, S_IFREG | 0600);
	CHECK_EQ(st.st_size, 80);
	CHECK_EQ(in_child(try_as_another), 0);
	CHECK_EQ(mq_unlink(name), 0);
}

/* --- the file system --- */

TEST(a_mount_shows_the_queues)
{
	char directory[] = "/tmp/mqueue-test-XXXXXX", path[128], text[128] = "";
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
	struct statfs fs;
	struct dirent *entry;
	mqd_t queue;
	int fd, found = 0;
	DIR *list;

	if (unshare(CLONE_NEWNS | CLONE_NEWIPC))
		SKIP("no new namespaces");
	CHECK_EQ(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	CHECK(mkdtemp(directory));
	CHECK_EQ(mount("q", directory, "mqueue", 0, NULL), 0);
	CHECK_EQ(statfs(directory, &fs), 0);
	CHECK_EQ(fs.f_type, 0x19800202);
	queue = make(O_RDWR, 4, 8);
	CHECK_EQ(mq_send(queue, "abc", 3, 0), 0);
	CHECK_EQ(mq_notify(queue, &event), 0);
	snprintf(path, sizeof(path), "%s%s", directory, name);
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	CHECK(read(fd, text, sizeof(text) - 1) > 0);
	CHECK_EQ(read(fd, text + 64, 8), 0);
	CHECK(!strncmp(text, "QSIZE:3          NOTIFY:0     SIGNO:12    NOTIFY_PID:", 53));
	CHECK_ERRNO(write(fd, "x", 1), EBADF);
	close(fd);
	list = opendir(directory);
	while ((entry = readdir(list)))
		found += !strcmp(entry->d_name, name + 1);
	closedir(list);
	CHECK_EQ(found, 1);
	CHECK_EQ(unlink(path), 0);
	CHECK_ERRNO(mq_open(name, O_RDWR), ENOENT);
	/* One that is made by its name in the tree has the defaults. */
	fd = open(path, O_CREAT | O_RDWR, 0640);
	CHECK(fd >= 0);
	CHECK_EQ(mq_send(fd, "x", 1, 0), 0);
	CHECK_ERRNO(write(fd, "x", 1), EINVAL);
	snprintf(path, sizeof(path), "%s/d", directory);
	CHECK_ERRNO(mkdir(path, 0700), EPERM);
	CHECK_ERRNO(symlink("x", path), EPERM);
	close(fd);
	CHECK_EQ(mq_unlink(name), 0);
	CHECK_EQ(umount(directory), 0);
	CHECK_EQ(rmdir(directory), 0);
}

static void try_elsewhere(void)
{
	if (unshare(CLONE_NEWIPC))
		SKIP("no new namespaces");
	CHECK_ERRNO(mq_open(name, O_RDWR), ENOENT);
	CHECK(mq_open(name, O_CREAT | O_RDWR, 0600, NULL) >= 0);
	CHECK_EQ(mq_unlink(name), 0);
}

TEST(another_ipc_namespace_has_others)
{
	int status;

	make(O_RDWR, 1, 1);
	status = in_child(try_elsewhere);
	CHECK_EQ(mq_unlink(name), 0);
	CHECK(WIFEXITED(status));
	_exit(WEXITSTATUS(status));
}

TEST(removed_queues_live_while_open)
{
	mqd_t queue = make(O_RDWR, 1, 8), other;
	char text[8];

	CHECK_EQ(mq_unlink(name), 0);
	CHECK_EQ(mq_send(queue, "a", 1, 0), 0);
	other = mq_open(name, O_CREAT | O_RDWR | O_NONBLOCK, 0600, NULL);
	CHECK(other >= 0);
	CHECK_ERRNO(mq_receive(other, text, 8, NULL), EMSGSIZE);
	CHECK_EQ(mq_receive(queue, text, 8, NULL), 1);
	CHECK_EQ(mq_unlink(name), 0);
}

GUEST_TEST_MAIN()
