/* SPDX-License-Identifier: Apache-2.0 */
/* Mounting: mount(2), umount2(2) and the calls that work on mount descriptors. */
#pragma once

#include <stdint.h>

/* mount(2). */
#define LINUX_MS_RDONLY	      0x1
#define LINUX_MS_NOSUID	      0x2
#define LINUX_MS_NODEV	      0x4
#define LINUX_MS_NOEXEC	      0x8
#define LINUX_MS_SYNCHRONOUS  0x10
#define LINUX_MS_REMOUNT      0x20
#define LINUX_MS_MANDLOCK     0x40
#define LINUX_MS_DIRSYNC      0x80
#define LINUX_MS_NOSYMFOLLOW  0x100
#define LINUX_MS_NOATIME      0x400
#define LINUX_MS_NODIRATIME   0x800
#define LINUX_MS_BIND	      0x1000
#define LINUX_MS_MOVE	      0x2000
#define LINUX_MS_REC	      0x4000
#define LINUX_MS_VERBOSE      0x8000
#define LINUX_MS_SILENT	      0x8000
#define LINUX_MS_POSIXACL     0x10000
#define LINUX_MS_UNBINDABLE   0x20000
#define LINUX_MS_PRIVATE      0x40000
#define LINUX_MS_SLAVE	      0x80000
#define LINUX_MS_SHARED	      0x100000
#define LINUX_MS_RELATIME     0x200000
#define LINUX_MS_KERNMOUNT    0x400000
#define LINUX_MS_I_VERSION    0x800000
#define LINUX_MS_STRICTATIME  0x1000000
#define LINUX_MS_LAZYTIME     0x2000000
#define LINUX_MS_SUBMOUNT     0x4000000
#define LINUX_MS_NOREMOTELOCK 0x8000000
#define LINUX_MS_NOSEC	      0x10000000
#define LINUX_MS_BORN	      0x20000000
#define LINUX_MS_ACTIVE	      0x40000000
#define LINUX_MS_NOUSER	      0x80000000U
#define LINUX_MS_MGC_VAL      0xc0ed0000U
#define LINUX_MS_MGC_MSK      0xffff0000U

/* umount2(2). */
#define LINUX_MNT_FORCE	      0x1
#define LINUX_MNT_DETACH      0x2
#define LINUX_MNT_EXPIRE      0x4
#define LINUX_UMOUNT_NOFOLLOW 0x8

/* open_tree(2), move_mount(2), fsopen(2), fspick(2), fsmount(2), mount_setattr(2). */
#define LINUX_OPEN_TREE_CLONE	      0x1
#define LINUX_MOVE_MOUNT_F_SYMLINKS   0x1
#define LINUX_MOVE_MOUNT_F_AUTOMOUNTS 0x2
#define LINUX_MOVE_MOUNT_F_EMPTY_PATH 0x4
#define LINUX_MOVE_MOUNT_T_SYMLINKS   0x10
#define LINUX_MOVE_MOUNT_T_AUTOMOUNTS 0x20
#define LINUX_MOVE_MOUNT_T_EMPTY_PATH 0x40
#define LINUX_MOVE_MOUNT_SET_GROUP    0x100
#define LINUX_MOVE_MOUNT__MASK	      0x177
#define LINUX_FSOPEN_CLOEXEC	      0x1
#define LINUX_FSPICK_CLOEXEC	      0x1
#define LINUX_FSPICK_SYMLINK_NOFOLLOW 0x2
#define LINUX_FSPICK_NO_AUTOMOUNT     0x4
#define LINUX_FSPICK_EMPTY_PATH	      0x8
#define LINUX_FSMOUNT_CLOEXEC	      0x1

#define LINUX_OPEN_TREE_CLOEXEC	 02000000
#define LINUX_MOVE_MOUNT_BENEATH 0x200

/* fsconfig(2). */
#define LINUX_FSCONFIG_SET_FLAG	       0
#define LINUX_FSCONFIG_SET_STRING      1
#define LINUX_FSCONFIG_SET_BINARY      2
#define LINUX_FSCONFIG_SET_PATH	       3
#define LINUX_FSCONFIG_SET_PATH_EMPTY  4
#define LINUX_FSCONFIG_SET_FD	       5
#define LINUX_FSCONFIG_CMD_CREATE      6
#define LINUX_FSCONFIG_CMD_RECONFIGURE 7

#define LINUX_FSCONFIG_CMD_CREATE_EXCL 8

#define LINUX_MOUNT_ATTR_RDONLY	     0x1
#define LINUX_MOUNT_ATTR_NOSUID	     0x2
#define LINUX_MOUNT_ATTR_NODEV	     0x4
#define LINUX_MOUNT_ATTR_NOEXEC	     0x8
#define LINUX_MOUNT_ATTR__ATIME      0x70
#define LINUX_MOUNT_ATTR_RELATIME    0x0
#define LINUX_MOUNT_ATTR_NOATIME     0x10
#define LINUX_MOUNT_ATTR_STRICTATIME 0x20
#define LINUX_MOUNT_ATTR_NODIRATIME  0x80
#define LINUX_MOUNT_ATTR_IDMAP	     0x100000
#define LINUX_MOUNT_ATTR_NOSYMFOLLOW 0x200000

#define LINUX_MOUNT_ATTR_SIZE_VER0 32

struct linux_mount_attr {
	uint64_t attr_set;
	uint64_t attr_clr;
	uint64_t propagation;
	uint64_t userns_fd;
};

/* statmount(2), listmount(2): Linux 6.8. */
#define LINUX_STATMOUNT_SB_BASIC       0x1
#define LINUX_STATMOUNT_MNT_BASIC      0x2
#define LINUX_STATMOUNT_PROPAGATE_FROM 0x4
#define LINUX_STATMOUNT_MNT_ROOT       0x8
#define LINUX_STATMOUNT_MNT_POINT      0x10
#define LINUX_STATMOUNT_FS_TYPE	       0x20
#define LINUX_STATMOUNT_MNT_NS_ID      0x40
#define LINUX_STATMOUNT_MNT_OPTS       0x80
#define LINUX_STATMOUNT_FS_SUBTYPE     0x100
#define LINUX_STATMOUNT_SB_SOURCE      0x200
#define LINUX_STATMOUNT_SUPPORTED_MASK 0x1000
#define LINUX_STATMOUNT_SUPPORTED      0x13ff
#define LINUX_MNT_UNIQUE_ID_OFFSET     0x80000000u
#define LINUX_LSMT_ROOT		       UINT64_MAX
#define LINUX_LISTMOUNT_REVERSE	       1
#define LINUX_MNT_ID_REQ_SIZE_VER0     24
#define LINUX_MNT_ID_REQ_SIZE_VER1     32

struct linux_mnt_id_req {
	uint32_t size;
	uint32_t spare;
	uint64_t mnt_id;
	uint64_t param;
	uint64_t mnt_ns_id;
};

struct linux_statmount {
	uint32_t size;
	uint32_t mnt_opts;
	uint64_t mask;
	uint32_t sb_dev_major;
	uint32_t sb_dev_minor;
	uint64_t sb_magic;
	uint32_t sb_flags;
	uint32_t fs_type;
	uint64_t mnt_id;
	uint64_t mnt_parent_id;
	uint32_t mnt_id_old;
	uint32_t mnt_parent_id_old;
	uint64_t mnt_attr;
	uint64_t mnt_propagation;
	uint64_t mnt_peer_group;
	uint64_t mnt_master;
	uint64_t propagate_from;
	uint32_t mnt_root;
	uint32_t mnt_point;
	uint64_t mnt_ns_id;
	uint32_t fs_subtype;
	uint32_t sb_source;
	uint32_t opt_num;
	uint32_t opt_array;
	uint32_t opt_sec_num;
	uint32_t opt_sec_array;
	uint64_t supported_mask;
	uint32_t mnt_uidmap_num;
	uint32_t mnt_uidmap;
	uint32_t mnt_gidmap_num;
	uint32_t mnt_gidmap;
	uint64_t spare2[43];
	char str[];
};

_Static_assert(sizeof(struct linux_mount_attr) == LINUX_MOUNT_ATTR_SIZE_VER0, "struct mount_attr");
_Static_assert(sizeof(struct linux_mnt_id_req) == LINUX_MNT_ID_REQ_SIZE_VER1, "struct mnt_id_req");
_Static_assert(sizeof(struct linux_statmount) == 512, "struct statmount");
