/* SPDX-License-Identifier: Apache-2.0 */
/* mprotect: what may be touched afterwards, splitting and merging, errors. */
#include "tests/guest/fault_catch.h"
#include "tests/guest/temporary.h"

#define PAGE ((size_t)4096)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW   (PROT_READ | PROT_WRITE)

static char *map(size_t pages)
{
	char *memory = mmap(NULL, pages * PAGE, RW, ANON, -1, 0);

	CHECK(memory != MAP_FAILED);
	memset(memory, 1, pages * PAGE);
	return memory;
}

TEST(read_only_memory_refuses_writes)
{
	char *memory = map(1);

	CHECK(mprotect(memory, PAGE, PROT_READ) == 0);
	CHECK_EQ(*memory, 1);
	CHECK_EQ(fault_of_write(memory + 10), SIGSEGV);
	CHECK_EQ(fault_code, SEGV_ACCERR);
	CHECK(fault_address == memory + 10);
	CHECK(mprotect(memory, PAGE, RW) == 0);
	CHECK_EQ(fault_of_write(memory + 10), 0);
}

TEST(no_access_and_back_keeps_the_contents)
{
	char *memory = map(4);

	CHECK(mprotect(memory, 4 * PAGE, PROT_NONE) == 0);
	CHECK_EQ(fault_of_read(memory + PAGE), SIGSEGV);
	CHECK_EQ(fault_code, SEGV_ACCERR);
	CHECK(mprotect(memory, 4 * PAGE, PROT_READ) == 0);
	for (size_t i = 0; i < 4 * PAGE; i++)
		CHECK_EQ(memory[i], 1);
}

TEST(write_without_read_can_be_read_on_x86)
{
	char *memory = map(1);

	CHECK(mprotect(memory, PAGE, PROT_WRITE) == 0);
	CHECK_EQ(fault_of_read(memory), 0);
}

TEST(the_middle_page_only)
{
	char *memory = map(3);

	CHECK(mprotect(memory + PAGE, PAGE, PROT_NONE) == 0);
	CHECK_EQ(fault_of_write(memory + PAGE - 1), 0);
	CHECK_EQ(fault_of_write(memory + PAGE), SIGSEGV);
	CHECK_EQ(fault_of_write(memory + 2 * PAGE - 1), SIGSEGV);
	CHECK_EQ(fault_of_write(memory + 2 * PAGE), 0);
}

TEST(length_is_rounded_up)
{
	char *memory = map(2);

	CHECK(mprotect(memory, PAGE + 1, PROT_READ) == 0);
	CHECK_EQ(fault_of_write(memory + 2 * PAGE - 1), SIGSEGV);
}

TEST(zero_length_does_nothing)
{
	char *memory = map(1);

	CHECK(mprotect(memory, 0, PROT_NONE) == 0);
	CHECK_EQ(*memory, 1);
}

TEST(errors)
{
	char *memory = map(3);

	CHECK_ERRNO(mprotect(memory + 1, PAGE, PROT_READ), EINVAL);
	CHECK_ERRNO(mprotect(memory, PAGE, 0x70000000), EINVAL);
	CHECK_ERRNO(mprotect(memory, PAGE, PROT_READ | PROT_GROWSDOWN | PROT_GROWSUP), EINVAL);
	CHECK_ERRNO(mprotect(memory, (size_t)-PAGE, PROT_READ), ENOMEM);
	CHECK(munmap(memory + PAGE, PAGE) == 0);
	CHECK_ERRNO(mprotect(memory + PAGE, PAGE, PROT_READ), ENOMEM);
}

TEST(a_hole_is_enomem_after_the_first_part_changed)
{
	char *memory = map(3);

	CHECK(munmap(memory + PAGE, PAGE) == 0);
	CHECK_ERRNO(mprotect(memory, 3 * PAGE, PROT_READ), ENOMEM);
	CHECK_EQ(fault_of_write(memory), SIGSEGV);
	CHECK_EQ(fault_of_write(memory + 2 * PAGE), 0);
}

TEST(shared_file_opened_for_reading_cannot_become_writable)
{
	char *memory;

	temporary_enter();
	temporary_text("file", "x");
	memory = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, open("file", O_RDONLY), 0);
	CHECK(memory != MAP_FAILED);
	CHECK_ERRNO(mprotect(memory, PAGE, RW), EACCES);
	memory = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, open("file", O_RDONLY), 0);
	CHECK(mprotect(memory, PAGE, RW) == 0);
}

TEST(code_runs_only_when_executable)
{
	unsigned char *memory = (unsigned char *)map(1);

	memory[0] = 0xc3; /* ret */
	CHECK_EQ(fault_of_call((void (*)(void))memory), SIGSEGV);
	CHECK_EQ(fault_code, SEGV_ACCERR);
	CHECK(fault_address == memory);
	CHECK(mprotect(memory, PAGE, PROT_READ | PROT_EXEC) == 0);
	CHECK_EQ(fault_of_call((void (*)(void))memory), 0);
}

TEST(code_written_again_is_run_anew)
{
	unsigned char *memory = (unsigned char *)map(1);
	int (*function)(void) = (int (*)(void))memory;
	const unsigned char code[] = {0xb8, 1, 0, 0, 0, 0xc3}; /* mov $1, %eax; ret */

	for (int i = 0; i < 50; i++) {
		CHECK(mprotect(memory, PAGE, RW) == 0);
		memcpy(memory, code, sizeof(code));
		memory[1] = i;
		CHECK(mprotect(memory, PAGE, PROT_READ | PROT_EXEC) == 0);
		CHECK_EQ(function(), i);
	}
}

TEST(system_call_sees_the_rights)
{
	char *memory = map(2);
	int fds[2];

	CHECK(pipe(fds) == 0);
	CHECK(mprotect(memory + PAGE, PAGE, PROT_NONE) == 0);
	CHECK_ERRNO(write(fds[1], memory + PAGE, 1), EFAULT);
	CHECK_EQ(write(fds[1], "abcdefgh", 8), 8);
	CHECK(mprotect(memory, PAGE, PROT_READ) == 0);
	CHECK_ERRNO(read(fds[0], memory, 8), EFAULT);
}

TEST(every_second_page)
{
	char *memory = map(200);

	for (size_t i = 0; i < 200; i += 2)
		CHECK(mprotect(memory + i * PAGE, PAGE, PROT_READ) == 0);
	for (size_t i = 0; i < 200; i++)
		CHECK_EQ(fault_of_write(memory + i * PAGE), i % 2 ? 0 : SIGSEGV);
	CHECK(mprotect(memory, 200 * PAGE, RW) == 0);
	for (size_t i = 0; i < 200; i++)
		CHECK_EQ(fault_of_write(memory + i * PAGE), 0);
}

TEST(cow_pages_stay_apart_after_rights_change)
{
	char *memory = map(2);
	int status;
	pid_t child = fork();

	if (child == 0) {
		CHECK(mprotect(memory, 2 * PAGE, PROT_READ) == 0);
		CHECK(mprotect(memory, 2 * PAGE, RW) == 0);
		memory[0] = 77;
		_exit(memory[PAGE] == 1 ? 0 : 1);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
	CHECK_EQ(memory[0], 1);
}

TEST(pkey_mprotect_without_a_key_is_mprotect)
{
	char *memory = map(1);

	if (pkey_mprotect(memory, PAGE, PROT_READ, -1) < 0) {
		CHECK_EQ(errno, ENOSYS);
		SKIP("no pkey_mprotect");
	}
	CHECK_EQ(fault_of_write(memory), SIGSEGV);
}

GUEST_TEST_MAIN()
