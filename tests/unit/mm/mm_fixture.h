/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of sentry/mm/ share: an address space on the platform that runs no code, a guest
 * that reads and writes through what that platform has mapped, and a host file to map.
 */
#pragma once

#include "abi/mman.h"
#include "platform/null/null_platform.h"
#include "sentry/mm/mm.h"
#include "sentry/mm/mm_private.h"
#include "sentry/vfs/file.h"

#include <check.h>

#define BASE 0x10000000ul /* where tests map at addresses of their own */

extern struct platform *g_platform;
extern struct mm *g_mm;

void mm_fixture_setup(void);
void mm_fixture_teardown(void);

/* What a guest thread would see: a signal, or 0 and the byte. Faults are served as the kernel
 * would. */
int guest_read(struct mm *mm, gaddr_t address, unsigned char *byte);
int guest_write(struct mm *mm, gaddr_t address, unsigned char byte);
/* Faults that guest_read() and guest_write() have served so far. */
extern unsigned int g_faults;

/* The address, or a negative errno. */
int64_t map(gaddr_t address, uint64_t length, int protection, int flags);
int64_t map_file(struct file *file, gaddr_t address, uint64_t length, uint64_t offset,
	int protection, int flags);
unsigned int vma_count(void);

/* A file on the host whose page n is filled with the byte n + 1. */
struct file *host_file_new(size_t pages, bool writable);
void host_file_truncate(struct file *file, size_t bytes);
struct mappable *host_file_mappable(struct file *file);
void host_file_free(struct file *file);

TCase *memory_file_tests(void);
TCase *mapping_tests(void);
TCase *resize_tests(void);
TCase *access_tests(void);
TCase *iov_iter_tests(void);
TCase *fork_tests(void);
TCase *file_tests(void);
TCase *sharing_tests(void);
TCase *random_tests(void);
