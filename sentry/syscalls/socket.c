/* SPDX-License-Identifier: Apache-2.0 */
/* Making, naming and connecting sockets, and their options. Sending and receiving is in
 * socket_message.c. */
#include "abi/socket.h"
#include "abi/fcntl.h"
#include "sentry/kernel/accounting.h"
#include "sentry/kernel/task.h"
#include "sentry/net/socket.h"
#include "sentry/net/socket_filter.h"
#include "sentry/security/landlock/landlock.h"
#include "sentry/syscalls/socket.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/vfs/fd_table.h"
#include "sentry/vfs/policy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct file *get_socket_file(struct task *task, uint64_t fd, struct socket **socket, int *error)
{
	struct file *file = fd_get(task->files, (int)fd);

	*error = 0;
	*socket = file ? file_socket(file) : NULL;
	if (*socket)
		return file;
	*error = file ? -ENOTSOCK : -EBADF;
	if (file)
		file_put(file);
	return NULL;
}

/* An abstract name is bytes: a NUL does not end it, and shows as in /proc/net/unix. */
static void show_unix(const struct socket_address *address, char *text, size_t size)
{
	size_t length = address->size - sizeof(address->family);
	char name[sizeof(address->un.sun_path) + 1];

	length = min_u64(length, sizeof(address->un.sun_path));
	memcpy(name, address->un.sun_path, length);
	name[length] = '\0';
	for (size_t i = 0; !address->un.sun_path[0] && i < length; i++)
		if (!name[i])
			name[i] = '@';
	(void)snprintf(text, size, "unix:%s", name);
}

/* What Linux takes for an address of version 4: binding and sending need not name the family. */
static bool is_inet(const struct socket *socket, const struct socket_address *address)
{
	return address->size >= sizeof(address->in) &&
	       (address->family == LINUX_AF_INET ||
		       (address->family == LINUX_AF_UNSPEC && socket->family == LINUX_AF_INET));
}

/* "127.0.0.1:80", "[::1]:80", "unix:/path", "unix:@name"; false for what leads nowhere. */
static bool show_address(
	const struct socket *socket, const struct socket_address *address, char *text, size_t size)
{
	char host[INET6_ADDRSTRLEN] = "";

	if (is_inet(socket, address)) {
		(void)inet_ntop(AF_INET, &address->in.sin_addr, host, sizeof(host));
		(void)snprintf(text, size, "%s:%u", host, ntohs(address->in.sin_port));
	} else if (address->family == LINUX_AF_INET6 &&
		   address->size >= offsetof(struct linux_sockaddr_in6, sin6_scope_id)) {
		(void)inet_ntop(AF_INET6, &address->in6.sin6_addr, host, sizeof(host));
		(void)snprintf(text, size, "[%s]:%u", host, ntohs(address->in6.sin6_port));
	} else if (address->family == LINUX_AF_UNIX && address->size > sizeof(address->family)) {
		show_unix(address, text, size);
	} else {
		return false;
	}
	return true;
}

/* For the accounting, and by the policy. */
static int check_address(const struct socket *socket, const struct socket_address *address,
	unsigned int access, const char *how)
{
	char text[ACCOUNTING_FILE_SIZE], line[ACCOUNTING_FILE_SIZE + 32];

	if (likely(!g_accounting && !g_policy) ||
		!show_address(socket, address, text, sizeof(text)))
		return 0;
	if (g_accounting && how) {
		(void)snprintf(line, sizeof(line), "%s %s", how, text);
		accounting_address(line);
	}
	return g_policy ? policy_check_address_slow(text, access) : 0;
}

int check_destination(const struct socket *socket, const struct socket_address *address)
{
	if (likely(!g_policy) || !address->size)
		return 0;
	return check_address(socket, address, POLICY_CONNECT, NULL);
}

int copy_in_address(struct task *task, gaddr_t address, int32_t size, struct socket_address *out)
{
	memset(out, 0, sizeof(*out));
	if (size < 0 || size > LINUX_SOCKADDR_STORAGE_SIZE)
		return -EINVAL;
	if (size == 0)
		return 0;
	if (mm_copy_in(task->mm, &out->storage, address, (size_t)size))
		return -EFAULT;
	out->size = (uint32_t)size;
	return 0;
}

int copy_out_address(
	struct task *task, const struct socket_address *name, gaddr_t address, gaddr_t size_address)
{
	int32_t room;

	if (mm_copy_in(task->mm, &room, size_address, sizeof(room)))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	if (mm_copy_out(task->mm, address, &name->storage, min_u64((uint64_t)room, name->size)))
		return -EFAULT;
	return mm_copy_out(task->mm, size_address, &name->size, sizeof(name->size));
}

/* The flags in a socket's type. */
static bool split_type(uint32_t combined, int *type, uint32_t *flags)
{
	*type = (int)(combined & LINUX_SOCK_TYPE_MASK);
	*flags = combined & ~(uint32_t)LINUX_SOCK_TYPE_MASK;
	return !(*flags & ~(uint32_t)(LINUX_SOCK_CLOEXEC | LINUX_SOCK_NONBLOCK));
}

/* The descriptor of a new socket; the socket is the file's, or released. */
static int install_socket(struct task *task, struct socket *socket, uint32_t flags)
{
	struct file *file;
	int fd, error = socket_new_file(socket, flags & LINUX_SOCK_NONBLOCK, &file);

	if (error)
		return error;
	fd = fd_install(task->files, 0, file, flags & LINUX_SOCK_CLOEXEC);
	if (fd < 0)
		file_put(file);
	return fd;
}

int64_t sys_socket(struct task *task, const uint64_t args[6])
{
	struct socket *socket;
	uint32_t flags;
	int type, error;

	if (!split_type((uint32_t)args[1], &type, &flags))
		return -EINVAL;
	error = socket_create((int)args[0], type, (int)args[2], &socket);
	return error ? error : install_socket(task, socket, flags);
}

static int make_pair(int family, int type, int protocol, struct socket *pair[2])
{
	int error = socket_create(family, type, protocol, &pair[0]);

	if (error)
		return error;
	error = socket_create(family, type, protocol, &pair[1]);
	if (error) {
		pair[0]->ops->release(pair[0]);
		return error;
	}
	error = pair[0]->ops->pair ? pair[0]->ops->pair(pair[0], pair[1]) : -EOPNOTSUPP;
	if (error) {
		pair[0]->ops->release(pair[0]);
		pair[1]->ops->release(pair[1]);
	}
	return error;
}

/* Files for both; the sockets are theirs, or released. */
static int make_pair_files(struct socket *pair[2], uint32_t flags, struct file *files[2])
{
	int error = socket_new_file(pair[0], flags & LINUX_SOCK_NONBLOCK, &files[0]);

	if (error) {
		pair[1]->ops->release(pair[1]);
		return error;
	}
	error = socket_new_file(pair[1], flags & LINUX_SOCK_NONBLOCK, &files[1]);
	if (error)
		file_put(files[0]);
	return error;
}

int64_t sys_socketpair(struct task *task, const uint64_t args[6])
{
	struct socket *pair[2];
	struct file *files[2];
	int32_t fds[2] = {-1, -1};
	uint32_t flags;
	int type, error;

	if (!split_type((uint32_t)args[1], &type, &flags))
		return -EINVAL;
	error = make_pair((int)args[0], type, (int)args[2], pair);
	if (!error)
		error = make_pair_files(pair, flags, files);
	if (error)
		return error;
	for (int i = 0; i < 2 && !error; i++) {
		fds[i] = fd_reserve(task->files, 0, flags & LINUX_SOCK_CLOEXEC);
		error = fds[i] < 0 ? fds[i] : 0;
	}
	if (!error)
		error = mm_copy_out(task->mm, args[3], fds, sizeof(fds));
	for (int i = 0; i < 2; i++) {
		if (error && fds[i] >= 0)
			fd_cancel(task->files, fds[i]);
		if (error)
			file_put(files[i]);
		else
			fd_commit(task->files, fds[i], files[i]);
	}
	return error;
}

int64_t sys_bind(struct task *task, const uint64_t args[6])
{
	struct socket_address address;
	struct socket *socket;
	int error;
	auto_file unused_ struct file *file = get_socket_file(task, args[0], &socket, &error);

	if (!error)
		error = copy_in_address(task, args[1], (int32_t)args[2], &address);
	if (!error)
		error = landlock_check_address(
			socket, &address, LINUX_LANDLOCK_ACCESS_NET_BIND_TCP);
	if (!error)
		error = check_address(socket, &address, POLICY_BIND, "bound to");
	return error ? error : socket->ops->bind(socket, &address);
}

int64_t sys_listen(struct task *task, const uint64_t args[6])
{
	/* As Linux, a negative one is the largest. */
	uint32_t backlog = (uint32_t)args[1];
	struct socket *socket;
	int error;
	auto_file unused_ struct file *file = get_socket_file(task, args[0], &socket, &error);

	if (backlog > LINUX_SOMAXCONN)
		backlog = LINUX_SOMAXCONN;
	return error ? error : socket->ops->listen(socket, (int)backlog);
}

int64_t sys_connect(struct task *task, const uint64_t args[6])
{
	struct socket_address address;
	struct socket *socket;
	int error;
	auto_file unused_ struct file *file = get_socket_file(task, args[0], &socket, &error);

	if (!error)
		error = copy_in_address(task, args[1], (int32_t)args[2], &address);
	if (!error)
		error = landlock_check_address(
			socket, &address, LINUX_LANDLOCK_ACCESS_NET_CONNECT_TCP);
	/* Without a family it dissolves an association. */
	if (!error && address.family != LINUX_AF_UNSPEC)
		error = check_address(socket, &address, POLICY_CONNECT, "connected to");
	return error ? error : socket_connect(file, &address);
}

static int64_t do_accept(struct task *task, const uint64_t args[6], uint32_t flags)
{
	struct socket_address peer;
	struct socket *socket;
	struct file *accepted;
	int fd, error;
	auto_file unused_ struct file *file = get_socket_file(task, args[0], &socket, &error);

	if (error)
		return error;
	if (flags & ~(uint32_t)(LINUX_SOCK_CLOEXEC | LINUX_SOCK_NONBLOCK))
		return -EINVAL;
	/* Before a connection is taken that could not be given to anybody. */
	fd = fd_reserve(task->files, 0, flags & LINUX_SOCK_CLOEXEC);
	if (fd < 0)
		return fd;
	error = socket_accept(file, flags & LINUX_SOCK_NONBLOCK, &accepted, args[1] ? &peer : NULL);
	if (!error && args[1]) {
		error = copy_out_address(task, &peer, args[1], args[2]);
		if (error)
			file_put(accepted);
	}
	if (error) {
		fd_cancel(task->files, fd);
		return error;
	}
	fd_commit(task->files, fd, accepted);
	return fd;
}

int64_t sys_accept(struct task *task, const uint64_t args[6])
{
	return do_accept(task, args, 0);
}

int64_t sys_accept4(struct task *task, const uint64_t args[6])
{
	return do_accept(task, args, (uint32_t)args[3]);
}

static int64_t get_name(struct task *task, const uint64_t args[6], bool peer)
{
	struct socket_address address;
	struct socket *socket;
	int error;
	auto_file unused_ struct file *file = get_socket_file(task, args[0], &socket, &error);

	if (!error)
		error = socket->ops->name(socket, peer, &address);
	return error ? error : copy_out_address(task, &address, args[1], args[2]);
}

int64_t sys_getsockname(struct task *task, const uint64_t args[6])
{
	return get_name(task, args, false);
}

int64_t sys_getpeername(struct task *task, const uint64_t args[6])
{
	return get_name(task, args, true);
}

int64_t sys_shutdown(struct task *task, const uint64_t args[6])
{
	int how = (int)args[1], error;
	struct socket *socket;
	auto_file unused_ struct file *file = get_socket_file(task, args[0], &socket, &error);

	if (error)
		return error;
	if (how < LINUX_SHUT_RD || how > LINUX_SHUT_RDWR)
		return -EINVAL;
	return socket->ops->shutdown(socket, how);
}

int64_t sys_setsockopt(struct task *task, const uint64_t args[6])
{
	_Alignas(8) uint8_t value[SOCKET_OPTION_MAX];
	int32_t size = (int32_t)args[4];
	struct socket *socket;
	int error;
	auto_file unused_ struct file *file = get_socket_file(task, args[0], &socket, &error);

	if (error)
		return error;
	if (size < 0)
		return -EINVAL;
	/* No option that is known needs more; what is longer is cut, as Linux reads only what it
	 * needs. */
	if (size > SOCKET_OPTION_MAX)
		size = SOCKET_OPTION_MAX;
	if (size && mm_copy_in(task->mm, value, args[3], (size_t)size))
		return -EFAULT;
	return socket_set_option(socket, (int)args[1], (int)args[2], value, (uint32_t)size);
}

/* Its sizes count instructions. */
static int64_t get_filter(
	struct task *task, struct socket *socket, gaddr_t address, gaddr_t size_address, uint32_t count)
{
	int error = socket_filter_get(socket, address, &count);

	return error ? error : mm_copy_out(task->mm, size_address, &count, sizeof(count));
}

int64_t sys_getsockopt(struct task *task, const uint64_t args[6])
{
	_Alignas(8) uint8_t value[SOCKET_OPTION_MAX];
	struct socket *socket;
	uint32_t used;
	int32_t size;
	int error;
	auto_file unused_ struct file *file = get_socket_file(task, args[0], &socket, &error);

	if (error)
		return error;
	if (mm_copy_in(task->mm, &size, args[4], sizeof(size)))
		return -EFAULT;
	if (size < 0)
		return -EINVAL;
	used = (uint32_t)min_u64((uint64_t)size, SOCKET_OPTION_MAX);
	memset(value, 0, used);
	if (args[1] == LINUX_SOL_SOCKET && args[2] == LINUX_SO_GET_FILTER &&
		socket_has_filters(socket))
		return get_filter(task, socket, args[3], args[4], (uint32_t)size);
	error = socket_get_option(socket, (int)args[1], (int)args[2], value, &used);
	/* -ERANGE tells how much is needed. */
	if (error && error != -ERANGE)
		return error;
	if (!error && used && mm_copy_out(task->mm, args[3], value, used))
		return -EFAULT;
	if (mm_copy_out(task->mm, args[4], &used, sizeof(used)))
		return -EFAULT;
	return error;
}
