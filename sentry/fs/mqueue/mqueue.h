/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sentry/fs/mqueue/ - POSIX message queues (mq_overview(7)): a file system of queues for each ipc
 * namespace, mounted nowhere until somebody mounts it.
 */
#pragma once

#include "abi/ipc.h"
#include "abi/signal.h"
#include "base/compiler.h"
#include "sentry/mm/mm.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct file;
struct ipc_namespace;
struct mount;
struct super_block;
struct task;

/* What /proc/sys/fs/mqueue shows, of one ipc namespace. */
struct mqueue_settings {
	atomic_int queues_max, msg_max, msgsize_max, msg_default, msgsize_default;
};

/* Registers "mqueue". Once at start. */
void mqueue_register(void);
/* The settings of the current task's ipc namespace; borrowed. -ENOMEM. */
must_check int mqueue_settings_current(struct mqueue_settings **out);

/* mq_open(2), name without its slash as the system call takes it: a file in *out. flags: LINUX_O_*.
 * attributes: NULL for the defaults. */
must_check int mqueue_open(const char *name, uint32_t flags, uint32_t mode,
	const struct linux_mq_attr *attributes, struct file **out);
must_check int mqueue_unlink(const char *name);
bool file_is_mqueue(const struct file *file);

/* mq_timedsend(2) and mq_timedreceive(2) on such a file. deadline_ns: CLOCK_MONOTONIC, INT64_MAX
 * for none. Receiving gives the message's size. -ERESTARTSYS, -ETIMEDOUT, -EAGAIN, -EMSGSIZE. */
must_check int64_t mqueue_send(struct task *task, struct file *file, gaddr_t text, uint64_t size,
	uint32_t priority, int64_t deadline_ns);
must_check int64_t mqueue_receive(struct task *task, struct file *file, gaddr_t text, uint64_t size,
	gaddr_t priority, int64_t deadline_ns);
void mqueue_get_attributes(struct file *file, struct linux_mq_attr *out);

/* mq_notify(2): NULL takes the caller's own registration back. For SIGEV_THREAD cookie is what the
 * netlink socket is told with. -EBUSY. */
must_check int mqueue_notify(struct task *task, struct file *file,
	const struct linux_sigevent *event, struct file *socket, const uint8_t *cookie);
