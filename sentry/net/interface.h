/* SPDX-License-Identifier: Apache-2.0 */
/* The one interface that there is, as ioctls and netlink tell of it. */
#pragma once

#include "abi/ioctl.h"

#define LOOPBACK_NAME  "lo"
#define LOOPBACK_INDEX 1
#define LOOPBACK_MTU   65536
#define LOOPBACK_QUEUE 1000
#define LOOPBACK_FLAGS (LINUX_IFF_UP | LINUX_IFF_LOOPBACK | LINUX_IFF_RUNNING)
