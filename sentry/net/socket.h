/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sentry/net/ - sockets: the layer that all families share.
 *
 * A family implements attempts: none of its operations waits; -EAGAIN means that the socket's wait
 * queue will tell. What blocks, the time limits of SO_RCVTIMEO and SO_SNDTIMEO, SIGPIPE, and the
 * copying of names and control messages are here.
 *
 * Locks: socket->lock (RANK_PIPE) guards a socket's state; two are locked lower address first.
 * net/unix/ adds locks of its own above that, see there.
 */
#pragma once

#include "abi/inet.h"
#include "abi/netlink.h"
#include "abi/packet.h"
#include "abi/socket.h"
#include "base/compiler.h"
#include "base/lock.h"
#include "sentry/kernel/wait_queue.h"
#include "sentry/mm/iov_iter.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct file;
struct inode_operations;
struct net_namespace;
struct pid;
struct socket;
struct task;

struct socket_address {
	union {
		uint16_t family;
		struct linux_sockaddr_un un;
		struct linux_sockaddr_in in;
		struct linux_sockaddr_in6 in6;
		struct linux_sockaddr_nl nl;
		struct linux_sockaddr_ll ll;
		struct linux_sockaddr_storage storage;
	};
	uint32_t size; /* bytes in use; 0: none */
};

/* Control messages are bounded as net.core.optmem_max does. */
#define SOCKET_CONTROL_MAX 20480

/* Files on their way from one process to another: references. At most LINUX_SCM_MAX_FD. */
struct socket_files {
	struct socket_files *next; /* while they wait to be put */
	unsigned int count;
	struct file *file[];
};

/*
 * One send or receive, over all its attempts.
 */
struct socket_message {
	struct iov_iter *iter;
	uint32_t flags;		    /* LINUX_MSG_* as the call gave them */
	bool no_wait;		    /* MSG_DONTWAIT or O_NONBLOCK */
	size_t done;		    /* bytes moved by earlier attempts: streams only */
	struct socket_address name; /* send: where to, size 0: the peer. Receive: filled */
	bool wants_name;	    /* receive */

	/* Send: a copy of what the guest passed. Receive: room for control_size bytes, control_used
	 * filled. */
	uint8_t *control;
	size_t control_size, control_used;
	uint32_t out_flags; /* receive: MSG_TRUNC, MSG_CTRUNC, MSG_EOR, MSG_OOB */
	struct socket_files
		*files; /* receive: the message's own; installed as descriptors at the end */
	struct {
		bool known;
		const struct pid *pid;
		uint32_t uid, gid;
	} sender; /* receive: whom the bytes so far came from, while credentials are passed */
	struct pid *pidfd_of; /* receive: whom SCM_PIDFD tells of; a reference, as the files */
	void *private;	      /* the family's own between attempts; freed by its message_done */
};

struct socket_operations {
	int (*bind)(struct socket *socket, const struct socket_address *address);
	/* first: the first attempt of this call. -EAGAIN: wait for EPOLLOUT. -EINPROGRESS when
	 * message is not to wait. */
	int (*connect)(struct socket *socket, const struct socket_address *address, bool first,
		bool no_wait);
	int (*listen)(struct socket *socket, int backlog);
	int (*accept)(struct socket *socket, struct socket **out);
	int (*name)(struct socket *socket, bool peer, struct socket_address *address);
	/* Makes two fresh sockets each other's peers. */
	int (*pair)(struct socket *a, struct socket *b);
	/* Bytes of the whole call so far (message->done included) or an error; -EAGAIN: wait, and
	 * call again. */
	int64_t (*send)(struct socket *socket, struct socket_message *message);
	int64_t (*receive)(struct socket *socket, struct socket_message *message);
	/* Releases message->private; NULL if there never is one. */
	void (*message_done)(struct socket_message *message);
	int (*shutdown)(struct socket *socket, int how);
	/* Options that the common layer does not know. value is a copy; -ENOPROTOOPT. */
	int (*set_option)(
		struct socket *socket, int level, int name, const void *value, uint32_t size);
	/* *size: room on the way in (at most SOCKET_OPTION_MAX), what there is on the way out. */
	int (*get_option)(struct socket *socket, int level, int name, void *value, uint32_t *size);
	uint32_t (*poll)(struct socket *socket);
	/* Called before a wait; NULL: &socket->queue. */
	struct wait_queue *(*wait_queue)(struct socket *socket);
	int64_t (*ioctl)(
		struct socket *socket, struct task *task, uint32_t command, uint64_t argument);
	/* The file is gone: drops the file's hold on the socket. */
	void (*release)(struct socket *socket);
};

#define SOCKET_OPTION_MAX 1024

/* Bits of socket->options: the on-off options that cost nothing to remember. */
enum socket_option_bits {
	SOCKET_PASSCRED = 1,
	SOCKET_PASSPIDFD = 2,
	SOCKET_PASS_SENDER = 3, /* either */
	SOCKET_REUSEADDR = 4,
	SOCKET_REUSEPORT = 8,
	SOCKET_KEEPALIVE = 16,
	SOCKET_BROADCAST = 32,
	SOCKET_OOBINLINE = 64,
	SOCKET_DONTROUTE = 128,
	SOCKET_TIMESTAMP = 256,
	SOCKET_PASSSEC = 512,
	SOCKET_DEBUG = 1024,
	SOCKET_TIMESTAMPNS = 2048, /* in nanoseconds; never without SOCKET_TIMESTAMP */
	SOCKET_TIMESTAMP_NEW = 4096,
};

/* The part that every family's socket begins with. */
struct socket {
	const struct socket_operations *ops; /* set once, as the next four */
	int family, type, protocol;
	struct net_namespace *net; /* a reference; may be NULL */
	struct file *_Atomic file; /* no reference; NULL until it has one */
	_Atomic uint64_t ino;	   /* of that file; 0 until then */
	struct mutex lock;
	struct wait_queue queue;
	atomic_uint options; /* enum socket_option_bits */
	atomic_int error;    /* SO_ERROR, positive; cleared by reading */
	_Atomic int64_t receive_timeout_ns, send_timeout_ns; /* relative; FILE_FOREVER */
	atomic_int send_buffer, receive_buffer; /* SO_SNDBUF, SO_RCVBUF as getsockopt shows them */
	atomic_int receive_low;			/* SO_RCVLOWAT */
	atomic_int priority, mark;
	struct linux_linger linger;   /* lock, as the next two */
	struct socket_filter *_Atomic filter; /* socket_filter.c's own; NULL for none */
	bool filter_locked;
};

#define SOCKET_BUFFER_DEFAULT 212992
#define SOCKET_BUFFER_MAX     212992
#define SOCKET_SEND_MIN	      4608
#define SOCKET_RECEIVE_MIN    2304

/* Needs no lock; it may come and go. */
static inline bool socket_has_filter(const struct socket *socket)
{
	return atomic_load_explicit(&socket->filter, memory_order_relaxed) != NULL;
}

/* --- socket.c --- */

void socket_init(struct socket *socket, const struct socket_operations *ops, int family, int type,
	int protocol);
void socket_destroy(struct socket *socket); /* the common part; the family frees the memory */
/* A socket of a family (socket(2)): -EAFNOSUPPORT, -ESOCKTNOSUPPORT, -EPROTONOSUPPORT, -EPERM... */
must_check int socket_create(int family, int type, int protocol, struct socket **out);
/* Wraps it in a file, which owns it from then on; on failure the socket is released. flags:
 * LINUX_O_NONBLOCK. */
must_check int socket_new_file(struct socket *socket, uint32_t flags, struct file **out);
/* The socket behind a file, or NULL. */
struct socket *file_socket(const struct file *file);

/* --- socket_xattr.c --- */
/* What Linux calls its protocol: static. */
const char *socket_protocol_name(const struct socket *socket);
/* inode->private is that name. */
extern const struct inode_operations socket_inode_operations;

/* --- socket.c again --- */
/* SO_ERROR's value, negative, and clears it. */
int socket_take_error(struct socket *socket);
/* Waits as the calls do; file is the socket's. Results as the system calls', -ERESTARTSYS and
 * -EINTR included. */
must_check int64_t socket_send(struct file *file, struct socket_message *message);
must_check int64_t socket_receive(struct file *file, struct socket_message *message);
must_check int socket_connect(struct file *file, const struct socket_address *address);
/* A new file for the next connection; its peer's name goes to *peer when that is not NULL. */
must_check int socket_accept(
	struct file *file, uint32_t flags, struct file **out, struct socket_address *peer);
/* Appends a control message; cut, with MSG_CTRUNC, when it does not fit, as put_cmsg() does. */
void socket_put_control(
	struct socket_message *message, int level, int type, const void *data, size_t size);
/* Goes through control messages of a send: NULL at the end. *error is -EINVAL when one is
 * malformed. */
const struct linux_cmsghdr *socket_next_control(
	const struct socket_message *message, const struct linux_cmsghdr *previous, int *error);

/* Puts the files and frees the list; NULL is fine. Never recurses, however deep files lie in the
 * queues of others. No lock held. */
void socket_files_put(struct socket_files *files);

/* Drops what a receive brought that nobody wants: files and the process of a pidfd. No lock held.
 */
void socket_message_drop(struct socket_message *message);
/* A new descriptor, close-on-exec, that stands for a process. */
must_check int socket_install_pidfd(struct pid *pid);

/* --- socket_option.c --- */

/* With the level and name of the call; value is a copy in the sentry's memory. */
must_check int socket_set_option(
	struct socket *socket, int level, int name, const void *value, uint32_t size);
must_check int socket_get_option(
	struct socket *socket, int level, int name, void *value, uint32_t *size);

/* --- the families --- */

must_check int unix_create(int type, int protocol, struct socket **out);
must_check int inet_create(int family, int type, int protocol, struct socket **out);
must_check int packet_create(int type, int protocol, struct socket **out);
/* Before the jail closes: where raw sockets come from (net/inet/raw_channel.h). fd is ours. */
must_check int inet_raw_prepare(int fd);
must_check int netlink_create(int type, int protocol, struct socket **out);
/* Of the internet families: one that sends echo requests, and has no ports (icmp(7))? */
static inline bool inet_is_ping(const struct socket *socket)
{
	return socket->type == LINUX_SOCK_DGRAM &&
	       (socket->protocol == LINUX_IPPROTO_ICMP ||
		       socket->protocol == LINUX_IPPROTO_ICMPV6);
}
/* Bytes that nobody has read yet, and that the peer has not acknowledged. */
void inet_queues(struct socket *socket, uint32_t *receive, uint32_t *send);

/* --- interface.c: what there is of interfaces: the loopback --- */

/* SIOCGIF...; -ENOTTY for other commands. */
must_check int64_t interface_ioctl(struct task *task, uint32_t command, uint64_t argument);
