/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets: making them, their files, and the waiting of sends, receives, connects and accepts. */
#include "sentry/net/socket.h"

#include "abi/epoll.h"
#include "abi/fcntl.h"
#include "abi/ioctl.h"
#include "abi/stat.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/pidfd.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"
#include "sentry/lock_order.h"
#include "sentry/net/net_namespace.h"
#include "sentry/time/clock.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/owner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct file_operations socket_file_operations;

void socket_init(struct socket *socket, const struct socket_operations *ops, int family, int type,
	int protocol)
{
	socket->ops = ops;
	socket->family = family;
	socket->type = type;
	socket->protocol = protocol;
	socket->net = net_namespace_get(net_namespace_current());
	mutex_init(&socket->lock, RANK_PIPE, "socket");
	wait_queue_init(&socket->queue);
	socket->receive_timeout_ns = FILE_FOREVER;
	socket->send_timeout_ns = FILE_FOREVER;
	socket->send_buffer = SOCKET_BUFFER_DEFAULT;
	socket->receive_buffer = SOCKET_BUFFER_DEFAULT;
	socket->receive_low = 1;
}

void socket_destroy(struct socket *socket)
{
	net_namespace_put(socket->net);
	free(socket->filter);
	wait_queue_destroy(&socket->queue);
	mutex_destroy(&socket->lock);
}

int socket_create(int family, int type, int protocol, struct socket **out)
{
	if (family < 0 || family >= LINUX_AF_MAX)
		return -EAFNOSUPPORT;
	if (type < 0 || type > LINUX_SOCK_PACKET)
		return -EINVAL;
	switch (family) {
	case LINUX_AF_UNIX:
		return unix_create(type, protocol, out);
	case LINUX_AF_INET:
	case LINUX_AF_INET6:
		return inet_create(family, type, protocol, out);
	case LINUX_AF_NETLINK:
		return netlink_create(type, protocol, out);
	case LINUX_AF_PACKET:
		return packet_create(type, protocol, out);
	default:
		return -EAFNOSUPPORT;
	}
}

int socket_new_file(struct socket *socket, uint32_t flags, struct file **out)
{
	unsigned int mode = FILE_READ | FILE_WRITE | FILE_STREAM;
	struct inode *inode;
	int error = pseudo_inode_new(LINUX_S_IFSOCK | 0777, &inode);

	if (socket->type != LINUX_SOCK_STREAM)
		mode |= FILE_NO_SIGPIPE;
	if (!error) {
		inode->ops = &socket_inode_operations;
		inode->private = (void *)socket_protocol_name(socket);
	}
	if (!error)
		error = file_new_anonymous(inode, &socket_file_operations, mode,
			LINUX_O_RDWR | flags, socket, "socket", out);
	if (error) {
		socket->ops->release(socket);
		return error;
	}
	socket->ino = (*out)->inode->attributes.ino;
	socket->file = *out;
	return 0;
}

struct socket *file_socket(const struct file *file)
{
	return file->ops == &socket_file_operations ? file->private : NULL;
}

int socket_take_error(struct socket *socket)
{
	/* The load keeps the line shared on the hot path. */
	return atomic_load_explicit(&socket->error, memory_order_relaxed)
		       ? -atomic_exchange(&socket->error, 0)
		       : 0;
}

/* --- waiting --- */

static int64_t deadline_of(int64_t timeout_ns)
{
	int64_t deadline;

	if (timeout_ns == FILE_FOREVER ||
		__builtin_add_overflow(clock_monotonic(), timeout_ns, &deadline))
		return FILE_FOREVER;
	return deadline;
}

/* Linux does not restart a call that had a time limit (sock_intr_errno()). */
static int64_t interrupted(int64_t result, int64_t timeout_ns)
{
	return result == -ERESTARTSYS && timeout_ns != FILE_FOREVER ? -EINTR : result;
}

struct message_attempt {
	struct socket *socket;
	struct socket_message *message;
};

static int64_t send_attempt(void *argument)
{
	struct message_attempt *attempt = argument;

	return attempt->socket->ops->send(attempt->socket, attempt->message);
}

static int64_t receive_attempt(void *argument)
{
	struct message_attempt *attempt = argument;

	return attempt->socket->ops->receive(attempt->socket, attempt->message);
}

/* What was moved counts more than why it ended. */
static int64_t message_result(
	struct socket *socket, struct socket_message *message, int64_t result, int64_t timeout_ns)
{
	if (result < 0 && message->done)
		result = (int64_t)message->done;
	if (message->private && socket->ops->message_done)
		socket->ops->message_done(message);
	return interrupted(result, timeout_ns);
}

static void raise_sigpipe(void)
{
	struct linux_siginfo info;

	siginfo_user(&info, LINUX_SIGPIPE, current, current);
	(void)signal_send_task(current, &info);
}

int64_t socket_send(struct file *file, struct socket_message *message)
{
	struct socket *socket = file->private;
	struct message_attempt attempt = {socket, message};
	int64_t timeout = socket->send_timeout_ns, result;

	message->no_wait =
		(file->flags & LINUX_O_NONBLOCK) || (message->flags & LINUX_MSG_DONTWAIT);
	result = send_attempt(&attempt);
	if (result == -EAGAIN && !message->no_wait)
		result = file_wait(
			file, LINUX_EPOLLOUT, deadline_of(timeout), send_attempt, &attempt);
	result = message_result(socket, message, result, timeout);
	if (result == -EPIPE && socket->type == LINUX_SOCK_STREAM &&
		!(message->flags & LINUX_MSG_NOSIGNAL))
		raise_sigpipe();
	return result;
}

int64_t socket_receive(struct file *file, struct socket_message *message)
{
	struct socket *socket = file->private;
	struct message_attempt attempt = {socket, message};
	int64_t timeout = socket->receive_timeout_ns, result;

	/* Nobody waits for the queue of errors. */
	message->no_wait = (file->flags & LINUX_O_NONBLOCK) ||
			   (message->flags & (LINUX_MSG_DONTWAIT | LINUX_MSG_ERRQUEUE));
	result = receive_attempt(&attempt);
	if (result == -EAGAIN && !message->no_wait)
		result = file_wait(file, LINUX_EPOLLIN | LINUX_EPOLLRDHUP, deadline_of(timeout),
			receive_attempt, &attempt);
	return message_result(socket, message, result, timeout);
}

struct connect_attempt {
	struct socket *socket;
	const struct socket_address *address;
};

static int64_t connect_attempt(void *argument)
{
	struct connect_attempt *attempt = argument;

	return attempt->socket->ops->connect(attempt->socket, attempt->address, false, false);
}

int socket_connect(struct file *file, const struct socket_address *address)
{
	struct socket *socket = file->private;
	struct connect_attempt attempt = {socket, address};
	bool no_wait = file->flags & LINUX_O_NONBLOCK;
	int64_t timeout = socket->send_timeout_ns, result;

	result = socket->ops->connect(socket, address, true, no_wait);
	if (result != -EAGAIN || no_wait)
		return (int)result;
	result = file_wait(file, LINUX_EPOLLOUT, deadline_of(timeout), connect_attempt, &attempt);
	/* A connection that is under way goes on without us. */
	if (result == -EAGAIN && socket->family != LINUX_AF_UNIX)
		result = -EINPROGRESS;
	return (int)interrupted(result, timeout);
}

struct accept_attempt {
	struct socket *socket, *accepted;
};

static int64_t accept_attempt(void *argument)
{
	struct accept_attempt *attempt = argument;

	return attempt->socket->ops->accept(attempt->socket, &attempt->accepted);
}

int socket_accept(struct file *file, uint32_t flags, struct file **out, struct socket_address *peer)
{
	struct socket *socket = file->private;
	struct accept_attempt attempt = {.socket = socket};
	int64_t timeout = socket->receive_timeout_ns, result = accept_attempt(&attempt);
	int error;

	if (result == -EAGAIN && !(file->flags & LINUX_O_NONBLOCK))
		result = file_wait(
			file, LINUX_EPOLLIN, deadline_of(timeout), accept_attempt, &attempt);
	if (result)
		return (int)interrupted(result, timeout);
	error = socket_new_file(attempt.accepted, flags, out);
	if (!error && peer && attempt.accepted->ops->name(attempt.accepted, true, peer)) {
		/* It came and went. */
		file_put(*out);
		error = -ECONNABORTED;
	}
	return error;
}

/* --- the file --- */

static int64_t socket_file_read(struct file *file, struct iov_iter *to, int64_t *position)
{
	struct socket *socket = file->private;
	struct socket_message message = {.iter = to, .no_wait = file->flags & LINUX_O_NONBLOCK};
	int64_t result;

	if (iov_iter_count(to) == 0)
		return 0;
	result = socket->ops->receive(socket, &message);
	socket_message_drop(&message);
	return message_result(socket, &message, result, FILE_FOREVER);
}

static int64_t socket_file_write(struct file *file, struct iov_iter *from, int64_t *position)
{
	struct socket *socket = file->private;
	struct socket_message message = {.iter = from, .no_wait = file->flags & LINUX_O_NONBLOCK};
	int64_t result = socket->ops->send(socket, &message);

	result = message_result(socket, &message, result, FILE_FOREVER);
	/* A message goes whole or not at all: nothing is left for the VFS to write on with. */
	if (result >= 0 && socket->type != LINUX_SOCK_STREAM)
		iov_iter_truncate(from, 0);
	return result;
}

static int64_t socket_file_timeout(struct file *file, bool write)
{
	struct socket *socket = file->private;

	return write ? socket->send_timeout_ns : socket->receive_timeout_ns;
}

static uint32_t socket_file_poll(struct file *file)
{
	struct socket *socket = file->private;

	return socket->ops->poll(socket);
}

static struct wait_queue *socket_file_wait_queue(struct file *file)
{
	struct socket *socket = file->private;

	return socket->ops->wait_queue ? socket->ops->wait_queue(socket) : &socket->queue;
}

static int64_t set_owner(struct file *file, struct task *task, uint64_t argument)
{
	int32_t number;

	if (mm_copy_in(task->mm, &number, argument, sizeof(number)))
		return -EFAULT;
	return file_set_owner_number(file, number);
}

static int64_t get_owner(struct file *file, struct task *task, uint64_t argument)
{
	int32_t number = file_get_owner_number(file);

	return mm_copy_out(task->mm, argument, &number, sizeof(number));
}

static int64_t socket_file_ioctl(
	struct file *file, struct task *task, uint32_t command, uint64_t argument)
{
	struct socket *socket = file->private;
	int64_t result;

	switch (command) {
	case LINUX_FIOSETOWN:
	case LINUX_SIOCSPGRP:
		return set_owner(file, task, argument);
	case LINUX_FIOGETOWN:
	case LINUX_SIOCGPGRP:
		return get_owner(file, task, argument);
	default:
		result = socket->ops->ioctl(socket, task, command, argument);
		return result == -ENOTTY ? interface_ioctl(task, command, argument) : result;
	}
}

static void socket_file_release(struct file *file)
{
	struct socket *socket = file->private;

	socket->file = NULL;
	socket->ops->release(socket);
}

static const struct file_operations socket_file_operations = {
	.read = socket_file_read,
	.write = socket_file_write,
	.timeout = socket_file_timeout,
	.poll = socket_file_poll,
	.wait_queue = socket_file_wait_queue,
	.ioctl = socket_file_ioctl,
	.release = socket_file_release,
};

/* --- control messages --- */

void socket_files_put(struct socket_files *files)
{
	static __thread struct socket_files *pending;
	static __thread bool draining;

	if (!files)
		return;
	files->next = pending;
	pending = files;
	/* A file's release may come here again: the outermost call does all the work. */
	if (draining)
		return;
	draining = true;
	while ((files = pending)) {
		pending = files->next;
		for (unsigned int i = 0; i < files->count; i++)
			file_put(files->file[i]);
		free(files);
	}
	draining = false;
}

void socket_message_drop(struct socket_message *message)
{
	socket_files_put(message->files);
	message->files = NULL;
	pid_put(message->pidfd_of);
	message->pidfd_of = NULL;
}

int socket_install_pidfd(struct pid *pid)
{
	struct file *file;
	int fd, error = pidfd_new(0, &file);

	if (error)
		return error;
	pidfd_set_pid(file, pid);
	fd = fd_install(current->files, 0, file, true);
	if (fd < 0)
		file_put(file);
	return fd;
}

void socket_put_control(
	struct socket_message *message, int level, int type, const void *data, size_t size)
{
	size_t room = message->control_size - message->control_used;
	struct linux_cmsghdr header = {
		.cmsg_len = LINUX_CMSG_LEN(size), .cmsg_level = level, .cmsg_type = type};
	uint8_t *where = message->control + message->control_used;

	if (!message->control || room < sizeof(header)) {
		message->out_flags |= LINUX_MSG_CTRUNC;
		return;
	}
	if (room < header.cmsg_len) {
		message->out_flags |= LINUX_MSG_CTRUNC;
		header.cmsg_len = room;
	}
	memcpy(where, &header, sizeof(header));
	memcpy(where + sizeof(header), data, header.cmsg_len - sizeof(header));
	memset(where + header.cmsg_len, 0, min_u64(LINUX_CMSG_SPACE(size), room) - header.cmsg_len);
	message->control_used += min_u64(LINUX_CMSG_SPACE(size), room);
}

const struct linux_cmsghdr *socket_next_control(
	const struct socket_message *message, const struct linux_cmsghdr *previous, int *error)
{
	size_t offset = 0;
	const struct linux_cmsghdr *header;

	*error = 0;
	if (previous)
		offset = (size_t)((const uint8_t *)previous - message->control) +
			 LINUX_CMSG_ALIGN(previous->cmsg_len);
	if (offset + sizeof(*header) > message->control_size)
		return NULL;
	header = (const struct linux_cmsghdr *)(message->control + offset);
	if (header->cmsg_len < sizeof(*header) ||
		header->cmsg_len > message->control_size - offset) {
		*error = -EINVAL;
		return NULL;
	}
	return header;
}
