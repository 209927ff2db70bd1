/* SPDX-License-Identifier: Apache-2.0 */
/* eventfd2(2). Timers are in abi/time.h, signalfd(2) in abi/signal.h. */
#pragma once

#define LINUX_EFD_SEMAPHORE 1
#define LINUX_EFD_CLOEXEC   02000000
#define LINUX_EFD_NONBLOCK  04000
