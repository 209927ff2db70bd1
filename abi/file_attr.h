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

/* FICLONERANGE. */
struct linux_file_clone_range {
	int64_t src_fd;
	uint64_t src_offset;
	uint64_t src_length;
	uint64_t dest_offset;
};

/* FIDEDUPERANGE; so many descriptions of a size follow. */
#define LINUX_FILE_DEDUPE_INFO_SIZE 32

struct linux_file_dedupe_range {
	uint64_t src_offset;
	uint64_t src_length;
	uint16_t dest_count;
	uint16_t reserved1;
	uint32_t reserved2;
};

/* FS_IOC_RESVSP. */
struct linux_space_resv {
	int16_t l_type;
	int16_t l_whence;
	int64_t l_start;
	int64_t l_len;
	int32_t l_sysid;
	uint32_t l_pid;
	int32_t l_pad[4];
};

_Static_assert(sizeof(struct linux_file_clone_range) == 32, "struct file_clone_range");
_Static_assert(sizeof(struct linux_file_dedupe_range) == 24, "struct file_dedupe_range");
_Static_assert(sizeof(struct linux_space_resv) == 48, "struct space_resv");

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
