/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sentry/fs/overlay/ - a writable layer in memory over a tree that is only read, as Linux's
 * overlayfs shows it.
 *
 * Nothing of the layer's structure is in the upper super block: an overlay directory itself knows
 * the names in which it differs from the lower one. So a renamed or merged directory needs no
 * redirection, and a whiteout is a name that leads nowhere. The upper super block, a tmpfs, gives
 * the room: data of copied and new files, extended attributes, and the count of inodes.
 *
 * An overlay inode that differs from its lower inode in anything is kept in memory (pinned) until
 * its last name is gone; the others come and go with the dentry cache. It is found by its lower
 * inode, so hard links of the lower tree stay links of one file, copied up or not.
 *
 * Differs from Linux: hard links are never broken (as with index=on); chmod, chown, rename and link
 * copy no data; a file that is open for reading sees what is written later through read(2), though
 * not through mappings made before; the lower tree must not change, and must have directories whose
 * iterate takes its own locks (the host file system's do).
 *
 * Locks: an overlay inode's lock, which also guards its names; then those of inodes below (nested);
 * overlay_fs.lock is RANK_LEAF.
 */
#pragma once

#include "base/compiler.h"

struct inode;
struct super_block;

/* Takes references of its own to both; upper must be a tmpfs that nobody else uses. */
must_check int overlay_super_block_new(
	struct super_block *lower, struct super_block *upper, struct super_block **out);

enum overlay_change {
	OVERLAY_ADDED, /* a name that the lower tree does not have there, or has another file under
			*/
	OVERLAY_MODIFIED, /* contents or attributes of a file that the lower tree has */
	OVERLAY_DELETED,
};

/*
 * Tells of everything in which the overlay differs from the lower tree, in no order. path is
 * absolute within the overlay. Added directories are told of with what is new in them; one that was
 * moved from elsewhere in the lower tree brings that tree along. inode is the overlay's, borrowed,
 * NULL for what was deleted. Stops at the first result that is not 0, and returns it. Nobody may
 * use the file system meanwhile.
 */
must_check int overlay_changes(struct super_block *sb,
	int (*callback)(
		void *argument, const char *path, enum overlay_change change, struct inode *inode),
	void *argument);
