/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The template: the first stub, a clone of the sentry with everything of the sentry taken out of
 * it.
 *
 * It never runs a guest. Further stubs are cloned from it, as siblings, which is cheap because
 * there is next to nothing in it. Its own list page doubles as the place of the structures for its
 * set-up.
 */
#include "platform/ptrace/ptrace_platform.h"

#include "base/log.h"
#include "platform/ptrace/stub_filter.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

/* Where in the template's list its structures are: past the entries. */
#define DATA_OFFSET  (STUB_LIST_SIZE / 2)
#define PROBE_STEP   (STUB_AREA_SIZE + 16 * PAGE_SIZE)
#define HOST_SIGSET  8
#define HOST_SIGNALS 64

/* What sigaction(2), sigprocmask(2), sigaltstack(2), capset(2) and seccomp(2) of the template read.
 */
struct template_data {
	struct {
		uint64_t handler, flags, restorer, mask;
	} ignore, standard;
	uint64_t no_signals;
	stack_t no_stack;
	struct rlimit no_core;
	struct __user_cap_header_struct capability_header;
	struct __user_cap_data_struct capabilities[2];
	struct stub_filter filter;
};

_Static_assert(
	sizeof(struct template_data) <= STUB_LIST_SIZE - DATA_OFFSET, "fits behind the entries");

/* Entries of the template's list as they are written. */
struct list_writer {
	struct list_entry *list;
	size_t count;
};

static void add(struct list_writer *writer, uint64_t number, uint64_t a, uint64_t b, uint64_t c,
	uint64_t d, bool may_fail)
{
	panic_if(writer->count >= DATA_OFFSET / sizeof(struct list_entry),
		"the template's list is full");
	writer->list[writer->count++] = (struct list_entry){
		.number = number, .arguments = {a, b, c, d}, .may_fail = may_fail};
}

/* The highest place above all guest addresses that nothing of the sentry has. */
static int find_area(struct ptrace_platform *platform)
{
	for (uint64_t address = STUB_ADDRESS_END - STUB_AREA_SIZE; address >= PLATFORM_GUEST_MAX;
		address -= PROBE_STEP) {
		void *area = mmap((void *)address, STUB_AREA_SIZE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

		if (area == (void *)address) {
			platform->code_address = address;
			platform->list_address = address + PAGE_SIZE;
			return 0;
		}
		/* Kernels before 4.17 take the flag for a hint. */
		if (area != MAP_FAILED)
			munmap(area, STUB_AREA_SIZE);
	}
	log_error("ptrace platform: no room for the stub's pages above all guest addresses");
	return -ENOMEM;
}

static int map_code(struct ptrace_platform *platform)
{
	size_t size = (size_t)(stub_code_end - stub_code_begin);
	int r = find_area(platform);

	if (r)
		return r;
	/* Never the last bytes of the page: the filter looks at the address after a system call. */
	panic_if(size > PAGE_SIZE - 64, "the stub's code is more than a page");
	memcpy((void *)platform->code_address, stub_code_begin, size);
	if (mprotect((void *)platform->code_address, PAGE_SIZE, PROT_READ | PROT_EXEC))
		return -errno;
	return 0;
}

static int make_list_fd(struct ptrace_platform *platform)
{
	int fd = memfd_create("stub-lists", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("stub-lists", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	platform->list_fd = fd;
	return 0;
}

static int new_list(struct ptrace_platform *platform, uint64_t *index)
{
	uint64_t count = platform->list_count + 1;

	if (ftruncate(platform->list_fd, (off_t)(count * STUB_LIST_SIZE)))
		return -ENOMEM;
	*index = platform->list_count;
	platform->list_count = count;
	return 0;
}

/*
 * clone(2) with nothing of the C library around it: the child goes straight to the stub's code, on
 * no stack. All signals are blocked meanwhile, since the child must never run a handler of the
 * sentry.
 */
static pid_t clone_first(struct ptrace_platform *platform)
{
	register uint64_t entry __asm__("r9") = stub_code_at(platform, stub_code_first);
	register uint64_t parent __asm__("r12") = (uint64_t)platform->pid;
	register uint64_t no_tid __asm__("r10") = 0;
	register uint64_t no_tls __asm__("r8") = 0;
	long r = SYS_clone;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "jmp *%%r9\n"
			 "1:"
			 : "+a"(r)
			 : "D"((uint64_t)(SIGKILL | CLONE_FILES)), "S"(0ul), "d"(0ul), "r"(no_tid),
			 "r"(no_tls), "r"(entry), "r"(parent)
			 : "rcx", "r11", "cc", "memory");
	return (pid_t)r;
}

/* Asks the host, since how a C library registers is its own affair. Absent before 5.13. */
static void add_rseq(struct list_writer *writer, struct stub_thread *thread)
{
#ifdef PTRACE_GET_RSEQ_CONFIGURATION
	struct __ptrace_rseq_configuration rseq = {0};

	if (syscall(SYS_ptrace, PTRACE_GET_RSEQ_CONFIGURATION, thread->tid, sizeof(rseq), &rseq) <
			0 ||
		!rseq.rseq_abi_pointer)
		return;
	add(writer, SYS_rseq, rseq.rseq_abi_pointer, rseq.rseq_abi_size, 1, rseq.signature, false);
#else
	(void)writer;
	(void)thread;
#endif
}

/*
 * Signals that come from outside (a terminal's, a user's kill) must not end a stub that waits
 * detached, so those that would are ignored; while it is attached the tracer sees them all and
 * drops them.
 */
static void add_signals(struct list_writer *writer, uint64_t data)
{
	uint64_t standard = data + offsetof(struct template_data, standard);
	uint64_t ignore = data + offsetof(struct template_data, ignore);

	for (uint64_t signal = 1; signal <= HOST_SIGNALS; signal++) {
		bool exception = signal == SIGSEGV || signal == SIGBUS || signal == SIGILL ||
				 signal == SIGFPE || signal == SIGTRAP || signal == SIGSYS ||
				 signal == SIGCHLD || signal == SIGCONT;

		if (signal == SIGKILL || signal == SIGSTOP)
			continue;
		add(writer, SYS_rt_sigaction, signal, exception ? standard : ignore, 0, HOST_SIGSET,
			false);
	}
	add(writer, SYS_rt_sigprocmask, SIG_SETMASK,
		data + offsetof(struct template_data, no_signals), 0, HOST_SIGSET, false);
	add(writer, SYS_sigaltstack, data + offsetof(struct template_data, no_stack), 0, 0, 0,
		false);
}

/* What the clone inherited of the sentry, and must not have. */
static void write_setup(
	struct ptrace_platform *platform, struct stub_thread *thread, struct list_writer *writer)
{
	uint64_t data = platform->list_address + DATA_OFFSET;
	uint64_t top = platform->code_address + STUB_AREA_SIZE;
	struct template_data *structures = (void *)((char *)writer->list + DATA_OFFSET);

	structures->ignore.handler = (uint64_t)(uintptr_t)SIG_IGN;
	structures->no_stack.ss_flags = SS_DISABLE;
	structures->capability_header.version = _LINUX_CAPABILITY_VERSION_3;
	stub_filter_build(&structures->filter, platform->code_address,
		data + offsetof(struct template_data, filter));

	add_signals(writer, data);
	add_rseq(writer, thread);
	add(writer, SYS_set_robust_list, 0, 24, 0, 0, false);
	add(writer, SYS_set_tid_address, 0, 0, 0, 0, false);
	for (uint64_t timer = 0; timer < 3; timer++)
		add(writer, SYS_setitimer, timer, 0, 0, 0, true);
	add(writer, SYS_setrlimit, RLIMIT_CORE, data + offsetof(struct template_data, no_core), 0,
		0, false);
	add(writer, SYS_personality, 0, 0, 0, 0, true);
	add(writer, SYS_setsid, 0, 0, 0, 0, true);
	/* A stub with more capabilities than the sentry could not be attached. */
	add(writer, SYS_capset, data + offsetof(struct template_data, capability_header),
		data + offsetof(struct template_data, capabilities), 0, 0, false);
	add(writer, SYS_munmap, 0, platform->code_address, 0, 0, false);
	if (top < STUB_ADDRESS_END)
		add(writer, SYS_munmap, top, STUB_ADDRESS_END - top, 0, 0, false);
	add(writer, SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, false);
	add(writer, SYS_seccomp, STUB_FILTER_OPERATION, STUB_FILTER_FLAGS,
		data + offsetof(struct template_data, filter), 0, false);
}

/* Runs the part of a new process's start that needs its list; r14: the second thread. */
static int64_t prepare(struct stub_thread *thread, uint64_t list_index, bool second_thread)
{
	struct ptrace_platform *platform = thread->process->platform;
	struct linux_user_regs registers = {
		.r12 = (uint64_t)platform->pid,
		.r13 = (uint64_t)platform->list_fd,
		.r14 = list_index * STUB_LIST_SIZE,
		.r15 = STUB_LIST_SIZE,
		.rbx = platform->list_address,
		.rbp = second_thread,
	};

	stub_thread_run(thread, stub_code_at(platform, stub_code_prepare), &registers);
	return (int64_t)registers.r14;
}

static int check_host(struct stub_thread *thread)
{
	struct __ptrace_syscall_info info;

	if (syscall(SYS_ptrace, PTRACE_GET_SYSCALL_INFO, thread->tid, sizeof(info), &info) > 0)
		return 0;
	log_error("ptrace platform: PTRACE_GET_SYSCALL_INFO: %s; it needs Linux 5.3",
		strerror(errno));
	return -ENOSYS;
}

static int set_up_template(struct ptrace_platform *platform, struct stub_thread *thread)
{
	struct list_writer writer = {.list = thread->process->list};
	const struct list_entry *failed = NULL;
	int64_t r = check_host(thread);

	if (r)
		return (int)r;
	/* Until fpstate_init() knows better. */
	platform->run_list = stub_code_at(platform, stub_code_run_list);
	(void)prepare(thread, 0, false);
	write_setup(platform, thread, &writer);
	r = stub_thread_run_list(thread, writer.count, &failed);
	if (r) {
		log_error("ptrace platform: system call %llu of the first stub: %s",
			(unsigned long long)failed->number, strerror((int)-r));
		return (int)r;
	}
	memset(thread->process->list, 0, STUB_LIST_SIZE);
	return fpstate_init(platform, thread);
}

static pid_t clone_first_blocked(struct ptrace_platform *platform)
{
	sigset_t all, old;
	pid_t pid;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid = clone_first(platform);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return pid;
}

static int start_template(struct ptrace_platform *platform)
{
	struct stub_process *process;
	struct stub_thread *thread;
	uint64_t index;
	pid_t pid;
	int r = new_list(platform, &index);

	if (r)
		return r;
	pid = clone_first_blocked(platform);
	if (pid < 0)
		return pid;
	r = stub_process_new(platform, pid, index, &process);
	if (r)
		return r;
	thread = stub_thread_new(process, pid);
	if (!thread)
		return -ENOMEM;
	platform->template_thread = thread;
	r = stub_thread_try_attach(thread);
	if (r) {
		log_error(
			"ptrace platform: this process may not attach its own child: %s; is ptrace "
			"allowed here (seccomp, kernel.yama.ptrace_scope, dumpable)?",
			strerror(-r));
		return r;
	}
	r = set_up_template(platform, thread);
	if (!r)
		stub_thread_detach(thread);
	if (!r)
		r = watch_add(platform, pid);
	return r;
}

int stub_template_new(struct ptrace_platform *platform)
{
	int r = make_list_fd(platform);

	if (r)
		return r;
	r = map_code(platform);
	if (r)
		return r;
	r = start_template(platform);
	/* The sentry itself has no use for it. */
	munmap((void *)platform->code_address, STUB_AREA_SIZE);
	return r;
}

/* The template makes a process, which is attached to this host thread before its first instruction.
 */
static int64_t clone_process(struct ptrace_platform *platform)
{
	struct linux_user_regs registers = {
		.rdi = SIGKILL | CLONE_FILES | CLONE_PARENT | CLONE_PTRACE,
	};

	stub_thread_attach(platform->template_thread, -1);
	stub_thread_run(platform->template_thread, stub_code_at(platform, stub_code_clone_process),
		&registers);
	stub_thread_detach(platform->template_thread);
	return (int64_t)registers.r14;
}

/* template_lock held since new_list(). */
static void free_half_made(
	struct stub_process *process, struct stub_thread *first, struct stub_thread *second)
{
	process->platform->list_count--;
	free(first);
	free(second);
	munmap(process->list, STUB_LIST_SIZE);
	free(process);
}

/* One whose end nobody would notice is none to run guests in. */
static void end_unwatched(
	struct stub_process *process, struct stub_thread *first, struct stub_thread *second)
{
	int status;

	panic_if(kill(process->pid, SIGKILL), "ending stub process %d: %s", process->pid,
		strerror(errno));
	do {
		status = 0;
	} while (waitpid(process->pid, &status, __WALL) < 0 ? errno == EINTR
							    : !WIFSIGNALED(status));
	free_half_made(process, first, second);
}

int stub_template_clone(
	struct ptrace_platform *platform, struct stub_process **out, struct stub_thread **attached)
{
	struct stub_process *process;
	struct stub_thread *first, *second;
	uint64_t index;
	int64_t r;

	mutex_guard(&platform->template_lock);
	r = new_list(platform, &index);
	if (r)
		return (int)r;
	r = stub_process_new(platform, 0, index, &process);
	if (r)
		return (int)r;
	first = stub_thread_new(process, 0);
	second = stub_thread_new(process, 0);
	if (!first || !second)
		r = -ENOMEM;
	else
		r = clone_process(platform);
	if (r < 0) {
		free_half_made(process, first, second);
		return (int)r;
	}
	process->pid = (pid_t)r;
	atomic_store(&first->tid, (pid_t)r);
	r = watch_add(platform, process->pid);
	if (r) {
		end_unwatched(process, first, second);
		return (int)r;
	}
	stub_thread_adopt(first);
	r = prepare(first, index, true);
	if (r > 0) {
		second->tid = (pid_t)r;
		LIST_INSERT_HEAD(&process->spares, second, spare);
	} else {
		/* Whoever takes the first thread tries again. */
		free(second);
	}
	*out = process;
	*attached = first;
	return 0;
}
