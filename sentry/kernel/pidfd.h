/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors that stand for a process or a thread (pidfd_open(2)). */
#pragma once

#include "abi/pidfd.h"
#include "base/compiler.h"

#include <stdbool.h>

struct file;
struct pid;
struct task;

/* One that stands for nobody until pidfd_set_pid(). flags: LINUX_PIDFD_NONBLOCK, _THREAD. */
must_check int pidfd_new(unsigned int flags, struct file **out);
void pidfd_set_pid(struct file *file, struct pid *pid);
/* A reference to the pid that a file stands for (pidfds, and directories of /proc when they tell),
 * or NULL. */
struct pid *pidfd_pid(struct file *file);
/* The same of a descriptor of the caller's: -EBADF. *flags: those of the file (may be NULL). */
must_check int pidfd_get(struct task *task, int fd, struct pid **out, unsigned int *flags);
