/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX access control lists as extended attributes hold them (linux/posix_acl_xattr.h). */
#pragma once

#include <stdint.h>

#define LINUX_POSIX_ACL_XATTR_VERSION 2

#define LINUX_ACL_USER_OBJ  0x01
#define LINUX_ACL_USER	    0x02
#define LINUX_ACL_GROUP_OBJ 0x04
#define LINUX_ACL_GROUP	    0x08
#define LINUX_ACL_MASK	    0x10
#define LINUX_ACL_OTHER	    0x20

#define LINUX_ACL_UNDEFINED_ID 0xffffffffu

struct linux_posix_acl_xattr_header {
	uint32_t a_version;
};

struct linux_posix_acl_xattr_entry {
	uint16_t e_tag;
	uint16_t e_perm;
	uint32_t e_id;
};

_Static_assert(sizeof(struct linux_posix_acl_xattr_header) == 4, "struct posix_acl_xattr_header");
_Static_assert(sizeof(struct linux_posix_acl_xattr_entry) == 8, "struct posix_acl_xattr_entry");
