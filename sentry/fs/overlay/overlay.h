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

#include "abi/time.h"
#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inode;
struct super_block;

/* Takes references of its own to both; upper must be a tmpfs that nobody else uses. */
must_check int overlay_super_block_new(
	struct super_block *lower, struct super_block *upper, struct super_block **out);

enum overlay_change {
	OVERLAY_ADDED,	  /* a name that was not there, or had another file under it */
	OVERLAY_MODIFIED, /* contents or attributes of a file that was there */
	OVERLAY_DELETED,
};

/* What the lower tree had in a place when the overlay first differed there. */
struct overlay_before {
	bool there;
	uint64_t ino, size;
	struct linux_timespec mtime, ctime;
};

struct overlay_difference {
	const char *path; /* absolute within the overlay */
	enum overlay_change change;
	struct inode *inode; /* the overlay's; NULL for what was deleted */
	const struct overlay_before *before;
	bool opaque; /* a directory that shows nothing of what was there before */
};

/*
 * From now on what is there is not told of as a change: what layers brought, and places for mounts.
 * Nobody may use the file system meanwhile.
 */
void overlay_set_baseline(struct super_block *sb);

/*
 * Tells of everything in which the overlay differs from the lower tree, or the baseline, in no
 * order. Added directories are told of with all that is in them. Everything in a difference is
 * borrowed. Stops at the first result that is not 0, and returns it. Nobody may use the file system
 * meanwhile.
 */
must_check int overlay_changes(struct super_block *sb,
	int (*callback)(void *argument, const struct overlay_difference *difference),
	void *argument);

/*
 * Opens a regular file's contents, whoever holds them; for a file without lower one also to be
 * written. overlay_contents_write() sees to the size.
 */
struct overlay_contents;
must_check int overlay_contents_open(
	struct inode *inode, bool write, struct overlay_contents **out);
void overlay_contents_close(struct overlay_contents *contents);
int64_t overlay_contents_read(
	struct overlay_contents *contents, void *buffer, size_t size, int64_t position);
int overlay_contents_write(
	struct overlay_contents *contents, const void *buffer, size_t size, int64_t position);
/* SEEK_DATA or SEEK_HOLE. */
int64_t overlay_contents_seek(struct overlay_contents *contents, int64_t position, int whence);

/*
 * For who fills the overlay before it is used. Takes a name away, whatever it leads to; with no
 * name, all of the directory that was there at the last baseline.
 */
must_check int overlay_remove_all(struct inode *directory, const char *name);
