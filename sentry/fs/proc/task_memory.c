/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process's memory through files: mem, cmdline, environ, auxv, pagemap, clear_refs (proc(5)).
 *
 * Differs from Linux: pagemap says of each page that it is absent; cmdline and environ are taken as
 * a whole at the first read; what clear_refs would clear is not kept.
 */
#include "sentry/fs/proc/task_files.h"

#include "abi/fcntl.h"
#include "abi/limits.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define AUXV_MAX 1024
/* More than execve(2) takes; the limits are the guest's to set (PR_SET_MM). */
#define STRINGS_MAX (2 * LINUX_MAX_ARG_SIZE)

/* --- strings --- */

/* Appends memory as far as it can be read. */
static void append_memory(struct text_writer *out, struct mm *mm, gaddr_t start, gaddr_t end)
{
	char buffer[PAGE_SIZE];

	if (end > start && end - start > STRINGS_MAX)
		end = start + STRINGS_MAX;
	while (start < end) {
		size_t size = min_u64(end - start, sizeof(buffer)), got;

		got = mm_access_force(mm, start, buffer, size, false);
		text_append(out, buffer, got);
		if (got < size)
			break;
		start += got;
	}
}

/*
 * Who writes a title of its own over its arguments may go on into the environment: without a NUL at
 * the end of the arguments, the text is one string up to its NUL.
 */
int task_show_cmdline(const struct proc_context *context, struct text_writer *out)
{
	struct mm *mm = task_get_mm(context->task);
	struct mm_layout layout;
	size_t length;

	if (!mm)
		return 0;
	mm_get_layout(mm, &layout);
	append_memory(out, mm, layout.arg_start, layout.arg_end);
	if (out->size > 0 && out->size == layout.arg_end - layout.arg_start &&
		out->text[out->size - 1] != '\0') {
		if (layout.env_start == layout.arg_end)
			append_memory(out, mm, layout.env_start, layout.env_end);
		length = strnlen(out->text, out->size);
		out->size = length < out->size ? length + 1 : length;
	}
	mm_put(mm);
	return 0;
}

int task_show_environ(const struct proc_context *context, struct text_writer *out)
{
	struct mm *mm = proc_opened_mm(context);
	struct mm_layout layout;

	if (!mm)
		return 0;
	mm_get_layout(mm, &layout);
	append_memory(out, mm, layout.env_start, layout.env_end);
	mm_put(mm);
	return 0;
}

int task_show_auxv(const struct proc_context *context, struct text_writer *out)
{
	struct mm *mm = proc_opened_mm(context);
	char auxv[AUXV_MAX];

	if (!mm)
		return 0;
	text_append(out, auxv, mm_get_auxv(mm, auxv, sizeof(auxv)));
	mm_put(mm);
	return 0;
}

/* --- mem --- */

static int64_t access_memory(struct mm *mm, struct iov_iter *iter, int64_t *position, bool write)
{
	char buffer[PAGE_SIZE];
	int64_t done = 0;

	while (iov_iter_count(iter) > 0) {
		size_t size = min_u64(iov_iter_count(iter), sizeof(buffer)), got;

		if (write && (size = copy_from_iter(buffer, size, iter)) == 0)
			return done ? done : -EFAULT;
		got = mm_access_force(mm, (gaddr_t)*position, buffer, size, write);
		if (got == 0)
			return done ? done : -EIO;
		if (!write) {
			size_t copied = copy_to_iter(buffer, got, iter);

			if (copied == 0)
				return done ? done : -EFAULT;
			if (copied < got)
				return done + (int64_t)copied;
		}
		*position += (int64_t)got;
		done += (int64_t)got;
		if (got < size)
			break;
	}
	return done;
}

static int64_t access_opened(
	struct file *file, struct iov_iter *iter, int64_t *position, bool write)
{
	struct proc_unlocked unlocked = proc_unlock(file, position, write);
	int64_t result = 0, at = *position;
	struct proc_context context;
	struct mm *mm = NULL;

	if (proc_context_get(file, &context) == 0)
		mm = proc_opened_mm(&context);
	if (mm)
		result = access_memory(mm, iter, &at, write);
	mm_put(mm);
	proc_context_put(&context);
	proc_relock(unlocked);
	if (result > 0)
		*position = at;
	return result;
}

static int64_t mem_read(struct file *file, struct iov_iter *to, int64_t *position)
{
	return access_opened(file, to, position, false);
}

static int64_t mem_write(struct file *file, struct iov_iter *from, int64_t *position)
{
	return access_opened(file, from, position, true);
}

static int64_t mem_seek(struct file *file, int64_t offset, int whence)
{
	if (whence == LINUX_SEEK_CUR && __builtin_add_overflow(file->position, offset, &offset))
		return -EOVERFLOW;
	if (whence != LINUX_SEEK_SET && whence != LINUX_SEEK_CUR)
		return -EINVAL;
	return offset < 0 ? -EINVAL : offset;
}

const struct file_operations task_mem_file_operations = {
	.read = mem_read,
	.write = mem_write,
	.seek = mem_seek,
	.release = proc_file_release,
};

/* --- pagemap --- */

static int64_t pagemap_read(struct file *file, struct iov_iter *to, int64_t *position)
{
	size_t size = iov_iter_count(to);
	uint64_t end = LINUX_TASK_SIZE / PAGE_SIZE * sizeof(uint64_t);

	if ((*position | (int64_t)size) % (int64_t)sizeof(uint64_t))
		return -EINVAL;
	if ((uint64_t)*position >= end)
		return 0;
	size = iov_iter_zero(min_u64(size, end - (uint64_t)*position), to);
	*position += (int64_t)size;
	return (int64_t)size;
}

const struct file_operations task_pagemap_file_operations = {
	.read = pagemap_read,
	.seek = mem_seek,
	.release = proc_file_release,
};

int64_t task_store_clear_refs(const struct proc_context *context, const char *text, size_t size)
{
	char *end;
	long what = strtol(text, &end, 10);

	return end == text || what < 1 || what > 5 ? -EINVAL : (int64_t)size;
}
