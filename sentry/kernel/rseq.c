/* SPDX-License-Identifier: Apache-2.0 */
/* Restartable sequences (rseq(2)): the area's registration, its CPU number, and leaving critical
 * sections. */
#include "sentry/kernel/rseq.h"

#include "abi/limits.h"
#include "abi/sched.h"
#include "sentry/kernel/scheduling.h"
#include "sentry/kernel/signal.h"

#include <errno.h>

/* --- the CPU number --- */

/* A processor that the task may use and that the fewest of its process's threads go by. */
static int choose_cpu(struct task *task)
{
	unsigned short users[CPU_SETSIZE] = {0};
	struct sighand *sighand;
	struct task *other;
	cpu_set_t allowed;
	int best = -1;

	task_get_affinity(task, &allowed);
	sighand = task_lock_signals(task);
	TAILQ_FOREACH (other, &task->group->tasks, group_link) {
		if (other != task && other->rseq.address &&
			users[other->rseq.last_cpu] < UINT16_MAX)
			users[other->rseq.last_cpu]++;
	}
	mutex_unlock(&sighand->lock);
	for (int i = 0; i < scheduling_processors(); i++) {
		if (CPU_ISSET(i, &allowed) && (best < 0 || users[i] < users[best]))
			best = i;
	}
	return best < 0 ? 0 : best;
}

static int write_cpu(struct task *task, uint32_t start, uint32_t cpu)
{
	const uint32_t head[2] = {start, cpu};
	/* The node, and the concurrency id, which is unique in the same way. */
	const uint32_t tail[2] = {0, start};

	if (mm_copy_out(task->mm, task->rseq.address, head, sizeof(head)))
		return -EFAULT;
	return mm_copy_out(task->mm, task->rseq.address + offsetof(struct linux_rseq, node_id),
		tail, sizeof(tail));
}

/* --- registration --- */

static int64_t unregister(struct task *task, gaddr_t address, uint32_t length, uint32_t signature)
{
	struct rseq_state *state = &task->rseq;

	if (!state->address || state->address != address || state->length != length)
		return -EINVAL;
	if (state->signature != signature)
		return -EPERM;
	if (write_cpu(task, 0, (uint32_t)LINUX_RSEQ_CPU_ID_UNINITIALIZED))
		return -EFAULT;
	*state = (struct rseq_state){0};
	return 0;
}

int64_t rseq_register(
	struct task *task, gaddr_t address, uint32_t length, int flags, uint32_t signature)
{
	struct rseq_state *state = &task->rseq;
	const uint64_t none = 0;
	int cpu;

	if (flags == LINUX_RSEQ_FLAG_UNREGISTER)
		return unregister(task, address, length, signature);
	if (flags)
		return -EINVAL;
	if (state->address) {
		if (state->address != address || state->length != length)
			return -EINVAL;
		return state->signature != signature ? -EPERM : -EBUSY;
	}
	if (length < LINUX_RSEQ_ORIG_SIZE || address % LINUX_RSEQ_ALIGN || !address)
		return -EINVAL;
	if (address >= LINUX_TASK_SIZE - length)
		return -EFAULT;
	cpu = choose_cpu(task);
	*state = (struct rseq_state){
		.address = address, .length = length, .signature = signature, .last_cpu = cpu};
	if (!write_cpu(task, (uint32_t)cpu, (uint32_t)cpu) &&
		!mm_copy_out(task->mm, address + offsetof(struct linux_rseq, rseq_cs), &none,
			sizeof(none)))
		return 0;
	*state = (struct rseq_state){0};
	return -EFAULT;
}

void rseq_fork(struct task *child, uint64_t clone_flags)
{
	if (clone_flags & LINUX_CLONE_VM)
		child->rseq = (struct rseq_state){0};
	else
		child->rseq = current->rseq;
}

void rseq_exec(struct task *task)
{
	task->rseq = (struct rseq_state){0};
}

/* --- interruptions --- */

static bool section_is_valid(struct task *task, const struct linux_rseq_cs *section)
{
	uint64_t end;
	uint32_t signature;

	if (section->version || section->flags || section->start_ip >= LINUX_TASK_SIZE ||
		section->abort_ip >= LINUX_TASK_SIZE || section->abort_ip < sizeof(signature))
		return false;
	if (__builtin_add_overflow(section->start_ip, section->post_commit_offset, &end) ||
		end >= LINUX_TASK_SIZE)
		return false;
	/* The abort handler lies outside, behind the signature that was registered. */
	if (section->abort_ip - section->start_ip < section->post_commit_offset)
		return false;
	return !mm_copy_in(task->mm, &signature, section->abort_ip - sizeof(signature),
		       sizeof(signature)) &&
	       signature == task->rseq.signature;
}

/* Leaves the critical section that the task is in. -EFAULT, -EINVAL: the guest's area is broken. */
static int section_abort(struct task *task)
{
	gaddr_t place = task->rseq.address + offsetof(struct linux_rseq, rseq_cs);
	struct linux_rseq_cs section;
	const uint64_t none = 0;
	uint64_t pointer;

	if (mm_copy_in(task->mm, &pointer, place, sizeof(pointer)))
		return -EFAULT;
	if (likely(!pointer))
		return 0;
	if (pointer >= LINUX_TASK_SIZE || mm_copy_in(task->mm, &section, pointer, sizeof(section)))
		return -EFAULT;
	if (!section_is_valid(task, &section))
		return -EINVAL;
	if (mm_copy_out(task->mm, place, &none, sizeof(none)))
		return -EFAULT;
	if (task->regs.rip - section.start_ip < section.post_commit_offset)
		task->regs.rip = section.abort_ip;
	return 0;
}

/* The affinity may have changed. */
static int cpu_refresh(struct task *task)
{
	cpu_set_t allowed;

	if (!task->affinity)
		return 0;
	task_get_affinity(task, &allowed);
	if (CPU_ISSET(task->rseq.last_cpu, &allowed))
		return 0;
	task->rseq.last_cpu = choose_cpu(task);
	return write_cpu(task, (uint32_t)task->rseq.last_cpu, (uint32_t)task->rseq.last_cpu);
}

void rseq_interrupted_slow(struct task *task)
{
	struct linux_siginfo info;

	if (!section_abort(task) && !cpu_refresh(task))
		return;
	/* Not again while the signal's own frame is built. */
	task->rseq = (struct rseq_state){0};
	siginfo_kernel(&info, LINUX_SIGSEGV);
	signal_force(task, &info);
}
