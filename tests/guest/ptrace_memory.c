/* SPDX-License-Identifier: Apache-2.0 */
/* A tracee's memory from outside: POKE, /proc/PID/mem and process_vm_writev into text, read-only
 * and shared mappings, and what lies at the ends of mappings. */
#include "tests/guest/ptrace_test.h"

#include <fcntl.h>
#include <sys/stat.h>

#define PAGE 4096

static char *page; /* of the test; in the tracee it lies at the same address */

static void exit_first(void)
{
	_exit(page[0]);
}

static void raise_and_exit(void)
{
	raise(SIGUSR2);
	_exit(page[0]);
}

static char *map(int protection, int flags, int fd)
{
	page = mmap(NULL, PAGE, protection, flags, fd, 0);
	CHECK(page != MAP_FAILED);
	return page;
}

static int temporary_file(const char *text)
{
	char name[] = "/tmp/ptrace_memory.XXXXXX";
	int fd = mkstemp(name);

	CHECK(fd >= 0);
	CHECK(unlink(name) == 0);
	CHECK(ftruncate(fd, PAGE) == 0);
	CHECK(pwrite(fd, text, strlen(text), 0) == (ssize_t)strlen(text));
	return fd;
}

static unsigned long peek(pid_t tracee, void *address)
{
	unsigned long word;

	CHECK_EQ(request(PTRACE_PEEKDATA, tracee, (unsigned long)address, (unsigned long)&word), 0);
	return word;
}

static int open_memory(pid_t process)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", process);
	fd = open(path, O_RDWR);
	CHECK(fd >= 0);
	return fd;
}

static long vm_write(pid_t process, void *address, const void *data, size_t size)
{
	struct iovec local = {(void *)(uintptr_t)data, size}, remote = {address, size};

	return syscall(SYS_process_vm_writev, process, &local, 1ul, &remote, 1ul, 0ul);
}

static long vm_read(pid_t process, void *address, void *data, size_t size)
{
	struct iovec local = {data, size}, remote = {address, size};

	return syscall(SYS_process_vm_readv, process, &local, 1ul, &remote, 1ul, 0ul);
}

/* --- POKE --- */

TEST(poke_into_shared_anonymous_memory_is_seen)
{
	pid_t tracee;

	map(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
	tracee = tracee_of(exit_first);
	CHECK_EQ(request(PTRACE_POKEDATA, tracee, (unsigned long)page, 7), 0);
	CHECK_EQ(page[0], 7);
	go(PTRACE_CONT, tracee, EXITED(7));
}

TEST(poke_into_private_memory_is_not_seen)
{
	pid_t tracee;

	map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	page[0] = 3;
	tracee = tracee_of(exit_first);
	CHECK_EQ(request(PTRACE_POKEDATA, tracee, (unsigned long)page, 7), 0);
	CHECK_EQ(page[0], 3);
	go(PTRACE_CONT, tracee, EXITED(7));
}

TEST(poke_into_read_only_private_memory)
{
	pid_t tracee;

	map(PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	tracee = tracee_of(exit_first);
	CHECK_EQ(request(PTRACE_POKETEXT, tracee, (unsigned long)page, 7), 0);
	CHECK_EQ(peek(tracee, page), 7);
	CHECK_EQ(page[0], 0);
	go(PTRACE_CONT, tracee, EXITED(7));
}

/* Not even the owner can read it; a tracer can. */
TEST(poke_into_memory_without_any_right)
{
	pid_t tracee;

	map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	page[0] = 5;
	CHECK(mprotect(page, PAGE, PROT_NONE) == 0);
	tracee = tracee_of(exit_first);
	CHECK_EQ(peek(tracee, page), 5);
	CHECK_EQ(request(PTRACE_POKEDATA, tracee, (unsigned long)page, 7), 0);
	CHECK_EQ(peek(tracee, page), 7);
	/* Its rights are what they were. */
	go(PTRACE_CONT, tracee, STOPPED(SIGSEGV));
	end(tracee);
	CHECK(mprotect(page, PAGE, PROT_READ) == 0);
	CHECK_EQ(page[0], 5);
}

/* A private mapping of a file: the file stays as it is, and so do others. */
TEST(poke_into_a_private_file_mapping)
{
	int fd = temporary_file("before");
	char text[8] = "";
	pid_t tracee;

	map(PROT_READ | PROT_EXEC, MAP_PRIVATE, fd);
	tracee = tracee_of(exit_first);
	CHECK_EQ(request(PTRACE_POKETEXT, tracee, (unsigned long)page, 7), 0);
	CHECK_EQ(peek(tracee, page), 7);
	CHECK_EQ(pread(fd, text, 6, 0), 6);
	CHECK(!memcmp(text, "before", 6));
	CHECK(!memcmp(page, "before", 6));
	/* The copy is the tracee's: what is written to the file now does not come through. */
	CHECK_EQ(pwrite(fd, "behind", 6, 0), 6);
	CHECK_EQ(peek(tracee, page), 7);
	go(PTRACE_CONT, tracee, EXITED(7));
}

/* A shared mapping that may become writable is written; one that never may is not. */
TEST(poke_into_shared_file_mappings)
{
	int fd = temporary_file("before"), read_only;
	char text[8] = "", path[64];
	unsigned long word;
	pid_t tracee;

	map(PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	tracee = tracee_of(exit_first);
	CHECK_EQ(request(PTRACE_POKEDATA, tracee, (unsigned long)page, 0x2e2e2e2e2e2e2e2e), 0);
	CHECK_EQ(pread(fd, text, 8, 0), 8);
	CHECK(!memcmp(text, "........", 8));
	CHECK_EQ(page[0], '.');
	end(tracee);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	read_only = open(path, O_RDONLY);
	CHECK(read_only >= 0);
	map(PROT_READ, MAP_SHARED, read_only);
	tracee = tracee_of(exit_first);
	CHECK_EQ(peek(tracee, page), 0x2e2e2e2e2e2e2e2e);
	CHECK_ERRNO(request(PTRACE_POKEDATA, tracee, (unsigned long)page, 7), EIO);
	CHECK_EQ(request(PTRACE_PEEKDATA, tracee, (unsigned long)page, (unsigned long)&word), 0);
	CHECK_EQ(page[0], '.');
	end(tracee);
}

/* Shared, of a file that may be written, but not mapped so: a write would have to be private, which
 * a shared mapping cannot be. */
TEST(poke_into_a_shared_mapping_that_is_read_only_for_now)
{
	int fd = temporary_file("before");
	pid_t tracee;

	map(PROT_READ, MAP_SHARED, fd);
	tracee = tracee_of(exit_first);
	CHECK_ERRNO(request(PTRACE_POKEDATA, tracee, (unsigned long)page, 7), EIO);
	CHECK_EQ(page[0], 'b');
	end(tracee);
}

/* After fork the page is still one for both; the child's poke takes the child a copy. */
TEST(poke_after_fork)
{
	pid_t first, second;

	map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	page[0] = 1;
	first = tracee_of(exit_first);
	second = tracee_of(exit_first);
	CHECK_EQ(request(PTRACE_POKEDATA, first, (unsigned long)page, 2), 0);
	CHECK_EQ(request(PTRACE_POKEDATA, second, (unsigned long)page, 3), 0);
	CHECK_EQ(page[0], 1);
	go(PTRACE_CONT, first, EXITED(2));
	go(PTRACE_CONT, second, EXITED(3));
}

/* Two that run the same program: a breakpoint for one. */
TEST(a_breakpoint_in_shared_text)
{
	unsigned long text = (unsigned long)exit_first, word;
	pid_t first, second;

	map(PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	first = tracee_of(exit_first);
	second = tracee_of(exit_first);
	word = peek(first, (void *)text);
	CHECK_EQ(request(PTRACE_POKETEXT, first, text, (word & ~0xfful) | 0xcc), 0);
	CHECK_EQ(peek(second, (void *)text), word);
	go(PTRACE_CONT, second, EXITED(0));
	go(PTRACE_CONT, first, STOPPED(SIGTRAP));
	end(first);
}

/* --- ends --- */

TEST(words_over_the_end)
{
	char *memory = tail_alloc(2 * PAGE);
	pid_t tracee;
	unsigned long word;

	page = memory;
	memset(memory, 0x11, 2 * PAGE);
	/* A tracer reads even what nobody may touch: there must be nothing. */
	CHECK(munmap(memory + 2 * PAGE, PAGE) == 0);
	tracee = tracee_of(raise_and_exit);
	CHECK_EQ(request(PTRACE_PEEKDATA, tracee, (unsigned long)memory + 2 * PAGE - 8,
			 (unsigned long)&word),
		0);
	CHECK_ERRNO(request(PTRACE_PEEKDATA, tracee, (unsigned long)memory + 2 * PAGE - 4,
			    (unsigned long)&word),
		EIO);
	CHECK_ERRNO(request(PTRACE_POKEDATA, tracee, (unsigned long)memory + 2 * PAGE - 4, 1), EIO);
	/* Across two pages, on no boundary. */
	CHECK_EQ(request(PTRACE_POKEDATA, tracee, (unsigned long)memory + PAGE - 3,
			 0x0807060504030201),
		0);
	CHECK_EQ(peek(tracee, memory + PAGE - 3), 0x0807060504030201);
	CHECK_EQ(memory[PAGE - 3], 0x11);
	end(tracee);
}

TEST(addresses_that_are_none)
{
	static const unsigned long addresses[] = {0, 8, 0x7ffffffff000, 0x7ffffffffff8,
		0x800000000000, 0xffffffffff600000, 0xffff800000000000, ~0ul, ~0ul - 7};
	pid_t tracee = tracee_of(exit_first);
	unsigned long word;
	int fd = open_memory(tracee);

	for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
		/* The vsyscall page may be there to be read. */
		if (addresses[i] == 0xffffffffff600000)
			continue;
		CHECK_ERRNO(
			request(PTRACE_PEEKDATA, tracee, addresses[i], (unsigned long)&word), EIO);
		CHECK_ERRNO(request(PTRACE_POKEDATA, tracee, addresses[i], 1), EIO);
		CHECK_ERRNO(vm_read(tracee, (void *)addresses[i], &word, 8), EFAULT);
		CHECK_ERRNO(vm_write(tracee, (void *)addresses[i], &word, 8), EFAULT);
	}
	CHECK_ERRNO(pread(fd, &word, 8, 8), EIO);
	CHECK_ERRNO(pwrite(fd, &word, 8, 8), EIO);
	CHECK_ERRNO(request(PTRACE_PEEKDATA, tracee, (unsigned long)&word, 8), EFAULT);
	end(tracee);
}

/* Behind the end of the file that is mapped there is nothing. */
TEST(behind_the_end_of_a_file)
{
	int fd = temporary_file("text");
	unsigned long word;
	pid_t tracee;

	page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(page != MAP_FAILED);
	tracee = tracee_of(exit_first);
	CHECK_EQ(peek(tracee, page + PAGE - 8), 0);
	CHECK_ERRNO(
		request(PTRACE_PEEKDATA, tracee, (unsigned long)page + PAGE, (unsigned long)&word),
		EIO);
	CHECK_ERRNO(request(PTRACE_POKEDATA, tracee, (unsigned long)page + PAGE, 1), EIO);
	CHECK_ERRNO(vm_read(tracee, page + PAGE, &word, 8), EFAULT);
	end(tracee);
}

/* --- /proc/PID/mem --- */

TEST(mem_writes_read_only_memory)
{
	char text[8] = "";
	pid_t tracee;
	int fd;

	map(PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	tracee = tracee_of(exit_first);
	fd = open_memory(tracee);
	CHECK_EQ(pwrite(fd, "\7rest", 5, (off_t)(uintptr_t)page), 5);
	CHECK_EQ(pread(fd, text, 5, (off_t)(uintptr_t)page), 5);
	CHECK(!memcmp(text, "\7rest", 5));
	CHECK_EQ(page[0], 0);
	go(PTRACE_CONT, tracee, EXITED(7));
}

TEST(mem_writes_text)
{
	unsigned char breakpoint = 0xcc;
	pid_t tracee = tracee_of(raise_and_exit);
	int fd = open_memory(tracee);
	unsigned long rip;

	map(PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	go(PTRACE_CONT, tracee, STOPPED(SIGUSR2));
	rip = peek_user(tracee, REGISTER(rip));
	CHECK_EQ(pwrite(fd, &breakpoint, 1, (off_t)rip), 1);
	go(PTRACE_CONT, tracee, STOPPED(SIGTRAP));
	CHECK_EQ(peek_user(tracee, REGISTER(rip)), rip + 1);
	end(tracee);
}

TEST(mem_stops_at_the_end)
{
	char *memory = tail_alloc(PAGE), buffer[64];
	pid_t tracee = tracee_of(exit_first);
	int fd = open_memory(tracee);

	CHECK_EQ(pread(fd, buffer, 64, (off_t)(uintptr_t)memory + PAGE - 16), 64);
	CHECK_EQ(pwrite(fd, buffer, 16, (off_t)(uintptr_t)memory + PAGE - 16), 16);
	end(tracee);
	/* Of who is gone there is nothing to read. */
	CHECK_EQ(pread(fd, buffer, 16, (off_t)(uintptr_t)memory), 0);
}

/* --- process_vm_writev keeps to the rights of a mapping --- */

TEST(vm_write_respects_rights)
{
	pid_t child;
	char value = 7, found = 0;

	map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	page[0] = 3;
	child = tracee_of(exit_first);
	CHECK_EQ(vm_write(child, page, &value, 1), 1);
	CHECK_EQ(page[0], 3);
	go(PTRACE_CONT, child, EXITED(7));
	CHECK(mprotect(page, PAGE, PROT_READ) == 0);
	child = tracee_of(exit_first);
	CHECK_ERRNO(vm_write(child, page, &value, 1), EFAULT);
	CHECK_EQ(vm_read(child, page, &found, 1), 1);
	CHECK_EQ(found, 3);
	CHECK_ERRNO(vm_write(child, (void *)(uintptr_t)exit_first, &value, 1), EFAULT);
	end(child);
	CHECK(mprotect(page, PAGE, PROT_NONE) == 0);
	child = tracee_of(exit_first);
	CHECK_ERRNO(vm_read(child, page, &found, 1), EFAULT);
	end(child);
}

TEST(vm_calls_go_as_far_as_they_can)
{
	char *memory = tail_alloc(PAGE), buffer[64];
	struct iovec local = {buffer, 64},
		     remote[2] = {{memory + PAGE - 16, 16}, {memory + PAGE, 16}};
	pid_t child = tracee_of(exit_first);

	CHECK_EQ(syscall(SYS_process_vm_readv, child, &local, 1ul, remote, 2ul, 0ul), 16);
	CHECK_EQ(syscall(SYS_process_vm_writev, child, &local, 1ul, remote, 2ul, 0ul), 16);
	CHECK_ERRNO(syscall(SYS_process_vm_readv, child, &local, 1ul, remote, 2ul, 1ul), EINVAL);
	CHECK_ERRNO(syscall(SYS_process_vm_readv, child, &local, 1ul, remote, 1025ul, 0ul), EINVAL);
	CHECK_ERRNO(syscall(SYS_process_vm_readv, child, (void *)8, 1ul, remote, 1ul, 0ul), EFAULT);
	CHECK_EQ(syscall(SYS_process_vm_readv, child, &local, 0ul, remote, 0ul, 0ul), 0);
	end(child);
	CHECK_ERRNO(vm_read(child, memory, buffer, 1), ESRCH);
}

/* Whatever an ordinary system call does with memory, a tracer's write is not stopped by seals or by
 * the tracee's own faults: pages that were never touched are made. */
TEST(poke_makes_pages)
{
	char *memory =
		mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t tracee;

	CHECK(memory != MAP_FAILED);
	page = memory;
	tracee = tracee_of(exit_first);
	for (int i = 0; i < 64; i++) {
		CHECK_EQ(peek(tracee, memory + i * PAGE), 0);
		CHECK_EQ(request(PTRACE_POKEDATA, tracee,
				 (unsigned long)memory + (unsigned long)i * PAGE,
				 (unsigned long)i + 9),
			0);
	}
	for (int i = 0; i < 64; i++)
		CHECK_EQ(peek(tracee, memory + i * PAGE), i + 9);
	go(PTRACE_CONT, tracee, EXITED(9));
}

/* The stack below its lowest page: a debugger's call pushes there. */
TEST(poke_below_the_stack)
{
	pid_t tracee = tracee_of(exit_first);
	unsigned long rsp = peek_user(tracee, REGISTER(rsp));

	map(PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	CHECK_EQ(request(PTRACE_POKEDATA, tracee, rsp - 128, 1), 0);
	CHECK_EQ(peek(tracee, (void *)(rsp - 128)), 1);
	end(tracee);
}

GUEST_TEST_MAIN()
