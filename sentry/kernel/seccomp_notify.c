/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notifications of a seccomp filter to its supervisor (seccomp_unotify(2)).
 *
 * A notification lives on the stack of the thread whose call waits. The supervisor reads it from
 * the listener's descriptor, may put descriptors into the thread's process, which the thread does
 * itself, and answers. One lock a listener guards all of it.
 *
 * Differs from Linux: SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP is accepted and changes nothing.
 */
#include "sentry/kernel/seccomp_notify.h"

#include "abi/epoll.h"
#include "abi/fcntl.h"
#include "abi/ioctl.h"
#include "abi/seccomp.h"
#include "sentry/kernel/signal.h"
#include "sentry/lock_order.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

REFCOUNT_TYPE(notifier_refs, "seccomp_notifier");

/* ANSWERING: a descriptor that is the answer is on its way. */
enum notification_state {
	NOTIFICATION_NEW,
	NOTIFICATION_SENT,
	NOTIFICATION_ANSWERING,
	NOTIFICATION_REPLIED
};
enum transfer_state { TRANSFER_QUEUED, TRANSFER_TAKEN, TRANSFER_DONE };

/* A descriptor on its way into the target; on the supervisor's stack, who waits until it is done.
 */
struct transfer {
	TAILQ_ENTRY(transfer) link;
	struct file *file; /* borrowed of the supervisor */
	struct task *supervisor;
	int fd; /* with set_fd: where to */
	bool set_fd, close_on_exec, reply;
	enum transfer_state state;
	int result;
};

struct notification {
	TAILQ_ENTRY(notification) link;
	struct task *task;
	uint64_t id;
	struct linux_seccomp_data data;
	enum notification_state state;
	int64_t value;
	int32_t error;
	uint32_t flags;
	TAILQ_HEAD(, transfer) transfers;
};

struct seccomp_notifier {
	struct refcount refs;
	struct mutex lock; /* RANK_PIPE: everything below, and all notifications */
	struct wait_queue queue;
	TAILQ_HEAD(, notification) notifications;
	uint64_t next_id;
	bool killable_receive; /* set once: what was received ends only by an answer or a kill */
	bool closed;	       /* the descriptor is gone: nobody answers */
	bool hung_up;	       /* the filter is gone: nobody asks */
};

void seccomp_notifier_get(struct seccomp_notifier *notifier)
{
	refcount_get(&notifier->refs);
}

void seccomp_notifier_put(struct seccomp_notifier *notifier)
{
	if (!refcount_put(&notifier->refs))
		return;
	wait_queue_destroy(&notifier->queue);
	mutex_destroy(&notifier->lock);
	free(notifier);
}

void seccomp_notifier_hang_up(struct seccomp_notifier *notifier)
{
	mutex_lock(&notifier->lock);
	notifier->hung_up = true;
	mutex_unlock(&notifier->lock);
	wait_queue_wake(&notifier->queue, LINUX_EPOLLHUP);
}

/* --- the thread that asks --- */

static void transfer_finish_locked(struct transfer *transfer, int result)
{
	struct task *supervisor = task_get(transfer->supervisor);

	transfer->result = result;
	/* From here on it may be gone. */
	transfer->state = TRANSFER_DONE;
	task_wake(supervisor);
	task_put(supervisor);
}

static int transfer_install(struct task *task, const struct transfer *transfer)
{
	int fd;

	if (transfer->set_fd) {
		fd = fd_replace(task->files, transfer->fd, transfer->file, transfer->close_on_exec);
		return fd < 0 ? fd : transfer->fd;
	}
	fd = fd_install(task->files, 0, file_get(transfer->file), transfer->close_on_exec);
	if (fd < 0)
		file_put(transfer->file);
	return fd;
}

/* Takes over what the supervisor sent; the lock is dropped for each. */
static void transfers_run_locked(
	struct seccomp_notifier *notifier, struct notification *notification)
{
	struct transfer *transfer;

	while ((transfer = TAILQ_FIRST(&notification->transfers))) {
		int fd;

		TAILQ_REMOVE(&notification->transfers, transfer, link);
		transfer->state = TRANSFER_TAKEN;
		mutex_unlock(&notifier->lock);
		fd = transfer_install(notification->task, transfer);
		mutex_lock(&notifier->lock);
		if (transfer->reply && fd >= 0) {
			notification->state = NOTIFICATION_REPLIED;
			notification->value = fd;
			notification->error = 0;
			notification->flags = 0;
		} else if (transfer->reply) {
			notification->state = NOTIFICATION_SENT;
		}
		transfer_finish_locked(transfer, fd);
	}
}

/* 0: answered; or the error that interrupted the wait. */
static int wait_for_answer_locked(
	struct seccomp_notifier *notifier, struct notification *notification)
{
	struct task *task = notification->task;

	for (;;) {
		bool killable =
			notifier->killable_receive && notification->state != NOTIFICATION_NEW;
		int error;

		mutex_unlock(&notifier->lock);
		error = killable ? task_block_killable(task, INT64_MAX)
				 : task_block(task, INT64_MAX);
		mutex_lock(&notifier->lock);
		transfers_run_locked(notifier, notification);
		if (notification->state == NOTIFICATION_REPLIED)
			return 0;
		/* It was received while the signal came: from now on only a kill counts. */
		if (error && !killable && notifier->killable_receive &&
			notification->state != NOTIFICATION_NEW)
			continue;
		if (error)
			return -ERESTARTSYS;
	}
}

static int ask_locked(struct seccomp_notifier *notifier, struct notification *notification)
{
	struct transfer *transfer;
	int error;

	if (notifier->closed)
		return -ENOSYS;
	notification->id = notifier->next_id++;
	TAILQ_INSERT_TAIL(&notifier->notifications, notification, link);
	wait_queue_wake(&notifier->queue, LINUX_EPOLLIN | LINUX_EPOLLRDNORM);
	error = wait_for_answer_locked(notifier, notification);
	TAILQ_REMOVE(&notifier->notifications, notification, link);
	while ((transfer = TAILQ_FIRST(&notification->transfers))) {
		TAILQ_REMOVE(&notification->transfers, transfer, link);
		transfer_finish_locked(transfer, -ESRCH);
	}
	return error;
}

enum seccomp_verdict seccomp_notify(
	struct seccomp_notifier *notifier, struct task *task, const struct linux_seccomp_data *data)
{
	struct notification notification = {.task = task, .data = *data};
	int error;

	TAILQ_INIT(&notification.transfers);
	mutex_lock(&notifier->lock);
	error = ask_locked(notifier, &notification);
	mutex_unlock(&notifier->lock);
	if (error) {
		task->syscall_result = error;
		return SECCOMP_VERDICT_SKIP;
	}
	if (notification.flags & LINUX_SECCOMP_USER_NOTIF_FLAG_CONTINUE)
		return SECCOMP_VERDICT_ALLOW;
	task->syscall_result = notification.error ? notification.error : notification.value;
	return SECCOMP_VERDICT_SKIP;
}

/* --- the supervisor --- */

static struct notification *find_locked(struct seccomp_notifier *notifier, uint64_t id)
{
	struct notification *notification;

	TAILQ_FOREACH (notification, &notifier->notifications, link) {
		if (notification->id == id)
			return notification;
	}
	return NULL;
}

static struct notification *find_state_locked(
	struct seccomp_notifier *notifier, enum notification_state state)
{
	struct notification *notification;

	TAILQ_FOREACH (notification, &notifier->notifications, link) {
		if (notification->state == state)
			return notification;
	}
	return NULL;
}

/* Takes the oldest new notification; -EAGAIN: there is none now, -ENOENT: there will be none. */
static int receive_locked(
	struct seccomp_notifier *notifier, struct task *task, struct linux_seccomp_notif *message)
{
	struct notification *notification = find_state_locked(notifier, NOTIFICATION_NEW);

	if (!notification)
		return notifier->hung_up ? -ENOENT : -EAGAIN;
	notification->state = NOTIFICATION_SENT;
	*message = (struct linux_seccomp_notif){
		.id = notification->id,
		.pid = (uint32_t)task_tid_seen_by(notification->task, task),
		.data = notification->data,
	};
	if (notifier->killable_receive)
		task_wake(notification->task);
	return 0;
}

/* Nobody got it after all. */
static void receive_undo(struct seccomp_notifier *notifier, uint64_t id)
{
	struct notification *notification;

	mutex_lock(&notifier->lock);
	notification = find_locked(notifier, id);
	if (notification && notification->state == NOTIFICATION_SENT)
		notification->state = NOTIFICATION_NEW;
	mutex_unlock(&notifier->lock);
	wait_queue_wake(&notifier->queue, LINUX_EPOLLIN | LINUX_EPOLLRDNORM);
}

static bool is_zero(const void *bytes, size_t size)
{
	const uint8_t *place = bytes;

	for (size_t i = 0; i < size; i++) {
		if (place[i])
			return false;
	}
	return true;
}

static int64_t notif_receive(struct seccomp_notifier *notifier, struct task *task, gaddr_t address)
{
	struct linux_seccomp_notif message;
	struct waiter waiter;
	int error = 0;

	if (mm_copy_in(task->mm, &message, address, sizeof(message)))
		return -EFAULT;
	if (!is_zero(&message, sizeof(message)))
		return -EINVAL;
	waiter_init_task(&waiter, task, LINUX_EPOLLIN);
	wait_queue_add(&notifier->queue, &waiter);
	for (;;) {
		mutex_lock(&notifier->lock);
		error = receive_locked(notifier, task, &message);
		mutex_unlock(&notifier->lock);
		if (error != -EAGAIN)
			break;
		error = task_block(task, INT64_MAX);
		if (error)
			break;
	}
	wait_queue_remove(&waiter);
	if (error)
		return error;
	wait_queue_wake(&notifier->queue, LINUX_EPOLLOUT | LINUX_EPOLLWRNORM);
	if (!mm_copy_out(task->mm, address, &message, sizeof(message)))
		return 0;
	receive_undo(notifier, message.id);
	return -EFAULT;
}

static int64_t notif_send(struct seccomp_notifier *notifier, struct task *task, gaddr_t address)
{
	struct linux_seccomp_notif_resp answer;
	struct notification *notification;

	if (mm_copy_in(task->mm, &answer, address, sizeof(answer)))
		return -EFAULT;
	if (answer.flags & ~(uint32_t)LINUX_SECCOMP_USER_NOTIF_FLAG_CONTINUE)
		return -EINVAL;
	if ((answer.flags & LINUX_SECCOMP_USER_NOTIF_FLAG_CONTINUE) && (answer.error || answer.val))
		return -EINVAL;
	mutex_guard(&notifier->lock);
	notification = find_locked(notifier, answer.id);
	if (!notification)
		return -ENOENT;
	if (notification->state != NOTIFICATION_SENT)
		return -EINPROGRESS;
	notification->state = NOTIFICATION_REPLIED;
	notification->value = answer.val;
	notification->error = answer.error;
	notification->flags = answer.flags;
	task_wake(notification->task);
	return 0;
}

static int64_t notif_id_valid(struct seccomp_notifier *notifier, struct task *task, gaddr_t address)
{
	struct notification *notification;
	uint64_t id;

	if (mm_copy_in(task->mm, &id, address, sizeof(id)))
		return -EFAULT;
	mutex_guard(&notifier->lock);
	notification = find_locked(notifier, id);
	return notification && notification->state == NOTIFICATION_SENT ? 0 : -ENOENT;
}

static int transfer_queue_locked(
	struct seccomp_notifier *notifier, uint64_t id, struct transfer *transfer)
{
	struct notification *notification = find_locked(notifier, id);

	if (!notification)
		return -ENOENT;
	if (notification->state != NOTIFICATION_SENT)
		return -EINPROGRESS;
	if (transfer->reply) {
		/* What was sent before would come after the answer. */
		if (!TAILQ_EMPTY(&notification->transfers))
			return -EBUSY;
		/* One answer only; the thread makes it a sent one again if the descriptor does not
		 * fit. */
		notification->state = NOTIFICATION_ANSWERING;
	}
	TAILQ_INSERT_TAIL(&notification->transfers, transfer, link);
	task_wake(notification->task);
	return 0;
}

/* Waits until the thread took the descriptor, or takes it back. */
static int64_t transfer_wait(struct seccomp_notifier *notifier, struct task *task, uint64_t id,
	struct transfer *transfer)
{
	struct notification *notification;
	int error;

	for (;;) {
		error = task_block(task, INT64_MAX);
		mutex_lock(&notifier->lock);
		if (transfer->state == TRANSFER_DONE) {
			mutex_unlock(&notifier->lock);
			return transfer->result;
		}
		if (error && transfer->state == TRANSFER_QUEUED) {
			notification = find_locked(notifier, id);
			TAILQ_REMOVE(&notification->transfers, transfer, link);
			if (transfer->reply)
				notification->state = NOTIFICATION_SENT;
			mutex_unlock(&notifier->lock);
			return -ERESTARTSYS;
		}
		mutex_unlock(&notifier->lock);
		/* The thread is at it: a matter of microseconds. */
		if (error)
			(void)sched_yield();
	}
}

static int64_t notif_add_fd(
	struct seccomp_notifier *notifier, struct task *task, gaddr_t address, size_t size)
{
	struct linux_seccomp_notif_addfd request;
	struct transfer transfer = {.supervisor = task};
	uint8_t bytes[PAGE_SIZE];
	auto_file struct file *file = NULL;
	int error;

	if (size < sizeof(request) || size >= sizeof(bytes))
		return -EINVAL;
	if (mm_copy_in(task->mm, bytes, address, size))
		return -EFAULT;
	if (!is_zero(bytes + sizeof(request), size - sizeof(request)))
		return -E2BIG;
	__builtin_memcpy(&request, bytes, sizeof(request));
	if (request.newfd_flags & ~(uint32_t)LINUX_O_CLOEXEC)
		return -EINVAL;
	if (request.flags &
		~(uint32_t)(LINUX_SECCOMP_ADDFD_FLAG_SETFD | LINUX_SECCOMP_ADDFD_FLAG_SEND))
		return -EINVAL;
	transfer.set_fd = request.flags & LINUX_SECCOMP_ADDFD_FLAG_SETFD;
	transfer.reply = request.flags & LINUX_SECCOMP_ADDFD_FLAG_SEND;
	transfer.close_on_exec = request.newfd_flags & LINUX_O_CLOEXEC;
	transfer.fd = (int)request.newfd;
	if (request.newfd && !transfer.set_fd)
		return -EINVAL;
	file = fd_get(task->files, (int)request.srcfd);
	if (!file)
		return -EBADF;
	transfer.file = file;
	mutex_lock(&notifier->lock);
	error = transfer_queue_locked(notifier, request.id, &transfer);
	mutex_unlock(&notifier->lock);
	return error ? error : transfer_wait(notifier, task, request.id, &transfer);
}

static int64_t notifier_ioctl(
	struct file *file, struct task *task, uint32_t command, uint64_t argument)
{
	struct seccomp_notifier *notifier = file->private;
	const uint32_t size_mask = 0x3fffu << 16;

	switch (command) {
	case LINUX_SECCOMP_IOCTL_NOTIF_RECV:
		return notif_receive(notifier, task, argument);
	case LINUX_SECCOMP_IOCTL_NOTIF_SEND:
		return notif_send(notifier, task, argument);
	/* Its direction was wrong in the first kernels that had it. */
	case LINUX_SECCOMP_IOCTL_NOTIF_ID_VALID:
	case LINUX_SECCOMP_IOCTL_NOTIF_ID_VALID ^ 0xc0000000u:
		return notif_id_valid(notifier, task, argument);
	case LINUX_SECCOMP_IOCTL_NOTIF_SET_FLAGS:
		return argument & ~(uint64_t)LINUX_SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP ? -EINVAL : 0;
	default:
		break;
	}
	if ((command & ~size_mask) == (LINUX_SECCOMP_IOCTL_NOTIF_ADDFD & ~size_mask))
		return notif_add_fd(notifier, task, argument, LINUX_IOC_SIZE(command));
	return -EINVAL;
}

static uint32_t notifier_poll(struct file *file)
{
	struct seccomp_notifier *notifier = file->private;
	uint32_t events = 0;

	mutex_guard(&notifier->lock);
	if (find_state_locked(notifier, NOTIFICATION_NEW))
		events |= LINUX_EPOLLIN | LINUX_EPOLLRDNORM;
	if (find_state_locked(notifier, NOTIFICATION_SENT))
		events |= LINUX_EPOLLOUT | LINUX_EPOLLWRNORM;
	if (notifier->hung_up)
		events |= LINUX_EPOLLHUP;
	return events;
}

static struct wait_queue *notifier_wait_queue(struct file *file)
{
	return &((struct seccomp_notifier *)file->private)->queue;
}

/* Calls that wait get what they would have got without a listener. */
static void notifier_release(struct file *file)
{
	struct seccomp_notifier *notifier = file->private;
	struct notification *notification;

	mutex_lock(&notifier->lock);
	notifier->closed = true;
	TAILQ_FOREACH (notification, &notifier->notifications, link) {
		if (notification->state == NOTIFICATION_REPLIED)
			continue;
		notification->state = NOTIFICATION_REPLIED;
		notification->error = -ENOSYS;
		notification->value = 0;
		notification->flags = 0;
		task_wake(notification->task);
	}
	mutex_unlock(&notifier->lock);
	seccomp_notifier_put(notifier);
}

static const struct file_operations notifier_operations = {
	.poll = notifier_poll,
	.wait_queue = notifier_wait_queue,
	.ioctl = notifier_ioctl,
	.release = notifier_release,
	.name = "seccomp notify",
};

int seccomp_notifier_new(bool killable_receive, struct seccomp_notifier **out, struct file **file)
{
	struct seccomp_notifier *notifier = calloc(1, sizeof(*notifier));
	int error;

	if (!notifier)
		return -ENOMEM;
	refcount_init(&notifier->refs, &notifier_refs);
	mutex_init(&notifier->lock, RANK_PIPE, "seccomp notifier");
	wait_queue_init(&notifier->queue);
	TAILQ_INIT(&notifier->notifications);
	notifier->next_id = 1;
	notifier->killable_receive = killable_receive;
	error = file_new_anonymous(anon_inode_get(), &notifier_operations,
		FILE_READ | FILE_WRITE | FILE_STREAM, LINUX_O_RDWR, notifier, "seccomp notify",
		file);
	if (error) {
		seccomp_notifier_put(notifier);
		return error;
	}
	*out = notifier;
	return 0;
}
