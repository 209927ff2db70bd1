/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POSIX timers (timer_create(2)).
 *
 * A timer's expiry is kept in its own clock's time; its ktimer looks when that could be due. While
 * its signal is queued it stands still, and what it missed meanwhile is counted when the signal is
 * taken: si_overrun. Everything is guarded by the process's RANK_SIGHAND, but the CPU clocks of
 * other processes are read before that is taken.
 */
#include "sentry/time/posix_timer.h"

#include "abi/capability.h"
#include "abi/resource.h"
#include "base/text_writer.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/kernel/signal_private.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/user_count.h"
#include "sentry/time/clock.h"
#include "sentry/time/cpu_clock.h"
#include "sentry/time/sleep.h"
#include "sentry/time/time_namespace.h"
#include "sentry/time/timer.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

struct posix_timer {
	RB_ENTRY(posix_timer) node;
	int id;
	struct thread_group *group; /* borrowed: its last thread deletes the timer */
	int clock;		    /* as given */
	int base_clock;		    /* what expiry is measured on, if it is no CPU clock */
	bool is_cpu;
	struct cpu_clock cpu; /* set once */
	struct cpu_clock_pace pace;
	int notify;	     /* LINUX_SIGEV_ */
	struct task *thread; /* of LINUX_SIGEV_THREAD_ID: a reference */
	struct signal_entry entry;
	struct ktimer ktimer;
	bool armed;
	int64_t expiry_ns, interval_ns;
	int64_t overrun, overrun_last;
};

RB_HEAD(posix_timer_tree, posix_timer);

struct posix_timer_table {
	struct posix_timer_tree tree;
	int next_id;
};

static int timer_compare(const struct posix_timer *a, const struct posix_timer *b)
{
	return a->id < b->id ? -1 : a->id > b->id;
}

RB_GENERATE_INTERNAL(posix_timer_tree, posix_timer, node, timer_compare, unused_ static)

/* --- time --- */

/* The timer's clock now. Its process's lock must not be held unless the clock is a thread's or a
 * wall clock. */
static int64_t timer_now(const struct posix_timer *timer)
{
	return timer->is_cpu ? cpu_clock_now(&timer->cpu) : clock_now(timer->base_clock);
}

static int64_t timer_now_locked(const struct posix_timer *timer)
{
	if (!timer->is_cpu)
		return clock_now(timer->base_clock);
	if (timer->cpu.group && timer->cpu.group != timer->group)
		return timer->expiry_ns;
	return cpu_clock_now_locked(&timer->cpu);
}

/* Looks again when the expiry could be reached. */
static void timer_look_later(struct posix_timer *timer, int64_t now)
{
	if (timer->is_cpu)
		ktimer_arm(&timer->ktimer,
			cpu_clock_pace_next(&timer->pace, &timer->cpu, now, timer->expiry_ns));
	else
		ktimer_arm(&timer->ktimer, clock_to_monotonic(timer->base_clock, timer->expiry_ns));
}

/* Moves the expiry of a periodic timer past now: how many periods that were. */
static int64_t timer_forward(struct posix_timer *timer, int64_t now)
{
	int64_t periods;

	if (now < timer->expiry_ns)
		return 0;
	periods = (now - timer->expiry_ns) / timer->interval_ns + 1;
	timer->expiry_ns = time_add_ns(timer->expiry_ns, periods * timer->interval_ns);
	return periods;
}

/* --- expiry --- */

static bool timer_signal_locked(struct posix_timer *timer)
{
	struct task *target = timer->thread ? timer->thread : TAILQ_FIRST(&timer->group->tasks);

	if (!target || target->exit_state != TASK_ALIVE)
		return !timer->thread && !target;
	timer->entry.info.timer.si_overrun = 0;
	return signal_send_entry_locked(target, &timer->entry, !timer->thread);
}

static void timer_fire_locked(struct posix_timer *timer, int64_t now)
{
	if (timer->entry.queued) {
		timer->overrun++;
		return;
	}
	timer->armed = timer->interval_ns != 0;
	if (timer_signal_locked(timer))
		return;
	/* Ignored: nobody will take it and set the timer going again. */
	if (timer->interval_ns) {
		timer->overrun += timer_forward(timer, now);
		timer_look_later(timer, now);
	}
}

static void timer_expire(struct ktimer *ktimer)
{
	struct posix_timer *timer = container_of(ktimer, struct posix_timer, ktimer);
	int64_t now = timer_now(timer);
	struct sighand *sighand = thread_group_lock_signals(timer->group);

	if (timer->armed && timer->notify != LINUX_SIGEV_NONE) {
		if (now < timer->expiry_ns)
			timer_look_later(timer, now);
		else
			timer_fire_locked(timer, now);
	}
	mutex_unlock(&sighand->lock);
}

void posix_timer_delivered_locked(struct posix_timer *timer, struct linux_siginfo *info)
{
	int64_t now;

	if (!timer->armed || !timer->interval_ns)
		return;
	now = timer_now_locked(timer);
	timer->overrun += timer_forward(timer, now) - 1;
	timer->overrun_last = timer->overrun < 0	 ? 0
			      : timer->overrun > INT_MAX ? INT_MAX
							 : timer->overrun;
	timer->overrun = 0;
	info->timer.si_overrun = (int32_t)timer->overrun_last;
	timer_look_later(timer, now);
}

void posix_timer_discarded_locked(struct posix_timer *timer)
{
	int64_t now;

	if (!timer->armed || !timer->interval_ns)
		return;
	now = timer_now_locked(timer);
	timer->overrun += timer_forward(timer, now);
	timer_look_later(timer, now);
}

/* --- making and ending --- */

static int clock_check(int clock)
{
	switch (clock) {
	case LINUX_CLOCK_REALTIME:
	case LINUX_CLOCK_MONOTONIC:
	case LINUX_CLOCK_BOOTTIME:
	case LINUX_CLOCK_TAI:
		return 0;
	case LINUX_CLOCK_REALTIME_ALARM:
	case LINUX_CLOCK_BOOTTIME_ALARM:
		return capable(LINUX_CAP_WAKE_ALARM) ? 0 : -EPERM;
	default:
		return clock_is_wall(clock) ? -EOPNOTSUPP : -EINVAL;
	}
}

static int event_apply(
	struct task *task, struct posix_timer *timer, const struct linux_sigevent *event)
{
	struct linux_siginfo *info = &timer->entry.info;

	timer->notify = event->sigev_notify;
	if (timer->notify != LINUX_SIGEV_NONE && timer->notify != LINUX_SIGEV_SIGNAL &&
		timer->notify != LINUX_SIGEV_THREAD && timer->notify != LINUX_SIGEV_THREAD_ID)
		return -EINVAL;
	if (timer->notify == LINUX_SIGEV_THREAD_ID) {
		timer->thread = task_find(task, event->sigev_tid);
		if (!timer->thread || timer->thread->group != task->group)
			return -EINVAL;
	}
	if (timer->notify != LINUX_SIGEV_NONE &&
		(event->sigev_signo < 1 || event->sigev_signo > LINUX_NSIG))
		return -EINVAL;
	info->si_signo = event->sigev_signo;
	info->timer.si_sigval = event->sigev_value;
	return 0;
}

static void timer_free(struct posix_timer *timer)
{
	user_count_remove(USER_SIGNALS, timer->entry.charged_uid, 1);
	if (timer->is_cpu)
		cpu_clock_put(&timer->cpu);
	if (timer->thread)
		task_put(timer->thread);
	free(timer);
}

static int timer_make(
	struct task *task, int clock, const struct linux_sigevent *event, struct posix_timer **out)
{
	struct posix_timer *timer = calloc(1, sizeof(*timer));
	uint32_t uid = task->cred->uid;
	int error = 0;

	if (!timer)
		return -EAGAIN;
	if (!user_count_add(
		    USER_SIGNALS, uid, 1, rlimit_of(task->group, LINUX_RLIMIT_SIGPENDING))) {
		free(timer);
		return -EAGAIN;
	}
	timer->group = task->group;
	timer->clock = timer->base_clock = clock;
	timer->notify = LINUX_SIGEV_SIGNAL;
	timer->entry.charged_uid = uid;
	timer->entry.preallocated = true;
	timer->entry.timer = timer;
	timer->entry.info.si_signo = LINUX_SIGALRM;
	timer->entry.info.si_code = LINUX_SI_TIMER;
	ktimer_init(&timer->ktimer, timer_expire);
	if (clock_is_cpu(clock)) {
		error = cpu_clock_find(task, clock, &timer->cpu);
		timer->is_cpu = !error;
	} else {
		error = clock_check(clock);
	}
	if (!error && event)
		error = event_apply(task, timer, event);
	if (error)
		timer_free(timer);
	else
		*out = timer;
	return error;
}

/* Gives the timer an id and makes it known. */
static int timer_insert_locked(struct thread_group *group, struct posix_timer *timer)
{
	if (!group->timers) {
		group->timers = calloc(1, sizeof(*group->timers));
		if (!group->timers)
			return -EAGAIN;
		RB_INIT(&group->timers->tree);
	}
	do {
		timer->id = group->timers->next_id;
		group->timers->next_id = timer->id == INT_MAX ? 0 : timer->id + 1;
	} while (RB_INSERT(posix_timer_tree, &group->timers->tree, timer));
	timer->entry.info.timer.si_tid = timer->id;
	return 0;
}

int64_t posix_timer_create(struct task *task, int clock, const struct linux_sigevent *event)
{
	struct posix_timer *timer;
	struct sighand *sighand;
	int error = timer_make(task, clock, event, &timer), id;

	if (error)
		return error;
	sighand = task_lock_signals(task);
	error = timer_insert_locked(task->group, timer);
	id = timer->id;
	if (!error && !event)
		timer->entry.info.timer.si_sigval.sival_int = id;
	mutex_unlock(&sighand->lock);
	if (error) {
		timer_free(timer);
		return error;
	}
	return id;
}

static struct posix_timer *timer_find_locked(struct thread_group *group, int id)
{
	struct posix_timer key = {.id = id};

	return group->timers ? RB_FIND(posix_timer_tree, &group->timers->tree, &key) : NULL;
}

static void timer_unqueue_locked(struct posix_timer *timer)
{
	if (timer->entry.queued)
		signal_pending_remove_entry(timer->entry.queued, &timer->entry);
}

static void timer_remove_locked(struct thread_group *group, struct posix_timer *timer)
{
	RB_REMOVE(posix_timer_tree, &group->timers->tree, timer);
	timer->armed = false;
	timer_unqueue_locked(timer);
}

int posix_timer_delete(struct task *task, int id)
{
	struct sighand *sighand = task_lock_signals(task);
	struct posix_timer *timer = timer_find_locked(task->group, id);

	if (timer)
		timer_remove_locked(task->group, timer);
	mutex_unlock(&sighand->lock);
	if (!timer)
		return -EINVAL;
	ktimer_cancel(&timer->ktimer, true);
	timer_free(timer);
	return 0;
}

void posix_timers_destroy(struct thread_group *group)
{
	for (;;) {
		struct sighand *sighand = thread_group_lock_signals(group);
		struct posix_timer *timer =
			group->timers ? RB_MIN(posix_timer_tree, &group->timers->tree) : NULL;

		if (timer) {
			timer_remove_locked(group, timer);
		} else {
			free(group->timers);
			group->timers = NULL;
		}
		mutex_unlock(&sighand->lock);
		if (!timer)
			return;
		ktimer_cancel(&timer->ktimer, true);
		timer_free(timer);
	}
}

/* --- setting and looking --- */

static void setting_fill_locked(
	struct posix_timer *timer, int64_t now, struct linux_itimerspec *setting)
{
	int64_t left = 0;

	if (timer->armed) {
		/* A periodic one whose signal waits shows its next expiry. */
		if (timer->interval_ns &&
			(timer->entry.queued || timer->notify == LINUX_SIGEV_NONE))
			timer->overrun += timer_forward(timer, now);
		left = timer->expiry_ns - now;
		if (left <= 0)
			left = timer->notify == LINUX_SIGEV_NONE ? 0 : 1;
	}
	setting->it_value = timespec_from_ns(left);
	setting->it_interval = timespec_from_ns(timer->interval_ns);
}

/* The clock's time for a timer that is looked up by id; its process's lock is not held. -EINVAL. */
static int timer_sample(struct task *task, int id, int64_t *now)
{
	struct sighand *sighand = task_lock_signals(task);
	struct posix_timer *timer = timer_find_locked(task->group, id);
	struct cpu_clock cpu = {0};

	if (!timer) {
		mutex_unlock(&sighand->lock);
		return -EINVAL;
	}
	if (timer->is_cpu && timer->cpu.group && timer->cpu.group != task->group) {
		cpu = timer->cpu;
		(void)thread_group_get(cpu.group);
	} else {
		*now = timer_now_locked(timer);
	}
	mutex_unlock(&sighand->lock);
	if (cpu.group) {
		*now = cpu_clock_now(&cpu);
		cpu_clock_put(&cpu);
	}
	return 0;
}

int posix_timer_get(struct task *task, int id, struct linux_itimerspec *setting)
{
	struct posix_timer *timer;
	struct sighand *sighand;
	int64_t now;
	int error = timer_sample(task, id, &now);

	if (error)
		return error;
	sighand = task_lock_signals(task);
	timer = timer_find_locked(task->group, id);
	if (timer)
		setting_fill_locked(timer, now, setting);
	mutex_unlock(&sighand->lock);
	return timer ? 0 : -EINVAL;
}

static void timer_set_locked(
	struct posix_timer *timer, int64_t now, bool absolute, int64_t value, int64_t interval)
{
	int64_t expiry = absolute && !timer->is_cpu
				 ? time_namespace_to_kernel(current, timer->clock, value)
				 : value;

	ktimer_cancel(&timer->ktimer, false);
	timer_unqueue_locked(timer);
	timer->overrun = timer->overrun_last = 0;
	timer->armed = value != 0;
	timer->interval_ns = value ? interval : 0;
	if (!timer->armed)
		return;
	timer->base_clock = timer->clock;
	if (!timer->is_cpu && !absolute) {
		/* What is relative does not follow the setting of the wall clock. */
		if (timer->clock == LINUX_CLOCK_REALTIME || timer->clock == LINUX_CLOCK_TAI)
			timer->base_clock = LINUX_CLOCK_MONOTONIC;
		now = clock_now(timer->base_clock);
	}
	timer->expiry_ns = absolute ? expiry : time_add_ns(now, value);
	if (timer->notify != LINUX_SIGEV_NONE)
		timer_look_later(timer, now);
}

int posix_timer_set(struct task *task, int id, int flags, const struct linux_itimerspec *setting,
	struct linux_itimerspec *old)
{
	struct posix_timer *timer;
	struct sighand *sighand;
	int64_t now, value, interval;
	int error;

	if (!timespec_to_ns(&setting->it_value, &value) ||
		!timespec_to_ns(&setting->it_interval, &interval))
		return -EINVAL;
	error = timer_sample(task, id, &now);
	if (error)
		return error;
	sighand = task_lock_signals(task);
	timer = timer_find_locked(task->group, id);
	if (timer) {
		setting_fill_locked(timer, now, old);
		timer_set_locked(timer, now, flags & LINUX_TIMER_ABSTIME, value, interval);
	}
	mutex_unlock(&sighand->lock);
	return timer ? 0 : -EINVAL;
}

int64_t posix_timer_overrun(struct task *task, int id)
{
	struct sighand *sighand = task_lock_signals(task);
	struct posix_timer *timer = timer_find_locked(task->group, id);
	int64_t result = timer ? timer->overrun_last : -EINVAL;

	mutex_unlock(&sighand->lock);
	return result;
}

void posix_timers_show(struct thread_group *group, struct text_writer *out)
{
	static const char *const notify[] = {"signal", "none", "thread"};
	struct sighand *sighand = thread_group_lock_signals(group);
	struct posix_timer *timer =
		group->timers ? RB_MIN(posix_timer_tree, &group->timers->tree) : NULL;

	for (; timer; timer = RB_NEXT(posix_timer_tree, &group->timers->tree, timer)) {
		const struct linux_siginfo *info = &timer->entry.info;
		struct pid *pid = timer->thread ? timer->thread->pid : group->pid;

		text_printf(out, "ID: %d\nsignal: %d/%016llx\nnotify: %s/%s.%d\nClockID: %d\n",
			timer->id, info->si_signo,
			(unsigned long long)info->timer.si_sigval.sival_ptr,
			notify[timer->notify & 3], timer->thread ? "tid" : "pid",
			pid->numbers[pid->level].number, timer->clock);
	}
	mutex_unlock(&sighand->lock);
}
