/* SPDX-License-Identifier: Apache-2.0 */
/* Resource limits (getrlimit(2)): reading them and setting them. */
#include "sentry/kernel/rlimit.h"

#include "abi/capability.h"
#include "abi/limits.h"
#include "sentry/kernel/limits.h"
#include "sentry/kernel/task.h"
#include "sentry/time/itimer.h"

#include <errno.h>

uint64_t rlimit_of(struct thread_group *group, unsigned int resource)
{
	/* One word is read whole; who needs both limits takes the lock. */
	return __atomic_load_n(&group->limits[resource].rlim_cur, __ATOMIC_RELAXED);
}

uint64_t rlimit_current(unsigned int resource)
{
	struct task *task = current;

	return task ? rlimit_of(task->group, resource) : LINUX_RLIM_INFINITY;
}

int rlimit_exchange(struct thread_group *group, unsigned int resource,
	const struct linux_rlimit64 *limit, struct linux_rlimit64 *old)
{
	struct linux_rlimit64 *place;
	struct linux_rlimit64 wanted;

	if (resource >= LINUX_RLIM_NLIMITS)
		return -EINVAL;
	place = &group->limits[resource];
	mutex_lock(&group->lock);
	*old = *place;
	mutex_unlock(&group->lock);
	if (!limit)
		return 0;
	wanted = *limit;
	if (wanted.rlim_cur > wanted.rlim_max)
		return -EINVAL;
	/* What the sandbox was given, root inside cannot raise. */
	if (wanted.rlim_max > old->rlim_max && wanted.rlim_max > limits_ceiling(resource))
		return -EPERM;
	if (resource == LINUX_RLIMIT_NOFILE && wanted.rlim_max > LINUX_NR_OPEN)
		return -EPERM;
	if (wanted.rlim_max > old->rlim_max &&
		!cred_capable(current_cred(), LINUX_CAP_SYS_RESOURCE))
		return -EPERM;
	mutex_lock(&group->lock);
	__atomic_store_n(&place->rlim_cur, wanted.rlim_cur, __ATOMIC_RELAXED);
	place->rlim_max = wanted.rlim_max;
	mutex_unlock(&group->lock);
	if (resource == LINUX_RLIMIT_CPU)
		itimer_cpu_limit_changed(group);
	return 0;
}
