/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this room alone asks of the memory file: extents at a place of its choice, so that
 * neighbours in an address space are neighbours in the file too and stay one mapping of the host's,
 * and questions about whole ranges.
 */
#pragma once

#include "sentry/mm/memory_file.h"

/* No place is asked for. */
#define MEMORY_FILE_ANYWHERE UINT64_MAX

/* As memory_file_allocate(), at preferred if that is free, else anywhere. */
must_check int memory_file_allocate_at(
	uint64_t size, uint64_t preferred, bool clear, uint64_t *offset, bool *warm);
/* A place where size bytes are likely to be free for whoever asks for them later. Nothing is held
 * by it. */
uint64_t memory_file_suggest(uint64_t size);
/* Bytes from offset on, at most size, all of whose pages have one reference (*sole) or all have
 * more. */
uint64_t memory_file_sole(uint64_t offset, uint64_t size, bool *sole);
/* Bytes of a range that the host holds. */
uint64_t memory_file_resident(uint64_t offset, uint64_t size);
/*
 * Copies what the host holds of source to a place that reads as zeros; *copied: how much that was.
 * False if it would be more than most: then part of it may have been copied.
 */
bool memory_file_copy(
	uint64_t destination, uint64_t source, uint64_t size, uint64_t most, uint64_t *copied);
/* Makes a held range read as zeros; its pages stay. */
void memory_file_clear(uint64_t offset, uint64_t size);
/* Makes a held range read as zeros and gives its pages back to the host. */
void memory_file_punch(uint64_t offset, uint64_t size);
/* Gives recycled pages back until at most keep bytes stay warm. */
void memory_file_trim(uint64_t keep);
/* Would a private mapping of this size be refused outright, as Linux's heuristic overcommit does?
 */
bool memory_file_is_obvious_overcommit(uint64_t size);
/* Holds the host more than the limit allows? See oom.c. */
bool memory_file_over_limit(void);
