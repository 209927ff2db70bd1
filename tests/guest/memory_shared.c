/* SPDX-License-Identifier: Apache-2.0 */
/* Shared memory, anonymous and of files; msync, mincore, mlock. */
#include "tests/guest/fault_catch.h"
#include "tests/guest/temporary.h"

#include <sys/resource.h>
#include <sys/statfs.h>

#define PAGE ((size_t)4096)
#define RW   (PROT_READ | PROT_WRITE)

static char *share(size_t pages)
{
	char *memory = mmap(NULL, pages * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(memory != MAP_FAILED);
	return memory;
}

static void join(pid_t child)
{
	int status;

	CHECK(child > 0);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
}

TEST(shared_anonymous_memory_goes_both_ways)
{
	volatile char *memory = share(4);
	pid_t child;

	memory[0] = 1;
	child = fork();
	if (child == 0) {
		CHECK_EQ(memory[0], 1);
		memory[3 * PAGE] = 2;
		_exit(0);
	}
	join(child);
	CHECK_EQ(memory[3 * PAGE], 2);
}

TEST(atomics_work_over_processes)
{
	unsigned *counter = (unsigned *)share(1);
	pid_t children[4];

	for (int i = 0; i < 4; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			for (int n = 0; n < 10000; n++)
				__atomic_fetch_add(counter, 1, __ATOMIC_SEQ_CST);
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++)
		join(children[i]);
	CHECK_EQ(*counter, 40000);
}

TEST(shared_file_is_one_with_the_file)
{
	char *memory, byte;
	int fd;

	temporary_enter();
	temporary_text("file", "0123456789");
	fd = open("file", O_RDWR);
	memory = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	CHECK(memory != MAP_FAILED);
	memory[3] = 'M';
	CHECK_EQ(pread(fd, &byte, 1, 3), 1);
	CHECK_EQ(byte, 'M');
	CHECK_EQ(pwrite(fd, "W", 1, 5), 1);
	CHECK_EQ(memory[5], 'W');
	memory[10] = 'Z'; /* past the end: not part of the file */
	struct stat status;
	CHECK(fstat(fd, &status) == 0);
	CHECK_EQ(status.st_size, 10);
}

TEST(two_mappings_of_one_file_agree)
{
	int fd = memfd_create("m", 0);
	volatile char *first, *second;

	CHECK(ftruncate(fd, 2 * PAGE) == 0);
	first = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	second = mmap(NULL, PAGE, RW, MAP_SHARED, fd, PAGE);
	CHECK(first != second);
	first[PAGE + 5] = 6;
	CHECK_EQ(second[5], 6);
	second[6] = 7;
	CHECK_EQ(first[PAGE + 6], 7);
}

TEST(private_mapping_sees_the_file_until_it_writes)
{
	int fd = memfd_create("m", 0);
	volatile char *private;

	CHECK(ftruncate(fd, PAGE) == 0);
	private = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
	CHECK_EQ(private[0], 0);
	CHECK_EQ(pwrite(fd, "a", 1, 0), 1);
	CHECK_EQ(private[0], 'a');
	private[1] = 'x';
	CHECK_EQ(pwrite(fd, "b", 1, 0), 1);
	CHECK_EQ(private[0], 'a');
}

TEST(processes_meet_in_a_file)
{
	pid_t child;
	char *memory;

	temporary_enter();
	temporary_file("file", (char[PAGE]){0}, PAGE);
	child = fork();
	if (child == 0) {
		memory = mmap(NULL, PAGE, RW, MAP_SHARED, open("file", O_RDWR), 0);
		strcpy(memory, "from the child");
		_exit(0);
	}
	join(child);
	memory = mmap(NULL, PAGE, RW, MAP_SHARED, open("file", O_RDWR), 0);
	CHECK(!strcmp(memory, "from the child"));
}

TEST(msync_flags_and_errors)
{
	char *memory = share(3);

	CHECK(msync(memory, PAGE, MS_SYNC) == 0);
	CHECK(msync(memory, PAGE, MS_ASYNC) == 0);
	CHECK(msync(memory, PAGE, MS_SYNC | MS_INVALIDATE) == 0);
	CHECK(msync(memory, 0, MS_SYNC) == 0);
	CHECK_ERRNO(msync(memory, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
	CHECK_ERRNO(msync(memory, PAGE, 64), EINVAL);
	CHECK_ERRNO(msync(memory + 1, PAGE, MS_SYNC), EINVAL);
	CHECK(munmap(memory + PAGE, PAGE) == 0);
	CHECK_ERRNO(msync(memory, 3 * PAGE, MS_SYNC), ENOMEM);
}

TEST(msync_writes_to_the_file)
{
	char *memory, byte;

	temporary_enter();
	temporary_text("file", "aaaa");
	memory = mmap(NULL, PAGE, RW, MAP_SHARED, open("file", O_RDWR), 0);
	memory[0] = 'b';
	CHECK(msync(memory, PAGE, MS_SYNC) == 0);
	CHECK_EQ(read(open("file", O_RDONLY), &byte, 1), 1);
	CHECK_EQ(byte, 'b');
}

TEST(mincore_says_what_is_present)
{
	char *memory = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char present[4];

	memory[PAGE] = 1;
	CHECK(mincore(memory, 4 * PAGE, present) == 0);
	CHECK_EQ(present[1] & 1, 1);
}

TEST(mincore_errors)
{
	char *memory = share(3);
	unsigned char present[3];

	CHECK_ERRNO(mincore(memory + 1, PAGE, present), EINVAL);
	CHECK_ERRNO(mincore(memory, PAGE, NULL), EFAULT);
	CHECK(mincore(memory, 0, present) == 0);
	CHECK(munmap(memory + PAGE, PAGE) == 0);
	CHECK_ERRNO(mincore(memory, 3 * PAGE, present), ENOMEM);
}

TEST(mlock_and_munlock)
{
	char *memory = share(4);

	if (mlock(memory, PAGE))
		SKIP("cannot lock a page");
	CHECK(munlock(memory, PAGE) == 0);
	CHECK(mlock(memory + 1, 1) == 0);
	CHECK(mlock2(memory, PAGE, MLOCK_ONFAULT) == 0);
	CHECK_ERRNO(mlock2(memory, PAGE, 64), EINVAL);
	CHECK(munmap(memory + PAGE, PAGE) == 0);
	CHECK_ERRNO(mlock(memory, 4 * PAGE), ENOMEM);
	CHECK_ERRNO(munlock(memory, 4 * PAGE), ENOMEM);
	CHECK_ERRNO(mlockall(64), EINVAL);
	CHECK_ERRNO(mlockall(0), EINVAL);
	CHECK(munlockall() == 0);
}

TEST(memlock_limit_binds_without_privilege)
{
	struct rlimit limit = {2 * PAGE, 2 * PAGE};
	char *memory = share(8);

	CHECK(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
	if (getuid() == 0 && setresuid(1000, 1000, 1000))
		SKIP("cannot give root up");
	CHECK(mlock(memory, 2 * PAGE) == 0);
	CHECK_ERRNO(mlock(memory + 2 * PAGE, PAGE), ENOMEM);
	CHECK(munlock(memory, PAGE) == 0);
	CHECK(mlock(memory + 2 * PAGE, PAGE) == 0);
	limit.rlim_cur = limit.rlim_max = 0;
	CHECK(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
	CHECK_ERRNO(mlock(memory + 4 * PAGE, PAGE), EPERM);
}

TEST(extending_the_file_extends_the_mapping)
{
	int fd = memfd_create("m", 0);
	char *memory;

	CHECK(ftruncate(fd, PAGE) == 0);
	memory = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
	CHECK_EQ(fault_of_write(memory + 2 * PAGE), SIGBUS);
	CHECK(ftruncate(fd, 3 * PAGE) == 0);
	CHECK_EQ(fault_of_write(memory + 2 * PAGE), 0);
	CHECK_EQ(pread(fd, &(char){0}, 1, 2 * PAGE), 1);
}

/* The eight pages of memory in reverse, one by one, and then as they were, all at once. */
static void turn_around(char *memory)
{
	for (size_t i = 0; i < 8; i++)
		memory[i * PAGE] = (char)('a' + i);
	for (size_t i = 0; i < 8; i++)
		CHECK(remap_file_pages(memory + i * PAGE, PAGE, 0, 7 - i, 0) == 0);
	for (size_t i = 0; i < 8; i++)
		CHECK_EQ(memory[i * PAGE], 'h' - (int)i);
	CHECK(remap_file_pages(memory, 8 * PAGE, 0, 0, 0) == 0);
	for (size_t i = 0; i < 8; i++)
		CHECK_EQ(memory[i * PAGE], 'a' + (int)i);
}

TEST(pages_change_places)
{
	char *memory = share(8),
	     *private = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd;

	turn_around(memory);
	CHECK_ERRNO(remap_file_pages(memory, PAGE, PROT_READ, 0, 0), EINVAL);
	CHECK_ERRNO(remap_file_pages(memory, 0, 0, 0, 0), EINVAL);
	CHECK_ERRNO(remap_file_pages(private, PAGE, 0, 0, 0), EINVAL);
	CHECK(munmap(memory + 3 * PAGE, PAGE) == 0);
	CHECK_ERRNO(remap_file_pages(memory, 8 * PAGE, 0, 0, 0), EINVAL);
	CHECK(remap_file_pages(memory, PAGE, 0, 100, 0) == 0);
	fault_catch_begin();
	CHECK_EQ(fault_of_write(memory), SIGBUS);
	temporary_enter();
	fd = open("f", O_RDWR | O_CREAT, 0600);
	CHECK(fd >= 0 && ftruncate(fd, 8 * PAGE) == 0);
	memory = mmap(NULL, 8 * PAGE, RW, MAP_SHARED, fd, 0);
	CHECK(memory != MAP_FAILED);
	turn_around(memory);
}

TEST(shm_open_makes_shared_memory)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "/guest-%d", getpid());
	fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
	CHECK(fd >= 0);
	CHECK(shm_unlink(name) == 0);
	CHECK(ftruncate(fd, PAGE) == 0);
	CHECK(mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0) != MAP_FAILED);
	CHECK_ERRNO(shm_open(name, O_RDWR, 0), ENOENT);
}

GUEST_TEST_MAIN()
