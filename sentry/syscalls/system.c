/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system as a whole: sysinfo(2), getcpu(2), personality(2), getrandom(2), syslog(2), reboot(2),
 * and what only a machine's owner may do.
 *
 * Differs from Linux: the kernel's log is empty; reboot(2) ends the pid namespace of the caller, in
 * the first one too; ports and the terminal's hang-up belong to the host.
 */
#include "abi/capability.h"
#include "abi/personality.h"
#include "abi/random.h"
#include "abi/reboot.h"
#include "abi/signal.h"
#include "abi/sysinfo.h"
#include "abi/time.h"
#include "sentry/kernel/boot.h"
#include "sentry/kernel/random.h"
#include "sentry/kernel/scheduling.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/memory_file.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/time/clock.h"
#include "sentry/time/time_namespace.h"

#include <errno.h>
#include <limits.h>
#include <sys/sysinfo.h>

#define PORTS_MAX 65536
#define LOG_SIZE  (1 << 17)
/* What personality(2) takes to mean "only look". */
#define LOOK_ONLY 0xffffffffu

int64_t sys_sysinfo(struct task *task, const uint64_t args[6])
{
	struct memory_file_usage usage;
	struct linux_sysinfo info = {.mem_unit = 1};
	struct sysinfo host;

	if (sysinfo(&host))
		return -EFAULT;
	memory_file_usage(&usage);
	info.uptime =
		(clock_now(LINUX_CLOCK_BOOTTIME) +
			time_namespace_offset(task, LINUX_CLOCK_BOOTTIME) + NSEC_PER_SEC - 1) /
		NSEC_PER_SEC;
	for (int i = 0; i < 3; i++)
		info.loads[i] = host.loads[i];
	info.totalram = (uint64_t)host.totalram * host.mem_unit;
	info.freeram = (uint64_t)host.freeram * host.mem_unit;
	info.sharedram = (uint64_t)host.sharedram * host.mem_unit;
	info.bufferram = (uint64_t)host.bufferram * host.mem_unit;
	if (usage.limit && usage.limit < info.totalram) {
		info.totalram = usage.limit;
		info.freeram =
			min_u64(info.freeram, usage.limit - min_u64(usage.limit, usage.allocated));
		info.bufferram = 0;
	}
	mutex_lock(&g_tasks.lock);
	info.procs = (uint16_t)min_u64(g_tasks.task_count, UINT16_MAX);
	mutex_unlock(&g_tasks.lock);
	return mm_copy_out(task->mm, args[0], &info, sizeof(info));
}

int64_t sys_getcpu(struct task *task, const uint64_t args[6])
{
	const uint32_t cpu = (uint32_t)task_cpu(task), node = 0;

	if (args[0] && mm_copy_out(task->mm, args[0], &cpu, sizeof(cpu)))
		return -EFAULT;
	if (args[1] && mm_copy_out(task->mm, args[1], &node, sizeof(node)))
		return -EFAULT;
	return 0;
}

int64_t sys_personality(struct task *task, const uint64_t args[6])
{
	uint32_t old = task->personality;

	if ((uint32_t)args[0] != LOOK_ONLY)
		task->personality = (uint32_t)args[0];
	return old;
}

int64_t sys_getrandom(struct task *task, const uint64_t args[6])
{
	uint32_t flags = (uint32_t)args[2];
	uint64_t size = args[1], done = 0;
	uint8_t bytes[1024];

	if (flags & ~(uint32_t)(LINUX_GRND_NONBLOCK | LINUX_GRND_RANDOM | LINUX_GRND_INSECURE))
		return -EINVAL;
	if ((flags & LINUX_GRND_RANDOM) && (flags & LINUX_GRND_INSECURE))
		return -EINVAL;
	if (size > INT_MAX)
		size = INT_MAX;
	while (done < size) {
		size_t piece = min_u64(size - done, sizeof(bytes));

		random_bytes(bytes, piece);
		if (mm_copy_out(task->mm, args[0] + done, bytes, piece))
			return done ? (int64_t)done : -EFAULT;
		done += piece;
		if (done < size && done % PAGE_SIZE == 0 && task_signal_pending(task))
			break;
	}
	return (int64_t)done;
}

/* --- the log --- */

int64_t sys_syslog(struct task *task, const uint64_t args[6])
{
	int type = (int)args[0], error = 0;

	if (type != LINUX_SYSLOG_ACTION_READ_ALL && type != LINUX_SYSLOG_ACTION_SIZE_BUFFER &&
		!capable(LINUX_CAP_SYSLOG))
		return -EPERM;
	switch (type) {
	case LINUX_SYSLOG_ACTION_READ:
		if (!args[1] || (int)args[2] < 0)
			return -EINVAL;
		/* Nothing ever comes. */
		while ((int)args[2] && !error)
			error = task_block(task, INT64_MAX);
		return error;
	case LINUX_SYSLOG_ACTION_READ_ALL:
	case LINUX_SYSLOG_ACTION_READ_CLEAR:
		return !args[1] || (int)args[2] < 0 ? -EINVAL : 0;
	case LINUX_SYSLOG_ACTION_CONSOLE_LEVEL:
		return (int)args[2] < 1 || (int)args[2] > 8 ? -EINVAL : 0;
	case LINUX_SYSLOG_ACTION_CLOSE:
	case LINUX_SYSLOG_ACTION_OPEN:
	case LINUX_SYSLOG_ACTION_CLEAR:
	case LINUX_SYSLOG_ACTION_CONSOLE_OFF:
	case LINUX_SYSLOG_ACTION_CONSOLE_ON:
	case LINUX_SYSLOG_ACTION_SIZE_UNREAD:
		return 0;
	case LINUX_SYSLOG_ACTION_SIZE_BUFFER:
		return LOG_SIZE;
	default:
		return -EINVAL;
	}
}

/* --- the machine --- */

/* The namespace's init dies as if by a signal that says what was asked for. */
static int64_t end_namespace(struct task *task, int signal)
{
	struct pid_namespace *ns = task_pid_namespace(task);
	struct thread_group *group = NULL;
	struct sighand *sighand;

	if (ns == g_tasks.root_pid_ns) {
		boot_kill_all();
		return 0;
	}
	mutex_lock(&g_tasks.lock);
	if (ns->init)
		group = thread_group_get(ns->init->group);
	mutex_unlock(&g_tasks.lock);
	if (!group)
		return 0;
	sighand = thread_group_lock_signals(group);
	thread_group_kill_locked(group, signal);
	mutex_unlock(&sighand->lock);
	thread_group_put(group);
	return 0;
}

int64_t sys_reboot(struct task *task, const uint64_t args[6])
{
	uint32_t magic2 = (uint32_t)args[1];

	if (!cred_capable_in(task->cred, task_pid_namespace(task)->user_ns, LINUX_CAP_SYS_BOOT))
		return -EPERM;
	if ((uint32_t)args[0] != LINUX_REBOOT_MAGIC1 ||
		(magic2 != LINUX_REBOOT_MAGIC2 && magic2 != LINUX_REBOOT_MAGIC2A &&
			magic2 != LINUX_REBOOT_MAGIC2B && magic2 != LINUX_REBOOT_MAGIC2C))
		return -EINVAL;
	switch ((uint32_t)args[2]) {
	case LINUX_REBOOT_CMD_RESTART:
	case LINUX_REBOOT_CMD_RESTART2:
		return end_namespace(task, LINUX_SIGHUP);
	case LINUX_REBOOT_CMD_HALT:
	case LINUX_REBOOT_CMD_POWER_OFF:
		return end_namespace(task, LINUX_SIGINT);
	case LINUX_REBOOT_CMD_CAD_ON:
	case LINUX_REBOOT_CMD_CAD_OFF:
		return task_pid_namespace(task) == g_tasks.root_pid_ns ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}

int64_t sys_vhangup(struct task *task, const uint64_t args[6])
{
	return capable(LINUX_CAP_SYS_TTY_CONFIG) ? 0 : -EPERM;
}

int64_t sys_iopl(struct task *task, const uint64_t args[6])
{
	unsigned int level = (unsigned int)args[0];

	if (level > 3)
		return -EINVAL;
	return level ? -EPERM : 0;
}

int64_t sys_ioperm(struct task *task, const uint64_t args[6])
{
	uint64_t from = args[0], count = args[1];

	if (from + count <= from || from + count > PORTS_MAX)
		return -EINVAL;
	return (int)args[2] ? -EPERM : 0;
}
