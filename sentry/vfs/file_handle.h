/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File handles: what name_to_handle_at(2) and fanotify(7) call an inode by, and how it is found
 * again.
 *
 * A handle is the inode's number and a mark of when it was born, so none of a removed file leads to
 * another. What handles were given out for is remembered by name (a reference to the dentry), up to
 * FILE_HANDLES_MAX of them: who was asked for longest ago is forgotten.
 */
#pragma once

#include "abi/file_handle.h"
#include "base/compiler.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dentry;
struct inode;
struct mount;
struct path;
struct super_block;

#define FILE_HANDLES_MAX 32768

/* What follows struct linux_file_handle. */
struct file_id {
	uint32_t generation;
	uint32_t ino_low, ino_high;
};

_Static_assert(sizeof(struct file_id) == 12, "struct file_id");

/* The inode's id, and the handle_type that it goes with. */
struct file_id inode_file_id(const struct inode *inode);
int32_t inode_handle_type(const struct inode *inode);
/* Can its handles be opened again? */
bool inode_is_exported(const struct inode *inode);
/* From now on file_handle_find() finds it. No lock from RANK_DENTRY on held. -ENOMEM. */
must_check int file_handle_remember(struct dentry *dentry);
/*
 * What a handle leads to, below the root of a mount; references in *out. -ESTALE: nowhere, or not
 * any more.
 */
must_check int file_handle_find(
	struct mount *mount, int32_t type, const struct file_id *id, size_t size, struct path *out);

/* The inode lost its last name and open file; the super block its last user. */
void file_handle_forget_inode(const struct inode *inode);
void file_handle_forget_super_block(const struct super_block *sb);
