/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes and small macros that every room uses. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define must_check    __attribute__((warn_unused_result))
#define noreturn_     __attribute__((noreturn))
#define format_(f, a) __attribute__((format(printf, f, a)))
#define cleanup_(fn)  __attribute__((cleanup(fn)))
/* For large buffers whose filled part alone is ever looked at: they are not cleared first. */
#if __has_attribute(uninitialized)
#define uninitialized_ __attribute__((uninitialized))
#else
#define uninitialized_
#endif
#define unused_	       __attribute__((unused))
#define cold_	       __attribute__((cold))
#define likely(x)      __builtin_expect(!!(x), 1)
#define unlikely(x)    __builtin_expect(!!(x), 0)
#define array_count(a) (sizeof(a) / sizeof((a)[0]))

#define container_of(pointer, type, member)                                                        \
	((type *)((char *)(pointer)-offsetof(type, member) +                                       \
		  0 * sizeof((pointer) == &((type *)0)->member)))

/* Hands ownership out of a variable that a cleanup attribute would otherwise release. */
#define steal_pointer(pointer)                                                                     \
	({                                                                                         \
		__typeof__(*(pointer)) stolen_ = *(pointer);                                       \
		*(pointer) = NULL;                                                                 \
		stolen_;                                                                           \
	})

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ul
#define PAGE_MASK  (~(PAGE_SIZE - 1))

static inline uint64_t page_floor(uint64_t value)
{
	return value & PAGE_MASK;
}

/* Wraps to 0 for values in the last page of 64 bits: callers check the range first. */
static inline uint64_t page_ceil(uint64_t value)
{
	return (value + PAGE_SIZE - 1) & PAGE_MASK;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}
