/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vDSO as guests get it: its image mapped behind a page of parameters, its functions found as
 * libc finds them, their answers against the host's clocks and against the sentry's.
 */
#include "abi/time.h"
#include "loader/vdso/vdso_image.h"
#include "sentry/time/clock.h"
#include "sentry/time/vdso_params.h"

#include <check.h>
#include <elf.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096

static struct vdso_params *params;
static char *image;

static int (*vdso_clock_gettime)(int, struct timespec *);
static int (*vdso_clock_getres)(int, struct timespec *);
static int (*vdso_gettimeofday)(struct timeval *, struct timezone *);
static time_t (*vdso_time)(time_t *);
static long (*vdso_getcpu)(unsigned int *, unsigned int *, void *);

static const int clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW,
	CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_TAI};

/* Through DT_HASH and the symbol version, the old way that every libc knows. */
static void *find(const char *name)
{
	const Elf64_Ehdr *ehdr = (const void *)image;
	const Elf64_Phdr *phdrs = (const void *)(image + ehdr->e_phoff);
	const Elf64_Dyn *dynamic = NULL;
	const Elf64_Sym *symbols = NULL;
	const uint32_t *hash = NULL;
	const char *strings = NULL;

	for (int i = 0; i < ehdr->e_phnum; i++)
		if (phdrs[i].p_type == PT_DYNAMIC)
			dynamic = (const void *)(image + phdrs[i].p_vaddr);
	for (; dynamic->d_tag; dynamic++) {
		if (dynamic->d_tag == DT_HASH)
			hash = (const void *)(image + dynamic->d_un.d_ptr);
		else if (dynamic->d_tag == DT_SYMTAB)
			symbols = (const void *)(image + dynamic->d_un.d_ptr);
		else if (dynamic->d_tag == DT_STRTAB)
			strings = image + dynamic->d_un.d_ptr;
		else if (dynamic->d_tag == DT_SONAME)
			ck_assert_uint_gt(dynamic->d_un.d_val, 0);
	}
	ck_assert_ptr_nonnull(hash);
	for (uint32_t i = 1; i < hash[1]; i++)
		if (strcmp(strings + symbols[i].st_name, name) == 0)
			return image + symbols[i].st_value;
	ck_abort_msg("no %s", name);
	return NULL;
}

static void map_image(void)
{
	char *pages = mmap(NULL, PAGE + loader_vdso_size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(pages, MAP_FAILED);
	params = (struct vdso_params *)pages;
	image = pages + PAGE;
	memcpy(image, loader_vdso_image, loader_vdso_size);
	ck_assert_int_eq(mprotect(image, loader_vdso_size, PROT_READ | PROT_EXEC), 0);
	vdso_clock_gettime = find("__vdso_clock_gettime");
	vdso_clock_getres = find("__vdso_clock_getres");
	vdso_gettimeofday = find("__vdso_gettimeofday");
	vdso_time = find("__vdso_time");
	vdso_getcpu = find("__vdso_getcpu");
}

static void start(void)
{
	map_image();
	ck_assert_int_eq(clock_start(params), 0);
}

static int64_t nanoseconds(struct timespec time)
{
	return time.tv_sec * NSEC_PER_SEC + time.tv_nsec;
}

static int64_t host_now(int clock)
{
	struct timespec time;

	ck_assert_int_eq(clock_gettime(clock, &time), 0);
	return nanoseconds(time);
}

static int64_t vdso_now(int clock)
{
	struct timespec time = {-1, -1};

	ck_assert_int_eq(vdso_clock_gettime(clock, &time), 0);
	ck_assert_int_ge(time.tv_nsec, 0);
	ck_assert_int_lt(time.tv_nsec, NSEC_PER_SEC);
	return nanoseconds(time);
}

static void compare_with_host(int64_t tolerance)
{
	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		const int clock = clocks[i];
		const bool coarse =
			clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE;
		/* The host's tick may be another, at another moment. */
		const int64_t allowed = tolerance + (coarse ? 20000000 : 0);
		const int64_t before = host_now(clock), ours = vdso_now(clock);
		const int64_t after = host_now(clock);

		ck_assert_msg(ours >= before - allowed && ours <= after + allowed,
			"clock %d: %lld ns off", clock, (long long)(ours - before));
	}
}

START_TEST(test_names)
{
	map_image();
	ck_assert_ptr_eq(find("clock_gettime"), vdso_clock_gettime);
	ck_assert_ptr_eq(find("clock_getres"), vdso_clock_getres);
	ck_assert_ptr_eq(find("gettimeofday"), vdso_gettimeofday);
	ck_assert_ptr_eq(find("time"), vdso_time);
	ck_assert_ptr_eq(find("getcpu"), vdso_getcpu);
	ck_assert_ptr_nonnull(memmem(image, loader_vdso_size, "LINUX_2.6", 10));
	ck_assert_ptr_nonnull(memmem(image, loader_vdso_size, "linux-vdso.so.1", 16));
	ck_assert_uint_eq(loader_vdso_size % PAGE, 0);
}
END_TEST

START_TEST(test_against_host)
{
	struct timeval now;
	struct timezone zone = {5, 5};
	time_t seconds;

	start();
	compare_with_host(2000000);
	ck_assert_int_eq(vdso_gettimeofday(&now, &zone), 0);
	ck_assert_int_eq(zone.tz_minuteswest, 0);
	ck_assert_int_le(llabs(now.tv_sec - host_now(CLOCK_REALTIME) / NSEC_PER_SEC), 1);
	ck_assert_int_lt(now.tv_usec, 1000000);
	ck_assert_int_eq(vdso_gettimeofday(NULL, NULL), 0);
	ck_assert_int_le(llabs(vdso_time(&seconds) - now.tv_sec), 1);
	ck_assert_int_le(llabs(seconds - now.tv_sec), 1);
	ck_assert_int_le(llabs(vdso_time(NULL) - seconds), 1);
}
END_TEST

/* After a while the lines have been bent towards the host's clocks. */
START_TEST(test_follows_host)
{
	start();
	for (int i = 0; i < 3; i++) {
		(void)usleep(300000);
		clock_update();
	}
	compare_with_host(500000);
}
END_TEST

START_TEST(test_not_ready)
{
	struct timespec time;

	map_image();
	memset(params, 0, sizeof(*params));
	compare_with_host(0);
	/* A writer that never comes to an end: the kernel is asked. */
	params->ready = 1;
	params->sequence = 1;
	compare_with_host(0);
	start();
	/* Clocks that are not the vDSO's. */
	ck_assert_int_eq(vdso_clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time), 0);
	ck_assert_int_eq(vdso_clock_gettime(77, &time), -EINVAL);
	ck_assert_int_eq(vdso_clock_gettime(-1, &time), -EINVAL);
	ck_assert_int_eq(vdso_clock_getres(77, &time), -EINVAL);
}
END_TEST

START_TEST(test_resolution)
{
	struct timespec time;

	start();
	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		ck_assert_int_eq(vdso_clock_getres(clocks[i], &time), 0);
		ck_assert_int_eq(nanoseconds(time), clock_resolution(clocks[i]));
	}
	ck_assert_int_eq(vdso_clock_getres(CLOCK_MONOTONIC, NULL), 0);
}
END_TEST

START_TEST(test_getcpu)
{
	unsigned int cpu, node, host_cpu, host_node;
	int agreed = 0;

	start();
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(vdso_getcpu(&cpu, &node, NULL), 0);
		ck_assert_int_eq(getcpu(&host_cpu, &host_node), 0);
		agreed += cpu == host_cpu && node == host_node;
	}
	ck_assert_int_gt(agreed, 50);
	ck_assert_int_eq(vdso_getcpu(NULL, NULL, NULL), 0);
	params->getcpu = VDSO_GETCPU_SYSCALL;
	ck_assert_int_eq(vdso_getcpu(&cpu, &node, NULL), 0);
}
END_TEST

/* The latest time that anybody saw; all threads push it forward, nobody may see an earlier one. */
static _Atomic int64_t latest[2];
static atomic_bool stop;
static _Atomic int64_t went_back;

static void see(int which, int64_t before, int64_t now)
{
	int64_t seen = before;

	if (now < before)
		atomic_store(&went_back, before - now);
	while (seen < now && !atomic_compare_exchange_weak(&latest[which], &seen, now))
		;
}

static void *watch_clocks(void *unused)
{
	while (!atomic_load(&stop)) {
		int64_t before = atomic_load(&latest[0]);

		see(0, before, vdso_now(CLOCK_MONOTONIC));
		before = atomic_load(&latest[0]);
		see(0, before, clock_monotonic());
		before = atomic_load(&latest[1]);
		see(1, before, vdso_now(CLOCK_MONOTONIC_RAW));
		before = atomic_load(&latest[1]);
		see(1, before, clock_now(CLOCK_MONOTONIC_RAW));
	}
	return NULL;
}

START_TEST(test_never_backwards)
{
	pthread_t threads[2];

	start();
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, watch_clocks, NULL), 0);
	for (int i = 0; i < 100; i++) {
		(void)usleep(6000);
		clock_update();
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_int_eq(atomic_load(&went_back), 0);
	ck_assert_int_gt(atomic_load(&latest[0]), 0);
}
END_TEST

/* The largest of a few readings: the others were interrupted between the two clocks. */
static int64_t ahead_of_host(void)
{
	int64_t most = INT64_MIN;

	for (int i = 0; i < 100; i++) {
		int64_t ours = clock_monotonic(), ahead = ours - host_now(CLOCK_MONOTONIC);

		if (ahead > most)
			most = ahead;
	}
	return most;
}

/* Our clock is ahead of the host's: it slows down, and never goes back. */
START_TEST(test_ahead_of_host)
{
	int64_t before, ahead;

	start();
	if (!params->ready)
		return;
	params->monotonic.base_ns += 30000000;
	ahead = ahead_of_host();
	for (int i = 0; i < 20; i++) {
		(void)usleep(10000);
		before = clock_monotonic();
		clock_update();
		ck_assert_int_ge(clock_monotonic(), before);
		ck_assert_int_ge(vdso_now(CLOCK_MONOTONIC), before);
	}
	ck_assert_int_lt(ahead_of_host(), ahead - 500000);
}
END_TEST

/* The host's clock leapt, or nobody called for long: ours follows at once, forwards. */
START_TEST(test_behind_host)
{
	start();
	if (!params->ready)
		return;
	params->monotonic.base_ns -= 5 * NSEC_PER_SEC;
	(void)usleep(10000);
	clock_update();
	ck_assert_int_le(llabs(ahead_of_host()), 10000000);
}
END_TEST

START_TEST(test_conversion)
{
	start();
	const int64_t now = clock_monotonic();

	ck_assert_int_eq(clock_to_monotonic(LINUX_CLOCK_MONOTONIC, 5), 5);
	ck_assert_int_le(
		llabs(clock_to_monotonic(LINUX_CLOCK_REALTIME, clock_now(LINUX_CLOCK_REALTIME)) -
			now),
		NSEC_PER_SEC);
	ck_assert_int_le(
		llabs(clock_to_monotonic(LINUX_CLOCK_BOOTTIME, clock_now(LINUX_CLOCK_BOOTTIME)) -
			now),
		NSEC_PER_SEC);
	ck_assert_int_le(llabs(clock_to_monotonic(LINUX_CLOCK_MONOTONIC_RAW,
				       clock_now(LINUX_CLOCK_MONOTONIC_RAW)) -
				 now),
		NSEC_PER_SEC);
	ck_assert_int_eq(clock_to_monotonic(LINUX_CLOCK_REALTIME, INT64_MIN), INT64_MIN);
	ck_assert_int_gt(clock_to_monotonic(LINUX_CLOCK_REALTIME, INT64_MAX), INT64_MAX / 2);
}
END_TEST

/* Everything works, more slowly, before or without clock_start(). */
START_TEST(test_without_start)
{
	ck_assert_int_le(
		llabs(clock_now(LINUX_CLOCK_REALTIME) - host_now(CLOCK_REALTIME)), NSEC_PER_SEC);
	ck_assert_int_le(llabs(clock_monotonic() - host_now(CLOCK_MONOTONIC)), NSEC_PER_SEC);
	ck_assert_int_le(llabs(clock_to_monotonic(LINUX_CLOCK_REALTIME, host_now(CLOCK_REALTIME)) -
				 host_now(CLOCK_MONOTONIC)),
		NSEC_PER_SEC);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vdso");
	TCase *tests = tcase_create("vdso");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, test_names);
	tcase_add_test(tests, test_against_host);
	tcase_add_test(tests, test_follows_host);
	tcase_add_test(tests, test_not_ready);
	tcase_add_test(tests, test_resolution);
	tcase_add_test(tests, test_getcpu);
	tcase_add_test(tests, test_never_backwards);
	tcase_add_test(tests, test_ahead_of_host);
	tcase_add_test(tests, test_behind_host);
	tcase_add_test(tests, test_conversion);
	tcase_add_test(tests, test_without_start);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
