/* SPDX-License-Identifier: Apache-2.0 */
/* Flags of close_range(2). */
#pragma once

#define LINUX_CLOSE_RANGE_UNSHARE 0x2
#define LINUX_CLOSE_RANGE_CLOEXEC 0x4
