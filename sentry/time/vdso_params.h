/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the vDSO knows of the clocks: one page, written by sentry/time/clock.c, read by guests from
 * the page before the vDSO's image, and by the sentry itself. Both compute a time with the
 * functions here, so they agree.
 *
 * Compiled into the vDSO too, which has no libc: only types and inline functions, no floating
 * point.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Nanoseconds a tick, times 2^VDSO_SHIFT; holds every processor of 16 MHz and more. */
#define VDSO_SHIFT 57

/* What the coarse clocks round down to, and their resolution: a tick of a kernel with HZ=250. */
#define VDSO_COARSE_NSEC  4000000ll
#define VDSO_NSEC_PER_SEC 1000000000ll

/* How __vdso_getcpu() finds the processor. */
enum vdso_getcpu { VDSO_GETCPU_SYSCALL, VDSO_GETCPU_RDTSCP, VDSO_GETCPU_RDPID };

/* A clock that runs at its own rate: base_ns at the processor's tick tsc_base. */
struct vdso_line {
	uint64_t base_ns;
	uint64_t multiplier;
};

struct vdso_params {
	uint32_t sequence; /* odd while the fields below are being changed */
	uint32_t ready;	   /* 0: clocks must be asked for with the system call */
	uint32_t getcpu;   /* enum vdso_getcpu; set once */
	uint32_t reserved;
	uint64_t tsc_base;
	struct vdso_line monotonic, raw;
	int64_t realtime_offset, boottime_offset, tai_offset; /* to be added to CLOCK_MONOTONIC */
};

_Static_assert(sizeof(struct vdso_params) == 80, "the vDSO and the sentry read the same bytes");

static inline uint64_t vdso_read_tsc(void)
{
	uint32_t low, high;

	/*
	 * lfence: no load before it is still under way, so the tick is younger than the sequence
	 * count.
	 */
	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* The fields change under the readers' eyes; the sequence tells them. */
#define vdso_load(field)	 __atomic_load_n(&(field), __ATOMIC_RELAXED)
#define vdso_store(field, value) __atomic_store_n(&(field), value, __ATOMIC_RELAXED)

/*
 * A processor that is a few ticks behind the one that published does not go back beyond the base.
 */
static inline uint64_t vdso_line_at(const struct vdso_line *line, uint64_t tsc_base, uint64_t tsc)
{
	uint64_t ticks = tsc > tsc_base ? tsc - tsc_base : 0;

	return vdso_load(line->base_ns) +
	       (uint64_t)((unsigned __int128)ticks * vdso_load(line->multiplier) >> VDSO_SHIFT);
}

static inline int64_t vdso_coarse(int64_t monotonic_ns)
{
	return monotonic_ns - monotonic_ns % VDSO_COARSE_NSEC;
}

/* Begins a reading; odd: a writer is at work. */
static inline uint32_t vdso_sequence_begin(const struct vdso_params *params)
{
	return __atomic_load_n(&params->sequence, __ATOMIC_ACQUIRE);
}

/* True if what was read since belongs together. */
static inline bool vdso_sequence_unchanged(const struct vdso_params *params, uint32_t sequence)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&params->sequence, __ATOMIC_RELAXED) == sequence;
}
