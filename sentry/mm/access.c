/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and writing guest memory: a lookup and a memcpy. The last few stretches that were looked
 * up are remembered, so that most copies take one lock and some comparisons.
 */
#include "base/safe_copy.h"
#include "sentry/mm/memory_file.h"
#include "sentry/mm/mm_private.h"
#include "sentry/mm/window.h"

#include <errno.h>
#include <string.h>

/* The sentry's view of a host file's page; the backing keeps the window. */
static int host_file_view(struct mm *mm, struct vma *vma, struct backing *backing, uint64_t offset,
	bool write, struct sentry_view *view)
{
	if (!window_shows(backing->window, offset, write)) {
		struct window *window;
		int error =
			window_get(vma->mappable, backing->fd, offset, backing->writable, &window);

		if (error)
			return -EFAULT;
		mm_changed(mm); /* what is remembered may be the old window's */
		window_put(backing->window);
		backing->window = window;
	}
	view->pointer = window_pointer(backing->window, offset);
	view->size = min_u64(view->size, WINDOW_BYTES - offset % WINDOW_BYTES);
	view->may_fault = true;
	return 0;
}

static bool is_allowed(const struct vma *vma, bool write, bool force)
{
	if (vma_allows(vma, write))
		return true;
	if (!force)
		return false;
	/* Breaking copy-on-write keeps a forced write private; what is shared must be writable by
	 * itself. */
	return write ? !vma_is_shared(vma) && (vma->max_protection & LINUX_PROT_WRITE)
		     : vma->max_protection != 0;
}

static void remember(
	struct mm *mm, const struct vma *vma, const struct sentry_view *view, gaddr_t address)
{
	const struct backing *backing = view->backing;
	struct access_window *window = &mm->access[mm->next_access++ % ACCESS_WINDOWS];
	uint64_t before = address - max_u64(backing->start, vma->start);
	uint64_t after = min_u64(backing->end, vma->end) - address;

	if (view->may_fault) {
		uint64_t within = backing_offset_of(backing, address) % WINDOW_BYTES;

		before = min_u64(before, within);
		after = min_u64(after, WINDOW_BYTES - within);
	}
	*window = (struct access_window){
		.start = address - before,
		.end = address + after,
		.base = view->pointer - before,
		.writable = vma_allows(vma, true) && backing_is_writable(backing, vma),
		.may_fault = view->may_fault,
	};
}

int mm_view(struct mm *mm, gaddr_t address, size_t size, bool write, bool force,
	struct sentry_view *view)
{
	struct vma *vma;
	uint64_t offset;
	int error;

	if (address >= PLATFORM_GUEST_MAX)
		return -EFAULT;
	vma = mm_find_or_grow(mm, address);
	if (!vma || !is_allowed(vma, write, force) || mm_fault_in(mm, vma, address, write) != 0)
		return -EFAULT;
	view->backing = backing_find(mm, address);
	view->size = min_u64(size, min_u64(view->backing->end, vma->end) - address);
	offset = backing_offset_of(view->backing, address);
	if (backing_in_memory_file(view->backing)) {
		view->pointer = memory_file_pointer(offset);
		view->may_fault = false;
	} else {
		error = host_file_view(mm, vma, view->backing, offset, write, view);
		if (error)
			return error;
	}
	if (vma_allows(vma, false))
		remember(mm, vma, view, address);
	return 0;
}

/* The remembered view of address, or a new one. */
static int find_view(
	struct mm *mm, gaddr_t address, size_t size, bool write, struct sentry_view *view)
{
	for (unsigned int i = 0; i < ACCESS_WINDOWS; i++) {
		const struct access_window *window = &mm->access[i];

		if (address < window->start || address >= window->end ||
			(write && !window->writable))
			continue;
		view->pointer = window->base + (address - window->start);
		view->size = min_u64(size, window->end - address);
		view->may_fault = window->may_fault;
		return 0;
	}
	return mm_view(mm, address, size, write, false, view);
}

/* Bytes copied, less than size at a fault of the host's. */
static size_t copy(const struct sentry_view *view, void *to, const void *from)
{
	if (view->may_fault)
		return safe_copy(to, from, view->size);
	memcpy(to, from, view->size);
	return view->size;
}

size_t mm_copy_in_partial(struct mm *mm, void *destination, gaddr_t source, size_t size)
{
	struct sentry_view view;
	size_t done = 0, step;

	mm_lock(mm);
	while (done < size && find_view(mm, source + done, size - done, false, &view) == 0) {
		step = copy(&view, (char *)destination + done, view.pointer);
		done += step;
		if (step < view.size)
			break;
	}
	mm_unlock(mm);
	return done;
}

size_t mm_copy_out_partial(struct mm *mm, gaddr_t destination, const void *source, size_t size)
{
	struct sentry_view view;
	size_t done = 0, step;

	mm_lock(mm);
	while (done < size && find_view(mm, destination + done, size - done, true, &view) == 0) {
		step = copy(&view, view.pointer, (const char *)source + done);
		done += step;
		if (step < view.size)
			break;
	}
	mm_unlock(mm);
	return done;
}

int mm_copy_in(struct mm *mm, void *destination, gaddr_t source, size_t size)
{
	return mm_copy_in_partial(mm, destination, source, size) == size ? 0 : -EFAULT;
}

int mm_copy_out(struct mm *mm, gaddr_t destination, const void *source, size_t size)
{
	return mm_copy_out_partial(mm, destination, source, size) == size ? 0 : -EFAULT;
}

int mm_zero(struct mm *mm, gaddr_t destination, size_t size)
{
	struct sentry_view view;
	size_t done = 0, step;

	mm_lock(mm);
	while (done < size && find_view(mm, destination + done, size - done, true, &view) == 0) {
		step = view.size;
		if (view.may_fault)
			step = safe_zero(view.pointer, view.size);
		else
			memset(view.pointer, 0, view.size);
		done += step;
		if (step < view.size)
			break;
	}
	mm_unlock(mm);
	return done == size ? 0 : -EFAULT;
}

/* Copies up to the NUL or the end of the view. 1: the NUL was copied; 0: not; -EFAULT. */
static int copy_string_part(const struct sentry_view *view, char *destination, size_t *length)
{
	size_t size = copy(view, destination, view->pointer);
	/* Looked for in the copy: the guest may be writing to the original. */
	const char *end = memchr(destination, 0, size);

	*length = end ? (size_t)(end - destination) : size;
	if (end)
		return 1;
	return size < view->size ? -EFAULT : 0;
}

int64_t mm_copy_in_string(struct mm *mm, char *destination, gaddr_t source, size_t size)
{
	size_t done = 0, length = 0;
	int64_t result = -ENAMETOOLONG;

	mm_lock(mm);
	while (done < size) {
		struct sentry_view view;
		/* Most strings are short: no more than a few cache lines are copied in vain. */
		size_t part = min_u64(size - done, done ? PAGE_SIZE : 256);
		int found = find_view(mm, source + done, part, false, &view);

		if (found == 0)
			found = copy_string_part(&view, destination + done, &length);
		if (found < 0) {
			result = found;
			break;
		}
		done += length;
		if (found) {
			result = (int64_t)done;
			break;
		}
	}
	mm_unlock(mm);
	return result;
}

size_t mm_access_force(struct mm *mm, gaddr_t address, void *buffer, size_t size, bool write)
{
	struct sentry_view view;
	size_t done = 0, step;

	mm_lock(mm);
	while (done < size && mm_view(mm, address + done, size - done, write, true, &view) == 0) {
		char *here = (char *)buffer + done;

		step = write ? copy(&view, view.pointer, here) : copy(&view, here, view.pointer);
		done += step;
		if (step < view.size)
			break;
	}
	mm_unlock(mm);
	return done;
}
