/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reactor: one host thread that waits on host descriptors with epoll and wakes wait queues.
 *
 * Registration is edge-triggered for all events at once: after an attempt gave -EAGAIN, the queue
 * is woken when the host says that something changed.
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
	uint64_t id;		  /* the reactor's own, as the next */
	RB_ENTRY(host_poll_source) link;
};

must_check int host_poll_start(void);
/* -EPERM for descriptors that are always ready (regular files). */
must_check int host_poll_add(struct host_poll_source *source);
/* When it returns, neither callback nor wake-up is under way (not to be called from the callback
 * itself). */
void host_poll_remove(struct host_poll_source *source);
