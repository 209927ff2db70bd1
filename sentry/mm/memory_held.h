/* SPDX-License-Identifier: Apache-2.0 */
/* What the sandbox makes the host hold besides the memory file: the sentry's heap, its threads, and
 * the host's own structures for stub processes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* As of the last look, in bytes; costs nothing. 0 until somebody looked. */
uint64_t memory_held_elsewhere(void);
/* Looks, and gives the same: threads is how many the sentry has for its tasks. */
uint64_t memory_held_update(uint64_t threads);
/* The same with as many threads as last time. */
uint64_t memory_held_again(void);
/* One process of the guest's more, or less: what it takes on the host, at least. */
#define MEMORY_HELD_PROCESS (128ul << 10)
void memory_held_add_process(void);
void memory_held_remove_process(void);
/* The heap's part of it. */
uint64_t memory_held_heap(void);
/* False in a build whose heap is a sanitizer's: nobody knows then what it takes. */
bool memory_held_knows_heap(void);
/* Gives what the heap keeps for itself back to the host. */
void memory_held_trim(void);
/* size more bytes of the heap are about to be taken for a guest's data: counts until the next look.
 */
void memory_held_note(uint64_t size);
/* Who tells what the host holds for sockets; set once, before there are threads. */
void memory_held_set_sockets(uint64_t (*bytes)(void));
