/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inodes made of table entries, and the directories that tables are.
 *
 * Differs from Linux: inode numbers are hashes of names, and modes and owners cannot be changed.
 */
#include "sentry/fs/proc/proc_fs.h"

#include "abi/stat.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_POSITION 2

static int link_inode(struct inode *inode, const char *target)
{
	inode->link = strdup(target);
	return inode->link ? 0 : -ENOMEM;
}

static const struct inode_operations link_operations = {.setattr = proc_setattr};

static const struct inode_operations *operations_of(
	const struct proc_entry *entry, const struct pid *pid)
{
	if (entry->inode_ops)
		return entry->inode_ops;
	if (entry->directory)
		return pid ? &proc_task_inode_operations : &proc_directory_inode_operations;
	if (entry->target)
		return &link_operations;
	return pid ? &proc_task_file_inode_operations : &proc_file_inode_operations;
}

static const struct file_operations *file_operations_of(const struct proc_entry *entry)
{
	if (entry->file_ops)
		return entry->file_ops;
	return entry->directory ? &proc_directory_file_operations : &proc_text_file_operations;
}

/* A link from each subdirectory. */
static uint32_t links_of(const struct proc_directory *directory)
{
	uint32_t links = 2;

	for (size_t i = 0; i < directory->count; i++)
		links += directory->entries[i].directory != NULL;
	return links;
}

int proc_inode_new(struct super_block *sb, uint64_t ino, const struct proc_entry *entry,
	struct pid *pid, bool process, int number, struct inode **out)
{
	struct proc_node *node = calloc(1, sizeof(*node));
	struct inode *inode;
	int error;

	if (!node)
		return -ENOMEM;
	error = inode_new(
		sb, entry->mode, operations_of(entry, pid), file_operations_of(entry), &inode);
	if (error) {
		free(node);
		return error;
	}
	*node = (struct proc_node){entry, pid ? pid_get(pid) : NULL, process, number};
	inode->private = node;
	inode->attributes.ino = ino;
	inode->attributes.blksize = proc_super_of(sb)->block_size;
	if (inode_is_type(inode, LINUX_S_IFREG))
		inode->attributes.size = proc_super_of(sb)->file_size;
	inode->attributes.btime = (struct linux_timespec){0};
	if (entry->directory)
		inode->attributes.nlink = links_of(entry->directory);
	if (pid)
		proc_task_own(inode);
	if (entry->target)
		error = link_inode(inode, entry->target);
	if (error)
		inode_put(inode);
	else
		*out = inode;
	return error;
}

void proc_inode_release(struct inode *inode)
{
	struct proc_node *node = proc_node_of(inode);

	if (!node)
		return;
	pid_put(node->pid);
	free(node);
}

/* A process's identity in the upper half, a hash of the name and the directory's number in the
 * lower. */
uint64_t proc_child_ino(const struct inode *directory, const char *name)
{
	uint32_t hash = 2166136261u ^ (uint32_t)directory->attributes.ino;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return (directory->attributes.ino & ~0xffffffffull) | (hash | 0x80000000u);
}

int proc_setattr(struct inode *inode, const struct inode_attributes *attributes, unsigned int mask)
{
	if (mask & (ATTRIBUTE_MODE | ATTRIBUTE_UID | ATTRIBUTE_GID))
		return -EPERM;
	inode_apply_attributes(inode, attributes, mask & ~(unsigned int)ATTRIBUTE_SIZE);
	return 0;
}

int proc_create(struct inode *directory, const char *name, uint32_t mode, uint64_t rdev,
	const struct cred *cred, struct inode **out)
{
	return -ENOENT;
}

/* --- directories --- */

static bool exists_here(const struct inode *directory, const struct proc_entry *entry)
{
	const struct proc_directory *table = proc_node_of(directory)->entry->directory;

	return !table->has || table->has(proc_super_of(directory->sb), entry);
}

static int directory_lookup(struct inode *directory, const char *name, struct inode **out)
{
	const struct proc_node *node = proc_node_of(directory);
	const struct proc_directory *table = node->entry->directory;

	for (size_t i = 0; i < table->count; i++) {
		const struct proc_entry *entry = &table->entries[i];

		if (strcmp(entry->name, name) != 0 || !exists_here(directory, entry))
			continue;
		return proc_inode_new(directory->sb, proc_child_ino(directory, name), entry,
			node->pid, node->process, node->number, out);
	}
	return table->lookup ? table->lookup(directory, name, out) : -ENOENT;
}

/* False when the caller has no room. */
static bool emit_table(
	struct file *file, const struct proc_directory *table, struct dir_context *context)
{
	while (context->position - FIRST_POSITION < (int64_t)table->count) {
		const struct proc_entry *entry =
			&table->entries[context->position - FIRST_POSITION];

		if (!exists_here(file->inode, entry)) {
			context->position++;
			continue;
		}
		if (!context->emit(context, entry->name, strlen(entry->name), context->position + 1,
			    proc_child_ino(file->inode, entry->name),
			    (entry->mode & LINUX_S_IFMT) >> 12))
			return false;
	}
	return true;
}

struct proc_unlocked proc_unlock(struct file *file, const int64_t *position, bool inode_locked)
{
	struct proc_unlocked unlocked = {file, inode_locked, position == &file->position};

	if (unlocked.position)
		mutex_unlock(&file->lock);
	if (unlocked.inode)
		mutex_unlock(&file->inode->lock);
	return unlocked;
}

void proc_relock(struct proc_unlocked unlocked)
{
	if (unlocked.inode)
		mutex_lock(&unlocked.file->inode->lock);
	if (unlocked.position)
		mutex_lock(&unlocked.file->lock);
}

static int directory_iterate(struct file *file, struct dir_context *context)
{
	const struct proc_directory *table = proc_node_of(file->inode)->entry->directory;
	struct proc_unlocked unlocked = proc_unlock(file, &file->position, true);
	int result = 0;

	if (context->position >= PROC_DYNAMIC_POSITION || emit_table(file, table, context)) {
		if (context->position < PROC_DYNAMIC_POSITION && table->iterate)
			context->position = PROC_DYNAMIC_POSITION;
		if (table->iterate)
			result = table->iterate(file, context);
	}
	proc_relock(unlocked);
	return result;
}

const struct inode_operations proc_directory_inode_operations = {
	.lookup = directory_lookup,
	.create = proc_create,
	.setattr = proc_setattr,
	.permission = proc_mode_permission,
};

const struct inode_operations proc_task_inode_operations = {
	.lookup = directory_lookup,
	.create = proc_create,
	.setattr = proc_setattr,
	.getattr = proc_task_getattr,
	.permission = proc_task_permission,
};

const struct file_operations proc_directory_file_operations = {.iterate = directory_iterate};
