/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reactor: one host thread that waits on host descriptors with epoll and wakes wait queues.
 *
 * Registration is edge-triggered for all events at once: after an attempt gave -EAGAIN, the queue
 * is woken when the host says that something changed. It is not woken for what was so before the
 * registration: who looks afterwards sees that, and an edge-triggered entry of a guest's epoll
 * would be told of it twice.
 */
#pragma once

#include "base/compiler.h"
#include "sentry/kernel/wait_queue.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <stdint.h>

struct host_poll_source {
	int fd;
	struct wait_queue *queue; /* woken with the events; NULL if callback is set */
	void (*callback)(struct host_poll_source *source,
		uint32_t events); /* on the reactor's thread, no lock held */
	/* The reactor's own: */
	uint64_t id;
	RB_ENTRY(host_poll_source) link;
	STAILQ_ENTRY(host_poll_source) event_link;
	uint32_t events; /* not yet told; 0: it is not in the list */
};

must_check int host_poll_start(void);
/* Sources with a callback are told what is so already, too. -EPERM for descriptors that are always
 * ready (regular files). */
must_check int host_poll_add(struct host_poll_source *source);
/* When it returns, neither callback nor wake-up is under way (not to be called from the callback
 * itself). */
void host_poll_remove(struct host_poll_source *source);
