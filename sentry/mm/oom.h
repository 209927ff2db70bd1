/* SPDX-License-Identifier: Apache-2.0 */
/* The end of memory: who is told when a fault cannot be served, or when the host holds more than
 * the limit. */
#pragma once

#include <stdbool.h>

struct mm;

/*
 * Called, with no lock held, when memory for mm ran out (NULL: for the sandbox as a whole): chooses
 * a victim and kills it. Set once at start.
 */
void oom_set_hook(void (*hook)(struct mm *mm));
/* Tells the hook. No lock of rank RANK_MM or above may be held. */
void oom_report(struct mm *mm);
/* For a timer: reports when the host holds more than the limit. True if it did. */
bool oom_check(void);
