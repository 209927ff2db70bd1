/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timerfd_create(2): a timer whose expirations are read.
 *
 * As in Linux, a periodic timer is not rearmed in the background: a read counts the periods that
 * went by. Differs from Linux: nobody in the sandbox can set the clock, so TFD_TIMER_CANCEL_ON_SET
 * never cancels; a step of the host's clock moves wall-clock timers when they are next set or read.
 */
#include "sentry/fs/anon/anon.h"

#include "abi/epoll.h"
#include "abi/fcntl.h"
#include "base/text_writer.h"
#include "sentry/kernel/task.h"
#include "sentry/lock_order.h"
#include "sentry/time/clock.h"
#include "sentry/time/time_namespace.h"
#include "sentry/time/timer.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

struct timerfd {
	struct mutex lock; /* of all that follows but the set-once fields */
	struct wait_queue queue;
	struct ktimer timer;
	int clock;	     /* set once: as given */
	int base;	     /* set once: the clock that is read */
	int64_t expiry_ns;   /* of base; INT64_MAX: not armed */
	int64_t interval_ns; /* 0: one shot */
	uint64_t ticks;
	bool expired; /* the timer fired and a period may be running unarmed */
	int settime_flags;
};

static int64_t timespec_ns(const struct linux_timespec *time)
{
	int64_t ns;

	if (__builtin_mul_overflow(time->tv_sec, NSEC_PER_SEC, &ns) ||
		__builtin_add_overflow(ns, time->tv_nsec, &ns))
		return INT64_MAX;
	return ns;
}

static struct linux_timespec ns_timespec(int64_t ns)
{
	return (struct linux_timespec){ns / NSEC_PER_SEC, ns % NSEC_PER_SEC};
}

static int64_t add_saturating(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static void timerfd_arm_locked(struct timerfd *timerfd)
{
	ktimer_arm(&timerfd->timer, clock_to_monotonic(timerfd->base, timerfd->expiry_ns));
}

/* Counts an expiry whose time has come, though the timer's thread may not have. */
static void timerfd_catch_up_locked(struct timerfd *timerfd)
{
	if (timerfd->expired || timerfd->expiry_ns == INT64_MAX ||
		clock_now(timerfd->base) < timerfd->expiry_ns)
		return;
	timerfd->expired = true;
	timerfd->ticks++;
}

static void timerfd_expire(struct ktimer *timer)
{
	struct timerfd *timerfd = container_of(timer, struct timerfd, timer);
	bool tell;

	mutex_lock(&timerfd->lock);
	timerfd_catch_up_locked(timerfd);
	/* It may have been set anew while the call was on its way, or the wall clock be behind. */
	if (timerfd->expiry_ns != INT64_MAX && !timerfd->expired)
		timerfd_arm_locked(timerfd);
	/* Also of what a poll of somebody else has counted already. */
	tell = timerfd->ticks;
	mutex_unlock(&timerfd->lock);
	if (tell)
		wait_queue_wake(&timerfd->queue, LINUX_EPOLLIN);
}

/* Counts the periods since the expiry and arms the next one. */
static void timerfd_forward_locked(struct timerfd *timerfd)
{
	int64_t now, periods;

	if (!timerfd->expired || !timerfd->interval_ns)
		return;
	now = clock_now(timerfd->base);
	periods = now > timerfd->expiry_ns ? (now - timerfd->expiry_ns) / timerfd->interval_ns : 0;
	timerfd->ticks += (uint64_t)periods;
	timerfd->expiry_ns = add_saturating(
		timerfd->expiry_ns, periods * timerfd->interval_ns + timerfd->interval_ns);
	timerfd->expired = false;
	if (timerfd->expiry_ns != INT64_MAX)
		timerfd_arm_locked(timerfd);
}

static void timerfd_get_locked(struct timerfd *timerfd, struct linux_itimerspec *value)
{
	int64_t left = 0;

	timerfd_forward_locked(timerfd);
	if (timerfd->expiry_ns != INT64_MAX && !timerfd->expired) {
		left = timerfd->expiry_ns - clock_now(timerfd->base);
		/* Due but not yet told: never 0, which means disarmed. */
		left = left > 0 ? left : 1;
	}
	value->it_value = ns_timespec(left);
	value->it_interval = ns_timespec(timerfd->interval_ns);
}

void timerfd_get(struct file *file, struct linux_itimerspec *value)
{
	struct timerfd *timerfd = file->private;

	mutex_guard(&timerfd->lock);
	timerfd_get_locked(timerfd, value);
}

void timerfd_set(struct file *file, int flags, const struct linux_itimerspec *new_value,
	struct linux_itimerspec *old)
{
	struct timerfd *timerfd = file->private;
	int64_t expiry = timespec_ns(&new_value->it_value);

	mutex_guard(&timerfd->lock);
	ktimer_cancel(&timerfd->timer, false);
	if (old)
		timerfd_get_locked(timerfd, old);
	timerfd->expired = false;
	timerfd->ticks = 0;
	timerfd->settime_flags = flags;
	timerfd->interval_ns = timespec_ns(&new_value->it_interval);
	if (expiry == 0)
		timerfd->expiry_ns = INT64_MAX;
	else if (flags & LINUX_TFD_TIMER_ABSTIME)
		timerfd->expiry_ns = time_namespace_to_kernel(current, timerfd->base, expiry);
	else
		timerfd->expiry_ns = add_saturating(clock_now(timerfd->base), expiry);
	ktimer_cancel(&timerfd->timer, false);
	if (timerfd->expiry_ns != INT64_MAX)
		timerfd_arm_locked(timerfd);
}

static int64_t timerfd_read(struct file *file, struct iov_iter *to, int64_t *position)
{
	struct timerfd *timerfd = file->private;
	uint64_t ticks;

	if (iov_iter_count(to) < sizeof(ticks))
		return -EINVAL;
	mutex_lock(&timerfd->lock);
	timerfd_catch_up_locked(timerfd);
	if (timerfd->ticks)
		timerfd_forward_locked(timerfd);
	ticks = timerfd->ticks;
	timerfd->ticks = 0;
	mutex_unlock(&timerfd->lock);
	if (!ticks)
		return -EAGAIN;
	return copy_to_iter(&ticks, sizeof(ticks), to) == sizeof(ticks) ? (int64_t)sizeof(ticks)
									: -EFAULT;
}

static uint32_t timerfd_poll(struct file *file)
{
	struct timerfd *timerfd = file->private;

	mutex_guard(&timerfd->lock);
	timerfd_catch_up_locked(timerfd);
	return timerfd->ticks ? LINUX_EPOLLIN : 0;
}

static struct wait_queue *timerfd_wait_queue(struct file *file)
{
	return &((struct timerfd *)file->private)->queue;
}

static int64_t timerfd_ioctl(
	struct file *file, struct task *task, uint32_t command, uint64_t argument)
{
	struct timerfd *timerfd = file->private;
	uint64_t ticks;

	if (command != LINUX_TFD_IOC_SET_TICKS)
		return -ENOTTY;
	if (mm_copy_in(task->mm, &ticks, argument, sizeof(ticks)))
		return -EFAULT;
	if (!ticks)
		return -EINVAL;
	mutex_lock(&timerfd->lock);
	timerfd->ticks = ticks;
	mutex_unlock(&timerfd->lock);
	wait_queue_wake(&timerfd->queue, LINUX_EPOLLIN);
	return 0;
}

static void timerfd_release(struct file *file)
{
	struct timerfd *timerfd = file->private;

	mutex_lock(&timerfd->lock);
	timerfd->expiry_ns = INT64_MAX; /* a call that is under way must not arm it again */
	mutex_unlock(&timerfd->lock);
	ktimer_cancel(&timerfd->timer, true);
	wait_queue_destroy(&timerfd->queue);
	mutex_destroy(&timerfd->lock);
	free(timerfd);
}

static void timerfd_show_fdinfo(struct file *file, struct text_writer *out)
{
	struct timerfd *timerfd = file->private;
	struct linux_itimerspec value;
	uint64_t ticks;
	int flags;

	mutex_lock(&timerfd->lock);
	timerfd_get_locked(timerfd, &value);
	ticks = timerfd->ticks;
	flags = timerfd->settime_flags;
	mutex_unlock(&timerfd->lock);
	text_printf(out,
		"clockid: %d\nticks: %" PRIu64 "\nsettime flags: 0%o\nit_value: (%" PRId64
		", %" PRId64 ")\nit_interval: (%" PRId64 ", %" PRId64 ")\n",
		timerfd->clock, ticks, (unsigned int)flags, value.it_value.tv_sec,
		value.it_value.tv_nsec, value.it_interval.tv_sec, value.it_interval.tv_nsec);
}

static const struct file_operations timerfd_operations = {
	.seek = file_seek_nowhere,
	.read = timerfd_read,
	.poll = timerfd_poll,
	.wait_queue = timerfd_wait_queue,
	.ioctl = timerfd_ioctl,
	.release = timerfd_release,
	.show_fdinfo = timerfd_show_fdinfo,
	.name = "[timerfd]",
};

bool file_is_timerfd(const struct file *file)
{
	return file->ops == &timerfd_operations;
}

int timerfd_new_file(int clock, uint32_t flags, struct file **out)
{
	struct timerfd *timerfd = calloc(1, sizeof(*timerfd));
	int error;

	if (!timerfd)
		return -ENOMEM;
	mutex_init(&timerfd->lock, RANK_PIPE, "timerfd");
	wait_queue_init(&timerfd->queue);
	ktimer_init(&timerfd->timer, timerfd_expire);
	timerfd->clock = clock;
	timerfd->base = clock == LINUX_CLOCK_REALTIME_ALARM   ? LINUX_CLOCK_REALTIME
			: clock == LINUX_CLOCK_BOOTTIME_ALARM ? LINUX_CLOCK_BOOTTIME
							      : clock;
	timerfd->expiry_ns = INT64_MAX;
	error = file_new_anonymous(anon_inode_get(), &timerfd_operations,
		FILE_READ | FILE_WRITE | FILE_STREAM, LINUX_O_RDWR | flags, timerfd, "[timerfd]",
		out);
	if (error) {
		wait_queue_destroy(&timerfd->queue);
		mutex_destroy(&timerfd->lock);
		free(timerfd);
	}
	return error;
}
