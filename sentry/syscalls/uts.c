/* SPDX-License-Identifier: Apache-2.0 */
/* uname(2), sethostname(2), setdomainname(2). */
#include "abi/capability.h"
#include "abi/personality.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int64_t sys_uname(struct task *task, const uint64_t args[6])
{
	struct linux_new_utsname name;

	uts_namespace_read(task->nsproxy->uts, &name);
	/* What programs that cannot read today's numbers ask for. */
	if (task->personality & LINUX_UNAME26)
		(void)snprintf(name.release, sizeof(name.release), "2.6.60");
	if ((task->personality & LINUX_PER_MASK) == LINUX_PER_LINUX32)
		(void)snprintf(name.machine, sizeof(name.machine), "i686");
	return mm_copy_out(task->mm, args[0], &name, sizeof(name));
}

static int64_t set_name(struct task *task, bool domain, gaddr_t address, int size)
{
	struct uts_namespace *uts = task->nsproxy->uts;
	char name[LINUX_NEW_UTS_LEN];

	if (!cred_capable_in(task->cred, uts->user_ns, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	if (size < 0 || size > LINUX_NEW_UTS_LEN)
		return -EINVAL;
	if (mm_copy_in(task->mm, name, address, (size_t)size))
		return -EFAULT;
	uts_namespace_set(uts, domain, name, (size_t)size);
	return 0;
}

int64_t sys_sethostname(struct task *task, const uint64_t args[6])
{
	return set_name(task, false, args[0], (int)args[1]);
}

int64_t sys_setdomainname(struct task *task, const uint64_t args[6])
{
	return set_name(task, true, args[0], (int)args[1]);
}
