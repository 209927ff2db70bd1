/* SPDX-License-Identifier: Apache-2.0 */
/* Copies in and out, strings, words, pins. */
#include "mm_fixture.h"

#include "sentry/mm/memory_file.h"

#include <errno.h>
#include <string.h>

#define RW    (LINUX_PROT_READ | LINUX_PROT_WRITE)
#define FIXED (LINUX_MAP_PRIVATE | LINUX_MAP_FIXED)

START_TEST(copies_cross_borders)
{
	char out[0x3000], in[0x3000];

	/* Three vmas, three backings. */
	ck_assert_int_eq(map(BASE, 0x1000, RW, FIXED), BASE);
	ck_assert_int_eq(map(BASE + 0x1000, 0x1000, RW | LINUX_PROT_EXEC, FIXED), BASE + 0x1000);
	ck_assert_int_eq(
		map(BASE + 0x2000, 0x1000, RW, LINUX_MAP_SHARED | LINUX_MAP_FIXED), BASE + 0x2000);
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 7);
	ck_assert_int_eq(mm_copy_out(g_mm, BASE + 1, out, sizeof(out) - 1), 0);
	ck_assert_int_eq(mm_copy_in(g_mm, in, BASE + 1, sizeof(in) - 1), 0);
	ck_assert_mem_eq(in, out, sizeof(in) - 1);
	ck_assert_uint_eq(mm_copy_out_partial(g_mm, BASE + 0x800, out, 0x3000), 0x2800);
	ck_assert_int_eq(mm_copy_out(g_mm, BASE + 0x2fff, out, 2), -EFAULT);
	ck_assert_int_eq(mm_copy_in(g_mm, in, BASE - 1, 2), -EFAULT);
	ck_assert_int_eq(mm_copy_in(g_mm, in, UINT64_MAX, 2), -EFAULT);
	ck_assert_int_eq(mm_copy_in(g_mm, in, UINT64_MAX, 0), 0);
	ck_assert_int_eq(mm_zero(g_mm, BASE + 0xfff, 0x1002), 0);
	ck_assert_int_eq(mm_copy_in(g_mm, in, BASE, 0x3000), 0);
	ck_assert_int_eq(in[0xffe], out[0x7fe]);
	ck_assert_int_eq(in[0xfff] | in[0x1800] | in[0x2000], 0);
	ck_assert_int_eq(in[0x2001], out[0x1801]);
}
END_TEST

START_TEST(protections_hold)
{
	char byte = 1;

	ck_assert_int_eq(map(BASE, 0x3000, RW, FIXED), BASE);
	ck_assert_int_eq(mm_copy_out(g_mm, BASE, &byte, 1), 0);
	ck_assert_int_eq(mm_mprotect(g_mm, BASE, 0x1000, LINUX_PROT_READ), 0);
	ck_assert_int_eq(mm_copy_out(g_mm, BASE, &byte, 1), -EFAULT);
	ck_assert_int_eq(mm_copy_in(g_mm, &byte, BASE, 1), 0);
	ck_assert_int_eq(mm_mprotect(g_mm, BASE, 0x1000, LINUX_PROT_NONE), 0);
	ck_assert_int_eq(mm_copy_in(g_mm, &byte, BASE, 1), -EFAULT);
	ck_assert_int_eq(mm_mprotect(g_mm, BASE, 0x1000, LINUX_PROT_WRITE), 0);
	ck_assert_int_eq(mm_copy_in(g_mm, &byte, BASE, 1), 0);
	ck_assert_int_eq(mm_munmap(g_mm, BASE, 0x1000), 0);
	ck_assert_int_eq(mm_copy_in(g_mm, &byte, BASE, 1), -EFAULT);
}
END_TEST

START_TEST(force_breaks_protection_not_sharing)
{
	char byte = 9;

	ck_assert_int_eq(map(BASE, 0x1000, LINUX_PROT_READ, FIXED), BASE);
	ck_assert_uint_eq(mm_access_force(g_mm, BASE, &byte, 1, true), 1);
	byte = 0;
	ck_assert_int_eq(mm_copy_in(g_mm, &byte, BASE, 1), 0);
	ck_assert_int_eq(byte, 9);
	ck_assert_int_eq(mm_copy_out(g_mm, BASE, &byte, 1), -EFAULT);
	ck_assert_int_eq(map(BASE, 0x1000, LINUX_PROT_NONE, FIXED), BASE);
	ck_assert_uint_eq(mm_access_force(g_mm, BASE, &byte, 1, false), 1);
	ck_assert_int_eq(
		map(BASE, 0x1000, LINUX_PROT_READ, LINUX_MAP_SHARED | LINUX_MAP_FIXED), BASE);
	ck_assert_uint_eq(mm_access_force(g_mm, BASE, &byte, 1, true), 0);
}
END_TEST

START_TEST(strings)
{
	char text[600], buffer[600];

	ck_assert_int_eq(map(BASE, 0x2000, RW, FIXED), BASE);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(mm_copy_out(g_mm, BASE + 0x1000 - 300, text, sizeof(text)), 0);
	ck_assert_int_eq(mm_copy_in_string(g_mm, buffer, BASE + 0x1000 - 300, sizeof(buffer)), 599);
	ck_assert_str_eq(buffer, text);
	ck_assert_int_eq(mm_copy_in_string(g_mm, buffer, BASE + 0x1000 - 300, 599), -ENAMETOOLONG);
	ck_assert_int_eq(mm_copy_out(g_mm, BASE + 0x2000 - 4, "abcd", 4), 0);
	ck_assert_int_eq(
		mm_copy_in_string(g_mm, buffer, BASE + 0x2000 - 4, sizeof(buffer)), -EFAULT);
	ck_assert_int_eq(mm_copy_in_string(g_mm, buffer, BASE + 0x2000 - 4, 4), -ENAMETOOLONG);
	ck_assert_int_eq(mm_copy_in_string(g_mm, buffer, 0, 4), -EFAULT);
}
END_TEST

START_TEST(words)
{
	struct futex_key a, b;
	uint32_t value;

	ck_assert_int_eq(map(BASE, 0x1000, RW, FIXED), BASE);
	ck_assert_int_eq(mm_cmpxchg_u32(g_mm, BASE + 8, 0, 5, &value), 0);
	ck_assert_int_eq(mm_cmpxchg_u32(g_mm, BASE + 8, 0, 6, &value), -EAGAIN);
	ck_assert_uint_eq(value, 5);
	ck_assert_int_eq(mm_load_u32(g_mm, BASE + 8, &value), 0);
	ck_assert_uint_eq(value, 5);
	ck_assert_int_eq(mm_load_u32(g_mm, BASE + 6, &value), -EFAULT);
	ck_assert_int_eq(mm_load_u32(g_mm, BASE + 0x1000, &value), -EFAULT);
	/* A shared word has one name wherever it is mapped. */
	ck_assert_int_eq(map(BASE, 0x2000, RW, LINUX_MAP_SHARED | LINUX_MAP_FIXED), BASE);
	gaddr_t again;
	ck_assert_int_eq(mm_mremap(g_mm, BASE, 0, 0x2000, LINUX_MREMAP_MAYMOVE, 0, &again), 0);
	ck_assert_int_eq(mm_futex_key(g_mm, BASE + 0x1004, true, true, &a), 0);
	ck_assert_int_eq(mm_futex_key(g_mm, again + 0x1004, true, true, &b), 0);
	ck_assert(a.object == b.object && a.offset == b.offset);
	ck_assert_int_eq(mm_futex_key(g_mm, again + 0x2000, true, true, &b), -EFAULT);
	ck_assert_int_eq(mm_futex_key(g_mm, again + 0x1004, false, true, &b), 0);
	ck_assert(a.object != b.object);
}
END_TEST

START_TEST(pins_outlive_mappings)
{
	struct memory_file_usage usage;
	struct mm_pin pin;

	ck_assert_int_eq(map(BASE, 0x2000, RW, FIXED), BASE);
	ck_assert_int_eq(map(BASE + 0x2000, 0x1000, LINUX_PROT_READ, FIXED), BASE + 0x2000);
	ck_assert_int_eq(mm_copy_out(g_mm, BASE + 0x1ffe, "ab", 2), 0);
	ck_assert_int_eq(mm_pin(g_mm, BASE + 0x10, 0x5000, false, &pin), 0x2ff0);
	mm_unpin(&pin);
	ck_assert_int_eq(mm_pin(g_mm, BASE + 0x10, 0x5000, true, &pin), 0x1ff0);
	ck_assert_int_eq(mm_munmap(g_mm, BASE, 0x3000), 0);
	memory_file_usage(&usage);
	ck_assert_uint_eq(usage.allocated, 0x2000);
	ck_assert_mem_eq((char *)pin.iov[0].iov_base + 0x1fee, "ab", 2);
	mm_unpin(&pin);
	ck_assert_int_eq(mm_pin(g_mm, BASE, 1, false, &pin), -EFAULT);
}
END_TEST

START_TEST(host_files_that_shrink)
{
	struct file *file = host_file_new(3, true);
	char buffer[0x3000];
	struct mm_pin pin;
	uint32_t value;

	ck_assert_int_eq(
		map_file(file, BASE, 0x3000, 0, RW, LINUX_MAP_SHARED | LINUX_MAP_FIXED), BASE);
	ck_assert_int_eq(mm_copy_in(g_mm, buffer, BASE, 0x3000), 0);
	ck_assert_int_eq(buffer[0], 1);
	ck_assert_int_eq(buffer[0x2fff], 3);
	ck_assert_int_eq(mm_copy_out(g_mm, BASE + 0x1000, "zz", 2), 0);
	ck_assert_int_eq(mm_pin(g_mm, BASE, 0x3000, true, &pin), 0x3000);
	host_file_truncate(file, 0x1800);
	ck_assert_uint_eq(mm_copy_in_partial(g_mm, buffer, BASE, 0x3000), 0x2000);
	ck_assert_mem_eq(buffer + 0x1000, "zz", 2);
	ck_assert_int_eq(mm_zero(g_mm, BASE + 0x1000, 0x2000), -EFAULT);
	ck_assert_int_eq(mm_load_u32(g_mm, BASE + 0x2000, &value), -EFAULT);
	ck_assert_int_eq(mm_cmpxchg_u32(g_mm, BASE + 0x2000, 0, 1, &value), -EFAULT);
	mm_unpin(&pin);
	ck_assert_int_eq(mm_munmap(g_mm, BASE, 0x3000), 0);
	host_file_free(file);
}
END_TEST

TCase *access_tests(void)
{
	TCase *tests = tcase_create("access");

	tcase_add_checked_fixture(tests, mm_fixture_setup, mm_fixture_teardown);
	tcase_add_test(tests, copies_cross_borders);
	tcase_add_test(tests, protections_hold);
	tcase_add_test(tests, force_breaks_protection_not_sharing);
	tcase_add_test(tests, strings);
	tcase_add_test(tests, words);
	tcase_add_test(tests, pins_outlive_mappings);
	tcase_add_test(tests, host_files_that_shrink);
	return tests;
}
