/* SPDX-License-Identifier: Apache-2.0 */
/* mmap and munmap: placement, fixed addresses, files, splitting, and what is refused. */
#include "tests/guest/fault_catch.h"
#include "tests/guest/temporary.h"

#include <sys/sysinfo.h>

#define PAGE ((size_t)4096)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW   (PROT_READ | PROT_WRITE)

static char *map(size_t pages)
{
	char *memory = mmap(NULL, pages * PAGE, RW, ANON, -1, 0);

	CHECK(memory != MAP_FAILED);
	return memory;
}

TEST(fresh_anonymous_memory_is_zero)
{
	char *memory = map(256);

	for (size_t i = 0; i < 256 * PAGE; i++)
		if (memory[i])
			FAIL("byte %zu is %d", i, memory[i]);
}

TEST(unmapped_and_mapped_again_is_zero)
{
	char *memory = map(4);

	memset(memory, 1, 4 * PAGE);
	CHECK(munmap(memory, 4 * PAGE) == 0);
	CHECK(mmap(memory, 4 * PAGE, RW, ANON | MAP_FIXED, -1, 0) == memory);
	for (size_t i = 0; i < 4 * PAGE; i++)
		CHECK_EQ(memory[i], 0);
}

TEST(zero_length_is_einval)
{
	CHECK_ERRNO(mmap(NULL, 0, RW, ANON, -1, 0), EINVAL);
	CHECK_ERRNO(munmap(map(1), 0), EINVAL);
}

TEST(huge_length_is_enomem)
{
	CHECK_ERRNO(mmap(NULL, (size_t)1 << 47, RW, ANON, -1, 0), ENOMEM);
	CHECK_ERRNO(mmap(NULL, SIZE_MAX, RW, ANON, -1, 0), ENOMEM);
}

TEST(neither_shared_nor_private_is_einval)
{
	CHECK_ERRNO(mmap(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0), EINVAL);
}

TEST(offset_not_a_page_is_einval)
{
	CHECK_ERRNO(mmap(NULL, PAGE, RW, ANON, -1, 100), EINVAL);
}

TEST(fixed_address_must_be_a_page)
{
	char *memory = map(2);

	CHECK_ERRNO(mmap(memory + 1, PAGE, RW, ANON | MAP_FIXED, -1, 0), EINVAL);
}

TEST(fixed_beyond_the_address_space_is_enomem)
{
	CHECK_ERRNO(mmap((void *)0x7ffffffff000, PAGE, RW, ANON | MAP_FIXED, -1, 0), ENOMEM);
	CHECK_ERRNO(mmap((void *)0xffff800000000000, PAGE, RW, ANON | MAP_FIXED, -1, 0), ENOMEM);
}

TEST(munmap_bad_addresses)
{
	char *memory = map(1);

	CHECK_ERRNO(munmap(memory + 1, PAGE), EINVAL);
	CHECK_ERRNO(munmap(memory, SIZE_MAX - PAGE), EINVAL);
	CHECK_ERRNO(munmap((void *)0xffff800000000000, PAGE), EINVAL);
	CHECK(munmap(memory, PAGE) == 0);
	CHECK(munmap(memory, PAGE) == 0); /* nothing there is no error */
}

TEST(hint_is_honoured_where_free)
{
	char *memory = map(16);

	CHECK(munmap(memory, 16 * PAGE) == 0);
	CHECK(mmap(memory + 4 * PAGE, PAGE, RW, ANON, -1, 0) == memory + 4 * PAGE);
}

TEST(hint_that_is_taken_moves_elsewhere)
{
	char *memory = map(4), *other;

	*memory = 5;
	other = mmap(memory, PAGE, RW, ANON, -1, 0);
	CHECK(other != MAP_FAILED && other != memory);
	CHECK_EQ(*memory, 5);
}

TEST(fixed_replaces_what_was_there)
{
	char *memory = map(3);

	memset(memory, 9, 3 * PAGE);
	CHECK(mmap(memory + PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0) == memory + PAGE);
	CHECK_EQ(memory[PAGE - 1], 9);
	CHECK_EQ(memory[PAGE], 0);
	CHECK_EQ(memory[2 * PAGE], 9);
}

TEST(fixed_noreplace_refuses_what_is_taken)
{
	char *memory = map(3);

	CHECK_ERRNO(mmap(memory + PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
	CHECK(munmap(memory + PAGE, PAGE) == 0);
	CHECK_ERRNO(mmap(memory + PAGE, 2 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
	CHECK(mmap(memory + PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == memory + PAGE);
}

TEST(munmap_of_the_middle_leaves_both_ends)
{
	char *memory = map(5);

	memset(memory, 3, 5 * PAGE);
	CHECK(munmap(memory + 2 * PAGE, PAGE) == 0);
	CHECK_EQ(fault_of_read(memory + 2 * PAGE), SIGSEGV);
	CHECK_EQ(memory[2 * PAGE - 1], 3);
	CHECK_EQ(memory[3 * PAGE], 3);
}

TEST(munmap_rounds_the_length_up)
{
	char *memory = map(2);

	CHECK(munmap(memory, 1) == 0);
	CHECK_EQ(fault_of_read(memory + PAGE - 1), SIGSEGV);
	CHECK_EQ(fault_of_read(memory + PAGE), 0);
}

TEST(private_file_is_copied_on_write)
{
	char page[PAGE], *memory;
	int fd;

	temporary_enter();
	memset(page, 'a', sizeof(page));
	temporary_file("file", page, sizeof(page));
	fd = open("file", O_RDWR);
	memory = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
	CHECK(memory != MAP_FAILED);
	CHECK_EQ(memory[100], 'a');
	memory[100] = 'b';
	CHECK_EQ(pread(fd, page, 1, 100), 1);
	CHECK_EQ(page[0], 'a');
}

TEST(file_needs_the_right_mode)
{
	int readable, writable;

	temporary_enter();
	temporary_text("file", "text");
	readable = open("file", O_RDONLY);
	writable = open("file", O_WRONLY);
	CHECK_ERRNO(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, writable, 0), EACCES);
	CHECK_ERRNO(mmap(NULL, PAGE, RW, MAP_SHARED, readable, 0), EACCES);
	CHECK(mmap(NULL, PAGE, RW, MAP_PRIVATE, readable, 0) != MAP_FAILED);
	CHECK_ERRNO(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, -1, 0), EBADF);
	CHECK_ERRNO(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, 9999, 0), EBADF);
	CHECK_ERRNO(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, open(".", O_RDONLY), 0), ENODEV);
}

TEST(pipe_cannot_be_mapped)
{
	int fds[2];

	CHECK(pipe(fds) == 0);
	CHECK_ERRNO(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fds[0], 0), ENODEV);
}

TEST(o_path_descriptor_cannot_be_mapped)
{
	CHECK_ERRNO(
		mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, open("/etc/passwd", O_PATH), 0), EBADF);
}

TEST(mapping_outlives_descriptor_and_name)
{
	char *memory;
	int fd;

	temporary_enter();
	temporary_text("file", "still here");
	fd = open("file", O_RDONLY);
	memory = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	CHECK(unlink("file") == 0);
	CHECK(!strcmp(memory, "still here"));
}

TEST(tail_of_the_last_page_is_zero)
{
	char *memory;

	temporary_enter();
	temporary_text("file", "abc");
	memory = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, open("file", O_RDONLY), 0);
	CHECK_EQ(memory[2], 'c');
	for (size_t i = 3; i < PAGE; i++)
		CHECK_EQ(memory[i], 0);
}

TEST(offset_maps_the_right_page)
{
	char pages[4 * PAGE], *memory;

	temporary_enter();
	for (size_t i = 0; i < sizeof(pages); i++)
		pages[i] = i / PAGE;
	temporary_file("file", pages, sizeof(pages));
	memory = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, open("file", O_RDONLY), 2 * PAGE);
	CHECK_EQ(memory[0], 2);
	CHECK_EQ(memory[PAGE], 3);
}

TEST(dev_zero_maps_zeroes)
{
	char *memory = mmap(NULL, PAGE, RW, MAP_PRIVATE, open("/dev/zero", O_RDWR), 0);

	CHECK(memory != MAP_FAILED);
	CHECK_EQ(memory[7], 0);
	memory[7] = 1;
	CHECK_EQ(memory[7], 1);
}

TEST(grows_down_flag_and_stack_flag_are_accepted)
{
	CHECK(mmap(NULL, 16 * PAGE, RW, ANON | MAP_GROWSDOWN | MAP_STACK, -1, 0) != MAP_FAILED);
	CHECK(mmap(NULL, PAGE, RW, ANON | MAP_NORESERVE | MAP_POPULATE, -1, 0) != MAP_FAILED);
	CHECK_EQ((uintptr_t)mmap(NULL, PAGE, RW, ANON | MAP_32BIT, -1, 0) >> 32, 0);
}

TEST(shared_validate_refuses_unknown_flags)
{
	int fd = memfd_create("m", 0);

	CHECK(ftruncate(fd, PAGE) == 0);
	CHECK(mmap(NULL, PAGE, RW, MAP_SHARED_VALIDATE, fd, 0) != MAP_FAILED);
	CHECK_ERRNO(mmap(NULL, PAGE, RW, MAP_SHARED_VALIDATE | 0x400000, fd, 0), EOPNOTSUPP);
	CHECK_ERRNO(mmap(NULL, PAGE, RW, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0), EOPNOTSUPP);
}

TEST(offset_overflow_is_eoverflow)
{
	int fd = memfd_create("m", 0);

	CHECK_ERRNO(mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, (off_t)0xfffffffffffff000),
		EOVERFLOW);
}

TEST(many_small_mappings_with_alternating_rights)
{
	for (int i = 0; i < 1000; i++)
		CHECK(mmap(NULL, PAGE, i % 2 ? RW : PROT_READ, ANON, -1, 0) != MAP_FAILED);
}

/* vm.overcommit_memory 0, the default. */
TEST(more_than_all_memory)
{
	const int both = PROT_READ | PROT_WRITE, kinds[] = {MAP_PRIVATE, MAP_SHARED};
	FILE *file = fopen("/proc/sys/vm/overcommit_memory", "r");
	struct sysinfo info;
	size_t size;
	char *end = sbrk(0);

	if (!file || fgetc(file) != '0')
		SKIP("another policy");
	CHECK(sysinfo(&info) == 0);
	size = 2 * (info.totalram + info.totalswap) * info.mem_unit;
	for (int i = 0; i < 2; i++) {
		CHECK(mmap(NULL, size, both, kinds[i] | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
		CHECK_EQ(errno, ENOMEM);
		CHECK(mmap(NULL, size, both, kinds[i] | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) !=
			MAP_FAILED);
	}
	CHECK(mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	CHECK(brk(end + size) == -1);
}

GUEST_TEST_MAIN()
