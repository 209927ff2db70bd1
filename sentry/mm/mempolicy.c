/* SPDX-License-Identifier: Apache-2.0 */
/* Memory policies of mappings. Those of shared memory are the mapping's, not the object's as on
 * Linux. */
#include "sentry/mm/mempolicy.h"

#include "abi/mman.h"
#include "sentry/mm/mm_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void mempolicy_format(const struct mempolicy *policy, char *text, size_t size)
{
	static const char *const modes[] = {[LINUX_MPOL_DEFAULT] = "default",
		[LINUX_MPOL_PREFERRED] = "prefer",
		[LINUX_MPOL_BIND] = "bind",
		[LINUX_MPOL_INTERLEAVE] = "interleave",
		[LINUX_MPOL_LOCAL] = "local",
		[LINUX_MPOL_PREFERRED_MANY] = "prefer (many)",
		[LINUX_MPOL_WEIGHTED_INTERLEAVE] = "weighted interleave"};
	const uint16_t flags = policy->flags;

	(void)snprintf(text, size, "%s%s%s%s", modes[policy->mode],
		flags & LINUX_MPOL_F_STATIC_NODES     ? "=static"
		: flags & LINUX_MPOL_F_RELATIVE_NODES ? "=relative"
						      : "",
		flags & LINUX_MPOL_F_NUMA_BALANCING
			? flags & ~LINUX_MPOL_F_NUMA_BALANCING ? "|balancing" : "=balancing"
			: "",
		policy->nodes ? ":0" : "");
}

int mm_set_mempolicy(struct mm *mm, gaddr_t start, gaddr_t end, const struct mempolicy *policy)
{
	int error = 0;

	mm_lock(mm);
	if (!vma_covers(mm, start, end))
		error = -EFAULT;
	if (!error)
		error = vma_split_at_borders(mm, start, end);
	for (struct vma *vma = error ? NULL : vma_find(mm, start); vma && vma->start < end;
		vma = vma_next(vma)) {
		vma->policy = *policy;
		vma = vma_merge(vma);
	}
	mm_unlock(mm);
	return error;
}

int mm_get_mempolicy(struct mm *mm, gaddr_t address, struct mempolicy *policy)
{
	struct vma *vma;

	mm_lock(mm);
	vma = vma_find(mm, address);
	if (vma)
		*policy = vma->policy;
	mm_unlock(mm);
	return vma ? 0 : -EFAULT;
}

int mm_check_home_node(struct mm *mm, gaddr_t start, gaddr_t end)
{
	int result = -ENOENT;

	mm_lock(mm);
	for (struct vma *vma = vma_find_from(mm, start);
		vma && vma->start < end && result != -EOPNOTSUPP; vma = vma_next(vma)) {
		if (vma->policy.mode == LINUX_MPOL_BIND ||
			vma->policy.mode == LINUX_MPOL_PREFERRED_MANY)
			result = 0;
		else if (vma->policy.mode != LINUX_MPOL_DEFAULT)
			result = -EOPNOTSUPP;
	}
	mm_unlock(mm);
	return result;
}
