/* SPDX-License-Identifier: Apache-2.0 */
/* Address spaces with several users, and memory that runs out. */
#include "mm_fixture.h"

#include "abi/signal.h"
#include "sentry/mm/memory_file.h"
#include "sentry/mm/memory_held.h"
#include "sentry/mm/oom.h"

#include <errno.h>
#include <pthread.h>

#define RW    (LINUX_PROT_READ | LINUX_PROT_WRITE)
#define FIXED (LINUX_MAP_PRIVATE | LINUX_MAP_FIXED)

static uint64_t allocated(void)
{
	struct memory_file_usage usage;

	memory_file_usage(&usage);
	return usage.allocated;
}

START_TEST(pages_wait_for_other_threads)
{
	struct address_space *as = mm_address_space(g_mm);

	(void)mm_get(g_mm);
	ck_assert_int_eq(map(BASE, 0x800000, RW, FIXED), BASE);
	ck_assert_int_eq(address_space_flush(as), 0);
	ck_assert_int_eq(mm_munmap(g_mm, BASE, 0x100000), 0);
	/* A thread may still see them. */
	ck_assert_uint_eq(allocated(), 0x800000);
	ck_assert_uint_ne(null_address_space_queued(as), 0);
	/* Many: it is made to let go. */
	ck_assert_int_eq(mm_munmap(g_mm, BASE + 0x100000, 0x700000), 0);
	ck_assert_uint_eq(null_address_space_queued(as), 0);
	ck_assert_uint_eq(allocated(), 0);
	/* With one user nothing has to be flushed. */
	mm_put(g_mm);
	ck_assert_int_eq(map(BASE, 0x1000, RW, FIXED), BASE);
	ck_assert_int_eq(mm_munmap(g_mm, BASE, 0x1000), 0);
	ck_assert_uint_ne(null_address_space_queued(as), 0);
	ck_assert_uint_eq(allocated(), 0);
}
END_TEST

START_TEST(files_do_not_wait)
{
	struct file *file = host_file_new(4, false);

	(void)mm_get(g_mm);
	ck_assert_int_eq(map_file(file, BASE, 0x4000, 0, LINUX_PROT_READ, FIXED), BASE);
	ck_assert_int_eq(mm_munmap(g_mm, BASE, 0x4000), 0);
	ck_assert_uint_eq(null_address_space_queued(mm_address_space(g_mm)), 0);
	host_file_free(file);
	mm_put(g_mm);
}
END_TEST

START_TEST(failed_flushes_keep_files)
{
	struct file *file = host_file_new(4, false);

	(void)mm_get(g_mm);
	ck_assert_int_eq(map_file(file, BASE, 0x4000, 0, LINUX_PROT_READ, FIXED), BASE);
	mm_lock(g_mm);
	ck_assert_int_eq(mm_unmap_range(g_mm, BASE, BASE + 0x4000, true), 0);
	null_platform_fail(g_platform, 1, -ENOMEM);
	mm_unlock_and_release(g_mm);
	ck_assert_uint_eq(refcount_read(&file->refs), 2);
	/* The next one that works lets go. */
	mm_lock(g_mm);
	mm_unlock_and_release(g_mm);
	host_file_free(file);
	mm_put(g_mm);
}
END_TEST

static void fault(gaddr_t address, bool present, struct fault_outcome *outcome)
{
	struct context_exit exit = {.reason = EXIT_FAULT,
		.signal = LINUX_SIGSEGV,
		.address = address,
		.present = present};

	mm_handle_fault(g_mm, &exit, 0, outcome);
}

START_TEST(spurious_faults)
{
	struct fault_outcome outcome;

	(void)mm_get(g_mm);
	ck_assert_int_eq(map(BASE, 0x2000, RW, FIXED), BASE);
	/* Another thread may have mended it; but not twice with nothing changed. */
	fault(BASE, true, &outcome);
	ck_assert_int_eq(outcome.signal, 0);
	fault(BASE, true, &outcome);
	ck_assert_int_eq(outcome.signal, LINUX_SIGSEGV);
	ck_assert_int_eq(outcome.code, LINUX_SEGV_ACCERR);
	fault(BASE, true, &outcome);
	ck_assert_int_eq(outcome.signal, 0);
	ck_assert_int_eq(mm_mprotect(g_mm, BASE + 0x1000, 0x1000, LINUX_PROT_READ), 0);
	fault(BASE, true, &outcome);
	ck_assert_int_eq(outcome.signal, 0);
	mm_put(g_mm);
}
END_TEST

static unsigned int reports;

static void on_report(struct mm *mm)
{
	ck_assert_ptr_eq(mm, g_mm);
	reports++;
}

START_TEST(memory_runs_out)
{
	gaddr_t at = BASE;
	int result = 0;

	ck_assert_int_eq(memory_file_open(4 << 20), 0);
	oom_set_hook(on_report);
	ck_assert_int_eq(map(BASE, 0x1000000, RW, FIXED | LINUX_MAP_NORESERVE), BASE);
	for (; at < BASE + 0x1000000 && !result; at += PAGE_SIZE)
		result = guest_write(g_mm, at, 1);
	ck_assert_int_eq(result, LINUX_SIGKILL * 16);
	ck_assert_uint_eq(reports, 1);
	ck_assert_uint_ge(at, BASE + (4 << 20) - MEMORY_HELD_PROCESS - 0x10000);
	ck_assert_uint_le(at, BASE + (4 << 20) + 0x20000);
	/* The same in a copy is a fault of the copy. */
	ck_assert_int_eq(mm_copy_out(g_mm, BASE + 0xffffff, "", 1), -EFAULT);
	ck_assert_int_eq(mm_munmap(g_mm, BASE, 0x800000), 0);
	ck_assert_int_eq(guest_write(g_mm, BASE + 0xffffff, 1), 0);
}
END_TEST

#define ROUNDS 3000

static void *copier(void *argument)
{
	gaddr_t base = (uintptr_t)argument;
	char buffer[3 * PAGE_SIZE];
	size_t bytes = 0;

	for (int i = 0; i < ROUNDS; i++) {
		bytes += mm_copy_out_partial(g_mm, base, buffer, sizeof(buffer));
		bytes += mm_copy_in_partial(g_mm, buffer, base, sizeof(buffer));
	}
	return (void *)bytes;
}

static void *mapper(void *argument)
{
	gaddr_t base = (uintptr_t)argument;

	for (int i = 0; i < ROUNDS; i++) {
		struct mm *child;

		ck_assert_int_eq(map(base, 3 * PAGE_SIZE, RW, FIXED), (int64_t)base);
		if (i % 16 == 0) {
			ck_assert_int_eq(mm_fork(g_mm, &child), 0);
			mm_put(child);
		}
		ck_assert_int_eq(mm_munmap(g_mm, base + PAGE_SIZE, PAGE_SIZE), 0);
	}
	return NULL;
}

START_TEST(threads_at_once)
{
	void *(*const bodies[])(void *) = {copier, mapper, copier, mapper};
	pthread_t threads[4];

	(void)mm_get(g_mm);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, bodies[i],
					 (void *)(BASE + i / 2 * 0x10000)),
			0);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	mm_put(g_mm);
}
END_TEST

TCase *sharing_tests(void)
{
	TCase *tests = tcase_create("sharing");

	tcase_add_checked_fixture(tests, mm_fixture_setup, mm_fixture_teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, pages_wait_for_other_threads);
	tcase_add_test(tests, files_do_not_wait);
	tcase_add_test(tests, failed_flushes_keep_files);
	tcase_add_test(tests, spurious_faults);
	tcase_add_test(tests, memory_runs_out);
	tcase_add_test(tests, threads_at_once);
	return tests;
}
