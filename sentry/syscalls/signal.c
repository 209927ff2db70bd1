/* SPDX-License-Identifier: Apache-2.0 */
/* Signals: dispositions, masks, waiting, sending, and the return from a handler. */
#include "sentry/kernel/signal.h"

#include "abi/time.h"
#include "sentry/kernel/sigaltstack.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/time/clock.h"
#include "sentry/time/sleep.h"

#include <errno.h>
#include <limits.h>

int64_t sys_rt_sigaction(struct task *task, const uint64_t args[6])
{
	int signal = (int)args[0];
	struct linux_sigaction action, old;
	int error;

	if (args[3] != sizeof(linux_sigset_t))
		return -EINVAL;
	if (args[1] && mm_copy_in(task->mm, &action, args[1], sizeof(action)))
		return -EFAULT;
	error = signal_set_action(task, signal, args[1] ? &action : NULL, &old);
	if (error)
		return error;
	return args[2] ? mm_copy_out(task->mm, args[2], &old, sizeof(old)) : 0;
}

int64_t sys_rt_sigprocmask(struct task *task, const uint64_t args[6])
{
	int how = (int)args[0];
	linux_sigset_t set, old = task->blocked;

	if (args[3] != sizeof(set))
		return -EINVAL;
	if (args[1]) {
		if (mm_copy_in(task->mm, &set, args[1], sizeof(set)))
			return -EFAULT;
		if (how == LINUX_SIG_BLOCK)
			set |= old;
		else if (how == LINUX_SIG_UNBLOCK)
			set = old & ~set;
		else if (how != LINUX_SIG_SETMASK)
			return -EINVAL;
		task_set_blocked(task, set);
	}
	return args[2] ? mm_copy_out(task->mm, args[2], &old, sizeof(old)) : 0;
}

int64_t sys_rt_sigpending(struct task *task, const uint64_t args[6])
{
	struct sighand *sighand;
	linux_sigset_t set;

	if (args[1] > sizeof(set))
		return -EINVAL;
	sighand = task_lock_signals(task);
	set = (task->pending.set | task->group->shared_pending.set) & task->blocked;
	mutex_unlock(&sighand->lock);
	return mm_copy_out(task->mm, args[0], &set, args[1]);
}

int64_t sys_rt_sigreturn(struct task *task, const uint64_t args[6])
{
	struct linux_siginfo info;

	if (signal_frame_pop(task)) {
		siginfo_kernel(&info, LINUX_SIGSEGV);
		signal_force(task, &info);
	}
	return (int64_t)task->regs.rax;
}

int64_t sys_sigaltstack(struct task *task, const uint64_t args[6])
{
	struct linux_stack new_stack, old;
	int error;

	if (args[0] && mm_copy_in(task->mm, &new_stack, args[0], sizeof(new_stack)))
		return -EFAULT;
	error = altstack_set(task, args[0] ? &new_stack : NULL, &old);
	if (error)
		return error;
	return args[1] ? mm_copy_out(task->mm, args[1], &old, sizeof(old)) : 0;
}

/* --- waiting --- */

/* Sleeps until something interrupts; never returns 0. */
static int wait_for_interrupt(struct task *task)
{
	int error = 0;

	while (!error)
		error = task_block(task, INT64_MAX);
	return error;
}

int64_t sys_pause(struct task *task, const uint64_t args[6])
{
	(void)wait_for_interrupt(task);
	return -ERESTARTNOHAND;
}

int64_t sys_rt_sigsuspend(struct task *task, const uint64_t args[6])
{
	linux_sigset_t set;

	if (args[1] != sizeof(set))
		return -EINVAL;
	if (mm_copy_in(task->mm, &set, args[0], sizeof(set)))
		return -EFAULT;
	task_set_temporary_mask(task, set);
	(void)wait_for_interrupt(task);
	return -ERESTARTNOHAND;
}

static void wait_for_set(struct task *task, linux_sigset_t set)
{
	struct sighand *sighand = task_lock_signals(task);

	task->waiting_for = set;
	task_recalculate_interrupt_locked(task);
	mutex_unlock(&sighand->lock);
}

static int64_t signal_wait(
	struct task *task, linux_sigset_t set, int64_t deadline_ns, struct linux_siginfo *info)
{
	int signal = signal_dequeue(task, set, info);
	int error = 0;

	if (signal)
		return signal;
	wait_for_set(task, set);
	while (!error)
		error = task_block(task, deadline_ns);
	wait_for_set(task, 0);
	signal = signal_dequeue(task, set, info);
	if (signal)
		return signal;
	return error == -ETIMEDOUT ? -EAGAIN : -EINTR;
}

int64_t sys_rt_sigtimedwait(struct task *task, const uint64_t args[6])
{
	const linux_sigset_t never = LINUX_SIGMASK(LINUX_SIGKILL) | LINUX_SIGMASK(LINUX_SIGSTOP);
	struct linux_timespec time;
	struct linux_siginfo info;
	int64_t deadline = INT64_MAX, timeout, result;
	linux_sigset_t set;

	if (args[3] != sizeof(set))
		return -EINVAL;
	if (mm_copy_in(task->mm, &set, args[0], sizeof(set)))
		return -EFAULT;
	if (args[2]) {
		if (mm_copy_in(task->mm, &time, args[2], sizeof(time)))
			return -EFAULT;
		if (!timespec_to_ns(&time, &timeout))
			return -EINVAL;
		deadline = time_add_ns(clock_monotonic(), timeout);
	}
	result = signal_wait(task, set & ~never, deadline, &info);
	if (result > 0 && args[1] && mm_copy_out(task->mm, args[1], &info, sizeof(info)))
		return -EFAULT;
	return result;
}

int64_t sys_restart_syscall(struct task *task, const uint64_t args[6])
{
	return task->restart.restart ? task->restart.restart(task) : -EINTR;
}

/* --- sending --- */

static int64_t kill_process(struct task *task, int pid, int signal)
{
	struct linux_siginfo info;
	struct task *target = task_find(task, pid);
	int error;

	if (!target)
		return -ESRCH;
	error = signal_may_send(task, target, signal);
	if (!error && signal) {
		siginfo_user(&info, signal, task, target);
		error = signal_send_group(target->group, &info);
	}
	task_put(target);
	return error;
}

static int64_t kill_process_group(struct task *task, int number, int signal)
{
	struct pid *pid;
	int64_t result;

	if (number) {
		pid = pid_find(task_pid_namespace(task), number);
	} else {
		mutex_lock(&g_tasks.lock);
		pid = pid_get(task->group->process_group);
		mutex_unlock(&g_tasks.lock);
	}
	if (!pid)
		return -ESRCH;
	result = signal_kill_process_group(task, pid, signal, NULL);
	pid_put(pid);
	return result;
}

static bool signal_is_valid(int signal)
{
	return signal >= 0 && signal <= LINUX_NSIG;
}

int64_t sys_kill(struct task *task, const uint64_t args[6])
{
	int pid = (int)args[0], signal = (int)args[1];

	if (pid == INT_MIN)
		return -ESRCH;
	if (!signal_is_valid(signal))
		return -EINVAL;
	if (pid > 0)
		return kill_process(task, pid, signal);
	if (pid == -1)
		return signal_kill_all(task, signal);
	return kill_process_group(task, -pid, signal);
}

/* A thread by its number, with a reference; tgid 0: of any process. */
static struct task *find_thread(struct task *task, int tgid, int tid)
{
	struct task *target = task_find(task, tid);

	if (target && tgid && pid_number_in(target->group->pid, task_pid_namespace(task)) != tgid) {
		task_put(target);
		return NULL;
	}
	return target;
}

static int64_t kill_thread(struct task *task, int tgid, int tid, int signal)
{
	struct linux_siginfo info;
	struct task *target;
	int error;

	if (!signal_is_valid(signal))
		return -EINVAL;
	target = find_thread(task, tgid, tid);
	if (!target)
		return -ESRCH;
	error = signal_may_send(task, target, signal);
	if (!error && signal) {
		siginfo_user(&info, signal, task, target);
		info.si_code = LINUX_SI_TKILL;
		error = signal_send_task(target, &info);
	}
	task_put(target);
	return error;
}

int64_t sys_tkill(struct task *task, const uint64_t args[6])
{
	int tid = (int)args[0];

	return tid > 0 ? kill_thread(task, 0, tid, (int)args[1]) : -EINVAL;
}

int64_t sys_tgkill(struct task *task, const uint64_t args[6])
{
	int tgid = (int)args[0], tid = (int)args[1];

	return tgid > 0 && tid > 0 ? kill_thread(task, tgid, tid, (int)args[2]) : -EINVAL;
}

static int64_t queue_info(
	struct task *task, struct task *target, int signal, gaddr_t address, bool group)
{
	struct linux_siginfo info;
	int64_t result;

	if (!target)
		return -ESRCH;
	if (mm_copy_in(task->mm, &info, address, sizeof(info))) {
		result = -EFAULT;
	} else if (!signal_is_valid(signal)) {
		result = -EINVAL;
	} else {
		info.si_signo = signal;
		result = signal_queue_info(task, target, &info, group);
	}
	task_put(target);
	return result;
}

int64_t sys_rt_sigqueueinfo(struct task *task, const uint64_t args[6])
{
	return queue_info(task, task_find(task, (int)args[0]), (int)args[1], args[2], true);
}

int64_t sys_rt_tgsigqueueinfo(struct task *task, const uint64_t args[6])
{
	int tgid = (int)args[0], tid = (int)args[1];

	if (tgid <= 0 || tid <= 0)
		return -EINVAL;
	return queue_info(task, find_thread(task, tgid, tid), (int)args[2], args[3], false);
}
