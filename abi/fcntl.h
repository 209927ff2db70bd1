/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening, locking and controlling files: open(2), fcntl(2), flock(2), the *at calls,
 * fallocate(2).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/close_range.h"

/* Access modes and open flags. */
#define LINUX_O_ACCMODE	  03
#define LINUX_O_RDONLY	  0
#define LINUX_O_WRONLY	  01
#define LINUX_O_RDWR	  02
#define LINUX_O_CREAT	  0100
#define LINUX_O_EXCL	  0200
#define LINUX_O_NOCTTY	  0400
#define LINUX_O_TRUNC	  01000
#define LINUX_O_APPEND	  02000
#define LINUX_O_NONBLOCK  04000
#define LINUX_O_NDELAY	  04000
#define LINUX_O_DSYNC	  010000
#define LINUX_FASYNC	  020000
#define LINUX_O_DIRECT	  040000
#define LINUX_O_LARGEFILE 0100000
#define LINUX_O_DIRECTORY 0200000
#define LINUX_O_NOFOLLOW  0400000
#define LINUX_O_NOATIME	  01000000
#define LINUX_O_CLOEXEC	  02000000
#define LINUX___O_SYNC	  04000000
#define LINUX_O_SYNC	  04010000
#define LINUX_O_PATH	  010000000
#define LINUX___O_TMPFILE 020000000
#define LINUX_O_TMPFILE	  020200000

/* The names that glibc uses. */
#define LINUX_O_ASYNC LINUX_FASYNC
#define LINUX_O_FSYNC LINUX_O_SYNC

/* fcntl(2) commands. */
#define LINUX_F_DUPFD		 0
#define LINUX_F_GETFD		 1
#define LINUX_F_SETFD		 2
#define LINUX_F_GETFL		 3
#define LINUX_F_SETFL		 4
#define LINUX_F_GETLK		 5
#define LINUX_F_SETLK		 6
#define LINUX_F_SETLKW		 7
#define LINUX_F_SETOWN		 8
#define LINUX_F_GETOWN		 9
#define LINUX_F_SETSIG		 10
#define LINUX_F_GETSIG		 11
#define LINUX_F_SETOWN_EX	 15
#define LINUX_F_GETOWN_EX	 16
#define LINUX_F_GETOWNER_UIDS	 17
#define LINUX_F_OFD_GETLK	 36
#define LINUX_F_OFD_SETLK	 37
#define LINUX_F_OFD_SETLKW	 38
#define LINUX_F_SETLEASE	 1024
#define LINUX_F_GETLEASE	 1025
#define LINUX_F_CANCELLK	 1029
#define LINUX_F_DUPFD_CLOEXEC	 1030
#define LINUX_F_NOTIFY		 1026
#define LINUX_F_SETPIPE_SZ	 1031
#define LINUX_F_GETPIPE_SZ	 1032
#define LINUX_F_ADD_SEALS	 1033
#define LINUX_F_GET_SEALS	 1034
#define LINUX_F_GET_RW_HINT	 1035
#define LINUX_F_SET_RW_HINT	 1036

/* Added by Linux 6.10 and later. */
#define LINUX_F_DUPFD_QUERY   1027
#define LINUX_F_CREATED_QUERY	 1028
#define LINUX_F_CREATED_QUERY 1028

/* Descriptor flags, lock types, flock(2), owners. */
#define LINUX_FD_CLOEXEC   1
#define LINUX_F_RDLCK	   0
#define LINUX_F_WRLCK	   1
#define LINUX_F_UNLCK	   2
#define LINUX_F_EXLCK	   4
#define LINUX_F_SHLCK	   8
#define LINUX_LOCK_SH	   1
#define LINUX_LOCK_EX	   2
#define LINUX_LOCK_NB	   4
#define LINUX_LOCK_UN	   8
#define LINUX_LOCK_MAND	   32
#define LINUX_LOCK_READ	   64
#define LINUX_LOCK_WRITE   128
#define LINUX_LOCK_RW	   192
#define LINUX_F_OWNER_TID  0
#define LINUX_F_OWNER_PID  1
#define LINUX_F_OWNER_PGRP 2

/* Seals. */
#define LINUX_F_SEAL_SEAL	  0x1
#define LINUX_F_SEAL_SHRINK	  0x2
#define LINUX_F_SEAL_GROW	  0x4
#define LINUX_F_SEAL_WRITE	  0x8
#define LINUX_F_SEAL_FUTURE_WRITE 0x10

#define LINUX_F_SEAL_EXEC 0x20 /* Linux 6.3 */

/* Directory notification and write hints. */
#define LINUX_DN_ACCESS	   0x1
#define LINUX_DN_MODIFY	   0x2
#define LINUX_DN_CREATE	   0x4
#define LINUX_DN_DELETE	   0x8
#define LINUX_DN_RENAME	   0x10
#define LINUX_DN_ATTRIB	   0x20
#define LINUX_DN_MULTISHOT 0x80000000U

#define LINUX_RWH_WRITE_LIFE_NOT_SET 0
#define LINUX_RWH_WRITE_LIFE_NONE    1
#define LINUX_RWH_WRITE_LIFE_SHORT   2
#define LINUX_RWH_WRITE_LIFE_MEDIUM  3
#define LINUX_RWH_WRITE_LIFE_LONG    4
#define LINUX_RWH_WRITE_LIFE_EXTREME 5

/* The *at family. */
#define LINUX_AT_SYMLINK_NOFOLLOW   0x100
#define LINUX_AT_EACCESS	    0x200
#define LINUX_AT_REMOVEDIR	    0x200
#define LINUX_AT_SYMLINK_FOLLOW	    0x400
#define LINUX_AT_NO_AUTOMOUNT	    0x800
#define LINUX_AT_EMPTY_PATH	    0x1000
#define LINUX_AT_STATX_SYNC_TYPE    0x6000
#define LINUX_AT_STATX_SYNC_AS_STAT 0x0
#define LINUX_AT_STATX_FORCE_SYNC   0x2000
#define LINUX_AT_STATX_DONT_SYNC    0x4000
#define LINUX_AT_RECURSIVE	    0x8000

#define LINUX_AT_FDCWD		      (-100)
#define LINUX_AT_HANDLE_FID	      0x200
#define LINUX_AT_HANDLE_MNT_ID_UNIQUE 0x1
#define LINUX_AT_HANDLE_CONNECTABLE   0x2
#define LINUX_AT_EXECVE_CHECK	      0x10000

/* access(2), lseek(2). */
#define LINUX_F_OK 0
#define LINUX_X_OK 1
#define LINUX_W_OK 2
#define LINUX_R_OK 4

#define LINUX_SEEK_SET	0
#define LINUX_SEEK_CUR	1
#define LINUX_SEEK_END	2
#define LINUX_SEEK_DATA 3
#define LINUX_SEEK_HOLE 4
#define LINUX_SEEK_MAX	4

/* fallocate(2), posix_fadvise(2), renameat2(2), sync_file_range(2). */
#define LINUX_FALLOC_FL_KEEP_SIZE      0x1
#define LINUX_FALLOC_FL_PUNCH_HOLE     0x2
#define LINUX_FALLOC_FL_NO_HIDE_STALE  0x4
#define LINUX_FALLOC_FL_COLLAPSE_RANGE 0x8
#define LINUX_FALLOC_FL_ZERO_RANGE     0x10
#define LINUX_FALLOC_FL_INSERT_RANGE   0x20
#define LINUX_FALLOC_FL_UNSHARE_RANGE  0x40
#define LINUX_FALLOC_FL_WRITE_ZEROES   0x80 /* Linux 6.17 */

#define LINUX_POSIX_FADV_NORMAL	    0
#define LINUX_POSIX_FADV_RANDOM	    1
#define LINUX_POSIX_FADV_SEQUENTIAL 2
#define LINUX_POSIX_FADV_WILLNEED   3
#define LINUX_POSIX_FADV_DONTNEED   4
#define LINUX_POSIX_FADV_NOREUSE    5

#define LINUX_RENAME_NOREPLACE		  0x1
#define LINUX_RENAME_EXCHANGE		  0x2
#define LINUX_RENAME_WHITEOUT		  0x4
#define LINUX_SYNC_FILE_RANGE_WAIT_BEFORE 0x1
#define LINUX_SYNC_FILE_RANGE_WRITE	  0x2
#define LINUX_SYNC_FILE_RANGE_WAIT_AFTER  0x4

/* openat2(2). */
#define LINUX_RESOLVE_NO_XDEV	    0x1
#define LINUX_RESOLVE_NO_MAGICLINKS 0x2
#define LINUX_RESOLVE_NO_SYMLINKS   0x4
#define LINUX_RESOLVE_BENEATH	    0x8
#define LINUX_RESOLVE_IN_ROOT	    0x10
#define LINUX_RESOLVE_CACHED	    0x20

struct linux_flock {
	int16_t l_type;
	int16_t l_whence;
	uint32_t pad0;
	int64_t l_start;
	int64_t l_len;
	int32_t l_pid;
	uint32_t pad1;
};

struct linux_f_owner_ex {
	int32_t type;
	int32_t pid;
};

struct linux_open_how {
	uint64_t flags;
	uint64_t mode;
	uint64_t resolve;
};

#define LINUX_OPEN_HOW_SIZE_VER0 24

_Static_assert(sizeof(struct linux_flock) == 32, "struct flock");
_Static_assert(offsetof(struct linux_flock, l_pid) == 24, "struct flock");
_Static_assert(sizeof(struct linux_f_owner_ex) == 8, "struct f_owner_ex");
_Static_assert(sizeof(struct linux_open_how) == LINUX_OPEN_HOW_SIZE_VER0, "struct open_how");
