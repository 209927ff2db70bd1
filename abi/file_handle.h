/* SPDX-License-Identifier: Apache-2.0 */
/* name_to_handle_at(2), open_by_handle_at(2). */
#pragma once

#include <stdint.h>

#define LINUX_MAX_HANDLE_SZ 128

/* f_handle follows: handle_bytes of the file system's own. */
struct linux_file_handle {
	uint32_t handle_bytes;
	int32_t handle_type;
};

_Static_assert(sizeof(struct linux_file_handle) == 8, "struct file_handle");

/* handle_type: what the file system says, and what was asked of it. */
#define LINUX_FILEID_INO32_GEN	    0x1
#define LINUX_FILEID_INO64_GEN	    0x81
#define LINUX_FILEID_INVALID	    0xff
#define LINUX_FILEID_IS_CONNECTABLE 0x10000
#define LINUX_FILEID_IS_DIR	    0x20000
#define LINUX_FILEID_USER_FLAGS	    0x7fff0000
