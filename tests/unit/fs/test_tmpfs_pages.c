/* SPDX-License-Identifier: Apache-2.0 */
/* Extents of tmpfs files, against a model that is an array. */
#include "fs_fixture.h"

#include "sentry/fs/tmpfs/tmpfs_pages.h"
#include "sentry/mm/memory_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGES 300

static struct tmpfs_quota quota;
static struct tmpfs_pages pages;
static uint32_t model[PAGES]; /* a mark that was written, 0 for a hole */

static void setup(void)
{
	ck_assert_int_eq(memory_file_open(64ul << 20), 0);
	quota = (struct tmpfs_quota){0};
	tmpfs_pages_init(&pages, &quota);
	memset(model, 0, sizeof(model));
}

static void teardown(void)
{
	struct memory_file_usage usage;

	tmpfs_pages_destroy(&pages);
	memory_file_usage(&usage);
	ck_assert_uint_eq(usage.allocated, 0);
	ck_assert_uint_eq(quota.used_pages, 0);
}

static uint32_t *word(uint64_t memory, uint64_t page)
{
	return (uint32_t *)memory_file_pointer(memory + (page << PAGE_SHIFT));
}

static void check_against_model(void)
{
	struct tmpfs_run run;
	uint64_t there = 0;

	for (uint64_t page = 0; page < PAGES; page += run.count) {
		tmpfs_pages_find(&pages, page, PAGES - page, &run);
		ck_assert_uint_gt(run.count, 0);
		for (uint64_t i = 0; i < run.count; i++) {
			ck_assert_int_eq(run.hole, model[page + i] == 0);
			if (!run.hole)
				ck_assert_uint_eq(*word(run.memory, i), model[page + i]);
		}
		there += run.hole ? 0 : run.count;
	}
	ck_assert_uint_eq(pages.count, there);
	ck_assert_uint_eq(quota.used_pages, there);
}

static void fill(uint64_t first, uint64_t end, uint32_t mark)
{
	struct tmpfs_run run;

	for (uint64_t page = first; page < end; page += run.count) {
		ck_assert_int_eq(tmpfs_pages_fill(&pages, page, end - page, &run), 0);
		for (uint64_t i = 0; i < run.count; i++) {
			/* What was a hole must come as zeros. */
			ck_assert_uint_eq(*word(run.memory, i), model[page + i]);
			*word(run.memory, i) = model[page + i] = mark;
		}
	}
}

static void cut(uint64_t first, uint64_t end)
{
	ck_assert_int_eq(tmpfs_pages_cut(&pages, first, end), 0);
	for (uint64_t page = first; page < end; page++)
		model[page] = 0;
}

START_TEST(test_random)
{
	srandom((unsigned int)_i + 1);
	for (uint32_t step = 1; step < 2000; step++) {
		uint64_t first = (uint64_t)random() % PAGES, size = 1 + (uint64_t)random() % 20;
		uint64_t end = min_u64(first + size, PAGES);

		switch (random() % 8) {
		case 0:
		case 1:
		case 2:
			fill(first, end, step);
			break;
		case 3:
		case 4:
		case 5:
			cut(first, end);
			break;
		case 6:
			tmpfs_pages_cut_tail(&pages, first);
			memset(model + first, 0, (PAGES - first) * sizeof(model[0]));
			break;
		default:
			tmpfs_pages_trim(&pages);
		}
		if (step % 16 == 0)
			check_against_model();
	}
}
END_TEST

START_TEST(test_sequential_growth_is_few_extents)
{
	struct tmpfs_extent *extent;
	unsigned int extents = 0;

	for (uint64_t page = 0; page < PAGES; page++)
		fill(page, page + 1, 1);
	check_against_model();
	for (extent = RB_ROOT(&pages.extents); extent; extent = RB_RIGHT(extent, link))
		extents++;
	ck_assert_uint_le(extents, 10);
}
END_TEST

START_TEST(test_seek)
{
	fill(10, 20, 1);
	fill(20, 25, 2);
	fill(40, 41, 3);
	ck_assert_uint_eq(tmpfs_pages_seek(&pages, 0, true), 10);
	ck_assert_uint_eq(tmpfs_pages_seek(&pages, 0, false), 0);
	ck_assert_uint_eq(tmpfs_pages_seek(&pages, 12, true), 12);
	ck_assert_uint_eq(tmpfs_pages_seek(&pages, 12, false), 25);
	ck_assert_uint_eq(tmpfs_pages_seek(&pages, 25, true), 40);
	ck_assert_uint_eq(tmpfs_pages_seek(&pages, 40, false), 41);
	ck_assert_uint_eq(tmpfs_pages_seek(&pages, 41, true), UINT64_MAX);
	ck_assert_uint_eq(tmpfs_pages_missing(&pages, 5, 45), 40 - 16);
}
END_TEST

START_TEST(test_quota)
{
	struct tmpfs_run run;

	quota.max_pages = 10;
	fill(0, 8, 1);
	ck_assert_int_eq(tmpfs_pages_fill(&pages, 100, 8, &run), 0);
	ck_assert_uint_eq(run.count, 2);
	ck_assert_int_eq(tmpfs_pages_fill(&pages, 200, 1, &run), -ENOSPC);
	ck_assert_int_eq(tmpfs_pages_cut(&pages, 0, 4), 0);
	ck_assert_int_eq(tmpfs_pages_fill(&pages, 200, 8, &run), 0);
	ck_assert_uint_eq(run.count, 4);
}
END_TEST

START_TEST(test_memory_runs_out)
{
	struct tmpfs_run run;
	uint64_t page = 0;
	int error;

	do {
		error = tmpfs_pages_fill(&pages, page, 5000, &run);
		if (!error)
			memset(memory_file_pointer(run.memory), 1, run.count << PAGE_SHIFT);
		page += error ? 0 : run.count;
	} while (!error);
	ck_assert_int_eq(error, -ENOMEM);
	ck_assert_uint_eq(quota.used_pages, page);
	ck_assert_uint_ge(page, (48ul << 20) >> PAGE_SHIFT);
}
END_TEST

TCase *tmpfs_pages_tests(void)
{
	TCase *tcase = tcase_create("tmpfs pages");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_random, 0, 8);
	tcase_add_test(tcase, test_sequential_growth_is_few_extents);
	tcase_add_test(tcase, test_seek);
	tcase_add_test(tcase, test_quota);
	tcase_add_test(tcase, test_memory_runs_out);
	return tcase;
}
