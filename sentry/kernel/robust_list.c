/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a thread as its futexes see it: robust lists (get_robust_list(2)), owned PI futexes,
 * and the word that pthread_join(3) waits for (set_tid_address(2)).
 */
#include "sentry/kernel/futex_private.h"

#include <errno.h>

/* The low bit of a list pointer marks a PI futex. */
#define ENTRY_PI 1ull

/* A word of the list: the thread's own are marked, and who waits is told. -EFAULT ends the walk. */
static int word_release(struct task *task, gaddr_t address, bool pi, bool pending)
{
	struct futex_word word = {address, true};
	uint32_t value, desired;
	int error;

	if (address % sizeof(uint32_t))
		return -EINVAL;
	error = mm_load_u32(task->mm, address, &value);
	if (error)
		return error;
	/* It was unlocked already, and died before the wake-up. */
	if (pending && !pi && !value) {
		(void)(futex_wake(task, word, 1, LINUX_FUTEX_BITSET_MATCH_ANY) == 0);
		return 0;
	}
	do {
		if ((value & LINUX_FUTEX_TID_MASK) != (uint32_t)task_tid(task))
			return 0;
		desired = (value & LINUX_FUTEX_WAITERS) | LINUX_FUTEX_OWNER_DIED;
		error = mm_cmpxchg_u32(task->mm, address, value, desired, &value);
	} while (error == -EAGAIN);
	if (!error && !pi && (desired & LINUX_FUTEX_WAITERS))
		(void)(futex_wake(task, word, 1, LINUX_FUTEX_BITSET_MATCH_ANY) == 0);
	return error;
}

static void robust_list_walk(struct task *task)
{
	struct linux_robust_list_head head;
	uint64_t entry, next, pending;

	if (mm_copy_in(task->mm, &head, task->robust_list, sizeof(head)))
		return;
	pending = head.list_op_pending & ~ENTRY_PI;
	entry = head.list.next;
	for (unsigned int i = 0; i < LINUX_ROBUST_LIST_LIMIT; i++) {
		gaddr_t address = entry & ~ENTRY_PI;
		bool last;

		if (address == task->robust_list)
			break;
		/* Read before the word is let go: its new owner may unlink it. */
		last = mm_copy_in(task->mm, &next, address, sizeof(next));
		if (address != pending && word_release(task, address + (uint64_t)head.futex_offset,
						  entry & ENTRY_PI, false))
			return;
		if (last)
			return;
		entry = next;
	}
	if (pending)
		(void)(word_release(task, pending + (uint64_t)head.futex_offset,
			       head.list_op_pending & ENTRY_PI, true) == 0);
}

static void clear_child_tid(struct task *task)
{
	struct futex_word word = {task->clear_child_tid, true};
	const uint32_t zero = 0;

	task->clear_child_tid = 0;
	/* Nobody is left who could look. */
	if (mm_is_single_user(task->mm))
		return;
	if (!mm_copy_out(task->mm, word.address, &zero, sizeof(zero)))
		(void)(futex_wake(task, word, 1, LINUX_FUTEX_BITSET_MATCH_ANY) == 0);
}

void futex_exit(struct task *task)
{
	if (task->robust_list)
		robust_list_walk(task);
	task->robust_list = 0;
	futex_pi_exit(task);
	if (task->clear_child_tid)
		clear_child_tid(task);
}
