/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inodes and super blocks: what a file system offers to the VFS.
 *
 * All path walking, permission checks, name caching and locking of directories is done above, once.
 * A file system's operations are called with the locks that each comment names, and with permission
 * already granted.
 */
#pragma once

#include "abi/ioctl.h"
#include "abi/time.h"
#include "base/compiler.h"
#include "base/lock.h"
#include "base/refcount.h"
#include "sentry/mm/mappable.h"
#include "sentry/vfs/notify.h"

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct cred;
struct dentry;
struct file;
struct file_operations;
struct file_lock_list;
struct lease_list;
struct inode;
struct super_block;
struct user_namespace;
struct linux_statfs;
struct mount_namespace;
struct path;
struct posix_acl;

/* What an inode says of itself; kept in the inode, guarded by inode->lock unless noted. */
struct inode_attributes {
	uint64_t ino;  /* set once */
	uint32_t mode; /* type bits set once */
	uint32_t nlink;
	uint32_t uid, gid;
	uint64_t rdev; /* set once; in the kernel's stat encoding (makedev of glibc) */
	uint64_t size;
	uint64_t blocks; /* of 512 bytes */
	uint32_t blksize;
	struct linux_timespec atime, mtime, ctime, btime;
};

/* For setattr: which of the attributes change. */
enum attribute_mask {
	ATTRIBUTE_MODE = 1,
	ATTRIBUTE_UID = 2,
	ATTRIBUTE_GID = 4,
	ATTRIBUTE_SIZE = 8,
	ATTRIBUTE_ATIME = 16,
	ATTRIBUTE_MTIME = 32,
	ATTRIBUTE_CTIME = 64,
};

/*
 * What readdir fills: emit returns false when the caller's buffer is full; the entry is asked for
 * again then. The VFS emits "." and ".." itself, at positions 0 and 1; file systems never do, and
 * their cookies start at 2 (iterate is called with position >= 2). next_position is the position of
 * the entry after this one; emit stores it into context->position.
 */
struct dir_context {
	int64_t position; /* of the next entry; the file system's own cookie, 2 at its first entry
			   */
	bool (*emit)(struct dir_context *context, const char *name, size_t length,
		int64_t next_position, uint64_t ino, uint8_t type);
};

struct inode_operations {
	/*
	 * Directory: finds a name. A new reference to an inode in *out, or -ENOENT (which the VFS
	 * caches as a negative dentry unless the super block says otherwise). name is
	 * NUL-terminated. RANK_INODE of directory held.
	 */
	int (*lookup)(struct inode *directory, const char *name, struct inode **out);
	/* Directory, RANK_INODE held, name known to be absent. mode has type bits; rdev for
	 * devices. A reference in *out. */
	int (*create)(struct inode *directory, const char *name, uint32_t mode, uint64_t rdev,
		const struct cred *cred, struct inode **out);
	int (*symlink)(struct inode *directory, const char *name, const char *target,
		const struct cred *cred, struct inode **out);
	int (*link)(struct inode *directory, const char *name, struct inode *target);
	/* The name is known to lead to target; both locks held. rmdir: -ENOTEMPTY unless it is
	 * empty. */
	int (*unlink)(struct inode *directory, const char *name, struct inode *target);
	int (*rmdir)(struct inode *directory, const char *name, struct inode *target);
	/* All locks held. flags: LINUX_RENAME_*. replaced is NULL when the new name is free. Types
	 * were checked. */
	int (*rename)(struct inode *old_directory, const char *old_name, struct inode *inode,
		struct inode *new_directory, const char *new_name, struct inode *replaced,
		unsigned int flags);
	/* An unnamed regular file (O_TMPFILE). */
	int (*tmpfile)(struct inode *directory, uint32_t mode, const struct cred *cred,
		struct inode **out);
	/* Symlink: the target, NUL-terminated, at most size bytes with the NUL; its length. */
	int64_t (*readlink)(struct inode *inode, char *buffer, size_t size);
	/*
	 * A magic link (/proc/PID/fd/N, /proc/PID/exe, cwd, root): jumps to a path instead of text.
	 * References are the caller's. NULL for ordinary symlinks.
	 */
	int (*follow)(struct inode *inode, struct path *out);
	/*
	 * Brings inode->attributes up to date. NULL: they always are. Called without the lock;
	 * takes it itself.
	 */
	int (*getattr)(struct inode *inode);
	/* Applies the masked attributes (size: truncation) and updates inode->attributes.
	 * RANK_INODE held. */
	int (*setattr)(
		struct inode *inode, const struct inode_attributes *attributes, unsigned int mask);
	/* Overrides the VFS's permission check; mask: 4 read 2 write 1 execute. NULL: access
	 * control lists, mode bits. */
	int (*permission)(struct inode *inode, const struct cred *cred, unsigned int mask);
	/*
	 * A new open file: called after permission checks, without locks, for regular files and
	 * directories (FIFOs go to fs/pipe, character devices to what vfs/device.h has registered
	 * for attributes.rdev, sockets are -ENXIO). file->ops, inode, path, flags and mode are set
	 * from the inode (file_ops; FILE_SEEKABLE is in mode); may replace file->ops, set
	 * file->private. NULL: nothing to do. After a failure release is not called.
	 */
	int (*open)(struct inode *inode, struct file *file);
	/* For FIFOs, devices and sockets that are not the VFS's to open (descriptors inherited from
	 * the host); as open. NULL: by type. */
	int (*open_special)(struct inode *inode, struct file *file);
	/* Extended attributes, names with their prefix; called without locks, after the VFS's
	 * checks. size 0 asks for the size. -ENODATA, -ERANGE, -EEXIST. */
	int64_t (*getxattr)(struct inode *inode, const char *name, void *value, size_t size);
	int (*setxattr)(
		struct inode *inode, const char *name, const void *value, size_t size, int flags);
	int64_t (*listxattr)(struct inode *inode, char *list, size_t size);
	int (*removexattr)(struct inode *inode, const char *name);
};

struct inode {
	struct refcount refs;
	const struct inode_operations *ops;	/* set once */
	const struct file_operations *file_ops; /* set once: what open files of it do */
	struct super_block *sb;			/* set once; the inode holds a reference */
	struct mutex lock;			/* RANK_INODE */
	struct inode_attributes attributes; /* guarded by lock; single fields may be read without */
	bool dead;			    /* guarded by lock: a directory that rmdir removed */
	atomic_int writers;		    /* >0: open for writing; <0: being executed (ETXTBSY) */
	atomic_int readers;		    /* open for reading alone */
	struct file_lock_list *locks;	    /* vfs/file_lock.c's own */
	struct lease_list *_Atomic leases;  /* vfs/lease.c's own */
	struct notify_marks marks;	    /* vfs/notify.c's own */
	struct posix_acl *_Atomic acls[2];  /* access, default; vfs/inode_acl.c's own */
	void *_Atomic fifo;		    /* the pipe behind a FIFO; fs/pipe's own */
	void *_Atomic socket;		    /* the socket bound here; net/unix's own */
	void *private;			    /* the file system's own */
	/* Symlink: the target, NUL-terminated, malloced; a file system may set it once (and never
	 * change it), and the VFS then uses it instead of readlink, and frees it with the inode. */
	char *_Atomic link;
	_Atomic uint32_t flags;	    /* LINUX_FS_*_FL; vfs/inode_flags.c's own */
	_Atomic bool no_file_caps;  /* it has no security.capability; vfs/file_caps.c's own */
	_Atomic uint8_t write_hint; /* LINUX_RWH_*: F_SET_RW_HINT */
	_Atomic bool landlocked;    /* there is or was a Landlock rule about it */
	_Atomic bool linkable;	    /* nlink is 0 but linkat(2) may give it a name: O_TMPFILE */
};

struct super_operations {
	/* Releases inode->private when the last reference is gone. */
	void (*inode_release)(struct inode *inode);
	void (*super_release)(struct super_block *sb);
	int (*statfs)(struct super_block *sb, struct linux_statfs *out);
	int (*sync)(struct super_block *sb);
	/*
	 * Is a cached name still true? 1 yes, 0 look it up anew. NULL: names change only through
	 * the VFS. inode NULL: the cached answer was that there is none. Called without locks;
	 * where the VFS holds the directory's lock it asks lookup again instead, and keeps the
	 * cached name if that gives the same struct inode.
	 */
	int (*revalidate)(struct inode *directory, const char *name, struct inode *inode);
	/* The whole name of an open file whose inode no directory has ("pipe:[7]"), as Linux's
	 * d_dname; false: its path. NULL: always the path. */
	bool (*pseudo_name)(const struct inode *inode, char *buffer, size_t size);
	/* What /proc/mounts shows after the common options; writes ",opt=value" text. */
	void (*show_options)(struct super_block *sb, char *buffer, size_t size);
	/* mount(2) with MS_REMOUNT: new options; read_only is the VFS's. NULL: nothing can be
	 * changed, and nothing is refused. */
	int (*remount)(struct super_block *sb, unsigned long flags, const char *options);
};

/*
 * Two counts: users (mounts; who made it) are what super_block_get() and _put() count. When the
 * last one goes, the cached names go; when the last inode is gone too, super_release runs.
 */
struct super_block {
	struct refcount refs;	       /* inodes, and one for all users */
	struct refcount active;	       /* users */
	TAILQ_ENTRY(super_block) link; /* of all super blocks; super_block.c's own */
	const struct super_operations *ops;
	const struct file_system_type *type;
	struct dentry *root; /* set once; owned */
	struct user_namespace *user_ns; /* set once; a reference: who made it */
	uint64_t dev;	     /* st_dev: anonymous numbers from super_block_new() */
	uint64_t magic;
	bool no_negative_cache; /* absent names are not remembered (proc) */
	bool no_name_cache;	/* not even present ones are (proc/PID) */
	bool inodes_are_fleeting; /* each look makes a new one; the number says which file it is */
	bool exports_handles;	/* number and time of birth find a file again (vfs/file_handle.h) */
	bool read_only;
	bool no_devices; /* set once: its device nodes cannot be opened */
	bool inode_flags; /* set once: inodes may have the flags of chattr(1), which the VFS keeps */
	bool posix_acl; /* set once: inodes may have access control lists, which the VFS keeps */
	bool placeless; /* nsfs: no namespace has its mounts, so that any may bind them */
	struct mutex rename_lock; /* RANK_RENAME */
	atomic_ulong next_ino;
	atomic_ulong cached_names; /* dentry_cache.c's own */
	char source[64];	   /* what /proc/mounts calls it */
	void *private;
	/* nsfs: of these mounts; borrowed from the root's inode. NULL: of none. */
	const struct mount_namespace *of_mounts;
	char subtype[32]; /* shown as type.subtype in /proc/mounts; empty for most */
};

/* check_option: would mount() take this option (value NULL: a flag)? 0 or -EINVAL; NULL: nobody
 * knows before. */
/* A reference in *out. options: the data string of mount(2), may be NULL; source likewise. */
struct file_system_type {
	const char *name;
	bool needs_no_device; /* "nodev" in /proc/filesystems */
	int (*mount)(const struct file_system_type *type, const char *source, unsigned long flags,
		const char *options, struct super_block **out);
	int (*check_option)(const char *name, const char *value);
};
/* Registered at start by each file system; NULL when there is none of that name. */
void file_system_register(const struct file_system_type *type);
const struct file_system_type *file_system_find(const char *name);
const struct file_system_type *file_system_at(size_t index); /* NULL past the last */

must_check int super_block_new(const struct file_system_type *type,
	const struct super_operations *ops, uint64_t magic, struct super_block **out);
/* Makes the root dentry from an inode; consumes the inode's reference. */
must_check int super_block_set_root(struct super_block *sb, struct inode *inode);
struct super_block *super_block_get(struct super_block *sb);
void super_block_put(struct super_block *sb);

/* A new inode of one reference with attributes zeroed but for mode, nlink 1, ino from the super
 * block, all times now. */
must_check int inode_new(struct super_block *sb, uint32_t mode, const struct inode_operations *ops,
	const struct file_operations *file_ops, struct inode **out);
struct inode *inode_get(struct inode *inode);
void inode_put(struct inode *inode);

static inline bool inode_is_type(const struct inode *inode, uint32_t type)
{
	return (inode->attributes.mode & 0170000) == type;
}

/* chattr(1)'s i, a and A. */
static inline bool inode_is_immutable(const struct inode *inode)
{
	return inode->flags & LINUX_FS_IMMUTABLE_FL;
}

static inline bool inode_is_append_only(const struct inode *inode)
{
	return inode->flags & LINUX_FS_APPEND_FL;
}

static inline bool inode_is_frozen(const struct inode *inode)
{
	return inode->flags & (LINUX_FS_IMMUTABLE_FL | LINUX_FS_APPEND_FL);
}

/* Are there open files of it, other than O_PATH? */
static inline bool inode_is_open(const struct inode *inode)
{
	return inode->readers > 0 || inode->writers > 0;
}

/* The VFS's own check: access control list or mode bits, then CAP_DAC_OVERRIDE and
 * CAP_DAC_READ_SEARCH. mask: 4 read, 2 write, 1 execute. -EACCES, -EROFS. */
must_check int inode_permission(struct inode *inode, const struct cred *cred, unsigned int mask);
/* Does cred hold the capability (LINUX_CAP_*) in its own user namespace, and has that numbers for
 * both owners of the inode? */
bool inode_capable(const struct inode *inode, const struct cred *cred, int capability);
/* Is cred the owner, or has CAP_FOWNER over it? */
bool inode_owner_or_capable(const struct inode *inode, const struct cred *cred);
/* The mode, uid and gid that a new inode gets in a directory (set-group-ID rules; umask was applied
 * by the caller). */
void inode_init_owner(struct inode_attributes *attributes, const struct inode *directory,
	const struct cred *cred, uint32_t mode);
/* Marks: atime by relatime rules, mtime and ctime together. Locks taken inside. */
void inode_touch_atime(struct inode *inode);
void inode_touch_mtime(struct inode *inode);
/* The same with RANK_INODE held, as in create, unlink, rename, write, fallocate. */
void inode_touch_mtime_locked(struct inode *inode);
void inode_touch_ctime_locked(struct inode *inode);
/* CLOCK_REALTIME as file times show it. */
struct linux_timespec inode_time_now(void);
/* Applies attributes to inode->attributes as masked: for file systems whose setattr has nothing
 * more to do. RANK_INODE held. */
void inode_apply_attributes(
	struct inode *inode, const struct inode_attributes *attributes, unsigned int mask);

/*
 * A regular file is open for writing by some, or executed by some (its pages are program text), not
 * both: -ETXTBSY. Calls pair up.
 */
must_check int inode_get_write_access(struct inode *inode);
void inode_put_write_access(struct inode *inode);
must_check int inode_deny_write_access(struct inode *inode);
void inode_allow_write_access(struct inode *inode);
