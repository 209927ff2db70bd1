/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock: as much as is needed to answer a probe for its version. */
#pragma once

#include <stdint.h>

#define LINUX_LANDLOCK_CREATE_RULESET_VERSION 0x1
#define LINUX_LANDLOCK_CREATE_RULESET_ERRATA  0x2
#define LINUX_LANDLOCK_RULE_PATH_BENEATH      1
#define LINUX_LANDLOCK_RULE_NET_PORT	      2

struct linux_landlock_ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

_Static_assert(sizeof(struct linux_landlock_ruleset_attr) == 24, "struct landlock_ruleset_attr");
