/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asynchronous I/O (io_setup(2), io_submit(2), io_getevents(2)): contexts of an address space, each
 * with the events of what was carried out.
 *
 * Reads, writes and syncs are done when they are submitted, as Linux does them without O_DIRECT;
 * only polls are pending for longer.
 */
#pragma once

#include "abi/uio.h"
#include "base/compiler.h"
#include "sentry/mm/mm.h"

#include <stdint.h>

struct task;

/* id: the address of a mapping made for it. -EAGAIN past fs.aio-max-nr, -EINVAL. */
must_check int aio_context_create(struct task *task, uint32_t events, gaddr_t *id);
/* Pending polls are forgotten. -EINVAL: no such context. */
must_check int aio_context_destroy(struct task *task, gaddr_t id);
/* One request; address: where the guest has it. 0 when its event comes, or has come. */
must_check int aio_submit(
	struct task *task, gaddr_t id, const struct linux_iocb *iocb, gaddr_t address);
/* How many requests one io_submit(2) takes; -EINVAL: no such context. */
must_check int64_t aio_capacity(struct task *task, gaddr_t id);
/* Waits for least events and copies at most most of them out: how many. -EINVAL, -EFAULT,
 * -ERESTARTSYS if there is none. deadline_ns: CLOCK_MONOTONIC, INT64_MAX, or AIO_AT_ONCE. */
#define AIO_AT_ONCE INT64_MIN
must_check int64_t aio_get_events(struct task *task, gaddr_t id, int64_t least, int64_t most,
	gaddr_t events, int64_t deadline_ns);
/* -EINPROGRESS: its event comes. -EINVAL: there is no such request pending. */
must_check int aio_cancel(struct task *task, gaddr_t id, gaddr_t address);

/* fs.aio-nr and fs.aio-max-nr. */
uint64_t aio_requests(void);
uint64_t aio_requests_max(void);
void aio_set_requests_max(uint64_t most);
