/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of keyctl(2) share: copying arguments in, and the operations. */
#pragma once

#include "sentry/keys/key.h"
#include "sentry/mm/mm.h"

struct task;

#define KEY_TYPE_SIZE	32
#define KEY_PAYLOAD_MAX ((1ul << 20) - 1)

/* -EINVAL for what is empty or too long, -EPERM for a type of the kernel's own. */
must_check int keyctl_copy_type(struct task *task, gaddr_t address, char type[KEY_TYPE_SIZE]);
must_check int keyctl_copy_text(
	struct task *task, gaddr_t address, char text[KEY_DESCRIPTION_SIZE]);
/* *out is for the caller to free; NULL for nothing. */
must_check int keyctl_copy_payload(struct task *task, gaddr_t address, size_t size, void **out);

/* keyctl.c: args as the system call's. */
int64_t keyctl_update(struct task *task, const uint64_t args[6]);
int64_t keyctl_read(struct task *task, const uint64_t args[6]);
int64_t keyctl_revoke(struct task *task, const uint64_t args[6]);
int64_t keyctl_invalidate(struct task *task, const uint64_t args[6]);
int64_t keyctl_set_timeout(struct task *task, const uint64_t args[6]);
int64_t keyctl_chown(struct task *task, const uint64_t args[6]);
int64_t keyctl_setperm(struct task *task, const uint64_t args[6]);
int64_t keyctl_describe(struct task *task, const uint64_t args[6]);
int64_t keyctl_get_security(struct task *task, const uint64_t args[6]);
