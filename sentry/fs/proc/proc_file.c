/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open files of proc. A reader sees one snapshot, made when it reads at offset 0; what all readers
 * together leave lying is bounded: past that the text is made anew for each read.
 */
#include "sentry/fs/proc/proc_fs.h"

#include "abi/capability.h"
#include "abi/fcntl.h"
#include "sentry/kernel/task.h"
#include "sentry/lock_order.h"
#include "sentry/vfs/path.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define RETAINED_MAX (64ul << 20) /* bytes of all snapshots that are kept between reads */
#define WRITE_MAX    PAGE_SIZE

static atomic_size_t retained;

/* --- context --- */

int proc_context_get(struct file *file, struct proc_context *out)
{
	const struct proc_node *node = proc_node_of(file->inode);

	*out = (struct proc_context){
		.entry = node->entry,
		.super = proc_super_of(file->inode->sb),
		.file = file,
		.cred = file->cred,
		.user_ns = file->cred ? file->cred->user_ns : user_namespace_initial(),
		.process = node->process,
		.number = node->number,
	};
	if (!node->pid)
		return 0;
	out->task = proc_node_task(node);
	return out->task ? 0 : -ESRCH;
}

void proc_context_put(struct proc_context *context)
{
	task_put(context->task);
	context->task = NULL;
}

/* --- open and release --- */

static void remember_mm(struct proc_open *open, struct task *task)
{
	mutex_guard(&task->lock);
	open->mm = task->mm;
	open->exec_count = __atomic_load_n(&task->group->exec_count, __ATOMIC_RELAXED);
}

struct mm *proc_opened_mm(const struct proc_context *context)
{
	const struct proc_open *open = context->file->private;
	struct task *task = context->task;

	mutex_guard(&task->lock);
	if (!task->mm || task->mm != open->mm ||
		__atomic_load_n(&task->group->exec_count, __ATOMIC_RELAXED) != open->exec_count)
		return NULL;
	return mm_get(task->mm);
}

static int check_writer(const struct file *file, enum proc_access access, struct task *task)
{
	const struct cred *cred;
	int error = 0;

	if (access != PROC_ACCESS_ADMIN_TO_WRITE || !(file->mode & FILE_WRITE) || !current)
		return 0;
	cred = task_get_cred(task);
	if (!cred_capable_in(current->cred, cred->user_ns, LINUX_CAP_SYS_ADMIN))
		error = -EACCES;
	cred_put(cred);
	return error;
}

static int open_task(
	const struct file *file, enum proc_access access, struct task *task, struct proc_open *open)
{
	int error = proc_check_access(task, access, true);

	if (!error)
		error = check_writer(file, access, task);
	if (error)
		return error;
	remember_mm(open, task);
	if (!open->mm && (access == PROC_ACCESS_READ_MEMORY_AT_OPEN ||
				 access == PROC_ACCESS_ATTACH_AT_OPEN))
		return -ESRCH;
	return 0;
}

int proc_file_open(struct inode *inode, struct file *file)
{
	const struct proc_node *node = proc_node_of(inode);
	struct proc_open *open = calloc(1, sizeof(*open));
	int error = 0;

	if (!open)
		return -ENOMEM;
	mutex_init(&open->lock, RANK_FILE_DATA, "proc text");
	if (node->pid) {
		struct task *task = proc_node_task(node);

		error = task ? open_task(file, node->entry->access, task, open) : -ESRCH;
		task_put(task);
	}
	if (error) {
		mutex_destroy(&open->lock);
		free(open);
		return error;
	}
	file->private = open;
	return 0;
}

static void text_free(struct text_writer *text)
{
	atomic_fetch_sub(&retained, text->capacity);
	text_writer_free(text);
}

void proc_file_release(struct file *file)
{
	struct proc_open *open = file->private;

	text_free(&open->text);
	mutex_destroy(&open->lock);
	mount_namespace_put(open->mounts);
	path_put(&open->root);
	free(open);
}

/* --- reading text --- */

static int generate(struct file *file, struct text_writer *text)
{
	struct proc_context context;
	int error = proc_context_get(file, &context);

	if (error)
		return error;
	if (context.task)
		error = proc_check_access(context.task, context.entry->access, false);
	if (!error)
		error = context.entry->show(&context, text);
	proc_context_put(&context);
	if (!error && text_writer_failed(text))
		error = -ENOMEM;
	return error;
}

static int make_text(struct file *file, const int64_t *position)
{
	struct proc_unlocked unlocked = proc_unlock(file, position, false);
	struct proc_open *open = file->private;
	struct text_writer text = {0}, old = {0};
	int error = generate(file, &text);

	atomic_fetch_add(&retained, text.capacity);
	if (error) {
		text_free(&text);
	} else {
		mutex_lock(&open->lock);
		old = open->text;
		open->text = text;
		open->has_text = true;
		mutex_unlock(&open->lock);
		text_free(&old);
	}
	proc_relock(unlocked);
	return error;
}

static int64_t copy_text(struct proc_open *open, struct iov_iter *to, int64_t *position)
{
	size_t size = iov_iter_count(to), copied = 0;

	mutex_guard(&open->lock);
	if ((uint64_t)*position < open->text.size) {
		size = min_u64(size, open->text.size - (uint64_t)*position);
		copied = copy_to_iter(open->text.text + *position, size, to);
		if (copied == 0 && size > 0)
			return -EFAULT;
		*position += (int64_t)copied;
	}
	if (copied == 0 || atomic_load(&retained) > RETAINED_MAX) {
		text_free(&open->text);
		open->has_text = false;
	}
	return (int64_t)copied;
}

int64_t proc_text_read(struct file *file, struct iov_iter *to, int64_t *position)
{
	struct proc_open *open = file->private;

	if (iov_iter_count(to) == 0)
		return 0;
	if (!proc_node_of(file->inode)->entry->show)
		return -EINVAL;
	if (*position == 0 || !open->has_text) {
		int error = make_text(file, position);

		if (error)
			return error;
	}
	return copy_text(open, to, position);
}

/* seq_lseek(): there is no end to seek from. */
int64_t proc_text_seek(struct file *file, int64_t offset, int whence)
{
	if (whence == LINUX_SEEK_CUR) {
		if (__builtin_add_overflow(file->position, offset, &offset))
			return -EOVERFLOW;
	} else if (whence != LINUX_SEEK_SET) {
		return -EINVAL;
	}
	return offset < 0 ? -EINVAL : offset;
}

/* --- writing --- */

static int64_t text_write(struct file *file, struct iov_iter *from, int64_t *position)
{
	const struct proc_node *node = proc_node_of(file->inode);
	size_t size = iov_iter_count(from);
	char text[WRITE_MAX + 1];
	struct proc_context context;
	int64_t result;

	/* Files of processes have no such operation in Linux, others one that fails. */
	if (!node->entry->store)
		return node->pid ? -EINVAL : -EIO;
	if (size > WRITE_MAX)
		size = WRITE_MAX;
	if (copy_from_iter(text, size, from) != size)
		return -EFAULT;
	text[size] = '\0';
	result = proc_context_get(file, &context);
	if (result)
		return result;
	result = node->entry->store(&context, text, size);
	proc_context_put(&context);
	if (result > 0)
		*position += result;
	return result;
}

const struct file_operations proc_text_file_operations = {
	.read = proc_text_read,
	.write = text_write,
	.seek = proc_text_seek,
	.release = proc_file_release,
};

const struct inode_operations proc_file_inode_operations = {
	.setattr = proc_setattr,
	.open = proc_file_open,
};

const struct inode_operations proc_task_file_inode_operations = {
	.getattr = proc_task_getattr,
	.setattr = proc_setattr,
	.open = proc_file_open,
};
