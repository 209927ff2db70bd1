/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The image of the vDSO, in whole pages, to be mapped readable and executable with struct
 * vdso_params in the page before it. AT_SYSINFO_EHDR is the image's address. The array is made at
 * build time by embed.py.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

extern const uint8_t loader_vdso_image[];
extern const size_t loader_vdso_size; /* bytes, a multiple of the page size */
