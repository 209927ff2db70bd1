/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmap(2) and remap_file_pages(2).
 *
 * Differs from Linux: the address space ends a little lower (PLATFORM_GUEST_MAX), and there are no
 * huge pages to give out, as on a machine whose administrator reserved none.
 */
#include "abi/mount.h"
#include "sentry/mm/mappable.h"
#include "sentry/mm/memory_file_place.h"
#include "sentry/mm/mm_private.h"
#include "sentry/mm/shared_memory.h"
#include "sentry/vfs/file.h"

#include <errno.h>

#define PROTECTIONS (LINUX_PROT_READ | LINUX_PROT_WRITE | LINUX_PROT_EXEC)
#define HUGE_2MB    21
#define HUGE_1GB    30

/* What MAP_SHARED ignores silently and MAP_SHARED_VALIDATE lets through. */
#define KNOWN_FLAGS                                                                                \
	(LINUX_MAP_TYPE | LINUX_MAP_FIXED | LINUX_MAP_ANONYMOUS | LINUX_MAP_DENYWRITE |            \
		LINUX_MAP_EXECUTABLE | LINUX_MAP_UNINITIALIZED | LINUX_MAP_GROWSDOWN |             \
		LINUX_MAP_LOCKED | LINUX_MAP_NORESERVE | LINUX_MAP_POPULATE | LINUX_MAP_NONBLOCK | \
		LINUX_MAP_STACK | LINUX_MAP_HUGETLB | LINUX_MAP_32BIT | LINUX_MAP_ABOVE4G |        \
		LINUX_MAP_FIXED_NOREPLACE |                                                        \
		(int)((unsigned int)LINUX_MAP_HUGE_MASK << LINUX_MAP_HUGE_SHIFT))

/* What a mapping becomes: filled in step by step, then made a vma. */
struct mapping {
	struct vma vma;	     /* a template: its references belong to this struct */
	bool anonymous_file; /* a file that hands out anonymous memory: /dev/zero */
};

static int check_huge(const struct mmap_request *request)
{
	unsigned int size =
		(unsigned int)request->flags >> LINUX_MAP_HUGE_SHIFT & LINUX_MAP_HUGE_MASK;

	if (!(request->flags & LINUX_MAP_HUGETLB))
		return 0;
	if (request->file || (size && size != HUGE_2MB && size != HUGE_1GB))
		return -EINVAL;
	return -ENOMEM;
}

static int check_request(const struct mmap_request *request, uint64_t length)
{
	if (!request->length)
		return -EINVAL;
	if (!length || length > PLATFORM_GUEST_MAX)
		return -ENOMEM;
	if (request->offset % PAGE_SIZE)
		return -EINVAL;
	if (request->offset + length < request->offset)
		return -EOVERFLOW;
	return check_huge(request);
}

static unsigned int flags_of(const struct mmap_request *request)
{
	unsigned int flags = 0;

	if (request->flags & LINUX_MAP_GROWSDOWN || request->stack)
		flags |= VMA_GROWS_DOWN;
	if (request->flags & LINUX_MAP_LOCKED)
		flags |= VMA_LOCKED;
	if (request->flags & LINUX_MAP_NORESERVE)
		flags |= VMA_NO_RESERVE;
	if (request->stack)
		flags |= VMA_STACK;
	if (request->special)
		flags |= VMA_SPECIAL | VMA_DONT_DUMP;
	/* Means nothing to Linux any more, but dynamic linkers still say it of what they load. */
	if (request->file && (request->flags & LINUX_MAP_DENYWRITE))
		flags |= VMA_PROGRAM;
	return flags;
}

static int prepare_anonymous(
	const struct mmap_request *request, uint64_t length, struct mapping *mapping)
{
	struct vma *vma = &mapping->vma;
	int error;

	switch (request->flags & LINUX_MAP_TYPE) {
	case LINUX_MAP_PRIVATE:
		return 0;
	case LINUX_MAP_DROPPABLE:
		if (vma->flags & VMA_LOCKED)
			return -EINVAL;
		vma->flags |= VMA_DROPPABLE | VMA_NO_RESERVE | VMA_WIPE_ON_FORK | VMA_DONT_DUMP;
		return 0;
	case LINUX_MAP_SHARED:
		break;
	default:
		return -EINVAL;
	}
	if (vma->flags & VMA_GROWS_DOWN)
		return -EINVAL;
	vma->flags |= VMA_SHARED;
	vma->offset = request->shared ? request->offset : 0;
	if (request->shared) {
		vma->shared = shared_memory_get(request->shared);
		vma->mappable = shared_memory_mappable(vma->shared);
		return 0;
	}
	if (!(vma->flags & VMA_NO_RESERVE) && memory_file_is_obvious_overcommit(length))
		return -ENOMEM;
	error = shared_memory_new(length, &vma->shared);
	if (!error)
		vma->mappable = shared_memory_mappable(vma->shared);
	return error;
}

static int check_file(const struct mmap_request *request, struct vma *vma)
{
	const struct file *file = request->file;
	unsigned int type = request->flags & LINUX_MAP_TYPE;

	if (type == LINUX_MAP_SHARED_VALIDATE && (request->flags & ~KNOWN_FLAGS))
		return -EOPNOTSUPP;
	if (type == LINUX_MAP_SHARED || type == LINUX_MAP_SHARED_VALIDATE) {
		if ((request->protection & LINUX_PROT_WRITE) && !(file->mode & FILE_WRITE))
			return -EACCES;
		if ((file->mode & FILE_WRITE) && inode_is_append_only(file->inode))
			return -EACCES;
		if (!(file->mode & FILE_WRITE))
			vma->max_protection &= ~LINUX_PROT_WRITE;
		vma->flags |= VMA_SHARED;
	} else if (type != LINUX_MAP_PRIVATE) {
		return -EINVAL;
	}
	if (!(file->mode & FILE_READ))
		return -EACCES;
	if (file->path.mount && (file->path.mount->flags & LINUX_MS_NOEXEC)) {
		if (request->protection & LINUX_PROT_EXEC)
			return -EPERM;
		vma->max_protection &= ~LINUX_PROT_EXEC;
	}
	if (!file->ops->mmap)
		return -ENODEV;
	return vma->flags & VMA_GROWS_DOWN ? -EINVAL : 0;
}

static int prepare_file(
	const struct mmap_request *request, uint64_t length, struct mapping *mapping)
{
	struct vma *vma = &mapping->vma;
	int max_protection, error = check_file(request, vma);

	if (error)
		return error;
	max_protection = vma->max_protection;
	error = request->file->ops->mmap(request->file, vma_is_shared(vma), vma->protection,
		&max_protection, &vma->mappable, &mapping->anonymous_file);
	if (error)
		return error;
	vma->max_protection = (uint8_t)max_protection;
	if (mapping->anonymous_file) {
		struct mmap_request anonymous = *request;

		vma->mappable = NULL;
		anonymous.flags = vma_is_shared(vma) ? LINUX_MAP_SHARED : LINUX_MAP_PRIVATE;
		return prepare_anonymous(&anonymous, length, mapping);
	}
	vma->file = file_get(request->file);
	vma->offset = request->offset;
	return 0;
}

/* Everything that is done without the lock: files are asked, objects are made. */
static int prepare(const struct mmap_request *request, uint64_t length, struct mapping *mapping)
{
	int protection = request->protection & PROTECTIONS;

	*mapping = (struct mapping){
		.vma =
			{
				.flags = flags_of(request),
				.protection = (uint8_t)protection,
				.max_protection = PROTECTIONS,
				.place = VMA_NO_PLACE,
				.special_name = request->name,
			},
	};
	return request->file ? prepare_file(request, length, mapping)
			     : prepare_anonymous(request, length, mapping);
}

static int choose_address(
	struct mm *mm, const struct mmap_request *request, uint64_t length, gaddr_t *address)
{
	gaddr_t hint = page_floor(request->address);
	struct vma *vma;

	if (!(request->flags & (LINUX_MAP_FIXED | LINUX_MAP_FIXED_NOREPLACE))) {
		if (hint && hint < LINUX_MMAP_MIN_ADDR)
			hint = LINUX_MMAP_MIN_ADDR;
		return mm_find_gap(mm, hint, length, request->flags, address);
	}
	if (request->address > PLATFORM_GUEST_MAX - length)
		return -ENOMEM;
	if (request->address % PAGE_SIZE)
		return -EINVAL;
	if (request->address < LINUX_MMAP_MIN_ADDR)
		return -EPERM;
	*address = request->address;
	vma = vma_find_from(mm, *address);
	if ((request->flags & LINUX_MAP_FIXED_NOREPLACE) && vma && vma->start < *address + length)
		return -EEXIST;
	return 0;
}

/* Limits, with what a fixed mapping replaces discounted. */
static int check_limits(struct mm *mm, const struct vma *vma, uint64_t replaced)
{
	uint64_t length = vma_size(vma);
	int error;

	if (mm->vma_count >= LINUX_MAX_MAP_COUNT)
		return -ENOMEM;
	if (vma->flags & VMA_LOCKED) {
		error = mm_may_lock(mm, length);
		if (error)
			return error;
	}
	return mm_may_expand(
		mm, length > replaced ? length - replaced : 0, vma->flags, vma->protection);
}

static uint64_t mapped_bytes(struct mm *mm, gaddr_t start, gaddr_t end)
{
	uint64_t bytes = 0;

	for (struct vma *vma = vma_find_from(mm, start); vma && vma->start < end;
		vma = vma_next(vma))
		bytes += min_u64(vma->end, end) - max_u64(vma->start, start);
	return bytes;
}

/* Does the host's mapping of what is new cover all that was there? */
static bool is_all_backed(struct mm *mm, gaddr_t start, gaddr_t end)
{
	while (start < end) {
		struct backing *backing = backing_find(mm, start);

		if (!backing)
			return false;
		start = backing->end;
	}
	return true;
}

static int enter(struct mm *mm, const struct mmap_request *request, struct vma *template)
{
	gaddr_t start = template->start, end = template->end;
	uint64_t replaced = mapped_bytes(mm, start, end);
	struct vma *vma;
	int error = check_limits(mm, template, replaced);

	if (error)
		return error;
	vma = vma_new(mm, template);
	if (!vma)
		return -ENOMEM;
	error = replaced ? mm_unmap_range(mm, start, end, false) : 0;
	if (error) {
		mutex_unlock(&mm->lock);
		vma_free(vma);
		mutex_lock(&mm->lock);
		return error;
	}
	vma = vma_insert(vma);
	/* What cannot be had now is asked for again by the fault. */
	if (request->flags & LINUX_MAP_POPULATE && !(request->flags & LINUX_MAP_NONBLOCK))
		error = mm_populate(mm, start, end,
			!vma_is_shared(vma) && (vma->protection & LINUX_PROT_WRITE));
	else if ((vma->flags & VMA_LOCKED) && !(vma->flags & VMA_LOCK_ON_FAULT))
		error = mm_populate(mm, start, end, false);
	else
		error = mm_back_new(mm, vma, start, end);
	if (replaced && (error || !is_all_backed(mm, start, end)))
		return mm_queue_unmap_holes(mm, start, end);
	return 0;
}

int mm_mmap(struct mm *mm, const struct mmap_request *request, gaddr_t *address)
{
	uint64_t length = page_ceil(request->length);
	struct mapping mapping;
	int error = check_request(request, length);

	if (error)
		return error;
	error = prepare(request, length, &mapping);
	if (!error) {
		struct vma *vma = &mapping.vma;

		mm_lock(mm);
		error = choose_address(mm, request, length, address);
		if (!error) {
			vma->flags |= request->special ? 0 : mm->lock_future;
			vma->start = *address;
			vma->end = *address + length;
			error = enter(mm, request, vma);
		}
		mm_unlock_and_release(mm);
	}
	if (mapping.vma.file)
		file_put(mapping.vma.file);
	shared_memory_put(mapping.vma.shared);
	return error;
}

/* Is all of [vma->start, end) mapped from the same as vma, without holes? */
static bool is_one_object(const struct vma *vma, gaddr_t end)
{
	const struct vma *first = vma;

	while (vma->end < end) {
		const struct vma *next = vma_next((struct vma *)vma);

		if (!next || next->start != vma->end || next->flags != first->flags ||
			next->protection != first->protection || next->file != first->file ||
			next->shared != first->shared)
			return false;
		vma = next;
	}
	return true;
}

/* The request that makes [address, address + length) show another part of what it maps already.
 * References for the caller. */
static int prepare_remap(struct mm *mm, gaddr_t address, uint64_t length, uint64_t offset,
	int flags, struct mmap_request *request)
{
	struct vma *vma;
	int error = -EINVAL;

	mm_lock(mm);
	vma = vma_find(mm, address);
	if (vma && vma_is_shared(vma) && (vma->file || vma->shared) &&
		is_one_object(vma, address + length)) {
		*request = (struct mmap_request){
			.address = address,
			.length = length,
			.protection = vma->protection,
			.flags = LINUX_MAP_SHARED | LINUX_MAP_FIXED | (flags & LINUX_MAP_NONBLOCK) |
				 LINUX_MAP_POPULATE,
			.file = vma->file ? file_get(vma->file) : NULL,
			.shared = vma->shared ? shared_memory_get(vma->shared) : NULL,
			.offset = offset,
		};
		error = 0;
	}
	mm_unlock(mm);
	return error;
}

int mm_remap_file_pages(
	struct mm *mm, gaddr_t address, uint64_t length, uint64_t page_offset, int flags)
{
	struct mmap_request request;
	int error;

	address = page_floor(address);
	length = page_floor(length);
	if (!length || !mm_range_is_valid(address, length) ||
		page_offset > (UINT64_MAX >> PAGE_SHIFT) - (length >> PAGE_SHIFT))
		return -EINVAL;
	error = prepare_remap(mm, address, length, page_offset << PAGE_SHIFT, flags, &request);
	if (error)
		return error;
	error = mm_mmap(mm, &request, &address);
	if (request.file)
		file_put(request.file);
	shared_memory_put(request.shared);
	return error;
}
