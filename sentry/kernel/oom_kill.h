/* SPDX-License-Identifier: Apache-2.0 */
/* Who dies when memory is at its end. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct container;
struct thread_group;

/*
 * Kills the process that Linux's OOM killer would choose, unless one that it chose is still on its
 * way. wanting: the caller's own process, which cannot go on without memory; NULL on a thread of
 * the sentry's. False if that one is it, or nobody is left to choose; true when memory will come
 * (it waited a moment for that). No lock may be held.
 */
bool oom_kill(struct thread_group *wanting);

/* Bytes that the processes of a container have for themselves, and the one that has most: a
 * reference, or NULL. No lock held. */
uint64_t oom_container_usage(struct container *container, struct thread_group **worst);
/* Kills it, and says so where that is asked for. No lock held. */
void oom_kill_process(struct thread_group *group);
