/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sentry/trace/ - what guests do, written down by the kernel itself.
 *
 * No ptrace is involved: the hooks of task_run.h tell of each system call, signal, end and new
 * task, on the thread of the task that it happens to, so that its memory can be read as its own
 * system calls read it. A guest can neither see that it is traced nor get out of it. With nobody
 * tracing, the hooks cost one test of a word that is tested anyway.
 *
 * Locks: one, of RANK_LEAF, for the writer. Guest memory is read before it is taken.
 */
#pragma once

#include "base/compiler.h"
#include "sentry/trace/trace_filter.h"

#include <stdbool.h>
#include <stdint.h>

struct linux_siginfo;
struct task;

struct trace_config {
	int fd;		 /* events go here; written to, never read or closed; -1: nobody traces */
	bool json;	 /* one object a line, docs/trace.md has the schema */
	bool summary;	 /* only the table of counts and times, at the end */
	bool timestamps; /* the time of day before each line, the duration after it */
	struct trace_filter filter;
};

/* Before the first task starts. -ENOMEM. */
must_check int trace_start(const struct trace_config *config);
/* No task is left: calls that never returned, the table, and what is still in the buffer. The
 * error that ended the trace early (-EPIPE: its reader went away), or 0. */
must_check int trace_finish(void);
/* The first task of a sandbox calls this; children inherit it. */
void trace_task_begin(struct task *task);
