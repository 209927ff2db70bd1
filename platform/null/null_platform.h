/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The platform that runs no code: a double for unit tests of what stands above platform.h.
 *
 * A test gives each context a script, a function that plays the guest. Mappings are recorded, and
 * take effect when a switch or a flush carries the queue out, as on a real platform.
 */
#pragma once

#include "platform/platform.h"

/*
 * Plays the guest until its next exit: changes the registers and fills the exit in, as the hardware
 * would. Returns what context_switch() shall return.
 */
typedef int (*null_guest)(void *data, struct context *context, struct address_space *as,
	struct linux_user_regs *registers, unsigned int flags, struct context_exit *out);

struct null_mapping {
	uint64_t address, length;
	int fd;
	uint64_t offset;
	int protection;
	int flags;
	bool populated;
};

/* All contexts of the platform that have no script of their own play this one; NULL:
 * EXIT_INTERRUPTED. */
void null_platform_set_guest(struct platform *platform, null_guest guest, void *data);
void null_context_set_guest(struct context *context, null_guest guest, void *data);
/* What a guest would find at an address now, cut to what one mapping call still gives; false:
 * nothing. */
bool null_address_space_find(
	struct address_space *as, uint64_t address, struct null_mapping *mapping);
/* Calls of map, protect, unmap and populate that wait for a switch or a flush. */
size_t null_address_space_queued(struct address_space *as);
size_t null_address_space_mapping_count(struct address_space *as);
/* The next so many calls that can fail, fail with an error. For tests of what is done then. */
void null_platform_fail(struct platform *platform, unsigned int calls, int error);
/* Address spaces and contexts that were not freed. */
unsigned int null_platform_live(struct platform *platform);
void null_platform_free(struct platform *platform);
