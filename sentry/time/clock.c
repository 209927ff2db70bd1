/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clocks, read with the vDSO's parameters and its formula, so that a guest never sees time run
 * backwards between a system call and the vDSO. Without a usable time stamp counter everything
 * comes from the host's clocks, and the vDSO makes system calls. The coarse clocks advance by 4 ms,
 * whatever the host's do.
 */
#include "sentry/time/clock.h"

#include "abi/time.h"
#include "base/log.h"
#include "sentry/time/clock_state.h"
#include "sentry/time/vdso_params.h"

#include <stdbool.h>
#include <time.h>

struct clock_state g_clock = {.params = &g_clock.own_params};

int64_t clock_host_now(int clock)
{
	struct timespec now;

	panic_if(clock_gettime(clock, &now) < 0, "clock_gettime(%d): %m", (int)clock);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

enum base_clock { BASE_MONOTONIC, BASE_RAW, BASE_REALTIME, BASE_BOOTTIME, BASE_TAI };

struct clock_kind {
	enum base_clock base;
	bool coarse;
};

static struct clock_kind clock_kind(int clock)
{
	switch (clock) {
	case LINUX_CLOCK_REALTIME:
	case LINUX_CLOCK_REALTIME_ALARM:
		return (struct clock_kind){BASE_REALTIME, false};
	case LINUX_CLOCK_MONOTONIC:
		return (struct clock_kind){BASE_MONOTONIC, false};
	case LINUX_CLOCK_MONOTONIC_RAW:
		return (struct clock_kind){BASE_RAW, false};
	case LINUX_CLOCK_REALTIME_COARSE:
		return (struct clock_kind){BASE_REALTIME, true};
	case LINUX_CLOCK_MONOTONIC_COARSE:
		return (struct clock_kind){BASE_MONOTONIC, true};
	case LINUX_CLOCK_BOOTTIME:
	case LINUX_CLOCK_BOOTTIME_ALARM:
		return (struct clock_kind){BASE_BOOTTIME, false};
	case LINUX_CLOCK_TAI:
		return (struct clock_kind){BASE_TAI, false};
	default:
		panic("clock %d is not one of the system's", clock);
	}
}

static int64_t params_offset(const struct vdso_params *params, enum base_clock base)
{
	switch (base) {
	case BASE_REALTIME:
		return vdso_load(params->realtime_offset);
	case BASE_BOOTTIME:
		return vdso_load(params->boottime_offset);
	case BASE_TAI:
		return vdso_load(params->tai_offset);
	default:
		return 0;
	}
}

static int host_clock(enum base_clock base)
{
	switch (base) {
	case BASE_RAW:
		return CLOCK_MONOTONIC_RAW;
	case BASE_REALTIME:
		return CLOCK_REALTIME;
	case BASE_BOOTTIME:
		return CLOCK_BOOTTIME;
	case BASE_TAI:
		return CLOCK_TAI;
	default:
		return CLOCK_MONOTONIC;
	}
}

/* The line's time, and the offset to be added to it. */
static int64_t read_line(enum base_clock base, int64_t *offset)
{
	const struct vdso_params *params = g_clock.params;
	uint32_t sequence;
	bool ready;
	int64_t time = 0;

	/* A writer is done within microseconds: not worth sleeping for. */
	do {
		while ((sequence = vdso_sequence_begin(params)) & 1)
			__builtin_ia32_pause();
		ready = vdso_load(params->ready);
		*offset = params_offset(params, base);
		if (ready)
			time = vdso_line_at(base == BASE_RAW ? &params->raw : &params->monotonic,
				vdso_load(params->tsc_base), vdso_read_tsc());
	} while (!vdso_sequence_unchanged(params, sequence));
	if (ready)
		return time;
	*offset = 0;
	time = clock_host_now(host_clock(base));
	if (base == BASE_REALTIME || base == BASE_TAI)
		return time;
	return time + atomic_load_explicit(&g_clock.host_lag_ns, memory_order_relaxed);
}

int64_t clock_now(int clock)
{
	const struct clock_kind kind = clock_kind(clock);
	int64_t offset;
	const int64_t time = read_line(kind.base, &offset);

	return (kind.coarse ? vdso_coarse(time) : time) + offset;
}

int64_t clock_monotonic(void)
{
	int64_t offset;

	return read_line(BASE_MONOTONIC, &offset);
}

int64_t clock_resolution(int clock)
{
	return clock_kind(clock).coarse ? VDSO_COARSE_NSEC : 1;
}

int64_t clock_to_monotonic(int clock, int64_t time_ns)
{
	const enum base_clock base = clock_kind(clock).base;
	int64_t now, ahead, result;

	if (base == BASE_MONOTONIC)
		return time_ns;
	now = read_line(base, &ahead);
	/* Clocks that have no fixed offset: right now, and nearly so for a while. */
	if (!ahead)
		ahead = now - clock_monotonic();
	if (__builtin_sub_overflow(time_ns, ahead, &result))
		return time_ns < 0 ? INT64_MIN : INT64_MAX;
	return result;
}
