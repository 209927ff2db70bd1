/* SPDX-License-Identifier: Apache-2.0 */
/* The platform's own host threads, and how one sleeps until there is work for it. */
#pragma once

#include "base/compiler.h"

#include <stdatomic.h>

struct service_thread {
	atomic_bool started;
	atomic_uint wanted; /* also the futex */
};

/* Wakes the thread; the first time it is made. Failing to is no error: its work is never necessary.
 */
void service_thread_wake(struct service_thread *service, void *(*run)(void *), void *argument);
/* Sleeps until there was a wake since the last return. */
void service_thread_wait(struct service_thread *service);
