/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock (landlock(7)): rights, rules and rulesets. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LINUX_LANDLOCK_CREATE_RULESET_VERSION 0x1
#define LINUX_LANDLOCK_CREATE_RULESET_ERRATA  0x2

#define LINUX_LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF	0x1
#define LINUX_LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON	0x2
#define LINUX_LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF 0x4
#define LINUX_LANDLOCK_RESTRICT_SELF__MASK		0x7

#define LINUX_LANDLOCK_RULE_PATH_BENEATH 1
#define LINUX_LANDLOCK_RULE_NET_PORT	 2

#define LINUX_LANDLOCK_ACCESS_FS_EXECUTE     0x1
#define LINUX_LANDLOCK_ACCESS_FS_WRITE_FILE  0x2
#define LINUX_LANDLOCK_ACCESS_FS_READ_FILE   0x4
#define LINUX_LANDLOCK_ACCESS_FS_READ_DIR    0x8
#define LINUX_LANDLOCK_ACCESS_FS_REMOVE_DIR  0x10
#define LINUX_LANDLOCK_ACCESS_FS_REMOVE_FILE 0x20
#define LINUX_LANDLOCK_ACCESS_FS_MAKE_CHAR   0x40
#define LINUX_LANDLOCK_ACCESS_FS_MAKE_DIR    0x80
#define LINUX_LANDLOCK_ACCESS_FS_MAKE_REG    0x100
#define LINUX_LANDLOCK_ACCESS_FS_MAKE_SOCK   0x200
#define LINUX_LANDLOCK_ACCESS_FS_MAKE_FIFO   0x400
#define LINUX_LANDLOCK_ACCESS_FS_MAKE_BLOCK  0x800
#define LINUX_LANDLOCK_ACCESS_FS_MAKE_SYM    0x1000
#define LINUX_LANDLOCK_ACCESS_FS_REFER	     0x2000
#define LINUX_LANDLOCK_ACCESS_FS_TRUNCATE    0x4000
#define LINUX_LANDLOCK_ACCESS_FS_IOCTL_DEV   0x8000
#define LINUX_LANDLOCK_ACCESS_FS__MASK	     0xffff

#define LINUX_LANDLOCK_ACCESS_NET_BIND_TCP    0x1
#define LINUX_LANDLOCK_ACCESS_NET_CONNECT_TCP 0x2
#define LINUX_LANDLOCK_ACCESS_NET__MASK	      0x3

#define LINUX_LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET 0x1
#define LINUX_LANDLOCK_SCOPE_SIGNAL		  0x2
#define LINUX_LANDLOCK_SCOPE__MASK		  0x3

#define LINUX_LANDLOCK_MAX_NUM_LAYERS 16

struct linux_landlock_ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

struct linux_landlock_path_beneath_attr {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

struct linux_landlock_net_port_attr {
	uint64_t allowed_access;
	uint64_t port;
};

_Static_assert(sizeof(struct linux_landlock_ruleset_attr) == 24, "struct landlock_ruleset_attr");
_Static_assert(
	sizeof(struct linux_landlock_path_beneath_attr) == 12, "struct landlock_path_beneath_attr");
_Static_assert(sizeof(struct linux_landlock_net_port_attr) == 16, "struct landlock_net_port_attr");
