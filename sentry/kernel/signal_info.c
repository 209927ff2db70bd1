/* SPDX-License-Identifier: Apache-2.0 */
/* What a signal says of its origin: building struct linux_siginfo. */
#include "sentry/kernel/signal_private.h"

#include <string.h>

void siginfo_kernel(struct linux_siginfo *info, int signal)
{
	memset(info, 0, sizeof(*info));
	info->si_signo = signal;
	info->si_code = LINUX_SI_KERNEL;
}

struct pid_namespace *thread_group_pid_namespace(const struct thread_group *group)
{
	return group->pid->numbers[group->pid->level].ns;
}

void siginfo_user(
	struct linux_siginfo *info, int signal, struct task *sender, struct task *receiver)
{
	memset(info, 0, sizeof(*info));
	info->si_signo = signal;
	info->si_code = LINUX_SI_USER;
	if (!sender)
		return;
	info->kill.si_pid =
		pid_number_in(sender->group->pid, thread_group_pid_namespace(receiver->group));
	info->kill.si_uid = siginfo_uid(sender, receiver);
}

uint32_t siginfo_uid(struct task *sender, struct task *receiver)
{
	const struct cred *sent = task_get_cred(sender);
	const struct cred *received = task_get_cred(receiver);
	uint32_t uid = 0;

	if (sent && received)
		uid = user_namespace_show_uid(received->user_ns, sent->uid);
	cred_put(sent);
	cred_put(received);
	return uid;
}

void siginfo_fault(struct linux_siginfo *info, int signal, int code, uint64_t address)
{
	memset(info, 0, sizeof(*info));
	info->si_signo = signal;
	info->si_code = code;
	info->sigfault.si_addr = address;
}
