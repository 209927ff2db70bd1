/* SPDX-License-Identifier: Apache-2.0 */
/* The generators of what belongs to no process, for the table in root_table.c. */
#pragma once

#include "sentry/fs/proc/proc_fs.h"

#define ROOT_SHOW(name)                                                                            \
	int root_show_##name(const struct proc_context *context, struct text_writer *out)

/* cpuinfo.c */
must_check ROOT_SHOW(cpuinfo);
/* memory_info.c */
must_check ROOT_SHOW(meminfo);
must_check ROOT_SHOW(vmstat);
/* system_load.c */
must_check ROOT_SHOW(stat);
must_check ROOT_SHOW(uptime);
must_check ROOT_SHOW(loadavg);
/* system_tables.c */
must_check ROOT_SHOW(version);
must_check ROOT_SHOW(filesystems);
must_check ROOT_SHOW(devices);
must_check ROOT_SHOW(locks);
must_check ROOT_SHOW(interrupts);
must_check ROOT_SHOW(softirqs);
must_check ROOT_SHOW(key_users);
must_check ROOT_SHOW(keys);
/* sysctl.c */
extern const struct proc_directory sysctl_directory;

/* --- shared by these and by sysfs --- */

/* What there is of memory, in bytes: the sandbox's limit, or else the host's. */
struct memory_amounts {
	uint64_t total, free, available, buffers, shared;
};
void memory_amounts_get(struct memory_amounts *amounts);
