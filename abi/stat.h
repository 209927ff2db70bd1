/* SPDX-License-Identifier: Apache-2.0 */
/* What stat(2) and statx(2) tell of a file. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* File types and permission bits. */
#define LINUX_S_IFMT	     00170000
#define LINUX_S_IFSOCK	     0140000
#define LINUX_S_IFLNK	     0120000
#define LINUX_S_IFREG	     0100000
#define LINUX_S_IFBLK	     0060000
#define LINUX_S_IFDIR	     0040000
#define LINUX_S_IFCHR	     0020000
#define LINUX_S_IFIFO	     0010000
#define LINUX_S_IRWXU	     00700
#define LINUX_S_IRUSR	     00400
#define LINUX_S_IWUSR	     00200
#define LINUX_S_IXUSR	     00100
#define LINUX_S_IRWXG	     00070
#define LINUX_S_IRGRP	     00040
#define LINUX_S_IWGRP	     00020
#define LINUX_S_IXGRP	     00010
#define LINUX_S_IRWXO	     00007
#define LINUX_S_IROTH	     00004
#define LINUX_S_IWOTH	     00002
#define LINUX_S_IXOTH	     00001
#define LINUX_S_ISUID	     04000
#define LINUX_S_ISGID	     02000
#define LINUX_S_ISVTX	     01000
#define LINUX_S_IRWXUGO	     0777
#define LINUX_S_IALLUGO	     07777
#define LINUX_S_ISDIR(mode)  (((mode)&LINUX_S_IFMT) == LINUX_S_IFDIR)
#define LINUX_S_ISREG(mode)  (((mode)&LINUX_S_IFMT) == LINUX_S_IFREG)
#define LINUX_S_ISLNK(mode)  (((mode)&LINUX_S_IFMT) == LINUX_S_IFLNK)
#define LINUX_S_ISCHR(mode)  (((mode)&LINUX_S_IFMT) == LINUX_S_IFCHR)
#define LINUX_S_ISBLK(mode)  (((mode)&LINUX_S_IFMT) == LINUX_S_IFBLK)
#define LINUX_S_ISFIFO(mode) (((mode)&LINUX_S_IFMT) == LINUX_S_IFIFO)
#define LINUX_S_ISSOCK(mode) (((mode)&LINUX_S_IFMT) == LINUX_S_IFSOCK)

/* utimensat(2). */
#define LINUX_UTIME_NOW	 ((1l << 30) - 1l)
#define LINUX_UTIME_OMIT ((1l << 30) - 2l)

/* statx(2): what is asked for and answered. */
#define LINUX_STATX_TYPE	0x1
#define LINUX_STATX_MODE	0x2
#define LINUX_STATX_NLINK	0x4
#define LINUX_STATX_UID		0x8
#define LINUX_STATX_GID		0x10
#define LINUX_STATX_ATIME	0x20
#define LINUX_STATX_MTIME	0x40
#define LINUX_STATX_CTIME	0x80
#define LINUX_STATX_INO		0x100
#define LINUX_STATX_SIZE	0x200
#define LINUX_STATX_BLOCKS	0x400
#define LINUX_STATX_BASIC_STATS 0x7ff
#define LINUX_STATX_BTIME	0x800
#define LINUX_STATX_MNT_ID	0x1000
#define LINUX_STATX_DIOALIGN	0x2000
#define LINUX_STATX_ALL		0xfff

/* Added by Linux 6.8 to 6.16. */
#define LINUX_STATX_MNT_ID_UNIQUE  0x4000
#define LINUX_STATX_SUBVOL	   0x8000
#define LINUX_STATX_WRITE_ATOMIC   0x10000
#define LINUX_STATX_DIO_READ_ALIGN 0x20000

#define LINUX_STATX_ATTR_COMPRESSED 0x4
#define LINUX_STATX_ATTR_IMMUTABLE  0x10
#define LINUX_STATX_ATTR_APPEND	    0x20
#define LINUX_STATX_ATTR_NODUMP	    0x40
#define LINUX_STATX_ATTR_ENCRYPTED  0x800
#define LINUX_STATX_ATTR_AUTOMOUNT  0x1000
#define LINUX_STATX_ATTR_MOUNT_ROOT 0x2000
#define LINUX_STATX_ATTR_VERITY	    0x100000
#define LINUX_STATX_ATTR_DAX	    0x200000

/*
 * The device number that stat(2) and mknod(2) speak: the "huge" encoding of the kernel's 12 and 20
 * bits.
 */
#define LINUX_MAKEDEV(major, minor)                                                                \
	((((uint64_t)(major)&0xfff) << 8) | ((uint64_t)(minor)&0xff) |                             \
		(((uint64_t)(minor)&0xfff00) << 12) | (((uint64_t)(major)&0xfffff000) << 32))
#define LINUX_MAJOR(dev) ((uint32_t)((((dev) >> 8) & 0xfff) | (((dev) >> 32) & 0xfffff000)))
#define LINUX_MINOR(dev) ((uint32_t)(((dev)&0xff) | (((dev) >> 12) & 0xffffff00)))

struct linux_stat {
	uint64_t st_dev;
	uint64_t st_ino;
	uint64_t st_nlink;
	uint32_t st_mode;
	uint32_t st_uid;
	uint32_t st_gid;
	uint32_t pad0;
	uint64_t st_rdev;
	int64_t st_size;
	int64_t st_blksize;
	int64_t st_blocks;
	uint64_t st_atime;
	uint64_t st_atime_nsec;
	uint64_t st_mtime;
	uint64_t st_mtime_nsec;
	uint64_t st_ctime;
	uint64_t st_ctime_nsec;
	int64_t unused[3];
};

struct linux_statx_timestamp {
	int64_t tv_sec;
	uint32_t tv_nsec;
	int32_t reserved;
};

struct linux_statx {
	uint32_t stx_mask;
	uint32_t stx_blksize;
	uint64_t stx_attributes;
	uint32_t stx_nlink;
	uint32_t stx_uid;
	uint32_t stx_gid;
	uint16_t stx_mode;
	uint16_t spare0;
	uint64_t stx_ino;
	uint64_t stx_size;
	uint64_t stx_blocks;
	uint64_t stx_attributes_mask;
	struct linux_statx_timestamp stx_atime;
	struct linux_statx_timestamp stx_btime;
	struct linux_statx_timestamp stx_ctime;
	struct linux_statx_timestamp stx_mtime;
	uint32_t stx_rdev_major;
	uint32_t stx_rdev_minor;
	uint32_t stx_dev_major;
	uint32_t stx_dev_minor;
	uint64_t stx_mnt_id;
	uint32_t stx_dio_mem_align;
	uint32_t stx_dio_offset_align;
	uint64_t stx_subvol;
	uint32_t stx_atomic_write_unit_min;
	uint32_t stx_atomic_write_unit_max;
	uint32_t stx_atomic_write_segments_max;
	uint32_t stx_dio_read_offset_align;
	uint32_t stx_atomic_write_unit_max_opt;
	uint32_t spare2;
	uint64_t spare3[8];
};

_Static_assert(sizeof(struct linux_stat) == 144, "struct stat");
_Static_assert(offsetof(struct linux_stat, st_size) == 48, "struct stat");
_Static_assert(offsetof(struct linux_stat, st_ctime_nsec) == 112, "struct stat");
_Static_assert(sizeof(struct linux_statx_timestamp) == 16, "struct statx_timestamp");
_Static_assert(sizeof(struct linux_statx) == 256, "struct statx");
_Static_assert(offsetof(struct linux_statx, stx_atime) == 0x40, "struct statx");
_Static_assert(offsetof(struct linux_statx, stx_rdev_major) == 0x80, "struct statx");
_Static_assert(offsetof(struct linux_statx, stx_mnt_id) == 0x90, "struct statx");
