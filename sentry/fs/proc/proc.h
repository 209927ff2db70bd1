/* SPDX-License-Identifier: Apache-2.0 */
/* The proc file system (proc(5)): processes, and the kernel's tables and settings as text. */
#pragma once

struct file;
struct pid;

/* Makes the file system type "proc" known. Once at start. */
void proc_register(void);
/* The process whose directory an open file is (/proc/PID, as pidfd_send_signal(2) takes it), with a
 * reference; NULL for other files. */
struct pid *proc_directory_pid(const struct file *file);
