/* SPDX-License-Identifier: Apache-2.0 */
/* What only vfs/ itself does with super blocks. */
#pragma once

#include "sentry/vfs/inode.h"

/* References of inodes: they keep the structure, not the names. */
void super_block_hold(struct super_block *sb);
void super_block_release(struct super_block *sb);
/* Calls each super block's sync in turn; the first error. */
int super_block_sync_all(void);
/* The super block with a device number and a reference as a user, or NULL. */
struct super_block *super_block_find(uint64_t dev);
