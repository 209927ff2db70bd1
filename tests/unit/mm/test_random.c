/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random mappings, copies and forks against a model that knows of each page only whether it is
 * mapped, its protection and one byte. Both the sentry's view and the guest's must agree with it.
 */
#include "mm_fixture.h"

#include <stdlib.h>
#include <string.h>

#define PAGES 512u
#define STEPS 4000
#define MMS   4
#define RW    (LINUX_PROT_READ | LINUX_PROT_WRITE)

struct page_model {
	bool mapped;
	int protection;
	unsigned char byte;
};

struct mm_model {
	struct mm *mm;
	struct page_model pages[PAGES];
};

static struct mm_model models[MMS];

static gaddr_t address_of(unsigned int page)
{
	return BASE + page * PAGE_SIZE;
}

static unsigned int pick(unsigned int count)
{
	return (unsigned int)random() % count;
}

static int pick_protection(void)
{
	static const int choices[] = {
		RW, RW, RW, LINUX_PROT_READ, LINUX_PROT_NONE, RW | LINUX_PROT_EXEC};

	return choices[pick(array_count(choices))];
}

static void do_map(struct mm_model *model, unsigned int first, unsigned int count)
{
	struct mmap_request request = {
		.address = address_of(first),
		.length = count * PAGE_SIZE,
		.protection = pick_protection(),
		.flags = LINUX_MAP_PRIVATE | LINUX_MAP_FIXED | LINUX_MAP_ANONYMOUS,
	};
	gaddr_t result;

	ck_assert_int_eq(mm_mmap(model->mm, &request, &result), 0);
	for (unsigned int i = first; i < first + count; i++)
		model->pages[i] = (struct page_model){true, request.protection, 0};
}

static void do_unmap(struct mm_model *model, unsigned int first, unsigned int count)
{
	ck_assert_int_eq(mm_munmap(model->mm, address_of(first), count * PAGE_SIZE), 0);
	memset(&model->pages[first], 0, count * sizeof(model->pages[0]));
}

static void do_protect(struct mm_model *model, unsigned int first, unsigned int count)
{
	int protection = pick_protection();
	int error = mm_mprotect(model->mm, address_of(first), count * PAGE_SIZE, protection);
	unsigned int i = first;

	for (; i < first + count && model->pages[i].mapped; i++)
		model->pages[i].protection = protection;
	ck_assert_int_eq(error == 0, i == first + count);
}

static void do_write(struct mm_model *model, unsigned int page)
{
	struct page_model *expected = &model->pages[page];
	unsigned char byte = (unsigned char)(1 + pick(255));
	bool allowed = expected->mapped && (expected->protection & LINUX_PROT_WRITE);
	int error = pick(2) ? guest_write(model->mm, address_of(page) + 5, byte)
			    : mm_copy_out(model->mm, address_of(page) + 5, &byte, 1);

	ck_assert_int_eq(error == 0, allowed);
	if (allowed)
		expected->byte = byte;
}

static void do_dontneed(struct mm_model *model, unsigned int first, unsigned int count)
{
	(void)!mm_madvise(model->mm, address_of(first), count * PAGE_SIZE, LINUX_MADV_DONTNEED);
	for (unsigned int i = first; i < first + count; i++)
		model->pages[i].byte = 0;
}

static bool is_one_vma(struct mm_model *model, unsigned int first, unsigned int count)
{
	for (unsigned int i = first; i < first + count; i++)
		if (!model->pages[i].mapped ||
			model->pages[i].protection != model->pages[first].protection)
			return false;
	return true;
}

static void do_move(
	struct mm_model *model, unsigned int first, unsigned int count, unsigned int target)
{
	struct page_model copy[PAGES];
	gaddr_t result;
	int error = mm_mremap(model->mm, address_of(first), count * PAGE_SIZE, count * PAGE_SIZE,
		LINUX_MREMAP_MAYMOVE | LINUX_MREMAP_FIXED, address_of(target), &result);

	if (target < first + count && first < target + count) {
		ck_assert_int_ne(error, 0);
		return;
	}
	if (!model->pages[first].mapped) {
		ck_assert_int_ne(error, 0);
		return;
	}
	/* From here on the target goes, whatever becomes of the move. */
	memset(&model->pages[target], 0, count * sizeof(copy[0]));
	ck_assert_int_eq(error == 0, is_one_vma(model, first, count));
	if (error)
		return;
	memcpy(copy, &model->pages[first], count * sizeof(copy[0]));
	memset(&model->pages[first], 0, count * sizeof(copy[0]));
	memcpy(&model->pages[target], copy, count * sizeof(copy[0]));
}

static void do_fork(struct mm_model *from, struct mm_model *to)
{
	if (to->mm == g_mm || to == from)
		return;
	mm_put(to->mm);
	*to = *from;
	ck_assert_int_eq(mm_fork(from->mm, &to->mm), 0);
}

static void check_page(struct mm_model *model, unsigned int page)
{
	const struct page_model *expected = &model->pages[page];
	unsigned char seen = 0, byte = 0;
	bool readable = expected->mapped && expected->protection;

	ck_assert_int_eq(guest_read(model->mm, address_of(page) + 5, &seen) == 0, readable);
	ck_assert_int_eq(mm_copy_in(model->mm, &byte, address_of(page) + 5, 1) == 0, readable);
	if (readable) {
		ck_assert_uint_eq(seen, expected->byte);
		ck_assert_uint_eq(byte, expected->byte);
	}
}

static void step(void)
{
	struct mm_model *model = &models[pick(MMS)];
	unsigned int first = pick(PAGES), count = 1 + pick(min_u64(PAGES - first, 64));

	if (!model->mm)
		model = &models[0];
	switch (pick(12)) {
	case 0:
	case 1:
		do_map(model, first, count);
		break;
	case 2:
		do_unmap(model, first, count);
		break;
	case 3:
		do_protect(model, first, count);
		break;
	case 4:
		do_dontneed(model, first, count);
		break;
	case 5:
		do_move(model, first, count, pick(PAGES - count + 1));
		break;
	case 6:
		if (pick(8) == 0)
			do_fork(model, &models[1 + pick(MMS - 1)]);
		break;
	default:
		do_write(model, first);
		check_page(model, pick(PAGES));
	}
}

START_TEST(agrees_with_the_model)
{
	srandom((unsigned int)_i + 100);
	memset(models, 0, sizeof(models));
	models[0].mm = g_mm;
	for (int i = 0; i < STEPS; i++)
		step();
	for (unsigned int m = 0; m < MMS; m++)
		for (unsigned int page = 0; models[m].mm && page < PAGES; page++)
			check_page(&models[m], page);
	for (unsigned int m = 1; m < MMS; m++)
		mm_put(models[m].mm);
}
END_TEST

TCase *random_tests(void)
{
	TCase *tests = tcase_create("random");

	tcase_add_checked_fixture(tests, mm_fixture_setup, mm_fixture_teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, agrees_with_the_model, 0, 6);
	return tests;
}
