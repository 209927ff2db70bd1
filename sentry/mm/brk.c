/* SPDX-License-Identifier: Apache-2.0 */
/* brk(2). */
#include "abi/resource.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/mm/mm_private.h"

#include <errno.h>

static bool is_within_data_limit(const struct mm *mm, gaddr_t wanted)
{
	const struct mm_layout *layout = &mm->layout;
	uint64_t limit = rlimit_current(LINUX_RLIMIT_DATA);
	uint64_t data = layout->end_data - layout->start_data;

	return limit == LINUX_RLIM_INFINITY ||
	       (data <= limit && wanted - layout->start_brk <= limit - data);
}

static int grow(struct mm *mm, gaddr_t start, gaddr_t end)
{
	struct vma *next = vma_find_from(mm, start), *vma;
	struct vma template = {
		.start = start,
		.end = end,
		.flags = mm->lock_future,
		.protection = LINUX_PROT_READ | LINUX_PROT_WRITE,
		.max_protection = LINUX_PROT_READ | LINUX_PROT_WRITE | LINUX_PROT_EXEC,
		.place = VMA_NO_PLACE,
	};

	if (next && end > vma_start_with_gap(next))
		return -ENOMEM;
	if (mm->vma_count >= LINUX_MAX_MAP_COUNT ||
		mm_may_expand(mm, end - start, template.flags, template.protection) != 0)
		return -ENOMEM;
	if ((template.flags & VMA_LOCKED) && mm_may_lock(mm, end - start) != 0)
		return -EAGAIN;
	vma = vma_new(mm, &template);
	if (!vma)
		return -ENOMEM;
	vma = vma_insert(vma);
	/* What cannot be had now is asked for again by the fault. */
	(void)mm_back_new(mm, vma, start, end);
	return 0;
}

static bool set_break(struct mm *mm, gaddr_t wanted)
{
	gaddr_t old_end = page_ceil(mm->layout.brk), new_end = page_ceil(wanted);

	if (wanted < mm->layout.start_brk || wanted > PLATFORM_GUEST_MAX ||
		!is_within_data_limit(mm, wanted))
		return false;
	if (new_end < old_end)
		return mm_unmap_range(mm, new_end, old_end, true) == 0;
	return new_end == old_end || grow(mm, old_end, new_end) == 0;
}

gaddr_t mm_brk(struct mm *mm, gaddr_t wanted)
{
	gaddr_t result;

	mm_lock(mm);
	if (set_break(mm, wanted))
		mm->layout.brk = wanted;
	result = mm->layout.brk;
	mm_unlock_and_release(mm);
	return result;
}
