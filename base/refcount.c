/* SPDX-License-Identifier: Apache-2.0 */
/* The one reference count, and the list of what is still held. */
#include "base/refcount.h"

#include "base/log.h"

static _Atomic(struct refcount_type *) types;

static void type_list(struct refcount_type *type)
{
	if (atomic_load_explicit(&type->listed, memory_order_relaxed) ||
		atomic_exchange(&type->listed, true))
		return;
	type->next = atomic_load(&types);
	while (!atomic_compare_exchange_weak(&types, &type->next, type))
		;
}

void refcount_init(struct refcount *refs, struct refcount_type *type)
{
	atomic_init(&refs->count, 1);
	refs->type = type;
#ifdef CSANDBOX_DEBUG
	type_list(type);
	atomic_fetch_add(&type->live, 1);
#else
	(void)type_list;
#endif
}

void refcount_get(struct refcount *refs)
{
	unsigned int before = atomic_fetch_add_explicit(&refs->count, 1, memory_order_relaxed);

	panic_if(before == 0, "reference to a dead %s", refs->type->name);
	panic_if(before > UINT32_MAX / 2, "too many references to one %s", refs->type->name);
}

bool refcount_get_unless_zero(struct refcount *refs)
{
	unsigned int count = atomic_load_explicit(&refs->count, memory_order_relaxed);

	do {
		if (count == 0)
			return false;
	} while (!atomic_compare_exchange_weak(&refs->count, &count, count + 1));
	return true;
}

bool refcount_put(struct refcount *refs)
{
	unsigned int before = atomic_fetch_sub_explicit(&refs->count, 1, memory_order_release);

	panic_if(before == 0, "a %s released too often", refs->type->name);
	if (before != 1)
		return false;
	atomic_thread_fence(memory_order_acquire);
#ifdef CSANDBOX_DEBUG
	atomic_fetch_sub(&refs->type->live, 1);
#endif
	return true;
}

long refcount_report_leaks(void)
{
	long all = 0;

	for (struct refcount_type *type = atomic_load(&types); type; type = type->next) {
		long live = atomic_load(&type->live);

		if (live == 0)
			continue;
		log_error("leak: %ld of type %s", live, type->name);
		all += live;
	}
	return all;
}
