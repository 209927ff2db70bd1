/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vDSO: guest code that tells the time and the processor without a system call. It is mapped
 * into every program, with the page of struct vdso_params directly before it.
 *
 * It is a shared object of its own, with no libc and no relocations. Its layout is in vdso.lds;
 * embed.py turns it into an array. Nothing that needs a run time may be compiled in: no stack
 * protector, no sanitizer, no call to memcpy.
 *
 * Linux's has __vdso_getrandom and __vdso_sgx_enter_enclave too.
 */
#include "abi/time.h"
#include "sentry/time/vdso_params.h"

#include <stddef.h>
#include <stdint.h>

#define NR_gettimeofday	 96
#define NR_time		 201
#define NR_clock_gettime 228
#define NR_clock_getres	 229
#define NR_getcpu	 309

/* A writer that takes longer than this many rounds was stopped by the host: let the kernel wait. */
#define SPIN_LIMIT 64

#define exported __attribute__((visibility("default")))

/* The page before the image; the linker script says where. Not const: somebody else writes it. */
extern struct vdso_params vdso_params_page __attribute__((visibility("hidden")));

int exported __vdso_clock_gettime(int clock, struct linux_timespec *time);
int exported __vdso_clock_getres(int clock, struct linux_timespec *resolution);
int exported __vdso_gettimeofday(struct linux_timeval *time, struct linux_timezone *zone);
int64_t exported __vdso_time(int64_t *time);
int64_t exported __vdso_getcpu(unsigned int *cpu, unsigned int *node, void *unused);

static inline long system_call(long number, long a, long b, long c)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return result;
}

enum base_clock { BASE_MONOTONIC, BASE_RAW, BASE_REALTIME, BASE_BOOTTIME, BASE_TAI };

/* False: ask the kernel. */
static inline bool read_clock(enum base_clock clock, bool coarse, int64_t *now)
{
	const struct vdso_params *params = &vdso_params_page;

	for (int i = 0; i < SPIN_LIMIT; i++) {
		const uint32_t sequence = vdso_sequence_begin(params);
		const struct vdso_line *line =
			clock == BASE_RAW ? &params->raw : &params->monotonic;
		int64_t time, offset = 0;

		if (sequence & 1) {
			__builtin_ia32_pause();
			continue;
		}
		if (!vdso_load(params->ready))
			return false;
		time = vdso_line_at(line, vdso_load(params->tsc_base), vdso_read_tsc());
		if (clock == BASE_REALTIME)
			offset = vdso_load(params->realtime_offset);
		else if (clock == BASE_BOOTTIME)
			offset = vdso_load(params->boottime_offset);
		else if (clock == BASE_TAI)
			offset = vdso_load(params->tai_offset);
		if (!vdso_sequence_unchanged(params, sequence))
			continue;
		*now = (coarse ? vdso_coarse(time) : time) + offset;
		return true;
	}
	return false;
}

static inline bool read_clock_id(int clock, int64_t *now)
{
	switch (clock) {
	case LINUX_CLOCK_REALTIME:
		return read_clock(BASE_REALTIME, false, now);
	case LINUX_CLOCK_MONOTONIC:
		return read_clock(BASE_MONOTONIC, false, now);
	case LINUX_CLOCK_MONOTONIC_RAW:
		return read_clock(BASE_RAW, false, now);
	case LINUX_CLOCK_REALTIME_COARSE:
		return read_clock(BASE_REALTIME, true, now);
	case LINUX_CLOCK_MONOTONIC_COARSE:
		return read_clock(BASE_MONOTONIC, true, now);
	case LINUX_CLOCK_BOOTTIME:
		return read_clock(BASE_BOOTTIME, false, now);
	case LINUX_CLOCK_TAI:
		return read_clock(BASE_TAI, false, now);
	default:
		return false;
	}
}

int __vdso_clock_gettime(int clock, struct linux_timespec *time)
{
	int64_t now;

	if (!read_clock_id(clock, &now))
		return system_call(NR_clock_gettime, clock, (long)time, 0);
	time->tv_sec = now / VDSO_NSEC_PER_SEC;
	time->tv_nsec = now % VDSO_NSEC_PER_SEC;
	return 0;
}

int __vdso_clock_getres(int clock, struct linux_timespec *resolution)
{
	int64_t nsec = 1;

	switch (clock) {
	case LINUX_CLOCK_REALTIME:
	case LINUX_CLOCK_MONOTONIC:
	case LINUX_CLOCK_MONOTONIC_RAW:
	case LINUX_CLOCK_BOOTTIME:
	case LINUX_CLOCK_TAI:
		break;
	case LINUX_CLOCK_REALTIME_COARSE:
	case LINUX_CLOCK_MONOTONIC_COARSE:
		nsec = VDSO_COARSE_NSEC;
		break;
	default:
		return system_call(NR_clock_getres, clock, (long)resolution, 0);
	}
	if (resolution)
		*resolution = (struct linux_timespec){.tv_sec = 0, .tv_nsec = nsec};
	return 0;
}

int __vdso_gettimeofday(struct linux_timeval *time, struct linux_timezone *zone)
{
	int64_t now;

	if (time) {
		if (!read_clock(BASE_REALTIME, false, &now))
			return system_call(NR_gettimeofday, (long)time, (long)zone, 0);
		time->tv_sec = now / VDSO_NSEC_PER_SEC;
		time->tv_usec = now % VDSO_NSEC_PER_SEC / 1000;
	}
	/* The kernel's time zone is always UTC. */
	if (zone)
		*zone = (struct linux_timezone){0};
	return 0;
}

/*
 * The second of the coarse clock, as time(2) tells it: it never disagrees with the time stamps of
 * files.
 */
int64_t __vdso_time(int64_t *time)
{
	int64_t now;

	if (!read_clock(BASE_REALTIME, true, &now))
		return system_call(NR_time, (long)time, 0, 0);
	now /= VDSO_NSEC_PER_SEC;
	if (time)
		*time = now;
	return now;
}

/* The host's processor, as Linux keeps it in TSC_AUX: 12 bits of it, the node above. */
int64_t __vdso_getcpu(unsigned int *cpu, unsigned int *node, void *unused)
{
	uint64_t aux;
	uint32_t low, high, aux32;

	switch (vdso_load(vdso_params_page.getcpu)) {
	case VDSO_GETCPU_RDPID:
		/* rdpid %rax, which older assemblers do not know */
		__asm__ volatile(".byte 0xf3, 0x0f, 0xc7, 0xf8" : "=a"(aux));
		break;
	case VDSO_GETCPU_RDTSCP:
		__asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(aux32));
		aux = aux32;
		break;
	default:
		return system_call(NR_getcpu, (long)cpu, (long)node, (long)unused);
	}
	if (cpu)
		*cpu = aux & 0xfff;
	if (node)
		*node = (aux & 0xffffffff) >> 12;
	return 0;
}

#define WEAK_ALIAS(name) __attribute__((weak, alias("__vdso_" #name), visibility("default")))

int WEAK_ALIAS(clock_gettime) clock_gettime(int clock, struct linux_timespec *time);
int WEAK_ALIAS(clock_getres) clock_getres(int clock, struct linux_timespec *resolution);
int WEAK_ALIAS(gettimeofday) gettimeofday(struct linux_timeval *time, struct linux_timezone *zone);
int64_t WEAK_ALIAS(time) time(int64_t *time);
int64_t WEAK_ALIAS(getcpu) getcpu(unsigned int *cpu, unsigned int *node, void *unused);
