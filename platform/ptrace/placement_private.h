/* SPDX-License-Identifier: Apache-2.0 */
/* What placement and its balancer share. */
#pragma once

#include "platform/ptrace/placement.h"
#include "platform/ptrace/service_thread.h"

#include <sched.h>

#define MICROSECOND 1000ull
#define MILLISECOND (1000 * MICROSECOND)
/* How long one that moved away stays away from its wakers. */
#define SETTLE_TIME (20 * MILLISECOND)

/* Apart, so that CPUs do not fight for the line. */
struct cpu_load {
	_Alignas(64) atomic_int busy;
	int number; /* the host's */
};

LIST_HEAD(placement_list, placement);

struct placement_state {
	int count;
	struct cpu_load cpus[CPU_SETSIZE];
	int index_of[CPU_SETSIZE];
	cpu_set_t allowed;
	atomic_int busy;
	atomic_bool balancing; /* the balancer ticks */
	struct service_thread balancer;
	struct mutex list_lock;
	struct placement_list list; /* list_lock */
};

/* The host has one set of CPUs, so this is the one piece of global state of the platform. */
extern struct placement_state g_placement;

uint64_t placement_now(void);
int placement_load(int cpu);
/* A CPU with none of our contexts busy, from one on; -1: none. */
int placement_find_idle(int from);
/* Moves the load and the host thread; the stub thread is the caller's. */
void placement_move_locked(struct placement *placement, int cpu);

/* balancer.c */
void balancer_wake(void);
