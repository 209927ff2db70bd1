/* SPDX-License-Identifier: Apache-2.0 */
/* Directory entries as getdents64(2) and getdents(2) lay them out. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LINUX_DT_UNKNOWN 0
#define LINUX_DT_FIFO	 1
#define LINUX_DT_CHR	 2
#define LINUX_DT_DIR	 4
#define LINUX_DT_BLK	 6
#define LINUX_DT_REG	 8
#define LINUX_DT_LNK	 10
#define LINUX_DT_SOCK	 12
#define LINUX_DT_WHT	 14

/* The DT_ value of a file's mode. */
#define LINUX_IFTODT(mode) (((mode)&0170000) >> 12)

/* Each record is padded to 8 bytes; d_reclen holds the padding too. */
struct linux_dirent64 {
	uint64_t d_ino;
	int64_t d_off;
	uint16_t d_reclen;
	uint8_t d_type;
	char d_name[];
};

/* The old record: the type is its last byte, after the name's padding. */
struct linux_dirent {
	uint64_t d_ino;
	uint64_t d_off;
	uint16_t d_reclen;
	char d_name[];
};

_Static_assert(offsetof(struct linux_dirent64, d_name) == 19, "struct linux_dirent64");
_Static_assert(offsetof(struct linux_dirent, d_name) == 18, "struct linux_dirent");
