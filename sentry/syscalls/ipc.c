/* SPDX-License-Identifier: Apache-2.0 */
/* System V IPC: semaphores, messages, shared memory (sysvipc(7)). */
#include "abi/ipc.h"

#include "abi/time.h"
#include "sentry/kernel/ipc_namespace.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/time/clock.h"
#include "sentry/time/sleep.h"

#include <errno.h>

int64_t sys_semget(struct task *task, const uint64_t args[6])
{
	return ipc_semget(task, (int)args[0], (int)args[1], (int)args[2]);
}

static int64_t do_semop(struct task *task, const uint64_t args[6], int64_t deadline)
{
	struct linux_sembuf operations[LINUX_SEMOPM];
	uint32_t count = (uint32_t)args[2];

	if ((int)args[0] < 0 || count < 1)
		return -EINVAL;
	if (count > LINUX_SEMOPM || count > ipc_limit(ipc_namespace_of(task), IPC_SEMOPM))
		return -E2BIG;
	if (mm_copy_in(task->mm, operations, args[1], count * sizeof(operations[0])))
		return -EFAULT;
	return ipc_semop(task, (int)args[0], operations, count, deadline);
}

int64_t sys_semop(struct task *task, const uint64_t args[6])
{
	return do_semop(task, args, INT64_MAX);
}

int64_t sys_semtimedop(struct task *task, const uint64_t args[6])
{
	struct linux_timespec time;
	int64_t ns, deadline = INT64_MAX;

	if (args[3]) {
		if (mm_copy_in(task->mm, &time, args[3], sizeof(time)))
			return -EFAULT;
		if (!timespec_to_ns(&time, &ns))
			return -EINVAL;
		deadline = time_add_ns(clock_monotonic(), ns);
	}
	return do_semop(task, args, deadline);
}

int64_t sys_semctl(struct task *task, const uint64_t args[6])
{
	return ipc_semctl(task, (int)args[0], (int)args[1], (int)args[2], args[3]);
}

int64_t sys_msgget(struct task *task, const uint64_t args[6])
{
	return ipc_msgget(task, (int)args[0], (int)args[1]);
}

int64_t sys_msgsnd(struct task *task, const uint64_t args[6])
{
	return ipc_msgsnd(task, (int)args[0], args[1], args[2], (int)args[3]);
}

int64_t sys_msgrcv(struct task *task, const uint64_t args[6])
{
	return ipc_msgrcv(task, (int)args[0], args[1], args[2], (int64_t)args[3], (int)args[4]);
}

int64_t sys_msgctl(struct task *task, const uint64_t args[6])
{
	return ipc_msgctl(task, (int)args[0], (int)args[1], args[2]);
}

int64_t sys_shmget(struct task *task, const uint64_t args[6])
{
	return ipc_shmget(task, (int)args[0], args[1], (int)args[2]);
}

int64_t sys_shmat(struct task *task, const uint64_t args[6])
{
	return ipc_shmat(task, (int)args[0], args[1], (int)args[2]);
}

int64_t sys_shmdt(struct task *task, const uint64_t args[6])
{
	return ipc_shmdt(task, args[0]);
}

int64_t sys_shmctl(struct task *task, const uint64_t args[6])
{
	return ipc_shmctl(task, (int)args[0], (int)args[1], args[2]);
}
