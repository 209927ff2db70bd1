/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pins: guest memory that host system calls read and write in place. Each piece holds its pages, or
 * its window, until it is released, whatever the guest does to its mappings meanwhile.
 */
#include "sentry/mm/pin.h"
#include "sentry/mm/memory_file.h"
#include "sentry/mm/mm_private.h"
#include "sentry/mm/window.h"

#include <errno.h>
#include <string.h>

/* Takes hold of what a view shows; joins it to the last piece where memory goes on. */
static void hold(struct mm_pin *pin, const struct sentry_view *view, gaddr_t address)
{
	struct iovec *last = pin->count ? &pin->iov[pin->count - 1] : NULL;
	uint64_t offset = backing_offset_of(view->backing, address);
	uint64_t low = page_floor(offset), high = page_ceil(offset + view->size);
	int i = pin->count;

	if (view->may_fault) {
		pin->held[i].size = 0;
		pin->windows[i] = window_share(view->backing->window);
	} else if (last && pin->held[i - 1].size &&
		   (char *)last->iov_base + last->iov_len == view->pointer) {
		uint64_t end = pin->held[i - 1].offset + pin->held[i - 1].size;

		if (high > end)
			memory_file_get(end, high - end);
		pin->held[i - 1].size = max_u64(high, end) - pin->held[i - 1].offset;
		last->iov_len += view->size;
		return;
	} else {
		memory_file_get(low, high - low);
		pin->held[i].offset = low;
		pin->held[i].size = high - low;
		pin->windows[i] = NULL;
	}
	pin->iov[i] = (struct iovec){.iov_base = view->pointer, .iov_len = view->size};
	pin->count++;
}

/* Adds pieces of [address, address + size); bytes covered. The caller has set pin->count. */
size_t mm_pin_more(struct mm *mm, gaddr_t address, size_t size, bool write, struct mm_pin *pin)
{
	struct sentry_view view;
	size_t done = 0;

	mm_lock(mm);
	while (done < size && pin->count < MM_PIN_MAX &&
		mm_view(mm, address + done, size - done, write, false, &view) == 0) {
		hold(pin, &view, address + done);
		done += view.size;
	}
	mm_unlock(mm);
	return done;
}

int64_t mm_pin(struct mm *mm, gaddr_t address, size_t size, bool write, struct mm_pin *pin)
{
	size_t done;

	pin->count = 0;
	done = mm_pin_more(mm, address, size, write, pin);
	return done || !size ? (int64_t)done : -EFAULT;
}

void mm_unpin(struct mm_pin *pin)
{
	for (int i = 0; i < pin->count; i++) {
		if (pin->held[i].size)
			memory_file_put(pin->held[i].offset, pin->held[i].size);
		window_put(pin->windows[i]);
	}
	pin->count = 0;
}
