/* SPDX-License-Identifier: Apache-2.0 */
/* The sysfs file system (sysfs(5)): what programs look for in /sys, read-only. */
#pragma once

/* Makes the file system type "sysfs" known. Once at start. */
void sys_register(void);
