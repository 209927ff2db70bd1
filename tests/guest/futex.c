/* SPDX-License-Identifier: Apache-2.0 */
/* futex: wait, wake, bitsets, requeue, wake_op, timeouts, shared keys, errors. */
#include "tests/guest/temporary.h"
#include "tests/guest/wait_asleep.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>

static uint32_t word, other_word;

static long futex(uint32_t *address, int operation, uint32_t value, const void *timeout,
	uint32_t *second, uint32_t third)
{
	return syscall(SYS_futex, address, operation, value, timeout, second, third);
}

TEST(wait_with_another_value_is_eagain)
{
	word = 5;
	CHECK_ERRNO(futex(&word, FUTEX_WAIT, 4, NULL, NULL, 0), EAGAIN);
	CHECK_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 4, NULL, NULL, 0), EAGAIN);
}

TEST(wait_times_out)
{
	struct timespec timeout = {0, 30000000};
	int64_t start = now_ns();

	CHECK_ERRNO(futex(&word, FUTEX_WAIT, 0, &timeout, NULL, 0), ETIMEDOUT);
	CHECK(now_ns() - start >= 30000000);
}

TEST(absolute_timeouts_of_both_clocks)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec -= 1;
	CHECK_ERRNO(futex(&word, FUTEX_WAIT_BITSET, 0, &until, NULL, FUTEX_BITSET_MATCH_ANY),
		ETIMEDOUT);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 20000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	CHECK_ERRNO(futex(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &until, NULL,
			    FUTEX_BITSET_MATCH_ANY),
		ETIMEDOUT);
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	CHECK(now.tv_sec > until.tv_sec ||
		(now.tv_sec == until.tv_sec && now.tv_nsec >= until.tv_nsec));
}

TEST(errors)
{
	struct timespec bad = {0, 1000000000}, negative = {-1, 0};
	char *unaligned = (char *)&word + 1;

	CHECK_ERRNO(futex((uint32_t *)(void *)unaligned, FUTEX_WAIT, 0, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex((uint32_t *)8, FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT);
	CHECK_ERRNO(futex(&word, 99, 0, NULL, NULL, 0), ENOSYS);
	CHECK_ERRNO(futex(&word, FUTEX_WAIT, 0, &bad, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(&word, FUTEX_WAIT, 0, &negative, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(&word, FUTEX_WAIT, 0, (void *)8, NULL, 0), EFAULT);
	CHECK_ERRNO(futex(&word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(&word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(&word, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0), ENOSYS);
	CHECK_EQ(futex((uint32_t *)(void *)((uintptr_t)&word & ~3ul), FUTEX_WAKE, 1, NULL, NULL, 0),
		0);
	CHECK_ERRNO(futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)1, &other_word, 9), EAGAIN);
	CHECK_ERRNO(futex(&word, FUTEX_REQUEUE, (uint32_t)-1, (void *)1, &other_word, 0), EINVAL);
}

struct sleeper {
	pthread_t thread;
	uint32_t *address;
	uint32_t bits;
	volatile int state;
	volatile pid_t tid;
};

static void *sleeps(void *argument)
{
	struct sleeper *sleeper = argument;

	sleeper->tid = (pid_t)syscall(SYS_gettid);
	CHECK_EQ(futex(sleeper->address, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, sleeper->bits),
		0);
	__atomic_store_n(&sleeper->state, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void sleeper_start(struct sleeper *sleeper, uint32_t *address, uint32_t bits)
{
	*sleeper = (struct sleeper){.address = address, .bits = bits};
	CHECK(pthread_create(&sleeper->thread, NULL, sleeps, sleeper) == 0);
	while (!sleeper->tid)
		sleep_ms(1);
	wait_asleep(sleeper->tid);
}

static int awake(struct sleeper *sleepers, int count)
{
	int sum = 0;

	for (int i = 0; i < count; i++)
		sum += __atomic_load_n(&sleepers[i].state, __ATOMIC_SEQ_CST);
	return sum;
}

static void await(struct sleeper *sleepers, int count, int expected)
{
	for (int i = 0; i < 5000 && awake(sleepers, count) < expected; i++)
		sleep_ms(1);
	CHECK_EQ(awake(sleepers, count), expected);
}

TEST(wake_counts_whom_it_woke)
{
	struct sleeper sleepers[5];

	for (int i = 0; i < 5; i++)
		sleeper_start(&sleepers[i], &word, ~0u);
	CHECK_EQ(futex(&other_word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 0);
	CHECK_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 2, NULL, NULL, 0), 2);
	await(sleepers, 5, 2);
	CHECK_EQ(futex(&word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0), 3);
	await(sleepers, 5, 5);
	CHECK_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0);
}

TEST(bitsets_choose)
{
	struct sleeper sleepers[2];

	sleeper_start(&sleepers[0], &word, 1);
	sleeper_start(&sleepers[1], &word, 2);
	CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 5, NULL, NULL, 4), 0);
	CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 5, NULL, NULL, 2), 1);
	await(sleepers, 2, 1);
	CHECK_EQ(sleepers[1].state, 1);
	CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 5, NULL, NULL, 3), 1);
	await(sleepers, 2, 2);
}

TEST(requeue_moves_sleepers)
{
	struct sleeper sleepers[5];

	for (int i = 0; i < 5; i++)
		sleeper_start(&sleepers[i], &word, ~0u);
	CHECK_EQ(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)2, &other_word, 0), 3);
	await(sleepers, 5, 1);
	CHECK_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 2);
	CHECK_EQ(futex(&other_word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 2);
	await(sleepers, 5, 5);
}

TEST(plain_requeue_counts_only_the_woken)
{
	struct sleeper sleepers[3];

	for (int i = 0; i < 3; i++)
		sleeper_start(&sleepers[i], &word, ~0u);
	CHECK_EQ(futex(&word, FUTEX_REQUEUE_PRIVATE, 1, (void *)10, &other_word, 0), 3);
	CHECK_EQ(futex(&other_word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 2);
	await(sleepers, 3, 3);
}

TEST(wake_op_changes_the_second_word)
{
	struct sleeper sleepers[2];

	sleeper_start(&sleepers[0], &word, ~0u);
	sleeper_start(&sleepers[1], &other_word, ~0u);
	CHECK_EQ(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &other_word,
			 FUTEX_OP(FUTEX_OP_ADD, 7, FUTEX_OP_CMP_EQ, 0)),
		2);
	CHECK_EQ(other_word, 7);
	await(sleepers, 2, 2);
	CHECK_EQ(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &other_word,
			 FUTEX_OP(FUTEX_OP_OR, 8, FUTEX_OP_CMP_GT, 100)),
		0);
	CHECK_EQ(other_word, 15);
	CHECK_EQ(futex(&word, FUTEX_WAKE_OP_PRIVATE, 0, NULL, &other_word,
			 FUTEX_OP(FUTEX_OP_ANDN, 3, FUTEX_OP_CMP_LT, 0)),
		0);
	CHECK_EQ(other_word, 12);
	futex(&word, FUTEX_WAKE_OP_PRIVATE, 0, NULL, &other_word,
		FUTEX_OP(FUTEX_OP_XOR, 5, FUTEX_OP_CMP_LT, 0));
	CHECK_EQ(other_word, 9);
	futex(&word, FUTEX_WAKE_OP_PRIVATE, 0, NULL, &other_word,
		FUTEX_OP((FUTEX_OP_SET | FUTEX_OP_OPARG_SHIFT), 4, FUTEX_OP_CMP_LT, 0));
	CHECK_EQ(other_word, 16);
}

static void processes_meet(uint32_t *parent_side, uint32_t *child_side)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		sleep_ms(20);
		__atomic_store_n(child_side, 1, __ATOMIC_SEQ_CST);
		futex(child_side, FUTEX_WAKE, 1, NULL, NULL, 0);
		_exit(0);
	}
	while (__atomic_load_n(parent_side, __ATOMIC_SEQ_CST) == 0)
		CHECK(futex(parent_side, FUTEX_WAIT, 0, NULL, NULL, 0) == 0 || errno == EAGAIN);
	CHECK(waitpid(child, &status, 0) == child);
}

TEST(shared_anonymous_memory_is_one_key)
{
	uint32_t *page =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	processes_meet(&page[10], &page[10]);
}

TEST(two_mappings_of_a_file_are_one_key)
{
	uint32_t *first, *second;
	int fd;

	temporary_enter();
	temporary_file("file", (char[8192]){0}, 8192);
	fd = open("file", O_RDWR);
	first = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	second = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
	processes_meet(&first[1024 + 3], &second[3]);
}

static void handler(int signal)
{
	(void)signal;
}

TEST(a_signal_interrupts)
{
	struct sigaction action = {.sa_handler = handler};
	struct timespec timeout = {30, 0};
	pid_t me = getpid(), child;

	sigaction(SIGUSR1, &action, NULL);
	child = fork();
	if (child == 0)
		for (;;) {
			sleep_ms(10);
			kill(me, SIGUSR1);
		}
	CHECK_ERRNO(futex(&word, FUTEX_WAIT, 0, &timeout, NULL, 0), EINTR);
	CHECK_ERRNO(futex(&word, FUTEX_WAIT, 0, NULL, NULL, 0), EINTR);
	kill(child, SIGKILL);
}

TEST(waitv_waits_for_any)
{
	struct {
		uint64_t value, address;
		uint32_t flags, reserved;
	} entries[2] = {
		{0, (uintptr_t)&word, 2 /* 32 bits */, 0}, {0, (uintptr_t)&other_word, 2, 0}};
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	CHECK_ERRNO(syscall(449, entries, 2, 0, &until, CLOCK_MONOTONIC), ETIMEDOUT);
	CHECK_ERRNO(syscall(449, entries, 2, 1, &until, CLOCK_MONOTONIC), EINVAL);
	CHECK_ERRNO(syscall(449, entries, 0, 0, NULL, 0), EINVAL);
	CHECK_ERRNO(syscall(449, entries, 129, 0, NULL, 0), EINVAL);
	other_word = 1;
	CHECK_ERRNO(syscall(449, entries, 2, 0, NULL, 0), EAGAIN);
}

TEST(ping_pong_between_threads)
{
	uint32_t *page =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child = fork();
	int status;
	uint32_t me = child == 0;

	for (int i = 0; i < 500; i++) {
		uint32_t seen;

		while ((seen = __atomic_load_n(page, __ATOMIC_SEQ_CST)) % 2 != me)
			futex(page, FUTEX_WAIT, seen, NULL, NULL, 0);
		__atomic_fetch_add(page, 1, __ATOMIC_SEQ_CST);
		futex(page, FUTEX_WAKE, 1, NULL, NULL, 0);
	}
	if (child == 0)
		_exit(0);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
	CHECK_EQ(*page, 1000);
}

GUEST_TEST_MAIN()
