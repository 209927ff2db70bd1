/* SPDX-License-Identifier: Apache-2.0 */
/* Threads: identity, thread-local storage, shared state, names, locks and conditions, join and
 * detach, many at once. */
#include "tests/guest/guest_test.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static pid_t tid(void)
{
	return (pid_t)syscall(SYS_gettid);
}

static void *returns_tid(void *argument)
{
	(void)argument;
	CHECK_EQ(getpid(), getpgrp());
	return (void *)(intptr_t)tid();
}

TEST(threads_share_the_pid_and_have_tids_of_their_own)
{
	pthread_t threads[8];
	void *tids[8];

	CHECK_EQ(tid(), getpid());
	for (int i = 0; i < 8; i++)
		CHECK(pthread_create(&threads[i], NULL, returns_tid, NULL) == 0);
	for (int i = 0; i < 8; i++) {
		CHECK(pthread_join(threads[i], &tids[i]) == 0);
		CHECK((intptr_t)tids[i] != getpid());
	}
}

static __thread int local = 5;
static __thread char local_large[10000];

static void *uses_local(void *argument)
{
	CHECK_EQ(local, 5);
	CHECK_EQ(local_large[9999], 0);
	for (int i = 0; i < 1000; i++) {
		local = (int)(intptr_t)argument;
		local_large[9999] = (char)(intptr_t)argument;
		if (i % 100 == 0)
			sched_yield();
		CHECK_EQ(local, (intptr_t)argument);
		CHECK_EQ(local_large[9999], (char)(intptr_t)argument);
	}
	return NULL;
}

TEST(thread_local_storage_is_kept_apart)
{
	pthread_t threads[8];

	local = 1000;
	for (intptr_t i = 0; i < 8; i++)
		CHECK(pthread_create(&threads[i], NULL, uses_local, (void *)i) == 0);
	for (int i = 0; i < 8; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK_EQ(local, 1000);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static long count, turn;

static void *counts_under_mutex(void *argument)
{
	for (int i = 0; i < 5000; i++) {
		pthread_mutex_lock(&mutex);
		count++;
		pthread_mutex_unlock(&mutex);
	}
	return argument;
}

TEST(a_mutex_excludes)
{
	pthread_t threads[6];

	for (int i = 0; i < 6; i++)
		CHECK(pthread_create(&threads[i], NULL, counts_under_mutex, NULL) == 0);
	for (int i = 0; i < 6; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK_EQ(count, 30000);
}

static void *takes_turns(void *argument)
{
	long me = (long)(intptr_t)argument;

	pthread_mutex_lock(&mutex);
	for (int i = 0; i < 500; i++) {
		while (turn % 3 != me)
			pthread_cond_wait(&condition, &mutex);
		turn++;
		pthread_cond_broadcast(&condition);
	}
	pthread_mutex_unlock(&mutex);
	return NULL;
}

TEST(a_condition_hands_the_turn_around)
{
	pthread_t threads[3];

	for (intptr_t i = 0; i < 3; i++)
		CHECK(pthread_create(&threads[i], NULL, takes_turns, (void *)i) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK_EQ(turn, 1500);
}

static pthread_barrier_t barrier;
static int arrived;

static void *meets(void *argument)
{
	for (int round = 1; round <= 50; round++) {
		__atomic_fetch_add(&arrived, 1, __ATOMIC_SEQ_CST);
		pthread_barrier_wait(&barrier);
		CHECK_EQ(__atomic_load_n(&arrived, __ATOMIC_SEQ_CST), round * 5);
		pthread_barrier_wait(&barrier);
	}
	return argument;
}

TEST(a_barrier_waits_for_all)
{
	pthread_t threads[5];

	pthread_barrier_init(&barrier, NULL, 5);
	for (int i = 0; i < 5; i++)
		CHECK(pthread_create(&threads[i], NULL, meets, NULL) == 0);
	for (int i = 0; i < 5; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static int rw_first, rw_second;

static void *writes(void *argument)
{
	for (int i = 0; i < 500; i++) {
		pthread_rwlock_wrlock(&rwlock);
		rw_first++;
		if (i % 50 == 0)
			sched_yield();
		rw_second++;
		pthread_rwlock_unlock(&rwlock);
	}
	return argument;
}

static void *reads(void *argument)
{
	for (int i = 0; i < 500; i++) {
		pthread_rwlock_rdlock(&rwlock);
		CHECK_EQ(rw_first, rw_second);
		pthread_rwlock_unlock(&rwlock);
	}
	return argument;
}

TEST(a_read_write_lock)
{
	pthread_t threads[6];

	for (int i = 0; i < 6; i++)
		CHECK(pthread_create(&threads[i], NULL, i % 2 ? reads : writes, NULL) == 0);
	for (int i = 0; i < 6; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK_EQ(rw_first, 1500);
}

static sem_t semaphore;

static void *posts(void *argument)
{
	for (int i = 0; i < 300; i++)
		sem_post(&semaphore);
	return argument;
}

TEST(a_semaphore_counts)
{
	pthread_t threads[3];
	struct timespec until;

	sem_init(&semaphore, 0, 0);
	for (int i = 0; i < 3; i++)
		CHECK(pthread_create(&threads[i], NULL, posts, NULL) == 0);
	for (int i = 0; i < 900; i++)
		CHECK(sem_wait(&semaphore) == 0);
	CHECK_ERRNO(sem_trywait(&semaphore), EAGAIN);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 20000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	CHECK_ERRNO(sem_timedwait(&semaphore, &until), ETIMEDOUT);
	for (int i = 0; i < 3; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

static void *waits(void *argument)
{
	pause();
	return argument;
}

TEST(names_are_per_thread_and_show_in_proc)
{
	pthread_t thread;
	char name[32], path[64];
	int fd;

	CHECK(pthread_create(&thread, NULL, waits, NULL) == 0);
	CHECK(pthread_setname_np(thread, "a-thread-of-15c") == 0);
	CHECK(pthread_getname_np(thread, name, sizeof(name)) == 0);
	CHECK(!strcmp(name, "a-thread-of-15c"));
	CHECK_EQ(pthread_setname_np(thread, "sixteen-chars-xx"), ERANGE);
	CHECK(prctl(PR_SET_NAME, "the leader has a long name") == 0);
	CHECK(prctl(PR_GET_NAME, name) == 0);
	CHECK(!strcmp(name, "the leader has "));
	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", getpid());
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	CHECK_EQ(read(fd, name, sizeof(name)), 16);
	CHECK(!memcmp(name, "the leader has \n", 16));
}

TEST(proc_task_lists_the_threads)
{
	pthread_t thread;
	struct dirent *entry;
	int seen = 0;
	DIR *directory;

	for (int i = 0; i < 5; i++)
		CHECK(pthread_create(&thread, NULL, waits, NULL) == 0);
	directory = opendir("/proc/self/task");
	CHECK(directory);
	while ((entry = readdir(directory)))
		seen += entry->d_name[0] != '.';
	CHECK_EQ(seen, 6);
}

TEST(five_hundred_short_threads)
{
	pthread_t thread;

	for (int i = 0; i < 500; i++) {
		void *result;

		CHECK(pthread_create(&thread, NULL, returns_tid, NULL) == 0);
		CHECK(pthread_join(thread, &result) == 0);
		CHECK((intptr_t)result > 0);
	}
}

static int running;

static void *counts_itself(void *argument)
{
	__atomic_fetch_add(&running, 1, __ATOMIC_SEQ_CST);
	pthread_barrier_wait(&barrier);
	return argument;
}

TEST(hundred_threads_at_once)
{
	pthread_t threads[100];

	pthread_barrier_init(&barrier, NULL, 101);
	for (int i = 0; i < 100; i++)
		CHECK(pthread_create(&threads[i], NULL, counts_itself, NULL) == 0);
	pthread_barrier_wait(&barrier);
	CHECK_EQ(running, 100);
	for (int i = 0; i < 100; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

static void cancel_cleanup(void *argument)
{
	*(int *)argument = 1;
}

static void *is_cancelled(void *argument)
{
	pthread_cleanup_push(cancel_cleanup, argument);
	pthread_barrier_wait(&barrier);
	for (;;)
		pause();
	pthread_cleanup_pop(0);
	return NULL;
}

TEST(a_blocked_thread_can_be_cancelled)
{
	pthread_t thread;
	void *result;
	int cleaned = 0;

	pthread_barrier_init(&barrier, NULL, 2);
	CHECK(pthread_create(&thread, NULL, is_cancelled, &cleaned) == 0);
	pthread_barrier_wait(&barrier);
	CHECK(pthread_cancel(thread) == 0);
	CHECK(pthread_join(thread, &result) == 0);
	CHECK(result == PTHREAD_CANCELED);
	CHECK_EQ(cleaned, 1);
}

static void *opens(void *argument)
{
	(void)argument;
	CHECK(chdir("/usr") == 0);
	return (void *)(intptr_t)open("/dev/null", O_RDONLY);
}

TEST(descriptors_and_directory_are_shared)
{
	pthread_t thread;
	void *fd;
	char path[64];

	CHECK(pthread_create(&thread, NULL, opens, NULL) == 0);
	CHECK(pthread_join(thread, &fd) == 0);
	CHECK(fcntl((int)(intptr_t)fd, F_GETFD) >= 0);
	CHECK(!strcmp(getcwd(path, sizeof(path)), "/usr"));
}

static void *unshares(void *argument)
{
	CHECK(unshare(CLONE_FILES | CLONE_FS) == 0);
	return opens(argument);
}

TEST(unshare_takes_descriptors_and_directory_apart)
{
	pthread_t thread;
	void *fd;
	char path[64];

	CHECK(chdir("/") == 0);
	CHECK(pthread_create(&thread, NULL, unshares, NULL) == 0);
	CHECK(pthread_join(thread, &fd) == 0);
	CHECK_ERRNO(fcntl((int)(intptr_t)fd, F_GETFD), EBADF);
	CHECK(!strcmp(getcwd(path, sizeof(path)), "/"));
}

TEST(set_tid_address_returns_the_tid)
{
	static int word;

	CHECK_EQ(syscall(SYS_set_tid_address, &word), getpid());
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int once_count;

static void once_runs(void)
{
	sleep_ms(10);
	once_count++;
}

static void *calls_once(void *argument)
{
	pthread_once(&once, once_runs);
	CHECK_EQ(once_count, 1);
	return argument;
}

TEST(once_is_once)
{
	pthread_t threads[5];

	for (int i = 0; i < 5; i++)
		CHECK(pthread_create(&threads[i], NULL, calls_once, NULL) == 0);
	for (int i = 0; i < 5; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

GUEST_TEST_MAIN()
