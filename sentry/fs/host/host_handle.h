/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache of host descriptors. A handle is a place for one, embedded in who uses it; while nobody
 * does, the descriptor may be closed to make room and must be opened again.
 */
#pragma once

#include "base/compiler.h"

#include <bsd/sys/queue.h>
#include <stdatomic.h>
#include <stdbool.h>

struct host_handle {
	atomic_int users;	       /* HANDLE_CLOSED, or how many rely on fd now */
	int fd;			       /* stays while there are users */
	atomic_bool referenced;	       /* used since the clock's hand came by */
	TAILQ_ENTRY(host_handle) link; /* the cache's lock */
};

#define HANDLE_CLOSED (-1)

void host_handle_init(struct host_handle *handle);
/* Nobody uses it any more. */
void host_handle_destroy(struct host_handle *handle);
/* The descriptor, good until host_handle_release(); -1 when it is not open. */
int host_handle_acquire(struct host_handle *handle);
void host_handle_release(struct host_handle *handle);
/* Puts a descriptor in and acquires it. If another thread was faster, fd is closed and that one's
 * returned. */
int host_handle_install(struct host_handle *handle, int fd);
/* After EMFILE: closes all that nobody uses. False when that was nothing. */
must_check bool host_handle_shrink(void);
/* Closes the descriptor if nobody uses it: the file is gone, or was replaced. */
void host_handle_forget(struct host_handle *handle);
