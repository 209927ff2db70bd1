/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inherited pipes, sockets and terminals (other than the console's). The host must never block the
 * sentry: where the descriptor's own flags do not see to that, poll(2) is asked first and little is
 * written at a time.
 */
#include "sentry/fs/host/host_stdio.h"

#include "abi/epoll.h"
#include "abi/ioctl.h"
#include "abi/termios.h"
#include "sentry/kernel/limits.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

static uint32_t host_readiness(struct host_stdio *stdio, short events)
{
	struct pollfd pollfd = {.fd = stdio->fd, .events = events};

	return poll(&pollfd, 1, 0) == 1 ? (uint32_t)(uint16_t)pollfd.revents : 0;
}

static ssize_t move_bytes(struct host_stdio *stdio, const struct mm_pin *pin, bool write)
{
	struct msghdr message = {
		.msg_iov = (struct iovec *)pin->iov, .msg_iovlen = (size_t)pin->count};

	if (stdio->is_socket && write)
		return sendmsg(stdio->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (stdio->is_socket)
		return recvmsg(stdio->fd, &message, MSG_DONTWAIT);
	return write ? writev(stdio->fd, pin->iov, pin->count)
		     : readv(stdio->fd, pin->iov, pin->count);
}

/* One attempt with as much as one pin covers. */
static int64_t transfer(struct host_stdio *stdio, struct iov_iter *iter, bool write)
{
	bool may_block = !stdio->own_description && !stdio->is_socket;
	size_t size = iov_iter_count(iter), wanted;
	struct mm_pin pin;
	int64_t pinned;
	ssize_t moved;
	int error;

	if (may_block && !host_readiness(stdio, write ? POLLOUT : POLLIN))
		return -EAGAIN;
	if (may_block && write)
		size = min_u64(size, stdio->write_piece);
	wanted = size;
	if (write && !(size = limits_output_take(size)))
		return -EIO;
	pinned = iov_iter_pin(iter, size, &pin);
	if (pinned < 0) {
		if (write)
			limits_output_done(wanted, size, 0);
		return pinned;
	}
	if (write && stdio->has_status)
		host_stdio_status_begin();
	moved = move_bytes(stdio, &pin, write);
	error = errno;
	if (write && stdio->has_status)
		host_stdio_status_end(pin.iov, moved);
	mm_unpin(&pin);
	if (write)
		limits_output_done(wanted, size, moved > 0 ? (size_t)moved : 0);
	if (moved < 0)
		return error == EINTR ? -EAGAIN : -error;
	iov_iter_advance(iter, (size_t)moved);
	return moved;
}

static int64_t stream_read(struct file *file, struct iov_iter *to, int64_t *position)
{
	return iov_iter_count(to) ? transfer(host_stdio_of(file), to, false) : 0;
}

static int64_t stream_write(struct file *file, struct iov_iter *from, int64_t *position)
{
	return iov_iter_count(from) ? transfer(host_stdio_of(file), from, true) : 0;
}

static uint32_t stream_poll(struct file *file)
{
	struct host_stdio *stdio = host_stdio_of(file);

	/* The bits of poll(2) and epoll(7) are the same. */
	return host_readiness(
		stdio, POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLRDNORM | POLLWRNORM);
}

/* The reactor watches it from the first wait on. What it cannot watch is always ready. */
static struct wait_queue *stream_wait_queue(struct file *file)
{
	struct host_stdio *stdio = host_stdio_of(file);

	pthread_mutex_lock(&stdio->reactor_lock);
	if (!stdio->registered)
		stdio->registered = host_poll_add(&stdio->source) == 0;
	pthread_mutex_unlock(&stdio->reactor_lock);
	return &stdio->queue;
}

/* What may be asked of a terminal, and how large the answer is; it has the guest's layout. */
static size_t answer_size(uint32_t command)
{
	switch (command) {
	case LINUX_TCGETS:
		return sizeof(struct linux_termios);
	case LINUX_TCGETS2:
		return sizeof(struct linux_termios2);
	case LINUX_TIOCGWINSZ:
		return sizeof(struct linux_winsize);
	case LINUX_TIOCOUTQ:
		return sizeof(int32_t);
	default:
		return 0;
	}
}

static int64_t stream_ioctl(
	struct file *file, struct task *task, uint32_t command, uint64_t argument)
{
	struct host_stdio *stdio = host_stdio_of(file);
	size_t size = stdio->is_terminal ? answer_size(command) : 0;
	char answer[64];

	_Static_assert(sizeof(struct linux_termios2) <= sizeof(answer), "room for every answer");
	if (command == LINUX_FIONREAD)
		size = sizeof(int32_t);
	if (size) {
		if (ioctl(stdio->fd, command, answer))
			return -errno;
		return mm_copy_out(task->mm, argument, answer, size);
	}
	switch (command) {
	case LINUX_TCSETS:
	case LINUX_TCSETSW:
	case LINUX_TCSETSF:
	case LINUX_TIOCSWINSZ:
		/* The caller's terminal stays as it is: as for a process in the background. */
		return stdio->is_terminal ? -EIO : -ENOTTY;
	default:
		return -ENOTTY;
	}
}

const struct file_operations host_stdio_stream_ops = {
	.read = stream_read,
	.write = stream_write,
	.poll = stream_poll,
	.wait_queue = stream_wait_queue,
	.ioctl = stream_ioctl,
};
