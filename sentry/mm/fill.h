/* SPDX-License-Identifier: Apache-2.0 */
/* Finding pages for addresses that have none. */
#pragma once

#include "sentry/mm/mm_private.h"

/*
 * Backs the page of an address that has no backing, and as much around it within [low, high) as is
 * cheap. write: a shared mapping is about to be written. 0, -ERANGE past the end of the file,
 * -ENOMEM.
 */
must_check int fill_around(
	struct mm *mm, struct vma *vma, gaddr_t address, gaddr_t low, gaddr_t high, bool write);
/* Is an anonymous vma so small that all of it is backed at once? */
bool fill_is_at_once(const struct vma *vma);
/* Gives a reservation, of which parts will be made accessible one by one, a place in the memory
 * file. */
void fill_suggest_place(struct vma *vma);
