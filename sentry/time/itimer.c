/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interval timers (setitimer(2)) and RLIMIT_CPU.
 *
 * A process has one ktimer for ITIMER_REAL, and one that looks at its CPU time for the other two
 * and the limit. All state is guarded by the process's RANK_SIGHAND.
 */
#include "sentry/time/itimer.h"

#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"
#include "sentry/time/clock.h"
#include "sentry/time/cpu_clock.h"
#include "sentry/time/sleep.h"
#include "sentry/time/timer.h"

#include <errno.h>
#include <stdlib.h>

/* A real timer whose signal nobody takes is not hurried. */
#define REAL_PENDING_NS 4000000
#define REAL_MIN_NS	20000

struct interval {
	bool armed;
	int64_t expiry_ns, interval_ns; /* CLOCK_MONOTONIC, or CPU time */
};

struct itimer_state {
	struct thread_group *group; /* borrowed */
	struct ktimer real_ktimer, cpu_ktimer;
	struct interval real, virtual, prof;
	struct cpu_clock_pace pace;
};

static int64_t max_ns(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* It is the process's signal, but this thread is asked first. */
static void send_by_locked(struct task *task, int signal)
{
	struct linux_siginfo info;

	if (!task)
		return;
	siginfo_kernel(&info, signal);
	(void)signal_send_locked(task, &info, true);
}

static void send_locked(struct thread_group *group, int signal)
{
	send_by_locked(TAILQ_FIRST(&group->tasks), signal);
}

/* Past its expiry: a periodic one goes on to the first one after now. */
static void interval_pass(struct interval *interval, int64_t now)
{
	if (!interval->interval_ns) {
		interval->armed = false;
		return;
	}
	interval->expiry_ns = time_add_ns(interval->expiry_ns,
		((now - interval->expiry_ns) / interval->interval_ns + 1) * interval->interval_ns);
}

/* --- ITIMER_REAL --- */

static void real_expire(struct ktimer *ktimer)
{
	struct itimer_state *state = container_of(ktimer, struct itimer_state, real_ktimer);
	struct thread_group *group = state->group;
	struct sighand *sighand = thread_group_lock_signals(group);
	int64_t now = clock_monotonic();

	if (state->real.armed && now >= state->real.expiry_ns) {
		bool waits = group->shared_pending.set & signal_bit(LINUX_SIGALRM);

		send_locked(group, LINUX_SIGALRM);
		interval_pass(&state->real, now);
		if (state->real.armed)
			ktimer_arm(ktimer, max_ns(state->real.expiry_ns,
						   now + (waits ? REAL_PENDING_NS : REAL_MIN_NS)));
	} else if (state->real.armed) {
		ktimer_arm(ktimer, state->real.expiry_ns);
	}
	mutex_unlock(&sighand->lock);
}

/* --- CPU time --- */

struct cpu_sample {
	int64_t user_ns, all_ns;
};

static struct cpu_sample sample_locked(struct thread_group *group)
{
	uint64_t user, system;

	thread_group_cpu_times_locked(group, &user, &system);
	return (struct cpu_sample){(int64_t)user, (int64_t)(user + system)};
}

/*
 * The thread that ran most since the last time. Linux's timer tick interrupts a running thread,
 * which then takes the signal: profilers count on that to see what the process does.
 */
static struct task *running_locked(struct thread_group *group)
{
	struct task *task, *best = NULL;
	uint64_t user, system, most = 0;

	TAILQ_FOREACH (task, &group->tasks, group_link) {
		task_cpu_times(task, &user, &system);
		if (!best || user + system - task->profiled_ns > most) {
			best = task;
			most = user + system - task->profiled_ns;
		}
		task->profiled_ns = user + system;
	}
	return best;
}

static void look_at_interval_locked(struct thread_group *group, struct interval *interval,
	int signal, int64_t now, int64_t *left)
{
	if (!interval->armed)
		return;
	if (now >= interval->expiry_ns) {
		send_by_locked(running_locked(group), signal);
		interval_pass(interval, now);
	}
	if (interval->armed && interval->expiry_ns - now < *left)
		*left = interval->expiry_ns - now;
}

static int64_t limit_ns(uint64_t seconds)
{
	return seconds >= (uint64_t)(INT64_MAX / NSEC_PER_SEC) ? INT64_MAX
							       : (int64_t)seconds * NSEC_PER_SEC;
}

/* SIGXCPU at the soft limit, which moves on by a second each time; SIGKILL at the hard one. */
static void look_at_limit_locked(struct thread_group *group, int64_t now, int64_t *left)
{
	struct linux_rlimit64 *limit = &group->limits[LINUX_RLIMIT_CPU];
	int64_t soft, hard;
	int signal = 0;

	mutex_lock(&group->lock);
	soft = limit_ns(limit->rlim_cur);
	hard = limit_ns(limit->rlim_max);
	if (now >= hard) {
		signal = LINUX_SIGKILL;
	} else if (now >= soft) {
		signal = LINUX_SIGXCPU;
		limit->rlim_cur++;
		soft = limit_ns(limit->rlim_cur);
	}
	mutex_unlock(&group->lock);
	if (signal)
		send_locked(group, signal);
	if (soft - now < *left)
		*left = soft - now;
	if (hard - now < *left)
		*left = hard - now;
}

static void cpu_look_locked(struct itimer_state *state)
{
	struct thread_group *group = state->group;
	const struct cpu_clock clock = {.group = group};
	struct cpu_sample now = sample_locked(group);
	int64_t left = INT64_MAX;

	look_at_interval_locked(group, &state->virtual, LINUX_SIGVTALRM, now.user_ns, &left);
	look_at_interval_locked(group, &state->prof, LINUX_SIGPROF, now.all_ns, &left);
	look_at_limit_locked(group, now.all_ns, &left);
	/* Limits beyond a year need no look. */
	if (left < 365 * 86400 * NSEC_PER_SEC && group->live_count)
		ktimer_arm(&state->cpu_ktimer,
			cpu_clock_pace_next(&state->pace, &clock, now.all_ns, now.all_ns + left));
}

static void cpu_expire(struct ktimer *ktimer)
{
	struct itimer_state *state = container_of(ktimer, struct itimer_state, cpu_ktimer);
	struct sighand *sighand = thread_group_lock_signals(state->group);

	cpu_look_locked(state);
	mutex_unlock(&sighand->lock);
}

/* --- setting and looking --- */

static struct itimer_state *state_locked(struct thread_group *group)
{
	struct itimer_state *state = group->itimers;

	if (state)
		return state;
	state = calloc(1, sizeof(*state));
	if (!state)
		return NULL;
	state->group = group;
	ktimer_init(&state->real_ktimer, real_expire);
	ktimer_init(&state->cpu_ktimer, cpu_expire);
	group->itimers = state;
	return state;
}

static struct linux_itimerval interval_show(const struct interval *interval, int64_t now)
{
	int64_t left = 0;

	if (interval->armed)
		left = max_ns(interval->expiry_ns - now, 1000);
	return (struct linux_itimerval){
		.it_value = timeval_from_ns(left),
		.it_interval = timeval_from_ns(interval->interval_ns),
	};
}

static void interval_set(struct interval *interval, int64_t now, int64_t value, int64_t period)
{
	*interval = (struct interval){
		.armed = value != 0,
		.expiry_ns = time_add_ns(now, value),
		.interval_ns = period,
	};
}

/* The interval that which names, and the time now on its clock. */
static struct interval *interval_of_locked(struct itimer_state *state, int which, int64_t *now)
{
	struct cpu_sample sample;

	if (which == LINUX_ITIMER_REAL) {
		*now = clock_monotonic();
		return &state->real;
	}
	sample = sample_locked(state->group);
	*now = which == LINUX_ITIMER_VIRTUAL ? sample.user_ns : sample.all_ns;
	return which == LINUX_ITIMER_VIRTUAL ? &state->virtual : &state->prof;
}

int itimer_get(struct task *task, int which, struct linux_itimerval *value)
{
	struct itimer_state *state;
	struct sighand *sighand;

	if (which < LINUX_ITIMER_REAL || which > LINUX_ITIMER_PROF)
		return -EINVAL;
	*value = (struct linux_itimerval){0};
	sighand = task_lock_signals(task);
	state = task->group->itimers;
	if (state) {
		int64_t now;
		const struct interval *interval = interval_of_locked(state, which, &now);

		*value = interval_show(interval, now);
	}
	mutex_unlock(&sighand->lock);
	return 0;
}

static void set_locked(struct itimer_state *state, int which, int64_t value, int64_t period,
	struct linux_itimerval *old)
{
	int64_t now;
	struct interval *interval = interval_of_locked(state, which, &now);

	*old = interval_show(interval, now);
	interval_set(interval, now, value, period);
	if (which != LINUX_ITIMER_REAL) {
		cpu_look_locked(state);
		return;
	}
	ktimer_cancel(&state->real_ktimer, false);
	if (value)
		ktimer_arm(&state->real_ktimer, interval->expiry_ns);
}

int itimer_set(struct task *task, int which, const struct linux_itimerval *value,
	struct linux_itimerval *old)
{
	int64_t value_ns, interval_ns;
	struct itimer_state *state;
	struct sighand *sighand;

	if (!timeval_to_ns(&value->it_value, &value_ns) ||
		!timeval_to_ns(&value->it_interval, &interval_ns))
		return -EINVAL;
	if (which < LINUX_ITIMER_REAL || which > LINUX_ITIMER_PROF)
		return -EINVAL;
	*old = (struct linux_itimerval){0};
	sighand = task_lock_signals(task);
	state = task->group->itimers;
	/* Turning off what was never on needs nothing. */
	if (!state && value_ns)
		state = state_locked(task->group);
	if (state)
		set_locked(state, which, value_ns, interval_ns, old);
	mutex_unlock(&sighand->lock);
	return state || !value_ns ? 0 : -ENOMEM;
}

void itimer_cpu_limit_changed(struct thread_group *group)
{
	struct sighand *sighand;
	struct itimer_state *state;
	bool finite;

	mutex_lock(&group->lock);
	finite = group->limits[LINUX_RLIMIT_CPU].rlim_cur != LINUX_RLIM_INFINITY ||
		 group->limits[LINUX_RLIMIT_CPU].rlim_max != LINUX_RLIM_INFINITY;
	mutex_unlock(&group->lock);
	if (!finite)
		return;
	sighand = thread_group_lock_signals(group);
	state = group->live_count ? state_locked(group) : NULL;
	if (state)
		cpu_look_locked(state);
	mutex_unlock(&sighand->lock);
}

void itimers_destroy(struct thread_group *group)
{
	struct sighand *sighand = thread_group_lock_signals(group);
	struct itimer_state *state = group->itimers;

	group->itimers = NULL;
	if (state)
		state->real.armed = state->virtual.armed = state->prof.armed = false;
	mutex_unlock(&sighand->lock);
	if (!state)
		return;
	ktimer_cancel(&state->real_ktimer, true);
	ktimer_cancel(&state->cpu_ktimer, true);
	free(state);
}
