/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address spaces and threads of the ptrace platform: batches, sharing, interrupts, reuse, and the
 * end.
 */
#include "tests/unit/platform/machine.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t *data_word(struct machine *m, size_t index)
{
	return (uint64_t *)(void *)(m->memory + DATA_OFFSET) + index;
}

static void load_read(struct machine *m, uint64_t address)
{
	load(m, read);
	m->registers.rdi = address;
}

START_TEST(test_batches)
{
	struct machine *m = &machine;
	const uint64_t count = 3000;

	/* Nothing that merges: every second page, of the same page of the file. */
	for (uint64_t i = 0; i < count; i++)
		machine_map_data(m, DATA + 2 * i * PAGE_SIZE, 1, PROT_READ);
	*data_word(m, 0) = 77;
	load_read(m, DATA + 2 * (count - 1) * PAGE_SIZE);
	run(m, EXIT_SYSCALL);
	ck_assert_uint_eq(m->registers.orig_rax, 77);
	load_read(m, DATA + PAGE_SIZE);
	run(m, EXIT_FAULT);
	/* Holes are no obstacle to a protect, nor to an unmap. */
	ck_assert_int_eq(
		address_space_protect(m->as, DATA, 2 * count * PAGE_SIZE, PROT_READ | PROT_WRITE),
		0);
	load(m, write);
	m->registers.rdi = DATA + 2 * (count - 1) * PAGE_SIZE;
	m->registers.rsi = 78;
	run(m, EXIT_SYSCALL);
	ck_assert_int_eq(address_space_unmap(m->as, DATA, 2 * count * PAGE_SIZE), 0);
	for (uint64_t i = 0; i < count; i += 997) {
		load_read(m, DATA + 2 * i * PAGE_SIZE);
		run(m, EXIT_FAULT);
		ck_assert(!m->exit.present);
	}
}
END_TEST

START_TEST(test_order_of_a_queue)
{
	struct machine *m = &machine;

	*data_word(m, 0) = 1;
	*data_word(m, PAGE_SIZE / 8) = 2;
	/* Map, then replace its second half, protect all, unmap the first page. */
	machine_map_data(m, DATA, 2, PROT_READ | PROT_WRITE);
	machine_map_data(m, DATA + PAGE_SIZE, 1, PROT_READ | PROT_WRITE);
	ck_assert_int_eq(address_space_protect(m->as, DATA, 2 * PAGE_SIZE, PROT_READ), 0);
	ck_assert_int_eq(address_space_unmap(m->as, DATA, PAGE_SIZE), 0);
	load_read(m, DATA + PAGE_SIZE);
	run(m, EXIT_SYSCALL);
	ck_assert_uint_eq(m->registers.orig_rax, 1);
	load_read(m, DATA);
	run(m, EXIT_FAULT);
	load(m, write);
	m->registers.rdi = DATA + PAGE_SIZE;
	run(m, EXIT_FAULT);
	ck_assert(m->exit.present);
	/* Unmapped and mapped again before anybody ran. */
	ck_assert_int_eq(address_space_unmap(m->as, DATA + PAGE_SIZE, PAGE_SIZE), 0);
	machine_map_data(m, DATA, 2, PROT_READ | PROT_WRITE);
	run(m, EXIT_SYSCALL);
}
END_TEST

START_TEST(test_populate)
{
	struct machine *m = &machine;

	ck_assert_int_eq(address_space_map(m->as, DATA, m->memory_fd, DATA_OFFSET, 4 * PAGE_SIZE,
				 PROT_READ | PROT_WRITE, MAP_FLAG_POPULATE),
		0);
	machine_map_data(m, DATA + 16 * PAGE_SIZE, 4, PROT_READ | PROT_WRITE);
	/* A hint, also where there is nothing or where it may not be written. */
	machine_map_data(m, DATA + 20 * PAGE_SIZE, 4, PROT_READ);
	ck_assert_int_eq(address_space_populate(m->as, DATA, 64 * PAGE_SIZE), 0);
	load(m, write);
	m->registers.rdi = DATA + 16 * PAGE_SIZE;
	m->registers.rsi = 5;
	run(m, EXIT_SYSCALL);
	ck_assert_uint_eq(*data_word(m, 0), 5);
}
END_TEST

START_TEST(test_private_file)
{
	struct machine *m = &machine;
	char path[] = "/tmp/platform-test-XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(write(fd, "12345678", 8), 8);
	ck_assert_int_eq(
		address_space_map(m->as, DATA, fd, 0, PAGE_SIZE, PROT_READ, MAP_FLAG_PRIVATE), 0);
	load_read(m, DATA);
	run(m, EXIT_SYSCALL);
	ck_assert_uint_eq(m->registers.orig_rax, 0x3837363534333231);
	close(fd);
}
END_TEST

START_TEST(test_refused_file)
{
	struct machine *m = &machine;
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	int r;

	ck_assert_int_ge(fd, 0);
	machine_map_data(m, DATA, 1, PROT_READ);
	load_read(m, DATA);
	run(m, EXIT_SYSCALL);
	/* A file that cannot be mapped is the guest's misfortune, and leaves nothing half done. */
	ck_assert_int_eq(
		address_space_map(m->as, DATA + PAGE_SIZE, fd, 0, PAGE_SIZE, PROT_READ, 0), 0);
	load_read(m, DATA);
	r = context_switch(m->context, m->as, &m->registers, 0, &m->exit);
	ck_assert_int_eq(r, -ENODEV);
	run(m, EXIT_FAULT);
	ck_assert_uint_eq(m->exit.address, CODE);
	load_read(m, DATA);
	run(m, EXIT_FAULT);
	ck_assert_uint_eq(m->exit.address, DATA);
	close(fd);
}
END_TEST

START_TEST(test_too_many_mappings)
{
	struct machine *m = &machine;
	int r;

	/* Past vm.max_map_count of the stub. */
	for (uint64_t i = 0; i < 70000; i++)
		machine_map_data(m, DATA + 2 * i * PAGE_SIZE, 1, PROT_READ);
	load_read(m, DATA);
	r = context_switch(m->context, m->as, &m->registers, 0, &m->exit);
	ck_assert_int_eq(r, -ENOMEM);
	load_read(m, DATA);
	run(m, EXIT_FAULT);
	machine_map_data(m, DATA, 1, PROT_READ);
	run(m, EXIT_SYSCALL);
}
END_TEST

START_TEST(test_interrupt_before)
{
	struct machine *m = &machine;

	load(m, getpid);
	run(m, EXIT_SYSCALL);
	context_interrupt(m->context);
	context_interrupt(m->context);
	run(m, EXIT_INTERRUPTED);
	run(m, EXIT_SYSCALL);
	/* Also before the first run of all. */
	context_release(m->context);
	context_interrupt(m->context);
	run(m, EXIT_INTERRUPTED);
	run(m, EXIT_SYSCALL);
}
END_TEST

static atomic_bool g_stop;

static void *interrupter(void *argument)
{
	struct machine *m = argument;

	while (!atomic_load(&g_stop)) {
		context_interrupt(m->context);
		usleep(50);
	}
	return NULL;
}

START_TEST(test_interrupt_while_running)
{
	struct machine *m = &machine;
	pthread_t thread;
	uint64_t before = 0;

	load(m, spin);
	machine_map_data(m, DATA, 1, PROT_READ | PROT_WRITE);
	m->registers.rdi = DATA;
	pthread_create(&thread, NULL, interrupter, m);
	for (int i = 0; i < 1000; i++) {
		run(m, EXIT_INTERRUPTED);
		ck_assert(m->registers.rip >= CODE && m->registers.rip < CODE + 16);
		ck_assert_uint_ge(*data_word(m, 0), before);
		before = *data_word(m, 0);
		/* Late signals must not hurt a batch. */
		machine_map_data(m, DATA + PAGE_SIZE, 1 + (uint64_t)i % 7, PROT_READ);
	}
	load(m, getpid);
	for (int i = 0, calls = 0; calls < 2000; i++) {
		ck_assert_int_eq(context_switch(m->context, m->as, &m->registers, 0, &m->exit), 0);
		if (m->exit.reason == EXIT_INTERRUPTED)
			continue;
		ck_assert_int_eq(m->exit.reason, EXIT_SYSCALL);
		ck_assert_uint_eq(m->registers.orig_rax, SYS_getpid);
		calls++;
		m->registers.rax = (uint64_t)-512;
	}
	atomic_store(&g_stop, true);
	pthread_join(thread, NULL);
}
END_TEST

static void *run_awaiting(void *argument)
{
	struct machine *m = argument;

	m->registers.rip = CODE;
	m->registers.rdi = DATA;
	m->registers.rsi = 0;
	run(m, EXIT_SYSCALL);
	context_free(m->context);
	return NULL;
}

START_TEST(test_threads_share)
{
	struct machine *m = &machine;
	struct machine others[8];
	pthread_t threads[8];

	load(m, await);
	machine_map_data(m, DATA, 1, PROT_READ | PROT_WRITE);
	*data_word(m, 0) = 0;
	for (size_t i = 0; i < 8; i++) {
		others[i] = machine_thread(m);
		ck_assert_int_eq(pthread_create(&threads[i], NULL, run_awaiting, &others[i]), 0);
	}
	usleep(20000);
	*data_word(m, 0) = 1;
	for (size_t i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	/* The threads are spare now, and serve again. */
	*data_word(m, 0) = 0;
	others[0] = machine_thread(m);
	ck_assert_int_eq(pthread_create(&threads[0], NULL, run_awaiting, &others[0]), 0);
	/* Not its code, which it runs just now. */
	machine_map_data(m, DATA + PAGE_SIZE, 1, PROT_READ);
	*data_word(m, 0) = 1;
	pthread_join(threads[0], NULL);
}
END_TEST

static void *spin_until_fault(void *argument)
{
	struct machine *m = argument;

	m->registers.rip = CODE;
	m->registers.rdi = DATA;
	run(m, EXIT_FAULT);
	ck_assert_uint_eq(m->exit.address, DATA);
	context_free(m->context);
	return NULL;
}

START_TEST(test_flush_while_another_runs)
{
	struct machine *m = &machine;

	load(m, spin);
	for (int round = 0; round < 50; round++) {
		struct machine other = machine_thread(m);
		pthread_t thread;
		uint64_t seen;

		*data_word(m, 0) = 0;
		machine_map_data(m, DATA, 1, PROT_READ | PROT_WRITE);
		ck_assert_int_eq(pthread_create(&thread, NULL, spin_until_fault, &other), 0);
		while (!*(volatile uint64_t *)data_word(m, 0))
			usleep(100);
		ck_assert_int_eq(address_space_unmap(m->as, DATA, PAGE_SIZE), 0);
		ck_assert_int_eq(address_space_flush(m->as), 0);
		/* From here on nobody can write there. */
		seen = *(volatile uint64_t *)data_word(m, 0);
		usleep(200);
		ck_assert_uint_eq(*(volatile uint64_t *)data_word(m, 0), seen);
		pthread_join(thread, NULL);
	}
}
END_TEST

START_TEST(test_processes)
{
	struct machine *m = &machine;
	struct machine child = machine_process(m);

	load_read(m, DATA);
	load_read(&child, DATA);
	*data_word(m, 0) = 10;
	*data_word(m, PAGE_SIZE / 8) = 20;
	machine_map_data(m, DATA, 1, PROT_READ);
	ck_assert_int_eq(address_space_map(child.as, DATA, m->memory_fd, DATA_OFFSET + PAGE_SIZE,
				 PAGE_SIZE, PROT_READ, 0),
		0);
	/* One host thread may run several contexts. */
	run(m, EXIT_SYSCALL);
	run(&child, EXIT_SYSCALL);
	ck_assert_uint_eq(m->registers.orig_rax, 10);
	ck_assert_uint_eq(child.registers.orig_rax, 20);

	/* One context in another address space, as at exec after vfork. */
	m->registers.rip = CODE;
	ck_assert_int_eq(context_switch(m->context, child.as, &m->registers, 0, &m->exit), 0);
	ck_assert_uint_eq(m->registers.orig_rax, 20);
	m->registers.rip = CODE;
	run(m, EXIT_SYSCALL);
	ck_assert_uint_eq(m->registers.orig_rax, 10);

	/* An address space may go before a context that was in it. */
	address_space_free(child.as);
	context_free(child.context);
}
END_TEST

START_TEST(test_reset)
{
	struct machine *m = &machine;

	load_read(m, DATA);
	machine_map_data(m, DATA, 1, PROT_READ);
	run(m, EXIT_SYSCALL);
	machine_map_data(m, DATA + PAGE_SIZE, 1, PROT_READ);
	ck_assert_int_eq(address_space_reset(m->as, m->context), 0);
	load_read(m, DATA);
	run(m, EXIT_FAULT);
	ck_assert_uint_eq(m->exit.address, DATA);
	load_read(m, DATA + PAGE_SIZE);
	run(m, EXIT_FAULT);
}
END_TEST

START_TEST(test_vector_state)
{
	struct machine *m = &machine;
	size_t size = m->platform->fpstate_size;
	unsigned char *image = malloc(size), *fresh = malloc(size);
	struct machine other = machine_process(m);

	ck_assert_uint_ge(size, 576);
	ck_assert_int_eq(context_get_fpstate(m->context, m->as, fresh, size), 0);
	memset(m->memory + DATA_OFFSET, 0xab, 32);
	load(m, load_ymm);
	machine_map_data(m, DATA, 1, PROT_READ | PROT_WRITE);
	m->registers.rdi = DATA;
	m->registers.rsi = DATA + 64;
	run(m, EXIT_SYSCALL);
	machine_map_data(m, DATA + PAGE_SIZE, 1, PROT_READ);
	ck_assert_int_eq(context_get_fpstate(m->context, m->as, image, size), 0);
	run(m, EXIT_SYSCALL);
	ck_assert_int_eq(memcmp(m->memory + DATA_OFFSET + 64, m->memory + DATA_OFFSET, 32), 0);

	/* A child gets its parent's. */
	load(&other, store_ymm);
	machine_map_data(&other, DATA, 1, PROT_READ | PROT_WRITE);
	other.registers.rsi = DATA + 128;
	ck_assert_int_eq(context_set_fpstate(other.context, other.as, image, size), 0);
	run(&other, EXIT_SYSCALL);
	ck_assert_int_eq(memcmp(m->memory + DATA_OFFSET + 128, m->memory + DATA_OFFSET, 32), 0);

	/* A place that is used again has nothing of it, and exec neither. */
	context_release(other.context);
	other.registers.rip = CODE;
	run(&other, EXIT_SYSCALL);
	for (size_t i = 128; i < 192; i++)
		ck_assert_uint_eq(m->memory[DATA_OFFSET + i], 0);
	ck_assert_int_eq(address_space_reset(m->as, m->context), 0);
	ck_assert_int_eq(context_get_fpstate(m->context, m->as, image, size), 0);
	ck_assert_int_eq(memcmp(image, fresh, size), 0);

	/* What the processor refuses changes nothing. */
	memset(image + 512, 0xff, 64);
	ck_assert_int_eq(context_set_fpstate(m->context, m->as, image, size), -EINVAL);
	ck_assert_int_eq(context_set_fpstate(m->context, m->as, image, size - 8), -EINVAL);
	ck_assert_int_eq(context_get_fpstate(m->context, m->as, image, size), 0);
	ck_assert_int_eq(memcmp(image, fresh, size), 0);
	context_free(other.context);
	address_space_free(other.as);
	free(image);
	free(fresh);
}
END_TEST

START_TEST(test_reuse)
{
	struct machine *m = &machine;
	size_t size = m->platform->fpstate_size;
	unsigned char *fresh = malloc(size), *image = malloc(size);

	ck_assert_int_eq(context_get_fpstate(m->context, m->as, fresh, size), 0);
	for (int i = 0; i < 1000; i++) {
		struct machine other = machine_process(m);

		ck_assert_int_eq(context_get_fpstate(other.context, other.as, image, size), 0);
		ck_assert_int_eq(memcmp(image, fresh, size), 0);
		/* Nothing is mapped but what this one mapped. */
		other.registers.rip = DATA;
		run(&other, EXIT_FAULT);
		ck_assert(!other.exit.present);
		load(&other, load_ymm);
		machine_map_data(&other, DATA, 1, PROT_READ | PROT_WRITE);
		other.registers.rdi = other.registers.rsi = DATA;
		other.registers.fs_base = DATA;
		run(&other, EXIT_SYSCALL);
		if (i % 2)
			context_free(other.context);
		address_space_free(other.as);
		if (i % 2 == 0)
			context_free(other.context);
	}
	free(fresh);
	free(image);
}
END_TEST

START_TEST(test_many_at_once)
{
	struct machine *m = &machine;
	struct machine others[60];

	for (size_t i = 0; i < 60; i++) {
		others[i] = machine_process(m);
		load(&others[i], getpid);
		run(&others[i], EXIT_SYSCALL);
	}
	for (size_t i = 0; i < 60; i++) {
		run(&others[i], EXIT_SYSCALL);
		context_free(others[i].context);
		address_space_free(others[i].as);
	}
}
END_TEST

static void map_code(struct machine *m)
{
	ck_assert_int_eq(address_space_map(
				 m->as, CODE, m->memory_fd, 0, PAGE_SIZE, PROT_READ | PROT_EXEC, 0),
		0);
}

static void *fork_storm(void *argument)
{
	struct machine *m = argument;

	for (int i = 0; i < 100; i++) {
		struct machine other = machine_process(m);

		map_code(&other);
		run(&other, EXIT_SYSCALL);
		context_block_begin(other.context);
		sched_yield();
		context_block_end(other.context);
		run(&other, EXIT_SYSCALL);
		context_wake_near(m->context);
		context_free(other.context);
		address_space_free(other.as);
	}
	return NULL;
}

START_TEST(test_storm)
{
	pthread_t threads[6];

	load(&machine, getpid);
	for (size_t i = 0; i < 6; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, fork_storm, &machine), 0);
	for (size_t i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
}
END_TEST

static void *run_a_bit(void *argument)
{
	struct machine *m = argument;

	for (int i = 0; i < 20; i++)
		run(m, EXIT_SYSCALL);
	context_free(m->context);
	return NULL;
}

static unsigned int count_tasks(pid_t pid)
{
	char path[64];
	unsigned int count = 0;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	directory = opendir(path);
	ck_assert_ptr_nonnull(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count - 2;
}

static pid_t a_stub(void);

START_TEST(test_many_threads)
{
	struct machine *m = &machine, others[40];
	pthread_t threads[40];
	pid_t stub = a_stub();

	load(m, getpid);
	/* The second round is in the process of the first, which gave its surplus up. */
	for (int round = 0; round < 2; round++) {
		run(m, EXIT_SYSCALL);
		for (size_t i = 0; i < 40; i++) {
			others[i] = machine_thread(m);
			ck_assert_int_eq(
				pthread_create(&threads[i], NULL, run_a_bit, &others[i]), 0);
		}
		for (size_t i = 0; i < 40; i++)
			pthread_join(threads[i], NULL);
		context_release(m->context);
		address_space_free(m->as);
		for (int i = 0; i < 5000 && count_tasks(stub) > 9; i++)
			usleep(10000);
		ck_assert_uint_le(count_tasks(stub), 9);
		ck_assert_int_eq(address_space_new(m->platform, &m->as), 0);
		map_code(m);
	}
}
END_TEST

static pid_t a_stub(void)
{
	char path[64], line[256];
	FILE *file;
	int child = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), file));
	fclose(file);
	/* The second one: the first is the template. */
	ck_assert_int_eq(sscanf(line, "%*d %d", &child), 1);
	return child;
}

/* Nothing survives the death of a stub: the exit status is panic()'s, or the stub's exit signal
 * comes first. */
static void expect_end(pid_t child)
{
	int status;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert((WIFEXITED(status) && WEXITSTATUS(status) == 125) ||
		  (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
}

START_TEST(test_killed_while_it_runs)
{
	pid_t child = fork();

	if (!child) {
		struct machine *m = &machine;

		machine_set_up();
		load(m, getpid);
		run(m, EXIT_SYSCALL);
		kill(a_stub(), SIGKILL);
		for (;;)
			run(m, EXIT_SYSCALL);
	}
	expect_end(child);
}
END_TEST

START_TEST(test_killed_while_nobody_looks)
{
	pid_t child = fork();

	if (!child) {
		machine_set_up();
		kill(a_stub(), SIGKILL);
		platform_ptrace_watch(machine.platform);
	}
	expect_end(child);
}
END_TEST

/*
 * The first process of a pid namespace does not die of its stubs' exit signal, so it must notice by
 * itself: it ends with panic()'s status, whether the stub was at work or not.
 */
static void end_in_a_namespace(bool running)
{
	struct machine *m = &machine;
	int status, r = unshare(CLONE_NEWUSER | CLONE_NEWPID);
	pid_t child;

	/* Where users may have no namespaces of their own. */
	if (r)
		_exit(125);
	child = fork();
	if (!child) {
		ck_assert_int_eq(getpid(), 1);
		machine_set_up();
		load(m, getpid);
		if (running) {
			run(m, EXIT_SYSCALL);
			/* Its process id here: the template is 2. */
			kill(3, SIGKILL);
			for (;;)
				run(m, EXIT_SYSCALL);
		}
		kill(3, SIGKILL);
		platform_ptrace_watch(m->platform);
	}
	r = waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
	_exit(r);
}

START_TEST(test_killed_below_an_init)
{
	for (int running = 0; running < 2; running++) {
		pid_t child = fork();
		int status;

		if (!child)
			end_in_a_namespace(running);
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert(WIFEXITED(status));
		ck_assert_int_eq(WEXITSTATUS(status), 125);
	}
}
END_TEST

/* Gone, or waiting for whoever adopted it. */
static bool is_dead(pid_t pid)
{
	char path[64], state = 'Z';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return true;
	(void)!fscanf(file, "%*d (%*[^)]) %c", &state);
	fclose(file);
	return state == 'Z' || state == 'X';
}

/* Everything dies with the main thread's process, whatever kills it. */
START_TEST(test_killed_sentry)
{
	int report[2];
	pid_t child, stub;

	ck_assert_int_eq(pipe(report), 0);
	child = fork();
	if (!child) {
		struct machine *m = &machine;

		machine_set_up();
		load(m, spin);
		machine_map_data(m, DATA, 1, PROT_READ | PROT_WRITE);
		m->registers.rdi = DATA;
		stub = a_stub();
		if (write(report[1], &stub, sizeof(stub)) != sizeof(stub))
			_exit(1);
		run(m, EXIT_SYSCALL);
	}
	ck_assert_int_eq(read(report[0], &stub, sizeof(stub)), sizeof(stub));
	usleep(20000);
	kill(child, SIGKILL);
	expect_end(child);
	for (int i = 0; i < 5000 && !is_dead(stub); i++)
		usleep(10000);
	ck_assert(is_dead(stub));
}
END_TEST

START_TEST(test_outside_signals)
{
	static const int signals[] = {
		SIGSTOP, SIGCONT, SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1, SIGTSTP, SIGCONT};
	/* To the thread that runs; an idle one would die of these. */
	static const int exceptions[] = {SIGSEGV, SIGTRAP, SIGSYS, SIGBUS, SIGILL, SIGFPE};
	struct machine *m = &machine;
	pid_t stub;

	load(m, getpid);
	run(m, EXIT_SYSCALL);
	stub = a_stub();
	for (size_t i = 0; i < 200; i++) {
		ck_assert_int_eq(kill(stub, signals[i % array_count(signals)]), 0);
		run(m, EXIT_SYSCALL);
		ck_assert_int_eq(tgkill(stub, stub, exceptions[i % array_count(exceptions)]), 0);
		run(m, EXIT_SYSCALL);
		if (i % 3 == 0)
			machine_map_data(m, DATA, 1 + i % 5, PROT_READ);
	}
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("platform/ptrace");
	TCase *tcase = tcase_create("sharing");
	TCase *ends = tcase_create("the end");

	tcase_add_checked_fixture(tcase, machine_set_up, machine_tear_down);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, test_batches);
	tcase_add_test(tcase, test_order_of_a_queue);
	tcase_add_test(tcase, test_populate);
	tcase_add_test(tcase, test_private_file);
	tcase_add_test(tcase, test_refused_file);
	tcase_add_test(tcase, test_too_many_mappings);
	tcase_add_test(tcase, test_interrupt_before);
	tcase_add_test(tcase, test_interrupt_while_running);
	tcase_add_test(tcase, test_threads_share);
	tcase_add_test(tcase, test_flush_while_another_runs);
	tcase_add_test(tcase, test_processes);
	tcase_add_test(tcase, test_reset);
	tcase_add_test(tcase, test_vector_state);
	tcase_add_test(tcase, test_reuse);
	tcase_add_test(tcase, test_many_at_once);
	tcase_add_test(tcase, test_storm);
	tcase_add_test(tcase, test_many_threads);
	tcase_add_test(tcase, test_outside_signals);
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(ends, 60);
	tcase_add_test(ends, test_killed_while_it_runs);
	tcase_add_test(ends, test_killed_while_nobody_looks);
	tcase_add_test(ends, test_killed_below_an_init);
	tcase_add_test(ends, test_killed_sentry);
	suite_add_tcase(suite, ends);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(make_suite());
	int failed;

	srunner_set_fork_status(runner, CK_FORK);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
