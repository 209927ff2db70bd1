/* SPDX-License-Identifier: Apache-2.0 */
/* Security modules (lsm_list_modules(2)). */
#pragma once

#include <stdint.h>

#define LINUX_LSM_ID_UNDEF	0
#define LINUX_LSM_ID_CAPABILITY 100
#define LINUX_LSM_ID_LANDLOCK	110

#define LINUX_LSM_ATTR_UNDEF 0

#define LINUX_LSM_FLAG_SINGLE 0x1

/* ctx follows: ctx_len bytes. */
struct linux_lsm_ctx {
	uint64_t id, flags, len, ctx_len;
};
