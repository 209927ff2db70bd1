/* SPDX-License-Identifier: Apache-2.0 */
/* Atomic access to guest words, and what names a word for futex(2). */
#include "base/safe_copy.h"
#include "sentry/mm/mm_private.h"

#include <errno.h>

/* Words are aligned, so one is never on two pages. */
static int word_view(struct mm *mm, gaddr_t address, bool write, struct sentry_view *view)
{
	if (address % sizeof(uint32_t))
		return -EFAULT;
	return mm_view(mm, address, sizeof(uint32_t), write, false, view);
}

int mm_load_u32(struct mm *mm, gaddr_t address, uint32_t *value)
{
	struct sentry_view view;
	int result;

	mm_lock(mm);
	result = word_view(mm, address, false, &view);
	if (!result && view.may_fault)
		result = safe_load_u32(view.pointer, value) ? 0 : -EFAULT;
	else if (!result)
		*value = __atomic_load_n((uint32_t *)view.pointer, __ATOMIC_SEQ_CST);
	mm_unlock(mm);
	return result;
}

static int exchange(
	const struct sentry_view *view, uint32_t expected, uint32_t desired, uint32_t *actual)
{
	*actual = expected;
	if (view->may_fault) {
		if (!safe_cmpxchg_u32(view->pointer, expected, desired, actual))
			return -EFAULT;
	} else {
		(void)__atomic_compare_exchange_n((uint32_t *)view->pointer, actual, desired, false,
			__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	}
	return *actual == expected ? 0 : -EAGAIN;
}

int mm_cmpxchg_u32(
	struct mm *mm, gaddr_t address, uint32_t expected, uint32_t desired, uint32_t *actual)
{
	struct sentry_view view;
	int result;

	mm_lock(mm);
	result = word_view(mm, address, true, &view);
	if (!result)
		result = exchange(&view, expected, desired, actual);
	mm_unlock(mm);
	return result;
}

int mm_futex_key(struct mm *mm, gaddr_t address, bool shared, bool write, struct futex_key *key)
{
	struct vma *vma;
	int result = 0;

	if (address >= PLATFORM_GUEST_MAX)
		return -EFAULT;
	*key = (struct futex_key){.object = (uintptr_t)mm, .offset = address};
	if (!shared)
		return 0;
	mm_lock(mm);
	vma = mm_find_or_grow(mm, address);
	if (!vma || !vma_allows(vma, write) || mm_fault_in(mm, vma, address, write) != 0)
		result = -EFAULT;
	else if (vma_is_shared(vma))
		*key = (struct futex_key){
			.object = (uintptr_t)vma->mappable, .offset = vma_offset_of(vma, address)};
	mm_unlock(mm);
	return result;
}
