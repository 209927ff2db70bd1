/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of unix sockets: abstract ones in a tree, paths in the inode that bind(2) made.
 */
#include "sentry/net/unix/unix.h"

#include "abi/fcntl.h"
#include "abi/limits.h"
#include "abi/stat.h"
#include "base/text_writer.h"
#include "sentry/kernel/task.h"
#include "sentry/lock_order.h"
#include "sentry/net/net_namespace.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_OFFSET offsetof(struct linux_sockaddr_un, sun_path)

REFCOUNT_TYPE(unix_name_refs, "unix_name");

static struct mutex names_lock;
static RB_HEAD(unix_name_tree, unix_name) names = RB_INITIALIZER(&names);
static LIST_HEAD(, unix_socket) all_sockets = LIST_HEAD_INITIALIZER(all_sockets);
static atomic_uint next_automatic;

static void __attribute__((constructor)) unix_names_start(void)
{
	mutex_init(&names_lock, RANK_PIPE, "unix names");
}

/* As in Linux, one abstract name may be bound once by each type. */
static int unix_name_compare(const struct unix_name *a, const struct unix_name *b)
{
	if (a->net != b->net)
		return a->net < b->net ? -1 : 1;
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	return memcmp(&a->address, &b->address, a->size);
}

RB_GENERATE_INTERNAL(unix_name_tree, unix_name, node, unix_name_compare, unused_ static)

struct unix_name *unix_name_get(struct unix_name *name)
{
	if (name)
		refcount_get(&name->refs);
	return name;
}

void unix_name_put(struct unix_name *name)
{
	if (name && refcount_put(&name->refs))
		free(name);
}

void unix_name_copy(const struct unix_socket *unix_socket, struct socket_address *address)
{
	const struct unix_name *name = unix_socket ? unix_socket->name : NULL;

	memset(address, 0, sizeof(*address));
	address->family = LINUX_AF_UNIX;
	address->size = sizeof(address->family);
	if (name) {
		address->un = name->address;
		address->size = name->size;
	}
}

void unix_name_copy_sender(const struct unix_socket *sender, struct socket_address *address)
{
	unix_name_copy(sender, address);
	if (!sender->name)
		address->size = 0;
}

static struct unix_name *unix_name_new(
	struct unix_socket *unix_socket, const void *address, uint32_t size)
{
	struct unix_name *name = calloc(1, sizeof(*name));

	if (!name)
		return NULL;
	refcount_init(&name->refs, &unix_name_refs);
	name->socket = unix_socket;
	name->net = unix_socket->socket.net;
	name->type = unix_socket->socket.type;
	name->size = size;
	memcpy(&name->address, address, size);
	name->address.sun_family = LINUX_AF_UNIX;
	return name;
}

/* Gives the socket its name, which must be free and the socket without one. names_lock held. */
static int unix_take_name_locked(struct unix_socket *unix_socket, struct unix_name *name)
{
	if (unix_socket->name)
		return -EINVAL;
	if (name->abstract && RB_INSERT(unix_name_tree, &names, name))
		return -EADDRINUSE;
	unix_socket->name = name;
	return 0;
}

int unix_autobind(struct unix_socket *unix_socket)
{
	struct linux_sockaddr_un address = {.sun_family = LINUX_AF_UNIX};
	struct unix_name *name;
	int error = -ENOSPC;

	if (unix_socket->name)
		return 0;
	name = unix_name_new(unix_socket, &address, PATH_OFFSET + 6);
	if (!name)
		return -ENOMEM;
	name->abstract = true;
	for (unsigned int tries = 0; tries < 1u << 20; tries++) {
		char digits[8];

		(void)snprintf(digits, sizeof(digits), "%05x",
			atomic_fetch_add(&next_automatic, 1) & 0xfffff);
		memcpy(name->address.sun_path + 1, digits, 5);
		mutex_lock(&names_lock);
		error = unix_take_name_locked(unix_socket, name);
		mutex_unlock(&names_lock);
		if (error != -EADDRINUSE)
			break;
	}
	if (error)
		unix_name_put(name);
	/* Another thread's bind came first: there is a name, which is what was wanted. */
	return error == -EINVAL ? 0 : error;
}

static int unix_bind_abstract(struct unix_socket *unix_socket, const struct socket_address *address)
{
	struct unix_name *name = unix_name_new(unix_socket, &address->un, address->size);
	int error;

	if (!name)
		return -ENOMEM;
	name->abstract = true;
	mutex_lock(&names_lock);
	error = unix_take_name_locked(unix_socket, name);
	mutex_unlock(&names_lock);
	if (error)
		unix_name_put(name);
	return error;
}

/* The path in an address, with a NUL; its length. */
static size_t unix_path(const struct socket_address *address, char path[LINUX_UNIX_PATH_MAX + 1])
{
	size_t size = strnlen(address->un.sun_path, address->size - PATH_OFFSET);

	memcpy(path, address->un.sun_path, size);
	path[size] = '\0';
	return size;
}

static int unix_make_node(const char *name, struct path *out)
{
	char last[LINUX_NAME_MAX + 1];
	auto_path struct path parent = {0};
	bool trailing_slash;
	int error = path_lookup_parent(LINUX_AT_FDCWD, name, 0, &parent, last, &trailing_slash);

	if (error)
		return error;
	if (trailing_slash)
		return -ENOENT;
	error = path_create(&parent, last, LINUX_S_IFSOCK | 0777, 0, out);
	return error == -EEXIST ? -EADDRINUSE : error;
}

static int unix_bind_path(struct unix_socket *unix_socket, const struct socket_address *address)
{
	struct linux_sockaddr_un whole = {.sun_family = LINUX_AF_UNIX};
	char path_text[LINUX_UNIX_PATH_MAX + 1];
	size_t length = unix_path(address, path_text);
	struct unix_name *name;
	struct path path = {0};
	int error;

	if (unix_socket->name)
		return -EINVAL;
	memcpy(whole.sun_path, path_text, min_u64(length + 1, sizeof(whole.sun_path)));
	/* A name of 108 bytes has no NUL in the structure, but counts it, as in Linux. */
	name = unix_name_new(
		unix_socket, &whole, (uint32_t)min_u64(PATH_OFFSET + length + 1, sizeof(whole)));
	if (!name)
		return -ENOMEM;
	error = unix_make_node(path_text, &path);
	if (!error) {
		mutex_lock(&names_lock);
		error = unix_take_name_locked(unix_socket, name);
		if (!error) {
			unix_socket->path = path;
			path_inode(&path)->socket = unix_socket;
		}
		mutex_unlock(&names_lock);
		if (error)
			path_put(&path);
	}
	if (error)
		unix_name_put(name);
	return error;
}

int unix_bind(struct socket *socket, const struct socket_address *address)
{
	struct unix_socket *unix_socket = unix_of(socket);

	if (address->size >= PATH_OFFSET && address->family != LINUX_AF_UNIX)
		return -EINVAL;
	if (address->size == PATH_OFFSET)
		return unix_autobind(unix_socket);
	if (address->size < PATH_OFFSET || address->size > sizeof(address->un))
		return -EINVAL;
	return address->un.sun_path[0] ? unix_bind_path(unix_socket, address)
				       : unix_bind_abstract(unix_socket, address);
}

/* A reference to who is there, unless it is on its way out. names_lock held. */
static struct unix_socket *unix_get_bound_locked(struct unix_socket *unix_socket)
{
	return unix_socket && refcount_get_unless_zero(&unix_socket->refs) ? unix_socket : NULL;
}

static int unix_find_abstract(
	const struct socket_address *address, int type, struct unix_socket **out)
{
	struct unix_name key = {
		.net = net_namespace_current(), .type = type, .size = address->size};
	struct unix_name *name;

	key.address = address->un;
	mutex_guard(&names_lock);
	name = RB_FIND(unix_name_tree, &names, &key);
	*out = name ? unix_get_bound_locked(name->socket) : NULL;
	return *out ? 0 : -ECONNREFUSED;
}

static int unix_find_path(const struct socket_address *address, struct unix_socket **out)
{
	char path_text[LINUX_UNIX_PATH_MAX + 1];
	auto_path struct path path = {0};
	struct inode *inode;
	int error;

	(void)unix_path(address, path_text);
	error = path_lookup(LINUX_AT_FDCWD, path_text, WALK_FOLLOW, &path);
	if (error)
		return error;
	inode = path_inode(&path);
	error = inode_permission(inode, current_cred(), 2);
	if (error)
		return error;
	if (!inode_is_type(inode, LINUX_S_IFSOCK))
		return -ECONNREFUSED;
	mutex_guard(&names_lock);
	*out = unix_get_bound_locked(inode->socket);
	return *out ? 0 : -ECONNREFUSED;
}

int unix_find(const struct socket_address *address, int type, struct unix_socket **out)
{
	int error;

	if (address->size <= PATH_OFFSET || address->size > sizeof(address->un) ||
		address->family != LINUX_AF_UNIX)
		return -EINVAL;
	if (!address->un.sun_path[0])
		return unix_find_abstract(address, type, out);
	error = unix_find_path(address, out);
	if (!error && (*out)->socket.type != type) {
		unix_put(*out);
		error = -EPROTOTYPE;
	}
	return error;
}

void unix_names_add(struct unix_socket *unix_socket)
{
	mutex_guard(&names_lock);
	LIST_INSERT_HEAD(&all_sockets, unix_socket, all_link);
}

void unix_names_remove(struct unix_socket *unix_socket)
{
	struct unix_name *name = unix_socket->name;

	mutex_lock(&names_lock);
	LIST_REMOVE(unix_socket, all_link);
	/* An accepted socket shares its listener's name, but not the binding. */
	if (name && name->socket == unix_socket) {
		name->socket = NULL;
		if (name->abstract)
			RB_REMOVE(unix_name_tree, &names, name);
		else
			path_inode(&unix_socket->path)->socket = NULL;
	}
	mutex_unlock(&names_lock);
}

void unix_each(struct net_namespace *net,
	bool (*look)(struct unix_socket *unix_socket, void *argument), void *argument)
{
	struct unix_socket *unix_socket;

	mutex_guard(&names_lock);
	LIST_FOREACH (unix_socket, &all_sockets, all_link)
		if (unix_socket->socket.net == net && !look(unix_socket, argument))
			return;
}

static void unix_show_one(const struct unix_socket *unix_socket, struct text_writer *out)
{
	const struct unix_name *name = unix_socket->name;
	const struct file *file = unix_socket->socket.file;
	bool connected = unix_socket->state == UNIX_CONNECTED;
	/* SS_UNCONNECTED and SS_CONNECTED; SS_CONNECTING for one that nobody accepted yet. */
	unsigned int state = file ? (connected ? 3 : 1) : 2;

	text_printf(out, "%016x: %08X %08X %08X %04X %02X %5llu", 0,
		refcount_read(&unix_socket->refs), 0u,
		unix_socket->state == UNIX_LISTENING ? 0x10000u : 0u,
		(unsigned int)unix_socket->socket.type, state,
		file ? (unsigned long long)file->inode->attributes.ino : 0ull);
	if (name) {
		size_t size = name->size - PATH_OFFSET;

		text_append(out, " ", 1);
		for (size_t i = 0; i < size - (name->abstract ? 0 : 1); i++)
			text_append(out,
				name->address.sun_path[i] ? &name->address.sun_path[i] : "@", 1);
	}
	text_append(out, "\n", 1);
}

void unix_show(struct net_namespace *net, struct text_writer *out)
{
	const struct unix_socket *unix_socket;

	text_printf(out, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	mutex_guard(&names_lock);
	LIST_FOREACH (unix_socket, &all_sockets, all_link)
		if (unix_socket->socket.net == net)
			unix_show_one(unix_socket, out);
}
