/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the null platform share. */
#pragma once

#include "platform/null/null_platform.h"

#include <stdatomic.h>

struct null_platform {
	struct platform platform;
	null_guest guest;
	void *data;
	unsigned int failing_calls;
	int failure;
	atomic_uint live;
};

static inline struct null_platform *null_platform_of(struct platform *platform)
{
	return container_of(platform, struct null_platform, platform);
}

/* The error that a test ordered, or 0. */
must_check int null_platform_failure(struct null_platform *platform);

/* null_address_space.c */
int null_address_space_new(struct platform *platform, struct address_space **out);
void null_address_space_free(struct address_space *as);
int null_address_space_map(struct address_space *as, uint64_t address, int fd, uint64_t offset,
	uint64_t length, int protection, int flags);
int null_address_space_protect(
	struct address_space *as, uint64_t address, uint64_t length, int protection);
int null_address_space_unmap(struct address_space *as, uint64_t address, uint64_t length);
int null_address_space_populate(struct address_space *as, uint64_t address, uint64_t length);
int null_address_space_reset(struct address_space *as);
int null_address_space_flush(struct address_space *as);
