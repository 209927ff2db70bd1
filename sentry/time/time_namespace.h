/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time namespaces (time_namespaces(7)): how far the monotonic and the boot clock of a set of
 * processes are from the kernel's own.
 *
 * The kernel counts in its own time everywhere; what a task tells or is told is converted where it
 * comes in or goes out. In nsproxies NULL stands for the first namespace, whose clocks are the
 * kernel's.
 */
#pragma once

#include "base/compiler.h"

#include <stdint.h>

struct cred;
struct task;
struct text_writer;
struct time_namespace;
struct user_namespace;

struct time_offsets {
	int64_t monotonic_ns, boottime_ns;
};

/* With the offsets of from, NULL: none. */
must_check int time_namespace_new(
	struct time_namespace *from, struct user_namespace *user_ns, struct time_namespace **out);
struct time_namespace *time_namespace_get(struct time_namespace *ns); /* NULL is fine */
void time_namespace_put(struct time_namespace *ns);		      /* NULL is fine */
/* From the first member on, its offsets stay as they are. NULL is fine. */
void time_namespace_freeze(struct time_namespace *ns);
/* -ERANGE for one that would put a clock before its beginning or too far behind it, -EACCES once
 * there was a member. */
must_check int time_namespace_set(struct time_namespace *ns, const struct time_offsets *offsets);

/* What a task's clock has more than the kernel's; 0 for clocks that have no offset. The task's own
 * thread. */
int64_t time_namespace_offset(struct task *task, int clock);
/* A deadline that a task gave, in the kernel's time: never negative. */
int64_t time_namespace_to_kernel(struct task *task, int clock, int64_t time_ns);

/* /proc/PID/timens_offsets: of the namespace that a task's children will be in. */
void time_namespace_show(struct task *task, struct text_writer *out);
must_check int time_namespace_store(struct task *task, const struct cred *cred, const char *text);
