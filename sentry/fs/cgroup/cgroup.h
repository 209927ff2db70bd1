/* SPDX-License-Identifier: Apache-2.0 */
/* The cgroup2 file system (cgroups(7)): what a container may use and what it uses, to be read. */
#pragma once

/* Makes the file system type "cgroup2" known. Once at start. */
void cgroup_register(void);
