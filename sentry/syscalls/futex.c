/* SPDX-License-Identifier: Apache-2.0 */
/* futex(2), futex_waitv(2) and its kin, robust lists. */
#include "sentry/kernel/futex.h"

#include "abi/time.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/time/clock.h"
#include "sentry/time/sleep.h"
#include "sentry/time/time_namespace.h"

#include <errno.h>

struct futex_call {
	struct futex_word first, second;
	uint32_t value, value3;
	int command;
	bool realtime;
	int64_t deadline_ns;
};

static bool takes_timeout(int command)
{
	return command == LINUX_FUTEX_WAIT || command == LINUX_FUTEX_WAIT_BITSET ||
	       command == LINUX_FUTEX_LOCK_PI || command == LINUX_FUTEX_LOCK_PI2 ||
	       command == LINUX_FUTEX_WAIT_REQUEUE_PI;
}

/* FUTEX_WAIT alone has a relative timeout; FUTEX_LOCK_PI is always on the wall clock. */
static int timeout_read(struct task *task, gaddr_t address, struct futex_call *call)
{
	struct linux_timespec time;
	int64_t ns;

	call->deadline_ns = INT64_MAX;
	if (!address || !takes_timeout(call->command))
		return 0;
	if (mm_copy_in(task->mm, &time, address, sizeof(time)))
		return -EFAULT;
	if (!timespec_to_ns(&time, &ns))
		return -EINVAL;
	if (call->command == LINUX_FUTEX_WAIT)
		call->deadline_ns = time_add_ns(clock_monotonic(), ns);
	else if (call->realtime || call->command == LINUX_FUTEX_LOCK_PI)
		call->deadline_ns = clock_to_monotonic(LINUX_CLOCK_REALTIME, ns);
	else
		call->deadline_ns = time_namespace_to_kernel(task, LINUX_CLOCK_MONOTONIC, ns);
	/* The greatest deadline means none; a guest that asks for it exactly waits a nanosecond
	 * less. */
	if (call->deadline_ns == INT64_MAX)
		call->deadline_ns--;
	return 0;
}

static int64_t requeue(struct task *task, const struct futex_call *call, uint32_t second_count,
	bool compare, bool pi)
{
	const struct futex_requeue request = {
		.from = call->first,
		.to = call->second,
		.wake_count = call->value,
		.requeue_count = second_count,
		.compare = compare,
		.expected = call->value3,
		.pi = pi,
	};

	return futex_requeue(task, &request);
}

static int64_t dispatch(struct task *task, const struct futex_call *call, uint32_t second_count)
{
	switch (call->command) {
	case LINUX_FUTEX_WAIT:
		return futex_wait(task, call->first, call->value, LINUX_FUTEX_BITSET_MATCH_ANY,
			call->deadline_ns);
	case LINUX_FUTEX_WAIT_BITSET:
		return futex_wait(task, call->first, call->value, call->value3, call->deadline_ns);
	case LINUX_FUTEX_WAKE:
		return futex_wake(task, call->first, call->value, LINUX_FUTEX_BITSET_MATCH_ANY);
	case LINUX_FUTEX_WAKE_BITSET:
		return futex_wake(task, call->first, call->value, call->value3);
	case LINUX_FUTEX_REQUEUE:
		return requeue(task, call, second_count, false, false);
	case LINUX_FUTEX_CMP_REQUEUE:
		return requeue(task, call, second_count, true, false);
	case LINUX_FUTEX_CMP_REQUEUE_PI:
		return requeue(task, call, second_count, true, true);
	case LINUX_FUTEX_WAKE_OP:
		return futex_wake_op(
			task, call->first, call->second, call->value, second_count, call->value3);
	case LINUX_FUTEX_LOCK_PI:
	case LINUX_FUTEX_LOCK_PI2:
		return futex_lock_pi(task, call->first, call->deadline_ns, false);
	case LINUX_FUTEX_TRYLOCK_PI:
		return futex_lock_pi(task, call->first, INT64_MAX, true);
	case LINUX_FUTEX_UNLOCK_PI:
		return futex_unlock_pi(task, call->first);
	case LINUX_FUTEX_WAIT_REQUEUE_PI:
		return futex_wait_requeue_pi(task, call->first, call->value,
			LINUX_FUTEX_BITSET_MATCH_ANY, call->deadline_ns, call->second);
	default:
		return -ENOSYS;
	}
}

int64_t sys_futex(struct task *task, const uint64_t args[6])
{
	int operation = (int)args[1];
	bool shared = !(operation & LINUX_FUTEX_PRIVATE_FLAG);
	struct futex_call call = {
		.first = {args[0], shared},
		.second = {args[4], shared},
		.value = (uint32_t)args[2],
		.value3 = (uint32_t)args[5],
		.command = operation & LINUX_FUTEX_CMD_MASK,
		.realtime = operation & LINUX_FUTEX_CLOCK_REALTIME,
	};
	int error = timeout_read(task, args[3], &call);

	if (error)
		return error;
	if (call.realtime && call.command != LINUX_FUTEX_WAIT_BITSET &&
		call.command != LINUX_FUTEX_WAIT_REQUEUE_PI && call.command != LINUX_FUTEX_LOCK_PI2)
		return -ENOSYS;
	return dispatch(task, &call, (uint32_t)args[3]);
}

/* --- futex2 --- */

static int word_flags_check(uint32_t flags)
{
	if (flags & ~(uint32_t)(LINUX_FUTEX2_SIZE_MASK | LINUX_FUTEX2_PRIVATE))
		return -EINVAL;
	return (flags & LINUX_FUTEX2_SIZE_MASK) == LINUX_FUTEX2_SIZE_U32 ? 0 : -EINVAL;
}

static int deadline_read(struct task *task, gaddr_t address, int clock, int64_t *deadline_ns)
{
	struct linux_timespec time;
	int64_t ns;

	*deadline_ns = INT64_MAX;
	if (!address)
		return 0;
	if (clock != LINUX_CLOCK_MONOTONIC && clock != LINUX_CLOCK_REALTIME)
		return -EINVAL;
	if (mm_copy_in(task->mm, &time, address, sizeof(time)))
		return -EFAULT;
	if (!timespec_to_ns(&time, &ns))
		return -EINVAL;
	*deadline_ns = clock_to_monotonic(clock, time_namespace_to_kernel(task, clock, ns));
	return 0;
}

static int words_read(
	struct task *task, gaddr_t address, unsigned int count, struct linux_futex_waitv *words)
{
	if (mm_copy_in(task->mm, words, address, count * sizeof(*words)))
		return -EFAULT;
	for (unsigned int i = 0; i < count; i++) {
		if (word_flags_check(words[i].flags) || words[i].reserved ||
			words[i].val > UINT32_MAX)
			return -EINVAL;
	}
	return 0;
}

int64_t sys_futex_waitv(struct task *task, const uint64_t args[6])
{
	struct linux_futex_waitv words[LINUX_FUTEX_WAITV_MAX];
	unsigned int count = (unsigned int)args[1];
	int64_t deadline;
	int error;

	if ((uint32_t)args[2] || !count || count > LINUX_FUTEX_WAITV_MAX || !args[0])
		return -EINVAL;
	error = deadline_read(task, args[3], (int)args[4], &deadline);
	if (!error)
		error = words_read(task, args[0], count, words);
	return error ? error : futex_wait_multiple(task, words, count, deadline);
}

int64_t sys_futex_wake(struct task *task, const uint64_t args[6])
{
	uint32_t flags = (uint32_t)args[3];
	struct futex_word word = {args[0], !(flags & LINUX_FUTEX2_PRIVATE)};

	if (word_flags_check(flags) || args[1] > UINT32_MAX)
		return -EINVAL;
	if ((int)args[2] <= 0)
		return 0;
	return futex_wake(task, word, (uint32_t)args[2], (uint32_t)args[1]);
}

int64_t sys_futex_wait(struct task *task, const uint64_t args[6])
{
	uint32_t flags = (uint32_t)args[3];
	struct futex_word word = {args[0], !(flags & LINUX_FUTEX2_PRIVATE)};
	int64_t deadline;
	int error;

	if (word_flags_check(flags) || args[1] > UINT32_MAX || args[2] > UINT32_MAX)
		return -EINVAL;
	error = deadline_read(task, args[4], (int)args[5], &deadline);
	return error ? error
		     : futex_wait(task, word, (uint32_t)args[1], (uint32_t)args[2], deadline);
}

int64_t sys_futex_requeue(struct task *task, const uint64_t args[6])
{
	struct linux_futex_waitv words[2];
	struct futex_requeue request = {.compare = true};
	int error;

	if ((uint32_t)args[1] || !args[0])
		return -EINVAL;
	error = words_read(task, args[0], 2, words);
	if (error)
		return error;
	request.from =
		(struct futex_word){words[0].uaddr, !(words[0].flags & LINUX_FUTEX2_PRIVATE)};
	request.to = (struct futex_word){words[1].uaddr, !(words[1].flags & LINUX_FUTEX2_PRIVATE)};
	request.expected = (uint32_t)words[0].val;
	request.wake_count = (uint32_t)args[2];
	request.requeue_count = (uint32_t)args[3];
	return futex_requeue(task, &request);
}

/* --- robust lists --- */

int64_t sys_set_robust_list(struct task *task, const uint64_t args[6])
{
	if (args[1] != sizeof(struct linux_robust_list_head))
		return -EINVAL;
	task->robust_list = args[0];
	return 0;
}

int64_t sys_get_robust_list(struct task *task, const uint64_t args[6])
{
	const uint64_t size = sizeof(struct linux_robust_list_head);
	int tid = (int)args[0];
	struct task *target = tid ? task_find(task, tid) : task_get(task);
	uint64_t head;
	int error;

	if (!target)
		return -ESRCH;
	error = ptrace_may_access(task, target, PTRACE_ACCESS_READ | PTRACE_ACCESS_REALCREDS);
	head = __atomic_load_n(&target->robust_list, __ATOMIC_RELAXED);
	task_put(target);
	if (error)
		return error;
	if (mm_copy_out(task->mm, args[2], &size, sizeof(size)) ||
		mm_copy_out(task->mm, args[1], &head, sizeof(head)))
		return -EFAULT;
	return 0;
}
