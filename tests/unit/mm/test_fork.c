/* SPDX-License-Identifier: Apache-2.0 */
/* fork: what is shared, what is copied, and how often a write faults. */
#include "mm_fixture.h"

#include "sentry/mm/memory_file.h"

#include <errno.h>
#include <string.h>

#define RW    (LINUX_PROT_READ | LINUX_PROT_WRITE)
#define FIXED (LINUX_MAP_PRIVATE | LINUX_MAP_FIXED)
#define LARGE 0x400000ul

static struct mm *do_fork(struct mm *mm)
{
	struct mm *child;

	ck_assert_int_eq(mm_fork(mm, &child), 0);
	return child;
}

static unsigned char read_byte(struct mm *mm, gaddr_t address)
{
	unsigned char byte = 0xee;

	ck_assert_int_eq(guest_read(mm, address, &byte), 0);
	return byte;
}

START_TEST(large_areas_are_shared)
{
	struct memory_file_usage before, after;
	struct mm *child;

	ck_assert_int_eq(map(BASE, LARGE, RW, FIXED), BASE);
	ck_assert_int_eq(guest_write(g_mm, BASE + 0x1000, 1), 0);
	memory_file_usage(&before);
	child = do_fork(g_mm);
	memory_file_usage(&after);
	ck_assert_uint_eq(before.allocated, after.allocated);
	ck_assert_uint_eq(read_byte(child, BASE + 0x1000), 1);
	ck_assert_int_eq(guest_write(child, BASE + 0x1000, 2), 0);
	ck_assert_int_eq(guest_write(g_mm, BASE + 0x1001, 3), 0);
	ck_assert_uint_eq(read_byte(g_mm, BASE + 0x1000), 1);
	ck_assert_uint_eq(read_byte(child, BASE + 0x1001), 0);
	/* Runs, not pages: the neighbours are written without another fault. */
	g_faults = 0;
	ck_assert_int_eq(guest_write(child, BASE + 0x2000, 2), 0);
	ck_assert_int_eq(guest_write(child, BASE + 0x3000, 2), 0);
	ck_assert_uint_eq(g_faults, 0);
	memory_file_usage(&after);
	ck_assert_uint_le(after.allocated, before.allocated + 0x20000);
	mm_put(child);
}
END_TEST

START_TEST(last_owner_gets_all_back)
{
	struct mm *child;

	ck_assert_int_eq(map(BASE, LARGE, RW, FIXED), BASE);
	ck_assert_int_eq(map(BASE + 2 * LARGE, LARGE, RW, FIXED), BASE + 2 * LARGE);
	ck_assert_int_eq(guest_write(g_mm, BASE, 1), 0);
	child = do_fork(g_mm);
	mm_put(child);
	g_faults = 0;
	for (gaddr_t at = BASE; at < BASE + LARGE; at += 0x10000)
		ck_assert_int_eq(guest_write(g_mm, at, 2), 0);
	/* The other area came back with the same fault. */
	ck_assert_int_eq(guest_write(g_mm, BASE + 2 * LARGE, 2), 0);
	ck_assert_uint_eq(g_faults, 1);
}
END_TEST

START_TEST(small_areas_are_copied)
{
	struct mm *child;

	ck_assert_int_eq(map(BASE, 0x20000, RW, FIXED), BASE);
	ck_assert_int_eq(guest_write(g_mm, BASE + 0x1000, 1), 0);
	child = do_fork(g_mm);
	g_faults = 0;
	ck_assert_int_eq(guest_write(g_mm, BASE + 0x1000, 2), 0);
	ck_assert_uint_eq(read_byte(child, BASE + 0x1000), 1);
	ck_assert_uint_eq(read_byte(child, BASE + 0x2000), 0);
	ck_assert_int_eq(guest_write(child, BASE + 0x2000, 3), 0);
	ck_assert_uint_eq(read_byte(g_mm, BASE + 0x2000), 0);
	ck_assert_uint_eq(g_faults, 0);
	mm_put(child);
}
END_TEST

START_TEST(shared_memory_stays_shared)
{
	struct mm *child;

	ck_assert_int_eq(map(BASE, 0x3000, RW, LINUX_MAP_SHARED | LINUX_MAP_FIXED), BASE);
	child = do_fork(g_mm);
	ck_assert_int_eq(guest_write(child, BASE + 0x1000, 5), 0);
	ck_assert_uint_eq(read_byte(g_mm, BASE + 0x1000), 5);
	ck_assert_int_eq(mm_munmap(g_mm, BASE, 0x3000), 0);
	ck_assert_uint_eq(read_byte(child, BASE + 0x1000), 5);
	mm_put(child);
}
END_TEST

START_TEST(advice_about_forks)
{
	unsigned char byte;
	struct mm *child;

	ck_assert_int_eq(map(BASE, 0x3000, RW, FIXED), BASE);
	ck_assert_int_eq(mm_zero(g_mm, BASE, 0x3000), 0);
	for (gaddr_t at = BASE; at < BASE + 0x3000; at += 0x1000)
		ck_assert_int_eq(guest_write(g_mm, at, 1), 0);
	ck_assert_int_eq(mm_madvise(g_mm, BASE, 0x1000, LINUX_MADV_DONTFORK), 0);
	ck_assert_int_eq(mm_madvise(g_mm, BASE + 0x1000, 0x1000, LINUX_MADV_WIPEONFORK), 0);
	child = do_fork(g_mm);
	ck_assert_int_ne(guest_read(child, BASE, &byte), 0);
	ck_assert_uint_eq(read_byte(child, BASE + 0x1000), 0);
	ck_assert_uint_eq(read_byte(child, BASE + 0x2000), 1);
	mm_put(child);
}
END_TEST

START_TEST(generations)
{
	struct mm *chain[8] = {g_mm};
	struct memory_file_usage usage;

	ck_assert_int_eq(map(BASE, LARGE, RW, FIXED), BASE);
	for (unsigned char i = 1; i < 8; i++) {
		chain[i] = do_fork(chain[i - 1]);
		ck_assert_int_eq(guest_write(chain[i], BASE + i * 0x1000u, i), 0);
	}
	for (unsigned char i = 1; i < 8; i++)
		for (unsigned char j = 1; j < 8; j++)
			ck_assert_uint_eq(read_byte(chain[i], BASE + j * 0x1000u), j <= i ? j : 0);
	for (unsigned char i = 1; i < 7; i++)
		mm_put(chain[i]);
	ck_assert_uint_eq(read_byte(chain[7], BASE + 0x3000), 3);
	mm_put(chain[7]);
	memory_file_usage(&usage);
	ck_assert_uint_eq(usage.allocated, LARGE);
}
END_TEST

START_TEST(pinned_pages_stay_the_parents)
{
	struct mm_pin pin;
	struct mm *child;

	ck_assert_int_eq(map(BASE, LARGE, RW, FIXED), BASE);
	ck_assert_int_eq(mm_pin(g_mm, BASE, 0x2000, true, &pin), 0x2000);
	child = do_fork(g_mm);
	memset(pin.iov[0].iov_base, 7, 1);
	ck_assert_uint_eq(read_byte(g_mm, BASE), 7);
	ck_assert_uint_eq(read_byte(child, BASE), 0);
	mm_unpin(&pin);
	mm_put(child);
}
END_TEST

START_TEST(failures_leave_the_parent_whole)
{
	struct mm *child;

	ck_assert_int_eq(map(BASE, LARGE, RW, FIXED), BASE);
	ck_assert_int_eq(guest_write(g_mm, BASE, 1), 0);
	null_platform_fail(g_platform, 1, -ENOMEM);
	ck_assert_int_eq(mm_fork(g_mm, &child), -ENOMEM);
	ck_assert_int_eq(guest_write(g_mm, BASE, 2), 0);
	ck_assert_uint_eq(read_byte(g_mm, BASE), 2);
}
END_TEST

TCase *fork_tests(void)
{
	TCase *tests = tcase_create("fork");

	tcase_add_checked_fixture(tests, mm_fixture_setup, mm_fixture_teardown);
	tcase_add_test(tests, large_areas_are_shared);
	tcase_add_test(tests, last_owner_gets_all_back);
	tcase_add_test(tests, small_areas_are_copied);
	tcase_add_test(tests, shared_memory_stays_shared);
	tcase_add_test(tests, advice_about_forks);
	tcase_add_test(tests, generations);
	tcase_add_test(tests, pinned_pages_stay_the_parents);
	tcase_add_test(tests, failures_leave_the_parent_whole);
	return tests;
}
