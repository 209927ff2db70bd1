/* SPDX-License-Identifier: Apache-2.0 */
/* Asynchronous I/O by the system calls themselves: io_setup(2), io_submit(2), io_getevents(2). */
#include "tests/guest/bad_address.h"
#include "tests/guest/guest_test.h"

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>

static aio_context_t setup(unsigned int events)
{
	aio_context_t context = 0;

	CHECK_EQ(syscall(SYS_io_setup, events, &context), 0);
	CHECK(context != 0);
	return context;
}

static long submit(aio_context_t context, struct iocb *iocb)
{
	return syscall(SYS_io_submit, context, 1, &iocb);
}

static long get(aio_context_t context, long least, long most, struct io_event *events, int ms)
{
	struct timespec timeout = {ms / 1000, ms % 1000 * 1000000l};

	return syscall(SYS_io_getevents, context, least, most, events, ms < 0 ? NULL : &timeout);
}

static int temporary_file(void)
{
	char path[] = "/tmp/aio-test-XXXXXX";
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	unlink(path);
	return fd;
}

static struct iocb transfer(int opcode, int fd, void *buffer, size_t size, long offset)
{
	return (struct iocb){
		.aio_lio_opcode = opcode,
		.aio_fildes = fd,
		.aio_buf = (uintptr_t)buffer,
		.aio_nbytes = size,
		.aio_offset = offset,
	};
}

TEST(contexts)
{
	aio_context_t context = 1, first, second;

	CHECK_ERRNO(syscall(SYS_io_setup, 1, &context), EINVAL);
	context = 0;
	CHECK_ERRNO(syscall(SYS_io_setup, 0, &context), EINVAL);
	CHECK_ERRNO(syscall(SYS_io_setup, 1, bad_address), EFAULT);
	CHECK_ERRNO(syscall(SYS_io_setup, 0x7fffffff, &context), EINVAL);
	CHECK_ERRNO(syscall(SYS_io_setup, 0x300000, &context), EAGAIN);
	CHECK_ERRNO(syscall(SYS_io_destroy, 0), EINVAL);
	first = setup(1);
	second = setup(64);
	CHECK(first != second);
	CHECK_EQ(syscall(SYS_io_destroy, first), 0);
	CHECK_ERRNO(syscall(SYS_io_destroy, first), EINVAL);
	CHECK_ERRNO(syscall(SYS_io_submit, first, 0, NULL), EINVAL);
	CHECK_ERRNO(get(first, 0, 1, NULL, 0), EINVAL);
	CHECK_EQ(syscall(SYS_io_submit, second, 0, NULL), 0);
	CHECK_ERRNO(syscall(SYS_io_submit, second, -1L, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_io_submit, second, 1, bad_address), EFAULT);
	CHECK_EQ(syscall(SYS_io_destroy, second), 0);
}

TEST(writes_and_reads)
{
	aio_context_t context = setup(8);
	int fd = temporary_file();
	char buffer[8] = "";
	struct iovec iovecs[2] = {{buffer, 3}, {buffer + 3, 4}};
	struct iocb write_it = transfer(IOCB_CMD_PWRITE, fd, "0123456", 7, 100);
	struct iocb read_it = transfer(IOCB_CMD_PREAD, fd, buffer, 8, 100);
	struct iocb vector = transfer(IOCB_CMD_PREADV, fd, iovecs, 2, 100);
	struct iocb *all[3] = {&write_it, &read_it, &vector};
	struct io_event events[4];

	write_it.aio_data = 11;
	read_it.aio_data = 22;
	vector.aio_data = 33;
	write_it.aio_key = 99;
	CHECK_EQ(syscall(SYS_io_submit, context, 3, all), 3);
	CHECK_EQ(write_it.aio_key, 0);
	CHECK_EQ(get(context, 3, 4, events, 100000), 3);
	for (int i = 0; i < 3; i++) {
		CHECK(events[i].data == 11 || events[i].data == 22 || events[i].data == 33);
		CHECK_EQ(events[i].obj, (uintptr_t)all[events[i].data / 11 - 1]);
		CHECK_EQ(events[i].res, 7);
		CHECK_EQ(events[i].res2, 0);
	}
	CHECK(!memcmp(buffer, "0123456", 7));
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
	CHECK_EQ(get(context, 0, 4, events, -1), 0);
	CHECK_EQ(get(context, 1, 4, events, 20), 0);
	CHECK_EQ(get(context, 1, 4, events, 0), 0);
	read_it.aio_offset = 1000;
	CHECK_EQ(submit(context, &read_it), 1);
	CHECK_EQ(get(context, 1, 1, events, -1), 1);
	CHECK_EQ(events[0].res, 0);
}

TEST(errors_of_requests)
{
	aio_context_t context = setup(8);
	int fd = temporary_file(), reader = open("/dev/null", O_RDONLY), pipes[2];
	char buffer[8];
	struct iocb iocb = transfer(IOCB_CMD_PREAD, fd, buffer, 8, 0), *two[2] = {&iocb, NULL};
	struct io_event event;

	CHECK(pipe(pipes) == 0);
	iocb.aio_fildes = 999;
	CHECK_ERRNO(submit(context, &iocb), EBADF);
	iocb.aio_fildes = fd;
	iocb.aio_lio_opcode = 77;
	CHECK_ERRNO(submit(context, &iocb), EINVAL);
	iocb.aio_lio_opcode = 6;
	CHECK_ERRNO(submit(context, &iocb), EINVAL);
	iocb.aio_lio_opcode = IOCB_CMD_PREAD;
	iocb.aio_reserved2 = 1;
	CHECK_ERRNO(submit(context, &iocb), EINVAL);
	iocb.aio_reserved2 = 0;
	iocb.aio_nbytes = (uint64_t)-1;
	CHECK_ERRNO(submit(context, &iocb), EINVAL);
	iocb.aio_nbytes = 8;
	iocb.aio_rw_flags = 1 << 30;
	CHECK_ERRNO(submit(context, &iocb), EOPNOTSUPP);
	iocb.aio_rw_flags = 0;
	iocb.aio_offset = -1;
	CHECK_ERRNO(submit(context, &iocb), EINVAL);
	iocb.aio_offset = 0;
	iocb.aio_flags = IOCB_FLAG_RESFD;
	iocb.aio_resfd = fd;
	CHECK_ERRNO(submit(context, &iocb), EINVAL);
	iocb.aio_resfd = 999;
	CHECK_ERRNO(submit(context, &iocb), EBADF);
	iocb.aio_flags = 0;
	iocb.aio_lio_opcode = IOCB_CMD_PWRITE;
	iocb.aio_fildes = reader;
	CHECK_ERRNO(submit(context, &iocb), EBADF);
	iocb.aio_fildes = pipes[0];
	CHECK_ERRNO(submit(context, &iocb), EBADF);
	/* A bad address is found while it is carried out, one past user space at once. */
	CHECK_EQ(write(fd, "12345678", 8), 8);
	iocb = transfer(IOCB_CMD_PREAD, fd, bad_address, 8, 0);
	CHECK_EQ(submit(context, &iocb), 1);
	CHECK_EQ(get(context, 1, 1, &event, -1), 1);
	CHECK_EQ(event.res, -EFAULT);
	iocb.aio_buf = 1ull << 63;
	CHECK_ERRNO(submit(context, &iocb), EFAULT);
	/* The first ones count. */
	iocb = transfer(IOCB_CMD_PREAD, fd, buffer, 8, 0);
	two[1] = bad_address;
	CHECK_EQ(syscall(SYS_io_submit, context, 2, two), 1);
	CHECK_EQ(get(context, 1, 1, &event, -1), 1);
	CHECK_EQ(event.res, 8);
	CHECK_ERRNO(get(context, 2, 1, &event, 0), EINVAL);
	CHECK_ERRNO(get(context, -1, 1, &event, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_io_getevents, context, 1, 1, &event, bad_address), EFAULT);
	CHECK_ERRNO(syscall(SYS_io_cancel, context, &iocb, &event), EINVAL);
	CHECK_ERRNO(syscall(SYS_io_cancel, context, bad_address, &event), EFAULT);
}

TEST(sync_and_eventfd)
{
	aio_context_t context = setup(4);
	int fd = temporary_file(), told = eventfd(0, EFD_NONBLOCK);
	struct iocb iocb = {.aio_lio_opcode = IOCB_CMD_FSYNC, .aio_fildes = fd};
	struct pollfd wait_told = {.fd = told, .events = POLLIN};
	struct io_event event;
	uint64_t count;

	iocb.aio_flags = IOCB_FLAG_RESFD;
	iocb.aio_resfd = told;
	CHECK_EQ(submit(context, &iocb), 1);
	CHECK_EQ(poll(&wait_told, 1, 100000), 1);
	CHECK_EQ(read(told, &count, 8), 8);
	CHECK_EQ(count, 1);
	CHECK_EQ(get(context, 1, 1, &event, -1), 1);
	CHECK_EQ(event.res, 0);
	iocb.aio_lio_opcode = IOCB_CMD_FDSYNC;
	iocb.aio_offset = 1;
	CHECK_ERRNO(submit(context, &iocb), EINVAL);
}

TEST(the_ring_fills)
{
	aio_context_t context = setup(1);
	int fd = temporary_file(), submitted = 0;
	char buffer[1];
	struct iocb iocb = transfer(IOCB_CMD_PREAD, fd, buffer, 1, 0);
	struct io_event events[16];
	long got, total = 0;

	while (submitted < 100000 && submit(context, &iocb) == 1)
		submitted++;
	CHECK_EQ(errno, EAGAIN);
	CHECK(submitted >= 1 && submitted < 100000);
	while ((got = get(context, 0, 16, events, 0)) > 0)
		total += got;
	CHECK_EQ(total, submitted);
	CHECK_EQ(submit(context, &iocb), 1);
}

static struct iocb poll_of(int fd, int events)
{
	return (struct iocb){.aio_lio_opcode = IOCB_CMD_POLL, .aio_fildes = fd, .aio_buf = events};
}

TEST(polls)
{
	aio_context_t context = setup(8);
	struct iocb iocb, other;
	struct io_event event;
	int pipes[2];

	CHECK(pipe(pipes) == 0);
	iocb = poll_of(pipes[0], POLLIN);
	other = poll_of(pipes[1], POLLOUT);
	other.aio_data = 5;
	CHECK_EQ(submit(context, &iocb), 1);
	CHECK_EQ(get(context, 1, 1, &event, 20), 0);
	CHECK_EQ(submit(context, &other), 1);
	CHECK_EQ(get(context, 1, 1, &event, 100000), 1);
	CHECK_EQ(event.data, 5);
	CHECK_EQ(event.res & POLLOUT, POLLOUT);
	CHECK_EQ(write(pipes[1], "x", 1), 1);
	CHECK_EQ(get(context, 1, 1, &event, 100000), 1);
	CHECK_EQ(event.obj, (uintptr_t)&iocb);
	CHECK_EQ(event.res & POLLIN, POLLIN);
	iocb.aio_buf = 1 << 16;
	CHECK_ERRNO(submit(context, &iocb), EINVAL);
	/* One that hangs up, though nobody asked. */
	CHECK_EQ(read(pipes[0], &event, 1), 1);
	iocb = poll_of(pipes[0], 0);
	CHECK_EQ(submit(context, &iocb), 1);
	close(pipes[1]);
	CHECK_EQ(get(context, 1, 1, &event, 100000), 1);
	CHECK_EQ(event.res, POLLHUP);
}

TEST(polls_are_cancelled)
{
	aio_context_t context = setup(8);
	struct io_event event;
	struct iocb iocb;
	int pipes[2];

	CHECK(pipe(pipes) == 0);
	iocb = poll_of(pipes[0], POLLIN);
	CHECK_EQ(submit(context, &iocb), 1);
	CHECK_ERRNO(syscall(SYS_io_cancel, context, &iocb, &event), EINPROGRESS);
	CHECK_EQ(get(context, 1, 1, &event, 100000), 1);
	CHECK_EQ(event.obj, (uintptr_t)&iocb);
	CHECK_ERRNO(syscall(SYS_io_cancel, context, &iocb, &event), EINVAL);
	/* What is pending does not keep a context, or a process, from its end. */
	CHECK_EQ(submit(context, &iocb), 1);
	CHECK_EQ(syscall(SYS_io_destroy, context), 0);
	context = setup(8);
	CHECK_EQ(submit(context, &iocb), 1);
}

static int race_pipe[2];

static void *write_now_and_then(void *argument)
{
	for (int i = 0; i < 1000; i++)
		CHECK_EQ(write(race_pipe[1], "x", 1), 1);
	return NULL;
}

/* A poll that comes true, or is cancelled, tells so once. */
TEST(polls_against_writes_and_cancels)
{
	aio_context_t context = setup(8);
	struct io_event event;
	struct iocb iocb;
	pthread_t thread;
	char byte;

	CHECK(pipe2(race_pipe, O_NONBLOCK) == 0);
	iocb = poll_of(race_pipe[0], POLLIN);
	CHECK_EQ(pthread_create(&thread, NULL, write_now_and_then, NULL), 0);
	for (int i = 0; i < 1000; i++) {
		CHECK_EQ(submit(context, &iocb), 1);
		if (i % 2)
			syscall(SYS_io_cancel, context, &iocb, &event);
		CHECK_EQ(get(context, 1, 1, &event, -1), 1);
		CHECK_EQ(get(context, 1, 1, &event, 0), 0);
		if (i % 2)
			CHECK(read(race_pipe[0], &byte, 1) == 1 || errno == EAGAIN);
	}
	pthread_join(thread, NULL);
}

static void ignore_signal(int signal)
{
}

TEST(signals_end_the_wait)
{
	struct sigaction action = {.sa_handler = ignore_signal, .sa_flags = SA_RESTART};
	aio_context_t context = setup(1);
	struct timespec timeout = {0, 20000000};
	struct io_event event;
	sigset_t mask;
	struct {
		sigset_t *mask;
		size_t size;
	} set = {&mask, 8};

	sigaction(SIGALRM, &action, NULL);
	/* Again and again: the first may come before the wait. */
	ualarm(20000, 20000);
	CHECK_ERRNO(get(context, 1, 1, &event, -1), EINTR);
	ualarm(0, 0);
	sigfillset(&mask);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	raise(SIGALRM);
	CHECK_EQ(syscall(SYS_io_pgetevents, context, 1, 1, &event, &timeout, &set), 0);
	sigemptyset(&mask);
	CHECK_ERRNO(syscall(SYS_io_pgetevents, context, 1, 1, &event, NULL, &set), EINTR);
	set.size = 4;
	CHECK_ERRNO(syscall(SYS_io_pgetevents, context, 1, 1, &event, NULL, &set), EINVAL);
}

TEST(children_have_none)
{
	aio_context_t context = setup(1);
	struct io_event event;
	pid_t child = fork();
	int status;

	if (child == 0) {
		CHECK_ERRNO(get(context, 0, 1, &event, 0), EINVAL);
		_exit(0);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	CHECK_EQ(get(context, 0, 1, &event, 0), 0);
}

GUEST_TEST_MAIN()
