/* SPDX-License-Identifier: Apache-2.0 */
/* Resource limits and usage: getrlimit(2), prlimit(2), getrusage(2). */
#include "sentry/kernel/rlimit.h"

#include "abi/capability.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/wait.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/time/sleep.h"

#include <errno.h>

int64_t sys_getrlimit(struct task *task, const uint64_t args[6])
{
	struct linux_rlimit64 old;
	int error = rlimit_exchange(task->group, (unsigned int)args[0], NULL, &old);

	return error ? error : mm_copy_out(task->mm, args[1], &old, sizeof(old));
}

int64_t sys_setrlimit(struct task *task, const uint64_t args[6])
{
	struct linux_rlimit64 limit, old;

	if (mm_copy_in(task->mm, &limit, args[1], sizeof(limit)))
		return -EFAULT;
	return rlimit_exchange(task->group, (unsigned int)args[0], &limit, &old);
}

/* Whose limits may the caller see and set? */
static int check_permission(struct task *task, struct task *target)
{
	const struct cred *cred = task->cred, *theirs;
	bool allowed;

	if (task == target)
		return 0;
	theirs = task_get_cred(target);
	allowed = (cred->uid == theirs->euid && cred->uid == theirs->suid &&
			  cred->uid == theirs->uid && cred->gid == theirs->egid &&
			  cred->gid == theirs->sgid && cred->gid == theirs->gid) ||
		  cred_capable_in(cred, theirs->user_ns, LINUX_CAP_SYS_RESOURCE);
	cred_put(theirs);
	return allowed ? 0 : -EPERM;
}

int64_t sys_prlimit64(struct task *task, const uint64_t args[6])
{
	int pid = (int)args[0];
	struct linux_rlimit64 limit, old;
	struct task *target;
	int error;

	if (args[2] && mm_copy_in(task->mm, &limit, args[2], sizeof(limit)))
		return -EFAULT;
	target = pid ? task_find(task, pid) : task_get(task);
	if (!target)
		return -ESRCH;
	error = check_permission(task, target);
	if (!error)
		error = rlimit_exchange(
			target->group, (unsigned int)args[1], args[2] ? &limit : NULL, &old);
	task_put(target);
	if (!error && args[3])
		error = mm_copy_out(task->mm, args[3], &old, sizeof(old));
	return error;
}

/* What is known of a process's peak at exit is known of a living one by its memory. */
static int64_t peak_kib(struct task *task, int64_t noted)
{
	struct mm_usage memory;
	int64_t peak;

	mm_usage(task->mm, &memory);
	peak = (int64_t)(memory.resident_peak / 1024);
	return peak > noted ? peak : noted;
}

static void thread_usage(struct task *task, struct linux_rusage *usage)
{
	uint64_t user, system;

	task_cpu_times(task, &user, &system);
	*usage = (struct linux_rusage){
		.ru_utime = timeval_from_ns((int64_t)user),
		.ru_stime = timeval_from_ns((int64_t)system),
		.ru_minflt = (int64_t)atomic_load(&task->times.minor_faults),
		.ru_majflt = (int64_t)atomic_load(&task->times.major_faults),
		.ru_nvcsw = (int64_t)atomic_load(&task->times.voluntary_switches),
		.ru_nivcsw = (int64_t)atomic_load(&task->times.involuntary_switches),
	};
}

int64_t sys_getrusage(struct task *task, const uint64_t args[6])
{
	struct linux_rusage usage, whole;

	switch ((int)args[0]) {
	case LINUX_RUSAGE_SELF:
		thread_group_usage(task->group, &usage);
		usage.ru_maxrss = peak_kib(task, usage.ru_maxrss);
		break;
	case LINUX_RUSAGE_CHILDREN:
		mutex_lock(&g_tasks.lock);
		usage = task->group->children_usage;
		mutex_unlock(&g_tasks.lock);
		break;
	case LINUX_RUSAGE_THREAD:
		thread_group_usage(task->group, &whole);
		thread_usage(task, &usage);
		usage.ru_maxrss = peak_kib(task, whole.ru_maxrss);
		break;
	default:
		return -EINVAL;
	}
	return mm_copy_out(task->mm, args[1], &usage, sizeof(usage));
}
