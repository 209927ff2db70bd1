/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mbind(2), set_mempolicy(2), get_mempolicy(2) as on a machine with one node.
 *
 * Policies are checked as Linux checks them and then make no difference; get_mempolicy tells the
 * default one.
 */
#include "abi/capability.h"
#include "abi/mman.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/mm.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/vfs/file.h"

#include <errno.h>

#define MODE_FLAGS                                                                                 \
	(LINUX_MPOL_F_STATIC_NODES | LINUX_MPOL_F_RELATIVE_NODES | LINUX_MPOL_F_NUMA_BALANCING)
#define MASK_BITS_MAX (PAGE_SIZE * 8)
#define NODES_MAX     64 /* bits that a mask may have set at all */

/* The nodes of a guest's mask, as get_nodes() of mm/mempolicy.c reads it. */
static int copy_in_nodes(struct task *task, gaddr_t mask, uint64_t maxnode, uint64_t *nodes)
{
	uint64_t bits = maxnode - 1, words, word;

	*nodes = 0;
	if (!maxnode || !bits || !mask)
		return 0;
	if (bits > MASK_BITS_MAX)
		return -EINVAL;
	words = (bits + 63) / 64;
	for (uint64_t i = 0; i < words; i++) {
		if (mm_copy_in(task->mm, &word, mask + i * sizeof(word), sizeof(word)) != 0)
			return -EFAULT;
		if (i == words - 1 && bits % 64)
			word &= (1ul << bits % 64) - 1;
		if (i == 0)
			*nodes = word;
		else if (word)
			return -EINVAL;
	}
	return 0;
}

/* As sanitize_mpol_flags() and mpol_new(). */
static int check_policy(int mode, uint64_t nodes)
{
	int flags = mode & MODE_FLAGS;

	mode &= ~MODE_FLAGS;
	if (mode < 0 || mode > LINUX_MPOL_WEIGHTED_INTERLEAVE)
		return -EINVAL;
	if ((flags & LINUX_MPOL_F_STATIC_NODES) && (flags & LINUX_MPOL_F_RELATIVE_NODES))
		return -EINVAL;
	if ((flags & LINUX_MPOL_F_NUMA_BALANCING) && mode != LINUX_MPOL_BIND)
		return -EINVAL;
	flags &= ~LINUX_MPOL_F_NUMA_BALANCING;
	if (mode == LINUX_MPOL_DEFAULT)
		return nodes ? -EINVAL : 0;
	if (mode == LINUX_MPOL_LOCAL || (mode == LINUX_MPOL_PREFERRED && !nodes))
		return nodes || flags ? -EINVAL : 0;
	/* Node 0 is all there is; relative ones are counted among those that are there. */
	if (flags & LINUX_MPOL_F_RELATIVE_NODES)
		return nodes ? 0 : -EINVAL;
	return nodes & 1 ? 0 : -EINVAL;
}

int64_t sys_set_mempolicy(struct task *task, const uint64_t args[6])
{
	uint64_t nodes;
	int error = copy_in_nodes(task, args[1], args[2], &nodes);

	return error ? error : check_policy((int)args[0], nodes);
}

/* Is every page of the range mapped? */
static int check_mapped(struct mm *mm, gaddr_t start, gaddr_t end)
{
	while (start < end) {
		struct vma_info info;

		if (!mm_next_vma(mm, start, false, &info))
			return -EFAULT;
		if (info.file)
			file_put(info.file);
		if (info.start > start)
			return -EFAULT;
		start = info.end;
	}
	return 0;
}

int64_t sys_mbind(struct task *task, const uint64_t args[6])
{
	const uint32_t known = LINUX_MPOL_MF_STRICT | LINUX_MPOL_MF_MOVE | LINUX_MPOL_MF_MOVE_ALL;
	gaddr_t start = args[0], end = start + page_ceil(args[1]);
	uint32_t flags = (uint32_t)args[5];
	uint64_t nodes;
	int error;

	error = copy_in_nodes(task, args[3], args[4], &nodes);
	if (error)
		return error;
	if (flags & ~known)
		return -EINVAL;
	if ((flags & LINUX_MPOL_MF_MOVE_ALL) && !capable(LINUX_CAP_SYS_NICE))
		return -EPERM;
	if (start % PAGE_SIZE || end < start)
		return -EINVAL;
	if (start == end)
		return 0;
	error = check_policy((int)args[2], nodes);
	return error ? error : check_mapped(task->mm, start, end);
}

/* A mask of maxnode bits, of which only the first word may be other than zero. */
static int copy_out_nodes(struct task *task, gaddr_t mask, uint64_t maxnode, uint64_t nodes)
{
	uint64_t size = (maxnode - 1 + 63) / 64 * 8;

	if (size > PAGE_SIZE)
		return -EINVAL;
	if (size > sizeof(nodes) &&
		mm_zero(task->mm, mask + sizeof(nodes), size - sizeof(nodes)) != 0)
		return -EFAULT;
	return size ? mm_copy_out(task->mm, mask, &nodes, sizeof(nodes)) : 0;
}

/* What is asked: the mode or node in *policy, and the nodes. */
static int look_up(struct task *task, gaddr_t address, uint32_t flags, int *policy, uint64_t *nodes)
{
	*policy = LINUX_MPOL_DEFAULT;
	*nodes = 0;
	if (flags & ~(uint32_t)(LINUX_MPOL_F_NODE | LINUX_MPOL_F_ADDR | LINUX_MPOL_F_MEMS_ALLOWED))
		return -EINVAL;
	if (flags & LINUX_MPOL_F_MEMS_ALLOWED) {
		*nodes = 1;
		return flags & (LINUX_MPOL_F_NODE | LINUX_MPOL_F_ADDR) ? -EINVAL : 0;
	}
	if (flags & LINUX_MPOL_F_ADDR) {
		/* The node of any page is 0, which is MPOL_DEFAULT too. */
		return check_mapped(task->mm, page_floor(address), page_floor(address) + 1);
	}
	return address || (flags & LINUX_MPOL_F_NODE) ? -EINVAL : 0;
}

int64_t sys_get_mempolicy(struct task *task, const uint64_t args[6])
{
	uint64_t nodes;
	int policy, error;

	if (args[1] && args[2] < 1)
		return -EINVAL;
	error = look_up(task, args[3], (uint32_t)args[4], &policy, &nodes);
	if (!error && args[0])
		error = mm_copy_out(task->mm, args[0], &policy, sizeof(policy));
	if (!error && args[1])
		error = copy_out_nodes(task, args[1], args[2], nodes);
	return error;
}
