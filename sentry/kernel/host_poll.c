/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reactor's thread. A source is known to epoll by a number that is never used again, so an
 * event that was under way when its source was removed finds nothing. Threads that register a
 * source take its first event away themselves.
 */
#include "sentry/kernel/host_poll.h"

#include "base/compiler.h"
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 64
#define STACK_SIZE     (128 * 1024)

static int compare_id(const struct host_poll_source *a, const struct host_poll_source *b)
{
	return a->id < b->id ? -1 : a->id > b->id;
}

RB_HEAD(source_tree, host_poll_source);
RB_GENERATE_INTERNAL(source_tree, host_poll_source, link, compare_id, unused_ static)

static struct {
	int epoll;
	int more;	      /* an eventfd: events have come to the list */
	pthread_mutex_t lock; /* all below; nothing is called under it */
	pthread_cond_t idle;  /* current changed */
	struct source_tree sources;
	STAILQ_HEAD(, host_poll_source) events; /* of the host, not yet told */
	uint64_t last_id;
	struct host_poll_source *current; /* whose event is being told */
} reactor = {
	.epoll = -1,
	.more = -1,
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.idle = PTHREAD_COND_INITIALIZER,
	.sources = RB_INITIALIZER(&reactor.sources),
	.events = STAILQ_HEAD_INITIALIZER(reactor.events),
};

/*
 * Moves the host's events to the list, but for those that the registration of fresh (NULL: none)
 * made. They are moved under the lock alone, so that one cannot be under way elsewhere meanwhile.
 */
static void collect_locked(const struct host_poll_source *fresh)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int count;

	do {
		count = epoll_wait(reactor.epoll, events, EVENTS_AT_ONCE, 0);
		panic_if(count < 0 && errno != EINTR, "reactor: epoll_wait: %s", strerror(errno));
		for (int i = 0; i < count; i++) {
			struct host_poll_source key = {.id = events[i].data.u64}, *source;

			source = RB_FIND(source_tree, &reactor.sources, &key);
			if (!source || source == fresh)
				continue;
			if (!source->events)
				STAILQ_INSERT_TAIL(&reactor.events, source, event_link);
			source->events |= events[i].events;
		}
	} while (count == EVENTS_AT_ONCE || (count < 0 && errno == EINTR));
}

/* The host's EPOLL bits are Linux's, so the guest's too. */
static void tell(struct host_poll_source *source, uint32_t events)
{
	if (source->callback)
		source->callback(source, events);
	else
		wait_queue_wake(source->queue, events);
}

static void tell_all(void)
{
	struct host_poll_source *source;

	pthread_mutex_lock(&reactor.lock);
	collect_locked(NULL);
	while ((source = STAILQ_FIRST(&reactor.events))) {
		uint32_t events = source->events;

		STAILQ_REMOVE_HEAD(&reactor.events, event_link);
		source->events = 0;
		reactor.current = source;
		pthread_mutex_unlock(&reactor.lock);
		tell(source, events);
		pthread_mutex_lock(&reactor.lock);
		reactor.current = NULL;
		pthread_cond_broadcast(&reactor.idle);
	}
	pthread_mutex_unlock(&reactor.lock);
}

static void *reactor_run(void *unused)
{
	struct pollfd ready[] = {
		{.fd = reactor.epoll, .events = POLLIN}, {.fd = reactor.more, .events = POLLIN}};
	uint64_t count;

	for (;;) {
		int result = poll(ready, array_count(ready), -1);

		panic_if(result < 0 && errno != EINTR, "reactor: poll: %s", strerror(errno));
		if (result > 0 && ready[1].revents)
			(void)!read(reactor.more, &count, sizeof(count));
		tell_all();
	}
	return NULL;
}

int host_poll_start(void)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;
	int error;

	reactor.epoll = epoll_create1(EPOLL_CLOEXEC);
	reactor.more = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (reactor.epoll < 0 || reactor.more < 0)
		return -errno;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	/* Signals are for other threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread, &attributes, reactor_run, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -error;
}

int host_poll_add(struct host_poll_source *source)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET,
	};
	int error = 0;

	pthread_mutex_lock(&reactor.lock);
	source->id = event.data.u64 = ++reactor.last_id;
	source->events = 0;
	RB_INSERT(source_tree, &reactor.sources, source);
	if (epoll_ctl(reactor.epoll, EPOLL_CTL_ADD, source->fd, &event)) {
		error = -errno;
		RB_REMOVE(source_tree, &reactor.sources, source);
	} else if (!source->callback) {
		collect_locked(source);
		/* The reactor tells them, since a caller's locks are not to be held then. */
		if (!STAILQ_EMPTY(&reactor.events))
			(void)!write(reactor.more, &(uint64_t){1}, sizeof(uint64_t));
	}
	pthread_mutex_unlock(&reactor.lock);
	return error;
}

void host_poll_remove(struct host_poll_source *source)
{
	(void)epoll_ctl(reactor.epoll, EPOLL_CTL_DEL, source->fd, NULL);
	pthread_mutex_lock(&reactor.lock);
	RB_REMOVE(source_tree, &reactor.sources, source);
	if (source->events)
		STAILQ_REMOVE(&reactor.events, source, host_poll_source, event_link);
	while (reactor.current == source)
		pthread_cond_wait(&reactor.idle, &reactor.lock);
	pthread_mutex_unlock(&reactor.lock);
}
