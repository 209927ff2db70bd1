/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of mapped ranges against a plain array, the queue's merging, and the null platform's
 * view of both. */
#include "platform/null/null_platform.h"
#include "platform/ptrace/map_queue.h"
#include "platform/ptrace/mapped_ranges.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGES 64

static uint64_t g_random = 88172645463325252u;

static uint64_t random_below(uint64_t limit)
{
	g_random ^= g_random << 13;
	g_random ^= g_random >> 7;
	g_random ^= g_random << 17;
	return g_random % limit;
}

static void compare_ranges(const struct mapped_ranges *ranges, const bool *model)
{
	uint64_t at = 0, start, end, page = 0;

	while (mapped_ranges_next(ranges, at, PAGES, &start, &end)) {
		ck_assert_uint_lt(start, end);
		for (; page < start; page++)
			ck_assert(!model[page]);
		for (; page < end; page++)
			ck_assert(model[page]);
		at = end;
	}
	for (; page < PAGES; page++)
		ck_assert(!model[page]);
}

START_TEST(test_ranges_like_an_array)
{
	struct mapped_ranges ranges;
	bool model[PAGES] = {false};

	mapped_ranges_init(&ranges);
	for (int i = 0; i < 20000; i++) {
		uint64_t start = random_below(PAGES), end = start + 1 + random_below(PAGES - start);
		bool add = random_below(2);

		if (random_below(4))
			end = min_u64(end, start + 4);
		ck_assert_int_eq(mapped_ranges_reserve(&ranges), 0);
		if (add)
			mapped_ranges_add(&ranges, start, end);
		else
			mapped_ranges_remove(&ranges, start, end);
		for (uint64_t page = start; page < end; page++)
			model[page] = add;
		compare_ranges(&ranges, model);
	}
	mapped_ranges_destroy(&ranges);
}
END_TEST

static struct map_operation map_of(uint64_t address, uint64_t offset, uint64_t length)
{
	return (struct map_operation){.kind = MAP_OPERATION_MAP,
		.fd = 3,
		.protection = 1,
		.offset = offset,
		.address = address,
		.length = length};
}

static void add(struct map_queue *queue, struct map_operation operation)
{
	ck_assert_int_eq(map_queue_reserve(queue, 1), 0);
	map_queue_add(queue, &operation);
}

START_TEST(test_queue_merges)
{
	struct map_queue queue = {0};
	struct map_operation unmap = {
		.kind = MAP_OPERATION_UNMAP, .address = 0x1000, .length = 0x9000};

	add(&queue, map_of(0x2000, 0x2000, 0x1000));
	add(&queue, map_of(0x3000, 0x3000, 0x1000));
	add(&queue, map_of(0x1000, 0x1000, 0x1000));
	ck_assert_uint_eq(queue.count, 1);
	ck_assert_uint_eq(queue.operations[0].address, 0x1000);
	ck_assert_uint_eq(queue.operations[0].offset, 0x1000);
	ck_assert_uint_eq(queue.operations[0].length, 0x3000);
	/* A neighbour of other bytes is another system call. */
	add(&queue, map_of(0x4000, 0x5000, 0x1000));
	ck_assert_uint_eq(queue.count, 2);
	add(&queue, map_of(0x20000, 0, 0x1000));
	/* What is gone in the end was never there. */
	add(&queue, unmap);
	ck_assert_uint_eq(queue.count, 2);
	ck_assert_uint_eq(queue.operations[0].address, 0x20000);
	ck_assert_int_eq(queue.operations[1].kind, MAP_OPERATION_UNMAP);
	map_queue_clear(&queue);
	map_queue_trim(&queue);
	ck_assert_uint_eq(queue.count, 0);
	map_queue_destroy(&queue);
}
END_TEST

/* What a host would have at each page: 0 for nothing, else what was mapped and how it is protected.
 */
static void carry_out(const struct map_operation *operation, uint64_t *pages)
{
	for (uint64_t i = 0; i < operation->length; i++) {
		uint64_t *page = &pages[operation->address + i];

		if (operation->kind == MAP_OPERATION_MAP)
			*page = (operation->offset + i) << 8 | 0x80 |
				(uint64_t)operation->protection;
		else if (operation->kind == MAP_OPERATION_UNMAP)
			*page = 0;
		else if (*page)
			*page = (*page & ~UINT64_C(7)) | (uint64_t)operation->protection;
	}
}

static struct map_operation random_operation(uint64_t which)
{
	static const enum map_operation_kind kinds[] = {
		MAP_OPERATION_MAP, MAP_OPERATION_MAP, MAP_OPERATION_PROTECT, MAP_OPERATION_UNMAP};
	uint64_t start = random_below(PAGES);

	return (struct map_operation){.kind = kinds[random_below(4)],
		.fd = 3,
		.protection = (int)random_below(8),
		.offset = which * PAGES,
		.address = start,
		.length = 1 + random_below(min_u64(PAGES - start, 12))};
}

/* The last ones of a queue are cut to what counts; in the end memory is as if each had been carried
 * out. */
START_TEST(test_queue_like_an_array)
{
	for (int round = 0; round < 3000; round++) {
		struct map_queue queue = {0};
		uint64_t model[PAGES] = {0}, pages[PAGES] = {0}, mapped = 0,
			 removed = random_below(PAGES - 4);

		for (uint64_t i = 0; i < 1 + random_below(40); i++) {
			struct map_operation operation = random_operation(i + 1);

			carry_out(&operation, model);
			add(&queue, operation);
		}
		ck_assert_int_eq(map_queue_reserve(&queue, 1), 0);
		map_queue_remove(&queue, removed, removed + 4);
		memset(&model[removed], 0, 4 * sizeof(model[0]));
		for (size_t i = 0; i < queue.count; i++)
			carry_out(&queue.operations[i], pages);
		ck_assert_mem_eq(pages, model, sizeof(model));
		for (size_t i = 0; i < queue.count; i++)
			mapped += queue.operations[i].kind == MAP_OPERATION_MAP
					  ? queue.operations[i].length
					  : 0;
		ck_assert_uint_eq(map_queue_mapped_bytes(&queue, 0, PAGES), mapped);
		map_queue_destroy(&queue);
	}
}
END_TEST

static int call_getpid(void *data, struct context *context, struct address_space *as,
	struct linux_user_regs *registers, unsigned int flags, struct context_exit *out)
{
	struct null_mapping mapping;

	ck_assert(null_address_space_find(as, 0x400000, &mapping));
	registers->orig_rax = *(uint64_t *)data;
	out->reason = EXIT_SYSCALL;
	return 0;
}

START_TEST(test_null_platform)
{
	struct platform *platform;
	struct address_space *as;
	struct context *context;
	struct linux_user_regs registers = {0};
	struct context_exit out;
	struct null_mapping mapping;
	uint64_t number = 39;

	ck_assert_int_eq(platform_null_new(&platform), 0);
	null_platform_fail(platform, 1, -EAGAIN);
	ck_assert_int_eq(address_space_new(platform, &as), -EAGAIN);
	ck_assert_int_eq(address_space_new(platform, &as), 0);
	ck_assert_int_eq(context_new(platform, &context), 0);
	null_platform_set_guest(platform, call_getpid, &number);
	ck_assert_int_eq(address_space_map(as, 0x400000, 3, 0x1000, 0x5000, 1, 0), 0);
	ck_assert_uint_eq(null_address_space_queued(as), 1);
	ck_assert(!null_address_space_find(as, 0x400000, &mapping));
	ck_assert_int_eq(context_switch(context, as, &registers, 0, &out), 0);
	ck_assert_int_eq(out.reason, EXIT_SYSCALL);
	ck_assert_uint_eq(registers.orig_rax, 39);
	context_interrupt(context);
	ck_assert_int_eq(context_switch(context, as, &registers, 0, &out), 0);
	ck_assert_int_eq(out.reason, EXIT_INTERRUPTED);

	ck_assert_int_eq(address_space_protect(as, 0x401000, 0x1000, 3), 0);
	ck_assert_int_eq(address_space_unmap(as, 0x403000, 0x1000), 0);
	ck_assert_int_eq(address_space_flush(as), 0);
	ck_assert_uint_eq(null_address_space_mapping_count(as), 4);
	ck_assert(null_address_space_find(as, 0x401000, &mapping));
	ck_assert_int_eq(mapping.protection, 3);
	ck_assert_uint_eq(mapping.offset, 0x2000);
	ck_assert(!null_address_space_find(as, 0x403000, &mapping));
	ck_assert(null_address_space_find(as, 0x404000, &mapping));
	ck_assert_uint_eq(mapping.offset, 0x5000);
	ck_assert_int_eq(address_space_reset(as, context), 0);
	ck_assert_int_eq(address_space_flush(as), 0);
	ck_assert_uint_eq(null_address_space_mapping_count(as), 0);
	context_free(context);
	address_space_free(as);
	ck_assert_uint_eq(null_platform_live(platform), 0);
	null_platform_free(platform);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("platform");
	TCase *tcase = tcase_create("mapping work");

	tcase_add_test(tcase, test_ranges_like_an_array);
	tcase_add_test(tcase, test_queue_merges);
	tcase_add_test(tcase, test_queue_like_an_array);
	tcase_add_test(tcase, test_null_platform);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(make_suite());
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
