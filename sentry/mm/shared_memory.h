/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared anonymous memory: what MAP_SHARED | MAP_ANONYMOUS makes, and what forks go on sharing. It
 * is an object of a fixed size behind a mappable, with no file and no name.
 */
#pragma once

#include "sentry/mm/mappable.h"

struct shared_memory;

/* size: bytes, whole pages. Nothing is allocated before it is touched or mapped. */
must_check int shared_memory_new(uint64_t size, struct shared_memory **out);
struct shared_memory *shared_memory_get(struct shared_memory *memory);
void shared_memory_put(struct shared_memory *memory);
struct mappable *shared_memory_mappable(struct shared_memory *memory);
/* Gives the pages of a range back; they read as zeros then. As mappable_invalidate(), no lock may
 * be held. */
void shared_memory_punch(struct shared_memory *memory, uint64_t offset, uint64_t length);
