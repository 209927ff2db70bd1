/* SPDX-License-Identifier: Apache-2.0 */
/* The memory file: reference counts, clean pages, limits; and random use against a model. */
#include "mm_fixture.h"

#include "base/compiler.h"
#include "sentry/mm/memory_file_place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void setup(void)
{
	ck_assert_int_eq(memory_file_open(0), 0);
}

static uint64_t allocate(uint64_t size)
{
	uint64_t offset;
	bool warm;

	ck_assert_int_eq(memory_file_allocate(size, &offset, &warm), 0);
	return offset;
}

static bool is_zero(uint64_t offset, uint64_t size)
{
	const char *bytes = memory_file_pointer(offset);

	return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

START_TEST(recycled_pages_are_zero)
{
	uint64_t a = allocate(16 * PAGE_SIZE), b;
	bool warm;

	memset(memory_file_pointer(a), 0xaa, 16 * PAGE_SIZE);
	memory_file_put(a, 16 * PAGE_SIZE);
	ck_assert_int_eq(memory_file_allocate(16 * PAGE_SIZE, &b, &warm), 0);
	ck_assert_uint_eq(a, b);
	ck_assert(warm);
	ck_assert(is_zero(b, 16 * PAGE_SIZE));
	memory_file_put(b, 16 * PAGE_SIZE);
}
END_TEST

START_TEST(untouched_pages_stay_untouched)
{
	uint64_t offset = allocate(64 * PAGE_SIZE);
	struct memory_file_usage usage;

	memory_file_put(offset, 64 * PAGE_SIZE);
	offset = allocate(64 * PAGE_SIZE);
	memory_file_usage(&usage);
	ck_assert_uint_eq(usage.resident, 0);
	ck_assert_uint_eq(usage.allocated, 64 * PAGE_SIZE);
	memory_file_put(offset, 64 * PAGE_SIZE);
}
END_TEST

START_TEST(references_are_per_page)
{
	uint64_t offset = allocate(8 * PAGE_SIZE);
	bool sole;

	memory_file_get(offset + 2 * PAGE_SIZE, 3 * PAGE_SIZE);
	ck_assert_uint_eq(memory_file_references(offset + PAGE_SIZE), 1);
	ck_assert_uint_eq(memory_file_references(offset + 2 * PAGE_SIZE), 2);
	ck_assert_uint_eq(memory_file_sole(offset, 8 * PAGE_SIZE, &sole), 2 * PAGE_SIZE);
	ck_assert(sole);
	memory_file_put(offset, 8 * PAGE_SIZE);
	ck_assert_uint_eq(memory_file_references(offset), 0);
	ck_assert_uint_eq(memory_file_references(offset + 4 * PAGE_SIZE), 1);
	memory_file_put(offset + 2 * PAGE_SIZE, 3 * PAGE_SIZE);
	ck_assert_uint_eq(memory_file_references(offset + 4 * PAGE_SIZE), 0);
}
END_TEST

START_TEST(limit_counts_what_is_held)
{
	uint64_t a, b;
	bool warm;

	ck_assert_int_eq(memory_file_open(1 << 20), 0);
	a = allocate(768 << 10);
	/* Much was given out, but nothing of it touched. */
	b = allocate(512 << 10);
	memory_file_put(b, 512 << 10);
	memset(memory_file_pointer(a), 1, 768 << 10);
	ck_assert_int_eq(memory_file_allocate(512 << 10, &b, &warm), -ENOMEM);
	b = allocate(128 << 10);
	memory_file_put(a, 768 << 10);
	memory_file_put(b, 128 << 10);
	/* Recycled pages never stand in the way. */
	a = allocate(1 << 20);
	memory_file_put(a, 1 << 20);
}
END_TEST

#define MODEL_EXTENTS 200

static struct extent {
	uint64_t offset, size;
	unsigned int references;
	unsigned char value;
} model[MODEL_EXTENTS];

static void fill(struct extent *extent)
{
	extent->value = (unsigned char)(1 + random() % 255);
	memset(memory_file_pointer(extent->offset), extent->value, extent->size);
}

static void step(struct extent *extent)
{
	unsigned char *bytes;

	if (!extent->references) {
		extent->size = (uint64_t)(1 + random() % 64) * PAGE_SIZE;
		extent->offset = allocate(extent->size);
		extent->references = 1;
		ck_assert(is_zero(extent->offset, extent->size));
		fill(extent);
		return;
	}
	bytes = memory_file_pointer(extent->offset);
	ck_assert_uint_eq(bytes[0], extent->value);
	ck_assert_int_eq(memcmp(bytes, bytes + 1, extent->size - 1), 0);
	ck_assert_uint_eq(memory_file_references(extent->offset), extent->references);
	if (random() % 3 == 0) {
		memory_file_get(extent->offset, extent->size);
		extent->references++;
	} else {
		/* In two pieces, as munmap of parts would. */
		uint64_t first = extent->size / 2 & PAGE_MASK;

		if (first)
			memory_file_put(extent->offset, first);
		memory_file_put(extent->offset + first, extent->size - first);
		extent->references--;
	}
}

START_TEST(random_use)
{
	struct memory_file_usage usage;
	uint64_t held = 0;

	srandom((unsigned int)_i);
	memset(model, 0, sizeof(model));
	for (int i = 0; i < 10000; i++)
		step(&model[random() % MODEL_EXTENTS]);
	for (size_t i = 0; i < MODEL_EXTENTS; i++)
		held += model[i].references ? model[i].size : 0;
	memory_file_usage(&usage);
	ck_assert_uint_eq(usage.allocated, held);
	for (size_t i = 0; i < MODEL_EXTENTS; i++)
		while (model[i].references--)
			memory_file_put(model[i].offset, model[i].size);
	memory_file_trim(0);
	memory_file_usage(&usage);
	ck_assert_uint_eq(usage.allocated, 0);
	ck_assert_uint_eq(usage.resident, 0);
}
END_TEST

TCase *memory_file_tests(void)
{
	TCase *tests = tcase_create("memory file");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, recycled_pages_are_zero);
	tcase_add_test(tests, untouched_pages_stay_untouched);
	tcase_add_test(tests, references_are_per_page);
	tcase_add_test(tests, limit_counts_what_is_held);
	tcase_add_loop_test(tests, random_use, 0, 4);
	return tests;
}
