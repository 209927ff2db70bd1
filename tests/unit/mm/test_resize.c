/* SPDX-License-Identifier: Apache-2.0 */
/* brk, mremap, madvise. */
#include "mm_fixture.h"

#include "abi/signal.h"
#include "sentry/mm/memory_file.h"

#include <errno.h>
#include <string.h>

#define RW     (LINUX_PROT_READ | LINUX_PROT_WRITE)
#define FIXED  (LINUX_MAP_PRIVATE | LINUX_MAP_FIXED)
#define HEAP   0x555500000000ul
#define MAPERR (LINUX_SIGSEGV * 16 + LINUX_SEGV_MAPERR)

static unsigned char read_byte(gaddr_t address)
{
	unsigned char byte = 0;

	ck_assert_int_eq(guest_read(g_mm, address, &byte), 0);
	return byte;
}

START_TEST(brk_grows_and_shrinks)
{
	unsigned char byte;

	ck_assert_uint_eq(mm_brk(g_mm, 0), HEAP);
	ck_assert_uint_eq(mm_brk(g_mm, HEAP + 0x1800), HEAP + 0x1800);
	ck_assert_int_eq(guest_write(g_mm, HEAP + 0x1fff, 3), 0);
	ck_assert_int_eq(guest_write(g_mm, HEAP + 0x2000, 3), MAPERR);
	for (gaddr_t end = HEAP + 0x10000; end < HEAP + 0x800000; end += 0x21000)
		ck_assert_uint_eq(mm_brk(g_mm, end), end);
	ck_assert_uint_eq(vma_count(), 1);
	ck_assert_uint_le(null_address_space_mapping_count(mm_address_space(g_mm)), 10);
	ck_assert_uint_eq(read_byte(HEAP + 0x1fff), 3);
	ck_assert_uint_eq(mm_brk(g_mm, HEAP + 0x1000), HEAP + 0x1000);
	ck_assert_int_eq(guest_read(g_mm, HEAP + 0x1000, &byte), MAPERR);
	ck_assert_uint_eq(mm_brk(g_mm, HEAP + 0x2000), HEAP + 0x2000);
	ck_assert_uint_eq(read_byte(HEAP + 0x1fff), 0);
	/* In the way: the break stays. */
	ck_assert_int_eq(map(HEAP + 0x10000, 0x1000, RW, FIXED), HEAP + 0x10000);
	ck_assert_uint_eq(mm_brk(g_mm, HEAP + 0x20000), HEAP + 0x2000);
	ck_assert_uint_eq(mm_brk(g_mm, HEAP - 1), HEAP + 0x2000);
}
END_TEST

START_TEST(mremap_in_place)
{
	gaddr_t result;

	ck_assert_int_eq(map(BASE, 0x4000, RW, FIXED), BASE);
	ck_assert_int_eq(guest_write(g_mm, BASE + 0x3fff, 4), 0);
	ck_assert_int_eq(mm_mremap(g_mm, BASE, 0x4000, 0x8000, 0, 0, &result), 0);
	ck_assert_uint_eq(result, BASE);
	ck_assert_int_eq(guest_write(g_mm, BASE + 0x7fff, 5), 0);
	ck_assert_uint_eq(read_byte(BASE + 0x3fff), 4);
	ck_assert_int_eq(mm_mremap(g_mm, BASE, 0x8000, 0x2000, 0, 0, &result), 0);
	ck_assert_int_eq(guest_write(g_mm, BASE + 0x2000, 5), MAPERR);
	ck_assert_int_eq(map(BASE + 0x2000, 0x1000, LINUX_PROT_READ, FIXED), BASE + 0x2000);
	ck_assert_int_eq(mm_mremap(g_mm, BASE, 0x2000, 0x3000, 0, 0, &result), -ENOMEM);
}
END_TEST

START_TEST(mremap_moves)
{
	gaddr_t result;

	ck_assert_int_eq(map(BASE, 0x4000, RW, FIXED), BASE);
	ck_assert_int_eq(map(BASE + 0x4000, 0x1000, LINUX_PROT_READ, FIXED), BASE + 0x4000);
	ck_assert_int_eq(guest_write(g_mm, BASE + 0x1000, 4), 0);
	ck_assert_int_eq(
		mm_mremap(g_mm, BASE, 0x4000, 0x8000, LINUX_MREMAP_MAYMOVE, 0, &result), 0);
	ck_assert_uint_ne(result, BASE);
	ck_assert_uint_eq(read_byte(result + 0x1000), 4);
	ck_assert_uint_eq(read_byte(result + 0x7000), 0);
	ck_assert_int_eq(guest_write(g_mm, BASE, 1), MAPERR);
	ck_assert_int_eq(mm_mremap(g_mm, result, 0x8000, 0x2000,
				 LINUX_MREMAP_MAYMOVE | LINUX_MREMAP_FIXED, BASE, &result),
		0);
	ck_assert_uint_eq(result, BASE);
	ck_assert_uint_eq(read_byte(BASE + 0x1000), 4);
	ck_assert_uint_eq(vma_count(), 2);
}
END_TEST

START_TEST(mremap_keeps_the_old_range)
{
	const int flags = LINUX_MREMAP_MAYMOVE | LINUX_MREMAP_DONTUNMAP;
	gaddr_t result;

	ck_assert_int_eq(map(BASE, 0x2000, RW, FIXED), BASE);
	ck_assert_int_eq(guest_write(g_mm, BASE, 4), 0);
	ck_assert_int_eq(mm_mremap(g_mm, BASE, 0x2000, 0x2000, flags, 0, &result), 0);
	ck_assert_uint_eq(read_byte(result), 4);
	ck_assert_uint_eq(read_byte(BASE), 0);
	/* Shared: the same pages twice, by the old size 0. */
	ck_assert_int_eq(map(BASE, 0x2000, RW, LINUX_MAP_SHARED | LINUX_MAP_FIXED), BASE);
	ck_assert_int_eq(guest_write(g_mm, BASE, 6), 0);
	ck_assert_int_eq(mm_mremap(g_mm, BASE, 0, 0x2000, LINUX_MREMAP_MAYMOVE, 0, &result), 0);
	ck_assert_uint_eq(read_byte(result), 6);
	ck_assert_int_eq(guest_write(g_mm, result, 7), 0);
	ck_assert_uint_eq(read_byte(BASE), 7);
}
END_TEST

START_TEST(mremap_errors)
{
	gaddr_t result;

	ck_assert_int_eq(map(BASE, 0x4000, RW, FIXED), BASE);
	ck_assert_int_eq(mm_mremap(g_mm, BASE + 1, 0x1000, 0x1000, 0, 0, &result), -EINVAL);
	ck_assert_int_eq(mm_mremap(g_mm, BASE, 0x1000, 0, 0, 0, &result), -EINVAL);
	ck_assert_int_eq(mm_mremap(g_mm, BASE, 0x1000, 0x1000, 8, 0, &result), -EINVAL);
	ck_assert_int_eq(
		mm_mremap(g_mm, BASE, 0x1000, 0x1000, LINUX_MREMAP_FIXED, 0, &result), -EINVAL);
	ck_assert_int_eq(mm_mremap(g_mm, BASE + 0x4000, 0x1000, 0x1000, 0, 0, &result), -EFAULT);
	ck_assert_int_eq(mm_mremap(g_mm, BASE, 0x5000, 0x6000, 0, 0, &result), -EFAULT);
	ck_assert_int_eq(
		mm_mremap(g_mm, BASE, 0, 0x1000, LINUX_MREMAP_MAYMOVE, 0, &result), -EINVAL);
	ck_assert_int_eq(mm_mremap(g_mm, BASE, 0x2000, 0x2000,
				 LINUX_MREMAP_MAYMOVE | LINUX_MREMAP_FIXED, BASE + 0x1000, &result),
		-EINVAL);
}
END_TEST

START_TEST(dontneed_zeroes)
{
	struct memory_file_usage before, after;

	ck_assert_int_eq(map(BASE, 0x100000, RW, FIXED), BASE);
	ck_assert_int_eq(mm_zero(g_mm, BASE, 0x100000), 0);
	ck_assert_int_eq(guest_write(g_mm, BASE + 0x1000, 1), 0);
	ck_assert_int_eq(guest_write(g_mm, BASE + 0xff000, 2), 0);
	memory_file_usage(&before);
	ck_assert_int_eq(mm_madvise(g_mm, BASE, 0x80000, LINUX_MADV_DONTNEED), 0);
	memory_file_usage(&after);
	ck_assert_uint_le(after.resident, before.resident - 0x80000);
	ck_assert_uint_eq(read_byte(BASE + 0x1000), 0);
	ck_assert_uint_eq(read_byte(BASE + 0xff000), 2);
	ck_assert_int_eq(mm_madvise(g_mm, BASE + 0xff000, 0x1000, LINUX_MADV_DONTNEED), 0);
	ck_assert_uint_eq(read_byte(BASE + 0xff000), 0);
}
END_TEST

START_TEST(madvise_rules)
{
	ck_assert_int_eq(map(BASE, 0x3000, RW, FIXED), BASE);
	ck_assert_int_eq(mm_madvise(g_mm, BASE, 0x1000, 99), -EINVAL);
	ck_assert_int_eq(mm_madvise(g_mm, BASE + 1, 0x1000, LINUX_MADV_DONTNEED), -EINVAL);
	ck_assert_int_eq(mm_madvise(g_mm, BASE, 0x5000, LINUX_MADV_DONTNEED), -ENOMEM);
	ck_assert_int_eq(mm_madvise(g_mm, BASE + 0x1000, 0x1000, LINUX_MADV_DONTFORK), 0);
	ck_assert_uint_eq(vma_count(), 3);
	ck_assert_int_eq(mm_madvise(g_mm, BASE, 0x3000, LINUX_MADV_DOFORK), 0);
	ck_assert_uint_eq(vma_count(), 1);
	ck_assert_int_eq(mm_madvise(g_mm, BASE, 0x1000, LINUX_MADV_REMOVE), -EINVAL);
	ck_assert_int_eq(map(BASE, 0x3000, RW, LINUX_MAP_SHARED | LINUX_MAP_FIXED), BASE);
	ck_assert_int_eq(mm_madvise(g_mm, BASE, 0x1000, LINUX_MADV_WIPEONFORK), -EINVAL);
	ck_assert_int_eq(guest_write(g_mm, BASE + 0x1000, 5), 0);
	ck_assert_int_eq(mm_madvise(g_mm, BASE + 0x1000, 0x1000, LINUX_MADV_REMOVE), 0);
	ck_assert_uint_eq(read_byte(BASE + 0x1000), 0);
	ck_assert_int_eq(mm_madvise(g_mm, BASE, 0x3000, LINUX_MADV_POPULATE_WRITE), 0);
	ck_assert_int_eq(mm_mprotect(g_mm, BASE, 0x1000, LINUX_PROT_READ), 0);
	ck_assert_int_eq(mm_madvise(g_mm, BASE, 0x3000, LINUX_MADV_POPULATE_WRITE), -EINVAL);
}
END_TEST

START_TEST(names)
{
	struct vma_info info;

	ck_assert_int_eq(map(BASE, 0x3000, RW, FIXED), BASE);
	ck_assert_int_eq(mm_set_anon_name(g_mm, BASE + 0x1000, 0x1000, "mine"), 0);
	ck_assert(mm_next_vma(g_mm, BASE + 0x1000, false, &info));
	ck_assert_str_eq(info.name, "[anon:mine]");
	ck_assert_uint_eq(info.end, BASE + 0x2000);
	ck_assert_int_eq(mm_set_anon_name(g_mm, BASE, 0x3000, NULL), 0);
	ck_assert_uint_eq(vma_count(), 1);
	ck_assert_uint_eq(mm_brk(g_mm, HEAP + 0x1000), HEAP + 0x1000);
	ck_assert(mm_next_vma(g_mm, HEAP, false, &info));
	ck_assert_str_eq(info.name, "[heap]");
	ck_assert(!mm_next_vma(g_mm, HEAP + 0x1000, false, &info));
}
END_TEST

TCase *resize_tests(void)
{
	TCase *tests = tcase_create("resize");

	tcase_add_checked_fixture(tests, mm_fixture_setup, mm_fixture_teardown);
	tcase_add_test(tests, brk_grows_and_shrinks);
	tcase_add_test(tests, mremap_in_place);
	tcase_add_test(tests, mremap_moves);
	tcase_add_test(tests, mremap_keeps_the_old_range);
	tcase_add_test(tests, mremap_errors);
	tcase_add_test(tests, dontneed_zeroes);
	tcase_add_test(tests, madvise_rules);
	tcase_add_test(tests, names);
	return tests;
}
