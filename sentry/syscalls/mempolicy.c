/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mbind(2), set_mempolicy(2), get_mempolicy(2), set_mempolicy_home_node(2), migrate_pages(2) and
 * move_pages(2) as on a machine with one node: all pages are where they belong.
 */
#include "abi/capability.h"
#include "abi/mman.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/mm.h"
#include "sentry/syscalls/syscalls.h"

#include <errno.h>

#define MODE_FLAGS                                                                                 \
	(LINUX_MPOL_F_STATIC_NODES | LINUX_MPOL_F_RELATIVE_NODES | LINUX_MPOL_F_NUMA_BALANCING)
#define MASK_BITS_MAX (PAGE_SIZE * 8)
#define NODES_MAX     1024 /* Debian's CONFIG_NODES_SHIFT is 10: bits that a mask may have set */

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
		else if (word && i >= NODES_MAX / 64)
			return -EINVAL;
	}
	return 0;
}

/* As sanitize_mpol_flags() and mpol_new(): the policy that a mode and its nodes are. */
static int make_policy(int mode, uint64_t nodes, struct mempolicy *policy)
{
	int flags = mode & MODE_FLAGS, placing = flags & ~LINUX_MPOL_F_NUMA_BALANCING;

	mode &= ~MODE_FLAGS;
	if (mode < 0 || mode > LINUX_MPOL_WEIGHTED_INTERLEAVE)
		return -EINVAL;
	if ((flags & LINUX_MPOL_F_STATIC_NODES) && (flags & LINUX_MPOL_F_RELATIVE_NODES))
		return -EINVAL;
	if ((flags & LINUX_MPOL_F_NUMA_BALANCING) && mode != LINUX_MPOL_BIND)
		return -EINVAL;
	*policy = (struct mempolicy){0};
	if (mode == LINUX_MPOL_DEFAULT)
		return nodes ? -EINVAL : 0;
	if (mode == LINUX_MPOL_LOCAL || (mode == LINUX_MPOL_PREFERRED && !nodes)) {
		policy->mode = LINUX_MPOL_LOCAL;
		return nodes || placing ? -EINVAL : 0;
	}
	*policy = (struct mempolicy){
		.mode = (uint16_t)mode, .flags = (uint16_t)flags, .nodes = placing ? nodes : 1};
	/* Node 0 is all there is; relative ones are counted among those that are there. */
	if (flags & LINUX_MPOL_F_RELATIVE_NODES)
		return nodes ? 0 : -EINVAL;
	return nodes & 1 ? 0 : -EINVAL;
}

int64_t sys_set_mempolicy(struct task *task, const uint64_t args[6])
{
	struct mempolicy policy;
	uint64_t nodes;
	int error = copy_in_nodes(task, args[1], args[2], &nodes);

	if (!error)
		error = make_policy((int)args[0], nodes, &policy);
	if (error)
		return error;
	mutex_guard(&task->lock);
	task->mempolicy = policy;
	return 0;
}

int64_t sys_mbind(struct task *task, const uint64_t args[6])
{
	const uint32_t known = LINUX_MPOL_MF_STRICT | LINUX_MPOL_MF_MOVE | LINUX_MPOL_MF_MOVE_ALL;
	gaddr_t start = args[0], end = start + page_ceil(args[1]);
	uint32_t flags = (uint32_t)args[5];
	struct mempolicy policy;
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
	error = make_policy((int)args[2], nodes, &policy);
	return error ? error : mm_set_mempolicy(task->mm, start, end, &policy);
}

int64_t sys_set_mempolicy_home_node(struct task *task, const uint64_t args[6])
{
	gaddr_t start = args[0], end = start + page_ceil(args[1]);

	if (args[3] || start % PAGE_SIZE || args[2] || end < start)
		return -EINVAL;
	return start == end ? 0 : mm_check_home_node(task->mm, start, end);
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

static bool is_interleaving(const struct mempolicy *policy)
{
	return policy->mode == LINUX_MPOL_INTERLEAVE ||
	       policy->mode == LINUX_MPOL_WEIGHTED_INTERLEAVE;
}

/* What is asked: the mode or node in *told, and the nodes. */
static int look_up(struct task *task, gaddr_t address, uint32_t flags, int *told, uint64_t *nodes)
{
	struct mempolicy policy = task->mempolicy;
	int error;

	*told = LINUX_MPOL_DEFAULT;
	*nodes = 0;
	if (flags & ~(uint32_t)(LINUX_MPOL_F_NODE | LINUX_MPOL_F_ADDR | LINUX_MPOL_F_MEMS_ALLOWED))
		return -EINVAL;
	if (flags & LINUX_MPOL_F_MEMS_ALLOWED) {
		*nodes = 1;
		return flags & (LINUX_MPOL_F_NODE | LINUX_MPOL_F_ADDR) ? -EINVAL : 0;
	}
	if (flags & LINUX_MPOL_F_ADDR) {
		error = mm_get_mempolicy(task->mm, address, &policy);
		if (error)
			return error;
	} else if (address || ((flags & LINUX_MPOL_F_NODE) && !is_interleaving(&policy))) {
		return -EINVAL;
	}
	*nodes = policy.nodes;
	/* The node of any page, or the next one to interleave with, is 0. */
	*told = flags & LINUX_MPOL_F_NODE ? 0 : policy.mode | policy.flags;
	return 0;
}

int64_t sys_get_mempolicy(struct task *task, const uint64_t args[6])
{
	uint64_t nodes;
	int told, error;

	if (args[1] && args[2] < 1)
		return -EINVAL;
	error = look_up(task, args[3], (uint32_t)args[4], &told, &nodes);
	if (!error && args[0])
		error = mm_copy_out(task->mm, args[0], &told, sizeof(told));
	if (!error && args[1])
		error = copy_out_nodes(task, args[1], args[2], nodes);
	return error;
}

/* --- pages of another process --- */

/* A reference; 0 is the caller's own. */
static int get_mm(struct task *task, int pid, struct mm **out)
{
	struct task *target = pid ? task_find(task, pid) : task_get(task);
	int error;

	if (!target)
		return -ESRCH;
	error = ptrace_may_access(task, target, PTRACE_ACCESS_READ | PTRACE_ACCESS_REALCREDS);
	if (!error) {
		*out = task_get_mm(target);
		error = *out ? 0 : -EINVAL;
	}
	task_put(target);
	return error;
}

int64_t sys_migrate_pages(struct task *task, const uint64_t args[6])
{
	uint64_t from, to;
	struct mm *mm = NULL;
	int error = copy_in_nodes(task, args[2], args[1], &from);

	if (!error)
		error = copy_in_nodes(task, args[3], args[1], &to);
	if (!error)
		error = get_mm(task, (int)args[0], &mm);
	if (error)
		return error;
	mm_put(mm);
	if ((to & ~1ul) && !capable(LINUX_CAP_SYS_NICE))
		return -EPERM;
	return to & 1 ? 0 : -EINVAL;
}

/* One page: its address and the node that it is to go to are read, its node is written. */
static int move_page(struct task *task, struct mm *mm, const uint64_t args[6], uint64_t index)
{
	gaddr_t nodes = args[3], page;
	int32_t node = 0, status;

	if (mm_copy_in(task->mm, &page, args[2] + index * sizeof(page), sizeof(page)) ||
		(nodes && mm_copy_in(task->mm, &node, nodes + index * sizeof(node), sizeof(node))))
		return -EFAULT;
	if (node)
		return -ENODEV;
	status = mm_page_there(mm, page);
	return mm_copy_out(task->mm, args[4] + index * sizeof(status), &status, sizeof(status))
		       ? -EFAULT
		       : 0;
}

int64_t sys_move_pages(struct task *task, const uint64_t args[6])
{
	uint32_t flags = (uint32_t)args[5];
	struct mm *mm;
	int error;

	if (flags & ~(uint32_t)(LINUX_MPOL_MF_MOVE | LINUX_MPOL_MF_MOVE_ALL))
		return -EINVAL;
	if ((flags & LINUX_MPOL_MF_MOVE_ALL) && !capable(LINUX_CAP_SYS_NICE))
		return -EPERM;
	error = get_mm(task, (int)args[0], &mm);
	if (error)
		return error;
	/* The vectors may be as long as the address space. */
	for (uint64_t i = 0; i < args[1] && !error; i++)
		error = task_killed(task) ? -EINTR : move_page(task, mm, args, i);
	mm_put(mm);
	return error;
}
