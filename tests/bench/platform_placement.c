/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How well the ptrace platform places guest threads on CPUs: two that hand over to each other
 * belong on one, two that are busy on two.
 */
#include "platform/platform.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CODE	   0x400000ul
#define DATA	   0x10000000ul
#define SPIN	   64
#define HAND_OVERS 20000
#define BUSY_TIME  500000

/* 1: mov $39, %eax; syscall; jmp 1b */
static const unsigned char getpid_loop[] = {0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7};
/* 1: incq (%rdi); jmp 1b */
static const unsigned char spin_loop[] = {0x48, 0xff, 0x07, 0xeb, 0xfb};

static int g_memory;
static unsigned char *g_page;
static struct platform *g_platform;

struct guest {
	struct address_space *as;
	struct context *context;
	struct guest *partner;
	atomic_uint turn;
	_Atomic uint64_t calls;
	uint64_t entry;
	uint64_t data;
	pthread_t thread;
};

static atomic_bool g_stop;

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

static void guest_new(struct guest *guest, uint64_t entry, unsigned int index)
{
	memset(guest, 0, sizeof(*guest));
	guest->entry = entry;
	guest->data = DATA + 8 * index;
	check(!address_space_new(g_platform, &guest->as), "address_space_new");
	check(!context_new(g_platform, &guest->context), "context_new");
	check(!address_space_map(guest->as, CODE, g_memory, 0, PAGE_SIZE, PROT_READ | PROT_EXEC, 0),
		"map");
	check(!address_space_map(
		      guest->as, DATA, g_memory, PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_WRITE, 0),
		"map");
}

static struct linux_user_regs start_registers(const struct guest *guest)
{
	return (struct linux_user_regs){
		.rip = guest->entry, .rdi = guest->data, .cs = 0x33, .ss = 0x2b, .eflags = 0x202};
}

static void futex(atomic_uint *word, int operation, unsigned int value)
{
	syscall(SYS_futex, word, operation, value, NULL, NULL, 0);
}

static void *hand_over(void *argument)
{
	struct guest *guest = argument;
	struct linux_user_regs registers = start_registers(guest);
	struct context_exit out;

	for (int i = 0; i < HAND_OVERS; i++) {
		while (!atomic_load(&guest->turn)) {
			context_block_begin(guest->context);
			futex(&guest->turn, FUTEX_WAIT_PRIVATE, 0);
			context_block_end(guest->context);
		}
		atomic_store(&guest->turn, 0);
		check(!context_switch(guest->context, guest->as, &registers, 0, &out), "switch");
		registers.rax = 0;
		atomic_store(&guest->partner->turn, 1);
		context_wake_near(guest->partner->context);
		futex(&guest->partner->turn, FUTEX_WAKE_PRIVATE, 1);
	}
	/* Its partner may still want to wake it, so no more than this. */
	context_release(guest->context);
	return NULL;
}

static void *be_busy(void *argument)
{
	struct guest *guest = argument;
	struct linux_user_regs registers = start_registers(guest);
	struct context_exit out;

	while (!atomic_load(&g_stop)) {
		check(!context_switch(guest->context, guest->as, &registers, 0, &out), "switch");
		if (out.reason == EXIT_SYSCALL)
			atomic_fetch_add_explicit(&guest->calls, 1, memory_order_relaxed);
		registers.rax = 0;
	}
	context_free(guest->context);
	return NULL;
}

static void measure_hand_overs(void)
{
	struct guest guests[2];
	double start;

	guest_new(&guests[0], CODE, 0);
	guest_new(&guests[1], CODE, 1);
	guests[0].partner = &guests[1];
	guests[1].partner = &guests[0];
	atomic_store(&guests[0].turn, 1);
	start = now();
	pthread_create(&guests[0].thread, NULL, hand_over, &guests[0]);
	pthread_create(&guests[1].thread, NULL, hand_over, &guests[1]);
	pthread_join(guests[0].thread, NULL);
	pthread_join(guests[1].thread, NULL);
	printf("%-52s %9.2f us\n", "system call and hand-over to another guest",
		(now() - start) / 2 / HAND_OVERS);
}

static uint64_t work_of(unsigned int index, const struct guest *guest)
{
	const volatile uint64_t *word = (const void *)(g_page + PAGE_SIZE + 8 * index);

	return guest->entry == CODE ? atomic_load(&guest->calls) : *word;
}

static double measure_busy(uint64_t entry, unsigned int count)
{
	struct guest guests[8];
	uint64_t before[8];
	double total = 0, start;

	memset(g_page + PAGE_SIZE, 0, PAGE_SIZE);
	atomic_store(&g_stop, false);
	for (unsigned int i = 0; i < count; i++) {
		guest_new(&guests[i], entry, i);
		pthread_create(&guests[i].thread, NULL, be_busy, &guests[i]);
	}
	/* Placing them takes a while. */
	usleep(50000);
	for (unsigned int i = 0; i < count; i++)
		before[i] = work_of(i, &guests[i]);
	start = now();
	usleep(BUSY_TIME);
	for (unsigned int i = 0; i < count; i++)
		total += (double)(work_of(i, &guests[i]) - before[i]);
	total /= now() - start;
	atomic_store(&g_stop, true);
	for (unsigned int i = 0; i < count; i++)
		context_interrupt(guests[i].context);
	for (unsigned int i = 0; i < count; i++)
		pthread_join(guests[i].thread, NULL);
	return total;
}

int main(void)
{
	double one, two;

	check(!platform_ptrace_new(&g_platform), "platform_ptrace_new");
	g_memory = memfd_create("memory", MFD_CLOEXEC);
	check(g_memory >= 0 && !ftruncate(g_memory, 2 * PAGE_SIZE), "memory");
	g_page = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, g_memory, 0);
	check(g_page != MAP_FAILED, "mmap");
	memcpy(g_page, getpid_loop, sizeof(getpid_loop));
	memcpy(g_page + SPIN, spin_loop, sizeof(spin_loop));

	measure_hand_overs();
	one = measure_busy(CODE + SPIN, 1);
	two = measure_busy(CODE + SPIN, 2);
	printf("%-52s %9.2f times one\n", "two guests that compute", two / one);
	one = measure_busy(CODE, 1);
	two = measure_busy(CODE, 2);
	printf("%-52s %9.2f times one\n", "two guests that call the system", two / one);
	printf("%-52s %9.2f times one\n", "eight of them", measure_busy(CODE, 8) / one);
	fflush(stdout);
	_exit(0);
}
