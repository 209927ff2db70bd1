/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files in flight, and the collection of sockets that are held only by messages in each other's
 * queues.
 *
 * A socket is a candidate when all references to its file are in flight. From these, the references
 * that lie in candidates' own queues are taken off; what is left over comes from outside, and
 * everything that such a socket can reach is alive. The rest is garbage: its messages with files
 * are taken out and freed.
 *
 * Differs from Linux: what may be in flight is bounded for the sandbox as a whole, not for each
 * user. With many in flight garbage may stay until some more sockets have ended.
 */
#include "sentry/net/unix/unix.h"

#include "abi/capability.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/kernel/task.h"
#include "sentry/lock_order.h"
#include "sentry/vfs/file.h"

#include <errno.h>

/* For everybody: each holds a struct file. */
#define UNIX_INFLIGHT_MAX 65536
/* So few in flight are looked at whenever a socket ends. */
#define GC_ALWAYS 256

TAILQ_HEAD(gc_list, unix_socket);

static struct mutex gc_lock;
/* gc_lock: sockets that are in flight. */
static LIST_HEAD(, unix_socket) inflight_sockets = LIST_HEAD_INITIALIZER(inflight_sockets);
static unsigned int inflight_files;
static bool collecting;
static atomic_uint inflight_socket_count;
static atomic_uint ends_since; /* ends of sockets since the last collection */

static void __attribute__((constructor)) unix_gc_start(void)
{
	mutex_init(&gc_lock, RANK_PIPE, "unix gc");
}

static struct unix_socket *file_unix(const struct file *file)
{
	return file_is_unix(file) ? unix_of(file->private) : NULL;
}

int unix_inflight_add(struct socket_files *files)
{
	uint64_t limit = rlimit_current(LINUX_RLIMIT_NOFILE);

	mutex_guard(&gc_lock);
	if (inflight_files + files->count > UNIX_INFLIGHT_MAX)
		return -ETOOMANYREFS;
	if (inflight_files > limit && !capable(LINUX_CAP_SYS_RESOURCE) &&
		!capable(LINUX_CAP_SYS_ADMIN))
		return -ETOOMANYREFS;
	inflight_files += files->count;
	for (unsigned int i = 0; i < files->count; i++) {
		struct unix_socket *unix_socket = file_unix(files->file[i]);

		if (!unix_socket)
			continue;
		atomic_fetch_add(&inflight_socket_count, 1);
		if (unix_socket->inflight++ == 0)
			LIST_INSERT_HEAD(&inflight_sockets, unix_socket, inflight_link);
	}
	return 0;
}

void unix_inflight_remove(struct socket_files *files)
{
	mutex_guard(&gc_lock);
	inflight_files -= files->count;
	for (unsigned int i = 0; i < files->count; i++) {
		struct unix_socket *unix_socket = file_unix(files->file[i]);

		if (!unix_socket)
			continue;
		atomic_fetch_sub(&inflight_socket_count, 1);
		if (--unix_socket->inflight == 0)
			LIST_REMOVE(unix_socket, inflight_link);
	}
}

void unix_gc_barrier(void)
{
	mutex_lock(&gc_lock);
	mutex_unlock(&gc_lock);
}

typedef void gc_visit(struct unix_socket *child, struct gc_list *list);

static void gc_scan_queue(struct unix_socket *unix_socket, gc_visit *visit, struct gc_list *list)
{
	struct unix_message *message;

	TAILQ_FOREACH (message, &unix_socket->queue, link) {
		struct socket_files *files = message->scm.files;

		for (unsigned int i = 0; files && i < files->count; i++) {
			struct unix_socket *child = file_unix(files->file[i]);

			if (child && child->gc_candidate)
				visit(child, list);
		}
	}
}

/* All that lies in the queue of a socket, or in those of the connections that wait to be accepted.
 */
static void gc_scan(struct unix_socket *unix_socket, gc_visit *visit, struct gc_list *list)
{
	struct unix_socket *embryo;

	mutex_lock_nested(&unix_socket->socket.lock);
	gc_scan_queue(unix_socket, visit, list);
	TAILQ_FOREACH (embryo, &unix_socket->backlog, backlog_link) {
		mutex_lock_nested(&embryo->socket.lock);
		gc_scan_queue(embryo, visit, list);
		mutex_unlock(&embryo->socket.lock);
	}
	mutex_unlock(&unix_socket->socket.lock);
}

static void gc_discount(struct unix_socket *child, struct gc_list *list)
{
	child->gc_count--;
}

static void gc_mark_alive(struct unix_socket *child, struct gc_list *alive)
{
	child->gc_candidate = false;
	TAILQ_INSERT_TAIL(alive, child, gc_link);
}

static void gc_steal_queue(struct unix_socket *unix_socket, struct unix_queue *stolen)
{
	struct unix_message *message, *next;

	TAILQ_FOREACH_SAFE (message, &unix_socket->queue, link, next) {
		if (!message->scm.files)
			continue;
		TAILQ_REMOVE(&unix_socket->queue, message, link);
		unix_socket->queued--;
		TAILQ_INSERT_TAIL(stolen, message, link);
	}
}

static void gc_steal(struct unix_socket *unix_socket, struct unix_queue *stolen)
{
	struct unix_socket *embryo;

	mutex_lock_nested(&unix_socket->socket.lock);
	gc_steal_queue(unix_socket, stolen);
	TAILQ_FOREACH (embryo, &unix_socket->backlog, backlog_link) {
		mutex_lock_nested(&embryo->socket.lock);
		gc_steal_queue(embryo, stolen);
		mutex_unlock(&embryo->socket.lock);
	}
	mutex_unlock(&unix_socket->socket.lock);
}

/* Takes the messages out that keep garbage alive. gc_lock held. */
static void gc_collect_locked(struct unix_queue *stolen)
{
	struct gc_list alive = TAILQ_HEAD_INITIALIZER(alive);
	struct unix_socket *unix_socket;

	LIST_FOREACH (unix_socket, &inflight_sockets, inflight_link) {
		struct file *file = unix_socket->socket.file;

		unix_socket->gc_candidate =
			file && refcount_read(&file->refs) == unix_socket->inflight;
		unix_socket->gc_count = unix_socket->inflight;
	}
	LIST_FOREACH (unix_socket, &inflight_sockets, inflight_link)
		if (unix_socket->gc_candidate)
			gc_scan(unix_socket, gc_discount, NULL);
	LIST_FOREACH (unix_socket, &inflight_sockets, inflight_link)
		if (unix_socket->gc_candidate && unix_socket->gc_count)
			gc_mark_alive(unix_socket, &alive);
	while ((unix_socket = TAILQ_FIRST(&alive))) {
		TAILQ_REMOVE(&alive, unix_socket, gc_link);
		gc_scan(unix_socket, gc_mark_alive, &alive);
	}
	LIST_FOREACH (unix_socket, &inflight_sockets, inflight_link) {
		if (unix_socket->gc_candidate)
			gc_steal(unix_socket, stolen);
		unix_socket->gc_candidate = false;
	}
}

void unix_gc(void)
{
	struct unix_queue stolen = TAILQ_HEAD_INITIALIZER(stolen);

	unsigned int count = atomic_load(&inflight_socket_count);

	/* A collection looks at all: with many in flight, not at every socket's end. */
	if (count == 0 || (count > GC_ALWAYS && atomic_fetch_add(&ends_since, 1) < count / 4))
		return;
	atomic_store(&ends_since, 0);
	mutex_lock(&gc_lock);
	/* What our own frees release needs no collection within this one. */
	if (!collecting) {
		collecting = true;
		gc_collect_locked(&stolen);
		collecting = false;
	}
	mutex_unlock(&gc_lock);
	unix_queue_free(&stolen);
}
