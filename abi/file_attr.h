/* SPDX-License-Identifier: Apache-2.0 */
/* What FS_IOC_FSGETXATTR, file_getattr(2) and file_setattr(2) exchange (linux/fs.h); the flags of
 * FS_IOC_GETFLAGS are in abi/ioctl.h. */
#pragma once

#include <stdint.h>

#define LINUX_FS_XFLAG_REALTIME	    0x1u
#define LINUX_FS_XFLAG_PREALLOC	    0x2u
#define LINUX_FS_XFLAG_IMMUTABLE    0x8u
#define LINUX_FS_XFLAG_APPEND	    0x10u
#define LINUX_FS_XFLAG_SYNC	    0x20u
#define LINUX_FS_XFLAG_NOATIME	    0x40u
#define LINUX_FS_XFLAG_NODUMP	    0x80u
#define LINUX_FS_XFLAG_RTINHERIT    0x100u
#define LINUX_FS_XFLAG_PROJINHERIT  0x200u
#define LINUX_FS_XFLAG_NOSYMLINKS   0x400u
#define LINUX_FS_XFLAG_EXTSIZE	    0x800u
#define LINUX_FS_XFLAG_EXTSZINHERIT 0x1000u
#define LINUX_FS_XFLAG_NODEFRAG	    0x2000u
#define LINUX_FS_XFLAG_FILESTREAM   0x4000u
#define LINUX_FS_XFLAG_DAX	    0x8000u
#define LINUX_FS_XFLAG_COWEXTSIZE   0x10000u
#define LINUX_FS_XFLAG_HASATTR	    0x80000000u

struct linux_fsxattr {
	uint32_t fsx_xflags;
	uint32_t fsx_extsize;
	uint32_t fsx_nextents;
	uint32_t fsx_projid;
	uint32_t fsx_cowextsize;
	uint8_t fsx_pad[8];
};

/* Linux 6.17. */
#define LINUX_FILE_ATTR_SIZE_VER0 24

struct linux_file_attr {
	uint64_t fa_xflags;
	uint32_t fa_extsize;
	uint32_t fa_nextents;
	uint32_t fa_projid;
	uint32_t fa_cowextsize;
};

_Static_assert(sizeof(struct linux_fsxattr) == 28, "struct fsxattr");
_Static_assert(sizeof(struct linux_file_attr) == LINUX_FILE_ATTR_SIZE_VER0, "struct file_attr");
