/* SPDX-License-Identifier: Apache-2.0 */
/* Memory through /proc/PID/mem. */
#include "tests/guest/proc_read.h"

#include <sys/prctl.h>
#include <sys/ptrace.h>

#define PAGE 4096ul

static int open_mem(pid_t pid, int flags)
{
	char name[64];

	snprintf(name, sizeof(name), "/proc/%d/mem", pid);
	return open(name, flags | O_CLOEXEC);
}

TEST(own_memory_is_read_and_written)
{
	char text[] = "some bytes", copy[sizeof(text)];
	int fd = open("/proc/self/mem", O_RDWR);

	CHECK(fd >= 0);
	CHECK_EQ(pread(fd, copy, sizeof(copy), (off_t)(uintptr_t)text), sizeof(copy));
	CHECK(strcmp(copy, text) == 0);
	CHECK_EQ(pwrite(fd, "SOME", 4, (off_t)(uintptr_t)text), 4);
	CHECK(strcmp(text, "SOME bytes") == 0);
	CHECK_EQ(lseek(fd, (off_t)(uintptr_t)text, SEEK_SET), (off_t)(uintptr_t)text);
	CHECK_EQ(read(fd, copy, 4), 4);
	CHECK_EQ(write(fd, "-", 1), 1);
	CHECK(strcmp(text, "SOME-bytes") == 0);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), (off_t)(uintptr_t)text + 5);
	CHECK_ERRNO(lseek(fd, 0, SEEK_END), EINVAL);
}

TEST(protection_does_not_count)
{
	char *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("/proc/self/mem", O_RDWR);
	char byte;

	memory[0] = 'a';
	CHECK(mprotect(memory, PAGE, PROT_READ) == 0);
	CHECK_EQ(pwrite(fd, "b", 1, (off_t)(uintptr_t)memory), 1);
	CHECK_EQ(memory[0], 'b');
	CHECK(mprotect(memory, PAGE, PROT_NONE) == 0);
	CHECK_EQ(pread(fd, &byte, 1, (off_t)(uintptr_t)memory), 1);
	CHECK_EQ(byte, 'b');
}

TEST(what_is_not_mapped_is_an_error)
{
	char *memory =
		mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("/proc/self/mem", O_RDWR);
	char buffer[2 * PAGE];

	CHECK(munmap(memory + PAGE, PAGE) == 0);
	CHECK_ERRNO(pread(fd, buffer, 8, (off_t)(uintptr_t)memory + PAGE), EIO);
	CHECK_ERRNO(pwrite(fd, buffer, 8, (off_t)(uintptr_t)memory + PAGE), EIO);
	CHECK_ERRNO(pread(fd, buffer, 8, 0), EIO);
	memset(memory, 7, PAGE);
	CHECK_EQ(pread(fd, buffer, 16, (off_t)(uintptr_t)memory + PAGE - 8), 8);
	CHECK_EQ(buffer[7], 7);
	CHECK_ERRNO(pread(fd, memory + PAGE, 8, (off_t)(uintptr_t)memory), EFAULT);
}

static char shared_word[16] = "parent's";

TEST(a_child_is_written_to)
{
	int ready[2], go[2], fd, status;
	char byte = 0, seen[16];
	pid_t child;

	CHECK(pipe(ready) == 0 && pipe(go) == 0);
	child = fork();
	if (child == 0) {
		strcpy(shared_word, "child's");
		CHECK_EQ(write(ready[1], &byte, 1), 1);
		CHECK_EQ(read(go[0], &byte, 1), 1);
		_exit(strcmp(shared_word, "written") ? 1 : 42);
	}
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	fd = open_mem(child, O_RDWR);
	if (fd < 0 && errno == EACCES)
		SKIP("children may not be attached to (ptrace_scope)");
	CHECK(fd >= 0);
	CHECK_EQ(pread(fd, seen, sizeof(seen), (off_t)(uintptr_t)shared_word), sizeof(seen));
	CHECK(strcmp(seen, "child's") == 0);
	CHECK_EQ(pwrite(fd, "written", 8, (off_t)(uintptr_t)shared_word), 8);
	CHECK_EQ(write(go[1], &byte, 1), 1);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(WEXITSTATUS(status), 42);
	CHECK(strcmp(shared_word, "parent's") == 0);
	/* Its memory is gone. */
	CHECK_EQ(pread(fd, seen, sizeof(seen), (off_t)(uintptr_t)shared_word), 0);
}

TEST(an_open_file_stays_with_the_old_program)
{
	int ready[2], fd, maps, status;
	char byte, seen[16], name[32], line[8];
	pid_t child;

	CHECK(pipe2(ready, O_CLOEXEC) == 0);
	child = fork();
	if (child == 0) {
		raise(SIGSTOP);
		execl("/bin/sleep", "sleep", "20", NULL);
		_exit(1);
	}
	CHECK(close(ready[1]) == 0);
	CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
	fd = open_mem(child, O_RDONLY);
	if (fd < 0 && errno == EACCES)
		SKIP("children may not be attached to (ptrace_scope)");
	snprintf(name, sizeof(name), "/proc/%d/maps", child);
	maps = open(name, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && maps >= 0);
	CHECK_EQ(pread(fd, seen, sizeof(seen), (off_t)(uintptr_t)shared_word), sizeof(seen));
	CHECK(kill(child, SIGCONT) == 0);
	/* Closed by the execve. */
	CHECK_EQ(read(ready[0], &byte, 1), 0);
	CHECK_EQ(pread(fd, seen, sizeof(seen), (off_t)(uintptr_t)shared_word), 0);
	CHECK_EQ(read(maps, line, sizeof(line)), 0);
	CHECK(kill(child, SIGKILL) == 0);
}

TEST(a_tracer_writes_into_program_text)
{
	static const char nops[] = {'\x90', '\x90'};
	int status, fd;
	char old[2], now[2];
	pid_t child = fork();

	if (child == 0) {
		CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
		raise(SIGSTOP);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFSTOPPED(status));
	fd = open_mem(child, O_RDWR);
	CHECK(fd >= 0);
	CHECK_EQ(pread(fd, old, 2, (off_t)(uintptr_t)&open_mem), 2);
	CHECK(memcmp(old, (const void *)&open_mem, 2) == 0);
	CHECK_EQ(pwrite(fd, nops, 2, (off_t)(uintptr_t)&open_mem), 2);
	CHECK_EQ(pread(fd, now, 2, (off_t)(uintptr_t)&open_mem), 2);
	CHECK(memcmp(now, nops, 2) == 0);
	CHECK(memcmp((const void *)&open_mem, old, 2) == 0);
	CHECK(kill(child, SIGKILL) == 0);
}

GUEST_TEST_MAIN()
