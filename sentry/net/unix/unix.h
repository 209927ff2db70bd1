/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sentry/net/unix/ - AF_UNIX sockets (unix(7)): stream, datagram and seqpacket.
 *
 * A socket's queue holds messages; each holds a reference to its sender, whose send buffer it is
 * charged to until it is read. Data is copied outside of all locks on the way in, under the
 * receiver's lock on the way out.
 *
 * Locks, all RANK_PIPE, taken in this order: names_lock (who is bound to what), gc_lock (which
 * sockets are in flight), then sockets' own locks, lower address first.
 */
#pragma once

#include "base/compiler.h"
#include "base/refcount.h"
#include "sentry/net/socket.h"
#include "sentry/vfs/path.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

struct cred;
struct landlock_domain;
struct text_writer;

enum unix_state { UNIX_CLOSED, UNIX_LISTENING, UNIX_CONNECTED };
enum unix_shutdown { UNIX_SHUT_RECEIVE = 1, UNIX_SHUT_SEND = 2, UNIX_SHUT_BOTH = 3 };

#define UNIX_DATAGRAM_BACKLOG 10 /* net.unix.max_dgram_qlen */

struct unix_name {
	struct refcount refs;
	RB_ENTRY(unix_name) node;   /* names_lock; abstract names only */
	struct unix_socket *socket; /* names_lock: who is bound; NULL once it is gone */
	struct net_namespace *net;  /* of an abstract name; compared only */
	int type;
	bool abstract;
	uint32_t size; /* of the address */
	struct linux_sockaddr_un address;
};

/* What goes along with a message. */
struct unix_scm {
	struct pid *pid; /* a reference; NULL: no credentials */
	uint32_t uid, gid;
	struct socket_files *files; /* counted by unix_inflight_add() */
};

struct unix_message {
	TAILQ_ENTRY(unix_message) link;
	struct unix_socket *sender; /* a reference */
	size_t size, offset;
	int charge;	 /* to the sender's send buffer */
	int64_t time_ns; /* a datagram's, of the wall clock; 0: not asked for yet */
	struct unix_scm scm;
	uint8_t data[];
};
TAILQ_HEAD(unix_queue, unix_message);

/* A socket that waits for room in another. */
struct unix_blocked {
	LIST_ENTRY(unix_blocked) link;
	struct unix_socket *sender; /* a reference */
};
LIST_HEAD(unix_blocked_list, unix_blocked);

struct unix_socket {
	struct socket socket; /* its lock guards what follows, if nothing else is said */
	struct refcount refs;
	LIST_ENTRY(unix_socket) all_link; /* names_lock: for /proc/net/unix */
	_Atomic(enum unix_state) state;	  /* written with the lock */
	atomic_uint shutdown;		  /* likewise */
	bool dead;			  /* its file is gone */
	/* A reference. Streams and seqpackets: set once by connect or pair, until the release. */
	struct unix_socket *_Atomic peer;
	struct unix_name *_Atomic name; /* a reference; set once by bind */
	struct path path;		/* set once with name, of a path; references */
	struct unix_queue queue;
	unsigned int queued;
	int peek_offset;	/* SO_PEEK_OFF; -1: none */
	atomic_int send_charge; /* bytes of messages of ours that nobody has read yet */
	/* Listening: connections that wait for accept, each a reference. */
	TAILQ_HEAD(, unix_socket) backlog;
	unsigned int backlog_used, backlog_max;
	TAILQ_ENTRY(unix_socket) backlog_link; /* the listener's lock */
	struct unix_blocked_list
		blocked; /* who wants to hear when there is room in queue or backlog */
	/* SO_PEERCRED: set by connect, listen and pair; references. */
	struct pid *peer_pid;
	const struct cred *peer_cred;
	struct landlock_domain *landlock; /* of who made it; set once; a reference or NULL */
	/* gc_lock */
	unsigned int inflight;
	LIST_ENTRY(unix_socket) inflight_link;
	TAILQ_ENTRY(unix_socket) gc_link;
	unsigned int gc_count;
	bool gc_candidate;
};

static inline struct unix_socket *unix_of(struct socket *socket)
{
	return container_of(socket, struct unix_socket, socket);
}

/* --- unix_socket.c: life, names of both ends, options --- */
extern const struct socket_operations unix_stream_operations, unix_datagram_operations,
	unix_seqpacket_operations;
must_check int unix_new(int type, struct unix_socket **out);
struct unix_socket *unix_get(struct unix_socket *unix_socket);
void unix_put(struct unix_socket *unix_socket);
/* The end of a socket: tells the peer, empties the queues, drops the reference. embryo: it was
 * never accepted. */
void unix_close(struct unix_socket *unix_socket, bool embryo);
struct unix_socket *unix_peer_get(struct unix_socket *unix_socket); /* a reference or NULL */
/* After bytes were peeked at, or read: where the next look begins (SO_PEEK_OFF). lock held. */
void unix_move_peek_offset(struct unix_socket *unix_socket, bool peek, size_t size);
void unix_lock_pair(struct unix_socket *a, struct unix_socket *b);
void unix_unlock_pair(struct unix_socket *a, struct unix_socket *b);
/* The current task's identity as what the peer shall see. lock held. */
void unix_set_peer_cred(struct unix_socket *unix_socket, struct pid *pid, const struct cred *cred);
/* May the current task, by Landlock, connect or send to another socket? -EPERM. */
must_check int unix_check_scope(const struct unix_socket *other);
bool unix_may_write(struct unix_socket *unix_socket);
bool file_is_unix(const struct file *file);

/* Notes, with other's lock held, that a sender waits for room there: -EAGAIN, or -ENOBUFS. */
must_check int unix_block_on_locked(struct unix_socket *sender, struct unix_socket *other);
/* Takes all that wait out of a socket, with its lock held, to be woken when it is dropped. */
void unix_take_blocked_locked(struct unix_socket *unix_socket, struct unix_blocked_list *list);
void unix_wake_blocked(struct unix_blocked_list *list);

/* --- unix_name.c --- */
must_check int unix_bind(struct socket *socket, const struct socket_address *address);
must_check int unix_autobind(struct unix_socket *unix_socket);
/* Whoever is bound to an address and has this type; a reference. -ECONNREFUSED, -EPROTOTYPE, errors
 * of the path. */
must_check int unix_find(const struct socket_address *address, int type, struct unix_socket **out);
struct unix_name *unix_name_get(struct unix_name *name);
void unix_name_put(struct unix_name *name);
void unix_name_copy(const struct unix_socket *unix_socket, struct socket_address *address);
/* As recvmsg(2) tells it: nothing, not even a family, of a sender without a name. */
void unix_name_copy_sender(const struct unix_socket *sender, struct socket_address *address);
void unix_names_add(struct unix_socket *unix_socket);	 /* to the list of all */
void unix_names_remove(struct unix_socket *unix_socket); /* from it, and from its name */
/* Calls look for each socket of a namespace until it says false. names_lock is held: it may take a
 * socket's own lock. */
void unix_each(struct net_namespace *net,
	bool (*look)(struct unix_socket *unix_socket, void *argument), void *argument);
/* The text of /proc/net/unix. */
void unix_show(struct net_namespace *net, struct text_writer *out);

/* --- unix_connect.c --- */
must_check int unix_stream_connect(
	struct socket *socket, const struct socket_address *address, bool first, bool no_wait);
must_check int unix_datagram_connect(
	struct socket *socket, const struct socket_address *address, bool first, bool no_wait);
must_check int unix_listen(struct socket *socket, int backlog);
must_check int unix_accept(struct socket *socket, struct socket **out);
must_check int unix_pair(struct socket *a, struct socket *b);

/* --- unix_message.c --- */
/* A message of size bytes from the iterator, charged to sender. -EAGAIN: the send buffer is full;
 * -ENOBUFS, -EFAULT. */
must_check int unix_message_new(
	struct unix_socket *sender, struct iov_iter *from, size_t size, struct unix_message **out);
/* Gives the charge back and tells the sender; puts files. No lock held. */
void unix_message_free(struct unix_message *message);
void unix_queue_free(struct unix_queue *queue);
/* Credentials of the sender, if either side wants them. */
void unix_message_add_cred(struct unix_message *message, const struct unix_socket *receiver);

/* --- unix_stream.c, unix_datagram.c --- */
must_check int64_t unix_stream_send(struct socket *socket, struct socket_message *message);
must_check int64_t unix_stream_receive(struct socket *socket, struct socket_message *message);
must_check int64_t unix_datagram_send(struct socket *socket, struct socket_message *message);
must_check int64_t unix_datagram_receive(struct socket *socket, struct socket_message *message);
must_check int64_t unix_seqpacket_send(struct socket *socket, struct socket_message *message);
must_check int64_t unix_seqpacket_receive(struct socket *socket, struct socket_message *message);

/* --- unix_scm.c --- */
/* Takes the control messages of a send apart, once a call: message->private becomes a struct
 * unix_scm, its files in flight. */
must_check int unix_scm_prepare(struct socket_message *message);
void unix_scm_done(struct socket_message *message);
/* Moves what was prepared into the message that goes out. */
void unix_scm_attach(struct socket_message *from, struct unix_message *to);
void unix_scm_destroy(struct unix_scm *scm);
/* May bytes of this message follow those that were received so far? Notes the sender, and tells of
 * it. */
must_check bool unix_scm_receive_cred(struct unix_socket *receiver, struct socket_message *out,
	const struct unix_message *message);
/* Hands the files of a message over (peek: references of their own). -ENOMEM. */
must_check int unix_scm_receive_files(
	struct socket_message *out, struct unix_message *message, bool peek);
/* After the receiver's lock was dropped: the files that came, if any, are in flight no more. */
void unix_scm_received(struct socket_message *out);

/* --- unix_gc.c --- */
/* Counts files that are about to be queued; -ETOOMANYREFS. */
must_check int unix_inflight_add(struct socket_files *files);
void unix_inflight_remove(struct socket_files *files);
/* A reader got references from a queue: no collection that began before goes on to free them. */
void unix_gc_barrier(void);
/* Frees sockets that only sit in each other's queues. No lock held. */
void unix_gc(void);
