/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sentry/fs/proc/ - the proc file system from the inside: tables of entries, and how an entry
 * becomes an inode and an open file.
 *
 * Nothing is kept of a name: every look-up makes a fresh inode, whose number is made of the name
 * and the process's identity, so that it is the same each time. An inode knows its process by a
 * struct pid, never by its task, which it looks for anew at each use.
 *
 * Locks: contents are generated with no lock held at all: proc_file.c lets go of the file's and the
 * inode's for that time. So a generator may take references that turn out to be the last. Look-ups
 * run with the directory's lock held and take none but to tasks and pids.
 */
#pragma once

#include "base/compiler.h"
#include "base/text_writer.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/pid.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/inode.h"

#include <stdbool.h>
#include <stdint.h>

struct mm;
struct proc_context;
struct proc_entry;
struct task;

/* hidepid= (proc(5)). */
enum proc_hide {
	PROC_HIDE_OFF,
	PROC_HIDE_NO_ACCESS,
	PROC_HIDE_INVISIBLE,
	PROC_HIDE_NOT_PTRACEABLE = 4
};

/* A mounted proc; sysfs uses the same tables, and shows no processes. */
struct proc_super {
	struct pid_namespace *pid_ns; /* whose numbers it shows; a reference. NULL for sysfs */
	enum proc_hide hide;
	uint32_t gid; /* may see everybody in spite of hide; global */
	bool subset_pid;
	uint32_t block_size, file_size; /* what stat(2) tells of its files */
};

/* How a directory finds and lists what is not in its table. */
struct proc_directory {
	const struct proc_entry *entries;
	size_t count;
	/* A name that is not in the table. -ENOENT. RANK_INODE of the directory held. */
	int (*lookup)(struct inode *directory, const char *name, struct inode **out);
	/* What comes after the table; positions from PROC_DYNAMIC_POSITION on. No lock held. */
	int (*iterate)(struct file *file, struct dir_context *context);
	/* Which entries of the table exist here; NULL: all. */
	bool (*has)(const struct proc_super *super, const struct proc_entry *entry);
};
#define PROC_DYNAMIC_POSITION 256

/* When the ptrace access to the process is asked for. */
enum proc_access {
	PROC_ACCESS_FREE,
	PROC_ACCESS_READ_AT_OPEN, /* -EACCES from open(2) */
	PROC_ACCESS_READ_MEMORY_AT_OPEN, /* -ESRCH for who has none any more */
	PROC_ACCESS_ATTACH_AT_OPEN,	 /* likewise */
	PROC_ACCESS_READ_AT_READ,
	PROC_ACCESS_ATTACH_AT_READ,
	PROC_ACCESS_ADMIN_TO_WRITE, /* of the process's user namespace; -EACCES from open(2) */
};

struct proc_entry {
	const char *name;
	uint32_t mode; /* with type bits */
	/* Exactly one of these kinds, or ops of its own. */
	int (*show)(const struct proc_context *context, struct text_writer *out);
	const struct proc_directory *directory;
	const char *target; /* symlink */
	const struct inode_operations *inode_ops;
	const struct file_operations *file_ops;
	/* What a write does; text is NUL-terminated behind its size bytes. The locks of a write are
	 * held. Bytes taken or an error. */
	int64_t (*store)(const struct proc_context *context, const char *text, size_t size);
	enum proc_access access;
	uintptr_t data; /* for generators that serve several entries */
};

/* inode->private. */
struct proc_node {
	const struct proc_entry *entry;
	struct pid *pid; /* a reference; NULL for what belongs to no process */
	bool process;	 /* of the process, not of the one thread */
	int number;	 /* of a descriptor below fd and fdinfo */
	uint64_t start, end; /* of a mapping below map_files */
};

/* Who asks for what: handed to generators. */
struct proc_context {
	const struct proc_entry *entry;
	const struct proc_super *super;
	struct file *file;
	const struct cred *cred;	      /* the opener's */
	const struct user_namespace *user_ns; /* the opener's */
	struct task *task; /* whom it is about; NULL for what belongs to no process */
	bool process;
	int number; /* as proc_node's */
};

#define PROC_DIRECTORY(variable, table)                                                            \
	const struct proc_directory variable = {.entries = (table), .count = array_count(table)}

/* --- proc_inode.c --- */
static inline struct proc_super *proc_super_of(const struct super_block *sb)
{
	return sb->private;
}
static inline struct proc_node *proc_node_of(const struct inode *inode)
{
	return inode->private;
}
/* A fresh inode of an entry below directory (NULL: the root). pid is borrowed. */
must_check int proc_inode_new(struct super_block *sb, uint64_t ino, const struct proc_entry *entry,
	struct pid *pid, bool process, int number, struct inode **out);
/* The number that a name has in a directory. */
uint64_t proc_child_ino(const struct inode *directory, const char *name);
void proc_inode_release(struct inode *inode);
extern const struct inode_operations proc_directory_inode_operations, proc_task_inode_operations;
extern const struct file_operations proc_directory_file_operations;
/* Attributes cannot be changed, but nobody is refused O_TRUNC. */
must_check int proc_setattr(
	struct inode *inode, const struct inode_attributes *attributes, unsigned int mask);
/* Names cannot be made; the error is the one that Linux gives. */
must_check int proc_create(struct inode *directory, const char *name, uint32_t mode, uint64_t rdev,
	const struct cred *cred, struct inode **out);
/* Lets go of the locks that the VFS holds around an attempt or an iteration, and takes them again.
 */
struct proc_unlocked {
	struct file *file;
	bool inode, position;
};
struct proc_unlocked proc_unlock(struct file *file, const int64_t *position, bool inode_locked);
void proc_relock(struct proc_unlocked unlocked);

/* --- proc_file.c: open files, most of them text that is generated --- */

/* file->private of every file. */
struct proc_open {
	struct mutex lock; /* RANK_FILE_DATA: text */
	struct text_writer text;
	bool has_text;
	/* Whose memory it is about; compared, never followed. An address may be used again, but not
	 * within one execve. */
	struct mm *mm;
	unsigned int exec_count;
	/* task_mounts.c's own, set once: whose mounts, seen from where; references. */
	struct mount_namespace *mounts;
	struct path root;
	_Atomic unsigned int mounts_seen;
};
extern const struct inode_operations proc_file_inode_operations, proc_task_file_inode_operations;
extern const struct file_operations proc_text_file_operations;
must_check int64_t proc_text_read(struct file *file, struct iov_iter *to, int64_t *position);
int64_t proc_text_seek(struct file *file, int64_t offset, int whence);
/* What a file that has ops of its own does in open and release. */
must_check int proc_file_open(struct inode *inode, struct file *file);
void proc_file_release(struct file *file);
/* The context of an attempt; put it back. -ESRCH: the process is gone. */
must_check int proc_context_get(struct file *file, struct proc_context *out);
void proc_context_put(struct proc_context *context);
/* The memory that the task had when the file was opened, with a reference; NULL when it is gone, or
 * was left by an execve. */
struct mm *proc_opened_mm(const struct proc_context *context);

/* --- proc_task.c: processes --- */
/* The task that an inode is about, with a reference; NULL once it is gone. Takes RANK_TASK_SET. */
struct task *proc_node_task(const struct proc_node *node);
/* Fills owner and group in from the task's credentials; a task that is gone leaves them. Takes
 * RANK_TASK_SET and RANK_TASK. */
void proc_task_own(struct inode *inode);
must_check int proc_task_getattr(struct inode *inode);
/* hidepid's part; then the mode bits. */
must_check int proc_task_permission(
	struct inode *inode, const struct cred *cred, unsigned int mask);
must_check int proc_mode_permission(
	struct inode *inode, const struct cred *cred, unsigned int mask);
bool proc_may_see(const struct proc_super *super, struct task *task, enum proc_hide least);
must_check int proc_root_lookup(struct inode *directory, const char *name, struct inode **out);
must_check int proc_root_iterate(struct file *file, struct dir_context *context);
extern const struct inode_operations proc_self_operations, proc_thread_self_operations;
extern const struct proc_directory proc_thread_list_directory; /* /proc/PID/task */
extern const struct inode_operations proc_thread_list_operations;
/* A number without sign or leading zeros; -1 for anything else. */
int proc_parse_number(const char *name);
/* 0, or what the entry's kind of access check gives. */
must_check int proc_check_access(struct task *task, enum proc_access access, bool at_open);

/* --- task_table.c --- */
extern const struct proc_entry proc_process_entry,
	proc_thread_entry; /* /proc/PID and /proc/PID/task/TID */

/* --- root_table.c --- */
extern const struct proc_entry proc_root_entry;

/* --- task_settings.c --- */
/* A number in any base, white space after it; -EINVAL. */
must_check int64_t proc_parse_integer(const char *text, int64_t least, int64_t most, int64_t *out);

/* Numbers and ids as the reader sees them. */
static inline int proc_number(const struct proc_context *context, const struct pid *pid)
{
	return pid_number_in(pid, context->super->pid_ns);
}
