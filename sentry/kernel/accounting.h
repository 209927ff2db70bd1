/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a sandbox used and why it ended, in memory that the command which made it shares: it can be
 * read while the sandbox runs, and is still there when the sentry was killed.
 *
 * The sentry only writes here and never trusts what it reads back; the command trusts nothing in
 * it. All of it counts from the start of the kernel. Without a page (accounting_start() not called)
 * nothing is counted.
 */
#pragma once

#include "base/compiler.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define ACCOUNTING_CALLS     471 /* one for each system call; the last: numbers that there are not */
#define ACCOUNTING_PROCESSES 2048
#define ACCOUNTING_SAMPLES   512
#define ACCOUNTING_FILES     256
#define ACCOUNTING_ADDRESSES 64
#define ACCOUNTING_REFUSED   256
#define ACCOUNTING_FILE_SIZE 160

struct task;
struct thread_group;

enum end_reason {
	END_NONE,
	END_EXIT, /* the first process ended by itself */
	END_TIMEOUT,
	END_CPU_TIME,
	END_MEMORY,
	END_OUTPUT,
};

struct accounting_call {
	_Atomic uint64_t count, errors, refused,
		missing;		       /* refused: EPERM, EACCES; missing: ENOSYS */
	_Atomic uint64_t total_ns, longest_ns; /* waiting included */
};

struct accounting_process {
	int32_t pid, parent;
	int64_t start_ns, end_ns; /* since the start; end 0: lives */
	uint64_t cpu_ns, peak_memory;
	int32_t status; /* wait(2)'s encoding */
	char name[16];
};

/* The sandbox at a time. */
struct accounting_sample {
	int64_t time_ns;
	uint64_t cpu_ns, memory;
	uint32_t processes, unused;
};

struct accounting {
	_Atomic int reason;			       /* enum end_reason */
	_Atomic int64_t started_ns, ended_ns;	       /* CLOCK_MONOTONIC of the host */
	_Atomic uint64_t dead_user_ns, dead_system_ns; /* of tasks that ended */
	_Atomic uint64_t user_ns, system_ns;	       /* of all, as of the last look */
	_Atomic uint64_t sentry_user_ns, sentry_system_ns;
	_Atomic uint64_t memory, memory_peak, memory_kills;
	_Atomic uint64_t heap_peak;
	_Atomic uint64_t tasks, tasks_peak, processes_peak, processes_started, threads_started,
		forks_refused;
	_Atomic uint64_t disk, disk_peak, disk_refused;
	_Atomic uint64_t file_peak,
		files_refused; /* the largest that grew, and how often none might */
	_Atomic uint64_t descriptor_peak, descriptors_refused; /* of one process */
	_Atomic uint64_t bytes_read, bytes_written, output;
	_Atomic uint64_t throttled_ns;
	struct accounting_call calls[ACCOUNTING_CALLS];
	_Atomic uint32_t process_count; /* may be more than there is room for */
	_Atomic uint32_t sample_count;
	_Atomic uint32_t file_count, address_count, refused_count;
	struct accounting_sample samples[ACCOUNTING_SAMPLES];
	char files[ACCOUNTING_FILES]
		  [ACCOUNTING_FILE_SIZE]; /* opened, in the order of their first time */
	char addresses[ACCOUNTING_ADDRESSES]
		      [ACCOUNTING_FILE_SIZE]; /* likewise: connected or bound to */
	char refused[ACCOUNTING_REFUSED][ACCOUNTING_FILE_SIZE]; /* likewise: by the policy */
	struct accounting_process processes[ACCOUNTING_PROCESSES];
};

extern struct accounting *g_accounting; /* NULL: nobody asked */

/* Once, before there are tasks. */
void accounting_start(struct accounting *page);
/* The first reason stays. True if it was this one. */
bool accounting_end(enum end_reason reason);
/* A system call returned; start: the time stamp at its beginning. */
void accounting_syscall(struct task *task, int64_t result, uint64_t start);
/* Of the processes that no clone makes: the first. */
void accounting_first_process(struct task *task);
/* A task has used all the time that it ever will; its own thread, no lock held. */
void accounting_task_ended(struct task *task);
/* CPU time of all tasks, dead ones included. Takes RANK_TASK_SET. */
void accounting_cpu_times(uint64_t *user_ns, uint64_t *system_ns);
/* A file was opened by this name. */
void accounting_opened(const char *name);
/* A socket was connected or bound to what reads so. */
void accounting_address(const char *text);
/* The policy (vfs/policy.h) refused that; what is too long is cut. */
void accounting_refused(const char *text);
/* One more sample, as of now; cpu_ns as accounting_cpu_times() gave it. One thread only. */
void accounting_sample(uint64_t cpu_ns);
/* The last look, when no task runs any more. */
void accounting_finish(void);

static inline void accounting_disk_refused(void)
{
	if (g_accounting)
		atomic_fetch_add(&g_accounting->disk_refused, 1);
}

static inline void accounting_raise(_Atomic uint64_t *peak, uint64_t value)
{
	uint64_t old = atomic_load_explicit(peak, memory_order_relaxed);

	while (old < value && !atomic_compare_exchange_weak(peak, &old, value))
		;
}

/* A regular file has grown to that, or (refused) was not allowed to. */
static inline void accounting_file_size(uint64_t size)
{
	if (g_accounting)
		accounting_raise(&g_accounting->file_peak, size);
}

static inline void accounting_file_refused(void)
{
	if (g_accounting)
		atomic_fetch_add(&g_accounting->files_refused, 1);
}

/* A process was given that descriptor, or (-1) none. */
static inline void accounting_descriptor(int fd)
{
	if (!g_accounting)
		return;
	if (fd < 0)
		atomic_fetch_add(&g_accounting->descriptors_refused, 1);
	else
		accounting_raise(&g_accounting->descriptor_peak, (uint64_t)fd + 1);
}
