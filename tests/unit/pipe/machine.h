/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of pipes, epoll and sockets share: tasks that run no guest code, with memory,
 * descriptors and a root directory in memory, whose system calls are made by calling the handlers.
 */
#pragma once

#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>

/* Guest memory of every task: this many bytes from here on. */
#define ARENA	   0x10000000ul
#define ARENA_SIZE (4ul << 20)

void machine_setup(void);
/* Checks that nothing is left of files, sockets and pages. */
void machine_teardown(void);

/* A process that shares memory and descriptors with the first one; it becomes the calling thread's.
 */
struct task *machine_enter_new(void);
void machine_leave(struct task *task);

/* One system call of the current task. */
int64_t machine_call(syscall_handler *handler, const uint64_t args[6]);
#define call(name, ...) machine_call(sys_##name, (const uint64_t[6]){__VA_ARGS__})
#define U(value)	((uint64_t)(value))

/* Guest memory. */
void guest_put(gaddr_t address, const void *bytes, size_t size);
void guest_get(gaddr_t address, void *bytes, size_t size);
int32_t guest_int(gaddr_t address);

/* Runs a function on a thread of its own, as another process; machine_join() gives what it
 * returned. */
struct machine_thread {
	pthread_t thread;
	int64_t (*function)(void *argument);
	void *argument;
	int64_t result;
	struct task *_Atomic task;
};
void machine_start(
	struct machine_thread *thread, int64_t (*function)(void *argument), void *argument);
int64_t machine_join(struct machine_thread *thread);
/* Until the thread sleeps in task_block(). */
void machine_wait_asleep(struct machine_thread *thread);
/* As a signal would: the call that sleeps ends. */
void machine_interrupt(struct machine_thread *thread);
