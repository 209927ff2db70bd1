/* SPDX-License-Identifier: Apache-2.0 */
/* sentry/fs/dev/ - devtmpfs, and the character devices that are memory and chance: null, zero,
 * full, random, urandom, kmsg. */
#pragma once

/* Registers the devices and the file system type "devtmpfs". Called once at start, after
 * tmpfs_register(). */
void dev_register(void);
