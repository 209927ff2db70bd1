/* SPDX-License-Identifier: Apache-2.0 */
/* Notification (mq_notify(3)): by a signal, or through a netlink socket on which the C library's
 * thread waits. */
#include "sentry/fs/mqueue/mqueue_queue.h"

#include "base/log.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"
#include "sentry/net/netlink/netlink.h"
#include "sentry/net/socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct task *owner_task(struct pid *owner)
{
	mutex_guard(&g_tasks.lock);
	return owner->task ? task_get(owner->task) : NULL;
}

static void send_signal(const struct mqueue_notification *notification, struct task *sender)
{
	const struct linux_sigevent *event = &notification->event;
	struct task *task = event->sigev_signo ? owner_task(notification->owner) : NULL;
	struct linux_siginfo info;

	if (!task)
		return;
	siginfo_user(&info, event->sigev_signo, sender, task);
	info.si_code = LINUX_SI_MESGQ;
	info.rt.si_sigval = event->sigev_value;
	(void)signal_send_group(task->group, &info);
	task_put(task);
}

/* The last byte of the cookie says what happened. */
static void tell_socket(struct mqueue_notification *notification, uint8_t what)
{
	notification->cookie[LINUX_NOTIFY_COOKIE_LEN - 1] = what;
	if (netlink_tell(file_socket(notification->socket), notification->cookie,
		    sizeof(notification->cookie)))
		log_debug("mq_notify: the netlink socket takes no more");
}

struct mqueue_notification mqueue_take_notification(struct mqueue *queue)
{
	struct mqueue_notification taken = queue->notification;

	memset(&queue->notification, 0, sizeof(queue->notification));
	return taken;
}

void mqueue_tell(struct mqueue_notification *notification, struct task *sender)
{
	if (!notification->owner)
		return;
	if (notification->socket)
		tell_socket(notification, sender ? LINUX_NOTIFY_WOKENUP : LINUX_NOTIFY_REMOVED);
	else if (sender && notification->event.sigev_notify == LINUX_SIGEV_SIGNAL)
		send_signal(notification, sender);
	if (notification->socket)
		file_put(notification->socket);
	pid_put(notification->owner);
}

/* Takes the registration of the current process back. */
static void take_back(struct mqueue *queue)
{
	struct mqueue_notification taken = {0};

	mutex_lock(&queue->lock);
	if (queue->notification.owner == current->group->pid)
		taken = mqueue_take_notification(queue);
	mutex_unlock(&queue->lock);
	mqueue_tell(&taken, NULL);
}

int mqueue_notify(struct task *task, struct file *file, const struct linux_sigevent *event,
	struct file *socket, const uint8_t *cookie)
{
	struct mqueue *queue = mqueue_of(file);
	struct mqueue_notification *notification = &queue->notification;

	if (!event) {
		take_back(queue);
		return 0;
	}
	mutex_guard(&queue->lock);
	if (notification->owner)
		return -EBUSY;
	notification->owner = pid_get(task->group->pid);
	notification->event = *event;
	if (socket) {
		notification->socket = file_get(socket);
		memcpy(notification->cookie, cookie, sizeof(notification->cookie));
	}
	return 0;
}

int mqueue_flush(struct file *file)
{
	if (current)
		take_back(mqueue_of(file));
	return 0;
}

size_t mqueue_describe(struct mqueue *queue, char *buffer, size_t size)
{
	const struct mqueue_notification *notification = &queue->notification;
	int signal = 0, owner = 0, length;

	mutex_guard(&queue->lock);
	if (notification->owner) {
		owner = pid_number_in(notification->owner, task_pid_namespace(current));
		if (notification->event.sigev_notify == LINUX_SIGEV_SIGNAL)
			signal = notification->event.sigev_signo;
	}
	length = snprintf(buffer, size, "QSIZE:%-10ld NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n",
		(long)queue->bytes, notification->owner ? notification->event.sigev_notify : 0,
		signal, owner);
	return (size_t)length;
}
