/* SPDX-License-Identifier: Apache-2.0 */
/* brk: the heap's end, growth, shrinking and what stands in the way. */
#include "tests/guest/fault_catch.h"

#include <sys/resource.h>
#include <sys/syscall.h>

#define PAGE ((uintptr_t)4096)

static uintptr_t brk_set(uintptr_t end)
{
	return (uintptr_t)syscall(SYS_brk, end);
}

TEST(zero_asks_for_the_end)
{
	uintptr_t end = brk_set(0);

	CHECK(end != 0);
	CHECK(brk_set(0) == end);
}

TEST(grown_memory_is_zero_and_writable)
{
	uintptr_t end = brk_set(0);
	char *memory = (char *)end;

	CHECK(brk_set(end + 64 * PAGE) == end + 64 * PAGE);
	for (size_t i = 0; i < 64 * PAGE; i++)
		CHECK_EQ(memory[i], 0);
	memset(memory, 1, 64 * PAGE);
	CHECK(brk_set(end) == end);
}

TEST(ends_within_a_page_are_kept_exactly)
{
	uintptr_t end = brk_set(0);

	CHECK(brk_set(end + 123) == end + 123);
	CHECK(brk_set(0) == end + 123);
	*(char *)(end + 122) = 1;
	CHECK(brk_set(end + 77) == end + 77);
}

TEST(shrunk_memory_faults_and_comes_back_zero)
{
	uintptr_t end = (brk_set(0) + PAGE - 1) & -PAGE;
	char *memory = (char *)end;

	CHECK(brk_set(end + 4 * PAGE) == end + 4 * PAGE);
	memset(memory, 7, 4 * PAGE);
	CHECK(brk_set(end + PAGE) == end + PAGE);
	CHECK_EQ(fault_of_read(memory + PAGE), SIGSEGV);
	CHECK_EQ(memory[PAGE - 1], 7);
	CHECK(brk_set(end + 4 * PAGE) == end + 4 * PAGE);
	CHECK_EQ(memory[PAGE], 0);
}

TEST(below_the_start_changes_nothing)
{
	uintptr_t end = brk_set(0);

	CHECK(brk_set(PAGE) == end);
	CHECK(brk_set(0) == end);
}

TEST(absurd_ends_change_nothing)
{
	uintptr_t end = brk_set(0);

	CHECK(brk_set(UINTPTR_MAX) == end);
	CHECK(brk_set(0xffff800000000000) == end);
}

TEST(a_mapping_in_the_way_stops_growth)
{
	uintptr_t end = (brk_set(0) + PAGE - 1) & -PAGE;

	CHECK(brk_set(end) == end);
	CHECK(mmap((void *)(end + 4 * PAGE), PAGE, PROT_READ,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != MAP_FAILED);
	CHECK(brk_set(end + 3 * PAGE) == end + 3 * PAGE);
	CHECK(brk_set(end + 5 * PAGE) == end + 3 * PAGE);
}

TEST(data_limit_stops_growth)
{
	struct rlimit limit;
	uintptr_t end = brk_set(0);

	CHECK(getrlimit(RLIMIT_DATA, &limit) == 0);
	limit.rlim_cur = 64 << 20;
	CHECK(setrlimit(RLIMIT_DATA, &limit) == 0);
	CHECK(brk_set(end + (65 << 20)) == end);
	CHECK(brk_set(end + (8 << 20)) == end + (8 << 20));
}

TEST(libc_sbrk_agrees)
{
	char *before = sbrk(0);

	CHECK(sbrk(8192) == before);
	CHECK(sbrk(0) == before + 8192);
	CHECK(sbrk(-8192) == before + 8192);
	CHECK(sbrk(0) == before);
}

TEST(child_has_a_heap_of_its_own)
{
	uintptr_t end = brk_set(0);
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(brk_set(end + 16 * PAGE) == end + 16 * PAGE ? 0 : 1);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
	CHECK(brk_set(0) == end);
}

TEST(malloc_of_many_sizes)
{
	unsigned char *blocks[400];

	for (size_t i = 0; i < 400; i++) {
		blocks[i] = malloc(i * 97 + 1);
		CHECK(blocks[i]);
		memset(blocks[i], (int)i, i * 97 + 1);
	}
	for (size_t i = 0; i < 400; i++)
		for (size_t j = 0; j <= i * 97; j++)
			CHECK_EQ(blocks[i][j], i & 255);
	for (size_t i = 0; i < 400; i++)
		free(blocks[i]);
}

GUEST_TEST_MAIN()
