/* SPDX-License-Identifier: Apache-2.0 */
/* Single steps over everything that is not a plain instruction, steps by branches, and debug
 * registers: breakpoints and watchpoints of one thread. */
#include "tests/guest/ptrace_test.h"

#include <pthread.h>

#define FLAG_TRAP     0x100ul
#define STATUS_STEP   0x4000ul
#define STATUS_BITS   0xe00ful
#define TRAP_HARDWARE 4

/* DR7: the n-th is on, of this kind and size. */
#define EXECUTE	   0ul
#define WRITE	   1ul
#define READ_WRITE 3ul
#define CONTROL(n, kind, size)                                                                     \
	(1ul << (n)*2 | ((kind) | ((size) == 8 ? 2ul : (size)-1ul) << 2) << (16 + (n)*4))

static void step(pid_t tracee)
{
	go(PTRACE_SINGLESTEP, tracee, STOPPED(SIGTRAP));
}

static unsigned long rip_of(pid_t tracee)
{
	return peek_user(tracee, REGISTER(rip));
}

/* Continues to the next int3. */
static void go_to_mark(pid_t tracee)
{
	go(PTRACE_CONT, tracee, STOPPED(SIGTRAP));
	CHECK_EQ(stop_info(tracee).si_code, SI_KERNEL);
}

/* --- steps --- */

extern const char after_mark[], plain_end[];

static void plain(void)
{
	__asm__ volatile("int3\n"
			 "after_mark: nop\n\tnop\n\txor %%eax, %%eax\n\tadd $1, %%eax\n"
			 "plain_end: nop"
			 :
			 :
			 : "rax", "cc");
	_exit(5);
}

TEST(one_instruction_each)
{
	static const unsigned int sizes[] = {1, 1, 2, 3};
	pid_t tracee = tracee_of(plain);
	unsigned long rip;
	siginfo_t info;

	go_to_mark(tracee);
	rip = (unsigned long)after_mark;
	CHECK_EQ(rip_of(tracee), rip);
	for (int i = 0; i < 4; i++) {
		step(tracee);
		rip += sizes[i];
		CHECK_EQ(rip_of(tracee), rip);
		info = stop_info(tracee);
		CHECK(info.si_signo == SIGTRAP && info.si_code == TRAP_TRACE);
		CHECK_EQ((unsigned long)info.si_addr, rip);
		/* The trap flag is the kernel's own affair. */
		CHECK(!(peek_user(tracee, REGISTER(eflags)) & FLAG_TRAP));
	}
	CHECK_EQ(rip, (unsigned long)plain_end);
	go(PTRACE_CONT, tracee, EXITED(5));
}

static void call_in_the_middle(void)
{
	long result;

	__asm__ volatile("int3\n\tsyscall\n\tnop\n\tnop"
			 : "=a"(result)
			 : "a"(SYS_getppid)
			 : "rcx", "r11", "memory");
	_exit(result > 0 ? 5 : 6);
}

TEST(over_a_system_call)
{
	pid_t tracee = tracee_of(call_in_the_middle);
	unsigned long rip;

	go_to_mark(tracee);
	rip = rip_of(tracee);
	step(tracee);
	CHECK_EQ(rip_of(tracee), rip + 2);
	CHECK_EQ(peek_user(tracee, REGISTER(rax)), getpid());
	CHECK(!(peek_user(tracee, REGISTER(eflags)) & FLAG_TRAP));
	/* The processor puts the flags there as it has them. */
	CHECK_EQ(peek_user(tracee, REGISTER(r11)) & FLAG_TRAP, FLAG_TRAP);
	step(tracee);
	CHECK_EQ(rip_of(tracee), rip + 3);
	go(PTRACE_CONT, tracee, EXITED(5));
}

static void push_flags(void)
{
	unsigned long flags;

	__asm__ volatile("int3\n\tpushfq\n\tpopq %0\n\tnop" : "=r"(flags) : : "memory");
	_exit(flags & FLAG_TRAP ? 6 : 5);
}

/* The flag is seen by the program that looks: as natively, whatever that is. */
TEST(over_pushf)
{
	pid_t tracee = tracee_of(push_flags);
	unsigned long word;

	go_to_mark(tracee);
	step(tracee);
	CHECK_EQ(request(PTRACE_PEEKDATA, tracee, peek_user(tracee, REGISTER(rsp)),
			 (unsigned long)&word),
		0);
	CHECK_EQ(word & FLAG_TRAP, FLAG_TRAP);
	CHECK(!(peek_user(tracee, REGISTER(eflags)) & FLAG_TRAP));
	step(tracee);
	go(PTRACE_CONT, tracee, EXITED(6));
}

static void set_trap_flag(void)
{
	__asm__ volatile("int3\n\tpushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tnop\n\tnop"
			 :
			 :
			 : "memory", "cc");
	_exit(5);
}

/* A program that traps itself: each instruction is a SIGTRAP of its own. */
TEST(a_trap_flag_of_its_own)
{
	pid_t tracee = tracee_of(set_trap_flag);
	unsigned long rip;

	go_to_mark(tracee);
	go(PTRACE_CONT, tracee, STOPPED(SIGTRAP));
	CHECK_EQ(stop_info(tracee).si_code, TRAP_TRACE);
	CHECK_EQ(peek_user(tracee, REGISTER(eflags)) & FLAG_TRAP, FLAG_TRAP);
	rip = rip_of(tracee);
	go(PTRACE_CONT, tracee, STOPPED(SIGTRAP));
	CHECK_EQ(rip_of(tracee), rip + 1);
	poke_user(tracee, REGISTER(eflags), 0);
	go(PTRACE_CONT, tracee, EXITED(5));
}

static char from[64], to[64];

static void copy_bytes(void)
{
	void *source = from, *target = to;
	unsigned long count = 5;

	__asm__ volatile("int3\n\trep movsb\n\tnop"
			 : "+S"(source), "+D"(target), "+c"(count)
			 :
			 : "memory");
	_exit(5);
}

TEST(over_rep)
{
	pid_t tracee = tracee_of(copy_bytes);
	unsigned long rip;

	go_to_mark(tracee);
	rip = rip_of(tracee);
	for (unsigned long left = 5; left-- > 0;) {
		CHECK_EQ(rip_of(tracee), rip);
		step(tracee);
		CHECK_EQ(peek_user(tracee, REGISTER(rcx)), left);
	}
	CHECK_EQ(rip_of(tracee), rip + 2);
	end(tracee);
}

static void on_signal(int signal)
{
	(void)signal;
}

static void raise_in_the_middle(void)
{
	signal(SIGUSR1, on_signal);
	__asm__ volatile("int3\n\tsyscall\n\tnop"
			 :
			 : "a"(SYS_kill), "D"(getpid()), "S"(SIGUSR1)
			 : "rcx", "r11", "memory");
	_exit(5);
}

/* Into a handler, through it, and back to where it came from. */
TEST(into_and_out_of_a_handler)
{
	pid_t tracee = tracee_of(raise_in_the_middle);
	unsigned long rip;
	int steps = 0;
	bool returned = false;

	go_to_mark(tracee);
	rip = rip_of(tracee) + 2;
	/* The step over the call is complete, and then the signal comes. */
	CHECK_EQ(request(PTRACE_SINGLESTEP, tracee, 0, 0), 0);
	CHECK_EQ(wait_for(tracee), STOPPED(SIGTRAP));
	CHECK_EQ(rip_of(tracee), rip);
	go(PTRACE_SINGLESTEP, tracee, STOPPED(SIGUSR1));
	CHECK_EQ(rip_of(tracee), rip);
	go_with(PTRACE_SINGLESTEP, tracee, SIGUSR1, STOPPED(SIGTRAP));
	/* Before the first instruction of the handler. */
	CHECK_EQ(rip_of(tracee), (unsigned long)on_signal);
	CHECK_EQ(peek_user(tracee, REGISTER(rdi)), SIGUSR1);
	while (rip_of(tracee) != rip && steps++ < 1000) {
		step(tracee);
		returned |= rip_of(tracee) == rip;
	}
	CHECK(returned);
	CHECK(!(peek_user(tracee, REGISTER(eflags)) & FLAG_TRAP));
	step(tracee);
	CHECK_EQ(rip_of(tracee), rip + 1);
	go(PTRACE_CONT, tracee, EXITED(5));
}

/* The handler's frame must not hold the tracer's trap flag. */
TEST(a_handler_returns_without_stepping)
{
	pid_t tracee = tracee_of(raise_in_the_middle);

	go_to_mark(tracee);
	step(tracee);
	go(PTRACE_SINGLESTEP, tracee, STOPPED(SIGUSR1));
	go_with(PTRACE_SINGLESTEP, tracee, SIGUSR1, STOPPED(SIGTRAP));
	go(PTRACE_CONT, tracee, EXITED(5));
}

static void fork_in_the_middle(void)
{
	long child;
	int status;

	__asm__ volatile("int3\n\tsyscall\n\tnop"
			 : "=a"(child)
			 : "a"(SYS_fork)
			 : "rcx", "r11", "memory");
	if (child == 0)
		_exit(3);
	_exit(waitpid((pid_t)child, &status, 0) == child && status == EXITED(3) ? 5 : 6);
}

/* The child does not step. */
TEST(over_a_fork)
{
	pid_t tracee = tracee_of(fork_in_the_middle);
	int status;

	go_to_mark(tracee);
	step(tracee);
	CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	while (WIFSTOPPED(status = wait_for(tracee)))
		CHECK_EQ(request(PTRACE_CONT, tracee, 0, WSTOPSIG(status)), 0);
	CHECK_EQ(status, EXITED(5));
}

static void exec_true(void)
{
	execl("/bin/true", "true", NULL);
	_exit(1);
}

TEST(over_an_exec)
{
	pid_t tracee = tracee_with(exec_true, PTRACE_O_TRACEEXEC);

	go(PTRACE_CONT, tracee, EVENT_STOP(PTRACE_EVENT_EXEC));
	step(tracee);
	step(tracee);
	go(PTRACE_CONT, tracee, EXITED(0));
}

/* The step ends when the tracee stops for something else. */
TEST(a_fault_instead_of_a_step)
{
	pid_t tracee = tracee_of(plain);

	go_to_mark(tracee);
	poke_user(tracee, REGISTER(rip), 0x10);
	go(PTRACE_SINGLESTEP, tracee, STOPPED(SIGSEGV));
	CHECK_EQ(rip_of(tracee), 0x10);
	end(tracee);
}

TEST(a_thousand_steps)
{
	pid_t tracee = tracee_of(exec_true);

	for (int i = 0; i < 1000; i++)
		step(tracee);
	CHECK_EQ(request(PTRACE_DETACH, tracee, 0, 0), 0);
	CHECK_EQ(wait_for(tracee), 0);
}

/* --- by branches --- */

extern const char block_start[], block_end[];

static void straight_line(void)
{
	__asm__ volatile("int3\n"
			 "block_start: nop\n\tnop\n\tnop\n\tnop\n\tjmp block_end\n\tnop\n"
			 "block_end: nop\n\tnop");
	_exit(5);
}

/* Where the processor can: to where the branch leads. */
TEST(a_block)
{
	pid_t tracee = tracee_of(straight_line);

	go_to_mark(tracee);
	CHECK_EQ(rip_of(tracee), (unsigned long)block_start);
	if (request(SINGLE_BLOCK, tracee, 0, 0)) {
		CHECK_EQ(errno, EIO);
		end(tracee);
		SKIP("no steps by branches");
	}
	CHECK_EQ(wait_for(tracee), STOPPED(SIGTRAP));
	CHECK(rip_of(tracee) > (unsigned long)block_start);
	CHECK(rip_of(tracee) <= (unsigned long)block_end);
	CHECK_EQ(stop_info(tracee).si_code, TRAP_TRACE);
	go(PTRACE_CONT, tracee, EXITED(5));
}

/* --- debug registers --- */

static volatile long watched[4] __attribute__((aligned(64)));
extern const char write_end[];

static void write_watched(void)
{
	for (int i = 0; i < 3; i++)
		watched[0] = i + 1;
	(void)watched[0];
	watched[1] = 7;
	_exit((int)(watched[0] + watched[1]));
}

static __attribute__((noinline)) void called(void)
{
	__asm__ volatile("");
}

static void call_thrice(void)
{
	for (int i = 0; i < 3; i++)
		called();
	_exit(5);
}

static bool cannot_watch(pid_t tracee)
{
	return request(PTRACE_POKEUSER, tracee, DEBUG_REGISTER(0), (unsigned long)&watched[0]);
}

/* A stop of a watchpoint or a breakpoint: DR6 says which. */
static void check_hit(pid_t tracee, unsigned long which)
{
	CHECK_EQ(wait_for(tracee), STOPPED(SIGTRAP));
	CHECK_EQ(stop_info(tracee).si_code, TRAP_HARDWARE);
	CHECK_EQ(peek_user(tracee, DEBUG_REGISTER(6)) & 0xf, which);
}

TEST(a_watchpoint_fires_after_each_write)
{
	pid_t tracee = tracee_of(write_watched);
	unsigned long word;

	if (cannot_watch(tracee))
		SKIP("no debug registers");
	CHECK_EQ(peek_user(tracee, DEBUG_REGISTER(6)) & STATUS_BITS, 0);
	poke_user(tracee, DEBUG_REGISTER(7), CONTROL(0, WRITE, 8));
	CHECK_EQ(peek_user(tracee, DEBUG_REGISTER(7)), CONTROL(0, WRITE, 8));
	CHECK_EQ(peek_user(tracee, DEBUG_REGISTER(0)), (unsigned long)&watched[0]);
	for (unsigned long i = 1; i <= 3; i++) {
		CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
		check_hit(tracee, 1);
		CHECK_EQ(request(PTRACE_PEEKDATA, tracee, (unsigned long)&watched[0],
				 (unsigned long)&word),
			0);
		CHECK_EQ(word, i);
	}
	go(PTRACE_CONT, tracee, EXITED(10));
}

TEST(a_watchpoint_that_fires_for_reads_too)
{
	pid_t tracee = tracee_of(write_watched);

	if (cannot_watch(tracee))
		SKIP("no debug registers");
	poke_user(tracee, DEBUG_REGISTER(7), CONTROL(0, READ_WRITE, 4));
	/* Three writes, two reads. */
	for (int i = 0; i < 5; i++) {
		CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
		check_hit(tracee, 1);
	}
	go(PTRACE_CONT, tracee, EXITED(10));
}

/* DR6 tells of the last one alone. */
TEST(two_watchpoints)
{
	pid_t tracee = tracee_of(write_watched);

	if (cannot_watch(tracee))
		SKIP("no debug registers");
	poke_user(tracee, DEBUG_REGISTER(2), (unsigned long)&watched[1]);
	poke_user(tracee, DEBUG_REGISTER(7), CONTROL(0, WRITE, 1) | CONTROL(2, WRITE, 2));
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
		check_hit(tracee, 1);
	}
	CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	check_hit(tracee, 4);
	/* Off again, one by one. */
	poke_user(tracee, DEBUG_REGISTER(7), CONTROL(0, WRITE, 1));
	poke_user(tracee, DEBUG_REGISTER(7), 0);
	go(PTRACE_CONT, tracee, EXITED(10));
}

TEST(a_breakpoint)
{
	pid_t tracee = tracee_of(call_thrice);

	if (request(PTRACE_POKEUSER, tracee, DEBUG_REGISTER(3), (unsigned long)called))
		SKIP("no debug registers");
	poke_user(tracee, DEBUG_REGISTER(7), CONTROL(3, EXECUTE, 1));
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
		check_hit(tracee, 8);
		/* Before the instruction, and not again for it. */
		CHECK_EQ(rip_of(tracee), (unsigned long)called);
	}
	go(PTRACE_CONT, tracee, EXITED(5));
}

TEST(steps_and_dr6)
{
	pid_t tracee = tracee_of(plain);

	if (cannot_watch(tracee))
		SKIP("no debug registers");
	go_to_mark(tracee);
	step(tracee);
	CHECK_EQ(peek_user(tracee, DEBUG_REGISTER(6)) & STATUS_BITS, STATUS_STEP);
	poke_user(tracee, DEBUG_REGISTER(6), 0);
	CHECK_EQ(peek_user(tracee, DEBUG_REGISTER(6)), 0);
	step(tracee);
	CHECK_EQ(peek_user(tracee, DEBUG_REGISTER(6)) & STATUS_BITS, STATUS_STEP);
	poke_user(tracee, DEBUG_REGISTER(6), 0xf);
	CHECK_EQ(peek_user(tracee, DEBUG_REGISTER(6)), 0xf);
	/* The next trap writes it anew. */
	step(tracee);
	CHECK_EQ(peek_user(tracee, DEBUG_REGISTER(6)) & STATUS_BITS, STATUS_STEP);
	end(tracee);
}

TEST(debug_registers_that_are_refused)
{
	pid_t tracee = tracee_of(write_watched);
	unsigned long here = (unsigned long)&watched[0];

	if (cannot_watch(tracee))
		SKIP("no debug registers");
	CHECK_ERRNO(request(PTRACE_POKEUSER, tracee, DEBUG_REGISTER(4), 0), EIO);
	CHECK_ERRNO(request(PTRACE_POKEUSER, tracee, DEBUG_REGISTER(5), 0), EIO);
	CHECK_EQ(peek_user(tracee, DEBUG_REGISTER(4)), 0);
	CHECK_ERRNO(request(PTRACE_POKEUSER, tracee, DEBUG_REGISTER(1), 1ul << 63), EINVAL);
	CHECK_ERRNO(
		request(PTRACE_POKEUSER, tracee, DEBUG_REGISTER(1), 0xffff800000000000), EINVAL);
	/* Off, any address goes; on, it must lie on a boundary of its size. */
	CHECK_EQ(request(PTRACE_POKEUSER, tracee, DEBUG_REGISTER(0), here + 1), 0);
	CHECK_ERRNO(
		request(PTRACE_POKEUSER, tracee, DEBUG_REGISTER(7), CONTROL(0, WRITE, 4)), EINVAL);
	CHECK_EQ(peek_user(tracee, DEBUG_REGISTER(7)), 0);
	CHECK_EQ(request(PTRACE_POKEUSER, tracee, DEBUG_REGISTER(7), CONTROL(0, WRITE, 1)), 0);
	/* Breakpoints have no size; there is no watching of ports. */
	CHECK_ERRNO(request(PTRACE_POKEUSER, tracee, DEBUG_REGISTER(7), CONTROL(0, EXECUTE, 4)),
		EINVAL);
	CHECK_ERRNO(
		request(PTRACE_POKEUSER, tracee, DEBUG_REGISTER(7), CONTROL(0, 2ul, 1)), EINVAL);
	CHECK_EQ(peek_user(tracee, DEBUG_REGISTER(7)), CONTROL(0, WRITE, 1));
	poke_user(tracee, DEBUG_REGISTER(7), 0);
	go(PTRACE_CONT, tracee, EXITED(10));
}

/* --- whose they are --- */

static int started[2];

static void *write_in_thread(void *unused)
{
	char byte;

	(void)!read(started[0], &byte, 1);
	watched[0] = 5;
	return unused;
}

static void write_in_both(void)
{
	pthread_t thread;

	(void)!pipe(started);
	pthread_create(&thread, NULL, write_in_thread, NULL);
	watched[0] = 1;
	(void)!write(started[1], "x", 1);
	pthread_join(thread, NULL);
	_exit((int)watched[0]);
}

/* One thread's watchpoint does not fire for another's write. */
TEST(they_are_a_thread_s_own)
{
	pid_t tracee = tracee_with(write_in_both, PTRACE_O_TRACECLONE), thread;
	int status;

	if (cannot_watch(tracee))
		SKIP("no debug registers");
	poke_user(tracee, DEBUG_REGISTER(7), CONTROL(0, WRITE, 8));
	go(PTRACE_CONT, tracee, EVENT_STOP(PTRACE_EVENT_CLONE));
	thread = (pid_t)event_message(tracee);
	CHECK_EQ(wait_for(thread), STOPPED(SIGSTOP));
	/* Born with none, whatever its DR7 says. */
	CHECK_EQ(peek_user(thread, DEBUG_REGISTER(0)), 0);
	CHECK_EQ(peek_user(thread, DEBUG_REGISTER(7)), CONTROL(0, WRITE, 8));
	CHECK_EQ(request(PTRACE_CONT, thread, 0, 0), 0);
	CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	check_hit(tracee, 1);
	CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	/* Its own end, or that of all. */
	status = wait_for(thread);
	CHECK(status == EXITED(0) || status == EXITED(5));
	CHECK_EQ(wait_for(tracee), EXITED(5));
}

static void write_in_child(void)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		watched[0] = 9;
		_exit(0);
	}
	waitpid(child, &status, 0);
	_exit(status == 0 ? 5 : 6);
}

TEST(a_child_has_none)
{
	pid_t tracee = tracee_of(write_in_child);
	int status;

	if (cannot_watch(tracee))
		SKIP("no debug registers");
	poke_user(tracee, DEBUG_REGISTER(7), CONTROL(0, WRITE, 8));
	CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	while (WIFSTOPPED(status = wait_for(tracee))) {
		CHECK_EQ(status, STOPPED(SIGCHLD));
		CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	}
	CHECK_EQ(status, EXITED(5));
}

TEST(execve_clears_them)
{
	pid_t tracee = tracee_with(exec_true, PTRACE_O_TRACEEXEC);

	if (cannot_watch(tracee))
		SKIP("no debug registers");
	poke_user(tracee, DEBUG_REGISTER(7), CONTROL(0, WRITE, 8));
	go(PTRACE_CONT, tracee, EVENT_STOP(PTRACE_EVENT_EXEC));
	CHECK_EQ(peek_user(tracee, DEBUG_REGISTER(0)), 0);
	CHECK_EQ(peek_user(tracee, DEBUG_REGISTER(7)), 0);
	go(PTRACE_CONT, tracee, EXITED(0));
}

/* They outlive the tracer, and fire for the tracee alone. */
TEST(detaching_leaves_them_set)
{
	pid_t tracee = tracee_of(write_watched);

	if (cannot_watch(tracee))
		SKIP("no debug registers");
	poke_user(tracee, DEBUG_REGISTER(7), CONTROL(0, WRITE, 8));
	CHECK_EQ(request(PTRACE_DETACH, tracee, 0, 0), 0);
	CHECK_EQ(wait_for(tracee), SIGTRAP);
}

/* What a tracee leaves behind is nobody else's. */
TEST(the_dead_leave_none)
{
	for (int i = 0; i < 20; i++) {
		pid_t tracee = tracee_of(write_watched), child;

		if (cannot_watch(tracee))
			SKIP("no debug registers");
		poke_user(tracee, DEBUG_REGISTER(7), CONTROL(0, READ_WRITE, 8));
		end(tracee);
		child = fork();
		if (child == 0)
			write_watched();
		CHECK_EQ(wait_for(child), EXITED(10));
	}
}

/* A watchpoint that a system call writes over does not fire: the kernel's writes do not count. */
static void read_over_watched(void)
{
	int fds[2];

	(void)!pipe(fds);
	(void)!write(fds[1], "12345678", 8);
	(void)!read(fds[0], (void *)&watched[0], 8);
	_exit(5);
}

TEST(a_system_call_that_writes)
{
	pid_t tracee = tracee_of(read_over_watched);

	if (cannot_watch(tracee))
		SKIP("no debug registers");
	poke_user(tracee, DEBUG_REGISTER(7), CONTROL(0, WRITE, 8));
	go(PTRACE_CONT, tracee, EXITED(5));
}

GUEST_TEST_MAIN()
