/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel timers: a tree by deadline, and the one thread that runs what is due.
 *
 * The thread sleeps on a futex word of the host until the earliest deadline; who arms an earlier
 * one than it sleeps for wakes it.
 */
#include "sentry/time/timer.h"

#include "base/lock.h"
#include "sentry/lock_order.h"
#include "sentry/time/clock.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define HOUSEKEEPING_NS NSEC_PER_SEC

RB_HEAD(ktimer_tree, ktimer);

static struct {
	struct mutex lock; /* RANK_TIMER: everything but the word */
	struct ktimer_tree tree;
	struct ktimer *running; /* its callback is under way; compared, never followed */
	pthread_cond_t done;	/* running changed, and somebody waits for it */
	unsigned int waiters;
	int64_t sleeps_until; /* INT64_MIN: awake */
	pthread_t thread;
	atomic_uint word;
} g_timers;

static int ktimer_compare(const struct ktimer *a, const struct ktimer *b)
{
	if (a->deadline_ns != b->deadline_ns)
		return a->deadline_ns < b->deadline_ns ? -1 : 1;
	return (uintptr_t)a < (uintptr_t)b ? -1 : (uintptr_t)a > (uintptr_t)b;
}

RB_GENERATE_INTERNAL(ktimer_tree, ktimer, node, ktimer_compare, unused_ static)

__attribute__((constructor)) static void timers_init(void)
{
	mutex_init(&g_timers.lock, RANK_TIMER, "timers");
	pthread_cond_init(&g_timers.done, NULL);
	RB_INIT(&g_timers.tree);
	g_timers.sleeps_until = INT64_MIN;
}

void ktimer_init(struct ktimer *timer, void (*expire)(struct ktimer *timer))
{
	*timer = (struct ktimer){.expire = expire};
}

static void thread_wake(void)
{
	atomic_fetch_add(&g_timers.word, 1);
	(void)syscall(SYS_futex, &g_timers.word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void ktimer_arm(struct ktimer *timer, int64_t deadline_ns)
{
	bool wake;

	mutex_lock(&g_timers.lock);
	if (timer->cancelling) {
		mutex_unlock(&g_timers.lock);
		return;
	}
	if (timer->armed)
		RB_REMOVE(ktimer_tree, &g_timers.tree, timer);
	timer->deadline_ns = deadline_ns;
	timer->armed = true;
	RB_INSERT(ktimer_tree, &g_timers.tree, timer);
	wake = deadline_ns < g_timers.sleeps_until;
	if (wake)
		g_timers.sleeps_until = deadline_ns;
	mutex_unlock(&g_timers.lock);
	if (wake)
		thread_wake();
}

void ktimer_cancel(struct ktimer *timer, bool wait)
{
	mutex_lock(&g_timers.lock);
	if (timer->armed)
		RB_REMOVE(ktimer_tree, &g_timers.tree, timer);
	timer->armed = false;
	/* A callback that is under way may not arm it again. */
	timer->cancelling = wait;
	while (wait && g_timers.running == timer &&
		!pthread_equal(g_timers.thread, pthread_self())) {
		g_timers.waiters++;
		pthread_cond_wait(&g_timers.done, &g_timers.lock.host);
		g_timers.waiters--;
	}
	timer->cancelling = false;
	mutex_unlock(&g_timers.lock);
}

/* Takes the first timer off if it is due. */
static struct ktimer *take_due_locked(int64_t now)
{
	struct ktimer *first = RB_MIN(ktimer_tree, &g_timers.tree);

	if (!first || first->deadline_ns > now)
		return NULL;
	RB_REMOVE(ktimer_tree, &g_timers.tree, first);
	first->armed = false;
	return first;
}

/* Everything that is due now; returns with the lock held. */
static void run_due_locked(void)
{
	struct ktimer *timer;

	while ((timer = take_due_locked(clock_monotonic()))) {
		g_timers.running = timer;
		mutex_unlock(&g_timers.lock);
		timer->expire(timer);
		mutex_lock(&g_timers.lock);
		g_timers.running = NULL;
		if (g_timers.waiters)
			pthread_cond_broadcast(&g_timers.done);
	}
}

static void thread_sleep(unsigned int word, int64_t deadline_ns)
{
	int64_t left = deadline_ns - clock_monotonic();
	struct timespec timeout = {.tv_sec = left / NSEC_PER_SEC, .tv_nsec = left % NSEC_PER_SEC};

	if (left > 0)
		(void)syscall(
			SYS_futex, &g_timers.word, FUTEX_WAIT_PRIVATE, word, &timeout, NULL, 0);
}

static void *timer_thread(void *argument)
{
	int64_t housekeeping = 0;

	(void)prctl(PR_SET_NAME, "timers", 0ul, 0ul, 0ul);
	for (;;) {
		struct ktimer *first;
		unsigned int word;
		int64_t now = clock_monotonic(), until;

		if (now >= housekeeping) {
			clock_update();
			housekeeping = now + HOUSEKEEPING_NS;
		}
		mutex_lock(&g_timers.lock);
		run_due_locked();
		first = RB_MIN(ktimer_tree, &g_timers.tree);
		until = first && first->deadline_ns < housekeeping ? first->deadline_ns
								   : housekeeping;
		g_timers.sleeps_until = until;
		word = atomic_load(&g_timers.word);
		mutex_unlock(&g_timers.lock);
		thread_sleep(word, until);
		mutex_lock(&g_timers.lock);
		g_timers.sleeps_until = INT64_MIN;
		mutex_unlock(&g_timers.lock);
	}
	return NULL;
}

int timer_start_thread(void)
{
	sigset_t all, old;
	int error;

	/* Signals of the sentry's own are for the main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&g_timers.thread, NULL, timer_thread, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -error;
}
