/* SPDX-License-Identifier: Apache-2.0 */
/* uname(2). */
#pragma once

#define LINUX_NEW_UTS_LEN 64

struct linux_new_utsname {
	char sysname[LINUX_NEW_UTS_LEN + 1];
	char nodename[LINUX_NEW_UTS_LEN + 1];
	char release[LINUX_NEW_UTS_LEN + 1];
	char version[LINUX_NEW_UTS_LEN + 1];
	char machine[LINUX_NEW_UTS_LEN + 1];
	char domainname[LINUX_NEW_UTS_LEN + 1];
};

_Static_assert(sizeof(struct linux_new_utsname) == 390, "struct new_utsname");
