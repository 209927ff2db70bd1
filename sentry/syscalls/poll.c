/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poll(2), ppoll(2), select(2), pselect6(2).
 *
 * One engine: select's sets become an array of pollfd. Nothing is queued anywhere before a first
 * look found nothing ready. Differs from Linux: a bit of select's sets past the descriptor table's
 * present size is -EBADF, not ignored.
 */
#include "abi/poll.h"
#include "abi/epoll.h"
#include "abi/limits.h"
#include "abi/time.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/time/clock.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define POLL_INLINE 12
/* A deadline that has passed: look once, wait for nothing. */
#define POLL_AT_ONCE INT64_MIN

struct poll_entry {
	struct file *file;
	uint32_t filter;
	struct waiter waiter;
};

struct poll_set {
	struct linux_pollfd *fds;
	struct poll_entry *entries;
	unsigned int count;
	struct linux_pollfd inline_fds[POLL_INLINE];
	struct poll_entry inline_entries[POLL_INLINE];
};

static int poll_set_init(struct poll_set *set, unsigned int count)
{
	set->count = count;
	set->fds = set->inline_fds;
	set->entries = set->inline_entries;
	if (count <= POLL_INLINE)
		return 0;
	set->fds = malloc(count * sizeof(*set->fds));
	set->entries = malloc(count * sizeof(*set->entries));
	if (set->fds && set->entries)
		return 0;
	free(set->fds);
	free(set->entries);
	return -ENOMEM;
}

static void poll_set_destroy(struct poll_set *set)
{
	if (set->fds != set->inline_fds)
		free(set->fds);
	if (set->entries != set->inline_entries)
		free(set->entries);
}

static void poll_open(struct poll_set *set, struct task *task, uint32_t always)
{
	for (unsigned int i = 0; i < set->count; i++) {
		struct poll_entry *entry = &set->entries[i];

		entry->file = set->fds[i].fd < 0 ? NULL : fd_get(task->files, set->fds[i].fd);
		entry->filter = (uint16_t)set->fds[i].events | always;
		entry->waiter.queue = NULL;
	}
}

static void poll_queue(struct poll_set *set, struct task *task)
{
	for (unsigned int i = 0; i < set->count; i++) {
		struct poll_entry *entry = &set->entries[i];
		struct file *file = entry->file;

		if (!file || !file->ops->poll)
			continue;
		waiter_init_task(&entry->waiter, task, entry->filter);
		wait_queue_add(file->ops->wait_queue(file), &entry->waiter);
	}
}

static void poll_close(struct poll_set *set)
{
	for (unsigned int i = 0; i < set->count; i++) {
		wait_queue_remove(&set->entries[i].waiter);
		if (set->entries[i].file)
			file_put(set->entries[i].file);
	}
}

static int poll_scan(struct poll_set *set)
{
	int ready = 0;

	for (unsigned int i = 0; i < set->count; i++) {
		struct linux_pollfd *fd = &set->fds[i];
		struct poll_entry *entry = &set->entries[i];

		fd->revents = 0;
		if (entry->file)
			fd->revents = (int16_t)(file_poll(entry->file) & entry->filter);
		else if (fd->fd >= 0)
			fd->revents = LINUX_POLLNVAL;
		ready += fd->revents != 0;
	}
	return ready;
}

/* How many entries are ready, 0 at the deadline, or -ERESTARTSYS. always: reported whether asked
 * for or not. */
static int poll_wait(struct poll_set *set, struct task *task, uint32_t always, int64_t deadline_ns)
{
	bool last = deadline_ns == POLL_AT_ONCE;
	int ready, error = 0;

	poll_open(set, task, always);
	ready = poll_scan(set);
	if (!ready && !last) {
		poll_queue(set, task);
		while (!(ready = poll_scan(set)) && !last && !error) {
			error = task_block(task, deadline_ns);
			last = error == -ETIMEDOUT;
			if (last)
				error = 0;
		}
	}
	poll_close(set);
	return ready ? ready : error;
}

static int64_t deadline_after(int64_t seconds, int64_t nanoseconds)
{
	int64_t deadline;

	if (seconds == 0 && nanoseconds == 0)
		return POLL_AT_ONCE;
	if (__builtin_mul_overflow(seconds, NSEC_PER_SEC, &deadline) ||
		__builtin_add_overflow(deadline, nanoseconds, &deadline) ||
		__builtin_add_overflow(deadline, clock_monotonic(), &deadline))
		return INT64_MAX;
	return deadline;
}

static int64_t do_poll(struct task *task, gaddr_t address, uint32_t count, int64_t deadline_ns)
{
	struct poll_set set;
	int64_t ready;

	if (count > rlimit_current(LINUX_RLIMIT_NOFILE))
		return -EINVAL;
	ready = poll_set_init(&set, count);
	if (ready)
		return ready;
	if (count && mm_copy_in(task->mm, set.fds, address, count * sizeof(*set.fds))) {
		poll_set_destroy(&set);
		return -EFAULT;
	}
	ready = poll_wait(&set, task, LINUX_POLLERR | LINUX_POLLHUP, deadline_ns);
	for (unsigned int i = 0; i < count && ready >= 0; i++)
		if (mm_copy_out(task->mm,
			    address + i * sizeof(*set.fds) + offsetof(struct linux_pollfd, revents),
			    &set.fds[i].revents, sizeof(set.fds[i].revents)))
			ready = -EFAULT;
	poll_set_destroy(&set);
	return ready;
}

static int64_t poll_with_restart(
	struct task *task, gaddr_t fds, uint32_t count, int64_t deadline_ns)
{
	int64_t ready = do_poll(task, fds, count, deadline_ns);

	if (ready != -ERESTARTSYS)
		return ready;
	task->restart.poll.fds = fds;
	task->restart.poll.count = count;
	task->restart.poll.deadline_ns = deadline_ns;
	task->restart.poll.has_deadline = deadline_ns != INT64_MAX;
	return -ERESTART_RESTARTBLOCK;
}

static int64_t poll_restart(struct task *task)
{
	int64_t result = poll_with_restart(task, task->restart.poll.fds, task->restart.poll.count,
		task->restart.poll.deadline_ns);

	if (result == -ERESTART_RESTARTBLOCK)
		task->restart.restart = poll_restart;
	return result;
}

int64_t sys_poll(struct task *task, const uint64_t args[6])
{
	int32_t milliseconds = (int32_t)args[2];
	int64_t deadline = INT64_MAX, result;

	if (milliseconds >= 0)
		deadline = deadline_after(milliseconds / 1000, milliseconds % 1000 * 1000000ll);
	result = poll_with_restart(task, args[0], (uint32_t)args[1], deadline);
	if (result == -ERESTART_RESTARTBLOCK)
		task->restart.restart = poll_restart;
	return result;
}

/* --- timeouts and masks of ppoll, select and pselect6 --- */

/* address 0: for ever. -EINVAL, -EFAULT. */
static int copy_in_timeout(struct task *task, gaddr_t address, bool timeval, int64_t *deadline_ns)
{
	struct linux_timespec time;

	*deadline_ns = INT64_MAX;
	if (!address)
		return 0;
	if (mm_copy_in(task->mm, &time, address, sizeof(time)))
		return -EFAULT;
	if (timeval) {
		struct linux_timeval old = {.tv_sec = time.tv_sec, .tv_usec = time.tv_nsec};

		/* select(2) takes microseconds past a second. */
		if (old.tv_usec < 0 ||
			__builtin_add_overflow(old.tv_sec, old.tv_usec / 1000000, &time.tv_sec))
			return -EINVAL;
		time.tv_nsec = old.tv_usec % 1000000 * 1000;
	}
	if (time.tv_sec < 0 || time.tv_nsec < 0 || time.tv_nsec >= NSEC_PER_SEC)
		return -EINVAL;
	*deadline_ns = deadline_after(time.tv_sec, time.tv_nsec);
	return 0;
}

/* Tells what is left of the time; a call that cannot tell must not be restarted with the old one.
 */
static int64_t copy_out_timeout(
	struct task *task, gaddr_t address, bool timeval, int64_t deadline_ns, int64_t result)
{
	struct linux_timespec time;
	int64_t left;

	if (!address || deadline_ns == POLL_AT_ONCE)
		return result;
	left = deadline_ns - clock_monotonic();
	if (left < 0)
		left = 0;
	time.tv_sec = left / NSEC_PER_SEC;
	time.tv_nsec = left % NSEC_PER_SEC / (timeval ? 1000 : 1);
	if (mm_copy_out(task->mm, address, &time, sizeof(time)) && result == -ERESTARTNOHAND)
		return -EINTR;
	return result;
}

static int set_mask(struct task *task, gaddr_t address, uint64_t size)
{
	linux_sigset_t mask;

	if (!address)
		return 0;
	if (size != sizeof(mask))
		return -EINVAL;
	if (mm_copy_in(task->mm, &mask, address, sizeof(mask)))
		return -EFAULT;
	task_set_temporary_mask(task, mask);
	return 0;
}

int64_t sys_ppoll(struct task *task, const uint64_t args[6])
{
	int64_t deadline, result = copy_in_timeout(task, args[2], false, &deadline);

	if (!result)
		result = set_mask(task, args[3], args[4]);
	if (result)
		return result;
	result = do_poll(task, args[0], (uint32_t)args[1], deadline);
	if (result == -ERESTARTSYS)
		result = -ERESTARTNOHAND;
	else
		task_restore_mask(task);
	return copy_out_timeout(task, args[2], false, deadline, result);
}

/* --- select --- */

#define SELECT_IN                                                                                  \
	(LINUX_POLLRDNORM | LINUX_POLLRDBAND | LINUX_POLLIN | LINUX_POLLHUP | LINUX_POLLERR)
#define SELECT_OUT (LINUX_POLLWRBAND | LINUX_POLLWRNORM | LINUX_POLLOUT | LINUX_POLLERR)

static const int16_t select_events[3] = {SELECT_IN, SELECT_OUT, LINUX_POLLPRI};

struct fd_sets {
	size_t words; /* in each of the three */
	uint64_t *bits;
	uint64_t inline_bits[3 * LINUX_FD_SETSIZE / 64];
};

static int fd_sets_copy_in(
	struct fd_sets *sets, struct task *task, unsigned int limit, const gaddr_t addresses[3])
{
	size_t words = (limit + 63) / 64;

	sets->words = words;
	sets->bits = sets->inline_bits;
	if (3 * words > array_count(sets->inline_bits)) {
		sets->bits = malloc(3 * words * sizeof(uint64_t));
		if (!sets->bits)
			return -ENOMEM;
	}
	memset(sets->bits, 0, 3 * words * sizeof(uint64_t));
	for (size_t i = 0; i < 3; i++) {
		uint64_t *set = sets->bits + i * words;

		if (!addresses[i] || !words)
			continue;
		if (mm_copy_in(task->mm, set, addresses[i], words * sizeof(uint64_t)))
			return -EFAULT;
		if (limit % 64)
			set[words - 1] &= ((uint64_t)1 << limit % 64) - 1;
	}
	return 0;
}

static void fd_sets_destroy(struct fd_sets *sets)
{
	if (sets->bits != sets->inline_bits)
		free(sets->bits);
}

static int64_t fd_sets_copy_out(
	const struct fd_sets *sets, struct task *task, const gaddr_t addresses[3])
{
	for (size_t i = 0; i < 3; i++)
		if (addresses[i] && sets->words &&
			mm_copy_out(task->mm, addresses[i], sets->bits + i * sets->words,
				sets->words * sizeof(uint64_t)))
			return -EFAULT;
	return 0;
}

static unsigned int fd_sets_count(const struct fd_sets *sets)
{
	unsigned int count = 0;

	for (size_t i = 0; i < sets->words; i++)
		count += (unsigned int)__builtin_popcountll(sets->bits[i] |
							    sets->bits[sets->words + i] |
							    sets->bits[2 * sets->words + i]);
	return count;
}

static void fd_sets_to_poll(const struct fd_sets *sets, struct linux_pollfd *fds)
{
	for (size_t word = 0; word < sets->words; word++) {
		uint64_t in = sets->bits[word], out = sets->bits[sets->words + word];
		uint64_t except = sets->bits[2 * sets->words + word];

		for (uint64_t any = in | out | except; any; any &= any - 1, fds++) {
			uint64_t bit = any & -any;

			fds->fd = (int32_t)(word * 64) + __builtin_ctzll(bit);
			fds->events = (int16_t)((in & bit ? select_events[0] : 0) |
						(out & bit ? select_events[1] : 0) |
						(except & bit ? select_events[2] : 0));
		}
	}
}

/* Keeps the bits of what is ready: how many those are, or -EBADF. */
static int64_t fd_sets_from_poll(
	struct fd_sets *sets, const struct linux_pollfd *fds, unsigned int count)
{
	int64_t ready = 0;

	for (unsigned int i = 0; i < count; i++) {
		uint64_t bit = (uint64_t)1 << fds[i].fd % 64;

		if (fds[i].revents & LINUX_POLLNVAL)
			return -EBADF;
		for (size_t kind = 0; kind < 3; kind++) {
			uint64_t *word = &sets->bits[kind * sets->words + (size_t)fds[i].fd / 64];

			if (!(*word & bit))
				continue;
			if (fds[i].revents & select_events[kind])
				ready++;
			else
				*word &= ~bit;
		}
	}
	return ready;
}

static int64_t do_select(
	struct task *task, int limit, const gaddr_t addresses[3], int64_t deadline_ns)
{
	struct fd_sets sets;
	struct poll_set poll;
	int64_t result;

	if (limit < 0)
		return -EINVAL;
	if (limit > LINUX_NR_OPEN)
		limit = LINUX_NR_OPEN;
	result = fd_sets_copy_in(&sets, task, (unsigned int)limit, addresses);
	if (!result)
		result = poll_set_init(&poll, fd_sets_count(&sets));
	if (!result) {
		fd_sets_to_poll(&sets, poll.fds);
		result = poll_wait(&poll, task, 0, deadline_ns);
		if (result >= 0)
			result = fd_sets_from_poll(&sets, poll.fds, poll.count);
		poll_set_destroy(&poll);
	}
	if (result >= 0 && fd_sets_copy_out(&sets, task, addresses))
		result = -EFAULT;
	fd_sets_destroy(&sets);
	return result == -ERESTARTSYS ? -ERESTARTNOHAND : result;
}

int64_t sys_select(struct task *task, const uint64_t args[6])
{
	const gaddr_t addresses[3] = {args[1], args[2], args[3]};
	int64_t deadline, result = copy_in_timeout(task, args[4], true, &deadline);

	if (result)
		return result;
	result = do_select(task, (int)args[0], addresses, deadline);
	return copy_out_timeout(task, args[4], true, deadline, result);
}

int64_t sys_pselect6(struct task *task, const uint64_t args[6])
{
	const gaddr_t addresses[3] = {args[1], args[2], args[3]};
	struct linux_sigset_argpack pack = {0};
	int64_t deadline, result = copy_in_timeout(task, args[4], false, &deadline);

	if (!result && args[5] && mm_copy_in(task->mm, &pack, args[5], sizeof(pack)))
		result = -EFAULT;
	if (!result)
		result = set_mask(task, pack.set, pack.size);
	if (result)
		return result;
	result = do_select(task, (int)args[0], addresses, deadline);
	if (result != -ERESTARTNOHAND)
		task_restore_mask(task);
	return copy_out_timeout(task, args[4], false, deadline, result);
}
