/* SPDX-License-Identifier: Apache-2.0 */
/* What /proc/PID/stat and status both tell of a task: gathered at once, under the locks that it
 * takes. */
#pragma once

#include "abi/signal.h"
#include "sentry/fs/proc/proc_fs.h"

struct task_summary {
	char state;
	char comm[16];
	int tid, tgid, parent, process_group, session,
		tracer; /* as the mount's namespace sees them */
	int threads, exit_code, exit_signal;
	int tty_device, tty_process_group; /* 0 and -1: none */
	bool exiting, forked_only;
	linux_sigset_t pending, shared_pending, blocked, ignored, caught;
	uint64_t voluntary, involuntary;
	/* Of the process or the thread, and of waited-for children. */
	uint64_t minor_faults, major_faults, child_minor_faults, child_major_faults;
	uint64_t user_ns, system_ns, child_user_ns, child_system_ns;
	int64_t start_ns;
};

void task_summary_get(const struct proc_context *context, struct task_summary *summary);
/* "S (sleeping)"'s second half. */
const char *task_state_name(char letter);
/* A name that may hold anything, on one line. */
void proc_escape_name(struct text_writer *out, const char *name);
