/* SPDX-License-Identifier: Apache-2.0 */
/* Notifications of a filter to its supervisor (seccomp_unotify(2)): what seccomp.c needs of
 * seccomp_notify.c. */
#pragma once

#include "sentry/kernel/seccomp.h"

struct file;
struct linux_seccomp_data;
struct seccomp_notifier;

/* The listener's file, which holds a reference of its own; *out is borrowed from it. */
must_check int seccomp_notifier_new(
	bool killable_receive, struct seccomp_notifier **out, struct file **file);
void seccomp_notifier_get(struct seccomp_notifier *notifier);
void seccomp_notifier_put(struct seccomp_notifier *notifier);
/* The last task under the filter is gone: the supervisor's poll tells hang-up. */
void seccomp_notifier_hang_up(struct seccomp_notifier *notifier);
/* Asks the supervisor about a call and waits for the answer. Task's own thread, no lock held. */
must_check enum seccomp_verdict seccomp_notify(struct seccomp_notifier *notifier, struct task *task,
	const struct linux_seccomp_data *data);
