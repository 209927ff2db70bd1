/* SPDX-License-Identifier: Apache-2.0 */
/* send(2), recv(2) and their variants: message headers, names, control messages, files that arrive.
 */
#include "abi/limits.h"
#include "abi/socket.h"
#include "abi/time.h"
#include "abi/uio.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"
#include "sentry/net/socket.h"
#include "sentry/syscalls/socket.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/time/clock.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Room for all that a receive can bring: LINUX_SCM_MAX_FD files and credentials, or what the host's
 * sockets say. */
#define RECEIVE_CONTROL_MAX 2048

/* --- sending --- */

static int64_t send_header(
	struct task *task, struct file *file, const struct linux_msghdr *header, uint32_t flags)
{
	_Alignas(8) uint8_t small[256];
	struct socket_message message = {.flags = flags};
	struct iov_iter iter;
	int32_t name_size = header->msg_namelen;
	int64_t result;

	if (name_size > LINUX_SOCKADDR_STORAGE_SIZE)
		name_size = LINUX_SOCKADDR_STORAGE_SIZE;
	result = copy_in_address(
		task, header->msg_name, header->msg_name ? name_size : 0, &message.name);
	if (!result && header->msg_namelen < 0)
		result = -EINVAL;
	if (!result)
		result = check_destination(file_socket(file), &message.name);
	if (!result && header->msg_iovlen > LINUX_UIO_MAXIOV)
		result = -EMSGSIZE;
	if (!result && header->msg_controllen > SOCKET_CONTROL_MAX)
		result = -ENOBUFS;
	if (result)
		return result;
	message.control_size = header->msg_control ? header->msg_controllen : 0;
	message.control =
		message.control_size > sizeof(small) ? malloc(message.control_size) : small;
	if (!message.control)
		return -ENOBUFS;
	if (message.control_size)
		result = mm_copy_in(
			task->mm, message.control, header->msg_control, message.control_size);
	if (!result)
		result = iov_iter_import(
			&iter, task->mm, header->msg_iov, header->msg_iovlen, false);
	if (!result) {
		message.iter = &iter;
		result = socket_send(file, &message);
		iov_iter_destroy(&iter);
	}
	if (message.control != small)
		free(message.control);
	return result;
}

int64_t sys_sendto(struct task *task, const uint64_t args[6])
{
	struct socket_message message = {.flags = (uint32_t)args[3]};
	struct socket *socket;
	struct iov_iter iter;
	int error;
	auto_file struct file *file = get_socket_file(task, args[0], &socket, &error);

	if (!error && args[4])
		error = copy_in_address(task, args[4], (int32_t)args[5], &message.name);
	if (!error)
		error = check_destination(socket, &message.name);
	if (error)
		return error;
	iov_iter_init(&iter, task->mm, args[1], args[2], false);
	message.iter = &iter;
	return socket_send(file, &message);
}

int64_t sys_sendmsg(struct task *task, const uint64_t args[6])
{
	struct linux_msghdr header;
	struct socket *socket;
	int error;
	auto_file struct file *file = get_socket_file(task, args[0], &socket, &error);

	if (error)
		return error;
	if (mm_copy_in(task->mm, &header, args[1], sizeof(header)))
		return -EFAULT;
	return send_header(task, file, &header, (uint32_t)args[2]);
}

int64_t sys_sendmmsg(struct task *task, const uint64_t args[6])
{
	uint32_t count = (uint32_t)min_u64((uint32_t)args[2], LINUX_UIO_MAXIOV), sent = 0;
	struct socket *socket;
	int64_t result = 0;
	int error;
	auto_file struct file *file = get_socket_file(task, args[0], &socket, &error);

	if (error)
		return error;
	for (; sent < count; sent++) {
		gaddr_t address = args[1] + sent * sizeof(struct linux_mmsghdr);
		struct linux_msghdr header;
		uint32_t size;

		if (mm_copy_in(task->mm, &header, address, sizeof(header)))
			result = -EFAULT;
		else
			result = send_header(task, file, &header, (uint32_t)args[3]);
		if (result < 0)
			break;
		size = (uint32_t)result;
		if (mm_copy_out(task->mm, address + offsetof(struct linux_mmsghdr, msg_len), &size,
			    sizeof(size))) {
			result = -EFAULT;
			break;
		}
		if (task_signal_pending(task)) {
			sent++;
			break;
		}
	}
	return sent ? sent : result;
}

/* --- receiving --- */

/* Gives the files that arrived descriptors, as many as there is room to tell of. */
static void install_files(struct task *task, struct socket_message *message)
{
	struct socket_files *files = message->files;
	size_t room = message->control_size - message->control_used;
	int32_t fds[LINUX_SCM_MAX_FD];
	unsigned int count = 0, fitting = 0;

	if (!files)
		return;
	if (message->control && room > sizeof(struct linux_cmsghdr))
		fitting = (unsigned int)((room - sizeof(struct linux_cmsghdr)) / sizeof(fds[0]));
	while (count < files->count && count < fitting) {
		struct file *file = file_get(files->file[count]);
		int fd = fd_install(task->files, 0, file, message->flags & LINUX_MSG_CMSG_CLOEXEC);

		if (fd < 0) {
			file_put(file);
			break;
		}
		fds[count++] = fd;
	}
	if (count)
		socket_put_control(
			message, LINUX_SOL_SOCKET, LINUX_SCM_RIGHTS, fds, count * sizeof(fds[0]));
	if (count < files->count)
		message->out_flags |= LINUX_MSG_CTRUNC;
	socket_files_put(files);
	message->files = NULL;
}

/* What it stands for is told even when there are no descriptors left, as a negative number. */
static void install_pidfd(struct socket_message *message)
{
	int32_t fd;

	if (!message->pidfd_of)
		return;
	if (message->control_size - message->control_used < LINUX_CMSG_LEN(sizeof(fd))) {
		message->out_flags |= LINUX_MSG_CTRUNC;
	} else {
		fd = socket_install_pidfd(message->pidfd_of);
		socket_put_control(message, LINUX_SOL_SOCKET, LINUX_SCM_PIDFD, &fd, sizeof(fd));
	}
}

static int copy_out_header(struct task *task, const struct socket_message *message,
	const struct linux_msghdr *header, gaddr_t address)
{
	uint32_t flags = message->out_flags | (message->flags & LINUX_MSG_CMSG_CLOEXEC);
	uint64_t control_used = message->control_used;

	if (header->msg_name && copy_out_address(task, &message->name, header->msg_name,
					address + offsetof(struct linux_msghdr, msg_namelen)))
		return -EFAULT;
	if (mm_copy_out(task->mm, address + offsetof(struct linux_msghdr, msg_flags), &flags,
		    sizeof(flags)))
		return -EFAULT;
	if (control_used &&
		mm_copy_out(task->mm, header->msg_control, message->control, control_used))
		return -EFAULT;
	return mm_copy_out(task->mm, address + offsetof(struct linux_msghdr, msg_controllen),
		&control_used, sizeof(control_used));
}

static int64_t receive_header(struct task *task, struct file *file, gaddr_t address, uint32_t flags)
{
	uninitialized_ _Alignas(8) uint8_t control[RECEIVE_CONTROL_MAX];
	struct socket_message message = {.flags = flags};
	struct linux_msghdr header;
	struct iov_iter iter;
	int64_t result;

	if (mm_copy_in(task->mm, &header, address, sizeof(header)))
		return -EFAULT;
	if (header.msg_namelen < 0)
		return -EINVAL;
	if (header.msg_iovlen > LINUX_UIO_MAXIOV)
		return -EMSGSIZE;
	message.wants_name = header.msg_name;
	message.control_size = min_u64(header.msg_controllen, sizeof(control));
	message.control = header.msg_control && message.control_size ? control : NULL;
	if (!message.control)
		message.control_size = 0;
	/* Nobody fills the gaps between messages, and the guest gets all of it. */
	memset(control, 0, message.control_size);
	result = iov_iter_import(&iter, task->mm, header.msg_iov, header.msg_iovlen, true);
	if (result)
		return result;
	message.iter = &iter;
	result = socket_receive(file, &message);
	iov_iter_destroy(&iter);
	install_files(task, &message);
	install_pidfd(&message);
	socket_message_drop(&message);
	if (result >= 0 && copy_out_header(task, &message, &header, address))
		result = -EFAULT;
	return result;
}

int64_t sys_recvfrom(struct task *task, const uint64_t args[6])
{
	struct socket_message message = {.flags = (uint32_t)args[3], .wants_name = args[4]};
	struct socket *socket;
	struct iov_iter iter;
	int64_t result;
	int error;
	auto_file struct file *file = get_socket_file(task, args[0], &socket, &error);

	if (error)
		return error;
	iov_iter_init(&iter, task->mm, args[1], args[2], true);
	message.iter = &iter;
	result = socket_receive(file, &message);
	socket_message_drop(&message);
	if (result >= 0 && args[4]) {
		error = copy_out_address(task, &message.name, args[4], args[5]);
		if (error)
			result = error;
	}
	return result;
}

int64_t sys_recvmsg(struct task *task, const uint64_t args[6])
{
	struct socket *socket;
	int error;
	auto_file struct file *file = get_socket_file(task, args[0], &socket, &error);

	return error ? error : receive_header(task, file, args[1], (uint32_t)args[2]);
}

/* The deadline of recvmmsg(2), looked at after each message only, as in Linux. */
static int copy_in_deadline(struct task *task, gaddr_t address, int64_t *deadline_ns)
{
	struct linux_timespec time;
	int64_t ns;

	*deadline_ns = FILE_FOREVER;
	if (!address)
		return 0;
	if (mm_copy_in(task->mm, &time, address, sizeof(time)))
		return -EFAULT;
	if (time.tv_sec < 0 || time.tv_nsec < 0 || time.tv_nsec >= NSEC_PER_SEC)
		return -EINVAL;
	if (!__builtin_mul_overflow(time.tv_sec, NSEC_PER_SEC, &ns) &&
		!__builtin_add_overflow(ns, time.tv_nsec, &ns) &&
		!__builtin_add_overflow(ns, clock_monotonic(), &ns))
		*deadline_ns = ns;
	return 0;
}

static int64_t receive_many(struct task *task, struct file *file, gaddr_t address, uint32_t count,
	uint32_t flags, int64_t deadline_ns)
{
	struct socket *socket = file->private;
	uint32_t received = 0;
	int64_t result = socket_take_error(socket);

	while (!result && received < count) {
		gaddr_t entry = address + received * sizeof(struct linux_mmsghdr);
		uint32_t size;

		result = receive_header(task, file, entry, flags & ~(uint32_t)LINUX_MSG_WAITFORONE);
		if (result < 0)
			break;
		size = (uint32_t)result;
		result = mm_copy_out(task->mm, entry + offsetof(struct linux_mmsghdr, msg_len),
			&size, sizeof(size));
		if (result)
			break;
		received++;
		if (flags & LINUX_MSG_WAITFORONE)
			flags |= LINUX_MSG_DONTWAIT;
		if (deadline_ns != FILE_FOREVER && clock_monotonic() >= deadline_ns)
			break;
	}
	/* An error after messages is told to the next call. */
	if (received && result < 0 && result != -EAGAIN && result > -ERESTARTSYS)
		socket->error = (int)-result;
	return received ? received : result;
}

int64_t sys_recvmmsg(struct task *task, const uint64_t args[6])
{
	uint32_t count = (uint32_t)min_u64((uint32_t)args[2], LINUX_UIO_MAXIOV);
	struct socket *socket;
	int64_t deadline, result;
	int error;
	auto_file struct file *file = get_socket_file(task, args[0], &socket, &error);

	if (!error)
		error = copy_in_deadline(task, args[4], &deadline);
	if (error)
		return error;
	result = receive_many(task, file, args[1], count, (uint32_t)args[3], deadline);
	if (result > 0 && args[4]) {
		int64_t left = deadline - clock_monotonic();
		struct linux_timespec time = {0};

		if (left > 0)
			time = (struct linux_timespec){left / NSEC_PER_SEC, left % NSEC_PER_SEC};
		if (mm_copy_out(task->mm, args[4], &time, sizeof(time)))
			result = -EFAULT;
	}
	return result;
}
