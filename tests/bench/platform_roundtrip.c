/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the ptrace platform costs over ptrace(2) itself: the round trip of a system call by a
 * minimal tracer of this program's own next to context_switch(), and what batches of mappings cost.
 */
#include "base/log.h"
#include "platform/platform.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS	    2000
#define REPETITIONS 25
#define CODE	    0x400000ul
#define DATA	    0x10000000ul
#define AREA	    (16 * PAGE_SIZE)

/* 1: mov $39, %eax; syscall; jmp 1b */
static const unsigned char getpid_loop[] = {0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7};

static int g_memory;
static struct platform *g_platform;
static struct address_space *g_as;
static struct context *g_context;
static struct linux_user_regs g_registers = {
	.rip = CODE, .cs = 0x33, .ss = 0x2b, .eflags = 0x202, .rsp = CODE};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static void check(bool fine, const char *what)
{
	if (!fine) {
		perror(what);
		exit(1);
	}
}

static pid_t start_tracee(void)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		for (;;)
			syscall(SYS_getpid);
	}
	check(waitpid(pid, &status, 0) == pid, "waitpid");
	check(!ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL),
		"PTRACE_SETOPTIONS");
	return pid;
}

static pid_t g_tracee;

static void bare_stop(void)
{
	int status;

	ptrace(PTRACE_SYSEMU, g_tracee, NULL, NULL);
	syscall(SYS_wait4, g_tracee, &status, __WALL, NULL);
}

/* What a tracer must do at the very least to give a result. */
static void bare_served(void)
{
	struct user_regs_struct registers;

	bare_stop();
	ptrace(PTRACE_GETREGS, g_tracee, NULL, &registers);
	registers.rax = 1;
	registers.orig_rax = UINT64_MAX;
	ptrace(PTRACE_SETREGS, g_tracee, NULL, &registers);
}

static void switch_once(void)
{
	struct context_exit out;

	check(!context_switch(g_context, g_as, &g_registers, 0, &out), "context_switch");
	check(out.reason == EXIT_SYSCALL, "not a system call");
	g_registers.rax = 1;
}

static void map_and_unmap(void)
{
	check(!address_space_map(g_as, DATA, g_memory, 0, AREA, PROT_READ | PROT_WRITE, 0), "map");
	switch_once();
	check(!address_space_unmap(g_as, DATA, AREA), "unmap");
	switch_once();
}

static void flush_map_and_unmap(void)
{
	check(!address_space_map(g_as, DATA, g_memory, 0, AREA, PROT_READ | PROT_WRITE, 0), "map");
	check(!address_space_flush(g_as), "flush");
	check(!address_space_unmap(g_as, DATA, AREA), "unmap");
	check(!address_space_flush(g_as), "flush");
}

static void map_many(void)
{
	for (uint64_t i = 0; i < 1000; i++)
		check(!address_space_map(
			      g_as, DATA + 2 * i * PAGE_SIZE, g_memory, 0, PAGE_SIZE, PROT_READ, 0),
			"map");
	switch_once();
	check(!address_space_unmap(g_as, DATA, 2000 * PAGE_SIZE), "unmap");
	switch_once();
}

static void new_and_free(void)
{
	struct linux_user_regs registers = g_registers;
	struct address_space *as;
	struct context *context;
	struct context_exit out;

	registers.rip = CODE;
	check(!address_space_new(g_platform, &as), "address_space_new");
	check(!context_new(g_platform, &context), "context_new");
	check(!address_space_map(as, CODE, g_memory, 0, PAGE_SIZE, PROT_READ | PROT_EXEC, 0),
		"map");
	check(!context_switch(context, as, &registers, 0, &out), "context_switch");
	context_free(context);
	address_space_free(as);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct row {
	const char *name;
	void (*once)(void);
	int rounds;
	int per_round;
	bool bare;
	double results[REPETITIONS];
};

/*
 * The bare tracee belongs where the platform has put this thread, which must stay there meanwhile:
 * for the platform, its context sleeps.
 */
static void begin(void)
{
	cpu_set_t one;

	context_block_begin(g_context);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	check(!sched_setaffinity(g_tracee, sizeof(one), &one), "sched_setaffinity");
}

static double measure_once(const struct row *row)
{
	double start, time;

	if (row->bare)
		begin();
	start = now();
	for (int i = 0; i < row->rounds; i++)
		row->once();
	time = now() - start;
	if (row->bare)
		context_block_end(g_context);
	return time / row->rounds / row->per_round;
}

/* Interleaved, so that whatever else the machine does hits all rows alike. */
static void measure(struct row *rows, size_t count)
{
	for (int i = 0; i < REPETITIONS; i++)
		for (size_t j = 0; j < count; j++)
			rows[j].results[i] = measure_once(&rows[j]);
	for (size_t j = 0; j < count; j++)
		qsort(rows[j].results, REPETITIONS, sizeof(double), compare);
}

static double median(const struct row *row)
{
	return row->results[REPETITIONS / 2];
}

static void set_up(void)
{
	char *page;

	check(!platform_ptrace_new(&g_platform), "platform_ptrace_new");
	g_memory = memfd_create("memory", MFD_CLOEXEC);
	check(g_memory >= 0 && !ftruncate(g_memory, AREA), "memory");
	page = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, g_memory, 0);
	check(page != MAP_FAILED, "mmap");
	memcpy(page, getpid_loop, sizeof(getpid_loop));
	check(!address_space_new(g_platform, &g_as), "address_space_new");
	check(!context_new(g_platform, &g_context), "context_new");
	check(!address_space_map(g_as, CODE, g_memory, 0, PAGE_SIZE, PROT_READ | PROT_EXEC, 0),
		"map");
}

int main(void)
{
	struct row rows[] = {
		{"bare PTRACE_SYSEMU and wait4", bare_stop, ROUNDS, 1, true, {0}},
		{"the same with PTRACE_GETREGS and SETREGS", bare_served, ROUNDS, 1, true, {0}},
		{"context_switch, getpid in a loop", switch_once, ROUNDS, 1, false, {0}},
		{"map, switch, unmap, switch", map_and_unmap, ROUNDS / 20, 1, false, {0}},
		{"map, flush, unmap, flush", flush_map_and_unmap, ROUNDS / 20, 1, false, {0}},
		{"one mapping of a batch of 1000, and its removal", map_many, 2, 1000, false, {0}},
		{"new address space and context, one call, free", new_and_free, 20, 1, false, {0}},
	};
	double bare, served, whole;

	set_up();
	switch_once();
	g_tracee = start_tracee();

	measure(rows, sizeof(rows) / sizeof(rows[0]));
	printf("%-52s %9s %9s\n", "us", "median", "least");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		printf("%-52s %9.2f %9.2f\n", rows[i].name, median(&rows[i]), rows[i].results[0]);
	bare = median(&rows[0]);
	served = median(&rows[1]);
	whole = median(&rows[2]);
	printf("%-52s %9.2f and %.2f\n", "context_switch, ratios to the first two", whole / bare,
		whole / served);
	kill(g_tracee, SIGKILL);
	/* The stubs are clones that share nothing with stdio, and die with this thread. */
	fflush(stdout);
	_exit(0);
}
