/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File locks: records (POSIX and of open file descriptions) and flock(2).
 *
 * One lock for all of them, taken for moments: so the search for deadlocks sees a whole picture. A
 * blocked caller waits on the inode's queue and tries again. Differs from Linux: waiters are not served
 * in the order in which they came.
 */
#include "sentry/vfs/file_lock.h"

#include "abi/epoll.h"
#include "abi/stat.h"
#include "base/text_writer.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/task.h"
#include "sentry/lock_order.h"
#include "sentry/vfs/lease.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define LOCKS_MAX	   (1u << 20) /* in all; past it -ENOLCK */
#define DEADLOCK_STEPS_MAX 10	      /* as Linux: longer cycles are not seen */

enum lock_kind { LOCK_POSIX, LOCK_OFD, LOCK_FLOCK };

struct file_lock {
	TAILQ_ENTRY(file_lock) link;
	enum lock_kind kind;
	bool write;
	int64_t start, end; /* both included; INT64_MAX: to the end of the file */
	const void *owner;  /* the descriptor table, or the file */
	struct pid *pid;    /* of the process; a reference; NULL for OFD locks */
};
TAILQ_HEAD(lock_queue, file_lock);

struct file_lock_list {
	TAILQ_ENTRY(file_lock_list) link; /* of all */
	struct inode *inode;		  /* owns this */
	struct lock_queue records, flocks;
	struct wait_queue changed;
};

/* A caller that sleeps until somebody else unlocks. */
struct blocked {
	TAILQ_ENTRY(blocked) link;
	const void *owner, *by;
};

static struct {
	struct mutex lock; /* of everything in this file */
	TAILQ_HEAD(, file_lock_list) lists;
	TAILQ_HEAD(, blocked) blocked;
	unsigned int count;
} g;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init(void)
{
	mutex_init(&g.lock, RANK_FD_TABLE + 1, "file locks");
	TAILQ_INIT(&g.lists);
	TAILQ_INIT(&g.blocked);
}

static void lock_all(void)
{
	pthread_once(&once, init);
	mutex_lock(&g.lock);
}

static void unlock_all(void)
{
	mutex_unlock(&g.lock);
}

static void lock_free(struct file_lock *lock)
{
	if (!lock)
		return;
	if (lock->pid)
		pid_put(lock->pid);
	free(lock);
}

static void remove_locked(struct lock_queue *queue, struct file_lock *lock)
{
	TAILQ_REMOVE(queue, lock, link);
	g.count--;
	lock_free(lock);
}

static void insert_locked(
	struct lock_queue *queue, struct file_lock *before, struct file_lock *lock)
{
	if (before)
		TAILQ_INSERT_BEFORE(before, lock, link);
	else
		TAILQ_INSERT_TAIL(queue, lock, link);
	g.count++;
}

void file_lock_list_free(struct file_lock_list *list)
{
	struct file_lock *lock;

	if (!list)
		return;
	lock_all();
	while ((lock = TAILQ_FIRST(&list->records)))
		remove_locked(&list->records, lock);
	while ((lock = TAILQ_FIRST(&list->flocks)))
		remove_locked(&list->flocks, lock);
	TAILQ_REMOVE(&g.lists, list, link);
	unlock_all();
	wait_queue_destroy(&list->changed);
	free(list);
}

static int list_get(struct inode *inode, struct file_lock_list **out)
{
	struct file_lock_list *list;
	int result = 0;

	lock_all();
	list = inode->locks;
	if (!list) {
		list = calloc(1, sizeof(*list));
		if (list) {
			list->inode = inode;
			TAILQ_INIT(&list->records);
			TAILQ_INIT(&list->flocks);
			wait_queue_init(&list->changed);
			TAILQ_INSERT_TAIL(&g.lists, list, link);
			inode->locks = list;
		} else {
			result = -ENOLCK;
		}
	}
	unlock_all();
	*out = list;
	return result;
}

static bool same_owner(const struct file_lock *a, const struct file_lock *b)
{
	return a->kind == b->kind && a->owner == b->owner;
}

static struct file_lock *find_conflict(
	const struct lock_queue *queue, const struct file_lock *wanted)
{
	struct file_lock *lock;

	TAILQ_FOREACH (lock, queue, link)
		if (!same_owner(lock, wanted) && (lock->write || wanted->write) &&
			lock->start <= wanted->end && wanted->start <= lock->end)
			return lock;
	return NULL;
}

static struct file_lock *lock_copy(const struct file_lock *from)
{
	struct file_lock *lock = malloc(sizeof(*lock));

	if (!lock)
		return NULL;
	*lock = *from;
	if (lock->pid)
		pid_get(lock->pid);
	return lock;
}

/* Do the ranges overlap, or with adjacent set, also touch? */
static bool meets(const struct file_lock *lock, const struct file_lock *range, bool adjacent)
{
	int64_t start = lock->start, end = lock->end;

	if (adjacent && start > 0)
		start--;
	if (adjacent && end < INT64_MAX)
		end++;
	return start <= range->end && range->start <= end;
}

/*
 * Gives the owner the range, or takes it from him when unlock is set; no conflict is left. wanted
 * and spare were allocated before, so that nothing can fail half-way; what is not used of them is
 * freed.
 */
static void apply_locked(
	struct lock_queue *queue, struct file_lock *wanted, struct file_lock *spare, bool unlock)
{
	struct file_lock *lock, *next;

	TAILQ_FOREACH_SAFE (lock, queue, link, next) {
		bool merge = !unlock && lock->write == wanted->write;

		if (!same_owner(lock, wanted) || !meets(lock, wanted, merge))
			continue;
		if (merge) {
			if (lock->start < wanted->start)
				wanted->start = lock->start;
			if (lock->end > wanted->end)
				wanted->end = lock->end;
			remove_locked(queue, lock);
			continue;
		}
		if (lock->start < wanted->start && lock->end > wanted->end) {
			spare->write = lock->write;
			spare->start = wanted->end + 1;
			spare->end = lock->end;
			lock->end = wanted->start - 1;
			insert_locked(queue, next, spare);
			spare = NULL;
		} else if (lock->start < wanted->start) {
			lock->end = wanted->start - 1;
		} else if (lock->end > wanted->end) {
			lock->start = wanted->end + 1;
		} else {
			remove_locked(queue, lock);
		}
	}
	lock_free(spare);
	if (unlock)
		lock_free(wanted);
	else
		insert_locked(queue, NULL, wanted);
}

static int set_locked(struct file_lock_list *list, const struct file_lock *wanted, bool unlock,
	const struct file_lock **conflict)
{
	struct file_lock *new, *spare;

	*conflict = unlock ? NULL : find_conflict(&list->records, wanted);
	if (*conflict)
		return -EAGAIN;
	new = lock_copy(wanted);
	spare = lock_copy(wanted);
	if (!new || !spare || g.count >= LOCKS_MAX) {
		lock_free(new);
		lock_free(spare);
		return -ENOLCK;
	}
	apply_locked(&list->records, new, spare, unlock);
	return 0;
}

/* Would owner, if it slept until `by` lets go, wait for itself? */
static bool is_deadlock(const void *owner, const void *by)
{
	for (unsigned int steps = 0; steps < DEADLOCK_STEPS_MAX; steps++) {
		const struct blocked *blocked;

		if (by == owner)
			return true;
		TAILQ_FOREACH (blocked, &g.blocked, link)
			if (blocked->owner == by)
				break;
		if (!blocked)
			return false;
		by = blocked->by;
	}
	return false;
}

/* One attempt; with blocked set, its deadlock check and bookkeeping too. */
static int set_attempt(struct file_lock_list *list, const struct file_lock *wanted, bool unlock,
	struct blocked *blocked)
{
	const struct file_lock *conflict;
	int result;

	lock_all();
	if (blocked && blocked->by) {
		TAILQ_REMOVE(&g.blocked, blocked, link);
		blocked->by = NULL;
	}
	result = set_locked(list, wanted, unlock, &conflict);
	if (result == -EAGAIN && blocked) {
		if (wanted->kind == LOCK_POSIX && is_deadlock(wanted->owner, conflict->owner)) {
			result = -EDEADLK;
		} else {
			blocked->owner = wanted->owner;
			blocked->by = conflict->owner;
			TAILQ_INSERT_TAIL(&g.blocked, blocked, link);
		}
	}
	unlock_all();
	if (result == 0)
		wait_queue_wake(&list->changed, LINUX_EPOLLOUT);
	return result;
}

static int set_blocking(struct file_lock_list *list, const struct file_lock *wanted)
{
	struct blocked blocked = {0};
	struct waiter waiter;
	int result;

	waiter_init_task(&waiter, current, LINUX_EPOLLOUT);
	wait_queue_add(&list->changed, &waiter);
	while ((result = set_attempt(list, wanted, false, &blocked)) == -EAGAIN) {
		result = task_block(current, INT64_MAX);
		if (result)
			break;
	}
	wait_queue_remove(&waiter);
	lock_all();
	if (blocked.by)
		TAILQ_REMOVE(&g.blocked, &blocked, link);
	unlock_all();
	return result;
}

static int range_from_flock(
	struct file *file, const struct linux_flock *flock, struct file_lock *out)
{
	int64_t start, end;

	switch (flock->l_whence) {
	case LINUX_SEEK_SET:
		start = 0;
		break;
	case LINUX_SEEK_CUR:
		start = file->position;
		break;
	case LINUX_SEEK_END:
		start = (int64_t)file->inode->attributes.size;
		break;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(start, flock->l_start, &start))
		return -EOVERFLOW;
	if (start < 0)
		return -EINVAL;
	end = INT64_MAX;
	if (flock->l_len > 0) {
		if (flock->l_len - 1 > INT64_MAX - start)
			return -EOVERFLOW;
		end = start + (flock->l_len - 1);
	} else if (flock->l_len < 0) {
		if (start + flock->l_len < 0)
			return -EINVAL;
		end = start - 1;
		start += flock->l_len;
	}
	out->start = start;
	out->end = end;
	return 0;
}

static int lock_from_flock(struct file *file, unsigned int command, const struct linux_flock *flock,
	struct file_lock *out)
{
	bool ofd = command == LINUX_F_OFD_GETLK || command == LINUX_F_OFD_SETLK ||
		   command == LINUX_F_OFD_SETLKW;

	if (flock->l_type != LINUX_F_RDLCK && flock->l_type != LINUX_F_WRLCK &&
		flock->l_type != LINUX_F_UNLCK)
		return -EINVAL;
	if (ofd && flock->l_pid != 0)
		return -EINVAL;
	memset(out, 0, sizeof(*out));
	out->kind = ofd ? LOCK_OFD : LOCK_POSIX;
	out->write = flock->l_type == LINUX_F_WRLCK;
	out->owner = ofd ? (const void *)file : current->files;
	out->pid = ofd ? NULL : current->group->pid;
	return range_from_flock(file, flock, out);
}

static int get_lock(struct file *file, const struct file_lock *wanted, struct linux_flock *flock)
{
	const struct file_lock *conflict = NULL;

	lock_all();
	if (file->inode->locks)
		conflict = find_conflict(&file->inode->locks->records, wanted);
	if (!conflict) {
		flock->l_type = LINUX_F_UNLCK;
	} else {
		flock->l_type = conflict->write ? LINUX_F_WRLCK : LINUX_F_RDLCK;
		flock->l_whence = LINUX_SEEK_SET;
		flock->l_start = conflict->start;
		flock->l_len = conflict->end == INT64_MAX ? 0 : conflict->end - conflict->start + 1;
		flock->l_pid = conflict->pid
				       ? pid_number_in(conflict->pid, task_pid_namespace(current))
				       : -1;
	}
	unlock_all();
	return 0;
}

/* A close(2) of another thread may have come between: what it released must not come back. */
static int recheck_descriptor(struct file *file, int fd, const struct file_lock *lock)
{
	struct file *now;
	bool same;

	if (lock->kind != LOCK_POSIX || !fd_table_is_shared(current->files))
		return 0;
	now = fd_get_path_too(current->files, fd);
	same = now == file;
	if (now)
		file_put(now);
	if (same)
		return 0;
	file_lock_release_posix(file, current->files);
	return -EBADF;
}

int file_lock_control(struct file *file, int fd, unsigned int command, struct linux_flock *flock)
{
	bool get = command == LINUX_F_GETLK || command == LINUX_F_OFD_GETLK;
	bool wait = command == LINUX_F_SETLKW || command == LINUX_F_OFD_SETLKW;
	bool unlock = flock->l_type == LINUX_F_UNLCK;
	struct file_lock_list *list;
	struct file_lock wanted;
	int result = lock_from_flock(file, command, flock, &wanted);

	if (result)
		return result;
	if (get) {
		if (unlock && wanted.kind == LOCK_POSIX)
			return -EINVAL;
		return get_lock(file, &wanted, flock);
	}
	if (!unlock && !(file->mode & (wanted.write ? FILE_WRITE : FILE_READ)))
		return -EBADF;
	if (unlock && !file->inode->locks)
		return 0;
	result = list_get(file->inode, &list);
	if (result)
		return result;
	if (wanted.kind == LOCK_OFD)
		atomic_fetch_add(&file->lock_count, 1);
	if (wait && !unlock)
		result = set_blocking(list, &wanted);
	else
		result = set_attempt(list, &wanted, unlock, NULL);
	return result || unlock ? result : recheck_descriptor(file, fd, &wanted);
}

static int flock_attempt(struct file_lock_list *list, struct file *file, bool write)
{
	struct file_lock wanted = {.kind = LOCK_FLOCK,
		.write = write,
		.end = INT64_MAX,
		.owner = file,
		.pid = current->group->pid};
	struct file_lock *lock, *next;
	bool freed = false;
	int result = 0;

	lock_all();
	TAILQ_FOREACH_SAFE (lock, &list->flocks, link, next) {
		if (lock->owner != file)
			continue;
		if (lock->write == write) {
			unlock_all();
			return 0;
		}
		/* A change of type lets go first; somebody else may get it then (flock(2)). */
		remove_locked(&list->flocks, lock);
		freed = true;
	}
	if (find_conflict(&list->flocks, &wanted)) {
		result = -EAGAIN;
	} else {
		lock = g.count < LOCKS_MAX ? lock_copy(&wanted) : NULL;
		if (lock)
			insert_locked(&list->flocks, NULL, lock);
		else
			result = -ENOLCK;
	}
	unlock_all();
	if (freed)
		wait_queue_wake(&list->changed, LINUX_EPOLLOUT);
	return result;
}

/* Removes what an owner holds of one kind; true if that was something. */
static bool release_kind(struct file_lock_list *list, enum lock_kind kind, const void *owner)
{
	struct lock_queue *queue = kind == LOCK_FLOCK ? &list->flocks : &list->records;
	struct file_lock *lock, *next;
	bool any = false;

	lock_all();
	TAILQ_FOREACH_SAFE (lock, queue, link, next) {
		if (lock->kind != kind || lock->owner != owner)
			continue;
		remove_locked(queue, lock);
		any = true;
	}
	unlock_all();
	if (any)
		wait_queue_wake(&list->changed, LINUX_EPOLLOUT);
	return any;
}

static int flock_blocking(struct file_lock_list *list, struct file *file, bool write)
{
	struct waiter waiter;
	int result;

	waiter_init_task(&waiter, current, LINUX_EPOLLOUT);
	wait_queue_add(&list->changed, &waiter);
	while ((result = flock_attempt(list, file, write)) == -EAGAIN) {
		result = task_block(current, INT64_MAX);
		if (result)
			break;
	}
	wait_queue_remove(&waiter);
	return result;
}

int file_flock(struct file *file, unsigned int operation)
{
	bool no_wait = operation & LINUX_LOCK_NB;
	struct file_lock_list *list;
	int result;

	operation &= ~(unsigned int)LINUX_LOCK_NB;
	if (operation == LINUX_LOCK_UN) {
		if (file->inode->locks)
			(void)release_kind(file->inode->locks, LOCK_FLOCK, file);
		return 0;
	}
	if (operation != LINUX_LOCK_SH && operation != LINUX_LOCK_EX)
		return -EINVAL;
	if (!(file->mode & (FILE_READ | FILE_WRITE)))
		return -EBADF;
	result = list_get(file->inode, &list);
	if (result)
		return result;
	atomic_fetch_add(&file->lock_count, 1);
	if (no_wait)
		return flock_attempt(list, file, operation == LINUX_LOCK_EX);
	return flock_blocking(list, file, operation == LINUX_LOCK_EX);
}

void file_lock_release_posix(struct file *file, struct fd_table *owner)
{
	if (file->inode->locks)
		(void)release_kind(file->inode->locks, LOCK_POSIX, owner);
}

void file_lock_release_file(struct file *file)
{
	struct file_lock_list *list = file->inode->locks;

	lease_release_file(file);
	if (!list)
		return;
	(void)release_kind(list, LOCK_OFD, file);
	(void)release_kind(list, LOCK_FLOCK, file);
}

static void show_lock(struct text_writer *out, unsigned int number, const struct inode *inode,
	const struct file_lock *lock)
{
	static const char *const names[] = {
		[LOCK_POSIX] = "POSIX ", [LOCK_OFD] = "OFDLCK", [LOCK_FLOCK] = "FLOCK "};
	int pid = lock->pid && current ? pid_number_in(lock->pid, task_pid_namespace(current)) : -1;

	text_printf(out, "%u: %s ADVISORY  %s %d %02x:%02x:%lu %ld ", number, names[lock->kind],
		lock->write ? "WRITE" : "READ ", pid, LINUX_MAJOR(inode->sb->dev),
		LINUX_MINOR(inode->sb->dev), inode->attributes.ino, lock->start);
	if (lock->end == INT64_MAX)
		text_printf(out, "EOF\n");
	else
		text_printf(out, "%ld\n", lock->end);
}

void file_lock_show_all(struct text_writer *out)
{
	const struct file_lock_list *list;
	const struct file_lock *lock;
	unsigned int number = 1;

	lock_all();
	TAILQ_FOREACH (list, &g.lists, link) {
		TAILQ_FOREACH (lock, &list->flocks, link)
			show_lock(out, number++, list->inode, lock);
		TAILQ_FOREACH (lock, &list->records, link)
			show_lock(out, number++, list->inode, lock);
	}
	unlock_all();
	(void)lease_show_all(out, number);
}
