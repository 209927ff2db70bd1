/* SPDX-License-Identifier: Apache-2.0 */
/* ioprio_set(2), ioprio_get(2). */
#pragma once

#define LINUX_IOPRIO_CLASS_SHIFT	      13
#define LINUX_IOPRIO_CLASS(ioprio)	      (((ioprio) >> LINUX_IOPRIO_CLASS_SHIFT) & 0x7)
#define LINUX_IOPRIO_CLASS_NONE		      0
#define LINUX_IOPRIO_CLASS_RT		      1
#define LINUX_IOPRIO_CLASS_BE		      2
#define LINUX_IOPRIO_CLASS_IDLE		      3
#define LINUX_IOPRIO_LEVEL(ioprio)	      ((ioprio)&0x7)
#define LINUX_IOPRIO_NR_LEVELS		      8
#define LINUX_IOPRIO_BE_NORM		      4
#define LINUX_IOPRIO_WHO_PROCESS	      1
#define LINUX_IOPRIO_WHO_PGRP		      2
#define LINUX_IOPRIO_WHO_USER		      3
#define LINUX_IOPRIO_PRIO_VALUE(class, level) (((class) << LINUX_IOPRIO_CLASS_SHIFT) | (level))
