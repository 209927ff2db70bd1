/* SPDX-License-Identifier: Apache-2.0 */
/* The proc file system (proc(5)): processes, and the kernel's tables and settings as text. */
#pragma once

/* Makes the file system type "proc" known. Once at start. */
void proc_register(void);
