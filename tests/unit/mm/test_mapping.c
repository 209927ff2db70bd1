/* SPDX-License-Identifier: Apache-2.0 */
/* mmap, munmap, mprotect: where things go, how they merge and split, and what is refused. */
#include "mm_fixture.h"

#include "abi/signal.h"
#include "sentry/mm/memory_file.h"

#include <errno.h>

#define RW	(LINUX_PROT_READ | LINUX_PROT_WRITE)
#define PRIVATE LINUX_MAP_PRIVATE
#define FIXED	(LINUX_MAP_PRIVATE | LINUX_MAP_FIXED)
#define MAPERR	(LINUX_SIGSEGV * 16 + LINUX_SEGV_MAPERR)
#define ACCERR	(LINUX_SIGSEGV * 16 + LINUX_SEGV_ACCERR)

START_TEST(placement_is_top_down)
{
	int64_t a = map(0, 0x3000, RW, PRIVATE), b = map(0, 0x2000, LINUX_PROT_READ, PRIVATE);

	ck_assert_int_eq(a, 0x7f0000000000 - 0x3000);
	ck_assert_int_eq(b, a - 0x2000);
	/* The gap that opens is taken first, where it fits. */
	ck_assert_int_eq(mm_munmap(g_mm, (gaddr_t)a + 0x1000, 0x1000), 0);
	ck_assert_int_eq(map(0, 0x2000, LINUX_PROT_NONE, PRIVATE), b - 0x2000);
	ck_assert_int_eq(map(0, 0x1000, LINUX_PROT_NONE, PRIVATE), a + 0x1000);
}
END_TEST

START_TEST(hints)
{
	ck_assert_int_eq(map(BASE, 0x1000, RW, PRIVATE), BASE);
	/* Taken: somewhere else. */
	ck_assert_int_gt(map(BASE, 0x1000, RW, PRIVATE), 0x7e0000000000);
	ck_assert_int_eq(map(BASE + 0x1234, 0x1000, RW, PRIVATE), BASE + 0x1000);
	ck_assert_int_eq(map(0x1000, 0x1000, RW, PRIVATE), 0x10000);
	ck_assert_int_eq(map(0, 0x1000, RW, PRIVATE | LINUX_MAP_32BIT), 0x40000000);
}
END_TEST

START_TEST(refusals)
{
	ck_assert_int_eq(map(0, 0, RW, PRIVATE), -EINVAL);
	ck_assert_int_eq(map(0, UINT64_MAX, RW, PRIVATE), -ENOMEM);
	ck_assert_int_eq(map(0, 1ul << 47, RW, PRIVATE), -ENOMEM);
	ck_assert_int_eq(map(0x1001, 0x1000, RW, FIXED), -EINVAL);
	ck_assert_int_eq(map(0x1000, 0x1000, RW, FIXED), -EPERM);
	ck_assert_int_eq(map(0, 0x1000, RW, FIXED), -EPERM);
	ck_assert_int_eq(map(0x7ffffffff000, 0x1000, RW, FIXED), -ENOMEM);
	ck_assert_int_eq(map(0, 0x1000, RW, 0), -EINVAL);
	ck_assert_int_eq(map(0, 0x1000, RW, LINUX_MAP_SHARED | LINUX_MAP_GROWSDOWN), -EINVAL);
	ck_assert_int_eq(map(0, 0x200000, RW, PRIVATE | LINUX_MAP_HUGETLB), -ENOMEM);
	ck_assert_int_eq(map(0, 0x1000, RW, PRIVATE | LINUX_MAP_HUGETLB | 17u << 26), -EINVAL);
	ck_assert_int_eq(map(BASE, 0x2000, RW, FIXED), BASE);
	ck_assert_int_eq(
		map(BASE + 0x1000, 0x1000, RW, PRIVATE | LINUX_MAP_FIXED_NOREPLACE), -EEXIST);
	ck_assert_int_eq(
		map(BASE + 0x2000, 0x1000, RW, PRIVATE | LINUX_MAP_FIXED_NOREPLACE), BASE + 0x2000);
	ck_assert_int_eq(mm_munmap(g_mm, BASE + 1, 0x1000), -EINVAL);
	ck_assert_int_eq(mm_munmap(g_mm, BASE, 0), -EINVAL);
	ck_assert_int_eq(mm_munmap(g_mm, BASE, UINT64_MAX), -EINVAL);
	ck_assert_int_eq(mm_munmap(g_mm, 0x90000000, 0x1000), 0);
}
END_TEST

START_TEST(merge_and_split)
{
	ck_assert_int_eq(map(BASE, 0x4000, RW, FIXED), BASE);
	ck_assert_int_eq(map(BASE + 0x4000, 0x4000, RW, FIXED), BASE + 0x4000);
	ck_assert_uint_eq(vma_count(), 1);
	ck_assert_int_eq(mm_mprotect(g_mm, BASE + 0x2000, 0x1000, LINUX_PROT_READ), 0);
	ck_assert_uint_eq(vma_count(), 3);
	ck_assert_int_eq(mm_mprotect(g_mm, BASE + 0x2000, 0x1000, RW), 0);
	ck_assert_uint_eq(vma_count(), 1);
	ck_assert_int_eq(mm_munmap(g_mm, BASE + 0x1000, 0x1000), 0);
	ck_assert_uint_eq(vma_count(), 2);
	ck_assert_int_eq(map(BASE + 0x1000, 0x1000, RW, FIXED), BASE + 0x1000);
	ck_assert_uint_eq(vma_count(), 1);
	ck_assert_int_eq(mm_munmap(g_mm, BASE, 0x8000), 0);
	ck_assert_uint_eq(vma_count(), 0);
}
END_TEST

START_TEST(protection_faults)
{
	unsigned char byte;

	ck_assert_int_eq(map(BASE, 0x3000, RW, FIXED), BASE);
	ck_assert_int_eq(guest_write(g_mm, BASE + 0x1000, 7), 0);
	ck_assert_uint_eq(g_faults, 0); /* mapped at once, and whole */
	ck_assert_int_eq(mm_mprotect(g_mm, BASE + 0x1000, 0x1000, LINUX_PROT_READ), 0);
	ck_assert_int_eq(guest_write(g_mm, BASE + 0x1000, 8), ACCERR);
	ck_assert_int_eq(guest_read(g_mm, BASE + 0x1000, &byte), 0);
	ck_assert_uint_eq(byte, 7);
	ck_assert_int_eq(mm_mprotect(g_mm, BASE + 0x1000, 0x1000, LINUX_PROT_NONE), 0);
	ck_assert_int_eq(guest_read(g_mm, BASE + 0x1000, &byte), ACCERR);
	ck_assert_int_eq(guest_read(g_mm, BASE + 0x3000, &byte), MAPERR);
	ck_assert_int_eq(mm_mprotect(g_mm, BASE + 0x1000, 0x1000, RW), 0);
	ck_assert_int_eq(guest_write(g_mm, BASE + 0x1000, 9), 0);
}
END_TEST

START_TEST(mprotect_errors)
{
	ck_assert_int_eq(map(BASE, 0x2000, RW, FIXED), BASE);
	ck_assert_int_eq(mm_mprotect(g_mm, BASE, 0x1000, 0x100), -EINVAL);
	ck_assert_int_eq(mm_mprotect(g_mm, BASE + 1, 0x1000, RW), -EINVAL);
	ck_assert_int_eq(mm_mprotect(g_mm, BASE, 0, RW), 0);
	/* What comes before the hole has changed. */
	ck_assert_int_eq(mm_mprotect(g_mm, BASE, 0x3000, LINUX_PROT_READ), -ENOMEM);
	ck_assert_int_eq(guest_write(g_mm, BASE, 1), ACCERR);
	ck_assert_int_eq(mm_mprotect(g_mm, BASE, 0x1000, RW | LINUX_PROT_GROWSDOWN), -EINVAL);
}
END_TEST

START_TEST(reservations_cost_nothing)
{
	struct memory_file_usage usage;
	int64_t a = map(0, 100ul << 30, LINUX_PROT_NONE, PRIVATE | LINUX_MAP_NORESERVE);
	int64_t b = map(0, 200ul << 30, RW, PRIVATE | LINUX_MAP_NORESERVE);

	ck_assert_int_gt(a, 0);
	ck_assert_int_gt(b, 0);
	memory_file_usage(&usage);
	ck_assert_uint_eq(usage.allocated, 0);
	ck_assert_int_eq(guest_write(g_mm, (gaddr_t)b + (150ul << 30), 1), 0);
	memory_file_usage(&usage);
	ck_assert_uint_le(usage.allocated, 16 << 20);
	ck_assert_int_eq(mm_mprotect(g_mm, (gaddr_t)a, 0x21000, RW), 0);
	ck_assert_int_eq(guest_write(g_mm, (gaddr_t)a + 0x20000, 1), 0);
	/* No more than there could be. */
	ck_assert_int_eq(map(0, 40ul << 40, RW, PRIVATE), -ENOMEM);
}
END_TEST

START_TEST(growing_pieces_stay_one_mapping)
{
	int64_t a = map(0, 1ul << 30, LINUX_PROT_NONE, PRIVATE | LINUX_MAP_NORESERVE);

	for (uint64_t i = 0; i < 64; i++)
		ck_assert_int_eq(mm_mprotect(g_mm, (gaddr_t)a + i * 0x10000, 0x10000, RW), 0);
	ck_assert_uint_eq(vma_count(), 2);
	ck_assert_uint_eq(g_mm->backing_count, 1);
}
END_TEST

START_TEST(stack_grows)
{
	const gaddr_t top = 0x7ffe00000000;
	unsigned char byte;

	ck_assert_int_eq(map(top - 0x21000, 0x21000, RW, FIXED | LINUX_MAP_GROWSDOWN),
		(int64_t)top - 0x21000);
	ck_assert_int_eq(guest_write(g_mm, top - 0x100000, 5), 0);
	ck_assert_int_eq(guest_read(g_mm, top - 0x100000, &byte), 0);
	ck_assert_uint_eq(byte, 5);
	ck_assert_uint_eq(vma_count(), 1);
	/* Nothing may come closer than the guard gap, unless it says where it wants to be. */
	ck_assert_int_eq(map(top - 0x300000, 0x1000, RW, FIXED), (int64_t)top - 0x300000);
	ck_assert_int_eq(guest_write(g_mm, top - 0x2f0000, 5), MAPERR);
	ck_assert_int_eq(guest_write(g_mm, top - 0x1ff000, 5), 0);
}
END_TEST

START_TEST(mapping_without_an_address_space)
{
	struct mm *mm;
	struct mmap_request request = {
		.address = BASE,
		.length = 0x3000,
		.protection = RW,
		.flags = FIXED | LINUX_MAP_ANONYMOUS,
	};
	struct context *context;
	unsigned char byte;
	gaddr_t address;

	ck_assert_int_eq(context_new(g_platform, &context), 0);
	ck_assert_int_eq(mm_new(g_platform, &mm), 0);
	ck_assert_int_eq(mm_mmap(mm, &request, &address), 0);
	ck_assert_int_eq(mm_copy_out(mm, BASE + 0x1fff, "ab", 2), 0);
	ck_assert_int_eq(map(BASE, 0x1000, RW, FIXED), BASE);
	ck_assert(mm_take_address_space(mm, g_mm, context));
	ck_assert_int_eq(guest_read(mm, BASE + 0x2000, &byte), 0);
	ck_assert_uint_eq(byte, 'b');
	context_free(context);
	mm_put(mm);
}
END_TEST

START_TEST(map_count_is_limited)
{
	uint64_t i = 0;

	ck_assert_int_gt(map(BASE, 80000 * 0x2000ul, LINUX_PROT_NONE, FIXED), 0);
	while (mm_mprotect(g_mm, BASE + i * 0x2000, 0x1000, LINUX_PROT_READ) == 0)
		i++;
	ck_assert_uint_ge(i, 32760);
	ck_assert_uint_le(i, 32766);
	ck_assert_int_eq(map(0, 0x1000, LINUX_PROT_EXEC, PRIVATE), -ENOMEM);
	ck_assert_int_eq(mm_munmap(g_mm, BASE, 80000 * 0x2000ul), 0);
	ck_assert_uint_eq(vma_count(), 0);
}
END_TEST

TCase *mapping_tests(void)
{
	TCase *tests = tcase_create("mapping");

	tcase_add_checked_fixture(tests, mm_fixture_setup, mm_fixture_teardown);
	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, placement_is_top_down);
	tcase_add_test(tests, hints);
	tcase_add_test(tests, refusals);
	tcase_add_test(tests, merge_and_split);
	tcase_add_test(tests, protection_faults);
	tcase_add_test(tests, mprotect_errors);
	tcase_add_test(tests, reservations_cost_nothing);
	tcase_add_test(tests, growing_pieces_stay_one_mapping);
	tcase_add_test(tests, stack_grows);
	tcase_add_test(tests, mapping_without_an_address_space);
	tcase_add_test(tests, map_count_is_limited);
	return tests;
}
