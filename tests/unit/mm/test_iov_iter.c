/* SPDX-License-Identifier: Apache-2.0 */
/* Iterators: over guest memory and buffers, forwards, back, pinned, and what is refused. */
#include "mm_fixture.h"

#include "sentry/mm/iov_iter.h"

#include <errno.h>
#include <string.h>

#define RW    (LINUX_PROT_READ | LINUX_PROT_WRITE)
#define FIXED (LINUX_MAP_PRIVATE | LINUX_MAP_FIXED)

static void put_vector(gaddr_t where, const struct iovec *vector, size_t count)
{
	ck_assert_int_eq(mm_copy_out(g_mm, where, vector, count * sizeof(*vector)), 0);
}

START_TEST(vectors)
{
	const struct iovec vector[] = {{(void *)BASE, 3}, {NULL, 0}, {(void *)(BASE + 0x100), 5},
		{(void *)(BASE + 0x1fff), 1}, {(void *)(BASE + 0x3000), 10}};
	struct iov_iter iter;
	char buffer[16] = {};

	ck_assert_int_eq(map(BASE, 0x3000, RW, FIXED), BASE);
	put_vector(BASE + 0x1000, vector, 5);
	ck_assert_int_eq(iov_iter_import(&iter, g_mm, BASE + 0x1000, 5, true), 0);
	ck_assert_uint_eq(iov_iter_count(&iter), 19);
	ck_assert_uint_eq(copy_to_iter("abcd", 4, &iter), 4);
	iov_iter_revert(&iter, 2);
	ck_assert_uint_eq(
		copy_to_iter("CDEFGHIJKLM", 11, &iter), 7); /* the last piece is not there */
	ck_assert_uint_eq(iov_iter_count(&iter), 10);
	iov_iter_revert(&iter, 9);
	iov_iter_advance(&iter, 1);
	ck_assert_uint_eq(copy_from_iter(buffer, 8, &iter), 8);
	ck_assert_str_eq(buffer, "bCDEFGHI");
	iov_iter_destroy(&iter);
	ck_assert_int_eq(mm_copy_in(g_mm, buffer, BASE + 0x100, 5), 0);
	ck_assert_mem_eq(buffer, "DEFGH", 5);
}
END_TEST

START_TEST(many_pieces)
{
	struct iovec vector[1024];
	struct iov_iter iter;
	struct mm_pin pin;

	ck_assert_int_eq(map(BASE, 0x8000, RW, FIXED), BASE);
	for (size_t i = 0; i < 1024; i++)
		vector[i] = (struct iovec){(void *)(BASE + i * 2), 1};
	put_vector(BASE + 0x4000, vector, 1024);
	ck_assert_int_eq(iov_iter_import(&iter, g_mm, BASE + 0x4000, 1025, true), -EINVAL);
	ck_assert_int_eq(iov_iter_import(&iter, g_mm, BASE + 0x4000, 1024, true), 0);
	ck_assert_uint_eq(iov_iter_zero(1000, &iter), 1000);
	ck_assert_int_eq(iov_iter_pin(&iter, 100, &pin), MM_PIN_MAX);
	mm_unpin(&pin);
	iov_iter_truncate(&iter, 5);
	ck_assert_int_eq(iov_iter_pin(&iter, 100, &pin), 5);
	ck_assert_int_eq(pin.count, 5);
	mm_unpin(&pin);
	ck_assert_uint_eq(copy_to_iter("123456", 6, &iter), 5);
	iov_iter_destroy(&iter);
}
END_TEST

START_TEST(refusals)
{
	struct iovec vector[] = {{(void *)BASE, 0x7ffff000}, {(void *)BASE, 0x7ffff000}};
	struct iov_iter iter;

	ck_assert_int_eq(map(BASE, 0x1000, RW, FIXED), BASE);
	put_vector(BASE, vector, 2);
	ck_assert_int_eq(iov_iter_import(&iter, g_mm, BASE, 2, false), 0);
	ck_assert_uint_eq(iov_iter_count(&iter), 0x7ffff000);
	iov_iter_destroy(&iter);
	vector[1].iov_len = (size_t)-1;
	put_vector(BASE, vector, 2);
	ck_assert_int_eq(iov_iter_import(&iter, g_mm, BASE, 2, false), -EINVAL);
	ck_assert_int_eq(iov_iter_import(&iter, g_mm, BASE + 0xff8, 1, false), -EFAULT);
	ck_assert_int_eq(iov_iter_import(&iter, g_mm, 0, 0, false), 0);
	iov_iter_destroy(&iter);
	vector[0] = (struct iovec){(void *)(UINT64_MAX - 10), 100};
	put_vector(BASE, vector, 1);
	ck_assert_int_eq(iov_iter_import(&iter, g_mm, BASE, 1, false), -EFAULT);
}
END_TEST

START_TEST(buffers)
{
	char buffer[8] = "12345678", out[8];
	struct iov_iter iter;
	struct mm_pin pin;

	iov_iter_init_kernel(&iter, buffer, sizeof(buffer), false);
	ck_assert_uint_eq(copy_from_iter(out, 3, &iter), 3);
	ck_assert_mem_eq(out, "123", 3);
	ck_assert_int_eq(iov_iter_pin(&iter, 100, &pin), 5);
	ck_assert_ptr_eq(pin.iov[0].iov_base, buffer + 3);
	mm_unpin(&pin);
	iov_iter_init_kernel(&iter, buffer, sizeof(buffer), true);
	ck_assert_uint_eq(iov_iter_zero(2, &iter), 2);
	ck_assert_uint_eq(copy_to_iter("ab", 2, &iter), 2);
	ck_assert_mem_eq(buffer, "\0\0ab5678", 8);
}
END_TEST

TCase *iov_iter_tests(void)
{
	TCase *tests = tcase_create("iov_iter");

	tcase_add_checked_fixture(tests, mm_fixture_setup, mm_fixture_teardown);
	tcase_add_test(tests, vectors);
	tcase_add_test(tests, many_pieces);
	tcase_add_test(tests, refusals);
	tcase_add_test(tests, buffers);
	return tests;
}
