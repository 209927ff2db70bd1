/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ptrace platform: guest code runs in stub processes under PTRACE_SYSEMU.
 *
 * A stub process is a small host process with a page of our code and a page-wise list of system
 * calls that only the sentry writes; the rest of it is one guest address space. It has at least one
 * spare thread at any time, detached and asleep in pause(2), so that whoever needs a thread of it
 * has one to attach. A guest thread is one thread of a stub process, attached by the host thread
 * that runs it. Stub processes never end, and neither they nor the records of their threads are
 * ever freed, so that a late interrupt hits a thread of the same stub at worst, which takes no
 * notice.
 *
 * Locks, in order (RANK_ of each below): template > address space > stub process > pool; the locks
 * of placement come last. None is held while guest code runs; the address space's is held while its
 * queue is carried out.
 */
#pragma once

#include "base/lock.h"
#include "platform/platform.h"
#include "platform/ptrace/map_queue.h"
#include "platform/ptrace/mapped_ranges.h"
#include "platform/ptrace/placement.h"
#include "platform/ptrace/service_thread.h"

#include <bsd/sys/queue.h>
#include <stdatomic.h>

enum {
	RANK_STUB_TEMPLATE = 800,
	RANK_ADDRESS_SPACE = 810,
	RANK_STUB_PROCESS = 820,
	RANK_STUB_POOL = 830,
	RANK_PLACEMENT_LIST = 840,
	RANK_PLACEMENT = 850,
};

/* One system call of a list that runs in a stub; the layout is stub_code.S's. */
struct list_entry {
	uint64_t number;
	uint64_t arguments[6];
	uint64_t may_fail;
};

/* The selector of 64-bit user code. */
#define USER_CS 0x33

#define STUB_LIST_SIZE	  (4 * PAGE_SIZE)
#define STUB_LIST_ENTRIES (STUB_LIST_SIZE / sizeof(struct list_entry))
#define STUB_AREA_SIZE	  (PAGE_SIZE + STUB_LIST_SIZE)
/* Past the last byte that a 64-bit process may have mapped, whatever the number of page table
 * levels. */
#define STUB_ADDRESS_END 0x7ffffffff000ul

struct stub_thread {
	LIST_ENTRY(stub_thread) spare;	  /* process->lock */
	LIST_ENTRY(stub_thread) attached; /* the attaching host thread's own list */
	struct stub_process *process;	  /* set once */
	atomic_int tid; /* changes only when a retired thread's place is used again */
	atomic_int cpu; /* where it is pinned, -1: unknown; placement's lock when bound */
	/* The rest belongs to the host thread that attached it, or to process->lock. */
	bool used;	 /* has run guest code: floating-point state is not that of a new process */
	bool debug_used; /* debug registers may be set */
	bool registers_known;
	struct linux_user_regs registers; /* what the host has for it, but for orig_rax */
};

LIST_HEAD(stub_thread_list, stub_thread);

struct stub_process {
	TAILQ_ENTRY(stub_process) pool; /* platform->pool_lock */
	TAILQ_ENTRY(stub_process) all;	/* platform->pool_lock */
	struct ptrace_platform *platform;
	pid_t pid;
	struct list_entry *list; /* the sentry's own view; used with the address space's lock, or by
				    the sole user */
	struct mutex lock;
	struct stub_thread_list spares;	 /* lock */
	struct stub_thread_list retired; /* lock: places of threads that ended */
	unsigned int users;		 /* lock: the address space and each bound thread */
	_Atomic uint64_t cpu_asked_ns; /* written with lock: the host's clock when it was asked */
	_Atomic uint64_t cpu_left_ns;  /* written with lock: of that, what nobody took yet */
	bool dirty; /* guest mappings may be left from the last address space */
};

TAILQ_HEAD(stub_process_list, stub_process);

struct ptrace_platform {
	struct platform platform;
	uint64_t code_address; /* set once: where the stub's code is in every stub process */
	uint64_t list_address; /* set once */
	uint64_t run_list; /* set once: the entry point of the list loop that this machine needs */
	int list_fd;	   /* set once: the memory of all lists */
	pid_t pid;	   /* set once: the sentry */
	int death_fd;	   /* set once: an epoll of all stubs' pidfds */
	void *initial_fpstate; /* set once: the floating-point state of a new process */
	struct mutex template_lock;
	struct stub_thread
		*template_thread; /* template_lock: runs only while further processes are made */
	uint64_t list_count;	  /* template_lock: lists in list_fd */
	struct mutex pool_lock;
	struct stub_process_list all;	       /* pool_lock: every one but the template */
	struct stub_process_list clean, dirty; /* pool_lock: those that wait for an address space */
	unsigned int clean_count, dirty_count; /* pool_lock */
	struct service_thread pool_thread;
};

struct ptrace_address_space {
	struct address_space address_space;
	struct stub_process *process; /* set once */
	struct mutex lock;
	struct map_queue queue;	     /* lock */
	struct mapped_ranges mapped; /* lock: what is mapped once the queue is carried out */
	atomic_bool pending; /* the queue is not empty, or being carried out; written with lock */
	atomic_bool urgent;  /* the queue, if not empty, must be carried out before guest code runs;
				likewise */
	atomic_uint runs;    /* of the queue, carried out to the end; written with lock */
	/* lock: whether waiting pays in this address space; maps that wait, losses in a row, maps
	 * that will not wait */
	unsigned int waiting, losses, eager;
};

enum context_state {
	CONTEXT_RUNNING = 1,
	CONTEXT_INTERRUPTED = 2,
};

struct ptrace_context {
	struct context context;
	struct ptrace_platform *platform;
	_Atomic(struct stub_thread *)
		thread;	   /* written by the owner; never freed, so anybody may read it */
	atomic_uint state; /* enum context_state */
	bool must_enter;   /* what waits is needed at once: the thread is new here, or was told of a
			      fault */
	struct placement placement;
};

static inline struct ptrace_platform *ptrace_platform_of(struct platform *platform)
{
	return container_of(platform, struct ptrace_platform, platform);
}

static inline struct ptrace_address_space *ptrace_address_space_of(struct address_space *as)
{
	return container_of(as, struct ptrace_address_space, address_space);
}

static inline struct ptrace_context *ptrace_context_of(struct context *context)
{
	return container_of(context, struct ptrace_context, context);
}

/* stub_code.S */
extern const char stub_code_begin[], stub_code_end[], stub_code_idle[], stub_code_first[],
	stub_code_prepare[], stub_code_clone_process[], stub_code_clone_thread[],
	stub_code_run_list[], stub_code_run_list_pku[], stub_code_retire[], stub_code_exit[];

/* The address in every stub of a label of stub_code.S. */
static inline uint64_t stub_code_at(const struct ptrace_platform *platform, const char *label)
{
	return platform->code_address + (uint64_t)(label - stub_code_begin);
}

/* stub_template.c: the first stub, and all of its clones. */
must_check int stub_template_new(struct ptrace_platform *platform);
/* A new process, its first thread attached by the caller. -EAGAIN, -ENOMEM. */
must_check int stub_template_clone(
	struct ptrace_platform *platform, struct stub_process **out, struct stub_thread **attached);

/* stub_process.c */
must_check int stub_process_new(struct ptrace_platform *platform, pid_t pid, uint64_t list_index,
	struct stub_process **out);
must_check struct stub_thread *stub_thread_new(struct stub_process *process, pid_t tid);
/* Takes a spare thread and attaches it; leaves at least one. -EAGAIN, -ENOMEM when the host gives
 * no more. */
must_check int stub_process_take_thread(
	struct stub_process *process, int cpu, struct stub_thread **out);
/* Detaches the thread, and drops the process's use that came with it. */
void stub_process_give_thread(struct stub_thread *thread);
void stub_process_put(struct stub_process *process);
/* Ends spare threads of a process in the pool until only so many are left. */
void stub_process_trim(struct stub_process *process);
/* The thread of this process that the calling host thread has attached, if any. */
must_check struct stub_thread *stub_process_own_thread(struct stub_process *process);

/* stub_pool.c */
void stub_pool_init(struct ptrace_platform *platform);
/* A process with nothing mapped, or one that is dirty. With one use, the caller's. */
must_check int stub_pool_take(struct ptrace_platform *platform, struct stub_process **out);
void stub_pool_give(struct stub_process *process);

/* watch.c: whose end is the sandbox's. watch_add: -EAGAIN when the sentry has no descriptor left. */
must_check int watch_init(struct ptrace_platform *platform);
must_check int watch_add(struct ptrace_platform *platform, pid_t pid);

/* stub_thread.c: all but new, of the calling host thread's attached threads only. */
/* Where the host says that it is the caller's fault, a negative errno (-EPERM, -EACCES); panics on
 * others. */
must_check int stub_thread_try_attach(struct stub_thread *thread);
void stub_thread_attach(struct stub_thread *thread, int cpu);
/* Takes over a thread that was attached by the host when it was cloned. */
void stub_thread_adopt(struct stub_thread *thread);
void stub_thread_detach(struct stub_thread *thread);
/* Ends an attached thread. */
void stub_thread_retire(struct stub_thread *thread);
/* Waits for the next stop and returns its wait status; a thread that ended is the end of the
 * sandbox. */
int stub_thread_wait(struct stub_thread *thread);
/* Runs a piece of the stub's code until its int3; registers in and out. */
void stub_thread_run(
	struct stub_thread *thread, uint64_t address, struct linux_user_regs *registers);
/* Runs the first count entries of the process's list: 0, or the error of the first that failed. */
must_check int64_t stub_thread_run_list(
	struct stub_thread *thread, size_t count, const struct list_entry **failed);

/* registers.c */
void stub_thread_get_registers(struct stub_thread *thread, struct linux_user_regs *registers);
/* -EINVAL for what the processor would not load; the thread must not run then. */
must_check int stub_thread_set_registers(
	struct stub_thread *thread, const struct linux_user_regs *registers);
/* Registers to run the stub's own code with. */
struct linux_user_regs stub_registers(uint64_t address);

/* fpstate.c and debug_registers.c */
must_check int fpstate_init(struct ptrace_platform *platform, struct stub_thread *thread);
void fpstate_reset(struct stub_thread *thread);
void debug_registers_reset(struct stub_thread *thread);
int ptrace_context_get_fpstate(
	struct context *context, struct address_space *as, void *buffer, size_t size);
int ptrace_context_set_fpstate(
	struct context *context, struct address_space *as, const void *buffer, size_t size);
int ptrace_context_get_debug_register(
	struct context *context, struct address_space *as, unsigned int index, uint64_t *value);
int ptrace_context_set_debug_register(
	struct context *context, struct address_space *as, unsigned int index, uint64_t value);

/* address_space.c */
int ptrace_address_space_new(struct platform *platform, struct address_space **out);
void ptrace_address_space_free(struct address_space *as);
int ptrace_address_space_map(struct address_space *as, uint64_t address, int fd, uint64_t offset,
	uint64_t length, int protection, int flags);
int ptrace_address_space_protect(
	struct address_space *as, uint64_t address, uint64_t length, int protection);
int ptrace_address_space_unmap(struct address_space *as, uint64_t address, uint64_t length);
int ptrace_address_space_populate(struct address_space *as, uint64_t address, uint64_t length);
int ptrace_address_space_reset(struct address_space *as, struct context *context);
int ptrace_address_space_flush(struct address_space *as);
/* Carries the queue out with a thread of the process that the caller has attached. */
must_check int address_space_run_queue(struct ptrace_address_space *as, struct stub_thread *thread);
/* The guest thread, which ran since there were that many runs, faulted where nothing is mapped: if
 * a map of that address waits, the queue is carried out. Sets *waited if what was mapped has
 * changed since, so that the access may well succeed now. */
must_check int address_space_touch(struct ptrace_address_space *as, struct stub_thread *thread,
	uint64_t address, unsigned int runs, bool *waited);

/* stop.c: what a stop of a thread that ran guest code means. False: nothing, let it run on. */
must_check bool stop_decode(struct stub_thread *thread, int status, unsigned int flags,
	struct linux_user_regs *registers, struct context_exit *out);

/* context.c */
int ptrace_context_new(struct platform *platform, struct context **out);
void ptrace_context_free(struct context *context);
int ptrace_context_switch(struct context *context, struct address_space *as,
	struct linux_user_regs *registers, unsigned int flags, struct context_exit *out);
void ptrace_context_release(struct context *context);
void ptrace_context_interrupt(struct context *context);
/* The context's thread in the address space, bound now if it was not. */
must_check int context_bind(
	struct ptrace_context *context, struct ptrace_address_space *as, struct stub_thread **out);

/* cpu_time.c */
/* What a process used before, in other hands, is nobody's. */
void cpu_time_begin(struct stub_process *process);
uint64_t ptrace_context_take_cpu_time(struct context *context, uint64_t elapsed_ns);
uint64_t ptrace_context_cpu_time_left(struct context *context);

