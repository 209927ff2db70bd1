/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases: who holds one is told, by a signal, before somebody else opens or truncates the file.
 *
 * One lock for all of them, as for file locks. The signal of a break is sent by the timer's thread.
 * Differs from Linux: only local opens and truncations break leases, since nothing else asks for
 * it; there are no delegations.
 */
#include "sentry/vfs/lease.h"

#include "abi/capability.h"
#include "abi/epoll.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "base/text_writer.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/task.h"
#include "sentry/lock_order.h"
#include "sentry/time/clock.h"
#include "sentry/time/timer.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/owner.h"
#include "sentry/vfs/permission.h"

#include <errno.h>
#include <stdlib.h>

struct lease {
	LIST_ENTRY(lease) link;
	struct file *file; /* no reference: the file's end ends this */
	struct pid *pid;   /* of the process that took it; a reference */
	int fd, type;
	/* A break is under way, to nothing or to F_RDLCK; when it is carried out without being
	 * asked. */
	bool unlock_pending, downgrade_pending;
	int64_t unlock_ns, downgrade_ns;
	struct ktimer timer;
};

struct lease_list {
	LIST_ENTRY(lease_list) link; /* of all */
	struct inode *inode;	     /* owns this */
	LIST_HEAD(, lease) leases;
	struct wait_queue changed;
};

atomic_int g_lease_break_time = 45, g_leases_enable = 1;
static struct mutex lock; /* of everything in this file */
static LIST_HEAD(, lease_list) all = LIST_HEAD_INITIALIZER(all);

__attribute__((constructor)) static void lease_start(void)
{
	mutex_init(&lock, RANK_FD_TABLE + 2, "leases");
}

static void on_timer(struct ktimer *timer)
{
	struct lease *lease = container_of(timer, struct lease, timer);

	file_signal_owner(
		lease->file, lease->fd, LINUX_EPOLLIN | LINUX_EPOLLRDNORM | LINUX_EPOLLMSG);
}

void lease_list_free(struct lease_list *list)
{
	if (!list)
		return;
	mutex_lock(&lock);
	LIST_REMOVE(list, link);
	mutex_unlock(&lock);
	wait_queue_destroy(&list->changed);
	free(list);
}

static struct lease_list *list_get(struct inode *inode)
{
	struct lease_list *list;

	mutex_guard(&lock);
	list = inode->leases;
	if (list)
		return list;
	list = calloc(1, sizeof(*list));
	if (!list)
		return NULL;
	list->inode = inode;
	LIST_INIT(&list->leases);
	wait_queue_init(&list->changed);
	LIST_INSERT_HEAD(&all, list, link);
	inode->leases = list;
	return list;
}

static struct lease *lease_new(struct file *file)
{
	struct lease *lease = calloc(1, sizeof(*lease));

	if (!lease)
		return NULL;
	lease->file = file;
	lease->pid = pid_get(current->group->pid);
	ktimer_init(&lease->timer, on_timer);
	return lease;
}

/* It is in no list any more. */
static void lease_free(struct lease *lease)
{
	if (!lease)
		return;
	ktimer_cancel(&lease->timer, true);
	pid_put(lease->pid);
	free(lease);
}

static struct lease *find_locked(struct lease_list *list, const struct file *file)
{
	struct lease *lease;

	LIST_FOREACH (lease, &list->leases, link)
		if (lease->file == file)
			break;
	return lease;
}

/* What the holder will be left with, or has. */
static int target_type(const struct lease *lease)
{
	if (lease->unlock_pending)
		return LINUX_F_UNLCK;
	return lease->downgrade_pending ? LINUX_F_RDLCK : lease->type;
}

/* Carries out breaks whose time has come. An ended lease stays in the list as F_UNLCK, and is in
 * nobody's way, until its file or its holder takes it out. */
static void expire_locked(struct lease_list *list)
{
	int64_t now = clock_monotonic();
	struct lease *lease;

	LIST_FOREACH (lease, &list->leases, link) {
		if (lease->unlock_pending && lease->unlock_ns <= now) {
			lease->type = LINUX_F_UNLCK;
			lease->unlock_pending = lease->downgrade_pending = false;
		} else if (lease->downgrade_pending && lease->downgrade_ns <= now) {
			lease->type = LINUX_F_RDLCK;
			lease->downgrade_pending = false;
		}
	}
}

static bool in_the_way(const struct lease *lease, bool write)
{
	return lease->type == LINUX_F_WRLCK || (write && lease->type == LINUX_F_RDLCK);
}

/* When the last of those in the way will be gone; 0: there are none. tell: let them know. */
static int64_t wait_until_locked(struct lease_list *list, bool write, int64_t *tell)
{
	int64_t until = 0;
	struct lease *lease;

	expire_locked(list);
	LIST_FOREACH (lease, &list->leases, link) {
		if (!in_the_way(lease, write))
			continue;
		if (tell && write && !lease->unlock_pending) {
			lease->unlock_pending = true;
			lease->unlock_ns = *tell;
			ktimer_arm(&lease->timer, 0);
		} else if (tell && !lease->unlock_pending && !lease->downgrade_pending) {
			lease->downgrade_pending = true;
			lease->downgrade_ns = *tell;
			ktimer_arm(&lease->timer, 0);
		}
		until = lease->unlock_pending ? lease->unlock_ns : lease->downgrade_ns;
		if (!lease->unlock_pending && !lease->downgrade_pending)
			until = INT64_MAX;
		break;
	}
	return until;
}

static int64_t wait_until(struct lease_list *list, bool write, int64_t *tell)
{
	mutex_guard(&lock);
	return wait_until_locked(list, write, tell);
}

int lease_break(struct inode *inode, bool write, bool no_wait)
{
	struct lease_list *list = inode->leases;
	int seconds = g_lease_break_time, result = 0;
	int64_t deadline, until;
	struct waiter waiter;

	if (likely(!list) || !current)
		return 0;
	deadline = seconds ? clock_monotonic() + seconds * 1000000000ll : INT64_MAX;
	if (!wait_until(list, write, &deadline))
		return 0;
	if (no_wait)
		return -EAGAIN;
	waiter_init_task(&waiter, current, LINUX_EPOLLOUT);
	wait_queue_add(&list->changed, &waiter);
	while ((until = wait_until(list, write, &deadline))) {
		result = task_block(current, until);
		if (result && result != -ETIMEDOUT)
			break;
		result = 0;
	}
	wait_queue_remove(&waiter);
	return result;
}

/* Who else has the file open in a way that the lease would not have allowed? */
static bool opened_otherwise(struct file *file, int type)
{
	struct inode *inode = file->inode;
	int writers = inode->writers, own_writer = !!(file->mode & FILE_WRITE);

	if (type == LINUX_F_RDLCK)
		return writers > 0;
	return (writers > 0 ? writers : 0) != own_writer || inode->readers != !own_writer;
}

/* *spare is used if there is none yet. */
static int set_locked(struct lease_list *list, struct file *file, int type, struct lease **spare)
{
	struct lease *own, *lease;

	expire_locked(list);
	LIST_FOREACH (lease, &list->leases, link) {
		if (lease->file == file || lease->type == LINUX_F_UNLCK)
			continue;
		if (type == LINUX_F_WRLCK || lease->unlock_pending)
			return -EAGAIN;
	}
	own = find_locked(list, file);
	if (!own) {
		own = *spare;
		*spare = NULL;
		own->type = LINUX_F_UNLCK;
		LIST_INSERT_HEAD(&list->leases, own, link);
	}
	if (opened_otherwise(file, type))
		return -EAGAIN;
	own->type = type;
	own->downgrade_pending &= type == LINUX_F_WRLCK;
	return 0;
}

static int lease_add(struct file *file, int fd, int type)
{
	struct lease_list *list = list_get(file->inode);
	struct lease *lease = list ? lease_new(file) : NULL;
	int result;

	if (!lease)
		return -ENOMEM;
	lease->fd = fd;
	atomic_fetch_add(&file->lock_count, 1);
	mutex_lock(&lock);
	result = set_locked(list, file, type, &lease);
	mutex_unlock(&lock);
	lease_free(lease);
	if (result)
		return result;
	wait_queue_wake(&list->changed, LINUX_EPOLLOUT);
	file_set_owner_if_none(file);
	return 0;
}

static bool lease_remove(struct file *file)
{
	struct lease_list *list = file->inode->leases;
	struct lease *lease;
	bool held;

	if (!list)
		return false;
	mutex_lock(&lock);
	expire_locked(list);
	lease = find_locked(list, file);
	held = lease && lease->type != LINUX_F_UNLCK;
	if (lease)
		LIST_REMOVE(lease, link);
	mutex_unlock(&lock);
	if (!lease)
		return false;
	lease_free(lease);
	wait_queue_wake(&list->changed, LINUX_EPOLLOUT);
	return held;
}

void lease_release_file(struct file *file)
{
	(void)lease_remove(file);
}

int lease_set(struct file *file, int fd, int type)
{
	const struct cred *cred = vfs_cred();

	if (type != LINUX_F_RDLCK && type != LINUX_F_WRLCK && type != LINUX_F_UNLCK)
		return -EINVAL;
	if (cred->fsuid != file->inode->attributes.uid && !vfs_capable(cred, LINUX_CAP_LEASE))
		return -EACCES;
	if (!inode_is_type(file->inode, LINUX_S_IFREG))
		return -EINVAL;
	if (type != LINUX_F_UNLCK)
		return g_leases_enable ? lease_add(file, fd, type) : -EINVAL;
	if (!lease_remove(file))
		return -EAGAIN;
	file_forget_owner(file);
	return 0;
}

int lease_get_type(struct file *file)
{
	struct lease_list *list = file->inode->leases;
	struct lease *lease;

	if (!list)
		return LINUX_F_UNLCK;
	mutex_guard(&lock);
	expire_locked(list);
	lease = find_locked(list, file);
	return lease ? target_type(lease) : LINUX_F_UNLCK;
}

unsigned int lease_show_all(struct text_writer *out, unsigned int number)
{
	const struct lease_list *list;
	const struct lease *lease;

	mutex_guard(&lock);
	LIST_FOREACH (list, &all, link) {
		LIST_FOREACH (lease, &list->leases, link) {
			bool breaking = lease->unlock_pending || lease->downgrade_pending;
			const struct inode *inode = list->inode;

			if (lease->type == LINUX_F_UNLCK)
				continue;
			text_printf(out, "%u: LEASE  %s %s %d %02x:%02x:%lu 0 EOF\n", number++,
				breaking ? "BREAKING " : "ACTIVE   ",
				target_type(lease) == LINUX_F_WRLCK   ? "WRITE"
				: target_type(lease) == LINUX_F_RDLCK ? "READ "
								      : "UNLCK",
				pid_number_in(lease->pid, task_pid_namespace(current)),
				LINUX_MAJOR(inode->sb->dev), LINUX_MINOR(inode->sb->dev),
				inode->attributes.ino);
		}
	}
	return number;
}
