/* SPDX-License-Identifier: Apache-2.0 */
/* kill(2): who may send a signal to whom, and signals to process groups and to everybody. */
#include "abi/capability.h"
#include "sentry/kernel/signal_private.h"
#include "sentry/security/landlock/landlock.h"

#include <errno.h>

static bool credentials_allow(const struct cred *sender, const struct cred *receiver)
{
	return sender->euid == receiver->suid || sender->euid == receiver->uid ||
	       sender->uid == receiver->suid || sender->uid == receiver->uid ||
	       cred_capable_in(sender, receiver->user_ns, LINUX_CAP_KILL);
}

int signal_may_send(struct task *sender, struct task *receiver, int signal)
{
	const struct cred *cred;
	bool allowed, scoped;

	if (sender->group == receiver->group)
		return 0;
	cred = task_get_cred(receiver);
	if (!cred)
		return -ESRCH;
	allowed = credentials_allow(sender->cred, cred);
	scoped = landlock_check_scope(
		sender->cred->landlock, cred->landlock, LINUX_LANDLOCK_SCOPE_SIGNAL);
	cred_put(cred);
	/* A session's own members may always continue each other; the pointers are compared and not
	 * followed. */
	if (!allowed && signal == LINUX_SIGCONT)
		allowed = __atomic_load_n(&sender->group->session_pid, __ATOMIC_RELAXED) ==
			  __atomic_load_n(&receiver->group->session_pid, __ATOMIC_RELAXED);
	return allowed && !scoped ? 0 : -EPERM;
}

int signal_send_process_group(struct pid *process_group, const struct linux_siginfo *info)
{
	struct thread_group *group;
	int error = -ESRCH;

	mutex_guard(&g_tasks.lock);
	LIST_FOREACH (group, &process_group->group_members, group_member) {
		error = signal_send_group(group, info);
	}
	return error;
}

/* given: NULL for what kill(2) says. */
static int kill_group_locked(struct task *sender, struct thread_group *group, int signal,
	const struct linux_siginfo *given)
{
	struct linux_siginfo info;
	int error = signal_may_send(sender, group->leader, signal);

	if (error || !signal)
		return error;
	if (!given)
		siginfo_user(&info, signal, sender, group->leader);
	return signal_send_group(group, given ? given : &info);
}

int signal_kill_group_locked(struct task *sender, struct thread_group *group, int signal)
{
	return kill_group_locked(sender, group, signal, NULL);
}

int signal_kill_process_group(struct task *sender, struct pid *process_group, int signal,
	const struct linux_siginfo *given)
{
	struct thread_group *group;
	int error = -ESRCH;
	bool success = false;

	mutex_guard(&g_tasks.lock);
	LIST_FOREACH (group, &process_group->group_members, group_member) {
		error = kill_group_locked(sender, group, signal, given);
		success |= error == 0;
	}
	return success ? 0 : error;
}

int signal_kill_all(struct task *sender, int signal)
{
	struct pid_namespace *ns = task_pid_namespace(sender);
	int result = 0, count = 0;
	struct pid *pid;

	for (int number = 2; number > 0 && (pid = pid_next(ns, number)); number++) {
		number = pid_number_in(pid, ns);
		mutex_lock(&g_tasks.lock);
		if (pid->group && pid->group != sender->group) {
			int error = signal_kill_group_locked(sender, pid->group, signal);

			count++;
			if (error != -EPERM)
				result = error;
		}
		mutex_unlock(&g_tasks.lock);
		pid_put(pid);
	}
	return count ? result : -ESRCH;
}

int signal_queue_info(
	struct task *task, struct task *target, struct linux_siginfo *info, bool group)
{
	int error;

	/* Only to itself may a process pretend that the kernel, kill(2) or tgkill(2) sent the
	 * signal. */
	if ((info->si_code >= 0 || info->si_code == LINUX_SI_TKILL) && target->group != task->group)
		return -EPERM;
	error = signal_may_send(task, target, info->si_signo);
	if (error || !info->si_signo)
		return error;
	/* What the receiver cannot see has no number. */
	if (!pid_number_in(task->group->pid, thread_group_pid_namespace(target->group)))
		info->rt.si_pid = 0;
	return group ? signal_send_group(target->group, info) : signal_send_task(target, info);
}
