/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vDSO in guests' memory: one page of clock parameters, which clock.c keeps up to date, and the
 * image behind it. Both are pages of the memory file that every program maps.
 */
#pragma once

#include "base/compiler.h"
#include "sentry/mm/mm.h"

struct vdso_params;

/* Once, before the jail closes, after memory_file_open(). *params is where clock_start() shall
 * publish. */
must_check int vdso_prepare(struct vdso_params **params);
/* Once the VFS is there. */
must_check int vdso_open(void);
/* Maps [vvar] and [vdso] where mmap finds room (own_clocks: as vdso_set_clocks()); *image is what
 * AT_SYSINFO_EHDR says. Task's own thread, or a new mm. */
must_check int vdso_map(struct mm *mm, bool own_clocks, gaddr_t *image);
/*
 * Whether the vDSO that is mapped already reads the clocks itself. It does not where they are a
 * time namespace's: then it makes the system call. Task's own thread, or an mm that nobody runs in.
 * A program that unmapped its vDSO is left alone.
 */
must_check int vdso_set_clocks(struct mm *mm, bool own_clocks);
/* At the end: drops what vdso_prepare() made. */
void vdso_release(void);
