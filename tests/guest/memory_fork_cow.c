/* SPDX-License-Identifier: Apache-2.0 */
/* Private memory after fork: each side sees its own writes, whoever writes first, also through
 * system calls. */
#include "tests/guest/guest_test.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define PAGE ((size_t)4096)

static char *map(size_t pages)
{
	char *memory = mmap(
		NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(memory != MAP_FAILED);
	for (size_t i = 0; i < pages; i++)
		memset(memory + i * PAGE, (int)(i & 63) + 1, PAGE);
	return memory;
}

static void join(pid_t child)
{
	int status;

	CHECK(child > 0);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
}

static bool whole(const char *memory, size_t pages)
{
	for (size_t i = 0; i < pages * PAGE; i++)
		if (memory[i] != (char)((i / PAGE & 63) + 1))
			return false;
	return true;
}

TEST(child_write_is_not_seen_by_parent)
{
	char *memory = map(64);
	pid_t child = fork();

	if (child == 0) {
		memset(memory, 100, 64 * PAGE);
		_exit(0);
	}
	join(child);
	CHECK(whole(memory, 64));
}

TEST(parent_write_is_not_seen_by_child)
{
	char *memory = map(64), byte;
	int go[2];
	pid_t child;

	CHECK(pipe(go) == 0);
	child = fork();
	if (child == 0) {
		CHECK_EQ(read(go[0], &byte, 1), 1);
		_exit(whole(memory, 64) ? 0 : 1);
	}
	memset(memory, 100, 64 * PAGE);
	CHECK_EQ(write(go[1], "x", 1), 1);
	join(child);
}

TEST(many_generations)
{
	char *memory = map(8);

	for (int generation = 0; generation < 12; generation++) {
		pid_t child = fork();

		if (child > 0) {
			int status;

			CHECK(waitpid(child, &status, 0) == child);
			CHECK_EQ(status, 0);
			CHECK_EQ(memory[3 * PAGE], generation ? 100 + generation - 1 : 4);
			_exit(0);
		}
		memory[3 * PAGE] = 100 + generation;
		CHECK_EQ(memory[4 * PAGE], 5);
	}
}

TEST(many_children_of_one_parent)
{
	char *memory = map(16);
	pid_t children[20];

	for (int i = 0; i < 20; i++) {
		memory[0] = i;
		children[i] = fork();
		if (children[i] == 0) {
			CHECK_EQ(memory[0], i);
			memory[PAGE] = 50;
			CHECK_EQ(memory[2 * PAGE], 3);
			_exit(memory[0] == i ? 0 : 1);
		}
	}
	for (int i = 0; i < 20; i++)
		join(children[i]);
	CHECK_EQ(memory[PAGE], 2);
}

TEST(system_call_writes_break_the_sharing)
{
	char *memory = map(4);
	int fds[2];
	pid_t child;

	CHECK(pipe(fds) == 0);
	CHECK_EQ(write(fds[1], "kernel writes", 13), 13);
	child = fork();
	if (child == 0) {
		CHECK_EQ(read(fds[0], memory + PAGE - 4, 13), 13);
		CHECK(!memcmp(memory + PAGE - 4, "kernel writes", 13));
		_exit(0);
	}
	join(child);
	CHECK(whole(memory, 4));
}

TEST(process_vm_writev_breaks_the_sharing)
{
	char *memory = map(2);
	int ready[2], go[2];
	pid_t child;
	char byte;

	CHECK(pipe(ready) == 0 && pipe(go) == 0);
	child = fork();
	if (child == 0) {
		CHECK_EQ(read(go[0], &byte, 1), 1);
		_exit(memory[10] == 'w' ? 0 : 1);
	}
	struct iovec local = {"w", 1}, remote = {memory + 10, 1};
	CHECK_EQ(process_vm_writev(child, &local, 1, &remote, 1, 0), 1);
	CHECK_EQ(memory[10], 1);
	CHECK_EQ(write(go[1], "x", 1), 1);
	join(child);
}

static int data_value = 11;
static int bss_value[5000];

TEST(data_bss_heap_and_stack_are_private)
{
	int stack_value = 33, *heap_value = malloc(sizeof(int));
	pid_t child;

	*heap_value = 44;
	bss_value[4000] = 22;
	child = fork();
	if (child == 0) {
		CHECK(data_value == 11 && bss_value[4000] == 22 && stack_value == 33 &&
			*heap_value == 44);
		data_value = bss_value[4000] = stack_value = *heap_value = 0;
		_exit(0);
	}
	join(child);
	CHECK(data_value == 11 && bss_value[4000] == 22 && stack_value == 33 && *heap_value == 44);
}

TEST(last_owner_keeps_the_contents)
{
	char *memory = map(32);

	for (int i = 0; i < 10; i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		join(child);
		CHECK(whole(memory, 32));
		memory[i * PAGE] = (i & 63) + 1;
	}
}

TEST(grandchild_after_the_child_is_gone)
{
	char *memory = map(8), byte;
	int result[2], go[2];
	pid_t child;

	CHECK(pipe(result) == 0 && pipe(go) == 0);
	child = fork();
	if (child == 0) {
		memory[0] = 60;
		if (fork() == 0) {
			CHECK_EQ(read(go[0], &byte, 1), 1);
			byte = memory[0] == 60 && memory[PAGE] == 2 ? 'y' : 'n';
			CHECK_EQ(write(result[1], &byte, 1), 1);
		}
		_exit(0);
	}
	join(child);
	memory[PAGE] = 70;
	CHECK_EQ(write(go[1], "x", 1), 1);
	CHECK_EQ(read(result[0], &byte, 1), 1);
	CHECK_EQ(byte, 'y');
}

static char *thread_memory;
static volatile bool thread_stop;

static void *thread_writes(void *argument)
{
	volatile char *byte = thread_memory + (size_t)argument * PAGE;

	for (unsigned i = 0; !thread_stop; i++)
		*byte = i & 31;
	return NULL;
}

TEST(fork_while_threads_write)
{
	pthread_t threads[2];

	thread_memory = map(4);
	for (size_t i = 0; i < 2; i++)
		CHECK(pthread_create(&threads[i], NULL, thread_writes, (void *)i) == 0);
	for (int i = 0; i < 20; i++) {
		pid_t child = fork();

		if (child == 0) {
			char first = thread_memory[0], second = thread_memory[PAGE];

			for (int spin = 0; spin < 1000; spin++)
				if (((volatile char *)thread_memory)[0] != first ||
					((volatile char *)thread_memory)[PAGE] != second)
					_exit(1);
			_exit(thread_memory[2 * PAGE] == 3 ? 0 : 2);
		}
		join(child);
	}
	thread_stop = true;
	for (size_t i = 0; i < 2; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

TEST(clear_child_tid_is_written_after_fork)
{
	pid_t *tid = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child = (pid_t)syscall(
		SYS_clone, SIGCHLD | 0x01000000 /* CLONE_CHILD_SETTID */, NULL, NULL, tid, NULL);

	if (child == 0)
		_exit(0);
	join(child);
	CHECK_EQ(*tid, child);
}

static volatile uint64_t *first_word, *second_word;
static volatile bool writer_ends;

static void *write_in_order(void *unused)
{
	for (uint64_t i = 1; !writer_ends; i++) {
		*first_word = i;
		*second_word = i;
	}
	return unused;
}

static char *map_at(char *address, size_t size)
{
	char *memory = mmap(address, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	CHECK(memory == address);
	return memory;
}

/* A child is made of one moment: of what another thread stored, it never has the later part alone.
 */
TEST(a_fork_beside_a_writer_is_one_moment)
{
	static const size_t sizes[][2] = {{4096, 4096}, {4096, 4 << 20}, {4 << 20, 4096}};
	char *place = mmap(NULL, 64 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_t writer;

	CHECK(place != MAP_FAILED);
	for (int round = 0; round < 6; round++) {
		char *low = map_at(place, sizes[round / 2][0]);
		char *high = map_at(place + (32 << 20), sizes[round / 2][1]);

		first_word = (uint64_t *)(round % 2 ? high : low);
		second_word = (uint64_t *)(round % 2 ? low : high);
		writer_ends = false;
		CHECK(pthread_create(&writer, NULL, write_in_order, NULL) == 0);
		for (int i = 0; i < 60; i++) {
			pid_t child = fork();
			int status;

			if (child == 0)
				_exit(*second_word > *first_word);
			CHECK(child > 0 && waitpid(child, &status, 0) == child);
			CHECK_EQ(status, 0);
		}
		writer_ends = true;
		CHECK(pthread_join(writer, NULL) == 0);
	}
}

GUEST_TEST_MAIN()
