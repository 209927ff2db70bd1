/* SPDX-License-Identifier: Apache-2.0 */
/* Robust mutexes: what a thread or process that dies leaves behind. */
#include "tests/guest/guest_test.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>

static pthread_mutex_t *mutex_new(bool inherit)
{
	pthread_mutexattr_t attributes;
	pthread_mutex_t *mutex =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	if (inherit)
		pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
	CHECK(pthread_mutex_init(mutex, &attributes) == 0);
	return mutex;
}

static void *dies_holding(void *argument)
{
	CHECK(pthread_mutex_lock(argument) == 0);
	return NULL;
}

TEST(thread_that_ends_holding)
{
	pthread_mutex_t *mutex = mutex_new(false);
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, dies_holding, mutex) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK_EQ(pthread_mutex_lock(mutex), EOWNERDEAD);
	CHECK(pthread_mutex_consistent(mutex) == 0);
	CHECK(pthread_mutex_unlock(mutex) == 0);
	CHECK(pthread_mutex_lock(mutex) == 0);
}

static void process_dies(bool inherit, int signal)
{
	pthread_mutex_t *mutex = mutex_new(inherit);
	pid_t child = fork();
	int status;

	if (child == 0) {
		CHECK(pthread_mutex_lock(mutex) == 0);
		if (signal)
			kill(getpid(), signal);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(pthread_mutex_lock(mutex), EOWNERDEAD);
	CHECK(pthread_mutex_consistent(mutex) == 0);
	CHECK(pthread_mutex_unlock(mutex) == 0);
}

TEST(process_that_exits_holding)
{
	process_dies(false, 0);
}

TEST(process_that_is_killed_holding)
{
	process_dies(false, SIGKILL);
}

TEST(process_that_exits_holding_pi)
{
	process_dies(true, 0);
}

TEST(process_that_is_killed_holding_pi)
{
	process_dies(true, SIGKILL);
}

static void waiter_wakes(bool inherit)
{
	pthread_mutex_t *mutex = mutex_new(inherit);
	pid_t owner, waiter;
	int fds[2], status;
	char byte;

	CHECK(pipe(fds) == 0);
	owner = fork();
	if (owner == 0) {
		CHECK(pthread_mutex_lock(mutex) == 0);
		CHECK_EQ(write(fds[1], "l", 1), 1);
		for (;;)
			pause();
	}
	CHECK_EQ(read(fds[0], &byte, 1), 1);
	waiter = fork();
	if (waiter == 0)
		_exit(pthread_mutex_lock(mutex) == EOWNERDEAD ? 0 : 1);
	while (!(*(volatile uint32_t *)mutex & FUTEX_WAITERS))
		sleep_ms(1);
	sleep_ms(10);
	kill(owner, SIGKILL);
	CHECK(waitpid(owner, &status, 0) == owner);
	CHECK(waitpid(waiter, &status, 0) == waiter);
	CHECK_EQ(status, 0);
}

TEST(a_waiter_is_woken_by_the_death)
{
	waiter_wakes(false);
}

TEST(a_waiter_is_woken_by_the_death_pi)
{
	waiter_wakes(true);
}

TEST(exec_releases_too)
{
	pthread_mutex_t *mutex = mutex_new(false);
	pid_t child = fork();
	int fds[2];

	CHECK(pipe(fds) == 0);
	if (child == 0) {
		CHECK(pthread_mutex_lock(mutex) == 0);
		execl("/bin/sleep", "sleep", "30", NULL);
		_exit(1);
	}
	while (!(*(volatile uint32_t *)mutex & FUTEX_OWNER_DIED))
		sleep_ms(1);
	CHECK_EQ(pthread_mutex_lock(mutex), EOWNERDEAD);
	kill(child, SIGKILL);
}

TEST(a_mutex_not_made_consistent_is_lost)
{
	pthread_mutex_t *mutex = mutex_new(false);
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, dies_holding, mutex) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK_EQ(pthread_mutex_lock(mutex), EOWNERDEAD);
	CHECK(pthread_mutex_unlock(mutex) == 0);
	CHECK_EQ(pthread_mutex_lock(mutex), ENOTRECOVERABLE);
}

TEST(list_head_is_kept_and_checked)
{
	struct robust_list_head head = {.list.next = &head.list}, *seen;
	size_t size;

	CHECK_ERRNO(syscall(SYS_set_robust_list, &head, sizeof(head) - 1), EINVAL);
	CHECK(syscall(SYS_set_robust_list, &head, sizeof(head)) == 0);
	CHECK(syscall(SYS_get_robust_list, 0, &seen, &size) == 0);
	CHECK(seen == &head);
	CHECK_EQ(size, sizeof(head));
	CHECK(syscall(SYS_get_robust_list, getpid(), &seen, &size) == 0);
	CHECK_ERRNO(syscall(SYS_get_robust_list, 1 << 22, &seen, &size), ESRCH);
	CHECK_ERRNO(syscall(SYS_get_robust_list, 0, (void *)8, &size), EFAULT);
}

static void hostile_list(void)
{
	static struct robust_list_head head;
	static struct robust_list loop[2];

	head.list.next = &loop[0];
	loop[0].next = &loop[1];
	loop[1].next = &loop[0]; /* never comes back to the head */
	head.futex_offset = -8;
	syscall(SYS_set_robust_list, &head, sizeof(head));
}

static void unmapped_list(void)
{
	static struct robust_list_head head;

	head.list.next = (struct robust_list *)0x1000;
	head.list_op_pending = (struct robust_list *)-16;
	syscall(SYS_set_robust_list, &head, sizeof(head));
}

TEST(a_hostile_list_does_not_keep_from_exiting)
{
	CHECK_EQ(in_child(hostile_list), 0);
	CHECK_EQ(in_child(unmapped_list), 0);
}

GUEST_TEST_MAIN()
