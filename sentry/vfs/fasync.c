/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signal-driven I/O (fcntl(2): F_SETOWN, F_SETSIG, O_ASYNC).
 *
 * A wake-up comes with the file's queue locked, where no signal may be sent: so it only notes the
 * events and arms a timer that is due at once, and the timer's thread sends.
 */
#include "abi/capability.h"
#include "abi/epoll.h"
#include "abi/fcntl.h"
#include "abi/poll.h"
#include "abi/signal.h"
#include "base/log.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"
#include "sentry/lock_order.h"
#include "sentry/security/landlock/landlock.h"
#include "sentry/time/timer.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/file_new.h"
#include "sentry/vfs/owner.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct file_async {
	struct file *file; /* set once; owns this */
	struct ktimer timer;
	_Atomic uint32_t events; /* since the last signal */
	int fd;			 /* that O_ASYNC was set through: what the siginfo says */
};

/* The owner as it is now: references, so that sending needs none of the file's locks. */
struct target {
	struct pid *pid;
	int type, signal;
	uint32_t uid, euid; /* of who set it */
	struct landlock_domain *landlock;
	struct pid *setter;
};

static bool get_target(struct file *file, struct target *out)
{
	mutex_guard(&file->lock);
	if (!file->owner.pid)
		return false;
	*out = (struct target){pid_get(file->owner.pid), file->owner.type, file->owner.signal,
		file->owner.uid, file->owner.euid, landlock_domain_get(file->owner.landlock),
		file->owner.setter ? pid_get(file->owner.setter) : NULL};
	return true;
}

static void put_target(struct target *target)
{
	pid_put(target->pid);
	landlock_domain_put(target->landlock);
	pid_put(target->setter);
}

static void fill_info(struct linux_siginfo *info, int signal, uint32_t events, int fd)
{
	int code = LINUX_POLL_OUT;

	if (events & LINUX_EPOLLHUP)
		code = LINUX_POLL_HUP;
	else if (events & LINUX_EPOLLERR)
		code = LINUX_POLL_ERR;
	else if (events & LINUX_EPOLLPRI)
		code = LINUX_POLL_PRI;
	else if (events & LINUX_EPOLLMSG)
		code = LINUX_POLL_MSG;
	else if (events & LINUX_EPOLLIN)
		code = LINUX_POLL_IN;
	if (signal == 0) {
		siginfo_kernel(info, LINUX_SIGIO);
		return;
	}
	memset(info, 0, sizeof(*info));
	info->si_signo = signal;
	info->si_code = code;
	info->sigpoll.si_band =
		events &
		(LINUX_EPOLLIN | LINUX_EPOLLPRI | LINUX_EPOLLOUT | LINUX_EPOLLERR | LINUX_EPOLLHUP |
			LINUX_EPOLLRDNORM | LINUX_EPOLLWRNORM | LINUX_EPOLLMSG);
	info->sigpoll.si_fd = fd;
}

/* The rule of kill(2), with the ids and the domain of who set the owner. */
static bool may_send(const struct target *target, struct task *task)
{
	const struct cred *cred = task_get_cred(task);
	bool may;

	if (!cred)
		return false;
	may = target->euid == 0 || target->euid == cred->suid || target->euid == cred->uid ||
	      target->uid == cred->suid || target->uid == cred->uid;
	if (target->landlock && target->setter != task->group->pid &&
		landlock_check_scope(
			target->landlock, cred->landlock, LINUX_LANDLOCK_SCOPE_SIGNAL))
		may = false;
	cred_put(cred);
	return may;
}

static void send_to_process_group(const struct target *target, const struct linux_siginfo *info)
{
	struct thread_group *group;

	mutex_guard(&g_tasks.lock);
	LIST_FOREACH (group, &target->pid->group_members, group_member) {
		if (may_send(target, group->leader))
			(void)signal_send_group(group, info);
	}
}

static void send(const struct target *target, const struct linux_siginfo *info)
{
	struct task *task = NULL;

	if (target->type == LINUX_F_OWNER_PGRP) {
		send_to_process_group(target, info);
		return;
	}
	mutex_lock(&g_tasks.lock);
	if (target->pid->task)
		task = task_get(target->pid->task);
	mutex_unlock(&g_tasks.lock);
	if (!task)
		return;
	if (!may_send(target, task))
		log_debug("SIGIO: the owner of a file may not be sent signals");
	else if (target->type == LINUX_F_OWNER_TID)
		(void)signal_send_task(task, info);
	else
		(void)signal_send_group(task->group, info);
	task_put(task);
}

void file_signal_owner(struct file *file, int fd, uint32_t events)
{
	struct linux_siginfo info;
	struct target target;

	if (!get_target(file, &target))
		return;
	fill_info(&info, target.signal, events, fd);
	send(&target, &info);
	put_target(&target);
}

static void async_expire(struct ktimer *timer)
{
	struct file_async *async = container_of(timer, struct file_async, timer);
	uint32_t events = atomic_exchange(&async->events, 0);

	if (events)
		file_signal_owner(async->file, async->fd, events);
}

static bool async_wake(struct waiter *waiter, uint32_t events)
{
	struct file *file = container_of(waiter, struct file, async_waiter);

	atomic_fetch_or(&file->async->events, events);
	ktimer_arm(&file->async->timer, 0);
	return false;
}

static void async_stop(struct file *file)
{
	wait_queue_remove(&file->async_waiter);
	ktimer_cancel(&file->async->timer, true);
}

void file_async_free(struct file *file)
{
	async_stop(file);
	free(file->async);
	file->async = NULL;
}

/* file->async stays until the file goes: a wake-up may be on its way. */
static int async_start(struct file *file)
{
	struct wait_queue *queue = file->ops->wait_queue ? file->ops->wait_queue(file) : NULL;
	struct file_async *async;

	if (!queue)
		return -ENOTTY;
	mutex_lock(&file->lock);
	if (!file->async) {
		async = calloc(1, sizeof(*async));
		if (!async) {
			mutex_unlock(&file->lock);
			return -ENOMEM;
		}
		async->file = file;
		ktimer_init(&async->timer, async_expire);
		file->async = async;
	}
	mutex_unlock(&file->lock);
	file->async_waiter.events = LINUX_EPOLLIN | LINUX_EPOLLPRI | LINUX_EPOLLOUT;
	file->async_waiter.wake = async_wake;
	file->async_waiter.each = true;
	wait_queue_add(queue, &file->async_waiter);
	return 0;
}

/* One change at a time: a waiter must not be in a queue twice. */
static struct mutex toggle_lock;
static pthread_once_t toggle_once = PTHREAD_ONCE_INIT;

static void toggle_init(void)
{
	mutex_init(&toggle_lock, RANK_FILE - 1, "fasync");
}

int file_set_async(struct file *file, bool on)
{
	int result = 0;

	pthread_once(&toggle_once, toggle_init);
	mutex_guard(&toggle_lock);
	if (on == !!(file->flags & LINUX_FASYNC))
		return 0;
	if (on)
		result = async_start(file);
	else if (file->async)
		async_stop(file);
	if (result)
		return result;
	if (on)
		file->flags |= LINUX_FASYNC;
	else
		file->flags &= ~(uint32_t)LINUX_FASYNC;
	return 0;
}

void file_set_async_fd(struct file *file, int fd)
{
	mutex_guard(&file->lock);
	if (file->async)
		file->async->fd = fd;
}

/* The reference to pid is consumed. */
static void set_owner(struct file *file, struct pid *pid, int type)
{
	struct landlock_domain *domain = landlock_current();
	bool scoped = pid && domain && landlock_domain_scopes(domain, LINUX_LANDLOCK_SCOPE_SIGNAL);
	struct target old;

	mutex_lock(&file->lock);
	old = (struct target){.pid = file->owner.pid,
		.landlock = file->owner.landlock,
		.setter = file->owner.setter};
	file->owner.pid = pid;
	file->owner.type = type;
	file->owner.uid = current->cred->uid;
	file->owner.euid = current->cred->euid;
	file->owner.landlock = scoped ? landlock_domain_get(domain) : NULL;
	file->owner.setter = scoped ? pid_get(current->group->pid) : NULL;
	mutex_unlock(&file->lock);
	put_target(&old);
}

int file_set_owner(struct file *file, int type, int number)
{
	struct pid *pid = NULL;

	if (type != LINUX_F_OWNER_TID && type != LINUX_F_OWNER_PID && type != LINUX_F_OWNER_PGRP)
		return -EINVAL;
	if (number) {
		pid = pid_find(task_pid_namespace(current), number);
		if (!pid)
			return -ESRCH;
	}
	set_owner(file, pid, type);
	return 0;
}

void file_forget_owner(struct file *file)
{
	set_owner(file, NULL, LINUX_F_OWNER_PID);
	mutex_guard(&file->lock);
	file->owner.signal = 0;
}

void file_set_owner_if_none(struct file *file)
{
	bool none;

	mutex_lock(&file->lock);
	none = !file->owner.pid;
	mutex_unlock(&file->lock);
	if (none)
		set_owner(file, pid_get(current->group->pid), LINUX_F_OWNER_PID);
}

int file_get_owner(struct file *file, int *type)
{
	mutex_guard(&file->lock);
	*type = file->owner.type;
	return pid_number_in(file->owner.pid, task_pid_namespace(current));
}

int file_set_owner_number(struct file *file, int number)
{
	if (number == INT32_MIN)
		return -EINVAL;
	return number < 0 ? file_set_owner(file, LINUX_F_OWNER_PGRP, -number)
			  : file_set_owner(file, LINUX_F_OWNER_PID, number);
}

int file_get_owner_number(struct file *file)
{
	int type, number = file_get_owner(file, &type);

	return type == LINUX_F_OWNER_PGRP ? -number : number;
}
