/* SPDX-License-Identifier: Apache-2.0 */
/* madvise: what each advice does to the contents, what is only a hint, errors. */
#include "tests/guest/fault_catch.h"
#include "tests/guest/temporary.h"

#define PAGE ((size_t)4096)
#define RW   (PROT_READ | PROT_WRITE)

static char *map(size_t pages, int flags)
{
	char *memory = mmap(NULL, pages * PAGE, RW, flags | MAP_ANONYMOUS, -1, 0);

	CHECK(memory != MAP_FAILED);
	memset(memory, 1, pages * PAGE);
	return memory;
}

TEST(dontneed_zeroes_private_memory)
{
	char *memory = map(4, MAP_PRIVATE);

	CHECK(madvise(memory + PAGE, 2 * PAGE, MADV_DONTNEED) == 0);
	CHECK_EQ(memory[PAGE - 1], 1);
	CHECK_EQ(memory[PAGE], 0);
	CHECK_EQ(memory[3 * PAGE - 1], 0);
	CHECK_EQ(memory[3 * PAGE], 1);
	memory[PAGE] = 5;
	CHECK_EQ(memory[PAGE], 5);
}

TEST(dontneed_keeps_shared_memory)
{
	char *memory = map(2, MAP_SHARED);

	CHECK(madvise(memory, 2 * PAGE, MADV_DONTNEED) == 0);
	CHECK_EQ(memory[0], 1);
	CHECK_EQ(memory[PAGE], 1);
}

TEST(dontneed_brings_the_file_back)
{
	char *memory;

	temporary_enter();
	temporary_text("file", "original");
	memory = mmap(NULL, PAGE, RW, MAP_PRIVATE, open("file", O_RDONLY), 0);
	memory[0] = 'X';
	CHECK(madvise(memory, PAGE, MADV_DONTNEED) == 0);
	CHECK(!strcmp(memory, "original"));
}

TEST(dontneed_in_the_child_leaves_the_parent)
{
	char *memory = map(1, MAP_PRIVATE);
	int status;
	pid_t child = fork();

	if (child == 0) {
		CHECK(madvise(memory, PAGE, MADV_DONTNEED) == 0);
		_exit(memory[0]);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
	CHECK_EQ(memory[0], 1);
}

TEST(remove_zeroes_shared_memory)
{
	char *memory = map(4, MAP_SHARED);

	CHECK(madvise(memory + PAGE, PAGE, MADV_REMOVE) == 0);
	CHECK_EQ(memory[0], 1);
	CHECK_EQ(memory[PAGE], 0);
	CHECK_EQ(memory[2 * PAGE], 1);
	CHECK_ERRNO(madvise(map(1, MAP_PRIVATE), PAGE, MADV_REMOVE), EINVAL);
}

TEST(free_is_undone_by_a_write)
{
	char *memory = map(2, MAP_PRIVATE);

	CHECK(madvise(memory, 2 * PAGE, MADV_FREE) == 0);
	memory[0] = 9;
	CHECK_EQ(memory[0], 9);
	CHECK(memory[PAGE] == 0 || memory[PAGE] == 1);
	CHECK_ERRNO(madvise(map(1, MAP_SHARED), PAGE, MADV_FREE), EINVAL);
}

TEST(dontfork_is_absent_in_the_child)
{
	char *memory = map(3, MAP_PRIVATE);
	int status;
	pid_t child;

	CHECK(madvise(memory + PAGE, PAGE, MADV_DONTFORK) == 0);
	child = fork();
	if (child == 0) {
		CHECK_EQ(memory[0], 1);
		CHECK_EQ(memory[2 * PAGE], 1);
		CHECK_EQ(fault_of_read(memory + PAGE), SIGSEGV);
		CHECK_EQ(fault_code, SEGV_MAPERR);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
	CHECK(madvise(memory + PAGE, PAGE, MADV_DOFORK) == 0);
	child = fork();
	if (child == 0)
		_exit(memory[PAGE]);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(WEXITSTATUS(status), 1);
}

TEST(wipeonfork_is_zero_in_the_child)
{
	char *memory = map(2, MAP_PRIVATE);
	int status;
	pid_t child;

	CHECK(madvise(memory, PAGE, MADV_WIPEONFORK) == 0);
	child = fork();
	if (child == 0)
		_exit(memory[0] * 2 + memory[PAGE]);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(WEXITSTATUS(status), 1);
	CHECK_EQ(memory[0], 1);
	CHECK(madvise(memory, PAGE, MADV_KEEPONFORK) == 0);
	child = fork();
	if (child == 0)
		_exit(memory[0]);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(WEXITSTATUS(status), 1);
	CHECK_ERRNO(madvise(map(1, MAP_SHARED), PAGE, MADV_WIPEONFORK), EINVAL);
}

TEST(hints_change_nothing)
{
	static const int hints[] = {MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED,
		MADV_COLD, MADV_PAGEOUT, MADV_DONTDUMP, MADV_DODUMP};
	char *memory = map(4, MAP_PRIVATE);

	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (madvise(memory, 4 * PAGE, hints[i]))
			FAIL("advice %d: errno %d", hints[i], errno);
	for (size_t i = 0; i < 4 * PAGE; i++)
		CHECK_EQ(memory[i], 1);
}

TEST(populate_brings_pages_in)
{
	char *memory = mmap(NULL, 8 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char present[8];

	CHECK(madvise(memory, 8 * PAGE, MADV_POPULATE_WRITE) == 0);
	CHECK(mincore(memory, 8 * PAGE, present) == 0);
	for (int i = 0; i < 8; i++)
		CHECK_EQ(present[i] & 1, 1);
	CHECK(mprotect(memory, PAGE, PROT_READ) == 0);
	CHECK_ERRNO(madvise(memory, PAGE, MADV_POPULATE_WRITE), EINVAL);
	CHECK(madvise(memory, PAGE, MADV_POPULATE_READ) == 0);
	CHECK(mprotect(memory, PAGE, PROT_NONE) == 0);
	CHECK_ERRNO(madvise(memory, PAGE, MADV_POPULATE_READ), EINVAL);
}

TEST(errors)
{
	char *memory = map(3, MAP_PRIVATE);

	CHECK_ERRNO(madvise(memory + 1, PAGE, MADV_DONTNEED), EINVAL);
	CHECK_ERRNO(madvise(memory, PAGE, 4242), EINVAL);
	CHECK_ERRNO(madvise(memory, SIZE_MAX, MADV_DONTNEED), EINVAL);
	CHECK(madvise(memory, 0, MADV_DONTNEED) == 0);
	CHECK(munmap(memory + PAGE, PAGE) == 0);
	CHECK_ERRNO(madvise(memory, 3 * PAGE, MADV_DONTNEED), ENOMEM);
	CHECK_EQ(memory[0], 0); /* but both sides of the hole were done */
	CHECK_EQ(memory[2 * PAGE], 0);
}

TEST(dontneed_of_locked_memory_is_einval)
{
	char *memory = map(1, MAP_PRIVATE);

	if (mlock(memory, PAGE))
		SKIP("cannot lock a page");
	CHECK_ERRNO(madvise(memory, PAGE, MADV_DONTNEED), EINVAL);
	CHECK_EQ(memory[0], 1);
}

GUEST_TEST_MAIN()
