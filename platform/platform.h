/* SPDX-License-Identifier: Apache-2.0 */
/*
 * platform/ - how guest code runs.
 *
 * Three interfaces are the whole boundary. A platform makes address spaces and contexts. An address
 * space holds host mappings at guest addresses. A context is one guest thread's place on the
 * processor: it runs guest code until a system call, a fault or an interruption, and keeps no
 * guest-visible state that cannot be read out as plain data. Nothing above this room knows how it
 * is done.
 *
 * Threads: a context belongs to one host thread at a time, the one that first switches it (or reads
 * or sets its floating-point or debug registers) until it releases or frees it, which it must
 * before it ends: a host thread that ends with a context ends the sandbox. Only context_interrupt()
 * and context_wake_near() may be called from others. Address spaces may be used by several threads;
 * map, unmap and protect only queue work, which is carried out, in order, before any context of
 * that address space next runs guest code, or by address_space_flush().
 *
 * Locks: a platform's locks rank above all of the sentry's and are never held across a call out.
 */
#pragma once

#include "abi/registers.h"
#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct platform;
struct address_space;
struct context;

/* Guest code and data live in [PLATFORM_GUEST_MIN, PLATFORM_GUEST_MAX). */
#define PLATFORM_GUEST_MIN 0x10000ul
#define PLATFORM_GUEST_MAX 0x7ffff0000000ul

enum exit_reason {
	EXIT_SYSCALL, /* a 64-bit system call; registers.orig_rax is its number, rax is -ENOSYS */
	EXIT_SYSCALL_32,  /* int 0x80, sysenter: another table, never to be taken for the 64-bit one
			   */
	EXIT_FAULT,	  /* a page fault: address, and as much of the access as the host tells */
	EXIT_SIGNAL,	  /* another exception of the guest's own: signal, code, address */
	EXIT_STEP,	  /* one instruction was executed, with RUN_STEP */
	EXIT_INTERRUPTED, /* context_interrupt(), or nothing that concerns the guest */
};

/* What a fault tried; with ACCESS_UNKNOWN the caller finds out from its own tables. */
enum fault_access { ACCESS_UNKNOWN, ACCESS_READ, ACCESS_WRITE, ACCESS_EXECUTE };

struct context_exit {
	enum exit_reason reason;
	enum fault_access access; /* EXIT_FAULT */
	bool present;	  /* EXIT_FAULT: something was mapped there, and did not allow the access */
	int signal;	  /* EXIT_FAULT, EXIT_SIGNAL, EXIT_STEP: what Linux would send */
	int code;	  /* its si_code */
	uint64_t address; /* its si_addr */
};

enum run_flags {
	RUN_STEP = 1, /* stop after one instruction, even if that instruction is a system call */
	RUN_BLOCK_STEP = 2,
};

struct platform_operations {
	const char *name;
	int (*address_space_new)(struct platform *platform, struct address_space **out);
	void (*address_space_free)(struct address_space *as);
	int (*address_space_map)(struct address_space *as, uint64_t address, int fd,
		uint64_t offset, uint64_t length, int protection, int flags);
	int (*address_space_protect)(
		struct address_space *as, uint64_t address, uint64_t length, int protection);
	int (*address_space_unmap)(struct address_space *as, uint64_t address, uint64_t length);
	int (*address_space_populate)(struct address_space *as, uint64_t address, uint64_t length);
	int (*address_space_reset)(struct address_space *as, struct context *context);
	int (*address_space_flush)(struct address_space *as);
	int (*context_new)(struct platform *platform, struct context **out);
	void (*context_free)(struct context *context);
	int (*context_switch)(struct context *context, struct address_space *as,
		struct linux_user_regs *registers, unsigned int flags, struct context_exit *exit);
	void (*context_release)(struct context *context);
	void (*context_interrupt)(struct context *context);
	/* NULL: all of the time is taken for processor time. */
	uint64_t (*context_take_cpu_time)(struct context *context, uint64_t elapsed_ns);
	uint64_t (*context_cpu_time_left)(struct context *context);
	int (*context_get_fpstate)(
		struct context *context, struct address_space *as, void *buffer, size_t size);
	int (*context_set_fpstate)(
		struct context *context, struct address_space *as, const void *buffer, size_t size);
	int (*context_get_debug_register)(struct context *context, struct address_space *as,
		unsigned int index, uint64_t *value);
	int (*context_set_debug_register)(struct context *context, struct address_space *as,
		unsigned int index, uint64_t value);
	/* Hints about the host's CPUs; any may be NULL. */
	void (*context_block_begin)(struct context *context);
	void (*context_block_end)(struct context *context);
	void (*context_wake_near)(struct context *context);
};

struct platform {
	const struct platform_operations *ops;
	size_t fpstate_size; /* bytes of an XSAVE image in the standard format, as PTRACE_GETREGSET
				gives it */
	uint64_t fpstate_features; /* XCR0: the components that guests may use */
	size_t fpstate_used;	   /* bytes of the image up to the last of these */
};

struct address_space {
	const struct platform_operations *ops;
};

struct context {
	const struct platform_operations *ops;
};

/* How an address space maps; private copies on write are made by the sentry, never by the host. */
enum map_flags {
	MAP_FLAG_POPULATE = 1, /* the pages are there already: enter them now and save the faults */
	MAP_FLAG_PRIVATE = 2,  /* a read-only view of a host file that others may change */
};

/* An empty address space. -ENOMEM, -EAGAIN when the host gives no more processes. */
must_check static inline int address_space_new(struct platform *p, struct address_space **out)
{
	return p->ops->address_space_new(p, out);
}

/* No context may be running in it. NULL is allowed. */
static inline void address_space_free(struct address_space *as)
{
	if (as)
		as->ops->address_space_free(as);
}

/*
 * Queues a mapping of fd's bytes [offset, offset+length) at a guest address, in place of what was
 * there. Everything is in whole pages. fd must stay open until the queue is flushed, as the memory
 * file always does; -ENOMEM when the queue cannot grow.
 */
must_check static inline int address_space_map(struct address_space *as, uint64_t address, int fd,
	uint64_t offset, uint64_t length, int protection, int flags)
{
	return as->ops->address_space_map(as, address, fd, offset, length, protection, flags);
}

/* Queues another protection for whatever is mapped in a range; holes in it are skipped. */
must_check static inline int address_space_protect(
	struct address_space *as, uint64_t address, uint64_t length, int protection)
{
	return as->ops->address_space_protect(as, address, length, protection);
}

must_check static inline int address_space_unmap(
	struct address_space *as, uint64_t address, uint64_t length)
{
	return as->ops->address_space_unmap(as, address, length);
}

/* Queues the entering of pages for writing (MADV_POPULATE_WRITE), a hint that saves the faults of
 * what is about to be touched. */
must_check static inline int address_space_populate(
	struct address_space *as, uint64_t address, uint64_t length)
{
	return as->ops->address_space_populate(as, address, length);
}

/*
 * For execve of the only user of an address space: forgets the queue and queues the removal of
 * everything, so that the same address space and the same context go on empty, without a hand-over.
 */
must_check static inline int address_space_reset(struct address_space *as, struct context *context)
{
	return as->ops->address_space_reset(as, context);
}

/*
 * Carries the queue out now. Needed before pages that an earlier unmap covered are used for
 * something else while other threads of the address space may still run: when it returns, no guest
 * thread can reach them. Interrupts a running context of the address space if it must.
 */
must_check static inline int address_space_flush(struct address_space *as)
{
	return as->ops->address_space_flush(as);
}

/* A context that has never run; it gets the floating-point state that a new process has. */
must_check static inline int context_new(struct platform *p, struct context **out)
{
	return p->ops->context_new(p, out);
}

static inline void context_free(struct context *context)
{
	if (context)
		context->ops->context_free(context);
}

/*
 * Runs guest code in as with these registers until something happens, and says what. registers
 * holds the state at that moment. Returns 0, or -ENOMEM when a queued mapping did not fit (the
 * guest's problem, as at a full max_map_count); any other host error panics. All guest registers
 * but the floating-point state are in registers, fs_base and gs_base included.
 *
 * Further errors, with which no guest code has run either:
 * - what the host said of a file that it does not map (-EACCES, -EPERM, -ENODEV, ...). After this
 * and after -ENOMEM the address space is empty: its faults, present or not, may be answered by
 * mapping again;
 * - -EAGAIN when the host gives no thread for a context that has no place in this address space
 * yet;
 * - -EINVAL for registers that the processor would not load (cs, ss, a base outside the lower
 * half). On the way in orig_rax does not matter; on the way out it is -1 but for system calls. A
 * stepped system call exits with EXIT_SYSCALL, and the step after it is that of the next
 * instruction.
 */
must_check static inline int context_switch(struct context *context, struct address_space *as,
	struct linux_user_regs *registers, unsigned int flags, struct context_exit *exit)
{
	return context->ops->context_switch(context, as, registers, flags, exit);
}

/*
 * Gives the context's place in its address space back (at exit, and at exec into another one).
 * Floating- point state is lost: read it before if it matters. The next switch takes a place anew.
 */
static inline void context_release(struct context *context)
{
	context->ops->context_release(context);
}

/* From any thread: a running switch returns soon with EXIT_INTERRUPTED, or the next one does at
 * once. */
static inline void context_interrupt(struct context *context)
{
	context->ops->context_interrupt(context);
}

/*
 * Of the nanoseconds that switches took since the last call, at most those for which guest code
 * had a processor. The host counts for all contexts of an address space together: what it counted
 * is handed out once. Context's own thread, which has no lock.
 */
static inline uint64_t context_take_cpu_time(struct context *context, uint64_t elapsed_ns)
{
	return context->ops->context_take_cpu_time
		       ? context->ops->context_take_cpu_time(context, elapsed_ns)
		       : elapsed_ns;
}

/* What is there to be handed out now to the contexts of its address space; from any thread, which
 * may hold locks. */
static inline uint64_t context_cpu_time_left(struct context *context)
{
	return context->ops->context_cpu_time_left ? context->ops->context_cpu_time_left(context)
						   : UINT64_MAX;
}

/* The XSAVE image (standard format, platform.fpstate_size bytes). Context's own thread only. */
must_check static inline int context_get_fpstate(
	struct context *context, struct address_space *as, void *buffer, size_t size)
{
	return context->ops->context_get_fpstate(context, as, buffer, size);
}

/* -EINVAL for an image that the processor refuses; nothing is changed then. */
must_check static inline int context_set_fpstate(
	struct context *context, struct address_space *as, const void *buffer, size_t size)
{
	return context->ops->context_set_fpstate(context, as, buffer, size);
}

/* The hardware debug registers 0-3, 6 and 7 of this guest thread. */
must_check static inline int context_get_debug_register(
	struct context *context, struct address_space *as, unsigned int index, uint64_t *value)
{
	return context->ops->context_get_debug_register(context, as, index, value);
}

must_check static inline int context_set_debug_register(
	struct context *context, struct address_space *as, unsigned int index, uint64_t value)
{
	return context->ops->context_set_debug_register(context, as, index, value);
}

/*
 * The context's own host thread is about to sleep in the sentry, and has woken up again. Strictly
 * in pairs. Between the two the context is no load on its CPU.
 */
static inline void context_block_begin(struct context *context)
{
	if (context->ops->context_block_begin)
		context->ops->context_block_begin(context);
}

static inline void context_block_end(struct context *context)
{
	if (context->ops->context_block_end)
		context->ops->context_block_end(context);
}

/*
 * Called by the host thread of another context just before it wakes the one that this context
 * belongs to, which must not be freed meanwhile. Brings a context that sleeps on an idle CPU to the
 * waker's, because waking a CPU costs more than the work that most wake-ups bring.
 */
static inline void context_wake_near(struct context *context)
{
	if (context->ops->context_wake_near)
		context->ops->context_wake_near(context);
}

/* platform/ptrace/: must be called once, from the main thread, while the process is small. */
must_check int platform_ptrace_new(struct platform **out);
/*
 * Waits, on the main thread, for the death of a stub that nobody waits for, and panics then. Never
 * returns: the main thread has nothing else to do, and must not end, since the stubs die with it.
 */
noreturn_ void platform_ptrace_watch(struct platform *platform);
/* platform/null/: runs no code; a test scripts what each switch returns. */
must_check int platform_null_new(struct platform **out);
