/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contexts of asynchronous I/O: their making and end, and the reading of events.
 *
 * Differs from Linux: the ring at a context's address says nothing, so that libraries ask the
 * kernel for events instead of reading them there; and a child of fork(2) sees its memory.
 */
#include "sentry/vfs/aio_private.h"

#include "abi/epoll.h"
#include "abi/mman.h"
#include "base/log.h"
#include "sentry/kernel/task.h"
#include "sentry/lock_order.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#define EVENTS_MAX   (0x10000000u / sizeof(struct linux_io_event))
#define RING_HEADER  32
#define EVENTS_LEAST 16 /* Linux has some for each processor */

REFCOUNT_TYPE(aio_context_refs, "aio_context");

RB_HEAD(aio_contexts, aio_context);

/* Of one mm. */
struct aio_table {
	struct mm_attachment attachment;
	struct mutex lock; /* RANK_PIPE - 1: of the tree */
	struct aio_contexts contexts;
};

static atomic_uint_least64_t g_requests, g_requests_max = 65536;

static int compare_contexts(const struct aio_context *a, const struct aio_context *b)
{
	return a->id < b->id ? -1 : a->id > b->id;
}

RB_GENERATE_INTERNAL(aio_contexts, aio_context, node, compare_contexts, unused_ static)

uint64_t aio_requests(void)
{
	return atomic_load(&g_requests);
}

uint64_t aio_requests_max(void)
{
	return atomic_load(&g_requests_max);
}

void aio_set_requests_max(uint64_t most)
{
	atomic_store(&g_requests_max, most);
}

/* --- life --- */

void aio_context_put(struct aio_context *context)
{
	if (!refcount_put(&context->refs))
		return;
	wait_queue_destroy(&context->readers);
	mutex_destroy(&context->lock);
	free(context);
}

/* Nobody finds it any more: what is in it goes. */
static void context_kill(struct aio_context *context)
{
	struct aio_request *request;

	mutex_lock(&context->lock);
	context->dead = true;
	while ((request = TAILQ_FIRST(&context->polls))) {
		TAILQ_REMOVE(&context->polls, request, link);
		request->pending = false;
		mutex_unlock(&context->lock);
		aio_request_stop(request);
		aio_request_free(request);
		mutex_lock(&context->lock);
	}
	while ((request = TAILQ_FIRST(&context->events))) {
		TAILQ_REMOVE(&context->events, request, link);
		mutex_unlock(&context->lock);
		aio_request_free(request);
		mutex_lock(&context->lock);
	}
	mutex_unlock(&context->lock);
	wait_queue_wake(&context->readers, LINUX_EPOLLIN);
	atomic_fetch_sub(&g_requests, context->wanted);
	aio_context_put(context);
}

static void table_release(struct mm_attachment *attachment)
{
	struct aio_table *table = container_of(attachment, struct aio_table, attachment);
	struct aio_context *context;

	while ((context = RB_ROOT(&table->contexts))) {
		RB_REMOVE(aio_contexts, &table->contexts, context);
		context_kill(context);
	}
	mutex_destroy(&table->lock);
	free(table);
}

static struct aio_table *table_of(struct mm *mm)
{
	struct mm_attachment *attachment = atomic_load(mm_aio(mm));

	return attachment ? container_of(attachment, struct aio_table, attachment) : NULL;
}

static struct aio_table *table_make(struct mm *mm)
{
	struct aio_table *table = table_of(mm);
	struct mm_attachment *other = NULL;

	if (table)
		return table;
	table = calloc(1, sizeof(*table));
	if (!table)
		return NULL;
	table->attachment.release = table_release;
	mutex_init(&table->lock, RANK_PIPE - 1, "aio contexts");
	RB_INIT(&table->contexts);
	/* Another thread may have been faster. */
	if (atomic_compare_exchange_strong(mm_aio(mm), &other, &table->attachment))
		return table;
	mutex_destroy(&table->lock);
	free(table);
	return container_of(other, struct aio_table, attachment);
}

static struct aio_context *make_context(uint32_t wanted)
{
	struct aio_context *context = calloc(1, sizeof(*context));
	uint64_t events = (max_u64(wanted, EVENTS_LEAST / 2) * 2) + 2;

	if (!context)
		return NULL;
	context->wanted = wanted;
	context->ring_size = page_ceil(RING_HEADER + events * sizeof(struct linux_io_event));
	context->capacity =
		(uint32_t)((context->ring_size - RING_HEADER) / sizeof(struct linux_io_event)) - 1;
	refcount_init(&context->refs, &aio_context_refs);
	mutex_init(&context->lock, RANK_PIPE, "aio context");
	wait_queue_init(&context->readers);
	TAILQ_INIT(&context->polls);
	TAILQ_INIT(&context->events);
	return context;
}

/* The memory that a context's address leads to. */
static int map_ring(struct task *task, struct aio_context *context)
{
	const struct mmap_request request = {
		.length = context->ring_size,
		.protection = LINUX_PROT_READ | LINUX_PROT_WRITE,
		.flags = LINUX_MAP_PRIVATE | LINUX_MAP_ANONYMOUS,
		.name = "/[aio] (deleted)",
	};

	return mm_mmap(task->mm, &request, &context->id);
}

static int create_charged(struct task *task, uint32_t events, gaddr_t *id)
{
	struct aio_table *table = table_make(task->mm);
	struct aio_context *context = table ? make_context(events) : NULL;
	int error;

	if (!context)
		return -ENOMEM;
	error = map_ring(task, context);
	if (error) {
		aio_context_put(context);
		return error;
	}
	*id = context->id;
	mutex_guard(&table->lock);
	if (RB_INSERT(aio_contexts, &table->contexts, context)) {
		/* The guest unmapped another one's ring: its place is in use nevertheless. */
		aio_context_put(context);
		return -ENOMEM;
	}
	return 0;
}

int aio_context_create(struct task *task, uint32_t events, gaddr_t *id)
{
	int error;

	if (events > EVENTS_MAX / 2)
		return -EINVAL;
	if (atomic_fetch_add(&g_requests, events) + events > atomic_load(&g_requests_max))
		error = -EAGAIN;
	else
		error = create_charged(task, events, id);
	if (error)
		atomic_fetch_sub(&g_requests, events);
	return error;
}

/* A reference, or NULL. */
static struct aio_context *context_get(struct task *task, gaddr_t id)
{
	struct aio_table *table = table_of(task->mm);
	struct aio_context key = {.id = id}, *context;

	if (!table)
		return NULL;
	mutex_guard(&table->lock);
	context = RB_FIND(aio_contexts, &table->contexts, &key);
	if (context)
		refcount_get(&context->refs);
	return context;
}

static void context_put_pointer(struct aio_context **context)
{
	if (*context)
		aio_context_put(*context);
}
#define auto_context cleanup_(context_put_pointer)

int aio_context_destroy(struct task *task, gaddr_t id)
{
	struct aio_table *table = table_of(task->mm);
	struct aio_context key = {.id = id}, *context;
	uint64_t ring_size;

	if (!table)
		return -EINVAL;
	mutex_lock(&table->lock);
	context = RB_FIND(aio_contexts, &table->contexts, &key);
	if (context)
		RB_REMOVE(aio_contexts, &table->contexts, context);
	mutex_unlock(&table->lock);
	if (!context)
		return -EINVAL;
	ring_size = context->ring_size;
	context_kill(context);
	if (mm_munmap(task->mm, id, ring_size))
		log_debug("io_destroy: the ring stays mapped");
	return 0;
}

/* --- requests --- */

int64_t aio_capacity(struct task *task, gaddr_t id)
{
	auto_context struct aio_context *context = context_get(task, id);

	return context ? (int64_t)context->capacity + 1 : -EINVAL;
}

static bool take_place(struct aio_context *context)
{
	mutex_guard(&context->lock);
	if (context->dead || context->used >= context->capacity)
		return false;
	context->used++;
	return true;
}

static void give_place_back(struct aio_context *context)
{
	mutex_guard(&context->lock);
	context->used--;
}

int aio_submit(struct task *task, gaddr_t id, const struct linux_iocb *iocb, gaddr_t address)
{
	auto_context struct aio_context *context = context_get(task, id);
	struct aio_request *request;
	int error;

	if (!context)
		return -EINVAL;
	if (!take_place(context))
		return -EAGAIN;
	request = calloc(1, sizeof(*request));
	if (!request) {
		give_place_back(context);
		return -EAGAIN;
	}
	refcount_get(&context->refs);
	request->context = context;
	request->event.data = iocb->aio_data;
	request->event.obj = address;
	error = aio_request_start(request, task, iocb);
	if (error) {
		give_place_back(context);
		aio_request_free(request);
	}
	return error;
}

int aio_cancel(struct task *task, gaddr_t id, gaddr_t address)
{
	auto_context struct aio_context *context = context_get(task, id);
	struct aio_request *request;

	if (!context)
		return -EINVAL;
	mutex_lock(&context->lock);
	TAILQ_FOREACH (request, &context->polls, link)
		if (request->event.obj == address)
			break;
	if (request) {
		TAILQ_REMOVE(&context->polls, request, link);
		request->pending = false;
	}
	mutex_unlock(&context->lock);
	if (!request)
		return -EINVAL;
	aio_request_stop(request);
	aio_request_complete(request, 0);
	return -EINPROGRESS;
}

/* --- events --- */

static struct aio_request *take_event(struct aio_context *context)
{
	struct aio_request *request;

	mutex_guard(&context->lock);
	request = TAILQ_FIRST(&context->events);
	if (request) {
		TAILQ_REMOVE(&context->events, request, link);
		context->used--;
	}
	return request;
}

/* Copies what there is, up to most; adds to *count. */
static int copy_events(struct task *task, struct aio_context *context, int64_t most, gaddr_t events,
	int64_t *count)
{
	while (*count < most) {
		struct aio_request *request = take_event(context);
		gaddr_t where = events + (uint64_t)*count * sizeof(request->event);
		int error;

		if (!request)
			break;
		error = mm_copy_out(task->mm, where, &request->event, sizeof(request->event));
		aio_request_free(request);
		if (error)
			return error;
		++*count;
	}
	return 0;
}

int64_t aio_get_events(struct task *task, gaddr_t id, int64_t least, int64_t most, gaddr_t events,
	int64_t deadline_ns)
{
	auto_context struct aio_context *context = context_get(task, id);
	struct waiter waiter;
	int64_t count = 0;
	int error;

	if (!context || least < 0 || least > most)
		return -EINVAL;
	waiter_init_task(&waiter, task, LINUX_EPOLLIN);
	wait_queue_add(&context->readers, &waiter);
	for (;;) {
		error = copy_events(task, context, most, events, &count);
		if (error || count >= least)
			break;
		if (context->dead) {
			error = -EINVAL;
			break;
		}
		error = deadline_ns == AIO_AT_ONCE ? -ETIMEDOUT : task_block(task, deadline_ns);
		if (error)
			break;
	}
	wait_queue_remove(&waiter);
	if (count || error == -ETIMEDOUT)
		return count;
	return error;
}
