/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities: their numbers, capget(2) and capset(2), the file attribute. */
#pragma once

#include <stdint.h>

#define LINUX_CAPABILITY_VERSION_1 0x19980330
#define LINUX_CAPABILITY_U32S_1	   0x1
#define LINUX_CAPABILITY_VERSION_2 0x20071026
#define LINUX_CAPABILITY_U32S_2	   0x2
#define LINUX_CAPABILITY_VERSION_3 0x20080522
#define LINUX_CAPABILITY_U32S_3	   0x2

#define LINUX_CAP_CHOWN		     0
#define LINUX_CAP_DAC_OVERRIDE	     1
#define LINUX_CAP_DAC_READ_SEARCH    2
#define LINUX_CAP_FOWNER	     3
#define LINUX_CAP_FSETID	     4
#define LINUX_CAP_KILL		     5
#define LINUX_CAP_SETGID	     6
#define LINUX_CAP_SETUID	     7
#define LINUX_CAP_SETPCAP	     8
#define LINUX_CAP_LINUX_IMMUTABLE    9
#define LINUX_CAP_NET_BIND_SERVICE   10
#define LINUX_CAP_NET_BROADCAST	     11
#define LINUX_CAP_NET_ADMIN	     12
#define LINUX_CAP_NET_RAW	     13
#define LINUX_CAP_IPC_LOCK	     14
#define LINUX_CAP_IPC_OWNER	     15
#define LINUX_CAP_SYS_MODULE	     16
#define LINUX_CAP_SYS_RAWIO	     17
#define LINUX_CAP_SYS_CHROOT	     18
#define LINUX_CAP_SYS_PTRACE	     19
#define LINUX_CAP_SYS_PACCT	     20
#define LINUX_CAP_SYS_ADMIN	     21
#define LINUX_CAP_SYS_BOOT	     22
#define LINUX_CAP_SYS_NICE	     23
#define LINUX_CAP_SYS_RESOURCE	     24
#define LINUX_CAP_SYS_TIME	     25
#define LINUX_CAP_SYS_TTY_CONFIG     26
#define LINUX_CAP_MKNOD		     27
#define LINUX_CAP_LEASE		     28
#define LINUX_CAP_AUDIT_WRITE	     29
#define LINUX_CAP_AUDIT_CONTROL	     30
#define LINUX_CAP_SETFCAP	     31
#define LINUX_CAP_MAC_OVERRIDE	     32
#define LINUX_CAP_MAC_ADMIN	     33
#define LINUX_CAP_SYSLOG	     34
#define LINUX_CAP_WAKE_ALARM	     35
#define LINUX_CAP_BLOCK_SUSPEND	     36
#define LINUX_CAP_AUDIT_READ	     37
#define LINUX_CAP_PERFMON	     38
#define LINUX_CAP_BPF		     39
#define LINUX_CAP_CHECKPOINT_RESTORE 40
#define LINUX_CAP_LAST_CAP	     40

#define LINUX_CAP_MASK(capability) (1ULL << (capability))
#define LINUX_CAP_FULL_SET	   ((1ULL << (LINUX_CAP_LAST_CAP + 1)) - 1)

struct linux_cap_user_header {
	uint32_t version;
	int32_t pid;
};

struct linux_cap_user_data {
	uint32_t effective;
	uint32_t permitted;
	uint32_t inheritable;
};

/* The attribute security.capability. */
#define LINUX_VFS_CAP_REVISION_MASK   0xff000000U
#define LINUX_VFS_CAP_REVISION_SHIFT  0x18
#define LINUX_VFS_CAP_FLAGS_MASK      0xffffff
#define LINUX_VFS_CAP_FLAGS_EFFECTIVE 0x1
#define LINUX_VFS_CAP_REVISION_1      0x1000000
#define LINUX_VFS_CAP_U32_1	      0x1
#define LINUX_VFS_CAP_REVISION_2      0x2000000
#define LINUX_VFS_CAP_U32_2	      0x2
#define LINUX_VFS_CAP_REVISION_3      0x3000000
#define LINUX_VFS_CAP_U32_3	      0x2
#define LINUX_VFS_CAP_U32	      0x2
#define LINUX_VFS_CAP_REVISION	      0x3000000
#define LINUX_XATTR_CAPS_SZ_1	      0xc
#define LINUX_XATTR_CAPS_SZ_2	      0x14
#define LINUX_XATTR_CAPS_SZ_3	      0x18
#define LINUX_XATTR_CAPS_SZ	      0x18

struct linux_vfs_cap_data {
	uint32_t magic_etc;
	struct {
		uint32_t permitted;
		uint32_t inheritable;
	} data[2];
	uint32_t rootid; /* revision 3 alone */
};

_Static_assert(sizeof(struct linux_cap_user_header) == 8, "struct __user_cap_header_struct");
_Static_assert(sizeof(struct linux_cap_user_data) == 12, "struct __user_cap_data_struct");
_Static_assert(sizeof(struct linux_vfs_cap_data) == 24, "struct vfs_ns_cap_data");
