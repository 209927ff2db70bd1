/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps the clocks' parameters in step with the host: a line over the time stamp counter each for
 * CLOCK_MONOTONIC and _RAW, and the offsets of the other clocks.
 *
 * The lines are bent, never broken: each update begins where the old line is at that tick, and
 * takes a slope that meets the host's clock later on. A counter that jumps is given up for good.
 */
#include "sentry/time/clock.h"

#include "base/compiler.h"
#include "base/lock.h"
#include "base/log.h"
#include "sentry/lock_order.h"
#include "sentry/time/clock_state.h"
#include "sentry/time/vdso_params.h"

#include <cpuid.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* How long the counter is watched before the first guest runs: an error of some 50 ns in this. */
#define FIRST_CALIBRATION_NSEC 500000
/* Errors are made good over this time at least; if the host is far ahead, we leap. */
#define SLEW_NSEC	(2 * NSEC_PER_SEC)
#define SLEW_MAX_NSEC	(NSEC_PER_SEC / 20)
#define UPDATE_MIN_NSEC 5000000
/* Measured offsets of clocks jitter by less; host administrators do not set clocks by less. */
#define OFFSET_JITTER_NSEC 2000
/* After so many updates in a row that do not fit the counter's rate it is not trusted any more. */
#define MAX_MISFITS 3

/* A host clock and the counter at the same moment, to within half the width. */
struct clock_sample {
	uint64_t tsc;
	uint64_t width;
	int64_t ns;
};

/* Guarded by lock, as all writing of the parameters is. */
static struct {
	struct mutex lock;
	struct clock_sample monotonic, raw; /* the last ones */
	uint64_t rate;			    /* of CLOCK_MONOTONIC between the last two */
	unsigned int misfits;
} g_calibration;

/* The narrowest of a few readings: the others were interrupted. */
static struct clock_sample take_sample(clockid_t clock)
{
	struct clock_sample best = {.width = UINT64_MAX};

	for (int i = 0; i < 8; i++) {
		const uint64_t before = vdso_read_tsc();
		const int64_t ns = clock_host_now(clock);
		const uint64_t width = vdso_read_tsc() - before;

		if (width < best.width)
			best = (struct clock_sample){before + width / 2, width, ns};
	}
	return best;
}

/* How far a clock is ahead of CLOCK_MONOTONIC. */
static int64_t sample_offset(clockid_t clock)
{
	int64_t best_width = INT64_MAX, offset = 0;

	for (int i = 0; i < 5; i++) {
		const int64_t before = clock_host_now(CLOCK_MONOTONIC);
		const int64_t ns = clock_host_now(clock);
		const int64_t width = clock_host_now(CLOCK_MONOTONIC) - before;

		if (width < best_width) {
			best_width = width;
			offset = ns - (before + width / 2);
		}
	}
	return offset;
}

static int64_t settle_offset(int64_t old, int64_t measured)
{
	const int64_t change = measured - old;

	return change > OFFSET_JITTER_NSEC || change < -OFFSET_JITTER_NSEC ? measured : old;
}

/* The counter's tick between two samples in VDSO_SHIFT fixed point; 0 if they make no sense. */
static uint64_t measure_rate(const struct clock_sample *from, const struct clock_sample *to)
{
	unsigned __int128 rate;

	if (to->tsc <= from->tsc || to->ns <= from->ns)
		return 0;
	rate = ((unsigned __int128)(to->ns - from->ns) << VDSO_SHIFT) / (to->tsc - from->tsc);
	/* From 16 MHz to 20 GHz. */
	if (rate >> VDSO_SHIFT >= 62 || rate < (1ULL << VDSO_SHIFT) / 20)
		return 0;
	return rate;
}

static bool rates_agree(uint64_t a, uint64_t b)
{
	const uint64_t difference = a > b ? a - b : b - a;

	return difference < a / 100;
}

/* --- publishing; all with the lock held --- */

static void params_begin_write(struct vdso_params *params)
{
	__atomic_store_n(&params->sequence, params->sequence + 1, __ATOMIC_RELAXED);
	/* A full fence: the counter is read after readers can see that the old line has ended. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void params_end_write(struct vdso_params *params)
{
	__atomic_store_n(&params->sequence, params->sequence + 1, __ATOMIC_RELEASE);
}

/*
 * The slope that takes a line from where it is to the host's clock; interval_ns since the last
 * update.
 */
static uint64_t bend(const struct vdso_line *line, uint64_t tsc_base,
	const struct clock_sample *host, uint64_t rate, int64_t interval_ns, int64_t *jump_ns)
{
	const int64_t error = host->ns - (int64_t)vdso_line_at(line, tsc_base, host->tsc);
	const int64_t horizon = interval_ns > SLEW_NSEC / 2 ? 2 * interval_ns : SLEW_NSEC;
	int64_t correction = error;

	*jump_ns = 0;
	if (error > SLEW_MAX_NSEC) {
		*jump_ns = error;
		correction = 0;
	} else if (error < -SLEW_MAX_NSEC) {
		correction = -SLEW_MAX_NSEC;
	}
	return rate + (int64_t)((__int128)rate * correction / horizon);
}

static void publish_lines(
	uint64_t monotonic_rate, uint64_t raw_rate, int64_t monotonic_jump, int64_t raw_jump)
{
	struct vdso_params *params = g_clock.params;
	uint64_t now;

	params_begin_write(params);
	now = vdso_read_tsc();
	vdso_store(params->monotonic.base_ns,
		vdso_line_at(&params->monotonic, params->tsc_base, now) + monotonic_jump);
	vdso_store(
		params->raw.base_ns, vdso_line_at(&params->raw, params->tsc_base, now) + raw_jump);
	vdso_store(params->monotonic.multiplier, monotonic_rate);
	vdso_store(params->raw.multiplier, raw_rate);
	vdso_store(params->tsc_base, now);
	params_end_write(params);
}

static void publish_offsets(void)
{
	struct vdso_params *params = g_clock.params;
	const int64_t realtime =
		settle_offset(params->realtime_offset, sample_offset(CLOCK_REALTIME));
	const int64_t boottime =
		settle_offset(params->boottime_offset, sample_offset(CLOCK_BOOTTIME));
	/* TAI differs from UTC by whole seconds. */
	const int64_t leap =
		(sample_offset(CLOCK_TAI) - realtime + NSEC_PER_SEC / 2) / NSEC_PER_SEC;

	params_begin_write(params);
	vdso_store(params->realtime_offset, realtime);
	vdso_store(params->boottime_offset, boottime);
	vdso_store(params->tai_offset, realtime + leap * NSEC_PER_SEC);
	params_end_write(params);
}

/* From now on the host's clocks: for good, since the counter jumps or changes its rate. */
static void give_counter_up(void)
{
	struct vdso_params *params = g_clock.params;
	int64_t lag;

	log_warning("the time stamp counter is not steady: clocks come from the host now");
	params_begin_write(params);
	lag = (int64_t)vdso_line_at(&params->monotonic, params->tsc_base, vdso_read_tsc()) -
	      clock_host_now(CLOCK_MONOTONIC);
	atomic_store(&g_clock.host_lag_ns, lag > 0 ? lag : 0);
	vdso_store(params->ready, 0);
	params_end_write(params);
}

/* Goes on from the host's clock or from where the line is, whichever is later. */
static uint64_t restart_line(const struct vdso_line *line, uint64_t tsc_base, uint64_t tsc,
	const struct clock_sample *host, uint64_t rate)
{
	const struct vdso_line fresh = {host->ns, rate};

	return max_u64(vdso_line_at(line, tsc_base, tsc), vdso_line_at(&fresh, host->tsc, tsc));
}

/* The host slept, or was moved to another machine: the counter has no past. Keeps the rate. */
static void restart_lines(const struct clock_sample *monotonic, const struct clock_sample *raw)
{
	struct vdso_params *params = g_clock.params;
	const uint64_t rate = g_calibration.rate;
	uint64_t now;

	if (++g_calibration.misfits >= MAX_MISFITS) {
		give_counter_up();
		return;
	}
	params_begin_write(params);
	now = vdso_read_tsc();
	vdso_store(params->monotonic.base_ns,
		restart_line(&params->monotonic, params->tsc_base, now, monotonic, rate));
	vdso_store(
		params->raw.base_ns, restart_line(&params->raw, params->tsc_base, now, raw, rate));
	vdso_store(params->monotonic.multiplier, rate);
	vdso_store(params->raw.multiplier, rate);
	vdso_store(params->tsc_base, now);
	params_end_write(params);
}

static void update_lines(void)
{
	struct vdso_params *params = g_clock.params;
	const struct clock_sample monotonic = take_sample(CLOCK_MONOTONIC);
	const struct clock_sample raw = take_sample(CLOCK_MONOTONIC_RAW);
	const int64_t interval = monotonic.ns - g_calibration.monotonic.ns;
	const uint64_t monotonic_rate = measure_rate(&g_calibration.monotonic, &monotonic);
	const uint64_t raw_rate = measure_rate(&g_calibration.raw, &raw);
	int64_t monotonic_jump, raw_jump;

	/* Too soon to tell a rate. */
	if (interval >= 0 && interval < UPDATE_MIN_NSEC)
		return;
	if (!monotonic_rate || !raw_rate || !rates_agree(monotonic_rate, g_calibration.rate)) {
		restart_lines(&monotonic, &raw);
	} else {
		const uint64_t monotonic_slope = bend(&params->monotonic, params->tsc_base,
			&monotonic, monotonic_rate, interval, &monotonic_jump);
		const uint64_t raw_slope =
			bend(&params->raw, params->tsc_base, &raw, raw_rate, interval, &raw_jump);

		publish_lines(monotonic_slope, raw_slope, monotonic_jump, raw_jump);
		g_calibration.misfits = 0;
		g_calibration.rate = monotonic_rate;
	}
	g_calibration.monotonic = monotonic;
	g_calibration.raw = raw;
}

void clock_update(void)
{
	mutex_lock(&g_calibration.lock);
	if (g_clock.params->ready)
		update_lines();
	publish_offsets();
	mutex_unlock(&g_calibration.lock);
}

/* --- the start --- */

/*
 * The host would keep time by the counter: then it found it steady, and the same on all
 * processors.
 */
static bool host_trusts_counter(void)
{
	char line[256];
	bool trusted = false;
	FILE *file =
		fopen("/sys/devices/system/clocksource/clocksource0/available_clocksource", "re");

	if (!file)
		return false;
	if (fgets(line, sizeof(line), file)) {
		char *rest = NULL;

		for (char *word = strtok_r(line, " \n", &rest); word;
			word = strtok_r(NULL, " \n", &rest))
			trusted |= strcmp(word, "tsc") == 0;
	}
	(void)fclose(file);
	return trusted;
}

static bool counter_is_usable(void)
{
	unsigned int a, b, c, d;

	/* Invariant TSC: it ticks at one rate in all states of the processor. */
	if (!__get_cpuid(0x80000007, &a, &b, &c, &d) || !(d & 1 << 8))
		return false;
	return host_trusts_counter();
}

static uint32_t read_aux_rdtscp(void)
{
	uint32_t a, d, aux;

	__asm__ volatile("rdtscp" : "=a"(a), "=d"(d), "=c"(aux));
	return aux;
}

/* Linux puts the processor's number into TSC_AUX; believe it only if it is there. */
static enum vdso_getcpu choose_getcpu(void)
{
	unsigned int a, b, c, d;
	int agreed = 0;

	if (!__get_cpuid(0x80000001, &a, &b, &c, &d) || !(d & 1 << 27))
		return VDSO_GETCPU_SYSCALL;
	for (int i = 0; i < 8; i++)
		agreed += (int)(read_aux_rdtscp() & 0xfff) == sched_getcpu();
	if (agreed < 4)
		return VDSO_GETCPU_SYSCALL;
	if (__get_cpuid_count(7, 0, &a, &b, &c, &d) && (c & 1 << 22))
		return VDSO_GETCPU_RDPID;
	return VDSO_GETCPU_RDTSCP;
}

static void start_lines(void)
{
	struct vdso_params *params = g_clock.params;
	const struct clock_sample monotonic = take_sample(CLOCK_MONOTONIC);
	const struct clock_sample raw = take_sample(CLOCK_MONOTONIC_RAW);

	while (clock_host_now(CLOCK_MONOTONIC) - monotonic.ns < FIRST_CALIBRATION_NSEC)
		__builtin_ia32_pause();
	g_calibration.monotonic = take_sample(CLOCK_MONOTONIC);
	g_calibration.raw = take_sample(CLOCK_MONOTONIC_RAW);
	vdso_store(
		params->monotonic.multiplier, measure_rate(&monotonic, &g_calibration.monotonic));
	vdso_store(params->raw.multiplier, measure_rate(&raw, &g_calibration.raw));
	if (!params->monotonic.multiplier || !params->raw.multiplier)
		return;
	g_calibration.rate = params->monotonic.multiplier;
	/* Both lines begin at one tick. */
	vdso_store(params->tsc_base, g_calibration.raw.tsc);
	vdso_store(params->monotonic.base_ns,
		vdso_line_at(&(struct vdso_line){g_calibration.monotonic.ns,
				     params->monotonic.multiplier},
			g_calibration.monotonic.tsc, params->tsc_base));
	vdso_store(params->raw.base_ns, g_calibration.raw.ns);
	vdso_store(params->ready, 1);
}

int clock_start(struct vdso_params *params_page)
{
	mutex_init(&g_calibration.lock, RANK_LEAF, "clock");
	g_clock.params = params_page ? params_page : &g_clock.own_params;
	*g_clock.params = (struct vdso_params){.getcpu = choose_getcpu()};
	g_calibration.misfits = 0;
	atomic_store(&g_clock.host_lag_ns, 0);
	publish_offsets();
	if (counter_is_usable())
		start_lines();
	if (!g_clock.params->ready)
		log_info("no steady time stamp counter: clocks come from the host, by system call");
	return 0;
}
