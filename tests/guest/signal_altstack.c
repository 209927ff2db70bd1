/* SPDX-License-Identifier: Apache-2.0 */
/* The alternate signal stack: when it is used, its rules, what inherits it. */
#include "tests/guest/fault_catch.h"

#include <pthread.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <ucontext.h>

#define SIZE 65536

static char *stack_base;
static volatile bool on_stack;
static volatile int flags_seen;
static stack_t frame_stack;

static void handler(int signal, siginfo_t *info, void *context)
{
	char here;
	stack_t now;

	(void)signal;
	(void)info;
	on_stack = &here >= stack_base && &here < stack_base + SIZE;
	sigaltstack(NULL, &now);
	flags_seen = now.ss_flags;
	frame_stack = ((ucontext_t *)context)->uc_stack;
}

static void install(int flags)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};

	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
}

static stack_t stack_new(int flags)
{
	stack_t stack;

	stack_base = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(stack_base != MAP_FAILED);
	stack = (stack_t){.ss_sp = stack_base, .ss_size = SIZE, .ss_flags = flags};
	CHECK(sigaltstack(&stack, NULL) == 0);
	return stack;
}

TEST(none_at_first)
{
	stack_t stack = {.ss_flags = 99};

	CHECK(sigaltstack(NULL, &stack) == 0);
	CHECK_EQ(stack.ss_flags, SS_DISABLE);
	CHECK_EQ(stack.ss_size, 0);
}

static volatile size_t frame_size;

static void measure(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	/* The return address lies before the context. */
	frame_size = (size_t)(stack_base + SIZE - ((char *)context - 8));
}

/* Programs make stacks of what the auxiliary vector names and what they themselves need, or as
 * large as SIGSTKSZ was for a long time. */
TEST(a_frame_is_no_larger_than_programs_are_told)
{
	struct sigaction action = {.sa_sigaction = measure, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	stack_new(0);
	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	raise(SIGUSR1);
	CHECK(frame_size > 512 && frame_size <= getauxval(AT_MINSIGSTKSZ));
	CHECK(frame_size <= 8192 - 2048);
}

TEST(used_only_by_handlers_that_ask)
{
	stack_new(0);
	install(0);
	raise(SIGUSR1);
	CHECK(!on_stack);
	CHECK_EQ(flags_seen, 0);
	install(SA_ONSTACK);
	raise(SIGUSR1);
	CHECK(on_stack);
	CHECK_EQ(flags_seen, SS_ONSTACK);
	CHECK(frame_stack.ss_sp == stack_base);
	CHECK_EQ(frame_stack.ss_size, SIZE);
}

TEST(old_stack_is_returned)
{
	stack_t old = stack_new(0), seen, disabled = {.ss_flags = SS_DISABLE};

	CHECK(sigaltstack(&disabled, &seen) == 0);
	CHECK(seen.ss_sp == old.ss_sp && seen.ss_size == SIZE);
	CHECK_EQ(seen.ss_flags, 0);
	install(SA_ONSTACK);
	raise(SIGUSR1);
	CHECK(!on_stack);
}

TEST(errors)
{
	stack_t stack = {.ss_sp = (void *)0x10000, .ss_size = 100};

	CHECK_ERRNO(sigaltstack(&stack, NULL), ENOMEM);
	stack.ss_size = SIZE;
	stack.ss_flags = 0x40;
	CHECK_ERRNO(sigaltstack(&stack, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_sigaltstack, (void *)8, NULL), EFAULT);
	CHECK_ERRNO(syscall(SYS_sigaltstack, NULL, (void *)8), EFAULT);
}

static volatile int change_errno;

static void change_handler(int signal)
{
	stack_t stack = {.ss_flags = SS_DISABLE};

	(void)signal;
	change_errno = sigaltstack(&stack, NULL) ? errno : 0;
}

TEST(cannot_be_changed_while_in_use)
{
	struct sigaction action = {.sa_handler = change_handler, .sa_flags = SA_ONSTACK};

	stack_new(0);
	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	raise(SIGUSR1);
	CHECK_EQ(change_errno, EPERM);
}

TEST(autodisarm_lets_it_be_changed)
{
	struct sigaction action = {.sa_handler = change_handler, .sa_flags = SA_ONSTACK};
	stack_t stack;

	stack_new((int)(1u << 31) /* SS_AUTODISARM */);
	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	change_errno = -1;
	raise(SIGUSR1);
	CHECK_EQ(change_errno, 0);
	CHECK(sigaltstack(NULL, &stack) == 0);
	CHECK_EQ((unsigned)stack.ss_flags, 1u << 31); /* sigreturn put it back */
	CHECK(stack.ss_sp == stack_base);
}

TEST(fork_inherits_it)
{
	pid_t child;
	int status;

	stack_new(0);
	install(SA_ONSTACK);
	child = fork();
	if (child == 0) {
		raise(SIGUSR1);
		_exit(on_stack ? 0 : 1);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
}

static void *thread_looks(void *argument)
{
	stack_t stack;

	CHECK(sigaltstack(NULL, &stack) == 0);
	CHECK_EQ(stack.ss_flags, SS_DISABLE);
	return argument;
}

TEST(a_new_thread_has_none)
{
	pthread_t thread;

	stack_new(0);
	CHECK(pthread_create(&thread, NULL, thread_looks, NULL) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
}

static int depth(int count)
{
	volatile char frame[8192];

	frame[0] = (char)count;
	return count == -1 ? 0 : depth(count + 1) + frame[0];
}

static void overflow(void)
{
	depth(0);
}

TEST(an_overflowing_thread_stack_is_caught_there)
{
	stack_new(0);
	CHECK_EQ(fault_of_call(overflow), SIGSEGV);
}

static void nested_handler(int signal)
{
	char here;

	if (signal == SIGUSR1)
		raise(SIGUSR2);
	else
		on_stack = &here >= stack_base && &here < stack_base + SIZE;
}

TEST(nested_handlers_stay_on_it)
{
	struct sigaction action = {.sa_handler = nested_handler, .sa_flags = SA_ONSTACK};

	stack_new(0);
	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	CHECK(sigaction(SIGUSR2, &action, NULL) == 0);
	raise(SIGUSR1);
	CHECK(on_stack);
}

static void no_room(void)
{
	stack_t stack = {.ss_sp = (void *)0x1000, .ss_size = SIZE};

	install(SA_ONSTACK);
	CHECK(sigaltstack(&stack, NULL) == 0);
	raise(SIGUSR1);
}

TEST(an_alternate_stack_that_is_not_there_kills)
{
	CHECK_EQ(WTERMSIG(in_child(no_room)), SIGSEGV);
}

GUEST_TEST_MAIN()
