/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which CPU a guest thread runs on: its host thread and its stub thread share one, since handing
 * over between CPUs costs ten times as much as on one. Load is spread by moving both together.
 *
 * A context starts where the host thread that made its own was, which for a child of a fork is
 * right as long as the parent waits. When its CPU has stayed crowded for a while and another one is
 * idle, it moves by itself on its way into the guest, or is moved by the balancer if it never comes
 * by there.
 */
#pragma once

#include "base/lock.h"

#include <bsd/sys/queue.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct ptrace_context;

struct placement {
	LIST_ENTRY(placement) all; /* the list's lock */
	struct mutex lock;
	pid_t host_tid; /* lock: the owner, 0 while it is no load and nobody's */
	atomic_int cpu; /* written with lock: an index of the allowed CPUs, -1: none yet */
	bool busy;	/* lock: counted as load of its CPU */
	atomic_uint
		switches;   /* counted by the owner, so that the balancer sees who never returns */
	atomic_uint blocks; /* counted by the owner, so that the balancer sees who never sleeps */
	uint64_t crowded_since; /* owner: when it first saw its CPU crowded and another one idle */
	uint64_t settled_until; /* lock: not to be moved again before */
	struct {
		unsigned int switches, blocks;
		uint64_t time, cpu_time;
		unsigned int starved;
	} seen; /* the list's lock: at the balancer's last look; starved: looks in a row */
};

/* Reads which CPUs the process may use; with one, all of this does nothing. */
void placement_init(void);
void placement_new(struct placement *placement);
void placement_free(struct placement *placement);
/* The CPU for the calling host thread, which becomes the owner, and for its stub thread; -1: any.
 */
int placement_choose(struct placement *placement);
/* The CPU that the calling thread is on now; -1: any. */
int placement_here(void);
/* Before guest code runs: moves the context if another CPU is better, and the stub thread after it.
 */
void placement_enter(struct ptrace_context *context);
/* The context is about to give its stub thread back, and is no load until it takes one again. */
void placement_leave(struct placement *placement);
/* Pins a stub thread, unless it is there already. */
void placement_pin_stub(pid_t tid, atomic_int *have, int cpu);

void placement_block_begin(struct placement *placement);
void placement_block_end(struct placement *placement);
void placement_wake_near(struct placement *placement);
