/* SPDX-License-Identifier: Apache-2.0 */
/* Who may look at whom: ptrace(2), "Ptrace access mode checking", and the Yama rules (ptrace_scope,
 * PR_SET_PTRACER). */
#include "abi/capability.h"
#include "abi/prctl.h"
#include "sentry/kernel/ptrace_state.h"
#include "sentry/security/landlock/landlock.h"

#include <errno.h>

enum yama_scope { YAMA_OFF, YAMA_RELATIONAL, YAMA_CAPABILITY, YAMA_NO_ATTACH };

static _Atomic int yama_scope = YAMA_OFF;

int ptrace_scope(void)
{
	return atomic_load(&yama_scope);
}

int ptrace_scope_set(int scope)
{
	int now = atomic_load(&yama_scope);

	if (scope < YAMA_OFF || scope > YAMA_NO_ATTACH)
		return -EINVAL;
	if (now == YAMA_NO_ATTACH && scope != now)
		return -EINVAL;
	atomic_store(&yama_scope, scope);
	return 0;
}

int ptrace_set_yama_tracer(struct task *task, uint64_t number)
{
	struct pid *tracer = NULL, *old;

	mutex_lock(&g_tasks.lock);
	if (number != 0 && number != LINUX_PR_SET_PTRACER_ANY) {
		struct pid *pid = pid_find_locked(task_pid_namespace(task), (int)number);

		if (!pid || !pid->task) {
			mutex_unlock(&g_tasks.lock);
			pid_put(pid);
			return -EINVAL;
		}
		tracer = pid_get(pid->task->group->pid);
		pid_put(pid);
	}
	old = task->group->yama_tracer;
	task->group->yama_tracer = tracer;
	task->group->yama_any_tracer = number == LINUX_PR_SET_PTRACER_ANY;
	mutex_unlock(&g_tasks.lock);
	pid_put(old);
	return 0;
}

/* RANK_TASK_SET held. */
static bool descends_from(struct thread_group *group, struct thread_group *ancestor)
{
	while (group) {
		if (group == ancestor)
			return true;
		group = group->parent ? group->parent->group : NULL;
	}
	return false;
}

static bool yama_relation(struct task *caller, struct task *target)
{
	struct thread_group *allowed;
	struct task *tracer;

	mutex_guard(&g_tasks.lock);
	if (descends_from(target->group, caller->group) || target->group->yama_any_tracer)
		return true;
	tracer = target->ptrace->tracer;
	if (tracer && tracer->group == caller->group)
		return true;
	allowed = target->group->yama_tracer ? target->group->yama_tracer->group : NULL;
	return allowed && descends_from(caller->group, allowed);
}

static int yama_check(
	struct task *caller, struct task *target, const struct cred *cred, unsigned int mode)
{
	bool capable = cred_capable_in(caller->cred, cred->user_ns, LINUX_CAP_SYS_PTRACE);

	if (!(mode & PTRACE_ACCESS_ATTACH))
		return 0;
	switch (ptrace_scope()) {
	case YAMA_OFF:
		return 0;
	case YAMA_RELATIONAL:
		return capable || yama_relation(caller, target) ? 0 : -EPERM;
	case YAMA_CAPABILITY:
		return capable ? 0 : -EPERM;
	default:
		return -EPERM;
	}
}

static bool same_ids(uint32_t uid, uint32_t gid, const struct cred *target)
{
	return uid == target->uid && uid == target->euid && uid == target->suid &&
	       gid == target->gid && gid == target->egid && gid == target->sgid;
}

static bool dumpable(struct task *target, bool capable)
{
	struct mm *mm = task_get_mm(target);
	bool result;

	if (!mm)
		return true;
	result = capable || mm_dumpable(mm) == 1;
	mm_put(mm);
	return result;
}

/* What the caller's capabilities must include (the commoncap security module). */
static bool caps_suffice(const struct cred *caller, const struct cred *target, unsigned int mode)
{
	uint64_t caps =
		mode & PTRACE_ACCESS_FSCREDS ? caller->cap_effective : caller->cap_permitted;

	return caller->user_ns == target->user_ns && !(target->cap_permitted & ~caps);
}

static int check(
	struct task *caller, struct task *target, const struct cred *cred, unsigned int mode)
{
	const struct cred *own = caller->cred;
	bool fs = mode & PTRACE_ACCESS_FSCREDS;
	bool capable = cred_capable_in(own, cred->user_ns, LINUX_CAP_SYS_PTRACE);

	if (!same_ids(fs ? own->fsuid : own->uid, fs ? own->fsgid : own->gid, cred) && !capable)
		return -EPERM;
	if (!dumpable(target, capable))
		return -EPERM;
	if (!caps_suffice(own, cred, mode) && !capable)
		return -EPERM;
	if (landlock_check_ptrace(own, cred))
		return -EPERM;
	return yama_check(caller, target, cred, mode);
}

int ptrace_may_access(struct task *caller, struct task *target, unsigned int mode)
{
	const struct cred *cred;
	int result;

	if (caller->group == target->group)
		return 0;
	cred = task_get_cred(target);
	result = check(caller, target, cred, mode);
	cred_put(cred);
	return result;
}

/* May the parent trace the task, which asks for it? RANK_TASK_SET held. */
int ptrace_may_traceme_locked(struct task *task, struct task *parent)
{
	const struct cred *cred = task_get_cred(parent);
	bool capable = cred_capable_in(cred, task->cred->user_ns, LINUX_CAP_SYS_PTRACE);
	bool suffices = capable || caps_suffice(cred, task->cred, PTRACE_ACCESS_REALCREDS);
	int scope = ptrace_scope();

	if (landlock_check_ptrace(cred, task->cred))
		suffices = false;
	cred_put(cred);
	if (!suffices || scope == YAMA_NO_ATTACH || (scope == YAMA_CAPABILITY && !capable))
		return -EPERM;
	return 0;
}
