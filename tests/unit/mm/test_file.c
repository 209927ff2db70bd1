/* SPDX-License-Identifier: Apache-2.0 */
/* File mappings: the host's pages, private copies, truncation. */
#include "mm_fixture.h"

#include "abi/signal.h"
#include "sentry/mm/mappable.h"
#include "sentry/mm/memory_file.h"

#include <errno.h>

#define RW     (LINUX_PROT_READ | LINUX_PROT_WRITE)
#define FIXED  (LINUX_MAP_PRIVATE | LINUX_MAP_FIXED)
#define ADRERR (LINUX_SIGBUS * 16 + LINUX_BUS_ADRERR)

static struct file *file;

static void setup(void)
{
	mm_fixture_setup();
	file = host_file_new(100, true);
}

static void teardown(void)
{
	ck_assert_int_eq(mm_munmap(g_mm, BASE, 0x1000000), 0);
	host_file_free(file);
	mm_fixture_teardown();
}

static unsigned char read_byte(gaddr_t address)
{
	unsigned char byte = 0;

	ck_assert_int_eq(guest_read(g_mm, address, &byte), 0);
	return byte;
}

START_TEST(text_is_the_files_own)
{
	struct memory_file_usage usage;

	ck_assert_int_eq(
		map_file(file, BASE, 0x10000, 0x3000, LINUX_PROT_READ | LINUX_PROT_EXEC, FIXED),
		BASE);
	ck_assert_uint_eq(read_byte(BASE), 4);
	ck_assert_uint_eq(read_byte(BASE + 0xf000), 19);
	ck_assert_uint_eq(g_faults, 0);
	memory_file_usage(&usage);
	ck_assert_uint_eq(usage.allocated, 0);
}
END_TEST

START_TEST(small_data_of_a_program_is_copied_at_once)
{
	ck_assert_int_eq(
		map_file(file, BASE, 0x4000, 0x1000, RW, FIXED | LINUX_MAP_DENYWRITE), BASE);
	ck_assert_int_eq(guest_write(g_mm, BASE + 0x1000, 99), 0);
	ck_assert_uint_eq(read_byte(BASE + 0x1001), 3);
	ck_assert_uint_eq(g_faults, 0);
	ck_assert_int_eq(map_file(file, BASE + 0x10000, 0x4000, 0x1000, LINUX_PROT_READ, FIXED),
		BASE + 0x10000);
	ck_assert_uint_eq(read_byte(BASE + 0x11000), 3);
}
END_TEST

START_TEST(large_data_is_copied_by_runs)
{
	struct memory_file_usage usage;

	ck_assert_int_eq(map_file(file, BASE, 0x60000, 0, RW, FIXED), BASE);
	ck_assert_int_eq(guest_write(g_mm, BASE + 0x20000, 99), 0);
	ck_assert_uint_eq(g_faults, 1);
	ck_assert_uint_eq(read_byte(BASE + 0x20001), 0x21);
	ck_assert_uint_eq(read_byte(BASE + 0x2f000), 0x30);
	ck_assert_uint_eq(read_byte(BASE + 0x30000), 0x31);
	memory_file_usage(&usage);
	ck_assert_uint_eq(usage.allocated, 0x10000);
	ck_assert_int_eq(mm_madvise(g_mm, BASE + 0x20000, 0x10000, LINUX_MADV_DONTNEED), 0);
	ck_assert_uint_eq(read_byte(BASE + 0x20000), 0x21);
}
END_TEST

START_TEST(behind_the_end)
{
	unsigned char byte;

	ck_assert_int_eq(map_file(file, BASE, 0x70000, 0, LINUX_PROT_READ,
				 LINUX_MAP_SHARED | LINUX_MAP_FIXED),
		BASE);
	ck_assert_uint_eq(read_byte(BASE + 0x63000), 100);
	ck_assert_int_eq(guest_read(g_mm, BASE + 0x64000, &byte), ADRERR);
	/* It grows, and the mapping with it. */
	host_file_truncate(file, 0x68000);
	ck_assert_uint_eq(read_byte(BASE + 0x64000), 0);
	host_file_truncate(file, 0x1000);
	ck_assert_int_eq(guest_read(g_mm, BASE + 0x2000, &byte), ADRERR);
}
END_TEST

START_TEST(invalidation)
{
	struct mm *child;
	unsigned char byte;

	ck_assert_int_eq(
		map_file(file, BASE, 0x60000, 0, RW, LINUX_MAP_SHARED | LINUX_MAP_FIXED), BASE);
	ck_assert_int_eq(map_file(file, BASE + 0x100000, 0x60000, 0, RW, FIXED), BASE + 0x100000);
	ck_assert_int_eq(guest_write(g_mm, BASE + 0x100000, 50), 0);
	ck_assert_int_eq(guest_write(g_mm, BASE + 0x150000, 60), 0);
	ck_assert_int_eq(mm_fork(g_mm, &child), 0);
	/* Holes leave private copies alone, truncation does not. */
	mappable_invalidate(host_file_mappable(file), 0, 0x10000, false);
	ck_assert_uint_eq(read_byte(BASE + 0x100000), 50);
	host_file_truncate(file, 0x2000);
	mappable_invalidate(host_file_mappable(file), 0x2000, UINT64_MAX - 0x2000, true);
	ck_assert_int_eq(guest_read(g_mm, BASE + 0x2000, &byte), ADRERR);
	ck_assert_int_eq(guest_read(g_mm, BASE + 0x150000, &byte), ADRERR);
	ck_assert_int_eq(guest_read(child, BASE + 0x150000, &byte), ADRERR);
	ck_assert_int_eq(guest_read(child, BASE + 0x100000, &byte), 0);
	ck_assert_uint_eq(byte, 50);
	ck_assert_uint_eq(read_byte(BASE + 0x1000), 2);
	mm_put(child);
}
END_TEST

START_TEST(permissions)
{
	const int shared = LINUX_MAP_SHARED;
	struct file *read_only = host_file_new(1, false);

	ck_assert_int_eq(map_file(read_only, BASE, 0x1000, 0, RW, shared), -EACCES);
	ck_assert_int_eq(map_file(read_only, BASE, 0x1000, 1, RW, shared), -EINVAL);
	ck_assert_int_eq(map_file(read_only, BASE, 0x1000, PAGE_MASK, RW, shared), -EOVERFLOW);
	ck_assert_int_eq(
		map_file(read_only, BASE, 0x1000, 0, LINUX_PROT_READ, shared | LINUX_MAP_FIXED),
		BASE);
	ck_assert_int_eq(mm_mprotect(g_mm, BASE, 0x1000, RW), -EACCES);
	ck_assert_int_eq(map_file(read_only, BASE, 0x1000, 0, RW, FIXED), BASE);
	ck_assert_int_eq(guest_write(g_mm, BASE, 9), 0);
	ck_assert_int_eq(map_file(read_only, BASE, 0x1000, 0, LINUX_PROT_READ,
				 LINUX_MAP_SHARED_VALIDATE | LINUX_MAP_SYNC),
		-EOPNOTSUPP);
	read_only->mode = FILE_WRITE;
	ck_assert_int_eq(
		map_file(read_only, BASE, 0x1000, 0, LINUX_PROT_READ, LINUX_MAP_PRIVATE), -EACCES);
	ck_assert_int_eq(mm_munmap(g_mm, BASE, 0x1000), 0);
	host_file_free(read_only);
}
END_TEST

START_TEST(forced_writes_are_private)
{
	char byte = 42;

	ck_assert_int_eq(
		map_file(file, BASE, 0x60000, 0, LINUX_PROT_READ | LINUX_PROT_EXEC, FIXED), BASE);
	ck_assert_uint_eq(mm_access_force(g_mm, BASE + 0x1000, &byte, 1, true), 1);
	ck_assert_uint_eq(read_byte(BASE + 0x1000), 42);
	ck_assert_int_eq(map_file(file, BASE, 0x60000, 0, LINUX_PROT_READ, FIXED), BASE);
	ck_assert_uint_eq(read_byte(BASE + 0x1000), 2);
}
END_TEST

TCase *file_tests(void)
{
	TCase *tests = tcase_create("file");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, text_is_the_files_own);
	tcase_add_test(tests, small_data_of_a_program_is_copied_at_once);
	tcase_add_test(tests, large_data_is_copied_by_runs);
	tcase_add_test(tests, behind_the_end);
	tcase_add_test(tests, invalidation);
	tcase_add_test(tests, permissions);
	tcase_add_test(tests, forced_writes_are_private);
	return tests;
}
