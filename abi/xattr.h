/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes. */
#pragma once

#include <stdint.h>

#define LINUX_XATTR_CREATE   0x1
#define LINUX_XATTR_REPLACE  0x2
#define LINUX_XATTR_NAME_MAX 255
#define LINUX_XATTR_SIZE_MAX 65536
#define LINUX_XATTR_LIST_MAX 65536

#define LINUX_XATTR_SECURITY_PREFIX	   "security."
#define LINUX_XATTR_SYSTEM_PREFIX	   "system."
#define LINUX_XATTR_TRUSTED_PREFIX	   "trusted."
#define LINUX_XATTR_USER_PREFIX		   "user."
#define LINUX_XATTR_NAME_CAPS		   "security.capability"
#define LINUX_XATTR_NAME_POSIX_ACL_ACCESS  "system.posix_acl_access"
#define LINUX_XATTR_NAME_POSIX_ACL_DEFAULT "system.posix_acl_default"
#define LINUX_XATTR_NAME_SOCKPROTONAME	   "system.sockprotoname"

/* setxattrat(2), getxattrat(2): Linux 6.13. */
struct linux_xattr_args {
	uint64_t value;
	uint32_t size;
	uint32_t flags;
};

_Static_assert(sizeof(struct linux_xattr_args) == 16, "struct xattr_args");
