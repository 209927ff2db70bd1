/* SPDX-License-Identifier: Apache-2.0 */
/* The one source of randomness: the host's, taken in pieces so that small requests cost no system
 * call. */
#include "sentry/kernel/random.h"

#include "base/lock.h"
#include "base/log.h"
#include "sentry/lock_order.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

static struct {
	struct mutex lock; /* RANK_LEAF */
	uint8_t bytes[1024];
	size_t left; /* unused ones, at the end; used ones are cleared */
} pool;

static void host_random(void *buffer, size_t size)
{
	uint8_t *place = buffer;

	while (size) {
		ssize_t got = getrandom(place, size, 0);

		if (got < 0 && errno == EINTR)
			continue;
		panic_if(got <= 0, "getrandom: %m");
		place += got;
		size -= (size_t)got;
	}
}

__attribute__((constructor)) static void pool_init(void)
{
	mutex_init(&pool.lock, RANK_LEAF, "random");
}

void random_bytes(void *buffer, size_t size)
{
	if (size > sizeof(pool.bytes) / 4) {
		host_random(buffer, size);
		return;
	}
	mutex_guard(&pool.lock);
	if (pool.left < size) {
		host_random(pool.bytes, sizeof(pool.bytes));
		pool.left = sizeof(pool.bytes);
	}
	uint8_t *place = pool.bytes + sizeof(pool.bytes) - pool.left;

	memcpy(buffer, place, size);
	explicit_bzero(place, size);
	pool.left -= size;
}

uint64_t random_u64(void)
{
	uint64_t number;

	random_bytes(&number, sizeof(number));
	return number;
}
