/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts and requests, between aio.c and aio_request.c. */
#pragma once

#include "base/lock.h"
#include "base/refcount.h"
#include "sentry/kernel/wait_queue.h"
#include "sentry/time/timer.h"
#include "sentry/vfs/aio.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

struct aio_context;
struct file;

/* From its submission until its event was read. */
struct aio_request {
	TAILQ_ENTRY(aio_request) link; /* in the context's polls or events; its lock */
	struct aio_context *context;   /* a reference */
	struct linux_io_event event;
	struct file *file;    /* a reference, while not complete */
	struct file *eventfd; /* likewise, or NULL */
	uint32_t poll_events; /* LINUX_EPOLL* */
	bool pending;	      /* in polls; the context's lock */
	struct waiter waiter;
	struct ktimer timer; /* runs poll_expire() where locks may be taken */
};

TAILQ_HEAD(aio_request_list, aio_request);

struct aio_context {
	RB_ENTRY(aio_context) node; /* the table's lock */
	gaddr_t id;		    /* set once, as the next three */
	uint32_t wanted;	    /* counts for fs.aio-max-nr */
	uint32_t capacity;
	uint64_t ring_size;
	struct refcount refs;
	struct mutex lock; /* RANK_PIPE */
	uint32_t used;	   /* requests whose events were not read yet */
	bool dead;
	struct aio_request_list polls, events;
	struct wait_queue readers;
};

void aio_context_put(struct aio_context *context);

/* --- aio_request.c --- */
/* Carries the request out, or leaves it pending. An error: it was refused, and is the caller's to
 * free. */
must_check int aio_request_start(
	struct aio_request *request, struct task *task, const struct linux_iocb *iocb);
/* The event of a request that is in no list comes. */
void aio_request_complete(struct aio_request *request, int64_t result);
/* A request that was taken out of polls: nobody completes it any more. No lock held. */
void aio_request_stop(struct aio_request *request);
void aio_request_free(struct aio_request *request);
