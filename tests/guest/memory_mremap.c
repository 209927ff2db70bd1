/* SPDX-License-Identifier: Apache-2.0 */
/* mremap: shrink, grow in place and elsewhere, move to a fixed place, duplicate shared memory,
 * errors. */
#include "tests/guest/fault_catch.h"

#define PAGE ((size_t)4096)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW   (PROT_READ | PROT_WRITE)

static char *map(size_t pages)
{
	char *memory = mmap(NULL, pages * PAGE, RW, ANON, -1, 0);

	CHECK(memory != MAP_FAILED);
	for (size_t i = 0; i < pages; i++)
		memset(memory + i * PAGE, (int)i + 1, PAGE);
	return memory;
}

/* A free range: mapped and let go. */
static char *hole(size_t pages)
{
	char *memory = map(pages);

	CHECK(munmap(memory, pages * PAGE) == 0);
	return memory;
}

TEST(same_size_is_the_same_place)
{
	char *memory = map(2);

	CHECK(mremap(memory, 2 * PAGE, 2 * PAGE, 0) == memory);
	CHECK_EQ(memory[PAGE], 2);
}

TEST(shrinking_unmaps_the_tail)
{
	char *memory = map(4);

	CHECK(mremap(memory, 4 * PAGE, 2 * PAGE, 0) == memory);
	CHECK_EQ(memory[PAGE], 2);
	CHECK_EQ(fault_of_read(memory + 2 * PAGE), SIGSEGV);
	CHECK_EQ(fault_code, SEGV_MAPERR);
}

TEST(grows_in_place_where_free)
{
	char *memory = hole(8);

	CHECK(mmap(memory, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0) == memory);
	memset(memory, 6, 2 * PAGE);
	CHECK(mremap(memory, 2 * PAGE, 5 * PAGE, 0) == memory);
	CHECK_EQ(memory[2 * PAGE - 1], 6);
	CHECK_EQ(memory[2 * PAGE], 0);
	memory[5 * PAGE - 1] = 1;
}

TEST(grow_in_place_where_taken_is_enomem)
{
	char *memory = map(4);

	CHECK(mprotect(memory + 2 * PAGE, 2 * PAGE, PROT_NONE) == 0);
	CHECK_ERRNO(mremap(memory, 2 * PAGE, 3 * PAGE, 0), ENOMEM);
	CHECK_EQ(memory[PAGE], 2);
}

TEST(maymove_takes_the_contents_along)
{
	char *memory = map(4), *moved;

	CHECK(mprotect(memory + 2 * PAGE, 2 * PAGE, PROT_NONE) == 0);
	moved = mremap(memory, 2 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
	CHECK(moved != MAP_FAILED && moved != memory);
	CHECK_EQ(moved[0], 1);
	CHECK_EQ(moved[2 * PAGE - 1], 2);
	CHECK_EQ(moved[2 * PAGE], 0);
	CHECK_EQ(moved[64 * PAGE - 1], 0);
	CHECK_EQ(fault_of_read(memory), SIGSEGV);
}

TEST(fixed_goes_where_told_and_replaces)
{
	char *memory = map(2), *target = map(4);

	CHECK(mremap(memory, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target + PAGE) ==
		target + PAGE);
	CHECK_EQ(target[0], 1);
	CHECK_EQ(target[PAGE], 1);
	CHECK_EQ(target[2 * PAGE], 2);
	CHECK_EQ(target[3 * PAGE], 4);
	CHECK_EQ(fault_of_read(memory), SIGSEGV);
}

TEST(errors)
{
	char *memory = map(4), *target = map(4);
	size_t length = 2 * PAGE;

	CHECK_ERRNO(mremap(memory + 1, PAGE, length, MREMAP_MAYMOVE), EINVAL);
	CHECK_ERRNO(mremap(memory, PAGE, 0, MREMAP_MAYMOVE), EINVAL);
	CHECK_ERRNO(mremap(memory, PAGE, length, 0x100), EINVAL);
	CHECK_ERRNO(mremap(memory, PAGE, length, MREMAP_FIXED, target), EINVAL);
	CHECK_ERRNO(
		mremap(memory, PAGE, length, MREMAP_MAYMOVE | MREMAP_FIXED, target + 1), EINVAL);
	CHECK_ERRNO(mremap(memory, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, memory + PAGE),
		EINVAL);
	CHECK_ERRNO(mremap(memory, 0, length, MREMAP_MAYMOVE),
		EINVAL); /* private memory cannot be doubled */
	CHECK_ERRNO(mremap(hole(2), PAGE, length, MREMAP_MAYMOVE), EFAULT);
	CHECK(mremap(memory, PAGE, (size_t)1 << 47, MREMAP_MAYMOVE) == MAP_FAILED);
	CHECK(errno == ENOMEM || errno == EINVAL); /* EINVAL since Linux 6.17 */
}

TEST(growing_over_two_mappings_is_efault)
{
	char *memory = map(4);

	CHECK(mprotect(memory + PAGE, PAGE, PROT_READ) == 0);
	CHECK_ERRNO(mremap(memory, 2 * PAGE, 8 * PAGE, MREMAP_MAYMOVE), EFAULT);
}

TEST(zero_old_size_doubles_shared_memory)
{
	char *memory = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), *second;

	second = mremap(memory, 0, PAGE, MREMAP_MAYMOVE);
	CHECK(second != MAP_FAILED && second != memory);
	memory[5] = 42;
	CHECK_EQ(second[5], 42);
	second[6] = 43;
	CHECK_EQ(memory[6], 43);
}

TEST(dontunmap_leaves_empty_memory_behind)
{
	char *memory = map(2), *moved;

	moved = mremap(memory, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	CHECK(moved != MAP_FAILED && moved != memory);
	CHECK_EQ(moved[PAGE], 2);
	CHECK_EQ(memory[PAGE], 0);
	CHECK_ERRNO(mremap(memory, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL),
		EINVAL);
}

TEST(the_middle_of_a_mapping_can_move)
{
	char *memory = map(5), *target = hole(1);

	CHECK(mremap(memory + 2 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target) ==
		target);
	CHECK_EQ(*target, 3);
	CHECK_EQ(memory[PAGE], 2);
	CHECK_EQ(memory[3 * PAGE], 4);
	CHECK_EQ(fault_of_read(memory + 2 * PAGE), SIGSEGV);
}

TEST(rights_move_along)
{
	char *memory = map(1), *target = hole(1);

	CHECK(mprotect(memory, PAGE, PROT_READ) == 0);
	CHECK(mremap(memory, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target) == target);
	CHECK_EQ(*target, 1);
	CHECK_EQ(fault_of_write(target), SIGSEGV);
}

TEST(file_pages_follow_the_offset)
{
	int fd = memfd_create("m", 0);
	char *memory, *moved;

	CHECK(ftruncate(fd, 8 * PAGE) == 0);
	for (size_t i = 0; i < 8; i++)
		CHECK_EQ(pwrite(fd, &(char){(char)i}, 1, i * PAGE), 1);
	memory = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, PAGE);
	moved = mremap(memory, 2 * PAGE, 6 * PAGE, MREMAP_MAYMOVE);
	CHECK(moved != MAP_FAILED);
	for (size_t i = 0; i < 6; i++)
		CHECK_EQ(moved[i * PAGE], i + 1);
	moved[5 * PAGE] = 99;
	CHECK_EQ(pread(fd, &(char){0}, 1, 0), 1);
	char byte;
	CHECK_EQ(pread(fd, &byte, 1, 6 * PAGE), 1);
	CHECK_EQ(byte, 99);
}

TEST(cow_memory_moves_and_stays_apart)
{
	char *memory = map(3), *moved;
	int status;
	pid_t child = fork();

	if (child == 0) {
		moved = mremap(memory, 3 * PAGE, 100 * PAGE, MREMAP_MAYMOVE);
		CHECK(moved != MAP_FAILED);
		moved[PAGE] = 50;
		_exit(moved[0] == 1 && moved[2 * PAGE] == 3 ? 0 : 1);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
	CHECK_EQ(memory[PAGE], 2);
}

GUEST_TEST_MAIN()
