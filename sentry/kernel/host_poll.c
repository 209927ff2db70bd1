/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reactor's thread. A source is known to epoll by a number that is never used again, so an
 * event that was under way when its source was removed finds nothing.
 */
#include "sentry/kernel/host_poll.h"

#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>

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
	pthread_mutex_t lock; /* all below; nothing is called under it */
	pthread_cond_t idle;  /* current changed */
	struct source_tree sources;
	uint64_t last_id;
	struct host_poll_source *current; /* whose event is being told */
} reactor = {
	.epoll = -1,
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.idle = PTHREAD_COND_INITIALIZER,
	.sources = RB_INITIALIZER(&reactor.sources),
};

static struct host_poll_source *begin_event(uint64_t id)
{
	struct host_poll_source key = {.id = id}, *source;

	pthread_mutex_lock(&reactor.lock);
	source = reactor.current = RB_FIND(source_tree, &reactor.sources, &key);
	pthread_mutex_unlock(&reactor.lock);
	return source;
}

static void end_event(void)
{
	pthread_mutex_lock(&reactor.lock);
	reactor.current = NULL;
	pthread_cond_broadcast(&reactor.idle);
	pthread_mutex_unlock(&reactor.lock);
}

/* The host's EPOLL bits are Linux's, so the guest's too. */
static void tell(const struct epoll_event *event)
{
	struct host_poll_source *source = begin_event(event->data.u64);

	if (!source)
		return;
	if (source->callback)
		source->callback(source, event->events);
	else
		wait_queue_wake(source->queue, event->events);
	end_event();
}

static void *reactor_run(void *unused)
{
	struct epoll_event events[EVENTS_AT_ONCE];

	for (;;) {
		int count = epoll_wait(reactor.epoll, events, EVENTS_AT_ONCE, -1);

		panic_if(count < 0 && errno != EINTR, "reactor: epoll_wait: %s", strerror(errno));
		for (int i = 0; i < count; i++)
			tell(&events[i]);
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
	if (reactor.epoll < 0)
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
	int error;

	pthread_mutex_lock(&reactor.lock);
	source->id = event.data.u64 = ++reactor.last_id;
	RB_INSERT(source_tree, &reactor.sources, source);
	pthread_mutex_unlock(&reactor.lock);
	if (!epoll_ctl(reactor.epoll, EPOLL_CTL_ADD, source->fd, &event))
		return 0;
	error = -errno;
	pthread_mutex_lock(&reactor.lock);
	RB_REMOVE(source_tree, &reactor.sources, source);
	pthread_mutex_unlock(&reactor.lock);
	return error;
}

void host_poll_remove(struct host_poll_source *source)
{
	(void)epoll_ctl(reactor.epoll, EPOLL_CTL_DEL, source->fd, NULL);
	pthread_mutex_lock(&reactor.lock);
	RB_REMOVE(source_tree, &reactor.sources, source);
	while (reactor.current == source)
		pthread_cond_wait(&reactor.idle, &reactor.lock);
	pthread_mutex_unlock(&reactor.lock);
}
